//! How a node resolves names: the stub resolver of its system behind the address cache of its
//! application (a Java virtual machine's, which ignores TTLs).

use crate::address::Endpoint;
use crate::dns::application_cache::{ApplicationCache, Cached};
use crate::dns::stub::{self, Outcome, QuestionId, Stub};
use crate::dns::{self, DomainName, RecordType};
use crate::overcord::discovery::Resolution;
use crate::sim::Context;

/// Who in the node wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The discovery layer: the overlay's domain.
    Discovery,
    /// A proxy peer's look whether the binding is still its own: the overlay's domain.
    SelfCheck,
    /// A claim: the name of the update endpoint.
    Claim,
    /// The strategy: the overlay's domain, of the authority.
    Authority,
    /// The strategy: all of the binding.
    Set,
}

/// Stub, cache, and who waits for what.
#[derive(Debug)]
pub struct Names {
    stub: Stub,
    cache: ApplicationCache,
    waiting: Vec<Waiting>,
    /// What [`Asker::Set`] was answered last.
    answer: dns::Answer,
}

#[derive(Debug)]
struct Waiting {
    question: QuestionId,
    asker: Asker,
    name: DomainName,
}

impl Names {
    /// Names are resolved through this stub and kept in this cache.
    #[must_use]
    pub fn new(stub: Stub, cache: ApplicationCache) -> Self {
        Self { stub, cache, waiting: Vec::new(), answer: dns::Answer::Failure }
    }

    /// Resolves a name: at once from the application's cache, otherwise through the stub, and
    /// then `None`. An asker has one question under way: a new one replaces it.
    pub fn resolve<C>(&mut self, ctx: &mut C, asker: Asker, name: &DomainName) -> Option<Resolution>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer>,
    {
        self.waiting.retain(|waiting| waiting.asker != asker);
        if let Some(cached) = self.cache.lookup(ctx.now(), name) {
            return Some(match cached {
                Cached::Addresses(addresses) => Resolution::Address(addresses[0]),
                // `UnknownHostException` does not say whether the name or the server was missing.
                Cached::Unknown => Resolution::Unresolved,
            });
        }
        let question = self.stub.resolve(ctx, name.clone(), RecordType::A);
        self.waiting.push(Waiting { question, asker, name: name.clone() });
        None
    }

    /// Asks this server for a name, past all caches. The answer does not go into the application's
    /// cache: it is the node's own look, not its application's.
    pub fn resolve_at<C>(&mut self, ctx: &mut C, asker: Asker, server: Endpoint, name: &DomainName)
    where
        C: Context<Message = dns::Message, Timer = stub::Timer>,
    {
        self.waiting.retain(|waiting| waiting.asker != asker);
        let question = self.stub.resolve_at(ctx, server, name.clone(), RecordType::A);
        self.waiting.push(Waiting { question, asker, name: name.clone() });
    }

    /// Asks this question, of the server if one is given. The [answer](Self::answer) does not go
    /// into the application's cache.
    pub fn ask<C>(
        &mut self,
        ctx: &mut C,
        asker: Asker,
        server: Option<Endpoint>,
        question: &dns::Question,
    ) where
        C: Context<Message = dns::Message, Timer = stub::Timer>,
    {
        self.waiting.retain(|waiting| waiting.asker != asker);
        let name = question.name.clone();
        let number = match server {
            Some(server) => self.stub.resolve_at(ctx, server, name.clone(), question.rtype),
            None => self.stub.resolve(ctx, name.clone(), question.rtype),
        };
        self.waiting.push(Waiting { question: number, asker, name });
    }

    /// What the last question of [`Asker::Set`] was answered.
    #[must_use]
    pub fn answer(&mut self) -> dns::Answer {
        std::mem::replace(&mut self.answer, dns::Answer::Failure)
    }

    /// A response arrived.
    pub fn receive<C>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &dns::Message,
    ) -> Option<(Asker, Resolution)>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer>,
    {
        let ended = self.stub.receive(ctx, from, message);
        self.ended(ctx, ended)
    }

    /// The stub's timer went off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: stub::Timer) -> Option<(Asker, Resolution)>
    where
        C: Context<Message = dns::Message, Timer = stub::Timer>,
    {
        let ended = self.stub.timer(ctx, timer);
        self.ended(ctx, ended)
    }

    fn ended(
        &mut self,
        ctx: &impl Context,
        ended: Option<(QuestionId, Outcome)>,
    ) -> Option<(Asker, Resolution)> {
        let (question, outcome) = ended?;
        let index = self.waiting.iter().position(|waiting| waiting.question == question)?;
        let Waiting { asker, name, .. } = self.waiting.swap_remove(index);
        if asker == Asker::Set {
            self.answer = outcome.answer();
        } else if asker != Asker::Authority {
            self.cache.store(ctx.now(), &name, &outcome);
        }
        Some((asker, resolution_of(&outcome)))
    }
}

fn resolution_of(outcome: &Outcome) -> Resolution {
    match outcome {
        Outcome::Addresses { addresses, .. } => Resolution::Address(addresses[0]),
        Outcome::NxDomain(_)
        | Outcome::NoData(_)
        | Outcome::Services { .. }
        | Outcome::Rules { .. } => Resolution::NoSuchName,
        Outcome::ServFail | Outcome::Timeout => Resolution::Unresolved,
    }
}
