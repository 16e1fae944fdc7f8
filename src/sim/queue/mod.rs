//! The queue of pending events: a block timing wheel.
//!
//! Time is cut into *ticks*. Five levels of 256 slots hold the future: a slot of the innermost
//! level is one tick, a slot of the next is 256 of them, and so on; what lies beyond the outermost
//! level waits in an overflow list. A slot is an unordered [chain of blocks](blocks). When time
//! enters an outer slot, its events are dealt to the levels below; of a tick that begins the
//! [front](front) sorts where its events are, and they are taken from there. An event is so copied
//! once a level, in sequence, where a heap would touch a cold line at each of its levels.
//!
//! Where all messages take the same time they come up in the order in which they are sent. Those
//! [appended](Queue::append) wait in a lane of their own, from which the front takes them as they
//! are.
//!
//! The order is that of [`Event::key`] alone. The width of a tick decides only the speed; it is
//! fitted to the rate at which events were taken, at points that depend on nothing but the events.
//!
//! Not here: cancelling. A cancelled timer stays until it is dealt, or comes up; whoever knows that
//! it was cancelled ([`Kernel`](crate::sim::Kernel)) says so then.

mod blocks;
mod front;
#[cfg(test)]
mod tests;

use crate::sim::Event;
use crate::time::{SimDuration, SimTime};
use blocks::{Chain, Lane, Pool};
use front::Front;

const LEVELS: usize = 5;
const SLOTS: usize = 256;
const SLOT_BITS: u32 = 8;
/// Bits of a tick's number that the levels tell apart.
const WHEEL_BITS: u32 = SLOT_BITS * LEVELS as u32;

/// Events wanted in a tick: enough that memory is touched in full batches, few enough that sorting
/// them stays cheap. Between 24 and 96 the speed is nearly flat.
const EVENTS_PER_TICK: u64 = 48;
/// A tick is between 2 ns, so that the number after the last one exists, and 18 minutes.
const SHIFTS: std::ops::RangeInclusive<u32> = 1..=40;
/// Events taken before the width of a tick is looked at again; never fewer than those pending,
/// which a new width moves.
const FIT_AFTER: u64 = 8192;

/// Pending events, smallest [key](Event::key) first.
#[derive(Debug)]
pub struct Queue<I> {
    front: Front,
    /// Every event of an earlier tick is in the front, every other one is not.
    cursor: u64,
    /// A tick is 2^shift nanoseconds.
    shift: u32,
    levels: Box<[Level; LEVELS]>,
    pool: Pool<Event<I>>,
    overflow: Chain,
    /// The earliest tick in `overflow`; `u64::MAX` when that is empty.
    overflow_first: u64,
    lane: Lane,
    /// The key of the event appended last.
    appended: u128,
    len: usize,
    fit: Fit,
}

/// 256 slots and which of them hold something.
#[derive(Clone, Copy, Debug)]
struct Level {
    occupied: [u64; SLOTS / 64],
    slots: [Chain; SLOTS],
}

/// When the width of a tick was last looked at, and when it will be again.
#[derive(Debug)]
struct Fit {
    since: SimTime,
    span: u64,
    left: u64,
}

impl<I: Copy + Default> Queue<I> {
    /// An empty queue whose ticks are about `tick` wide until it knows how dense the events are.
    #[must_use]
    pub fn new(tick: SimDuration) -> Self {
        Self {
            front: Front::new(),
            cursor: 0,
            shift: shift_of(tick.as_nanos()),
            levels: Box::new([Level::EMPTY; LEVELS]),
            pool: Pool::new(),
            overflow: Chain::EMPTY,
            overflow_first: u64::MAX,
            lane: Lane::EMPTY,
            appended: 0,
            len: 0,
            fit: Fit { since: SimTime::ZERO, span: FIT_AFTER, left: FIT_AFTER },
        }
    }

    /// Adds an event. One that lies before the last one taken is the next to be taken.
    #[inline(always)]
    pub fn push(&mut self, event: Event<I>) {
        self.len += 1;
        self.place(event);
    }

    /// Adds an event that is likely to come up after all that were added this way before; any other
    /// is [pushed](Self::push).
    #[inline(always)]
    pub fn append(&mut self, event: Event<I>) {
        let key = event.key();
        if key < self.appended || self.tick_of(&event) < self.cursor {
            return self.push(event);
        }
        self.appended = key;
        self.len += 1;
        self.pool.append(&mut self.lane, event);
    }

