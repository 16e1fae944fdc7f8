//! Full membership: every member knows all others and holds all records. Each greets the next one
//! now and then; who does not answer is dead, and all are told. The reference for the suite.
//!
//! It speaks as [Kademlia](crate::overlay::kademlia) does: `Ping` greets, or asks to be let in;
//! `Nodes`, the answerer first, and `Replicate` answer; `Leaving` says that a node is gone.

mod suite;

use std::collections::BTreeMap;

use crate::address::Endpoint;
use crate::overlay::kademlia::KademliaTimer;
use crate::overlay::kademlia::message::{Message, Sender};
use crate::overlay::records::{Records, WireRecord};
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::*;

const HEADER: Header = Header::new(20, true, RpcId::new(0));
const ROUND: KademliaTimer = KademliaTimer::Refresh;

#[derive(Clone, Debug)]
pub(crate) struct FullMembership {
    me: NodeRef,
    id: RingId,
    identity: Option<OverlayId>,
    others: BTreeMap<RingId, NodeRef>,
    /// Who was greeted and has not answered.
    silent: Option<NodeRef>,
    records: Records,
    operations: Operations,
    /// While it joins: the contacts that were not asked yet, the next last.
    bootstrap: Option<Vec<Endpoint>>,
}

impl FullMembership {
    fn new(me: NodeRef, id: RingId, operations: Operations) -> Self {
        let (others, records, bootstrap) = Default::default();
        Self { me, id, identity: None, others, silent: None, records, operations, bootstrap }
    }

    /// All members, from the first at or after this key on.
    fn starting_at(&self, key: RingId) -> NodeList {
        let mut all = self.others.clone();
        all.insert(self.id, self.me);
        all.range(key..).chain(all.range(..key)).map(|(_, &node)| node).collect()
    }

    fn of(&self, node: NodeRef) -> Sender {
        Sender { node, overlay: self.identity.unwrap_or(OverlayId::OUTSIDER) }
    }

    fn greet(&self, ctx: &mut impl DhtContext<Self>, to: Endpoint) {
        ctx.send(to, Message::Ping(HEADER, self.of(self.me)));
    }

    fn tell_all(&self, ctx: &mut impl DhtContext<Self>, message: &Message) {
        self.others.values().for_each(|&to| ctx.send(ctx.contact(to).endpoint, message.clone()));
    }

    fn enter(&mut self, ctx: &mut impl DhtContext<Self>, overlay: OverlayId) -> Upcall {
        (self.identity, self.bootstrap) = (Some(overlay), None);
        self.start(ctx);
        Upcall::Joined(overlay)
    }

    /// Members of this overlay are heard of, the first of them by its own words.
    fn meet(&mut self, ctx: &mut impl DhtContext<Self>, nodes: &[NodeRef]) {
        let is_new = |it: &Contact| it.id != self.id && !self.others.contains_key(&it.id);
        let new = nodes.iter().map(|&node| ctx.contact(node)).filter(is_new);
        new.collect::<Vec<_>>().into_iter().for_each(|it| self.greet(ctx, it.endpoint));
        self.others.insert(ctx.contact(nodes[0]).id, nodes[0]);
        self.silent = self.silent.filter(|silent| *silent != nodes[0]);
    }

    fn drop_dead(&mut self, ctx: &mut impl DhtContext<Self>, node: NodeRef) -> Option<Upcall> {
        self.others.remove(&ctx.contact(node).id)?;
        self.tell_all(ctx, &Message::Leaving(HEADER, self.of(node)));
        self.others.is_empty().then_some(Upcall::Isolated)
    }

    fn ask_next(&mut self, ctx: &mut impl DhtContext<Self>) -> Option<Upcall> {
        let Some(next) = self.bootstrap.as_mut()?.pop() else {
            self.bootstrap = None;
            return Some(Upcall::JoinFailed);
        };
        self.greet(ctx, next);
        ctx.set_after(ROUND, SimDuration::from_secs(1));
        None
    }
}

impl Dht for FullMembership {
    type Message = Message;
    type Timer = KademliaTimer;
    type Observation = Observation;

