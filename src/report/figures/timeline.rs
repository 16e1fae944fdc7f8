//! The share of stale resolvers over the time of one run, with the departures that opened a
//! handover episode. (Ends of validity in `stale.csv` are no departures: most are of addresses that
//! were not in the binding any more.)

use std::collections::BTreeSet;

use crate::experiment::cell::CellSpec;
use crate::metrics::tables::{RunOutput, TimelineRow};
use crate::report::axis::{Frame, tick_step, time_unit};
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::{Figure, Point, WIDTH, count, heading, nothing};
use crate::report::tables::csv_text;
use crate::time::SimTime;

const TITLE: &str = "Stale resolvers over time";

pub(super) fn figure(points: &[Point<'_>]) -> Figure {
    let run = points.first().and_then(|point| Some((&point.label, point.runs.first()?)));
    let Some((label, (spec, output))) = run.filter(|(_, (_, run))| !run.timeline.is_empty()) else {
        let svg = nothing(TITLE, "No run has a timeline.");
        return Figure { svg, csv: table(&[], &[]) };
    };
    let openings = openings(output);
    let csv = table(&output.timeline, &openings);
    Figure { svg: draw(label, spec, output, &openings), csv }
}

/// The departures that opened an episode, each once.
fn openings(output: &RunOutput) -> Vec<SimTime> {
    output.handovers.iter().map(|row| row.opened).collect::<BTreeSet<_>>().into_iter().collect()
}

fn share(row: &TimelineRow) -> f64 {
    if row.resolvers == 0 {
        return 0.0;
    }
    f64::from(row.stale_resolvers) / f64::from(row.resolvers)
}

/// Each bin, with the handovers opened since the bin before.
fn table(rows: &[TimelineRow], openings: &[SimTime]) -> String {
    let mut passed = 0;
    let lines = rows.iter().map(|row| {
        let until = openings.partition_point(|at| *at <= row.time);
        let here = until - passed;
        passed = until;
        vec![
            row.time.to_string(),
            share(row).to_string(),
            row.binding_valid.to_string(),
            here.to_string(),
        ]
    });
    csv_text(&["time_s", "stale_share", "binding_valid", "handovers_opened"], lines)
}

fn draw(label: &str, spec: &CellSpec, output: &RunOutput, openings: &[SimTime]) -> String {
    let rows = &output.timeline;
    let frame = Frame { left: 110, top: 116, right: 960, bottom: 416 };
    let end = rows[rows.len() - 1].time.as_secs_f64().max(1.0);
    // The axis ends at a round tick at or above the highest share.
    let highest = rows.iter().map(share).fold(0.05, f64::max);
    let step = tick_step(highest, 5);
    let up = frame.up(((highest / step - 1e-9).ceil() * step).min(1.0));
    let across = frame.across(end);
    svg(WIDTH, 590, |canvas| {
        let resolvers = rows.iter().map(|row| row.resolvers).max().unwrap_or(0) as usize;
        let point = if label.is_empty() { String::new() } else { format!(" ({label})") };
        let below = format!(
            "Run {}{point}, seed {}: {}; {} by the departure of the proxy peer, marked below",
            spec.run,
            spec.seed,
            count(resolvers, "resolver"),
            count(openings.len(), "handover")
        );
        heading(canvas, TITLE, &below);
        let warm = across.at(spec.warmup.as_secs_f64());
        frame.draw_percent_up(canvas, up, "resolvers that would answer stale");
        let mut area: Vec<Pixel> = vec![(frame.left, frame.bottom)];
        for row in rows {
            let x = across.at(row.time.as_secs_f64());
            area.extend([(x, area[area.len() - 1].1), (x, up.at(share(row)))]);
        }
        area.push((area[area.len() - 1].0, frame.bottom));
        canvas.shape(area, palette::BLUE);
        strips(canvas, &frame, rows, openings, |at| across.at(at.as_secs_f64()));
        let lower = Frame { top: frame.bottom + 96, bottom: frame.bottom + 96, ..frame };
        let unit = time_unit(end);
        lower.draw_across(canvas, across, unit.seconds, &format!("time ({})", unit.name));
        canvas.line(
            vec![(frame.left, frame.bottom), (frame.right, frame.bottom)],
            palette::BLACK,
            1,
        );
        if warm > frame.left {
            let edge = [(warm, frame.top - 4), (warm, frame.bottom + 96)];
            canvas.line(edge.to_vec(), palette::GREY, 1);
            let (at, lettering) = if warm < frame.left + 400 {
                ((warm, frame.top - 12), Lettering::LABEL)
            } else {
                ((warm, frame.top - 12), Lettering::LABEL.right())
            };
            canvas.text("end of the warm-up", at, lettering.colored(palette::SLATE));
        }
    })
}

/// Below the diagram: when handovers began, and when the authority served no valid address.
fn strips(
    canvas: &Canvas<'_>,
    frame: &Frame,
    rows: &[TimelineRow],
    openings: &[SimTime],
    at: impl Fn(SimTime) -> i32,
) {
    let (first, second) = (frame.bottom + 16, frame.bottom + 58);
    let caption = Lettering { pixels: 14, ..Lettering::LABEL };
    canvas.text("handovers", (frame.left - 10, first + 11), caption.right());
    canvas.text("no valid", (frame.left - 10, second + 2), caption.right());
    canvas.text("binding", (frame.left - 10, second + 20), caption.right());
    for x in openings.iter().map(|opened| at(*opened)).collect::<BTreeSet<_>>() {
        canvas.line(vec![(x, first), (x, first + 22)], palette::VERMILION, 1);
    }
    let mut since = frame.left;
    for row in rows {
        let x = at(row.time);
        if !row.binding_valid {
            canvas.bar((since, second), (x.max(since + 1), second + 22), palette::BLACK);
        }
        since = x;
    }
}
