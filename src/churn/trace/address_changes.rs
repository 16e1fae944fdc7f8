//! Moments at which hosts kept their identity and changed their address.
//!
//! A table with a header, columns separated by commas, `#` begins a comment: `time_s`, in seconds
//! from the start of the trace, and who it was, in a column `host`, `node`, `id` or `fingerprint`.
//! The columns may stand in either order, the rows are in order of time.

use super::error::{TraceError, TraceErrorKind};
use super::scan::{Line, Word, lines, text};
use crate::time::SimTime;

/// A host has another address from this time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressChange {
    /// When.
    pub at: SimTime,
    /// Its name.
    pub host: String,
    /// The line that says so, from 1.
    pub line: u32,
    /// The column of its name, from 1.
    pub column: u32,
}

const TIME: &str = "time_s";
const NAMES: [&str; 4] = ["host", "node", "id", "fingerprint"];

/// Where the columns stand.
struct Columns {
    time: usize,
    host: usize,
}

/// Reads a whole file.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_address_changes(bytes: &[u8]) -> Result<Vec<AddressChange>, TraceError> {
    let mut lines = lines(text(bytes)?);
    let Some(first) = lines.next() else {
        let kind = TraceErrorKind::MissingColumn(TIME);
        return Err(TraceError { line: 1, column: 1, kind });
    };
    let columns = header(first)?;
    let mut changes: Vec<AddressChange> = Vec::new();
    for line in lines {
        let [one, other] = pair(line)?;
        let (time, host) = if columns.time < columns.host { (one, other) } else { (other, one) };
        let at = time.time()?;
        let previous = changes.last().map_or(SimTime::ZERO, |last| last.at);
        if at < previous {
            return Err(time.error(TraceErrorKind::OutOfOrder { at, previous }));
        }
        if host.text.is_empty() {
            return Err(host.unexpected("the name of a host"));
        }
        let (line, column) = host.place();
        changes.push(AddressChange { at, host: host.text.to_owned(), line, column });
    }
    Ok(changes)
}

fn header(line: Line<'_>) -> Result<Columns, TraceError> {
    let (mut time, mut host) = (None, None);
    for (place, word) in line.columns().enumerate() {
        let (known, column) = match NAMES.into_iter().find(|name| *name == word.text) {
            Some(name) => (&mut host, name),
            None if word.text == TIME => (&mut time, TIME),
            None => {
                let advice = format!("there are `{TIME}`, and `host` for who it was");
                let got = word.text.to_owned();
                return Err(word.error(TraceErrorKind::UnknownColumn { got, advice }));
            }
        };
        if known.replace(place).is_some() {
            return Err(word.error(TraceErrorKind::ColumnTwice(column)));
        }
    }
    let missing = |column| line.error_at_end(TraceErrorKind::MissingColumn(column));
    Ok(Columns {
        time: time.ok_or_else(|| missing(TIME))?,
        host: host.ok_or_else(|| missing("host"))?,
    })
}

fn pair(line: Line<'_>) -> Result<[Word<'_>; 2], TraceError> {
    let mut columns = line.columns();
    let one = columns.next().ok_or_else(|| line.ended("a row"))?;
    let other = columns.next().ok_or_else(|| line.ended("a second column, behind a comma"))?;
    match columns.next() {
        Some(more) => Err(more.unexpected("the end of the line")),
        None => Ok([one, other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_in_either_order_of_their_columns() {
        let change = |seconds, host: &str, (line, column)| AddressChange {
            at: SimTime::from_secs(seconds),
            host: host.to_owned(),
            line,
            column,
        };
        let expected = |places: [(u32, u32); 3]| {
            let whole = [(10, "042FE97A"), (10, "05C46D15"), (70, "042FE97A")];
            let pairs = whole.into_iter().zip(places);
            pairs.map(|((at, host), place)| change(at, host, place)).collect::<Vec<_>>()
        };
        let table = "# hourly\ntime_s,fingerprint\n10,042FE97A\n10.0, 05C46D15\n70,042FE97A\n";
        assert_eq!(
            parse_address_changes(table.as_bytes()).unwrap(),
            expected([(3, 4), (4, 7), (5, 4)])
        );
        let turned = "# hourly\nhost,time_s\n042FE97A,10\n05C46D15,10\n042FE97A,70 # again\n";
        assert_eq!(
            parse_address_changes(turned.as_bytes()).unwrap(),
            expected([(3, 1), (4, 1), (5, 1)])
        );
        assert_eq!(parse_address_changes(b"time_s,host\n").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (table, told) in [
            ("", "line 1, column 1: the header names no column `time_s`"),
            ("time_s\n", "line 1, column 7: the header names no column `host`"),
            (
                "time_s,relay\n",
                "line 1, column 8: unknown column `relay`; there are `time_s`, and `host` for who it was",
            ),
            ("host,time_s,id\n", "line 1, column 13: the column `id` is named twice"),
            (
                "time_s,host\n5\n",
                "line 2, column 2: expected a second column, behind a comma, got the end of the line",
            ),
            ("time_s,host\n5,a,b\n", "line 2, column 5: expected the end of the line, got `b`"),
            ("time_s,host\nsoon,a\n", "line 2, column 1: expected a time in seconds, got `soon`"),
            ("time_s,host\n5,\n", "line 2, column 3: expected the name of a host, got ``"),
        ] {
            let error = parse_address_changes(table.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), told, "{table}");
        }
        let back = parse_address_changes(b"time_s,host\n5,a\n4,b\n").unwrap_err();
        assert_eq!((back.line, back.column), (3, 1));
        assert!(matches!(back.kind, TraceErrorKind::OutOfOrder { .. }), "{back}");
    }
}
