//! The JSON Schema of scenario files and the table of keys, both generated from the structs in
//! [`file`](super::file).
//!
//! The schema is also what [`walk`](super::walk) checks a file against. Beside the standard keywords
//! it carries, for the walk and the table: `x-kind` (what a string holds), `x-default` (a default
//! that depends on other keys), `x-above-zero`, `x-period` (1 ms or more), `x-most-seconds` and
//! `x-whole-seconds` (of durations).

use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::budget::reference;
use super::file::File;

/// The JSON Schema (draft 2020-12) of a scenario file.
#[must_use]
pub fn json_schema() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<File>().to_value();
    strip_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), Value::from("overcord scenario"));
    }
    schema
}

/// The schema as editors are to have it: with the sections that say what a study is, whose keys are
/// those of the scenario itself and so cannot be listed.
#[must_use]
pub fn published() -> Value {
    let mut schema = json_schema();
    let replications = schema["properties"]["replications"].clone();
    let point = json!({
        "type": "object",
        "properties": { "name": { "type": "string", "description": POINT_NAME } },
        "additionalProperties": { "description": POINT_VALUE },
    });
    let sweep = json!({
        "type": "object",
        "description": SWEEP,
        "properties": {
            "replications": replications,
            "point": { "type": "array", "minItems": 1, "description": POINTS, "items": point },
        },
        "additionalProperties": {
            "description": GRID,
            "anyOf": [{ "type": "array", "minItems": 1 }, { "type": "object" }],
        },
    });
    let properties = schema["properties"].as_object_mut().expect("a table has keys");
    properties.insert("sweep".to_owned(), sweep);
    properties.insert("budget".to_owned(), reference::json_schema());
    schema
}

const SWEEP: &str = "What a study varies: its points are the product of the lists of values, in \
    the order of the file, the last key fastest. All points have the same seeds.";
const GRID: &str = "The way to a key of the scenario, quoted (`\"dns.ttl\"`) or as nested tables, \
    and a list of values to go through: anything that the key takes, whole tables too. `schema`, \
    `name`, `description`, `seed`, `replications` and `budget` cannot be varied.";
const POINTS: &str = "Points listed one by one; beside a grid, each goes through the whole grid.";
const POINT_NAME: &str = "What the point is called in tables and figures: the column `name`.";
const POINT_VALUE: &str = "The way to a key of the scenario, and its value at this point.";

/// The reference of `[sweep]`, in the form of the other tables.
fn sweep_section(out: &mut String) {
    put(out, format_args!("\n## `[sweep]`\n\n{}\n", one_line(SWEEP)));
    out.push_str("\n| key | kind | default | meaning |\n|---|---|---|---|\n");
    put(out, format_args!("| a dotted key | list of values | none | {} |\n", one_line(GRID)));
    out.push_str(
        "| `replications` | as at the top | that at the top | How many runs each point has. |\n",
    );
    put(out, format_args!("\n## `[[sweep.point]]`\n\n{}\n", one_line(POINTS)));
    out.push_str("\n| key | kind | default | meaning |\n|---|---|---|---|\n");
    put(out, format_args!("| `name` | string | none | {} |\n", one_line(POINT_NAME)));
    put(
        out,
        format_args!(
            "| a dotted key | a value | the scenario's own | {} |\n",
            one_line(POINT_VALUE)
        ),
    );
}

/// TOML has no null: an optional key is absent. Removes it from types, alternatives and defaults.
fn strip_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(strip_null),
        Value::Object(map) => {
            map.values_mut().for_each(strip_null);
            strip_null_here(map);
        }
        _ => {}
    }
}

