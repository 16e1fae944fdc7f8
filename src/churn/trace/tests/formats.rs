//! The formats of other simulators and archives: what is read, and each error with its message.

use super::*;

fn read(format: TraceFormat, text: &str) -> AvailabilityTrace {
    parse(text.as_bytes(), format).unwrap_or_else(|error| panic!("{format}: {error}"))
}

/// Names with starts and ends, in seconds.
fn told(trace: &AvailabilityTrace) -> Vec<(&str, Vec<(f64, f64)>)> {
    let pair = |s: &Session| (s.start.as_secs_f64(), s.end.as_secs_f64());
    let node = |node: &'_ TraceNode| node.sessions.iter().map(pair).collect();
    trace.nodes.iter().map(|it| (it.name.as_str(), node(it))).collect()
}

/// As OverSim reads it: 0x16 and 22 and 026 are one node; commands of applications say nothing.
#[test]
fn oversim_is_read() {
    let text = "0.0 22 JOIN\n1.5 0x16 PUT key value\n5 0 CONNECT_NODETYPES 1 2\n7.25 026 LEAVE\n\
                8 3 JOIN\n9 22 JOIN\n20 3 LEAVE\n";
    let trace = read(TraceFormat::OverSim, text);
    // 22 is up at the end: censored at 20.
    assert_eq!(told(&trace), [("22", vec![(0.0, 7.25), (9.0, 20.0)]), ("3", vec![(8.0, 20.0)])]);
    assert_eq!((trace.skipped, trace.span), (2, SimDuration::from_secs(20)));
}

#[test]
fn oversim_errors() {
    const COMMAND: &str = "expected `JOIN`, `LEAVE` or another command in capitals, got";
    const NUMBER: &str = "expected the number of a node, as C reads it: 22, 0x16 or 026, got";
    let own = |text: &'static str, message: String| (text, message);
    for (text, message) in [
        own("0 a JOIN", format!("line 1, column 3: {NUMBER} `a`")),
        own("0 09 JOIN", format!("line 1, column 3: {NUMBER} `09`")),
        own("0 0x JOIN", format!("line 1, column 3: {NUMBER} `0x`")),
        own("0 1", format!("line 1, column 4: {COMMAND} the end of the line")),
        own("0 1 join", format!("line 1, column 5: {COMMAND} `join`")),
        own("0 1 JION", format!("line 1, column 5: {COMMAND} `JION`")),
        own("0 1 LEAVES", format!("line 1, column 5: {COMMAND} `LEAVES`")),
        own("0 1 JOIN 5", "line 1, column 10: expected the end of the line, got `5`".to_owned()),
        own(
            "5 1 JOIN\n4 1 PUT",
            "line 2, column 1: the event is at 4 s, before the one at 5 s; sort the file by time"
                .to_owned(),
        ),
        own(
            "5 1 JOIN\n6 0x1 JOIN",
            "line 2, column 3: node `1` goes up, but is up since 5 s".to_owned(),
        ),
        own("5 1 PUT x y", "line 1, column 1: the trace names no node".to_owned()),
    ] {
        check_errors(TraceFormat::OverSim, &[(text.as_bytes(), &message)]);
    }
}

const FTA_HEADER: &str = "event_id\tcomponent_id\tnode_id\tplatform_id\tnode_name\tevent_type\t\
                          event_start_time\tevent_stop_time\tevent_end_reason";

/// Epoch seconds; the earliest row is a down one, so the trace begins there.
#[test]
fn fta_is_read() {
    let rows = "0\t0\t7\t1\thost-a\t1\t1200000100\t1200000200.5\tNULL\n\
                1\t0\t8\t1\thost b\t0\t1200000050\t1200000150\t\n\
                2\t0\t7\t1\thost-a\t0\t1200000200.5\t1200000300\t3\n\
                3\t0\t8\t1\thost b\t1\t1200000150\t1200000250\t\n\
                4\t0\t7\t1\thost-a\t1\t1200000300\t1200000300\t\n";
    // A name of two words would be two in other formats: then numbers are the names.
    let sessions =
        |a: &'static str, b: &'static str| [(a, vec![(50.0, 150.5)]), (b, vec![(100.0, 200.0)])];
    for header in [String::new(), format!("# {FTA_HEADER}\n"), format!("{FTA_HEADER}\n")] {
        let trace = read(TraceFormat::Fta, &format!("# made by hand\n{header}{rows}"));
        assert_eq!(told(&trace), sessions("1/7", "1/8"));
        assert_eq!(trace.empty_sessions, 1);
        let one_word = rows.replace("host b", "host-b");
        let trace = read(TraceFormat::Fta, &format!("{header}{one_word}"));
        assert_eq!(told(&trace), sessions("host-a", "host-b"));
    }
    // The columns that are read, in another order.
    let few = "#node_id\tevent_type\tplatform_id\tevent_stop_time\tevent_start_time\n5\t1\t2\t9\t4";
    assert_eq!(told(&read(TraceFormat::Fta, few)), [("2/5", vec![(0.0, 5.0)])]);
}

