//! `overcord run`: simulates scenarios and leaves their tables and figures.
//!
//! Every scenario is read, checked and built once before anything is simulated or written. Runs
//! that are kept from before are not simulated again.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use super::arguments::{LogHost, RunArguments};
use super::files::{self, Loaded};
use super::interrupt::Interrupt;
use super::outcome::{Failure, NoHost, Outcome};
use super::progress::Progress;
use super::{Console, clock};
use crate::experiment::cell::Study;
use crate::experiment::manifest::{Circumstances, manifest};
use crate::experiment::run::{Failure as RunFailure, guarded};
use crate::experiment::store::Store;
use crate::experiment::{self, Halt, Happening, Simulator, run_study, summarise};
use crate::report;
use crate::scenario::build::duration_of;
use crate::world::ring::RingSummary;

/// All that a run needs, read and checked.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The scenarios, in the order given, each with what simulates it.
    pub scenarios: Vec<(Loaded, Simulator)>,
    /// How many runs at a time.
    pub jobs: usize,
    /// The folder for results.
    pub out: PathBuf,
    /// The host whose events are printed.
    pub log: Option<LogHost>,
    /// Whether progress is not shown, even to a terminal.
    pub quiet: bool,
    /// Whether the runs are judged.
    pub checkers: bool,
}

/// What the rings of the runs that were judged were like, by run.
type Rings = BTreeMap<u32, RingSummary>;

impl RunRequest {
    /// Reads and checks all scenarios of a command line.
    pub fn new(arguments: &RunArguments) -> Result<Self, Failure> {
        let mut assignments = arguments.overrides.assignments();
        if arguments.log.is_some() {
            assignments.push("replications=1".to_owned());
        }
        let load = |path: &PathBuf| {
            let loaded = files::load(path, &assignments)?;
            let simulator = loaded.simulator(arguments.checkers);
            let names = loaded.first_world(&simulator)?.names;
            match &arguments.log {
                Some(LogHost(host)) if !names.contains(host) => {
                    Err(Failure::NoHost(Box::new(NoHost::new(path, host, &names))))
                }
                _ => Ok((loaded, simulator)),
            }
        };
        let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self {
            scenarios: arguments.files.iter().map(load).collect::<Result<_, _>>()?,
            jobs: match arguments.jobs.and_then(NonZeroU16::new) {
                _ if arguments.log.is_some() => 1,
                Some(jobs) => usize::from(jobs.get()),
                None => processors(),
            },
            out: arguments.out.clone(),
            log: arguments.log.clone(),
            quiet: arguments.quiet,
            checkers: arguments.checkers,
        })
    }
}

