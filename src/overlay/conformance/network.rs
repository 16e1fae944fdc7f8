//! A handful of nodes, a [`Weather`] between them, a sorted list of events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Subject;
use crate::address::{Address, Endpoint, Port};
use crate::net::{Packed, Payload};
use crate::overlay::{
    Contact, Directory, Facts, LookupOutcome, NodeRef, Observation, OperationId, PutOutcome,
    Record, RingId, Upcall, Upcalls,
};
use crate::rng::{mix, mix2, unit_from_bits};
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// One way, between any two.
pub(crate) const DELAY: SimDuration = SimDuration::from_millis(20);

/// What happens to messages on their way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// The least that one takes.
    pub(crate) delay: SimDuration,
    /// What is added to that, at most: uniformly, so that messages overtake each other.
    pub(crate) jitter: SimDuration,
    /// How many of a thousand are lost.
    pub(crate) lost: u64,
}

impl Weather {
    /// Nothing is lost, nothing overtakes.
    pub(crate) const FAIR: Self = Self { delay: DELAY, jitter: SimDuration::ZERO, lost: 0 };
    /// One in fifty is lost, and what is sent at once arrives in any order.
    pub(crate) const FOUL: Self =
        Self { delay: DELAY, jitter: SimDuration::from_millis(60), lost: 20 };
    /// There and back takes longer than anybody waits for a first answer.
    pub(crate) const FAR: Self =
        Self { delay: SimDuration::from_millis(800), jitter: SimDuration::ZERO, lost: 0 };

    /// When the message of this number arrives; `None` if it does not.
    fn carry(self, number: u64, now: SimTime) -> Option<SimTime> {
        let luck = mix2(number, 71);
        let later = self.jitter.mul_f64(unit_from_bits(mix(luck)));
        (luck % 1_000 >= self.lost).then_some(now + self.delay + later)
    }
}

/// The longest that an operation may take.
pub(crate) const PATIENCE: SimDuration = SimDuration::from_secs(30);

enum Happening<D: Subject> {
    Message(Endpoint, Endpoint, D::Message),
    Timer(usize, u64, D::Timer),
    Unreachable(usize, Endpoint),
}

/// Time, events, and what was sent.
struct World<D: Subject> {
    now: SimTime,
    weather: Weather,
    events: BTreeMap<(SimTime, u64), Happening<D>>,
    count: u64,
    /// By node and slot: the setting in force.
    timers: BTreeMap<(usize, u32), u64>,
    /// A digest of what was sent when by whom, and of all up-calls.
    history: u64,
}

/// Some nodes of one plug-in.
pub(crate) struct Net<D: Subject> {
    pub(crate) directory: Directory,
    pub(crate) config: Arc<D::Config>,
    world: World<D>,
    /// By place in the directory; `None` when it crashed.
    pub(crate) nodes: Vec<Option<D>>,
    /// What nodes told their hosts.
    pub(crate) ups: Vec<(usize, Upcall)>,
    /// What nodes let the observer know.
    pub(crate) observed: Vec<(usize, Observation)>,
    /// All messages.
    pub(crate) sent: Vec<D::Message>,
    /// Whether an error comes back from where nobody is.
    pub(crate) icmp: bool,
}

/// What a node may do.
pub(crate) struct Hands<'a, D: Subject> {
    net: &'a mut World<D>,
    directory: &'a Directory,
    observed: &'a mut Vec<(usize, Observation)>,
    sent: &'a mut Vec<D::Message>,
    node: usize,
}

impl<D: Subject> Facts for Hands<'_, D> {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

