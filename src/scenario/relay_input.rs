//! What is said in calls and the relay: what is taken, and what is refused.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{MediaPlan, RelayPlan, Relayed};
use crate::time::SimDuration;

/// An overlay with a fixed proxy peer, a member behind a translator, and a phone. 20 lines.
const STATIC: &str = "\
name = \"x\"
dns.resolver = [{ name = \"isp\" }]
[network.nat]
[handover]
strategy = \"static\"
record_route = \"address\"
[[caller]]
domain = \"a.example\"
calls = { interval = \"1h\" }
[[host]]
name = \"gateway\"
[[host]]
name = \"relay\"
[[host]]
name = \"bob\"
nat = \"closed\"
[[host]]
name = \"phone\"
domain = \"a.example\"
[relay]
";

fn read(text: &str) -> Scenario {
    Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[])
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn media_and_relay_have_defaults_and_stay_what_they_are() {
    let seconds = SimDuration::from_secs;
    let first = read(&format!("{STATIC}host = \"relay\"\n[media]\n"));
    let interval = SimDuration::from_millis(20);
    let media = MediaPlan { interval, payload: 160, patience: seconds(30) };
    assert_eq!(first.plan.media, Some(media));
    let relay = RelayPlan {
        host: "relay".to_owned(),
        clients: Relayed::Nat,
        lifetime: seconds(600),
        keepalive: seconds(25),
    };
    assert_eq!(first.plan.relay, Some(relay));
    let given = "host = \"bob\"\nclients = \"all\"\nlifetime = \"1m\"\nkeepalive = \"15s\"\n\
                 [media]\ninterval = \"1s\"\npayload = 20\npatience = \"1s\"";
    let given = STATIC.replace("nat = \"closed\"\n", "") + given;
    for first in [first, read(&given)] {
        let effective = first.effective();
        assert_eq!(first.plan, read(&effective).plan, "{effective}");
    }
    let neither = read("name = \"x\"").plan;
    assert_eq!((neither.media, neither.relay), (None, None));
}

#[test]
fn who_relays_is_a_member_whom_everybody_reaches() {
    let relay = |rest: &str| format!("{STATIC}{rest}");
    check(&[
        (
            &relay(""),
            "x.toml:20:1: relay: missing key `host`: The member that is the relay: named, or \
             generated such as `node-00002`. It may be the proxy peer. A generated one is never \
             behind a translator of addresses.",
        ),
        (
            &relay("host = \"rely\""),
            "x.toml:21:8: relay.host: there is no host `rely`; did you mean `relay`?",
        ),
        (
            &relay("host = \"phone\""),
            "x.toml:21:8: relay.host: `phone` is a phone of `a.example`: a relay is a member of the \
             overlay",
        ),
        (
            &relay("host = \"bob\""),
            "x.toml:21:8: relay.host: `bob` is behind a translator of addresses, where clients do \
             not reach it",
        ),
        (
            &relay(
                "host = \"relay\"\nclients = \"nats\"\nlifetime = \"500ms\"\nkeepalive = \"0s\"",
            ),
            "x.toml:22:11: relay.clients: expected `nat` or `all`, found \"nats\"; did you mean \
             `nat`?\n\
             x.toml:24:13: relay.keepalive: 0s is too short: it must be 1ms or more",
        ),
        (
            &relay("host = \"relay\"\nlifetime = \"500ms\""),
            "x.toml:22:12: relay.lifetime: 500ms is out of range: at least 1s",
        ),
    ]);
}

#[test]
fn a_relay_needs_a_fixed_proxy_peer_that_stays_on_the_way() {
    let relay = format!("{STATIC}host = \"relay\"\n");
    let other = relay.replace("\"static\"", "\"dyndns\"").replace("[relay]", "[dyndns]\n[relay]");
    let straight = relay.replace("record_route = \"address\"", "record_route = \"none\"");
    let moving = relay.clone() + "[churn]\nreturn_address = \"new\"";
    check(&[
        (&other, "x.toml:21:2: relay: [relay] needs handover.strategy = \"static\""),
        (&straight, "x.toml:20:2: relay: [relay] needs handover.record_route = \"address\""),
        (&moving, "x.toml:20:2: relay: [relay] needs churn.return_address = \"same\""),
        (
            "name = \"x\"\n[relay]\nhost = \"node-00001\"",
            "x.toml:2:2: relay: [relay] needs handover.strategy = \"static\"\n\
             x.toml:2:2: relay: [relay] needs users that speak SIP, such as those of a [[caller]]",
        ),
    ]);
}

#[test]
fn a_relay_is_a_member_of_the_main_overlay() {
    let beside = "[[overlay.beside]]\nname = \"two\"\ndomain = \"two.example\"\n[relay]";
    let text = STATIC.replace("[relay]", beside) + "host = \"two-00001\"";
    let (_, found) = crate::scenario::bad_input::messages(&text, &[])
        .split_once("relay.host: ")
        .map(|(place, fault)| (place.to_owned(), fault.to_owned()))
        .expect("the relay is at fault");
    assert_eq!(
        found,
        "`two-00001` is a member of the overlay of `two.example`: a relay is one of the main overlay"
    );
}

#[test]
fn nobody_is_impatient_between_two_packets() {
    check(&[
        (
            "name = \"x\"\n[media]\ninterval = \"1m\"",
            "x.toml:2:2: media: [media] needs calls: `calls` of a [[caller]], or an event with action \
             = \"call\"\n\
             x.toml:3:12: media.interval: 60s must not be above `patience`, which is 30s",
        ),
        (
            "name = \"x\"\n[media]\ninterval = \"0s\"\npayload = 0",
            "x.toml:3:12: media.interval: 0s is too short: it must be 1ms or more\n\
             x.toml:4:11: media.payload: 0 is out of range: an integer from 1 to 1400",
        ),
    ]);
}
