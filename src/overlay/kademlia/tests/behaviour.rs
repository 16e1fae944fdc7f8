//! What Kademlia promises beyond the suite.

use super::{Config, Net, config, distance};
use crate::net::Payload;
use crate::overlay::conformance::network::Weather;
use crate::overlay::kademlia::Message;
use crate::overlay::{Dht, Facts, NodeRef, OverlayId, Record, RingId, Upcall};
use crate::rng::mix2;
use crate::time::SimDuration;

const SECOND: SimDuration = SimDuration::from_secs(1);

/// All nodes by their distance to one.
fn sorted(net: &Net, node: usize) -> Vec<NodeRef> {
    let id = |n: NodeRef| net.directory.contact(n).id;
    let me = NodeRef::new(node as u32);
    let mut all: Vec<NodeRef> =
        (0..net.nodes.len() as u32).map(NodeRef::new).filter(|&n| n != me).collect();
    all.sort_by_key(|&n| distance(id(me), id(n)));
    all
}

#[test]
fn siblings_are_the_nearest_and_buckets_are_full() {
    let net = Net::converged(200, 0, 3, config());
    for node in [0, 17, 99] {
        let nearest = sorted(&net, node);
        let table = &net.node(node).table;
        assert_eq!(table.siblings(), nearest[..8]);
        // In each bucket beyond the siblings are all nodes that there are, or eight of them.
        let mut known = table.known();
        known.retain(|contact| !nearest[..8].contains(contact));
        let level = |n: &NodeRef| {
            let (a, b) = (net.directory.contact(NodeRef::new(node as u32)).id, *n);
            63 - distance(a, net.directory.contact(b).id).leading_zeros()
        };
        for bucket in 0..64 {
            let there = nearest[8..].iter().filter(|n| level(n) == bucket).count();
            let in_table = known.iter().filter(|n| level(n) == bucket).count();
            assert_eq!(in_table, there.min(8), "bucket {bucket} of {node}");
        }
    }
}

/// Joiners build the siblings that a converged start gives.
#[test]
fn joins_arrive_at_the_tables_of_a_converged_start() {
    let mut net = Net::outside(60, 3, config());
    net.found(0);
    for i in 1..60 {
        net.join(i, &[i / 2]);
        net.run(SECOND * 5);
    }
    net.run(SECOND * 1_100);
    for node in 0..60 {
        assert_eq!(net.node(node).table.siblings(), sorted(&net, node)[..8], "{node}");
    }
}

/// A live contact is not given up for a newer one; the newest replacement follows a dead one.
#[test]
fn old_contacts_stay_until_they_die() {
    let one = Config { bucket_size: 1, siblings: 1, replacements: 2, ..config() };
    let net = Net::converged(40, 0, 3, one.clone());
    let facts = &net.directory;
    let me = facts.contact(NodeRef::new(0)).id;
    let far: Vec<NodeRef> = (1..40)
        .map(NodeRef::new)
        .filter(|&n| distance(me, facts.contact(n).id) >> 63 == 1)
        .take(4)
        .collect();
    let near = sorted(&net, 0)[0];
    let mut table = super::super::table::Table::new(NodeRef::new(0), me);
    assert!(table.seen(near, &one, facts), "a sibling");
    for &node in &far {
        assert!(!table.seen(node, &one, facts));
    }
    assert_eq!(table.known(), [near, far[0]]);
    // Two replacements are remembered, the newest two.
    for (dead, heir) in [(far[0], Some(far[3])), (far[3], Some(far[2])), (far[2], None)] {
        assert!(table.forget(dead, facts));
        let expected: Vec<NodeRef> = [near].into_iter().chain(heir).collect();
        assert_eq!(table.known(), expected);
    }
    assert!(!table.forget(far[1], facts), "it was given up for the newer two");
    // The sibling dies: the nearest contact takes its place.
    table.seen(far[0], &one, facts);
    assert!(table.forget(near, facts));
    assert_eq!(table.siblings(), [far[0]]);
}

/// A node knows eight of each subtree, evenly spread, so that one of them shares about three bits more
/// with the key than the subtree does; and the bit after those falls its way half of the time.
#[test]
fn paths_have_logarithmic_length() {
    let mut net = Net::converged(1_024, 0, 5, Config { refresh: SECOND * 1_000_000, ..config() });
    net.sent.clear();
    let outcomes = net.look_up(100, 11);
    let mut hops = 0;
    for (owner, outcome) in outcomes {
        assert_eq!(outcome.owner, Some(owner));
        hops += u32::from(outcome.hops);
    }
    let mean = f64::from(hops) / 100.0;
    // 10 bits, of which each step gains about four, and siblings know the last three:
    // (10 - 3) / 4 = 1.75.
    assert!((1.2..2.3).contains(&mean), "{mean} hops");
    let requests = net.sent.iter().filter(|it| matches!(it, Message::FindNode(..))).count();
    // The eight closest are asked, and three at a time for about two rounds before.
    assert!((10.0..16.0).contains(&(requests as f64 / 100.0)), "{requests} requests");
    let answers = net.sent.len() - requests;
    assert_eq!(answers, requests, "every request is answered, nothing else is said");
}

