//! Carrying out the study of a scenario: what is kept of it is loaded, the rest simulated, with
//! progress shown and Ctrl-C heeded. `run`, `gate`, `diff` and others begin with this.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use super::arguments::StudyArguments;
use super::files::Loaded;
use super::forecast::{self, MOST_RUNS};
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::progress::Progress;
use super::shard::Shard;
use super::{Console, clock};
use crate::experiment::manifest::Circumstances;
use crate::experiment::run::Failure as RunFailure;
use crate::experiment::store::{Store, Stored};
use crate::experiment::{
    self, Carried, CellSpec, Happening, Simulators, Study, Summary, Supervisor, run_study,
    summarise,
};
use crate::report;
use crate::report::quantity::count;
use crate::scenario::plan::Replications;
use crate::world::ring::RingSummary;

/// How studies are carried out.
#[derive(Clone, Debug)]
pub struct Manner {
    /// How many runs at a time.
    pub jobs: usize,
    /// The folder for results.
    pub out: PathBuf,
    /// Whether progress is not shown, even to a terminal.
    pub quiet: bool,
    /// Whether the runs are judged.
    pub checkers: bool,
    /// Whether studies of very many runs are started without asking back.
    pub yes: bool,
}

impl Manner {
    /// What the command line says.
    #[must_use]
    pub fn new(arguments: &StudyArguments) -> Self {
        Self {
            jobs: arguments.jobs.map_or_else(processors, usize::from),
            out: arguments.out.clone(),
            quiet: arguments.quiet,
            checkers: arguments.checkers,
            yes: arguments.yes,
        }
    }
}

/// How many processors there are; one where the system does not tell.
#[must_use]
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What the rings of the runs that were judged were like, by run.
pub type Rings = BTreeMap<u32, RingSummary>;

/// A study that is to be carried out.
#[derive(Debug)]
pub struct Errand<'a> {
    loaded: &'a Loaded,
    manner: &'a Manner,
    simulators: Simulators,
    /// Its points; runs come with the replications.
    study: Study,
    store: Store,
    interrupt: &'a Interrupt,
}

/// A study that was carried out.
#[derive(Debug)]
pub struct Results {
    /// The study with its runs and what they gave.
    pub carried: Carried,
    /// What they say together.
    pub summary: Summary,
    /// What the rings were like, where runs were judged.
    pub rings: Rings,
    /// When it was begun, in seconds since 1970.
    pub started: u64,
}

/// How an errand ended.
#[derive(Debug)]
pub enum Ended {
    /// Every run has an output or a failure.
    Whole(Box<Results>),
    /// The user stopped it, and was told how to go on.
    Interrupted,
}

impl<'a> Errand<'a> {
    /// The errand of a scenario, with what simulates it.
    #[must_use]
    pub fn new(
        loaded: &'a Loaded,
        simulators: Simulators,
        manner: &'a Manner,
        interrupt: &'a Interrupt,
    ) -> Self {
        let study = loaded.study();
        let store = Store::new(&manner.out, &study.scenario);
        Self { loaded, manner, simulators, study, store, interrupt }
    }

