//! Whether a study's warm-up was long enough: whether what was counted looks settled from its
//! beginning.
//!
//! For each of a few series of the time line, MSER-5 (White, "An effective truncation heuristic for
//! bias reduction in simulation output", 1997; White, Cobb and Spratt 2000) looks for the part at
//! the beginning that had better be left out: of the mean over the runs, in batches of five bins, it
//! cuts off where the rest has the smallest squared standard error, and at most half. By itself that
//! is no alarm: of a settled series with a long memory, such as members that stay for hours, it cuts
//! something off every other time. So the cut must stand two tests.
//!
//! * It is no chance: over the runs, the difference of the means before and after the cut is not
//!   zero by Student's t, with a probability of error of 0.1 % for each series. Runs are independent
//!   whatever the memory within them, which is why nothing is said of fewer than three.
//! * It matters: the part before the cut moves the mean by more than half of its standard error,
//!   which takes the coverage of a 95 % interval below 92 %, and by more than 0.1 % of itself.
//!
//! False alarms: of 580 studies of 3 to 20 runs of the paper's design with 40 nodes over twelve hours
//! (sessions exponential with means of 20 min and 4 h, and Pareto of shape 1.5; a warm-up of 1 h),
//! four were called unsettled, 0.7 %; MSER-5 alone cut something off in most of them. Power: of the
//! same runs without a warm-up and with members that trickle in over two hours, studies of ten runs
//! were all called unsettled, of five 11 of 12, of three 4 of 20. A beginning of a few minutes, such
//! as that of empty caches, is silent: it does not matter. The tests repeat this with drawn series,
//! and `tests/warmup.rs` with a smaller simulation.
//!
//! What is scripted, replayed from a trace or told as a story is not settled by design; that is for
//! the [point](crate::experiment::cell::StudyPoint) to say, and nothing is looked for there.

use crate::experiment::statistics::{Sample, student_t_quantile};
use crate::metrics::tables::TimelineRow;
use crate::time::SimTime;

/// A series of the time line that settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Series {
    /// Members of any overlay.
    Members,
    /// Nodes that believe to be the proxy peer.
    Believers,
    /// Resolvers that would answer stale.
    StaleResolvers,
    /// Messages in a bin.
    Messages,
}

impl Series {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Members, Self::Believers, Self::StaleResolvers, Self::Messages];

    /// Its column of `timeline.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Believers => "believers",
            Self::StaleResolvers => "stale_resolvers",
            Self::Messages => "messages",
        }
    }

    fn value(self, row: &TimelineRow) -> f64 {
        match self {
            Self::Members => row.members as f64,
            Self::Believers => f64::from(row.believers),
            Self::StaleResolvers => f64::from(row.stale_resolvers),
            Self::Messages => row.messages as f64,
        }
    }
}

/// A series that had not settled when the warm-up ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsettled {
    /// The series.
    pub series: Series,
    /// The instant of the run from which on it looks settled; `None` when it still changes in the
    /// middle of what was counted.
    pub until: Option<SimTime>,
    /// Its mean from the warm-up to there.
    pub early: f64,
    /// Its mean since.
    pub later: f64,
}

/// Bins of a batch: the 5 of MSER-5.
const BATCH: usize = 5;

/// Fewer batches than this say nothing.
const FEWEST_BATCHES: usize = 20;

/// Fewer runs than this say nothing.
const FEWEST_RUNS: usize = 3;

/// The probability of calling a settled series unsettled, on each side.
const ERROR: f64 = 0.001 / 2.0;

/// The bias that matters, in standard errors of the mean.
const BIAS_IN_ERRORS: f64 = 0.5;

/// The bias that matters, as a share of the mean.
const BIAS_SHARE: f64 = 0.001;

/// The series of these runs that takes longest to settle after the warm-up, if one had not settled
/// by then. Of each run the time line is given, the warm-up included.
#[must_use]
pub fn unsettled<'a>(
    timelines: impl IntoIterator<Item = &'a [TimelineRow]>,
    warmup: SimTime,
) -> Option<Unsettled> {
    // The bin in which the warm-up ends is left out.
    let counted = |rows: &'a [TimelineRow]| {
        let start = rows.partition_point(|row| row.time <= warmup) + 1;
        rows.get(start..).unwrap_or_default()
    };
    let timelines: Vec<&[TimelineRow]> = timelines.into_iter().map(counted).collect();
    let mut longest: Option<(usize, Unsettled)> = None;
    for series in Series::ALL {
        let values = |rows: &&[TimelineRow]| rows.iter().map(|row| series.value(row)).collect();
        let runs: Vec<Vec<f64>> = timelines.iter().map(values).collect();
        let Some(cut) = cut(&runs) else { continue };
        if longest.is_none_or(|(bins, _)| cut.bins > bins) {
            let until = (!cut.is_half).then(|| timelines[0][cut.bins - 1].time);
            let Cut { early, later, .. } = cut;
            longest = Some((cut.bins, Unsettled { series, until, early, later }));
        }
    }
    longest.map(|(_, unsettled)| unsettled)
}

/// A beginning that had better be left out.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cut {
    bins: usize,
    /// Whether it is as long as can be.
    is_half: bool,
    early: f64,
    later: f64,
}

/// The beginning of these runs that is no chance and matters, if there is one.
fn cut(runs: &[Vec<f64>]) -> Option<Cut> {
    let batches = runs.iter().map(Vec::len).min()? / BATCH;
    if runs.len() < FEWEST_RUNS || batches < FEWEST_BATCHES {
        return None;
    }
    let mean_of = |batch: usize| {
        let bins = batch * BATCH..(batch + 1) * BATCH;
        let sum: f64 = runs.iter().map(|run| run[bins.clone()].iter().sum::<f64>()).sum();
        sum / (runs.len() * BATCH) as f64
    };
    let line: Vec<f64> = (0..batches).map(mean_of).collect();
    let kept = truncate(&line);
    let (bins, all) = (kept * BATCH, batches * BATCH);
    if bins == 0 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let of_runs = |of: &dyn Fn(&[f64]) -> f64| {
        Sample::of(&runs.iter().map(|run| of(&run[..all])).collect::<Vec<_>>())
    };
    let apart = of_runs(&|run| mean(&run[..bins]) - mean(&run[bins..]))?;
    let later = of_runs(&|run| mean(&run[bins..]))?;
    let limit = student_t_quantile(1.0 - ERROR, (runs.len() - 1) as f64);
    let is_chance = apart.mean.abs() <= limit * apart.standard_error()?;
    let bias = apart.mean.abs() * bins as f64 / all as f64;
    let matters =
        bias > BIAS_IN_ERRORS * later.standard_error()? && bias > BIAS_SHARE * later.mean.abs();
    (!is_chance && matters).then_some(Cut {
        bins,
        is_half: kept == batches / 2,
        early: later.mean + apart.mean,
        later: later.mean,
    })
}

/// How many values at the beginning MSER cuts off: at most half, and as few as do.
fn truncate(values: &[f64]) -> usize {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let (mut best, mut least) = (0, f64::INFINITY);
    // From the end, by the updates of Welford: of values that are all the same, the squares are
    // exactly zero.
    for (index, value) in values.iter().enumerate().rev() {
        n += 1.0;
        let away = value - mean;
        mean += away / n;
        squares += away * (value - mean);
        let error = squares / (n * n);
        if index <= values.len() / 2 && error <= least {
            (best, least) = (index, error);
        }
    }
    best
}

#[cfg(test)]
mod tests;
