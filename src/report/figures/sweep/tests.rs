//! The figures of small studies, from summaries whose numbers are easy to follow.

use std::sync::Arc;

use super::*;
use crate::experiment::cell::StudyPoint;
use crate::experiment::run::tests::study;
use crate::experiment::statistics::Sample;
use crate::experiment::summary::PointSummary;

/// The points of a grid, the last key fastest.
fn grid(keys: &[(&str, &[&str])]) -> Study {
    let one = study(1);
    let mut values: Vec<Vec<String>> = vec![Vec::new()];
    for (_, labels) in keys {
        let longer = |row: &Vec<String>| -> Vec<Vec<String>> {
            let with = |label: &&str| row.iter().cloned().chain([(*label).to_owned()]).collect();
            labels.iter().map(with).collect()
        };
        values = values.iter().flat_map(longer).collect();
    }
    let point = |varied| StudyPoint {
        varied,
        identity: Arc::clone(&one.points[0].identity),
        ..one.points[0].clone()
    };
    Study {
        varied: keys.iter().map(|(key, _)| (*key).to_owned()).collect(),
        points: values.into_iter().map(point).collect(),
        cells: Vec::new(),
        ..one
    }
}

/// What three runs gave for a metric: a mean, and half its interval.
fn estimate(metric: &str, mean: f64, half: f64) -> Estimate {
    Estimate {
        metric: metric.to_owned(),
        sample: Sample::of(&[mean, mean, mean]),
        interval: (half > 0.0).then_some(Interval { low: mean - half, high: mean + half }),
        standard_error: None,
        theory: None,
    }
}

/// The summary of a study in which a point has what `of` says.
fn summary(study: &Study, of: impl Fn(usize) -> Vec<Estimate>) -> Summary {
    let point = |(number, point): (usize, &StudyPoint)| PointSummary {
        point: number as u32,
        varied: point.varied.clone(),
        runs: 3,
        estimates: of(number),
        warnings: Vec::new(),
    };
    Summary {
        varied: study.varied.clone(),
        points: study.points.iter().enumerate().map(point).collect(),
    }
}

fn theory(value: f64, broken: Option<&str>) -> Option<Theory> {
    let assumption_broken = broken.map(str::to_owned);
    Some(Theory { point: 0, metric: String::new(), value, assumption_broken })
}

const TTL: (&str, &[&str]) = ("dns.ttl", &["5s", "30s", "60s", "300s"]);
const NODES: (&str, &[&str]) = ("overlay.nodes", &["100", "200"]);
const DESIGN: (&str, &[&str]) = ("handover.strategy", &["dyndns", "static", "oracle"]);

/// Stale shares that grow from point to point, each known to a tenth.
fn growing(study: &Study) -> Summary {
    summary(study, |point| {
        let share = 0.01 * (1.0 + point as f64);
        vec![estimate("stale_share", share, share / 10.0)]
    })
}

fn told(study: &Study, summary: &Summary, name: &str) -> String {
    let points: Vec<&[String]> = study.points.iter().map(|point| &point.varied[..]).collect();
    let dimensions = dimensions(&study.varied, &points);
    let layout = Layout::of(&dimensions).unwrap();
    let metric = crate::metrics::codebook::metric(name).unwrap();
    Plot::of(metric, summary, &layout).unwrap().told().join(" ")
}

