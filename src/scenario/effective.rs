//! From a plan back to a file that says all of it: the effective scenario.
//!
//! Every key stands there with its value, but for those that have no meaning beside the others (the
//! parameters of another model) and those that are off. Equal plans give equal texts.

mod bamboo;
mod kademlia;
mod naming;
mod relay;
mod telling;
mod users;

use super::file::{
    self, AbuseLimit, AddressChange, AllWord, ApplicationCache, Beside, Bursts, Chord, Churn,
    ChurnModel, Daemon, DynDns, Event, EventAction, FarHosts, File, Firewall, ForeverWord,
    Handover, Latency, LatencyModel, LifetimeModel, Nat, Network, NoneWord, Overlay,
    OverlayLookups, Plugin, Reading, RoundFingers, SCHEMA, Stop,
};
use super::plan::{
    self, Action, AddressChangePlan, AddressChangeSource, BesidePlan, Centre, ChordPlan, ChurnPlan,
    ChurnSource, DynDnsPlan, EventPlan, Family, Far, FingersPerRound, GraphFormat, HandoverPlan,
    LatencyPlan, Lifetime, NetworkPlan, OverlayPlan, Plan, PluginPlan, Policies, ResolverGroup,
    Strategy, Target, UpdateProtocol, When,
};
use crate::time::{SimDuration, SimTime};
use crate::units::{Duration, Probability, Rate, Ratio};

/// The effective scenario as TOML.
#[must_use]
pub fn to_toml(plan: &Plan) -> String {
    // All keys are strings, and no list mixes values and tables: there is nothing to refuse.
    let text = toml::to_string(&file(plan)).expect("a scenario is always expressible in TOML");
    format!("{}\n", text.trim_end())
}

/// The effective scenario.
#[must_use]
pub fn file(plan: &Plan) -> File {
    File {
        schema: SCHEMA,
        name: plan.name.clone(),
        description: plan.description.clone(),
        seed: plan.seed,
        duration: plan.duration.map(Duration),
        warmup: Duration(plan.warmup),
        replications: replications(&plan.replications),
        timeline_bin: plan.timeline_bin.map(Duration),
        network: network(&plan.network),
        dns: plan.dns.as_ref().map(naming::dns),
        dyndns: plan.dyndns.as_ref().map(dyndns),
        overlay: overlay(plan),
        churn: Some(Churn {
            graceful_notice: Duration(plan.graceful_notice),
            ..plan.churn.as_ref().map_or_else(no_churn, churn)
        }),
        handover: plan.handover.as_ref().map(handover),
        media: plan.media.as_ref().map(relay::media),
        relay: plan.relay.as_ref().map(relay::relay),
        caller: plan.callers.iter().map(|caller| users::caller(plan, caller)).collect(),
        host: plan.hosts.iter().map(|host| users::host(plan, host)).collect(),
        event: plan.events.iter().map(|it| event(plan, it)).collect(),
        story: plan.story.as_ref().map(telling::story),
        stop: Stop { after_departures: plan.stop_after_departures },
    }
}

fn replications(replications: &plan::Replications) -> file::Replications {
    match replications {
        plan::Replications::Number(number) => file::Replications::Number(*number),
        plan::Replications::Until(precision) => file::Replications::Until {
            until: Ratio(precision.until),
            metric: precision.metric.clone(),
            at_least: precision.at_least,
            at_most: precision.at_most,
        },
    }
}

fn since_start(at: SimTime) -> Duration {
    Duration(at.since(SimTime::ZERO))
}

fn group(plan: &Plan, group: ResolverGroup) -> String {
    let dns = plan.dns.as_ref().expect("a resolver group exists only with DNS");
    dns.resolvers[group.index()].name.clone()
}

