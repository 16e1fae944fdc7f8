//! Who owns a key, by the plug-in's rule and the full list of members: for whoever judges look-ups.

use std::collections::BTreeSet;

use super::Kind;
use crate::overlay::RingId;

impl Kind {
    /// The position of these that owns the key; `None` if there are none.
    #[must_use]
    pub fn owner_of(self, key: RingId, members: &BTreeSet<RingId>) -> Option<RingId> {
        let after = members.range(key..).chain(members).next().copied()?;
        match self {
            Self::Chord => Some(after),
            Self::Bamboo => {
                let before =
                    members.range(..key).next_back().or_else(|| members.last()).copied()?;
                [after, before].into_iter().min_by_key(|&id| self.distance(key, id))
            }
            Self::Kademlia => Some(closest_by_prefix(key, members)),
        }
    }

    /// How far a position is from a key: the nearest owns it.
    fn distance(self, key: RingId, id: RingId) -> (u64, u64) {
        let ahead = key.distance_to(id);
        match self {
            Self::Chord => (ahead, 0),
            // The shorter way around; of two that are equally far the one that follows.
            Self::Bamboo => (ahead.min(ahead.wrapping_neg()), ahead),
            Self::Kademlia => (key.0 ^ id.0, 0),
        }
    }
}

/// Bit by bit into the half of the tree that the key is in, or if that is empty into the other.
fn closest_by_prefix(key: RingId, members: &BTreeSet<RingId>) -> RingId {
    let mut first = 0u64;
    for bit in (0..64).rev().map(|level| 1u64 << level) {
        let half = first | (key.0 & bit);
        let is_empty = members.range(RingId(half)..=RingId(half | (bit - 1))).next().is_none();
        first = if is_empty { half ^ bit } else { half };
    }
    RingId(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix2;

    /// Against looking through all of them.
    #[test]
    fn the_owner_is_the_nearest() {
        for kind in Kind::ALL {
            assert_eq!(kind.owner_of(RingId(1), &BTreeSet::new()), None);
            for (n, shift) in [(1, 0), (2, 0), (3, 60), (40, 0), (40, 56)] {
                let members: BTreeSet<RingId> =
                    (0..n).map(|i| RingId(mix2(i, n) >> shift << shift)).collect();
                let on_one = members.first().copied();
                for key in (0..100).map(|i| RingId(mix2(i, 77))).chain(on_one) {
                    let nearest = members.iter().copied().min_by_key(|&id| kind.distance(key, id));
                    assert_eq!(kind.owner_of(key, &members), nearest, "{kind:?} {n} {key}");
                }
            }
        }
    }
}
