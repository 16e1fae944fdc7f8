//! What a run is, named by its content, and how its output is written down.
//!
//! A cell file is lines of comma-separated fields: a head (format, cell, seed, fingerprint), one
//! line a metric, one a row of each table, and a last line with the digest of all lines before it.
//! A file that was cut off, or in which anything was changed, does not carry the right digest.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::metrics::headline::Headline;
use crate::metrics::tables::{
    DepartureRow, ExchangeRow, Fields, HandoverRow, RequestRow, Row, RowError, RunOutput,
    SignallingRow, StaleRow, StoryRow, SubscriptionRow, TimelineRow, Told,
};
use crate::time::{SimDuration, SimTime};

/// The digest of this engine: of `src/` and `Cargo.lock`, made when it was built.
pub const ENGINE: &str = env!("OVERCORD_ENGINE");

/// Changes with the layout of a cell file.
const FORMAT: &str = "5";

/// The content hash of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceDigest(blake3::Hash);

impl TraceDigest {
    /// The digest of a trace's bytes.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(blake3::hash(content))
    }
}

impl fmt::Display for TraceDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_hex().fmt(f)
    }
}

/// One run of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSpec {
    /// Its number in the study, from 0: the order of all tables.
    pub run: u32,
    /// Its sweep point, from 0.
    pub point: u32,
    /// The values of the study's varied keys at that point, as they are to be shown.
    pub varied: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// What is before this is not counted.
    pub warmup: SimTime,
    /// What the run depends on beside its seed and trace: [`Scenario::identity`].
    ///
    /// [`Scenario::identity`]: crate::scenario::Scenario::identity
    pub identity: Arc<str>,
    /// Its trace, if it has one.
    pub trace: Option<TraceDigest>,
}

impl CellSpec {
    /// The cell's name: a hash of all that its output depends on.
    #[must_use]
    pub fn id(&self) -> CellId {
        self.id_with(ENGINE)
    }

    fn id_with(&self, engine: &str) -> CellId {
        let trace: &[u8] = self.trace.as_ref().map_or(&[], |digest| digest.0.as_bytes());
        let seed = self.seed.to_le_bytes();
        CellId(hash_parts(&[b"cell", engine.as_bytes(), self.identity.as_bytes(), trace, &seed]))
    }
}

/// Hashes parts so that no two lists of parts look the same: each with its length before it.
fn hash_parts(parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

/// The name of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellId(blake3::Hash);

/// 32 hexadecimal digits.
impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex()[..32])
    }
}

/// The name of a study: a hash of the list of its cells, and of what its points are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StudyId(blake3::Hash);

/// 16 hexadecimal digits.
impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex()[..16])
    }
}

/// One point of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyPoint {
    /// Its values of the varied keys, as they are to be shown.
    pub varied: Vec<String>,
    /// The effective scenario, with every default.
    pub effective: Arc<str>,
    /// What its runs depend on beside seed and trace.
    pub identity: Arc<str>,
    /// The seed of its first run; the next ones count up from it.
    pub seed: u64,
    /// What is before this is not counted.
    pub warmup: SimTime,
    /// How long a run is; `None` where nobody has said.
    pub duration: Option<SimDuration>,
    /// After how many departures a run ends before that, if it may.
    pub stop_after_departures: Option<u64>,
    /// Whether its state is to settle: nothing is scripted, told as a story or replayed.
    pub settles: bool,
    /// Its trace, if it has one.
    pub trace: Option<TraceDigest>,
}

/// All runs of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// The scenario's name, a slug: it names a folder.
    pub scenario: String,
    /// What it is about, in its own words; empty where it says nothing.
    pub description: String,
    /// The scenario as written.
    pub as_written: String,
    /// The keys that the sweep varies.
    pub varied: Vec<String>,
    /// The points, in their order.
    pub points: Vec<StudyPoint>,
    /// The runs, in their order: `cells[i].run == i`, points in their order, replications within.
    pub cells: Vec<CellSpec>,
}

impl Study {
    /// The study's name.
    #[must_use]
    pub fn id(&self) -> StudyId {
        let ids: Vec<_> = self.cells.iter().map(CellSpec::id).collect();
        let mut parts: Vec<&[u8]> = vec![b"study"];
        parts.extend(ids.iter().map(|id| id.0.as_bytes().as_slice()));
        // The same runs under other names are another study: its tables and figures differ.
        parts.push(b"varied");
        parts.extend(self.varied.iter().map(String::as_bytes));
        for point in &self.points {
            parts.push(b"point");
            parts.extend(point.varied.iter().map(String::as_bytes));
        }
        StudyId(hash_parts(&parts))
    }

    /// The cells of each sweep point, in their order.
    pub fn by_point(&self) -> impl Iterator<Item = &[CellSpec]> {
        self.cells.chunk_by(|a, b| a.point == b.point)
    }