fn network(network: &NetworkPlan) -> Network {
    Network {
        latency: match &network.latency {
            LatencyPlan::Constant { value } => {
                Latency { value: Some(Duration(*value)), ..Latency::of(LatencyModel::Constant) }
            }
            LatencyPlan::Uniform { min, max } => Latency {
                min: Some(Duration(*min)),
                max: Some(Duration(*max)),
                ..Latency::of(LatencyModel::Uniform)
            },
            LatencyPlan::LogNormal { median, sigma } => Latency {
                median: Some(Duration(*median)),
                sigma: Some(*sigma),
                ..Latency::of(LatencyModel::Lognormal)
            },
            LatencyPlan::Topology(topology) => Latency {
                routers: Some(topology.routers),
                links: Some(topology.links).filter(|links| *links > 0),
                min_link: Some(Duration(topology.min_link)),
                max_link: Some(Duration(topology.max_link)),
                access: Some(Duration(topology.access)),
                ..Latency::of(LatencyModel::Topology)
            },
            LatencyPlan::Graph(graph) => Latency {
                file: Some(graph.file.path.to_string_lossy().into_owned()),
                weight: match &graph.format {
                    GraphFormat::GraphMl { weight } => Some(weight.clone()),
                    GraphFormat::Edges => None,
                },
                access: Some(Duration(graph.access)),
                ..Latency::of(LatencyModel::Topology)
            },
            LatencyPlan::Placed(placement) => Latency {
                dimensions: Some(placement.dimensions.into()),
                side: Some(Duration(placement.side)),
                min_height: Some(Duration(placement.min_height)),
                max_height: Some(Duration(placement.max_height)),
                ..Latency::of(LatencyModel::Coordinates)
            },
            LatencyPlan::Listed(file) => Latency {
                file: Some(file.path.to_string_lossy().into_owned()),
                ..Latency::of(LatencyModel::Coordinates)
            },
        },
        jitter: Ratio(network.jitter),
        loss: Probability(network.loss),
        departed_hosts: network.departed_hosts,
        bursts: network.bursts.map(|it| Bursts {
            loss: Probability(it.loss),
            length: Duration(it.length),
            gap: Duration(it.gap),
        }),
        nat: network.nat.map(|nat| Nat {
            share: Probability(nat.share),
            forwarding: Probability(nat.forwarding),
            mapping: nat.mapping,
            filtering: nat.filtering,
            udp_timeout: Duration(nat.udp_timeout),
            tcp_timeout: Duration(nat.tcp_timeout),
            answers_echo: nat.answers_echo,
        }),
        firewall: network
            .firewall
            .map(|it| Firewall { drops: Probability(it.drops), rejects: Probability(it.rejects) }),
        address_change: Some(address_change(&network.address_change)),
    }
}

fn address_change(plan: &AddressChangePlan) -> AddressChange {
    let (mean, trace) = match &plan.source {
        None => (None, None),
        Some(AddressChangeSource::Drawn { mean }) => (Some(Duration(*mean)), None),
        Some(AddressChangeSource::Trace(file)) => {
            (None, Some(file.path.to_string_lossy().into_owned()))
        }
    };
    AddressChange { mean, trace, noticed_after: Duration(plan.noticed_after) }
}

fn dyndns(dyndns: &DynDnsPlan) -> DynDns {
    DynDns {
        auth: dyndns.auth,
        service_time: Duration(dyndns.service_time),
        abuse_limit: match dyndns.abuse_limit {
            None => AbuseLimit::Word(NoneWord::None),
            Some(limit) => AbuseLimit::Limit { updates: limit.updates, per: Duration(limit.per) },
        },
    }
}

fn overlay(plan: &Plan) -> Overlay {
    let OverlayPlan {
        plugin,
        beside: besides,
        nodes,
        resolver,
        start_spread,
        location_lifetime,
        lookups,
        judges_lookups,
    } = &plan.overlay;
    let traced = matches!(plan.churn, Some(ChurnPlan { source: ChurnSource::Trace(_), .. }));
    // All overlays share the parameters of a plug-in.
    let every = || std::iter::once(plugin).chain(besides.iter().map(|beside| &beside.plugin));
    Overlay {
        plugin: plugin_word(plugin),
        nodes: Some(*nodes).filter(|_| !traced),
        resolver: resolver.map(|resolver| group(plan, resolver)),
        start_spread: Duration(*start_spread),
        location_lifetime: Duration(*location_lifetime),
        chord: every().find_map(|plugin| match plugin {
            PluginPlan::Chord(plan) => Some(chord(plan)),
            PluginPlan::Bamboo(_) | PluginPlan::Kademlia(_) => None,
        }),
        bamboo: every().find_map(|plugin| match plugin {
            PluginPlan::Bamboo(plan) => Some(bamboo::bamboo(plan)),
            PluginPlan::Chord(_) | PluginPlan::Kademlia(_) => None,
        }),
        kademlia: every().find_map(|plugin| match plugin {
            PluginPlan::Kademlia(plan) => Some(kademlia::kademlia(plan)),
            PluginPlan::Chord(_) | PluginPlan::Bamboo(_) => None,
        }),
        beside: besides.iter().map(beside).collect(),
        lookups: lookups.as_ref().map(|lookups| OverlayLookups {
            rate: Rate { interval: lookups.interval },
            model: lookups.model,
            judged: *judges_lookups,
        }),
    }
}

