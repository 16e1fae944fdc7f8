//! Whole scenarios with callers: every request ends, dialogs live or die with the proxy peer, and
//! what happens is the same whenever and in whatever order it is told.

use std::collections::BTreeMap;
use std::path::Path;

use overcord::experiment::simulator::Simulator;
use overcord::metrics::tables::{Cause, RequestMethod, RequestOutcome, RequestRow, RunOutput};
use overcord::scenario::Scenario;
use overcord::time::{SimDuration, SimTime};

/// Ten members that stay, 20 ms apart, and one domain.
const HEAD: &str = r#"
name = "sip"
seed = 5
duration = "30m"
warmup = "0s"
[network]
latency = { model = "constant", value = "20ms" }
[dns]
domain = "chord.dyndns.org"
[dyndns]
[overlay]
nodes = 10
resolver = "isp"
[handover]
strategy = "dyndns"
"#;
const ISP: &str = "[[dns.resolver]]\nname = \"isp\"\ncount = 2\n";
const BUSY: &str = r#"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
users = 3
messages = { interval = "30s" }
calls = { interval = "200s", talk = "40s" }
subscriptions = { interval = "300s", keep = "150s" }
"#;

fn simulator(text: &str, assignments: &[&str]) -> Simulator {
    let assignments: Vec<String> = assignments.iter().map(|&text| text.to_owned()).collect();
    let scenario = Scenario::parse("sip.toml", text.as_bytes(), Path::new("."), &assignments)
        .unwrap_or_else(|report| panic!("{report}"));
    Simulator::new(scenario.plan, None, true)
}

fn run(text: &str, assignments: &[&str]) -> RunOutput {
    let simulator = simulator(text, assignments);
    let seed = simulator.plan().seed;
    simulator.run(0, seed, None, &mut |_| {}).unwrap()
}

/// What a host sends, receives and does, a line each.
fn log_of(host: &str, text: &str, assignments: &[&str]) -> Vec<String> {
    let simulator = simulator(text, assignments);
    let mut lines = Vec::new();
    let seed = simulator.plan().seed;
    simulator.run(0, seed, Some(host), &mut |line| lines.push(line.to_owned())).unwrap();
    lines
}

fn count(rows: &[RequestRow], method: RequestMethod) -> usize {
    rows.iter().filter(|row| row.method == method).count()
}

#[test]
fn without_churn_nobody_fails_whatever_the_route_and_the_server() {
    let text = [HEAD, ISP, BUSY].concat();
    for profile in ["ser", "ser-0.9", "kamailio", "rfc3261"] {
        for route in ["none", "address", "name"] {
            let profile = format!("caller.0.profile={profile}");
            let output = run(&text, &[&profile, &format!("handover.record_route={route}")]);
            // What is asked for in the last seconds has no time to end.
            let last = SimTime::ZERO + SimDuration::from_secs(1_800 - 5);
            let rows: Vec<RequestRow> =
                output.requests.iter().filter(|row| row.time < last).cloned().collect();
            let failed: Vec<&RequestRow> =
                rows.iter().filter(|row| row.outcome != RequestOutcome::Status(200)).collect();
            assert!(failed.is_empty(), "{profile} {route}: {failed:?}");
            assert!(rows.iter().all(|row| row.cause.is_none() && row.stale != Some(true)));
            // Three users for half an hour: 180 messages, 27 calls and 18 subscriptions are
            // expected, by Poisson's law give or take four times the root. What agents send of their
            // own accord, the ends of calls and subscriptions, are no requests.
            let messages = count(&rows, RequestMethod::Message);
            assert!((126..=234).contains(&messages), "{messages}");
            let calls = count(&rows, RequestMethod::Invite);
            assert!((7..=47).contains(&calls), "{calls}");
            assert_eq!(count(&rows, RequestMethod::Bye), 0);
            // By four times its root, at least one of 18.
            assert!(count(&rows, RequestMethod::Subscribe) > 0);
            assert_eq!(output.headline.value("requests"), Some(output.requests.len() as f64));
        }
    }
}

