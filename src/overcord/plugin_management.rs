//! Plug-in management (paper, Fig. 3): the DHT plug-in of a node, and how the node gets into its
//! overlay.
//!
//! A node joins through members that it remembers ([`Bootstrap::Cached`]), and when none of them
//! lets it in, through the proxy peer that DNS names; or through the proxy peer at once
//! ([`Bootstrap::Dns`]). A node that finds no proxy peer either has a choice to make: if it founds
//! an overlay of its own and claims the name, while another overlay lives, it cuts that one off
//! from the world (A22). By the letter it does so at once. As intended, it first gives the members
//! time to replace their proxy peer ([`PluginManagement::has_waited`]).
//!
//! A member that loses all its neighbours is *adrift*: it can't tell whether the others died or it
//! was cut off. Where members watch the proxy peer it goes on as the only member that it knows, tests
//! and claims like any other, and joins anew through the first other proxy peer that passes its tests;
//! where nobody takes the role over, it joins anew as one that has just come up, unless it is the
//! proxy peer itself.
//!
//! A node that takes part in other overlays [beside](super::beside) its own has a plug-in for each.

use crate::address::{Address, Endpoint, Port};
use crate::overcord::beside::{self, Others, Place};
use crate::overcord::node::NodeContext;
use crate::overcord::overlay_repository::OverlayRepository;
use crate::overcord::policy::Bootstrap;
use crate::overlay::{
    NodeRef, OperationId, Plugin, PluginContext, Record, RingId, Upcalls, description,
};
use crate::rng::Dice;
use crate::time::{SimDuration, SimTime};

/// The pause before a node that nobody let in tries again.
pub const REJOIN_AFTER: SimDuration = SimDuration::from_secs(30);

/// The plug-in with what is needed to join; the plug-in first, which nearly every event is for.
#[derive(Debug)]
#[repr(C)]
pub struct PluginManagement {
    /// The DHT plug-in.
    pub dht: Plugin,
    membership: Membership,
    repository: OverlayRepository,
    /// The overlays beside, where there are any.
    others: Option<Box<Others>>,
    /// Since when it has tried to get in.
    outside_since: SimTime,
    dice: Dice,
}

/// How far the node has come into its overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    /// In no overlay, and not trying.
    Outside,
    /// Trying members that it remembers.
    JoiningCached,
    /// The discovery layer looks for a proxy peer to join through.
    Asking,
    /// Trying the proxy peer.
    JoiningProxy,
    /// In.
    Member,
    /// In, but all its neighbours are gone: the last member, or cut off from the others.
    Adrift,
}

/// What the node has to do next to get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is on its way, or in.
    Wait,
    /// Ask the discovery layer for the proxy peer.
    AskDiscovery,
    /// Try again after [`REJOIN_AFTER`].
    TryLater,
}

impl PluginManagement {
    /// A node outside of any overlay.
    #[must_use]
    pub fn new(dht: Plugin, repository: OverlayRepository, dice: Dice) -> Self {
        Self {
            dht,
            membership: Membership::Outside,
            repository,
            others: None,
            outside_since: SimTime::ZERO,
            dice,
        }
    }

    /// The node has just started, and knows these overlays besides.
    pub fn set_others(&mut self, others: Option<Box<Others>>) {
        self.others = others;
    }

    /// The overlays that it knows besides its own.
    #[must_use]
    pub fn others(&self) -> Option<&Others> {
        self.others.as_deref()
    }

    /// The same, to make them do something.
    pub fn others_mut(&mut self) -> Option<&mut Others> {
        self.others.as_deref_mut()
    }

    /// The port of its own overlay.
    #[must_use]
    pub fn port(&self) -> Port {
        self.others.as_ref().map_or(Port::OVERLAY, |others| others.home.port)
    }

