//! Founding, joining, leaving.
//!
//! A joiner asks a bootstrap contact, as an outsider, for its own position, and whoever owns that
//! to let it in. The owner takes it as predecessor, welcomes it with its own neighbours, and tells
//! the former predecessor.

use super::exchange::Work;
use super::lookup::{Bootstrap, Goal, Lookup};
use super::message::{Header, NodeList, Small};
use super::stabilize::Repair;
use super::table::Table;
use super::{Chord, ChordTimer, Large};
use crate::address::Endpoint;
use crate::overlay::{DhtContext, NodeRef, Observation, OverlayId, Upcall, Upcalls};

impl Chord {
    pub(super) fn found_ring<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        self.abandon(ctx, &mut ups);
        let overlay = OverlayId::minted(self.table.id, ctx.now());
        self.identity = Some(overlay);
        self.set_periods(ctx);
        ups.push(Upcall::Joined(overlay));
        ups
    }

    pub(super) fn join_ring<C: DhtContext<Self>>(
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
        let Some(via) = contacts.pop() else { return ups.push(Upcall::JoinFailed) };
        let goal = Goal::Join(Box::new(Bootstrap { via, others: contacts }));
        let lookup = Lookup::new(self.table.id, goal, ctx.now());
        self.ask(ctx, via, None, Box::new(lookup), ups);
    }

    /// The owner's side of a join.
    pub(super) fn let_in<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        header: Header,
        node: NodeRef,
    ) {
        let position = ctx.contact(node).id;
        let former = self.table.predecessor.filter(|&former| former != node);
        let alone = self.table.successor().is_none();
        let taken = position == self.table.id;
        let (true, Some(overlay), false) =
            (former.is_none() || self.table.precedes(position, ctx), self.identity, taken)
        else {
            return ctx.send(from, Small::Refused(header, former).into());
        };
        let predecessor = if alone { Some(self.table.me) } else { former };
        let list = NodeList::from_slice(self.table.successors());
        ctx.send(from, Large::Welcome(header, overlay, predecessor, list).into());
        self.hand_over(ctx, node);
        self.table.predecessor = Some(node);
        if alone {
            self.table.offer_successor(node, self.config.successors, ctx);
        }
        if let Some(former) = former {
            let hint = Small::NewSuccessor(self.header(), node, overlay);
            ctx.send(ctx.contact(former).endpoint, hint.into());
        }
        self.storage.unsynced = true;
    }

    /// The owner let this node in.
    pub(super) fn welcomed<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        overlay: OverlayId,
        successor: NodeRef,
        predecessor: Option<NodeRef>,
        list: &[NodeRef],
        ups: &mut Upcalls,
    ) {
        if self.identity.is_some() {
            return;
        }
        self.identity = Some(overlay);
        self.table.predecessor = predecessor;
        self.table.adopt(successor, None, list, self.config.successors, ctx);
        self.set_periods(ctx);
        ups.push(Upcall::Joined(overlay));
    }

    pub(super) fn leave_ring<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        let (predecessor, successor) = (self.table.predecessor, self.table.successor());
        if let (Some(overlay), Some(heir)) = (self.identity, successor) {
            self.send_records(ctx, heir, |_| true);
            let header = self.header();
            let me = self.table.me;
            let to_heir = Small::Leaving(header, me, predecessor, overlay);
            ctx.send(ctx.contact(heir).endpoint, to_heir.into());
            if let Some(predecessor) = predecessor.filter(|&node| node != heir) {
                let to_predecessor = Small::Leaving(header, me, Some(heir), overlay);
                ctx.send(ctx.contact(predecessor).endpoint, to_predecessor.into());
            }
        }
        self.abandon(ctx, &mut ups);
        ups
    }

    /// A neighbour leaves; `other` is its neighbour on the far side.
    pub(super) fn on_leaving<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        node: NodeRef,
        other: Option<NodeRef>,
    ) {
        let other = other.filter(|&other| other != self.table.me && other != node);
        let loss = self.table.forget(node);
        if loss.predecessor {
            self.table.predecessor = other;
        }
        if let (true, Some(other)) = (loss.first_successor, other) {
            self.table.offer_successor(other, self.config.successors, ctx);
        }
        self.storage.unsynced = true;
    }

    /// Ends membership and everything under way, silently for the others.
    fn abandon<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        for (slot, work) in self.exchanges.close_all() {
            ctx.cancel(ChordTimer::Rpc(slot));
            if let Work::Lookup(lookup) = work {
                lookup.report_failure(ups);
            }
        }
        let periodic =
            [ChordTimer::Stabilize, ChordTimer::FixFingers, ChordTimer::CheckPredecessor];
        periodic.into_iter().chain([ChordTimer::Expire]).for_each(|timer| ctx.cancel(timer));
        if self.identity.take().is_some() {
            ctx.observe(Observation::NotMember);
        }
        self.table = Table::new(self.table.me, self.table.id);
        self.repair = Repair::Resting(0);
        self.storage = super::Storage::default();
    }
}
