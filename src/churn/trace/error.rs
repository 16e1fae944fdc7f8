//! What can be wrong with a trace file.

use thiserror::Error;

use crate::time::{SimDuration, SimTime};

/// An error in a trace file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct TraceError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub kind: TraceErrorKind,
}

/// What is wrong at a place of a trace file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceErrorKind {
    /// Bytes that are not UTF-8.
    #[error("this is not text (byte {byte:#04x} is not UTF-8); is the file compressed?")]
    NotText {
        /// The first such byte.
        byte: u8,
    },
    /// No line but comments and blank ones.
    #[error("the trace names no node")]
    Empty,
    /// Nodes, but none was ever up.
    #[error("no node of the trace was ever up")]
    NoSession,
    /// The line ends too early.
    #[error("expected {expected}, got the end of the line")]
    EndOfLine {
        /// In words.
        expected: &'static str,
    },
    /// Something else stands there.
    #[error("expected {expected}, got `{got}`")]
    Unexpected {
        /// In words.
        expected: &'static str,
        /// The word there.
        got: String,
    },
    /// A time that is none that can be simulated.
    #[error("`{got}` {unit} is too late: times reach to 18446744073 s, which is 584 years")]
    TooLate {
        /// The word there.
        got: String,
        /// What it counts.
        unit: &'static str,
    },
    /// A start without an end.
    #[error(
        "node `{node}` has {values} times, an odd number; each session needs a start and an end"
    )]
    OddTimes {
        /// Its name.
        node: String,
        /// How many.
        values: u64,
    },
    /// The announced number is not what follows.
    #[error("node `{node}` announces {announced} sessions, but {found} follow")]
    WrongCount {
        /// Its name.
        node: String,
        /// The number in the second column.
        announced: u64,
        /// The sessions on the line.
        found: u64,
    },
    /// An end before its start.
    #[error("session {session} of node `{node}` ends at {end} s, before its start at {start} s")]
    EndsBeforeStart {
        /// Its name.
        node: String,
        /// From 1.
        session: u64,
        /// As written.
        start: SimTime,
        /// As written.
        end: SimTime,
    },
    /// A start before the end of the session before.
    #[error(
        "session {session} of node `{node}` starts at {start} s, before session {previous} ended \
         at {end} s; sessions must be in order and must not overlap",
        previous = session - 1
    )]
    Overlap {
        /// Its name.
        node: String,
        /// From 1.
        session: u64,
        /// As written.
        start: SimTime,
        /// End of the session before.
        end: SimTime,
    },
    /// A second line for the same node.
    #[error("node `{node}` was already named on line {first}")]
    NamedTwice {
        /// Its name.
        node: String,
        /// Line of the first.
        first: u32,
    },
    /// An event before the one on the line above.
    #[error("the event is at {at} s, before the one at {previous} s; sort the file by time")]
    OutOfOrder {
        /// As written.
        at: SimTime,
        /// The event before.
        previous: SimTime,
    },
    /// `up` for a node that is up.
    #[error("node `{node}` goes up, but is up since {since} s")]
    AlreadyUp {
        /// Its name.
        node: String,
        /// Its last event.
        since: SimTime,
    },
    /// `down` for a node that is not up.
    #[error(
        "node `{node}` goes down, but is not up; a node that is up from the beginning needs an \
         `up` at 0"
    )]
    NotUp {
        /// Its name.
        node: String,
    },
    /// A change of a node before the one to its left, or above.
    #[error("node `{node}` changes at {at} s, before its change at {previous} s")]
    Backwards {
        /// Its name.
        node: String,
        /// As written.
        at: SimTime,
        /// The change before.
        previous: SimTime,
    },
    /// A row that ends before it starts.
    #[error("the row of node `{node}` stops at {end} s, before its start at {start} s")]
    RowEndsBeforeStart {
        /// Its name.
        node: String,
        /// As written.
        start: SimTime,
        /// As written.
        end: SimTime,
    },
    /// A row that starts before the one above of the same node stops.
    #[error(
        "the row of node `{node}` starts at {start} s, before the one above stops at {previous} s; \
         the rows of a node must be in order and must not overlap"
    )]
    RowOverlap {
        /// Its name.
        node: String,
        /// As written.
        start: SimTime,
        /// End of the row before.
        previous: SimTime,
    },
    /// Somebody is up, and nobody knows for how long.
    #[error(
        "the file does not say how long it lasts: what repeats for ever, or stays up with nothing \
         after it, needs an end (--span of `trace convert`)"
    )]
    Endless,
    /// A profile that would begin again before it is through.
    #[error(
        "the profile repeats every {period} s, but its last change is at {last} s; a period is \
         longer than 0 and reaches to the last change"
    )]
    ShortPeriod {
        /// As written.
        period: SimDuration,
        /// Its last change.
        last: SimTime,
    },
    /// A profile that repeats in no time.
    #[error("the profile changes more than 1,000,000 times up to the end of the trace")]
    TooOften,
    /// A profile of chance.
    #[error("the profile is drawn by chance; only those with fixed times can be read")]
    Stochastic,
    /// The wrong number of columns.
    #[error("expected the {expected} columns {names}, separated by tabs; got {found}")]
    Columns {
        /// How many there should be.
        expected: usize,
        /// Their names.
        names: String,
        /// How many there are.
        found: usize,
    },
    /// A column that the format does not have.
    #[error("unknown column `{got}`; {advice}")]
    UnknownColumn {
        /// As written.
        got: String,
        /// What may be meant, or what there is.
        advice: String,
    },
    /// A column that is named twice.
    #[error("the column `{0}` is named twice")]
    ColumnTwice(&'static str),
    /// A column that is needed.
    #[error("the header names no column `{0}`")]
    MissingColumn(&'static str),
}
