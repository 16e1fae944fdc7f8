//! What a node knows of the ring: predecessor, successor list, fingers.
//!
//! Pure state: it asks the directory for positions, sends nothing. Fingers are kept by *level*:
//! finger `j` is the node that follows `id + 2^j` on the 64-bit ring. Only the levels that can
//! differ from the successor are kept, about log2 N of them. The longest sixteen fill one line of
//! the cache inside the node, which is all that nearly every hop needs.

use smallvec::SmallVec;

use super::config::Config;
use super::message::{Best, NodeList};
use crate::overlay::{Facts, NodeRef, RingId};

/// The routing state of one node, in the order in which it is needed.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Table {
    pub(super) id: RingId,
    pub(super) me: NodeRef,
    pub(super) predecessor: Option<NodeRef>,
    successors: SmallVec<[NodeRef; 4]>,
    /// Fingers 63 to 48.
    longest: [Option<NodeRef>; LONGEST],
    /// Finger 47 and shorter ones, down to the shortest that differs from the successor.
    others: Box<[Option<NodeRef>]>,
}

const LONGEST: usize = 16;

/// The place of a level, counted from the longest finger.
#[inline]
const fn place_of(level: u8) -> usize {
    63 - level as usize
}

/// What the death of a node meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) predecessor: bool,
    pub(super) first_successor: bool,
    pub(super) last_successor: bool,
}

impl Table {
    /// A node that knows nobody.
    pub(super) fn new(me: NodeRef, id: RingId) -> Self {
        Self {
            id,
            me,
            predecessor: None,
            successors: SmallVec::new(),
            longest: [None; LONGEST],
            others: Box::default(),
        }
    }

    /// The next node, if there is another.
    #[inline]
    pub(super) fn successor(&self) -> Option<NodeRef> {
        self.successors.first().copied()
    }

    /// The successor list, nearest first.
    #[inline]
    pub(super) fn successors(&self) -> &[NodeRef] {
        &self.successors
    }

    /// The fingers that are known, shortest first.
    pub(super) fn fingers(&self) -> impl Iterator<Item = NodeRef> {
        self.others.iter().rev().chain(self.longest.iter().rev()).flatten().copied()
    }

