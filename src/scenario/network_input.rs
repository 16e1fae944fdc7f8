//! What stands in the way of messages: bad input, and what sound input gives.

use std::path::Path;

use super::Scenario;
use super::bad_input::check;
use super::plan::{
    Action, AddressChangePlan, AddressChangeSource, BurstsPlan, Enclosure, Far, GraphFormat,
    GraphPlan, HostNat, LatencyPlan, NatDependence, PartitionPlan, Placement, ResolverGroup,
};
use crate::time::SimDuration;

/// Two domains, each with resolvers of its own kind, and three members. 21 lines.
const BASE: &str = "\
name = \"x\"
[dns]
[[dns.resolver]]
name = \"isp\"
[[dns.resolver]]
name = \"local\"
count = \"each\"
[dyndns]
[handover]
[overlay]
nodes = 2
resolver = \"local\"
[[host]]
name = \"alice\"
[[caller]]
domain = \"near.za\"
resolver = \"isp\"
lookups.rate = \"1/m\"
[[caller]]
domain = \"far.za\"
resolver = \"local\"
messages.rate = \"1/m\"
[[host]]
name = \"linphone\"
domain = \"far.za\"
";

const EVENT: &str = "[[event]]\nat = \"1h\"\naction = \"partition\"\n";

fn sound(text: &str) -> Scenario {
    let text = format!("{BASE}{text}");
    Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[])
        .unwrap_or_else(|report| panic!("{report}"))
}

/// The third and fourth lines of an event, 29 and 30, and what is told.
fn tell(cases: &[(&str, &str)]) {
    let cases: Vec<_> =
        cases.iter().map(|(text, told)| (format!("{BASE}{EVENT}{text}"), *told)).collect();
    let cases: Vec<_> = cases.iter().map(|(text, told)| (text.as_str(), *told)).collect();
    check(&cases);
}

#[test]
fn those_beyond_a_cut_are_resolved_and_the_effective_scenario_says_the_same() {
    let first = sound(
        "[[event]]\nat = \"1h\"\naction = \"partition\"\nhosts = \"50%\"\nfor = \"10m\"\n\
         [[event]]\nevery = \"2h\"\naction = \"partition\"\nhosts = [\"proxy\", \"alice\", \
         \"node-00002\", \"Near.za\", \"isp\", \"far.za\", \"dns-authority\", \"update-service\"]\n\
         [[event]]\nat = \"3h\"\naction = \"heal\"",
    );
    let actions: Vec<Action> = first.plan.events.iter().map(|event| event.action.clone()).collect();
    let expected = [
        Action::Partition(PartitionPlan {
            far: vec![Far::Share(0.5)],
            lasting: Some(SimDuration::from_secs(600)),
        }),
        Action::Partition(PartitionPlan {
            far: vec![
                Far::Proxy,
                Far::Member("alice".to_owned()),
                Far::Member("node-00002".to_owned()),
                Far::Domain("near.za".to_owned()),
                Far::Resolvers(ResolverGroup(0)),
                Far::Domain("far.za".to_owned()),
                Far::Authority,
                Far::UpdateService,
            ],
            lasting: None,
        }),
        Action::Heal,
    ];
    assert_eq!(actions, expected);
    let effective = first.effective();
    let second = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]).unwrap();
    assert_eq!(first.plan, second.plan, "{effective}");
}

#[test]
fn who_cannot_be_cut_off() {
    tell(&[
        (
            "",
            "x.toml:26:1: event.0.hosts: missing key `hosts`: who is cut off: \"50%\", members, \
             domains, groups of resolvers",
        ),
        (
            "hosts = [\"alcie\"]",
            "x.toml:29:10: event.0.hosts.0: there is no host `alcie`; did you mean `alice`?",
        ),
        (
            "hosts = \"node-00003\"",
            "x.toml:29:9: event.0.hosts: there is no host `node-00003`; did you mean `node-00001`?",
        ),
        (
            "hosts = [\"linphone\"]",
            "x.toml:29:10: event.0.hosts.0: `linphone` is a phone of `far.za`, which it follows: \
             name the domain",
        ),
        (
            "hosts = [\"alice\", \"alice\"]",
            "x.toml:29:19: event.0.hosts.1: host `alice` is named twice; the first is number 0",
        ),
        (
            "hosts = [\"10%\", \"20%\"]",
            "x.toml:29:17: event.0.hosts.1: a second share: `10%` of the members are cut off already",
        ),
        ("hosts = \"0%\"", "x.toml:29:9: event.0.hosts: 0% is out of range: a share above 0%"),
        (
            "hosts = \"alice\"\nhost = \"alice\"\ngraceful = true",
            "x.toml:30:1: event.0.host: `host` has no meaning with action \"partition\"\n\
             x.toml:31:1: event.0.graceful: `graceful` has no meaning with action \"partition\"",
        ),
        (
            "hosts = \"near.za\"",
            "x.toml:29:9: event.0.hosts: `near.za` and its resolvers `isp` stand on the same side: \
             name both, or neither",
        ),
        (
            "hosts = \"local\"",
            "x.toml:29:9: event.0.hosts: `far.za` and its resolvers `local` stand on the same \
             side: name both, or neither",
        ),
    ]);
    // A resolver of its own goes with the domain.
    sound(&format!("{EVENT}hosts = \"far.za\""));
    check(&[(
        "name = \"x\"\n[[event]]\nat = \"1h\"\naction = \"heal\"\nhosts = \"50%\"",
        "x.toml:4:10: event.0.action: action \"heal\" needs an [[event]] with action \"partition\"\n\
         x.toml:5:1: event.0.hosts: `hosts` has no meaning with action \"heal\"",
    )]);
    let many = format!("name = \"x\"\n{}", format!("{EVENT}hosts = \"10%\"\n").repeat(33));
    check(&[(&many, "x.toml:132:10: event.32.action: there are more partitions than 32")]);
}

