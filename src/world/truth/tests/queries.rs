//! The Director's questions, and the timeline.

use super::script::{address, config, host, parse};
use crate::time::{SimDuration, SimTime};
use crate::world::observation::{Answer, OverlayId};
use crate::world::truth::{TimelinePoint, Truth, TruthConfig};

fn told(config: TruthConfig, script: &str) -> Truth {
    let mut truth = Truth::new(config);
    for (at, host, observation) in parse(script) {
        truth.observe(at, host, &observation);
    }
    truth
}

#[test]
fn the_director_sees_who_is_where() {
    let mut truth = told(
        config(1, 0),
        "0 n1 born a\n0 n2 born b\n0 n3 up c\n0 n3 member 2\n0 n3 proxy\n5 z serve a,b\n9 n1 down",
    );
    assert_eq!(*truth.binding(), Answer::Addresses(vec![address("a"), address("b")]));
    assert_eq!(truth.binding_host(), Some(host("n2")));
    assert_eq!(truth.proxy_hosts().collect::<Vec<_>>(), [host("n2"), host("n3")]);
    // One member each: overlay 1 is the elder.
    assert_eq!(truth.main_overlay(), Some(OverlayId(1)));
    assert_eq!(truth.main_members().collect::<Vec<_>>(), [host("n2")]);
    assert_eq!(truth.valid_addresses().collect::<Vec<_>>(), [address("b")]);
    assert!(truth.is_valid(address("b")) && !truth.is_valid(address("c")));
    assert!(truth.is_member(host("n3")) && !truth.is_member(host("n1")));
    assert_eq!(truth.departures(), 0, "the departure of a was a partial one");
    truth.advance(SimTime::from_secs(20));
    let dead = Answer::Addresses(vec![address("a")]);
    assert!(!truth.has_valid(&dead));
    assert_eq!(truth.stale_age(&dead), Some(SimDuration::from_secs(11)));
    assert_eq!(truth.stale_age(&Answer::Negative), None);
}

#[test]
fn a_point_shows_the_state_before_its_instant() {
    let bin = SimDuration::from_secs(50);
    let mut truth = Truth::new(TruthConfig { timeline_bin: bin, ..config(2, 60) });
    let script = "0 n1 born a\n0 z serve a\n80 r1 cache a 60\n80 n2 born b\n80 n3 up c
                  80 n3 member 2\n100 n1 down\n120 z serve b\n149 n2 stop";
    for (at, host, observation) in parse(script) {
        while truth.next_bin() <= at {
            let bin = truth.next_bin();
            truth.set_messages(bin.as_nanos() / 1_000_000_000);
            truth.advance(bin);
        }
        truth.observe(at, host, &observation);
    }
    let report = truth.finish(SimTime::from_secs(150));
    let point = |at, members, believers, binding_valid, stale_resolvers, overlays, messages| {
        let at = SimTime::from_secs(at);
        let resolvers = 2;
        TimelinePoint {
            at,
            members,
            believers,
            binding_valid,
            stale_resolvers,
            resolvers,
            overlays,
            messages,
        }
    };
    // At 100 n1 is still up. At 150: r1's entry a expired at 140, b is served and is invalid since
    // 149, so that both resolvers are stale; the last bin was never told of messages.
    let expected = [
        point(50, 1, 1, true, 0, 1, 50),
        point(100, 3, 2, true, 0, 2, 50),
        point(150, 2, 0, false, 2, 2, 0),
    ];
    assert_eq!(report.timeline, expected);
}
