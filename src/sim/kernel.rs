//! The clock, and what is kept of each host: its counter of events, and the timers that are set.

use std::marker::PhantomData;
use std::num::NonZeroU32;

use crate::sim::event::Words;
use crate::sim::queue::Queue;
use crate::sim::{Event, HostId, Input, Parcel, Timer};
use crate::time::{SimDuration, SimTime};

/// The kernel of one run. `M` is what travels inside an event, `T` names timers, `S` is what the
/// layer above keeps of each host: a few octets, which are at hand whenever the host is.
#[derive(Debug)]
pub struct Kernel<M, T, S = ()> {
    now: SimTime,
    queue: Queue<Words>,
    hosts: Hosts<S>,
    names: Names<T>,
    salt: u32,
    stale_timers: u64,
    message: PhantomData<M>,
}

/// All hosts.
#[derive(Debug)]
struct Hosts<S> {
    slots: Vec<HostSlot<S>>,
    /// The timers of the slots from [`INLINE_TIMERS`] on, of each host that has set one; the first
    /// place is nobody's.
    others: Vec<Vec<u32>>,
}

/// The names of timers, each with a number that stands for it in an event.
#[derive(Debug)]
struct Names<T> {
    /// By number.
    all: Vec<Name<T>>,
    /// The first name of each slot.
    by_slot: Vec<Option<u32>>,
}

#[derive(Debug)]
struct Name<T> {
    timer: T,
    /// Names that share a slot, being those of different kinds of hosts, are linked.
    next: Option<u32>,
}

/// The salt by which events of equal time are ordered the other way round, but for those of one
/// origin.
pub const REVERSED_TIES: u32 = u32::MAX;

/// The first words of what is no message.
const TIMER: u32 = 0;
const COMMAND: u32 = 1;

/// What is kept of a host.
///
/// A timer that is set is named by the counter of the event that it waits for, which the host never
/// uses again: so an event of an earlier setting, or of an earlier life, is told apart.
///
/// Every event touches one of these, at random: two of them share a line of the cache, and timers
/// beyond the inline ones are looked for elsewhere.
#[derive(Debug)]
struct HostSlot<S> {
    state: S,
    counter: u32,
    /// By timer slot: the counter of the event, or [`NOT_SET`].
    first: [u32; INLINE_TIMERS],
    /// The place of the timers of higher slots in [`Hosts::others`].
    others: Option<NonZeroU32>,
}

/// Timers of a host that stand inside its [`HostSlot`].
const INLINE_TIMERS: usize = 5;
/// No event has this counter.
const NOT_SET: u32 = u32::MAX;
/// How many events' memory is touched at a time.
const BATCH: usize = 32;

impl<M: Parcel, T: Timer, S: Copy + Default> Kernel<M, T, S> {
    /// A kernel with `hosts` hosts, whose queue is fitted to events `tick` apart.
    #[must_use]
    pub fn new(hosts: usize, tick: SimDuration) -> Self {
        Self {
            now: SimTime::ZERO,
            queue: Queue::new(tick),
            hosts: Hosts {
                slots: (0..hosts).map(|_| HostSlot::default()).collect(),
                others: vec![Vec::new()],
            },
            names: Names { all: Vec::new(), by_slot: Vec::new() },
            salt: 0,
            stale_timers: 0,
            message: PhantomData,
        }
    }

    /// Orders events of equal time by a bijection of their origin instead of the origin itself: none
    /// for 0, the opposite order for [`REVERSED_TIES`], one that looks random for any other salt.
    /// What a run concludes must not hang on such ties. To be called before the first event.
    pub fn shuffle_ties(&mut self, salt: u32) {
        assert!(self.queue.is_empty(), "ties are shuffled from the start or not at all");
        self.salt = salt;
    }

    /// The current time: that of the event popped last.
    #[must_use]
    #[inline]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// The number of hosts.
    #[must_use]
    pub fn hosts(&self) -> usize {
        self.hosts.slots.len()
    }

    /// How many events wait.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// How many timers came up that had been cancelled, set again, or died with their host.
    #[must_use]
    pub fn stale_timers(&self) -> u64 {
        self.stale_timers
    }

    /// What the layer above keeps of a host.
    #[must_use]
    #[inline]
    pub fn state(&self, host: HostId) -> S {
        self.hosts.slots[host.index()].state
    }

