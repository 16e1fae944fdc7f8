//! Bamboo: Rhea, Geels, Roscoe, Kubiatowicz, "Handling churn in a DHT" (USENIX 2004): Pastry's
//! geometry, repaired periodically; periods as in OverSim.
//!
//! * `leaf_set`, `routing_table`: who is known. A key is owned by the node numerically closest to it.
//! * `route`: how a look-up travels: semi-recursive, hop by hop with acknowledgements.
//! * `passages`: which look-ups have come by already.
//! * `link`: time-outs as TCP's, and suspicion.
//! * `maintenance`: exchange of leaf sets, local and global tuning, proximity.
//! * `membership`: found, join, leave.
//! * `lookup`, `storage`: what follows a look-up; records and replicas.
//! * [`converged`](mod@converged): an overlay at rest at once.
//! * [`message`], [`codec`]: what travels, and its bytes.
//!
//! Decisions where the sources are silent. Whoever is named by others is pinged before it enters a
//! table, so that the dead do not spread; but a joiner enters the leaves and rows that it is told at
//! once, and asks the leaves for theirs. A hop that does not acknowledge in time is suspected: it
//! is pinged and passed over until it answers or its pings are used up, and it is dead then. The
//! last hop, to the owner, is repeated once before that. Whoever was only slow has forwarded the
//! look-up as well, so each node forwards it once; and the owner repeats its answer until the origin
//! has acknowledged it. A dead node is not pinged again on hearsay for
//! [`Config::quarantine`]. Local tuning takes one entry after another, where OverSim draws one: so
//! a dead entry is found within a round. After a change the nearest neighbours exchange leaf sets
//! at the next period, besides the random one. Records, their versions and hand-over are those of
//! Chord, on the nodes closest to the key.
//!
//! Left out: the reactive variant that the paper compares with, merging of overlays, retries of a
//! whole look-up, virtual coordinates instead of measured times, positions below the 64th bit.

pub mod codec;
pub mod config;
pub mod converged;
mod exchange;
mod leaf_set;
mod link;
mod lookup;
mod maintenance;
mod membership;
pub mod message;
mod passages;
mod route;
mod routing_table;
mod storage;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::SmallVec;

pub use config::Config;
pub use converged::converged;
pub use message::Message;

use crate::address::Endpoint;
use crate::overlay::records::Records;
use crate::overlay::ring::View;
use crate::overlay::wire::{Header, RpcId};
use crate::overlay::{
    Dht, DhtContext, Facts, NodeRef, Observation, OperationId, Operations, OverlayId, Record,
    RingId, Upcalls,
};
use crate::rng::mix2;
use crate::sim::Timer;
use crate::time::{SimDuration, SimTime};
use exchange::{Exchanges, Peer, Request, Work};
use leaf_set::LeafSet;
use link::{Links, doubled};
use lookup::Goal;
use message::Errand;
use passages::Passages;
use routing_table::{Place, RoutingTable};

/// Bamboo's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BambooTimer {
    /// Exchange leaf sets.
    Leaves,
    /// Ask a neighbour for its row.
    LocalTuning,
    /// Look up a random key.
    GlobalTuning,
    /// Drop records whose lifetime is over.
    Expire,
    /// The request in this slot has not been answered.
    Rpc(u16),
}

impl BambooTimer {
    /// How many slots there can be.
    pub const SLOTS: u32 = 4 + Exchanges::MAX as u32;
}

impl Timer for BambooTimer {
    fn slot(self) -> u32 {
        match self {
            Self::Leaves => 0,
            Self::LocalTuning => 1,
            Self::GlobalTuning => 2,
            Self::Rpc(0) => 3,
            Self::Expire => 4,
            Self::Rpc(slot) => 4 + u32::from(slot),
        }
    }
}

/// One Bamboo node.
#[derive(Clone, Debug)]
pub struct Bamboo {
    config: Arc<Config>,
    /// `None` while it is no member.
    identity: Option<OverlayId>,
    operations: Operations,
    /// How often it has drawn a number.
    drawn: u64,
    leaves: LeafSet,
    table: RoutingTable,
    links: Links,
    exchanges: Exchanges,
    /// The dead, and until when they are not believed to be back on hearsay.
    buried: SmallVec<[(NodeRef, SimTime); 1]>,
    records: Records,
    /// The look-ups that have come by.
    passages: Passages,
    /// The entry that was tuned last.
    tuned: Option<Place>,
    /// Whether leaves changed since leaf sets were exchanged.
    unsettled: bool,
    /// Whether leaves changed since the replicas were brought up to date.
    unsynced: bool,
}

