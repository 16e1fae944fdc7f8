//! All problems of a scenario, with the texts that they stand in.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use thiserror::Error;

use super::Problem;
use crate::scenario::document::Place;

/// The texts of a scenario: the file first, then the `--set` arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The name of the file as given.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The arguments.
    pub overrides: Vec<String>,
}

impl Sources {
    fn text(&self, index: usize) -> &str {
        match index.checked_sub(1) {
            None => &self.text,
            Some(argument) => &self.overrides[argument],
        }
    }

    fn title(&self, index: usize) -> String {
        match index.checked_sub(1) {
            None => self.file.clone(),
            Some(argument) => format!("--set {}", self.overrides[argument]),
        }
    }

    /// The text from a place on.
    #[must_use]
    pub fn at(&self, place: &Place) -> &str {
        self.text(place.text).get(place.span.start..).unwrap_or("")
    }

    /// A place in words: `file:line:column`, or the argument.
    #[must_use]
    pub fn locate(&self, place: &Place) -> String {
        let (line, column) = self.line_column(place);
        match place.text {
            0 => format!("{}:{line}:{column}", self.file),
            set => self.title(set),
        }
    }

    /// Line and column of a place, both counted from 1, columns in characters.
    #[must_use]
    pub fn line_column(&self, place: &Place) -> (usize, usize) {
        let text = self.text(place.text);
        let mut start = place.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// All problems of a scenario. Its `Display` is one line a problem:
/// `file:line:column: key: what is wrong`.
#[derive(Clone, Debug, PartialEq, Error)]
pub struct Report {
    /// The texts that the problems stand in.
    pub sources: Sources,
    /// The problems, in the order of the texts.
    pub problems: Vec<Problem>,
}

impl Report {
    /// A report of these problems, sorted by place, each told once.
    #[must_use]
    pub fn new(sources: Sources, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.place.text, problem.place.span.start));
        problems.dedup();
        Self { sources, problems }
    }

    fn headline(&self, problem: &Problem) -> String {
        format!("{}: {problem}", self.sources.locate(&problem.place))
    }

    /// All problems with the lines that they stand in, for a terminal (`styled`) or a log.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in &self.problems {
            let headline = self.headline(problem);
            let (text, title) =
                (self.sources.text(problem.place.text), self.sources.title(problem.place.text));
            let level = Level::ERROR.no_name();
            let span = clamp(&problem.place, text);
            let group = if text.is_empty() {
                annotate_snippets::Group::with_title(level.primary_title(headline))
            } else {
                level.primary_title(headline).element(
                    Snippet::source(text)
                        .path(title)
                        .annotation(AnnotationKind::Primary.span(span)),
                )
            };
            out.push_str(&renderer.render(&[group]));
            out.push_str("\n\n");
        }
        out
    }
}

/// The bytes of a place, on character boundaries inside its text, cut at the end of its first line.
fn clamp(place: &Place, text: &str) -> std::ops::Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(place.span.start), boundary(place.span.end));
    let line = text[start..end.max(start)].find('\n').map_or(end, |newline| start + newline);
    start..line.max(start)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            f.write_str(&self.headline(problem))?;
        }
        Ok(())
    }
}
