//! `overcord trace`: what recorded sessions say by themselves, in another format, and drawn ones.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};

use super::arguments::Overrides;
use super::outcome::{Failure, Outcome};
use super::{Console, files};
use crate::churn::trace::{
    AvailabilityTrace, Loss, TraceFormat, TraceNode, parse_profiles, parse_until, to_profile, write,
};
use crate::churn::{TraceStats, generate};
use crate::report::quantity::number;
use crate::scenario::build;
use crate::units::Duration;

/// The arguments of `trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub command: TraceCommand,
}

/// What to do with a trace.
#[derive(Clone, Debug, Subcommand)]
pub enum TraceCommand {
    /// Print what a trace of sessions holds: hosts, span, sessions, how many are up
    Stats(TraceStatsArguments),
    /// Write a trace in another format, or a part of it
    Convert(TraceConvertArguments),
    /// Write the sessions that the churn of a scenario draws as a trace
    Generate(TraceGenerateArguments),
}

/// The arguments of `trace stats`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord trace stats sessions.avt
  overcord trace stats event_trace.tab
  overcord trace stats churn.txt --format oversim")]
pub struct TraceStatsArguments {
    /// The trace; a folder holds profiles of SimGrid
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How it is written [default: told by the extension, .tab is fta]
    #[arg(long, value_enum)]
    pub format: Option<TraceFormat>,
    /// Up to when it goes, such as 7d: for what stays up, or repeats, without an end
    #[arg(long, value_name = "TIME")]
    pub span: Option<Duration>,
}

/// The arguments of `trace convert`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord trace convert event_trace.tab sessions.avt
  overcord trace convert churn.txt churn.avt --from oversim
  overcord trace convert sessions.avt week.avt --span 7d
  overcord trace convert sessions.avt profiles --to simgrid      a folder, a profile a host
  overcord trace convert profiles sessions.avt --span 1d         and back

What a format cannot hold is told; a file that exists is left alone.")]
pub struct TraceConvertArguments {
    /// The trace; a folder holds profiles of SimGrid
    #[arg(value_name = "IN")]
    pub from_file: PathBuf,
    /// The file to write; a folder for profiles of SimGrid
    #[arg(value_name = "OUT")]
    pub to_file: PathBuf,
    /// How it is written [default: told by the extension, .tab is fta]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub from: Option<TraceFormat>,
    /// How to write it [default: told by the extension, .tab is fta]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<TraceFormat>,
    /// Up to when, such as 7d: the rest is cut off, and what stays up, or repeats, goes on to then
    #[arg(long, value_name = "TIME")]
    pub span: Option<Duration>,
}

/// The arguments of `trace generate`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord trace generate handover.toml churn.avt
  overcord trace generate handover.toml churn.tab --seed 7 --set duration=30d

It holds the sessions of all generated members that a run of the scenario with this seed plays, cut
to whole seconds, and nothing of its named hosts and of its script.")]
pub struct TraceGenerateArguments {
    /// The scenario
    #[arg(value_name = "SCENARIO")]
    pub scenario: PathBuf,
    /// The file to write; a folder for profiles of SimGrid
    #[arg(value_name = "OUT")]
    pub to_file: PathBuf,
    /// How to write it [default: told by the extension, .tab is fta]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: Option<TraceFormat>,
    /// Changes to the scenario.
    #[command(flatten)]
    pub overrides: Overrides,
    /// The point of a sweep whose churn it is, counted from 0
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub point: usize,
}

impl ValueEnum for TraceFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let about = match self {
            Self::Avt => "One line a node: its sessions (Godfrey's availability traces)",
            Self::Events => "One line an event: time, node, up or down",
            Self::OverSim => "OverSim's TraceChurn",
            Self::Fta => "The Failure Trace Archive's event_trace.tab",
            Self::P2psim => "p2psim's churn file",
            Self::Splay => "SPLAY's churn trace",
            Self::SimGrid => "SimGrid's state profiles, one a host",
        };
        Some(PossibleValue::new(self.name()).help(about))
    }
}

