//! Everything that a node sends and receives, its timers, and what it lets the observer know.

use crate::address::{Address, Endpoint, Port};
use crate::conventional;
use crate::dns;
use crate::dyndns::ClientTimer;
use crate::http;
use crate::net::icmp::{Code, Icmp, Quoted, Unreachable};
use crate::net::payload::Account;
use crate::net::tcp::{self, Segment};
use crate::net::{Class, Knock, Packed, Payload, Transport, Words};
use crate::overcord::beside::Place;
use crate::overcord::user_agent::relay::Line;
use crate::overlay::{self, plugin};
use crate::rng::mix2;
use crate::rtp;
use crate::sim::{self, Timer as _};
use crate::sip;
use crate::turn;

/// A message of any protocol of the simulated world.
#[derive(Clone, Debug)]
pub enum Message {
    /// Of the overlay.
    Overlay(plugin::Message),
    /// DNS over UDP.
    Dns(dns::Message),
    /// ICMP.
    Icmp(Icmp),
    /// A TCP segment, which carries HTTP.
    Tcp(Segment<http::Message>),
    /// SIP over UDP.
    Sip(sip::Message),
    /// Between a relay and one of its clients.
    Turn(Box<turn::Message>),
    /// Media.
    Rtp(rtp::Packet),
    /// What a relay passes on to a peer of a client.
    Relayed(Box<Relayed>),
}

/// SIP or media that comes from a port of a relay.
#[derive(Clone, Debug)]
pub struct Relayed {
    /// The port.
    pub source: Port,
    /// What it is.
    pub message: Message,
}

impl From<plugin::Message> for Message {
    #[inline(always)]
    fn from(message: plugin::Message) -> Self {
        Self::Overlay(message)
    }
}

impl From<dns::Message> for Message {
    fn from(message: dns::Message) -> Self {
        Self::Dns(message)
    }
}

impl From<sip::Message> for Message {
    fn from(message: sip::Message) -> Self {
        Self::Sip(message)
    }
}

impl From<turn::Message> for Message {
    fn from(message: turn::Message) -> Self {
        Self::Turn(Box::new(message))
    }
}

impl From<rtp::Packet> for Message {
    fn from(packet: rtp::Packet) -> Self {
        Self::Rtp(packet)
    }
}

impl From<Relayed> for Message {
    fn from(relayed: Relayed) -> Self {
        Self::Relayed(Box::new(relayed))
    }
}

impl From<Icmp> for Message {
    fn from(message: Icmp) -> Self {
        Self::Icmp(message)
    }
}

impl From<Segment<http::Message>> for Message {
    fn from(segment: Segment<http::Message>) -> Self {
        Self::Tcp(segment)
    }
}

impl Payload for Message {
    /// Only the overlay's messages are so many that they travel inside events.
    #[inline(always)]
    fn pack(self) -> Packed<Self> {
        match self {
            Self::Overlay(message) => match message.pack() {
                Packed::Hot(words) => Packed::Hot(words),
                Packed::Cold(cold) => Packed::Cold(Self::Overlay(cold)),
            },
            cold => Packed::Cold(cold),
        }
    }

    fn unpack(words: Words) -> Self {
        Self::Overlay(plugin::Message::unpack(words))
    }

    #[inline]
    fn transport(&self) -> Transport {
        match self {
            Self::Overlay(_)
            | Self::Dns(_)
            | Self::Sip(_)
            | Self::Turn(_)
            | Self::Rtp(_)
            | Self::Relayed(_) => Transport::Udp,
            Self::Icmp(_) => Transport::Icmp,
            Self::Tcp(segment) => segment.transport(),
        }
    }

    #[inline]
    fn source_port(&self) -> Port {
        match self {
            Self::Overlay(_) => Port::OVERLAY,
            Self::Dns(message) => message.source_port(),
            // ICMP has no ports.
            Self::Icmp(_) => Port(0),
            Self::Tcp(segment) => segment.header().source_port(),
            Self::Sip(message) => message.source_port(),
            Self::Turn(message) => message.source_port(),
            Self::Rtp(packet) => packet.source_port(),
            Self::Relayed(relayed) => relayed.source,
        }
    }

    #[inline]
    fn wire_len(&self) -> u32 {
        match self {
            Self::Overlay(message) => message.wire_len(),
            Self::Dns(message) => message.wire_len(),
            Self::Icmp(icmp) => icmp.wire_len(),
            Self::Tcp(segment) => segment.wire_len(),
            Self::Sip(message) => message.wire_len(),
            Self::Turn(message) => message.wire_len(),
            Self::Rtp(packet) => packet.wire_len(),
            Self::Relayed(relayed) => relayed.message.wire_len(),
        }
    }

    #[inline]
    fn class(&self) -> Class {
        match self {
            Self::Overlay(message) => message.class(),
            Self::Dns(message) => message.class(),
            Self::Icmp(icmp) => icmp.class(),
            Self::Tcp(segment) => segment.class(),
            Self::Sip(message) => message.class(),
            Self::Turn(message) => message.class(),
            Self::Rtp(packet) => packet.class(),
            Self::Relayed(relayed) => relayed.message.class(),
        }
    }

