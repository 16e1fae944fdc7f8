//! `overcord diff`: compares two scenarios, or two variants of one, run by run on the same seeds.
//!
//! Runs of one seed see the same churn and callers in both, so most of what differs between runs
//! cancels in the difference. Runs are kept like those of `run`.

use std::path::PathBuf;

use clap::Args;

use super::Console;
use super::arguments::StudyArguments;
use super::files::{self, Loaded};
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::study::{Ended, Errand, Manner, Results};
use crate::experiment::difference::{PointDifference, differences};
use crate::experiment::parting::{Known, Way, parting};
use crate::experiment::store::write_whole;
use crate::report::difference::{LEGEND, csv, table};
use crate::report::parting::parting as told_parting;
use crate::report::quantity::count;
use crate::scenario::plan::Replications;
use crate::scenario::sweep::told;
use crate::time::SimTime;

/// How many runs are compared when a scenario has a single one.
const REPLICATIONS: u32 = 10;

/// The arguments of `diff`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  overcord diff handover.toml --set dns.ttl=30s                     as it is, and with another TTL
  overcord diff handover.toml --set dns.ttl=5s --set dns.ttl=30s    two TTLs
  overcord diff handover.toml --both duration=12h --set dns.ttl=30s
  overcord diff handover.toml --b handover.strategy=oracle --b dns.ttl=5s
  overcord diff mine.toml yours.toml --replications 20")]
pub struct DiffArguments {
    /// Scenario A, and scenario B unless that is a variant of A
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    pub files: Vec<PathBuf>,
    /// Of one scenario: what B changes in it; given twice, what A changes and what B changes
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What A changes; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub a: Vec<String>,
    /// What B changes; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub b: Vec<String>,
    /// What both change; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub both: Vec<String>,
    /// Change the seed
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Change the number of runs with different seeds [default: that of the scenarios, 10 if it is 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub replications: Option<u32>,
    /// Print all metrics, not only those that matter most
    #[arg(long)]
    pub all: bool,
    /// Write all metrics of all points as a table
    #[arg(long, value_name = "PATH")]
    pub csv: Option<PathBuf>,
    /// How it is carried out.
    #[command(flatten)]
    pub study: StudyArguments,
}

/// The file of a side, and what is changed in it.
struct Side {
    path: PathBuf,
    changes: Vec<String>,
}

impl DiffArguments {
    /// Both sides.
    fn sides(&self) -> Result<[Side; 2], Failure> {
        let [mut a, mut b] = [self.a.clone(), self.b.clone()];
        match (self.files.len(), &self.set[..]) {
            (1, []) if a.is_empty() && b.is_empty() => return Err(Failure::NothingToCompare),
            (_, []) => {}
            (1, [of_b]) => b.insert(0, of_b.clone()),
            (1, [of_a, of_b]) => {
                a.insert(0, of_a.clone());
                b.insert(0, of_b.clone());
            }
            (files, set) => return Err(Failure::WhoseSet { files, given: set.len() }),
        }
        let first = self.files[0].clone();
        let second = self.files.last().cloned().unwrap_or_else(|| first.clone());
        Ok([Side { path: first, changes: a }, Side { path: second, changes: b }])
    }

