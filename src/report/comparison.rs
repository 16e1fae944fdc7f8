//! What a study compares by name, such as the designs of a paper: tables with what a paper prints
//! of each, and the differences from the first, paired by run.
//!
//! Listed points (`[[sweep.point]]`) are compared with each other; beside a grid, those that share
//! its values, so that each churn has its own tables. Departures of two designs are not the same
//! ones, so handovers stand side by side, over all runs together; only what belongs to a run as a
//! whole is paired: shares of time and of requests, and signalling.

mod standing;
mod told;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::experiment::cell::Study;
use crate::experiment::difference::{BySeed, by_seed, paired};
use crate::experiment::paired::Paired;
use crate::experiment::summary::{PointSummary, Summary};
use crate::metrics::codebook::{Unit, unit_of};
use crate::metrics::headline::{CALLER_STALE_SHARE, FAILED_INTEROP};
use crate::metrics::tables::{RunOutput, optional};
use crate::report::TextFile;
use crate::report::quantity::{count, mean_and_half, signed};
use crate::report::tables::csv_text;
use crate::report::terminal::Grid;
use crate::report::varied::dimensions;
use told::{HANDOVERS, PARTIAL, Runs, Told, WHOLE, all};
pub(crate) use told::{Value, WINDOW_MEDIAN, WINDOW_P95};

/// What belongs to a run as a whole, so that runs of one seed make a pair.
const PAIRED: [&str; 4] =
    [CALLER_STALE_SHARE, FAILED_INTEROP, "split_brain_share", "messages_per_node_hour"];

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

/// What is told of all points that are compared.
pub(crate) struct Compared<'a> {
    pub(crate) study: &'a Study,
    /// Points that are compared with each other; never none.
    pub(crate) groups: Vec<Group<'a>>,
    outputs: Vec<BySeed<'a>>,
    /// By point and name.
    values: BTreeMap<(u32, &'static str), Value>,
}

impl<'a> Compared<'a> {
    /// `None` where nothing is compared by name.
    pub(crate) fn of(
        study: &'a Study,
        outputs: &'a [RunOutput],
        summary: &'a Summary,
    ) -> Option<Self> {
        let groups = groups(summary);
        if groups.is_empty() {
            return None;
        }
        let outputs = by_seed(study, outputs);
        let mut values = BTreeMap::new();
        for (_, point) in groups.iter().flat_map(|group| &group.members) {
            let runs = Runs { study, point, outputs: &outputs[point.point as usize] };
            let there = |told: &Told| Some(((point.point, told.name), runs.value(told)?));
            values.extend(all().filter_map(there));
        }
        Some(Self { study, groups, outputs, values })
    }

    /// What is told under this name of a point.
    pub(crate) fn value(&self, point: &PointSummary, name: &'static str) -> Option<&Value> {
        self.values.get(&(point.point, name))
    }

    /// A metric of B against A.
    fn paired(&self, a: &PointSummary, b: &PointSummary, metric: &str) -> Option<Paired> {
        paired(&self.outputs[a.point as usize], &self.outputs[b.point as usize], metric)
    }

    /// `comparison.md` and `comparison.csv`.
    pub(super) fn files(&self) -> [TextFile; 2] {
        let mut text = self.head();
        for group in &self.groups {
            self.markdown(&mut text, group);
        }
        text.push_str(&self.definitions());
        [TextFile::new("comparison.md", text), TextFile::new("comparison.csv", self.csv())]
    }

    fn markdown(&self, text: &mut String, group: &Group<'_>) {
        if !group.told.is_empty() {
            let _ = writeln!(text, "\n## {}", group.told);
        }
        let runs = || group.members.iter().map(|(_, point)| point.runs);
        let (least, most) = (runs().min().unwrap_or(0), runs().max().unwrap_or(0));
        let runs =
            if least == most { count(most, "run") } else { format!("{least} to {most} runs") };
        let tables = [
            (
                HANDOVERS,
                format!(
                    "**Handovers** after departures, over {runs} together, one for each caller \
                     domain: medians and 95th percentiles by Kaplan–Meier, `>` where too many are \
                     cut off; `–` where there was none."
                ),
            ),
            (
                PARTIAL,
                format!(
                    "**Sets that lost a member** while another was valid, over {runs} together. \
                     Degraded: the preferred member is not valid, and nothing is stale."
                ),
            ),
            (
                WHOLE,
                format!(
                    "**The whole run**: means over {runs} ± half of the 95 % interval, or with its ends \
                     where it would go below 0 (or a share above 100 %) and is cut there. Callers' \
                     stale share and windows are those of the resolvers that callers use; the windows \
                     are those of all runs together."
                ),
            ),
        ];
        for (columns, caption) in tables {
            self.table(text, group, columns, &caption);
        }
        self.differences(text, group);
    }

