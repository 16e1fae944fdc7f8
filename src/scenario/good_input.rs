//! Sound scenarios: what their plans hold, and that the effective scenario says the same.

use std::path::{Path, PathBuf};

use super::plan::*;
use super::template::TEMPLATE;
use super::{Plan, Scenario, Scenarios};
use crate::sip::{HostPart, Uri};
use crate::time::{SimDuration, SimTime};

fn read(text: &str, overrides: &[&str]) -> Scenario {
    let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
    match Scenario::parse("x.toml", text.as_bytes(), Path::new("folder"), &overrides) {
        Ok(scenario) => scenario,
        Err(report) => panic!("{report}"),
    }
}

fn plan(text: &str) -> Plan {
    read(text, &[]).plan
}

#[test]
fn a_name_is_enough() {
    let plan = plan("name = \"x\"");
    assert_eq!(plan.duration, Some(SimDuration::from_secs(12 * 3_600)));
    assert_eq!((plan.seed, plan.overlay.nodes), (2009, 200));
    assert_eq!(plan.replications, Replications::Number(1));
    assert_eq!((plan.dns, plan.dyndns, plan.churn, plan.handover), (None, None, None, None));
    let median = SimDuration::from_millis(40);
    assert_eq!(plan.network.latency, LatencyPlan::LogNormal { median, sigma: 0.5 });
}

