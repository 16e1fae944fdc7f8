//! A stationary ring at once: what stabilisation would arrive at if nobody came or went.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Chord, Config};
use crate::overlay::{Facts, NodeRef, OverlayId, RingId, SameId};
use crate::time::SimTime;

/// The nodes of a converged ring, in the order given, members of one overlay. Each is to be
/// [started](crate::overlay::Dht::start). Takes O(N log N) time.
///
/// # Errors
/// When two have the same position.
pub fn converged(
    nodes: &[NodeRef],
    facts: &impl Facts,
    config: &Arc<Config>,
) -> Result<Vec<Chord>, SameId> {
    let positions: Vec<RingId> = nodes.iter().map(|&node| facts.contact(node).id).collect();
    // Places in `nodes`, by position.
    let mut order: Vec<u32> = (0..nodes.len() as u32).collect();
    order.sort_unstable_by_key(|&place| positions[place as usize]);
    let ring: Vec<(RingId, NodeRef)> =
        order.iter().map(|&place| (positions[place as usize], nodes[place as usize])).collect();
    if let Some(pair) = ring.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(SameId { id: pair[0].0, id_bits: config.id_bits });
    }
    let Some(&(eldest, _)) = ring.first() else { return Ok(Vec::new()) };
    let overlay = OverlayId::minted(eldest, SimTime::ZERO);
    let mut sweep = Sweep { ring: &ring, cursors: [0; 64] };
    let mut chords: Vec<Option<Chord>> = vec![None; nodes.len()];
    for (rank, &place) in order.iter().enumerate() {
        let mut chord = sweep.member(rank, config, facts);
        chord.identity = Some(overlay);
        chords[place as usize] = Some(chord);
    }
    Ok(chords.into_iter().map(|chord| chord.expect("every place has a rank")).collect())
}

/// Walks once around the ring; for each level a cursor runs ahead to the fingers, which never turn
/// back.
struct Sweep<'a> {
    ring: &'a [(RingId, NodeRef)],
    /// How far ahead of the present node each level's finger is, plus its rank: not reduced.
    cursors: [usize; 64],
}

impl Sweep<'_> {
    fn node(&self, rank: usize) -> (RingId, NodeRef) {
        self.ring[rank % self.ring.len()]
    }

    fn member(&mut self, rank: usize, config: &Arc<Config>, facts: &impl Facts) -> Chord {
        let size = self.ring.len();
        let (id, me) = self.ring[rank];
        let mut chord = Chord::new(me, id, Arc::clone(config));
        if size == 1 {
            return chord;
        }
        let listed = usize::from(config.successors).min(size - 1);
        let successors: SmallVec<[NodeRef; 4]> =
            (1..=listed).map(|ahead| self.node(rank + ahead).1).collect();
        let predecessor = self.node(rank + size - 1).1;
        chord.table.fill(Some(predecessor), successors.clone(), &[]);
        let first_level = chord.table.shortest_level(config, facts);
        let fingers: SmallVec<[_; 64]> =
            (first_level..64).map(|level| self.finger(rank, id, level)).collect();
        chord.table.fill(Some(predecessor), successors, &fingers);
        chord
    }

    /// The first node at least 2^level after this one; none if that is the node itself.
    fn finger(&mut self, rank: usize, id: RingId, level: u8) -> Option<NodeRef> {
        let size = self.ring.len();
        let mut cursor = self.cursors[usize::from(level)].max(rank + 1);
        while cursor < rank + size && id.distance_to(self.node(cursor).0) < 1 << level {
            cursor += 1;
        }
        self.cursors[usize::from(level)] = cursor;
        (cursor < rank + size).then(|| self.node(cursor).1)
    }
}
