//! Scenarios: from a file as written to a checked [`Plan`].
//!
//! ```text
//! text ──document──▶ tree with places ──sweep──▶ a tree for each point of the study
//!      ──walk──▶ every key and value sound by itself
//!      ──file──▶ File, as written ──check──▶ Plan ──effective──▶ File with every key
//! ```
//!
//! Nothing here touches a disk: the text comes in, a [`Plan`] or a [`Report`] goes out. What a trace
//! holds is not read here either; a run that takes its length from one is completed by
//! [`Scenario::with_trace_span`], and other files are [enclosed](Scenario::enclose).

pub mod budget;
pub mod build;
pub mod check;
pub mod document;
pub mod effective;
pub mod enclosures;
pub mod file;
pub mod plan;
pub mod problem;
pub mod schema;
pub mod sweep;
pub mod template;
pub mod walk;

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_overlay_input;
#[cfg(test)]
mod bad_story_input;
#[cfg(test)]
mod bad_user_input;
#[cfg(test)]
mod collisions;
#[cfg(test)]
mod dns_input;
#[cfg(test)]
mod good_input;
#[cfg(test)]
mod needs_input;
#[cfg(test)]
mod network_input;
#[cfg(test)]
mod policy_input;
#[cfg(test)]
mod relay_input;
#[cfg(test)]
mod sweeps;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use plan::Plan;
pub use problem::Report;

use crate::time::SimDuration;
use budget::Budget;
use document::{Node, Place};
use file::File;
use plan::{ChurnPlan, ChurnSource, TracePlan};
use problem::{Fault, Problem, Sources};
use sweep::{Sweep, SweepPoint};

/// A file that was read and found sound: what is simulated at each point of its study.
#[derive(Clone, Debug)]
pub struct Scenarios {
    /// The keys that the points differ in.
    pub varied: Vec<String>,
    /// The points in their order; at least one.
    pub points: Vec<Point>,
    /// Limits on what is measured.
    pub budgets: Vec<Budget>,
}

/// One point of a study.
#[derive(Clone, Debug)]
pub struct Point {
    /// Its values of the varied keys, as they are to be shown; empty where it has the file's own.
    pub varied: Vec<String>,
    /// What is simulated there.
    pub scenario: Scenario,
}

/// A scenario that was read and found sound.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it says.
    pub plan: Plan,
    document: Node,
    sources: Arc<Sources>,
}

impl Scenarios {
    /// Reads a file. `name` is how it is called in reports, `folder` what paths in it are relative
    /// to, `overrides` are assignments `key=value` in the order given.
    ///
    /// # Errors
    /// All that is wrong with the file, at any of its points.
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
        let sources = Arc::new(sources(text));
        let report = |problems| Report::new(Sources::clone(&sources), problems);
        let mut base = Node::parse(text).map_err(report)?;
        let assignments = overrides.iter().enumerate();
        let failed = assignments.filter_map(|(index, it)| base.set(it, index + 1).err());
        let mut problems: Vec<Problem> = failed.collect();
        let in_braces = |place: &Place| sources.at(place).starts_with('{');
        let limits = base.take("budget");
        let read = sweep::take(&mut base, &in_braces).and_then(|sweep| {
            let budgets = budget::of(limits.as_ref(), &sweep);
            let points = Self::points(&base, &sweep, folder, &sources);
            let varied = sweep.varied;
            match (points, budgets) {
                (Ok(points), Ok(budgets)) => Ok(Self { varied, points, budgets }),
                (points, budgets) => {
                    let problems = [points.err(), budgets.err()].into_iter().flatten();
                    Err(problems.flatten().collect())
                }
            }
        });
        match read {
            Ok(scenarios) if problems.is_empty() => Ok(scenarios),
            Ok(_) => Err(report(problems)),
            Err(more) => {
                problems.extend(more);
                Err(report(problems))
            }
        }
    }

    /// Every point by itself.
    fn points(
        base: &Node,
        sweep: &Sweep,
        folder: &Path,
        sources: &Arc<Sources>,
    ) -> Result<Vec<Point>, Vec<Problem>> {
        let schema = schema::json_schema();
        let (mut points, mut wrong) = (Vec::new(), Vec::new());
        for point in &sweep.points {
            let planned = point.apply(base).and_then(|document| {
                let plan = plan_of(&document, &schema, folder)?;
                Ok(Scenario { plan, document, sources: Arc::clone(sources) })
            });
            match planned {
                Ok(scenario) => points.push(Point { varied: point.labels.clone(), scenario }),
                Err(problems) => wrong.push((point, problems)),
            }
        }
        if wrong.is_empty() {
            return Ok(points);
        }
        Err(told_once(sweep, wrong))
    }
}

