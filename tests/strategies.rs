//! One conformance suite over all handover strategies: whatever the strategy, the reading, the way
//! of leaving and the way of beginning, a run breaks no rule of the simulator, and somebody plays
//! the proxy role at its end. A strategy that is not the simulator's is added in `handover/`, and
//! held to the same.

mod judged;

use std::sync::Arc;

use judged::run;
use overcord::experiment::simulator::Simulator;
use overcord::overcord::handover::Strategy;
use overcord::time::{SimDuration, SimTime};
use overcord::world::Outcome;
use overcord::world::truth::Episode;

#[path = "handover/ddclient.rs"]
mod ddclient;
#[path = "handover/lease.rs"]
mod lease;
#[path = "handover/second_look.rs"]
mod second_look;

use second_look::SecondLook;

/// A strategy as the suite sees it.
#[derive(Clone, Debug)]
struct Candidate {
    /// What a scenario says to have it.
    keys: &'static [&'static str],
    /// What the nodes decide by in place of what the scenario says.
    added: Option<Arc<dyn Strategy>>,
    /// Whether somebody takes over from a proxy peer that does not come back.
    heals: bool,
    /// Whether the update service has a part in that.
    by_endpoint: bool,
}

/// A domain whose server embeds a peer, in place of one that only looks up.
const EMBEDDING: &str = "caller=[{domain=\"a.example\",users=2,messages={interval=\"1m\"}}]";

/// Every strategy, in every reading that makes a difference.
fn candidates() -> Vec<Candidate> {
    let of = |keys, heals| Candidate { keys, added: None, heals, by_endpoint: false };
    let by_endpoint = |keys| Candidate { by_endpoint: true, ..of(keys, true) };
    vec![
        by_endpoint(&["handover.strategy=dyndns"]),
        by_endpoint(&["handover.strategy=dyndns", "handover.reading=literal"]),
        by_endpoint(&["handover.strategy=ddclient"]),
        of(&["handover.strategy=lease"], true),
        by_endpoint(&["handover.strategy=lease", "handover.update=dyndns2"]),
        of(&["handover.strategy=standby"], true),
        of(&[EMBEDDED, EMBEDDING], false),
        of(&["handover.strategy=static"], false),
        of(&["handover.strategy=oracle"], true),
        of(&["handover.strategy=clairvoyant"], true),
        Candidate { added: Some(Arc::new(SecondLook::default())), ..by_endpoint(&[]) },
    ]
}

/// Runs a scenario under a strategy, judged: whoever breaks a rule of the simulator fails.
fn outcome(candidate: &Candidate, text: &str, more: &[&str]) -> Outcome {
    let keys = candidate.keys.iter().chain(more).copied();
    let assignments: Vec<&str> = keys.collect();
    let scenario = judged::read(text, &assignments);
    let seed = scenario.plan.seed;
    let simulator = Simulator::new(scenario.plan, None, true);
    let mut world = simulator.world(seed, None).unwrap_or_else(|it| panic!("{it}"));
    if let Some(added) = &candidate.added {
        let kit = &mut world.population.kit;
        let settings = kit.handover.as_mut().expect("the scenario has a handover");
        Arc::make_mut(settings).strategy = Arc::clone(added);
    }
    let outcome = world.run(&mut |_| {}, &mut |_| true).unwrap_or_else(|it| panic!("{it}"));
    assert!(outcome.violations.is_empty(), "{candidate:?} {more:?}: {:?}", outcome.violations);
    outcome
}

/// Servers that embed a peer: nobody plays the proxy role.
const EMBEDDED: &str = "handover.strategy=embedded";

/// Twenty nodes up on average, for two hours: the proxy peer leaves about six times.
const SMALL: &str = r#"
name = "small"
seed = 11
duration = "2h"
warmup = "10m"
[dns]
domain = "chord.dyndns.org"
[[dns.resolver]]
name = "isp"
count = 2
[dyndns]
[overlay]
nodes = 20
resolver = "isp"
[churn]
model = "exponential"
session_mean = "20m"
downtime_mean = "20m"
[handover]
strategy = "dyndns"
[[caller]]
domain = "deebee.dsl.ru.ac.za"
resolver = "isp"
lookups = { model = "poisson", rate = "0.1/s" }
"#;

