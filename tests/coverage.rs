//! Do 95 % intervals contain the truth in 95 % of all studies?
//!
//! Judged by simulation on `scenarios/theory-stale.toml`, where the distribution of a stale window
//! is known: zero with probability 1/7, else uniform up to the TTL of 60 s. The runs are shortened
//! to six windows each; they end between two departures, since a window that the end cuts off would
//! be too short. The same 20,000 runs, no two of them with the same seed, are dealt out to 2,000
//! studies of ten replications, then to 4,000 of five and to 10,000 of two.
//!
//! The share of 2,000 intervals that contain the truth has a standard error of
//! √(0.95 · 0.05 / 2000) = 0.5 %.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::thread;

use overcord::experiment::simulator::Simulator;
use overcord::experiment::statistics::{Interval, Sample};
use overcord::experiment::summary::interval;
use overcord::scenario::Scenario;

/// All runs.
const RUNS: usize = 20_000;

/// Stale windows of a run.
const WINDOWS: usize = 6;

/// The seed of the first run; the others follow it.
const FIRST_SEED: u64 = 1_000_000;

/// λT/(1 + λT) · T/2 with λ = 1/10 s, T = 60 s: 6/7 · 30 s.
const MEAN: f64 = 180.0 / 7.0;

/// The mean of the third smallest of six windows, their median by nearest rank: the sum over
/// j = 0, 1, 2 of C(6, j) ∫ F^j (1 − F)^(6−j) dx over all x, F = 1/7 + 6/7 · x/60 being the
/// distribution function; with u = F and dx = 70 du, u from 1/7 to 1, in fractions:
/// (2,799,360 + 6,065,280 + 7,698,240) / 7^7 = 20.1117.
const MEDIAN: f64 = 16_562_880.0 / 823_543.0;

fn simulator() -> Simulator {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(root.join("scenarios/theory-stale.toml")).unwrap();
    // The last departure is at most a minute after the hour, and its window ends a minute later.
    let changes = ["warmup=5m", "duration=65m", "timeline_bin=65m"];
    let changes = changes.map(str::to_owned);
    let scenario = Scenario::parse("theory-stale.toml", &bytes, &root.join("scenarios"), &changes)
        .unwrap_or_else(|report| panic!("{report}"));
    Simulator::new(scenario.plan, None, false)
}

/// Mean and median of the stale windows of every run, in the order of the seeds.
fn simulate() -> Vec<[f64; 2]> {
    const THREADS: usize = 4;
    let one = |simulator: &Simulator, seed: u64| {
        let output = simulator.run(0, FIRST_SEED + seed, None, &mut |_| {}).unwrap();
        assert_eq!(output.stale.len(), WINDOWS, "seed {seed}");
        ["stale_window.mean", "stale_window.median"].map(|it| output.headline.value(it).unwrap())
    };
    let share = |part: usize| {
        let simulator = simulator();
        let seeds = part * RUNS / THREADS..(part + 1) * RUNS / THREADS;
        seeds.map(|seed| one(&simulator, seed as u64)).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = (0..THREADS).map(|part| scope.spawn(move || share(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// Of the studies of `size` runs each, the share whose interval contains the truth.
fn coverage(runs: &[f64], size: usize, truth: f64, of: impl Fn(&[f64], u64) -> Interval) -> f64 {
    let studies: Vec<&[f64]> = runs.chunks_exact(size).collect();
    let hit = |(seed, study): &(u64, &&[f64])| of(study, *seed).contains(truth);
    (0..).zip(&studies).filter(hit).count() as f64 / studies.len() as f64
}

fn assert_within(share: f64, expected: RangeInclusive<f64>, what: &str) {
    assert!(expected.contains(&share), "{what}: {share} is not within {expected:?}");
}

#[test]
fn intervals_of_95_percent_hold_in_95_percent_of_all_studies() {
    let runs = simulate();
    let of_metric = |index: usize| runs.iter().map(|run| run[index]).collect::<Vec<f64>>();
    let (means, medians) = (of_metric(0), of_metric(1));
    for (values, truth) in [(&means, MEAN), (&medians, MEDIAN)] {
        // The truth is the truth: 20,000 runs come to it but for the error of their mean.
        let all = Sample::of(values).unwrap();
        let deviation = (all.mean - truth) / all.standard_error().unwrap();
        assert!(deviation.abs() < 3.0, "{} instead of {truth}: {deviation} s.e.", all.mean);
    }
    let student = |values: &[f64], seed| interval("stale_window.mean", values, seed).unwrap();
    let bootstrap = |values: &[f64], seed| interval("stale_window.median", values, seed).unwrap();
    for size in [10, 5, 2] {
        let what = format!("Student, {size} runs");
        assert_within(coverage(&means, size, MEAN, student), 0.93..=0.97, &what);
    }
    let what = "bootstrap, 10 runs";
    assert_within(coverage(&medians, 10, MEDIAN, bootstrap), 0.93..=0.97, what);
    // Of five runs the percentiles are too coarse, of two the interval ends at the two values, which
    // have the truth between them half of the time.
    let what = "bootstrap, 5 runs";
    assert_within(coverage(&medians, 5, MEDIAN, bootstrap), 0.90..=0.97, what);
    let what = "bootstrap, 2 runs";
    assert_within(coverage(&medians[..4_000], 2, MEDIAN, bootstrap), 0.45..=0.55, what);
}
