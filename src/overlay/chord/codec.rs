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
//!
//! A record is id, version (8), seconds of life (4), length of the value (2), value: `L + 14`
//! octets and the value.

use super::message::{Best, Large, Small, WireRecord};

const HEADER: u32 = 4;
const OVERLAY: u32 = 4;
const COUNT: u32 = 1;

/// Octets of an encoded [`Small`].
#[inline]
pub(super) fn small_len(small: Small) -> u32 {
    let id = |header: super::message::Header| u32::from(header.id_octets());
    let contact = |header| id(header) + 6;
    let list =
        |header, nodes: Best| COUNT + nodes.iter().flatten().count() as u32 * contact(header);
    HEADER
        + match small {
            Small::Ping(..) | Small::Stabilize(..) => OVERLAY,
            Small::Pong(_) | Small::NoRecord(_) => 0,
            Small::Refused(header, instead) => list(header, [instead, None, None]),
            Small::Neighbours(header, a, b) => COUNT + list(header, [a, b, None]),
            Small::Notify(header, ..) | Small::NewSuccessor(header, ..) => {
                contact(header) + OVERLAY
            }
            Small::Find(header, ..) | Small::Fetch(header, ..) => id(header) + OVERLAY,
            Small::Closer(header, nodes) | Small::Found(header, nodes) => list(header, nodes),
            Small::Route(header, ..) => id(header) + contact(header),
            Small::Join(header, _) => contact(header),
            Small::Leaving(header, _, neighbour, _) => {
                contact(header) + list(header, [neighbour, None, None]) + OVERLAY
            }
            Small::StoreReply(..) => 1,
        }
}

/// Octets of an encoded [`Large`].
pub(super) fn large_len(large: &Large) -> u32 {
    let contacts = |header: super::message::Header, count: usize| {
        COUNT + count as u32 * (u32::from(header.id_octets()) + 6)
    };
    let record = |header: super::message::Header, record: &WireRecord| {
        u32::from(header.id_octets()) + 14 + record.value.len() as u32
    };
    HEADER
        + match large {
            Large::NeighbourList(header, predecessor, nodes) => {
                contacts(*header, predecessor.iter().len()) + contacts(*header, nodes.len())
            }
            Large::Welcome(header, _, predecessor, nodes) => {
                OVERLAY
                    + contacts(*header, predecessor.iter().len())
                    + contacts(*header, nodes.len())
            }
            Large::Store(header, _, one) => OVERLAY + record(*header, one),
            Large::Replicate(header, _, records) => {
                OVERLAY + 2 + records.iter().map(|one| record(*header, one)).sum::<u32>()
            }
            Large::Fetched(header, one) => record(*header, one),
        }
}
