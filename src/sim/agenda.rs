//! An agenda: what a component means to do when. A SIP element or a relay's client has many timers,
//! but its host one slot for each component; the component sets that slot to the
//! [earliest](Agenda::earliest) entry and, when it goes off, takes what is [due](Agenda::due).

use std::collections::BTreeMap;

use crate::time::SimTime;

/// Entries by their keys, each at most once, taken in the order of time and then of the keys.
#[derive(Clone, Debug, Default)]
pub struct Agenda<K> {
    times: BTreeMap<K, SimTime>,
    order: BTreeMap<(SimTime, K), ()>,
}

impl<K: Copy + Ord> Agenda<K> {
    /// Nothing to do.
    #[must_use]
    pub const fn new() -> Self {
        Self { times: BTreeMap::new(), order: BTreeMap::new() }
    }

    /// Enters this for then, in place of an earlier entry of the same key.
    pub fn set(&mut self, key: K, at: SimTime) {
        if let Some(before) = self.times.insert(key, at) {
            self.order.remove(&(before, key));
        }
        self.order.insert((at, key), ());
    }

    /// Strikes an entry out; whether there was one.
    pub fn cancel(&mut self, key: K) -> bool {
        match self.times.remove(&key) {
            Some(at) => self.order.remove(&(at, key)).is_some(),
            None => false,
        }
    }

    /// When there is something to do next.
    #[must_use]
    pub fn earliest(&self) -> Option<SimTime> {
        self.order.first_key_value().map(|(&(at, _), ())| at)
    }

    /// Takes the first entry that is due.
    pub fn due(&mut self, now: SimTime) -> Option<K> {
        let (&(at, key), ()) = self.order.first_key_value()?;
        if at > now {
            return None;
        }
        self.order.pop_first();
        self.times.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_the_order_of_time_and_then_of_the_keys() {
        let at = SimTime::from_secs;
        let mut agenda = Agenda::new();
        for (key, seconds) in [(3, 7), (1, 9), (2, 7), (4, 1)] {
            agenda.set(key, at(seconds));
        }
        // An entry that is set again moves; one that is struck out is gone.
        agenda.set(1, at(8));
        assert!(agenda.cancel(4));
        assert!(!agenda.cancel(4));
        assert_eq!(agenda.earliest(), Some(at(7)));
        assert_eq!(agenda.due(at(6)), None);
        let due: Vec<i32> = std::iter::from_fn(|| agenda.due(at(8))).collect();
        assert_eq!(due, [2, 3, 1]);
        assert_eq!(agenda.earliest(), None);
    }
}
