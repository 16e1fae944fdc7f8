//! The points of a study with their runs, and which of many a figure draws.
//!
//! Figures in which every point stands for itself draw as many as can be told apart. Of more, those
//! are drawn that differ from the first in one key alone, the one that figures of sweeps have along
//! their axis. Where these are still too many, or there is only one, some of them, or of all, are
//! drawn, evenly spread. The tables of figures have all points.

use std::ops::RangeInclusive;

use crate::experiment::cell::{CellSpec, Study};
use crate::metrics::tables::RunOutput;
use crate::report::figures::sweep::along_the_axis;
use crate::report::quantity::number;
use crate::report::varied::{Dimension, dimensions, last, shortened};
use crate::scenario::sweep::told;

/// How many points figures of lines and of rows draw at most: there are so many colours, and a page
/// is so high.
pub(super) const MOST_LINES: usize = crate::report::canvas::palette::LINES.len();
pub(super) const MOST_ROWS: usize = 24;

/// No name of a point beside a drawing is longer.
const LONGEST_NAME: usize = 44;

/// A sweep point with its runs.
pub(super) struct Point<'a> {
    /// Its number in the study.
    number: usize,
    /// The varied keys with their values, or nothing when nothing is varied.
    pub(super) label: String,
    /// The runs, each with its spec; at least one.
    pub(super) runs: Vec<(&'a CellSpec, &'a RunOutput)>,
}

/// All points that have runs, in their order.
pub(super) struct Points<'a> {
    pub(super) list: Vec<Point<'a>>,
    dimensions: Vec<Dimension>,
}

/// The points that a figure draws.
pub(super) struct Chosen<'p, 'a> {
    /// Each with what it is called beside the drawing.
    pub(super) points: Vec<(&'p Point<'a>, String)>,
    /// Which ones they are, where they are not all.
    pub(super) told: Option<String>,
}

impl<'a> Points<'a> {
    pub(super) fn of(study: &'a Study, outputs: &'a [RunOutput]) -> Self {
        let of_cells = |cells: &'a [CellSpec]| {
            let label = told(&study.varied, &cells[0].varied);
            let output = |run| {
                let index = outputs.binary_search_by_key(&run, |output| output.run).ok()?;
                Some(&outputs[index])
            };
            let runs = cells.iter().filter_map(|spec| Some((spec, output(spec.run)?))).collect();
            Point { number: cells[0].point as usize, label, runs }
        };
        let values: Vec<&[String]> = study.points.iter().map(|point| &point.varied[..]).collect();
        let list = study.by_point().map(of_cells).filter(|point| !point.runs.is_empty()).collect();
        Self { list, dimensions: dimensions(&study.varied, &values) }
    }

    /// The points to be drawn of those that have something to show, `most` of them at most.
    pub(super) fn choose<'p>(
        &'p self,
        most: usize,
        shows: impl Fn(&Point<'a>) -> bool,
    ) -> Chosen<'p, 'a> {
        let all: Vec<&Point<'a>> = self.list.iter().filter(|point| shows(point)).collect();
        let everything = || self.dimensions.iter();
        if all.len() <= most {
            let points = all.into_iter().map(|it| (it, self.name(it, everything()))).collect();
            return Chosen { points, told: None };
        }
        let axis = along_the_axis(&self.dimensions);
        let fixed = || everything().filter(|it| axis.is_none_or(|axis| !std::ptr::eq(*it, axis)));
        let level = |it: &Dimension, point: &Point<'_>| it.of_point[point.number];
        let like_first =
            |point: &&Point<'a>| fixed().all(|it| level(it, point) == level(it, all[0]));
        let slice: Vec<&Point<'a>> = all.iter().copied().filter(like_first).collect();
        let (many, common) = if slice.len() > 1 { (&slice, true) } else { (&all, false) };
        let drawn = spread(many, most);
        let mut told = format!("{} of {} points", drawn.len(), number(all.len() as f64));
        if common && fixed().next().is_some() {
            told.push_str(&format!(", of those with {}", self.name(all[0], fixed())));
        }
        let named = |point: &'p Point<'a>| match axis {
            Some(axis) if common => (point, axis.told(level(axis, point))),
            _ => (point, self.name(point, everything())),
        };
        Chosen { points: drawn.into_iter().map(named).collect(), told: Some(told) }
    }

    /// What a point is called by its values in some dimensions.
    fn name<'d>(&self, point: &Point<'_>, of: impl Iterator<Item = &'d Dimension>) -> String {
        let mut of = of.peekable();
        let Some(first) = of.next() else { return String::new() };
        let level = |it: &Dimension| it.of_point[point.number];
        if of.peek().is_none() {
            return shortened(&first.told(level(first)), LONGEST_NAME);
        }
        // Of several keys the last part is enough to know them by, and words need none.
        let short = |it: &Dimension| {
            let label = &it.levels[level(it)].label;
            match it.measure {
                Some(_) => format!("{} = {label}", last(&it.key)),
                None => label.clone(),
            }
        };
        let words: Vec<String> = std::iter::once(first).chain(of).map(short).collect();
        shortened(&words.join(", "), LONGEST_NAME)
    }
}

