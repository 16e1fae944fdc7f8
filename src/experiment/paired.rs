//! Two samples that were drawn on the same seeds, compared pair by pair.
//!
//! Runs of one seed see the same churn, callers and base latencies whatever else differs (common
//! random numbers), so what two variants share cancels in the difference of a pair. How much that
//! is worth is told beside the comparison: the interval that unpaired samples would have given
//! (Welch, "The generalization of 'Student's' problem when several different population variances
//! are involved", 1947, with the degrees of freedom of Satterthwaite 1946), and the share of the
//! variance that the pairing saved.

use std::cmp::Ordering;

use crate::experiment::statistics::{Interval, Sample, student_t_quantile};
use crate::metrics::codebook::Better;

/// Samples A and B of one metric, compared over the pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// The values of A.
    pub a: Sample,
    /// The values of B.
    pub b: Sample,
    /// The differences B − A.
    pub difference: Sample,
    /// Student's interval of the mean difference; `None` of a single pair.
    pub interval: Option<Interval>,
    /// Welch's interval of the same difference, as if the samples were not paired; `None` of a
    /// single pair.
    pub unpaired: Option<Welch>,
    /// How the pairs fell.
    pub order: PairOrder,
}

/// How often B was below, at and above A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairOrder {
    /// Pairs in which B is less.
    pub below: usize,
    /// Pairs in which both are the same, to the last bit.
    pub same: usize,
    /// Pairs in which B is more.
    pub above: usize,
}

/// How often B won, lost, and neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Pairs in which B is better.
    pub wins: usize,
    /// Pairs in which B is worse.
    pub losses: usize,
    /// Pairs in which both are the same.
    pub ties: usize,
}

/// The interval of a difference of means of unpaired samples whose variances may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// The 95 % interval of mean(B) − mean(A).
    pub interval: Interval,
    /// The degrees of freedom of Welch and Satterthwaite; `None` when neither sample has a spread,
    /// and the interval is a point.
    pub df: Option<f64>,
}

impl Paired {
    /// Compares pairs (A, B); `None` without any.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let side =
            |of: fn(&(f64, f64)) -> f64| Sample::of(&pairs.iter().map(of).collect::<Vec<_>>());
        let (a, b, difference) = (side(|it| it.0)?, side(|it| it.1)?, side(|it| it.1 - it.0)?);
        let mut order = PairOrder::default();
        for (a, b) in pairs {
            match b.partial_cmp(a) {
                Some(Ordering::Less) => order.below += 1,
                Some(Ordering::Greater) => order.above += 1,
                Some(Ordering::Equal) | None => order.same += 1,
            }
        }
        let interval = difference.interval();
        Some(Self { a, b, difference, interval, unpaired: Welch::of(&a, &b), order })
    }

    /// How much variance the pairing saved: 1 − var(B − A) / (var A + var B), from −1 to 1. It is
    /// below zero when the samples go against each other. `None` of a single pair, and when neither
    /// sample has a spread.
    #[must_use]
    pub fn variance_saved(&self) -> Option<f64> {
        let [a, b, difference] =
            [self.a, self.b, self.difference].map(|it| it.sd.map(|sd| sd * sd));
        let apart = a? + b?;
        (apart > 0.0).then_some(1.0 - difference? / apart)
    }

    /// Wins and losses of B; `None` for a metric that has no better direction.
    #[must_use]
    pub const fn score(&self, better: Better) -> Option<Score> {
        let PairOrder { below, same, above } = self.order;
        match better {
            Better::Lower => Some(Score { wins: below, losses: above, ties: same }),
            Better::Higher => Some(Score { wins: above, losses: below, ties: same }),
            Better::Neither => None,
        }
    }
}

impl Welch {
    /// The interval of mean(B) − mean(A); `None` when one has a single value.
    #[must_use]
    pub fn of(a: &Sample, b: &Sample) -> Option<Self> {
        let mean_variance = |sample: &Sample| Some(sample.sd? * sample.sd? / sample.n as f64);
        let (of_a, of_b) = (mean_variance(a)?, mean_variance(b)?);
        let difference = b.mean - a.mean;
        let sum = of_a + of_b;
        // The quotients in place of the variances themselves: no square of a tiny number.
        let share = |variance: f64, n: usize| (variance / sum) * (variance / sum) / (n - 1) as f64;
        let df = (sum > 0.0).then(|| 1.0 / (share(of_a, a.n) + share(of_b, b.n)));
        let half = df.map_or(0.0, |df| student_t_quantile(0.975, df) * sum.sqrt());
        let interval = Interval { low: difference - half, high: difference + half };
        Some(Self { interval, df })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, what: &str) {
        let error = (got - expected).abs();
        assert!(error <= 1e-9 * expected.abs().max(1.0), "{what}: {got}, not {expected}");
    }

    fn is(got: Option<Interval>, middle: f64, half: f64, what: &str) {
        let got = got.unwrap_or_else(|| panic!("{what} is there"));
        close(got.low, middle - half, what);
        close(got.high, middle + half, what);
    }

    /// Whether zero is outside the interval of the difference.
    fn beyond_chance(paired: &Paired) -> Option<bool> {
        paired.interval.map(|interval| !interval.contains(0.0))
    }