    /// The same study with these replications: for each point, in its order, from which to which,
    /// counted from 0.
    #[must_use]
    pub fn with(&self, replications: &[Range<u32>]) -> Self {
        let mut cells = Vec::new();
        for ((number, point), replications) in (0..).zip(&self.points).zip(replications) {
            for replication in replications.clone() {
                let run = u32::try_from(cells.len()).expect("the number of runs was checked");
                cells.push(point.cell(run, number, replication));
            }
        }
        self.of_cells(cells)
    }

    fn of_cells(&self, cells: Vec<CellSpec>) -> Self {
        Self {
            scenario: self.scenario.clone(),
            description: self.description.clone(),
            as_written: self.as_written.clone(),
            varied: self.varied.clone(),
            points: self.points.clone(),
            cells,
        }
    }

    /// The same study with those of its runs, numbered anew, that are to be kept.
    #[must_use]
    pub fn part(&self, keep: impl Fn(&CellSpec) -> bool) -> Self {
        let kept = self.cells.iter().filter(|spec| keep(spec)).cloned();
        let cells = (0..).zip(kept).map(|(run, spec)| CellSpec { run, ..spec }).collect();
        self.of_cells(cells)
    }
}

impl StudyPoint {
    fn cell(&self, run: u32, point: u32, replication: u32) -> CellSpec {
        CellSpec {
            run,
            point,
            varied: self.varied.clone(),
            seed: self.seed.wrapping_add(replication.into()),
            warmup: self.warmup,
            identity: Arc::clone(&self.identity),
            trace: self.trace,
        }
    }
}

/// Why a cell file cannot be used; its run is simulated again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// The last line, with the digest, is not there.
    #[error("the file is cut off")]
    CutOff,
    /// The digest does not fit the lines.
    #[error("the file was changed: its digest is {got}, its last line says {expected}")]
    Changed {
        /// The digest of the lines.
        got: String,
        /// What the last line says.
        expected: String,
    },
    /// The digest fits, yet the file belongs to another cell or format.
    #[error("line {line} does not belong here: {content:?}")]
    Foreign {
        /// Its number, from 1.
        line: usize,
        /// What it says.
        content: String,
    },
    /// A row cannot be read.
    #[error("line {line}: {source}")]
    Row {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        source: RowError,
    },
}

const END: &str = "end,";

/// The text of a cell file, which depends on the output alone, and not on the run's number.
#[must_use]
pub fn encode(id: CellId, output: &RunOutput) -> String {
    let mut lines = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut line = |kind: &str, fields: &[String]| {
        let record = std::iter::once(kind).chain(fields.iter().map(String::as_str));
        lines.write_record(record).expect("writing to memory does not fail");
    };
    line("overcord-cell", &[FORMAT.to_owned()]);
    line("engine", &[ENGINE.to_owned()]);
    line("cell", &[id.to_string()]);
    line("seed", &[output.seed.to_string()]);
    line("fingerprint", &[format!("{:016x}", output.fingerprint)]);
    for (name, value) in output.headline.iter() {
        let value = value.map_or_else(String::new, |value| value.to_string());
        line("metric", &[name.to_owned(), value]);
    }
    fn rows<R: Row>(rows: &[R], line: &mut impl FnMut(&str, &[String])) {
        rows.iter().for_each(|row| line(R::TABLE, &row.fields()));
    }
    rows(&output.handovers, &mut line);
    rows(&output.stale, &mut line);
    rows(&output.requests, &mut line);
    rows(&output.departures, &mut line);
    rows(&output.signalling, &mut line);
    rows(&output.timeline, &mut line);
    rows(&output.told.lines, &mut line);
    rows(&output.told.exchanges, &mut line);
    rows(&output.told.subscriptions, &mut line);
    let bytes = lines.into_inner().expect("writing to memory does not fail");
    let mut text = String::from_utf8(bytes).expect("fields are text");
    let digest = blake3::hash(text.as_bytes()).to_hex();
    text.push_str(&format!("{END}{digest}\n"));
    text
}

/// Reads a cell file back, as run `run`.
///
/// # Errors
/// When the file is not whole, was changed, or is another cell's.
pub fn decode(id: CellId, run: u32, text: &str) -> Result<RunOutput, CellError> {
    let body = text.strip_suffix('\n').ok_or(CellError::CutOff)?;
    let last = body.rfind('\n').map_or(0, |newline| newline + 1);
    let expected = body[last..].strip_prefix(END).ok_or(CellError::CutOff)?;
    let got = blake3::hash(&text.as_bytes()[..last]).to_hex().to_string();
    if got != expected {
        return Err(CellError::Changed { got, expected: expected.to_owned() });
    }
    let mut output = RunOutput {
        run,
        seed: 0,
        fingerprint: 0,
        handovers: Vec::new(),
        stale: Vec::new(),
        requests: Vec::new(),
        departures: Vec::new(),
        signalling: Vec::new(),
        timeline: Vec::new(),
        told: Told::default(),
        headline: Headline::default(),
    };
    let lines = &text.as_bytes()[..last];
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(lines);
    for (number, record) in reader.records().enumerate() {
        let foreign = |content| CellError::Foreign { line: number + 1, content };
        let record = record.map_err(|error| foreign(error.to_string()))?;
        read_line(id, &record, number, &mut output)?;
    }
    Ok(output)
}

