//! A conventional server that embeds a peer of the overlay (Shim et al., draft-shim-sipping-p2p-arch).
//!
//! The peer is a member like others, without a user of its own. The server's registrar copies what
//! its users register into the overlay, under their addresses of record, so that members find them
//! there; its proxy looks into the overlay for requests to the overlay's users. DNS has no part in
//! either: who has no such server does not reach the overlay.
//!
//! A copy holds the contacts with the times at which they run out. The server makes it anew when a
//! user registers again, at half of the lifetime of locations in the overlay, and [`RETRY`] after it
//! could not be stored. The server is the only one that writes for its users: nothing is fetched
//! before.
//!
//! Left out: forking to contacts at names, which nobody registers here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Endpoint, Port};
use crate::conventional::Server;
use crate::conventional::server::{self, Search, Want};
use crate::dns;
use crate::overcord::location::{LocationSettings, RETRY};
use crate::overcord::message::{Message, NodeTimer, Observation, Timer};
use crate::overcord::node::NodeContext;
use crate::overcord::resource_database::{Binding, bindings_of, location_key, location_record};
use crate::overcord::user_agent::At;
use crate::overlay::{OperationId, PutOutcome, Record, Upcall, Upcalls};
use crate::sim::Lift;
use crate::sip::{self, HostPart, Status, Uri};
use crate::time::SimTime;

/// What a server with an embedded peer is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's settings; its domain is the one that its users are copied under.
    pub server: server::Settings,
    /// Users' names in the overlay, and how long their locations last there.
    pub location: LocationSettings,
}

/// A server, and what its peer does for it. It dies with the host.
#[derive(Debug)]
pub struct EmbeddedServer {
    server: Server,
    location: LocationSettings,
    domain: String,
    /// Searches under way.
    searches: BTreeMap<OperationId, Sought>,
    /// Copies under way, by their puts.
    copying: BTreeMap<OperationId, Arc<str>>,
    /// When each user's registrations are to be copied.
    due: BTreeMap<Arc<str>, SimTime>,
}

/// Whom a search is for.
#[derive(Clone, Debug)]
struct Sought {
    search: Search,
    user: Arc<str>,
    /// What it is told where the overlay does not know: of its own users as a registrar does, of the
    /// overlay's as a proxy peer does.
    otherwise: Status,
}

