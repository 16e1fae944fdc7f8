//! What sweep figures are drawn with: markers, intervals, dashes, and the legend that explains them.

use plotters::style::RGBColor;

use crate::report::canvas::{Canvas, Lettering, Pixel, palette};

/// Half the size of a marker, in pixels.
pub(super) const RADIUS: i32 = 6;

/// The looks of one line: a colour and a marker of its own, which is hollow once the colours have
/// been through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    pub(super) color: RGBColor,
    marker: usize,
    filled: bool,
}

impl Look {
    pub(super) fn of(line: usize) -> Self {
        let marker = line % palette::LINES.len();
        Self { color: palette::LINES[marker], marker, filled: line < palette::LINES.len() }
    }

    /// Draws the marker.
    pub(super) fn mark(&self, canvas: &Canvas<'_>, (x, y): Pixel) {
        const R: i32 = RADIUS;
        let corners: &[Pixel] = match self.marker {
            0 => return canvas.disc((x, y), R, self.color, self.filled),
            1 => &[(-R + 1, -R + 1), (R - 1, -R + 1), (R - 1, R - 1), (-R + 1, R - 1)],
            2 => &[(0, -R - 1), (R + 1, R - 1), (-R - 1, R - 1)],
            3 => &[(0, -R - 1), (R + 1, 0), (0, R + 1), (-R - 1, 0)],
            4 => &[(0, R + 1), (R + 1, -R + 1), (-R - 1, -R + 1)],
            5 => &[(-3, -R), (3, -R), (R + 1, 0), (3, R), (-3, R), (-R - 1, 0)],
            _ => &[(-R - 1, -3), (R + 1, -3), (R + 1, 3), (-R - 1, 3)],
        };
        let corners = corners.iter().map(|(right, down)| (x + right, y + down)).collect();
        canvas.shape(corners, self.color, self.filled);
    }
}

/// An interval from one place to the other, upright or lying, with bars at the ends that were not
/// cut off.
pub(super) fn whisker(canvas: &Canvas<'_>, ends: [(Pixel, bool); 2], color: RGBColor) {
    const BAR: i32 = 5;
    let [(from, _), (to, _)] = ends;
    canvas.line(vec![from, to], color, 2);
    for ((x, y), _) in ends.into_iter().filter(|(_, whole)| *whole) {
        let bar = match from.0 == to.0 {
            true => vec![(x - BAR, y), (x + BAR, y)],
            false => vec![(x, y - BAR), (x, y + BAR)],
        };
        canvas.line(bar, color, 2);
    }
}

/// The sign that an axis, lying or upright, does not go on evenly here.
pub(super) fn gap(canvas: &Canvas<'_>, (x, y): Pixel, lying: bool) {
    let turned = |(along, aside): Pixel| {
        if lying { (x + along, y - aside) } else { (x + aside, y - along) }
    };
    let [from, to] = [(-3, -1), (3, 1)].map(turned);
    let (left, right) = (from.0.min(to.0), from.0.max(to.0));
    canvas.bar((left, from.1.min(to.1)), (right, from.1.max(to.1)), plotters::style::WHITE);
    for side in [-3, 3] {
        canvas.line(vec![turned((side - 3, -6)), turned((side + 3, 6))], palette::BLACK, 1);
    }
}

/// A dashed line through points.
pub(super) fn dashed(canvas: &Canvas<'_>, points: &[Pixel], color: RGBColor) {
    const DASH: f64 = 9.0;
    const GAP: f64 = 6.0;
    let mut pieces = Vec::new();
    // How far the pattern has come when a stretch begins.
    let mut passed = 0.0;
    for ends in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [ends[0], ends[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
        let length = ((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)).sqrt();
        let at = |along: f64| {
            let part = along.clamp(0.0, length) / length;
            ((x0 + part * (x1 - x0)).round() as i32, (y0 + part * (y1 - y0)).round() as i32)
        };
        let mut start = -(passed % (DASH + GAP));
        while start < length && length > 0.0 {
            if start + DASH > 0.0 {
                pieces.extend([at(start), at(start + DASH)]);
            }
            start += DASH + GAP;
        }
        passed += length;
    }
    canvas.dashes(&pieces, color, 2);
}

/// What stands for a line of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sign {
    /// The words that follow are about what comes next.
    Title,
    /// A marker on its line, or without one.
    Line { look: Look, joined: bool },
    /// Dashes.
    Theory,
    /// An upright stroke.
    Stroke,
}

