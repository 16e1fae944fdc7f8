//! Checks a document against the schema, key by key, and reports everything that is wrong.
//!
//! What is judged here needs no more than one key: is it known, is its value of the right type, a
//! known word, a readable quantity in range. [`check`](super::check) judges keys against each
//! other.

use std::collections::BTreeMap;

use serde_json::Value as Schema;

use super::document::{Entry, Node, Path, Place, Value};
use super::problem::{Fault, Places, Problem, nearest};
use super::schema::{Way, text, ways_to, words};
use crate::time::SimDuration;
use crate::units::{Duration, Probability, Rate, Ratio, UnitError};

/// What the scenario language will have and this version has not: keys, and `key = value`. List
/// numbers are left out.
const TO_COME: &[&str] = &[
    "network.latency.model = matrix",
    "dns.secondaries",
    "dns.resolver.forward",
    "handover.on_failed_probe",
    "handover.graceful_leave",
];

/// Sections that are taken out before a document is walked through: they are known all the same.
const STUDY_SECTIONS: [&str; 2] = ["sweep", "budget"];

fn is_to_come(what: &str) -> bool {
    TO_COME.contains(&what)
}

/// What is to come below a beginning, such as `overlay.` or `overlay.plugin = `: one step.
fn to_come_below(beginning: &str) -> impl Iterator<Item = &'static str> {
    let rests = TO_COME.iter().filter_map(move |what| what.strip_prefix(beginning));
    rests.filter(|rest| !rest.contains(['.', ' ']))
}

/// The nearest word that is to come, when none that exists is as near.
fn nearest_to_come<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    beginning: &str,
) -> Option<String> {
    let lower = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, candidate);
    let planned = nearest(word, to_come_below(beginning))?;
    let beaten = known.map(distance).min().is_some_and(|other| other <= distance(&planned));
    (!beaten).then_some(planned)
}

/// Everything that is wrong with a document, one key at a time.
#[must_use]
pub fn problems(document: &Node, schema: &Schema) -> Vec<Problem> {
    let mut walk = Walk { root: schema, problems: Vec::new() };
    walk.value(document, schema, &Path::default());
    walk.problems
}

