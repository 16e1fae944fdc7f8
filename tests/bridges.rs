//! Several overlays in a world: nodes that are in two of them pass requests on, and two domains
//! call each other through their proxy peers.

use std::path::Path;

use overcord::scenario::Scenario;
use overcord::scenario::build::{Watch, build};
use overcord::world::Outcome;
use overcord::world::log::Logged;

/// Ten nodes of one overlay, eight of another, and a message each way after two and three minutes.
const SCENARIO: &str = r#"
name = "bridges"
seed = 2009
duration = "10m"
warmup = "0s"
[dns]
domain = "one.example.org"
[[dns.resolver]]
name = "isp"
[handover]
strategy = "static"
[overlay]
plugin = "MAIN"
nodes = 10
[[overlay.beside]]
name = "two"
domain = "two.example.net"
nodes = 8
REST
[[event]]
at = "2m"
action = "message"
host = "node-00005"
to = "two-00003@two.example.net"
text = "Hello"
[[event]]
at = "3m"
action = "message"
host = "two-00004"
to = "node-00007@one.example.org"
text = "Hello back"
"#;

/// Runs it with this in place of `REST` and the domain's other table; gives all lines of the log. The main overlay is
/// Chord's.
fn run(rest: &str, more: &str) -> (Vec<String>, Outcome) {
    run_with(&SCENARIO.replace("MAIN", "chord"), rest, more)
}

fn run_with(scenario: &str, rest: &str, more: &str) -> (Vec<String>, Outcome) {
    let text = format!("{}{more}", scenario.replace("REST", rest));
    let scenario = Scenario::parse("test.toml", text.as_bytes(), Path::new("."), &[])
        .unwrap_or_else(|report| panic!("{report}"));
    let logged = Logged::everybody_from(overcord::time::SimTime::ZERO);
    let watch = Watch { checkers: true, logged, tie_salt: 0 };
    let world = build(&scenario.plan, 2009, None, &watch).expect("it can be built");
    let mut lines = Vec::new();
    let outcome = world.run(&mut |told| lines.push((told.words)()), &mut |_| true);
    let outcome = outcome.expect("nobody stops it");
    assert!(outcome.violations.is_empty(), "{:?}", outcome.violations);
    (lines, outcome)
}

/// The hops of SIP requests and their answers, without what they say: `a -> b  SIP 200 OK`.
fn sip(lines: &[String]) -> Vec<String> {
    let hop = |line: &String| {
        let (way, said) = line.split_once("  SIP ")?;
        let said = said.split([' ', '(']).next()?;
        Some(format!("{way} {said}"))
    };
    lines.iter().filter_map(hop).collect()
}

/// Who asked what overlay that is, and what was answered.
fn detection(lines: &[String]) -> Vec<&String> {
    lines.iter().filter(|line| line.contains("plug-in: ")).collect()
}

#[test]
fn bridging_nodes_carry_messages_both_ways_whatever_the_plugins_are() {
    for (here, there) in
        [("chord", "chord"), ("chord", "kademlia"), ("kademlia", "bamboo"), ("bamboo", "chord")]
    {
        let rest = format!("plugin = \"{there}\"\nbridges = 2");
        let (lines, _) = run_with(&SCENARIO.replace("MAIN", here), &rest, "");
        // Each of the two asks one member, who tells it.
        let asked = detection(&lines);
        assert_eq!(asked.len(), 4, "{here} {there} {asked:?}");
        for line in &asked {
            let bridge = line.contains("node-00001") || line.contains("node-00002");
            assert!(bridge && line.contains("two-0000"), "{line}");
            assert!(line.to_lowercase().contains(&format!("{there} plug-in")), "{line}");
        }
        carried(&sip(&lines));
        // Who asks where the user is replaces the domain by what is found (RFC 3261 §16.5).
        for (to, uri) in [("two-00003", "sip:two-00003@10."), ("node-00007", "sip:node-00007@10.")]
        {
            let last = lines.iter().find(|it| it.contains(&format!("-> {to}  SIP MESSAGE")));
            assert!(last.is_some_and(|it| it.contains(uri)), "{last:?}");
        }
    }
}

