//! `overcord verify`: simulates every run of scenarios again, on one thread, on several, and with
//! ties shuffled, and says whether it is the same. It uses nothing that is kept, and keeps nothing.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Console;
use super::arguments::VerifyArguments;
use super::files::{self, Loaded};
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::progress::Progress;
use crate::experiment::cell::Study;
use crate::experiment::verify::{PASSES, Verification, Verified};
use crate::experiment::{Happening, Simulator};
use crate::report;
use crate::scenario::build::duration_of;

/// The fewest threads on which runs are repeated: with one, nothing could come between.
const FEWEST: usize = 2;

/// Verifies scenarios, after all of them were read and checked.
pub fn verify(arguments: &VerifyArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let assignments = arguments.overrides.assignments();
    let load = |path: &PathBuf| {
        let loaded = files::load(path, &assignments)?;
        let simulator = loaded.simulator(false);
        loaded.first_world(&simulator)?;
        Ok((loaded, simulator))
    };
    let scenarios = arguments.files.iter().map(load).collect::<Result<Vec<_>, Failure>>()?;
    let processors = || thread::available_parallelism().map_or(FEWEST, NonZeroUsize::get);
    let threads = arguments.jobs.map_or_else(processors, usize::from).max(FEWEST);
    let interrupt = Interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for (place, (loaded, simulator)) in scenarios.iter().enumerate() {
        if place > 0 {
            writeln!(console.out).map_err(Failure::Output)?;
        }
        let shown = console.interactive && !arguments.quiet;
        let errand = Errand { loaded, simulator, threads, shown, interrupt: &interrupt };
        let Some(verified) = errand.carry_out()? else { return Ok(Outcome::Interrupted) };
        let text = report::verify::verified(&simulator.plan().name, &verified);
        console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
        // Before the progress of the next is drawn.
        console.out.flush().map_err(Failure::Output)?;
        outcome = worse(outcome, of(&verified));
    }
    Ok(outcome)
}

/// The outcome of one scenario.
fn of(verified: &Verified) -> Outcome {
    if !verified.repeats() {
        Outcome::Failed
    } else if verified.hanging().next().is_some() {
        Outcome::Inconclusive
    } else {
        Outcome::Done
    }
}

/// The worse of two outcomes: a defect of the program, then one of a scenario.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let weight = |outcome| match outcome {
        Outcome::Failed => 2,
        Outcome::Inconclusive => 1,
        _ => 0,
    };
    if weight(other) > weight(one) { other } else { one }
}

/// One scenario to be verified.
struct Errand<'a> {
    loaded: &'a Loaded,
    simulator: &'a Simulator,
    threads: usize,
    shown: bool,
    interrupt: &'a Interrupt,
}

impl Errand<'_> {
    /// `None` when the user has asked to stop.
    fn carry_out(&self) -> Result<Option<Verified>, Failure> {
        let study = self.study();
        let total = PASSES as usize * study.cells.len();
        let length = duration_of(self.simulator.plan(), self.simulator.trace());
        let progress = Arc::new(Progress::new(total, length, self.shown, self.interrupt.clone()));
        let simulator = self.simulator.clone().supervised(progress.clone());
        let done = AtomicUsize::new(0);
        let tell = |run| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.happened(&Happening::Progress { run, done, loaded: 0, failed: 0, total });
        };
        let verification = Verification {
            subject: &simulator,
            first: 0,
            cells: &study.cells,
            threads: self.threads,
            points: 1,
        };
        let verified = verification.carry_out(&tell);
        progress.finish();
        Ok(verified?)
    }

    fn study(&self) -> Study {
        let digest = self.loaded.trace.as_ref().map(|recorded| recorded.digest);
        let effective = self.loaded.scenario.effective();
        self.simulator.study(self.loaded.text.clone(), effective, digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_of_the_program_is_worse_than_one_of_a_scenario() {
        use Outcome::{Done, Failed, Inconclusive};
        for (one, other, expected) in [
            (Done, Done, Done),
            (Done, Inconclusive, Inconclusive),
            (Inconclusive, Done, Inconclusive),
            (Inconclusive, Failed, Failed),
            (Failed, Inconclusive, Failed),
        ] {
            assert_eq!(worse(one, other), expected);
        }
    }
}
