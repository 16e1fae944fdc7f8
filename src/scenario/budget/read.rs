//! Reading budgets: from a node of the document, or from an argument of the command line.

use std::collections::BTreeMap;

use super::limit::Limit;
use super::{Budget, Column, HANDOVER, Points, REQUESTS, canonical, is_chosen, is_same_value};
use crate::metrics::codebook;
use crate::scenario::document::{Entry, Node, Path, Place, Value};
use crate::scenario::problem::{BudgetFault, Fault, Problem, Report, Sources, nearest};

/// The keys of a budget that is written as a table.
const KEYS: [&str; 3] = ["limit", "column", "at"];

/// What may stand as a budget.
const EXPECTED: &str = "a limit, such as \"<= 120s\", a table with `limit`, or a list of these";

/// Reads the section `[budget]`, which stands at `path`, for a study of these points.
///
/// Where a `--set` argument gives a budget for a metric, those of the file for it are gone.
///
/// # Errors
/// All that is wrong with it.
pub fn read(node: &Node, path: &Path, points: &Points<'_>) -> Result<Vec<Budget>, Vec<Problem>> {
    let mut reading = Reading { points, found: Vec::new(), problems: Vec::new() };
    match &node.value {
        Value::Table(entries) => reading.table(entries, path, ""),
        other => {
            let fault = Fault::Type { expected: "a table".to_owned(), found: other.to_string() };
            reading.problems.push(Problem::new(node.place.clone(), path.clone(), fault));
        }
    }
    reading.finish()
}

/// Reads a budget such as `handover.outage.p95 <= 120s`, for all points.
///
/// # Errors
/// When it is none.
pub fn parse(argument: &str) -> Result<Budget, Report> {
    let place = |span| Place { text: 0, span };
    let report = |span, fault: BudgetFault| {
        let sources =
            Sources { file: "--budget".into(), text: argument.into(), overrides: Vec::new() };
        let problem = Problem::new(place(span), Path::default(), Fault::Budget(fault));
        Report::new(sources, vec![problem])
    };
    let end = argument.find(['<', '>', '=']).unwrap_or(argument.len());
    let key = argument[..end].trim();
    let metric = metric_of(key).map_err(|fault| report(0..end, fault))?;
    let limit = Limit::parse(&argument[end..], unit_of(metric, Column::Mean))
        .map_err(|fault| report(end..argument.len(), fault))?;
    let (key, metric) = (key.to_owned(), metric.to_owned());
    Ok(Budget { key, metric, column: Column::Mean, limit, at: Vec::new() })
}

/// The budgets of one key, and where it stands.
struct Found {
    key: Place,
    path: Path,
    budgets: Vec<Budget>,
}

