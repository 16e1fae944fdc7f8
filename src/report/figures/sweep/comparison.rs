//! What is compared by name, in one figure: a row a name, and beside each other how long callers are
//! led astray and cut off, and which share of time and of requests that is.

use super::LONGEST_TITLE;
use super::marks;
use super::scale::Scale;
use crate::experiment::statistics::Interval;
use crate::experiment::summary::PointSummary;
use crate::metrics::headline::{CALLER_STALE_SHARE, FAILED_INTEROP};
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::comparison::{
    Compared, Group, VALUE_COLUMNS, Value, WINDOW_MEDIAN, WINDOW_P95, value_fields,
};
use crate::report::figures::{Figure, LINE, WIDTH, heading};
use crate::report::tables::csv_text;
use crate::report::varied::{Measure, wrapped};

/// A part of the figure, with an axis of its own.
struct Part {
    /// Two lines.
    title: [&'static str; 2],
    /// One metric with its interval, or two: a disc and a ring with a line between.
    metrics: &'static [&'static str],
    measure: Measure,
}

const PARTS: [Part; 4] = [
    Part {
        title: ["callers'", "stale window"],
        metrics: &[WINDOW_MEDIAN, WINDOW_P95],
        measure: Measure::Time,
    },
    Part {
        title: ["outage of", "a handover"],
        metrics: &["outage.median", "outage.p95"],
        measure: Measure::Time,
    },
    Part {
        title: ["callers'", "stale share"],
        metrics: &[CALLER_STALE_SHARE],
        measure: Measure::Share,
    },
    Part {
        title: ["requests", "failed interop"],
        metrics: &[FAILED_INTEROP],
        measure: Measure::Share,
    },
];

/// The height of a row, of a group's title, of what stands above all rows, and of an axis.
const ROW: i32 = 28;
const TITLE: i32 = 36;
const HEADS: i32 = 48;
const AXIS: i32 = 40;
/// Between two parts.
const APART: i32 = 50;

/// The figure; `None` where nothing has a value.
pub(super) fn figure(compared: &Compared<'_>) -> Option<Figure> {
    let there = |part: &&Part| points(compared).any(|it| !values(compared, part, it).is_empty());
    let parts: Vec<&Part> = PARTS.iter().filter(there).collect();
    let svg = (!parts.is_empty()).then(|| draw(compared, &parts))?;
    Some(Figure { svg, csv: table(compared, &parts) })
}

fn points<'a>(compared: &'a Compared<'a>) -> impl Iterator<Item = &'a PointSummary> {
    compared.groups.iter().flat_map(|group| group.members.iter().map(|(_, point)| *point))
}

/// The values of a part at a point.
fn values<'a>(compared: &'a Compared<'_>, part: &Part, point: &PointSummary) -> Vec<&'a Value> {
    part.metrics.iter().filter_map(|metric| compared.value(point, metric)).collect()
}

/// What the scenario says that it is about, if that fits; else what is drawn.
fn heading_of(compared: &Compared<'_>) -> String {
    let told = compared.study.description.trim_end_matches('.');
    let fits = !told.is_empty() && told.chars().count() <= LONGEST_TITLE;
    let title =
        if fits { told } else { "Stale callers, outages and failed requests, side by side" };
    title.to_owned()
}

/// What stands below the title.
fn about(compared: &Compared<'_>, parts: &[&Part]) -> String {
    let mut text =
        format!("{}: {}; {}.\n", compared.study.scenario, compared.runs(), compared.length());
    text.push_str(
        "Discs: medians of stale windows (of callers' resolvers, none of zero length) and of outages, \
         over the runs of a row together; rings: their 95th percentiles; shares: means over the runs \
         with 95 % intervals. Stale share: of the time, at callers' resolvers.",
    );
    let all =
        || parts.iter().flat_map(|part| points(compared).flat_map(|it| values(compared, part, it)));
    if all().any(|value| value.is_more) {
        text.push_str(" Behind a ring with > the end is not known.");
    }
    if all().any(|value| value.interval.is_some_and(|it| it.low <= 0.0 && it.high > 0.0)) {
        text.push_str(" Intervals without a bar at their end are cut there.");
    }
    text
}