#[test]
fn fta_errors() {
    let row = |event: &str, start: &str, stop: &str| {
        format!("1\t0\t7\t1\ta\t{event}\t{start}\t{stop}\tNULL\n")
    };
    let unknown = FTA_HEADER.replace("event_start_time", "event_begin_time");
    let far = FTA_HEADER.replace("node_name", "colour");
    let twice = FTA_HEADER.replace("node_name", "node_id");
    let missing = FTA_HEADER.replace("\tplatform_id", "");
    let all = FTA_HEADER.replace('\t', ", ");
    for (text, message) in [
        (
            format!("# {unknown}\n"),
            "line 1, column 66: unknown column `event_begin_time`; did you mean \
             `event_start_time`?"
                .to_owned(),
        ),
        (far, format!("line 1, column 43: unknown column `colour`; there are {all}")),
        (twice, "line 1, column 43: the column `node_id` is named twice".to_owned()),
        (missing, "line 1, column 101: the header names no column `platform_id`".to_owned()),
        (
            "1\t0\t7\t1\ta\t1\t0\t5\n".to_owned(),
            format!("line 1, column 16: expected the 9 columns {all}, separated by tabs; got 8"),
        ),
        (
            row("up", "0", "5"),
            "line 1, column 11: expected the type of an event, 1 (up) or 0 (down), got `up`"
                .to_owned(),
        ),
        (row("1", "-5", "5"), "line 1, column 13: expected a time in seconds, got `-5`".to_owned()),
        (
            row("1", "9", "5"),
            "line 1, column 15: the row of node `1/7` stops at 5 s, before its start at 9 s"
                .to_owned(),
        ),
        (
            row("1", "0", "5") + &row("0", "4", "9"),
            "line 2, column 13: the row of node `1/7` starts at 4 s, before the one above stops \
             at 5 s; the rows of a node must be in order and must not overlap"
                .to_owned(),
        ),
        (row("0", "0", "5"), "line 1, column 1: no node of the trace was ever up".to_owned()),
    ] {
        check_errors(TraceFormat::Fta, &[(text.as_bytes(), &message)]);
    }
}

#[test]
fn p2psim_is_read() {
    let trace = read(TraceFormat::P2psim, "# ms\n1 alive 1500 2000.5\n2 dead 500 4000\n3 dead\n");
    assert_eq!(
        told(&trace),
        [("1", vec![(0.0, 1.5), (2.0005, 4.0)]), ("2", vec![(0.5, 4.0)]), ("3", vec![])]
    );
    check_errors(
        TraceFormat::P2psim,
        &[
            (b"1", "line 1, column 2: expected `alive` or `dead`, got the end of the line"),
            (b"1 up 5", "line 1, column 3: expected `alive` or `dead`, got `up`"),
            (b"1 dead 5s", "line 1, column 8: expected a time in milliseconds, got `5s`"),
            (
                b"1 dead 5 9 7",
                "line 1, column 12: node `1` changes at 0.007 s, before its change at 0.009 s",
            ),
            (b"1 dead 5\n1 alive", "line 2, column 1: node `1` was already named on line 1"),
            (
                b"1 dead 18446744073710",
                "line 1, column 8: `18446744073710` ms is too late: times reach to 18446744073 s, \
                 which is 584 years",
            ),
            (
                b"1 alive",
                "line 1, column 1: the file does not say how long it lasts: what repeats for \
                 ever, or stays up with nothing after it, needs an end (--span of `trace convert`)",
            ),
        ],
    );
}

