//! The text of a scenario as a tree that remembers where everything stands.
//!
//! The tree is read from TOML and then changed by the `--set key=value` arguments, so that whatever
//! is wrong later can name its place: a line and column of the file, or the argument. Lists are
//! addressed by number from 0: `dns.resolver.0.count`.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::problem::{Fault, Problem};

/// Where something stands: which text, and which bytes of it. Text 0 is the file, text `n` the
/// `n`-th `--set` argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which text.
    pub text: usize,
    /// Which bytes.
    pub span: Range<usize>,
}

/// The way to a value: keys and list numbers, written with dots.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// The way written with dots.
    #[must_use]
    pub fn of(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect())
    }

    /// One step further.
    #[must_use]
    pub fn then(&self, step: impl fmt::Display) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.to_string());
        Self(steps)
    }

    /// The way to the table, and the last step.
    #[must_use]
    pub fn split_last(&self) -> (Self, String) {
        let mut steps = self.0.clone();
        let last = steps.pop().unwrap_or_default();
        (Self(steps), last)
    }

    /// How many steps it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no step: the document itself.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the first step is this one.
    #[must_use]
    pub fn starts_with(&self, step: &str) -> bool {
        self.0.first().is_some_and(|first| first == step)
    }

    /// The same without list numbers: what all elements of a list share.
    #[must_use]
    pub fn pattern(&self) -> String {
        let keys = self.0.iter().filter(|step| step.parse::<usize>().is_err());
        keys.map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; of a table with a header, the header.
    pub place: Place,
}

/// A value as written.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer, as far as 128 bits reach.
    Integer(i128),
    /// A number with a fraction; may be infinite or NaN, which TOML can write.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A date or a time.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Entry>),
}

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Place,
    /// The value.
    pub node: Node,
}

impl Value {
    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Bool(_) => "a truth value",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// As it would be written, but for tables and lists, which are named.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Date(date) => f.write_str(date),
            Self::List(_) | Self::Table(_) => f.write_str(self.kind()),
        }
    }
}

impl Node {
    /// Reads TOML. All syntax errors are reported together.
    pub fn parse(source: &str) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(source);
        if errors.is_empty() {
            let span = table.span();
            return Ok(Self {
                value: table_value(table.into_inner(), 0, 0),
                place: Place { text: 0, span },
            });
        }
        let problem = |error: toml::de::Error| {
            let end = source.len();
            let span = error.span().unwrap_or(end..end);
            let fault = syntax_fault(source, &span, error.message());
            Problem::new(Place { text: 0, span }, Path::default(), fault)
        };
        Err(errors.into_iter().map(problem).collect())
    }

    /// Changes the tree as the `--set` argument number `text` says. A value that is no TOML is taken
    /// for a string.
    pub fn set(&mut self, argument: &str, text: usize) -> Result<(), Problem> {
        let all = Place { text, span: 0..argument.len() };
        let Some((key, value)) = argument.split_once('=') else {
            return Err(Problem::new(all, Path::default(), Fault::NoAssignment));
        };
        let path = Path::of(key.trim());
        let steps_written = key.split('.').count();
        if path.0.is_empty()
            || path.0.len() != steps_written
            || path.0.iter().any(|s| s.contains(char::is_whitespace))
        {
            return Err(Problem::new(all, Path::default(), Fault::NoAssignment));
        }
        let key_place = Place { text, span: 0..key.trim_end().len() };
        if value.trim().is_empty() {
            let key = path.to_string();
            return Err(Problem::new(all, Path::default(), Fault::NoValue { key }));
        }
        let node = argument_value(value, key.len() + 1, text);
        self.put(&path, 0, &key_place, node)
    }

    /// Takes a section out of the document, if it is there.
    pub fn take(&mut self, section: &str) -> Option<Self> {
        match &mut self.value {
            Value::Table(entries) => entries.remove(section).map(|entry| entry.node),
            _ => None,
        }
    }

    /// Puts a value at the end of a way; `key` is where the way is written.
    ///
    /// # Errors
    /// When the way goes through something that has no such key or element.
    pub fn assign(&mut self, path: &Path, key: &Place, node: Self) -> Result<(), Problem> {
        self.put(path, 0, key, node)
    }

    fn put(&mut self, path: &Path, depth: usize, key: &Place, node: Node) -> Result<(), Problem> {
        let Some(step) = path.0.get(depth) else {
            *self = node;
            return Ok(());
        };
        let here = Path(path.0[..depth].to_vec());
        match &mut self.value {
            Value::Table(entries) => {
                let empty = || Node { value: Value::Table(BTreeMap::new()), place: key.clone() };
                let entry = entries
                    .entry(step.clone())
                    .or_insert_with(|| Entry { key: key.clone(), node: empty() });
                if depth + 1 == path.0.len() {
                    entry.key = key.clone();
                }
                entry.node.put(path, depth + 1, key, node)
            }
            Value::List(nodes) => {
                let length = nodes.len();
                match step.parse::<usize>().ok().and_then(|index| nodes.get_mut(index)) {
                    Some(element) => element.put(path, depth + 1, key, node),
                    None => Err(Problem::new(
                        key.clone(),
                        here,
                        Fault::NoElement { step: step.clone(), length },
                    )),
                }
            }
            other => {
                let found = other.to_string();
                Err(Problem::new(key.clone(), here, Fault::NotATable { found }))
            }
        }
    }

    /// The place of something in this tree that stands in a later text than this one, if there is.
    #[must_use]
    pub fn changed_since(&self, text: usize) -> Option<Place> {
        if self.place.text > text {
            return Some(self.place.clone());
        }
        match &self.value {
            Value::Table(entries) => {
                entries.values().find_map(|entry| entry.node.changed_since(text))
            }
            Value::List(nodes) => nodes.iter().find_map(|node| node.changed_since(text)),
            _ => None,
        }
    }

    /// The value at the end of a way.
    #[must_use]
    pub fn find(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, step| node.child(step).map(|(_, child)| child))
    }

    /// The place of the value at the end of a way, or of the last thing on the way that exists.
    #[must_use]
    pub fn place_of(&self, path: &Path) -> Place {
        let mut node = self;
        for step in &path.0 {
            match node.child(step) {
                Some((_, child)) => node = child,
                None => break,
            }
        }
        node.place.clone()
    }

    /// The place of the key at the end of a way, or of the last thing on the way that exists.
    #[must_use]
    pub fn key_place_of(&self, path: &Path) -> Place {
        let (mut node, mut place) = (self, self.place.clone());
        for step in &path.0 {
            match node.child(step) {
                Some((key, child)) => (node, place) = (child, key.clone()),
                None => return node.place.clone(),
            }
        }
        place
    }

    fn child(&self, step: &str) -> Option<(&Place, &Self)> {
        match &self.value {
            Value::Table(entries) => entries.get(step).map(|entry| (&entry.key, &entry.node)),
            Value::List(nodes) => nodes.get(step.parse::<usize>().ok()?).map(|n| (&n.place, n)),
            _ => None,
        }
    }

    /// The same tree without places. Numbers that JSON cannot hold become null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Text(text) | Value::Date(text) => Json::from(text.as_str()),
            Value::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => Json::from(number),
                (_, Ok(number)) => Json::from(number),
                _ => Json::Null,
            },
            Value::Float(number) => Json::from(*number),
            Value::Bool(truth) => Json::from(*truth),
            Value::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Table(entries) => {
                entries.iter().map(|(key, entry)| (key.clone(), entry.node.to_json())).collect()
            }
        }
    }
}

