//! What can be said about DNS and about updates of the binding: sound and unsound.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{Publish, UpdateIf, UpdateProtocol, ZoneUpdates};

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
