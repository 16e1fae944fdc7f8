//! Figures of small traces by hand, and of the real ones.

use super::*;
use crate::churn::trace::{TraceFormat, parse};

fn stats(text: &[u8]) -> TraceStats {
    TraceStats::of(&parse(text, TraceFormat::Avt).expect("a valid trace"))
}

/// a: 0–10, 30–50, 60–100; b: 20–50; c: never up; d: an empty session at 70.
///
/// Lengths 10, 20, 30, 40: median 25, mean 25. Complete: 20 and 30. Downtimes 20 and 10. Leaves at
/// 10, 50, 50. Online 100 s of 100 s.
#[test]
fn figures_of_a_trace_by_hand() {
    let seconds = SimDuration::from_secs;
    let found = stats(b"a 3 0 10 30 50 60 100\nb 1 20 50\nc 0\nd 1 70 70\n");
    let expected = TraceStats {
        nodes: 4,
        sessions: 5,
        empty: 1,
        skipped: 0,
        censored: 1,
        complete: 2,
        leaves: 3,
        span: seconds(100),
        recorded_session: Some(Spread { median: seconds(25), mean: seconds(25) }),
        complete_session: Some(Spread { median: seconds(25), mean: seconds(25) }),
        downtime: Some(Spread { median: seconds(15), mean: seconds(15) }),
        mean_online: 1.0,
        leaves_per_hour: 108.0,
        most_leaves_at_once: Some((2, SimTime::from_secs(50))),
    };
    assert_eq!(found, expected);
}

#[test]
fn the_table_is_aligned() {
    let table = stats(b"a 3 0 10 30 50 60 100\nb 1 20 50\nc 0\nd 1 70 70\n").to_string();
    let expected = "\
nodes                          4
span                      0.00 d  from 0 to the last end of a session
sessions                       5  as recorded
  empty                        1  of length zero; in no other figure
  censored                     1  run into the end of the trace
  complete                     2  begin and end within the trace
session, median             25 s  all, as recorded
session, mean               25 s  all, as recorded
complete session, median    25 s  complete ones
complete session, mean      25 s  complete ones
downtime, median            15 s  between two sessions of a node
downtime, mean              15 s  between two sessions of a node
online, mean                 1.0  nodes, over time
leaves                         3  sessions that end before the trace does
leaves per hour            108.0
most leaves at once            2  at 50 s
";
    assert_eq!(table, expected);
}

#[test]
fn nothing_to_say_is_a_dash() {
    let found = stats(b"a 1 0 100\n");
    assert_eq!(
        (found.complete_session, found.downtime, found.most_leaves_at_once),
        (None, None, None)
    );
    assert!(found.to_string().contains("most leaves at once            -\n"), "{found}");
}

/// The folder of the real traces; none when there is none and this is no CI run.
fn real_trace(file: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("OVERCORD_TRACES") else {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!in_ci, "OVERCORD_TRACES must name the folder of the real traces in CI");
        println!("skipped: OVERCORD_TRACES does not name a folder with {file}");
        return None;
    };
    let path = std::path::Path::new(&folder).join(file);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// 2,683 changes of address by 397 Tor relays, all of which are in the trace of their presence.
#[test]
fn tor_relays_that_change_their_address() {
    use std::collections::BTreeSet;

    use crate::churn::trace::{TraceFormat, parse, parse_address_changes};
    let Some(changes) = real_trace("tor-relays-2024-10.address-changes.csv") else { return };
    let Some(presence) = real_trace("tor-relays-2024-10.avt") else { return };
    let changes = parse_address_changes(&changes).unwrap();
    let who: BTreeSet<&str> = changes.iter().map(|change| change.host.as_str()).collect();
    assert_eq!((changes.len(), who.len()), (2_683, 397));
    let relays = parse(&presence, TraceFormat::Avt).unwrap();
    let known: BTreeSet<&str> = relays.nodes.iter().map(|node| node.name.as_str()).collect();
    assert!(who.is_subset(&known));
}

fn rounded(value: f64, decimals: i32) -> f64 {
    (value * 10f64.powi(decimals)).round() / 10f64.powi(decimals)
}

/// Published figures of the trace of Skype super nodes (Guha, Daswani, Jain, IPTPS 2006): lengths
/// are those of all sessions as recorded.
#[test]
fn skype_super_nodes() {
    let Some(file) = real_trace("skype-guha2005.avt") else { return };
    let found = stats(&file);
    let counts = (found.nodes, found.sessions, found.empty, found.censored, found.leaves);
    assert_eq!(counts, (2_081, 29_217, 0, 682, 28_535));
    assert_eq!(rounded(found.span.as_secs_f64() / 86_400.0, 2), 28.68);
    let session = found.recorded_session.expect("sessions");
    assert_eq!((session.median.as_secs(), session.mean.as_secs()), (18_395, 58_569));
    assert_eq!(found.downtime.expect("downtimes").median.as_secs(), 22_190);
    assert_eq!(rounded(found.mean_online, 0), 691.0);
    assert_eq!(rounded(found.leaves_per_hour, 1), 41.5);
    assert_eq!(found.most_leaves_at_once, Some((426, SimTime::from_secs(906_429))));
}

/// Tor relays in the hourly consensuses of October 2024: the median is that of complete sessions,
/// 16 relays were first seen in the last consensus.
#[test]
fn tor_relays() {
    let Some(file) = real_trace("tor-relays-2024-10.avt") else { return };
    let found = stats(&file);
    let counts = (found.nodes, found.sessions, found.empty, found.censored, found.leaves);
    assert_eq!(counts, (9_645, 23_056, 16, 8_155, 14_885));
    assert_eq!(rounded(found.span.as_secs_f64() / 86_400.0, 0), 30.0);
    assert_eq!(found.complete_session.expect("sessions").median.as_secs(), 11_132);
    assert_eq!(rounded(found.mean_online, 0), 8_117.0);
    assert_eq!(rounded(found.leaves_per_hour, 1), 20.7);
}

/// What is played is what was counted.
#[test]
fn a_simulation_of_the_whole_trace_has_as_many_leaves() {
    use crate::churn::{GracefulShare, Schedule};
    use std::sync::Arc;

    let Some(file) = real_trace("skype-guha2005.avt") else { return };
    let trace = Arc::new(parse(&file, TraceFormat::Avt).expect("a valid trace"));
    let found = TraceStats::of(&trace);
    let spread = TraceStats::of(&trace.as_ref().clone().spread(SimDuration::from_secs(1_800), 1));
    assert_eq!((spread.leaves, spread.censored), (found.leaves, found.censored));
    // 28,535 leaves over 2.5 million seconds: hardly two share a nanosecond.
    assert!(spread.most_leaves_at_once.expect("leaves").0 <= 2);

    let schedule = Schedule::trace(1, trace.clone(), GracefulShare::default());
    let mut leaves = 0;
    for (rank, node) in (0..).zip(&trace.nodes) {
        let (mut host, mut interval) = schedule.host(&node.name, rank);
        while interval.until < SimTime::MAX {
            leaves += u64::from(interval.up);
            interval = host.next(&schedule, interval.until);
        }
    }
    assert_eq!(leaves, found.leaves);
}
