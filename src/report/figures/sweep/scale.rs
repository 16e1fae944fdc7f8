//! Scales of sweep figures: straight or logarithmic, with ticks at round numbers or durations.

use crate::report::axis::{round_end, tick_step, ticks, time_unit};
use crate::report::quantity::{number, percent, span};
use crate::report::varied::{Dimension, Level, Measure};

/// Shares of the length of an axis: what is left free at an end, and where zero stands beside a
/// logarithmic rest that begins behind it.
const MARGIN: f64 = 0.04;
const BEHIND_ZERO: f64 = 0.16;

/// Means that are further apart than by this factor are drawn on a logarithmic scale.
const WIDE: f64 = 25.0;

/// How an axis runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Linear,
    /// By the logarithm; zero, if it is there, stands apart at the beginning.
    Logarithmic {
        zero: bool,
    },
}

/// A scale from a value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) law: Law,
    low: f64,
    high: f64,
    /// The share of the length that is left free before `low` and behind `high`.
    margins: (f64, f64),
    /// The share of the length before zero, where that stands apart.
    before_zero: f64,
}

impl Scale {
    /// The scale on which ascending values of a key lie as evenly as can be.
    pub(super) fn of_key(levels: &[Level]) -> Self {
        let values: Vec<f64> = levels.iter().map(|level| level.number).collect();
        let (low, high) = (values[0], values[values.len() - 1]);
        let mut positive: Vec<f64> = values.iter().copied().filter(|it| *it > 0.0).collect();
        positive.dedup();
        let logs: Vec<f64> = positive.iter().map(|it| libm::log(*it)).collect();
        let zero = low == 0.0;
        if low >= 0.0 && positive.len() >= 3 && evenness(&logs) > evenness(&positive) {
            let margins = (if zero { BEHIND_ZERO } else { MARGIN }, MARGIN);
            let law = Law::Logarithmic { zero };
            return Self { law, low: positive[0], high, margins, before_zero: MARGIN };
        }
        if low >= 0.0 && low <= high / 2.0 {
            return Self::straight(0.0, high, (0.0, MARGIN));
        }
        let high = if high > low { high } else { low + low.abs().max(1.0) };
        Self::straight(low, high, (MARGIN, MARGIN))
    }

    fn straight(low: f64, high: f64, margins: (f64, f64)) -> Self {
        Self { law: Law::Linear, low, high, margins, before_zero: 0.0 }
    }

    /// The scale of what was measured: from zero, unless it is spread so wide that the small values
    /// would not be seen. Bounds of intervals are cut off where they leave the means far behind.
    pub(super) fn of_values(means: &[f64], bounds: &[f64], measure: Measure) -> Self {
        const FAR: f64 = 2.5;
        let most = means.iter().copied().fold(0.0, f64::max);
        let positive = || means.iter().copied().filter(|it| *it > 0.0);
        let least = positive().fold(most, f64::min);
        // There is no more than a whole, whatever an interval says.
        let whole = if measure == Measure::Share { most.max(1.0) } else { f64::INFINITY };
        let reach = bounds.iter().copied().fold(most, f64::max).min(FAR * most).min(whole);
        if least > 0.0 && most / least >= WIDE {
            let zero = positive().count() < means.len();
            let bottom =
                bounds.iter().copied().filter(|it| *it > least / FAR).fold(least, f64::min);
            let ladder = ladder(measure, bottom / 10.0, reach * 10.0);
            return Self {
                law: Law::Logarithmic { zero },
                low: ladder.iter().copied().rfind(|it| *it <= bottom).unwrap_or(bottom),
                high: ladder.iter().copied().find(|it| *it >= reach).unwrap_or(reach).min(whole),
                margins: (if zero { BEHIND_ZERO } else { 0.0 }, 0.0),
                before_zero: 0.0,
            };
        }
        let unit = if measure == Measure::Time { time_unit(reach).seconds } else { 1.0 };
        let high = if reach > 0.0 { (round_end(reach / unit) * unit).min(whole) } else { 1.0 };
        Self::straight(0.0, high, (0.0, 0.0))
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.law != Law::Linear
    }

