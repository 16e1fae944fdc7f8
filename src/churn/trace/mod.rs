//! Recorded availability: which host was up when.
//!
//! Seven formats are read and written, see [`TraceFormat`]. Whatever the format, a trace is a list
//! of nodes with their sessions in order, without overlap.
//!
//! * The *span* of a trace goes from 0 to the last end of a session. A session that ends there is
//!   *censored*: the measurement ended, not the session. (A host that really left at that very
//!   instant cannot be told apart, and is taken as censored.)
//! * A session of length zero says that nothing was seen of the host; it is left out and counted
//!   in [`AvailabilityTrace::empty_sessions`].
//! * A session that begins at the instant at which the one before ended stays a session of its
//!   own: a leave and a return at the same instant. Merging the two would change the number of
//!   leaves that the trace states; the simulation plays what [`super::TraceStats`] counts.

mod address_changes;
mod avt;
mod error;
mod events;
mod format;
mod fta;
mod history;
mod oversim;
mod p2psim;
mod scan;
mod simgrid;
mod splay;
mod write;

use rand::Rng;

use crate::rng::sample::uniform_u64;
use crate::rng::{NameHash, Purpose, stream};
use crate::time::{SimDuration, SimTime};

pub use address_changes::{AddressChange, parse_address_changes};
pub use avt::to_avt;
pub use error::{TraceError, TraceErrorKind};
pub use format::{FormatError, TraceFormat};
pub use simgrid::to_profile;
pub use write::{Loss, WriteError, Written, write};

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
    /// Commands of the file that say nothing of who is there, and were skipped.
    pub skipped: u64,
}

/// When the trace ends, where the file leaves that open and somebody else tells.
#[derive(Clone, Copy, Debug)]
struct End(Option<SimTime>);

impl End {
    /// The end, when the last that a file says is at `last`.
    fn or(self, last: SimTime) -> SimTime {
        self.0.unwrap_or(last)
    }
}

/// Reads a trace.
///
/// # Errors
/// When the bytes do not follow the grammar of the format, with line, column, and what was
/// expected there.
pub fn parse(bytes: &[u8], format: TraceFormat) -> Result<AvailabilityTrace, TraceError> {
    parse_until(bytes, format, None)
}

/// Reads a trace up to `span`: what comes later is cut off, and nodes that the file leaves up, or
/// repeats for ever, are up to then. Without it, they are up to the last that the file says.
///
/// # Errors
/// As [`parse`].
pub fn parse_until(
    bytes: &[u8],
    format: TraceFormat,
    span: Option<SimDuration>,
) -> Result<AvailabilityTrace, TraceError> {
    let text = scan::text(bytes)?;
    let end = End(span.map(|span| SimTime::ZERO + span));
    let trace = match format {
        TraceFormat::Avt => avt::parse(text),
        TraceFormat::Events => events::parse(text, end),
        TraceFormat::OverSim => oversim::parse(text, end),
        TraceFormat::Fta => fta::parse(text, end),
        TraceFormat::P2psim => p2psim::parse(text, end),
        TraceFormat::Splay => splay::parse(text, end),
        TraceFormat::SimGrid => {
            let profile = [("host".to_owned(), bytes.to_vec())];
            return parse_profiles(&profile, span).map_err(|(_, error)| error);
        }
    }?;
    match span {
        Some(span) => trace.cut(span),
        None => Ok(trace),
    }
}

/// Reads profiles of SimGrid, one a host, by the names of the hosts.
///
/// # Errors
/// As [`parse`], with the place of the profile. What only all of them tell is told of the first.
pub fn parse_profiles(
    profiles: &[(String, Vec<u8>)],
    span: Option<SimDuration>,
) -> Result<AvailabilityTrace, (usize, TraceError)> {
    let end = End(span.map(|span| SimTime::ZERO + span));
    let mut parsed = Vec::new();
    for (place, (name, bytes)) in profiles.iter().enumerate() {
        let profile = scan::text(bytes).and_then(|text| simgrid::parse(text, name));
        parsed.push(profile.map_err(|error| (place, error))?);
    }
    let last = parsed.iter().map(simgrid::Profile::last).max().unwrap_or(SimTime::ZERO);
    let mut nodes = Vec::new();
    for (place, profile) in parsed.iter().enumerate() {
        nodes.push(profile.history(end, last).map_err(|error| (place, error))?);
    }
    let trace = history::close(nodes, end.or(last)).map_err(|error| (0, error))?;
    match span {
        Some(span) => trace.cut(span).map_err(|error| (0, error)),
        None => Ok(trace),
    }
}

impl AvailabilityTrace {
    /// Whether the end of this session is the end of the measurement.
    #[must_use]
    pub fn is_censored(&self, session: Session) -> bool {
        session.end.since(SimTime::ZERO) >= self.span
    }

    /// The trace up to this span; as it is when it is shorter.
    fn cut(self, span: SimDuration) -> Result<Self, TraceError> {
        let end = SimTime::ZERO + span;
        let within = |node: TraceNode| {
            let seen = node.sessions.into_iter().filter(|session| session.start < end);
            let sessions = seen.map(|s| Session { end: s.end.min(end), ..s }).collect();
            TraceNode { sessions, ..node }
        };
        let nodes = self.nodes.into_iter().map(within).collect();
        let cut = Self::from_nodes(nodes, self.empty_sessions)?;
        Ok(Self { skipped: self.skipped, ..cut })
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
                return Ok(Self { nodes, span, empty_sessions, skipped: 0 });
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
