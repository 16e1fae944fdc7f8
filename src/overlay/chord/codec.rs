//! The bytes of Chord's messages.
//!
//! Integers are big-endian. `id` is an identifier of `L` octets (`ceil(id_bits / 8)`, left-aligned
//! when `id_bits` is no multiple of 8), `contact` is `id`, IPv4 address (4), port (2): `C = L + 6`
//! octets. `[contact]` is a list: its length (1), then the contacts; an optional contact is a list
//! of none or one. Every message begins with its kind (1) and three octets of header: 5 bits `L`,
//! 1 bit maintenance, 6 bits hops, 12 bits RPC identifier.
//!
//! | kind | message | after the 4 octets of header | octets |
//! |---|---|---|---|
//! | 1 | Ping | overlay (4) | 8 |
//! | 2 | Pong | | 4 |
//! | 3 | Stabilize | overlay (4) | 8 |
//! | 4 | Neighbours | \[predecessor\], \[successor\] | 6 + C each |
//! | 5 | Notify | contact, overlay (4) | 8 + C |
//! | 6 | NewSuccessor | contact, overlay (4) | 8 + C |
//! | 7 | Find | id, overlay (4) | 8 + L |
//! | 8 | Closer | \[contact\] | 5 + C each |
//! | 9 | Found | \[contact\] | 5 + C each |
//! | 10 | Route | id, contact of the origin | 4 + L + C |
//! | 11 | Join | contact | 4 + C |
//! | 12 | Refused | \[contact\] | 5 + C |
//! | 13 | Leaving | contact, \[neighbour\], overlay (4) | 9 + C + C |
//! | 14 | Fetch | id, overlay (4) | 8 + L |
//! | 15 | NoRecord | | 4 |
//! | 16 | StoreReply | verdict (1) | 5 |
//! | 32 | NeighbourList | \[predecessor\], \[contact\] | 6 + C each |
//! | 33 | Welcome | overlay (4), \[predecessor\], \[contact\] | 10 + C each |
//! | 34 | Store | overlay (4), record | 8 + record |
//! | 35 | Replicate | overlay (4), count (2), records | 10 + records |
//! | 36 | Fetched | record | 4 + record |
//! | 37 | FindAround | overlay (4), id, \[contact\] | 9 + L + C each |
//!
//! A record is id, version (8), seconds of life (4), length of the value (2), value: `L + 14`
//! octets and the value.

use super::message::{Best, Key, Large, Message, Small};
use crate::overlay::wire::{HEADER, Header, NodeList, OVERLAY, Reader, Writer};
use crate::overlay::wire::{contacts_len, record_len};
use crate::overlay::{Contact, Facts, NodeRef};

pub use crate::overlay::wire::DecodeError;

/// Octets of an encoded [`Large`].
pub(super) fn large_len(large: &Large) -> u32 {
    HEADER
        + match large {
            Large::NeighbourList(header, predecessor, nodes) => {
                contacts_len(*header, predecessor.iter().len()) + contacts_len(*header, nodes.len())
            }
            Large::Welcome(header, _, predecessor, nodes) => {
                OVERLAY
                    + contacts_len(*header, predecessor.iter().len())
                    + contacts_len(*header, nodes.len())
            }
            Large::Store(header, _, one) => OVERLAY + record_len(*header, one),
            Large::Replicate(header, _, records) => {
                OVERLAY + 2 + records.iter().map(|one| record_len(*header, one)).sum::<u32>()
            }
            Large::Fetched(header, one) => record_len(*header, one),
            Large::FindAround(header, _, _, nodes) => {
                OVERLAY + u32::from(header.id_octets()) + contacts_len(*header, nodes.len())
            }
        }
}

/// The octets of a message.
#[must_use]
pub fn encode(message: &Message, facts: &impl Facts) -> Vec<u8> {
    match message {
        Message::Small(small) => encode_small(*small, facts),
        Message::Large(large) => encode_large(large, facts),
    }
}

