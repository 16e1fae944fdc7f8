//! What is written is read back, but for what is told as lost.

use std::collections::BTreeMap;

use super::*;
use crate::churn::{Centre, ChurnModel, Family, Lifetime, Recipe, generate};

/// Sessions by name, of nodes that were ever up.
fn by_name(trace: &AvailabilityTrace) -> BTreeMap<String, Vec<Session>> {
    let up = trace.nodes.iter().filter(|node| !node.sessions.is_empty());
    up.map(|node| (node.name.clone(), node.sessions.clone())).collect()
}

fn without_names(trace: &AvailabilityTrace) -> Vec<Vec<Session>> {
    let mut all: Vec<Vec<Session>> = by_name(trace).into_values().collect();
    all.sort_by_key(|sessions| sessions.iter().map(|s| (s.start, s.end)).collect::<Vec<_>>());
    all
}

fn check_round_trips(trace: &AvailabilityTrace) {
    for format in TraceFormat::ALL {
        if format == TraceFormat::SimGrid {
            continue;
        }
        let written = write(trace, format, "made by a test\n\nof two lines").expect("it fits");
        let back = parse(written.text.as_bytes(), format)
            .unwrap_or_else(|error| panic!("{format}: {error}\n{}", written.text));
        let unnamed =
            written.lost.contains(&Loss::Numbered) || written.lost.contains(&Loss::Unnamed);
        if unnamed {
            assert_eq!(without_names(&back), without_names(trace), "{format}");
        } else {
            assert_eq!(by_name(&back), by_name(trace), "{format}");
        }
        let never_up = trace.nodes.len() - by_name(trace).len();
        let lost = written.lost.contains(&Loss::NeverUp(never_up));
        assert_eq!(back.nodes.len() + usize::from(lost) * never_up, trace.nodes.len(), "{format}");
        assert_eq!((back.span, back.empty_sessions), (trace.span, 0), "{format}");
    }
}

#[test]
fn every_format_is_read_back() {
    let life = |minutes: u64| {
        let mean = Centre::Mean(SimDuration::from_secs(minutes * 60));
        Lifetime::new(Family::Weibull { shape: 0.5 }, mean).expect("valid")
    };
    let recipe = |seed| Recipe {
        nodes: 40,
        span: SimDuration::from_secs(6 * 3_600),
        model: ChurnModel { session: life(60), downtime: life(120) },
        seed,
    };
    for seed in 1..=20 {
        check_round_trips(&generate(&recipe(seed)));
    }
    // A return at the instant of the leave; one that is never up; a fraction; numbers as names.
    check_round_trips(&avt("a 3 0 10 10 20.125 25 30\nb 0\nc 1 10 30"));
    check_round_trips(&avt("17 2 5 10 10 20\n4 1 0 20\n9 0"));
}

#[test]
fn each_format_is_written_as_its_readers_expect() {
    use TraceFormat::{Events, Fta, OverSim, P2psim, SimGrid, Splay};
    let trace = avt("7 2 0 10.5 20 30\n3 1 5 30\n8 0");
    let table = [
        (Events, "# x\n0 7 up\n5 3 up\n10.5 7 down\n20 7 up\n30 7 down\n30 3 down\n"),
        (OverSim, "0 7 JOIN\n5 3 JOIN\n10.5 7 LEAVE\n20 7 JOIN\n30 7 LEAVE\n30 3 LEAVE\n"),
        (P2psim, "# x\n7 alive 10500 20000 30000\n3 dead 5000 30000\n8 dead\n"),
        (Splay, "0 10.5 20 30\n5 30\n"),
        (
            Fta,
            "# x\n# event_id\tcomponent_id\tnode_id\tplatform_id\tnode_name\tevent_type\t\
             event_start_time\tevent_stop_time\tevent_end_reason\n\
             1\t1\t1\t1\t7\t1\t0\t10.5\tNULL\n2\t1\t1\t1\t7\t0\t10.5\t20\tNULL\n\
             3\t1\t1\t1\t7\t1\t20\t30\tNULL\n4\t2\t2\t1\t3\t0\t0\t5\tNULL\n\
             5\t2\t2\t1\t3\t1\t5\t30\tNULL\n6\t3\t3\t1\t8\t0\t0\t30\tNULL\n",
        ),
    ];
    for (format, expected) in table {
        assert_eq!(write(&trace, format, "x").expect("it fits").text, expected, "{format}");
    }
    let refused = write(&trace, SimGrid, "x").expect_err("three nodes");
    assert_eq!(refused, WriteError::ProfileEach { nodes: 3 });
    let profiles: Vec<String> = trace.nodes.iter().map(|node| to_profile(node, "x")).collect();
    assert_eq!(profiles, ["# x\n10.5 0\n20 1\n30 0\n", "# x\n0 0\n5 1\n30 0\n", "# x\n0 0\n"]);
    let named: Vec<_> = ["7", "3", "8"].map(str::to_owned).into_iter().zip(profiles).collect();
    let named: Vec<_> = named.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    assert_eq!(parse_profiles(&named, None), Ok(trace));
}

#[test]
fn what_gets_lost_is_told() {
    let lost = |text: &str, format| write(&avt(text), format, "").expect("it fits").lost;
    assert_eq!(lost("a 1 0 5\nb 0\nc 0", TraceFormat::Events), [Loss::NeverUp(2)]);
    assert_eq!(lost("a 1 0 5\nb 0", TraceFormat::OverSim), [Loss::NeverUp(1), Loss::Numbered]);
    // A leading zero would be an octal number for OverSim, and 0 is p2psim's nobody.
    assert_eq!(lost("010 1 0 5", TraceFormat::OverSim), [Loss::Numbered]);
    assert_eq!(lost("0 1 0 5", TraceFormat::P2psim), [Loss::Numbered]);
    assert_eq!(lost("1 1 0 5", TraceFormat::P2psim), []);
    assert_eq!(lost("1 1 0 5\n2 0", TraceFormat::Fta), []);
    let error = write(&avt("a 1 0.0015 5"), TraceFormat::P2psim, "").expect_err("a fraction");
    assert_eq!(
        error.to_string(),
        "p2psim counts whole milliseconds, and a session of node `a` starts or ends at 0.0015 s"
    );
}
