//! How long stale windows are: their distribution function, one line a sweep point.
//!
//! Zeros are windows too. Under a storm of claimants they are nearly all: every end of validity of
//! an address that was ever in the binding has a row for each resolver, also when none of them held
//! it any more. Where they would press the others against the upper edge, only the windows above
//! zero are drawn, and the zeros are told. Beside theory, which speaks of all, all are drawn.

use crate::metrics::distribution::quantile;
use crate::metrics::headline::counted_stale;
use crate::report::axis::{Frame, time_unit};
use crate::report::canvas::{Canvas, Lettering, Pixel, palette, svg};
use crate::report::figures::points::{MOST_LINES, Point, Points};
use crate::report::figures::sweep::time_ticks;
use crate::report::figures::{Curve, Figure, WIDTH, count, drawn_points, heading, nothing};
use crate::report::quantity::{number, percent, span};
use crate::report::tables::csv_text;
use crate::time::SimDuration;

const TITLE: &str = "How long resolvers keep giving an address that is no longer valid";

/// Above this share of zeros, only the other windows are drawn.
const MANY_ZEROS: f64 = 0.8;

/// The windows of one point; there is at least one.
struct Windows<'a> {
    label: &'a str,
    /// How many are zero.
    zeros: usize,
    /// The others, sorted.
    sorted: Vec<SimDuration>,
}

/// Which windows are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Drawn {
    All,
    AboveZero,
}

