//! The queue of pending events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sim::Event;
use crate::time::{SimDuration, SimTime};

/// Pending events, smallest [key](Event::key) first.
#[derive(Debug)]
pub struct Queue<I> {
    heap: BinaryHeap<Reverse<Event<I>>>,
}

impl<I: Copy> Queue<I> {
    /// An empty queue whose innermost slots are `tick` wide.
    #[must_use]
    pub fn new(_tick: SimDuration) -> Self {
        Self { heap: BinaryHeap::new() }
    }

    /// Adds an event, which must not lie before the last one popped.
    pub fn push(&mut self, event: Event<I>) {
        self.heap.push(Reverse(event));
    }

    /// Takes the first event if it happens no later than `limit`.
    pub fn pop_until(&mut self, limit: SimTime) -> Option<Event<I>> {
        if self.heap.peek()?.0.at > limit {
            return None;
        }
        self.heap.pop().map(|Reverse(event)| event)
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The event that comes `n` places after the next one, if it is known already: a hint, for
    /// touching memory ahead of its use.
    #[must_use]
    pub fn upcoming(&self, _n: usize) -> Option<&Event<I>> {
        None
    }
}
