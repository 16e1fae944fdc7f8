//! Two variants on the same seeds, metric by metric: what `overcord diff` compares.

use crate::experiment::paired::Paired;
use crate::experiment::sequential::Carried;
use crate::metrics::codebook;
use crate::metrics::codebook::Better;
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

/// Two studies that cannot be compared point by point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the first has {first} points and the second {second}: points are compared one by one")]
pub struct Incomparable {
    /// The points of the first.
    pub first: usize,
    /// Those of the second.
    pub second: usize,
}

/// Compares two studies point by point.
///
/// # Errors
/// When they have not as many points as each other.
pub fn differences(a: &Carried, b: &Carried) -> Result<Vec<PointDifference>, Incomparable> {
    let (first, second) = (a.study.points.len(), b.study.points.len());
    if first != second {
        return Err(Incomparable { first, second });
    }
    let points = 0..u32::try_from(first).expect("points were counted with 32 bits");
    Ok(points.map(|point| at_point(point, &of_point(a, point), &of_point(b, point))).collect())
}

fn of_point(carried: &Carried, point: u32) -> Vec<&RunOutput> {
    let here = |output: &&RunOutput| carried.study.cells[output.run as usize].point == point;
    carried.outcome.outputs.iter().filter(here).collect()
}

fn at_point(point: u32, a: &[&RunOutput], b: &[&RunOutput]) -> PointDifference {
    let pairs: Vec<(&RunOutput, &RunOutput)> = a
        .iter()
        .filter_map(|first| Some((*first, *b.iter().find(|second| second.seed == first.seed)?)))
        .collect();
    let metric = |metric: &str| {
        let better = codebook::metric(metric).map_or(Better::Neither, |it| it.better);
        let paired = Paired::by_seed(metric, a.iter().copied(), b.iter().copied())?;
        Some(MetricDifference { metric: metric.to_owned(), better, paired })
    };
    let names = a.first().map(|output| output.headline.iter().map(|(name, _)| name));
    PointDifference {
        point,
        pairs: pairs.len(),
        same: pairs.iter().filter(|(a, b)| a.fingerprint == b.fingerprint).count(),
        metrics: names.into_iter().flatten().filter_map(metric).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::Outcome;
    use crate::experiment::run::tests::{fake_output, study};

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
        let [point] = &differences(&a, &b).unwrap()[..] else { panic!("one point") };
        // Seeds 8 and 9 are left; that of 9 is odd.
        assert_eq!((point.pairs, point.same), (2, 1));
        let windows = point.metrics.iter().find(|it| it.metric == "stale_window.mean").unwrap();
        assert_eq!(windows.paired.difference.mean, 0.0);
        assert_eq!(windows.paired.a.n, 2);
        assert_eq!(windows.better, Better::Lower);
    }

    #[test]
    fn studies_of_other_points_are_not_compared() {
        let (a, mut b) = (carried(2, |_| ()), carried(2, |_| ()));
        b.study.points.push(b.study.points[0].clone());
        assert_eq!(differences(&a, &b), Err(Incomparable { first: 1, second: 2 }));
    }
}
