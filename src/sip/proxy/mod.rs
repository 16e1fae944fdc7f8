//! The core of a stateful, forking proxy (RFC 3261 §16).
//!
//! It takes requests that are not for the element itself, asks for their targets if it is
//! responsible for the domain of the Request-URI, asks where each next hop is, forwards to all
//! targets at once and returns the best response. It never resolves a name or looks a user up: it
//! says what it needs ([`Upcall::Targets`], [`Upcall::Locate`]) under a [`Ticket`] and is told
//! ([`Proxy::targets`], [`Proxy::located`]).
//!
//! * `route`: what a route does with a request, before and behind this core.
//! * `context`: a request that is under way, with its branches and what came back on them.
//! * `forward`: how a branch goes on.
//!
//! How it fails is a matter of its [`Rules`]: by RFC 4320 a time-out of a request other than INVITE
//! is not answered, but such a request is told 100 when its client begins to wait for T2; SER
//! answers 408. With [failover](ProxySettings::failover), an endpoint that stays silent until the
//! client transaction gives up, cannot be reached or says 503 is followed by the next one (RFC 3263
//! §4.3), as long as the request's [lifetime](Rules::lifetime) lasts.
//!
//! Left out: serial forking by `q`, recursion on 3xx, authentication (responses 401 and 407 are
//! not aggregated), stateless operation but for ACK and late 2xx.

use std::collections::BTreeMap;

use crate::address::Endpoint;
use crate::rng::Dice;
use crate::sip::profile::Rules;
use crate::sip::transaction::token::token;
use crate::sip::transaction::{Event, Failure, Owner, ServerId, Transactions, Wire};
use crate::sip::uri::{HostPart, Uri};
use crate::sip::{Agenda, Method, Request, RequestKey, Status, Timer};
use crate::time::SimDuration;

mod context;
mod forward;
mod route;

use context::{Context, Phase};
pub use route::{RecordRoute, next_hop, preprocess_route};

/// How a proxy behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// Where it is.
    pub own: Endpoint,
    /// The domains whose users it knows, or knows whom to ask for.
    pub domains: Vec<HostPart>,
    /// Whether dialogs keep passing it.
    pub record_route: RecordRoute,
    /// Whether it tries the other endpoints of a next hop when the first fails.
    pub failover: bool,
    /// Timer C: after how long without a provisional response an INVITE is given up; RFC 3261
    /// §16.6 step 11 says more than three minutes. `None` where [`Rules::no_final`] does that.
    pub timer_c: Option<SimDuration>,
    /// Whether it refuses a request that it is forwarding already, unchanged, with 482 (RFC 3261
    /// §16.3 step 4, RFC 5393). Without, a loop ends at `Max-Forwards`.
    pub detects_loops: bool,
    /// The rules of its transactions.
    pub rules: Rules,
}

impl ProxySettings {
    /// A proxy of the RFC's or SER's kind, whichever the rules are: no Record-Route, no failover;
    /// Timer C of 181 s and detection of loops if the rules leave a ringing INVITE alone.
    #[must_use]
    pub fn new(own: Endpoint, domains: Vec<HostPart>, rules: Rules) -> Self {
        let ser = rules.no_final.is_some();
        Self {
            own,
            domains,
            record_route: RecordRoute::None,
            failover: false,
            timer_c: if ser { None } else { Some(SimDuration::from_secs(181)) },
            detects_loops: !ser,
            rules,
        }
    }
}

/// Names a question of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// What a proxy tells its host, in the order in which it came about.
pub type Upcalls = Vec<Upcall>;

/// One thing that a proxy tells its host. Each question wants an answer in the end: until then its
/// request is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// Where is this user of an own domain? To be answered with [`Proxy::targets`].
    Targets {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The Request-URI.
        aor: Uri,
    },
    /// Where is this next hop? To be answered with [`Proxy::located`].
    Locate {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The top of `Route`, or the Request-URI.
        next_hop: Uri,
        /// What the request asks for.
        method: Method,
    },
    /// A request, or an ACK, was sent on.
    Forwarded {
        /// Its name.
        key: RequestKey,
        /// What it asks for.
        method: Method,
        /// Where to.
        to: Endpoint,
    },
    /// There will be no response from there.
    Unanswered {
        /// The request.
        key: RequestKey,
        /// What it asked for.
        method: Method,
        /// Who is silent.
        to: Endpoint,
        /// How that is known.
        why: Failure,
        /// Whether it was heard of, by a provisional response.
        heard: bool,
    },
    /// A final response went up: the first, if an INVITE gets several.
    Answered {
        /// The request.
        key: RequestKey,
        /// The response.
        status: Status,
    },
    /// The request gets no response at all (RFC 4320 §4.2).
    Abandoned {
        /// The request.
        key: RequestKey,
    },
}