struct Reading<'a> {
    points: &'a Points<'a>,
    found: Vec<Found>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn report(&mut self, place: &Place, path: &Path, fault: impl Into<Fault>) {
        self.problems.push(Problem::new(place.clone(), path.clone(), fault.into()));
    }

    /// A table of budgets; `prefix` is what the names of its metrics begin with.
    fn table(&mut self, entries: &BTreeMap<String, Entry>, path: &Path, prefix: &str) {
        for (key, entry) in entries {
            let (name, path) = (format!("{prefix}{key}"), path.then(key));
            match &entry.node.value {
                Value::Table(below) if !below.keys().any(|key| KEYS.contains(&key.as_str())) => {
                    self.table(below, &path, &format!("{name}."));
                }
                _ => self.metric(&name, entry, path),
            }
        }
    }

    /// The budgets of one metric.
    fn metric(&mut self, key: &str, entry: &Entry, path: Path) {
        let metric = match metric_of(key) {
            Ok(metric) => metric,
            Err(fault) => return self.report(&entry.key, &path, fault),
        };
        let budgets = match &entry.node.value {
            Value::List(nodes) if nodes.is_empty() => {
                let (expected, found) = (EXPECTED.to_owned(), "an empty list".to_owned());
                return self.report(&entry.node.place, &path, Fault::Type { expected, found });
            }
            Value::List(nodes) => {
                let numbered = nodes.iter().enumerate();
                let one = |(index, node)| self.budget(key, metric, node, &path.then(index));
                numbered.filter_map(one).collect()
            }
            _ => self.budget(key, metric, &entry.node, &path).into_iter().collect(),
        };
        self.found.push(Found { key: entry.key.clone(), path, budgets });
    }

    fn budget(&mut self, key: &str, metric: &str, node: &Node, path: &Path) -> Option<Budget> {
        let (column, limit, at) = match &node.value {
            Value::Text(text) => {
                (Column::Mean, self.limit(text, metric, Column::Mean, node, path), Some(Vec::new()))
            }
            Value::Table(entries) => {
                self.unknown_keys(entries, path);
                let column = self.column(entries, path)?;
                let limit = match entries.get("limit").map(|entry| &entry.node) {
                    Some(node) => self.limit_of(node, metric, column, &path.then("limit")),
                    None => {
                        let (key, why) = ("limit".to_owned(), "what has to hold".to_owned());
                        self.report(&node.place, path, Fault::Missing { key, why });
                        None
                    }
                };
                (column, limit, self.at(entries, path))
            }
            other => {
                let (expected, found) = (EXPECTED.to_owned(), other.to_string());
                self.report(&node.place, path, Fault::Type { expected, found });
                return None;
            }
        };
        let (key, metric) = (key.to_owned(), metric.to_owned());
        Some(Budget { key, metric, column, limit: limit?, at: at? })
    }

    fn unknown_keys(&mut self, entries: &BTreeMap<String, Entry>, path: &Path) {
        for (key, entry) in entries.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            let known = KEYS.map(str::to_owned).to_vec();
            let fault = Fault::UnknownKey { key: key.clone(), nearest: nearest(key, KEYS), known };
            self.report(&entry.key, &path.then(key), fault);
        }
    }

    fn limit_of(
        &mut self,
        node: &Node,
        metric: &str,
        column: Column,
        path: &Path,
    ) -> Option<Limit> {
        match &node.value {
            Value::Text(text) => self.limit(text, metric, column, node, path),
            other => {
                let expected = "a limit, such as \"<= 120s\"".to_owned();
                self.report(&node.place, path, Fault::Type { expected, found: other.to_string() });
                None
            }
        }
    }

    fn limit(
        &mut self,
        text: &str,
        metric: &str,
        column: Column,
        node: &Node,
        path: &Path,
    ) -> Option<Limit> {
        match Limit::parse(text, unit_of(metric, column)) {
            Ok(limit) => Some(limit),
            Err(fault) => {
                self.report(&node.place, path, fault);
                None
            }
        }
    }

    /// The column that a table names; `None` when there is no such column.
    fn column(&mut self, entries: &BTreeMap<String, Entry>, path: &Path) -> Option<Column> {
        let Some(entry) = entries.get("column") else { return Some(Column::Mean) };
        let names = Column::ALL.map(Column::name);
        let written = match &entry.node.value {
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        let column = Column::ALL.into_iter().find(|column| column.name() == written);
        if column.is_none() {
            let fault = Fault::Word {
                found: entry.node.value.to_string(),
                expected: names.map(str::to_owned).to_vec(),
                nearest: nearest(written, names),
            };
            self.report(&entry.node.place, &path.then("column"), fault);
        }
        column
    }

    /// The points that a table chooses; `None` when it does not choose any.
    fn at(
        &mut self,
        entries: &BTreeMap<String, Entry>,
        path: &Path,
    ) -> Option<Vec<(String, Vec<String>)>> {
        let Some(entry) = entries.get("at") else { return Some(Vec::new()) };
        let path = path.then("at");
        let Value::Table(chosen) = &entry.node.value else {
            let expected = "a table, such as { \"dns.ttl\" = \"60s\" }".to_owned();
            let found = entry.node.value.to_string();
            self.report(&entry.node.place, &path, Fault::Type { expected, found });
            return None;
        };
        let before = self.problems.len();
        let mut at = Vec::new();
        self.chosen(chosen, &path, "", &mut at);
        if self.problems.len() > before {
            return None;
        }
        let points = &self.points.values;
        if points.iter().any(|values| is_chosen(&at, self.points.keys, values)) {
            return Some(at);
        }
        self.report(&entry.node.place, &path, BudgetFault::NoPoint);
        None
    }

    /// Values of varied keys, which may be nested as in the scenario.
    fn chosen(
        &mut self,
        entries: &BTreeMap<String, Entry>,
        path: &Path,
        prefix: &str,
        at: &mut Vec<(String, Vec<String>)>,
    ) {
        for (key, entry) in entries {
            let (name, path) = (format!("{prefix}{key}"), path.then(key));
            let place = self.points.keys.iter().position(|varied| *varied == name);
            match (place, &entry.node.value) {
                (None, Value::Table(below)) => {
                    self.chosen(below, &path, &format!("{name}."), at);
                }
                (None, _) => {
                    let known = self.points.keys.to_vec();
                    let nearest = nearest(&name, known.iter().map(String::as_str));
                    let fault = BudgetFault::NotVaried { key: name, nearest, known };
                    self.report(&entry.key, &path, fault);
                }
                (Some(place), Value::List(nodes)) => {
                    let one = |node: &Node| self.value(&name, place, node, &path);
                    let values = nodes.iter().filter_map(one).collect();
                    at.push((name, values));
                }
                (Some(place), _) => {
                    let value = self.value(&name, place, &entry.node, &path);
                    at.push((name, value.into_iter().collect()));
                }
            }
        }
    }

    /// A value of a varied key, as the points have it; `None` when none has it.
    fn value(&mut self, key: &str, place: usize, node: &Node, path: &Path) -> Option<String> {
        let written = match &node.value {
            Value::Text(text) => text.clone(),
            other => other.to_string(),
        };
        let mut known: Vec<String> = Vec::new();
        for value in self.points.values.iter().filter_map(|values| values.get(place)) {
            if is_same_value(value, &written) {
                return Some(value.clone());
            }
            // Empty is what a point does not say: there it has the scenario's own value.
            if !value.is_empty() && !known.contains(value) {
                known.push(value.clone());
            }
        }
        let fault = BudgetFault::NoSuchValue { key: key.to_owned(), found: written, known };
        self.report(&node.place, path, fault);
        None
    }

    /// All budgets in the order of the texts; of those for one metric, the ones of the last text.
    fn finish(mut self) -> Result<Vec<Budget>, Vec<Problem>> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|it| (it.key.text, it.key.span.start));
        let metric = |it: &Found| it.budgets.first().map(|budget| budget.metric.clone());
        let mut kept: Vec<Found> = Vec::new();
        for next in found {
            let same = kept.iter().position(|it| metric(it) == metric(&next));
            match same.filter(|_| metric(&next).is_some()) {
                None => kept.push(next),
                Some(first) if kept[first].key.text < next.key.text => kept[first] = next,
                Some(first) => {
                    let first = kept[first].budgets[0].key.clone();
                    let metric = metric(&next).unwrap_or_default();
                    let fault = BudgetFault::Twice { metric, first };
                    self.report(&next.key, &next.path, fault);
                }
            }
        }
        if self.problems.is_empty() {
            Ok(kept.into_iter().flat_map(|found| found.budgets).collect())
        } else {
            Err(self.problems)
        }
    }
}

