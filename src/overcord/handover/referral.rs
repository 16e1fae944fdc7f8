//! Who may claim (A14): with `dht-responsible` the member that the overlay's record of the proxy
//! peer belongs to.
//!
//! A member knows from its own tables whether that is itself. One that finds the proxy peer dead and
//! is not responsible holds its verdict, looks the record's owner up in the overlay, and tells it;
//! that node then runs its own procedure at once, and believes nobody but its own tests. A look-up
//! that leads back to who asked settles the matter too: its neighbours take it for the owner. While
//! the overlay still takes a dead node for the owner, which the proxy peer itself may have been,
//! nobody hears; every member that finds out tells anew.

use crate::overcord::Observation;
use crate::overcord::handover::Handover;
use crate::overcord::handover::strategy::Event;
use crate::overcord::message::Message;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::policy::Eligibility;
use crate::overlay::{NodeRef, OperationId, description, plugin};

/// A look-up of the node that is responsible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Referral {
    operation: OperationId,
    /// What it is to act on.
    event: Event,
}

impl Handover {
    /// Leaves a failed test to the member that is responsible; false if that is this node, or if
    /// anybody is.
    pub(super) fn refers<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        event: Event,
    ) -> bool {
        let (Event::TestFailed(_, address), Eligibility::DhtResponsible) =
            (event, self.settings.policies.eligibility)
        else {
            return false;
        };
        let key = self.settings.record;
        if !plugin.is_member() || plugin.dht.owns(ctx, key) {
            return false;
        }
        self.suspects = true;
        ctx.observe(Observation::VerdictFailed(address));
        let (operation, upcalls) = plugin.dht.lookup(ctx, key);
        self.referral = Some(Referral { operation, event });
        self.take(ctx, plugin, upcalls);
        true
    }

    /// A look-up in the overlay ended.
    pub fn looked_up<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        id: OperationId,
        owner: Option<NodeRef>,
    ) {
        let Some(Referral { event, .. }) = self.referral.take_if(|it| it.operation == id) else {
            return;
        };
        let (Some(owner), Event::TestFailed(_, address)) = (owner, event) else { return };
        if owner != plugin.dht.me() {
            let silent = description::Message::Silent(plugin.dht.kind(), address);
            let message = plugin::Message::Description(Box::new(silent));
            ctx.send(ctx.contact(owner).endpoint, Message::Overlay(message));
        } else if self.is_idle() {
            self.decide(ctx, plugin, event);
        }
    }

    /// Another member says that the proxy peer does not answer: whoever is responsible looks at once.
    pub fn alarmed<C: NodeContext>(&mut self, ctx: &mut C, plugin: &mut PluginManagement) {
        if self.settings.policies.eligibility == Eligibility::DhtResponsible && self.is_idle() {
            self.procedure(ctx, plugin);
        }
    }
}
