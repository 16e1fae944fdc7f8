//! What the network needs to know of a message.

use std::fmt::Debug;

use crate::address::{Endpoint, Port};
use crate::net::{Class, Knock};

/// A message that can travel.
///
/// Its length is exact: [`wire_len`](Payload::wire_len) equals the length of its real encoding,
/// which a round-trip test of each protocol proves. A message that is sent often should
/// [pack](Payload::pack) into [`Words`], which travel inside the event; all others wait in a slab.
pub trait Payload: Sized + Debug {
    /// Makes the message small, if it can be.
    fn pack(self) -> Packed<Self>;
    /// The message that was packed into these words.
    fn unpack(words: Words) -> Self;
    /// What carries it, which decides the headers that are counted.
    fn transport(&self) -> Transport;
    /// The port that it is sent from.
    fn source_port(&self) -> Port;
    /// Octets above the transport's header.
    fn wire_len(&self) -> u32;
    /// Where the ledger books it.
    fn class(&self) -> Class;
    /// 64 bits that depend on everything the message says, for the fingerprint.
    fn digest(&self) -> u64;

    /// Under what a message is booked, with how much.
    #[inline]
    fn account(&self) -> Account {
        let bytes = self.transport().header_len() + self.wire_len();
        Account { class: self.class(), bytes }
    }

    /// The account of the small form, which can be had for less than that of the message.
    #[inline]
    fn hot_account(words: Words) -> Account {
        Self::unpack(words).account()
    }

    /// The port that the small form is sent from.
    #[inline]
    fn hot_source_port(words: Words) -> Port {
        Self::unpack(words).source_port()
    }

    /// The port that a message to this port is sent from, for protocols whose parties have the same
    /// port, and one of several.
    #[inline]
    fn sent_from(&self, to: Port) -> Port {
        let _ = to;
        self.source_port()
    }

    /// The same of the small form.
    #[inline]
    fn hot_sent_from(words: Words, to: Port) -> Port {
        let _ = to;
        Self::hot_source_port(words)
    }

    /// The digest of the small form: the same as the message's.
    #[inline]
    fn hot_digest(words: Words) -> u64 {
        Self::unpack(words).digest()
    }

    /// What a translator of addresses sees of it.
    fn knock(&self) -> Knock {
        match self.transport() {
            Transport::Udp => Knock::Udp,
            Transport::Tcp | Transport::TcpSyn => Knock::Tcp,
            Transport::Icmp => Knock::Reply,
        }
    }

    /// The ICMP error that comes back when this message could not be delivered to `to`, for
    /// message types that include one. There is none about an ICMP message (RFC 1122 §3.2.2).
    fn undeliverable(&self, to: Endpoint) -> Option<Self> {
        let _ = to;
        None
    }

    /// What a host answers on which nothing serves this message, sent to `to`.
    fn unserved(&self, to: Endpoint) -> Option<Self> {
        let _ = to;
        None
    }
}

/// A message in the network's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Under what it is booked.
    pub class: Class,
    /// Octets with the headers below, from IP on.
    pub bytes: u32,
}

/// The form in which a message travels inside an event: 16 octets, in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(pub u64, pub u64);

/// A message on its way: inside the event, or in the slab.
#[derive(Clone, Copy, Debug)]
pub enum Packed<M> {
    /// Small enough to travel inline.
    Hot(Words),
    /// To be kept in the slab.
    Cold(M),
}

/// What carries a message, with the length of its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// IPv4 and UDP headers: 20 + 8 octets.
    Udp,
    /// A TCP segment without SYN: IPv4 header, TCP header and the timestamp option, 20 + 20 + 12.
    Tcp,
    /// A TCP segment with SYN: 20 + 20 and 20 octets of options, as Linux sends them.
    TcpSyn,
    /// IPv4 header alone; the ICMP header counts as payload.
    Icmp,
}

impl Transport {
    /// Octets of headers.
    #[must_use]
    #[inline]
    pub const fn header_len(self) -> u32 {
        match self {
            Self::Udp => 28,
            Self::Tcp => 52,
            Self::TcpSyn => 60,
            Self::Icmp => 20,
        }
    }
}
