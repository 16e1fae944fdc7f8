//! The observer of a run: what truth has to know of the set-up, and the judges of resolvers.

use std::collections::{BTreeMap, BTreeSet};

use super::cast::Cast;
use super::partition::{self, Parting};
use super::{BuildError, dns, resolvers, servers};
use crate::dns::checker::TtlChecker;
use crate::overlay::plugin::Kind;
use crate::overlay::{Directory, Facts};
use crate::scenario::plan::{Plan, PluginPlan, Publish};
use crate::sim::{Fingerprint, HostId};
use crate::time::SimTime;
use crate::world::checkers::Checkers;
use crate::world::epoch_of;
use crate::world::owners::Owners;
use crate::world::population::Member;
use crate::world::stage::{MediaTotals, Stage};
use crate::world::truth::{CallerDomain, TruthConfig};

/// The conventional domains as truth knows them, in the order of their names.
fn caller_domains(plan: &Plan, cast: &Cast) -> Vec<CallerDomain> {
    let mut callers: Vec<usize> = (0..plan.callers.len()).collect();
    callers.sort_unstable_by_key(|&caller| &plan.callers[caller].domain);
    let domain = |caller: usize| {
        let plan = &plan.callers[caller];
        let resolver = &cast.resolvers[cast.resolver_of(&plan.domain)?].name;
        let phones = cast.phones.iter().filter(|phone| phone.caller == caller);
        // A server without users asks for nothing.
        if plan.sip().is_some() && phones.clone().next().is_none() {
            return None;
        }
        Some(CallerDomain {
            host: cast.id(&plan.domain),
            resolver: cast.id(resolver),
            agents: phones.map(|phone| cast.id(&phone.name)).collect(),
            cache: plan.sip().is_some_and(|sip| sip.dns_cache.is_some()),
            embeds: plan.embeds(),
        })
    };
    callers.into_iter().filter_map(domain).collect()
}

pub(super) fn stage(
    plan: &Plan,
    cast: &Cast,
    members: &[Member],
    directory: Directory,
    partings: &BTreeMap<usize, Parting>,
    walled: BTreeSet<HostId>,
    end: SimTime,
) -> Result<Stage, BuildError> {
    let warmup = SimTime::ZERO + plan.warmup;
    let run = end.since(SimTime::ZERO);
    let callers = caller_domains(plan, cast);
    let forwards = cast.resolvers.iter().filter_map(|it| {
        let above = cast.resolver_of(&it.name)?;
        Some((cast.id(&it.name), cast.id(&cast.resolvers[above].name)))
    });
    let forwards = forwards.collect();
    let whole = TruthConfig {
        nodes: members.iter().filter(|it| !it.is_server()).map(|it| it.host).collect(),
        resolvers: cast.resolvers.iter().map(|it| cast.id(&it.name)).collect(),
        callers,
        watches_outbound: plan.outward().next().is_some(),
        publishes_sets: plan.dns.as_ref().is_some_and(|dns| dns.publish == Publish::Srv),
        warmup,
        timeline_bin: plan.timeline_bin.unwrap_or_else(|| Plan::usual_bin(run)),
        observer: None,
        authorities: Vec::new(),
        forwards,
        walled,
    };
    let (truth, others) = partition::truths(plan, whole, cast, partings);
    let binding = plan.dns.as_ref().map(servers::binding).transpose()?;
    let fingerprint = Fingerprint::new(epoch_of(run));
    let owners = plan.overlay.judges_lookups.then(|| {
        let positions = members.iter().map(|it| (it.host, directory.contact(it.contact).id));
        let kind = match plan.overlay.plugin {
            PluginPlan::Chord(_) => Kind::Chord,
            PluginPlan::Bamboo(_) => Kind::Bamboo,
            PluginPlan::Kademlia(_) => Kind::Kademlia,
        };
        Box::new(Owners::new(kind, positions))
    });
    let mut stage = Stage::new(truth, directory, fingerprint, warmup, binding);
    stage.lookups.wrong = owners.is_some().then_some(0);
    stage.owners = owners;
    stage.others = others;
    stage.media = plan.media.map(|_| MediaTotals::default());
    Ok(stage)
}

/// A judge of each resolver.
pub(super) fn judges(plan: &Plan, cast: &Cast) -> Checkers {
    Checkers::new(cast.resolvers.iter().map(|resolver| {
        let group = &dns(plan).resolvers[resolver.group.index()];
        let policy = resolvers::cache_policy(group, resolver.extends);
        let judge = match group.forward {
            Some(_) => TtlChecker::of_forwarder(policy),
            None => TtlChecker::new(policy),
        };
        (cast.id(&resolver.name), judge)
    }))
}
