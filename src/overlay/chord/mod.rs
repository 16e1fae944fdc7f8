//! Chord: Stoica, Morris, Liben-Nowell, Karger, Kaashoek, Dabek, Balakrishnan, "Chord: a scalable
//! peer-to-peer lookup protocol for Internet applications", IEEE/ACM ToN 11(1), 2003; details and
//! defaults as in OverSim.
//!
//! * `table`: predecessor, successor list, fingers.
//! * `stabilize`: the periodic repair: stabilise and notify (three messages), finger repair,
//!   predecessor check.
//! * `lookup`: iterative and recursive look-ups, and the store, fetch or join that follows.
//! * `membership`: found, join, leave.
//! * `storage`: records, replicas, hand-over of keys.
//! * [`converged`](mod@converged): a stationary ring at once.
//! * [`message`], [`compact`], [`codec`]: what travels, inside an event, and its bytes.
//!
//! Decisions where the sources are silent. A look-up ends at the key's predecessor, also when
//! another node's successor list would show the owner sooner, and nobody asks the owner but who has
//! a record for it or wants one; the longer lists serve to choose the next hop. A node that does not
//! answer within [`Config::rpc_timeout`] is removed everywhere; it is asked [`Config::tries`] times,
//! once unless that is changed. A request of a look-up names those that were silent so far, so that
//! nobody names them again (as in MIT's implementation). One finger is repaired after another, so
//! that a round needs one slot and not twenty. A join takes predecessor and successors from the
//! owner's welcome at once, and the owner tells the former predecessor (OverSim's aggressive mode). A
//! node whose last successor dies stays the only member of its ring and says so
//! ([`Upcall::Isolated`]); what it was looking up then fails.
//!
//! Left out: proximity, merging of rings (members of different overlays ignore each other),
//! acknowledged recursive hops, positions below the 64th bit.

pub mod codec;
pub mod compact;
pub mod config;
pub mod converged;
mod exchange;
mod lookup;
mod membership;
pub mod message;
mod stabilize;
mod storage;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use compact::Compact;
pub use config::{Config, FingersPerRound, Routing};
pub use converged::converged;
pub use message::{Large, Message, Small};

use crate::address::Endpoint;
use crate::overlay::phases::set_at_phases;
use crate::overlay::ring::View;
use crate::overlay::wire::{Header, RpcId};
use crate::overlay::{
    Dht, DhtContext, Facts, NodeRef, Observation, OperationId, Operations, OverlayId, Record,
    RingId, Upcall, Upcalls,
};
use crate::sim::Timer;
use compact::RepairStep;
use exchange::{Exchanges, Waiting, Work};
use lookup::{Goal, Lookup};
use stabilize::Repair;
use storage::Storage;
use table::Table;

/// Chord's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChordTimer {
    /// Ask the successor for its neighbours.
    Stabilize,
    /// Begin a round of finger repair.
    FixFingers,
    /// Ping the predecessor.
    CheckPredecessor,
    /// Drop records whose lifetime is over.
    Expire,
    /// The request in this slot has not been answered.
    Rpc(u8),
}

impl ChordTimer {
    /// How many slots there can be.
    pub const SLOTS: u32 = 4 + Exchanges::MAX as u32;
    /// How many of the first slots are those of timers that are set all the time.
    pub const FREQUENT: u32 = 4;
}

impl Timer for ChordTimer {
    #[inline(always)]
    fn slot(self) -> u32 {
        match self {
            Self::Stabilize => 0,
            Self::CheckPredecessor => 1,
            Self::FixFingers => 2,
            Self::Rpc(0) => 3,
            Self::Expire => 4,
            Self::Rpc(slot) => 4 + u32::from(slot),
        }
    }
}

/// One Chord node: three lines of the cache. All that a look-up which passes through needs is on the
/// first two, an answer needs the third as well.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Chord {
    config: Arc<Config>,
    /// `None` while it is no member.
    identity: Option<OverlayId>,
    operations: Operations,
    repair: Repair,
    table: Table,
    exchanges: Exchanges,
    storage: Storage,
}

impl Chord {
    /// A node that is in no overlay yet. `id` is its contact's position.
    ///
    /// # Panics
    /// When a parameter is out of the range that [`Config`] names.
    #[must_use]
    pub fn new(me: NodeRef, id: RingId, config: Arc<Config>) -> Self {
        config.assert_ranges();
        Self {
            table: Table::new(me, id),
            config,
            identity: None,
            repair: Repair::Resting(0),
            operations: Operations::default(),
            exchanges: Exchanges::default(),
            storage: Storage::default(),
        }
    }

    /// Its predecessor, as it believes.
    #[must_use]
    pub fn predecessor(&self) -> Option<NodeRef> {
        self.table.predecessor
    }

