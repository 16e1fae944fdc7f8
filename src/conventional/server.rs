//! A conventional SIP server, such as the paper's SER: registrar, presence server and stateful
//! proxy of one domain, with its own way of resolving names.
//!
//! Each datagram is handled by one of its [workers](super::workers). One that needs a name waits
//! for the resolver, and its worker with it; what arrives while all wait stands in the socket.
//! Retransmissions and failover are the business of a process of their own, the timer's.
//!
//! A server can embed a peer of the overlay (Shim et al.). Then it serves the overlay's domain
//! beside its own: it asks its peer for the users of that domain, without a word to DNS, and lets
//! it copy what its own users register. What it wants of the peer it [tells](Server::wants) whoever
//! runs both; no worker waits for that. Where the overlay [stands in](Settings::recalls) for it, it
//! also looks there for users of its own that it does not know, since it forgets all bindings when it
//! is switched off, as SER's `usrloc` does without a database.
//!
//! Left out: authentication, more than one domain a server, TCP.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::conventional::names::{self, Names, Places};
use crate::conventional::workers::{Admission, WorkerId, Workers};
use crate::dns::stub::{self, Stub};
use crate::dns::{self, ServerCache};
use crate::net::Payload as _;
use crate::rng::Dice;
use crate::sim::{self, Context};
use crate::sip::locate::Options;
use crate::sip::presence::{self, PresenceServer, PresenceSettings};
use crate::sip::profile::Rules;
use crate::sip::proxy::{self, Proxy, ProxySettings, RecordRoute, preprocess_route};
use crate::sip::registrar::{Registrar, RegistrarSettings};
use crate::sip::transaction::{Event, Failure, Owner, ServerId, Transactions};
use crate::sip::{
    self, Blocklist, HostPart, Message, Method, Request, RequestKey, Status, Unlocated, Uri,
};
use crate::time::SimTime;

/// 473 "Filtered destination": what SER and Kamailio answer where all places are blocked.
const FILTERED: Status = Status::new(473).expect("it is a status");

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its domain, in lower case.
    pub domain: String,
    /// Where it is.
    pub own: Address,
    /// The domain whose addresses are of interest: the overlay's.
    pub overlay: String,
    /// Whether it embeds a peer of the overlay.
    pub embeds: bool,
    /// Whether it looks in the overlay for users of its own domain that it does not know.
    pub recalls: bool,
    /// The timers of its transactions.
    pub rules: Rules,
    /// How it locates servers.
    pub options: Options,
    /// Its own DNS cache, if it keeps one.
    pub cache: Option<ServerCache>,
    /// Where it no longer sends for a while, if it keeps that in mind.
    pub blocklist: Option<Blocklist>,
    /// Its processes.
    pub workers: u16,
    /// What a name that does not resolve is answered with.
    pub unresolved: Status,
    /// Its registrar's habits.
    pub registrar: RegistrarSettings,
    /// Its resolver's stub.
    pub stub: Stub,
    /// For transactions, proxy, registrar, presence server and names.
    pub dice: [Dice; 5],
}

/// A server.
#[derive(Debug)]
pub struct Server {
    domain: HostPart,
    own: Address,
    overlay: HostPart,
    embeds: bool,
    recalls: bool,
    wants: Vec<Want>,
    tx: Transactions,
    proxy: Proxy,
    registrar: Registrar,
    presence: PresenceServer,
    names: Names<Asker>,
    blocklist: Option<Blocklist>,
    workers: Workers<(Endpoint, Message)>,
    /// The worker whose datagram is handled now; `None` in the timer's process.
    current: Option<WorkerId>,
    /// How many names each worker waits for.
    waiting: BTreeMap<WorkerId, u32>,
    unresolved: Status,
    /// Requests to the proxy peer of the overlay, which are told of when they are sent on.
    outward: BTreeSet<RequestKey>,
}

/// Who waits for a location, and in which process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asker {
    ticket: Ticket,
    worker: Option<WorkerId>,
    /// Of the request, which decides whether it may go to a place that is blocked.
    method: Method,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ticket {
    Proxy(proxy::Ticket),
    Presence(presence::Ticket),
}

