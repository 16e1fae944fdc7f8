//! Every kind of verdict, in every form, byte for byte.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::experiment::gate::tests::{budget, outputs, summary, sweep};
use crate::experiment::gate::{Baseline, Standing};
use crate::experiment::run::{Failure, Outcome};
use crate::scenario::budget::{Budget, Column};

/// A sweep of two points that keeps a budget, breaks one, straddles one, has no value for one; its
/// baseline has other numbers at the first point, and another fingerprint at the second.
fn troubled() -> Judgement {
    let study = sweep(3);
    let outputs = outputs(&study);
    let summary = summary(&study, &outputs);
    let new = Baseline::of(&study, &outputs, &summary);
    let mut old = new.clone();
    let place = |name: &str| new.metrics.iter().position(|metric| metric == name).unwrap();
    old.rows[0].fingerprint = 1;
    old.rows[0].means[place("stale_share")] = Some("0.004".into());
    old.rows[0].means[place("stale_window.mean")] = Some("18.5".into());
    old.rows[0].means[place("lookup_hops.mean")] = Some("3.5".into());
    old.rows[1].fingerprint = 2;
    let fast = vec![("dns.ttl".to_owned(), vec!["5s".to_owned()])];
    let budgets = [
        Budget { at: fast, ..budget("stale_share", Column::Mean, "<= 1%") },
        budget("stale_window.mean", Column::Mean, "<= 20s"),
        Budget { key: "handover.outage.p95".into(), ..budget("outage.p95", Column::Max, "<= 40s") },
        budget("lookup_hops.mean", Column::Mean, "<= 5"),
    ];
    let outcome = Outcome { outputs, failures: Vec::new(), loaded: 0 };
    let baseline = Standing::Compared(old.compare(&new));
    Judgement::new(&study, &outcome, &summary, &budgets, baseline, Vec::new())
}

/// One point that passes, with a name that every format has to escape.
fn content() -> Judgement {
    let study = crate::experiment::Study {
        scenario: "trace".into(),
        ..crate::experiment::run::tests::study(1)
    };
    let outputs = outputs(&study);
    let summary = summary(&study, &outputs);
    let baseline = Baseline::of(&study, &outputs, &summary);
    let outcome = Outcome { outputs, failures: Vec::new(), loaded: 0 };
    let budgets = [budget("departures", Column::Mean, "== 1")];
    let baseline = Standing::Compared(baseline.compare(&baseline));
    Judgement::new(&study, &outcome, &summary, &budgets, baseline, Vec::new())
}

/// A study without a baseline and with a run that failed for a reason that is hard to write.
fn fresh() -> Judgement {
    let mut judgement = content();
    judgement.scenario = "fresh".into();
    judgement.baseline = Standing::Missing { path: "results/baselines/fresh.csv".into() };
    judgement.complaints = vec!["run 0 (seed 7) failed: a < b && \"c\" | `d`\n\u{1b}[1m]]>".into()];
    judgement
}

/// Compares with a file beside this one.
fn golden(found: &str, expected: &str, name: &str) {
    assert_eq!(found, expected, "{name}");
}

#[test]
fn the_xml_has_the_bytes_that_it_had() {
    golden(&junit::junit(&[troubled(), content()]), include_str!("golden/gate.xml"), "gate.xml");
}

#[test]
fn the_markdown_has_the_bytes_that_it_had() {
    let text = markdown::markdown(&[troubled(), content()]);
    golden(&text, include_str!("golden/gate.md"), "gate.md");
}

#[test]
fn the_terminal_shows_what_it_showed() {
    let text: String = [troubled(), content(), fresh()].iter().map(terminal::terminal).collect();
    golden(&text, include_str!("golden/gate.txt"), "gate.txt");
}

#[test]
fn the_tracked_numbers_are_what_they_were() {
    let study = sweep(2);
    let entries = tracker::entries("handover", &summary(&study, &outputs(&study)));
    let few =
        |it: &tracker::Entry| it.name.ends_with("_share") || it.name.ends_with("_window.mean");
    let few: Vec<_> = entries.into_iter().filter(few).collect();
    golden(&tracker::tracker(&few), include_str!("golden/gate.json"), "gate.json");
}

#[test]
fn only_what_is_better_when_smaller_is_tracked_and_names_are_unique() {
    let study = sweep(1);
    let entries = tracker::entries("handover", &summary(&study, &outputs(&study)));
    assert!(entries.iter().all(|it| it.range.is_none()), "a single run has no interval");
    let mut names: Vec<_> = entries.iter().map(|it| it.name.clone()).collect();
    assert!(names.contains(&"handover/dns.ttl = 60s/outage.p95".to_owned()), "{names:?}");
    let tracked = |metric: &str| names.iter().any(|name| name.ends_with(&format!("/{metric}")));
    assert!(tracked("stale_share") && !tracked("leaves") && !tracked("node_hours"), "{names:?}");
    // Without a value there is nothing to track.
    assert!(!tracked("lookup_hops.mean"));
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// The test cases of a JUnit file with their classes, names, and what hangs below them with its
/// attributes and text; and the counts of the root.
type Found = (Vec<(String, String, String, String)>, Vec<usize>);

fn parsed(xml: &str) -> Found {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut cases, mut counts, mut stack) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                let attribute = |key: &str| {
                    let found = start.try_get_attribute(key).unwrap();
                    found.map_or_else(String::new, |it| {
                        it.normalized_value(quick_xml::XmlVersion::Implicit1_0)
                            .unwrap()
                            .into_owned()
                    })
                };
                match name.as_str() {
                    "testsuites" => {
                        let keys = ["tests", "failures", "errors"];
                        counts = keys.map(|key| attribute(key).parse().unwrap()).to_vec();
                    }
                    "testcase" => {
                        let below = (String::new(), String::new());
                        cases.push((attribute("classname"), attribute("name"), below.0, below.1));
                    }
                    "failure" | "error" | "system-out" => {
                        let case = cases.last_mut().unwrap();
                        case.2 = format!("{name} {} {}", attribute("type"), attribute("message"));
                    }
                    _ => {}
                }
                stack.push(name);
            }
            Event::Text(text) => {
                if let Some(case) = cases.last_mut() {
                    case.3.push_str(&text.xml10_content());
                }
            }
            Event::GeneralRef(entity) => {
                let name = entity.xml10_content();
                let text = quick_xml::escape::unescape(&format!("&{name};")).unwrap().into_owned();
                cases.last_mut().unwrap().3.push_str(&text);
            }
            Event::End(_) => drop(stack.pop().unwrap()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(stack.is_empty());
    (cases, counts)
}

