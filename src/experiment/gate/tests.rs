//! Verdicts on budgets, and what they come to.

use super::*;
use crate::experiment::StudyPoint;
use crate::experiment::run::tests::{fake_output, study};
use crate::experiment::run::{Failure, Outcome};
use crate::experiment::summary::{Theory, summarise};
use crate::metrics::headline::Headline;
use crate::metrics::tables::RunOutput;
use crate::scenario::budget::{Budget, Column, Limit, parse};

/// A study of the points 60s and 5s of `dns.ttl`, with so many runs each, seeds from 7.
pub(crate) fn sweep(runs: u32) -> Study {
    let one = study(1);
    let point = |ttl: &str| StudyPoint { varied: vec![ttl.into()], ..one.points[0].clone() };
    let points = vec![point("60s"), point("5s")];
    let study = Study { varied: vec!["dns.ttl".into()], points, ..one };
    study.with(&[0..runs, 0..runs])
}

/// Stale windows of 30 + seed and 0 seconds: with seeds 7, 8, 9 their means are 18.5, 19, 19.5.
pub(crate) fn outputs(study: &Study) -> Vec<RunOutput> {
    study.cells.iter().map(fake_output).collect()
}

pub(crate) fn summary(study: &Study, outputs: &[RunOutput]) -> Summary {
    let theory = Theory {
        point: 0,
        metric: "stale_window.mean".into(),
        value: 18.0,
        assumption_broken: None,
    };
    summarise(study, outputs, &[theory])
}

pub(crate) fn budget(metric: &str, column: Column, limit: &str) -> Budget {
    // The unit is that of the column: a budget with the same metric gives it.
    let any = Budget {
        key: metric.into(),
        metric: metric.into(),
        column,
        limit: Limit::parse("<= 0", crate::metrics::codebook::Unit::Count).unwrap(),
        at: Vec::new(),
    };
    Budget { limit: Limit::parse(limit, any.unit()).unwrap(), ..any }
}

/// The verdicts on one budget, at each point.
fn verdicts(runs: u32, budget: Budget) -> Vec<Verdict> {
    let study = sweep(runs);
    let outputs = outputs(&study);
    let judged = budgets::judge(&study, &summary(&study, &outputs), &[budget]);
    judged.iter().map(|judged| judged.verdict).collect()
}

#[test]
fn an_interval_decides_or_straddles() {
    use Verdict::{Broken, Kept, NoValue, Straddles};
    let mean = Column::Mean;
    // Mean 19, standard deviation 0.5, standard error 0.5/√3 = 0.288675; t(0.975, 2) = 4.302653, so
    // the interval is 17.757923 to 20.242077. Theory 18: (19 − 18)/0.288675 = 3.464 errors above.
    for (column, limit, verdict) in [
        (mean, "<= 21s", Kept),
        (mean, "<= 20.243s", Kept),
        (mean, "<= 20.242s", Straddles),
        (mean, "<= 19s", Straddles),
        (mean, "<= 17.758s", Straddles),
        (mean, "<= 17.757s", Broken),
        (mean, "< 21s", Kept),
        (mean, ">= 17.757s", Kept),
        (mean, ">= 19s", Straddles),
        (mean, "> 20.243s", Broken),
        // What is to be exactly so is a matter of the value alone.
        (mean, "== 19s", Kept),
        (mean, "== 18.9s", Broken),
        // No other column has an interval.
        (Column::Max, "<= 19.5s", Kept),
        (Column::Max, "< 19.5s", Broken),
        (Column::Sd, "<= 500ms", Kept),
        (Column::N, "== 3", Kept),
        (Column::N, ">= 4", Broken),
        (Column::Low, ">= 17.757s", Kept),
        (Column::High, "<= 20.242s", Broken),
        (Column::StandardError, "<= 289ms", Kept),
        (Column::StandardError, "<= 288ms", Broken),
        (Column::Theory, "== 18s", Kept),
        (Column::Deviation, "<= 3.47", Kept),
        (Column::Deviation, "<= 3.46", Broken),
    ] {
        let found = verdicts(3, budget("stale_window.mean", column, limit));
        assert_eq!(found[0], verdict, "{column} {limit}");
        // The second point is the same but for the theory, which it has not.
        let theory = matches!(column, Column::Theory | Column::Deviation);
        assert_eq!(found[1], if theory { NoValue } else { verdict }, "{column} {limit}");
    }
}

#[test]
fn a_single_run_decides_by_itself() {
    use Verdict::{Broken, Kept, NoValue};
    for (column, limit, verdict) in [
        (Column::Mean, "<= 18.5s", Kept),
        (Column::Mean, "< 18.5s", Broken),
        (Column::Max, "<= 18.5s", Kept),
        (Column::Sd, "<= 1s", NoValue),
        (Column::High, "<= 100s", NoValue),
    ] {
        let found = verdicts(1, budget("stale_window.mean", column, limit));
        assert_eq!(found, [verdict; 2], "{column} {limit}");
    }
}

#[test]
fn equal_runs_have_an_interval_of_no_width() {
    // One departure in each run: the interval is 1 to 1.
    for (limit, verdict) in [
        ("<= 1", Verdict::Kept),
        ("< 1", Verdict::Broken),
        (">= 1", Verdict::Kept),
        ("> 1", Verdict::Broken),
    ] {
        let found = verdicts(3, budget("departures", Column::Mean, limit));
        assert_eq!(found, [verdict; 2], "{limit}");
    }
}