impl<D: Subject> Context for Hands<'_, D> {
    type Message = D::Message;
    type Timer = D::Timer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.net.now
    }
    fn send(&mut self, to: Endpoint, message: D::Message) {
        // All of the first, some of the others: reading and writing take longer than all else.
        let sample = self.sent.len() < 2_000 || self.sent.len().is_multiple_of(16);
        let message = if sample { through_the_wire::<D>(message, self.directory) } else { message };
        self.net.note([self.net.now.as_nanos(), self.node as u64, message.digest()]);
        self.sent.push(message.clone());
        if let Some(at) = self.net.weather.carry(self.sent.len() as u64, self.net.now) {
            self.net.push(at, Happening::Message(endpoint(self.node), to, message));
        }
    }
    fn set(&mut self, timer: D::Timer, at: SimTime) {
        let count = self.net.count;
        self.net.timers.insert((self.node, timer.slot()), count);
        self.net.push(at.max(self.net.now), Happening::Timer(self.node, count, timer));
    }
    fn cancel(&mut self, timer: D::Timer) {
        self.net.timers.remove(&(self.node, timer.slot()));
    }
    fn observe(&mut self, observation: Observation) {
        self.observed.push((self.node, observation));
    }
}

/// A message as its receiver reads it: packed and unpacked, written at the length that it claims,
/// and read.
fn through_the_wire<D: Subject>(message: D::Message, directory: &Directory) -> D::Message {
    let octets = D::encode(&message, directory);
    assert_eq!(octets.len(), message.wire_len() as usize, "{message:?}");
    let read = D::decode(&octets, &mut |contact| {
        let node = NodeRef::new(place(contact.endpoint) as u32);
        assert_eq!(directory.contact(node), contact, "{message:?}");
        node
    });
    assert_eq!(read, message);
    let (account, digest) = (message.account(), message.digest());
    match message.pack() {
        Packed::Hot(words) => {
            assert_eq!(D::Message::hot_account(words), account);
            assert_eq!(D::Message::hot_digest(words), digest);
            assert_eq!(D::Message::unpack(words), read);
        }
        Packed::Cold(same) => assert_eq!(same, read),
    }
    read
}

impl<D: Subject> World<D> {
    fn push(&mut self, at: SimTime, happening: Happening<D>) {
        self.events.insert((at, self.count), happening);
        self.count += 1;
    }

    fn note(&mut self, words: [u64; 3]) {
        self.history = words.into_iter().fold(self.history, mix2);
    }
}

const FIRST_ADDRESS: u32 = 0x0a00_0000;

/// Where a node is.
pub(crate) fn endpoint(node: usize) -> Endpoint {
    Address::from_bits(FIRST_ADDRESS + node as u32).at(Port::OVERLAY)
}

fn place(endpoint: Endpoint) -> usize {
    (endpoint.address.bits() - FIRST_ADDRESS) as usize
}

