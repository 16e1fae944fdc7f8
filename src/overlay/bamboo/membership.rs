//! Founding, joining, leaving.
//!
//! A joiner has its own position looked up through a bootstrap contact. Every node that the join
//! passes sends it a row of its routing table, and the owner of the position its leaf set. The
//! joiner is a member then, and shows itself to its leaves.

use super::exchange::{Peer, Work};
use super::leaf_set::LeafSet;
use super::message::{Errand, Message, Passage};
use super::routing_table::RoutingTable;
use super::{Bamboo, BambooTimer};
use crate::address::Endpoint;
use crate::overlay::phases::set_at_phases;
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::{DhtContext, NodeRef, Observation, OverlayId, Upcall, Upcalls};

/// How often a bootstrap contact is asked. Once more, since it may be farther away than the first
/// time-out; not as often as others: there may be another contact, and the host tries again.
const BOOTSTRAP_TRIES: u8 = 2;

impl Bamboo {
    pub(super) fn found_overlay<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        self.abandon(ctx, &mut ups);
        let overlay = OverlayId::minted(self.leaves.id, ctx.now());
        self.enter(ctx, overlay);
        ups.push(Upcall::Joined(overlay));
        ups
    }

    /// A member from now on.
    fn enter<C: DhtContext<Self>>(&mut self, ctx: &mut C, overlay: OverlayId) {
        self.identity = Some(overlay);
        self.set_periods(ctx);
    }

    /// Sets the periodic timers and reports membership.
    pub(super) fn set_periods<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let Some(overlay) = self.identity else { return };
        ctx.observe(Observation::Member(overlay));
        let periods = [
            (BambooTimer::Leaves, self.config.leaf_exchange),
            (BambooTimer::LocalTuning, self.config.local_tuning),
            (BambooTimer::GlobalTuning, self.config.global_tuning),
        ];
        set_at_phases(ctx, &self.config.draws, self.leaves.id, periods);
    }

    pub(super) fn join_overlay<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        bootstrap: &[Endpoint],
    ) -> Upcalls {
        let mut ups = Upcalls::new();
        self.abandon(ctx, &mut ups);
        self.join_through(ctx, bootstrap.iter().rev().copied().collect(), &mut ups);
        ups
    }

    /// Joins through the last of these contacts.
    pub(super) fn join_through<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut contacts: Vec<Endpoint>,
        ups: &mut Upcalls,
    ) {
        // What an earlier contact's overlay said is void.
        self.forget_everybody();
        let Some(via) = contacts.pop() else { return ups.push(Upcall::JoinFailed) };
        let Ok(tag) = self.wait(ctx, self.config.join_timeout, Work::Join(contacts)) else {
            return ups.push(Upcall::JoinFailed);
        };
        let (key, origin) = (self.leaves.id, self.leaves.me);
        let passage = Passage { key, origin, tag, timeouts: 0, errand: Errand::Join };
        let peer = Peer { endpoint: via, node: None };
        self.hop(ctx, peer, BOOTSTRAP_TRIES, self.header(true).with_hops(1), passage);
    }

    /// The bootstrap contact is not there: the next one.
    pub(super) fn bootstrap_failed<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        tag: RpcId,
        ups: &mut Upcalls,
    ) {
        let Some((slot, request)) = self.exchanges.answer_from_anywhere(tag) else { return };
        ctx.cancel(BambooTimer::Rpc(slot));
        if let Work::Join(others) = request.work {
            self.join_through(ctx, others, ups);
        }
    }

    /// A join passes: the joiner gets what is known of the nodes that share as much with it.
    pub(super) fn tell_row<C: DhtContext<Self>>(&self, ctx: &mut C, joiner: NodeRef) {
        let contact = ctx.contact(joiner);
        let mut row = self.proven_row(self.table.common_digits(contact.id));
        row.retain(|node| *node != joiner);
        row.push(self.leaves.me);
        ctx.send(contact.endpoint, Message::JoinRow(self.header(true), self.overlay(), row));
    }

    /// The owner's side of a join.
    pub(super) fn let_in<C: DhtContext<Self>>(&mut self, ctx: &mut C, joiner: NodeRef, tag: RpcId) {
        let contact = ctx.contact(joiner);
        let peer = Peer { endpoint: contact.endpoint, node: None };
        if contact.id == self.leaves.id {
            return ctx.send(peer.endpoint, Message::Refused(self.labelled(true, tag)));
        }
        let (overlay, me, mut leaves) = (self.overlay(), self.leaves.me, self.leaves.nodes());
        leaves.retain(|node| *node != joiner);
        // With all slots taken, the joiner's time-out makes it try again.
        let _ = self.ask(ctx, peer, self.config.tries, true, Work::Notice, |header| {
            Message::Welcome(header, overlay, me, tag, leaves)
        });
    }

    /// The owner of its position let this node in.
    pub(super) fn welcomed<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        (from, header, tag): (Endpoint, Header, RpcId),
        overlay: OverlayId,
        owner: NodeRef,
        leaves: &NodeList,
        ups: &mut Upcalls,
    ) {
        ctx.send(from, Message::Ack(header));
        let Some((slot, request)) = self.exchanges.answer_from_anywhere(tag) else { return };
        ctx.cancel(BambooTimer::Rpc(slot));
        let Work::Join(_) = request.work else { return };
        self.enter(ctx, overlay);
        self.seen(ctx, owner);
        for &node in leaves {
            self.leaves.insert(node, ctx);
        }
        for node in self.leaves.nodes() {
            self.show_leaves(ctx, node);
        }
        self.leaves_changed();
        ups.push(Upcall::Joined(overlay));
    }

    /// What a node that this one's join passed knows; what it says is true of its own overlay only.
    pub(super) fn on_join_row<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        overlay: OverlayId,
        nodes: &NodeList,
    ) {
        let joins = self.identity.map_or(self.exchanges.joins(), |mine| mine == overlay);
        for &node in nodes.iter().filter(|_| joins) {
            if !self.buried.iter().any(|&(dead, _)| dead == node) {
                self.table.offer(node, ctx, |_| false);
            }
        }
    }

    /// A joiner's position is taken.
    pub(super) fn refused<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        tag: RpcId,
        ups: &mut Upcalls,
    ) {
        self.bootstrap_failed(ctx, tag, ups);
    }

    pub(super) fn leave_overlay<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        if let Some(overlay) = self.identity {
            self.bequeath(ctx);
            let leaves = self.leaves.nodes();
            for &node in &leaves {
                let (header, me) = (self.header(true), self.leaves.me);
                let leaving = Message::Leaving(header, overlay, me, leaves.clone());
                ctx.send(ctx.contact(node).endpoint, leaving);
            }
        }
        self.abandon(ctx, &mut ups);
        ups
    }

    /// A leaf leaves; these were its own.
    pub(super) fn on_leaving<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        node: NodeRef,
        leaves: &NodeList,
    ) {
        self.bury(ctx, node);
        self.consider_leaves(ctx, leaves);
    }

    /// Ends membership and everything under way, silently for the others.
    fn abandon<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        for (slot, work) in self.exchanges.close_all() {
            ctx.cancel(BambooTimer::Rpc(slot));
            if let Work::Search(lookup) | Work::Owner(lookup) = work {
                lookup.report_failure(ups);
            }
        }
        let periodic = [BambooTimer::Leaves, BambooTimer::LocalTuning, BambooTimer::GlobalTuning];
        periodic.into_iter().chain([BambooTimer::Expire]).for_each(|timer| ctx.cancel(timer));
        if self.identity.take().is_some() {
            ctx.observe(Observation::NotMember);
        }
        self.forget_everybody();
        self.buried.clear();
        self.records = Default::default();
        self.passages = Default::default();
        let label = self.draw(ctx.now());
        self.exchanges.relabel(label);
    }

    fn forget_everybody(&mut self) {
        let LeafSet { me, id, .. } = self.leaves;
        self.leaves = LeafSet::new(me, id, self.config.leaves);
        self.table = RoutingTable::new(id, self.config.digit_bits);
        self.links = Default::default();
        self.tuned = None;
        (self.unsettled, self.unsynced) = (false, false);
    }
}
