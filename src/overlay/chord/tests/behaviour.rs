//! What only Chord does; what every plug-in does is in the conformance suite.

use super::harness::{DELAY, Net, config};
use crate::address::Endpoint;
use crate::net::{Ledger, Payload, Protocol, Purpose as Booked};
use crate::overlay::chord::{ChordTimer, Config, FingersPerRound, Message, Routing, Small};
use crate::overlay::conformance::network::Weather;
use crate::overlay::{
    Contact, Dht, Directory, Facts, NodeRef, Observation, OperationId, PutOutcome, Record, RingId,
    Upcall,
};
use crate::sim::Context;
use crate::time::{SimDuration, SimTime};

const SECOND: SimDuration = SimDuration::from_secs(1);

fn record(key: u64) -> Record {
    let key = RingId(key << 56);
    Record { key, version: 1, lifetime: SECOND * 3_600, value: b"x"[..].into() }
}

#[test]
fn a_converged_ring_stays_as_it_is_and_answers_as_the_sorted_ring() {
    for (id_bits, n) in [(8, 20), (12, 40), (32, 40), (63, 40), (64, 40), (65, 40), (160, 40)] {
        for successors in [1, 3, 8] {
            for routing in [Routing::Iterative, Routing::Recursive] {
                let config = Config { id_bits, successors, routing, ..config() };
                let mut net = Net::converged(n, 0, 7, config);
                let before: Vec<_> = net.nodes.iter().flatten().map(Dht::acquaintances).collect();
                assert!(net.report().is_perfect(), "{}", net.report());
                net.run(SECOND * 300);
                assert!(net.report().is_perfect(), "{}", net.report());
                let after: Vec<_> = net.nodes.iter().flatten().map(Dht::acquaintances).collect();
                assert_eq!(before, after, "repair finds what the converged start entered");
                net.assert_correct(40);
            }
        }
    }
}

/// The successor of a dead node finds it by its next stabilise: within period + time-out + one
/// exchange, the predecessor's pointer by the ping, and one more notify.
#[test]
fn one_crash_heals_within_the_periods() {
    let mut net = Net::converged(20, 0, 4, config());
    net.run(SECOND * 100);
    net.crash(7);
    // Stabilise 20 + 1.5; the ping 5 + 1.5 comes sooner; lists of 8 need 7 more rounds.
    net.run(SECOND * 22);
    assert!(net.report().is_connected(), "{}", net.report());
    assert_eq!(net.report().wrong_successor, []);
    net.run(SECOND * 160);
    assert!(net.report().is_perfect(), "{}", net.report());
}

#[test]
fn a_graceful_leave_heals_at_once() {
    for successors in [1, 8] {
        let mut net = Net::converged(20, 0, 4, Config { successors, ..config() });
        net.leave(7);
        net.run(DELAY);
        assert_eq!(net.report().members, 19);
        assert!(net.report().wrong_successor.is_empty(), "{}", net.report());
        assert!(net.report().wrong_predecessor.is_empty(), "{}", net.report());
        assert_eq!(net.observed.last(), Some(&(7, Observation::NotMember)));
    }
}

#[test]
fn the_owner_crashes_between_put_and_get() {
    let mut net = Net::converged(12, 0, 8, config());
    let one = record(9);
    let key = one.key;
    net.put(0, one);
    let owner = net.owner(key).index() as usize;
    net.crash(owner);
    let asker = (owner + 6) % 12;
    assert!(net.get(asker, key).is_some(), "a replica answers");
}

#[test]
fn who_comes_in_place_of_a_dead_owner_gets_what_that_one_owned() {
    // The owner dies and a node comes between it and its successor, who still takes the dead one
    // for its predecessor: what lies before the dead one is the newcomer's now.
    let mut tried = 0;
    for key in 0..64 {
        let mut net = Net::converged(12, 6, 8, config());
        let one = record(4 * key + 1);
        let place = one.key;
        net.put(0, one);
        let owner = net.owner(place).index() as usize;
        net.crash(owner);
        let heir = net.owner(place);
        let through = (owner + 6) % 12;
        (12..18).for_each(|i| net.join(i, &[through]));
        net.run(SECOND * 2);
        let newcomer = net.owner(place);
        if newcomer != heir {
            tried += 1;
            let chord = net.nodes[newcomer.index() as usize].as_ref().unwrap();
            assert!(chord.storage.records.fetch(place, SimTime::ZERO).is_some(), "{key}");
        }
    }
    assert!(tried > 5, "{tried} newcomers took the dead one's place");
}