    /// Its successor list, nearest first; empty when it is alone.
    #[must_use]
    pub fn successors(&self) -> &[NodeRef] {
        self.table.successors()
    }

    /// Reads from where the node is, so that it is in the cache soon; what is read means
    /// nothing.
    #[must_use]
    #[inline]
    pub fn touch(&self) -> u32 {
        self.touch_passage() ^ u32::from(self.storage.unsynced)
    }

    /// The same for what a look-up needs that passes through.
    #[must_use]
    #[inline]
    pub fn touch_passage(&self) -> u32 {
        self.operations.0 ^ self.table.touch()
    }

    /// How many records it holds, as owner or as replica.
    #[must_use]
    pub fn records(&self) -> usize {
        self.storage.records.len()
    }

    /// What the [ring checker](crate::overlay::ring) wants to know of a member.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View {
            node: self.table.me,
            id: self.table.id,
            predecessor: self.table.predecessor,
            successors: self.table.successors(),
        }
    }

    /// What it calls its overlay in requests.
    #[inline]
    fn overlay(&self) -> OverlayId {
        self.identity.unwrap_or(OverlayId::OUTSIDER)
    }

    /// A header for a message that asks for no answer.
    #[inline]
    fn header(&self) -> Header {
        Header::new(self.config.id_octets(), true, RpcId::new(0))
    }

    /// An answer arrived: what waited for it, and who was asked.
    #[inline]
    fn answered<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        header: Header,
        from: Endpoint,
    ) -> Option<(Option<NodeRef>, Work)> {
        let (slot, node, work) = self.exchanges.answer(header.rpc(), from, ctx)?;
        ctx.cancel(ChordTimer::Rpc(slot));
        Some((node, work))
    }

    fn answered_lookup<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        header: Header,
        from: Endpoint,
    ) -> Option<(Option<NodeRef>, Box<Lookup>)> {
        match self.answered(ctx, header, from)? {
            (node, Work::Lookup(lookup)) => Some((node, lookup)),
            (_, Work::Ping | Work::Stabilize) => None,
        }
    }

    /// Nobody answered the request in this slot in time.
    fn unanswered<C: DhtContext<Self>>(&mut self, ctx: &mut C, slot: u8, ups: &mut Upcalls) {
        match self.exchanges.again(slot, self.config.tries, ctx) {
            Some(receiver) => self.send_waiting(ctx, slot, receiver),
            None => self.silent(ctx, slot, ups),
        }
    }

    /// Sends the request in this slot, for the first time or once more.
    #[inline]
    fn send_waiting<C: DhtContext<Self>>(&self, ctx: &mut C, slot: u8, to: Endpoint) {
        let Some((rpc, waiting)) = self.exchanges.waiting(slot) else { return };
        let header = |maintenance| Header::new(self.config.id_octets(), maintenance, rpc);
        let overlay = self.overlay();
        let message = match waiting {
            Waiting::Ping => Small::Ping(header(true), overlay).into(),
            Waiting::Stabilize => Small::Stabilize(header(true), overlay).into(),
            Waiting::Lookup(lookup) => {
                lookup.request(header(lookup.maintenance()), overlay, self.table.me)
            }
        };
        ctx.set_after(ChordTimer::Rpc(slot), self.config.rpc_timeout);
        ctx.send(to, message);
    }

    /// Who was asked in this slot does not answer.
    fn silent<C: DhtContext<Self>>(&mut self, ctx: &mut C, slot: u8, ups: &mut Upcalls) {
        let Some((node, work)) = self.exchanges.expire(slot) else { return };
        if let Some(node) = node {
            self.dead(ctx, node, ups);
        }
        if let Work::Lookup(lookup) = work {
            self.on_silence(ctx, lookup, node, ups);
        }
    }

    /// Begins an operation of the application.
    fn operate<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        key: RingId,
        goal: impl FnOnce(OperationId) -> Goal,
    ) -> (OperationId, Upcalls) {
        let (id, mut ups) = (self.operations.next(), Upcalls::new());
        let lookup = Lookup::new(key, goal(id), ctx.now());
        self.begin(ctx, Box::new(lookup), &mut ups);
        (id, ups)
    }

    /// Sets the periodic timers, each at a uniform phase of its period, and reports membership.
    fn set_periods<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let Some(overlay) = self.identity else { return };
        ctx.observe(Observation::Member(overlay));
        let periods = [
            (ChordTimer::Stabilize, self.config.stabilize),
            (ChordTimer::FixFingers, self.config.fix_fingers),
            (ChordTimer::CheckPredecessor, self.config.check_predecessor),
        ];
        set_at_phases(ctx, &self.config.draws, self.table.id, periods);
    }

    /// Takes a message of those that are most frequent, of which the host need not hear, as it
    /// comes. Whether it was one; any other is to be [received](Dht::receive).
    #[inline]
    pub fn receive_compact<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Compact,
    ) -> bool {
        let Some(overlay) = self.identity else { return false };
        if message.passes_through() {
            let (key, origin) = message.key_and_contact();
            self.forward(ctx, message.header(), key, origin);
            return true;
        }
        self.receive_repair(ctx, from, message, overlay)
    }

    /// The same for messages of the periodic repair, by a member of this overlay.
    fn receive_repair<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Compact,
        overlay: OverlayId,
    ) -> bool {
        let header = message.header();
        match message.repair() {
            Some(RepairStep::Stabilize(theirs)) if theirs == overlay => {
                self.tell_neighbours(ctx, from, header);
            }
            Some(RepairStep::Neighbours(predecessor, successor)) => {
                if let Some((Some(node), Work::Stabilize)) = self.answered(ctx, header, from) {
                    self.stabilized(ctx, node, predecessor, successor.as_slice());
                }
            }
            Some(RepairStep::Notify(node, theirs)) if theirs == overlay => {
                self.notified(ctx, node);
            }
            _ => return false,
        }
        true
    }

    fn receive_small<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Small,
        ups: &mut Upcalls,
    ) {
        match message {
            Small::Ping(header, overlay) if self.serves(overlay) => {
                ctx.send(from, Small::Pong(header).into());
            }
            Small::Stabilize(header, overlay) if self.serves(overlay) => {
                self.tell_neighbours(ctx, from, header);
            }
            Small::Find(header, key, overlay) if self.serves(overlay) => {
                self.tell_way(ctx, from, header, key.into(), &[]);
            }
            Small::Route(header, key, origin) if self.identity.is_some() => {
                self.forward(ctx, header, key.into(), origin);
            }
            Small::Notify(_, node, overlay) if self.serves(overlay) => {
                self.notified(ctx, node);
            }
            Small::NewSuccessor(_, node, overlay) if self.serves(overlay) => {
                if self.table.offer_successor(node, self.config.successors, ctx) {
                    self.storage.unsynced = true;
                }
            }
            Small::Join(header, node) if self.identity.is_some() => {
                self.let_in(ctx, from, header, node);
            }
            Small::Leaving(_, node, neighbour, overlay) if self.serves(overlay) => {
                self.on_leaving(ctx, node, neighbour);
            }
            Small::Fetch(header, key, overlay) if self.serves(overlay) => {
                self.on_fetch(ctx, from, header, key.into());
            }
            // Not for a member of another overlay, and not for an outsider.
            Small::Ping(..)
            | Small::Stabilize(..)
            | Small::Find(..)
            | Small::Route(..)
            | Small::Notify(..)
            | Small::NewSuccessor(..)
            | Small::Join(..)
            | Small::Leaving(..)
            | Small::Fetch(..) => {}
            answer => self.receive_answer(ctx, from, answer, ups),
        }
    }

    fn receive_answer<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        answer: Small,
        ups: &mut Upcalls,
    ) {
        match answer {
            Small::Pong(header) => {
                self.answered(ctx, header, from);
            }
            Small::Neighbours(header, predecessor, successor) => {
                if let Some((Some(node), Work::Stabilize)) = self.answered(ctx, header, from) {
                    self.stabilized(ctx, node, predecessor, successor.as_slice());
                }
            }
            Small::Closer(header, nodes) => {
                if let Some((node, lookup)) = self.answered_lookup(ctx, header, from) {
                    self.on_closer(ctx, lookup, node, nodes, ups);
                }
            }
            Small::Found(header, nodes) => {
                if let Some((node, lookup)) = self.answered_lookup(ctx, header, from) {
                    self.on_found(ctx, lookup, (node, header.hops()), nodes, ups);
                }
            }
            Small::Refused(header, instead) => {
                if let Some((_, lookup)) = self.answered_lookup(ctx, header, from) {
                    self.on_refused(ctx, lookup, instead, ups);
                }
            }
            Small::NoRecord(header) => {
                if let Some((_, lookup)) = self.answered_lookup(ctx, header, from) {
                    self.on_no_record(ctx, lookup, ups);
                }
            }
            Small::StoreReply(header, verdict) => {
                if let Some((_, lookup)) = self.answered_lookup(ctx, header, from)
                    && let Goal::Put(id, _) = lookup.goal
                {
                    ups.push(Upcall::PutDone { id, outcome: verdict.into() });
                }
            }
            request => unreachable!("{request:?} is a request"),
        }
    }

    fn receive_large<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Large,
        ups: &mut Upcalls,
    ) {
        match message {
            Large::NeighbourList(header, predecessor, list) => {
                if let Some((Some(node), Work::Stabilize)) = self.answered(ctx, header, from) {
                    self.stabilized(ctx, node, predecessor, &list);
                }
            }
            Large::Welcome(header, overlay, predecessor, list) => {
                if let Some((Some(node), _)) = self.answered_lookup(ctx, header, from) {
                    self.welcomed(ctx, overlay, node, predecessor, &list, ups);
                }
            }
            Large::Store(header, overlay, record) => {
                if self.serves(overlay) {
                    let verdict = self.store_owned(ctx, record);
                    ctx.send(from, Small::StoreReply(header, verdict).into());
                }
            }
            Large::Replicate(_, overlay, records) => {
                if self.serves(overlay) {
                    self.hold(ctx, records);
                }
            }
            Large::Fetched(header, record) => {
                if let Some((_, lookup)) = self.answered_lookup(ctx, header, from)
                    && let Goal::Get(id) = lookup.goal
                {
                    ups.push(Upcall::Got { id, record: Some(record.into()) });
                }
            }
            Large::FindAround(header, overlay, key, silent) => {
                if self.serves(overlay) {
                    self.tell_way(ctx, from, header, key, &silent);
                }
            }
        }
    }
}

