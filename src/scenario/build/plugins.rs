//! The overlay's plug-in with its parameters.

use std::sync::Arc;

use crate::overlay::{bamboo, chord, kademlia, plugin};
use crate::rng::{Draws, Purpose};
use crate::scenario::plan::{
    BambooPlan, ChordPlan, FingersPerRound, KademliaPlan, PluginPlan, Routing,
};

pub(super) fn config(plan: &PluginPlan, seed: u64) -> plugin::Config {
    match plan {
        PluginPlan::Chord(chosen) => plugin::Config::Chord(Arc::new(chord_config(chosen, seed))),
        PluginPlan::Bamboo(chosen) => plugin::Config::Bamboo(Arc::new(bamboo_config(chosen, seed))),
        PluginPlan::Kademlia(chosen) => {
            plugin::Config::Kademlia(Arc::new(kademlia_config(chosen, seed)))
        }
    }
}

fn kademlia_config(chosen: &KademliaPlan, seed: u64) -> kademlia::Config {
    let small = |n: u32| u8::try_from(n).expect("the check keeps it below 256");
    kademlia::Config {
        id_bits: small(chosen.id_bits),
        bucket_size: small(chosen.bucket_size),
        siblings: small(chosen.siblings),
        parallelism: small(chosen.parallelism),
        replacements: small(chosen.replacements),
        refresh: chosen.refresh,
        republish: chosen.republish,
        rpc_timeout: chosen.rpc_timeout,
        tries: small(chosen.tries),
        replicas: small(chosen.replicas),
        draws: Draws::new(seed, Purpose::Protocol),
    }
}

fn bamboo_config(chosen: &BambooPlan, seed: u64) -> bamboo::Config {
    let small = |n: u32| u8::try_from(n).expect("the check keeps it below 256");
    let mut config = bamboo::Config::new(Draws::new(seed, Purpose::Protocol));
    config.id_bits = small(chosen.id_bits);
    config.digit_bits = small(chosen.digit_bits);
    config.leaves = small(chosen.leaves);
    config.leaf_exchange = chosen.leaf_exchange;
    config.local_tuning = chosen.local_tuning;
    config.global_tuning = chosen.global_tuning;
    config.proximity = chosen.proximity;
    config.initial_timeout = chosen.rpc_timeout;
    config.min_timeout = chosen.min_timeout;
    config.max_timeout = chosen.max_timeout;
    config.tries = small(chosen.tries);
    config.replicas = small(chosen.replicas);
    config
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
    config.tries = small(chosen.tries);
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
