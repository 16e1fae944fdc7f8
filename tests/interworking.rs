//! The systems of the paper, each in a small story of its own: `scenarios/interworking`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::{RunOutput, StoryRow};
use overcord::scenario::Scenario;
use overcord::time::SimTime;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/interworking")
}

/// Runs one with assignments, judged.
fn run(name: &str, assignments: &[&str]) -> RunOutput {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let file = format!("{name}.toml");
    let text = fs::read(folder().join(&file)).unwrap();
    let scenario = Scenario::parse(&file, &text, &folder(), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(scenario.plan.name, name);
    let seed = scenario.plan.seed;
    Simulator::new(scenario.plan, None, true).run(0, seed, None, &mut |_| {}).unwrap()
}

/// The ways of all messages with these words, sent for the first time: from, to.
fn way<'a>(output: &'a RunOutput, words: &str) -> Vec<(&'a str, &'a str)> {
    let lines = output.told.lines.iter().filter(|line| !line.again && line.what.contains(words));
    lines.map(|line| (line.from.as_str(), line.to.as_deref().unwrap_or(""))).collect()
}

fn lines<'a>(output: &'a RunOutput, words: &str) -> Vec<&'a StoryRow> {
    output.told.lines.iter().filter(|line| line.what.contains(words)).collect()
}

fn claimants(output: &RunOutput) -> BTreeSet<&str> {
    lines(output, "claims the binding").into_iter().map(|line| line.from.as_str()).collect()
}

/// Each exchange that a story names happens, in its order.
#[test]
fn every_story_is_met() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        let output = run(&name, &[]);
        let unmet: Vec<_> = output.told.exchanges.iter().filter(|it| it.met.is_none()).collect();
        assert!(unmet.is_empty(), "{name}: {unmet:#?}");
        let times: Vec<_> = output.told.exchanges.iter().map(|it| it.met).collect();
        assert!(times.is_sorted() && times.len() >= 3, "{name}: {times:?}");
    }
}

/// A variant in which a title would not be true does not tick it off; one in which all are true does.
#[test]
fn what_is_ticked_off_is_true_under_variants_too() {
    for (name, variant, unmet) in [
        (
            "address-change",
            "handover.failures_to_suspect=1",
            Some("once the cache has forgotten it, she serves again"),
        ),
        ("overcord-http", "handover.reading=literal", None),
        (
            "shim",
            "handover.strategy=dyndns",
            Some("Bob writes to the phone: he finds it in the overlay"),
        ),
    ] {
        let output = run(name, &[variant]);
        let first = output.told.exchanges.iter().find(|it| it.met.is_none());
        assert_eq!(first.map(|it| it.title.as_str()), unmet, "{name}");
        let instead = first.map_or("", |it| it.instead.as_str());
        assert!(unmet.is_none() || instead.ends_with("was passed on by others"), "{instead}");
    }
}

/// Shim et al.: the server hands a request straight to the member, nobody asks DNS, and nobody
/// updates it.
#[test]
fn an_embedded_peer_needs_neither_dns_nor_a_proxy_peer() {
    let output = run("shim", &[]);
    assert_eq!(way(&output, "Inbound"), [("phone", "uni.example"), ("uni.example", "alice")]);
    assert_eq!(way(&output, "Still there"), [("phone", "uni.example"), ("uni.example", "bob")]);
    assert!(lines(&output, "DNS").is_empty() && lines(&output, "HTTP").is_empty());
    assert!(claimants(&output).is_empty() && output.handovers.is_empty());
}

#[test]
fn a_fixed_proxy_peer_is_in_between_and_is_not_replaced() {
    let output = run("marocco-bryan", &[]);
    let (lin, ser, gateway, bob) = ("linphone", "deebee.dsl.ru.ac.za", "gateway", "bob");
    assert_eq!(way(&output, "Hello Bob"), [(lin, ser), (ser, gateway), (gateway, bob)]);
    assert_eq!(way(&output, "Hello again"), [(lin, ser), (ser, gateway), (gateway, bob)]);
    // To nobody: SER has an address, and no host is there.
    assert_eq!(way(&output, "Are you there?")[0], (lin, ser));
    assert!(way(&output, "Are you there?").iter().all(|(_, to)| *to != bob));
    assert_eq!(way(&output, "I am"), [(bob, ser), (ser, lin)]);
    assert!(claimants(&output).is_empty());
}

