//! The strategy `standby`: several proxy peers in an SRV set, RFC 3263 failover, and graceful leaves
//! that are handed over ahead of time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod judged;

use judged::value;
use overcord::metrics::tables::{Cause, RequestMethod, RequestOutcome, RunOutput, TimelineRow};
use overcord::time::{SimDuration, SimTime};

/// Twenty members, of which one that is preferred goes every ten minutes and is back five minutes
/// later; five phones that write to members.
const SMALL: &str = r#"
name = "standby"
seed = 3
duration = "1h"
warmup = "5m"
[network]
latency = { model = "constant", value = "40ms" }
[dns]
[[dns.resolver]]
name = "isp"
count = 2
[overlay]
nodes = 20
[churn]
model = "none"
graceful_notice = "90s"
[handover]
strategy = "standby"
[[caller]]
domain = "uni.example"
users = 5
messages = { interval = "10s" }
[[event]]
every = "10m"
action = "depart"
host = "proxy"
for = "5m"
"#;

fn run(assignments: &[&str]) -> RunOutput {
    judged::run(SMALL, assignments)
}

/// Requests that ended, and how many of them failed because of the handover.
fn failed(output: &RunOutput) -> (usize, usize) {
    let ended = output.requests.iter().filter(|row| row.delay.is_some());
    let failed = ended.clone().filter(|row| row.cause == Some(Cause::Interop)).count();
    (ended.count(), failed)
}

/// Requests that failed because they waited for a proxy peer that was gone. A look-up that fails in
/// the overlay after a crash is not of these.
fn stuck(output: &RunOutput) -> usize {
    let waited = [RequestOutcome::Status(408), RequestOutcome::Timeout];
    let failed = output.requests.iter().filter(|row| row.cause == Some(Cause::Interop));
    failed.filter(|row| waited.contains(&row.outcome)).count()
}

/// The longest that a request of this method took which succeeded.
fn slowest(output: &RunOutput, method: RequestMethod) -> SimDuration {
    let good = output.requests.iter().filter(|row| row.cause.is_none() && row.method == method);
    good.filter_map(|row| row.delay).max().unwrap()
}

#[test]
fn no_request_fails_on_a_graceful_departure() {
    // Five departures; a notice of 90 s outlives the look at the set, the update and a TTL of 60 s.
    let output = run(&["event.0.graceful=true"]);
    let (ended, failed) = failed(&output);
    assert!(ended > 1_400, "{ended}");
    assert_eq!(failed, 0);
    // It is not even a departure: whoever goes is in the binding no more.
    assert_eq!(value(&output, "departures"), 0.0);
    assert_eq!(value(&output, "stale_share"), 0.0);
    assert!(value(&output, "updates") >= 10.0, "each goes, and another comes");
    // At most one node on the way of a look-up in the overlay is gone: 1.5 s.
    assert!(slowest(&output, RequestMethod::Message) < SimDuration::from_secs(3));
    // Without notice, the same leaves are noticed by tests, and requests wait for nobody.
    let surprised = run(&["event.0.graceful=true", "churn.graceful_notice=0s"]);
    assert!(self::failed(&surprised).1 > 25, "{:?}", self::failed(&surprised));
}

/// Twelve hours in which everybody leaves, announced by a notice that outlives the TTL. No request
/// waits for a proxy peer that is gone. What fails, fails in the overlay: fingers are not told of a
/// leave, and live for 10 min on average until they are looked up again, which of sessions of 30 min
/// 1 − 1 / (1 + 1/3) = 25 % do not survive; a look-up is named three nodes at a time, and comes to
/// nothing after three time-outs of 1.5 s (480) if all are gone, and none of the successors that are
/// named besides: far below 0.25³ = 1.6 %.
#[test]
fn nobody_waits_when_every_leave_is_announced() {
    let churn = "churn={model=\"exponential\",session_mean=\"30m\",downtime_mean=\"30m\",\
                 graceful=\"100%\",graceful_notice=\"90s\"}";
    let maintenance =
        "overlay.chord={stabilize=\"60s\",fix_fingers=\"10m\",check_predecessor=\"60s\"}";
    let quiet = SMALL[..SMALL.find("[[event]]").unwrap()].to_owned();
    let output = judged::run(&quiet, &[churn, maintenance, "duration=12h", "overlay.nodes=30"]);
    assert!(value(&output, "leaves") > 600.0 && value(&output, "departures") == 0.0);
    let (ended, failed) = failed(&output);
    assert!(ended > 15_000 && failed * 500 < ended, "{failed} of {ended}");
    let rows = output.requests.iter().filter(|row| row.cause == Some(Cause::Interop));
    for row in rows {
        let waited = row.delay.unwrap();
        assert_eq!(row.outcome, RequestOutcome::Status(480), "{row:?}");
        assert!(waited > SimDuration::from_millis(4_500), "{row:?}");
    }
}

