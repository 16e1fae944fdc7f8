//! Whom a node knows: the nearest nodes (siblings), and buckets for the rest of the tree.
//!
//! Pure state: it asks the directory for positions, sends nothing. Bucket `level` holds contacts at
//! distances in [2^level, 2^(level + 1)), the longest known first: a contact that answers is never
//! given up for a newer one, which waits in the bucket's replacement cache (section 4.1 of the
//! paper). A contact stands either among the siblings or in its bucket.

use std::collections::BTreeMap;

use super::config::Config;
use crate::overlay::wire::NodeList;
use crate::overlay::{Facts, NodeRef, RingId};
use crate::time::SimTime;

/// The distance of two positions.
#[must_use]
pub const fn distance(a: RingId, b: RingId) -> u64 {
    a.0 ^ b.0
}

/// The level of another position's bucket; `None` for the same position.
#[must_use]
pub(super) const fn level(a: RingId, b: RingId) -> Option<u8> {
    match distance(a, b) {
        0 => None,
        d => Some(63 - d.leading_zeros() as u8),
    }
}

/// The routing state of one node.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) me: NodeRef,
    pub(super) id: RingId,
    /// The nearest first.
    siblings: Vec<Known>,
    buckets: BTreeMap<u8, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    node: NodeRef,
    /// Since the last refresh.
    heard: bool,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    contacts: Vec<Known>,
    /// The newest last.
    replacements: Vec<NodeRef>,
    /// When a look-up last went there.
    looked_up: SimTime,
}

impl Bucket {
    /// Enters a contact, or remembers it as a replacement.
    fn seen(&mut self, known: Known, config: &Config) {
        let place = self.contacts.iter_mut().find(|it| it.node == known.node);
        if let Some(place) = place {
            place.heard |= known.heard;
        } else if self.contacts.len() < usize::from(config.bucket_size) {
            self.replacements.retain(|&node| node != known.node);
            self.contacts.push(known);
        } else {
            self.replacements.retain(|&node| node != known.node);
            self.replacements.push(known.node);
            if self.replacements.len() > usize::from(config.replacements) {
                self.replacements.remove(0);
            }
        }
    }

    fn forget(&mut self, node: NodeRef) {
        self.replacements.retain(|&other| other != node);
        if let Some(place) = self.contacts.iter().position(|it| it.node == node) {
            self.contacts.remove(place);
            let newest = self.replacements.pop().map(|node| Known { node, heard: false });
            self.contacts.extend(newest);
        }
    }
}

impl Table {
    /// A node that knows nobody.
    pub(super) fn new(me: NodeRef, id: RingId) -> Self {
        Self { me, id, siblings: Vec::new(), buckets: BTreeMap::new() }
    }

    /// All contacts, without the replacements.
    fn contacts(&self) -> impl Iterator<Item = Known> {
        let in_buckets = self.buckets.values().flat_map(|bucket| &bucket.contacts);
        self.siblings.iter().chain(in_buckets).copied()
    }

