//! Look-ups of random keys: the load that measures an overlay.

use super::{Node, NodeContext};
use crate::overcord::message::NodeTimer;
use crate::overlay::RingId;

impl Node {
    pub(super) fn schedule_lookup<C: NodeContext>(&mut self, ctx: &mut C) {
        let now = ctx.now();
        if let Some(lookups) = &mut self.lookups {
            let at = lookups.arrivals.next(now);
            ctx.set(NodeTimer::Lookup.into(), at);
        }
    }

    pub(super) fn look_up<C: NodeContext>(&mut self, ctx: &mut C) {
        self.schedule_lookup(ctx);
        let Some(lookups) = &mut self.lookups else { return };
        let key = RingId::from_hash(lookups.keys.bits(), lookups.id_bits);
        if self.plugin.is_member() {
            let (_, upcalls) = self.plugin.dht.lookup(ctx, key);
            self.take_upcalls(ctx, upcalls);
        }
    }
}
