use super::*;
use crate::experiment::cell::Study;
use crate::experiment::manifest::Circumstances;
use crate::experiment::run::Outcome;
use crate::experiment::run::tests::{fake_output, fake_requests, fake_story, study};
use crate::experiment::store::Store;
use crate::experiment::summary::summarise;

/// A study of two runs with requests and a story, under a key that a sweep varies, in a folder.
pub(crate) fn written(results: &Path) -> PathBuf {
    let mut study: Study = study(2);
    study.varied = vec!["dns.ttl".into()];
    for (cell, ttl) in study.cells.iter_mut().zip(["5s", "60s"]) {
        cell.varied = vec![ttl.into()];
    }
    let mut outputs: Vec<_> = study.cells.iter().map(fake_output).collect();
    for output in &mut outputs {
        output.requests = fake_requests(7);
        output.told = fake_story();
        output.headline.push("failed_interop", Some(0.5));
    }
    // The metric was added behind the others here, out of its order: the head must have it in place.
    let mut headline = crate::metrics::headline::Headline::default();
    for metric in crate::metrics::codebook::metrics() {
        if outputs[0].headline.knows(&metric.name) {
            headline.push(metric.name.as_str(), outputs[0].headline.value(&metric.name));
        }
    }
    for output in &mut outputs {
        output.headline = headline.clone();
    }
    let outcome = Outcome { outputs, failures: Vec::new(), loaded: 0 };
    let summary = summarise(&study, &outcome.outputs, &[]);
    let files = crate::report::files(&study, &outcome, &summary, None);
    let circumstances = Circumstances {
        command: Vec::new(),
        directory: String::new(),
        started: 0,
        finished: 0,
        jobs: 1,
        loaded: 0,
        failures: Vec::new(),
    };
    let store = Store::new(results, &study.scenario);
    crate::report::write(&store, &study, &files, &circumstances).unwrap()
}

/// Writes a file of a study and enters its digest into the manifest, as another version might have.
fn forge(folder: &Path, name: &str, content: &str) {
    fs::write(folder.join(name), content).unwrap();
    let path = folder.join("manifest.json");
    let mut manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let digest = blake3::hash(content.as_bytes()).to_hex().to_string();
    let files = manifest["files"].as_array_mut().unwrap();
    files.retain(|file| file["name"] != name);
    files.push(serde_json::json!({"name": name, "blake3": digest}));
    manifest["version"] = "0.0.7".into();
    fs::write(path, manifest.to_string()).unwrap();
}

fn column<'a>(table: &'a FinishedTable, name: &str) -> &'a Values {
    &table.columns.iter().find(|column| column.name == name).unwrap().values
}

#[test]
fn every_table_is_read_back_with_its_types() {
    let results = tempfile::tempdir().unwrap();
    let folder = written(results.path());
    let study = FinishedStudy::open(&folder).unwrap();
    let names: Vec<&str> = study.tables().collect();
    assert_eq!(names.len(), tables().len() - 1, "no points have names to compare: {names:?}");
    for name in names {
        let table = study.table(name).unwrap();
        let text = fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
        assert_eq!(table.rows, text.lines().count() - 1, "{name}");
        for column in &table.columns {
            let length = match &column.values {
                Values::Integer(fields) => fields.len(),
                Values::Number(fields) => fields.len(),
                Values::Text(fields) => fields.len(),
                Values::Truth(fields) => fields.len(),
            };
            assert_eq!(length, table.rows, "{name}.{}", column.name);
        }
    }
    let runs = study.table("runs").unwrap();
    assert_eq!(*column(&runs, "run"), Values::Integer(vec![Some(0), Some(1)]));
    let ttls = ["5s", "60s"].map(|ttl| Some(ttl.to_owned())).to_vec();
    assert_eq!(*column(&runs, "dns.ttl"), Values::Text(ttls));
    assert_eq!(*column(&runs, "departures"), Values::Number(vec![Some(1.0); 2]));
    assert_eq!(*column(&runs, "lookup_hops.mean"), Values::Number(vec![None, None]));
    let requests = study.table("requests").unwrap();
    let Values::Truth(stale) = column(&requests, "stale") else { panic!("truth") };
    assert_eq!(stale[..4], [Some(true), Some(false), Some(false), Some(false)]);
    let Values::Number(delays) = column(&requests, "delay_s") else { panic!("number") };
    assert_eq!(delays[..4], [Some(32.0), Some(7.0), Some(7.0), None]);
    let Values::Text(outcomes) = column(&requests, "outcome") else { panic!("text") };
    assert_eq!(outcomes[1].as_deref(), Some("486"), "a status is a word among words");
}

#[test]
fn the_folder_of_a_scenario_stands_for_its_latest_study() {
    let results = tempfile::tempdir().unwrap();
    let folder = written(results.path());
    let study = FinishedStudy::open(folder.parent().unwrap()).unwrap();
    assert_eq!(study.folder(), folder);
}

