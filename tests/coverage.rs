//! Do 95 % intervals contain the truth in 95 % of all studies?
//!
//! Judged by simulation on `scenarios/theory-stale.toml`, whose mean stale window is known. The
//! runs are shortened to ten departures each; they end between two departures, since one that is
//! cut off would shorten a window. Ten replications make a study, and 2,000 studies, none of which
//! shares a seed with another, say how often the interval of a study contains the known mean.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::experiment::statistics::{Interval, Sample};
use overcord::scenario::Scenario;

/// Replications of a study.
const RUNS: usize = 10;
const STUDIES: usize = 2_000;

/// Stale windows of a run.
const DEPARTURES: u64 = 10;

/// The seed of the first run; the others follow it.
const FIRST_SEED: u64 = 1_000_000;

fn simulator() -> Simulator {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("scenarios/theory-stale.toml");
    let bytes = fs::read(&path).unwrap();
    // The last departure is at most a minute after 100 minutes, the last window ends a minute later.
    let changes = ["warmup=5m", "duration=105m", "overlay.nodes=4", "timeline_bin=105m"];
    let changes = changes.map(str::to_owned);
    let scenario = Scenario::parse("theory-stale.toml", &bytes, &root.join("scenarios"), &changes)
        .unwrap_or_else(|report| panic!("{report}"));
    Simulator::new(scenario.plan, None, false)
}

/// Mean and median of the stale windows of every run, in the order of the seeds.
fn simulate(runs: u64) -> Vec<[f64; 2]> {
    let simulator = simulator();
    let one = |seed: u64| {
        let output = simulator.run(0, FIRST_SEED + seed, None, &mut |_| {}).unwrap();
        assert_eq!(output.stale.len() as u64, DEPARTURES, "seed {seed}");
        ["stale_window.mean", "stale_window.median"].map(|it| output.headline.value(it).unwrap())
    };
    (0..runs).map(one).collect()
}

#[test]
fn probe() {
    let start = std::time::Instant::now();
    let values = simulate(2000);
    println!("{:?}", start.elapsed());
    for m in 0..2 {
        let all: Vec<f64> = values.iter().map(|it| it[m]).collect();
        println!("{:?} {:?}", Sample::of(&all), Sample::of(&all).unwrap().standard_error());
    }
}
