//! What the servers of caller domains hold in DNS caches of their own, in front of their resolvers.
//!
//! These caches are part of a caller's chain only: stale windows and the stale share are those of
//! resolvers.

use super::expiries::{Expiries, Holders};
use super::validity::SetId;
use crate::time::SimTime;

/// An unexpired entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// A record set.
    Set(SetId),
    /// A negative answer or a failure.
    Nothing,
}

/// The caches of all caller domains, by position.
#[derive(Debug)]
pub(super) struct OwnCaches {
    entries: Vec<Option<Held>>,
    expiries: Expiries,
    holders: Holders,
}

impl OwnCaches {
    /// So many caches, all empty.
    pub(super) fn new(callers: usize) -> Self {
        let count = u32::try_from(callers).expect("host identifiers have 32 bits");
        Self {
            entries: vec![None; callers],
            expiries: Expiries::new(count),
            holders: Holders::default(),
        }
    }

    /// The unexpired entry of a caller's own cache.
    pub(super) fn held(&self, caller: usize) -> Option<Held> {
        self.entries[caller]
    }

    /// How many hold this set.
    pub(super) fn holders(&self, set: SetId) -> u64 {
        self.holders.of(set)
    }

    /// The cache holds this until `expires`, in place of what it held.
    pub(super) fn store(&mut self, now: SimTime, caller: usize, held: Held, expires: SimTime) {
        if expires <= now {
            return self.clear(caller);
        }
        self.replace(caller, Some(held));
        self.expiries.set(caller as u32, expires);
    }

    /// The cache forgets what it holds.
    pub(super) fn clear(&mut self, caller: usize) {
        self.replace(caller, None);
        self.expiries.clear(caller as u32);
    }

    /// When the next entry may expire.
    pub(super) fn next_expiry(&self) -> SimTime {
        self.expiries.next()
    }

    /// Takes the next expiry off the agenda; the caller whose entry did expire.
    pub(super) fn expire(&mut self) -> Option<usize> {
        let (_, caller) = self.expiries.take()?;
        self.replace(caller as usize, None);
        Some(caller as usize)
    }

    fn replace(&mut self, caller: usize, held: Option<Held>) {
        if let Some(Held::Set(set)) = std::mem::replace(&mut self.entries[caller], held) {
            self.holders.remove(set);
        }
        if let Some(Held::Set(set)) = held {
            self.holders.add(set);
        }
    }
}