/// The proxy core of an element.
#[derive(Clone, Debug)]
pub struct Proxy {
    settings: ProxySettings,
    dice: Dice,
    contexts: BTreeMap<ContextId, Context>,
    servers: BTreeMap<ServerId, ContextId>,
    /// The branches under way, by their handles.
    branches: BTreeMap<Handle, (ContextId, usize)>,
    agenda: Agenda<Due>,
    /// Names given so far, to contexts and branches alike.
    names: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ContextId(u32);

/// Names a branch, in tickets and towards the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Handle(u32);

/// What the proxy means to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// To say 100 to a request other than INVITE.
    Trying(ContextId),
    /// To give an INVITE up.
    TimerC(Handle),
}

/// What one input is handled with.
struct Turn<'a, C> {
    ctx: &'a mut C,
    tx: &'a mut Transactions,
    upcalls: Upcalls,
}

impl<'a, C> Turn<'a, C> {
    fn new(ctx: &'a mut C, tx: &'a mut Transactions) -> Self {
        Self { ctx, tx, upcalls: Vec::new() }
    }
}

impl Proxy {
    /// A proxy that forwards nothing yet.
    #[must_use]
    pub fn new(settings: ProxySettings, dice: Dice) -> Self {
        Self {
            settings,
            dice,
            contexts: BTreeMap::new(),
            servers: BTreeMap::new(),
            branches: BTreeMap::new(),
            agenda: Agenda::new(),
            names: 0,
        }
    }

    /// From now on it is responsible for this domain as well.
    pub fn serve_also(&mut self, domain: HostPart) {
        if !self.settings.domains.contains(&domain) {
            self.settings.domains.push(domain);
        }
    }

