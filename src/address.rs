//! Network addresses, as small numbers.
//!
//! Part of the vocabulary (beside `time`, `rng` and `units`) because the contract that drives a
//! component, [`Context`](crate::sim::Context), speaks of endpoints. Who holds an address at a
//! moment is the business of [`net`](crate::net).

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An IPv4 address; by default 0.0.0.0, which is nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(u32);

/// A UDP or TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub u16);

impl Port {
    /// Whether it is the port of an overlay.
    #[must_use]
    #[inline]
    pub const fn is_overlay(self) -> bool {
        Self::OVERLAY.0 <= self.0 && self.0 <= Self::LAST_OVERLAY.0
    }

    /// DNS (RFC 1035 §4.2).
    pub const DNS: Self = Self(53);
    /// HTTP, the port of the update service (`/nic/update`).
    pub const HTTP: Self = Self(80);
    /// SIP over UDP and TCP (RFC 3261 §19.1.2).
    pub const SIP: Self = Self(5060);
    /// RELOAD (RFC 6940 §14.4); used here for every overlay protocol.
    pub const OVERLAY: Self = Self(6084);
    /// The last port of overlays: the main one has [`OVERLAY`](Self::OVERLAY), each other one of the
    /// next.
    pub const LAST_OVERLAY: Self = Self(6084 + 15);
    /// Where a P2P SIP proxy peer accepts probes from other nodes (paper, Section V): the first of
    /// the dynamic ports (RFC 6335 §6).
    pub const PROXY: Self = Self(49152);
    /// The audio of user agents: linphone's.
    pub const AUDIO: Self = Self(7078);
    /// STUN and TURN (RFC 8489 §8.1, RFC 8656 §16).
    pub const TURN: Self = Self(3478);
    /// What a client that opens a socket of its own sends from; one stands for all of them, since
    /// replies are told apart by their identifiers.
    pub const EPHEMERAL: Self = Self(50000);
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The host's address.
    pub address: Address,
    /// The port on it.
    pub port: Port,
}

impl Address {
    /// The address with this 32-bit value, most significant octet first.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The 32-bit value, most significant octet first.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// This address with a port.
    #[must_use]
    pub const fn at(self, port: Port) -> Endpoint {
        Endpoint { address: self, port }
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Self {
        Self(u32::from(address))
    }
}

impl From<Address> for Ipv4Addr {
    fn from(address: Address) -> Self {
        Self::from(address.0)
    }
}

impl FromStr for Address {
    type Err = std::net::AddrParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Ipv4Addr>().map(Self::from)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv4Addr::from(*self).fmt(f)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.address, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_and_writes_as_a_dotted_quad() {
        let alice: Address = "146.231.123.55".parse().unwrap();
        assert_eq!(alice.at(Port::PROXY).to_string(), "146.231.123.55:49152");
        assert_eq!(Address::from_bits(alice.bits()), alice);
        assert!("146.231.123".parse::<Address>().is_err());
    }
}
