//! Whole runs: determinism and closed forms.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use overcord::churn::TraceStats;
use overcord::churn::trace::{self, AvailabilityTrace, TraceFormat};
use overcord::experiment::Simulator;
use overcord::metrics::tables::{HandoverRow, RunOutput, StaleRow};
use overcord::scenario::Scenario;
use overcord::time::SimDuration;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// A scenario of the repository, with assignments.
fn shipped(file: &str, assignments: &[&str]) -> (Scenario, Option<AvailabilityTrace>) {
    let bytes = fs::read(folder().join(file)).unwrap();
    read(file, &bytes, assignments)
}

fn read(name: &str, bytes: &[u8], assignments: &[&str]) -> (Scenario, Option<AvailabilityTrace>) {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let scenario = Scenario::parse(name, bytes, &folder(), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    let trace = scenario.trace().map(|plan| {
        let bytes = fs::read(&plan.path).unwrap();
        trace::parse(&bytes, TraceFormat::Avt).unwrap()
    });
    match &trace {
        None => (scenario, None),
        Some(recorded) => (scenario.with_trace_span(recorded.span).unwrap(), trace),
    }
}

/// All replications of a scenario, judged.
fn run((scenario, trace): (Scenario, Option<AvailabilityTrace>)) -> Vec<RunOutput> {
    let replications = scenario.plan.replications.most();
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, trace.map(Arc::new), true);
    (0..replications)
        .map(|index| simulator.run(index, seed + u64::from(index), None, &mut |_| {}).unwrap())
        .collect()
}

fn run_one(text: &str) -> RunOutput {
    run(read("test.toml", text.as_bytes(), &[])).remove(0)
}

/// Thirty nodes under churn, with loss and jitter, so that every kind of draw is made.
const HEAD: &str = r#"
name = "small"
seed = 7
duration = "3h"
warmup = "10m"
[network]
latency = { model = "lognormal", median = "40ms", sigma = 0.5 }
jitter = "10%"
loss = "1%"
[dns]
domain = "chord.dyndns.org"
[dyndns]
[overlay]
nodes = 30
resolver = "isp"
[churn]
model = "weibull"
shape = 0.6
session_mean = "10m"
downtime_mean = "10m"
[handover]
strategy = "dyndns"
"#;
const ISP: &str = "[[dns.resolver]]\nname = \"isp\"\ncount = 3\n";
const CAMPUS: &str = "[[dns.resolver]]\nname = \"campus\"\ncount = 1\nprofile = \"unbound\"\n";
const FIRST: &str = r#"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
resolver = "isp"
users = 1
lookups = { model = "poisson", rate = "0.1/s" }
"#;
const SECOND: &str = r#"
[[caller]]
domain = "sip.example.net"
resolver = "campus"
users = 1
lookups = { model = "periodic", interval = "20s" }
"#;

fn small(parts: &[&str]) -> String {
    let mut text = HEAD.to_owned();
    for part in parts {
        text.push_str(part);
    }
    text
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let text = small(&[ISP, CAMPUS, FIRST, SECOND]);
    let (first, again) = (run_one(&text), run_one(&text));
    assert_eq!(first, again);
    assert!(first.headline.value("departures").unwrap() > 5.0, "{:?}", first.headline);
    let other = run_one(&text.replace("seed = 7", "seed = 8"));
    assert_ne!(first.fingerprint, other.fingerprint);
    assert_ne!(first.handovers, other.handovers);
}

#[test]
fn the_order_of_declaration_changes_nothing() {
    let one = run_one(&small(&[ISP, CAMPUS, FIRST, SECOND]));
    let other = run_one(&small(&[CAMPUS, ISP, SECOND, FIRST]));
    assert_eq!(one.fingerprint, other.fingerprint);
    assert_eq!(one.handovers, other.handovers);
}

#[test]
fn a_bystander_changes_nothing_for_the_others() {
    let alone = run_one(&small(&[ISP, CAMPUS, FIRST, SECOND]));
    // Its names come first in the order of names, so that every rank moves.
    let bystander = "[[dns.resolver]]\nname = \"aaa\"\ncount = 1\n[[caller]]\ndomain = \"aaa.example\"\n\
                     resolver = \"aaa\"\nlookups = { model = \"poisson\", rate = \"1/s\" }\n";
    let beside = run_one(&small(&[ISP, CAMPUS, FIRST, SECOND, bystander]));
    assert_ne!(alone.fingerprint, beside.fingerprint, "the bystander is part of the run");
    let mine = |row: &&HandoverRow| row.caller != "aaa.example";
    let before: Vec<&HandoverRow> = alone.handovers.iter().collect();
    let after: Vec<&HandoverRow> = beside.handovers.iter().filter(mine).collect();
    assert_eq!(before, after);
    let windows = |rows: &[StaleRow]| {
        let mine = rows.iter().filter(|row| row.resolver != "aaa-1");
        mine.map(|row| (row.resolver.clone(), row.window)).collect::<Vec<_>>()
    };
    let shared = |output: &RunOutput| {
        let mut windows = windows(&output.stale);
        windows.retain(|(resolver, _)| !resolver.starts_with("aaa"));
        windows
    };
    assert_eq!(shared(&alone), shared(&beside));
}

