//! Datagrams between hosts: whether and when they arrive.

use std::num::NonZeroU32;

use crate::address::{Address, Endpoint, Port};
use crate::net::addressing::Holders;
use crate::net::bursts::Bursts;
use crate::net::latency::Latency;
use crate::net::ledger::Cell;
use crate::net::packet::{Booked, Carried, ColdId, Packet, Slab};
use crate::net::payload::Account;
use crate::net::{Direction, Ledger, Nats, Packed, Payload, Sides, Words};
use crate::rng::{Draws, NameHash, Purpose, mix2};
use crate::sim::{Context, Event, Fingerprint, HostId, Input, Kernel, Timer, event};
use crate::time::{SimDuration, SimTime};

/// What happens to a datagram for an address whose host is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartedHosts {
    /// Nothing comes back.
    Silent,
    /// An ICMP error comes back.
    Unreachable,
    /// The address has been given to a stranger, who answers as a host does on which nothing of
    /// this runs. What reaches the stranger is booked as lost.
    Reassigned,
}

/// How a network behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed of the run.
    pub seed: u64,
    /// The delay between two hosts.
    pub latency: Latency,
    /// The largest extra share of a message's delay, drawn uniformly for each.
    pub jitter: f64,
    /// The probability that a datagram is lost.
    pub loss: f64,
    /// What comes back from where nobody is.
    pub departed_hosts: DepartedHosts,
    /// The length of a fingerprint's epoch.
    pub epoch: SimDuration,
    /// The typical distance of events, to which the queue is fitted; it changes no result.
    pub tick: SimDuration,
}

/// What happens next, and to whom.
#[derive(Debug)]
pub enum Arrival<P: Payload, T> {
    /// A datagram arrives.
    Message(Delivery<P>),
    /// A timer goes off.
    Timer(T),
    /// The scenario's script acts.
    Command(u32),
}

/// A datagram that has arrived.
#[derive(Debug)]
pub struct Delivery<P: Payload> {
    /// Who sent it, with the port to which an answer goes.
    pub from: Endpoint,
    /// The port that it gets to: the one that it was sent to, unless a translator maps that to another.
    pub port: Port,
    /// What it says, packed as it came.
    pub message: Packed<P>,
}

impl<P: Payload> Delivery<P> {
    /// What it says.
    pub fn unpack(self) -> P {
        match self.message {
            Packed::Hot(words) => P::unpack(words),
            Packed::Cold(message) => message,
        }
    }
}

/// Whoever is told what components observe.
pub trait Observer {
    /// What it understands.
    type Observation;
    /// Something was observed at a host.
    fn observe(&mut self, now: SimTime, host: HostId, observation: Self::Observation);
}

/// Hosts with addresses, and datagrams between them.
#[derive(Debug)]
pub struct Network<P: Payload, T> {
    /// With the address of each host that is up, as bits.
    kernel: Kernel<Packet, T, Option<NonZeroU32>>,
    names: Vec<NameHash>,
    holders: Holders,
    cold: Slab<P>,
    latency: Latency,
    jitter: f64,
    loss: f64,
    /// Whether anything is drawn for each message.
    is_random: bool,
    /// The delay between any two hosts, where it is the same for all and nothing is drawn.
    only_delay: Option<SimDuration>,
    /// Who reaches whom; while anybody is cut off, there is no only delay.
    sides: Sides,
    /// Translators of addresses, where there are any.
    nats: Option<Box<Nats>>,
    /// Losses in bursts, where there are any.
    bursts: Option<Box<Bursts>>,
    departed_hosts: DepartedHosts,
    jitter_draws: Draws,
    loss_draws: Draws,
    ledger: Ledger,
    in_flight: u64,
    fingerprint: Fingerprint,
}

