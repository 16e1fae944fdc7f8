//! Moves: what a [strategy](super::strategy) wants done, and how its node does it.

use crate::dns::Answer;
use crate::overcord::Observation;
use crate::overcord::handover::strategy::{Event, Move, PeerSet, ProxyRecord, View};
use crate::overcord::handover::update::Wanted;
use crate::overcord::handover::{Fetch, Handover, RESOLUTION_PAUSE, RESOLUTION_RETRIES, Rank};
use crate::overcord::message::NodeTimer;
use crate::overcord::names::Asker;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::{PluginManagement, REJOIN_AFTER};
use crate::overcord::policy::OverlayRecord;
use crate::overcord::proxy_role::Role;
use crate::overcord::resource_database::{Epoch, proxy_of, proxy_record};
use crate::overlay::{OperationId, PutOutcome, Record, Upcall, Upcalls};
use crate::time::SimDuration;

impl Handover {
    /// Lets the strategy decide about what has happened, and carries that out.
    pub(super) fn decide<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        event: Event,
    ) {
        let view = View {
            now: ctx.now(),
            own: self.own,
            is_proxy: self.role.is_proxy(),
            is_claiming: self.claim.is_some(),
            is_member: plugin.is_member(),
            settings: &self.settings,
        };
        for step in self.strategy.on(event, &view) {
            self.make(ctx, plugin, step);
        }
    }

    fn make<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement, step: Move) {
        match step {
            Move::Suspect(address) => {
                self.suspects = true;
                ctx.observe(Observation::VerdictFailed(address));
            }
            Move::Clear => self.clear_suspicion(ctx),
            Move::TakeRole(epoch) => {
                self.found_if_outside(ctx, plugin);
                self.play(ctx, plugin, epoch, true);
            }
            Move::Listen(epoch) => {
                self.found_if_outside(ctx, plugin);
                self.play(ctx, plugin, epoch, false);
            }
            Move::Renew(epoch) => {
                self.role = Role::taken(epoch);
                ctx.set_after(NodeTimer::Renew.into(), SimDuration::ZERO);
                self.check_self_later(ctx);
            }
            Move::GiveUp => self.give_up_role(ctx),
            Move::Update { tested } => {
                self.found_if_outside(ctx, plugin);
                let wanted = Wanted::claim(self.own, tested, &self.settings.protocol);
                self.begin_update(ctx, plugin, wanted);
            }
            Move::Publish(wanted) => {
                self.found_if_outside(ctx, plugin);
                self.begin_update(ctx, plugin, wanted);
            }
            Move::Fetch => self.fetch_record(ctx, plugin, Fetch::Tell),
            Move::Put(epoch) => self.put_record(ctx, plugin, epoch),
            Move::AskAuthority => {
                let (authority, domain) = (self.settings.authority, &self.settings.domain);
                let ctx = &mut ctx.lift::<_, _, Observation>();
                self.names.resolve_at(ctx, Asker::Authority, authority, domain);
            }
            Move::Test(address) => {
                self.asked = Some(address);
                let step = self.discovery.confirm(address, self.own);
                self.perform(ctx, plugin, step);
            }
            Move::Rejoin(proxy) => {
                self.rejoin = Some(proxy);
                ctx.set_after(NodeTimer::Rejoin.into(), SimDuration::ZERO);
            }
            Move::ResolveAgain => self.retry_resolution(ctx, plugin),
            Move::Wait(span) => ctx.set_after(NodeTimer::Wait.into(), span),
            Move::AskSet { past_caches } => self.ask_set(ctx, past_caches),
            Move::Lead => self.rank(ctx, Rank::First),
            Move::StandBy => self.rank(ctx, Rank::Behind),
            Move::Retire => self.rank(ctx, Rank::Retired),
        }
    }

    /// Asks for all of the binding.
    fn ask_set<C: NodeContext>(&mut self, ctx: &mut C, past_caches: bool) {
        let server = past_caches.then_some(self.settings.authority);
        let question = self.settings.binding.question();
        self.names.ask(&mut ctx.lift::<_, _, Observation>(), Asker::Set, server, question);
    }

    /// It was answered who is in the binding.
    pub(super) fn set_found<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        answer: &Answer,
    ) {
        let known = *answer != Answer::Failure;
        let set = known.then(|| PeerSet::of_all(self.settings.binding.addresses(answer)));
        self.decide(ctx, plugin, Event::Set(set));
    }

    /// A node that plays has this rank now among those that do; the observer is told of a change.
    fn rank<C: NodeContext>(&mut self, ctx: &mut C, rank: Rank) {
        if !self.role.is_proxy() || self.rank == rank {
            return;
        }
        self.rank = rank;
        ctx.observe(match rank {
            Rank::First => Observation::ProxyStarted,
            Rank::Behind => Observation::ProxyStandsBy,
            Rank::Retired => Observation::ProxyRetires,
        });
    }

    /// The node will leave after this span.
    pub fn leaving<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        after: SimDuration,
    ) {
        self.decide(ctx, plugin, Event::Leaving(after));
    }

    /// The wait that the strategy asked for is over.
    pub fn waited<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        self.decide(ctx, plugin, Event::Waited);
    }

    /// Puts the record of the node that plays, and renews it in time.
    pub fn store_record<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        let Role::Proxy { epoch, .. } = self.role else { return };
        // Takeover by command sends no message, and who retires leaves the record to others.
        if !self.watches() || self.rank == Rank::Retired {
            return;
        }
        ctx.set_after(NodeTimer::Renew.into(), self.strategy.renewal());
        self.put_record(ctx, plugin, epoch);
    }

    fn put_record<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        epoch: Epoch,
    ) {
        if !plugin.is_member() {
            return self.decide(ctx, plugin, Event::Put(PutOutcome::Failed));
        }
        let port = self.settings.probing.port;
        let record = proxy_record(self.settings.record, self.own, port, epoch);
        let (id, upcalls) = plugin.dht.put(ctx, record);
        self.put = Some(id);
        self.take(ctx, plugin, upcalls);
    }

    /// A put into the overlay ended.
    pub fn put_done<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        id: OperationId,
        outcome: PutOutcome,
    ) {
        if self.put == Some(id) {
            self.put = None;
            self.decide(ctx, plugin, Event::Put(outcome));
        }
    }

    fn fetch_record<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        purpose: fn(OperationId) -> Fetch,
    ) {
        if !plugin.is_member() {
            return self.decide(ctx, plugin, Event::Fetched(None));
        }
        let (id, upcalls) = plugin.dht.get(ctx, self.settings.record);
        self.fetch = Some(purpose(id));
        self.take(ctx, plugin, upcalls);
    }

    /// Begins a procedure: with the name, or, where members read it, with the overlay's record
    /// (A15).
    pub(super) fn look<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if self.settings.policies.overlay_record == OverlayRecord::Read && plugin.is_member() {
            return self.fetch_record(ctx, plugin, Fetch::Locate);
        }
        let step = self.discovery.begin();
        self.perform(ctx, plugin, step);
    }

    /// What the plug-in can say at once.
    pub(super) fn take<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        upcalls: Upcalls,
    ) {
        for upcall in upcalls {
            match upcall {
                Upcall::Got { id, record } => self.got(ctx, plugin, id, record.as_ref()),
                Upcall::PutDone { id, outcome } => self.put_done(ctx, plugin, id, outcome),
                Upcall::LookupDone { id, outcome, .. } => {
                    self.looked_up(ctx, plugin, id, outcome.owner);
                }
                _ => {}
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
        let Some(fetch) = self.fetch.filter(|fetch| fetch.operation() == id) else { return };
        self.fetch = None;
        let found = record.and_then(|record| {
            let (address, epoch) = (proxy_of(record)?, Epoch(record.version));
            Some(ProxyRecord { address, epoch, remaining: record.lifetime })
        });
        match (fetch, found) {
            (Fetch::Tell(_), found) => self.decide(ctx, plugin, Event::Fetched(found)),
            (Fetch::Test(_), Some(found)) if self.is_idle() && found.address == self.own => {
                self.decide(ctx, plugin, Event::OwnRecord);
            }
            (Fetch::Test(_), Some(found)) if self.is_idle() => {
                let step = self.discovery.begin_at(found.address, self.own);
                self.perform(ctx, plugin, step);
            }
            (Fetch::Locate(_), found) if self.is_idle() => {
                let step = match found.filter(|found| found.address != self.own) {
                    Some(found) => self.discovery.begin_at(found.address, self.own),
                    None => self.discovery.begin(),
                };
                self.perform(ctx, plugin, step);
            }
            (Fetch::Test(_) | Fetch::Locate(_), _) => {}
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
            self.fetch_record(ctx, plugin, Fetch::Test);
        }
    }

    /// Whether it neither plays nor claims nor tests.
    pub(super) fn is_idle(&self) -> bool {
        !self.discovery.is_running() && self.claim.is_none() && !self.role.is_proxy()
    }
}

impl Fetch {
    const fn operation(self) -> OperationId {
        match self {
            Self::Test(id) | Self::Locate(id) | Self::Tell(id) => id,
        }
    }
}
