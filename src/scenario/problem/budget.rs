//! What can be wrong with a budget.

use thiserror::Error;

use super::{listed, suggest_or_list};
use crate::units::UnitError;

/// What can be wrong with a budget.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BudgetFault {
    /// A metric that does not exist.
    #[error("there is no metric `{name}`; {}", metrics(near))]
    NoMetric {
        /// The name as written.
        name: String,
        /// Those that may be meant.
        near: Vec<String>,
    },
    /// No comparison at the beginning of a limit.
    #[error(
        "expected `<=`, `>=`, `<`, `>` or `==` and a quantity, such as {example}, found \"{found}\""
    )]
    NoComparison {
        /// The text as written.
        found: String,
        /// A limit that could stand here.
        example: &'static str,
    },
    /// A quantity that cannot be read, or not in this unit.
    #[error("expected {expected}, such as {example}, found `{found}`{}", because(why.as_ref()))]
    Quantity {
        /// What could stand here.
        expected: &'static str,
        /// The quantity as written.
        found: String,
        /// What is wrong with it, when there is more to say.
        why: Option<UnitError>,
        /// A limit that could stand here.
        example: &'static str,
    },
    /// A metric with two budgets that are not in one list.
    #[error("`{metric}` has a budget already, as `{first}`: write both limits into one list")]
    Twice {
        /// The metric.
        metric: String,
        /// The key of the first.
        first: String,
    },
    /// A key of `at` that the sweep does not vary.
    #[error("the sweep does not vary `{key}`{}", suggest_or_list(key, nearest.as_ref(), known))]
    NotVaried {
        /// The key as written.
        key: String,
        /// The nearest that it varies, when one is near.
        nearest: Option<String>,
        /// All that it varies.
        known: Vec<String>,
    },
    /// A value that a varied key never has.
    #[error("`{key}` is {} in the sweep, never `{found}`", listed(known))]
    NoSuchValue {
        /// The key.
        key: String,
        /// The value as written.
        found: String,
        /// The values that it has.
        known: Vec<String>,
    },
    /// Values that no point has together.
    #[error("no point of the sweep has these values together")]
    NoPoint,
}

fn metrics(near: &[String]) -> String {
    if near.is_empty() {
        return "the names are the columns of runs.csv, such as `stale_share` or `outage.p95`"
            .to_owned();
    }
    format!("did you mean {}?", listed(near))
}

fn because(why: Option<&UnitError>) -> String {
    why.map_or_else(String::new, |why| format!(": {why}"))
}
