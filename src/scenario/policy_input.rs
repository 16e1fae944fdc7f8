//! What the paper leaves open, as keys: sound input, and what does not fit.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{
    Action, DepartedHosts, Eligibility, ExProxy, FirewallPlan, HostFirewall, OverlayRecord,
    Policies, ProbeKind,
};

/// A domain that speaks SIP. 8 lines.
const BASE: &str = "\
name = \"x\"
[dns]
[[dns.resolver]]
name = \"isp\"
[dyndns]
[[caller]]
domain = \"a.example\"
messages.rate = \"1/m\"
";

fn sound(text: &str) -> Scenario {
    let text = format!("{BASE}{text}");
    let read = |text: &str| {
        Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[])
            .unwrap_or_else(|report| panic!("{report}"))
    };
    let (first, effective) = (read(&text), read(&text).effective());
    assert_eq!(first.plan, read(&effective).plan, "{effective}");
    first
}

fn refused(rest: &str, told: &str) {
    check(&[(&format!("{BASE}{rest}"), told)]);
}

#[test]
fn each_policy_has_its_key_and_the_effective_scenario_says_the_same() {
    let handover = |keys: &str| sound(&format!("[handover]\n{keys}")).plan.handover.unwrap();
    assert_eq!(handover("").policies, Policies::INTENDED);
    let given = handover(
        "probe_kind = \"options\"\neligibility = \"dht-responsible\"\noverlay_record = \"read\"\n\
         ex_proxy = \"forwards\"",
    );
    assert_eq!(given.probe.kind, ProbeKind::Options);
    let expected = Policies {
        eligibility: Eligibility::DhtResponsible,
        overlay_record: OverlayRecord::Read,
        ex_proxy: ExProxy::Forwards,
        ..Policies::INTENDED
    };
    assert_eq!(given.policies, expected);
    // Who steps down can forward whatever made it do so.
    let lease = handover("strategy = \"lease\"\nex_proxy = \"forwards\"").policies;
    assert_eq!(lease, Policies { ex_proxy: ExProxy::Forwards, ..Policies::INTENDED });
}

#[test]
fn packet_filters_reassigned_addresses_and_resets_are_read() {
    let plan = sound(
        "[handover]\n[network]\ndeparted_hosts = \"reassigned\"\nfirewall = { drops = \"20%\", rejects = \"80%\" }\n\
         [[host]]\nname = \"a\"\nfirewall = \"drops\"\n[[host]]\nname = \"b\"\n[[event]]\n\
         at = \"1h\"\naction = \"dyndns_reset\"",
    )
    .plan;
    assert_eq!(plan.network.departed_hosts, DepartedHosts::Reassigned);
    assert_eq!(plan.network.firewall, Some(FirewallPlan { drops: 0.2, rejects: 0.8 }));
    let firewalls: Vec<HostFirewall> = plan.hosts.iter().map(|host| host.firewall).collect();
    assert_eq!(firewalls, [HostFirewall::Drops, HostFirewall::Answers]);
    assert_eq!(plan.events[0].action, Action::DynDnsReset);
}

#[test]
fn what_does_not_fit_is_told() {
    refused(
        "[handover]\n[network.firewall]\ndrops = \"30%\"\nrejects = \"80%\"",
        "x.toml:12:11: network.firewall.rejects: 80% must not be above `100% - drops`, which is 70%",
    );
    refused(
        "[handover]\n[[host]]\nname = \"a\"\ndomain = \"a.example\"\nfirewall = \"drops\"",
        "x.toml:13:1: host.0.firewall: `firewall` has no meaning with `domain`: only members are \
         probed",
    );
    refused(
        "[handover]\nstrategy = \"lease\"\neligibility = \"any\"\noverlay_record = \"read\"",
        "x.toml:11:1: handover.eligibility: `eligibility` has no meaning with strategy \"lease\"; it has one with \"dyndns\" or \"ddclient\"\n\
         x.toml:12:1: handover.overlay_record: `overlay_record` has no meaning with strategy \
         \"lease\"; it has one with \"dyndns\" or \"ddclient\"",
    );
    refused(
        "[handover]\neligibility = \"oldest\"",
        "x.toml:10:15: handover.eligibility: expected `any` or `dht-responsible`, found \"oldest\"",
    );
    refused(
        "[handover]\nupdate = \"rfc2136\"\nupdate_if = \"unchanged\"\noverlay_record = \"read\"",
        "x.toml:12:18: handover.overlay_record: overlay_record \"read\" needs handover.update_if = \
         \"always\"",
    );
    check(&[
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"\n[dyndns]\n[handover]\n\
             probe_kind = \"options\"",
            "x.toml:7:14: handover.probe_kind: probe_kind \"options\" needs somebody who speaks SIP: \
             a [[caller]] without lookups, or a user",
        ),
        (
            "name = \"x\"\n[[event]]\nat = \"1h\"\naction = \"dyndns_reset\"\nfor = \"1m\"",
            "x.toml:2:1: event.0: an event of the update endpoint needs a section [dyndns]\n\
             x.toml:5:1: event.0.for: `for` has no meaning with action \"dyndns_reset\"",
        ),
    ]);
}
