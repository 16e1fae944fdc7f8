//! The command line: the edge where files, the terminal and exit codes are touched.
//!
//! Each command is a function from its arguments and a [`Console`] to an [`Outcome`]. Results go to
//! standard output, everything else to standard error.

pub mod arguments;
pub mod broken_trace;
pub mod check;
pub mod clock;
pub mod diff;
pub mod export;
pub mod files;
pub mod forecast;
pub mod gate;
pub mod init;
pub mod interrupt;
pub mod merge;
pub mod outcome;
pub mod progress;
pub mod run;
pub mod schema;
pub mod shard;
pub mod slurm;
pub mod study;
pub mod trace;
pub mod verify;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use arguments::{Arguments, Command};
pub use outcome::{Failure, Outcome};

/// Where results and messages go.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Messages.
    pub err: &'a mut dyn Write,
    /// Whether messages go to a person: then they are coloured, and progress is shown.
    pub interactive: bool,
}

/// Runs the command that the process was given, and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    // Wrong usage, `--help` and `--version` end here; clap exits with 2 on wrong usage.
    let arguments = Arguments::parse();
    // Standard error is not locked: progress is drawn, and panics are told, by other threads.
    let mut err = io::stderr();
    let interactive = err.is_terminal();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut console = Console { out: &mut out, err: &mut err, interactive };
    conclude(execute(&arguments.command, &mut console), &mut console).into()
}

/// Runs a command.
pub fn execute(command: &Command, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    match command {
        Command::Run(arguments) => run::run(arguments, console),
        Command::Gate(arguments) => gate::gate(arguments, console),
        Command::Merge(arguments) => merge::merge(arguments, console),
        Command::Diff(arguments) => diff::diff(arguments, console),
        Command::Slurm(arguments) => slurm::slurm(arguments, console),
        Command::Check(arguments) => check::check(arguments, console),
        Command::Verify(arguments) => verify::verify(arguments, console),
        Command::Export(arguments) => export::export(arguments, console),
        Command::Trace(arguments) => trace::trace(arguments, console),
        Command::Init(arguments) => init::init(arguments, console),
        Command::Schema(arguments) => schema::schema(arguments, console),
        Command::Completions(arguments) => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(arguments.shell, &mut command, "overcord", &mut script);
            console.out.write_all(&script).map_err(Failure::Output)?;
            Ok(Outcome::Done)
        }
    }
}

/// Tells a failure, and turns the end of a command into its exit code.
pub fn conclude(result: Result<Outcome, Failure>, console: &mut Console<'_>) -> Outcome {
    let result = result.and_then(|outcome| {
        console.out.flush().map_err(Failure::Output)?;
        Ok(outcome)
    });
    match result {
        Ok(outcome) => outcome,
        Err(failure) => {
            // When not even standard error takes a message, the exit code is all that is left.
            let _ = console.err.write_all(failure.render(console.interactive).as_bytes());
            failure.outcome()
        }
    }
}
