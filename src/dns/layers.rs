//! Caches in series: layers that honour TTLs do not add up, layers that do not do.
//!
//! For how long after a change can whoever asks the last of several layers be told the old answer?
//! Messages take no time here. With a TTL of T, and resolvers with a floor mᵢ under TTLs (0: honest),
//!
//! * the first of them can keep it for max(T, m₁): it got it at the last moment before the change;
//! * each further one can get it at the last moment of the one before, with hardly any TTL left, and
//!   keeps it for its own floor: + mᵢ, which is nothing where it is honest;
//! * an application that keeps what it finds for a time of its own adds that: + L, or for ever.
//!
//! Entries that are served from whole seconds of TTL end up to a second earlier for each resolver.

use std::sync::Arc;

use rand::RngExt as _;

use super::application_cache::{ApplicationCache, Cached, Life};
use super::authority::{self, Authority};
use super::binding::{Binding, Form};
use super::checker::TtlChecker;
use super::resolver::{self, Config, Delegation, Resolver};
use super::stub::Outcome;
use super::{Answer, DomainName, Message, Profile, Question, Ttl, Zone};
use crate::address::{Address, Endpoint, Port};
use crate::dns::answer::Reply;
use crate::rng::{Dice, Draws, NameHash, Purpose, stream};
use crate::sim::Recorder;
use crate::time::{SimDuration, SimTime};

const AUTHORITY: Endpoint = Address::from_bits(53).at(Port::DNS);
const CLIENT: Endpoint = Address::from_bits(7).at(Port::EPHEMERAL);

struct Layer {
    resolver: Resolver,
    ctx: Recorder<Message, resolver::Timer, resolver::Observation>,
    judge: TtlChecker,
}

/// An authority, resolvers that forward to one another, and an application behind the last.
struct Chain {
    authority: Authority,
    served: Recorder<Message, authority::Timer, authority::Observation>,
    binding: Binding,
    layers: Vec<Layer>,
    application: ApplicationCache,
    now: SimTime,
    asked: u16,
}

fn at(layer: usize) -> Endpoint {
    Address::from_bits(100 + layer as u32).at(Port::DNS)
}