/// So many of several, evenly spread, the first and the last among them.
fn spread<T: Copy>(several: &[T], most: usize) -> Vec<T> {
    let n = several.len();
    if n <= most {
        return several.to_vec();
    }
    let places: RangeInclusive<usize> = 0..=most - 1;
    places.map(|index| several[(index * (n - 1) + (most - 1) / 2) / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::cell::StudyPoint;
    use crate::experiment::run::tests::{fake_output, study};

    /// A study of the grid of two keys, and its outputs.
    fn grid(first: (&str, &[&str]), second: (&str, &[&str])) -> (Study, Vec<RunOutput>) {
        let (one, other) = (first.1, second.1);
        let mut study = study((one.len() * other.len()) as u32);
        study.varied = vec![first.0.into(), second.0.into()];
        let pairs: Vec<Vec<String>> = one
            .iter()
            .flat_map(|a| other.iter().map(move |b| vec![(*a).to_owned(), (*b).to_owned()]))
            .collect();
        let of_point =
            |varied: &Vec<String>| StudyPoint { varied: varied.clone(), ..study.points[0].clone() };
        study.points = pairs.iter().map(of_point).collect();
        for (spec, varied) in study.cells.iter_mut().zip(pairs) {
            (spec.point, spec.varied) = (spec.run, varied);
        }
        let outputs = study.cells.iter().map(fake_output).collect();
        (study, outputs)
    }

    fn names(chosen: &Chosen<'_, '_>) -> Vec<String> {
        chosen.points.iter().map(|(_, name)| name.clone()).collect()
    }

    #[test]
    fn all_points_are_drawn_that_can_be_told_apart() {
        let (study, outputs) =
            grid(("dns.ttl", &["5s", "60s"]), ("handover.strategy", &["a", "b"]));
        let points = Points::of(&study, &outputs);
        let chosen = points.choose(4, |_| true);
        assert_eq!(names(&chosen), ["ttl = 5s, a", "ttl = 5s, b", "ttl = 60s, a", "ttl = 60s, b"]);
        assert_eq!(chosen.told, None);
        assert_eq!(points.list[1].label, "dns.ttl = 5s, handover.strategy = b");
    }

    #[test]
    fn of_many_those_are_drawn_that_differ_from_the_first_along_the_axis() {
        let ttls = ["5s", "10s", "20s", "30s", "60s"];
        let (study, outputs) = grid(("dns.ttl", &ttls), ("handover.strategy", &["a", "b", "c"]));
        let points = Points::of(&study, &outputs);
        let chosen = points.choose(5, |_| true);
        let expected = ttls.map(|ttl| format!("dns.ttl = {ttl}"));
        assert_eq!(names(&chosen), expected);
        assert_eq!(chosen.told.unwrap(), "5 of 15 points, of those with handover.strategy = a");
        // Where the first has nothing to show, the next one leads.
        let chosen = points.choose(3, |point| point.number % 3 != 0);
        assert_eq!(names(&chosen), ["dns.ttl = 5s", "dns.ttl = 20s", "dns.ttl = 60s"]);
        assert_eq!(chosen.told.unwrap(), "3 of 10 points, of those with handover.strategy = b");
    }

    #[test]
    fn what_is_spread_has_both_ends() {
        let ten: Vec<u32> = (0..10).collect();
        // 9·i/3.
        assert_eq!(spread(&ten, 4), [0, 3, 6, 9]);
        // 9·i/6, rounded down from the half up: 1.5, 3, 4.5, 6, 7.5.
        assert_eq!(spread(&ten, 7), [0, 2, 3, 5, 6, 8, 9]);
        assert_eq!(spread(&ten, 10), ten);
    }
}
