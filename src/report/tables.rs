//! The tables of a study, as text.
//!
//! Rows stand in the order of the runs, with the run's number in front. Numbers are written so
//! that they read back exactly; what does not exist is an empty field.

use serde::Serialize;

use crate::experiment::cell::Study;
use crate::experiment::summary::{Estimate, Summary};
use crate::experiment::warmup::Unsettled;
use crate::experiment::warning::Warning;
use crate::metrics::headline::names;
use crate::metrics::tables::{Row, RunOutput, optional};
use crate::report::TextFile;
use crate::time::SimTime;

/// All tables of a study.
#[must_use]
pub fn tables(study: &Study, outputs: &[RunOutput], summary: &Summary) -> Vec<TextFile> {
    let mut tables = vec![
        TextFile::new("runs.csv", runs_csv(study, outputs)),
        table(outputs, |output| &output.handovers),
        table(outputs, |output| &output.stale),
    ];
    if outputs.iter().any(RunOutput::has_requests) {
        tables.push(table(outputs, |output| &output.requests));
    }
    if outputs.iter().any(|output| !output.told.is_empty()) {
        tables.push(table(outputs, |output| &output.told.lines));
        tables.push(table(outputs, |output| &output.told.exchanges));
        tables.push(table(outputs, |output| &output.told.subscriptions));
    }
    tables.extend([
        table(outputs, |output| &output.signalling),
        table(outputs, |output| &output.timeline),
        TextFile::new("summary.csv", summary_csv(summary)),
        TextFile::new("summary.json", summary_json(summary)),
    ]);
    tables
}

/// Comma-separated lines of fields, the columns first.
#[must_use]
pub fn csv_text(
    columns: &[impl AsRef<str>],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut lines = csv::Writer::from_writer(Vec::new());
    let columns = columns.iter().map(AsRef::as_ref);
    lines.write_record(columns).expect("writing to memory does not fail");
    for row in rows {
        lines.write_record(row).expect("every row has as many fields as there are columns");
    }
    let bytes = lines.into_inner().expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("fields are text")
}

fn table<R: Row>(outputs: &[RunOutput], rows: fn(&RunOutput) -> &Vec<R>) -> TextFile {
    let columns: Vec<_> = std::iter::once("run").chain(R::COLUMNS.iter().copied()).collect();
    let of_run = |output: &RunOutput| {
        let run = output.run.to_string();
        let numbered = |row: &R| {
            let mut fields = vec![run.clone()];
            fields.extend(row.fields());
            fields
        };
        rows(output).iter().map(numbered).collect::<Vec<_>>()
    };
    let text = csv_text(&columns, outputs.iter().flat_map(of_run));
    TextFile::new(format!("{}.csv", R::TABLE), text)
}

/// `runs.csv`: the run, the varied keys, seed, fingerprint, every headline metric.
#[must_use]
pub fn runs_csv(study: &Study, outputs: &[RunOutput]) -> String {
    let metrics = names(outputs.iter().map(|output| &output.headline));
    let mut columns = vec!["run"];
    columns.extend(study.varied.iter().map(String::as_str));
    columns.extend(["seed", "fingerprint"]);
    columns.extend(&metrics);
    let row = |output: &RunOutput| {
        let mut fields = vec![output.run.to_string()];
        fields.extend(study.cells[output.run as usize].varied.iter().cloned());
        fields.extend([output.seed.to_string(), format!("{:016x}", output.fingerprint)]);
        fields.extend(metrics.iter().map(|metric| optional(output.headline.value(metric))));
        fields
    };
    csv_text(&columns, outputs.iter().map(row))
}

