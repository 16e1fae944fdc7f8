//! Full membership: every member knows all others and holds all records. Each greets the next one
//! now and then; who does not answer is dead, and all are told. The reference for the suite.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Subject;
use crate::address::{Endpoint, Port};
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::overlay::records::{Records, WireRecord};
use crate::overlay::wire::{Header, NodeList, Reader, RpcId, Writer, contacts_len, record_len};
use crate::overlay::*;
use crate::rng::mix2;

const HEADER: Header = Header::new(20, true, RpcId::new(0));
/// Are you there? Outsiders ask so to be let in.
const HELLO: u8 = 1;
/// Yes, and so are these; I hold this.
const MEMBERS: u8 = 2;
const BYE: u8 = 3;
const COPY: u8 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message(u8, NodeRef, OverlayId, NodeList, Vec<WireRecord>);

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }
    fn unpack(_: Words) -> Self {
        unreachable!("it is never packed")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        Port::OVERLAY
    }
    fn wire_len(&self) -> u32 {
        let records: u32 = self.4.iter().map(|one| record_len(HEADER, one)).sum();
        35 + contacts_len(HEADER, self.3.len()) + records
    }
    fn class(&self) -> Class {
        Class { protocol: Protocol::Test, purpose: Purpose::OverlayMaintenance }
    }
    fn digest(&self) -> u64 {
        let head = mix2(u64::from(self.0), u64::from(self.1.index()));
        self.4.iter().fold(mix2(head, self.3.len() as u64), |sum, one| mix2(sum, one.version))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round;

impl Timer for Round {
    fn slot(self) -> u32 {
        0
    }
}

#[derive(Clone, Debug)]
pub(crate) struct FullMembership {
    me: NodeRef,
    id: RingId,
    identity: Option<OverlayId>,
    others: BTreeMap<RingId, NodeRef>,
    /// Who was greeted and has not answered.
    silent: Option<NodeRef>,
    records: Records,
    operations: u32,
    /// While it joins: the contacts that were not asked yet, the next last.
    bootstrap: Option<Vec<Endpoint>>,
}

impl FullMembership {
    /// All members, from the first at or after this key on.
    fn starting_at(&self, key: RingId) -> Vec<NodeRef> {
        let mut all = self.others.clone();
        all.insert(self.id, self.me);
        all.range(key..).chain(all.range(..key)).map(|(_, &node)| node).collect()
    }

    fn say(&self, kind: u8, about: NodeRef, records: Vec<WireRecord>) -> Message {
        let overlay = self.identity.unwrap_or(OverlayId::OUTSIDER);
        Message(kind, about, overlay, NodeList::new(), records)
    }

    fn tell_all(&self, ctx: &mut impl DhtContext<Self>, message: &Message) {
        self.others.values().for_each(|&to| ctx.send(ctx.contact(to).endpoint, message.clone()));
    }

    fn held(&self, now: SimTime) -> Vec<WireRecord> {
        self.records.batches(20, now, |_| true).concat()
    }

    fn enter(&mut self, ctx: &mut impl DhtContext<Self>, overlay: OverlayId) -> Upcall {
        (self.identity, self.bootstrap) = (Some(overlay), None);
        self.start(ctx);
        Upcall::Joined(overlay)
    }

    fn drop_dead(&mut self, ctx: &mut impl DhtContext<Self>, node: NodeRef) -> Option<Upcall> {
        self.others.remove(&ctx.contact(node).id)?;
        self.tell_all(ctx, &self.say(BYE, node, Vec::new()));
        self.others.is_empty().then_some(Upcall::Isolated)
    }

    fn ask_next(&mut self, ctx: &mut impl DhtContext<Self>) -> Option<Upcall> {
        let Some(next) = self.bootstrap.as_mut()?.pop() else {
            self.bootstrap = None;
            return Some(Upcall::JoinFailed);
        };
        ctx.send(next, self.say(HELLO, self.me, Vec::new()));
        ctx.set_after(Round, SimDuration::from_secs(1));
        None
    }

    fn next_operation(&mut self) -> OperationId {
        self.operations += 1;
        OperationId(self.operations)
    }
}

impl Dht for FullMembership {
    type Message = Message;
    type Timer = Round;
    type Observation = Observation;

    fn me(&self) -> NodeRef {
        self.me
    }
    fn identity(&self) -> Option<OverlayId> {
        self.identity
    }
    fn acquaintances(&self) -> Vec<NodeRef> {
        self.starting_at(self.id).split_off(1)
    }
    fn is_alone(&self) -> bool {
        self.others.is_empty()
    }
    fn owns(&self, _: &impl Facts, key: RingId) -> bool {
        self.identity.is_some() && self.starting_at(key)[0] == self.me
    }
    fn start(&mut self, ctx: &mut impl DhtContext<Self>) {
        ctx.observe(Observation::Member(self.identity.expect("it is in an overlay")));
        ctx.set_after(Round, SimDuration::from_secs(5));
    }
    fn found(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        self.leave(ctx);
        Upcalls::from_iter([self.enter(ctx, OverlayId::minted(self.id, ctx.now()))])
    }
    fn join(&mut self, ctx: &mut impl DhtContext<Self>, bootstrap: &[Endpoint]) -> Upcalls {
        self.leave(ctx);
        self.bootstrap = Some(bootstrap.iter().rev().copied().collect());
        self.ask_next(ctx).into_iter().collect()
    }
    fn leave(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls {
        if self.identity.is_some() {
            self.tell_all(ctx, &self.say(BYE, self.me, Vec::new()));
            ctx.observe(Observation::NotMember);
        }
        ctx.cancel(Round);
        let operations = self.operations;
        *self = Self { operations, ..Self::outside(self.me, self.id, &Arc::new(())) };
        Upcalls::new()
    }
    fn lookup(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        let (id, owner) = (self.next_operation(), self.identity.map(|_| self.starting_at(key)[0]));
        let (outcome, found) =
            (LookupOutcome { owner, hops: 0, timeouts: 0, started: ctx.now() }, owner.is_some());
        ctx.observe(Observation::LookupEnded { hops: 0, timeouts: 0, found, maintenance: false });
        (id, Upcalls::from_iter([Upcall::LookupDone { id, key, outcome }]))
    }
    fn put(&mut self, ctx: &mut impl DhtContext<Self>, record: Record) -> (OperationId, Upcalls) {
        let (id, record) = (self.next_operation(), WireRecord::from(&record));
        let mut outcome = PutOutcome::Failed;
        if self.identity.is_some() {
            outcome = self.records.store(record.clone(), ctx.now()).into();
            self.tell_all(ctx, &self.say(COPY, self.me, vec![record]));
        }
        (id, Upcalls::from_iter([Upcall::PutDone { id, outcome }]))
    }
    fn get(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        let (id, record) = (self.next_operation(), self.records.fetch(key, ctx.now()));
        (id, Upcalls::from_iter([Upcall::Got { id, record: record.map(Record::from) }]))
    }

    fn receive(
        &mut self,
        ctx: &mut impl DhtContext<Self>,
        from: Endpoint,
        Message(kind, about, overlay, nodes, records): Message,
    ) -> Upcalls {
        let mut ups = Upcalls::new();
        let known = overlay == OverlayId::OUTSIDER || self.identity == Some(overlay);
        if kind == HELLO && self.identity.is_some() && known {
            let mut answer = self.say(MEMBERS, self.me, self.held(ctx.now()));
            answer.3 = self.others.values().copied().collect();
            ctx.send(from, answer);
        }
        if kind == MEMBERS && self.bootstrap.is_some() {
            ups.push(self.enter(ctx, overlay));
        }
        if self.identity != Some(overlay) {
            return ups;
        }
        if kind == BYE {
            self.others.remove(&ctx.contact(about).id);
        } else {
            self.silent = self.silent.filter(|&silent| silent != about);
            if about != self.me && self.others.insert(ctx.contact(about).id, about).is_none() {
                ctx.send(ctx.contact(about).endpoint, self.say(HELLO, self.me, Vec::new()));
            }
            for record in records {
                self.records.store(record, ctx.now());
            }
        }
        for node in nodes.into_iter().filter(|&node| node != self.me) {
            if !self.others.contains_key(&ctx.contact(node).id) {
                ctx.send(ctx.contact(node).endpoint, self.say(HELLO, self.me, Vec::new()));
            }
        }
        ups
    }

    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, _: Round) -> Upcalls {
        if self.identity.is_none() {
            return self.ask_next(ctx).into_iter().collect();
        }
        self.records.expire(ctx.now());
        let dead = self.silent.take().and_then(|node| self.drop_dead(ctx, node));
        self.silent = self.acquaintances().first().copied();
        if let Some(next) = self.silent {
            ctx.send(ctx.contact(next).endpoint, self.say(HELLO, self.me, Vec::new()));
        }
        ctx.set_after(Round, SimDuration::from_secs(5));
        dead.into_iter().collect()
    }

    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, at: Endpoint) -> Upcalls {
        let gone = self.others.values().copied().find(|&node| ctx.contact(node).endpoint == at);
        gone.and_then(|node| self.drop_dead(ctx, node)).into_iter().collect()
    }
}

