//! What the replications of each sweep point say together, beside theory.
//!
//! The independent unit is the run. Intervals are Student's over the runs; those of quantiles
//! (`…median`, `…p95`), which are not normal over few runs, are bootstrapped over the runs. The
//! deviation from theory is in standard errors of the mean over runs. With a single run that does
//! not exist; stale windows and answers and the means of handover phases then have one that is
//! clustered by departure, and other metrics have none.

use std::collections::BTreeMap;

use crate::experiment::cell::{CellSpec, Study};
use crate::experiment::statistics::{
    Interval, Sample, bootstrap_interval, clustered_standard_error,
};
use crate::experiment::warning::{Warning, warnings};
use crate::metrics::headline::{PARTS, counted_handovers, counted_stale, names};
use crate::metrics::tables::{HandoverRow, RunOutput};
use crate::time::SimTime;

/// What a closed form says about a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Theory {
    /// The sweep point it holds for.
    pub point: u32,
    /// The metric, as in `runs.csv`.
    pub metric: String,
    /// Its value.
    pub value: f64,
    /// The assumption of the closed form that this scenario does not keep.
    pub assumption_broken: Option<String>,
}

/// One metric over the runs of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The metric, as in `runs.csv`.
    pub metric: String,
    /// Mean and spread over the runs in which it has a value; `None` when it has in none.
    pub sample: Option<Sample>,
    /// The interval of the mean.
    pub interval: Option<Interval>,
    /// The standard error of the mean.
    pub standard_error: Option<f64>,
    /// The theory about it.
    pub theory: Option<Theory>,
}

impl Estimate {
    /// The mean over the runs.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.sample.map(|sample| sample.mean)
    }

    /// The largest value over the runs: of a metric that is a maximum itself, the maximum of all.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.sample.map(|sample| sample.max)
    }

    /// How far the mean is above theory, in standard errors.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        let deviation = (self.mean()? - self.theory.as_ref()?.value) / self.standard_error?;
        Some(deviation).filter(|deviation| deviation.is_finite())
    }
}

/// All metrics of one point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSummary {
    /// The point, from 0.
    pub point: u32,
    /// The values of the varied keys.
    pub varied: Vec<String>,
    /// How many runs there are.
    pub runs: usize,
    /// Why to take its numbers with care.
    pub warnings: Vec<Warning>,
    /// The metrics in the order of `runs.csv`.
    pub estimates: Vec<Estimate>,
}

impl PointSummary {
    /// The estimate of a metric, if there is such a metric.
    #[must_use]
    pub fn estimate(&self, metric: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|estimate| estimate.metric == metric)
    }

    /// The mean of a metric over the runs.
    #[must_use]
    pub fn mean(&self, metric: &str) -> Option<f64> {
        self.estimate(metric)?.mean()
    }

    /// The largest value of a metric over the runs.
    #[must_use]
    pub fn max(&self, metric: &str) -> Option<f64> {
        self.estimate(metric)?.max()
    }
}

/// A study in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The varied keys.
    pub varied: Vec<String>,
    /// The points in their order; one without a single output is missing.
    pub points: Vec<PointSummary>,
}

/// Aggregates the outputs of a study, which are in the order of the runs.
#[must_use]
pub fn summarise(study: &Study, outputs: &[RunOutput], theory: &[Theory]) -> Summary {
    let by_run: BTreeMap<u32, &RunOutput> =
        outputs.iter().map(|output| (output.run, output)).collect();
    let of_point = |cells: &[CellSpec]| {
        let runs: Vec<(&CellSpec, &RunOutput)> =
            cells.iter().filter_map(|spec| Some((spec, *by_run.get(&spec.run)?))).collect();
        let (first, _) = runs.first()?;
        Some(PointSummary {
            point: first.point,
            varied: first.varied.clone(),
            runs: runs.len(),
            warnings: warnings(&study.points[first.point as usize], &runs),
            estimates: estimates(&runs, theory),
        })
    };
    Summary {
        varied: study.varied.clone(),
        points: study.by_point().filter_map(of_point).collect(),
    }
}

fn estimates(runs: &[(&CellSpec, &RunOutput)], theory: &[Theory]) -> Vec<Estimate> {
    let (spec, _) = runs[0];
    let of_one = |metric: &str| {
        let values: Vec<f64> =
            runs.iter().filter_map(|(_, output)| output.headline.value(metric)).collect();
        let sample = Sample::of(&values);
        let over_runs = sample.and_then(|sample| sample.standard_error());
        let standard_error = match runs {
            [(spec, output)] => {
                error_by_departure(output, spec.warmup, metric).map(|clustered| clustered.error)
            }
            _ => over_runs,
        };
        let holds = |it: &&Theory| it.point == spec.point && it.metric == metric;
        Estimate {
            metric: metric.to_owned(),
            sample,
            interval: interval(metric, &values, spec.seed),
            standard_error,
            theory: theory.iter().find(holds).cloned(),
        }
    };
    names(runs.iter().map(|(_, output)| &output.headline)).into_iter().map(of_one).collect()
}

