//! Recorded availability: which host was up when.
//!
//! Two formats are read, see [`TraceFormat`]. Whatever the format, a trace is a list of nodes with
//! their sessions in order, without overlap.
//!
//! * The *span* of a trace goes from 0 to the last end of a session. A session that ends there is
//!   *censored*: the measurement ended, not the session. (A host that really left at that very
//!   instant cannot be told apart, and is taken as censored.)
//! * A session of length zero says that nothing was seen of the host; it is left out and counted
//!   in [`AvailabilityTrace::empty_sessions`].
//! * A session that begins at the instant at which the one before ended stays a session of its
//!   own: a leave and a return at the same instant. Merging the two would change the number of
//!   leaves that the trace states; the simulation plays what [`super::TraceStats`] counts.

mod avt;
mod error;
mod events;
mod format;
mod scan;

use rand::Rng;

use crate::rng::sample::uniform_u64;
use crate::rng::{NameHash, Purpose, stream};
use crate::time::{SimDuration, SimTime};

pub use avt::to_avt;
pub use error::{TraceError, TraceErrorKind};
pub use format::{FormatError, TraceFormat};

/// A stretch of time in which a node was up: from `start` on, gone at `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The arrival.
    pub start: SimTime,
    /// The leave, later than the start; or the end of the trace.
    pub end: SimTime,
}

impl Session {
    /// How long it lasted.
    #[must_use]
    pub fn length(self) -> SimDuration {
        self.end.since(self.start)
    }
}

/// A node of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceNode {
    /// Its name in the file.
    pub name: String,
    /// In order, none empty, none overlapping; there may be none at all.
    pub sessions: Vec<Session>,
}

/// A recorded, or generated, trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailabilityTrace {
    /// In the order of the file.
    pub nodes: Vec<TraceNode>,
    /// From 0 to the last end of a session.
    pub span: SimDuration,
    /// Sessions of length zero that the file had and `nodes` has not.
    pub empty_sessions: u64,
}

/// Reads a trace.
///
/// # Errors
/// When the bytes do not follow the grammar of the format, with line, column, and what was
/// expected there.
pub fn parse(bytes: &[u8], format: TraceFormat) -> Result<AvailabilityTrace, TraceError> {
    let text = scan::text(bytes)?;
    match format {
        TraceFormat::Avt => avt::parse(text),
        TraceFormat::Events => events::parse(text),
    }
}

impl AvailabilityTrace {
    /// Whether the end of this session is the end of the measurement.
    #[must_use]
    pub fn is_censored(&self, session: Session) -> bool {
        session.end.since(SimTime::ZERO) >= self.span
    }

    /// The trace as it may have been when it was recorded by looking at all nodes every
    /// `sampling`: each arrival and each leave happened, uniformly, within the interval that ends
    /// at the moment at which it was seen. Without it, all leaves between two samples share one
    /// instant.
    ///
    /// An arrival stays after the leave that was seen before it, and a leave after its arrival was
    /// seen. What was seen at the start of the trace, and its end, stay. Each session has a random
    /// stream of its own, keyed by the node's name.
    #[must_use]
    pub fn spread(mut self, sampling: SimDuration, seed: u64) -> Self {
        let span = self.span;
        for node in &mut self.nodes {
            let entity = NameHash::of(&node.name);
            let mut seen_gone = SimTime::ZERO;
            for (index, session) in node.sessions.iter_mut().enumerate() {
                let mut rng = stream(seed, Purpose::Churn, entity);
                // Drawn intervals number their streams from zero: stay away from them.
                rng.set_stream(u64::MAX - index as u64);
                let seen = *session;
                session.start = within(&mut rng, sampling, seen_gone, seen.start);
                let end = within(&mut rng, sampling, seen.start, seen.end);
                if seen.end.since(SimTime::ZERO) < span {
                    session.end = end;
                }
                seen_gone = seen.end;
            }
        }
        self
    }

    /// Checks what only the whole file can tell.
    fn from_nodes(nodes: Vec<TraceNode>, empty_sessions: u64) -> Result<Self, TraceError> {
        let ends = nodes.iter().filter_map(|node| node.sessions.last()).map(|last| last.end);
        let kind = match ends.max() {
            Some(end) => {
                let span = end.since(SimTime::ZERO);
                return Ok(Self { nodes, span, empty_sessions });
            }
            None if nodes.is_empty() => TraceErrorKind::Empty,
            None => TraceErrorKind::NoSession,
        };
        Err(TraceError { line: 1, column: 1, kind })
    }
}

/// A uniform instant in (seen − sampling, seen], but after `earliest`; `seen` when nothing is left
/// of that.
fn within(rng: &mut impl Rng, sampling: SimDuration, earliest: SimTime, seen: SimTime) -> SimTime {
    let seen = seen.as_nanos();
    let before = earliest.as_nanos().max(seen.saturating_sub(sampling.as_nanos()));
    let first = before.saturating_add(1).min(seen);
    SimTime::from_nanos(uniform_u64(rng, first, seen))
}

#[cfg(test)]
mod tests;
