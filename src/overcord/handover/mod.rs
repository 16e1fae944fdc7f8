//! What a node does about the proxy role: Section V of the paper, with its [policies](super::policy).
//!
//! Inputs: the regular timer, answers to name look-ups and tests, the outcome of an update, and
//! what the plug-in management says about membership. A node with [`Duty::Watch`] runs the
//! discovery layer's procedure when it has joined and then regularly; one with [`Duty::Commanded`]
//! (strategies without tests) plays the role when it is told to. In the order of *listen, record,
//! update* (A3) a proxy peer accepts probes before anybody can find it.

mod binding;
#[cfg(test)]
mod tests;
mod transport;

pub use transport::TransportEvent;

use std::sync::Arc;

use crate::address::Address;
use crate::dns::stub::Stub;
use crate::dns::{ApplicationCache, DomainName};
use crate::dyndns::{ClientSettings, Hostname, UpdateClient};
use crate::http;
use crate::net::tcp::{ConnectionId, Tcp};
use crate::overcord::Observation;
use crate::overcord::discovery::{Discovery, Resolution, Step, Test, Verdict};
use crate::overcord::message::NodeTimer;
use crate::overcord::names::{Asker, Names};
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::{PluginManagement, REJOIN_AFTER};
use crate::overcord::policy::{
    Bootstrap, OnUnresolved, OwnAddress, Policies, Probing, Test1Failure,
};
use crate::overcord::proxy_role::{Claim, Role};
use crate::overcord::resource_database::{Epoch, LIFETIME, proxy_of, proxy_record};
use crate::overcord::user_agent::UserAgent;
use crate::overlay::{OperationId, Record, RingId};
use crate::rng::Dice;
use crate::time::SimDuration;

/// How many connections a node keeps at a time: a proxy peer with a hundred thousand members that
/// probe it every minute has about this many open.
const CONNECTIONS: u16 = 2_048;
/// How often a resolution that did not end is tried again before the overlay record is asked (A1).
const RESOLUTION_RETRIES: u32 = 3;
/// The pause before the first of these; each further one is twice as long.
const RESOLUTION_PAUSE: SimDuration = SimDuration::from_secs(5);

/// Whether a node looks after the proxy role by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It tests the proxy peer and claims the role (Section V).
    Watch,
    /// It plays the role when told to.
    Commanded,
}

/// What all nodes of an overlay are configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether nodes look after the role by themselves.
    pub duty: Duty,
    /// The overlay's domain.
    pub domain: DomainName,
    /// The same, as the update service knows it.
    pub hostname: Hostname,
    /// The name of the update service.
    pub service: DomainName,
    /// Where the overlay's proxy record is stored.
    pub record: RingId,
    /// How long after a claim other caches may still hold the former address: TTL and application
    /// cache together (A25).
    pub settling: SimDuration,
    /// How the proxy peer is tested.
    pub probing: Probing,
    /// What the paper leaves open.
    pub policies: Policies,
    /// How the binding is updated.
    pub client: ClientSettings,
}

