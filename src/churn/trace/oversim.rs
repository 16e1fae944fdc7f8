//! OverSim's `TraceChurn`. See [`super::TraceFormat::OverSim`] for its grammar.
//!
//! OverSim hands every command but a few of its own to the application of the node, so commands
//! that are none of `JOIN` and `LEAVE` say nothing of who is there: they are skipped and counted
//! in [`AvailabilityTrace::skipped`]. What is not in capitals, or nearly a `JOIN` or `LEAVE`, is
//! taken for a slip of the pen. The rest of a line after a command belongs to it.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::error::TraceError;
use super::history::{History, close};
use super::scan::{Line, Word, lines};
use super::write::changes;
use super::{AvailabilityTrace, End};
use crate::time::SimTime;

enum Command {
    Join,
    Leave,
    Other,
}

/// Reads a whole file.
pub(super) fn parse(text: &str, end: End) -> Result<AvailabilityTrace, TraceError> {
    let mut nodes: Vec<History> = Vec::new();
    let mut index_of: FxHashMap<u64, usize> = FxHashMap::default();
    let mut now = SimTime::ZERO;
    let mut skipped = 0;
    for line in lines(text) {
        let mut words = line.words();
        now = line.next_event_time(&mut words, now)?;
        let id = words.next().ok_or_else(|| line.ended(NUMBER))?;
        let number = number(id)?;
        let command = command(line, words.next())?;
        if matches!(command, Command::Other) {
            skipped += 1;
            continue;
        }
        line.expect_end(&mut words)?;
        let index = *index_of.entry(number).or_insert_with(|| {
            nodes.push(History::new(number.to_string()));
            nodes.len() - 1
        });
        match command {
            Command::Join => nodes[index].up(now),
            Command::Leave | Command::Other => nodes[index].down(now),
        }
        .map_err(|kind| id.error(kind))?;
    }
    let trace = close(nodes, end.or(now))?;
    Ok(AvailabilityTrace { skipped, ..trace })
}

const NUMBER: &str = "the number of a node, as C reads it: 22, 0x16 or 026";

/// The number of a node, by C's `strtol` with base 0: OverSim reads it so, and `0x1F` and `31` are
/// the same node.
fn number(word: Word<'_>) -> Result<u64, TraceError> {
    let text = word.text;
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match prefixed {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(word.unexpected(NUMBER));
    }
    u64::from_str_radix(digits, radix).map_err(|_| word.unexpected(NUMBER))
}

fn command(line: Line<'_>, word: Option<Word<'_>>) -> Result<Command, TraceError> {
    const COMMAND: &str = "`JOIN`, `LEAVE` or another command in capitals";
    let word = word.ok_or_else(|| line.ended(COMMAND))?;
    let capitals = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let close_to = |name: &str| strsim::damerau_levenshtein(word.text, name) == 1;
    match word.text {
        "JOIN" => Ok(Command::Join),
        "LEAVE" => Ok(Command::Leave),
        text if !text.bytes().all(capitals) || close_to("JOIN") || close_to("LEAVE") => {
            Err(word.unexpected(COMMAND))
        }
        _ => Ok(Command::Other),
    }
}

/// The trace for OverSim, which knows no comments. `names` are numbers.
pub(super) fn write(trace: &AvailabilityTrace, names: &[String]) -> String {
    let mut file = String::new();
    for (at, rank, up) in changes(trace) {
        let command = if up { "JOIN" } else { "LEAVE" };
        let _ = writeln!(file, "{at} {} {command}", names[rank]);
    }
    file
}
