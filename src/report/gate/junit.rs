//! JUnit XML: what test reports of CI systems read.
//!
//! There is no standard; this is what Jenkins, GitLab and GitHub's reporters agree on. A test suite
//! a scenario, a test case for each thing that was judged, its class `<scenario>.<kind>`; class and
//! name together are unique, since GitLab drops what is not. What does not hold is a `failure`, what
//! cannot be told an `error` (no system fails a job for a `skipped`), and both carry all numbers in
//! their text too, since some systems show the text and others the message. There are no attributes
//! of time: what a run took says nothing, and the bytes are the same on each machine.

use super::one_line;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::cases::{Case, cases};
use crate::experiment::gate::{Judgement, Severity};

/// The XML of all judgements.
#[must_use]
pub fn junit(judgements: &[Judgement]) -> String {
    let suites: Vec<(&Judgement, Vec<Case>)> =
        judgements.iter().map(|judgement| (judgement, cases(judgement))).collect();
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.put(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    xml.open("testsuites", &[("name", "overcord gate")], Some(Tally::of(all())));
    for (judgement, cases) in &suites {
        let tally = Tally::of(cases.iter());
        xml.open("testsuite", &[("name", &judgement.scenario)], Some(tally));
        for case in cases {
            xml.case(&judgement.scenario, case);
        }
        xml.close("testsuite");
    }
    xml.close("testsuites");
    let mut text = String::from_utf8(xml.0.into_inner()).expect("only text is written");
    text.push('\n');
    text
}

/// How many cases there are, and how many of them failed or could not be told.
struct Tally {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl Tally {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        cases.fold(Self { tests: 0, failures: 0, errors: 0 }, |tally, case| Self {
            tests: tally.tests + 1,
            failures: tally.failures + usize::from(case.severity == Severity::Fail),
            errors: tally.errors + usize::from(case.severity == Severity::Inconclusive),
        })
    }
}

struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn put(&mut self, event: Event<'_>) {
        self.0.write_event(event).expect("writing to memory does not fail");
    }

    fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            let value = one_line(&allowed(value));
            start.push_attribute((*key, value.as_str()));
        }
        start
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)], tally: Option<Tally>) {
        let mut start = Self::start(name, attributes);
        if let Some(Tally { tests, failures, errors }) = tally {
            for (key, number) in [("tests", tests), ("failures", failures), ("errors", errors)] {
                start.push_attribute((key, number.to_string().as_str()));
            }
        }
        self.put(Event::Start(start));
    }

    fn close(&mut self, name: &str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    /// An element with a text in it.
    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes, None);
        self.put(Event::Text(BytesText::new(&allowed(text))));
        self.close(name);
    }

    fn case(&mut self, scenario: &str, case: &Case) {
        let class = format!("{scenario}.{}", case.kind.word());
        self.open("testcase", &[("classname", &class), ("name", &case.name)], None);
        let mut text = case.summary.clone();
        for line in case.lines() {
            text.push('\n');
            text.push_str(&line);
        }
        let attributes = [("message", case.summary.as_str()), ("type", case.verdict)];
        match case.severity {
            Severity::Pass => self.text("system-out", &[], &text),
            Severity::Inconclusive => self.text("error", &attributes, &text),
            Severity::Fail => self.text("failure", &attributes, &text),
        }
        self.close("testcase");
    }
}

/// A text without the characters that XML 1.0 cannot hold, not even escaped.
fn allowed(text: &str) -> String {
    let is_allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}')
    };
    text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
