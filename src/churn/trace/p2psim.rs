//! p2psim's churn file. See [`super::TraceFormat::P2psim`] for its grammar.
//!
//! A node whose last change brings it up stays to the end of the trace, which is the last change of
//! any node. (p2psim also keeps its well-known node up, whatever the file says; that is the
//! experiment's, not the trace's, and not done here.)

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::error::{TraceError, TraceErrorKind};
use super::history::{History, close};
use super::scan::{MILLISECONDS, lines};
use super::write::{WriteError, comment_lines};
use super::{AvailabilityTrace, End};
use crate::time::SimTime;

/// Reads a whole file.
pub(super) fn parse(text: &str, end: End) -> Result<AvailabilityTrace, TraceError> {
    const STATE: &str = "`alive` or `dead`";
    let mut nodes = Vec::new();
    let mut last = SimTime::ZERO;
    let mut line_of: FxHashMap<&str, u32> = FxHashMap::default();
    for line in lines(text) {
        let mut words = line.words();
        let id = words.next().ok_or_else(|| line.ended("the address of a node"))?;
        if let Some(first) = line_of.insert(id.text, line.number) {
            return Err(id.error(TraceErrorKind::NamedTwice { node: id.text.to_owned(), first }));
        }
        let mut node = History::new(id.text);
        let state = words.next().ok_or_else(|| line.ended(STATE))?;
        match state.text {
            "alive" => node.toggle(SimTime::ZERO),
            "dead" => {}
            _ => return Err(state.unexpected(STATE)),
        }
        let mut previous = SimTime::ZERO;
        for word in words {
            previous = word.change_after(previous, &node, MILLISECONDS)?;
            node.toggle(previous);
        }
        last = last.max(previous);
        nodes.push(node);
    }
    close(nodes, end.or(last))
}

/// The trace for p2psim, whose addresses are numbers. The sessions that run into its end are closed
/// there.
pub(super) fn write(
    trace: &AvailabilityTrace,
    names: &[String],
    comment: &str,
) -> Result<String, WriteError> {
    let mut file = comment_lines(comment);
    for (node, name) in trace.nodes.iter().zip(names) {
        let alive = node.sessions.first().is_some_and(|first| first.start == SimTime::ZERO);
        let _ = write!(file, "{name} {}", if alive { "alive" } else { "dead" });
        let changes = node.sessions.iter().flat_map(|session| [session.start, session.end]);
        for at in changes.skip(usize::from(alive)) {
            let nanos = at.as_nanos();
            if !nanos.is_multiple_of(MILLISECONDS.nanos) {
                return Err(WriteError::NotMilliseconds { node: node.name.clone(), at });
            }
            let _ = write!(file, " {}", nanos / MILLISECONDS.nanos);
        }
        file.push('\n');
    }
    Ok(file)
}