/// Adds what one line says to the output.
fn read_line(
    id: CellId,
    record: &csv::StringRecord,
    number: usize,
    output: &mut RunOutput,
) -> Result<(), CellError> {
    let line = number + 1;
    let foreign =
        || CellError::Foreign { line, content: record.iter().collect::<Vec<_>>().join(",") };
    fn row<R: Row>(record: &csv::StringRecord, line: usize) -> Result<R, CellError> {
        let mut fields = Fields::of::<R>(record, 1);
        R::from_fields(&mut fields).map_err(|source| CellError::Row { line, source })
    }
    let field = |index| record.get(index).ok_or_else(foreign);
    match field(0)? {
        "overcord-cell" if number == 0 && field(1)? == FORMAT => {}
        "engine" if field(1)? == ENGINE => {}
        "cell" if field(1)? == id.to_string() => {}
        "seed" => output.seed = field(1)?.parse().map_err(|_| foreign())?,
        "fingerprint" => {
            output.fingerprint = u64::from_str_radix(field(1)?, 16).map_err(|_| foreign())?;
        }
        "metric" => {
            let value = match field(2)? {
                "" => None,
                value => Some(value.parse().map_err(|_| foreign())?),
            };
            output.headline.push(field(1)?, value);
        }
        HandoverRow::TABLE => output.handovers.push(row(record, line)?),
        StaleRow::TABLE => output.stale.push(row(record, line)?),
        RequestRow::TABLE => {
            let request = share_caller(row(record, line)?, &output.requests);
            output.requests.push(request);
        }
        DepartureRow::TABLE => output.departures.push(row(record, line)?),
        SignallingRow::TABLE => output.signalling.push(row(record, line)?),
        TimelineRow::TABLE => output.timeline.push(row(record, line)?),
        StoryRow::TABLE => output.told.lines.push(row(record, line)?),
        ExchangeRow::TABLE => output.told.exchanges.push(row(record, line)?),
        SubscriptionRow::TABLE => output.told.subscriptions.push(row(record, line)?),
        _ => return Err(foreign()),
    }
    Ok(())
}

/// The request with the name of its domain taken from one of the last requests, if it is there: a
/// run has many requests and few domains.
fn share_caller(request: RequestRow, before: &[RequestRow]) -> RequestRow {
    let same = before.iter().rev().take(16).find(|it| it.caller == request.caller);
    match same {
        Some(same) => RequestRow { caller: Arc::clone(&same.caller), ..request },
        None => request,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, fake_requests, fake_story, spec};

    #[test]
    fn a_cell_is_named_by_everything_that_its_output_depends_on() {
        let base = spec(0, 7);
        assert_eq!(base.id(), spec(5, 7).id(), "its place in the study is not part of it");
        let others = [
            spec(0, 8).id(),
            CellSpec { identity: "duration = \"2h\"\n".into(), ..base.clone() }.id(),
            CellSpec { trace: Some(TraceDigest::of(b"0 up\n")), ..base.clone() }.id(),
            CellSpec { trace: Some(TraceDigest::of(b"0 down\n")), ..base.clone() }.id(),
            base.id_with("another engine"),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, base.id(), "{index}");
            assert!(!others[..index].contains(other), "{index}");
        }
        assert_eq!(base.id().to_string().len(), 32);
        assert_eq!(ENGINE.len(), 32);
    }

    #[test]
    fn a_cell_reads_back_as_it_was_written_under_another_number() {
        let id = spec(0, 7).id();
        let mut output = fake_output(&spec(0, 7));
        output.handovers[0].caller = "quoted, \"and\" split\nover lines".into();
        output.requests = fake_requests(7);
        output.departures = vec![DepartureRow { time: SimTime::from_secs(50) }];
        output.told = fake_story();
        let text = encode(id, &output);
        let read = decode(id, 3, &text).unwrap();
        let [first, .., last] = &read.requests[..] else { unreachable!("there are several") };
        assert!(Arc::ptr_eq(&first.caller, &last.caller), "the name is kept once");
        assert_eq!(read, RunOutput { run: 3, ..output });
    }

    #[test]
    fn what_is_not_whole_is_not_read() {
        let id = spec(0, 7).id();
        let text = encode(id, &fake_output(&spec(0, 7)));
        for end in 0..text.len() {
            assert!(decode(id, 0, &text[..end]).is_err(), "cut at {end}");
        }
        let edited = text.replacen("request", "lookup", 1);
        assert!(matches!(decode(id, 0, &edited), Err(CellError::Changed { .. })));
        let other = spec(0, 8).id();
        assert!(matches!(decode(other, 0, &text), Err(CellError::Foreign { line: 3, .. })));
    }
}
