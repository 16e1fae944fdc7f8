//! Leaf sets and routing tables against the full list of members, paths against a closed form, and
//! what only Bamboo does.

use std::sync::Arc;

use super::suite::{Net, config};
use crate::net::{Payload, Protocol};
use crate::overlay::bamboo::leaf_set::{LeafSet, closeness};
use crate::overlay::bamboo::routing_table::{RoutingTable, common_digits};
use crate::overlay::bamboo::{Bamboo, Config, Message, converged};
use crate::overlay::conformance::network::directory;
use crate::overlay::ring::RingReport;
use crate::overlay::{Directory, Facts, NodeRef, RingId, Upcall};
use crate::rng::mix2;
use crate::time::SimDuration;

const SECOND: SimDuration = SimDuration::from_secs(1);

fn nodes(n: usize) -> Vec<NodeRef> {
    (0..n as u32).map(NodeRef::new).collect()
}

fn id(node: NodeRef, facts: &Directory) -> RingId {
    facts.contact(node).id
}

/// The neighbours by the sorted list: `half` each way, or all others.
fn neighbours(me: NodeRef, half: usize, all: &[NodeRef], facts: &Directory) -> [Vec<NodeRef>; 2] {
    let own = id(me, facts);
    let mut others: Vec<NodeRef> = all.iter().copied().filter(|&node| node != me).collect();
    others.sort_by_key(|&node| own.distance_to(id(node, facts)));
    let after = others.iter().copied().take(half).collect();
    let before = others.iter().rev().copied().take(half).collect();
    [after, before]
}

#[test]
fn a_leaf_set_keeps_the_nearest_in_whatever_order_they_come() {
    for n in [2, 5, 9, 10, 40] {
        let facts = directory(n, 5, 160);
        let all = nodes(n);
        let me = all[0];
        let [after, before] = neighbours(me, 4, &all, &facts);
        for order in 0..20 {
            let mut coming = all.clone();
            coming.sort_by_key(|&node| mix2(order, u64::from(node.index())));
            let mut leaves = LeafSet::new(me, id(me, &facts), 4);
            for &node in &coming {
                let room = leaves.has_room_for(node, &facts);
                assert_eq!(leaves.insert(node, &facts), room, "{node:?}");
                assert!(!leaves.has_room_for(node, &facts) && !leaves.insert(node, &facts));
            }
            assert_eq!(leaves.after(), after);
            assert_eq!(leaves.predecessor(), before.first().copied());
            let mut listed = leaves.nodes().into_vec();
            listed.sort_unstable();
            let mut expected = [after.clone(), before.clone()].concat();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(listed, expected);
            // Up to nine nodes the set wraps, or its ends meet.
            let key = RingId(mix2(order, 77));
            let inside = {
                let from = before.last().map_or(RingId(0), |&node| id(node, &facts));
                let to = after.last().map_or(RingId(0), |&node| id(node, &facts));
                from.distance_to(key) <= from.distance_to(to)
            };
            assert_eq!(leaves.covers(key, &facts), n < 9 || inside, "{n} {order}");
        }
    }
}

#[test]
fn another_contact_of_a_position_takes_its_place() {
    let mut facts = directory(6, 5, 160);
    let returned = facts.add(crate::overlay::Contact {
        id: id(NodeRef::new(3), &facts),
        endpoint: crate::overlay::conformance::network::endpoint(9),
    });
    let me = NodeRef::new(0);
    let mut leaves = LeafSet::new(me, id(me, &facts), 4);
    let mut table = RoutingTable::new(id(me, &facts), 4);
    for node in nodes(6).into_iter().skip(1).chain([returned]) {
        leaves.insert(node, &facts);
        table.offer(node, &facts, |_| false);
    }
    assert!(leaves.contains(returned) && !leaves.contains(NodeRef::new(3)));
    let entries: Vec<NodeRef> = table.entries().map(|(_, node)| node).collect();
    assert!(!entries.contains(&NodeRef::new(3)), "{entries:?}");
    let earlier_self = Contact0::of(me, &mut facts);
    assert!(!leaves.insert(earlier_self, &facts) && !table.offer(earlier_self, &facts, |_| true));
}