#[test]
fn a_member_that_churn_does_not_generate_cannot_be_cut_off() {
    check(&[(
        "name = \"x\"\n[overlay]\nnodes = 60\n[churn]\n[[event]]\nat = \"1h\"\n\
         action = \"partition\"\nhosts = [\"5%\", \"node-00150\"]",
        "x.toml:8:16: event.0.hosts.1: there is no host `node-00150`; did you mean `node-00120`?",
    )]);
}

#[test]
fn bursts_and_translators_have_defaults_and_a_host_needs_their_section() {
    let plan = sound("[network]\nbursts = {}\nnat = {}\n").plan;
    let seconds = SimDuration::from_secs;
    let bursts = BurstsPlan { loss: 0.5, length: seconds(1), gap: seconds(60) };
    assert_eq!(plan.network.bursts, Some(bursts));
    let nat = plan.network.nat.unwrap();
    assert_eq!((nat.share, nat.forwarding, nat.answers_echo), (0.0, 0.0, true));
    let default = NatDependence::EndpointIndependent;
    assert_eq!((nat.mapping, nat.filtering), (default, default));
    // RFC 4787 REQ-5 and RFC 5382 REQ-5.
    assert_eq!((nat.udp_timeout, nat.tcp_timeout), (seconds(300), seconds(7_440)));

    let text = "name = \"x\"\n[network.nat]\nshare = \"30%\"\nforwarding = \"10%\"\n\
                mapping = \"address-and-port-dependent\"\nfiltering = \"address-dependent\"\n\
                answers_echo = false\n[network.bursts]\nloss = \"90%\"\n[[host]]\nname = \"a\"\n\
                nat = \"closed\"\n[[host]]\nname = \"b\"\nnat = \"forwarding\"";
    let read = |text: &str| Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).unwrap();
    let first = read(text);
    let nats: Vec<HostNat> = first.plan.hosts.iter().map(|host| host.nat).collect();
    assert_eq!(nats, [HostNat::Closed, HostNat::Forwarding]);
    let effective = first.effective();
    assert_eq!(first.plan, read(&effective).plan, "{effective}");

    check(&[
        (
            "name = \"x\"\n[[host]]\nname = \"a\"\nnat = \"closed\"",
            "x.toml:4:7: host.0.nat: a host behind a translator needs a section [network.nat]",
        ),
        (
            "name = \"x\"\n[network.nat]\nfiltering = \"adress-dependent\"\n\
             udp_timeout = \"0s\"\n[network.bursts]\nlength = \"0s\"",
            "x.toml:3:13: network.nat.filtering: expected `endpoint-independent`, \
             `address-dependent` or `address-and-port-dependent`, found \"adress-dependent\"; did \
             you mean `address-dependent`?\n\
             x.toml:4:15: network.nat.udp_timeout: it must be longer than zero\n\
             x.toml:6:10: network.bursts.length: it must be longer than zero",
        ),
    ]);
}

