//! Records: each on the nodes that are closest to its key.
//!
//! The owner, the closest, sends a new record to the others at once. After a change of the leaf set
//! every holder sees at the next exchange of leaf sets who should have a record now: the owner
//! brings the others up to date, and whoever is not the owner brings the owner up to date. Copies
//! that have become too many stay until their lifetime ends. Renewing is the publisher's business.

use smallvec::SmallVec;

use super::message::Message;
use super::{Bamboo, BambooTimer};
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::{DhtContext, NodeRef, RingId};

impl Bamboo {
    /// Stores as the owner, and sends the record to the replicas.
    pub(super) fn store_owned<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        record: WireRecord,
    ) -> Verdict {
        let key = record.key;
        let verdict = self.records.store(record, ctx.now());
        if verdict == Verdict::Stored {
            self.expire_records(ctx);
            for node in self.leaves.closest(key, usize::from(self.config.replicas), ctx) {
                self.send_records(ctx, node, |held| held == key);
            }
        }
        verdict
    }

    /// Holds what another node sent.
    pub(super) fn hold<C: DhtContext<Self>>(&mut self, ctx: &mut C, records: Vec<WireRecord>) {
        for record in records {
            self.records.store(record, ctx.now());
        }
        self.expire_records(ctx);
    }

    /// Drops what is over and sets the timer for the next one.
    pub(super) fn expire_records<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        match self.records.expire(ctx.now()) {
            Some(next) => ctx.set(BambooTimer::Expire, next),
            None => ctx.cancel(BambooTimer::Expire),
        }
    }

    /// After a change of the leaf set: who should have what is held here?
    pub(super) fn synchronize<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        if !self.unsynced || self.records.is_empty() {
            return;
        }
        self.unsynced = false;
        let me = self.leaves.me;
        let count = usize::from(self.config.replicas);
        let mut due: Vec<(NodeRef, RingId)> = Vec::new();
        for key in self.records.keys() {
            let closest = self.leaves.closest(key, count, ctx);
            match closest.first() {
                Some(&owner) if owner != me => due.push((owner, key)),
                _ => due.extend(closest.into_iter().skip(1).map(|node| (node, key))),
            }
        }
        self.send_due(ctx, due);
    }

    /// A node has come: it is sent what it owns from now on and this node owned before.
    pub(super) fn hand_over<C: DhtContext<Self>>(&mut self, ctx: &mut C, heir: NodeRef) {
        let me = self.leaves.me;
        let owned: SmallVec<[RingId; 8]> = self
            .records
            .keys()
            .filter(|&key| self.leaves.closest(key, 2, ctx)[..] == [heir, me])
            .collect();
        self.send_records(ctx, heir, |key| owned.contains(&key));
    }

    /// This node goes: each record to whoever owns it then.
    pub(super) fn bequeath<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        let me = self.leaves.me;
        let heir = |key| {
            let closest = self.leaves.closest(key, 2, ctx);
            closest.into_iter().find(|&node| node != me).map(|node| (node, key))
        };
        let due = self.records.keys().filter_map(heir).collect();
        self.send_due(ctx, due);
    }

    /// Sends records, all that one node is due together.
    fn send_due<C: DhtContext<Self>>(&self, ctx: &mut C, mut due: Vec<(NodeRef, RingId)>) {
        due.sort_unstable();
        for chunk in due.chunk_by(|a, b| a.0 == b.0) {
            let listed = |key| chunk.binary_search(&(chunk[0].0, key)).is_ok();
            self.send_records(ctx, chunk[0].0, listed);
        }
    }

    /// Sends the records whose keys are chosen, in batches; to this node itself nothing.
    fn send_records<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        to: NodeRef,
        chosen: impl Fn(RingId) -> bool,
    ) {
        if to == self.leaves.me || self.records.is_empty() {
            return;
        }
        let endpoint = ctx.contact(to).endpoint;
        let (header, overlay) = (self.header(true), self.overlay());
        for records in self.records.batches(header.id_octets(), ctx.now(), chosen) {
            ctx.send(endpoint, Message::Replicate(header, overlay, records));
        }
    }
}
