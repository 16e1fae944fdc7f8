//! Bamboo's messages. The byte layout is the table in [`codec`].
//!
//! A request names the overlay of its sender, and a member of another overlay does not answer it:
//! to the sender such a node is dead. An outsider's request is answered by every member.

use crate::address::Port;
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::overlay::bamboo::codec;
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::{NodeRef, OverlayId, RingId};
use crate::rng::mix;

/// What a message that is forwarded is to do at the owner of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Errand {
    /// Tell the origin who the owner is.
    Find = 0,
    /// Let the origin in, whose position the key is.
    Join = 1,
}

/// A look-up on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What is looked for.
    pub key: RingId,
    /// Who looks for it.
    pub origin: NodeRef,
    /// How the origin labelled it; the answer repeats that.
    pub tag: RpcId,
    /// Nodes on the way that did not answer.
    pub timeouts: u8,
    /// What it is for.
    pub errand: Errand,
}

/// A Bamboo message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Are you there?
    Ping(Header, OverlayId),
    /// Yes.
    Pong(Header),
    /// A [`Message::Route`], [`Message::Found`] or [`Message::Welcome`] has arrived.
    Ack(Header),
    /// This is my leaf set; which is yours?
    Leaves(Header, OverlayId, NodeRef, NodeList),
    /// This one.
    LeavesReply(Header, NodeList),
    /// What stands in this row of your routing table? From this node.
    RowRequest(Header, OverlayId, u8, NodeRef),
    /// These, who have all answered the sender before.
    Row(Header, NodeList),
    /// The same to a joiner, from each node that its join passes.
    JoinRow(Header, OverlayId, NodeList),
    /// A look-up that is forwarded.
    Route(Header, OverlayId, Passage),
    /// To the origin: its label of the look-up, time-outs on the way, the nodes closest to the key,
    /// the owner first.
    Found(Header, RpcId, u8, NodeList),
    /// To a joiner: the overlay, who lets it in, the label of its join, that node's leaf set.
    Welcome(Header, OverlayId, NodeRef, RpcId, NodeList),
    /// To a joiner: another node has its position.
    Refused(Header),
    /// This node goes; its leaf set.
    Leaving(Header, OverlayId, NodeRef, NodeList),
    /// Store this; to the owner.
    Store(Header, OverlayId, WireRecord),
    /// The answer.
    StoreReply(Header, Verdict),
    /// What is stored under this key?
    Fetch(Header, OverlayId, RingId),
    /// This.
    Fetched(Header, WireRecord),
    /// Nothing.
    NoRecord(Header),
    /// Hold these; to replicas, and to a new owner.
    Replicate(Header, OverlayId, Vec<WireRecord>),
}

impl Message {
    /// Its kind on the wire.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Ping(..) => 1,
            Self::Pong(..) => 2,
            Self::Ack(..) => 3,
            Self::Leaves(..) => 4,
            Self::LeavesReply(..) => 5,
            Self::RowRequest(..) => 6,
            Self::Row(..) => 7,
            Self::JoinRow(..) => 8,
            Self::Route(..) => 9,
            Self::Found(..) => 10,
            Self::Welcome(..) => 11,
            Self::Refused(..) => 12,
            Self::Leaving(..) => 13,
            Self::Store(..) => 14,
            Self::StoreReply(..) => 15,
            Self::Fetch(..) => 16,
            Self::Fetched(..) => 17,
            Self::NoRecord(..) => 18,
            Self::Replicate(..) => 19,
        }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> Header {
        match self {
            Self::Ping(header, ..)
            | Self::Pong(header)
            | Self::Ack(header)
            | Self::Leaves(header, ..)
            | Self::LeavesReply(header, ..)
            | Self::RowRequest(header, ..)
            | Self::Row(header, ..)
            | Self::JoinRow(header, ..)
            | Self::Route(header, ..)
            | Self::Found(header, ..)
            | Self::Welcome(header, ..)
            | Self::Refused(header)
            | Self::Leaving(header, ..)
            | Self::Store(header, ..)
            | Self::StoreReply(header, ..)
            | Self::Fetch(header, ..)
            | Self::Fetched(header, ..)
            | Self::NoRecord(header)
            | Self::Replicate(header, ..) => *header,
        }
    }
}

