use rand_chacha::ChaCha8Rng;

use super::*;
use crate::rng::{self, NameHash, Purpose, sample};

fn draws(name: &str) -> ChaCha8Rng {
    rng::stream(20, Purpose::Bootstrap, NameHash::of(name))
}

#[test]
fn mser_by_hand() {
    // Squares of what is left, by its count squared. 9, 1, 2, 1, 2: all five (mean 3, squares 46)
    // 46/25 = 1.84, without the 9 (mean 1.5, squares 1) 1/16, without the 1 as well (mean 5/3,
    // squares 2/3) 2/27: more.
    let cases: [(&[f64], usize); 6] = [
        (&[9.0, 1.0, 2.0, 1.0, 2.0], 1),
        (&[1.0, 2.0, 1.0, 2.0, 9.0], 0),
        (&[5.0, 5.0, 5.0, 5.0], 0),
        // What is left of four has no spread at all; the fewest are cut off.
        (&[3.0, 5.0, 5.0, 5.0], 1),
        // At most half.
        (&[9.0, 9.0, 9.0, 9.0, 9.0, 1.0], 0),
        (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3),
    ];
    for (values, expected) in cases {
        assert_eq!(truncate(values), expected, "{values:?}");
    }
}

/// A run of 500 bins: a process with a memory of `memory` bins around 40, and on it a beginning that
/// is `start` away and fades within `fades` bins.
fn run(draws: &mut ChaCha8Rng, memory: f64, start: f64, fades: f64) -> Vec<f64> {
    let keep = libm::exp(-1.0 / memory);
    let fresh = (1.0 - keep * keep).sqrt();
    let mut state = sample::standard_normal(draws);
    let bin = |bin: u32| {
        state = keep * state + fresh * sample::standard_normal(draws);
        40.0 + 3.0 * state + start * libm::exp(-f64::from(bin) / fades)
    };
    (0..500).map(bin).collect()
}

/// A run of 500 bins in which something happens rarely, lasts for a while, and is large.
fn bursts(draws: &mut ChaCha8Rng) -> Vec<f64> {
    let mut left = 0;
    let bin = |_| {
        if left == 0 && sample::open_unit(draws) < 0.01 {
            left = 1 + sample::exponential(draws, 6.0) as u32;
        }
        left = left.saturating_sub(1);
        if left > 0 { 8.0 } else { 0.0 }
    };
    (0..500).map(bin).collect()
}

/// Of how many studies of `size` runs each something is told.
fn alarms(studies: usize, size: usize, mut run: impl FnMut() -> Vec<f64>) -> usize {
    let mut study = || cut(&(0..size).map(|_| run()).collect::<Vec<_>>()).is_some();
    (0..studies).filter(|_| study()).count()
}

#[test]
fn settled_series_give_no_alarm() {
    let mut draws = draws("settled");
    for size in [3, 10] {
        for memory in [1.0, 20.0, 200.0] {
            // 0.1 % of 400 is 0.4; three or more of them come with a probability of 0.8 %.
            let told = alarms(400, size, || run(&mut draws, memory, 0.0, 1.0));
            assert!(told <= 2, "memory {memory}, {size} runs: {told}");
        }
        let told = alarms(400, size, || bursts(&mut draws));
        assert!(told <= 2, "bursts, {size} runs: {told}");
    }
}

#[test]
fn a_cold_start_is_told_where_it_can_be_seen_and_matters() {
    let mut draws = draws("cold");
    // Out of 50 studies; the start is 20 away, seven standard deviations.
    for (size, fades, at_least, at_most) in [
        // A tenth of what was counted: the mean is off by 20 · 50/500 = 2, where the standard error
        // of ten runs with a memory of 20 bins is about 3·√(40/500)/√10 = 0.27.
        (10, 50.0, 50, 50),
        (5, 50.0, 25, 50),
        (3, 50.0, 1, 50),
        // About one bin: off by 20 · 1.6/500 = 0.06, which is less than half of the standard error
        // and does not matter, but where chance adds to it.
        (10, 1.0, 0, 3),
        // Two runs are too few to tell.
        (2, 50.0, 0, 0),
    ] {
        let told = alarms(50, size, || run(&mut draws, 20.0, -20.0, fades));
        assert!((at_least..=at_most).contains(&told), "{size} runs, {fades}: {told} of 50");
    }
}

fn timeline(members: impl Fn(u64) -> u64) -> Vec<TimelineRow> {
    let row = |bin: u64| TimelineRow {
        time: SimTime::from_secs(bin * 60),
        members: members(bin),
        believers: 1,
        binding_valid: true,
        stale_resolvers: 0,
        resolvers: 8,
        overlays: 1,
        // They grow all the time, but for a bin that belongs to the warm-up.
        messages: if bin <= 31 { 0 } else { 1000 },
    };
    (1..=230).map(row).collect()
}

#[test]
fn the_series_is_told_with_its_means_and_its_end() {
    // Warm-up of half an hour, so that bins 32 to 230 count (199, 39 batches): up to bin 41, two
    // batches, there are 20 members, then 40 or 41 in turn; in each run some more than in the last.
    let members = |bin: u64, run: u64| if bin <= 41 { 20 + run } else { 40 + run + bin % 2 };
    let runs: Vec<_> = (0..5).map(|run| timeline(|bin| members(bin, run))).collect();
    let told = |warmup| unsettled(runs.iter().map(Vec::as_slice), SimTime::from_secs(warmup));
    let unsettled = told(1800).expect("it is not settled");
    assert_eq!(unsettled.series, Series::Members, "the messages of the first bin do not count");
    assert_eq!(unsettled.until, Some(SimTime::from_secs(41 * 60)));
    // 0 to 4 more are 2 on average; of bins 42 to 226, 92 of 185 are odd.
    assert!((unsettled.early - 22.0).abs() < 1e-9, "{unsettled:?}");
    assert!((unsettled.later - 42.0 - 92.0 / 185.0).abs() < 1e-9, "{unsettled:?}");
    // With the warm-up that this asks for, all is well.
    assert_eq!(told(41 * 60), None);
    // Too little is left to say anything.
    assert_eq!(told(150 * 60), None);
    assert_eq!(told(1_000_000), None);
}

#[test]
fn what_goes_on_changing_has_no_end() {
    let runs: Vec<_> = (0..5).map(|run| timeline(|bin| bin + (bin * run) % 3)).collect();
    let unsettled = unsettled(runs.iter().map(Vec::as_slice), SimTime::from_secs(1800));
    let unsettled = unsettled.expect("it grows");
    assert_eq!((unsettled.series, unsettled.until), (Series::Members, None));
    assert!(unsettled.early < unsettled.later);
}
