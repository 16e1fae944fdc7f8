//! Quantities with units: how they are written in scenarios.
//!
//! Each quantity is a number with its unit, written as a string: `"60s"`, `"2%"`, `"0.1/s"`. A
//! bare number is refused, since nobody can tell what it counts. Decimal fractions are converted
//! exactly (a duration is rounded once, to the nearest nanosecond), so that a quantity that is
//! written out and read again is the same.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::time::SimDuration;

/// The units of a duration, with their length in nanoseconds. The first name of a length is the
/// one that is written.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("min", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 24 * 3_600 * SECOND),
];

const SECOND: u64 = 1_000_000_000;

/// What is longer than this, 100 years of 365 days, is a slip of the pen.
const LONGEST: u64 = 100 * 365 * 24 * 3_600 * SECOND;

/// The greatest ratio that is not taken for a slip of the pen: 1000 %.
const GREATEST_RATIO: f64 = 10.0;

/// Why a text is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnitError {
    /// A number alone.
    #[error("{number} has no unit: write {example}")]
    MissingUnit {
        /// The number as written.
        number: String,
        /// The same number with a unit that may be meant.
        example: String,
    },
    /// A number with a unit that does not exist.
    #[error("`{unit}` is not a unit {of}; the units are {known}")]
    UnknownUnit {
        /// The unit as written.
        unit: String,
        /// What it should measure.
        of: &'static str,
        /// The units that exist.
        known: &'static str,
    },
    /// No number at all.
    #[error("`{text}` is not {expected}")]
    NotANumber {
        /// The text as written.
        text: String,
        /// What was expected, with an example.
        expected: &'static str,
    },
    /// Below zero.
    #[error("{text} is negative")]
    Negative {
        /// The text as written.
        text: String,
    },
    /// Above what is believable.
    #[error("{text} is more than {limit}")]
    TooLarge {
        /// The text as written.
        text: String,
        /// The greatest value.
        limit: &'static str,
    },
    /// A rate of zero, which has no interval.
    #[error("{text} is never: leave the key out instead")]
    ZeroRate {
        /// The text as written.
        text: String,
    },
}

/// A decimal number as written, and what follows it.
struct Decimal<'a> {
    negative: bool,
    /// All digits, without the point.
    digits: u128,
    /// How many of them follow the point.
    decimals: u32,
    /// The number as written.
    text: &'a str,
    /// The rest, without spaces around it.
    unit: &'a str,
}

impl<'a> Decimal<'a> {
    /// Splits a text into number and unit. `None` when it does not begin with a number of
    /// believable length.
    fn split(text: &'a str) -> Option<Self> {
        let trimmed = text.trim();
        let unsigned = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
        let end =
            unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, unit) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let well_formed = !whole.is_empty() && !number.ends_with('.') && !fraction.contains('.');
        // 30 digits fit a u128 and leave room to multiply by a unit only below 10^24.
        if !well_formed || whole.len() + fraction.len() > 24 {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let sign = trimmed.len() - unsigned.len();
        Some(Self {
            negative: trimmed.starts_with('-'),
            digits,
            decimals: fraction.len() as u32,
            text: &trimmed[..sign + end],
            unit: unit.trim(),
        })
    }

    fn is_zero(&self) -> bool {
        self.digits == 0
    }

    /// `self * factor`, rounded to the nearest whole number (ties up), if it fits.
    fn times(&self, factor: u64) -> Option<u64> {
        let scale = 10_u128.pow(self.decimals);
        let product = self.digits.checked_mul(u128::from(factor))?;
        u64::try_from(product.checked_add(scale / 2)? / scale).ok()
    }
}

fn unit_nanos(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos)
}

/// A span of time: `"60s"`, `"1.5h"`, `"40ms"`, `"250us"`, `"1d"`, `"2m"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub SimDuration);

