use super::*;
use crate::experiment::statistics::{Interval, Sample};
use crate::experiment::summary::Theory;

/// The mean of a metric over some runs, and half its interval.
fn estimate(metric: &str, mean: f64, half: f64) -> Estimate {
    Estimate {
        metric: metric.to_owned(),
        sample: Sample::of(&[mean, mean]),
        interval: (half > 0.0).then_some(Interval { low: mean - half, high: mean + half }),
        standard_error: Some(half / 2.0).filter(|error| *error > 0.0),
        theory: None,
    }
}

/// Points with these values of these keys, two runs each; all metrics grow from point to point.
fn summary(keys: &[&str], points: &[&[&str]]) -> Summary {
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let point = |(number, values): (usize, &&[&str])| {
        let factor = 1.0 + number as f64;
        let metrics = [
            ("stale_window.mean", 3.25),
            ("stale_share", 0.012),
            ("outage.mean", 41.7),
            ("outage.p95", 62.0),
            ("failed_interop", 0.004),
            ("claimants.mean", 12.0),
            ("split_brain_share", 0.02),
            ("messages_per_node_hour", 1234.5),
        ];
        let estimates = metrics.map(|(name, mean)| estimate(name, mean * factor, mean / 10.0));
        PointSummary {
            point: number as u32,
            varied: strings(values),
            runs: 2,
            estimates: estimates.into(),
            warnings: Vec::new(),
        }
    };
    Summary { varied: strings(keys), points: points.iter().enumerate().map(point).collect() }
}

fn written(summary: &Summary) -> String {
    let mut text = String::new();
    write(&mut text, summary);
    text
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn a_line_a_point_with_what_it_varies_first() {
    let summary = summary(
        &["dns.ttl", "handover.strategy"],
        &[&["5s", "dyndns"], &["5s", "oracle"], &["1800s", "dyndns"], &["1800s", "oracle"]],
    );
    // 12, 24, 36 and 48 thousandths with half intervals of 1.2, and so on; 80 columns have room for
    // four metrics.
    assert_eq!(
        written(&summary),
        "
                        resolvers'      outage        failed    messages
point    ttl  strategy     stale %      mean s     interop %     /node h
    0     5s  dyndns    1.20 ±0.12   41.7 ±4.2  0.400 ±0.040  1,234 ±123
    1     5s  oracle    2.40 ±0.12   83.4 ±4.2  0.800 ±0.040  2,469 ±123
    2  1800s  dyndns    3.60 ±0.12  125.1 ±4.2  1.200 ±0.040  3,704 ±123
    3  1800s  oracle    4.80 ±0.12  166.8 ±4.2  1.600 ±0.040  4,938 ±123
Means over the 2 runs of each point ± half of their 95 % interval.
resolvers' stale: share of the time that resolvers, whoever's, have no valid
address; outage: from a departure to the first request served again; failed
interop: requests that failed on the way to the overlay; messages: by everybody,
per node and hour.
All metrics: summary.csv; over what is varied: figures/sweep-*.svg.
"
    );
}

#[test]
fn columns_give_way_by_their_rank_and_then_words_get_shorter() {
    let long = "a design with a name that is much too long for a table";
    let keys = ["name", "dns.ttl", "handover.probe_interval", "overlay.nodes"];
    let points: [&[&str]; 2] = [&[long, "5s", "15s", "100"], &["short", "60s", "120s", "200"]];
    let text = written(&summary(&keys, &points));
    // The name stands for all that goes with it.
    assert!(text.contains("\n    0  a design with a…a table "), "{text}");
    assert!(widest(&text) <= WIDTH, "{text}");
    let points: [&[&str]; 4] = [
        &[long, "5s", "15s", "100"],
        &[long, "60s", "120s", "200"],
        &["short", "5s", "120s", "100"],
        &["short", "60s", "15s", "100"],
    ];
    let keys = ["handover.strategy", "dns.ttl", "handover.probe_interval", "overlay.nodes"];
    let text = written(&summary(&keys, &points));
    assert!(text.contains("outage") && text.contains("messages"), "{text}");
    assert!(!text.contains("claimants") && !text.contains("window"), "{text}");
    assert!(text.contains(" a design…ble ") && text.contains(" probe_interval "), "{text}");
    assert!(widest(&text) <= WIDEST, "{text}");
}

#[test]
fn of_very_many_points_the_ends_are_shown() {
    let labels: Vec<String> = (1..=40).map(|nodes| (10 * nodes).to_string()).collect();
    let points: Vec<[&str; 1]> = labels.iter().map(|label| [label.as_str()]).collect();
    let all: Vec<&[&str]> = points.iter().map(|point| &point[..]).collect();
    let text = written(&summary(&["overlay.nodes"], &all));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[14].starts_with("   11    120 "), "{text}");
    assert_eq!(lines[15], "    … 16 more points in summary.csv");
    assert!(
        lines[16].starts_with("   28    290 ") && lines[27].starts_with("   39    400 "),
        "{text}"
    );
    let text = written(&summary(&["overlay.nodes"], &all[..24]));
    assert!(!text.contains('…') && text.contains("\n   23    240 "), "{text}");
}