    /// Takes the first event if it happens no later than `limit`.
    #[inline(always)]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<Event<I>> {
        let place = match self.front.shown() {
            Some(place) if self.pool.get(place).at <= limit => {
                self.front.pass();
                place
            }
            Some(_) => return None,
            None => self.take_place(limit)?,
        };
        self.len -= 1;
        Some(*self.pool.get(place))
    }

    /// Where the first event is, whatever tick it is in; it counts as taken.
    #[inline(never)]
    fn take_place(&mut self, limit: SimTime) -> Option<usize> {
        if !self.prepare(limit, |_| true) {
            return None;
        }
        self.front.take(&self.pool, limit)
    }

    /// Sorts the next tick when the present one is spent, unless that begins after `limit`.
    /// Whether anything is left in the tick that is current now. Events that are dealt to inner
    /// levels on the way are asked for: one that `is_live` denies is gone, which costs less than
    /// to sort it and to take it.
    #[inline]
    pub fn prepare(&mut self, limit: SimTime, is_live: impl FnMut(&Event<I>) -> bool) -> bool {
        !self.front.is_empty() || self.advance(limit, is_live)
    }

    /// Whether all events that [`Queue::batch`] showed last have been taken.
    #[must_use]
    #[inline]
    pub fn is_batch_spent(&self) -> bool {
        self.front.is_batch_spent()
    }

    /// Up to `count` events to come, as far as they are [prepared](Queue::prepare): a hint, for
    /// touching memory ahead of its use.
    #[inline]
    pub fn batch(&mut self, count: usize) -> impl Iterator<Item = &Event<I>> {
        let pool = &self.pool;
        self.front.batch(count).map(|place| pool.get(place))
    }

    /// How many events wait.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts an event where its tick belongs.
    #[inline(always)]
    fn place(&mut self, event: Event<I>) {
        let tick = self.tick_of(&event);
        // The outermost digit in which the tick differs from the cursor names the level.
        let level = ((tick ^ self.cursor) | 1).ilog2() / SLOT_BITS;
        let is_late = tick < self.cursor;
        // The event is written in one place, straight to where it waits.
        let chain = if is_late {
            self.front.chain_mut()
        } else if level >= LEVELS as u32 {
            self.overflow_first = self.overflow_first.min(tick);
            &mut self.overflow
        } else {
            let slot = digit(tick, level);
            let level = &mut self.levels[level as usize];
            level.occupied[slot / 64] |= 1 << (slot % 64);
            &mut level.slots[slot]
        };
        let place = self.pool.push(chain, event);
        if is_late {
            self.insert(place);
        }
    }

    /// Puts an event of the current tick, which is in the pool, into its order.
    #[inline(never)]
    fn insert(&mut self, place: u32) {
        let at = self.front.insert(&self.pool, place);
        self.fit.left = self.fit.left.saturating_sub(1);
        if self.fit.left == 0 {
            // The tick may be so wide that it lasts for ever.
            self.refit(self.front.first(&self.pool).unwrap_or(at));
        }
    }

    /// Moves the first tick that holds an event to the front, which is spent, if it begins by
    /// `limit`.
    #[inline(never)]
    fn advance(&mut self, limit: SimTime, mut is_live: impl FnMut(&Event<I>) -> bool) -> bool {
        if self.fit.left == 0 {
            // Where the cursor stands all before is spent.
            let now = u128::from(self.cursor) << self.shift;
            self.refit(SimTime::from_nanos(u64::try_from(now).unwrap_or(u64::MAX)));
            if !self.front.is_empty() {
                return true;
            }
        }
        let limit = limit.as_nanos() >> self.shift;
        let (_, appended) = self.pool.head(&self.lane);
        let appended = appended.first().map_or(u64::MAX, |event| self.tick_of(event));
        loop {
            let dealt = self.next_tick();
            if dealt.is_none() && self.jump(appended.min(limit), &mut is_live) {
                continue;
            }
            let tick = dealt.unwrap_or(u64::MAX).min(appended);
            if tick > limit {
                return false;
            }
            self.load(tick, &mut is_live);
            return true;
        }
    }

    #[inline]
    fn tick_of(&self, event: &Event<I>) -> u64 {
        event.at.as_nanos() >> self.shift
    }

    /// The first occupied slot of the innermost level.
    #[inline]
    fn next_tick(&self) -> Option<u64> {
        let slot = self.levels[0].first_from(digit(self.cursor, 0))?;
        Some(slot_start(self.cursor, 0, slot))
    }

    /// Moves the cursor to the first occupied slot of an outer level, or to the overflow list, if
    /// that begins by `limit`.
    fn jump(&mut self, limit: u64, is_live: impl FnMut(&Event<I>) -> bool) -> bool {
        for level in 1..LEVELS as u32 {
            let from = digit(self.cursor, level);
            if let Some(slot) = self.levels[level as usize].first_from(from) {
                let start = slot_start(self.cursor, level, slot);
                if start > limit {
                    return false;
                }
                self.cursor = start;
                self.deal(level, slot, is_live);
                return true;
            }
        }
        let start = self.overflow_first >> WHEEL_BITS << WHEEL_BITS;
        if self.overflow.is_empty() || start > limit {
            return false;
        }
        self.cursor = start;
        self.deal_overflow();
        true
    }

    /// Moves a tick of the innermost level to the front and the cursor behind it.
    fn load(&mut self, tick: u64, is_live: impl FnMut(&Event<I>) -> bool) {
        let chains = (self.levels[0].take(digit(tick, 0)), &mut self.lane);
        let loaded = self.front.load(&mut self.pool, chains, tick << self.shift, self.shift);
        self.fit.left = self.fit.left.saturating_sub(loaded as u64);
        self.cursor = tick + 1;
        if digit(self.cursor, 0) == 0 {
            self.enter_outer_slots(is_live);
        }
    }

    /// Deals the outer slots at whose beginning the cursor stands, the outermost first.
    fn enter_outer_slots(&mut self, mut is_live: impl FnMut(&Event<I>) -> bool) {
        if self.cursor.trailing_zeros() >= WHEEL_BITS && !self.overflow.is_empty() {
            self.deal_overflow();
        }
        let outermost = (self.cursor.trailing_zeros() / SLOT_BITS).min(LEVELS as u32 - 1);
        for level in (1..=outermost).rev() {
            self.deal(level, digit(self.cursor, level), &mut is_live);
        }
    }

    /// Deals the events of one slot to the levels below.
    fn deal(&mut self, level: u32, slot: usize, is_live: impl FnMut(&Event<I>) -> bool) {
        let chain = self.levels[level as usize].take(slot);
        self.deal_chain(chain, is_live);
    }

    fn deal_chain(&mut self, mut chain: Chain, mut is_live: impl FnMut(&Event<I>) -> bool) {
        while !chain.is_empty() {
            for index in 0..chain.first_len() {
                let event = *self.pool.at(chain, index);
                if is_live(&event) {
                    self.place(event);
                } else {
                    self.len -= 1;
                }
            }
            chain = self.pool.release_first(chain);
        }
    }

    /// Places the events of the overflow list again; those still too far away return to it.
    fn deal_overflow(&mut self) {
        self.overflow_first = u64::MAX;
        let chain = std::mem::replace(&mut self.overflow, Chain::EMPTY);
        self.deal_chain(chain, |_| true);
    }

    /// Fits the width of a tick to the events loaded or inserted since the last time, if it is far off.
    #[cold]
    fn refit(&mut self, now: SimTime) {
        let span = now.since(self.fit.since).as_nanos();
        let wanted = u128::from(span) * u128::from(EVENTS_PER_TICK) / u128::from(self.fit.span);
        let shift = shift_of(u64::try_from(wanted).unwrap_or(u64::MAX));
        // Within a factor of two the speed is the same. Without a span nothing is known.
        if span > 0 && shift.abs_diff(self.shift) >= 2 {
            self.set_shift(shift);
        }
        let span = FIT_AFTER.max(self.len as u64);
        self.fit = Fit { since: now, span, left: span };
    }

    /// Changes the width of a tick and moves every event to its new place.
    fn set_shift(&mut self, shift: u32) {
        // The front keeps all before this instant. Rounded up to a whole tick it may cover more;
        // what the wheel held of that goes to the front now.
        let end = u128::from(self.cursor) << self.shift;
        self.cursor = end.div_ceil(1 << shift) as u64;
        self.shift = shift;
        let levels = std::mem::replace(&mut *self.levels, [Level::EMPTY; LEVELS]);
        for chain in levels.iter().flat_map(|level| level.slots) {
            self.deal_chain(chain, |_| true);
        }
        self.deal_overflow();
        while let (_, &[event, ..]) = self.pool.head(&self.lane)
            && self.tick_of(&event) < self.cursor
        {
            let mut spent = Chain::EMPTY;
            self.pool.pass(&mut self.lane, 1, &mut spent);
            self.pool.release(spent);
            self.place(event);
        }
    }
}

