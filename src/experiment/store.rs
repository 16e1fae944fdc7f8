//! The folder in which results are kept.
//!
//! ```text
//! results/<scenario>/cells/<cell>.csv   what each run gave, for all studies of the scenario
//! results/<scenario>/<study id>/…       the tables and figures of a study
//! results/<scenario>/latest             a text file: the id of the study finished last
//! ```
//!
//! Cells are beside the studies, not inside: a study with more replications is another study, and
//! finds the cells of the first. `latest` is a file, not a link: the same on every system.
//!
//! A file is there whole or not at all: it is written as `<name>.partial`, flushed to the disk and
//! renamed. What a killed process leaves is a `.partial`, which is overwritten.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::experiment::cell::{self, CellError, CellId, CellSpec, StudyId};
use crate::metrics::tables::RunOutput;

/// A folder or file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StoreError {
    /// What was to be done.
    action: &'static str,
    /// With what.
    path: PathBuf,
    /// Why not.
    source: io::Error,
}

/// What the store knows of a run.
#[derive(Debug)]
pub enum Stored {
    /// It was never finished.
    Absent,
    /// What it gave.
    Whole(Box<RunOutput>),
    /// There is a file, and it cannot be used.
    Damaged(CellError),
}

/// The folder of one scenario's results.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store of a scenario in a folder of results; nothing is created yet.
    #[must_use]
    pub fn new(results: &Path, scenario: &str) -> Self {
        Self { folder: results.join(scenario) }
    }

    /// Where the tables of a study are.
    #[must_use]
    pub fn study(&self, id: StudyId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Where a cell is kept.
    #[must_use]
    pub fn cell(&self, id: CellId) -> PathBuf {
        self.folder.join("cells").join(format!("{id}.csv"))
    }

    /// What is kept of a run.
    ///
    /// # Errors
    /// When there is a file and the system does not let it be read.
    pub fn load(&self, spec: &CellSpec) -> Result<Stored, StoreError> {
        let path = self.cell(spec.id());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::Absent),
            Err(source) => return Err(StoreError { action: "read", path, source }),
        };
        // What is not UTF-8 any more was changed: the digest of the replacement says so.
        let text = String::from_utf8_lossy(&bytes);
        Ok(match cell::decode(spec.id(), spec.run, &text) {
            Ok(output) => Stored::Whole(Box::new(output)),
            Err(error) => Stored::Damaged(error),
        })
    }

    /// Keeps what a run gave.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, spec: &CellSpec, output: &RunOutput) -> Result<(), StoreError> {
        let id = spec.id();
        write_whole(&self.cell(id), cell::encode(id, output).as_bytes())
    }

    /// Writes a file of a study; `name` may have folders in it, with `/`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, study: StudyId, name: &str, content: &[u8]) -> Result<PathBuf, StoreError> {
        let path = name.split('/').fold(self.study(study), |path, part| path.join(part));
        write_whole(&path, content)?;
        Ok(path)
    }

    /// Makes a study the latest one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_latest(&self, study: StudyId) -> Result<(), StoreError> {
        write_whole(&self.folder.join("latest"), format!("{study}\n").as_bytes())
    }

    /// The folder of the latest study, if there is one.
    #[must_use]
    pub fn latest(&self) -> Option<PathBuf> {
        let id = fs::read_to_string(self.folder.join("latest")).ok()?;
        Some(self.folder.join(id.trim()))
    }
}

/// Writes a file so that it is there whole or not at all, with the folders above it.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let fails = |action| move |source| StoreError { action, path: path.to_path_buf(), source };
    let folder = path.parent().expect("a file of the store is in a folder");
    fs::create_dir_all(folder).map_err(fails("create the folder of"))?;
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial).map_err(fails("write"))?;
    file.write_all(content).map_err(fails("write"))?;
    file.sync_all().map_err(fails("write"))?;
    drop(file);
    fs::rename(&partial, path).map_err(fails("finish"))?;
    // The rename lasts when its folder does; not every system lets a folder be opened for that.
    if let Ok(folder) = File::open(folder) {
        folder.sync_all().ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, spec};

    #[test]
    fn a_file_is_whole_and_leaves_no_partial_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "handover");
        let run = spec(0, 7);
        assert!(matches!(store.load(&run).unwrap(), Stored::Absent));
        store.save(&run, &fake_output(&run)).unwrap();
        let Stored::Whole(output) = store.load(&run).unwrap() else { panic!("not there") };
        assert_eq!(*output, fake_output(&run));
        let cells = fs::read_dir(folder.path().join("handover/cells")).unwrap().count();
        assert_eq!(cells, 1, "the cell alone");
    }

    #[test]
    fn latest_names_the_study() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "handover");
        assert_eq!(store.latest(), None);
        let study = crate::experiment::run::tests::study(1);
        let path = store.write(study.id(), "figures/a.svg", b"<svg/>").unwrap();
        store.set_latest(study.id()).unwrap();
        assert_eq!(store.latest(), Some(store.study(study.id())));
        assert_eq!(fs::read(path).unwrap(), b"<svg/>");
    }
}
