//! `overcord merge`: makes the tables of studies whose runs were simulated in shards. It simulates
//! nothing: where a run is missing it says so.

use super::arguments::MergeArguments;
use super::interrupt::Interrupt;
use super::outcome::{Failure, Outcome};
use super::study::{Errand, Manner};
use super::{Console, files, run};

/// Merges the shards of studies.
pub fn merge(arguments: &MergeArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let assignments = arguments.overrides.assignments();
    let load = |path: &std::path::PathBuf| files::load(path, &assignments);
    let scenarios = arguments.files.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    for folder in &arguments.from {
        if !folder.is_dir() {
            return Err(Failure::NoFolder { path: folder.clone() });
        }
    }
    let manner =
        Manner { jobs: 1, out: arguments.out.clone(), quiet: true, checkers: false, yes: true };
    let interrupt = Interrupt::default();
    let mut outcome = Outcome::Done;
    for (place, loaded) in scenarios.iter().enumerate() {
        if place > 0 {
            writeln!(console.out).map_err(Failure::Output)?;
        }
        let errand = Errand::new(loaded, loaded.simulators(false), &manner, &interrupt);
        let ended = match errand.merge(&arguments.from, console)? {
            Some(results) => run::report(&errand, &results, console)?,
            None => Outcome::Failed,
        };
        if ended != Outcome::Done {
            outcome = ended;
        }
    }
    Ok(outcome)
}