/// Section V: echo, connection, port, update, in this order.
#[test]
fn a_member_tests_takes_over_and_updates() {
    let output = run("overcord-http", &[]);
    let (lin, ser) = ("linphone", "deebee.dsl.ru.ac.za");
    assert_eq!(way(&output, "Through Alice"), [(lin, ser), (ser, "alice"), ("alice", "bob")]);
    // Bob is the callee and the proxy peer.
    assert_eq!(way(&output, "Straight to"), [(lin, ser), (ser, "bob")]);
    assert_eq!(claimants(&output), ["alice", "bob"].into());
    let at = |words: &str| {
        let crash = lines(&output, "goes")[0].time;
        let of_bob = lines(&output, words).into_iter().filter(|it| it.from == "bob");
        of_bob.map(|it| it.time).find(|time| *time > crash).unwrap()
    };
    let (tested, claimed) = (at("its tests of"), at("claims the binding"));
    let updated = at("HTTP GET");
    assert!(tested <= claimed && claimed <= updated, "{tested} {claimed} {updated}");
}

#[test]
fn a_call_from_outside_goes_through_the_proxy_peer_and_one_to_outside_does_not() {
    let output = run("ser", &[]);
    let (lin, ser, alice, bob) = ("linphone", "deebee.dsl.ru.ac.za", "alice", "bob");
    let invites = way(&output, "SIP INVITE");
    assert_eq!(invites, [(lin, ser), (ser, alice), (alice, bob), (bob, ser), (ser, lin)]);
    // Alice stays out of the dialog that she helped to set up.
    assert!(way(&output, "SIP BYE").iter().all(|(from, to)| *from != alice && *to != alice));
    assert_eq!(way(&output, "Inside"), [(bob, alice)]);
}

/// Of three that find out, one claims; without the lease, several do.
#[test]
fn one_member_wins_the_lease() {
    let after = |output: &RunOutput| {
        let mut who = claimants(output).into_iter().map(str::to_owned).collect::<Vec<_>>();
        who.retain(|name| name != "alice");
        who
    };
    assert_eq!(after(&run("lease", &[])).len(), 1);
    // All ask one resolver, which goes on answering with Alice for up to a minute; they test every
    // 25 s. Twice at least one of the other two comes by before the entry has expired.
    let storm = ["handover.strategy=dyndns", "handover.application_cache=0s"];
    assert!(after(&run("lease", &storm)).len() > 1);
}

/// Near the authority one of two claims, far from it nobody, and after the healing one plays.
#[test]
fn a_partition_has_a_proxy_peer_on_each_side_and_one_when_it_heals() {
    let output = run("partition", &[]);
    assert_eq!(way(&output, "Far, cut off")[1..], [("far.example", "alice"), ("alice", "bob")]);
    // To Carol, who may have taken over herself.
    let taken_over = way(&output, "Near, through another")[1].1;
    assert!(["carol", "dave"].contains(&taken_over), "{taken_over}");
    assert_eq!(way(&output, "Far, without DNS"), [("fred", "far.example")]);
    for words in ["From near to far", "From far to near"] {
        assert_eq!(way(&output, words)[1].1, taken_over, "{words}");
    }
    assert_eq!(claimants(&output), ["alice", taken_over].into());
    // The old one looks at the authority every half TTL of 60 s, finds the other, and serves on until
    // no cache names it: a TTL and the 30 s of a member's own cache.
    let stops = lines(&output, "steps down");
    let [stop] = stops[..] else { panic!("{stops:?}") };
    let after = stop.time.since(SimTime::from_secs(900)).as_secs();
    assert!(stop.from == "alice" && (90..125).contains(&after), "{stop:?}");
}

/// Who leaves with notice serves on for as long as caches name it; who crashes is passed by.
#[test]
fn the_next_of_the_set_is_there_when_the_preferred_one_goes() {
    let output = run("standby", &[]);
    let ser = "deebee.dsl.ru.ac.za";
    let through = |who: &'static str| [("linphone", ser), (ser, who), (who, "erin")];
    assert_eq!(way(&output, "Through Alice"), through("alice"));
    assert_eq!(way(&output, "While Alice is leaving"), through("alice"));
    assert_eq!(way(&output, "Alice has gone"), through("bob"));
    let past = [("linphone", ser), (ser, "bob"), (ser, "carol"), ("carol", "erin")];
    assert_eq!(way(&output, "Bob has crashed"), past);
    assert_eq!(way(&output, "Without Bob"), through("carol"));
    assert!(output.requests.iter().all(|row| row.cause.is_none()));
    // SER's timer is the delay: 5 s, and the ways between the hosts.
    let late = output.requests.iter().filter_map(|row| row.delay).max().unwrap();
    assert_eq!(late.as_secs(), 5);
}

