//! The AVT format, read and written. See [`super::TraceFormat::Avt`] for its grammar.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::error::{TraceError, TraceErrorKind};
use super::scan::{Line, Word, lines};
use super::write::comment_lines;
use super::{AvailabilityTrace, Session, TraceNode};

/// Reads a whole file.
pub(super) fn parse(text: &str) -> Result<AvailabilityTrace, TraceError> {
    let mut nodes = Vec::new();
    let mut empty_sessions = 0;
    let mut line_of: FxHashMap<&str, u32> = FxHashMap::default();
    for line in lines(text) {
        let (word, sessions) = node(line)?;
        let id = word.text;
        if let Some(first) = line_of.insert(id, line.number) {
            return Err(word.error(TraceErrorKind::NamedTwice { node: id.to_owned(), first }));
        }
        let written = sessions.len();
        let sessions: Vec<_> = sessions.into_iter().filter(|s| !s.length().is_zero()).collect();
        empty_sessions += (written - sessions.len()) as u64;
        nodes.push(TraceNode { name: id.to_owned(), sessions });
    }
    AvailabilityTrace::from_nodes(nodes, empty_sessions)
}

/// One line: the node's name and its sessions as written, empty ones included.
fn node<'a>(line: Line<'a>) -> Result<(Word<'a>, Vec<Session>), TraceError> {
    const COUNT: &str = "the number of sessions";
    let mut words = line.words();
    let name = words.next().ok_or_else(|| line.ended("the name of a node"))?;
    let id = name.text;
    let count_word = words.next().ok_or_else(|| line.ended(COUNT))?;
    let announced = count_word.count(COUNT)?;

    let mut sessions: Vec<Session> = Vec::new();
    while let Some(start_word) = words.next() {
        let start = start_word.time()?;
        let Some(end_word) = words.next() else {
            let values = 2 * sessions.len() as u64 + 1;
            let kind = TraceErrorKind::OddTimes { node: id.to_owned(), values };
            return Err(line.error_at_end(kind));
        };
        let session = Session { start, end: end_word.time()? };
        check_order(id, &sessions, session, start_word, end_word)?;
        sessions.push(session);
    }
    let found = sessions.len() as u64;
    if found != announced {
        let kind = TraceErrorKind::WrongCount { node: id.to_owned(), announced, found };
        return Err(count_word.error(kind));
    }
    Ok((name, sessions))
}

fn check_order(
    id: &str,
    before: &[Session],
    Session { start, end }: Session,
    start_word: Word<'_>,
    end_word: Word<'_>,
) -> Result<(), TraceError> {
    let node = || id.to_owned();
    let session = before.len() as u64 + 1;
    if end < start {
        let kind = TraceErrorKind::EndsBeforeStart { node: node(), session, start, end };
        return Err(end_word.error(kind));
    }
    match before.last() {
        Some(last) if start < last.end => {
            let kind = TraceErrorKind::Overlap { node: node(), session, start, end: last.end };
            Err(start_word.error(kind))
        }
        _ => Ok(()),
    }
}

/// The trace as an AVT file, each line of `comment` in front as a comment. Times are written in
/// full, so that reading the file gives the same trace (but for the count of empty sessions).
#[must_use]
pub fn to_avt(trace: &AvailabilityTrace, comment: &str) -> String {
    let mut file = comment_lines(comment);
    for node in &trace.nodes {
        file.push_str(&node.name);
        let _ = write!(file, "\t{}\t", node.sessions.len());
        for Session { start, end } in &node.sessions {
            let _ = write!(file, " {start} {end}");
        }
        file.push('\n');
    }
    file
}