#[test]
fn the_xml_is_well_formed_and_says_all_of_it() {
    let judgements = [troubled(), content(), fresh()];
    let (cases, counts) = parsed(&junit::junit(&judgements));
    let of = |kind: &str| cases.iter().filter(|it| it.2.starts_with(kind)).count();
    assert_eq!(counts, [cases.len(), of("failure"), of("error")]);
    assert_eq!(counts, [14, 8, 2]);
    // Class and name make a case.
    for (index, case) in cases.iter().enumerate() {
        let same = |it: &&(String, String, String, String)| it.0 == case.0 && it.1 == case.1;
        assert_eq!(cases[..index].iter().filter(same).count(), 0, "{case:?}");
    }
    // Metric, old and new value are in the message and in the text.
    let case = cases.iter().find(|it| it.1 == "baseline at dns.ttl = 60s").unwrap();
    assert_eq!(case.0, "handover.baseline");
    for text in [&case.2, &case.3] {
        assert!(text.contains("stale_window.mean 18.5 s -> 19 s (+2.7 %)"), "{text}");
    }
    // What XML can hold comes back, an escape character does not.
    let failed = cases.iter().find(|it| it.0 == "fresh.run").unwrap();
    assert!(failed.3.contains("a < b && \"c\" | `d`\n\u{fffd}[1m]]>"), "{}", failed.3);
    assert!(failed.2.ends_with("a < b && \"c\" | `d` \u{fffd}[1m]]>"), "{}", failed.2);
}

#[test]
fn a_page_ends_before_it_is_too_long() {
    let mut judgement = troubled();
    judgement.complaints =
        (0..3_000).map(|run| format!("run {run} failed: {}", "x".repeat(200))).collect();
    let text = markdown::markdown(&[judgement, content()]);
    assert!(text.len() <= markdown::MOST_BYTES && text.len() > markdown::MOST_BYTES / 2);
    assert!(text.contains("| `trace` | passed |"), "the table comes first");
    assert!(text.ends_with(
        " parts of this page left out, since it would be too long: the JUnit file has all.\n"
    ));
    // A line that is too long by itself is left out as well.
    let mut judgement = content();
    judgement.complaints = vec!["x".repeat(2 * markdown::MOST_BYTES)];
    let text = markdown::markdown(&[judgement]);
    assert!(text.len() < 1_000 && text.contains("\n1 part of this page left out"), "{text}");
}

#[test]
fn markdown_cannot_be_broken_by_what_it_tells() {
    let text = markdown::markdown(&[fresh()]);
    assert!(text.contains("failed: a \\< b && \"c\" \\| \\`d\\` "), "{text}");
    assert!(!text.contains("b && \"c\" |"), "{text}");
}

#[test]
fn the_same_budget_twice_is_two_cases() {
    let mut judgement = content();
    let same = judgement.budgets[0].clone();
    judgement.budgets.extend([same.clone(), same]);
    let names: Vec<_> = cases::cases(&judgement).into_iter().map(|case| case.name).collect();
    let expected =
        ["departures == 1", "departures == 1 (again)", "departures == 1 (again, 2)", "baseline"];
    assert_eq!(names, expected);
}

#[test]
fn what_was_blessed_is_told_with_what_it_changed() {
    let mut judgement = troubled();
    let Standing::Compared(before) = judgement.baseline else { panic!("it was compared") };
    judgement.baseline = Standing::Blessed { before: Some(before) };
    let text = terminal::terminal(&judgement);
    assert!(text.contains("baseline blessed"), "{text}");
    assert!(text.contains("stale_window.mean"), "{text}");
    let mut judgement = content();
    judgement.baseline = Standing::Blessed { before: None };
    assert!(terminal::terminal(&judgement).contains("the baseline is new"));
}

#[test]
fn a_run_that_failed_is_told_and_nothing_is_compared() {
    let study = sweep(1);
    let failures = vec![Failure { run: 1, message: "stuck".into() }];
    let outcome = Outcome { outputs: outputs(&study)[..1].to_vec(), failures, loaded: 0 };
    let summary = summary(&study, &outcome.outputs);
    let judgement =
        Judgement::new(&study, &outcome, &summary, &[], Standing::NotCompared, Vec::new());
    let text = terminal::terminal(&judgement);
    assert_eq!(
        text,
        "handover: failed, 2 runs\n  failed        complaint 1\n                run 1 (seed 7) failed: stuck\n"
    );
}
