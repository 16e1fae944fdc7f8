//! The caller domains one by one: what each lived through.

use std::collections::BTreeMap;

use super::Grid;
use crate::experiment::cell::Study;
use crate::experiment::run::Outcome;
use crate::metrics::distribution::{KaplanMeier, mean};
use crate::metrics::headline::{RequestTally, counted_handovers, lasted};
use crate::metrics::tables::{Anatomy, HandoverRow, RequestRow, RunOutput};
use crate::report::quantity::{number, percent, span};
use crate::time::SimDuration;

/// What the runs of one point say about one domain.
#[derive(Default)]
struct Domain<'a> {
    episodes: Vec<&'a HandoverRow>,
    requests: Vec<&'a RequestRow>,
}

/// The caller domains of one point, over all its runs.
pub(super) struct Callers<'a> {
    by_name: BTreeMap<&'a str, Domain<'a>>,
    /// Whether they send requests.
    ask: bool,
    runs: usize,
}

impl<'a> Callers<'a> {
    pub(super) fn of(study: &Study, outcome: &'a Outcome, point: u32) -> Self {
        let mut by_name: BTreeMap<&str, Domain<'_>> = BTreeMap::new();
        let spec = |output: &RunOutput| &study.cells[output.run as usize];
        let outputs = || outcome.outputs.iter().filter(|output| spec(output).point == point);
        for output in outputs() {
            for row in counted_handovers(&output.handovers, spec(output).warmup) {
                by_name.entry(&row.caller).or_default().episodes.push(row);
            }
            for row in &output.requests {
                by_name.entry(&row.caller).or_default().requests.push(row);
            }
        }
        Self { by_name, ask: outputs().any(RunOutput::has_requests), runs: outputs().count() }
    }

    /// Adds a table of the domains, unless there is but one that only looks up: all is said of that.
    pub(super) fn write(&self, text: &mut String) {
        if self.by_name.is_empty() || (self.by_name.len() < 2 && !self.ask) {
            return;
        }
        let mut grid = Grid::default();
        let row = |cells: [String; 6], asked: [String; 3]| {
            let mut row = Vec::from(cells);
            if self.ask {
                row.extend(asked);
            }
            row
        };
        let head = |heads: [&str; 6], asked: [&str; 3]| {
            row(heads.map(str::to_owned), asked.map(str::to_owned))
        };
        let of_all = if self.runs > 1 { "all runs together:" } else { "" };
        grid.row(head([of_all, "", "outage", "", "", ""], ["", "failed:", ""]));
        grid.row(head(
            ["caller domain", "episodes", "median", "mean", "p95", "max"],
            ["requests", "interop", "callee"],
        ));
        for (name, domain) in &self.by_name {
            grid.row(row(domain.outage(name), domain.asked()));
        }
        text.push('\n');
        grid.write(text);
    }
}

fn shown(value: Option<f64>, words: fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), words)
}

impl Domain<'_> {
    fn outage(&self, name: &str) -> [String; 6] {
        let spans = lasted(self.episodes.iter().copied(), Anatomy::outage);
        let complete = spans.iter().filter(|it| !it.censored).map(|it| it.span);
        let (mean, longest) = (mean(complete), spans.iter().map(|it| it.span).max());
        let curve = KaplanMeier::new(spans);
        let seconds = |span: Option<SimDuration>| span.map(SimDuration::as_secs_f64);
        [
            name.to_owned(),
            number(self.episodes.len() as f64),
            shown(seconds(curve.quantile(0.5)), span),
            shown(mean, span),
            shown(seconds(curve.quantile(0.95)), span),
            shown(seconds(longest), span),
        ]
    }

    fn asked(&self) -> [String; 3] {
        let tally = RequestTally::of(self.requests.iter().copied());
        [
            number(tally.all as f64),
            shown(tally.share(tally.interop), percent),
            shown(tally.share(tally.callee), percent),
        ]
    }
}
