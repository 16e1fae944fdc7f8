//! Exact integrals of quantities that change in steps.

use crate::time::{SimDuration, SimTime};

/// The integral of a level over time, in level × nanoseconds, from an instant on.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepIntegral {
    level: u64,
    since: SimTime,
    total: u128,
}

impl StepIntegral {
    /// A level of zero; what happens before `start` is not counted.
    pub(super) const fn from(start: SimTime) -> Self {
        Self { level: 0, since: start, total: 0 }
    }

    /// The level is `level` from `now` on.
    pub(super) fn set(&mut self, now: SimTime, level: u64) {
        self.total = self.at(now);
        self.since = self.since.max(now);
        self.level = level;
    }

    /// The level now.
    pub(super) const fn level(&self) -> u64 {
        self.level
    }

    /// The integral up to `now`.
    pub(super) fn at(&self, now: SimTime) -> u128 {
        self.total + u128::from(self.level) * u128::from(now.since(self.since).as_nanos())
    }
}

/// A state that comes and goes: how long it lasted together, how often, and at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spells {
    level: StepIntegral,
    /// Since when it has lasted.
    since: Option<SimTime>,
    count: u64,
    longest: SimDuration,
}

impl Spells {
    /// Not yet; of a spell, what is before `start` is not counted.
    pub(super) const fn from(start: SimTime) -> Self {
        let (level, longest) = (StepIntegral::from(start), SimDuration::ZERO);
        Self { level, since: None, count: 0, longest }
    }

    /// The state holds from `now` on, or not.
    pub(super) fn set(&mut self, now: SimTime, holds: bool) {
        // The integral's clock stands at the start until that has come.
        let counted = self.level.since;
        self.level.set(now, holds.into());
        match (self.since, holds) {
            (None, true) => self.since = Some(now.max(counted)),
            (Some(since), false) => {
                self.since = None;
                let spell = now.since(since);
                self.count += u64::from(!spell.is_zero());
                self.longest = self.longest.max(spell);
            }
            _ => {}
        }
    }

    /// All of it up to `now`, in nanoseconds.
    pub(super) fn total(&self, now: SimTime) -> u128 {
        self.level.at(now)
    }

    /// How many spells there were up to `now`, and the longest; one that lasts is cut off there.
    pub(super) fn spells(mut self, now: SimTime) -> (u64, SimDuration) {
        self.set(now, false);
        (self.count, self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_are_counted_from_the_start_on_and_cut_off_at_the_end() {
        let at = SimTime::from_nanos;
        let mut spells = Spells::from(at(10));
        // Over before the start; 4..13, of which 3 count; of no length; 20..25.
        for (from, to) in [(1, 3), (4, 13), (15, 15), (20, 25)] {
            spells.set(at(from), true);
            spells.set(at(from), true);
            spells.set(at(to), false);
        }
        assert_eq!(spells.spells(at(30)), (2, SimDuration::from_nanos(5)));
        spells.set(at(30), true);
        assert_eq!(spells.spells(at(37)), (3, SimDuration::from_nanos(7)));
        assert_eq!(spells.total(at(37)), 3 + 5 + 7);
    }

    #[test]
    fn the_level_counts_only_from_the_start_on() {
        let mut level = StepIntegral::from(SimTime::from_nanos(10));
        level.set(SimTime::from_nanos(4), 3);
        assert_eq!(level.at(SimTime::from_nanos(9)), 0);
        // 3 × (15 − 10), then 1 × (17 − 15).
        level.set(SimTime::from_nanos(15), 1);
        assert_eq!(level.at(SimTime::from_nanos(17)), 17);
    }
}
