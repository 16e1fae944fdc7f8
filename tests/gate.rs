//! `gate` as a CI job uses it: the scenarios of the repository against their baselines, and every
//! verdict with its exit code and in every form.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use quick_xml::Reader;
use quick_xml::events::Event;
use tempfile::TempDir;

use command::overcord;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A path in a folder as an argument.
fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The names of the files in a folder that end so, without that end.
fn stems(folder: PathBuf, end: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    names.filter_map(|it| Some(it.to_str().unwrap().strip_suffix(end)?.to_owned())).collect()
}

/// `tests`, `failures` and `errors` of a JUnit file, and the messages of what did not pass.
fn junit(xml: &str) -> ([usize; 3], Vec<String>) {
    let mut reader = Reader::from_str(xml);
    let (mut counts, mut messages) = ([0; 3], Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let attribute = |key: &str| {
                    let found = start.try_get_attribute(key).unwrap().unwrap();
                    let version = quick_xml::XmlVersion::Implicit1_0;
                    found.normalized_value(version).unwrap().into_owned()
                };
                match start.name().as_ref() {
                    "testsuites" => {
                        counts = ["tests", "failures", "errors"]
                            .map(|key| attribute(key).parse().unwrap());
                    }
                    "failure" | "error" => messages.push(attribute("message")),
                    _ => {}
                }
            }
            Event::Eof => return (counts, messages),
            _ => {}
        }
    }
}

/// The scenarios that take no time; `.ci/run` gates all.
const QUICK: [&str; 3] =
    ["scenarios/paper.toml", "scenarios/trace.toml", "scenarios/theory-stale.toml"];

/// Exactly, since simulated time carries no noise. Where this fails and the new numbers are right:
/// `overcord gate scenarios/*.toml --bless`.
#[test]
fn the_quick_scenarios_keep_their_budgets_and_give_their_baselines() {
    let folder = TempDir::new().unwrap();
    let (out, xml) = (path(&folder, "out"), path(&folder, "gate.xml"));
    let more = ["--checkers", "--out", &out, "--junit", &xml];
    let (code, told, err) = overcord(root(), &[&["gate"], &QUICK[..], &more].concat());
    assert_eq!((code, err.as_str()), (Some(0), ""), "{told}");
    let ([tests, failures, errors], _) = junit(&read(&folder, "gate.xml"));
    assert!(tests > QUICK.len(), "budgets as well as baselines");
    assert_eq!((failures, errors), (0, 0));
}

#[test]
fn every_scenario_has_a_baseline_and_every_baseline_a_scenario() {
    let scenarios = stems(root().join("scenarios"), ".toml");
    assert_eq!(stems(root().join("results/baselines"), ".csv"), scenarios);
    assert!(scenarios.len() >= 5);
    // The file is named after the scenario.
    for scenario in scenarios {
        let file = root().join("scenarios").join(format!("{scenario}.toml"));
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("\nname = \"{scenario}\"\n")), "{scenario}");
    }
}

#[test]
fn a_second_more_of_ttl_fails_and_every_form_names_metric_old_and_new_value() {
    let folder = TempDir::new().unwrap();
    let (out, xml, md) =
        (path(&folder, "out"), path(&folder, "gate.xml"), path(&folder, "gate.md"));
    let gate = ["gate", "scenarios/theory-stale.toml", "--set", "dns.ttl=61s"];
    let more = ["--out", &out, "--junit", &xml, "--markdown", &md];
    let (code, told, err) = overcord(root(), &[&gate[..], &more].concat());
    assert_eq!((code, err.as_str()), (Some(1), ""));
    let baseline = fs::read_to_string(root().join("results/baselines/theory-stale.csv")).unwrap();
    let mut lines = baseline.lines().map(|line| line.split(','));
    let mut columns = lines.next().unwrap().zip(lines.next().unwrap());
    let (metric, old) = columns.find(|(name, _)| *name == "stale_window.mean").unwrap();
    // The mean grows as λT / (1 + λT) · T / 2 does: 26.21 s at 61 s, by 1.9 %.
    let new = told.lines().find(|line| line.trim().starts_with(metric)).unwrap();
    let new = new.split("-> ").nth(1).unwrap().split(' ').next().unwrap();
    assert!((new.parse::<f64>().unwrap() - 26.21).abs() < 1.0, "{new}");
    assert_ne!(old, new);
    let (_, messages) = junit(&read(&folder, "gate.xml"));
    assert!(messages.iter().any(|it| it.contains("differ from the baseline")), "{messages:?}");
    for name in ["gate.xml", "gate.md"] {
        let text = read(&folder, name);
        let names = |line: &str| line.contains(metric) && line.contains(old) && line.contains(new);
        assert!(text.lines().any(names), "{name}: {text}");
    }
    // No entry outlives its TTL by a second: a budget says so.
    assert!(messages.iter().any(|it| it.contains("stale_window.max")), "{messages:?}");
}

