//! What a relay and its clients say to each other.

use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::rng::mix2;
use crate::sim::fingerprint::stable_hash;
use crate::turn::codec;
use crate::turn::credentials::{Auth, Challenge, Integrity};

/// Octets that are relayed.
pub type Data = Arc<[u8]>;

/// A message between a relay and a client, with the port that it is sent from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The relay's port, or that of the client, whom it tells apart from others at its address.
    pub source: Port,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// A client wants something.
    Request {
        /// Comes back with the response.
        id: TransactionId,
        /// What.
        request: Request,
        /// Who it is; absent in what is not authenticated yet.
        auth: Option<Auth>,
    },
    /// It is done.
    Success {
        /// Of which request.
        id: TransactionId,
        /// What comes of it.
        success: Success,
        /// Shows that the relay knows the key too.
        integrity: Option<Integrity>,
    },
    /// It is refused.
    Failure {
        /// Of which request.
        id: TransactionId,
        /// What was asked for.
        method: Method,
        /// Why.
        failure: Failure,
    },
    /// Something that is not answered.
    Indication {
        /// Means nothing.
        id: TransactionId,
        /// What.
        indication: Indication,
    },
    /// Relayed octets, to or from the peer that a channel is bound to.
    ChannelData {
        /// The channel.
        channel: Channel,
        /// The octets.
        data: Data,
    },
}

/// The 96 bits that tell transactions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub u32, pub u64);

/// The number of a channel: 0x4000 to 0x4FFF (RFC 8656 §12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(pub u16);

impl Channel {
    /// The first.
    pub const FIRST: Self = Self(0x4000);
    /// The last.
    pub const LAST: Self = Self(0x4fff);

    /// Whether it is the number of a channel.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        Self::FIRST.0 <= self.0 && self.0 <= Self::LAST.0
    }

    /// The one behind it; the first behind the last.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::LAST.0 { Self(self.0 + 1) } else { Self::FIRST }
    }
}

/// What is asked for, or indicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Nothing but an answer.
    Binding,
    /// An allocation.
    Allocate,
    /// More time for it, or its end.
    Refresh,
    /// To relay data to a peer.
    Send,
    /// To take data of a peer.
    Data,
    /// To let a peer in.
    CreatePermission,
    /// To shorten what is relayed to and from a peer.
    ChannelBind,
}

/// What a client asks for. Lifetimes are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Where it seems to be.
    Binding,
    /// An allocation of UDP.
    Allocate {
        /// For how long; the relay's choice if `None`.
        lifetime: Option<u32>,
    },
    /// More time for its allocation.
    Refresh {
        /// For how long; 0 ends it.
        lifetime: u32,
    },
    /// A permission.
    CreatePermission {
        /// For this address.
        peer: Address,
    },
    /// A channel, and a permission with it.
    ChannelBind {
        /// This number.
        channel: Channel,
        /// To this peer.
        peer: Endpoint,
    },
}

impl Request {
    /// The method.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Binding => Method::Binding,
            Self::Allocate { .. } => Method::Allocate,
            Self::Refresh { .. } => Method::Refresh,
            Self::CreatePermission { .. } => Method::CreatePermission,
            Self::ChannelBind { .. } => Method::ChannelBind,
        }
    }
}

/// What comes of a request that is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Success {
    /// Where the client is seen.
    Binding {
        /// Its address and port, as they arrive.
        mapped: Endpoint,
    },
    /// There is an allocation.
    Allocate {
        /// Where peers reach the client.
        relayed: Endpoint,
        /// Where the client is seen.
        mapped: Endpoint,
        /// How long it lasts, in seconds.
        lifetime: u32,
    },
    /// It lasts on, or is over.
    Refresh {
        /// For how many seconds more.
        lifetime: u32,
    },
    /// The peer is let in.
    CreatePermission,
    /// The channel is bound.
    ChannelBind,
}

impl Success {
    /// The method.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Binding { .. } => Method::Binding,
            Self::Allocate { .. } => Method::Allocate,
            Self::Refresh { .. } => Method::Refresh,
            Self::CreatePermission => Method::CreatePermission,
            Self::ChannelBind => Method::ChannelBind,
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// In a number.
    pub code: Code,
    /// With what the client is to show who it is: in 401 and 438.
    pub challenge: Option<Challenge>,
}

/// An error code, 300 to 699.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl Code {
    /// The request makes no sense.
    pub const BAD_REQUEST: Self = Self(400);
    /// It does not show who the client is.
    pub const UNAUTHENTICATED: Self = Self(401);
    /// There is no allocation, or there is one already.
    pub const ALLOCATION_MISMATCH: Self = Self(437);
    /// The nonce is too old.
    pub const STALE_NONCE: Self = Self(438);
    /// All ports are taken.
    pub const INSUFFICIENT_CAPACITY: Self = Self(508);

    /// What stands behind the number (RFC 8489 §14.8, RFC 8656 §19).
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BAD_REQUEST => "Bad Request",
            Self::UNAUTHENTICATED => "Unauthenticated",
            Self::ALLOCATION_MISMATCH => "Allocation Mismatch",
            Self::STALE_NONCE => "Stale Nonce",
            Self::INSUFFICIENT_CAPACITY => "Insufficient Capacity",
            _ => "",
        }
    }
}

/// What is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Indication {
    /// Nothing: it keeps a translator's mapping alive.
    Binding,
    /// To the relay: this is for a peer.
    Send {
        /// Which.
        peer: Endpoint,
        /// What.
        data: Data,
    },
    /// From the relay: this came from a peer.
    Data {
        /// Which.
        peer: Endpoint,
        /// What.
        data: Data,
    },
}

impl Indication {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Binding => Method::Binding,
            Self::Send { .. } => Method::Send,
            Self::Data { .. } => Method::Data,
        }
    }
}

impl Body {
    /// What is relayed, and the peer where the message names it.
    #[must_use]
    pub const fn relayed(&self) -> Option<(Option<Endpoint>, &Data)> {
        match self {
            Self::Indication {
                indication: Indication::Send { peer, data } | Indication::Data { peer, data },
                ..
            } => Some((Some(*peer), data)),
            Self::ChannelData { data, .. } => Some((None, data)),
            _ => None,
        }
    }
}

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }
    fn unpack(words: Words) -> Self {
        unreachable!("no message to or from a relay is packed into {words:?}")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        self.source
    }
    fn wire_len(&self) -> u32 {
        codec::encoded_len(&self.body)
    }

    /// What it relays is told from its first octet, as RFC 7983 tells what shares a port: that of RTP
    /// is between 128 and 191, a text's is below.
    fn class(&self) -> Class {
        let purpose = match self.body.relayed() {
            None => Purpose::Turn,
            Some((_, data)) => match data.first() {
                Some(128..=191) => Purpose::Media,
                _ => Purpose::Sip,
            },
        };
        Class { protocol: Protocol::Turn, purpose }
    }
    fn digest(&self) -> u64 {
        mix2(u64::from(self.source.0), stable_hash(&self.body))
    }
}
