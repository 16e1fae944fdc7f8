//! SPLAY's churn trace. See [`super::TraceFormat::Splay`] for its grammar.
//!
//! Peers have no names but their lines: they are called `peer-1` and so on. One with an odd count of
//! times stays to the end of the trace, which is the last time in the file.

use std::fmt::Write as _;

use super::error::TraceError;
use super::history::{History, close};
use super::scan::{SECONDS, lines};
use super::{AvailabilityTrace, End};
use crate::time::SimTime;

/// Reads a whole file.
pub(super) fn parse(text: &str, end: End) -> Result<AvailabilityTrace, TraceError> {
    let mut nodes = Vec::new();
    let mut last = SimTime::ZERO;
    for line in lines(text) {
        let mut node = History::new(format!("peer-{}", nodes.len() + 1));
        let mut previous = SimTime::ZERO;
        for word in line.words() {
            previous = word.change_after(previous, &node, SECONDS)?;
            node.toggle(previous);
        }
        last = last.max(previous);
        nodes.push(node);
    }
    close(nodes, end.or(last))
}

/// The trace for SPLAY. The sessions that run into its end are closed there; nodes that were never
/// up have no line.
pub(super) fn write(trace: &AvailabilityTrace) -> String {
    let mut file = String::new();
    for node in trace.nodes.iter().filter(|node| !node.sessions.is_empty()) {
        let changes = node.sessions.iter().flat_map(|session| [session.start, session.end]);
        for (place, at) in changes.enumerate() {
            let _ = write!(file, "{}{at}", if place == 0 { "" } else { " " });
        }
        file.push('\n');
    }
    file
}