#[test]
fn one_is_preferred_at_a_time_and_the_set_is_full_again_after_each_departure() {
    let output = run(&[]);
    // The standbys are no believers: only while the first of them takes over it may be nobody.
    assert_eq!(value(&output, "split_brain_share"), 0.0);
    let settled = output.timeline.iter().filter(|row| row.time > SimTime::from_secs(300));
    let without = settled.clone().filter(|row| row.believers != 1).count();
    assert!(without < settled.count() / 5, "{without}");
    // A crash leaves two of three in the set: the binding stays valid, and no window opens.
    assert_eq!(value(&output, "stale_share"), 0.0);
    assert_eq!(value(&output, "departures"), 0.0);
    assert!(output.timeline.iter().skip(10).all(|row| row.binding_valid));
    assert!(output.handovers.is_empty());
}

/// For ten minutes the preferred peer and half of the members are cut off from the others, who have the
/// authority, and so are a domain and its resolver.
const CUT: &str = r#"
[[dns.resolver]]
name = "far"
[[caller]]
domain = "far.example"
resolver = "far"
users = 5
messages = { interval = "10s" }
"#;

/// Near the authority the set is repaired, and has a preferred peer of its own within a minute and a
/// half; far from it nobody can change it, and the old one goes on. Nobody else is preferred on either
/// side, also not one whom the overlay's record still names because it was a peer for a moment. Healed,
/// one remains, and the binding has been valid all the time.
#[test]
fn a_partition_has_one_preferred_peer_on_each_side_and_one_when_it_heals() {
    let event = "event=[{at=\"20m\",action=\"partition\",hosts=[\"50%\",\"proxy\",\"far\",\"far.example\"],\
                 for=\"10m\"}]";
    let two = SMALL.replace("users = 5", "resolver = \"isp\"\nusers = 5") + CUT;
    for seed in ["seed=11", "seed=13"] {
        let keys = [
            event,
            seed,
            "duration=40m",
            "overlay.nodes=40",
            "overlay.resolver=isp",
            "timeline_bin=5s",
        ];
        let output = judged::run(&two, &keys);
        let most = |from: u64, to: u64| {
            let seconds = |row: &TimelineRow| row.time.since(SimTime::ZERO).as_secs();
            let rows = output.timeline.iter().filter(|row| (from..to).contains(&seconds(row)));
            rows.map(|row| row.believers).max().unwrap()
        };
        assert_eq!(most(300, 1_200), 1, "{seed}");
        assert_eq!((most(1_200, 1_800), most(1_290, 1_800)), (2, 2), "{seed}: one on each side");
        // The far one looks at the set every half TTL.
        assert_eq!(most(1_840, 2_400), 1, "{seed}");
        assert!(value(&output, "split_brain_share") < 0.01, "{seed}");
        assert!(output.timeline.iter().skip(1).all(|row| row.binding_valid), "{seed}");
        let last = output.timeline.last().unwrap();
        assert_eq!((last.overlays, last.believers), (1, 1), "{seed}");
    }
}

/// On a crash, a request fails unless the next target is tried before its user gives up after 32 s.
#[test]
fn failures_after_a_crash_end_when_the_next_target_is_tried() {
    let fails = |keys: &[&str]| {
        let output = run(keys);
        (stuck(&output), slowest(&output, RequestMethod::Message))
    };
    // SER as it is goes on to nobody: whatever meets the dead one waits 30 s and is answered 408.
    let (many, _) = fails(&[]);
    assert!(many > 25, "{many}");
    // With failover, its 30 s leave 2 s of the user's 32: a late success.
    let (none, slow) = fails(&["caller.0.failover=true"]);
    assert_eq!(none, 0);
    assert!(slow > SimDuration::from_secs(30) && slow < SimDuration::from_secs(32), "{slow:?}");
    // With a timer of 5 s it is an early one.
    let (none, slow) = fails(&["caller.0.failover=true", "caller.0.fr_timer=5s"]);
    assert_eq!(none, 0);
    assert!(slow > SimDuration::from_secs(5) && slow < SimDuration::from_secs(9), "{slow:?}");
    // To the letter of RFC 3261 the server's Timer F ends with the user's: failover comes too late.
    let rfc = ["caller.0.profile=rfc3261", "caller.0.naptr=false"];
    let (many, _) = fails(&rfc);
    assert!(many > 25, "{many}");
    // But a target that is remembered as dead is not tried again for a minute: by INVITEs, which
    // alone are remembered, the others are helped. With a TTL of 300 s the dead one is in caches for
    // some 150 s; of each 32 + 60 s, 60 are free of it.
    let ttl = "dns.ttl=300s";
    let calls = "caller.0.calls={interval=\"10s\",talk=\"1s\"}";
    let (without, _) = fails(&[&rfc[..], &[calls, ttl]].concat());
    let (with, _) = fails(&[&rfc[..], &[calls, ttl, "caller.0.blocklist=true"]].concat());
    assert!(3 * with < 2 * without, "{with} of {without}");
}
