//! How long stale windows are: their distribution function, one line a sweep point.

use crate::metrics::distribution::quantile;
use crate::metrics::headline::counted_stale;
use crate::report::axis::{Frame, time_unit};
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::{Curve, Figure, Point, WIDTH, count, heading, nothing};
use crate::report::quantity::{percent, span};
use crate::report::tables::csv_text;
use crate::time::SimDuration;

const TITLE: &str = "How long resolvers keep giving an address that is no longer valid";

/// The windows of one point, sorted.
struct Windows<'a> {
    label: &'a str,
    sorted: Vec<SimDuration>,
}

impl Windows<'_> {
    /// The steps of the distribution function: a length, and how many windows are not longer.
    fn steps(&self) -> Vec<(SimDuration, usize)> {
        let mut steps: Vec<(SimDuration, usize)> = Vec::new();
        for (index, &window) in self.sorted.iter().enumerate() {
            match steps.last_mut() {
                Some(last) if last.0 == window => last.1 = index + 1,
                _ => steps.push((window, index + 1)),
            }
        }
        steps
    }

    fn share(&self, upto: usize) -> f64 {
        upto as f64 / self.sorted.len() as f64
    }

    fn zeros(&self) -> f64 {
        self.share(self.sorted.partition_point(|window| window.is_zero()))
    }
}

pub(super) fn figure(points: &[Point<'_>], curve: Option<&Curve>) -> Figure {
    let of_point = |point: &'_ Point<'_>| {
        let rows =
            point.runs.iter().flat_map(|(spec, output)| counted_stale(&output.stale, spec.warmup));
        let mut sorted: Vec<_> = rows.map(|row| row.window).collect();
        sorted.sort_unstable();
        sorted
    };
    let windows: Vec<Windows<'_>> = points
        .iter()
        .map(|point| Windows { label: &point.label, sorted: of_point(point) })
        .filter(|windows| !windows.sorted.is_empty())
        .collect();
    let csv = table(&windows);
    if windows.is_empty() {
        return Figure {
            svg: nothing(TITLE, "No binding lost its validity after the warm-up."),
            csv,
        };
    }
    Figure { svg: draw(&windows, curve), csv }
}

fn table(windows: &[Windows<'_>]) -> String {
    let rows = windows.iter().flat_map(|windows| {
        windows.steps().into_iter().map(|(window, upto)| {
            let share = windows.share(upto).to_string();
            vec![windows.label.to_owned(), window.to_string(), upto.to_string(), share]
        })
    });
    csv_text(&["point", "window_s", "windows_not_longer", "share_not_longer"], rows)
}

fn draw(windows: &[Windows<'_>], curve: Option<&Curve>) -> String {
    let shown = &windows[..windows.len().min(palette::LINES.len())];
    let entries = shown.len() + usize::from(curve.is_some());
    let frame = Frame { left: 110, top: 100, right: 960, bottom: 480 };
    let height = 560 + 26 * entries as u32;
    svg(WIDTH, height, |canvas| {
        let (end, note) = axis_end(shown);
        let (across, up) = (frame.across(end), frame.up(1.0));
        let unit = time_unit(end);
        let total: usize = shown.iter().map(|windows| windows.sorted.len()).sum();
        let mut below = format!(
            "Distribution of the stale window: {}, one a resolver and departure{note}",
            count(total, "window")
        );
        if shown.len() < windows.len() {
            below = format!("{below}; first {} of {} points", shown.len(), windows.len());
        }
        heading(canvas, TITLE, &below);
        frame.draw_percent_up(canvas, up, "share of windows not longer");
        let label = format!("stale window ({})", unit.name);
        frame.draw_across(canvas, across, unit.seconds, &label);
        for (windows, color) in shown.iter().zip(palette::LINES) {
            let mut line: Vec<Pixel> = vec![(frame.left, frame.bottom)];
            for (window, upto) in windows.steps() {
                let seconds = window.as_secs_f64();
                if seconds > end {
                    break;
                }
                let x = across.at(seconds);
                line.push((x, line[line.len() - 1].1));
                line.push((x, up.at(windows.share(upto))));
            }
            line.push((frame.right, line[line.len() - 1].1));
            canvas.line(line, color, 2);
        }
        if let Some(curve) = curve {
            let place = |share: f64| (across.at(share * end), up.at(curve_at(curve, share * end)));
            let dashes: Vec<Pixel> = (0..=100).map(|i| place(f64::from(i) / 100.0)).collect();
            canvas.dashes(&dashes, palette::BLACK, 2);
        }
        legend(canvas, shown, curve, frame.bottom + 82);
    })
}

/// Where the axis ends: at the longest window, unless a few outliers would squeeze the others.
fn axis_end(windows: &[Windows<'_>]) -> (f64, String) {
    let mut all: Vec<_> = windows.iter().flat_map(|windows| windows.sorted.clone()).collect();
    all.sort_unstable();
    let longest = all[all.len() - 1].as_secs_f64();
    let most = quantile(&all, 0.99).map_or(longest, SimDuration::as_secs_f64);
    if most > 0.0 && longest > 3.0 * most {
        return (1.25 * most, format!("; the longest, {}, is off the axis", span(longest)));
    }
    (if longest > 0.0 { longest * 1.02 } else { 1.0 }, String::new())
}

/// The curve between its points; before the first it is 0, behind the last as there.
fn curve_at(curve: &Curve, seconds: f64) -> f64 {
    let behind = curve.points.partition_point(|(at, _)| *at <= seconds);
    match (behind.checked_sub(1).map(|before| curve.points[before]), curve.points.get(behind)) {
        (None, _) => 0.0,
        (Some((_, share)), None) => share,
        (Some((from, low)), Some(&(to, high))) => {
            low + (high - low) * (seconds - from) / (to - from)
        }
    }
}

fn legend(canvas: &Canvas<'_>, windows: &[Windows<'_>], curve: Option<&Curve>, top: i32) {
    let mut y = top;
    for (windows, color) in windows.iter().zip(palette::LINES) {
        canvas.line(vec![(110, y), (150, y)], color, 3);
        let median = quantile(&windows.sorted, 0.5).map_or(0.0, SimDuration::as_secs_f64);
        let label = if windows.label.is_empty() { "measured" } else { windows.label };
        let text = format!(
            "{label}: {} of zero length, median {}",
            percent(windows.zeros()),
            span(median)
        );
        canvas.text(&text, (162, y), Lettering::LABEL);
        y += 26;
    }
    if let Some(curve) = curve {
        canvas.dashes(&[(110, y), (120, y), (130, y), (140, y)], palette::BLACK, 2);
        canvas.text(&format!("theory: {}", curve.label), (162, y), Lettering::LABEL);
    }
}
