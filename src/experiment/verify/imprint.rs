//! What is kept of a run to hold another one against it: digests, not rows, so that it is little.

use std::collections::BTreeMap;

use crate::experiment::cell::CellSpec;
use crate::experiment::summary::{ClusteredError, error_by_departure};
use crate::metrics::headline::Headline;
use crate::metrics::tables::{Row, RunOutput};
use crate::sim::fingerprint::stable_hash;

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Imprint {
    pub(super) fingerprint: u64,
    pub(super) epochs: Vec<u64>,
    pub(super) headline: Headline,
    /// The standard errors of the metrics that have one within a single run.
    pub(super) errors: BTreeMap<String, ClusteredError>,
    pub(super) tables: Vec<Table>,
}

/// The digests of the rows of a table, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    name: &'static str,
    rows: Vec<u64>,
}

/// The first row in which a run with the same fingerprint differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowDifference {
    /// The table, as its file is called; `metrics` are the headline metrics.
    pub table: &'static str,
    /// The row, from 1.
    pub row: usize,
    /// What it says in the repeat; `None` when it is not there.
    pub repeated: Option<String>,
}

/// Goes through all rows of an output, table by table, with their tables' names.
fn each_row(output: &RunOutput, visit: &mut dyn FnMut(&'static str, String)) {
    fn all<R: Row>(rows: &[R], visit: &mut dyn FnMut(&'static str, String)) {
        rows.iter().for_each(|row| visit(R::TABLE, row.fields().join(",")));
    }
    for (name, value) in output.headline.iter() {
        let value = value.map_or_else(String::new, |value| value.to_string());
        visit("metrics", format!("{name},{value}"));
    }
    all(&output.handovers, visit);
    all(&output.stale, visit);
    all(&output.requests, visit);
    all(&output.departures, visit);
    all(&output.signalling, visit);
    all(&output.timeline, visit);
    all(&output.told.lines, visit);
    all(&output.told.exchanges, visit);
    all(&output.told.subscriptions, visit);
}

impl Imprint {
    /// What is kept of this output, which had epochs of these digests.
    pub(super) fn of(spec: &CellSpec, output: &RunOutput, epochs: Vec<u64>) -> Self {
        let mut tables: Vec<Table> = Vec::new();
        each_row(output, &mut |name, row| {
            let digest = stable_hash(&row);
            match tables.last_mut().filter(|table| table.name == name) {
                Some(table) => table.rows.push(digest),
                None => tables.push(Table { name, rows: vec![digest] }),
            }
        });
        let error = |(metric, _): (&str, Option<f64>)| {
            let error = error_by_departure(output, spec.warmup, metric)?;
            Some((metric.to_owned(), error))
        };
        Self {
            fingerprint: output.fingerprint,
            epochs,
            headline: output.headline.clone(),
            errors: output.headline.iter().filter_map(error).collect(),
            tables,
        }
    }

    /// Whether all rows are the same.
    pub(super) fn has_rows_of(&self, other: &Self) -> bool {
        self.tables == other.tables
    }

    /// The first row in which a repeat differs.
    pub(super) fn first_different_row(&self, repeat: &RunOutput) -> Option<RowDifference> {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut found = None;
        each_row(repeat, &mut |table, row| {
            let place = places.entry(table).or_default();
            *place += 1;
            if found.is_none() && self.row(table, *place) != Some(stable_hash(&row)) {
                found = Some(RowDifference { table, row: *place, repeated: Some(row) });
            }
        });
        found.or_else(|| {
            let count = |table: &Table| places.get(table.name).copied().unwrap_or(0);
            let longer = self.tables.iter().find(|table| table.rows.len() > count(table))?;
            Some(RowDifference { table: longer.name, row: count(longer) + 1, repeated: None })
        })
    }

    fn row(&self, table: &str, place: usize) -> Option<u64> {
        let table = self.tables.iter().find(|it| it.name == table)?;
        table.rows.get(place - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, fake_requests, fake_story, spec};

    fn whole() -> RunOutput {
        let output = fake_output(&spec(0, 7));
        RunOutput { requests: fake_requests(7), told: fake_story(), ..output }
    }

    fn imprint(output: &RunOutput) -> Imprint {
        Imprint::of(&spec(0, 7), output, vec![1, 2])
    }

    #[test]
    fn every_row_counts() {
        let base = imprint(&whole());
        assert!(base.has_rows_of(&imprint(&whole())));
        assert_eq!(base.first_different_row(&whole()), None);
        type Change = fn(&mut RunOutput);
        let changes: [(Change, &str, usize); 9] = [
            (|it| it.handovers[1].updates += 1, "handovers", 2),
            (|it| it.stale[0].answers += 1, "stale", 1),
            (|it| it.requests[2].stale = None, "requests", 3),
            (|it| it.signalling[0].bytes += 1, "signalling", 1),
            (|it| it.timeline[0].members += 1, "timeline", 1),
            (|it| it.told.lines.swap(0, 1), "story", 1),
            (|it| it.told.exchanges[1].instead.push('!'), "exchanges", 2),
            (|it| it.told.subscriptions[0].told.push('!'), "subscriptions", 1),
            (
                |it| it.headline.push("new", Some(1.0)),
                "metrics",
                whole().headline.iter().count() + 1,
            ),
        ];
        for (change, table, row) in changes {
            let mut other = whole();
            change(&mut other);
            assert!(!base.has_rows_of(&imprint(&other)), "{table}");
            let found = base.first_different_row(&other).unwrap();
            assert_eq!((found.table, found.row), (table, row));
            assert!(found.repeated.is_some());
        }
    }

    #[test]
    fn a_row_that_is_missing_is_told_too() {
        let base = imprint(&whole());
        let mut short = whole();
        short.requests.pop();
        let found = base.first_different_row(&short);
        assert_eq!(found, Some(RowDifference { table: "requests", row: 4, repeated: None }));
        let mut none = whole();
        none.timeline.clear();
        let found = base.first_different_row(&none);
        assert_eq!(found, Some(RowDifference { table: "timeline", row: 1, repeated: None }));
    }
}
