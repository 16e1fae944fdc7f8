//! Exact integrals of quantities that change in steps.

use crate::time::SimTime;

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

#[cfg(test)]
mod tests {
    use super::*;

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
