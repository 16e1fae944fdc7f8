//! `overcord schema`: prints what a scenario may hold, for editors or for people, and what the tables
//! of results hold.

use super::Console;
use super::arguments::SchemaArguments;
use super::outcome::{Failure, Outcome};
use crate::report::codebook;
use crate::scenario::schema::{markdown, published};

/// Prints the JSON Schema, the reference of all keys, or the codebook of the tables.
pub fn schema(arguments: &SchemaArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let text = match (arguments.tables, arguments.markdown) {
        (true, _) => codebook::markdown(),
        (false, true) => markdown(),
        (false, false) => format!("{:#}\n", published()),
    };
    console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
