//! What a reader of a study's numbers should be warned of.

use crate::experiment::cell::{CellSpec, StudyPoint};
use crate::experiment::warmup::{Unsettled, unsettled};
use crate::metrics::tables::RunOutput;

/// A reason to take the numbers of a point with care.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warning {
    /// So few runs that intervals hang on few values; of a single run there are none.
    FewRuns {
        /// How many there are.
        runs: usize,
    },
    /// The state had not settled when the warm-up ended.
    ShortWarmup(Unsettled),
}

/// From how many runs on intervals are taken as they are.
pub const ENOUGH_RUNS: usize = 10;

/// The warnings about a point and its runs. A story is told of one run, and wants no intervals.
#[must_use]
pub fn warnings(point: &StudyPoint, runs: &[(&CellSpec, &RunOutput)]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let is_story = runs.iter().any(|(_, output)| !output.told.is_empty());
    if runs.len() < ENOUGH_RUNS && !is_story {
        warnings.push(Warning::FewRuns { runs: runs.len() });
    }
    if point.settles {
        let timelines = runs.iter().map(|(_, output)| output.timeline.as_slice());
        warnings.extend(unsettled(timelines, point.warmup).map(Warning::ShortWarmup));
    }
    warnings
}
