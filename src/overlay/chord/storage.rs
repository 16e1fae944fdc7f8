//! Records: one a key, held by the owner and the owner's next successors.
//!
//! The owner sends a new record to its replicas at once, and all that it owns whenever its
//! neighbours changed since the last stabilise round. A new predecessor is handed what it owns
//! now; the copies stay behind as replicas until their lifetime ends. Renewing is the publisher's
//! business.

use smallvec::SmallVec;

use super::message::{Header, Small};
use super::{Chord, ChordTimer, Large};
use crate::address::Endpoint;
use crate::overlay::records::{Records, Verdict, WireRecord};
use crate::overlay::{DhtContext, NodeRef, RingId};

/// The records of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    pub(super) records: Records,
    /// Whether neighbours changed since the replicas were brought up to date.
    pub(super) unsynced: bool,
}

impl Chord {
    /// Stores as the owner, and sends the record to the replicas.
    pub(super) fn store_owned<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        record: WireRecord,
    ) -> Verdict {
        let key = record.key;
        let verdict = self.storage.records.store(record, ctx.now());
        if verdict == Verdict::Stored {
            self.expire_records(ctx);
            for replica in self.replicas() {
                self.send_records(ctx, replica, |held| held == key);
            }
        }
        verdict
    }

    /// Holds what an owner sent, or the former owner.
    pub(super) fn hold<C: DhtContext<Self>>(&mut self, ctx: &mut C, records: Vec<WireRecord>) {
        for record in records {
            self.storage.records.store(record, ctx.now());
        }
        self.expire_records(ctx);
    }

    /// Drops what is over and sets the timer for the next one.
    pub(super) fn expire_records<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        match self.storage.records.expire(ctx.now()) {
            Some(next) => ctx.set(ChordTimer::Expire, next),
            None => ctx.cancel(ChordTimer::Expire),
        }
    }

    pub(super) fn on_fetch<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        header: Header,
        key: RingId,
    ) {
        match self.storage.records.fetch(key, ctx.now()) {
            Some(record) => ctx.send(from, Large::Fetched(header, record).into()),
            None => ctx.send(from, Small::NoRecord(header).into()),
        }
    }

    /// The successors that hold what this node owns.
    fn replicas(&self) -> SmallVec<[NodeRef; 4]> {
        let others = usize::from(self.config.replicas) - 1;
        self.table.successors().iter().take(others).copied().collect()
    }

    /// Brings the replicas up to date if neighbours changed.
    #[inline]
    pub(super) fn synchronize<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        if !self.storage.unsynced || self.storage.records.is_empty() {
            return;
        }
        // Without a predecessor it can't tell what it owns yet.
        let Some(predecessor) = self.table.predecessor else { return };
        self.storage.unsynced = false;
        let (from, to) = (ctx.contact(predecessor).id, self.table.id);
        for replica in self.replicas() {
            self.send_records(ctx, replica, |key| key.is_owned_by(from, to));
        }
    }

    /// Sends a node that is about to become the predecessor all that this one does not own then. That
    /// is more than what lies between the former predecessor and the new one: the former may have
    /// died, and what it owned is among the replicas here.
    pub(super) fn hand_over<C: DhtContext<Self>>(&mut self, ctx: &mut C, heir: NodeRef) {
        if self.storage.records.is_empty() {
            return;
        }
        self.storage.unsynced = true;
        let (heir_id, own) = (ctx.contact(heir).id, self.table.id);
        self.send_records(ctx, heir, |key| !key.is_owned_by(heir_id, own));
    }

    /// Sends the records whose keys are chosen, in batches.
    pub(super) fn send_records<C: DhtContext<Self>>(
        &self,
        ctx: &mut C,
        to: NodeRef,
        chosen: impl Fn(RingId) -> bool,
    ) {
        let endpoint = ctx.contact(to).endpoint;
        let (header, overlay) = (self.header(), self.overlay());
        let chosen = self.storage.records.batches(header.id_octets(), ctx.now(), chosen);
        for records in chosen {
            ctx.send(endpoint, Large::Replicate(header, overlay, records).into());
        }
    }
}
