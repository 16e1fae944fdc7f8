//! The table that `run` prints at its end: what came out, understood at once, and where the rest
//! is.

mod callers;
mod points;
mod warnings;

use std::collections::BTreeMap;

use callers::Callers;

use crate::experiment::cell::Study;
use crate::experiment::run::Outcome;
use crate::experiment::sequential::Imprecise;
use crate::experiment::summary::{Estimate, PointSummary, Summary};
use crate::metrics::codebook::{Unit, unit_of};
use crate::metrics::distribution::{mean, quantile};
use crate::metrics::headline::{
    CALLER_STALE_SHARE, FAILED_CALLEE, FAILED_INTEROP, PARTIAL_DEPARTURES, counted_stale,
};
use crate::metrics::tables::{RunOutput, protocol_name};
use crate::net::Protocol;
use crate::report::comparison;
use crate::report::quantity::{count, number, percent, plural, span};
use crate::scenario::sweep::told;
use crate::time::SimDuration;
use crate::world::ring::{RingSummary, Worst};

/// The final table. `folder` is where the tables and figures are, as it is to be shown.
#[must_use]
pub fn table(study: &Study, outcome: &Outcome, summary: &Summary, folder: &str) -> String {
    let mut text = String::new();
    let runs = count(study.cells.len(), "run");
    text.push_str(&format!("{}: {runs}", study.scenario));
    if summary.points.len() > 1 {
        text.push_str(&format!(" at {} points", summary.points.len()));
    }
    if outcome.loaded > 0 {
        text.push_str(&format!(", {} of them kept from before", outcome.loaded));
    }
    text.push('\n');
    match &summary.points[..] {
        [] => {}
        [point] => one_point(
            &mut text,
            point,
            &Windows::of(study, outcome, point.point),
            &Callers::of(study, outcome, point.point),
        ),
        _ => {
            points::write(&mut text, summary);
            text.push_str(&comparison::told(study, &outcome.outputs, summary));
        }
    }
    for failure in &outcome.failures {
        text.push_str(&format!("\nrun {} FAILED: {}\n", failure.run, failure.message));
    }
    text.push_str(&warnings::told(summary));
    text.push_str(&format!("\ntables   {folder}/*.csv\nfigures  {folder}/figures/*.svg\n"));
    text
}

/// That a metric is not known as well at a point as was asked.
#[must_use]
pub fn imprecise(study: &Study, imprecise: &Imprecise) -> String {
    let Imprecise { point, metric, reached } = imprecise;
    let values = &study.points[*point as usize].varied;
    let at = match study.points.len() {
        1 => String::new(),
        _ => format!(" at point {point}, {}", told(&study.varied, values)),
    };
    match reached {
        Some(reached) => format!("{metric} is known to ± {} only{at}", percent(*reached)),
        None => format!("{metric} has no interval{at}"),
    }
}

/// What the rings of the runs that were judged were like, in two lines at most.
#[must_use]
pub fn rings(rings: &BTreeMap<u32, RingSummary>) -> String {
    let sum = |of: fn(&RingSummary) -> f64| rings.values().map(of).sum::<f64>();
    let samples = sum(|ring| ring.samples as f64);
    if samples == 0.0 {
        return "rings    none seen\n".to_owned();
    }
    let runs = count(rings.len(), "run");
    let mut text = format!(
        "rings    {} of {} in {runs} perfect, {} not connected; \
         wrong first successor: {} of members\n",
        percent(sum(|ring| ring.perfect as f64) / samples),
        plural(samples, "sample"),
        number(sum(|ring| ring.disconnected as f64)),
        percent(sum(|ring| ring.wrong_shares) / samples),
    );
    let mut worst: Option<(u32, &Worst)> = None;
    for (&run, ring) in rings {
        if let Some(other) = &ring.worst
            && worst.is_none_or(|(_, worst)| other.is_worse_than(worst))
        {
            worst = Some((run, other));
        }
    }
    if let Some((run, worst)) = worst {
        text.push_str(&format!("worst    run {run} {worst}\n"));
    }
    text
}