fn draw(compared: &Compared<'_>, parts: &[&Part]) -> String {
    let groups = &compared.groups;
    let points = || groups.iter().flat_map(|group| &group.members);
    let about = about(compared, parts);
    let lines: Vec<String> = about.lines().flat_map(|line| wrapped(line, 104)).collect();
    let top = 68 + LINE * lines.len() as i32;
    let title = |group: &Group<'_>| if group.told.is_empty() { 0 } else { TITLE };
    let height = |group: &Group<'_>| title(group) + ROW * group.members.len() as i32 + AXIS;
    let bottom = top + HEADS + groups.iter().map(height).sum::<i32>();
    let longest = points().map(|(name, _)| name.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 9 + 50).clamp(120, 340);
    let wide = (WIDTH as i32 - left - 30) / parts.len() as i32 - APART;
    let place = |index: usize| left + (wide + APART) * index as i32;
    svg(WIDTH, (bottom + 10) as u32, |canvas| {
        heading(canvas, &heading_of(compared), &lines.join("\n"));
        for (index, part) in parts.iter().enumerate() {
            let bold = Lettering { bold: true, ..Lettering::LABEL.centred() };
            for (line, y) in part.title.into_iter().zip([top, top + LINE - 2]) {
                canvas.text(line, (place(index) + wide / 2, y), bold);
            }
        }
        let mut y = top + HEADS;
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
                draw_part(canvas, compared, group, part, (place(index), place(index) + wide, rows));
            }
            y += height(group);
        }
    })
}

/// One part of a group: `left`, `right` and the upper edge of its rows.
fn draw_part(
    canvas: &Canvas<'_>,
    compared: &Compared<'_>,
    group: &Group<'_>,
    part: &Part,
    (left, right, top): (i32, i32, i32),
) {
    // All groups have the same scale, so that they can be held against each other.
    let all = || points(compared).flat_map(|point| values(compared, part, point));
    let means: Vec<f64> = all().map(|value| value.value).collect();
    let bounds: Vec<f64> =
        all().filter_map(|value| interval(part, value)).flat_map(|it| [it.low, it.high]).collect();
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
        match &values(compared, part, point)[..] {
            [] => canvas.text("–", (left + 8, y), Lettering::LABEL.colored(palette::GREY)),
            [mean] => {
                if let Some(Interval { low, high }) = interval(part, mean) {
                    let end = |value: f64| ((at(value), y), scale.holds(value));
                    marks::whisker(canvas, [end(low), end(high)], palette::BLUE);
                }
                canvas.disc((at(mean.value), y), marks::RADIUS, palette::BLUE, true);
            }
            [median, p95, ..] => {
                let [from, to] = [median, p95].map(|it| (at(it.value), y));
                canvas.line(vec![from, to], palette::BLUE, 2);
                canvas.disc(to, marks::RADIUS, palette::BLUE, false);
                canvas.disc(from, marks::RADIUS, palette::BLUE, true);
                if p95.is_more {
                    canvas.text(">", (to.0 + 10, y), Lettering::LABEL.colored(palette::BLUE));
                }
            }
        }
    }
}

/// The interval of a part that has one metric.
fn interval(part: &Part, value: &Value) -> Option<Interval> {
    value.interval.filter(|_| part.metrics.len() == 1)
}

/// What was drawn: a row a point and metric.
fn table(compared: &Compared<'_>, parts: &[&Part]) -> String {
    let mut columns: Vec<&str> = vec!["point"];
    columns.extend(compared.study.varied.iter().map(String::as_str));
    columns.extend(VALUE_COLUMNS);
    let of_point = |point: &PointSummary| {
        let metrics = parts.iter().flat_map(|part| part.metrics);
        let there = metrics.filter_map(|metric| Some((*metric, compared.value(point, metric)?)));
        let rows = there.map(|(metric, value)| {
            let mut fields = vec![point.point.to_string()];
            fields.extend(point.varied.iter().cloned());
            fields.extend(value_fields(metric, value));
            fields
        });
        rows.collect::<Vec<_>>()
    };
    csv_text(&columns, points(compared).flat_map(of_point))
}
