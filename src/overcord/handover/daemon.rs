//! Updates that are left to a daemon, as in the paper's first phase: the node plays the role, and
//! the daemon of its host, which polls on its own, updates the binding when it finds that wanted,
//! and when its own cache has nothing against it. The node does not learn what became of it; its
//! self-check shows whose address the binding has.

use crate::dyndns::{Daemon, DaemonCache};
use crate::overcord::Observation;
use crate::overcord::handover::Handover;
use crate::overcord::handover::update::Wanted;
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::proxy_role::{Attempted, Claim, Stage};

impl Handover {
    /// What survives a restart of the host.
    #[must_use]
    pub fn on_disk(&self) -> Option<DaemonCache> {
        self.daemon.as_ref().map(Daemon::cache)
    }

    /// The host's daemon starts, if it has one, and reads its cache. Its first poll comes at a
    /// uniform moment of the interval, as that of a daemon that has been running for long.
    pub fn start_daemon<C: NodeContext>(&mut self, ctx: &mut C, on_disk: Option<DaemonCache>) {
        let Some(daemon) = &mut self.daemon else { return };
        *daemon = Daemon::new(*daemon.settings(), on_disk.unwrap_or_default());
        let first = daemon.settings().interval.mul_f64(self.dice.unit());
        ctx.set_after(NodeTimer::Poll.into(), first);
    }

    /// The daemon wakes up.
    pub fn poll<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        let Some(daemon) = &self.daemon else { return };
        ctx.set_after(NodeTimer::Poll.into(), daemon.settings().pause(self.dice.unit()));
        let (wanted, busy) = match &self.claim {
            Some(Claim { stage: Stage::Left, .. }) => (true, false),
            Some(_) => (false, true),
            None => (false, !self.role.is_proxy()),
        };
        if !busy && daemon.decides(ctx.now(), self.own, wanted) {
            let wanted = || Wanted::claim(self.own, None, &self.settings.protocol);
            self.claim.get_or_insert_with(|| Claim::new(wanted()));
            self.attempt_update(ctx, plugin);
        }
    }

    /// An attempt of the daemon ended.
    pub(super) fn daemon_ended<C: NodeContext>(&mut self, ctx: &mut C, ended: Attempted) {
        let (Some(daemon), Some(claim)) = (&mut self.daemon, &mut self.claim) else { return };
        let outcome = match ended {
            Attempted::Dyndns2(outcome) => Some(outcome),
            Attempted::Unresolved | Attempted::Rfc2136(_) => None,
        };
        let accepted = daemon.attempted(ctx.now(), self.own, outcome.as_ref());
        ctx.observe(Observation::UpdateEnded { accepted });
        if accepted {
            self.claim = None;
            self.clear_suspicion(ctx);
        } else {
            claim.stage = Stage::Left;
        }
    }
}
