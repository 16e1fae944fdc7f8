//! Reading a baseline, or saying at which line and column it is not one.

use thiserror::Error;

use super::{Baseline, BaselineRow, POINT, RUNS};

/// What is wrong with a baseline, and where: line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}:{column}: {flaw}")]
pub struct BaselineError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What can be wrong with a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Flaw {
    /// It is not text.
    #[error("this is not UTF-8")]
    NotText,
    /// There is no line in it, or no row.
    #[error("the file ends here: expected {expected}")]
    Ends {
        /// What should come.
        expected: &'static str,
    },
    /// The last line has no end.
    #[error("the last line is cut off: it has no line end")]
    CutOff,
    /// The first line does not have the columns of a baseline.
    #[error("expected the column `{expected}`, found `{found}`")]
    Column {
        /// What should stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A column twice.
    #[error("the column `{name}` is there twice")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A line with too few or too many fields.
    #[error("{found} fields, where the first line has {expected}")]
    Fields {
        /// How many the first line has.
        expected: usize,
        /// How many this one has.
        found: usize,
    },
    /// A row with the number of another.
    #[error("expected point {expected}, found `{found}`")]
    Point {
        /// The number that should stand here.
        expected: usize,
        /// What stands here.
        found: String,
    },
    /// A field that does not hold what it should, or not as it is written here.
    #[error("{name}: expected {expected}, found `{found}`")]
    Field {
        /// The column.
        name: String,
        /// What should stand here.
        expected: String,
        /// What stands here.
        found: String,
    },
}

impl Baseline {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not in the form in which baselines are written.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let readable = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            at(&readable, readable.len(), Flaw::NotText)
        })?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(at(text, text.len(), Flaw::CutOff));
        }
        let mut records = Records::new(text);
        let ends = |expected| at(text, text.len(), Flaw::Ends { expected });
        let header = records.next().ok_or_else(|| ends("a line with the columns"))?;
        let columns = Columns::read(&header)?;
        let mut rows = Vec::new();
        for record in records {
            rows.push(columns.row(rows.len(), &record)?);
        }
        if rows.is_empty() {
            return Err(ends("a row for each point"));
        }
        Ok(Self { keys: columns.keys, metrics: columns.metrics, rows })
    }
}

/// What the first line says.
struct Columns {
    keys: Vec<String>,
    metrics: Vec<String>,
}

impl Columns {
    fn read(header: &Record<'_>) -> Result<Self, BaselineError> {
        let wrong = |index: usize, expected| {
            let found = header.fields.get(index).map_or("", String::as_str).to_owned();
            header.error(index, Flaw::Column { expected, found })
        };
        if header.fields.first().is_none_or(|first| first != POINT) {
            return Err(wrong(0, POINT));
        }
        let runs = header.fields.windows(2).position(|pair| pair == RUNS);
        let runs = runs.ok_or_else(|| wrong(1, RUNS[0]))?;
        for (index, name) in header.fields.iter().enumerate() {
            if header.fields[..index].contains(name) {
                return Err(header.error(index, Flaw::Twice { name: name.clone() }));
            }
        }
        let (keys, metrics) = (header.fields[1..runs].to_vec(), header.fields[runs + 2..].to_vec());
        Ok(Self { keys, metrics })
    }

    fn row(&self, point: usize, record: &Record<'_>) -> Result<BaselineRow, BaselineError> {
        let expected = 1 + self.keys.len() + RUNS.len() + self.metrics.len();
        let found = record.fields.len();
        if found != expected {
            return Err(record.error(found.min(expected), Flaw::Fields { expected, found }));
        }
        let field = |index: usize| record.fields[index].as_str();
        let wrong = |index: usize, name: &str, expected: &str| {
            let (name, expected) = (name.to_owned(), expected.to_owned());
            record.error(index, Flaw::Field { name, expected, found: field(index).to_owned() })
        };
        if field(0) != point.to_string() {
            let flaw = Flaw::Point { expected: point, found: field(0).to_owned() };
            return Err(record.error(0, flaw));
        }
        let at = 1 + self.keys.len();
        let runs = field(at)
            .parse()
            .ok()
            .filter(|runs: &usize| *runs > 0 && runs.to_string() == field(at));
        let fingerprint = u64::from_str_radix(field(at + 1), 16)
            .ok()
            .filter(|fingerprint| format!("{fingerprint:016x}") == field(at + 1));
        let mean = |(index, name): (usize, &String)| {
            let index = at + 2 + index;
            match field(index) {
                "" => Ok(None),
                text => match canonical(text) {
                    Some(written) if written == text => Ok(Some(written)),
                    Some(written) => Err(wrong(index, name, &format!("`{written}`"))),
                    None => Err(wrong(index, name, "a number")),
                },
            }
        };
        Ok(BaselineRow {
            values: record.fields[1..at].to_vec(),
            runs: runs.ok_or_else(|| wrong(at, RUNS[0], "a number above zero"))?,
            fingerprint: fingerprint
                .ok_or_else(|| wrong(at + 1, RUNS[1], "16 hexadecimal digits"))?,
            means: self.metrics.iter().enumerate().map(mean).collect::<Result<_, _>>()?,
        })
    }
}

/// The number that a text holds, as it is written here.
fn canonical(text: &str) -> Option<String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Some(number.to_string())
}

/// A line, which may go on over the next ones where a field is quoted.
struct Record<'a> {
    /// The whole text.
    text: &'a str,
    /// Where each field begins; last, where the line ends.
    starts: Vec<usize>,
    /// What the fields hold.
    fields: Vec<String>,
}

impl Record<'_> {
    /// A flaw at a field, or at the end of the line.
    fn error(&self, field: usize, flaw: Flaw) -> BaselineError {
        let last = self.starts.len() - 1;
        at(self.text, self.starts[field.min(last)], flaw)
    }
}

/// The lines of a text. Quoted fields are read as the `csv` crate writes them.
struct Records<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> Records<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, place: 0 }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.place >= self.text.len() {
            return None;
        }
        let mut record = Record { text: self.text, starts: vec![self.place], fields: Vec::new() };
        let mut field = String::new();
        let mut quoted = false;
        let rest = self.text[self.place..].char_indices().peekable();
        let mut rest = rest.map(|(offset, c)| (self.place + offset, c)).peekable();
        while let Some((index, c)) = rest.next() {
            match c {
                '"' if quoted && rest.peek().is_some_and(|(_, next)| *next == '"') => {
                    field.push('"');
                    rest.next();
                }
                '"' if quoted || field.is_empty() => quoted = !quoted,
                ',' if !quoted => {
                    record.fields.push(std::mem::take(&mut field));
                    record.starts.push(index + 1);
                }
                '\r' if !quoted && rest.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\n' if !quoted => {
                    record.fields.push(field);
                    record.starts.push(index);
                    self.place = index + 1;
                    return Some(record);
                }
                other => field.push(other),
            }
        }
        // A quote that never ends: what there is of the line, to be found wrong.
        record.fields.push(field);
        record.starts.push(self.text.len());
        self.place = self.text.len();
        Some(record)
    }
}

/// A flaw at a byte of a text.
fn at(text: &str, byte: usize, flaw: Flaw) -> BaselineError {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    BaselineError { line, column: before[line_start..].chars().count() + 1, flaw }
}
