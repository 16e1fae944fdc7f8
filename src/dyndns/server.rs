//! The update service's end.
//!
//! Inputs: TCP segments, its own timers, and switches of the scenario (maintenance, an end to
//! blocks). A request is answered, and takes effect, `service_time` after it arrived; what it
//! changed has to be served `publish_delay` later ([`Publish`]). Both delays are constant, so that
//! requests are accepted and published in the order of their arrival: the last accepted wins.

use std::collections::{BTreeMap, VecDeque};

use super::request::Update;
use super::{Hostname, ReturnCode, UpdateSegment};
use crate::address::{Address, Endpoint, Port};
use crate::http::{Credentials, Message, Method, Request, Response, Status};
use crate::net::tcp::{ConnectionId, Tcp, TcpTimer, Upcall, Upcalls};
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// At most as many names in one update (return code `numhost`).
const MAX_HOSTNAMES: usize = 20;

/// How the service behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// From a request's arrival to the response and the acceptance.
    pub service_time: SimDuration,
    /// From the acceptance to the authority's serving it.
    pub publish_delay: SimDuration,
    /// When a name is blocked, if ever.
    pub abuse_limit: Option<AbuseLimit>,
    /// The realm of the challenge.
    pub realm: String,
    /// Connections at a time; more are not answered.
    pub capacity: u16,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            service_time: SimDuration::from_millis(200),
            publish_delay: SimDuration::ZERO,
            abuse_limit: None,
            realm: "DynDNS API Access".to_owned(),
            capacity: u16::MAX,
        }
    }
}

/// So many updates of a name are allowed within any span of this length; with the next one the name
/// is blocked until [`UpdateServer::reset_abuse`]. (The provider never published its limits.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbuseLimit {
    /// Updates, successful or not needed.
    pub updates: u32,
    /// The length of the span.
    pub per: SimDuration,
}

/// A user, and the names that only that user may update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User and password.
    pub credentials: Credentials,
    /// The user's names.
    pub hostnames: Vec<Hostname>,
}

/// Whether the service works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// It does.
    #[default]
    Normal,
    /// Its DNS fails: every update is answered `dnserr`.
    DnsError,
    /// It is being maintained: every update is answered `911`.
    Maintenance,
}

/// From now on the authority has to serve this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The name.
    pub hostname: Hostname,
    /// Its address.
    pub address: Address,
}

/// What the observer is told: an update that changed a name was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The name.
    pub hostname: Hostname,
    /// Who asked: the source of the request.
    pub from: Address,
    /// What the name's address will be, once published.
    pub to: Address,
}

/// The server's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTimer {
    /// The oldest request has been worked on for long enough.
    Service,
    /// The oldest accepted update has to be served.
    Publish,
    /// Of a connection.
    Tcp(TcpTimer),
}

impl Timer for ServerTimer {
    fn slot(self) -> u32 {
        match self {
            Self::Service => 0,
            Self::Publish => 1,
            Self::Tcp(timer) => 2 + timer.slot(),
        }
    }
}

impl From<TcpTimer> for ServerTimer {
    fn from(timer: TcpTimer) -> Self {
        Self::Tcp(timer)
    }
}

/// The update service.
#[derive(Debug)]
pub struct UpdateServer {
    settings: ServerSettings,
    accounts: Vec<Credentials>,
    records: BTreeMap<Hostname, Record>,
    service: Service,
    tcp: Tcp<Message>,
    /// Requests being worked on, in the order of their arrival.
    requests: VecDeque<Pending>,
    /// Accepted and not yet served, in the order of acceptance.
    unpublished: VecDeque<(SimTime, Publish)>,
    /// Updates that changed nothing.
    unchanged: u64,
}

/// What is known of a name.
#[derive(Debug)]
struct Record {
    /// The position of its account.
    owner: usize,
    address: Option<Address>,
    standing: Standing,
}

#[derive(Debug)]
enum Standing {
    /// The last updates, no more than the limit allows.
    Fair(VecDeque<SimTime>),
    Blocked,
}

#[derive(Debug)]
struct Pending {
    due: SimTime,
    connection: ConnectionId,
    from: Address,
    request: Request,
}

