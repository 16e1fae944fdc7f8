//! The yardstick for the simulator's speed: Chord maintenance in a bare loop.
//!
//! What one would write for this one question and nothing else: a 4-ary heap with 16-byte keys, a
//! slab of messages, a table of nodes. No hosts that come and go, no ledger, no fingerprint, no
//! second protocol. The simulator, with all of that, is compared with it by the user CPU time of
//! whole processes.
//!
//! The model: 10,000 nodes for 1,000 s on a ring of 32 bits, converged at the start, with a
//! successor list of one; every message takes 50 ms. Each node
//!
//! * stabilises every 20 s: request, reply, notification;
//! * refreshes one finger every 120 s, in turn from the first, those that equal the successor
//!   included;
//! * checks its predecessor every 120 s: ping and reply;
//! * looks up a random key every 10 s.
//!
//! A look-up is forwarded from node to node up to the key's predecessor, which answers straight to
//! the origin; one that the origin can answer itself sends nothing. Every request arms a time-out
//! of 1.5 s; a reply cancels it by the next generation, the event stays in the heap. Each timer
//! starts at a uniform phase of its period.
//!
//! `cargo bench --bench bare_loop` runs it. To take its time, build with `--no-run` and run the
//! file that is named, with `--bench`; other numbers of nodes and of seconds may follow. Without
//! `--bench` (so `cargo test` calls it) a small ring is run for a short time.
#![expect(clippy::print_stdout, reason = "a program that prints what it counted")]

const SECOND: u64 = 1_000_000_000;
const LATENCY: u64 = SECOND / 20;
const TIMEOUT: u64 = SECOND * 3 / 2;
const STABILISE: u64 = 20 * SECOND;
const FIX_FINGER: u64 = 120 * SECOND;
const CHECK_PREDECESSOR: u64 = 120 * SECOND;
const LOOK_UP: u64 = 10 * SECOND;
const FINGERS: usize = 32;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let full = arguments.iter().any(|text| text == "--bench");
    let (nodes, seconds) = match (numbers.as_slice(), full) {
        ([nodes, seconds, ..], _) => (*nodes as u32, *seconds),
        (_, true) => (10_000, 1_000),
        (_, false) => (500, 100),
    };
    let mut ring = Loop::new(nodes);
    ring.run(seconds * SECOND);
    println!("nodes     {nodes}");
    println!("seconds   {seconds}");
    println!("messages  {}", ring.messages);
    println!("events    {}", ring.events);
    println!("look-ups  {} answered", ring.answered);
    println!("timed out {}", ring.timed_out);
    assert_eq!(ring.timed_out, 0, "nobody leaves and nothing is lost");
    if (nodes, seconds) == (10_000, 1_000) {
        let deviation = ring.messages as f64 / 9.17e6 - 1.0;
        assert!(deviation.abs() < 0.01, "9.17 million messages are expected");
    }
}

/// What waits in the slab. Nodes are named by their rank on the ring.
#[derive(Clone, Copy)]
enum Event {
    Stabilise {
        node: u32,
    },
    FixFinger {
        node: u32,
    },
    CheckPredecessor {
        node: u32,
    },
    LookUp {
        node: u32,
    },
    TimeOut {
        node: u32,
        request: Request,
        generation: u32,
    },
    AskPredecessor {
        to: u32,
        from: u32,
    },
    Predecessor {
        to: u32,
        predecessor: u32,
    },
    Notify {
        to: u32,
        from: u32,
    },
    /// Whoever is pinged answers, from no state of its own.
    Ping {
        from: u32,
    },
    Pong {
        to: u32,
    },
    Find {
        to: u32,
        key: u32,
        origin: u32,
        request: Request,
    },
    Found {
        to: u32,
        node: u32,
        request: Request,
    },
}

/// What a node can be waiting for, each with a generation of its own.
#[derive(Clone, Copy)]
enum Request {
    Stabilise,
    Finger,
    Ping,
    LookUp,
}

struct Node {
    fingers: [u32; FINGERS],
    predecessor: u32,
    next_finger: u32,
    generations: [u32; 4],
}

struct Loop {
    heap: Heap,
    slab: Vec<Event>,
    free: Vec<u32>,
    sequence: u64,
    now: u64,
    ids: Vec<u32>,
    nodes: Vec<Node>,
    random: u64,
    messages: u64,
    events: u64,
    answered: u64,
    timed_out: u64,
}

