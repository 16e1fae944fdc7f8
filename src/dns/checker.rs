//! Judges whether a resolver obeys TTLs, from the messages that it receives and sends.
//!
//! It keeps for each question the answers that authorities gave to the resolver, and when they arrived,
//! and works out on its own how long the resolver may repeat each: the TTL within the bounds that
//! the resolver is configured with, plus the second by which its clock may be coarse. Nothing of
//! the resolver or its cache is used, but for their configuration.
//!
//! An older answer may be repeated although a newer one has arrived: a resolver drops answers that
//! come after it has asked again, and which those are is its own business.

use std::collections::BTreeMap;

use crate::dns::answer::{Answer, Negative, Reply};
use crate::dns::message::{Message, Question, Ttl};
use crate::dns::name::DomainName;
use crate::dns::profile::{CachePolicy, Clock};
use crate::time::{SimDuration, SimTime};

/// A judge of one resolver.
#[derive(Clone, Debug)]
pub struct TtlChecker {
    policy: CachePolicy,
    /// By name, the oldest first.
    received: BTreeMap<DomainName, Vec<Received>>,
}

#[derive(Clone, Debug)]
struct Received {
    at: SimTime,
    question: Question,
    reply: Reply,
}

/// So many answers are kept a question. More arrive within one life only when the resolver asks ahead
/// of time, again and again, for answers that all differ.
const KEPT: usize = 32;

/// What a resolver did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It gave an answer that no authority had given it.
    #[error("at {now} s: {question:?} was answered {given:?}, which no authority had said")]
    NotReceived {
        /// When.
        now: SimTime,
        /// What had been asked.
        question: Question,
        /// Its answer.
        given: Answer,
    },
    /// It gave an answer after its time.
    #[error(
        "at {now} s: {question:?} was answered with what is {age} s old, allowed are {allowed} s"
    )]
    TooOld {
        /// When.
        now: SimTime,
        /// What had been asked.
        question: Question,
        /// For how long it has had the answer.
        age: SimDuration,
        /// For how long it may keep it.
        allowed: SimDuration,
    },
    /// It promised more time than is left.
    #[error("at {now} s: {question:?} was answered with TTL {ttl}, {remaining} s remain")]
    TtlTooLarge {
        /// When.
        now: SimTime,
        /// What had been asked.
        question: Question,
        /// The TTL that it gave.
        ttl: Ttl,
        /// The time that is left.
        remaining: SimDuration,
    },
}

impl TtlChecker {
    /// A judge of a resolver that is configured so.
    #[must_use]
    pub fn new(policy: CachePolicy) -> Self {
        Self { policy, received: BTreeMap::new() }
    }

    /// An authority's response reaches the resolver. Messages that are none are ignored.
    pub fn upstream(&mut self, now: SimTime, response: &Message) {
        let reply = Reply::of(response);
        if !response.response || !response.authoritative || reply.answer == Answer::Failure {
            return;
        }
        let question = response.question.clone();
        let received = self.received.entry(question.name.clone()).or_default();
        let is_same = |it: &Received| it.question == question;
        if received.iter().filter(|it| is_same(it)).count() == KEPT {
            let oldest = received.iter().position(is_same).expect("they were counted");
            received.remove(oldest);
        }
        received.push(Received { at: now, question, reply });
    }

    /// The resolver answers a client. Failures promise nothing and are always allowed.
    ///
    /// # Errors
    /// What it does wrong.
    pub fn downstream(&self, now: SimTime, response: &Message) -> Result<(), Violation> {
        let given = Reply::of(response);
        let question = response.question.clone();
        if !response.response || given.answer == Answer::Failure {
            return Ok(());
        }
        let Some(received) = self.last_received(&question, &given.answer) else {
            return Err(Violation::NotReceived { now, question, given: given.answer });
        };
        let age = now.since(received.at);
        let life = self.life(&received.reply);
        let mut allowed = self.allowed(life);
        if let (Answer::Records(_), Some(stale)) = (&given.answer, self.policy.stale) {
            allowed = allowed.saturating_add(stale.ttl);
        }
        if age > SimDuration::ZERO && age >= allowed {
            return Err(Violation::TooOld { now, question, age, allowed });
        }
        // A clock of whole seconds may be one second ahead of the exact remainder.
        let coarse = match self.policy.clock {
            Clock::Exact => SimDuration::ZERO,
            Clock::ThroughZero | Clock::BeforeZero => SimDuration::from_secs(1),
        };
        let mut remaining = life.saturating_sub(age);
        if let Some(stale) = self.policy.stale.filter(|_| age >= self.allowed(life)) {
            remaining = stale.reply_ttl.as_duration();
        }
        if given.ttl.as_duration() > remaining.saturating_add(coarse) {
            return Err(Violation::TtlTooLarge { now, question, ttl: given.ttl, remaining });
        }
        Ok(())
    }

    /// When this answer to a question was last received. That a name does not exist is an answer
    /// to questions of every type.
    fn last_received(&self, question: &Question, answer: &Answer) -> Option<&Received> {
        let nx_domain = *answer == Answer::Negative(Negative::NxDomain);
        self.received.get(&question.name)?.iter().rev().find(|received| {
            received.reply.answer == *answer && (nx_domain || received.question == *question)
        })
    }

    /// The TTL that applies, as a span.
    fn life(&self, reply: &Reply) -> SimDuration {
        let bounds = &self.policy;
        let seconds = match reply.answer {
            Answer::Records(_) => {
                reply.ttl.as_secs().max(bounds.min_ttl.as_secs()).min(bounds.max_ttl.as_secs())
            }
            _ => reply.ttl.as_secs().min(bounds.max_negative_ttl.as_secs()),
        };
        SimDuration::from_secs(u64::from(seconds))
    }

