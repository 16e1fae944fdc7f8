//! Bamboo's messages in words.

use super::Words;
use crate::overlay::bamboo::message::{Errand, Passage};
use crate::overlay::bamboo::{BambooTimer, Message};
use crate::overlay::records::{Verdict, WireRecord};

impl Words<'_> {
    pub(super) fn bamboo(&self, message: &Message) -> String {
        format!("Bamboo {}", self.bamboo_message(message))
    }

    fn bamboo_message(&self, message: &Message) -> String {
        use Message as M;
        let list = |nodes: &crate::overlay::wire::NodeList| self.list(nodes.iter().copied());
        match message {
            M::Ping(..) => "ping".to_owned(),
            M::Pong(_) => "pong".to_owned(),
            M::Ack(_) => "arrived".to_owned(),
            M::Leaves(_, _, _, nodes) => format!("my leaves are {}; yours?", list(nodes)),
            M::LeavesReply(_, nodes) => format!("my leaves are {}", list(nodes)),
            M::RowRequest(_, _, row, _) => format!("who is in your row {row}?"),
            M::Row(_, nodes) | M::JoinRow(_, _, nodes) => format!("in my row: {}", list(nodes)),
            M::Route(header, _, passage) => {
                let Passage { key, origin, errand, .. } = *passage;
                let what = match errand {
                    Errand::Find => "route",
                    Errand::Join => "join",
                };
                format!("{what} {key} for {}, hop {}", (self.node)(origin), header.hops())
            }
            M::Found(_, _, _, nodes) => format!("found: {}", list(nodes)),
            M::Welcome(_, _, node, _, nodes) => {
                format!("welcome by {}: leaves {}", (self.node)(*node), list(nodes))
            }
            M::Refused(_) => "refused: the position is taken".to_owned(),
            M::Leaving(_, _, node, nodes) => {
                format!("leaving: {} goes, its leaves are {}", (self.node)(*node), list(nodes))
            }
            M::Store(_, _, one) => format!("store {}", record(one)),
            M::StoreReply(_, Verdict::Stored) => "stored".to_owned(),
            M::StoreReply(_, Verdict::Outdated) => "not stored: outdated".to_owned(),
            M::Fetch(_, _, key) => format!("fetch {key}"),
            M::Fetched(_, one) => format!("fetched {}", record(one)),
            M::NoRecord(_) => "no record".to_owned(),
            M::Replicate(_, _, records) => {
                let records: Vec<_> = records.iter().map(record).collect();
                format!("replicate {}", records.join(", "))
            }
        }
    }
}

/// A timer.
pub(super) fn timer(timer: BambooTimer) -> &'static str {
    match timer {
        BambooTimer::Leaves => "exchange leaf sets",
        BambooTimer::LocalTuning => "tune locally",
        BambooTimer::GlobalTuning => "tune globally",
        BambooTimer::Expire => "records expire",
        BambooTimer::Rpc(_) => "a Bamboo request is not answered",
    }
}

fn record(record: &WireRecord) -> String {
    let WireRecord { key, version, lifetime, .. } = record;
    format!("{key} version {version} for {lifetime} s")
}
