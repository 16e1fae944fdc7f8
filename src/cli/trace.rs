//! `overcord trace`: what recorded sessions say by themselves.

use std::fs;

use super::Console;
use super::arguments::{TraceArguments, TraceCommand, TraceStatsArguments};
use super::outcome::{Failure, Outcome};
use crate::churn::TraceStats;
use crate::churn::trace::{TraceFormat, parse};

/// Does what is asked for with a trace.
pub fn trace(arguments: &TraceArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    match &arguments.command {
        TraceCommand::Stats(arguments) => stats(arguments, console),
    }
}

/// Prints the figures of a trace.
fn stats(arguments: &TraceStatsArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let path = &arguments.file;
    let format = match arguments.format {
        Some(word) => word.into(),
        None => TraceFormat::of(&path.to_string_lossy(), None)
            .map_err(|_| Failure::Format { path: path.clone() })?,
    };
    let bytes = fs::read(path).map_err(|error| Failure::Read { path: path.clone(), error })?;
    let trace =
        parse(&bytes, format).map_err(|error| Failure::Trace { path: path.clone(), error })?;
    write!(console.out, "{}", TraceStats::of(&trace)).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
