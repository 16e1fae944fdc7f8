//! How a conventional element finds where a request goes: RFC 3263 through the stub resolver of
//! its system, behind the cache that it keeps itself, if it has one.
//!
//! A location is named by a ticket of whoever wants to know. It ends at once when the URI is
//! numeric or all answers are in the cache; otherwise after its questions have been asked one
//! after the other, within a later [`receive`](Names::receive) or [`timer`](Names::timer). Any
//! number may be under way.
//!
//! Two locations that need the same answer at the same time both ask for it: each belongs to a
//! process that blocks in the resolver library and knows nothing of its neighbour. What they store
//! is shared.

use crate::address::Endpoint;
use crate::dns::stub::{self, Outcome, QuestionId, Stub};
use crate::dns::{self, Answer, DomainName, RecordType, ServerCache};
use crate::rng::Dice;
use crate::sim::Context;
use crate::sip::Uri;
use crate::sip::locate::{Found, Kind, Locator, Options, Question, Rule, Service, Step, Unlocated};
use crate::time::SimTime;

/// What a location comes to: the places to try in their order, at least one.
pub type Places = Result<Vec<Endpoint>, Unlocated>;

/// Stub, cache, and the locations under way.
#[derive(Debug)]
pub struct Names<T> {
    stub: Stub,
    cache: Option<ServerCache>,
    options: Options,
    dice: Dice,
    asked: u64,
    under_way: Vec<UnderWay<T>>,
}

#[derive(Debug)]
struct UnderWay<T> {
    number: QuestionId,
    question: dns::Question,
    ticket: T,
    locator: Locator,
}

/// A location that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// Whose it was.
    pub ticket: T,
    /// What it came to.
    pub places: Places,
}

/// What is let be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The resolver is asked this (repetitions by the stub not counted).
    Asked(dns::Question),
    /// The element's own cache holds this answer.
    Stored {
        /// The question.
        question: dns::Question,
        /// The answer; a failure is remembered too.
        answer: Answer,
        /// From then on it is not used.
        expires: SimTime,
    },
}

/// The context of a user's agent as that of its names. What they observe, the questions of one user, is
/// nobody's concern.
#[derive(Debug)]
pub struct AsLocator<'a, C: Context> {
    agent: &'a mut C,
    timer: fn(stub::Timer) -> C::Timer,
}

impl<'a, C: Context> AsLocator<'a, C> {
    /// By what the agent calls the timer of its stub resolver.
    pub fn by(agent: &'a mut C, timer: fn(stub::Timer) -> C::Timer) -> Self {
        Self { agent, timer }
    }
}

impl<C: Context<Message: From<dns::Message>>> Context for AsLocator<'_, C> {
    type Message = dns::Message;
    type Timer = stub::Timer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.agent.now()
    }
    fn send(&mut self, to: Endpoint, message: dns::Message) {
        self.agent.send(to, message.into());
    }
    fn set(&mut self, timer: stub::Timer, at: SimTime) {
        self.agent.set((self.timer)(timer), at);
    }
    fn cancel(&mut self, timer: stub::Timer) {
        self.agent.cancel((self.timer)(timer));
    }
    fn observe(&mut self, _: Observation) {}
}

impl<T> Names<T> {
    /// Names are resolved through this stub and kept in this cache. The dice choose among services
    /// by their weights.
    #[must_use]
    pub fn new(stub: Stub, cache: Option<ServerCache>, options: Options, dice: Dice) -> Self {
        Self { stub, cache, options, dice, asked: 0, under_way: Vec::new() }
    }

    /// Locates where a request goes whose top `Route`, else Request-URI, is `next_hop`. At once if
    /// nothing needs to be asked; otherwise `None`, and the ticket comes back later.
    pub fn locate<C>(&mut self, ctx: &mut C, ticket: T, next_hop: &Uri) -> Option<Places>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer, Observation = Observation>,
    {
        let (locator, step) = Locator::begin(next_hop, self.options);
        self.go_on(ctx, ticket, locator, step).map(|located| located.places)
    }

