//! Distributions of spans: plain quantiles and Kaplan–Meier.
//!
//! One definition of a quantile everywhere: the p-quantile is the smallest value v with
//! F(v) ≥ p (the inverse of the distribution function, type 1 of Hyndman and Fan, "Sample
//! quantiles in statistical packages", 1996; also called nearest rank). It is always a value that
//! was seen, and it is what the Kaplan–Meier curve gives when nothing is censored.

use crate::time::SimDuration;

/// A span, and whether it is whole or was cut off (right-censored).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lasted {
    /// How long it lasted, at least.
    pub span: SimDuration,
    /// Whether it lasted longer than that by an unknown time.
    pub censored: bool,
}

/// What makes up for the rounding of the products of a survival curve: far above the error of
/// 10^6 factors, far below one step of a curve over that many spans.
const ROUNDING: f64 = 1e-9;

/// The survival curve of Kaplan and Meier ("Nonparametric estimation from incomplete
/// observations", 1958). Without censoring it is one minus the distribution function.
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    /// Each span at which something ended, with the share that lasts longer.
    steps: Vec<(SimDuration, f64)>,
}

impl KaplanMeier {
    /// The curve over these spans, in any order. Of equal spans, the whole ones count before the
    /// censored ones.
    #[must_use]
    pub fn new(mut spans: Vec<Lasted>) -> Self {
        spans.sort_unstable();
        let (mut steps, mut survival) = (Vec::new(), 1.0);
        let mut start = 0;
        while start < spans.len() {
            let here = spans[start].span;
            let same = spans[start..].iter().take_while(|lasted| lasted.span == here);
            let (ended, all) = same.fold((0_u32, 0), |(ended, all), lasted| {
                (ended + u32::from(!lasted.censored), all + 1)
            });
            if ended > 0 {
                let at_risk = (spans.len() - start) as f64;
                survival *= (at_risk - f64::from(ended)) / at_risk;
                steps.push((here, survival));
            }
            start += all;
        }
        Self { steps }
    }

    /// The steps: a span at which something ended, and the share that lasts longer than it.
    #[must_use]
    pub fn steps(&self) -> &[(SimDuration, f64)] {
        &self.steps
    }

    /// The share that lasts longer than `span`.
    #[must_use]
    pub fn survival(&self, span: SimDuration) -> f64 {
        let passed = self.steps.partition_point(|(at, _)| *at <= span);
        passed.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }

    /// The smallest span that at least the share `p` does not outlast, `p` in (0, 1]. `None` when
    /// the curve does not come down so far: too many are censored.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<SimDuration> {
        let step = self.steps.iter().find(|(_, survival)| *survival <= 1.0 - p + ROUNDING)?;
        Some(step.0)
    }
}

/// The smallest span that at least the share `p` does not outlast, of sorted spans that stand for
/// several each: what [`KaplanMeier::quantile`] gives of all of them. `weight` says for how many a
/// span stands, none included; `None` when too many are censored.
#[must_use]
pub fn weighted_quantile<T>(
    sorted: &[(Lasted, T)],
    weight: impl Fn(&T) -> u64,
    p: f64,
) -> Option<SimDuration> {
    debug_assert!(sorted.is_sorted_by_key(|it| it.0), "a quantile is taken of sorted spans");
    let mut at_risk: u64 = sorted.iter().map(|(_, of)| weight(of)).sum();
    let mut survival = 1.0;
    for same in sorted.chunk_by(|a, b| a.0.span == b.0.span) {
        let (mut ended, mut all) = (0, 0);
        for (lasted, of) in same {
            let weight = weight(of);
            all += weight;
            ended += if lasted.censored { 0 } else { weight };
        }
        if ended > 0 {
            survival *= (at_risk - ended) as f64 / at_risk as f64;
            if survival <= 1.0 - p + ROUNDING {
                return Some(same[0].0.span);
            }
        }
        at_risk -= all;
    }
    None
}

