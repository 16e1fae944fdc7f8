//! One node's changes, in the order in which a file tells them, until they are sessions.

use rustc_hash::FxHashMap;

use super::error::{TraceError, TraceErrorKind};
use super::{AvailabilityTrace, Session, TraceNode};
use crate::time::SimTime;

/// A node while its file is read.
#[derive(Clone, Debug)]
pub(super) struct History {
    name: String,
    sessions: Vec<Session>,
    up_since: Option<SimTime>,
    empty: u64,
}

impl History {
    /// A node that is down.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), sessions: Vec::new(), up_since: None, empty: 0 }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// It goes up.
    pub(super) fn up(&mut self, at: SimTime) -> Result<(), TraceErrorKind> {
        match self.up_since.replace(at) {
            None => Ok(()),
            Some(since) => Err(TraceErrorKind::AlreadyUp { node: self.name.clone(), since }),
        }
    }

    /// It goes down; a session of length zero is counted and left out.
    pub(super) fn down(&mut self, at: SimTime) -> Result<(), TraceErrorKind> {
        let Some(start) = self.up_since.take() else {
            return Err(TraceErrorKind::NotUp { node: self.name.clone() });
        };
        self.record(start, at);
        Ok(())
    }

    /// A whole session, of a node that is down.
    pub(super) fn record(&mut self, start: SimTime, end: SimTime) {
        if start < end {
            self.sessions.push(Session { start, end });
        } else {
            self.empty += 1;
        }
    }

    /// From up to down, or the other way.
    pub(super) fn toggle(&mut self, at: SimTime) {
        match self.up_since.take() {
            Some(start) => self.record(start, at),
            None => self.up_since = Some(at),
        }
    }
}

/// Nodes by their names, in the order in which they first occur.
#[derive(Debug, Default)]
pub(super) struct Histories<'a> {
    index_of: FxHashMap<&'a str, usize>,
    nodes: Vec<History>,
}

impl<'a> Histories<'a> {
    pub(super) fn of(&mut self, name: &'a str) -> &mut History {
        let index = *self.index_of.entry(name).or_insert_with(|| {
            self.nodes.push(History::new(name));
            self.nodes.len() - 1
        });
        &mut self.nodes[index]
    }

    pub(super) fn into_nodes(self) -> Vec<History> {
        self.nodes
    }
}

/// The trace of these nodes. Who is still up at `end` was up to then at least: such a session is
/// censored.
pub(super) fn close(nodes: Vec<History>, end: SimTime) -> Result<AvailabilityTrace, TraceError> {
    if end == SimTime::ZERO && nodes.iter().any(History::is_up) {
        return Err(TraceError { line: 1, column: 1, kind: TraceErrorKind::Endless });
    }
    let mut empty_sessions = 0;
    let close = |mut node: History| {
        if let Some(start) = node.up_since.take().filter(|start| *start <= end) {
            node.record(start, end);
        }
        empty_sessions += node.empty;
        TraceNode { name: node.name, sessions: node.sessions }
    };
    let nodes = nodes.into_iter().map(close).collect();
    AvailabilityTrace::from_nodes(nodes, empty_sessions)
}
