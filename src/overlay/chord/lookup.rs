//! Look-ups, and what follows them: store, fetch, join.
//!
//! A look-up ends at the key's predecessor, the node n with the key in (n, successor(n)\], which
//! answers with the owner and those that follow it (Stoica et al., `find_predecessor`). Iterative:
//! the origin asks, each node names up to three that are closer; one that does not answer is
//! dropped everywhere and the next best asked. When none of them answers, the origin asks the node
//! that named them once more, and tells it who was silent: it answers as if those were in none of
//! its tables ([`Large::FindAround`]). Recursive: see [`Routing`].

use smallvec::SmallVec;

use super::exchange::Work;
use super::message::{Best, Header, Key, NodeList, RpcId, Small};
use super::{Chord, ChordTimer, Large, Message, Routing};
use crate::address::Endpoint;
use crate::overlay::{
    DhtContext, Facts, LookupOutcome, NodeRef, Observation, OperationId, OverlayId, PutOutcome,
    Record, RingId, Upcall, Upcalls,
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
    /// Whether its search has ended once, and was observed.
    ended: bool,
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
    silent: SmallVec<[NodeRef; 2]>,
    /// What came of those that were named last.
    named: Named,
    /// Whether the closest node, or the contact of a joiner, is being asked once more.
    again: bool,
}

