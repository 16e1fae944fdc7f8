//! Stories of requests with results computed by hand: episodes as in `stories`, then requests as
//! `caller beginning method outcome cause delay stale`.

use super::script::{parse, run, show_episode, show_request, with_users};
use crate::time::SimTime;
use crate::world::truth::{Report, RequestTotals, Truth, TruthConfig, Violation, checks};

fn report_of(config: TruthConfig, script: &str) -> Report {
    run(config, &parse(script), SimTime::from_secs(1000))
}

fn check(script: &str, expected: &[&str]) {
    let report = report_of(with_users(2, 0), script);
    // What is of interest is the first caller; the second has no request.
    let episodes = report.episodes.iter().filter(|it| it.caller.0 == 201).map(show_episode);
    let found: Vec<_> = episodes.chain(report.requests.iter().map(show_request)).collect();
    assert_eq!(found, expected, "{script}");
}

/// `n1` is the proxy peer from the start, `n3` and `n4` are members.
const START: &str = "0 n1 born a\n0 z serve a
    0 n3 up c\n0 n3 member 1\n0 n4 up d\n0 n4 member 1\n";

#[test]
fn a_request_that_a_valid_proxy_peer_serves_closes_whatever_its_status() {
    check(
        &[
            START,
            "100 n1 down
             110 u11 send 1 message n3\n110 c1 route 1 a\n140 u11 end 1 408
             150 n2 born b\n150 z serve b
             160 u12 send 2 message n3\n160.5 c1 route 2 b\n161 n2 serves 2\n162 u12 end 2 404",
        ]
        .concat(),
        // ask 150..160, recover 160..161: the 404 comes later.
        &[
            "c1 100..161 Request Claim a>b 1/0/0 detect=50 ask=10 recover=1",
            "c1 110 Message 408 Interop 30 stale",
            "c1 160 Message 404 Interop 2 fresh",
        ],
    );
}

#[test]
fn only_a_request_sent_after_the_opening_and_served_by_a_valid_peer_closes() {
    check(
        &[
            START,
            "99 u11 send 1 invite n3\n99 c1 route 1 a
             100 n1 down
             101 u11 send 2 message n3\n101 c1 route 2 a
             110 n2 born b\n110 z serve b
             112 n2 serves 1          # sent before the opening
             113 n4 serves 2          # does not play the role
             114 n2 serves 2
             115 u11 end 1 200\n116 u11 end 2 200
             120 u12 send 3 message n3\n121 n2 serves 3\n121 u12 end 3 200",
        ]
        .concat(),
        &[
            "c1 100..114 Request Claim a>b 1/0/0 detect=10 recover=4",
            "c1 99 Invite 200 - 16 fresh",
            "c1 101 Message 200 - 15 stale",
            "c1 120 Message 200 - 1 -",
        ],
    );
}

#[test]
fn a_request_that_has_ended_closes_nothing_any_more() {
    check(
        &[
            START,
            "100 n1 down\n100 u11 send 1 message n3
             110 n2 born b\n110 z serve b
             111 u11 end 1 timeout\n112 n2 serves 1
             120 u11 send 2 message n3\n121 n2 serves 2\n122 u11 end 2 200",
        ]
        .concat(),
        &[
            "c1 100..121 Request Claim a>b 1/0/0 detect=10 ask=9 recover=2",
            "c1 100 Message Timeout Interop 11 -",
            "c1 120 Message 200 - 2 -",
        ],
    );
}

#[test]
fn look_ups_of_a_domain_with_users_close_nothing() {
    check(
        &[
            START,
            "100 n1 down\n101 c1 ask 1\n110 n2 born b\n110 z serve b\n111 c1 got 1 b
             999 u11 send 1 message n3",
        ]
        .concat(),
        // The look-up is no request: nothing was sent before the chain was restored.
        &["c1 100..110 Unasked Claim a>b 1/0/0 detect=10", "c1 999 Message Unfinished - - -"],
    );
}

