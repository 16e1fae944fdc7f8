//! What closed forms say about a scenario, to be shown beside what was measured.
//!
//! * [`stale_window_curve`] and the means that go with it: where a new address is published at the
//!   instant of departure (`oracle`), a resolver is stale as long as its entry lives on. Asked at
//!   random at a rate λ, it holds an entry for a share λT/(1 + λT) of the time, T being the entry's
//!   life, and what is left of it is uniform on (0, T): a renewal process of T and 1/λ.
//! * Claimants of a departure (`dyndns`): of M members with caches of their own, which probe every
//!   P at independent phases, the first to fail starts P/(M + 1) after the departure on average.
//!   Those claim that start before its update can be seen, δ₀ later:
//!   1 + (M − 1)·δ₀/(P − P/(M + 1)).
//! * Hops of a look-up in a converged Chord ring without successor list: ½·log₂N − 0.13, counted to
//!   the key's predecessor. Half of the bits of a distance are ones (Stoica et al. 2003, §IV); the
//!   rest is what the bits below the spacing of N random positions leave. It is for large N, and
//!   high by 0.06 at N = 64 and by 0.02 at N = 1024.
//!
//! Where a scenario departs from what a form takes for granted, the value is given with the broken
//! assumption; where the form would say nothing at all about it, there is none.

use std::sync::Arc;

use crate::churn::trace::AvailabilityTrace;
use crate::experiment::summary::Theory;
use crate::scenario::Plan;
use crate::scenario::build::{ResolverLoad, resolver_loads};
use crate::scenario::plan::{
    Action, ArrivalModel, CallerPlan, Centre, ChurnSource, DepartedHosts, DnsPlan, DynDnsAuth,
    DynDnsPlan, Eligibility, HandoverPlan, LatencyPlan, Losers, OverlayRecord, OverlayStart,
    PluginPlan, ResolverCount, ResolverProfile, Routing, Strategy, Target, Test1Failure,
    UpdateProtocol, When,
};
use crate::time::SimDuration;

/// How often a span must fit into another for it to be taken as much shorter.
const MUCH_LONGER: f64 = 10.0;
/// From how many members on the form for hops is as good as what a few runs measure.
const LARGE_RING: u64 = 1_000;

/// A distribution function that theory gives, to be laid over a measured one.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the legend calls it.
    pub label: String,
    /// Seconds and the share that is not longer, by seconds; straight in between.
    pub points: Vec<(f64, f64)>,
}

/// All closed forms that say something about a scenario, at sweep point `point`.
#[must_use]
pub fn theory(plan: &Plan, trace: Option<&Arc<AvailabilityTrace>>, point: u32) -> Vec<Theory> {
    let mut all = stale_windows(plan, trace);
    all.extend(claimants(plan));
    all.extend(lookup_hops(plan));
    let theory = |form: Form| Theory {
        point,
        metric: form.metric.to_owned(),
        value: form.value,
        assumption_broken: (!form.broken.is_empty()).then(|| form.broken.join("; ")),
    };
    all.into_iter().map(theory).collect()
}

/// A closed form about one metric.
struct Form {
    metric: &'static str,
    value: f64,
    broken: Vec<&'static str>,
}

