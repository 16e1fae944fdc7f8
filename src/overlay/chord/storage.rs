//! Records: one a key, held by the owner and the owner's next successors.
//!
//! The owner sends a new record to its replicas at once, and all that it owns whenever its
//! neighbours changed since the last stabilise round. A new predecessor is handed what it owns
//! now; the copies stay behind as replicas until their lifetime ends. Renewing is the publisher's
//! business.

#[cfg(not(feature = "hash-order"))]
use std::collections::BTreeMap as Map;
/// On purpose broken: records are sent in an order that is another one in every process, and in
/// every map. `overcord verify` has to find it.
#[cfg(feature = "hash-order")]
use std::collections::HashMap as Map;

use smallvec::SmallVec;

use super::message::{Header, Small, Verdict, WireRecord};
use super::{Chord, ChordTimer, Large};
use crate::address::Endpoint;
use crate::overlay::{DhtContext, NodeRef, PutOutcome, Record, RingId};
use crate::time::{SimDuration, SimTime};

/// Octets of values and their heads in one `Replicate`: fits an unfragmented datagram, unless one
/// record alone is longer.
const BATCH: usize = 1_200;

/// The records of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    #[expect(
        clippy::box_collection,
        reason = "8 octets, not 24, in each of a million empty nodes"
    )]
    records: Option<Box<Map<RingId, Held>>>,
    /// Whether neighbours changed since the replicas were brought up to date.
    pub(super) unsynced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    version: u64,
    expires: SimTime,
    value: Box<[u8]>,
}

impl Storage {
    pub(super) fn len(&self) -> usize {
        self.records.as_ref().map_or(0, |records| records.len())
    }

    fn iter(&self) -> impl Iterator<Item = (RingId, &Held)> {
        self.records.iter().flat_map(|records| records.iter()).map(|(&key, held)| (key, held))
    }

    /// What remains of a record.
    pub(super) fn fetch(&self, key: RingId, now: SimTime) -> Option<WireRecord> {
        let held = self.records.as_ref()?.get(&key)?;
        held.on_wire(key, now)
    }

    /// Stores a record unless what is held is newer, or another of the same version.
    fn store(&mut self, record: WireRecord, now: SimTime) -> Verdict {
        let expires = now.saturating_add(SimDuration::from_secs(u64::from(record.lifetime)));
        let WireRecord { key, version, value, .. } = record;
        let new = Held { version, expires, value };
        let records = self.records.get_or_insert_default();
        match records.get_mut(&key) {
            Some(held) if held.expires > now && held.version > new.version => Verdict::Outdated,
            Some(held) if held.expires > now && held.version == new.version => {
                if held.value != new.value {
                    return Verdict::Outdated;
                }
                held.expires = held.expires.max(new.expires);
                Verdict::Stored
            }
            _ => {
                records.insert(key, new);
                Verdict::Stored
            }
        }
    }

    /// Drops what is over; when the next one is.
    fn expire(&mut self, now: SimTime) -> Option<SimTime> {
        let records = self.records.as_mut()?;
        records.retain(|_, held| held.expires > now);
        let next = records.values().map(|held| held.expires).min();
        if next.is_none() {
            self.records = None;
        }
        next
    }
}

impl Held {
    /// With the whole seconds that remain; `None` when there are none.
    fn on_wire(&self, key: RingId, now: SimTime) -> Option<WireRecord> {
        let lifetime = u32::try_from(self.expires.since(now).as_secs()).unwrap_or(u32::MAX);
        let (version, value) = (self.version, self.value.clone());
        (lifetime > 0).then_some(WireRecord { key, version, lifetime, value })
    }
}

impl From<&Record> for WireRecord {
    fn from(record: &Record) -> Self {
        let lifetime = u32::try_from(record.lifetime.as_secs()).unwrap_or(u32::MAX);
        let (key, version, value) = (record.key, record.version, record.value.clone());
        Self { key, version, lifetime, value }
    }
}

impl From<WireRecord> for Record {
    fn from(record: WireRecord) -> Self {
        let WireRecord { key, version, lifetime, value } = record;
        Self { key, version, lifetime: SimDuration::from_secs(u64::from(lifetime)), value }
    }
}

impl From<Verdict> for PutOutcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Stored => Self::Stored,
            Verdict::Outdated => Self::Outdated,
        }
    }
}

impl Chord {
    /// Stores as the owner, and sends the record to the replicas.
    pub(super) fn store_owned<C: DhtContext<Self>>(
        &mut self,
        ctx: &mut C,
        record: WireRecord,
    ) -> Verdict {
        let key = record.key;
        let verdict = self.storage.store(record, ctx.now());
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
            self.storage.store(record, ctx.now());
        }
        self.expire_records(ctx);
    }

    /// Drops what is over and sets the timer for the next one.
    pub(super) fn expire_records<C: DhtContext<Self>>(&mut self, ctx: &mut C) {
        match self.storage.expire(ctx.now()) {
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
        match self.storage.fetch(key, ctx.now()) {
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
        if !self.storage.unsynced || self.storage.len() == 0 {
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
        if self.storage.len() == 0 {
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
        let mut batch = Vec::new();
        let mut octets = 0;
        for (key, held) in self.storage.iter().filter(|(key, _)| chosen(*key)) {
            let Some(record) = held.on_wire(key, ctx.now()) else { continue };
            let length = usize::from(header.id_octets()) + 14 + record.value.len();
            if octets + length > BATCH && !batch.is_empty() {
                let full = std::mem::take(&mut batch);
                ctx.send(endpoint, Large::Replicate(header, overlay, full).into());
                octets = 0;
            }
            octets += length;
            batch.push(record);
        }
        if !batch.is_empty() {
            ctx.send(endpoint, Large::Replicate(header, overlay, batch).into());
        }
    }
}