impl<P: Payload, T: Timer> Network<P, T> {
    /// A network of hosts with these names, in the order of their ids; all are down.
    #[must_use]
    pub fn new(settings: Settings, names: &[NameHash]) -> Self {
        let is_random = settings.jitter > 0.0 || settings.loss > 0.0;
        let mut network = Self {
            kernel: Kernel::new(names.len(), settings.tick),
            names: names.to_vec(),
            holders: Holders::default(),
            cold: Slab::default(),
            jitter_draws: Draws::new(settings.seed, Purpose::Jitter),
            loss_draws: Draws::new(settings.seed, Purpose::Loss),
            only_delay: None,
            sides: Sides::default(),
            nats: None,
            bursts: None,
            latency: settings.latency,
            jitter: settings.jitter,
            loss: settings.loss,
            is_random,
            departed_hosts: settings.departed_hosts,
            ledger: Ledger::default(),
            in_flight: 0,
            fingerprint: Fingerprint::new(settings.epoch),
        };
        network.find_only_delay();
        network
    }

    /// The current time.
    #[must_use]
    #[inline]
    pub fn now(&self) -> SimTime {
        self.kernel.now()
    }

    /// Orders events of equal time otherwise; see [`Kernel::shuffle_ties`].
    pub fn shuffle_ties(&mut self, salt: u32) {
        self.kernel.shuffle_ties(salt);
    }

    /// What the signalling has cost so far.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The digest of what has happened so far.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The address of a host that is up.
    #[must_use]
    #[inline]
    pub fn address(&self, host: HostId) -> Option<Address> {
        self.kernel.state(host).map(|bits| Address::from_bits(bits.get()))
    }

    /// The up host that holds an address.
    #[must_use]
    pub fn holder(&self, address: Address) -> Option<HostId> {
        self.holders.holder(address).filter(|&host| self.address(host) == Some(address))
    }

    /// The host that holds an address, or held it last.
    #[must_use]
    pub fn last_holder(&self, address: Address) -> Option<HostId> {
        self.holders.holder(address)
    }

    /// Brings a host up under an address; it must be down.
    pub fn bring_up(&mut self, host: HostId, address: Address) {
        let bits = NonZeroU32::new(address.bits()).expect("no host holds 0.0.0.0");
        let former = self.kernel.state_mut(host).replace(bits);
        assert!(former.is_none(), "the host is up already");
        self.holders.assign(address, host);
    }

    /// Takes a host down: its timers die, what is on its way to it will be lost. The address stays
    /// assigned to it until somebody else is brought up under it.
    pub fn take_down(&mut self, host: HostId) {
        *self.kernel.state_mut(host) = None;
        self.kernel.restart(host);
        if let Some(nats) = &mut self.nats {
            nats.forget(host);
        }
    }

    /// Lets the script act: `command` happens to `host` at `at`.
    pub fn command(&mut self, at: SimTime, host: HostId, command: u32) {
        self.kernel.command(at, host, command);
    }

    /// The context of a host that is up, with the observer that hears what it observes.
    pub fn link<'a, S>(&'a mut self, host: HostId, observer: &'a mut S) -> Link<'a, P, T, S> {
        Link { network: self, observer, host }
    }

    /// What happens next, no later than `limit`. Messages for hosts that are gone are booked as
    /// lost on the way.
    pub fn next(&mut self, limit: SimTime) -> Option<(HostId, Arrival<P, T>)> {
        loop {
            let event = self.pop(limit, |_, _| 0)?;
            let arrival = match self.input(event.input) {
                Input::Timer(timer) => Some(Arrival::Timer(timer)),
                Input::Command(command) => Some(Arrival::Command(command)),
                Input::Message(packet) => self.deliver(event.host, packet).map(Arrival::Message),
            };
            if let Some(arrival) = arrival {
                return Some((event.host, arrival));
            }
        }
    }

    /// The next event, no later than `limit`. A packet is to be [delivered](Self::deliver):
    /// [`Network::next`] in two steps, for a loop that must not copy what it hands on. For `touch`
    /// see [`Kernel::pop`].
    #[inline]
    pub fn pop(
        &mut self,
        limit: SimTime,
        touch: impl FnMut(HostId, Input<Packet, T>) -> u32,
    ) -> Option<Event<event::Words>> {
        self.kernel.pop(limit, touch)
    }