/// Two domains with SIP, of all kinds of users, and all that they do.
const PHONES: &str = "\
name = \"x\"
overlay = { location_lifetime = \"10m\" }
dyndns = {}
handover = { record_route = \"name\" }
event = [
    { at = \"1m\", action = \"register\", host = \"user-00007@bee.za\" },
    { at = \"2m\", action = \"publish\", host = \"linphone\" },
    { at = \"3m\", action = \"message\", host = \"linphone\", to = \"alice@Chord.dyndns.org\" },
    { at = \"4m\", action = \"subscribe\", host = \"alice\", to = \"sip:lin@dee.za\", for = \"2h\" },
    { at = \"5m\", action = \"unsubscribe\", host = \"alice\", to = \"lin@dee.za\" },
    { every = \"6m\", action = \"call\", host = \"alice\", to = \"user-12000@bee.za\" },
]
[dns]
resolver = [{ name = \"isp\" }]
[[caller]]
domain = \"Dee.za\"
users = 0
[[caller]]
domain = \"bee.za\"
users = 12000
profile = \"rfc3261\"
naptr = false
workers = 3
callee = \"any\"
messages = { rate = \"1/m\" }
calls = { interval = \"1h\", model = \"periodic\" }
subscriptions = { rate = \"1/h\", keep = \"30m\" }
[[host]]
name = \"alice\"
[[host]]
name = \"linphone\"
user = \"lin\"
domain = \"dee.za\"
start = \"5s\"
";

#[test]
fn the_effective_scenario_gives_the_same_plan() {
    let stories = [
        "name = \"x\"",
        TEMPLATE,
        "name = \"x\"\n[network]\njitter = \"150%\"\n[network.latency]\nmodel = \"topology\"\nrouters = 1",
        "name = \"x\"\n[network.latency]\nmodel = \"constant\"\nvalue = \"0.5ms\"\n[churn]\n\
         model = \"none\"\n[[host]]\nname = \"a\"\n[[event]]\n\
         every = \"90m\"\naction = \"depart\"\nhost = \"a\"\ngraceful = true\n[[event]]\nat = \"1h\"\n\
         action = \"return\"\nhost = \"33.3%\"",
        "name = \"x\"\n[network.latency]\nmodel = \"uniform\"\n[overlay]\nlookups.rate = \"3/s\"\nlookups.judged = true\n\
         chord.fingers_per_round = 5\nchord.tries = 2\n[churn]\nmodel = \"weibull\"\nsession_median = \"1h\"\n\
         shape = 0.5\ndowntime_model = \"pareto\"\ndowntime_shape = 1.5\n[stop]\nafter_departures = 3",
        "name = \"x\"\n[overlay]\nplugin = \"kademlia\"\n[overlay.kademlia]\nbucket_size = 20\n\
         siblings = 19\nparallelism = 5\nreplacements = 0\nrefresh = \"1h\"\nrepublish = \"30m\"\n\
         rpc_timeout = \"2s\"\ntries = 3\nid_bits = 64\nreplicas = 20\nstart = \"join\"",
        "name = \"x\"\n[overlay]\nplugin = \"bamboo\"\n[overlay.bamboo]\nleaves = 8\n\
         digit_bits = 3\nleaf_exchange = \"5s\"\nlocal_tuning = \"11s\"\nglobal_tuning = \"21s\"\n\
         proximity = false\nrpc_timeout = \"2s\"\nmin_timeout = \"1s\"\nmax_timeout = \"9s\"\n\
         tries = 2\nid_bits = 64\nreplicas = 17\nstart = \"join\"",
        "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"b\"\nprofile = \"bind\"\ncount = \"each\"\n\
         [dyndns]\nabuse_limit = { updates = 10, per = \"10m\" }\n[handover]\nreading = \"literal\"\n\
         losers = \"step-down\"\napplication_cache = \"forever\"\n[[event]]\nat = \"2h\"\n\
         action = \"dyndns_down\"\nfor = \"1h\"\n[churn]\nmodel = \"lognormal\"\nsigma = 1.2",
        PHONES,
    ];
    for text in stories {
        let first = read(text, &[]);
        let effective = first.effective();
        let second = read(&effective, &[]);
        assert_eq!(first.plan, second.plan, "{effective}");
        assert_eq!(effective, second.effective());
    }
}

#[test]
fn a_trace_gives_the_run_its_length_and_lies_beside_the_file() {
    let text = "name = \"x\"\n[churn]\nmodel = \"trace\"\ntrace = \"t/skype.avt\"\nspread = \"30m\"\n\
                [[event]]\nat = \"5h\"\naction = \"depart\"\nhost = \"node-00007\"";
    let scenario = read(text, &[]);
    let trace = |path: &str| {
        ChurnSource::Trace(TracePlan {
            path: PathBuf::from(path),
            format: TraceFormat::Avt,
            spread: SimDuration::from_secs(1_800),
        })
    };
    let source = |scenario: &Scenario| scenario.plan.churn.clone().unwrap().source;
    assert_eq!(source(&scenario), trace("folder/t/skype.avt"));
    assert_eq!((scenario.plan.duration, scenario.plan.overlay.nodes), (None, 0));
    // An argument is relative to the working directory.
    assert_eq!(source(&read(text, &["churn.trace=t/skype.avt"])), trace("t/skype.avt"));
    let hour = SimDuration::from_secs(3_600);
    let settled = scenario.clone().with_trace_span(hour * 6).unwrap();
    assert_eq!(settled.plan.duration, Some(hour * 6));
    let effective = settled.effective();
    assert!(!effective.contains("nodes"), "{effective}");
    let report = scenario.with_trace_span(hour * 4).unwrap_err();
    assert_eq!(
        report.to_string(),
        "x.toml:7:6: event.0.at: an event at 5h is not before the end of the run at 4h"
    );
}

#[test]
fn a_reading_sets_all_policies_and_a_key_overrides_one() {
    let base = "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"b\"\n[dyndns]\n[handover]\n";
    let policies = |keys: &str| plan(&format!("{base}{keys}")).handover.unwrap().policies;
    assert_eq!(policies(""), Policies::INTENDED);
    assert_eq!(policies("reading = \"literal\""), Policies::LITERAL);
    assert_eq!(
        policies("reading = \"literal\"\nbootstrap = \"cached\"\nfailures_to_suspect = 3"),
        Policies { bootstrap: Bootstrap::Cached, failures_to_suspect: 3, ..Policies::LITERAL }
    );
}

#[test]
fn a_profile_sets_habits_and_a_key_overrides_one() {
    let text = "name = \"x\"\n[dns]\n[[dns.resolver]]\nname = \"b\"\nprofile = \"bind\"\n\
                [[dns.resolver]]\nname = \"u\"\nprofile = \"bind\"\nprefetch = false\nmax_ttl = \"1h\"\n\
                [overlay]\nresolver = \"u\"";
    let plan = plan(text);
    let habits: Vec<_> = plan
        .dns
        .unwrap()
        .resolvers
        .iter()
        .map(|group| (group.min_ttl.as_secs(), group.max_ttl.as_secs(), group.prefetch))
        .collect();
    // BIND's max-cache-ttl is a week.
    assert_eq!(habits, [(0, 604_800, true), (0, 3_600, false)]);
    assert_eq!(plan.overlay.resolver, Some(ResolverGroup(1)));
}

#[test]
fn overrides_change_create_and_take_bare_words() {
    let scenario = read(
        "name = \"x\"\n[dns]\nttl = \"60s\"\n[[dns.resolver]]\nname = \"isp\"",
        &[
            "dns.ttl = 5s",
            "dns.resolver.0.count=each",
            "network.latency={ model = \"constant\", value = \"1ms\" }",
            "churn.model=exponential",
            "seed=7",
            "network.loss=\"3%\"",
            "dns.domain=example.org",
        ],
    );
    let plan = scenario.plan;
    let dns = plan.dns.unwrap();
    assert_eq!((dns.ttl.as_secs(), dns.domain.as_str()), (5, "example.org"));
    assert_eq!(dns.resolvers[0].count, ResolverCount::Each);
    let value = SimDuration::from_millis(1);
    assert_eq!(plan.network.latency, LatencyPlan::Constant { value });
    assert_eq!((plan.seed, plan.network.loss, plan.churn.is_some()), (7, 0.03, true));
}

#[test]
fn the_script_is_resolved() {
    let text = "name = \"x\"\n[[event]]\nevery = \"10m\"\n\
                spread = \"1m\"\naction = \"depart\"\nhost = \"10%\"\nfor = \"5m\"\ngraceful = true\n\
                [[event]]\nat = \"2h\"\naction = \"return\"\nhost = \"node-00001\"";
    let expected = [
        EventPlan {
            when: When::Every(SimDuration::from_secs(600)),
            spread: SimDuration::from_secs(60),
            action: Action::Depart {
                target: Target::Share(0.1),
                back_after: Some(SimDuration::from_secs(300)),
                graceful: true,
            },
        },
        EventPlan {
            when: When::At(SimTime::from_secs(7_200)),
            spread: SimDuration::ZERO,
            action: Action::Return { target: Target::Host("node-00001".to_owned()) },
        },
    ];
    assert_eq!(plan(text).events, expected);
}

#[test]
fn a_server_is_a_host_of_the_script() {
    let event = "event = [{ at = \"2h\", action = \"depart\", host = \"Dee.ZA\" },";
    let events = plan(&PHONES.replace("event = [", event)).events;
    let target = Target::Host("dee.za".to_owned());
    let action = Action::Depart { target, back_after: None, graceful: false };
    assert_eq!(events[0].action, action);
}

#[test]
fn domains_and_phones_are_resolved() {
    let plan = plan(PHONES);
    assert!(plan.has_sip());
    assert_eq!(plan.overlay.nodes, 0, "alice is a member");
    let dee = plan.callers[0].sip().unwrap();
    // SER's defaults: a cache of its own with a negative TTL of 60 s, 8 children, 30 s.
    let minute = SimDuration::from_secs(60);
    assert_eq!((dee.profile, dee.dns_cache), (SipProfile::Ser, Some(minute)));
    assert_eq!((dee.workers, dee.fr_timer), (Some(8), SimDuration::from_secs(30)));
    assert!(!dee.naptr && !dee.failover && !dee.blocklist);
    let bee = plan.callers[1].sip().unwrap();
    assert_eq!((bee.dns_cache, bee.workers, bee.callee), (None, Some(3), Callee::Any));
    assert_eq!((bee.naptr, bee.failover), (false, true), "a key overrides the profile");
    assert_eq!(bee.fr_timer, SimDuration::from_secs(32));
    let users: Vec<_> = plan.hosts.iter().map(|it| (it.user.as_deref(), it.place)).collect();
    let member = HostPlace::Member { resolver: Some(ResolverGroup(0)) };
    let phone = HostPlace::Phone { caller: 0 };
    assert_eq!(users, [(Some("alice"), member), (Some("lin"), phone)]);
}

#[test]
fn what_users_do_is_resolved() {
    let plan = plan(PHONES);
    let acts: Vec<_> = plan
        .events
        .into_iter()
        .map(|event| match event.action {
            Action::User(UserAction { host, act }) => (host, act),
            other => panic!("{other:?}"),
        })
        .collect();
    let of = |host: &str, act| (host.to_owned(), act);
    let peer = |uri: &str, host: &str| {
        let (user, domain) = uri.split_once('@').expect("an address");
        let uri = Uri::of_user(user, HostPart::name(domain));
        Peer { uri, host: host.to_owned() }
    };
    let lin = || peer("lin@dee.za", "linphone");
    let expected = [
        of("user-00007@bee.za", Act::Register),
        of("linphone", Act::Publish(PresenceStatus::Open)),
        of(
            "linphone",
            Act::Message { to: peer("alice@chord.dyndns.org", "alice"), text: "Hello".to_owned() },
        ),
        of("alice", Act::Subscribe { to: lin(), keep: Some(SimDuration::from_secs(7_200)) }),
        of("alice", Act::Unsubscribe { to: lin() }),
        of(
            "alice",
            Act::Call {
                to: peer("user-12000@bee.za", "user-12000@bee.za"),
                talk: SimDuration::from_secs(120),
            },
        ),
    ];
    assert_eq!(acts, expected);
}

#[test]
fn without_sip_nobody_has_a_user() {
    let bare = plan("name = \"x\"\n[[host]]\nname = \"alice\"");
    assert_eq!((bare.has_sip(), bare.hosts[0].user.as_deref()), (false, None));
    // A phone alone names no member: members are generated.
    let text = PHONES.replace("[[host]]\nname = \"alice\"\n", "");
    let (before, script) = text.split_once("event = [").expect("there is a script");
    let (_, after) = script.split_once("\n]").expect("it ends");
    assert_eq!(plan(&format!("{before}{after}")).overlay.nodes, 200);
}

/// All scenario files of the project.
fn shipped(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("it is readable").path()) {
        if path.is_dir() {
            found.extend(shipped(&path));
        } else if path.extension().is_some_and(|it| it == "toml") {
            found.push(path);
        }
    }
    found
}

/// The first point and the last: those between differ in the same keys. Files that a scenario names
/// stand relative to its own place, and not to that of what is printed.
#[test]
fn what_check_prints_of_each_shipped_scenario_says_the_same_again() {
    let files = shipped(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"));
    let mut said = 0;
    for path in &files {
        let bytes = std::fs::read(path).expect("it is readable");
        let scenarios = Scenarios::parse("x.toml", &bytes, Path::new("folder"), &[]);
        let points = scenarios.unwrap_or_else(|report| panic!("{report}")).points;
        for point in [points.first(), points.last()].into_iter().flatten() {
            let scenario = &point.scenario;
            if scenario.trace().is_some() || !scenario.enclosures().is_empty() {
                continue;
            }
            let effective = scenario.effective();
            let again = read(&effective, &[]);
            assert_eq!(again.plan, scenario.plan, "{}: {effective}", path.display());
            assert_eq!(again.effective(), effective, "{}", path.display());
            said += 1;
        }
    }
    assert!(files.len() > 20 && said > files.len(), "{said} of {}", files.len());
}
