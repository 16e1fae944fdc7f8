//! The points of a sweep, a line each: what they differ in, and the metrics that matter most, as many
//! as fit on a line.

use super::Grid;
use crate::experiment::summary::{Estimate, PointSummary, Summary};
use crate::metrics::headline::{CALLER_STALE_SHARE, FAILED_INTEROP};
use crate::report::axis::time_unit;
use crate::report::quantity::{Cut, count, cut, give_or_take, number};
use crate::report::varied::{Dimension, dimensions, last, shortened, wrapped};

/// What a line is at most wide, and what it may be where this leaves no room for the first few
/// metrics.
const WIDTH: usize = 80;
const WIDEST: usize = 100;
const AT_LEAST: usize = 4;

/// The words of a point are no longer than this; where they leave no room, than the other.
const LONGEST_WORD: usize = 24;
const SHORT_WORD: usize = 12;

/// Of more points than twice this, so many of the first and of the last are shown.
const ENDS: usize = 12;

/// In what a metric is written.
#[derive(Clone, Copy, PartialEq)]
enum Writing {
    Span,
    Percent,
    Number,
}

/// A metric that has a column where there is room.
struct Subject {
    metric: &'static str,
    /// Two lines above it; behind the second stands the unit.
    head: [&'static str; 2],
    writing: Writing,
    /// What it is.
    about: &'static str,
    /// Of those that are left out first, this is the larger.
    rank: u8,
}

/// The columns from left to right.
const SUBJECTS: [Subject; 9] = [
    Subject {
        metric: "stale_window.mean",
        head: ["stale", "window"],
        writing: Writing::Span,
        about: "stale window: of a resolver, zeros included",
        rank: 7,
    },
    Subject {
        metric: CALLER_STALE_SHARE,
        head: ["callers'", "stale"],
        writing: Writing::Percent,
        about: "callers' stale: share of the time that callers' resolvers have no valid address",
        rank: 2,
    },
    Subject {
        metric: ALL_STALE_SHARE,
        head: ["resolvers'", "stale"],
        writing: Writing::Percent,
        about: "resolvers' stale: share of the time that resolvers, whoever's, have no valid address",
        rank: 2,
    },
    Subject {
        metric: "outage.mean",
        head: ["outage", "mean"],
        writing: Writing::Span,
        about: "outage: from a departure to the first request served again",
        rank: 1,
    },
    Subject {
        metric: "outage.p95",
        head: ["outage", "p95"],
        writing: Writing::Span,
        about: "",
        rank: 6,
    },
    Subject {
        metric: FAILED_INTEROP,
        head: ["failed", "interop"],
        writing: Writing::Percent,
        about: "failed interop: requests that failed on the way to the overlay",
        rank: 3,
    },
    Subject {
        metric: "claimants.mean",
        head: ["", "claimants"],
        writing: Writing::Number,
        about: "claimants: of the role of a proxy peer that departed",
        rank: 5,
    },
    Subject {
        metric: "split_brain_share",
        head: ["split", "brain"],
        writing: Writing::Percent,
        about: "split brain: share of the time with several proxy peers",
        rank: 8,
    },
    Subject {
        metric: "messages_per_node_hour",
        head: ["messages", "/node h"],
        writing: Writing::Number,
        about: "messages: by everybody, per node and hour",
        rank: 4,
    },
];

/// The stale share of all resolvers, which is told where callers have none.
const ALL_STALE_SHARE: &str = "stale_share";

/// A column with its width.
struct Column {
    head: [String; 2],
    cells: Vec<String>,
}

impl Column {
    fn width(&self) -> usize {
        let texts = self.head.iter().chain(&self.cells);
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    }
}

/// A point that is shown, with its place among all that have runs.
type Place<'a> = (usize, &'a PointSummary);

