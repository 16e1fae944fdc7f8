//! The share of stale resolvers and the believers in the proxy role over the time of one run, with
//! the departures that opened a handover episode. (Ends of validity in `stale.csv` are no departures:
//! most are of addresses that were not in the binding any more.)
//!
//! Of several sweep points: the first run of each, as [`strips`] of the share alone.

mod strips;

use std::collections::BTreeSet;

use crate::experiment::cell::CellSpec;
use crate::metrics::tables::{RunOutput, TimelineRow};
use crate::report::axis::{Frame, Law, Scale, round_end, time_unit};
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::points::{Point, Points};
use crate::report::figures::{Figure, WIDTH, count, heading, nothing};
use crate::report::quantity::{percent, span};
use crate::report::tables::csv_text;
use crate::time::SimTime;

const TITLE: &str = "Stale resolvers and proxy peers over time";

pub(super) fn figure(points: &Points<'_>) -> Figure {
    let has_timeline = |(_, output): &&(&CellSpec, &RunOutput)| !output.timeline.is_empty();
    let first = |point: &Point<'_>| {
        let (spec, output) = *point.runs.iter().find(has_timeline)?;
        let openings = openings(output);
        Some((rows(point, &output.timeline, &openings), spec.run, openings))
    };
    let told: Vec<_> = points.list.iter().filter_map(first).collect();
    let several = points.list.len() > 1;
    let columns = if several { &COLUMNS[..] } else { &COLUMNS[1..] };
    let fields = told.iter().flat_map(|(rows, ..)| rows.iter().cloned());
    let csv = csv_text(columns, fields.map(|mut row| row.split_off(usize::from(!several))));
    let svg = match (&points.list[..], &told[..]) {
        (_, []) => nothing(TITLE, "No run has a timeline."),
        ([point], [(_, run, openings)]) => {
            let shown = point.runs.iter().find(|(spec, _)| spec.run == *run);
            let (spec, output) = shown.expect("it was found among these runs");
            draw(spec, output, openings)
        }
        _ => strips::draw(points),
    };
    Figure { svg, csv }
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

/// Behind the point, which stands there when there are several.
const COLUMNS: [&str; 6] =
    ["point", "time_s", "stale_share", "believers", "binding_valid", "handovers_opened"];

/// Each bin, with the handovers opened since the bin before.
fn rows(point: &Point<'_>, bins: &[TimelineRow], openings: &[SimTime]) -> Vec<Vec<String>> {
    let mut passed = 0;
    let row = |row: &TimelineRow| {
        let until = openings.partition_point(|at| *at <= row.time);
        let here = until - passed;
        passed = until;
        vec![
            point.label.clone(),
            row.time.to_string(),
            share(row).to_string(),
            row.believers.to_string(),
            row.binding_valid.to_string(),
            here.to_string(),
        ]
    };
    bins.iter().map(row).collect()
}

/// The height of a strip, and the distance from one to the next.
const STRIP: i32 = 22;
const STRIPS: i32 = 42;

/// Where the panels stand, and the scale of time that they share.
struct Panels {
    stale: Frame,
    believers: Frame,
    across: Scale,
    /// The strip of departures; left out when no episode is known.
    departures: Option<i32>,
    /// The strip of the binding.
    unserved: i32,
}

impl Panels {
    fn of(rows: &[TimelineRow], openings: &[SimTime]) -> Self {
        let end = rows.last().map_or(0.0, |row| row.time.as_secs_f64()).max(1.0);
        let stale = Frame { left: 110, top: 140, right: 960, bottom: 340 };
        let believers = Frame { top: 366, bottom: 506, ..stale };
        let first = believers.bottom + 16;
        let departures = (!openings.is_empty()).then_some(first);
        let unserved = departures.map_or(first, |strip| strip + STRIPS);
        Self { stale, believers, across: stale.across(end), departures, unserved }
    }

    fn bottom(&self) -> i32 {
        self.unserved + STRIP + 16
    }

    fn at(&self, time: SimTime) -> i32 {
        self.across.at(time.as_secs_f64())
    }

    fn pieces<T: PartialEq>(
        &self,
        rows: &[TimelineRow],
        shown: impl Fn(&TimelineRow) -> T,
    ) -> Vec<(T, i32, i32)> {
        pieces(rows, |row| self.at(row.time), self.stale.right, shown)
    }
}

/// What the samples show, with the pixels from one to the next, the last up to `right`; equal ones in
/// one piece.
fn pieces<T: PartialEq>(
    rows: &[TimelineRow],
    at: impl Fn(&TimelineRow) -> i32,
    right: i32,
    shown: impl Fn(&TimelineRow) -> T,
) -> Vec<(T, i32, i32)> {
    let mut pieces: Vec<(T, i32, i32)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let from = at(row);
        let to = rows.get(index + 1).map_or(right, &at);
        let (value, to) = (shown(row), to.max(from + 1));
        match pieces.last_mut() {
            Some(last) if last.0 == value => last.2 = to,
            _ => pieces.push((value, from, to)),
        }
    }
    pieces
}