/// Does what is asked for with a trace.
pub fn trace(arguments: &TraceArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    match &arguments.command {
        TraceCommand::Stats(arguments) => stats(arguments, console),
        TraceCommand::Convert(arguments) => convert(arguments, console),
        TraceCommand::Generate(arguments) => generated(arguments, console),
    }
}

/// Prints the figures of a trace.
fn stats(arguments: &TraceStatsArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let (trace, _) = read(&arguments.file, arguments.format, "--format", arguments.span)?;
    write!(console.out, "{}", TraceStats::of(&trace)).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}

/// Writes a trace in another format.
fn convert(
    arguments: &TraceConvertArguments,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let path = &arguments.from_file;
    // What is wrong with the names of both is told before a large file is read.
    let to = format_of(&arguments.to_file, arguments.to, "--to")?;
    let (trace, from) = read(path, arguments.from, "--from", arguments.span)?;
    let mut left_out = |count: u64, what: &str| match count {
        0 => Ok(()),
        _ => writeln!(console.err, "overcord: {}: {} {what}", path.display(), number(count as f64)),
    };
    left_out(trace.skipped, "left out (commands that are neither JOIN nor LEAVE)")
        .and_then(|()| left_out(trace.empty_sessions, "left out (sessions of length zero)"))
        .map_err(Failure::Output)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let comment = format!("{name} ({from}), by overcord trace convert.");
    put(&trace, to, &arguments.to_file, &comment, console)
}

/// Writes the churn of a scenario.
fn generated(
    arguments: &TraceGenerateArguments,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let to = format_of(&arguments.to_file, arguments.to, "--to")?;
    let path = &arguments.scenario;
    let loaded = files::load(path, &arguments.overrides.assignments())?;
    let point = loaded.point(arguments.point)?;
    let plan = &point.scenario.plan;
    let recipe =
        build::recipe(plan).map_err(|error| Failure::Build { path: path.clone(), error })?;
    let recipe = recipe.ok_or_else(|| Failure::NothingDrawn { path: path.clone() })?;
    let comment = format!(
        "Generated, no measurement: the churn of {}, seed {},\n\
         started in equilibrium, cut to whole seconds (overcord trace generate).",
        plan.name, recipe.seed
    );
    put(&generate(&recipe), to, &arguments.to_file, &comment, console)
}

/// The format of a file: given, or told by its extension. A folder holds profiles.
fn format_of(
    path: &Path,
    given: Option<TraceFormat>,
    option: &'static str,
) -> Result<TraceFormat, Failure> {
    let told = || match path.is_dir() {
        true => Ok(TraceFormat::SimGrid),
        false => TraceFormat::of(&path.to_string_lossy(), None),
    };
    given.map_or_else(told, Ok).map_err(|_| Failure::Format { path: path.to_owned(), option })
}

/// Reads a trace, and says how it was written.
fn read(
    path: &Path,
    given: Option<TraceFormat>,
    option: &'static str,
    span: Option<Duration>,
) -> Result<(AvailabilityTrace, TraceFormat), Failure> {
    let format = format_of(path, given, option)?;
    let span = span.map(|span| span.0);
    if format == TraceFormat::SimGrid {
        return Ok((read_profiles(path, span)?, format));
    }
    let bytes = read_file(path)?;
    let trace = parse_until(&bytes, format, span)
        .map_err(|error| Failure::Trace { path: path.to_owned(), error })?;
    Ok((trace, format))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Read { path: path.to_owned(), error })
}

