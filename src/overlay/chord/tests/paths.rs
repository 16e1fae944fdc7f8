//! The length of paths in a converged ring, against closed forms.

use std::sync::Arc;

use super::harness::{Net, config, directory};
use crate::overlay::chord::{Chord, Config, Routing, converged};
use crate::overlay::{Directory, Facts, NodeRef, RingId};
use crate::rng::mix2;

/// Hops from a node to the key's predecessor, by the tables alone, and the owner named there.
fn walk(ring: &[Chord], from: usize, key: RingId, facts: &Directory) -> (u32, NodeRef) {
    let (mut here, mut hops) = (from, 0);
    loop {
        let chord = &ring[here];
        if let Some(best) = chord.table.owner_of(key, &chord.config, facts) {
            return (hops, best[0].expect("an owner"));
        }
        let next = chord.table.closer(key, &[], facts)[0].expect("a node that is closer");
        here = next.index() as usize;
        hops += 1;
    }
}

/// Mean hops over networks and random origins and keys; each owner is checked.
fn mean_hops(n: usize, networks: u64, lookups: u64, config: &Config) -> f64 {
    let mut hops = 0;
    for network in 0..networks {
        let directory = directory(n, mix2(17, network), config.id_bits);
        let refs: Vec<NodeRef> = (0..n as u32).map(NodeRef::new).collect();
        let ring = converged(&refs, &directory, &Arc::new(config.clone())).unwrap();
        let mut sorted: Vec<(RingId, NodeRef)> =
            refs.iter().map(|&node| (directory.contact(node).id, node)).collect();
        sorted.sort_unstable();
        for i in 0..lookups {
            let draw = mix2(mix2(network, i), 3);
            let key = RingId::from_hash(mix2(draw, 4), config.id_bits);
            let (path, owner) = walk(&ring, (draw % n as u64) as usize, key, &directory);
            let place = sorted.partition_point(|&(id, _)| id < key);
            assert_eq!(owner, sorted[place % n].1);
            hops += path;
        }
    }
    f64::from(hops) / (networks * lookups) as f64
}

/// With a successor list of one the mean is 0.5 log2 N - 0.13, counted to the key's predecessor.
/// The standard error is sqrt(log2 N) / 2 / sqrt(16 * 3000), below 0.01, plus what networks differ.
#[test]
fn paths_in_a_converged_ring_have_half_log_n_hops() {
    let config = Config { successors: 1, ..config() };
    for (bits, expected) in [(8, 3.87), (10, 4.87), (12, 5.87), (14, 6.87)] {
        let mean = mean_hops(1 << bits, 16, 3_000, &config);
        assert!((mean - expected).abs() < 0.05, "N = 2^{bits}: {mean}, expected {expected}");
    }
}

/// Stoica et al. (ToN 2003, V-D and Table II): 1,000 nodes, a list of 20: 3.82 by the formula
/// 0.5 log2 N - 0.5 log2 r + 1, 3.84 measured. The formula rounds the last steps within the list, hence
/// the tolerance.
#[test]
fn a_successor_list_shortens_paths_as_published() {
    let config = Config { successors: 20, ..config() };
    let mean = mean_hops(1_000, 16, 3_000, &config);
    assert!((mean - 3.83).abs() < 0.15, "{mean}");
}

/// The same by messages, both ways of routing: what the origin reports is what the tables say.
#[test]
fn reported_hops_are_those_of_the_tables() {
    for routing in [Routing::Iterative, Routing::Recursive] {
        let mut net = Net::converged(64, 0, 5, Config { successors: 1, routing, ..config() });
        let ring: Vec<Chord> = net.nodes.iter().flatten().cloned().collect();
        let outcomes = net.look_up(100, 11);
        for (i, (owner, outcome)) in (0..).zip(outcomes) {
            let key = RingId(mix2(11, i));
            let (hops, _) = walk(&ring, i as usize % 64, key, &net.directory);
            assert_eq!(outcome.owner, Some(owner));
            assert_eq!(u32::from(outcome.hops), hops, "{routing:?}");
            assert_eq!(outcome.timeouts, 0);
        }
    }
}

/// A million nodes must fit: three lines of the cache, of which the sixteen longest fingers fill
/// one. Beside them wait three periodic timers of 48 octets.
#[test]
fn a_node_is_small() {
    assert!(size_of::<Chord>() <= 192, "{}", size_of::<Chord>());
    let net = Net::converged(4_096, 0, 5, Config { successors: 1, ..config() });
    let fingers: usize =
        net.nodes.iter().flatten().map(|chord| chord.table.fingers().count()).sum();
    // The successor lies at an exponential distance of mean 2^64 / N; the shortest other finger is
    // the next power of two: log2 N levels beyond 2^64 / N and about 0.8 + 0.5 below.
    assert!((12.0..14.0).contains(&(fingers as f64 / 4_096.0)), "{fingers}");
}
