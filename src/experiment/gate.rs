//! The verdict on a study: does it keep its budgets, and does it still give what its committed
//! baseline says?
//!
//! Simulated time carries no noise, so a baseline is compared exactly, number by number; a budget
//! bounds what may come out at all, and has the 95 % interval of the mean as its tolerance. A
//! [`Judgement`] is all that can be said about one study; [`Severity`] is what it comes to.
//!
//! Nothing here touches a disk. Texts of baselines come in and go out; how a judgement is told is
//! [`report::gate`](../../report/gate/index.html)'s business.

pub mod baseline;
pub mod budgets;
pub mod compare;

use crate::scenario::sweep::told_pairs;
use std::fmt;

pub use baseline::{Baseline, BaselineError};
pub use budgets::{Judged, Verdict};
pub use compare::{ColumnChange, Comparison, MetricChange, PointChange, PointComparison};

use crate::experiment::cell::Study;
use crate::experiment::run::Outcome;
use crate::experiment::summary::Summary;
use crate::scenario::budget::Budget;

/// What a verdict comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is as it should be.
    Pass,
    /// It cannot be told.
    Inconclusive,
    /// It is not as it should be.
    Fail,
}

/// A point of a sweep: the varied keys with their values there; without a sweep, none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointLabel(pub Vec<(String, String)>);

impl PointLabel {
    /// The point at which these keys have these values.
    #[must_use]
    pub fn new(keys: &[String], values: &[String]) -> Self {
        Self(keys.iter().cloned().zip(values.iter().cloned()).collect())
    }
}

/// `dns.ttl = 60s, overlay.nodes = 200`, without keys to which the point leaves the scenario's own
/// value; nothing without a sweep.
impl fmt::Display for PointLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = told_pairs(self.0.iter().map(|(key, value)| (key, value)));
        let as_it_stands = told.is_empty() && !self.0.is_empty();
        f.write_str(if as_it_stands { "the scenario as it stands" } else { &told })
    }
}

/// How a study stands to its baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// There is none; it would be this file.
    Missing {
        /// The file.
        path: String,
    },
    /// It was compared.
    Compared(Comparison),
    /// The study has become the baseline.
    Blessed {
        /// How it differed from the one before, if there was one that could be read.
        before: Option<Comparison>,
    },
    /// Runs failed, so that there is nothing whole to compare.
    NotCompared,
}

impl Standing {
    /// What it comes to. Runs that failed speak for themselves.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Missing { .. } => Severity::Fail,
            Self::Compared(comparison) if !comparison.is_same() => Severity::Fail,
            Self::Compared(_) | Self::Blessed { .. } | Self::NotCompared => Severity::Pass,
        }
    }
}

/// All that can be said about one study.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The scenario.
    pub scenario: String,
    /// How many runs the study has.
    pub runs: usize,
    /// What went wrong with runs: those that failed, and stories that did not come about.
    pub complaints: Vec<String>,
    /// The budgets, each at each point that it is about.
    pub budgets: Vec<Judged>,
    /// The baseline.
    pub baseline: Standing,
}

impl Judgement {
    /// Judges a study that was carried out. `complaints` are what is wrong with its stories.
    #[must_use]
    pub fn new(
        study: &Study,
        outcome: &Outcome,
        summary: &Summary,
        budgets: &[Budget],
        baseline: Standing,
        complaints: Vec<String>,
    ) -> Self {
        let failed = outcome.failures.iter().map(|failure| {
            let seed = study.cells[failure.run as usize].seed;
            format!("run {} (seed {seed}) failed: {}", failure.run, failure.message)
        });
        Self {
            scenario: study.scenario.clone(),
            runs: study.cells.len(),
            complaints: failed.chain(complaints).collect(),
            budgets: budgets::judge(study, summary, budgets),
            baseline,
        }
    }

    /// What it comes to: the worst of all verdicts.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let complaints = if self.complaints.is_empty() { Severity::Pass } else { Severity::Fail };
        let budgets = self.budgets.iter().map(|judged| judged.verdict.severity());
        budgets.max().unwrap_or(Severity::Pass).max(self.baseline.severity()).max(complaints)
    }
}

#[cfg(test)]
pub(crate) mod tests;
