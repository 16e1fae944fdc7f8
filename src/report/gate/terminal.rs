//! Verdicts for a terminal.

use super::cases::{Kind, cases};
use super::markdown::verdicts;
use super::{count, word};
use crate::experiment::gate::{Judgement, Severity};

/// Of one case, so many facts are shown; the JUnit file has all.
const MOST_FACTS: usize = 20;

/// The text of one judgement: a line, then what was judged.
#[must_use]
pub fn terminal(judgement: &Judgement) -> String {
    let cases = cases(judgement);
    let verdict = word(judgement.severity());
    let runs = count(judgement.runs, "run");
    let mut text = format!("{}: {verdict}, {runs}", judgement.scenario);
    for kind in [Kind::Budget, Kind::Baseline] {
        let told = verdicts(&cases, kind);
        if told != "–" {
            text.push_str(&format!("; {} {told}", kind.word()));
        }
    }
    text.push('\n');
    for case in cases {
        // What passes is one line, and of the baseline none: the first line says it.
        if case.severity == Severity::Pass && case.kind == Kind::Baseline && case.facts.is_empty() {
            continue;
        }
        text.push_str(&format!("  {:<13} {}\n", case.verdict, case.name));
        let is_bad = case.severity > Severity::Pass;
        text.push_str(&format!("  {:13} {}\n", "", case.summary));
        if case.kind == Kind::Baseline && (is_bad || case.verdict == "blessed") {
            let lines = case.lines();
            for line in lines.iter().take(MOST_FACTS) {
                text.push_str(&format!("  {:13}   {line}\n", ""));
            }
            if let Some(more) = lines.len().checked_sub(MOST_FACTS).filter(|more| *more > 0) {
                text.push_str(&format!("  {:13}   and {more} more\n", ""));
            }
        }
    }
    text
}