impl Chain {
    fn new(ttl: u32, floors: &[u32], life: Life) -> Self {
        let zone: DomainName = "dyndns.test".parse().unwrap();
        let ttl = Ttl::from_secs(ttl);
        let name = "chord.dyndns.test".parse().unwrap();
        let binding = Binding::new(name, zone.clone(), Form::Addresses, ttl).unwrap();
        let served = Zone::conventional(zone.clone(), AUTHORITY.address, ttl, ttl).unwrap();
        let layer = |(place, &floor): (usize, &u32)| {
            let server = if place == 0 { AUTHORITY } else { at(place - 1) };
            let delegation = Delegation::to_one(zone.clone(), server);
            let mut config = Config::new(Profile::Rfc, vec![delegation]);
            config.cache.min_ttl = Ttl::from_secs(floor);
            config.forwards = place > 0;
            let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("isp"));
            let judge = match place {
                0 => TtlChecker::new(config.cache),
                _ => TtlChecker::of_forwarder(config.cache),
            };
            Layer { resolver: Resolver::new(Arc::new(config), dice), ctx: Recorder::new(), judge }
        };
        Self {
            authority: Authority::new(vec![served]),
            served: Recorder::new(),
            binding,
            layers: floors.iter().enumerate().map(layer).collect(),
            application: ApplicationCache::new(life, Life::NEGATIVE),
            now: SimTime::ZERO,
            asked: 0,
        }
    }

    fn go_to(&mut self, now: SimTime) {
        let pause = now - self.now;
        self.now = now;
        self.served.advance(pause);
        self.layers.iter_mut().for_each(|layer| layer.ctx.advance(pause));
    }

    fn serve(&mut self, version: u32) {
        let addresses = [Address::from_bits(version)];
        self.authority.publish(&mut self.served, &self.binding, &addresses).unwrap();
    }

    fn question(&self) -> Question {
        self.binding.question().clone()
    }

    /// Which version a layer tells a client.
    fn ask(&mut self, layer: usize) -> u32 {
        self.asked += 1;
        let query = Message::query(self.asked, self.question());
        self.deliver(layer, CLIENT, query);
        loop {
            let mut quiet = true;
            for from in 0..self.layers.len() {
                for (to, message) in self.layers[from].ctx.take_sent() {
                    quiet = false;
                    if message.response {
                        let now = self.now;
                        assert_eq!(self.layers[from].judge.downstream(now, &message), Ok(()));
                    }
                    match to.address.bits() {
                        7 => return Reply::of(&message).answer.addresses().next().unwrap().bits(),
                        53 => self.ask_authority(from, &message),
                        bits => {
                            let port = if message.response { at(from).port } else { CLIENT.port };
                            let sender = at(from).address.at(port);
                            self.deliver(bits as usize - 100, sender, message);
                        }
                    }
                }
            }
            assert!(!quiet, "the client gets an answer");
        }
    }

    fn ask_authority(&mut self, from: usize, query: &Message) {
        self.authority.receive(&mut self.served, at(from).address.at(CLIENT.port), query);
        for (_, response) in self.served.take_sent() {
            self.deliver(from, AUTHORITY, response);
        }
    }

    fn deliver(&mut self, to: usize, from: Endpoint, message: Message) {
        let layer = &mut self.layers[to];
        if message.response {
            layer.judge.upstream(self.now, &message);
        }
        layer.resolver.receive(&mut layer.ctx, from, message);
    }

    /// Which version the application works with.
    fn look_up(&mut self) -> u32 {
        let name = self.question().name;
        if let Some(Cached::Addresses(known)) = self.application.lookup(self.now, &name) {
            return known[0].bits();
        }
        let version = self.ask(self.layers.len() - 1);
        let found = vec![Address::from_bits(version)];
        let outcome = Outcome::Addresses { addresses: found, ttl: Ttl::ZERO };
        self.application.store(self.now, &name, &outcome);
        version
    }
}

/// The closed form, without the application.
fn resolvers_add_up_to(ttl: u32, floors: &[u32]) -> u32 {
    let (first, further) = floors.split_first().unwrap();
    ttl.max(*first) + further.iter().sum::<u32>()
}

/// Chains, and for how long after a change they can answer with what was before, in seconds.
const CHAINS: [(u32, &[u32], u32, u32); 10] = [
    // (TTL, floors, application's life, bound)
    (60, &[0], 0, 60),
    (60, &[0, 0], 0, 60),
    (60, &[0, 0, 0, 0], 0, 60),
    // The paper's: 60 s, and 30 s of the Java virtual machine; however many resolvers.
    (60, &[0], 30, 90),
    (60, &[0, 0, 0], 30, 90),
    (60, &[300], 0, 300),
    (60, &[300, 0], 0, 300),
    (60, &[0, 300], 0, 360),
    (60, &[90, 0, 300], 30, 420),
    (5, &[0, 20, 0, 20], 10, 55),
];

fn life(seconds: u32) -> Life {
    if seconds == 0 { Life::Off } else { Life::Span(SimDuration::from_secs(seconds.into())) }
}