/// There and back through a node that has the plug-ins of both, and through the other one when the
/// first has gone.
#[test]
fn a_bridging_node_carries_a_message_from_one_overlay_to_the_other() {
    let output = run("heterogeneous-overlays", &[]);
    let bridges = ["node-00001", "node-00002"];
    for (words, from, to) in [
        ("From one to two", "node-00005", "two-00003"),
        ("From two to one", "two-00004", "node-00007"),
    ] {
        let way = way(&output, words);
        let [(first, bridge), (again, last)] = way[..] else { panic!("{way:?}") };
        assert_eq!((first, again, last), (from, bridge, to));
        assert!(bridges.contains(&bridge), "{way:?}");
    }
    assert_eq!(way(&output, "With one bridge left").last(), Some(&("node-00002", "two-00003")));
    // Without bridges and without a binding nobody gets there.
    let apart = run("heterogeneous-overlays", &["overlay.beside.0.bridges=0"]);
    assert!(apart.told.exchanges.iter().all(|exchange| exchange.met.is_none()));
}

#[test]
fn two_domains_call_each_other_through_their_proxy_peers() {
    let output = run("two-domains", &[]);
    let (caller, proxy, callee) = ("node-00005", "two-00001", "two-00003");
    assert_eq!(way(&output, "SIP INVITE"), [(caller, proxy), (proxy, callee)]);
    assert_eq!(way(&output, "SIP BYE"), [(caller, callee)], "the dialog is theirs alone");
    let way = way(&output, "From two to one");
    assert!(way.len() == 2 && way[0].0 == "two-00004" && way[1].1 == "node-00007", "{way:?}");
}

/// The university's users need no proxy peer, the third party's do.
#[test]
fn who_embeds_a_peer_does_not_notice_that_the_proxy_peer_is_gone() {
    let output = run("centralised-and-peers", &[]);
    let (uni, ser, bob) = ("uni.example", "deebee.dsl.ru.ac.za", "bob");
    assert_eq!(way(&output, "From the centre"), [("student", uni), (uni, bob)]);
    let outside = [("linphone", ser), (ser, "alice"), ("alice", bob)];
    assert_eq!(way(&output, "From outside"), outside);
    let past = [("linphone", ser), (ser, uni), (uni, "student")];
    assert_eq!(way(&output, "Past the overlay"), past);
    assert_eq!(way(&output, "Without a proxy peer"), [("student", uni), (uni, bob)]);
    assert_eq!(way(&output, "Is anybody there?"), outside[..2]);
}

/// The control: what goes out does not pass the role that is being handed over.
#[test]
fn outbound_messages_do_not_suffer_from_a_handover() {
    let output = run("outbound", &[]);
    let ser = "deebee.dsl.ru.ac.za";
    assert_eq!(way(&output, "During, outbound"), [("bob", ser), (ser, "linphone")]);
    assert_eq!(way(&output, "During, inbound"), [("linphone", ser), (ser, "alice")]);
    assert_eq!(way(&output, "After"), [("linphone", ser), (ser, "bob")]);
}

/// Phase 1: the takeover does not wait for the daemon, the binding does, for a poll at most.
#[test]
fn a_daemon_updates_the_binding_at_its_next_poll() {
    let output = run("overcord-ddclient", &[]);
    let of_bob = |words: &str| {
        let mut lines = lines(&output, words).into_iter().filter(|line| line.from == "bob");
        lines.next().unwrap_or_else(|| panic!("{words}")).time
    };
    let (listens, updates) = (of_bob("listens"), of_bob("HTTP GET"));
    let waited = updates.since(listens).as_secs();
    assert!((1..=301).contains(&waited), "{waited}");
    assert_eq!(way(&output, "Straight to").last(), Some(&("deebee.dsl.ru.ac.za", "bob")));
}

