//! Is a start that has not settled told from one that has, on simulated runs?
//!
//! Twenty members under churn for six hours. Where they stand from the beginning, the state is
//! settled with or without a warm-up; where they trickle in over an hour, a warm-up is needed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::experiment::warmup::{Series, Unsettled, unsettled};
use overcord::metrics::tables::TimelineRow;
use overcord::scenario::Scenario;
use overcord::time::SimTime;

const SCENARIO: &str = "\
name = 'warmup'
duration = '6h'
timeline_bin = '1m'
[network]
latency = { model = 'constant', value = '40ms' }
[overlay]
nodes = 20
[overlay.chord]
stabilize = '3m'
fix_fingers = '15m'
check_predecessor = '3m'
[churn]
model = 'exponential'
session_mean = '20m'
downtime_mean = '20m'
";

/// The time lines of this many runs.
fn simulate(runs: u64, changes: &[&str]) -> Vec<Vec<TimelineRow>> {
    let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    let text = SCENARIO.as_bytes();
    let scenario = Scenario::parse("warmup.toml", text, Path::new("."), &changes)
        .unwrap_or_else(|report| panic!("{report}"));
    assert!(scenario.plan.settles());
    let simulator = Simulator::new(scenario.plan, None, false);
    (1..=runs).map(|seed| simulator.run(0, seed, None, &mut |_| {}).unwrap().timeline).collect()
}

/// What is told of each study of `size` runs with this warm-up.
fn told(runs: &[Vec<TimelineRow>], size: usize, minutes: u64) -> Vec<Option<Unsettled>> {
    let warmup = SimTime::from_secs(minutes * 60);
    let study = |runs: &[Vec<TimelineRow>]| unsettled(runs.iter().map(Vec::as_slice), warmup);
    runs.chunks_exact(size).map(study).collect()
}

#[test]
fn a_settled_start_is_not_told_of_and_a_cold_one_is() {
    let settled = simulate(100, &[]);
    for (size, studies) in [(3, 33), (5, 20), (10, 10)] {
        let alarms = told(&settled, size, 0).iter().flatten().count();
        // At 0.4 % a study, two of 33 come with a probability of 0.8 %.
        assert!(alarms <= 1, "{alarms} of {studies} studies of {size} runs");
    }
    let cold = simulate(300, &["overlay.chord.start=join", "overlay.start_spread=1h"]);
    // Of sixty and thirty.
    for (size, at_least) in [(5, 36), (10, 26)] {
        let unsettled: Vec<Unsettled> = told(&cold, size, 0).into_iter().flatten().collect();
        assert!(unsettled.len() >= at_least, "{} studies of {size} runs", unsettled.len());
        for it in &unsettled {
            assert!([Series::Members, Series::Messages].contains(&it.series), "{it:?}");
            assert!(it.early < it.later, "{it:?}");
            // The first quarter of an hour is cut off at least, three hours at most.
            assert!(it.until.is_some_and(|until| until > SimTime::from_secs(900)), "{it:?}");
        }
    }
    // With a warm-up of an hour and a half the same runs are settled.
    assert_eq!(told(&cold, 10, 90).iter().flatten().count(), 0);
}
