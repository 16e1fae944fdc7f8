//! The cache that SER 2.0 and Kamailio keep for themselves (`use_dns_cache`), of which SER 0.9 has
//! none.
//!
//! * A record set lives for the TTL that came with it, which the resolver has counted down
//!   already: so the cache adds nothing to an honest resolver's. `dns_cache_min_ttl` and
//!   `dns_cache_max_ttl` bound it.
//! * Everything else, a silent or failing resolver included, is kept for `dns_cache_negative_ttl`,
//!   whatever the SOA says, and comes back as what it was.
//! * Name and type are the key; NXDOMAIN says nothing about other types.
//! * An expired entry is never served.
//! * Workers that ask at the same time each get an answer; while the first that was stored is
//!   alive it stays (SER keeps both, and finds the older).
//!
//! Left out: the bound on memory (500 KB), the preference among records, CNAME, and the records of
//! additional sections, which the resolvers here do not pass on.

use std::collections::BTreeMap;

use crate::dns::message::{Question, Ttl};
use crate::dns::stub::Outcome;
use crate::time::{SimDuration, SimTime};

/// `dns_cache_gc_interval`: expired entries that nobody met are removed this often.
const SWEEP_INTERVAL: SimDuration = SimDuration::from_secs(120);

/// What the cache is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For how long negative answers and failures are kept; zero: not at all.
    pub negative_ttl: Ttl,
    /// A shorter TTL of a record set is raised to this.
    pub min_ttl: Ttl,
    /// A longer TTL of a record set is lowered to this.
    pub max_ttl: Ttl,
}

impl Default for Policy {
    /// The defaults of SER 2.0 and Kamailio.
    fn default() -> Self {
        Self { negative_ttl: Ttl::from_secs(60), min_ttl: Ttl::ZERO, max_ttl: Ttl::MAX }
    }
}

/// A cache with its policy.
#[derive(Clone, Debug, Default)]
pub struct ServerCache {
    policy: Policy,
    entries: BTreeMap<Question, Entry>,
    swept: SimTime,
}

#[derive(Clone, Debug)]
struct Entry {
    outcome: Outcome,
    /// From then on it is not served.
    expires: SimTime,
}

impl ServerCache {
    /// An empty cache.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// What is in the cache for a question, with the TTL that it came with.
    #[must_use]
    pub fn lookup(&self, now: SimTime, question: &Question) -> Option<&Outcome> {
        let entry = self.entries.get(question)?;
        (now < entry.expires).then_some(&entry.outcome)
    }

    /// Stores what came back from the resolver now. Returns until when it is served, `None` when it
    /// is not kept: it has no time to live, or an entry that is alive stays.
    pub fn store(
        &mut self,
        now: SimTime,
        question: &Question,
        outcome: Outcome,
    ) -> Option<SimTime> {
        self.sweep(now);
        let life = self.life(&outcome);
        if life.is_zero() || self.lookup(now, question).is_some() {
            return None;
        }
        let expires = now.saturating_add(life.as_duration());
        self.entries.insert(question.clone(), Entry { outcome, expires });
        Some(expires)
    }

