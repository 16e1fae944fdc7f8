//! Small stories with results computed by hand.
//!
//! An episode reads `caller opened..closed closed resolution old>new departures/claimants/updates`
//! and the columns that are not zero; a window `resolver address@ended window stale/answers`.

use super::script::{config, parse, report, run, show};
use crate::time::{SimDuration, SimTime};
use crate::world::truth::CallerDomain;

fn check(script: &str, expected: &[&str]) {
    assert_eq!(show(&report(script)), expected, "{script}");
}

/// `n1` is the proxy peer from the start.
const START: &str = "0 n1 born a\n0 z serve a\n";

#[test]
fn every_phase_of_a_handover_has_its_column() {
    check(
        "0 n1 born a
         0 z serve a
         80 r1 cache a 60          # expires at 140
         100 n1 down
         105 c1 ask 1
         106 r1 answer a
         106 c1 got 1 a            # stale, 6 s old
         110 n2 up b
         110 n2 member 1
         112 n2 failed a           # detect: 100..112
         113 n2 proxy
         115 n2 update a b         # claim: 112..115
         118 z accept b            # update: 115..118
         119 n2 ended ok
         120 z serve b             # publish: 118..120; cache: 120..140, by expiry
         150 c1 ask 2              # ask: 140..150
         150.5 r1 cache b 60
         150.5 r1 answer b
         151 c1 got 2 b            # recover: 150..151",
        &[
            "c1 100..151 Lookup Claim a>b 1/1/1 detect=12 claim=3 update=3 publish=2 cache=20 \
             ask=10 recover=1",
            "r1 a@100 40 1/1",
        ],
    );
}

#[test]
fn a_request_under_way_when_the_chain_is_restored_recovers() {
    check(
        &[START, "100 n1 down\n100 c1 ask 1\n100 n2 born b\n130 z serve b\n131 c1 got 1 b"]
            .concat(),
        // Nothing is cached: the authority's change at 130 restores the chain.
        &["c1 100..131 Lookup Claim a>b 1/0/0 detect=30 recover=1", "r1 a@100 30 0/0"],
    );
}

#[test]
fn an_answer_to_a_request_sent_before_the_opening_does_not_close() {
    check(
        &[
            START,
            "99 c1 ask 1\n100 n1 down\n101 c1 ask 2\n102 c1 got 2 fail\n110 n2 born b
             110 z serve b\n112 c1 got 1 b\n120 c1 ask 3\n121 c1 got 3 b",
        ]
        .concat(),
        // Request 1 is under way until 112, so that the caller recovers then, yet it does not
        // close; 3 does.
        &["c1 100..121 Lookup Claim a>b 1/0/0 detect=10 ask=8 recover=3", "r1 a@100 10 0/0"],
    );
}

#[test]
fn who_never_asks_is_right_censored_at_the_restoration() {
    check(
        &[START, "90 r1 cache a 60\n100 n1 down\n120 n2 born b\n120 z serve b"].concat(),
        &["c1 100..150 Unasked Claim a>b 1/0/0 detect=20 cache=30", "r1 a@100 50 0/0"],
    );
}

#[test]
fn an_episode_that_nobody_ends_is_censored() {
    check(
        &[START, "990 n1 down\n995 n2 up b\n995 n2 failed a"].concat(),
        &["c1 990..1000 Censored - a>- 1/0/0 detect=5 claim=5", "r1 a@990 10 0/0"],
    );
}

#[test]
fn the_old_host_may_come_back_before_anybody_claims() {
    check(
        &[
            START,
            "100 n1 down\n110 c1 ask 1\n111 c1 got 1 a\n130 n1 born a\n140 c1 ask 2
                  141 c1 got 2 a",
        ]
        .concat(),
        &["c1 100..141 Lookup Return a>a 1/0/0 detect=30 ask=10 recover=1", "r1 a@100 30 0/0"],
    );
}

