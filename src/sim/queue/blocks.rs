//! Unordered bags of events, and one in the order of its events, as chains of blocks from one pool.
//!
//! A slot of the wheel is filled at one end and emptied as a whole, so a chain needs neither an
//! order nor a way into its middle. Blocks that a chain gives up are the next to be used again,
//! while they are still in the cache; the pool never grows beyond the largest number of blocks that
//! were in use at one time.

/// Events in a block: 16 events of 48 bytes fill twelve lines of the cache. A slot that is far away
/// takes a block at once and fills it slowly, so large blocks grow cold.
pub(super) const BLOCK: usize = 16;

const NONE: u32 = u32::MAX;

/// The blocks of one slot. Only the first can have room left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u32,
    /// Events in the first block.
    used: u32,
}

impl Chain {
    pub(super) const EMPTY: Self = Self { first: NONE, used: BLOCK as u32 };

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.first == NONE
    }

    /// Events in the first block of a chain that has one.
    #[inline]
    pub(super) fn first_len(self) -> usize {
        self.used as usize
    }
}

/// Events that are taken in the order in which they were added: a chain of blocks that grows at its
/// end.
#[derive(Debug)]
pub(super) struct Lane {
    first: u32,
    /// Events of the first block that have been taken.
    taken: u32,
    last: u32,
    /// Events in the last block.
    used: u32,
}

impl Lane {
    pub(super) const EMPTY: Self = Self { first: NONE, taken: 0, last: NONE, used: BLOCK as u32 };
}

/// The memory of all chains.
#[derive(Debug)]
pub(super) struct Pool<E> {
    events: Vec<E>,
    /// For each block, the next one in its chain or in the list of free blocks.
    next: Vec<u32>,
    free: u32,
}

impl<E: Copy + Default> Pool<E> {
    pub(super) fn new() -> Self {
        Self { events: Vec::new(), next: Vec::new(), free: NONE }
    }

    /// Adds an event to a chain and says where it is now.
    #[inline(always)]
    pub(super) fn push(&mut self, chain: &mut Chain, event: E) -> u32 {
        if chain.used as usize == BLOCK {
            let block = self.allocate();
            self.next[block as usize] = chain.first;
            *chain = Chain { first: block, used: 0 };
        }
        let place = chain.first * BLOCK as u32 + chain.used;
        self.events[place as usize] = event;
        chain.used += 1;
        place
    }

    /// Adds an event to a lane.
    #[inline(always)]
    pub(super) fn append(&mut self, lane: &mut Lane, event: E) {
        if lane.used as usize == BLOCK {
            let block = self.allocate();
            self.next[block as usize] = NONE;
            match lane.last {
                NONE => (lane.first, lane.taken) = (block, 0),
                last => self.next[last as usize] = block,
            }
            (lane.last, lane.used) = (block, 0);
        }
        self.events[lane.last as usize * BLOCK + lane.used as usize] = event;
        lane.used += 1;
    }

    /// The next events of a lane, and where they begin: none if it is empty.
    #[inline]
    pub(super) fn head(&self, lane: &Lane) -> (u32, &[E]) {
        if lane.first == NONE {
            return (0, &[]);
        }
        let block = lane.first * BLOCK as u32;
        let end = block + if lane.first == lane.last { lane.used } else { BLOCK as u32 };
        let start = block + lane.taken;
        (start, &self.events[start as usize..end as usize])
    }

    /// Takes so many of the [next events](Self::head) of a lane. They stay where they are: a block
    /// of which all is taken goes to the chain, and is freed with that.
    #[inline]
    pub(super) fn pass(&mut self, lane: &mut Lane, count: usize, spent: &mut Chain) {
        lane.taken += count as u32;
        if lane.taken as usize == BLOCK {
            let block = lane.first as usize;
            (lane.first, lane.taken) = (self.next[block], 0);
            if lane.first == NONE {
                *lane = Lane::EMPTY;
            }
            // A full block stands behind one that may have room left.
            if spent.is_empty() {
                self.next[block] = NONE;
                *spent = Chain { first: block as u32, used: BLOCK as u32 };
            } else {
                self.next[block] = self.next[spent.first as usize];
                self.next[spent.first as usize] = block as u32;
            }
        }
    }

    /// The event at a place.
    #[inline]
    pub(super) fn get(&self, place: usize) -> &E {
        &self.events[place]
    }

    /// The events of the chain's first block, and where they begin.
    #[inline]
    pub(super) fn first(&self, chain: Chain) -> (u32, &[E]) {
        let start = chain.first * BLOCK as u32;
        (start, &self.events[start as usize..(start + chain.used) as usize])
    }

    /// What remains of a chain after its first block.
    #[inline]
    pub(super) fn after_first(&self, chain: Chain) -> Chain {
        Chain { first: self.next[chain.first as usize], used: BLOCK as u32 }
    }

    /// Frees all blocks of a chain.
    #[inline]
    pub(super) fn release(&mut self, mut chain: Chain) {
        while !chain.is_empty() {
            chain = self.release_first(chain);
        }
    }

    /// One event of the chain's first block; `index` is below [`Chain::first_len`].
    #[inline]
    pub(super) fn at(&self, chain: Chain, index: usize) -> &E {
        &self.events[chain.first as usize * BLOCK + index]
    }

    /// Frees the chain's first block and returns what remains of the chain.
    #[inline]
    pub(super) fn release_first(&mut self, chain: Chain) -> Chain {
        let rest = self.next[chain.first as usize];
        self.next[chain.first as usize] = self.free;
        self.free = chain.first;
        Chain { first: rest, used: BLOCK as u32 }
    }

    /// Blocks that exist, free or not.
    #[cfg(test)]
    pub(super) fn blocks(&self) -> usize {
        self.next.len()
    }

    /// A block from the free list, or a new one.
    #[inline]
    fn allocate(&mut self) -> u32 {
        if self.free != NONE {
            let block = self.free;
            self.free = self.next[block as usize];
            return block;
        }
        self.grow()
    }

    #[cold]
    fn grow(&mut self) -> u32 {
        let places = u32::try_from(self.events.len() + BLOCK);
        assert!(places.is_ok(), "fewer than 2^32 events wait");
        let block = self.next.len() as u32;
        self.next.push(NONE);
        self.events.resize(self.events.len() + BLOCK, E::default());
        block
    }
}
