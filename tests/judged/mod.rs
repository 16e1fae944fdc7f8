//! Runs of scenarios in which every component is judged.

#![allow(dead_code, reason = "not every test that runs scenarios asks for everything")]

use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::RunOutput;
use overcord::scenario::Scenario;

/// The first run of a scenario with assignments.
pub(crate) fn run(text: &str, assignments: &[&str]) -> RunOutput {
    let scenario = read(text, assignments);
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    simulator.run(0, seed, None, &mut |_| {}).unwrap_or_else(|it| panic!("{assignments:?}: {it:?}"))
}

/// A scenario with assignments.
pub(crate) fn read(text: &str, assignments: &[&str]) -> Scenario {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    Scenario::parse("test.toml", text.as_bytes(), Path::new("."), &assignments)
        .unwrap_or_else(|report| panic!("{report}"))
}

/// A headline metric that has a value.
pub(crate) fn value(output: &RunOutput, metric: &str) -> f64 {
    output.headline.value(metric).unwrap_or_else(|| panic!("{metric} has a value"))
}