impl Loop {
    fn new(count: u32) -> Self {
        let mut random = 2009;
        let mut ids: Vec<u32> = Vec::new();
        while ids.len() < count as usize {
            ids.extend((ids.len()..count as usize).map(|_| splitmix(&mut random) as u32));
            ids.sort_unstable();
            ids.dedup();
        }
        let successor_of = |key: u32| ids.partition_point(|&id| id < key) as u32 % count;
        let node = |(rank, &id): (usize, &u32)| Node {
            fingers: std::array::from_fn(|i| successor_of(id.wrapping_add(1 << i))),
            predecessor: (rank as u32 + count - 1) % count,
            next_finger: 0,
            generations: [0; 4],
        };
        let nodes = ids.iter().enumerate().map(node).collect();
        let mut ring = Self {
            heap: Heap::new(),
            slab: Vec::new(),
            free: Vec::new(),
            sequence: 0,
            now: 0,
            ids,
            nodes,
            random,
            messages: 0,
            events: 0,
            answered: 0,
            timed_out: 0,
        };
        for node in 0..count {
            ring.start(Event::Stabilise { node }, STABILISE);
            ring.start(Event::FixFinger { node }, FIX_FINGER);
            ring.start(Event::CheckPredecessor { node }, CHECK_PREDECESSOR);
            ring.start(Event::LookUp { node }, LOOK_UP);
        }
        ring
    }

    fn start(&mut self, timer: Event, period: u64) {
        let phase = splitmix(&mut self.random) % period;
        self.after(phase, timer);
    }

    fn run(&mut self, end: u64) {
        while let Some((at, slot)) = self.heap.pop() {
            if at > end {
                break;
            }
            self.now = at;
            self.events += 1;
            let event = self.slab[slot as usize];
            self.free.push(slot);
            self.handle(event);
        }
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        match event {
            Event::Stabilise { node } => {
                self.after(STABILISE, event);
                self.arm(node, Request::Stabilise);
                let to = self.nodes[node as usize].fingers[0];
                self.send(Event::AskPredecessor { to, from: node });
            }
            Event::FixFinger { node } => self.fix_finger(node),
            Event::CheckPredecessor { node } => {
                self.after(CHECK_PREDECESSOR, event);
                self.arm(node, Request::Ping);
                self.send(Event::Ping { from: node });
            }
            Event::LookUp { node } => {
                self.after(LOOK_UP, event);
                let key = splitmix(&mut self.random) as u32;
                self.look_up(node, key, Request::LookUp);
            }
            Event::TimeOut { node, request, generation } => {
                let current = self.nodes[node as usize].generations[request as usize];
                self.timed_out += u64::from(current == generation);
            }
            Event::AskPredecessor { to, from } => {
                let predecessor = self.nodes[to as usize].predecessor;
                self.send(Event::Predecessor { to: from, predecessor });
            }
            Event::Predecessor { to, predecessor } => {
                self.disarm(to, Request::Stabilise);
                let successor = self.nodes[to as usize].fingers[0];
                if self.distance(to, predecessor).wrapping_sub(1)
                    < self.distance(to, successor).wrapping_sub(1)
                {
                    self.nodes[to as usize].fingers[0] = predecessor;
                }
                let successor = self.nodes[to as usize].fingers[0];
                self.send(Event::Notify { to: successor, from: to });
            }
            Event::Notify { to, from } => {
                let predecessor = self.nodes[to as usize].predecessor;
                if self.distance(from, to) < self.distance(predecessor, to) {
                    self.nodes[to as usize].predecessor = from;
                }
            }
            Event::Ping { from } => self.send(Event::Pong { to: from }),
            Event::Pong { to } => self.disarm(to, Request::Ping),
            Event::Find { to, key, origin, request } => match self.route(to, key) {
                Ok(node) => self.send(Event::Found { to: origin, node, request }),
                Err(next) => self.send(Event::Find { to: next, key, origin, request }),
            },
            Event::Found { to, node, request } => {
                self.disarm(to, request);
                self.found(to, node, request);
            }
        }
    }

    #[inline]
    fn fix_finger(&mut self, node: u32) {
        self.after(FIX_FINGER, Event::FixFinger { node });
        let finger = self.nodes[node as usize].next_finger;
        let key = self.ids[node as usize].wrapping_add(1 << finger);
        self.look_up(node, key, Request::Finger);
    }

    #[inline]
    fn look_up(&mut self, node: u32, key: u32, request: Request) {
        match self.route(node, key) {
            Ok(owner) => self.found(node, owner, request),
            Err(to) => {
                self.arm(node, request);
                self.send(Event::Find { to, key, origin: node, request });
            }
        }
    }

    #[inline]
    fn found(&mut self, node: u32, owner: u32, request: Request) {
        if let Request::Finger = request {
            let state = &mut self.nodes[node as usize];
            state.fingers[state.next_finger as usize] = owner;
            state.next_finger = (state.next_finger + 1) % FINGERS as u32;
        } else {
            self.answered += 1;
        }
    }

