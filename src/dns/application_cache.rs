//! The address cache of a Java virtual machine (`java.net.InetAddress`), which ignores TTLs.
//!
//! Successful look-ups are kept for `networkaddress.cache.ttl`: 30 s without a security manager,
//! for ever with one. Failed look-ups, for whatever reason, are kept for
//! `networkaddress.cache.negative.ttl`: 10 s.

use crate::address::Address;
use crate::dns::name::DomainName;
use crate::dns::stub::Outcome;
use crate::time::{SimDuration, SimTime};

/// How long an entry is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing is kept (a TTL of 0).
    Off,
    /// This long.
    Span(SimDuration),
    /// Until the application ends (a TTL of −1).
    Forever,
}

impl Life {
    /// What is kept after a successful look-up, without a security manager.
    pub const POSITIVE: Self = Self::Span(SimDuration::from_secs(30));
    /// What is kept after a failed look-up.
    pub const NEGATIVE: Self = Self::Span(SimDuration::from_secs(10));

    /// When an entry that is stored now expires, `None` when it is not to be kept.
    fn expiry(self, now: SimTime) -> Option<SimTime> {
        match self {
            Self::Off => None,
            Self::Span(span) => (!span.is_zero()).then(|| now.saturating_add(span)),
            Self::Forever => Some(SimTime::MAX),
        }
    }
}

/// What the application is told of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cached {
    /// It has these addresses; never empty.
    Addresses(Vec<Address>),
    /// `UnknownHostException`.
    Unknown,
}

/// A cache from names to addresses.
#[derive(Clone, Debug)]
pub struct ApplicationCache {
    positive: Life,
    negative: Life,
    /// One entry a name; an application like this looks up one or two.
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: DomainName,
    expires: SimTime,
    cached: Cached,
}

impl Default for ApplicationCache {
    fn default() -> Self {
        Self::new(Life::POSITIVE, Life::NEGATIVE)
    }
}

impl ApplicationCache {
    /// An empty cache that keeps successful and failed look-ups this long.
    #[must_use]
    pub fn new(positive: Life, negative: Life) -> Self {
        Self { positive, negative, entries: Vec::new() }
    }

    /// What is in the cache for a name.
    #[must_use]
    pub fn lookup(&self, now: SimTime, name: &DomainName) -> Option<&Cached> {
        let entry = self.entries.iter().find(|entry| entry.name == *name)?;
        (now < entry.expires).then_some(&entry.cached)
    }

    /// Keeps the outcome of a look-up of addresses, in place of what was kept. The outcome of a
    /// look-up of services is not kept: only host names go through this cache.
    pub fn store(&mut self, now: SimTime, name: &DomainName, outcome: &Outcome) {
        let (cached, life) = match outcome {
            Outcome::Services { .. } | Outcome::Rules { .. } => return,
            Outcome::Addresses { addresses, .. } => {
                (Cached::Addresses(addresses.clone()), self.positive)
            }
            Outcome::NxDomain(_) | Outcome::NoData(_) | Outcome::ServFail | Outcome::Timeout => {
                (Cached::Unknown, self.negative)
            }
        };
        self.entries.retain(|entry| entry.name != *name && now < entry.expires);
        if let Some(expires) = life.expiry(now) {
            self.entries.push(Entry { name: name.clone(), expires, cached });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::Ttl;

    fn found(ttl: u32) -> Outcome {
        let addresses = vec!["10.0.0.1".parse().unwrap()];
        Outcome::Addresses { addresses, ttl: Ttl::from_secs(ttl) }
    }

    #[test]
    fn entries_live_by_the_cache_s_own_clock() {
        let name: DomainName = "chord.dyndns.org".parse().unwrap();
        let span = |seconds| Life::Span(SimDuration::from_secs(seconds));
        // (positive, negative, outcome, last moment in the cache in ms, if ever in it)
        for (positive, negative, outcome, until) in [
            (Life::POSITIVE, Life::NEGATIVE, found(60), Some(30_000)),
            (Life::POSITIVE, Life::NEGATIVE, found(0), Some(30_000)),
            (Life::POSITIVE, Life::NEGATIVE, Outcome::NxDomain(Ttl::from_secs(60)), Some(10_000)),
            (Life::POSITIVE, Life::NEGATIVE, Outcome::Timeout, Some(10_000)),
            (Life::Off, Life::NEGATIVE, found(60), None),
            (span(0), Life::Off, found(60), None),
            (span(5), Life::Off, Outcome::ServFail, None),
            (span(5), Life::Off, found(1), Some(5_000)),
        ] {
            let mut cache = ApplicationCache::new(positive, negative);
            let start = SimTime::from_secs(100);
            cache.store(start, &name, &outcome);
            assert_eq!(cache.lookup(start, &name).is_some(), until.is_some(), "{outcome:?}");
            let Some(until) = until else { continue };
            let end = start + SimDuration::from_millis(until);
            assert!(cache.lookup(end - SimDuration::from_nanos(1), &name).is_some());
            assert_eq!(cache.lookup(end, &name), None, "{outcome:?}");
        }
    }

    #[test]
    fn for_ever_is_for_ever_and_a_new_outcome_replaces_the_old() {
        let name: DomainName = "chord.dyndns.org".parse().unwrap();
        let mut cache = ApplicationCache::new(Life::Forever, Life::NEGATIVE);
        cache.store(SimTime::ZERO, &name, &found(60));
        let late = SimTime::from_secs(1_000_000_000);
        let addresses = vec!["10.0.0.1".parse().unwrap()];
        assert_eq!(cache.lookup(late, &name), Some(&Cached::Addresses(addresses)));
        cache.store(late, &name, &Outcome::NoData(Ttl::ZERO));
        assert_eq!(cache.lookup(late, &name), Some(&Cached::Unknown));
        assert_eq!(cache.entries.len(), 1);
        let other = "other.dyndns.org".parse().unwrap();
        assert_eq!(cache.lookup(late, &other), None);
    }
}
