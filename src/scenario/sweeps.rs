//! Sweeps: what points they give, and what is told of those that give none.

use std::path::Path;

use super::plan::{Family, Precision, Replications, Strategy};
use super::{Report, Scenario, Scenarios};
use crate::time::SimDuration;

const HEAD: &str = "\
name = \"x\"
warmup = \"10m\"
[dns]
domain = \"chord.dyndns.org\"
resolver = [{ name = \"isp\" }]
[dyndns]
[handover]
";

fn parse(sweep: &str, overrides: &[&str]) -> Result<Scenarios, Report> {
    let text = format!("{HEAD}{sweep}");
    let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    Scenarios::parse("x.toml", text.as_bytes(), Path::new(""), &overrides)
}

fn read(sweep: &str, overrides: &[&str]) -> Scenarios {
    parse(sweep, overrides).unwrap_or_else(|report| panic!("{report}"))
}

fn labels(scenarios: &Scenarios) -> Vec<String> {
    scenarios.points.iter().map(|point| point.varied.join("|")).collect()
}

#[test]
fn a_grid_is_the_product_in_the_order_of_the_file_the_last_key_fastest() {
    let scenarios = read(
        "[sweep]\n\"handover.strategy\" = [\"static\", \"dyndns\"]\n\"dns.ttl\" = [\"5s\", \"60s\"]\n",
        &[],
    );
    assert_eq!(scenarios.varied, ["handover.strategy", "dns.ttl"]);
    assert_eq!(labels(&scenarios), ["static|5s", "static|60s", "dyndns|5s", "dyndns|60s"]);
    let said: Vec<(Strategy, u64)> = scenarios
        .points
        .iter()
        .map(|point| {
            let plan = &point.scenario.plan;
            let strategy = plan.handover.as_ref().unwrap().strategy;
            (strategy, plan.dns.as_ref().unwrap().ttl.as_secs())
        })
        .collect();
    let (fixed, dyndns) = (Strategy::Static, Strategy::DynDns);
    assert_eq!(said, [(fixed, 5), (fixed, 60), (dyndns, 5), (dyndns, 60)]);
}

#[test]
fn nested_tables_and_list_elements_are_keys_too() {
    let scenarios = read(
        "[sweep.dns]\nresolver.0.count = [1, 2]\nttl = [\"5s\"]\n[sweep.overlay]\nnodes = [10]\n",
        &[],
    );
    assert_eq!(scenarios.varied, ["dns.resolver.0.count", "dns.ttl", "overlay.nodes"]);
    assert_eq!(labels(&scenarios), ["1|5s|10", "2|5s|10"]);
}

#[test]
fn a_value_may_be_a_whole_table_which_stands_in_place_of_the_old_one() {
    let sweep = "\
[churn]
model = \"lognormal\"
sigma = 1.0
session_median = \"1h\"
downtime_median = \"1h\"
[sweep]
\"churn.session_mean\" = [\"10m\", \"20m\"]
churn = [
    { model = \"exponential\", session_mean = \"1h\", downtime_mean = \"1h\" },
    { model = \"weibull\", shape = 0.5, session_mean = \"1h\", downtime_mean = \"1h\" },
]
";
    let scenarios = read(sweep, &[]);
    assert_eq!(scenarios.varied, ["churn.session_mean", "churn"]);
    let first = "10m|{ downtime_mean = \"1h\", model = \"exponential\", session_mean = \"1h\" }";
    assert_eq!(labels(&scenarios)[0], first);
    let sessions: Vec<_> = scenarios
        .points
        .iter()
        .map(|point| match &point.scenario.plan.churn.as_ref().unwrap().source {
            super::ChurnSource::Model { session, .. } => (session.family, session.location),
            super::ChurnSource::Trace(_) => panic!("no trace was named"),
        })
        .collect();
    use super::plan::Centre::Mean;
    let minutes = |count: u64| Mean(SimDuration::from_secs(60 * count));
    let (exponential, weibull) = (Family::Exponential, Family::Weibull { shape: 0.5 });
    let expected = [
        (exponential, minutes(10)),
        (weibull, minutes(10)),
        (exponential, minutes(20)),
        (weibull, minutes(20)),
    ];
    assert_eq!(sessions, expected, "the whole table first, then the key in it");
}

#[test]
fn listed_points_have_names_and_go_through_the_grid() {
    let sweep = "\
[sweep]
\"dns.ttl\" = [\"5s\", \"60s\"]
[[sweep.point]]
name = \"by the letter\"
handover.reading = \"literal\"
[[sweep.point]]
name = \"fixed\"
handover.strategy = \"static\"
";
    let scenarios = read(sweep, &[]);
    assert_eq!(scenarios.varied, ["name", "handover.reading", "handover.strategy", "dns.ttl"]);
    assert_eq!(
        labels(&scenarios),
        [
            "by the letter|literal||5s",
            "by the letter|literal||60s",
            "fixed||static|5s",
            "fixed||static|60s"
        ]
    );
    assert!(scenarios.points.iter().all(|point| point.scenario.plan.name == "x"));
    assert!(scenarios.points.iter().all(|point| point.scenario.plan.dns.is_some()));
}

/// Somebody who asks for one value of a key that the sweep varies gets that one.
#[test]
fn an_argument_wins_over_the_sweep() {
    let grid = "[sweep]\n\"dns.ttl\" = [\"5s\", \"60s\"]\n\"overlay.nodes\" = [10, 20]\n";
    let scenarios = read(grid, &["dns.ttl=30s"]);
    assert_eq!(scenarios.varied, ["overlay.nodes"]);
    let ttls = scenarios.points.iter().map(|it| it.scenario.plan.dns.as_ref().unwrap().ttl);
    assert!(ttls.eq([SimDuration::from_secs(30); 2]));
    assert_eq!(labels(&read(grid, &["dns.ttl=30s", "overlay.nodes=7"])), [""]);
    // An argument can also change the sweep itself, or a key beside those that it varies.
    assert_eq!(labels(&read(grid, &["sweep.overlay.nodes=[3]"])), ["5s|3", "60s|3"]);
    assert_eq!(read(grid, &["dns.negative_ttl=7s"]).points.len(), 4);
    let listed = "[[sweep.point]]\nname = \"a\"\ndns.ttl = \"5s\"\n[[sweep.point]]\nname = \"b\"\ndns.ttl = \"6s\"\n";
    assert_eq!(labels(&read(listed, &["dns.ttl=30s"])), ["a", "b"]);
    let whole = "\n[churn]\nmodel = \"none\"\n[sweep]\nchurn = [{ model = \"none\" }]\n";
    assert_eq!(read(whole, &["churn={ model = \"none\" }"]).varied, Vec::<String>::new());
    let report = parse(whole, &["churn.graceful=5%"]).unwrap_err();
    let told = "--set churn.graceful=5%: churn: the sweep replaces the whole of `churn`, so that this \
                would be lost: give `churn` itself, or change the sweep";
    assert_eq!(report.to_string(), told);
}

#[test]
fn points_with_the_same_effective_scenario_are_the_same_run() {
    let scenarios = read("[sweep]\n\"dns.ttl\" = [\"60s\", \"1m\"]\n", &[]);
    let [one, other] = &scenarios.points[..] else { panic!("two points") };
    assert_eq!(one.scenario.identity(), other.scenario.identity());
    let renamed = read("", &["name=y", "seed=3", "replications=9", "description=z"]);
    assert_eq!(renamed.points[0].scenario.identity(), one.scenario.identity());
    let other = read("", &["dns.ttl=61s"]);
    assert_ne!(other.points[0].scenario.identity(), one.scenario.identity());
}

#[test]
fn replications_stand_at_the_top_or_in_the_sweep_and_an_argument_changes_them() {
    let of = |sweep: &str, overrides: &[&str]| {
        read(sweep, overrides).points[0].scenario.plan.replications.clone()
    };
    assert_eq!(of("[sweep]\nreplications = 7\n", &[]), Replications::Number(7));
    assert_eq!(of("[sweep]\nreplications = 7\n", &["replications=3"]), Replications::Number(3));
    let until = Replications::Until(Precision {
        metric: "stale_share".into(),
        until: 0.02,
        at_least: 10,
        at_most: 200,
    });
    let written = "[sweep]\nreplications = { until = \"2%\", at_most = 200 }\n";
    assert_eq!(of(written, &[]), until);
    let effective = read(written, &[]).points[0].scenario.effective();
    let again = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]).unwrap();
    assert_eq!(again.plan.replications, until);
}

#[test]
fn a_sweep_that_gives_no_points_is_told_where_and_why() {
    for (sweep, told) in [
        (
            "[sweep]\n\"dns.tll\" = [\"5s\"]\n",
            "x.toml:9:1: dns.tll: unknown key `tll`; did you mean `ttl`?",
        ),
        (
            "[sweep]\n\"dns.ttl\" = []\n",
            "x.toml:9:13: sweep.dns.ttl: the list is empty: a sweep needs at least one value",
        ),
        (
            "[sweep]\n\"dns.ttl\" = \"5s\"\n",
            "x.toml:9:13: sweep.dns.ttl: expected a list of the values to go through, found \"5s\"; write [\"5s\", …]",
        ),
        (
            "[sweep]\n",
            "x.toml:8:1: sweep: the sweep varies nothing: give a key a list of values, such as \"dns.ttl\" = [\"5s\", \"60s\"], or list points under [[sweep.point]]",
        ),
        (
            "[sweep]\nseed = [1, 2]\n",
            "x.toml:9:1: sweep.seed: `seed` cannot be varied: all points of a study share it",
        ),
        (
            "[sweep]\n\"dns.ttl\" = [\"5s\", \"5\", \"5s\"]\n",
            "x.toml:9:25: sweep.dns.ttl: the value `5s` is named twice; the first is number 0",
        ),
        (
            "[sweep]\n\"dns.ttl\" = [\"5s\", \"5\"]\n",
            "x.toml:9:20: dns.ttl: 5 has no unit: write \"5s\"",
        ),
        (
            "[sweep]\n\"dns.ttl\" = [\"5s\"]\n[[sweep.point]]\ndns.ttl = \"6s\"\n",
            "x.toml:11:5: sweep.point.0.dns.ttl: `dns.ttl` stands in the grid as well: a point has one value for it",
        ),
        (
            "[[sweep.point]]\nname = \"a\"\n[[sweep.point]]\nname = \"a\"\n",
            "x.toml:11:8: sweep.point.1.name: the point `a` is named twice; the first is number 0",
        ),
        (
            "[sweep]\n\"dns.resolver.3.count\" = [1]\n",
            "x.toml:9:1: dns.resolver: `3` is no element of a list of 1; they are counted from 0",
        ),
        (
            "[sweep]\n\"overlay.nodes\" = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n\"dns.ttl\" = [\"1s\", \"2s\", \"3s\", \"4s\", \"5s\", \"6s\", \"7s\", \"8s\", \"9s\", \"10s\"]\n\
             \"dns.negative_ttl\" = [\"1s\", \"2s\", \"3s\", \"4s\", \"5s\", \"6s\", \"7s\", \"8s\", \"9s\", \"10s\"]\n\
             \"handover.probe_interval\" = [\"1s\", \"2s\", \"3s\", \"4s\", \"5s\", \"6s\", \"7s\", \"8s\", \"9s\", \"10s\"]\n\
             \"handover.probe_timeout\" = [\"1s\", \"2s\", \"3s\", \"4s\", \"5s\", \"6s\", \"7s\", \"8s\", \"9s\", \"10s\"]\n\
             \"overlay.chord.successors\" = [2, 3]\n",
            "x.toml:8:1: sweep: the sweep has more than 100000 points",
        ),
        (
            "[sweep]\nreplications = { until = \"2%\", at_most = 5 }\n",
            "x.toml:9:42: replications.at_most: 5 must not be below `at_least`, which is 10",
        ),
        (
            "[sweep]\nreplications = { until = \"2%\", at_most = 50, metric = \"stale_shar\" }\n",
            "x.toml:9:55: replications.metric: there is no metric `stale_shar`; did you mean `stale_share`?",
        ),
    ] {
        let report = parse(sweep, &[]).expect_err(sweep);
        assert_eq!(report.to_string(), told, "{sweep}");
    }
    let number = format!("sweep = 3\n{HEAD}");
    let report = Scenarios::parse("x.toml", number.as_bytes(), Path::new(""), &[]).unwrap_err();
    assert_eq!(report.to_string(), "x.toml:1:9: sweep: expected a table, found an integer");
    let twice = format!("replications = 2\n{HEAD}[sweep]\nreplications = 3\n");
    let report = Scenarios::parse("x.toml", twice.as_bytes(), Path::new(""), &[]).unwrap_err();
    let told = "x.toml:10:1: sweep.replications: `sweep.replications` and `replications` exclude each other";
    assert_eq!(report.to_string(), told);
}

/// The key that is wrong does not stand in the sweep: the point is named that it is wrong at.
#[test]
fn what_is_wrong_at_one_point_alone_names_the_point() {
    let report = parse("[sweep]\nduration = [\"1h\", \"5m\", \"6m\"]\n", &[]).unwrap_err();
    let told = "x.toml:2:10: warmup: 10m must be shorter than `duration`, which is 300s (at the point duration = 5m)";
    assert!(report.to_string().starts_with(told), "{report}");
    // At all points alike: told once, without a point.
    let report = parse("[sweep]\nduration = [\"1h\", \"2h\"]\n", &["dns.ttl=0.5s"]).unwrap_err();
    let told = "--set dns.ttl=0.5s: dns.ttl: it counts whole seconds, at most 2147483647";
    assert_eq!(report.to_string(), told);
}

#[test]
fn what_takes_one_scenario_refuses_several_points() {
    let text = format!("{HEAD}[sweep]\n\"dns.ttl\" = [\"5s\", \"60s\"]\n");
    let report = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).unwrap_err();
    assert!(report.to_string().ends_with("the sweep has 2 points, and this takes a single one"));
}