#[test]
fn an_old_host_that_claims_from_its_successor_did_not_return() {
    check(
        &[
            START,
            "100 n1 down\n101 c1 ask 1\n102 c1 got 1 a\n103 r1 cache a 47 # until 150
             110 n2 born b\n110 z serve b\n120 n2 down
             130 n1 born a            # valid again, and still cached
             131 n1 update b a\n132 z accept a\n140 z serve a\n141 c1 ask 2\n142 c1 got 2 a",
        ]
        .concat(),
        // The last departure was that of b. detect 100..110, cache 110..120, detect 120..130, then
        // a's return restores the cached chain, 11 s before the caller asks.
        &[
            "c1 100..142 Lookup Claim a>a 2/1/1 detect=20 cache=10 ask=11 recover=1",
            "r1 a@100 30 0/0",
            "r1 b@120 0 0/0",
        ],
    );
}

#[test]
fn a_dead_address_that_is_cached_again_prolongs_the_window() {
    check(
        &[
            START,
            "40 r1 cache a 65        # expires at 105
             100 n1 down
             105 r1 cache a 60       # asked again before the update: until 165
             106 r1 answer a
             107 n2 born b\n107 z serve b
             170 r1 answer b",
        ]
        .concat(),
        &["c1 100..165 Unasked Claim a>b 1/0/0 detect=7 cache=58", "r1 a@100 65 1/1"],
    );
}

#[test]
fn a_flapping_binding_is_stale_only_while_it_is() {
    check(
        &[
            START,
            "100 n1 down\n110 n2 born b\n110 n3 born c\n110 z serve b\n115 z serve c
             120 z serve a            # a late publication of the dead address
             123 z serve b",
        ]
        .concat(),
        // c was never out of validity: no row. Two departures, one episode each, both unasked.
        &[
            "c1 100..110 Unasked Claim a>b 1/0/0 detect=10",
            "c1 120..123 Unasked Claim a>b 1/0/0 detect=3",
            "r1 a@100 13 0/0",
        ],
    );
}

#[test]
fn two_departures_in_one_episode_and_phases_that_recur() {
    check(
        &[
            START,
            "90 r1 cache a 60 # until 150
             100 n1 down\n101 c1 ask 1\n102 c1 got 1 a
             105 n2 up b\n105 n2 member 1\n105 n3 up c\n105 n3 member 1
             110 n2 failed a\n110 n2 proxy\n112 n2 update a b\n114 z accept b\n114 z serve b
             120 n2 down              # the winner dies while r1 holds a
             130 n3 failed b\n130 n3 proxy\n131 n3 update b c\n133 z accept c\n133 z serve c
             151 c1 ask 2\n151 c1 got 2 c",
        ]
        .concat(),
        // detect 100..110, 120..130; claim 110..112, 130..131; update 112..114, 131..133;
        // cache 114..120, 133..150; ask 150..151.
        &[
            "c1 100..151 Lookup Claim a>c 2/2/2 detect=20 claim=3 update=4 cache=23 ask=1",
            "r1 a@100 50 0/0",
            "r1 b@120 0 0/0",
        ],
    );
}

#[test]
fn a_claimant_that_dies_takes_its_phase_with_it() {
    check(
        &[
            START,
            "100 n1 down\n105 n2 up b\n105 n2 failed a\n106 n2 update a b\n108 z accept b
             109 n2 down              # its accepted update is nobody's: detect again
             115 z serve b            # never valid, but an episode is open already
             120 n3 born c\n120 z serve c",
        ]
        .concat(),
        &[
            // `Unborn` is no departure; claimants: n2 for a.
            "c1 100..120 Unasked Claim a>c 1/1/1 detect=16 claim=1 update=2 publish=1",
            "r1 a@100 15 0/0",
            "r1 b@115 5 0/0",
        ],
    );
}

#[test]
fn a_binding_set_to_what_was_never_valid_opens_an_episode() {
    check(
        "10 n1 up a\n10 n1 member 1\n20 z serve a\n30 n1 proxy",
        &["c1 20..30 Unasked Claim a>a 0/0/0 detect=10", "r1 a@20 10 0/0"],
    );
}

