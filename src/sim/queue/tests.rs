//! The queue against a sorted set: same events in, same events out.

use std::collections::BTreeMap;

use super::*;
use crate::rng::mix;
use crate::sim::HostId;

/// A sorted map and the queues under test, with ticks from too narrow to too wide, and with what
/// comes soon pushed or appended.
struct Pair {
    model: BTreeMap<u128, Event<u64>>,
    queues: Vec<Queue<u64>>,
    counter: u32,
    now: u64,
}

/// What is appended, when it does come in order.
const SOON: u64 = 50_000_000;
const TICKS: [u64; 5] = [0, 1_000, 1_000_000, 1_000_000_000, u64::MAX];

impl Pair {
    fn new() -> Self {
        let queues = [TICKS, TICKS].concat();
        let queues = queues.iter().map(|&tick| Queue::new(SimDuration::from_nanos(tick))).collect();
        Self { model: BTreeMap::new(), queues, counter: 0, now: 0 }
    }

    /// Origins repeat and counters fall, so that the order of insertion is not the order of keys.
    fn push(&mut self, at: u64, origin: u32) {
        self.counter += 1;
        let event = Event {
            at: SimTime::from_nanos(at),
            origin,
            counter: u32::MAX - self.counter,
            host: HostId(self.counter % 97),
            input: mix(u64::from(self.counter)),
        };
        assert!(self.model.insert(event.key(), event).is_none(), "keys are unique");
        let (pushed, appended) = self.queues.split_at_mut(TICKS.len());
        pushed.iter_mut().for_each(|queue| queue.push(event));
        let comes_soon = at - self.now <= SOON;
        appended
            .iter_mut()
            .for_each(|queue| if comes_soon { queue.append(event) } else { queue.push(event) });
    }

    /// Takes one event from all; whether there was one.
    fn pop(&mut self, limit: u64) -> bool {
        let expected = match self.model.first_key_value() {
            Some((_, event)) if event.at.as_nanos() <= limit => {
                self.model.pop_first().map(|(_, event)| event)
            }
            _ => None,
        };
        for (queue, tick) in self.queues.iter_mut().zip([TICKS, TICKS].concat()) {
            let popped = queue.pop_until(SimTime::from_nanos(limit));
            let content = |event: Event<u64>| (event.key(), event.host, event.input);
            assert_eq!(popped.map(content), expected.map(content), "tick {tick}");
            assert_eq!(queue.len(), self.model.len(), "tick {tick}");
            assert_eq!(queue.is_empty(), self.model.is_empty());
        }
        if let Some(event) = expected {
            self.now = event.at.as_nanos();
        }
        expected.is_some()
    }

    fn drain(&mut self) {
        while self.pop(u64::MAX) {}
        assert!(self.model.is_empty());
    }
}

/// Delays of all magnitudes: nothing, within a tick, network, timers, days, for ever.
fn delay(kind: u64, bits: u64) -> u64 {
    const MS: u64 = 1_000_000;
    match kind {
        0 | 1 => 0,
        2 => bits % 3,
        3 => bits % (50 * MS),
        4 => 50 * MS,
        5 => 20_000 * MS,
        6 => bits % (120_000 * MS),
        7 => bits % (86_400_000 * MS),
        8 => bits % (10 * 365 * 86_400_000 * MS),
        _ => u64::MAX,
    }
}

/// Random pushes and pops. `kinds` bounds the magnitudes, so that some runs stay dense enough for
/// the width of a tick to be refitted and some spread over all levels and the overflow.
fn random_run(seed: u64, steps: u64, kinds: u64, mut target: usize) {
    let mut pair = Pair::new();
    for step in 0..steps {
        let bits = mix(mix(seed) ^ step);
        let roll = bits % 16;
        if bits >> 48 < 16 {
            target = 1 + (bits >> 20) as usize % (2 * target + 8);
        }
        let grow = pair.model.len() < target;
        if (roll < 12) == grow {
            let span = delay((bits >> 8) % kinds, mix(bits));
            pair.push(pair.now.saturating_add(span), (bits >> 40) as u32 % 8);
        } else if roll == 14 {
            // A limit in the middle: at times nothing is taken, and the clock goes on.
            let limit = pair.now.saturating_add(delay((bits >> 8) % 4, mix(bits)));
            if !pair.pop(limit) {
                pair.now = limit;
            }
        } else {
            pair.pop(u64::MAX);
        }
        // Once the last instant is reached, only ties of it can follow.
        if pair.now == u64::MAX {
            pair.drain();
            pair = Pair::new();
        }
    }
    pair.drain();
}