/// Simulates scenarios.
pub fn run(arguments: &RunArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let request = RunRequest::new(arguments)?;
    let interrupt = Interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for (place, (loaded, simulator)) in request.scenarios.iter().enumerate() {
        if place > 0 {
            writeln!(console.out).map_err(Failure::Output)?;
        }
        let errand = Errand::new(&request, loaded, simulator, &interrupt);
        let ended = errand.carry_out(console)?;
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

/// One scenario of a request.
struct Errand<'a> {
    request: &'a RunRequest,
    study: Study,
    store: Store,
    simulator: &'a Simulator,
    interrupt: &'a Interrupt,
}

impl<'a> Errand<'a> {
    fn new(
        request: &'a RunRequest,
        loaded: &Loaded,
        simulator: &'a Simulator,
        interrupt: &'a Interrupt,
    ) -> Self {
        let digest = loaded.trace.as_ref().map(|recorded| recorded.digest);
        let study = simulator.study(loaded.text.clone(), loaded.scenario.effective(), digest);
        let store = Store::new(&request.out, &study.scenario);
        Self { request, study, store, simulator, interrupt }
    }

    fn carry_out(&self, console: &mut Console<'_>) -> Result<Outcome, Failure> {
        let started = clock::now();
        let (outcome, rings) = match &self.request.log {
            Some(LogHost(host)) => self.simulate_logged(host, console)?,
            None => self.simulate(console)?,
        };
        let (kept, total) = (outcome.outputs.len(), self.study.cells.len());
        if kept + outcome.failures.len() < total {
            self.tell(console, &format!(
                "interrupted: {kept} of {total} runs are kept, and the same command goes on from there"
            ));
            return Ok(Outcome::Interrupted);
        }
        if kept > 0 {
            self.report(&outcome, started, console)?;
        }
        if self.request.checkers {
            let text = report::terminal::rings(&rings, outcome.loaded);
            console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
        }
        for failure in &outcome.failures {
            let RunFailure { run, message } = failure;
            let seed = self.study.cells[*run as usize].seed;
            self.tell(console, &format!("run {run} (seed {seed}) failed: {message}"));
        }
        let unmet = report::story::unmet(&outcome.outputs);
        for told in &unmet {
            self.tell(console, told);
        }
        let failed = !outcome.failures.is_empty() || !unmet.is_empty();
        Ok(if failed { Outcome::Failed } else { Outcome::Done })
    }

    /// Loads what is kept of the study and simulates the rest.
    fn simulate(&self, console: &mut Console<'_>) -> Result<(experiment::Outcome, Rings), Failure> {
        let shown = console.interactive && !self.request.quiet;
        let progress = Arc::new(Progress::new(
            self.study.cells.len(),
            duration_of(self.simulator.plan(), None),
            shown,
            self.interrupt.clone(),
        ));
        let simulator = self.simulator.clone().supervised(progress.clone());
        let damaged = Mutex::new(Vec::new());
        let report = |happening: Happening| {
            progress.happened(&happening);
            if let Happening::Damaged { run, reason } = happening {
                let told = format!(
                    "what is kept of run {run} cannot be used ({reason}); simulating it again"
                );
                damaged.lock().expect("nothing panics here").push(told);
            }
        };
        let outcome = run_study(&self.study, &self.store, self.request.jobs, &simulator, &report);
        progress.finish();
        for told in damaged.into_inner().expect("nothing panics here") {
            self.tell(console, &told);
        }
        Ok((outcome?, progress.take_rings()))
    }

    /// Simulates the first run, whether or not it is kept, and prints what happens on a host.
    fn simulate_logged(
        &self,
        host: &str,
        console: &mut Console<'_>,
    ) -> Result<(experiment::Outcome, Rings), Failure> {
        let spec = &self.study.cells[0];
        let progress = Arc::new(Progress::new(
            1,
            duration_of(self.simulator.plan(), None),
            false,
            self.interrupt.clone(),
        ));
        let simulator = self.simulator.clone().supervised(progress.clone());
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
        let (mut outputs, mut failures) = (Vec::new(), Vec::new());
        match given {
            Ok(output) => {
                self.store.save(spec, &output)?;
                outputs.push(output);
            }
            Err(Halt::Failed(message)) => failures.push(RunFailure { run: spec.run, message }),
            Err(Halt::Stopped) => {}
        }
        writeln!(console.out).map_err(Failure::Output)?;
        Ok((experiment::Outcome { outputs, failures, loaded: 0 }, progress.take_rings()))
    }

    /// Writes tables, figures and manifest, and prints the table.
    fn report(
        &self,
        outcome: &experiment::Outcome,
        started: u64,
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        let summary = summarise(&self.study, &outcome.outputs, &self.simulator.theory());
        let curve = self.simulator.stale_window_curve();
        let files = report::files(&self.study, outcome, &summary, curve.as_ref());
        let failures = outcome.failures.iter().map(|it| (it.run, it.message.clone())).collect();
        let circumstances = Circumstances {
            command: std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect(),
            directory: std::env::current_dir()
                .map_or_else(|_| String::new(), |folder| folder.display().to_string()),
            started,
            finished: clock::now(),
            jobs: self.request.jobs,
            loaded: outcome.loaded,
            failures,
        };
        let manifest = manifest(&self.study, &circumstances);
        let folder = report::write(&self.store, &self.study, &files, &manifest)?;
        let folder = folder.display().to_string();
        let story = report::story::story(&self.study.scenario, &outcome.outputs);
        console.out.write_all(story.as_bytes()).map_err(Failure::Output)?;
        let table = report::terminal::table(&self.study, outcome, &summary, &folder);
        console.out.write_all(table.as_bytes()).map_err(Failure::Output)
    }

    /// Tells standard error something; when that is closed, nobody is there to be told.
    fn tell(&self, console: &mut Console<'_>, message: &str) {
        let _ = writeln!(console.err, "overcord: {}: {message}", self.study.scenario);
    }
}
