//! How the binding is updated: over HTTP by dyndns2, or at the authority by a dynamic update of DNS
//! (RFC 2136), which alone can carry more than one address and conditions.

use smallvec::{SmallVec, smallvec};

use crate::address::{Address, Endpoint, Port};
use crate::dns::{self, Binding, Update, Updater, updater};
use crate::dyndns::{
    ClientSettings, ClientTimer, Hostname, UpdateClient, UpdateOutcome, UpdateSegment,
};
use crate::overcord::Observation;
use crate::overcord::handover::Handover;
use crate::overcord::node::NodeContext;
use crate::overcord::plugin_management::PluginManagement;
use crate::overcord::proxy_role::Attempted;
use crate::rng::Dice;
use crate::sim::Lift;

/// How all nodes of an overlay update the binding.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// The HTTP interface of DynDNS: one address, without conditions.
    Dyndns2(ClientSettings, Hostname),
    /// A dynamic update of DNS.
    Rfc2136 {
        /// How its client works.
        client: updater::Settings,
        /// Whether a claim holds only if the binding still is what was tested.
        compares: bool,
    },
}

/// Some addresses in their order: mostly one.
pub type Peers = SmallVec<[Address; 2]>;

/// What the binding is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The address whose failed test is the reason, if it is one.
    pub tested: Option<Address>,
    /// The proxy peers, the preferred one first; nobody takes the binding away. dyndns2 carries the
    /// first only.
    pub peers: Peers,
    /// Only if the binding is exactly this now (nobody: if there is none), which dyndns2 can't tell.
    pub expected: Option<Peers>,
}

impl Wanted {
    /// The binding is to be this node's alone. Where claims compare, it must not have changed since
    /// its test, or not exist.
    #[must_use]
    pub fn claim(own: Address, tested: Option<Address>, protocol: &Protocol) -> Self {
        let compares = matches!(protocol, Protocol::Rfc2136 { compares: true, .. });
        let expected = compares.then(|| tested.into_iter().collect());
        Self { tested, peers: smallvec![own], expected }
    }

    /// The binding is to follow a node that was at another address before. Where claims compare, it
    /// must still be the former one.
    #[must_use]
    pub fn moved(own: Address, former: Address, protocol: &Protocol) -> Self {
        Self { tested: None, ..Self::claim(own, Some(former), protocol) }
    }
}

/// The client of one node.
#[derive(Debug)]
pub(super) enum Client {
    Dyndns2(UpdateClient),
    Rfc2136(Updater),
}

impl Client {
    pub(super) fn new(protocol: &Protocol, dice: Dice) -> Self {
        match protocol {
            Protocol::Dyndns2(settings, _) => Self::Dyndns2(UpdateClient::new(settings.clone())),
            Protocol::Rfc2136 { client, .. } => Self::Rfc2136(Updater::new(client.clone(), dice)),
        }
    }
}

impl Handover {
    /// Sends the update that is wanted to the service at this address; how it ended, if that is
    /// known at once.
    pub(super) fn send_update<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        service: Address,
        wanted: &Wanted,
    ) -> Option<Attempted> {
        match (&mut self.client, &self.settings.protocol) {
            (Client::Dyndns2(client), Protocol::Dyndns2(_, hostname)) => {
                let address = *wanted.peers.first()?;
                let ctx = &mut ctx.lift::<_, _, Observation>();
                client.update(ctx, service, hostname, address).map(Attempted::Dyndns2)
            }
            (Client::Rfc2136(client), _) => {
                let binding: &Binding = &self.settings.binding;
                let update: Update = binding.update(&wanted.peers, wanted.expected.as_deref());
                let ctx = &mut ctx.lift::<_, _, Observation>();
                client.update(ctx, service.at(Port::DNS), binding.zone().clone(), update);
                None
            }
            (Client::Dyndns2(_), Protocol::Rfc2136 { .. }) => {
                unreachable!("a client is made for its protocol")
            }
        }
    }

    /// Gives the update that is under way up.
    pub(super) fn cancel_update<C: NodeContext>(&mut self, ctx: &mut C) {
        match &mut self.client {
            Client::Dyndns2(client) => client.cancel(&mut ctx.lift::<_, _, Observation>()),
            Client::Rfc2136(client) => client.cancel(&mut ctx.lift::<_, _, Observation>()),
        }
    }

    /// An authority's answer to a dynamic update arrived.
    pub fn update_answered<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        from: Endpoint,
        message: &dns::Message,
    ) {
        let Client::Rfc2136(client) = &mut self.client else { return };
        let outcome = client.receive(&mut ctx.lift::<_, _, Observation>(), from, message);
        if let Some(outcome) = outcome {
            self.update_ended(ctx, plugin, Attempted::Rfc2136(outcome));
        }
    }

    /// The timer of the client of dynamic updates went off.
    pub fn updater_timer<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        timer: updater::Timer,
    ) {
        let Client::Rfc2136(client) = &mut self.client else { return };
        let outcome = client.timer(&mut ctx.lift::<_, _, Observation>(), timer);
        if let Some(outcome) = outcome {
            self.update_ended(ctx, plugin, Attempted::Rfc2136(outcome));
        }
    }

    /// Lets the client of dyndns2 do something, if the node has one.
    pub(super) fn with_http_client<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        plugin: &mut PluginManagement,
        act: impl FnOnce(&mut UpdateClient, &mut HttpContext<'_, C>) -> Option<UpdateOutcome>,
    ) {
        let Client::Dyndns2(client) = &mut self.client else { return };
        if let Some(outcome) = act(client, &mut ctx.lift()) {
            self.update_ended(ctx, plugin, Attempted::Dyndns2(outcome));
        }
    }
}

/// What a client of dyndns2 acts through.
type HttpContext<'a, C> = Lift<'a, C, UpdateSegment, ClientTimer, Observation>;
