//! The authority, its secondaries and the update service.

use std::sync::Arc;

use super::{AUTHORITY, BuildError, SERVICE, account, model_error, secondary_label};
use crate::address::{Address, Endpoint, Port};
use crate::dns::authority::Updates;
use crate::dns::binding::Form;
use crate::dns::notify::Notifier;
use crate::dns::tsig::Key;
use crate::dns::zone::RrSet;
use crate::dns::{Authority, Binding, DomainName, RecordData, Secondary, Srv, Ttl, Zone};
use crate::dyndns::{Account, Hostname, ServerSettings, UpdateServer};
use crate::rng::Dice;
use crate::scenario::plan::{DnsPlan, Plan, Publish, SecondariesPlan, ZoneUpdates};
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

/// The address of a secondary, by its place from 0.
pub(super) fn secondary_at(place: u32) -> Address {
    Address::from_bits(AUTHORITY.bits() + 1 + place)
}

/// A name server of the overlay's zone: the primary is 0, then come the secondaries.
pub(super) fn name_server(place: u32) -> Endpoint {
    let address = place.checked_sub(1).map_or(AUTHORITY, secondary_at);
    address.at(Port::DNS)
}

/// The overlay's zone, as all of its name servers have it at first.
fn overlay_zone(dns: &DnsPlan, with_service: bool) -> Result<Zone, BuildError> {
    let ttl = Ttl::from_duration(dns.ttl);
    let negative = Ttl::from_duration(dns.negative_ttl);
    let apex = zone_name(dns)?;
    let mut zone =
        Zone::conventional(apex.clone(), AUTHORITY, ttl, negative).map_err(model_error)?;
    if with_service {
        let data = Arc::new([RecordData::A(SERVICE)]);
        let set = RrSet { ttl: Ttl::from_duration(SERVICE_TTL), data };
        zone.set(service_name(dns)?, set);
    }
    let Some(secondaries) = dns.secondaries else { return Ok(zone) };
    let mut names = vec![RecordData::Ns(primary_name(dns)?)];
    for place in 0..secondaries.count {
        let name = apex.prefixed(&secondary_label(place)).map_err(model_error)?;
        let data = Arc::new([RecordData::A(secondary_at(place))]);
        zone.set(name.clone(), RrSet { ttl, data });
        names.push(RecordData::Ns(name));
    }
    zone.set(apex, RrSet { ttl, data: names.into() });
    let seconds = |span| Ttl::from_duration(span).as_secs();
    let SecondariesPlan { refresh, retry, expire, .. } = secondaries;
    zone.set_maintenance(seconds(refresh), seconds(retry), seconds(expire));
    Ok(zone)
}

/// A secondary with a copy of the overlay's zone.
pub(super) fn secondary(
    dns: &DnsPlan,
    with_service: bool,
    dice: Dice,
) -> Result<Secondary, BuildError> {
    Ok(Secondary::new(overlay_zone(dns, with_service)?, name_server(0), dice))
}

/// The primary name server of all zones: the overlay's, and those of conventional domains with the
/// addresses of their servers; the overlay stands in for those that are `backed`.
pub(super) fn authority(
    dns: &DnsPlan,
    with_service: bool,
    domains: &[(String, Address)],
    backed: &[&str],
) -> Result<Authority, BuildError> {
    let zone = overlay_zone(dns, with_service)?;
    let apex = zone.apex().clone();
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
    if let Some(secondaries) = dns.secondaries {
        let told = (1..=secondaries.count).map(name_server).collect();
        let notifier = secondaries.notify.then(|| Notifier::new(told, secondaries.notify_delay));
        authority.copy(&apex, secondaries.journal as usize, notifier);
    }
    Ok(authority)
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