/// The `p`-quantile of whole spans, which must be sorted; `None` of nothing.
#[must_use]
pub fn quantile(sorted: &[SimDuration], p: f64) -> Option<SimDuration> {
    debug_assert!(sorted.is_sorted(), "a quantile is taken of sorted spans");
    // The products n·p that are whole in truth may be a rounding above it.
    let rank = (sorted.len() as f64 * p - ROUNDING).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// The mean in seconds, summed exactly; `None` of nothing.
pub fn mean(spans: impl IntoIterator<Item = SimDuration>) -> Option<f64> {
    let (sum, n) = spans
        .into_iter()
        .fold((0_u128, 0_u64), |(sum, n), span| (sum + u128::from(span.as_nanos()), n + 1));
    (n > 0).then(|| sum as f64 / n as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasted(seconds: &[(u64, bool)]) -> Vec<Lasted> {
        let row = |&(s, censored)| Lasted { span: SimDuration::from_secs(s), censored };
        seconds.iter().map(row).collect()
    }

    #[test]
    fn kaplan_meier_by_hand() {
        // 8 spans, + marks censored: 1, 2, 2+, 3, 5+, 6, 6, 9+.
        // S(1) = 7/8, S(2) = 7/8·6/7 = 3/4, S(3) = 3/4·4/5 = 3/5, S(6) = 3/5·1/3 = 1/5.
        let curve = KaplanMeier::new(lasted(&[
            (6, false),
            (9, true),
            (2, true),
            (1, false),
            (5, true),
            (3, false),
            (2, false),
            (6, false),
        ]));
        let expected = [(1, 0.875), (2, 0.75), (3, 0.6), (6, 0.2)];
        assert_eq!(curve.steps().len(), expected.len());
        for ((span, survival), (seconds, share)) in curve.steps().iter().zip(expected) {
            assert_eq!(*span, SimDuration::from_secs(seconds));
            assert!((survival - share).abs() < 1e-12, "{survival} instead of {share}");
        }
        let quantile = |p| curve.quantile(p).map(SimDuration::as_secs);
        assert_eq!(quantile(0.25), Some(2), "S(2) is exactly 3/4");
        assert_eq!(quantile(0.5), Some(6));
        assert_eq!(quantile(0.8), Some(6), "S(6) is exactly 1/5");
        assert_eq!(quantile(0.95), None, "the longest ones were cut off");
        assert!((curve.survival(SimDuration::from_secs(4)) - 0.6).abs() < 1e-12);
        assert!((curve.survival(SimDuration::ZERO) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn weights_stand_for_as_many_spans() {
        let spans = [(6, false), (9, true), (2, true), (1, false), (5, true), (3, false)];
        let mut weighted: Vec<(Lasted, u64)> =
            lasted(&spans).into_iter().zip([2, 0, 1, 3, 2, 1]).collect();
        weighted.sort_unstable();
        let all = weighted.iter().flat_map(|&(one, times)| (0..times).map(move |_| one));
        let curve = KaplanMeier::new(all.collect());
        // 1, 1, 1, 2+, 3, 5+, 5+, 6, 6: S(1) = 6/9, S(3) = 6/9·4/5 = 8/15, S(6) = 0.
        for (p, expected) in [(0.3, 1), (0.45, 3), (0.5, 6), (1.0, 6)] {
            let expected = Some(SimDuration::from_secs(expected));
            assert_eq!(weighted_quantile(&weighted, |&times| times, p), expected, "{p}");
            assert_eq!(curve.quantile(p), expected, "{p}");
        }
        // 2+, 2+, 3, 3, 5+, 6, 9+ three times.
        assert_eq!(weighted_quantile(&weighted, |&times| 3 - times, 1.0), None, "9 is cut off");
        assert_eq!(weighted_quantile::<u64>(&[], |_| 1, 0.5), None);
    }

    #[test]
    fn without_censoring_kaplan_meier_is_the_nearest_rank() {
        for n in 1..=200_u64 {
            let spans: Vec<_> = (1..=n).map(SimDuration::from_secs).collect();
            let curve = KaplanMeier::new(
                spans.iter().map(|&span| Lasted { span, censored: false }).collect(),
            );
            for (percent, p) in [(50, 0.5), (90, 0.9), (95, 0.95), (100, 1.0)] {
                // Smallest rank k with k/n >= percent/100.
                let rank = (n * percent).div_ceil(100);
                let expected = Some(SimDuration::from_secs(rank));
                assert_eq!(quantile(&spans, p), expected, "n = {n}, p = {p}");
                assert_eq!(curve.quantile(p), expected, "n = {n}, p = {p}");
            }
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_no_mean() {
        assert_eq!(KaplanMeier::new(Vec::new()).quantile(0.5), None);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(mean([]), None);
        assert_eq!(mean([SimDuration::from_secs(1), SimDuration::from_secs(2)]), Some(1.5));
    }
}