fn plugin_word(plugin: &PluginPlan) -> Plugin {
    match plugin {
        PluginPlan::Chord(_) => Plugin::Chord,
        PluginPlan::Bamboo(_) => Plugin::Bamboo,
        PluginPlan::Kademlia(_) => Plugin::Kademlia,
    }
}

fn beside(beside: &BesidePlan) -> Beside {
    Beside {
        name: beside.name.clone(),
        domain: beside.domain.clone(),
        plugin: plugin_word(&beside.plugin),
        nodes: beside.nodes,
        bridges: beside.bridges,
        binding: beside.binding,
    }
}

fn chord(chord: &ChordPlan) -> Chord {
    Chord {
        successors: chord.successors,
        stabilize: Duration(chord.stabilize),
        fix_fingers: Duration(chord.fix_fingers),
        check_predecessor: Duration(chord.check_predecessor),
        id_bits: chord.id_bits,
        routing: chord.routing,
        rpc_timeout: Duration(chord.rpc_timeout),
        tries: chord.tries,
        replicas: chord.replicas,
        fingers_per_round: match chord.fingers_per_round {
            FingersPerRound::All => RoundFingers::Word(AllWord::All),
            FingersPerRound::Count(count) => RoundFingers::Number(count),
        },
        start: chord.start,
    }
}

fn no_churn() -> Churn {
    Churn { model: ChurnModel::None, ..Churn::default() }
}

fn churn(plan: &ChurnPlan) -> Churn {
    let common = Churn {
        graceful: Probability(plan.graceful),
        return_address: plan.return_address,
        ..Churn::default()
    };
    match &plan.source {
        ChurnSource::Trace(trace) => Churn {
            model: ChurnModel::Trace,
            trace: Some(trace.path.to_string_lossy().into_owned()),
            format: Some(trace.format),
            spread: Some(Duration(trace.spread)),
            ..common
        },
        ChurnSource::Model { session, downtime } => {
            let (model, shape, sigma) = family(session.family);
            let (away, downtime_shape, downtime_sigma) = family(downtime.family);
            let (session_mean, session_median) = location(session);
            let (downtime_mean, downtime_median) = location(downtime);
            Churn {
                model: match model {
                    LifetimeModel::Exponential => ChurnModel::Exponential,
                    LifetimeModel::Weibull => ChurnModel::Weibull,
                    LifetimeModel::Pareto => ChurnModel::Pareto,
                    LifetimeModel::Lognormal => ChurnModel::Lognormal,
                },
                session_mean,
                session_median,
                shape,
                sigma,
                downtime_model: Some(away),
                downtime_mean,
                downtime_median,
                downtime_shape,
                downtime_sigma,
                ..common
            }
        }
    }
}

fn family(family: Family) -> (LifetimeModel, Option<f64>, Option<f64>) {
    match family {
        Family::Exponential => (LifetimeModel::Exponential, None, None),
        Family::Weibull { shape } => (LifetimeModel::Weibull, Some(shape), None),
        Family::Pareto { shape } => (LifetimeModel::Pareto, Some(shape), None),
        Family::Lognormal { sigma } => (LifetimeModel::Lognormal, None, Some(sigma)),
    }
}

fn location(lifetime: &Lifetime) -> (Option<Duration>, Option<Duration>) {
    match lifetime.location {
        Centre::Mean(mean) => (Some(Duration(mean)), None),
        Centre::Median(median) => (None, Some(Duration(median))),
    }
}

