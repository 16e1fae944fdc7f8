//! A sweep over a numeric key: lines over an axis of its values, in one or several panels.

use plotters::style::RGBColor;

use super::marks::{self, LEGEND_ROW, Look};
use super::scale::Scale;
use super::{Plot, Value, head_height};
use crate::report::axis::Frame;
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::WIDTH;
use crate::report::figures::heading;

/// The pixels between which panels stand.
const LEFT: i32 = 120;
const RIGHT: i32 = 960;
/// What is between two of them.
const GAP: i32 = 34;

/// How panels are arranged.
struct Grid {
    columns: i32,
    width: i32,
    height: i32,
    /// From the lower edge of a panel to the upper one of the next.
    apart: i32,
    top: i32,
}

impl Grid {
    fn of(panels: usize, below: i32) -> Self {
        let (columns, height) = match panels {
            1 => (1, 400),
            2..=4 => (2, 280),
            _ => (3, 230),
        };
        let titles = if panels > 1 { 26 } else { 0 };
        let width = (RIGHT - LEFT - GAP * (columns - 1)) / columns;
        Self { columns, width, height, apart: 38 + titles, top: below + titles }
    }

    fn frame(&self, index: i32) -> Frame {
        let (column, row) = (index % self.columns, index / self.columns);
        let left = LEFT + column * (self.width + GAP);
        let top = self.top + row * (self.height + self.apart);
        Frame { left, top, right: left + self.width, bottom: top + self.height }
    }
}

pub(super) fn draw(plot: &Plot<'_>) -> String {
    let layout = plot.layout;
    let lines = plot.told();
    let grid = Grid::of(layout.panels.len(), head_height(&lines) + 22);
    let frames: Vec<Frame> = (0..).take(layout.panels.len()).map(|it| grid.frame(it)).collect();
    let bottom = frames.iter().map(|frame| frame.bottom).max().unwrap_or(0);
    let entries = plot.legend();
    let places = marks::places(&entries, 40, 970);
    let legend_height = places.last().map_or(0, |(_, y)| y + LEGEND_ROW);
    let across = Scale::of_key(&layout.across.levels);
    svg(WIDTH, (bottom + 74 + legend_height) as u32, |canvas| {
        heading(canvas, &plot.title(), &lines.join("\n"));
        for ((index, frame), panel) in (0..).zip(&frames).zip(&layout.panels) {
            axes(canvas, plot, *frame, across, index % grid.columns == 0);
            if !panel.title.is_empty() {
                let title = Lettering { bold: true, ..Lettering::LABEL };
                canvas.text(&panel.title, (frame.left, frame.top - 14), title);
            }
            panel_lines(canvas, plot, *frame, across, &panel.lines);
        }
        let key = &layout.across.key;
        let law = if across.is_logarithmic() { ", logarithmic" } else { "" };
        let middle = (LEFT + RIGHT) / 2;
        canvas.text(&format!("{key}{law}"), (middle, bottom + 46), Lettering::LABEL.centred());
        let middle = (frames[0].top + bottom) / 2;
        canvas.text(&plot.axis(), (LEFT - 90, middle), Lettering::LABEL.centred().upward());
        marks::legend(canvas, &entries, &places, bottom + 82);
    })
}

/// The grid and the ticks of a panel; the vertical axis is told at the first of a row.
fn axes(canvas: &Canvas<'_>, plot: &Plot<'_>, frame: Frame, across: Scale, first: bool) {
    let Frame { left, top, right, bottom } = frame;
    for tick in plot.scale.value_ticks(plot.measure, bottom - top, 34) {
        let y = plot.scale.at(tick.value, bottom, top);
        canvas.line(vec![(left, y), (right, y)], palette::PALE, 1);
        if first {
            canvas.text(&tick.label, (left - 10, y), Lettering::LABEL.right());
        }
    }
    for tick in across.key_ticks(plot.layout.across, right - left) {
        let x = across.at(tick.value, left, right);
        canvas.line(vec![(x, top), (x, bottom)], palette::PALE, 1);
        canvas.text(&tick.label, (x, bottom + 18), Lettering::LABEL.centred());
    }
    for level in &plot.layout.across.levels {
        let x = across.at(level.number, left, right);
        canvas.line(vec![(x, bottom), (x, bottom + 5)], palette::BLACK, 1);
    }
    canvas.line(frame.lower_edge(), palette::BLACK, 1);
    if let Some(x) = across.gap(left, right) {
        marks::gap(canvas, (x, bottom), true);
    }
    if let Some(y) = plot.scale.gap(bottom, top) {
        canvas.line(vec![(left, top), (left, bottom)], palette::BLACK, 1);
        marks::gap(canvas, (left, y), false);
    }
}

