//! The leaf set: the nodes that follow and precede a node on the ring.
//!
//! A node of a small ring stands on both sides; that is how a leaf set shows that it holds the
//! whole ring. Pure state: it asks the directory for positions, sends nothing.

use smallvec::SmallVec;

use crate::overlay::wire::NodeList;
use crate::overlay::{Facts, NodeRef, RingId};

/// The neighbours of one node on the ring.
#[derive(Clone, Debug)]
pub(super) struct LeafSet {
    pub(super) id: RingId,
    pub(super) me: NodeRef,
    /// The most on one side.
    half: u8,
    /// Clockwise, the nearest first.
    after: SmallVec<[NodeRef; 4]>,
    /// The other way.
    before: SmallVec<[NodeRef; 4]>,
}

/// How close a position is to a key: the shorter way around; of two that are equally far the one
/// that follows the key is closer.
pub(super) fn closeness(key: RingId, id: RingId) -> (u64, u64) {
    let ahead = key.distance_to(id);
    (ahead.min(ahead.wrapping_neg()), ahead)
}

impl LeafSet {
    /// A node that knows nobody.
    pub(super) fn new(me: NodeRef, id: RingId, half: u8) -> Self {
        Self { id, me, half, after: SmallVec::new(), before: SmallVec::new() }
    }

    /// Those that follow, nearest first.
    pub(super) fn after(&self) -> &[NodeRef] {
        &self.after
    }

    /// The one that precedes.
    pub(super) fn predecessor(&self) -> Option<NodeRef> {
        self.before.first().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.after.is_empty() && self.before.is_empty()
    }

    pub(super) fn contains(&self, node: NodeRef) -> bool {
        self.after.contains(&node) || self.before.contains(&node)
    }

    /// Each once, from both sides in turn, the nearest first.
    pub(super) fn nodes(&self) -> NodeList {
        let mut nodes = NodeList::new();
        for rank in 0..self.after.len().max(self.before.len()) {
            for node in [self.after.get(rank), self.before.get(rank)].into_iter().flatten() {
                if !nodes.contains(node) {
                    nodes.push(*node);
                }
            }
        }
        nodes
    }

    /// Takes a node that is alive. Returns whether it is new here. Another contact of the same
    /// position is an earlier address of the same host: it makes room.
    pub(super) fn insert(&mut self, node: NodeRef, facts: &impl Facts) -> bool {
        let position = facts.contact(node).id;
        if position == self.id || self.contains(node) {
            return false;
        }
        let (id, half) = (self.id, usize::from(self.half));
        let mut is_new = false;
        let clockwise = |node: NodeRef| id.distance_to(facts.contact(node).id);
        let backwards = |node: NodeRef| facts.contact(node).id.distance_to(id);
        is_new |= insert_side(&mut self.after, node, half, clockwise);
        is_new |= insert_side(&mut self.before, node, half, backwards);
        is_new
    }

    /// Whether there would be room for it.
    pub(super) fn has_room_for(&self, node: NodeRef, facts: &impl Facts) -> bool {
        let position = facts.contact(node).id;
        if position == self.id || self.contains(node) {
            return false;
        }
        let half = usize::from(self.half);
        let ahead = self.id.distance_to(position);
        let fits = |side: &[NodeRef], distance: u64, of: &dyn Fn(RingId) -> u64| {
            side.len() < half
                || side.last().is_some_and(|&last| distance < of(facts.contact(last).id))
        };
        fits(&self.after, ahead, &|other| self.id.distance_to(other))
            || fits(&self.before, ahead.wrapping_neg(), &|other| other.distance_to(self.id))
    }

    /// Removes a node. Returns whether it was here. Who is left stands on both sides as far as there
    /// is room: in a small ring that is right, in a large one it lasts until nearer ones are known.
    pub(super) fn remove(&mut self, node: NodeRef, facts: &impl Facts) -> bool {
        if !self.contains(node) {
            return false;
        }
        let left = self.nodes().into_iter().filter(|&listed| listed != node);
        let mut fresh = Self::new(self.me, self.id, self.half);
        left.for_each(|listed| {
            fresh.insert(listed, facts);
        });
        *self = fresh;
        true
    }

    /// Whether the key lies among the leaves, so that the closest of them is the owner.
    pub(super) fn covers(&self, key: RingId, facts: &impl Facts) -> bool {
        let wraps = self.after.iter().any(|node| self.before.contains(node));
        if wraps || self.is_empty() {
            return true;
        }
        let end = |side: &[NodeRef]| side.last().map_or(self.id, |&node| facts.contact(node).id);
        let (first, last) = (end(&self.before), end(&self.after));
        first.distance_to(key) <= first.distance_to(last)
    }

    /// The `count` nodes closest to the key, this one included, closest first.
    pub(super) fn closest(&self, key: RingId, count: usize, facts: &impl Facts) -> NodeList {
        let mut nodes = self.nodes();
        nodes.push(self.me);
        nodes.sort_by_key(|&node| closeness(key, facts.contact(node).id));
        nodes.truncate(count);
        nodes
    }
}

fn insert_side(
    side: &mut SmallVec<[NodeRef; 4]>,
    node: NodeRef,
    most: usize,
    distance: impl Fn(NodeRef) -> u64,
) -> bool {
    let own = distance(node);
    let at = side.partition_point(|&listed| distance(listed) < own);
    if side.get(at).is_some_and(|&listed| distance(listed) == own) {
        side[at] = node;
        return true;
    }
    if at >= most {
        return false;
    }
    side.insert(at, node);
    side.truncate(most);
    true
}
