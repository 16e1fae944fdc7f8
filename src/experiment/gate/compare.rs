//! A study against its baseline: what differs, by point and metric.

use super::PointLabel;
use super::baseline::{Baseline, BaselineRow};

/// How what a study gives differs from its baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// What differs in the columns.
    pub columns: Vec<ColumnChange>,
    /// Each point: those of the study in their order, then those that are gone.
    pub points: Vec<PointComparison>,
}

impl Comparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let same = |point: &PointComparison| point.change == PointChange::Same;
        self.columns.is_empty() && self.points.iter().all(same)
    }
}

/// A difference in the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnChange {
    /// The sweep varies other keys. Points are then compared by their numbers.
    Keys {
        /// The keys in the baseline.
        old: Vec<String>,
        /// The keys of the study.
        new: Vec<String>,
    },
    /// A metric of the baseline that the study does not have.
    Gone(String),
    /// A metric of the study that the baseline does not have.
    New(String),
}

/// One point in both.
#[derive(Clone, Debug, PartialEq)]
pub struct PointComparison {
    /// The point, as the study has it if it does.
    pub point: PointLabel,
    /// What differs.
    pub change: PointChange,
}

/// What differs at a point.
#[derive(Clone, Debug, PartialEq)]
pub enum PointChange {
    /// Nothing.
    Same,
    /// The study does not have the point any more.
    Gone,
    /// The baseline does not have the point.
    New,
    /// The point of this number has other values of the varied keys: another point, of which
    /// nothing else is compared.
    Moved {
        /// The point in the baseline.
        old: PointLabel,
    },
    /// The point gives something else.
    Differs(Differences),
}

/// What a point gives else than before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// How many runs there were and are, when that differs.
    pub runs: Option<(usize, usize)>,
    /// The fingerprints, when they differ.
    pub fingerprint: Option<(u64, u64)>,
    /// The metrics that differ, in the order of the columns.
    pub metrics: Vec<MetricChange>,
    /// How many metrics were compared.
    pub compared: usize,
}

impl Differences {
    /// Whether something else happened in the runs, and no metric shows it.
    #[must_use]
    pub fn is_fingerprint_alone(&self) -> bool {
        self.fingerprint.is_some() && self.metrics.is_empty() && self.runs.is_none()
    }
}

/// A metric with another mean than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricChange {
    /// The metric.
    pub metric: String,
    /// What the baseline says; `None` when it had no value.
    pub old: Option<String>,
    /// What the study gives; `None` when it has no value.
    pub new: Option<String>,
}

impl MetricChange {
    /// The change as a part of the old value; `None` when one is missing, or the old one is zero.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        let number = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
        let (old, new) = (number(&self.old)?, number(&self.new)?);
        (old != 0.0).then(|| (new - old) / old.abs())
    }
}

impl Baseline {
    /// How a study that gives `new` differs from this baseline.
    ///
    /// A point is known by the values of the varied keys, so that one more value in a sweep changes
    /// nothing for the others, nor does another order of them.
    #[must_use]
    pub fn compare(&self, new: &Self) -> Comparison {
        let mut columns = Vec::new();
        if self.keys != new.keys {
            columns.push(ColumnChange::Keys { old: self.keys.clone(), new: new.keys.clone() });
        }
        let gone = self.metrics.iter().filter(|name| !new.metrics.contains(name));
        columns.extend(gone.cloned().map(ColumnChange::Gone));
        let added = new.metrics.iter().filter(|name| !self.metrics.contains(name));
        columns.extend(added.cloned().map(ColumnChange::New));
        Comparison { columns, points: self.compare_points(new) }
    }

    fn compare_points(&self, new: &Self) -> Vec<PointComparison> {
        let mut left: Vec<Option<&BaselineRow>> = self.rows.iter().map(Some).collect();
        let by_number = self.keys != new.keys;
        let is_same = |old: &BaselineRow, row: &BaselineRow| !by_number && old.values == row.values;
        let mut partners: Vec<Option<&BaselineRow>> = Vec::new();
        for (number, row) in new.rows.iter().enumerate() {
            let place = left.iter().position(|old| old.is_some_and(|old| is_same(old, row)));
            let place = if by_number { Some(number) } else { place };
            partners.push(place.and_then(|place| left.get_mut(place)?.take()));
        }
        let mut points = Vec::new();
        for (number, (row, partner)) in new.rows.iter().zip(partners).enumerate() {
            let change = match partner {
                Some(old) => self.compare_rows(old, new, row),
                None => match left.get_mut(number).and_then(Option::take) {
                    Some(old) => PointChange::Moved { old: self.label(old) },
                    None => PointChange::New,
                },
            };
            points.push(PointComparison { point: new.label(row), change });
        }
        let gone = left.into_iter().flatten();
        points.extend(
            gone.map(|old| PointComparison { point: self.label(old), change: PointChange::Gone }),
        );
        points
    }

    fn label(&self, row: &BaselineRow) -> PointLabel {
        PointLabel::new(&self.keys, &row.values)
    }

    fn compare_rows(&self, old: &BaselineRow, new: &Self, row: &BaselineRow) -> PointChange {
        let mut differences = Differences {
            runs: Some((old.runs, row.runs)).filter(|(old, new)| old != new),
            fingerprint: Some((old.fingerprint, row.fingerprint)).filter(|(old, new)| old != new),
            ..Differences::default()
        };
        for (metric, mean) in new.metrics.iter().zip(&row.means) {
            let Some(place) = self.metrics.iter().position(|name| name == metric) else { continue };
            differences.compared += 1;
            let before = &old.means[place];
            if before != mean {
                let (old, new) = (before.clone(), mean.clone());
                differences.metrics.push(MetricChange { metric: metric.clone(), old, new });
            }
        }
        let Differences { runs, fingerprint, metrics, .. } = &differences;
        if runs.is_none() && fingerprint.is_none() && metrics.is_empty() {
            return PointChange::Same;
        }
        PointChange::Differs(differences)
    }
}
