//! Whether runs repeat themselves, and whether what they conclude hangs on an accident of order.
//!
//! Every run of a scenario is carried out four times, whatever is kept of it: once one after
//! another on a single thread, once more beside others on several threads, and twice with another
//! order of simultaneous events. The first two must be the same, in their fingerprints and in every
//! row; where they are not, the program is broken, and the two are told side by side until they part
//! ([`parting`](mod@crate::experiment::parting)). With another order a run may take another course;
//! [`moved`] says when it must not.
//!
//! Two other orders, because they show different things. *Reversed*, every pair of simultaneous
//! events of different hosts is turned round, in all runs: what one of them always wins moves to the
//! same side each time, which the fewest runs tell from chance. *Shuffled*, by another salt for each
//! seed, also three and more events lose whatever their order had that is the same in a mirror.
//!
//! [`imprint`] is what is kept of a run meanwhile: digests of its epochs and of its rows.

mod imprint;
mod moved;

use rayon::prelude::*;

pub use imprint::RowDifference;
pub use moved::{Means, Moved, Verdict};

use crate::experiment::cell::CellSpec;
use crate::experiment::gate::baseline::mixed;
use crate::experiment::parting::{Known, Parting, Subject, Way, parting, same_before};
use crate::experiment::run::{Failure, Halt, StudyError, guarded, threads};
use crate::experiment::simulator::Errand;
use crate::metrics::tables::RunOutput;
use crate::rng::mix;
use crate::sim::kernel::REVERSED_TIES;
use crate::world::log::Logged;
use imprint::Imprint;

/// How a run is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// One after another, on a single thread.
    Plain,
    /// The same again, beside others.
    Repeat,
    /// With another order of simultaneous events.
    Tied(Order),
}

/// Another order of simultaneous events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The opposite one.
    Reversed,
    /// One that looks random, another one for each seed.
    Shuffled,
}

impl Order {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reversed, Self::Shuffled];

    /// The salt of a run with this seed.
    #[must_use]
    pub fn salt(self, seed: u64) -> u32 {
        match self {
            Self::Reversed => REVERSED_TIES,
            // Neither 0, the usual order, nor the opposite of that.
            Self::Shuffled => (mix(seed ^ 0x7469_6573) >> 33) as u32 | 1,
        }
    }
}

impl Pass {
    /// All of them, in the order in which they are numbered.
    pub const ALL: [Self; 4] =
        [Self::Plain, Self::Repeat, Self::Tied(Order::Reversed), Self::Tied(Order::Shuffled)];

    fn salt(self, seed: u64) -> u32 {
        match self {
            Self::Plain | Self::Repeat => 0,
            Self::Tied(order) => order.salt(seed),
        }
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// How many runs there are.
    pub runs: usize,
    /// On how many threads they were repeated.
    pub threads: usize,
    /// The fingerprints of the plain runs: that of the only one, or all of them mixed.
    pub fingerprint: u64,
    /// Whether they repeat themselves.
    pub repeat: Repeat,
    /// Whether the order of simultaneous events matters: for each of [`Order::ALL`].
    pub ties: [Ties; 2],
    /// The runs that failed, with the pass in which they did.
    pub failures: Vec<(Pass, Failure)>,
}

/// How runs repeat themselves.
#[derive(Clone, Debug, PartialEq)]
pub enum Repeat {
    /// To the last row.
    Same,
    /// Not all of them do.
    Different {
        /// Those that do not.
        runs: Vec<u32>,
        /// How the first of them differs.
        difference: Difference,
    },
}

/// How a run differs from its repeat.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// Its fingerprint does: something else happens.
    Events(Parted),
    /// The same happens, but its rows tell it otherwise.
    Rows(RowDifference),
}

/// Where two runs with different fingerprints part, when they are carried out side by side.
#[derive(Clone, Debug, PartialEq)]
pub enum Parted {
    /// At this event.
    At(Box<Parting>),
    /// Nowhere: this time they were the same.
    Nowhere,
    /// One of them failed this time.
    Failed(String),
}

/// What another order of simultaneous events changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Ties {
    /// Nothing that happens.
    Same,
    /// Something.
    Different {
        /// The runs in which something else happens.
        runs: Vec<u32>,
        /// How many of these have other rows as well.
        rows: usize,
        /// Where the first of these runs parts from the plain one.
        parted: Parted,
        /// The headline metrics that change, in the order of `runs.csv`.
        moved: Vec<Moved>,
        /// How many there are in all.
        metrics: usize,
    },
    /// It cannot be told: runs do not repeat themselves, or failed.
    Untold,
}

