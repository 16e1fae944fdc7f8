//! Unordered bags of events, as chains of blocks from one pool.
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
