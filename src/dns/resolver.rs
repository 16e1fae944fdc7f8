//! A recursive resolver: answers clients from its cache or asks the authority.
//!
//! Inputs: client queries (RD set), responses of authorities, one timer for the earliest deadline
//! of all questions under way. A question is *pending* from the first client that needs it (or a
//! prefetch) until the authority answers or the [retries](crate::dns::retry) are used up; clients
//! that ask meanwhile wait for the same answer. Every query has an ID of its own, so a late answer
//! to an earlier try is dropped.
//!
//! A zone may have several name servers. Each resolver has an order of its own, which begins with
//! another server from resolver to resolver and goes round: every question goes to the first of its
//! order; only when that is silent or says that it cannot answer, to the next. (Real resolvers go by
//! round-trip times, or by chance; here the same server is asked as long as it answers, so that what
//! a resolver would be told is certain.)
//!
//! A resolver may forward to another one: it asks that, with RD set, and keeps what it is told for
//! what is left of its TTL.
//!
//! Where the cache serves stale record sets (RFC 8767), a client gets one at once, with a query
//! behind it, or when it has waited long enough, or when the authority has failed.
//!
//! Left out: looking for the authority (each zone's is configured; other names are REFUSED).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Endpoint;
use crate::dns::answer::{Answer, Reply};
use crate::dns::cache::{Cache, Kept};
use crate::dns::message::{Message, Question, Rcode};
use crate::dns::name::DomainName;
use crate::dns::profile::{CachePolicy, Profile, Retry};
use crate::dns::retry::{Progress, RoundTrips};
use crate::rng::Dice;
use crate::sim::{self, Context};
use crate::time::{SimDuration, SimTime};

/// How a resolver is set up; shared by a group of them.
#[derive(Clone, Debug)]
pub struct Config {
    /// What its cache does.
    pub cache: CachePolicy,
    /// How it asks again.
    pub retry: Retry,
    /// Whom it asks.
    pub delegations: Vec<Delegation>,
    /// Whether those whom it asks are resolvers, not authorities.
    pub forwards: bool,
}

/// Who answers for a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The zone.
    pub zone: DomainName,
    /// Its name servers, or the resolver that is asked for it; never empty.
    pub servers: Vec<Endpoint>,
}

impl Delegation {
    /// A zone with one name server.
    #[must_use]
    pub fn to_one(zone: DomainName, server: Endpoint) -> Self {
        Self { zone, servers: vec![server] }
    }
}

impl Config {
    /// The defaults of a profile.
    #[must_use]
    pub fn new(profile: Profile, delegations: Vec<Delegation>) -> Self {
        Self { cache: profile.cache_policy(), retry: profile.retry(), delegations, forwards: false }
    }
}

/// A recursive resolver.
#[derive(Clone, Debug)]
pub struct Resolver {
    config: Arc<Config>,
    cache: Cache,
    /// By delegation and server.
    round_trips: Vec<Vec<RoundTrips>>,
    /// Where its order of the servers of a zone begins.
    first: usize,
    pending: BTreeMap<Question, Pending>,
    /// What the timer is set to.
    armed: Option<SimTime>,
    dice: Dice,
}

/// A question that the authority has been asked.
#[derive(Clone, Debug)]
struct Pending {
    /// Whom to answer: none for a prefetch.
    clients: Vec<Client>,
    delegation: usize,
    progress: Progress,
    /// Servers that have said that they cannot answer.
    refusals: usize,
    /// The last query.
    server: usize,
    id: u16,
    sent: SimTime,
    wait: SimDuration,
}

#[derive(Clone, Debug)]
struct Client {
    endpoint: Endpoint,
    query: Message,
    /// When it gets a stale answer, if there is one by then.
    patience: SimTime,
}

/// The earliest deadline of a pending question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer;

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        0
    }
}

/// What a resolver lets be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The cache serves this answer at once, in place of what it served for the question: it has been
    /// stored, or is stale and served until the failure recheck timer ends (RFC 8767).
    Stored {
        /// The question; an NXDOMAIN holds for the other types of its name as well.
        question: Question,
        /// The answer.
        answer: Answer,
        /// From then on it is not served at once.
        expires: SimTime,
    },
    /// The record set that the cache holds is kept until the maximum stale timer ends, for clients
    /// for whom the authority gives no answer before the client response timer does (RFC 8767).
    Kept {
        /// The question.
        question: Question,
        /// From then on it is not served.
        until: SimTime,
    },
    /// A client was given this answer.
    Answered {
        /// What it had asked.
        question: Question,
        /// The answer.
        answer: Answer,
    },
}

