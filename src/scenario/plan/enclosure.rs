//! Files beside the scenario that it names.

use std::path::PathBuf;
use std::sync::Arc;

/// A file that a scenario names. Reading it is the edge's business, which encloses what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Enclosure<T> {
    /// The file, absolute or relative to the working directory.
    pub path: PathBuf,
    content: Option<Content<T>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Content<T> {
    what: Arc<T>,
    /// The digest of the file.
    digest: String,
}

impl<T> Enclosure<T> {
    /// A file that has not been read.
    #[must_use]
    pub const fn named(path: PathBuf) -> Self {
        Self { path, content: None }
    }

    /// The file has been read and holds this.
    pub fn enclose(&mut self, what: T, digest: String) {
        self.content = Some(Content { what: Arc::new(what), digest });
    }

    /// What it holds; `None` while it has not been read.
    #[must_use]
    pub fn what(&self) -> Option<&Arc<T>> {
        self.content.as_ref().map(|content| &content.what)
    }

    /// Where a run depends on it, what it holds counts and not where it lies.
    pub fn name_by_content(&mut self) {
        if let Some(content) = &self.content {
            self.path = PathBuf::from(&content.digest);
        }
    }
}