    /// Whether it knows nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.contacts().next().is_none()
    }

    /// The nearest nodes, nearest first.
    #[cfg(test)]
    pub(super) fn siblings(&self) -> Vec<NodeRef> {
        self.siblings.iter().map(|known| known.node).collect()
    }

    /// All contacts, the siblings first, then bucket by bucket, the nearest one first.
    pub(super) fn known(&self) -> Vec<NodeRef> {
        self.contacts().map(|known| known.node).collect()
    }

    /// How many contacts there are.
    pub(super) fn count(&self) -> usize {
        self.contacts().count()
    }

    /// The nodes that are closest to a key, this one among them unless it is left out, the closest
    /// first.
    pub(super) fn closest(
        &self,
        key: RingId,
        count: usize,
        with_me: bool,
        facts: &impl Facts,
    ) -> NodeList {
        let me = with_me.then_some(self.me);
        let known = self.contacts().map(|known| known.node).chain(me);
        let mut near: Vec<(u64, NodeRef)> =
            known.map(|node| (distance(key, facts.contact(node).id), node)).collect();
        if near.len() > count && count > 0 {
            near.select_nth_unstable(count - 1);
            near.truncate(count);
        }
        near.sort_unstable();
        near.into_iter().map(|(_, node)| node).collect()
    }

    /// A node was heard of by its own message. Whether it is a new sibling.
    pub(super) fn seen(&mut self, node: NodeRef, config: &Config, facts: &impl Facts) -> bool {
        self.enter(Known { node, heard: true }, config, facts)
    }

    fn enter(&mut self, known: Known, config: &Config, facts: &impl Facts) -> bool {
        let position = facts.contact(known.node).id;
        let Some(level) = level(self.id, position).filter(|_| known.node != self.me) else {
            return false;
        };
        if let Some(place) = self.siblings.iter_mut().find(|it| it.node == known.node) {
            place.heard |= known.heard;
            return false;
        }
        let (id, far) = (self.id, distance(self.id, position));
        let at = self.siblings.partition_point(|it| distance(id, facts.contact(it.node).id) <= far);
        if at >= usize::from(config.siblings) {
            self.buckets.entry(level).or_default().seen(known, config);
            return false;
        }
        if let Some(bucket) = self.buckets.get_mut(&level) {
            bucket.forget(known.node);
        }
        self.siblings.insert(at, known);
        if self.siblings.len() > usize::from(config.siblings)
            && let Some(displaced) = self.siblings.pop()
        {
            self.enter(displaced, config, facts);
        }
        true
    }

    /// A node is gone. Whether it was a contact.
    pub(super) fn forget(&mut self, node: NodeRef, facts: &impl Facts) -> bool {
        let known = self.contacts().any(|it| it.node == node);
        if let Some(place) = self.siblings.iter().position(|it| it.node == node) {
            self.siblings.remove(place);
            self.promote(facts);
        } else if let Some(level) = level(self.id, facts.contact(node).id)
            && let Some(bucket) = self.buckets.get_mut(&level)
        {
            bucket.forget(node);
        }
        known
    }

    /// The nearest contact of the buckets becomes a sibling.
    fn promote(&mut self, facts: &impl Facts) {
        // The lowest bucket that holds any has the nearest of all.
        let Some(bucket) = self.buckets.values_mut().find(|bucket| !bucket.contacts.is_empty())
        else {
            return;
        };
        let id = self.id;
        let nearest = bucket.contacts.iter().copied();
        if let Some(nearest) = nearest.min_by_key(|it| distance(id, facts.contact(it.node).id)) {
            bucket.forget(nearest.node);
            let far = distance(id, facts.contact(nearest.node).id);
            let nearer = |it: &Known| distance(id, facts.contact(it.node).id) < far;
            let at = self.siblings.partition_point(nearer);
            self.siblings.insert(at, nearest);
        }
    }

    /// Begins a new round: who was not heard of in the last one.
    pub(super) fn unheard(&mut self) -> Vec<NodeRef> {
        let in_buckets = self.buckets.values_mut().flat_map(|bucket| &mut bucket.contacts);
        let all = self.siblings.iter_mut().chain(in_buckets);
        all.filter_map(|known| {
            let silent = !std::mem::replace(&mut known.heard, false);
            silent.then_some(known.node)
        })
        .collect()
    }

    /// A look-up goes to this key.
    pub(super) fn mark(&mut self, key: RingId, now: SimTime) {
        if let Some(level) = level(self.id, key) {
            self.buckets.entry(level).or_default().looked_up = now;
        }
    }

    /// The levels further away than the nearest contact, the furthest first, that no look-up went
    /// to since this time.
    pub(super) fn stale_levels(
        &self,
        since: SimTime,
        config: &Config,
        facts: &impl Facts,
    ) -> Vec<u8> {
        let Some(nearest) = self.siblings.first() else { return Vec::new() };
        let nearest = level(self.id, facts.contact(nearest.node).id).unwrap_or(0);
        let stale =
            |level: &u8| self.buckets.get(level).is_none_or(|bucket| bucket.looked_up <= since);
        (nearest.max(config.lowest_level())..64).rev().filter(stale).collect()
    }

    /// Enters a contact that another node has named.
    pub(super) fn hear_of(&mut self, node: NodeRef, config: &Config, facts: &impl Facts) {
        self.enter(Known { node, heard: false }, config, facts);
    }

    /// Fills in a contact of a table that is made as a whole; it counts as heard of.
    pub(super) fn fill(&mut self, node: NodeRef, config: &Config, facts: &impl Facts) {
        self.enter(Known { node, heard: true }, config, facts);
    }
}