fn told(result: Result<FinishedTable, FinishedError>, folder: &Path) -> String {
    let error = result.expect_err("it is refused").to_string();
    error.replace(&folder.display().to_string(), "F").replace('\\', "/")
}

#[test]
fn what_is_no_study_is_told() {
    let results = tempfile::tempdir().unwrap();
    let error = FinishedStudy::open(results.path()).unwrap_err().to_string();
    assert!(error.ends_with("has no manifest.json; give results/<scenario>/<study>"), "{error}");
    for (manifest, reason) in [
        ("{\"version\": \"0.1.0\"", "EOF while parsing an object"),
        ("{\"version\": \"0.1.0\"}", "missing field `files`"),
    ] {
        fs::write(results.path().join("manifest.json"), manifest).unwrap();
        let error = FinishedStudy::open(results.path()).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("manifest.json"), "{error}");
    }
}

#[test]
fn a_table_that_was_cut_off_or_edited_is_refused() {
    let results = tempfile::tempdir().unwrap();
    let folder = written(results.path());
    let study = FinishedStudy::open(&folder).unwrap();
    let path = folder.join("handovers.csv");
    let whole = fs::read_to_string(&path).unwrap();
    let last = whole.trim_end().rfind('\n').unwrap();
    for other in [&whole[..last + 1], &whole.replacen("lookup", "request", 1), ""] {
        fs::write(&path, other).unwrap();
        let told = told(study.table("handovers"), &folder);
        let begin = "F/handovers.csv was cut off or edited since the study wrote it: ";
        assert!(told.starts_with(begin), "{told}");
    }
    fs::remove_file(&path).unwrap();
    assert!(told(study.table("handovers"), &folder).starts_with("cannot read F/handovers.csv: "));
    fs::write(&path, whole).unwrap();
    assert_eq!(study.table("handovers").unwrap().rows, 4);
}

#[test]
fn what_another_version_wrote_is_read_where_its_columns_are_known() {
    let results = tempfile::tempdir().unwrap();
    let folder = written(results.path());
    let now = env!("CARGO_PKG_VERSION");
    let cases = [
        // Older versions have fewer metrics.
        ("runs", "run,a,b,seed,fingerprint,leaves\n0,1s,,7,0f,3\n", None),
        ("runs", "run,seed,fingerprint\n", None),
        (
            "runs",
            "run,seed,fingerprint,happiness\n0,7,0f,3\n",
            Some(format!(
                "F/runs.csv: version {now} of overcord knows no column `happiness` at this place; \
                 version 0.0.7 wrote it"
            )),
        ),
        // Not behind the first column: no key of a sweep.
        ("stale", "run,dns.ttl,resolver\n", Some("knows no column `dns.ttl`".to_owned())),
        ("stale", "run,address,resolver\n", Some("knows no column `resolver`".to_owned())),
        (
            "moods",
            "run,mood\n",
            Some(format!(
                "F/moods.csv: version {now} of overcord knows no such table; version 0.0.7 wrote it"
            )),
        ),
        (
            "stale",
            "run,window_s\n0,1.5\n1,soon\n",
            Some(
                "F/stale.csv:3: column `window_s` cannot hold \"soon\": number is expected"
                    .to_owned(),
            ),
        ),
        (
            "stale",
            "run,window_s\n-1,1.5\n",
            Some("F/stale.csv:2: column `run` cannot hold \"-1\"".to_owned()),
        ),
        ("stale", "run,window_s\n0,inf\n", Some("cannot hold \"inf\": number".to_owned())),
        ("timeline", "run,binding_valid\n0,yes\n", Some("\"yes\": truth is expected".to_owned())),
        (
            "runs",
            "run,seed\n0,9223372036854775808\n",
            Some("column `seed` cannot hold \"9223372036854775808\": integer".to_owned()),
        ),
        // The name of a point is no number, and what it is not compared with is empty.
        ("comparison", "point,name,metric,value,against\n0,7,x,0.5,\n1,b,x,1,0\n", None),
        ("comparison", "point,metric,against\n0,x,first\n", Some("\"first\": integer".to_owned())),
        ("stale", "run,window_s\n0\n", Some("found record with 1 fields".to_owned())),
    ];
    for (table, content, refused) in cases {
        forge(&folder, &format!("{table}.csv"), content);
        let study = FinishedStudy::open(&folder).unwrap();
        assert!(study.tables().any(|name| name == table));
        let read = study.table(table);
        match refused {
            None => assert_eq!(read.unwrap().rows, content.lines().count() - 1, "{content}"),
            Some(expected) => {
                let told = told(read, &folder);
                assert!(told.contains(&expected), "{told}\ninstead of\n{expected}");
            }
        }
    }
}
