//! What a study compares by name, such as the designs of a paper: a table with what a paper prints
//! of each, and the differences from the first, paired by run.
//!
//! Listed points (`[[sweep.point]]`) are compared with each other; beside a grid, those that share
//! its values, so that each churn has its own table. Departures of two designs are not the same
//! ones, so handovers stand side by side, and only what belongs to a run as a whole is paired:
//! shares of time and of requests, and signalling.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::experiment::cell::Study;
use crate::experiment::paired::Paired;
use crate::experiment::summary::{PointSummary, Summary};
use crate::metrics::codebook::{Unit, unit_of};
use crate::metrics::headline::FAILED_INTEROP;
use crate::metrics::tables::{RunOutput, optional};
use crate::report::TextFile;
use crate::report::quantity::{count, number, percent, span};
use crate::report::tables::csv_text;
use crate::report::terminal::Grid;
use crate::report::varied::dimensions;

/// What is told of each, with its column in the table.
const TOLD: [(&str, &str); 15] = [
    ("departures_per_hour", "departures /h"),
    ("stale_window.median", "stale window, median"),
    ("stale_window.p95", "p95"),
    ("restore.median", "restore, median"),
    ("restore.p95", "p95"),
    ("outage.median", "outage, median"),
    ("outage.p95", "p95"),
    ("claimants.mean", "claimants"),
    ("claimants.max", "most"),
    ("split_brain_share", "split brain"),
    ("messages_per_node_hour", "messages /node h"),
    ("bytes_per_node_hour", "bytes /node h"),
    ("stale_share", "stale share"),
    (FAILED_INTEROP, "failed interop"),
    ("failed_outbound", "failed outbound"),
];

/// What belongs to a run as a whole, so that runs of one seed make a pair.
const PAIRED: [(&str, &str); 4] = [
    ("stale_share", "stale share"),
    (FAILED_INTEROP, "failed interop"),
    ("split_brain_share", "split brain"),
    ("messages_per_node_hour", "messages /node h"),
];

/// Points that are compared with each other.
pub(crate) struct Group<'a> {
    /// What they share of what else is varied; empty where nothing else is.
    pub(crate) told: String,
    /// Their names; the first is what the others are compared with.
    pub(crate) members: Vec<(String, &'a PointSummary)>,
}

/// The points that are compared; none where no points are listed.
pub(crate) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    let values: Vec<&[String]> = summary.points.iter().map(|point| &point.varied[..]).collect();
    let dimensions = dimensions(&summary.varied, &values);
    let Some(named) = dimensions.iter().find(|it| it.key.is_empty()) else { return Vec::new() };
    let others = || dimensions.iter().filter(|it| !it.key.is_empty());
    let mut groups: BTreeMap<Vec<usize>, Group<'_>> = BTreeMap::new();
    for (place, point) in summary.points.iter().enumerate() {
        let told = others().map(|it| it.told(it.of_point[place])).collect::<Vec<_>>().join(", ");
        let key = others().map(|it| it.of_point[place]).collect();
        let group = groups.entry(key).or_insert_with(|| Group { told, members: Vec::new() });
        group.members.push((named.levels[named.of_point[place]].label.clone(), point));
    }
    groups.into_values().filter(|group| group.members.len() > 1).collect()
}

/// The values of a metric in the runs of each point, by seed.
struct Runs<'a>(Vec<BTreeMap<u64, &'a RunOutput>>);

impl<'a> Runs<'a> {
    fn of(study: &Study, outputs: &'a [RunOutput]) -> Self {
        let mut points = vec![BTreeMap::new(); study.points.len()];
        for output in outputs {
            let point = study.cells[output.run as usize].point;
            points[point as usize].insert(output.seed, output);
        }
        Self(points)
    }

    /// A metric of B against A.
    fn paired(&self, a: &PointSummary, b: &PointSummary, metric: &str) -> Option<Paired> {
        let (of_a, of_b) = (&self.0[a.point as usize], &self.0[b.point as usize]);
        let pair = |(seed, a): (&u64, &&RunOutput)| {
            Some((a.headline.value(metric)?, of_b.get(seed)?.headline.value(metric)?))
        };
        Paired::of(&of_a.iter().filter_map(pair).collect::<Vec<_>>())
    }
}

/// `comparison.md` and `comparison.csv`; nothing where nothing is compared by name.
pub(super) fn files(study: &Study, outputs: &[RunOutput], summary: &Summary) -> Vec<TextFile> {
    let groups = groups(summary);
    if groups.is_empty() {
        return Vec::new();
    }
    let runs = Runs::of(study, outputs);
    let mut text = format!("# {}\n", study.scenario);
    for group in &groups {
        markdown(&mut text, group, &runs);
    }
    vec![
        TextFile::new("comparison.md", text),
        TextFile::new("comparison.csv", csv(study, &groups, &runs)),
    ]
}

