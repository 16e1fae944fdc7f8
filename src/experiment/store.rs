//! The folder in which results are kept.
//!
//! ```text
//! results/<scenario>/cells/<engine>/<cell>.csv   what each run gave, for all studies of the scenario
//! results/<scenario>/<study id>/…                the tables and figures of a study
//! results/<scenario>/latest                      a text file: the id of the study finished last
//! ```
//!
//! Cells are beside the studies, not inside: a study with more replications is another study, and
//! finds the cells of the first. Those of another version of the program are in another folder, and
//! nobody looks into it. `latest` is a file, not a link: the same on every system.
//!
//! A file is there whole or not at all: it is written as `<name>.<process>-<n>.partial`, flushed to the
//! disk and renamed. What a killed process leaves is a `.partial`, which nobody reads. Processes on
//! several machines may share the folder: each writes a file of its own, and when two have simulated
//! the same run, it does not matter whose is renamed last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::experiment::cell::{self, CellError, CellId, CellSpec, ENGINE, StudyId};
use crate::metrics::tables::RunOutput;

/// The folder of all runs.
const CELLS: &str = "cells";

/// The end of the name of a file that is not whole yet.
const PARTIAL: &str = ".partial";

/// A folder or file that could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
pub struct StoreError {
    /// What was to be done.
    action: &'static str,
    /// With what.
    path: PathBuf,
    /// Why not.
    source: io::Error,
}

/// What to do about an error that is not the program's.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; what is finished is kept: make room, and the same command goes on from there"
        }
        io::ErrorKind::FileTooLarge => {
            "; what is finished is kept: raise the limit (`ulimit -f`), and the same command goes on \
             from there"
        }
        _ => "",
    }
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

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the tables of a study are.
    #[must_use]
    pub fn study(&self, id: StudyId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Where a cell is kept.
    #[must_use]
    pub fn cell(&self, id: CellId) -> PathBuf {
        self.cells().join(format!("{id}.csv"))
    }

    /// Where the cells of this version of the program are.
    fn cells(&self) -> PathBuf {
        self.folder.join(CELLS).join(engine_folder(ENGINE))
    }

    /// The other versions of the program whose cells are here, as their folders are called.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn other_engines(&self) -> Result<Vec<String>, StoreError> {
        let path = self.folder.join(CELLS);
        let fails = |source| StoreError { action: "read", path: path.clone(), source };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(fails(source)),
        };
        let mut others = Vec::new();
        for entry in entries {
            let entry = entry.map_err(fails)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != engine_folder(ENGINE) && entry.path().is_dir() {
                others.push(name);
            }
        }
        others.sort();
        Ok(others)
    }

    /// Whether this version of the program has kept anything here.
    #[must_use]
    pub fn has_cells(&self) -> bool {
        self.cells().exists()
    }

    /// Takes a run over from another store. What is there after that is what [`load`] says.
    ///
    /// # Errors
    /// When it cannot be read or written.
    ///
    /// [`load`]: Self::load
    pub fn adopt(&self, spec: &CellSpec, from: &Self) -> Result<Stored, StoreError> {
        let stored = from.load(spec)?;
        if let Stored::Whole(output) = &stored {
            self.save(spec, output)?;
        }
        Ok(stored)
    }

    /// What is kept of a run.
    ///
    /// # Errors
    /// When there is a file and the system does not let it be read.
    pub fn load(&self, spec: &CellSpec) -> Result<Stored, StoreError> {
        let id = spec.id();
        let path = self.cell(id);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::Absent),
            Err(source) => return Err(StoreError { action: "read", path, source }),
        };
        // What is not UTF-8 any more was changed: the digest of the replacement says so.
        let text = String::from_utf8_lossy(&bytes);
        Ok(match cell::decode(id, spec.run, &text) {
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

    /// Removes what killed processes have left of files that are whole by now: of runs, and of the
    /// files of studies. What cannot be read or removed stays.
    pub fn clear_leftovers(&self) {
        clear_leftovers(&self.cells());
        clear_leftovers(&self.folder);
        for folder in folders(&self.folder).filter(|it| !it.ends_with(CELLS)) {
            clear_leftovers(&folder);
            folders(&folder).for_each(|it| clear_leftovers(&it));
        }
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
        latest_in(&self.folder)
    }
}

/// The folder of the latest study in the folder of a scenario's results, if there is one.
#[must_use]
pub fn latest_in(scenario: &Path) -> Option<PathBuf> {
    let id = fs::read_to_string(scenario.join("latest")).ok()?;
    Some(scenario.join(id.trim()))
}

/// Writes a file so that it is there whole or not at all, with the folders above it.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let fails = |action| move |source| StoreError { action, path: path.to_path_buf(), source };
    let folder = path.parent().expect("a file of the store is in a folder");
    fs::create_dir_all(folder).map_err(fails("create the folder of"))?;
    let (partial, mut file) = open_partial(path).map_err(fails("write"))?;
    let written = file.write_all(content).and_then(|()| file.sync_all()).map_err(fails("write"));
    drop(file);
    let renamed = written.and_then(|()| rename_to(&partial, path).map_err(fails("finish")));
    if renamed.is_err() {
        // Where the disk is full, half a file is better gone.
        fs::remove_file(&partial).ok();
        return renamed;
    }
    // The rename lasts when its folder does; not every system lets a folder be opened for that.
    if let Ok(folder) = File::open(folder) {
        folder.sync_all().ok();
    }
    Ok(())
}

