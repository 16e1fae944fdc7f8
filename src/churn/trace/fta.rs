//! The Failure Trace Archive's `event_trace.tab`. See [`super::TraceFormat::Fta`] for its grammar.
//!
//! A row is a state and how long it lasted. A node is a pair of platform and node number; it is
//! called by its `node_name` when every node has another one, and by `platform/node` otherwise. The
//! trace begins with the earliest row, up or down, whatever the epoch. Rows that say down only have
//! to fit in between; the trace still ends with its last session.

use std::fmt::Write as _;

use rustc_hash::FxHashMap;

use super::error::{TraceError, TraceErrorKind};
use super::history::{History, close};
use super::scan::{Line, Word, whole_lines};
use super::write::comment_lines;
use super::{AvailabilityTrace, End, Session};
use crate::time::SimTime;

const COLUMNS: [&str; 9] = [
    "event_id",
    "component_id",
    "node_id",
    "platform_id",
    "node_name",
    "event_type",
    "event_start_time",
    "event_stop_time",
    "event_end_reason",
];

/// Which field of a row is which column.
struct Header {
    places: [Option<usize>; 9],
    fields: usize,
}

/// A node while the file is read. Its times are still those of the epoch.
struct Reading<'a> {
    platform: &'a str,
    node: &'a str,
    name: &'a str,
    sessions: Vec<Session>,
    last: Option<Session>,
}

/// A row.
struct Row<'a> {
    platform: Word<'a>,
    node: Word<'a>,
    name: Option<Word<'a>>,
    up: bool,
    stretch: Session,
    start: Word<'a>,
    stop: Word<'a>,
}

/// Reads a whole file.
pub(super) fn parse(text: &str, end: End) -> Result<AvailabilityTrace, TraceError> {
    let mut header = Header { places: std::array::from_fn(Some), fields: COLUMNS.len() };
    let mut nodes: Vec<Reading<'_>> = Vec::new();
    let mut index_of: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    let mut origin = SimTime::MAX;
    for line in whole_lines(text) {
        if let Some(comment) = line.commented() {
            if names_a_column(comment) {
                header = Header::read(comment)?;
            }
            continue;
        }
        if nodes.is_empty() && names_a_column(line) {
            header = Header::read(line)?;
            continue;
        }
        let row = header.row(line)?;
        origin = origin.min(row.stretch.start);
        let index = *index_of.entry((row.platform.text, row.node.text)).or_insert_with(|| {
            nodes.push(Reading {
                platform: row.platform.text,
                node: row.node.text,
                name: row.name.map_or("", |name| name.text),
                sessions: Vec::new(),
                last: None,
            });
            nodes.len() - 1
        });
        nodes[index].add(&row)?;
    }
    let named = has_names(&nodes);
    let histories: Vec<_> = nodes.into_iter().map(|node| node.history(named, origin)).collect();
    close(histories, end.or(SimTime::ZERO))
}

/// Whether a line is the header: nobody else writes the name of a column.
fn names_a_column(line: Line<'_>) -> bool {
    line.fields().any(|field| COLUMNS.contains(&field.text))
}

impl Header {
    fn read(line: Line<'_>) -> Result<Self, TraceError> {
        let mut places = [None; 9];
        let mut fields = 0;
        for field in line.fields() {
            let Some(column) = COLUMNS.iter().position(|name| *name == field.text) else {
                let advice = advice(field.text);
                let kind = TraceErrorKind::UnknownColumn { got: field.text.to_owned(), advice };
                return Err(field.error(kind));
            };
            if places[column].replace(fields).is_some() {
                return Err(field.error(TraceErrorKind::ColumnTwice(COLUMNS[column])));
            }
            fields += 1;
        }
        // Of the others nothing is read.
        for needed in [2, 3, 5, 6, 7] {
            if places[needed].is_none() {
                return Err(line.error_at_end(TraceErrorKind::MissingColumn(COLUMNS[needed])));
            }
        }
        Ok(Self { places, fields })
    }

