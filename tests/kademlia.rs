//! Worlds whose overlay is Kademlia.

use std::path::Path;

use overcord::experiment::Simulator;
use overcord::metrics::tables::RunOutput;
use overcord::scenario::Scenario;

fn run(text: &str) -> RunOutput {
    let scenario = Scenario::parse("kademlia.toml", text.as_bytes(), Path::new("."), &[])
        .unwrap_or_else(|report| panic!("{report}"));
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    simulator.run(0, seed, None, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

fn value(output: &RunOutput, metric: &str) -> f64 {
    output.headline.value(metric).unwrap_or_else(|| panic!("{metric} has a value"))
}

/// The paper's design over Kademlia: the proxy role is handed over, members join through the
/// binding, records follow.
#[test]
fn the_proxy_role_is_handed_over_in_a_kademlia_overlay() {
    let text = r#"
        name = "handed-over"
        duration = "3h"
        warmup = "10m"
        [dns]
        [[dns.resolver]]
        name = "isp"
        [dyndns]
        [overlay]
        plugin = "kademlia"
        nodes = 40
        lookups = { rate = "1/m" }
        [churn]
        model = "exponential"
        session_mean = "30m"
        downtime_mean = "30m"
        graceful = "50%"
        [handover]
        [[caller]]
        domain = "deebee.dsl.ru.ac.za"
        users = 3
        messages = { rate = "1/m" }
    "#;
    let output = run(text);
    assert!(value(&output, "departures") >= 3.0);
    assert!(value(&output, "requests") > 100.0);
    let answered = output.requests.iter().filter(|row| row.cause.is_none()).count();
    assert!(answered > output.requests.len() / 2, "{answered} of {}", output.requests.len());
    assert!(value(&output, "messages_per_node_hour.kademlia") > 0.0);
    assert!(value(&output, "messages_per_node_hour.chord") == 0.0);
    // A look-up goes around the dead: only one of a node that leaves is lost.
    let failed = value(&output, "lookup_failures") / (60.0 * value(&output, "node_hours"));
    assert!(failed < 0.01, "{failed} of the look-ups failed");
    let again = run(text);
    assert_eq!(output.headline.value("fingerprint"), again.headline.value("fingerprint"));
    assert_eq!(output.requests, again.requests);
}

/// An overlay that is built by joining answers as one that was at rest from the start.
#[test]
fn a_joined_overlay_is_as_good_as_a_converged_one() {
    let hops = |start: &str| {
        let text = format!(
            "name = 'built'\nduration = '40m'\nwarmup = '20m'\n[overlay]\nplugin = 'kademlia'\n\
             nodes = 100\nlookups = {{ rate = '1/m' }}\n[overlay.kademlia]\nstart = '{start}'"
        );
        let output = run(&text);
        assert_eq!(value(&output, "lookup_failures"), 0.0);
        value(&output, "lookup_hops.mean")
    };
    let (joined, converged) = (hops("join"), hops("converged"));
    // Some 2,000 look-ups of at most two or three hops: standard errors of about 0.01.
    assert!((joined - converged).abs() < 0.15, "{joined} and {converged}");
}