fn names(study: &Study, summary: &Summary) -> Vec<String> {
    figures(study, summary).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn there_is_a_figure_of_each_metric_that_says_something() {
    let study = grid(&[TTL]);
    let summary = summary(&study, |point| {
        let n = point as f64;
        vec![
            estimate("departures", 7.0, 0.0),
            estimate("stale_share", n, 0.0),
            estimate("stale_answers_per_departure", n, 0.0),
            Estimate { sample: None, ..estimate("outage.mean", 0.0, 0.0) },
            estimate("claimants.mean", 0.0, 0.0),
            Estimate { theory: theory(4.5, None), ..estimate("lookup_hops.mean", 4.4, 0.1) },
        ]
    });
    // Departures are no result; the outage has no value, claimants are always zero, and of the stale
    // answers theory says nothing.
    assert_eq!(names(&study, &summary), ["sweep-stale-share", "sweep-lookup-hops-mean"]);
    let alone = grid(&[("dns.ttl", &["5s"])]);
    assert!(names(&alone, &growing(&alone)).is_empty(), "one point");
    let same = grid(&[("dns.ttl", &["5s", "5s"])]);
    assert!(names(&same, &growing(&same)).is_empty(), "points that do not differ");
}

#[test]
fn the_table_has_every_point() {
    let study = grid(&[TTL]);
    let mut summary = growing(&study);
    summary.points[1].estimates[0].theory = theory(0.25, Some("no message is lost"));
    summary.points[2].estimates[0].sample = None;
    summary.points.remove(3);
    let (_, figure) = figures(&study, &summary).remove(0);
    assert_eq!(
        figure.csv,
        "point,dns.ttl,runs,mean,low,high,theory,assumption_broken\n\
         0,5s,3,0.01,0.009000000000000001,0.011,,\n\
         1,30s,3,0.02,0.018000000000000002,0.022,0.25,no message is lost\n\
         2,60s,0,,,,,\n"
    );
}

#[test]
fn what_is_below_the_title_says_what_is_drawn_and_what_is_not() {
    let study = grid(&[TTL, NODES]);
    let summary = growing(&study);
    assert_eq!(
        told(&study, &summary, "stale_share"),
        "Time in which a resolver would answer without a valid address, summed over all resolvers, by \
         the time observed, likewise summed. Means over 3 runs at each point, with 95 % intervals."
    );
    let mut lame = summary.clone();
    lame.points[0].estimates[0].sample = Sample::of(&[0.01]);
    lame.points[3].estimates[0].sample = None;
    lame.points.remove(7);
    for (index, broken) in [(1, None), (2, Some("probes are independent"))] {
        lame.points[index].estimates[0].theory = theory(0.03, broken);
    }
    // Three times the largest mean, 7 %: beyond the axis.
    lame.points[6].estimates[0].interval = Some(Interval { low: 0.0, high: 0.21 });
    let told_of = told(&study, &lame, "stale_share");
    let (_, drawn) = told_of.split_once("likewise summed. ").unwrap();
    assert_eq!(
        drawn,
        "Means over 1 to 3 runs at each point, with 95 % intervals. Intervals without a bar at their \
         end are cut there. 2 points without a value. Theory takes for granted that probes are independent, \
         which is not so at 1 point."
    );
}

#[test]
fn single_runs_have_no_intervals_and_keys_that_go_along_are_named() {
    let mut study = grid(&[TTL]);
    study.varied.push("dns.negative_ttl".into());
    for point in &mut study.points {
        let twin = format!("{}s", point.varied[0].len());
        point.varied.push(twin + &point.varied[0]);
    }
    let mut summary = summary(&study, |point| vec![estimate("stale_share", point as f64, 0.0)]);
    for (n, point) in (0..).zip(&mut summary.points) {
        point.estimates[0].sample = Sample::of(&[f64::from(n)]);
    }
    let text = told(&study, &summary, "stale_share");
    assert!(
        text.ends_with("One run at each point: no intervals. With dns.ttl goes dns.negative_ttl."),
        "{text}"
    );
}

/// The pixels of marks and lines, for values that are easily placed.
#[test]
fn values_are_drawn_where_they_belong() {
    let study = grid(&[("overlay.nodes", &["100", "200", "300"])]);
    let summary = summary(&study, |point| {
        let mean = [1.0, 4.0, 2.0][point];
        vec![Estimate { theory: theory(2.0, None), ..estimate("claimants.mean", mean, 1.0) }]
    });
    let (_, figure) = figures(&study, &summary).remove(0);
    // The definition and what is drawn take three lines: the frame begins at 50 + 3·22 + 22 = 138 and
    // is 400 high. From 0 to 300 there are 840 pixels less 4 %, 806.4; five claimants fill the
    // height.
    let [x, y] = [[389, 658, 926], [458, 218, 378]];
    for (x, y) in x.into_iter().zip(y) {
        assert!(
            figure.svg.contains(&format!("<circle cx=\"{x}\" cy=\"{y}\"")),
            "{x} {y}\n{}",
            figure.svg
        );
        let whisker = format!("points=\"{x},{} {x},{} \"", y + 80, y - 80);
        assert!(figure.svg.contains(&whisker), "{whisker}");
    }
    assert!(figure.svg.contains("389,458 658,218 926,378"), "the line");
    assert!(figure.svg.contains("points=\"389,378 398,378 \""), "the first dash of theory");
}

/// What stands behind the rows of a chart: means, and half of intervals that are even.
#[test]
fn rows_tell_their_values_in_one_unit() {
    let study = grid(&[DESIGN]);
    let summary = summary(&study, |point| {
        let mean = [0.9, 1.5, 1.2][point];
        let uneven = Some(Interval { low: 1.0, high: 1.3 });
        let estimate = estimate("outage.mean", mean, 0.18);
        vec![if point == 2 { Estimate { interval: uneven, ..estimate } } else { estimate }]
    });
    let (_, figure) = figures(&study, &summary).remove(0);
    for told in ["0.90 ± 0.18 s", "1.50 ± 0.18 s", "1.2 s"] {
        assert!(figure.svg.contains(&format!("\n{told}\n")), "{told}\n{}", figure.svg);
    }
}

/// The bytes of the figures may change only when their drawing is changed.
#[test]
fn figures_have_the_bytes_that_they_had() {
    let digest = |study: &Study, summary: &Summary| {
        let mut hasher = blake3::Hasher::new();
        for (_, Figure { svg, .. }) in figures(study, summary) {
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
            hasher.update(svg.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    };
    let shapes: [&[(&str, &[&str])]; 4] =
        [&[TTL], &[NODES, TTL], &[DESIGN, NODES, TTL], &[NODES, DESIGN]];
    let digests = shapes.map(|keys| {
        let study = grid(keys);
        digest(&study, &growing(&study))
    });
    assert_eq!(
        digests,
        ["b0a8d50bd581fc99", "1b866fbd158b7a43", "3610460aabf4391f", "7eff0e1e13080840"]
    );
    // Over words, with a logarithmic scale on which zero stands apart, and theory.
    let study = grid(&[DESIGN]);
    let wide = summary(&study, |point| {
        let mean = [0.0, 0.5, 90.0][point];
        vec![Estimate { theory: theory(7.0, None), ..estimate("outage.mean", mean, mean) }]
    });
    assert_eq!(digest(&study, &wide), "0ab559777cd3681a");
}
