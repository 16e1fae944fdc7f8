//! `overcord gate`: judges scenarios by their budgets and their committed baselines.
//!
//! Everything is read before anything is simulated, the baselines too. Scenarios are judged one
//! after the other, and the worst verdict is the exit code: 1 when a run or a budget failed or a
//! baseline differs, else 3 when a budget cannot be told, else 0. Runs are kept like those of `run`,
//! so that a table of what was judged costs nothing more.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Console;
use super::arguments::{Overrides, StudyArguments};
use super::files::{self, Loaded};
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::study::{Ended, Errand, Manner, Results};
use crate::experiment::Simulators;
use crate::experiment::gate::{Baseline, Judgement, Severity, Standing};
use crate::experiment::store::write_whole;
use crate::report;
use crate::report::gate::tracker::Entry;
use crate::scenario::budget::{self, Budget};

/// The arguments of `gate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord gate scenarios/*.toml
  overcord gate handover.toml --budget 'handover.outage.p95 <= 120s'
  overcord gate handover.toml --bless                 what it gives now is right
  overcord gate a.toml b.toml --junit gate.xml --markdown \"$GITHUB_STEP_SUMMARY\"

Exit codes: 0 all budgets are kept and all baselines the same, 1 not so, 2 wrong usage, scenario or
baseline, 3 a budget can neither be said to be kept nor to be broken, 130 interrupted.")]
pub struct GateArguments {
    /// The scenarios
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// One more budget for every scenario, on the mean of a metric at all points
    /// [example: --budget 'handover.outage.p95 <= 120s']
    #[arg(long = "budget", value_name = "LIMIT")]
    pub budgets: Vec<String>,
    /// The folder of the baselines, `<scenario>.csv`
    #[arg(long, value_name = "DIR", default_value = "results/baselines")]
    pub baselines: PathBuf,
    /// Make what the scenarios give now their baselines; budgets are judged all the same
    #[arg(long)]
    pub bless: bool,
    /// Write the verdicts as JUnit XML
    #[arg(long, value_name = "PATH")]
    pub junit: Option<PathBuf>,
    /// Write the verdicts as Markdown: appended to $GITHUB_STEP_SUMMARY if that is PATH, else to
    /// PATH anew; `-` prints it instead of the plain text
    #[arg(long, value_name = "PATH")]
    pub markdown: Option<PathBuf>,
    /// Write the metrics that are better when smaller as JSON for a benchmark tracker
    /// (customSmallerIsBetter)
    #[arg(long, value_name = "PATH")]
    pub tracker: Option<PathBuf>,
    /// Changes to every scenario.
    #[command(flatten)]
    pub overrides: Overrides,
    /// How it is carried out.
    #[command(flatten)]
    pub study: StudyArguments,
}

/// A scenario that is to be judged, read and checked.
struct Request {
    loaded: Loaded,
    simulators: Simulators,
    budgets: Vec<Budget>,
    baseline: PathBuf,
    /// The baseline as it is, if it is there.
    known: Option<Baseline>,
}

/// What was found out, scenario by scenario.
#[derive(Default)]
struct Found {
    judgements: Vec<Judgement>,
    entries: Vec<Entry>,
}

/// Judges scenarios.
pub fn gate(arguments: &GateArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let requests = requests(arguments)?;
    let manner = Manner::new(&arguments.study);
    let interrupt = Interrupt::listen()?;
    let mut found = Found::default();
    for request in &requests {
        let simulators = request.simulators.clone();
        let errand = Errand::new(&request.loaded, simulators, &manner, &interrupt);
        let Ended::Whole(results) = errand.carry_out(console)? else {
            return Ok(Outcome::Interrupted);
        };
        let judgement = judge(request, &results, arguments, &errand, console)?;
        if !is_standard_output(arguments.markdown.as_deref()) {
            let text = report::gate::terminal::terminal(&judgement);
            // Before the progress of the next is drawn, and so that nobody waits for what is there.
            console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
            console.out.flush().map_err(Failure::Output)?;
        }
        found.entries.extend(report::gate::tracker::entries(errand.name(), &results.summary));
        found.judgements.push(judgement);
    }
    write(arguments, &found, console)?;
    Ok(match report::gate::severity(&found.judgements) {
        Severity::Pass => Outcome::Done,
        Severity::Inconclusive => Outcome::Inconclusive,
        Severity::Fail => Outcome::Failed,
    })
}

