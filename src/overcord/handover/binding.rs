//! The binding: updating it, trying again, and looking whether it is still the node's own.

use crate::overcord::Observation;
use crate::overcord::discovery::Resolution;
use crate::overcord::handover::Handover;
use crate::overcord::handover::strategy::Event;
use crate::overcord::handover::update::Wanted;
use crate::overcord::message::NodeTimer;
use crate::overcord::names::Asker;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::policy::Losers;
use crate::overcord::proxy_role::{Aftermath, Attempted, Claim, Stage};

impl Handover {
    /// Schedules the next look whether the binding is still this node's own (A7): not before the
    /// caches that it sees have forgotten the former address (A25).
    pub(super) fn check_self_later<C: NodeContext>(&mut self, ctx: &mut C) {
        if self.watches()
            && self.strategy.checks_itself()
            && self.settings.policies.losers == Losers::StepDown
        {
            let pause = self.settings.settling.max(self.settings.probing.interval);
            ctx.set_after(NodeTimer::SelfCheck.into(), pause);
        }
    }

    /// Looks whether the binding is still this node's own.
    pub fn check_self<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        ctx.set_after(NodeTimer::SelfCheck.into(), self.settings.probing.interval);
        let domain = &self.settings.domain;
        if let Some(found) =
            self.names.resolve(&mut ctx.lift::<_, _, Observation>(), Asker::SelfCheck, domain)
        {
            self.checked_self(ctx, plugin, found);
        }
    }

    pub(super) fn checked_self<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        found: Resolution,
    ) {
        // A name that does not resolve says nothing about who plays the role, and while the node's
        // own update is under way the binding can't be its own yet.
        if self.claim.as_ref().is_some_and(|claim| claim.stage != Stage::Left) {
            return;
        }
        if let Resolution::Address(found) = found
            && self.role.checked(found, self.own)
        {
            self.decide(ctx, plugin, Event::BindingLost(found));
        }
    }

    /// Begins an update of the binding, unless one is under way.
    pub(super) fn begin_update<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        wanted: Wanted,
    ) {
        if self.claim.is_none() {
            let claim = Claim::new(wanted);
            if self.daemon.is_some() {
                // The daemon finds it at its next poll.
                self.claim = Some(Claim { stage: Stage::Left, ..claim });
            } else {
                self.claim = Some(claim);
                self.attempt_update(ctx, plugin);
            }
        }
    }

    /// Makes an attempt at the update that is under way: resolves the endpoint's name first.
    pub fn attempt_update<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        let Some(claim) = &mut self.claim else { return };
        claim.stage = Stage::Resolving;
        let own = claim.wanted.peers.first().copied().unwrap_or(self.own);
        ctx.observe(Observation::UpdateStarted { tested: claim.wanted.tested, own });
        let service = &self.settings.service;
        if let Some(found) =
            self.names.resolve(&mut ctx.lift::<_, _, Observation>(), Asker::Claim, service)
        {
            self.resolved_service(ctx, plugin, found);
        }
    }

    pub(super) fn resolved_service<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        found: Resolution,
    ) {
        let Some(claim) = &mut self.claim else { return };
        let Resolution::Address(endpoint) = found else {
            return self.update_ended(ctx, plugin, Attempted::Unresolved);
        };
        claim.stage = Stage::Updating;
        let wanted = claim.wanted.clone();
        if let Some(ended) = self.send_update(ctx, endpoint, &wanted) {
            self.update_ended(ctx, plugin, ended);
        }
    }

    /// An attempt ended.
    pub(super) fn update_ended<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        ended: Attempted,
    ) {
        if self.daemon.is_some() {
            return self.daemon_ended(ctx, ended);
        }
        let Some(claim) = &mut self.claim else { return };
        let aftermath = claim.attempted(ended);
        ctx.observe(Observation::UpdateEnded { accepted: aftermath == Aftermath::Accepted });
        if let Aftermath::Retry(pause) = aftermath {
            return ctx.set_after(NodeTimer::Update.into(), pause);
        }
        self.claim = None;
        self.clear_suspicion(ctx);
        self.decide(
            ctx,
            plugin,
            match aftermath {
                Aftermath::Overtaken { certain } => Event::Overtaken { certain },
                _ => Event::Updated { accepted: aftermath == Aftermath::Accepted },
            },
        );
    }

    /// Gives up the update that is under way: a node that no longer plays the role must not get the
    /// binding.
    pub(super) fn abandon_claim<C: NodeContext>(&mut self, ctx: &mut C) {
        let Some(claim) = self.claim.take() else { return };
        ctx.cancel(NodeTimer::Update.into());
        self.cancel_update(ctx);
        if !matches!(claim.stage, Stage::Pausing | Stage::Left) {
            ctx.observe(Observation::UpdateEnded { accepted: false });
        }
        self.clear_suspicion(ctx);
    }
}