/// The 95 % interval of the mean of a metric over runs: Student's, for medians and 95th percentiles
/// the bootstrap's with draws from this seed. `None` of a single value.
#[must_use]
pub fn interval(metric: &str, values: &[f64], seed: u64) -> Option<Interval> {
    if metric.ends_with(".median") || metric.ends_with(".p95") {
        let mean = |drawn: &[usize]| {
            let sum: f64 = drawn.iter().map(|&index| values[index]).sum();
            Some(sum / drawn.len() as f64)
        };
        return bootstrap_interval(seed, metric, values.len(), mean);
    }
    Sample::of(values)?.interval()
}

/// A standard error within a single run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ClusteredError {
    /// The standard error.
    pub(super) error: f64,
    /// Of how many independent clusters, the departures.
    pub(super) clusters: usize,
}

/// The standard error, clustered by departure, of the mean of a metric that is a mean over rows or
/// over departures.
pub(super) fn error_by_departure(
    output: &RunOutput,
    warmup: SimTime,
    metric: &str,
) -> Option<ClusteredError> {
    let mut clusters: BTreeMap<SimTime, Vec<f64>> = BTreeMap::new();
    if metric == "stale_answers_per_departure" {
        for row in counted_stale(&output.stale, warmup) {
            clusters.entry(row.ended).or_insert_with(|| vec![0.0])[0] += row.stale_answers as f64;
        }
    } else if metric == "stale_window.mean" {
        for row in counted_stale(&output.stale, warmup) {
            clusters.entry(row.ended).or_default().push(row.window.as_secs_f64());
        }
    } else {
        let name = metric.strip_suffix(".mean")?;
        let (_, part) = PARTS.iter().find(|(part, _)| *part == name)?;
        let complete = |row: &&HandoverRow| row.closed.is_complete();
        for row in counted_handovers(&output.handovers, warmup).filter(complete) {
            clusters.entry(row.opened).or_default().push(part(&row.anatomy).as_secs_f64());
        }
    }
    let clusters: Vec<_> = clusters.into_values().collect();
    let mut error = clustered_standard_error(&clusters)?;
    if metric == "stale_answers_per_departure" {
        // The mean is over departures, of which there are fewer than ends of validity when losers
        // of a claim step down.
        let departures = output.headline.value("departures").filter(|&count| count > 0.0)?;
        error *= clusters.len() as f64 / departures;
    }
    Some(ClusteredError { error, clusters: clusters.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, study};

    #[test]
    fn replications_are_summed_up_beside_theory() {
        let study = study(3);
        let outputs: Vec<_> = study.cells.iter().map(fake_output).collect();
        let theory = [Theory {
            point: 0,
            metric: "stale_window.mean".into(),
            value: 18.0,
            assumption_broken: None,
        }];
        let summary = summarise(&study, &outputs, &theory);
        let point = &summary.points[0];
        assert_eq!(point.runs, 3);
        // Windows are 30 + seed and 0, seeds 7, 8, 9: means 18.5, 19, 19.5; sd 0.5, standard error
        // 0.5/√3; t(0.975, 2) = 4.302653; deviation (19 − 18)/(0.5/√3) = 2√3.
        let windows = point.estimate("stale_window.mean").unwrap();
        let sample = windows.sample.unwrap();
        assert_eq!((sample.n, sample.mean, sample.sd), (3, 19.0, Some(0.5)));
        let half = 4.302_652_73 * 0.5 / 3.0_f64.sqrt();
        assert!((windows.interval.unwrap().high - 19.0 - half).abs() < 1e-7);
        assert!((windows.deviation().unwrap() - 2.0 * 3.0_f64.sqrt()).abs() < 1e-9);
        // Means of three of 37, 38, 39: the bootstrap stays within the values.
        let p95 = point.estimate("stale_window.p95").unwrap().interval.unwrap();
        assert!(p95.low >= 37.0 && p95.high <= 39.0 && p95.low < 38.0 && p95.high > 38.0);
    }

    #[test]
    fn one_run_has_an_error_clustered_by_departure() {
        let study = study(1);
        let mut output = fake_output(&study.cells[0]);
        let mut later = output.stale.clone();
        for row in &mut later {
            row.ended = SimTime::from_secs(900);
            row.window = crate::time::SimDuration::from_secs(10);
            row.stale_answers = 1;
        }
        output.stale.extend(later);
        // Clusters {37, 0} and {10, 10}, mean 14.25: sums of deviations 8.5 and −8.5;
        // √(2/1 · 2 · 8.5²)/4 = 4.25.
        let clustered = error_by_departure(&output, SimTime::ZERO, "stale_window.mean").unwrap();
        assert!((clustered.error - 4.25).abs() < 1e-12, "{clustered:?}");
        assert_eq!(clustered.clusters, 2);
        // Answers by end of validity: 4 + 4 and 1 + 1; standard deviation 6/√2, error of the mean of
        // these two 3; over the headline's one departure 3 · 2 / 1.
        let error = error_by_departure(&output, SimTime::ZERO, "stale_answers_per_departure");
        assert!((error.unwrap().error - 6.0).abs() < 1e-12, "{error:?}");
        assert_eq!(error_by_departure(&output, SimTime::ZERO, "departures"), None);
        let summary = summarise(&study, &[output], &[]);
        assert_eq!(summary.points[0].estimate("stale_window.mean").unwrap().interval, None);
    }
}
