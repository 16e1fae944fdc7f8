//! Reading scenarios and the traces that they name.

use std::fs;
use std::path::{Path, PathBuf};

use super::broken_trace::BrokenTrace;
use super::outcome::Failure;
use crate::churn::trace::{AvailabilityTrace, TraceFormat, parse};
use crate::experiment::{Simulator, TraceDigest};
use crate::scenario::{Scenario, plan};
use crate::world::World;

/// A scenario with all that was read for it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file, as given.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// What it says. The length of the run is settled, also where the trace gives it.
    pub scenario: Scenario,
    /// What the trace holds that it names, if it names one.
    pub trace: Option<Recorded>,
}

/// A trace that was read.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Who is up when.
    pub trace: AvailabilityTrace,
    /// The digest of the file.
    pub digest: TraceDigest,
}

/// Reads and checks a scenario with assignments `key=value`, and the trace that it names.
pub fn load(path: &Path, assignments: &[String]) -> Result<Loaded, Failure> {
    let read = |error| Failure::Read { path: path.to_owned(), error };
    let bytes = fs::read(path).map_err(read)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let mut scenario = Scenario::parse(&name, &bytes, folder, assignments)
        .map_err(|report| Failure::Scenario(Box::new(report)))?;
    let trace = read_trace(&scenario)?;
    if let Some(recorded) = &trace {
        scenario = scenario
            .with_trace_span(recorded.trace.span)
            .and_then(|it| it.with_trace_members(recorded.trace.nodes.len() as u64))
            .map_err(|report| Failure::Scenario(Box::new(report)))?;
    }
    let text = String::from_utf8(bytes).expect("a scenario that was parsed is text");
    Ok(Loaded { path: path.to_owned(), text, scenario, trace })
}

fn read_trace(scenario: &Scenario) -> Result<Option<Recorded>, Failure> {
    let Some(source) = scenario.trace() else { return Ok(None) };
    let wrong = |message: String| Failure::Scenario(Box::new(scenario.trace_report(message)));
    let bytes =
        fs::read(&source.path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let trace = parse(&bytes, format_of(source.format)).map_err(|error| {
        let broken = BrokenTrace::new(&source.path, &bytes, error, scenario.trace_place());
        Failure::BrokenTrace(Box::new(broken))
    })?;
    Ok(Some(Recorded { trace, digest: TraceDigest::of(&bytes) }))
}

fn format_of(word: plan::TraceFormat) -> TraceFormat {
    match word {
        plan::TraceFormat::Avt => TraceFormat::Avt,
        plan::TraceFormat::Events => TraceFormat::Events,
    }
}

impl Loaded {
    /// What simulates it; with `checkers`, every run is judged.
    #[must_use]
    pub fn simulator(&self, checkers: bool) -> Simulator {
        let trace = self.trace.as_ref().map(|recorded| recorded.trace.clone());
        Simulator::new(self.scenario.plan.clone(), trace, checkers)
    }

    /// Builds the world of the first seed, to see whether that can be done.
    pub fn first_world(&self, simulator: &Simulator) -> Result<World, Failure> {
        simulator
            .world(self.scenario.plan.seed, None)
            .map_err(|error| Failure::Build { path: self.path.clone(), error })
    }
}