/// Members that come and go, and users who call those that are away as well.
const RESTLESS: &str = r#"
[churn]
model = "exponential"
session_mean = "10m"
downtime_mean = "10m"
"#;

#[test]
fn under_churn_every_request_ends_and_every_outcome_is_one_that_can_be() {
    for (profile, give_up) in [("ser", "408"), ("rfc3261", "timeout")] {
        let text = [HEAD, ISP, BUSY, RESTLESS].concat();
        let profile = format!("caller.0.profile={profile}");
        let route = "handover.record_route=name";
        let output = run(&text, &[&profile, route, "caller.0.callee=any", "duration=4h"]);
        // A caller waits for three minutes at most, and 32 s for what follows the CANCEL.
        let last = SimTime::ZERO + SimDuration::from_secs(4 * 3_600 - 180 - 32);
        let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
        for row in &output.requests {
            if row.outcome == RequestOutcome::Unfinished {
                assert!(row.time > last, "{profile}: {row:?}");
                continue;
            }
            let name = match row.outcome {
                RequestOutcome::Status(status) => status.to_string(),
                other => format!("{other:?}").to_lowercase(),
            };
            // 2xx has no cause, and all else has one.
            assert_eq!(row.cause.is_none(), name == "200", "{row:?}");
            *outcomes.entry(name).or_default() += 1;
        }
        let total: usize = outcomes.values().sum();
        assert!(outcomes[give_up] > 20, "{outcomes:?}");
        assert!(outcomes["200"] > total / 4, "{outcomes:?}");
        // 404: nobody knows the user, or who was asked plays no proxy. 408 and time-outs: silence.
        // 478: the name has no address. 480: the location has expired. 481: the other end has been
        // away and knows the dialog no more. 487: the caller gave up.
        let known = ["200", "404", "408", "478", "480", "481", "487", "500", "timeout"];
        let odd: Vec<&String> =
            outcomes.keys().filter(|name| !known.contains(&name.as_str())).collect();
        assert!(odd.is_empty(), "{outcomes:?}");
        let failed = |cause: Cause| output.requests.iter().any(|row| row.cause == Some(cause));
        assert!(failed(Cause::Callee) && failed(Cause::Interop));
        assert!(output.requests.iter().any(|row| row.stale == Some(true)));
    }
}

/// A phone, and Bob, who joins late and so is not the first proxy peer.
const PEOPLE: &str = r#"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
users = 0
[[host]]
name = "linphone"
domain = "deebee.dsl.ru.ac.za"
[[host]]
name = "bob"
start = "10s"
"#;

/// The phone calls and watches Bob. The proxy peer goes after ten minutes.
const STORY: &str = r#"
[[event]]
at = "5m"
action = "call"
host = "linphone"
to = "bob@chord.dyndns.org"
talk = "15m"
[[event]]
at = "6m"
action = "subscribe"
host = "linphone"
to = "bob@chord.dyndns.org"
[[event]]
at = "10m"
action = "depart"
host = "proxy"
"#;

fn story(route: &str) -> [String; 2] {
    [format!("handover.record_route={route}"), "duration=90m".to_owned()]
}

/// The final responses that the phone hears in the story: in which whole second, and which.
fn told(route: &str) -> Vec<(u64, String)> {
    let text = [HEAD, ISP, PEOPLE, STORY].concat();
    let [first, second] = story(route);
    assert_eq!(run(&text, &[&first, &second]).departures.len(), 1, "{route}");
    let answer = |line: &String| {
        let (before, said) = line.split_once("-> linphone  SIP ")?;
        let second = before.trim_start().split('.').next()?.parse().ok()?;
        let method =
            ["INVITE", "BYE", "SUBSCRIBE"].iter().find(|it| said.contains(&format!("({it})")))?;
        let status = said.split(' ').next().filter(|status| *status >= "200")?;
        Some((second, format!("{method} {status}")))
    };
    log_of("linphone", &text, &[&first, &second]).iter().filter_map(answer).collect()
}

