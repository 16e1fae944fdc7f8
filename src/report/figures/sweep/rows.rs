//! A sweep over words, such as designs: a row for each, and in it a mark for each line.

use super::layout::Panel;
use super::marks::{self, LEGEND_ROW, Look};
use super::{Plot, Value, head_height};
use crate::report::axis::Frame;
use crate::report::canvas::{Canvas, Lettering, palette, svg};
use crate::report::figures::WIDTH;
use crate::report::figures::heading;
use crate::report::quantity::{number, span_unit, within};
use crate::report::varied::Measure;

/// The height of one mark's row, and what is free between two words.
const ROW: i32 = 22;
const APART: i32 = 12;

/// The heights of a panel's parts, from its top.
struct Heights {
    title: i32,
    row: i32,
}

impl Heights {
    fn of(plot: &Plot<'_>) -> Self {
        let title = if plot.layout.panels.len() > 1 { 34 } else { 0 };
        Self { title, row: ROW * plot.layout.lines() as i32 + APART }
    }

    fn panel(&self, plot: &Plot<'_>) -> i32 {
        self.title + self.row * plot.layout.across.levels.len() as i32
    }
}

pub(super) fn draw(plot: &Plot<'_>) -> String {
    let layout = plot.layout;
    let lines = plot.told();
    let labels = layout.across.levels.iter().map(|level| level.label.chars().count());
    let left = (labels.max().unwrap_or(0) as i32 * 9 + 60).clamp(150, 420);
    let heights = Heights::of(plot);
    let top = head_height(&lines) + 16;
    let bottom = top + heights.panel(plot) * layout.panels.len() as i32;
    let frame = Frame { left, top, right: 820, bottom };
    let entries = plot.legend();
    let places = marks::places(&entries, 40, 970);
    let legend_height = places.last().map_or(0, |(_, y)| y + LEGEND_ROW);
    svg(WIDTH, (bottom + 74 + legend_height) as u32, |canvas| {
        heading(canvas, &plot.title(), &lines.join("\n"));
        axis(canvas, plot, frame);
        for (index, panel) in (0..).zip(&layout.panels) {
            let top = top + index * heights.panel(plot);
            if !panel.title.is_empty() {
                let title = Lettering { bold: true, ..Lettering::LABEL };
                canvas.text(&panel.title, (40, top + heights.title / 2), title);
            }
            rows(canvas, plot, Frame { top: top + heights.title, ..frame }, &heights, panel);
        }
        canvas.line(vec![(left, top), (left, bottom)], palette::BLACK, 1);
        marks::legend(canvas, &entries, &places, bottom + 82);
    })
}

fn axis(canvas: &Canvas<'_>, plot: &Plot<'_>, frame: Frame) {
    let Frame { left, top, right, bottom } = frame;
    for tick in plot.scale.value_ticks(plot.measure, right - left, 80) {
        let x = plot.scale.at(tick.value, left, right);
        canvas.line(vec![(x, top), (x, bottom)], palette::PALE, 1);
        canvas.text(&tick.label, (x, bottom + 18), Lettering::LABEL.centred());
    }
    canvas.line(frame.lower_edge(), palette::BLACK, 1);
    if let Some(x) = plot.scale.gap(left, right) {
        marks::gap(canvas, (x, bottom), true);
    }
    canvas.text(&plot.axis(), ((left + right) / 2, bottom + 46), Lettering::LABEL.centred());
}

fn rows(canvas: &Canvas<'_>, plot: &Plot<'_>, frame: Frame, heights: &Heights, panel: &Panel) {
    for (index, level) in (0..).zip(&plot.layout.across.levels) {
        let top = frame.top + index * heights.row;
        let middle = top + heights.row / 2;
        canvas.text(&level.label, (frame.left - 12, middle), Lettering::LABEL.right());
        if index > 0 {
            canvas.line(vec![(40, top), (frame.right, top)], palette::PALE, 1);
        }
    }
    for (index, line) in (0..).zip(&panel.lines) {
        for &(level, point) in line {
            let top = frame.top + level as i32 * heights.row;
            let y = top + APART / 2 + ROW * index + ROW / 2;
            match &plot.values[point] {
                Some(value) => mark(canvas, plot, value, Look::of(index as usize), (frame, y)),
                None => {
                    let lettering = Lettering::LABEL.colored(palette::GREY);
                    canvas.text("no value", (frame.left + 10, y), lettering);
                }
            }
        }
    }
}

/// A mark with its interval, and its value behind the frame.
fn mark(canvas: &Canvas<'_>, plot: &Plot<'_>, value: &Value, look: Look, (frame, y): (Frame, i32)) {
    let across = |value: f64| plot.scale.at(value, frame.left, frame.right);
    let x = across(value.mean);
    if !plot.scale.is_logarithmic() {
        canvas.line(vec![(frame.left, y), (x, y)], look.color, 1);
    }
    if let Some(theory) = &value.theory {
        let x = across(theory.value);
        canvas.line(vec![(x, y - ROW / 2), (x, y + ROW / 2)], palette::BLACK, 3);
    }
    if let Some(interval) = value.interval {
        let end = |value: f64| ((across(value), y), plot.scale.holds(value));
        marks::whisker(canvas, [end(interval.low), end(interval.high)], look.color);
    }
    look.mark(canvas, (x, y));
    canvas.text(&told(plot, value), (970, y), Lettering::LABEL.right());
}

/// The mean, and half its interval where that is even on both sides, or its ends where it is cut.
fn told(plot: &Plot<'_>, value: &Value) -> String {
    let (unit, name) = match plot.measure {
        Measure::Time => {
            plot.scale.common_unit(Measure::Time).unwrap_or_else(|| span_unit(value.mean))
        }
        Measure::Share => (0.01, "%"),
        Measure::Number | Measure::Rate => (1.0, ""),
    };
    let mean = value.mean / unit;
    let even = value.interval.map(|it| (it.high - value.mean, value.mean - it.low));
    let even = even.filter(|(above, below)| (above - below).abs() <= 1e-9 * above.abs());
    let text = match even.filter(|(half, _)| *half > 0.0) {
        Some((half, _)) => within(mean, half / unit, plot.measure == Measure::Share, name),
        None => format!("{} {name}", number(mean)),
    };
    text.trim_end().to_owned()
}