/// A second contact at the position of a node.
struct Contact0;

impl Contact0 {
    fn of(node: NodeRef, facts: &mut Directory) -> NodeRef {
        let endpoint = crate::overlay::conformance::network::endpoint(11);
        facts.add(crate::overlay::Contact { id: id(node, facts), endpoint })
    }
}

/// An entry is filled exactly if some member fits it, with one that does.
#[test]
fn a_converged_overlay_has_the_tables_of_the_full_list() {
    for (digit_bits, id_bits) in [(4, 160), (1, 40), (3, 12), (8, 160)] {
        let config = Arc::new(Config { digit_bits, id_bits, ..config() });
        let facts = directory(60, 8, id_bits);
        let all = nodes(60);
        let members = converged(&all, &facts, &config).expect("positions are distinct");
        for (member, &me) in members.iter().zip(&all) {
            let own = id(me, &facts);
            let [after, before] = neighbours(me, 4, &all, &facts);
            assert_eq!(member.leaves.after(), after);
            assert_eq!(member.leaves.predecessor(), before.first().copied());
            let place = |node| member.table.place_of(id(node, &facts));
            let mut places: Vec<_> = all.iter().filter_map(|&node| place(node)).collect();
            places.sort_unstable();
            places.dedup();
            let filled: Vec<_> = member.table.entries().map(|(place, _)| place).collect();
            assert_eq!(filled, places);
            for (at, node) in member.table.entries() {
                assert_eq!(place(node), Some(at));
                assert_eq!(at.row(), common_digits(own, id(node, &facts), digit_bits));
            }
        }
    }
}

#[test]
fn random_positions_stand_in_their_row() {
    for digit_bits in [1, 3, 4, 8] {
        let own = RingId(0x0123_4567_89ab_cdef);
        let table = RoutingTable::new(own, digit_bits);
        for row in 0..(24 / digit_bits) {
            for draw in 0..200 {
                let id = table.random_position(row, mix2(draw, 3));
                assert_eq!(common_digits(own, id, digit_bits), row, "{id}");
            }
        }
    }
}

/// The mean path by the tables; each ends at the owner.
fn mean_path(n: usize, digit_bits: u8) -> f64 {
    let config = Arc::new(Config { digit_bits, ..config() });
    let facts = directory(n, 8, 160);
    let all = nodes(n);
    let members = converged(&all, &facts, &config).expect("positions are distinct");
    let (mut hops, lookups) = (0, 2_000);
    for i in 0..lookups {
        let key = RingId(mix2(i, 5));
        let owner = all.iter().copied().min_by_key(|&node| closeness(key, id(node, &facts)));
        let mut here = (mix2(i, 6) % n as u64) as usize;
        while let Some(next) = members[here].next_hop(key, &facts) {
            hops += 1;
            here = next.index() as usize;
        }
        assert_eq!(Some(NodeRef::new(here as u32)), owner);
    }
    f64::from(hops) / lookups as f64
}

/// Pastry's paths (Rowstron and Druschel, 2001) have about log N hops. An overlay that is larger by a
/// factor of 2^b has one more row of the table, which takes a hop unless the digit fits already:
/// 1 - 2^-b. The standard error of such a difference is below 0.03.
#[test]
fn each_digit_more_takes_as_many_hops_as_it_fails_to_fit() {
    // (digit bits, nodes, nodes of the larger one, digits more)
    for (digit_bits, small, large, digits) in
        [(4, 128, 2_048, 1), (2, 128, 2_048, 2), (1, 128, 1_024, 3)]
    {
        let more = mean_path(large, digit_bits) - mean_path(small, digit_bits);
        let expected = f64::from(digits) * (1.0 - 0.5f64.powi(digit_bits.into()));
        assert!((more - expected).abs() < 0.12, "{digit_bits}: {more}, expected {expected}");
    }
}

fn report(net: &Net) -> RingReport {
    let members = net.members();
    let views: Vec<_> = members.iter().map(|&i| net.node(i).view()).collect();
    RingReport::of(&views)
}