    /// The owner of the key when `node` precedes it, else the finger that most closely does.
    #[inline]
    fn route(&self, node: u32, key: u32) -> Result<u32, u32> {
        let state = &self.nodes[node as usize];
        // One less than the distance: the node itself is a whole turn away.
        let id = self.ids[node as usize];
        let away = key.wrapping_sub(id).wrapping_sub(1);
        let successor = state.fingers[0];
        if away <= self.ids[successor as usize].wrapping_sub(id).wrapping_sub(1) {
            return Ok(successor);
        }
        // Finger i is at least 2^i away, so none above the key's own power can precede it.
        let highest = (away | 1).ilog2().min(FINGERS as u32 - 1) as usize;
        let precedes =
            |finger: u32| self.ids[finger as usize].wrapping_sub(id).wrapping_sub(1) < away;
        let finger = state.fingers[..=highest].iter().rev().find(|&&finger| precedes(finger));
        Err(finger.copied().unwrap_or(successor))
    }

    /// How far it is on the ring from one node to another.
    #[inline]
    fn distance(&self, from: u32, to: u32) -> u32 {
        self.ids[to as usize].wrapping_sub(self.ids[from as usize])
    }

    #[inline]
    fn arm(&mut self, node: u32, request: Request) {
        let generation = self.nodes[node as usize].generations[request as usize];
        self.after(TIMEOUT, Event::TimeOut { node, request, generation });
    }

    #[inline]
    fn disarm(&mut self, node: u32, request: Request) {
        self.nodes[node as usize].generations[request as usize] += 1;
    }

    #[inline]
    fn send(&mut self, message: Event) {
        self.messages += 1;
        self.after(LATENCY, message);
    }

    #[inline]
    fn after(&mut self, delay: u64, event: Event) {
        let slot = if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = event;
            slot
        } else {
            self.slab.push(event);
            self.slab.len() as u32 - 1
        };
        self.sequence += 1;
        self.heap.push(self.now + delay, self.sequence, slot);
    }
}

/// A 4-ary heap of 16-byte keys: 64 bits of time, 40 of sequence, 24 that name a place in the slab.
///
/// The four children of a place share a cache line: those of place n are group n, place n > 0 is in
/// group (n - 1) / 4. Places that are not in use hold the largest key, so a group is always whole.
struct Heap {
    root: u128,
    groups: Vec<Group>,
    len: usize,
}

#[derive(Clone)]
#[repr(align(64))]
struct Group([u128; 4]);

impl Heap {
    fn new() -> Self {
        Self { root: u128::MAX, groups: Vec::new(), len: 0 }
    }

    #[inline]
    fn push(&mut self, at: u64, sequence: u64, slot: u32) {
        assert!(slot < 1 << 24 && sequence < 1 << 40, "the key has room for both");
        let key = u128::from(at) << 64 | u128::from(sequence) << 24 | u128::from(slot);
        let mut place = self.len;
        self.len += 1;
        if place > 0 && (place - 1) / 4 == self.groups.len() {
            self.groups.push(Group([u128::MAX; 4]));
        }
        while place > 0 {
            let parent = (place - 1) / 4;
            let above = self.key(parent);
            if above <= key {
                break;
            }
            self.set(place, above);
            place = parent;
        }
        self.set(place, key);
    }

    #[inline]
    fn pop(&mut self) -> Option<(u64, u32)> {
        if self.len == 0 {
            return None;
        }
        let first = self.root;
        self.len -= 1;
        let key = self.key(self.len);
        self.set(self.len, u128::MAX);
        if self.len > 0 {
            self.sink(key);
        }
        Some(((first >> 64) as u64, first as u32 & 0x00ff_ffff))
    }

    /// Puts a key at the root and lets it sink.
    #[inline]
    fn sink(&mut self, key: u128) {
        let mut place = 0;
        while let Some(Group([a, b, c, d])) = self.groups.get(place) {
            let (left, left_key) = if b < a { (1, *b) } else { (0, *a) };
            let (right, right_key) = if d < c { (3, *d) } else { (2, *c) };
            let (child, least) =
                if right_key < left_key { (right, right_key) } else { (left, left_key) };
            if key <= least {
                break;
            }
            self.set(place, least);
            place = 4 * place + 1 + child;
        }
        self.set(place, key);
    }

    #[inline]
    fn key(&self, place: usize) -> u128 {
        if place == 0 { self.root } else { self.groups[(place - 1) / 4].0[(place - 1) % 4] }
    }

    #[inline]
    fn set(&mut self, place: usize, key: u128) {
        if place == 0 {
            self.root = key;
        } else {
            self.groups[(place - 1) / 4].0[(place - 1) % 4] = key;
        }
    }
}

/// The generator of Steele, Lea and Flood (OOPSLA 2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
