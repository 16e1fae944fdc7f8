//! The codebook as text: `codebook.csv` in the folder of every study, and `results/README.md`.

use std::fmt::Write as _;

use crate::metrics::codebook::{
    Column, Metric, VALID, columns_of, compared, metric, metrics, tables,
};
use crate::report::tables::csv_text;

/// The columns of `codebook.csv`.
const COLUMNS: [&str; 6] = ["table", "column", "type", "unit", "better", "definition"];

/// `codebook.csv`: one row a column of a table. `varied` are the keys that the study's sweep varies,
/// which are columns as well.
#[must_use]
pub fn csv(varied: &[String]) -> String {
    let mut rows = Vec::new();
    for table in tables() {
        for (index, column) in columns_of(table.name).enumerate() {
            rows.push(row_of(column));
            if index == 0 && holds_varied_keys(table.name) {
                rows.extend(varied.iter().map(|key| row_of_key(table.name, key)));
            }
        }
    }
    csv_text(&COLUMNS, rows)
}

/// Whether the keys that a sweep varies are columns of a table, behind its first.
fn holds_varied_keys(table: &str) -> bool {
    ["runs", "summary", "comparison"].contains(&table)
}

fn row_of(column: &Column) -> Vec<String> {
    // The columns of runs that are metrics, and no others, have a better direction.
    let better = match column.table {
        "runs" => metric(&column.name).map_or("", |metric| metric.better.word()),
        _ => "",
    };
    let words = [column.table, &column.name, column.kind.word(), column.unit.word(), better];
    words.into_iter().chain([column.about.as_str()]).map(str::to_owned).collect()
}

fn row_of_key(table: &str, key: &str) -> Vec<String> {
    let about = match key {
        "name" => "Name of the listed sweep point.".to_owned(),
        key => format!("Value of the key `{key}` at the sweep point."),
    };
    [table, key, "text", "", "", &about].map(str::to_owned).to_vec()
}

/// The codebook as Markdown: `results/README.md`.
#[must_use]
pub fn markdown() -> String {
    let mut out = PREFACE.replace(DEFINED_HERE, VALID);
    for table in tables() {
        let (name, about) = (table.name, table.about);
        put(&mut out, format_args!("\n## `{name}.csv`\n\n{about}\n\n"));
        out.push_str("| column | type | unit | meaning |\n|---|---|---|---|\n");
        let is_metric = |column: &&Column| name == "runs" && metric(&column.name).is_some();
        for column in columns_of(name).filter(|column| !is_metric(column)) {
            let Column { name, kind, unit, about, .. } = column;
            put(&mut out, format_args!("| `{name}` | {kind} | {unit} | {about} |\n"));
        }
        match name {
            "runs" => put_metrics(&mut out, HEADLINE, metrics()),
            "comparison" => put_metrics(&mut out, COMPARED, compared()),
            _ => {}
        }
    }
    out
}