#[test]
fn addresses_change_by_chance_or_as_recorded_and_nodes_notice_after_a_second() {
    let change = |text: &str| {
        let scenario = sound(&format!("[network.address_change]\n{text}"));
        let effective = scenario.effective();
        let read = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]).unwrap();
        assert_eq!(scenario.plan, read.plan, "{effective}");
        scenario.plan.network.address_change
    };
    let seconds = SimDuration::from_secs;
    let drawn = AddressChangeSource::Drawn { mean: seconds(86_400) };
    let trace = AddressChangeSource::Trace(Enclosure::named("a.csv".into()));
    for (text, source, noticed_after) in [
        ("", None, 1),
        ("mean = \"1d\"", Some(drawn), 1),
        ("trace = \"a.csv\"\nnoticed_after = \"5m\"", Some(trace), 300),
    ] {
        let noticed_after = seconds(noticed_after);
        assert_eq!(change(text), AddressChangePlan { source, noticed_after });
    }
    check(&[
        (
            "name = \"x\"\n[network.address_change]\nmean = \"1d\"\ntrace = \"a.csv\"",
            "x.toml:4:1: network.address_change.trace: `trace` and `mean` exclude each other",
        ),
        (
            "name = \"x\"\n[network.address_change]\nmean = \"0s\"",
            "x.toml:3:8: network.address_change.mean: 0s is too short: it must be 1ms or more",
        ),
        (
            "name = \"x\"\n[[event]]\nat = \"1h\"\naction = \"address_change\"",
            "x.toml:2:1: event.0: missing key `host`: \"proxy\", a host, or a share such as \"10%\"",
        ),
    ]);
}

#[test]
fn delays_come_from_places_and_from_graphs() {
    let latency = |text: &str| {
        let scenario = sound(&format!("[network.latency]\n{text}"));
        let effective = scenario.effective();
        let read = Scenario::parse("x.toml", effective.as_bytes(), Path::new(""), &[]).unwrap();
        assert_eq!(scenario.plan, read.plan, "{effective}");
        scenario.plan.network.latency
    };
    let millis = SimDuration::from_millis;
    let graph = |file: &str, format| {
        LatencyPlan::Graph(GraphPlan {
            file: Enclosure::named(file.into()),
            format,
            access: millis(5),
        })
    };
    let weight = |name: &str| GraphFormat::GraphMl { weight: name.to_owned() };
    let placement = Placement {
        dimensions: 2,
        side: millis(60),
        min_height: millis(2),
        max_height: millis(20),
    };
    for (text, plan) in [
        ("model = \"coordinates\"", LatencyPlan::Placed(placement)),
        (
            "model = \"coordinates\"\ndimensions = 3\nside = \"0s\"",
            LatencyPlan::Placed(Placement { dimensions: 3, side: millis(0), ..placement }),
        ),
        (
            "model = \"coordinates\"\nfile = \"c.csv\"",
            LatencyPlan::Listed(Enclosure::named("c.csv".into())),
        ),
        ("model = \"topology\"\nfile = \"t.graphml\"", graph("t.graphml", weight("latency"))),
        (
            "model = \"topology\"\nfile = \"t.graphml\"\nweight = \"delay\"",
            graph("t.graphml", weight("delay")),
        ),
        ("model = \"topology\"\nfile = \"t.edges\"", graph("t.edges", GraphFormat::Edges)),
    ] {
        assert_eq!(latency(text), plan);
    }
}

#[test]
fn keys_of_another_delay_are_refused() {
    let tell = |text: &str, told: &str| {
        let text = format!("name = \"x\"\n[network.latency]\n{text}");
        check(&[(&text, &told.replace('@', "network.latency"))]);
    };
    tell(
        "model = \"topology\"\nfile = \"t.gml\"",
        "x.toml:4:8: @.file: the extension of `t.gml` does not tell how the graph is written: \
         `.graphml`, or `.edges` for a list of edges",
    );
    tell(
        "model = \"topology\"\nfile = \"t.edges\"\nweight = \"delay\"\nrouters = 9",
        "x.toml:5:1: @.weight: `weight` has no meaning with a list of edges, which has no names \
         for it\n\
         x.toml:6:1: @.routers: `routers` has no meaning with `file`: the graph is not random",
    );
    tell(
        "model = \"topology\"\nweight = \"delay\"\nside = \"1ms\"",
        "x.toml:4:1: @.weight: `weight` has no meaning with a random graph; it belongs to `file`\n\
         x.toml:5:1: @.side: `side` has no meaning with model \"topology\"; it has one with \"coordinates\"",
    );
    tell(
        "model = \"coordinates\"\nfile = \"c.csv\"\nside = \"1ms\"\naccess = \"1ms\"",
        "x.toml:5:1: @.side: `side` has no meaning with `file`: places are not random\n\
         x.toml:6:1: @.access: `access` has no meaning with model \"coordinates\"; it has one with \"topology\"",
    );
    tell(
        "model = \"coordinates\"\ndimensions = 4\nmax_height = \"1ms\"",
        "x.toml:4:14: @.dimensions: 4 is out of range: an integer from 1 to 3",
    );
    tell(
        "model = \"coordinates\"\nmax_height = \"1ms\"",
        "x.toml:4:14: @.max_height: 1ms must not be below `min_height`, which is 2ms",
    );
}
