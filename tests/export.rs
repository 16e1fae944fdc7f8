//! `overcord export`, as a user types it, on a study that was run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;

use tempfile::TempDir;

use command::overcord;

/// A folder with a study of two runs in `results/tiny`.
fn study() -> TempDir {
    let folder = TempDir::new().unwrap();
    let text = "name = 'tiny'\nduration = '10m'\nwarmup = '0s'\n[overlay]\nnodes = 5\n";
    fs::write(folder.path().join("tiny.toml"), text).unwrap();
    let (code, _, err) = overcord(folder.path(), &["run", "tiny.toml", "--replications", "2"]);
    assert_eq!(code, Some(0), "{err}");
    folder
}

#[test]
fn a_format_must_be_named() {
    let folder = TempDir::new().unwrap();
    let (code, out, err) = overcord(folder.path(), &["export", "results/tiny"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("--parquet"), "{err}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_get_one() {
    let folder = study();
    let told = overcord(folder.path(), &["export", "results/tiny", "--parquet"]);
    let expected = "overcord: this overcord was built without Parquet, which takes a library of its \
                    own: build it with `cargo build --release --features parquet`\n";
    assert_eq!(told, (Some(2), String::new(), expected.to_owned()));
}

#[cfg(feature = "parquet")]
#[test]
fn every_table_becomes_a_parquet_file_and_an_edited_one_none() {
    let folder = study();
    let arguments = ["export", "results/tiny", "--parquet", "--out", "tables"];
    let (code, out, err) = overcord(folder.path(), &arguments);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("wrote tables/runs.parquet, 2 rows\n"), "{out}");
    let written = |name: &str| fs::read(folder.path().join("tables").join(name)).unwrap();
    let (runs, timeline) = (written("runs.parquet"), written("timeline.parquet"));
    assert!(runs.starts_with(b"PAR1") && runs.ends_with(b"PAR1"));
    assert_eq!(fs::read_dir(folder.path().join("tables")).unwrap().count(), out.lines().count());

    let id = fs::read_to_string(folder.path().join("results/tiny/latest")).unwrap();
    let study = format!("results/tiny/{}", id.trim());
    let (code, out, _) = overcord(folder.path(), &["export", &study, "--parquet"]);
    assert_eq!(code, Some(0));
    assert!(out.contains(&format!("wrote {study}/timeline.parquet, ")), "{out}");
    let again = fs::read(folder.path().join(&study).join("timeline.parquet")).unwrap();
    assert_eq!(again, timeline, "the same bytes");

    let path = folder.path().join(&study).join("timeline.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen(",5,", ",6,", 1)).unwrap();
    fs::remove_dir_all(folder.path().join("tables")).unwrap();
    let (code, out, err) = overcord(folder.path(), &arguments);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("timeline.csv was cut off or edited since the study wrote it"), "{err}");
    assert!(!folder.path().join("tables").exists(), "nothing is written");
}
