//! Chord's messages.
//!
//! Those that are sent all the time are [`Small`]: 16 octets when [`Compact`], so that they travel
//! inside an event. Lists and records are [`Large`]. The byte layout is the table in
//! [`codec`].
//!
//! A request names the overlay of its sender, and a member of another overlay does not answer it
//! (nor does a node that is no member): to the sender such a node is dead. An outsider's request
//! ([`OverlayId::OUTSIDER`]) is answered by every member. Only `Route` has no room for it.

use crate::address::Port;
use crate::net::payload::Account;
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::overlay::chord::codec;
use crate::overlay::chord::compact::Compact;
use crate::overlay::{NodeRef, OverlayId, RingId};
use crate::rng::mix;

pub use crate::overlay::records::{Verdict, WireRecord};
pub use crate::overlay::wire::{Header, NodeList, RpcId};

/// A key inside a [`Small`]: a [`RingId`] aligned to four octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub(super) high: u32,
    pub(super) low: u32,
}

impl From<RingId> for Key {
    #[inline]
    fn from(id: RingId) -> Self {
        Self { high: (id.0 >> 32) as u32, low: id.0 as u32 }
    }
}

impl From<Key> for RingId {
    #[inline]
    fn from(key: Key) -> Self {
        Self((u64::from(key.high) << 32) | u64::from(key.low))
    }
}

/// Up to three contacts, the best first; those that are there come first.
pub type Best = [Option<NodeRef>; 3];

/// The frequent messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Small {
    /// Are you there? To the predecessor.
    Ping(Header, OverlayId),
    /// Yes.
    Pong(Header),
    /// Who are your predecessor and your successors? To the successor.
    Stabilize(Header, OverlayId),
    /// The answer when lists have one entry: predecessor, successor.
    Neighbours(Header, Option<NodeRef>, Option<NodeRef>),
    /// This node may be your predecessor.
    Notify(Header, NodeRef, OverlayId),
    /// This node joined between us: the former predecessor hears of its new successor.
    NewSuccessor(Header, NodeRef, OverlayId),
    /// Who precedes this key?
    Find(Header, Key, OverlayId),
    /// Closer to the key are these, the closest first.
    Closer(Header, Best),
    /// The answerer precedes the key: its owner, and who follows the owner.
    Found(Header, Best),
    /// A look-up that is forwarded; [`Small::Found`] goes to this origin.
    Route(Header, Key, NodeRef),
    /// Let this node in, as the answerer's predecessor.
    Join(Header, NodeRef),
    /// Not here: the answerer does not own the joiner's position; its predecessor might.
    Refused(Header, Option<NodeRef>),
    /// This node goes; the other takes its place as predecessor or successor of the receiver.
    Leaving(Header, NodeRef, Option<NodeRef>, OverlayId),
    /// What is stored under this key?
    Fetch(Header, Key, OverlayId),
    /// Nothing.
    NoRecord(Header),
    /// The answer to [`Large::Store`].
    StoreReply(Header, Verdict),
}

/// The messages with lists or records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Large {
    /// The answer to [`Small::Stabilize`]: predecessor and successor list.
    NeighbourList(Header, Option<NodeRef>, NodeList),
    /// The answer to [`Small::Join`]: the overlay, the joiner's predecessor, and the answerer's
    /// successor list.
    Welcome(Header, OverlayId, Option<NodeRef>, NodeList),
    /// Store this; to the owner.
    Store(Header, OverlayId, WireRecord),
    /// Hold these; to replicas, and to a new owner.
    Replicate(Header, OverlayId, Vec<WireRecord>),
    /// The answer to [`Small::Fetch`].
    Fetched(Header, WireRecord),
    /// [`Small::Find`], answered as if these were in no table: they did not answer the asker.
    FindAround(Header, OverlayId, RingId, NodeList),
}

/// A Chord message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Travels inside the event.
    Small(Small),
    /// Waits in a slab.
    Large(Box<Large>),
}

impl From<Small> for Message {
    #[inline]
    fn from(small: Small) -> Self {
        Self::Small(small)
    }
}

