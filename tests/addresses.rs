//! Hosts that get another address while they are up, in a whole world.

mod judged;

use judged::{run, value};
use overcord::experiment::simulator::Simulator;

/// Thirty members who stay, a third of whom get another address at the tenth minute.
fn members(plugin: &str) -> String {
    format!(
        r#"
        name = "renumbered"
        duration = "16m"
        warmup = "11m"
        [network]
        latency = {{ model = "constant", value = "40ms" }}
        [overlay]
        plugin = "{plugin}"
        nodes = 30
        lookups = {{ rate = "10/m" }}
        [[event]]
        at = "10m"
        action = "address_change"
        host = "33%"
    "#
    )
}

/// Who moves tells its neighbours and is back in a second; a minute later the overlay is as before,
/// and finds what is asked for. Nobody has left.
#[test]
fn an_overlay_takes_its_members_back_under_their_new_addresses() {
    for plugin in ["chord", "bamboo", "kademlia"] {
        let output = run(&members(plugin), &[]);
        let last = output.timeline.last().unwrap();
        assert_eq!((last.members, last.overlays), (30, 1), "{plugin}");
        assert_eq!(value(&output, "leaves"), 0.0, "{plugin}");
        // 30 members make 10 look-ups a minute for 5 minutes: about 1,500.
        let failed = value(&output, "lookup_failures");
        assert!(failed <= 3.0, "{plugin}: {failed}");
    }
}

/// Ten members who stay, one of whom plays the proxy peer.
const TEN: &str = r#"
name = "ten"
duration = "1h"
warmup = "0s"
[network]
latency = { model = "constant", value = "40ms" }
[dns]
[[dns.resolver]]
name = "isp"
[dyndns]
[overlay]
nodes = 10
[handover]
strategy = "lease"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
lookups = { model = "periodic", rate = "1/10s" }
"#;

/// The proxy peer's address changes every three minutes in the mean: 20 times in an hour, with a
/// standard deviation of 4.5. Each is a departure, and no leave; it keeps the role, since nobody finds
/// it gone twice.
#[test]
fn addresses_that_change_by_chance_end_validity_and_no_session() {
    let output = run(TEN, &["network.address_change.mean='3m'"]);
    let departures = value(&output, "departures");
    assert!((8.0..=34.0).contains(&departures), "{departures}");
    assert_eq!(value(&output, "leaves"), 0.0);
    assert_eq!(output.timeline.last().unwrap().members, 10);
    let other = run(TEN, &["network.address_change.mean='3m'", "handover.strategy='dyndns'"]);
    let opened = |output: &overcord::metrics::tables::RunOutput| output.handovers[0].opened;
    // The first change is the same whatever the strategy.
    assert_eq!(opened(&output), opened(&other));
    assert_eq!(value(&run(TEN, &[]), "departures"), 0.0);
}

/// What a file says happens as if the script said it: to each of the ten, of whom one plays.
#[test]
fn recorded_changes_happen_when_and_to_whom_they_were_recorded() {
    let moments: Vec<(u32, u32)> = (1..=10).map(|node| (1_200 + 60 * node, node)).collect();
    let row = |(at, node): &(u32, u32)| format!("{at},node-{node:05}\n");
    let table = format!("time_s,node\n{}", moments.iter().map(row).collect::<String>());
    let mut scenario = judged::read(TEN, &["network.address_change.trace='changes.csv'"]);
    let [(key, path)] = &scenario.enclosures()[..] else { panic!("it names one file") };
    assert_eq!(path.to_str(), Some("changes.csv"));
    scenario.enclose(*key, table.as_bytes(), "digest".to_owned()).unwrap();
    let identity = scenario.identity();
    assert!(identity.contains("trace = \"digest\"") && !identity.contains("changes.csv"));
    let simulator = Simulator::new(scenario.plan, None, true);
    let recorded = simulator.run(0, 1, None, &mut |_| {}).unwrap();
    let event = |(at, node): &(u32, u32)| {
        let host = format!("node-{node:05}");
        format!("[[event]]\nat = \"{at}s\"\naction = \"address_change\"\nhost = \"{host}\"\n")
    };
    let script: String = moments.iter().map(event).collect();
    let scripted = run(&format!("{TEN}{script}"), &["seed=1"]);
    assert!(!recorded.handovers.is_empty());
    assert_eq!(recorded.handovers, scripted.handovers);
    assert_eq!(recorded.stale, scripted.stale);
}

/// A member that does not exist is told with the line that names it.
#[test]
fn a_record_about_nobody_is_told_with_its_line() {
    let mut scenario = judged::read(TEN, &["network.address_change.trace='changes.csv'"]);
    let (key, _) = scenario.enclosures()[0].clone();
    let table = b"time_s,host\n5,node-00010\n6,node-00011\n";
    scenario.enclose(key, table, String::new()).unwrap();
    let simulator = Simulator::new(scenario.plan, None, true);
    let error = simulator.world(1, None).unwrap_err().to_string();
    let expected = "changes.csv:3:3: there is no member `node-00011`; did you mean `node-00001`?";
    assert_eq!(error, expected);
}
