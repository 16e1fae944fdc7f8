//! The command line as written.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use thiserror::Error;

use super::diff::DiffArguments;
use super::gate::GateArguments;
use super::shard::Shard;
use super::slurm::SlurmArguments;
use super::trace::TraceArguments;

/// Simulates churn and proxy-peer handover between P2P SIP overlays and conventional SIP.
#[derive(Clone, Debug, Parser)]
#[command(name = "overcord", version, about, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  overcord init handover.toml                 write a commented scenario
  overcord check handover.toml                validate it, print it with all defaults
  overcord run handover.toml --set dns.ttl=5s simulate it with a shorter TTL

Exit codes: 0 ok, 1 a run, a budget or a comparison failed, 2 wrong usage or scenario,
3 inconclusive, 130 interrupted.")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Simulate scenarios, and write tables and figures
    Run(RunArguments),
    /// Make the tables of a study whose runs were simulated in shards
    Merge(MergeArguments),
    /// Compare two scenarios, or two variants of one, on the same seeds
    Diff(DiffArguments),
    /// Judge scenarios by their budgets and baselines, for continuous integration
    Gate(GateArguments),
    /// Print a script that has Slurm simulate a study in shards
    Slurm(SlurmArguments),
    /// Validate a scenario and print it with every default filled in
    Check(CheckArguments),
    /// Find out whether runs repeat themselves, and whether the order of ties matters
    Verify(VerifyArguments),
    /// Write the tables of a study in another format
    Export(ExportArguments),
    /// Look into recorded sessions, convert them, or draw some
    Trace(TraceArguments),
    /// Write a commented scenario to start from
    Init(InitArguments),
    /// Print what scenario files and result tables hold: JSON Schema, reference, codebook
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
}

/// Changes to a scenario, common to several commands.
#[derive(Clone, Debug, Default, Args)]
pub struct Overrides {
    /// Change a key: its way with dots, list elements counted from 0; paths in it are relative to
    /// the working directory [example: --set dns.ttl=5s --set caller.0.users=20]
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Change the seed
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Change the number of runs with different seeds, at each point of a sweep
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub replications: Option<u32>,
}

impl Overrides {
    /// All changes as assignments, in the order in which they are made.
    #[must_use]
    pub fn assignments(&self) -> Vec<String> {
        let mut all = self.set.clone();
        all.extend(self.seed.map(|seed| format!("seed={seed}")));
        all.extend(self.replications.map(|count| format!("replications={count}")));
        all
    }
}

/// The arguments of `run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord run handover.toml
  overcord run handover.toml --replications 10 --jobs 2
  overcord run study.toml --shard 1/4
  overcord run a.toml b.toml --seed 7 --out /tmp/results
  overcord run handover.toml --set handover.reading=literal --log host=alice")]
pub struct RunArguments {
    /// The scenarios
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Changes to every scenario.
    #[command(flatten)]
    pub overrides: Overrides,
    /// How it is carried out.
    #[command(flatten)]
    pub study: StudyArguments,
    /// Simulate only this share of the runs, and write no tables: `merge` does when all are there
    #[arg(long, value_name = "I/N", conflicts_with = "log")]
    pub shard: Option<Shard>,
    /// Simulate only the first run, and print every event of this host
    #[arg(long, value_name = "host=NAME", value_parser = parse_log_host)]
    pub log: Option<LogHost>,
}