    /// What happens, by the words of an event that was [popped](Self::pop).
    #[inline(always)]
    pub fn input(&self, words: event::Words) -> Input<Packet, T> {
        self.kernel.input(words)
    }

    /// Delivers a packet that was [popped](Self::pop), if its receiver is there; one that is gone
    /// books it as lost.
    pub fn deliver(&mut self, host: HostId, packet: Packet) -> Option<Delivery<P>> {
        match packet.carried() {
            Carried::Hot(words) => {
                let from = self.deliver_hot(host, packet, words)?;
                Some(Delivery { from, port: packet.port, message: Packed::Hot(words) })
            }
            Carried::Cold(id) => self.deliver_cold(host, packet, id),
        }
    }

    /// Delivers a packet that travelled inline, and says from where it comes.
    #[inline]
    pub fn deliver_hot(&mut self, host: HostId, packet: Packet, words: Words) -> Option<Endpoint> {
        self.in_flight -= 1;
        let from = packet.from.at(P::hot_sent_from(words, packet.port));
        if self.is_kept_out(host, &packet) {
            self.ledger.book_at(Direction::Lost, packet.booked.cell(), packet.booked.bytes());
            return None;
        }
        if self.address(host) != Some(packet.to) {
            let delivery = Delivery { from, port: packet.port, message: Packed::Hot(words) };
            let Packet { booked, .. } = packet;
            self.lose(packet, delivery, booked.cell(), booked.bytes());
            return None;
        }
        self.ledger.book_at(Direction::Delivered, packet.booked.cell(), packet.booked.bytes());
        self.mix(host, packet.from, P::hot_digest(words));
        Some(from)
    }

    /// Delivers a packet whose message waited in the slab.
    pub fn deliver_cold(
        &mut self,
        host: HostId,
        packet: Packet,
        id: ColdId,
    ) -> Option<Delivery<P>> {
        self.in_flight -= 1;
        let is_kept_out = self.is_kept_out(host, &packet);
        let (message, from) = (self.cold.take(id), self.cold.take_source(id));
        let (Account { class, bytes }, digest) = (message.account(), message.digest());
        let from = packet.from.at(from.unwrap_or_else(|| message.sent_from(packet.port)));
        let port = self.port_inside(Some(host), message.knock(), packet.port);
        let delivery = Delivery { from, port, message: Packed::Cold(message) };
        if is_kept_out {
            self.ledger.book_at(Direction::Lost, class.into(), bytes);
            return None;
        }
        if self.address(host) != Some(packet.to) {
            self.lose(packet, delivery, class.into(), bytes);
            return None;
        }
        self.ledger.book_at(Direction::Delivered, class.into(), bytes);
        self.mix(host, packet.from, digest);
        Some(delivery)
    }

    /// What a packet that was [popped](Self::pop) carries, from where and to where: for whoever
    /// writes down what happens.
    #[must_use]
    pub fn look_into(&self, packet: &Packet) -> (Endpoint, Endpoint, Packed<&P>) {
        let (carried, port) = match packet.carried() {
            Carried::Hot(words) => (Packed::Hot(words), P::hot_sent_from(words, packet.port)),
            Carried::Cold(id) => {
                let message = self.cold.get(id);
                let port = self.cold.source(id).unwrap_or_else(|| message.sent_from(packet.port));
                (Packed::Cold(message), port)
            }
        };
        (packet.from.at(port), packet.to.at(packet.port), carried)
    }

    /// What the fingerprint digests of a packet that was [popped](Self::pop) and is delivered.
    #[must_use]
    pub fn digest(&self, packet: &Packet) -> u64 {
        let said = match packet.carried() {
            Carried::Hot(words) => P::hot_digest(words),
            Carried::Cold(id) => self.cold.get(id).digest(),
        };
        signed(packet.from, said)
    }