impl Bamboo {
    /// A node that is in no overlay yet. `id` is its contact's position.
    ///
    /// # Panics
    /// When a parameter is out of the range that [`Config`] names.
    #[must_use]
    pub fn new(me: NodeRef, id: RingId, config: Arc<Config>) -> Self {
        config.assert_ranges();
        Self {
            leaves: LeafSet::new(me, id, config.leaves),
            table: RoutingTable::new(id, config.digit_bits),
            config,
            identity: None,
            operations: Operations::default(),
            drawn: 0,
            links: Links::default(),
            exchanges: Exchanges::default(),
            buried: SmallVec::new(),
            records: Records::default(),
            passages: Passages::default(),
            tuned: None,
            unsettled: false,
            unsynced: false,
        }
    }

    /// How many records it holds, as owner or as replica.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// How many entries its routing table has.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.table.len()
    }

    /// What the [ring checker](crate::overlay::ring) wants to know of a member.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View {
            node: self.leaves.me,
            id: self.leaves.id,
            predecessor: self.leaves.predecessor(),
            successors: self.leaves.after(),
        }
    }

    /// What it calls its overlay in requests.
    fn overlay(&self) -> OverlayId {
        self.identity.unwrap_or(OverlayId::OUTSIDER)
    }

    /// A header for a message that asks for no answer.
    fn header(&self, maintenance: bool) -> Header {
        self.labelled(maintenance, RpcId::new(0))
    }

    fn labelled(&self, maintenance: bool, label: RpcId) -> Header {
        Header::new(self.config.id_octets(), maintenance, label)
    }

    /// Random bits, by position and time: the same whoever else is there.
    fn draw(&mut self, now: SimTime) -> u64 {
        self.drawn += 1;
        self.config.draws.bits(self.leaves.id.0, mix2(now.as_nanos(), self.drawn))
    }

    /// A random number below `n`.
    fn below(&mut self, now: SimTime, n: usize) -> usize {
        ((u128::from(self.draw(now)) * n as u128) >> 64) as usize
    }

    /// Sends a request up to so many times and waits for its answer. Gives the work back when no
    /// slot is free.
    fn ask<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        peer: Peer,
        tries: u8,
        maintenance: bool,
        work: Work,
        message: impl FnOnce(Header) -> Message,
    ) -> Result<(), Work> {
        let Some((slot, rpc)) = self.exchanges.reserve() else { return Err(work) };
        let message = message(self.labelled(maintenance, rpc));
        let timeout = match (peer.node, &work) {
            (None, _) => self.config.initial_timeout,
            // The dead are silent as well, and a look-up need not wait for them.
            (Some(node), Work::Hop(..)) => self.links.usual_timeout(node, &self.config),
            (Some(node), _) => self.links.timeout(node, &self.config),
        };
        ctx.set_after(BambooTimer::Rpc(slot), timeout);
        ctx.send(peer.endpoint, message.clone());
        let (peer, sent, message) = (Some(peer), Some(ctx.now()), (tries > 1).then_some(message));
        let request = Request { rpc, peer, work, message, tries: tries - 1, timeout, sent };
        self.exchanges.open(slot, request);
        Ok(())
    }

    /// Waits for an answer that may come from anywhere; gives the label that it will have.
    fn wait<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        timeout: SimDuration,
        work: Work,
    ) -> Result<RpcId, Work> {
        let Some((slot, rpc)) = self.exchanges.reserve() else { return Err(work) };
        ctx.set_after(BambooTimer::Rpc(slot), timeout);
        let (peer, message, sent) = (None, None, None);
        self.exchanges.open(slot, Request { rpc, peer, work, message, tries: 0, timeout, sent });
        Ok(rpc)
    }

    /// An answer arrived: what waited for it, and who was asked.
    fn take_answered<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        rpc: RpcId,
        from: Endpoint,
    ) -> Option<(Option<NodeRef>, Request)> {
        let (slot, request) = self.exchanges.answer(rpc, from)?;
        ctx.cancel(BambooTimer::Rpc(slot));
        let node = request.peer.and_then(|peer| peer.node);
        if let Some(node) = node {
            self.links.clear(node);
            if let Some(sent) = request.sent {
                self.links.sample(node, ctx.now().since(sent));
            }
        }
        Some((node, request))
    }

    /// The time of a request is over: it is sent again, or given up.
    fn overdue<C: DhtContext<Self>>(&mut self, ctx: &mut C, slot: u16, ups: &mut Upcalls) {
        let Some(request) = self.exchanges.waiting(slot) else { return };
        let node = request.peer.and_then(|peer| peer.node);
        let mut longer = doubled(request.timeout, &self.config);
        if let Some(node) = node {
            let backed_off = self.links.back_off(node, request.timeout, &self.config);
            if !matches!(request.work, Work::Hop(..)) {
                longer = backed_off;
            }
        }
        if let (1.., Some(message), Some(peer)) = (request.tries, &request.message, request.peer) {
            request.tries -= 1;
            request.sent = None;
            request.timeout = longer;
            ctx.set_after(BambooTimer::Rpc(slot), request.timeout);
            return ctx.send(peer.endpoint, message.clone());
        }
        if let Some(request) = self.exchanges.close(slot) {
            self.unanswered(ctx, request, ups);
        }
    }

    /// Nobody answered a request.
    fn unanswered<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        request: Request,
        ups: &mut Upcalls,
    ) {
        let node = request.peer.and_then(|peer| peer.node);
        if let Some(node) = node {
            if matches!(request.work, Work::Hop(..)) {
                self.links.suspect(node);
                self.ping(ctx, node);
            } else {
                self.dead(ctx, node, ups);
            }
        }
        match request.work {
            Work::Ping | Work::Leaves | Work::Row | Work::Notice => {}
            Work::Hop(passage, _) if self.identity.is_none() => {
                self.bootstrap_failed(ctx, passage.tag, ups);
            }
            Work::Hop(passage, header) => self.detour(ctx, passage, header, ups),
            Work::Search(lookup) => self.conclude(ctx, lookup, None, ups),
            Work::Owner(lookup) => self.next_owner(ctx, lookup, ups),
            Work::Join(others) => self.join_through(ctx, others, ups),
        }
    }

    /// A request of a node that names this member's overlay, or of an outsider.
    fn receive_request<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Message,
        ups: &mut Upcalls,
    ) {
        match message {
            Message::Ping(header, _) => ctx.send(from, Message::Pong(header)),
            Message::Leaves(header, _, node, leaves) => {
                ctx.send(from, Message::LeavesReply(header, self.leaves.nodes()));
                self.seen(ctx, node);
                self.consider_leaves(ctx, &leaves);
            }
            Message::RowRequest(header, _, row, node) => {
                ctx.send(from, Message::Row(header, self.proven_row(row)));
                self.seen(ctx, node);
            }
            Message::Route(header, _, passage) => {
                ctx.send(from, Message::Ack(header));
                if !self.passages.is_new(passage, ctx.now(), self.config.lookup_timeout) {
                    return;
                }
                if passage.errand == Errand::Join {
                    self.tell_row(ctx, passage.origin);
                }
                self.pass_on(ctx, header, passage, ups);
            }
            Message::Leaving(_, _, node, leaves) => self.on_leaving(ctx, node, &leaves),
            Message::Store(header, _, record) => {
                let verdict = self.store_owned(ctx, record);
                ctx.send(from, Message::StoreReply(header, verdict));
            }
            Message::Fetch(header, _, key) => {
                let answer = match self.records.fetch(key, ctx.now()) {
                    Some(record) => Message::Fetched(header, record),
                    None => Message::NoRecord(header),
                };
                ctx.send(from, answer);
            }
            Message::Replicate(_, _, records) => self.hold(ctx, records),
            other => unreachable!("{other:?} is no request"),
        }
    }

    fn receive_answer<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        answer: Message,
        ups: &mut Upcalls,
    ) {
        let Some((node, request)) = self.take_answered(ctx, answer.header().rpc(), from) else {
            return;
        };
        match (answer, request.work, node) {
            (Message::Pong(_), Work::Ping, Some(node)) => self.seen(ctx, node),
            (Message::LeavesReply(_, leaves), Work::Leaves, Some(node)) => {
                self.seen(ctx, node);
                self.consider_leaves(ctx, &leaves);
            }
            (Message::Row(_, nodes), Work::Row, Some(node)) => {
                self.seen(ctx, node);
                self.consider_row(ctx, &nodes);
            }
            (answer, Work::Owner(lookup), _) => self.on_owner(ctx, lookup, answer, ups),
            // An acknowledgement, or an answer that does not fit: nothing follows.
            _ => {}
        }
    }
}