/// A third is dead: requests under way at the same time wait for one time-out together, one at a
/// time waits for each.
#[test]
fn parallel_requests_wait_together() {
    let waited = |parallelism| {
        let mut tenths = 0;
        for i in 0..20 {
            let mut net = Net::converged(60, 0, 9, Config { parallelism, ..config() });
            (0..20).for_each(|i| net.crash(3 * i));
            let key = RingId(mix2(3, i));
            net.operate(1, |node, ctx| node.lookup(ctx, key));
            while net.ups.is_empty() {
                net.run(SimDuration::from_millis(100));
                tenths += 1;
            }
            let [(1, Upcall::LookupDone { outcome, .. })] = net.ups[..] else {
                panic!("{:?}", net.ups)
            };
            assert_eq!(outcome.owner, Some(net.owner(key)));
        }
        tenths
    };
    let (one, three) = (waited(1), waited(3));
    // Before the closest has answered, about one of three asked is dead in either case; three at a
    // time meet up to three of those in one time-out. The wait for the last ones of the eight is the
    // same.
    assert!(three * 5 < one * 4, "{three} against {one} tenths of a second");
}

/// The hour's look-ups: each node refreshes what nobody looked up, and no more.
#[test]
fn a_quiet_overlay_sends_what_the_periods_say() {
    let mut net = Net::converged(20, 0, 4, config());
    net.run(SECOND * 1_000);
    net.sent.clear();
    net.run(SECOND * 10_000);
    let count = |is: fn(&Message) -> bool| net.sent.iter().filter(|it| is(it)).count();
    let asked = count(|it| matches!(it, Message::FindNode(..)));
    // Ten rounds of twenty nodes: their own neighbourhood and about log2 20 = 4.3 levels, one more
    // or less, with eight to twelve requests each.
    assert!((200 * 3 * 7..200 * 7 * 14).contains(&asked), "{asked} requests");
    let pings = count(|it| matches!(it, Message::Ping(..)));
    assert!(pings < asked / 4, "most contacts are heard of anyway: {pings} pings");
    assert!(
        net.sent.iter().all(|it| it.class().purpose == crate::net::Purpose::OverlayMaintenance)
    );
    assert_eq!(net.sent.len() % 2, 0, "each request is answered");
}

/// An old version far from the owner does not answer for it.
#[test]
fn a_holder_that_no_longer_belongs_is_not_believed() {
    let mut net = Net::converged(30, 30, 8, config());
    let key = RingId(9 << 56);
    let record = |version: u64| Record {
        key,
        version,
        lifetime: SECOND * 1_000_000,
        value: version.to_be_bytes()[..].into(),
    };
    net.put(0, record(1));
    let before = net.holders();
    (30..60).for_each(|i| net.join(i, &[1]));
    net.run(SECOND * 60);
    net.put(0, record(2));
    let closest = net.holders().len();
    assert!(closest > 4, "newcomers took over, and the old holders keep their copies");
    let members = net.members();
    for from in members {
        let found = net.get(from, key).expect("it is stored");
        assert_eq!(found.version, 2, "from {from}, with {before:?} holding the first");
    }
}

/// Nobody enters a stranger: neither an outsider's request nor a name in an answer.
#[test]
fn only_members_that_were_heard_are_known() {
    let mut net = Net::converged(10, 1, 4, config());
    net.join(10, &[3]);
    net.crash(10);
    net.run(SECOND * 5);
    assert!(net.nodes.iter().flatten().all(|it| !it.acquaintances().contains(&NodeRef::new(10))));
    assert!(net.nodes.iter().flatten().all(|it| it.identity() != Some(OverlayId::OUTSIDER)));
}

/// Keys of a refresh fall into the bucket that they refresh, whatever the identifiers' length.
#[test]
fn every_level_has_a_key() {
    for id_bits in [8, 32, 64, 160] {
        let net = Net::converged(20, 0, 4, Config { id_bits, ..config() });
        let node = net.node(3);
        for level in 64u8.saturating_sub(id_bits)..64 {
            let key = node.key_at(level, crate::time::SimTime::from_secs(7));
            assert_eq!(distance(key, node.table.id) >> level, 1, "{id_bits} bits, level {level}");
            assert_eq!(key, RingId::from_hash(key.0, id_bits));
        }
        // Two rounds draw different keys.
        let draws: Vec<_> = (0..2)
            .map(|s| node.key_at(63, crate::time::SimTime::from_secs(mix2(s, 1) >> 40)))
            .collect();
        assert!(id_bits == 8 || draws[0] != draws[1]);
    }
}