    /// A table with a row a point, of what any point has.
    fn table(&self, text: &mut String, group: &Group<'_>, columns: &[Told], caption: &str) {
        let of =
            |told: &&Told| group.members.iter().any(|it| self.value(it.1, told.name).is_some());
        let columns: Vec<&Told> = columns.iter().filter(of).collect();
        if columns.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{caption}\n");
        row(text, std::iter::once("").chain(columns.iter().map(|told| told.column)));
        rule(text, columns.len());
        for (name, point) in &group.members {
            let cell = |told: &&Told| {
                let value = self.value(point, told.name);
                value.map_or_else(|| "–".to_owned(), |value| value.text(told))
            };
            if columns.iter().all(|told| self.value(point, told.name).is_none()) {
                continue;
            }
            row(text, std::iter::once(name.clone()).chain(columns.iter().map(cell)));
        }
    }

    fn differences(&self, text: &mut String, group: &Group<'_>) {
        let Some(((first, reference), others)) = group.members.split_first() else { return };
        let _ = writeln!(
            text,
            "\n**Against `{first}`**, paired by run: mean difference ± half of its 95 % interval \
             (pairs in which it is less, the same, more); pp: percentage points.\n"
        );
        let of = |metric: &str| group.members.iter().any(|(_, it)| it.mean(metric).is_some());
        let metrics: Vec<_> = PAIRED.into_iter().filter(|metric| of(metric)).collect();
        row(text, std::iter::once("").chain(metrics.iter().map(|it| column_of(it))));
        rule(text, metrics.len());
        for (name, point) in others {
            let cell = |metric: &&str| self.difference(reference, point, metric);
            row(text, std::iter::once(name.clone()).chain(metrics.iter().map(cell)));
        }
    }

    /// The difference with half of its interval, and in how many pairs the second is less and more.
    fn difference(&self, a: &PointSummary, b: &PointSummary, metric: &str) -> String {
        let Some(paired) = self.paired(a, b, metric) else { return "–".to_owned() };
        let (unit, mean, order) = (unit_of(metric), paired.difference.mean, paired.order);
        let told = match paired.interval.map(|it| it.half()) {
            None | Some(0.0) => signed(unit, mean),
            Some(half) => {
                let sign = if mean > 0.0 { "+" } else { "" };
                let text = mean_and_half(unit, mean, half);
                let text = if unit == Unit::Share { text.replace('%', "pp") } else { text };
                format!("{sign}{text}")
            }
        };
        format!("{told} ({}/{}/{})", order.below, order.same, order.above)
    }

    /// A row a point and what is told of it.
    fn csv(&self) -> String {
        let mut columns = vec!["point"];
        columns.extend(self.study.varied.iter().map(String::as_str));
        columns.extend(VALUE_COLUMNS);
        columns.extend(["against", "pairs", "difference", "difference_low", "difference_high"]);
        columns.extend(["below", "same", "above"]);
        let mut rows = Vec::new();
        for group in &self.groups {
            let reference = group.members[0].1;
            for (_, point) in &group.members {
                for told in all() {
                    let Some(value) = self.value(point, told.name) else { continue };
                    let mut fields = vec![point.point.to_string()];
                    fields.extend(point.varied.iter().cloned());
                    fields.extend(value_fields(told.name, value));
                    let is_paired = PAIRED.contains(&told.name);
                    let pair = is_paired && point.point != reference.point;
                    let paired = pair.then(|| self.paired(reference, point, told.name)).flatten();
                    fields.extend(paired_fields(reference, paired.as_ref()));
                    rows.push(fields);
                }
            }
        }
        csv_text(&columns, rows)
    }
}

/// What a metric is called in the tables.
fn column_of(metric: &str) -> &'static str {
    all().find(|told| told.name == metric).map_or("", |told| told.column)
}

/// What a value is told in.
pub(crate) const VALUE_COLUMNS: [&str; 7] =
    ["metric", "over", "n", "value", "is_more", "low", "high"];

/// The fields of these columns.
pub(crate) fn value_fields(name: &str, value: &Value) -> [String; 7] {
    [
        name.to_owned(),
        value.over.to_owned(),
        value.n.to_string(),
        value.value.to_string(),
        value.is_more.to_string(),
        optional(value.interval.map(|it| it.low)),
        optional(value.interval.map(|it| it.high)),
    ]
}