    /// Whether it is responsible for the domain of this URI: then it asks for
    /// [targets](Upcall::Targets), and forwards anything else as it is.
    #[must_use]
    pub fn serves(&self, uri: &Uri) -> bool {
        uri.sip().is_some_and(|uri| self.settings.domains.contains(&uri.host))
    }

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.contexts.len()
    }

    /// A request that is not for the element itself, after [`preprocess_route`].
    pub fn request<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        server: ServerId,
        request: Request,
    ) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        self.accept(&mut turn, server, request);
        self.end(turn)
    }

    /// An ACK that belongs to no transaction, after [`preprocess_route`]: it is passed on to
    /// wherever its Request-URI or route says.
    pub fn ack<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        request: Request,
    ) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        if request.headers.max_forwards != Some(0) {
            self.begin(&mut turn, None, request);
        }
        self.end(turn)
    }

    /// An INVITE that is being forwarded was cancelled (RFC 3261 §16.10).
    pub fn cancelled<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        server: ServerId,
    ) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        if let Some(&id) = self.servers.get(&server) {
            self.give_up(&mut turn, id);
        }
        self.end(turn)
    }

    /// Whatever the transactions report that is the proxy's: its own responses and failures, stray
    /// responses, and requests, ACKs and cancellations that the host does not keep for other cores.
    /// Events of other owners are ignored.
    pub fn event<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions, event: Event) -> Upcalls {
        match event {
            Event::Request { server, request, .. } => self.request(ctx, tx, server, *request),
            Event::Ack { request, .. } => self.ack(ctx, tx, *request),
            Event::Cancelled { server } => self.cancelled(ctx, tx, server),
            Event::Response { client, owner: Owner::Proxy(handle), response } => {
                let mut turn = Turn::new(ctx, tx);
                self.response(&mut turn, Handle(handle), client, *response);
                self.end(turn)
            }
            Event::Failed { client, owner: Owner::Proxy(handle), why } => {
                let mut turn = Turn::new(ctx, tx);
                self.failed(&mut turn, Handle(handle), client, why);
                self.end(turn)
            }
            Event::StrayResponse(response) => {
                forward::pass_up(&mut Turn::new(ctx, tx), *response);
                Vec::new()
            }
            Event::Response { .. } | Event::Failed { .. } | Event::Unacknowledged { .. } => {
                Vec::new()
            }
        }
    }

    /// The element is at another endpoint from now on, and names that in what it forwards.
    pub const fn move_to(&mut self, own: Endpoint) {
        self.settings.own = own;
    }

    /// The answer to [`Upcall::Targets`]: the contacts of the user, or the status that tells the
    /// caller why there are none. An empty list is 480.
    pub fn targets<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        ticket: Ticket,
        targets: Result<Vec<Uri>, Status>,
    ) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        let id = ContextId(ticket.0);
        // It may have been cancelled, or have taken too long.
        let context = self.contexts.get_mut(&id);
        if let Some(context) = context.filter(|context| context.phase == Phase::Targets) {
            match targets {
                Ok(uris) => self.fork(&mut turn, id, uris),
                Err(status) => {
                    context.phase = Phase::Closing;
                    context.supposed(status);
                    self.settle(&mut turn, id);
                }
            }
        }
        self.end(turn)
    }

    /// The answer to [`Upcall::Locate`]: the endpoints, the first choice first, or the status that
    /// tells the caller why there are none.
    pub fn located<C: Wire>(
        &mut self,
        ctx: &mut C,
        tx: &mut Transactions,
        ticket: Ticket,
        endpoints: Result<Vec<Endpoint>, Status>,
    ) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        self.locate(&mut turn, Handle(ticket.0), endpoints);
        self.end(turn)
    }

    /// [`Timer::Proxy`] went off.
    pub fn timer<C: Wire>(&mut self, ctx: &mut C, tx: &mut Transactions) -> Upcalls {
        let mut turn = Turn::new(ctx, tx);
        while let Some(due) = self.agenda.due(turn.ctx.now()) {
            match due {
                Due::Trying(id) => self.say_trying(&mut turn, id),
                Due::TimerC(handle) => self.timer_c(&mut turn, handle),
            }
        }
        self.end(turn)
    }

    fn end<C: Wire>(&self, turn: Turn<'_, C>) -> Upcalls {
        match self.agenda.earliest() {
            Some(at) => turn.ctx.set(Timer::Proxy, at),
            None => turn.ctx.cancel(Timer::Proxy),
        }
        turn.upcalls
    }

    fn name(&mut self) -> u32 {
        self.names = self.names.wrapping_add(1);
        self.names
    }

    /// RFC 3261 §16.3: what is forwarded at all.
    fn accept<C: Wire>(&mut self, turn: &mut Turn<'_, C>, server: ServerId, request: Request) {
        let required = request.headers.other.iter();
        let mut required = required.filter(|(name, _)| name.eq_ignore_ascii_case("Proxy-Require"));
        let refusal = if request.headers.max_forwards == Some(0) {
            Some(Status::TOO_MANY_HOPS)
        } else if self.settings.detects_loops && self.loops(&request) {
            Some(Status::LOOP_DETECTED)
        } else {
            required.next().and_then(|_| Status::new(420))
        };
        let Some(status) = refusal else { return self.begin(turn, Some(server), request) };
        let mut response = request.respond(status, Some(&token(&mut self.dice, 8)));
        if status.code() == 420 {
            response.reason = Some("Bad Extension".into());
            let names = request.headers.other.iter();
            let names = names.filter(|(name, _)| name.eq_ignore_ascii_case("Proxy-Require"));
            response.headers.other =
                names.map(|(_, it)| ("Unsupported".into(), it.clone())).collect();
        }
        turn.upcalls.push(Upcall::Answered { key: request.key(), status });
        turn.tx.respond(turn.ctx, server, response);
    }

    /// Whether the same request, to the same target by the same route, is being forwarded already
    /// and has come back.
    fn loops(&self, request: &Request) -> bool {
        let own = HostPart::Address(self.settings.own.address);
        let is_own = |host: &HostPart| *host == own || self.settings.domains.contains(host);
        let passed = request.headers.via.iter().any(|via| is_own(&via.host));
        let same = |context: &Context| {
            context.key == request.key()
                && context.request.uri == request.uri
                && context.request.headers.route == request.headers.route
        };
        passed && self.contexts.values().any(same)
    }

    /// RFC 3261 §16.5: where to.
    fn begin<C: Wire>(
        &mut self,
        turn: &mut Turn<'_, C>,
        server: Option<ServerId>,
        request: Request,
    ) {
        let id = ContextId(self.name());
        if let Some(server) = server {
            self.servers.insert(server, id);
            self.arm(turn.ctx.now(), id, &request.method);
        }
        let life = self.settings.rules.lifetime(&request.method);
        let end = life.map(|life| turn.ctx.now().saturating_add(life));
        let uri = request.uri.clone();
        self.contexts.insert(id, Context::new(request, server, end));
        if self.serves(&uri) {
            turn.upcalls.push(Upcall::Targets { ticket: Ticket(id.0), aor: uri });
        } else {
            self.fork(turn, id, vec![uri]);
        }
    }
}

#[cfg(test)]
mod tests;