impl Verified {
    /// Whether every run was there each time, and the same.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.failures.is_empty() && self.repeat == Repeat::Same
    }

    /// Whether a metric hangs on the order of simultaneous events.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.ties.iter().any(|ties| ties.hanging().next().is_some())
    }
}

impl Ties {
    /// The metrics that hang on the order.
    pub fn hanging(&self) -> impl Iterator<Item = &Moved> {
        let moved = match self {
            Self::Different { moved, .. } => &moved[..],
            Self::Same | Self::Untold => &[],
        };
        moved.iter().filter(|it| it.verdict == Verdict::Hangs)
    }
}

/// What was carried out, run by run.
struct Outcomes {
    plain: Vec<Result<Imprint, Halt>>,
    repeated: Vec<Result<Again, Halt>>,
    /// For each of [`Order::ALL`].
    tied: [Vec<Result<Imprint, Halt>>; 2],
}

/// A repeat, held against the plain run.
enum Again {
    Same,
    Events,
    Rows(RowDifference),
}

/// The runs of one point of a scenario, to be verified.
pub struct Verification<'a> {
    /// What carries them out.
    pub subject: &'a dyn Subject,
    /// The number under which its supervisor knows the first run; the others follow, all of a
    /// pass before those of the next of [`Pass::ALL`].
    pub first: u32,
    /// The runs.
    pub cells: &'a [CellSpec],
    /// On how many threads they are repeated.
    pub threads: usize,
    /// How many points there are: their metrics are judged at once.
    pub points: usize,
}

