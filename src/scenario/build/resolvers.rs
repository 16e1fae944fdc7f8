//! Recursive resolvers: what each is set up with, and whom it asks.

use std::sync::Arc;

use super::cast::{self, Cast, ResolverHost};
use super::servers;
use crate::address::Port;
use crate::dns::profile::{CachePolicy, Prefetch, Stale};
use crate::dns::resolver::{Config, Delegation};
use crate::dns::{DomainName, Profile, Resolver, Ttl};
use crate::rng::{Dice, Draws, NameHash};
use crate::scenario::plan::{self, DnsPlan, ResolverProfile};

/// The cache of a resolver of a group, one that extends TTLs or another.
pub(super) fn cache_policy(group: &plan::ResolverPlan, extends: bool) -> CachePolicy {
    let profile = profile(group);
    let mut policy = profile.cache_policy();
    policy.min_ttl = Ttl::from_duration(group.floor(extends));
    policy.max_ttl = Ttl::from_duration(group.max_ttl);
    policy.stale = group.serve_stale.map(|stale| Stale {
        ttl: stale.ttl,
        reply_ttl: Ttl::from_duration(stale.reply_ttl),
        client_timeout: stale.client_timeout,
    });
    policy.prefetch = if group.prefetch { profile.prefetch() } else { Prefetch::Off };
    policy
}

fn profile(group: &plan::ResolverPlan) -> Profile {
    match group.profile {
        ResolverProfile::Rfc => Profile::Rfc,
        ResolverProfile::Unbound => Profile::Unbound,
        ResolverProfile::Bind => Profile::Bind,
    }
}

/// The first of the zone's name servers that a resolver asks: they are dealt out in turn.
pub(super) fn first_server(dns: &DnsPlan, resolver: &ResolverHost) -> usize {
    resolver.rank % dns.servers() as usize
}

/// All resolvers, by name. `zones` are those that there are, the overlay's first.
pub(super) fn resolvers<'a>(
    dns: &DnsPlan,
    cast: &'a Cast,
    zones: &[DomainName],
    draws: Draws,
) -> Vec<(&'a String, Resolver)> {
    // Those that ask name servers share what they are set up with.
    let configs: Vec<[Arc<Config>; 2]> = dns
        .resolvers
        .iter()
        .map(|group| {
            [false, true].map(|extends| {
                let mut config = Config::new(profile(group), delegations(dns, zones));
                config.cache = cache_policy(group, extends);
                Arc::new(config)
            })
        })
        .collect();
    let resolver = |host: &'a ResolverHost| {
        let dice = Dice::new(draws, NameHash::of(&host.name));
        let config = &configs[host.group.index()][usize::from(host.extends)];
        let resolver = match cast.resolver_of(&host.name) {
            None => Resolver::new(Arc::clone(config), dice).beginning_with(first_server(dns, host)),
            Some(above) => {
                let server = cast::resolver_address(above).at(Port::DNS);
                let to_it = |zone: &DomainName| Delegation::to_one(zone.clone(), server);
                let mut config = Config::clone(config);
                config.delegations = zones.iter().map(to_it).collect();
                config.forwards = true;
                Resolver::new(Arc::new(config), dice)
            }
        };
        (&host.name, resolver)
    };
    cast.resolvers.iter().map(resolver).collect()
}

/// The name servers of each zone: the overlay's has secondaries, the others the primary alone.
fn delegations(dns: &DnsPlan, zones: &[DomainName]) -> Vec<Delegation> {
    let delegation = |(place, zone): (usize, &DomainName)| {
        let servers = if place == 0 { dns.servers() } else { 1 };
        let zone = zone.clone();
        Delegation { zone, servers: (0..servers).map(servers::name_server).collect() }
    };
    zones.iter().enumerate().map(delegation).collect()
}