    /// A question about its own overlay.
    pub fn tell_home<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &description::Message,
    ) {
        if let (description::Message::Question(token, _), Some(others)) = (message, &self.others) {
            beside::answer(ctx, from, *token, &self.dht, &others.home);
        }
    }

    /// Fetches a record from its own overlay, or from the one at a place; `None` while it is no
    /// member there.
    pub fn get<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Option<Place>,
        key: RingId,
    ) -> Option<(OperationId, Upcalls)> {
        match place {
            Some(place) => self.others_mut()?.get(ctx, place, key),
            None => self.is_member().then(|| self.dht.get(ctx, key)),
        }
    }

    /// The same for storing one.
    pub fn put<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Option<Place>,
        record: Record,
    ) -> Option<(OperationId, Upcalls)> {
        match place {
            Some(place) => self.others_mut()?.put(ctx, place, record),
            None => self.is_member().then(|| self.dht.put(ctx, record)),
        }
    }

    /// Remembers these members.
    pub fn remember(&mut self, peers: &[NodeRef]) {
        for &peer in peers {
            self.repository.remember(peer);
        }
    }

    /// How many members it remembers.
    #[must_use]
    pub fn known_peers(&self) -> usize {
        self.repository.len()
    }

    /// The host restarts, perhaps under another contact; what is on disk is kept.
    pub fn restart(&mut self, dht: Plugin, now: SimTime) {
        self.remember_acquaintances();
        self.dht = dht;
        self.outside_since = now;
        self.membership = Membership::Outside;
    }

    /// Remembers the members that the plug-in knows now.
    pub fn remember_acquaintances(&mut self) {
        // The nearest are remembered last, so that they are forgotten last.
        for peer in self.dht.acquaintances().into_iter().rev() {
            self.repository.remember(peer);
        }
    }

    /// Whether the node is a member of an overlay.
    #[must_use]
    pub fn is_member(&self) -> bool {
        matches!(self.membership, Membership::Member | Membership::Adrift)
    }

    /// Whether it should join through a proxy peer that it finds: it is outside, or adrift and
    /// nobody has joined it since.
    #[must_use]
    pub fn wants_in(&self) -> bool {
        match self.membership {
            Membership::Asking => true,
            Membership::Adrift => self.dht.is_alone(),
            _ => false,
        }
    }

    /// Whether the node waits for the discovery layer to find a proxy peer to join through.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.membership == Membership::Asking
    }

    /// Whether it has been trying to get in for as long as this.
    #[must_use]
    pub fn has_waited(&self, now: SimTime, patience: SimDuration) -> bool {
        now.since(self.outside_since) >= patience
    }

    /// The node gives up for now, to try again after [`REJOIN_AFTER`].
    pub fn pause(&mut self) {
        self.membership = Membership::Outside;
    }

    /// The node stands in an overlay that was created as a whole.
    pub fn placed(&mut self) {
        self.membership = Membership::Member;
    }

    /// Founds an overlay.
    pub fn found(&mut self, ctx: &mut impl PluginContext) -> Upcalls {
        self.membership = Membership::Member;
        self.dht.found(ctx)
    }

    /// Begins to join; `ask` says whether a discovery layer can be asked.
    pub fn join(
        &mut self,
        ctx: &mut impl PluginContext,
        bootstrap: Bootstrap,
        ask: bool,
    ) -> (Next, Upcalls) {
        if bootstrap == Bootstrap::Dns && ask {
            self.membership = Membership::Asking;
            return (Next::AskDiscovery, Upcalls::new());
        }
        let me = self.dht.me();
        let peers: Vec<NodeRef> = self.repository.candidates(me, &mut self.dice);
        if peers.is_empty() {
            return (self.join_failed_with(Membership::JoiningCached, ask), Upcalls::new());
        }
        self.membership = Membership::JoiningCached;
        let bootstrap: Vec<Endpoint> =
            peers.iter().map(|&peer| ctx.contact(peer).endpoint).collect();
        (Next::Wait, self.dht.join(ctx, &bootstrap))
    }

    /// Joins through the proxy peer.
    pub fn join_through(&mut self, ctx: &mut impl PluginContext, proxy: Address) -> Upcalls {
        self.membership = Membership::JoiningProxy;
        self.dht.join(ctx, &[proxy.at(Port::OVERLAY)])
    }

    /// The plug-in is in; true when it was let in by the proxy peer.
    pub fn joined(&mut self) -> bool {
        std::mem::replace(&mut self.membership, Membership::Member) == Membership::JoiningProxy
    }

    /// The plug-in was not let in.
    pub fn join_failed(&mut self, ask: bool) -> Next {
        self.join_failed_with(self.membership, ask)
    }

    fn join_failed_with(&mut self, tried: Membership, ask: bool) -> Next {
        match tried {
            Membership::JoiningCached if ask => {
                self.membership = Membership::Asking;
                Next::AskDiscovery
            }
            Membership::Member | Membership::Adrift => Next::Wait,
            _ => {
                self.membership = Membership::Outside;
                Next::TryLater
            }
        }
    }

    /// The plug-in has lost all its neighbours: what it remembers is all that it has.
    pub fn isolated(&mut self, now: SimTime) {
        self.outside_since = now;
        self.membership = Membership::Adrift;
        self.remember_acquaintances();
    }
}
