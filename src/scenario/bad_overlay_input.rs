//! Overlays beside the main one: what is refused, and that the effective scenario says the same.

use std::path::Path;

use super::bad_input::check;
use super::{Scenario, effective};

const BESIDE: &str =
    "+[overlay]\nnodes = 10\nresolver = \"isp\"\n[[overlay.beside]]\nname = \"two\"\n";

#[test]
fn overlays_beside_the_main_one() {
    let with = |rest: &str| format!("{BESIDE}{rest}");
    let cases = [
        (
            with("domain = \"chord.dyndns.org\""),
            "x.toml:14:10: overlay.beside.0.domain: `chord.dyndns.org` is taken: the main overlay \
             has it",
        ),
        (
            with("domain = \"two\""),
            "x.toml:14:10: overlay.beside.0.domain: `two` has a single label: the name lies in a \
             zone, such as `chord.dyndns.org`",
        ),
        (
            with("domain = \"two.example.net\"\nbridges = 11"),
            "x.toml:15:11: overlay.beside.0.bridges: 11 must not be above `overlay.nodes`, which \
             is 10",
        ),
        (
            with(
                "domain = \"two.example.net\"\n[[overlay.beside]]\nname = \"two\"\n\
                 domain = \"TWO.example.net\"",
            ),
            "x.toml:16:8: overlay.beside.1.name: overlay `two` is named twice; the first is number \
             0\nx.toml:17:10: overlay.beside.1.domain: domain `two.example.net` is named twice; the \
             first is number 0",
        ),
        (
            with("domain = \"two.example.net\"\n[[host]]\nname = \"two-00007\""),
            "x.toml:16:8: host.0.name: `two-00007` is taken: a member of the overlay `two` has it",
        ),
        (
            with(
                "domain = \"two.example.net\"\nnodes = 4\n[[event]]\nat = \"1m\"\n\
                 action = \"message\"\nhost = \"two-00001\"\nto = \"two-00005@two.example.net\"",
            ),
            "x.toml:20:6: event.0.to: there is no user `two-00005` at `two.example.net`; did you \
             mean `two-00001`?",
        ),
    ];
    let cases: Vec<(&str, &str)> =
        cases.iter().map(|(text, said)| (text.as_str(), *said)).collect();
    check(&cases);
    check(&[(
        "name = \"x\"\n[[overlay.beside]]\nname = \"two\"\ndomain = \"two.example.net\"",
        "x.toml:2:1: overlay.beside.0: an overlay with users needs a section [dns]\n\
         x.toml:2:1: overlay.beside.0: an overlay with users needs a section [handover]",
    )]);
}

#[test]
fn the_effective_scenario_says_the_same() {
    let text = "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"\n[handover]\n\
                strategy = \"static\"\n[overlay]\nnodes = 10\n[[overlay.beside]]\nname = \"two\"\n\
                domain = \"Two.example.net\"\nbridges = 2\nbinding = true";
    let read = |text: &str| {
        Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[])
            .unwrap_or_else(|report| panic!("{report}"))
            .plan
    };
    let plan = read(text);
    let [beside] = &plan.overlay.beside[..] else { panic!("there is one") };
    assert_eq!((beside.nodes, beside.bridges, beside.binding), (20, 2, true));
    assert_eq!(beside.domain, "two.example.net");
    assert!(plan.has_sip());
    assert_eq!(read(&effective::to_toml(&plan)), plan);
}

#[test]
fn parameters_of_kademlia_against_each_other() {
    check(&[
        (
            "name = \"x\"\n[overlay]\nplugin = \"kademlia\"\nkademlia.siblings = 4\n\
             kademlia.replicas = 9",
            "x.toml:5:21: overlay.kademlia.replicas: 9 is out of range: at most 8, the nodes that a \
             look-up hears\n\
             x.toml:5:21: overlay.kademlia.replicas: 9 is out of range: at most 5, a node and its \
             siblings",
        ),
        (
            "name = \"x\"\n[overlay]\nplugin = \"kademlia\"\n[overlay.kademlia]\nsiblings = 2\n\
             bucket_size = 3",
            "x.toml:5:12: overlay.kademlia.siblings: 2 is out of range: at least 3, for 4 replicas\n\
             x.toml:6:15: overlay.kademlia.bucket_size: 3 is out of range: at least 4, for 4 replicas",
        ),
        (
            "name = \"x\"\n[overlay]\nplugin = \"kademlia\"\n[overlay.kademlia]\nreplicass = 2\n\
             refresh = \"0s\"\nparallelism = 0",
            "x.toml:5:1: overlay.kademlia.replicass: unknown key `replicass`; did you mean `replicas`?\n\
             x.toml:6:11: overlay.kademlia.refresh: 0s is too short: it must be 1ms or more\n\
             x.toml:7:15: overlay.kademlia.parallelism: 0 is out of range: an integer from 1 to 64",
        ),
    ]);
}
