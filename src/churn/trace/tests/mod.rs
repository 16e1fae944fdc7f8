//! Grammar, each error with its message, spreading, writing.

use super::*;

mod formats;
mod writing;

fn session(start: u64, end: u64) -> Session {
    Session { start: SimTime::from_secs(start), end: SimTime::from_secs(end) }
}

fn avt(text: &str) -> AvailabilityTrace {
    parse(text.as_bytes(), TraceFormat::Avt).expect("a valid trace")
}

#[test]
fn avt_is_read() {
    let text =
        "\u{feff}# a comment\r\n\r\nalice\t2\t 0 10 20.5 30   # another\r\n  bob 1 5 5\ncarol 0";
    let trace = avt(text);
    let names: Vec<_> = trace.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    let late = Session { start: SimTime::from_nanos(20_500_000_000), end: SimTime::from_secs(30) };
    assert_eq!(trace.nodes[0].sessions, [session(0, 10), late]);
    assert!(trace.nodes[1].sessions.is_empty() && trace.nodes[2].sessions.is_empty());
    assert_eq!((trace.span, trace.empty_sessions), (SimDuration::from_secs(30), 1));
}

#[test]
fn times_are_exact() {
    let table = [
        ("0.1", 100_000_000),
        ("0.000000001", 1),
        ("0.0000000019", 1),
        ("18446744073.709551614", u64::MAX - 1),
    ];
    for (written, nanos) in table {
        let trace = avt(&format!("a 1 {written} 18446744073.709551615"));
        assert_eq!(trace.nodes[0].sessions[0].start.as_nanos(), nanos, "{written}");
    }
}

#[test]
fn events_are_read() {
    let text =
        "0 a up\n5 b up\n5 b down # nothing\n10 a down\n10 a up\n12 c up\n20 b up\n20 c down\n";
    let trace = parse(text.as_bytes(), TraceFormat::Events).expect("valid");
    let sessions: Vec<_> =
        trace.nodes.iter().map(|node| (node.name.as_str(), node.sessions.clone())).collect();
    // a is up at the end: censored at 20. b comes up at the last instant: nothing is seen of it.
    let expected =
        [("a", vec![session(0, 10), session(10, 20)]), ("b", vec![]), ("c", vec![session(12, 20)])];
    assert_eq!(sessions, expected);
    assert_eq!((trace.span, trace.empty_sessions), (SimDuration::from_secs(20), 2));
}