struct Walk<'a> {
    /// The schema of the whole.
    root: &'a Schema,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    fn report(&mut self, node: &Node, path: &Path, fault: Fault) {
        self.problems.push(Problem::new(node.place.clone(), path.clone(), fault));
    }

    fn value(&mut self, node: &Node, schema: &Schema, path: &Path) {
        if let Some(branches) = schema.get("anyOf").and_then(Schema::as_array) {
            return self.alternatives(node, branches, path);
        }
        let words = words(schema);
        if !words.is_empty() {
            return self.word(node, &words, path);
        }
        match (text(schema, "type"), &node.value) {
            ("object", Value::Table(entries)) => self.table(node, entries, schema, path),
            ("array", Value::List(nodes)) => {
                let element = &schema["items"];
                for (index, node) in nodes.iter().enumerate() {
                    self.value(node, element, &path.then(index));
                }
            }
            ("string", Value::Text(string)) => {
                if let Err(fault) = string_fault(string, schema) {
                    self.report(node, path, fault);
                }
            }
            ("integer", Value::Integer(_)) | ("number", Value::Integer(_) | Value::Float(_)) => {
                self.number(node, schema, path);
            }
            ("boolean", Value::Bool(_)) => {}
            _ => self.report(node, path, type_fault(node, schema)),
        }
    }

    fn table(
        &mut self,
        node: &Node,
        entries: &BTreeMap<String, Entry>,
        schema: &Schema,
        path: &Path,
    ) {
        let properties = schema["properties"].as_object().expect("every table has keys");
        for (key, entry) in entries {
            let below = path.then(key);
            match properties.get(key) {
                Some(schema) => self.value(&entry.node, schema, &below),
                None => {
                    let sections = STUDY_SECTIONS.iter().copied().filter(|_| path.is_empty());
                    let known = properties.keys().map(String::as_str).chain(sections);
                    let fault = match self.elsewhere(key, &below, path, &entry.key) {
                        Some(places) => Fault::KeyElsewhere { key: key.clone(), places },
                        None => unknown_key(key, &below, path, known),
                    };
                    self.problems.push(Problem::new(entry.key.clone(), below, fault));
                }
            }
        }
        let required = schema.get("required").and_then(Schema::as_array);
        for key in required.into_iter().flatten().filter_map(Schema::as_str) {
            if !entries.contains_key(key) {
                let why = text(&properties[key], "description").replace('\n', " ");
                let key = key.to_owned();
                self.report(node, path, Fault::Missing { key, why });
            }
        }
    }

    /// Where else a key of this name exists: below the table that it was written in, if it does
    /// there.
    fn elsewhere(&self, key: &str, path: &Path, table: &Path, place: &Place) -> Option<Places> {
        if is_to_come(&path.pattern()) {
            return None;
        }
        let mut ways = ways_to(self.root, key);
        let inside = |way: &Way| way.pattern().starts_with(&format!("{}.", table.pattern()));
        if ways.iter().any(inside) {
            ways.retain(inside);
        }
        if ways.is_empty() || ways.len() > MOST_WAYS {
            return None;
        }
        let by_argument = place.text > 0;
        let told = ways.iter().map(|way| if by_argument { way.argument() } else { way.table() });
        let told = told.collect();
        Some(if by_argument { Places::Ways(told) } else { Places::Tables(told) })
    }

    /// One of several schemas must fit. Where none does, the one of the value's own type is meant;
    /// strings can be a word or a quantity, so that both are told.
    fn alternatives(&mut self, node: &Node, branches: &[Schema], path: &Path) {
        let mut of_type = Vec::new();
        for branch in branches {
            let mut attempt = Self { root: self.root, problems: Vec::new() };
            attempt.value(node, branch, path);
            if attempt.problems.is_empty() {
                return;
            }
            let wrong_type = attempt.problems.iter().any(|problem| {
                problem.path == *path
                    && matches!(*problem.fault, Fault::Type { .. } | Fault::Word { .. })
            });
            if !wrong_type {
                of_type = attempt.problems;
            }
        }
        let words: Vec<_> = branches.iter().flat_map(words).map(|(word, _)| word).collect();
        let quantity = branches.iter().any(|branch| branch.get("x-kind").is_some());
        let near = match &node.value {
            Value::Text(text) => nearest(text, words.iter().copied()),
            _ => None,
        };
        // A number with a bad unit is told as such, a word near to a known one as a word.
        let is_number = matches!(&node.value, Value::Text(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
        let is_text = matches!(&node.value, Value::Text(_));
        if !of_type.is_empty() && (!is_text || is_number && near.is_none()) {
            self.problems.append(&mut of_type);
            return;
        }
        if let (true, Value::Integer(_) | Value::Float(_)) = (quantity, &node.value) {
            let branch = branches.iter().find(|branch| branch.get("x-kind").is_some());
            return self.report(node, path, type_fault(node, branch.expect("just seen")));
        }
        let mut expected: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
        for branch in branches.iter().filter(|branch| self::words(branch).is_empty()) {
            expected.push(expectation(branch).to_owned());
        }
        let hint = near.map_or_else(String::new, |word| format!("; did you mean \"{word}\"?"));
        let fault =
            Fault::Type { expected: expected.join(" or "), found: format!("{}{hint}", node.value) };
        self.report(node, path, fault);
    }

    fn word(&mut self, node: &Node, words: &[(&str, &str)], path: &Path) {
        let known = words.iter().map(|(word, _)| *word);
        let fault = match &node.value {
            Value::Text(text) if known.clone().any(|word| word == text) => return,
            Value::Text(text) if is_to_come(&format!("{} = {text}", path.pattern())) => {
                Fault::NotSupported { what: text.clone() }
            }
            value => {
                let found = value.to_string();
                let expected = known.clone().map(str::to_owned).collect();
                let written = if let Value::Text(text) = value { text.as_str() } else { "" };
                let beginning = format!("{} = ", path.pattern());
                match nearest_to_come(written, known.clone(), &beginning) {
                    Some(nearest) => Fault::WordToCome { found, expected, nearest },
                    None => Fault::Word { found, expected, nearest: nearest(written, known) },
                }
            }
        };
        self.report(node, path, fault);
    }

    fn number(&mut self, node: &Node, schema: &Schema, path: &Path) {
        let limit = match text(schema, "format") {
            "uint16" => Some(Schema::from(u16::MAX)),
            "uint32" => Some(Schema::from(u32::MAX)),
            _ => None,
        };
        let (least, most) = (schema.get("minimum"), schema.get("maximum").or(limit.as_ref()));
        let number = match node.value {
            // Rounding can only matter next to 2^63, the greatest limit there is.
            Value::Integer(number) => number as f64,
            Value::Float(number) => number,
            _ => return,
        };
        let inside = number.is_finite()
            && least.and_then(Schema::as_f64).is_none_or(|least| number >= least)
            && most.and_then(Schema::as_f64).is_none_or(|most| number <= most)
            && !matches!(node.value, Value::Integer(n) if n > i128::from(i64::MAX));
        if inside {
            return;
        }
        let kind = expectation(schema);
        // Limits of numbers with a fraction are written `0.0` in the schema.
        let bare = |limit: Option<&Schema>| {
            limit.map(|limit| limit.to_string().trim_end_matches(".0").to_owned())
        };
        let expected = match (bare(least), bare(most)) {
            (Some(least), Some(most)) => format!("{kind} from {least} to {most}"),
            (Some(least), None) => format!("{kind} of {least} or more"),
            (None, Some(most)) => format!("{kind} of at most {most}"),
            (None, None) => format!("{kind} of believable size"),
        };
        self.report(node, path, Fault::Range { found: node.value.to_string(), expected });
    }
}

/// That a key below `table` does not exist, or not yet.
fn unknown_key<'a>(
    key: &str,
    path: &Path,
    table: &Path,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Fault {
    if is_to_come(&path.pattern()) {
        return Fault::NotSupported { what: key.to_owned() };
    }
    let table = table.pattern();
    let beginning = if table.is_empty() { table } else { format!("{table}.") };
    let key = key.to_owned();
    match nearest_to_come(&key, known.clone(), &beginning) {
        Some(nearest) => Fault::KeyToCome { key, nearest },
        None => {
            let nearest = nearest(&key, known.clone());
            Fault::UnknownKey { key, nearest, known: known.map(str::to_owned).collect() }
        }
    }
}

/// Of how many places of a key that exists elsewhere one is told: more are no help.
const MOST_WAYS: usize = 4;

/// The shortest period and wait, and the shortest interval of a rate.
const SHORTEST: SimDuration = SimDuration::from_millis(1);

/// What is wrong with a string, by what the schema says that it holds.
fn string_fault(string: &str, schema: &Schema) -> Result<(), Fault> {
    match text(schema, "x-kind") {
        "duration" => {
            let whole_seconds = schema.get("x-whole-seconds").is_some();
            let duration = string.parse::<Duration>().map_err(|error| match error {
                UnitError::MissingUnit { number, .. } if whole_seconds => {
                    let example = format!("\"{number}s\"");
                    UnitError::MissingUnit { number, example }
                }
                other => other,
            })?;
            let duration = duration.0;
            if schema.get("x-above-zero").is_some() && duration.is_zero() {
                return Err(Fault::Zero);
            }
            if schema.get("x-period").is_some() && duration < SHORTEST {
                return Err(Fault::TooShort { found: string.to_owned() });
            }
            let most = schema.get("x-most-seconds").and_then(Schema::as_u64);
            if let Some(most) = most.map(Duration::from_secs).filter(|most| duration > most.0) {
                let (found, most) = (string.to_owned(), most.to_string());
                return Err(Fault::TooLong { found, most });
            }
            let seconds = duration.as_secs();
            // RFC 2181, section 8: a TTL is an unsigned number up to 2^31 - 1.
            let fits = duration.as_nanos() % 1_000_000_000 == 0 && seconds <= 0x7fff_ffff;
            if whole_seconds && !fits {
                return Err(Fault::NotWholeSeconds);
            }
        }
        "share" => drop(string.parse::<Probability>()?),
        "ratio" => drop(string.parse::<Ratio>()?),
        "rate" if string.parse::<Rate>()?.interval < SHORTEST => {
            return Err(Fault::TooOften { found: string.to_owned() });
        }
        "slug" if !is_slug(string) => return Err(Fault::Slug { found: string.to_owned() }),
        "user" if !is_user(string) => return Err(Fault::User { found: string.to_owned() }),
        "domain" if !is_domain(string) => return Err(Fault::Domain { found: string.to_owned() }),
        _ => {}
    }
    Ok(())
}

fn is_slug(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a text can be the user part of a SIP URI as it stands, without escapes.
fn is_user(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether a text is a host name of RFC 1123, section 2.1: labels of letters, digits and inner
/// hyphens, 63 bytes at most, 253 together.
pub(super) fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| is_slug(label) && label.len() <= 63 && !label.ends_with('-');
    name.len() <= 253 && name.split('.').all(is_label)
}

/// What can stand in a place of this schema.
fn expectation(schema: &Schema) -> &'static str {
    match (text(schema, "x-kind"), text(schema, "type")) {
        ("duration", _) => "a duration, such as \"60s\"",
        ("share", _) => "a share, such as \"2%\"",
        ("ratio", _) => "a ratio, such as \"10%\"",
        ("rate", _) => "a rate, such as \"0.1/s\"",
        (_, "object") => "a table",
        (_, "array") if schema["items"].get("properties").is_some() => "a list of tables",
        (_, "array") => "a list of strings",
        (_, "integer") => "an integer",
        (_, "number") => "a number",
        (_, "boolean") => "true or false",
        _ => "a string",
    }
}

/// A value of the wrong type; a bare number where a quantity should stand lacks its unit.
fn type_fault(node: &Node, schema: &Schema) -> Fault {
    if let (Value::Integer(_) | Value::Float(_), false) =
        (&node.value, text(schema, "x-kind").is_empty())
    {
        let number = node.value.to_string();
        if let Err(fault @ Fault::Unit(_)) = string_fault(&number, schema) {
            return fault;
        }
    }
    Fault::Type { expected: expectation(schema).to_owned(), found: node.value.to_string() }
}