/// Adds the points to the text.
pub(super) fn write(text: &mut String, summary: &Summary) {
    let mut points: Vec<Place<'_>> = summary.points.iter().enumerate().collect();
    let left_out = points.len().saturating_sub(2 * ENDS);
    if left_out > 0 {
        points.drain(ENDS..ENDS + left_out);
    }
    let values: Vec<&[String]> = summary.points.iter().map(|point| &point.varied[..]).collect();
    let dimensions = dimensions(&summary.varied, &values);
    let mut metrics: Vec<(&Subject, Column)> =
        SUBJECTS.iter().filter_map(|it| Some((it, column(it, &points)?))).collect();
    if metrics.iter().any(|(subject, _)| subject.metric == CALLER_STALE_SHARE) {
        metrics.retain(|(subject, _)| subject.metric != ALL_STALE_SHARE);
    }
    let (keys, metrics) = fitting(&points, &dimensions, metrics);
    let columns = || keys.iter().chain(metrics.iter().map(|(_, column)| column));
    let mut grid = Grid::default();
    for line in 0..2 {
        grid.row(columns().map(|column| column.head[line].clone()).collect::<Vec<_>>());
    }
    for index in 0..points.len() {
        grid.row(columns().map(|column| column.cells[index].clone()).collect::<Vec<_>>());
    }
    let mut lines = String::new();
    grid.write(&mut lines);
    text.push('\n');
    for (index, line) in lines.lines().enumerate() {
        if left_out > 0 && index == 2 + ENDS {
            text.push_str(&format!(
                "    … {} more points in summary.csv\n",
                number(left_out as f64)
            ));
        }
        text.push_str(&format!("{line}\n"));
    }
    let shown: Vec<&Subject> = metrics.iter().map(|(subject, _)| *subject).collect();
    let is_cut = ["(<", "(>", "(any)"].iter().any(|cut| lines.contains(cut));
    notes(text, summary, &shown, is_cut);
}