/// A search for a user of the overlay, which [`Server::found`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search(proxy::Ticket);

/// What a server wants of the peer that it embeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Where this user of the overlay's domain is.
    Find(Search, Arc<str>),
    /// Where this user of the server's own domain is, by an earlier copy.
    Recall(Search, Arc<str>),
    /// What this user of the server's own domain has registered has changed.
    Copy(Arc<str>),
}

/// What a server lets the observer know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Of its resolution of names.
    Names(names::Observation),
    /// It sends a request for a user of the overlay's domain to this address, which the domain's
    /// name stands for, or which a route names. Requests straight to a user's contact are not told of.
    Routed {
        /// Which.
        request: RequestKey,
        /// Where to.
        to: Address,
    },
    /// With the help of the peer that it embeds, it answered a request for a user of the overlay's
    /// domain, or passed it on.
    Served(RequestKey),
}

impl From<names::Observation> for Observation {
    fn from(observation: names::Observation) -> Self {
        Self::Names(observation)
    }
}

/// A server's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Of a SIP core.
    Sip(sip::Timer),
    /// The stub resolver's.
    Stub(stub::Timer),
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Sip(timer) => timer.slot(),
            Self::Stub(timer) => sip::Timer::SLOTS + timer.slot(),
        }
    }
}

impl From<sip::Timer> for Timer {
    fn from(timer: sip::Timer) -> Self {
        Self::Sip(timer)
    }
}

impl From<stub::Timer> for Timer {
    fn from(timer: stub::Timer) -> Self {
        Self::Stub(timer)
    }
}

/// What a server acts through: it sends SIP and DNS.
pub trait ServerContext:
    Context<Message: From<Message> + From<dns::Message>, Timer = Timer, Observation = Observation>
{
    /// As the context of its SIP cores.
    fn sip(&mut self) -> sim::Lift<'_, Self, Message, sip::Timer, Observation>
    where
        Self: Sized,
    {
        self.lift()
    }
    /// As the context of what resolves its names.
    fn dns(&mut self) -> sim::Lift<'_, Self, dns::Message, stub::Timer, names::Observation>
    where
        Self: Sized,
    {
        self.lift()
    }
}

impl<C> ServerContext for C where
    C: Context<
            Message: From<Message> + From<dns::Message>,
            Timer = Timer,
            Observation = Observation,
        >
{
}

