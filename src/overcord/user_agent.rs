//! The user agent of a node (paper, Fig. 3), and the SIP side of the proxy role.
//!
//! A node has one user, whose address of record is a name in the overlay's domain. The user's
//! location is a [record](super::resource_database) of the overlay: stored when the node is a member,
//! renewed at half of its lifetime, and left behind when the node goes, be it gracefully (A18): until
//! it expires, callers of that user wait for an answer in vain.
//!
//! Requests that arrive are for the user, or the node plays the proxy peer and passes them on (P9):
//! to where the overlay says that a user of its domain is, to all of that user's bindings at once,
//! or along a route. For organisations whose servers it stands in for it does the same with what those
//! have copied into the overlay; it is no registrar: who has to register waits for the server. A user
//! without a binding is told as 480: the overlay keeps no list of its users, so that one who is away,
//! one who does not exist and a look-up that failed are the same to it (A19). A node that does not play
//! answers 404 to what is not for its user (A20), unless it has played until just now and goes on to
//! pass requests on for a while.
//! Requests of the user to the own domain are sent straight to the binding that the overlay holds;
//! those to other domains follow RFC 3263 (P12), but for those of other overlays that some node
//! [bridges](super::bridge).
//!
//! * `relay`: a node that has addresses on a relay, or is one. `voice`: what is said in calls.
//!
//! Left out: an outbound proxy, presence servers in the overlay (a node answers for its own user).

pub mod relay;
mod voice;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::conventional::names::{AsLocator, Names};
use crate::dns::stub::Stub;
use crate::overcord::beside::Place;
use crate::overcord::bridge::{self, Bridge};
use crate::overcord::location::{LocationSettings, Registration};
use crate::overcord::message::{NodeTimer, Observation, Timer};
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::user_agent::relay::{Side, wire};
use crate::overcord::user_agent::voice::Voice;
use crate::overlay::{OperationId, PutOutcome, Record, Upcall as OverlayUpcall, Upcalls};
use crate::rng::Dice;
use crate::rtp;
use crate::sip::agent::{self, Action, Agent, AgentSettings};
use crate::sip::locate::Options;
use crate::sip::profile::Rules;
use crate::sip::proxy::{self, Proxy, ProxySettings, RecordRoute, preprocess_route};
use crate::sip::transaction::{Event, Owner, Transactions};
use crate::sip::uri::SipUri;
use crate::sip::{self, HostPart, Message, Method, RequestKey, Status, Uri};
use crate::time::SimTime;

mod locating;
mod moving;
mod probe;

use locating::name_of;
use probe::Probe;

/// How all user agents of an overlay are set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Users' names in the overlay, and how long their locations last there.
    pub location: LocationSettings,
    /// What the proxy peer writes into `Record-Route` (A16).
    pub record_route: RecordRoute,
    /// How conventional servers are located.
    pub options: Options,
    /// The timers of its transactions.
    pub rules: Rules,
    /// The domains of other overlays, whose users are reached through nodes that are in both.
    pub bridged: Vec<HostPart>,
    /// The relay, if there is one.
    pub relay: Option<relay::Settings>,
    /// How users talk, if anything is said in calls.
    pub media: Option<rtp::Settings>,
}

/// What a member is made of that has a user.
#[derive(Debug)]
pub struct Parts {
    /// How all are set up.
    pub settings: Arc<Settings>,
    /// The name of its user.
    pub user: Arc<str>,
    /// Where it is.
    pub own: Address,
    /// The stub resolver for conventional domains.
    pub stub: Stub,
    /// What it is to the relay.
    pub relay: Option<relay::Part>,
    /// For branches, tags and Call-IDs, for the choice among services, for phases, and for
    /// transactions with the relay.
    pub dice: [Dice; 7],
}

/// The user agent of a node with its transactions, and the proxy that it can be.
#[derive(Debug)]
pub struct UserAgent {
    settings: Arc<Settings>,
    user: Arc<str>,
    own: Address,
    /// Where it was before.
    former: Vec<Address>,
    tx: Transactions,
    agent: Agent,
    proxy: Proxy,
    names: Names<Asker>,
    registration: Registration,
    /// Look-ups of other users' locations, and of bridging nodes, in this overlay or in one beside.
    fetches: BTreeMap<(Option<Place>, OperationId), Asker>,
    /// Its entries as a bridging node, if it is one.
    bridge: Option<Box<Bridge>>,
    /// Its side of the relay, if it has any.
    side: Option<Box<Side>>,
    voice: Option<Box<Voice>>,
    /// Whether another host's user agent is there.
    probe: Probe,
    /// Until when it passes requests on as a proxy peer does, though its node plays no more (A20).
    forwards_until: SimTime,
}

