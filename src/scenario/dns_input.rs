//! What can be said about DNS and about updates of the binding: sound and unsound.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{
    Extenders, Far, Publish, ResolverGroup, SecondariesPlan, ServeStale, UpdateIf, UpdateProtocol,
    ZoneUpdates,
};
use crate::time::SimDuration;

fn read(text: &str) -> Scenario {
    Scenario::parse("x.toml", text.as_bytes(), Path::new("."), &[])
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn absent_keys_mean_what_they_did_before_there_were_others() {
    let scenario =
        read("name = \"x\"\n[dyndns]\n[handover]\n[dns]\n[[dns.resolver]]\nname = \"i\"");
    let (dns, handover) = (scenario.plan.dns.unwrap(), scenario.plan.handover.unwrap());
    assert_eq!((dns.publish, dns.update), (Publish::A, ZoneUpdates::Tsig));
    assert_eq!(handover.update, UpdateProtocol::Dyndns2);
}

/// An update by RFC 2136 needs no update service.
#[test]
fn the_effective_scenario_says_how_updates_are_made() {
    let text = "name = \"x\"\n[handover]\nupdate = \"rfc2136\"\nupdate_if = \"unchanged\"\n\
                [dns]\npublish = \"srv\"\n[[dns.resolver]]\nname = \"i\"";
    let scenario = read(text);
    let handover = scenario.plan.handover.as_ref().unwrap();
    assert_eq!(
        (handover.update, handover.update_if),
        (UpdateProtocol::Rfc2136, UpdateIf::Unchanged)
    );
    let effective = super::effective::to_toml(&scenario.plan);
    assert_eq!(read(&effective).plan, scenario.plan);
    for line in ["update = \"rfc2136\"", "update_if = \"unchanged\"", "publish = \"srv\""] {
        assert!(effective.contains(line), "{line} in\n{effective}");
    }
}

/// The lease compares and swaps at the authority, where the zone lets it.
#[test]
fn a_lease_is_published_by_compare_and_swap_where_the_zone_takes_updates() {
    let with = |dns: &str, more: &str| {
        let text = format!(
            "name = \"x\"\n[handover]\nstrategy = \"lease\"\n{more}[dns]\n{dns}[[dns.resolver]]\n\
             name = \"i\"\n[dyndns]\n"
        );
        let handover = read(&text).plan.handover.unwrap();
        (handover.update, handover.update_if)
    };
    let swaps = (UpdateProtocol::Rfc2136, UpdateIf::Unchanged);
    assert_eq!(with("", ""), swaps);
    assert_eq!(with("update = \"refused\"\n", "").0, UpdateProtocol::Dyndns2);
    assert_eq!(with("", "update = \"dyndns2\"\n").0, UpdateProtocol::Dyndns2);
    let always = (UpdateProtocol::Rfc2136, UpdateIf::Always);
    assert_eq!(with("", "update_if = \"always\"\n"), always);
}

#[test]
fn what_an_update_needs_is_told() {
    const HEAD: &str = "name = \"x\"\n[handover]\n";
    const TAIL: &str = "[[dns.resolver]]\nname = \"i\"\n[dyndns]\n";
    let case = |handover: &str, dns: &str| format!("{HEAD}{handover}[dns]\n{dns}{TAIL}");
    check(&[
        (
            &case("update = \"rfc2136\"\n", "update = \"refused\"\n"),
            "x.toml:3:1: handover.update: a dynamic update needs dns.update = \"tsig\"",
        ),
        (
            &case("", "publish = \"srv\"\n"),
            "x.toml:4:1: dns.publish: an SRV set, which dyndns2 can't carry, needs handover.update \
             = \"rfc2136\"",
        ),
        (
            &case("update_if = \"unchanged\"\n", ""),
            "x.toml:3:1: handover.update_if: `update_if` has no meaning with update \"dyndns2\"; it has one with \"rfc2136\"",
        ),
        (
            &case("update = \"rfc2137\"\n", ""),
            "x.toml:3:10: handover.update: expected `dyndns2` or `rfc2136`, found \"rfc2137\"; did \
             you mean `rfc2136`?",
        ),
    ]);
    // The bounds publish by command, whatever the endpoint allows.
    read(&case("strategy = \"oracle\"\n", "publish = \"srv\"\nupdate = \"refused\"\n"));
}

#[test]
fn resolvers_may_serve_stale_and_some_of_them_extend_ttls() {
    let group = |keys: &str| {
        let text = format!("name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"i\"\n{keys}");
        let scenario = read(&text);
        let effective = super::effective::to_toml(&scenario.plan);
        assert_eq!(read(&effective).plan, scenario.plan, "{effective}");
        scenario.plan.dns.unwrap().resolvers.remove(0)
    };
    let stale = |ttl, reply_ttl, client_ms| ServeStale {
        ttl: SimDuration::from_secs(ttl),
        reply_ttl: SimDuration::from_secs(reply_ttl),
        client_timeout: SimDuration::from_millis(client_ms),
    };
    for (keys, expected) in [
        ("", None),
        ("serve_stale = false", None),
        ("serve_stale = true", Some(stale(86_400, 30, 1_800))),
        ("serve_stale = { client_timeout = \"0s\" }", Some(stale(86_400, 30, 0))),
        ("serve_stale = { ttl = \"1h\", reply_ttl = \"5s\" }", Some(stale(3_600, 5, 1_800))),
    ] {
        assert_eq!(group(keys).serve_stale, expected, "{keys}");
    }
    let floor = SimDuration::from_secs(300);
    let extending = group("extenders = {}");
    assert_eq!(extending.extenders, Some(Extenders { share: 0.0874, floor }));
    let minute = SimDuration::from_secs(60);
    assert_eq!((extending.life(minute, true), extending.life(minute, false)), (floor, minute));
    check(&[(
        "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"i\"\nmax_ttl = \"60s\"\n\
         extenders = { share = \"50%\", floor = \"90s\" }",
        "x.toml:6:38: dns.resolver.0.extenders.floor: 90s must not be above `max_ttl`, which is 60s",
    )]);
}

#[test]
fn a_zone_may_have_secondaries() {
    let usual = |count| SecondariesPlan {
        count,
        notify: true,
        notify_delay: SimDuration::from_secs(5),
        refresh: SimDuration::from_secs(1_200),
        retry: SimDuration::from_secs(180),
        expire: SimDuration::from_secs(14 * 86_400),
        journal: 100,
    };
    let second = SimDuration::from_secs(1);
    for (written, expected) in [
        ("0", None),
        ("2", Some(usual(2))),
        ("{}", Some(usual(1))),
        ("{ count = 3, notify = false }", Some(SecondariesPlan { notify: false, ..usual(3) })),
        (
            "{ notify_delay = \"0s\", refresh = \"1s\", retry = \"1s\", expire = \"1s\", journal = 0 }",
            Some(SecondariesPlan {
                notify_delay: SimDuration::ZERO,
                refresh: second,
                retry: second,
                expire: second,
                journal: 0,
                ..usual(1)
            }),
        ),
    ] {
        let scenario = read(&format!("name = \"x\"\n[dns]\nsecondaries = {written}"));
        let dns = scenario.plan.dns.as_ref().unwrap();
        assert_eq!(dns.secondaries, expected, "{written}");
        assert_eq!(dns.servers(), 1 + expected.map_or(0, |it| it.count));
        let effective = super::effective::to_toml(&scenario.plan);
        assert_eq!(read(&effective).plan, scenario.plan, "{effective}");
    }
    check(&[
        (
            "name = \"x\"\n[dns]\nsecondaries = 17",
            "x.toml:3:15: dns.secondaries: 17 is out of range: an integer from 0 to 16",
        ),
        (
            "name = \"x\"\n[dns]\nsecondaries = { expire = \"10m\" }",
            "x.toml:3:26: dns.secondaries.expire: 10m must not be below `refresh`, which is 20m",
        ),
        (
            "name = \"x\"\n[dns]\nsecondaries = { notfy = true }",
            "x.toml:3:17: dns.secondaries.notfy: unknown key `notfy`; did you mean `notify`?",
        ),
        (
            "name = \"x\"\n[dns]\nsecondaries = 2\ndomain = \"ns3.dyndns.org\"",
            "x.toml:4:10: dns.domain: `ns3.dyndns.org` is reserved: it is the name of a secondary of \
             the zone",
        ),
        (
            "name = \"x\"\n[dns]\nsecondaries = 2\n[[host]]\nname = \"dns-secondary-2\"",
            "x.toml:5:8: host.0.name: `dns-secondary-2` is reserved: a secondary of the overlay's \
             zone has it",
        ),
    ]);
    // There is no third.
    read("name = \"x\"\n[dns]\nsecondaries = 1\ndomain = \"ns3.dyndns.org\"");
    let parted = "[[event]]\nat = \"1h\"\naction = \"partition\"\nhosts = ";
    let scenario = read(&format!(
        "name = \"x\"\n[dns]\nsecondaries = 2\n{parted}[\"dns-secondary-2\", \"dns-authority\"]"
    ));
    let super::plan::Action::Partition(partition) = &scenario.plan.events[0].action else {
        panic!("it is a partition")
    };
    assert_eq!(partition.far, [Far::Secondary(2), Far::Authority]);
    let effective = super::effective::to_toml(&scenario.plan);
    assert_eq!(read(&effective).plan, scenario.plan, "{effective}");
}

#[test]
fn groups_of_resolvers_may_forward_to_others() {
    let groups = |forwards: &[(&str, &str)]| {
        let group = |(name, forward): &(&str, &str)| match *forward {
            "" => format!("[[dns.resolver]]\nname = \"{name}\"\n"),
            above => format!("[[dns.resolver]]\nname = \"{name}\"\nforward = \"{above}\"\n"),
        };
        let groups: String = forwards.iter().map(group).collect();
        let members = forwards[0].0;
        format!("name = \"x\"\noverlay.resolver = \"{members}\"\n[dns]\n{groups}")
    };
    let scenario = read(&groups(&[("lan", "isp"), ("isp", "big"), ("big", "")]));
    let dns = scenario.plan.dns.as_ref().unwrap();
    let chain: Vec<u32> = dns.chain(ResolverGroup(0)).map(|group| group.0).collect();
    assert_eq!(chain, [0, 1, 2]);
    let effective = super::effective::to_toml(&scenario.plan);
    assert_eq!(read(&effective).plan, scenario.plan, "{effective}");
    check(&[
        (
            &groups(&[("lan", "ips"), ("isp", "")]),
            "x.toml:6:11: dns.resolver.0.forward: there is no resolver group `ips`; did you mean \
             `isp`?",
        ),
        (
            &groups(&[("isp", "isp")]),
            "x.toml:6:11: dns.resolver.0.forward: resolver groups that forward in a circle never \
             get an answer: isp -> isp",
        ),
        (
            // `lan` leads into the circle and is not part of it.
            &groups(&[("lan", "a"), ("a", "b"), ("b", "c"), ("c", "a")]),
            "x.toml:9:11: dns.resolver.1.forward: resolver groups that forward in a circle never \
             get an answer: a -> b -> c -> a",
        ),
        (
            &(groups(&[("lan", "isp"), ("isp", "")])
                + "[[event]]\nat = \"1h\"\naction = \"partition\"\nhosts = \"lan\""),
            "x.toml:12:9: event.0.hosts: `lan` and `isp`, which it forwards to, stand on the same \
             side: name both, or neither, and nobody whose resolvers these are",
        ),
    ]);
}
