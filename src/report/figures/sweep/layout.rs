//! Which of the varied keys stands along the axis, which has a line for each of its values, and
//! which has a panel for each.
//!
//! * Along the axis: the numeric key with the most values, of several the last, which is the fastest
//!   of a grid. Where numbers have but two values, a key of words that has more comes first; and
//!   where there are no numbers, the key of words with the most values, of several the last.
//! * Lines: of the other keys the one with the most values, as long as there are colours for them;
//!   of several the first.
//! * Panels: each combination of the values of all further keys, as they come.

use crate::report::canvas::palette;
use crate::report::varied::Dimension;

/// No more lines than this can be told apart: each colour filled and hollow.
pub(super) const MOST_LINES: usize = 2 * palette::LINES.len();
/// No more panels fit on a page.
pub(super) const MOST_PANELS: usize = 9;

/// How the points of a study are laid out.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// The key along the axis.
    pub(super) across: &'a Dimension,
    /// The key with a line for each value.
    pub(super) series: Option<&'a Dimension>,
    /// The panels; at least one.
    pub(super) panels: Vec<Panel>,
    /// Points that have no place in it, since lines or panels would be too many.
    pub(super) left_out: usize,
}

/// A panel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    /// What its points have in common; nothing when there is a single panel.
    pub(super) title: String,
    /// For each line the points on it, by their place along the axis: the value's number, and the
    /// point's.
    pub(super) lines: Vec<Vec<(usize, usize)>>,
}

/// The dimension among these with the most values; of several the last.
fn richest<'a>(dimensions: impl Iterator<Item = &'a Dimension>) -> Option<&'a Dimension> {
    dimensions.max_by_key(|it| it.levels.len())
}

/// The key that stands along the axis.
pub(in crate::report::figures) fn along_the_axis(dimensions: &[Dimension]) -> Option<&Dimension> {
    let of = |numeric| dimensions.iter().filter(move |it| it.measure.is_some() == numeric);
    match (richest(of(true)), richest(of(false))) {
        (Some(numbers), Some(words))
            if numbers.levels.len() < 3 && words.levels.len() > numbers.levels.len() =>
        {
            Some(words)
        }
        (numbers, words) => numbers.or(words),
    }
}

impl<'a> Layout<'a> {
    /// Lays out points of these dimensions; nothing when they do not differ.
    pub(super) fn of(dimensions: &'a [Dimension]) -> Option<Self> {
        let across = along_the_axis(dimensions)?;
        let others = || dimensions.iter().filter(|it| !std::ptr::eq(*it, across));
        let colours = palette::LINES.len();
        let series = richest(others().rev().filter(|it| it.levels.len() <= colours))
            .or_else(|| others().min_by_key(|it| it.levels.len()));
        let further: Vec<&Dimension> =
            others().filter(|it| !series.is_some_and(|series| std::ptr::eq(*it, series))).collect();
        let mut layout = Self { across, series, panels: Vec::new(), left_out: 0 };
        for point in 0..across.of_point.len() {
            layout.place(point, &further);
        }
        for line in layout.panels.iter_mut().flat_map(|panel| &mut panel.lines) {
            line.sort_unstable();
        }
        Some(layout)
    }

    fn place(&mut self, point: usize, further: &[&Dimension]) {
        let title: Vec<_> = further.iter().map(|it| it.told(it.of_point[point])).collect();
        let title = title.join(", ");
        let line = self.series.map_or(0, |series| series.of_point[point]);
        let known = self.panels.iter().position(|panel| panel.title == title);
        if line >= MOST_LINES || (known.is_none() && self.panels.len() == MOST_PANELS) {
            self.left_out += 1;
            return;
        }
        let panel = known.unwrap_or_else(|| {
            let lines = vec![Vec::new(); self.lines()];
            self.panels.push(Panel { title, lines });
            self.panels.len() - 1
        });
        self.panels[panel].lines[line].push((self.across.of_point[point], point));
    }