/// A grid of cells, the first column to the left, the others to the right.
#[derive(Default)]
pub(crate) struct Grid {
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    pub(crate) fn write(&self, text: &mut String) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let length = |cell: &String| cell.chars().count();
        let width = |column| {
            let cells = self.rows.iter().filter_map(|row: &Vec<String>| row.get(column));
            cells.map(length).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    line.push_str(&format!("{cell:<width$}"));
                } else {
                    line.push_str(&format!("  {cell:>width$}"));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

/// The mean of a metric in words, or a dash.
fn shown(point: &PointSummary, metric: &str, words: fn(f64) -> String) -> String {
    point.mean(metric).map_or_else(|| "–".to_owned(), words)
}

/// The largest value of a metric over the runs, in words, or a dash.
fn largest(point: &PointSummary, metric: &str, words: fn(f64) -> String) -> String {
    point.max(metric).map_or_else(|| "–".to_owned(), words)
}

/// What became of the requests, where there are callers who send them.
fn requests(point: &PointSummary) -> String {
    if point.estimate(FAILED_INTEROP).is_none() {
        return String::new();
    }
    let value = |metric: &str, words| shown(point, metric, words);
    let unfinished = match point.mean("unfinished") {
        Some(unfinished) if unfinished > 0.0 => format!("; {} unfinished", number(unfinished)),
        _ => String::new(),
    };
    format!(
        "{}; failed: {} interop, {} callee{unfinished}",
        value("requests", number),
        value(FAILED_INTEROP, percent),
        value(FAILED_CALLEE, percent)
    )
}

/// What became of the media of calls, where there are any.
fn media(point: &PointSummary) -> Option<String> {
    let calls = number(point.mean("media_calls")?);
    let lost = shown(point, "media_lost", percent);
    let gave_up = shown(point, "media_given_up", number);
    Some(format!("{calls} calls; {lost} not heard, {gave_up} ends gave up"))
}

/// What became of sets that lost one of several valid members, where the binding is a set.
fn sets(point: &PointSummary) -> Option<String> {
    let partial = number(point.mean(PARTIAL_DEPARTURES)?);
    let mean = shown(point, "degraded.mean", span);
    let share = shown(point, "degraded_share", percent);
    Some(format!("{partial}; without the preferred one for {mean} at a time, {share} of the time"))
}

/// How many answers were stale, of how many.
fn stale_answers(point: &PointSummary) -> String {
    let value = |metric: &str| shown(point, metric, number);
    match point.mean("answers") {
        Some(0.0) => "none: no resolver gave an answer".to_owned(),
        _ => format!("{} of {}", value("stale_answers"), value("answers")),
    }
}

/// How many claimed the role of who departed.
fn claimants(point: &PointSummary) -> String {
    let mean = shown(point, "claimants.mean", number);
    match (point.mean("departures"), &*largest(point, "claimants.max", number)) {
        (Some(0.0), _) => "none: there was no departure".to_owned(),
        (_, "–") => mean,
        (_, most) => format!("{mean} (at most {most})"),
    }
}

/// What became of look-ups in the overlay.
fn lookups(point: &PointSummary) -> String {
    let value = |metric: &str| shown(point, metric, number);
    let wrong = point.mean("lookups_wrong").filter(|&wrong| wrong > 0.0);
    let wrong =
        wrong.map_or(String::new(), |wrong| format!(", {} found the wrong owner", number(wrong)));
    match (point.mean("lookup_hops.mean"), &*value("lookup_failures")) {
        (Some(hops), failed) => format!("{} hops, {failed} failed{wrong}", number(hops)),
        (None, "0") => "none".to_owned(),
        (None, failed) => format!("none that succeeded, {failed} that failed"),
    }
}

fn one_point(text: &mut String, point: &PointSummary, windows: &Windows, callers: &Callers<'_>) {
    text.push_str(&headcount(point));
    text.push('\n');
    if point.mean("episodes").is_some_and(|episodes| episodes > 0.0) || windows.all > 0 {
        let cells = spans(point, windows);
        let dashed = cells.rows.iter().flatten().any(|cell| cell == "–");
        cells.write(text);
        text.push_str(&notes(point, dashed));
    } else {
        text.push_str("No handover to time: no episode was opened, no resolver was stale.\n");
    }
    text.push('\n');
    let value = |metric: &str, words| shown(point, metric, words);
    let mut line = |title: &str, told: String| text.push_str(&format!("{title:<32}{told}\n"));
    let requests = requests(point);
    if !requests.is_empty() {
        line("requests of callers", requests);
    }
    media(point).into_iter().for_each(|told| line("media of calls", told));
    line("stale share, all resolvers'", value("stale_share", percent));
    if let Some(share) = point.mean(CALLER_STALE_SHARE) {
        line("  callers' resolvers' alone", percent(share));
    }
    sets(point).into_iter().for_each(|told| line("sets that lost a member", told));
    line(windows.title(), windows.told());
    line("stale answers", stale_answers(point));
    line("claimants of a departure", claimants(point));
    line("updates of the binding", value("updates", number));
    line(
        "claims",
        format!(
            "{} false (proxy peer was valid), {} late (it was valid again)",
            value("false_claims", number),
            value("late_claims", number)
        ),
    );
    line("split brain, share of the time", value("split_brain_share", percent));
    line("overlay look-ups", lookups(point));
    line(
        "signalling per node and hour",
        format!(
            "{} messages, {} bytes",
            value("messages_per_node_hour", number),
            value("bytes_per_node_hour", number)
        ),
    );
    let protocols = protocols(point);
    if !protocols.is_empty() {
        line("  messages by protocol", protocols);
    }
    callers.write(text);
    theory(text, point);
}

/// Departures and episodes, and how many of those were cut off.
fn headcount(point: &PointSummary) -> String {
    let value = |metric| plural(point.mean(metric).unwrap_or(0.0), metric_word(metric));
    let cut = |metric| shown(point, metric, number);
    let each = if point.runs > 1 { "in a run, on average: " } else { "" };
    format!(
        "{each}{}, {} of the proxy peer,\n{} ({} unasked, {} censored)\n",
        value("leaves"),
        value("departures"),
        value("episodes"),
        cut("unasked"),
        cut("censored")
    )
}

/// One of what a metric counts.
fn metric_word(metric: &str) -> &'static str {
    match metric {
        "leaves" => "leave",
        "departures" => "departure",
        _ => "handover episode",
    }
}

/// The rows of an episode: what they are called, and the metric. Parts stand below their sum.
const EPISODE: [(&str, &str); 10] = [
    ("handover, outage", "outage"),
    ("  until restored", "restore"),
    ("    detect: nobody knows yet", "detect"),
    ("    claim: a node knows", "claim"),
    ("    update: in flight", "update"),
    ("    publish: not served yet", "publish"),
    ("    cache: old entries live on", "cache"),
    ("  recover: a request under way", "recover"),
    ("ask: well again, nobody asks", "ask"),
    ("handover, whole episode", "total"),
];

/// The grid of spans: the episode with its parts, and the stale windows.
fn spans(point: &PointSummary, windows: &Windows) -> Grid {
    let mut grid = Grid::default();
    let (first, last) = match point.runs {
        0 | 1 => (String::new(), ""),
        runs => (format!("of each of {runs} runs, on average:"), "95 % of mean"),
    };
    grid.row([&first, "median", "mean", "p95", "max", "share", last].map(str::to_owned));
    let total = point.mean("total.mean").filter(|total| *total > 0.0);
    for (title, name) in EPISODE {
        let share = point.mean(&format!("{name}.mean")).zip(total).map(|(part, all)| part / all);
        grid.row(spans_of(point, title, name, share));
    }
    if !windows.above.is_empty() {
        grid.row(windows.spans());
    }
    grid
}

/// The row of one part of the episodes.
fn spans_of(point: &PointSummary, title: &str, name: &str, share: Option<f64>) -> [String; 7] {
    let cell = |what: &str| shown(point, &format!("{name}.{what}"), span);
    let quantile = |what: &str, p: f64| {
        if is_zero_up_to(point, name, p) { span(0.0) } else { cell(what) }
    };
    [
        title.to_owned(),
        quantile("median", 0.5),
        cell("mean"),
        quantile("p95", 0.95),
        largest(point, &format!("{name}.max"), span),
        share.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default(),
        point.estimate(&format!("{name}.mean")).map(interval).unwrap_or_default(),
    ]
}

/// Whether the `p`-quantile of a part is zero although Kaplan–Meier, which takes an unasked episode
/// as cut off in every part, does not say so. An unasked episode closes when the service is
/// restored: its parts up to there are seen whole. So where all are zero, only those episodes may be
/// longer that the end of the run cut off.
fn is_zero_up_to(point: &PointSummary, name: &str, p: f64) -> bool {
    let seen_whole = ["detect", "claim", "update", "publish", "cache", "restore"].contains(&name);
    let zero = point.max(&format!("{name}.max")) == Some(0.0);
    let (Some(all), Some(cut)) = (point.mean("episodes"), point.mean("censored")) else {
        return false;
    };
    seen_whole && zero && all > 0.0 && all - cut >= p * all
}

/// What the words and dashes of the grid mean.
fn notes(point: &PointSummary, dashed: bool) -> String {
    let value = |metric| point.mean(metric).unwrap_or(0.0);
    let (unasked, censored) = (value("unasked"), value("censored"));
    let mut notes = String::new();
    if unasked + censored > 0.0 {
        let whole = number(value("episodes") - unasked - censored);
        notes.push_str(&format!(
            "mean, share: of the {whole} episodes that a request ended; share: of their whole \
             length.\nmedian, p95: of all, by Kaplan–Meier: an unasked episode (nobody asked before \
             all was well\nagain) or a censored one (the run ended) lasts at least as long as was \
             seen.\n"
        ));
    } else if value("episodes") > 0.0 {
        notes.push_str("share: of the mean length of a whole episode.\n");
    }
    if point.runs > 1 {
        notes.push_str(
            "max: the longest of all runs. Stale windows are those of all runs together, whoever's \
             resolver.\n",
        );
    }
    if dashed {
        notes.push_str("–: cannot be told; too few episodes were seen to their end.\n");
    }
    notes
}

/// The stale windows of one point.
struct Windows {
    /// How many there are, zeros included, in all runs.
    all: usize,
    /// Those above zero, sorted. Most are zero under a storm of claimants: every end of validity of
    /// an address has one for each resolver, whether or not that held it then.
    above: Vec<SimDuration>,
    /// How many runs they are of.
    runs: usize,
}

impl Windows {
    fn of(study: &Study, outcome: &Outcome, point: u32) -> Self {
        let spec = |output: &RunOutput| &study.cells[output.run as usize];
        let outputs = || outcome.outputs.iter().filter(|output| spec(output).point == point);
        let windows: Vec<_> = outputs()
            .flat_map(|output| counted_stale(&output.stale, spec(output).warmup))
            .map(|row| row.window)
            .collect();
        let mut above: Vec<_> =
            windows.iter().copied().filter(|window| !window.is_zero()).collect();
        above.sort_unstable();
        Self { all: windows.len(), above, runs: outputs().count() }
    }

