//! A limit: a comparison and a quantity.

use std::fmt;

use crate::metrics::codebook::Unit;
use crate::scenario::problem::BudgetFault;
use crate::units::{Duration, Probability, UnitError};

/// How a value must stand to the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// At most.
    AtMost,
    /// At least.
    AtLeast,
    /// Below.
    Below,
    /// Above.
    Above,
    /// Exactly.
    Exactly,
}

impl Comparison {
    /// Those of two signs before those that they begin with.
    const ALL: [Self; 5] = [Self::AtMost, Self::AtLeast, Self::Exactly, Self::Below, Self::Above];

    /// As it is written.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::Above => ">",
            Self::Exactly => "==",
        }
    }
}

/// A limit, in the unit of what it limits: seconds, shares of one, plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// How a value must stand to it.
    pub comparison: Comparison,
    /// The limit.
    pub value: f64,
    /// The limit as written, such as `120s`.
    pub text: String,
}

impl Limit {
    /// Reads a limit on something that counts `unit`.
    ///
    /// # Errors
    /// When there is no comparison, or no quantity of that unit behind it.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, BudgetFault> {
        let trimmed = text.trim();
        let begins = |it: &Comparison| trimmed.starts_with(it.sign());
        let comparison = Comparison::ALL.into_iter().find(begins).ok_or_else(|| {
            BudgetFault::NoComparison { found: text.to_owned(), example: example(unit) }
        })?;
        let quantity = trimmed[comparison.sign().len()..].trim();
        let value = quantity_of(quantity, unit).map_err(|why| BudgetFault::Quantity {
            expected: expected(unit),
            found: quantity.to_owned(),
            why,
            example: example(unit),
        })?;
        Ok(Self { comparison, value, text: quantity.to_owned() })
    }

    /// Whether a value keeps it.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::AtMost => value <= self.value,
            Comparison::AtLeast => value >= self.value,
            Comparison::Below => value < self.value,
            Comparison::Above => value > self.value,
            Comparison::Exactly => value == self.value,
        }
    }
}

/// As written: `<= 120s`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison.sign(), self.text)
    }
}

fn quantity_of(text: &str, unit: Unit) -> Result<f64, Option<UnitError>> {
    match unit {
        Unit::Seconds => Ok(text.parse::<Duration>()?.0.as_secs_f64()),
        Unit::Share => Ok(text.parse::<Probability>()?.0),
        _ => plain_number(text, unit == Unit::StandardErrors),
    }
}

/// A number without a unit. Only deviations can lie below zero.
fn plain_number(text: &str, signed: bool) -> Result<f64, Option<UnitError>> {
    // What else `f64` reads, `inf` and `nan`, limits nothing.
    let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number = Some(text).filter(|text| text.chars().all(is_part));
    let number = number.and_then(|text| text.parse::<f64>().ok()).filter(|it| it.is_finite());
    match number {
        None => Err(None),
        Some(number) if number < 0.0 && !signed => {
            Err(Some(UnitError::Negative { text: text.to_owned() }))
        }
        Some(number) => Ok(number),
    }
}

/// What a limit on something that counts `unit` must be.
const fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "a duration",
        Unit::Share => "a share",
        Unit::Hours => "a plain number, of hours",
        Unit::PerHour | Unit::MessagesPerHour => "a plain number, each hour",
        Unit::BytesPerHour => "a plain number, of bytes each hour",
        Unit::Bytes => "a plain number, of bytes",
        Unit::StandardErrors => "a plain number, of standard errors",
        _ => "a plain number",
    }
}

/// How such a limit may look.
const fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "\"<= 120s\"",
        Unit::Share => "\"<= 5%\"",
        Unit::StandardErrors => "\">= -3\"",
        _ => "\"<= 10\"",
    }
}
