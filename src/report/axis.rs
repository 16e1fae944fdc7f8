//! Axes: where a value is on the canvas, round ticks, units of time.

use crate::report::canvas::{Canvas, Lettering, Pixel, palette};
use crate::report::quantity::number;

/// A linear scale from zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// The value at the far end.
    pub(crate) end: f64,
    /// The pixel of zero.
    pub(crate) zero_at: i32,
    /// The pixel of the far end.
    pub(crate) end_at: i32,
}

impl Scale {
    /// The pixel of a value; values outside are put on the nearer end.
    pub(crate) fn at(&self, value: f64) -> i32 {
        let share = (value / self.end).clamp(0.0, 1.0);
        self.zero_at + (share * f64::from(self.end_at - self.zero_at)).round() as i32
    }
}

/// A unit in which a span is written on an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimeUnit {
    pub(crate) name: &'static str,
    pub(crate) seconds: f64,
}

/// The unit for an axis up to so many seconds.
pub(crate) fn time_unit(end: f64) -> TimeUnit {
    let (name, seconds) = match end {
        _ if end < 0.2 => ("ms", 0.001),
        _ if end <= 300.0 => ("s", 1.0),
        _ if end <= 3.0 * 3600.0 => ("min", 60.0),
        _ if end <= 96.0 * 3600.0 => ("h", 3600.0),
        _ => ("days", 86_400.0),
    };
    TimeUnit { name, seconds }
}

/// The distance of ticks (1, 2 or 5 times a power of ten) that makes at most `most` steps up to
/// `end` > 0. Powers are multiplied up, not computed: the same everywhere.
pub(crate) fn tick_step(end: f64, most: u32) -> f64 {
    let mut power = 1e-9;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if end / (power * factor) <= f64::from(most) {
                return power * factor;
            }
        }
        power *= 10.0;
    }
}

/// Ticks from zero to the last that is not above `end`.
pub(crate) fn ticks(end: f64, most: u32) -> Vec<f64> {
    let step = tick_step(end, most);
    let last = (end / step + 1e-9).floor() as u32;
    (0..=last).map(|index| f64::from(index) * step).collect()
}

/// The frame of a diagram: from its upper left to its lower right corner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) right: i32,
    pub(crate) bottom: i32,
}

impl Frame {
    /// The scale of the horizontal axis up to `end`.
    pub(crate) fn across(&self, end: f64) -> Scale {
        Scale { end, zero_at: self.left, end_at: self.right }
    }

    /// The scale of the vertical axis up to `end`.
    pub(crate) fn up(&self, end: f64) -> Scale {
        Scale { end, zero_at: self.bottom, end_at: self.top }
    }

    /// Draws the horizontal axis with grid lines, ticks in `unit`, and its label below.
    pub(crate) fn draw_across(&self, canvas: &Canvas<'_>, scale: Scale, unit: f64, label: &str) {
        for tick in ticks(scale.end / unit, 8) {
            let x = scale.at(tick * unit);
            canvas.line(vec![(x, self.top), (x, self.bottom)], palette::PALE, 1);
            let at = (x, self.bottom + 18);
            canvas.text(&number(tick), at, Lettering::LABEL.centred());
        }
        canvas.line(self.lower_edge(), palette::BLACK, 1);
        let middle = (self.left + self.right) / 2;
        canvas.text(label, (middle, self.bottom + 46), Lettering::LABEL.centred());
    }

    /// Draws the vertical axis as percentages, with grid lines, and its label to the left.
    pub(crate) fn draw_percent_up(&self, canvas: &Canvas<'_>, scale: Scale, label: &str) {
        let named = |tick: f64| (tick / 100.0, format!("{} %", number(tick)));
        self.draw_up(canvas, scale, ticks(scale.end * 100.0, 6).into_iter().map(named), label);
    }

    /// Draws the vertical axis as whole numbers, with grid lines, and its label to the left.
    pub(crate) fn draw_count_up(&self, canvas: &Canvas<'_>, scale: Scale, label: &str) {
        let whole = ticks(scale.end, 4).into_iter().filter(|tick| tick.fract() == 0.0);
        self.draw_up(canvas, scale, whole.map(|tick| (tick, number(tick))), label);
    }

    fn draw_up(
        &self,
        canvas: &Canvas<'_>,
        scale: Scale,
        ticks: impl Iterator<Item = (f64, String)>,
        label: &str,
    ) {
        for (value, name) in ticks {
            let y = scale.at(value);
            canvas.line(vec![(self.left, y), (self.right, y)], palette::PALE, 1);
            canvas.text(&name, (self.left - 10, y), Lettering::LABEL.right());
        }
        let middle = (self.top + self.bottom) / 2;
        canvas.text(label, (self.left - 78, middle), Lettering::LABEL.centred().upward());
    }

    /// The line from the lower left to the lower right corner.
    pub(crate) fn lower_edge(&self) -> Vec<Pixel> {
        vec![(self.left, self.bottom), (self.right, self.bottom)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_not_too_many() {
        let about =
            |end, most| ticks(end, most).iter().map(|tick| number(*tick)).collect::<Vec<_>>();
        assert_eq!(about(12.0, 8), ["0", "2", "4", "6", "8", "10", "12"]);
        assert_eq!(about(61.0, 8), ["0", "10", "20", "30", "40", "50", "60"]);
        assert_eq!(about(0.35, 4), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(about(1.0, 1), ["0", "1"]);
    }

    #[test]
    fn a_scale_stays_on_the_canvas() {
        let scale = Scale { end: 10.0, zero_at: 100, end_at: 0 };
        assert_eq!([0.0, 2.5, 10.0, 99.0, -3.0].map(|value| scale.at(value)), [100, 75, 0, 0, 100]);
    }
}