#[test]
fn what_has_no_value_is_not_kept() {
    // There are no overlay look-ups, and callers who only look up have no requests that fail.
    for metric in ["lookup_hops.mean", "failed_interop"] {
        let limit = if metric == "failed_interop" { "<= 100%" } else { "<= 100" };
        assert_eq!(verdicts(3, budget(metric, Column::Mean, limit)), [Verdict::NoValue; 2]);
        assert_eq!(verdicts(3, budget(metric, Column::N, "== 0")).len(), 2);
    }
    assert_eq!(verdicts(3, budget("lookup_hops.mean", Column::N, "== 0")), [Verdict::Kept; 2]);
}

/// An output without the value of a metric.
fn without(output: &RunOutput, metric: &str) -> RunOutput {
    let mut headline = Headline::default();
    for (name, value) in output.headline.iter() {
        headline.push(name, value.filter(|_| name != metric));
    }
    RunOutput { headline, ..output.clone() }
}

#[test]
fn runs_without_a_value_leave_a_kept_budget_open_but_not_a_broken_one() {
    let study = sweep(3);
    let mut outputs = outputs(&study);
    outputs[1] = without(&outputs[1], "outage.max");
    let summary = summary(&study, &outputs);
    // Of the first point 42.25 and 44.25 s (and 1 ns) are left.
    for (column, limit, verdict) in [
        (Column::Mean, "<= 100s", Verdict::Incomplete),
        (Column::Mean, "<= 1s", Verdict::Broken),
        (Column::Max, "<= 100s", Verdict::Incomplete),
        (Column::N, "== 2", Verdict::Kept),
    ] {
        let judged = budgets::judge(&study, &summary, &[budget("outage.max", column, limit)]);
        assert_eq!((judged[0].verdict, judged[0].n, judged[0].runs), (verdict, 2, 3), "{limit}");
        assert_ne!(judged[1].verdict, Verdict::Incomplete);
    }
}

#[test]
fn a_budget_is_judged_at_the_points_that_it_is_about() {
    let study = sweep(3);
    let outputs = outputs(&study);
    let at = vec![("dns.ttl".to_owned(), vec!["5s".to_owned()])];
    let chosen = Budget { at, ..budget("departures", Column::Mean, "<= 1") };
    let all = parse("departures <= 1").unwrap();
    let judged = budgets::judge(&study, &summary(&study, &outputs), &[chosen, all]);
    let points: Vec<String> = judged.iter().map(|judged| judged.point.to_string()).collect();
    assert_eq!(points, ["dns.ttl = 5s", "dns.ttl = 60s", "dns.ttl = 5s"]);
}

fn judgement(budgets: &[&str], baseline: Standing, failures: Vec<Failure>) -> Judgement {
    let study = sweep(3);
    let outputs = outputs(&study);
    let summary = summary(&study, &outputs);
    let budgets: Vec<Budget> = budgets.iter().map(|text| parse(text).unwrap()).collect();
    let outcome = Outcome { outputs, failures, loaded: 0 };
    Judgement::new(&study, &outcome, &summary, &budgets, baseline, Vec::new())
}

#[test]
fn the_worst_verdict_is_that_of_the_study() {
    let (kept, open, broken) =
        ("stale_window.mean <= 21s", "stale_window.mean <= 19s", "stale_window.mean <= 1s");
    let same = || Standing::Compared(Comparison::default());
    let column = ColumnChange::Gone("leaves".into());
    let differs = Standing::Compared(Comparison { columns: vec![column], ..Comparison::default() });
    let missing = Standing::Missing { path: "results/baselines/handover.csv".into() };
    let failure = Failure { run: 1, message: "an invariant is broken".into() };
    let cases = [
        (judgement(&[], same(), vec![]), Severity::Pass),
        (judgement(&[kept], same(), vec![]), Severity::Pass),
        (judgement(&[kept, open], same(), vec![]), Severity::Inconclusive),
        (judgement(&[kept, open, broken], same(), vec![]), Severity::Fail),
        (judgement(&[open], differs, vec![]), Severity::Fail),
        (judgement(&[kept], missing, vec![]), Severity::Fail),
        (judgement(&[kept], Standing::NotCompared, vec![failure]), Severity::Fail),
        (judgement(&[broken], Standing::Blessed { before: None }, vec![]), Severity::Fail),
        (judgement(&[kept], Standing::Blessed { before: None }, vec![]), Severity::Pass),
    ];
    for (index, (judgement, severity)) in cases.iter().enumerate() {
        assert_eq!(judgement.severity(), *severity, "{index}");
    }
    assert_eq!(cases[6].0.complaints, ["run 1 (seed 8) failed: an invariant is broken"]);
}

#[test]
fn a_point_whose_runs_all_failed_keeps_nothing() {
    let study = sweep(2);
    let outputs = outputs(&study)[..2].to_vec();
    let judged =
        budgets::judge(&study, &summary(&study, &outputs), &[parse("departures <= 1").unwrap()]);
    let verdicts: Vec<_> = judged.iter().map(|judged| (judged.verdict, judged.runs)).collect();
    assert_eq!(verdicts, [(Verdict::Kept, 2), (Verdict::NoValue, 0)]);
}
