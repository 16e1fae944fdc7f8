//! The bytes of Bamboo's messages, made of what [`wire`](crate::overlay::wire) describes. `C` are
//! the octets of a contact, `L` those of an identifier. Every message begins with its kind (1) and
//! three octets of header.
//!
//! | kind | message | after the 4 octets of header | octets |
//! |---|---|---|---|
//! | 1 | Ping | overlay (4) | 8 |
//! | 2 | Pong | | 4 |
//! | 3 | Ack | | 4 |
//! | 4 | Leaves | overlay (4), contact, \[contact\] | 9 + C + C each |
//! | 5 | LeavesReply | \[contact\] | 5 + C each |
//! | 6 | RowRequest | overlay (4), row (1), contact | 9 + C |
//! | 7 | Row | \[contact\] | 5 + C each |
//! | 8 | JoinRow | overlay (4), \[contact\] | 9 + C each |
//! | 9 | Route | overlay (4), id, contact of the origin, tag (2), time-outs (1), errand (1) | 12 + L + C |
//! | 10 | Found | tag (2), time-outs (1), \[contact\] | 8 + C each |
//! | 11 | Welcome | overlay (4), contact, tag (2), \[contact\] | 11 + C + C each |
//! | 12 | Refused | | 4 |
//! | 13 | Leaving | overlay (4), contact, \[contact\] | 9 + C + C each |
//! | 14 | Store | overlay (4), record | 8 + record |
//! | 15 | StoreReply | verdict (1) | 5 |
//! | 16 | Fetch | overlay (4), id | 8 + L |
//! | 17 | Fetched | record | 4 + record |
//! | 18 | NoRecord | | 4 |
//! | 19 | Replicate | overlay (4), count (2), records | 10 + records |

use super::message::{Errand, Message, Passage};
use crate::overlay::wire::{
    HEADER, OVERLAY, Reader, RpcId, Writer, contact_len, contacts_len, record_len,
};
use crate::overlay::{Contact, Facts, NodeRef};

pub use crate::overlay::wire::DecodeError;

/// The most contacts of a list: what its length can say.
const MOST: usize = 255;

/// Octets of an encoded message.
pub(super) fn len(message: &Message) -> u32 {
    let header = message.header();
    let contact = contact_len(header);
    let id = u32::from(header.id_octets());
    let list = |count: usize| contacts_len(header, count);
    HEADER
        + match message {
            Message::Pong(_) | Message::Ack(_) | Message::Refused(_) | Message::NoRecord(_) => 0,
            Message::Ping(..) => OVERLAY,
            Message::Leaves(_, _, _, nodes) | Message::Leaving(_, _, _, nodes) => {
                OVERLAY + contact + list(nodes.len())
            }
            Message::LeavesReply(_, nodes) | Message::Row(_, nodes) => list(nodes.len()),
            Message::RowRequest(..) => OVERLAY + 1 + contact,
            Message::JoinRow(_, _, nodes) => OVERLAY + list(nodes.len()),
            Message::Route(..) => OVERLAY + id + contact + 4,
            Message::Found(_, _, _, nodes) => 3 + list(nodes.len()),
            Message::Welcome(_, _, _, _, nodes) => OVERLAY + contact + 2 + list(nodes.len()),
            Message::Store(_, _, record) => OVERLAY + record_len(header, record),
            Message::StoreReply(..) => 1,
            Message::Fetch(..) => OVERLAY + id,
            Message::Fetched(_, record) => record_len(header, record),
            Message::Replicate(_, _, records) => {
                OVERLAY + 2 + records.iter().map(|one| record_len(header, one)).sum::<u32>()
            }
        }
}