    /// How many lines a panel has.
    pub(super) fn lines(&self) -> usize {
        self.series.map_or(1, |series| series.levels.len().min(MOST_LINES))
    }

    /// The points that have a place.
    pub(super) fn points(&self) -> impl Iterator<Item = usize> {
        let lines = self.panels.iter().flat_map(|panel| &panel.lines);
        lines.flatten().map(|(_, point)| *point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::varied::{Level, Measure};

    /// A full grid of keys with so many values, the last fastest; those in capitals have words.
    fn grid(keys: &[(&str, usize)]) -> Vec<Dimension> {
        let points: usize = keys.iter().map(|(_, values)| values).product();
        let mut repeat = points;
        keys.iter()
            .map(|&(key, values)| {
                repeat /= values;
                let words = key.starts_with(|c: char| c.is_ascii_uppercase());
                let level = |it: usize| Level { label: it.to_string(), number: it as f64 };
                Dimension {
                    key: key.into(),
                    measure: (!words).then_some(Measure::Number),
                    levels: (0..values).map(level).collect(),
                    of_point: (0..points).map(|point| point / repeat % values).collect(),
                    along: Vec::new(),
                }
            })
            .collect()
    }

    #[test]
    fn keys_are_dealt_to_axis_lines_and_panels() {
        for (keys, across, series, panels) in [
            (&[("ttl", 4)][..], "ttl", "", 1),
            (&[("ttl", 4), ("nodes", 4)], "nodes", "ttl", 1),
            (&[("ttl", 5), ("nodes", 4), ("Design", 6)], "ttl", "Design", 4),
            (&[("ttl", 2), ("Design", 6)], "Design", "ttl", 1),
            (&[("ttl", 2), ("Design", 2)], "ttl", "Design", 1),
            (&[("Design", 3), ("Profile", 3)], "Profile", "Design", 1),
            // Eight lines would be more than there are colours.
            (&[("ttl", 9), ("nodes", 8), ("Design", 2)], "ttl", "Design", 8),
            (&[("ttl", 9), ("nodes", 8)], "ttl", "nodes", 1),
        ] {
            let dimensions = grid(keys);
            let layout = Layout::of(&dimensions).unwrap();
            let of = (layout.across.key.as_str(), layout.series.map_or("", |it| it.key.as_str()));
            assert_eq!((of, layout.panels.len()), ((across, series), panels), "{keys:?}");
            assert_eq!(layout.left_out, 0);
            assert_eq!(layout.points().count(), dimensions[0].of_point.len());
        }
        assert!(Layout::of(&[]).is_none());
    }

    #[test]
    fn each_point_has_its_place() {
        let dimensions = grid(&[("nodes", 2), ("ttl", 3)]);
        let layout = Layout::of(&dimensions).unwrap();
        let lines = vec![vec![(0, 0), (1, 1), (2, 2)], vec![(0, 3), (1, 4), (2, 5)]];
        assert_eq!(layout.panels, [Panel { title: String::new(), lines }]);
        let dimensions = grid(&[("nodes", 2), ("Design", 2), ("ttl", 3)]);
        let layout = Layout::of(&dimensions).unwrap();
        let titles: Vec<_> = layout.panels.iter().map(|panel| panel.title.as_str()).collect();
        assert_eq!(titles, ["Design = 0", "Design = 1"]);
        assert_eq!(layout.panels[1].lines[0], [(0, 3), (1, 4), (2, 5)]);
    }

    #[test]
    fn what_would_be_too_much_is_counted() {
        // 20 lines of which 14 are drawn, of 25 points each.
        let dimensions = grid(&[("nodes", 20), ("ttl", 25)]);
        assert_eq!(Layout::of(&dimensions).unwrap().left_out, 6 * 25);
        // 10 panels of which 9 are drawn.
        let dimensions = grid(&[("nodes", 10), ("Design", 2), ("ttl", 11)]);
        assert_eq!(Layout::of(&dimensions).unwrap().left_out, 2 * 11);
    }
}