fn row<T: AsRef<str>>(text: &mut String, cells: impl IntoIterator<Item = T>) {
    let cells: Vec<T> = cells.into_iter().collect();
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn rule(text: &mut String, columns: usize) {
    let _ = writeln!(text, "|---|{}", "---:|".repeat(columns));
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
    let several = summary.points.iter().any(|point| point.runs > 1);
    let groups = groups(summary);
    if groups.is_empty() || !several {
        return String::new();
    }
    let compared =
        Compared { study, groups, outputs: by_seed(study, outputs), values: BTreeMap::new() };
    let mut text = String::new();
    if summary.points.len() <= MOST {
        for group in &compared.groups {
            against_the_first(&mut text, group, &compared);
        }
    }
    text.push_str("What a paper prints of each, and paired differences: comparison.md.\n");
    text
}

fn against_the_first(text: &mut String, group: &Group<'_>, compared: &Compared<'_>) {
    let [(first, reference), others @ ..] = &group.members[..] else { return };
    let of = if group.told.is_empty() { String::new() } else { format!("{}: ", group.told) };
    let _ = writeln!(
        text,
        "\n{of}against {first}, paired by run (less/same/more); pp: percentage points"
    );
    let mut grid = Grid::default();
    grid.row(["", column_of(PAIRED[0]), column_of(PAIRED[1])].map(str::to_owned));
    for (name, point) in others {
        let cell = |metric| compared.difference(reference, point, metric);
        grid.row([name.clone(), cell(PAIRED[0]), cell(PAIRED[1])]);
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
            duration: point.scenario.plan.duration,
            stop_after_departures: None,
            settles: false,
            trace: None,
        });
        let study = Study {
            scenario: "x".to_owned(),
            description: "Two sizes".to_owned(),
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
        let compared = Compared::of(&study, &outputs, &summary).unwrap();
        let [markdown, csv] = compared.files();
        assert_eq!((&*markdown.name, &*csv.name), ("comparison.md", "comparison.csv"));
        let head: Vec<&str> = csv.text.lines().next().unwrap().split(',').collect();
        let columns = columns_of("comparison").map(|column| column.name.as_str());
        let (point, others): (Vec<_>, Vec<_>) = columns.partition(|name| *name == "point");
        assert_eq!(
            head,
            [&point[..], &["name", "overlay.nodes"], &others].concat(),
            "as the codebook has them"
        );
        // It stands alone: what it is of, and what each column is.
        let text = &markdown.text;
        for told in [
            "Two sizes.\n",
            concat!("* overcord ", env!("CARGO_PKG_VERSION"), ", engine `"),
            "* 6 runs, 3 at each of 2 points: seeds 2009 to 2011\n",
            "* 60 min of simulated time each\n",
            "\n| part of restore | `detect` | The time in which nobody knows",
        ] {
            assert!(text.contains(told), "{told} in {text}");
        }
        let head = text.lines().find(|line| line.contains("handovers |")).unwrap();
        for column in head.split('|').map(str::trim).filter(|it| !it.is_empty()) {
            assert!(text.contains(&format!("\n| {column} | `")), "{column}");
        }
        // The outputs are made by seed: alike at both points.
        assert!(markdown.text.contains("**Against `small`**, paired by run"), "{}", markdown.text);
        assert!(markdown.text.contains("(0/3/0)"), "{}", markdown.text);
        assert!(told(&study, &outputs, &summary).contains("against small, paired by run"));
    }

    /// Each of three runs has two handovers, of which the first is cut off, and a window of zero
    /// length beside those of 2039, 2040 and 2041 s.
    #[test]
    fn handovers_and_windows_are_those_of_all_runs_together() {
        let (study, outputs) = study(NAMED);
        let summary = summarise(&study, &outputs, &[]);
        let compared = Compared::of(&study, &outputs, &summary).unwrap();
        let point = compared.groups[0].members[1].1;
        let value = |name| *compared.value(point, name).unwrap_or_else(|| panic!("no {name}"));
        let median = value(WINDOW_MEDIAN);
        assert_eq!((median.value, median.n, median.over), (2040.0, 3, "windows"));
        assert_eq!(value(WINDOW_P95).value, 2041.0);
        assert_eq!((value("departures").value, value("episodes").value), (3.0, 6.0));
        let claimants = value("claimants.mean");
        assert_eq!((claimants.value, claimants.n, claimants.over), (2.0, 3, "departures"));
        let outage = value("outage.p95");
        assert_eq!((outage.n, outage.over), (6, "handovers"));
        let longest = outputs.iter().filter_map(|it| it.headline.value("outage.max"));
        assert!(outage.value <= longest.fold(0.0, f64::max), "{outage:?}");
        let [markdown, csv] = compared.files();
        assert!(markdown.text.contains("**Handovers** after departures, over 3 runs"));
        assert!(!markdown.text.contains("lost a member"), "no set is published");
        assert!(csv.text.contains(&format!("{WINDOW_MEDIAN},windows,3,2040,false,2039,2041,")));
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
        assert!(Compared::of(&study, &outputs, &summary).is_none());
        assert_eq!(super::told(&study, &outputs, &summary), "");
    }
}
