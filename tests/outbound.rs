//! Requests of members to conventional users, the control: they need no proxy peer, so nothing that
//! happens to it harms them.

mod judged;

use judged::run;

/// The fixed proxy peer goes after half an hour and stays away.
const SCENARIO: &str = r#"
name = "outbound"
seed = 3
duration = "90m"
warmup = "10m"
[dns]
domain = "chord.dyndns.org"
[[dns.resolver]]
name = "isp"
[overlay]
nodes = 20
[handover]
strategy = "static"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
users = 3
messages = { rate = "1/m" }
outbound = { rate = "6/m" }
[[event]]
at = "30m"
action = "depart"
host = "proxy"
"#;

#[test]
fn outbound_requests_do_not_suffer_when_the_proxy_peer_is_gone() {
    let output = run(SCENARIO, &[]);
    let value = |name: &str| output.headline.value(name);
    // Three of four of the eighty minutes that count are without a proxy peer.
    let failed = value("failed_interop").expect("callers ask");
    assert!((0.6..0.9).contains(&failed), "{failed}");
    // 6 a minute over 80 minutes: 480, with a standard deviation of 22.
    let outbound = value("outbound").expect("members ask");
    assert!((414.0..546.0).contains(&outbound), "{outbound}");
    assert_eq!(value("failed_outbound"), Some(0.0));
    assert_eq!(value("failed_outbound_handover"), Some(0.0));
}
