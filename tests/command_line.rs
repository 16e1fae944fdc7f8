//! The commands as a user types them: output, exit code, what is written.

mod command;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use command::overcord;

#[test]
fn init_writes_what_check_accepts_and_overwrites_nothing() {
    let folder = TempDir::new().unwrap();
    let wrote = overcord(folder.path(), &["init", "a.toml"]);
    assert_eq!(wrote, (Some(0), "wrote a.toml\n".to_owned(), String::new()));
    let (code, effective, err) = overcord(folder.path(), &["check", "a.toml", "--seed", "7"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(effective.contains("seed = 7\n"), "{effective}");
    // The effective scenario says itself.
    fs::write(folder.path().join("b.toml"), &effective).unwrap();
    assert_eq!(overcord(folder.path(), &["check", "b.toml"]), (Some(0), effective, String::new()));

    fs::write(folder.path().join("a.toml"), "mine").unwrap();
    let refused = overcord(folder.path(), &["init", "a.toml"]);
    let told = "overcord: a.toml exists already; give another path\n".to_owned();
    assert_eq!(refused, (Some(2), String::new(), told));
    assert_eq!(fs::read_to_string(folder.path().join("a.toml")).unwrap(), "mine");
}

#[test]
fn a_bad_scenario_is_told_on_standard_error_and_exits_with_2() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), "name = \"a\"\n[dns]\nttl = 60\n").unwrap();
    let told = "\
a.toml:3:7: dns.ttl: 60 has no unit: write \"60s\"
 --> a.toml:3:7
  |
3 | ttl = 60
  |       ^^

";
    let expected = (Some(2), String::new(), told.to_owned());
    assert_eq!(overcord(folder.path(), &["check", "a.toml"]), expected);

    let (code, out, err) = overcord(folder.path(), &["check", "missing.toml"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.starts_with("overcord: cannot read missing.toml: "), "{err}");
}

#[test]
fn a_missing_trace_is_told_at_the_key_that_names_it() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let text = "name = \"a\"\n[churn]\nmodel = \"trace\"\ntrace = \"t.avt\"\n";
    fs::write(folder.path().join("sub/a.toml"), text).unwrap();
    let (code, _, err) = overcord(folder.path(), &["check", "sub/a.toml"]);
    assert_eq!(code, Some(2));
    let told = "sub/a.toml:4:9: churn.trace: sub/t.avt: cannot be read: ";
    assert!(err.starts_with(told), "{err}");
    // Beside the scenario it is found; so is one relative to the working directory in --set.
    fs::write(folder.path().join("sub/t.avt"), "a 1 0 90000\n").unwrap();
    assert_eq!(overcord(folder.path(), &["check", "sub/a.toml"]).0, Some(0));
    let set = ["check", "sub/a.toml", "--set", "churn.trace=t.avt"];
    let (code, _, err) = overcord(folder.path(), &set);
    assert_eq!(code, Some(2));
    assert!(
        err.starts_with("--set churn.trace=t.avt: churn.trace: t.avt: cannot be read"),
        "{err}"
    );
    fs::copy(folder.path().join("sub/t.avt"), folder.path().join("t.avt")).unwrap();
    assert_eq!(overcord(folder.path(), &set).0, Some(0));
}

#[test]
fn a_broken_trace_is_shown_at_its_own_line() {
    let folder = TempDir::new().unwrap();
    let text = "name = \"a\"\n[churn]\nmodel = \"trace\"\ntrace = \"t.avt\"\n";
    fs::write(folder.path().join("a.toml"), text).unwrap();
    fs::write(folder.path().join("t.avt"), "a 1 0 90000\nb 1 5 x9 \n").unwrap();
    let told = "\
t.avt:2:7: expected a time in seconds, got `x9`
 --> t.avt:2:7
  |
2 | b 1 5 x9
  |       ^^
  |
  = note: the trace is named in a.toml:4:9: churn.trace

";
    let expected = (Some(2), String::new(), told.to_owned());
    assert_eq!(overcord(folder.path(), &["check", "a.toml"]), expected);
    // Of a long line only the surroundings are shown: 4,000 sessions, then a broken one.
    let sessions: String = (0..4_000).map(|at| format!(" {at} {at}")).collect();
    fs::write(folder.path().join("t.avt"), format!("a 4001{sessions} 4000 x9\n")).unwrap();
    let (code, _, err) = overcord(folder.path(), &["check", "a.toml"]);
    assert!(code == Some(2) && err.len() < 800 && err.contains(" 4000 x9\n"), "{err}");
}

/// A graph, recorded changes of addresses, and places: each told at its own line, or, when it is not
/// there, at the key that names it.
#[test]
fn other_files_that_a_scenario_names_are_told_likewise() {
    for (section, name, content, told, named) in [
        (
            "network.latency]\nmodel = \"topology\"\nfile",
            "t.edges",
            "a b 1\na c\n",
            "t.edges:2:1: expected two nodes and a delay, found 2 of them",
            "4:8: network.latency.file",
        ),
        (
            "network.latency]\nmodel = \"coordinates\"\nfile",
            "c.csv",
            "x_ms,height_ms\n1,far\n",
            "c.csv:2:3: expected a number of milliseconds, found `far`",
            "4:8: network.latency.file",
        ),
        (
            "network.address_change]\ntrace",
            "a.csv",
            "time_s,host\n9,node-00001\n8,node-00001\n",
            "a.csv:3:1: ",
            "3:9: network.address_change.trace",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let text = format!("name = \"a\"\n[{section} = \"{name}\"\n");
        fs::write(folder.path().join("a.toml"), text).unwrap();
        let (code, _, err) = overcord(folder.path(), &["check", "a.toml"]);
        assert_eq!(code, Some(2));
        assert!(err.starts_with(&format!("a.toml:{named}: {name}: cannot be read: ")), "{err}");
        fs::write(folder.path().join(name), content).unwrap();
        let (code, _, err) = overcord(folder.path(), &["check", "a.toml"]);
        assert_eq!(code, Some(2));
        assert!(err.starts_with(told), "{err}");
        assert!(err.ends_with(&format!("the file is named in a.toml:{named}\n\n")), "{err}");
    }
}

#[test]
fn wrong_usage_exits_with_2_and_help_with_0() {
    let here = Path::new(".");
    for (arguments, code) in [
        (&["frobnicate"][..], 2),
        (&["check"], 2),
        (&["check", "a.toml", "--seed", "x"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
    ] {
        assert_eq!(overcord(here, arguments).0, Some(code), "{arguments:?}");
    }
}

#[test]
fn schema_and_completions_are_printed() {
    let here = Path::new(".");
    let (code, out, _) = overcord(here, &["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, schema["required"][0].as_str()), (Some(0), Some("name")));
    assert!(overcord(here, &["schema", "--markdown"]).1.starts_with("# Scenarios\n"));
    assert!(overcord(here, &["completions", "bash"]).1.contains("overcord"));
}