    /// How long an answer may be given, exclusive: not beyond the moment if its TTL is zero.
    fn allowed(&self, life: SimDuration) -> SimDuration {
        if life.is_zero() { life } else { life.saturating_add(self.policy.overtime()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::dns::message::RecordType;
    use crate::dns::profile::Profile;

    fn reply(address: u32, ttl: u32) -> Reply {
        let answer = Answer::of_addresses(&[Address::from_bits(address)]);
        Reply { answer, ttl: Ttl::from_secs(ttl), soa: None }
    }

    fn message(reply: &Reply, authoritative: bool) -> Message {
        let question = Question::addresses("chord.dyndns.test".parse().unwrap());
        let mut message = reply.response_to(&Message::query(1, question));
        message.authoritative = authoritative;
        message
    }

    /// The verdict on what is answered at `at` ms, when address 1 was received at 10.5 s.
    fn verdict(policy: CachePolicy, received_ttl: u32, at: u64, given: &Reply) -> &'static str {
        let millis = |at| SimTime::ZERO + SimDuration::from_millis(at);
        let mut checker = TtlChecker::new(policy);
        checker.upstream(millis(10_500), &message(&reply(1, received_ttl), true));
        match checker.downstream(millis(at), &message(given, false)) {
            Ok(()) => "fine",
            Err(Violation::NotReceived { .. }) => "not received",
            Err(Violation::TooOld { .. }) => "too old",
            Err(Violation::TtlTooLarge { .. }) => "too large",
        }
    }

    #[test]
    fn each_violation_is_found_and_what_is_allowed_is_not_blamed() {
        let of = |profile: Profile| profile.cache_policy();
        let rfc = of(Profile::Rfc);
        let floor = CachePolicy { min_ttl: Ttl::from_secs(300), ..rfc };
        let ceiling = CachePolicy { max_ttl: Ttl::from_secs(30), ..rfc };
        for (policy, received, at, given, expected) in [
            (rfc, 60, 10_500, reply(1, 60), "fine"),
            (rfc, 60, 70_499, reply(1, 0), "fine"),
            (rfc, 60, 70_500, reply(1, 0), "too old"),
            (rfc, 60, 11_500, reply(1, 59), "fine"),
            (rfc, 60, 11_501, reply(1, 59), "too large"),
            (rfc, 60, 20_000, reply(2, 1), "not received"),
            (rfc, 60, 99_000, Reply::FAILURE, "fine"),
            (rfc, 0, 10_500, reply(1, 0), "fine"),
            (rfc, 0, 10_501, reply(1, 0), "too old"),
            // unbound: up to a second longer, and a second more is promised than remains.
            (of(Profile::Unbound), 60, 71_499, reply(1, 0), "fine"),
            (of(Profile::Unbound), 60, 71_500, reply(1, 0), "too old"),
            (of(Profile::Unbound), 60, 10_999, reply(1, 60), "fine"),
            (of(Profile::Unbound), 60, 20_500, reply(1, 52), "too large"),
            (of(Profile::Bind), 60, 70_500, reply(1, 1), "too old"),
            // What a resolver is configured to do is no violation of its configuration.
            (floor, 60, 300_000, reply(1, 10), "fine"),
            (floor, 60, 310_500, reply(1, 0), "too old"),
            (ceiling, 60, 40_500, reply(1, 0), "too old"),
            (ceiling, 60, 10_500, reply(1, 60), "too large"),
        ] {
            assert_eq!(verdict(policy, received, at, &given), expected, "{at} {given:?}");
        }
    }

    #[test]
    fn only_authorities_count_and_each_answer_has_its_own_life() {
        let mut checker = TtlChecker::new(Profile::Rfc.cache_policy());
        checker.upstream(SimTime::ZERO, &message(&reply(1, 60), true));
        checker.upstream(SimTime::from_secs(30), &message(&reply(2, 60), true));
        checker.upstream(SimTime::from_secs(30), &message(&reply(3, 60), false));
        let verdict = |second, address| {
            checker.downstream(SimTime::from_secs(second), &message(&reply(address, 0), false))
        };
        assert_eq!(verdict(59, 1), Ok(()));
        assert!(matches!(verdict(60, 1), Err(Violation::TooOld { .. })));
        assert_eq!(verdict(60, 2), Ok(()));
        assert!(matches!(verdict(60, 3), Err(Violation::NotReceived { .. })));
    }

    #[test]
    fn that_a_name_does_not_exist_answers_every_type() {
        let mut checker = TtlChecker::new(Profile::Rfc.cache_policy());
        let name: DomainName = "x.dyndns.test".parse().unwrap();
        let ttl = Ttl::from_secs(9);
        let server = Address::from_bits(53);
        let apex = "dyndns.test".parse().unwrap();
        let zone = crate::dns::Zone::conventional(apex, server, ttl, ttl).unwrap();
        let query = |rtype| Message::query(1, Question::new(name.clone(), rtype));
        checker.upstream(SimTime::ZERO, &zone.respond(&query(RecordType::SRV)));
        let given = zone.respond(&query(RecordType::A));
        assert_eq!(checker.downstream(SimTime::ZERO, &given), Ok(()));
        let late = checker.downstream(SimTime::from_secs(9), &given);
        assert!(matches!(late, Err(Violation::TooOld { .. })));
    }
}