/// Who wants to know where something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// The user agent.
    Agent(agent::Ticket),
    /// The proxy: the bindings of this user.
    Targets(proxy::Ticket, Arc<str>),
    /// The proxy: a next hop.
    Hop(proxy::Ticket),
    /// One of these, who wants to reach a user of another overlay: a node that is in both.
    Bridge(Box<Asker>, Uri),
    /// The relay's client: whom it is to let in.
    Relay,
}

/// What a node's user agent works with: the context of its node, the overlay, and whether the node
/// plays the proxy peer.
pub struct At<'a, C> {
    /// The node's context.
    pub ctx: &'a mut C,
    /// The overlay.
    pub plugin: &'a mut PluginManagement,
    /// Whether the node plays the proxy peer now.
    pub is_proxy: bool,
}

impl UserAgent {
    /// A user agent that has just been switched on.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { settings, user, own, stub, relay, dice } = parts;
        let [for_transactions, for_agent, for_proxy, for_names, for_location, relays @ ..] = dice;
        let endpoint = own.at(Port::SIP);
        let domain = HostPart::name(&settings.location.domain);
        let aor = Uri::of_user(&user, domain.clone());
        let backed = settings.location.backed.iter().map(|name| HostPart::name(name));
        let served = std::iter::once(domain).chain(backed).collect();
        let mut proxy = ProxySettings::new(endpoint, served, settings.rules);
        proxy.record_route = settings.record_route.clone();
        Self {
            tx: Transactions::new(
                settings.rules,
                endpoint,
                HostPart::Address(own),
                for_transactions,
            ),
            agent: Agent::new(AgentSettings::new(aor, endpoint), for_agent),
            proxy: Proxy::new(proxy, for_proxy),
            names: Names::new(stub, None, settings.options, for_names),
            registration: Registration::new(for_location),
            fetches: BTreeMap::new(),
            bridge: None,
            side: Side::of(settings.relay.as_ref(), relay, endpoint, relays),
            voice: settings.media.map(|media| Box::new(Voice::new(media))),
            probe: Probe::default(),
            forwards_until: SimTime::ZERO,
            settings,
            user,
            own,
            former: Vec::new(),
        }
    }

    /// The node is a member of an overlay now: its user's location is stored there. `placed` says
    /// that it stands in one that was created as a whole.
    pub fn joined<C: NodeContext>(&mut self, at: &mut At<'_, C>, placed: bool) {
        let upcalls = self.registration.begin(at, &self.settings.location, &self.user, placed);
        self.overlay_upcalls(at, None, upcalls);
        self.renew_entries(at);
        self.seek_relay(at);
    }

    /// The node is a member of another overlay as well now, at this place: it says so in both.
    pub fn bridges<C: NodeContext>(&mut self, at: &mut At<'_, C>, place: Place) {
        // Who asks where a domain's users are replaces the URI by what is found (RFC 3261 §16.5).
        if let Some(others) = at.plugin.others() {
            self.proxy.serve_also(HostPart::name(&others.description(place).domain));
        }
        let bridge = self.bridge.get_or_insert_default();
        let ended = bridge.enter(at.ctx, at.plugin, place);
        at.ctx.set_after(NodeTimer::Bridge.into(), bridge::LIFETIME.mul_f64(0.5));
        for (place, upcalls) in ended {
            self.overlay_upcalls(at, place, upcalls);
        }
    }

    /// The entries of a bridging node are to be stored again.
    pub fn renew_entries<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        if self.bridge.is_none() {
            return;
        }
        let domains = self.settings.bridged.iter().filter_map(name_of);
        let places: Vec<Place> =
            domains.filter_map(|domain| at.plugin.others()?.by_domain(domain)).collect();
        for place in places {
            self.bridges(at, place);
        }
        at.ctx.set_after(NodeTimer::Bridge.into(), bridge::LIFETIME.mul_f64(0.5));
    }

    /// The location is to be stored again.
    pub fn renew<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        if at.plugin.is_member() {
            self.joined(at, false);
        }
    }

    /// Its node plays the proxy peer no more, and it goes on to pass requests on until then.
    pub fn forward_until(&mut self, end: SimTime) {
        self.forwards_until = end;
    }

    /// The user does this.
    pub fn act<C: NodeContext>(&mut self, at: &mut At<'_, C>, action: Action) {
        if action == Action::Register {
            // Users of the overlay register in it.
            return self.renew(at);
        }
        let upcalls = match action {
            // There is no presence server: who watches is told by the user agent itself.
            Action::Publish { open } => {
                self.agent.show(&mut wire(at.ctx, &mut self.side), &mut self.tx, open)
            }
            other => self.agent.act(&mut wire(at.ctx, &mut self.side), &mut self.tx, other),
        };
        self.agent_upcalls(at, upcalls);
    }

    /// A SIP message arrived.
    pub fn receive<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        message: Message,
    ) {
        let event = self.tx.receive(&mut wire(at.ctx, &mut self.side), from, message);
        if let Some(event) = event {
            self.take(at, event);
        }
    }

    /// One of its timers went off.
    pub fn timer<C: NodeContext>(&mut self, at: &mut At<'_, C>, timer: sip::Timer) {
        match timer {
            sip::Timer::Transactions => {
                for event in self.tx.timer(&mut wire(at.ctx, &mut self.side)) {
                    self.take(at, event);
                }
            }
            sip::Timer::Agent => {
                let upcalls = self.agent.timer(&mut wire(at.ctx, &mut self.side), &mut self.tx);
                self.agent_upcalls(at, upcalls);
            }
            sip::Timer::Proxy => {
                let upcalls = self.proxy.timer(&mut wire(at.ctx, &mut self.side), &mut self.tx);
                self.proxy_upcalls(at, upcalls);
            }
            sip::Timer::Registrar | sip::Timer::Presence => {
                unreachable!("a node is neither registrar nor presence server")
            }
        }
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: NodeContext>(&mut self, at: &mut At<'_, C>, to: Endpoint) {
        for event in self.tx.unreachable(&mut wire(at.ctx, &mut self.side), to) {
            self.take(at, event);
        }
    }

    /// A DNS response arrived; what is not for the user agent is ignored.
    pub fn receive_dns<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        message: &crate::dns::Message,
    ) {
        if let Some(located) =
            self.names.receive(&mut AsLocator::by(&mut *at.ctx, Timer::Locator), from, message)
        {
            self.placed(at, located.ticket, located.places);
        }
    }

    /// The timer of its stub resolver went off.
    pub fn stub_timer<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        timer: crate::dns::stub::Timer,
    ) {
        if let Some(located) =
            self.names.timer(&mut AsLocator::by(&mut *at.ctx, Timer::Locator), timer)
        {
            self.placed(at, located.ticket, located.places);
        }
    }

    /// An operation of the overlay ended; what is not the user agent's is ignored.
    pub fn got<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        place: Option<Place>,
        id: OperationId,
        record: Option<&Record>,
    ) {
        if let Some(asker) = self.fetches.remove(&(place, id)) {
            return self.found(at, asker, record);
        }
        let places = (self.contact(), &*self.former);
        let bridge = self.bridge.as_mut();
        let ended = bridge.and_then(|it| it.got(at.ctx, at.plugin, (place, id), record, places));
        if let Some(upcalls) = ended {
            return self.overlay_upcalls(at, place, upcalls);
        }
        if place.is_some() {
            return;
        }
        let settings = &self.settings.location;
        let upcalls = self.registration.got(at, settings, id, record, places);
        self.overlay_upcalls(at, None, upcalls);
    }

    /// A put of the overlay ended; what is not the user agent's is ignored.
    pub fn put_done<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        place: Option<Place>,
        id: OperationId,
        outcome: PutOutcome,
    ) {
        let bridge = self.bridge.as_mut();
        if bridge.is_some_and(|bridge| bridge.put_done(place, id)) || place.is_some() {
            return;
        }
        self.registration.put_done(at.ctx, &self.settings.location, id, outcome);
    }

    /// What an operation brought that ended at once.
    fn overlay_upcalls<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        place: Option<Place>,
        upcalls: Upcalls,
    ) {
        for upcall in upcalls {
            match upcall {
                OverlayUpcall::Got { id, record } => self.got(at, place, id, record.as_ref()),
                OverlayUpcall::PutDone { id, outcome } => self.put_done(at, place, id, outcome),
                // The plug-in manages membership in other inputs.
                _ => {}
            }
        }
    }

    /// Hands an event of the transactions to the core that it is for.
    fn take<C: NodeContext>(&mut self, at: &mut At<'_, C>, event: Event) {
        let Some(event) = self.probe.take(event) else { return };
        let is_proxy = at.is_proxy || at.ctx.now() < self.forwards_until;
        match event {
            Event::Request { server, mut request, from } => {
                let (own, location) = (self.own, &self.settings.location);
                preprocess_route(&mut request, |uri| is_own(uri, own, location, is_proxy));
                if self.agent.is_addressed(&request) {
                    self.hand_to_agent(at, Event::Request { server, request, from });
                } else if probe::is_for_node(&request, own) {
                    self.answer_probe(at.ctx, server, &request);
                } else if is_proxy || self.passes_on(at, &request.uri) {
                    self.hand_to_proxy(at, Event::Request { server, request, from });
                } else {
                    let tag = "unknown-user";
                    let response = request.respond(Status::NOT_FOUND, Some(tag));
                    self.tx.respond(&mut wire(at.ctx, &mut self.side), server, response);
                }
            }
            Event::Ack { mut request, from } => {
                let (own, location) = (self.own, &self.settings.location);
                preprocess_route(&mut request, |uri| is_own(uri, own, location, is_proxy));
                if self.agent.is_addressed(&request) {
                    self.hand_to_agent(at, Event::Ack { request, from });
                } else if is_proxy || self.passes_on(at, &request.uri) {
                    self.hand_to_proxy(at, Event::Ack { request, from });
                }
            }
            Event::Cancelled { .. } => {
                self.hand_to_proxy(at, event.clone());
                self.hand_to_agent(at, event);
            }
            Event::Response { owner: Owner::Proxy(_), .. }
            | Event::Failed { owner: Owner::Proxy(_), .. }
            | Event::StrayResponse(_) => self.hand_to_proxy(at, event),
            Event::Response { .. } | Event::Failed { .. } | Event::Unacknowledged { .. } => {
                self.hand_to_agent(at, event);
            }
        }
    }

    fn hand_to_agent<C: NodeContext>(&mut self, at: &mut At<'_, C>, event: Event) {
        let upcalls = self.agent.event(&mut wire(at.ctx, &mut self.side), &mut self.tx, event);
        self.agent_upcalls(at, upcalls);
    }

    fn hand_to_proxy<C: NodeContext>(&mut self, at: &mut At<'_, C>, event: Event) {
        let upcalls = self.proxy.event(&mut wire(at.ctx, &mut self.side), &mut self.tx, event);
        self.proxy_upcalls(at, upcalls);
    }

    fn agent_upcalls<C: NodeContext>(&mut self, at: &mut At<'_, C>, upcalls: agent::Upcalls) {
        for upcall in upcalls {
            self.attend(at, &upcall);
            match upcall {
                agent::Upcall::Locate { ticket, next_hop, .. } => {
                    self.locate(at, Asker::Agent(ticket), &next_hop);
                }
                agent::Upcall::Received { key, .. } if at.is_proxy => {
                    at.ctx.observe(Observation::Served(key));
                    at.ctx.observe(Observation::User(Box::new(upcall)));
                }
                told => at.ctx.observe(Observation::User(Box::new(told))),
            }
        }
    }

    fn proxy_upcalls<C: NodeContext>(&mut self, at: &mut At<'_, C>, upcalls: proxy::Upcalls) {
        for upcall in upcalls {
            match upcall {
                proxy::Upcall::Targets { ticket, aor } => self.find_user(at, ticket, &aor),
                proxy::Upcall::Locate { ticket, next_hop, .. } => {
                    self.locate(at, Asker::Hop(ticket), &next_hop);
                }
                proxy::Upcall::Forwarded { key, method, .. } => served(at, key, &method),
                proxy::Upcall::Answered { key, .. } => served(at, key, &Method::Invite),
                proxy::Upcall::Unanswered { .. } | proxy::Upcall::Abandoned { .. } => {}
            }
        }
    }
}

/// Whether an entry of a route means this node: its address, or, while it plays the proxy peer, the
/// overlay's name, or that of a domain that it stands in for.
fn is_own(uri: &SipUri, own: Address, location: &LocationSettings, is_proxy: bool) -> bool {
    let LocationSettings { domain, backed, .. } = location;
    match &uri.host {
        HostPart::Address(address) => *address == own,
        HostPart::Name(name) => {
            is_proxy && std::iter::once(domain).chain(backed).any(|it| **it == **name)
        }
        HostPart::Ipv6(_) => false,
    }
}

/// A proxy peer passed a request on, or answered it.
fn served<C: NodeContext>(at: &mut At<'_, C>, key: RequestKey, method: &Method) {
    if at.is_proxy && *method != Method::Ack {
        at.ctx.observe(Observation::Served(key));
    }
}
