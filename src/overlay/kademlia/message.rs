//! Kademlia's messages: the four requests of the paper, their answers, and two that ask for none.
//!
//! A request names its sender and the sender's overlay, and a member of another overlay does not
//! answer it. An outsider's ([`OverlayId::OUTSIDER`]) is answered, and the outsider not entered
//! into any table. The byte layout is the table in [`codec`].

use crate::address::Port;
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::overlay::kademlia::codec;
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::wire::{Header, NodeList};
use crate::overlay::{NodeRef, OverlayId, RingId};
use crate::rng::mix2;

/// Who sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Its contact.
    pub node: NodeRef,
    /// The overlay that it is in.
    pub overlay: OverlayId,
}

/// A Kademlia message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Are you there?
    Ping(Header, Sender),
    /// Yes.
    Pong(Header),
    /// Which nodes that you know are closest to this key?
    FindNode(Header, Sender, RingId),
    /// In this overlay these, the closest first. The answerer counts itself among them.
    Nodes(Header, OverlayId, NodeList),
    /// The same, and the record of the key if you hold it.
    FindValue(Header, Sender, RingId),
    /// The record, and the closest nodes.
    Value(Header, WireRecord, NodeList),
    /// Store this, as the owner of its key.
    Store(Header, Sender, WireRecord),
    /// The answer.
    Stored(Header, Verdict),
    /// Hold these, as a replica or as a new owner. No answer.
    Replicate(Header, Sender, Vec<WireRecord>),
    /// The sender goes. No answer.
    Leaving(Header, Sender),
}

impl Message {
    /// Its number on the wire.
    #[must_use]
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Ping(..) => 1,
            Self::Pong(..) => 2,
            Self::FindNode(..) => 3,
            Self::Nodes(..) => 4,
            Self::FindValue(..) => 5,
            Self::Value(..) => 6,
            Self::Store(..) => 7,
            Self::Stored(..) => 8,
            Self::Replicate(..) => 9,
            Self::Leaving(..) => 10,
        }
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> Header {
        match *self {
            Self::Ping(header, _)
            | Self::Pong(header)
            | Self::FindNode(header, ..)
            | Self::Nodes(header, ..)
            | Self::FindValue(header, ..)
            | Self::Value(header, ..)
            | Self::Store(header, ..)
            | Self::Stored(header, _)
            | Self::Replicate(header, ..)
            | Self::Leaving(header, _) => header,
        }
    }

    fn purpose(&self) -> Purpose {
        match self {
            Self::FindNode(header, ..) | Self::Nodes(header, ..) if !header.maintenance() => {
                Purpose::OverlayLookup
            }
            Self::Ping(..)
            | Self::Pong(_)
            | Self::FindNode(..)
            | Self::Nodes(..)
            | Self::Leaving(..) => Purpose::OverlayMaintenance,
            Self::FindValue(..)
            | Self::Value(..)
            | Self::Store(..)
            | Self::Stored(..)
            | Self::Replicate(..) => Purpose::StoreFetch,
        }
    }
}

fn mix_sender(sum: u64, sender: Sender) -> u64 {
    mix2(mix2(sum, u64::from(sender.node.index())), u64::from(sender.overlay.0))
}

fn mix_nodes(sum: u64, nodes: &NodeList) -> u64 {
    nodes.iter().fold(mix2(sum, nodes.len() as u64), |sum, node| mix2(sum, u64::from(node.index())))
}

fn mix_record(sum: u64, record: &WireRecord) -> u64 {
    let head = mix2(mix2(mix2(sum, record.key.0), record.version), u64::from(record.lifetime));
    let head = mix2(head, record.value.len() as u64);
    record.value.iter().fold(head, |sum, &octet| mix2(sum, u64::from(octet)))
}

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }

    fn unpack(_: Words) -> Self {
        unreachable!("it is never packed")
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
        Class { protocol: Protocol::Kademlia, purpose: self.purpose() }
    }

    fn digest(&self) -> u64 {
        let head = mix2(u64::from(self.kind()), u64::from(self.header().bits()));
        match self {
            Self::Ping(_, sender) | Self::Leaving(_, sender) => mix_sender(head, *sender),
            Self::Pong(_) => head,
            Self::FindNode(_, sender, key) | Self::FindValue(_, sender, key) => {
                mix2(mix_sender(head, *sender), key.0)
            }
            Self::Nodes(_, overlay, nodes) => mix_nodes(mix2(head, u64::from(overlay.0)), nodes),
            Self::Value(_, record, nodes) => mix_nodes(mix_record(head, record), nodes),
            Self::Store(_, sender, record) => mix_record(mix_sender(head, *sender), record),
            Self::Stored(_, verdict) => mix2(head, *verdict as u64),
            Self::Replicate(_, sender, records) => {
                let head = mix2(mix_sender(head, *sender), records.len() as u64);
                records.iter().fold(head, mix_record)
            }
        }
    }
}