    /// A response arrived.
    pub fn receive<C>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &dns::Message,
    ) -> Option<Located<T>>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer, Observation = Observation>,
    {
        let (number, outcome) = self.stub.receive(ctx, from, message)?;
        self.answered(ctx, number, outcome)
    }

    /// The stub's timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: stub::Timer) -> Option<Located<T>>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer, Observation = Observation>,
    {
        let (number, outcome) = self.stub.timer(ctx, timer)?;
        self.answered(ctx, number, outcome)
    }

    /// How many questions the resolver was asked so far.
    #[must_use]
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// How many locations are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// What the element's own cache holds now for a question.
    #[must_use]
    pub fn cached(&self, now: SimTime, question: &dns::Question) -> Option<&Outcome> {
        self.cache.as_ref()?.lookup(now, question)
    }

    fn answered<C>(
        &mut self,
        ctx: &mut C,
        number: QuestionId,
        outcome: Outcome,
    ) -> Option<Located<T>>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer, Observation = Observation>,
    {
        let place = self.under_way.iter().position(|asked| asked.number == number);
        // In order, so that what is under way is always listed by age.
        let asked = self.under_way.remove(place.expect("only locations ask"));
        let UnderWay { question, ticket, mut locator, .. } = asked;
        let step = locator.answered(found(&outcome), &mut self.dice);
        if let Some(cache) = &mut self.cache {
            let answer = outcome.answer();
            if let Some(expires) = cache.store(ctx.now(), &question, outcome) {
                ctx.observe(Observation::Stored { question, answer, expires });
            }
        }
        self.go_on(ctx, ticket, locator, step)
    }

    /// Takes a location as far as it gets without asking the resolver.
    fn go_on<C>(
        &mut self,
        ctx: &mut C,
        ticket: T,
        mut locator: Locator,
        mut step: Step,
    ) -> Option<Located<T>>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer, Observation = Observation>,
    {
        loop {
            let asked = match step {
                Step::Done(places) => return Some(Located { ticket, places: Ok(places) }),
                Step::Failed(why) => return Some(Located { ticket, places: Err(why) }),
                Step::Ask(asked) => asked,
            };
            // What is no domain name does not exist.
            let Some(question) = in_words_of_dns(&asked) else {
                step = locator.answered(Err(Unlocated::NoSuchName), &mut self.dice);
                continue;
            };
            let cached = self.cache.as_ref().and_then(|cache| cache.lookup(ctx.now(), &question));
            if let Some(outcome) = cached {
                step = locator.answered(found(outcome), &mut self.dice);
                continue;
            }
            self.asked += 1;
            ctx.observe(Observation::Asked(question.clone()));
            let number = self.stub.resolve(ctx, question.name.clone(), question.rtype);
            self.under_way.push(UnderWay { number, question, ticket, locator });
            return None;
        }
    }
}

fn in_words_of_dns(question: &Question) -> Option<dns::Question> {
    let rtype = match question.kind {
        Kind::Rules => RecordType::NAPTR,
        Kind::Services => RecordType::SRV,
        Kind::Addresses => RecordType::A,
    };
    let name: DomainName = question.name.parse().ok()?;
    (!name.is_root()).then(|| dns::Question::new(name, rtype))
}

/// An outcome in the words of RFC 3263.
fn found(outcome: &Outcome) -> Result<Found, Unlocated> {
    match outcome {
        Outcome::Addresses { addresses, .. } => Ok(Found::Addresses(addresses.clone())),
        Outcome::Services { services, .. } => {
            Ok(Found::Services(services.iter().map(service).collect()))
        }
        Outcome::Rules { rules, .. } => {
            Ok(Found::Rules(rules.iter().map(|naptr| rule(naptr)).collect()))
        }
        Outcome::NxDomain(_) | Outcome::NoData(_) => Err(Unlocated::NoSuchName),
        Outcome::ServFail => Err(Unlocated::ServFail),
        Outcome::Timeout => Err(Unlocated::Timeout),
    }
}

fn service(srv: &dns::Srv) -> Service {
    Service {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        target: srv.target.as_str().into(),
    }
}

fn rule(naptr: &dns::Naptr) -> Rule {
    let text = |text: &dns::naptr::CharacterString| String::from_utf8_lossy(text.octets()).into();
    Rule {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        services: text(&naptr.services),
        replacement: naptr.replacement.as_str().into(),
    }
}

#[cfg(test)]
mod tests;
