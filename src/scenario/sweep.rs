//! `[sweep]`: from a section of a scenario to the points of a study.
//!
//! Every key of the section is the way to a scenario key, quoted (`"dns.ttl"`) or as nested tables,
//! and its value a list of values; the points are the product of the lists in the order of the file,
//! the last key fastest. `[[sweep.point]]` lists points one by one, with a value for each key and
//! `name` for a label; beside a grid, each listed point goes through the whole grid. A value may be
//! anything that the key takes, whole tables too.
//!
//! A point is the scenario with its values put in place, which keep the places where they stand: so
//! what is wrong with a value is told where it was written.

use std::collections::BTreeMap;

use super::document::{Entry, Node, Path, Place, Value};
use super::problem::{Fault, Problem};

/// Keys that say what a study is, not what is simulated: all its points share them.
const NOT_SWEPT: [&str; 7] =
    ["schema", "name", "description", "seed", "replications", "sweep", "budget"];

/// More points than this are a slip of the pen.
const MOST_POINTS: usize = 100_000;

/// The label of a listed point, and the column that it stands in.
const LABEL: &str = "name";

/// What a study varies.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The varied keys, as the columns of tables name them; without any there is one point.
    pub varied: Vec<String>,
    /// The points in their order; at least one.
    pub points: Vec<SweepPoint>,
}

/// One point of a sweep.
#[derive(Clone, Debug, Default)]
pub struct SweepPoint {
    /// What it says of each varied key; empty where it leaves the scenario's own value.
    pub labels: Vec<String>,
    /// The values that it puts in place.
    values: Vec<Assignment>,
}

/// A value for a key.
#[derive(Clone, Debug)]
struct Assignment {
    path: Path,
    /// Where the key stands in the sweep.
    key: Place,
    node: Node,
}

/// A key of the grid with all its values.
struct Axis {
    path: Path,
    key: Place,
    values: Vec<Node>,
}

impl SweepPoint {
    /// The scenario at this point.
    ///
    /// # Errors
    /// When a key leads nowhere.
    pub fn apply(&self, base: &Node) -> Result<Node, Vec<Problem>> {
        let mut document = base.clone();
        let put = |it: &Assignment| document.assign(&it.path, &it.key, it.node.clone()).err();
        let problems: Vec<Problem> = self.values.iter().filter_map(put).collect();
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// Whether something stands in what this point puts in place.
    #[must_use]
    pub fn holds(&self, place: &Place) -> bool {
        let within = |whole: &Place| {
            whole.text == place.text
                && whole.span.start <= place.span.start
                && place.span.end <= whole.span.end
        };
        self.values.iter().any(|it| within(&it.key) || within(&it.node.place))
    }
}

/// A point in words, by the varied keys and its values of them: `dns.ttl = 5s, overlay.nodes = 200`,
/// without the keys to which it leaves the scenario's own value.
#[must_use]
pub fn told(varied: &[String], values: &[String]) -> String {
    told_pairs(varied.iter().zip(values))
}

/// The same of keys with their values.
pub fn told_pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let said = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

/// Takes the section out of a scenario: what it varies, and the number of replications if it stands
/// there, which goes to the top of the document. `in_braces` tells whether the table at a place is
/// written as one value, `{ … }`, and not key by key.
///
/// # Errors
/// All that is wrong with the section by itself.
pub fn take(
    document: &mut Node,
    in_braces: &dyn Fn(&Place) -> bool,
) -> Result<Sweep, Vec<Problem>> {
    let alone = Sweep { varied: Vec::new(), points: vec![SweepPoint::default()] };
    let Value::Table(top) = &mut document.value else { return Ok(alone) };
    let Some(section) = top.remove("sweep") else { return Ok(alone) };
    let path = Path::of("sweep");
    let Value::Table(mut entries) = section.node.value else {
        let fault = Fault::Type {
            expected: "a table".to_owned(),
            found: section.node.value.kind().to_owned(),
        };
        return Err(vec![Problem::new(section.node.place, path, fault)]);
    };
    let mut problems = Vec::new();
    let moved = entries.remove("replications");
    let counts = moved.is_some();
    if let Some(moved) = moved {
        problems.extend(replications(top, moved).err());
    }
    let listed = entries.remove("point");
    let lists = listed.is_some();
    let mut points =
        listed.map_or_else(Vec::new, |listed| points(listed.node, in_braces, &mut problems));
    let mut axes = axes(entries, &mut problems);
    if axes.is_empty() && !lists && !counts && problems.is_empty() {
        problems.push(Problem::new(section.node.place.clone(), path.clone(), Fault::EmptySweep));
    }
    let mut fixed = Fixed { document, problems: &mut problems };
    axes.retain(|axis| !fixed.holds(&axis.path, &axis.key));
    for point in &mut points {
        point.values.retain(|value| !fixed.holds(&value.path, &value.key));
    }
    let size =
        axes.iter().try_fold(points.len().max(1), |size, axis| size.checked_mul(axis.values.len()));
    if size.is_none_or(|size| size > MOST_POINTS) {
        let fault = Fault::TooManyPoints { most: MOST_POINTS };
        problems.push(Problem::new(section.node.place, path, fault));
    }
    problems.extend(in_both(&axes, &points));
    if problems.is_empty() { Ok(product(&axes, points)) } else { Err(problems) }
}

/// Keys that an argument has given one value: it wins over the sweep, as over the file.
struct Fixed<'a> {
    document: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl Fixed<'_> {
    /// Whether a key that the sweep varies, written at `key`, is fixed by an argument.
    fn holds(&mut self, path: &Path, key: &Place) -> bool {
        let Some(node) = self.document.find(path) else { return false };
        if node.place.text > key.text {
            return true;
        }
        // What an argument says of a key in a table would be lost with the whole table.
        if let Some(inside) = node.changed_since(key.text) {
            let fault = Fault::SweptAsAWhole { key: path.to_string() };
            self.problems.push(Problem::new(inside, path.clone(), fault));
        }
        false
    }
}