#[test]
fn the_order_is_that_of_a_sorted_list_whatever_the_tick() {
    for seed in 0..40 {
        random_run(seed, 4_000, 10, 50);
    }
    for seed in 40..60 {
        random_run(seed, 4_000, 9, 500);
    }
}

#[test]
fn it_stays_so_when_the_tick_is_refitted() {
    for (seed, kinds) in [(100, 4), (101, 5), (102, 7), (103, 8)] {
        random_run(seed, 80_000, kinds, 300);
    }
}

#[test]
fn bursts_and_silence_between_them() {
    let mut pair = Pair::new();
    for burst in 0..20u64 {
        let at = burst * burst * 1_000_000_000;
        for n in 0..2_000u64 {
            let bits = mix(burst << 32 | n);
            pair.push(at + bits % 2, bits as u32 % 50);
            // Timers for later, whose number grows into the next burst.
            pair.push(at + 1_500_000_000 + bits % 1_000, 99);
        }
        while pair.pop(at + 1_000_000_000) {}
        pair.now = at + 1_000_000_000;
    }
    pair.drain();
}

#[test]
fn pushes_into_the_tick_that_is_being_drained() {
    let mut pair = Pair::new();
    for n in 0..1_000 {
        pair.push(1_000, n);
    }
    // Each event causes one at once and one in a nanosecond, ahead of many that wait.
    for n in 0..3_000 {
        assert!(pair.pop(u64::MAX));
        pair.push(pair.now, n % 1_000);
        if n % 2 == 0 {
            pair.push(pair.now + 1, n);
        }
        if n % 7 == 0 {
            pair.pop(u64::MAX);
        }
    }
    pair.drain();
}

/// With ticks of 2 ns the levels reach 2^41 ns; what lies beyond is in the overflow list.
#[test]
fn the_overflow_list_joins_in_when_its_time_comes() {
    const REACH: u64 = 1 << 41;
    let mut pair = Pair::new();
    for at in [REACH + 10, REACH - 1, 9 * REACH, 3 * REACH, 5 * REACH] {
        pair.push(at, 1);
    }
    // The last tick within reach: with it the next turn begins, in which the wheel and the former
    // overflow list hold events side by side.
    assert!(pair.pop(REACH));
    pair.push(REACH + 20, 1);
    pair.push(REACH + 5, 1);
    for _ in 0..3 {
        assert!(pair.pop(REACH + 20));
    }
    // The earliest of the list is not the last one pushed.
    assert!(!pair.pop(3 * REACH - 1));
    assert!(pair.pop(4 * REACH));
    pair.drain();
}

#[test]
fn a_limit_before_a_far_event_does_not_spoil_what_is_pushed_before_it() {
    let mut queue = Queue::new(SimDuration::from_millis(1));
    let event = |seconds: u64, counter| Event {
        at: SimTime::from_secs(seconds),
        origin: 0,
        counter,
        host: HostId(0),
        input: (),
    };
    queue.push(event(1_000_000, 0));
    assert!(queue.pop_until(SimTime::from_secs(5)).is_none());
    // The cursor has not run ahead to the far event: what comes is dealt, not inserted.
    assert_eq!(queue.cursor, 0);
    for counter in 1..100 {
        queue.push(event(10, counter));
    }
    assert_eq!(queue.front.sorted_len(), 0);
    assert_eq!(queue.pop_until(SimTime::MAX).map(|event| event.counter), Some(1));
    // One was taken, so the 98 others of that tick are sorted, and no more.
    assert!(queue.is_batch_spent(), "none was shown");
    let mut counters = |count| queue.batch(count).map(|event| event.counter).collect::<Vec<_>>();
    assert_eq!(counters(3), [2, 3, 4]);
    assert_eq!(counters(500), (2..100).collect::<Vec<_>>());
    assert!(!queue.is_batch_spent());
    for _ in 2..100 {
        assert!(queue.pop_until(SimTime::MAX).is_some());
    }
    assert!(queue.is_batch_spent() && queue.batch(1).next().is_none());
}

