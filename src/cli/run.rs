//! `overcord run`: from its arguments to a request that can be carried out.

use std::num::NonZeroU16;
use std::path::PathBuf;

use super::arguments::{LogHost, RunArguments};
use super::files::{self, Loaded};
use super::outcome::Failure;

/// All that a run needs, read and checked: nothing is simulated or written before every scenario is
/// found sound.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The scenarios, in the order given.
    pub scenarios: Vec<Loaded>,
    /// How many runs at a time; `None` is one for each processor.
    pub jobs: Option<NonZeroU16>,
    /// The folder for results.
    pub out: PathBuf,
    /// The hosts whose events are printed.
    pub log: Vec<LogHost>,
    /// Whether the simulator is judged while it runs.
    pub checkers: bool,
    /// Whether progress is not shown, even to a terminal.
    pub quiet: bool,
}

impl RunRequest {
    /// Reads and checks all scenarios of a command line.
    pub fn new(arguments: &RunArguments) -> Result<Self, Failure> {
        let assignments = arguments.overrides.assignments();
        let load = |path: &PathBuf| files::load(path, &assignments);
        Ok(Self {
            scenarios: arguments.files.iter().map(load).collect::<Result<_, _>>()?,
            jobs: arguments.jobs.and_then(NonZeroU16::new),
            out: arguments.out.clone(),
            log: arguments.log.clone(),
            checkers: arguments.checkers,
            quiet: arguments.quiet,
        })
    }
}
