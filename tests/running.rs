//! `run` and `trace` as a user types them: what is printed, what is written, what is kept.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod written;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use command::overcord;
use written::{assert_same, files};

/// Eight nodes for twenty minutes.
const TINY: &str = r#"
name = "tiny"
seed = 1
duration = "20m"
warmup = "2m"
replications = 3
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

fn tiny() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), TINY).unwrap();
    folder
}

/// The folder of the latest study below a folder of results.
fn latest(results: &Path) -> std::path::PathBuf {
    let id = fs::read_to_string(results.join("tiny/latest")).unwrap();
    results.join("tiny").join(id.trim())
}

#[test]
fn run_prints_a_table_and_writes_the_study() {
    let folder = tiny();
    let (code, out, err) = overcord(folder.path(), &["run", "a.toml", "--checkers"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "no progress where no terminal is");
    assert!(out.starts_with("tiny: 3 runs\n"), "{out}");
    assert!(out.contains("stale windows > 0, runs together"), "{out}");
    let study = latest(&folder.path().join("results"));
    let written = files(&study);
    for name in [
        "runs.csv",
        "handovers.csv",
        "stale.csv",
        "signalling.csv",
        "timeline.csv",
        "summary.csv",
        "summary.json",
        "scenario.toml",
        "effective.toml",
        "figures/stale-window.svg",
        "figures/handover-anatomy.svg",
    ] {
        assert!(written.contains_key(name), "{name} is missing");
    }
    assert_eq!(written["scenario.toml"], TINY.as_bytes());
    let runs = String::from_utf8(written["runs.csv"].clone()).unwrap();
    assert_eq!(runs.lines().count(), 1 + 3);
    assert!(runs.lines().next().unwrap().contains(",stale_answers,stale_answers_per_departure,"));
    let manifest = fs::read_to_string(study.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"--checkers\""), "{manifest}");
}

#[test]
fn a_repeat_is_kept_and_a_fresh_one_on_other_threads_is_the_same() {
    let folder = tiny();
    let run = |arguments: &[&str]| {
        let (code, out, err) = overcord(folder.path(), &[&["run", "a.toml"], arguments].concat());
        assert_eq!((code, err.as_str()), (Some(0), ""));
        out
    };
    let of = |name: &str| files(&folder.path().join(name));
    let fresh = run(&["--jobs", "1", "--out", "one"]);
    let before = of("one");
    // Again: nothing is simulated, and no file changes.
    let again = run(&["--jobs", "1", "--out", "one"]);
    assert!(!fresh.contains("kept from before"), "{fresh}");
    assert!(again.starts_with("tiny: 3 runs, 3 of them kept from before\n"), "{again}");
    assert_same(&of("one"), &before);
    // Elsewhere, on four threads: the same bytes.
    run(&["--jobs", "4", "--out", "four"]);
    assert_same(&of("four"), &before);
    // More replications: the first three are there already.
    let more = run(&["--replications", "4", "--out", "one"]);
    assert!(more.starts_with("tiny: 4 runs, 3 of them kept from before\n"), "{more}");
}

#[test]
fn another_seed_is_another_study() {
    let folder = tiny();
    let fingerprints = |seed: &str| {
        let run = ["run", "a.toml", "--seed", seed, "--replications", "2", "--out", seed];
        assert_eq!(overcord(folder.path(), &run).0, Some(0));
        let runs = fs::read_to_string(latest(&folder.path().join(seed)).join("runs.csv")).unwrap();
        let column = |line: &str| line.split(',').nth(2).unwrap().to_owned();
        runs.lines().skip(1).map(column).collect::<Vec<_>>()
    };
    let (one, two) = (fingerprints("1"), fingerprints("2"));
    // Seeds 1, 2 and 2, 3: they share one run.
    assert_eq!(one[1], two[0]);
    assert_ne!(one[0], one[1]);
    assert_ne!(two[0], two[1]);
}