    /// Mixes a delivered datagram into the fingerprint.
    #[inline]
    fn mix(&mut self, host: HostId, from: Address, digest: u64) {
        self.fingerprint.add(self.kernel.now(), host, signed(from, digest));
    }

    /// Books what nobody is there to receive. The router in front of a departed host tells the
    /// sender, or a stranger answers, when it is configured so.
    #[cold]
    fn lose(&mut self, packet: Packet, delivery: Delivery<P>, cell: Cell, bytes: u32) {
        self.ledger.book_at(Direction::Lost, cell, bytes);
        let (to, back) = (packet.to.at(packet.port), delivery.from);
        let answer = match self.departed_hosts {
            DepartedHosts::Silent => None,
            DepartedHosts::Unreachable => delivery.unpack().undeliverable(to),
            DepartedHosts::Reassigned => delivery.unpack().unserved(to),
        };
        // Whoever answers stands where the departed host stood.
        let Some((answer, router)) = answer.zip(self.holders.holder(packet.to)) else { return };
        self.transmit(router, packet.to, back, answer.pack());
    }

    /// Sends a datagram from a host under an address.
    #[inline(always)]
    fn transmit(&mut self, origin: HostId, from: Address, to: Endpoint, message: Packed<P>) {
        if self.nats.is_some() {
            return self.translate_and_transmit(origin, from, to, message);
        }
        // Where a message is made its variant is known, so that this is no branch there.
        match message {
            Packed::Hot(words) => {
                let Account { class, bytes } = P::hot_account(words);
                let booked = Booked::new(class.into(), bytes);
                self.transmit_hot(origin, from, to, booked, words);
            }
            Packed::Cold(message) => self.transmit_cold(origin, from, to, message, None),
        }
    }

    #[inline(never)]
    fn transmit_hot(
        &mut self,
        origin: HostId,
        from: Address,
        to: Endpoint,
        booked: Booked,
        words: Words,
    ) {
        let (cell, bytes) = (booked.cell(), booked.bytes());
        let digest = || P::hot_digest(words);
        if let Some((at, target)) = self.route(origin, to.address, cell, bytes, digest) {
            let packet = Packet::hot(from, to, booked, words);
            match self.only_delay {
                Some(_) => self.kernel.send_in_turn(at, origin, target, packet),
                None => self.kernel.send(at, origin, target, packet),
            }
        }
    }

    #[inline(never)]
    fn transmit_cold(
        &mut self,
        origin: HostId,
        from: Address,
        to: Endpoint,
        message: P,
        source: Option<Port>,
    ) {
        let Account { class, bytes } = message.account();
        let digest = || message.digest();
        if let Some((at, target)) = self.route(origin, to.address, class.into(), bytes, digest) {
            let packet = Packet::cold(from, to, self.cold.insert(message, source));
            self.kernel.send(at, origin, target, packet);
        }
    }

    /// Books a datagram as sent, and says when and where it arrives; one that does not is booked
    /// as lost as well.
    #[inline(always)]
    fn route(
        &mut self,
        origin: HostId,
        to: Address,
        cell: Cell,
        bytes: u32,
        digest: impl FnOnce() -> u64,
    ) -> Option<(SimTime, HostId)> {
        self.ledger.book_at(Direction::Sent, cell, bytes);
        let holder = self.holders.holder(to);
        let delay = match (holder, self.only_delay) {
            // What a host sends to itself does not cross the network.
            (Some(target), Some(delay)) if target != origin => Some(delay),
            (Some(target), _) => {
                self.draw_delay(origin, target, if self.is_random { digest() } else { 0 })
            }
            (None, _) => None,
        };
        let Some((delay, target)) = delay.zip(holder) else {
            self.kernel.skip(origin);
            self.ledger.book_at(Direction::Lost, cell, bytes);
            return None;
        };
        self.in_flight += 1;
        Some((self.kernel.now().saturating_add(delay), target))
    }

