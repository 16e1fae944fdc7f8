//! Checks of the tables about what happens.

use super::super::document::Path;
use super::super::file::{
    ApplicationCache, Caller, CallerLookups, Churn, ChurnModel, Event, EventAction, File, Handover,
    Host, LifetimeModel, Reading,
};
use super::super::plan::{
    Action, Arrivals, CallerPlan, Centre, ChurnPlan, ChurnSource, DnsPlan, EventPlan, Family,
    HandoverPlan, HostPlan, Lifetime, Policies, ProbeKind, Probing, ResolverGroup, Target,
    TraceFormat, TracePlan, When,
};
use super::super::problem::{Fault, nearest};
use super::Check;
use super::names::generated_number;
use crate::address::Port;
use crate::time::{SimDuration, SimTime};
use crate::units::{Duration, Probability};

/// What only drawn churn takes, and what only a trace takes.
const DRAWN_KEYS: [&str; 9] = [
    "session_mean",
    "session_median",
    "shape",
    "sigma",
    "downtime_model",
    "downtime_mean",
    "downtime_median",
    "downtime_shape",
    "downtime_sigma",
];
const TRACE_KEYS: [&str; 3] = ["trace", "format", "spread"];

/// The keys of one of the two times of churn, and what they hold.
struct LifetimeKeys {
    mean: (&'static str, Option<Duration>),
    median: (&'static str, Option<Duration>),
    shape: (&'static str, Option<f64>),
    sigma: (&'static str, Option<f64>),
}

impl Check<'_> {
    pub(super) fn churn(&mut self, churn: &Churn) -> Option<ChurnPlan> {
        let table = Path::of("churn");
        let source = match churn.model {
            ChurnModel::None => {
                self.meaningless(&table, &DRAWN_KEYS, "model \"none\"");
                self.meaningless(&table, &TRACE_KEYS, "model \"none\"");
                return None;
            }
            ChurnModel::Trace => {
                self.meaningless(&table, &DRAWN_KEYS, "model \"trace\"");
                ChurnSource::Trace(self.trace(churn, &table)?)
            }
            ChurnModel::Exponential => self.drawn(churn, LifetimeModel::Exponential, &table)?,
            ChurnModel::Weibull => self.drawn(churn, LifetimeModel::Weibull, &table)?,
            ChurnModel::Pareto => self.drawn(churn, LifetimeModel::Pareto, &table)?,
            ChurnModel::Lognormal => self.drawn(churn, LifetimeModel::Lognormal, &table)?,
        };
        Some(ChurnPlan { source, graceful: churn.graceful.0, return_address: churn.return_address })
    }

    fn trace(&mut self, churn: &Churn, table: &Path) -> Option<TracePlan> {
        let path = table.then("trace");
        let Some(written) = &churn.trace else {
            let (key, why) = ("trace".to_owned(), "the file of recorded sessions".to_owned());
            self.key_fault(table, Fault::Missing { key, why });
            return None;
        };
        let file = self.file_path(&path, written);
        let told = match file.extension().and_then(|extension| extension.to_str()) {
            Some("avt") => Some(TraceFormat::Avt),
            Some("events") => Some(TraceFormat::Events),
            _ => None,
        };
        let format = churn.format.or(told);
        if format.is_none() {
            self.fault(&path, Fault::TraceFormat { path: written.clone() });
        }
        let spread = churn.spread.unwrap_or_default().0;
        format.map(|format| TracePlan { path: file, format, spread })
    }

    fn drawn(&mut self, churn: &Churn, family: LifetimeModel, table: &Path) -> Option<ChurnSource> {
        self.meaningless(table, &TRACE_KEYS, "a model that draws");
        let session = LifetimeKeys {
            mean: ("session_mean", churn.session_mean),
            median: ("session_median", churn.session_median),
            shape: ("shape", churn.shape),
            sigma: ("sigma", churn.sigma),
        };
        let away = churn.downtime_model.unwrap_or(family);
        let same = away == family;
        let downtime = LifetimeKeys {
            mean: ("downtime_mean", churn.downtime_mean),
            median: ("downtime_median", churn.downtime_median),
            shape: ("downtime_shape", churn.downtime_shape.or(churn.shape.filter(|_| same))),
            sigma: ("downtime_sigma", churn.downtime_sigma.or(churn.sigma.filter(|_| same))),
        };
        let session = self.lifetime(family, &session, table);
        // What the family of the session lacks, the downtime of the same family need not repeat.
        if same && session.is_none() {
            return None;
        }
        let downtime = self.lifetime(away, &downtime, table);
        Some(ChurnSource::Model { session: session?, downtime: downtime? })
    }

    fn lifetime(
        &mut self,
        model: LifetimeModel,
        keys: &LifetimeKeys,
        table: &Path,
    ) -> Option<Lifetime> {
        let (shape, sigma) = (keys.shape.0, keys.sigma.0);
        let (name, unused): (_, &[&str]) = match model {
            LifetimeModel::Exponential => ("\"exponential\"", &[shape, sigma]),
            LifetimeModel::Weibull => ("\"weibull\"", &[sigma]),
            LifetimeModel::Pareto => ("\"pareto\"", &[sigma]),
            LifetimeModel::Lognormal => ("\"lognormal\"", &[shape]),
        };
        self.meaningless(table, unused, name);
        let family = match model {
            LifetimeModel::Exponential => Some(Family::Exponential),
            LifetimeModel::Weibull => {
                self.parameter(keys.shape, table).map(|shape| Family::Weibull { shape })
            }
            LifetimeModel::Pareto => {
                self.pareto_shape(keys.shape, table).map(|shape| Family::Pareto { shape })
            }
            LifetimeModel::Lognormal => {
                self.parameter(keys.sigma, table).map(|sigma| Family::Lognormal { sigma })
            }
        };
        let ((key, mean), (other, median)) = (keys.mean, keys.median);
        let location = match (mean, median) {
            (Some(_), Some(_)) => {
                self.key_fault(&table.then(other), Fault::Both { key: other, other: key });
                return None;
            }
            (None, Some(median)) => Centre::Median(median.0),
            (mean, None) => Centre::Mean(mean.unwrap_or(Churn::MEAN).0),
        };
        Some(Lifetime { family: family?, location })
    }

    fn parameter(&mut self, (key, given): (&str, Option<f64>), table: &Path) -> Option<f64> {
        if given.is_none() {
            let why = "the distribution has no shape without it".to_owned();
            self.key_fault(table, Fault::Missing { key: key.to_owned(), why });
        }
        given
    }

    /// A Lomax distribution has a mean, and churn that follows it a stationary start, only above 1.
    fn pareto_shape(&mut self, (key, given): (&str, Option<f64>), table: &Path) -> Option<f64> {
        let shape = self.parameter((key, given), table)?;
        if shape > 1.0 {
            return Some(shape);
        }
        // A downtime may have taken the shape of the session, where it is reported already.
        let expected = "pareto needs a shape above 1, or it has no mean".to_owned();
        self.fault(&table.then(key), Fault::Range { found: shape.to_string(), expected });
        None
    }

    pub(super) fn handover(&mut self, handover: &Handover) -> HandoverPlan {
        let base = match handover.reading {
            Reading::Intended => Policies::INTENDED,
            Reading::Literal => Policies::LITERAL,
        };
        let taken = match (handover.probe_port, handover.probe_kind) {
            (80, _) => Some("the update service has it"),
            (7, ProbeKind::Tcp7) => Some("test 1 of probe_kind \"tcp7\" has it"),
            _ => None,
        };
        if let Some(why) = taken {
            let port = handover.probe_port;
            self.fault(&Path::of("handover.probe_port"), Fault::PortTaken { port, why });
        }
        HandoverPlan {
            strategy: handover.strategy,
            policies: Policies {
                on_unresolved: handover.on_unresolved.unwrap_or(base.on_unresolved),
                own_address: handover.own_address.unwrap_or(base.own_address),
                test1_failure: handover.test1_failure.unwrap_or(base.test1_failure),
                update_failure: handover.update_failure.unwrap_or(base.update_failure),
                losers: handover.losers.unwrap_or(base.losers),
                failures_to_suspect: handover
                    .failures_to_suspect
                    .unwrap_or(base.failures_to_suspect),
                bootstrap: handover.bootstrap.unwrap_or(base.bootstrap),
            },
            probe: Probing {
                interval: handover.probe_interval.0,
                jitter: handover.probe_jitter.0,
                timeout: handover.probe_timeout.0,
                kind: handover.probe_kind,
                port: Port(handover.probe_port),
            },
            application_cache: match handover.application_cache {
                ApplicationCache::Word(_) => SimDuration::MAX,
                ApplicationCache::Span(span) => span.0,
            },
            update_timeout: handover.update_timeout.0,
        }
    }

    pub(super) fn callers(&mut self, callers: &[Caller], dns: Option<&DnsPlan>) -> Vec<CallerPlan> {
        let list = Path::of("caller");
        let domains: Vec<_> = callers.iter().map(|c| c.domain.to_ascii_lowercase()).collect();
        let names: Vec<_> = domains.iter().map(String::as_str).collect();
        self.distinct(&list, "domain", "caller domain", &names);
        let mut plans = Vec::new();
        for (index, caller) in callers.iter().enumerate() {
            let path = list.then(index);
            let resolver = self.group(caller.resolver.as_ref(), &path.then("resolver"), dns);
            if let (None, None, Some(dns)) = (&resolver, &caller.resolver, dns) {
                self.fault(&path, Fault::Ambiguous { count: dns.resolvers.len() });
            }
            let lookups = self.arrivals(&caller.lookups, &path.then("lookups"));
            if let (Some(resolver), Some(lookups)) = (resolver, lookups) {
                let domain = domains[index].clone();
                plans.push(CallerPlan { domain, resolver, users: caller.users, lookups });
            }
        }
        plans
    }

    fn arrivals(&mut self, lookups: &CallerLookups, path: &Path) -> Option<Arrivals> {
        let interval = match (lookups.rate, lookups.interval) {
            (Some(rate), None) => rate.interval,
            (None, Some(interval)) => interval.0,
            (Some(_), Some(_)) => {
                let fault = Fault::Both { key: "interval", other: "rate" };
                self.key_fault(&path.then("interval"), fault);
                return None;
            }
            (None, None) => {
                self.fault(path, Fault::Neither { key: "rate", other: "interval" });
                return None;
            }
        };
        Some(Arrivals { model: lookups.model, interval })
    }

    pub(super) fn hosts(
        &mut self,
        hosts: &[Host],
        dns: Option<&DnsPlan>,
        members: Option<ResolverGroup>,
    ) -> Vec<HostPlan> {
        let list = Path::of("host");
        let names: Vec<_> = hosts.iter().map(|host| host.name.as_str()).collect();
        self.distinct(&list, "name", "host", &names);
        let mut plans = Vec::new();
        for (index, host) in hosts.iter().enumerate() {
            let path = list.then(index);
            let resolver = match &host.resolver {
                None => members,
                given => self.group(given.as_ref(), &path.then("resolver"), dns),
            };
            let start = SimTime::ZERO + host.start.0;
            plans.push(HostPlan { name: host.name.clone(), start, resolver });
        }
        plans
    }

    pub(super) fn events(&mut self, file: &File, nodes: u32) -> Vec<EventPlan> {
        let list = Path::of("event");
        let plan = |(index, event)| self.event(event, &list.then(index), file, nodes);
        file.event.iter().enumerate().filter_map(plan).collect()
    }

    fn event(&mut self, event: &Event, path: &Path, file: &File, nodes: u32) -> Option<EventPlan> {
        let when = match (event.at, event.every) {
            (Some(at), None) => Some(When::At(SimTime::ZERO + at.0)),
            (None, Some(every)) => Some(When::Every(every.0)),
            (Some(_), Some(_)) => {
                let fault = Fault::Both { key: "every", other: "at" };
                self.key_fault(&path.then("every"), fault);
                None
            }
            (None, None) => {
                self.fault(path, Fault::Neither { key: "at", other: "every" });
                None
            }
        };
        if let Some(When::Every(every)) = when.filter(|_| event.spread.0 > SimDuration::ZERO)
            && event.spread.0 > every
        {
            let (found, limit) = (event.spread.to_string(), Duration(every).to_string());
            let relation = "not be longer than";
            let fault = Fault::Relation { found, relation, other: "every", limit };
            self.fault(&path.then("spread"), fault);
        }
        let action = self.action(event, path, file, nodes);
        Some(EventPlan { when: when?, spread: event.spread.0, action: action? })
    }

    fn action(&mut self, event: &Event, path: &Path, file: &File, nodes: u32) -> Option<Action> {
        let lasting = event.lasting.map(|lasting| lasting.0);
        let (name, unused): (_, &[&str]) = match event.action {
            EventAction::Depart => ("", &[]),
            EventAction::Return => ("action \"return\"", &["for", "graceful"]),
            EventAction::DyndnsDown => ("action \"dyndns_down\"", &["host", "graceful"]),
            EventAction::DyndnsUp => ("action \"dyndns_up\"", &["host", "for", "graceful"]),
        };
        self.meaningless(path, unused, name);
        let endpoint = matches!(event.action, EventAction::DyndnsDown | EventAction::DyndnsUp);
        if endpoint && file.dyndns.is_none() {
            let what = "an event of the update endpoint".to_owned();
            self.fault(path, Fault::MissingSection { what, section: "dyndns" });
        }
        Some(match event.action {
            EventAction::Depart => {
                let target = self.target(event, path, file, nodes)?;
                let graceful = event.graceful.unwrap_or(false);
                Action::Depart { target, back_after: lasting, graceful }
            }
            EventAction::Return => {
                Action::Return { target: self.target(event, path, file, nodes)? }
            }
            EventAction::DyndnsDown => Action::DynDnsDown { back_after: lasting },
            EventAction::DyndnsUp => Action::DynDnsUp,
        })
    }

    fn target(&mut self, event: &Event, path: &Path, file: &File, nodes: u32) -> Option<Target> {
        let Some(written) = &event.host else {
            let why = "\"proxy\", a host, or a share such as \"10%\"".to_owned();
            self.fault(path, Fault::Missing { key: "host".to_owned(), why });
            return None;
        };
        let path = path.then("host");
        if written == "proxy" {
            if file.handover.is_none() {
                let what = "the host \"proxy\"".to_owned();
                self.fault(&path, Fault::MissingSection { what, section: "handover" });
            }
            return Some(Target::Proxy);
        }
        if written.contains('%') {
            return match written.parse::<Probability>() {
                Ok(Probability(share)) if share > 0.0 => Some(Target::Share(share)),
                Ok(_) => {
                    let expected = "a share above 0%".to_owned();
                    self.fault(&path, Fault::Range { found: written.clone(), expected });
                    None
                }
                Err(error) => {
                    self.fault(&path, Fault::Unit(error));
                    None
                }
            };
        }
        let named = file.host.iter().any(|host| host.name == *written);
        // Churn generates more hosts than are up at a time; their names are judged once their
        // number is known.
        let churns = file.churn.as_ref().is_some_and(|churn| churn.model != ChurnModel::None);
        let generated = generated_number(written)
            .is_some_and(|number| number >= 1 && (churns || number <= u64::from(nodes)));
        if !named && !generated {
            let mut known: Vec<_> = file.host.iter().map(|host| host.name.clone()).collect();
            known.push("proxy".to_owned());
            if nodes > 0 {
                known.extend(["node-00001".to_owned(), format!("node-{nodes:05}")]);
                known.dedup();
            }
            let nearest = nearest(written, known.iter().map(String::as_str));
            let fault = Fault::Unresolved { what: "host", name: written.clone(), nearest, known };
            self.fault(&path, fault);
            return None;
        }
        Some(Target::Host(written.clone()))
    }
}