/// Whoever asks at random, at any layer: the last is never told what is older than the bound.
#[test]
fn no_answer_is_older_than_the_sum_of_those_layers_that_ignore_ttls() {
    for (ttl, floors, own, bound) in CHAINS {
        assert_eq!(resolvers_add_up_to(ttl, floors) + own, bound, "{ttl} {floors:?}");
        let mut chain = Chain::new(ttl, floors, life(own));
        let mut rng = stream(u64::from(ttl), Purpose::Callers, NameHash::of("layers"));
        let mut changed: Vec<SimTime> = Vec::new();
        let mut oldest = SimDuration::ZERO;
        for _ in 0..4_000 {
            let pause = SimDuration::from_millis(rng.random_range(0..u64::from(bound) * 60));
            chain.go_to(chain.now + pause);
            match rng.random_range(0..6) {
                0 => {
                    changed.push(chain.now);
                    chain.serve(changed.len() as u32);
                }
                1..3 if !changed.is_empty() => {
                    chain.ask(rng.random_range(0..floors.len()));
                }
                _ if !changed.is_empty() => {
                    // Version n was over when n + 1 came, which stands at place n.
                    let version = chain.look_up() as usize;
                    let over = changed.get(version).map(|&over| chain.now.since(over));
                    oldest = oldest.max(over.unwrap_or_default());
                }
                _ => {}
            }
        }
        let bound = SimDuration::from_secs(bound.into());
        assert!(oldest < bound, "{ttl} {floors:?} {own}: {oldest}");
        assert!(oldest > bound.mul_f64(0.5), "{ttl} {floors:?} {own}: {oldest}");
    }
}

/// Whoever asks each layer at the last moment of the one before gets as much as the closed form
/// says, but for a moment each.
#[test]
fn the_bound_is_reached() {
    const MOMENT: SimDuration = SimDuration::from_millis(1);
    for (ttl, floors, own, bound) in CHAINS {
        let mut chain = Chain::new(ttl, floors, life(own));
        chain.serve(1);
        let change = SimTime::from_secs(1_000);
        chain.go_to(change - MOMENT);
        assert_eq!(chain.ask(0), 1);
        chain.go_to(change);
        chain.serve(2);
        let mut end = change - MOMENT + SimDuration::from_secs(ttl.max(floors[0]).into());
        for (layer, &floor) in floors.iter().enumerate().skip(1) {
            // An honest one keeps what is left: less than a second, which is nothing.
            if floor > 0 {
                chain.go_to(end - MOMENT);
                assert_eq!(chain.ask(layer), 1, "{floors:?} {layer}");
                end = end - MOMENT + SimDuration::from_secs(floor.into());
            }
        }
        if own > 0 {
            chain.go_to(end - MOMENT);
            assert_eq!(chain.look_up(), 1);
            end = end - MOMENT + SimDuration::from_secs(own.into());
        }
        chain.go_to(end - MOMENT);
        assert_eq!(chain.look_up(), 1, "{ttl} {floors:?} {own}");
        let age = chain.now.since(change);
        let least = SimDuration::from_secs(bound.into()).saturating_sub(MOMENT * 8);
        assert!(age >= least, "{ttl} {floors:?} {own}: {age}");
        chain.go_to(end);
        assert_eq!(chain.look_up(), 2, "{ttl} {floors:?} {own}");
    }
}

/// A Java virtual machine with a security manager never looks again.
#[test]
fn for_ever_is_longer_than_any_sum() {
    let mut chain = Chain::new(60, &[0, 0], Life::Forever);
    chain.serve(1);
    assert_eq!(chain.look_up(), 1);
    chain.serve(2);
    for second in [90, 1_000, 1_000_000_000] {
        chain.go_to(SimTime::from_secs(second));
        assert_eq!(chain.look_up(), 1);
        assert_eq!(chain.ask(1), 2);
    }
}

/// A chain hands down what is left of the TTL, not the TTL.
#[test]
fn what_is_left_of_a_ttl_is_handed_down() {
    let mut chain = Chain::new(60, &[0, 0, 0], Life::Off);
    chain.serve(1);
    for (second, layer) in [(0, 0), (20, 1), (30, 2)] {
        chain.go_to(SimTime::from_secs(second));
        assert_eq!(chain.ask(layer), 1);
    }
    chain.serve(2);
    let last = |chain: &Chain| chain.layers[2].resolver.would_answer(chain.now, &chain.question());
    for (second, version) in [(30, Some(1)), (59, Some(1)), (60, None)] {
        chain.go_to(SimTime::from_secs(second));
        let expected = version.map(|it| Answer::of_addresses(&[Address::from_bits(it)]));
        assert_eq!(last(&chain), expected, "{second}");
    }
    assert_eq!(chain.ask(2), 2);
}