/// The octets of a message.
#[must_use]
pub fn encode(message: &Message, facts: &impl Facts) -> Vec<u8> {
    let w = Writer::new(message.kind(), message.header(), facts);
    let writer = match message {
        Message::Pong(_) | Message::Ack(_) | Message::Refused(_) | Message::NoRecord(_) => w,
        Message::Ping(_, overlay) => w.overlay(*overlay),
        Message::Leaves(_, overlay, node, nodes) | Message::Leaving(_, overlay, node, nodes) => {
            w.overlay(*overlay).contact(*node).list(nodes)
        }
        Message::LeavesReply(_, nodes) | Message::Row(_, nodes) => w.list(nodes),
        Message::RowRequest(_, overlay, row, node) => {
            w.overlay(*overlay).octets(&[*row]).contact(*node)
        }
        Message::JoinRow(_, overlay, nodes) => w.overlay(*overlay).list(nodes),
        Message::Route(_, overlay, passage) => {
            let Passage { key, origin, tag, timeouts, errand } = *passage;
            let w = w.overlay(*overlay).id(key).contact(origin);
            w.octets(&tag.bits().to_be_bytes()).octets(&[timeouts, errand as u8])
        }
        Message::Found(_, tag, timeouts, nodes) => {
            w.octets(&tag.bits().to_be_bytes()).octets(&[*timeouts]).list(nodes)
        }
        Message::Welcome(_, overlay, node, tag, nodes) => {
            w.overlay(*overlay).contact(*node).octets(&tag.bits().to_be_bytes()).list(nodes)
        }
        Message::Store(_, overlay, record) => w.overlay(*overlay).record(record),
        Message::StoreReply(_, verdict) => w.octets(&[*verdict as u8]),
        Message::Fetch(_, overlay, key) => w.overlay(*overlay).id(*key),
        Message::Fetched(_, record) => w.record(record),
        Message::Replicate(_, overlay, records) => w.overlay(*overlay).records(records),
    };
    writer.finish()
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
        1 => Message::Ping(header, r.overlay()?),
        2 => Message::Pong(header),
        3 => Message::Ack(header),
        4 => Message::Leaves(header, r.overlay()?, r.contact()?, r.list(MOST)?),
        5 => Message::LeavesReply(header, r.list(MOST)?),
        6 => {
            let overlay = r.overlay()?;
            let [row] = r.take()?;
            Message::RowRequest(header, overlay, row, r.contact()?)
        }
        7 => Message::Row(header, r.list(MOST)?),
        8 => Message::JoinRow(header, r.overlay()?, r.list(MOST)?),
        9 => Message::Route(header, r.overlay()?, passage(&mut r)?),
        10 => {
            let tag = tag(&mut r)?;
            let [timeouts] = r.take()?;
            Message::Found(header, tag, timeouts, r.list(MOST)?)
        }
        11 => {
            let (overlay, node) = (r.overlay()?, r.contact()?);
            Message::Welcome(header, overlay, node, tag(&mut r)?, r.list(MOST)?)
        }
        12 => Message::Refused(header),
        13 => Message::Leaving(header, r.overlay()?, r.contact()?, r.list(MOST)?),
        14 => Message::Store(header, r.overlay()?, r.record()?),
        15 => Message::StoreReply(header, r.verdict()?),
        16 => Message::Fetch(header, r.overlay()?, r.id()?),
        17 => Message::Fetched(header, r.record()?),
        18 => Message::NoRecord(header),
        19 => Message::Replicate(header, r.overlay()?, r.records()?),
        other => return Err(DecodeError::Kind(other)),
    };
    r.close(message)
}

fn passage<I: FnMut(Contact) -> NodeRef>(r: &mut Reader<'_, I>) -> Result<Passage, DecodeError> {
    let (key, origin, tag) = (r.id()?, r.contact()?, tag(r)?);
    let [timeouts, errand] = r.take()?;
    let errand = match errand {
        0 => Errand::Find,
        1 => Errand::Join,
        other => return Err(DecodeError::Errand(other)),
    };
    Ok(Passage { key, origin, tag, timeouts, errand })
}

fn tag<I: FnMut(Contact) -> NodeRef>(r: &mut Reader<'_, I>) -> Result<RpcId, DecodeError> {
    let bits = u16::from_be_bytes(r.take()?);
    let tag = RpcId::new(bits);
    if tag.bits() == bits { Ok(tag) } else { Err(DecodeError::Label(bits)) }
}
