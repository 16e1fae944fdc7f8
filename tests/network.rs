//! What stands in the way of messages, in a whole world. Partitions: who is cut off loses only what
//! lies beyond the cut, and gets it back when it is healed. Translators of addresses: who claims from
//! behind one gives the binding to a proxy peer that nobody reaches.

mod judged;

use judged::{run, value};
use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::RunOutput;
use overcord::net::Direction;
use overcord::time::SimTime;

/// Thirty members who stay, half of whom are cut off for ten minutes from the tenth on, with one of
/// two domains and its resolvers. The name server and the update service are on the near side.
const HALVES: &str = r#"
name = "halves"
seed = 5
duration = "35m"
warmup = "0s"
[network]
latency = { model = "constant", value = "40ms" }
[dns]
ttl = "60s"
[[dns.resolver]]
name = "near"
count = 2
[[dns.resolver]]
name = "far"
count = 2
[dyndns]
[overlay]
nodes = 30
resolver = "near"
[overlay.chord]
id_bits = 64
[handover]
strategy = "dyndns"
[[caller]]
domain = "near.example"
resolver = "near"
lookups = { model = "periodic", rate = "1/10s" }
[[caller]]
domain = "far.example"
resolver = "far"
lookups = { model = "periodic", rate = "1/10s" }
[[event]]
at = "10m"
action = "partition"
hosts = ["50%", "far.example", "far"]
for = "10m"
"#;

fn seconds(at: SimTime) -> f64 {
    at.since(SimTime::ZERO).as_secs_f64()
}

#[test]
fn each_half_lives_on_with_what_it_reaches() {
    // With seeds enough, the proxy peer is in either half.
    let (mut near, mut far) = (0, 0);
    for seed in 1..9 {
        let output = run(HALVES, &[&format!("seed={seed}")]);
        let opened: Vec<(&str, f64, f64)> = output
            .handovers
            .iter()
            .map(|row| {
                (row.caller.as_str(), seconds(row.opened), row.anatomy.total().as_secs_f64())
            })
            .collect();
        match opened.first() {
            // The proxy peer is beyond the cut for the near domain: it departs there at the cut; the
            // near half claims within an interval of probes, its time-outs and a TTL.
            Some(&("near.example", at, total)) => {
                near += 1;
                assert!(at == 600.0 && total < 300.0, "{seed}: {opened:?}");
                // Once that claim is served, the binding is not what the far half has.
                let far_loses = opened.iter().any(|&(caller, ..)| caller == "far.example");
                assert!(far_loses, "{seed}: {opened:?}");
            }
            // It is on the near side: the far domain loses it, and cannot ask for another.
            Some(&("far.example", at, total)) => {
                far += 1;
                assert!(at == 600.0, "{seed}: {opened:?}");
                // Healed after 600 s. The far half has claimed too: until its claim is served or given up.
                assert!((600.0..900.0).contains(&total), "{seed}: {opened:?}");
            }
            other => panic!("{seed}: {other:?}"),
        }
        let last = output.timeline.last().unwrap();
        assert!(last.binding_valid && last.stale_resolvers == 0, "{seed}: {last:?}");
        // Two rings perhaps, but nobody has founded a new one.
        assert_eq!(last.overlays, 1, "{seed}");
    }
    assert!(near > 0 && far > 0, "{near} {far}");
}

/// Twenty members, half of them behind translators; the proxy peer goes every ten minutes.
const BEHIND: &str = r#"
name = "behind"
seed = 3
duration = "2h"
warmup = "5m"
[network]
latency = { model = "constant", value = "40ms" }
[network.nat]
share = "50%"
[dns]
ttl = "30s"
[[dns.resolver]]
name = "isp"
[dyndns]
[overlay]
nodes = 20
resolver = "isp"
[handover]
strategy = "dyndns"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
lookups = { model = "periodic", rate = "1/10s" }
[[event]]
every = "10m"
action = "depart"
host = "proxy"
for = "5m"
"#;

#[test]
fn claimants_behind_translators_are_black_holes_unless_their_ports_are_forwarded() {
    let stale = |assignments: &[&str]| {
        let output = run(BEHIND, assignments);
        output.headline.value("stale_share").unwrap()
    };
    let (closed, forwarded) = (stale(&[]), stale(&["network.nat.forwarding=100%"]));
    let open = stale(&["network.nat.share=0%"]);
    // Forwarded ports are as good as none: what differs is chance.
    assert!(forwarded < 2.0 * open && open < 2.0 * forwarded, "{forwarded} {open}");
    // Each claim from behind, one of two, is found dead by another test, which may be one as well.
    assert!(closed > 1.4 * forwarded, "{closed} {forwarded}");
    // Who knows the truth asks nobody behind a translator.
    let oracle = stale(&["handover.strategy=oracle"]);
    assert!(oracle < 0.5 * open, "{oracle} {open}");
}