impl Drawn {
    fn choose(windows: &[Windows<'_>], curve: Option<&Curve>) -> Self {
        let (all, zeros) = totals(windows);
        let many = zeros as f64 > MANY_ZEROS * all as f64;
        if many && zeros < all && curve.is_none() { Self::AboveZero } else { Self::All }
    }
}

/// How many windows there are, and how many of them are zero.
fn totals(windows: &[Windows<'_>]) -> (usize, usize) {
    windows.iter().fold((0, 0), |(all, zeros), it| (all + it.all(), zeros + it.zeros))
}

impl<'a> Windows<'a> {
    fn of(point: &Point<'_>, label: &'a str) -> Option<Self> {
        let runs = point.runs.iter();
        let rows = runs.flat_map(|(spec, output)| counted_stale(&output.stale, spec.warmup));
        let (zeros, mut sorted): (Vec<_>, Vec<_>) =
            rows.map(|row| row.window).partition(|window| window.is_zero());
        sorted.sort_unstable();
        let zeros = zeros.len();
        (zeros + sorted.len() > 0).then_some(Self { label, zeros, sorted })
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

    /// The share of the windows above zero that the first `upto` of them are.
    fn share(&self, upto: usize) -> f64 {
        upto as f64 / self.sorted.len().max(1) as f64
    }

    /// The line of the distribution function: seconds and the share that is not longer.
    fn line(&self, drawn: Drawn) -> Vec<(f64, f64)> {
        let steps = self.steps().into_iter();
        match drawn {
            Drawn::AboveZero => {
                steps.map(|(window, upto)| (window.as_secs_f64(), self.share(upto))).collect()
            }
            Drawn::All => std::iter::once((SimDuration::ZERO, 0))
                .chain(steps)
                .map(|(window, upto)| {
                    let share = (self.zeros + upto) as f64 / self.all() as f64;
                    (window.as_secs_f64(), share)
                })
                .collect(),
        }
    }

    /// The quantile of all windows, or of those above zero, in words.
    fn quantile(&self, p: f64, drawn: Drawn) -> String {
        let mut spans = match drawn {
            Drawn::All => vec![SimDuration::ZERO; self.zeros],
            Drawn::AboveZero => Vec::new(),
        };
        spans.extend(&self.sorted);
        quantile(&spans, p).map_or_else(|| "–".to_owned(), |window| span(window.as_secs_f64()))
    }
}

pub(super) fn figure(points: &Points<'_>, curve: Option<&Curve>) -> Figure {
    let all = points.list.iter().filter_map(|point| Windows::of(point, &point.label));
    let csv = table(&all.collect::<Vec<_>>());
    let has_some = |point: &Point<'_>| {
        let mut runs = point.runs.iter();
        runs.any(|(spec, run)| counted_stale(&run.stale, spec.warmup).next().is_some())
    };
    let chosen = points.choose(MOST_LINES, has_some);
    let windows: Vec<Windows<'_>> =
        chosen.points.iter().filter_map(|(point, name)| Windows::of(point, name)).collect();
    if windows.is_empty() {
        let why = "No address of the binding lost its validity after the warm-up.";
        return Figure { svg: nothing(TITLE, why), csv };
    }
    Figure { svg: draw(&windows, drawn_points(&chosen), curve), csv }
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

fn draw(windows: &[Windows<'_>], (points, lower): (String, i32), curve: Option<&Curve>) -> String {
    let entries = windows.len() + usize::from(curve.is_some());
    let drawn = Drawn::choose(windows, curve);
    let frame = Frame { left: 110, top: 126 + lower, right: 960, bottom: 506 + lower };
    let height = (frame.bottom + 80) as u32 + 26 * entries as u32;
    svg(WIDTH, height, |canvas| {
        let (end, note) = axis_end(windows);
        let wide = is_wide(windows, end);
        let across = if wide { frame.root_across(end) } else { frame.across(end) };
        let up = frame.up(1.0);
        heading(canvas, TITLE, &format!("{}{points}", counted(windows, drawn, &note)));
        let (vertical, horizontal) = match drawn {
            Drawn::All => ("share of windows not longer", "stale window"),
            Drawn::AboveZero => ("share of these not longer", "stale windows longer than zero"),
        };
        frame.draw_percent_up(canvas, up, vertical);
        if wide {
            let ticks = time_ticks(end, |seconds| across.at(seconds)).into_iter();
            frame.draw_ticks_across(canvas, across, ticks, &format!("{horizontal}, √ scale"));
        } else {
            let unit = time_unit(end);
            let label = format!("{horizontal} ({})", unit.name);
            frame.draw_across(canvas, across, unit.seconds, &label);
        }
        for (windows, color) in windows.iter().zip(palette::LINES) {
            let mut line: Vec<Pixel> = vec![(frame.left, frame.bottom)];
            for (seconds, share) in windows.line(drawn) {
                if seconds > end {
                    break;
                }
                let x = across.at(seconds);
                line.push((x, line[line.len() - 1].1));
                line.push((x, up.at(share)));
            }
            line.push((frame.right, line[line.len() - 1].1));
            line.dedup();
            canvas.line(line, color, 2);
        }
        if let Some(curve) = curve {
            let place = |share: f64| (across.at(share * end), up.at(curve_at(curve, share * end)));
            let dashes: Vec<Pixel> = (0..=100).map(|i| place(f64::from(i) / 100.0)).collect();
            canvas.dashes(&dashes, palette::BLACK, 2);
        }
        legend(canvas, windows, drawn, curve, frame.bottom + 82);
    })
}

/// What is drawn, in words: two lines.
fn counted(windows: &[Windows<'_>], drawn: Drawn, note: &str) -> String {
    let (all, zeros) = totals(windows);
    match drawn {
        Drawn::All => {
            format!("{} of all resolvers, one for each end of validity{note}", count(all, "window"))
        }
        Drawn::AboveZero => format!(
            "Drawn: the {} of all resolvers that are longer than zero{note}.\nThe other {} of {} are \
             zero: the resolver's cache and the authority had given up the address before its end.",
            count(all - zeros, "window"),
            number(zeros as f64),
            number(all as f64)
        ),
    }
}

/// Where the axis ends: at the longest window, unless a few outliers would squeeze the others.
fn axis_end(windows: &[Windows<'_>]) -> (f64, String) {
    let mut all: Vec<_> = windows.iter().flat_map(|windows| windows.sorted.clone()).collect();
    all.sort_unstable();
    let longest = all.last().map_or(0.0, |longest| longest.as_secs_f64());
    let most = quantile(&all, 0.99).map_or(longest, SimDuration::as_secs_f64);
    if most > 0.0 && longest > 3.0 * most {
        return (1.25 * most, format!("; the longest, {}, is off the axis", span(longest)));
    }
    (if longest > 0.0 { longest * 1.02 } else { 1.0 }, String::new())
}

/// Whether the windows of some point are so much shorter than those of others that they would be
/// pressed against the left edge: nearly all within a twentieth of the axis.
fn is_wide(windows: &[Windows<'_>], end: f64) -> bool {
    let short = |it: &Windows<'_>| {
        quantile(&it.sorted, 0.95).is_some_and(|most| 20.0 * most.as_secs_f64() < end)
    };
    windows.len() > 1 && windows.iter().any(short)
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

fn legend(
    canvas: &Canvas<'_>,
    windows: &[Windows<'_>],
    drawn: Drawn,
    curve: Option<&Curve>,
    top: i32,
) {
    let mut y = top;
    for (windows, color) in windows.iter().zip(palette::LINES) {
        canvas.line(vec![(40, y), (80, y)], color, 3);
        let label = if windows.label.is_empty() { "measured" } else { windows.label };
        let zero = percent(windows.zeros as f64 / windows.all() as f64);
        let whose = if drawn == Drawn::All { "" } else { "of the others: " };
        let text = format!(
            "{label}: {zero} zero; {whose}median {}, p95 {}",
            windows.quantile(0.5, drawn),
            windows.quantile(0.95, drawn)
        );
        canvas.text(&text, (92, y), Lettering::LABEL);
        y += 26;
    }
    if let Some(curve) = curve {
        canvas.dashes(&[(40, y), (50, y), (60, y), (70, y)], palette::BLACK, 2);
        canvas.text(&curve.label, (92, y), Lettering::LABEL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(zeros: usize, seconds: &[u64]) -> Windows<'static> {
        let sorted = seconds.iter().copied().map(SimDuration::from_secs).collect();
        Windows { label: "", zeros, sorted }
    }

    #[test]
    fn zeros_are_left_out_when_they_are_more_than_four_in_five_and_theory_is_silent() {
        let curve = Curve { label: String::new(), points: vec![(0.0, 0.5), (1.0, 1.0)] };
        let cases = [
            (4, &[7][..], None, false), // 80 % exactly
            (5, &[7][..], None, true),  // 83 %
            (5, &[7][..], Some(&curve), false),
            (5, &[][..], None, false), // nothing else to draw
        ];
        for (zeros, seconds, curve, above) in cases {
            let chosen = Drawn::choose(&[windows(zeros, seconds)], curve);
            assert_eq!(chosen == Drawn::AboveZero, above, "{zeros} zeros and {seconds:?}");
        }
    }

    #[test]
    fn lines_and_quantiles_are_of_what_is_drawn() {
        // Six zeros, then 10 s twice and 30 s: of all nine 6/9, 8/9, 1; of the three 2/3, 1.
        let it = windows(6, &[10, 10, 30]);
        assert_eq!(it.line(Drawn::All), [(0.0, 6.0 / 9.0), (10.0, 8.0 / 9.0), (30.0, 1.0)]);
        assert_eq!(it.line(Drawn::AboveZero), [(10.0, 2.0 / 3.0), (30.0, 1.0)]);
        assert_eq!([0.5, 0.95].map(|p| it.quantile(p, Drawn::All)), ["0 s", "30 s"]);
        assert_eq!([0.5, 0.95].map(|p| it.quantile(p, Drawn::AboveZero)), ["10 s", "30 s"]);
        let none = windows(3, &[]);
        assert_eq!(none.line(Drawn::All), [(0.0, 1.0)]);
        assert_eq!(none.quantile(0.5, Drawn::AboveZero), "–");
    }

    #[test]
    fn short_windows_beside_long_ones_need_a_scale_by_the_root() {
        let [short, long] = [windows(0, &[4, 5]), windows(0, &[60, 101])];
        // 5 s is below a twentieth of 101 s, and is not of 100 s.
        assert!(is_wide(&[windows(0, &[4, 5]), windows(0, &[60, 101])], 101.0));
        assert!(!is_wide(&[short, long], 100.0));
        assert!(!is_wide(&[windows(9, &[1])], 100.0), "nothing is pressed beside it");
    }

    #[test]
    fn the_heading_tells_how_many_are_zero_and_why() {
        let told = counted(&[windows(1000, &[1, 2])], Drawn::AboveZero, "");
        let (drawn, zeros) = told.split_once('\n').unwrap();
        assert_eq!(drawn, "Drawn: the 2 windows of all resolvers that are longer than zero.");
        assert!(zeros.starts_with("The other 1,000 of 1,002 are zero: "), "{told}");
        let all = counted(&[windows(1, &[1, 2])], Drawn::All, "");
        assert_eq!(all, "3 windows of all resolvers, one for each end of validity");
    }
}
