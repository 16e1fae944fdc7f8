//! Studies as a user types them: sweeps, shards, what is kept and what is not, and all that may be
//! wrong with a folder of results.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use overcord::experiment::ENGINE;
use tempfile::TempDir;

use command::overcord;
use written::{Files, assert_same, files};

/// Two points of three runs: eight nodes for ten minutes.
const TINY: &str = r#"
name = "tiny"
seed = 1
duration = "10m"
warmup = "2m"
[dns]
ttl = "30s"
[[dns.resolver]]
name = "isp"
count = 2
[dyndns]
[overlay]
nodes = 8
[churn]
session_mean = "5m"
downtime_mean = "5m"
[handover]
probe_interval = "20s"
[[caller]]
domain = "a.example"
lookups = { interval = "10s" }
[sweep]
"dns.ttl" = ["5s", "60s"]
replications = 3
"#;

/// A folder with `a.toml`, which holds [`TINY`].
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("a.toml"), TINY).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command, which says nothing on standard error and exits with 0.
    fn well(&self, arguments: &[&str]) -> String {
        let (code, out, err) = overcord(self.path(), arguments);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{arguments:?}");
        out
    }

    /// Runs a command, which says nothing on standard output; gives exit code and standard error.
    fn ill(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let (code, out, err) = overcord(self.path(), arguments);
        assert_eq!(out, "", "{arguments:?} {err}");
        (code, err)
    }

    /// All files below a folder of results with their contents, but the manifests.
    fn files(&self, results: &str) -> Files {
        files(&self.path().join(results))
    }

    /// The folder in which this version of the program keeps its runs.
    fn cells(&self, results: &str) -> PathBuf {
        self.path().join(results).join("tiny/cells").join(&ENGINE[..12])
    }

    /// The file in which a run of the latest study is kept.
    fn cell(&self, results: &str, run: usize) -> PathBuf {
        let folder = self.path().join(results).join("tiny");
        let id = fs::read_to_string(folder.join("latest")).unwrap();
        let manifest = fs::read_to_string(folder.join(id.trim()).join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let cell = manifest["cells"][run]["cell"].as_str().unwrap();
        self.cells(results).join(format!("{cell}.csv"))
    }
}

/// Changes a file of text.
fn edit(path: &Path, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(path).unwrap();
    let changed = change(&text);
    assert!(changed != text, "{} stays as it is", path.display());
    fs::write(path, changed).unwrap();
}

#[test]
fn jobs_shards_and_repeats_give_the_same_bytes() {
    let place = Place::new();
    let run = |arguments: &[&str]| place.well(&[&["run", "a.toml"], arguments].concat());
    let one = run(&["--jobs", "1", "--out", "one"]);
    assert!(one.starts_with("tiny: 6 runs at 2 points\n"), "{one}");
    let expected = place.files("one");
    run(&["--jobs", "2", "--out", "two"]);
    assert_same(&place.files("two"), &expected);

    // Two shards on two machines, and one that has both folders.
    let shard = run(&["--shard", "1/2", "--out", "left"]);
    let told = "tiny: shard 1/2: 3 of 3 runs are kept, 6 in all shards; `merge` makes the tables\n";
    assert_eq!(shard, told);
    run(&["--shard", "2/2", "--out", "right"]);
    assert!(!place.path().join("left/tiny/latest").exists(), "a shard writes no tables");
    let merge = ["merge", "a.toml", "--from", "left", "--from", "right", "--out", "merged"];
    let merged = place.well(&merge);
    assert_same(&place.files("merged"), &expected);
    assert_eq!(merged.replace("merged/", "one/").replace(", 6 of them kept from before", ""), one);

    // One folder that three shards share; its tables by `run`, which has nothing left to simulate.
    for shard in ["2/3", "3/3", "1/3"] {
        run(&["--shard", shard, "--out", "shared"]);
    }
    let whole = run(&["--out", "shared"]);
    assert!(whole.starts_with("tiny: 6 runs at 2 points, 6 of them kept from before\n"), "{whole}");
    assert_same(&place.files("shared"), &expected);
}

