//! What files about the network have in common: delays, places of words, and what can be wrong.

use thiserror::Error;

use crate::time::SimDuration;
use crate::units::Duration;

/// An error in a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct FileError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub kind: FileFault,
}

/// What is wrong at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileFault {
    /// Bytes that are not UTF-8.
    #[error("this is not text (byte {byte:#04x} is not UTF-8); is the file compressed?")]
    NotText {
        /// The first such byte.
        byte: u8,
    },
    /// No XML, or none that is well-formed.
    #[error("this is not well-formed XML: {0}")]
    Xml(String),
    /// XML of another kind.
    #[error("expected <graphml>, found <{0}>")]
    NotGraphMl(String),
    /// An element without an attribute that it needs.
    #[error("<{element}> has no attribute `{attribute}`")]
    NoAttribute {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// Edges with more than two ends.
    #[error("a <hyperedge> is no link between two routers")]
    Hyperedge,
    /// No weight of this name is declared for edges.
    #[error("no <key> for edges has attr.name=\"{weight}\"; there are: {known}")]
    NoKey {
        /// The name that was looked for.
        weight: String,
        /// The names that there are.
        known: String,
    },
    /// An edge without the weight.
    #[error("the edge from `{from}` to `{to}` has no `{weight}`, and there is no default")]
    NoWeight {
        /// One end.
        from: String,
        /// The other.
        to: String,
        /// The name of the weight.
        weight: String,
    },
    /// Something else than a delay.
    #[error(
        "expected a delay, in milliseconds or with a unit, such as `12.5` or `12.5ms`, found `{0}`"
    )]
    Delay(String),
    /// Something else than a number.
    #[error("expected a number of milliseconds, found `{0}`")]
    Number(String),
    /// A vertex that is not there.
    #[error("there is no node `{0}`")]
    UnknownVertex(String),
    /// A name that is there already.
    #[error("`{0}` is there already")]
    Twice(String),
    /// A row of another length.
    #[error("expected {expected}, found {found} of them")]
    Row {
        /// In words.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// A column that the file cannot have.
    #[error("unknown column `{0}`; there are `host`, `x_ms`, `y_ms`, `z_ms` and `height_ms`")]
    UnknownColumn(String),
    /// No column for a direction.
    #[error("the header names no column `{0}`")]
    NoColumn(&'static str),
    /// Nothing is in the file.
    #[error("the file has no {0}")]
    Empty(&'static str),
    /// Too much is in the file.
    #[error("there are {found} nodes; {most} are the most")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there can be.
        most: usize,
    },
    /// A graph in pieces.
    #[error("no way leads from `{from}` to `{to}`")]
    Unconnected {
        /// A vertex.
        from: String,
        /// One that cannot be reached from it.
        to: String,
    },
}

/// The bytes of a file as text.
pub(super) fn text(bytes: &[u8]) -> Result<&str, FileError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (good, rest) = bytes.split_at(error.valid_up_to());
        let good = std::str::from_utf8(good).expect("the checker said that it is valid up to here");
        error_at(good, good.len(), FileFault::NotText { byte: rest[0] })
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// An error at this offset of a text.
pub(super) fn error_at(text: &str, offset: usize, kind: FileFault) -> FileError {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    FileError {
        line: before.matches('\n').count() as u32 + 1,
        column: before[start..].chars().count() as u32 + 1,
        kind,
    }
}

/// A line that says something: its number from 1, without its comment.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let line = line.split_once('#').map_or(line, |(before, _)| before).trim_ascii_end();
        (!line.trim_ascii().is_empty()).then_some((number, line))
    })
}

/// An error at a part of a line.
pub(super) fn error_in((number, line): (u32, &str), part: &str, kind: FileFault) -> FileError {
    // Both point into the same line, so the distance of their addresses is an offset in it.
    let offset = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize).min(line.len());
    FileError { line: number, column: line[..offset].chars().count() as u32 + 1, kind }
}

/// A number of milliseconds, finite and not below `least`.
pub(super) fn millis(text: &str, least: f64) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= least && number <= 1e9).then_some(number)
}

/// So many milliseconds, to the nanosecond.
pub(super) fn span(millis: f64) -> SimDuration {
    SimDuration::from_nanos((millis * 1e6).round() as u64)
}

/// A delay: a bare number counts milliseconds.
pub(super) fn delay(text: &str) -> Option<SimDuration> {
    if let Some(number) = millis(text, 0.0) {
        return Some(span(number));
    }
    let dense: String = text.split_ascii_whitespace().collect();
    dense.parse::<Duration>().ok().map(|duration| duration.0)
}