#[test]
fn nothing_is_written_when_one_of_the_scenarios_is_not_sound() {
    let folder = tiny();
    let path = folder.path();
    let bad = TINY.replace("[churn]", "[churn]\nsession = \"1h\"");
    fs::write(path.join("b.toml"), bad).unwrap();
    let (code, out, err) = overcord(path, &["run", "a.toml", "b.toml"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("b.toml:16:1: churn.session: unknown key `session`"), "{err}");

    let event = "[[event]]\nat = \"5m\"\naction = \"depart\"\nhost = \"node-00099\"\n";
    fs::write(path.join("c.toml"), format!("{TINY}{event}")).unwrap();
    for command in ["run", "check"] {
        let (code, out, err) = overcord(path, &[command, "c.toml"]);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(
            err.starts_with("c.toml:26:8: event.0.host: there is no host `node-00099`; did you"),
            "{err}"
        );
    }
    assert!(!path.join("results").exists());
}

#[test]
fn a_host_can_be_watched() {
    let folder = tiny();
    let path = folder.path();
    let plain = overcord(path, &["run", "a.toml", "--replications", "1", "--out", "plain"]);
    let run = ["run", "a.toml", "--log", "host=node-00001", "--out", "logged"];
    let (code, out, err) = overcord(path, &run);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let (log, table) = out.split_once("\n\n").unwrap();
    assert!(log.lines().count() > 100, "{}", log.lines().count());
    assert!(log.lines().all(|line| line.contains("node-00001")));
    // Watching changes nothing, and only the first replication is simulated.
    assert_eq!(table.replace("logged/", "plain/"), plain.1);
    assert_same(&files(&path.join("logged")), &files(&path.join("plain")));

    let (code, _, err) = overcord(path, &["run", "a.toml", "--log", "host=nod-00001"]);
    let told =
        "overcord: a.toml: there is no host `nod-00001` to log; did you mean `node-00001`?\n";
    assert_eq!((code, err.as_str()), (Some(2), told));
}

/// The run would last a century: it ends because it is asked to.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_run_with_130_and_leaves_nothing_half_done() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    let folder = tiny();
    let mut child = Command::new(env!("CARGO_BIN_EXE_overcord"))
        .current_dir(folder.path())
        .args(["run", "a.toml", "--set", "duration=876000h", "--log", "host=node-00001"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    // It simulates, so it listens.
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let expected = "overcord: tiny: interrupted: 0 of 1 runs are kept, and the same command goes on from there\n";
    assert_eq!(told, expected);
    assert!(!folder.path().join("results").exists());
}

#[test]
fn a_run_with_a_trace_lasts_as_long_as_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let churn = "model = \"trace\"\ntrace = \"t.avt\"";
    let text = TINY
        .replace("duration = \"20m\"\n", "")
        .replace("nodes = 8\n", "")
        .replace("session_mean = \"10m\"\ndowntime_mean = \"5m\"", churn);
    fs::write(path.join("a.toml"), text).unwrap();
    let trace = "a 2 0 300 500 900\nb 1 0 700\nc 1 100 900\n";
    fs::write(path.join("t.avt"), trace).unwrap();
    let (code, out, err) = overcord(path, &["run", "a.toml", "--replications", "1"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    // Ends at 300 and 700 are leaves after the warm-up of 120 s; those at 900 are the trace's.
    assert!(out.contains("\n2 leaves, "), "{out}");
    let study = latest(&path.join("results"));
    let effective = fs::read_to_string(study.join("effective.toml")).unwrap();
    assert!(effective.contains("duration = \"15m\"\n"), "{effective}");

    // The same scenario with another trace is another cell.
    fs::write(path.join("t.avt"), trace.replace("700", "600")).unwrap();
    let (_, out, _) = overcord(path, &["run", "a.toml", "--replications", "1"]);
    assert!(out.starts_with("tiny: 1 run\n"), "{out}");

    fs::write(path.join("t.avt"), "a 1 0 300\nb 1 0 x\n").unwrap();
    for command in ["run", "check"] {
        let (code, _, err) = overcord(path, &[command, "a.toml"]);
        assert_eq!(code, Some(2));
        let named = "the trace is named in a.toml:15:9: churn.trace\n";
        assert!(err.starts_with("t.avt:2:7: expected ") && err.contains(named), "{err}");
    }
}

#[test]
fn trace_stats_prints_figures_or_where_the_trace_is_wrong() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::write(path.join("t.avt"), "a 2 0 300 500 900\nb 1 0 700\n").unwrap();
    let (code, out, err) = overcord(path, &["trace", "stats", "t.avt"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let line = |name: &str| out.lines().find(|line| line.starts_with(name)).unwrap_or("");
    let value = |name: &str| line(name)[24..].split_whitespace().next().unwrap().to_owned();
    // Three sessions; 300 + 400 + 700 = 1,400 s up in 900 s.
    assert_eq!(
        (value("nodes"), value("sessions"), value("leaves")),
        ("2".into(), "3".into(), "2".into())
    );
    assert_eq!(value("online, mean"), "1.6");

    fs::write(path.join("bad.txt"), "0 a up\n5 a sideways\n").unwrap();
    let stats = |arguments: &[&str]| overcord(path, &[&["trace", "stats"], arguments].concat());
    let told = "overcord: the extension of bad.txt does not tell its format: say --format, with one \
                of avt, events, oversim, fta, p2psim, splay, simgrid\n";
    assert_eq!(stats(&["bad.txt"]), (Some(2), String::new(), told.to_owned()));
    let (code, out, err) = stats(&["bad.txt", "--format", "events"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("overcord: bad.txt:2:5: expected "), "{err}");
    let (code, _, err) = stats(&["missing.avt"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("overcord: cannot read missing.avt: "), "{err}");
}

#[test]
fn trace_convert_goes_through_all_formats_and_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let convert = |arguments: &str| {
        let arguments: Vec<&str> =
            ["trace", "convert"].into_iter().chain(arguments.split(' ')).collect();
        overcord(path, &arguments)
    };
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    fs::write(path.join("a.oversim"), "0 2 JOIN\n1 2 PUT x\n5 1 JOIN\n7.5 2 LEAVE\n9 1 LEAVE\n")
        .unwrap();
    let wrote = |out: &str| format!("wrote {out}: 2 nodes, 2 sessions, 0.00 d\n");
    let skipped = "overcord: a.oversim: 1 left out (commands that are neither JOIN nor LEAVE)\n";
    assert_eq!(convert("a.oversim b.avt"), (Some(0), wrote("b.avt"), skipped.to_owned()));
    let avt = "# a.oversim (oversim), by overcord trace convert.\n2\t1\t 0 7.5\n1\t1\t 5 9\n";
    assert_eq!(read("b.avt"), avt);

    let chain = [
        ("b.avt", "c.events", ""),
        ("c.events", "d.tab", ""),
        ("d.tab", "e.p2psim", ""),
        (
            "e.p2psim",
            "f.splay",
            "overcord: f.splay: the names of nodes are lost: in this format a node is its line\n",
        ),
        (
            "f.splay",
            "g.oversim",
            "overcord: g.oversim: the names of nodes are lost: the format knows numbers, counted here from 1\n",
        ),
    ];
    for (from, to, lost) in chain {
        assert_eq!(convert(&format!("{from} {to}")), (Some(0), wrote(to), lost.to_owned()));
    }
    // Node 2 is the first line, so it is number 1 now.
    assert_eq!(read("g.oversim"), "0 1 JOIN\n5 2 JOIN\n7.5 1 LEAVE\n9 2 LEAVE\n");

    let (code, _, err) = convert("b.avt profiles --to simgrid");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(read("profiles/1.simgrid").ends_with("0 0\n5 1\n9 0\n"));
    assert_eq!(convert("profiles h.avt").0, Some(0));
    assert!(read("h.avt").ends_with("\n1\t1\t 5 9\n2\t1\t 0 7.5\n"), "by the names of files");
    assert_eq!(convert("b.avt i.avt --span 6s").0, Some(0));
    assert!(read("i.avt").ends_with("\n2\t1\t 0 6\n1\t1\t 5 6\n"));

    let refused = |arguments: &str| {
        let (code, out, err) = convert(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        err
    };
    assert_eq!(
        refused("a.oversim b.avt").lines().last(),
        Some("overcord: b.avt exists already; give another path")
    );
    let told = "overcord: the extension of x.txt does not tell its format: say --to, with one of ";
    assert!(refused("b.avt x.txt").starts_with(told));
    fs::write(path.join("bad.tab"), "# event_id\tcolour\n").unwrap();
    let told = "overcord: bad.tab:1:12: unknown column `colour`; there are event_id, ";
    assert!(refused("bad.tab x.avt").starts_with(told));
    fs::copy(path.join("profiles/1.simgrid"), path.join("profiles/1.txt")).unwrap();
    let told =
        "overcord: profiles/1.simgrid and profiles/1.txt are both the profile of a host `1`: ";
    assert!(refused("profiles x.avt --from simgrid").starts_with(told));
}

/// What is generated from a scenario is what a run of it plays.
#[test]
fn a_generated_trace_is_the_churn_of_its_scenario() {
    let folder = tiny();
    let path = folder.path();
    let generate = ["trace", "generate", "a.toml", "t.avt"];
    let (code, out, err) = overcord(path, &generate);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    // Eight up on average of (10 + 5) / 10 times as many.
    assert!(out.starts_with("wrote t.avt: 12 nodes, "), "{out}");
    let text = TINY.replace("nodes = 8\n", "").replace(
        "session_mean = \"10m\"\ndowntime_mean = \"5m\"",
        "model = \"trace\"\ntrace = \"t.avt\"",
    );
    fs::write(path.join("b.toml"), text.replace("name = \"tiny\"", "name = \"replayed\"")).unwrap();
    let leaves = |file: &str| {
        let (code, out, err) = overcord(path, &["run", file, "--replications", "1"]);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        let line = out.lines().find(|line| line.contains(" leaves, ")).unwrap().to_owned();
        line.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let (drawn, replayed) = (leaves("a.toml"), leaves("b.toml"));
    assert_eq!(drawn, replayed);
    assert!(drawn > 5, "{drawn}");

    // With the trace, nothing is drawn.
    let (code, out, err) = overcord(path, &["trace", "generate", "b.toml", "u.avt"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let told = "overcord: the members of b.toml do not come and go by chance: give its [churn] a \
                model, such as exponential\n";
    assert_eq!(err, told);
    assert_eq!(overcord(path, &generate).2, "overcord: t.avt exists already; give another path\n");
}
