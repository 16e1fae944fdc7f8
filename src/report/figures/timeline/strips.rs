//! The first runs of several points, one above the other: how stale the resolvers were, and when the
//! authority served no valid address.

use super::{pieces, share};
use crate::experiment::cell::CellSpec;
use crate::metrics::tables::{RunOutput, TimelineRow};
use crate::report::axis::{Frame, round_end, time_unit};
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::points::Points;
use crate::report::figures::{WIDTH, drawn_points, heading};
use crate::report::quantity::percent;

const TITLE: &str = "Stale resolvers over time";

/// No more points than this are drawn.
const MOST: usize = 8;

/// The heights of a strip's title, of its diagram, and of the line below that.
const NAME: i32 = 28;
const DIAGRAM: i32 = 64;
const LINE: i32 = 8;
const STRIP: i32 = NAME + DIAGRAM + LINE;

/// A point's first run that has a timeline.
fn first<'a>(runs: &[(&'a CellSpec, &'a RunOutput)]) -> Option<(&'a CellSpec, &'a RunOutput)> {
    runs.iter().copied().find(|(_, output)| !output.timeline.is_empty())
}

pub(super) fn draw(points: &Points<'_>) -> String {
    let chosen = points.choose(MOST, |point| first(&point.runs).is_some());
    let shown: Vec<(&str, (&CellSpec, &RunOutput))> = chosen
        .points
        .iter()
        .filter_map(|(point, name)| Some((name.as_str(), first(&point.runs)?)))
        .collect();
    let (below, lower) = drawn_points(&chosen);
    let top = 116 + lower;
    let bottom = top + STRIP * shown.len() as i32 + 6;
    let runs = || shown.iter().map(|(_, run)| *run);
    let highest = runs().flat_map(|(_, output)| output.timeline.iter().map(share));
    let highest = round_end(highest.fold(0.05, f64::max)).min(1.0);
    let end = runs().filter_map(|(_, output)| output.timeline.last());
    let end = end.map(|row| row.time.as_secs_f64()).fold(1.0, f64::max);
    let frame = Frame { left: 110, top, right: 960, bottom };
    svg(WIDTH, (bottom + 70) as u32, |canvas| {
        let text = "Blue: the share of all resolvers that are stale, in the first run of each point; \
                    black below: no valid\nbinding is served. Grey line: end of the warm-up. Right: \
                    all resolvers' stale share from there on.";
        heading(canvas, TITLE, &format!("{text}{below}"));
        let unit = time_unit(end);
        let label = format!("time ({})", unit.name);
        frame.draw_across(canvas, frame.across(end), unit.seconds, &label);
        for (index, (name, run)) in (0..).zip(&shown) {
            let top = top + STRIP * index + NAME;
            strip(
                canvas,
                name,
                *run,
                Frame { top, bottom: top + DIAGRAM, ..frame },
                (end, highest),
            );
        }
    })
}

fn strip(
    canvas: &Canvas<'_>,
    name: &str,
    (spec, output): (&CellSpec, &RunOutput),
    frame: Frame,
    (end, highest): (f64, f64),
) {
    let (across, up) = (frame.across(end), frame.up(highest));
    let bold = Lettering { bold: true, ..Lettering::LABEL };
    canvas.text(name, (frame.left, frame.top - 14), bold);
    if let Some(share) = output.headline.value("stale_share") {
        let told = format!("stale {}", percent(share));
        canvas.text(&told, (frame.right, frame.top - 14), Lettering::LABEL.right());
    }
    for tick in [0.0, highest] {
        let y = up.at(tick);
        canvas.line(vec![(frame.left, y), (frame.right, y)], palette::PALE, 1);
        canvas.text(&percent(tick), (frame.left - 10, y), Lettering::LABEL.right());
    }
    let at = |row: &TimelineRow| across.at(row.time.as_secs_f64());
    for (height, from, to) in pieces(&output.timeline, at, frame.right, |row| up.at(share(row))) {
        if height < frame.bottom {
            canvas.bar((from, height), (to, frame.bottom), palette::BLUE);
        }
    }
    for (valid, from, to) in pieces(&output.timeline, at, frame.right, |row| row.binding_valid) {
        if !valid {
            canvas.bar((from, frame.bottom + 2), (to, frame.bottom + LINE), palette::BLACK);
        }
    }
    canvas.line(frame.lower_edge(), palette::BLACK, 1);
    let warm = across.at(spec.warmup.as_secs_f64());
    if warm > frame.left {
        canvas.line(vec![(warm, frame.top), (warm, frame.bottom)], palette::GREY, 1);
    }
}
