//! From a file as written to a [`Plan`]: fills in defaults, resolves references, and judges keys
//! against each other. Pure; problems are collected, so that a file is told all of them at once.

mod address;
mod bamboo;
mod behaviour;
mod beside;
mod chains;
mod conventional;
mod daemon;
mod kademlia;
mod latency;
mod names;
mod naming;
mod needs;
mod partition;
mod relay;
mod story;
mod systems;
mod telling;
mod users;

use std::path::{Path as FilePath, PathBuf};

use super::document::{Node, Path, Place};
use super::file::{self, Churn, ChurnModel, File, Overlay};
use super::plan::{HostPlan, Plan, Precision, Replications, Strategy, When};
use super::problem::{Fault, Problem, nearest};
use crate::metrics::codebook;
use crate::time::{SimDuration, SimTime};
use crate::units::Duration;
use users::Users;

/// Makes the plan, or says all that stands against it. `folder` is what paths in the file are
/// relative to.
pub fn plan(file: &File, document: &Node, folder: &FilePath) -> Result<Plan, Vec<Problem>> {
    let strategy = file.handover.as_ref().map(|handover| handover.strategy);
    let mut check = Check { document, folder, strategy, problems: Vec::new() };
    let plan = check.plan(file);
    if check.problems.is_empty() { Ok(plan) } else { Err(check.problems) }
}

/// What stands against a plan when the run is known to last so long: needed once a trace is read
/// that gives the run its length.
#[must_use]
pub fn end_problems(plan: &Plan, document: &Node, end: SimDuration) -> Vec<Problem> {
    let mut check = Check::of(document);
    check.end(plan, end);
    check.problems
}

/// What stands against a plan when so many members are generated: needed once a trace is read,
/// which gives their number.
#[must_use]
pub fn member_problems(plan: &Plan, document: &Node, count: u64) -> Vec<Problem> {
    let mut check = Check::of(document);
    check.members(plan, count);
    check.problems
}

struct Check<'a> {
    document: &'a Node,
    folder: &'a FilePath,
    /// The strategy, which some defaults hang on.
    strategy: Option<Strategy>,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    /// For a plan that stands already.
    fn of(document: &'a Node) -> Self {
        Self { document, folder: FilePath::new(""), strategy: None, problems: Vec::new() }
    }
}