impl Duration {
    const EXPECTED: &'static str = "a duration, such as \"60s\", \"1.5h\" or \"40ms\"";

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(SimDuration::from_secs(seconds))
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(SimDuration::from_millis(millis))
    }
}

impl FromStr for Duration {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let number = Decimal::split(text).ok_or_else(|| UnitError::NotANumber {
            text: text.to_owned(),
            expected: Self::EXPECTED,
        })?;
        if number.unit.is_empty() {
            let example = format!("\"{0}s\", \"{0}ms\" or \"{0}h\"", number.text);
            return Err(UnitError::MissingUnit { number: number.text.to_owned(), example });
        }
        let unit = unit_nanos(number.unit).ok_or_else(|| UnitError::UnknownUnit {
            unit: number.unit.to_owned(),
            of: "of time",
            known: "ns, us, ms, s, m, h and d",
        })?;
        if number.negative && !number.is_zero() {
            return Err(UnitError::Negative { text: text.to_owned() });
        }
        match number.times(unit) {
            Some(nanos) if nanos <= LONGEST => Ok(Self(SimDuration::from_nanos(nanos))),
            _ => Err(UnitError::TooLarge { text: text.to_owned(), limit: "100 years" }),
        }
    }
}

/// In the largest unit that needs no fraction; minutes only from ten on.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let (name, unit) = UNITS
            .iter()
            .rev()
            .filter(|(name, _)| !matches!(*name, "min" | "µs"))
            .find(|(name, unit)| {
                nanos.is_multiple_of(*unit) && nanos > 0 && (*name != "m" || nanos >= 10 * unit)
            })
            .unwrap_or(&("s", SECOND));
        write!(f, "{}{name}", nanos / unit)
    }
}

/// The decimal text of a share in percent: the shortest text of the number, its point moved.
fn write_percent(share: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = share.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let padded = format!("{fraction:0<2}");
    let (moved, rest) = padded.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { write!(f, "{whole}%") } else { write!(f, "{whole}.{rest}%") }
}

fn parse_percent(
    text: &str,
    expected: &'static str,
    greatest: f64,
    limit: &'static str,
) -> Result<f64, UnitError> {
    let not_a_number = || UnitError::NotANumber { text: text.to_owned(), expected };
    let number = Decimal::split(text).ok_or_else(not_a_number)?;
    if number.unit.is_empty() {
        let example = format!("\"{}%\" (or the share times 100)", number.text);
        return Err(UnitError::MissingUnit { number: number.text.to_owned(), example });
    }
    if number.unit != "%" {
        return Err(UnitError::UnknownUnit {
            unit: number.unit.to_owned(),
            of: "of a share",
            known: "%",
        });
    }
    if number.negative && !number.is_zero() {
        return Err(UnitError::Negative { text: text.to_owned() });
    }
    let digits = number.text.trim_start_matches(['+', '-']);
    // Reading a decimal is correctly rounded, where a division by 100 would round twice.
    let share: f64 = format!("{digits}e-2").parse().map_err(|_| not_a_number())?;
    if share > greatest {
        return Err(UnitError::TooLarge { text: text.to_owned(), limit });
    }
    Ok(share)
}

/// A probability or a share of a whole, from `"0%"` to `"100%"`; inside, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Probability(pub f64);

impl FromStr for Probability {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_percent(text, "a share, such as \"2%\"", 1.0, "100%").map(Self)
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_percent(self.0, f)
    }
}

/// A ratio that may exceed one, from `"0%"` to `"1000%"`; inside, from 0 to 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Ratio(pub f64);

impl FromStr for Ratio {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        parse_percent(text, "a ratio, such as \"10%\"", GREATEST_RATIO, "1000%").map(Self)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_percent(self.0, f)
    }
}

/// Events per time: `"0.1/s"`, `"6/min"`, `"1/10s"`. Inside, the mean interval in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The mean time between two events; never zero.
    pub interval: SimDuration,
}

