//! Every kind of bad input, and the message that it gets.

use std::path::Path;

use super::Scenario;

pub(super) fn messages(text: &str, overrides: &[&str]) -> String {
    let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    match Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &overrides) {
        Ok(scenario) => format!("accepted: {:?}", scenario.plan),
        Err(report) => report.to_string(),
    }
}

/// `(scenario, messages)`. Where a scenario begins with `+`, the sections of a working one stand
/// before it, 8 lines.
pub(super) fn check(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let text = match text.strip_prefix('+') {
            Some(rest) => format!(
                "name = \"x\"\n[handover]\n[dyndns]\n[dns]\n[[dns.resolver]]\nname = \"isp\"\n\
                 [[dns.resolver]]\nname = \"lab\"\n{rest}"
            ),
            None => (*text).to_owned(),
        };
        let found = messages(&text, &[]);
        if found != *expected {
            wrong.push_str(&format!("--- {text}\nexpected {expected}\nfound    {found}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn keys_and_words() {
    check(&[
        ("name = \"x\"\nsede = 1", "x.toml:2:1: sede: unknown key `sede`; did you mean `seed`?"),
        (
            "name = \"x\"\n[dns]\ntttl = \"5s\"",
            "x.toml:3:1: dns.tttl: unknown key `tttl`; did you mean `ttl`?",
        ),
        // A key that exists elsewhere is told with its table.
        ("name = \"x\"\nttl = \"5s\"", "x.toml:2:1: ttl: unknown key `ttl`; it belongs in [dns]"),
        (
            "name = \"x\"\n[churn]\nresolver = \"isp\"\nseed = 1",
            "x.toml:3:1: churn.resolver: unknown key `resolver`; it belongs in [dns], in [overlay], in \
             [[caller]] or in [[host]]\n\
             x.toml:4:1: churn.seed: unknown key `seed`; it belongs before all sections",
        ),
        (
            "name = \"x\"\n[dns]\ncount = 8",
            "x.toml:3:1: dns.count: unknown key `count`; it belongs in [[dns.resolver]]",
        ),
        (
            "name = \"x\"\n[stop]\nwhenever = 1",
            "x.toml:3:1: stop.whenever: unknown key `whenever`; there is `after_departures`",
        ),
        (
            "name = \"x\"\n  [netwrok]\nloss = \"1%\"",
            "x.toml:2:4: netwrok: unknown key `netwrok`; did you mean `network`?",
        ),
        (
            "name = \"x\"\nnetwork = { latency = { model = \"unifrom\" } }",
            "x.toml:2:33: network.latency.model: expected `constant`, `uniform`, `lognormal`, \
             `topology` or `coordinates`, found \"unifrom\"; did you mean `uniform`?",
        ),
        (
            "name = \"x\"\n[handover]\nlosers = \"leave\"",
            "x.toml:3:10: handover.losers: expected `step-down` or `stay`, found \"leave\"",
        ),
        (
            "seed = 1",
            "x.toml:1:1: missing key `name`: The scenario's name, a slug: letters, digits \
          and dashes. It names folders.",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\ncount = 1",
            "x.toml:3:1: dns.resolver.0: missing key `name`: The group's name, by which hosts and \
             callers choose it.",
        ),
    ]);
}

#[test]
fn what_is_to_come_is_refused_as_such() {
    check(&[
        (
            "name = \"x\"\n[handover]\ngraceful_leave = \"hand-over\"",
            "x.toml:3:1: handover.graceful_leave: `graceful_leave` is not supported by this version",
        ),
        (
            "name = \"x\"\n[network.latency]\nmodel = \"matrix\"",
            "x.toml:3:9: network.latency.model: `matrix` is not supported by this version",
        ),
    ]);
}

#[test]
fn types_and_ranges() {
    check(&[
        ("name = 5", "x.toml:1:8: name: expected a string, found 5"),
        ("name = \"x\"\nseed = \"1\"", "x.toml:2:8: seed: expected an integer, found \"1\""),
        ("name = \"x\"\nseed = 1.5", "x.toml:2:8: seed: expected an integer, found 1.5"),
        (
            "name = \"x\"\nseed = -1",
            "x.toml:2:8: seed: -1 is out of range: an integer from 0 to 9223372036854775807",
        ),
        (
            "name = \"x\"\nreplications = 5000000000",
            "x.toml:2:16: replications: 5000000000 is out of range: an integer from 1 to 4294967295",
        ),
        ("name = \"x\"\ndns = 1", "x.toml:2:7: dns: expected a table, found 1"),
        ("name = \"x\"\nhost = \"a\"", "x.toml:2:8: host: expected a list of tables, found \"a\""),
        (
            "name = \"x\"\n[network]\nlatency = { sigma = nan }",
            "x.toml:3:21: network.latency.sigma: NaN is out of range: a number from 0 to 10",
        ),
        (
            "name = \"x\"\n[[dns.resolver]]\nname = \"a\"\ncount = \"eech\"",
            "x.toml:4:9: dns.resolver.0.count: expected \"each\" or an integer, found \"eech\"; did \
             you mean \"each\"?",
        ),
        (
            "name = \"x\"\n[[dns.resolver]]\nname = \"a\"\ncount = 0\nprefetch = 1979-05-27",
            "x.toml:4:9: dns.resolver.0.count: 0 is out of range: an integer from 1 to 1000000\n\
             x.toml:5:12: dns.resolver.0.prefetch: expected true or false, found 1979-05-27",
        ),
        (
            "name = \"x\"\n[dyndns]\nabuse_limit = { updates = 0, per = \"1m\" }",
            "x.toml:3:27: dyndns.abuse_limit.updates: 0 is out of range: an integer from 1 \
             to 4294967295",
        ),
        (
            "name = \"x\"\nschema = 2",
            "x.toml:2:10: schema: 2 is out of range: an integer from 1 to 1",
        ),
    ]);
}

#[test]
fn quantities() {
    check(&[
        (
            "name = \"x\"\nduration = 60",
            "x.toml:2:12: duration: 60 has no unit: write \"60s\", \"60ms\" or \"60h\"",
        ),
        (
            "name = \"x\"\nduration = \"60\"",
            "x.toml:2:12: duration: 60 has no unit: write \"60s\", \"60ms\" or \"60h\"",
        ),
        ("name = \"x\"\nduration = \"-2h\"", "x.toml:2:12: duration: -2h is negative"),
        (
            "name = \"x\"\nduration = \"0s\"",
            "x.toml:2:12: duration: 0s is too short: it must be 1ms or more",
        ),
        (
            "name = \"x\"\nduration = \"101y\"",
            "x.toml:2:12: duration: `y` is not a unit of time; the units are ns, us, ms, s, m, h \
             and d",
        ),
        (
            "name = \"x\"\nduration = \"40000d\"",
            "x.toml:2:12: duration: 40000d is more than 100 years",
        ),
        (
            "name = \"x\"\n[network]\nloss = \"120%\"",
            "x.toml:3:8: network.loss: 120% is more than 100%",
        ),
        (
            "name = \"x\"\n[network]\nloss = 0.1",
            "x.toml:3:8: network.loss: 0.1 has no unit: write \"0.1%\" (or the share times 100)",
        ),
        (
            "name = \"x\"\n[overlay.lookups]\nrate = \"0/s\"",
            "x.toml:3:8: overlay.lookups.rate: 0/s is never: leave the key out instead",
        ),
        (
            "name = \"x\"\n[dns]\nttl = \"1500ms\"",
            "x.toml:3:7: dns.ttl: it counts whole seconds, at most 2147483647",
        ),
        (
            "name = \"x\"\n[handover]\napplication_cache = \"forevr\"",
            "x.toml:3:21: handover.application_cache: expected \"forever\" or a duration, such as \
             \"60s\", found \"forevr\"; did you mean \"forever\"?",
        ),
        (
            "name = \"x\"\n[handover]\napplication_cache = 30",
            "x.toml:3:21: handover.application_cache: 30 has no unit: write \"30s\", \"30ms\" or \
             \"30h\"",
        ),
        (
            "name = \"x\"\n[handover]\napplication_cache = \"30 sec\"",
            "x.toml:3:21: handover.application_cache: `sec` is not a unit of time; the units are \
             ns, us, ms, s, m, h and d",
        ),
    ]);
}

#[test]
fn names_and_references() {
    check(&[
        (
            "name = \"../x\"",
            "x.toml:1:8: name: `../x` is not a name: only letters, digits and dashes, 64 at most, a \
             letter or digit first",
        ),
        (
            "name = \"x\"\n[dns]\ndomain = \"a..b\"",
            "x.toml:3:10: dns.domain: `a..b` is not a domain name, such as `chord.dyndns.org`",
        ),
        (
            "name = \"x\"\n[[host]]\nname = \"alice\"\n[[host]]\nname = \"alice\"",
            "x.toml:5:8: host.1.name: host `alice` is named twice; the first is number 0",
        ),
        (
            "name = \"x\"\n[[host]]\nname = \"proxy\"\n[[host]]\nname = \"node-00001\"",
            "x.toml:3:8: host.0.name: `proxy` is reserved: it stands for whoever is in the binding\n\
             x.toml:5:8: host.1.name: `node-00001` is reserved: members without a name have it",
        ),
        (
            "+[[dns.resolver]]\nname = \"lab\"\n[overlay]\nresolver = \"lab\"",
            "x.toml:10:8: dns.resolver.2.name: resolver group `lab` is named twice; the first is \
             number 1",
        ),
        (
            "+[overlay]\nresolver = \"ips\"",
            "x.toml:10:12: overlay.resolver: there is no resolver group `ips`; did you mean `isp`?",
        ),
        (
            "+[overlay]\nresolver = \"university\"",
            "x.toml:10:12: overlay.resolver: there is no resolver group `university`; there is \
             `isp` or `lab`",
        ),
        (
            "+[overlay]\nnodes = 5",
            "x.toml:9:2: overlay: missing key `resolver`: there is no single group to take, but 2",
        ),
        (
            "+[overlay]\nresolver = \"isp\"\n[[event]]\nat = \"1h\"\naction = \"depart\"\nhost = \
             \"node-00201\"",
            "x.toml:14:8: event.0.host: there is no host `node-00201`; did you mean `node-00001`?",
        ),
        (
            "+[overlay]\nresolver = \"isp\"\n[[caller]]\ndomain = \"a.org\"\nresolver = \"lab\"\n\
             lookups.rate = \"1/s\"\n[[caller]]\ndomain = \"A.org\"\nresolver = \"lab\"\n\
             lookups.rate = \"1/s\"",
            "x.toml:16:10: caller.1.domain: caller domain `a.org` is named twice; the first is \
             number 0",
        ),
    ]);
}

#[test]
fn parameters_of_bamboo_against_each_other() {
    check(&[
        (
            "name = \"x\"\n[overlay]\nplugin = \"bamboo\"\nbamboo.leaves = 2\nbamboo.replicas = 6\n\
             bamboo.min_timeout = \"2s\"",
            "x.toml:5:19: overlay.bamboo.replicas: 6 is out of range: at most 5, a node and its \
             leaves\n\
             x.toml:6:22: overlay.bamboo.min_timeout: 2s must not be above `rpc_timeout`, which is \
             1500ms",
        ),
        (
            "name = \"x\"\n[overlay]\nplugin = \"bamboo\"\n[overlay.bamboo]\nleaves = 1\n\
             rpc_timeout = \"100ms\"",
            "x.toml:5:10: overlay.bamboo.leaves: 1 is out of range: at least 2, for 4 replicas\n\
             x.toml:6:15: overlay.bamboo.rpc_timeout: 100ms must not be below `min_timeout`, which \
             is 200ms",
        ),
        (
            "name = \"x\"\n[overlay]\nplugin = \"bamboo\"\n[overlay.bamboo]\n\
             max_timeout = \"1s\"",
            "x.toml:5:15: overlay.bamboo.max_timeout: 1s must not be below `rpc_timeout`, which is \
             1500ms",
        ),
        (
            "name = \"x\"\n[overlay]\nplugin = \"bamboo\"\n[overlay.bamboo]\nleafs = 4\n\
             digit_bits = 9",
            "x.toml:5:1: overlay.bamboo.leafs: unknown key `leafs`; did you mean `leaves`?\n\
             x.toml:6:14: overlay.bamboo.digit_bits: 9 is out of range: an integer from 1 to 8",
        ),
    ]);
}

#[test]
fn keys_against_each_other() {
    check(&[
        (
            "name = \"x\"\nduration = \"1h\"\nwarmup = \"60m\"",
            "x.toml:3:10: warmup: 1h must be shorter than `duration`, which is 1h",
        ),
        (
            "name = \"x\"\nduration = \"30m\"",
            "x.toml:1:1: warmup: 1h must be shorter than `duration`, which is 30m",
        ),
        (
            "name = \"x\"\ntimeline_bin = \"13h\"",
            "x.toml:2:16: timeline_bin: 13h must not be longer than `duration`, which is 12h",
        ),
        (
            "name = \"x\"\n[overlay]\nnodes = 0",
            "x.toml:3:9: overlay.nodes: an overlay needs \
          members: name hosts, or give a number above zero",
        ),
        (
            "name = \"x\"\n[network.latency]\nmodel = \"uniform\"\nmin = \"70ms\"\nsigma = 1",
            "x.toml:4:7: network.latency.min: 70ms must not be above `max`, which is 60ms\n\
             x.toml:5:1: network.latency.sigma: `sigma` has no meaning with model \"uniform\"; it has one with \"lognormal\"",
        ),
        (
            "name = \"x\"\n[network.latency]\nmodel = \"topology\"\nrouters = 4\nlinks = 4",
            "x.toml:5:9: network.latency.links: 4 must be below `routers`, which is 4",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"a\"\nmin_ttl = \"2d\"",
            "x.toml:5:11: dns.resolver.0.min_ttl: 2d must not be above `max_ttl`, which is 1d",
        ),
        (
            "name = \"x\"\n[handover]",
            "x.toml:2:2: handover: a handover needs a section [dns]\n\
          x.toml:2:2: handover: strategy \"dyndns\" needs a section [dyndns]",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"a\"\n[handover]\nstrategy = \"ddclient\"",
            "x.toml:5:2: handover: strategy \"ddclient\" needs a section [dyndns]",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"a\"\n[dyndns]\n[handover]\n\
             ddclient = { interval = \"60s\" }",
            "x.toml:7:1: handover.ddclient: `ddclient` has no meaning with strategy \"dyndns\"; it has one with \"ddclient\"",
        ),
        (
            "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"a\"\n[handover]\n\
             strategy = \"ddclient\"\nddclient = { interval = \"0s\", program = \"inadin\" }",
            "x.toml:7:25: handover.ddclient.interval: 0s is too short: it must be 1ms or more\n\
             x.toml:7:41: handover.ddclient.program: expected `ddclient` or `inadyn`, found \
             \"inadin\"; did you mean `inadyn`?",
        ),
        (
            "name = \"x\"\n[dns]\n[handover]\nstrategy = \"oracle\"",
            "x.toml:2:2: dns: missing key `resolver`: members need resolvers to ask",
        ),
        (
            "+[overlay]\nresolver = \"isp\"\n[[caller]]\ndomain = \"a.org\"\nresolver = \"isp\"\n\
             lookups = { rate = \"1/s\", interval = \"1s\" }\n[[caller]]\ndomain = \"b.org\"\n\
             lookups = {}",
            "x.toml:14:27: caller.0.lookups.interval: `interval` and `rate` exclude each other\n\
             x.toml:15:1: caller.1: missing key `resolver`: there is no single group to take, but \
             2\n\
             x.toml:17:11: caller.1.lookups: missing key: either `rate` or `interval`",
        ),
    ]);
}

#[test]
fn churn() {
    check(&[
        (
            "name = \"x\"\n[churn]\nsession_mean = \"1h\"\nsession_median = \"1h\"",
            "x.toml:4:1: churn.session_median: `session_median` and `session_mean` exclude each \
             other",
        ),
        (
            "name = \"x\"\n[churn]\nmodel = \"pareto\"\nshape = 1",
            "x.toml:4:9: churn.shape: 1 is out of range: pareto needs a shape above 1, or it has no \
             mean",
        ),
        (
            "name = \"x\"\n[churn]\nmodel = \"weibull\"",
            "x.toml:2:2: churn: missing key `shape`: the distribution has no shape without it",
        ),
        (
            "name = \"x\"\n[churn]\nmodel = \"weibull\"\nshape = 0.5\ndowntime_model = \"lognormal\"",
            "x.toml:2:2: churn: missing key `downtime_sigma`: the distribution has no shape without \
             it",
        ),
        (
            "name = \"x\"\n[churn]\nshape = 2\ntrace = \"a.avt\"",
            "x.toml:3:1: churn.shape: `shape` has no meaning with \"exponential\"; it has one with \"weibull\" or \"pareto\"\n\
             x.toml:4:1: churn.trace: `trace` has no meaning with model \"exponential\"; to \
             read a trace, set churn.model to \"trace\" as well",
        ),
        (
            "name = \"x\"\n[overlay]\nnodes = 9\n[churn]\nmodel = \"trace\"",
            "x.toml:3:1: overlay.nodes: the trace says who the members are: leave `nodes` out\n\
             x.toml:4:2: churn: missing key `trace`: the file of recorded sessions",
        ),
        (
            "name = \"x\"\n[churn]\nmodel = \"trace\"\ntrace = \"a.txt\"",
            "x.toml:4:9: churn.trace: the extension of `a.txt` does not tell its format: give \
             `format`, one of `avt`, `events`, `oversim`, `fta`, `p2psim` and `splay`",
        ),
    ]);
}

#[test]
fn the_script() {
    let host = "name = \"x\"\n[[host]]\nname = \"alice\"\n[[event]]\n";
    let cases = [
        (
            "at = \"12h\"\naction = \"depart\"\nhost = \"alice\"",
            "x.toml:5:6: event.0.at: an event at 12h is not before the end of the run at 12h",
        ),
        (
            "at = \"1h\"\naction = \"depart\"\nhost = \"alcie\"",
            "x.toml:7:8: event.0.host: there is no host `alcie`; did you mean `alice`?",
        ),
        (
            "at = \"1h\"\naction = \"depart\"\nhost = \"proxy\"",
            "x.toml:7:8: event.0.host: the host \"proxy\" needs a section [handover]",
        ),
        (
            "at = \"1h\"\naction = \"depart\"\nhost = \"0%\"",
            "x.toml:7:8: event.0.host: 0% is out of range: a share above 0%",
        ),
        (
            "at = \"1h\"\naction = \"return\"\ngraceful = true",
            "x.toml:4:1: event.0: missing key `host`: \"proxy\", a host, or a share such as \
             \"10%\"\n\
             x.toml:7:1: event.0.graceful: `graceful` has no meaning with action \"return\"",
        ),
        (
            "action = \"dyndns_up\"",
            "x.toml:4:1: event.0: missing key: either `at` or `every`\n\
             x.toml:4:1: event.0: an event of the update endpoint needs a section [dyndns]",
        ),
        (
            "at = \"1h\"\nevery = \"1h\"\naction = \"depart\"\nhost = \"alice\"",
            "x.toml:6:1: event.0.every: `every` and `at` exclude each other",
        ),
        (
            "every = \"1h\"\nspread = \"2h\"\naction = \"depart\"\nhost = \"alice\"",
            "x.toml:6:10: event.0.spread: 2h must not be longer than `every`, which is 1h",
        ),
    ];
    let cases: Vec<_> = cases.map(|(text, found)| (format!("{host}{text}"), found)).into();
    let cases: Vec<_> = cases.iter().map(|(text, found)| (text.as_str(), *found)).collect();
    check(&cases);
}

#[test]
fn what_is_no_toml_or_no_text() {
    check(&[
        ("name = \"x", "x.toml:1:10: invalid basic string, expected `\"`"),
        ("name = \"x\"\nname = \"y\"", "x.toml:2:1: duplicate key"),
        (
            "name = \"x\"\nseed =\n[dns]\nttl = # later\nnegative_ttl = 60s",
            "x.toml:2:7: `seed` has no value: write one after the `=`, or leave the key out\n\
             x.toml:4:7: `ttl` has no value: write one after the `=`, or leave the key out\n\
             x.toml:5:16: `60s` is no value; a string stands in quotes: \"60s\"",
        ),
        (
            "name = x\nnetwork = { loss = 2%, jitter = }",
            "x.toml:1:8: `x` is no value; a string stands in quotes: \"x\"\n\
             x.toml:2:20: `2%` is no value; a string stands in quotes: \"2%\"\n\
             x.toml:2:33: `jitter` has no value: write one after the `=`, or leave the key out",
        ),
        (
            "= 1\nname = \"x\"\nfoo",
            "x.toml:1:1: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`\n\
             x.toml:3:4: key with no value, expected `=`",
        ),
    ]);
    let report = Scenario::parse("x.toml", b"name = \"\xff\"", Path::new(""), &[]).unwrap_err();
    assert_eq!(report.to_string(), "x.toml:1:9: the file is not text: byte 8 is not UTF-8");
}

#[test]
fn overrides_are_checked_alike_and_name_the_argument() {
    let text = "name = \"x\"\nwarmup = \"1h\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"";
    for (argument, expected) in [
        ("dns.tll=5s", "--set dns.tll=5s: dns.tll: unknown key `tll`; did you mean `ttl`?"),
        ("dns.ttl=5", "--set dns.ttl=5: dns.ttl: 5 has no unit: write \"5s\""),
        ("dns.ttl", "--set dns.ttl: expected key=value, such as dns.ttl=30s"),
        ("=5", "--set =5: expected key=value, such as dns.ttl=30s"),
        ("name.x=5", "--set name.x=5: name: \"x\" has no keys below it"),
        (
            "dns.resolver.1.count=5",
            "--set dns.resolver.1.count=5: dns.resolver: `1` is no element of a list of 1; they are \
             counted from 0",
        ),
        ("duration=1h", "x.toml:2:10: warmup: 1h must be shorter than `duration`, which is 1h"),
        (
            "name=../x",
            "--set name=../x: name: `../x` is not a name: only letters, digits and \
          dashes, 64 at most, a letter or digit first",
        ),
        ("ttl=5s", "--set ttl=5s: ttl: unknown key `ttl`; did you mean `dns.ttl`?"),
        ("users=5", "--set users=5: users: unknown key `users`; did you mean `caller.0.users`?"),
        (
            "dns.count=5",
            "--set dns.count=5: dns.count: unknown key `count`; did you mean \
             `dns.resolver.0.count`?",
        ),
        (
            "seed=",
            "--set seed=: `seed` has no value: write one after the `=`, or leave the key out",
        ),
        (
            "churn.trace=a.avt",
            "--set churn.trace=a.avt: churn.trace: `trace` has no meaning with model \
             \"exponential\"; to read a trace, set churn.model to \"trace\" as well",
        ),
        (
            "sweep.dns.ttl=5s",
            "--set sweep.dns.ttl=5s: sweep.dns.ttl: expected a list of the values to go through, \
             found \"5s\"; write [\"5s\", …]",
        ),
    ] {
        assert_eq!(messages(text, &[argument]), expected);
    }
}

#[test]
fn a_rendered_problem_points_at_the_line() {
    let text = "name = \"x\"\n[dns]\nttl = 5 # no unit\n";
    let report = Scenario::parse("x.toml", text.as_bytes(), Path::new(""), &[]).unwrap_err();
    let expected = "\
x.toml:3:7: dns.ttl: 5 has no unit: write \"5s\"
 --> x.toml:3:7
  |
3 | ttl = 5 # no unit
  |       ^

";
    assert_eq!(report.render(false), expected);
}

#[test]
fn whatever_is_cut_or_spoilt_is_told_or_accepted_but_never_a_crash() {
    let template = super::template::TEMPLATE;
    let told = |bytes: &[u8]| {
        match Scenario::parse("x.toml", bytes, Path::new(""), &[]) {
            Ok(scenario) => drop(scenario.effective()),
            Err(report) => {
                assert!(!report.problems.is_empty());
                assert!(report.render(true).contains("x.toml"));
            }
        };
    };
    for at in (0..template.len()).step_by(29) {
        told(&template.as_bytes()[..at]);
        let mut spoilt = template.as_bytes().to_vec();
        // Each kind of byte in turn: quote, bracket, digit, sign, newline, a byte that is no text.
        spoilt[at] = b"\"[9-=\n\xff"[at / 29 % 7];
        told(&spoilt);
    }
}