impl Dht for Bamboo {
    type Message = Message;
    type Timer = BambooTimer;
    type Observation = Observation;

    fn me(&self) -> NodeRef {
        self.leaves.me
    }

    fn identity(&self) -> Option<OverlayId> {
        self.identity
    }

    fn acquaintances(&self) -> Vec<NodeRef> {
        let mut known = self.leaves.nodes().into_vec();
        for (_, node) in self.table.entries() {
            if !known.contains(&node) {
                known.push(node);
            }
        }
        known
    }

    fn is_alone(&self) -> bool {
        self.leaves.is_empty()
    }

    fn owns(&self, facts: &impl Facts, key: RingId) -> bool {
        self.identity().is_some() && self.leaves.closest(key, 1, facts)[..] == [self.leaves.me]
    }

    fn start(&mut self, ctx: &mut impl DhtContext<Self>) {
        self.set_periods(ctx);
    }

    fn found(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.found_overlay(ctx)
    }

    fn join(&mut self, ctx: &mut impl DhtContext<Self>, bootstrap: &[Endpoint]) -> Upcalls {
        self.join_overlay(ctx, bootstrap)
    }

    fn leave(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.leave_overlay(ctx)
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

    fn receive(
        &mut self,
        ctx: &mut impl DhtContext<Self>,
        from: Endpoint,
        message: Message,
    ) -> Upcalls {
        let mut ups = Upcalls::new();
        match message {
            Message::Ping(_, overlay)
            | Message::Leaves(_, overlay, ..)
            | Message::RowRequest(_, overlay, ..)
            | Message::Route(_, overlay, _)
            | Message::Leaving(_, overlay, ..)
            | Message::Store(_, overlay, _)
            | Message::Fetch(_, overlay, _)
            | Message::Replicate(_, overlay, _) => {
                if self.serves(overlay) {
                    self.receive_request(ctx, from, message, &mut ups);
                }
            }
            Message::Found(header, tag, timeouts, nodes) => {
                ctx.send(from, Message::Ack(header));
                self.on_found(ctx, (tag, from), (header.hops(), timeouts), nodes, &mut ups);
            }
            Message::Welcome(header, overlay, owner, tag, leaves) => {
                let label = (from, header, tag);
                self.welcomed(ctx, label, overlay, owner, &leaves, &mut ups);
            }
            Message::Refused(header) => self.refused(ctx, header.rpc(), &mut ups),
            Message::JoinRow(_, overlay, nodes) => self.on_join_row(ctx, overlay, &nodes),
            answer => self.receive_answer(ctx, from, answer, &mut ups),
        }
        ups
    }

    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, timer: BambooTimer) -> Upcalls {
        let mut ups = Upcalls::new();
        match timer {
            BambooTimer::Leaves => {
                ctx.set_after(timer, self.config.leaf_exchange);
                self.synchronize(ctx);
                self.exchange_leaves(ctx);
            }
            BambooTimer::LocalTuning => {
                ctx.set_after(timer, self.config.local_tuning);
                self.tune_locally(ctx);
            }
            BambooTimer::GlobalTuning => {
                ctx.set_after(timer, self.config.global_tuning);
                self.tune_globally(ctx, &mut ups);
            }
            BambooTimer::Expire => self.expire_records(ctx),
            BambooTimer::Rpc(slot) => self.overdue(ctx, slot, &mut ups),
        }
        ups
    }

    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, endpoint: Endpoint) -> Upcalls {
        let mut ups = Upcalls::new();
        let gone: Vec<NodeRef> = self
            .acquaintances()
            .into_iter()
            .filter(|&node| ctx.contact(node).endpoint == endpoint)
            .collect();
        gone.into_iter().for_each(|node| self.dead(ctx, node, &mut ups));
        for slot in self.exchanges.waiting_for(endpoint) {
            ctx.cancel(BambooTimer::Rpc(slot));
            if let Some(request) = self.exchanges.close(slot) {
                self.unanswered(ctx, request, &mut ups);
            }
        }
        ups
    }
}