/// Reads one profile, or all files of a folder but hidden ones, by their names.
fn read_profiles(
    path: &Path,
    span: Option<crate::time::SimDuration>,
) -> Result<AvailabilityTrace, Failure> {
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let failed = |error| Failure::Read { path: path.to_owned(), error };
        let entries = fs::read_dir(path).map_err(failed)?;
        let all: Result<Vec<PathBuf>, _> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let hidden = |path: &PathBuf| {
            path.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'))
        };
        paths = all.map_err(failed)?.into_iter().filter(|it| it.is_file() && !hidden(it)).collect();
        paths.sort();
        if paths.is_empty() {
            return Err(Failure::NoProfile { path: path.to_owned() });
        }
    }
    let profile = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        // Names are words of other formats.
        let name = name.replace(|c: char| c.is_whitespace() || c == '#', "-");
        read_file(path).map(|bytes| (name, bytes))
    };
    let profiles = paths.iter().map(profile).collect::<Result<Vec<_>, _>>()?;
    for (place, (name, _)) in profiles.iter().enumerate() {
        if let Some(first) = profiles[..place].iter().position(|(other, _)| other == name) {
            let (name, [first, second]) =
                (name.clone(), [first, place].map(|it| paths[it].clone()));
            return Err(Failure::ProfilesNamedAlike { name, first, second });
        }
    }
    parse_profiles(&profiles, span)
        .map_err(|(place, error)| Failure::Trace { path: paths[place].clone(), error })
}

/// Writes a trace to a new file, or to a new folder of profiles, and says so.
fn put(
    trace: &AvailabilityTrace,
    format: TraceFormat,
    path: &Path,
    comment: &str,
    console: &mut Console<'_>,
) -> Result<Outcome, Failure> {
    let lost = if format == TraceFormat::SimGrid {
        put_profiles(trace, path, comment)?
    } else {
        let written = write(trace, format, comment)
            .map_err(|error| Failure::TraceLoss { path: path.to_owned(), error })?;
        files::write_new(path, &written.text)?;
        written.lost
    };
    for loss in lost {
        writeln!(console.err, "overcord: {}: {loss}", path.display()).map_err(Failure::Output)?;
    }
    let sessions: usize = trace.nodes.iter().map(|node| node.sessions.len()).sum();
    let days = trace.span.as_secs_f64() / 86_400.0;
    writeln!(
        console.out,
        "wrote {}: {} nodes, {} sessions, {days:.2} d",
        path.display(),
        number(trace.nodes.len() as f64),
        number(sessions as f64)
    )
    .map_err(Failure::Output)?;
    Ok(Outcome::Done)
}

/// A file a node, called by its name, or by its number when a name cannot be that of a file.
fn put_profiles(
    trace: &AvailabilityTrace,
    path: &Path,
    comment: &str,
) -> Result<Vec<Loss>, Failure> {
    files::new_folder(path)?;
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_file = |node: &TraceNode| node.name.chars().all(part) && !node.name.starts_with('.');
    let named = trace.nodes.iter().all(is_file);
    for (number, node) in (1..).zip(&trace.nodes) {
        let name = if named { node.name.clone() } else { format!("node-{number:05}") };
        let file = path.join(format!("{name}.{}", TraceFormat::SimGrid));
        files::write_new(&file, &to_profile(node, comment))?;
    }
    Ok(if named { Vec::new() } else { vec![Loss::Numbered] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Probe {
        #[command(flatten)]
        trace: TraceArguments,
    }

    #[test]
    fn a_format_is_a_word_and_a_span_has_a_unit() {
        let line = "x convert a.txt b.avt --from oversim --span 7d";
        let Ok(Probe { trace: TraceArguments { command: TraceCommand::Convert(given) } }) =
            Probe::try_parse_from(line.split(' '))
        else {
            panic!("refused");
        };
        assert_eq!((given.from, given.to), (Some(TraceFormat::OverSim), None));
        assert_eq!(given.span, Some(Duration::from_secs(7 * 86_400)));
        for (line, told) in [
            ("x stats a.txt --format over-sim", "invalid value 'over-sim' for '--format <FORMAT>'"),
            ("x stats a.txt --span 7", "invalid value '7' for '--span <TIME>': 7 has no unit"),
        ] {
            let error = Probe::try_parse_from(line.split(' ')).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