#[test]
fn false_and_late_claims() {
    let script = [
        START,
        "10 n2 up b\n10 n2 member 1\n10 n3 up c\n10 n3 member 1\n10 n4 up d
         50 n4 failed a           # a is valid: false
         51 n4 update a d\n52 z accept d\n52 n4 ended ok\n52 n4 cleared
         100 n1 down
         105 n2 failed a\n105 n3 failed a\n106 n2 proxy\n106 n2 update a b\n106 n3 proxy
         107 z accept b\n107 z serve b
         107 n3 update a c\n108 z accept c          # late
         108.5 n3 update a c\n109 z accept c        # the same claim again",
    ]
    .concat();
    let report = report(&script);
    let totals = report.totals;
    assert_eq!((totals.updates, totals.accepted_updates, totals.claims), (4, 4, 3));
    assert_eq!((totals.false_claims, totals.late_claims), (1, 1));
    // n2, n3 and n4 sent an update because of a test of this interval of a.
    assert_eq!((report.departures[0].claimants, report.departures[0].updates), (3, 3));
    // n2 and n3 believe from 106, n1 is gone: split from 106 to the end.
    assert_eq!(totals.split_brain, SimDuration::from_secs(1000 - 106));
}

/// Of a set of two, one crashes, and the binding stays valid: whoever repairs it is not late.
#[test]
fn a_repair_of_a_set_is_not_late() {
    let script = [
        START,
        "10 n2 born b\n20 z serve a,b\n30 n3 up c\n30 n3 member 1\n30 n4 up d\n30 n4 member 1
         30 n5 up e\n30 n5 member 1
         100 n1 down                          # partial; degraded for 7 s
         105 n3 failed a\n105 n4 failed a\n106 n3 update a c\n106 n3 proxy
         107 z accept c                       # a is there and dead: not late
         107 z serve b,c
         107.5 n4 update a d\n108 z accept d  # a is not there any more: late
         200 n2 down                          # partial; degraded for 5 s
         203 n5 failed b\n204 n5 update b e\n205 n2 born b
         206 z accept e                       # b is valid again: late",
    ]
    .concat();
    let report = report(&script);
    let totals = report.totals;
    assert_eq!((totals.claims, totals.false_claims, totals.late_claims), (3, 0, 2));
    assert_eq!((totals.departures, totals.partial_departures), (0, 2));
    let claimants: Vec<u64> = report.departures.iter().map(|it| it.claimants).collect();
    assert_eq!(claimants, [2, 1]);
    assert_eq!(totals.degraded, SimDuration::from_secs(7 + 5));
    assert_eq!((totals.degraded_spells, totals.degraded_longest), (2, SimDuration::from_secs(7)));
}

/// The second resolver and a third, which nobody's chain ends at, are stale: only the callers' count.
#[test]
fn the_stale_share_of_callers_leaves_out_resolvers_that_they_do_not_use() {
    let mut config = config(3, 0);
    config.callers.truncate(1);
    config.callers.push(CallerDomain { embeds: true, ..config.callers[0].clone() });
    config.callers[1].resolver = config.resolvers[1];
    let script = [
        START,
        "90 r1 cache a 20\n90 r2 cache a 60\n90 r3 cache a 90\n100 n1 down\n100 n2 born b
         100 z serve b",
    ]
    .concat();
    let report = run(config, &parse(&script), SimTime::from_secs(1000));
    assert_eq!(report.resolver_callers, [1, 0, 0]);
    // 10, 50 and 80 s of three times 1,000 s; 10 of 1,000 s.
    assert_eq!(report.stale_share(), 0.14 / 3.0);
    assert_eq!(report.caller_stale_share(), Some(0.01));
    let used: Vec<u32> = report.windows().map(|window| window.callers).collect();
    assert_eq!(used, [1, 0, 0]);
}

#[test]
fn a_second_overlay_takes_validity_away_when_it_grows() {
    check(
        &[
            START,
            "10 n2 up b\n10 n2 member 2\n10 n2 proxy   # equal in size, but younger
             50 n3 up c\n50 n3 member 2               # overlay 2 is main now: a departs
             70 n4 up d\n70 n4 member 1               # equal again: a returns, b loses
             80 n4 member 2                           # and again
             90 z serve b",
        ]
        .concat(),
        // b was not in the binding when its interval 50..70 ended, nor before its next began.
        &[
            "c1 50..70 Unasked Return a>a 1/0/0 detect=20",
            "c1 80..90 Unasked Claim a>b 1/0/0 detect=10",
            "r1 a@50 20 0/0",
            "r1 a@80 10 0/0",
        ],
    );
}