/// Moves the number of replications to the top, unless an argument has put one there.
fn replications(top: &mut BTreeMap<String, Entry>, moved: Entry) -> Result<(), Problem> {
    const KEY: &str = "replications";
    match top.get(KEY) {
        // An argument changes the one number that there is.
        Some(given) if given.key.text > moved.key.text => Ok(()),
        Some(_) if moved.key.text == 0 => {
            let fault = Fault::Both { key: "sweep.replications", other: KEY };
            Err(Problem::new(moved.key, Path::of("sweep.replications"), fault))
        }
        _ => {
            top.insert(KEY.to_owned(), moved);
            Ok(())
        }
    }
}

/// The keys of the grid, in the order in which they are written.
fn axes(entries: BTreeMap<String, Entry>, problems: &mut Vec<Problem>) -> Vec<Axis> {
    let mut axes = Vec::new();
    // Below a key of the grid there are only lists, so that a table is always a way to more keys.
    flatten(&Path::default(), entries, &|_| false, &mut |path, entry| {
        let at = Path::of("sweep").then(&path);
        if let Some(fault) = refusal(&path) {
            return problems.push(Problem::new(entry.key, at, fault));
        }
        let Value::List(values) = entry.node.value else {
            let found = entry.node.value.to_string();
            return problems.push(Problem::new(entry.node.place, at, Fault::NoGrid { found }));
        };
        if values.is_empty() {
            return problems.push(Problem::new(entry.node.place, at, Fault::EmptyGrid));
        }
        for (index, value) in values.iter().enumerate() {
            let same = values[..index].iter().position(|other| label(other) == label(value));
            if let Some(first) = same {
                let fault = Fault::Twice { what: "the value", name: label(value), first };
                problems.push(Problem::new(value.place.clone(), at.clone(), fault));
            }
        }
        axes.push(Axis { path, key: entry.key, values });
    });
    axes.sort_by_key(|axis| (axis.key.text, axis.key.span.start));
    let axes = replaced(axes);
    for (index, axis) in axes.iter().enumerate() {
        if let Some(first) = axes[..index].iter().position(|other| other.path == axis.path) {
            let fault = Fault::Twice { what: "the key", name: axis.path.to_string(), first };
            let at = Path::of("sweep").then(&axis.path);
            problems.push(Problem::new(axis.key.clone(), at, fault));
        }
    }
    axes
}

/// The axes with those of the file replaced that an argument gives other values, in their places.
fn replaced(axes: Vec<Axis>) -> Vec<Axis> {
    let mut kept: Vec<Axis> = Vec::new();
    for axis in axes {
        match kept.iter_mut().find(|it| it.path == axis.path && it.key.text < axis.key.text) {
            Some(older) => *older = axis,
            None => kept.push(axis),
        }
    }
    kept
}

/// Calls back for each key below a table; tables that are no value are gone through.
fn flatten(
    path: &Path,
    entries: BTreeMap<String, Entry>,
    is_value: &dyn Fn(&Place) -> bool,
    each: &mut impl FnMut(Path, Entry),
) {
    for (key, entry) in entries {
        let path = Path::of(&format!("{path}.{key}"));
        match entry.node {
            Node { value: Value::Table(below), place } if !is_value(&place) => {
                flatten(&path, below, is_value, each);
            }
            node => each(path, Entry { key: entry.key, node }),
        }
    }
}

/// Why a key cannot be varied.
fn refusal(path: &Path) -> Option<Fault> {
    let key = NOT_SWEPT.iter().find(|key| path.starts_with(key))?;
    Some(Fault::NotSwept { key })
}