impl UpdateServer {
    /// A service with these accounts, listening on [`Port::HTTP`]. A name that stands in two
    /// accounts belongs to the first.
    #[must_use]
    pub fn new(settings: ServerSettings, accounts: &[Account]) -> Self {
        let mut records = BTreeMap::new();
        for (owner, account) in accounts.iter().enumerate() {
            for hostname in &account.hostnames {
                records.entry(hostname.clone()).or_insert_with(|| Record {
                    owner,
                    address: None,
                    standing: Standing::Fair(VecDeque::new()),
                });
            }
        }
        let mut tcp = Tcp::new(settings.capacity);
        tcp.listen(Port::HTTP);
        Self {
            settings,
            accounts: accounts.iter().map(|account| account.credentials.clone()).collect(),
            records,
            service: Service::Normal,
            tcp,
            requests: VecDeque::new(),
            unpublished: VecDeque::new(),
            unchanged: 0,
        }
    }

    /// The address of a name that was accepted last.
    #[must_use]
    pub fn address(&self, hostname: &Hostname) -> Option<Address> {
        self.records.get(hostname)?.address
    }

    /// Gives a name its address at the start of a run, without publication. False for a name that
    /// is in no account.
    pub fn preset(&mut self, hostname: &Hostname, address: Address) -> bool {
        let record = self.records.get_mut(hostname);
        record.map(|record| record.address = Some(address)).is_some()
    }

    /// How many updates changed nothing (`nochg`).
    #[must_use]
    pub fn unchanged(&self) -> u64 {
        self.unchanged
    }

    /// Whether a name is blocked for abuse.
    #[must_use]
    pub fn is_blocked(&self, hostname: &Hostname) -> bool {
        let record = self.records.get(hostname);
        record.is_some_and(|record| matches!(record.standing, Standing::Blocked))
    }

    /// Unblocks all names and forgets how often they were updated: what a human does.
    pub fn reset_abuse(&mut self) {
        for record in self.records.values_mut() {
            record.standing = Standing::Fair(VecDeque::new());
        }
    }

    /// Breaks the service or repairs it.
    pub fn set_service(&mut self, service: Service) {
        self.service = service;
    }

