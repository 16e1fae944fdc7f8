//! The overlay repository (paper, Fig. 3): the overlay that a node is configured for, by its domain
//! name, and the members that it remembers from before. It is kept on disk: a host that restarts
//! finds it as it was.
//!
//! A remembered member may be gone, or have another address by now. What is remembered longest is
//! forgotten first.

use crate::overlay::NodeRef;
use crate::rng::Dice;

/// How many members a node remembers: as many as a user agent would write to a small file.
const CAPACITY: usize = 16;

/// The members that a node remembers: one word, which each of a million nodes carries.
#[derive(Clone, Debug, Default)]
pub struct OverlayRepository {
    /// The one remembered last stands last, after it nobody; no member stands twice.
    peers: Option<Box<[Option<NodeRef>; CAPACITY]>>,
}

impl OverlayRepository {
    /// A repository with these members, such as a user agent is shipped with.
    #[must_use]
    pub fn with_peers(peers: impl IntoIterator<Item = NodeRef>) -> Self {
        let mut repository = Self::default();
        for peer in peers {
            repository.remember(peer);
        }
        repository
    }

    /// Remembers a member.
    pub fn remember(&mut self, peer: NodeRef) {
        let peers = self.peers.get_or_insert_default();
        let end = peers.iter().position(Option::is_none).unwrap_or(CAPACITY);
        // It moves behind the others, in the place of itself, of nobody, or of the oldest.
        let known = peers[..end].iter().position(|&known| known == Some(peer));
        match known.or_else(|| (end == CAPACITY).then_some(0)) {
            Some(place) => {
                peers[place..end].rotate_left(1);
                peers[end - 1] = Some(peer);
            }
            None => peers[end] = Some(peer),
        }
    }

    fn peers(&self) -> impl Iterator<Item = NodeRef> {
        self.peers.iter().flat_map(|peers| peers.iter().flatten().copied())
    }

    /// How many members it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.peers().count()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members remembered, in random order, without the node itself.
    #[must_use]
    pub fn candidates(&self, me: NodeRef, dice: &mut Dice) -> Vec<NodeRef> {
        let mut peers: Vec<NodeRef> = self.peers().filter(|&peer| peer != me).collect();
        for last in (1..peers.len()).rev() {
            peers.swap(last, dice.below(last + 1));
        }
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Draws, NameHash, Purpose};

    #[test]
    fn the_oldest_is_forgotten_and_nobody_is_remembered_twice() {
        let mut repository = OverlayRepository::with_peers((0..20).map(NodeRef::new));
        repository.remember(NodeRef::new(7));
        let mut dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("alice"));
        let mut peers = repository.candidates(NodeRef::new(9), &mut dice);
        peers.sort_unstable();
        // Of 0 … 19 the last sixteen remain, 4 … 19; 9 is the node itself.
        let expected: Vec<NodeRef> = (4..20).filter(|&n| n != 9).map(NodeRef::new).collect();
        assert_eq!(peers, expected);
    }
}