    /// Whether a value lies within the ends.
    pub(super) fn holds(&self, value: f64) -> bool {
        value <= self.high
            && match self.law {
                Law::Linear => value >= self.low,
                Law::Logarithmic { zero } => value >= self.low || (zero && value == 0.0),
            }
    }

    /// The pixel of a value between those of the two ends; values outside are put on the nearer end.
    pub(super) fn at(&self, value: f64, from: i32, to: i32) -> i32 {
        let part = match self.law {
            Law::Linear => (value - self.low) / (self.high - self.low),
            Law::Logarithmic { zero: true } if value <= 0.0 => {
                return along(self.before_zero, from, to);
            }
            Law::Logarithmic { .. } => {
                let value = value.max(self.low);
                libm::log(value / self.low) / libm::log(self.high / self.low)
            }
        };
        let (before, behind) = self.margins;
        along(before + part.clamp(0.0, 1.0) * (1.0 - before - behind), from, to)
    }

    /// Where the axis is broken between zero and the rest.
    pub(super) fn gap(&self, from: i32, to: i32) -> Option<i32> {
        let broken = self.law == Law::Logarithmic { zero: true };
        broken.then(|| along((self.before_zero + self.margins.0) / 2.0, from, to))
    }

    /// The ticks of an axis of `length` pixels for measured values, with their labels. `room` is the
    /// least distance of two.
    pub(super) fn value_ticks(&self, measure: Measure, length: i32, room: i32) -> Vec<Tick> {
        let named = |value: f64| Tick { value, label: self.label(measure, value) };
        match self.law {
            Law::Linear => {
                let unit = self.unit(measure);
                let most = (length / room).clamp(1, 6) as u32;
                // The values are divided before ticks are chosen: round in the unit that is shown.
                ticks(self.high / unit, most).into_iter().map(|it| named(it * unit)).collect()
            }
            Law::Logarithmic { zero } => {
                let ticks = |ladder: Vec<f64>| -> Vec<Tick> {
                    zero.then_some(0.0).into_iter().chain(ladder).map(named).collect()
                };
                let fitting =
                    |all: Vec<Tick>| thinned(all, |tick| self.at(tick.value, 0, length), |_| room);
                let fine = ticks(ladder(measure, self.low, self.high));
                let all = fine.len();
                let fine = fitting(fine);
                if fine.len() == all {
                    return fine;
                }
                let coarse = fitting(ticks(coarse_ladder(measure, self.low, self.high)));
                if coarse.len() > 2 { coarse } else { fine }
            }
        }
    }

    /// In what measured values are written on a straight axis, and what that is called.
    pub(super) fn common_unit(&self, measure: Measure) -> Option<(f64, &'static str)> {
        let straight = self.law == Law::Linear && measure == Measure::Time;
        straight.then(|| (self.unit(measure), self.unit_word(measure)))
    }

    /// In what a tick is written: seconds or minutes, hundredths, ones.
    fn unit(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Time => time_unit(self.high).seconds,
            Measure::Share => 0.01,
            Measure::Number | Measure::Rate => 1.0,
        }
    }

    /// What the axis of measured values says of its unit.
    pub(super) fn unit_word(&self, measure: Measure) -> &'static str {
        match (measure, self.law) {
            (Measure::Time, Law::Linear) => time_unit(self.high).name,
            _ => "",
        }
    }

    fn label(&self, measure: Measure, value: f64) -> String {
        match (measure, self.law) {
            (Measure::Time, Law::Linear) => number(value / self.unit(measure)),
            (Measure::Time, _) => round_span(value),
            (Measure::Share, _) => percent(value),
            (Measure::Number | Measure::Rate, _) => number(value),
        }
    }

    /// The ticks of a key's axis of `length` pixels: at the values that were simulated, as far as
    /// their labels have room, or at round numbers, where these are many on a straight axis.
    pub(super) fn key_ticks(&self, key: &Dimension, length: i32) -> Vec<Tick> {
        let measure = key.measure.unwrap_or(Measure::Number);
        let label = |level: &Level| level_label(key, level);
        let mut all: Vec<Tick> = Vec::new();
        for level in &key.levels {
            if all.last().is_none_or(|last| last.value < level.number) {
                all.push(Tick { value: level.number, label: label(level) });
            }
        }
        let shown = thinned(all.clone(), |it| self.at(it.value, 0, length), |it| it.width() + 14);
        let round = self.law == Law::Linear && measure != Measure::Rate && shown.len() < all.len();
        if !round {
            return shown;
        }
        let unit = self.unit(measure);
        let step = tick_step((self.high - self.low) / unit, 8) * unit;
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let named = |index: i64| {
            let level = Level { label: String::new(), number: index as f64 * step };
            Tick { value: level.number, label: label(&level) }
        };
        (first..=last).map(named).collect()
    }
}

