use super::*;

fn episode(opened: u64, detect: u64, ask: u64, closed: Closed) -> HandoverRow {
    let seconds = SimDuration::from_secs;
    HandoverRow {
        caller: "ru.ac.za".into(),
        opened: SimTime::from_secs(opened),
        anatomy: Anatomy {
            detect: seconds(detect),
            claim: SimDuration::ZERO,
            update: SimDuration::ZERO,
            publish: SimDuration::ZERO,
            cache: SimDuration::ZERO,
            ask: seconds(ask),
            recover: seconds(1),
        },
        departures: 1,
        claimants: 1,
        updates: 1,
        old_address: None,
        new_address: None,
        closed,
        resolution: None,
    }
}

fn window(ended: u64, seconds: u64) -> StaleRow {
    StaleRow {
        resolver: "isp-1".into(),
        address: crate::address::Address::from_bits(1),
        ended: SimTime::from_secs(ended),
        window: SimDuration::from_secs(seconds),
        stale_answers: 0,
        answers: 0,
        callers: 1,
    }
}

fn sent(protocol: Protocol, direction: Direction, messages: u64) -> SignallingRow {
    let (purpose, bytes) = (Purpose::Probe, messages * 60);
    SignallingRow { protocol, purpose, direction, messages, bytes }
}

/// Four hours observed after one of warm-up.
fn example() -> Headline {
    let handovers = [
        episode(3599, 1000, 0, Closed::Lookup),
        episode(3600, 10, 4, Closed::Lookup),
        episode(5000, 20, 0, Closed::Lookup),
        episode(6000, 30, 2, Closed::Lookup),
        episode(7000, 25, 0, Closed::Unasked),
        episode(17_000, 90, 0, Closed::Censored),
    ];
    let stale = [window(10, 999), window(3600, 0), window(4000, 30), window(5000, 60)];
    let signalling = [
        sent(Protocol::Tcp, Direction::Sent, 100),
        sent(Protocol::Tcp, Direction::Lost, 7),
        sent(Protocol::Icmp, Direction::Sent, 20),
    ];
    let tally = Tally {
        departures: 6,
        observed: SimDuration::from_secs(4 * 3600),
        split_brain: SimDuration::from_secs(36),
        claimants: vec![1, 4, 0],
        node_hours: 40.0,
        ..Tally::default()
    };
    headline(SimTime::from_secs(3600), &handovers, &stale, &signalling, &tally)
}

#[test]
fn headline_metrics_by_hand() {
    let expected = [
        ("departures_per_hour", Some(1.5)),
        // 0, 30, 60: the window of the warm-up is left out.
        ("stale_window.mean", Some(30.0)),
        ("stale_window.median", Some(30.0)),
        ("stale_window.p95", Some(60.0)),
        ("episodes", Some(5.0)),
        ("unasked", Some(1.0)),
        ("censored", Some(1.0)),
        // Complete: 10, 20, 30; cut off at 25 and 90. S(10) = 4/5, S(20) = 3/5,
        // S(30) = 3/5·1/2 = 3/10, and no further.
        ("detect.mean", Some(20.0)),
        ("detect.median", Some(30.0)),
        ("detect.p95", None),
        ("detect.max", Some(90.0)),
        // 14 + 1, 20 + 1, 32 + 1 and so on.
        ("total.mean", Some(23.0)),
        ("ask.mean", Some(2.0)),
        ("claimants.mean", Some(5.0 / 3.0)),
        ("claimants.max", Some(4.0)),
        ("split_brain_share", Some(0.0025)),
        // Lost messages were sent: they count once.
        ("messages_per_node_hour", Some(3.0)),
        ("bytes_per_node_hour.tcp", Some(150.0)),
        ("messages_per_node_hour.icmp", Some(0.5)),
        ("stale_share", None),
    ];
    let headline = example();
    for (metric, value) in expected {
        assert!(headline.iter().any(|(name, _)| name == metric), "{metric} is a column");
        assert_eq!(headline.value(metric), value, "{metric}");
    }
    // No SIP is spoken: no column for it.
    assert!(headline.iter().all(|(name, _)| !name.ends_with(".sip")));
}

