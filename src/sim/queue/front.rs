//! The events that come next, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::blocks::{Chain, Lane, Pool};
use crate::sim::Event;
use crate::time::SimTime;

/// How many entries an insertion may move aside: 256 of them are two kilobytes, about what the
/// heap's own path costs.
const SHIFT: usize = 256;

const BUCKET_BITS: u32 = 6;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// With fewer or more entries, buckets don't pay; and many may be of one instant.
const FEW: usize = 12;
const MANY: usize = 2 * BUCKETS;

/// The current tick. Its events stay where they are in the pool; what is sorted is eight octets for
/// each: the upper half of an entry says how far into the tick the event lies, the lower half where
/// it is. Entries with the same upper half are in the order of [`Event::key`].
///
/// What is pushed into the tick later is inserted where it belongs if that is near one of the
/// ends, and else waits in a heap, so that a tick in which very much happens doesn't cost the
/// square of it.
#[derive(Debug)]
pub(super) struct Front {
    /// The events of the tick, spent ones included.
    chain: Chain,
    /// Ascending from `head` on; what stands before is spent.
    order: Vec<u64>,
    head: usize,
    /// Room for sorting.
    dealt: Vec<u64>,
    /// The entries of the lane's events.
    run: Vec<u64>,
    /// Where the batch ends that was shown last.
    shown: usize,
    late: BinaryHeap<Reverse<(u128, u32)>>,
    /// When the tick begins, in nanoseconds.
    start: u64,
    /// The unit of the upper halves, as a power of two: a wide tick does not fit 32 bits.
    unit: u32,
}

impl Front {
    pub(super) fn new() -> Self {
        Self {
            chain: Chain::EMPTY,
            order: Vec::new(),
            head: 0,
            dealt: Vec::new(),
            run: Vec::new(),
            shown: 0,
            late: BinaryHeap::new(),
            start: 0,
            unit: 0,
        }
    }