fn handover(handover: &HandoverPlan) -> Handover {
    let policies = &handover.policies;
    let papers = handover.strategy.is_papers();
    let literal = papers && *policies == Policies::LITERAL;
    let updates = handover.strategy.updates();
    Handover {
        strategy: handover.strategy,
        // Every policy follows by name, so that the reading decides nothing any more.
        reading: if literal { Reading::Literal } else { Reading::Intended },
        standbys: (handover.strategy == Strategy::Standby).then_some(handover.standbys),
        update: updates.then_some(handover.update),
        update_if: (updates
            && handover.strategy != Strategy::Standby
            && handover.update == UpdateProtocol::Rfc2136)
            .then_some(handover.update_if),
        update_timeout: Duration(handover.update_timeout),
        probe_interval: Duration(handover.probe.interval),
        probe_jitter: Probability(handover.probe.jitter),
        probe_timeout: Duration(handover.probe.timeout),
        probe_kind: handover.probe.kind,
        probe_port: handover.probe.port.0,
        application_cache: match handover.application_cache {
            SimDuration::MAX => ApplicationCache::Word(ForeverWord::Forever),
            span => ApplicationCache::Span(Duration(span)),
        },
        record_route: handover.record_route,
        ddclient: handover.daemon.as_ref().map(Daemon::of),
        on_unresolved: papers.then_some(policies.on_unresolved),
        own_address: papers.then_some(policies.own_address),
        test1_failure: papers.then_some(policies.test1_failure),
        update_failure: papers.then_some(policies.update_failure),
        losers: papers.then_some(policies.losers),
        failures_to_suspect: updates.then_some(policies.failures_to_suspect),
        bootstrap: updates.then_some(policies.bootstrap),
        on_address_change: updates.then_some(policies.on_address_change),
        eligibility: papers.then_some(policies.eligibility),
        overlay_record: papers.then_some(policies.overlay_record),
        ex_proxy: updates.then_some(policies.ex_proxy),
    }
}

fn event(whole: &Plan, plan: &EventPlan) -> Event {
    let (at, every) = match plan.when {
        When::At(at) => (Some(since_start(at)), None),
        When::Every(period) => (None, Some(Duration(period))),
    };
    let blank = Event {
        at,
        every,
        spread: Duration(plan.spread),
        action: EventAction::DyndnsUp,
        host: None,
        hosts: None,
        lasting: None,
        graceful: None,
        to: None,
        text: None,
        talk: None,
        status: None,
    };
    match &plan.action {
        Action::Depart { target, back_after, graceful } => Event {
            action: EventAction::Depart,
            host: Some(host(target)),
            lasting: back_after.map(Duration),
            graceful: graceful.then_some(true),
            ..blank
        },
        Action::Return { target } => {
            Event { action: EventAction::Return, host: Some(host(target)), ..blank }
        }
        Action::AddressChange { target } => {
            Event { action: EventAction::AddressChange, host: Some(host(target)), ..blank }
        }
        Action::DynDnsDown { back_after } => {
            Event { action: EventAction::DyndnsDown, lasting: back_after.map(Duration), ..blank }
        }
        Action::DynDnsUp => blank,
        Action::DynDnsReset => Event { action: EventAction::DyndnsReset, ..blank },
        Action::Partition(partition) => Event {
            action: EventAction::Partition,
            hosts: Some(FarHosts::Several(far(whole, &partition.far))),
            lasting: partition.lasting.map(Duration),
            ..blank
        },
        Action::Heal => Event { action: EventAction::Heal, ..blank },
        Action::User(action) => users::event(action, blank),
    }
}

fn far(plan: &Plan, far: &[Far]) -> Vec<String> {
    let one = |far: &Far| match far {
        Far::Share(share) => Probability(*share).to_string(),
        Far::Proxy => "proxy".to_owned(),
        Far::Member(name) | Far::Domain(name) => name.clone(),
        Far::Resolvers(group) => self::group(plan, *group),
        Far::Authority => "dns-authority".to_owned(),
        Far::Secondary(number) => super::build::secondary_name(*number),
        Far::UpdateService => "update-service".to_owned(),
    };
    far.iter().map(one).collect()
}

fn host(target: &Target) -> String {
    match target {
        Target::Proxy => "proxy".to_owned(),
        Target::Host(name) => name.clone(),
        Target::Share(share) => Probability(*share).to_string(),
    }
}
