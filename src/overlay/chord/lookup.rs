//! Look-ups, and what follows them: store, fetch, join.
//!
//! A look-up ends at the key's predecessor, the node n with the key in (n, successor(n)\], which
//! answers with the owner and those that follow it (Stoica et al., `find_predecessor`). Iterative:
//! the origin asks, each node names up to three that are closer; one that does not answer is
//! dropped everywhere and the next best asked. Recursive: see [`Routing`].

use smallvec::SmallVec;

use super::exchange::Work;
use super::message::{Best, Header, Key, NodeList, Small};
use super::{Chord, Routing};
use crate::address::Endpoint;
use crate::overlay::{
    DhtContext, Facts, LookupOutcome, NodeRef, Observation, OperationId, PutOutcome, Record,
    RingId, Upcall, Upcalls,
};
use crate::time::SimTime;

/// One look-up of this node. There are so many that only what all of them need stands here.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) key: RingId,
    pub(super) goal: Goal,
    stage: Stage,
    started: SimTime,
    hops: u8,
    timeouts: u8,
    /// `None` until there is something in it.
    search: Option<Box<Search>>,
}

/// What a look-up has learnt that asks one node after another.
#[derive(Clone, Debug, Default)]
struct Search {
    /// The closest node that answered.
    reached: Option<NodeRef>,
    /// Whom to ask next, the best last.
    candidates: NodeList,
    /// Who did not answer.
    dead: SmallVec<[NodeRef; 2]>,
    /// The owner, should all candidates be dead.
    last_resort: Option<NodeRef>,
}

/// What it is for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The application wants to know.
    Find(OperationId),
    /// The finger of this level.
    Finger(u8),
    /// To join.
    Join(Box<Bootstrap>),
    /// To store.
    Put(OperationId, Box<Record>),
    /// To fetch.
    Get(OperationId),
}

/// Through whom a node joins.
#[derive(Clone, Debug)]
pub(super) struct Bootstrap {
    /// The contact in use.
    pub(super) via: Endpoint,
    /// Those to try after it, the next last.
    pub(super) others: Vec<Endpoint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Towards the key's predecessor.
    Search,
    /// With the owner, or who follows it.
    Owner,
}

impl Lookup {
    pub(super) fn new(key: RingId, goal: Goal, now: SimTime) -> Self {
        Self { key, goal, stage: Stage::Search, started: now, hops: 0, timeouts: 0, search: None }
    }

    fn search(&mut self) -> &mut Search {
        self.search.get_or_insert_default()
    }

    /// Whether this node did not answer.
    fn is_dead(&self, node: NodeRef) -> bool {
        self.search.as_ref().is_some_and(|search| search.dead.contains(&node))
    }

    /// The contact through which it joins.
    pub(super) fn bootstrap(&self) -> Option<Endpoint> {
        match &self.goal {
            Goal::Join(bootstrap) => Some(bootstrap.via),
            _ => None,
        }
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
            Goal::Finger(_) | Goal::Join(..) => {}
        }
    }

    fn maintenance(&self) -> bool {
        matches!(self.goal, Goal::Finger(_) | Goal::Join(..))
    }

    /// Takes in the nodes that one answer named. Only those count that are closer to the key than
    /// the node that named them; so the search can't turn in circles.
    fn consider(&mut self, nodes: Best, me: NodeRef, facts: &impl Facts) {
        let key = self.key;
        let search = self.search();
        let remaining = |node: NodeRef| facts.contact(node).id.distance_to(key);
        // At distance 0 stands the owner itself, which precedes the key by a whole turn.
        let limit = search.reached.map_or(u64::MAX, |node| remaining(node).wrapping_sub(1));
        let precedes = |node| (1..=limit).contains(&remaining(node));
        search.last_resort = None;
        search.candidates.retain(|node| precedes(*node));
        for node in nodes.into_iter().flatten() {
            if node == me || search.dead.contains(&node) || search.candidates.contains(&node) {
                continue;
            }
            if precedes(node) {
                let at = search.candidates.partition_point(|&c| remaining(c) > remaining(node));
                search.candidates.insert(at, node);
            } else {
                search.last_resort = Some(node);
            }
        }
    }
}

