//! Small stories of partitions and translators of addresses, with results computed by hand; see [`stories`](super::stories).

use super::script::{config, parse, run, show, with_users};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::truth::{Report, TruthConfig, views};

/// `n1` is the proxy peer from the start; `n2` a member as well, and the overlay's identity is one.
const START: &str = "0 n1 born a\n0 n2 up b\n0 n2 member 1\n0 z serve a\n";

fn seen(observer: Option<HostId>, script: &str) -> Report {
    let config = TruthConfig { observer, ..config(1, 0) };
    run(config, &parse(&[START, script].concat()), SimTime::from_secs(1000))
}

fn check(observer: Option<HostId>, script: &str, expected: &[&str]) {
    assert_eq!(show(&seen(observer, script)), expected, "{observer:?}: {script}");
}

const FAR: Option<HostId> = Some(HostId(500));

#[test]
fn a_cut_is_a_departure_for_those_whom_it_separates_from_the_proxy_peer() {
    let script = "80 r1 cache a 60
         100 x part 0 n1
         112 n2 failed a           # detect: 100..112
         113 n2 proxy
         115 n2 update a b         # claim: 112..115
         118 z accept b            # update: 115..118
         120 z serve b             # publish: 118..120; cache: 120..140, by expiry
         700 x heal 0";
    check(
        None,
        script,
        &[
            "c1 100..140 Unasked Claim a>b 1/1/1 detect=12 claim=3 update=3 publish=2 cache=20",
            "r1 a@100 40 0/0",
        ],
    );
    // The claim is not false: n2 could not reach n1. Two believe to be the proxy peer from 113 on,
    // on two sides until 700; only then is that a split brain.
    let report = seen(None, script);
    assert_eq!((report.totals.false_claims, report.totals.claims), (0, 1));
    assert_eq!(report.totals.split_brain, SimDuration::from_secs(300));
}

#[test]
fn behind_the_cut_the_proxy_peer_stays_valid_and_the_authority_is_out_of_reach() {
    // The observer is with n1. Until 140 its resolver answers from its cache, which is valid; after
    // that it would answer with a failure, which is not stale. At 120 the binding is set to b, which
    // is not valid here: an episode, until the partition is over and b can be reached.
    let script = "80 r1 cache a 60
         100 x part 0 n1,x500
         113 n2 proxy
         120 z serve b
         200 c1 ask 1\n201 c1 got 1 fail
         700 x heal 0
         710 c1 ask 2\n711 c1 got 2 b";
    // The chain is valid up to 140, by its cache: ask; then nobody knows, as far as the binding is
    // concerned: detect. Healed, the resolver asks: b.
    let expected = ["c1 120..711 Lookup Claim b>b 1/0/0 detect=560 ask=30 recover=1"];
    check(FAR, script, &expected);
    assert_eq!(seen(FAR, script).totals.stale_nanos, 0);
}

#[test]
fn what_is_cut_off_and_healed_within_one_instant_has_not_departed() {
    check(
        None,
        "100 x part 0 n1,x500\n100 x part 0 n2\n300 x heal 0",
        &["c1 100..100 Unasked Return a>a 1/0/0", "r1 a@100 0 0/0"],
    );
    // The observer and the proxy peer go together: nothing has happened between them.
    check(FAR, "100 x part 0 n1,x500,z\n300 x heal 0", &[]);
}

#[test]
fn a_callee_behind_the_cut_is_why_a_request_fails() {
    let mut config = with_users(1, 0);
    config.observer = FAR;
    let script = "90 u11 send 1 message n2\n91 u11 end 1 408
         100 x part 0 n2
         110 u11 send 2 message n2\n111 u11 end 2 408
         120 u11 send 3 message n1\n121 u11 end 3 408";
    let happenings = parse(&[START, script].concat());
    let totals = run(config, &happenings, SimTime::from_secs(200)).totals.requests;
    assert_eq!((totals.failed_interop, totals.failed_callee), (2, 1));
}