    /// The same, to change it.
    #[inline]
    pub fn state_mut(&mut self, host: HostId) -> &mut S {
        &mut self.hosts.slots[host.index()].state
    }

    /// Lets a message arrive at `host` at `at`, caused by `origin`.
    #[inline(always)]
    pub fn send(&mut self, at: SimTime, origin: HostId, host: HostId, message: M) {
        let event = self.event(at, origin, host, words_of(message));
        self.queue.push(event);
    }

    /// The same where nearly all messages arrive in the order in which they are sent.
    #[inline(always)]
    pub fn send_in_turn(&mut self, at: SimTime, origin: HostId, host: HostId, message: M) {
        let event = self.event(at, origin, host, words_of(message));
        self.queue.append(event);
    }

    /// Lets the script act on `host` at `at`.
    pub fn command(&mut self, at: SimTime, host: HostId, command: u32) {
        self.schedule(at, host, host, [COMMAND, command, 0, 0, 0, 0, 0]);
    }

    #[inline(always)]
    fn schedule(&mut self, at: SimTime, origin: HostId, host: HostId, input: Words) {
        let event = self.event(at, origin, host, input);
        self.queue.push(event);
    }

    /// The next event that `origin` causes.
    #[inline(always)]
    fn event(&mut self, at: SimTime, origin: HostId, host: HostId, input: Words) -> Event<Words> {
        let slot = &mut self.hosts.slots[origin.index()];
        let counter = slot.counter;
        slot.counter = counter.checked_add(1).expect("a host causes fewer than 2^32 events");
        let (at, origin) = (at.max(self.now), shuffled(origin.0, self.salt));
        Event { at, origin, counter, host, input }
    }

    /// Uses up a number of `origin` for something that causes no event, such as a lost datagram.
    #[inline]
    pub fn skip(&mut self, origin: HostId) {
        self.hosts.slots[origin.index()].counter += 1;
    }

    /// Sets a timer of `host`.
    #[inline(always)]
    pub fn set_timer(&mut self, host: HostId, timer: T, at: SimTime) {
        // Where a timer is set it is known which, and so its slot.
        self.set_slot(host, timer.slot(), timer, at);
    }

    #[inline(never)]
    fn set_slot(&mut self, host: HostId, slot: u32, timer: T, at: SimTime) {
        let counter = self.hosts.slots[host.index()].counter;
        *self.hosts.timer_mut(host, slot) = counter;
        let name = self.names.number(slot, timer);
        self.schedule(at, host, host, [TIMER, name, slot, 0, 0, 0, 0]);
    }

    /// Cancels a timer of `host`; one that is not set stays so.
    #[inline(always)]
    pub fn cancel_timer(&mut self, host: HostId, timer: T) {
        *self.hosts.timer_mut(host, timer.slot()) = NOT_SET;
    }

    /// Ends this life of `host`: all its timers are dead.
    pub fn restart(&mut self, host: HostId) {
        self.hosts.unset_all(host);
    }

    /// The next thing that happens, no later than `limit`; the clock moves there. When nothing is
    /// left, the clock moves to `limit`. Stale timers are sorted out already.
    ///
    /// In a large world nearly each event finds its host out of the cache. Touched one by one, each
    /// would be waited for; so from time to time `touch` is called for a batch of events to come,
    /// to read what they will need: with nothing in between, all is on its way at the same time.
    #[inline]
    pub fn pop(
        &mut self,
        limit: SimTime,
        mut touch: impl FnMut(HostId, Input<M, T>) -> u32,
    ) -> Option<Event<Words>> {
        loop {
            if self.queue.is_batch_spent() {
                self.touch_batch(limit, &mut touch);
            }
            let Some(event) = self.queue.pop_until(limit) else {
                self.now = self.now.max(limit);
                return None;
            };
            self.now = event.at;
            if event.input[0] == TIMER && !self.hosts.expire(&event) {
                self.stale_timers += 1;
                continue;
            }
            return Some(event);
        }
    }

    /// What happens, by the words of an event that was [popped](Self::pop).
    #[inline(always)]
    pub fn input(&self, words: Words) -> Input<M, T> {
        self.names.input(words)
    }

