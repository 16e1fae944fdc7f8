//! Partitions: from names to hosts, and which observers are always on one side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cast::Cast;
use super::{BuildError, resolvers};
use crate::net::Partition;
use crate::rng::sample::uniform_u64;
use crate::rng::{NameHash, Purpose, stream};
use crate::scenario::plan::{Action, Far, PartitionPlan, Plan};
use crate::sim::HostId;
use crate::world::truth::{Truth, TruthConfig};

/// A line of the script that parts the network.
pub(super) struct Parting {
    pub(super) partition: Partition,
    pub(super) hosts: Arc<[HostId]>,
    pub(super) proxy: bool,
}

/// What each line of the script parts, by its place; the share of members that is cut off is drawn
/// once, by the number of the partition, so that no strategy changes it.
pub(super) fn partings(
    plan: &Plan,
    cast: &Cast,
    seed: u64,
) -> Result<BTreeMap<usize, Parting>, BuildError> {
    let parts = plan.events.iter().enumerate().filter_map(|(line, event)| match &event.action {
        Action::Partition(partition) => Some((line, partition)),
        _ => None,
    });
    parts
        .enumerate()
        .map(|(number, (line, plan))| Ok((line, parting(plan, cast, number, seed)?)))
        .collect()
}

fn parting(
    plan: &PartitionPlan,
    cast: &Cast,
    number: usize,
    seed: u64,
) -> Result<Parting, BuildError> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for far in &plan.far {
        match far {
            Far::Proxy => {}
            Far::Share(share) => names.extend(share_of(cast, *share, number, seed)),
            Far::Member(name) => {
                cast.find(name).ok_or_else(|| cast.unknown(name))?;
                names.insert(name.clone());
            }
            Far::Domain(domain) => {
                names.insert(domain.clone());
                let caller = cast.callers.iter().position(|other| other == domain);
                let phones = cast.phones.iter().filter(|phone| Some(phone.caller) == caller);
                names.extend(phones.map(|phone| phone.name.clone()));
            }
            Far::Resolvers(group) => {
                let resolvers = cast.resolvers.iter().filter(|it| it.group == *group);
                names.extend(resolvers.map(|it| it.name.clone()));
            }
            Far::Authority => names.extend(cast.authority.clone()),
            Far::Secondary(number) => names.extend(cast.secondary(*number).cloned()),
            Far::UpdateService => names.extend(cast.service.clone()),
        }
    }
    // The resolver that is a host's own stands where the host stands, also where that is a resolver.
    let own = cast.resolvers.iter().filter(|resolver| {
        let mut users = resolver.name.match_indices('@').map(|(at, _)| &resolver.name[at + 1..]);
        users.any(|user| names.contains(user))
    });
    let hosts = names.iter().chain(own.map(|it| &it.name)).map(|name| cast.id(name));
    let hosts: BTreeSet<HostId> = hosts.collect();
    Ok(Parting {
        partition: Partition::new(number),
        hosts: hosts.into_iter().collect(),
        proxy: plan.far.contains(&Far::Proxy),
    })
}

/// A share of all members, whether up or down.
fn share_of(cast: &Cast, share: f64, number: usize, seed: u64) -> Vec<String> {
    let named = cast.named.iter().map(|(name, _)| name);
    let mut pool: Vec<&String> = cast.generated.iter().chain(named).collect();
    let entity = NameHash::of(&format!("!partition-{number}"));
    let mut random = stream(seed, Purpose::Setup, entity);
    let wanted = ((pool.len() as f64 * share).round() as usize).min(pool.len());
    for place in 0..wanted {
        let other = uniform_u64(&mut random, place as u64, pool.len() as u64 - 1) as usize;
        pool.swap(place, other);
    }
    pool.into_iter().take(wanted).cloned().collect()
}

/// One truth for each group of observers that are always on the same side and ask the same name
/// server first; the main one is that of the authority's side, who asks the authority.
pub(super) fn truths(
    plan: &Plan,
    whole: TruthConfig,
    cast: &Cast,
    partings: &BTreeMap<usize, Parting>,
) -> (Truth, Vec<Truth>) {
    let sides: Vec<BTreeSet<HostId>> =
        partings.values().map(|parting| parting.hosts.iter().copied().collect()).collect();
    let side =
        |host: HostId| -> Vec<bool> { sides.iter().map(|far| far.contains(&host)).collect() };
    let authority = cast.authority.as_ref().map(|name| cast.id(name));
    let main = authority.map_or_else(|| vec![false; sides.len()], side);
    let servers: Vec<HostId> =
        authority.into_iter().chain(cast.secondaries.iter().map(|name| cast.id(name))).collect();
    let mut groups: BTreeMap<(Vec<bool>, usize), TruthConfig> = BTreeMap::new();
    let empty = |observer, first| {
        let mut authorities = servers.clone();
        authorities.rotate_left(first);
        let (resolvers, callers) = (Vec::new(), Vec::new());
        TruthConfig { resolvers, callers, observer, authorities, ..whole.clone() }
    };
    // Who forwards gets what the last of the chain is told.
    let firsts: BTreeMap<HostId, usize> = (0..)
        .zip(&cast.resolvers)
        .zip(plan.dns.iter().cycle())
        .map(|((place, resolver), dns)| {
            let asking = &cast.resolvers[cast.asking(place)];
            (cast.id(&resolver.name), resolvers::first_server(dns, asking))
        })
        .collect();
    let main = (main, 0);
    groups.insert(main.clone(), empty(authority, 0));
    for &resolver in &whole.resolvers {
        let first = firsts[&resolver];
        let group = groups.entry((side(resolver), first));
        group.or_insert_with(|| empty(Some(resolver), first)).resolvers.push(resolver);
    }
    for caller in &whole.callers {
        let first = firsts[&caller.resolver];
        let group = groups.entry((side(caller.host), first));
        group.or_insert_with(|| empty(Some(caller.host), first)).callers.push(caller.clone());
    }
    let first = groups.remove(&main).expect("it was put there first");
    (Truth::new(first), groups.into_values().map(Truth::new).collect())
}
