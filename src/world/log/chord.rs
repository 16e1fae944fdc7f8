//! Chord's messages in words.

use super::Words;
use crate::overlay::RingId;
use crate::overlay::chord::message::{Key, Large, Small, Verdict, WireRecord};
use crate::overlay::chord::{ChordTimer, Message};

impl Words<'_> {
    pub(super) fn chord(&self, message: &Message) -> String {
        match message {
            Message::Small(small) => format!("Chord {}", self.small(*small)),
            Message::Large(large) => format!("Chord {}", self.large(large)),
        }
    }

    fn small(&self, small: Small) -> String {
        use Small as S;
        match small {
            S::Ping(..) => "ping".to_owned(),
            S::Pong(_) => "pong".to_owned(),
            S::Stabilize(..) => "stabilize: who are your neighbours?".to_owned(),
            S::Neighbours(_, before, after) => {
                format!("neighbours: {} before, {} after", self.maybe(before), self.maybe(after))
            }
            S::Notify(_, node, _) => format!("notify: {} may precede you", (self.node)(node)),
            S::NewSuccessor(_, node, _) => {
                format!("new successor: {}", (self.node)(node))
            }
            S::Find(_, key, _) => format!("find {}", chord_key(key)),
            S::Closer(_, best) => format!("closer: {}", self.list(best.into_iter().flatten())),
            S::Found(_, best) => format!("found: {}", self.list(best.into_iter().flatten())),
            S::Route(header, key, origin) => format!(
                "route {} for {}, hop {}",
                chord_key(key),
                (self.node)(origin),
                header.hops()
            ),
            S::Join(_, node) => format!("join: let {} in", (self.node)(node)),
            S::Refused(_, node) => format!("refused: try {}", self.maybe(node)),
            S::Leaving(_, node, heir, _) => {
                format!("leaving: {} goes, {} takes its place", (self.node)(node), self.maybe(heir))
            }
            S::Fetch(_, key, _) => format!("fetch {}", chord_key(key)),
            S::NoRecord(_) => "no record".to_owned(),
            S::StoreReply(_, Verdict::Stored) => "stored".to_owned(),
            S::StoreReply(_, Verdict::Outdated) => "not stored: outdated".to_owned(),
        }
    }

    fn large(&self, large: &Large) -> String {
        match large {
            Large::NeighbourList(_, before, after) => {
                let (before, after) = (self.maybe(*before), self.list(after.iter().copied()));
                format!("neighbours: {before} before, {after} after")
            }
            Large::Welcome(_, _, before, after) => {
                let (before, after) = (self.maybe(*before), self.list(after.iter().copied()));
                format!("welcome: {before} before, {after} after")
            }
            Large::Store(_, _, one) => format!("store {}", record(one)),
            Large::Replicate(_, _, records) => {
                let records: Vec<_> = records.iter().map(record).collect();
                format!("replicate {}", records.join(", "))
            }
            Large::Fetched(_, one) => format!("fetched {}", record(one)),
            Large::FindAround(_, _, key, silent) => {
                let silent = self.list(silent.iter().copied());
                format!("find {key} around {silent}")
            }
        }
    }
}

/// A timer.
pub(super) fn timer(timer: ChordTimer) -> &'static str {
    match timer {
        ChordTimer::Stabilize => "stabilize",
        ChordTimer::FixFingers => "fix fingers",
        ChordTimer::CheckPredecessor => "check the predecessor",
        ChordTimer::Expire => "records expire",
        ChordTimer::Rpc(_) => "a Chord request is not answered",
    }
}

fn chord_key(key: Key) -> String {
    RingId::from(key).to_string()
}

fn record(record: &WireRecord) -> String {
    let WireRecord { key, version, lifetime, .. } = record;
    format!("{key} version {version} for {lifetime} s")
}
