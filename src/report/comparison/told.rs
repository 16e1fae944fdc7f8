//! What is told of each design, and over what: handovers and stale windows over all runs together,
//! what belongs to a run as a whole over the runs.

use crate::experiment::cell::Study;
use crate::experiment::difference::BySeed;
use crate::experiment::pooled::{Pool, Quantile};
use crate::experiment::statistics::{Interval, bootstrap_interval};
use crate::experiment::summary::PointSummary;
use crate::metrics::codebook::unit_of;
use crate::metrics::distribution::Lasted;
use crate::metrics::headline::{
    CALLER_STALE_SHARE, CALLER_STALE_WINDOWS, DEGRADED_SPELLS, FAILED_INTEROP, PARTIAL_DEPARTURES,
    counted_handovers, counted_stale, lasted,
};
use crate::metrics::tables::{Anatomy, RunOutput};
use crate::report::quantity::{mean_within, number, quantity};
use crate::time::SimDuration;

/// How a number comes about.
#[derive(Clone, Copy)]
enum Source {
    /// The mean over the runs.
    Mean,
    /// The sum over the runs.
    Sum,
    /// The greatest of the runs.
    Most,
    /// The mean over all things of all runs, from the mean of each run and the metric that counts
    /// them.
    Each(&'static str, &'static str),
    /// A quantile of a part of all handovers.
    Handovers(fn(&Anatomy) -> SimDuration, f64),
    /// How many stale windows callers' resolvers had.
    Windows,
    /// A quantile of these.
    Window(f64),
}

/// Something that is told, under a name that is that of a metric where it comes from one.
pub(super) struct Told {
    pub(super) name: &'static str,
    /// Its column in the table.
    pub(super) column: &'static str,
    source: Source,
}

const fn told(name: &'static str, column: &'static str, source: Source) -> Told {
    Told { name, column, source }
}

/// Of handovers after full departures.
pub(super) const HANDOVERS: &[Told] = &[
    told("departures", "departures", Source::Sum),
    told("episodes", "handovers", Source::Sum),
    told("restore.median", "restore, median", Source::Handovers(Anatomy::restore, 0.5)),
    told("restore.p95", "restore, p95", Source::Handovers(Anatomy::restore, 0.95)),
    told("outage.median", "outage, median", Source::Handovers(Anatomy::outage, 0.5)),
    told("outage.p95", "outage, p95", Source::Handovers(Anatomy::outage, 0.95)),
    told("claimants.mean", "claimants, mean", Source::Each("departures", "departures")),
    told("claimants.max", "claimants, most", Source::Most),
];

/// Of sets that lost a member.
pub(super) const PARTIAL: &[Told] = &[
    told(PARTIAL_DEPARTURES, "partial departures", Source::Sum),
    told(
        "partial_claimants.mean",
        "claimants, mean",
        Source::Each(PARTIAL_DEPARTURES, "partial departures"),
    ),
    told("partial_claimants.max", "claimants, most", Source::Most),
    told("degraded.mean", "degraded, mean", Source::Each(DEGRADED_SPELLS, "spells")),
    told("degraded.max", "degraded, longest", Source::Most),
    told("degraded_share", "degraded share", Source::Mean),
];

/// The disc of the stale windows, and their ring.
pub(crate) const WINDOW_MEDIAN: &str = "caller_stale_window.median";
pub(crate) const WINDOW_P95: &str = "caller_stale_window.p95";

/// Of what callers and members have of it.
pub(super) const WHOLE: &[Told] = &[
    told(CALLER_STALE_SHARE, "callers' stale share", Source::Mean),
    told(CALLER_STALE_WINDOWS, "callers' stale windows", Source::Windows),
    told(WINDOW_MEDIAN, "their median", Source::Window(0.5)),
    told(WINDOW_P95, "their p95", Source::Window(0.95)),
    told(FAILED_INTEROP, "failed interop", Source::Mean),
    told("failed_outbound", "failed outbound", Source::Mean),
    told("split_brain_share", "split brain", Source::Mean),
    told("messages_per_node_hour", "messages /node h", Source::Mean),
    told("bytes_per_node_hour", "bytes /node h", Source::Mean),
];

/// All of it, in the order of the tables.
pub(super) fn all() -> impl Iterator<Item = &'static Told> {
    HANDOVERS.iter().chain(PARTIAL).chain(WHOLE)
}

/// A number, and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) value: f64,
    /// It is more than that: too many of the spans are cut off.
    pub(crate) is_more: bool,
    pub(crate) interval: Option<Interval>,
    /// How many there are of what it is over.
    pub(crate) n: usize,
    /// Of what.
    pub(crate) over: &'static str,
}