#[test]
fn no_strategy_breaks_a_rule_and_the_role_is_played_at_the_end() {
    for candidate in candidates() {
        for graceful in ["churn.graceful=0%", "churn.graceful=100%"] {
            for (start, spread) in [("converged", "0s"), ("join", "5m")] {
                let start = format!("overlay.chord.start={start}");
                let spread = format!("overlay.start_spread={spread}");
                let case = [graceful, &*start, &*spread];
                let report = outcome(&candidate, SMALL, &case).report;
                let last = report.timeline.last().expect("a run has bins");
                // The fixed proxy peer may be away.
                let played = last.believers > 0 || !candidate.heals;
                assert!(last.members > 0 && played, "{candidate:?} {case:?}: {last:?}");
            }
        }
    }
}

/// Who comes and goes does not hang on the strategy, nor does a run on anything but its seed.
#[test]
fn all_strategies_see_the_same_churn_and_repeat_themselves() {
    let mut seen = Vec::new();
    for candidate in candidates() {
        let (one, again) = (outcome(&candidate, SMALL, &[]), outcome(&candidate, SMALL, &[]));
        assert_eq!(one.fingerprint, again.fingerprint, "{candidate:?}");
        seen.push((one.report.totals.leaves, one.member_nanos));
    }
    assert!(seen[0].0 > 50 && seen.iter().all(|it| *it == seen[0]), "{seen:?}");
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

const STEADY: [&str; 3] = ["churn.model=none", "overlay.nodes=20", "duration=1h"];

fn steady(script: &str) -> String {
    let churn = "model = \"exponential\"\nsession_mean = \"20m\"\ndowntime_mean = \"20m\"\n";
    SMALL.replace(churn, "model = \"none\"\n") + script
}

/// Strategies under which somebody plays the proxy role.
fn with_a_role() -> impl Iterator<Item = Candidate> {
    candidates().into_iter().filter(|it| !it.keys.contains(&EMBEDDED))
}

/// Where servers embed a peer there is no role: nobody believes to have it, and nothing departs,
/// whoever goes.
#[test]
fn without_a_proxy_role_nothing_departs() {
    let script = "[[event]]\nat = \"20m\"\naction = \"depart\"\nhost = \"50%\"\nfor = \"5m\"\n";
    let found = candidates();
    let embedded = found.iter().find(|it| it.keys.contains(&EMBEDDED)).expect("it is a candidate");
    let report = outcome(embedded, &steady(script), &STEADY).report;
    let totals = report.totals;
    assert_eq!((totals.departures, totals.updates, totals.stale_answers), (0, 0, 0));
    assert!(report.timeline.iter().all(|it| it.believers == 0));
    // Two users, a message a minute each, for 50 min: those to members that are there arrive.
    let requests = totals.requests;
    assert!(requests.succeeded > 70, "{requests:?}");
    assert!(requests.failed_interop * 20 < requests.started, "{requests:?}");
}

/// While nobody goes, nobody takes over.
#[test]
fn nobody_disturbs_a_proxy_peer_that_stays() {
    for candidate in with_a_role() {
        let report = outcome(&candidate, &steady(""), &STEADY).report;
        let totals = report.totals;
        assert_eq!((totals.departures, totals.claims), (0, 0), "{candidate:?}");
        assert!(report.timeline.iter().all(|it| it.believers == 1), "{candidate:?}");
        assert_eq!(totals.stale_answers, 0, "{candidate:?}");
    }
}

/// The proxy peer crashes for good at 20 min. Tests begin within a minute, take 5 s, and the update
/// less than another; what was cached before ends a TTL later. Ten minutes are ample.
#[test]
fn somebody_takes_over_from_a_proxy_peer_that_crashes() {
    let script = "[[event]]\nat = \"20m\"\naction = \"depart\"\nhost = \"proxy\"\n";
    for candidate in with_a_role() {
        let report = outcome(&candidate, &steady(script), &STEADY).report;
        let late =
            |it: &&overcord::world::truth::TimelinePoint| it.at.as_nanos() >= 1_800_000_000_000;
        let healed = report.timeline.iter().filter(late).all(|it| it.binding_valid);
        assert_eq!(healed, candidate.heals, "{candidate:?}");
        let foreseen = candidate.keys == ["handover.strategy=clairvoyant"];
        assert_eq!(report.departures.is_empty(), foreseen, "{candidate:?}");
        assert_eq!(report.totals.false_claims, 0, "{candidate:?}");
    }
}

/// It comes back after five minutes, and finds what is left of its role.
#[test]
fn who_comes_back_does_not_split_the_role() {
    let script = "[[event]]\nat = \"20m\"\naction = \"depart\"\nhost = \"proxy\"\nfor = \"5m\"\n";
    for candidate in with_a_role() {
        let report = outcome(&candidate, &steady(script), &STEADY).report;
        let last = report.timeline.last().expect("a run has bins");
        assert!(last.binding_valid, "{candidate:?}: {last:?}");
        // By the letter no loser steps down.
        let letter = candidate.keys.contains(&"handover.reading=literal");
        assert!(last.believers == 1 || letter, "{candidate:?}: {last:?}");
    }
}

/// All hosts go at once, and come back ten minutes later into an overlay of nobody.
#[test]
fn the_role_survives_the_loss_of_everybody() {
    let script = "[[event]]\nat = \"20m\"\naction = \"depart\"\nhost = \"100%\"\nfor = \"10m\"\n";
    for candidate in with_a_role() {
        let report = outcome(&candidate, &steady(script), &STEADY).report;
        let last = report.timeline.last().expect("a run has bins");
        assert!(last.believers > 0 && last.members == 20, "{candidate:?}: {last:?}");
    }
}

/// The endpoint is silent for the quarter of an hour in which the proxy peer crashes; strategies
/// that need it heal when it answers again, the others have nothing to wait for: five minutes after
/// the crash they are done.
#[test]
fn a_takeover_waits_for_an_endpoint_that_is_down() {
    let script = "[[event]]\nat = \"15m\"\naction = \"dyndns_down\"\nfor = \"15m\"\n\
                  [[event]]\nat = \"20m\"\naction = \"depart\"\nhost = \"proxy\"\n";
    for candidate in candidates() {
        let report = outcome(&candidate, &steady(script), &STEADY).report;
        let last = report.timeline.last().expect("a run has bins");
        assert_eq!(last.binding_valid, candidate.heals, "{candidate:?}: {last:?}");
        let down = SimTime::from_secs(1_500)..SimTime::from_secs(1_800);
        let meanwhile = report.timeline.iter().filter(|it| down.contains(&it.at));
        let healed = candidate.heals && !candidate.by_endpoint;
        assert!(meanwhile.clone().count() > 5, "{candidate:?}");
        assert!(meanwhile.clone().all(|it| it.binding_valid == healed), "{candidate:?}");
    }
}

/// What a strategy costs that is not the simulator's own.
#[test]
fn another_strategy_takes_fewer_than_a_hundred_lines() {
    let lines = include_str!("handover/second_look.rs").lines().count();
    assert!(lines < 100, "{lines}");
}

/// It looks again before it claims: fewer claim at a time than by the paper's design.
#[test]
fn a_second_look_past_the_caches_thins_the_storm_out() {
    let [paper, .., added] = &candidates()[..] else { panic!("there are several candidates") };
    let claims = |candidate| {
        let totals = outcome(candidate, SMALL, &["duration=6h"]).report.totals;
        assert!(totals.departures > 10, "{candidate:?}: {totals:?}");
        totals.claims as f64 / totals.departures as f64
    };
    let (paper, added) = (claims(paper), claims(added));
    assert!(added < 0.5 * paper, "{added} claimants a departure against {paper}");
}

/// Nobody is surprised by a leave that was announced, so nobody is cut off; and where no node may
/// claim by itself, nobody founds an overlay of its own.
#[test]
fn the_overlay_stays_one_when_every_leave_is_announced() {
    for strategy in ["static", "oracle"] {
        for start in ["converged", "join"] {
            let strategy = format!("handover.strategy={strategy}");
            let start = format!("overlay.chord.start={start}");
            let case = [&*strategy, &*start, "churn.graceful=100%", "overlay.start_spread=5m"];
            let output = run(SMALL, &case);
            assert_eq!(output.timeline.last().unwrap().overlays, 1, "{case:?}");
        }
    }
}

const HOSTS: [&str; 2] = [
    "[[host]]\nname = \"alice\"\nresolver = \"isp\"\n",
    "[[host]]\nname = \"bob\"\nresolver = \"isp\"\nstart = \"3m\"\n",
];

#[test]
fn the_order_of_hosts_changes_nothing() {
    let [alice, bob] = HOSTS;
    let one = run(&format!("{SMALL}{alice}{bob}"), &[]);
    let other = run(&format!("{SMALL}{bob}{alice}"), &[]);
    assert!(!one.handovers.is_empty());
    assert_eq!(one.fingerprint, other.fingerprint);
    assert_eq!(one.handovers, other.handovers);
    assert_ne!(one.fingerprint, run(SMALL, &[]).fingerprint, "the hosts take part");
}

/// The proxy peer crashes every 12 min for 5, at the same moments whatever the strategy, while nobody
/// else comes or goes.
const SCRIPT: &str =
    "[[event]]\nevery = \"12m\"\naction = \"depart\"\nhost = \"proxy\"\nfor = \"5m\"\n";

/// What design says of the bounds, over 14 equal departures and two callers with a resolver each:
/// `oracle` restores as soon as any design with an address record that acts after the departure, and
/// under `clairvoyant` callers' resolvers are stale for no longer than under any design.
#[test]
fn the_bounds_are_bounds_on_equal_departures() {
    let second = "[[caller]]\ndomain = \"sip.example.net\"\nresolver = \"isp\"\n\
                  lookups = { model = \"poisson\", rate = \"0.1/s\" }\n";
    let text = steady(&format!("{second}{SCRIPT}"));
    let text = text.replace("[overlay]\nnodes = 20\nresolver = \"isp\"", "[overlay]\nnodes = 20")
        + "[[dns.resolver]]\nname = \"access\"\n";
    let mut restored = Vec::new();
    let mut stale = Vec::new();
    for candidate in with_a_role() {
        let keys = ["churn.model=none", "overlay.resolver=access", "duration=3h"];
        let report = outcome(&candidate, &text, &keys).report;
        let share = report.caller_stale_share().expect("there are callers");
        stale.push((candidate.keys, share));
        let used = report.resolver_callers.iter().filter(|&&callers| callers > 0).count();
        assert_eq!(used, 2, "each caller has a resolver of its own");
        let opened = |it: &&Episode| it.anatomy.restore() > SimDuration::ZERO;
        let spans =
            report.episodes.iter().filter(opened).map(|it| it.anatomy.restore().as_secs_f64());
        let spans: Vec<f64> = spans.collect();
        if !spans.is_empty() {
            let mean = spans.iter().sum::<f64>() / spans.len() as f64;
            restored.push((candidate.keys, spans.len(), mean));
        }
    }
    let of = |keys: &[&str]| keys == ["handover.strategy=oracle"];
    let (_, _, oracle) = *restored.iter().find(|it| of(it.0)).expect("oracle restores");
    for (keys, departures, mean) in &restored {
        assert!(*departures >= 2 * 14, "{keys:?}: {departures}");
        assert!(oracle <= *mean, "oracle restores in {oracle} s, {keys:?} in {mean} s");
    }
    // Both readings of dyndns, ddclient, lease by both protocols, static and the added strategy beside
    // the oracle.
    assert_eq!(restored.len(), 8, "{restored:?}");
    let of = |keys: &[&str]| keys == ["handover.strategy=clairvoyant"];
    let (_, clairvoyant) = *stale.iter().find(|it| of(it.0)).expect("it is a candidate");
    assert!(stale.len() == 10 && stale.iter().any(|it| it.1 > 0.0), "{stale:?}");
    for (keys, share) in &stale {
        assert!(clairvoyant <= *share, "clairvoyant {clairvoyant}, {keys:?} {share}");
    }
}

/// The one who knows when the proxy peer will leave also knows the script, and changes of addresses.
#[test]
fn a_clairvoyant_handover_foresees_departures_and_changes_of_addresses() {
    let scripted = |action| format!("[[event]]\nevery = \"20m\"\n{action}host = \"proxy\"\n");
    let changes = [
        scripted("action = \"depart\"\nfor = \"10m\"\n"),
        scripted("action = \"address_change\"\n"),
        "[network]\naddress_change = { mean = \"2h\" }\n".to_owned(),
    ];
    for change in changes {
        let text = format!("{SMALL}{change}");
        let share = |strategy: &str| {
            let output = run(&text, &[&format!("handover.strategy={strategy}"), "duration=4h"]);
            output.headline.value("stale_share").unwrap()
        };
        let (dyndns, clairvoyant) = (share("dyndns"), share("clairvoyant"));
        assert!(dyndns > 0.0 && clairvoyant < 0.01 * dyndns, "{change}{clairvoyant}, {dyndns}");
    }
}
