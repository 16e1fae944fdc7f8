//! A judgement as a list of cases, each with its verdict in words.

use crate::experiment::gate::{
    ColumnChange, Comparison, Judged, Judgement, MetricChange, PointChange, PointComparison,
    PointLabel, Severity, Standing, Verdict,
};
use crate::metrics::codebook::{self, Unit};
use crate::report::quantity;
use crate::scenario::budget::Column;
use crate::units::Ratio;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run or a story that went wrong.
    Run,
    /// A budget at a point.
    Budget,
    /// A point of the baseline, or the baseline as a whole.
    Baseline,
}

impl Kind {
    /// A word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Budget => "budget",
            Self::Baseline => "baseline",
        }
    }
}

/// The verdict on a point that is as it is in the baseline.
pub const SAME: &str = "same";

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is about.
    pub kind: Kind,
    /// What was judged; no other case of the kind and study has this name.
    pub name: String,
    /// What it comes to.
    pub severity: Severity,
    /// The verdict in a word, such as `broken`.
    pub verdict: &'static str,
    /// The verdict in a sentence, with the first numbers behind it.
    pub summary: String,
    /// The same without numbers that stand in the facts, where there are many.
    pub brief: String,
    /// The numbers behind it: columns of a table, one row a fact.
    pub facts: Vec<[String; 4]>,
}

impl Case {
    fn new(kind: Kind, name: String, severity: Severity, verdict: &'static str) -> Self {
        let (summary, brief, facts) = (String::new(), String::new(), Vec::new());
        Self { kind, name, severity, verdict, summary, brief, facts }
    }

    fn told(self, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { brief: summary.clone(), summary, ..self }
    }

    /// Facts in lines of text, the first three columns aligned.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let width = |column: usize| {
            self.facts.iter().map(|fact| fact[column].chars().count()).max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let line = |[what, old, new, change]: &[String; 4]| {
            let [a, b, c] = widths;
            let line = match b {
                0 => format!("{what:a$}  {new}"),
                _ => format!("{what:a$}  {old:>b$} -> {new:c$}  {change}"),
            };
            line.trim_end().to_owned()
        };
        self.facts.iter().map(line).collect()
    }
}

/// All that was judged of a study: what went wrong with runs, the budgets, the baseline.
#[must_use]
pub fn cases(judgement: &Judgement) -> Vec<Case> {
    let complaint = |(index, complaint): (usize, &String)| {
        let name = format!("complaint {}", index + 1);
        Case::new(Kind::Run, name, Severity::Fail, "failed").told(complaint)
    };
    let mut all: Vec<_> = judgement.complaints.iter().enumerate().map(complaint).collect();
    all.extend(judgement.budgets.iter().map(of_budget));
    all.extend(of_baseline(&judgement.baseline));
    name_apart(&mut all);
    all
}

/// Numbers the names that are there more than once: the same budget twice, from file and command
/// line.
fn name_apart(cases: &mut [Case]) {
    for index in 0..cases.len() {
        let (before, rest) = cases.split_at_mut(index);
        let case = &mut rest[0];
        let same = before.iter().filter(|it| {
            it.kind == case.kind
                && it
                    .name
                    .strip_prefix(&case.name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(" (again"))
        });
        match same.count() {
            0 => {}
            1 => case.name.push_str(" (again)"),
            more => case.name.push_str(&format!(" (again, {more})")),
        }
    }
}

/// A name with its point, if there is a sweep.
fn at(name: impl Into<String>, point: &PointLabel) -> String {
    let (name, point) = (name.into(), point.to_string());
    if point.is_empty() { name } else { format!("{name} at {point}") }
}

/// A number in full with its unit: `25.27743314335464 s`, `1.91050779286073%`.
#[must_use]
pub fn exact(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share if value < 0.0 => format!("-{}", Ratio(-value)),
        Unit::Share => Ratio(value).to_string(),
        Unit::Nothing | Unit::Count | Unit::OfTheMetric => value.to_string(),
        unit => format!("{value} {unit}"),
    }
}

