//! Reading scenarios and the traces that they name.

use std::fs;
use std::path::{Path, PathBuf};

use super::outcome::Failure;
use crate::scenario::Scenario;

/// A scenario with all that was read for it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The file, as given.
    pub path: PathBuf,
    /// What it holds, byte by byte.
    pub bytes: Vec<u8>,
    /// What it says.
    pub scenario: Scenario,
    /// What the trace holds that it names, if it names one.
    pub trace: Option<Vec<u8>>,
}

/// Reads and checks a scenario with assignments `key=value`, and reads the trace that it names.
pub fn load(path: &Path, assignments: &[String]) -> Result<Loaded, Failure> {
    let read = |error| Failure::Read { path: path.to_owned(), error };
    let bytes = fs::read(path).map_err(read)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    let scenario = Scenario::parse(&name, &bytes, folder, assignments)
        .map_err(|report| Failure::Scenario(Box::new(report)))?;
    let trace = match scenario.trace() {
        None => None,
        Some(trace) => Some(fs::read(&trace.path).map_err(|error| {
            Failure::Scenario(Box::new(scenario.trace_report(format!("cannot be read: {error}"))))
        })?),
    };
    Ok(Loaded { path: path.to_owned(), bytes, scenario, trace })
}
