//! How a command ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use super::broken_trace::BrokenTrace;
use crate::churn::trace::TraceError;
use crate::experiment::run::StudyError;
use crate::experiment::store::StoreError;
use crate::scenario::Report;
use crate::scenario::build::BuildError;

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should: 0.
    Done,
    /// A run or a comparison failed: 1.
    Failed,
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
            Self::Failed => 1,
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
    /// A scenario that is sound by itself gives no world.
    #[error("{}: {error}", path.display())]
    Build {
        /// The scenario.
        path: PathBuf,
        /// Why not.
        error: BuildError,
    },
    /// The trace of a scenario does not follow its grammar.
    #[error("{0}")]
    BrokenTrace(Box<BrokenTrace>),
    /// A trace that was given by itself does not follow its grammar.
    #[error("{}:{}:{}: {}", path.display(), error.line, error.column, error.kind)]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: TraceError,
    },
    /// The format of a trace is neither given nor told by its name.
    #[error("the extension of {} does not tell its format: give --format avt or --format events", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The host to be logged does not exist.
    #[error("{}: there is no host `{host}` to log{}", path.display(), suggest(nearest.as_deref()))]
    NoHost {
        /// The scenario.
        path: PathBuf,
        /// The host, as given.
        host: String,
        /// The nearest that exists, when one is near.
        nearest: Option<String>,
    },
    /// A study could not be carried out.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// Results could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Ctrl-C cannot be caught.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signals(ctrlc::Error),
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

fn suggest(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
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
            Self::BrokenTrace(broken) => broken.render(styled),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => String::new(),
            other => format!("overcord: {other}\n"),
        }
    }
}