    #[test]
    fn four_pairs_by_hand() {
        // A: mean 13, squares 9 + 1 + 1 + 9, variance 20/3. B: mean 14.5, squares 12.25 + 0.25 +
        // 0.25 + 20.25 = 33, variance 11. B − A: 1, 2, 0, 3, mean 1.5, squares 5, variance 5/3,
        // error √(5/12).
        let paired = Paired::of(&[(10.0, 11.0), (12.0, 14.0), (14.0, 14.0), (16.0, 19.0)]).unwrap();
        close(paired.difference.mean, 1.5, "mean difference");
        // t(0.975, 3) = 3.182446305284.
        is(paired.interval, 1.5, 3.182_446_305_284 * (5.0_f64 / 12.0).sqrt(), "paired");
        // Error √((20/3 + 11)/4) = √(53/12); degrees of freedom (53/3)²·3 / ((20/3)² + 11²) =
        // 8427/1489, whose 0.975-quantile is 2.483044218519 (computed apart, by another program).
        let unpaired = paired.unpaired.unwrap();
        close(unpaired.df.unwrap(), 8427.0 / 1489.0, "degrees of freedom");
        let half = 2.483_044_218_519 * (53.0_f64 / 12.0).sqrt();
        is(Some(unpaired.interval), 1.5, half, "unpaired");
        // 1 − (5/3)/(53/3).
        close(paired.variance_saved().unwrap(), 48.0 / 53.0, "saved");
        assert_eq!(paired.order, PairOrder { below: 0, same: 1, above: 3 });
        let lower = Score { wins: 0, losses: 3, ties: 1 };
        assert_eq!(paired.score(Better::Lower), Some(lower));
        let higher = Score { wins: 3, losses: 0, ties: 1 };
        assert_eq!(paired.score(Better::Higher), Some(higher));
        assert_eq!(paired.score(Better::Neither), None);
        // 1.5 − 2.05 is below zero.
        assert_eq!(beyond_chance(&paired), Some(false));
    }

    /// Pairs, and what they give: mean difference, half width, saved share, beyond chance.
    type Case = (&'static str, &'static [(f64, f64)], f64, Option<f64>, Option<f64>, Option<bool>);

    #[test]
    fn what_pairing_saves() {
        let cases: [Case; 6] = [
            // All that differs is a constant: the difference is certain.
            (
                "shifted",
                &[(1.0, 3.0), (2.0, 4.0), (6.0, 8.0)],
                2.0,
                Some(0.0),
                Some(1.0),
                Some(true),
            ),
            // A: 1, 2, 3; B: 3, 2, 1. Differences 2, 0, −2, variance 4 where 1 + 1 is expected:
            // 1 − 4/2 = −1. t(0.975, 2)·2/√3 = 4.302652729696·1.154700538379.
            (
                "against each other",
                &[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)],
                0.0,
                Some(4.968_275_424_12),
                Some(-1.0),
                Some(false),
            ),
            // A: 0, 0, 2, 2 (variance 4/3); B: 0, 2, 0, 2 (the same), uncorrelated: differences 0,
            // 2, −2, 0, variance 8/3: nothing is saved. 3.182446305284·√(8/3)/2 = 2.598456527.
            (
                "unrelated",
                &[(0.0, 0.0), (0.0, 2.0), (2.0, 0.0), (2.0, 2.0)],
                0.0,
                Some(2.598_456_527_25),
                Some(0.0),
                Some(false),
            ),
            ("all the same", &[(5.0, 5.0), (5.0, 5.0)], 0.0, Some(0.0), None, Some(false)),
            ("two constants", &[(5.0, 6.0), (5.0, 6.0)], 1.0, Some(0.0), None, Some(true)),
            ("one pair", &[(5.0, 7.0)], 2.0, None, None, None),
        ];
        for (what, pairs, mean, half, saved, beyond) in cases {
            let paired = Paired::of(pairs).unwrap();
            close(paired.difference.mean, mean, what);
            match half {
                Some(half) => is(paired.interval, mean, half, what),
                None => assert_eq!(paired.interval, None, "{what}"),
            }
            assert_eq!(paired.unpaired.is_some(), half.is_some(), "{what}");
            match (paired.variance_saved(), saved) {
                (Some(got), Some(saved)) => close(got, saved, what),
                (got, saved) => assert_eq!(got, saved, "{what}"),
            }
            assert_eq!(beyond_chance(&paired), beyond, "{what}");
        }
        assert_eq!(Paired::of(&[]), None);
    }

    #[test]
    fn welch_of_samples_of_unlike_size() {
        // A: 3, 5, 4, 8, 6: mean 5.2, squares 14.8, variance 3.7, of the mean 0.74. B: 10, 12: mean
        // 11, variance 2, of the mean 1. Degrees of freedom 1.74² / (0.74²/4 + 1²/1) =
        // 3.0276 / 1.1369; half width 4.515041407941 (computed apart, by another program).
        let a = Sample::of(&[3.0, 5.0, 4.0, 8.0, 6.0]).unwrap();
        let b = Sample::of(&[10.0, 12.0]).unwrap();
        let welch = Welch::of(&a, &b).unwrap();
        close(welch.df.unwrap(), 3.0276 / 1.1369, "degrees of freedom");
        is(Some(welch.interval), 5.8, 4.515_041_407_941, "interval");
        // One constant sample: the degrees of freedom are the other's, 4.
        let constant = Sample::of(&[1.0, 1.0, 1.0]).unwrap();
        close(Welch::of(&a, &constant).unwrap().df.unwrap(), 4.0, "one constant");
        let point = Welch::of(&constant, &constant).unwrap();
        assert_eq!(point, Welch { interval: Interval { low: 0.0, high: 0.0 }, df: None });
        assert_eq!(Welch::of(&a, &Sample::of(&[1.0]).unwrap()), None);
    }
}