#[test]
fn a_budget_within_the_interval_is_inconclusive() {
    let folder = TempDir::new().unwrap();
    let (out, baselines) = (path(&folder, "out"), path(&folder, "baselines"));
    let xml = path(&folder, "gate.xml");
    let gate = |budget: &str, more: &[&str]| {
        let gate =
            ["gate", "scenarios/theory-stale.toml", "--replications", "5", "--budget", budget];
        let folders = ["--out", &out, "--baselines", &baselines, "--junit", &xml];
        overcord(root(), &[&gate[..], &folders, more].concat())
    };
    let (code, _, err) = gate("stale_window.mean <= 100s", &["--bless"]);
    let told = "overcord: theory-stale: the baseline holds with replications=5 alone\n";
    assert_eq!((code, err.as_str()), (Some(0), told));
    // The mean itself, to the nanosecond, lies in its interval.
    let baseline = read(&folder, "baselines/theory-stale.csv");
    let (header, row) = baseline.split_once('\n').unwrap();
    let place = header.split(',').position(|name| name == "stale_window.mean").unwrap();
    let mean = row.split(',').nth(place).unwrap();
    let (code, told, _) =
        gate(&format!("stale_window.mean <= {:.9}s", mean.parse::<f64>().unwrap()), &[]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.starts_with("theory-stale: inconclusive, 5 runs; "), "{told}");
    let (counts, messages) = junit(&read(&folder, "gate.xml"));
    assert_eq!((counts[1], counts[2]), (0, 1));
    assert!(messages[0].contains("lies on both sides of the limit <= "), "{messages:?}");
    // A broken budget beside it decides.
    let (code, ..) = gate("stale_window.mean <= 1s", &["--budget", "departures >= 1"]);
    assert_eq!(code, Some(1));
}

/// Eight nodes for twenty minutes, with two TTLs.
const TINY: &str = r#"
name = "tiny"
seed = 1
duration = "20m"
warmup = "2m"
replications = 2
[dns]
ttl = "30s"
[[dns.resolver]]
name = "isp"
count = 2
[dyndns]
[overlay]
nodes = 8
[churn]
session_mean = "10m"
downtime_mean = "5m"
[handover]
probe_interval = "20s"
[[caller]]
domain = "a.example"
lookups = { interval = "10s" }
[sweep]
"dns.ttl" = ["30s", "5s"]
[budget]
"stale_window.max" = { limit = "<= 5m", column = "max", at = { "dns.ttl" = "5s" } }
stale_share = { limit = "<= 100%", column = "max" }
"#;

fn tiny() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), TINY).unwrap();
    folder
}