    /// The delay of a message from its pair of hosts and its own luck; `None` when it is lost, or a
    /// partition is in its way.
    #[inline(never)]
    fn draw_delay(&mut self, origin: HostId, target: HostId, digest: u64) -> Option<SimDuration> {
        if origin == target {
            return Some(SimDuration::ZERO);
        }
        if self.sides.part(origin, target) {
            return None;
        }
        let base = self.latency.base(self.name(origin), self.name(target));
        if !self.is_random {
            return Some(base);
        }
        let chance = self.chance(origin, target, digest);
        let mut loss = self.loss;
        if let Some(bursts) = &mut self.bursts {
            let (now, luck) = (self.kernel.now(), self.loss_draws.unit(chance, 1));
            loss = bursts.loss(now, (origin, target), luck, loss);
        }
        if loss > 0.0 && self.loss_draws.unit(chance, 0) < loss {
            return None;
        }
        if self.jitter == 0.0 {
            return Some(base);
        }
        Some(base + base.mul_f64(self.jitter * self.jitter_draws.unit(chance, 0)))
    }

    /// What loss and jitter of a message hang on: its flow, the moment, and what it says. So the
    /// traffic of others, even with the same host, changes nobody's luck. The same message sent
    /// twice at one moment shares its fate.
    fn chance(&self, origin: HostId, target: HostId, digest: u64) -> u64 {
        let flow = mix2(self.name(origin).0, self.name(target).0);
        mix2(flow, mix2(self.kernel.now().as_nanos(), digest))
    }

    #[inline]
    fn name(&self, host: HostId) -> NameHash {
        self.names[host.index()]
    }

    /// Whether packets are conserved: what the ledger has booked as sent and as neither delivered
    /// nor lost is what waits in the queue.
    #[must_use]
    pub fn conserved(&self) -> bool {
        self.ledger.in_flight() == self.in_flight && self.cold.len() as u64 <= self.in_flight
    }

    /// How many datagrams are on their way, by count rather than by the ledger.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// How many messages wait in the slab.
    #[must_use]
    pub fn cold_messages(&self) -> usize {
        self.cold.len()
    }
}

/// The digest of a message with its sender, who is told apart by an odd multiplier; where it is
/// added, it is mixed again.
#[inline]
fn signed(from: Address, digest: u64) -> u64 {
    digest ^ u64::from(from.bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A host's access to the network: the simulator's [`Context`].
#[derive(Debug)]
pub struct Link<'a, P: Payload, T, S> {
    network: &'a mut Network<P, T>,
    observer: &'a mut S,
    host: HostId,
}

impl<P: Payload, T, S> Link<'_, P, T, S> {
    /// The host whose access this is.
    #[must_use]
    pub fn host(&self) -> HostId {
        self.host
    }

    /// Whoever hears what the host observes.
    #[must_use]
    pub fn observer(&self) -> &S {
        self.observer
    }

    /// The same, to change it.
    pub fn observer_mut(&mut self) -> &mut S {
        self.observer
    }
}

impl<P: Payload, T: Timer, S: Observer> Context for Link<'_, P, T, S> {
    type Message = P;
    type Timer = T;
    type Observation = S::Observation;

    #[inline]
    fn now(&self) -> SimTime {
        self.network.kernel.now()
    }
    /// A host that has gone down while it handled its last input sends nothing any more.
    #[inline(always)]
    fn send(&mut self, to: Endpoint, message: P) {
        if let Some(from) = self.network.address(self.host) {
            self.network.transmit(self.host, from, to, message.pack());
        }
    }
    #[inline(always)]
    fn set(&mut self, timer: T, at: SimTime) {
        self.network.kernel.set_timer(self.host, timer, at);
    }
    #[inline(always)]
    fn cancel(&mut self, timer: T) {
        self.network.kernel.cancel_timer(self.host, timer);
    }
    #[inline]
    fn observe(&mut self, observation: S::Observation) {
        let now = self.network.kernel.now();
        self.observer.observe(now, self.host, observation);
    }
}

mod ways;

#[cfg(test)]
mod tests;