/// A quiet ring of N nodes: 3 messages a stabilise, 2 a ping, and finger repair of its own.
#[test]
fn a_quiet_ring_sends_what_the_periods_say() {
    let fingers = FingersPerRound::Number(1);
    let quiet = SECOND * 1_000_000;
    let config =
        Config { successors: 1, fingers_per_round: fingers, fix_fingers: quiet, ..config() };
    let mut net = Net::converged(10, 0, 4, config);
    net.run(SECOND * 20);
    net.sent.clear();
    net.run(SECOND * 600);
    let count = |kind: fn(&Small) -> bool| {
        let small = |message: &&Message| matches!(message, Message::Small(s) if kind(s));
        net.sent.iter().filter(small).count()
    };
    // 600 s / 20 s * 10 nodes, 600 s / 5 s * 10 nodes; an exchange under way at an end counts
    // to the side where the message falls.
    assert!(count(|s| matches!(s, Small::Stabilize(..))).abs_diff(300) <= 1);
    assert!(count(|s| matches!(s, Small::Neighbours(..))).abs_diff(300) <= 1);
    assert!(count(|s| matches!(s, Small::Notify(..))).abs_diff(300) <= 1);
    assert!(count(|s| matches!(s, Small::Ping(..))).abs_diff(1_200) <= 1);
    assert!(net.sent.len().abs_diff(3_300) <= 5, "{}", net.sent.len());
    let mut ledger = Ledger::default();
    for message in &net.sent {
        assert_eq!(message.class().protocol, Protocol::Chord);
        assert_eq!(message.class().purpose, Booked::OverlayMaintenance);
        ledger.book(crate::net::ledger::Direction::Sent, message.class(), message.wire_len());
    }
    assert_eq!(ledger.in_flight(), net.sent.len() as u64);
}

/// Fingers in turn, the trivial ones included: 64 levels at 4 a round take 16 rounds.
#[test]
fn fingers_in_turn_come_around() {
    let fingers_per_round = FingersPerRound::Number(4);
    let config = Config { id_bits: 64, fingers_per_round, successors: 1, ..config() };
    let mut net = Net::outside(16, 4, config);
    net.found(0);
    for i in 1..16 {
        net.join(i, &[0]);
        net.run(SECOND * 30);
    }
    net.run(SECOND * (120 * 18));
    let expected = Net::converged(16, 0, 4, (*net.config).clone());
    for (built, exact) in net.nodes.iter().zip(&expected.nodes) {
        let (built, exact) = (built.as_ref().unwrap(), exact.as_ref().unwrap());
        assert_eq!(built.acquaintances(), exact.acquaintances());
    }
}

/// A host speaks to its component through a lifted context, which knows the directory as well.
#[test]
fn a_lifted_context_knows_the_directory() {
    let net = Net::converged(3, 0, 6, config());
    let mut host = Host { directory: net.directory, sent: 0 };
    let mut node = net.nodes[0].clone().unwrap();
    let mut ctx = host.lift::<Message, ChordTimer, Observation>();
    assert!(node.timer(&mut ctx, ChordTimer::Stabilize).is_empty());
    assert_eq!(host.sent, 1);
}

struct Host {
    directory: Directory,
    sent: usize,
}