/// Ticks of 1 ms: a second away is level 1, so all are dealt once before they come up.
#[test]
fn what_is_not_live_any_more_is_gone_when_it_is_dealt() {
    let mut queue = Queue::new(SimDuration::from_millis(1));
    for counter in 0..100 {
        let at = SimTime::from_secs(1);
        queue.push(Event { at, origin: 0, counter, host: HostId(0), input: () });
    }
    let mut asked = 0;
    let is_live = |event: &Event<()>| {
        asked += 1;
        event.counter.is_multiple_of(3)
    };
    assert!(queue.prepare(SimTime::MAX, is_live));
    assert_eq!((asked, queue.len()), (100, 34));
    for counter in (0..100).step_by(3) {
        assert_eq!(queue.pop_until(SimTime::MAX).map(|event| event.counter), Some(counter));
    }
    assert!(queue.pop_until(SimTime::MAX).is_none());
}

/// A steady population for many rounds: 1,000 events fill 16 blocks; each of the slots that hold
/// something at one time may add a block that is not full.
#[test]
fn blocks_are_used_again() {
    let mut queue = Queue::new(SimDuration::from_millis(1));
    let push = |queue: &mut Queue<u64>, at: u64, n: u64| {
        queue.push(Event {
            at: SimTime::from_nanos(at),
            origin: 1,
            counter: n as u32,
            host: HostId(0),
            input: n,
        });
    };
    for n in 0..1_000 {
        push(&mut queue, mix(n) % 50_000_000, n);
    }
    let mut after_warm_up = 0;
    for n in 1_000..200_000 {
        let now = queue.pop_until(SimTime::MAX).expect("1,000 wait").at.as_nanos();
        push(&mut queue, now + mix(n) % 50_000_000, n);
        if n == 20_000 {
            after_warm_up = queue.pool.blocks();
        }
    }
    assert!(after_warm_up <= 16 + 256, "{after_warm_up}");
    assert!(queue.pool.blocks() <= 2 * after_warm_up, "{}", queue.pool.blocks());
}

/// 100 events a millisecond apart fill up to 8 blocks of the lane; those of the tick that is taken
/// are freed with the next.
#[test]
fn what_is_appended_in_order_waits_in_the_lane() {
    let mut queue = Queue::new(SimDuration::from_millis(1));
    let event = |ms: u64| Event {
        at: SimTime::ZERO + SimDuration::from_millis(ms),
        origin: 0,
        counter: ms as u32,
        host: HostId(0),
        input: (),
    };
    let is_dealt =
        |queue: &Queue<()>| queue.levels.iter().any(|level| level.first_from(0).is_some());
    for ms in 1..=100 {
        queue.append(event(ms));
    }
    for ms in 1..=10_000 {
        assert_eq!(queue.pop_until(SimTime::MAX).map(|event| event.counter), Some(ms));
        queue.append(event(u64::from(ms) + 100));
    }
    assert!(!is_dealt(&queue));
    assert!(queue.pool.blocks() <= 10, "{}", queue.pool.blocks());
    // Before the last one: it waits like any other.
    queue.append(Event { counter: 1, ..event(10_050) });
    assert!(is_dealt(&queue));
}

#[test]
fn the_tick_is_fitted_to_the_rate_from_either_side() {
    for tick in [1, 1_000_000_000] {
        let mut queue = Queue::new(SimDuration::from_nanos(tick));
        for n in 0..1_000u32 {
            let at = SimTime::from_nanos(u64::from(n) * 1_000);
            queue.push(Event { at, origin: n, counter: 0, host: HostId(0), input: () });
        }
        for round in 1..100 {
            for _ in 0..1_000 {
                let event = queue.pop_until(SimTime::MAX).expect("1,000 wait");
                let at = event.at + SimDuration::from_millis(1);
                queue.push(Event { at, counter: round, ..event });
            }
        }
        // An event every microsecond, 48 a tick: 2^15 ns is the power of two below.
        assert_eq!(queue.shift, 15);
    }
}
