//! Records: put at the owner, then at the others closest to the key.
//!
//! The owner decides on the version; when it has stored the record, the publisher sends it to the
//! next closest. A node that hears of a new sibling sends it the records that belong there, if it is
//! itself the closest of those that hold them (section 2.5 of the paper); and each holder sends its
//! records to the closest nodes once in a [`republish`](super::Config::republish) period, those left
//! out that it was sent within that period: so one of the holders does it for all. What is
//! held longer than it belongs there stays until its lifetime ends, so that an old version may be
//! found on the way; a look-up for a record therefore goes on until the closest node has answered.

use std::collections::BTreeMap;

use super::message::Message;
use super::{Kademlia, KademliaTimer, Work};
use crate::address::Endpoint;
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::wire::Header;
use crate::overlay::{DhtContext, NodeRef, OperationId, PutOutcome, RingId, Upcall, Upcalls};

/// A record on its way to its owner.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) id: OperationId,
    pub(super) record: WireRecord,
    /// Those that live, the closest to the key first. The first is asked.
    pub(super) closest: Vec<NodeRef>,
}

impl Kademlia {
    /// Stores a record with the closest node that is left.
    pub(super) fn store_at_next<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        put: Put,
        ups: &mut Upcalls,
    ) {
        match put.closest.first() {
            Some(&owner) if owner == self.table.me => {
                let verdict = self.store(ctx, put.record.clone());
                self.stored(ctx, put, verdict, ups);
            }
            Some(&owner) if !self.pending.is_full() => {
                let record = put.record.clone();
                let to = (ctx.contact(owner).endpoint, Some(owner));
                let store = |header, sender| Message::Store(header, sender, record);
                self.request(ctx, to, false, Work::Store(Box::new(put)), store);
            }
            _ => ups.push(Upcall::PutDone { id: put.id, outcome: PutOutcome::Failed }),
        }
    }

    /// The owner has decided.
    pub(super) fn stored<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        put: Put,
        verdict: Verdict,
        ups: &mut Upcalls,
    ) {
        ups.push(Upcall::PutDone { id: put.id, outcome: verdict.into() });
        if verdict == Verdict::Outdated {
            return;
        }
        for &node in put.closest.iter().take(usize::from(self.config.replicas)).skip(1) {
            if node == self.table.me {
                self.store(ctx, put.record.clone());
            } else {
                self.replicate(ctx, node, vec![put.record.clone()]);
            }
        }
    }

    /// Holds a record.
    pub(super) fn store<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        record: WireRecord,
    ) -> Verdict {
        let key = record.key;
        let verdict = self.records.store(record, ctx.now());
        if verdict == Verdict::Stored {
            self.received.insert(key, ctx.now());
        }
        self.expire(ctx);
        verdict
    }

    /// Drops what is over and sets the timer for the next one.
    pub(super) fn expire<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        match self.records.expire(ctx.now()) {
            Some(next) => ctx.set(KademliaTimer::Expire, next),
            None => ctx.cancel(KademliaTimer::Expire),
        }
    }

    pub(super) fn on_find_value<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        from: Endpoint,
        header: Header,
        asker: NodeRef,
        key: RingId,
    ) {
        let nodes = self.named_to(ctx, asker, key);
        let answer = match self.records.fetch(key, ctx.now()) {
            Some(record) => Message::Value(header, record, nodes),
            None => Message::Nodes(header, self.overlay(), nodes),
        };
        ctx.send(from, answer);
    }

    fn replicate<C: DhtContext<Self>>(&self, ctx: &mut C, to: NodeRef, records: Vec<WireRecord>) {
        let message = Message::Replicate(self.header(), self.sender(), records);
        ctx.send(ctx.contact(to).endpoint, message);
    }

    /// Sends a node the records with these keys.
    fn send_records<C: DhtContext<Self>>(&self, ctx: &mut C, to: NodeRef, keys: &[RingId]) {
        let chosen = |key| keys.contains(&key);
        for batch in self.records.batches(self.config.id_octets(), ctx.now(), chosen) {
            self.replicate(ctx, to, batch);
        }
    }

    /// Sends a new neighbour what belongs there, where this node is the closest of the others.
    pub(super) fn hand_over<C: DhtContext<Self>>(&self, ctx: &mut C, heir: NodeRef) {
        let replicas = usize::from(self.config.replicas);
        let belongs = |key: &RingId| {
            let closest = self.table.closest(*key, replicas, true, ctx);
            let first = closest.iter().find(|&&node| node != heir);
            closest.contains(&heir) && first == Some(&self.table.me)
        };
        let keys: Vec<RingId> = self.records.keys().filter(belongs).collect();
        self.send_records(ctx, heir, &keys);
    }

    /// Sends the records that are due to the nodes closest to them.
    pub(super) fn republish<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let (now, period) = (ctx.now(), self.config.republish);
        self.received.retain(|_, at| now.since(*at) < period);
        self.send_all(ctx, false, |key| !self.received.contains_key(&key));
    }

    /// Sends records to the nodes closest to them; when this node goes, to those that are closest
    /// without it.
    pub(super) fn send_all<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        leaves: bool,
        chosen: impl Fn(RingId) -> bool,
    ) {
        let replicas = usize::from(self.config.replicas);
        let mut by_node: BTreeMap<NodeRef, Vec<RingId>> = BTreeMap::new();
        for key in self.records.keys().filter(|&key| chosen(key)) {
            for node in self.table.closest(key, replicas, !leaves, ctx) {
                by_node.entry(node).or_default().push(key);
            }
        }
        by_node.remove(&self.table.me);
        for (node, keys) in by_node {
            self.send_records(ctx, node, &keys);
        }
    }
}