impl Dht for Chord {
    type Message = Message;
    type Timer = ChordTimer;
    type Observation = Observation;

    fn me(&self) -> NodeRef {
        self.table.me
    }

    #[inline]
    fn identity(&self) -> Option<OverlayId> {
        self.identity
    }

    fn acquaintances(&self) -> Vec<NodeRef> {
        let mut known: Vec<NodeRef> = Vec::new();
        let near = self.table.successors().iter().copied().chain(self.table.predecessor);
        for node in near.chain(self.table.fingers()) {
            if !known.contains(&node) {
                known.push(node);
            }
        }
        known
    }

    fn is_alone(&self) -> bool {
        self.table.successors().is_empty()
    }

    fn owns(&self, facts: &impl Facts, key: RingId) -> bool {
        let from = self.table.predecessor.map(|node| facts.contact(node).id);
        let alone = self.is_alone().then_some(self.table.id);
        self.identity.is_some()
            && from.or(alone).is_some_and(|from| key.is_owned_by(from, self.table.id))
    }

    fn start(&mut self, ctx: &mut impl DhtContext<Self>) {
        self.set_periods(ctx);
    }

    fn found(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.found_ring(ctx)
    }

    fn join(&mut self, ctx: &mut impl DhtContext<Self>, bootstrap: &[Endpoint]) -> Upcalls {
        self.join_ring(ctx, bootstrap)
    }