#[test]
fn behind_a_translator_nobody_is_a_valid_proxy_peer() {
    let config = TruthConfig { walled: [HostId(2)].into(), ..config(1, 0) };
    // n2 claims after n1 has gone: b is served, and is no address that anybody reaches. That n3
    // finds it dead is no mistake.
    let script = "100 n1 down\n110 n2 proxy\n115 n2 update a b\n118 z accept b\n120 z serve b
         130 n3 born c\n140 n3 failed b\n141 n3 update b c\n145 z accept c\n150 z serve c";
    let happenings = parse(&[START, script].concat());
    let report = run(config, &happenings, SimTime::from_secs(200));
    assert_eq!(
        show(&report),
        [
            "c1 100..150 Unasked Claim a>c 1/2/2 detect=35 claim=1 update=7 publish=7",
            "r1 a@100 20 0/0",
            "r1 b@120 30 0/0"
        ]
    );
    assert_eq!((report.totals.claims, report.totals.false_claims), (2, 0));
    assert_eq!(report.totals.unborn_bindings, 1);
}

#[test]
fn several_truths_make_one_report() {
    // c1 and r1 are on the near side, c2 and r2 beyond, with n2, who plays the role as well.
    let near = TruthConfig { observer: None, ..config(1, 0) };
    let both = config(2, 0);
    let far = TruthConfig {
        observer: FAR,
        resolvers: vec![both.resolvers[1]],
        callers: vec![both.callers[1].clone()],
        ..config(2, 0)
    };
    let script = "50 n2 proxy
         80 r1 cache a 60\n80 r2 cache a 60
         100 x part 0 n2,r2,c2,x500
         400 n1 down
         410 c1 ask 1\n460 z serve b\n470 x heal 0\n475 c1 got 1 b\n480 c2 ask 1\n481 c2 got 1 b";
    let happenings = parse(&[START, script].concat());
    let end = SimTime::from_secs(500);
    let merged = views::merge(run(near, &happenings, end), vec![run(far, &happenings, end)]);
    assert_eq!(
        show(&merged),
        [
            // For the far side a departed at 100, which its resolver held until 140; after that it
            // could not ask. At 460 b is served, which is valid there, but unseen until 470.
            "c2 100..470 Unasked Claim a>b 1/0/0 detect=360 cache=10",
            "c1 400..475 Lookup Claim a>b 1/0/0 detect=70 recover=5",
            "r2 a@100 40 0/0",
            // For the near side b ended at 100; it was in the binding before it came back.
            "r1 b@100 10 0/0",
            "r1 a@400 60 0/0",
        ]
    );
    assert_eq!(merged.totals.departures, 1);
    assert_eq!(merged.totals.stale_nanos, 110_000_000_000);
    assert_eq!(merged.totals.observed_nanos, 1_000_000_000_000);
}

/// What a resolver keeps for want of a fresh answer is what it would answer with as long as it can't
/// ask, and no longer.
#[test]
fn a_record_set_is_kept_for_while_the_authority_is_out_of_reach() {
    // Only the authority is beyond: the nodes, the resolver and the caller see each other.
    let script = "80 r1 cache a 60\n80 r1 keep 500
         100 n1 down
         200 x part 0 z
         260 x heal 0
         300 x part 0 z\n310 r1 cache a 30\n310 r1 keep 100
         500 x heal 0";
    let happenings = parse(&[START, script].concat());
    let report = run(config(1, 0), &happenings, SimTime::from_secs(600));
    // It always has the old address, but from 410 to 500: 100 to 140 and 310 to 340 in its cache,
    // 200 to 260, 300 to 310 and 340 to 410 kept; at other times the authority says the same.
    let expected = ["c1 100..600 Censored - a>- 1/0/0 detect=500", "r1 a@100 410 0/0"];
    assert_eq!(show(&report), expected);
    assert_eq!(report.totals.stale_nanos, 410_000_000_000);
}

/// A resolver that forwards gives what it keeps also when the one above it answers with a failure,
/// and when a name server that can be reached fails.
#[test]
fn a_record_set_is_kept_for_failures_as_well() {
    let config = TruthConfig { forwards: [(HostId(101), HostId(102))].into(), ..config(2, 0) };
    let script = "80 r1 cache a 60\n80 r1 keep 900
         100 n1 down
         200 r2 cache fail 50
         300 z serve fail
         400 z serve none\n500 r2 cache none 20";
    let happenings = parse(&[START, script].concat());
    let report = run(config, &happenings, SimTime::from_secs(600));
    // r1 is stale from 100 to 400: its cache, the authority, what it keeps while r2 or the authority
    // fails. r2 from 100 to 200 and 250 to 300, as the authority is. Then there is no address.
    let stale: u128 = 300 + 100 + 50;
    assert_eq!(report.totals.stale_nanos, stale * 1_000_000_000);
}