impl Subject for FullMembership {
    type Config = ();

    const REPAIRED: SimDuration = SimDuration::from_secs(60);
    /// A crash is known to all after 5 to 10 s, and every fourth look-up follows one within 15 s.
    const RIGHT_UNDER_CHURN: usize = 90;

    fn replicas(members: usize) -> usize {
        members
    }
    fn configs() -> Vec<()> {
        vec![()]
    }
    fn id_bits((): &()) -> u8 {
        160
    }
    fn outside(me: NodeRef, id: RingId, _: &Arc<()>) -> Self {
        let (others, records, bootstrap) = Default::default();
        Self { me, id, identity: None, others, silent: None, records, operations: 0, bootstrap }
    }
    fn converged(nodes: &[NodeRef], facts: &Directory, config: &Arc<()>) -> Vec<Self> {
        let ids = nodes.iter().map(|&node| (facts.contact(node).id, node));
        let all: BTreeMap<RingId, NodeRef> = ids.clone().collect();
        ids.map(|(id, me)| {
            let mut node = Self { others: all.clone(), ..Self::outside(me, id, config) };
            (_, node.identity) = (node.others.remove(&id), Some(OverlayId(7)));
            node
        })
        .collect()
    }
    fn distance(key: RingId, node: RingId) -> u64 {
        key.distance_to(node)
    }
    fn records(&self) -> usize {
        self.records.len()
    }
    fn encode(message: &Message, facts: &Directory) -> Vec<u8> {
        let Message(kind, about, overlay, nodes, records) = message;
        let writer = Writer::new(*kind, HEADER, facts).contact(*about).overlay(*overlay);
        let writer = writer.list(nodes).octets(&[records.len() as u8]);
        records.iter().fold(writer, Writer::record).finish()
    }
    fn decode(octets: &[u8], intern: &mut impl FnMut(Contact) -> NodeRef) -> Message {
        let (kind, _, mut r) = Reader::open(octets, intern).expect("a header");
        let (about, overlay) = (r.contact().expect("a node"), r.overlay().expect("an overlay"));
        let (nodes, [count]) = (r.list(255).expect("nodes"), r.take().expect("a count"));
        let records = (0..count).map(|_| r.record().expect("a record")).collect();
        r.close(Message(kind, about, overlay, nodes, records)).expect("the end")
    }
}
