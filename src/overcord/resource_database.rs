//! The resource database (paper, Fig. 3): what a node has stored in the overlay, so that it can be
//! renewed before it expires.
//!
//! There are two kinds of resources. The overlay's record of its proxy peer, which a node writes
//! when it takes the role (P6) and renews at half of its lifetime while it plays it; its version is
//! its *epoch*, the millisecond of the claim, so that a later claim wins. The paper writes the
//! record and never reads it; a node reads it when DNS does not answer (A1).
//!
//! And the location of a user: the [`Binding`]s of its address of record, each the address of a
//! node on which the user can be reached. A node adds its own to those that it finds there, renews
//! it at half of its lifetime, and leaves it behind when it goes (A18). Two nodes that add theirs at
//! the same moment can undo each other, until the one that lost renews its own: the overlay knows
//! no conditional put.

use crate::address::{Address, Endpoint, Port};
use crate::overlay::{Record, RingId};
use crate::rng::{NameHash, mix2};
use crate::time::{SimDuration, SimTime};

/// How long a record stays without being renewed, as a SIP registration does (RFC 3261 §10.2).
pub const LIFETIME: SimDuration = SimDuration::from_secs(3_600);

const NANOS_PER_SEC: u64 = 1_000_000_000;

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

/// Where a user can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The SIP port of the user's node.
    pub endpoint: Endpoint,
    /// Until when, in whole seconds of the clock that all nodes share.
    pub expires: SimTime,
}

/// Octets of a binding: address, port, and the second at which it expires.
const BINDING_LEN: usize = 4 + 2 + 4;

/// The position of a user's location: the hash of `sip:` with the user's name and domain.
#[must_use]
pub fn location_key(user: &str, domain: &str, id_bits: u8) -> RingId {
    let of = |text: &str| NameHash::of(text).0;
    RingId::from_hash(mix2(of("sip:"), mix2(of(user), of(domain))), id_bits)
}

/// The record of these bindings, written at `now`, which lives for `lifetime`. Bindings beyond the
/// longest value of a record, the first to expire, are left out.
#[must_use]
pub fn location_record(
    key: RingId,
    bindings: &[Binding],
    now: SimTime,
    lifetime: SimDuration,
) -> Record {
    let mut lasting: Vec<&Binding> = bindings.iter().collect();
    lasting.sort_by_key(|binding| std::cmp::Reverse((binding.expires, binding.endpoint)));
    lasting.truncate(Record::MAX_VALUE / BINDING_LEN);
    let mut value = Vec::with_capacity(lasting.len() * BINDING_LEN);
    for Binding { endpoint, expires } in lasting {
        let seconds = u32::try_from(expires.as_nanos() / NANOS_PER_SEC).unwrap_or(u32::MAX);
        value.extend(endpoint.address.bits().to_be_bytes());
        value.extend(endpoint.port.0.to_be_bytes());
        value.extend(seconds.to_be_bytes());
    }
    Record { key, version: Epoch::of(now).0, lifetime, value: value.into() }
}

/// The bindings in a record that have not expired at `now`, the longest lived first.
#[must_use]
pub fn bindings_of(record: &Record, now: SimTime) -> Vec<Binding> {
    let (entries, _) = record.value.as_chunks::<BINDING_LEN>();
    let bindings = entries.iter().map(|&[a, b, c, d, port @ .., e, f, g, h]| {
        let address = Address::from_bits(u32::from_be_bytes([a, b, c, d]));
        let expires = SimTime::from_secs(u32::from_be_bytes([e, f, g, h]).into());
        Binding { endpoint: address.at(Port(u16::from_be_bytes(port))), expires }
    });
    bindings.filter(|binding| binding.expires > now).collect()
}

/// The position of the record of those who pass requests on to users of a domain whose overlay is
/// another: the hash of `bridge:` and the domain.
#[must_use]
pub fn bridge_key(domain: &str, id_bits: u8) -> RingId {
    RingId::from_hash(mix2(NameHash::of("bridge:").0, NameHash::of(domain).0), id_bits)
}

/// What a node writes that adds its own binding to the record that it found, and takes those away
/// that it left there under former addresses.
#[must_use]
pub fn with_binding(
    found: Option<&Record>,
    own: Binding,
    former: &[Address],
    now: SimTime,
) -> Vec<Binding> {
    let mut bindings = found.map_or_else(Vec::new, |record| bindings_of(record, now));
    bindings.retain(|binding| {
        binding.endpoint != own.endpoint && !former.contains(&binding.endpoint.address)
    });
    bindings.insert(0, own);
    bindings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_adds_its_binding_to_those_that_have_not_expired() {
        let at = SimTime::from_secs;
        let key = location_key("bob", "chord.dyndns.org", 160);
        let binding = |bits, seconds| Binding {
            endpoint: Address::from_bits(bits).at(Port::SIP),
            expires: at(seconds),
        };
        let found = [binding(1, 100), binding(2, 50), binding(3, 90)];
        let record = location_record(key, &found, at(0), SimDuration::from_secs(100));
        assert_eq!(bindings_of(&record, at(0)), [found[0], found[2], found[1]]);
        // At 60 s the second has expired; the third renews its own.
        let merged = with_binding(Some(&record), binding(3, 160), &[], at(60));
        assert_eq!(merged, [binding(3, 160), binding(1, 100)]);
        assert_eq!(with_binding(None, binding(3, 160), &[], at(60)), [binding(3, 160)]);
        // One who was the first before is that no more.
        let gone = [Address::from_bits(1)];
        let moved = with_binding(Some(&record), binding(3, 160), &gone, at(60));
        assert_eq!(moved, [binding(3, 160)]);
        let later = location_record(key, &merged, at(60), SimDuration::from_secs(100));
        assert!(later.version > record.version);
        assert_ne!(key, location_key("alice", "chord.dyndns.org", 160));
    }

    #[test]
    fn a_record_holds_102_bindings_those_that_last() {
        // 1,024 octets hold 102 bindings of ten.
        let bindings: Vec<Binding> = (0..200)
            .map(|n| Binding {
                endpoint: Address::from_bits(n).at(Port::SIP),
                expires: SimTime::from_secs(u64::from(n) + 1),
            })
            .collect();
        let key = location_key("bob", "chord.dyndns.org", 160);
        let lifetime = SimDuration::from_secs(3_600);
        let record = location_record(key, &bindings, SimTime::ZERO, lifetime);
        let kept = bindings_of(&record, SimTime::ZERO);
        assert_eq!(kept.len(), 102);
        assert_eq!(kept[0], bindings[199]);
    }

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
