use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::experiment::simulator::Simulator;
use crate::scenario::Scenario;
use crate::time::{SimDuration, SimTime};
use crate::world::{LogSink, Progress};

/// Twelve nodes for twenty minutes, with whatever is added.
fn simulator(more: &str) -> Simulator {
    probing("60s", more)
}

/// The same, whose members test the proxy peer this often.
fn probing(interval: &str, more: &str) -> Simulator {
    let text = format!(
        "name = 'small'\nseed = 3\nduration = '20m'\nwarmup = '1m'\n\
         [dns]\nttl = '30s'\n[[dns.resolver]]\nname = 'isp'\n[dyndns]\n[overlay]\nnodes = 12\n\
         [churn]\nsession_mean = '5m'\ndowntime_mean = '5m'\n[handover]\nprobe_interval = '{interval}'\n\
         [[caller]]\ndomain = 'a.example'\nlookups = {{ interval = '20s' }}\n{more}"
    );
    let scenario = Scenario::parse("small.toml", text.as_bytes(), Path::new("."), &[])
        .unwrap_or_else(|report| panic!("{report}"));
    Simulator::new(scenario.plan, None, true)
}

/// A member that stays away from 700 s on.
const GONE: &str = "[[event]]\nat = '700s'\naction = 'depart'\nhost = 'node-00004'\n";

fn cells(runs: u32) -> Vec<CellSpec> {
    let cell = |run| CellSpec {
        warmup: SimTime::from_secs(60),
        seed: 3 + u64::from(run),
        ..crate::experiment::run::tests::spec(run, 0)
    };
    (0..runs).map(cell).collect()
}

fn verify(subject: &dyn Subject, runs: u32) -> Verified {
    let cells = cells(runs);
    let verification = Verification { subject, first: 0, cells: &cells, threads: 2, points: 1 };
    verification.carry_out(&|_| {}).unwrap().expect("nothing stops it")
}

/// A simulator that now and then is another one.
struct Broken {
    sound: Simulator,
    other: Simulator,
    /// Whether a run is the other's: by its errand, and by how many plain ones there were before.
    when: fn(&Errand, u32) -> bool,
    /// What it does to outputs, by how many plain runs there were before.
    spoil: fn(&mut RunOutput, u32) -> Result<(), Halt>,
    plain: AtomicU32,
}

impl Broken {
    fn new(when: fn(&Errand, u32) -> bool) -> Self {
        Self {
            sound: simulator(""),
            other: simulator(GONE),
            when,
            spoil: |_, _| Ok(()),
            plain: AtomicU32::new(0),
        }
    }
}

impl Subject for Broken {
    fn carry_out(
        &self,
        errand: Errand,
        log: LogSink<'_>,
        goes_on: Progress<'_>,
    ) -> Result<(RunOutput, Vec<u64>), Halt> {
        let before = self.plain.fetch_add(u32::from(errand.tie_salt == 0), Ordering::Relaxed);
        let is_other = (self.when)(&errand, before);
        let simulator = if is_other { &self.other } else { &self.sound };
        let is_plain = errand.tie_salt == 0;
        let (mut output, epochs) = simulator.carry_out(errand, log, goes_on)?;
        if is_plain {
            (self.spoil)(&mut output, before)?;
        }
        Ok((output, epochs))
    }

    fn hosts(&self, seed: u64) -> Result<Vec<String>, Halt> {
        Subject::hosts(&self.sound, seed)
    }

    fn epoch(&self) -> SimDuration {
        self.sound.epoch()
    }
}

#[test]
fn what_repeats_itself_is_the_same_however_often_it_is_verified() {
    let simulator = simulator("");
    let verified = verify(&simulator, 3);
    assert!(verified.repeats() && !verified.hangs(), "{verified:#?}");
    assert_eq!((verified.runs, &verified.repeat), (3, &Repeat::Same));
    let more_threads = {
        let cells = cells(3);
        let verification =
            Verification { subject: &simulator, first: 9, cells: &cells, threads: 5, points: 1 };
        verification.carry_out(&|_| {}).unwrap().unwrap()
    };
    assert_eq!(Verified { threads: 2, ..more_threads }, verified);
}

#[test]
fn passes_are_numbered_and_each_run_is_told_of_once() {
    let seen = std::sync::Mutex::new(Vec::new());
    let cells = cells(2);
    let simulator = simulator("");
    let verification =
        Verification { subject: &simulator, first: 10, cells: &cells, threads: 3, points: 1 };
    verification.carry_out(&|run| seen.lock().unwrap().push(run)).unwrap();
    let mut seen = seen.into_inner().unwrap();
    assert_eq!(seen[..2], [10, 11], "the plain runs are first, one after another");
    seen.sort_unstable();
    assert!(seen.into_iter().eq(10..18));
}