/// A place on an axis with what stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

impl Tick {
    fn width(&self) -> i32 {
        self.label.chars().count() as i32 * 9
    }
}

fn along(share: f64, from: i32, to: i32) -> i32 {
    from + (share * f64::from(to - from)).round() as i32
}

/// The smallest distance of neighbours over the largest.
fn evenness(ascending: &[f64]) -> f64 {
    let gaps = || ascending.windows(2).map(|pair| pair[1] - pair[0]);
    gaps().fold(f64::INFINITY, f64::min) / gaps().fold(0.0, f64::max)
}

/// Of ascending ticks the first and the last, and between them those that have room.
fn thinned(ticks: Vec<Tick>, at: impl Fn(&Tick) -> i32, room: impl Fn(&Tick) -> i32) -> Vec<Tick> {
    let apart = |a: &Tick, b: &Tick| (at(b) - at(a)).abs() >= (room(a) + room(b)) / 2;
    let Some((last, others)) = ticks.split_last() else { return Vec::new() };
    let mut kept: Vec<Tick> = Vec::new();
    for tick in others {
        if kept.last().is_none_or(|before| apart(before, tick))
            && (kept.is_empty() || apart(tick, last))
        {
            kept.push(tick.clone());
        }
    }
    if kept.last().is_none_or(|before| apart(before, last)) {
        kept.push(last.clone());
    }
    kept
}

/// Round durations in seconds, from a second up to a month, each about twice or three times as long
/// as the one before; and those that are enough where there is little room.
const DURATIONS: [f64; 18] = [
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    7200.0,
    21_600.0,
    86_400.0,
    172_800.0,
    432_000.0,
    864_000.0,
    2_592_000.0,
];
const FEW_DURATIONS: [f64; 8] = [1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 864_000.0];

/// Round values between two positive ones: 1, 2 and 5 times powers of ten, and for what is measured
/// in time the durations that clocks are read in.
fn ladder(measure: Measure, low: f64, high: f64) -> Vec<f64> {
    rungs(measure, &[1.0, 2.0, 5.0], &DURATIONS, (low, high))
}

/// Powers of ten alone, and few durations.
fn coarse_ladder(measure: Measure, low: f64, high: f64) -> Vec<f64> {
    rungs(measure, &[1.0], &FEW_DURATIONS, (low, high))
}

fn rungs(
    measure: Measure,
    factors: &[f64],
    durations: &[f64],
    (low, high): (f64, f64),
) -> Vec<f64> {
    let mut rungs = Vec::new();
    // Powers are divided out, so that they are the nearest numbers to what they are called.
    for exponent in -12..=15_i32 {
        let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
        let rung = |factor: &f64| if exponent < 0 { factor / power } else { factor * power };
        rungs.extend(factors.iter().map(rung));
    }
    if measure == Measure::Time {
        rungs.retain(|rung| *rung < 1.0);
        rungs.extend(durations);
    }
    rungs.retain(|rung| *rung >= low * (1.0 - 1e-9) && *rung <= high * (1.0 + 1e-9));
    rungs
}

/// Round durations from zero to an end, as far as they have room at the pixels where they are.
pub(in crate::report::figures) fn time_ticks(
    end: f64,
    at: impl Fn(f64) -> i32,
) -> Vec<(f64, String)> {
    let all = std::iter::once(0.0).chain(ladder(Measure::Time, end / 1e4, end));
    let named = all.map(|value| Tick { value, label: round_span(value) }).collect();
    let room = |tick: &Tick| tick.width() + 14;
    let shown = thinned(named, |tick| at(tick.value), room);
    shown.into_iter().map(|tick| (tick.value, tick.label)).collect()
}

