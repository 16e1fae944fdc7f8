//! `overcord init`: writes a commented scenario to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use super::Console;
use super::arguments::InitArguments;
use super::outcome::{Failure, Outcome};
use crate::scenario::template::TEMPLATE;

/// Writes the scenario; a file that is there already stays as it is.
pub fn init(arguments: &InitArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let path = &arguments.path;
    let failure = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::Exists { path: path.clone() },
        _ => Failure::Write { path: path.clone(), error },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failure)?;
    file.write_all(TEMPLATE.as_bytes()).map_err(failure)?;
    writeln!(console.out, "wrote {}", path.display()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}
