//! The authority, the resolvers and the update service.

use std::sync::Arc;

use super::{AUTHORITY, BuildError, SERVICE, account, model_error};
use crate::address::{Address, Port};
use crate::dns::authority::Updates;
use crate::dns::binding::Form;
use crate::dns::resolver::{self, Delegation};
use crate::dns::tsig::Key;
use crate::dns::zone::RrSet;
use crate::dns::{Authority, Binding, DomainName, Profile, RecordData, Srv, Ttl, Zone, profile};
use crate::dyndns::{Account, Hostname, ServerSettings, UpdateServer};
use crate::scenario::plan::{self, DnsPlan, Plan, Publish, ResolverProfile, ZoneUpdates};
use crate::time::SimDuration;

/// The TTL of the update service's own address: an hour, so that it is not what is measured.
const SERVICE_TTL: SimDuration = SimDuration::from_secs(3_600);

/// The TTL of the addresses of conventional servers.
const SERVER_TTL: SimDuration = SimDuration::from_secs(3_600);

/// The zone that the overlay's domain lies in: its parent.
pub(super) fn zone_name(dns: &DnsPlan) -> Result<DomainName, BuildError> {
    let (_, parent) = dns.domain.split_once('.').ok_or_else(|| {
        BuildError::Model(format!("dns.domain `{}` has a single label", dns.domain))
    })?;
    parent.parse().map_err(model_error)
}

/// How the location of the proxy peer stands in the zone.
pub(super) fn binding(dns: &DnsPlan) -> Result<Binding, BuildError> {
    let domain = dns.domain.parse().map_err(model_error)?;
    let form = match dns.publish {
        Publish::A => Form::Addresses,
        Publish::Srv => Form::Services,
    };
    Binding::new(domain, zone_name(dns)?, form, Ttl::from_duration(dns.ttl)).map_err(model_error)
}

/// The name of the update service: `members` in the same zone, as the provider has it.
pub(super) fn service_name(dns: &DnsPlan) -> Result<DomainName, BuildError> {
    zone_name(dns)?.prefixed("members").map_err(model_error)
}

/// The zones of conventional domains: each has the address of its server at its apex, for an hour,
/// so that it is not what is measured. With a `second`, it has the two as a set of services.
fn conventional_zone(
    domain: &str,
    server: Address,
    second: Option<&DomainName>,
) -> Result<Zone, BuildError> {
    let ttl = Ttl::from_duration(SERVER_TTL);
    let apex: DomainName = domain.parse().map_err(model_error)?;
    let mut zone = Zone::conventional(apex.clone(), AUTHORITY, ttl, ttl).map_err(model_error)?;
    if let Some(second) = second {
        let name = apex.prefixed("_udp").and_then(|udp| udp.prefixed("_sip"));
        let service = |(priority, target): (u16, &DomainName)| {
            let target = target.clone();
            RecordData::Srv(Srv { priority, weight: 0, port: Port::SIP, target })
        };
        let data = [(10, &apex), (20, second)].map(service);
        zone.set(name.map_err(model_error)?, RrSet { ttl, data: Arc::new(data) });
    }
    zone.set(apex, RrSet { ttl, data: Arc::new([RecordData::A(server)]) });
    Ok(zone)
}

/// The name of the zone's primary.
pub(super) fn primary_name(dns: &DnsPlan) -> Result<DomainName, BuildError> {
    zone_name(dns)?.prefixed("ns").map_err(model_error)
}

/// The key that members sign their updates with.
pub(super) fn key() -> Key {
    Key { name: "key".parse().expect("three letters are a label"), secret: 0x6f76_6572_636f_7264 }
}

/// One name server for all zones: the overlay's, and those of conventional domains with the
/// addresses of their servers; the overlay stands in for those that are `backed`.
pub(super) fn authority(
    dns: &DnsPlan,
    with_service: bool,
    domains: &[(String, Address)],
    backed: &[&str],
) -> Result<Authority, BuildError> {
    let ttl = Ttl::from_duration(dns.ttl);
    let negative = Ttl::from_duration(dns.negative_ttl);
    let mut zone =
        Zone::conventional(zone_name(dns)?, AUTHORITY, ttl, negative).map_err(model_error)?;
    if with_service {
        let data = Arc::new([RecordData::A(SERVICE)]);
        let set = RrSet { ttl: Ttl::from_duration(SERVICE_TTL), data };
        zone.set(service_name(dns)?, set);
    }
    let mut zones = vec![zone];
    let overlay: DomainName = dns.domain.parse().map_err(model_error)?;
    for (domain, server) in domains {
        let second = backed.contains(&domain.as_str()).then_some(&overlay);
        zones.push(conventional_zone(domain, *server, second)?);
    }
    let mut authority = Authority::new(zones);
    authority.allow(match dns.update {
        ZoneUpdates::Tsig => Updates::Signed(key()),
        ZoneUpdates::Refused => Updates::Refused,
    });
    Ok(authority)
}

const fn profile_of(group: &plan::ResolverPlan) -> Profile {
    match group.profile {
        ResolverProfile::Rfc => Profile::Rfc,
        ResolverProfile::Unbound => Profile::Unbound,
        ResolverProfile::Bind => Profile::Bind,
    }
}

/// The cache of a resolver of a group, one that extends TTLs or another.
pub(super) fn cache_policy(group: &plan::ResolverPlan, extends: bool) -> profile::CachePolicy {
    let profile = profile_of(group);
    let mut policy = profile.cache_policy();
    policy.min_ttl = Ttl::from_duration(group.floor(extends));
    policy.max_ttl = Ttl::from_duration(group.max_ttl);
    policy.stale = group.serve_stale.map(|stale| profile::Stale {
        ttl: stale.ttl,
        reply_ttl: Ttl::from_duration(stale.reply_ttl),
        client_timeout: stale.client_timeout,
    });
    policy.prefetch = if group.prefetch { profile.prefetch() } else { profile::Prefetch::Off };
    policy
}

pub(super) fn resolver_config(
    group: &plan::ResolverPlan,
    extends: bool,
    zones: &[DomainName],
) -> resolver::Config {
    let profile = profile_of(group);
    let authority = AUTHORITY.at(Port::DNS);
    let delegations =
        zones.iter().map(|zone| Delegation { zone: zone.clone(), authority }).collect();
    let mut config = resolver::Config::new(profile, delegations);
    config.cache = cache_policy(group, extends);
    config
}

pub(super) fn service(plan: &Plan, dns: &DnsPlan) -> Result<Option<UpdateServer>, BuildError> {
    let Some(dyndns) = &plan.dyndns else { return Ok(None) };
    let settings = ServerSettings {
        service_time: dyndns.service_time,
        publish_delay: dns.publish_delay,
        abuse_limit: dyndns.abuse_limit,
        ..ServerSettings::default()
    };
    let hostname: Hostname = dns.domain.parse().map_err(model_error)?;
    let account = Account { credentials: account(), hostnames: vec![hostname] };
    Ok(Some(UpdateServer::new(settings, &[account])))
}
