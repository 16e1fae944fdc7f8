//! Quantiles over what happened in several runs together: handovers, stale windows.
//!
//! The quantile of a run says little where it has ten handovers, and none at all where too many are
//! cut off; a mean of such quantiles leaves out runs, and may be above the longest that was seen. So
//! designs are compared by quantiles over the handovers of all their runs. What happens in one run
//! belongs together: intervals come from drawing runs anew, each with all that is in it.

use crate::experiment::statistics::{Interval, bootstrap_interval};
use crate::metrics::distribution::{Lasted, weighted_quantile};
use crate::time::SimDuration;

/// The spans of several runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Sorted, each with the place of its run.
    spans: Vec<(Lasted, usize)>,
    runs: usize,
}

/// A quantile of spans of which some are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// This long.
    Is(SimDuration),
    /// Too many are cut off: longer than this, the longest that was seen whole.
    Above(SimDuration),
}

impl Pool {
    /// The spans of these runs.
    #[must_use]
    pub fn of(runs: impl IntoIterator<Item = Vec<Lasted>>) -> Self {
        let mut pool = Self { spans: Vec::new(), runs: 0 };
        for run in runs {
            pool.spans.extend(run.into_iter().map(|lasted| (lasted, pool.runs)));
            pool.runs += 1;
        }
        pool.spans.sort_unstable();
        pool
    }

    /// How many spans there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The `p`-quantile by Kaplan and Meier, `p` in (0, 1]; `None` where no span was seen whole.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<Quantile> {
        if let Some(span) = weighted_quantile(&self.spans, |_| 1, p) {
            return Some(Quantile::Is(span));
        }
        let longest = self.spans.iter().rev().find(|(lasted, _)| !lasted.censored)?;
        Some(Quantile::Above(longest.0.span))
    }

    /// The 95 % interval of that quantile in seconds, bootstrapped over the runs with draws from this
    /// seed and name; `None` of fewer than two runs, or where too many draws have no quantile.
    #[must_use]
    pub fn interval(&self, p: f64, seed: u64, name: &str) -> Option<Interval> {
        let mut times = vec![0_u64; self.runs];
        bootstrap_interval(seed, name, self.runs, |drawn| {
            times.fill(0);
            drawn.iter().for_each(|&run| times[run] += 1);
            weighted_quantile(&self.spans, |&run| times[run], p).map(SimDuration::as_secs_f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(spans: &[(u64, bool)]) -> Vec<Lasted> {
        let lasted = |&(s, censored)| Lasted { span: SimDuration::from_secs(s), censored };
        spans.iter().map(lasted).collect()
    }

    /// Alone, the first run has a 95th percentile of 10 s and the others none, since their longest is
    /// cut off; the mean of such ones is below the median of all.
    #[test]
    fn runs_without_a_quantile_of_their_own_count_as_well() {
        let short = run(&[(9, false), (10, false)]);
        let long = run(&[(50, false), (60, false), (70, true)]);
        let pool = Pool::of([short, long.clone(), long]);
        assert_eq!(pool.len(), 8);
        let seconds = |s| SimDuration::from_secs(s);
        // 9, 10, 50, 50, 60, 60, 70+, 70+: half do not outlast 50; of the last two nobody knows.
        assert_eq!(pool.quantile(0.5), Some(Quantile::Is(seconds(50))));
        assert_eq!(pool.quantile(0.95), Some(Quantile::Above(seconds(60))));
        assert_eq!(Pool::of([run(&[(3, true)])]).quantile(0.5), None);
        assert!(Pool::of([run(&[])]).is_empty());
    }

    #[test]
    fn intervals_are_drawn_by_run() {
        let alike = Pool::of((0..4).map(|_| run(&[(10, false), (20, false)])));
        let Some(Interval { low, high }) = alike.interval(0.5, 7, "x") else {
            panic!("no interval")
        };
        assert_eq!((low, high), (10.0, 10.0), "what is the same in all runs is certain");
        let apart = Pool::of((1..=4).map(|n| run(&[(10 * n, false), (10 * n, false)])));
        let Some(Interval { low, high }) = apart.interval(0.5, 7, "x") else {
            panic!("no interval")
        };
        assert!(low < 20.0 && high > 30.0, "{low} to {high}");
        assert_eq!(apart.interval(0.5, 7, "x"), apart.interval(0.5, 7, "x"));
        assert_eq!(Pool::of([run(&[(1, false)])]).interval(0.5, 7, "x"), None, "one run");
        assert_eq!(Pool::of([run(&[(1, true)]), run(&[(2, true)])]).interval(0.5, 7, "x"), None);
    }
}
