//! What the suite has to know of full membership.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FullMembership, Message};
use crate::overlay::conformance::Subject;
use crate::overlay::kademlia::codec;
use crate::overlay::{Contact, Directory, Facts as _, NodeRef, Operations, OverlayId, RingId};
use crate::time::SimDuration;

impl Subject for FullMembership {
    type Config = ();

    const REPAIRED: SimDuration = SimDuration::from_secs(60);
    /// A crash is known to all after 5 to 10 s, and every fourth look-up follows one within 15 s.
    const RIGHT_UNDER_CHURN: usize = 90;
    const RIGHT_IN_FOUL_WEATHER: usize = 80;
    /// Each greets only the next one, so that whoever left unheard stays known elsewhere.
    const REPAIRS_LOSSES: bool = false;

    fn replicas(members: usize) -> usize {
        members
    }
    fn configs() -> Vec<()> {
        vec![()]
    }
    fn id_bits((): &()) -> u8 {
        160
    }
    fn outside(me: NodeRef, id: RingId, _: &Arc<()>) -> Self {
        Self::new(me, id, Operations::default())
    }
    fn converged(nodes: &[NodeRef], facts: &Directory, config: &Arc<()>) -> Vec<Self> {
        let ids = nodes.iter().map(|&node| (facts.contact(node).id, node));
        let all: BTreeMap<RingId, NodeRef> = ids.clone().collect();
        ids.map(|(id, me)| {
            let mut node = Self { others: all.clone(), ..Self::outside(me, id, config) };
            (_, node.identity) = (node.others.remove(&id), Some(OverlayId(7)));
            node
        })
        .collect()
    }
    fn distance(key: RingId, node: RingId) -> u64 {
        key.distance_to(node)
    }
    fn records(&self) -> usize {
        self.records.len()
    }
    fn encode(message: &Message, facts: &Directory) -> Vec<u8> {
        codec::encode(message, facts)
    }
    fn decode(octets: &[u8], intern: &mut impl FnMut(Contact) -> NodeRef) -> Message {
        codec::decode(octets, intern).unwrap_or_else(|error| panic!("{error}"))
    }
}