/// The state of a node's part in the handover. It dies with the host.
#[derive(Debug)]
pub struct Handover {
    settings: Arc<Settings>,
    own: Address,
    names: Names,
    tcp: Tcp<http::Message>,
    client: UpdateClient,
    discovery: Discovery,
    /// The connection of the test that runs, if it is one of TCP.
    connection: Option<ConnectionId>,
    /// How many echoes have been sent.
    echoes: u16,
    /// Failed procedures in a row.
    failures: u32,
    /// Whether the observer was told of a failed verdict that still stands.
    suspects: bool,
    /// Resolutions in a row that did not end.
    unresolved: u32,
    /// The fetch of the overlay record that is under way.
    fetch: Option<OperationId>,
    role: Role,
    claim: Option<Claim>,
    dice: Dice,
    /// The agent of the node's user, if anybody speaks SIP. It stands here, though the handover does
    /// not concern it, so that what all nodes have stays small.
    pub(super) user_agent: Option<Box<UserAgent>>,
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
        let client = UpdateClient::new(settings.client.clone());
        Self {
            settings,
            own,
            names: Names::new(stub, cache),
            tcp: Tcp::new(CONNECTIONS),
            client,
            discovery: Discovery::default(),
            connection: None,
            echoes: 0,
            failures: 0,
            suspects: false,
            unresolved: 0,
            fetch: None,
            role: Role::default(),
            claim: None,
            dice,
            user_agent: None,
        }
    }

    /// Whether it looks after the role by itself.
    #[must_use]
    pub fn watches(&self) -> bool {
        self.settings.duty == Duty::Watch
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
            let step = self.discovery.begin();
            self.perform(ctx, plugin, step);
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
        let finds_nobody = matches!(verdict, Verdict::Failed(..) | Verdict::OwnAddress);
        if finds_nobody && self.must_wait(ctx, plugin) {
            return;
        }
        match verdict {
            Verdict::Playing(address) => {
                self.failures = 0;
                self.clear_suspicion(ctx);
                if plugin.wants_in() {
                    let upcalls = plugin.join_through(ctx, address);
                    debug_assert!(upcalls.is_empty(), "a join needs an answer to end");
                }
            }
            Verdict::Failed(test, address) => self.test_failed(ctx, plugin, test, address),
            Verdict::OwnAddress => self.found_own_address(ctx, plugin),
            Verdict::NoSuchName => self.claim(ctx, plugin, None),
            Verdict::Unresolved => match self.settings.policies.on_unresolved {
                OnUnresolved::Claim => self.claim(ctx, plugin, None),
                OnUnresolved::Retry => self.retry_resolution(ctx, plugin),
            },
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

    fn test_failed<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        test: Test,
        address: Address,
    ) {
        self.failures += 1;
        let Policies { failures_to_suspect, test1_failure, .. } = self.settings.policies;
        if self.failures < failures_to_suspect {
            return;
        }
        self.failures = 0;
        self.suspects = true;
        ctx.observe(Observation::VerdictFailed(address));
        if test == Test::Reachable && test1_failure == Test1Failure::UpdateOnly {
            self.found_if_outside(ctx, plugin);
            self.begin_update(ctx, Some(address));
        } else {
            self.claim(ctx, plugin, Some(address));
        }
    }

    /// The domain resolves to this node, which does not play the role (A2).
    fn found_own_address<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        match self.settings.policies.own_address {
            OwnAddress::Listen => {
                self.found_if_outside(ctx, plugin);
                self.take_role(ctx, plugin);
            }
            // Test 1 passes on oneself, test 2 does not: nothing listens.
            OwnAddress::Update => {
                self.suspects = true;
                ctx.observe(Observation::VerdictFailed(self.own));
                self.claim(ctx, plugin, Some(self.own));
            }
        }
    }

    /// The domain could not be resolved: again after a pause, then by the overlay record (A1).
    fn retry_resolution<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        self.unresolved += 1;
        if self.unresolved <= RESOLUTION_RETRIES {
            let pause = RESOLUTION_PAUSE * (1 << (self.unresolved - 1));
            ctx.set_after(NodeTimer::Resolve.into(), pause);
            return;
        }
        self.unresolved = 0;
        if plugin.is_asking() {
            // DNS does not help it in: back to the members that it remembers.
            plugin.pause();
            ctx.set_after(NodeTimer::Join.into(), REJOIN_AFTER);
        } else if plugin.is_member() {
            let key = self.settings.record;
            let (id, upcalls) = plugin.dht.get(ctx, key);
            self.fetch = Some(id);
            for upcall in upcalls {
                if let crate::overlay::Upcall::Got { id, record } = upcall {
                    self.got(ctx, plugin, id, record.as_ref());
                }
            }
        }
    }

    /// A fetch from the overlay ended.
    pub fn got<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        id: OperationId,
        record: Option<&Record>,
    ) {
        if self.fetch != Some(id) {
            return;
        }
        self.fetch = None;
        let idle = !self.discovery.is_running() && self.claim.is_none() && !self.role.is_proxy();
        if let Some(address) = record.and_then(proxy_of)
            && idle
        {
            let step = self.discovery.begin_at(address, self.own);
            self.perform(ctx, plugin, step);
        }
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

    /// Listens, puts the record and updates the binding, in this order.
    pub fn claim<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        tested: Option<Address>,
    ) {
        self.found_if_outside(ctx, plugin);
        self.take_role(ctx, plugin);
        self.begin_update(ctx, tested);
    }

    /// Plays the proxy peer from now on.
    pub fn take_role<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if self.role.is_proxy() {
            return;
        }
        self.tcp.listen(self.settings.probing.port);
        self.role = Role::taken(ctx.now());
        self.discovery.abandon();
        self.connection = None;
        for timer in [NodeTimer::Procedure, NodeTimer::Resolve] {
            ctx.cancel(timer.into());
        }
        ctx.observe(Observation::ProxyStarted);
        self.store_record(ctx, plugin);
        self.check_self_later(ctx);
    }

    /// Is an ordinary member from now on.
    pub fn give_up_role<C: NodeContext>(&mut self, ctx: &mut C) {
        if !self.role.is_proxy() {
            return;
        }
        self.tcp.unlisten(&mut ctx.lift::<_, _, Observation>(), self.settings.probing.port);
        self.role = Role::Ordinary;
        for timer in [NodeTimer::SelfCheck, NodeTimer::Renew] {
            ctx.cancel(timer.into());
        }
        ctx.observe(Observation::ProxyStopped);
        self.abandon_claim(ctx);
        self.watch_after(ctx, self.settings.probing.interval);
    }

    /// Puts the overlay's proxy record, and renews it at half of its lifetime.
    pub fn store_record<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        let Role::Proxy { since, .. } = self.role else { return };
        if !self.watches() {
            // Takeover by command sends no message.
            return;
        }
        ctx.set_after(NodeTimer::Renew.into(), LIFETIME.mul_f64(0.5));
        if plugin.is_member() {
            let port = self.settings.probing.port;
            let record = proxy_record(self.settings.record, self.own, port, Epoch::of(since));
            // Whether it was stored changes nothing: the record is written, not relied upon (A15).
            let _ = plugin.dht.put(ctx, record);
        }
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
            Asker::Claim => self.resolved_service(ctx, found),
            Asker::SelfCheck => self.checked_self(ctx, found),
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
        if !self.discovery.is_running() && self.claim.is_none() && !self.role.is_proxy() {
            let step = self.discovery.begin();
            self.perform(ctx, plugin, step);
        }
    }
}
