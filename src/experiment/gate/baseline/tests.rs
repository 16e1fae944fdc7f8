//! Baselines: written, read, damaged, compared.

use super::*;
use crate::experiment::gate::tests::{outputs, summary, sweep};
use crate::experiment::gate::{
    ColumnChange, Comparison, MetricChange, PointChange, PointLabel, compare::Differences,
};
use crate::rng::mix;

/// The baseline of two points with three runs each.
fn example() -> Baseline {
    let study = sweep(3);
    let outputs = outputs(&study);
    Baseline::of(&study, &outputs, &summary(&study, &outputs))
}

/// A small one, to be damaged.
fn small() -> Baseline {
    let row = |values: &[&str], means: [Option<&str>; 2]| BaselineRow {
        values: values.iter().map(|&value| value.to_owned()).collect(),
        runs: 10,
        fingerprint: 0x0123_4567_89ab_cdef,
        means: means.map(|mean| mean.map(str::to_owned)).to_vec(),
    };
    let uniform = "{ model = \"uniform\", low = \"1ms\" }";
    Baseline {
        keys: vec!["dns.ttl".into(), "network.latency".into()],
        metrics: vec!["leaves".into(), "outage.p95".into()],
        rows: vec![
            row(&["60s", uniform], [Some("28"), Some("75.930158277")]),
            row(&["5s", "two\nlines, \"quoted\""], [Some("0.1"), None]),
        ],
    }
}

#[test]
fn a_baseline_has_a_row_a_point_with_the_means_of_its_runs() {
    let baseline = example();
    let text = baseline.to_csv();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("point,dns.ttl,runs,fingerprint,leaves,departures,"), "{text}");
    assert!(lines[0].ends_with(",lookup_failures,caller_stale_share"), "{text}");
    let print = [7, 8, 9].map(mix).into_iter().reduce(|a, b| mix(mix(a) ^ b)).unwrap();
    // One departure in 3,500 s is 1.0285714285714287 an hour; means of 18.5, 19, 19.5.
    let row = format!("{print:016x},0,1,1.0285714285714287,0.005,19,");
    assert!(lines[1].starts_with(&format!("0,60s,3,{row}")), "{text}");
    assert!(lines[2].starts_with(&format!("1,5s,3,{row}")), "{text}");
    assert_eq!(Baseline::parse(text.as_bytes()), Ok(baseline));
}

#[test]
fn every_number_reads_back_as_it_was() {
    for number in [1.0_f64 / 3.0, 0.1 + 0.2, 1e-300, 5e-324, 1.797e308, 12_345_678.9, 0.0] {
        let mut baseline = small();
        baseline.rows[0].means[0] = Some(number.to_string());
        let read = Baseline::parse(baseline.to_csv().as_bytes()).unwrap();
        assert_eq!(read, baseline);
        let mean = read.rows[0].means[0].as_ref().unwrap();
        assert_eq!(mean.parse::<f64>().unwrap().to_bits(), number.to_bits());
    }
}

#[test]
fn the_fingerprint_of_one_run_is_its_own_and_that_of_several_hangs_on_their_order() {
    assert_eq!(mixed([7].into_iter()), 7);
    assert_ne!(mixed([7, 8].into_iter()), mixed([8, 7].into_iter()));
    assert_ne!(mixed([7, 7].into_iter()), mixed([8, 8].into_iter()));
}