    #[inline(never)]
    fn touch_batch(&mut self, limit: SimTime, mut touch: impl FnMut(HostId, Input<M, T>) -> u32) {
        let is_live = |event: &Event<Words>| {
            let is_live = event.input[0] != TIMER || self.hosts.wait_for(event);
            self.stale_timers += u64::from(!is_live);
            is_live
        };
        if !self.queue.prepare(limit, is_live) {
            return;
        }
        let mut read = 0;
        for event in self.queue.batch(BATCH) {
            // Named apart, so that what a message needs is a short way: the more of them fit into
            // the processor's view, the more is on its way at the same time.
            let behind = match event.input[0] {
                0..2 => touch(event.host, self.names.input(event.input)),
                _ => touch(event.host, Input::Message(M::from_words(event.input))),
            };
            read ^= self.hosts.slots[event.host.index()].counter ^ behind;
        }
        std::hint::black_box(read);
    }
}

impl<S> Hosts<S> {
    /// Whether the setting of the timer that this event is of is still in force.
    #[inline]
    fn wait_for(&self, event: &Event<Words>) -> bool {
        let slot = event.input[2] as usize;
        let host = &self.slots[event.host.index()];
        let set = match (host.first.get(slot), host.others) {
            (Some(set), _) => Some(set),
            (None, Some(place)) => self.others[place.get() as usize].get(slot - INLINE_TIMERS),
            (None, None) => None,
        };
        set == Some(&event.counter)
    }

    /// The same; if so, it is spent now.
    #[inline]
    fn expire(&mut self, event: &Event<Words>) -> bool {
        let set = self.timer_mut(event.host, event.input[2]);
        let in_force = *set == event.counter;
        if in_force {
            *set = NOT_SET;
        }
        in_force
    }

    fn unset_all(&mut self, host: HostId) {
        let slot = &mut self.slots[host.index()];
        slot.first = [NOT_SET; INLINE_TIMERS];
        if let Some(place) = slot.others {
            self.others[place.get() as usize] = Vec::new();
        }
    }

    #[inline(always)]
    fn timer_mut(&mut self, host: HostId, slot: u32) -> &mut u32 {
        if slot as usize >= INLINE_TIMERS {
            return self.other_mut(host, slot as usize - INLINE_TIMERS);
        }
        &mut self.slots[host.index()].first[slot as usize]
    }

    #[inline(never)]
    fn other_mut(&mut self, host: HostId, index: usize) -> &mut u32 {
        let unused = self.others.len() as u32;
        let place = *self.slots[host.index()].others.get_or_insert_with(|| {
            self.others.push(Vec::new());
            NonZeroU32::new(unused).expect("the first place is nobody's")
        });
        let timers = &mut self.others[place.get() as usize];
        if index >= timers.len() {
            timers.resize(index + 1, NOT_SET);
        }
        &mut timers[index]
    }
}

impl<T: Timer> Names<T> {
    /// What happens, by an event's words.
    #[inline(always)]
    fn input<M: Parcel>(&self, words: Words) -> Input<M, T> {
        match words[0] {
            TIMER => Input::Timer(self.name(words[1])),
            COMMAND => Input::Command(words[1]),
            _ => Input::Message(M::from_words(words)),
        }
    }

    #[inline]
    fn name(&self, number: u32) -> T {
        self.all[number as usize].timer
    }

    #[inline]
    fn number(&mut self, slot: u32, timer: T) -> u32 {
        match self.by_slot.get(slot as usize) {
            Some(&Some(first)) if self.name(first) == timer => first,
            _ => self.enter(slot, timer),
        }
    }

    /// The number of a name that is new, or not the first of its slot.
    #[cold]
    fn enter(&mut self, slot: u32, timer: T) -> u32 {
        if slot as usize >= self.by_slot.len() {
            self.by_slot.resize(slot as usize + 1, None);
        }
        let number = self.all.len() as u32;
        let mut next = &mut self.by_slot[slot as usize];
        while let Some(known) = *next {
            let name = &mut self.all[known as usize];
            if name.timer == timer {
                return known;
            }
            next = &mut name.next;
        }
        *next = Some(number);
        self.all.push(Name { timer, next: None });
        number
    }
}

impl<S: Default> Default for HostSlot<S> {
    fn default() -> Self {
        Self { counter: 0, first: [NOT_SET; INLINE_TIMERS], others: None, state: S::default() }
    }
}