/// How studies are carried out, common to several commands.
#[derive(Clone, Debug, Args)]
pub struct StudyArguments {
    /// How many runs at a time [default: one for each processor]; results do not depend on it
    #[arg(long, short = 'j', value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The folder for results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Judge the simulator while it runs: rings consistent, packets conserved, phases add up
    #[arg(long)]
    pub checkers: bool,
    /// Begin also what takes more than 1,000 runs
    #[arg(long)]
    pub yes: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// The arguments of `merge`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord run study.toml --shard 1/2 --out a    on one machine
  overcord run study.toml --shard 2/2 --out b    on another
  overcord merge study.toml --from a --from b    the tables, as if all had run here
  overcord merge study.toml                      after shards with the same folder for results")]
pub struct MergeArguments {
    /// The scenarios
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Changes to every scenario: the same as those of the shards.
    #[command(flatten)]
    pub overrides: Overrides,
    /// A folder of results to take runs from
    #[arg(long, value_name = "DIR")]
    pub from: Vec<PathBuf>,
    /// The folder for results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
}

/// A host whose events are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHost(pub String);

/// `--log` was given something else than a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected host=NAME, such as host=alice or host=node-00001")]
pub struct NoLogHost;

fn parse_log_host(text: &str) -> Result<LogHost, NoLogHost> {
    match text.strip_prefix("host=") {
        Some(name) if !name.is_empty() => Ok(LogHost(name.to_owned())),
        _ => Err(NoLogHost),
    }
}

/// The arguments of `check`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  overcord check handover.toml --set dns.ttl=5s > effective.toml")]
pub struct CheckArguments {
    /// The scenario
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Changes to it.
    #[command(flatten)]
    pub overrides: Overrides,
    /// The point of a sweep that is printed, counted from 0
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub point: usize,
}

/// The arguments of `verify`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Every run is simulated four times, whatever is kept of it, and nothing is written: once on one
thread; again on several threads, which must give the same fingerprint and the same rows; and with
the order of simultaneous events reversed, and shuffled, which must move no headline metric beyond
its interval by more than chance. Give ten replications or more: a single run has few intervals.

Examples:
  overcord verify handover.toml --replications 10
  overcord verify handover.toml --set duration=2h --jobs 8

Exit codes: 0 all is the same, or differs within the intervals; 1 runs do not repeat themselves,
a defect of the program, or a run failed; 2 wrong usage or scenario; 3 the conclusion hangs on the
order of simultaneous events; 130 interrupted.")]
pub struct VerifyArguments {
    /// The scenarios
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Changes to every scenario.
    #[command(flatten)]
    pub overrides: Overrides,
    /// On how many threads runs are repeated [default: one for each processor, two at least]
    #[arg(long, short = 'j', value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..))]
    pub jobs: Option<u16>,
    /// Begin also what takes more than 1,000 runs
    #[arg(long)]
    pub yes: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// The arguments of `export`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord export results/handover --parquet                    the latest study
  overcord export results/handover/0123456789abcdef --parquet --out tables")]
pub struct ExportArguments {
    /// The folder of a study, or of a scenario, which means its latest study
    #[arg(value_name = "STUDY")]
    pub study: PathBuf,
    /// Write Apache Parquet files, with the types of the study's codebook
    #[arg(long, required = true)]
    pub parquet: bool,
    /// The folder to write to [default: that of the study]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// The arguments of `init`.
#[derive(Clone, Debug, Args)]
pub struct InitArguments {
    /// The file to write; one that exists is left alone
    #[arg(value_name = "PATH", default_value = "scenario.toml")]
    pub path: PathBuf,
}

/// The arguments of `schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArguments {
    /// Print the reference of all keys as Markdown instead
    #[arg(long)]
    pub markdown: bool,
    /// Print the codebook of the tables that a study writes, as Markdown, instead
    #[arg(long, conflicts_with = "markdown")]
    pub tables: bool,
}

/// The arguments of `completions`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Example:
  overcord completions bash > ~/.local/share/bash-completion/completions/overcord")]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// `run` by itself.
    #[derive(Debug, Parser)]
    enum Probe {
        Run(RunArguments),
    }

    fn run(line: &str) -> Result<RunArguments, String> {
        match Probe::try_parse_from(line.split(' ')) {
            Ok(Probe::Run(run)) => Ok(run),
            Err(error) => Err(error.to_string().lines().next().unwrap_or("").to_owned()),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        Probe::command().debug_assert();
    }

    #[test]
    fn seed_and_replications_are_assignments_after_those_of_set() {
        let given =
            run("x run a.toml --seed 7 --set dns.ttl=5s --replications 3 --set seed=1").unwrap();
        let expected = ["dns.ttl=5s", "seed=1", "seed=7", "replications=3"];
        assert_eq!(given.overrides.assignments(), expected);
        assert_eq!(given.study.out, PathBuf::from("results"));
    }

    #[test]
    fn wrong_usage_is_told() {
        for (line, told) in [
            ("x run", "error: the following required arguments were not provided:"),
            (
                "x run a --jobs 0",
                "error: invalid value '0' for '--jobs <NUMBER>': 0 is not in 1..=65535",
            ),
            (
                "x run a --replications 0",
                "error: invalid value '0' for '--replications <NUMBER>': 0 is not in 1..=4294967295",
            ),
            (
                "x run a --log alice",
                "error: invalid value 'alice' for '--log <host=NAME>': expected host=NAME, such as host=alice or host=node-00001",
            ),
        ] {
            assert_eq!(run(line).map(|_| ()), Err(told.to_owned()));
        }
        assert_eq!(run("x run a --log host=alice").unwrap().log, Some(LogHost("alice".to_owned())));
    }
}