#[test]
fn more_replications_and_points_simulate_only_what_is_new() {
    let place = Place::new();
    place.well(&["run", "a.toml"]);
    let more = place.well(&["run", "a.toml", "--replications", "5"]);
    assert!(more.starts_with("tiny: 10 runs at 2 points, 6 of them kept from before\n"), "{more}");
    edit(&place.path().join("a.toml"), |text| text.replace(r#"["5s", "#, r#"["300s", "5s", "#));
    let points = place.well(&["run", "a.toml"]);
    assert!(
        points.starts_with("tiny: 9 runs at 3 points, 6 of them kept from before\n"),
        "{points}"
    );
    // The same study in another folder has the same tables.
    let fresh = Place::new();
    fs::copy(place.path().join("a.toml"), fresh.path().join("a.toml")).unwrap();
    fresh.well(&["run", "a.toml"]);
    let (grown, fresh) = (place.files("results"), fresh.files("results"));
    assert!(fresh.iter().all(|(name, content)| grown[name] == *content));
}

#[test]
fn replications_go_on_until_a_metric_is_known() {
    let place = Place::new();
    let until = r#"{ until = "20%", at_least = 4, at_most = 12, metric = "lookup_hops.mean" }"#;
    edit(&place.path().join("a.toml"), |text| {
        text.replace("replications = 3", &format!("replications = {until}"))
    });
    let told = place.well(&["run", "a.toml", "--jobs", "2"]);
    let study = place.files("results");
    let (name, runs) = study.iter().find(|(name, _)| name.ends_with("/runs.csv")).unwrap();
    let runs = String::from_utf8(runs.clone()).unwrap();
    let ttl = |line: &str| line.split(',').nth(1).unwrap().to_owned();
    let mut of_point = BTreeMap::new();
    for line in runs.lines().skip(1) {
        *of_point.entry(ttl(line)).or_insert(0) += 1;
    }
    assert!(of_point.values().all(|count| [4, 8, 12].contains(count)), "{of_point:?} {told}");
    assert_eq!(of_point.len(), 2, "{name}");
    // Twice is once; on one thread the same runs are made.
    let before = place.files("results");
    assert!(place.well(&["run", "a.toml"]).contains(" of them kept from before\n"));
    assert_same(&place.files("results"), &before);
    place.well(&["run", "a.toml", "--jobs", "1", "--out", "one"]);
    assert_same(&place.files("one"), &before);
    place.well(&["merge", "a.toml", "--from", "one", "--out", "merged"]);
    assert_same(&place.files("merged"), &before);

    // What cannot be known so well is told.
    let set = r#"replications={ until = "0.001%", at_least = 2, at_most = 4, metric = "lookup_hops.mean" }"#;
    let (code, out, err) = overcord(place.path(), &["run", "a.toml", "--set", set]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("tiny: 8 runs at 2 points, 8 of them kept from before\n"), "{out}");
    assert_eq!(err.lines().count(), 2, "{err}");
    assert!(err.lines().all(|line| line.contains("lookup_hops.mean")), "{err}");

    // Nobody knows beforehand what a shard of it would be.
    let nobody = "overcord: a.toml: runs are added until a metric is known well enough, so that \
                  nobody can say which a shard has; give a number with --replications\n";
    for command in [&["run", "a.toml", "--shard", "1/2"][..], &["slurm", "a.toml"]] {
        assert_eq!(place.ill(command), (Some(2), nobody.to_owned()));
    }
    place.well(&["run", "a.toml", "--shard", "1/2", "--replications", "3"]);
}

#[test]
fn a_run_that_was_cut_off_or_edited_is_told_and_simulated_again() {
    let place = Place::new();
    place.well(&["run", "a.toml"]);
    let before = place.files("results");
    let (cut, edited) = (place.cell("results", 1), place.cell("results", 4));
    edit(&cut, |text| text[..text.len() / 2].to_owned());
    edit(&edited, |text| text.replacen("metric,", "metric,x", 1));
    let (code, out, err) = overcord(place.path(), &["run", "a.toml", "--jobs", "1"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("tiny: 6 runs at 2 points, 4 of them kept from before\n"), "{out}");
    let told: Vec<&str> = err.lines().collect();
    let [first, second] = told[..] else { panic!("{err}") };
    let what = "overcord: tiny: what is kept of run 1 cannot be used (the file is cut off); simulating it again";
    assert_eq!(first, what);
    let what = "overcord: tiny: what is kept of run 4 cannot be used (the file was changed: its digest is ";
    assert!(second.starts_with(what), "{second}");
    assert_same(&place.files("results"), &before);
}

#[test]
fn merge_names_the_damaged_file_and_takes_another_copy() {
    let place = Place::new();
    place.well(&["run", "a.toml", "--out", "left"]);
    let expected = place.files("left");
    place.well(&["run", "a.toml", "--shard", "1/3", "--out", "right"]);
    let cell = place.cell("left", 3);
    edit(&cell, |text| text[..text.len() - 1].to_owned());
    let file = cell.strip_prefix(place.path()).unwrap().display();
    let damaged = format!(
        "overcord: tiny: what is kept of run 3 cannot be used: {file}: the file is cut off"
    );

    // There is no other copy: nothing is written.
    let (code, err) = place.ill(&["merge", "a.toml", "--from", "left", "--out", "merged"]);
    assert_eq!(code, Some(1));
    let missing = "overcord: tiny: 1 of 6 runs are missing (numbers 3); run their shards again, or \
                   `run` the whole, which simulates only what is missing";
    assert_eq!(err.lines().collect::<Vec<_>>(), [damaged.as_str(), missing]);
    assert!(!place.path().join("merged/tiny/latest").exists());

    // Runs 0 and 3 are in the other folder, too.
    let merge = ["merge", "a.toml", "--from", "left", "--from", "right", "--out", "merged"];
    let (code, _, err) = overcord(place.path(), &merge);
    assert_eq!((code, err), (Some(0), format!("{damaged}; another copy is used\n")));
    assert_same(&place.files("merged"), &expected);
    let (code, err) = place.ill(&["merge", "a.toml", "--from", "nowhere"]);
    assert_eq!((code, err.as_str()), (Some(2), "overcord: there is no folder nowhere\n"));
}

#[test]
fn runs_of_another_version_are_told_once_and_not_used() {
    let place = Place::new();
    place.well(&["run", "a.toml"]);
    let cells = place.cells("results");
    let other = cells.with_file_name("0123456789ab");
    fs::rename(&cells, &other).unwrap();
    let told = "overcord: tiny: results/tiny also holds runs of other versions of the program \
                (0123456789ab); they stay there, and nothing of them is used\n";
    let (code, out, err) = overcord(place.path(), &["run", "a.toml"]);
    assert_eq!((code, err.as_str()), (Some(0), told));
    assert!(out.starts_with("tiny: 6 runs at 2 points\n"), "{out}");
    // Not again, once there are runs of this version; and they are still there.
    let again = place.well(&["run", "a.toml"]);
    assert!(again.starts_with("tiny: 6 runs at 2 points, 6 of them kept from before\n"), "{again}");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 6);

    // A run of another version under the name of one of this, with a digest that fits.
    edit(&place.cell("results", 0), |text| {
        let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
        let body = format!("{}\n", body.replacen(ENGINE, "0123456789ab", 1));
        let digest = blake3::hash(body.as_bytes()).to_hex();
        format!("{body}end,{digest}\n")
    });
    let (code, out, err) = overcord(place.path(), &["run", "a.toml"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("tiny: 6 runs at 2 points, 5 of them kept from before\n"), "{out}");
    let what = "overcord: tiny: what is kept of run 0 cannot be used (line 2 does not belong here: \
                \"engine,0123456789ab\"); simulating it again\n";
    assert_eq!(err, what);
}

#[test]
fn shards_that_do_not_exist_are_refused() {
    let place = Place::new();
    for (shard, told) in [
        ("0/4", "shards are numbered from 1: of 4 there are 1/4 to 4/4"),
        ("5/4", "shards are numbered from 1: of 4 there are 1/4 to 4/4"),
        ("1/0", "expected i/n, such as 1/4"),
        ("-1/4", "expected i/n, such as 1/4"),
        ("2", "expected i/n, such as 1/4"),
    ] {
        let (code, err) = place.ill(&["run", "a.toml", &format!("--shard={shard}")]);
        let expected = format!("error: invalid value '{shard}' for '--shard <I/N>': {told}\n");
        assert!(code == Some(2) && err.starts_with(&expected), "{err}");
    }
    let more = "overcord: there are 7 shards, but only 6 runs to share out\n".to_owned();
    assert_eq!(place.ill(&["run", "a.toml", "--shard", "1/7"]), (Some(2), more.clone()));
    assert_eq!(place.ill(&["slurm", "a.toml", "--tasks", "7"]), (Some(2), more));
    assert!(!place.path().join("results").exists());
}

#[test]
fn very_many_runs_are_begun_only_on_demand() {
    let place = Place::new();
    // The shortest run there is: two nodes for a second.
    edit(&place.path().join("a.toml"), |text| {
        text.replace(
            "duration = \"10m\"\nwarmup = \"2m\"",
            "duration = \"1s\"\nwarmup = \"0s\"\ntimeline_bin = \"1s\"",
        )
        .replace("nodes = 8", "nodes = 2")
        .replace("[sweep]\n\"dns.ttl\" = [\"5s\", \"60s\"]\nreplications = 3\n", "")
    });
    let (code, err) = place.ill(&["run", "a.toml", "--replications", "1001", "--jobs", "2"]);
    assert_eq!(code, Some(2));
    let begins = "overcord: a.toml: 1,001 runs are to be simulated, which will take about ";
    let ends = " of memory on 2 threads; to go ahead, say --yes\n";
    assert!(err.starts_with(begins) && err.ends_with(ends), "{err}");
    assert!(!place.path().join("results").exists());
    let out = place.well(&["run", "a.toml", "--replications", "1001", "--yes"]);
    assert!(out.starts_with("tiny: 1,001 runs\n"), "{out}");
    // Of 1,002 runs, one is new: nobody has to be asked.
    let out = place.well(&["run", "a.toml", "--replications", "1002"]).replace(',', "");
    assert!(out.starts_with("tiny: 1002 runs 1001 of them kept from before\n"), "{out}");
}

#[test]
fn a_sweep_that_is_not_sound_is_told_at_its_place() {
    let place = Place::new();
    for (from, to, told) in [
        (
            r#""dns.ttl" = ["#,
            r#""dns.tll" = ["#,
            "b.toml:23:1: dns.tll: unknown key `tll`; did you mean `ttl`?\n",
        ),
        (
            r#"["5s", "60s"]"#,
            "[]",
            "b.toml:23:13: sweep.dns.ttl: the list is empty: a sweep needs at least one value\n",
        ),
        (r#""5s", "#, r#""5", "#, "b.toml:23:14: dns.ttl: 5 has no unit: write \"5s\"\n"),
    ] {
        fs::write(place.path().join("b.toml"), TINY.replacen(from, to, 1)).unwrap();
        for command in ["run", "check", "merge", "slurm"] {
            let (code, err) = place.ill(&[command, "b.toml"]);
            assert!(code == Some(2) && err.starts_with(told), "{command}: {err}");
        }
    }
    assert!(!place.path().join("results").exists());
}

#[test]
fn a_folder_of_results_that_cannot_be_used_is_told() {
    let place = Place::new();
    fs::write(place.path().join("results"), "a file of somebody").unwrap();
    for command in
        [&["run", "a.toml"][..], &["run", "a.toml", "--shard", "1/2"], &["merge", "a.toml"]]
    {
        let (code, err) = place.ill(command);
        let told = err.starts_with("overcord: cannot read results/tiny/cells: ");
        assert!(code == Some(2) && told && err.lines().count() == 1, "{err}");
    }
    // A folder in place of a run.
    place.well(&["run", "a.toml", "--out", "out"]);
    let cell = place.cell("out", 2);
    fs::remove_file(&cell).unwrap();
    fs::create_dir(&cell).unwrap();
    let (code, err) = place.ill(&["run", "a.toml", "--out", "out"]);
    let file = cell.strip_prefix(place.path()).unwrap().display().to_string();
    assert!(
        code == Some(2) && err.starts_with(&format!("overcord: cannot read {file}: ")),
        "{err}"
    );
    let text = fs::read_to_string(place.path().join("results")).unwrap();
    assert_eq!(text, "a file of somebody");
}