    /// The name of the scenario.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.study.scenario
    }

    /// Where its results are.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What simulates its points.
    #[must_use]
    pub fn simulators(&self) -> &Simulators {
        &self.simulators
    }

    /// Whether its runs are judged.
    #[must_use]
    pub fn judges(&self) -> bool {
        self.manner.checkers
    }

    /// The study with its runs, where their number is known beforehand.
    #[must_use]
    pub fn runs(&self) -> Option<Study> {
        match self.replications() {
            Replications::Number(number) => Some(self.whole(*number)),
            Replications::Until(_) => None,
        }
    }

    fn whole(&self, replications: u32) -> Study {
        self.study.with(&vec![0..replications; self.study.points.len()])
    }

    fn replications(&self) -> &Replications {
        &self.loaded.plan().replications
    }

    /// Loads what is kept and simulates the rest.
    pub fn carry_out(&self, console: &mut Console<'_>) -> Result<Ended, Failure> {
        let started = clock::now();
        self.tell_of_other_versions(console)?;
        let most = self.study.points.len() * self.replications().most() as usize;
        if most > MOST_RUNS {
            self.ask_back(&self.whole(self.replications().most()))?;
        }
        // By point and seed: the number of a run is settled when all are there.
        let mut rings = BTreeMap::new();
        let mut asked = 0;
        let carried = experiment::carry_out(&self.study, self.replications(), |part| {
            asked += part.cells.len();
            let (outcome, more) = self.simulate(part, console)?;
            let place = |run: u32| (part.cells[run as usize].point, part.cells[run as usize].seed);
            rings.extend(more.into_iter().map(|(run, ring)| (place(run), ring)));
            Ok::<_, Failure>(outcome)
        })?;
        let there = carried.outcome.outputs.len() + carried.outcome.failures.len();
        if there < asked {
            let kept = carried.outcome.outputs.len();
            self.tell_of_interruption(kept, asked, console);
            return Ok(Ended::Interrupted);
        }
        self.store.clear_leftovers();
        let cells = carried.study.cells.iter();
        let numbered =
            cells.filter_map(|spec| Some((spec.run, rings.remove(&(spec.point, spec.seed))?)));
        let rings = numbered.collect();
        self.tell_of_imprecision(&carried, console);
        if self.judges() && carried.outcome.loaded > 0 {
            let kept = count(carried.outcome.loaded, "run");
            self.tell(
                console,
                &format!("{kept} kept from before: checkers judge only what is simulated now"),
            );
        }
        Ok(Ended::Whole(Box::new(self.results(carried, rings, started))))
    }

    /// Simulates one share of the runs and keeps them.
    pub fn carry_out_shard(
        &self,
        shard: Shard,
        console: &mut Console<'_>,
    ) -> Result<Outcome, Failure> {
        self.tell_of_other_versions(console)?;
        let whole = self.runs().ok_or_else(|| Failure::OpenEnded { path: self.path() })?;
        shard.fits(whole.cells.len())?;
        let part = whole.part(|spec| shard.holds(spec.run));
        self.ask_back(&part)?;
        let (outcome, _) = self.simulate(&part, console)?;
        let (kept, failed) = (outcome.outputs.len(), outcome.failures.len());
        if kept + failed < part.cells.len() {
            self.tell_of_interruption(kept, part.cells.len(), console);
            return Ok(Outcome::Interrupted);
        }
        for failure in &outcome.failures {
            self.tell_of_failure(&part, failure, console);
        }
        let text = format!(
            "{}: shard {shard}: {kept} of {} runs are kept, {} in all shards; `merge` makes the tables\n",
            self.name(),
            part.cells.len(),
            whole.cells.len(),
        );
        console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
        Ok(if failed > 0 { Outcome::Failed } else { Outcome::Done })
    }

    /// Takes over from other folders what is missing here, and gives the study if all is there then;
    /// else says which runs are missing.
    pub fn merge(
        &self,
        others: &[PathBuf],
        console: &mut Console<'_>,
    ) -> Result<Option<Results>, Failure> {
        let started = clock::now();
        let others: Vec<Store> =
            others.iter().map(|folder| Store::new(folder, self.name())).collect();
        for store in others.iter().chain([&self.store]) {
            self.tell_of_versions_in(store, console)?;
        }
        let mut missing = Vec::new();
        let carried = experiment::carry_out(&self.study, self.replications(), |part| {
            let mut outcome =
                experiment::Outcome { outputs: Vec::new(), failures: Vec::new(), loaded: 0 };
            for spec in &part.cells {
                match self.find(spec, &others, console)? {
                    Some(output) => {
                        outcome.outputs.push(*output);
                        outcome.loaded += 1;
                    }
                    None => missing.push(spec.clone()),
                }
            }
            Ok::<_, Failure>(outcome)
        })?;
        if missing.is_empty() {
            self.store.clear_leftovers();
            self.tell_of_imprecision(&carried, console);
            return Ok(Some(self.results(carried, Rings::new(), started)));
        }
        let total = carried.outcome.outputs.len() + missing.len();
        const SHOWN: usize = 8;
        let first = missing.iter().take(SHOWN);
        let numbers: Option<Vec<_>> =
            first.clone().map(|it| Some(self.number(it)?.to_string())).collect();
        let told = match numbers {
            Some(numbers) => format!("numbers {}", numbers.join(", ")),
            None => first.map(|it| self.named(it)).collect::<Vec<_>>().join(", "),
        };
        let more = if missing.len() > SHOWN { ", …" } else { "" };
        self.tell(console, &format!(
            "{} of {total} runs are missing ({told}{more}); run their shards again, or `run` the whole, \
             which simulates only what is missing",
            missing.len(),
        ));
        Ok(None)
    }

    /// The number of a run in the whole study, also where a part of it is carried out; `None` where
    /// it hangs on how many others there will be.
    fn number(&self, spec: &CellSpec) -> Option<u64> {
        let Replications::Number(replications) = self.replications() else { return None };
        let first = self.study.points[spec.point as usize].seed;
        let before = u64::from(spec.point) * u64::from(*replications);
        Some(before + spec.seed.wrapping_sub(first))
    }

    /// A run by its number, or else by what it is.
    fn named(&self, spec: &CellSpec) -> String {
        match (self.number(spec), self.study.points.len()) {
            (Some(number), _) => format!("run {number}"),
            (None, 1) => format!("the run with seed {}", spec.seed),
            (None, _) => format!("the run with seed {} at point {}", spec.seed, spec.point),
        }
    }

    /// A run from this store, or else from one of the others, which it is then copied from.
    fn find(
        &self,
        spec: &CellSpec,
        others: &[Store],
        console: &mut Console<'_>,
    ) -> Result<Option<Box<crate::metrics::tables::RunOutput>>, Failure> {
        let mut damaged = Vec::new();
        let mut look = |store: &Store, stored| match stored {
            Stored::Whole(output) => Some(output),
            Stored::Absent => None,
            Stored::Damaged(error) => {
                damaged.push(format!("{}: {error}", store.cell(spec.id()).display()));
                None
            }
        };
        let mut found = look(&self.store, self.store.load(spec)?);
        for other in others {
            if found.is_none() {
                found = look(other, self.store.adopt(spec, other)?);
            }
        }
        for damage in damaged {
            let kept = if found.is_some() { "; another copy is used" } else { "" };
            self.tell(
                console,
                &format!("what is kept of {} cannot be used: {damage}{kept}", self.named(spec)),
            );
        }
        Ok(found)
    }

    fn results(&self, carried: Carried, rings: Rings, started: u64) -> Results {
        let theory = self.simulators.theory();
        let summary = summarise(&carried.study, &carried.outcome.outputs, &theory);
        Results { carried, summary, rings, started }
    }

    /// Very many runs are not begun by accident.
    fn ask_back(&self, whole: &Study) -> Result<(), Failure> {
        if self.manner.yes || whole.cells.len() <= MOST_RUNS {
            return Ok(());
        }
        let missing = whole.part(|spec| !self.store.cell(spec.id()).exists());
        if missing.cells.len() <= MOST_RUNS {
            return Ok(());
        }
        let forecast = forecast::of(&missing, &self.simulators, self.manner.jobs);
        Err(Failure::VeryMany {
            path: self.path(),
            runs: missing.cells.len(),
            jobs: self.manner.jobs,
            forecast,
        })
    }

    fn path(&self) -> PathBuf {
        self.loaded.path.clone()
    }

    /// Loads what is kept of these runs and simulates the rest.
    fn simulate(
        &self,
        study: &Study,
        console: &mut Console<'_>,
    ) -> Result<(experiment::Outcome, Rings), Failure> {
        let shown = console.interactive && !self.manner.quiet;
        let length = |spec: &CellSpec| self.simulators.at(spec.point).length();
        let lengths = study.cells.iter().map(length).collect();
        let progress = Arc::new(Progress::new(lengths, shown, self.interrupt.clone()));
        let supervisor: Arc<dyn Supervisor> = progress.clone();
        let simulators = self.simulators.clone().supervised(&supervisor);
        let damaged = Mutex::new(Vec::new());
        let report = |happening: Happening| {
            progress.happened(&happening);
            if let Happening::Damaged { run, reason } = happening {
                let run = self.named(&study.cells[run as usize]);
                let told =
                    format!("what is kept of {run} cannot be used ({reason}); simulating it again");
                damaged.lock().expect("nothing panics here").push(told);
            }
        };
        let outcome = run_study(study, &self.store, self.manner.jobs, &simulators, &report);
        progress.finish();
        for told in damaged.into_inner().expect("nothing panics here") {
            self.tell(console, &told);
        }
        Ok((outcome?, progress.take_rings()))
    }

    /// Writes tables, figures and manifest; gives the folder as it is to be shown.
    pub fn write(&self, results: &Results) -> Result<String, Failure> {
        let Results { carried, summary, started, .. } = results;
        let curve = match &self.study.points[..] {
            [_] => self.simulators.at(0).stale_window_curve(),
            _ => None,
        };
        let files = report::files(&carried.study, &carried.outcome, summary, curve.as_ref());
        let failures = &carried.outcome.failures;
        let circumstances = Circumstances {
            command: std::env::args_os().map(|it| it.to_string_lossy().into_owned()).collect(),
            directory: std::env::current_dir()
                .map_or_else(|_| String::new(), |folder| folder.display().to_string()),
            started: *started,
            finished: clock::now(),
            jobs: self.manner.jobs,
            loaded: carried.outcome.loaded,
            failures: failures.iter().map(|it| (it.run, it.message.clone())).collect(),
        };
        let folder = report::write(&self.store, &carried.study, &files, &circumstances)?;
        // One that was killed while it wrote these files has left what was not whole before.
        self.store.clear_leftovers();
        Ok(folder.display().to_string())
    }

    fn tell_of_other_versions(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        // Whoever goes on with runs of this version was told when it began them.
        if self.store.has_cells() { Ok(()) } else { self.tell_of_versions_in(&self.store, console) }
    }

    fn tell_of_versions_in(&self, store: &Store, console: &mut Console<'_>) -> Result<(), Failure> {
        let others = store.other_engines()?;
        if !others.is_empty() {
            self.tell(console, &format!(
                "{} also holds runs of other versions of the program ({}); they stay there, and \
                 nothing of them is used",
                store.folder().display(),
                others.join(", "),
            ));
        }
        Ok(())
    }

    /// Tells that the user has stopped it, and what is kept.
    pub fn tell_of_interruption(&self, kept: usize, total: usize, console: &mut Console<'_>) {
        self.tell(console, &format!(
            "interrupted: {kept} of {total} runs are kept, and the same command goes on from there"
        ));
    }

    /// Tells where a metric is not known as well as was asked.
    fn tell_of_imprecision(&self, carried: &Carried, console: &mut Console<'_>) {
        for imprecise in &carried.imprecise {
            self.tell(console, &report::terminal::imprecise(&carried.study, imprecise));
        }
    }

    /// Tells of a run that failed.
    pub fn tell_of_failure(&self, study: &Study, failure: &RunFailure, console: &mut Console<'_>) {
        let spec = &study.cells[failure.run as usize];
        let (run, RunFailure { message, .. }) = (self.named(spec), failure);
        self.tell(console, &format!("{run} (seed {}) failed: {message}", spec.seed));
    }

    /// Tells standard error something; when that is closed, nobody is there to be told.
    pub fn tell(&self, console: &mut Console<'_>, message: &str) {
        let _ = writeln!(console.err, "overcord: {}: {message}", self.name());
    }
}