#[test]
fn what_has_no_value_is_a_dash_and_what_never_has_one_no_column() {
    let mut summary = summary(&["dns.ttl"], &[&["5s"], &["60s"]]);
    for point in &mut summary.points {
        point.runs = 1;
        point.estimates.retain(|it| ["outage.mean", "stale_share"].contains(&it.metric.as_str()));
        point.estimates.iter_mut().for_each(|it| it.interval = None);
    }
    summary.points[1].estimates[1].sample = None;
    let text = written(&summary);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1..5],
        [
            "            resolvers'  outage",
            "point  ttl     stale %  mean s",
            "    0   5s         1.2    41.7",
            "    1  60s         2.4       –"
        ]
    );
    assert_eq!(lines[5], "One run at each point.");
}

#[test]
fn theory_is_told_by_how_far_off_the_points_are() {
    let mut summary = summary(&["dns.ttl"], &[&["5s"], &["60s"], &["300s"]]);
    let theory = |value, broken: Option<&str>| {
        let assumption_broken = broken.map(str::to_owned);
        Some(Theory { point: 0, metric: String::new(), value, assumption_broken })
    };
    // Half an interval is 0.325 and the standard error half of that: 3.25 and 6.5 are one error above
    // 3.0875 and two below 6.825.
    summary.points[0].estimates[0].theory = theory(3.0875, None);
    summary.points[1].estimates[0].theory = theory(6.825, None);
    summary.points[2].estimates[0].theory = theory(1.0, Some("no message is lost"));
    let text = written(&summary);
    let expected = "\nstale_window.mean: -2.0 to +1.0 s.e. from theory at 2 points; an assumption is\n\
                    broken at 1 point.\n";
    assert!(text.contains(expected), "{text}");
}

/// One of two runs has an outage.
#[test]
fn a_mean_over_fewer_runs_is_marked() {
    let mut summary = summary(&["dns.ttl"], &[&["5s"], &["60s"]]);
    assert!(!written(&summary).contains("*: over fewer"));
    let estimates = summary.points[1].estimates.iter_mut();
    let outage = estimates.into_iter().find(|it| it.metric == "outage.mean").unwrap();
    outage.sample = Sample::of(&[83.4]);
    let text = written(&summary);
    assert!(text.contains("±4.2*"), "{text}");
    assert!(text.contains("\n*: over fewer runs, since the others have no value.\n"), "{text}");
}

/// Callers' share stands for that of all resolvers, and an interval that would go below zero, or above
/// a whole, is told by its other end: 0.02 ± 0.05 %, 95 ± 10 %.
#[test]
fn callers_come_first_and_intervals_are_cut() {
    let mut summary = summary(&["dns.ttl"], &[&["5s"], &["60s"]]);
    for (point, mean, half) in [(0, 0.0002, 0.0005), (1, 0.95, 0.1)] {
        let estimates = &mut summary.points[point].estimates;
        estimates.retain(|it| it.metric == "stale_share");
        estimates.push(estimate(CALLER_STALE_SHARE, mean, half));
    }
    let text = written(&summary);
    assert!(text.contains(" callers'\n") && !text.contains("resolvers' stale"), "{text}");
    assert!(text.contains(" 0.020 (<0.070)\n") && text.contains(" 95 (>85)"), "{text}");
    assert!(text.contains("\n(<x), (>x): the one end of an interval"), "{text}");
    assert_eq!(with_half(Writing::Percent, 50.0, 70.0), ("50".to_owned(), "(any)".to_owned()));
    assert_eq!(with_half(Writing::Number, 50.0, 70.0).1, "(<120)", "a number has no whole");
}