impl Server {
    /// A server that has just been switched on.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { domain, own, overlay, rules, options, cache, .. } = settings;
        let [for_transactions, for_proxy, for_registrar, for_presence, for_names] = settings.dice;
        let (endpoint, domain) = (own.at(Port::SIP), HostPart::name(&domain));
        let (overlay, embeds) = (HostPart::name(&overlay), settings.embeds);
        let served = std::iter::once(&domain).chain(Some(&overlay).filter(|_| embeds));
        let mut proxy = ProxySettings::new(endpoint, served.cloned().collect(), rules);
        proxy.record_route = RecordRoute::Address;
        proxy.failover = options.failover;
        let contact = Uri::Sip(crate::sip::uri::SipUri::of_host(HostPart::Address(own)));
        let host = HostPart::Address(own);
        Self {
            tx: Transactions::new(rules, endpoint, host, for_transactions),
            proxy: Proxy::new(proxy, for_proxy),
            registrar: Registrar::new(settings.registrar, for_registrar),
            presence: PresenceServer::new(PresenceSettings::ser(contact), for_presence),
            names: Names::new(settings.stub, cache, options, for_names),
            blocklist: settings.blocklist,
            workers: Workers::new(settings.workers),
            current: None,
            waiting: BTreeMap::new(),
            unresolved: settings.unresolved,
            outward: BTreeSet::new(),
            wants: Vec::new(),
            overlay,
            embeds,
            recalls: settings.recalls,
            domain,
            own,
        }
    }

    /// A SIP message arrived.
    pub fn receive<C: ServerContext>(&mut self, ctx: &mut C, from: Endpoint, message: Message) {
        let octets = message.wire_len();
        if let Admission::Taken(worker, job) = self.workers.arrive((from, message), octets) {
            self.work(ctx, worker, job);
        }
    }

    /// A DNS response arrived.
    pub fn receive_dns<C: ServerContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &dns::Message,
    ) {
        if let Some(located) = self.names.receive(&mut ctx.dns(), from, message) {
            self.located(ctx, located.ticket, located.places);
        }
    }

    /// A timer went off.
    pub fn timer<C: ServerContext>(&mut self, ctx: &mut C, timer: Timer) {
        match timer {
            Timer::Stub(timer) => {
                if let Some(located) = self.names.timer(&mut ctx.dns(), timer) {
                    self.located(ctx, located.ticket, located.places);
                }
            }
            Timer::Sip(sip::Timer::Transactions) => {
                for event in self.tx.timer(&mut ctx.sip()) {
                    self.take(ctx, event);
                }
            }
            Timer::Sip(sip::Timer::Proxy) => {
                let upcalls = self.proxy.timer(&mut ctx.sip(), &mut self.tx);
                self.proxy_upcalls(ctx, upcalls);
            }
            Timer::Sip(sip::Timer::Presence) => {
                let upcalls = self.presence.timer(&mut ctx.sip(), &mut self.tx);
                self.presence_upcalls(ctx, upcalls);
            }
            Timer::Sip(sip::Timer::Registrar | sip::Timer::Agent) => {
                unreachable!("the registrar sets no timer, and a server has no user agent")
            }
        }
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: ServerContext>(&mut self, ctx: &mut C, to: Endpoint) {
        for event in self.tx.unreachable(&mut ctx.sip(), to) {
            self.take(ctx, event);
        }
    }

    /// A worker handles one datagram after the other until it has to wait.
    fn work<C: ServerContext>(&mut self, ctx: &mut C, worker: WorkerId, job: (Endpoint, Message)) {
        let mut next = Some(job);
        while let Some((from, message)) = next {
            self.current = Some(worker);
            if let Some(event) = self.tx.receive(&mut ctx.sip(), from, message) {
                self.take(ctx, event);
            }
            self.current = None;
            if self.waiting.contains_key(&worker) {
                return;
            }
            next = self.workers.done(worker);
        }
    }

    /// Hands an event of the transactions to the core that it is for.
    fn take<C: ServerContext>(&mut self, ctx: &mut C, event: Event) {
        match event {
            Event::Request { server, mut request, from } => {
                self.strip_route(&mut request);
                self.take_request(ctx, server, request, from);
            }
            Event::Ack { mut request, from } => {
                self.strip_route(&mut request);
                self.hand_to_proxy(ctx, Event::Ack { request, from });
            }
            Event::Response { owner: Owner::Presence(_), .. }
            | Event::Failed { owner: Owner::Presence(_), .. } => {
                let upcalls = self.presence.event(&mut ctx.sip(), &mut self.tx, event);
                self.presence_upcalls(ctx, upcalls);
            }
            other => self.hand_to_proxy(ctx, other),
        }
    }

    /// Takes what means this server out of a request's route.
    fn strip_route(&self, request: &mut Request) {
        preprocess_route(request, |uri| match &uri.host {
            HostPart::Address(address) => *address == self.own,
            name => *name == self.domain && uri.user.is_none(),
        });
    }

    /// Hands a request to the core that it is for.
    fn take_request<C: ServerContext>(
        &mut self,
        ctx: &mut C,
        server: ServerId,
        request: Box<Request>,
        from: Endpoint,
    ) {
        let uri = request.uri.sip();
        let is_domain = uri.is_some_and(|uri| uri.host == self.domain);
        let is_self = uri.is_some_and(|uri| {
            uri.host == HostPart::Address(self.own) || (is_domain && uri.user.is_none())
        });
        match request.method {
            Method::Register if is_domain => {
                let response = self.registrar.register(ctx.now(), &request);
                if self.embeds && response.status.is_success() {
                    let user = request.headers.to.uri.sip().and_then(|uri| uri.user.clone());
                    self.wants.extend(user.map(Want::Copy));
                }
                self.tx.respond(&mut ctx.sip(), server, response);
            }
            Method::Publish | Method::Subscribe
                if is_domain || is_self || self.presence.includes(&request.headers) =>
            {
                let (presence, tx) = (&mut self.presence, &mut self.tx);
                let upcalls = presence.request(&mut ctx.sip(), tx, server, &request);
                self.presence_upcalls(ctx, upcalls);
            }
            Method::Options if is_self => {
                let response = request.respond(Status::OK, Some("options"));
                self.tx.respond(&mut ctx.sip(), server, response);
            }
            _ => {
                self.note_outward(&request);
                self.hand_to_proxy(ctx, Event::Request { server, request, from });
            }
        }
    }

    /// Keeps in mind which requests go to the proxy peer of the overlay: by its name, or by a route
    /// that a user of the overlay's domain is behind.
    fn note_outward(&mut self, request: &Request) {
        let is_overlay = |uri: &Uri| uri.sip().is_some_and(|uri| uri.host == self.overlay);
        let route = request.headers.route.first().map(|entry| &entry.uri);
        let is_outward = is_overlay(route.unwrap_or(&request.uri))
            || (route.is_some() && is_overlay(&request.headers.to.uri));
        if is_outward {
            self.outward.insert(request.key());
        }
    }

    fn hand_to_proxy<C: ServerContext>(&mut self, ctx: &mut C, event: Event) {
        let upcalls = self.proxy.event(&mut ctx.sip(), &mut self.tx, event);
        self.proxy_upcalls(ctx, upcalls);
    }

    fn proxy_upcalls<C: ServerContext>(&mut self, ctx: &mut C, upcalls: proxy::Upcalls) {
        for upcall in upcalls {
            match upcall {
                proxy::Upcall::Targets { ticket, aor } => self.find(ctx, ticket, &aor),
                proxy::Upcall::Locate { ticket, next_hop, method } => {
                    self.locate(ctx, Ticket::Proxy(ticket), method, &next_hop);
                }
                proxy::Upcall::Forwarded { key, to, .. } => {
                    if self.outward.contains(&key) {
                        ctx.observe(if self.embeds {
                            Observation::Served(key)
                        } else {
                            Observation::Routed { request: key, to: to.address }
                        });
                    }
                }
                proxy::Upcall::Unanswered {
                    method,
                    to,
                    why: Failure::Timeout,
                    heard: false,
                    ..
                } => {
                    if let Some(list) = &mut self.blocklist {
                        list.timed_out(ctx.now(), &method, to);
                    }
                }
                proxy::Upcall::Unanswered { .. } => {}
                proxy::Upcall::Answered { key, .. } => {
                    if self.outward.remove(&key) && self.embeds {
                        ctx.observe(Observation::Served(key));
                    }
                }
                proxy::Upcall::Abandoned { key } => {
                    self.outward.remove(&key);
                }
            }
        }
    }

    /// Looks for the contacts of a user: of its own domain in its registrar, of the overlay's, and
    /// of its own if that is what it recalls, through the peer that it embeds.
    fn find<C: ServerContext>(&mut self, ctx: &mut C, ticket: proxy::Ticket, aor: &Uri) {
        let of_overlay = aor.sip().filter(|uri| uri.host == self.overlay);
        let targets = match of_overlay.map(|uri| uri.user.clone()) {
            Some(Some(user)) => return self.wants.push(Want::Find(Search(ticket), user)),
            Some(None) => Vec::new(),
            None => {
                let contacts = self.registrar.lookup(aor, ctx.now());
                let user = aor.sip().and_then(|uri| uri.user.clone());
                if let Some(user) = user.filter(|_| self.recalls && contacts.is_empty()) {
                    return self.wants.push(Want::Recall(Search(ticket), user));
                }
                contacts.into_iter().map(|contact| contact.address.uri).collect()
            }
        };
        let targets = if targets.is_empty() { Err(Status::NOT_FOUND) } else { Ok(targets) };
        self.found(ctx, Search(ticket), targets);
    }

    /// A search ended: the contacts of the user, or with which status the request fails.
    pub fn found<C: ServerContext>(
        &mut self,
        ctx: &mut C,
        Search(ticket): Search,
        targets: Result<Vec<Uri>, Status>,
    ) {
        let upcalls = self.proxy.targets(&mut ctx.sip(), &mut self.tx, ticket, targets);
        self.proxy_upcalls(ctx, upcalls);
    }

    /// What it wants of the peer that it embeds and has not told yet; to be asked after each input.
    #[must_use]
    pub fn wants(&mut self) -> Vec<Want> {
        std::mem::take(&mut self.wants)
    }

    /// Where a user of its own domain has registered, and until when.
    #[must_use]
    pub fn registered(&self, user: &str, now: SimTime) -> Vec<(Uri, SimTime)> {
        self.registrar.bindings(&Uri::of_user(user, self.domain.clone()), now)
    }

    fn presence_upcalls<C: ServerContext>(&mut self, ctx: &mut C, upcalls: presence::Upcalls) {
        for upcall in upcalls {
            if let presence::Upcall::Locate { ticket, next_hop } = upcall {
                self.locate(ctx, Ticket::Presence(ticket), Method::Notify, &next_hop);
            }
        }
    }

    /// Locates a next hop for one of the cores, which waits for DNS if it must.
    fn locate<C: ServerContext>(
        &mut self,
        ctx: &mut C,
        ticket: Ticket,
        method: Method,
        next_hop: &Uri,
    ) {
        let asker = Asker { ticket, worker: self.current, method };
        match self.names.locate(&mut ctx.dns(), asker.clone(), next_hop) {
            Some(places) => self.answer(ctx, asker, places),
            None => {
                if let Some(worker) = self.current {
                    *self.waiting.entry(worker).or_default() += 1;
                }
            }
        }
    }

    /// A location ended: its core goes on in the process that waited, and that one with what has
    /// arrived meanwhile.
    fn located<C: ServerContext>(&mut self, ctx: &mut C, asker: Asker, places: Places) {
        let worker = asker.worker;
        self.current = worker;
        self.answer(ctx, asker, places);
        self.current = None;
        let Some(worker) = worker else { return };
        let waits = self.waiting.get_mut(&worker).expect("it waited for this");
        *waits -= 1;
        if *waits > 0 {
            return;
        }
        self.waiting.remove(&worker);
        if let Some(job) = self.workers.done(worker) {
            self.work(ctx, worker, job);
        }
    }

    fn answer<C: ServerContext>(&mut self, ctx: &mut C, asker: Asker, places: Places) {
        let Asker { ticket, method, .. } = asker;
        let places = match (places, &self.blocklist) {
            (Ok(places), Some(list)) => {
                let places = list.admitted(ctx.now(), &method, places);
                if places.is_empty() { Err(FILTERED) } else { Ok(places) }
            }
            (Ok(places), None) => Ok(places),
            (Err(Unlocated::NoSuchName | Unlocated::ServFail | Unlocated::Timeout), _) => {
                Err(self.unresolved)
            }
            (Err(Unlocated::Unsupported), _) => Err(Status::SERVER_ERROR),
        };
        match ticket {
            Ticket::Proxy(ticket) => {
                let upcalls = self.proxy.located(&mut ctx.sip(), &mut self.tx, ticket, places);
                self.proxy_upcalls(ctx, upcalls);
            }
            Ticket::Presence(ticket) => {
                let upcalls = self.presence.located(&mut ctx.sip(), &mut self.tx, ticket, places);
                self.presence_upcalls(ctx, upcalls);
            }
        }
    }

    /// How many questions it has asked its resolver.
    #[must_use]
    pub const fn asked(&self) -> u64 {
        self.names.asked()
    }
}
