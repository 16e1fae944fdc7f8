//! Whole runs in which the binding is updated by dynamic updates of DNS (RFC 2136): no update
//! service is there, conditions end the race of claims, and an SRV set carries the same story.

use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::RunOutput;
use overcord::net::ledger::{Protocol, Purpose};
use overcord::scenario::Scenario;

/// Forty members that all ask one resolver, so that many find the departure at once; the proxy peer
/// goes every ten minutes, for good.
const STORM: &str = r#"
name = "storm"
seed = 5
duration = "2h"
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
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let scenario = Scenario::parse("test.toml", STORM.as_bytes(), Path::new("."), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    simulator.run(0, seed, None, &mut |_| {}).unwrap_or_else(|it| panic!("{assignments:?}: {it:?}"))
}

fn value(output: &RunOutput, metric: &str) -> f64 {
    output.headline.value(metric).unwrap_or_else(|| panic!("{metric} has a value"))
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
        assert_eq!(value(output, "departures"), 11.0);
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
    assert_eq!(value(&unchanged, "departures"), 11.0);
    let (many, few) = (value(&always, "split_brain_share"), value(&unchanged, "split_brain_share"));
    assert!(many > 0.05 && few < 0.05 * many, "{few} against {many}");
}

/// The same story with one SRV record in place of the A record: departures and stale windows are as
/// long, and look-ups ask for services.
#[test]
fn an_srv_set_of_one_is_as_stale_as_an_address() {
    let address = run(&["handover.update=rfc2136"]);
    let services = run(&["handover.update=rfc2136", "dns.publish=srv"]);
    assert_eq!(value(&services, "departures"), 11.0);
    let (one, other) = (value(&address, "stale_share"), value(&services, "stale_share"));
    assert!(one > 0.01 && (one - other).abs() < 0.3 * one, "{one} against {other}");
    assert!(value(&services, "answers") > 1_000.0);
    assert!(value(&services, "stale_answers") > 10.0);
}