    const fn title(&self) -> &'static str {
        match self.runs {
            0 | 1 => "stale windows above zero",
            _ => "stale windows > 0, all runs",
        }
    }

    fn told(&self) -> String {
        if self.all == 0 {
            return "none: no address of the binding lost its validity".to_owned();
        }
        let (above, all) = (number(self.above.len() as f64), number(self.all as f64));
        format!("{above} of {all}, one for each resolver and end of validity")
    }

    fn quantile(&self, p: f64) -> String {
        let window = quantile(&self.above, p);
        window.map_or_else(|| "–".to_owned(), |window| span(window.as_secs_f64()))
    }

    fn spans(&self) -> [String; 7] {
        [
            match self.runs {
                0 | 1 => "stale window of a resolver, > 0".to_owned(),
                _ => "stale windows > 0, runs together".to_owned(),
            },
            self.quantile(0.5),
            mean(self.above.iter().copied()).map_or_else(|| "–".to_owned(), span),
            self.quantile(0.95),
            self.quantile(1.0),
            String::new(),
            String::new(),
        ]
    }
}

fn interval(estimate: &Estimate) -> String {
    // No span is less than nothing, whatever an interval that is even around its mean says.
    let bounds = estimate.interval.map(|it| match it.half() {
        0.0 => format!("{} in all runs", span(it.high)),
        _ => format!("{} to {}", span(it.low.max(0.0)), span(it.high)),
    });
    bounds.unwrap_or_default()
}