#[test]
fn the_chain_begins_at_the_servers_own_cache() {
    let script = |own: &str| {
        format!(
            "{START}80 r1 cache a 40         # until 120
             80 c1 cache {own}
             100 n1 down\n101 u11 send 1 message n3\n102 u11 end 1 408
             110 n2 born b\n110 z serve b
             200 u11 send 2 message n3\n201 n2 serves 2\n201 u11 end 2 200"
        )
    };
    let requests = ["c1 101 Message 408 Interop 1 -", "c1 200 Message 200 - 1 -"];
    let told = |episode| [&[episode], &requests[..]].concat();
    // An entry of a until 150 outlives the resolver's.
    check(
        &script("a 70"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=40 ask=50 recover=1"),
    );
    // One that expires first lets the resolver's through.
    check(
        &script("a 25"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=10 ask=80 recover=1"),
    );
    // Both at the same instant.
    check(
        &script("a 40"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=10 ask=80 recover=1"),
    );
    // A cached failure is no valid answer: until 180.
    check(
        &script("none 100"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=70 ask=20 recover=1"),
    );
    // It was replaced by a better one at once.
    check(
        &script("none 100\n110 c1 cache b 60"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 ask=90 recover=1"),
    );
    // And by nothing.
    check(
        &script("none 100\n130 c1 cache none 0"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=20 ask=70 recover=1"),
    );
    // The server was restarted, and its cache with it.
    check(
        &script("a 500\n140 c1 down"),
        &told("c1 100..201 Request Claim a>b 1/0/0 detect=10 cache=30 ask=60 recover=1"),
    );
}

#[test]
fn a_server_without_a_cache_of_its_own_stores_nothing() {
    let script = [
        START,
        "80 c2 cache a 500\n100 n1 down\n101 u21 send 1 invite -\n110 n2 born b\n110 z serve b
         115 n2 serves 1\n116 u21 end 1 200",
    ]
    .concat();
    let report = report_of(with_users(2, 0), &script);
    let episode = report.episodes.iter().find(|it| it.caller.0 == 202).unwrap();
    let expected = "c2 100..115 Request Claim a>b 1/0/0 detect=10 recover=5";
    assert_eq!(show_episode(episode), expected);
}

#[test]
fn an_own_cache_is_no_resolver() {
    let script = [START, "80 c1 cache a 500\n100 n1 down\n100 n2 born b\n100 z serve b"].concat();
    let report = report_of(with_users(1, 0), &script);
    assert_eq!((report.totals.stale_nanos, report.resolvers.len()), (0, 1));
    // A valid address that is cached there and lost is noticed, although nobody else has it.
    let script = format!("{script}\n200 c1 cache b 500\n300 z serve a\n310 n2 down\n320 n2 born b");
    let report = report_of(with_users(1, 0), &script);
    let episodes: Vec<_> = report.episodes.iter().map(show_episode).collect();
    assert_eq!(
        episodes,
        [
            "c1 100..200 Unasked Claim a>b 1/0/0 cache=100",
            // The binding departs at 300; the own cache has b until 700, valid but for 310..320.
            "c1 300..1000 Censored - a>- 1/0/0 detect=310 ask=390",
        ]
    );
}

/// One request to `n3` at 100, between the given lines.
fn fate(lines: &str) -> String {
    let script = format!("{START}50 n5 up e\n50 n5 member 2\n50 n5 proxy\n{lines}");
    let report = report_of(with_users(2, 0), &script);
    assert_eq!(report.requests.len(), 1);
    show_request(&report.requests[0]).replacen("c1 100 Message ", "", 1)
}

#[test]
fn each_outcome_and_cause() {
    let send = "100 u11 send 1 message n3\n";
    let cases = [
        // Class 2 is success, whatever happened to the callee.
        ("103 n1 serves 1\n104 u11 end 1 200", "200 - 4 -"),
        ("103 n3 down\n104 u11 end 1 202", "202 - 4 -"),
        ("130 u11 end 1 408", "408 Interop 30 -"),
        ("104 u11 end 1 302", "302 Interop 4 -"),
        ("132 u11 end 1 timeout", "Timeout Interop 32 -"),
        ("101 u11 end 1 transport", "Transport Interop 1 -"),
        ("101 u11 end 1 unlocated", "Unlocated Interop 1 -"),
        // The callee went, even if he came back, or was up again when it ended; that matters where
        // the request was passed on to him.
        ("101 n1 serves 1\n110 n3 down\n130 u11 end 1 408", "408 Callee 30 -"),
        ("101 n1 serves 1\n110 n3 down\n115 n3 up c\n130 u11 end 1 408", "408 Callee 30 -"),
        ("101 n1 serves 1\n101 n3 down\n101 n3 up c\n130 u11 end 1 timeout", "Timeout Callee 30 -"),
        ("110 n3 down\n130 u11 end 1 408", "408 Interop 30 -"),
        ("104 u11 end 1 481", "481 Callee 4 -"),
        // He has another address: he was up all the time.
        ("110 n3 up x\n130 u11 end 1 408", "408 Interop 30 -"),
        // He left the overlay, but not the network.
        ("110 n3 leave\n130 u11 end 1 404", "404 Interop 30 -"),
        // He goes when all is over.
        ("130 u11 end 1 480\n130 n3 down", "480 Interop 30 -"),
        // He declines.
        ("104 u11 end 1 486", "486 Callee 4 -"),
        ("104 u11 end 1 603", "603 Callee 4 -"),
        ("104 u11 end 1 480", "480 Interop 4 -"),
        // Another overlay knows nobody; the main one may serve it as well.
        ("103 n5 serves 1\n104 u11 end 1 404", "WrongOverlay Interop 4 -"),
        ("103 n5 serves 1\n103 n3 down\n104 u11 end 1 404", "WrongOverlay Callee 4 -"),
        ("103 n5 serves 1\n104 u11 end 1 200", "200 - 4 -"),
        ("103 n5 serves 1\n104 n1 serves 1\n105 u11 end 1 500", "500 Interop 5 -"),
        ("103 n5 serves 1\n104 u11 end 1 486", "486 Callee 4 -"),
        ("103 n5 leave\n103 n5 serves 1\n104 u11 end 1 404", "404 Interop 4 -"),
        // The first address counts, when it was sent there.
        ("101 c1 route 1 a\n102 n1 down\n103 c1 route 1 e\n104 u11 end 1 200", "200 - 4 fresh"),
        ("101 c1 route 1 e\n102 c1 route 1 a\n104 u11 end 1 200", "200 - 4 stale"),
        // The end of the run, or of the agent's host.
        ("", "Unfinished - - -"),
        ("101 c1 route 1 a\n110 u11 down", "Unfinished - - fresh"),
    ];
    for (lines, expected) in cases {
        assert_eq!(fate(&format!("{send}{lines}")), expected, "{lines}");
    }
    // Down already, although he comes up.
    let down = "90 n3 down\n100 u11 send 1 message n3\n101 n3 up c\n104 u11 end 1 404";
    assert_eq!(fate(down), "404 Callee 4 -");
    // In no overlay: that matters where the main one has been asked for him.
    let outside = "90 n3 leave\n100 u11 send 1 message n3\n";
    for (lines, expected) in [
        ("130 u11 end 1 408", "408 Interop 30 -"),
        ("103 n5 serves 1\n104 u11 end 1 404", "WrongOverlay Interop 4 -"),
        ("103 n1 serves 1\n104 u11 end 1 404", "404 Callee 4 -"),
    ] {
        assert_eq!(fate(&format!("{outside}{lines}")), expected, "{lines}");
    }
    let nobody = "100 u11 send 1 message -\n104 u11 end 1 404";
    assert_eq!(fate(nobody), "404 Interop 4 -");
}

#[test]
fn a_dead_agent_has_nothing_under_way() {
    check(
        &[
            START,
            "100 n1 down\n101 u11 send 1 message n3\n110 n2 born b\n110 z serve b
             120 u11 down
             130 u12 send 2 message n3\n131 n2 serves 2\n131 u12 end 2 200",
        ]
        .concat(),
        &[
            "c1 100..131 Request Claim a>b 1/0/0 detect=10 ask=10 recover=11",
            "c1 101 Message Unfinished - - -",
            "c1 130 Message 200 - 1 -",
        ],
    );
}

#[test]
fn requests_count_from_the_warm_up_on_by_their_beginning() {
    let script = [
        START,
        "150 n1 down\n199 u11 send 1 message n3\n200 u11 send 2 subscribe n3\n210 n1 born a
         220 u11 end 1 408\n220 u11 end 2 408\n230 u12 send 3 message n3\n231 u12 end 3 486
         240 u12 send 4 message n3\n241 u12 end 4 200\n990 u21 send 5 invite n3",
    ]
    .concat();
    let report = report_of(with_users(2, 200), &script);
    let expected = RequestTotals {
        started: 4,
        succeeded: 1,
        failed_interop: 1,
        failed_callee: 1,
        unfinished: 1,
        ..RequestTotals::NONE
    };
    assert_eq!(report.totals.requests, expected);
    assert_eq!(report.requests.len(), 4);
    assert_eq!(show_request(&report.requests[0]), "c1 200 Subscribe 408 Interop 20 -");
    assert_eq!(show_request(&report.requests[3]), "c2 990 Invite Unfinished - - -");
    assert_eq!(report.departed, [SimTime::from_secs(150)], "also in the warm-up");
    assert!(report.departures.is_empty() && report.has_users);
}

#[test]
fn what_is_not_a_callers_is_not_told() {
    // n3 is no user of a domain, and request 9 nobody's.
    let script = [
        START,
        "100 n3 send 1 message n4\n100 n1 serves 1\n101 n3 end 1 200
         102 c1 route 9 a\n103 n1 serves 9",
    ]
    .concat();
    let report = report_of(with_users(1, 0), &script);
    assert!(report.requests.is_empty());
    assert_eq!(report.totals.requests, RequestTotals::NONE);
}

#[test]
fn who_reports_a_request_twice_or_never_began_it_is_caught() {
    let violations = |script: &str| {
        let mut truth = Truth::new(with_users(1, 0));
        for (at, host, observation) in parse(script) {
            truth.observe(at, host, &observation);
        }
        checks(&truth.finish(SimTime::from_secs(1000)))
    };
    let sum = |what, parts| vec![Violation::Sum { what, parts, total: 0 }];
    let twice = "1 u11 send 1 message -\n2 u11 send 1 message -\n3 u11 end 1 200";
    assert_eq!(violations(twice), sum("requests that began while under way", 1));
    let stray = "1 u11 send 1 message -\n2 u12 end 1 200\n3 u11 end 1 200\n4 u11 end 1 200";
    assert_eq!(violations(stray), sum("ends of requests that were not under way", 2));
}
