//! The table that `run` prints at its end: what came out, understood at once, and where the rest
//! is.

use std::collections::BTreeMap;

use crate::experiment::cell::Study;
use crate::experiment::run::Outcome;
use crate::experiment::summary::{Estimate, PointSummary, Summary};
use crate::metrics::distribution::{mean, quantile};
use crate::metrics::headline::{PARTS, PHASES, counted_stale};
use crate::metrics::tables::{RunOutput, protocol_name};
use crate::net::Protocol;
use crate::report::quantity::{number, percent, span};
use crate::time::SimDuration;
use crate::world::ring::{RingSummary, Worst};

/// The final table. `folder` is where the tables and figures are, as it is to be shown.
#[must_use]
pub fn table(study: &Study, outcome: &Outcome, summary: &Summary, folder: &str) -> String {
    let mut text = String::new();
    let runs = plural(study.cells.len() as f64, "run");
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
        [point] => one_point(&mut text, point, &above_zero(study, outcome)),
        points => many_points(&mut text, summary, points),
    }
    for failure in &outcome.failures {
        text.push_str(&format!("\nrun {} FAILED: {}\n", failure.run, failure.message));
    }
    text.push_str(&format!("\ntables   {folder}/*.csv\nfigures  {folder}/figures/*.svg\n"));
    text
}

fn plural(n: f64, one: &str) -> String {
    if n == 1.0 { format!("1 {one}") } else { format!("{} {one}s", number(n)) }
}

