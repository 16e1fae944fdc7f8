//! The plain event list. See [`super::TraceFormat::Events`] for its grammar.
//!
//! A node that is still up after the last event has a censored session, which ends with the trace.

use std::fmt::Write as _;

use super::error::TraceError;
use super::history::{Histories, close};
use super::scan::{Line, Word, lines};
use super::write::{changes, comment_lines};
use super::{AvailabilityTrace, End};
use crate::time::SimTime;

enum Change {
    Up,
    Down,
}

/// Reads a whole file.
pub(super) fn parse(text: &str, end: End) -> Result<AvailabilityTrace, TraceError> {
    let mut nodes = Histories::default();
    let mut now = SimTime::ZERO;
    for line in lines(text) {
        let Event { at, id, change, word } = event(line, now)?;
        now = at;
        let node = nodes.of(id);
        match change {
            Change::Up => node.up(at),
            Change::Down => node.down(at),
        }
        .map_err(|kind| word.error(kind))?;
    }
    close(nodes.into_nodes(), end.or(now))
}

/// A line.
struct Event<'a> {
    at: SimTime,
    id: &'a str,
    change: Change,
    word: Word<'a>,
}

fn event(line: Line<'_>, previous: SimTime) -> Result<Event<'_>, TraceError> {
    const CHANGE: &str = "`up` or `down`";
    let mut words = line.words();
    let at = line.next_event_time(&mut words, previous)?;
    let id = words.next().ok_or_else(|| line.ended("the name of a node"))?.text;
    let word = words.next().ok_or_else(|| line.ended(CHANGE))?;
    let change = match word.text {
        "up" => Change::Up,
        "down" => Change::Down,
        _ => return Err(word.unexpected(CHANGE)),
    };
    line.expect_end(&mut words)?;
    Ok(Event { at, id, change, word })
}

/// The trace as such a list. The sessions that run into its end are closed there.
pub(super) fn write(trace: &AvailabilityTrace, comment: &str) -> String {
    let mut file = comment_lines(comment);
    for (at, rank, up) in changes(trace) {
        let change = if up { "up" } else { "down" };
        let _ = writeln!(file, "{at} {} {change}", trace.nodes[rank].name);
    }
    file
}
