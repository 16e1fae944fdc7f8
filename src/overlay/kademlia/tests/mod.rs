//! Kademlia among its like, its octets, and the cost and length of its look-ups.

mod behaviour;
mod codec;

use std::sync::Arc;

use crate::overlay::conformance::{self, Subject, conformance};
use crate::overlay::kademlia::codec::{decode, encode};
use crate::overlay::kademlia::{Config, Kademlia, Message, converged, distance};
use crate::overlay::{Contact, Directory, NodeRef, RingId};
use crate::rng::{Draws, Purpose};
use crate::time::SimDuration;

/// Some Kademlia nodes.
type Net = conformance::Net<Kademlia>;

conformance!(suite, crate::overlay::kademlia::Kademlia);

fn config() -> Config {
    Config::new(Draws::new(42, Purpose::Protocol))
}

impl Subject for Kademlia {
    type Config = Config;

    /// The dead are met within two rounds of refresh (2,000 s), the records sent again within two
    /// hours: each holder waits for one in which nobody sent them.
    const REPAIRED: SimDuration = SimDuration::from_secs(9_300);
    /// Those closest to the key are asked themselves, so that a dead owner is not named.
    const RIGHT_UNDER_CHURN: usize = 95;
    const RIGHT_IN_FOUL_WEATHER: usize = 90;

    fn configs() -> Vec<Config> {
        vec![
            config(),
            Config { bucket_size: 20, siblings: 4, parallelism: 1, id_bits: 32, ..config() },
        ]
    }
    fn id_bits(config: &Config) -> u8 {
        config.id_bits
    }
    fn outside(me: NodeRef, id: RingId, config: &Arc<Config>) -> Self {
        Self::new(me, id, Arc::clone(config))
    }
    fn converged(nodes: &[NodeRef], facts: &Directory, config: &Arc<Config>) -> Vec<Self> {
        converged(nodes, facts, config).expect("positions are distinct")
    }
    fn distance(key: RingId, node: RingId) -> u64 {
        distance(key, node)
    }
    fn records(&self) -> usize {
        Self::records(self)
    }
    fn encode(message: &Message, facts: &Directory) -> Vec<u8> {
        encode(message, facts)
    }
    fn decode(octets: &[u8], intern: &mut impl FnMut(Contact) -> NodeRef) -> Message {
        decode(octets, intern).unwrap_or_else(|error| panic!("{error}"))
    }
}