/// The problems of points, each once; of those that are not there at all points and do not lie in
/// what a point itself says, the first point that has them is named.
fn told_once(sweep: &Sweep, wrong: Vec<(&SweepPoint, Vec<Problem>)>) -> Vec<Problem> {
    let everywhere = |problem: &Problem| {
        wrong.len() == sweep.points.len()
            && wrong.iter().all(|(_, problems)| problems.contains(problem))
    };
    let mut told: Vec<(Problem, Option<String>)> = Vec::new();
    for (point, problems) in &wrong {
        for problem in problems {
            if !told.iter().any(|(other, _)| other == problem) {
                let named = !everywhere(problem) && !point.holds(&problem.place);
                told.push((
                    problem.clone(),
                    named.then(|| sweep::told(&sweep.varied, &point.labels)),
                ));
            }
        }
    }
    told.into_iter().map(|(problem, point)| Problem { point, ..problem }).collect()
}

impl Scenario {
    /// Reads a file of a single point; see [`Scenarios::parse`].
    ///
    /// # Errors
    /// All that is wrong with the file; also when it is a sweep of several points.
    pub fn parse(
        name: &str,
        bytes: &[u8],
        folder: &Path,
        overrides: &[String],
    ) -> Result<Self, Report> {
        let mut points = Scenarios::parse(name, bytes, folder, overrides)?.points;
        let scenario = points.swap_remove(0).scenario;
        if points.is_empty() {
            return Ok(scenario);
        }
        let fault = Fault::SeveralPoints { points: points.len() + 1 };
        let place = scenario.document.place.clone();
        let problem = Problem::new(place, document::Path::default(), fault);
        Err(Report::new(Sources::clone(&scenario.sources), vec![problem]))
    }

    /// Settles the length of a run that lasts as long as its trace, and judges once more what must
    /// lie before its end. A run with a length of its own stays as it is.
    pub fn with_trace_span(mut self, span: SimDuration) -> Result<Self, Report> {
        if self.plan.duration.is_some() {
            return Ok(self);
        }
        let problems = check::end_problems(&self.plan, &self.document, span);
        if !problems.is_empty() {
            return Err(Report::new(Sources::clone(&self.sources), problems));
        }
        self.plan.duration = Some(span);
        self.plan.timeline_bin.get_or_insert_with(|| Plan::usual_bin(span));
        Ok(self)
    }

    /// Judges what depends on the number of members, which a trace gives.
    pub fn with_trace_members(self, count: u64) -> Result<Self, Report> {
        let problems = check::member_problems(&self.plan, &self.document, count);
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(Report::new(Sources::clone(&self.sources), problems))
        }
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
        Report::new(Sources::clone(&self.sources), vec![problem])
    }

    /// The scenario with every key and its value, as TOML. Reading it gives the same plan.
    #[must_use]
    pub fn effective(&self) -> String {
        effective::to_toml(&self.plan)
    }

    /// What a run with a given seed depends on, as TOML: the effective scenario with neutral words
    /// for what it is called, how often it is run, and where the trace lies that it replays.
    #[must_use]
    pub fn identity(&self) -> String {
        let mut plan = Plan {
            name: "run".to_owned(),
            description: String::new(),
            seed: 0,
            replications: plan::Replications::Number(1),
            ..self.plan.clone()
        };
        if let Some(ChurnPlan { source: ChurnSource::Trace(trace), .. }) = &mut plan.churn {
            trace.path = PathBuf::from("trace");
        }
        enclosures::name_by_content(&mut plan);
        enclosures::name_by_content(&mut plan);
        effective::to_toml(&plan)
    }
}

/// The plan of a document, every key and value of it sound by itself first.
fn plan_of(
    document: &Node,
    schema: &serde_json::Value,
    folder: &Path,
) -> Result<Plan, Vec<Problem>> {
    let problems = walk::problems(document, schema);
    if !problems.is_empty() {
        return Err(problems);
    }
    let file: File = serde_json::from_value(document.to_json()).map_err(|error| {
        let fault = Fault::Unread { message: error.to_string() };
        vec![Problem::new(document.place.clone(), document::Path::default(), fault)]
    })?;
    check::plan(&file, document, folder)
}
