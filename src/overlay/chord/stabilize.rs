//! The periodic repair: stabilise and notify, finger repair, predecessor check.

use super::exchange::Work;
use super::lookup::{Goal, Lookup};
use super::message::{Header, NodeList, Small};
use super::{Chord, Config, FingersPerRound, Large, Message};
use crate::address::Endpoint;
use crate::overlay::{DhtContext, NodeRef, RingId, Upcall, Upcalls};

/// The round of finger repair.
#[derive(Clone, Copy, Debug)]
pub(super) enum Repair {
    /// Between rounds. Where the next one begins if rounds take only some fingers, counted from
    /// the shortest that `id_bits` allows.
    Resting(u8),
    /// A finger is being looked up; after it these remain, beginning here.
    Busy { next: u8, left: u8 },
}

impl Chord {
    /// Asks the successor for its neighbours.
    pub(super) fn stabilize<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let Some(successor) = self.table.successor() else { return };
        self.check(ctx, successor, Work::Stabilize);
    }

    pub(super) fn check_predecessor<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let Some(predecessor) = self.table.predecessor else { return };
        self.check(ctx, predecessor, Work::Ping);
    }

    #[inline]
    fn check<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef, work: Work) {
        // With all slots taken, the next period asks again.
        if let Ok((slot, _)) = self.exchanges.open(Some(node), work) {
            self.send_waiting(ctx, slot, ctx.contact(node).endpoint);
        }
    }

    /// Answers a stabilise request.
    #[inline]
    pub(super) fn tell_neighbours<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        to: Endpoint,
        header: Header,
    ) {
        let predecessor = self.table.predecessor;
        let answer: Message = if self.config.successors == 1 {
            Small::Neighbours(header, predecessor, self.table.successor()).into()
        } else {
            let list = NodeList::from_slice(self.table.successors());
            Large::NeighbourList(header, predecessor, list).into()
        };
        ctx.send(to, answer);
    }

    /// The successor told its neighbours: adopts a node between, and notifies the successor.
    #[inline]
    pub(super) fn stabilized<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        asked: NodeRef,
        predecessor: Option<NodeRef>,
        list: &[NodeRef],
    ) {
        // Another node took its place meanwhile: the next round asks that one.
        if self.table.successor() != Some(asked) {
            return;
        }
        let length = self.config.successors;
        if self.table.adopt(asked, predecessor, list, length, ctx) {
            self.storage.unsynced = true;
        }
        if let Some(successor) = self.table.successor() {
            let notify = Small::Notify(self.header(), self.table.me, self.overlay());
            ctx.send(ctx.contact(successor).endpoint, notify.into());
        }
    }

    /// A node believes to be the predecessor.
    #[inline]
    pub(super) fn notified<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        let known = self.table.predecessor == Some(node) && self.table.successor().is_some();
        if known || node == self.table.me {
            return;
        }
        let position = ctx.contact(node).id;
        if self.table.precedes(position, ctx) {
            self.hand_over(ctx, node);
            self.table.predecessor = Some(node);
        }
        if self.table.successor().is_none() {
            self.table.offer_successor(node, self.config.successors, ctx);
            self.storage.unsynced = true;
        }
    }

    /// A node did not answer: it is removed everywhere, and the next successor asked at once.
    pub(super) fn dead<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        node: NodeRef,
        ups: &mut Upcalls,
    ) {
        let loss = self.table.forget(node);
        if loss.first_successor || loss.predecessor {
            self.storage.unsynced = true;
        }
        if loss.last_successor {
            ups.push(Upcall::Isolated);
        } else if loss.first_successor {
            self.stabilize(ctx);
        }
    }

    /// Begins a round of finger repair, unless one is under way.
    pub(super) fn fix_fingers<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        let shortest = self.table.shortest_level(&self.config, ctx);
        let (next, left) = match (self.repair, self.config.fingers_per_round) {
            (Repair::Busy { .. }, _) => return,
            (_, FingersPerRound::All) => {
                let first = finger_of_level(shortest, &self.config);
                (first, self.config.id_bits - first)
            }
            (Repair::Resting(next), FingersPerRound::Number(n)) => (next, n),
        };
        self.table.fit_fingers(shortest);
        self.repair = Repair::Busy { next, left };
        self.fix_next(ctx, ups);
    }

    /// Goes on with the round: those that this node can say itself at once, then one look-up.
    pub(super) fn fix_next<C: DhtContext<Self>>(&mut self, ctx: &mut C, ups: &mut Upcalls) {
        while let Repair::Busy { next, left } = self.repair {
            let following = (next + 1) % self.config.id_bits;
            if left == 0 {
                self.repair = Repair::Resting(next % self.config.id_bits);
                return;
            }
            self.repair = Repair::Busy { next: following, left: left - 1 };
            // Shorter fingers than the 64 bits of a position can say equal the successor.
            let Some(level) = level_of_finger(next, &self.config) else { continue };
            let key = self.table.id.plus(1 << level);
            match self.table.owner_of(key, &self.config, ctx) {
                Some(best) => {
                    if let Some(owner) = best[0] {
                        self.table.set_finger(level, owner);
                    }
                }
                None => {
                    let lookup = Lookup::new(key, Goal::Finger(level), ctx.now());
                    return self.begin(ctx, Box::new(lookup), ups);
                }
            }
        }
    }

    /// A look-up passes through.
    #[inline]
    pub(super) fn forward<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        header: Header,
        key: RingId,
        origin: NodeRef,
    ) {
        if let Some(best) = self.table.owner_of(key, &self.config, ctx) {
            return ctx.send(ctx.contact(origin).endpoint, Small::Found(header, best).into());
        }
        let hops = header.hops();
        // Beyond the limit it is dropped; the origin's time-out ends it.
        if hops < self.config.hop_limit
            && let Some(next) = self.table.next_hop(key, ctx)
        {
            let message = Small::Route(header.with_hops(hops + 1), key.into(), origin);
            ctx.send(ctx.contact(next).endpoint, message.into());
        }
    }
}

/// Which of the `id_bits` fingers has this level.
const fn finger_of_level(level: u8, config: &Config) -> u8 {
    // Finger 2^i of an identifier of b bits spans 2^(i + 64 - b) positions.
    (level + config.id_bits).saturating_sub(64)
}

/// The level of finger 2^i; `None` if it is shorter than positions can say.
const fn level_of_finger(finger: u8, config: &Config) -> Option<u8> {
    (finger + 64).checked_sub(config.id_bits)
}