/// Of the four that hold a record one sends it to the other three each period, and they rest.
#[test]
fn one_holder_republishes_for_all() {
    let mut net = Net::converged(20, 0, 4, config());
    let lifetime = SECOND * 1_000_000;
    net.put(0, Record { key: RingId(7 << 56), version: 1, lifetime, value: b"x"[..].into() });
    assert_eq!(net.holders().len(), 4);
    net.run(SECOND * 7_200);
    net.sent.clear();
    net.run(SECOND * 36_000);
    let sent = net.sent.iter().filter(|it| matches!(it, Message::Replicate(..))).count();
    // Ten periods; in each one holder, or none when another comes later than an hour after the last.
    assert!((5 * 3..=10 * 3).contains(&sent), "{sent} copies");
}

/// A request of at most so many at a time, though the node is itself the closest to the key.
#[test]
fn parallelism_holds_at_the_closest_node_as_well() {
    let mut net = Net::converged(60, 0, 9, config());
    let own = net.directory.contact(NodeRef::new(5)).id;
    net.run(SECOND);
    net.sent.clear();
    net.operate(5, |node, ctx| node.lookup(ctx, own));
    assert_eq!(net.sent.len(), 3);
}

/// What a failed join was told late is not the next overlay's.
#[test]
fn late_answers_to_a_failed_join_are_void() {
    let mut net = Net::converged(10, 1, 4, config());
    net.join(10, &[3]);
    // The contact answers after 40 ms; the nodes that it named are asked, and answer 40 ms later.
    net.run(SimDuration::from_millis(50));
    assert!(net.node(10).identity().is_none());
    net.found(10);
    net.run(SECOND * 5);
    assert_eq!(net.node(10).acquaintances(), []);
    net.join(10, &[3]);
    net.run(SimDuration::from_millis(50));
    net.operate(10, |node, ctx| {
        let mut ups = crate::overlay::Upcalls::new();
        node.join_through(ctx, Vec::new(), &mut ups);
        (crate::overlay::OperationId(0), ups)
    });
    net.run(SECOND * 5);
    assert_eq!(net.node(10).acquaintances(), []);
}

/// Whom a joiner was only told of is pinged at its first refresh.
#[test]
fn hearsay_counts_as_unheard() {
    let net = Net::converged(10, 0, 4, config());
    let facts = &net.directory;
    let me = NodeRef::new(0);
    let mut table = super::super::table::Table::new(me, facts.contact(me).id);
    table.hear_of(NodeRef::new(1), &config(), facts);
    table.seen(NodeRef::new(2), &config(), facts);
    table.hear_of(NodeRef::new(2), &config(), facts);
    assert_eq!(table.unheard(), [NodeRef::new(1)]);
}

/// A request is sent as often as is wanted; then its receiver is dead.
#[test]
fn a_request_is_repeated_before_its_receiver_is_dead() {
    for tries in [1, 2, 3] {
        let mut net = Net::converged(2, 0, 4, Config { tries, ..config() });
        net.stop_timers();
        net.nodes[1] = None;
        let key = net.directory.contact(NodeRef::new(1)).id;
        net.sent.clear();
        net.operate(0, |node, ctx| node.lookup(ctx, key));
        let end = SimDuration::from_millis(1_500) * u64::from(tries);
        net.run(end - SimDuration::from_nanos(1));
        assert_eq!((net.sent.len(), net.ups.len()), (usize::from(tries), 0));
        net.run(SimDuration::from_nanos(1));
        let [(0, Upcall::Isolated), (0, Upcall::LookupDone { outcome, .. })] = net.ups[..] else {
            panic!("{:?}", net.ups)
        };
        assert_eq!((outcome.owner, outcome.timeouts), (Some(NodeRef::new(0)), 1));
    }
}

/// Where one datagram in twenty is lost, who asks once drops living nodes all the time.
#[test]
fn repeated_requests_keep_the_living_in_the_tables() {
    let dropped = [1, 3].map(|tries| {
        let mut net = Net::converged(64, 0, 4, Config { tries, ..config() });
        net.turn(Weather { lost: 50, ..Weather::FAIR });
        net.dropped(60, SECOND * 60, |node| node.table.known())
    });
    // An exchange is lost with a probability of 0.0975, three in a row with 0.0009.
    assert!(dropped[0] > 100 && dropped[1] * 20 < dropped[0], "{dropped:?}");
}
