//! Lines, words and numbers of a trace file, each with its place.

use super::error::{TraceError, TraceErrorKind};
use crate::time::SimTime;

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
        (!text.is_empty()).then_some(Line { number, text })
    })
}

impl<'a> Line<'a> {
    /// Its words.
    pub(super) fn words(self) -> impl Iterator<Item = Word<'a>> {
        self.text.split_ascii_whitespace().map(move |text| Word { text, line: self })
    }

    /// An error at its n-th word, counted from 0, or behind the last one.
    pub(super) fn error_at_word(&self, n: usize, kind: TraceErrorKind) -> TraceError {
        match self.words().nth(n) {
            Some(word) => word.error(kind),
            None => self.error_at_end(kind),
        }
    }

    /// An error just behind its last word.
    pub(super) fn error_at_end(&self, kind: TraceErrorKind) -> TraceError {
        let column = self.text.chars().count() as u32 + 1;
        TraceError { line: self.number, column, kind }
    }

    /// That the line ends where something is expected.
    pub(super) fn ended(&self, expected: &'static str) -> TraceError {
        self.error_at_end(TraceErrorKind::EndOfLine { expected })
    }
}

impl Word<'_> {
    /// An error here.
    pub(super) fn error(&self, kind: TraceErrorKind) -> TraceError {
        // Both point into the same line, so the distance of their addresses is an offset in it.
        let offset = self.text.as_ptr() as usize - self.line.text.as_ptr() as usize;
        let column = self.line.text[..offset].chars().count() as u32 + 1;
        TraceError { line: self.line.number, column, kind }
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

    /// The word as seconds, a decimal number without sign or exponent. Read as digits, not through
    /// floating point: exact to the nanosecond, digits beyond it are cut off.
    pub(super) fn time(&self) -> Result<SimTime, TraceError> {
        const EXPECTED: &str = "a time in seconds";
        let (whole, fraction) = self.text.split_once('.').unwrap_or((self.text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !(digits(whole) && digits(fraction)) {
            return Err(self.unexpected(EXPECTED));
        }
        let nanos = fraction
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(9)
            .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let whole: Option<u64> = whole.parse().ok();
        whole
            .and_then(|seconds| seconds.checked_mul(1_000_000_000)?.checked_add(nanos))
            .map(SimTime::from_nanos)
            .ok_or_else(|| self.error(TraceErrorKind::TooLate { got: self.text.to_owned() }))
    }
}