impl Resolver {
    /// A resolver with an empty cache; the dice give it message IDs.
    #[must_use]
    pub fn new(config: Arc<Config>, dice: Dice) -> Self {
        Self {
            cache: Cache::new(config.cache),
            round_trips: config
                .delegations
                .iter()
                .map(|delegation| vec![RoundTrips::default(); delegation.servers.len()])
                .collect(),
            first: 0,
            pending: BTreeMap::new(),
            armed: None,
            dice,
            config,
        }
    }

    /// The same, whose order of the name servers of a zone begins with this one.
    #[must_use]
    pub fn beginning_with(mut self, server: usize) -> Self {
        self.first = server;
        self
    }

    /// What a client that asked now would be told at once, from the cache; `None` when the
    /// authority would have to be asked.
    #[must_use]
    pub fn would_answer(&self, now: SimTime, question: &Question) -> Option<Answer> {
        self.cache.at_once(now, question)
    }

    /// Takes a client's query or an authority's response; other messages are dropped.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, message: Message)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        if message.response {
            self.receive_response(ctx, from, &message);
        } else {
            self.receive_query(ctx, from, message);
        }
        self.arm(ctx);
    }

    /// The timer has gone off.
    pub fn timer<C>(&mut self, ctx: &mut C, Timer: Timer)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        self.armed = None;
        let now = ctx.now();
        let due: Vec<Question> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.deadline() <= now)
            .map(|(question, _)| question.clone())
            .collect();
        for question in due {
            self.lose_patience(ctx, &question);
            let pending = self.pending.get(&question).expect("it was pending a moment ago");
            if pending.next_try() <= now {
                self.round_trips[pending.delegation][pending.server].lost(pending.wait);
                self.ask(ctx, &question);
            }
        }
        self.arm(ctx);
    }

    fn receive_query<C>(&mut self, ctx: &mut C, from: Endpoint, query: Message)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let delegation = self.delegation_of(&query.question.name);
        let (true, Some(delegation)) = (query.recursion_desired, delegation) else {
            // Not a client, or a name that it has no way to resolve.
            return ctx.send(from, Message::response_to(&query, Rcode::REFUSED));
        };
        let now = ctx.now();
        let question = query.question.clone();
        let stale = self.cache.stale(now, &question);
        let patience = match (self.config.cache.stale, &stale) {
            (Some(policy), Some(_)) => now.saturating_add(policy.client_timeout),
            _ => SimTime::MAX,
        };
        let client = Client { endpoint: from, query, patience };
        if let Some(stale) = stale.filter(|stale| patience == now || stale.resting) {
            client.answer(ctx, &stale.reply);
            if !stale.resting && !self.pending.contains_key(&question) {
                self.start(ctx, question, delegation, None);
            }
            return;
        }
        match self.cache.lookup(now, &question) {
            Some(hit) => {
                client.answer(ctx, &hit.reply);
                if hit.prefetch && !self.pending.contains_key(&question) {
                    self.start(ctx, question, delegation, None);
                }
            }
            None => match self.pending.get_mut(&question) {
                Some(pending) => pending.join(client),
                None => self.start(ctx, question, delegation, Some(client)),
            },
        }
    }

    fn receive_response<C>(&mut self, ctx: &mut C, from: Endpoint, response: &Message)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let Some(pending) = self.pending.get_mut(&response.question) else { return };
        let servers = &self.config.delegations[pending.delegation].servers;
        if servers[pending.server] != from || pending.id != response.id {
            return;
        }
        let after = ctx.now().since(pending.sent);
        self.round_trips[pending.delegation][pending.server].answered(after);
        // Who is no authority for the zone it is asked about is lame, and of no use.
        let trusted = response.authoritative || self.config.forwards;
        let reply = if trusted { Reply::of(response) } else { Reply::FAILURE };
        pending.refusals += usize::from(reply.answer == Answer::Failure);
        if reply.answer == Answer::Failure && pending.refusals < servers.len() {
            return self.ask(ctx, &response.question);
        }
        self.finish(ctx, &response.question, reply);
    }

    /// Makes a question pending. While an authority is only probed, no second question goes to it.
    fn start<C>(
        &mut self,
        ctx: &mut C,
        question: Question,
        delegation: usize,
        client: Option<Client>,
    ) where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let now = ctx.now();
        let servers = &mut self.round_trips[delegation];
        servers.iter_mut().for_each(|server| server.refresh(now));
        let adaptive = self.config.retry == Retry::Adaptive;
        let busy = self.pending.values().any(|other| other.delegation == delegation);
        let (progress, refused) = match &servers[..] {
            [only] => {
                let refused = adaptive && only.is_probed() && busy;
                (Progress::start(now, self.config.retry, only), refused)
            }
            several => {
                let count = several.len() as u32;
                (Progress::start_among(now, self.config.retry, count), false)
            }
        };
        let pending = Pending {
            clients: client.into_iter().collect(),
            delegation,
            progress,
            refusals: 0,
            server: 0,
            id: 0,
            sent: now,
            wait: SimDuration::ZERO,
        };
        self.pending.insert(question.clone(), pending);
        if refused {
            self.finish(ctx, &question, Reply::FAILURE);
        } else {
            self.ask(ctx, &question);
        }
    }

    /// Sends the next query of a pending question, or gives it up.
    fn ask<C>(&mut self, ctx: &mut C, question: &Question)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let now = ctx.now();
        let pending = self.pending.get_mut(question).expect("only pending questions are asked");
        let servers = &self.config.delegations[pending.delegation].servers;
        let server = (self.first + pending.progress.turn()) % servers.len();
        let round_trips = &self.round_trips[pending.delegation][server];
        let Some(wait) = pending.progress.next(now, round_trips) else {
            return self.finish(ctx, question, Reply::FAILURE);
        };
        pending.id = (self.dice.bits() >> 48) as u16;
        (pending.server, pending.sent, pending.wait) = (server, now, wait);
        let mut query = Message::upstream_query(pending.id, question.clone());
        query.recursion_desired = self.config.forwards;
        ctx.send(servers[server], query);
    }

    /// Stores the answer and gives it to all who wait for it.
    fn finish<C>(&mut self, ctx: &mut C, question: &Question, reply: Reply)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let pending = self.pending.remove(question).expect("only pending questions finish");
        let stale = self.cache.stale(ctx.now(), question);
        let reply = self.cache.bounded(reply);
        let stored = self.cache.store(ctx.now(), question, reply.clone());
        if let Some(expires) = stored {
            let (question, answer) = (question.clone(), reply.answer.clone());
            ctx.observe(Observation::Stored { question, answer, expires });
        }
        if let Some(Kept { answer, rests, until }) = self.cache.kept(ctx.now(), question) {
            let question = question.clone();
            if let Some(expires) = rests {
                ctx.observe(Observation::Stored { question: question.clone(), answer, expires });
            }
            if stored.is_some() || rests.is_some() {
                ctx.observe(Observation::Kept { question, until });
            }
        }
        let reply = match stale {
            Some(stale) if reply.answer == Answer::Failure => stale.reply,
            _ => reply,
        };
        for client in &pending.clients {
            client.answer(ctx, &reply);
        }
    }

    /// Clients that have waited for long enough get a stale answer, if there is one.
    fn lose_patience<C>(&mut self, ctx: &mut C, question: &Question)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let now = ctx.now();
        let Some(pending) = self.pending.get_mut(question) else { return };
        let (served, waiting): (Vec<Client>, Vec<Client>) =
            std::mem::take(&mut pending.clients).into_iter().partition(|it| it.patience <= now);
        pending.clients = waiting;
        let stale = self.cache.stale(now, question);
        for mut client in served {
            match &stale {
                Some(stale) => client.answer(ctx, &stale.reply),
                // It has become too old meanwhile.
                None => {
                    client.patience = SimTime::MAX;
                    pending.clients.push(client);
                }
            }
        }
    }

    /// Sets the timer to the earliest deadline, if it is not set to that already.
    fn arm<C>(&mut self, ctx: &mut C)
    where
        C: Context<Timer = Timer>,
    {
        let earliest = self.pending.values().map(Pending::deadline).min();
        if earliest == self.armed {
            return;
        }
        match earliest {
            Some(at) => ctx.set(Timer, at),
            None => ctx.cancel(Timer),
        }
        self.armed = earliest;
    }

    /// The deepest zone that a name lies in.
    fn delegation_of(&self, name: &DomainName) -> Option<usize> {
        let delegations = self.config.delegations.iter().enumerate();
        delegations
            .filter(|(_, delegation)| name.is_within(&delegation.zone))
            .max_by_key(|(_, delegation)| delegation.zone.wire_len())
            .map(|(index, _)| index)
    }
}

impl Pending {
    /// When something has to be done about it.
    fn deadline(&self) -> SimTime {
        let patience = self.clients.iter().map(|client| client.patience).min();
        self.next_try().min(patience.unwrap_or(SimTime::MAX))
    }

    fn next_try(&self) -> SimTime {
        self.sent.saturating_add(self.wait)
    }

    /// Another client waits for the answer, unless it has only repeated its query.
    fn join(&mut self, client: Client) {
        let repeated = self
            .clients
            .iter()
            .any(|other| other.endpoint == client.endpoint && other.query.id == client.query.id);
        if !repeated {
            self.clients.push(client);
        }
    }
}

impl Client {
    fn answer<C>(&self, ctx: &mut C, reply: &Reply)
    where
        C: Context<Message = Message, Observation = Observation>,
    {
        let mut response = reply.response_to(&self.query);
        response.recursion_available = true;
        ctx.send(self.endpoint, response);
        ctx.observe(Observation::Answered {
            question: self.query.question.clone(),
            answer: reply.answer.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
