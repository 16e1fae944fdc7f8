//! What `overcord diff` prints: paired differences, beside what unpaired samples would have told.

use crate::experiment::difference::{MetricDifference, PointDifference};
use crate::experiment::statistics::Interval;
use crate::metrics::codebook;
use crate::metrics::tables::optional;
use crate::report::quantity::{apart, percent, quantity, signed};
use crate::report::tables::csv_text;
use crate::report::terminal::Grid;

/// The metrics that are always told; the others where they are asked for.
const SHOWN: [&str; 14] = [
    "departures",
    "stale_share",
    "stale_window.mean",
    "stale_window.p95",
    "outage.mean",
    "outage.p95",
    "restore.mean",
    "claimants.mean",
    "split_brain_share",
    "false_claims",
    "failed_interop",
    "request_delay.mean",
    "messages_per_node_hour",
    "bytes_per_node_hour",
];

/// The table of one point; of all metrics, or of those that matter most.
#[must_use]
pub fn table(point: &PointDifference, all: bool) -> String {
    let mut grid = Grid::default();
    let titles =
        ["", "A", "B", "B − A", "95 %, paired", "unpaired", "saved", "better", "worse", "same"];
    grid.row(titles.map(str::to_owned));
    let shown = |it: &&MetricDifference| all || SHOWN.contains(&it.metric.as_str());
    point.metrics.iter().filter(shown).for_each(|it| grid.row(row(it)));
    let mut text = String::new();
    grid.write(&mut text);
    text
}

fn row(it: &MetricDifference) -> [String; 10] {
    let unit = codebook::unit_of(&it.metric);
    let paired = &it.paired;
    let none = || "–".to_owned();
    let half = |interval: Option<Interval>| {
        interval.map_or_else(none, |it| format!("± {}", apart(unit, it.half())))
    };
    let score = paired.score(it.better);
    let pairs = |count: fn(&crate::experiment::paired::Score) -> usize| {
        score.as_ref().map_or_else(none, |score| count(score).to_string())
    };
    [
        it.metric.clone(),
        quantity(unit, paired.a.mean),
        quantity(unit, paired.b.mean),
        signed(unit, paired.difference.mean),
        half(paired.interval),
        half(paired.unpaired.map(|welch| welch.interval)),
        paired.variance_saved().map_or_else(none, percent),
        pairs(|score| score.wins),
        pairs(|score| score.losses),
        paired.order.same.to_string(),
    ]
}

/// What the columns are, below the tables.
pub const LEGEND: &str = "\
B − A (of shares in percentage points, pp) with half the width of its 95 % interval: over the
differences of runs with the same seed (paired), and as it would be for runs of different seeds
(unpaired, Welch). saved: the share of the variance that the pairing took away. better, worse,
same: in how many pairs B is.
";

/// All metrics of all points as a table.
#[must_use]
pub fn csv(varied: &[String], points: &[(&[String], &PointDifference)]) -> String {
    let mut columns = vec!["point"];
    columns.extend(varied.iter().map(String::as_str));
    columns.extend([
        "metric",
        "pairs",
        "a_mean",
        "b_mean",
        "difference",
        "paired_low",
        "paired_high",
        "unpaired_low",
        "unpaired_high",
        "variance_saved",
        "below",
        "same",
        "above",
    ]);
    let rows = points.iter().flat_map(|(values, point)| {
        point.metrics.iter().map(|it| {
            let mut fields = vec![point.point.to_string()];
            fields.extend(values.iter().cloned());
            fields.extend(csv_row(it));
            fields
        })
    });
    csv_text(&columns, rows)
}

fn csv_row(it: &MetricDifference) -> [String; 13] {
    let paired = &it.paired;
    let unpaired = paired.unpaired.map(|welch| welch.interval);
    [
        it.metric.clone(),
        paired.difference.n.to_string(),
        paired.a.mean.to_string(),
        paired.b.mean.to_string(),
        paired.difference.mean.to_string(),
        optional(paired.interval.map(|it| it.low)),
        optional(paired.interval.map(|it| it.high)),
        optional(unpaired.map(|it| it.low)),
        optional(unpaired.map(|it| it.high)),
        optional(paired.variance_saved()),
        paired.order.below.to_string(),
        paired.order.same.to_string(),
        paired.order.above.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::paired::Paired;
    use crate::metrics::codebook::Better;

    /// Differences −10, −20 and −30 s of values that spread more: t(0.975, 2) = 4.303, so that the
    /// half width is 4.303·10/√3 = 24.8 s; var A = 10,000, var B = 8,100, var(B − A) = 100, saved
    /// 1 − 100/18,100 = 99.4 %. Welch: standard error √(18,100/3) = 77.7 s at df = 2·18,100²/
    /// (10,000² + 8,100²) = 3.96, whose quantile is 2.787: 216.5 s.
    fn point() -> PointDifference {
        let paired = Paired::of(&[(100.0, 90.0), (200.0, 180.0), (300.0, 270.0)]).unwrap();
        let metric = "outage.mean".to_owned();
        let metrics = vec![MetricDifference { metric, better: Better::Lower, paired }];
        PointDifference { point: 0, pairs: 3, same: 0, first: Some([0, 0]), metrics }
    }

    #[test]
    fn both_intervals_are_printed() {
        let text = table(&point(), false);
        let row = text.lines().nth(1).unwrap();
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect();
        assert_eq!(
            cells,
            [
                "outage.mean",
                "3.33 min",
                "3 min",
                "-20 s",
                "± 24.8 s",
                "± 3.61 min",
                "99.4 %",
                "3",
                "0",
                "0"
            ]
        );
    }

    #[test]
    fn the_table_for_programs_has_a_row_a_point_and_metric() {
        let text = csv(&["dns.ttl".to_owned()], &[(&["5s".to_owned()], &point())]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("point,dns.ttl,metric,pairs,a_mean,b_mean,difference,"));
        assert!(lines[1].starts_with("0,5s,outage.mean,3,200,180,-20,"), "{}", lines[1]);
        assert!(lines[1].ends_with(",3,0,0"));
    }
}
