//! What a node does about the proxy role: Section V of the paper.
//!
//! Inputs: the regular timer, answers to name look-ups and tests, the outcome of an update, and
//! what the plug-in management says about membership. What they mean for the role a [`Strategy`]
//! decides, of which each node has one; here is what all strategies have in common, and what their
//! [moves](strategy::Move) are made of. A node whose strategy watches runs the discovery layer's
//! procedure when it has joined and then regularly; others play the role when they are told to. In
//! the order of *listen, record, update* (A3) a proxy peer accepts probes before anybody can find
//! it.

mod binding;
mod daemon;
mod moves;
mod moving;
mod referral;
pub mod strategy;
#[cfg(test)]
mod tests;
mod timers;
mod transport;
pub mod update;

pub use strategy::Strategy;
pub use transport::TransportEvent;

use std::sync::Arc;

use crate::address::{Address, Endpoint};
use crate::dns::stub::Stub;
use crate::dns::{ApplicationCache, Binding, DomainName};
use crate::dyndns::{Daemon, DaemonCache, DaemonSettings};
use crate::http;
use crate::net::tcp::{ConnectionId, Tcp};
use crate::overcord::Observation;
use crate::overcord::discovery::{Discovery, Resolution, Step, Verdict};
use crate::overcord::handover::referral::Referral;
use crate::overcord::handover::strategy::Event;
use crate::overcord::handover::update::{Client, Protocol};
use crate::overcord::message::NodeTimer;
use crate::overcord::names::{Asker, Names};
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::{PluginManagement, REJOIN_AFTER};
use crate::overcord::policy::{Bootstrap, ExProxy, HostFirewall, Policies, Probing};
use crate::overcord::proxy_role::{Claim, Role};
use crate::overcord::resource_database::Epoch;
use crate::overcord::user_agent::UserAgent;
use crate::overlay::{OperationId, RingId};
use crate::rng::Dice;
use crate::time::SimDuration;

/// How many connections a node keeps at a time: a proxy peer with a hundred thousand members that
/// probe it every minute has about this many open.
const CONNECTIONS: u16 = 2_048;
/// How often a resolution that did not end is tried again before the overlay record is asked (A1).
const RESOLUTION_RETRIES: u32 = 3;
/// The pause before the first of these; each further one is twice as long.
const RESOLUTION_PAUSE: SimDuration = SimDuration::from_secs(5);

/// What all nodes of an overlay are configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What decides about the role: each node starts with it afresh.
    pub strategy: Arc<dyn Strategy>,
    /// The overlay's domain.
    pub domain: DomainName,
    /// What stands in DNS for it.
    pub binding: Binding,
    /// The authority for it.
    pub authority: Endpoint,
    /// The name of whom updates are sent to: the update service, or the zone's primary.
    pub service: DomainName,
    /// Where the overlay's proxy record is stored.
    pub record: RingId,
    /// How long after a claim other caches may still hold the former address: TTL and application
    /// cache together (A25).
    pub settling: SimDuration,
    /// How long who has stepped aside serves on for those who still find it: until no resolver
    /// names it any more, nor an application cache that forgets.
    pub retirement: SimDuration,
    /// How the proxy peer is tested.
    pub probing: Probing,
    /// What the paper leaves open.
    pub policies: Policies,
    /// How the binding is updated.
    pub protocol: Protocol,
    /// Which daemon updates it, where nodes leave that to one.
    pub daemon: Option<DaemonSettings>,
}

/// The state of a node's part in the handover. It dies with the host.
#[derive(Debug)]
pub struct Handover {
    settings: Arc<Settings>,
    own: Address,
    firewall: HostFirewall,
    names: Names,
    tcp: Tcp<http::Message>,
    client: Client,
    /// The daemon that updates the binding, if nodes leave that to one.
    daemon: Option<Daemon>,
    discovery: Discovery,
    /// The connection of the test that runs, if it is one of TCP.
    connection: Option<ConnectionId>,
    /// How many echoes have been sent.
    echoes: u16,
    /// Whom the strategy wants tested, if it asked for the test that runs.
    asked: Option<Address>,
    /// Failed procedures in a row.
    failures: u32,
    /// Whether the observer was told of a failed verdict that still stands.
    suspects: bool,
    /// Resolutions in a row that did not end.
    unresolved: u32,
    /// The fetch of the overlay record that is under way.
    fetch: Option<Fetch>,
    /// The put of the overlay record that is under way.
    put: Option<OperationId>,
    /// The look-up of who may claim that is under way (A14).
    referral: Option<Referral>,
    strategy: Box<dyn Strategy>,
    /// The proxy peer through which the strategy wants to join.
    pub(super) rejoin: Option<Address>,
    role: Role,
    rank: Rank,
    claim: Option<Claim>,
    dice: Dice,
    /// The agent of the node's user, if anybody speaks SIP. It stands here, though the handover does
    /// not concern it, so that what all nodes have stays small.
    pub(super) user_agent: Option<Box<UserAgent>>,
}