fn strip_null_here(map: &mut Map<String, Value>) {
    if map.get("default").is_some_and(Value::is_null) {
        map.shift_remove("default");
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    for alternatives in ["anyOf", "oneOf"] {
        let Some(Value::Array(list)) = map.get_mut(alternatives) else { continue };
        let before = list.len();
        list.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if before > 1 && list.len() == 1 {
            let Some(Value::Object(only)) = list.pop() else { continue };
            map.shift_remove(alternatives);
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}

/// The words that a schema consists of, with their documentation; empty when it is something else.
pub(super) fn words(schema: &Value) -> Vec<(&str, &str)> {
    let own = schema.get("const").map(|_| schema);
    let branches = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    own.into_iter()
        .chain(branches)
        .filter_map(|branch| Some((branch.get("const")?.as_str()?, text(branch, "description"))))
        .collect()
}

/// A keyword that is a text; empty when it is absent.
pub(super) fn text<'a>(schema: &'a Value, keyword: &str) -> &'a str {
    schema.get(keyword).and_then(Value::as_str).unwrap_or("")
}

/// The way to a key: its steps, and which of them are lists.
pub(super) struct Way(Vec<(String, bool)>);

impl Way {
    /// As `--set` takes it: the first element of a list.
    pub(super) fn argument(&self) -> String {
        let step = |(key, is_list): &(String, bool)| {
            if *is_list { format!("{key}.0") } else { key.clone() }
        };
        self.0.iter().map(step).collect::<Vec<_>>().join(".")
    }

    /// Without list numbers.
    pub(super) fn pattern(&self) -> String {
        self.0.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(".")
    }

    /// The table that the key stands in, as a file heads it; empty at the top.
    pub(super) fn table(&self) -> String {
        let tables = &self.0[..self.0.len() - 1];
        let name = tables.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(".");
        match tables.last() {
            None => String::new(),
            Some((_, true)) => format!("[[{name}]]"),
            Some((_, false)) => format!("[{name}]"),
        }
    }
}

/// All ways that end in this key.
pub(super) fn ways_to(schema: &Value, key: &str) -> Vec<Way> {
    let mut ways = Vec::new();
    collect_ways(schema, key, &mut Vec::new(), &mut ways);
    ways
}

fn collect_ways(
    schema: &Value,
    wanted: &str,
    steps: &mut Vec<(String, bool)>,
    ways: &mut Vec<Way>,
) {
    for (key, property) in keys(schema) {
        let is_list = tables_in(property).is_some();
        steps.push((key.clone(), is_list));
        if key == wanted {
            // The way ends at the key: it is no list of which an element is meant.
            let mut steps = steps.clone();
            steps.last_mut().expect("just pushed").1 = false;
            ways.push(Way(steps));
        }
        collect_ways(property.get("items").unwrap_or(property), wanted, steps, ways);
        steps.pop();
    }
}

/// The reference of all keys, as Markdown: `scenarios/README.md`.
#[must_use]
pub fn markdown() -> String {
    let schema = json_schema();
    let mut out = String::from(PREFACE);
    table_section(&mut out, "", &schema);
    sweep_section(&mut out);
    out.push_str(&reference::markdown());
    out
}

const PREFACE: &str = "\
# Scenarios

A scenario is a TOML file. `overcord init` writes a commented one, `overcord check FILE` validates a
file and prints it with every default filled in, `overcord schema` prints the JSON Schema for
editors. This reference is generated from the program by `overcord schema --markdown`.

Quantities are strings with units, since a bare number does not tell what it counts:

| kind | examples | units |
|---|---|---|
| duration | `\"60s\"`, `\"1.5h\"`, `\"40ms\"` | `ns`, `us`, `ms`, `s`, `m` (or `min`), `h`, `d`; 100 years at most |
| share | `\"2%\"` | `%`, from 0 to 100 |
| ratio | `\"10%\"` | `%`, from 0 to 1000 |
| rate | `\"0.1/s\"`, `\"6/min\"`, `\"1/10s\"` | events per duration |

An unknown key is an error. `--set key=value` changes one key of a file, by its way with dots
(`--set dns.ttl=5s`); an element of a list is counted from 0 (`--set caller.0.users=20`).
";

/// One heading and table of keys, then the tables below it.
fn table_section(out: &mut String, path: &str, schema: &Value) {
    let heading = if path.is_empty() { "Top level".to_owned() } else { format!("`{path}`") };
    let about = if path.is_empty() { "" } else { text(schema, "description") };
    put(out, format_args!("\n## {heading}\n\n"));
    if !about.is_empty() {
        put(out, format_args!("{}\n\n", one_line(about)));
    }
    out.push_str("| key | kind | default | meaning |\n|---|---|---|---|\n");
    let required: Vec<_> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
    let mut below = Vec::new();
    for (key, property) in keys(schema) {
        let is_required = required.iter().any(|name| *name == key);
        let name = path.trim_matches(['[', ']']);
        let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        if let Some(items) = tables_in(property) {
            let mut items = items.clone();
            items["description"] = Value::from(text(property, "description"));
            below.push((format!("[[{full}]]"), items));
        } else if property.get("properties").is_some() {
            below.push((format!("[{full}]"), property.clone()));
        } else {
            let default = default_text(property, is_required);
            let meaning = meaning(property);
            put(out, format_args!("| `{key}` | {} | {default} | {meaning} |\n", kind(property)));
        }
    }
    for (path, schema) in below {
        table_section(out, &path, &schema);
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// What a list of tables consists of; `None` for any other schema.
fn tables_in(schema: &Value) -> Option<&Value> {
    schema.get("items").filter(|items| items.get("properties").is_some())
}

/// The keys of a table, in the order of its struct.
fn keys(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// What a key holds.
fn kind(schema: &Value) -> String {
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        return branches.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let words = words(schema);
    if !words.is_empty() {
        return words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" ");
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind(items));
    }
    let range = match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) if most.as_u64() == Some(i64::MAX as u64) => {
            format!(", {least} or more")
        }
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", {least} or more"),
        _ => String::new(),
    };
    match text(schema, "x-kind") {
        "" => format!("{}{range}", text(schema, "type").replace("object", "table")),
        "slug" => "name".to_owned(),
        quantity => quantity.to_owned(),
    }
}

