//! Look-ups: several requests at a time, until the closest nodes have all answered.
//!
//! The origin keeps the nodes that it has heard of, the closest to the key first, and asks those
//! among the first k that it has not asked, `parallelism` at a time. Once the closest of them has
//! answered, nobody can name a closer one but by chance, and the rest of the k are asked at once
//! (section 2.3 of the paper). The look-up ends when the k closest live nodes have answered. The
//! first of them owns the key.

use super::message::{Message, Sender};
use super::storage::Put;
use super::table::distance;
use super::{Kademlia, Work};
use crate::address::Endpoint;
use crate::overlay::records::WireRecord;
use crate::overlay::{
    DhtContext, Facts, LookupOutcome, NodeRef, Observation, OperationId, PutOutcome, Record,
    RingId, Upcall, Upcalls,
};
use crate::time::SimTime;

/// One look-up of this node.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) key: RingId,
    pub(super) goal: Goal,
    started: SimTime,
    timeouts: u8,
    /// The closest first.
    entries: Vec<Entry>,
    /// The highest version that was found.
    found: Option<WireRecord>,
}

/// A node that a look-up has heard of.
#[derive(Clone, Copy, Debug)]
struct Entry {
    node: NodeRef,
    distance: u64,
    state: State,
    /// How many nodes answered on the way from the origin's own table to its name.
    depth: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unasked,
    Asked,
    Answered,
    /// It answered with a record.
    Holds,
    Dead,
}

impl Entry {
    fn has_answered(&self) -> bool {
        matches!(self.state, State::Answered | State::Holds)
    }
}

/// What it is for.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// The application wants to know.
    Find(OperationId),
    /// To store.
    Put(OperationId, Box<Record>),
    /// To fetch.
    Get(OperationId),
    /// To hear of the nodes around the key, and be heard of.
    Refresh,
    /// To hear of the nodes around this one, and be heard of; contacts to try if that fails.
    Join(Vec<Endpoint>),
}

impl Goal {
    fn maintenance(&self) -> bool {
        matches!(self, Self::Refresh | Self::Join(_))
    }
}

impl Lookup {
    pub(super) fn new(key: RingId, goal: Goal, now: SimTime) -> Self {
        Self { key, goal, started: now, timeouts: 0, entries: Vec::new(), found: None }
    }

    /// Takes in nodes that somebody at this depth named.
    fn consider(&mut self, nodes: &[NodeRef], depth: u8, facts: &impl Facts) {
        for &node in nodes {
            if self.entries.iter().any(|entry| entry.node == node) {
                continue;
            }
            let distance = distance(self.key, facts.contact(node).id);
            let entry = Entry { node, distance, state: State::Unasked, depth };
            let at = self.entries.partition_point(|it| it.distance <= distance);
            self.entries.insert(at, entry);
        }
    }

    fn set(&mut self, node: NodeRef, state: State) -> u8 {
        match self.entries.iter_mut().find(|entry| entry.node == node) {
            Some(entry) => {
                entry.state = state;
                entry.depth
            }
            None => 0,
        }
    }

    /// Keeps the highest version.
    fn keep(&mut self, record: WireRecord) {
        if self.found.as_ref().is_none_or(|found| found.version < record.version) {
            self.found = Some(record);
        }
    }

    fn live(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.state != State::Dead)
    }

    /// Whom to ask now; `me` was not asked, so that its being the closest says nothing.
    fn next(&self, width: usize, parallelism: usize, me: NodeRef) -> Vec<NodeRef> {
        let first = || self.live().take(width);
        let asked = self.entries.iter().filter(|entry| entry.state == State::Asked).count();
        let close = self.live().find(|it| it.node != me).is_some_and(Entry::has_answered);
        let free = if close { width } else { parallelism.saturating_sub(asked) };
        first().filter(|it| it.state == State::Unasked).take(free).map(|it| it.node).collect()
    }

    /// Whether nothing better can come: the k closest have answered, or the closest has the record.
    fn is_over(&self, width: usize) -> bool {
        self.live().next().is_some_and(|closest| closest.state == State::Holds)
            || self.live().take(width).all(Entry::has_answered)
    }

    /// Tells the application that its operation came to nothing.
    pub(super) fn report_failure(&self, ups: &mut Upcalls) {
        match self.goal {
            Goal::Find(id) => {
                let outcome = LookupOutcome { owner: None, hops: 0, ..self.outcome() };
                ups.push(Upcall::LookupDone { id, key: self.key, outcome });
            }
            Goal::Put(id, _) => ups.push(Upcall::PutDone { id, outcome: PutOutcome::Failed }),
            Goal::Get(id) => ups.push(Upcall::Got { id, record: None }),
            Goal::Refresh | Goal::Join(_) => {}
        }
    }

    fn outcome(&self) -> LookupOutcome {
        let owner = self.live().find(|entry| entry.has_answered());
        LookupOutcome {
            owner: owner.map(|entry| entry.node),
            hops: owner.map_or(0, |entry| entry.depth),
            timeouts: self.timeouts,
            started: self.started,
        }
    }
}

