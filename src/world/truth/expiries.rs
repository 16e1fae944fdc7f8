//! What every cache has: entries that expire unless they are replaced before, and record sets that
//! are held so and so often.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::validity::SetId;
use crate::time::SimTime;

/// When the entry of each of several caches expires; each holds one entry at most.
#[derive(Debug)]
pub(super) struct Expiries {
    agenda: BinaryHeap<Reverse<(SimTime, u32, u32)>>,
    /// Counts the entries of each cache, so that the expiry of a replaced one is told.
    generations: Vec<u32>,
}

impl Expiries {
    /// So many caches, all empty.
    pub(super) fn new(caches: u32) -> Self {
        Self { agenda: BinaryHeap::new(), generations: vec![0; caches as usize] }
    }

    /// The cache is empty.
    pub(super) fn clear(&mut self, cache: u32) {
        let generation = &mut self.generations[cache as usize];
        *generation = generation.wrapping_add(1);
    }

    /// The cache has an entry that expires then.
    pub(super) fn set(&mut self, cache: u32, at: SimTime) {
        self.clear(cache);
        self.agenda.push(Reverse((at, cache, self.generations[cache as usize])));
    }

    /// When the next entry may expire; `MAX` if there is none.
    pub(super) fn next(&self) -> SimTime {
        self.agenda.peek().map_or(SimTime::MAX, |&Reverse((at, _, _))| at)
    }

    /// Takes the next expiry off; `None` when its entry was replaced before.
    pub(super) fn take(&mut self) -> Option<(SimTime, u32)> {
        let Reverse((at, cache, generation)) = self.agenda.pop()?;
        (self.generations[cache as usize] == generation).then_some((at, cache))
    }
}

/// How many caches hold each set.
#[derive(Debug, Default)]
pub(super) struct Holders(Vec<u64>);

impl Holders {
    pub(super) fn of(&self, set: SetId) -> u64 {
        self.0.get(set.index()).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, set: SetId) {
        if self.0.len() <= set.index() {
            self.0.resize(set.index() + 1, 0);
        }
        self.0[set.index()] += 1;
    }

    /// One fewer; there must be one.
    pub(super) fn remove(&mut self, set: SetId) {
        self.0[set.index()] -= 1;
    }
}