/// Half of the members are behind translators. Where a mapping does not depend on the other end, all
/// get through to them while they send; where it does, those get through whom they asked, and what
/// they asked is answered: members that only heard of them know a port that is another's.
#[test]
fn an_overlay_goes_on_behind_translators_of_all_kinds() {
    let kinds = ["endpoint-independent", "address-dependent", "address-and-port-dependent"];
    let hops = |assignments: &[String]| {
        let quiet = ["duration=15m", "overlay.lookups.rate=1/10s", "churn.model=none"];
        let all: Vec<&str> =
            quiet.into_iter().chain(assignments.iter().map(String::as_str)).collect();
        let output = run(BEHIND, &all);
        (value(&output, "lookup_hops.mean"), value(&output, "lookup_failures"))
    };
    let (open, none) = hops(&["network.nat.share=0%".to_owned()]);
    assert_eq!(none, 0.0);
    for mapping in kinds {
        for filtering in kinds {
            let behaviour = [("mapping", mapping), ("filtering", filtering)];
            let (found, failed) =
                hops(&behaviour.map(|(key, kind)| format!("network.nat.{key}={kind}")));
            if mapping == kinds[0] {
                assert!((found / open - 1.0).abs() < 0.02, "{filtering}: {found}, {open}");
                assert_eq!(failed, 0.0, "{filtering}");
            } else {
                // Cut off altogether, ten would find all keys to be their own. Of 20 * 60 look-ups
                // nearly all find a way around those who can't be reached.
                assert!(found > 0.65 * open && found < open, "{behaviour:?}: {found}, {open}");
                assert!(failed < 12.0, "{behaviour:?}: {failed}");
            }
        }
    }
}

#[test]
fn bursts_lose_their_share_and_nothing_breaks() {
    let output = run(
        BEHIND,
        &[
            "network.nat.share=0%",
            "network.bursts.loss=80%",
            "network.bursts.gap=9s",
            "duration=30m",
        ],
    );
    // 80 % of one second of ten; 0 of the rest.
    let totals = |direction: Direction| -> f64 {
        let rows = output.signalling.iter().filter(|row| row.direction == direction);
        rows.map(|row| row.messages as f64).sum()
    };
    let lost = totals(Direction::Lost) / totals(Direction::Sent);
    assert!((0.06..0.12).contains(&lost), "{lost}");
}

/// The first run of a scenario whose delays come from a file with this content.
fn run_enclosed(text: &str, assignments: &[&str], content: &[u8]) -> RunOutput {
    let mut scenario = judged::read(text, assignments);
    let [(key, _)] = scenario.enclosures()[..] else { panic!("it names one file") };
    let enclosed = scenario.enclose(key, content, "digest".to_owned());
    enclosed.expect("the file follows its grammar");
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    simulator.run(0, seed, None, &mut |_| {}).expect("the run is sound")
}

/// A phone, its server with resolver and name server beside it, and a proxy peer who is written to.
const PLACED: &str = r#"
name = "placed"
duration = "4m"
warmup = "0s"
[network.latency]
model = "coordinates"
file = "places.csv"
[dns]
[[dns.resolver]]
name = "isp"
count = 1
[dyndns]
[handover]
[[caller]]
domain = "deebee.dsl.ru.ac.za"
users = 0
[[host]]
name = "alice"
[[host]]
name = "linphone"
domain = "deebee.dsl.ru.ac.za"
start = "1m"
[[event]]
at = "3m"
action = "message"
host = "linphone"
to = "alice@chord.dyndns.org"
"#;

/// From the phone to its server it is 50 ms and a height of 1 ms, from there to Alice 40 ms and a
/// height of 5 ms: 192 ms there and back. DNS is next door, a microsecond a message.
#[test]
fn a_request_takes_as_long_as_the_places_are_apart() {
    let places = b"host,x_ms,y_ms,height_ms\n\
        linphone,0,0,1\n\
        deebee.dsl.ru.ac.za,30,40,0\n\
        isp-1,30,40,0\n\
        dns-authority,30,40,0\n\
        alice,30,0,5\n\
        ,100,100,10\n";
    let output = run_enclosed(PLACED, &[], places);
    let [request] = &output.requests[..] else { panic!("{:?}", output.requests) };
    let millis = request.delay.unwrap().as_secs_f64() * 1e3;
    assert!(request.cause.is_none() && (192.0..192.1).contains(&millis), "{request:?}");
}

/// Where all are at one place, 10 ms high, or at routers without a way between, over lines of 10 ms,
/// a message takes 20 ms: the run is that with a constant delay.
#[test]
fn one_place_for_all_is_a_constant_delay() {
    let edges = ["network.latency.file='one.edges'", "network.latency.access='10ms'"];
    let graph = [&["network.latency.model='topology'"][..], &edges].concat();
    let outputs = [
        run_enclosed(PLACED, &[], b"x_ms,height_ms\n7,10\n"),
        run_enclosed(PLACED, &graph, b"a b 0\n"),
    ];
    let constant = PLACED.replace(
        "model = \"coordinates\"\nfile = \"places.csv\"",
        "model = \"constant\"\nvalue = \"20ms\"",
    );
    let constant = run(&constant, &[]);
    for output in outputs {
        assert_eq!(output.headline.value("fingerprint"), constant.headline.value("fingerprint"));
        assert_eq!(output.requests, constant.requests);
    }
}
