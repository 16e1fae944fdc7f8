//! Bad input that only shows when lists, periods and numbers of members are seen together.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::build::{Watch, build};
use super::plan::{HostFirewall, HostNat, HostPlace, HostPlan};
use crate::time::{SimDuration, SimTime};

#[test]
fn names_that_something_else_has() {
    check(&[
        (
            "+[overlay]\nresolver = \"isp\"\n[[host]]\nname = \"isp-1\"",
            "x.toml:12:8: host.0.name: `isp-1` is taken: a resolver of the group `isp` has it",
        ),
        (
            "name = \"x\"\n[[host]]\nname = \"update-service\"\n[[host]]\nname = \"dns-authority\"",
            "x.toml:3:8: host.0.name: `update-service` is reserved: the update endpoint has it\n\
             x.toml:5:8: host.1.name: `dns-authority` is reserved: the authority for the overlay's \
             domain has it",
        ),
        (
            "+[overlay]\nresolver = \"isp\"\n[[host]]\nname = \"a\"\n[[caller]]\n\
             domain = \"Update-Service\"\nresolver = \"lab\"\nlookups.rate = \"1/s\"\n[[caller]]\n\
             domain = \"A\"\nresolver = \"lab\"\nlookups.rate = \"1/s\"\n[[caller]]\n\
             domain = \"node-00001\"\nresolver = \"lab\"\nlookups.rate = \"1/s\"",
            "x.toml:14:10: caller.0.domain: `update-service` is reserved: the update endpoint has \
             it\n\
             x.toml:18:10: caller.1.domain: `a` is taken: a [[host]] has it\n\
             x.toml:22:10: caller.2.domain: `node-00001` is reserved: members without a name have it",
        ),
        (
            "name = \"x\"\n[dns]\nsecondaries = 2\n[[dns.resolver]]\nname = \"dns-secondary\"",
            "x.toml:5:8: dns.resolver.0.name: `dns-secondary` is reserved: its resolvers would be \
             called as secondaries of the overlay's zone are",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"node\"\ncount = 10000",
            "x.toml:4:8: dns.resolver.0.name: `node` is reserved: its resolvers would be called \
             `node-00001` and on, as members are",
        ),
    ]);
    // Twelve resolvers have two digits: `isp-1` is free, `isp-12` is not, and there is no 13th.
    let resolvers = "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"\ncount = 12\n";
    for (name, free) in [("isp-1", true), ("isp-12", false), ("isp-13", true), ("isp-00", true)] {
        let text = format!("{resolvers}[[host]]\nname = \"{name}\"");
        let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]);
        assert_eq!(read.is_ok(), free, "{name}");
    }
}

#[test]
fn a_collision_that_the_checks_do_not_know_is_an_error_and_no_panic() {
    let text = "name = \"x\"\n[overlay]\nnodes = 2\n[[host]]\nname = \"a\"";
    let mut plan =
        Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).expect("it is sound").plan;
    let start = SimTime::ZERO;
    let place = HostPlace::Member { resolver: None };
    let (name, nat) = ("node-00002".to_owned(), HostNat::None);
    let firewall = HostFirewall::Answers;
    plan.hosts.push(HostPlan { name, user: None, start, place, nat, firewall });
    let error = build(&plan, 1, None, &Watch::default()).expect_err("two have the same name");
    assert_eq!(error.to_string(), "two hosts are called `node-00002`");
}