impl Level {
    const EMPTY: Self = Self { occupied: [0; SLOTS / 64], slots: [Chain::EMPTY; SLOTS] };

    /// The first occupied slot from `slot` on.
    #[inline]
    fn first_from(&self, slot: usize) -> Option<usize> {
        let mut word = slot / 64;
        let mut bits = self.occupied[word] & (u64::MAX << (slot % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// Empties a slot.
    #[inline]
    fn take(&mut self, slot: usize) -> Chain {
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        std::mem::replace(&mut self.slots[slot], Chain::EMPTY)
    }
}

/// The slot of a tick at a level.
#[inline]
const fn digit(tick: u64, level: u32) -> usize {
    (tick >> (SLOT_BITS * level)) as usize % SLOTS
}

/// The first tick of a slot in the turn of the level in which `cursor` is.
#[inline]
const fn slot_start(cursor: u64, level: u32, slot: usize) -> u64 {
    let turn = SLOT_BITS * (level + 1);
    (cursor >> turn << turn) | ((slot as u64) << (SLOT_BITS * level))
}

/// The largest power of two that is not above the width wanted, within what is allowed.
fn shift_of(nanos: u64) -> u32 {
    nanos.max(1).ilog2().clamp(*SHIFTS.start(), *SHIFTS.end())
}
