//! Lines, words and numbers of a trace file, each with its place.

use super::error::{TraceError, TraceErrorKind};
use super::history::History;
use crate::time::SimTime;

/// What times are written in.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeUnit {
    /// Its length in nanoseconds, a power of ten.
    pub(super) nanos: u64,
    name: &'static str,
    expected: &'static str,
}

pub(super) const SECONDS: TimeUnit =
    TimeUnit { nanos: 1_000_000_000, name: "s", expected: "a time in seconds" };

pub(super) const MILLISECONDS: TimeUnit =
    TimeUnit { nanos: 1_000_000, name: "ms", expected: "a time in milliseconds" };

/// A word of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    line: Line<'a>,
}

/// A line that is neither blank nor a comment; what follows a `#` is cut off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u32,
    text: &'a str,
    /// The characters of the file's line that stand before `text`.
    before: u32,
}

/// The file as text, without the mark that some editors put in front.
pub(super) fn text(bytes: &[u8]) -> Result<&str, TraceError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (good, rest) = bytes.split_at(error.valid_up_to());
        let good = str::from_utf8(good).expect("the checker said that it is valid up to here");
        let line_start = good.rfind('\n').map_or(0, |at| at + 1);
        TraceError {
            line: good.matches('\n').count() as u32 + 1,
            column: good[line_start..].chars().count() as u32 + 1,
            kind: TraceErrorKind::NotText { byte: rest[0] },
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The lines that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().zip(1..).filter_map(|(line, number)| {
        let text = line.split_once('#').map_or(line, |(before, _)| before).trim_ascii_end();
        (!text.is_empty()).then_some(Line { number, text, before: 0 })
    })
}

/// All lines but blank ones, comments too, with the tabs at their ends.
pub(super) fn whole_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let lines = text.lines().zip(1..).map(|(text, number)| Line { number, text, before: 0 });
    lines.filter(|line| !line.text.trim_ascii().is_empty())
}

impl<'a> Line<'a> {
    /// Its fields between tabs, without blanks around them; they may be empty.
    pub(super) fn fields(self) -> impl Iterator<Item = Word<'a>> {
        self.text.split('\t').map(move |text| Word { text: text.trim_ascii(), line: self })
    }

    /// Its fields between commas, without blanks around them; they may be empty.
    pub(super) fn columns(self) -> impl Iterator<Item = Word<'a>> {
        self.text.split(',').map(move |text| Word { text: text.trim_ascii(), line: self })
    }

    /// The line behind the sign of a comment, if it begins with one.
    pub(super) fn commented(self) -> Option<Self> {
        // Columns go on counting from the start of the whole line.
        let behind = self.text.trim_ascii_start().strip_prefix('#')?;
        Some(Self { text: behind, before: self.before + self.width_before(behind), ..self })
    }

    /// The time of an event in a list that is sorted by time: its first word.
    pub(super) fn next_event_time(
        self,
        words: &mut impl Iterator<Item = Word<'a>>,
        previous: SimTime,
    ) -> Result<SimTime, TraceError> {
        let word = words.next().ok_or_else(|| self.ended(SECONDS.expected))?;
        let at = word.time()?;
        if at < previous {
            return Err(word.error(TraceErrorKind::OutOfOrder { at, previous }));
        }
        Ok(at)
    }

    /// That no more words follow.
    pub(super) fn expect_end(
        self,
        words: &mut impl Iterator<Item = Word<'a>>,
    ) -> Result<(), TraceError> {
        match words.next() {
            Some(more) => Err(more.unexpected("the end of the line")),
            None => Ok(()),
        }
    }

    /// The characters of this line before a part of it.
    fn width_before(self, part: &str) -> u32 {
        // Both point into the same line, so the distance of their addresses is an offset in it.
        let offset = part.as_ptr() as usize - self.text.as_ptr() as usize;
        self.text[..offset].chars().count() as u32
    }

    /// Its words.
    pub(super) fn words(self) -> impl Iterator<Item = Word<'a>> {
        self.text.split_ascii_whitespace().map(move |text| Word { text, line: self })
    }

    /// An error just behind its last word.
    pub(super) fn error_at_end(&self, kind: TraceErrorKind) -> TraceError {
        let column = self.before + self.text.chars().count() as u32 + 1;
        TraceError { line: self.number, column, kind }
    }

    /// That the line ends where something is expected.
    pub(super) fn ended(&self, expected: &'static str) -> TraceError {
        self.error_at_end(TraceErrorKind::EndOfLine { expected })
    }
}

impl Word<'_> {
    /// Where it stands: its line and column.
    pub(super) fn place(&self) -> (u32, u32) {
        (self.line.number, self.line.before + self.line.width_before(self.text) + 1)
    }

    /// An error here.
    pub(super) fn error(&self, kind: TraceErrorKind) -> TraceError {
        let (line, column) = self.place();
        TraceError { line, column, kind }
    }

    /// That something else is expected here.
    pub(super) fn unexpected(&self, expected: &'static str) -> TraceError {
        self.error(TraceErrorKind::Unexpected { expected, got: self.text.to_owned() })
    }

    /// The word as a count.
    pub(super) fn count(&self, expected: &'static str) -> Result<u64, TraceError> {
        if !self.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected(expected));
        }
        self.text.parse().map_err(|_| self.unexpected(expected))
    }

    /// The word as seconds, see [`Word::time_in`].
    pub(super) fn time(&self) -> Result<SimTime, TraceError> {
        self.time_in(SECONDS)
    }

    /// The word as a time, a decimal number without sign or exponent. Read as digits, not through
    /// floating point: exact to the nanosecond, digits beyond it are cut off.
    pub(super) fn time_in(&self, unit: TimeUnit) -> Result<SimTime, TraceError> {
        let (whole, fraction) = self.text.split_once('.').unwrap_or((self.text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !(digits(whole) && digits(fraction)) {
            return Err(self.unexpected(unit.expected));
        }
        let nanos = fraction
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(unit.nanos.ilog10() as usize)
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let whole: Option<u64> = whole.parse().ok();
        let too_late = || TraceErrorKind::TooLate { got: self.text.to_owned(), unit: unit.name };
        whole
            .and_then(|whole| whole.checked_mul(unit.nanos)?.checked_add(nanos))
            .map(SimTime::from_nanos)
            .ok_or_else(|| self.error(too_late()))
    }

    /// The word as the time of a node's next change, not before the previous one.
    pub(super) fn change_after(
        &self,
        previous: SimTime,
        node: &History,
        unit: TimeUnit,
    ) -> Result<SimTime, TraceError> {
        let at = self.time_in(unit)?;
        if at < previous {
            let node = node.name().to_owned();
            return Err(self.error(TraceErrorKind::Backwards { node, at, previous }));
        }
        Ok(at)
    }
}