    fn me(&self) -> NodeRef {
        self.me
    }
    fn identity(&self) -> Option<OverlayId> {
        self.identity
    }
    fn acquaintances(&self) -> Vec<NodeRef> {
        self.starting_at(self.id)[1..].to_vec()
    }
    fn owns(&self, _: &impl Facts, key: RingId) -> bool {
        self.identity.is_some() && self.starting_at(key)[0] == self.me
    }
    fn start(&mut self, ctx: &mut impl DhtContext<Self>) {
        ctx.observe(Observation::Member(self.identity.expect("it is in an overlay")));
        ctx.set_after(ROUND, SimDuration::from_secs(5));
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
            self.tell_all(ctx, &Message::Leaving(HEADER, self.of(self.me)));
            ctx.observe(Observation::NotMember);
        }
        ctx.cancel(ROUND);
        *self = Self::new(self.me, self.id, self.operations);
        Upcalls::new()
    }
    fn lookup(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        let owner = self.identity.map(|_| self.starting_at(key)[0]);
        let outcome = LookupOutcome { owner, hops: 0, timeouts: 0, started: ctx.now() };
        ctx.observe(outcome.observed(key, false));
        self.operations.end(|id| Upcall::LookupDone { id, key, outcome })
    }
    fn put(&mut self, ctx: &mut impl DhtContext<Self>, record: Record) -> (OperationId, Upcalls) {
        let (record, mut outcome) = (WireRecord::from(&record), PutOutcome::Failed);
        if self.identity.is_some() {
            outcome = self.records.store(record.clone(), ctx.now()).into();
            self.tell_all(ctx, &Message::Replicate(HEADER, self.of(self.me), vec![record]));
        }
        self.operations.end(|id| Upcall::PutDone { id, outcome })
    }
    fn get(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls) {
        let record = self.records.fetch(key, ctx.now()).map(Record::from);
        self.operations.end(|id| Upcall::Got { id, record })
    }

    fn receive(
        &mut self,
        ctx: &mut impl DhtContext<Self>,
        from: Endpoint,
        message: Message,
    ) -> Upcalls {
        let mut ups = Upcalls::new();
        match (message, self.identity) {
            (Message::Nodes(_, overlay, nodes), _) => {
                ups.extend(self.bootstrap.is_some().then(|| self.enter(ctx, overlay)));
                (self.identity == Some(overlay)).then(|| self.meet(ctx, &nodes));
            }
            (Message::Ping(_, sender), Some(mine)) if self.serves(sender.overlay) => {
                ctx.send(from, Message::Nodes(HEADER, mine, self.starting_at(self.id)));
                for batch in self.records.batches(HEADER.id_octets(), ctx.now(), |_| true) {
                    ctx.send(from, Message::Replicate(HEADER, self.of(self.me), batch));
                }
                (sender.overlay == mine).then(|| self.meet(ctx, &[sender.node]));
            }
            (Message::Replicate(_, sender, records), Some(mine)) if sender.overlay == mine => {
                self.meet(ctx, &[sender.node]);
                for record in records {
                    self.records.store(record, ctx.now());
                }
            }
            (Message::Leaving(_, sender), Some(mine)) if sender.overlay == mine => {
                self.others.remove(&ctx.contact(sender.node).id);
            }
            _ => {}
        }
        ups
    }
    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, _: KademliaTimer) -> Upcalls {
        if self.identity.is_none() {
            return self.ask_next(ctx).into_iter().collect();
        }
        self.records.expire(ctx.now());
        let dead = self.silent.take().and_then(|node| self.drop_dead(ctx, node));
        self.silent = self.acquaintances().first().copied();
        if let Some(next) = self.silent {
            self.greet(ctx, ctx.contact(next).endpoint);
        }
        ctx.set_after(ROUND, SimDuration::from_secs(5));
        dead.into_iter().collect()
    }
    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, at: Endpoint) -> Upcalls {
        let gone = self.others.values().copied().find(|&node| ctx.contact(node).endpoint == at);
        gone.and_then(|node| self.drop_dead(ctx, node)).into_iter().collect()
    }
}
