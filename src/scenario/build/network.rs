//! The network between the hosts, and the parameters of the overlay on it.

use super::{BuildError, chord_plan, model_error};
use crate::net::{self, Latency, Network, TopologyParameters};
use crate::overlay::chord;
use crate::rng::{Draws, NameHash, Purpose};
use crate::scenario::build::cast::Cast;
use crate::scenario::plan::{self, FingersPerRound, LatencyPlan, Plan, Routing};
use crate::time::{SimDuration, SimTime};
use crate::world::epoch_of;

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
        },
        epoch: epoch_of(end.since(SimTime::ZERO)),
        tick: SimDuration::from_millis(1),
    };
    let names: Vec<NameHash> = cast.names.iter().map(|name| NameHash::of(name)).collect();
    Ok(Network::new(settings, &names))
}

pub(super) fn chord_config(plan: &Plan, seed: u64) -> chord::Config {
    let chosen = chord_plan(plan);
    let small = |n: u32| u8::try_from(n).expect("the check keeps it below 256");
    let mut config = chord::Config::new(Draws::new(seed, Purpose::Protocol));
    config.id_bits = small(chosen.id_bits);
    config.successors = small(chosen.successors);
    config.stabilize = chosen.stabilize;
    config.fix_fingers = chosen.fix_fingers;
    config.check_predecessor = chosen.check_predecessor;
    config.rpc_timeout = chosen.rpc_timeout;
    config.replicas = small(chosen.replicas);
    config.routing = match chosen.routing {
        Routing::Iterative => chord::Routing::Iterative,
        Routing::Recursive => chord::Routing::Recursive,
    };
    config.fingers_per_round = match chosen.fingers_per_round {
        FingersPerRound::All => chord::FingersPerRound::All,
        FingersPerRound::Count(count) => chord::FingersPerRound::Number(small(count)),
    };
    config
}
