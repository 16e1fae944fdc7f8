//! `overcord slurm`: writes the script with which Slurm carries a study out as a job array, each task
//! a shard of it.
//!
//! The script goes to the folder in which it was made, so that all paths mean there what they mean
//! here, wherever it is submitted; it calls this very program, since runs of another version are
//! other runs. Both have to be on folders that all machines share. Submitting is the user's: what a
//! cluster wants to know (accounts, queues) differs from one to the next.

mod script;
mod words;

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::Console;
use super::arguments::Overrides;
use super::files::{self, Loaded};
use super::outcome::{Failure, Outcome};
use crate::scenario::plan::Replications;
pub use script::Script;
pub use words::{Memory, Partitions, SbatchLine, TimeLimit};

/// The most tasks if nobody asks for more: with many runs in a task, what it takes to start one does
/// not count, and clusters limit how many may wait.
const MOST_TASKS: u32 = 100;

/// The arguments of `slurm`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord slurm study.toml --script study.sh --time 1:00:00
  overcord slurm study.toml --tasks 20 --memory 2G --sbatch=--account=sip > study.sh
  sbatch study.sh")]
pub struct SlurmArguments {
    /// The scenario
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Changes to it.
    #[command(flatten)]
    pub overrides: Overrides,
    /// How many tasks the runs are shared out to [default: one for each run, at most 100]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub tasks: Option<u32>,
    /// The folder for results, which all machines must share
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// How long a task may take, as Slurm writes it: minutes, h:m:s, d-h:m:s
    #[arg(long, value_name = "LIMIT")]
    pub time: Option<TimeLimit>,
    /// Where it is to run
    #[arg(long, value_name = "NAME")]
    pub partition: Option<Partitions>,
    /// How much memory a task may take, such as 500M or 4G
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Memory>,
    /// Another option for sbatch [example: --sbatch=--account=sip]
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub sbatch: Vec<SbatchLine>,
    /// Write the script to this file instead of printing it; one that exists is left alone
    #[arg(long, value_name = "PATH")]
    pub script: Option<PathBuf>,
}

/// What cannot be written into a script.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what} cannot be written into a script, since it {why}: {text:?}")]
pub struct Unwritable {
    what: &'static str,
    why: &'static str,
    text: String,
}

/// A path or value as text of one line, which is all that comments and `#SBATCH` lines can hold.
fn line(what: &'static str, text: Option<&str>, shown: &Path) -> Result<String, Unwritable> {
    let refuse = |why| Unwritable { what, why, text: shown.display().to_string() };
    let text = text.ok_or_else(|| refuse("is not UTF-8"))?;
    if text.contains(char::is_control) {
        return Err(refuse("has control characters in it"));
    }
    Ok(text.to_owned())
}

fn path(what: &'static str, path: &Path) -> Result<String, Unwritable> {
    line(what, path.to_str(), path)
}

/// Prints or writes the script.
pub fn slurm(arguments: &SlurmArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let loaded = files::load(&arguments.file, &arguments.overrides.assignments())?;
    loaded.first_worlds(&loaded.simulators(false))?;
    let runs = runs(&loaded)?;
    let tasks = arguments.tasks.unwrap_or(runs.min(MOST_TASKS));
    if tasks > runs {
        return Err(Failure::EmptyShards { shards: tasks, runs: runs as usize });
    }
    let text = written(arguments, &loaded, runs, tasks)?.text();
    match &arguments.script {
        None => console.out.write_all(text.as_bytes()).map_err(Failure::Output)?,
        Some(path) => {
            files::write_new(path, &text)?;
            let told = format!(
                "wrote {}: {runs} runs in {tasks} tasks; submit it with `sbatch`\n",
                path.display()
            );
            console.out.write_all(told.as_bytes()).map_err(Failure::Output)?;
        }
    }
    Ok(Outcome::Done)
}

/// How many runs the study has.
fn runs(loaded: &Loaded) -> Result<u32, Failure> {
    let Replications::Number(replications) = loaded.plan().replications else {
        return Err(Failure::OpenEnded { path: loaded.path.clone() });
    };
    let points = u32::try_from(loaded.points.len()).expect("the number of points was checked");
    Ok(points.saturating_mul(replications))
}

fn written(
    arguments: &SlurmArguments,
    loaded: &Loaded,
    runs: u32,
    tasks: u32,
) -> Result<Script, Failure> {
    let shown = arguments.script.clone().unwrap_or_else(|| format!("{}.sh", name(loaded)).into());
    let program =
        env::current_exe().map_err(|error| Failure::Read { path: "overcord".into(), error })?;
    let overrides = &arguments.overrides;
    let assigned = overrides.set.iter().map(|it| line("a value of --set", Some(it), Path::new(it)));
    Ok(Script {
        scenario: name(loaded).to_owned(),
        runs,
        tasks,
        file: path("the path of the scenario", &arguments.file)?,
        set: assigned.collect::<Result<_, _>>()?,
        seed: overrides.seed,
        replications: overrides.replications,
        out: path("the path of the results", &arguments.out)?,
        program: path("the path of this program", &program)?,
        folder: path("the path of the working directory", &working_directory()?)?,
        itself: path("the path of the script", &shown)?,
        time: arguments.time.clone(),
        partition: arguments.partition.clone(),
        memory: arguments.memory.clone(),
        lines: arguments.sbatch.clone(),
    })
}

fn name(loaded: &Loaded) -> &str {
    &loaded.plan().name
}

/// The working directory as the shell calls it, if it does: a way through a link may be the same on
/// all machines where what is behind it is not.
fn working_directory() -> Result<PathBuf, Failure> {
    let fails = |error| Failure::Read { path: ".".into(), error };
    let here = env::current_dir().map_err(fails)?;
    let called = env::var_os("PWD").map(PathBuf::from).filter(|it| it.is_absolute());
    let same = |it: &PathBuf| {
        it.canonicalize().is_ok_and(|it| Ok(it) == here.canonicalize().map_err(drop))
    };
    Ok(called.filter(same).unwrap_or(here))
}
