//! How it is told that a file that a scenario names is broken, its trace or another: at the file's
//! own line, and who names it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use thiserror::Error;

/// A trace, or another file, that a scenario names and that does not follow its grammar.
#[derive(Debug, Error)]
#[error("{}: {message} (the {what} is named in {named_at})", self.place())]
pub struct BrokenTrace {
    /// A trace, or a file.
    what: &'static str,
    path: PathBuf,
    /// From 1.
    line_number: u32,
    /// From 1, in characters.
    column: u32,
    message: String,
    /// The line that it is about.
    line: String,
    named_at: String,
}

impl BrokenTrace {
    /// What is wrong with the bytes of a file (`what`: a trace, or a file) at line and column;
    /// `named_at` is where the scenario names it.
    #[must_use]
    pub fn new(
        what: &'static str,
        (path, bytes): (&Path, &[u8]),
        (line_number, column): (u32, u32),
        error: impl ToString,
        named_at: String,
    ) -> Self {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let line = lines.nth(line_number.saturating_sub(1) as usize).unwrap_or(&[]);
        let line = String::from_utf8_lossy(line);
        // Columns are counted without the mark that some editors put in front.
        let line = line.trim_start_matches('\u{feff}').trim_end().to_owned();
        let (path, message) = (path.to_owned(), error.to_string());
        Self { what, path, line_number, column, message, line, named_at }
    }

    fn place(&self) -> String {
        format!("{}:{}:{}", self.path.display(), self.line_number, self.column)
    }

    /// The bytes of the word at the column.
    fn span(&self) -> Range<usize> {
        let before = self.column.saturating_sub(1) as usize;
        let start = self.line.char_indices().nth(before).map_or(self.line.len(), |(at, _)| at);
        let rest = &self.line[start..];
        start..start + rest.find(char::is_whitespace).unwrap_or(rest.len())
    }

    /// The error with its line, as far as it fits, and a pointer.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let title = format!("{}: {}", self.place(), self.message);
        let note = format!("the {} is named in {}", self.what, self.named_at);
        let title = Level::ERROR.no_name().primary_title(title);
        let snippet = Snippet::source(self.line.as_str())
            .line_start(self.line_number as usize)
            .path(self.path.display().to_string())
            .annotation(AnnotationKind::Primary.span(self.span()));
        let group = title.element(snippet).element(Level::NOTE.message(note));
        format!("{}\n\n", renderer.render(&[group]))
    }
}