fn unit_of(metric: &str, column: Column) -> codebook::Unit {
    let unit = codebook::metric(metric).map_or(codebook::Unit::Nothing, |metric| metric.unit);
    column.unit(unit)
}

/// The metric of a key, or the metrics that may be meant.
fn metric_of(key: &str) -> Result<&'static str, BudgetFault> {
    canonical(key).ok_or_else(|| BudgetFault::NoMetric { name: key.to_owned(), near: near(key) })
}

/// Of how many metrics that begin as the key does all are told.
const MOST_NEAR: usize = 8;

/// Metrics that a key without one may mean: those that it is the beginning of, else the one that it
/// is nearest to.
fn near(key: &str) -> Vec<String> {
    let bare = [HANDOVER, REQUESTS].iter().find_map(|prefix| key.strip_prefix(prefix));
    let names = || codebook::metrics().iter().map(|metric| metric.name.as_str());
    let written = [key].into_iter().chain(bare);
    if let Some(name) = written.clone().find(|key| names().any(|name| name == *key)) {
        return vec![name.to_owned()];
    }
    for key in written {
        let beginning = format!("{key}.");
        let below: Vec<_> = names().filter(|name| name.starts_with(&beginning)).collect();
        if (1..=MOST_NEAR).contains(&below.len()) {
            return below.into_iter().map(str::to_owned).collect();
        }
        if let Some(name) = nearest(key, names()) {
            return vec![name];
        }
    }
    Vec::new()
}
