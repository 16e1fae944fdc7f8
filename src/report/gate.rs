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

/// A text in one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