#[test]
fn names_of_the_zone_and_ports() {
    check(&[
        (
            "name = \"x\"\n[dns]\ndomain = \"Members.dyndns.org\"\nresolver = [{ name = \"a\" }]\n\
             [dyndns]",
            "x.toml:3:10: dns.domain: `members.dyndns.org` is reserved: it is the name of the \
             update service",
        ),
        (
            "name = \"x\"\n[dns]\ndomain = \"ns.dyndns.org\"",
            "x.toml:3:10: dns.domain: `ns.dyndns.org` is reserved: it is the name of the zone's \
             name server",
        ),
        (
            "name = \"x\"\n[dns]\nresolver = [{ name = \"a\" }]\n[overlay]\nnodes = 3\n\
             [[overlay.beside]]\nname = \"b\"\nnodes = 2\ndomain = \"members.dyndns.org\"\n\
             [[overlay.beside]]\nname = \"c\"\nnodes = 2\ndomain = \"Dyndns.org\"\n\
             [[caller]]\ndomain = \"dyndns.org\"\nresolver = \"a\"\nusers = 0",
            "x.toml:9:10: overlay.beside.0.domain: `members.dyndns.org` is reserved: it is the name of \
             the update service\n\
             x.toml:13:10: overlay.beside.1.domain: `dyndns.org` is taken: number 0 of [[caller]] has \
             it\n\
             x.toml:14:1: caller.0: a domain with a SIP server needs a section [handover]\n\
             x.toml:15:10: caller.0.domain: `dyndns.org` is reserved: it is the zone of the main \
             overlay's domain",
        ),
        (
            &format!(
                "name = \"x\"\n[dns]\ndomain = \"{}.org\"",
                ["a".repeat(60).as_str(); 4].join(".")
            ),
            "x.toml:3:10: dns.domain: a name of 247 octets: at most 237, since names of hosts stand \
             below it",
        ),
        (
            "name = \"x\"\n[dns]\ndomain = \"chord\"",
            "x.toml:3:10: dns.domain: `chord` has a single label: the name lies in a zone, such as \
             `chord.dyndns.org`",
        ),
    ]);
    let story = "name = \"x\"\n[dns]\nresolver = [{ name = \"a\" }]\n[dyndns]\n[handover]\n";
    let port = |text: &str, expected: &str| check(&[(&format!("{story}{text}"), expected)]);
    port(
        "probe_port = 80",
        "x.toml:6:14: handover.probe_port: port 80 is taken: the update service has it",
    );
    port(
        "probe_port = 7\nprobe_kind = \"tcp7\"",
        "x.toml:6:14: handover.probe_port: port 7 is taken: test 1 of probe_kind \"tcp7\" has it",
    );
    let text = format!("{story}probe_port = 7");
    assert!(Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).is_ok());
}

#[test]
fn periods_and_waits_have_limits() {
    check(&[
        (
            "name = \"x\"\ntimeline_bin = \"1ns\"\n[overlay.chord]\nstabilize = \"999us\"\n\
             fix_fingers = \"0s\"\ncheck_predecessor = \"1ns\"",
            "x.toml:2:16: timeline_bin: 1ns is too short: it must be 1ms or more\n\
             x.toml:4:13: overlay.chord.stabilize: 999us is too short: it must be 1ms or more\n\
             x.toml:5:15: overlay.chord.fix_fingers: 0s is too short: it must be 1ms or more\n\
             x.toml:6:21: overlay.chord.check_predecessor: 1ns is too short: it must be 1ms or more",
        ),
        (
            "name = \"x\"\n[handover]\nprobe_interval = \"1ns\"\nprobe_timeout = \"601s\"",
            "x.toml:3:18: handover.probe_interval: 1ns is too short: it must be 1ms or more\n\
             x.toml:4:17: handover.probe_timeout: 601s is too long: it must be 10m or less",
        ),
        (
            "name = \"x\"\n[overlay.lookups]\nrate = \"1001/s\"\n[churn]\nsession_mean = \"1us\"",
            "x.toml:3:8: overlay.lookups.rate: 1001/s is too often: it must be 1000/s or less\n\
             x.toml:5:16: churn.session_mean: 1us is too short: it must be 1ms or more",
        ),
        (
            "name = \"x\"\n[[event]]\nevery = \"1ns\"\naction = \"dyndns_up\"",
            "x.toml:3:9: event.0.every: 1ns is too short: it must be 1ms or more",
        ),
    ]);
    let text =
        "name = \"x\"\n[overlay.lookups]\nrate = \"1000/s\"\n[overlay.chord]\nstabilize = \"1ms\"";
    assert!(Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).is_ok());
}

