//! Budgets as they may be written, and every kind of bad one.

use super::*;
use crate::metrics::codebook::metrics;
use crate::scenario::document::{Node, Path};
use crate::scenario::problem::{Report, Sources};

/// A sweep over two keys: four points, one of them left out.
const KEYS: [&str; 2] = ["dns.ttl", "overlay.nodes"];
const VALUES: [[&str; 2]; 3] = [["60s", "100"], ["60s", "200"], ["5s", "100"]];

/// Reads `[budget]` of a text with `--set` arguments: the budgets, or the report.
fn read_with(text: &str, overrides: &[&str]) -> Result<Vec<Budget>, String> {
    let keys = KEYS.map(str::to_owned);
    let values = VALUES.map(|values| values.map(str::to_owned));
    let points = Points { keys: &keys, values: values.iter().map(|it| it.as_slice()).collect() };
    let overrides: Vec<String> = overrides.iter().map(|&it| it.to_owned()).collect();
    let sources = Sources { file: "x.toml".into(), text: text.into(), overrides };
    let mut document = Node::parse(text).expect("the test writes TOML");
    for (index, argument) in sources.overrides.iter().enumerate() {
        document.set(argument, index + 1).expect("the test writes assignments");
    }
    let path = Path::of("budget");
    let node = document.find(&path).expect("the test writes the section");
    read(node, &path, &points).map_err(|problems| Report::new(sources, problems).to_string())
}

fn budgets(text: &str) -> Vec<Budget> {
    read_with(text, &[]).unwrap_or_else(|report| panic!("{report}"))
}

/// What was read, in words.
fn told(budgets: &[Budget]) -> Vec<String> {
    let one = |budget: &Budget| {
        let at = budget.at.iter().map(|(key, values)| format!(" at {key} = {}", values.join("|")));
        format!("{budget}{} [{} {}]", at.collect::<String>(), budget.metric, budget.limit.value)
    };
    budgets.iter().map(one).collect()
}

#[test]
fn keys_are_names_of_metrics_quoted_or_nested_with_their_prefix_or_without() {
    let text = r#"
[budget]
stale_share = "<= 1.5%"
"outage.p95" = "< 120s"
"handover.detect.mean" = ">= 0s"
"requests.failed_interop" = "<=5%"
departures = "== 28"
lookup_hops.mean = "<= 4.5"
"messages_per_node_hour.sip" = "<= 1e3"
[budget.handover.total]
max = "> 1.5m"
"#;
    assert_eq!(
        told(&budgets(text)),
        [
            "stale_share <= 1.5% [stale_share 0.015]",
            "outage.p95 < 120s [outage.p95 120]",
            "handover.detect.mean >= 0s [detect.mean 0]",
            "requests.failed_interop <= 5% [failed_interop 0.05]",
            "departures == 28 [departures 28]",
            "lookup_hops.mean <= 4.5 [lookup_hops.mean 4.5]",
            "messages_per_node_hour.sip <= 1e3 [messages_per_node_hour.sip 1000]",
            "handover.total.max > 1.5m [total.max 90]",
        ]
    );
}

#[test]
fn a_prefix_goes_with_what_it_is_about_and_nothing_else() {
    for (key, name) in [
        ("handover.restore.median", Some("restore.median")),
        ("requests.request_delay.p95", Some("request_delay.p95")),
        ("requests.unfinished", Some("unfinished")),
        ("requests", Some("requests")),
        ("handover.stale_share", None),
        ("requests.outage.p95", None),
        ("requests.requests", None),
        ("handover.handover.outage.p95", None),
    ] {
        assert_eq!(canonical(key), name, "{key}");
    }
    // Every metric can be named as it is.
    assert!(metrics().iter().all(|metric| canonical(&metric.name) == Some(metric.name.as_str())));
}

#[test]
fn a_table_limits_another_column_or_chosen_points_and_a_list_has_several() {
    let text = r#"
[budget]
"outage.p95" = { limit = "<= 300s", column = "high", at = { "dns.ttl" = "60s" } }
"stale_window.mean" = [
    { limit = "<= 3", column = "deviation" },
    { limit = ">= -3", column = "deviation", at = { overlay.nodes = [100, 200] } },
    "<= 40s",
]
false_claims = { limit = "== 0", column = "max", at = { "overlay.nodes" = 100, "dns.ttl" = "1m" } }
departures = { limit = ">= 8", column = "n" }
"#;
    let budgets = budgets(text);
    assert_eq!(
        told(&budgets),
        [
            "high of outage.p95 <= 300s at dns.ttl = 60s [outage.p95 300]",
            "deviation of stale_window.mean <= 3 [stale_window.mean 3]",
            "deviation of stale_window.mean >= -3 at overlay.nodes = 100|200 [stale_window.mean -3]",
            "stale_window.mean <= 40s [stale_window.mean 40]",
            "max of false_claims == 0 at dns.ttl = 60s at overlay.nodes = 100 [false_claims 0]",
            "n of departures >= 8 [departures 8]",
        ]
    );
    let keys = KEYS.map(str::to_owned);
    let about =
        |budget: &Budget| VALUES.map(|values| budget.is_about(&keys, &values.map(str::to_owned)));
    assert_eq!(about(&budgets[0]), [true, true, false]);
    assert_eq!(about(&budgets[3]), [true; 3]);
    assert_eq!(about(&budgets[4]), [true, false, false]);
}