impl Value {
    const fn of(value: f64, (n, over): (usize, &'static str)) -> Self {
        Self { value, is_more: false, interval: None, n, over }
    }

    /// As people read it.
    pub(super) fn text(&self, told: &Told) -> String {
        let unit = unit_of(told.name);
        let half = self.interval.map(|it| it.half());
        match (told.source, half) {
            (Source::Mean, Some(half)) => mean_within(unit, self.value, half),
            _ if self.is_more => format!("> {}", quantity(unit, self.value)),
            (Source::Sum | Source::Windows, _) => number(self.value),
            _ => quantity(unit, self.value),
        }
    }
}

/// A point, and what it gave.
pub(super) struct Runs<'a> {
    pub(super) study: &'a Study,
    pub(super) point: &'a PointSummary,
    pub(super) outputs: &'a BySeed<'a>,
}

impl Runs<'_> {
    fn seed(&self) -> u64 {
        self.study.points[self.point.point as usize].seed
    }

    fn pool(&self, of: impl Fn(&RunOutput, crate::time::SimTime) -> Vec<Lasted>) -> Pool {
        let warmup = |output: &RunOutput| self.study.cells[output.run as usize].warmup;
        Pool::of(self.outputs.values().map(|output| of(output, warmup(output))))
    }

    fn handovers(&self, part: fn(&Anatomy) -> SimDuration) -> Pool {
        self.pool(|output, warmup| lasted(counted_handovers(&output.handovers, warmup), part))
    }

    /// The windows in which a resolver of a caller was stale. An ended validity that left it fresh,
    /// such as that of each node that claimed in vain, is none.
    fn windows(&self) -> Pool {
        self.pool(|output, warmup| {
            let rows = counted_stale(&output.stale, warmup);
            let open = rows.filter(|row| row.callers > 0 && !row.window.is_zero());
            open.map(|row| Lasted { span: row.window, censored: false }).collect()
        })
    }

    /// What is told, if it has a value here.
    pub(super) fn value(&self, told: &Told) -> Option<Value> {
        let estimate = self.point.estimate(told.name);
        let runs = |n| (n, "runs");
        match told.source {
            Source::Mean => {
                let (estimate, sample) = (estimate?, estimate?.sample?);
                let value = Value::of(sample.mean, runs(sample.n));
                Some(Value { interval: estimate.interval, ..value })
            }
            Source::Sum => {
                let sample = estimate?.sample?;
                Some(Value::of((sample.mean * sample.n as f64).round(), runs(sample.n)))
            }
            Source::Most => {
                let sample = estimate?.sample?;
                Some(Value::of(sample.max, runs(sample.n)))
            }
            Source::Each(counted_by, over) => self.each(told.name, counted_by, over),
            Source::Handovers(part, p) => {
                self.quantile(&self.handovers(part), told, "handovers", p)
            }
            Source::Windows => {
                let used = self.point.mean(CALLER_STALE_SHARE).is_some();
                used.then(|| Value::of(self.windows().len() as f64, runs(self.outputs.len())))
            }
            Source::Window(p) => self.quantile(&self.windows(), told, "windows", p),
        }
    }

    fn quantile(&self, pool: &Pool, told: &Told, over: &'static str, p: f64) -> Option<Value> {
        let (span, is_more) = match pool.quantile(p)? {
            Quantile::Is(span) => (span, false),
            Quantile::Above(span) => (span, true),
        };
        let interval = pool.interval(p, self.seed(), told.name).filter(|_| !is_more);
        let value = Value::of(span.as_secs_f64(), (pool.len(), over));
        Some(Value { is_more, interval, ..value })
    }

    /// The mean over all that the runs counted, and its interval bootstrapped over the runs.
    fn each(&self, metric: &str, counted_by: &str, over: &'static str) -> Option<Value> {
        let runs: Vec<(f64, f64)> = self
            .outputs
            .values()
            .filter_map(|output| {
                let (mean, count) =
                    (output.headline.value(metric)?, output.headline.value(counted_by)?);
                Some((mean * count, count))
            })
            .collect();
        let mean = |drawn: &mut dyn Iterator<Item = usize>| {
            let (sum, count) = drawn
                .fold((0.0, 0.0), |(sum, count), run| (sum + runs[run].0, count + runs[run].1));
            (count > 0.0).then_some(sum / count)
        };
        let count: f64 = runs.iter().map(|(_, count)| count).sum();
        let value = Value::of(mean(&mut (0..runs.len()))?, (count as usize, over));
        let interval = bootstrap_interval(self.seed(), metric, runs.len(), |drawn| {
            mean(&mut drawn.iter().copied())
        });
        Some(Value { interval, ..value })
    }
}