/// The assumptions that are broken.
fn named<const N: usize>(assumptions: [(bool, &'static str); N]) -> Vec<&'static str> {
    assumptions.into_iter().filter(|(broken, _)| *broken).map(|(_, name)| name).collect()
}

/// A resolver as a renewal process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Renewal {
    /// Questions a second.
    rate: f64,
    /// How long an entry lives, in seconds.
    life: f64,
}

impl Renewal {
    /// The share of the time in which there is an entry.
    fn present(self) -> f64 {
        let asked = self.rate * self.life;
        asked / (1.0 + asked)
    }

    fn mean_window(self) -> f64 {
        self.present() * self.life / 2.0
    }

    /// The probability that a window is not longer than this many seconds.
    fn share_within(self, window: f64) -> f64 {
        if window >= self.life {
            return 1.0;
        }
        1.0 - self.present() * (1.0 - window / self.life)
    }
}

/// All resolvers under `oracle`; nothing where that is not the strategy, or there are none.
fn renewals(
    plan: &Plan,
    trace: Option<&Arc<AvailabilityTrace>>,
) -> Option<(Vec<Renewal>, Vec<&'static str>)> {
    let handover = plan.handover.as_ref()?;
    let dns = plan.dns.as_ref()?;
    // What a SIP server asks its resolver for depends on its own cache.
    let only_lookups = plan.callers.iter().all(|caller| caller.lookups().is_some());
    if handover.strategy != Strategy::Oracle || !only_lookups {
        return None;
    }
    // A plan that gives no world has no theory either.
    let loads = resolver_loads(plan, trace).ok().filter(|loads| !loads.is_empty())?;
    let renewal = |load: &ResolverLoad| Renewal {
        rate: load.rate,
        life: dns.resolvers[load.group.index()].life(dns.ttl, load.extends).as_secs_f64(),
    };
    let all: Vec<Renewal> = loads.iter().map(renewal).collect();
    let longest = all.iter().map(|it| it.life).fold(0.0, f64::max);
    Some((all, broken_renewal(plan, dns, longest)))
}

fn broken_renewal(plan: &Plan, dns: &DnsPlan, life: f64) -> Vec<&'static str> {
    let mut lookups = plan.callers.iter().filter_map(CallerPlan::lookups);
    let periodic = lookups.any(|it| it.model == ArrivalModel::Periodic);
    let whole_seconds = dns.resolvers.iter().any(|it| it.profile != ResolverProfile::Rfc);
    let short = tenure(plan).is_some_and(|tenure| tenure.as_secs_f64() < MUCH_LONGER * life);
    let broken = [
        (periodic, "look-ups come at random"),
        (dns.resolvers.iter().any(|it| it.prefetch), "entries are not fetched ahead"),
        (dns.resolvers.iter().any(|it| it.serve_stale.is_some()), "nothing outlives its TTL"),
        (whole_seconds, "entries live exactly their TTL"),
        (plan.network.loss > 0.0, "no message is lost"),
        (short, "departures are much further apart than a TTL"),
    ];
    named(broken)
}

/// About how long a host plays the proxy peer, where the plan tells.
fn tenure(plan: &Plan) -> Option<SimDuration> {
    let session = plan.churn.as_ref().and_then(|churn| match &churn.source {
        ChurnSource::Model { session, .. } => match session.location {
            Centre::Mean(span) | Centre::Median(span) => Some(span),
        },
        ChurnSource::Trace(_) => None,
    });
    let scripted = proxy_departures(plan).filter_map(|when| match when {
        When::Every(period) => Some(period),
        When::At(_) => None,
    });
    scripted.chain(session).min()
}

/// When the script makes the proxy peer go.
fn proxy_departures(plan: &Plan) -> impl Iterator<Item = When> {
    let of_proxy = |action: &Action| matches!(action, Action::Depart { target: Target::Proxy, .. });
    plan.events.iter().filter(move |event| of_proxy(&event.action)).map(|event| event.when)
}

fn stale_windows(plan: &Plan, trace: Option<&Arc<AvailabilityTrace>>) -> Vec<Form> {
    let Some((all, broken)) = renewals(plan, trace) else { return Vec::new() };
    let windows: f64 = all.iter().map(|it| it.mean_window()).sum();
    let answers = all.iter().map(|it| it.rate * it.mean_window()).sum();
    vec![
        Form {
            metric: "stale_window.mean",
            value: windows / all.len() as f64,
            broken: broken.clone(),
        },
        Form { metric: "stale_answers_per_departure", value: answers, broken },
    ]
}

/// The distribution function of the stale windows, over all resolvers.
#[must_use]
pub fn stale_window_curve(plan: &Plan, trace: Option<&Arc<AvailabilityTrace>>) -> Option<Curve> {
    let (all, broken) = renewals(plan, trace)?;
    let mut bends: Vec<f64> = all.iter().map(|it| it.life).chain([0.0]).collect();
    bends.sort_by(f64::total_cmp);
    bends.dedup();
    let share = |window: f64| {
        let sum: f64 = all.iter().map(|it| it.share_within(window)).sum();
        (window, sum / all.len() as f64)
    };
    let label = match broken.first() {
        None => "theory: λT/(1 + λT) · U(0, T)".to_owned(),
        Some(first) => format!("theory, if {first}"),
    };
    Some(Curve { label, points: bends.into_iter().map(share).collect() })
}

/// Claimants of a departure where every member has a resolver of its own.
fn claimants(plan: &Plan) -> Option<Form> {
    let (handover, dns, dyndns) =
        (plan.handover.as_ref()?, plan.dns.as_ref()?, plan.dyndns.as_ref()?);
    let resolvers = &dns.resolvers[plan.overlay.resolver?.index()];
    let own = resolvers.count == ResolverCount::Each
        && plan
            .hosts
            .iter()
            .filter(|host| host.is_member())
            .all(|host| host.resolver() == plan.overlay.resolver);
    let honest = resolvers.extenders.is_none() && resolvers.serve_stale.is_none();
    let remembered = resolvers.life(dns.ttl, false).saturating_add(handover.application_cache);
    let holds = handover.strategy == Strategy::DynDns
        && handover.update == UpdateProtocol::Dyndns2
        && honest
        && handover.policies.test1_failure == Test1Failure::Claim
        && handover.policies.failures_to_suspect == 1
        && handover.policies.eligibility == Eligibility::Any
        && handover.policies.overlay_record == OverlayRecord::WriteOnly
        && plan.network.firewall.is_none()
        && plan.network.departed_hosts == DepartedHosts::Silent
        && own
        && handover.probe.interval > remembered;
    // One of them plays the proxy peer.
    let members = members(plan).checked_sub(1).filter(|&it| it > 0)? as f64;
    let period = handover.probe.interval.as_secs_f64();
    let gap = gap(plan, handover, dns, dyndns)?;
    let share = gap / (period - period / (members + 1.0));
    let value = 1.0 + (members - 1.0) * share.min(1.0);
    holds.then(|| Form { metric: "claimants.mean", value, broken: broken_claims(plan, handover) })
}

/// How many members there are when everybody is up who should be; 0 with a trace.
fn members(plan: &Plan) -> u64 {
    u64::from(plan.overlay.nodes) + plan.hosts.iter().filter(|host| host.is_member()).count() as u64
}

/// From the start of the first probe that fails to the moment from which on a probe that starts
/// finds the new address, in seconds.
///
/// The first probe resolves the name through an empty cache (4 messages) and waits for test 1; then
/// the update resolves its endpoint likewise, opens a connection and sends the request (4 + 3
/// messages), once more with credentials after a challenge (2 + 2: the answer, and another
/// connection and request). Another probe reaches the authority after 2 messages.
fn gap(plan: &Plan, handover: &HandoverPlan, dns: &DnsPlan, dyndns: &DynDnsPlan) -> Option<f64> {
    let (requests, messages) = match dyndns.auth {
        DynDnsAuth::Preemptive => (1.0, 13.0),
        DynDnsAuth::Challenge => (2.0, 17.0),
    };
    let waits = handover.probe.timeout.as_secs_f64() + dns.publish_delay.as_secs_f64();
    let served = requests * dyndns.service_time.as_secs_f64();
    let latency = mean_latency(&plan.network.latency)? * (1.0 + plan.network.jitter / 2.0);
    Some(waits + served + messages * latency)
}

/// The mean one-way delay, in seconds, where it does not hang on a drawn graph.
fn mean_latency(latency: &LatencyPlan) -> Option<f64> {
    match *latency {
        LatencyPlan::Constant { value } => Some(value.as_secs_f64()),
        LatencyPlan::Uniform { min, max } => Some((min.as_secs_f64() + max.as_secs_f64()) / 2.0),
        LatencyPlan::LogNormal { median, sigma } => {
            Some(median.as_secs_f64() * libm::exp(sigma * sigma / 2.0))
        }
        LatencyPlan::Topology(_)
        | LatencyPlan::Graph(_)
        | LatencyPlan::Placed(_)
        | LatencyPlan::Listed(_) => None,
    }
}

fn broken_claims(plan: &Plan, handover: &HandoverPlan) -> Vec<&'static str> {
    let repeated = proxy_departures(plan).any(|when| matches!(when, When::Every(_)))
        || proxy_departures(plan).count() > 1
        || plan.churn.is_some();
    let together =
        repeated && handover.policies.losers == Losers::StepDown && handover.probe.jitter == 0.0;
    let broken = [
        (plan.churn.is_some(), "ordinary members stay"),
        (together, "members probe at independent phases (those that step down together do not)"),
        (handover.probe.jitter > 0.0, "members probe at a fixed period"),
        (plan.network.loss > 0.0, "no message is lost"),
    ];
    named(broken)
}

