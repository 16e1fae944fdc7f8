//! The overlay's plug-in with its parameters.

use std::sync::Arc;

use crate::overlay::{chord, plugin};
use crate::rng::{Draws, Purpose};
use crate::scenario::plan::{ChordPlan, FingersPerRound, PluginPlan, Routing};

pub(super) fn config(plan: &PluginPlan, seed: u64) -> plugin::Config {
    match plan {
        PluginPlan::Chord(chosen) => plugin::Config::Chord(Arc::new(chord_config(chosen, seed))),
    }
}

fn chord_config(chosen: &ChordPlan, seed: u64) -> chord::Config {
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
