//! Figures of a study of several points: how a metric changes with the keys that the sweep varies.
//!
//! One figure a metric of a small set: of those on which studies turn, and of those about which
//! theory says something. A metric that has no value at any point, or is zero at all of them, has no
//! figure. [`layout`] says which key stands where. A numeric key makes a diagram of lines, any other
//! one a chart of rows; both have the mean over the runs of each point, and its 95 % interval where
//! there are several runs.

mod comparison;
mod layout;
mod lines;
mod marks;
mod rows;
mod scale;

use crate::experiment::cell::Study;
use crate::experiment::statistics::Interval;
use crate::experiment::summary::{Estimate, Summary, Theory};
use crate::metrics::codebook::{Metric, Unit, metrics};
use crate::metrics::headline::CALLER_STALE_SHARE;
use crate::metrics::tables::optional;
use crate::report::comparison::Compared;
use crate::report::figures::{Figure, LINE, count};
use crate::report::tables::csv_text;
use crate::report::varied::{Dimension, Measure, dimensions, wrapped};

use layout::Layout;
pub(super) use layout::along_the_axis;
use marks::{Entry, Look, Sign};
use scale::Scale;
pub(super) use scale::time_ticks;

/// A metric that may have a figure.
struct Subject {
    metric: &'static str,
    /// What it is called in the title, and beside an axis.
    words: &'static str,
    short: &'static str,
    /// Whether it has a figure only where theory says something about it.
    beside_theory: bool,
}

/// The metrics on which studies turn, and those about which theory speaks.
const SUBJECTS: [Subject; 12] = [
    subject("stale_window.mean", "mean stale window of a resolver, whoever's", "mean stale window"),
    subject("stale_share", "stale share of all resolvers", "resolvers' stale share"),
    subject(CALLER_STALE_SHARE, "stale share of callers' resolvers", "callers' stale share"),
    subject("outage.mean", "mean outage of a handover", "mean outage"),
    subject("outage.p95", "95th percentile of the outage", "p95 of the outage"),
    subject("failed_interop", "requests that failed on the way to the overlay", "failed requests"),
    subject("claimants.mean", "claimants of a departure", "claimants"),
    subject("split_brain_share", "share of the time in split brain", "split brain"),
    subject("messages_per_node_hour", "messages per node and hour", "messages / node h"),
    subject("bytes_per_node_hour", "bytes per node and hour", "bytes / node h"),
    Subject {
        beside_theory: true,
        ..subject("stale_answers_per_departure", "stale answers per departure", "stale answers")
    },
    Subject {
        beside_theory: true,
        ..subject("lookup_hops.mean", "hops of an overlay look-up", "hops")
    },
];

const fn subject(metric: &'static str, words: &'static str, short: &'static str) -> Subject {
    Subject { metric, words, short, beside_theory: false }
}

/// As many characters as a title may have to stand on the page.
const LONGEST_TITLE: usize = 72;
/// And a line below it.
const LONGEST_LINE: usize = 104;

/// The figures of a study whose points differ, each with what comes behind `sweep-` in its name.
pub(super) fn figures(study: &Study, summary: &Summary) -> Vec<(String, Figure)> {
    if summary.points.len() < 2 {
        return Vec::new();
    }
    let points: Vec<&[String]> = study.points.iter().map(|point| &point.varied[..]).collect();
    let dimensions = dimensions(&study.varied, &points);
    let Some(layout) = Layout::of(&dimensions) else { return Vec::new() };
    let drawn = |metric: &Metric| {
        if metric.name == CALLER_STALE_SHARE && callers_ask_all(summary) {
            return None;
        }
        let plot = Plot::of(metric, summary, &layout)?;
        let svg = match layout.across.measure {
            Some(_) => lines::draw(&plot),
            None => rows::draw(&plot),
        };
        let name = format!("sweep-{}", metric.name.replace(['.', '_'], "-"));
        Some((name, Figure { svg, csv: table(summary, &metric.name) }))
    };
    metrics().iter().filter_map(drawn).collect()
}

/// Whether callers' resolvers are all resolvers, as far as can be seen: a figure of theirs alone would
/// be that of all again.
fn callers_ask_all(summary: &Summary) -> bool {
    summary.points.iter().all(|it| it.mean(CALLER_STALE_SHARE) == it.mean("stale_share"))
}

