//! What another address of the host means for the node's part in the handover (A10).
//!
//! Connections die, and with them an update over HTTP; tests begin anew from the new address, and
//! an update that is tried again asks for it. What a proxy peer does about the binding is the
//! strategy's business, if the policy wants anything to be done: [`Event::Moved`].

use crate::address::Address;
use crate::overcord::Observation;
use crate::overcord::discovery::{Discovery, Step};
use crate::overcord::handover::Handover;
use crate::overcord::handover::strategy::Event;
use crate::overcord::handover::update::Client;
use crate::overcord::message::NodeTimer;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::policy::OnAddressChange;
use crate::overcord::proxy_role::{Attempted, Stage};

impl Handover {
    /// The node is at another address.
    pub fn move_to<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        own: Address,
    ) {
        let former = std::mem::replace(&mut self.own, own);
        self.tcp.forget_connections(&mut ctx.lift::<_, _, Observation>());
        self.connection = None;
        self.update_elsewhere(ctx, plugin, former);
        if self.role.is_proxy()
            && self.settings.policies.on_address_change == OnAddressChange::Update
        {
            self.decide(ctx, plugin, Event::Moved(former));
        }
        if let Discovery::Testing(test, address) = self.discovery {
            ctx.cancel(NodeTimer::Ping.into());
            self.perform(ctx, plugin, Step::Test(test, address));
        }
    }

    /// An update that is under way is to bring the new address; a request for the former one has
    /// met a network error.
    fn update_elsewhere<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        former: Address,
    ) {
        match &mut self.client {
            Client::Dyndns2(client) => {
                client.forget_connections(&mut ctx.lift::<_, _, Observation>());
            }
            Client::Rfc2136(client) => client.cancel(&mut ctx.lift::<_, _, Observation>()),
        }
        let Some(claim) = &mut self.claim else { return };
        for peer in claim.wanted.peers.iter_mut().filter(|peer| **peer == former) {
            *peer = self.own;
        }
        if claim.stage == Stage::Updating {
            self.update_ended(ctx, plugin, Attempted::Unresolved);
        }
    }
}
