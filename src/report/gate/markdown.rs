//! Markdown for the summary page of a CI job: one short table, then in detail what did not pass.
//!
//! GitHub refuses a summary of more than 1 MiB a step altogether, so the text ends at
//! [`MOST_BYTES`], between two cases, and says what is left out.

use super::cases::{Case, Kind, cases};
use super::{one_line, severity, word};
use crate::experiment::gate::{Judgement, Severity};
use crate::report::quantity::count;

/// The text is never longer than this.
pub const MOST_BYTES: usize = 128 * 1024;

/// Of one case, so many facts are shown.
const MOST_FACTS: usize = 200;

/// What is kept free for the last line.
const RESERVE: usize = 256;

/// The Markdown of all judgements.
#[must_use]
pub fn markdown(judgements: &[Judgement]) -> String {
    let mut page = Page { text: String::new(), left_out: 0 };
    page.add(&format!("### overcord gate: {}\n\n", word(severity(judgements))));
    page.add("| scenario | verdict | runs | budgets | baseline |\n|---|---|---|---|---|\n");
    let told: Vec<_> = judgements.iter().map(|judgement| (judgement, cases(judgement))).collect();
    for (judgement, cases) in &told {
        page.add(&row(judgement, cases));
    }
    for (judgement, cases) in &told {
        let wrong: Vec<_> = cases.iter().filter(|case| case.severity > Severity::Pass).collect();
        if wrong.is_empty() {
            continue;
        }
        page.add(&format!("\n#### {}\n", judgement.scenario));
        for case in wrong {
            page.add(&detail(case));
        }
    }
    page.finish()
}

struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    /// Adds a part if there is room for the whole of it, and nothing is missing before it.
    fn add(&mut self, part: &str) {
        if self.left_out == 0 && self.text.len() + part.len() + RESERVE <= MOST_BYTES {
            self.text.push_str(part);
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let parts = count(self.left_out, "part");
            self.text.push_str(&format!(
                "\n{parts} of this page left out, since it would be too long: the JUnit file has all.\n"
            ));
        }
        self.text
    }
}

fn row(judgement: &Judgement, cases: &[Case]) -> String {
    let verdict = match judgement.severity() {
        Severity::Pass => word(Severity::Pass).to_owned(),
        wrong => format!("**{}**", word(wrong)),
    };
    let (name, runs) = (&judgement.scenario, judgement.runs);
    let (budgets, baseline) = (verdicts(cases, Kind::Budget), verdicts(cases, Kind::Baseline));
    format!("| {} | {verdict} | {runs} | {budgets} | {baseline} |\n", code(name))
}

/// The verdicts of one kind with their numbers: `2 kept, 1 broken`.
pub(super) fn verdicts(cases: &[Case], kind: Kind) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for case in cases.iter().filter(|case| case.kind == kind) {
        match counts.iter_mut().find(|(verdict, _)| *verdict == case.verdict) {
            Some((_, number)) => *number += 1,
            None => counts.push((case.verdict, 1)),
        }
    }
    match &counts[..] {
        [] => "–".to_owned(),
        [(verdict, 1)] if kind == Kind::Baseline => (*verdict).to_owned(),
        counts => {
            let told = counts.iter().map(|(verdict, number)| format!("{number} {verdict}"));
            told.collect::<Vec<_>>().join(", ")
        }
    }
}

fn detail(case: &Case) -> String {
    let mut text =
        format!("\n{} – **{}**: {}\n", code(&case.name), case.verdict, plain(&case.brief));
    let is_table = case.kind == Kind::Baseline && !case.facts.is_empty();
    if !is_table {
        return text;
    }
    text.push_str("\n| | baseline | now | change |\n|---|---:|---:|---:|\n");
    for [what, old, new, change] in case.facts.iter().take(MOST_FACTS) {
        let row =
            format!("| {} | {} | {} | {} |\n", code(what), code(old), code(new), plain(change));
        text.push_str(&row);
    }
    if let Some(more) = case.facts.len().checked_sub(MOST_FACTS).filter(|more| *more > 0) {
        text.push_str(&format!("\nand {more} more\n"));
    }
    text
}

/// A text as code, inside a table or outside; it never ends the line.
fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return text;
    }
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// A text that is nothing but itself.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if "\\`*_{}[]<>#|~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