/// The figure of what is compared by name, if anything is.
pub(super) fn comparison(compared: &Compared<'_>) -> Option<Figure> {
    comparison::figure(compared)
}

/// A metric at one point.
#[derive(Clone, Debug)]
struct Value {
    mean: f64,
    interval: Option<Interval>,
    theory: Option<Theory>,
    runs: usize,
}

/// A metric to be drawn.
struct Plot<'a> {
    layout: &'a Layout<'a>,
    subject: &'static Subject,
    /// Its definition.
    about: &'a str,
    measure: Measure,
    /// Its values by the number of the point.
    values: Vec<Option<Value>>,
    scale: Scale,
}

impl<'a> Plot<'a> {
    fn of(metric: &'a Metric, summary: &Summary, layout: &'a Layout<'a>) -> Option<Self> {
        let subject = SUBJECTS.iter().find(|it| it.metric == metric.name)?;
        let mut values: Vec<Option<Value>> = vec![None; layout.across.of_point.len()];
        for point in &summary.points {
            values[point.point as usize] = point.estimate(&metric.name).and_then(value);
        }
        let there = || values.iter().flatten();
        let theory = there().any(|it| it.theory.is_some());
        let flat = there().all(|it| it.mean == 0.0) && !theory;
        if flat || (subject.beside_theory && !theory) {
            return None;
        }
        let measure = match metric.unit {
            Unit::Seconds => Measure::Time,
            Unit::Share => Measure::Share,
            _ => Measure::Number,
        };
        let drawn = || layout.points().filter_map(|point| values[point].as_ref());
        let theory = |it: &Value| it.theory.as_ref().map(|theory| theory.value);
        let means: Vec<f64> =
            drawn().flat_map(|it| std::iter::once(it.mean).chain(theory(it))).collect();
        let bounds = drawn().filter_map(|it| it.interval).flat_map(|it| [it.low, it.high]);
        let scale = Scale::of_values(&means, &bounds.collect::<Vec<_>>(), measure);
        Some(Self { layout, subject, about: &metric.about, measure, values, scale })
    }

    /// The values of points, as far as there are some.
    fn drawn(&self) -> impl Iterator<Item = &Value> {
        self.layout.points().filter_map(|point| self.values[point].as_ref())
    }

    fn has_theory(&self) -> bool {
        self.drawn().any(|it| it.theory.is_some())
    }

    fn has_intervals(&self) -> bool {
        self.drawn().any(|it| it.interval.is_some())
    }

    /// The metric and its unit, as an axis has it.
    fn axis(&self) -> String {
        let unit = self.scale.unit_word(self.measure);
        let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
        let law = if self.scale.is_logarithmic() { ", logarithmic" } else { "" };
        format!("{}{unit}{law}", self.subject.short)
    }

