//! How verdicts are told: to a terminal, to the summary page of a CI job (Markdown), to what reads
//! test results (JUnit XML), and to what tracks numbers over commits (JSON).
//!
//! All of these tell the same [`cases`]: one a budget and point, one a point of the baseline, one a
//! complaint. The texts hang on the judgements alone: no time of day, no host, no path but that of a
//! missing baseline.

pub mod cases;
pub mod junit;
pub mod markdown;
pub mod terminal;
pub mod tracker;

use crate::experiment::gate::{Judgement, Severity};

/// What several studies come to: the worst of their verdicts.
#[must_use]
pub fn severity(judgements: &[Judgement]) -> Severity {
    judgements.iter().map(Judgement::severity).max().unwrap_or(Severity::Pass)
}

/// What a verdict comes to, in a word.
const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Pass => "passed",
        Severity::Inconclusive => "inconclusive",
        Severity::Fail => "failed",
    }
}

/// So many things: `1 budget`, `3 budgets`.
fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests;
