//! The stub resolver of the GNU C library: asks recursive resolvers, caches nothing.
//!
//! It asks its servers in turn, all of them twice. The wait for the n-th server (from 0) is
//! 5·2ⁿ s, divided by the number of servers when n > 0, in whole seconds and at least one
//! (`res_send.c`). Silence therefore ends after 10, 20 or 28 s with one, two or three servers.
//! A server that answers SERVFAIL, REFUSED or NOTIMP is passed over at once. Only the server that
//! was asked last is listened to; a repeated query keeps its ID.
//!
//! Any number of questions may be under way; one timer serves the earliest deadline. ICMP errors
//! are ignored.

use std::sync::Arc;

use crate::address::{Address, Endpoint};
use crate::dns::answer::{Answer, Negative, Reply};
use crate::dns::message::{Message, Question, Rcode, RecordData, RecordType, Srv, Ttl};
use crate::dns::name::DomainName;
use crate::dns::naptr::Naptr;
use crate::rng::Dice;
use crate::sim::{self, Context};
use crate::time::{SimDuration, SimTime};

/// `MAXNS`: servers beyond the third are ignored.
const MAX_SERVERS: usize = 3;
/// `RES_TIMEOUT`, in seconds.
const TIMEOUT_S: u64 = 5;
/// `RES_DFLRETRY`.
const ATTEMPTS: u32 = 2;

/// A stub resolver.
#[derive(Clone, Debug)]
pub struct Stub {
    servers: Arc<[Endpoint]>,
    dice: Dice,
    asked: u32,
    under_way: Vec<UnderWay>,
    /// What the timer is set to.
    armed: Option<SimTime>,
}

/// A question, numbered by the stub that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u32);

#[derive(Clone, Debug)]
struct UnderWay {
    number: QuestionId,
    id: u16,
    question: Question,
    /// The server that is asked in place of the stub's own.
    only: Option<Endpoint>,
    /// Queries sent.
    sent: u32,
    deadline: SimTime,
    /// Whether a server has answered that it failed.
    failed: bool,
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The name has these addresses.
    Addresses {
        /// At least one, in the order received.
        addresses: Vec<Address>,
        /// How much longer they may be kept.
        ttl: Ttl,
    },
    /// The service is at these places.
    Services {
        /// At least one, in the order received.
        services: Vec<Srv>,
        /// How much longer they may be kept.
        ttl: Ttl,
    },
    /// The name has these rewrite rules.
    Rules {
        /// At least one, in the order received.
        rules: Vec<Arc<Naptr>>,
        /// How much longer they may be kept.
        ttl: Ttl,
    },
    /// The name does not exist; the TTL says for how long that may be believed.
    NxDomain(Ttl),
    /// The name has no data of that type; the TTL says for how long that may be believed.
    NoData(Ttl),
    /// No server could say, and at least one said so.
    ServFail,
    /// No server answered.
    Timeout,
}

impl Outcome {
    /// The addresses, if there are any.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        match self {
            Self::Addresses { addresses, .. } => addresses,
            _ => &[],
        }
    }

    /// The same in the words of a name server.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self {
            Self::Addresses { addresses, .. } => Answer::of_addresses(addresses),
            Self::Services { services, .. } => {
                Answer::Records(services.iter().cloned().map(RecordData::Srv).collect())
            }
            Self::Rules { rules, .. } => {
                Answer::Records(rules.iter().cloned().map(RecordData::Naptr).collect())
            }
            Self::NxDomain(_) => Answer::Negative(Negative::NxDomain),
            Self::NoData(_) => Answer::Negative(Negative::NoData),
            Self::ServFail | Self::Timeout => Answer::Failure,
        }
    }

    fn of(response: &Message) -> Self {
        let Reply { answer, ttl, .. } = Reply::of(response);
        match answer {
            Answer::Negative(Negative::NxDomain) => Self::NxDomain(ttl),
            Answer::Negative(Negative::NoData) => Self::NoData(ttl),
            Answer::Failure => Self::ServFail,
            Answer::Records(_) if response.question.rtype == RecordType::SRV => {
                Self::Services { services: answer.services().cloned().collect(), ttl }
            }
            Answer::Records(_) if response.question.rtype == RecordType::NAPTR => {
                Self::Rules { rules: answer.rules().cloned().collect(), ttl }
            }
            Answer::Records(_) => Self::Addresses { addresses: answer.addresses().collect(), ttl },
        }
    }
}

/// The earliest deadline of a question under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer;

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        0
    }
}

impl Stub {
    /// A stub that asks these servers, of which there must be at least one; the fourth and later
    /// are ignored. The dice give it message IDs.
    #[must_use]
    pub fn new(servers: Arc<[Endpoint]>, dice: Dice) -> Self {
        assert!(!servers.is_empty(), "a stub needs a server to ask");
        Self { servers, dice, asked: 0, under_way: Vec::new(), armed: None }
    }