#[test]
fn an_argument_takes_the_place_of_what_the_file_says_of_the_same_metric() {
    let text =
        "[budget]\n\"handover.outage.p95\" = [\"<= 120s\", \">= 1s\"]\nstale_share = \"<= 2%\"";
    let read = read_with(text, &["budget.outage.p95=<= 60s", "budget.outage.p95=<= 50s"]).unwrap();
    assert_eq!(
        told(&read),
        ["outage.p95 <= 50s [outage.p95 50]", "stale_share <= 2% [stale_share 0.02]"]
    );
}

#[test]
fn a_limit_that_cannot_be_read_is_told_with_what_is_expected() {
    check(&[
        (
            "outage.p95 = 120",
            "2:14: budget.outage.p95: expected a limit, such as \"<= 120s\", a table with `limit`, or \
             a list of these, found 120",
        ),
        (
            "outage.p95 = \"120s\"",
            "2:14: budget.outage.p95: expected `<=`, `>=`, `<`, `>` or `==` and a quantity, such as \
             \"<= 120s\", found \"120s\"",
        ),
        (
            "outage.p95 = \"<= 120\"",
            "2:14: budget.outage.p95: expected a duration, such as \"<= 120s\", found `120`: 120 has no \
             unit: write \"120s\", \"120ms\" or \"120h\"",
        ),
        (
            "outage.p95 = \"<= 5%\"",
            "2:14: budget.outage.p95: expected a duration, such as \"<= 120s\", found `5%`: `%` is not \
             a unit of time; the units are ns, us, ms, s, m, h and d",
        ),
        (
            "stale_share = \"<= 0.05\"",
            "2:15: budget.stale_share: expected a share, such as \"<= 5%\", found `0.05`: 0.05 has no \
             unit: write \"0.05%\" (or the share times 100)",
        ),
        (
            "departures = \"<= 5s\"",
            "2:14: budget.departures: expected a plain number, such as \"<= 10\", found `5s`",
        ),
        (
            "departures = \">= -5\"",
            "2:14: budget.departures: expected a plain number, such as \"<= 10\", found `-5`: -5 is \
             negative",
        ),
        (
            "departures = \"< inf\"",
            "2:14: budget.departures: expected a plain number, such as \"<= 10\", found `inf`",
        ),
        (
            "node_hours = \"< 1h\"",
            "2:14: budget.node_hours: expected a plain number, of hours, such as \"<= 10\", found `1h`",
        ),
        (
            "outage.p95 = \"=> 5s\"",
            "2:14: budget.outage.p95: expected `<=`, `>=`, `<`, `>` or `==` and a quantity, such as \
             \"<= 120s\", found \"=> 5s\"",
        ),
    ]);
}

#[test]
fn a_metric_that_does_not_exist_is_told_with_those_that_do() {
    check(&[
        (
            "outage.p99 = \"<= 5s\"",
            "2:8: budget.outage.p99: there is no metric `outage.p99`; did you mean `outage.p95`?",
        ),
        (
            "handover.outage = \"<= 5s\"",
            "2:10: budget.handover.outage: there is no metric `handover.outage`; did you mean \
             `outage.mean`, `outage.median`, `outage.p95` or `outage.max`?",
        ),
        (
            "handover.stale_share = \"<= 5%\"",
            "2:10: budget.handover.stale_share: there is no metric `handover.stale_share`; did you mean \
             `stale_share`?",
        ),
        (
            "nonsense = \"<= 5%\"",
            "2:1: budget.nonsense: there is no metric `nonsense`; the names are the columns of \
             runs.csv, such as `stale_share` or `outage.p95`",
        ),
    ]);
}

