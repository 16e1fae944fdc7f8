//! Headline metrics that move when simultaneous events are carried out in another order.
//!
//! A run with another order of ties takes another course from the first tie that matters on; after
//! that its metrics differ from those of the plain run of the same seed as the metrics of two seeds
//! do. That is no defect. It is one when they move to one side: then what the scenario concludes
//! hangs on an accident of order. A metric is said to *hang* on it when both hold:
//!
//! 1. *It matters*: the mean over the runs in the other order is beyond the 95 % interval of the mean
//!    over the plain ones, by which a reader would judge it (Student's, bootstrapped for quantiles).
//! 2. *It is no accident of the sample*: the mean of the differences, paired by seed, is not zero
//!    by a t test, two-sided, at 5 % divided by how much is judged at once (Bonferroni): about ninety
//!    metrics, at every point of the scenario, in two orders. So the chance of a single false alarm
//!    over the whole scenario is at most 5 % where differences are normal; so far out, those with
//!    short tails may double it.
//!
//! The first rule alone would find something nearly every time: with the seeds fixed, of ninety
//! metrics that only jitter several move by more than an interval. The second alone would find
//! shifts that are real and too small to mind.
//!
//! Where all differences are the same (a count that is one more each time), there is no spread to
//! test against; one of them is then taken for zero, as it might have been: of n runs, t is n − 1.
//! With ninety metrics in two orders that takes eight runs.
//!
//! A single run has no interval. The means over its departures have a standard error that is
//! clustered by departure; it takes the place of the interval, with Student's t of one degree of
//! freedom less than there are departures, and the error of the difference is that of two
//! independent means, which pairing only makes smaller. Other metrics of a single run are not
//! judged.

use super::imprint::Imprint;
use crate::experiment::statistics::{Interval, Sample, student_t_quantile};
use crate::experiment::summary::{ClusteredError, interval};
use crate::metrics::headline::names;

/// The chance of a false alarm that is put up with, over all that is judged at once.
const ALARM: f64 = 0.05;

/// A metric that is not the same in all pairs of a plain run and one with another order.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The metric, as in `runs.csv`.
    pub metric: String,
    /// Its means, over the pairs in which both runs have a value; `None` when there is no such pair.
    pub means: Option<Means>,
    /// In how many pairs only one of the two has a value.
    pub lone: usize,
    /// What is made of it.
    pub verdict: Verdict,
}

/// The means of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Means {
    /// Over the plain runs.
    pub plain: f64,
    /// Over those with another order.
    pub other: f64,
    /// The 95 % interval of the first, if there is one.
    pub interval: Option<Interval>,
}

impl Means {
    /// How far the mean moves, in halves of the interval: infinitely far when that has no width to
    /// speak of. `None` without an interval.
    #[must_use]
    pub fn in_halves(&self) -> Option<f64> {
        let half = self.interval?.half();
        let by = (self.other - self.plain).abs();
        Some(if half <= self.plain.abs() * SAME { f64::INFINITY } else { by / half })
    }
}

/// What is made of a metric that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays within its interval.
    Within,
    /// It moves beyond its interval, by no more than what may be chance.
    Chance,
    /// It moves beyond its interval, and by more than that.
    Hangs,
    /// There is nothing to judge it by.
    Untold,
}

/// The metrics that move between plain runs and those of the same seeds with another order, as it is
/// in `runs.csv`. So many are `judged` at once: metrics, points of the scenario, orders. `seed` is
/// that of the bootstrap.
pub(super) fn moved(pairs: &[(&Imprint, &Imprint)], judged: usize, seed: u64) -> Vec<Moved> {
    let metrics = names(pairs.iter().flat_map(|(a, b)| [&a.headline, &b.headline]));
    let level = 1.0 - ALARM / (2.0 * judged.max(1) as f64);
    metrics.into_iter().filter_map(|metric| moved_metric(metric, pairs, level, seed)).collect()
}

fn moved_metric(
    metric: &str,
    pairs: &[(&Imprint, &Imprint)],
    level: f64,
    seed: u64,
) -> Option<Moved> {
    let value = |imprint: &Imprint| imprint.headline.value(metric);
    let values: Vec<_> = pairs.iter().map(|(plain, other)| (value(plain), value(other))).collect();
    if values.iter().all(|(plain, other)| plain == other) {
        return None;
    }
    let lone = values.iter().filter(|(plain, other)| plain.is_some() != other.is_some());
    let lone = lone.count();
    let both: Vec<(f64, f64)> =
        values.iter().filter_map(|(plain, other)| plain.zip(*other)).collect();
    let (means, verdict) = match (&both[..], pairs) {
        ([], _) => (None, Verdict::Untold),
        ([one], [(plain, other)]) => {
            let errors = [plain, other].map(|it| it.errors.get(metric).copied());
            let (means, verdict) = single(*one, errors, level);
            (Some(means), verdict)
        }
        (both, _) => {
            let (means, verdict) = several(metric, both, level, seed);
            (Some(means), verdict)
        }
    };
    Some(Moved { metric: metric.to_owned(), means, lone, verdict })
}

