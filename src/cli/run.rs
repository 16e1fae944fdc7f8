//! `overcord run`: simulates scenarios and leaves their tables and figures.
//!
//! Every scenario is read, checked and built once before anything is simulated or written. Runs
//! that are kept from before are not simulated again.

use std::path::PathBuf;
use std::sync::Arc;

use super::arguments::{LogHost, RunArguments};
use super::files::{self, Loaded};
use super::interrupt::Interrupt;
use super::outcome::{Failure, NoHost, Outcome};
use super::progress::Progress;
use super::study::{Ended, Errand, Manner, Results, Rings};
use super::{Console, clock};
use crate::experiment::run::{Failure as RunFailure, guarded};
use crate::experiment::{self, Carried, Halt, Simulators, summarise};
use crate::report;

/// All that a run needs, read and checked.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The scenarios, in the order given, each with what simulates it.
    pub scenarios: Vec<(Loaded, Simulators)>,
    /// How they are carried out.
    pub manner: Manner,
    /// The host whose events are printed.
    pub log: Option<LogHost>,
}

impl RunRequest {
    /// Reads and checks all scenarios of a command line.
    pub fn new(arguments: &RunArguments) -> Result<Self, Failure> {
        let mut assignments = arguments.overrides.assignments();
        if arguments.log.is_some() {
            assignments.push("replications=1".to_owned());
        }
        let load = |path: &PathBuf| {
            let loaded = files::load(path, &assignments)?;
            let simulators = loaded.simulators(arguments.study.checkers);
            let names = loaded.first_worlds(&simulators)?.names;
            match &arguments.log {
                Some(LogHost(host)) if !names.contains(host) => {
                    Err(Failure::NoHost(Box::new(NoHost::new(path, host, &names))))
                }
                _ => Ok((loaded, simulators)),
            }
        };
        Ok(Self {
            scenarios: arguments.files.iter().map(load).collect::<Result<_, _>>()?,
            manner: Manner::new(&arguments.study),
            log: arguments.log.clone(),
        })
    }
}

/// Simulates scenarios.
pub fn run(arguments: &RunArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let request = RunRequest::new(arguments)?;
    let interrupt = Interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for (place, (loaded, simulators)) in request.scenarios.iter().enumerate() {
        if place > 0 {
            writeln!(console.out).map_err(Failure::Output)?;
        }
        let errand = Errand::new(loaded, simulators.clone(), &request.manner, &interrupt);
        let ended = match (&request.log, arguments.shard) {
            (Some(LogHost(host)), _) => logged(&errand, host, &interrupt, console)?,
            (None, Some(shard)) => errand.carry_out_shard(shard, console)?,
            (None, None) => match errand.carry_out(console)? {
                Ended::Interrupted => Outcome::Interrupted,
                Ended::Whole(results) => report(&errand, &results, console)?,
            },
        };
        // Before the progress of the next is drawn, and so that nobody waits for what is there.
        console.out.flush().map_err(Failure::Output)?;
        match ended {
            Outcome::Done => {}
            Outcome::Interrupted => return Ok(Outcome::Interrupted),
            other => outcome = other,
        }
    }
    Ok(outcome)
}

/// Simulates the first run, whether or not it is kept, prints what happens on a host, and reports.
fn logged(
    errand: &Errand<'_>,
    host: &str,
    interrupt: &Interrupt,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let started = clock::now();
    let study = errand.runs().expect("a log is of one replication");
    let study = study.part(|spec| spec.run == 0);
    let spec = &study.cells[0];
    let simulator = errand.simulators().at(spec.point).clone();
    let lengths = vec![simulator.length()];
    let progress = Arc::new(Progress::new(lengths, false, interrupt.clone()));
    let simulator = simulator.supervised(progress.clone());
    let mut written = Ok(());
    let mut silent = true;
    let mut log = |line: &str| {
        silent = false;
        if written.is_ok() {
            written = writeln!(console.out, "{line}");
        }
    };
    let given = guarded(|| simulator.run(spec.run, spec.seed, Some(host), &mut log));
    written.map_err(Failure::Output)?;
    if silent {
        writeln!(console.out, "nothing happens on {host}").map_err(Failure::Output)?;
    }
    writeln!(console.out).map_err(Failure::Output)?;
    let (mut outputs, mut failures) = (Vec::new(), Vec::new());
    match given {
        Ok(output) => {
            errand.store().save(spec, &output)?;
            outputs.push(output);
        }
        Err(Halt::Failed(message)) => failures.push(RunFailure { run: spec.run, message }),
        Err(Halt::Stopped) => {
            errand.tell_of_interruption(0, 1, console);
            return Ok(Outcome::Interrupted);
        }
    }
    let summary = summarise(&study, &outputs, &errand.simulators().theory());
    let outcome = experiment::Outcome { outputs, failures, loaded: 0 };
    let carried = Carried { study, outcome, imprecise: Vec::new() };
    let rings: Rings = progress.take_rings();
    report(errand, &Results { carried, summary, rings, started }, console)
}

/// Writes tables, figures and manifest, prints the table, and tells what went wrong.
pub fn report(
    errand: &Errand<'_>,
    results: &Results,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let Results { carried: Carried { study, outcome, .. }, summary, rings, .. } = results;
    if !outcome.outputs.is_empty() {
        let folder = errand.write(results)?;
        let mut text = report::story::story(errand.name(), &outcome.outputs);
        text.push_str(&report::terminal::table(study, outcome, summary, &folder));
        console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    }
    if errand.judges() {
        let text = report::terminal::rings(rings);
        console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    }
    for failure in &outcome.failures {
        errand.tell_of_failure(study, failure, console);
    }
    let unmet = report::story::unmet(&outcome.outputs);
    for told in &unmet {
        errand.tell(console, told);
    }
    let failed = !outcome.failures.is_empty() || !unmet.is_empty();
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}