#[test]
fn a_run_that_does_not_repeat_itself_is_told_with_its_first_event() {
    // The first of two plain runs is sound, the second is not; then, side by side, the same again.
    let broken = Broken::new(|errand, before| errand.tie_salt == 0 && before % 2 == 1);
    let verified = verify(&broken, 1);
    assert!(!verified.repeats());
    let Repeat::Different { runs, difference } = &verified.repeat else { panic!("{verified:#?}") };
    assert_eq!(runs, &[0]);
    let Difference::Events(Parted::At(parting)) = difference else { panic!("{difference:#?}") };
    assert_eq!((parting.at, parting.host.as_str()), (SimTime::from_secs(700), "node-00004"));
    let words: Vec<&str> =
        parting.versions.iter().flatten().map(|version| version.words.as_str()).collect();
    assert_eq!(words, ["node-00004: goes"], "one of the two has it");
    assert_eq!(verified.ties, [Ties::Untold, Ties::Untold], "there is nothing to compare with");
}

#[test]
fn a_defect_that_does_not_show_again_is_told_as_such() {
    let broken = Broken::new(|errand, before| errand.tie_salt == 0 && before == 1);
    let verified = verify(&broken, 1);
    let Repeat::Different { difference, .. } = verified.repeat else { panic!("it differs") };
    assert_eq!(difference, Difference::Events(Parted::Nowhere));
}

#[test]
fn rows_that_differ_under_the_same_fingerprint_are_told() {
    let broken = Broken {
        spoil: |output, before| {
            if before == 1 {
                output.timeline[4].members += 1;
            }
            Ok(())
        },
        ..Broken::new(|_, _| false)
    };
    let verified = verify(&broken, 1);
    let Repeat::Different { difference: Difference::Rows(row), .. } = verified.repeat else {
        panic!("rows differ")
    };
    assert_eq!((row.table, row.row), ("timeline", 5));
}

#[test]
fn a_repeat_that_fails_is_a_failure() {
    let broken = Broken {
        spoil: |_, before| match before {
            1 => Err(Halt::Failed("it broke".to_owned())),
            _ => Ok(()),
        },
        ..Broken::new(|_, _| false)
    };
    let verified = verify(&broken, 1);
    assert!(!verified.repeats() && verified.repeat == Repeat::Same);
    let [(pass, failure)] = &verified.failures[..] else { panic!("{verified:#?}") };
    assert_eq!((*pass, failure.run, failure.message.as_str()), (Pass::Repeat, 0, "it broke"));
    assert_eq!(verified.ties, [Ties::Untold, Ties::Untold]);
}

#[test]
fn what_always_moves_with_the_order_hangs_on_it() {
    // Reversed, members test the proxy peer twice as often in each run; shuffled, nothing is changed
    // on purpose.
    let broken = Broken {
        other: probing("30s", ""),
        ..Broken::new(|errand, _| errand.tie_salt == REVERSED_TIES)
    };
    let verified = verify(&broken, 12);
    assert!(verified.repeats() && verified.hangs(), "{verified:#?}");
    let [Ties::Different { runs, rows, parted, moved, metrics }, shuffled] = &verified.ties else {
        panic!("{verified:#?}")
    };
    assert_eq!((runs.len(), *rows), (12, 12));
    assert!(moved.len() < *metrics, "some do not move");
    let Parted::At(parting) = parted else { panic!("{parted:?}") };
    assert!(parting.at < SimTime::from_secs(60), "{parting:?}");
    let hanging: Vec<&str> = verified.ties[0].hanging().map(|it| it.metric.as_str()).collect();
    assert!(hanging.contains(&"messages_per_node_hour.icmp"), "{hanging:?}");
    // Who leaves when does not depend on tests.
    assert!(moved.iter().all(|it| it.metric != "leaves" && it.metric != "node_hours"));
    assert_eq!(shuffled.hanging().next(), None);
}

#[test]
fn an_interrupted_verification_says_nothing() {
    let broken = Broken {
        spoil: |_, before| if before == 2 { Err(Halt::Stopped) } else { Ok(()) },
        ..Broken::new(|_, _| false)
    };
    let cells = cells(3);
    let verification =
        Verification { subject: &broken, first: 0, cells: &cells, threads: 2, points: 1 };
    assert_eq!(verification.carry_out(&|_| {}).unwrap(), None);
}

#[test]
fn salts_are_neither_the_usual_order_nor_its_opposite() {
    for seed in 0..10_000 {
        let salt = Order::Shuffled.salt(seed);
        assert!(salt != 0 && salt != REVERSED_TIES);
    }
    assert_ne!(Order::Shuffled.salt(1), Order::Shuffled.salt(2));
    assert_eq!(Order::Reversed.salt(1), REVERSED_TIES);
}
