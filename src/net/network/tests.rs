use super::*;
use crate::net::bursts::Bursts;
use crate::net::nat::{Dependence, NatBehaviour, Nats};
use crate::net::{Class, Partition, Protocol, Purpose as For, Transport};

/// Even numbers travel inline, odd ones in the slab; number 0 is the error.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Note(u32);

impl Payload for Note {
    fn pack(self) -> Packed<Self> {
        if self.0.is_multiple_of(2) {
            Packed::Hot(Words(0, self.0.into()))
        } else {
            Packed::Cold(self)
        }
    }
    fn unpack(Words(_, number): Words) -> Self {
        Self(number as u32)
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        Port::DNS
    }
    fn wire_len(&self) -> u32 {
        10
    }
    fn class(&self) -> Class {
        Class { protocol: Protocol::Test, purpose: For::Probe }
    }
    fn digest(&self) -> u64 {
        u64::from(self.0)
    }
    fn undeliverable(&self, _to: Endpoint) -> Option<Self> {
        (self.0 != 0).then_some(Note(0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct NoTimer;

impl Timer for NoTimer {
    fn slot(self) -> u32 {
        0
    }
}

struct Deaf;

impl Observer for Deaf {
    type Observation = ();
    fn observe(&mut self, _now: SimTime, _host: HostId, _observation: ()) {}
}

const A: HostId = HostId(0);
const B: HostId = HostId(1);

fn address(host: HostId) -> Address {
    Address::from_bits(0x0a00_0001 + host.0)
}

fn network(loss: f64, departed_hosts: DepartedHosts) -> Network<Note, NoTimer> {
    let settings = Settings {
        seed: 1,
        latency: Latency::Constant(SimDuration::from_millis(50)),
        jitter: 0.1,
        loss,
        departed_hosts,
        epoch: SimDuration::from_secs(1),
        tick: SimDuration::from_millis(1),
    };
    let mut network = Network::new(settings, &[NameHash::of("a"), NameHash::of("b")]);
    network.bring_up(A, address(A));
    network.bring_up(B, address(B));
    network
}

fn send(network: &mut Network<Note, NoTimer>, from: HostId, to: HostId, note: Note) {
    network.link(from, &mut Deaf).send(address(to).at(Port::SIP), note);
}

fn next(network: &mut Network<Note, NoTimer>) -> Option<(HostId, Note)> {
    match network.next(SimTime::from_secs(1_000))? {
        (host, Arrival::Message(delivery)) => Some((host, delivery.unpack())),
        other => panic!("only messages were sent: {other:?}"),
    }
}

#[test]
fn a_datagram_arrives_after_the_base_delay_and_at_most_the_jitter() {
    let mut network = network(0.0, DepartedHosts::Silent);
    for note in [Note(2), Note(3)] {
        let sent = network.now();
        send(&mut network, A, B, note);
        assert_eq!(next(&mut network), Some((B, note)));
        let delay = (network.now() - sent).as_secs_f64();
        assert!((0.050..=0.055).contains(&delay), "{delay}");
    }
    assert_eq!(network.cold_messages(), 0);
}

#[test]
fn packets_are_conserved_under_loss_and_departure() {
    let mut network = network(0.2, DepartedHosts::Silent);
    for n in 0..1_000 {
        send(&mut network, A, B, Note(n));
    }
    assert!(network.conserved());
    let lost = network.ledger().total(Direction::Lost).messages;
    // Binomial(1000, 0.2): standard deviation 12.6.
    assert!((150..=250).contains(&lost), "{lost}");
    for _ in 0..10 {
        assert!(next(&mut network).is_some());
    }
    network.take_down(B);
    assert_eq!(next(&mut network), None);
    assert!(network.conserved());
    assert_eq!(network.ledger().total(Direction::Delivered).messages, 10);
    assert_eq!(network.ledger().in_flight(), 0);
}

#[test]
fn an_error_comes_back_from_a_departed_host_only_when_asked_for_and_never_about_an_error() {
    for (departed, expected) in
        [(DepartedHosts::Silent, None), (DepartedHosts::Unreachable, Some((A, Note(0))))]
    {
        let mut network = network(0.0, departed);
        network.take_down(B);
        send(&mut network, A, B, Note(5));
        assert_eq!(next(&mut network), expected);
        network.take_down(A);
        send(&mut network, B, A, Note(5));
        assert_eq!(next(&mut network), None, "a host that is down sends nothing");
        assert!(network.conserved());
    }
}

#[test]
fn an_address_that_moved_to_another_host_is_reached_there() {
    let mut network = network(0.0, DepartedHosts::Silent);
    network.take_down(A);
    network.take_down(B);
    network.bring_up(A, address(B));
    assert_eq!(network.holder(address(B)), Some(A));
    assert_eq!(network.holder(address(A)), None);
}

/// A host that changes its address gets nothing that was sent to the former one, before or after,
/// and what it sends comes from the new one.
#[test]
fn who_changes_the_address_is_reached_under_the_new_one_only() {
    for (departed, errors) in [(DepartedHosts::Silent, 0), (DepartedHosts::Unreachable, 2)] {
        let mut network = network(0.0, departed);
        let there = Address::from_bits(0x0a00_0050);
        send(&mut network, A, B, Note(2));
        network.readdress(B, there);
        send(&mut network, A, B, Note(4));
        assert_eq!((network.holder(there), network.holder(address(B))), (Some(B), None));
        assert_eq!(network.last_holder(address(B)), Some(B));
        network.link(A, &mut Deaf).send(there.at(Port::SIP), Note(6));
        assert_eq!(next(&mut network), Some((B, Note(6))));
        // As from a host that is gone.
        for _ in 0..errors {
            assert_eq!(next(&mut network), Some((A, Note(0))));
        }
        network.link(B, &mut Deaf).send(address(A).at(Port::SIP), Note(8));
        match network.next(SimTime::from_secs(1_000)) {
            Some((A, Arrival::Message(delivery))) => assert_eq!(delivery.from.address, there),
            other => panic!("{other:?}"),
        }
        assert_eq!(next(&mut network), None);
        assert!(network.conserved());
    }
}

#[test]
fn what_would_have_to_cross_a_cut_is_lost_and_the_rest_as_without_it() {
    let settings = Settings {
        seed: 1,
        latency: Latency::Constant(SimDuration::from_millis(50)),
        jitter: 0.0,
        loss: 0.0,
        departed_hosts: DepartedHosts::Unreachable,
        epoch: SimDuration::from_secs(1),
        tick: SimDuration::from_millis(1),
    };
    let names = ["a", "b", "c"].map(NameHash::of);
    let mut network = Network::<Note, NoTimer>::new(settings, &names);
    let hosts = [A, B, HostId(2)];
    for host in hosts {
        network.bring_up(host, address(host));
    }
    send(&mut network, A, B, Note(2));
    let partition = Partition::new(0);
    network.cut(partition, &[B, HostId(2)]);
    // What is on its way arrives.
    assert_eq!(next(&mut network), Some((B, Note(2))));
    for (from, to) in [(A, B), (B, A), (A, HostId(2))] {
        send(&mut network, from, to, Note(4));
        send(&mut network, from, to, Note(5));
    }
    // Nothing is on its way, nor comes back to tell of it.
    assert_eq!((network.ledger().total(Direction::Lost).messages, network.in_flight()), (6, 0));
    send(&mut network, A, A, Note(7));
    assert_eq!(next(&mut network), Some((A, Note(7))));
    let sent = network.now();
    send(&mut network, B, HostId(2), Note(8));
    assert_eq!(next(&mut network), Some((HostId(2), Note(8))));
    assert_eq!(network.now() - sent, SimDuration::from_millis(50));
    network.heal(partition);
    send(&mut network, B, A, Note(9));
    assert_eq!(next(&mut network), Some((A, Note(9))));
    assert!(network.conserved() && !network.sides().is_parted());
}

/// Messages of both kinds, small and in the slab, come from the port that a symmetric translator
/// gives them, and what answers to it comes in; all else stays outside, and is booked as lost.
#[test]
fn a_translator_changes_ports_and_keeps_strangers_out() {
    let behaviour = NatBehaviour {
        mapping: Dependence::AddressAndPortDependent,
        filtering: Dependence::AddressAndPortDependent,
        udp_timeout: SimDuration::from_secs(300),
        tcp_timeout: SimDuration::from_secs(7_440),
        answers_echo: true,
    };
    let mut network = network(0.0, DepartedHosts::Unreachable);
    network.translate(Nats::new(behaviour, [(A, smallvec::SmallVec::new())]));
    let from = |network: &mut Network<Note, NoTimer>, port: u16, note: Note| {
        network.link(A, &mut Deaf).send(address(B).at(Port(port)), note);
        match network.next(SimTime::from_secs(100)) {
            Some((B, Arrival::Message(delivery))) => (delivery.from, delivery.unpack()),
            other => panic!("{other:?}"),
        }
    };
    // Notes come from port 53, which the first destination sees; the second gets another.
    let outer = |port| address(A).at(Port(port));
    assert_eq!(from(&mut network, 1, Note(2)), (outer(53), Note(2)));
    assert_eq!(from(&mut network, 2, Note(4)), (outer(1024), Note(4)));
    assert_eq!(from(&mut network, 3, Note(5)), (outer(1025), Note(5)));
    assert_eq!(from(&mut network, 1, Note(3)), (outer(53), Note(3)));
    assert_eq!(network.cold_messages(), 0);
    // B sends from port 53, to which nothing went, but as a fourth destination.
    for note in [Note(6), Note(7)] {
        network.link(B, &mut Deaf).send(outer(53), note);
    }
    assert_eq!(network.ledger().total(Direction::Lost).messages, 0);
    assert!(network.next(SimTime::from_secs(100)).is_none(), "and nothing comes back");
    assert_eq!(network.ledger().total(Direction::Lost).messages, 2);
    assert!(network.conserved());
}

#[test]
fn an_answer_passes_the_translator_and_a_burst_loses_what_it_should() {
    let behaviour = NatBehaviour {
        mapping: Dependence::EndpointIndependent,
        filtering: Dependence::AddressDependent,
        udp_timeout: SimDuration::from_secs(300),
        tcp_timeout: SimDuration::from_secs(7_440),
        answers_echo: true,
    };
    let mut network = network(0.0, DepartedHosts::Silent);
    network.translate(Nats::new(behaviour, [(A, smallvec::SmallVec::new())]));
    let reply = |network: &mut Network<Note, NoTimer>| {
        network.link(B, &mut Deaf).send(address(A).at(Port::DNS), Note(8));
        next(network)
    };
    send(&mut network, A, B, Note(2));
    assert_eq!(next(&mut network), Some((B, Note(2))));
    assert_eq!(reply(&mut network), Some((A, Note(8))));
    // 10 s of bursts to 10 s without, in which all is lost: half of 1,000, a second apart, which
    // count as 1 / (1 + 2 · 5) of that: standard deviation 500 / sqrt(91) = 52.
    let long = SimDuration::from_secs(10);
    network.lose_in_bursts(Bursts::new(long, long, 1.0));
    for n in 0..1_000 {
        network.command(network.now() + SimDuration::from_secs(1), B, n);
        send(&mut network, A, B, Note(2));
        while let Some((_, Arrival::Message(_))) = network.next(SimTime::from_secs(10_000)) {}
    }
    let lost = network.ledger().total(Direction::Lost).messages;
    assert!((340..=660).contains(&lost), "{lost}");
    assert!(network.conserved());
}