/// What of a point is drawn, and where.
struct Place<'a> {
    x: i32,
    value: &'a Value,
}

fn panel_lines(
    canvas: &Canvas<'_>,
    plot: &Plot<'_>,
    frame: Frame,
    across: Scale,
    lines: &[Vec<(usize, usize)>],
) {
    let levels = &plot.layout.across.levels;
    let up = |value: f64| plot.scale.at(value, frame.bottom, frame.top);
    // Stretches of neighbours that have values.
    let stretches = |line: &[(usize, usize)]| -> Vec<Vec<Place<'_>>> {
        let mut stretches = vec![Vec::new()];
        for &(level, point) in line {
            let x = across.at(levels[level].number, frame.left, frame.right);
            match (&plot.values[point], stretches.last_mut()) {
                (Some(value), Some(stretch)) => stretch.push(Place { x, value }),
                _ => stretches.push(Vec::new()),
            }
        }
        stretches
    };
    let drawn: Vec<_> = lines.iter().map(|line| stretches(line)).collect();
    let theories: Vec<Vec<Vec<Pixel>>> = drawn.iter().map(|line| theory(line, &up)).collect();
    let one = theories.windows(2).all(|pair| pair[0] == pair[1]);
    for (index, theory) in theories.iter().enumerate().take(if one { 1 } else { theories.len() }) {
        let color = if one { palette::BLACK } else { Look::of(index).color };
        theory.iter().for_each(|piece| marks::dashed(canvas, piece, color));
    }
    // Side by side, so that intervals of several lines at the same value are seen.
    let n = lines.len() as i32;
    let room =
        if plot.has_intervals() { ((frame.right - frame.left) / 40).min(6 * (n - 1)) } else { 0 };
    for (index, line) in drawn.iter().enumerate() {
        let look = Look::of(index);
        let aside = if n > 1 { room * index as i32 / (n - 1) - room / 2 } else { 0 };
        for stretch in line {
            let way = stretch.iter().map(|it| (it.x + aside, up(it.value.mean))).collect();
            canvas.line(way, look.color, 2);
        }
        for place in line.iter().flatten() {
            interval(canvas, plot, place, (aside, look.color), &up);
        }
        for place in line.iter().flatten() {
            look.mark(canvas, (place.x + aside, up(place.value.mean)));
        }
    }
}

/// The line of theory, in pieces where it holds.
fn theory(line: &[Vec<Place<'_>>], up: &impl Fn(f64) -> i32) -> Vec<Vec<Pixel>> {
    let mut pieces = vec![Vec::new()];
    for place in line.iter().flatten() {
        match (&place.value.theory, pieces.last_mut()) {
            (Some(theory), Some(piece)) => piece.push((place.x, up(theory.value))),
            _ => pieces.push(Vec::new()),
        }
    }
    pieces
}

fn interval(
    canvas: &Canvas<'_>,
    plot: &Plot<'_>,
    place: &Place<'_>,
    (aside, color): (i32, RGBColor),
    up: &impl Fn(f64) -> i32,
) {
    let Some(interval) = place.value.interval else { return };
    let end = |value: f64| ((place.x + aside, up(value)), plot.scale.holds(value));
    marks::whisker(canvas, [end(interval.low), end(interval.high)], color);
}