    /// `Mean outage of a handover, by dns.ttl and handover.strategy`.
    fn title(&self) -> String {
        let words = self.subject.words;
        let first: String = words.chars().take(1).flat_map(char::to_uppercase).collect();
        let rest: String = words.chars().skip(1).collect();
        let keys = [Some(self.layout.across), self.layout.series];
        let keys: Vec<&str> = keys.into_iter().flatten().map(|it| it.key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().filter(|key| !key.is_empty()).collect();
        let title = format!("{first}{rest}");
        let keys = format!(", by {}", keys.join(" and "));
        // The axes and the legend tell the keys as well.
        let fits = title.chars().count() + keys.chars().count() <= LONGEST_TITLE;
        if keys.len() > ", by ".len() && fits { title + &keys } else { title }
    }

    /// What stands below the title: what the metric is, what is drawn of it, what is not.
    fn told(&self) -> Vec<String> {
        let mut lines = wrapped(&self.about.replace('`', ""), LONGEST_LINE);
        let runs = || self.drawn().map(|it| it.runs);
        let (least, most) = (runs().min().unwrap_or(0), runs().max().unwrap_or(0));
        let runs =
            if least == most { count(most, "run") } else { format!("{least} to {most} runs") };
        let mut told = match (self.has_intervals(), most) {
            (true, _) => format!("Means over {runs} at each point, with 95 % intervals."),
            (false, 0 | 1) => "One run at each point: no intervals.".to_owned(),
            (false, _) => format!("Means over {runs} at each point."),
        };
        let cut = |it: &&Value| {
            it.interval.is_some_and(|interval| {
                let below = self.scale.is_logarithmic() && !self.scale.holds(interval.low);
                below || !self.scale.holds(interval.high)
            })
        };
        if self.drawn().any(|it| cut(&it)) {
            told.push_str(" Intervals without a bar at their end are cut there.");
        }
        let missing = self.layout.points().count() - self.drawn().count();
        if missing > 0 {
            told.push_str(&format!(" {} without a value.", count(missing, "point")));
        }
        if self.layout.left_out > 0 {
            let (out, all) = (self.layout.left_out, self.values.len());
            told.push_str(&format!(" {out} of {all} points are not drawn; the table has all."));
        }
        let dimensions = [Some(self.layout.across), self.layout.series].into_iter().flatten();
        for Dimension { key, along, .. } in dimensions.filter(|it| !it.along.is_empty()) {
            told.push_str(&format!(" With {key} goes {}.", along.join(", ")));
        }
        told.push_str(&self.theory_told());
        lines.extend(wrapped(&told, LONGEST_LINE));
        lines
    }

    /// What theory takes for granted that is not so.
    fn theory_told(&self) -> String {
        let theories = || self.drawn().filter_map(|it| it.theory.as_ref());
        let broken: Vec<&String> =
            theories().filter_map(|it| it.assumption_broken.as_ref()).collect();
        let Some(first) = broken.first() else { return String::new() };
        let where_not = match broken.len() == theories().count() {
            true => "which is not so here".to_owned(),
            false => format!("which is not so at {}", count(broken.len(), "point")),
        };
        format!(" Theory takes for granted that {first}, {where_not}.")
    }

    /// The entries of the legend; none where nothing is to be told apart.
    fn legend(&self) -> Vec<Entry> {
        let joined = self.layout.across.measure.is_some();
        let mut entries = Vec::new();
        if let Some(series) = self.layout.series {
            if !series.key.is_empty() {
                entries.push(Entry { sign: Sign::Title, text: format!("{}:", series.key) });
            }
            for (line, level) in series.levels.iter().take(self.layout.lines()).enumerate() {
                let sign = Sign::Line { look: Look::of(line), joined };
                entries.push(Entry { sign, text: scale::level_label(series, level) });
            }
        } else if self.has_theory() {
            let sign = Sign::Line { look: Look::of(0), joined };
            entries.push(Entry { sign, text: "measured".to_owned() });
        }
        if self.has_theory() {
            let sign = if joined { Sign::Theory } else { Sign::Stroke };
            entries.push(Entry { sign, text: "theory".to_owned() });
        }
        entries
    }
}

fn value(estimate: &Estimate) -> Option<Value> {
    let theory = estimate.theory.clone().filter(|theory| theory.value.is_finite());
    let (mean, runs) = (estimate.mean()?, estimate.sample?.n);
    Some(Value { mean, interval: estimate.interval, theory, runs })
}

/// The height that the title and the lines below it take.
fn head_height(lines: &[String]) -> i32 {
    50 + LINE * lines.len() as i32
}

/// What a figure was drawn from: every point, in the order of the study.
fn table(summary: &Summary, metric: &str) -> String {
    let mut columns: Vec<&str> = vec!["point"];
    columns.extend(summary.varied.iter().map(String::as_str));
    columns.extend(["runs", "mean", "low", "high", "theory", "assumption_broken"]);
    let rows = summary.points.iter().map(|point| {
        let value = point.estimate(metric).and_then(value);
        let of = |part: fn(&Value) -> Option<f64>| optional(value.as_ref().and_then(part));
        let theory = value.as_ref().and_then(|it| it.theory.clone());
        let mut fields = vec![point.point.to_string()];
        fields.extend(point.varied.iter().cloned());
        fields.extend([
            value.as_ref().map_or(0, |it| it.runs).to_string(),
            of(|it| Some(it.mean)),
            of(|it| Some(it.interval?.low)),
            of(|it| Some(it.interval?.high)),
            optional(theory.as_ref().map(|it| it.value)),
            theory.and_then(|it| it.assumption_broken).unwrap_or_default(),
        ]);
        fields
    });
    csv_text(&columns, rows)
}

#[cfg(test)]
mod tests;
