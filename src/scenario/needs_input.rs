//! What strategies need of a scenario, met and unmet.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{CallerPlan, Publish, UpdateProtocol};

/// A domain with a SIP server and two users, and one that only looks up. 9 lines.
const DOMAINS: &str = "\
name = \"x\"
dns.resolver = [{ name = \"isp\" }]
[[caller]]
domain = \"a.example\"
users = 2
messages.rate = \"1/m\"
[[caller]]
domain = \"b.example\"
lookups.rate = \"1/m\"
";

fn refused(rest: &str, told: &str) {
    check(&[(&format!("{DOMAINS}{rest}"), told)]);
}

#[test]
fn embedded_servers_are_those_of_all_sip_domains_unless_it_is_said_otherwise() {
    let embedding = |rest: &str| -> Vec<String> {
        let text = format!("{DOMAINS}{rest}");
        let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]);
        let scenario = read.unwrap_or_else(|report| panic!("{report}"));
        // The effective scenario says the same.
        let effective = scenario.effective();
        let again = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]);
        assert_eq!(scenario.plan, again.unwrap_or_else(|report| panic!("{report}")).plan);
        let embeds = |caller: &&CallerPlan| caller.embeds();
        scenario.plan.callers.iter().filter(embeds).map(|it| it.domain.clone()).collect()
    };
    let another = "[[caller]]\ndomain = \"c.example\"\nusers = 0\n";
    for (rest, expected) in [
        ("[handover]\nstrategy = \"embedded\"\n", vec!["a.example", "c.example"]),
        ("embeds = false\n[handover]\nstrategy = \"embedded\"\n", vec!["a.example"]),
        ("[handover]\nstrategy = \"static\"\n", vec![]),
        ("embeds = true\n[handover]\nstrategy = \"static\"\n", vec!["c.example"]),
    ] {
        assert_eq!(embedding(&format!("{another}{rest}")), expected, "{rest}");
    }
}

#[test]
fn policies_of_one_strategy_are_refused_with_another() {
    refused(
        "[handover]\nstrategy = \"lease\"\nreading = \"literal\"\non_unresolved = \"claim\"\n[dyndns]",
        "x.toml:12:1: handover.reading: `reading` has no meaning with strategy \"lease\"; it has one with \"dyndns\" or \"ddclient\"\n\
         x.toml:13:1: handover.on_unresolved: `on_unresolved` has no meaning with strategy \"lease\"; it has one with \"dyndns\" or \"ddclient\"",
    );
    refused(
        "[handover]\nstrategy = \"oracle\"\nbootstrap = \"dns\"\nfailures_to_suspect = 2",
        "x.toml:12:1: handover.bootstrap: `bootstrap` has no meaning with strategy \"oracle\"; it has one with \"dyndns\", \"ddclient\", \"lease\" or \"standby\"\n\
         x.toml:13:1: handover.failures_to_suspect: `failures_to_suspect` has no meaning with strategy \
         \"oracle\"; it has one with \"dyndns\", \"ddclient\", \"lease\" or \"standby\"",
    );
}

#[test]
fn standby_brings_what_it_needs_and_is_refused_without() {
    let standby = "[handover]\nstrategy = \"standby\"\n";
    let text = format!("{DOMAINS}{standby}");
    let read = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]);
    let plan = read.unwrap_or_else(|report| panic!("{report}")).plan;
    let (dns, handover) = (plan.dns.expect("it is there"), plan.handover.expect("it is there"));
    assert_eq!((dns.publish, handover.standbys), (Publish::Srv, 2));
    assert_eq!(handover.update, UpdateProtocol::Rfc2136);
    let address = DOMAINS
        .replace("[[caller]]\ndomain = \"a", "dns.publish = \"a\"\n[[caller]]\ndomain = \"a");
    check(&[(
        &format!("{address}{standby}"),
        "x.toml:12:12: handover.strategy: strategy \"standby\" needs dns.publish = \"srv\": a set in \
         an order",
    )]);
    refused(
        &format!("{standby}update = \"dyndns2\"\n[dyndns]"),
        "x.toml:12:1: handover.update: an SRV set, which dyndns2 can't carry, needs handover.update = \
         \"rfc2136\"",
    );
    // Nor is the section asked for that only dyndns2 needs.
    refused(
        &format!("{standby}update = \"dyndns2\""),
        "x.toml:12:1: handover.update: an SRV set, which dyndns2 can't carry, needs handover.update = \
         \"rfc2136\"",
    );
    refused(
        &format!("{standby}update_if = \"always\"\nlosers = \"stay\""),
        "x.toml:12:1: handover.update_if: `update_if` has no meaning with strategy \"standby\": its \
         updates hold only if the set is as it was read\n\
         x.toml:13:1: handover.losers: `losers` has no meaning with strategy \"standby\"; it has one with \"dyndns\" or \"ddclient\"",
    );
    refused(
        "[handover]\nstandbys = 3\n[dyndns]",
        "x.toml:11:1: handover.standbys: `standbys` has no meaning with strategy \"dyndns\"; it has one with \"standby\"",
    );
    refused(
        &format!("{standby}standbys = 8"),
        "x.toml:12:12: handover.standbys: 8 is out of range: an integer from 1 to 7",
    );
}

#[test]
fn embedded_needs_a_server_that_embeds_a_peer() {
    check(&[(
        "name = \"x\"\ndns.resolver = [{ name = \"isp\" }]\n[[caller]]\ndomain = \"b.example\"\n\
         lookups.rate = \"1/m\"\n[handover]\nstrategy = \"embedded\"",
        "x.toml:7:12: handover.strategy: strategy \"embedded\" needs a [[caller]] with a SIP server \
         that embeds a peer",
    )]);
    refused(
        "embeds = true\n[handover]\nstrategy = \"embedded\"",
        "x.toml:10:1: caller.1.embeds: `embeds` has no meaning with `lookups`: such a domain has no \
         SIP server",
    );
}
