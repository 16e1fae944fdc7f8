//! What is compared by name, in one figure: a row a name, and beside each other how long callers are
//! led astray and cut off, and which share of time and of requests that is.

use super::scale::Scale;
use super::{marks, value};
use crate::experiment::statistics::Interval;
use crate::experiment::summary::{PointSummary, Summary};
use crate::metrics::headline::FAILED_INTEROP;
use crate::metrics::tables::optional;
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::comparison::{Group, groups};
use crate::report::figures::{Figure, LINE, WIDTH, count, heading};
use crate::report::tables::csv_text;
use crate::report::varied::{Measure, wrapped};

/// A part of the figure, with an axis of its own.
struct Part {
    title: &'static str,
    /// One metric with its interval, or two: a disc and a ring with a line between.
    metrics: &'static [&'static str],
    measure: Measure,
}

const PARTS: [Part; 4] = [
    Part {
        title: "stale window",
        metrics: &["stale_window.median", "stale_window.p95"],
        measure: Measure::Time,
    },
    Part { title: "outage", metrics: &["outage.median", "outage.p95"], measure: Measure::Time },
    Part { title: "stale share", metrics: &["stale_share"], measure: Measure::Share },
    Part { title: "failed requests", metrics: &[FAILED_INTEROP], measure: Measure::Share },
];

/// The height of a row, of a group's title, of what stands above rows, and of an axis.
const ROW: i32 = 28;
const TITLE: i32 = 36;
const AXIS: i32 = 40;
/// Between two parts.
const APART: i32 = 50;

/// The figure; `None` where nothing is compared by name, or nothing has a value.
pub(super) fn figure(summary: &Summary) -> Option<Figure> {
    let groups = groups(summary);
    let points = || groups.iter().flat_map(|group| group.members.iter().map(|(_, point)| *point));
    let there = |part: &&Part| part.metrics.iter().any(|it| points().any(|p| p.mean(it).is_some()));
    let parts: Vec<&Part> = PARTS.iter().filter(there).collect();
    if parts.is_empty() {
        return None;
    }
    let metrics: Vec<&str> = parts.iter().flat_map(|part| part.metrics).copied().collect();
    Some(Figure { svg: draw(&groups, &parts), csv: table(summary, &metrics) })
}

