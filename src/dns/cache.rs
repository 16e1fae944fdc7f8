//! The cache of a recursive resolver: record sets, negative answers (RFC 2308), failures.
//!
//! Life starts when an answer is stored, which is when it was received. NXDOMAIN covers every type
//! at its name, all else one type. What is stored replaces what contradicts it: NXDOMAIN all of a
//! name's entries, data a name's NXDOMAIN. A failure never replaces an entry that is still alive.

use std::collections::BTreeMap;

use crate::dns::answer::{Answer, Negative, Reply};
use crate::dns::message::{Question, RecordType, Ttl};
use crate::dns::name::DomainName;
use crate::dns::profile::{CachePolicy, Clock, Prefetch};
use crate::time::{SimDuration, SimTime};

/// A cache with its policy.
#[derive(Clone, Debug)]
pub struct Cache {
    policy: CachePolicy,
    names: BTreeMap<DomainName, Cached>,
}

/// What is known of a name.
#[derive(Clone, Debug)]
enum Cached {
    /// It does not exist.
    NxDomain(Entry),
    /// By type, in no particular order: record sets, NODATA, failures.
    Types(Vec<(RecordType, Entry)>),
}

#[derive(Clone, Debug)]
struct Entry {
    /// With the TTL that it was stored with.
    reply: Reply,
    /// From then on it is not served.
    expires: SimTime,
}

/// An answer from the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The answer, with the TTL that is left.
    pub reply: Reply,
    /// Whether it is time to ask the authority again.
    pub prefetch: bool,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(policy: CachePolicy) -> Self {
        Self { policy, names: BTreeMap::new() }
    }

    /// What the cache answers.
    #[must_use]
    pub fn lookup(&self, now: SimTime, question: &Question) -> Option<Hit> {
        let entry = self.entry(now, question)?;
        let remaining = self.remaining(now, entry);
        Some(Hit {
            reply: Reply { ttl: Ttl::from_duration(remaining), ..entry.reply.clone() },
            prefetch: self.is_due(entry.reply.ttl, remaining),
        })
    }

    /// The answer that is in the cache, whatever is left of its life.
    #[must_use]
    pub fn answer(&self, now: SimTime, question: &Question) -> Option<&Answer> {
        self.entry(now, question).map(|entry| &entry.reply.answer)
    }

    /// The reply with the TTL that the cache's bounds leave it.
    #[must_use]
    pub fn bounded(&self, reply: Reply) -> Reply {
        let ttl = match reply.answer {
            Answer::Records(_) => self.policy.positive_ttl(reply.ttl),
            // A negative answer without SOA is not kept (RFC 2308 §5); its TTL is zero.
            Answer::Negative(_) => self.policy.negative_ttl(reply.ttl),
            Answer::Failure => self.policy.failure_ttl,
        };
        Reply { ttl, ..reply }
    }

    /// Stores an answer that was received now. Returns until when the cache now serves it: `None`
    /// if nothing has changed, because it is a failure and something better is alive, or its TTL
    /// is zero. An answer with TTL zero ends the life of what it contradicts: then that is now.
    pub fn store(&mut self, now: SimTime, question: &Question, reply: Reply) -> Option<SimTime> {
        let reply = self.bounded(reply);
        let alive = self.entry(now, question).is_some();
        if reply.answer == Answer::Failure && (alive || reply.ttl.is_zero()) {
            return None;
        }
        if reply.ttl.is_zero() {
            self.remove(question);
            return alive.then_some(now);
        }
        let expires = self.expiry(now, &reply);
        let nx_domain = reply.answer == Answer::Negative(Negative::NxDomain);
        let entry = Entry { reply, expires };
        if nx_domain {
            self.names.insert(question.name.clone(), Cached::NxDomain(entry));
            return Some(expires);
        }
        let cached = self
            .names
            .entry(question.name.clone())
            .or_insert_with(|| Cached::Types(Vec::with_capacity(1)));
        match cached {
            Cached::NxDomain(_) => *cached = Cached::Types(vec![(question.rtype, entry)]),
            Cached::Types(types) => {
                types.retain(|(rtype, other)| *rtype != question.rtype && other.expires > now);
                types.push((question.rtype, entry));
            }
        }
        Some(expires)
    }

    /// Forgets what is known of a question; with an NXDOMAIN, of its name.
    fn remove(&mut self, question: &Question) {
        match self.names.get_mut(&question.name) {
            Some(Cached::NxDomain(_)) => drop(self.names.remove(&question.name)),
            Some(Cached::Types(types)) => types.retain(|(rtype, _)| *rtype != question.rtype),
            None => {}
        }
    }

    fn entry(&self, now: SimTime, question: &Question) -> Option<&Entry> {
        let entry = match self.names.get(&question.name)? {
            Cached::NxDomain(entry) => entry,
            Cached::Types(types) => &types.iter().find(|(rtype, _)| *rtype == question.rtype)?.1,
        };
        (now < entry.expires).then_some(entry)
    }

    fn expiry(&self, now: SimTime, reply: &Reply) -> SimTime {
        let life = reply.ttl.as_duration();
        let second = SimTime::from_secs(now.since(SimTime::ZERO).as_secs());
        match self.policy.clock {
            _ if reply.answer == Answer::Failure => now.saturating_add(life),
            Clock::Exact => now.saturating_add(life),
            Clock::BeforeZero => second.saturating_add(life),
            Clock::ThroughZero => {
                second.saturating_add(life).saturating_add(SimDuration::from_secs(1))
            }
        }
    }

    /// What is left of an entry's TTL, by the cache's own clock.
    fn remaining(&self, now: SimTime, entry: &Entry) -> SimDuration {
        let second = SimTime::from_secs(now.since(SimTime::ZERO).as_secs());
        match self.policy.clock {
            Clock::Exact => entry.expires.since(now),
            Clock::BeforeZero => entry.expires.since(second),
            Clock::ThroughZero => {
                entry.expires.since(second).saturating_sub(SimDuration::from_secs(1))
            }
        }
    }

    fn is_due(&self, ttl: Ttl, remaining: SimDuration) -> bool {
        match self.policy.prefetch {
            Prefetch::Off => false,
            Prefetch::LastTenth => {
                remaining <= SimDuration::from_nanos(ttl.as_duration().as_nanos() / 10)
            }
            Prefetch::Remaining { trigger, eligibility } => {
                ttl >= eligibility && remaining <= trigger.as_duration()
            }
        }
    }
}

#[cfg(test)]
mod tests;