impl Chord {
    /// Begins a look-up from this member.
    pub(super) fn begin<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        if self.identity.is_none() {
            return self.conclude(ctx, lookup, None, ups);
        }
        if let Some(best) = self.table.owner_of(lookup.key, &self.config, ctx) {
            return self.conclude(ctx, lookup, Some(best), ups);
        }
        match self.config.routing {
            Routing::Iterative => {
                let closer = self.table.closer(lookup.key, 3, ctx);
                lookup.consider(closer, self.table.me, ctx);
                self.ask_next(ctx, lookup, ups);
            }
            Routing::Recursive => {
                let Some(next) = self.table.next_hop(lookup.key, ctx) else {
                    return self.conclude(ctx, lookup, None, ups);
                };
                let (key, me) = (Key::from(lookup.key), self.table.me);
                let timeout = self.config.lookup_timeout;
                let maintenance = lookup.maintenance();
                let endpoint = ctx.contact(next).endpoint;
                let work = Work::Lookup(lookup);
                let route = |header: Header| Small::Route(header.with_hops(1), key, me).into();
                if let Err(Work::Lookup(lookup)) =
                    self.request(ctx, (endpoint, None), timeout, maintenance, work, route)
                {
                    self.conclude(ctx, lookup, None, ups);
                }
            }
        }
    }

    /// Asks the next best node of an iterative search.
    fn ask_next<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        let asked = u32::from(lookup.hops) + u32::from(lookup.timeouts);
        if asked >= u32::from(self.config.hop_limit) {
            return self.conclude(ctx, lookup, None, ups);
        }
        let search = lookup.search();
        let Some(next) = search.candidates.pop() else {
            let owner = search.last_resort.map(|node| [Some(node), None, None]);
            return self.conclude(ctx, lookup, owner, ups);
        };
        let endpoint = ctx.contact(next).endpoint;
        self.ask(ctx, endpoint, Some(next), lookup, ups);
    }

    /// Asks one node of an iterative search.
    pub(super) fn ask<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        endpoint: Endpoint,
        node: Option<NodeRef>,
        lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        let (key, overlay) = (Key::from(lookup.key), self.overlay());
        let (timeout, maintenance) = (self.config.rpc_timeout, lookup.maintenance());
        let find = |header| Small::Find(header, key, overlay).into();
        let work = Work::Lookup(lookup);
        if let Err(Work::Lookup(lookup)) =
            self.request(ctx, (endpoint, node), timeout, maintenance, work, find)
        {
            self.conclude(ctx, lookup, None, ups);
        }
    }

    /// A node named some that are closer.
    pub(super) fn on_closer<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        from: Option<NodeRef>,
        nodes: Best,
        ups: &mut Upcalls,
    ) {
        if lookup.stage != Stage::Search {
            return self.next_owner(ctx, lookup, ups);
        }
        lookup.hops += 1;
        lookup.search().reached = from;
        lookup.consider(nodes, self.table.me, ctx);
        self.ask_next(ctx, lookup, ups);
    }

    /// The key's predecessor named the owner. `hops` is what the message counted, if it was
    /// forwarded.
    pub(super) fn on_found<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        hops: u8,
        nodes: Best,
        ups: &mut Upcalls,
    ) {
        if lookup.stage != Stage::Search {
            return self.next_owner(ctx, lookup, ups);
        }
        lookup.hops = if hops == 0 { lookup.hops + 1 } else { hops };
        self.conclude(ctx, lookup, Some(nodes), ups);
    }

    /// Whoever was asked did not answer; it is out of the tables already.
    pub(super) fn on_silence<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        node: Option<NodeRef>,
        ups: &mut Upcalls,
    ) {
        lookup.timeouts = lookup.timeouts.saturating_add(1);
        if let Some(node) = node {
            lookup.search().dead.push(node);
        }
        match (lookup.stage, node) {
            (Stage::Owner, _) => self.next_owner(ctx, lookup, ups),
            (Stage::Search, Some(_)) => self.ask_next(ctx, lookup, ups),
            // A forwarded look-up was lost, or a bootstrap contact is dead.
            (Stage::Search, None) => self.conclude(ctx, lookup, None, ups),
        }
    }

    /// The search ended, with the owner and who follows it or without.
    fn conclude<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        nodes: Option<Best>,
        ups: &mut Upcalls,
    ) {
        let Lookup { hops, timeouts, started, key, .. } = *lookup;
        let maintenance = lookup.maintenance();
        let owner = nodes.and_then(|nodes| nodes[0]);
        ctx.observe(Observation::LookupEnded { key, owner, hops, timeouts, maintenance });
        match lookup.goal {
            Goal::Find(id) => {
                let outcome = LookupOutcome { owner, hops, timeouts, started };
                ups.push(Upcall::LookupDone { id, key, outcome });
            }
            Goal::Finger(level) => {
                if let Some(owner) = owner {
                    self.table.set_finger(level, owner);
                }
                self.fix_next(ctx, ups);
            }
            Goal::Join(..) | Goal::Put(..) | Goal::Get(_) => {
                lookup.stage = Stage::Owner;
                let me = matches!(lookup.goal, Goal::Join(..)).then_some(self.table.me);
                let usable = |node: &NodeRef| Some(*node) != me && !lookup.is_dead(*node);
                let nodes = nodes.unwrap_or_default().into_iter().flatten().filter(usable);
                let mut candidates: NodeList = nodes.collect();
                if let Goal::Get(_) = lookup.goal {
                    candidates.truncate(usize::from(self.config.replicas));
                }
                candidates.reverse();
                lookup.search().candidates = candidates;
                self.next_owner(ctx, lookup, ups);
            }
        }
    }

    /// Turns to the owner, or to who follows it.
    pub(super) fn next_owner<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        while let Some(node) = lookup.search().candidates.pop() {
            if node == self.table.me {
                let Some(unanswered) = self.serve_myself(ctx, lookup, ups) else { return };
                lookup = unanswered;
                continue;
            }
            let overlay = self.overlay();
            let (me, key) = (self.table.me, Key::from(lookup.key));
            let (timeout, maintenance) = (self.config.rpc_timeout, lookup.maintenance());
            let record = match &lookup.goal {
                Goal::Put(_, record) => Some((&**record).into()),
                _ => None,
            };
            let joins = matches!(lookup.goal, Goal::Join(..));
            let message = |header| match record {
                Some(record) => super::Large::Store(header, overlay, record).into(),
                None if joins => Small::Join(header, me).into(),
                None => Small::Fetch(header, key, overlay).into(),
            };
            let to = (ctx.contact(node).endpoint, Some(node));
            match self.request(ctx, to, timeout, maintenance, Work::Lookup(lookup), message) {
                Err(Work::Lookup(unsent)) => return self.give_up(ctx, *unsent, ups),
                _ => return,
            }
        }
        self.give_up(ctx, *lookup, ups);
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
                let Some(record) = self.storage.records.fetch(lookup.key, ctx.now()) else {
                    return Some(lookup);
                };
                ups.push(Upcall::Got { id: *id, record: Some(record.into()) });
                None
            }
            Goal::Find(_) | Goal::Finger(_) | Goal::Join(..) => Some(lookup),
        }
    }

    /// The owner's predecessor is another: a joiner asks that one.
    pub(super) fn on_refused<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        instead: Option<NodeRef>,
        ups: &mut Upcalls,
    ) {
        lookup.hops += 1;
        let usable = |node: &NodeRef| *node != self.table.me && !lookup.is_dead(*node);
        let instead = instead.filter(usable).filter(|_| lookup.hops < self.config.hop_limit);
        let candidates = &mut lookup.search().candidates;
        candidates.clear();
        candidates.extend(instead);
        self.next_owner(ctx, lookup, ups);
    }

    /// Nobody is left to ask.
    pub(super) fn give_up<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        lookup: Lookup,
        ups: &mut Upcalls,
    ) {
        match lookup.goal {
            Goal::Join(bootstrap) => self.join_through(ctx, bootstrap.others, ups),
            Goal::Find(_) | Goal::Finger(_) | Goal::Put(..) | Goal::Get(_) => {
                lookup.report_failure(ups)
            }
        }
    }
}
