//! Records as a node holds them: one a key, the newest version, until its lifetime ends.

#[cfg(not(feature = "hash-order"))]
use std::collections::BTreeMap as Map;
/// On purpose broken: records are sent in an order that is another one in every process, and in
/// every map. `overcord verify` has to find it.
#[cfg(feature = "hash-order")]
use std::collections::HashMap as Map;

use crate::overlay::{PutOutcome, Record, RingId};
use crate::time::{SimDuration, SimTime};

/// A record on its way: what remains of its lifetime in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRecord {
    /// Where it is stored.
    pub key: RingId,
    /// The writer's version.
    pub version: u64,
    /// Seconds that remain.
    pub lifetime: u32,
    /// The application's octets.
    pub value: Box<[u8]>,
}

/// What the owner says to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored, or renewed.
    Stored,
    /// A higher version is there, or another value of this version.
    Outdated,
}

/// The records of one node.
#[derive(Clone, Debug, Default)]
pub struct Records {
    #[expect(
        clippy::box_collection,
        reason = "8 octets, not 24, in each of a million empty nodes"
    )]
    held: Option<Box<Map<RingId, Held>>>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    version: u64,
    expires: SimTime,
    value: Box<[u8]>,
}

/// Octets of values and their heads in one message: fits an unfragmented datagram, unless one record
/// alone is longer.
const BATCH: usize = 1_200;

impl Records {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.as_ref().map_or(0, |records| records.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_none()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = RingId> {
        self.held.iter().flat_map(|records| records.keys()).copied()
    }

    /// The records whose keys are chosen, in batches that each fit a datagram.
    #[must_use]
    pub fn batches(
        &self,
        id_octets: u8,
        now: SimTime,
        chosen: impl Fn(RingId) -> bool,
    ) -> Vec<Vec<WireRecord>> {
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        let mut octets = 0;
        let held = self.held.iter().flat_map(|records| records.iter());
        for (&key, held) in held.filter(|(key, _)| chosen(**key)) {
            let Some(record) = held.on_wire(key, now) else { continue };
            let length = usize::from(id_octets) + 14 + record.value.len();
            if octets + length > BATCH && !batch.is_empty() {
                batches.push(std::mem::take(&mut batch));
                octets = 0;
            }
            octets += length;
            batch.push(record);
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        batches
    }

    /// What remains of a record.
    #[must_use]
    pub fn fetch(&self, key: RingId, now: SimTime) -> Option<WireRecord> {
        let held = self.held.as_ref()?.get(&key)?;
        held.on_wire(key, now)
    }

    /// Stores a record unless what is held is newer, or another of the same version.
    pub fn store(&mut self, record: WireRecord, now: SimTime) -> Verdict {
        let expires = now.saturating_add(SimDuration::from_secs(u64::from(record.lifetime)));
        let WireRecord { key, version, value, .. } = record;
        let new = Held { version, expires, value };
        let records = self.held.get_or_insert_default();
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
    pub fn expire(&mut self, now: SimTime) -> Option<SimTime> {
        let records = self.held.as_mut()?;
        records.retain(|_, held| held.expires > now);
        let next = records.values().map(|held| held.expires).min();
        if next.is_none() {
            self.held = None;
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
