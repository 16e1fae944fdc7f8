//! `overcord verify`: simulates every run of scenarios again, on one thread, on several, and with
//! other orders of simultaneous events, and says whether it is the same. It uses nothing that is
//! kept, and keeps nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Console;
use super::arguments::VerifyArguments;
use super::files::{self, Loaded};
use super::forecast::{self, MOST_RUNS};
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::progress::Progress;
use super::study::processors;
use crate::experiment::verify::{Pass, Verification, Verified};
use crate::experiment::{CellSpec, Happening, Simulators, Study, Supervisor};
use crate::report;
use crate::scenario::plan::Replications;
use crate::scenario::sweep::told;
use crate::time::SimDuration;

/// The fewest threads on which runs are repeated: with one, nothing could come between.
const FEWEST: usize = 2;

/// Verifies scenarios, after all of them were read and checked.
pub fn verify(arguments: &VerifyArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let threads = arguments.jobs.map_or_else(processors, usize::from).max(FEWEST);
    let assignments = arguments.overrides.assignments();
    let load = |path: &PathBuf| {
        let loaded = files::load(path, &assignments)?;
        let errand = Errand::new(&loaded, threads);
        loaded.first_worlds(&errand.simulators)?;
        if !arguments.yes {
            errand.ask_back(path)?;
        }
        Ok(errand)
    };
    let errands = arguments.files.iter().map(load).collect::<Result<Vec<_>, Failure>>()?;
    let interrupt = Interrupt::listen()?;
    let mut outcome = Outcome::Done;
    for (place, errand) in errands.iter().enumerate() {
        if place > 0 {
            writeln!(console.out).map_err(Failure::Output)?;
        }
        let shown = console.interactive && !arguments.quiet;
        let Some(verified) = errand.carry_out(shown, &interrupt)? else {
            // When standard error is closed, nobody is there to be told.
            let told =
                format!("overcord: {}: interrupted; nothing can be said\n", errand.study.scenario);
            let _ = console.err.write_all(told.as_bytes());
            return Ok(Outcome::Interrupted);
        };
        for (point, verified) in verified.iter().enumerate() {
            let text = report::verify::verified(&errand.title(point), verified);
            console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
            outcome = worse(outcome, of(verified));
        }
        // Before the progress of the next is drawn.
        console.out.flush().map_err(Failure::Output)?;
    }
    Ok(outcome)
}

/// The outcome of one point.
fn of(verified: &Verified) -> Outcome {
    if !verified.repeats() {
        Outcome::Failed
    } else if verified.hangs() {
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

/// One scenario file to be verified.
struct Errand {
    /// With all its runs: where they are added until a metric is known, those of the first batch.
    study: Study,
    simulators: Simulators,
    threads: usize,
}

impl Errand {
    fn new(loaded: &Loaded, threads: usize) -> Self {
        let replications = match &loaded.plan().replications {
            Replications::Number(number) => *number,
            Replications::Until(precision) => precision.at_least,
        };
        let points = loaded.study();
        let study = points.with(&vec![0..replications; points.points.len()]);
        Self { study, simulators: loaded.simulators(false), threads }
    }

    /// Very many runs are not begun by accident.
    fn ask_back(&self, path: &Path) -> Result<(), Failure> {
        let runs = self.study.cells.len() * Pass::ALL.len();
        if runs <= MOST_RUNS {
            return Ok(());
        }
        let mut forecast = forecast::of(&self.study, &self.simulators, self.threads);
        // The first pass has one thread, the others have all.
        forecast.seconds *= (self.threads + Pass::ALL.len() - 1) as f64;
        Err(Failure::VeryMany { path: path.to_owned(), runs, jobs: self.threads, forecast })
    }

    /// What was found at each point; `None` when the user has asked to stop.
    fn carry_out(
        &self,
        shown: bool,
        interrupt: &Interrupt,
    ) -> Result<Option<Vec<Verified>>, Failure> {
        let lengths = self.lengths();
        let total = lengths.len();
        let progress = Arc::new(Progress::new(lengths, shown, interrupt.clone()));
        let supervisor: Arc<dyn Supervisor> = progress.clone();
        let simulators = self.simulators.clone().supervised(&supervisor);
        let done = AtomicUsize::new(0);
        let tell = |run| {
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.happened(&Happening::Progress { run, done, loaded: 0, failed: 0, total });
        };
        let mut found = Vec::new();
        let mut first = 0;
        for cells in self.study.by_point() {
            let verification = Verification {
                subject: simulators.at(cells[0].point),
                first,
                cells,
                threads: self.threads,
                points: self.study.points.len(),
            };
            match verification.carry_out(&tell)? {
                Some(verified) => found.push(verified),
                None => break,
            }
            first += (cells.len() * Pass::ALL.len()) as u32;
        }
        progress.finish();
        Ok((found.len() == self.study.points.len()).then_some(found))
    }

    /// How long each run lasts, in the order in which they are numbered: point by point, and there
    /// pass by pass.
    fn lengths(&self) -> Vec<SimDuration> {
        let length = |spec: &CellSpec| self.simulators.at(spec.point).length();
        let point = |cells: &[CellSpec]| vec![length(&cells[0]); cells.len() * Pass::ALL.len()];
        self.study.by_point().flat_map(point).collect()
    }

    /// What a point is called.
    fn title(&self, point: usize) -> String {
        let Study { scenario, varied, points, .. } = &self.study;
        if points.len() == 1 {
            return scenario.clone();
        }
        format!("{scenario}, point {point} ({})", told(varied, &points[point].varied))
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
