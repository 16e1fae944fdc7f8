//! Two hosts on a wire with a fixed delay, for tests.

use std::collections::BTreeMap;

use super::{Kind, Segment};
use crate::address::{Address, Endpoint, Port};
use crate::net::tcp::Body;
use crate::rng::mix2;
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// What stands at an end of the wire.
pub(crate) trait Host {
    type Data: Body + Clone;
    type Timer: Timer;
    type Observation;

    fn receive(&mut self, ctx: &mut Wire<Self>, from: Endpoint, segment: Segment<Self::Data>);
    fn timer(&mut self, ctx: &mut Wire<Self>, timer: Self::Timer);
}

/// A host's context.
pub(crate) struct Wire<H: Host + ?Sized> {
    pub(crate) now: SimTime,
    timers: BTreeMap<u32, (SimTime, H::Timer)>,
    sent: Vec<Segment<H::Data>>,
    pub(crate) observed: Vec<H::Observation>,
}

impl<H: Host + ?Sized> Context for Wire<H> {
    type Message = Segment<H::Data>;
    type Timer = H::Timer;
    type Observation = H::Observation;

    fn now(&self) -> SimTime {
        self.now
    }
    fn send(&mut self, _to: Endpoint, message: Self::Message) {
        self.sent.push(message);
    }
    fn set(&mut self, timer: H::Timer, at: SimTime) {
        self.timers.insert(timer.slot(), (at, timer));
    }
    fn cancel(&mut self, timer: H::Timer) {
        self.timers.remove(&timer.slot());
    }
    fn observe(&mut self, observation: H::Observation) {
        self.observed.push(observation);
    }
}

impl<H: Host> Wire<H> {
    /// A wire on which nothing has happened yet.
    pub(crate) fn default_at(now: SimTime) -> Self {
        Self { now, timers: BTreeMap::new(), sent: Vec::new(), observed: Vec::new() }
    }

    /// Whether nothing was sent and no timer set.
    pub(crate) fn is_silent(&self) -> bool {
        self.sent.is_empty() && self.timers.is_empty()
    }
}

/// One segment on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) millis: u64,
    /// `'a'` or `'b'`.
    pub(crate) sender: char,
    pub(crate) what: &'static str,
    /// With IP and TCP headers.
    pub(crate) octets: u32,
}

type Flying<D> = (SimTime, usize, bool, Segment<D>);

/// The two hosts, `a` and `b`.
pub(crate) struct Pair<A: Host, B: Host<Data = A::Data>> {
    pub(crate) a: A,
    pub(crate) b: B,
    pub(crate) ctx_a: Wire<A>,
    pub(crate) ctx_b: Wire<B>,
    delay: SimDuration,
    flying: Vec<Flying<A::Data>>,
    /// Everything that was sent, lost or not.
    pub(crate) seen: Vec<Sighting>,
    /// By position in `seen`: lost segments.
    pub(crate) lose: fn(usize, &Sighting) -> bool,
    /// Makes chance of `chance`; the same salt gives the same.
    pub(crate) salt: u64,
    /// Of a hundred segments so many are lost, doubled, or late by up to 90 ms, each.
    pub(crate) chance: u64,
}

pub(crate) const A: Address = Address::from_bits(0x0a00_0001);
pub(crate) const B: Address = Address::from_bits(0x0a00_0002);

impl<A: Host, B: Host<Data = A::Data>> Pair<A, B> {
    pub(crate) fn new(a: A, b: B, delay_millis: u64) -> Self {
        Self {
            a,
            b,
            ctx_a: Wire::default_at(SimTime::ZERO),
            ctx_b: Wire::default_at(SimTime::ZERO),
            delay: SimDuration::from_millis(delay_millis),
            flying: Vec::new(),
            seen: Vec::new(),
            lose: |_, _| false,
            salt: 0,
            chance: 0,
        }
    }

    /// Puts a segment on the wire that neither host has sent.
    pub(crate) fn inject(&mut self, to_b: bool, segment: Segment<A::Data>) {
        self.fly(to_b, segment);
    }

