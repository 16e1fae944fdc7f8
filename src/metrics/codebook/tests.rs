use std::collections::BTreeSet;

use super::*;
use crate::metrics::headline::{Asked, RequestTally, SetTally, Tally, headline};
use crate::metrics::tables::{
    ExchangeRow, Fate, HandoverRow, RequestRow, Row, SignallingRow, StaleRow, StoryRow,
    SubscriptionRow, TimelineRow, protocol_name, purpose_name,
};
use crate::net::ledger::{Direction, Protocol, Purpose};
use crate::time::SimTime;
use crate::world::stage::MediaTotals;
use crate::world::truth::OutboundTotals;

/// The names of the metrics of a run in which SIP is spoken or is not.
fn names(asked: Asked, spoken: &[Protocol]) -> Vec<String> {
    let sent = |&protocol: &Protocol| SignallingRow {
        protocol,
        purpose: Purpose::Probe,
        direction: Direction::Sent,
        messages: 1,
        bytes: 60,
    };
    let signalling: Vec<_> = spoken.iter().map(sent).collect();
    let all = matches!(asked, Asked::Requests(_));
    let (outbound, sets) = (all.then(OutboundTotals::default), all.then(SetTally::default));
    let media = all.then(MediaTotals::default);
    let lookups_wrong = all.then_some(0);
    let tally = Tally { asked, outbound, media, sets, lookups_wrong, ..Tally::default() };
    let headline = headline(SimTime::ZERO, &[], &[], &signalling, &tally);
    headline.iter().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_metric_of_a_run_is_there_in_its_order_and_no_other() {
    let all: Vec<String> = metrics().iter().map(|metric| metric.name.clone()).collect();
    let requests = || Asked::Requests(RequestTally::default());
    assert_eq!(names(requests(), &Protocol::ALL), all);
    // A run without requests has fewer, in the same order.
    let fewer = names(Asked::Lookups(0), &[]);
    let mut rest = all.iter();
    assert!(fewer.iter().all(|name| rest.any(|other| other == name)), "{fewer:?}");
    assert_eq!(
        all.len() - fewer.len(),
        7 + 3 + 4 + 4 * 2 + 7 + 1,
        "of requests and of sets seven, of outbound three, of media four, of SIP, of Bamboo, of Kademlia \
         and of TURN two, of look-ups that are judged one"
    );
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "no name stands twice");
}

#[test]
fn a_metric_is_found_by_its_name() {
    for (name, unit, better) in [
        ("outage.p95", Unit::Seconds, Better::Lower),
        ("ask.mean", Unit::Seconds, Better::Neither),
        ("stale_share", Unit::Share, Better::Lower),
        ("departures_per_hour", Unit::PerHour, Better::Neither),
        ("bytes_per_node_hour.sip", Unit::BytesPerHour, Better::Lower),
        ("failed_callee", Unit::Share, Better::Neither),
        ("lookup_hops.mean", Unit::Hops, Better::Lower),
    ] {
        let metric = metric(name).unwrap_or_else(|| panic!("{name} is there"));
        assert_eq!((metric.unit, metric.better), (unit, better), "{name}");
    }
    assert_eq!(metric("outage"), None);
    assert_eq!(metric("handover.outage.p95"), None, "names are those of runs.csv");
}

fn has_the_columns_of<R: Row>() {
    let named: Vec<&str> = columns_of(R::TABLE).map(|column| column.name.as_str()).collect();
    let expected: Vec<&str> = std::iter::once("run").chain(R::COLUMNS.iter().copied()).collect();
    assert_eq!(named, expected, "{}", R::TABLE);
}

#[test]
fn every_column_of_every_row_is_there_in_its_order() {
    has_the_columns_of::<HandoverRow>();
    has_the_columns_of::<StaleRow>();
    has_the_columns_of::<RequestRow>();
    has_the_columns_of::<SignallingRow>();
    has_the_columns_of::<TimelineRow>();
    has_the_columns_of::<StoryRow>();
    has_the_columns_of::<ExchangeRow>();
    has_the_columns_of::<SubscriptionRow>();
    for table in tables() {
        assert!(columns_of(table.name).count() > 3, "{} has columns", table.name);
    }
    assert!(columns().iter().all(|column| tables().iter().any(|it| it.name == column.table)));
}

#[test]
fn units_and_kinds_go_with_the_names() {
    for column in columns() {
        let place = format!("{}.{}", column.table, column.name);
        assert_eq!(
            column.name.ends_with("_s"),
            column.unit == Unit::Seconds && column.table != "runs",
            "{place}"
        );
        let counts = !matches!(column.unit, Unit::Nothing);
        let numeric = matches!(column.kind, ColumnKind::Integer | ColumnKind::Number);
        assert!(numeric || !counts, "{place}: words have no unit");
        let yet_unnamed = column.kind == ColumnKind::Number && !counts;
        assert!(!yet_unnamed, "{place}: a number with a fraction counts something");
    }
}

/// A definition is one sentence: it begins with a capital or with a sign, and has one full stop, at
/// its end.
#[test]
fn every_definition_is_a_sentence() {
    let columns = columns().iter().map(|it| (format!("{}.{}", it.table, it.name), &it.about));
    for (name, about) in columns {
        assert!(about.ends_with('.') && !about.contains(". "), "{name}: {about}");
        assert!(!about.contains("  ") && !about.contains('\n'), "{name}: {about}");
        assert!(about.len() > 5, "{name}: {about}");
    }
}

/// What words a column may hold is told in full.
#[test]
fn the_words_of_columns_are_all_told() {
    let about = |table: &str, name: &str| {
        columns_of(table).find(|column| column.name == name).map(|it| it.about.as_str()).unwrap()
    };
    for (_, word) in Fate::NAMES {
        assert!(about("subscriptions", "fate").contains(&format!("`{word}`")), "{word}");
    }
    for protocol in Protocol::ALL.into_iter().filter(|it| *it != Protocol::Test) {
        let word = protocol_name(protocol);
        assert!(about("signalling", "protocol").contains(&format!("`{word}`")), "{word}");
    }
    for purpose in Purpose::ALL {
        let word = purpose_name(purpose);
        assert!(about("signalling", "purpose").contains(&format!("`{word}`")), "{word}");
    }
}