#[inline(always)]
fn words_of<M: Parcel>(message: M) -> Words {
    let words = message.into_words();
    debug_assert!(words[0] >= M::LEAST, "a message can be told from what is none");
    words
}

/// A bijection of 32 bits for each salt; the identity for salt 0.
const fn shuffled(origin: u32, salt: u32) -> u32 {
    if salt == 0 {
        return origin;
    }
    if salt == REVERSED_TIES {
        return !origin;
    }
    // Xor, multiplication by an odd number and a rotation are bijections.
    (origin ^ salt).wrapping_mul(0x9e37_79b1).rotate_left(15).wrapping_mul(salt | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Tick(u32);

    impl Timer for Tick {
        fn slot(self) -> u32 {
            self.0
        }
    }

    /// No message is sent here.
    #[derive(Clone, Copy)]
    struct Silence;

    impl Parcel for Silence {
        fn into_words(self) -> Words {
            [Self::LEAST; 7]
        }
        fn from_words(_words: Words) -> Self {
            Self
        }
    }

    type TestKernel = Kernel<Silence, Tick>;

    fn kernel(hosts: usize) -> TestKernel {
        Kernel::new(hosts, SimDuration::from_millis(1))
    }

    fn drain(kernel: &mut TestKernel) -> Vec<(u64, u32, String)> {
        let mut out = Vec::new();
        while let Some(event) = kernel.pop(SimTime::from_secs(100), |_, _| 0) {
            let what = match kernel.input(event.input) {
                Input::Message(Silence) => "message".to_owned(),
                Input::Timer(Tick(n)) => format!("timer {n}"),
                Input::Command(n) => format!("command {n}"),
            };
            out.push((kernel.now().as_nanos() / 1_000_000_000, event.host.0, what));
        }
        out
    }

    #[test]
    fn equal_times_are_ordered_by_origin_whatever_the_order_of_insertion() {
        let at = SimTime::from_secs(1);
        let run = |order: [u32; 3]| {
            let mut kernel = kernel(3);
            for origin in order {
                kernel.schedule(at, HostId(origin), HostId(0), [COMMAND, origin, 0, 0, 0, 0, 0]);
            }
            drain(&mut kernel)
        };
        assert_eq!(run([0, 1, 2]), run([2, 0, 1]));
    }

    #[test]
    fn a_timer_set_again_cancelled_or_of_a_dead_incarnation_does_not_fire() {
        let mut kernel = kernel(2);
        let (a, b) = (HostId(0), HostId(1));
        kernel.set_timer(a, Tick(0), SimTime::from_secs(1));
        kernel.set_timer(a, Tick(0), SimTime::from_secs(2));
        kernel.set_timer(a, Tick(3), SimTime::from_secs(3));
        kernel.cancel_timer(a, Tick(3));
        kernel.cancel_timer(a, Tick(3));
        kernel.set_timer(b, Tick(1), SimTime::from_secs(4));
        kernel.restart(b);
        kernel.set_timer(b, Tick(1), SimTime::from_secs(5));
        let fired = drain(&mut kernel);
        assert_eq!(fired, [(2, 0, "timer 0".into()), (5, 1, "timer 1".into())]);
        assert_eq!(kernel.stale_timers(), 3);
    }

    #[test]
    fn what_is_kept_of_a_host_fills_half_a_line_of_the_cache() {
        assert_eq!(size_of::<HostSlot<Option<NonZeroU32>>>(), 32);
    }

    #[test]
    fn nothing_happens_after_the_limit_and_the_clock_stops_there() {
        let mut kernel = kernel(1);
        kernel.command(SimTime::from_secs(9), HostId(0), 1);
        assert!(kernel.pop(SimTime::from_secs(5), |_, _| 0).is_none());
        assert_eq!(kernel.now(), SimTime::from_secs(5));
        assert!(kernel.pop(SimTime::from_secs(9), |_, _| 0).is_some());
    }

    #[test]
    fn shuffling_ties_is_a_bijection_that_changes_the_order() {
        let mut seen: Vec<u32> = (0..10_000).map(|origin| shuffled(origin, 77)).collect();
        assert!(!seen.is_sorted());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
        let reversed: Vec<u32> = (0..10_000).map(|it| shuffled(it, REVERSED_TIES)).collect();
        assert!(reversed.is_sorted_by(|a, b| a > b));
    }
}