/// An entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) sign: Sign,
    pub(super) text: String,
}

impl Entry {
    fn sign_width(&self) -> i32 {
        match self.sign {
            Sign::Title => 0,
            Sign::Line { joined: true, .. } | Sign::Theory => 46,
            Sign::Line { joined: false, .. } | Sign::Stroke => 22,
        }
    }

    fn width(&self) -> i32 {
        self.sign_width() + self.text.chars().count() as i32 * 9
    }

    fn draw(&self, canvas: &Canvas<'_>, (x, y): Pixel) {
        let end = x + self.sign_width() - 10;
        let color = match &self.sign {
            Sign::Title => palette::SLATE,
            _ => palette::BLACK,
        };
        match &self.sign {
            Sign::Title => {}
            Sign::Line { look, joined } => {
                if *joined {
                    canvas.line(vec![(x, y), (end, y)], look.color, 2);
                }
                look.mark(canvas, ((x + end) / 2, y));
            }
            Sign::Theory => dashed(canvas, &[(x, y), (end, y)], palette::BLACK),
            Sign::Stroke => {
                let middle = (x + end) / 2;
                canvas.line(vec![(middle, y - 8), (middle, y + 8)], palette::BLACK, 3);
            }
        }
        canvas.text(&self.text, (x + self.sign_width(), y), Lettering::LABEL.colored(color));
    }
}

/// The distance of two lines of the legend.
pub(super) const LEGEND_ROW: i32 = 26;

/// Where the entries stand between `left` and `right`, from the middle of the first line down.
pub(super) fn places(entries: &[Entry], left: i32, right: i32) -> Vec<Pixel> {
    const APART: i32 = 24;
    let (mut x, mut y) = (left, 0);
    entries
        .iter()
        .map(|entry| {
            if x > left && x + entry.width() > right {
                (x, y) = (left, y + LEGEND_ROW);
            }
            let here = (x, y);
            x += entry.width() + APART;
            here
        })
        .collect()
}

/// Draws the legend, the middle of its first line at `top`.
pub(super) fn legend(canvas: &Canvas<'_>, entries: &[Entry], places: &[Pixel], top: i32) {
    for (entry, (x, y)) in entries.iter().zip(places) {
        entry.draw(canvas, (*x, top + y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::svg;

    #[test]
    fn each_line_looks_like_no_other() {
        let looks: Vec<_> = (0..2 * palette::LINES.len()).map(Look::of).collect();
        for (index, look) in looks.iter().enumerate() {
            assert!(!looks[..index].contains(look), "{index}");
            let drawn = |look: &Look| svg(20, 20, |canvas| look.mark(canvas, (10, 10)));
            assert!(looks[..index].iter().all(|other| drawn(other) != drawn(look)), "{index}");
        }
    }

    #[test]
    fn dashes_go_on_around_corners() {
        // 9 on, 6 off: at 0–9, 15–24, 30–39 of 40 pixels, with a corner at 20.
        let text = svg(100, 100, |canvas| {
            dashed(canvas, &[(0, 0), (20, 0), (20, 20)], palette::BLACK);
        });
        let lines: Vec<_> = text.lines().filter(|line| line.contains("<polyline")).collect();
        let points = ["0,0 9,0", "15,0 20,0", "20,0 20,4", "20,10 20,19"];
        assert_eq!(lines.len(), points.len(), "{text}");
        for (line, points) in lines.iter().zip(points) {
            assert!(line.contains(&format!("points=\"{points}")), "{line}");
        }
        let nothing = svg(9, 9, |canvas| dashed(canvas, &[(5, 5), (5, 5)], palette::BLACK));
        assert!(!nothing.contains("polyline"));
    }

    #[test]
    fn a_legend_breaks_where_a_line_is_full() {
        let entry = |text: &str| Entry {
            sign: Sign::Line { look: Look::of(0), joined: true },
            text: text.to_owned(),
        };
        // 46 and nine for each of ten characters, 24 apart: 136, and the next at 160.
        let entries = [entry("0123456789"), entry("0123456789"), entry("0123456789")];
        assert_eq!(places(&entries, 0, 300), [(0, 0), (160, 0), (0, 26)]);
        assert_eq!(places(&entries[..1], 40, 60), [(40, 0)], "the first stands where it does");
    }
}
