//! How a look-up travels: semi-recursive, each hop acknowledged, the owner answers the origin.
//!
//! A hop that does not acknowledge in time is suspected, and the look-up goes around it. Only the
//! last one, which is taken for the owner, is asked once more before that: there is no way around the
//! owner. The answer is acknowledged as well, and repeated.

use super::Bamboo;
use super::exchange::{Peer, Work};
use super::leaf_set::closeness;
use super::message::{Errand, Message, Passage};
use super::routing_table::common_digits;
use crate::overlay::wire::Header;
use crate::overlay::{DhtContext, Facts, NodeRef, RingId, Upcalls};

/// How often a look-up is sent to the owner, before the next closest node is taken for it.
const OWNER_TRIES: u8 = 2;

/// What to do with a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// This node owns the key, as far as it knows.
    Deliver,
    /// To the owner, as far as this node knows.
    ToOwner(NodeRef),
    /// To a node that is closer.
    Closer(NodeRef),
}

impl Bamboo {
    /// Pastry's rule: among the leaves the closest; else who shares one more digit with the key;
    /// else who shares as many and is closer. Nodes that are suspected are passed over.
    fn step(&self, key: RingId, avoid: Option<NodeRef>, facts: &impl Facts) -> Step {
        let me = self.leaves.me;
        let usable =
            |node: NodeRef| node == me || (Some(node) != avoid && !self.links.is_suspect(node));
        if self.leaves.covers(key, facts) {
            let mut closest = self.leaves.closest(key, usize::MAX, facts).into_iter();
            return match closest.find(|&node| usable(node)) {
                Some(node) if node != me => Step::ToOwner(node),
                _ => Step::Deliver,
            };
        }
        let entry = self.table.place_of(key).and_then(|place| self.table.at(place));
        if let Some(node) = entry.filter(|&node| usable(node)) {
            return Step::Closer(node);
        }
        let shared = self.table.common_digits(key);
        let own = closeness(key, self.leaves.id);
        let known = self.leaves.nodes().into_iter().chain(self.table.entries().map(|(_, n)| n));
        let closer = known.filter(|&node| usable(node)).filter_map(|node| {
            let id = facts.contact(node).id;
            let far = closeness(key, id);
            let shares = common_digits(id, key, self.config.digit_bits) >= shared;
            (shares && far < own).then_some((far, node))
        });
        closer.min().map_or(Step::Deliver, |(_, node)| Step::Closer(node))
    }

    /// Where a look-up would go from here; `None` when it would end.
    #[cfg(test)]
    pub(super) fn next_hop(&self, key: RingId, facts: &impl Facts) -> Option<NodeRef> {
        match self.step(key, None, facts) {
            Step::Deliver => None,
            Step::ToOwner(node) | Step::Closer(node) => Some(node),
        }
    }

    /// Sends a look-up on, or answers it. The header counts the hops so far.
    pub(super) fn pass_on<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        header: Header,
        passage: Passage,
        ups: &mut Upcalls,
    ) {
        let avoid = (passage.errand == Errand::Join).then_some(passage.origin);
        let (node, tries) = match self.step(passage.key, avoid, ctx) {
            Step::Deliver => return self.deliver(ctx, header, passage, ups),
            Step::ToOwner(node) => (node, self.config.tries.min(OWNER_TRIES)),
            Step::Closer(node) => (node, 1),
        };
        let hops = header.hops() + 1;
        // Beyond the limit it is dropped; the origin's time-out ends it.
        if hops > self.config.hop_limit {
            return;
        }
        let peer = Peer { endpoint: ctx.contact(node).endpoint, node: Some(node) };
        self.hop(ctx, peer, tries, header.with_hops(hops), passage);
    }

    /// Sends a look-up to the next hop, and waits until it has arrived there.
    pub(super) fn hop<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        peer: Peer,
        tries: u8,
        header: Header,
        passage: Passage,
    ) {
        let (overlay, hops, maintenance) = (self.overlay(), header.hops(), header.maintenance());
        let route = |header: Header| Message::Route(header.with_hops(hops), overlay, passage);
        let work = Work::Hop(passage, header);
        if self.ask(ctx, peer, tries, maintenance, work, route).is_err() {
            // Nobody can wait for it; it may arrive all the same.
            ctx.send(peer.endpoint, route(self.header(maintenance)));
        }
    }

    /// A hop has not acknowledged a look-up.
    pub(super) fn detour<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut passage: Passage,
        header: Header,
        ups: &mut Upcalls,
    ) {
        passage.timeouts = passage.timeouts.saturating_add(1);
        self.pass_on(ctx, header.with_hops(header.hops() - 1), passage, ups);
    }

    /// A look-up arrived at its end.
    fn deliver<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        header: Header,
        passage: Passage,
        ups: &mut Upcalls,
    ) {
        let Passage { key, origin, tag, timeouts, errand } = passage;
        if errand == Errand::Join {
            return self.let_in(ctx, origin, tag);
        }
        // Each of them may hold the record.
        let nodes = self.leaves.closest(key, usize::from(self.config.replicas), ctx);
        let hops = header.hops();
        let endpoint = ctx.contact(origin).endpoint;
        if origin == self.leaves.me {
            return self.on_found(ctx, (tag, endpoint), (hops, timeouts), nodes, ups);
        }
        let (peer, tries) = (Peer { endpoint, node: Some(origin) }, self.config.tries);
        let found = |header: Header| Message::Found(header.with_hops(hops), tag, timeouts, nodes);
        // With all slots taken, the origin's time-out ends it.
        let _ = self.ask(ctx, peer, tries, header.maintenance(), Work::Notice, found);
    }
}
