//! Founding, joining, leaving, and the periodic refresh.
//!
//! A joiner asks a contact, as an outsider, for the nodes closest to itself; from then on it knows
//! the overlay's identity and answers its members. It looks itself up, by which the nodes around it
//! hear of it, and is a member. Then it looks up a key in every bucket further away than its nearest
//! neighbour.

use super::lookup::{Goal, Lookup};
use super::message::Message;
use super::table::{Table, distance};
use super::{Kademlia, KademliaTimer, State, Work};
use crate::address::Endpoint;
use crate::overlay::phases::set_at_phases;
use crate::overlay::records::Records;
use crate::overlay::{
    DhtContext, NodeRef, Observation, OverlayId, PutOutcome, RingId, Upcall, Upcalls,
};
use crate::rng::mix2;
use crate::time::SimTime;

impl Kademlia {
    pub(super) fn found_overlay<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        self.abandon(ctx, &mut ups);
        let overlay = OverlayId::minted(self.table.id, ctx.now());
        self.state = State::Member(overlay);
        self.begin_membership(ctx, overlay);
        ups.push(Upcall::Joined(overlay));
        ups
    }

    /// Reports membership, and sets the periodic timers, each at a uniform phase of its period.
    pub(super) fn begin_membership<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        overlay: OverlayId,
    ) {
        ctx.observe(Observation::Member(overlay));
        let periods = [
            (KademliaTimer::Refresh, self.config.refresh),
            (KademliaTimer::Republish, self.config.republish),
        ];
        set_at_phases(ctx, &self.config.draws, self.table.id, periods);
    }

    /// Joins through the last of these contacts.
    pub(super) fn join_through<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut contacts: Vec<Endpoint>,
        ups: &mut Upcalls,
    ) {
        self.state = State::Outside;
        self.table = Table::new(self.table.me, self.table.id);
        // What those of an earlier contact's overlay still answer is void.
        self.pending.close();
        let Some(via) = contacts.pop() else { return ups.push(Upcall::JoinFailed) };
        let key = self.table.id;
        let work = Work::Bootstrap(contacts);
        let find = |header, sender| Message::FindNode(header, sender, key);
        self.request(ctx, (via, None), true, work, find);
    }

    /// A contact named the overlay and the nodes closest to this one.
    pub(super) fn on_bootstrap<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        overlay: OverlayId,
        nodes: &[NodeRef],
        others: Vec<Endpoint>,
        ups: &mut Upcalls,
    ) {
        self.state = State::Joining(overlay);
        for &node in nodes {
            self.table.hear_of(node, &self.config, ctx);
        }
        let lookup = Lookup::new(self.table.id, Goal::Join(others), ctx.now());
        self.begin(ctx, lookup, ups);
    }

    /// The nodes around have answered.
    pub(super) fn become_member<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        let State::Joining(overlay) = self.state else { return };
        self.state = State::Member(overlay);
        self.begin_membership(ctx, overlay);
        ups.push(Upcall::Joined(overlay));
        self.refreshing = self.table.stale_levels(SimTime::MAX, &self.config, ctx);
        self.refresh_next(ctx, ups);
    }

    /// Begins a round of refresh.
    pub(super) fn refresh<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        for node in self.table.unheard() {
            if !self.pending.is_full() {
                let to = (ctx.contact(node).endpoint, Some(node));
                self.request(ctx, to, true, Work::Ping, Message::Ping);
            }
        }
        if self.refreshing.is_empty() {
            let since = SimTime::ZERO
                .saturating_add(ctx.now().since(SimTime::ZERO).saturating_sub(self.config.refresh));
            self.refreshing = self.table.stale_levels(since, &self.config, ctx);
            // The last one, and so the first to go, is this node itself.
            self.refreshing.push(SELF);
            self.refresh_next(ctx, ups);
        }
    }

    /// Goes on with the round: one look-up after another.
    pub(super) fn refresh_next<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        if self.member().is_none() || self.table.is_empty() {
            return self.refreshing.clear();
        }
        let Some(level) = self.refreshing.pop() else { return };
        let key = match level {
            SELF => self.table.id,
            level => self.key_at(level, ctx.now()),
        };
        let lookup = Lookup::new(key, Goal::Refresh, ctx.now());
        self.begin(ctx, lookup, ups);
    }

    /// A key whose distance is in [2^level, 2^(level + 1)).
    pub(super) fn key_at(&self, level: u8, now: SimTime) -> RingId {
        let bit = 1u64 << level;
        let draw = self.config.draws.bits(self.table.id.0, mix2(now.as_nanos(), u64::from(level)));
        let key = RingId(self.table.id.0 ^ bit ^ (draw & (bit - 1)));
        let key = RingId::from_hash(key.0, self.config.id_bits);
        debug_assert!((bit..=bit - 1 + bit).contains(&distance(key, self.table.id)));
        key
    }

    pub(super) fn leave_overlay<C: DhtContext<Self>>(&mut self, ctx: &mut C) -> Upcalls {
        let mut ups = Upcalls::new();
        if self.member().is_some() {
            self.send_all(ctx, true, |_| true);
            for node in self.table.known() {
                let leaving = Message::Leaving(self.header(), self.sender());
                ctx.send(ctx.contact(node).endpoint, leaving);
            }
        }
        self.abandon(ctx, &mut ups);
        ups
    }

    /// Ends membership and everything under way, silently for the others.
    pub(super) fn abandon<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        for work in self.pending.close() {
            if let Work::Store(put) = work {
                ups.push(Upcall::PutDone { id: put.id, outcome: PutOutcome::Failed });
            }
        }
        for lookup in std::mem::take(&mut self.lookups).into_values() {
            lookup.report_failure(ups);
        }
        KademliaTimer::ALL.into_iter().for_each(|timer| ctx.cancel(timer));
        if self.member().is_some() {
            ctx.observe(Observation::NotMember);
        }
        self.state = State::Outside;
        self.table = Table::new(self.table.me, self.table.id);
        self.refreshing.clear();
        self.records = Records::default();
        self.received.clear();
    }
}

/// In place of a level: this node's own position.
const SELF: u8 = u8::MAX;
