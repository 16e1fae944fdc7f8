//! Kademlia: Maymounkov, Mazières, "Kademlia: a peer-to-peer information system based on the XOR
//! metric", IPTPS 2002; defaults as in OverSim.
//!
//! * `table`: siblings and k-buckets with replacement caches.
//! * `lookup`: parallel iterative look-ups, and what follows them.
//! * `membership`: found, join, leave, refresh.
//! * `storage`: records, replicas, republishing.
//! * `pending`: what is waited for.
//! * [`converged`](mod@converged): a stationary overlay at once.
//! * [`message`], [`codec`]: what travels, and its bytes.
//!
//! The node that is closest to a key by the XOR metric owns it. A node enters into its table whoever
//! sends it a request or an answer, and nobody that it only hears of from others; but a joiner takes
//! those that its contact names, since it has to begin somewhere, and pings at its first refresh those
//! that it has not heard since. A node that does not answer within [`Config::rpc_timeout`] is removed
//! everywhere; it is asked [`Config::tries`] times, once unless that is changed. Full buckets keep
//! whom they know, newer nodes wait in the replacement cache until one of those fails: the least
//! recently seen is not pinged for each newcomer (section 4.1 of the paper, which does so to save
//! messages).
//!
//! Decisions where the paper is silent. The paper stores at the k closest nodes, all alike; here
//! the closest decides on a record's version, and the publisher then sends it to the next ones. A
//! record that was found ends a look-up only when the closest node that is known has it, since it
//! may be outdated elsewhere; else the highest version that the k closest know counts. Contacts
//! that were not heard of for a refresh period are pinged (as BitTorrent's BEP 5 does), so that the
//! dead do not stay. A leaving node says so to those it knows, and hands its records over. A node
//! whose last contact dies says so ([`Upcall::Isolated`]) and remains as the only member.
//!
//! Left out: b above 1, caching along the look-up's path, round-trip times in the choice of
//! contacts, merging of overlays, positions below the 64th bit.

pub mod codec;
pub mod config;
pub mod converged;
mod lookup;
mod membership;
pub mod message;
mod pending;
mod storage;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use config::Config;
pub use converged::converged;
pub use message::Message;
pub use table::distance;

use crate::address::Endpoint;
use crate::overlay::records::Records;
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::{
    Dht, DhtContext, Facts, NodeRef, Observation, OperationId, Operations, OverlayId, Record,
    RingId, Upcall, Upcalls,
};
use crate::sim::Timer;
use crate::time::SimTime;
use lookup::{Goal, Lookup};
use message::Sender;
use pending::{Pending, Request};
use storage::Put;
use table::Table;

/// Kademlia's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KademliaTimer {
    /// The first of the outstanding requests has not been answered.
    Rpc,
    /// Begin a round of refresh.
    Refresh,
    /// Send the records to their replicas again.
    Republish,
    /// Drop records whose lifetime is over.
    Expire,
}

impl KademliaTimer {
    const ALL: [Self; 4] = [Self::Rpc, Self::Refresh, Self::Republish, Self::Expire];
}

impl Timer for KademliaTimer {
    #[inline]
    fn slot(self) -> u32 {
        self as u32
    }
}

/// How far it has come into an overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    /// It knows some members, and answers.
    Joining(OverlayId),
    Member(OverlayId),
}

/// What a request is for.
#[derive(Clone, Debug)]
enum Work {
    /// A sign of life.
    Ping,
    /// A step of the look-up of this name.
    Lookup(u32),
    /// The owner's decision on a record.
    Store(Box<Put>),
    /// The way into the overlay; contacts to try after this one, the next last.
    Bootstrap(Vec<Endpoint>),
}

/// One Kademlia node.
#[derive(Clone, Debug)]
pub struct Kademlia {
    config: Arc<Config>,
    state: State,
    table: Table,
    pending: Pending<Work>,
    /// By name.
    lookups: BTreeMap<u32, Lookup>,
    lookup_count: u32,
    operations: Operations,
    /// The levels that a round of refresh still goes to, the next last.
    refreshing: Vec<u8>,
    records: Records,
    /// When a record was last sent here: to the other holders as well, by all appearances.
    received: BTreeMap<RingId, SimTime>,
}

impl Kademlia {
    /// A node that is in no overlay yet. `id` is its contact's position.
    ///
    /// # Panics
    /// When a parameter is out of the range that [`Config`] names.
    #[must_use]
    pub fn new(me: NodeRef, id: RingId, config: Arc<Config>) -> Self {
        config.assert_ranges();
        Self {
            config,
            state: State::Outside,
            table: Table::new(me, id),
            pending: Pending::default(),
            lookups: BTreeMap::new(),
            lookup_count: 0,
            operations: Operations::default(),
            refreshing: Vec::new(),
            records: Records::default(),
            received: BTreeMap::new(),
        }
    }

