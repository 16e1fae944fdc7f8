//! Two variants on the same seeds, metric by metric: what `overcord diff` compares.

use std::collections::BTreeMap;

use crate::experiment::cell::Study;
use crate::experiment::paired::Paired;
use crate::experiment::sequential::Carried;
use crate::metrics::codebook;
use crate::metrics::codebook::Better;
use crate::metrics::headline::names;
use crate::metrics::tables::RunOutput;

/// What differs at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointDifference {
    /// The point, from 0.
    pub point: u32,
    /// How many pairs of runs there are.
    pub pairs: usize,
    /// How many of the pairs are the same to the last event.
    pub same: usize,
    /// The runs of the first pair that is not, in A and in B.
    pub first: Option<[u32; 2]>,
    /// The metrics that have a value on both sides, in the order of `runs.csv`.
    pub metrics: Vec<MetricDifference>,
}

/// What differs in one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricDifference {
    /// The metric, as in `runs.csv`.
    pub metric: String,
    /// In which direction it gets better.
    pub better: Better,
    /// The comparison, B against A.
    pub paired: Paired,
}

/// Compares two studies, whose points are the same, point by point.
#[must_use]
pub fn differences(a: &Carried, b: &Carried) -> Vec<PointDifference> {
    assert_eq!(a.study.points.len(), b.study.points.len(), "points are compared one by one");
    let (a, b) = (by_seed(&a.study, &a.outcome.outputs), by_seed(&b.study, &b.outcome.outputs));
    (0..).zip(a.iter().zip(&b)).map(|(point, (a, b))| at_point(point, a, b)).collect()
}

/// The outputs of a point by their seeds.
pub type BySeed<'a> = BTreeMap<u64, &'a RunOutput>;

/// The outputs of each point by their seeds.
#[must_use]
pub fn by_seed<'a>(study: &Study, outputs: &'a [RunOutput]) -> Vec<BySeed<'a>> {
    let mut points = vec![BTreeMap::new(); study.points.len()];
    for output in outputs {
        let point = study.cells[output.run as usize].point;
        points[point as usize].insert(output.seed, output);
    }
    points
}

/// Runs of the same seed, of A and of B.
fn pairs<'a>(a: &BySeed<'a>, b: &BySeed<'a>) -> Vec<(&'a RunOutput, &'a RunOutput)> {
    a.iter().filter_map(|(seed, first)| Some((*first, *b.get(seed)?))).collect()
}

/// A metric of B against A, over the pairs in which both have a value; `None` without any.
#[must_use]
pub fn paired(a: &BySeed<'_>, b: &BySeed<'_>, metric: &str) -> Option<Paired> {
    let both = |(a, b): (&RunOutput, &RunOutput)| {
        Some((a.headline.value(metric)?, b.headline.value(metric)?))
    };
    Paired::of(&pairs(a, b).into_iter().filter_map(both).collect::<Vec<_>>())
}

fn at_point(point: u32, a: &BySeed<'_>, b: &BySeed<'_>) -> PointDifference {
    let pairs = pairs(a, b);
    let metric = |metric: &str| {
        let better = codebook::metric(metric).map_or(Better::Neither, |it| it.better);
        let paired = paired(a, b, metric)?;
        Some(MetricDifference { metric: metric.to_owned(), better, paired })
    };
    let differs = |(a, b): &&(&RunOutput, &RunOutput)| a.fingerprint != b.fingerprint;
    let metrics = names(pairs.iter().map(|(a, _)| &a.headline));
    PointDifference {
        point,
        pairs: pairs.len(),
        same: pairs.len() - pairs.iter().filter(differs).count(),
        first: pairs.iter().find(differs).map(|(a, b)| [a.run, b.run]),
        metrics: metrics.into_iter().filter_map(metric).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::paired::PairOrder;
    use crate::experiment::run::Outcome;
    use crate::experiment::run::tests::{fake_output, spec, study};

    fn carried(replications: u32, change: impl Fn(&mut RunOutput)) -> Carried {
        let study = study(replications);
        let output = |spec| {
            let mut output = fake_output(spec);
            change(&mut output);
            output
        };
        let outputs = study.cells.iter().map(output).collect();
        let outcome = Outcome { outputs, failures: Vec::new(), loaded: 0 };
        Carried { study, outcome, imprecise: Vec::new() }
    }

    #[test]
    fn pairs_are_those_of_a_seed_also_where_a_run_is_missing() {
        let (a, mut b) = (carried(3, |_| ()), carried(3, |it| it.fingerprint ^= it.seed & 1));
        b.outcome.outputs.remove(0);
        let [point] = &differences(&a, &b)[..] else { panic!("one point") };
        // Seeds 8 and 9 are left; that of 9 is odd.
        assert_eq!((point.pairs, point.same, point.first), (2, 1, Some([2, 2])));
        let windows = point.metrics.iter().find(|it| it.metric == "stale_window.mean").unwrap();
        assert_eq!(windows.paired.difference.mean, 0.0);
        assert_eq!(windows.paired.a.n, 2);
        assert_eq!(windows.better, Better::Lower);
    }

    #[test]
    fn runs_are_paired_by_their_seeds() {
        let with = |seeds: &[u64]| {
            let mut carried = carried(seeds.len() as u32, |_| ());
            let output = |(run, &seed): (usize, &u64)| fake_output(&spec(run as u32, seed));
            carried.outcome.outputs = seeds.iter().enumerate().map(output).collect();
            carried
        };
        let a = with(&[7, 8, 9]);
        let [point] = &differences(&a, &with(&[9, 11, 7]))[..] else { panic!("one point") };
        // Both have seeds 7 and 9, and the same values at these.
        let detect = point.metrics.iter().find(|it| it.metric == "detect.mean").unwrap();
        assert_eq!((detect.paired.a.n, detect.paired.a.mean), (2, 8.0));
        assert_eq!(detect.paired.order, PairOrder { below: 0, same: 2, above: 0 });
        assert!(point.metrics.iter().all(|it| it.metric != "lookup_hops.mean"), "it has no value");
        let [point] = &differences(&a, &with(&[10, 11, 12]))[..] else { panic!("one point") };
        assert_eq!((point.pairs, point.first, point.metrics.len()), (0, None, 0));
    }
}
