//! Look-ups, and the store or fetch that follows them.

use smallvec::SmallVec;

use super::Bamboo;
use super::exchange::{Peer, Work};
use super::message::{Errand, Message, Passage};
use crate::address::Endpoint;
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::{
    DhtContext, LookupOutcome, NodeRef, Observation, OperationId, PutOutcome, Record, RingId,
    Upcall, Upcalls,
};
use crate::time::SimTime;

/// One look-up of this node.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) key: RingId,
    pub(super) goal: Goal,
    started: SimTime,
    hops: u8,
    timeouts: u8,
    /// The owner and who comes after it, the next to ask last.
    candidates: SmallVec<[NodeRef; 4]>,
}

/// What it is for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The application wants to know.
    Find(OperationId),
    /// For the routing table.
    Tune,
    /// To store.
    Put(OperationId, Box<Record>),
    /// To fetch.
    Get(OperationId),
}

impl Lookup {
    pub(super) fn new(key: RingId, goal: Goal, started: SimTime) -> Self {
        Self { key, goal, started, hops: 0, timeouts: 0, candidates: SmallVec::new() }
    }

    pub(super) fn maintenance(&self) -> bool {
        matches!(self.goal, Goal::Tune)
    }

    /// Tells the application that an operation came to nothing.
    pub(super) fn report_failure(self, ups: &mut Upcalls) {
        let Self { key, hops, timeouts, started, .. } = self;
        match self.goal {
            Goal::Find(id) => {
                let outcome = LookupOutcome { owner: None, hops, timeouts, started };
                ups.push(Upcall::LookupDone { id, key, outcome });
            }
            Goal::Put(id, _) => ups.push(Upcall::PutDone { id, outcome: PutOutcome::Failed }),
            Goal::Get(id) => ups.push(Upcall::Got { id, record: None }),
            Goal::Tune => {}
        }
    }
}

impl Bamboo {
    /// Begins an operation of the application.
    pub(super) fn operate<C: DhtContext<Self>>(
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

    /// Begins a look-up from this member.
    pub(super) fn begin<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        if self.identity.is_none() {
            return self.conclude(ctx, lookup, None, ups);
        }
        let (key, maintenance) = (lookup.key, lookup.maintenance());
        match self.wait(ctx, self.config.lookup_timeout, Work::Search(lookup)) {
            Ok(tag) => {
                let errand = Errand::Find;
                let passage = Passage { key, origin: self.leaves.me, tag, timeouts: 0, errand };
                self.pass_on(ctx, self.header(maintenance), passage, ups);
            }
            Err(Work::Search(lookup)) => self.conclude(ctx, lookup, None, ups),
            Err(other) => unreachable!("{other:?} was not to be waited for"),
        }
    }

    /// The owner answered a look-up of this node; it may be this node itself.
    pub(super) fn on_found<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        (tag, from): (RpcId, Endpoint),
        (hops, timeouts): (u8, u8),
        nodes: NodeList,
        ups: &mut Upcalls,
    ) {
        let Some((_, request)) = self.take_answered(ctx, tag, from) else { return };
        if let Work::Search(mut lookup) = request.work {
            (lookup.hops, lookup.timeouts) = (hops, timeouts);
            self.conclude(ctx, lookup, Some(nodes), ups);
        }
    }

    /// The search ended, with the nodes closest to the key or without.
    pub(super) fn conclude<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        nodes: Option<NodeList>,
        ups: &mut Upcalls,
    ) {
        let Lookup { hops, timeouts, started, key, .. } = *lookup;
        let (nodes, maintenance) = (nodes.unwrap_or_default(), lookup.maintenance());
        let owner = nodes.first().copied();
        ctx.observe(Observation::LookupEnded { key, owner, hops, timeouts, maintenance });
        match lookup.goal {
            Goal::Find(id) => {
                let outcome = LookupOutcome { owner, hops, timeouts, started };
                ups.push(Upcall::LookupDone { id, key, outcome });
            }
            Goal::Tune => {
                if let Some(&owner) = nodes.first() {
                    self.try_out(ctx, owner);
                }
            }
            Goal::Put(..) | Goal::Get(_) => {
                lookup.candidates = nodes.into_iter().rev().collect();
                self.next_owner(ctx, lookup, ups);
            }
        }
    }

    /// Turns to the owner, or to who comes after it.
    pub(super) fn next_owner<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        while let Some(node) = lookup.candidates.pop() {
            if node == self.leaves.me {
                let Some(unanswered) = self.serve_myself(ctx, lookup, ups) else { return };
                lookup = unanswered;
                continue;
            }
            let (overlay, key) = (self.overlay(), lookup.key);
            let peer = Peer { endpoint: ctx.contact(node).endpoint, node: Some(node) };
            let record = match &lookup.goal {
                Goal::Put(_, record) => Some((&**record).into()),
                _ => None,
            };
            let message = |header: Header| match record {
                Some(record) => Message::Store(header, overlay, record),
                None => Message::Fetch(header, overlay, key),
            };
            match self.ask(ctx, peer, self.config.tries, false, Work::Owner(lookup), message) {
                Err(Work::Owner(unsent)) => return unsent.report_failure(ups),
                _ => return,
            }
        }
        lookup.report_failure(ups);
    }

    /// The node is itself the owner: no message. Gives the look-up back when it has no record.
    fn serve_myself<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) -> Option<Box<Lookup>> {
        match &lookup.goal {
            Goal::Put(id, record) => {
                let outcome = self.store_owned(ctx, (&**record).into()).into();
                ups.push(Upcall::PutDone { id: *id, outcome });
                None
            }
            Goal::Get(id) => {
                let Some(record) = self.records.fetch(lookup.key, ctx.now()) else {
                    return Some(lookup);
                };
                ups.push(Upcall::Got { id: *id, record: Some(record.into()) });
                None
            }
            Goal::Find(_) | Goal::Tune => Some(lookup),
        }
    }

    /// The owner answered a store or a fetch.
    pub(super) fn on_owner<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        lookup: Box<Lookup>,
        answer: Message,
        ups: &mut Upcalls,
    ) {
        match (&lookup.goal, answer) {
            (Goal::Put(id, _), Message::StoreReply(_, verdict)) => {
                ups.push(Upcall::PutDone { id: *id, outcome: verdict.into() });
            }
            (Goal::Get(id), Message::Fetched(_, record)) => {
                ups.push(Upcall::Got { id: *id, record: Some(record.into()) });
            }
            _ => self.next_owner(ctx, lookup, ups),
        }
    }
}