impl EmbeddedServer {
    /// A server that has just been switched on, and knows nobody.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            domain: settings.server.domain.clone(),
            server: Server::new(settings.server),
            location: settings.location,
            searches: BTreeMap::new(),
            copying: BTreeMap::new(),
            due: BTreeMap::new(),
        }
    }

    /// The peer is a member now: all that is registered is copied.
    pub fn joined<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        let now = at.ctx.now();
        self.due.values_mut().for_each(|due| *due = now);
        self.copy(at);
    }

    /// It is time to copy.
    pub fn renew<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        self.copy(at);
    }

    /// A SIP message arrived.
    pub fn receive<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        message: sip::Message,
    ) {
        self.server.receive(&mut as_server(at.ctx), from, message);
        self.attend(at);
    }

    /// A DNS response arrived.
    pub fn receive_dns<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        message: &dns::Message,
    ) {
        self.server.receive_dns(&mut as_server(at.ctx), from, message);
        self.attend(at);
    }

    /// One of the server's timers went off.
    pub fn timer<C: NodeContext>(&mut self, at: &mut At<'_, C>, timer: server::Timer) {
        self.server.timer(&mut as_server(at.ctx), timer);
        self.attend(at);
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: NodeContext>(&mut self, at: &mut At<'_, C>, to: Endpoint) {
        self.server.unreachable(&mut as_server(at.ctx), to);
        self.attend(at);
    }

    /// A get of the overlay ended; the search for it goes on in the server.
    pub fn got<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        id: OperationId,
        record: Option<&Record>,
    ) {
        if let Some(sought) = self.searches.remove(&id) {
            self.found(at, &sought, record);
            self.attend(at);
        }
    }

    /// A put of the overlay ended; one that failed, or that an earlier one overtook, is made up
    /// for soon.
    pub fn put_done<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        id: OperationId,
        outcome: PutOutcome,
    ) {
        let Some(user) = self.copying.remove(&id) else { return };
        let half = self.location.lifetime.mul_f64(0.5);
        let now = at.ctx.now();
        if outcome != PutOutcome::Stored {
            self.copy_at(at, user, now.saturating_add(RETRY.min(half)));
        } else if !self.server.registered(&user, now).is_empty() {
            self.copy_at(at, user, now.saturating_add(half));
        }
    }

    /// Does what the server wants, until it wants nothing more.
    fn attend<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        let mut copies = false;
        loop {
            let wants = self.server.wants();
            if wants.is_empty() {
                break;
            }
            for want in wants {
                match want {
                    Want::Find(search, user) => {
                        let domain = self.location.domain.clone();
                        let otherwise = Status::TEMPORARILY_UNAVAILABLE;
                        self.search(at, Sought { search, user, otherwise }, &domain);
                    }
                    Want::Recall(search, user) => {
                        let (domain, otherwise) = (self.domain.clone(), Status::NOT_FOUND);
                        self.search(at, Sought { search, user, otherwise }, &domain);
                    }
                    Want::Copy(user) => {
                        self.due.insert(user, at.ctx.now());
                        copies = true;
                    }
                }
            }
        }
        if copies {
            self.copy(at);
        }
    }

    fn search<C: NodeContext>(&mut self, at: &mut At<'_, C>, sought: Sought, domain: &str) {
        if !at.plugin.is_member() {
            return self.found(at, &sought, None);
        }
        let key = location_key(&sought.user, domain, self.location.id_bits);
        let (id, upcalls) = at.plugin.dht.get(at.ctx, key);
        self.searches.insert(id, sought);
        self.overlay_upcalls(at, upcalls);
    }

    /// The overlay said where a user is, or that it does not know.
    fn found<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        Sought { search, user, otherwise }: &Sought,
        record: Option<&Record>,
    ) {
        let bindings = record.map_or_else(Vec::new, |record| bindings_of(record, at.ctx.now()));
        let uri = |it: &Binding| Uri::of_user(user, HostPart::Address(it.endpoint.address));
        let targets: Vec<Uri> = bindings.iter().map(uri).collect();
        let targets = if targets.is_empty() { Err(*otherwise) } else { Ok(targets) };
        self.server.found(&mut as_server(at.ctx), *search, targets);
    }

    /// Copies what is due.
    fn copy<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        let now = at.ctx.now();
        if at.plugin.is_member() {
            let due = |(user, &due): (&Arc<str>, &SimTime)| (due <= now).then(|| Arc::clone(user));
            let users: Vec<Arc<str>> = self.due.iter().filter_map(due).collect();
            for user in users {
                self.due.remove(&user);
                self.copy_one(at, user);
            }
        }
        self.set_timer(at.ctx);
    }

    fn copy_one<C: NodeContext>(&mut self, at: &mut At<'_, C>, user: Arc<str>) {
        let now = at.ctx.now();
        let binding =
            |(uri, expires): (Uri, SimTime)| Some(Binding { endpoint: numeric(&uri)?, expires });
        let registered = self.server.registered(&user, now);
        let bindings: Vec<Binding> = registered.into_iter().filter_map(binding).collect();
        let key = location_key(&user, &self.domain, self.location.id_bits);
        let record = location_record(key, &bindings, now, self.location.lifetime);
        let (id, upcalls) = at.plugin.dht.put(at.ctx, record);
        self.copying.insert(id, user);
        self.overlay_upcalls(at, upcalls);
    }

    fn copy_at<C: NodeContext>(&mut self, at: &mut At<'_, C>, user: Arc<str>, when: SimTime) {
        self.due.entry(user).or_insert(when);
        self.set_timer(at.ctx);
    }

    /// The timer stands at the first copy that is to come; what is due already waits for the peer
    /// to be let in.
    fn set_timer<C: NodeContext>(&self, ctx: &mut C) {
        let now = ctx.now();
        match self.due.values().filter(|&&due| due > now).min() {
            Some(&next) => ctx.set(NodeTimer::Relocate.into(), next),
            None => ctx.cancel(NodeTimer::Relocate.into()),
        }
    }

    /// What an operation brought that ended at once.
    fn overlay_upcalls<C: NodeContext>(&mut self, at: &mut At<'_, C>, upcalls: Upcalls) {
        for upcall in upcalls {
            match upcall {
                Upcall::Got { id, record } => self.got(at, id, record.as_ref()),
                Upcall::PutDone { id, outcome } => self.put_done(at, id, outcome),
                // The plug-in manages membership in other inputs.
                _ => {}
            }
        }
    }
}

/// A node's context as that of its server.
fn as_server<C: NodeContext>(
    ctx: &mut C,
) -> Lift<'_, C, Message, server::Timer, server::Observation> {
    ctx.lift()
}

fn numeric(uri: &Uri) -> Option<Endpoint> {
    let uri = uri.sip()?;
    let HostPart::Address(address) = uri.host else { return None };
    Some(address.at(uri.port.unwrap_or(Port::SIP)))
}

impl From<server::Timer> for Timer {
    fn from(timer: server::Timer) -> Self {
        match timer {
            server::Timer::Sip(timer) => Self::Sip(timer),
            server::Timer::Stub(timer) => Self::Locator(timer),
        }
    }
}

impl From<server::Observation> for Observation {
    fn from(observation: server::Observation) -> Self {
        Self::Server(observation)
    }
}