#[test]
fn a_baseline_is_blessed_then_held_to_and_told_by_point() {
    let folder = tiny();
    let gate = |more: &[&str]| overcord(folder.path(), &[&["gate", "a.toml"], more].concat());
    let (code, told, err) = gate(&[]);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    assert!(
        told.contains(
            "there is no baseline results/baselines/tiny.csv: look at the results, and if they are \
             right, write it with --bless"
        ),
        "{told}"
    );
    let (code, told, err) = gate(&["--bless"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(told.starts_with("tiny: passed, 4 runs; budget 3 kept; baseline blessed\n"), "{told}");
    let blessed = read(&folder, "results/baselines/tiny.csv");
    assert_eq!(blessed.lines().count(), 3);
    assert!(blessed.starts_with("point,dns.ttl,runs,fingerprint,leaves,"), "{blessed}");
    let (code, told, _) = gate(&[]);
    assert_eq!(code, Some(0));
    assert!(told.starts_with("tiny: passed, 4 runs; budget 3 kept; baseline 2 same\n"), "{told}");
    // One point more: the others are as they were.
    let more = TINY.replace("\"30s\", \"5s\"", "\"30s\", \"10s\", \"5s\"");
    fs::write(folder.path().join("a.toml"), more).unwrap();
    let (code, told, _) = gate(&[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("baseline 2 same, 1 new\n"), "{told}");
    fs::write(folder.path().join("a.toml"), TINY).unwrap();
    // Another seed: other numbers at all of them.
    let (code, told, _) = gate(&["--seed", "7"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("baseline 2 differs\n"), "{told}");
    // Blessing what is there changes no byte.
    assert_eq!(gate(&["--bless"]).0, Some(0));
    assert_eq!(read(&folder, "results/baselines/tiny.csv"), blessed);
}

#[test]
fn a_damaged_baseline_is_told_with_its_place_before_anything_is_simulated() {
    let folder = tiny();
    let gate = ["gate", "a.toml", "--out", "out"];
    fs::create_dir_all(folder.path().join("results/baselines")).unwrap();
    let file = folder.path().join("results/baselines/tiny.csv");
    fs::write(&file, "point,dns.ttl,runs,fingerprint,leaves\n0,30s,two,0,1\n").unwrap();
    let (code, out, err) = overcord(folder.path(), &gate);
    let told = "overcord: results/baselines/tiny.csv:2:7: runs: expected a number above zero, found \
                `two`\n";
    assert_eq!((code, out.as_str(), err.as_str()), (Some(2), "", told));
    assert!(!folder.path().join("out").exists());
    // It can be blessed away.
    assert_eq!(overcord(folder.path(), &[&gate[..], &["--bless"]].concat()).0, Some(0));
    assert_eq!(overcord(folder.path(), &gate).0, Some(0));
    let text = read(&folder, "results/baselines/tiny.csv");
    fs::write(&file, &text[..text.len() - 5]).unwrap();
    let (code, _, err) = overcord(folder.path(), &gate);
    assert_eq!(code, Some(2));
    assert!(err.ends_with(": the last line is cut off: it has no line end\n"), "{err}");
}

#[test]
fn wrong_usage_is_told() {
    let folder = tiny();
    fs::write(folder.path().join("b.toml"), TINY).unwrap();
    fs::write(folder.path().join("c.toml"), TINY.replace("stale_share", "stale_shar")).unwrap();
    for (arguments, told) in [
        (
            &["a.toml", "b.toml"][..],
            "overcord: a.toml and b.toml are both called `tiny`: they would have one baseline, \
             results/baselines/tiny.csv; judge them apart, with --baselines for one of them\n",
        ),
        (
            &["a.toml", "--budget", "outage.p95 <= 5%"],
            "--budget:1:12: expected a duration, such as \"<= 120s\", found `5%`: ",
        ),
        (
            &["c.toml"],
            "c.toml:27:1: budget.stale_shar: there is no metric `stale_shar`; did you mean `stale_share`?",
        ),
        (
            &["a.toml", "--set", "budget.stale_share=5s"],
            "--set budget.stale_share=5s: budget.stale_share: expected `<=`, ",
        ),
        (&["none.toml"], "overcord: cannot read none.toml: "),
    ] {
        let (code, out, err) = overcord(folder.path(), &[&["gate"], arguments].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.starts_with(told), "{err}");
    }
    assert!(!folder.path().join("results").exists(), "nothing was simulated");
}

#[test]
fn the_files_have_the_same_bytes_on_any_number_of_threads() {
    let folder = tiny();
    let gate = |jobs: &str| {
        let gate = ["gate", "a.toml", "--jobs", jobs, "--out", jobs, "--budget", "departures == 0"];
        let names = ["xml", "md", "json"].map(|end| format!("{jobs}.{end}"));
        let [xml, md, json] = names.each_ref().map(String::as_str);
        let files = ["--junit", xml, "--markdown", md, "--tracker", json];
        let (code, told, _) = overcord(folder.path(), &[&gate[..], &files].concat());
        assert_eq!(code, Some(1), "no baseline, and departures");
        (told, names.map(|name| read(&folder, &name)))
    };
    let (one, four) = (gate("1"), gate("4"));
    assert_eq!(one, four);
    let (_, [xml, md, json]) = one;
    // Three budgets of the file, that of the command line at two points, the missing baseline.
    assert_eq!(junit(&xml).0, [6, 3, 0]);
    assert!(md.starts_with("### overcord gate: failed\n"), "{md}");
    let entries: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<_> =
        entries.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"tiny/dns.ttl = 5s/stale_share"), "{names:?}");
    assert!(entries[0]["value"].is_number() && entries[0]["unit"].is_string());
}

#[test]
fn markdown_is_appended_to_the_summary_of_a_job_printed_or_written_anew() {
    let folder = tiny();
    let bless = ["gate", "a.toml", "--bless"];
    assert_eq!(overcord(folder.path(), &bless).0, Some(0));
    let gate = |target: &str| {
        let mut command = Command::cargo_bin("overcord").unwrap();
        let summary = folder.path().join("summary.md");
        command.current_dir(folder.path()).env("GITHUB_STEP_SUMMARY", &summary);
        let output = command.args(["gate", "a.toml", "--markdown", target]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    fs::write(folder.path().join("summary.md"), "before\n").unwrap();
    let summary = path(&folder, "summary.md");
    let printed = gate("-");
    assert!(printed.starts_with("### overcord gate: passed\n"), "{printed}");
    assert!(gate(&summary).starts_with("tiny: passed"));
    gate(&summary);
    assert_eq!(read(&folder, "summary.md"), format!("before\n{printed}{printed}"));
    fs::write(folder.path().join("own.md"), "before\n").unwrap();
    gate("own.md");
    assert_eq!(read(&folder, "own.md"), printed);
}

#[test]
fn a_story_that_does_not_come_about_fails_and_is_never_blessed() {
    let folder = TempDir::new().unwrap();
    let (out, baselines) = (path(&folder, "out"), path(&folder, "baselines"));
    let set = ["--set", "story.exchange.3.status=404"];
    let gate =
        ["gate", "scenarios/paper.toml", "--out", &out, "--baselines", &baselines, "--bless"];
    let (code, told, err) = overcord(root(), &[&gate[..], &set].concat());
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(err, "overcord: paper: the story is not whole, so the baseline stays as it is\n");
    assert!(told.contains("\n  failed        complaint 1\n"), "{told}");
    assert!(!folder.path().join("baselines").exists());
}
