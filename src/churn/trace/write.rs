//! Traces written in the formats that they are read in.

use thiserror::Error;

use super::{AvailabilityTrace, TraceFormat, TraceNode, avt, events, fta, oversim, p2psim, splay};
use crate::time::SimTime;

/// A trace in some format, and what the format could not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub text: String,
    /// What got lost.
    pub lost: Vec<Loss>,
}

/// What a format cannot hold of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Loss {
    /// Nodes of which nothing happens have no line.
    #[error("{0} left out (nodes that were never up: the format has no line for them)")]
    NeverUp(usize),
    /// Names that are no numbers.
    #[error("the names of nodes are lost: the format knows numbers, counted here from 1")]
    Numbered,
    /// Names, where a node is its line.
    #[error("the names of nodes are lost: in this format a node is its line")]
    Unnamed,
}

/// A trace that a format cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A time between two milliseconds.
    #[error(
        "p2psim counts whole milliseconds, and a session of node `{node}` starts or ends at {at} s"
    )]
    NotMilliseconds {
        /// Its name.
        node: String,
        /// The time.
        at: SimTime,
    },
    /// A profile is of one host, and this is a trace of more.
    #[error("a profile of SimGrid is of one host: {nodes} nodes take a folder of profiles")]
    ProfileEach {
        /// How many.
        nodes: usize,
    },
}

/// Writes a trace, with each line of `comment` in front where the format has comments. What is
/// written and read again is the same trace, but for what is told as lost; the names of nodes
/// excepted, its order of nodes may be that of their first sessions.
///
/// # Errors
/// When the format cannot hold the trace, see [`WriteError`].
pub fn write(
    trace: &AvailabilityTrace,
    format: TraceFormat,
    comment: &str,
) -> Result<Written, WriteError> {
    let never_up = trace.nodes.iter().filter(|node| node.sessions.is_empty()).count();
    let never_up = (never_up > 0).then_some(Loss::NeverUp(never_up));
    let (text, lost) = match format {
        TraceFormat::Avt => (avt::to_avt(trace, comment), [None; 2]),
        TraceFormat::Events => (events::write(trace, comment), [never_up, None]),
        TraceFormat::Fta => (fta::write(trace, comment), [None; 2]),
        TraceFormat::OverSim => {
            let (names, lost) = numbers(trace);
            (oversim::write(trace, &names), [never_up, lost])
        }
        TraceFormat::P2psim => {
            let (names, lost) = numbers(trace);
            (p2psim::write(trace, &names, comment)?, [lost, None])
        }
        TraceFormat::Splay => (splay::write(trace), [never_up, Some(Loss::Unnamed)]),
        TraceFormat::SimGrid => match &trace.nodes[..] {
            [node] => (super::to_profile(node, comment), [None; 2]),
            nodes => return Err(WriteError::ProfileEach { nodes: nodes.len() }),
        },
    };
    Ok(Written { text, lost: lost.into_iter().flatten().collect() })
}

/// Names for simulators that keep a node's number in an `int`: those of the trace when it is as they
/// would write them, otherwise numbers from 1.
fn numbers(trace: &AvailabilityTrace) -> (Vec<String>, Option<Loss>) {
    let is_number = |node: &TraceNode| {
        let number = node.name.parse::<i32>();
        number.is_ok_and(|number| number > 0 && number.to_string() == node.name)
    };
    if trace.nodes.iter().all(is_number) {
        (trace.nodes.iter().map(|node| node.name.clone()).collect(), None)
    } else {
        ((1..=trace.nodes.len()).map(|number| number.to_string()).collect(), Some(Loss::Numbered))
    }
}

/// All arrivals (true) and leaves (false) by time, with the node's place. At one instant, a node's
/// own keep their order.
pub(super) fn changes(trace: &AvailabilityTrace) -> Vec<(SimTime, usize, bool)> {
    let of = |(rank, node): (usize, &TraceNode)| {
        let both =
            |session: &super::Session| [(session.start, rank, true), (session.end, rank, false)];
        node.sessions.iter().flat_map(both).collect::<Vec<_>>()
    };
    let mut changes: Vec<_> = trace.nodes.iter().enumerate().flat_map(of).collect();
    changes.sort_by_key(|(at, ..)| *at);
    changes
}

/// A text as lines of comment behind `#`.
pub(super) fn comment_lines(comment: &str) -> String {
    comment.lines().map(|line| format!("{}\n", format!("# {line}").trim_end())).collect()
}
