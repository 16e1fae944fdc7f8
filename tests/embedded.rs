//! Shim et al.: conventional servers that embed a peer of the overlay, `handover.strategy =
//! "embedded"`, and such servers beside others.

mod judged;

use judged::run;
use overcord::metrics::tables::{Cause, RequestOutcome, RunOutput};
use overcord::net::{Direction, Protocol};

/// Twenty nodes up on average for an hour, and five phones that write to them; the domain's server
/// embeds a peer.
const SMALL: &str = r#"
name = "small"
seed = 5
duration = "1h"
warmup = "0s"
[dns]
domain = "chord.dyndns.org"
[[dns.resolver]]
name = "isp"
[overlay]
nodes = 20
[overlay.chord]
stabilize = "5s"
fix_fingers = "20s"
[churn]
session_mean = "20m"
downtime_mean = "20m"
[handover]
strategy = "embedded"
[[caller]]
domain = "uni.example"
users = 5
messages = { interval = "1m" }
"#;

/// Messages sent of a protocol.
fn sent(output: &RunOutput, protocol: Protocol) -> u64 {
    let rows = output.signalling.iter().filter(|row| row.direction == Direction::Sent);
    rows.filter(|row| row.protocol == protocol).map(|row| row.messages).sum()
}

fn share_failed(output: &RunOutput, caller: &str) -> f64 {
    let of_caller = output.requests.iter().filter(|row| &*row.caller == caller);
    let ended: Vec<_> = of_caller.filter(|row| row.delay.is_some()).collect();
    assert!(ended.len() > 50, "{caller}");
    let failed = ended.iter().filter(|row| row.cause == Some(Cause::Interop)).count();
    failed as f64 / ended.len() as f64
}

#[test]
fn the_overlay_is_reached_without_dns_and_without_handovers() {
    let output = run(SMALL, &[]);
    // Nobody asks for a name, nobody updates one, and nobody is told of a proxy peer.
    for protocol in [Protocol::Dns, Protocol::Tcp, Protocol::Http, Protocol::Icmp] {
        assert_eq!(sent(&output, protocol), 0, "{protocol:?}");
    }
    assert!(output.handovers.is_empty() && output.departures.is_empty());
    assert!(output.timeline.iter().all(|row| row.believers == 0 && row.stale_resolvers == 0));
    assert!(output.requests.iter().all(|row| row.stale.is_none()));
    // What fails: a callee that has just come and is not stored yet, or records that went with
    // their holders. A crash takes a look-up at most seconds, and no message 30 s in vain.
    let failed = share_failed(&output, "uni.example");
    assert!(failed < 0.05, "{failed}");
    let good = output.requests.iter().filter(|row| row.cause.is_none() && row.delay.is_some());
    assert!(good.clone().count() > 200);
    // The population is the same as under any other strategy: the peer of the server is not of it.
    let other = run(SMALL, &["handover.strategy=static"]);
    let hours = |output: &RunOutput| output.headline.value("node_hours").unwrap();
    assert!((hours(&output) - hours(&other)).abs() < 1e-9);
    let begun = |output: &RunOutput| output.requests.iter().map(|row| row.time).collect::<Vec<_>>();
    assert_eq!(begun(&output), begun(&other));
}

/// A domain without a peer finds nobody in DNS: only the server's own domain is served.
#[test]
fn who_embeds_no_peer_does_not_reach_the_overlay() {
    let outsider = "[[caller]]\ndomain = \"other.example\"\nembeds = false\nusers = 5\nmessages = \
                    { interval = \"1m\" }\n";
    let output = run(&format!("{SMALL}{outsider}"), &[]);
    let outside = output.requests.iter().filter(|row| &*row.caller == "other.example");
    let ended = outside.filter(|row| row.delay.is_some());
    // SER's answer to a name that does not resolve.
    assert!(ended.clone().all(|row| row.outcome == RequestOutcome::Status(478)));
    assert!(ended.count() > 200);
    assert!(share_failed(&output, "uni.example") < 0.05);
}

/// Users of a server with a peer and users of the overlay, with and without a server in between.
const SCRIPT: &str = r#"
[[host]]
name = "alice"
[[host]]
name = "linphone"
domain = "uni.example"
[[event]]
at = "10m"
action = "message"
host = "alice"
to = "linphone@uni.example"
[[event]]
at = "20m"
action = "message"
host = "linphone"
to = "alice@chord.dyndns.org"
[[event]]
at = "30m"
action = "subscribe"
host = "linphone"
to = "alice@chord.dyndns.org"
[story]
[[story.exchange]]
title = "A member writes to a phone"
from = "alice"
to = "linphone"
method = "MESSAGE"
[[story.exchange]]
title = "A phone writes to a member"
from = "linphone"
to = "alice"
method = "MESSAGE"
[[story.exchange]]
title = "A phone watches a member"
from = "linphone"
to = "alice"
method = "SUBSCRIBE"
"#;

#[test]
fn registrations_are_copied_so_that_members_reach_phones() {
    let output = run(&format!("{SMALL}{SCRIPT}"), &[]);
    for exchange in &output.told.exchanges {
        assert!(exchange.met.is_some(), "{exchange:?}");
    }
    assert_eq!(output.told.exchanges.len(), 3);
    assert_eq!(sent(&output, Protocol::Dns), 0);
}

/// One overlay of centralised and peer entities: the server of one domain embeds a peer, the other
/// finds the proxy peer through DNS.
#[test]
fn a_server_with_a_peer_stands_beside_one_without() {
    let other = "[dyndns]\n[[caller]]\ndomain = \"other.example\"\nusers = 5\nmessages = \
                 { interval = \"1m\" }\n";
    let assignments = ["handover.strategy=dyndns", "caller.0.embeds=true", "duration=2h"];
    let output = run(&format!("{SMALL}{other}"), &assignments);
    assert!(!output.handovers.is_empty());
    // Handovers concern only the domain that knows the overlay by its name.
    assert!(output.handovers.iter().all(|row| &*row.caller == "other.example"));
    let (with, without) =
        (share_failed(&output, "uni.example"), share_failed(&output, "other.example"));
    assert!(with < 0.05 && without > 2.0 * with, "{with} {without}");
}