/// Which of those that play a node is; it means nothing while it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rank {
    /// The preferred one, or the only one.
    First,
    /// It stands by behind another.
    Behind,
    /// It will leave, and others play instead.
    Retired,
}

/// A fetch of the overlay's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    /// It names whom to test in place of a name that could not be resolved (A1).
    Test(OperationId),
    /// It names whom to test in place of the name (A15).
    Locate(OperationId),
    /// The strategy wants to know.
    Tell(OperationId),
}

impl Handover {
    /// The handover part of a node that has just started under this address.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        own: Address,
        stub: Stub,
        cache: ApplicationCache,
        dice: Dice,
    ) -> Self {
        let client = Client::new(&settings.protocol, dice);
        let strategy = settings.strategy.fresh();
        let daemon = settings.daemon.map(|it| Daemon::new(it, DaemonCache::default()));
        Self {
            settings,
            own,
            firewall: HostFirewall::Answers,
            names: Names::new(stub, cache),
            tcp: Tcp::new(CONNECTIONS),
            client,
            daemon,
            discovery: Discovery::default(),
            connection: None,
            echoes: 0,
            asked: None,
            failures: 0,
            suspects: false,
            unresolved: 0,
            fetch: None,
            put: None,
            referral: None,
            strategy,
            rejoin: None,
            role: Role::default(),
            rank: Rank::First,
            claim: None,
            dice,
            user_agent: None,
        }
    }

    /// The same on a host with this firewall.
    #[must_use]
    pub fn behind(self, firewall: HostFirewall) -> Self {
        Self { firewall, ..self }
    }

    /// Whether it looks after the role by itself.
    #[must_use]
    pub fn watches(&self) -> bool {
        self.strategy.watches()
    }

    /// Whether it plays the proxy peer.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        self.role.is_proxy()
    }

    /// What the paper leaves open, decided.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.settings.policies
    }

    /// The regular procedure begins after this span for the first time.
    pub fn watch_after<C: NodeContext>(&mut self, ctx: &mut C, first: SimDuration) {
        if self.watches() && !self.role.is_proxy() {
            ctx.set_after(NodeTimer::Procedure.into(), first);
        }
    }

    /// Begins a procedure and schedules the next one, from start to start. One that still runs goes
    /// on, and a node that plays the role or claims the binding tests nobody.
    pub fn procedure<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if !self.watches() || self.role.is_proxy() {
            return;
        }
        if !plugin.is_member() && !plugin.is_asking() {
            // It is on its way in; being let in begins the procedures.
            return;
        }
        let Probing { interval, jitter, .. } = self.settings.probing;
        let factor = 1.0 + jitter * (2.0 * self.dice.unit() - 1.0);
        ctx.set_after(NodeTimer::Procedure.into(), interval.mul_f64(factor));
        if self.claim.is_none() && !self.discovery.is_running() {
            self.look(ctx, plugin);
        }
    }

    /// The node was let into an overlay; `tested` says whether through the proxy peer, which has
    /// passed its tests then.
    pub fn joined<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        tested: bool,
    ) {
        if self.role.is_proxy() {
            self.store_record(ctx, plugin);
        } else if tested {
            self.watch_after(ctx, self.settings.probing.interval);
        } else {
            self.procedure(ctx, plugin);
        }
    }

    /// Takes the steps that the discovery layer asks for, until it has to wait.
    fn perform<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement, first: Step) {
        let mut next = Some(first);
        while let Some(step) = next {
            next = match step {
                Step::Resolve => {
                    let domain = &self.settings.domain;
                    let known = self.names.resolve(
                        &mut ctx.lift::<_, _, Observation>(),
                        Asker::Discovery,
                        domain,
                    );
                    known.and_then(|known| self.discovery.resolved(known, self.own))
                }
                Step::Test(test, address) => self
                    .start_test(ctx, test, address)
                    .and_then(|passed| self.discovery.tested(test, address, passed)),
                Step::Done(verdict) => {
                    self.conclude(ctx, plugin, verdict);
                    None
                }
            };
        }
    }

    /// Acts on a verdict of the discovery layer.
    fn conclude<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        verdict: Verdict,
    ) {
        if verdict != Verdict::Unresolved {
            self.unresolved = 0;
        }
        // A test that the strategy asked for ends in an event of its own, whatever it says.
        let asked = self.asked.take();
        let finds_nobody = matches!(verdict, Verdict::Failed(..) | Verdict::OwnAddress);
        if asked.is_none() && finds_nobody && self.must_wait(ctx, plugin) {
            return;
        }
        let event = match verdict {
            Verdict::Playing(address) => {
                self.failures = 0;
                self.clear_suspicion(ctx);
                if plugin.wants_in() {
                    let upcalls = plugin.join_through(ctx, address);
                    debug_assert!(upcalls.is_empty(), "a join needs an answer to end");
                }
                match asked {
                    Some(_) => Event::Tested { address, plays: true },
                    None => Event::Playing(address),
                }
            }
            _ if let Some(address) = asked => Event::Tested { address, plays: false },
            Verdict::Failed(test, address) => {
                self.failures += 1;
                if self.failures < self.settings.policies.failures_to_suspect {
                    return;
                }
                self.failures = 0;
                Event::TestFailed(test, address)
            }
            Verdict::OwnAddress => Event::OwnAddress,
            Verdict::NoSuchName => Event::NoSuchName,
            Verdict::Unresolved => Event::Unresolved,
        };
        if !self.refers(ctx, plugin, event) {
            self.decide(ctx, plugin, event);
        }
    }

    /// A node that nobody lets in, and that finds no proxy peer, leaves its replacement to the
    /// members for two probe intervals: then it has to believe that there are none. True when it
    /// goes on waiting.
    fn must_wait<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) -> bool {
        let patience = self.settings.probing.interval * 2;
        let waits = plugin.is_asking()
            && self.settings.policies.bootstrap == Bootstrap::Cached
            && !plugin.has_waited(ctx.now(), patience);
        if waits {
            plugin.pause();
            ctx.set_after(NodeTimer::Join.into(), REJOIN_AFTER);
        }
        waits
    }

    fn clear_suspicion<C: NodeContext>(&mut self, ctx: &mut C) {
        if std::mem::take(&mut self.suspects) {
            ctx.observe(Observation::VerdictCleared);
        }
    }

    fn found_if_outside<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if !plugin.is_asking() {
            return;
        }
        let upcalls = plugin.found(ctx);
        debug_assert!(upcalls.len() <= 1, "founding succeeds at once");
        // Its user's location is the first that the overlay stores.
        ctx.set_after(NodeTimer::Relocate.into(), SimDuration::ZERO);
    }

    /// The node founded the overlay as it started.
    pub fn founded<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        self.decide(ctx, plugin, Event::Founded);
    }

    /// Plays the proxy peer from now on, because it is told to.
    pub fn take_role<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        let epoch = Epoch::of(ctx.now());
        self.play(ctx, plugin, epoch, true);
        self.decide(ctx, plugin, Event::Told);
    }

    /// Plays the proxy peer from now on, and says so in the overlay if that is wanted.
    fn play<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        epoch: Epoch,
        on_record: bool,
    ) {
        if self.role.is_proxy() {
            return;
        }
        self.tcp.listen(self.settings.probing.port);
        (self.role, self.rank) = (Role::taken(epoch), Rank::First);
        self.discovery.abandon();
        (self.connection, self.asked) = (None, None);
        for timer in [NodeTimer::Procedure, NodeTimer::Resolve] {
            ctx.cancel(timer.into());
        }
        ctx.observe(Observation::ProxyStarted);
        if on_record {
            self.store_record(ctx, plugin);
        }
        self.check_self_later(ctx);
    }

    /// Is an ordinary member from now on.
    pub fn give_up_role<C: NodeContext>(&mut self, ctx: &mut C) {
        if !self.role.is_proxy() {
            return;
        }
        self.tcp.unlisten(&mut ctx.lift::<_, _, Observation>(), self.settings.probing.port);
        self.role = Role::Ordinary;
        if let (ExProxy::Forwards, Some(user)) =
            (self.settings.policies.ex_proxy, self.user_agent.as_deref_mut())
        {
            user.forward_until(ctx.now().saturating_add(self.settings.binding.ttl()));
        }
        for timer in [NodeTimer::SelfCheck, NodeTimer::Renew] {
            ctx.cancel(timer.into());
        }
        ctx.observe(Observation::ProxyStopped);
        self.abandon_claim(ctx);
        self.watch_after(ctx, self.settings.probing.interval);
    }

    /// A DNS response or the stub's timer ended a resolution.
    pub fn resolved<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        asker: Asker,
        found: Resolution,
    ) {
        match asker {
            Asker::Claim => self.resolved_service(ctx, plugin, found),
            Asker::SelfCheck => self.checked_self(ctx, plugin, found),
            Asker::Authority => self.decide(ctx, plugin, Event::Authority(found)),
            Asker::Set => {
                let answer = self.names.answer();
                self.set_found(ctx, plugin, &answer);
            }
            Asker::Discovery => {
                if let Some(step) = self.discovery.resolved(found, self.own) {
                    self.perform(ctx, plugin, step);
                }
            }
        }
    }

    /// The names that it resolves.
    pub fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Begins the procedure again after a resolution that did not end.
    pub fn resolve_again<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if self.is_idle() {
            let step = self.discovery.begin();
            self.perform(ctx, plugin, step);
        }
    }
}