    fn row<'a>(&self, line: Line<'a>) -> Result<Row<'a>, TraceError> {
        const EVENT: &str = "the type of an event, 1 (up) or 0 (down)";
        let fields: Vec<Word<'a>> = line.fields().collect();
        if fields.len() != self.fields {
            let given =
                |(place, name): (&Option<usize>, &&'static str)| place.map(|at| (at, *name));
            let mut names: Vec<_> = self.places.iter().zip(&COLUMNS).filter_map(given).collect();
            names.sort_unstable();
            let names: Vec<&str> = names.into_iter().map(|(_, name)| name).collect();
            return Err(line.error_at_end(TraceErrorKind::Columns {
                expected: self.fields,
                names: names.join(", "),
                found: fields.len(),
            }));
        }
        let field = |column: usize| self.places[column].map(|place| fields[place]);
        let needed = |column: usize| field(column).expect("the header was checked for it");
        let (node, event, start, stop) = (needed(2), needed(5), needed(6), needed(7));
        if node.text.is_empty() {
            return Err(node.unexpected("the number of a node"));
        }
        let up = match event.text {
            "1" => true,
            "0" => false,
            _ => return Err(event.unexpected(EVENT)),
        };
        let stretch = Session { start: start.time()?, end: stop.time()? };
        Ok(Row { platform: needed(3), node, name: field(4), up, stretch, start, stop })
    }
}

fn advice(got: &str) -> String {
    let distance = |name: &&str| strsim::damerau_levenshtein(got, name);
    match COLUMNS.iter().min_by_key(|name| distance(name)) {
        Some(name) if distance(name) <= name.len() / 3 => format!("did you mean `{name}`?"),
        _ => format!("there are {}", COLUMNS.join(", ")),
    }
}

impl Reading<'_> {
    fn name(&self) -> String {
        format!("{}/{}", self.platform, self.node)
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), TraceError> {
        let Session { start, end } = row.stretch;
        if end < start {
            let kind = TraceErrorKind::RowEndsBeforeStart { node: self.name(), start, end };
            return Err(row.stop.error(kind));
        }
        if let Some(last) = self.last.filter(|last| start < last.end) {
            let (node, previous) = (self.name(), last.end);
            return Err(row.start.error(TraceErrorKind::RowOverlap { node, start, previous }));
        }
        self.last = Some(row.stretch);
        if row.up {
            self.sessions.push(row.stretch);
        }
        Ok(())
    }

    fn history(self, named: bool, origin: SimTime) -> History {
        let mut history = History::new(if named { self.name.to_owned() } else { self.name() });
        let from_start = |at: SimTime| SimTime::ZERO + at.since(origin);
        for Session { start, end } in self.sessions {
            history.record(from_start(start), from_start(end));
        }
        history
    }
}

/// Whether each node has a name of its own.
fn has_names(nodes: &[Reading<'_>]) -> bool {
    let mut seen: FxHashMap<&str, ()> = FxHashMap::default();
    let real = |name: &str| !name.is_empty() && !name.eq_ignore_ascii_case("null");
    let one_word = |name: &str| !name.contains(|c: char| c.is_whitespace() || c == '#');
    nodes
        .iter()
        .all(|node| real(node.name) && one_word(node.name) && seen.insert(node.name, ()).is_none())
}

/// The trace as such a table: of each node, all stretches from the start of the trace to its end, up
/// and down, as one platform.
pub(super) fn write(trace: &AvailabilityTrace, comment: &str) -> String {
    let mut file = comment_lines(comment);
    let _ = writeln!(file, "# {}", COLUMNS.join("\t"));
    let mut event = 0_u64;
    let end = SimTime::ZERO + trace.span;
    for (number, node) in (1_u64..).zip(&trace.nodes) {
        let mut row = |up: bool, start: SimTime, stop: SimTime| {
            if start < stop {
                event += 1;
                let (name, up) = (&node.name, u8::from(up));
                let _ = writeln!(
                    file,
                    "{event}\t{number}\t{number}\t1\t{name}\t{up}\t{start}\t{stop}\tNULL"
                );
            }
        };
        let mut done = SimTime::ZERO;
        for session in &node.sessions {
            row(false, done, session.start);
            row(true, session.start, session.end);
            done = session.end;
        }
        row(false, done, end);
    }
    file
}
