//! The network between the hosts.

use std::sync::Arc;

use super::{BuildError, model_error, nat};
use crate::net::{self, Coordinates, Latency, Network, TopologyParameters};
use crate::rng::NameHash;
use crate::scenario::build::cast::Cast;
use crate::scenario::plan::{self, Enclosure, LatencyPlan, Plan};
use crate::time::{SimDuration, SimTime};
use crate::world::epoch_of;

/// What a file holds.
pub(super) fn what<T>(file: &Enclosure<T>) -> Result<&Arc<T>, BuildError> {
    file.what().ok_or_else(|| BuildError::Unread(file.path.display().to_string()))
}

fn placed(coordinates: Coordinates) -> Latency {
    Latency::Coordinates(Box::new(coordinates))
}

pub(super) fn network(
    plan: &Plan,
    cast: &Cast,
    seed: u64,
    end: SimTime,
) -> Result<crate::world::host::WorldNetwork, BuildError> {
    let latency = match &plan.network.latency {
        LatencyPlan::Constant { value } => Latency::constant(*value),
        LatencyPlan::Uniform { min, max } => Latency::uniform(seed, *min, *max),
        LatencyPlan::LogNormal { median, sigma } => Latency::lognormal(seed, *median, *sigma),
        LatencyPlan::Topology(topology) => {
            let small = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
            let parameters = TopologyParameters {
                routers: small(topology.routers),
                links: small(topology.links),
                link_min: topology.min_link,
                link_max: topology.max_link,
                access_min: topology.access,
                access_max: topology.access,
            };
            Latency::topology(seed, &parameters)
        }
        LatencyPlan::Graph(plan) => Ok(Latency::graph(seed, what(&plan.file)?, plan.access)),
        LatencyPlan::Placed(placement) => Coordinates::drawn(seed, *placement).map(placed),
        LatencyPlan::Listed(file) => {
            Ok(placed(Coordinates::listed(seed, what(file)?.as_ref().clone())))
        }
    }
    .map_err(model_error)?;
    let settings = net::Settings {
        seed,
        latency,
        jitter: plan.network.jitter,
        loss: plan.network.loss,
        departed_hosts: match plan.network.departed_hosts {
            plan::DepartedHosts::Silent => net::DepartedHosts::Silent,
            plan::DepartedHosts::Unreachable => net::DepartedHosts::Unreachable,
            plan::DepartedHosts::Reassigned => net::DepartedHosts::Reassigned,
        },
        epoch: epoch_of(end.since(SimTime::ZERO)),
        tick: SimDuration::from_millis(1),
    };
    let names: Vec<NameHash> = cast.names.iter().map(|name| NameHash::of(name)).collect();
    let mut network = Network::new(settings, &names);
    nat::hinder(&mut network, plan, cast, seed);
    Ok(network)
}