/// With their relay agent peer: what comes from outside passes the proxy peer and the relay, and so
/// do both ways of media.
#[test]
fn a_relay_agent_peer_carries_calls_to_whom_nobody_reaches() {
    let output = run("relay-agent", &[]);
    let (lin, ser, bob) = ("linphone", "deebee.dsl.ru.ac.za", "bob");
    let there = [(lin, ser), (ser, "gateway"), ("gateway", "relay"), ("relay", bob)];
    assert_eq!(way(&output, "Hello Bob"), there);
    assert_eq!(way(&output, "Hello again"), there);
    // Two calls, and the end of the first; that of the second finds nobody behind the gateway.
    assert_eq!(way(&output, "SIP INVITE")[..4], there);
    assert_eq!(way(&output, "SIP BYE")[..4], there);
    assert_eq!(way(&output, "I hear nothing"), [(bob, ser), (ser, lin)]);
    // Each of the two allocations costs a challenge; after the relay's return its nonce is no longer
    // good, and the first request is told another.
    let turn = |words: &str| way(&output, words).len();
    assert_eq!(turn("TURN Allocate, unsigned"), 2);
    assert_eq!(turn("TURN Allocate: 401"), 2);
    assert_eq!(turn("TURN Allocate: 10.128.0.3"), 4);
    assert_eq!(turn(": 438"), 2);
    let value = |name: &str| output.headline.value(name).unwrap();
    assert_eq!((value("media_calls"), value("media_given_up")), (2.0, 2.0));
    // Ten packets a second from each end: a minute; then from 5 min and 2 s of ringing on to half a
    // minute after the relay has gone, which is lost: 30 of 148 s. What is under way counts too.
    let (sent, lost) = (value("media_packets"), value("media_lost"));
    assert!((sent - 2.0 * 1_480.0).abs() < 20.0, "{sent}");
    assert!((lost - 30.0 / 148.0).abs() < 0.01, "{lost}");
}

/// Two calls with the same end, from 3 to 5 min and from 4 to 6 min: the channel stays until the
/// second is over. Each end says ten packets a second in each for two minutes; what is on its way
/// when somebody hangs up is lost, and no more.
#[test]
fn a_call_through_the_relay_outlives_another_with_the_same_end() {
    let overlap =
        ["event.1.talk=2m", "event.2.at=4m", "event.2.talk=2m", "event.3.at=8m", "event.3.for=1m"];
    let output = run("relay-agent", &overlap);
    let value = |name: &str| output.headline.value(name).unwrap();
    assert_eq!((value("media_calls"), value("media_given_up")), (2.0, 0.0));
    let (sent, lost) = (value("media_packets"), value("media_lost"));
    assert!((sent - 4.0 * 1_200.0).abs() < 20.0, "{sent}");
    assert!(lost * sent < 8.5, "{}", lost * sent);
}

/// A member that lets everybody in needs no relay, and nothing is lost.
#[test]
fn who_can_be_reached_is_not_relayed() {
    let output = run("relay-agent", &["host.2.nat=none"]);
    let outside = [("linphone", "deebee.dsl.ru.ac.za"), ("deebee.dsl.ru.ac.za", "gateway")];
    let way = way(&output, "Hello Bob");
    assert_eq!((&way[..2], way[2]), (&outside[..], ("gateway", "bob")));
    assert!(lines(&output, "TURN").is_empty());
    // But for the last packet of each call, which is on its way when the other end hangs up.
    let value = |name: &str| output.headline.value(name).unwrap();
    let unheard = value("media_lost") * value("media_packets");
    assert!((unheard - 2.0).abs() < 1e-6, "{unheard}");
}

/// The centre is gone: who fails over comes to the proxy peer, which finds the users where the
/// server's peer has copied them. The centre is back, and has forgotten whom it had registered.
#[test]
fn the_overlay_stands_in_for_a_central_server() {
    let output = run("organisation", &[]);
    let (uni, ser) = ("uni.example", "deebee.dsl.ru.ac.za");
    let (student, lecturer, lin) = ("student", "lecturer", "linphone");
    assert_eq!(way(&output, "As usual\""), [(student, uni), (uni, lecturer)]);
    assert_eq!(way(&output, "From outside\""), [(lin, ser), (ser, uni), (uni, lecturer)]);
    let past = [(student, uni), (student, "alice"), ("alice", lecturer)];
    assert_eq!(way(&output, "Without the centre"), past);
    let past = [(lin, ser), (ser, uni), (ser, "alice"), ("alice", lecturer)];
    assert_eq!(way(&output, "From outside, without the centre"), past);
    assert_eq!(way(&output, "From the overlay"), [("bob", student)]);
    assert_eq!(way(&output, "As usual again"), [(student, uni), (uni, lecturer)]);

    // Timer F, 32 s, to the server; an ICMP error ends it after the way there and back.
    let waits = |output: &RunOutput| {
        let sent = lines(output, "Without the centre");
        let arrives = sent.iter().find(|line| line.from == "alice").unwrap().time;
        arrives.since(sent[0].time).as_nanos() / 1_000_000
    };
    let told = run("organisation", &["network.departed_hosts=unreachable"]);
    // Of the first, the time is that at which it would have arrived; then to Alice and on.
    assert_eq!((waits(&output), waits(&told)), (32_025, 75));
    // With the proxy peer gone in the place of the server nobody notices.
    let alone = run("organisation", &["event.2.host=alice"]);
    assert_eq!(way(&alone, "Without the centre"), [(student, uni), (uni, lecturer)]);
    // Without the overlay as a second nobody gets past the server, and whom it forgot is gone.
    let bare = run("organisation", &["caller.0.overlay_backup=false"]);
    assert_eq!(way(&bare, "Without the centre"), [(student, uni)]);
    assert_eq!(way(&bare, "As usual again"), [(student, uni)]);
}

