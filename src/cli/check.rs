//! `overcord check`: validates a scenario and prints it with every default filled in. Its trace is
//! read and the world of the first seed is built; nothing is simulated.

use std::collections::{BTreeMap, BTreeSet};

use super::Console;
use super::arguments::CheckArguments;
use super::files::{self, Loaded};
use super::outcome::{Failure, Outcome};
use crate::report::quantity::{number, percent};
use crate::report::varied::words;
use crate::scenario::plan::Replications;

/// Prints the effective scenario; of a sweep, that of one point, below a list of all.
pub fn check(arguments: &CheckArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let loaded = files::load(&arguments.file, &arguments.overrides.assignments())?;
    let point = loaded.point(arguments.point)?;
    loaded.first_worlds(&loaded.simulators(false))?;
    let mut text = String::new();
    if loaded.points.len() > 1 {
        text = points(&loaded, arguments.point);
    }
    text.push_str(&point.scenario.effective());
    console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}

/// Of more points than twice this, so many of the first and of the last are listed.
const ENDS: usize = 24;

/// A value of a key is no longer in the list; in full it stands in the scenario of its point.
const LONGEST_VALUE: usize = 56;

/// The points of a sweep, as comments.
fn points(loaded: &Loaded, shown: usize) -> String {
    let points = loaded.points.len();
    let plan = loaded.plan();
    let runs = match &plan.replications {
        Replications::Number(runs) => format!(
            "{} of each, {} in all",
            number(f64::from(*runs)),
            number(f64::from(*runs) * points as f64)
        ),
        Replications::Until(precision) => format!(
            "{} to {} of each, until {} is known to {}",
            precision.at_least,
            precision.at_most,
            precision.metric,
            percent(precision.until)
        ),
    };
    let mut text = format!("# {} points; runs: {runs}\n#\n", number(points as f64));
    for line in listed(loaded) {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    text.push_str(&format!(
        "#\n# Below, the whole scenario at point {shown}; --point shows it at another one.\n\n"
    ));
    text
}

/// The values of a key, each with how it is listed; where a point leaves the key out, it is nothing.
fn short_values(loaded: &Loaded, column: usize) -> BTreeMap<&str, String> {
    let set = loaded.points.iter().map(|point| point.varied[column].as_str());
    let distinct: BTreeSet<&str> = set.filter(|value| !value.is_empty()).collect();
    let distinct: Vec<&str> = distinct.into_iter().collect();
    let words = words(&distinct, LONGEST_VALUE);
    distinct.into_iter().zip(words).collect()
}

/// The values of all keys at each point, in columns.
fn listed(loaded: &Loaded) -> Vec<String> {
    let all = || loaded.points.iter().enumerate();
    let left_out = loaded.points.len().saturating_sub(2 * ENDS);
    let is_shown = |index: usize| left_out == 0 || index < ENDS || index >= ENDS + left_out;
    let keys = loaded.varied.iter().cloned();
    let mut rows: Vec<Vec<String>> =
        vec![std::iter::once("point".to_owned()).chain(keys).collect()];
    let columns: Vec<BTreeMap<&str, String>> =
        (0..loaded.varied.len()).map(|column| short_values(loaded, column)).collect();
    rows.extend(all().filter(|(index, _)| is_shown(*index)).map(|(index, point)| {
        let short = |(column, value): (&BTreeMap<&str, String>, &String)| {
            column.get(value.as_str()).cloned().unwrap_or_default()
        };
        let values = columns.iter().zip(&point.varied).map(short);
        std::iter::once(format!("{index:>5}")).chain(values).collect()
    }));
    let length = |cell: &String| cell.chars().count();
    let width = |column: usize| rows.iter().map(|row| length(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=loaded.varied.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if left_out > 0 {
        lines.insert(1 + ENDS, format!("    … {} more", number(left_out as f64)));
    }
    lines
}
