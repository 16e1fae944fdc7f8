//! `overcord check`: validates a scenario and prints it with every default filled in. Its trace is
//! read and the world of the first seed is built; nothing is simulated.

use super::Console;
use super::arguments::CheckArguments;
use super::files::{self, Loaded};
use super::outcome::{Failure, Outcome};
use crate::report::quantity::number;
use crate::scenario::plan::Replications;

/// Prints the effective scenario; of a sweep, that of one point, below a list of all.
pub fn check(arguments: &CheckArguments, console: &mut Console<'_>) -> Result<Outcome, Failure> {
    let loaded = files::load(&arguments.file, &arguments.overrides.assignments())?;
    let Some(point) = loaded.points.get(arguments.point) else {
        return Err(Failure::NoPoint {
            path: arguments.file.clone(),
            point: arguments.point,
            points: loaded.points.len(),
        });
    };
    loaded.first_worlds(&loaded.simulators(false))?;
    let mut text = String::new();
    if loaded.points.len() > 1 {
        text = points(&loaded, arguments.point);
    }
    text.push_str(&point.scenario.effective());
    console.out.write_all(text.as_bytes()).map_err(Failure::Output)?;
    Ok(Outcome::Done)
}

/// The points of a sweep, as comments.
fn points(loaded: &Loaded, shown: usize) -> String {
    let points = loaded.points.len();
    let runs = match &loaded.plan().replications {
        Replications::Number(runs) => number(f64::from(*runs)),
        Replications::Until(precision) => {
            format!("{} to {}", precision.at_least, precision.at_most)
        }
    };
    let mut text = format!("# {} points with {runs} runs each:\n", number(points as f64));
    for (index, point) in loaded.points.iter().enumerate() {
        let pairs = loaded.varied.iter().zip(&point.varied).filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> = pairs.map(|(key, value)| format!("{key} = {value}")).collect();
        text.push_str(&format!("#   {index}: {}\n", pairs.join(", ")));
    }
    text.push_str(&format!("# Point {shown} (another one: --point):\n\n"));
    text
}