impl Rate {
    const EXPECTED: &'static str = "a rate, such as \"0.1/s\", \"6/min\" or \"1/10s\"";

    fn not_a_rate(text: &str) -> UnitError {
        UnitError::NotANumber { text: text.to_owned(), expected: Self::EXPECTED }
    }

    /// The length of what follows the slash, a bare unit being one of it.
    fn period(text: &str, per: &str) -> Result<u64, UnitError> {
        let per = per.trim();
        let whole = if per.starts_with(|c: char| c.is_ascii_digit()) {
            Cow::from(per)
        } else {
            Cow::from(format!("1{per}"))
        };
        let nanos = whole.parse::<Duration>()?.0.as_nanos();
        if nanos == 0 { Err(Self::not_a_rate(text)) } else { Ok(nanos) }
    }
}

impl FromStr for Rate {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let Some((count, per)) = text.split_once('/') else {
            return Err(match Decimal::split(text) {
                Some(number) if number.unit.is_empty() => UnitError::MissingUnit {
                    number: number.text.to_owned(),
                    example: format!("\"{0}/s\" or \"{0}/h\"", number.text),
                },
                _ => Self::not_a_rate(text),
            });
        };
        let number = Decimal::split(count).ok_or_else(|| Self::not_a_rate(text))?;
        if !number.unit.is_empty() || per.trim().is_empty() {
            return Err(Self::not_a_rate(text));
        }
        if number.is_zero() {
            return Err(UnitError::ZeroRate { text: text.to_owned() });
        }
        if number.negative {
            return Err(UnitError::Negative { text: text.to_owned() });
        }
        let period = Self::period(text, per)?;
        let scaled = u128::from(period) * 10_u128.pow(number.decimals.min(18));
        let nanos = (scaled + number.digits / 2) / number.digits;
        match u64::try_from(nanos) {
            Ok(0) => Err(UnitError::TooLarge { text: text.to_owned(), limit: "one a nanosecond" }),
            Ok(nanos) if nanos <= LONGEST => Ok(Self { interval: SimDuration::from_nanos(nanos) }),
            _ => Err(UnitError::ZeroRate { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}", Duration(self.interval))
    }
}

/// Reading, writing and describing a quantity through its text.
macro_rules! quantity_as_text {
    ($type:ident, $kind:literal, $pattern:literal, $example:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "x-kind": $kind,
                    "pattern": $pattern,
                    "examples": [$example],
                })
            }
        }
    };
}