impl Facts for Host {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

impl Context for Host {
    type Message = Message;
    type Timer = ChordTimer;
    type Observation = Observation;
    fn now(&self) -> SimTime {
        SimTime::ZERO
    }
    fn send(&mut self, _: Endpoint, _: Message) {
        self.sent += 1;
    }
    fn set(&mut self, _: ChordTimer, _: SimTime) {}
    fn cancel(&mut self, _: ChordTimer) {}
    fn observe(&mut self, _: Observation) {}
}

/// A request is sent as often as is wanted; then its receiver is dead, and the only other node owns
/// what it owned.
#[test]
fn a_request_is_repeated_before_its_receiver_is_dead() {
    let stored = Upcall::PutDone { id: OperationId(1), outcome: PutOutcome::Stored };
    for tries in [1, 2, 3] {
        let mut net = Net::converged(2, 0, 4, Config { tries, ..config() });
        net.stop_timers();
        net.crash(1);
        let key = net.directory.contact(NodeRef::new(1)).id;
        net.sent.clear();
        net.operate(0, |chord, ctx| chord.put(ctx, Record { key, ..record(0) }));
        let end = SimDuration::from_millis(1_500) * u64::from(tries);
        net.run(end - SimDuration::from_nanos(1));
        assert_eq!((net.sent.len(), net.ups.len()), (usize::from(tries), 0));
        net.run(SimDuration::from_nanos(1));
        assert_eq!(net.ups, [(0, Upcall::Isolated), (0, stored.clone())]);
        assert_eq!(net.node(0).records(), 1);
    }
}

/// Who is cut off from all whom it knew stores nothing with itself: for all that it can tell the
/// others have an owner.
#[test]
fn a_put_by_who_is_cut_off_fails() {
    let mut net = Net::converged(12, 0, 4, config());
    net.stop_timers();
    (1..12).for_each(|node| net.crash(node));
    let key = net.directory.contact(NodeRef::new(5)).id;
    net.operate(0, |chord, ctx| chord.put(ctx, Record { key, ..record(0) }));
    net.run(SECOND * 120);
    let failed = Upcall::PutDone { id: OperationId(1), outcome: PutOutcome::Failed };
    assert!(net.ups.contains(&(0, failed)), "{:?}", net.ups);
    assert_eq!(net.node(0).records(), 0);
}

/// So are the steps of a look-up, and a joiner's requests to a contact of which it knows nothing.
#[test]
fn steps_of_look_ups_and_joins_are_repeated() {
    let is_find = |it: &&Message| matches!(it, Message::Small(Small::Find(..)));
    for tries in [1, 3] {
        // Six nodes with lists of eight: everybody knows everybody.
        let mut net = Net::converged(6, 1, 4, Config { tries, ..config() });
        net.stop_timers();
        net.crash(1);
        net.sent.clear();
        let key = net.directory.contact(NodeRef::new(1)).id.plus(1);
        net.operate(3, |chord, ctx| chord.lookup(ctx, key));
        net.run(SECOND * 10);
        let [(3, Upcall::LookupDone { outcome, .. })] = net.ups[..] else {
            panic!("{:?}", net.ups)
        };
        assert_eq!((outcome.owner, outcome.timeouts), (Some(net.owner(key)), 1));
        // The dead node is asked so often; the next best is told of it, and names the owner.
        assert_eq!(net.sent.iter().filter(is_find).count(), usize::from(tries));
        assert_eq!(net.sent.len(), usize::from(tries) + 2);
        net.sent.clear();
        net.join(6, &[1, 5]);
        net.run(SimDuration::from_millis(1_500) * u64::from(tries) - SimDuration::from_nanos(1));
        assert_eq!(net.sent.iter().filter(is_find).count(), usize::from(tries));
        assert_eq!(net.sent.len(), usize::from(tries));
        net.run(SECOND * 20);
        assert_eq!(net.members().len(), 6);
    }
}

/// Where one datagram in twenty is lost, who asks once drops living nodes all the time.
#[test]
fn repeated_requests_keep_the_living_in_the_tables() {
    let dropped = [1, 3].map(|tries| {
        let mut net = Net::converged(64, 0, 4, Config { tries, ..config() });
        net.turn(Weather { lost: 50, ..Weather::FAIR });
        net.dropped(180, SECOND * 20, Dht::acquaintances)
    });
    // An exchange is lost with a probability of 0.0975, three in a row with 0.0009.
    assert!(dropped[0] > 100 && dropped[1] * 20 < dropped[0], "{dropped:?}");
}
