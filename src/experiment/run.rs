//! Simulating what is missing of a study.
//!
//! Runs are independent, so they may go on any number of threads; what they give is collected in
//! the order of the study, and everything after that is done in one thread. A run that panics (a
//! broken invariant of the simulator) does not take the others down.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use rayon::prelude::*;

use crate::experiment::cell::{CellSpec, Study};
use crate::experiment::store::{Store, StoreError, Stored};
use crate::metrics::tables::RunOutput;

/// Why a run gave no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// It was stopped from outside.
    #[error("stopped")]
    Stopped,
    /// It cannot be carried out, or what it gave is not to be trusted.
    #[error("{0}")]
    Failed(String),
}

/// What can carry out a run.
pub trait Simulate: Sync {
    /// Carries out one run; the output must depend on the spec alone.
    ///
    /// # Errors
    /// When there is no output.
    fn simulate(&self, spec: &CellSpec) -> Result<RunOutput, Halt>;
}

impl<F: Fn(&CellSpec) -> RunOutput + Sync> Simulate for F {
    fn simulate(&self, spec: &CellSpec) -> Result<RunOutput, Halt> {
        Ok(self(spec))
    }
}

/// What is reported while a study goes on. Reports come from one thread at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A file of an earlier run cannot be used, and its run is simulated again.
    Damaged {
        /// The run.
        run: u32,
        /// Why.
        reason: String,
    },
    /// Another run is there.
    Progress {
        /// The run.
        run: u32,
        /// Runs that are there, failed ones included.
        done: usize,
        /// Of these, the ones that were loaded and not simulated.
        loaded: usize,
        /// Of these, the ones that failed.
        failed: usize,
        /// All runs of the study.
        total: usize,
    },
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The run.
    pub run: u32,
    /// Why; after a panic, what it said.
    pub message: String,
}

/// What a study gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The outputs, in the order of the runs; failed and stopped ones are missing.
    pub outputs: Vec<RunOutput>,
    /// The runs that failed.
    pub failures: Vec<Failure>,
    /// How many runs were loaded.
    pub loaded: usize,
}

/// Why a study could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start {jobs} threads: {source}")]
    Threads {
        /// How many were asked for.
        jobs: usize,
        /// Why not.
        source: rayon::ThreadPoolBuildError,
    },
}

/// So many threads (0: as many as there are cores).
pub(super) fn threads(jobs: usize) -> Result<rayon::ThreadPool, StudyError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    pool.map_err(|source| StudyError::Threads { jobs, source })
}

/// Where a run's output came from.
enum Source {
    Loaded,
    Simulated,
}

/// Loads the runs of a study that are kept, simulates the others on `jobs` threads (0: as many as
/// there are cores), and keeps each as soon as it is there.
///
/// # Errors
/// When the store cannot be read or written. Runs that were finished by then are kept.
pub fn run_study(
    study: &Study,
    store: &Store,
    jobs: usize,
    simulate: &impl Simulate,
    report: &(dyn Fn(Happening) + Sync),
) -> Result<Outcome, StudyError> {
    let pool = threads(jobs)?;
    let first = first_of_each(study);
    let distinct: Vec<&CellSpec> =
        study.cells.iter().filter(|spec| first[spec.run as usize] == spec.run).collect();
    let tally = Mutex::new(Tally { done: 0, loaded: 0, failed: 0, total: distinct.len(), report });
    let one = |spec: &&CellSpec| carry_out(spec, store, simulate, &tally);
    // Once something cannot be kept, nothing more is begun.
    let results: Result<Vec<Given>, StoreError> =
        pool.install(|| distinct.par_iter().with_max_len(1).map(one).collect());
    let mut outcome = Outcome { outputs: Vec::new(), failures: Vec::new(), loaded: 0 };
    let mut given: BTreeMap<u32, Given> =
        distinct.iter().map(|spec| spec.run).zip(results?).collect();
    for spec in &study.cells {
        outcome.add(spec.run, first[spec.run as usize], &mut given);
    }
    Ok(outcome)
}

