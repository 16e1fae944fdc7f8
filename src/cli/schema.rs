//! `overcord schema`: prints what a scenario may hold, for editors or for people.

use super::Console;
use super::arguments::SchemaArguments;
use super::outcome::{Failure, Outcome};
use crate::scenario::schema::{markdown, published};

/// Prints the JSON Schema, or the reference of all keys.
pub fn schema(arguments: &SchemaArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let text = if arguments.markdown { markdown() } else { format!("{:#}\n", published()) };
    console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