/// Judges a metric of several runs by the pairs of its values.
fn several(metric: &str, pairs: &[(f64, f64)], level: f64, seed: u64) -> (Means, Verdict) {
    let mean = |of: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        (Sample::of(&values).map_or(f64::NAN, |sample| sample.mean), values)
    };
    let ((plain, values), (other, _)) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let means = Means { plain, other, interval: interval(metric, &values, seed) };
    let differences: Vec<f64> = pairs.iter().map(|pair| pair.1 - pair.0).collect();
    let verdict = match Sample::of(&differences).map(|it| (it, it.standard_error())) {
        Some((difference, Some(error))) => {
            judge(&means, Deviation { by: difference.mean, error, units: pairs.len() }, level)
        }
        _ => Verdict::Untold,
    };
    (means, verdict)
}

/// Judges a metric of a single run by its errors in the plain and in the other run.
fn single(
    (plain, other): (f64, f64),
    errors: [Option<ClusteredError>; 2],
    level: f64,
) -> (Means, Verdict) {
    let [Some(own), Some(others)] = errors else {
        return (Means { plain, other, interval: None }, Verdict::Untold);
    };
    let half = student_t_quantile(0.975, (own.clusters - 1) as f64) * own.error;
    let interval = Some(Interval { low: plain - half, high: plain + half });
    let means = Means { plain, other, interval };
    let error = libm::hypot(own.error, others.error);
    let units = own.clusters.min(others.clusters);
    (means, judge(&means, Deviation { by: other - plain, error, units }, level))
}

/// A mean difference with its standard error, from so many independent units.
struct Deviation {
    by: f64,
    error: f64,
    units: usize,
}

/// Differences whose error is a smaller part of them than this are all the same.
const SAME: f64 = 1e-9;