/// Leaf sets repair themselves as periodically as they are exchanged. A dead leaf is found when it is
/// drawn (one of eight every 4 s) and has not answered three times; all of its eight neighbours have
/// found it after five minutes but with a probability of 8 * (7/8)^75 = 0.04 %.
#[test]
fn leaf_sets_are_repaired_periodically() {
    let mut net = Net::converged(60, 0, 9, config());
    assert!(report(&net).is_perfect(), "{}", report(&net));
    net.run(SECOND * 60);
    assert!(report(&net).is_perfect(), "{}", report(&net));
    (0..5).for_each(|i| net.crash(11 * i));
    net.run(SECOND * 300);
    assert!(report(&net).is_perfect(), "{}", report(&net));
    let known: Vec<NodeRef> = net.nodes.iter().flatten().flat_map(acquainted).collect();
    assert!((0..5).all(|i| !known.contains(&NodeRef::new(11 * i))), "the dead are forgotten");
}

fn acquainted(node: &Bamboo) -> Vec<NodeRef> {
    crate::overlay::Dht::acquaintances(node)
}

/// A dead hop costs the time-out of its link once, then it is suspected and passed over: 40 ms away
/// (round trip), the deviation of a steady link fades, so the shortest time-out counts.
#[test]
fn a_known_link_times_out_as_fast_as_it_answers() {
    let mut net = Net::converged(60, 0, 9, config());
    // All entries have been asked for their rows: about 20 rounds of 10 s.
    net.run(SECOND * 400);
    let members: Vec<Bamboo> = net.nodes.iter().flatten().cloned().collect();
    // A key whose first hop is not its owner.
    let (key, hop) = (0..)
        .map(|i| RingId(mix2(i, 21)))
        .find_map(|key| {
            let hop = members[0].next_hop(key, &net.directory)?;
            (hop != net.owner(key)).then_some((key, hop))
        })
        .expect("some path has two hops");
    net.crash(hop.index() as usize);
    let owner = net.owner(key);
    net.ups.clear();
    net.operate(0, |node, ctx| crate::overlay::Dht::lookup(node, ctx, key));
    // 200 ms, and four hops of 20 ms.
    net.run(SimDuration::from_millis(300));
    let ended: Vec<_> = net.ups.iter().filter(|(i, _)| *i == 0).collect();
    let [(_, Upcall::LookupDone { outcome, .. })] = ended[..] else { panic!("{ended:?}") };
    assert_eq!((outcome.owner, outcome.timeouts), (Some(owner), 1));
    // The pings that follow find it dead within 400 + 800 + 1,600 ms.
    net.run(SECOND * 3);
    assert!(!acquainted(net.node(0)).contains(&hop));
}

/// A quiet overlay: each node exchanges leaf sets every 4 s and rows every 10 s, two messages each,
/// and looks a key up every 20 s. No node is named that is not known, so nobody is pinged.
#[test]
fn a_quiet_overlay_sends_what_the_periods_say() {
    let mut net = Net::converged(8, 0, 4, Config { proximity: false, ..config() });
    net.run(SECOND * 40);
    net.sent.clear();
    net.run(SECOND * 600);
    let count = |kind: fn(&Message) -> bool| net.sent.iter().filter(|m| kind(m)).count();
    // 600 s / 4 s * 8 nodes, 600 s / 10 s * 8 nodes.
    assert!(count(|m| matches!(m, Message::Leaves(..))).abs_diff(1_200) <= 8);
    assert!(count(|m| matches!(m, Message::LeavesReply(..))).abs_diff(1_200) <= 8);
    assert!(count(|m| matches!(m, Message::RowRequest(..))).abs_diff(480) <= 8);
    assert!(count(|m| matches!(m, Message::Row(..))).abs_diff(480) <= 8);
    let hops = count(|m| matches!(m, Message::Route(..)));
    let found = count(|m| matches!(m, Message::Found(..)));
    assert!(hops <= 240 * 2 && found <= hops, "{hops} {found}");
    assert_eq!(hops + found, count(|m| matches!(m, Message::Ack(_))));
    assert!(net.sent.iter().all(|message| message.class().protocol == Protocol::Bamboo));
}