/// Begins the file that is written before it is renamed. It is of this process alone, also where
/// another machine on a shared folder has a process of the same number: what exists is not touched.
fn open_partial(path: &Path) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut attempt = 0_u32;
    loop {
        let mut name = path.file_name().expect("a file of the store has a name").to_owned();
        name.push(format!(".{process}-{attempt}{PARTIAL}"));
        let partial = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            opened => return opened.map(|file| (partial, file)),
        }
    }
}

/// Renames a file that was written. When another process has finished the same file and cleared this
/// one away as a leftover, the file is there all the same.
fn rename_to(partial: &Path, path: &Path) -> io::Result<()> {
    match fs::rename(partial, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => Ok(()),
        renamed => renamed,
    }
}

/// Removes the partial files in a folder whose whole file is there.
fn clear_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let of = name.strip_suffix(PARTIAL).and_then(|rest| rest.rsplit_once('.'));
        if let Some((whole, _)) = of
            && folder.join(whole).exists()
        {
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// The folders in a folder.
fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

/// How the folder of an engine is called.
fn engine_folder(engine: &str) -> &str {
    &engine[..12]
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
        let cells = fs::read_dir(store.cells()).unwrap().count();
        assert_eq!(cells, 1, "the cell alone");
    }

    #[test]
    fn a_run_is_taken_over_whole_or_not_at_all() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (here, there) = (Store::new(here.path(), "s"), Store::new(there.path(), "s"));
        let runs = [spec(0, 7), spec(1, 8), spec(2, 9)];
        for run in &runs[..2] {
            there.save(run, &fake_output(run)).unwrap();
        }
        let cut = there.cell(runs[1].id());
        let text = fs::read_to_string(&cut).unwrap();
        fs::write(&cut, &text[..text.len() / 2]).unwrap();
        assert!(matches!(here.adopt(&runs[0], &there).unwrap(), Stored::Whole(_)));
        assert!(matches!(here.adopt(&runs[1], &there).unwrap(), Stored::Damaged(_)));
        assert!(matches!(here.adopt(&runs[2], &there).unwrap(), Stored::Absent));
        let whole = |run: &CellSpec| matches!(here.load(run).unwrap(), Stored::Whole(_));
        assert_eq!(runs.each_ref().map(whole), [true, false, false]);
        assert_eq!(fs::read_dir(here.cells()).unwrap().count(), 1);
    }

    #[test]
    fn runs_of_another_version_are_seen_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "s");
        assert_eq!(store.other_engines().unwrap(), Vec::<String>::new());
        let run = spec(0, 7);
        store.save(&run, &fake_output(&run)).unwrap();
        fs::rename(store.cells(), folder.path().join("s/cells/0123456789ab")).unwrap();
        assert!(matches!(store.load(&run).unwrap(), Stored::Absent));
        assert_eq!(store.other_engines().unwrap(), ["0123456789ab"]);
        assert!(!store.has_cells());
    }

    /// A process of the same number on another machine is at work on the same run, and done first.
    #[test]
    fn two_processes_of_one_number_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let (theirs, _file) = open_partial(&path).unwrap();
        fs::write(&theirs, "half").unwrap();
        write_whole(&path, b"whole").unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "half");
        clear_leftovers(folder.path());
        assert!(!theirs.exists());
        // They do not find their file any more, but what it was to become is there.
        rename_to(&theirs, &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        let nothing = rename_to(&theirs, &folder.path().join("b.csv")).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn leftovers_of_studies_are_cleared_too() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), "handover");
        let study = crate::experiment::run::tests::study(1).id();
        let figure = store.write(study, "figures/a.svg", b"<svg/>").unwrap();
        let table = store.write(study, "runs.csv", b"run").unwrap();
        store.set_latest(study).unwrap();
        let latest = store.folder().join("latest");
        let mut left = Vec::new();
        for whole in [&figure, &table, &latest] {
            let (partial, _) = open_partial(whole).unwrap();
            left.push(partial);
        }
        let (unfinished, _) = open_partial(&store.study(study).join("stale.csv")).unwrap();
        store.clear_leftovers();
        assert!(left.iter().all(|it| !it.exists()), "{left:?}");
        assert!(unfinished.exists() && table.exists() && figure.exists() && latest.exists());
    }

    #[test]
    fn a_disk_without_room_is_told_with_what_to_do() {
        for (kind, advice) in [
            (io::ErrorKind::StorageFull, "make room, and the same command goes on from there"),
            (io::ErrorKind::QuotaExceeded, "make room, and the same command goes on from there"),
            (io::ErrorKind::FileTooLarge, "raise the limit (`ulimit -f`), and the same command"),
        ] {
            let (action, path) = ("write", PathBuf::from("results/a/b.csv"));
            let told = StoreError { action, path, source: kind.into() }.to_string();
            assert!(told.starts_with("cannot write results/a/b.csv: "), "{told}");
            assert!(
                told.contains("; what is finished is kept: ") && told.contains(advice),
                "{told}"
            );
        }
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