fn put_metrics(out: &mut String, head: &str, metrics: &[Metric]) {
    out.push_str(head);
    out.push_str("\n| metric | unit | better | meaning |\n|---|---|---|---|\n");
    for Metric { name, unit, better, about } in metrics {
        put(out, format_args!("| `{name}` | {unit} | {better} | {about} |\n"));
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory does not fail");
}

const COMPARED: &str = "
### What is told beside headline metrics

";

const HEADLINE: &str = "
### Headline metrics

The further columns of `runs.csv` and the rows of `summary.csv`, all of them numbers. They count what
happened after the warm-up. A run has those that its scenario gives rise to: requests and SIP have
columns only where there are callers who send requests. *Better* says in which direction a metric
improves; where it says `neither`, the metric tells what happened and not how well.
";

/// Where the preface says what the definitions take as known.
const DEFINED_HERE: &str = "(VALID)";

const PREFACE: &str = "\
# Results

`overcord run` writes a study to `results/<scenario>/<study>/`; the file `latest` beside it names the
newest. This page says what the columns of its tables mean. It is generated from the program by
`overcord schema --tables`, and every study has the same as `codebook.csv`.

* Fields are separated by commas, and quoted where they hold a comma, a quote or a line break; the
  encoding is UTF-8.
* Times are seconds of simulated time since the start of the run, exact to the nanosecond; spans are
  seconds. Types: `integer` (from 0), `number`, `text`, `truth` (`true` or `false`).
* What does not exist (a mean of nothing, an address that nobody took over) is an empty field.
* Rows are in the order of the runs, and the number of its run is the first column of each: join with
  `runs.csv` on `run`.
* (VALID)
* Episodes, stale windows, requests and signalling are those after the warm-up.
* Where a sweep lists points by name, `comparison.md` sets them side by side as a paper would, and
  `comparison.csv` holds the numbers, a row a point and metric: its `value`, with a 95 % interval, and
  the `n` of what it is `over`. Over runs it is their mean (of what is counted the sum, of what is a
  maximum the greatest). Over handovers, stale windows and departures it is that of all in all runs
  together, with an interval bootstrapped over the runs; a quantile that `is_more` than its value is of
  spans of which too many were cut off. Stale windows are those of resolvers that callers use, without
  those of length zero. Of what belongs to a run as a whole there is also the mean difference from the
  first of the points (`against`) over `pairs` of runs with the same seed, with its interval, and how many
  of the pairs are `below`, the `same` and `above`.

## Reading results in pandas

`codebook.csv` says what each column holds, so that a fingerprint such as `12e4567890123456` does not
become a number, and a column of integers with empty fields no floats:

```python
from pathlib import Path

import pandas as pd

scenario = Path(\"results/handover\")
study = scenario / (scenario / \"latest\").read_text().strip()
codebook = pd.read_csv(study / \"codebook.csv\")
types = {\"integer\": \"Int64\", \"number\": \"float64\", \"text\": \"string\", \"truth\": \"boolean\"}


def table(name):
    columns = codebook[codebook[\"table\"] == name]
    dtype = dict(zip(columns[\"column\"], columns[\"type\"].map(types)))
    return pd.read_csv(study / f\"{name}.csv\", dtype=dtype)


runs, handovers = table(\"runs\"), table(\"handovers\")
ended = handovers[handovers[\"closed\"].isin([\"request\", \"lookup\"])]
print(ended.groupby(\"run\")[\"outage_s\"].mean())  # the same as:
print(runs.set_index(\"run\")[\"outage.mean\"])
```

For tables of millions of rows, Parquet is smaller and faster, and has the types in it. It takes a
build with `cargo build --release --features parquet`; then `overcord export results/handover
--parquet` writes `handovers.parquet` beside `handovers.csv`, and so on, once it has seen that every
table is what the study wrote:

```python
handovers = pd.read_parquet(study / \"handovers.parquet\")
```
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, fake_requests, fake_story, study};
    use crate::experiment::summary::summarise;

    /// The head of every table of a study with requests and a story, as the codebook has it.
    #[test]
    fn every_table_that_is_written_has_the_columns_of_the_codebook() {
        let mut study = study(1);
        study.varied = vec!["dns.ttl".into()];
        study.cells[0].varied = vec!["5s".into()];
        let mut output = fake_output(&study.cells[0]);
        output.requests = fake_requests(7);
        output.told = fake_story();
        for metric in metrics() {
            if !output.headline.knows(&metric.name) {
                output.headline.push(metric.name.as_str(), None);
            }
        }
        let outputs = [output];
        let summary = summarise(&study, &outputs, &[]);
        let files = crate::report::tables::tables(&study, &outputs, &summary);
        let mut heads: Vec<(String, Vec<String>)> = Vec::new();
        for file in files.iter().filter(|file| file.name.ends_with(".csv")) {
            let head = file.text.lines().next().unwrap().split(',').map(str::to_owned).collect();
            heads.push((file.name.trim_end_matches(".csv").to_owned(), head));
        }
        assert_eq!(heads.len(), tables().len() - 1, "all but `comparison`: {heads:?}");
        for (table, mut head) in heads {
            let mut known: Vec<String> = columns_of(&table).map(|it| it.name.clone()).collect();
            if holds_varied_keys(&table) {
                known.insert(1, "dns.ttl".to_owned());
            }
            if table == "runs" {
                // The metrics were added behind the others here, out of their order.
                known[4..].sort();
                head[4..].sort();
            }
            assert_eq!(head, known, "{table}");
        }
    }

    #[test]
    fn the_committed_codebook_is_the_generated_one() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/results/README.md");
        let committed = std::fs::read_to_string(committed).unwrap();
        assert!(committed == markdown(), "renew it: overcord schema --tables > results/README.md");
    }

    #[test]
    fn the_csv_has_every_column_and_the_varied_keys() {
        let text = csv(&["dns.ttl".to_owned(), "a,b".to_owned()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "table,column,type,unit,better,definition");
        assert!(lines[1].starts_with("runs,run,integer,,,"), "{}", lines[1]);
        assert_eq!(lines[2], "runs,dns.ttl,text,,,Value of the key `dns.ttl` at the sweep point.");
        assert!(lines[3].starts_with("runs,\"a,b\",text,"), "{}", lines[3]);
        let all = crate::metrics::codebook::columns().len();
        assert_eq!(lines.len(), 1 + all + 3 * 2, "keys are columns of three tables");
        assert!(text.contains("\nruns,outage.p95,number,s,lower,\"95th percentile of `outage` "));
        assert!(text.contains("\nhandovers,outage_s,number,s,,restore + recover.\n"));
        assert!(text.contains("\nsummary,mean,number,the metric's,,"));
        assert_eq!(csv(&[]).lines().count(), 1 + all);
        let named = csv(&["name".to_owned()]);
        for table in ["summary", "comparison"] {
            let line = format!("\n{table},name,text,,,Name of the listed sweep point.\n");
            assert!(named.contains(&line), "{table}");
        }
    }

    /// A cell of a Markdown table must not end early.
    #[test]
    fn no_word_breaks_a_table() {
        for line in markdown().lines().filter(|line| line.starts_with("| ")) {
            assert_eq!(line.matches('|').count(), 5, "{line}");
        }
    }
}