impl From<Large> for Message {
    fn from(large: Large) -> Self {
        Self::Large(Box::new(large))
    }
}

const fn class(purpose: Purpose) -> Class {
    Class { protocol: Protocol::Chord, purpose }
}

impl Large {
    fn digest(&self) -> u64 {
        let node = |node: Option<NodeRef>| node.map_or(0, |node| u64::from(node.index()) + 1);
        let list = |start: u64, nodes: &NodeList| {
            nodes.iter().fold(start, |sum, &n| mix(sum ^ node(Some(n))))
        };
        let record = |start: u64, record: &WireRecord| {
            let head =
                mix(mix(mix(start ^ record.key.0) ^ record.version) ^ u64::from(record.lifetime));
            record.value.iter().fold(head, |sum, &octet| mix(sum ^ u64::from(octet)))
        };
        let start = |kind: u64, header: Header, a: u64, b: u64| {
            mix(mix(mix((kind << 24) | u64::from(header.bits())) ^ a) ^ b)
        };
        match self {
            Self::NeighbourList(header, predecessor, nodes) => {
                list(start(32, *header, node(*predecessor), nodes.len() as u64), nodes)
            }
            Self::Welcome(header, overlay, predecessor, nodes) => {
                list(start(33, *header, node(*predecessor), u64::from(overlay.0)), nodes)
            }
            Self::Store(header, overlay, one) => {
                record(start(34, *header, 1, u64::from(overlay.0)), one)
            }
            Self::Replicate(header, overlay, records) => {
                let start = start(35, *header, records.len() as u64, u64::from(overlay.0));
                records.iter().fold(start, record)
            }
            Self::Fetched(header, one) => record(start(36, *header, 1, 0), one),
            Self::FindAround(header, overlay, key, nodes) => {
                list(start(37, *header, key.0, u64::from(overlay.0)), nodes)
            }
        }
    }
}

impl Payload for Message {
    #[inline(always)]
    fn pack(self) -> Packed<Self> {
        match self {
            Self::Small(small) => Packed::Hot(Compact::from(small).words()),
            large @ Self::Large(_) => Packed::Cold(large),
        }
    }

    fn unpack(words: Words) -> Self {
        Compact::from_words(words).into()
    }

    fn transport(&self) -> Transport {
        Transport::Udp
    }

    fn source_port(&self) -> Port {
        Port::OVERLAY
    }

    fn wire_len(&self) -> u32 {
        match self {
            Self::Small(small) => Compact::from(*small).octets(),
            Self::Large(large) => codec::large_len(large),
        }
    }

    fn class(&self) -> Class {
        class(match self {
            Self::Small(small) => Compact::from(*small).purpose(),
            Self::Large(large) => match **large {
                Large::NeighbourList(..) | Large::Welcome(..) => Purpose::OverlayMaintenance,
                Large::Store(..) | Large::Replicate(..) | Large::Fetched(..) => Purpose::StoreFetch,
                Large::FindAround(header, ..) if header.maintenance() => {
                    Purpose::OverlayMaintenance
                }
                Large::FindAround(..) => Purpose::OverlayLookup,
            },
        })
    }

    fn digest(&self) -> u64 {
        match self {
            Self::Small(small) => Compact::from(*small).digest(),
            Self::Large(large) => large.digest(),
        }
    }

    #[inline(always)]
    fn hot_account(words: Words) -> Account {
        let compact = Compact::from_words(words);
        let bytes = Transport::Udp.header_len() + compact.octets();
        Account { class: class(compact.purpose()), bytes }
    }

    #[inline]
    fn hot_source_port(_words: Words) -> Port {
        Port::OVERLAY
    }

    #[inline]
    fn hot_digest(words: Words) -> u64 {
        Compact::from_words(words).digest()
    }
}

impl From<Compact> for Message {
    #[inline]
    fn from(compact: Compact) -> Self {
        Self::Small(compact.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_all_the_time_fits_sixteen_octets() {
        assert_eq!(size_of::<Compact>(), 16);
        assert!(size_of::<Message>() <= 24, "{}", size_of::<Message>());
    }
}