/// The messages of each protocol, the busiest first.
fn protocols(point: &PointSummary) -> String {
    let mut protocols: Vec<(f64, &str)> = Protocol::ALL
        .iter()
        .map(|protocol| protocol_name(*protocol))
        .filter_map(|name| Some((point.mean(&format!("messages_per_node_hour.{name}"))?, name)))
        .filter(|(messages, _)| *messages > 0.0)
        .collect();
    protocols.sort_by(|a, b| b.0.total_cmp(&a.0));
    let parts: Vec<_> =
        protocols.iter().map(|(messages, name)| format!("{name} {}", number(*messages))).collect();
    parts.join(", ")
}

/// Theory beside what was measured.
fn theory(text: &mut String, point: &PointSummary) {
    let known: Vec<_> =
        point.estimates.iter().filter_map(|it| Some((it, it.theory.as_ref()?))).collect();
    if known.is_empty() {
        return;
    }
    text.push('\n');
    let mut grid = Grid::default();
    grid.row(["against theory", "measured", "theory", "deviation", ""].map(str::to_owned));
    for (estimate, theory) in known {
        let words = if unit_of(&estimate.metric) == Unit::Seconds { span } else { number };
        let deviation = estimate.deviation().map(|deviation| format!("{deviation:+.1} s.e."));
        let broken = theory.assumption_broken.as_ref();
        grid.row([
            format!("  {}", estimate.metric),
            estimate.mean().map_or_else(|| "–".to_owned(), words),
            words(theory.value),
            deviation.unwrap_or_default(),
            broken.map(|broken| format!("but {broken}")).unwrap_or_default(),
        ]);
    }
    grid.write(text);
}
