//! A study that was finished, read back from its folder: its tables with typed columns.
//!
//! Nothing is taken on trust. `manifest.json` lists every file of the study with its digest, so a
//! table that was cut off or edited is told from one that is whole; and a column that the
//! [codebook](crate::metrics::codebook) does not know, as another version may have written it, is
//! refused with its name rather than guessed at.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::experiment::store::latest_in;
use crate::metrics::codebook::{ColumnKind, columns_of, tables};

/// The folder of a study that was finished.
#[derive(Clone, Debug)]
pub struct FinishedStudy {
    folder: PathBuf,
    manifest: Manifest,
}

/// What is needed of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
struct Manifest {
    version: String,
    files: Vec<ListedFile>,
}

/// A file as the manifest lists it.
#[derive(Clone, Debug, Deserialize)]
struct ListedFile {
    name: String,
    blake3: String,
}

/// A table of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedTable {
    /// Its name, without `.csv`.
    pub name: String,
    /// How many rows it has.
    pub rows: usize,
    /// Its columns, in their order.
    pub columns: Vec<FinishedColumn>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedColumn {
    /// Its name.
    pub name: String,
    /// Its fields, one a row.
    pub values: Values,
}

/// The fields of a column; an empty one is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Integer(Vec<Option<i64>>),
    /// Numbers with a fraction.
    Number(Vec<Option<f64>>),
    /// Words.
    Text(Vec<Option<String>>),
    /// Truths.
    Truth(Vec<Option<bool>>),
}

/// Why a study cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum FinishedError {
    /// The folder is not that of a study.
    #[error(
        "{} is no folder of a study: it has no manifest.json; give results/<scenario>/<study>",
        folder.display()
    )]
    NoStudy {
        /// The folder.
        folder: PathBuf,
    },
    /// The manifest is not one.
    #[error(
        "{} cannot be used ({reason}); the study was written by another version, or the file was \
         edited: run the study again",
        path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the study cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what the study wrote.
    #[error(
        "{} was cut off or edited since the study wrote it: its BLAKE3 digest is {got}, and \
         manifest.json says {expected}; run the study again, which makes its tables anew from the \
         runs that are kept",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest in the manifest.
        expected: String,
        /// The digest of what is there.
        got: String,
    },
    /// A table that no codebook of this version has.
    #[error("{}: version {} of overcord knows no such table; version {writer} wrote it", path.display(), env!("CARGO_PKG_VERSION"))]
    UnknownTable {
        /// The file.
        path: PathBuf,
        /// The version that wrote it.
        writer: String,
    },
    /// A column that the codebook of this version does not have, or not there.
    #[error(
        "{}: version {} of overcord knows no column `{column}` at this place; version {writer} wrote it",
        path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The version that wrote it.
        writer: String,
    },
    /// A field does not hold what its column does.
    #[error("{}:{line}: column `{column}` cannot hold {field:?}: {expected} is expected", path.display(), expected = expected.word())]
    Field {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        field: String,
        /// What the column holds.
        expected: ColumnKind,
    },
    /// The lines are not those of a table.
    #[error("{}: {source}", path.display())]
    Lines {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: csv::Error,
    },
}

impl FinishedStudy {
    /// The study in a folder. The folder of a scenario, which names its latest study, will do as
    /// well.
    ///
    /// # Errors
    /// When there is no study, or its manifest cannot be used.
    pub fn open(folder: &Path) -> Result<Self, FinishedError> {
        let folder = latest_in(folder).unwrap_or_else(|| folder.to_path_buf());
        let path = folder.join("manifest.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FinishedError::NoStudy { folder });
            }
            Err(source) => return Err(FinishedError::Unreadable { path, source }),
        };
        match serde_json::from_str(&text) {
            Ok(manifest) => Ok(Self { folder, manifest }),
            Err(error) => Err(FinishedError::Manifest { path, reason: error.to_string() }),
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of its tables, without `.csv`, in the order of the manifest. Those that figures
    /// were drawn from, and the codebook, are not among them.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let names = self.manifest.files.iter().filter_map(|file| file.name.strip_suffix(".csv"));
        names.filter(|name| !name.contains('/') && *name != "codebook")
    }