quantity_as_text!(
    Duration,
    "duration",
    r"^\s*\+?[0-9]+(\.[0-9]+)?\s*(ns|us|µs|ms|s|m|min|h|d)\s*$",
    "60s"
);
quantity_as_text!(Probability, "share", r"^\s*\+?[0-9]+(\.[0-9]+)?\s*%\s*$", "2%");
quantity_as_text!(Ratio, "ratio", r"^\s*\+?[0-9]+(\.[0-9]+)?\s*%\s*$", "10%");
quantity_as_text!(
    Rate,
    "rate",
    r"^\s*\+?[0-9]+(\.[0-9]+)?\s*/\s*([0-9]+(\.[0-9]+)?)?\s*[a-zµ]+\s*$",
    "0.1/s"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_exactly_and_write_back_the_same() {
        let cases: [(&str, u64, &str); 12] = [
            ("60s", 60 * SECOND, "60s"),
            ("1.5h", 5_400 * SECOND, "90m"),
            ("40ms", 40_000_000, "40ms"),
            ("250us", 250_000, "250us"),
            ("250µs", 250_000, "250us"),
            ("1d", 86_400 * SECOND, "1d"),
            ("2m", 120 * SECOND, "120s"),
            ("10 min", 600 * SECOND, "10m"),
            ("0s", 0, "0s"),
            ("-0s", 0, "0s"),
            // 0.1 has no binary form, a decimal reader does not care.
            ("0.1s", 100_000_000, "100ms"),
            // Half a nanosecond goes up.
            ("1.5ns", 2, "2ns"),
        ];
        for (text, nanos, written) in cases {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.0.as_nanos(), nanos, "{text}");
            assert_eq!(duration.to_string(), written);
            assert_eq!(written.parse::<Duration>().unwrap(), duration);
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        let cases = [
            ("60", "60 has no unit: write \"60s\", \"60ms\" or \"60h\""),
            ("-1s", "-1s is negative"),
            // 101 * 365 days.
            ("36865d", "36865d is more than 100 years"),
            ("99999999999999999999999h", "99999999999999999999999h is more than 100 years"),
            ("NaN", "`NaN` is not a duration, such as \"60s\", \"1.5h\" or \"40ms\""),
            ("inf", "`inf` is not a duration, such as \"60s\", \"1.5h\" or \"40ms\""),
            ("", "`` is not a duration, such as \"60s\", \"1.5h\" or \"40ms\""),
            ("1.s", "`1.s` is not a duration, such as \"60s\", \"1.5h\" or \"40ms\""),
            ("1e3s", "`e3s` is not a unit of time; the units are ns, us, ms, s, m, h and d"),
            ("3 weeks", "`weeks` is not a unit of time; the units are ns, us, ms, s, m, h and d"),
        ];
        for (text, message) in cases {
            assert_eq!(text.parse::<Duration>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn shares_are_percentages() {
        for (text, share, written) in [
            ("2%", 0.02, "2%"),
            ("7%", 0.07, "7%"),
            ("0%", 0.0, "0%"),
            ("100%", 1.0, "100%"),
            ("0.05 %", 0.0005, "0.05%"),
            ("12.5%", 0.125, "12.5%"),
        ] {
            let read: Probability = text.parse().unwrap();
            assert_eq!((read, read.to_string().as_str()), (Probability(share), written));
        }
        for (text, message) in [
            ("0.02", "0.02 has no unit: write \"0.02%\" (or the share times 100)"),
            ("101%", "101% is more than 100%"),
            ("-1%", "-1% is negative"),
            ("2s", "`s` is not a unit of a share; the units are %"),
            ("x", "`x` is not a share, such as \"2%\""),
        ] {
            assert_eq!(text.parse::<Probability>().unwrap_err().to_string(), message);
        }
        assert_eq!("150%".parse(), Ok(Ratio(1.5)));
        assert!("1001%".parse::<Ratio>().is_err());
    }

    #[test]
    fn rates_are_intervals() {
        for (text, nanos, written) in [
            ("0.1/s", 10 * SECOND, "1/10s"),
            ("6/min", 10 * SECOND, "1/10s"),
            ("1/10s", 10 * SECOND, "1/10s"),
            ("2 / h", 1_800 * SECOND, "1/30m"),
            // 10^9 / 3 ns, rounded.
            ("3/s", 333_333_333, "1/333333333ns"),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!(rate.interval.as_nanos(), nanos, "{text}");
            assert_eq!(rate.to_string(), written);
            assert_eq!(written.parse::<Rate>().unwrap(), rate);
        }
        let not = |text: &str| {
            format!("`{text}` is not a rate, such as \"0.1/s\", \"6/min\" or \"1/10s\"")
        };
        for (text, message) in [
            ("0.1", "0.1 has no unit: write \"0.1/s\" or \"0.1/h\"".to_owned()),
            ("0/s", "0/s is never: leave the key out instead".to_owned()),
            ("-1/s", "-1/s is negative".to_owned()),
            ("1/0s", not("1/0s")),
            ("1/", not("1/")),
            ("often", not("often")),
            ("9999999999/s", "9999999999/s is more than one a nanosecond".to_owned()),
            (
                "1/parsec",
                "`parsec` is not a unit of time; the units are ns, us, ms, s, m, h and d"
                    .to_owned(),
            ),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap_err().to_string(), message, "{text}");
        }
    }
}
