//! The events that come next, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sim::Event;

/// How many events an insertion may move aside: 64 of 48 bytes are three kilobytes, about what the
/// heap's own path costs.
const SHIFT: usize = 64;

/// The sorted current tick. What is pushed into it later is inserted where it belongs if that is
/// near one of the ends, and else waits in a heap, so that a tick in which very much happens
/// doesn't cost the square of it.
#[derive(Debug)]
pub(super) struct Front<I> {
    /// Ascending from `head` on; what stands before is spent.
    sorted: Vec<Event<I>>,
    head: usize,
    late: BinaryHeap<Reverse<Event<I>>>,
}

impl<I: Copy> Front<I> {
    pub(super) fn new() -> Self {
        Self { sorted: Vec::new(), head: 0, late: BinaryHeap::new() }
    }

    /// How many of the sorted events are left.
    #[inline]
    pub(super) fn sorted_len(&self) -> usize {
        self.sorted.len() - self.head
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Event<I>> {
        let sorted = self.sorted.get(self.head);
        if self.late.is_empty() {
            return sorted;
        }
        let late = self.late.peek().map(|Reverse(event)| event);
        match (sorted, late) {
            (Some(a), Some(b)) if a.key() < b.key() => sorted,
            _ => late,
        }
    }

    /// Up to `count` sorted events, after the next `skip` of them.
    #[inline]
    pub(super) fn upcoming(&self, skip: usize, count: usize) -> &[Event<I>] {
        let start = (self.head + skip).min(self.sorted.len());
        let end = (start + count).min(self.sorted.len());
        &self.sorted[start..end]
    }

    /// Takes the event that [`Front::first`] shows.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Event<I>> {
        let event = *self.first()?;
        if !self.late.is_empty() && self.late.peek().is_some_and(|Reverse(late)| *late == event) {
            self.late.pop();
        } else {
            self.head += 1;
        }
        Some(event)
    }

    /// Adds one event anywhere.
    #[inline]
    pub(super) fn insert(&mut self, event: Event<I>) {
        let live = &self.sorted[self.head..];
        let key = event.key();
        if live.last().is_none_or(|last| last.key() < key) {
            return self.sorted.push(event);
        }
        let position = self.head + live.partition_point(|other| other.key() < key);
        let (before, after) = (position - self.head, self.sorted.len() - position);
        if self.head > 0 && before < after && before <= SHIFT {
            self.sorted.copy_within(self.head..position, self.head - 1);
            self.head -= 1;
            self.sorted[position - 1] = event;
        } else if after <= SHIFT {
            self.sorted.insert(position, event);
        } else {
            self.late.push(Reverse(event));
        }
    }

    /// Makes room for a tick that comes after everything sorted; spent places are given up.
    #[inline]
    pub(super) fn begin_tick(&mut self) -> usize {
        if self.head == self.sorted.len() {
            self.sorted.clear();
        } else {
            self.sorted.copy_within(self.head.., 0);
            self.sorted.truncate(self.sorted.len() - self.head);
        }
        self.head = 0;
        self.sorted.len()
    }

    /// Adds events of the new tick, in any order.
    #[inline]
    pub(super) fn extend(&mut self, events: &[Event<I>]) {
        self.sorted.extend_from_slice(events);
    }

    /// Sorts what was added since [`Front::begin_tick`] returned `start`.
    #[inline]
    pub(super) fn end_tick(&mut self, start: usize) {
        self.sorted[start..].sort_unstable_by_key(Event::key);
    }
}