#[test]
fn a_table_that_is_no_budget_is_told() {
    check(&[
        (
            "outage.p95 = []",
            "2:14: budget.outage.p95: expected a limit, such as \"<= 120s\", a table with `limit`, or \
             a list of these, found an empty list",
        ),
        (
            "outage.p95 = { column = \"mean\" }",
            "2:14: budget.outage.p95: missing key `limit`: what has to hold",
        ),
        (
            "outage.p95 = { limit = 5 }",
            "2:24: budget.outage.p95.limit: expected a limit, such as \"<= 120s\", found 5",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", colunm = \"max\" }",
            "2:33: budget.outage.p95.colunm: unknown key `colunm`; did you mean `column`?",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", column = \"maximum\" }",
            "2:42: budget.outage.p95.column: expected `mean`, `sd`, `n`, `max`, `low`, `high`, \
             `standard_error`, `theory` or `deviation`, found \"maximum\"",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", column = \"n\" }",
            "2:24: budget.outage.p95.limit: expected a plain number, such as \"<= 10\", found `5s`",
        ),
    ]);
}

#[test]
fn points_are_those_of_the_sweep() {
    check(&[
        (
            "outage.p95 = { limit = \"<= 5s\", at = \"60s\" }",
            "2:38: budget.outage.p95.at: expected a table, such as { \"dns.ttl\" = \"60s\" }, found \
             \"60s\"",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", at = { dns.tll = \"60s\" } }",
            "2:44: budget.outage.p95.at.dns.tll: the sweep does not vary `dns.tll`; did you mean \
             `dns.ttl`?",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", at = { seed = 1 } }",
            "2:40: budget.outage.p95.at.seed: the sweep does not vary `seed`; there is `dns.ttl` or \
             `overlay.nodes`",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", at = { \"dns.ttl\" = [\"60s\", \"30s\"] } }",
            "2:60: budget.outage.p95.at.dns.ttl: `dns.ttl` is `60s` or `5s` in the sweep, never `30s`",
        ),
        (
            "outage.p95 = { limit = \"<= 5s\", at = { \"dns.ttl\" = \"5s\", \"overlay.nodes\" = 200 } }",
            "2:38: budget.outage.p95.at: no point of the sweep has these values together",
        ),
    ]);
}

/// Cases of one line in the section, and the report.
fn check(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let found = read_with(&format!("[budget]\n{line}\n"), &[]).map(|read| told(&read));
        assert_eq!(found, Err(format!("x.toml:{expected}")), "{line}");
    }
}

#[test]
fn one_metric_has_one_budget_or_a_list() {
    let text = "[budget]\n\"outage.p95\" = \"<= 5s\"\n\"handover.outage.p95\" = \">= 1s\"";
    let told = "x.toml:3:1: budget.handover.outage.p95: `outage.p95` has a budget already, as \
                `outage.p95`: write both limits into one list";
    assert_eq!(read_with(text, &[]), Err(told.to_owned()));
    let not_a_table = "x.toml:1:10: budget: expected a table, found \"<= 5s\"";
    assert_eq!(read_with("budget = \"<= 5s\"", &[]), Err(not_a_table.to_owned()));
}

#[test]
fn an_argument_of_the_command_line_is_a_name_a_comparison_and_a_quantity() {
    let read = |argument| parse(argument).map_err(|report| report.to_string());
    let read_well = read(" handover.outage.p95<=120s").unwrap();
    assert_eq!(told(&[read_well]), ["handover.outage.p95 <= 120s [outage.p95 120]"]);
    for (argument, told) in [
        (
            "outage.p9 <= 1s",
            "--budget:1:1: there is no metric `outage.p9`; did you mean `outage.p95`?",
        ),
        (
            "outage.p95 = 1s",
            "--budget:1:12: expected `<=`, `>=`, `<`, `>` or `==` and a quantity, such as \"<= 120s\", \
             found \"= 1s\"",
        ),
        (
            "outage.p95",
            "--budget:1:11: expected `<=`, `>=`, `<`, `>` or `==` and a quantity, such as \"<= 120s\", \
             found \"\"",
        ),
        (
            "",
            "--budget:1:1: there is no metric ``; the names are the columns of runs.csv, such as \
             `stale_share` or `outage.p95`",
        ),
    ] {
        assert_eq!(read(argument), Err(told.to_owned()), "{argument}");
    }
}

#[test]
fn editors_are_offered_every_metric() {
    let schema = reference::json_schema();
    for metric in metrics() {
        let property = &schema["properties"][&metric.name];
        assert_eq!(property["description"], metric.about.as_str(), "{}", metric.name);
        let table = &property["anyOf"][1]["properties"];
        assert_eq!(table["column"]["enum"].as_array().unwrap().len(), Column::ALL.len());
    }
    assert!(crate::scenario::schema::published()["properties"]["budget"].is_object());
    let text = reference::markdown();
    assert!(Column::ALL.iter().all(|column| text.contains(&format!("`{column}`"))), "{text}");
}