#[test]
fn a_set_is_stale_only_when_all_of_it_is() {
    let script = "0 n1 born a\n0 n2 born b\n0 z serve a,b\n0 r1 cache a,b 500
         100 n1 down              # partial: degraded, not stale
         150 r1 answer a,b
         200 n2 down              # full
         230 n1 born a            # and back
         231 c1 ask 1\n231 c1 got 1 a,b";
    check(
        script,
        &["c1 200..230 Unasked Claim b>a 1/0/0 detect=30", "r1 a@100 0 0/0", "r1 b@200 30 0/1"],
    );
    let totals = report(script).totals;
    assert_eq!((totals.departures, totals.partial_departures), (1, 1));
    // Degraded: 100..200, a down and b up; from 230 on the preferred a is up again.
    assert_eq!(totals.degraded, SimDuration::from_secs(100));
}

#[test]
fn negative_answers_are_not_stale() {
    check(
        &[START, "90 r1 cache none 60\n100 n1 down\n110 r1 answer none\n160 z serve none"].concat(),
        // Not valid either: nobody restores the chain. Stale from 150, when the authority would
        // be asked, to 160.
        &["c1 100..1000 Censored - a>- 1/0/0 detect=900", "r1 a@100 10 0/0"],
    );
}

#[test]
fn only_what_is_after_the_warm_up_counts() {
    let script = [
        START,
        "100 n1 down\n100 r1 answer a\n250 r1 answer a\n300 n2 born b\n300 z serve b
         400 n2 down\n410 r1 answer b\n420 n3 born c\n420 z serve c",
    ]
    .concat();
    let report = run(config(1, 200), &parse(&script), SimTime::from_secs(1000));
    // The first episode and the row of a opened before 200; of a's stale time, 200..300 counts in
    // the share, and one answer.
    let rows = ["c1 400..420 Unasked Claim b>c 1/0/0 detect=20", "r1 b@400 20 1/1"];
    assert_eq!(show(&report), rows);
    let totals = report.totals;
    let second = 1_000_000_000;
    assert_eq!((totals.carried_nanos, totals.stale_nanos), (100 * second, 120 * second));
    assert_eq!((totals.carried_stale_answers, totals.stale_answers, totals.answers), (1, 2, 2));
    // 150 s and 10 s old.
    assert_eq!(totals.stale_age_nanos, 160 * second);
    assert_eq!(totals.stale_age_max, SimDuration::from_secs(150));
    assert_eq!((totals.leaves, totals.departures, report.departures.len()), (1, 1, 1));
    // 120 of 800 s.
    assert_eq!(report.stale_share(), 0.15);
}

#[test]
fn an_answer_ages_from_its_first_service_if_that_is_later() {
    let script =
        [START, "10 n2 born b\n50 n2 down\n100 n1 down\n120 z serve b\n130 r1 answer b"].concat();
    // b ended at 50, but nobody could have answered with it before 120.
    assert_eq!(report(&script).totals.stale_age_max, SimDuration::from_secs(10));
}

#[test]
fn each_resolver_has_its_row_even_if_it_was_never_stale() {
    let script = [START, "90 r2 cache a 60\n100 n1 down\n100 n2 born b\n100 z serve b"].concat();
    let report = run(config(3, 0), &parse(&script), SimTime::from_secs(1000));
    let rows = [
        "c1 100..100 Unasked Claim a>b 1/0/0",
        "c2 100..150 Unasked Claim a>b 1/0/0 cache=50",
        "c3 100..100 Unasked Claim a>b 1/0/0",
        "r1 a@100 0 0/0",
        "r2 a@100 50 0/0",
        "r3 a@100 0 0/0",
    ];
    assert_eq!(show(&report), rows);
}