/// The listed points.
fn points(
    list: Node,
    in_braces: &dyn Fn(&Place) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Listed> {
    let at = Path::of("sweep.point");
    let Value::List(nodes) = list.value else {
        let fault = Fault::Type {
            expected: "a list of tables, [[sweep.point]]".to_owned(),
            found: list.value.kind().to_owned(),
        };
        problems.push(Problem::new(list.place, at, fault));
        return Vec::new();
    };
    if nodes.is_empty() {
        problems.push(Problem::new(list.place, at.clone(), Fault::EmptyGrid));
    }
    let mut points: Vec<Listed> = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let at = at.then(index);
        match node.value {
            Value::Table(entries) => points.push(listed(&at, entries, in_braces, problems)),
            other => {
                let found = other.to_string();
                let fault = Fault::Type { expected: "a table".to_owned(), found };
                problems.push(Problem::new(node.place, at, fault));
            }
        }
    }
    for (index, point) in points.iter().enumerate() {
        let Some((place, name)) = &point.label else { continue };
        let same = |other: &Listed| other.label.as_ref().is_some_and(|(_, it)| it == name);
        if let Some(first) = points[..index].iter().position(same) {
            let fault = Fault::Twice { what: "the point", name: name.clone(), first };
            problems.push(Problem::new(place.clone(), at.then(index).then(LABEL), fault));
        }
    }
    points
}

/// A point as listed.
struct Listed {
    label: Option<(Place, String)>,
    values: Vec<Assignment>,
}

fn listed(
    at: &Path,
    mut entries: BTreeMap<String, Entry>,
    in_braces: &dyn Fn(&Place) -> bool,
    problems: &mut Vec<Problem>,
) -> Listed {
    let label = entries.remove(LABEL).and_then(|entry| match entry.node.value {
        Value::Text(name) => Some((entry.node.place, name)),
        other => {
            let (expected, found) = ("a string".to_owned(), other.to_string());
            let fault = Fault::Type { expected, found };
            problems.push(Problem::new(entry.node.place, at.then(LABEL), fault));
            None
        }
    });
    let mut values = Vec::new();
    flatten(&Path::default(), entries, in_braces, &mut |path, Entry { key, node }| match refusal(
        &path,
    ) {
        Some(fault) => problems.push(Problem::new(key, at.then(&path), fault)),
        None => values.push(Assignment { path, key, node }),
    });
    values.sort_by_key(|it| (it.key.text, it.key.span.start));
    Listed { label, values }
}

/// Keys that both the grid and a listed point vary.
fn in_both(axes: &[Axis], points: &[Listed]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, point) in points.iter().enumerate() {
        for value in &point.values {
            if axes.iter().any(|axis| axis.path == value.path) {
                let at = Path::of("sweep.point").then(index).then(&value.path);
                let fault = Fault::GridAndPoint { key: value.path.to_string() };
                problems.push(Problem::new(value.key.clone(), at, fault));
            }
        }
    }
    problems
}

fn product(axes: &[Axis], listed: Vec<Listed>) -> Sweep {
    let named = listed.iter().any(|point| point.label.is_some());
    let mut varied: Vec<String> = Vec::new();
    varied.extend(named.then(|| LABEL.to_owned()));
    for value in listed.iter().flat_map(|point| &point.values) {
        let key = value.path.to_string();
        if !varied.contains(&key) {
            varied.push(key);
        }
    }
    varied.extend(axes.iter().map(|axis| axis.path.to_string()));
    let listed = match listed.is_empty() {
        true => vec![Listed { label: None, values: Vec::new() }],
        false => listed,
    };
    let mut points: Vec<(Option<String>, Vec<Assignment>)> =
        listed.into_iter().map(|it| (it.label.map(|(_, name)| name), it.values)).collect();
    for axis in axes {
        points = points
            .iter()
            .flat_map(|(name, values)| {
                axis.values.iter().map(move |node| {
                    let here = Assignment {
                        path: axis.path.clone(),
                        key: axis.key.clone(),
                        node: node.clone(),
                    };
                    (name.clone(), values.iter().cloned().chain([here]).collect())
                })
            })
            .collect();
    }
    let points = points.into_iter().map(|(name, values)| point(&varied, name, values)).collect();
    Sweep { varied, points }
}

fn point(varied: &[String], name: Option<String>, mut values: Vec<Assignment>) -> SweepPoint {
    let label_of = |key: &String| {
        let of_value = values.iter().find(|it| it.path.to_string() == *key);
        match (&name, of_value) {
            (Some(name), None) if key == LABEL => name.clone(),
            (_, value) => value.map_or_else(String::new, |it| label(&it.node)),
        }
    };
    let labels = varied.iter().map(label_of).collect();
    // A whole table first, then keys in it.
    values.sort_by_key(|it| it.path.len());
    SweepPoint { labels, values }
}

/// A value as tables show it: a string without quotes, a list or table in one line.
fn label(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        value => inline(value),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::List(nodes) => {
            let items: Vec<_> = nodes.iter().map(|node| inline(&node.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(entries) => {
            let pair =
                |(key, entry): (&String, &Entry)| format!("{key} = {}", inline(&entry.node.value));
            format!("{{ {} }}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