/// A number for reading, with its unit.
fn rounded(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => quantity::percent(value).replace(' ', ""),
        Unit::Seconds => quantity::span(value),
        Unit::Nothing | Unit::Count | Unit::OfTheMetric => quantity::number(value),
        unit => format!("{} {unit}", quantity::number(value)),
    }
}

fn of_budget(judged: &Judged) -> Case {
    let unit = judged.budget.unit();
    let (n, runs) = (judged.n, judged.runs);
    let what = match judged.budget.column {
        Column::Mean => judged.budget.key.clone(),
        column => format!("{column} of {}", judged.budget.key),
    };
    let value = judged.value.map_or_else(|| "no value".to_owned(), |value| exact(value, unit));
    let interval = judged.interval.map_or_else(String::new, |interval| {
        format!("{} to {}", rounded(interval.low, unit), rounded(interval.high, unit))
    });
    let limit = &judged.budget.limit;
    let verdict = match judged.verdict {
        Verdict::Kept => "kept",
        Verdict::Broken => "broken",
        Verdict::Straddles => "inconclusive",
        Verdict::Incomplete => "incomplete",
        Verdict::NoValue => "no value",
    };
    let over = quantity::count(runs, "run");
    let with = if interval.is_empty() {
        String::new()
    } else {
        format!(" (95 % interval {interval}, {over})")
    };
    let summary = match judged.verdict {
        Verdict::Kept => format!("{what} is {value}{with}; the limit is {limit}"),
        Verdict::Broken => format!("{what} is {value}{with}, which breaks the limit {limit}"),
        Verdict::Straddles => format!(
            "{what} is {value}, but its 95 % interval, {interval} over {over}, lies on both sides of \
             the limit {limit}: more replications can tell"
        ),
        Verdict::Incomplete => format!(
            "{what} is {value} in the {n} of {over} that have a value, and the limit is {limit}; but the \
             others may be the worse ones"
        ),
        Verdict::NoValue if judged.budget.column == Column::Mean => {
            format!("{what} has no value in any run, so {limit} is not kept")
        }
        Verdict::NoValue => format!("there is no {what} over {over}, so {limit} is not kept"),
    };
    let fact =
        |name: &str, value: &str| [name.to_owned(), String::new(), value.to_owned(), String::new()];
    let mut facts = vec![fact("value", &value), fact("limit", &limit.to_string())];
    if let Some(interval) = judged.interval {
        let ends = format!("{} to {}", exact(interval.low, unit), exact(interval.high, unit));
        facts.push(fact("95 % interval", &ends));
    }
    facts.push(fact("runs with a value", &format!("{n} of {runs}")));
    let name = at(judged.budget.to_string(), &judged.point);
    let case = Case::new(Kind::Budget, name, judged.verdict.severity(), verdict);
    Case { facts, ..case.told(summary) }
}

fn of_baseline(standing: &Standing) -> Vec<Case> {
    let case =
        |severity, verdict| Case::new(Kind::Baseline, "baseline".to_owned(), severity, verdict);
    match standing {
        Standing::Missing { path } => {
            let told = format!(
                "there is no baseline {path}: look at the results, and if they are right, write it \
                 with --bless"
            );
            vec![case(Severity::Fail, "missing").told(told)]
        }
        Standing::NotCompared => Vec::new(),
        Standing::Blessed { before: None } => {
            vec![case(Severity::Pass, "blessed").told("the baseline is new")]
        }
        Standing::Blessed { before: Some(before) } => {
            let changes =
                of_comparison(before).into_iter().filter(|it| it.severity > Severity::Pass);
            let facts: Vec<_> = changes.flat_map(|case| case.facts).collect();
            let told = if facts.is_empty() {
                "the baseline was up to date".to_owned()
            } else {
                "the baseline was renewed".to_owned()
            };
            vec![Case { facts, ..case(Severity::Pass, "blessed").told(told) }]
        }
        Standing::Compared(comparison) => of_comparison(comparison),
    }
}

fn of_comparison(comparison: &Comparison) -> Vec<Case> {
    let mut all = Vec::new();
    if !comparison.columns.is_empty() {
        all.push(of_columns(&comparison.columns));
    }
    all.extend(comparison.points.iter().map(of_point));
    all
}