    fn fly(&mut self, to_b: bool, segment: Segment<A::Data>) {
        let now = if to_b { self.ctx_a.now } else { self.ctx_b.now };
        let sighting = Sighting {
            millis: now.as_nanos() / 1_000_000,
            sender: if to_b { 'a' } else { 'b' },
            what: name(&segment),
            octets: segment.transport().header_len() + segment.wire_len(),
        };
        let position = self.seen.len();
        let (salt, chance) = (self.salt, self.chance);
        let dice = |what: u64| mix2(mix2(salt, what), position as u64);
        let hit = |what: u64| dice(what) % 100 < chance;
        let copies =
            if (self.lose)(position, &sighting) || hit(0) { 0 } else { 1 + usize::from(hit(1)) };
        for copy in 0..copies {
            let late = if hit(2 + copy as u64) { dice(9) % 90 } else { 0 };
            let at = now.saturating_add(self.delay + SimDuration::from_millis(late));
            // Copies have places of their own in the order.
            self.flying.push((at, 2 * position + copy, to_b, segment.clone()));
        }
        self.seen.push(sighting);
    }

    fn collect(&mut self) {
        for segment in std::mem::take(&mut self.ctx_a.sent) {
            self.fly(true, segment);
        }
        for segment in std::mem::take(&mut self.ctx_b.sent) {
            self.fly(false, segment);
        }
    }

    /// Lets everything happen up to `limit`; segments before timers, `a` before `b`.
    pub(crate) fn run(&mut self, limit: SimTime) {
        loop {
            self.collect();
            let segment = self.flying.iter().map(|f| (f.0, f.1)).min();
            let timer_a = self.ctx_a.timers.iter().map(|(&slot, &(at, _))| (at, slot)).min();
            let timer_b = self.ctx_b.timers.iter().map(|(&slot, &(at, _))| (at, slot)).min();
            let next = [segment.map(|s| s.0), timer_a.map(|t| t.0), timer_b.map(|t| t.0)];
            let Some(at) = next.into_iter().flatten().min().filter(|&at| at <= limit) else {
                break;
            };
            (self.ctx_a.now, self.ctx_b.now) = (at, at);
            if let Some((_, position)) = segment.filter(|s| s.0 == at) {
                self.deliver(position);
            } else if let Some((_, slot)) = timer_a.filter(|t| t.0 == at) {
                let (_, timer) = self.ctx_a.timers.remove(&slot).unwrap();
                self.a.timer(&mut self.ctx_a, timer);
            } else if let Some((_, slot)) = timer_b {
                let (_, timer) = self.ctx_b.timers.remove(&slot).unwrap();
                self.b.timer(&mut self.ctx_b, timer);
            }
        }
        (self.ctx_a.now, self.ctx_b.now) = (limit, limit);
    }

    fn deliver(&mut self, position: usize) {
        let index = self.flying.iter().position(|f| f.1 == position).unwrap();
        let (_, _, to_b, segment) = self.flying.remove(index);
        let port: Port = segment.header().source_port();
        if to_b {
            self.b.receive(&mut self.ctx_b, self::A.at(port), segment);
        } else {
            self.a.receive(&mut self.ctx_a, self::B.at(port), segment);
        }
    }

    /// All segments as `time sender what`.
    pub(crate) fn chart(&self) -> Vec<String> {
        self.seen.iter().map(|s| format!("{} {} {}", s.millis, s.sender, s.what)).collect()
    }

    pub(crate) fn octets(&self) -> u32 {
        self.seen.iter().map(|s| s.octets).sum()
    }

    /// Timers that are set at both ends.
    pub(crate) fn timers(&self) -> usize {
        self.ctx_a.timers.len() + self.ctx_b.timers.len()
    }
}

fn name<D>(segment: &Segment<D>) -> &'static str {
    let Segment::Control(control) = segment else { return "data" };
    match control.kind {
        Kind::Syn => "SYN",
        Kind::SynAck => "SYN-ACK",
        Kind::Ack => "ACK",
        Kind::Fin => "FIN",
        Kind::FinAck => "FIN-ACK",
        Kind::Rst => "RST",
    }
}
