//! What can be said about DNS and about updates of the binding: sound and unsound.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{Extenders, Publish, ServeStale, UpdateIf, UpdateProtocol, ZoneUpdates};
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
            "x.toml:3:1: handover.update_if: `update_if` has no meaning with update \"dyndns2\"",
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