fn default_text(schema: &Value, is_required: bool) -> String {
    let told = text(schema, "x-default");
    match schema.get("default") {
        _ if is_required => "required".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "empty".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => value.to_string(),
        None => told.to_owned(),
    }
}

/// The documentation of a key, with that of each word that it can be.
fn meaning(schema: &Value) -> String {
    let mut out = one_line(text(schema, "description"));
    let words = words(schema.get("items").unwrap_or(schema));
    for (word, about) in &words {
        put(&mut out, format_args!("<br>`{word}`: {}", one_line(about)));
    }
    // A value that may be a table has no section of its own for it.
    let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    for (key, property) in branches.flat_map(keys) {
        let what = kind(property);
        let default = match property.get("default") {
            Some(Value::String(text)) => format!(", default `{text}`"),
            Some(value) => format!(", default {value}"),
            None => String::new(),
        };
        let about = one_line(text(property, "description"));
        put(&mut out, format_args!("<br>`{key}` ({what}{default}): {about}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls back for every key below a schema, alternatives included.
    fn each_key(path: &str, schema: &Value, check: &mut impl FnMut(&str, &Value, bool)) {
        let required: Vec<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        for (key, property) in keys(schema) {
            let path = format!("{path}.{key}");
            check(&path, property, required.iter().any(|name| *name == key));
            each_key(&path, property, check);
        }
        let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        for below in branches.chain(schema.get("items")) {
            each_key(path, below, check);
        }
    }

    #[test]
    fn every_key_is_documented_and_has_a_default_or_is_required() {
        let (mut keys, mut wrong) = (0, Vec::new());
        each_key("", &json_schema(), &mut |path, schema, required| {
            keys += 1;
            let is_table = schema.get("properties").is_some() || schema.get("items").is_some();
            let has_default = schema.get("default").is_some() || schema.get("x-default").is_some();
            if text(schema, "description").len() < 10 {
                wrong.push(format!("{path} is not documented"));
            }
            if !is_table && !required && !has_default {
                wrong.push(format!("{path} has no default"));
            }
            for (word, about) in words(schema) {
                if about.is_empty() {
                    wrong.push(format!("{path} = {word} is not documented"));
                }
            }
        });
        assert_eq!(wrong, Vec::<String>::new());
        assert!(keys > 90, "the walk saw only {keys} keys");
    }

    #[test]
    fn a_table_refuses_what_it_does_not_know() {
        let mut tables = 0;
        each_key("", &json_schema(), &mut |path, schema, _| {
            if schema.get("properties").is_some() {
                tables += 1;
                assert_eq!(schema["additionalProperties"], Value::from(false), "{path}");
            }
        });
        assert!(tables > 10, "{tables}");
    }

    #[test]
    fn the_committed_reference_is_the_generated_one() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/README.md");
        let committed = std::fs::read_to_string(committed).unwrap();
        assert!(
            committed == markdown(),
            "renew it: overcord schema --markdown > scenarios/README.md"
        );
    }
}
