//! `[budget]`: limits on headline metrics, which `overcord gate` judges.
//!
//! ```toml
//! [budget]
//! "handover.outage.p95" = "<= 120s"
//! "requests.failed_interop" = { limit = "<= 5%", column = "max", at = { "dns.ttl" = "60s" } }
//! "stale_window.mean" = [{ limit = "<= 3", column = "deviation" }, { limit = ">= -3", column = "deviation" }]
//! ```
//!
//! A key is the name of a headline metric, quoted or as nested tables, with or without the prefix
//! that says what it is about (`handover.`, `requests.`). A value is a limit, a comparison and a
//! quantity in the unit of the metric; or a table that also names another column of `summary.csv`
//! than the mean, or chosen points of the sweep; or a list of these, all of which must hold.
//!
//! The section is no part of what is simulated, and not in the schema that
//! [`walk`](super::walk) checks a file against, since its keys are names of metrics. It is
//! [`read`] here, once the points of the sweep are known. What is measured is not looked at: that is
//! [`experiment::gate`](crate::experiment::gate).

mod limit;
mod read;
pub mod reference;
#[cfg(test)]
mod tests;

use std::fmt;

pub use limit::{Comparison, Limit};
pub use read::{parse, read};

use super::document::{Node, Path};
use super::problem::Problem;
use super::sweep::Sweep;
use crate::metrics::codebook::{self, Unit};
use crate::units::{Duration, Ratio};

/// The prefix of the parts of a handover episode.
const HANDOVER: &str = "handover.";

/// The prefix of what becomes of requests.
const REQUESTS: &str = "requests.";

/// A limit on one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// The metric as written, such as `handover.outage.p95`.
    pub key: String,
    /// Its name in `runs.csv`, such as `outage.p95`.
    pub metric: String,
    /// What is limited of it.
    pub column: Column,
    /// The limit.
    pub limit: Limit,
    /// At which points of the sweep it holds: each of these keys has one of its values, written as
    /// the points have them. Empty: at all points.
    pub at: Vec<(String, Vec<String>)>,
}

impl Budget {
    /// Whether it holds for the point with these values of the varied keys.
    #[must_use]
    pub fn is_about(&self, keys: &[String], values: &[String]) -> bool {
        is_chosen(&self.at, keys, values)
    }

    /// What a value of it counts.
    #[must_use]
    pub fn unit(&self) -> Unit {
        let unit = codebook::unit_of(&self.metric);
        self.column.unit(unit)
    }
}

/// As written: `handover.outage.p95 <= 120s`, `max of handover.outage.p95 <= 120s`.
impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Column::Mean => write!(f, "{} {}", self.key, self.limit),
            column => write!(f, "{column} of {} {}", self.key, self.limit),
        }
    }
}

/// A number that `summary.csv` has of every metric and point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The mean over the runs.
    Mean,
    /// Their standard deviation.
    Sd,
    /// In how many runs there is a value.
    N,
    /// The largest of the runs.
    Max,
    /// The lower end of the 95 % interval of the mean.
    Low,
    /// Its upper end.
    High,
    /// The standard error of the mean.
    StandardError,
    /// What a closed form gives.
    Theory,
    /// How far the mean is above that, in standard errors.
    Deviation,
}

impl Column {
    /// All columns, in the order of `summary.csv`.
    pub const ALL: [Self; 9] = [
        Self::Mean,
        Self::Sd,
        Self::N,
        Self::Max,
        Self::Low,
        Self::High,
        Self::StandardError,
        Self::Theory,
        Self::Deviation,
    ];

    /// Its name in `summary.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sd => "sd",
            Self::N => "n",
            Self::Max => "max",
            Self::Low => "low",
            Self::High => "high",
            Self::StandardError => "standard_error",
            Self::Theory => "theory",
            Self::Deviation => "deviation",
        }
    }

    /// What it counts, of a metric that counts `metric`.
    const fn unit(self, metric: Unit) -> Unit {
        match self {
            Self::N => Unit::Count,
            Self::Deviation => Unit::StandardErrors,
            _ => metric,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The points of a study, as budgets choose from them.
#[derive(Clone, Debug, Default)]
pub struct Points<'a> {
    /// The varied keys.
    pub keys: &'a [String],
    /// Their values at each point, as they are shown.
    pub values: Vec<&'a [String]>,
}

/// The budgets of a scenario whose section, if it has one, was taken out of it.
///
/// # Errors
/// All that is wrong with them.
pub fn of(section: Option<&Node>, sweep: &Sweep) -> Result<Vec<Budget>, Vec<Problem>> {
    let Some(section) = section else { return Ok(Vec::new()) };
    let values = sweep.points.iter().map(|point| point.labels.as_slice()).collect();
    read(section, &Path::of("budget"), &Points { keys: &sweep.varied, values })
}

/// The name in `runs.csv` of a metric as written in a budget; `None` when there is no such metric.
#[must_use]
pub fn canonical(key: &str) -> Option<&'static str> {
    let named = |name: &str| codebook::metric(name).map(|metric| metric.name.as_str());
    let prefixed = |prefix: &str| key.strip_prefix(prefix).and_then(named);
    named(key)
        .or_else(|| prefixed(HANDOVER).filter(|name| is_of_handover(name)))
        .or_else(|| prefixed(REQUESTS).filter(|name| is_of_requests(name)))
}

/// Whether a metric is about a phase of a handover, or a sum of phases.
fn is_of_handover(name: &str) -> bool {
    let part = name.split('.').next().unwrap_or(name);
    crate::metrics::headline::PARTS.iter().any(|(other, _)| *other == part)
}

/// Whether a metric is about what becomes of requests.
fn is_of_requests(name: &str) -> bool {
    use crate::metrics::headline::{FAILED_CALLEE, FAILED_INTEROP};
    [FAILED_INTEROP, FAILED_CALLEE, "unfinished"].contains(&name)
        || name.starts_with("request_delay.")
}

/// Whether the point with these values of the varied keys has, of each chosen key, a chosen value.
fn is_chosen(at: &[(String, Vec<String>)], keys: &[String], values: &[String]) -> bool {
    at.iter().all(|(key, wanted)| {
        let place = keys.iter().position(|other| other == key);
        place.and_then(|place| values.get(place)).is_some_and(|value| wanted.contains(value))
    })
}

/// Whether two texts of a value say the same: also `1m` and `60s`.
fn is_same_value(one: &str, other: &str) -> bool {
    fn equal<Q: std::str::FromStr + PartialEq>(one: &str, other: &str) -> bool {
        matches!((one.parse::<Q>(), other.parse::<Q>()), (Ok(one), Ok(other)) if one == other)
    }
    one == other || equal::<Duration>(one, other) || equal::<Ratio>(one, other)
}
