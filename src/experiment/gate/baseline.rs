//! Baselines: what a study gave when somebody looked at it and found it right.
//!
//! ```text
//! point,dns.ttl,runs,fingerprint,leaves,departures,…
//! 0,60s,10,587c443f2a3b38c7,6697,28,…
//! ```
//!
//! One row a point of the sweep, with the varied keys, the number of runs, the mix of the runs'
//! fingerprints in their order (of a single run, its own), and the mean over the runs of each
//! headline metric, which is empty where there is none. Numbers are written with as many digits as it
//! takes to read the same number back, in one way: so texts can be compared.
//!
//! The file is held to its form strictly, since it is committed and merged: a line that is cut off,
//! edited by hand into another form, or left with marks of a conflict is an error with its place.

mod read;

use crate::experiment::cell::Study;
use crate::experiment::summary::Summary;
use crate::metrics::codebook;
use crate::metrics::tables::RunOutput;
use crate::rng::mix2;

pub use read::{BaselineError, Flaw};

/// The first column.
const POINT: &str = "point";

/// The columns behind the varied keys.
const RUNS: [&str; 2] = ["runs", "fingerprint"];

/// What a study gives, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The varied keys.
    pub keys: Vec<String>,
    /// The metrics, in the order of the codebook.
    pub metrics: Vec<String>,
    /// The points in their order.
    pub rows: Vec<BaselineRow>,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineRow {
    /// The values of the varied keys.
    pub values: Vec<String>,
    /// How many runs there are.
    pub runs: usize,
    /// The mix of their fingerprints.
    pub fingerprint: u64,
    /// The mean of each metric, where it has one.
    pub means: Vec<Option<String>>,
}

impl Baseline {
    /// What this study gave. No run may be missing.
    #[must_use]
    pub fn of(study: &Study, outputs: &[RunOutput], summary: &Summary) -> Self {
        let metrics = metrics_of(summary);
        let row = |point: &crate::experiment::summary::PointSummary| BaselineRow {
            values: point.varied.clone(),
            runs: point.runs,
            fingerprint: mixed(
                outputs
                    .iter()
                    .filter(|output| study.cells[output.run as usize].point == point.point)
                    .map(|output| output.fingerprint),
            ),
            means: metrics
                .iter()
                .map(|metric| point.mean(metric).map(|mean| mean.to_string()))
                .collect(),
        };
        let rows = summary.points.iter().map(row).collect();
        Self { keys: study.varied.clone(), metrics, rows }
    }

    /// The text of the file.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut lines = csv::Writer::from_writer(Vec::new());
        let mut columns = vec![POINT];
        columns.extend(self.keys.iter().map(String::as_str));
        columns.extend(RUNS);
        columns.extend(self.metrics.iter().map(String::as_str));
        lines.write_record(&columns).expect("writing to memory does not fail");
        for (point, row) in self.rows.iter().enumerate() {
            let mut fields = vec![point.to_string()];
            fields.extend(row.values.iter().cloned());
            fields.extend([row.runs.to_string(), format!("{:016x}", row.fingerprint)]);
            fields.extend(row.means.iter().map(|mean| mean.clone().unwrap_or_default()));
            lines.write_record(&fields).expect("every row has as many fields as there are columns");
        }
        let bytes = lines.into_inner().expect("writing to memory does not fail");
        String::from_utf8(bytes).expect("fields are text")
    }
}

/// All metrics that some point has, in the order of the codebook. (Points can differ: a protocol
/// that is not spoken has no column.)
fn metrics_of(summary: &Summary) -> Vec<String> {
    let known = |name: &str| summary.points.iter().any(|point| point.estimate(name).is_some());
    let in_codebook = codebook::metrics().iter().map(|metric| metric.name.as_str());
    in_codebook.filter(|name| known(name)).map(str::to_owned).collect()
}

/// Fingerprints in their order as one; a single one stays as it is.
pub(in crate::experiment) fn mixed(fingerprints: impl Iterator<Item = u64>) -> u64 {
    fingerprints.reduce(mix2).unwrap_or_default()
}

#[cfg(test)]
mod tests;
