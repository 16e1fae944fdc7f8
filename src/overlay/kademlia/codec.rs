//! The bytes of Kademlia's messages; their parts are those of [`wire`](crate::overlay::wire).
//!
//! `L` is the length of an identifier, `C = L + 6` that of a contact. A sender is its contact and
//! its overlay (4). Every message begins with its kind (1) and three octets of header.
//!
//! | kind | message | after the 4 octets of header | octets |
//! |---|---|---|---|
//! | 1 | Ping | sender | 8 + C |
//! | 2 | Pong | | 4 |
//! | 3 | FindNode | sender, id | 8 + C + L |
//! | 4 | Nodes | overlay (4), \[contact\] | 9 + C each |
//! | 5 | FindValue | sender, id | 8 + C + L |
//! | 6 | Value | record, \[contact\] | 5 + record + C each |
//! | 7 | Store | sender, record | 8 + C + record |
//! | 8 | Stored | verdict (1) | 5 |
//! | 9 | Replicate | sender, count (2), records | 10 + C + records |
//! | 10 | Leaving | sender | 8 + C |

use super::message::{Message, Sender};
use crate::overlay::records::WireRecord;
use crate::overlay::wire::{
    DecodeError, HEADER, Header, OVERLAY, Reader, Writer, contacts_len, record_len,
};
use crate::overlay::{Contact, Facts, NodeRef};

/// Octets of a message.
pub(super) fn len(message: &Message) -> u32 {
    let id = |header: Header| u32::from(header.id_octets());
    let sender = |header: Header| id(header) + 6 + OVERLAY;
    let records = |header: Header, records: &[WireRecord]| {
        records.iter().map(|one| record_len(header, one)).sum::<u32>()
    };
    HEADER
        + match message {
            Message::Ping(header, _) | Message::Leaving(header, _) => sender(*header),
            Message::Pong(_) => 0,
            Message::FindNode(header, ..) | Message::FindValue(header, ..) => {
                sender(*header) + id(*header)
            }
            Message::Nodes(header, _, nodes) => OVERLAY + contacts_len(*header, nodes.len()),
            Message::Value(header, record, nodes) => {
                record_len(*header, record) + contacts_len(*header, nodes.len())
            }
            Message::Store(header, _, record) => sender(*header) + record_len(*header, record),
            Message::Stored(..) => 1,
            Message::Replicate(header, _, list) => sender(*header) + 2 + records(*header, list),
        }
}

/// The octets of a message.
#[must_use]
pub fn encode(message: &Message, facts: &impl Facts) -> Vec<u8> {
    let w = Writer::new(message.kind(), message.header(), facts);
    let writer = match message {
        Message::Ping(_, sender) | Message::Leaving(_, sender) => write_sender(w, *sender),
        Message::Pong(_) => w,
        Message::FindNode(_, sender, key) | Message::FindValue(_, sender, key) => {
            write_sender(w, *sender).id(*key)
        }
        Message::Nodes(_, overlay, nodes) => w.overlay(*overlay).list(nodes),
        Message::Value(_, record, nodes) => w.record(record).list(nodes),
        Message::Store(_, sender, record) => write_sender(w, *sender).record(record),
        Message::Stored(_, verdict) => w.octets(&[*verdict as u8]),
        Message::Replicate(_, sender, records) => write_sender(w, *sender).records(records),
    };
    writer.finish()
}

fn write_sender<'a, F: Facts>(writer: Writer<'a, F>, sender: Sender) -> Writer<'a, F> {
    writer.contact(sender.node).overlay(sender.overlay)
}

/// The message of these octets; `intern` gives the reference of each contact in it.
///
/// # Errors
/// When they are not exactly one message.
pub fn decode(
    octets: &[u8],
    intern: &mut impl FnMut(Contact) -> NodeRef,
) -> Result<Message, DecodeError> {
    let (kind, header, mut r) = Reader::open(octets, intern)?;
    let message = match kind {
        1 => Message::Ping(header, sender(&mut r)?),
        2 => Message::Pong(header),
        3 => Message::FindNode(header, sender(&mut r)?, r.id()?),
        4 => Message::Nodes(header, r.overlay()?, r.list(255)?),
        5 => Message::FindValue(header, sender(&mut r)?, r.id()?),
        6 => Message::Value(header, r.record()?, r.list(255)?),
        7 => Message::Store(header, sender(&mut r)?, r.record()?),
        8 => Message::Stored(header, r.verdict()?),
        9 => Message::Replicate(header, sender(&mut r)?, r.records()?),
        10 => Message::Leaving(header, sender(&mut r)?),
        other => return Err(DecodeError::Kind(other)),
    };
    r.close(message)
}

fn sender<I: FnMut(Contact) -> NodeRef>(r: &mut Reader<'_, I>) -> Result<Sender, DecodeError> {
    Ok(Sender { node: r.contact()?, overlay: r.overlay()? })
}
