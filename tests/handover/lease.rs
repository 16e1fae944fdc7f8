//! The lease: one claimant a departure.

use std::fs;
use std::path::Path;

use crate::run;

fn study(more: &[&str]) -> overcord::metrics::tables::RunOutput {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/studies/lease.toml");
    let text = fs::read_to_string(path).expect("the study is shipped");
    run(&text, more)
}

/// A thousand crashes with a TTL of 60 s and caches that are shared, so that all are old together.
#[test]
fn one_member_claims_at_each_of_a_thousand_crashes() {
    let output = study(&[]);
    let value = |name| output.headline.value(name).expect("it is a metric");
    assert!(value("departures") >= 1_000.0);
    assert!(value("claimants.mean") <= 1.01, "{}", value("claimants.mean"));
    assert_eq!(value("false_claims"), 0.0);
    assert_eq!(value("split_brain_share"), 0.0);
    // Nobody waits for anything but tests: a departure is found in half a minute.
    let detect = output.handovers.iter().map(|row| row.anatomy.detect.as_secs_f64());
    let late = detect.filter(|&it| it > 35.0).count();
    assert!(late < 5, "{late}");
}

/// The storm that it ends.
#[test]
fn the_papers_design_raises_a_storm_where_the_lease_does_not() {
    let more = ["handover.strategy=dyndns", "stop.after_departures=60"];
    let claimants = study(&more).headline.value("claimants.mean");
    assert!(claimants > Some(5.0), "{claimants:?}");
}
