//! The clock, the incarnations of hosts and the generations of timers.

use crate::sim::queue::Queue;
use crate::sim::{Event, HostId, Input, Timer};
use crate::time::{SimDuration, SimTime};

/// The kernel of one run. `M` is what travels inside an event, `T` names timers.
#[derive(Debug)]
pub struct Kernel<M, T> {
    now: SimTime,
    queue: Queue<Input<M, T>>,
    hosts: Vec<HostSlot>,
    salt: u32,
    stale_timers: u64,
}

/// What the kernel keeps of a host. A host that restarts is another incarnation of it: timers of
/// the former one are dead.
///
/// Every event touches one of these, at random: it fills one line of the cache, and timers beyond
/// the inline ones cost a second.
#[derive(Debug, Default)]
#[repr(align(64))]
struct HostSlot {
    incarnation: u32,
    counter: u32,
    /// By timer slot: odd while the timer is set.
    first: [u32; INLINE_TIMERS],
    others: Option<Box<Others>>,
}

/// The generations of the slots from [`INLINE_TIMERS`] on.
#[derive(Debug, Default)]
struct Others(Vec<u32>);

/// Timers of a host that stand inside its [`HostSlot`].
const INLINE_TIMERS: usize = 12;

impl<M: Copy, T: Timer> Kernel<M, T> {
    /// A kernel with `hosts` hosts, whose queue is fitted to events `tick` apart.
    #[must_use]
    pub fn new(hosts: usize, tick: SimDuration) -> Self {
        Self {
            now: SimTime::ZERO,
            queue: Queue::new(tick),
            hosts: (0..hosts).map(|_| HostSlot::default()).collect(),
            salt: 0,
            stale_timers: 0,
        }
    }

    /// Orders events of equal time by a bijection of their origin instead of the origin itself.
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
        self.hosts.len()
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

    /// How often the host has started again.
    #[must_use]
    pub fn incarnation(&self, host: HostId) -> u32 {
        self.hosts[host.index()].incarnation
    }

    /// Lets `input` happen to `host` at `at`, caused by `origin`.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, origin: HostId, host: HostId, input: Input<M, T>) {
        let slot = &mut self.hosts[origin.index()];
        let counter = slot.counter;
        slot.counter = counter.checked_add(1).expect("a host causes fewer than 2^32 events");
        let event = Event {
            at: at.max(self.now),
            origin: shuffled(origin.0, self.salt),
            counter,
            host,
            input,
        };
        self.queue.push(event);
    }

    /// The number that the next event caused by `origin` will carry.
    #[must_use]
    #[inline]
    pub fn counter(&self, origin: HostId) -> u32 {
        self.hosts[origin.index()].counter
    }

    /// Uses up a number of `origin` for something that causes no event, such as a lost datagram.
    #[inline]
    pub fn skip(&mut self, origin: HostId) {
        self.hosts[origin.index()].counter += 1;
    }

    /// Sets a timer of `host`.
    #[inline]
    pub fn set_timer(&mut self, host: HostId, timer: T, at: SimTime) {
        let slot = &mut self.hosts[host.index()];
        let current = slot.generation_mut(timer.slot() as usize);
        // From an even generation (not set) to the next odd one, or from odd to the odd after.
        let generation = current.wrapping_add(1) | 1;
        *current = generation;
        let input = Input::Timer { incarnation: slot.incarnation, generation, timer };
        self.schedule(at, host, host, input);
    }

    /// Cancels a timer of `host`; one that is not set stays so.
    #[inline]
    pub fn cancel_timer(&mut self, host: HostId, timer: T) {
        let generation = self.hosts[host.index()].generation_mut(timer.slot() as usize);
        // From odd to the even one after; an even one stays.
        *generation = generation.wrapping_add(*generation & 1);
    }

    /// Ends this incarnation of `host`: all its timers are dead.
    pub fn restart(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.index()];
        slot.incarnation += 1;
        slot.first = [0; INLINE_TIMERS];
        slot.others = None;
    }

    /// The next thing that happens, no later than `limit`; the clock moves there. When nothing is
    /// left, the clock moves to `limit`. Stale timers are sorted out already.
    #[inline]
    pub fn pop(&mut self, limit: SimTime) -> Option<Event<Input<M, T>>> {
        loop {
            let Some(event) = self.queue.pop_until(limit) else {
                self.now = self.now.max(limit);
                return None;
            };
            self.now = event.at;
            if let Input::Timer { incarnation, generation, timer } = event.input
                && !self.expire(event.host, incarnation, generation, timer)
            {
                self.stale_timers += 1;
                continue;
            }
            return Some(event);
        }
    }

    /// Whether this setting of the timer is still in force; if so, it is spent now.
    #[inline]
    fn expire(&mut self, host: HostId, incarnation: u32, generation: u32, timer: T) -> bool {
        let slot = &mut self.hosts[host.index()];
        if slot.incarnation != incarnation {
            return false;
        }
        let current = slot.generation_mut(timer.slot() as usize);
        if *current != generation {
            return false;
        }
        *current = generation.wrapping_add(1);
        true
    }

    /// The hosts of up to `count` events to come, after the next `skip` of them, as far as they are
    /// known: for touching their memory in time.
    #[inline]
    pub fn upcoming(&self, skip: usize, count: usize) -> impl Iterator<Item = HostId> {
        self.queue.upcoming(skip, count).iter().map(|event| event.host)
    }

    /// Reads from what the kernel keeps of a host, so that it is in the cache soon; what is read
    /// means nothing.
    #[must_use]
    #[inline]
    pub fn touch(&self, host: HostId) -> u32 {
        self.hosts[host.index()].counter
    }
}