/// What came of the nodes that were named last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Named {
    /// None has been asked to the end.
    #[default]
    Unasked,
    /// Those that were asked are silent.
    Silent,
    /// One of them answered, though it was of no help.
    Answered,
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
        let (stage, ended) = (Stage::Search, false);
        Self { key, goal, stage, started: now, hops: 0, timeouts: 0, ended, search: None }
    }

    fn search(&mut self) -> &mut Search {
        self.search.get_or_insert_default()
    }

    /// Those that did not answer.
    fn silent(&self) -> &[NodeRef] {
        self.search.as_ref().map_or(&[], |search| &search.silent)
    }

    /// Somebody answered: a hop, unless that one had answered before.
    fn count_answer(&mut self) {
        let again = self.search.as_mut().is_some_and(|search| std::mem::take(&mut search.again));
        self.hops += u8::from(!again);
    }

    /// Whether it has asked as many as it may.
    fn is_exhausted(&self, limit: u8) -> bool {
        u32::from(self.hops) + u32::from(self.timeouts) >= u32::from(limit)
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

    pub(super) fn maintenance(&self) -> bool {
        matches!(self.goal, Goal::Finger(_) | Goal::Join(..))
    }

    /// What the next node is asked by a member of this overlay.
    pub(super) fn request(&self, header: Header, overlay: OverlayId, me: NodeRef) -> Message {
        let (key, silent) = (self.key, self.silent());
        match (self.stage, &self.goal) {
            (Stage::Search, _) if silent.is_empty() => {
                Small::Find(header, key.into(), overlay).into()
            }
            (Stage::Search, _) => {
                let silent = NodeList::from_slice(silent);
                Large::FindAround(header, overlay, key, silent).into()
            }
            (Stage::Owner, Goal::Put(_, record)) => {
                Large::Store(header, overlay, (&**record).into()).into()
            }
            (Stage::Owner, Goal::Join(_)) => Small::Join(header, me).into(),
            (Stage::Owner, Goal::Get(_)) => Small::Fetch(header, key.into(), overlay).into(),
            (Stage::Owner, Goal::Find(_) | Goal::Finger(_)) => {
                unreachable!("these end when the owner is named")
            }
        }
    }

    /// Takes in the nodes that one answer named. Only those count that are closer to the key than
    /// the node that named them; so the search can't turn in circles.
    fn consider(&mut self, nodes: Best, me: NodeRef, facts: &impl Facts) {
        let key = self.key;
        let search = self.search();
        let remaining = |node: NodeRef| facts.contact(node).id.distance_to(key);
        search.named = Named::Unasked;
        // At distance 0 stands the owner itself, which precedes the key by a whole turn.
        let limit = search.reached.map_or(u64::MAX, |node| remaining(node).wrapping_sub(1));
        let precedes = |node| (1..=limit).contains(&remaining(node));
        search.candidates.retain(|node| precedes(*node));
        for node in nodes.into_iter().flatten().filter(|&node| node != me && precedes(node)) {
            if !search.silent.contains(&node) && !search.candidates.contains(&node) {
                let at = search.candidates.partition_point(|&c| remaining(c) > remaining(node));
                search.candidates.insert(at, node);
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
                let closer = self.table.closer(lookup.key, lookup.silent(), ctx);
                lookup.consider(closer, self.table.me, ctx);
                self.ask_next(ctx, lookup, ups);
            }
            Routing::Recursive => {
                let Some(next) = self.table.next_hop(lookup.key, ctx) else {
                    return self.conclude(ctx, lookup, None, ups);
                };
                let (key, me) = (Key::from(lookup.key), self.table.me);
                let (octets, maintenance) = (self.config.id_octets(), lookup.maintenance());
                match self.open(None, lookup) {
                    Ok((slot, rpc)) => {
                        ctx.set_after(ChordTimer::Rpc(slot), self.config.lookup_timeout);
                        let header = Header::new(octets, maintenance, rpc).with_hops(1);
                        ctx.send(ctx.contact(next).endpoint, Small::Route(header, key, me).into());
                    }
                    Err(unsent) => self.conclude(ctx, unsent, None, ups),
                }
            }
        }
    }

    /// Takes a slot for a look-up. Gives the look-up back when none is free.
    #[inline]
    fn open(
        &mut self,
        node: Option<NodeRef>,
        lookup: Box<Lookup>,
    ) -> Result<(u8, RpcId), Box<Lookup>> {
        self.exchanges.open(node, Work::Lookup(lookup)).map_err(|work| match work {
            Work::Lookup(unsent) => unsent,
            Work::Ping | Work::Stabilize => unreachable!("it comes back as it was"),
        })
    }

    /// Answers a request of somebody's iterative look-up.
    pub(super) fn tell_way<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        to: Endpoint,
        header: Header,
        key: RingId,
        silent: &[NodeRef],
    ) {
        let answer = match self.table.owner_around(key, silent, &self.config, ctx) {
            Some(owners) => Small::Found(header, owners),
            None => Small::Closer(header, self.table.closer(key, silent, ctx)),
        };
        ctx.send(to, answer.into());
    }

    /// Asks the next best node of an iterative search.
    fn ask_next<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        if lookup.is_exhausted(self.config.hop_limit) {
            return self.conclude(ctx, lookup, None, ups);
        }
        if let Some(next) = lookup.search().candidates.pop() {
            debug_assert!(!lookup.silent().contains(&next), "nobody is silent twice");
            return self.ask(ctx, ctx.contact(next).endpoint, Some(next), lookup, ups);
        }
        if let Some(lookup) = self.ask_around(ctx, lookup, ups) {
            self.conclude(ctx, lookup, None, ups);
        }
    }

    /// None of those that were named answered: asks whoever named them for others. Gives the look-up
    /// back when there is nothing to ask.
    fn ask_around<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) -> Option<Box<Lookup>> {
        let joins = lookup.bootstrap();
        // With recursive routing only a joiner asks one node after another.
        let asks = self.config.routing == Routing::Iterative || joins.is_some();
        let exhausted = lookup.is_exhausted(self.config.hop_limit);
        let search = lookup.search();
        if search.named != Named::Silent || exhausted || !asks {
            return Some(lookup);
        }
        search.named = Named::Unasked;
        // If the closest node is silent by now it begins anew.
        search.reached = search.reached.filter(|node| !search.silent.contains(node));
        let reached = search.reached;
        search.again = reached.is_some() || joins.is_some();
        lookup.stage = Stage::Search;
        match (reached, joins) {
            (Some(node), _) => self.ask(ctx, ctx.contact(node).endpoint, Some(node), lookup, ups),
            (None, Some(contact)) => self.ask(ctx, contact, None, lookup, ups),
            // Cut off from all whom it knew: it can't tell whether they live.
            (None, None) if self.table.successor().is_none() => return Some(lookup),
            (None, None) => {
                let (key, silent) = (lookup.key, lookup.silent());
                match self.table.owner_around(key, silent, &self.config, ctx) {
                    Some(owners) => self.conclude(ctx, lookup, Some(owners), ups),
                    None => {
                        let closer = self.table.closer(key, silent, ctx);
                        lookup.consider(closer, self.table.me, ctx);
                        self.ask_next(ctx, lookup, ups);
                    }
                }
            }
        }
        None
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
        if let Some(unsent) = self.ask_one(ctx, (endpoint, node), lookup) {
            self.conclude(ctx, unsent, None, ups);
        }
    }

    /// Sends the next request of a look-up. Gives the look-up back when no slot is free.
    fn ask_one<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        (endpoint, node): (Endpoint, Option<NodeRef>),
        lookup: Box<Lookup>,
    ) -> Option<Box<Lookup>> {
        match self.open(node, lookup) {
            Ok((slot, _)) => {
                self.send_waiting(ctx, slot, endpoint);
                None
            }
            Err(unsent) => Some(unsent),
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
        lookup.count_answer();
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
        (from, hops): (Option<NodeRef>, u8),
        nodes: Best,
        ups: &mut Upcalls,
    ) {
        if lookup.stage != Stage::Search {
            return self.next_owner(ctx, lookup, ups);
        }
        match hops {
            0 => lookup.count_answer(),
            counted => lookup.hops = counted,
        }
        if from.is_some() {
            lookup.search().reached = from;
        }
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
            let search = lookup.search();
            search.silent.push(node);
            search.again = false;
            if search.named == Named::Unasked {
                search.named = Named::Silent;
            }
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
        if !std::mem::replace(&mut lookup.ended, true) {
            ctx.observe(Observation::LookupEnded { key, owner, hops, timeouts, maintenance });
        }
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
                let silent = lookup.silent();
                let usable = |node: &NodeRef| Some(*node) != me && !silent.contains(node);
                let nodes = nodes.unwrap_or_default().into_iter().flatten().filter(usable);
                let mut candidates: NodeList = nodes.collect();
                if let Goal::Get(_) = lookup.goal {
                    candidates.truncate(usize::from(self.config.replicas));
                }
                candidates.reverse();
                let search = lookup.search();
                (search.candidates, search.named) = (candidates, Named::Unasked);
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
                let Some(unserved) = self.serve_myself(ctx, lookup, ups) else { return };
                lookup = unserved;
                lookup.search().named = Named::Answered;
                continue;
            }
            let to = (ctx.contact(node).endpoint, Some(node));
            if let Some(unsent) = self.ask_one(ctx, to, lookup) {
                self.give_up(ctx, *unsent, ups);
            }
            return;
        }
        if let Some(lookup) = self.ask_around(ctx, lookup, ups) {
            self.give_up(ctx, *lookup, ups);
        }
    }

    /// The owner, or one who follows it, has no such record.
    pub(super) fn on_no_record<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        mut lookup: Box<Lookup>,
        ups: &mut Upcalls,
    ) {
        lookup.search().named = Named::Answered;
        self.next_owner(ctx, lookup, ups);
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
        let silent = lookup.silent();
        let usable = |node: &NodeRef| *node != self.table.me && !silent.contains(node);
        let instead = instead.filter(usable).filter(|_| lookup.hops < self.config.hop_limit);
        let search = lookup.search();
        (search.candidates, search.named) = (instead.into_iter().collect(), Named::Unasked);
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
