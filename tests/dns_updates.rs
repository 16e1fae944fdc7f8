//! Whole runs in which the binding is updated by dynamic updates of DNS (RFC 2136): no update
//! service is there, conditions end the race of claims, and an SRV set carries the same story.

mod judged;

use judged::value;
use overcord::metrics::tables::RunOutput;
use overcord::net::ledger::{Protocol, Purpose};

/// Forty members that all ask one resolver, so that many find the departure at once; the proxy peer
/// goes every ten minutes, for good.
const STORM: &str = r#"
name = "storm"
seed = 5
duration = "90m"
warmup = "0s"
[network]
latency = { model = "constant", value = "40ms" }
[dns]
[[dns.resolver]]
name = "isp"
count = 1
[dyndns]
service_time = "0s"
[overlay]
nodes = 40
[handover]
application_cache = "0s"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
lookups = { model = "poisson", rate = "0.2/s" }
[[event]]
every = "10m"
action = "depart"
host = "proxy"
"#;

/// Runs the storm with assignments, judged.
fn run(assignments: &[&str]) -> RunOutput {
    judged::run(STORM, assignments)
}

/// Whether anything was sent by this protocol to update the binding.
fn updates_by(output: &RunOutput, protocol: Protocol) -> bool {
    output
        .signalling
        .iter()
        .any(|row| (row.protocol, row.purpose) == (protocol, Purpose::DynDns) && row.messages > 0)
}

#[test]
fn an_update_needs_no_service_and_takes_less_time() {
    let (http, dns) = (run(&[]), run(&["handover.update=rfc2136"]));
    assert!(updates_by(&http, Protocol::Http) && !updates_by(&http, Protocol::Dns));
    assert!(updates_by(&dns, Protocol::Dns) && !updates_by(&dns, Protocol::Http));
    // The same members find the same departures, and claim as before: the last one wins.
    for output in [&http, &dns] {
        assert_eq!(value(output, "departures"), 9.0);
        assert!(value(output, "claimants.mean") > 2.0);
    }
    // The name of the service takes a round trip to the resolver, of 80 ms, or two. Then HTTP takes
    // two connections of 1.5 round trips up to the request's arrival and an answer in between, and
    // DNS half a round trip.
    let (slow, fast) = (value(&http, "update.mean"), value(&dns, "update.mean"));
    assert!(fast >= 0.120 && fast < 0.6 * slow, "{fast} s against {slow} s");
}

/// The first claim is carried out; whoever comes later is told at once, and steps down.
#[test]
fn conditions_leave_one_winner() {
    let always = run(&["handover.update=rfc2136"]);
    let unchanged = run(&["handover.update=rfc2136", "handover.update_if=unchanged"]);
    assert_eq!(value(&unchanged, "departures"), 9.0);
    let (many, few) = (value(&always, "split_brain_share"), value(&unchanged, "split_brain_share"));
    assert!(many > 0.05 && few < 0.05 * many, "{few} against {many}");
}

/// The same story with one SRV record in place of the A record: look-ups ask for services, and what
/// they are told is stale for up to a TTL after the update, and no longer.
#[test]
fn an_srv_set_of_one_is_stale_for_a_ttl_like_an_address() {
    let address = run(&["handover.update=rfc2136"]);
    let services = run(&["handover.update=rfc2136", "dns.publish=srv"]);
    for output in [&address, &services] {
        assert_eq!(value(output, "departures"), 9.0);
        // A window takes at least the detection, of 5 s or more by the silence of an echo, and at
        // most as long as the members are apart, the tests, the update and a TTL of 60 s.
        let window = value(output, "stale_window.max");
        assert!(window > 60.0 && window < 60.0 + 10.0 + 60.0, "{window}");
        let cache = value(output, "cache.max");
        assert!(cache > 30.0 && cache <= 60.2, "{cache}");
        assert!(value(output, "answers") > 1_000.0 && value(output, "stale_answers") > 100.0);
    }
}

/// A resolver that extends TTLs to five minutes is stale for that long, whatever the record says.
#[test]
fn an_extender_is_stale_for_its_floor() {
    let all = "dns.resolver.0.extenders={ share = \"100%\", floor = \"300s\" }";
    let output = run(&["handover.update=rfc2136", all]);
    let cache = value(&output, "stale_window.max");
    assert!(cache > 100.0 && cache <= 300.0 + 70.0, "{cache}");
}

/// Whoever asks after the end of an entry is told the old address once more: stale windows end with
/// the next look-up, not with the entry. Both runs fetch at the same look-ups.
#[test]
fn an_answer_that_is_served_stale_at_once_outlives_its_ttl() {
    let honest = run(&["handover.strategy=oracle"]);
    let stale = "dns.resolver.0.serve_stale={ client_timeout = \"0s\" }";
    let expired = run(&["handover.strategy=oracle", stale]);
    let (ends, outlives) = (value(&honest, "cache.max"), value(&expired, "cache.max"));
    assert!(ends <= 60.0 && outlives > ends && outlives < ends + 10.0, "{ends} {outlives}");
}

/// While the name server can't be reached, a resolver that gives its clients stale answers after a
/// while is stale for as long as it does so, though no entry of its cache is alive.
#[test]
fn stale_answers_are_stale_windows_while_the_name_server_is_out_of_reach() {
    let cut = "\
[[event]]
at = \"1795s\"
action = \"partition\"
hosts = [\"dns-authority\"]
for = \"20m\"
";
    let scenario = format!("{}{cut}", STORM.replace("every = \"10m\"", "at = \"30m\""));
    let runs = ["false", "{ client_timeout = \"1.8s\" }", "{ client_timeout = \"0s\" }"]
        .map(|stale| judged::run(&scenario, &[&format!("dns.resolver.0.serve_stale={stale}")]));
    let [honest, waits, at_once] = runs.each_ref().map(|run| value(run, "stale_window.max"));
    let [few, many, more] = runs.each_ref().map(|run| value(run, "stale_answers"));
    // The proxy peer goes at 1,800 s, while nobody can update until 2,995 s.
    // After it a claim takes 40 s at most, and a TTL 60 s.
    let whole = 1_195.0..1_195.0 + 120.0;
    let told = format!("{honest} {waits} {at_once}");
    assert!(honest < 130.0 && whole.contains(&waits) && whole.contains(&at_once), "{told}");
    assert!(many > 10.0 * few && more > 10.0 * few, "{few} {many} {more}");
}
