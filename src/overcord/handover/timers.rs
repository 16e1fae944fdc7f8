//! Which timer of the node means what to its part in the handover.

use crate::overcord::handover::Handover;
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;

impl Handover {
    /// A timer of the node went off.
    pub fn own_timer<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        timer: NodeTimer,
    ) {
        match timer {
            NodeTimer::Procedure => self.procedure(ctx, plugin),
            NodeTimer::Ping => self.ping_ended(ctx, plugin, false),
            NodeTimer::Resolve => self.resolve_again(ctx, plugin),
            NodeTimer::SelfCheck => self.check_self(ctx, plugin),
            NodeTimer::Update => self.attempt_update(ctx, plugin),
            NodeTimer::Renew => self.store_record(ctx, plugin),
            NodeTimer::Wait => self.waited(ctx, plugin),
            NodeTimer::Poll => self.poll(ctx, plugin),
            NodeTimer::Join
            | NodeTimer::Rejoin
            | NodeTimer::Lookup
            | NodeTimer::Relocate
            | NodeTimer::Bridge => {
                unreachable!("not of the handover part")
            }
        }
    }
}