fn of_columns(changes: &[ColumnChange]) -> Case {
    let keys = |keys: &[String]| {
        if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") }
    };
    let fact = |change: &ColumnChange| match change {
        ColumnChange::Keys { old, new } => {
            ["varied keys".to_owned(), keys(old), keys(new), String::new()]
        }
        ColumnChange::Gone(name) => [name.clone(), "there".into(), "gone".into(), String::new()],
        ColumnChange::New(name) => [name.clone(), "not there".into(), "new".into(), String::new()],
    };
    let facts: Vec<_> = changes.iter().map(fact).collect();
    let told: Vec<_> =
        facts.iter().map(|[what, old, new, _]| format!("{what} {old} -> {new}")).collect();
    let case = Case::new(Kind::Baseline, "baseline, columns".into(), Severity::Fail, "differs");
    let (brief, summary) = ("the columns differ", first_of(&told));
    Case { brief: brief.to_owned(), summary: format!("{brief}: {summary}"), facts, ..case }
}

fn of_point(comparison: &PointComparison) -> Case {
    let name = at("baseline", &comparison.point);
    let failed = |verdict| Case::new(Kind::Baseline, name.clone(), Severity::Fail, verdict);
    match &comparison.change {
        PointChange::Same => Case::new(Kind::Baseline, name, Severity::Pass, SAME)
            .told("the same as in the baseline"),
        PointChange::Gone => failed("gone").told("the baseline has this point, the study has not"),
        PointChange::New => failed("new").told("the study has this point, the baseline has not"),
        PointChange::Moved { old } => {
            let told = format!("in the baseline this is the point {old}");
            let fact = ["point".into(), old.to_string(), comparison.point.to_string(), "".into()];
            Case { facts: vec![fact], ..failed("another point").told(told) }
        }
        PointChange::Differs(differences) => {
            let mut facts = Vec::new();
            if let Some((old, new)) = differences.runs {
                facts.push(["runs".into(), old.to_string(), new.to_string(), String::new()]);
            }
            facts.extend(differences.metrics.iter().map(of_metric));
            if let Some((old, new)) = differences.fingerprint {
                let hex = |print: u64| format!("{print:016x}");
                facts.push(["fingerprint".into(), hex(old), hex(new), String::new()]);
            }
            let told: Vec<_> = facts
                .iter()
                .filter(|[what, ..]| what != "fingerprint")
                .map(|[what, old, new, change]| {
                    let change = if change.is_empty() { "" } else { &format!(" ({change})") };
                    format!("{what} {old} -> {new}{change}")
                })
                .collect();
            let of = quantity::count(differences.compared, "metric");
            if differences.is_fingerprint_alone() {
                let told = format!(
                    "none of {of} differs, but the fingerprint does: something else happened, though no \
                     metric shows it"
                );
                return Case { facts, ..failed("differs").told(told) };
            }
            let changed = differences.metrics.len();
            let differ = if changed == 1 { "differs" } else { "differ" };
            let brief = format!("{changed} of {of} {differ} from the baseline");
            let summary = format!("{brief}: {}", first_of(&told));
            Case { facts, brief, summary, ..failed("differs") }
        }
    }
}

/// How many changes a sentence names.
const NAMED: usize = 3;

fn first_of(told: &[String]) -> String {
    let named = told[..told.len().min(NAMED)].join("; ");
    match told.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

fn of_metric(change: &MetricChange) -> [String; 4] {
    let unit = codebook::unit_of(&change.metric);
    // A share stays as it stands in the file, where it can be looked for.
    let word = if unit == Unit::Share || unit == Unit::Count { "" } else { unit.word() };
    let value = |text: &Option<String>| match text {
        None => "none".to_owned(),
        Some(text) if word.is_empty() => text.clone(),
        Some(text) => format!("{text} {word}"),
    };
    let relative = change.relative().map_or_else(String::new, |relative| {
        let sign = if relative > 0.0 { "+" } else { "" };
        format!("{sign}{}", quantity::percent(relative))
    });
    [change.metric.clone(), value(&change.old), value(&change.new), relative]
}
