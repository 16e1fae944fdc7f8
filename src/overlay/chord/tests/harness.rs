//! Chord in the conformance suite, and what its own tests ask of the suite's network.

use std::sync::Arc;

use crate::overlay::chord::codec::{decode, encode};
use crate::overlay::chord::{Chord, Config, Message, Routing, converged};
use crate::overlay::conformance::{self, Subject, conformance};
use crate::overlay::ring::RingReport;
use crate::overlay::{Contact, Directory, NodeRef, RingId};
use crate::rng::{Draws, Purpose};
use crate::time::SimDuration;

pub(super) use crate::overlay::conformance::network::{DELAY, directory};

/// Some Chord nodes.
pub(super) type Net = conformance::Net<Chord>;

conformance!(suite, crate::overlay::chord::Chord);

pub(super) fn config() -> Config {
    Config::new(Draws::new(42, Purpose::Protocol))
}

impl Net {
    /// What is broken in the ring of the up members.
    pub(super) fn report(&self) -> RingReport {
        let members = self.members();
        let views: Vec<_> = members.iter().map(|&i| self.node(i).view()).collect();
        RingReport::of(&views)
    }
}

impl Subject for Chord {
    type Config = Config;

    /// Ten rounds of stabilise: lists of eight are right, and replicas follow in the next.
    const REPAIRED: SimDuration = SimDuration::from_secs(200);
    /// A crashed finger stays until its look-up fails or its round comes, 120 s at most: about four
    /// of 30 nodes. Iterative look-ups go around it, forwarded ones are lost there.
    const RIGHT_UNDER_CHURN: usize = 75;
    const RIGHT_IN_FOUL_WEATHER: usize = 75;

    fn configs() -> Vec<Config> {
        vec![config(), Config { routing: Routing::Recursive, ..config() }]
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
        key.distance_to(node)
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
