//! What every headline metric and every column of a study's tables means: unit, type, the better
//! direction, and a definition in one sentence.
//!
//! Tests hold it against [`headline`](crate::metrics::headline::headline) and against
//! [`Row::COLUMNS`](crate::metrics::tables::Row), so that neither can drift from the other. Two kinds
//! of columns are not in it, because scenarios name them: the keys that a sweep varies, which stand
//! behind `run` in `runs.csv` and behind `point` in `summary.csv`, and those of the tables that
//! figures were drawn from.

mod columns;
mod headline;

use std::fmt;
use std::sync::LazyLock;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// No number, or one that only names something.
    Nothing,
    /// Things.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// Seconds of simulated time.
    Seconds,
    /// Hours of simulated time.
    Hours,
    /// Events an hour.
    PerHour,
    /// Hops of an overlay look-up.
    Hops,
    /// Datagrams and TCP segments.
    Messages,
    /// Datagrams and TCP segments an hour.
    MessagesPerHour,
    /// Octets, IP and transport headers included.
    Bytes,
    /// Octets an hour, headers included.
    BytesPerHour,
    /// Standard errors of a mean.
    StandardErrors,
    /// That of the metric which the row is about.
    OfTheMetric,
}

impl Unit {
    /// A short word for tables; nothing where there is no unit.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Count => "count",
            Self::Share => "share",
            Self::Seconds => "s",
            Self::Hours => "h",
            Self::PerHour => "1/h",
            Self::Hops => "hops",
            Self::Messages => "messages",
            Self::MessagesPerHour => "messages/h",
            Self::Bytes => "B",
            Self::BytesPerHour => "B/h",
            Self::StandardErrors => "s.e.",
            Self::OfTheMetric => "the metric's",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// In which direction a metric gets better for those who run or use the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Better {
    /// The less the better.
    Lower,
    /// The more the better.
    Higher,
    /// It says what happened, not how well: churn, load, callers' habits.
    Neither,
}

impl Better {
    /// A word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Neither => "neither",
        }
    }
}

impl fmt::Display for Better {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A headline metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name: a column of `runs.csv`, a key of budgets.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// In which direction it gets better.
    pub better: Better,
    /// Its definition.
    pub about: String,
}

/// What the fields of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnKind {
    /// A whole number, not below zero.
    Integer,
    /// A number with a fraction.
    Number,
    /// Words.
    Text,
    /// `true` or `false`.
    Truth,
}

impl ColumnKind {
    /// A word for tables.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Truth => "truth",
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A column of a table of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The table, without `.csv`.
    pub table: &'static str,
    /// Its name.
    pub name: String,
    /// What its fields hold.
    pub kind: ColumnKind,
    /// What a number in it counts.
    pub unit: Unit,
    /// Its definition.
    pub about: String,
}

/// A table of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, without `.csv`.
    pub name: &'static str,
    /// What its rows are.
    pub about: &'static str,
}

/// What the definitions take as known.
pub const VALID: &str = "\
An address is *valid* while an up host has it that plays the proxy peer in the main overlay and can be
reached there. The *binding* is what the authority serves for the overlay's domain; a *departure* is
the end of its validity. A resolver is *stale* while it would answer without a valid address.";

static METRICS: LazyLock<Vec<Metric>> = LazyLock::new(headline::metrics);
static COMPARED: LazyLock<Vec<Metric>> = LazyLock::new(headline::compared);
static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(columns::columns);

/// Every headline metric, in the order of `runs.csv`. A run has those of them that its scenario
/// gives rise to.
#[must_use]
pub fn metrics() -> &'static [Metric] {
    &METRICS
}

/// The headline metric of this name.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Metric> {
    metrics().iter().find(|metric| metric.name == name)
}

/// What `comparison.csv` tells beside headline metrics.
#[must_use]
pub fn compared() -> &'static [Metric] {
    &COMPARED
}

/// The definition of what is told under this name: of a headline metric, of what is compared, or of a
/// part of the handover episodes, such as `detect`.
#[must_use]
pub fn definition(name: &str) -> Option<String> {
    let told = metric(name).or_else(|| compared().iter().find(|it| it.name == name));
    told.map(|it| it.about.clone()).or_else(|| headline::of_part(name))
}

/// The unit of a headline metric or of what is compared; nothing of what is neither.
#[must_use]
pub fn unit_of(name: &str) -> Unit {
    let compared = || compared().iter().find(|it| it.name == name);
    metric(name).or_else(compared).map_or(Unit::Nothing, |metric| metric.unit)
}

/// Every table that a study may write, in the order in which they are to be read.
#[must_use]
pub const fn tables() -> &'static [Table] {
    columns::TABLES
}

/// Every column of every table, table by table, in the order of the columns.
#[must_use]
pub fn columns() -> &'static [Column] {
    &COLUMNS
}

/// The columns of one table, in their order.
pub fn columns_of(table: &str) -> impl Iterator<Item = &'static Column> {
    columns().iter().filter(move |column| column.table == table)
}

#[cfg(test)]
mod tests;
