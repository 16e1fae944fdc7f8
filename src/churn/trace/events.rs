//! The plain event list. See [`super::TraceFormat::Events`] for its grammar.
//!
//! A node that is still up after the last event has a censored session, which ends with the trace.

use rustc_hash::FxHashMap;

use super::error::{TraceError, TraceErrorKind};
use super::scan::{Line, lines};
use super::{AvailabilityTrace, Session, TraceNode};
use crate::time::SimTime;

/// A node while the file is read.
struct Reading {
    node: TraceNode,
    up_since: Option<SimTime>,
}

enum Change {
    Up,
    Down,
}

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<AvailabilityTrace, TraceError> {
    let mut nodes: Vec<Reading> = Vec::new();
    let mut index_of: FxHashMap<&str, usize> = FxHashMap::default();
    let mut now = SimTime::ZERO;
    let mut empty_sessions = 0;
    for line in lines(text) {
        let (at, id, change) = event(line, now)?;
        now = at;
        let index = *index_of.entry(id).or_insert_with(|| {
            let node = TraceNode { name: id.to_owned(), sessions: Vec::new() };
            nodes.push(Reading { node, up_since: None });
            nodes.len() - 1
        });
        let empty = nodes[index].apply(change, at).map_err(|kind| line.error_at_word(2, kind))?;
        empty_sessions += u64::from(empty);
    }
    let nodes = nodes.into_iter().map(|reading| {
        let (node, empty) = reading.close(now);
        empty_sessions += u64::from(empty);
        node
    });
    let nodes = nodes.collect();
    AvailabilityTrace::from_nodes(nodes, empty_sessions)
}

fn event(line: Line<'_>, previous: SimTime) -> Result<(SimTime, &str, Change), TraceError> {
    const CHANGE: &str = "`up` or `down`";
    let mut words = line.words();
    let time = words.next().ok_or_else(|| line.ended("a time in seconds"))?;
    let at = time.time()?;
    if at < previous {
        return Err(time.error(TraceErrorKind::OutOfOrder { at, previous }));
    }
    let id = words.next().ok_or_else(|| line.ended("the name of a node"))?.text;
    let word = words.next().ok_or_else(|| line.ended(CHANGE))?;
    let change = match word.text {
        "up" => Change::Up,
        "down" => Change::Down,
        _ => return Err(word.unexpected(CHANGE)),
    };
    match words.next() {
        Some(more) => Err(more.unexpected("the end of the line")),
        None => Ok((at, id, change)),
    }
}

impl Reading {
    /// Applies an event; true when it ended a session of length zero.
    fn apply(&mut self, change: Change, at: SimTime) -> Result<bool, TraceErrorKind> {
        match (change, self.up_since) {
            (Change::Up, None) => {
                self.up_since = Some(at);
                Ok(false)
            }
            (Change::Down, Some(start)) => {
                self.up_since = None;
                Ok(self.record(start, at))
            }
            (Change::Up, Some(since)) => {
                Err(TraceErrorKind::AlreadyUp { node: self.node.name.clone(), since })
            }
            (Change::Down, None) => Err(TraceErrorKind::NotUp { node: self.node.name.clone() }),
        }
    }

    fn record(&mut self, start: SimTime, end: SimTime) -> bool {
        if start < end {
            self.node.sessions.push(Session { start, end });
        }
        start == end
    }

    fn close(mut self, end: SimTime) -> (TraceNode, bool) {
        let empty = self.up_since.is_some_and(|start| self.record(start, end));
        (self.node, empty)
    }
}