/// What the rings of the runs that were judged were like, in two lines at most. `kept` runs were not
/// simulated, and so not judged.
#[must_use]
pub fn rings(rings: &BTreeMap<u32, RingSummary>, kept: usize) -> String {
    let sum = |of: fn(&RingSummary) -> f64| rings.values().map(of).sum::<f64>();
    let samples = sum(|ring| ring.samples as f64);
    if samples == 0.0 {
        let why = if kept > 0 { ": what is kept is not judged again" } else { "" };
        return format!("rings    none seen{why}\n");
    }
    let runs = plural(rings.len() as f64, "run");
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
struct Grid {
    rows: Vec<Vec<String>>,
}

impl Grid {
    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    fn write(&self, text: &mut String) {
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

fn one_point(text: &mut String, point: &PointSummary, above_zero: &[SimDuration]) {
    text.push_str(&headcount(point));
    text.push('\n');
    spans(point, above_zero).write(text);
    text.push('\n');
    let mut rest = Grid::default();
    let both = |a: String, b: String| if b == "–" { a } else { format!("{a} (at most {b})") };
    let value = |metric: &str, words| shown(point, metric, words);
    rest.row(["stale share of the time".into(), value("stale_share", percent)]);
    rest.row([
        "stale answers".into(),
        format!("{} of {}", value("stale_answers", number), value("answers", number)),
    ]);
    rest.row([
        "claimants of a departure".into(),
        both(value("claimants.mean", number), value("claimants.max", number)),
    ]);
    rest.row([
        "claims".into(),
        format!(
            "{} updates, {} false, {} late",
            value("updates", number),
            value("false_claims", number),
            value("late_claims", number)
        ),
    ]);
    rest.row(["split brain, share of the time".into(), value("split_brain_share", percent)]);
    rest.row([
        "overlay look-ups".into(),
        format!(
            "{} hops, {} failed",
            value("lookup_hops.mean", number),
            value("lookup_failures", number)
        ),
    ]);
    rest.row(["signalling per node and hour".into(), signalling(point)]);
    // Words read from the left: the second column is padded by its own width.
    for row in &rest.rows {
        text.push_str(&format!("{:<32}{}\n", row[0], row[1]));
    }
    theory(text, point);
}

/// Departures and episodes, and how many of those were cut off.
fn headcount(point: &PointSummary) -> String {
    let value = |metric| shown(point, metric, number);
    let each = if point.runs > 1 { " in a run, on average" } else { "" };
    format!(
        "{} leaves, {} departures of the proxy peer, {} handover episodes ({} unasked, {} \
         censored){each}\n",
        value("leaves"),
        value("departures"),
        value("episodes"),
        value("unasked"),
        value("censored")
    )
}

/// The grid of spans: the stale window, the sums of the anatomy, and its phases in their order.
fn spans(point: &PointSummary, above_zero: &[SimDuration]) -> Grid {
    let mut grid = Grid::default();
    let several = point.runs > 1;
    let interval_head = if several { "95 % interval of the mean" } else { "" };
    let heads = ["", "median", "mean", "p95", "max", "share", interval_head];
    grid.row(heads.map(str::to_owned));
    grid.row(spans_of(point, "stale window of a resolver", "stale_window", None));
    if !above_zero.is_empty() {
        grid.rows.push(windows_above_zero(above_zero));
    }
    let mut row = |title: &str, name: &str, share: Option<f64>| {
        grid.row(spans_of(point, title, name, share));
    };
    let total = point.mean("total.mean").filter(|total| *total > 0.0);
    let share = |name: &str| Some(point.mean(&format!("{name}.mean"))? / total?);
    row("handover, outage", "outage", share("outage"));
    row("  until restored", "restore", share("restore"));
    row("handover, whole episode", "total", total.map(|_| 1.0));
    for (name, _) in &PARTS[..PHASES] {
        row(&format!("  {name}"), name, share(name));
    }
    grid
}

/// The row of one metric.
fn spans_of(point: &PointSummary, title: &str, name: &str, share: Option<f64>) -> [String; 7] {
    let cell = |what: &str| shown(point, &format!("{name}.{what}"), span);
    [
        title.to_owned(),
        cell("median"),
        cell("mean"),
        cell("p95"),
        cell("max"),
        share.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default(),
        point.estimate(&format!("{name}.mean")).map(interval).unwrap_or_default(),
    ]
}

/// The stale windows above zero of all runs, sorted. Most windows are zero: every end of validity
/// of an address has one for each resolver, whether or not it was in the binding then.
fn above_zero(study: &Study, outcome: &Outcome) -> Vec<SimDuration> {
    let of_run = |output: &RunOutput| {
        let warmup = study.cells[output.run as usize].warmup;
        let windows = counted_stale(&output.stale, warmup).map(|row| row.window);
        windows.filter(|window| !window.is_zero()).collect::<Vec<_>>()
    };
    let mut windows: Vec<_> = outcome.outputs.iter().flat_map(of_run).collect();
    windows.sort_unstable();
    windows
}

fn windows_above_zero(sorted: &[SimDuration]) -> Vec<String> {
    let seconds = |window: Option<SimDuration>| {
        window.map_or_else(|| "–".to_owned(), |window| span(window.as_secs_f64()))
    };
    let above = plural(sorted.len() as f64, "window");
    vec![
        format!("  the {above} above zero"),
        seconds(quantile(sorted, 0.5)),
        mean(sorted.iter().copied()).map_or_else(String::new, span),
        seconds(quantile(sorted, 0.95)),
        seconds(sorted.last().copied()),
    ]
}

fn interval(estimate: &Estimate) -> String {
    let bounds = estimate.interval.map(|it| format!("{} to {}", span(it.low), span(it.high)));
    bounds.unwrap_or_default()
}

fn signalling(point: &PointSummary) -> String {
    let value = |metric: &str| shown(point, metric, number);
    let mut protocols: Vec<(f64, &str)> = Protocol::ALL
        .iter()
        .map(|protocol| protocol_name(*protocol))
        .filter_map(|name| Some((point.mean(&format!("messages_per_node_hour.{name}"))?, name)))
        .filter(|(messages, _)| *messages > 0.0)
        .collect();
    protocols.sort_by(|a, b| b.0.total_cmp(&a.0));
    let parts: Vec<_> =
        protocols.iter().map(|(messages, name)| format!("{name} {}", number(*messages))).collect();
    let all = format!(
        "{} messages, {} bytes",
        value("messages_per_node_hour"),
        value("bytes_per_node_hour")
    );
    if parts.is_empty() { all } else { format!("{all} (messages: {})", parts.join(", ")) }
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
        let words = if is_span(&estimate.metric) { span } else { number };
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

/// Whether a metric is in seconds.
fn is_span(metric: &str) -> bool {
    let name = metric.split('.').next().unwrap_or(metric);
    name == "stale_window" || PARTS.iter().any(|(part, _)| *part == name)
}

/// One line a point.
fn many_points(text: &mut String, summary: &Summary, points: &[PointSummary]) {
    text.push('\n');
    let mut grid = Grid::default();
    grid.row([
        summary.varied.join(", "),
        "departures".into(),
        "stale share".into(),
        "stale window median".into(),
        "p95".into(),
        "outage median".into(),
        "p95".into(),
        "claimants".into(),
        "messages/node h".into(),
    ]);
    for point in points {
        let value = |metric: &str, words| shown(point, metric, words);
        grid.row([
            point.varied.join(", "),
            value("departures", number),
            value("stale_share", percent),
            value("stale_window.median", span),
            value("stale_window.p95", span),
            value("outage.median", span),
            value("outage.p95", span),
            value("claimants.mean", number),
            value("messages_per_node_hour", number),
        ]);
    }
    grid.write(text);
    if points.iter().any(|point| point.runs > 1) {
        text.push_str("(means over the runs of each point; intervals in summary.csv)\n");
    }
}