fn draw(groups: &[Group<'_>], parts: &[&Part]) -> String {
    let points = || groups.iter().flat_map(|group| &group.members);
    let runs = points().map(|(_, point)| point.runs).max().unwrap_or(0);
    let about = format!(
        "Means over {}. Of spans, the disc is the median and the ring the 95th percentile of a run; \
         of shares, the line is the 95 % interval.",
        count(runs, "run")
    );
    let lines = wrapped(&about, 104);
    let top = 60 + LINE * lines.len() as i32;
    let title = |group: &Group<'_>| if group.told.is_empty() { 0 } else { TITLE };
    let height = |group: &Group<'_>| title(group) + ROW * group.members.len() as i32 + AXIS;
    let bottom = top + TITLE + groups.iter().map(height).sum::<i32>();
    let longest = points().map(|(name, _)| name.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 9 + 50).clamp(120, 340);
    let wide = (WIDTH as i32 - left - 30) / parts.len() as i32 - APART;
    let place = |index: usize| left + (wide + APART) * index as i32;
    svg(WIDTH, (bottom + 10) as u32, |canvas| {
        heading(canvas, "What is compared, side by side", &lines.join("\n"));
        for (index, part) in parts.iter().enumerate() {
            let bold = Lettering { bold: true, ..Lettering::LABEL.centred() };
            canvas.text(part.title, (place(index) + wide / 2, top + 8), bold);
        }
        let mut y = top + TITLE;
        for group in groups {
            if !group.told.is_empty() {
                canvas.text(&group.told, (40, y + 6), Lettering::LABEL.colored(palette::SLATE));
            }
            let rows = y + title(group);
            for (index, (name, _)) in (0..).zip(&group.members) {
                canvas.text(
                    name,
                    (left - 14, rows + ROW * index + ROW / 2),
                    Lettering::LABEL.right(),
                );
            }
            for (index, part) in parts.iter().enumerate() {
                draw_part(canvas, groups, group, part, (place(index), place(index) + wide, rows));
            }
            y += height(group);
        }
    })
}

/// One part of a group: `left`, `right` and the upper edge of its rows.
fn draw_part(
    canvas: &Canvas<'_>,
    groups: &[Group<'_>],
    group: &Group<'_>,
    part: &Part,
    (left, right, top): (i32, i32, i32),
) {
    // All groups have the same scale, so that they can be held against each other.
    let values = |point: &PointSummary| -> Vec<f64> {
        part.metrics.iter().filter_map(|metric| point.mean(metric)).collect()
    };
    let points = || groups.iter().flat_map(|group| group.members.iter().map(|(_, point)| *point));
    let means: Vec<f64> = points().flat_map(values).collect();
    let bounds: Vec<f64> = points().flat_map(|point| bounds(part, point)).collect();
    let scale = Scale::of_values(&means, &bounds, part.measure);
    let bottom = top + ROW * group.members.len() as i32;
    for tick in scale.value_ticks(part.measure, right - left, 46) {
        let x = scale.at(tick.value, left, right);
        canvas.line(vec![(x, top), (x, bottom)], palette::PALE, 1);
        canvas.text(
            &tick.label,
            (x, bottom + 14),
            Lettering { pixels: 13, ..Lettering::LABEL.centred() },
        );
    }
    canvas.line(vec![(left, bottom), (right, bottom)], palette::BLACK, 1);
    if let Some(x) = scale.gap(left, right) {
        marks::gap(canvas, (x, bottom), true);
    }
    let unit = scale.unit_word(part.measure);
    canvas.text(unit, (right, bottom - 8), Lettering { pixels: 13, ..Lettering::LABEL.right() });
    for (index, (_, point)) in (0..).zip(&group.members) {
        let y = top + ROW * index + ROW / 2;
        let at = |value: f64| scale.at(value, left, right);
        match &values(point)[..] {
            [] => canvas.text("–", (left + 8, y), Lettering::LABEL.colored(palette::GREY)),
            [mean] => {
                if let Some(Interval { low, high }) = interval(part, point) {
                    let end = |value: f64| ((at(value), y), scale.holds(value));
                    marks::whisker(canvas, [end(low), end(high)], palette::BLUE);
                }
                canvas.disc((at(*mean), y), marks::RADIUS, palette::BLUE, true);
            }
            [median, p95, ..] => {
                canvas.line(vec![(at(*median), y), (at(*p95), y)], palette::BLUE, 2);
                canvas.disc((at(*p95), y), marks::RADIUS, palette::BLUE, false);
                canvas.disc((at(*median), y), marks::RADIUS, palette::BLUE, true);
            }
        }
    }
}

/// The interval of a part that has one metric.
fn interval(part: &Part, point: &PointSummary) -> Option<Interval> {
    let [metric] = part.metrics else { return None };
    value(point.estimate(metric)?, point.runs)?.interval
}

fn bounds(part: &Part, point: &PointSummary) -> Vec<f64> {
    interval(part, point).map_or_else(Vec::new, |it| vec![it.low, it.high])
}

/// What was drawn: a row a point and metric.
fn table(summary: &Summary, metrics: &[&str]) -> String {
    let mut columns: Vec<&str> = vec!["point"];
    columns.extend(summary.varied.iter().map(String::as_str));
    columns.extend(["metric", "mean", "low", "high"]);
    let rows = summary.points.iter().flat_map(|point| {
        metrics.iter().filter_map(move |metric| {
            let estimate = point.estimate(metric)?;
            let mut fields = vec![point.point.to_string()];
            fields.extend(point.varied.iter().cloned());
            fields.extend([
                (*metric).to_owned(),
                optional(estimate.mean()),
                optional(estimate.interval.map(|it| it.low)),
                optional(estimate.interval.map(|it| it.high)),
            ]);
            Some(fields)
        })
    });
    csv_text(&columns, rows)
}