#[test]
fn what_cannot_be_read_is_told_with_line_and_column() {
    let header = "point,dns.ttl,runs,fingerprint,leaves,outage.p95\n";
    let row = "0,60s,10,0123456789abcdef,28,75.5\n";
    let with = |row: &str| format!("{header}{row}");
    for (text, told) in [
        (String::new(), "1:1: the file ends here: expected a line with the columns"),
        (header.to_owned(), "2:1: the file ends here: expected a row for each point"),
        (with(&row[..20]), "2:21: the last line is cut off: it has no line end"),
        ("leaves,departures\n".into(), "1:1: expected the column `point`, found `leaves`"),
        ("point,dns.ttl\n0,60s\n".into(), "1:7: expected the column `runs`, found `dns.ttl`"),
        (
            "point,runs,fingerprint,leaves,leaves\n".into(),
            "1:31: the column `leaves` is there twice",
        ),
        // The end of a conflict in a merge.
        (with(&format!("{row}=======\n")), "3:8: 1 fields, where the first line has 6"),
        (with("0,60s,10\n"), "2:9: 3 fields, where the first line has 6"),
        (with(&row.replace('\n', ",1\n")), "2:35: 7 fields, where the first line has 6"),
        (with(&row.replacen('0', "1", 1)), "2:1: expected point 0, found `1`"),
        (with(&row.replace(",10,", ",0,")), "2:7: runs: expected a number above zero, found `0`"),
        (
            with(&row.replace("cdef", "cdeg")),
            "2:10: fingerprint: expected 16 hexadecimal digits, found `0123456789abcdeg`",
        ),
        (with(&row.replace("28", "2z")), "2:27: leaves: expected a number, found `2z`"),
        (with(&row.replace("28", "nan")), "2:27: leaves: expected a number, found `nan`"),
        (with(&row.replace("28", "28.0")), "2:27: leaves: expected `28`, found `28.0`"),
        (with(&row.replace("75.5", "7.55e1")), "2:30: outage.p95: expected `75.5`, found `7.55e1`"),
        // A quote that does not end takes the rest of the file with it.
        (with(&row.replace("60s", "\"60s")), "2:36: 2 fields, where the first line has 6"),
    ] {
        let found = Baseline::parse(text.as_bytes()).map_err(|error| error.to_string());
        let told = if text.contains("\"60s") {
            // The end of the text is the beginning of line 3.
            told.replace("2:36", "3:1")
        } else {
            told.to_owned()
        };
        assert_eq!(found, Err(told), "{text}");
    }
    let mut bytes = with(row).into_bytes();
    bytes[52] = 0xff;
    let found = Baseline::parse(&bytes).map_err(|error| error.to_string());
    assert_eq!(found, Err("2:4: this is not UTF-8".to_owned()));
}

#[test]
fn lines_may_end_as_windows_ends_them() {
    let mut baseline = small();
    baseline.rows[1].values[1] = "two lines".into();
    let text = baseline.to_csv().replace('\n', "\r\n");
    assert_eq!(Baseline::parse(text.as_bytes()), Ok(baseline));
}

#[test]
fn whatever_is_cut_off_or_changed_is_noticed() {
    let baseline = small();
    let text = baseline.to_csv();
    let noticed = |bytes: &[u8]| match Baseline::parse(bytes) {
        Err(_) => true,
        Ok(read) => !read.compare(&baseline).is_same(),
    };
    assert!(!noticed(text.as_bytes()));
    for end in 0..text.len() {
        assert!(noticed(&text.as_bytes()[..end]), "cut at {end}");
    }
    for index in 0..text.len() {
        for byte in *b"x7,\"\n " {
            let mut edited = text.clone().into_bytes();
            if edited[index] != byte {
                edited[index] = byte;
                let edited_text = String::from_utf8_lossy(&edited).into_owned();
                assert!(noticed(&edited), "byte {index}: {edited_text}");
            }
        }
    }
}