/// The columns of the keys, and of the metrics those that have room beside them.
fn fitting<'s>(
    points: &[Place<'_>],
    dimensions: &[Dimension],
    mut metrics: Vec<(&'s Subject, Column)>,
) -> (Vec<Column>, Vec<(&'s Subject, Column)>) {
    let width = |keys: &[Column], metrics: &[(&Subject, Column)]| {
        let columns = keys.iter().chain(metrics.iter().map(|(_, column)| column));
        columns.map(|column| column.width() + 2).sum::<usize>().saturating_sub(2)
    };
    let mut keys = key_columns(points, dimensions, LONGEST_WORD);
    loop {
        let wide = width(&keys, &metrics);
        if wide <= WIDTH || (metrics.len() <= AT_LEAST && wide <= WIDEST) {
            break;
        }
        let last = metrics.iter().map(|(subject, _)| subject.rank).max();
        match last {
            Some(rank) if metrics.len() > AT_LEAST => {
                metrics.retain(|(subject, _)| subject.rank != rank);
            }
            _ => {
                keys = key_columns(points, dimensions, SHORT_WORD);
                break;
            }
        }
    }
    (keys, metrics)
}

/// The number of the point, and its value of each key.
fn key_columns(points: &[Place<'_>], dimensions: &[Dimension], longest: usize) -> Vec<Column> {
    let number = Column {
        head: [String::new(), "point".to_owned()],
        cells: points.iter().map(|(_, point)| format!("{:>5}", point.point)).collect(),
    };
    let of_key = |dimension: &Dimension| {
        let label = |(place, _): &Place<'_>| {
            shortened(&dimension.levels[dimension.of_point[*place]].label, longest)
        };
        let head = shortened(last(&dimension.key), LONGEST_WORD);
        let cells = points.iter().map(label).collect();
        let mut column = Column { head: [String::new(), head], cells };
        let width = column.width();
        let left = |text: &mut String| *text = format!("{text:<width$}");
        // Words begin at the left; numbers stand below each other.
        if dimension.measure.is_none() {
            column.cells.iter_mut().chain([&mut column.head[1]]).for_each(left);
        }
        column
    };
    std::iter::once(number).chain(dimensions.iter().map(of_key)).collect()
}

/// The column of a metric, if it has a value at any point.
fn column(subject: &Subject, points: &[Place<'_>]) -> Option<Column> {
    let estimates: Vec<Option<&Estimate>> =
        points.iter().map(|(_, point)| point.estimate(subject.metric)).collect();
    let means = || estimates.iter().flatten().filter_map(|it| it.mean());
    let most = means().reduce(f64::max)?;
    let (unit, name) = match subject.writing {
        Writing::Span => {
            // For all alike: the one that suits those in the middle.
            let least = means().filter(|mean| *mean > 0.0).reduce(f64::min).unwrap_or(most);
            let unit = time_unit((least * most).sqrt());
            (unit.seconds, unit.name)
        }
        Writing::Percent => (0.01, "%"),
        Writing::Number => (1.0, ""),
    };
    let cells: Vec<(String, String)> = estimates
        .iter()
        .zip(points)
        .map(|(estimate, (_, point))| {
            let Some(mean) = estimate.and_then(Estimate::mean) else {
                return ("–".to_owned(), String::new());
            };
            let fewer = if rests_on_fewer(*estimate, point) { "*" } else { "" };
            match estimate.and_then(half).filter(|half| *half > 0.0) {
                Some(half) => {
                    let (mean, behind) = with_half(subject.writing, mean / unit, half / unit);
                    (mean, format!(" {behind}{fewer}"))
                }
                None => (number(mean / unit), fewer.to_owned()),
            }
        })
        .collect();
    // What follows the means is as wide everywhere, so that they stand below each other.
    let behind = cells.iter().map(|(_, half)| half.chars().count()).max().unwrap_or(0);
    let cells = cells.into_iter().map(|(mean, half)| format!("{mean}{half:<behind$}")).collect();
    let [above, below] = subject.head;
    let below = format!("{below} {name}").trim_end().to_owned();
    Some(Column { head: [above.to_owned(), below], cells })
}

/// A mean, and what stands behind it: half of its interval, or where that is cut, since nothing is less
/// than zero or more than a whole, the end that is not.
fn with_half(writing: Writing, mean: f64, half: f64) -> (String, String) {
    let most = if writing == Writing::Percent { 100.0 } else { f64::INFINITY };
    let Some(Cut { mean, low, high }) = cut(mean, half, most) else {
        let (mean, half) = give_or_take(mean, half);
        return (mean, format!("±{half}"));
    };
    let ends = match (low, high) {
        (None, Some(high)) => format!("(<{high})"),
        (Some(low), _) => format!("(>{low})"),
        (None, None) => "(any)".to_owned(),
    };
    (mean, ends)
}

/// Whether a metric has a value in some of the runs only.
fn rests_on_fewer(estimate: Option<&Estimate>, point: &PointSummary) -> bool {
    estimate.and_then(|it| it.sample).is_some_and(|sample| sample.n < point.runs)
}

/// Half of the interval of a mean that is even on both sides.
fn half(estimate: &Estimate) -> Option<f64> {
    let quantile = estimate.metric.ends_with(".p95") || estimate.metric.ends_with(".median");
    estimate.interval.filter(|_| !quantile).map(|it| it.half())
}

/// What the columns are, how the points stand to theory, and where the rest is.
fn notes(text: &mut String, summary: &Summary, shown: &[&Subject], is_cut: bool) {
    let runs = || summary.points.iter().map(|point| point.runs);
    let (least, most) = (runs().min().unwrap_or(0), runs().max().unwrap_or(0));
    let of = if least == most { most.to_string() } else { format!("{least} to {most}") };
    let runs = match most {
        0 | 1 => "One run at each point.".to_owned(),
        _ => format!("Means over the {of} runs of each point ± half of their 95 % interval."),
    };
    let about: Vec<&str> =
        shown.iter().map(|subject| subject.about).filter(|about| !about.is_empty()).collect();
    let mut lines = vec![runs, format!("{}.", about.join("; "))];
    let fewer = |point: &PointSummary| {
        shown.iter().any(|subject| rests_on_fewer(point.estimate(subject.metric), point))
    };
    if summary.points.iter().any(fewer) {
        lines.push("*: over fewer runs, since the others have no value.".to_owned());
    }
    if is_cut {
        lines.push(
            "(<x), (>x): the one end of an interval that is cut at 0 or 100 % at the other."
                .to_owned(),
        );
    }
    lines.extend(theory(summary));
    lines.push("All metrics: summary.csv; over what is varied: figures/sweep-*.svg.".to_owned());
    for line in lines.iter().flat_map(|told| wrapped(told, WIDTH)) {
        text.push_str(&format!("{line}\n"));
    }
}

/// How far the points are from theory, for each metric that it speaks about.
fn theory(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let estimates = || summary.points.iter().flat_map(|point| &point.estimates);
    for estimate in estimates().filter(|it| it.theory.is_some()) {
        if !names.contains(&estimate.metric.as_str()) {
            names.push(&estimate.metric);
        }
    }
    for name in names {
        let of = || estimates().filter(|it| it.metric == name && it.theory.is_some());
        let broken = |it: &&Estimate| {
            it.theory.as_ref().is_some_and(|theory| theory.assumption_broken.is_some())
        };
        let holds = of().filter(|it| !broken(it));
        let deviations: Vec<f64> = holds.filter_map(Estimate::deviation).collect();
        let end = |better: fn(f64, f64) -> f64| deviations.iter().copied().reduce(better);
        let told = match (end(f64::min), end(f64::max)) {
            (Some(low), Some(high)) => format!("{low:+.1} to {high:+.1} s.e. from theory"),
            _ => "compared with theory".to_owned(),
        };
        let others = match of().filter(broken).count() {
            0 => String::new(),
            broken => format!("; an assumption is broken at {}", count(broken, "point")),
        };
        let points = count(deviations.len(), "point");
        lines.push(format!("{name}: {told} at {points}{others}."));
    }
    lines
}

#[cfg(test)]
mod tests;