    /// How many records it holds.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// The overlay that it is a member of.
    fn member(&self) -> Option<OverlayId> {
        match self.state {
            State::Member(overlay) => Some(overlay),
            State::Outside | State::Joining(_) => None,
        }
    }

    /// What it calls its overlay.
    fn overlay(&self) -> OverlayId {
        match self.state {
            State::Member(overlay) | State::Joining(overlay) => overlay,
            State::Outside => OverlayId::OUTSIDER,
        }
    }

    /// Whether it answers a request of this sender.
    fn serves(&self, sender: Sender) -> bool {
        let inside = self.state != State::Outside;
        inside && (sender.overlay == self.overlay() || sender.overlay == OverlayId::OUTSIDER)
    }

    fn sender(&self) -> Sender {
        Sender { node: self.table.me, overlay: self.overlay() }
    }

    /// A header for a message that asks for no answer.
    fn header(&self) -> Header {
        Header::new(self.config.id_octets(), true, RpcId::new(0))
    }

    /// Sends a request and waits for its answer.
    fn request<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        to: (Endpoint, Option<NodeRef>),
        maintenance: bool,
        work: Work,
        message: impl FnOnce(Header, Sender) -> Message,
    ) {
        let due = ctx.now().saturating_add(self.config.rpc_timeout);
        let first = self.pending.next_due().is_none();
        let rpc = self.pending.open(to, due, work);
        if first {
            ctx.set(KademliaTimer::Rpc, due);
        }
        let header = Header::new(self.config.id_octets(), maintenance, rpc);
        let message = message(header, self.sender());
        if self.config.tries > 1 {
            self.pending.keep(self.config.tries - 1, message.clone());
        }
        ctx.send(to.0, message);
    }

    /// Those closest to a key, as this node tells them to another.
    fn named_to<C: DhtContext<Self>>(&self, ctx: &C, asker: NodeRef, key: RingId) -> NodeList {
        let count = usize::from(self.config.bucket_size);
        let mut nodes = self.table.closest(key, count + 1, true, ctx);
        nodes.retain(|node| *node != asker);
        nodes.truncate(count);
        nodes
    }

    /// A member of this overlay sent something.
    fn heard<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef) {
        if self.table.seen(node, &self.config, ctx) && !self.records.is_empty() {
            self.hand_over(ctx, node);
        }
    }

    /// A node did not answer.
    fn dead<C: DhtContext<Self>>(&mut self, ctx: &mut C, node: NodeRef, ups: &mut Upcalls) {
        let known = self.table.forget(node, ctx);
        if known && self.table.is_empty() && self.member().is_some() {
            ups.push(Upcall::Isolated);
        }
    }

    /// Nobody answered a request in time.
    fn unanswered<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut request: Request<Work>,
        ups: &mut Upcalls,
    ) {
        let Some((endpoint, message)) = request.repeat() else {
            return self.silent(ctx, request, ups);
        };
        let due = ctx.now().saturating_add(self.config.rpc_timeout);
        self.pending.reopen(request, due);
        ctx.send(endpoint, message);
    }

    /// Who was asked does not answer.
    fn silent<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        request: Request<Work>,
        ups: &mut Upcalls,
    ) {
        if let Some(node) = request.node {
            self.dead(ctx, node, ups);
        }
        self.failed(ctx, request.work, request.node, ups);
    }

    /// What was asked for will not come.
    fn failed<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        work: Work,
        node: Option<NodeRef>,
        ups: &mut Upcalls,
    ) {
        match (work, node) {
            (Work::Lookup(name), Some(node)) => self.on_silence(ctx, name, node, ups),
            (Work::Store(mut put), _) => {
                put.closest.remove(0);
                self.store_at_next(ctx, *put, ups);
            }
            (Work::Bootstrap(others), _) => self.join_through(ctx, others, ups),
            (Work::Ping | Work::Lookup(_), _) => {}
        }
    }

    fn receive_request<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Message,
        sender: Sender,
    ) {
        match message {
            Message::Ping(header, _) => ctx.send(from, Message::Pong(header)),
            Message::FindNode(header, _, key) => {
                let nodes = self.named_to(ctx, sender.node, key);
                ctx.send(from, Message::Nodes(header, self.overlay(), nodes));
            }
            Message::FindValue(header, _, key) => {
                self.on_find_value(ctx, from, header, sender.node, key);
            }
            Message::Store(header, _, record) => {
                let verdict = self.store(ctx, record);
                ctx.send(from, Message::Stored(header, verdict));
            }
            Message::Replicate(_, _, records) => {
                for record in records {
                    self.store(ctx, record);
                }
            }
            Message::Leaving(..) => {
                self.table.forget(sender.node, ctx);
                return;
            }
            answer => unreachable!("{answer:?} is an answer"),
        }
        if sender.overlay == self.overlay() {
            self.heard(ctx, sender.node);
        }
    }

    fn receive_answer<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Message,
        ups: &mut Upcalls,
    ) {
        let Some(request) = self.pending.answer(message.header().rpc(), from) else { return };
        if let Some(node) = request.node {
            self.heard(ctx, node);
        }
        match (request.work, request.node, message) {
            (Work::Lookup(name), Some(node), Message::Nodes(_, _, nodes)) => {
                self.on_nodes(ctx, name, node, &nodes, None, ups);
            }
            (Work::Lookup(name), Some(node), Message::Value(_, record, nodes)) => {
                self.on_nodes(ctx, name, node, &nodes, Some(record), ups);
            }
            (Work::Bootstrap(others), _, Message::Nodes(_, overlay, nodes)) => {
                self.on_bootstrap(ctx, overlay, &nodes, others, ups);
            }
            (Work::Store(put), _, Message::Stored(_, verdict)) => {
                self.stored(ctx, *put, verdict, ups);
            }
            (Work::Ping, _, Message::Pong(_)) => {}
            // Another answer than the request asks for is none.
            (work, node, _) => self.failed(ctx, work, node, ups),
        }
    }
}