#[test]
fn means_of_phases_add_up_and_the_columns_do_not_depend_on_the_values() {
    let headline = example();
    let mean = |name: &str| headline.value(&format!("{name}.mean")).unwrap();
    let phases: f64 = PARTS[..PHASES].iter().map(|(name, _)| mean(name)).sum();
    assert!((phases - mean("total")).abs() < 1e-9);
    assert!((mean("restore") + mean("recover") - mean("outage")).abs() < 1e-9);
    let empty = super::headline(SimTime::ZERO, &[], &[], &[], &Tally::default());
    assert!(empty.iter().map(|(name, _)| name).eq(headline.iter().map(|(name, _)| name)));
    assert!(empty.iter().all(|(_, value)| value.is_none_or(f64::is_finite)));
}
fn request(delay: Option<u64>, cause: Option<Cause>) -> RequestRow {
    RequestRow {
        time: SimTime::from_secs(4000),
        caller: "ru.ac.za".into(),
        method: crate::metrics::tables::RequestMethod::Message,
        outcome: crate::metrics::tables::RequestOutcome::Timeout,
        cause,
        delay: delay.map(SimDuration::from_secs),
        stale: None,
    }
}

#[test]
fn sets_have_columns_only_where_the_binding_is_one() {
    let of = |sets| {
        let observed = SimDuration::from_secs(1000);
        let tally = Tally { observed, sets, ..Tally::default() };
        super::headline(SimTime::ZERO, &[], &[], &[], &tally)
    };
    let (degraded, longest) = (SimDuration::from_secs(50), SimDuration::from_secs(40));
    let sets = of(Some(SetTally { claimants: vec![1, 0, 3, 1], degraded, spells: 4, longest }));
    let expected = [
        (PARTIAL_DEPARTURES, Some(4.0)),
        ("partial_claimants.mean", Some(1.25)),
        ("partial_claimants.max", Some(3.0)),
        ("degraded_share", Some(0.05)),
        (DEGRADED_SPELLS, Some(4.0)),
        ("degraded.mean", Some(12.5)),
        ("degraded.max", Some(40.0)),
    ];
    let (none, single) = (of(Some(SetTally::default())), of(None));
    for (metric, value) in expected {
        assert_eq!(sets.value(metric), value, "{metric}");
        assert!(none.knows(metric) && !single.knows(metric), "{metric}");
    }
    assert_eq!((none.value("degraded.mean"), none.value("degraded.max")), (None, None));
    assert!(single.knows(CALLER_STALE_SHARE));
}

#[test]
fn requests_have_columns_only_where_there_are_callers_who_send_them() {
    let rows = [
        request(Some(30), Some(Cause::Interop)),
        request(Some(1), None),
        request(None, None),
        request(Some(4), Some(Cause::Callee)),
        request(Some(5), None),
    ];
    let headline_of = |asked| {
        let tally = Tally { asked, ..Tally::default() };
        super::headline(SimTime::ZERO, &[], &[], &[], &tally)
    };
    let with = headline_of(Asked::Requests(RequestTally::of(&rows)));
    // Four of five ended, after 1, 4, 5 and 30 s.
    let expected = [
        ("requests", Some(5.0)),
        ("failed_interop", Some(0.25)),
        ("failed_callee", Some(0.25)),
        ("unfinished", Some(1.0)),
        ("request_delay.mean", Some(10.0)),
        ("request_delay.median", Some(4.0)),
        ("request_delay.p95", Some(30.0)),
        ("request_delay.max", Some(30.0)),
    ];
    for (metric, value) in expected {
        assert_eq!(with.value(metric), value, "{metric}");
    }
    let none = headline_of(Asked::Requests(RequestTally::default()));
    assert!(none.iter().map(|(name, _)| name).eq(with.iter().map(|(name, _)| name)));
    assert_eq!((none.value("requests"), none.value("failed_interop")), (Some(0.0), None));
    let lookups = headline_of(Asked::Lookups(7));
    assert_eq!(lookups.value("requests"), Some(7.0));
    assert!(expected[1..].iter().all(|(metric, _)| !lookups.knows(metric)));
}