/// A value of a metric as people read it.
fn quantity(metric: &str, value: f64) -> String {
    match unit_of(metric) {
        Unit::Seconds => span(value),
        Unit::Share => percent(value),
        _ => number(value),
    }
}

fn cell(point: &PointSummary, metric: &str) -> String {
    point.mean(metric).map_or_else(|| "–".to_owned(), |value| quantity(metric, value))
}

/// The difference with half of its interval, and in how many pairs the second is less and more.
fn difference(metric: &str, paired: &Paired) -> String {
    let mean = paired.difference.mean;
    let sign = if mean > 0.0 { "+" } else { "" };
    let half = paired.interval.map(|it| format!(" ± {}", quantity(metric, it.half())));
    let order = paired.order;
    format!(
        "{sign}{}{} ({}/{}/{})",
        quantity(metric, mean),
        half.unwrap_or_default(),
        order.below,
        order.same,
        order.above
    )
}

fn row(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn rule(text: &mut String, columns: usize) {
    let _ = writeln!(text, "|---|{}", "---:|".repeat(columns));
}

fn markdown(text: &mut String, group: &Group<'_>, runs: &Runs<'_>) {
    if !group.told.is_empty() {
        let _ = writeln!(text, "\n## {}", group.told);
    }
    let of = |metric: &str| group.members.iter().any(|(_, point)| point.mean(metric).is_some());
    let told: Vec<_> = TOLD.into_iter().filter(|(metric, _)| of(metric)).collect();
    let most = group.members.iter().map(|(_, point)| point.runs).max().unwrap_or(0);
    let _ = writeln!(
        text,
        "\nMeans over {}; medians and p95 are those of a run.\n",
        count(most, "run")
    );
    row(text, std::iter::once(String::new()).chain(told.iter().map(|it| it.1.to_owned())));
    rule(text, told.len());
    for (name, point) in &group.members {
        let cells = told.iter().map(|(metric, _)| cell(point, metric));
        row(text, std::iter::once(name.clone()).chain(cells));
    }
    let Some(((first, reference), others)) = group.members.split_first() else { return };
    let _ = writeln!(
        text,
        "\nAgainst `{first}`, paired by run: mean difference ± half of its 95 % interval (pairs in \
         which it is less, the same, more).\n"
    );
    let paired: Vec<_> = PAIRED.into_iter().filter(|(metric, _)| of(metric)).collect();
    row(text, std::iter::once(String::new()).chain(paired.iter().map(|it| it.1.to_owned())));
    rule(text, paired.len());
    for (name, point) in others {
        let cells = paired.iter().map(|(metric, _)| {
            let paired = runs.paired(reference, point, metric);
            paired.map_or_else(|| "–".to_owned(), |paired| difference(metric, &paired))
        });
        row(text, std::iter::once(name.clone()).chain(cells));
    }
}

/// A row a point and metric.
fn csv(study: &Study, groups: &[Group<'_>], runs: &Runs<'_>) -> String {
    let mut columns = vec!["point"];
    columns.extend(study.varied.iter().map(String::as_str));
    columns.extend([
        "metric",
        "mean",
        "low",
        "high",
        "against",
        "pairs",
        "difference",
        "difference_low",
        "difference_high",
        "below",
        "same",
        "above",
    ]);
    let mut rows = Vec::new();
    for group in groups {
        let reference = group.members[0].1;
        for (_, point) in &group.members {
            for (metric, _) in TOLD {
                let Some(estimate) = point.estimate(metric) else { continue };
                let mut fields = vec![point.point.to_string()];
                fields.extend(point.varied.iter().cloned());
                fields.extend([
                    metric.to_owned(),
                    optional(estimate.mean()),
                    optional(estimate.interval.map(|it| it.low)),
                    optional(estimate.interval.map(|it| it.high)),
                ]);
                let is_paired = PAIRED.iter().any(|(other, _)| *other == metric);
                let pair = is_paired && point.point != reference.point;
                let paired = pair.then(|| runs.paired(reference, point, metric)).flatten();
                fields.extend(paired_fields(reference, paired.as_ref()));
                rows.push(fields);
            }
        }
    }
    csv_text(&columns, rows)
}

fn paired_fields(reference: &PointSummary, paired: Option<&Paired>) -> [String; 8] {
    let Some(paired) = paired else { return Default::default() };
    let order = paired.order;
    [
        reference.point.to_string(),
        paired.difference.n.to_string(),
        paired.difference.mean.to_string(),
        optional(paired.interval.map(|it| it.low)),
        optional(paired.interval.map(|it| it.high)),
        order.below.to_string(),
        order.same.to_string(),
        order.above.to_string(),
    ]
}

/// More points than this are compared in the file only.
const MOST: usize = 24;

/// What the terminal is told below the points: differences of the two shares on which designs are
/// compared.
#[must_use]
pub(super) fn told(study: &Study, outputs: &[RunOutput], summary: &Summary) -> String {
    let groups = groups(summary);
    let several = summary.points.iter().any(|point| point.runs > 1);
    if groups.is_empty() || !several {
        return String::new();
    }
    let runs = Runs::of(study, outputs);
    let mut text = String::new();
    if summary.points.len() <= MOST {
        for group in &groups {
            against_the_first(&mut text, group, &runs);
        }
    }
    text.push_str("What a paper prints of each, and paired differences: comparison.md.\n");
    text
}

fn against_the_first(text: &mut String, group: &Group<'_>, runs: &Runs<'_>) {
    let [(first, reference), others @ ..] = &group.members[..] else { return };
    let of = if group.told.is_empty() { String::new() } else { format!("{}: ", group.told) };
    let _ = writeln!(text, "\n{of}against {first}, paired by run (less/same/more)");
    let mut grid = Grid::default();
    grid.row(["".to_owned(), PAIRED[0].1.to_owned(), PAIRED[1].1.to_owned()]);
    for (name, point) in others {
        let cell = |metric: &str| {
            let paired = runs.paired(reference, point, metric);
            paired.map_or_else(|| "–".to_owned(), |paired| difference(metric, &paired))
        };
        grid.row([name.clone(), cell(PAIRED[0].0), cell(PAIRED[1].0)]);
    }
    grid.write(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::run::tests::fake_output;
    use crate::experiment::summary::summarise;
    use crate::metrics::codebook::columns_of;
    use crate::scenario::Scenarios;

    fn study(text: &str) -> (Study, Vec<RunOutput>) {
        let scenarios = Scenarios::parse("x.toml", text.as_bytes(), std::path::Path::new("."), &[])
            .unwrap_or_else(|report| panic!("{report}"));
        let points = scenarios.points.iter().map(|point| crate::experiment::StudyPoint {
            varied: point.varied.clone(),
            effective: point.scenario.effective().into(),
            identity: point.scenario.identity().into(),
            seed: point.scenario.plan.seed,
            warmup: crate::time::SimTime::ZERO,
            settles: false,
            trace: None,
        });
        let study = Study {
            scenario: "x".to_owned(),
            as_written: text.to_owned(),
            varied: scenarios.varied.clone(),
            points: points.collect(),
            cells: Vec::new(),
        };
        let study = study.with(&vec![0..3; scenarios.points.len()]);
        let outputs = study.cells.iter().map(fake_output).collect();
        (study, outputs)
    }

    const NAMED: &str = "name = \"x\"\nduration = \"1h\"\nwarmup = \"0s\"\n[overlay]\nnodes = 5\n\
                         [sweep]\n[[sweep.point]]\nname = \"small\"\noverlay.nodes = 5\n\
                         [[sweep.point]]\nname = \"large\"\noverlay.nodes = 9\n";

    #[test]
    fn named_points_are_compared_with_the_first() {
        let (study, outputs) = study(NAMED);
        let summary = summarise(&study, &outputs, &[]);
        let [group] = &groups(&summary)[..] else { panic!("one group") };
        let names: Vec<&str> = group.members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["small", "large"]);
        let [markdown, csv] = &files(&study, &outputs, &summary)[..] else { panic!("two files") };
        assert_eq!((&*markdown.name, &*csv.name), ("comparison.md", "comparison.csv"));
        let head: Vec<&str> = csv.text.lines().next().unwrap().split(',').collect();
        let columns = columns_of("comparison").map(|column| column.name.as_str());
        let (point, others): (Vec<_>, Vec<_>) = columns.partition(|name| *name == "point");
        assert_eq!(
            head,
            [&point[..], &["name", "overlay.nodes"], &others].concat(),
            "as the codebook has them"
        );
        // The outputs are made by seed: alike at both points.
        assert!(markdown.text.contains("Against `small`, paired by run"), "{}", markdown.text);
        assert!(markdown.text.contains("(0/3/0)"), "{}", markdown.text);
        assert!(told(&study, &outputs, &summary).contains("against small, paired by run"));
    }

    #[test]
    fn a_grid_makes_groups_and_a_grid_alone_compares_nothing() {
        let grid = NAMED.replace("[sweep]\n", "[sweep]\n\"dns.ttl\" = [\"5s\", \"60s\"]\n");
        let grid = grid.replace("[overlay]", "[dns]\n[overlay]");
        let (study, outputs) = self::study(&grid);
        let summary = summarise(&study, &outputs, &[]);
        let told: Vec<String> = groups(&summary).iter().map(|it| it.told.clone()).collect();
        assert_eq!(told, ["dns.ttl = 5s", "dns.ttl = 60s"]);
        assert!(groups(&summary).iter().all(|group| group.members.len() == 2));

        let (alone, _) = grid.split_once("[[sweep.point]]").unwrap();
        let (study, outputs) = self::study(alone);
        let summary = summarise(&study, &outputs, &[]);
        assert!(files(&study, &outputs, &summary).is_empty());
        assert_eq!(super::told(&study, &outputs, &summary), "");
    }
}