/// What is wrong with the syntax. The parser takes what it does not know for a string without
/// quotes, and nothing at all for whatever may follow.
fn syntax_fault(source: &str, span: &Range<usize>, message: &str) -> Fault {
    let plain = Fault::Syntax { message: message.to_owned() };
    let (before, rest) = source.split_at(span.start);
    let Some(key) = before.trim_end_matches([' ', '\t']).strip_suffix('=') else { return plain };
    let key = key.rsplit(['\n', '{', ',']).next().unwrap_or(key).trim().to_owned();
    let line = rest.lines().next().unwrap_or("");
    let end = line.find([',', '}', ']', '#']).unwrap_or(line.len());
    let word = line[..end].trim();
    if word.is_empty() {
        Fault::NoValue { key }
    } else if message.starts_with("string values must be quoted") {
        Fault::NoQuotes { word: word.to_owned() }
    } else {
        plain
    }
}

/// The value of a `--set` argument, which begins at byte `offset` of it.
fn argument_value(value: &str, offset: usize, text: usize) -> Node {
    let start = offset + (value.len() - value.trim_start().len());
    let trimmed = value.trim();
    let span = start..start + trimmed.len();
    match DeValue::parse(trimmed) {
        Ok(parsed) if !trimmed.is_empty() => {
            Node { value: any_value(parsed.into_inner(), start, text), place: Place { text, span } }
        }
        _ => Node { value: Value::Text(trimmed.to_owned()), place: Place { text, span } },
    }
}

fn table_value(table: DeTable<'_>, offset: usize, text: usize) -> Value {
    let entry = |(key, value): (toml::Spanned<_>, toml::Spanned<DeValue<'_>>)| {
        let place = place(key.span(), offset, text);
        let name: std::borrow::Cow<'_, str> = key.into_inner();
        (name.into_owned(), Entry { key: place, node: node(value, offset, text) })
    };
    Value::Table(table.into_iter().map(entry).collect())
}

fn node(value: toml::Spanned<DeValue<'_>>, offset: usize, text: usize) -> Node {
    let place = place(value.span(), offset, text);
    Node { value: any_value(value.into_inner(), offset, text), place }
}

fn place(span: Range<usize>, offset: usize, text: usize) -> Place {
    Place { text, span: span.start + offset..span.end + offset }
}

fn any_value(value: DeValue<'_>, offset: usize, text: usize) -> Value {
    match value {
        DeValue::String(string) => Value::Text(string.into_owned()),
        DeValue::Integer(integer) => i128::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Integer(i128::MAX), Value::Integer),
        DeValue::Float(float) => {
            Value::Float(float.as_str().parse().expect("the TOML parser accepted the number"))
        }
        DeValue::Boolean(truth) => Value::Bool(truth),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(array) => {
            Value::List(array.into_iter().map(|value| node(value, offset, text)).collect())
        }
        DeValue::Table(table) => table_value(table, offset, text),
    }
}
