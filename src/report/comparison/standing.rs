//! What makes the tables stand alone, as in the appendix of a paper: which runs they are of, and what
//! their columns are.

use std::fmt::Write as _;

use super::told::{Told, all};
use super::{Compared, row};
use crate::experiment::cell::{ENGINE, StudyPoint};
use crate::metrics::codebook::{VALID, definition};
use crate::report::quantity::{count, number, span};
use crate::time::SimDuration;

/// The parts of `restore`, and what `outage` has beside it.
const PARTS: [(&str, &str); 6] = [
    ("detect", "restore"),
    ("claim", "restore"),
    ("update", "restore"),
    ("publish", "restore"),
    ("cache", "restore"),
    ("recover", "outage"),
];

/// As many digits of the engine's digest as the folder of its cells has.
const ENGINE_DIGITS: usize = 12;

impl Compared<'_> {
    /// The scenario, and by what and how often it was simulated.
    pub(super) fn head(&self) -> String {
        let study = self.study;
        let mut text = format!("# {}\n\n", study.scenario);
        if !study.description.is_empty() {
            let _ = writeln!(text, "{}.\n", study.description.trim_end_matches('.'));
        }
        let _ = writeln!(
            text,
            "* overcord {}, engine `{}`, study `{}`",
            env!("CARGO_PKG_VERSION"),
            &ENGINE[..ENGINE_DIGITS],
            study.id()
        );
        let _ = writeln!(text, "* {}", self.runs());
        let _ = writeln!(text, "* {}", self.length());
        text.push_str(
            "* the scenario is `scenario.toml`, with every default `effective/`; these numbers with \
             their intervals are `comparison.csv`\n",
        );
        text
    }

    /// `90 runs, 10 at each of 9 points: seeds 2009 to 2018`.
    pub(crate) fn runs(&self) -> String {
        let of_points = || self.outputs.iter().map(|runs| runs.len());
        let (least, most) = (of_points().min().unwrap_or(0), of_points().max().unwrap_or(0));
        let each = if least == most { number(most as f64) } else { format!("{least} to {most}") };
        let seeds = || self.outputs.iter().flat_map(|runs| runs.keys());
        let seeds = match (seeds().min(), seeds().max()) {
            (Some(first), Some(last)) if first == last => format!(": seed {first}"),
            (Some(first), Some(last)) => format!(": seeds {first} to {last}"),
            _ => String::new(),
        };
        let (runs, points) = (of_points().sum(), self.outputs.len());
        format!("{}, {each} at each of {}{seeds}", count(runs, "run"), count(points, "point"))
    }

    /// `4 h of simulated time each, of which the first 30 min are not counted`.
    pub(crate) fn length(&self) -> String {
        let points = || self.study.points.iter();
        let range = |of: fn(&StudyPoint) -> Option<SimDuration>| {
            let all = || points().filter_map(of).map(SimDuration::as_secs_f64);
            let (least, most) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
            let far = if least < most { format!("{} to ", span(least)) } else { String::new() };
            Some((format!("{far}{}", span(most)), most))
        };
        let length = range(|point| point.duration).map_or_else(String::new, |it| it.0);
        let mut text = format!("{length} of simulated time each").trim_start().to_owned();
        if let Some(stop) = points().filter_map(|point| point.stop_after_departures).max() {
            let _ = write!(text, " at most, up to {}", count(stop as usize, "departure"));
        }
        let warmup = range(|point| Some(point.warmup.since(crate::time::SimTime::ZERO)));
        if let Some((warmup, _)) = warmup.filter(|(_, most)| *most > 0.0) {
            let _ = write!(text, ", of which the first {warmup} are not counted");
        }
        text
    }

    /// What the columns are that the tables have, in the words of the codebook.
    pub(super) fn definitions(&self) -> String {
        let has = |name: &'static str| {
            let points = self.groups.iter().flat_map(|group| &group.members);
            points.into_iter().any(|(_, point)| self.value(point, name).is_some())
        };
        let mut text = format!("\n## What the columns are\n\n{VALID}\n\n");
        row(&mut text, ["column", "metric", "definition"]);
        text.push_str("|---|---|---|\n");
        let mut line = |column: &str, name: &str| {
            let about = definition(name).unwrap_or_default();
            row(&mut text, [column, &format!("`{name}`"), &about]);
        };
        for Told { name, column, .. } in all().filter(|told| has(told.name)) {
            line(column, name);
        }
        if has("outage.median") {
            for (part, of) in PARTS {
                line(&format!("part of {of}"), part);
            }
        }
        text
    }
}