fn judge(means: &Means, deviation: Deviation, level: f64) -> Verdict {
    let Some(interval) = means.interval else { return Verdict::Untold };
    if interval.contains(means.other) {
        return Verdict::Within;
    }
    let Deviation { by, error, units } = deviation;
    let freedom = units.saturating_sub(1) as f64;
    let t = if error <= by.abs() * SAME { freedom } else { by.abs() / error };
    if freedom > 0.0 && t > student_t_quantile(level, freedom) {
        Verdict::Hangs
    } else {
        Verdict::Chance
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::headline::Headline;

    /// A run with one metric, and with an error within the run.
    fn run(value: Option<f64>, error: Option<(f64, usize)>) -> Imprint {
        let mut headline = Headline::default();
        headline.push("updates", value);
        headline.push("always", Some(3.0));
        let error = error.map(|(error, clusters)| ClusteredError { error, clusters });
        Imprint {
            fingerprint: 0,
            epochs: Vec::new(),
            headline,
            errors: error.map(|error| ("updates".to_owned(), error)).into_iter().collect(),
            tables: Vec::new(),
        }
    }

    fn judged(pairs: &[(f64, f64)], judged: usize) -> Verdict {
        let runs: Vec<_> =
            pairs.iter().map(|&(a, b)| (run(Some(a), None), run(Some(b), None))).collect();
        let pairs: Vec<_> = runs.iter().map(|(a, b)| (a, b)).collect();
        let [one] = &moved(&pairs, judged, 1)[..] else { panic!("one metric moves") };
        one.verdict
    }

    #[test]
    fn a_metric_hangs_on_the_order_when_it_leaves_its_interval_and_not_by_chance() {
        // Plain runs 10, 12, 14, 16, 18: mean 14, sd √10, half of the interval 2.776 · √2 = 3.93.
        let plain = [10.0, 12.0, 14.0, 16.0, 18.0];
        let with = |shift: [f64; 5]| plain.iter().zip(shift).map(|(&a, by)| (a, a + by)).collect();
        type Case = (Vec<(f64, f64)>, usize, Verdict);
        let cases: [Case; 7] = [
            // By 3: within.
            (with([3.0, 2.9, 3.1, 3.0, 3.0]), 1, Verdict::Within),
            // By 5 on average, errors √(10/4 · …): differences −10, 0, 5, 10, 20: sd 11.2, t = 1.
            (with([-10.0, 0.0, 5.0, 10.0, 20.0]), 1, Verdict::Chance),
            // Differences 4, 5, 5, 5, 6: sd √0.5, t = 5/(√0.5/√5) = 15.8; t(0.975, 4) = 2.78, and
            // with ninety metrics t(1 − 0.05/180, 4) = 10.0.
            (with([4.0, 5.0, 5.0, 5.0, 6.0]), 1, Verdict::Hangs),
            (with([4.0, 5.0, 5.0, 5.0, 6.0]), 90, Verdict::Hangs),
            // Differences 3, 5, 5, 5, 7: t = 5/(√2/√5) = 7.9: enough for one metric, not for ninety.
            (with([3.0, 5.0, 5.0, 5.0, 7.0]), 1, Verdict::Hangs),
            (with([3.0, 5.0, 5.0, 5.0, 7.0]), 90, Verdict::Chance),
            // All the same, to rounding: t counts as 4, as if one were zero.
            (with([5.0, 5.0, 5.0 + 1e-12, 5.0, 5.0]), 90, Verdict::Chance),
        ];
        for (pairs, count, expected) in cases {
            assert_eq!(judged(&pairs, count), expected, "{pairs:?}, {count}");
        }
        // t = 9 of ten equal differences; t(1 − 0.05/180, 9) = 5.2.
        let ten: Vec<_> = (0..10).map(|_| (4.0, 5.0)).collect();
        assert_eq!(judged(&ten, 90), Verdict::Hangs);
        assert_eq!(judged(&ten[..2], 90), Verdict::Chance);
    }

    #[test]
    fn metrics_that_only_jitter_raise_no_alarm() {
        // Ninety metrics of ten runs, drawn alike in both orders: many leave their intervals, few
        // hang. Of a hundred such studies 5 are allowed a false alarm, give or take 2.2.
        use crate::rng::{mix, mix2};
        let uniform = |key: u64| (mix(key) >> 11) as f64 / (1u64 << 53) as f64;
        // Nearly normal: the sum of twelve.
        let draw = |key: u64| (0..12).map(|part| uniform(mix2(key, part))).sum::<f64>();
        let (mut beyond, mut alarms) = (0, 0);
        for study in 0..100u64 {
            let mut hangs = 0;
            for metric in 0..90 {
                let at = |run: u64, side: u64| draw(mix2(mix2(study, metric), 2 * run + side));
                let pairs: Vec<_> = (0..10).map(|run| (at(run, 0), at(run, 1))).collect();
                match judged(&pairs, 90) {
                    Verdict::Within => {}
                    Verdict::Chance => beyond += 1,
                    Verdict::Hangs => hangs += 1,
                    Verdict::Untold => panic!("there is an interval"),
                }
            }
            alarms += usize::from(hangs > 0);
        }
        // A mean of ten is beyond the interval of another with P(|t| > 2.26/√2) ≈ 14 %: 1,300.
        assert!((1100..1500).contains(&beyond), "{beyond}");
        assert!(alarms <= 9, "{alarms}");
    }

    #[test]
    fn a_single_run_is_judged_by_its_error_between_departures() {
        let judged = |by: f64, errors: [Option<(f64, usize)>; 2]| {
            let (plain, other) = (run(Some(20.0), errors[0]), run(Some(20.0 + by), errors[1]));
            let [one] = &moved(&[(&plain, &other)], 90, 1)[..] else { panic!("one moves") };
            one.clone()
        };
        let error = Some((1.0, 101));
        // t(0.975, 100) = 1.984; t(1 − 0.05/180, 100) = 3.57, times √2 = 5.05.
        for (by, expected) in [
            (1.9, Verdict::Within),
            (2.1, Verdict::Chance),
            (-5.0, Verdict::Chance),
            (-5.2, Verdict::Hangs),
        ] {
            assert_eq!(judged(by, [error, error]).verdict, expected, "{by}");
        }
        let untold = judged(9.0, [error, None]);
        assert_eq!(untold.verdict, Verdict::Untold);
        assert_eq!(untold.means.unwrap().interval, None);
        // Two departures say next to nothing: t(1 − 0.05/180, 1) is above 1,000.
        assert_eq!(judged(500.0, [Some((1.0, 2)); 2]).verdict, Verdict::Chance);
    }

    #[test]
    fn values_that_are_only_on_one_side_are_counted() {
        let pairs =
            [(Some(1.0), None), (Some(2.0), Some(3.0)), (None, None), (Some(4.0), Some(4.0))];
        let runs: Vec<_> = pairs.iter().map(|&(a, b)| (run(a, None), run(b, None))).collect();
        let pairs: Vec<_> = runs.iter().map(|(a, b)| (a, b)).collect();
        let found = moved(&pairs, 90, 1);
        assert_eq!((found.len(), found[0].lone), (1, 1));
        let means = found[0].means.unwrap();
        assert_eq!((means.plain, means.other), (3.0, 3.5));
        let only = moved(&pairs[..1], 90, 1);
        assert_eq!((only[0].means, only[0].verdict), (None, Verdict::Untold));
    }
}