/// Reads and checks all that a command line names.
fn requests(arguments: &GateArguments) -> Result<Vec<Request>, Failure> {
    let more = arguments
        .budgets
        .iter()
        .map(|text| budget::parse(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|report| Failure::Scenario(Box::new(report)))?;
    let assignments = arguments.overrides.assignments();
    let mut requests: Vec<Request> = Vec::new();
    for path in &arguments.files {
        let loaded = files::load(path, &assignments)?;
        let simulators = loaded.simulators(arguments.study.checkers);
        loaded.first_worlds(&simulators)?;
        let name = &loaded.plan().name;
        let baseline = arguments.baselines.join(format!("{name}.csv"));
        if let Some(same) = requests.iter().find(|request| request.baseline == baseline) {
            let (first, second) = (same.loaded.path.clone(), path.clone());
            return Err(Failure::SameName { name: name.clone(), first, second, baseline });
        }
        let known = read_baseline(&baseline);
        let known = match known {
            // What is renewed need not be sound, but it must be possible to read and to write it.
            Err(Failure::Baseline { .. }) if arguments.bless => None,
            known => known?,
        };
        let budgets = loaded.budgets.iter().chain(&more).cloned().collect();
        requests.push(Request { loaded, simulators, budgets, baseline, known });
    }
    Ok(requests)
}

fn read_baseline(path: &Path) -> Result<Option<Baseline>, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::Read { path: path.to_owned(), error }),
    };
    let wrong = |error| Failure::Baseline { path: path.to_owned(), error };
    Baseline::parse(&bytes).map(Some).map_err(wrong)
}

/// Judges a study that was carried out, and makes it the baseline where that is asked for and no run
/// failed.
fn judge(
    request: &Request,
    results: &Results,
    arguments: &GateArguments,
    errand: &Errand<'_>,
    console: &mut Console<'_>,
) -> Result<Judgement, Failure> {
    let Results { carried, summary, .. } = results;
    let (study, outcome) = (&carried.study, &carried.outcome);
    let unmet = report::story::unmet(&outcome.outputs);
    let standing = if outcome.failures.is_empty() {
        let new = Baseline::of(study, &outcome.outputs, summary);
        let before = request.known.as_ref().map(|known| known.compare(&new));
        if arguments.bless && unmet.is_empty() {
            write_whole(&request.baseline, new.to_csv().as_bytes())?;
            let changes = arguments.overrides.assignments();
            if !changes.is_empty() {
                let told = format!("the baseline holds with {} alone", changes.join(", "));
                errand.tell(console, &told);
            }
            Standing::Blessed { before }
        } else {
            match before {
                Some(comparison) => Standing::Compared(comparison),
                None => Standing::Missing { path: request.baseline.display().to_string() },
            }
        }
    } else {
        Standing::NotCompared
    };
    if arguments.bless && !matches!(standing, Standing::Blessed { .. }) {
        let why =
            if outcome.failures.is_empty() { "the story is not whole" } else { "runs failed" };
        errand.tell(console, &format!("{why}, so the baseline stays as it is"));
    }
    Ok(Judgement::new(study, outcome, summary, &request.budgets, standing, unmet))
}

/// Writes the files that were asked for.
fn write(
    arguments: &GateArguments,
    found: &Found,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.junit {
        write_whole(path, report::gate::junit::junit(&found.judgements).as_bytes())?;
    }
    if let Some(path) = &arguments.tracker {
        write_whole(path, report::gate::tracker::tracker(&found.entries).as_bytes())?;
    }
    let Some(path) = &arguments.markdown else { return Ok(()) };
    let text = report::gate::markdown::markdown(&found.judgements);
    if is_standard_output(Some(path)) {
        console.out.write_all(text.as_bytes()).map_err(Failure::Output)
    } else if env::var_os("GITHUB_STEP_SUMMARY").is_some_and(|summary| summary == **path) {
        // Whatever else the step has to say stands there too.
        let file = OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Failure::Write { path: path.clone(), error })
    } else {
        Ok(write_whole(path, text.as_bytes())?)
    }
}

fn is_standard_output(path: Option<&Path>) -> bool {
    path.is_some_and(|path| path == Path::new("-"))
}
