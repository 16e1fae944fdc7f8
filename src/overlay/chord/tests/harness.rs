//! A handful of nodes, a fixed delay, a sorted list of events.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};
use crate::overlay::chord::{Chord, ChordTimer, Config, Message, converged};
use crate::overlay::ring::RingReport;
use crate::overlay::{
    Contact, Dht, Directory, Facts, LookupOutcome, NodeRef, Observation, OperationId, RingId,
    Upcall, Upcalls,
};
use crate::rng::{Draws, Purpose, mix2};
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// One way, between any two.
pub(super) const DELAY: SimDuration = SimDuration::from_millis(20);

pub(super) fn config() -> Config {
    Config::new(Draws::new(42, Purpose::Protocol))
}

enum Happening {
    Message(Endpoint, Endpoint, Message),
    Timer(usize, u64, ChordTimer),
}

/// Time, events, and what was observed.
#[derive(Default)]
struct World {
    now: SimTime,
    events: BTreeMap<(SimTime, u64), Happening>,
    count: u64,
    /// By node and slot: the setting in force.
    timers: BTreeMap<(usize, u32), u64>,
}

pub(super) struct Net {
    pub(super) directory: Directory,
    pub(super) config: Arc<Config>,
    world: World,
    /// By place in the directory; `None` when it crashed.
    pub(super) nodes: Vec<Option<Chord>>,
    pub(super) ups: Vec<(usize, Upcall)>,
    pub(super) observed: Vec<Observation>,
    pub(super) sent: Vec<Message>,
}

pub(super) struct Hands<'a> {
    net: &'a mut World,
    directory: &'a Directory,
    observed: &'a mut Vec<Observation>,
    sent: &'a mut Vec<Message>,
    node: usize,
}

impl Facts for Hands<'_> {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

impl Context for Hands<'_> {
    type Message = Message;
    type Timer = ChordTimer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.net.now
    }
    fn send(&mut self, to: Endpoint, message: Message) {
        self.sent.push(message.clone());
        let from = self.directory.contact(NodeRef::new(self.node as u32)).endpoint;
        self.net.push(self.net.now + DELAY, Happening::Message(from, to, message));
    }
    fn set(&mut self, timer: ChordTimer, at: SimTime) {
        let count = self.net.count;
        self.net.timers.insert((self.node, timer.slot()), count);
        self.net.push(at, Happening::Timer(self.node, count, timer));
    }
    fn cancel(&mut self, timer: ChordTimer) {
        self.net.timers.remove(&(self.node, timer.slot()));
    }
    fn observe(&mut self, observation: Observation) {
        self.observed.push(observation);
    }
}

impl World {
    fn push(&mut self, at: SimTime, happening: Happening) {
        self.events.insert((at, self.count), happening);
        self.count += 1;
    }
}

pub(super) fn endpoint(node: usize) -> Endpoint {
    Address::from_bits(0x0a00_0000 + node as u32).at(Port::OVERLAY)
}

/// `n` contacts with distinct positions.
pub(super) fn directory(n: usize, seed: u64, id_bits: u8) -> Directory {
    let mut directory = Directory::new();
    let mut taken = std::collections::BTreeSet::new();
    let mut tries = 0;
    while directory.len() < n {
        tries += 1;
        let id = RingId::from_hash(mix2(seed, tries), id_bits);
        if taken.insert(id) {
            directory.add(Contact { id, endpoint: endpoint(directory.len()) });
        }
    }
    directory
}

