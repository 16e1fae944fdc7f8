//! Verdicts for a terminal.

use super::cases::{Kind, SAME, cases};
use super::markdown::verdicts;
use super::word;
use crate::experiment::gate::{Judgement, Severity};
use crate::report::quantity::count;

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
    // A point that is as it was is told by the first line.
    for case in cases.iter().filter(|case| case.verdict != SAME) {
        if case.kind == Kind::Budget && case.severity == Severity::Pass {
            let value = &case.facts[0][2];
            text.push_str(&format!("  {:<13} {}: {value}\n", case.verdict, case.name));
            continue;
        }
        text.push_str(&format!("  {:<13} {}\n", case.verdict, case.name));
        for line in case.brief.lines() {
            text.push_str(&format!("  {:13} {line}\n", ""));
        }
        if case.kind != Kind::Baseline {
            continue;
        }
        let lines = case.lines();
        for line in lines.iter().take(MOST_FACTS) {
            text.push_str(&format!("  {:13}   {line}\n", ""));
        }
        if let Some(more) = lines.len().checked_sub(MOST_FACTS).filter(|more| *more > 0) {
            text.push_str(&format!("  {:13}   and {more} more\n", ""));
        }
    }
    printable(&text)
}

/// A text that does nothing to a terminal but stand there.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}
