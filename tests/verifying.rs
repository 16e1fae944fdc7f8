//! `verify` as a user types it: what is printed, and that nothing is written.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use tempfile::TempDir;

use command::overcord;

/// Eight nodes for ten minutes.
const TINY: &str = r#"
name = "tiny"
seed = 1
duration = "10m"
warmup = "1m"
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
"#;

/// Of all hosts at the same distance, with periods that are multiples of each other: full of ties.
const TIES: &str = "[network]\nlatency = { model = \"constant\", value = \"25ms\" }\n";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), TINY).unwrap();
    fs::write(folder.path().join("b.toml"), format!("{TINY}{TIES}")).unwrap();
    let sweep = "[sweep]\n\"dns.ttl\" = [\"5s\", \"60s\"]\n";
    fs::write(folder.path().join("sweep.toml"), format!("{TINY}{sweep}")).unwrap();
    folder
}

#[test]
fn matching_fingerprints_are_printed_and_nothing_is_written() {
    let folder = folder();
    let (code, out, err) = overcord(folder.path(), &["verify", "a.toml", "--replications", "2"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "no progress where no terminal is: {out}");
    assert!(out.starts_with("tiny: 2 runs\nrepeated on "), "{out}");
    assert!(
        out.contains(": the same, in fingerprints and in every row (fingerprint of all"),
        "{out}"
    );
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "only the scenarios are there");
    // What it prints does not depend on threads.
    let more = overcord(folder.path(), &["verify", "a.toml", "--replications", "2", "-j", "3"]);
    let same = |text: &str| text.split_once("threads").unwrap().1.to_owned();
    assert_eq!(same(&more.1), same(&out));
}

#[test]
fn the_fingerprint_is_that_of_the_run() {
    let folder = folder();
    let (_, out, _) = overcord(folder.path(), &["verify", "a.toml"]);
    let (code, ..) = overcord(folder.path(), &["run", "a.toml"]);
    assert_eq!(code, Some(0));
    let results = folder.path().join("results/tiny");
    let id = fs::read_to_string(results.join("latest")).unwrap();
    let runs = fs::read_to_string(results.join(id.trim()).join("runs.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(runs.as_bytes());
    let column = rows.headers().unwrap().iter().position(|it| it == "fingerprint").unwrap();
    let fingerprint = rows.records().next().unwrap().unwrap()[column].to_owned();
    assert!(out.contains(&format!("(fingerprint {fingerprint})")), "{fingerprint}: {out}");
}

#[test]
fn several_files_and_points_are_verified_each_by_itself() {
    let folder = folder();
    let (code, out, err) = overcord(folder.path(), &["verify", "sweep.toml", "b.toml"]);
    assert!(matches!(code, Some(0 | 3)) && err.is_empty(), "{code:?}: {out}{err}");
    for title in ["tiny, point 0 (dns.ttl = 5s): 1 run\n", "tiny, point 1 (dns.ttl = 60s): 1 run\n"]
    {
        assert!(out.contains(title), "{title}: {out}");
    }
    assert!(out.contains("\n\ntiny: 1 run\n"), "{out}");
    assert_eq!(out.matches("the same, in fingerprints and in every row").count(), 3, "{out}");
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_simulated() {
    let folder = folder();
    let (code, out, err) = overcord(folder.path(), &["verify", "a.toml", "missing.toml"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("cannot read missing.toml"), "{err}");
    let (code, out, err) = overcord(folder.path(), &["verify", "a.toml", "--replications", "300"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("1,200 runs") && err.contains("--yes"), "{err}");
    let (code, _, err) = overcord(folder.path(), &["verify", "a.toml", "--jobs", "1"]);
    assert_eq!(code, Some(2), "{err}");
}
