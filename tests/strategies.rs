//! One conformance suite over all handover strategies: whatever the strategy, the reading, the way
//! of leaving and the way of beginning, a run breaks no rule of the simulator, and somebody plays
//! the proxy role at its end.

use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::RunOutput;
use overcord::scenario::Scenario;

/// Twenty nodes up on average, for two hours: the proxy peer leaves about six times.
const SMALL: &str = r#"
name = "small"
seed = 11
duration = "2h"
warmup = "10m"
[dns]
domain = "chord.dyndns.org"
[[dns.resolver]]
name = "isp"
count = 2
[dyndns]
[overlay]
nodes = 20
resolver = "isp"
[churn]
model = "exponential"
session_mean = "20m"
downtime_mean = "20m"
[handover]
strategy = "dyndns"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
resolver = "isp"
lookups = { model = "poisson", rate = "0.1/s" }
"#;

/// Runs a scenario with assignments, judged.
fn run(text: &str, assignments: &[&str]) -> RunOutput {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let scenario = Scenario::parse("test.toml", text.as_bytes(), Path::new("."), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    simulator.run(0, seed, None, &mut |_| {}).unwrap_or_else(|it| panic!("{assignments:?}: {it:?}"))
}

fn strategies_and_readings() -> Vec<[&'static str; 2]> {
    let mut all = Vec::new();
    for strategy in ["dyndns", "static", "oracle", "clairvoyant"] {
        for reading in ["intended", "literal"] {
            all.push([strategy, reading]);
        }
    }
    all
}

#[test]
fn no_strategy_breaks_a_rule_and_the_role_is_played_at_the_end() {
    for [strategy, reading] in strategies_and_readings() {
        for graceful in ["0%", "100%"] {
            for (start, spread) in [("converged", "0s"), ("join", "5m")] {
                let strategy = format!("handover.strategy={strategy}");
                let reading = format!("handover.reading={reading}");
                let graceful = format!("churn.graceful={graceful}");
                let start = format!("overlay.chord.start={start}");
                let spread = format!("overlay.start_spread={spread}");
                let case = [&*strategy, &*reading, &*graceful, &*start, &*spread];
                let output = run(SMALL, &case);
                let last = output.timeline.last().unwrap();
                // The fixed proxy peer may be away.
                let played = last.believers > 0 || strategy.ends_with("static");
                assert!(last.members > 0 && played, "{case:?}: {last:?}");
            }
        }
    }
}

/// Nobody is surprised by a leave that was announced, so nobody is cut off; and where no node may
/// claim by itself, nobody founds an overlay of its own.
#[test]
fn the_overlay_stays_one_when_every_leave_is_announced() {
    for strategy in ["static", "oracle"] {
        for start in ["converged", "join"] {
            let strategy = format!("handover.strategy={strategy}");
            let start = format!("overlay.chord.start={start}");
            let case = [&*strategy, &*start, "churn.graceful=100%", "overlay.start_spread=5m"];
            let output = run(SMALL, &case);
            assert_eq!(output.timeline.last().unwrap().overlays, 1, "{case:?}");
        }
    }
}

const HOSTS: [&str; 2] = [
    "[[host]]\nname = \"alice\"\nresolver = \"isp\"\n",
    "[[host]]\nname = \"bob\"\nresolver = \"isp\"\nstart = \"3m\"\n",
];

#[test]
fn the_order_of_hosts_changes_nothing() {
    let [alice, bob] = HOSTS;
    let one = run(&format!("{SMALL}{alice}{bob}"), &[]);
    let other = run(&format!("{SMALL}{bob}{alice}"), &[]);
    assert!(!one.handovers.is_empty());
    assert_eq!(one.fingerprint, other.fingerprint);
    assert_eq!(one.handovers, other.handovers);
    assert_ne!(one.fingerprint, run(SMALL, &[]).fingerprint, "the hosts take part");
}

/// The one who knows when the proxy peer will leave also knows the script.
#[test]
fn a_clairvoyant_handover_foresees_the_script() {
    let script =
        "[[event]]\nevery = \"20m\"\naction = \"depart\"\nhost = \"proxy\"\nfor = \"10m\"\n";
    let text = format!("{SMALL}{script}");
    let share = |strategy: &str| {
        let output = run(&text, &[&format!("handover.strategy={strategy}"), "duration=8h"]);
        output.headline.value("stale_share").unwrap()
    };
    let (dyndns, clairvoyant) = (share("dyndns"), share("clairvoyant"));
    assert!(clairvoyant < 0.01 * dyndns, "{clairvoyant} against {dyndns}");
}