fn expected(answers: &[(u64, &str)]) -> Vec<(u64, String)> {
    answers.iter().map(|&(second, answer)| (second, answer.to_owned())).collect()
}

#[test]
fn a_dialog_by_the_overlay_s_name_survives_the_handover() {
    // The call at 300 s is answered after 2 s of ringing; its BYE comes 15 minutes after, the
    // renewal of the SUBSCRIBE at 360 s after nine tenths of an hour. Both pass whoever plays the
    // proxy peer by then.
    let answers =
        [(302, "INVITE 200"), (360, "SUBSCRIBE 200"), (1_202, "BYE 200"), (3_600, "SUBSCRIBE 200")];
    assert_eq!(told("name"), expected(&answers));
}

#[test]
fn a_dialog_by_the_proxy_peer_s_address_dies_with_it() {
    // The server asks the dead address for 30 s. Then the watcher begins anew, through the proxy
    // peer of now.
    let answers = [
        (302, "INVITE 200"),
        (360, "SUBSCRIBE 200"),
        (1_232, "BYE 408"),
        (3_630, "SUBSCRIBE 408"),
        (3_630, "SUBSCRIBE 200"),
    ];
    assert_eq!(told("address"), expected(&answers));
}

#[test]
fn without_record_route_a_dialog_passes_the_proxy_peer_by() {
    let answers =
        [(302, "INVITE 200"), (360, "SUBSCRIBE 200"), (1_202, "BYE 200"), (3_600, "SUBSCRIBE 200")];
    assert_eq!(told("none"), expected(&answers));
    // Bob hears the BYE from the phone's server.
    let text = [HEAD, ISP, PEOPLE, STORY].concat();
    let [first, second] = story("none");
    let log = log_of("bob", &text, &[&first, &second]);
    let bye = log.iter().find(|line| line.contains("SIP BYE")).expect("Bob hears the BYE");
    assert!(bye.contains("deebee.dsl.ru.ac.za -> bob"), "{bye}");
}

/// Bob calls and watches the phone.
const OUTWARD: &str = r#"
[[event]]
at = "2m"
action = "publish"
host = "linphone"
[[event]]
at = "3m"
action = "call"
host = "bob"
to = "linphone@deebee.dsl.ru.ac.za"
talk = "1m"
[[event]]
at = "4m"
action = "subscribe"
host = "bob"
to = "linphone@deebee.dsl.ru.ac.za"
[[event]]
at = "270s"
action = "publish"
host = "linphone"
status = "closed"
"#;

#[test]
fn a_member_s_user_reaches_conventional_users_by_dns_and_is_told_of_their_presence() {
    let text = [HEAD, ISP, PEOPLE, OUTWARD].concat();
    let log = log_of("bob", &text, &["duration=5m"]);
    let got: Vec<&str> = log
        .iter()
        .filter_map(|line| line.split_once("-> bob  SIP ").map(|(_, message)| message))
        .collect();
    // The change is told; what was published before the subscription, at its beginning.
    let expected = [
        "100 Trying (INVITE)",
        "180 Ringing (INVITE)",
        "200 OK (INVITE)",
        "200 OK (SUBSCRIBE), expires 3600",
        "NOTIFY sip:bob@10.128.0.1, active, open",
        "200 OK (BYE)",
        "NOTIFY sip:bob@10.128.0.1, active, closed",
    ];
    let mut sorted = (got.clone(), expected.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1, "{got:?}");
    // What members ask of conventional users is no request of a caller.
    assert_eq!(run(&text, &["duration=5m"]).requests, []);
}

/// Four users write every five seconds; the proxy peer goes after ten minutes.
const WRITERS: &str = r#"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
users = 4
messages = { model = "periodic", interval = "5s" }
[[event]]
at = "10m"
action = "depart"
host = "proxy"
"#;