impl HostSlot {
    #[inline]
    fn generation_mut(&mut self, timer: usize) -> &mut u32 {
        if timer < INLINE_TIMERS {
            return &mut self.first[timer];
        }
        self.other_mut(timer - INLINE_TIMERS)
    }

    #[inline(never)]
    fn other_mut(&mut self, index: usize) -> &mut u32 {
        let Others(generations) = &mut **self.others.get_or_insert_default();
        if index >= generations.len() {
            generations.resize(index + 1, 0);
        }
        &mut generations[index]
    }
}

/// A bijection of 32 bits for each salt; the identity for salt 0.
const fn shuffled(origin: u32, salt: u32) -> u32 {
    if salt == 0 {
        return origin;
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

    type TestKernel = Kernel<&'static str, Tick>;

    fn kernel(hosts: usize) -> TestKernel {
        Kernel::new(hosts, SimDuration::from_millis(1))
    }

    fn drain(kernel: &mut TestKernel) -> Vec<(u64, u32, String)> {
        let mut out = Vec::new();
        while let Some(event) = kernel.pop(SimTime::from_secs(100)) {
            let what = match event.input {
                Input::Message(text) => text.to_owned(),
                Input::Timer { timer: Tick(n), .. } => format!("timer {n}"),
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
                kernel.schedule(at, HostId(origin), HostId(0), Input::Command(origin));
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
    fn what_is_kept_of_a_host_fills_one_line_of_the_cache() {
        assert_eq!(size_of::<HostSlot>(), 64);
    }

    #[test]
    fn nothing_happens_after_the_limit_and_the_clock_stops_there() {
        let mut kernel = kernel(1);
        kernel.schedule(SimTime::from_secs(9), HostId(0), HostId(0), Input::Command(1));
        assert!(kernel.pop(SimTime::from_secs(5)).is_none());
        assert_eq!(kernel.now(), SimTime::from_secs(5));
        assert!(kernel.pop(SimTime::from_secs(9)).is_some());
    }

    #[test]
    fn shuffling_ties_is_a_bijection_that_changes_the_order() {
        let mut seen: Vec<u32> = (0..10_000).map(|origin| shuffled(origin, 77)).collect();
        assert!(!seen.is_sorted());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }
}