fn encode_small(small: Small, facts: &impl Facts) -> Vec<u8> {
    let w = |kind, header| Writer::new(kind, header, facts);
    let writer = match small {
        Small::Ping(header, overlay) => w(1, header).overlay(overlay),
        Small::Pong(header) => w(2, header),
        Small::Stabilize(header, overlay) => w(3, header).overlay(overlay),
        Small::Neighbours(header, a, b) => w(4, header).list(a.as_slice()).list(b.as_slice()),
        Small::Notify(header, node, overlay) => w(5, header).contact(node).overlay(overlay),
        Small::NewSuccessor(header, node, overlay) => w(6, header).contact(node).overlay(overlay),
        Small::Find(header, key, overlay) => w(7, header).id(key.into()).overlay(overlay),
        Small::Closer(header, nodes) => w(8, header).list(&listed(nodes)),
        Small::Found(header, nodes) => w(9, header).list(&listed(nodes)),
        Small::Route(header, key, origin) => w(10, header).id(key.into()).contact(origin),
        Small::Join(header, node) => w(11, header).contact(node),
        Small::Refused(header, node) => w(12, header).list(node.as_slice()),
        Small::Leaving(header, node, other, overlay) => {
            w(13, header).contact(node).list(other.as_slice()).overlay(overlay)
        }
        Small::Fetch(header, key, overlay) => w(14, header).id(key.into()).overlay(overlay),
        Small::NoRecord(header) => w(15, header),
        Small::StoreReply(header, verdict) => w(16, header).octets(&[verdict as u8]),
    };
    writer.finish()
}

fn encode_large(large: &Large, facts: &impl Facts) -> Vec<u8> {
    let w = |kind, header: &Header| Writer::new(kind, *header, facts);
    let writer = match large {
        Large::NeighbourList(header, predecessor, nodes) => {
            w(32, header).list(predecessor.as_slice()).list(nodes)
        }
        Large::Welcome(header, overlay, predecessor, nodes) => {
            w(33, header).overlay(*overlay).list(predecessor.as_slice()).list(nodes)
        }
        Large::Store(header, overlay, record) => w(34, header).overlay(*overlay).record(record),
        Large::Replicate(header, overlay, records) => {
            w(35, header).overlay(*overlay).records(records)
        }
        Large::Fetched(header, record) => w(36, header).record(record),
        Large::FindAround(header, overlay, key, nodes) => {
            w(37, header).overlay(*overlay).id(*key).list(nodes)
        }
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
        1..=16 => decode_small(kind, header, &mut r)?.into(),
        _ => decode_large(kind, header, &mut r)?.into(),
    };
    r.close(message)
}

fn decode_small<I: FnMut(Contact) -> NodeRef>(
    kind: u8,
    header: Header,
    r: &mut Reader<'_, I>,
) -> Result<Small, DecodeError> {
    Ok(match kind {
        1 => Small::Ping(header, r.overlay()?),
        2 => Small::Pong(header),
        3 => Small::Stabilize(header, r.overlay()?),
        4 => Small::Neighbours(header, r.optional()?, r.optional()?),
        5 => Small::Notify(header, r.contact()?, r.overlay()?),
        6 => Small::NewSuccessor(header, r.contact()?, r.overlay()?),
        7 => Small::Find(header, Key::from(r.id()?), r.overlay()?),
        8 => Small::Closer(header, best(r)?),
        9 => Small::Found(header, best(r)?),
        10 => Small::Route(header, Key::from(r.id()?), r.contact()?),
        11 => Small::Join(header, r.contact()?),
        12 => Small::Refused(header, r.optional()?),
        13 => Small::Leaving(header, r.contact()?, r.optional()?, r.overlay()?),
        14 => Small::Fetch(header, Key::from(r.id()?), r.overlay()?),
        15 => Small::NoRecord(header),
        16 => Small::StoreReply(header, r.verdict()?),
        other => return Err(DecodeError::Kind(other)),
    })
}

fn decode_large<I: FnMut(Contact) -> NodeRef>(
    kind: u8,
    header: Header,
    r: &mut Reader<'_, I>,
) -> Result<Large, DecodeError> {
    Ok(match kind {
        32 => Large::NeighbourList(header, r.optional()?, r.list(255)?),
        33 => Large::Welcome(header, r.overlay()?, r.optional()?, r.list(255)?),
        34 => Large::Store(header, r.overlay()?, r.record()?),
        35 => Large::Replicate(header, r.overlay()?, r.records()?),
        36 => Large::Fetched(header, r.record()?),
        37 => Large::FindAround(header, r.overlay()?, r.id()?, r.list(255)?),
        other => return Err(DecodeError::Kind(other)),
    })
}

fn listed(nodes: Best) -> NodeList {
    nodes.into_iter().flatten().collect()
}

fn best<I: FnMut(Contact) -> NodeRef>(r: &mut Reader<'_, I>) -> Result<Best, DecodeError> {
    let nodes = r.list(3)?;
    let node = |i: usize| nodes.get(i).copied();
    Ok([node(0), node(1), node(2)])
}