    #[inline]
    fn digest(&self) -> u64 {
        match self {
            Self::Overlay(message) => message.digest(),
            Self::Dns(message) => mix2(1, message.digest()),
            Self::Icmp(icmp) => mix2(2, icmp.digest()),
            Self::Tcp(segment) => mix2(3, segment.digest()),
            Self::Sip(message) => mix2(4, message.digest()),
            Self::Turn(message) => mix2(5, message.digest()),
            Self::Rtp(packet) => mix2(6, packet.digest()),
            Self::Relayed(relayed) => {
                mix2(u64::from(relayed.source.0) << 8 | 7, relayed.message.digest())
            }
        }
    }

    #[inline(always)]
    fn hot_account(words: Words) -> Account {
        plugin::Message::hot_account(words)
    }

    #[inline]
    fn hot_source_port(words: Words) -> Port {
        plugin::Message::hot_source_port(words)
    }

    /// All members of an overlay have its port.
    #[inline]
    fn sent_from(&self, to: Port) -> Port {
        match self {
            Self::Overlay(_) => to,
            other => other.source_port(),
        }
    }

    #[inline]
    fn hot_sent_from(_words: Words, to: Port) -> Port {
        to
    }

    #[inline]
    fn hot_digest(words: Words) -> u64 {
        plugin::Message::hot_digest(words)
    }

    fn knock(&self) -> Knock {
        match self {
            Self::Overlay(_)
            | Self::Dns(_)
            | Self::Sip(_)
            | Self::Turn(_)
            | Self::Rtp(_)
            | Self::Relayed(_) => Knock::Udp,
            Self::Tcp(_) => Knock::Tcp,
            Self::Icmp(Icmp::EchoRequest(_)) => Knock::Echo,
            Self::Icmp(Icmp::EchoReply(_) | Icmp::Unreachable(_)) => Knock::Reply,
        }
    }

    fn undeliverable(&self, to: Endpoint) -> Option<Self> {
        let (source, destination) = (self.sent_from(to.port), to.port);
        let quoted = match self {
            Self::Icmp(Icmp::Unreachable(_)) => return None,
            Self::Icmp(Icmp::EchoRequest(echo) | Icmp::EchoReply(echo)) => Quoted::Echo(*echo),
            Self::Tcp(_) => Quoted::Tcp { source, destination },
            Self::Overlay(_)
            | Self::Dns(_)
            | Self::Sip(_)
            | Self::Turn(_)
            | Self::Rtp(_)
            | Self::Relayed(_) => Quoted::Udp { source, destination },
        };
        let error = Unreachable { code: Code::Host, destination: to.address, quoted };
        Some(Self::Icmp(Icmp::Unreachable(error)))
    }

    /// An echo, a reset, or an ICMP error about a closed port (RFC 1122 §3.2.2.6, §4.2.2.13,
    /// §4.1.3.1).
    fn unserved(&self, to: Endpoint) -> Option<Self> {
        Some(match self {
            Self::Icmp(Icmp::EchoRequest(echo)) => Self::Icmp(echo.reply()),
            Self::Icmp(_) => return None,
            Self::Tcp(segment) => Self::Tcp(segment.refusal()?),
            Self::Overlay(_)
            | Self::Dns(_)
            | Self::Sip(_)
            | Self::Turn(_)
            | Self::Rtp(_)
            | Self::Relayed(_) => {
                let quoted = Quoted::Udp { source: self.sent_from(to.port), destination: to.port };
                let error = Unreachable { code: Code::Port, destination: to.address, quoted };
                Self::Icmp(Icmp::Unreachable(error))
            }
        })
    }
}

/// A node's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The overlay plug-in's.
    Overlay(plugin::Timer),
    /// The node's own.
    Node(NodeTimer),
    /// The stub resolver's.
    Stub(dns::stub::Timer),
    /// The update client's.
    Client(ClientTimer),
    /// The client's of dynamic updates of DNS.
    Updater(dns::updater::Timer),
    /// The user agent's.
    Sip(sip::Timer),
    /// The stub resolver's through which conventional servers are located.
    Locator(dns::stub::Timer),
    /// A TCP connection's.
    Tcp(tcp::TcpTimer),
    /// Of an overlay beside the node's own.
    Beside(Place, BesideTimer),
    /// Of a client of the relay.
    Relay(Line),
    /// It is time to say something in a call.
    Media,
}

/// Timers of an overlay beside the node's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BesideTimer {
    /// The plug-in's.
    Plugin(plugin::Timer),
    /// Nobody has answered, or let the node in.
    Retry,
}

impl BesideTimer {
    const SLOTS: u32 = plugin::Timer::SLOTS + 1;

    fn slot(self) -> u32 {
        match self {
            Self::Retry => 0,
            Self::Plugin(timer) => {
                let slot = timer.slot() + 1;
                assert!(slot < Self::SLOTS, "no plug-in has more slots");
                slot
            }
        }
    }
}

