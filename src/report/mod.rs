//! What a study leaves to be read: tables, figures, and the table on the terminal.
//!
//! Everything here is a pure function to text; [`write`] puts it into the store. The same study
//! gives the same bytes, except in `manifest.json`.

use std::path::PathBuf;

use crate::experiment::cell::Study;
use crate::experiment::manifest::{Circumstances, manifest};
use crate::experiment::run::Outcome;
use crate::experiment::store::{Store, StoreError};
use crate::experiment::summary::Summary;
use crate::report::comparison::Compared;
use crate::report::figures::Curve;

mod axis;
mod canvas;
pub mod codebook;
pub(crate) mod comparison;
pub mod difference;
pub mod figures;
pub mod finished;
pub mod gate;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod parting;
pub mod quantity;
pub mod story;
pub mod tables;
pub mod terminal;
pub(crate) mod varied;
pub mod verify;

/// A file of a study: its name, with `/` between folders, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Its name inside the study's folder.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl TextFile {
    /// A file of this name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// All files of a study but the manifest.
#[must_use]
pub fn files(
    study: &Study,
    outcome: &Outcome,
    summary: &Summary,
    curve: Option<&Curve>,
) -> Vec<TextFile> {
    let mut files = vec![TextFile::new("scenario.toml", study.as_written.as_str())];
    match &study.points[..] {
        [point] => files.push(TextFile::new("effective.toml", &*point.effective)),
        points => files.extend(points.iter().enumerate().map(|(number, point)| {
            TextFile::new(format!("effective/{number}.toml"), &*point.effective)
        })),
    }
    files.push(TextFile::new("codebook.csv", codebook::csv(&study.varied)));
    files.extend(tables::tables(study, &outcome.outputs, summary));
    let compared = Compared::of(study, &outcome.outputs, summary);
    files.extend(compared.iter().flat_map(Compared::files));
    files.extend(figures::figures(study, &outcome.outputs, summary, curve, compared.as_ref()));
    files
}

/// Writes all files of a study, with a manifest of them, and makes it the latest; gives the folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    store: &Store,
    study: &Study,
    files: &[TextFile],
    circumstances: &Circumstances,
) -> Result<PathBuf, StoreError> {
    let id = study.id();
    let contents = files.iter().map(|file| (file.name.as_str(), file.text.as_bytes()));
    let manifest = manifest(study, circumstances, contents);
    for file in files {
        store.write(id, &file.name, file.text.as_bytes())?;
    }
    store.write(id, "manifest.json", manifest.as_bytes())?;
    store.set_latest(id)?;
    Ok(store.study(id))
}

#[cfg(test)]
mod tests;