impl Check<'_> {
    /// Reports a fault of the value at a path.
    fn fault(&mut self, path: &Path, fault: Fault) {
        self.problems.push(Problem::new(self.document.place_of(path), path.clone(), fault));
    }

    /// Reports a fault of a key rather than of its value.
    fn key_fault(&mut self, path: &Path, fault: Fault) {
        self.problems.push(Problem::new(self.document.key_place_of(path), path.clone(), fault));
    }

    /// Refuses each of these keys of a table that is there.
    fn meaningless(&mut self, table: &Path, keys: &[&str], with: &str) {
        for key in keys {
            let path = table.then(key);
            if self.document.find(&path).is_some() {
                let fault = Fault::Meaningless { key: (*key).to_owned(), with: with.to_owned() };
                self.key_fault(&path, fault);
            }
        }
    }

    /// Where a path in the file leads: relative to the file, in a `--set` argument as it stands.
    fn file_path(&self, at: &Path, written: &str) -> PathBuf {
        let Place { text, .. } = self.document.place_of(at);
        if text == 0 { self.folder.join(written) } else { PathBuf::from(written) }
    }

    fn plan(&mut self, file: &File) -> Plan {
        let dns = file.dns.as_ref().map(|dns| self.dns(dns, file.dyndns.is_some()));
        let traced = file.churn.as_ref().is_some_and(|churn| churn.model == ChurnModel::Trace);
        let duration = match file.duration {
            None if traced => None,
            given => Some(given.unwrap_or(File::DURATION).0),
        };
        let overlay = self.overlay(file, dns.as_ref(), traced);
        let churn = file.churn.as_ref().and_then(|churn| self.churn(churn));
        let zone = file.dns.as_ref().map(|dns| dns.update);
        let handover = file.handover.as_ref().map(|handover| self.handover(handover, zone));
        let users = Users::new(file, overlay.nodes);
        self.sections(file, &users);
        let callers = self.callers(&file.caller, dns.as_ref());
        let hosts = self.hosts(file, dns.as_ref(), overlay.resolver, &users);
        let events = self.events(file, overlay.nodes, dns.as_ref(), &users);
        let story = file.story.as_ref().map(|story| self.story(story, file, dns.as_ref(), &users));
        let media = file.media.as_ref().map(|media| self.media(media));
        let relay = file.relay.as_ref().map(|relay| self.relay(relay, file, &users));
        let plan = Plan {
            name: file.name.clone(),
            description: file.description.clone(),
            seed: file.seed,
            duration,
            warmup: file.warmup.0,
            replications: self.replications(&file.replications),
            timeline_bin: file.timeline_bin.map(|bin| bin.0).or(duration.map(Plan::usual_bin)),
            network: self.network(&file.network),
            dns,
            dyndns: file.dyndns.as_ref().map(systems::dyndns),
            overlay,
            churn,
            graceful_notice: file.churn.as_ref().map_or(Churn::NOTICE, |it| it.graceful_notice).0,
            handover,
            media,
            relay,
            callers,
            hosts,
            events,
            story,
            stop_after_departures: file.stop.after_departures,
        };
        self.names(&plan);
        self.partitions(&plan);
        self.needs(&plan);
        self.media_needs(&plan);
        self.relay_needs(&plan);
        if let Some(end) = duration {
            self.end(&plan, end);
        }
        // What is left out of the plan has been reported, and would shift the numbers of events.
        if self.problems.is_empty() && !traced {
            self.generated(&plan);
        }
        plan
    }

    fn replications(&mut self, replications: &file::Replications) -> Replications {
        let (until, metric, at_least, at_most) = match replications {
            file::Replications::Number(number) => return Replications::Number(*number),
            file::Replications::Until { until, metric, at_least, at_most } => {
                (until, metric, at_least, at_most)
            }
        };
        if at_most < at_least {
            let (found, limit) = (at_most.to_string(), at_least.to_string());
            let relation = "not be below";
            self.fault(
                &Path::of("replications.at_most"),
                Fault::Relation { found, relation, other: "at_least", limit },
            );
        }
        if codebook::metric(metric).is_none() {
            let names = codebook::metrics().iter().map(|it| it.name.as_str());
            let (found, nearest) = (metric.clone(), nearest(metric, names));
            self.fault(&Path::of("replications.metric"), Fault::UnknownMetric { found, nearest });
        }
        Replications::Until(Precision {
            metric: metric.clone(),
            until: until.0,
            at_least: *at_least,
            at_most: *at_most,
        })
    }

    /// Sections that need each other.
    fn sections(&mut self, file: &File, users: &Users<'_>) {
        use super::plan::{Publish, UpdateProtocol};
        // An SRV set, which can't be updated like this, is another fault.
        let carried = file.dns.as_ref().is_none_or(|dns| self.publish(dns) == Publish::A);
        let mut need = |path: &str, what: &str, section, there: bool| {
            if !there {
                let what = what.to_owned();
                self.key_fault(&Path::of(path), Fault::MissingSection { what, section });
            }
        };
        let (dns, dyndns) = (file.dns.is_some(), file.dyndns.is_some());
        if let Some(handover) = &file.handover {
            need("handover", "a handover", "dns", dns);
            let strategy = handover.strategy;
            let protocol = handover.updates_by(file.dns.as_ref().map(|dns| dns.update));
            let by_http = strategy.updates() && protocol == UpdateProtocol::Dyndns2 && carried;
            let what = format!("strategy \"{}\"", strategy.word());
            need("handover", &what, "dyndns", dyndns || !by_http);
        }
        self.updating(file);
        let mut need = |path: &str, what: &str, section, there: bool| {
            if !there {
                let what = what.to_owned();
                self.key_fault(&Path::of(path), Fault::MissingSection { what, section });
            }
        };
        if dyndns {
            need("dyndns", "the update endpoint", "dns", dns);
        }
        if !file.caller.is_empty() {
            need("caller.0", "a caller", "dns", dns);
        }
        if let Some((path, what)) = first_sip(file).filter(|_| users.any) {
            need(&path, &what, "dns", dns || !file.caller.is_empty());
            need(&path, &what, "handover", file.handover.is_some());
        }
        let resolvers = file.dns.as_ref().is_none_or(|dns| !dns.resolver.is_empty());
        if let (false, Some(_)) = (resolvers, &file.handover) {
            let (key, why) = ("resolver".to_owned(), "members need resolvers to ask".to_owned());
            self.key_fault(&Path::of("dns"), Fault::Missing { key, why });
        }
    }

    /// What must lie before the end of the run.
    fn end(&mut self, plan: &Plan, end: SimDuration) {
        let limit = Duration(end).to_string();
        if plan.warmup >= end {
            self.fault(
                &Path::of("warmup"),
                Fault::Relation {
                    found: Duration(plan.warmup).to_string(),
                    relation: "be shorter than",
                    other: "duration",
                    limit: limit.clone(),
                },
            );
        }
        let mut before_end = |path: Path, what, at: SimDuration| {
            if at >= end {
                let (at, end) = (Duration(at).to_string(), limit.clone());
                self.fault(&path, Fault::PastEnd { what, at, end });
            }
        };
        for (index, HostPlan { start, .. }) in plan.hosts.iter().enumerate() {
            before_end(
                Path::of("host").then(index).then("start"),
                "a start",
                start.since(SimTime::ZERO),
            );
        }
        for (index, event) in plan.events.iter().enumerate() {
            let path = Path::of("event").then(index);
            match event.when {
                When::At(at) => before_end(path.then("at"), "an event", at.since(SimTime::ZERO)),
                When::Every(period) => before_end(path.then("every"), "an event", period),
            }
        }
        self.spreads(plan, end);
        if plan.timeline_bin.is_some_and(|bin| bin > end) {
            let found = Duration(plan.timeline_bin.unwrap_or_default()).to_string();
            let relation = "not be longer than";
            self.fault(
                &Path::of("timeline_bin"),
                Fault::Relation { found, relation, other: "duration", limit },
            );
        }
    }

    /// Every moment that an event can be drawn for lies in the run.
    fn spreads(&mut self, plan: &Plan, end: SimDuration) {
        for (index, event) in plan.events.iter().enumerate() {
            let When::At(at) = event.when else { continue };
            let at = at.since(SimTime::ZERO);
            if at < end && at.saturating_add(event.spread) > end {
                let text = |duration| Duration(duration).to_string();
                let (at, spread, end) = (text(at), text(event.spread), text(end));
                let path = Path::of("event").then(index).then("spread");
                self.fault(&path, Fault::SpreadPastEnd { at, spread, end });
            }
        }
    }

    /// The population: what is given, else the default.
    fn nodes(&mut self, file: &File, traced: bool) -> u32 {
        let path = Path::of("overlay.nodes");
        let names_members = file.host.iter().any(|host| host.domain.is_none());
        match file.overlay.nodes {
            Some(_) if traced => {
                self.key_fault(&path, Fault::NodesBesideTrace);
                0
            }
            Some(0) if !names_members => {
                self.fault(&path, Fault::NoMembers);
                0
            }
            Some(nodes) => nodes,
            None if traced || names_members => 0,
            None => Overlay::NODES,
        }
    }
}

/// The first that brings SIP into a scenario: where it stands, and what it is.
fn first_sip(file: &File) -> Option<(String, String)> {
    let caller = file.caller.iter().position(|caller| caller.lookups.is_none());
    if let Some(index) = caller {
        return Some((format!("caller.{index}"), "a domain with a SIP server".to_owned()));
    }
    if !file.overlay.beside.is_empty() {
        return Some(("overlay.beside.0".to_owned(), "an overlay with users".to_owned()));
    }
    let host = file.host.iter().position(|host| host.user.is_some() || host.domain.is_some());
    if let Some(index) = host {
        let key = if file.host[index].user.is_some() { "user" } else { "domain" };
        return Some((format!("host.{index}.{key}"), "a SIP user".to_owned()));
    }
    let event = file.event.iter().position(|event| story::is_users(event.action));
    if let Some(index) = event {
        return Some((format!("event.{index}.action"), "what a SIP user does".to_owned()));
    }
    let exchanges = file.story.iter().flat_map(|story| &story.exchange);
    let index = exchanges.enumerate().find(|(_, exchange)| telling::is_of_users(exchange))?.0;
    Some((format!("story.exchange.{index}"), "an exchange between SIP users".to_owned()))
}
