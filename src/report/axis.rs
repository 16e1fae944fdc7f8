//! Axes: where a value is on the canvas, round ticks, units of time.

use crate::report::canvas::{Canvas, Lettering, Pixel, palette};
use crate::report::quantity::number;

/// How a scale runs from zero to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    Linear,
    /// By the square root, so that what is small is seen beside what is large.
    Root,
}

/// A scale from zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) law: Law,
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
        let share = match self.law {
            Law::Linear => share,
            Law::Root => share.sqrt(),
        };
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

/// The end of an axis: a round tick at or above the highest value.
pub(crate) fn round_end(highest: f64) -> f64 {
    let step = tick_step(highest, 5);
    (highest / step - 1e-9).ceil() * step
}

/// Ticks from zero to the last that is not above `end`.
pub(crate) fn ticks(end: f64, most: u32) -> Vec<f64> {
    let step = tick_step(end, most);
    let last = (end / step + 1e-9).floor() as u32;
    (0..=last).map(|index| f64::from(index) * step).collect()
}

/// Ticks of a scale of counts that is no straight one: zero, one, the end, and of the round numbers
/// between them, from the end down, those that have room.
fn root_ticks(scale: Scale) -> Vec<f64> {
    const ROOM: i32 = 24;
    let mut round = vec![1.0];
    while let Some(next) = round.last().map(|&last: &f64| last * 10.0).filter(|&it| it <= scale.end)
    {
        round.push(next);
    }
    let mut chosen = vec![0.0, 1.0, scale.end];
    let between = round.iter().rev().flat_map(|&power| [5.0 * power, 2.0 * power, power]);
    for tick in between.filter(|&tick| tick < scale.end) {
        let has_room = |&other: &f64| (scale.at(other) - scale.at(tick)).abs() >= ROOM;
        if chosen.iter().all(has_room) {
            chosen.push(tick);
        }
    }
    // One is always told, and zero where there is room for it.
    if (scale.at(1.0) - scale.at(0.0)).abs() < 16 {
        chosen.remove(0);
    }
    chosen
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
        Scale { law: Law::Linear, end, zero_at: self.left, end_at: self.right }
    }

    /// The scale of the horizontal axis up to `end`, by the root.
    pub(crate) fn root_across(&self, end: f64) -> Scale {
        Scale { law: Law::Root, ..self.across(end) }
    }

    /// The scale of the vertical axis up to `end`.
    pub(crate) fn up(&self, end: f64) -> Scale {
        Scale { law: Law::Linear, end, zero_at: self.bottom, end_at: self.top }
    }

    /// The scale of the vertical axis up to a count: by the root where one would hardly be seen.
    pub(crate) fn counts_up(&self, end: f64) -> Scale {
        let law = if end > 20.0 { Law::Root } else { Law::Linear };
        Scale { law, ..self.up(end) }
    }

    /// Draws the horizontal axis with grid lines, ticks in `unit`, and its label below.
    pub(crate) fn draw_across(&self, canvas: &Canvas<'_>, scale: Scale, unit: f64, label: &str) {
        let ticks = ticks(scale.end / unit, 8).into_iter().map(|it| (it * unit, number(it)));
        self.draw_ticks_across(canvas, scale, ticks, label);
    }

    /// Draws the horizontal axis with grid lines at these values and their names, and its label
    /// below.
    pub(crate) fn draw_ticks_across(
        &self,
        canvas: &Canvas<'_>,
        scale: Scale,
        ticks: impl Iterator<Item = (f64, String)>,
        label: &str,
    ) {
        for (value, name) in ticks {
            let x = scale.at(value);
            canvas.line(vec![(x, self.top), (x, self.bottom)], palette::PALE, 1);
            canvas.text(&name, (x, self.bottom + 18), Lettering::LABEL.centred());
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
        let whole = match scale.law {
            Law::Linear => ticks(scale.end, 4).into_iter().filter(|it| it.fract() == 0.0).collect(),
            Law::Root => root_ticks(scale),
        };
        self.draw_up(canvas, scale, whole.into_iter().map(|tick| (tick, number(tick))), label);
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
        let scale = Scale { law: Law::Linear, end: 10.0, zero_at: 100, end_at: 0 };
        assert_eq!([0.0, 2.5, 10.0, 99.0, -3.0].map(|value| scale.at(value)), [100, 75, 0, 0, 100]);
    }
    #[test]
    fn one_is_seen_beside_many_on_a_scale_by_the_root() {
        let frame = Frame { left: 0, top: 0, right: 100, bottom: 140 };
        assert_eq!(frame.counts_up(20.0).law, Law::Linear);
        let scale = frame.counts_up(200.0);
        // 140·√(1/200) = 9.9, 140·√(1/2) = 99.
        assert_eq!([0.0, 1.0, 100.0, 200.0].map(|value| 140 - scale.at(value)), [0, 10, 99, 140]);
        // 99, then 50 at 70, 20 at 44; 10 at 31 is too near to 20; 5 at 22 and 2 at 14 to one.
        assert_eq!(root_ticks(scale), [1.0, 200.0, 100.0, 50.0, 20.0]);
        // 140·√(1/50) = 20: there is room for zero. 20 is at 89, 10 at 63, 5 at 44: too near to it.
        assert_eq!(root_ticks(frame.counts_up(50.0)), [0.0, 1.0, 50.0, 20.0, 10.0]);
    }
    #[test]
    fn axes_end_at_a_round_tick() {
        let cases = [(0.05, 0.05), (0.62, 0.8), (2.0, 2.0), (163.0, 200.0)];
        for (highest, expected) in cases {
            assert!((round_end(highest) - expected).abs() < 1e-9, "{highest}");
        }
    }
}