    /// Reads a side, with the seed of the other if that is there already.
    fn load(&self, side: &Side, seed: Option<u64>) -> Result<Loaded, Failure> {
        let mut assignments = self.both.clone();
        assignments.extend(side.changes.iter().cloned());
        assignments.extend(self.seed.or(seed).map(|seed| format!("seed={seed}")));
        assignments.extend(self.replications.map(|count| format!("replications={count}")));
        let mut loaded = files::load(&side.path, &assignments)?;
        if self.replications.is_none() && loaded.plan().replications == Replications::Number(1) {
            for point in &mut loaded.points {
                point.scenario.plan.replications = Replications::Number(REPLICATIONS);
            }
        }
        Ok(loaded)
    }
}

impl Side {
    fn told(&self) -> String {
        match &self.changes[..] {
            [] => self.path.display().to_string(),
            changes => format!("{} with {}", self.path.display(), changes.join(", ")),
        }
    }
}

/// Compares two scenarios.
pub fn diff(arguments: &DiffArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let sides = arguments.sides()?;
    let a = arguments.load(&sides[0], None)?;
    let b = arguments.load(&sides[1], Some(a.plan().seed))?;
    let labels = |loaded: &Loaded| -> Vec<Vec<String>> {
        loaded.points.iter().map(|point| point.varied.clone()).collect()
    };
    if a.varied != b.varied || labels(&a) != labels(&b) {
        return Err(Failure::OtherPoints { a: a.points.len(), b: b.points.len() });
    }
    let manner = Manner::new(&arguments.study);
    let interrupt = Interrupt::listen()?;
    let mut errands = Vec::new();
    for loaded in [&a, &b] {
        let simulators = loaded.simulators(manner.checkers);
        loaded.first_worlds(&simulators)?;
        errands.push(Errand::new(loaded, simulators, &manner, &interrupt));
    }
    let mut results = Vec::new();
    for errand in &errands {
        let Ended::Whole(done) = errand.carry_out(console)? else {
            return Ok(Outcome::Interrupted);
        };
        for failure in &done.carried.outcome.failures {
            errand.tell_of_failure(&done.carried.study, failure, console);
        }
        results.push(done);
    }
    let [first, second] = &results[..] else { unreachable!("there are two sides") };
    let points = differences(&first.carried, &second.carried);
    let mut text = format!("seeds from {}, in both\n", a.plan().seed);
    for (name, side) in ["A", "B"].iter().zip(&sides) {
        text.push_str(&format!("{name}  {}\n", side.told()));
    }
    for (point, loaded) in points.iter().zip(&a.points) {
        text.push_str(&format!("\n{}\n", headline(point, &a.varied, &loaded.varied)));
        text.push_str(&table(point, arguments.all));
    }
    text.push_str(&format!("\n{LEGEND}"));
    console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    console.out.flush().map_err(Failure::Output)?;
    if let Some(path) = &arguments.csv {
        let labelled: Vec<_> =
            a.points.iter().map(|point| &point.varied[..]).zip(&points).collect();
        write_whole(path, csv(&a.varied, &labelled).as_bytes())?;
    }
    tell_parting(&errands, &results, &points, console)?;
    let failed = results.iter().any(|it| !it.carried.outcome.failures.is_empty());
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

fn headline(point: &PointDifference, varied: &[String], values: &[String]) -> String {
    let at = match told(varied, values) {
        nothing if nothing.is_empty() => nothing,
        at => format!("{at}: "),
    };
    let runs = count(point.pairs, "pair");
    match point.same {
        0 => format!("{at}{runs} of runs"),
        same => format!("{at}{runs} of runs, {same} of them the same to the last event"),
    }
}

/// Tells where the first pair of runs that differ part.
fn tell_parting(
    errands: &[Errand<'_>],
    results: &[Box<Results>],
    points: &[PointDifference],
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let Some((point, runs)) = points.iter().find_map(|it| Some((it.point, it.first?))) else {
        let told = match points.iter().map(|it| it.pairs).sum() {
            0 => "there is no pair of runs to compare",
            _ => "all pairs are the same to the last event",
        };
        return writeln!(console.out, "\n{told}").map_err(Failure::Output);
    };
    let seed = results[0].carried.study.cells[runs[0] as usize].seed;
    let way = |errand: usize, run: u32| Way {
        subject: errands[errand].simulators().at(point),
        run,
        seed,
        tie_salt: 0,
    };
    let ways = [way(0, runs[0]), way(1, runs[1])];
    let found = parting(ways, Known::SameBefore(SimTime::ZERO));
    let text = match found {
        Ok(Some(found)) => told_parting(&found, ["A", "B"]),
        Ok(None) => {
            "  they do not part when they are repeated: `overcord verify` says more\n".to_owned()
        }
        Err(halt) => format!("  they cannot be repeated: {halt}\n"),
    };
    let at = if points.len() > 1 { format!(" at point {point}") } else { String::new() };
    write!(console.out, "\nthe runs with seed {seed}{at}:\n{text}").map_err(Failure::Output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Probe {
        #[command(flatten)]
        diff: DiffArguments,
    }

    fn sides(line: &str) -> Result<[(String, Vec<String>); 2], String> {
        let probe = Probe::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        let sides = probe.diff.sides().map_err(|failure| failure.to_string())?;
        Ok(sides.map(|side| (side.path.display().to_string(), side.changes)))
    }

    #[test]
    fn what_is_set_belongs_to_a_side() {
        let of = |path: &str, changes: &[&str]| {
            (path.to_owned(), changes.iter().map(|&it| it.to_owned()).collect::<Vec<_>>())
        };
        for (line, a, b) in [
            ("x f --set k=1", of("f", &[]), of("f", &["k=1"])),
            ("x f --set k=1 --set k=2", of("f", &["k=1"]), of("f", &["k=2"])),
            ("x f --b k=1 --b l=2", of("f", &[]), of("f", &["k=1", "l=2"])),
            ("x f g --a k=1", of("f", &["k=1"]), of("g", &[])),
            ("x f g", of("f", &[]), of("g", &[])),
        ] {
            assert_eq!(sides(line), Ok([a, b]), "{line}");
        }
        assert!(sides("x f").unwrap_err().starts_with("there is nothing to compare"));
        assert!(
            sides("x f --set a=1 --set b=2 --set c=3")
                .unwrap_err()
                .contains("--set is given 3 times")
        );
        assert!(sides("x f g --set a=1").unwrap_err().contains("--both"));
    }
}