/// Hops of a look-up where nobody comes or goes and fingers alone show the way.
fn lookup_hops(plan: &Plan) -> Option<Form> {
    let PluginPlan::Chord(chord) = &plan.overlay.plugin else { return None };
    let members = members(plan);
    let departures = plan.events.iter().any(|it| matches!(it.action, Action::Depart { .. }));
    let late = plan.hosts.iter().any(|host| host.start > crate::time::SimTime::ZERO);
    let holds = plan.overlay.lookups.is_some()
        && chord.successors == 1
        && chord.routing == Routing::Iterative
        && chord.start == OverlayStart::Converged
        && plan.churn.is_none()
        && !departures
        && !late
        && members >= 8;
    let value = 0.5 * libm::log2(members as f64) - 0.13;
    let broken = [
        (members < LARGE_RING, "the ring is large"),
        (plan.network.loss > 0.0, "no message is lost"),
    ];
    let broken = named(broken);
    holds.then_some(Form { metric: "lookup_hops.mean", value, broken })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::Scenario;

    fn plan(text: &str) -> Plan {
        let text = format!("name = \"t\"\nduration = \"2h\"\n{text}");
        Scenario::parse("t.toml", text.as_bytes(), Path::new(""), &[]).expect("it is sound").plan
    }

    /// Metric, value and broken assumption.
    fn told(plan: &Plan) -> Vec<(String, f64, Option<String>)> {
        let all = theory(plan, None, 3);
        assert!(all.iter().all(|it| it.point == 3));
        all.into_iter().map(|it| (it.metric, it.value, it.assumption_broken)).collect()
    }

    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.005, "{value}, expected {expected}");
    }

    /// `oracle`, resolvers with TTL 60 s, a proxy peer that goes every ten minutes, this caller.
    fn oracle(resolvers: &str, callers: &str) -> Plan {
        plan(&format!(
            "[dns]\nttl = \"60s\"\n{resolvers}[overlay]\nnodes = 4\n[handover]\nstrategy = \"oracle\"\n\
             [[event]]\nevery = \"10m\"\naction = \"depart\"\nhost = \"proxy\"\nfor = \"5m\"\n{callers}"
        ))
    }

    const ONE: &str = "[[dns.resolver]]\nname = \"isp\"\ncount = 1\n";

    fn caller(domain: &str, users: u32, lookups: &str) -> String {
        format!("[[caller]]\ndomain = \"{domain}\"\nusers = {users}\nlookups = {{ {lookups} }}\n")
    }

    #[test]
    fn a_stale_window_is_what_is_left_of_an_entry() {
        // T = 60 s. λ = 1/10: λT = 6, present 6/7, 6/7·30 = 25.714 s, 2.571 answers.
        // λ = 1/60: λT = 1, ½·30 = 15 s, 0.25 answers.
        for (lookups, mean, answers) in [
            (caller("a.example", 1, "interval = \"10s\""), 25.714, 2.571),
            (caller("a.example", 6, "interval = \"60s\""), 25.714, 2.571),
            (caller("a.example", 1, "interval = \"60s\""), 15.0, 0.25),
        ] {
            let told = told(&oracle(ONE, &lookups));
            assert_eq!(told[0].0, "stale_window.mean");
            assert_eq!(told[1].0, "stale_answers_per_departure");
            close(told[0].1, mean);
            close(told[1].1, answers);
            assert_eq!((told.len(), &told[0].2), (2, &None));
        }
    }

    #[test]
    fn resolvers_differ_by_who_was_dealt_to_them() {
        // Users of the group by name: a.example, node-00001 … 4. The first of three resolvers gets
        // the caller, the others have nobody who asks: 25.714/3, and the same answers.
        let three = ONE.replace("count = 1", "count = 3");
        let plan = oracle(&three, &caller("a.example", 1, "interval = \"10s\""));
        let told = told(&plan);
        close(told[0].1, 8.571);
        close(told[1].1, 2.571);
        // Shares within 0 and 60 s: (1/7 + 1 + 1)/3 and 1.
        let curve = stale_window_curve(&plan, None).expect("there is a form");
        assert_eq!(curve.points.len(), 2);
        close(curve.points[0].1, 0.714);
        assert_eq!((curve.points[0].0, curve.points[1]), (0.0, (60.0, 1.0)));
    }

    #[test]
    fn the_life_of_an_entry_is_bounded_by_the_resolver() {
        // A floor of 90 s: λT = 9, 0.9·45 = 40.5 s. A ceiling of 30 s: λT = 3, ¾·15 = 11.25 s.
        for (bound, mean) in [("min_ttl = \"90s\"", 40.5), ("max_ttl = \"30s\"", 11.25)] {
            let plan =
                oracle(&format!("{ONE}{bound}\n"), &caller("a.example", 1, "interval = \"10s\""));
            close(told(&plan)[0].1, mean);
        }
    }

    #[test]
    fn broken_assumptions_are_named() {
        let periodic = caller("a.example", 1, "interval = \"10s\", model = \"periodic\"");
        let bind = format!("{ONE}profile = \"bind\"\nmin_ttl = \"90s\"\n");
        let expected = "look-ups come at random; entries are not fetched ahead; entries live \
                        exactly their TTL; departures are much further apart than a TTL";
        let plan = oracle(&bind, &periodic);
        assert_eq!(told(&plan)[0].2.as_deref(), Some(expected));
        let label = stale_window_curve(&plan, None).map(|curve| curve.label);
        assert_eq!(label.as_deref(), Some("theory, if look-ups come at random"));
    }

    /// Own resolvers, 50 members and a proxy peer, TTL 60 s, tests of 5 s, updates of 0.5 s, a
    /// network without delay.
    fn storm(period: &str, extra: &str) -> Plan {
        plan(&format!(
            "[network]\nlatency = {{ model = \"constant\", value = \"0s\" }}\n\
             [dns]\nttl = \"60s\"\n[[dns.resolver]]\nname = \"own\"\ncount = \"each\"\n\
             [dyndns]\nauth = \"preemptive\"\nservice_time = \"500ms\"\n[overlay]\nnodes = 51\n\
             [handover]\nprobe_interval = \"{period}\"\napplication_cache = \"0s\"\n{extra}\
             [[event]]\nat = \"1h\"\naction = \"depart\"\nhost = \"proxy\"\n"
        ))
    }

    #[test]
    fn who_probes_before_the_update_is_seen_claims() {
        // M = 50, P = 120, δ₀ = 5.5: 1 + 49·5.5/(120 − 120/51) = 3.291. Two independent Monte
        // Carlos gave 3.3.
        let told_of = |period, extra| told(&storm(period, extra));
        let told = told_of("120s", "");
        assert_eq!((told.len(), told[0].0.as_str(), &told[0].2), (1, "claimants.mean", &None));
        close(told[0].1, 3.291);
        // At P = 40 < TTL caches are not empty; the literal reading storms on.
        assert_eq!(told_of("40s", "").len(), 0);
        assert_eq!(told_of("120s", "reading = \"literal\"\n").len(), 0);
        assert_eq!(told_of("120s", "failures_to_suspect = 2\n").len(), 0);
        let jitter = told_of("120s", "probe_jitter = \"10%\"\n");
        assert_eq!(jitter[0].2.as_deref(), Some("members probe at a fixed period"));
        let churn = told_of("120s", "[churn]\n");
        let expected = "ordinary members stay; members probe at independent phases (those that \
                        step down together do not)";
        assert_eq!(churn[0].2.as_deref(), Some(expected));
    }

    #[test]
    fn a_look_up_takes_half_the_bits() {
        let ring = |nodes: u32, extra: &str| {
            let lookups = "[overlay.lookups]\nrate = \"1/m\"\n";
            let chord = "[overlay.chord]\nsuccessors = 1\n";
            told(&plan(&format!("[overlay]\nnodes = {nodes}\n{lookups}{chord}{extra}")))
        };
        // ½·10 − 0.13 and ½·8 − 0.13.
        let large = ring(1_024, "");
        assert_eq!((large[0].0.as_str(), &large[0].2), ("lookup_hops.mean", &None));
        close(large[0].1, 4.87);
        let small = ring(256, "");
        close(small[0].1, 3.87);
        assert_eq!(small[0].2.as_deref(), Some("the ring is large"));
        assert_eq!(ring(1_024, "routing = \"recursive\"\n").len(), 0);
        assert_eq!(ring(1_024, "[churn]\n").len(), 0);
    }
}