/// A message goes to a bridging node, which finds the user in the other overlay.
fn carried(hops: &[String]) {
    assert_eq!(hops.len(), 8, "{hops:?}");
    let ends = [["node-00005", "two-00003"], ["two-00004", "node-00007"]];
    for (hops, [from, to]) in hops.chunks(4).zip(ends) {
        let bridge = hops[0].split(['>', ' ']).nth(3).expect("it was sent to somebody");
        assert!(["node-00001", "node-00002"].contains(&bridge), "{bridge}");
        assert_eq!(hops[0], format!("{from} -> {bridge} MESSAGE"));
        assert_eq!(hops[1], format!("{bridge} -> {to} MESSAGE"));
        assert_eq!(hops[2], format!("{to} -> {bridge} 200"));
        assert_eq!(hops[3], format!("{bridge} -> {from} 200"));
    }
}

#[test]
fn a_bridging_node_that_has_gone_is_replaced_by_the_other_and_joins_again_when_it_returns() {
    let depart = "[[event]]\nat = \"30s\"\naction = \"depart\"\nhost = \"node-00001\"\nfor = \"5m\"\n\
                  [[event]]\nat = \"8m\"\naction = \"depart\"\nhost = \"node-00002\"\n\
                  [[event]]\nat = \"590s\"\naction = \"message\"\nhost = \"node-00003\"\n\
                  to = \"two-00001@two.example.net\"\ntext = \"Still there?\"\n";
    let (lines, _) = run("bridges = 2", depart);
    // The first asks at the start and again after its return.
    let questions = |name: &str| {
        let asks =
            |line: &&&String| line.starts_with(name) && line.contains("what overlay is this?");
        detection(&lines).iter().filter(asks).count()
    };
    assert!(questions("node-00001 ->") >= 2, "{:?}", detection(&lines));
    let sent = sip(&lines);
    let carried = |hop: &str| sent.iter().any(|line| line == hop);
    // Two minutes after it went its entries are older than the other's.
    assert!(carried("node-00005 -> node-00002 MESSAGE"), "{sent:?}");
    assert!(carried("node-00002 -> two-00003 MESSAGE"), "{sent:?}");
    // At the end it is the other that has gone, for nearly as long as an entry lasts.
    assert!(carried("node-00003 -> node-00001 MESSAGE"), "{sent:?}");
    assert!(carried("node-00001 -> two-00001 MESSAGE"), "{sent:?}");
}

#[test]
fn two_domains_call_each_other_through_their_proxy_peers() {
    let (lines, _) = run("binding = true", "");
    let hops = sip(&lines);
    // node-00005 asks DNS, which names the first member of the other overlay, its proxy peer.
    assert_eq!(hops[0], "node-00005 -> two-00001 MESSAGE");
    assert_eq!(hops[1], "two-00001 -> two-00003 MESSAGE");
    assert!(hops[4].starts_with("two-00004 -> node-"), "{hops:?}");
    assert!(hops[5].ends_with(" -> node-00007 MESSAGE"), "{hops:?}");
    assert_eq!(hops.iter().filter(|hop| hop.ends_with(" 200")).count(), 4, "{hops:?}");
    let asked = |name: &str| lines.iter().any(|line| line.contains(&format!("DNS query A {name}")));
    assert!(asked("two.example.net") && asked("one.example.org"));
}

#[test]
fn without_bridge_and_binding_nobody_of_that_overlay_is_reached() {
    let (lines, _) = run("", "");
    let hops = sip(&lines);
    // They reach the main overlay through its own binding.
    assert_eq!(hops.len(), 4, "{hops:?}");
    assert!(hops[0].starts_with("two-00004 -> node-"), "{hops:?}");
    assert!(!hops.iter().any(|hop| hop.contains("two-00003")), "{hops:?}");
}

#[test]
fn truth_is_about_the_main_overlay_and_runs_repeat() {
    let (_, once) = run("bridges = 2\nbinding = true", "");
    let (_, again) = run("bridges = 2\nbinding = true", "");
    assert_eq!(once.fingerprint, again.fingerprint);
    // Ten and eight nodes for ten minutes, in nanoseconds.
    assert_eq!(once.member_nanos, 18 * 600 * 1_000_000_000);
    // The other proxy peer is nobody's second believer, and its overlay no split one.
    assert!(once.report.totals.split_brain.is_zero() && once.report.totals.split_overlay.is_zero());
    let last = once.report.timeline.last().expect("it has a time line");
    assert_eq!((last.members, last.believers), (10, 1));
}
