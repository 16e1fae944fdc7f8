//! JSON for what tracks numbers over commits: `customSmallerIsBetter` of github-action-benchmark,
//! which other trackers read too.
//!
//! A list of `{ name, unit, value, range, extra }`, one a point and metric. Only metrics that the
//! codebook says are better when smaller are there, and only where they have a value. The name is
//! stable as long as scenario, point and metric are.

use serde::Serialize;

use crate::experiment::gate::PointLabel;
use crate::experiment::summary::{Estimate, PointSummary, Summary};
use crate::metrics::codebook::{self, Better};
use crate::report::quantity;

/// A number to be tracked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// `<scenario>/<point>/<metric>`; the point only where there is a sweep.
    pub name: String,
    /// A short word.
    pub unit: &'static str,
    /// The mean over the runs.
    pub value: f64,
    /// Half the width of its 95 % interval, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// More about it, shown beside the number.
    pub extra: String,
}

/// The numbers of a study.
#[must_use]
pub fn entries(scenario: &str, summary: &Summary) -> Vec<Entry> {
    let of_point = |point: &PointSummary| {
        let label = PointLabel::new(&summary.varied, &point.varied).to_string();
        let beginning =
            if label.is_empty() { scenario.to_owned() } else { format!("{scenario}/{label}") };
        let of_one = |estimate: &Estimate| entry(&beginning, estimate, point.runs);
        point.estimates.iter().filter_map(of_one).collect::<Vec<_>>()
    };
    summary.points.iter().flat_map(of_point).collect()
}

fn entry(beginning: &str, estimate: &Estimate, runs: usize) -> Option<Entry> {
    let metric = codebook::metric(&estimate.metric)?;
    let value = estimate.mean().filter(|_| metric.better == Better::Lower)?;
    let interval = estimate.interval;
    let mut extra = format!("mean of {}", quantity::count(runs, "run"));
    if let Some(interval) = interval {
        extra.push_str(&format!("\n95 % interval {} to {}", interval.low, interval.high));
    }
    Some(Entry {
        name: format!("{beginning}/{}", metric.name),
        unit: metric.unit.word(),
        value,
        range: interval.map(|interval| format!("± {}", interval.half())),
        extra,
    })
}

/// The JSON of some numbers.
#[must_use]
pub fn tracker(entries: &[Entry]) -> String {
    let mut text = serde_json::to_string_pretty(entries).expect("numbers are finite");
    text.push('\n');
    text
}