    /// How many entries take up memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn life(&self, outcome: &Outcome) -> Ttl {
        match outcome {
            Outcome::Addresses { ttl, .. }
            | Outcome::Services { ttl, .. }
            | Outcome::Rules { ttl, .. } => {
                (*ttl).max(self.policy.min_ttl).min(self.policy.max_ttl)
            }
            Outcome::NxDomain(_) | Outcome::NoData(_) | Outcome::ServFail | Outcome::Timeout => {
                self.policy.negative_ttl
            }
        }
    }

    fn sweep(&mut self, now: SimTime) {
        if now >= self.swept.saturating_add(SWEEP_INTERVAL) {
            self.swept = now;
            self.entries.retain(|_, entry| now < entry.expires);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::dns::message::RecordType;

    fn question(rtype: RecordType) -> Question {
        Question::new("chord.dyndns.test".parse().unwrap(), rtype)
    }

    fn found(bits: u32, ttl: u32) -> Outcome {
        let addresses = vec![Address::from_bits(bits)];
        Outcome::Addresses { addresses, ttl: Ttl::from_secs(ttl) }
    }

    #[test]
    fn each_outcome_lives_as_long_as_the_policy_says() {
        let ttl = Ttl::from_secs;
        let bounded = Policy { negative_ttl: ttl(7), min_ttl: ttl(10), max_ttl: ttl(20) };
        let unbounded = Policy::default();
        let no_negatives = Policy { negative_ttl: Ttl::ZERO, ..unbounded };
        // (policy, outcome, seconds in the cache)
        for (policy, outcome, seconds) in [
            (unbounded, found(1, 17), 17),
            (unbounded, found(1, 0), 0),
            (bounded, found(1, 0), 10),
            (bounded, found(1, 15), 15),
            (bounded, found(1, 90), 20),
            // 60 s whatever the SOA says, and whether there was one; the bounds do not apply.
            (unbounded, Outcome::NxDomain(ttl(3_600)), 60),
            (unbounded, Outcome::NoData(ttl(5)), 60),
            (unbounded, Outcome::NxDomain(Ttl::ZERO), 60),
            (unbounded, Outcome::ServFail, 60),
            (unbounded, Outcome::Timeout, 60),
            (bounded, Outcome::Timeout, 7),
            (no_negatives, Outcome::NxDomain(ttl(3_600)), 0),
        ] {
            let mut cache = ServerCache::new(policy);
            let start = SimTime::from_secs(1_000);
            let end = start + SimDuration::from_secs(seconds);
            let stored = cache.store(start, &question(RecordType::A), outcome.clone());
            assert_eq!(stored, (seconds > 0).then_some(end), "{outcome:?}");
            let last = end - SimDuration::from_nanos(1);
            let hit = cache.lookup(last, &question(RecordType::A));
            assert_eq!(hit, stored.is_some().then_some(&outcome));
            assert_eq!(cache.lookup(end, &question(RecordType::A)), None, "{outcome:?}");
        }
    }

    #[test]
    fn a_name_that_does_not_exist_is_remembered_by_type() {
        let mut cache = ServerCache::default();
        cache.store(SimTime::ZERO, &question(RecordType::SRV), Outcome::NxDomain(Ttl::ZERO));
        assert!(cache.lookup(SimTime::ZERO, &question(RecordType::SRV)).is_some());
        assert_eq!(cache.lookup(SimTime::ZERO, &question(RecordType::A)), None);
    }

    #[test]
    fn of_answers_to_the_same_question_the_first_stays_until_it_expires() {
        let mut cache = ServerCache::default();
        let (at, a) = (SimTime::from_secs, question(RecordType::A));
        assert_eq!(cache.store(at(0), &a, found(1, 10)), Some(at(10)));
        assert_eq!(cache.store(at(1), &a, found(2, 60)), None);
        assert_eq!(cache.store(at(2), &a, Outcome::Timeout), None);
        assert_eq!(cache.lookup(at(9), &a), Some(&found(1, 10)));
        assert_eq!(cache.store(at(10), &a, found(2, 60)), Some(at(70)));
        assert_eq!(cache.lookup(at(10), &a), Some(&found(2, 60)));
    }

    #[test]
    fn what_nobody_asks_for_any_more_is_swept_away() {
        let mut cache = ServerCache::default();
        let name = |number: u32| Question::addresses(format!("n{number}.test").parse().unwrap());
        for number in 0..100 {
            cache.store(SimTime::from_secs(5), &name(number), found(1, 10));
        }
        cache.store(SimTime::from_secs(119), &name(100), found(1, 10));
        assert_eq!(cache.len(), 101);
        cache.store(SimTime::from_secs(120), &name(101), found(1, 10));
        // The one of 119 s is alive.
        assert_eq!(cache.len(), 2);
    }
}
