//! The hold model: take the first event, put one back, at a constant number of pending events.
//!
//! The queue of the simulator beside the standard library's binary heap, with the same events of
//! 48 bytes. Delays are those of an overlay: two thirds of the events are messages of 50 ms, the
//! rest timers of up to two minutes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use overcord::rng::mix;
use overcord::sim::queue::Queue;
use overcord::sim::{Event, HostId};
use overcord::time::{SimDuration, SimTime};

/// As large as the simulator's own input.
type Input = [u32; 7];

const HOLDS: u64 = 10_000;

/// What both queues can do.
trait Pending {
    fn put(&mut self, event: Event<Input>);
    fn take(&mut self) -> Event<Input>;
}

impl Pending for Queue<Input> {
    fn put(&mut self, event: Event<Input>) {
        self.push(event);
    }
    fn take(&mut self) -> Event<Input> {
        self.pop_until(SimTime::MAX).expect("the number of pending events is constant")
    }
}

impl Pending for BinaryHeap<Reverse<Event<Input>>> {
    fn put(&mut self, event: Event<Input>) {
        self.push(Reverse(event));
    }
    fn take(&mut self) -> Event<Input> {
        self.pop().expect("the number of pending events is constant").0
    }
}

fn delay(bits: u64) -> SimDuration {
    if bits.is_multiple_of(3) {
        SimDuration::from_nanos((bits >> 8) % 120_000_000_000)
    } else {
        SimDuration::from_nanos(50_000_000 + (bits >> 8) % 1_000)
    }
}

/// A queue with that many events that has reached its steady state.
fn filled<Q: Pending>(mut queue: Q, pending: u32) -> Q {
    for n in 0..pending {
        let at = SimTime::ZERO + delay(mix(u64::from(n)));
        queue.put(Event { at, origin: n, counter: 0, host: HostId(n), input: [n; 7] });
    }
    for n in 0..4 * u64::from(pending) {
        hold(&mut queue, n);
    }
    queue
}

#[inline]
fn hold<Q: Pending>(queue: &mut Q, n: u64) {
    let mut event = queue.take();
    event.at += delay(mix(n ^ u64::from(event.origin) << 32));
    event.counter += 1;
    queue.put(black_box(event));
}

fn bench<Q: Pending>(criterion: &mut Criterion, name: &str, empty: impl Fn() -> Q) {
    let mut group = criterion.benchmark_group("hold");
    group.throughput(Throughput::Elements(HOLDS)).sample_size(20);
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for pending in [1_000, 100_000, 1_000_000] {
        // Filled only when it is this one's turn.
        let mut queue = None;
        let mut n = 0;
        group.bench_function(BenchmarkId::new(name, pending), |bencher| {
            let queue = queue.get_or_insert_with(|| filled(empty(), pending));
            bencher.iter(|| {
                for _ in 0..HOLDS {
                    n += 1;
                    hold(queue, n);
                }
            });
        });
    }
    group.finish();
}

fn queues(criterion: &mut Criterion) {
    assert_eq!(size_of::<Event<Input>>(), 48);
    bench(criterion, "wheel", || Queue::<Input>::new(SimDuration::from_millis(1)));
    bench(criterion, "binary_heap", BinaryHeap::<Reverse<Event<Input>>>::new);
}

criterion_group!(benches, queues);
criterion_main!(benches);