    /// After a crash: connections and requests are gone, while accounts, records and what is to be
    /// published are on disk. What fell due meanwhile is returned now.
    pub fn restart<C>(&mut self, ctx: &mut C) -> Vec<Publish>
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        self.tcp = Tcp::new(self.settings.capacity);
        self.tcp.listen(Port::HTTP);
        self.requests.clear();
        self.publish_due(ctx)
    }

    /// A segment arrived.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, segment: UpdateSegment)
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        let upcalls = self.tcp.receive(&mut ctx.lift::<_, TcpTimer, Accepted>(), from, segment);
        self.take(ctx, upcalls);
    }

    /// A timer went off; what it returns has to be served from now on, in this order.
    #[must_use]
    pub fn timer<C>(&mut self, ctx: &mut C, timer: ServerTimer) -> Vec<Publish>
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        match timer {
            ServerTimer::Tcp(timer) => {
                let upcalls = self.tcp.timer(&mut ctx.lift::<_, TcpTimer, Accepted>(), timer);
                self.take(ctx, upcalls);
                Vec::new()
            }
            ServerTimer::Service => {
                self.serve_due(ctx);
                if self.settings.publish_delay.is_zero() { self.publish_due(ctx) } else { vec![] }
            }
            ServerTimer::Publish => self.publish_due(ctx),
        }
    }

    fn take<C>(&mut self, ctx: &mut C, upcalls: Upcalls<Message>)
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        for upcall in upcalls {
            // A client that closes or vanishes meanwhile has asked all the same: its update is
            // carried out, and the response goes nowhere.
            let Upcall::Received(connection, Message::Request(request)) = upcall else { continue };
            let Some(peer) = self.tcp.peer(connection) else { continue };
            let due = ctx.now().saturating_add(self.settings.service_time);
            if self.requests.is_empty() {
                ctx.set(ServerTimer::Service, due);
            }
            self.requests.push_back(Pending { due, connection, from: peer.address, request });
        }
    }

    fn serve_due<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        while let Some(pending) = pop_if(&mut self.requests, |pending| pending.due <= ctx.now()) {
            let response = self.respond(ctx, pending.from, &pending.request);
            let tcp = &mut ctx.lift::<_, TcpTimer, Accepted>();
            self.tcp.send(tcp, pending.connection, Message::Response(response));
        }
        if let Some(next) = self.requests.front() {
            ctx.set(ServerTimer::Service, next.due);
        }
    }

    fn publish_due<C>(&mut self, ctx: &mut C) -> Vec<Publish>
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        let mut due = Vec::new();
        while let Some((_, publish)) = pop_if(&mut self.unpublished, |(at, _)| *at <= ctx.now()) {
            due.push(publish);
        }
        if let Some((at, _)) = self.unpublished.front() {
            ctx.set(ServerTimer::Publish, *at);
        }
        due
    }

    fn respond<C>(&mut self, ctx: &mut C, from: Address, request: &Request) -> Response
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        let Some(update) = Update::from_target(&request.target) else {
            return Response::text(Status::NOT_FOUND, "");
        };
        let one = |code: ReturnCode| Response::text(Status::OK, format!("{code}\n"));
        let Some(credentials) = request.credentials() else {
            return Response::challenge(&self.settings.realm, format!("{}\n", ReturnCode::BadAuth));
        };
        let Some(user) = self.accounts.iter().position(|known| *known == credentials) else {
            return one(ReturnCode::BadAuth);
        };
        let agent = request.headers.value("User-Agent").unwrap_or_default();
        if agent.trim().is_empty() || request.method == Method::Head {
            return one(ReturnCode::BadAgent);
        }
        match self.service {
            Service::Normal => {}
            Service::DnsError => return one(ReturnCode::DnsError),
            Service::Maintenance => return one(ReturnCode::Maintenance),
        }
        if update.hostnames.is_empty() {
            return one(ReturnCode::NotFqdn);
        }
        if update.hostnames.len() > MAX_HOSTNAMES {
            return one(ReturnCode::NumHost);
        }
        let to = update.address.unwrap_or(from);
        let mut body = String::new();
        for name in &update.hostnames {
            let code = self.update(ctx, user, name, from, to);
            body.push_str(&format!("{code}\n"));
        }
        Response::text(Status::OK, body)
    }

    fn update<C>(
        &mut self,
        ctx: &mut C,
        user: usize,
        name: &str,
        from: Address,
        to: Address,
    ) -> ReturnCode
    where
        C: Context<Message = UpdateSegment, Timer = ServerTimer, Observation = Accepted>,
    {
        let Ok(hostname) = name.parse::<Hostname>() else { return ReturnCode::NotFqdn };
        let record = match self.records.get_mut(&hostname) {
            Some(record) if record.owner == user => record,
            _ => return ReturnCode::NoHost,
        };
        if let Some(limit) = self.settings.abuse_limit
            && !record.standing.allows(limit, ctx.now())
        {
            return ReturnCode::Abuse;
        }
        if record.address == Some(to) {
            self.unchanged += 1;
            return ReturnCode::NoChange(Some(to));
        }
        record.address = Some(to);
        let due = ctx.now().saturating_add(self.settings.publish_delay);
        if self.unpublished.is_empty() && !self.settings.publish_delay.is_zero() {
            ctx.set(ServerTimer::Publish, due);
        }
        self.unpublished.push_back((due, Publish { hostname: hostname.clone(), address: to }));
        ctx.observe(Accepted { hostname, from, to });
        ReturnCode::Good(Some(to))
    }
}

impl Standing {
    /// Counts an update at `now`; false, now and from now on, when it is one too many.
    fn allows(&mut self, limit: AbuseLimit, now: SimTime) -> bool {
        let Self::Fair(updates) = self else { return false };
        while pop_if(updates, |at| now.since(*at) >= limit.per).is_some() {}
        if updates.len() >= limit.updates as usize {
            *self = Self::Blocked;
            return false;
        }
        updates.push_back(now);
        true
    }
}

/// Takes the first element if it is as wanted.
fn pop_if<T>(queue: &mut VecDeque<T>, wanted: impl FnOnce(&T) -> bool) -> Option<T> {
    if wanted(queue.front()?) { queue.pop_front() } else { None }
}