#[test]
fn a_difference_is_told_by_point_and_metric() {
    let old = small();
    let mut new = small();
    new.rows[0].means = vec![Some("35".into()), Some("75.930158278".into())];
    new.rows[0].fingerprint = 1;
    new.rows[1].means = vec![None, Some("3".into())];
    new.rows[1].runs = 12;
    let Comparison { columns, points } = old.compare(&new);
    assert_eq!(columns, []);
    let change = |metric: &str, old: Option<&str>, new: Option<&str>| MetricChange {
        metric: metric.into(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    let first = Differences {
        runs: None,
        fingerprint: Some((0x0123_4567_89ab_cdef, 1)),
        metrics: vec![
            change("leaves", Some("28"), Some("35")),
            change("outage.p95", Some("75.930158277"), Some("75.930158278")),
        ],
        compared: 2,
    };
    // 35 is a quarter more than 28.
    assert_eq!(first.metrics[0].relative(), Some(0.25));
    assert!(!first.is_fingerprint_alone());
    assert_eq!(points[0].change, PointChange::Differs(first));
    assert_eq!(points[0].point, PointLabel::new(&new.keys, &new.rows[0].values));
    let second = Differences {
        runs: Some((10, 12)),
        fingerprint: None,
        metrics: vec![change("leaves", Some("0.1"), None), change("outage.p95", None, Some("3"))],
        compared: 2,
    };
    assert_eq!(second.metrics[0].relative(), None);
    assert_eq!(points[1].change, PointChange::Differs(second));
    assert_eq!(change("x", Some("0"), Some("3")).relative(), None);
    assert_eq!(change("x", Some("-4"), Some("-5")).relative(), Some(-0.25));
}

#[test]
fn a_fingerprint_that_differs_alone_is_a_difference() {
    let old = small();
    let mut new = small();
    new.rows[1].fingerprint += 1;
    let PointChange::Differs(differences) = old.compare(&new).points.remove(1).change else {
        panic!("a difference");
    };
    assert!(differences.is_fingerprint_alone());
    assert_eq!(old.compare(&new).points[0].change, PointChange::Same);
}

/// What became of each point, by the first value of the study's (or the baseline's) row.
fn fates(old: &Baseline, new: &Baseline) -> Vec<(String, PointChange)> {
    let points = old.compare(new).points.into_iter();
    points.map(|it| (it.point.0[0].1.clone(), it.change)).collect()
}

fn with_ttls(ttls: &[&str]) -> Baseline {
    let row = |ttl: &&str| BaselineRow { values: vec![(*ttl).into()], ..small().rows[0].clone() };
    Baseline { keys: vec!["dns.ttl".into()], rows: ttls.iter().map(row).collect(), ..small() }
}

#[test]
fn points_are_known_by_their_values() {
    use PointChange::{Gone, Moved, New, Same};
    let old = with_ttls(&["5s", "30s", "60s"]);
    let fate = |ttls: &[&str]| fates(&old, &with_ttls(ttls));
    let named = |ttl: &str, change| (ttl.to_owned(), change);
    assert_eq!(
        fate(&["5s", "10s", "30s", "60s"]),
        [named("5s", Same), named("10s", New), named("30s", Same), named("60s", Same)]
    );
    assert_eq!(fate(&["60s", "5s"]), [named("60s", Same), named("5s", Same), named("30s", Gone)]);
    let moved = PointLabel(vec![("dns.ttl".into(), "30s".into())]);
    assert_eq!(
        fate(&["5s", "31s", "60s"]),
        [named("5s", Same), named("31s", Moved { old: moved }), named("60s", Same)]
    );
}

#[test]
fn other_keys_and_columns_are_told() {
    let old = with_ttls(&["5s", "30s"]);
    let mut new = with_ttls(&["5s"]);
    new.keys = vec!["overlay.nodes".into()];
    new.metrics = vec!["outage.p95".into(), "updates".into()];
    let comparison = old.compare(&new);
    assert_eq!(
        comparison.columns,
        [
            ColumnChange::Keys { old: vec!["dns.ttl".into()], new: vec!["overlay.nodes".into()] },
            ColumnChange::Gone("leaves".into()),
            ColumnChange::New("updates".into()),
        ]
    );
    // Of the metrics one is in both; the mean that was 75.93 is 28 now.
    let [PointChange::Differs(first), PointChange::Gone] =
        [&comparison.points[0].change, &comparison.points[1].change]
    else {
        panic!("{comparison:?}");
    };
    assert_eq!((first.compared, first.metrics.len()), (1, 1));
}