/// `n` contacts with distinct positions.
pub(crate) fn directory(n: usize, seed: u64, id_bits: u8) -> Directory {
    let mut directory = Directory::new();
    let mut taken = BTreeSet::new();
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

impl<D: Subject> Net<D> {
    /// `n` nodes that are in no overlay.
    pub(crate) fn outside(n: usize, seed: u64, config: D::Config) -> Self {
        let directory = directory(n, seed, D::id_bits(&config));
        let config = Arc::new(config);
        let node = |i| {
            let me = NodeRef::new(i as u32);
            Some(D::outside(me, directory.contact(me).id, &config))
        };
        let nodes = (0..n).map(node).collect();
        let world = World {
            now: SimTime::ZERO,
            weather: Weather::FAIR,
            events: BTreeMap::new(),
            count: 0,
            timers: BTreeMap::new(),
            history: 0,
        };
        let (ups, observed, sent) = (Vec::new(), Vec::new(), Vec::new());
        Self { directory, config, world, nodes, ups, observed, sent, icmp: false }
    }

    /// A converged overlay of `members`, and more nodes outside.
    pub(crate) fn converged(members: usize, outside: usize, seed: u64, config: D::Config) -> Self {
        let mut net = Self::outside(members + outside, seed, config);
        let refs: Vec<NodeRef> = (0..members as u32).map(NodeRef::new).collect();
        for (i, node) in D::converged(&refs, &net.directory, &net.config).into_iter().enumerate() {
            net.nodes[i] = Some(node);
            net.with(i, |node, ctx| {
                node.start(ctx);
                Upcalls::new()
            });
        }
        net
    }

    /// Lets an up node act; its up-calls are noted.
    fn with(&mut self, i: usize, act: impl FnOnce(&mut D, &mut Hands<'_, D>) -> Upcalls) {
        let Some(node) = &mut self.nodes[i] else { return };
        let mut hands = Hands {
            net: &mut self.world,
            directory: &self.directory,
            observed: &mut self.observed,
            sent: &mut self.sent,
            node: i,
        };
        for up in act(node, &mut hands) {
            let said = format!("{up:?}").bytes().fold(0, |sum, octet| mix(sum ^ u64::from(octet)));
            self.world.note([self.world.now.as_nanos(), i as u64, said]);
            self.ups.push((i, up));
        }
    }

    /// The weather from now on.
    pub(crate) fn turn(&mut self, weather: Weather) {
        self.world.weather = weather;
    }
    pub(crate) fn found(&mut self, i: usize) {
        self.with(i, |node, ctx| node.found(ctx));
    }
    pub(crate) fn join(&mut self, i: usize, through: &[usize]) {
        let contacts: Vec<Endpoint> = through.iter().map(|&node| endpoint(node)).collect();
        self.with(i, |node, ctx| node.join(ctx, &contacts));
    }
    pub(crate) fn leave(&mut self, i: usize) {
        self.with(i, |node, ctx| node.leave(ctx));
    }
    pub(crate) fn unreachable(&mut self, i: usize, who: usize) {
        self.with(i, |node, ctx| node.unreachable(ctx, endpoint(who)));
    }
    /// The node is gone without a word.
    pub(crate) fn crash(&mut self, i: usize) {
        self.nodes[i] = None;
        self.world.timers.retain(|&(node, _), _| node != i);
    }
    /// A crashed node is up again, in no overlay.
    pub(crate) fn restart(&mut self, i: usize) {
        let me = NodeRef::new(i as u32);
        let id = self.directory.contact(me).id;
        self.nodes[i] = Some(D::outside(me, id, &self.config));
    }
    /// Begins an operation.
    pub(crate) fn operate(
        &mut self,
        i: usize,
        act: impl FnOnce(&mut D, &mut Hands<'_, D>) -> (OperationId, Upcalls),
    ) {
        self.with(i, |node, ctx| act(node, ctx).1);
    }

    pub(crate) fn now(&self) -> SimTime {
        self.world.now
    }

    /// No timer that is set goes off: what nodes do now and then they do no more.
    pub(crate) fn stop_timers(&mut self) {
        self.world.timers.clear();
    }

    /// Lets so many spans pass; how often a node then no longer knew whom it had known before one.
    pub(crate) fn dropped(
        &mut self,
        spans: u32,
        span: SimDuration,
        known: fn(&D) -> Vec<NodeRef>,
    ) -> usize {
        let mut dropped = 0;
        for _ in 0..spans {
            let before: Vec<_> = self.nodes.iter().flatten().map(known).collect();
            self.run(span);
            for (before, now) in before.iter().zip(self.nodes.iter().flatten().map(known)) {
                dropped += before.iter().filter(|node| !now.contains(node)).count();
            }
        }
        dropped
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: SimDuration) {
        let end = self.world.now + span;
        while let Some(entry) = self.world.events.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), happening) = entry.remove_entry();
            self.world.now = at;
            self.happen(happening);
        }
        self.world.now = end;
    }

    fn happen(&mut self, happening: Happening<D>) {
        match happening {
            Happening::Message(from, to, _) if self.nodes[place(to)].is_none() => {
                if self.icmp {
                    let error = Happening::Unreachable(place(from), to);
                    self.world.push(self.world.now + DELAY, error);
                }
            }
            Happening::Message(from, to, message) => {
                self.with(place(to), |node, ctx| node.receive(ctx, from, message));
            }
            Happening::Unreachable(i, endpoint) => {
                self.with(i, |node, ctx| node.unreachable(ctx, endpoint));
            }
            Happening::Timer(i, setting, timer) => {
                let slot = (i, timer.slot());
                if self.world.timers.get(&slot) == Some(&setting) {
                    self.world.timers.remove(&slot);
                    self.with(i, |node, ctx| node.timer(ctx, timer));
                }
            }
        }
    }

    /// A digest of all that happened.
    pub(crate) fn history(&self) -> u64 {
        self.world.history
    }

    /// The places of the up members.
    pub(crate) fn members(&self) -> Vec<usize> {
        let member = |i: &usize| self.nodes[*i].as_ref().is_some_and(|c| c.identity().is_some());
        (0..self.nodes.len()).filter(member).collect()
    }

    /// An up node.
    pub(crate) fn node(&self, i: usize) -> &D {
        self.nodes[i].as_ref().expect("it is up")
    }

    /// The up nodes that hold records.
    pub(crate) fn holders(&self) -> Vec<usize> {
        let holds = |i: &usize| self.nodes[*i].as_ref().is_some_and(|node| node.records() > 0);
        (0..self.nodes.len()).filter(holds).collect()
    }

    /// The owner of a key, among the up members.
    pub(crate) fn owner(&self, key: RingId) -> NodeRef {
        let refs = self.members().into_iter().map(|i| NodeRef::new(i as u32));
        refs.min_by_key(|&n| D::distance(key, self.directory.contact(n).id)).expect("a member")
    }

    /// Looks a key up and gives the outcome, which has to come.
    pub(crate) fn look_up_one(&mut self, from: usize, key: RingId) -> LookupOutcome {
        self.ups.clear();
        self.operate(from, |node, ctx| node.lookup(ctx, key));
        self.run(SimDuration::from_secs(15));
        let outcome = self.ups.iter().find_map(|(_, up)| match up {
            Upcall::LookupDone { key: of, outcome, .. } if *of == key => Some(*outcome),
            _ => None,
        });
        outcome.expect("every look-up ends within 15 s")
    }

    /// Looks keys up from member after member and gives each outcome with the true owner.
    pub(crate) fn look_up(&mut self, count: u64, seed: u64) -> Vec<(NodeRef, LookupOutcome)> {
        let members = self.members();
        let bits = D::id_bits(&self.config);
        let keys = (0..count).map(|i| RingId::from_hash(mix2(seed, i), bits));
        keys.enumerate()
            .map(|(i, key)| (self.owner(key), self.look_up_one(members[i % members.len()], key)))
            .collect()
    }

    /// Look-ups from all around agree with the list of members.
    pub(crate) fn assert_correct(&mut self, lookups: u64) {
        for (i, (owner, outcome)) in self.look_up(lookups, 99).into_iter().enumerate() {
            assert_eq!(outcome.owner, Some(owner), "look-up {i}");
        }
    }

    /// The same, and the tables of the members are whole: nobody has come or gone for long.
    pub(crate) fn assert_repaired(&mut self, lookups: u64) {
        let members: Vec<&D> = self.members().into_iter().map(|i| self.node(i)).collect();
        assert_eq!(D::flaw(&members), None);
        self.assert_correct(lookups);
    }

    /// Puts a record and gives the outcome, which has to come.
    pub(crate) fn put(&mut self, from: usize, record: Record) -> PutOutcome {
        self.ups.clear();
        self.operate(from, |node, ctx| node.put(ctx, record));
        self.run(PATIENCE);
        let outcome = self.ups.iter().find_map(|(_, up)| match up {
            Upcall::PutDone { outcome, .. } => Some(*outcome),
            _ => None,
        });
        outcome.expect("a put ends within 30 s")
    }

    /// Gets a record; the operation has to end.
    pub(crate) fn get(&mut self, from: usize, key: RingId) -> Option<Record> {
        self.ups.clear();
        self.operate(from, |node, ctx| node.get(ctx, key));
        self.run(PATIENCE);
        let found = self.ups.iter().find_map(|(_, up)| match up {
            Upcall::Got { record, .. } => Some(record.clone()),
            _ => None,
        });
        found.expect("a get ends within 30 s")
    }
}
