//! `overcord check`: validates a scenario and prints it with every default filled in. Its trace is
//! read and the world of the first seed is built; nothing is simulated.

use super::arguments::CheckArguments;
use super::outcome::{Failure, Outcome};
use super::{Console, files};

/// Prints the effective scenario.
pub fn check(arguments: &CheckArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let loaded = files::load(&arguments.file, &arguments.overrides.assignments())?;
    loaded.first_world(&loaded.simulator(false))?;
    let effective = loaded.scenario.effective();
    console.out.write_all(effective.as_bytes()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
