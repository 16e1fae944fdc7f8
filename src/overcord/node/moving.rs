//! A node that finds that its host has another address: by DHCP, or because it moved (A10).
//!
//! A contact is an identifier at an address, so the node is another contact from now on, and has to
//! say so. Through the new address it tells its neighbours in the overlay that the former contact
//! has left, hands its records over, and joins under the new one, through those neighbours. It
//! registers where its user is, and a proxy peer does about the binding what its strategy says.
//! Whoever else holds the former contact finds out as it finds out about any that is gone.
//!
//! Until the node notices, it goes on under the former contact: what is sent there is lost.

use super::{Entry, Node, NodeContext};
use crate::address::Address;
use crate::overcord::beside::Others;
use crate::overcord::message::NodeTimer;
use crate::overlay::Plugin;

/// What a node is made of anew that has another address.
#[derive(Debug)]
pub struct Moved {
    /// The address.
    pub own: Address,
    /// A plug-in under the contact there, in no overlay yet.
    pub dht: Plugin,
    /// The overlays that it knows besides its own, if there are any.
    pub others: Option<Box<Others>>,
}

impl Node {
    /// The host has had another address for a while, and the node has noticed.
    pub fn readdress<C: NodeContext>(&mut self, ctx: &mut C, moved: Moved) {
        let Moved { own, dht, others } = moved;
        for timer in [NodeTimer::Join, NodeTimer::Rejoin] {
            ctx.cancel(timer.into());
        }
        let (entry, is_adrift) = self.way_back();
        self.plugin.remember_acquaintances();
        if let Some(others) = self.plugin.others_mut() {
            others.leave(ctx);
        }
        let failed = self.plugin.dht.leave(ctx);
        self.plugin.restart(dht, ctx.now());
        self.plugin.set_others(others);
        self.take_upcalls(ctx, failed);
        self.with_user(ctx, |user, _| user.move_to(own));
        if let Some(handover) = &mut self.handover {
            handover.move_to(ctx, &mut self.plugin, own);
        }
        if let Some(others) = self.plugin.others_mut() {
            others.begin(ctx);
        }
        if entry == Entry::Join {
            return self.join(ctx);
        }
        let upcalls = self.plugin.found(ctx);
        self.take_upcalls(ctx, upcalls);
        if is_adrift {
            self.plugin.isolated(ctx.now());
        }
    }

    /// A member that knows no other has nobody to join through: it begins the overlay anew. Whether
    /// it is adrift.
    fn way_back(&self) -> (Entry, bool) {
        let is_member = self.plugin.is_member();
        let entry =
            if is_member && self.plugin.dht.is_alone() { Entry::Found } else { Entry::Join };
        (entry, is_member && self.plugin.wants_in())
    }
}
