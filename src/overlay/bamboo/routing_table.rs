//! The routing table: for each length of a common prefix and each next digit one node.

use crate::overlay::wire::NodeList;
use crate::overlay::{Facts, NodeRef, RingId};

/// An entry's place: its row, the number of digits in common, and its column, the next digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u16);

impl Place {
    const fn new(row: u8, column: u8) -> Self {
        Self(((row as u16) << 8) | column as u16)
    }

    /// The number of digits in common.
    pub(super) const fn row(self) -> u8 {
        (self.0 >> 8) as u8
    }
}

/// The routing table of one node. Only entries that are filled take room.
#[derive(Clone, Debug)]
pub(super) struct RoutingTable {
    id: RingId,
    digit_bits: u8,
    /// By place.
    entries: Vec<(Place, NodeRef)>,
}

impl RoutingTable {
    pub(super) fn new(id: RingId, digit_bits: u8) -> Self {
        Self { id, digit_bits, entries: Vec::new() }
    }

    /// How many digits a position shares with this node's.
    pub(super) fn common_digits(&self, id: RingId) -> u8 {
        common_digits(self.id, id, self.digit_bits)
    }

    /// Where a node of this position would stand; `None` if it has this node's own.
    pub(super) fn place_of(&self, id: RingId) -> Option<Place> {
        (id != self.id).then(|| {
            let row = self.common_digits(id);
            Place::new(row, digit(id, row, self.digit_bits))
        })
    }

    fn index(&self, place: Place) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&place, |&(at, _)| at)
    }

    /// The node of a place.
    pub(super) fn at(&self, place: Place) -> Option<NodeRef> {
        self.index(place).ok().map(|index| self.entries[index].1)
    }

    /// Enters a node, in place of another if it `beats` that. Another contact of the same position
    /// always makes room. Returns whether it is new here.
    pub(super) fn offer(
        &mut self,
        node: NodeRef,
        facts: &impl Facts,
        beats: impl FnOnce(NodeRef) -> bool,
    ) -> bool {
        let id = facts.contact(node).id;
        let Some(place) = self.place_of(id) else { return false };
        match self.index(place) {
            Ok(index) => {
                let (_, present) = &mut self.entries[index];
                let changes =
                    *present != node && (facts.contact(*present).id == id || beats(*present));
                if changes {
                    *present = node;
                }
                changes
            }
            Err(index) => {
                self.entries.insert(index, (place, node));
                true
            }
        }
    }

    /// Removes a node.
    pub(super) fn remove(&mut self, node: NodeRef) {
        self.entries.retain(|&(_, listed)| listed != node);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All entries, the shortest prefix first.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Place, NodeRef)> {
        self.entries.iter().copied()
    }

    /// The nodes that share so many digits with this one, and no more.
    pub(super) fn row(&self, row: u8) -> NodeList {
        self.entries().filter(|(place, _)| place.row() == row).map(|(_, node)| node).collect()
    }

    /// A position that stands in this row and is otherwise random.
    pub(super) fn random_position(&self, row: u8, bits: u64) -> RingId {
        let shared = u32::from(row) * u32::from(self.digit_bits);
        let kept = if shared == 0 { 0 } else { !(u64::MAX >> shared) };
        let id = RingId((self.id.0 & kept) | (bits & !kept));
        if self.common_digits(id) > row {
            // The same next digit: its highest bit, which every length of identifiers has, tells it
            // apart.
            return RingId(id.0 ^ (1 << (63 - shared)));
        }
        id
    }
}

/// How many leading digits two positions share; as many as there are when they are the same.
pub(super) fn common_digits(a: RingId, b: RingId, digit_bits: u8) -> u8 {
    (a.0 ^ b.0).leading_zeros() as u8 / digit_bits
}

/// The digit after so many; zeros follow a position.
fn digit(id: RingId, before: u8, digit_bits: u8) -> u8 {
    let rest = id.0 << (u32::from(digit_bits) * u32::from(before));
    (rest >> (64 - u32::from(digit_bits))) as u8
}
