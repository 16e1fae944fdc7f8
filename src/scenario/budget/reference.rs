//! `[budget]` in the JSON Schema for editors and in the reference of all keys.

use serde_json::{Value, json};

use super::Column;
use crate::metrics::codebook;

const ABOUT: &str = "Limits on what is measured, which `overcord gate` judges. A key is the name of \
    a headline metric, a column of `runs.csv`, quoted (`\"outage.p95\"`) or as nested tables; \
    `handover.` may stand before the phases of a handover and their sums, `requests.` before what \
    becomes of requests. A value is a limit, such as `\"<= 120s\"`, or a table with the keys below, or \
    a list of these, all of which must hold. `--set` replaces all limits on a metric. A metric without \
    a value keeps no budget.";
const LIMIT: &str = "`<=`, `>=`, `<`, `>` or `==`, and a quantity: a duration where the metric is a \
    time, a share where it is one, else a plain number.";
const COLUMN: &str = "Which column of `summary.csv` is limited. With several runs, a limit on the \
    mean that lies within its 95 % interval is inconclusive, except for `==`, which compares the mean \
    itself; other columns are compared as they are.";
const AT: &str =
    "At which points of the sweep: varied keys, each with a value or a list of values.";

/// The section in the reference, in the form of the other tables.
#[must_use]
pub fn markdown() -> String {
    let columns = Column::ALL.map(|column| format!("`{column}`")).join(" ");
    format!(
        "\n## `[budget]`\n\n{ABOUT}\n\n| key | kind | default | meaning |\n|---|---|---|---|\n\
         | `limit` | comparison and quantity | required | {LIMIT} |\n\
         | `column` | {columns} | `mean` | {COLUMN} |\n\
         | `at` | table | all points | {AT} |\n"
    )
}

/// The section in the schema. Names of metrics are listed, so that editors offer them; with prefixes
/// and as nested tables they are let through.
#[must_use]
pub fn json_schema() -> Value {
    let limit = json!({
        "type": "string",
        "description": LIMIT,
        "pattern": "^\\s*(<=|>=|==|<|>)\\s*[^\\s<>=]",
        "examples": ["<= 120s"],
    });
    let table = json!({
        "type": "object",
        "properties": {
            "limit": limit,
            "column": {
                "description": COLUMN,
                "enum": Column::ALL.map(Column::name),
                "default": Column::Mean.name(),
            },
            "at": { "type": "object", "description": AT },
        },
        "required": ["limit"],
        "additionalProperties": false,
    });
    let one = json!({ "anyOf": [limit, table] });
    let any = json!({ "anyOf": [limit, table, { "type": "array", "minItems": 1, "items": one }] });
    let metric = |metric: &codebook::Metric| {
        let mut schema = any.clone();
        schema["description"] = Value::from(metric.about.as_str());
        (metric.name.clone(), schema)
    };
    json!({
        "type": "object",
        "description": ABOUT,
        "properties": codebook::metrics().iter().map(metric).collect::<serde_json::Map<_, _>>(),
        "additionalProperties": { "type": ["string", "array", "object"] },
    })
}