    /// Whether nothing is left of the tick.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == self.order.len() && self.late.is_empty()
    }

    /// How many of the sorted events are left.
    #[cfg(test)]
    pub(super) fn sorted_len(&self) -> usize {
        self.order.len() - self.head
    }

    /// Whether the batch that was shown last is spent.
    #[inline]
    pub(super) fn is_batch_spent(&self) -> bool {
        self.head >= self.shown
    }

    /// Up to `count` of the sorted events that come next, as places in the pool.
    #[inline]
    pub(super) fn batch(&mut self, count: usize) -> impl Iterator<Item = usize> {
        let end = (self.head + count).min(self.order.len());
        // What comes from the heap is not shown: each event has to be compared with that first.
        self.shown = if self.late.is_empty() { end } else { self.head };
        self.order[self.head..end].iter().map(|&entry| place(entry))
    }

    /// The place of the first event, if it is of the batch that was shown last.
    #[inline(always)]
    pub(super) fn shown(&self) -> Option<usize> {
        let is_shown = self.head < self.shown;
        self.order.get(self.head).filter(|_| is_shown).map(|&entry| place(entry))
    }

    /// Takes the first of the sorted events.
    #[inline(always)]
    pub(super) fn pass(&mut self) {
        self.head += 1;
    }

    /// Takes the first event, sorted or from the heap, unless it happens after `limit`.
    pub(super) fn take<I: Copy + Default>(
        &mut self,
        pool: &Pool<Event<I>>,
        limit: SimTime,
    ) -> Option<usize> {
        let sorted = self.order.get(self.head).map(|&entry| place(entry));
        let late = self.late.peek().map(|&Reverse((key, late))| (key, late as usize));
        let first = match (sorted, late) {
            (Some(sorted), Some((key, _))) if pool.get(sorted).key() < key => sorted,
            (_, Some((_, late))) => late,
            (sorted, None) => sorted?,
        };
        if pool.get(first).at > limit {
            return None;
        }
        if sorted == Some(first) {
            self.head += 1;
        } else {
            self.late.pop();
        }
        Some(first)
    }

    /// When the first of the sorted events happens.
    pub(super) fn first<I: Copy + Default>(&self, pool: &Pool<Event<I>>) -> Option<SimTime> {
        self.order.get(self.head).map(|&entry| pool.get(place(entry)).at)
    }

    /// Where events of the tick are put that come late; each is then to be
    /// [inserted](Front::insert).
    #[inline]
    pub(super) fn chain_mut(&mut self) -> &mut Chain {
        &mut self.chain
    }

    /// Puts an event into the order, anywhere, and says when it happens.
    pub(super) fn insert<I: Copy + Default>(
        &mut self,
        pool: &Pool<Event<I>>,
        late: u32,
    ) -> SimTime {
        let event = pool.get(late as usize);
        let (entry, key) = (scale(self.start, self.unit)(event.at.as_nanos(), late), event.key());
        let precedes = |other: u64| match (other >> 32).cmp(&(entry >> 32)) {
            std::cmp::Ordering::Equal => pool.get(place(other)).key() < key,
            order => order.is_lt(),
        };
        self.insert_entry(entry, key, late, precedes);
        if !self.late.is_empty() {
            // From here on each event has to be compared with those of the heap.
            self.shown = self.head;
        }
        event.at
    }

    fn insert_entry(&mut self, entry: u64, key: u128, late: u32, precedes: impl Fn(u64) -> bool) {
        let live = &self.order[self.head..];
        if live.last().is_none_or(|&last| precedes(last)) {
            return self.order.push(entry);
        }
        let position = self.head + live.partition_point(|&other| precedes(other));
        let (before, after) = (position - self.head, self.order.len() - position);
        if self.head > 0 && before < after && before <= SHIFT {
            self.order.copy_within(self.head..position, self.head - 1);
            self.head -= 1;
            self.order[position - 1] = entry;
        } else if after <= SHIFT {
            self.order.insert(position, entry);
        } else {
            self.late.push(Reverse((key, late)));
        }
    }

    /// Takes the events of a tick of 2^`shift` nanoseconds that begins at `start`: all of the chain,
    /// and of the lane those that are due. Everything of the former tick is spent. How many there
    /// are.
    pub(super) fn load<I: Copy + Default>(
        &mut self,
        pool: &mut Pool<Event<I>>,
        (chain, lane): (Chain, &mut Lane),
        start: u64,
        shift: u32,
    ) -> usize {
        pool.release(std::mem::replace(&mut self.chain, chain));
        self.order.clear();
        (self.head, self.shown) = (0, 0);
        (self.start, self.unit) = (start, shift.saturating_sub(31));
        let mut rest = chain;
        while !rest.is_empty() {
            let (first, events) = pool.first(rest);
            let entry = scale(start, self.unit);
            let entries = (first..).zip(events).map(|(at, event)| entry(event.at.as_nanos(), at));
            self.order.extend(entries);
            rest = pool.after_first(rest);
        }
        self.sort(shift);
        self.join(pool, lane, start | ((1 << shift) - 1));
        self.sort_ties(pool);
        self.order.len()
    }

    /// Joins the events of a lane up to the tick's end, which are in order, with those that are
    /// sorted.
    fn join<I: Copy + Default>(&mut self, pool: &mut Pool<Event<I>>, lane: &mut Lane, end: u64) {
        let entry = scale(self.start, self.unit);
        self.run.clear();
        loop {
            let (first, events) = pool.head(lane);
            let due = events.iter().take_while(|event| event.at.as_nanos() <= end).count();
            if due == 0 {
                break;
            }
            let due_events = (first..).zip(&events[..due]);
            self.run.extend(due_events.map(|(at, event)| entry(event.at.as_nanos(), at)));
            pool.pass(lane, due, &mut self.chain);
        }
        if self.run.is_empty() {
            return;
        }
        self.dealt.clear();
        let (mut left, mut right) = (&self.order[..], &self.run[..]);
        while let (&[a, ..], &[b, ..]) = (left, right) {
            self.dealt.push(a.min(b));
            // No branch: it could not be foreseen.
            left = &left[usize::from(a < b)..];
            right = &right[usize::from(a > b)..];
        }
        self.dealt.extend_from_slice(left);
        self.dealt.extend_from_slice(right);
        std::mem::swap(&mut self.order, &mut self.dealt);
    }

    /// Sorts the entries of a tick of 2^`shift` nanoseconds. They lie more or less evenly in it, so
    /// that most stand in their place when they are dealt to as many buckets.
    fn sort(&mut self, shift: u32) {
        if self.order.len() < FEW || self.order.len() > MANY {
            return self.order.sort_unstable();
        }
        // The upper half of an entry is below 2^(shift - unit).
        let bits = 32 + (shift - self.unit).saturating_sub(BUCKET_BITS);
        let bucket = |entry: u64| (entry >> bits) as usize % BUCKETS;
        let mut ends = [0u32; BUCKETS];
        for &entry in &self.order {
            ends[bucket(entry)] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        self.dealt.clear();
        self.dealt.resize(self.order.len(), 0);
        for &entry in &self.order {
            let end = &mut ends[bucket(entry)];
            *end -= 1;
            self.dealt[*end as usize] = entry;
        }
        std::mem::swap(&mut self.order, &mut self.dealt);
        insertion_sort(&mut self.order);
    }

    /// Sorts what the entries can't tell apart.
    #[inline]
    fn sort_ties<I: Copy + Default>(&mut self, pool: &Pool<Event<I>>) {
        let mut last = u64::MAX;
        let mut index = 0;
        while let Some(&entry) = self.order.get(index) {
            let instant = entry >> 32;
            index = if instant == last { self.sort_run(pool, index - 1) } else { index + 1 };
            last = instant;
        }
    }

    /// Sorts the entries from this one on that name the same instant, and says where they end.
    #[cold]
    fn sort_run<I: Copy + Default>(&mut self, pool: &Pool<Event<I>>, start: usize) -> usize {
        let instant = self.order[start] >> 32;
        let length = self.order[start..].partition_point(|&entry| entry >> 32 == instant);
        let run = &mut self.order[start..start + length];
        run.sort_unstable_by_key(|&entry| pool.get(place(entry)).key());
        start + length
    }
}

/// For what is nearly sorted.
#[inline]
fn insertion_sort(entries: &mut [u64]) {
    for index in 1..entries.len() {
        let entry = entries[index];
        let mut place = index;
        while place > 0 && entries[place - 1] > entry {
            entries[place] = entries[place - 1];
            place -= 1;
        }
        entries[place] = entry;
    }
}

/// Makes entries of a tick that begins at `start`, in units of 2^`unit` nanoseconds. An event
/// outside of the tick gets the first or the last instant that can be told.
#[inline]
fn scale(start: u64, unit: u32) -> impl Fn(u64, u32) -> u64 {
    move |at, place| {
        let offset = (at.saturating_sub(start) >> unit).min(u32::MAX.into());
        (offset << 32) | u64::from(place)
    }
}

/// Where the event of an entry is.
#[inline]
const fn place(entry: u64) -> usize {
    entry as u32 as usize
}