#[test]
fn splay_is_read() {
    let trace = read(TraceFormat::Splay, "0 10 20 30\n\n5\n12.5 15\n");
    assert_eq!(
        told(&trace),
        [
            ("peer-1", vec![(0.0, 10.0), (20.0, 30.0)]),
            ("peer-2", vec![(5.0, 30.0)]),
            ("peer-3", vec![(12.5, 15.0)])
        ]
    );
    check_errors(
        TraceFormat::Splay,
        &[
            (b"0 10\n3 x", "line 2, column 3: expected a time in seconds, got `x`"),
            (
                b"0 10\n3 9 8",
                "line 2, column 5: node `peer-2` changes at 8 s, before its change at 9 s",
            ),
        ],
    );
}

/// A host is on until told otherwise. LOOPAFTER counts from the last change, PERIODICITY from the
/// start.
#[test]
fn simgrid_is_read() {
    let read = |text: &str, span: Option<u64>| {
        let span = span.map(SimDuration::from_secs);
        let trace = parse_until(text.as_bytes(), TraceFormat::SimGrid, span)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        told(&trace).pop().expect("one host").1
    };
    let once = "% a comment\n10 0\n10 0\n# another\n15.5 1.0\n20 0\n";
    assert_eq!(read(once, None), [(0.0, 10.0), (15.5, 20.0)]);
    // Told to last longer, and shorter.
    assert_eq!(read("10 0\n15 1\n", Some(30)), [(0.0, 10.0), (15.0, 30.0)]);
    assert_eq!(read(once, Some(16)), [(0.0, 10.0), (15.5, 16.0)]);
    // Up again at 2 + 3 = 5, and off 1 s later, at 6.
    let after = "LOOPAFTER 3\n1 0\n2 1\n";
    assert_eq!(read(after, Some(12)), [(0.0, 1.0), (2.0, 6.0), (7.0, 11.0)]);
    // Every 5 s, the same.
    assert_eq!(read("1 0\n2 1\nPERIODICITY 5", Some(12)), read(after, Some(12)));
}

#[test]
fn simgrid_errors() {
    check_errors(
        TraceFormat::SimGrid,
        &[
            (b"5 2", "line 1, column 3: expected the state of the host, `0` or `1`, got `2`"),
            (b"5 0.5", "line 1, column 3: expected the state of the host, `0` or `1`, got `0.5`"),
            (b"5 0\n4 1", "line 2, column 1: node `host` changes at 4 s, before its change at 5 s"),
            (b"LOOPAFTER x", "line 1, column 11: expected a time in seconds, got `x`"),
            (
                b"5 0\nPERIODICITY 4",
                "line 2, column 13: the profile repeats every 4 s, but its last change is at 5 s; \
                 a period is longer than 0 and reaches to the last change",
            ),
            (
                b"STOCHASTIC LOOP\nEXP 5 DET 0",
                "line 1, column 1: the profile is drawn by chance; only those with fixed times \
                 can be read",
            ),
            (
                b"5 0\n6 1\nLOOPAFTER 1",
                "line 1, column 1: the file does not say how long it lasts: what repeats for \
                 ever, or stays up with nothing after it, needs an end (--span of `trace convert`)",
            ),
        ],
    );
    let often = parse_until(
        b"0.000001 0\n0.000002 1\nLOOPAFTER 0",
        TraceFormat::SimGrid,
        Some(SimDuration::from_secs(86_400)),
    );
    let told = "line 3, column 11: the profile changes more than 1,000,000 times up to the end of \
                the trace";
    assert_eq!(often.expect_err(told).to_string(), told);
}

#[test]
fn a_span_cuts_and_goes_on() {
    let until = |format, text: &str, seconds| {
        parse_until(text.as_bytes(), format, Some(SimDuration::from_secs(seconds))).expect("valid")
    };
    let cut = until(TraceFormat::Avt, "a 2 0 10 20 30\nb 1 20 30", 20);
    assert_eq!(told(&cut), [("a", vec![(0.0, 10.0)]), ("b", vec![])]);
    assert_eq!(cut.span, SimDuration::from_secs(10));
    let events = "0 a up\n5 b up\n8 a down\n";
    let longer = until(TraceFormat::Events, events, 20);
    assert_eq!(told(&longer), [("a", vec![(0.0, 8.0)]), ("b", vec![(5.0, 20.0)])]);
    let shorter = until(TraceFormat::Events, events, 6);
    assert_eq!(told(&shorter), [("a", vec![(0.0, 6.0)]), ("b", vec![(5.0, 6.0)])]);
    assert_eq!(shorter.empty_sessions, 0);
}
