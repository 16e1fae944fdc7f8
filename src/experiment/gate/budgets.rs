//! Budgets against what was measured.

use super::{PointLabel, Severity};
use crate::experiment::cell::Study;
use crate::experiment::statistics::Interval;
use crate::experiment::summary::{Estimate, PointSummary, Summary};
use crate::scenario::budget::{Budget, Column, Comparison};

/// Whether a budget is kept at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Kept,
    /// It is not.
    Broken,
    /// The 95 % interval of the mean lies on both sides of the limit.
    Straddles,
    /// Some runs have no value, and the others keep it. Runs lose quantiles because too many of
    /// their episodes were not seen to the end, which are the bad ones: what is left over may not
    /// speak for them.
    Incomplete,
    /// There is no value at all. A budget that cannot be measured is not kept: with a run that hands
    /// over so badly that no episode closes, the metrics of handovers vanish.
    NoValue,
}

impl Verdict {
    /// What it comes to.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Kept => Severity::Pass,
            Self::Straddles | Self::Incomplete => Severity::Inconclusive,
            Self::Broken | Self::NoValue => Severity::Fail,
        }
    }
}

/// A budget at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The budget.
    pub budget: Budget,
    /// The point.
    pub point: PointLabel,
    /// What it limits.
    pub value: Option<f64>,
    /// The interval of the mean, where it is the mean that is limited.
    pub interval: Option<Interval>,
    /// In how many runs the metric has a value.
    pub n: usize,
    /// How many runs there are at the point.
    pub runs: usize,
    /// The verdict.
    pub verdict: Verdict,
}

/// Judges budgets, each at each point that it is about, in the order of the budgets.
#[must_use]
pub fn judge(study: &Study, summary: &Summary, budgets: &[Budget]) -> Vec<Judged> {
    let mut judged = Vec::new();
    for budget in budgets {
        for (number, point) in (0..).zip(&study.points) {
            if !budget.is_about(&study.varied, &point.varied) {
                continue;
            }
            let label = PointLabel::new(&study.varied, &point.varied);
            let measured = summary.points.iter().find(|point| point.point == number);
            judged.push(Judged::new(budget, label, measured));
        }
    }
    judged
}

impl Judged {
    /// Judges a budget at a point, of which there is no summary when all its runs failed.
    fn new(budget: &Budget, label: PointLabel, point: Option<&PointSummary>) -> Self {
        let estimate = point.and_then(|point| point.estimate(&budget.metric));
        let runs = point.map_or(0, |point| point.runs);
        let n = estimate.and_then(|it| it.sample).map_or(0, |sample| sample.n);
        let value = estimate.and_then(|estimate| value_of(estimate, budget.column));
        let is_mean = budget.column == Column::Mean;
        let interval = estimate.and_then(|it| it.interval).filter(|_| is_mean);
        let verdict = match value {
            None => Verdict::NoValue,
            Some(value) => verdict(budget, value, interval, n < runs),
        };
        Self { budget: budget.clone(), point: label, value, interval, n, runs, verdict }
    }
}

/// A column of an estimate.
fn value_of(estimate: &Estimate, column: Column) -> Option<f64> {
    let sample = estimate.sample;
    match column {
        Column::Mean => estimate.mean(),
        Column::Sd => sample?.sd,
        Column::N => Some(sample.map_or(0.0, |sample| sample.n as f64)),
        Column::Max => estimate.max(),
        Column::Low => Some(estimate.interval?.low),
        Column::High => Some(estimate.interval?.high),
        Column::StandardError => estimate.standard_error,
        Column::Theory => Some(estimate.theory.as_ref()?.value),
        Column::Deviation => estimate.deviation(),
    }
}

/// A limit against a value and its interval. A limit at which the value is to be exactly takes no
/// interval: none could confirm it.
fn verdict(budget: &Budget, value: f64, interval: Option<Interval>, incomplete: bool) -> Verdict {
    let limit = &budget.limit;
    let interval = interval.filter(|_| limit.comparison != Comparison::Exactly);
    let ends = interval.map_or([value, value], |interval| [interval.low, interval.high]);
    let incomplete = incomplete && !matches!(budget.column, Column::N | Column::Theory);
    match ends.map(|end| limit.holds(end)) {
        [false, false] => Verdict::Broken,
        [true, true] if incomplete => Verdict::Incomplete,
        [true, true] => Verdict::Kept,
        _ => Verdict::Straddles,
    }
}
