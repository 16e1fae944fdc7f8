//! Numbers as people read them: three significant digits and a fitting unit.

use crate::metrics::codebook::Unit;

/// A value in its unit.
#[must_use]
pub fn quantity(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => span(value),
        Unit::Share => percent(value),
        _ => number(value),
    }
}

/// The size of a difference of two values; that of two shares is in percentage points: `12.3 pp`.
#[must_use]
pub fn apart(unit: Unit, difference: f64) -> String {
    match unit {
        Unit::Share => format!("{} pp", number(difference * 100.0)),
        _ => quantity(unit, difference),
    }
}

/// A difference with its sign.
#[must_use]
pub fn signed(unit: Unit, difference: f64) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", apart(unit, difference))
}

/// A mean of what may be below zero, such as a difference, with half of its interval in one unit:
/// `1.47 ± 0.75 %`, `44 ± 13 s`.
#[must_use]
pub fn mean_and_half(unit: Unit, mean: f64, half: f64) -> String {
    let (scale, word) = common_unit(unit, mean, half);
    let (mean, half) = give_or_take(mean * scale, half * scale);
    format!("{mean} ± {half} {word}").trim_end().to_owned()
}

/// A mean over runs of what is never below zero (and as a share no more than the whole): with half of
/// its interval, or with its ends where it is cut: `1.47 ± 0.75 %`, `0.007 (0 to 0.022) %`; and
/// `0 % in all runs`.
#[must_use]
pub fn mean_within(unit: Unit, mean: f64, half: f64) -> String {
    if half == 0.0 {
        return format!("{} in all runs", quantity(unit, mean));
    }
    let (scale, word) = common_unit(unit, mean, half);
    within(mean * scale, half * scale, unit == Unit::Share, word)
}

/// The same in a given unit; a share is a percentage.
#[must_use]
pub fn within(mean: f64, half: f64, is_share: bool, unit: &str) -> String {
    let most = if is_share { 100.0 } else { f64::INFINITY };
    let text = match cut(mean, half, most) {
        Some(Cut { mean, low, high }) => {
            let low = low.unwrap_or_else(|| number(0.0));
            let high = high.unwrap_or_else(|| number(most));
            format!("{mean} ({low} to {high})")
        }
        None => {
            let (mean, half) = give_or_take(mean, half);
            format!("{mean} ± {half}")
        }
    };
    format!("{text} {unit}").trim_end().to_owned()
}

/// What a mean and half of its interval are multiplied with, and the unit they are in then.
fn common_unit(unit: Unit, mean: f64, half: f64) -> (f64, &'static str) {
    match unit {
        Unit::Seconds => {
            let (length, word) = span_unit(mean.abs().max(half));
            (1.0 / length, word)
        }
        Unit::Share => (100.0, "%"),
        _ => (1.0, ""),
    }
}

/// A span of seconds in the unit that suits it: `250 ms`, `12.3 s`, `4.5 min`, `3 h`.
#[must_use]
pub fn span(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let (length, unit) = span_unit(seconds);
    format!("{} {unit}", number(seconds / length))
}

/// The unit that suits a span: its length in seconds, and its name.
#[must_use]
pub fn span_unit(seconds: f64) -> (f64, &'static str) {
    match seconds.abs() {
        0.0 => (1.0, "s"),
        size if size < 0.000_000_999_5 => (1e-9, "ns"),
        size if size < 0.000_999_5 => (1e-6, "µs"),
        size if size < 0.999_5 => (1e-3, "ms"),
        size if size < 119.95 => (1.0, "s"),
        size if size < 7199.5 => (60.0, "min"),
        size if size < 172_799.5 => (3600.0, "h"),
        _ => (86_400.0, "d"),
    }
}

/// A mean and what it may be off by, of which two digits are told, with as many decimals each:
/// `47` and `24`, `0.213` and `0.012`. A mean has five digits at most; what is smaller than its last
/// one is told as that.
#[must_use]
pub fn give_or_take(mean: f64, half: f64) -> (String, String) {
    if half == 0.0 {
        return (number(mean), "0".to_owned());
    }
    let decimals = decimals_of(mean, half);
    let last = (0..decimals).fold(1.0, |power, _| power / 10.0);
    (fixed(mean, decimals), fixed(half.max(last), decimals))
}

/// A mean whose interval is cut, with the ends that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The mean.
    pub mean: String,
    /// The lower end; `None` where it would be below zero.
    pub low: Option<String>,
    /// The upper end; `None` where it would be above the whole.
    pub high: Option<String>,
}

/// A mean whose interval would reach below zero or above `most`; `None` where it lies within.
#[must_use]
pub fn cut(mean: f64, half: f64, most: f64) -> Option<Cut> {
    let (low, high) = (mean - half, mean + half);
    let decimals = decimals_of(mean, half);
    let end = |value: f64| (0.0..=most).contains(&value).then(|| fixed(value, decimals));
    let (low, high) = (end(low), end(high));
    let is_cut = low.is_none() || high.is_none();
    is_cut.then(|| Cut { mean: fixed(mean, decimals), low, high })
}

