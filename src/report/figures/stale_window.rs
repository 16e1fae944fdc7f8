//! How long stale windows are: the distribution function of those that are not zero, one line a
//! sweep point, and the share of zeros.
//!
//! Zeros are many: every end of validity of an address that was ever in the binding has a row for
//! each resolver, also when none of them held it any more. Drawn with the others they would press
//! these against the upper edge.

use crate::metrics::distribution::quantile;
use crate::metrics::headline::counted_stale;
use crate::report::axis::{Frame, time_unit};
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::{Curve, Figure, Point, WIDTH, count, heading, nothing};
use crate::report::quantity::{number, percent, span};
use crate::report::tables::csv_text;
use crate::time::SimDuration;

const TITLE: &str = "How long resolvers keep giving an address that is no longer valid";

/// The windows of one point.
struct Windows<'a> {
    label: &'a str,
    /// How many are zero.
    zeros: usize,
    /// The others, sorted; never empty.
    sorted: Vec<SimDuration>,
}

impl<'a> Windows<'a> {
    fn of(point: &'a Point<'_>) -> Option<Self> {
        let runs = point.runs.iter();
        let rows = runs.flat_map(|(spec, output)| counted_stale(&output.stale, spec.warmup));
        let (zeros, mut sorted): (Vec<_>, Vec<_>) =
            rows.map(|row| row.window).partition(|window| window.is_zero());
        sorted.sort_unstable();
        let zeros = zeros.len();
        (!sorted.is_empty()).then_some(Self { label: &point.label, zeros, sorted })
    }

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

    fn all(&self) -> usize {
        self.zeros + self.sorted.len()
    }

    fn share(&self, upto: usize) -> f64 {
        upto as f64 / self.sorted.len() as f64
    }

    fn quantile(&self, p: f64) -> String {
        let quantile = quantile(&self.sorted, p).expect("there are windows");
        span(quantile.as_secs_f64())
    }
}

pub(super) fn figure(points: &[Point<'_>], curve: Option<&Curve>) -> Figure {
    let windows: Vec<Windows<'_>> = points.iter().filter_map(Windows::of).collect();
    let csv = table(&windows);
    if windows.is_empty() {
        let why = "No resolver would have answered stale after the warm-up.";
        return Figure { svg: nothing(TITLE, why), csv };
    }
    Figure { svg: draw(&windows, curve), csv }
}

/// The steps of each point, with the share among all windows and among those that are not zero;
/// the zeros are the first row of a point.
fn table(windows: &[Windows<'_>]) -> String {
    let rows = windows.iter().flat_map(|windows| {
        let zeros = (SimDuration::ZERO, 0);
        std::iter::once(zeros).chain(windows.steps()).map(|(window, upto)| {
            let not_longer = windows.zeros + upto;
            vec![
                windows.label.to_owned(),
                window.to_string(),
                not_longer.to_string(),
                (not_longer as f64 / windows.all() as f64).to_string(),
                windows.share(upto).to_string(),
            ]
        })
    });
    let columns = [
        "point",
        "window_s",
        "windows_not_longer",
        "share_not_longer",
        "share_not_longer_of_those_above_zero",
    ];
    csv_text(&columns, rows)
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
        let (all, above): (usize, usize) = shown.iter().fold((0, 0), |(all, above), windows| {
            (all + windows.all(), above + windows.sorted.len())
        });
        let mut below = format!(
            "{}, one for each resolver and end of validity; the {} above zero are shown{note}",
            count(all, "window"),
            number(above as f64)
        );
        if shown.len() < windows.len() {
            below = format!("{below}; first {} of {} points", shown.len(), windows.len());
        }
        heading(canvas, TITLE, &below);
        frame.draw_percent_up(canvas, up, "share of windows not longer");
        let label = format!("stale window, where it is not zero ({})", unit.name);
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
            line.dedup();
            canvas.line(line, color, 2);
        }
        if let Some(curve) = curve {
            let place =
                |share: f64| (across.at(share * end), up.at(above_zero(curve, share * end)));
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

/// What the curve says of the windows above zero.
fn above_zero(curve: &Curve, seconds: f64) -> f64 {
    let zeros = curve_at(curve, 0.0);
    if zeros >= 1.0 { 1.0 } else { (curve_at(curve, seconds) - zeros) / (1.0 - zeros) }
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
        canvas.line(vec![(40, y), (80, y)], color, 3);
        let label = if windows.label.is_empty() { "measured" } else { windows.label };
        let text = format!(
            "{label}: {} zero; above it median {}, p95 {}",
            percent(windows.zeros as f64 / windows.all() as f64),
            windows.quantile(0.5),
            windows.quantile(0.95)
        );
        canvas.text(&text, (92, y), Lettering::LABEL);
        y += 26;
    }
    if let Some(curve) = curve {
        canvas.dashes(&[(40, y), (50, y), (60, y), (70, y)], palette::BLACK, 2);
        canvas.text(&format!("theory, above zero: {}", curve.label), (92, y), Lettering::LABEL);
    }
}
