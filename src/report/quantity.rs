//! Numbers as people read them: three significant digits and a fitting unit.

/// A span of seconds in the unit that suits it: `250 ms`, `12.3 s`, `4.5 min`, `3 h`.
#[must_use]
pub fn span(seconds: f64) -> String {
    let size = seconds.abs();
    let (value, unit) = match size {
        _ if size == 0.0 => return "0 s".to_owned(),
        _ if size < 0.000_000_999_5 => (seconds * 1e9, "ns"),
        _ if size < 0.000_999_5 => (seconds * 1e6, "µs"),
        _ if size < 0.999_5 => (seconds * 1e3, "ms"),
        _ if size < 119.95 => (seconds, "s"),
        _ if size < 7199.5 => (seconds / 60.0, "min"),
        _ if size < 172_799.5 => (seconds / 3600.0, "h"),
        _ => (seconds / 86_400.0, "d"),
    };
    format!("{} {unit}", number(value))
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
