//! How a command ends.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use super::broken_trace::BrokenTrace;
use super::forecast::Forecast;
use super::slurm::Unwritable;
use crate::churn::trace::{TraceError, TraceFormat, WriteError};
use crate::experiment::gate::BaselineError;
use crate::experiment::run::StudyError;
use crate::experiment::store::StoreError;
use crate::report::finished::FinishedError;
use crate::report::quantity::number;
use crate::scenario::Report;
use crate::scenario::build::BuildError;
use crate::scenario::problem::nearest;

/// How a command ended, as its exit code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should: 0.
    Done,
    /// A run or a comparison failed: 1.
    Failed,
    /// Wrong usage, or a scenario that cannot be run: 2.
    Refused,
    /// What was asked cannot be told apart from an accident: 3.
    Inconclusive,
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
            Self::Inconclusive => 3,
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
    #[error("the extension of {} does not tell its format: say {option}, with one of {}", path.display(), formats())]
    Format {
        /// The file.
        path: PathBuf,
        /// The option that tells.
        option: &'static str,
    },
    /// A folder of profiles has none.
    #[error("there is no file in the folder {}", path.display())]
    NoProfile {
        /// Its path.
        path: PathBuf,
    },
    /// Two profiles of a folder are of hosts of the same name.
    #[error(
        "{} and {} are both the profile of a host `{name}`: a host is called as its file is, without \
         the extension and with dashes for blanks",
        first.display(),
        second.display()
    )]
    ProfilesNamedAlike {
        /// The name.
        name: String,
        /// The first file.
        first: PathBuf,
        /// The second.
        second: PathBuf,
    },
    /// A trace does not fit into a format.
    #[error("cannot write {}: {error}", path.display())]
    TraceLoss {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: WriteError,
    },
    /// A scenario draws no sessions.
    #[error(
        "the members of {} do not come and go by chance: give its [churn] a model, such as \
         exponential",
        path.display()
    )]
    NothingDrawn {
        /// The scenario.
        path: PathBuf,
    },
    /// The host to be logged does not exist.
    #[error("{0}")]
    NoHost(Box<NoHost>),
    /// A study could not be carried out.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// Results could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A study is larger than what is begun without asking back.
    #[error(
        "{}: {} runs are to be simulated, which will take {forecast} on {jobs} {}; to go ahead, \
         say --yes",
        path.display(), number(*runs as f64), if *jobs == 1 { "thread" } else { "threads" }
    )]
    VeryMany {
        /// The scenario.
        path: PathBuf,
        /// How many runs are missing.
        runs: usize,
        /// How many at a time.
        jobs: usize,
        /// What they will take.
        forecast: Forecast,
    },
    /// A shard of a study whose number of runs is not known beforehand.
    #[error(
        "{}: runs are added until a metric is known well enough, so that nobody can say which a \
         shard has; give a number with --replications",
        path.display()
    )]
    OpenEnded {
        /// The scenario.
        path: PathBuf,
    },
    /// More shards than runs.
    #[error("there are {shards} shards, but only {runs} runs to share out")]
    EmptyShards {
        /// How many shards.
        shards: u32,
        /// How many runs.
        runs: usize,
    },
    /// One scenario without a change.
    #[error("there is nothing to compare: give a second scenario, or a change with --set")]
    NothingToCompare,
    /// It cannot be told which side a change belongs to.
    #[error(
        "--set is given {given} times with {files} {}: it is for one or two changes of one scenario; \
         use --a, --b and --both",
        if *files == 1 { "scenario" } else { "scenarios" }
    )]
    WhoseSet {
        /// How many scenarios there are.
        files: usize,
        /// How many changes.
        given: usize,
    },
    /// Two sweeps that cannot be compared.
    #[error(
        "A has {a} {} and B has {b}, which are not the same: points of one sweep are compared one by \
         one",
        if *a == 1 { "point" } else { "points" }
    )]
    OtherPoints {
        /// The points of A.
        a: usize,
        /// Those of B.
        b: usize,
    },
    /// A script cannot hold what it is to hold.
    #[error(transparent)]
    Script(#[from] Unwritable),
    /// A folder of results that is not there.
    #[error("there is no folder {}", path.display())]
    NoFolder {
        /// Its path.
        path: PathBuf,
    },
    /// A point that a study does not have.
    #[error("{}: there is no point {point}; the study has points 0 to {}", path.display(), points - 1)]
    NoPoint {
        /// The scenario.
        path: PathBuf,
        /// The point as given.
        point: usize,
        /// How many there are.
        points: usize,
    },
    /// A baseline cannot be read.
    #[error("{}:{error}", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: BaselineError,
    },
    /// Two scenarios of one name have one baseline.
    #[error(
        "{} and {} are both called `{name}`: they would have one baseline, {}; judge them apart, \
         with --baselines for one of them",
        first.display(), second.display(), baseline.display()
    )]
    SameName {
        /// The name.
        name: String,
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their baseline.
        baseline: PathBuf,
    },
    /// A finished study cannot be read back.
    #[error(transparent)]
    Finished(#[from] FinishedError),
    /// This build cannot write Parquet.
    #[error(
        "this overcord was built without Parquet, which takes a library of its own: build it with \
         `cargo build --release --features parquet`"
    )]
    NoParquet,
    /// A table does not become a Parquet file.
    #[error("cannot write {table} as Parquet: {error}")]
    Parquet {
        /// The table.
        table: String,
        /// Why not.
        error: String,
    },
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

/// The formats of traces.
fn formats() -> String {
    TraceFormat::ALL.map(TraceFormat::name).join(", ")
}

/// A host is to be logged that does not exist.
#[derive(Debug, Error)]
#[error("{}: there is no host `{host}` to log; {advice}", path.display())]
pub struct NoHost {
    path: PathBuf,
    host: String,
    advice: String,
}

impl NoHost {
    /// A host that is not among these names, which are sorted.
    #[must_use]
    pub fn new(path: &Path, host: &str, names: &[String]) -> Self {
        // What begins with a sign is not on the network.
        let hosts = || names.iter().map(String::as_str).filter(|it| !it.starts_with('!'));
        let part = |name: &&str| name.to_lowercase().contains(&host.to_lowercase());
        let advice = match nearest(host, hosts()).or(hosts().find(part).map(str::to_owned)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("there are {}", ranges(hosts()).join(", ")),
        };
        Self { path: path.to_owned(), host: host.to_owned(), advice }
    }
}

/// Names in their order, those that differ in a number at their end together.
fn ranges<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let stem = |name: &'a str| name.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    for name in names {
        match ranges.last_mut() {
            Some((first, last)) if stem(first) == stem(name) => *last = name,
            _ => ranges.push((name, name)),
        }
    }
    let told = |(first, last): (&str, &str)| match first == last {
        true => first.to_owned(),
        false => format!("{first} to {last}"),
    };
    ranges.into_iter().map(told).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_there_is_told_with_what_is() {
        let names = ["!director", "a.example", "alice", "dns-authority", "isp-1", "isp-2"];
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        for (host, advice) in [
            ("alcie", "did you mean `alice`?"),
            ("ALICE", "did you mean `alice`?"),
            ("auth", "did you mean `dns-authority`?"),
            ("isp-3", "did you mean `isp-1`?"),
            ("somebody", "there are a.example, alice, dns-authority, isp-1 to isp-2"),
        ] {
            let told = NoHost::new(Path::new("x.toml"), host, &names).to_string();
            assert_eq!(told, format!("x.toml: there is no host `{host}` to log; {advice}"));
        }
    }
}