/// Timers of the node itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NodeTimer {
    /// The next look-up of a random key.
    Lookup,
    /// A join is tried again.
    Join,
    /// The next regular procedure of the discovery layer begins.
    Procedure,
    /// An echo has not been answered in time.
    Ping,
    /// The resolution of the overlay's domain is tried again.
    Resolve,
    /// A proxy peer looks whether the binding is still its own.
    SelfCheck,
    /// A failed update is tried again.
    Update,
    /// The overlay record is renewed.
    Renew,
    /// What the strategy waits for.
    Wait,
    /// The daemon that updates the binding wakes up.
    Poll,
    /// The node joins anew, because its strategy says so.
    Rejoin,
    /// The location of the node's user is stored again.
    Relocate,
    /// The entries of a bridging node are stored again.
    Bridge,
}

impl sim::Timer for Timer {
    /// The plug-in's most frequent ones come first, then the node's look-ups. From there on the
    /// plug-in's slots are the odd ones, and behind them those of plug-ins beside it; all others are
    /// the even ones, the most frequent first: a node whose overlay is all that runs keeps a short
    /// table.
    #[inline(always)]
    fn slot(self) -> u32 {
        const FIRST: u32 = plugin::Timer::FREQUENT;
        const OWN: u32 = NodeTimer::Bridge as u32 + 1;
        const SIP: u32 = OWN + 1 + ClientTimer::SLOTS;
        match self {
            Self::Overlay(timer) => {
                let slot = timer.slot();
                if slot < FIRST { slot } else { FIRST + 1 + 2 * (slot - FIRST) }
            }
            Self::Node(timer) => FIRST + 2 * (timer as u32),
            Self::Stub(timer) => FIRST + 2 * (OWN + timer.slot()),
            Self::Client(timer) => FIRST + 2 * (OWN + 1 + timer.slot()),
            Self::Sip(timer) => FIRST + 2 * (SIP + timer.slot()),
            Self::Locator(timer) => FIRST + 2 * (SIP + sip::Timer::SLOTS + timer.slot()),
            Self::Updater(timer) => FIRST + 2 * (SIP + sip::Timer::SLOTS + 1 + timer.slot()),
            Self::Beside(place, timer) => {
                let before = plugin::Timer::SLOTS + BesideTimer::SLOTS * u32::from(place.0);
                FIRST + 1 + 2 * (before + timer.slot())
            }
            Self::Media => FIRST + 2 * (SIP + sip::Timer::SLOTS + 2),
            Self::Relay(line) => FIRST + 2 * (SIP + sip::Timer::SLOTS + 3 + line as u32),
            Self::Tcp(timer) => FIRST + 2 * (SIP + sip::Timer::SLOTS + 5 + timer.slot()),
        }
    }
}

impl From<plugin::Timer> for Timer {
    #[inline(always)]
    fn from(timer: plugin::Timer) -> Self {
        Self::Overlay(timer)
    }
}

impl From<NodeTimer> for Timer {
    fn from(timer: NodeTimer) -> Self {
        Self::Node(timer)
    }
}

impl From<dns::stub::Timer> for Timer {
    fn from(timer: dns::stub::Timer) -> Self {
        Self::Stub(timer)
    }
}

impl From<dns::updater::Timer> for Timer {
    fn from(timer: dns::updater::Timer) -> Self {
        Self::Updater(timer)
    }
}

impl From<ClientTimer> for Timer {
    fn from(timer: ClientTimer) -> Self {
        Self::Client(timer)
    }
}

impl From<sip::Timer> for Timer {
    fn from(timer: sip::Timer) -> Self {
        Self::Sip(timer)
    }
}

impl From<tcp::TcpTimer> for Timer {
    fn from(timer: tcp::TcpTimer) -> Self {
        Self::Tcp(timer)
    }
}

/// What a node lets the observer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Something of the overlay.
    Overlay(overlay::Observation),
    /// It now believes that it is the proxy peer.
    ProxyStarted,
    /// It no longer does.
    ProxyStopped,
    /// It plays on behind another, which is preferred.
    ProxyStandsBy,
    /// It plays on until it leaves, and others play instead.
    ProxyRetires,
    /// Its tests of this address failed.
    VerdictFailed(Address),
    /// It no longer holds a failed verdict.
    VerdictCleared,
    /// It begins an update.
    UpdateStarted {
        /// The address whose failed test made it claim.
        tested: Option<Address>,
        /// The address that the binding is to have.
        own: Address,
    },
    /// Its update ended.
    UpdateEnded {
        /// Whether it takes it as accepted.
        accepted: bool,
    },
    /// As the proxy peer, it answered this request or passed it on.
    Served(sip::RequestKey),
    /// Something of its user agent.
    User(Box<sip::agent::Upcall>),
    /// Something of the conventional server that it is embedded in.
    Server(conventional::server::Observation),
    /// Something of what is said in its calls.
    Media(rtp::Observation),
}

impl From<overlay::Observation> for Observation {
    fn from(observation: overlay::Observation) -> Self {
        Self::Overlay(observation)
    }
}