/// A running digest.
#[derive(Clone, Copy)]
struct Digest(u64);

impl Digest {
    fn word(self, word: u64) -> Self {
        Self(mix(self.0 ^ word))
    }

    fn node(self, node: NodeRef) -> Self {
        self.word(u64::from(node.index()) + 1)
    }

    fn list(self, nodes: &NodeList) -> Self {
        nodes.iter().fold(self.word(nodes.len() as u64), |sum, &node| sum.node(node))
    }

    fn overlay(self, overlay: OverlayId) -> Self {
        self.word(u64::from(overlay.0))
    }

    fn record(self, record: &WireRecord) -> Self {
        let WireRecord { key, version, lifetime, value } = record;
        let head = self.word(key.0).word(*version).word(u64::from(*lifetime));
        value.iter().fold(head.word(value.len() as u64), |sum, &octet| sum.word(u64::from(octet)))
    }
}

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }

    fn unpack(_: Words) -> Self {
        unreachable!("none of these travels inside an event")
    }

    fn transport(&self) -> Transport {
        Transport::Udp
    }

    fn source_port(&self) -> Port {
        Port::OVERLAY
    }

    fn wire_len(&self) -> u32 {
        codec::len(self)
    }

    fn class(&self) -> Class {
        let purpose = match self {
            Self::Store(..)
            | Self::StoreReply(..)
            | Self::Fetch(..)
            | Self::Fetched(..)
            | Self::NoRecord(..)
            | Self::Replicate(..) => Purpose::StoreFetch,
            other if other.header().maintenance() => Purpose::OverlayMaintenance,
            _ => Purpose::OverlayLookup,
        };
        Class { protocol: Protocol::Bamboo, purpose }
    }

    fn digest(&self) -> u64 {
        let head = (u64::from(self.kind()) << 24) | u64::from(self.header().bits());
        let sum = Digest(mix(head));
        let sum = match self {
            Self::Pong(_) | Self::Ack(_) | Self::Refused(_) | Self::NoRecord(_) => sum,
            Self::Ping(_, overlay) => sum.overlay(*overlay),
            Self::Leaves(_, overlay, node, list) | Self::Leaving(_, overlay, node, list) => {
                sum.overlay(*overlay).node(*node).list(list)
            }
            Self::LeavesReply(_, list) | Self::Row(_, list) => sum.list(list),
            Self::RowRequest(_, overlay, row, node) => {
                sum.overlay(*overlay).word(u64::from(*row)).node(*node)
            }
            Self::JoinRow(_, overlay, list) => sum.overlay(*overlay).list(list),
            Self::Route(_, overlay, passage) => {
                let Passage { key, origin, tag, timeouts, errand } = *passage;
                let rest = u64::from(tag.bits()) << 16 | u64::from(timeouts) << 8 | errand as u64;
                sum.overlay(*overlay).word(key.0).node(origin).word(rest)
            }
            Self::Found(_, tag, timeouts, list) => {
                sum.word(u64::from(tag.bits()) << 8 | u64::from(*timeouts)).list(list)
            }
            Self::Welcome(_, overlay, node, tag, list) => {
                sum.overlay(*overlay).node(*node).word(u64::from(tag.bits())).list(list)
            }
            Self::Store(_, overlay, record) => sum.overlay(*overlay).record(record),
            Self::StoreReply(_, verdict) => sum.word(*verdict as u64),
            Self::Fetch(_, overlay, key) => sum.overlay(*overlay).word(key.0),
            Self::Fetched(_, record) => sum.record(record),
            Self::Replicate(_, overlay, records) => {
                records.iter().fold(sum.overlay(*overlay), Digest::record)
            }
        };
        sum.0
    }
}
