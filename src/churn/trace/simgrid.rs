//! SimGrid's state profile: one host a file. See [`super::TraceFormat::SimGrid`] for its grammar.
//!
//! A host is on until its profile says otherwise. A profile that repeats does so for ever, and one
//! that leaves its host on does not say for how long: both need to be told when the trace ends.

use std::fmt::Write as _;

use super::error::{TraceError, TraceErrorKind};
use super::history::History;
use super::scan::{Line, SECONDS, Word, lines};
use super::write::comment_lines;
use super::{End, Session, TraceNode};
use crate::time::{SimDuration, SimTime};

/// A profile that was read.
#[derive(Debug)]
pub(super) struct Profile {
    name: String,
    changes: Vec<(SimTime, bool)>,
    period: Option<Period>,
}

/// After how long a profile comes again, and where that is written, by line and column.
#[derive(Clone, Copy, Debug)]
struct Period {
    length: SimDuration,
    place: (u32, u32),
}

/// A profile that changes more often, its repetitions counted, is a slip of the pen.
const MOST_CHANGES: u64 = 1_000_000;

/// How a profile repeats, as it is written.
#[derive(Clone, Copy)]
enum Repeat<'a> {
    /// So long after its last change its time 0 comes again.
    After(SimDuration, Word<'a>),
    /// So long after its time 0, that comes again.
    Every(SimDuration, Word<'a>),
}

/// Reads the profile of a host.
pub(super) fn parse(text: &str, name: &str) -> Result<Profile, TraceError> {
    let mut changes: Vec<(SimTime, bool)> = Vec::new();
    let mut repeat = None;
    let node = History::new(name);
    let mut previous = SimTime::ZERO;
    for line in lines(text) {
        let mut words = line.words();
        let Some(first) = words.next() else { continue };
        match first.text {
            text if text.starts_with('%') => continue,
            "STOCHASTIC" => return Err(first.error(TraceErrorKind::Stochastic)),
            "LOOPAFTER" | "PERIODICITY" => {
                let span = words.next().ok_or_else(|| line.ended("a time in seconds"))?;
                let length = span.time()?.since(SimTime::ZERO);
                repeat = Some(match first.text {
                    "LOOPAFTER" => Repeat::After(length, span),
                    _ => Repeat::Every(length, span),
                });
            }
            _ => {
                previous = first.change_after(previous, &node, SECONDS)?;
                changes.push((previous, state(line, words.next())?));
            }
        }
        line.expect_end(&mut words)?;
    }
    let last = previous.since(SimTime::ZERO);
    let period = match repeat {
        None => None,
        Some(Repeat::Every(period, word)) if period < last || period.is_zero() => {
            return Err(word.error(TraceErrorKind::ShortPeriod { period, last: previous }));
        }
        Some(Repeat::Every(length, word)) => Some(Period { length, place: word.place() }),
        // All at time 0 and again without a pause: nothing would ever happen.
        Some(Repeat::After(pause, _)) if last.saturating_add(pause).is_zero() => None,
        Some(Repeat::After(pause, word)) => {
            Some(Period { length: last.saturating_add(pause), place: word.place() })
        }
    };
    Ok(Profile { name: name.to_owned(), changes, period })
}

fn state(line: Line<'_>, word: Option<Word<'_>>) -> Result<bool, TraceError> {
    const STATE: &str = "the state of the host, `0` or `1`";
    let word = word.ok_or_else(|| line.ended(STATE))?;
    // SimGrid reads a number: 1.0 is the same.
    let (whole, fraction) = word.text.split_once('.').unwrap_or((word.text, ""));
    match whole {
        "0" | "1" if fraction.bytes().all(|digit| digit == b'0') => Ok(whole == "1"),
        _ => Err(word.unexpected(STATE)),
    }
}

impl Profile {
    /// Its last change, were it not repeated.
    pub(super) fn last(&self) -> SimTime {
        self.changes.last().map_or(SimTime::ZERO, |(at, _)| *at)
    }

    /// The host up to `end`, or up to `last` when nobody says how long the trace is.
    pub(super) fn history(&self, end: End, last: SimTime) -> Result<History, TraceError> {
        let endless = TraceError { line: 1, column: 1, kind: TraceErrorKind::Endless };
        let end = match (end.0, self.period) {
            (Some(end), _) => end,
            (None, Some(_)) => return Err(endless),
            (None, None) => last,
        };
        let mut node = History::new(self.name.as_str());
        let first = self.changes.iter().rev().find(|(at, _)| *at == SimTime::ZERO);
        if first.is_none_or(|(_, up)| *up) {
            node.toggle(SimTime::ZERO);
        }
        if let Some(Period { length, place: (line, column) }) = self.period {
            let repeats = end.as_nanos() / length.as_nanos();
            if repeats.saturating_mul(self.changes.len() as u64) > MOST_CHANGES {
                return Err(TraceError { line, column, kind: TraceErrorKind::TooOften });
            }
        }
        let mut base = SimDuration::ZERO;
        loop {
            for (at, up) in &self.changes {
                let at = at.saturating_add(base);
                if at < end && *up != node.is_up() {
                    node.toggle(at);
                }
            }
            match self.period {
                Some(Period { length, .. })
                    if SimTime::ZERO.saturating_add(base.saturating_add(length)) < end =>
                {
                    base += length;
                }
                _ => return Ok(node),
            }
        }
    }
}

/// The profile of a node. SimGrid's hosts are on at the start, and stay as they are at the end.
#[must_use]
pub fn to_profile(node: &TraceNode, comment: &str) -> String {
    let mut file = comment_lines(comment);
    if node.sessions.first().is_none_or(|first| first.start > SimTime::ZERO) {
        file.push_str("0 0\n");
    }
    for Session { start, end } in &node.sessions {
        if *start > SimTime::ZERO {
            let _ = writeln!(file, "{start} 1");
        }
        let _ = writeln!(file, "{end} 0");
    }
    file
}
