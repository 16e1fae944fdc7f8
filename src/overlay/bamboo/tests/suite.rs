//! Bamboo in the conformance suite.

use std::sync::Arc;

use crate::overlay::bamboo::codec::{decode, encode};
use crate::overlay::bamboo::leaf_set::closeness;
use crate::overlay::bamboo::{Bamboo, Config, Message, converged};
use crate::overlay::conformance::{self, Subject, conformance};
use crate::overlay::ring::RingReport;
use crate::overlay::{Contact, Directory, NodeRef, RingId};
use crate::rng::{Draws, Purpose};
use crate::time::SimDuration;

/// Some Bamboo nodes.
pub(super) type Net = conformance::Net<Bamboo>;

conformance!(conforms, crate::overlay::bamboo::Bamboo);

pub(super) fn config() -> Config {
    Config::new(Draws::new(42, Purpose::Protocol))
}

impl Subject for Bamboo {
    type Config = Config;

    /// A round of local tuning: 40 nodes have about 18 entries, each is asked every 10 s in turn.
    const REPAIRED: SimDuration = SimDuration::from_secs(300);
    const RIGHT_UNDER_CHURN: usize = 85;
    const RIGHT_IN_FOUL_WEATHER: usize = 90;
    const LEARNS_TO_WAIT: bool = true;

    fn configs() -> Vec<Config> {
        vec![
            config(),
            Config { leaves: 8, digit_bits: 3, ..config() },
            Config { id_bits: 24, digit_bits: 1, proximity: false, ..config() },
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
        closeness(key, node).0
    }
    fn records(&self) -> usize {
        Self::records(self)
    }
    fn flaw(members: &[&Self]) -> Option<String> {
        let views: Vec<_> = members.iter().map(|member| member.view()).collect();
        let report = RingReport::of(&views);
        (!report.is_perfect()).then(|| report.to_string())
    }
    fn encode(message: &Message, facts: &Directory) -> Vec<u8> {
        encode(message, facts)
    }
    fn decode(octets: &[u8], intern: &mut impl FnMut(Contact) -> NodeRef) -> Message {
        decode(octets, intern).unwrap_or_else(|error| panic!("{error}"))
    }
}
