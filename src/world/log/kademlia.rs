//! Kademlia's messages in words.

use super::Words;
use crate::overlay::kademlia::{KademliaTimer, Message};
use crate::overlay::records::{Verdict, WireRecord};

impl Words<'_> {
    pub(super) fn kademlia(&self, message: &Message) -> String {
        use Message as M;
        let list = |nodes: &crate::overlay::wire::NodeList| self.list(nodes.iter().copied());
        let what = match message {
            M::Ping(..) => "ping".to_owned(),
            M::Pong(_) => "pong".to_owned(),
            M::FindNode(_, _, key) => format!("find node {key}"),
            M::Nodes(_, _, nodes) => format!("closest: {}", list(nodes)),
            M::FindValue(_, _, key) => format!("find value {key}"),
            M::Value(_, one, nodes) => {
                format!("value {}; closest: {}", record(one), list(nodes))
            }
            M::Store(_, _, one) => format!("store {}", record(one)),
            M::Stored(_, Verdict::Stored) => "stored".to_owned(),
            M::Stored(_, Verdict::Outdated) => "not stored: outdated".to_owned(),
            M::Replicate(_, _, records) => {
                let records: Vec<_> = records.iter().map(record).collect();
                format!("replicate {}", records.join(", "))
            }
            M::Leaving(_, sender) => format!("leaving: {} goes", (self.node)(sender.node)),
        };
        format!("Kademlia {what}")
    }
}

/// A timer.
pub(super) fn timer(timer: KademliaTimer) -> &'static str {
    match timer {
        KademliaTimer::Rpc => "a Kademlia request is not answered",
        KademliaTimer::Refresh => "refresh buckets",
        KademliaTimer::Republish => "send records again",
        KademliaTimer::Expire => "records expire",
    }
}

fn record(record: &WireRecord) -> String {
    let WireRecord { key, version, lifetime, .. } = record;
    format!("{key} version {version} for {lifetime} s")
}