    /// Asks for the addresses (A), services (SRV) or rewrite rules (NAPTR) of a name. The number
    /// comes back with the outcome.
    pub fn resolve<C>(&mut self, ctx: &mut C, name: DomainName, rtype: RecordType) -> QuestionId
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        self.begin(ctx, Question::new(name, rtype), None)
    }

    /// The same of this one server in place of the stub's own: how a program asks an authority, past
    /// all caches.
    pub fn resolve_at<C>(
        &mut self,
        ctx: &mut C,
        server: Endpoint,
        name: DomainName,
        rtype: RecordType,
    ) -> QuestionId
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        self.begin(ctx, Question::new(name, rtype), Some(server))
    }

    fn begin<C>(&mut self, ctx: &mut C, question: Question, only: Option<Endpoint>) -> QuestionId
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let rtype = question.rtype;
        assert!(
            matches!(rtype, RecordType::A | RecordType::SRV | RecordType::NAPTR),
            "the outcome can say addresses, services and rules, not {rtype}"
        );
        let number = QuestionId(self.asked);
        self.asked = self.asked.wrapping_add(1);
        self.under_way.push(UnderWay {
            number,
            id: (self.dice.bits() >> 48) as u16,
            question,
            only,
            sent: 0,
            deadline: ctx.now(),
            failed: false,
        });
        let outcome = self.ask(ctx, self.under_way.len() - 1);
        debug_assert!(outcome.is_none(), "the first query is always sent");
        self.arm(ctx);
        number
    }

    /// Takes a response. Returns the outcome if it ends a question; what is no answer to one is
    /// dropped.
    pub fn receive<C>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &Message,
    ) -> Option<(QuestionId, Outcome)>
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        let index = self.under_way.iter().position(|asked| {
            message.response
                && asked.id == message.id
                && asked.question == message.question
                && asked.listens_to(self.servers()) == from
        })?;
        let ended = match message.rcode {
            Rcode::SERV_FAIL | Rcode::REFUSED | Rcode::NOT_IMP => {
                self.under_way[index].failed = true;
                self.ask(ctx, index)
            }
            _ => Some((self.under_way.remove(index).number, Outcome::of(message))),
        };
        self.arm(ctx);
        ended
    }

    /// The timer has gone off: the earliest question is asked of the next server, or ends.
    pub fn timer<C>(&mut self, ctx: &mut C, Timer: Timer) -> Option<(QuestionId, Outcome)>
    where
        C: Context<Message = Message, Timer = Timer>,
    {
        self.armed = None;
        let now = ctx.now();
        // Of equal deadlines the first in the list, which is the oldest question.
        let index = (0..self.under_way.len())
            .filter(|&index| self.under_way[index].deadline <= now)
            .min_by_key(|&index| self.under_way[index].deadline);
        let ended = index.and_then(|index| self.ask(ctx, index));
        self.arm(ctx);
        ended
    }

    /// How many questions are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    fn servers(&self) -> &[Endpoint] {
        &self.servers[..self.servers.len().min(MAX_SERVERS)]
    }

    /// Sends the next query of a question, or ends it.
    fn ask<C>(&mut self, ctx: &mut C, index: usize) -> Option<(QuestionId, Outcome)>
    where
        C: Context<Message = Message>,
    {
        let servers = Arc::clone(&self.servers);
        let servers = &servers[..servers.len().min(MAX_SERVERS)];
        let asked = &mut self.under_way[index];
        let count = if asked.only.is_some() { 1 } else { servers.len() };
        if asked.sent == ATTEMPTS * count as u32 {
            let asked = self.under_way.remove(index);
            let outcome = if asked.failed { Outcome::ServFail } else { Outcome::Timeout };
            return Some((asked.number, outcome));
        }
        asked.sent += 1;
        let server = asked.server(count);
        asked.deadline = ctx.now().saturating_add(wait(server, count));
        let to = asked.only.unwrap_or(servers[server]);
        ctx.send(to, Message::query(asked.id, asked.question.clone()));
        None
    }

    /// Sets the timer to the earliest deadline, if it is not set to that already.
    fn arm<C>(&mut self, ctx: &mut C)
    where
        C: Context<Timer = Timer>,
    {
        let earliest = self.under_way.iter().map(|asked| asked.deadline).min();
        if earliest == self.armed {
            return;
        }
        match earliest {
            Some(at) => ctx.set(Timer, at),
            None => ctx.cancel(Timer),
        }
        self.armed = earliest;
    }
}

impl UnderWay {
    /// Whose answer counts: the server's that was asked last.
    fn listens_to(&self, servers: &[Endpoint]) -> Endpoint {
        self.only.unwrap_or_else(|| servers[self.server(servers.len())])
    }

    /// The index of the server that was asked last, of `count`.
    fn server(&self, count: usize) -> usize {
        (self.sent as usize - 1) % count
    }
}

/// How long the server of this index is waited for, of `count`.
fn wait(server: usize, count: usize) -> SimDuration {
    let seconds = TIMEOUT_S << server;
    let share = if server == 0 { seconds } else { seconds / count as u64 };
    SimDuration::from_secs(share.max(1))
}

#[cfg(test)]
mod tests;