impl Dht for Kademlia {
    type Message = Message;
    type Timer = KademliaTimer;
    type Observation = Observation;

    fn me(&self) -> NodeRef {
        self.table.me
    }

    fn identity(&self) -> Option<OverlayId> {
        self.member()
    }

    fn acquaintances(&self) -> Vec<NodeRef> {
        self.table.known()
    }

    fn is_alone(&self) -> bool {
        self.table.is_empty()
    }

    fn owns(&self, facts: &impl Facts, key: RingId) -> bool {
        self.identity().is_some() && self.table.closest(key, 1, true, facts)[..] == [self.table.me]
    }

    fn start(&mut self, ctx: &mut impl DhtContext<Self>) {
        if let Some(overlay) = self.member() {
            self.begin_membership(ctx, overlay);
        }
    }

    fn found(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.found_overlay(ctx)
    }

    fn join(&mut self, ctx: &mut impl DhtContext<Self>, bootstrap: &[Endpoint]) -> Upcalls {
        let mut ups = Upcalls::new();
        self.abandon(ctx, &mut ups);
        self.join_through(ctx, bootstrap.iter().rev().copied().collect(), &mut ups);
        ups
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
            Message::Ping(_, sender)
            | Message::FindNode(_, sender, _)
            | Message::FindValue(_, sender, _)
            | Message::Store(_, sender, _)
            | Message::Replicate(_, sender, _)
            | Message::Leaving(_, sender) => {
                if self.serves(sender) {
                    self.receive_request(ctx, from, message, sender);
                }
            }
            Message::Pong(_) | Message::Nodes(..) | Message::Value(..) | Message::Stored(..) => {
                self.receive_answer(ctx, from, message, &mut ups);
            }
        }
        ups
    }

    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, timer: KademliaTimer) -> Upcalls {
        let mut ups = Upcalls::new();
        match timer {
            KademliaTimer::Rpc => {
                while let Some(request) = self.pending.overdue(ctx.now()) {
                    self.unanswered(ctx, request, &mut ups);
                }
                if let Some(due) = self.pending.next_due() {
                    ctx.set(timer, due);
                }
            }
            KademliaTimer::Refresh => {
                ctx.set_after(timer, self.config.refresh);
                self.refresh(ctx, &mut ups);
            }
            KademliaTimer::Republish => {
                ctx.set_after(timer, self.config.republish);
                self.republish(ctx);
            }
            KademliaTimer::Expire => self.expire(ctx),
        }
        ups
    }

    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, endpoint: Endpoint) -> Upcalls {
        let mut ups = Upcalls::new();
        while let Some(request) = self.pending.sent_to(endpoint) {
            self.silent(ctx, request, &mut ups);
        }
        let gone = self.table.known().into_iter().find(|&it| ctx.contact(it).endpoint == endpoint);
        if let Some(node) = gone {
            self.dead(ctx, node, &mut ups);
        }
        ups
    }
}