#[test]
fn an_event_is_not_spread_past_the_end() {
    let event = "action = \"depart\"\nhost = \"node-00001\"\nat = \"11h\"\nspread = ";
    let text = format!("name = \"x\"\n[[event]]\n{event}\"2h\"");
    let told = "x.toml:6:10: event.0.spread: an event at 11h, spread over 2h, can lie past the end \
                of the run at 12h";
    check(&[(&text, told)]);
    // Up to the end is inside; with a trace the end is known later.
    let text = format!("name = \"x\"\n[[event]]\n{event}\"1h\"");
    assert!(Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).is_ok());
    let text = format!(
        "name = \"x\"\n[churn]\nmodel = \"trace\"\ntrace = \"t.avt\"\n[[event]]\n{event}\"2h\""
    );
    let scenario = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).expect("sound");
    let report = scenario.with_trace_span(SimDuration::from_secs(12 * 3_600)).unwrap_err();
    assert_eq!(report.to_string(), told.replace("6:10", "9:10"));
}

#[test]
fn generated_members_that_do_not_exist() {
    let event = "[[event]]\nat = \"2h\"\naction = \"depart\"\nhost = ";
    // 60 of which half are away take 120; 60,000 take 120,000, with six digits.
    let drawn = |nodes: u32, host: &str| {
        format!("name = \"x\"\n[churn]\n[overlay]\nnodes = {nodes}\n{event}\"{host}\"")
    };
    check(&[
        (
            &drawn(60, "node-00150"),
            "x.toml:8:8: event.0.host: there is no host `node-00150`; did you mean `node-00120`?",
        ),
        (
            &drawn(60_000, "node-00150"),
            "x.toml:8:8: event.0.host: there is no host `node-00150`; did you mean `node-000150`?",
        ),
        (
            &drawn(5_000_000, "proxi"),
            "x.toml:8:8: event.0.host: there is no host `proxi`; did you mean `proxy`?",
        ),
        (
            "name = \"x\"\n[churn]\n[overlay]\nnodes = 5000000",
            "x.toml:4:9: overlay.nodes: it takes 10000000 members, and there are addresses for \
             8388607",
        ),
    ]);
    for text in [drawn(60, "node-00120"), drawn(60_000, "node-000150")] {
        assert!(Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).is_ok());
    }
    let text = format!(
        "name = \"x\"\n[churn]\nmodel = \"trace\"\ntrace = \"t.avt\"\n{event}\"node-00004\""
    );
    let scenario = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).expect("sound");
    assert!(scenario.clone().with_trace_members(4).is_ok());
    assert_eq!(
        scenario.with_trace_members(3).unwrap_err().to_string(),
        "x.toml:8:8: event.0.host: there is no host `node-00004`; did you mean `node-00001`?"
    );
}

#[test]
fn what_is_near_to_what_is_to_come() {
    check(&[
        (
            "name = \"x\"\n[overlay]\nplugin = \"kadmlia\"",
            "x.toml:3:10: overlay.plugin: expected `chord`, `bamboo` or `kademlia`, found \"kadmlia\"; \
             did you mean `kademlia`?",
        ),
        (
            "name = \"x\"\n[handover]\nstrategy = \"ddcliant\"\nprobe_kind = \"optons\"",
            "x.toml:3:12: handover.strategy: expected `embedded`, `static`, `dyndns`, `ddclient`, \
             `lease`, `standby`, `oracle` or `clairvoyant`, found \"ddcliant\"; did you mean \
             `ddclient`?\nx.toml:4:14: handover.probe_kind: expected `icmp`, `tcp7`, \
             `tcp` or `options`, found \"optons\"; did you mean `options`?",
        ),
        ("name = \"x\"\n[swep]", "x.toml:2:2: swep: unknown key `swep`; did you mean `sweep`?"),
    ]);
}
