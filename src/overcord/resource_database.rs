//! The resource database (paper, Fig. 3): what a node has stored in the overlay, so that it can be
//! renewed before it expires.
//!
//! There is one kind of resource so far: the overlay's record of its proxy peer, which a node
//! writes when it takes the role (P6) and renews at half of its lifetime while it plays it. The
//! record's version is its *epoch*: the millisecond of the claim, so that a later claim wins. The
//! paper writes the record and never reads it; a node reads it when DNS does not answer (A1).

use crate::address::{Address, Port};
use crate::overlay::{Record, RingId};
use crate::rng::{NameHash, mix2};
use crate::time::{SimDuration, SimTime};

/// How long a record stays without being renewed, as a SIP registration does (RFC 3261 §10.2).
pub const LIFETIME: SimDuration = SimDuration::from_secs(3_600);

/// The version of the overlay's proxy record: a claim's time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch of a claim made now.
    #[must_use]
    pub const fn of(now: SimTime) -> Self {
        Self(now.as_nanos() / 1_000_000)
    }
}

/// The position of the proxy record of a domain: the hash of `proxy:` and the name.
#[must_use]
pub fn proxy_key(domain: &str, id_bits: u8) -> RingId {
    RingId::from_hash(mix2(NameHash::of("proxy:").0, NameHash::of(domain).0), id_bits)
}

/// The record that says who plays the proxy role: address (4 octets) and port (2).
#[must_use]
pub fn proxy_record(key: RingId, address: Address, port: Port, epoch: Epoch) -> Record {
    let mut value = address.bits().to_be_bytes().to_vec();
    value.extend(port.0.to_be_bytes());
    Record { key, version: epoch.0, lifetime: LIFETIME, value: value.into() }
}

/// Whom a proxy record names; `None` when it is no such record.
#[must_use]
pub fn proxy_of(record: &Record) -> Option<Address> {
    let octets: [u8; 6] = record.value.as_ref().try_into().ok()?;
    Some(Address::from_bits(u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_record_names_its_proxy_and_a_later_claim_has_a_higher_version() {
        let key = proxy_key("chord.dyndns.org", 160);
        let alice: Address = "146.231.123.55".parse().unwrap();
        let early = proxy_record(key, alice, Port::PROXY, Epoch::of(SimTime::from_secs(1)));
        let late = proxy_record(key, alice, Port::PROXY, Epoch::of(SimTime::from_secs(2)));
        assert_eq!(proxy_of(&early), Some(alice));
        assert!(late.version > early.version);
        assert_ne!(key, proxy_key("other.dyndns.org", 160));
    }
}