fn check_errors(format: TraceFormat, table: &[(&[u8], &str)]) {
    for (text, message) in table {
        let error = parse(text, format).expect_err(message);
        assert_eq!(error.to_string(), *message, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn avt_errors() {
    check_errors(
        TraceFormat::Avt,
        &[
            (b"", "line 1, column 1: the trace names no node"),
            (b"# nothing\n\n", "line 1, column 1: the trace names no node"),
            (b"a 0\nb 1 5 5\n", "line 1, column 1: no node of the trace was ever up"),
            (
                b"a 1 0 5\nb\xc3\xa9 \xff",
                "line 2, column 4: this is not text (byte 0xff is not UTF-8); is the file \
                 compressed?",
            ),
            (
                b"a 1 0 5\nalice\n",
                "line 2, column 6: expected the number of sessions, got the end of the line",
            ),
            (b"a x 0 5", "line 1, column 3: expected the number of sessions, got `x`"),
            (b"a -1 0 5", "line 1, column 3: expected the number of sessions, got `-1`"),
            (b"a 1 0 five", "line 1, column 7: expected a time in seconds, got `five`"),
            (b"a 1 -3 5", "line 1, column 5: expected a time in seconds, got `-3`"),
            (b"a 1 1e3 5", "line 1, column 5: expected a time in seconds, got `1e3`"),
            (b"a 1 0 5.", "line 1, column 7: expected a time in seconds, got `5.`"),
            (
                b"a 1 0 18446744074",
                "line 1, column 7: `18446744074` s is too late: times reach to 18446744073 s, \
                 which is 584 years",
            ),
            (
                b"a 2 0 5 9",
                "line 1, column 10: node `a` has 3 times, an odd number; each session needs a \
                 start and an end",
            ),
            (b"a 3 0 5 9 12", "line 1, column 3: node `a` announces 3 sessions, but 2 follow"),
            (b"a 0 0 5", "line 1, column 3: node `a` announces 0 sessions, but 1 follow"),
            (
                "\t é 2 0 5 9 7.5".as_bytes(),
                "line 1, column 13: session 2 of node `é` ends at 7.5 s, before its start at 9 s",
            ),
            (
                b"a 2 0 5 4 9",
                "line 1, column 9: session 2 of node `a` starts at 4 s, before session 1 ended at \
                 5 s; sessions must be in order and must not overlap",
            ),
            (b"a 0\nb 1 0 1\n\na 1 0 5", "line 4, column 1: node `a` was already named on line 1"),
        ],
    );
}

#[test]
fn event_errors() {
    check_errors(
        TraceFormat::Events,
        &[
            (b"\n", "line 1, column 1: the trace names no node"),
            (b"0 a up\n0 a down", "line 1, column 1: no node of the trace was ever up"),
            (b"x a up", "line 1, column 1: expected a time in seconds, got `x`"),
            (b"0", "line 1, column 2: expected the name of a node, got the end of the line"),
            (b"0 a", "line 1, column 4: expected `up` or `down`, got the end of the line"),
            (b"0 a JOIN", "line 1, column 5: expected `up` or `down`, got `JOIN`"),
            (b"0 a up 7", "line 1, column 8: expected the end of the line, got `7`"),
            (
                b"9 a up\n8.5 b up",
                "line 2, column 1: the event is at 8.5 s, before the one at 9 s; sort the file by \
                 time",
            ),
            (b"0 a up\n5 a up", "line 2, column 5: node `a` goes up, but is up since 0 s"),
            (
                b"5 a down",
                "line 1, column 5: node `a` goes down, but is not up; a node that is up from the \
                 beginning needs an `up` at 0",
            ),
        ],
    );
}

#[test]
fn formats_are_told_by_key_or_extension() {
    use TraceFormat::{Avt, Events, Fta, OverSim};
    let unknown = |name: &str| {
        Err(format!(
            "`{name}` is no trace format that can be read; `format` is one of avt, events, oversim, \
             fta, p2psim, splay, simgrid"
        ))
    };
    let untold = |name: &str| {
        Err(format!(
            "`{name}` has no extension to tell its format by; say `format`, which is one of avt, \
             events, oversim, fta, p2psim, splay, simgrid"
        ))
    };
    let table = [
        ("traces/small.avt", None, Ok(Avt)),
        ("SMALL.AVT", None, Ok(Avt)),
        ("a.b/log.events", None, Ok(Events)),
        ("fta/event_trace.tab", None, Ok(Fta)),
        ("log.txt", Some("events"), Ok(Events)),
        ("a.avt", Some("oversim"), Ok(OverSim)),
        ("churn.dat", None, unknown("dat")),
        ("a.avt", Some("tab"), unknown("tab")),
        ("dir.d/trace", None, untold("trace")),
        (".avt", None, untold(".avt")),
    ];
    for (file, format, expected) in table {
        let told = TraceFormat::of(file, format).map_err(|error| error.to_string());
        assert_eq!(told, expected, "{file} {format:?}");
    }
    for format in TraceFormat::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
        assert_eq!(TraceFormat::of(&format!("a.{format}"), None), Ok(format));
    }
}

#[test]
fn what_is_written_is_read_back() {
    let trace = avt("alice 2 0 10 20.25 30\nbob 0\ncarol 1 0.000000001 30");
    let file = to_avt(&trace, "made by hand\n\nfor a test");
    assert_eq!(
        file,
        "# made by hand\n#\n# for a test\nalice\t2\t 0 10 20.25 30\nbob\t0\t\ncarol\t1\t \
         0.000000001 30\n"
    );
    assert_eq!(avt(&file), trace);
}

/// 400 nodes that were looked at every 100 s: seen up at 100, gone at 300, up at 400, and up to
/// the end at 1,000.
#[test]
fn spreading_keeps_what_was_seen() {
    let line = |i: u32| format!("node-{i} 2 100 300 400 1000\n");
    let text: String = (0..400).map(line).chain(["early 1 0 300\n".to_owned()]).collect();
    let sampled = avt(&text);
    let spread = sampled.clone().spread(SimDuration::from_secs(100), 5);
    assert_eq!(spread, sampled.clone().spread(SimDuration::from_secs(100), 5));
    assert_ne!(spread, sampled.clone().spread(SimDuration::from_secs(100), 6));
    assert_eq!(spread.span, sampled.span);

    let (early, nodes) = spread.nodes.split_last().expect("401 nodes");
    assert_eq!(early.sessions[0].start, SimTime::ZERO, "up when the measurement began");
    let second = SimTime::from_secs;
    let mut sums = [0.0; 3];
    for node in nodes {
        let [first, last] = node.sessions[..] else { panic!("two sessions each") };
        assert!(SimTime::ZERO < first.start && first.start <= second(100));
        assert!(second(200) < first.end && first.end <= second(300));
        assert!(second(300) < last.start && last.start <= second(400));
        assert_eq!(last.end, second(1_000), "censored");
        for (sum, at) in sums.iter_mut().zip([first.start, first.end, last.start]) {
            *sum += at.as_secs_f64() / 400.0;
        }
    }
    // Uniform: mean in the middle, standard error 100 / √(12 · 400) = 1.44; four of them.
    for (mean, middle) in sums.into_iter().zip([50.0, 250.0, 350.0]) {
        assert!((mean - middle).abs() < 5.8, "{mean} for {middle}");
    }
}

#[test]
fn spreading_shorter_stretches_than_the_interval_keeps_the_order() {
    let sampled = avt("a 4 5 10 10 12 13 20 21 50\nb 1 0 60");
    for seed in 0..200 {
        let spread = sampled.clone().spread(SimDuration::from_secs(100), seed);
        let sessions = &spread.nodes[0].sessions;
        assert!(sessions.iter().all(|s| s.start < s.end), "{sessions:?}");
        assert!(sessions.windows(2).all(|pair| pair[0].end <= pair[1].start), "{sessions:?}");
        // An arrival that was seen at the very moment of a leave has no room.
        assert_eq!(sessions[1].start, SimTime::from_secs(10));
    }
    assert_eq!(sampled.clone().spread(SimDuration::ZERO, 1), sampled);
}
