//! `manifest.json`: when, where and by what a study was carried out. The one file of a study in
//! which wall-clock time and absolute paths may stand.

use serde::Serialize;

use crate::experiment::cell::{CellSpec, ENGINE, Study};

/// What the manifest says beside the study itself. Only the command line knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The command with its arguments.
    pub command: Vec<String>,
    /// The working directory.
    pub directory: String,
    /// The start, in seconds since 1970 UTC.
    pub started: u64,
    /// The end, likewise.
    pub finished: u64,
    /// The number of threads.
    pub jobs: usize,
    /// How many runs were loaded and not simulated.
    pub loaded: usize,
    /// The runs that failed, with their panics.
    pub failures: Vec<(u32, String)>,
}

#[derive(Serialize)]
struct Manifest<'a> {
    program: &'static str,
    version: &'static str,
    engine: &'static str,
    system: String,
    scenario: &'a str,
    study: String,
    command: &'a [String],
    directory: &'a str,
    started: String,
    finished: String,
    jobs: usize,
    loaded: usize,
    failures: Vec<ManifestFailure<'a>>,
    cells: Vec<ManifestCell>,
    files: Vec<ManifestFile<'a>>,
}

#[derive(Serialize)]
struct ManifestFailure<'a> {
    run: u32,
    message: &'a str,
}

#[derive(Serialize)]
struct ManifestCell {
    run: u32,
    cell: String,
    seed: u64,
}

/// A file of the study, so that it can be seen whether it is still what was written.
#[derive(Serialize)]
struct ManifestFile<'a> {
    name: &'a str,
    blake3: String,
}

/// The text of the manifest; `files` are the study's other files, by name.
#[must_use]
pub fn manifest<'a>(
    study: &Study,
    circumstances: &Circumstances,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> String {
    let file = |(name, content): (&'a str, &[u8])| ManifestFile {
        name,
        blake3: blake3::hash(content).to_hex().to_string(),
    };
    let cell = |spec: &CellSpec| ManifestCell {
        run: spec.run,
        cell: spec.id().to_string(),
        seed: spec.seed,
    };
    let failures = circumstances.failures.iter();
    let manifest = Manifest {
        program: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        engine: ENGINE,
        system: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        scenario: &study.scenario,
        study: study.id().to_string(),
        command: &circumstances.command,
        directory: &circumstances.directory,
        started: utc(circumstances.started),
        finished: utc(circumstances.finished),
        jobs: circumstances.jobs,
        loaded: circumstances.loaded,
        failures: failures.map(|(run, message)| ManifestFailure { run: *run, message }).collect(),
        cells: study.cells.iter().map(cell).collect(),
        files: files.into_iter().map(file).collect(),
    };
    let mut text = serde_json::to_string_pretty(&manifest).expect("a manifest has string keys");
    text.push('\n');
    text
}

/// A date and time as RFC 3339 writes them, from seconds since 1970, by the calendar of 400 years
/// of 146,097 days that begin in March.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let day = day - (153 * from_march + 2) / 5 + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            // 2^31 − 1: the last second of a signed 32-bit clock.
            (2_147_483_647, "2038-01-19T03:14:07Z"),
            // A leap day of a year that divides by 400.
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_230_768_000, "2009-01-01T00:00:00Z"),
        ];
        for (seconds, date) in known {
            assert_eq!(utc(seconds), date);
        }
    }

    #[test]
    fn a_manifest_names_version_engine_and_cells() {
        let study = crate::experiment::run::tests::study(2);
        let text = manifest(
            &study,
            &Circumstances {
                command: vec!["overcord".into(), "run".into()],
                directory: "/tmp".into(),
                started: 0,
                finished: 1,
                jobs: 2,
                loaded: 1,
                failures: vec![(1, "broken".into())],
            },
            [("runs.csv", b"run\n".as_slice())],
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(value["engine"], ENGINE);
        assert_eq!(value["study"], study.id().to_string());
        assert_eq!(value["cells"][1]["cell"], study.cells[1].id().to_string());
        assert_eq!(value["failures"][0]["message"], "broken");
        let digest = blake3::hash(b"run\n").to_hex().to_string();
        assert_eq!(value["files"][0], serde_json::json!({"name": "runs.csv", "blake3": digest}));
    }
}
