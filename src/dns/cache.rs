//! The cache of a recursive resolver: record sets, negative answers (RFC 2308), failures.
//!
//! Life starts when an answer is stored, which is when it was received. NXDOMAIN covers every type
//! at its name, all else one type. What is stored replaces what contradicts it: NXDOMAIN all of a
//! name's entries, data a name's NXDOMAIN. A failure never replaces an entry that is still alive, nor
//! a record set that may be served stale (RFC 8767).

use std::collections::BTreeMap;

use crate::dns::answer::{Answer, Negative, Reply};
use crate::dns::message::{Question, RecordType, Ttl};
use crate::dns::name::DomainName;
use crate::dns::profile::{CachePolicy, Clock, Prefetch, Stale};
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
    /// From then on it is not served, but as stale.
    expires: SimTime,
    /// After a failure the authority is left alone until then.
    recheck: SimTime,
}

/// A record set whose life is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleHit {
    /// It, with the TTL of stale answers.
    pub reply: Reply,
    /// Whether the authority is to be left alone, since it has just failed.
    pub resting: bool,
}

/// A record set that is served beyond its life (RFC 8767), though not at once: whoever asks waits for
/// the client response timer first, unless the failure recheck timer runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// It.
    pub answer: Answer,
    /// When the failure recheck timer ends, if it runs: until then the authority is left alone and the
    /// record set served at once.
    pub rests: Option<SimTime>,
    /// When the maximum stale timer ends: from then on it is not served at all.
    pub until: SimTime,
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

    /// The record set that may be served although its life is over.
    #[must_use]
    pub fn stale(&self, now: SimTime, question: &Question) -> Option<StaleHit> {
        let stale = self.policy.stale?;
        let entry = self.record_set(question)?;
        let over = now >= entry.expires && now < entry.expires.saturating_add(stale.ttl);
        over.then(|| StaleHit {
            reply: Reply { ttl: stale.reply_ttl.min(entry.reply.ttl), ..entry.reply.clone() },
            resting: now < entry.recheck,
        })
    }

    /// What would be served at once to a client that asked now.
    #[must_use]
    pub fn at_once(&self, now: SimTime, question: &Question) -> Option<Answer> {
        let alive = self.answer(now, question).cloned();
        alive.or_else(|| {
            let immediate = self.policy.stale.is_some_and(|it| it.client_timeout.is_zero());
            let stale = self.stale(now, question)?;
            (immediate || stale.resting).then_some(stale.reply.answer)
        })
    }

    /// The record set that is, or is going to be, served beyond its life, but not at once.
    #[must_use]
    pub fn kept(&self, now: SimTime, question: &Question) -> Option<Kept> {
        let stale = self.policy.stale.filter(|stale| !stale.client_timeout.is_zero())?;
        let entry = self.record_set(question)?;
        let until = entry.expires.saturating_add(stale.ttl);
        (now < until).then(|| Kept {
            answer: entry.reply.answer.clone(),
            rests: (now < entry.recheck).then(|| entry.recheck.min(until)),
            until,
        })
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
    /// is zero. An answer with TTL zero ends the life of what it contradicts, and what is served
    /// beyond its life: then that is now.
    pub fn store(&mut self, now: SimTime, question: &Question, reply: Reply) -> Option<SimTime> {
        let reply = self.bounded(reply);
        let alive = self.entry(now, question).is_some();
        if reply.answer == Answer::Failure {
            let rests = self.rest(now, question);
            if alive || rests || reply.ttl.is_zero() {
                return None;
            }
        }
        if reply.ttl.is_zero() {
            let served = alive || self.stale(now, question).is_some();
            self.remove(question);
            return served.then_some(now);
        }
        let expires = self.expiry(now, &reply);
        let nx_domain = reply.answer == Answer::Negative(Negative::NxDomain);
        let until = self.served_until(&reply, expires);
        let entry = Entry { reply, expires, recheck: SimTime::ZERO };
        if nx_domain {
            self.names.insert(question.name.clone(), Cached::NxDomain(entry));
            return Some(until);
        }
        let cached = self
            .names
            .entry(question.name.clone())
            .or_insert_with(|| Cached::Types(Vec::with_capacity(1)));
        match cached {
            Cached::NxDomain(_) => *cached = Cached::Types(vec![(question.rtype, entry)]),
            Cached::Types(types) => {
                let kept = self.policy.stale_life();
                types.retain(|(rtype, other)| {
                    *rtype != question.rtype && other.expires.saturating_add(kept) > now
                });
                types.push((question.rtype, entry));
            }
        }
        Some(until)
    }

    /// Until when what is stored is served at once.
    fn served_until(&self, reply: &Reply, expires: SimTime) -> SimTime {
        match (self.policy.stale, &reply.answer) {
            (Some(stale), Answer::Records(_)) if stale.client_timeout.is_zero() => {
                expires.saturating_add(stale.ttl)
            }
            _ => expires,
        }
    }

    /// The authority has failed: a record set that may be served stale is, without asking, for a
    /// while. False if there is none.
    fn rest(&mut self, now: SimTime, question: &Question) -> bool {
        let is_stale = self.stale(now, question).is_some();
        if let (true, Some(Cached::Types(types))) = (is_stale, self.names.get_mut(&question.name)) {
            for (_, entry) in types.iter_mut().filter(|(rtype, _)| *rtype == question.rtype) {
                entry.recheck = now.saturating_add(Stale::RECHECK);
            }
        }
        is_stale
    }

    /// Forgets what is known of a question; with an NXDOMAIN, of its name.
    fn remove(&mut self, question: &Question) {
        match self.names.get_mut(&question.name) {
            Some(Cached::NxDomain(_)) => drop(self.names.remove(&question.name)),
            Some(Cached::Types(types)) => types.retain(|(rtype, _)| *rtype != question.rtype),
            None => {}
        }
    }

    /// The record set that is held for the question, whatever is left of its life.
    fn record_set(&self, question: &Question) -> Option<&Entry> {
        let Some(Cached::Types(types)) = self.names.get(&question.name) else { return None };
        let (_, entry) = types.iter().find(|(rtype, _)| *rtype == question.rtype)?;
        matches!(entry.reply.answer, Answer::Records(_)).then_some(entry)
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
