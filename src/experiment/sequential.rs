//! How many runs a study has: a fixed number at each point, or as many as it takes to know a metric
//! well enough.
//!
//! In the second case every point gets a batch of replications; where half the width of Student's
//! interval is then still too large a share of the mean, it gets another one, until it is small
//! enough or the most runs are made. Whether to go on is decided by whole batches alone, so that
//! the number of threads has no say in it; and a run that is kept from before counts like a new one.
//!
//! An interval that is looked at until it is narrow covers the mean a little less often than it says
//! (Law, *Simulation Modeling and Analysis*, on relative-precision procedures): the more so the
//! smaller the batch.

use std::collections::BTreeMap;

use crate::experiment::cell::Study;
use crate::experiment::run::{Failure, Outcome};
use crate::experiment::statistics::Sample;
use crate::experiment::summary::interval;
use crate::metrics::tables::RunOutput;
use crate::scenario::plan::{Precision, Replications};

/// A point at which the most runs were made, and a metric is not known as well as was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Imprecise {
    /// The point.
    pub point: u32,
    /// The metric.
    pub metric: String,
    /// Half the width of its interval over its mean; `None` where that does not exist.
    pub reached: Option<f64>,
}

/// A study that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// The study with all runs that it came to have.
    pub study: Study,
    /// What they gave.
    pub outcome: Outcome,
    /// Where more runs would be needed.
    pub imprecise: Vec<Imprecise>,
}

/// Carries a study out, whose points alone are looked at, with `run`, which is given the study with
/// the runs of the next round.
///
/// # Errors
/// When `run` fails.
pub fn carry_out<E>(
    study: &Study,
    replications: &Replications,
    mut run: impl FnMut(&Study) -> Result<Outcome, E>,
) -> Result<Carried, E> {
    let precision = match replications {
        Replications::Number(number) => {
            let study = study.with(&vec![0..*number; study.points.len()]);
            let outcome = run(&study)?;
            return Ok(Carried { study, outcome, imprecise: Vec::new() });
        }
        Replications::Until(precision) => precision,
    };
    let mut rounds = Rounds::new(study, precision);
    loop {
        let (from, to) = (rounds.made.clone(), rounds.wanted());
        if from == to {
            break;
        }
        let ranges: Vec<_> = from.iter().zip(&to).map(|(&from, &to)| from..to).collect();
        let part = study.with(&ranges);
        let outcome = run(&part)?;
        let whole = outcome.outputs.len() + outcome.failures.len() == part.cells.len();
        rounds.add(&part, outcome);
        rounds.made = to;
        // What was stopped or failed is not made up for by more runs.
        if !whole || !rounds.failures.is_empty() {
            break;
        }
    }
    Ok(rounds.finish())
}

/// Half the width of the interval that the summary gives, as a share of the mean. `None` where there
/// is no interval, and where the mean is zero: what has never happened yet is not known at all.
fn relative_half_width(metric: &str, values: &[f64], seed: u64) -> Option<f64> {
    let mean = Sample::of(values)?.mean;
    let interval = interval(metric, values, seed)?;
    Some(interval.half() / mean.abs()).filter(|share| share.is_finite())
}

/// A run by its point and its number there.
type Place = (u32, u32);

struct Rounds<'a> {
    study: &'a Study,
    precision: &'a Precision,
    /// How many runs each point has.
    made: Vec<u32>,
    outputs: BTreeMap<Place, RunOutput>,
    failures: BTreeMap<Place, String>,
    loaded: usize,
}

impl<'a> Rounds<'a> {
    fn new(study: &'a Study, precision: &'a Precision) -> Self {
        let made = vec![0; study.points.len()];
        let (outputs, failures) = (BTreeMap::new(), BTreeMap::new());
        Self { study, precision, made, outputs, failures, loaded: 0 }
    }

    /// How many runs each point should have next.
    fn wanted(&self) -> Vec<u32> {
        let next = |(point, &made): (u32, &u32)| match self.imprecise(point) {
            Some(_) => made.saturating_add(self.precision.at_least).min(self.precision.at_most),
            None => made,
        };
        (0..).zip(&self.made).map(next).collect()
    }

    /// Whether a point needs more runs.
    fn imprecise(&self, point: u32) -> Option<Imprecise> {
        let metric = &self.precision.metric;
        let here = self.outputs.range((point, 0)..=(point, u32::MAX));
        let values: Option<Vec<f64>> = here.map(|(_, it)| it.headline.value(metric)).collect();
        let seed = self.study.points[point as usize].seed;
        let reached = values.and_then(|values| relative_half_width(metric, &values, seed));
        match reached {
            Some(reached) if reached <= self.precision.until => None,
            _ => Some(Imprecise { point, metric: metric.clone(), reached }),
        }
    }