/// A server without a peer goes and comes by the script as well: one minute in which nobody passes it,
/// and then it knows nobody until phones register again.
#[test]
fn a_plain_server_goes_and_comes_back_without_a_memory() {
    let ser = "deebee.dsl.ru.ac.za";
    let down = ["event.1.host=deebee.dsl.ru.ac.za", "event.1.for=1m"];
    let output = run("outbound", &down);
    assert_eq!(way(&output, "During, inbound"), [("linphone", ser)]);
    assert_eq!(way(&output, "During, outbound"), [("bob", ser)]);
    assert_eq!(way(&output, "After"), [("linphone", ser), (ser, "alice"), ("alice", "bob")]);
    let times = |words: &str| {
        let of_server = lines(&output, words).into_iter().filter(|line| line.from == ser);
        of_server.map(|line| line.time.since(SimTime::ZERO).as_secs()).collect::<Vec<_>>()
    };
    assert_eq!((times("goes"), times("comes up")), (vec![190], vec![250]));
    // Bob writes after its return: 404. Once more to the same, but it stays away for longer.
    let late = [&down[..], &["event.3.at=5m"]].concat();
    assert_eq!(lines(&run("outbound", &late), "404 Not Found (MESSAGE)").len(), 1);
    let away = [&down[..1], &["event.3.at=5m"]].concat();
    assert!(lines(&run("outbound", &away), "404 Not Found (MESSAGE)").is_empty());
}

/// Who gets another address, by 200 s, and what comes of it: when the authority serves an address
/// again that is valid, who is in the binding then, and how many have claimed.
#[test]
fn a_proxy_peer_with_another_address_updates_dns_unless_it_is_told_to_ignore_that() {
    // The node knows after 2 s; look-up of the service, two connections, challenge and answer take
    // 50 + 2 · 50 + 2 · 25 + 2 · 200 + 25 ms. The ISP's cache got the former address at 180.225 s.
    let own = (2.0, 0.625, 60.0 - 19.775 - 2.625, 0);
    let slower = (10.0, 0.625, 60.0 - 19.775 - 10.625, 0);
    // The lease asks the zone's primary: 100 ms for its name, which is in no cache, and 25 ms.
    let swapped = (2.0, 0.125, 60.0 - 19.775 - 2.125, 0);
    // Bob tests Alice from 30.1 s on once a minute; the answers of 210.1 and 270.1 s (which his
    // resolver has to fetch, in 100 ms) lead to tests of 5 s each.
    let ignored = (75.2, 0.675, 0.0, 1);
    for (assignments, (detect, update, cache, claimants)) in [
        (&[][..], own),
        (&["network.address_change.noticed_after=10s"], slower),
        (&["handover.strategy=lease"], swapped),
        (&["overlay.plugin=kademlia"], own),
        (&["overlay.plugin=bamboo"], own),
        (&["handover.on_address_change=ignore"], ignored),
    ] {
        let output = run("address-change", assignments);
        let [handover] = &output.handovers[..] else { panic!("{assignments:?}") };
        let anatomy = &handover.anatomy;
        let phases = [anatomy.detect, anatomy.update, anatomy.cache].map(|it| it.as_secs_f64());
        for (phase, expected) in phases.into_iter().zip([detect, update, cache]) {
            assert!((phase - expected).abs() < 1e-6, "{assignments:?}: {phases:?}");
        }
        assert_eq!(output.headline.value("leaves"), Some(0.0));
        assert_eq!(output.headline.value("departures"), Some(1.0));
        let claimed = output.headline.value("claimants.mean");
        assert_eq!(claimed, Some(f64::from(claimants)), "{assignments:?}");
    }
}

/// One failed test is no reason to claim: the caches of those who test are as old as anybody's.
#[test]
fn who_believes_one_failed_test_claims_from_a_proxy_peer_that_plays() {
    let output = run("address-change", &["handover.failures_to_suspect=1"]);
    assert_eq!(claimants(&output), ["alice", "bob", "carol"].into());
    assert_eq!(output.headline.value("late_claims"), Some(2.0));
    assert!(output.headline.value("split_brain_share").unwrap() > 0.1);
}