/// The requests of the writers that failed so, after so many seconds and a little.
fn failed_after(assignments: &[&str], status: u16, silence: f64) {
    let output = run(&[HEAD, ISP, WRITERS].concat(), assignments);
    let outcome = RequestOutcome::Status(status);
    let failed: Vec<&RequestRow> =
        output.requests.iter().filter(|row| row.outcome == outcome).collect();
    assert!(failed.len() >= 5, "{assignments:?}: {}", failed.len());
    let departure = output.departures[0].time;
    for row in failed {
        // To the server and back, and up to two look-ups of 80 ms on the way; where the network
        // says that nobody is there, that takes 40 ms.
        let delay = row.delay.expect("it has ended").as_secs_f64();
        assert!((silence + 0.04..silence + 0.25).contains(&delay), "{row:?}");
        assert!(row.time + SimDuration::from_secs(1) > departure);
        // Who is away is the address, or the callee himself: the member that departed.
        assert!(row.stale == Some(true) || row.cause == Some(Cause::Callee), "{row:?}");
    }
    let [episode] = &output.handovers[..] else { panic!("one handover") };
    let over = episode.opened + episode.anatomy.total();
    let late = |row: &RequestRow| row.time > over && row.stale == Some(true);
    assert!(!output.requests.iter().any(late), "{assignments:?}");
}

#[test]
fn what_is_sent_to_a_dead_proxy_peer_fails_after_fr_timer_until_the_binding_is_new() {
    let unreachable = "network.departed_hosts=unreachable";
    failed_after(&[], 408, 30.0);
    failed_after(&["caller.0.fr_timer=8s"], 408, 8.0);
    failed_after(&[unreachable], 408, 30.0);
    // A server that sees the error passes it on as 500 (RFC 3261 §16.7 step 6).
    failed_after(&[unreachable, "caller.0.profile=rfc3261"], 500, 0.0);
}

const SECOND: &str = r#"
[[caller]]
domain = "sip.example.net"
users = 2
profile = "rfc3261"
messages = { interval = "40s" }
[[host]]
name = "zoiper"
domain = "sip.example.net"
"#;
const MEMBER: &str = "[[host]]\nname = \"carol\"\nstart = \"3m\"\n";

#[test]
fn the_same_seed_gives_the_same_requests_and_another_others() {
    let text = [HEAD, ISP, BUSY, SECOND, RESTLESS].concat();
    let noisy = ["network.jitter=10%", "network.loss=1%", "handover.record_route=name"];
    let (one, again) = (run(&text, &noisy), run(&text, &noisy));
    assert_eq!(one, again);
    let other = run(&text, &[&noisy[..], &["seed=6"]].concat());
    assert_ne!(one.requests, other.requests);
    // A dash of the weather leaves the callers' wishes as they are: the first message of each user
    // is sent at the same time under another strategy.
    let fixed = run(&text, &[&noisy[..], &["handover.strategy=static"]].concat());
    let firsts = |output: &RunOutput| {
        let messages = output.requests.iter().filter(|row| row.method == RequestMethod::Message);
        messages.map(|row| row.time).collect::<Vec<_>>()
    };
    assert_eq!(firsts(&one), firsts(&fixed));
}

#[test]
fn the_order_of_hosts_and_callers_changes_nothing() {
    let noisy = ["network.jitter=10%", "network.loss=1%", "handover.record_route=name"];
    let parts = [BUSY, SECOND, MEMBER, STORY_HOSTS];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]];
    let outputs = orders.map(|order| {
        let parts: String = order.into_iter().map(|part| parts[part]).collect();
        run(&[HEAD, RESTLESS, &parts, ISP, EVENTS].concat(), &noisy)
    });
    let keys = |output: &RunOutput| (output.fingerprint, output.requests.clone());
    assert!(outputs[0].requests.len() > 200);
    assert_eq!(keys(&outputs[0]), keys(&outputs[1]));
    assert_eq!(keys(&outputs[0]), keys(&outputs[2]));
}

const STORY_HOSTS: &str = "[[host]]\nname = \"linphone\"\ndomain = \"deebee.dsl.ru.ac.za\"\n";
const EVENTS: &str = "[[event]]\nat = \"5m\"\naction = \"call\"\nhost = \"linphone\"\n\
                      to = \"carol@chord.dyndns.org\"\ntalk = \"1m\"\n";