    /// Reads one of its tables.
    ///
    /// # Errors
    /// When the file is not what the study wrote, or not what this version can read.
    pub fn table(&self, name: &str) -> Result<FinishedTable, FinishedError> {
        let path = self.folder.join(format!("{name}.csv"));
        let bytes = self.whole(&path, &format!("{name}.csv"))?;
        let writer = || self.manifest.version.clone();
        if !tables().iter().any(|table| table.name == name) {
            return Err(FinishedError::UnknownTable { path, writer: writer() });
        }
        let mut lines = csv::Reader::from_reader(bytes.as_slice());
        let broken = |source| FinishedError::Lines { path: path.clone(), source };
        let head: Vec<String> =
            lines.headers().map_err(broken)?.iter().map(str::to_owned).collect();
        let kinds = kinds_of(name, &head).map_err(|column| FinishedError::UnknownColumn {
            path: path.clone(),
            column,
            writer: writer(),
        })?;
        let named = head.into_iter().zip(kinds);
        let mut columns: Vec<_> =
            named.map(|(name, kind)| FinishedColumn { name, values: Values::of(kind) }).collect();
        let (mut rows, mut record) = (0, csv::StringRecord::new());
        while lines.read_record(&mut record).map_err(broken)? {
            let line = record.position().map_or(0, csv::Position::line);
            for (column, field) in columns.iter_mut().zip(&record) {
                column.values.push(field).map_err(|expected| FinishedError::Field {
                    path: path.clone(),
                    line,
                    column: column.name.clone(),
                    field: field.to_owned(),
                    expected,
                })?;
            }
            rows += 1;
        }
        Ok(FinishedTable { name: name.to_owned(), rows, columns })
    }

    /// The content of a file that is what the study wrote.
    fn whole(&self, path: &Path, name: &str) -> Result<Vec<u8>, FinishedError> {
        let bytes = fs::read(path)
            .map_err(|source| FinishedError::Unreadable { path: path.to_path_buf(), source })?;
        let got = blake3::hash(&bytes).to_hex().to_string();
        let listed = self.manifest.files.iter().find(|file| file.name == name);
        match listed.map(|file| &file.blake3) {
            Some(expected) if *expected != got => Err(FinishedError::Changed {
                path: path.to_path_buf(),
                expected: expected.clone(),
                got,
            }),
            _ => Ok(bytes),
        }
    }
}

/// What the columns of a table hold, by its head; else the first column that is not known. Columns
/// stand in the order of the codebook, and some may be missing; the keys that a sweep varies, which
/// no codebook knows, stand behind the first column of three tables.
fn kinds_of(table: &str, head: &[String]) -> Result<Vec<ColumnKind>, String> {
    let mut known = columns_of(table);
    let mut kinds = Vec::new();
    let varied = match table {
        "runs" => keys_before("seed", head),
        "summary" | "comparison" => keys_before("metric", head),
        _ => 0..0,
    };
    for (index, name) in head.iter().enumerate() {
        if varied.contains(&index) {
            kinds.push(ColumnKind::Text);
        } else {
            kinds.push(known.find(|column| column.name == *name).ok_or(name)?.kind);
        }
    }
    Ok(kinds)
}

/// The columns between the first and the one of this name.
fn keys_before(name: &str, head: &[String]) -> std::ops::Range<usize> {
    1..head.iter().position(|other| other == name).unwrap_or(1).max(1)
}

impl Values {
    const fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Integer => Self::Integer(Vec::new()),
            ColumnKind::Number => Self::Number(Vec::new()),
            ColumnKind::Text => Self::Text(Vec::new()),
            ColumnKind::Truth => Self::Truth(Vec::new()),
        }
    }

    /// Adds a field.
    ///
    /// # Errors
    /// With what is expected, when the field does not hold that.
    fn push(&mut self, field: &str) -> Result<(), ColumnKind> {
        fn read<T>(
            fields: &mut Vec<Option<T>>,
            field: &str,
            kind: ColumnKind,
            parse: impl Fn(&str) -> Option<T>,
        ) -> Result<(), ColumnKind> {
            let value = match field {
                "" => None,
                text => Some(parse(text).ok_or(kind)?),
            };
            fields.push(value);
            Ok(())
        }
        match self {
            Self::Integer(fields) => {
                let parse = |text: &str| text.parse().ok().filter(|value| *value >= 0);
                read(fields, field, ColumnKind::Integer, parse)
            }
            Self::Number(fields) => {
                let parse = |text: &str| text.parse().ok().filter(|value: &f64| value.is_finite());
                read(fields, field, ColumnKind::Number, parse)
            }
            Self::Text(fields) => {
                read(fields, field, ColumnKind::Text, |text| Some(text.to_owned()))
            }
            Self::Truth(fields) => read(fields, field, ColumnKind::Truth, |text| text.parse().ok()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