/// One metric at one point, flat.
#[derive(Serialize)]
struct Line<'a> {
    metric: &'a str,
    mean: Option<f64>,
    sd: Option<f64>,
    n: usize,
    max: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    standard_error: Option<f64>,
    theory: Option<f64>,
    deviation: Option<f64>,
    assumption_broken: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(estimate: &'a Estimate) -> Self {
        let theory = estimate.theory.as_ref();
        Self {
            metric: &estimate.metric,
            mean: estimate.mean(),
            sd: estimate.sample.and_then(|sample| sample.sd),
            n: estimate.sample.map_or(0, |sample| sample.n),
            max: estimate.max(),
            low: estimate.interval.map(|interval| interval.low),
            high: estimate.interval.map(|interval| interval.high),
            standard_error: estimate.standard_error,
            theory: theory.map(|theory| theory.value),
            deviation: estimate.deviation(),
            assumption_broken: theory.and_then(|theory| theory.assumption_broken.as_deref()),
        }
    }

    fn fields(&self) -> [String; 11] {
        [
            self.metric.to_owned(),
            optional(self.mean),
            optional(self.sd),
            self.n.to_string(),
            optional(self.max),
            optional(self.low),
            optional(self.high),
            optional(self.standard_error),
            optional(self.theory),
            optional(self.deviation),
            optional(self.assumption_broken),
        ]
    }
}

const LINE_COLUMNS: [&str; 11] = [
    "metric",
    "mean",
    "sd",
    "n",
    "max",
    "low",
    "high",
    "standard_error",
    "theory",
    "deviation",
    "assumption_broken",
];

/// `summary.csv`: one row a point and metric. `max` is the largest value of a run, `low` and `high`
/// bound the 95 % interval of the mean, `deviation` is in standard errors. The mean of a metric that
/// is a maximum, such as `claimants.max`, is that of the maxima of the runs.
fn summary_csv(summary: &Summary) -> String {
    let mut columns: Vec<&str> = vec!["point"];
    columns.extend(summary.varied.iter().map(String::as_str));
    columns.extend(LINE_COLUMNS);
    let rows = summary.points.iter().flat_map(|point| {
        point.estimates.iter().map(|estimate| {
            let mut fields = vec![point.point.to_string()];
            fields.extend(point.varied.iter().cloned());
            fields.extend(Line::of(estimate).fields());
            fields
        })
    });
    csv_text(&columns, rows)
}

#[derive(Serialize)]
struct JsonKey<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct JsonPoint<'a> {
    point: u32,
    varied: Vec<JsonKey<'a>>,
    runs: usize,
    warnings: Vec<JsonWarning>,
    metrics: Vec<Line<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "warning", rename_all = "snake_case")]
enum JsonWarning {
    FewRuns { runs: usize },
    ShortWarmup { series: &'static str, until_s: Option<f64>, early: f64, later: f64 },
}

impl JsonWarning {
    fn of(warning: &Warning) -> Self {
        match *warning {
            Warning::FewRuns { runs } => Self::FewRuns { runs },
            Warning::ShortWarmup(Unsettled { series, until, early, later }) => Self::ShortWarmup {
                series: series.name(),
                until_s: until.map(SimTime::as_secs_f64),
                early,
                later,
            },
        }
    }
}

/// `summary.json`: a list of points, each with its varied keys, warnings and a list of metrics.
fn summary_json(summary: &Summary) -> String {
    let of_point = |point: &'_ crate::experiment::summary::PointSummary| {
        let keys = summary.varied.iter().zip(&point.varied);
        serde_json::to_value(JsonPoint {
            point: point.point,
            varied: keys.map(|(key, value)| JsonKey { key, value }).collect(),
            runs: point.runs,
            warnings: point.warnings.iter().map(JsonWarning::of).collect(),
            metrics: point.estimates.iter().map(Line::of).collect(),
        })
    };
    let points: Result<Vec<_>, _> = summary.points.iter().map(of_point).collect();
    let points = points.expect("a summary has string keys");
    let mut text = serde_json::to_string_pretty(&points).expect("a summary has string keys");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::{fake_output, study};
    use crate::experiment::summary::{Theory, summarise};

