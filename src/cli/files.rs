//! Reading scenarios and the traces that they name.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::broken_trace::BrokenTrace;
use super::outcome::Failure;
use crate::churn::trace::{AvailabilityTrace, TraceFormat, parse};
use crate::experiment::{Simulator, Simulators, Study, StudyPoint, TraceDigest};
use crate::scenario::budget::Budget;
use crate::scenario::{Plan, Scenario, Scenarios};
use crate::time::SimTime;
use crate::world::World;

/// A scenario file with all that was read for it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file, as given.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// The keys that its points differ in.
    pub varied: Vec<String>,
    /// Its points; at least one.
    pub points: Vec<LoadedPoint>,
    /// Limits on what is measured.
    pub budgets: Vec<Budget>,
}

/// A point of a study with all that was read for it.
#[derive(Clone, Debug)]
pub struct LoadedPoint {
    /// Its values of the varied keys.
    pub varied: Vec<String>,
    /// What it says. The length of the run is settled, also where the trace gives it.
    pub scenario: Scenario,
    /// What the trace holds that it names, if it names one.
    pub trace: Option<Recorded>,
}

/// A trace that was read.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Who is up when.
    pub trace: Arc<AvailabilityTrace>,
    /// The digest of the file.
    pub digest: TraceDigest,
}

/// The traces that were read, by path and format: points may share them.
type Traces = BTreeMap<(PathBuf, TraceFormat), Recorded>;

/// Reads and checks a scenario with assignments `key=value`, and the traces that it names.
pub fn load(path: &Path, assignments: &[String]) -> Result<Loaded, Failure> {
    let read = |error| Failure::Read { path: path.to_owned(), error };
    let bytes = fs::read(path).map_err(read)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let Scenarios { varied, points, budgets } =
        Scenarios::parse(&name, &bytes, folder, assignments)
            .map_err(|report| Failure::Scenario(Box::new(report)))?;
    let mut traces = Traces::new();
    let points = points
        .into_iter()
        .map(|point| {
            let mut scenario = point.scenario;
            enclose(&mut scenario)?;
            let trace = read_trace(&scenario, &mut traces)?;
            if let Some(recorded) = &trace {
                scenario = scenario
                    .with_trace_span(recorded.trace.span)
                    .and_then(|it| it.with_trace_members(recorded.trace.nodes.len() as u64))
                    .map_err(|report| Failure::Scenario(Box::new(report)))?;
            }
            Ok(LoadedPoint { varied: point.varied, scenario, trace })
        })
        .collect::<Result<_, Failure>>()?;
    let text = String::from_utf8(bytes).expect("a scenario that was parsed is text");
    Ok(Loaded { path: path.to_owned(), text, varied, points, budgets })
}

fn read_trace(scenario: &Scenario, traces: &mut Traces) -> Result<Option<Recorded>, Failure> {
    let Some(source) = scenario.trace() else { return Ok(None) };
    let format = source.format.read_as();
    let key = (source.path.clone(), format);
    if let Some(known) = traces.get(&key) {
        return Ok(Some(known.clone()));
    }
    let wrong = |message: String| Failure::Scenario(Box::new(scenario.trace_report(message)));
    let bytes =
        fs::read(&source.path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let trace = parse(&bytes, format).map_err(|error| {
        let place = (error.line, error.column);
        let file = (source.path.as_path(), &*bytes);
        let broken = BrokenTrace::new("trace", file, place, error.kind, scenario.trace_place());
        Failure::BrokenTrace(Box::new(broken))
    })?;
    let recorded = Recorded { trace: Arc::new(trace), digest: TraceDigest::of(&bytes) };
    traces.insert(key, recorded.clone());
    Ok(Some(recorded))
}

/// Reads the files that a scenario names beside its trace.
fn enclose(scenario: &mut Scenario) -> Result<(), Failure> {
    for (key, path) in scenario.enclosures() {
        let unread = |error: io::Error| {
            let message = format!("cannot be read: {error}");
            let report = scenario.enclosure_report(key, path.clone(), message);
            Failure::Scenario(Box::new(report))
        };
        let bytes = fs::read(&path).map_err(unread)?;
        let digest = TraceDigest::of(&bytes).to_string();
        scenario.enclose(key, &bytes, digest).map_err(|error| {
            let named_at = scenario.enclosure_place(key);
            let place = error.place();
            let broken = BrokenTrace::new("file", (&path, &bytes), place, error, named_at);
            Failure::BrokenTrace(Box::new(broken))
        })?;
    }
    Ok(())
}

/// Writes a file that is not there yet; one that is stays as it is.
pub fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failure = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists { path: path.to_owned() },
        _ => Failure::Write { path: path.to_owned(), error },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failure)?;
    file.write_all(text.as_bytes()).map_err(failure)
}

/// Makes a folder that is not there yet.
pub fn new_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists { path: path.to_owned() },
        _ => Failure::Write { path: path.to_owned(), error },
    })
}

impl Loaded {
    /// A point by its number, counted from 0.
    pub fn point(&self, number: usize) -> Result<&LoadedPoint, Failure> {
        self.points.get(number).ok_or_else(|| Failure::NoPoint {
            path: self.path.clone(),
            point: number,
            points: self.points.len(),
        })
    }

    /// The plan of the first point: what all points share can be read there.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.points[0].scenario.plan
    }

    /// What simulates its points; with `checkers`, every run is judged.
    #[must_use]
    pub fn simulators(&self, checkers: bool) -> Simulators {
        let simulator = |point: &LoadedPoint| {
            let trace = point.trace.as_ref().map(|recorded| Arc::clone(&recorded.trace));
            Simulator::new(point.scenario.plan.clone(), trace, checkers)
        };
        Simulators::new(self.points.iter().map(simulator).collect())
    }

    /// The study of its points, without a run yet.
    #[must_use]
    pub fn study(&self) -> Study {
        let point = |point: &LoadedPoint| StudyPoint {
            varied: point.varied.clone(),
            effective: point.scenario.effective().into(),
            identity: point.scenario.identity().into(),
            seed: point.scenario.plan.seed,
            warmup: SimTime::ZERO + point.scenario.plan.warmup,
            duration: point.scenario.plan.duration,
            stop_after_departures: point.scenario.plan.stop_after_departures,
            settles: point.scenario.plan.settles(),
            trace: point.trace.as_ref().map(|recorded| recorded.digest),
        };
        Study {
            scenario: self.plan().name.clone(),
            description: self.plan().description.clone(),
            as_written: self.text.clone(),
            varied: self.varied.clone(),
            points: self.points.iter().map(point).collect(),
            cells: Vec::new(),
        }
    }

    /// Builds the world of the first seed at every point, to see whether that can be done; gives
    /// that of the first point.
    pub fn first_worlds(&self, simulators: &Simulators) -> Result<World, Failure> {
        let build = |simulator: &Simulator| {
            simulator
                .world(simulator.plan().seed, None)
                .map_err(|error| Failure::Build { path: self.path.clone(), error })
        };
        let first = build(simulators.at(0))?;
        simulators.iter().skip(1).try_for_each(|simulator| build(simulator).map(drop))?;
        Ok(first)
    }
}