    /// Reads from the fingers, so that they are in the cache soon; what is read means nothing.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        self.longest[0].map_or(0, NodeRef::index)
    }

    #[inline]
    fn distance(&self, node: NodeRef, facts: &impl Facts) -> u64 {
        self.id.distance_to(facts.contact(node).id)
    }

    /// The key's owner and those that follow it, if this node can say it: as the key's
    /// predecessor, or as its owner.
    #[inline]
    pub(super) fn owner_of(
        &self,
        key: RingId,
        config: &Config,
        facts: &impl Facts,
    ) -> Option<Best> {
        self.owner_around(key, &[], config, facts)
    }

    /// The same as if those that are silent were not in the successor list. Always inlined: where
    /// nobody is silent, for nearly every message, that costs nothing.
    #[inline(always)]
    pub(super) fn owner_around(
        &self,
        key: RingId,
        silent: &[NodeRef],
        config: &Config,
        facts: &impl Facts,
    ) -> Option<Best> {
        let listed = || self.successors.iter().copied().filter(|node| !silent.contains(node));
        let Some(successor) = listed().next() else {
            // Alone it owns every key; if all whom it knows are silent it can't say.
            return self.successors.is_empty().then_some([Some(self.me), None, None]);
        };
        if key.is_owned_by(self.id, facts.contact(successor).id) {
            // A list that is not full holds the whole ring, and this node follows its last.
            let whole_ring =
                silent.is_empty() && self.successors.len() < usize::from(config.successors);
            let mut nodes = listed().chain(whole_ring.then_some(self.me));
            return Some([nodes.next(), nodes.next(), nodes.next()]);
        }
        let predecessor = self.predecessor?;
        key.is_owned_by(facts.contact(predecessor).id, self.id).then(|| {
            let mut nodes = listed();
            [Some(self.me), nodes.next(), nodes.next()]
        })
    }

    /// Up to three nodes that precede the key, the closest first, as if those that are silent were
    /// in no table.
    #[inline]
    pub(super) fn closer(&self, key: RingId, silent: &[NodeRef], facts: &impl Facts) -> Best {
        // The whole turn, 2^64, minus one when the key is this node's own position.
        let limit = self.id.distance_to(key).wrapping_sub(1);
        let mut best: Best = [None; 3];
        let mut count = 0;
        let mut fingers = self.fingers_below(limit, facts).peekable();
        let mut from_list = self.listed_below(limit, facts);
        while count < best.len() {
            let listed = from_list.checked_sub(1).map(|i| self.successors[i]);
            let next = match (fingers.peek().copied(), listed) {
                (None, None) => break,
                (Some(finger), Some(listed))
                    if finger != listed
                        && self.distance(finger, facts) > self.distance(listed, facts) =>
                {
                    fingers.next();
                    finger
                }
                (Some(finger), None) => {
                    fingers.next();
                    finger
                }
                (_, Some(listed)) => {
                    from_list -= 1;
                    listed
                }
            };
            if !best.contains(&Some(next)) && !silent.contains(&next) {
                best[count] = Some(next);
                count += 1;
            }
        }
        best
    }

    /// The one node known that most closely precedes the key: the first of
    /// [`closer`](Table::closer), which a look-up that is forwarded needs alone.
    #[inline]
    pub(super) fn next_hop(&self, key: RingId, facts: &impl Facts) -> Option<NodeRef> {
        let limit = self.id.distance_to(key).wrapping_sub(1);
        let listed = self.listed_below(limit, facts).checked_sub(1).map(|i| self.successors[i]);
        let finger = self.finger_below(limit, facts);
        match (finger, listed) {
            (Some(finger), Some(listed))
                if self.distance(finger, facts) <= self.distance(listed, facts) =>
            {
                Some(listed)
            }
            (finger, listed) => finger.or(listed),
        }
    }

    /// The fingers at most so far away, farthest first, without repeats. A finger of level `j` is
    /// at least 2^j away, so the search begins at the limit's highest bit.
    #[inline]
    fn fingers_below<'a>(
        &'a self,
        limit: u64,
        facts: &'a impl Facts,
    ) -> impl Iterator<Item = NodeRef> + 'a {
        let mut last = None;
        let fingers = self.longest_from(limit).iter().chain(self.others_from(limit));
        fingers.flatten().copied().filter(move |&finger| {
            let fresh = last != Some(finger) && self.distance(finger, facts) <= limit;
            last = Some(finger);
            fresh
        })
    }

    /// The first of [`fingers_below`](Table::fingers_below).
    #[inline]
    fn finger_below(&self, limit: u64, facts: &impl Facts) -> Option<NodeRef> {
        let is_below = |finger: &NodeRef| self.distance(*finger, facts) <= limit;
        let mut longest = self.longest_from(limit).iter().flatten().copied();
        // Where the others are is not even looked at unless they are needed.
        longest
            .find(is_below)
            .or_else(|| self.others_from(limit).iter().flatten().copied().find(is_below))
    }

    /// Of the longest fingers, those that can be at most so far away.
    #[inline]
    fn longest_from(&self, limit: u64) -> &[Option<NodeRef>] {
        &self.longest[(limit.leading_zeros() as usize).min(LONGEST)..]
    }

    /// The same of the others.
    #[inline]
    fn others_from(&self, limit: u64) -> &[Option<NodeRef>] {
        let first = (limit.leading_zeros() as usize).saturating_sub(LONGEST);
        &self.others[first.min(self.others.len())..]
    }

    /// How many entries of the successor list are at most so far away.
    #[inline]
    fn listed_below(&self, limit: u64, facts: &impl Facts) -> usize {
        let mut count = self.successors.len();
        while count > 0 && self.distance(self.successors[count - 1], facts) > limit {
            count -= 1;
        }
        count
    }

    /// Takes over what its successor said: the successor's predecessor, if that lies between, the
    /// successor, the successor's list. Returns whether the list changed.
    pub(super) fn adopt(
        &mut self,
        successor: NodeRef,
        its_predecessor: Option<NodeRef>,
        its_list: &[NodeRef],
        length: u8,
        facts: &impl Facts,
    ) -> bool {
        let end = facts.contact(successor).id;
        let between = its_predecessor
            .filter(|&node| node != self.me && facts.contact(node).id.is_between(self.id, end));
        let mut list: NodeList = SmallVec::new();
        let theirs = its_list.iter().copied().take_while(|&node| node != self.me);
        for node in between.into_iter().chain([successor]).chain(theirs) {
            if list.len() < usize::from(length) && !list.contains(&node) {
                list.push(node);
            }
        }
        if list[..] == self.successors[..] {
            return false;
        }
        self.successors = SmallVec::from_slice(&list);
        true
    }

    /// Puts a node before the successor list if it lies before the present successor. Returns
    /// whether it does.
    pub(super) fn offer_successor(
        &mut self,
        node: NodeRef,
        length: u8,
        facts: &impl Facts,
    ) -> bool {
        if node == self.me {
            return false;
        }
        if let Some(successor) = self.successor() {
            let end = facts.contact(successor).id;
            if node == successor || !facts.contact(node).id.is_between(self.id, end) {
                return false;
            }
        }
        self.successors.retain(|listed| *listed != node);
        self.successors.insert(0, node);
        self.successors.truncate(usize::from(length));
        true
    }

    /// Whether a node of this position would be the predecessor.
    pub(super) fn precedes(&self, id: RingId, facts: &impl Facts) -> bool {
        self.predecessor.is_none_or(|now| id.is_between(facts.contact(now).id, self.id))
    }

    /// Removes a node everywhere.
    pub(super) fn forget(&mut self, node: NodeRef) -> Loss {
        let mut loss = Loss {
            first_successor: self.successor() == Some(node),
            predecessor: self.predecessor == Some(node),
            last_successor: false,
        };
        if loss.predecessor {
            self.predecessor = None;
        }
        let had_successors = !self.successors.is_empty();
        self.successors.retain(|listed| *listed != node);
        loss.last_successor = had_successors && self.successors.is_empty();
        for finger in self.longest.iter_mut().chain(&mut self.others) {
            if *finger == Some(node) {
                *finger = None;
            }
        }
        loss
    }

    /// Everything that it knows at this endpoint.
    pub(super) fn known_at<'a>(
        &'a self,
        endpoint: crate::address::Endpoint,
        facts: &'a impl Facts,
    ) -> impl Iterator<Item = NodeRef> + 'a {
        self.predecessor
            .into_iter()
            .chain(self.successors.iter().copied())
            .chain(self.fingers())
            .filter(move |&node| facts.contact(node).endpoint == endpoint)
    }

    /// The level of the shortest finger that differs from the successor, 64 if none does.
    pub(super) fn shortest_level(&self, config: &Config, facts: &impl Facts) -> u8 {
        // 2^j beyond here lies after the successor exactly if 2^j exceeds its distance.
        let bits = |node| 64 - self.distance(node, facts).leading_zeros() as u8;
        self.successor().map_or(64, bits).max(config.lowest_level())
    }

    /// Keeps fingers from this level on and forgets shorter ones.
    pub(super) fn fit_fingers(&mut self, first_level: u8) {
        let kept = 64 - usize::from(first_level);
        self.longest[kept.min(LONGEST)..].fill(None);
        let others = kept.saturating_sub(LONGEST);
        if others != self.others.len() {
            let known = |place| self.others.get(place).copied().flatten();
            self.others = (0..others).map(known).collect();
        }
    }

    /// Enters a finger; one that equals the successor, or this node, is none.
    pub(super) fn set_finger(&mut self, level: u8, node: NodeRef) {
        let trivial = node == self.me || self.successor() == Some(node);
        let finger = (!trivial).then_some(node);
        let place = place_of(level);
        if place < LONGEST {
            self.longest[place] = finger;
            return;
        }
        if place - LONGEST >= self.others.len() {
            if trivial {
                return;
            }
            self.fit_fingers(level);
        }
        self.others[place - LONGEST] = finger;
    }

    /// Takes a whole state at once: a converged start. `fingers` are the longest, the longest last.
    pub(super) fn fill(
        &mut self,
        predecessor: Option<NodeRef>,
        successors: SmallVec<[NodeRef; 4]>,
        fingers: &[Option<NodeRef>],
    ) {
        *self = Self::new(self.me, self.id);
        (self.predecessor, self.successors) = (predecessor, successors);
        self.fit_fingers(64 - fingers.len() as u8);
        for (place, &finger) in fingers.iter().rev().enumerate() {
            match place.checked_sub(LONGEST) {
                None => self.longest[place] = finger,
                Some(place) => self.others[place] = finger,
            }
        }
    }
}
