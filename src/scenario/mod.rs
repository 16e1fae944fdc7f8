//! Scenarios: from a file as written to a checked [`Plan`].
//!
//! ```text
//! text ──document──▶ tree with places ──walk──▶ every key and value sound by itself
//!      ──file──▶ File, as written ──check──▶ Plan ──effective──▶ File with every key
//! ```
//!
//! Nothing here touches a disk: the text comes in, a [`Plan`] or a [`Report`] goes out. What a trace
//! holds is not read here either; a run that takes its length from one is completed by
//! [`Scenario::with_trace_span`].

pub mod budget;
pub mod build;
pub mod check;
pub mod document;
pub mod effective;
pub mod file;
pub mod plan;
pub mod problem;
pub mod schema;
pub mod template;
pub mod walk;

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_story_input;
#[cfg(test)]
mod bad_user_input;
#[cfg(test)]
mod collisions;
#[cfg(test)]
mod good_input;

use std::path::Path;

pub use plan::Plan;
pub use problem::Report;

use crate::time::SimDuration;
use document::{Node, Place};
use file::File;
use plan::{ChurnSource, TracePlan};
use problem::{Fault, Problem, Sources};

/// A scenario that was read and found sound.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it says.
    pub plan: Plan,
    document: Node,
    sources: Sources,
}

impl Scenario {
    /// Reads a scenario. `name` is how the file is called in reports, `folder` what paths in it are
    /// relative to, `overrides` are assignments `key=value` in the order given.
    pub fn parse(
        name: &str,
        bytes: &[u8],
        folder: &Path,
        overrides: &[String],
    ) -> Result<Self, Report> {
        let sources = |text: &str| Sources {
            file: name.to_owned(),
            text: text.to_owned(),
            overrides: overrides.to_vec(),
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let offset = error.valid_up_to();
            let readable = String::from_utf8_lossy(&bytes[..offset]).into_owned();
            let place = Place { text: 0, span: offset..offset };
            let problem = Problem::new(place, document::Path::default(), Fault::NotText { offset });
            Report::new(sources(&readable), vec![problem])
        })?;
        let report = |problems| Report::new(sources(text), problems);
        let document = read(text, overrides).map_err(report)?;
        let plan = plan_of(&document, folder).map_err(report)?;
        Ok(Self { plan, document, sources: sources(text) })
    }

    /// Settles the length of a run that lasts as long as its trace, and judges once more what must
    /// lie before its end. A run with a length of its own stays as it is.
    pub fn with_trace_span(mut self, span: SimDuration) -> Result<Self, Report> {
        if self.plan.duration.is_some() {
            return Ok(self);
        }
        let problems = check::end_problems(&self.plan, &self.document, span);
        if !problems.is_empty() {
            return Err(Report::new(self.sources, problems));
        }
        self.plan.duration = Some(span);
        self.plan.timeline_bin.get_or_insert_with(|| Plan::usual_bin(span));
        Ok(self)
    }

    /// Judges what depends on the number of members, which a trace gives.
    pub fn with_trace_members(self, count: u64) -> Result<Self, Report> {
        let problems = check::member_problems(&self.plan, &self.document, count);
        if problems.is_empty() { Ok(self) } else { Err(Report::new(self.sources, problems)) }
    }

    /// Where the trace is named: file, line, column and key, or the `--set` argument.
    #[must_use]
    pub fn trace_place(&self) -> String {
        let key = document::Path::of("churn.trace");
        format!("{}: {key}", self.sources.locate(&self.document.place_of(&key)))
    }

    /// The file of recorded sessions that the scenario names, if it names one.
    #[must_use]
    pub fn trace(&self) -> Option<&TracePlan> {
        match &self.plan.churn.as_ref()?.source {
            ChurnSource::Trace(trace) => Some(trace),
            ChurnSource::Model { .. } => None,
        }
    }

    /// The report that something is wrong with the trace, at the key that names it.
    #[must_use]
    pub fn trace_report(&self, message: impl ToString) -> Report {
        let key = document::Path::of("churn.trace");
        let path = self.trace().map(|trace| trace.path.clone()).unwrap_or_default();
        let fault = Fault::Trace { path, message: message.to_string() };
        let problem = Problem::new(self.document.place_of(&key), key, fault);
        Report::new(self.sources.clone(), vec![problem])
    }

    /// The scenario with every key and its value, as TOML. Reading it gives the same plan.
    #[must_use]
    pub fn effective(&self) -> String {
        effective::to_toml(&self.plan)
    }
}

/// The tree of a text with its overrides, every key and value of it sound by itself.
fn read(text: &str, overrides: &[String]) -> Result<Node, Vec<Problem>> {
    let mut document = Node::parse(text)?;
    let mut problems: Vec<_> = overrides
        .iter()
        .enumerate()
        .filter_map(|(index, argument)| document.set(argument, index + 1).err())
        .collect();
    problems.extend(walk::problems(&document, &schema::json_schema()));
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

fn plan_of(document: &Node, folder: &Path) -> Result<Plan, Vec<Problem>> {
    let file: File = serde_json::from_value(document.to_json()).map_err(|error| {
        let fault = Fault::Unread { message: error.to_string() };
        vec![Problem::new(document.place.clone(), document::Path::default(), fault)]
    })?;
    check::plan(&file, document, folder)
}