#[test]
fn every_strategy_and_reading_runs_clean_and_the_bounds_are_bounds() {
    let text = small(&[ISP, CAMPUS, FIRST, SECOND]);
    let of = |from: &str, to: &str| run_one(&text.replace(from, to));
    let strategy = "strategy = \"dyndns\"";
    let stale = |output: &RunOutput| output.headline.value("stale_share").unwrap();
    let dyndns = of("", "");
    let oracle = of(strategy, "strategy = \"oracle\"");
    let clairvoyant = of(strategy, "strategy = \"clairvoyant\"");
    let fixed = of(strategy, "strategy = \"static\"");
    let literal = of(strategy, "strategy = \"dyndns\"\nreading = \"literal\"");
    assert!(stale(&oracle) < stale(&dyndns), "{} {}", stale(&oracle), stale(&dyndns));
    assert!(stale(&clairvoyant) < 0.1 * stale(&oracle), "{}", stale(&clairvoyant));
    // Nobody takes over from the fixed proxy peer: it is away half of the time.
    assert!(stale(&fixed) > 0.2, "{}", stale(&fixed));
    for output in [&dyndns, &oracle, &fixed, &literal] {
        assert!(!output.handovers.is_empty());
    }
    assert!(fixed.handovers.iter().all(|row| row.claimants == 0));
    assert!(oracle.handovers.iter().all(|row| row.anatomy.detect == SimDuration::ZERO));
    // By the letter, who finds the host unreachable takes the name and does not listen.
    assert!(stale(&literal) > stale(&dyndns), "{} {}", stale(&literal), stale(&dyndns));
}

/// λT / (1 + λT) · T / 2, and λ times that.
#[test]
fn the_stale_window_follows_its_closed_form() {
    for (rate, window, answers) in [("1/10s", 25.714, 2.571), ("1/60s", 15.0, 0.25)] {
        let rate = format!("caller.0.lookups.rate={rate}");
        let output = run(shipped("theory-stale.toml", &[&rate])).remove(0);
        let windows: Vec<f64> = output.stale.iter().map(|row| row.window.as_secs_f64()).collect();
        let given: Vec<f64> = output.stale.iter().map(|row| row.stale_answers as f64).collect();
        assert!(output.headline.value("departures").unwrap() >= 2_000.0);
        for (values, expected) in [(windows, window), (given, answers)] {
            let (mean, error) = mean_and_error(&values);
            let deviation = (mean - expected) / error;
            assert!(deviation.abs() < 3.0, "{mean} is {deviation} errors from {expected}");
        }
    }
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// The reference is two independent Monte Carlo models; 5 % and three standard errors of the few
/// replications here are allowed.
#[test]
fn a_crash_of_the_proxy_peer_raises_the_storm_that_was_computed() {
    let table = [
        ("40s", "\"each\"", 28.8),
        ("40s", "1", 37.6),
        ("120s", "\"each\"", 3.3),
        ("120s", "1", 15.5),
    ];
    for (interval, resolvers, expected) in table {
        let interval = format!("handover.probe_interval={interval}");
        let resolvers = format!("dns.resolver.0.count={resolvers}");
        let outputs = run(shipped("claim-storm.toml", &[&interval, &resolvers, "replications=60"]));
        let claimants: Vec<f64> =
            outputs.iter().map(|it| it.headline.value("claimants.mean").unwrap()).collect();
        let (mean, error) = mean_and_error(&claimants);
        let allowed = 0.05 * expected + 3.0 * error;
        assert!((mean - expected).abs() < allowed, "{interval} {resolvers}: {mean} ± {error}");
    }
}

#[test]
fn a_replayed_trace_has_the_leaves_that_its_statistics_count() {
    let (scenario, trace) = shipped("trace.toml", &[]);
    let stats = TraceStats::of(trace.as_ref().unwrap());
    let output = run((scenario, trace)).remove(0);
    assert_eq!(output.headline.value("leaves"), Some(stats.leaves as f64));
    assert!(output.headline.value("departures") > Some(0.0), "the shipped trace shows handovers");
}

#[test]
fn the_log_of_a_host_shows_what_it_sends_and_receives() {
    let (scenario, _) = read(
        "test.toml",
        small(&[ISP, CAMPUS, FIRST, SECOND]).as_bytes(),
        &["duration=20m", "warmup=0s"],
    );
    let simulator = Simulator::new(scenario.plan, None, false);
    let mut lines = Vec::new();
    let quiet = simulator.run(0, 7, None, &mut |_| {}).unwrap();
    let logged =
        simulator.run(0, 7, Some("isp-1"), &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(quiet, logged, "watching changes nothing");
    assert!(lines.len() > 20);
    assert!(lines.iter().all(|line| line.contains("isp-1")), "{:?}", lines.first());
    assert!(simulator.world(7, Some("nobody")).is_err());
}

/// Several worlds at once do not disturb each other.
#[test]
fn runs_on_several_threads_are_the_runs_on_one() {
    let (scenario, _) =
        read("test.toml", small(&[ISP, CAMPUS, FIRST, SECOND]).as_bytes(), &["duration=1h"]);
    let simulator = Arc::new(Simulator::new(scenario.plan, None, false));
    let alone: Vec<RunOutput> =
        (0..4).map(|seed| simulator.run(0, seed, None, &mut |_| {}).unwrap()).collect();
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            let simulator = Arc::clone(&simulator);
            std::thread::spawn(move || simulator.run(0, seed, None, &mut |_| {}).unwrap())
        })
        .collect();
    let together: Vec<RunOutput> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    assert_eq!(alone, together);
}