    fn add(&mut self, part: &Study, outcome: Outcome) {
        let mut seen = self.made.clone();
        let places: Vec<Place> = part
            .cells
            .iter()
            .map(|spec| {
                let next = &mut seen[spec.point as usize];
                *next += 1;
                (spec.point, *next - 1)
            })
            .collect();
        let place = |run: u32| places[run as usize];
        self.outputs.extend(outcome.outputs.into_iter().map(|it| (place(it.run), it)));
        self.failures.extend(outcome.failures.into_iter().map(|it| (place(it.run), it.message)));
        self.loaded += outcome.loaded;
    }

    fn finish(self) -> Carried {
        let points = 0..u32::try_from(self.made.len()).expect("points were counted with 32 bits");
        let imprecise = points.filter_map(|point| self.imprecise(point)).collect();
        let ranges: Vec<_> = self.made.iter().map(|&made| 0..made).collect();
        let starts: Vec<u32> = self
            .made
            .iter()
            .scan(0, |next, made| Some(std::mem::replace(next, *next + made)))
            .collect();
        let number = |(point, replication): Place| starts[point as usize] + replication;
        let outputs = self.outputs.into_iter();
        let failures = self.failures.into_iter();
        Carried {
            study: self.study.with(&ranges),
            outcome: Outcome {
                outputs: outputs
                    .map(|(place, it)| RunOutput { run: number(place), ..it })
                    .collect(),
                failures: failures
                    .map(|(place, message)| Failure { run: number(place), message })
                    .collect(),
                loaded: self.loaded,
            },
            imprecise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::cell::{CellSpec, StudyPoint};
    use crate::experiment::run::tests::{fake_output, study};
    use crate::metrics::headline::Headline;

    /// Two points; the values of the first are 100 ± `spread` in turn, those of the second 7.
    fn carried(until: f64, at_most: u32, spread: f64) -> (Carried, Vec<usize>) {
        let one = study(1);
        let second = StudyPoint { identity: "other".into(), ..one.points[0].clone() };
        let points = vec![one.points[0].clone(), second];
        let study = Study { points, cells: Vec::new(), ..one };
        let mut rounds = Vec::new();
        let output = |spec: &CellSpec| {
            let mut headline = Headline::default();
            let sign = if spec.seed.is_multiple_of(2) { 1.0 } else { -1.0 };
            let value = if spec.point == 0 { 100.0 + sign * spread } else { 7.0 };
            headline.push("outage.mean", Some(value));
            RunOutput { headline, ..fake_output(spec) }
        };
        let replications = Replications::Until(Precision {
            metric: "outage.mean".into(),
            until,
            at_least: 4,
            at_most,
        });
        let carried = carry_out(&study, &replications, |part| {
            rounds.push(part.cells.len());
            let outputs = part.cells.iter().map(output).collect();
            Ok::<_, ()>(Outcome { outputs, failures: Vec::new(), loaded: 1 })
        });
        (carried.unwrap(), rounds)
    }

    #[test]
    fn a_point_gets_runs_until_its_interval_is_narrow() {
        // n values 100 ± 10 in turn have a standard deviation of 10·√(n/(n−1)); half the width is
        // t(0.975, n−1)·10/√(n−1): 18.4 for 4, 8.9 for 8, 6.6 for 12, 5.5 for 16 and 4.8 for 20.
        let (carried, rounds) = carried(0.05, 100, 10.0);
        assert_eq!(rounds, [8, 4, 4, 4, 4], "the second point is known after its first batch");
        assert_eq!(carried.study.cells.len(), 24);
        assert_eq!(carried.outcome.loaded, 5);
        assert!(carried.imprecise.is_empty());
        assert!(carried.outcome.outputs.iter().map(|it| it.run).eq(0..24));
        let seeds: Vec<u64> = carried.outcome.outputs.iter().map(|it| it.seed).collect();
        assert!(seeds[..20].iter().copied().eq(7..27) && seeds[20..].iter().copied().eq(7..11));
        assert!((0..).zip(&carried.study.cells).all(|(run, spec)| spec.run == run));
        assert_eq!(carried.study.cells[20].point, 1);
    }

    #[test]
    fn the_most_runs_end_it_and_that_is_told() {
        let (carried, rounds) = carried(0.05, 10, 10.0);
        assert_eq!(rounds, [8, 4, 2]);
        let [imprecise] = &carried.imprecise[..] else { panic!("{:?}", carried.imprecise) };
        // t(0.975, 9) = 2.262: 2.262·10/√9/100.
        assert_eq!((imprecise.point, imprecise.metric.as_str()), (0, "outage.mean"));
        assert!((imprecise.reached.unwrap() - 0.0754).abs() < 1e-4);
    }
}