    fn text(study: &Study, name: &str) -> String {
        let outputs: Vec<_> = study.cells.iter().map(fake_output).collect();
        let theory = [Theory {
            point: 0,
            metric: "departures".into(),
            value: 2.0,
            assumption_broken: Some("leaves are not Poisson".into()),
        }];
        let summary = summarise(study, &outputs, &theory);
        let tables = tables(study, &outputs, &summary);
        tables.into_iter().find(|file| file.name == name).unwrap().text
    }

    #[test]
    fn tables_have_the_bytes_that_they_had() {
        let study = study(2);
        assert_eq!(
            text(&study, "stale.csv"),
            "run,resolver,address,ended_s,window_s,stale_answers,answers,callers\n\
             0,isp-1,10.0.0.1,200,37,4,9,1\n\
             0,isp-2,10.0.0.1,200,0,4,9,1\n\
             1,isp-1,10.0.0.1,200,38,4,9,1\n\
             1,isp-2,10.0.0.1,200,0,4,9,1\n"
        );
        assert_eq!(
            text(&study, "handovers.csv").lines().take(3).collect::<Vec<_>>(),
            [
                "run,caller,opened_s,detect_s,claim_s,update_s,publish_s,cache_s,ask_s,recover_s,\
                 restore_s,outage_s,total_s,departures,claimants,updates,old_address,new_address,\
                 closed,resolution",
                "0,ru.ac.za,50,7,5,0.25,0,30,2,0.000000001,42.25,42.250000001,44.250000001,1,2,3,\
                 10.0.0.1,,censored,claim",
                "0,ru.ac.za,200,7,5,0.25,0,30,2,0.000000001,42.25,42.250000001,44.250000001,1,2,3,\
                 10.0.0.1,,lookup,claim",
            ]
        );
        assert_eq!(
            text(&study, "signalling.csv"),
            "run,protocol,purpose,direction,messages,bytes\n\
             0,dns,dns-client,sent,10,630\n\
             1,dns,dns-client,sent,10,630\n"
        );
        assert_eq!(text(&study, "timeline.csv").lines().nth(1), Some("0,300,200,1,true,1,2,1,10"));
    }

    #[test]
    fn runs_have_the_varied_keys_seed_fingerprint_and_metrics() {
        let mut study = study(2);
        study.varied = vec!["dns.ttl".into()];
        study.cells[0].varied = vec!["5s".into()];
        study.cells[1].varied = vec!["60s".into()];
        let text = text(&study, "runs.csv");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("run,dns.ttl,seed,fingerprint,leaves,departures,"));
        // The output of splitmix64 for 7 and 8 after one step, as in `rng`.
        let print = crate::rng::mix(7);
        // One departure in 3,500 s is 1.0285714285714287 an hour.
        let expected = format!("0,5s,7,{print:016x},0,1,1.0285714285714287,0.005,18.5,");
        assert!(lines[1].starts_with(&expected), "{}", lines[1]);
        assert!(lines[2].starts_with("1,60s,8,"));
        let columns = |line: &str| line.split(',').count();
        assert!(lines.iter().all(|line| columns(line) == columns(lines[0])));
    }

    #[test]
    fn the_summary_names_theory_deviation_and_broken_assumption() {
        let study = study(2);
        let csv = text(&study, "summary.csv");
        assert!(csv.starts_with("point,metric,mean,sd,n,max,low,high,standard_error,theory,"));
        // Both runs have one departure: no spread, so no deviation in standard errors.
        assert!(csv.contains("\n0,departures,1,0,2,1,1,1,0,2,,leaves are not Poisson\n"), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&text(&study, "summary.json")).unwrap();
        let metrics = json[0]["metrics"].as_array().unwrap();
        let departures = metrics.iter().find(|line| line["metric"] == "departures").unwrap();
        assert_eq!(departures["theory"], 2.0);
        assert_eq!(metrics.len(), csv.lines().count() - 1);
    }
}
