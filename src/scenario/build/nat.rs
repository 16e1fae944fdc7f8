//! Who is behind a translator of addresses or a packet filter, and what stands in the way of
//! messages beside.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::cast::Cast;
use crate::address::Port;
use crate::net::{Dependence, NatBehaviour, Nats, bursts::Bursts};
use crate::rng::{Draws, NameHash, Purpose};
use crate::scenario::plan::{FirewallPlan, HostFirewall, HostNat, NatDependence, Plan};
use crate::sim::HostId;
use crate::world::host::WorldNetwork;
use crate::world::population::MemberId;

/// Puts into the network what stands in the way of messages.
pub(super) fn hinder(network: &mut WorldNetwork, plan: &Plan, cast: &Cast, seed: u64) {
    if let Some(bursts) = &plan.network.bursts {
        network.lose_in_bursts(Bursts::new(bursts.length, bursts.gap, bursts.loss));
    }
    let Some(nat) = &plan.network.nat else { return };
    let probe = plan.handover.as_ref().map_or(Port::PROXY, |handover| handover.probe.port);
    let forwarded = |forwards: bool| -> SmallVec<[Port; 2]> {
        if forwards { SmallVec::from_slice(&[Port::SIP, probe]) } else { SmallVec::new() }
    };
    let behaviour = NatBehaviour {
        mapping: dependence(nat.mapping),
        filtering: dependence(nat.filtering),
        udp_timeout: nat.udp_timeout,
        tcp_timeout: nat.tcp_timeout,
        answers_echo: nat.answers_echo,
    };
    let behind = behind(plan, cast, seed);
    network.translate(Nats::new(behaviour, behind.into_iter().map(|(it, on)| (it, forwarded(on)))));
}

const fn dependence(plan: NatDependence) -> Dependence {
    match plan {
        NatDependence::EndpointIndependent => Dependence::EndpointIndependent,
        NatDependence::AddressDependent => Dependence::AddressDependent,
        NatDependence::AddressAndPortDependent => Dependence::AddressAndPortDependent,
    }
}

/// The members behind translators, and whether these forward the ports of a proxy peer. It hangs on
/// a member's name and the seed alone.
pub(super) fn behind(plan: &Plan, cast: &Cast, seed: u64) -> Vec<(HostId, bool)> {
    let Some(nat) = &plan.network.nat else { return Vec::new() };
    let draws = Draws::new(seed, Purpose::Setup);
    // Nobody would find the relay behind one.
    let relay = plan.relay.as_ref().map(|relay| relay.host.as_str());
    let drawn = |name: &String| {
        let luck = |nth| draws.unit(NameHash::of(name).0, nth);
        (luck(0) < nat.share && relay != Some(name))
            .then(|| (cast.id(name), luck(1) < nat.forwarding))
    };
    let named = cast.named.iter().filter_map(|(name, place)| match plan.hosts[*place].nat {
        HostNat::None => None,
        HostNat::Closed => Some((cast.id(name), false)),
        HostNat::Forwarding => Some((cast.id(name), true)),
    });
    cast.generated.iter().filter_map(drawn).chain(named).collect()
}

/// The members whose hosts do not answer to everything. It hangs on a member's name and the seed
/// alone; members stand in their order, generated ones before named ones.
pub(super) fn firewalls(plan: &Plan, cast: &Cast, seed: u64) -> BTreeMap<MemberId, HostFirewall> {
    let draws = Draws::new(seed, Purpose::Setup);
    let FirewallPlan { drops, rejects } =
        plan.network.firewall.unwrap_or(FirewallPlan { drops: 0.0, rejects: 0.0 });
    // The first two draws of a name are its translator's.
    let drawn = |name: &String| match draws.unit(NameHash::of(name).0, 2) {
        luck if luck < drops => HostFirewall::Drops,
        luck if luck < drops + rejects => HostFirewall::Rejects,
        _ => HostFirewall::Answers,
    };
    let named = cast.named.iter().map(|(_, place)| plan.hosts[*place].firewall);
    let all = (0..).map(MemberId).zip(cast.generated.iter().map(drawn).chain(named));
    all.filter(|(_, firewall)| *firewall != HostFirewall::Answers).collect()
}