/// How many decimals a mean and half of its interval are told with.
fn decimals_of(mean: f64, half: f64) -> usize {
    let most = if mean == 0.0 { 9 } else { decimals(mean, 5).min(9) };
    decimals(half, 2).min(most)
}

/// A number with so many decimals, and commas between thousands.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", thousands(whole)),
        None => thousands(&text),
    }
}

/// How many decimals show so many significant digits of a value that is not zero.
fn decimals(value: f64, digits: usize) -> usize {
    let (mut power, mut decimals) = (1.0, digits - 1);
    while value.abs() >= power * 10.0 && decimals > 0 {
        power *= 10.0;
        decimals -= 1;
    }
    while value.abs() < power && decimals < 12 {
        power /= 10.0;
        decimals += 1;
    }
    decimals
}

/// A number with three significant digits, no digits of the whole part dropped, and commas between
/// thousands: `0.00123`, `1.5`, `24.1`, `12,345`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && size < 1e-4 {
        return format!("{value:.2e}");
    }
    let decimals = match size {
        _ if size >= 99.95 || size == 0.0 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.999_5 => 2,
        _ if size >= 0.099_95 => 3,
        _ if size >= 0.009_995 => 4,
        _ => 5,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = thousands(whole);
    if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
}

/// So many things: `1 run`, `3 runs`, `12,000 runs`.
#[must_use]
pub fn count(n: usize, one: &str) -> String {
    plural(n as f64, one)
}

/// So many things, on average maybe: `1 run`, `2.5 runs`.
#[must_use]
pub fn plural(n: f64, one: &str) -> String {
    if n == 1.0 { format!("1 {one}") } else { format!("{} {one}s", number(n)) }
}

/// A share as a percentage: `12.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

fn thousands(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_choose_their_unit() {
        let cases = [
            (0.0, "0 s"),
            (0.000_000_001, "1 ns"),
            (0.000_002, "2 µs"),
            (0.25, "250 ms"),
            (0.9999, "1 s"),
            (12.345, "12.3 s"),
            (90.0, "90 s"),
            (119.99, "2 min"),
            (270.0, "4.5 min"),
            (7200.0, "2 h"),
            (259_200.0, "3 d"),
            (-1.5, "-1.5 s"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(span(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn a_mean_has_the_decimals_of_what_it_may_be_off_by() {
        for (mean, half, expected) in [
            (47.4, 24.2, ("47", "24")),
            (0.2134, 0.0121, ("0.213", "0.012")),
            (1234.5, 12.0, ("1,234", "12")),
            (109.0, 300.0, ("109", "300")),
            (0.5, 3.2, ("0.5", "3.2")),
            // Five digits of the mean are 4155.3: its last digit stands for all that is less.
            (4155.3, 0.002_1, ("4,155.3", "0.1")),
            (7.0, 0.0, ("7", "0")),
            (0.0, 0.0, ("0", "0")),
            (0.0, 0.25, ("0.00", "0.25")),
        ] {
            let (mean_told, half_told) = give_or_take(mean, half);
            assert_eq!((mean_told.as_str(), half_told.as_str()), expected, "{mean} {half}");
        }
    }

    #[test]
    fn what_cannot_be_less_than_nothing_is_cut_there() {
        for (unit, mean, half, expected) in [
            (Unit::Share, 0.014_7, 0.007_5, "1.47 ± 0.75 %"),
            (Unit::Share, 0.000_07, 0.000_15, "0.007 (0 to 0.022) %"),
            (Unit::Share, 0.953, 0.066, "95.3 (88.7 to 100) %"),
            (Unit::Share, 0.5, 3.2, "50 (0 to 100) %"),
            (Unit::Share, 0.0, 0.0, "0 % in all runs"),
            (Unit::Count, 7.0, 0.0, "7 in all runs"),
            (Unit::Count, 7.0, 12.0, "7 (0 to 19)"),
            (Unit::Seconds, 400.0, 500.0, "6.7 (0 to 15.0) min"),
        ] {
            assert_eq!(mean_within(unit, mean, half), expected, "{mean} {half}");
        }
        assert_eq!(mean_and_half(Unit::Share, 0.000_07, 0.000_15), "0.007 ± 0.015 %");
    }

    #[test]
    fn numbers_have_three_digits_that_count() {
        let cases = [
            (0.0, "0"),
            (0.001_234, "0.00123"),
            (1.0, "1"),
            (1.234, "1.23"),
            (99.99, "100"),
            (1234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-1234.0, "-1,234"),
            (0.000_012_3, "1.23e-5"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected, "{value}");
        }
        assert_eq!(percent(0.1234), "12.3 %");
    }
}
