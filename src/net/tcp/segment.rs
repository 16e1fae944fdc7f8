//! What travels between two ends of a connection.

use crate::address::Port;
use crate::net::tcp::connection::reset_for;
use crate::net::{Class, Protocol, Purpose, Transport};
use crate::rng::mix2;

/// The echo port (RFC 862): a reset from it shows that a host is alive.
pub const ECHO: Port = Port(7);

/// An application's message: a segment carries exactly one, whole.
pub trait Body {
    /// Octets of the message.
    fn wire_len(&self) -> u32;
    /// 64 bits that depend on everything the message says.
    fn digest(&self) -> u64;
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that sent the SYN.
    Initiator,
    /// The one that listened.
    Responder,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// What tells a connection from others between the same two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The initiator's number for it; stands for the initiator's port.
    pub number: u16,
    /// The responder's port.
    pub port: Port,
    /// Who sends.
    pub sender: Side,
}

/// What every segment begins with. Sequence numbers count a SYN, each message and a FIN as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The connection.
    pub flow: Flow,
    /// The number of what this segment brings, or would bring next.
    pub sequence: u16,
    /// The number of what the sender expects next from the other end.
    pub acknowledgement: u16,
}

/// The kinds of segments without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks for a connection.
    Syn,
    /// Grants it.
    SynAck,
    /// Acknowledges.
    Ack,
    /// The sender is done.
    Fin,
    /// So is the sender, and it acknowledges the other's FIN.
    FinAck,
    /// There is no such connection or port.
    Rst,
}

/// A segment without data: 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Connection and numbers.
    pub header: Header,
    /// What it says.
    pub kind: Kind,
}

/// A segment with an application's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data<D> {
    /// Connection and numbers.
    pub header: Header,
    /// The message.
    pub body: D,
}

/// A segment: control segments are small enough to travel inside an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment<D> {
    /// Without data.
    Control(Control),
    /// With data.
    Data(Box<Data<D>>),
}

impl<D> From<Control> for Segment<D> {
    fn from(control: Control) -> Self {
        Self::Control(control)
    }
}

impl Header {
    /// The port that a segment with this header comes from. All initiators share one, since the
    /// number tells connections apart.
    #[must_use]
    pub const fn source_port(&self) -> Port {
        match self.flow.sender {
            Side::Initiator => Port::EPHEMERAL,
            Side::Responder => self.flow.port,
        }
    }

    /// What the connection is for, told by the responder's port: the update service's, or that of a
    /// probe (which a scenario may move).
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        if self.flow.port == Port::HTTP { Purpose::DynDns } else { Purpose::Probe }
    }

    fn digest(&self) -> u64 {
        let flow = u64::from(self.flow.number)
            | u64::from(self.flow.port.0) << 16
            | (self.flow.sender as u64) << 32;
        let numbers = u64::from(self.sequence) | u64::from(self.acknowledgement) << 16;
        mix2(flow, numbers)
    }
}

impl Control {
    /// Which headers it has.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self.kind {
            Kind::Syn | Kind::SynAck => Transport::TcpSyn,
            Kind::Ack | Kind::Fin | Kind::FinAck | Kind::Rst => Transport::Tcp,
        }
    }

    /// Where the ledger books it.
    #[must_use]
    pub fn class(&self) -> Class {
        Class { protocol: Protocol::Tcp, purpose: self.header.purpose() }
    }

    /// 64 bits for the fingerprint.
    #[must_use]
    pub fn digest(&self) -> u64 {
        mix2(self.header.digest(), self.kind as u64)
    }
}

impl<D> Segment<D> {
    /// Connection and numbers.
    #[must_use]
    pub const fn header(&self) -> &Header {
        match self {
            Self::Control(control) => &control.header,
            Self::Data(data) => &data.header,
        }
    }

    /// What a host answers on which nothing is connected, or listens; nothing to a reset.
    #[must_use]
    pub fn refusal(&self) -> Option<Self> {
        let is_reset = matches!(self, Self::Control(Control { kind: Kind::Rst, .. }));
        (!is_reset).then(|| reset_for(self.header()).into())
    }

    /// Which headers it has.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self {
            Self::Control(control) => control.transport(),
            Self::Data(_) => Transport::Tcp,
        }
    }

    /// Where the ledger books it: a segment with data under HTTP, the only thing that is carried.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Control(control) => control.class(),
            Self::Data(data) => Class { protocol: Protocol::Http, purpose: data.header.purpose() },
        }
    }
}

impl<D: Body> Segment<D> {
    /// Octets above the TCP header.
    #[must_use]
    pub fn wire_len(&self) -> u32 {
        match self {
            Self::Control(_) => 0,
            Self::Data(data) => data.body.wire_len(),
        }
    }

    /// 64 bits for the fingerprint.
    #[must_use]
    pub fn digest(&self) -> u64 {
        match self {
            Self::Control(control) => control.digest(),
            // Negated: a body may not look like a kind.
            Self::Data(data) => mix2(!data.header.digest(), data.body.digest()),
        }
    }
}
