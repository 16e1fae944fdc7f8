//! Judges whether a resolver obeys TTLs, from the messages that it receives and sends.
//!
//! It keeps for each question the newest answer that the authority gave to the resolver, and when
//! that arrived, and works out on its own how long the resolver may repeat it: the TTL within the
//! bounds that the resolver is configured with, plus the second by which its clock may be coarse.
//! Nothing of the resolver or its cache is used, but for their configuration.

use std::collections::BTreeMap;

use crate::dns::answer::{Answer, Negative, Reply};
use crate::dns::message::{Message, Question, RecordType, Ttl};
use crate::dns::profile::{CachePolicy, Clock};
use crate::time::{SimDuration, SimTime};

/// A judge of one resolver.
#[derive(Clone, Debug)]
pub struct TtlChecker {
    policy: CachePolicy,
    received: BTreeMap<Question, Received>,
}

#[derive(Clone, Debug)]
struct Received {
    at: SimTime,
    reply: Reply,
}

/// What a resolver did wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It gave an answer that is not the last that it was given.
    #[error("at {now} s: {question:?} was answered {given:?}, last received was {received:?}")]
    NotReceived {
        /// When.
        now: SimTime,
        /// What had been asked.
        question: Question,
        /// Its answer.
        given: Answer,
        /// The last answer that it had been given, if any.
        received: Option<Answer>,
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
        let question = &response.question;
        if reply.answer == Answer::Negative(Negative::NxDomain) {
            // It holds for every type, so nothing that was known of the name does any more.
            self.received.retain(|known, _| known.name != question.name);
        }
        self.received.insert(question.clone(), Received { at: now, reply });
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
        let received = match self.last_received(&question) {
            Some(received) if received.reply.answer == given.answer => received,
            other => {
                let received = other.map(|received| received.reply.answer.clone());
                let given = given.answer;
                return Err(Violation::NotReceived { now, question, given, received });
            }
        };
        let age = now.since(received.at);
        let life = self.life(&received.reply);
        let allowed = self.allowed(life);
        if age > SimDuration::ZERO && age >= allowed {
            return Err(Violation::TooOld { now, question, age, allowed });
        }
        // A clock of whole seconds may be one second ahead of the exact remainder.
        let coarse = match self.policy.clock {
            Clock::Exact => SimDuration::ZERO,
            Clock::ThroughZero | Clock::BeforeZero => SimDuration::from_secs(1),
        };
        let remaining = life.saturating_sub(age);
        if given.ttl.as_duration() > remaining.saturating_add(coarse) {
            return Err(Violation::TtlTooLarge { now, question, ttl: given.ttl, remaining });
        }
        Ok(())
    }

    /// The newest answer that covers a question: its own, or that its name does not exist.
    fn last_received(&self, question: &Question) -> Option<&Received> {
        let lowest = Question::new(question.name.clone(), RecordType(0));
        self.received
            .range(lowest..)
            .take_while(|(known, _)| known.name == question.name)
            .filter(|(known, received)| {
                known.rtype == question.rtype
                    || received.reply.answer == Answer::Negative(Negative::NxDomain)
            })
            .map(|(_, received)| received)
            .max_by_key(|received| received.at)
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
