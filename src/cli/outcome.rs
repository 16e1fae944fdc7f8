//! How a command ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use crate::scenario::Report;

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should: 0.
    Done,
    /// A comparison failed: 1.
    Different,
    /// Wrong usage, or a scenario that cannot be run: 2.
    Refused,
    /// The user ended it: 130, as shells have it for SIGINT.
    Interrupted,
}

impl Outcome {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Different => 1,
            Self::Refused => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// Why a command could not do what it should.
#[derive(Debug, Error)]
pub enum Failure {
    /// A scenario is not sound.
    #[error("{0}")]
    Scenario(Box<Report>),
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is there that would be overwritten.
    #[error("{} exists already; give another path", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Standard output is closed or full.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
}

impl Failure {
    /// The exit code that it leads to. A reader that has seen enough (`| head`) is no failure.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Done,
            _ => Outcome::Refused,
        }
    }

    /// What standard error is told.
    #[must_use]
    pub fn render(&self, styled: bool) -> String {
        match self {
            Self::Scenario(report) => report.render(styled),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            other => format!("overcord: {other}\n"),
        }
    }
}