impl Net {
    /// `n` nodes that are in no overlay.
    pub(super) fn outside(n: usize, seed: u64, config: Config) -> Self {
        let directory = directory(n, seed, config.id_bits);
        let config = Arc::new(config);
        let node = |i| {
            let me = NodeRef::new(i as u32);
            Some(Chord::new(me, directory.contact(me).id, Arc::clone(&config)))
        };
        let nodes = (0..n).map(node).collect();
        Self {
            directory,
            config,
            world: World::default(),
            nodes,
            ups: Vec::new(),
            observed: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A converged ring of `members`, and more nodes outside.
    pub(super) fn converged(members: usize, outside: usize, seed: u64, config: Config) -> Self {
        let mut net = Self::outside(members + outside, seed, config);
        let refs: Vec<NodeRef> = (0..members as u32).map(NodeRef::new).collect();
        let ring = converged(&refs, &net.directory, &net.config).expect("positions are distinct");
        for (i, chord) in ring.into_iter().enumerate() {
            net.nodes[i] = Some(chord);
            net.with(i, |chord, ctx| {
                chord.start(ctx);
                Upcalls::new()
            });
        }
        net
    }

    /// Lets an up node act; its up-calls are noted.
    fn with(&mut self, i: usize, act: impl FnOnce(&mut Chord, &mut Hands<'_>) -> Upcalls) {
        let Some(chord) = &mut self.nodes[i] else { return };
        let mut hands = Hands {
            net: &mut self.world,
            directory: &self.directory,
            observed: &mut self.observed,
            sent: &mut self.sent,
            node: i,
        };
        let ups = act(chord, &mut hands);
        self.ups.extend(ups.into_iter().map(|up| (i, up)));
    }

    pub(super) fn found(&mut self, i: usize) {
        self.with(i, |chord, ctx| chord.found(ctx));
    }
    pub(super) fn join(&mut self, i: usize, through: &[usize]) {
        let contacts: Vec<Endpoint> = through.iter().map(|&node| endpoint(node)).collect();
        self.with(i, |chord, ctx| chord.join(ctx, &contacts));
    }
    pub(super) fn leave(&mut self, i: usize) {
        self.with(i, |chord, ctx| chord.leave(ctx));
    }
    pub(super) fn unreachable(&mut self, i: usize, who: usize) {
        self.with(i, |chord, ctx| chord.unreachable(ctx, endpoint(who)));
    }
    /// The node is gone without a word.
    pub(super) fn crash(&mut self, i: usize) {
        self.nodes[i] = None;
        self.world.timers.retain(|&(node, _), _| node != i);
    }
    /// A crashed node is up again, in no overlay.
    pub(super) fn restart(&mut self, i: usize) {
        let me = NodeRef::new(i as u32);
        let id = self.directory.contact(me).id;
        self.nodes[i] = Some(Chord::new(me, id, Arc::clone(&self.config)));
    }
    /// Begins an operation.
    pub(super) fn operate(
        &mut self,
        i: usize,
        act: impl FnOnce(&mut Chord, &mut Hands<'_>) -> (OperationId, Upcalls),
    ) {
        self.with(i, |chord, ctx| act(chord, ctx).1);
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: SimDuration) {
        let end = self.world.now + span;
        while let Some(entry) = self.world.events.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), happening) = entry.remove_entry();
            self.world.now = at;
            match happening {
                Happening::Message(from, to, message) => {
                    let i = (to.address.bits() - 0x0a00_0000) as usize;
                    self.with(i, |chord, ctx| chord.receive(ctx, from, message));
                }
                Happening::Timer(i, setting, timer) => {
                    let slot = (i, timer.slot());
                    if self.world.timers.get(&slot) == Some(&setting) {
                        self.world.timers.remove(&slot);
                        self.with(i, |chord, ctx| chord.timer(ctx, timer));
                    }
                }
            }
        }
        self.world.now = end;
    }

    /// The places of the up members.
    pub(super) fn members(&self) -> Vec<usize> {
        let member = |i: &usize| self.nodes[*i].as_ref().is_some_and(|c| c.identity().is_some());
        (0..self.nodes.len()).filter(member).collect()
    }

    pub(super) fn report(&self) -> RingReport {
        let members = self.members();
        let views: Vec<_> =
            members.iter().filter_map(|&i| self.nodes[i].as_ref().map(Chord::view)).collect();
        RingReport::of(&views)
    }

    /// The owner of a key, by the sorted ring of up members.
    pub(super) fn owner(&self, key: RingId) -> NodeRef {
        let node = |i: &usize| NodeRef::new(*i as u32);
        let members = self.members();
        let refs = members.iter().map(node);
        refs.min_by_key(|&n| key.distance_to(self.directory.contact(n).id)).expect("a member")
    }

    /// Looks keys up from member after member and gives each outcome with the true owner.
    pub(super) fn look_up(&mut self, count: u64, seed: u64) -> Vec<(NodeRef, LookupOutcome)> {
        let members = self.members();
        let bits = self.config.id_bits;
        let mut outcomes = Vec::new();
        for i in 0..count {
            let key = RingId::from_hash(mix2(seed, i), bits);
            let owner = self.owner(key);
            self.ups.clear();
            self.operate(members[i as usize % members.len()], |chord, ctx| chord.lookup(ctx, key));
            self.run(SimDuration::from_secs(15));
            let outcome = self.ups.iter().find_map(|(_, up)| match up {
                Upcall::LookupDone { key: of, outcome, .. } if *of == key => Some(*outcome),
                _ => None,
            });
            outcomes.push((owner, outcome.expect("every look-up ends within 15 s")));
        }
        outcomes
    }
}