/// What a value of a key is called on an axis or in a legend: numbers alike, words as they are.
pub(super) fn level_label(key: &Dimension, level: &Level) -> String {
    match key.measure {
        Some(Measure::Number) => number(level.number),
        Some(Measure::Time) => round_span(level.number),
        Some(Measure::Share) => percent(level.number),
        Some(Measure::Rate) | None => level.label.clone(),
    }
}

/// A span in the largest unit in which it is a whole number: `5 s`, `90 s`, `5 min`, `1 h`.
fn round_span(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    let whole = |unit: f64| seconds >= unit && (seconds / unit).fract() == 0.0;
    match units.into_iter().find(|(unit, _)| whole(*unit)) {
        Some((unit, name)) => format!("{} {name}", number(seconds / unit)),
        None => span(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(numbers: &[f64]) -> Vec<Level> {
        numbers.iter().map(|&number| Level { label: String::new(), number }).collect()
    }

    fn key(measure: Measure, numbers: &[f64]) -> Dimension {
        Dimension {
            key: "k".into(),
            measure: Some(measure),
            levels: levels(numbers),
            of_point: Vec::new(),
            along: Vec::new(),
        }
    }

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn a_key_has_the_scale_on_which_its_values_lie_evenly() {
        const LOG: Law = Law::Logarithmic { zero: false };
        for (numbers, law) in [
            (&[5.0, 30.0, 60.0, 300.0][..], LOG), // gaps 25 to 240; ratios 6, 2, 5
            (&[1.0, 2.0, 4.0], LOG),
            (&[10.0, 20.0, 30.0], Law::Linear),
            (&[10.0, 1000.0], Law::Linear), // two values say nothing about their law
            (&[0.0, 0.01, 0.02, 0.03], Law::Linear),
            (&[0.0, 5.0, 60.0, 600.0], Law::Logarithmic { zero: true }),
            (&[-5.0, 5.0, 500.0], Law::Linear),
        ] {
            assert_eq!(Scale::of_key(&levels(numbers)).law, law, "{numbers:?}");
        }
    }

    #[test]
    fn places_on_the_scales() {
        // 4 % of 1,000 pixels stay free at each end: ln 6/ln 60 of 920 is 402.6.
        let scale = Scale::of_key(&levels(&[5.0, 30.0, 60.0, 300.0]));
        assert_eq!([5.0, 30.0, 300.0].map(|it| scale.at(it, 0, 1000)), [40, 443, 960]);
        assert_eq!(scale.gap(0, 1000), None);
        // Zero stands apart; 16 % before the first of the others.
        let scale = Scale::of_key(&levels(&[0.0, 5.0, 60.0, 600.0]));
        assert_eq!([0.0, 5.0, 600.0].map(|it| scale.at(it, 0, 1000)), [40, 160, 960]);
        assert_eq!(scale.gap(0, 1000), Some(100));
        // From zero where the values begin low enough; 4 % free behind.
        let scale = Scale::of_key(&levels(&[10.0, 20.0, 40.0, 50.0]));
        assert_eq!([0.0, 25.0, 50.0].map(|it| scale.at(it, 0, 1000)), [0, 480, 960]);
        let scale = Scale::of_key(&levels(&[80.0, 90.0, 100.0]));
        assert_eq!([80.0, 100.0].map(|it| scale.at(it, 0, 1000)), [40, 960]);
        // Upward: pixels fall.
        assert_eq!(scale.at(80.0, 500, 100), 484);
    }

    #[test]
    fn ticks_of_a_key_stand_at_its_values_as_far_as_there_is_room() {
        let ttl = key(Measure::Time, &[5.0, 30.0, 60.0, 90.0, 300.0, 3600.0]);
        let scale = Scale::of_key(&ttl.levels);
        let of = |length| labels(&scale.key_ticks(&ttl, length)).join(" ");
        assert_eq!(of(850), "5 s 30 s 60 s 5 min 1 h".replace("60 s", "1 min"));
        assert_eq!(of(200), "5 s 30 s 5 min 1 h");
        let nodes: Vec<f64> = (1..=24).map(|it| f64::from(it) * 25.0).collect();
        let nodes = key(Measure::Number, &nodes);
        let ticks = Scale::of_key(&nodes.levels).key_ticks(&nodes, 850);
        assert_eq!(labels(&ticks), ["0", "100", "200", "300", "400", "500", "600"]);
        let loss = key(Measure::Share, &[0.0, 0.01, 0.02, 0.05]);
        let ticks = Scale::of_key(&loss.levels).key_ticks(&loss, 850);
        assert_eq!(labels(&ticks), ["0 %", "1 %", "2 %", "5 %"]);
    }

    #[test]
    fn measured_values_start_at_zero_unless_they_are_far_apart() {
        let scale = Scale::of_values(&[12.0, 48.0], &[10.0, 61.0], Measure::Time);
        assert_eq!((scale.law, scale.low, scale.high), (Law::Linear, 0.0, 80.0));
        assert_eq!(
            labels(&scale.value_ticks(Measure::Time, 400, 40)),
            ["0", "20", "40", "60", "80"]
        );
        assert_eq!(scale.unit_word(Measure::Time), "s");
        // Ten minutes are round in minutes.
        let scale = Scale::of_values(&[550.0], &[], Measure::Time);
        assert_eq!(
            labels(&scale.value_ticks(Measure::Time, 400, 40)),
            ["0", "2", "4", "6", "8", "10"]
        );
        // From 2 s to 130 s by a factor of 65, up to the next round durations.
        let scale = Scale::of_values(&[2.0, 130.0], &[1.5, 140.0], Measure::Time);
        assert_eq!((scale.low, scale.high), (1.0, 300.0));
        let ticks = scale.value_ticks(Measure::Time, 400, 40);
        assert_eq!(
            labels(&ticks),
            ["1 s", "2 s", "5 s", "10 s", "30 s", "1 min", "2 min", "5 min"]
        );
        let ticks = scale.value_ticks(Measure::Time, 150, 34);
        assert_eq!(labels(&ticks), ["1 s", "10 s", "1 min"]);
        let scale = Scale::of_values(&[0.000_02, 0.4], &[], Measure::Share);
        let ticks = scale.value_ticks(Measure::Share, 280, 34);
        assert_eq!(labels(&ticks), ["0.01 %", "0.1 %", "1 %", "10 %"]);
        // With a zero, which the logarithm has no place for: it stands apart.
        let scale = Scale::of_values(&[0.0, 2.0, 130.0], &[], Measure::Time);
        assert_eq!(
            [-1.0, 0.0, 1.9, 2.0, 300.0].map(|it| scale.at(it, 0, 100)),
            [0, 0, 16, 16, 100]
        );
        assert_eq!(scale.gap(0, 100), Some(8));
        assert_eq!(scale.value_ticks(Measure::Time, 400, 40)[0].label, "0 s");
        assert_eq!((scale.holds(0.0), scale.holds(1.0), scale.holds(-1.0)), (true, false, false));
        // An interval of two runs may reach far: it is cut at 2.5 times the largest mean.
        let scale = Scale::of_values(&[0.2], &[9.0], Measure::Share);
        assert_eq!((scale.high, scale.holds(0.5), scale.holds(9.0)), (0.5, true, false));
        assert_eq!(labels(&scale.value_ticks(Measure::Share, 400, 40)).last(), Some(&"50 %"));
        assert_eq!(Scale::of_values(&[0.9], &[1.3], Measure::Share).high, 1.0);
        assert_eq!(Scale::of_values(&[0.001, 0.9], &[1.3], Measure::Share).high, 1.0);
    }

    #[test]
    fn durations_up_to_an_end_have_room() {
        let ticks = time_ticks(400.0, |seconds| (seconds * 1.5) as i32);
        let labels: Vec<_> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        // "0 s" is 27 wide, "30 s" 36 and "1 min" 45. Half of both and 14 more are between ticks: 45
        // pixels up to 30 s is enough, and from there to 1 min is not.
        assert_eq!(labels, ["0 s", "30 s", "2 min", "5 min"]);
    }

    #[test]
    fn spans_are_whole_in_their_unit() {
        let cases =
            [(5.0, "5 s"), (90.0, "90 s"), (60.0, "1 min"), (5400.0, "90 min"), (86_400.0, "1 d")];
        for (seconds, expected) in cases {
            assert_eq!(round_span(seconds), expected);
        }
        assert_eq!([0.0, 0.25, 1.5].map(round_span), ["0 s", "250 ms", "1.5 s"]);
    }
}
