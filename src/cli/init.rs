//! `overcord init`: writes a commented scenario to start from.

use super::arguments::InitArguments;
use super::outcome::{Failure, Outcome};
use super::{Console, files};
use crate::scenario::template::TEMPLATE;

/// Writes the scenario; a file that is there already stays as it is.
pub fn init(arguments: &InitArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    files::write_new(&arguments.path, TEMPLATE)?;
    writeln!(console.out, "wrote {}", arguments.path.display()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