impl Kademlia {
    /// Begins an operation of the application.
    pub(super) fn operate<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        key: RingId,
        goal: impl FnOnce(OperationId) -> Goal,
    ) -> (OperationId, Upcalls) {
        let (id, mut ups) = (self.operations.next(), Upcalls::new());
        let lookup = Lookup::new(key, goal(id), ctx.now());
        if self.member().is_some() {
            self.begin(ctx, lookup, &mut ups);
        } else {
            self.end_without(ctx, &lookup, &mut ups);
        }
        (id, ups)
    }

    /// Ends a look-up that could ask nobody.
    fn end_without<C: DhtContext<Self>>(&self, ctx: &mut C, lookup: &Lookup, ups: &mut Upcalls) {
        let (timeouts, maintenance) = (lookup.timeouts, lookup.goal.maintenance());
        let (key, owner) = (lookup.key, None);
        ctx.observe(Observation::LookupEnded { key, owner, hops: 0, timeouts, maintenance });
        lookup.report_failure(ups);
    }

    /// Begins a look-up from this node's own table.
    pub(super) fn begin<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Lookup,
        ups: &mut Upcalls,
    ) {
        let width = usize::from(self.config.bucket_size);
        self.table.mark(lookup.key, ctx.now());
        let nodes = self.table.closest(lookup.key, width, false, ctx);
        lookup.consider(&nodes, 0, ctx);
        if self.member().is_some() {
            let me = self.table.me;
            lookup.consider(&[me], 0, ctx);
            let held = match lookup.goal {
                Goal::Get(_) => self.records.fetch(lookup.key, ctx.now()),
                _ => None,
            };
            lookup.set(me, if held.is_some() { State::Holds } else { State::Answered });
            held.into_iter().for_each(|record| lookup.keep(record));
        }
        self.lookup_count = self.lookup_count.wrapping_add(1);
        let name = self.lookup_count;
        self.lookups.insert(name, lookup);
        self.advance(ctx, name, ups);
    }

    /// Asks the next nodes, or ends the look-up.
    pub(super) fn advance<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        name: u32,
        ups: &mut Upcalls,
    ) {
        let width = usize::from(self.config.bucket_size);
        let Some(lookup) = self.lookups.get_mut(&name) else { return };
        if lookup.is_over(width) {
            return self.conclude(ctx, name, ups);
        }
        let next = lookup.next(width, usize::from(self.config.parallelism), self.table.me);
        let key = lookup.key;
        let maintenance = lookup.goal.maintenance();
        let fetches = matches!(lookup.goal, Goal::Get(_));
        if self.pending.is_full() {
            // No more can wait. It goes on when one of its own requests ends; without any it fails.
            let waits = lookup.entries.iter().any(|entry| entry.state == State::Asked);
            if !waits && let Some(lookup) = self.lookups.remove(&name) {
                self.abandon_lookup(ctx, &lookup, ups);
            }
            return;
        }
        for node in next {
            if let Some(lookup) = self.lookups.get_mut(&name) {
                lookup.set(node, State::Asked);
            }
            let to = (ctx.contact(node).endpoint, Some(node));
            self.request(ctx, to, maintenance, Work::Lookup(name), |header, sender: Sender| {
                if fetches {
                    Message::FindValue(header, sender, key)
                } else {
                    Message::FindNode(header, sender, key)
                }
            });
        }
    }

    fn abandon_lookup<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        lookup: &Lookup,
        ups: &mut Upcalls,
    ) {
        self.end_without(ctx, lookup, ups);
        match &lookup.goal {
            Goal::Join(others) => self.join_through(ctx, others.clone(), ups),
            Goal::Refresh => self.refresh_next(ctx, ups),
            Goal::Find(_) | Goal::Put(..) | Goal::Get(_) => {}
        }
    }

    /// A node answered a step of a look-up.
    pub(super) fn on_nodes<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        name: u32,
        from: NodeRef,
        nodes: &[NodeRef],
        record: Option<WireRecord>,
        ups: &mut Upcalls,
    ) {
        let me = self.table.me;
        let Some(lookup) = self.lookups.get_mut(&name) else { return };
        let state = if record.is_some() { State::Holds } else { State::Answered };
        let depth = lookup.set(from, state).saturating_add(1);
        let others: Vec<NodeRef> = nodes.iter().copied().filter(|&node| node != me).collect();
        lookup.consider(&others, depth, ctx);
        record.into_iter().for_each(|record| lookup.keep(record));
        self.advance(ctx, name, ups);
    }

    /// A node did not answer a step of a look-up.
    pub(super) fn on_silence<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        name: u32,
        node: NodeRef,
        ups: &mut Upcalls,
    ) {
        let Some(lookup) = self.lookups.get_mut(&name) else { return };
        lookup.timeouts = lookup.timeouts.saturating_add(1);
        lookup.set(node, State::Dead);
        self.advance(ctx, name, ups);
    }

    fn conclude<C: DhtContext<Self>>(&mut self, ctx: &mut C, name: u32, ups: &mut Upcalls) {
        let Some(lookup) = self.lookups.remove(&name) else { return };
        let outcome = lookup.outcome();
        ctx.observe(outcome.observed(lookup.key, lookup.goal.maintenance()));
        let answered = lookup.live().filter(|entry| entry.has_answered());
        let closest: Vec<NodeRef> = answered.map(|entry| entry.node).collect();
        match lookup.goal {
            Goal::Find(id) => ups.push(Upcall::LookupDone { id, key: lookup.key, outcome }),
            Goal::Get(id) => ups.push(Upcall::Got { id, record: lookup.found.map(Record::from) }),
            Goal::Put(id, record) => {
                let put = Put { id, record: (&*record).into(), closest };
                self.store_at_next(ctx, put, ups);
            }
            Goal::Refresh => self.refresh_next(ctx, ups),
            Goal::Join(_) if outcome.owner.is_some() => self.become_member(ctx, ups),
            Goal::Join(others) => self.join_through(ctx, others, ups),
        }
    }
}