fn draw(spec: &CellSpec, output: &RunOutput, openings: &[SimTime]) -> String {
    let rows = &output.timeline;
    let panels = Panels::of(rows, openings);
    svg(WIDTH, (panels.bottom() + 74) as u32, |canvas| {
        heading(canvas, TITLE, &described(spec, output, openings));
        let highest = rows.iter().map(share).fold(0.05, f64::max);
        let up = panels.stale.up(round_end(highest).min(1.0));
        panels.stale.draw_percent_up(canvas, up, "stale resolvers");
        let most = rows.iter().map(|row| row.believers).max().unwrap_or(0).max(2);
        let high = panels.believers.counts_up(round_end(f64::from(most)));
        let label = if high.law == Law::Root { "proxy peers, √ scale" } else { "proxy peers" };
        panels.believers.draw_count_up(canvas, high, label);
        for (height, from, to) in panels.pieces(rows, |row| up.at(share(row))) {
            canvas.bar((from, height), (to, panels.stale.bottom), palette::BLUE);
        }
        for (height, from, to) in panels.pieces(rows, |row| high.at(f64::from(row.believers))) {
            canvas.bar((from, height), (to, panels.believers.bottom), palette::GREEN);
        }
        for frame in [panels.stale, panels.believers] {
            canvas.line(frame.lower_edge(), palette::BLACK, 1);
        }
        strips(canvas, &panels, rows, openings);
        let lower = Frame { top: panels.bottom(), bottom: panels.bottom(), ..panels.stale };
        let unit = time_unit(panels.across.end);
        let label = format!("time ({})", unit.name);
        lower.draw_across(canvas, panels.across, unit.seconds, &label);
        warmup(canvas, &panels, spec.warmup);
    })
}

/// Which run it is and what is seen of it: two lines.
fn described(spec: &CellSpec, output: &RunOutput, openings: &[SimTime]) -> String {
    let rows = &output.timeline;
    let resolvers = rows.iter().map(|row| row.resolvers).max().unwrap_or(0) as usize;
    let every = match &rows[..] {
        [first, second, ..] => second.time.since(first.time),
        _ => rows[0].time.since(SimTime::ZERO),
    };
    let every = span(every.as_secs_f64());
    // Samples can miss what is short, or comes in their own rhythm: the exact share stands beside.
    let stale = output.headline.value("stale_share");
    let stale = stale.map_or_else(String::new, |share| {
        format!(" stale {} of the time (all together);", percent(share))
    });
    let missed = rows.iter().all(|row| row.stale_resolvers == 0)
        && output.headline.value("stale_share").is_some_and(|share| share > 0.0);
    let missed = if missed { ", which met none of it" } else { "" };
    let marked = match openings.len() {
        0 => "No handover was opened".to_owned(),
        n => format!("{} opened a handover", count(n, "departure")),
    };
    format!(
        "Run {}, seed {}: {},{stale} sampled every {every}{missed}\nProxy peers are nodes that think \
         so: more than one is split brain. {marked}.",
        spec.run,
        spec.seed,
        count(resolvers, "resolver")
    )
}

/// The line where counting begins.
fn warmup(canvas: &Canvas<'_>, panels: &Panels, warmup: SimTime) {
    let warm = panels.at(warmup);
    if warm == panels.stale.left {
        return;
    }
    let top = panels.stale.top;
    canvas.line(vec![(warm, top - 4), (warm, panels.bottom())], palette::GREY, 1);
    let lettering = Lettering::LABEL.colored(palette::SLATE);
    let lettering = if warm < panels.stale.left + 400 { lettering } else { lettering.right() };
    canvas.text("end of the warm-up", (warm, top - 14), lettering);
}

/// Below the panels: when departures were, and when the authority served no valid address.
fn strips(canvas: &Canvas<'_>, panels: &Panels, rows: &[TimelineRow], openings: &[SimTime]) {
    let caption = Lettering { pixels: 14, ..Lettering::LABEL }.right();
    let left = panels.stale.left - 10;
    if let Some(strip) = panels.departures {
        canvas.text("departures", (left, strip + STRIP / 2), caption);
        for x in openings.iter().map(|opened| panels.at(*opened)).collect::<BTreeSet<_>>() {
            canvas.line(vec![(x, strip), (x, strip + STRIP)], palette::VERMILION, 1);
        }
    }
    let strip = panels.unserved;
    canvas.text("no valid", (left, strip + 2), caption);
    canvas.text("binding", (left, strip + 20), caption);
    for (valid, from, to) in panels.pieces(rows, |row| row.binding_valid) {
        if !valid {
            canvas.bar((from, strip), (to, strip + STRIP), palette::BLACK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seconds: u64) -> TimelineRow {
        TimelineRow {
            time: SimTime::from_secs(seconds),
            members: 9,
            believers: 1,
            binding_valid: true,
            stale_resolvers: 0,
            resolvers: 8,
            overlays: 1,
            messages: 0,
        }
    }

    #[test]
    fn samples_reach_to_the_next_and_departures_need_episodes() {
        // 850 pixels for 1,000 s, from 110: 500 s is at 535.
        let rows = [row(500), row(1000)];
        let panels = Panels::of(&rows, &[]);
        assert_eq!(panels.pieces(&rows, |row| row.time).len(), 2);
        assert_eq!(panels.pieces(&rows, |row| row.time)[0], (SimTime::from_secs(500), 535, 960));
        assert_eq!(
            panels.pieces(&rows, |row| row.believers),
            [(1, 535, 961)],
            "equal ones are one"
        );
        assert_eq!(panels.departures, None);
        let with = Panels::of(&rows, &[SimTime::from_secs(3)]);
        assert_eq!(with.departures, Some(panels.unserved));
        assert_eq!(with.unserved, panels.unserved + STRIPS);
    }
}