impl Outcome {
    /// Adds run `run`, which is the same cell as run `first` or that run itself.
    fn add(&mut self, run: u32, first: u32, given: &mut BTreeMap<u32, Given>) {
        match given.remove(&first) {
            Some(Ok((output, source))) => {
                self.loaded += usize::from(matches!(source, Source::Loaded));
                self.outputs.push(RunOutput { run, ..output });
            }
            Some(Err(Halt::Failed(message))) => self.failures.push(Failure { run, message }),
            Some(Err(Halt::Stopped)) => {}
            None => {
                let same = self.outputs.binary_search_by_key(&first, |output| output.run);
                if let Ok(same) = same {
                    self.outputs.push(RunOutput { run, ..self.outputs[same].clone() });
                } else if let Some(same) = self.failures.iter().find(|it| it.run == first) {
                    self.failures.push(Failure { run, message: same.message.clone() });
                }
            }
        }
    }
}

/// For each run, the first that is the same cell: a sweep may come to the same scenario twice.
fn first_of_each(study: &Study) -> Vec<u32> {
    let mut seen = BTreeMap::new();
    let first = |spec: &CellSpec| *seen.entry(spec.id().to_string()).or_insert(spec.run);
    study.cells.iter().map(first).collect()
}

/// The counts of what is reported.
struct Tally<'a> {
    done: usize,
    loaded: usize,
    failed: usize,
    total: usize,
    report: &'a (dyn Fn(Happening) + Sync),
}

impl Tally<'_> {
    fn progress(&self, run: u32) {
        (self.report)(Happening::Progress {
            run,
            done: self.done,
            loaded: self.loaded,
            failed: self.failed,
            total: self.total,
        });
    }
}

type Given = Result<(RunOutput, Source), Halt>;

fn carry_out(
    spec: &CellSpec,
    store: &Store,
    simulate: &impl Simulate,
    tally: &Mutex<Tally<'_>>,
) -> Result<Given, StoreError> {
    let locked = || tally.lock().expect("a report does not panic");
    let given = match store.load(spec)? {
        Stored::Whole(output) => Ok((*output, Source::Loaded)),
        stored => {
            if let Stored::Damaged(error) = stored {
                let happening = Happening::Damaged { run: spec.run, reason: error.to_string() };
                (locked().report)(happening);
            }
            let output = guarded(|| simulate.simulate(spec));
            if let Ok(output) = &output {
                store.save(spec, output)?;
            }
            output.map(|output| (output, Source::Simulated))
        }
    };
    let mut tally = locked();
    match &given {
        Ok((_, Source::Loaded)) => tally.loaded += 1,
        Ok((_, Source::Simulated)) => {}
        Err(Halt::Failed(_)) => tally.failed += 1,
        Err(Halt::Stopped) => return Ok(given),
    }
    tally.done += 1;
    tally.progress(spec.run);
    Ok(given)
}

