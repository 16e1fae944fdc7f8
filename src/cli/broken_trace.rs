//! How it is told that the trace of a scenario is broken: at its own line, and who names it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use thiserror::Error;

use crate::churn::trace::TraceError;

/// A trace that a scenario names and that does not follow its grammar.
#[derive(Debug, Error)]
#[error("{}: {} (the trace is named in {named_at})", self.place(), error.kind)]
pub struct BrokenTrace {
    path: PathBuf,
    error: TraceError,
    /// The line that it is about.
    line: String,
    named_at: String,
}

impl BrokenTrace {
    /// What is wrong with the bytes of a trace; `named_at` is where the scenario names it.
    #[must_use]
    pub fn new(path: &Path, bytes: &[u8], error: TraceError, named_at: String) -> Self {
        let lines = bytes.split(|byte| *byte == b'\n');
        let line = lines.into_iter().nth(error.line.saturating_sub(1) as usize).unwrap_or(&[]);
        let line = String::from_utf8_lossy(line);
        // Columns are counted without the mark that some editors put in front.
        let line = line.trim_start_matches('\u{feff}').trim_end().to_owned();
        Self { path: path.to_owned(), error, line, named_at }
    }

    fn place(&self) -> String {
        format!("{}:{}:{}", self.path.display(), self.error.line, self.error.column)
    }

    /// The bytes of the word at the column.
    fn span(&self) -> Range<usize> {
        let before = self.error.column.saturating_sub(1) as usize;
        let start = self.line.char_indices().nth(before).map_or(self.line.len(), |(at, _)| at);
        let rest = &self.line[start..];
        start..start + rest.find(char::is_whitespace).unwrap_or(rest.len())
    }

    /// The error with its line, as far as it fits, and a pointer.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let title = format!("{}: {}", self.place(), self.error.kind);
        let note = format!("the trace is named in {}", self.named_at);
        let title = Level::ERROR.no_name().primary_title(title);
        let snippet = Snippet::source(self.line.as_str())
            .line_start(self.error.line as usize)
            .path(self.path.display().to_string())
            .annotation(AnnotationKind::Primary.span(self.span()));
        let group = title.element(snippet).element(Level::NOTE.message(note));
        format!("{}\n\n", renderer.render(&[group]))
    }
}
