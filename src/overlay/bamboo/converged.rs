//! An overlay at rest at once: leaf sets and routing tables as they would be if nobody came or went
//! for long.
//!
//! Of the nodes that fit an entry one is drawn. Which of them is near only time-outs and tuning can
//! tell; it begins with unknown round-trip times.

use std::sync::Arc;

use super::routing_table::common_digits;
use super::{Bamboo, Config};
use crate::overlay::{Facts, NodeRef, OverlayId, RingId, SameId};
use crate::rng::mix2;
use crate::time::SimTime;

/// The members of such an overlay, in the order given. Each is to be
/// [started](crate::overlay::Dht::start).
///
/// # Errors
/// When two have the same position.
pub fn converged(
    nodes: &[NodeRef],
    facts: &impl Facts,
    config: &Arc<Config>,
) -> Result<Vec<Bamboo>, SameId> {
    let mut order: Vec<(RingId, usize)> =
        nodes.iter().enumerate().map(|(i, &node)| (facts.contact(node).id, i)).collect();
    order.sort_unstable();
    if let Some(pair) = order.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(SameId { id: pair[0].0, id_bits: config.id_bits });
    }
    let Some(&(eldest, _)) = order.first() else { return Ok(Vec::new()) };
    let overlay = OverlayId::minted(eldest, SimTime::ZERO);
    let ring: Vec<(RingId, NodeRef)> = order.iter().map(|&(id, i)| (id, nodes[i])).collect();
    let mut members: Vec<Option<Bamboo>> = vec![None; nodes.len()];
    for (rank, &(id, place)) in order.iter().enumerate() {
        let mut member = Bamboo::new(nodes[place], id, Arc::clone(config));
        member.identity = Some(overlay);
        let side = usize::from(config.leaves).min(ring.len() - 1);
        for ahead in 1..=side {
            member.leaves.insert(ring[(rank + ahead) % ring.len()].1, facts);
            member.leaves.insert(ring[(rank + ring.len() - ahead) % ring.len()].1, facts);
        }
        fill_table(&mut member, rank, &ring, facts);
        members[place] = Some(member);
    }
    Ok(members.into_iter().map(|member| member.expect("every place has a rank")).collect())
}

/// Draws one node for each entry that has any. The ring is sorted, so those that share a prefix stand
/// together, and those of a column as well.
fn fill_table(member: &mut Bamboo, rank: usize, ring: &[(RingId, NodeRef)], facts: &impl Facts) {
    let (own, digit_bits) = (ring[rank].0, member.config.digit_bits);
    let (mut start, mut end) = (0, ring.len());
    // Each row is about those that share its prefix, this node among them.
    for row in 0.. {
        if end - start <= 1 {
            return;
        }
        let mut at = start;
        let (mut next_start, mut next_end) = (rank, rank + 1);
        while at < end {
            let first = ring[at].0;
            let column = ring[at..end]
                .partition_point(|&(id, _)| common_digits(first, id, digit_bits) > row);
            if common_digits(first, own, digit_bits) > row {
                (next_start, next_end) = (at, at + column);
            } else {
                let draw = mix2(own.0, first.0) as usize % column;
                member.table.offer(ring[at + draw].1, facts, |_| false);
            }
            at += column;
        }
        (start, end) = (next_start, next_end);
    }
}
