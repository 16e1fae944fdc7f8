//! Whole runs with several name servers, and with resolvers that forward: everything is judged.

mod judged;

use judged::value;
use overcord::metrics::tables::{RunOutput, StaleRow};
use overcord::time::SimTime;

/// The proxy peer goes every ten minutes; one of those that notice replaces it, by a dynamic update
/// on a condition. The first resolver of `isp` asks the primary, the second a secondary, if there is
/// one. Datagrams take 40 ms.
const STORY: &str = r#"
name = "servers"
seed = 7
duration = "49m"
warmup = "0s"
[network]
latency = { model = "constant", value = "40ms" }
[dns]
[[dns.resolver]]
name = "isp"
count = 2
[[dns.resolver]]
name = "lan"
count = 2
[overlay]
nodes = 12
resolver = "isp"
[handover]
update = "rfc2136"
update_if = "unchanged"
application_cache = "0s"
[[caller]]
domain = "a.example"
resolver = "lan"
lookups = { model = "poisson", rate = "0.5/s" }
[[caller]]
domain = "b.example"
resolver = "lan"
lookups = { model = "poisson", rate = "0.5/s" }
[[event]]
every = "10m"
action = "depart"
host = "proxy"
"#;

fn run(assignments: &[&str]) -> RunOutput {
    run_with("", assignments)
}

/// The same with more in the file.
fn run_with(more: &str, assignments: &[&str]) -> RunOutput {
    run_text(&[STORY, more].concat(), assignments)
}

fn run_text(text: &str, assignments: &[&str]) -> RunOutput {
    let output = judged::run(text, assignments);
    assert_eq!(value(&output, "departures"), 4.0);
    output
}

/// What each caller's episodes have in a phase, in seconds: the least and the most.
fn publish(output: &RunOutput, caller: &str) -> (f64, f64) {
    let rows = output.handovers.iter().filter(|row| row.caller == caller);
    let spans = rows.map(|row| row.anatomy.publish.as_secs_f64());
    spans.fold((f64::MAX, 0.0), |(least, most), it| (least.min(it), f64::max(most, it)))
}

/// A resolver that asks the secondary waits for NOTIFY, SOA and IXFR: two and a half round trips of
/// 80 ms. One that asks the primary waits for nothing.
#[test]
fn the_lag_of_a_secondary_is_a_time_of_publishing() {
    let alone = run(&[]);
    let copied = run(&["dns.secondaries=1"]);
    for caller in ["a.example", "b.example"] {
        assert_eq!(publish(&alone, caller), (0.0, 0.0), "{caller}");
    }
    assert_eq!(publish(&copied, "a.example"), (0.0, 0.0));
    let (least, most) = publish(&copied, "b.example");
    assert!((least - 0.2).abs() < 1e-6 && (most - 0.2).abs() < 1e-6, "{least} {most}");
}

/// Without NOTIFY a secondary finds out at its next refresh, every minute.
#[test]
fn a_secondary_that_is_not_told_finds_out_by_itself() {
    let table = "dns.secondaries={ notify = false, refresh = \"60s\", retry = \"30s\" }";
    let polled = run(&[table]);
    assert_eq!(publish(&polled, "a.example"), (0.0, 0.0));
    let (least, most) = publish(&polled, "b.example");
    assert!(least > 0.0 && most > 1.0 && most <= 60.4, "{least} {most}");
}

/// While the secondary is cut off, its resolver asks the primary, and is told at once; afterwards it
/// is told what the secondary has missed, as long as no NOTIFY comes through.
#[test]
fn who_cannot_reach_a_secondary_asks_the_primary() {
    // From before the third departure to two minutes and a half after it: the NOTIFY and two
    // repetitions are lost, the third comes half a minute and more after the cut is healed.
    let cut = "[[event]]\nat = \"29m\"\naction = \"partition\"\nhosts = \"dns-secondary-1\"\n\
               for = \"210s\"\n";
    let output = run_with(cut, &["dns.secondaries=1", "dns.ttl=5s"]);
    let rows: Vec<f64> = output
        .handovers
        .iter()
        .filter(|row| row.caller == "b.example")
        .map(|row| row.anatomy.publish.as_secs_f64())
        .collect();
    // Four departures, and one when the cut is healed, since the secondary has the old address; what
    // the resolver has in its cache ends that with the next look-up.
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert_eq!(rows[2..4], [0.0, 0.0], "{rows:?}");
    let told = [0, 1, 4].map(|place| rows[place]);
    assert!(told.iter().all(|it| (it - 0.2).abs() < 1e-6), "{rows:?}");
    // From the third departure on; then the cache is empty, and the old address is there again.
    let window = |resolver: &str| {
        let third = |it: &&StaleRow| it.ended.since(SimTime::ZERO).as_secs() / 60 == 30;
        let rows = output.stale.iter().filter(third).filter(|row| row.resolver == resolver);
        rows.map(|row| row.window.as_secs_f64()).sum::<f64>()
    };
    let (near, far) = (window("lan-1"), window("lan-2"));
    assert!(far > near + 15.0 && far < near + 66.0, "{near} {far}");
    assert!(value(&output, "answers") > 1_000.0);
}

/// Caches that forward and honour TTLs do not add up; a floor of the second adds to the first.
#[test]
fn honest_caches_in_series_are_stale_no_longer_than_one() {
    let chain = "dns.resolver.1.forward=isp";
    // Entries live for about a minute from the start on: a departure in the middle of that.
    let bound = ["handover.strategy=oracle", "event.0.every=630s"];
    let updates = "update = \"rfc2136\"\nupdate_if = \"unchanged\"\n";
    let text = STORY.replace(updates, "");
    let with = |more: &[&str]| run_text(&text, &[&bound, more].concat());
    let (alone, honest) = (with(&[]), with(&[chain]));
    let floor = with(&[chain, "dns.resolver.1.min_ttl=200s"]);
    // A message of 40 ms from cache to cache each.
    let window = |output: &RunOutput| value(output, "stale_window.max");
    let (alone, honest, floor) = (window(&alone), window(&honest), window(&floor));
    assert!(alone > 20.0 && alone <= 60.1, "{alone}");
    assert!(honest > 20.0 && honest <= 60.2, "{honest}");
    assert!(floor > honest + 40.0 && floor <= 260.2, "{floor}");
}

/// A virtual machine that keeps the first answer for ever tests that one for ever, and no other.
#[test]
fn who_keeps_names_for_ever_never_sees_another_proxy_peer() {
    let honest = run(&["handover.application_cache=30s"]);
    let output = judged::run(STORY, &["handover.application_cache=forever"]);
    let claims = |output: &RunOutput| output.handovers.iter().map(|it| it.claimants).max();
    assert!(claims(&honest) >= Some(1));
    // Whoever has found the first proxy peer gone goes on testing it: after the second departure
    // nobody looks at the address that is in the binding.
    let restored = output.handovers.iter().filter(|row| row.new_address.is_some()).count();
    let all = honest.handovers.iter().filter(|row| row.new_address.is_some()).count();
    assert!(restored < all, "{restored} of {all}");
}
