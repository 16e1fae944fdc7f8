//! What keeps leaf set and routing table right: periodic, never in answer to a failure, which under
//! churn would add traffic just when there is most of it (Rhea et al., section 4.1).

use super::Bamboo;
use super::exchange::{Peer, Work};
use super::lookup::{Goal, Lookup};
use super::message::Message;
use super::routing_table::Place;
use crate::overlay::wire::NodeList;
use crate::overlay::{DhtContext, NodeRef, RingId, Upcall, Upcalls};

/// The most nodes that one row makes this node try out.
const TRIED_OUT: usize = 3;

impl Bamboo {
    /// A contact as the peer of a request.
    pub(super) fn peer<C: DhtContext<Self>>(&self, ctx: &C, node: NodeRef) -> Peer {
        Peer { endpoint: ctx.contact(node).endpoint, node: Some(node) }
    }

    /// Asks a node whether it is there, unless that is being asked already.
    pub(super) fn ping<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        if self.exchanges.pings(node) {
            return;
        }
        let (peer, overlay, tries) = (self.peer(ctx, node), self.overlay(), self.config.tries);
        // With all slots taken, somebody will name it again.
        let _ =
            self.ask(ctx, peer, tries, true, Work::Ping, |header| Message::Ping(header, overlay));
    }

    /// Exchanges leaf sets: with a random leaf; after a change with the nearest ones as well, so
    /// that a gap closes from its ends.
    pub(super) fn exchange_leaves<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let mut partners = NodeList::new();
        if self.unsettled {
            self.unsettled = false;
            let others: NodeList = self.table.entries().map(|(_, node)| node).collect();
            self.consider_leaves(ctx, &others);
            partners.extend(self.leaves.after().first().copied());
            partners.extend(self.leaves.predecessor());
        }
        let leaves = self.leaves.nodes();
        if !leaves.is_empty() {
            partners.push(leaves[self.below(ctx.now(), leaves.len())]);
        }
        let mut asked = NodeList::new();
        for node in partners {
            if !asked.contains(&node) {
                asked.push(node);
                self.show_leaves(ctx, node);
            }
        }
    }

    /// Shows a node this one's leaf set and asks for its own.
    pub(super) fn show_leaves<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        let (overlay, me, leaves) = (self.overlay(), self.leaves.me, self.leaves.nodes());
        let (peer, tries) = (self.peer(ctx, node), self.config.tries);
        // With all slots taken, the next period asks again.
        let _ = self.ask(ctx, peer, tries, true, Work::Leaves, |header| {
            Message::Leaves(header, overlay, me, leaves)
        });
    }

    /// Asks the node of one entry after another for its row, which is a row of this node too.
    pub(super) fn tune_locally<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let after = |place: &Place| self.tuned.is_none_or(|tuned| *place > tuned);
        let next = self.table.entries().find(|(place, _)| after(place));
        let Some((place, node)) = next.or_else(|| self.table.entries().next()) else { return };
        self.tuned = Some(place);
        let (peer, overlay, me) = (self.peer(ctx, node), self.overlay(), self.leaves.me);
        let tries = self.config.tries;
        let _ = self.ask(ctx, peer, tries, true, Work::Row, |header| {
            Message::RowRequest(header, overlay, place.row(), me)
        });
    }

    /// The nodes of a row that this one has heard from: what is handed on is no hearsay.
    pub(super) fn proven_row(&self, row: u8) -> NodeList {
        let proven = |node: &NodeRef| {
            self.links.round_trip(*node).is_some() && !self.links.is_suspect(*node)
        };
        self.table.row(row).into_iter().filter(proven).collect()
    }

    /// A row was told: tries out some that are new, those for empty entries first.
    pub(super) fn consider_row<C: DhtContext<Self>>(&mut self, ctx: &mut C, nodes: &NodeList) {
        let present = |this: &Self, node: NodeRef| {
            let place = this.table.place_of(ctx.contact(node).id);
            place.map(|place| this.table.at(place))
        };
        let (mut empty, mut filled) = (NodeList::new(), NodeList::new());
        for &node in nodes {
            match present(self, node) {
                Some(None) => empty.push(node),
                Some(Some(other)) if other != node => filled.push(node),
                _ => {}
            }
        }
        if !self.config.proximity {
            filled.clear();
        }
        if !filled.is_empty() {
            let turn = self.below(ctx.now(), filled.len());
            filled.rotate_left(turn);
        }
        let new: NodeList = empty.into_iter().chain(filled).take(TRIED_OUT).collect();
        new.into_iter().for_each(|node| self.try_out(ctx, node));
    }

    /// Looks up a random key that would stand in a random row.
    pub(super) fn tune_globally<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        let leaves = self.leaves.nodes();
        let known = |node| leaves.contains(&node) || self.table.entries().any(|(_, n)| n == node);
        self.links.retain(known);
        let Some((last, _)) = self.table.entries().last() else { return };
        let row = self.below(ctx.now(), usize::from(last.row()) + 1) as u8;
        let RingId(bits) = RingId::from_hash(self.draw(ctx.now()), self.config.id_bits);
        let key = self.table.random_position(row, bits);
        let lookup = Lookup::new(key, Goal::Tune, ctx.now());
        self.begin(ctx, Box::new(lookup), ups);
    }

    /// Pings a node that could stand in a table, unless it is known to be dead.
    pub(super) fn try_out<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        let now = ctx.now();
        self.buried.retain(|&mut (_, until)| until > now);
        let is_buried = self.buried.iter().any(|&(dead, _)| dead == node);
        if !is_buried && ctx.contact(node).id != self.leaves.id {
            self.ping(ctx, node);
        }
    }

    /// Others say that these are members: those that would be leaves are tried out.
    pub(super) fn consider_leaves<C: DhtContext<Self>>(&mut self, ctx: &mut C, nodes: &NodeList) {
        for &node in nodes {
            if self.leaves.has_room_for(node, ctx) {
                self.try_out(ctx, node);
            }
        }
    }

    /// A node is a member and alive, as it has shown itself.
    pub(super) fn seen<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        self.links.clear(node);
        self.buried.retain(|&mut (dead, _)| dead != node);
        if self.leaves.insert(node, ctx) {
            self.leaves_changed();
            self.hand_over(ctx, node);
        }
        let far = |node| self.links.round_trip(node).unwrap_or(u64::MAX);
        let proximity = self.config.proximity;
        self.table.offer(node, ctx, |present| proximity && far(node) < far(present));
    }

    pub(super) fn leaves_changed(&mut self) {
        self.unsettled = true;
        self.unsynced = true;
    }

    /// A node is gone: removed everywhere, and not believed to be back on hearsay for a while.
    pub(super) fn bury<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        let until = ctx.now().saturating_add(self.config.quarantine);
        self.buried.retain(|&mut (dead, _)| dead != node);
        self.buried.push((node, until));
        self.links.forget(node);
        self.table.remove(node);
        if self.leaves.remove(node, ctx) {
            self.leaves_changed();
        }
    }

    /// A node did not answer as often as it was asked.
    pub(super) fn dead<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        node: NodeRef,
        ups: &mut Upcalls,
    ) {
        let was_alone = self.knows_nobody();
        self.bury(ctx, node);
        if self.identity.is_some() && !was_alone && self.knows_nobody() {
            ups.push(Upcall::Isolated);
        }
    }

    fn knows_nobody(&self) -> bool {
        self.leaves.is_empty() && self.table.is_empty()
    }
}