    fn leave(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.leave_ring(ctx)
    }

    fn lookup(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        self.operate(ctx, key, Goal::Find)
    }

    fn put(&mut self, ctx: &mut impl DhtContext<Self>, record: Record) -> (OperationId, Upcalls) {
        assert!(record.value.len() <= Record::MAX_VALUE, "a record's value fits a datagram");
        self.operate(ctx, record.key, |id| Goal::Put(id, Box::new(record)))
    }

    fn get(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        self.operate(ctx, key, Goal::Get)
    }

    #[inline]
    fn receive(
        &mut self,
        ctx: &mut impl DhtContext<Self>,
        from: Endpoint,
        message: Message,
    ) -> Upcalls {
        let mut ups = Upcalls::new();
        match message {
            Message::Small(small) => self.receive_small(ctx, from, small, &mut ups),
            Message::Large(large) => self.receive_large(ctx, from, *large, &mut ups),
        }
        ups
    }

    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, timer: ChordTimer) -> Upcalls {
        let mut ups = Upcalls::new();
        match timer {
            ChordTimer::Stabilize => {
                ctx.set_after(timer, self.config.stabilize);
                self.synchronize(ctx);
                self.stabilize(ctx);
            }
            ChordTimer::CheckPredecessor => {
                ctx.set_after(timer, self.config.check_predecessor);
                self.check_predecessor(ctx);
            }
            ChordTimer::FixFingers => {
                ctx.set_after(timer, self.config.fix_fingers);
                self.fix_fingers(ctx, &mut ups);
            }
            ChordTimer::Expire => self.expire_records(ctx),
            ChordTimer::Rpc(slot) => self.unanswered(ctx, slot, &mut ups),
        }
        ups
    }

    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, endpoint: Endpoint) -> Upcalls {
        let mut ups = Upcalls::new();
        for slot in self.exchanges.waiting_for(endpoint, ctx) {
            ctx.cancel(ChordTimer::Rpc(slot));
            self.silent(ctx, slot, &mut ups);
        }
        // A forwarded look-up waits for nobody, yet shows as well that this hop is dead.
        let gone: Vec<NodeRef> = self.table.known_at(endpoint, ctx).collect();
        for node in gone {
            self.dead(ctx, node, &mut ups);
        }
        ups
    }
}