impl Verification<'_> {
    /// Carries all out; `done` is told of each run that is over, with the number under which its
    /// supervisor knows it. `None` when it was stopped.
    ///
    /// # Errors
    /// When there are no threads.
    pub fn carry_out(&self, done: &(dyn Fn(u32) + Sync)) -> Result<Option<Verified>, StudyError> {
        let outcomes = self.outcomes(done)?;
        if outcomes.halts().any(|(_, _, halt)| *halt == Halt::Stopped) {
            return Ok(None);
        }
        Ok(self.judge(&outcomes).ok())
    }

    fn outcomes(&self, done: &(dyn Fn(u32) + Sync)) -> Result<Outcomes, StudyError> {
        let jobs = self.threads;
        let threads = threads(jobs)?;
        let imprint = |pass, place: usize| {
            let (output, epochs) = self.simulate(pass, place, done)?;
            Ok(Imprint::of(&self.cells[place], &output, epochs))
        };
        let plain: Vec<Result<Imprint, Halt>> =
            (0..self.cells.len()).map(|place| imprint(Pass::Plain, place)).collect();
        let repeat = |place: usize| {
            let (output, _) = self.simulate(Pass::Repeat, place, done)?;
            Ok(match &plain[place] {
                Ok(before) if before.fingerprint != output.fingerprint => Again::Events,
                Ok(before) => before.first_different_row(&output).map_or(Again::Same, Again::Rows),
                // That one run failed is told by itself.
                Err(_) => Again::Same,
            })
        };
        // All passes at once, so that also a single run has others beside it.
        let places = (0..self.cells.len()).into_par_iter().with_max_len(1);
        let tied = |order| places.clone().map(move |it| imprint(Pass::Tied(order), it)).collect();
        let (repeated, (reversed, shuffled)) = threads.install(|| {
            rayon::join(
                || places.clone().map(repeat).collect(),
                || rayon::join(|| tied(Order::Reversed), || tied(Order::Shuffled)),
            )
        });
        Ok(Outcomes { plain, repeated, tied: [reversed, shuffled] })
    }

    fn simulate(
        &self,
        pass: Pass,
        place: usize,
        done: &(dyn Fn(u32) + Sync),
    ) -> Result<(RunOutput, Vec<u64>), Halt> {
        let spec = &self.cells[place];
        let pass_number = Pass::ALL.iter().position(|it| *it == pass).unwrap_or_default();
        let number = self.first + (pass_number * self.cells.len() + place) as u32;
        let errand = Errand {
            run: number,
            seed: spec.seed,
            tie_salt: pass.salt(spec.seed),
            logged: Logged::Nobody,
        };
        let run = || self.subject.carry_out(errand, &mut |_| {}, &mut |_| true);
        let given = guarded(run);
        done(number);
        given
    }

    fn judge(&self, outcomes: &Outcomes) -> Result<Verified, Stopped> {
        let repeat = self.judge_repeat(outcomes)?;
        let failures: Vec<_> = outcomes
            .halts()
            .map(|(pass, place, halt)| {
                (pass, Failure { run: self.cells[place].run, message: halt.to_string() })
            })
            .collect();
        let ties = match &repeat {
            Repeat::Same if failures.is_empty() => {
                let [reversed, shuffled] = Order::ALL;
                [self.judge_ties(outcomes, reversed)?, self.judge_ties(outcomes, shuffled)?]
            }
            _ => [Ties::Untold, Ties::Untold],
        };
        let fingerprints = outcomes.plain.iter().flatten().map(|imprint| imprint.fingerprint);
        Ok(Verified {
            runs: self.cells.len(),
            threads: self.threads,
            // As in a baseline.
            fingerprint: mixed(fingerprints),
            repeat,
            ties,
            failures,
        })
    }

    fn judge_repeat(&self, outcomes: &Outcomes) -> Result<Repeat, Stopped> {
        let different: Vec<(usize, &Again)> = (0..)
            .zip(&outcomes.repeated)
            .filter_map(|(place, again)| Some((place, again.as_ref().ok()?)))
            .filter(|(_, again)| !matches!(again, Again::Same))
            .collect();
        let Some((place, again)) = different.first() else { return Ok(Repeat::Same) };
        let difference = match again {
            Again::Rows(difference) => Difference::Rows(difference.clone()),
            Again::Same | Again::Events => {
                let way = self.way(*place, 0);
                Difference::Events(part([way, way], Known::Nothing)?)
            }
        };
        let runs = different.iter().map(|(place, _)| self.cells[*place].run).collect();
        Ok(Repeat::Different { runs, difference })
    }

    fn judge_ties(&self, outcomes: &Outcomes, order: Order) -> Result<Ties, Stopped> {
        let tied = outcomes.tied[order as usize].iter().flatten();
        let pairs: Vec<(&Imprint, &Imprint)> = outcomes.plain.iter().flatten().zip(tied).collect();
        let different: Vec<usize> = (0..pairs.len())
            .filter(|&place| pairs[place].0.fingerprint != pairs[place].1.fingerprint)
            .collect();
        let Some(&first) = different.first() else { return Ok(Ties::Same) };
        let ways = [self.way(first, 0), self.way(first, order.salt(self.cells[first].seed))];
        let epochs = [&pairs[first].0.epochs[..], &pairs[first].1.epochs[..]];
        // Fingerprints that differ with the same epochs do so by their number.
        let known = same_before(ways, epochs).map_or(Known::Nothing, Known::SameBefore);
        let parted = part(ways, known)?;
        let metrics = pairs[first].0.headline.iter().count();
        Ok(Ties::Different {
            runs: different.iter().map(|&place| self.cells[place].run).collect(),
            rows: different.iter().filter(|&&it| !pairs[it].0.has_rows_of(pairs[it].1)).count(),
            parted,
            moved: moved::moved(
                &pairs,
                metrics * self.points * Order::ALL.len(),
                self.cells[0].seed,
            ),
            metrics,
        })
    }

    fn way(&self, place: usize, tie_salt: u32) -> Way<'_> {
        // A number that no run has: it has no part in any progress.
        Way { subject: self.subject, run: u32::MAX, seed: self.cells[place].seed, tie_salt }
    }
}

/// It was stopped.
struct Stopped;

fn part(ways: [Way<'_>; 2], known: Known) -> Result<Parted, Stopped> {
    match parting(ways, known) {
        Ok(Some(parting)) => Ok(Parted::At(Box::new(parting))),
        Ok(None) => Ok(Parted::Nowhere),
        Err(Halt::Failed(message)) => Ok(Parted::Failed(message)),
        Err(Halt::Stopped) => Err(Stopped),
    }
}

impl Outcomes {
    /// What gave no output: the pass, the place of the run, and why.
    fn halts(&self) -> impl Iterator<Item = (Pass, usize, &Halt)> {
        fn of<T>(
            given: &[Result<T, Halt>],
            pass: Pass,
        ) -> impl Iterator<Item = (Pass, usize, &Halt)> {
            let halt = move |(place, given)| Some((pass, place, Result::as_ref(given).err()?));
            given.iter().enumerate().filter_map(halt)
        }
        let tied = Order::ALL.into_iter().zip(&self.tied);
        of(&self.plain, Pass::Plain)
            .chain(of(&self.repeated, Pass::Repeat))
            .chain(tied.flat_map(|(order, given)| of(given, Pass::Tied(order))))
    }
}

#[cfg(test)]
mod tests;