/// Carries out a run; one that panics has failed.
///
/// # Errors
/// When the run gives no output.
pub fn guarded<T>(run: impl FnOnce() -> Result<T, Halt>) -> Result<T, Halt> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Halt::Failed(message_of(&*panic))))
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the run panicked without a message".to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::address::Address;
    use crate::experiment::cell::StudyPoint;
    use crate::metrics::headline::{Asked, Tally as Counted, headline};
    use crate::metrics::tables::{
        Anatomy, Cause, Closed, ExchangeRow, Fate, HandoverRow, RequestMethod, RequestOutcome,
        RequestRow, Resolution, SignallingRow, StaleRow, StoryRow, SubscriptionRow, TimelineRow,
        Told,
    };
    use crate::net::ledger::{Direction, Protocol, Purpose};
    use crate::time::{SimDuration, SimTime};

    pub(crate) fn spec(run: u32, seed: u64) -> CellSpec {
        CellSpec {
            run,
            point: 0,
            varied: Vec::new(),
            seed,
            warmup: SimTime::from_secs(100),
            identity: "duration = \"1h\"\n".into(),
            trace: None,
        }
    }

    /// A study of one point with this many replications, seeds from 7.
    pub(crate) fn study(replications: u32) -> Study {
        let point = StudyPoint {
            varied: Vec::new(),
            effective: "schema = 1\nduration = \"1h\"\n".into(),
            identity: "duration = \"1h\"\n".into(),
            seed: 7,
            warmup: SimTime::from_secs(100),
            duration: Some(SimDuration::from_secs(3600)),
            stop_after_departures: None,
            settles: true,
            trace: None,
        };
        let study = Study {
            scenario: "handover".into(),
            description: String::new(),
            as_written: "schema = 1\n".into(),
            varied: Vec::new(),
            points: vec![point],
            cells: Vec::new(),
        };
        let all = 0..replications;
        study.with(&[all])
    }

    /// Two episodes (one in the warm-up), two stale windows and a few messages; spans grow with
    /// the seed.
    pub(crate) fn fake_output(spec: &CellSpec) -> RunOutput {
        let seconds = SimDuration::from_secs;
        let old: Address = "10.0.0.1".parse().unwrap();
        let episode = |opened, closed| HandoverRow {
            caller: "ru.ac.za".into(),
            opened: SimTime::from_secs(opened),
            anatomy: Anatomy {
                detect: seconds(spec.seed),
                claim: seconds(5),
                update: SimDuration::from_millis(250),
                publish: SimDuration::ZERO,
                cache: seconds(30),
                ask: seconds(2),
                recover: SimDuration::from_nanos(1),
            },
            departures: 1,
            claimants: 2,
            updates: 3,
            old_address: Some(old),
            new_address: None,
            closed,
            resolution: Some(Resolution::Claim),
        };
        let handovers = vec![episode(50, Closed::Censored), episode(200, Closed::Lookup)];
        let window = |name: &str, window| StaleRow {
            resolver: name.into(),
            address: old,
            ended: SimTime::from_secs(200),
            window,
            stale_answers: 4,
            answers: 9,
            callers: 1,
        };
        let stale = vec![window("isp-1", seconds(30 + spec.seed)), window("isp-2", seconds(0))];
        let signalling = vec![SignallingRow {
            protocol: Protocol::Dns,
            purpose: Purpose::DnsClient,
            direction: Direction::Sent,
            messages: 10,
            bytes: 630,
        }];
        let tally = Counted {
            departures: 1,
            observed: seconds(3500),
            stale_share: Some(0.005),
            stale_answers: 8,
            answers: 18,
            claimants: vec![2],
            updates: 3,
            asked: Asked::Lookups(40),
            node_hours: 200.0,
            ..Counted::default()
        };
        let headline = headline(spec.warmup, &handovers, &stale, &signalling, &tally);
        let (run, seed, fingerprint) = (spec.run, spec.seed, crate::rng::mix(spec.seed));
        RunOutput {
            run,
            seed,
            fingerprint,
            handovers,
            stale,
            requests: Vec::new(),
            departures: Vec::new(),
            signalling,
            timeline: vec![fake_bin()],
            told: Told::default(),
            headline,
        }
    }

    /// A message, an event, and a message that was sent three times; an exchange that was met, and
    /// one that was not; a subscription that survived, and one that was never granted.
    pub(crate) fn fake_story() -> Told {
        let line = |millis: u64, from: &str, to: Option<&str>, what: &str| StoryRow {
            time: SimTime::ZERO + SimDuration::from_millis(millis),
            from: from.into(),
            to: to.map(Into::into),
            what: what.into(),
            again: false,
        };
        let message = "SIP MESSAGE sip:bob@a.org";
        let mut lines =
            vec![line(1_500, "alice", Some("bob"), message), line(2_000, "alice", None, "goes")];
        let carol = |at, again| StoryRow { again, ..line(at, "carol", Some("bob"), message) };
        lines.extend([carol(3_000, false), carol(3_500, true), carol(17_001, true)]);
        let exchange = |title: &str, met: Option<u64>, instead: &str| ExchangeRow {
            title: title.into(),
            met: met.map(|millis| SimTime::ZERO + SimDuration::from_millis(millis)),
            instead: instead.into(),
        };
        let watches = |watcher: &str, peer: &str, granted: Option<u64>, fate, told: &str| {
            let granted = granted.map(SimTime::from_secs);
            let (watcher, peer, told) = (watcher.into(), peer.into(), told.into());
            let (at, regained) = (granted, None);
            SubscriptionRow { watcher, peer, granted, fate, at, regained, told }
        };
        Told {
            lines,
            exchanges: vec![
                exchange("Alice writes to Bob", Some(1_525), ""),
                exchange("Bob writes to Alice", None, "nothing of the kind"),
            ],
            subscriptions: vec![
                watches("alice", "bob", Some(5), Fate::Survived, "survived: it was renewed"),
                watches("bob", "alice", None, Fate::Refused, "never granted: nobody answered"),
            ],
        }
    }

    fn fake_bin() -> TimelineRow {
        TimelineRow {
            time: SimTime::from_secs(300),
            members: 200,
            believers: 1,
            binding_valid: true,
            stale_resolvers: 1,
            resolvers: 2,
            overlays: 1,
            messages: 10,
        }
    }

    /// Four requests: one that failed for each cause, one that succeeded, one without an end.
    pub(crate) fn fake_requests(delay: u64) -> Vec<RequestRow> {
        let request = |time, outcome, cause, delay: Option<u64>| RequestRow {
            time: SimTime::from_secs(time),
            caller: "ru.ac.za".into(),
            method: RequestMethod::Message,
            outcome,
            cause,
            delay: delay.map(SimDuration::from_secs),
            stale: Some(time == 205),
        };
        vec![
            request(205, RequestOutcome::Timeout, Some(Cause::Interop), Some(32)),
            request(240, RequestOutcome::Status(486), Some(Cause::Callee), Some(delay)),
            request(300, RequestOutcome::Status(200), None, Some(delay)),
            request(3590, RequestOutcome::Unfinished, None, None),
        ]
    }

    /// Runs a study and gives the outcome with the number of runs that were simulated.
    fn carry(study: &Study, store: &Store, jobs: usize) -> (Outcome, usize) {
        let simulated = AtomicUsize::new(0);
        let simulate = |spec: &CellSpec| {
            simulated.fetch_add(1, Ordering::Relaxed);
            fake_output(spec)
        };
        let outcome = run_study(study, store, jobs, &simulate, &|_| ()).unwrap();
        (outcome, simulated.into_inner())
    }

    #[test]
    fn threads_change_neither_outcome_nor_files() {
        let (one, four) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let study = study(20);
        let (on_one, _) = carry(&study, &Store::new(one.path(), "s"), 1);
        let (on_four, _) = carry(&study, &Store::new(four.path(), "s"), 4);
        assert_eq!(on_one, on_four);
        assert!(on_one.outputs.iter().map(|output| output.run).eq(0..20));
        for spec in &study.cells {
            let read = |root: &std::path::Path| fs::read(Store::new(root, "s").cell(spec.id()));
            assert_eq!(read(one.path()).unwrap(), read(four.path()).unwrap());
        }
    }

    #[test]
    fn a_killed_study_goes_on_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "s");
        let whole = study(5);
        // Three runs were finished; the fourth was being written when the process was killed.
        let (_, simulated) = carry(&study(3), &store, 2);
        assert_eq!(simulated, 3);
        let fourth = store.cell(whole.cells[3].id());
        let half = fourth.with_extension("csv.1.partial");
        fs::write(&half, "overcord-cell,1\ncell,").unwrap();
        let (resumed, simulated) = carry(&whole, &store, 2);
        assert_eq!((simulated, resumed.loaded), (2, 3));
        let fresh = tempfile::tempdir().unwrap();
        let (uninterrupted, _) = carry(&whole, &Store::new(fresh.path(), "s"), 2);
        assert_eq!(resumed.outputs, uninterrupted.outputs);
        assert!(fourth.exists() && half.exists(), "what another process writes is its own");
        store.clear_leftovers();
        assert!(fourth.exists() && !half.exists());
        assert_eq!(carry(&whole, &store, 2).1, 0, "nothing is left to do");
    }

    #[test]
    fn an_edited_cell_is_noticed_and_simulated_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "s");
        let study = study(2);
        let (before, _) = carry(&study, &store, 1);
        let cell = store.cell(study.cells[1].id());
        let edited = fs::read_to_string(&cell).unwrap().replacen("10.0.0.1", "10.0.0.2", 1);
        fs::write(&cell, edited).unwrap();
        let happenings = Mutex::new(Vec::new());
        let report = |happening| happenings.lock().unwrap().push(happening);
        let after = run_study(&study, &store, 1, &fake_output, &report).unwrap();
        assert_eq!((after.outputs, after.loaded), (before.outputs, 1));
        let happenings = happenings.into_inner().unwrap();
        let noticed =
            happenings.iter().filter(|it| matches!(it, Happening::Damaged { run: 1, .. }));
        assert_eq!(noticed.count(), 1);
        let last = Happening::Progress { run: 1, done: 2, loaded: 1, failed: 0, total: 2 };
        assert_eq!(happenings.last(), Some(&last));
    }

    #[test]
    fn a_run_that_panics_fails_alone_and_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "s");
        let simulate = |spec: &CellSpec| {
            assert_ne!(spec.seed, 8, "an invariant is broken");
            fake_output(spec)
        };
        let outcome = run_study(&study(3), &store, 2, &simulate, &|_| ()).unwrap();
        assert!(outcome.outputs.iter().map(|output| output.run).eq([0, 2]));
        assert_eq!(outcome.failures.len(), 1);
        assert!(outcome.failures[0].message.contains("an invariant is broken"));
        assert!(!store.cell(study(3).cells[1].id()).exists());
    }

    /// Stops every run from the third on.
    struct Impatient;

    impl Simulate for Impatient {
        fn simulate(&self, spec: &CellSpec) -> Result<RunOutput, Halt> {
            if spec.run < 2 { Ok(fake_output(spec)) } else { Err(Halt::Stopped) }
        }
    }

    #[test]
    fn a_stopped_run_is_neither_output_nor_failure() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "s");
        let happenings = Mutex::new(0);
        let report = |_| *happenings.lock().unwrap() += 1;
        let outcome = run_study(&study(5), &store, 2, &Impatient, &report).unwrap();
        assert!(outcome.outputs.iter().map(|output| output.run).eq([0, 1]));
        assert_eq!((outcome.failures.len(), happenings.into_inner().unwrap()), (0, 2));
        assert_eq!(carry(&study(5), &store, 2).1, 3, "the two are kept");
    }

    #[cfg(unix)]
    #[test]
    fn where_nothing_can_be_kept_nothing_more_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        // Nothing is there to be read, and no folder can be made of a link that leads nowhere.
        fs::create_dir(folder.path().join("s")).unwrap();
        std::os::unix::fs::symlink("nowhere/at all", folder.path().join("s/cells")).unwrap();
        let begun = AtomicUsize::new(0);
        let simulate = |spec: &CellSpec| {
            begun.fetch_add(1, Ordering::Relaxed);
            fake_output(spec)
        };
        let store = Store::new(folder.path(), "s");
        let error = run_study(&study(100), &store, 1, &simulate, &|_| ()).unwrap_err();
        assert!(error.to_string().starts_with("cannot create the folder of "), "{error}");
        assert_eq!(begun.into_inner(), 1);
    }

    #[test]
    fn the_same_cell_twice_is_simulated_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut twice = study(2);
        twice.cells[1].seed = twice.cells[0].seed;
        let (outcome, simulated) = carry(&twice, &Store::new(folder.path(), "s"), 2);
        assert_eq!(simulated, 1);
        assert!(outcome.outputs.iter().map(|output| output.run).eq([0, 1]));
    }
}
