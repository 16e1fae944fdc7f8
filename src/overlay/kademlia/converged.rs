//! A stationary overlay at once: each node knows its neighbourhood, and every bucket is as full as
//! the overlay allows.

use std::ops::Range;
use std::sync::Arc;

use super::{Config, Kademlia, State};
use crate::overlay::{Facts, NodeRef, OverlayId, RingId, SameId};
use crate::rng::mix2;
use crate::time::SimTime;

/// The nodes of a converged overlay, in the order given. Each is to be
/// [started](crate::overlay::Dht::start). Takes O(N log N) time.
///
/// # Errors
/// When two have the same position.
pub fn converged(
    nodes: &[NodeRef],
    facts: &impl Facts,
    config: &Arc<Config>,
) -> Result<Vec<Kademlia>, SameId> {
    let mut sorted: Vec<(RingId, NodeRef)> =
        nodes.iter().map(|&node| (facts.contact(node).id, node)).collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(SameId { id: pair[0].0, id_bits: config.id_bits });
    }
    let Some(&(eldest, _)) = sorted.first() else { return Ok(Vec::new()) };
    let overlay = OverlayId::minted(eldest, SimTime::ZERO);
    let member = |&node: &NodeRef| {
        let id = facts.contact(node).id;
        let mut member = Kademlia::new(node, id, Arc::clone(config));
        for level in 0..64 {
            let subtree = &sorted[subtree(&sorted, id, level)];
            // While the neighbourhood is not full, all are needed: the nearest are among them.
            let near = member.table.count() < usize::from(config.siblings);
            let wanted = usize::from(config.bucket_size) + usize::from(config.siblings);
            let count = if near { subtree.len() } else { subtree.len().min(wanted) };
            for place in spread(subtree.len(), count, mix2(id.0, level)) {
                member.table.fill(subtree[place].1, config, facts);
            }
        }
        member.state = State::Member(overlay);
        member
    };
    Ok(nodes.iter().map(member).collect())
}

/// The places of the nodes at distances in [2^level, 2^(level + 1)): those that share the bits above
/// with this position and differ in this one.
fn subtree(sorted: &[(RingId, NodeRef)], id: RingId, level: u64) -> Range<usize> {
    let bit = 1u64 << level;
    let first = (id.0 ^ bit) & !(bit - 1);
    let last = first | (bit - 1);
    let start = sorted.partition_point(|&(other, _)| other.0 < first);
    start..sorted.partition_point(|&(other, _)| other.0 <= last)
}

/// So many of so many places, evenly, from a place on that the draw decides.
fn spread(among: usize, count: usize, draw: u64) -> impl Iterator<Item = usize> {
    let start = if among == 0 { 0 } else { (draw % among as u64) as usize };
    (0..count).map(move |i| (start + i * among / count) % among)
}
