//! When someone acts: the arrival times of a caller's requests or of a member's look-ups.
//!
//! Each actor has a random stream of its own, keyed by (seed, purpose, name); the n-th gap of an
//! actor is the n-th part of its stream. Nothing but a counter is kept between two arrivals, since
//! each of a million members may have one of these.
//!
//! Not here: who is called and which key is looked up.

use thiserror::Error;

use crate::rng::sample::{exponential, uniform_u64};
use crate::rng::{NameHash, Purpose, stream};
use crate::time::{SimDuration, SimTime};

/// A process of arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    kind: Kind,
    mean_gap: SimDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Poisson,
    Periodic,
}

/// Arrivals that are none.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ArrivalsError {
    /// A rate that is zero, negative, infinite, or less than one in a hundred years.
    #[error("the rate is {0}/s; it must be a number above 0, and at least one in 100 years")]
    Rate(f64),
    /// An interval of no length.
    #[error("the interval is 0; it must be longer")]
    Interval,
}

const LONGEST_GAP_S: f64 = 100.0 * 365.25 * 86_400.0;

impl Arrivals {
    /// Arrivals that know nothing of each other, so many a second on average.
    ///
    /// # Errors
    /// When the rate is not a positive number, or so small or large that the mean gap is above a
    /// hundred years or below a nanosecond.
    pub fn poisson(per_second: f64) -> Result<Self, ArrivalsError> {
        let gap = 1.0 / per_second;
        if !(1e-9..=LONGEST_GAP_S).contains(&gap) {
            return Err(ArrivalsError::Rate(per_second));
        }
        Ok(Self { kind: Kind::Poisson, mean_gap: SimDuration::from_secs_f64(gap) })
    }

    /// One arrival every `interval`.
    ///
    /// # Errors
    /// When the interval is zero.
    pub fn periodic(interval: SimDuration) -> Result<Self, ArrivalsError> {
        if interval.is_zero() {
            return Err(ArrivalsError::Interval);
        }
        Ok(Self { kind: Kind::Periodic, mean_gap: interval })
    }

    /// The mean time between two arrivals.
    #[must_use]
    pub fn mean_gap(&self) -> SimDuration {
        self.mean_gap
    }
}

/// The arrivals of one actor.
#[derive(Clone, Copy, Debug)]
pub struct ArrivalTimes {
    mean_gap: SimDuration,
    seed: u64,
    entity: NameHash,
    /// Gaps and phases drawn so far.
    drawn: u32,
    kind: Kind,
    purpose: Purpose,
}

impl ArrivalTimes {
    /// The arrivals of the actor of this name: [`Purpose::Callers`] for what callers ask for,
    /// [`Purpose::Workload`] for the look-ups of members.
    #[must_use]
    pub fn new(arrivals: Arrivals, seed: u64, purpose: Purpose, name: &str) -> Self {
        let Arrivals { kind, mean_gap } = arrivals;
        Self { mean_gap, seed, entity: NameHash::of(name), drawn: 0, kind, purpose }
    }

    /// The first arrival of an actor that begins, or begins anew, at `from`; later than `from`. A
    /// periodic one begins at a uniform random phase of its interval.
    pub fn first(&mut self, from: SimTime) -> SimTime {
        let gap = match self.kind {
            Kind::Poisson => self.exponential_gap(),
            Kind::Periodic => {
                let phase = uniform_u64(&mut self.draw(), 1, self.mean_gap.as_nanos());
                SimDuration::from_nanos(phase)
            }
        };
        from.saturating_add(gap)
    }

    /// The arrival that follows the one at `previous`; later than it.
    pub fn next(&mut self, previous: SimTime) -> SimTime {
        let gap = match self.kind {
            Kind::Poisson => self.exponential_gap(),
            Kind::Periodic => self.mean_gap,
        };
        previous.saturating_add(gap)
    }

    fn exponential_gap(&mut self) -> SimDuration {
        let mean = self.mean_gap.as_secs_f64();
        let gap = SimDuration::from_secs_f64(exponential(&mut self.draw(), mean));
        gap.max(SimDuration::from_nanos(1))
    }

    fn draw(&mut self) -> impl rand::Rng + use<> {
        let mut rng = stream(self.seed, self.purpose, self.entity);
        rng.set_stream(self.drawn.into());
        self.drawn += 1;
        rng
    }
}

#[cfg(test)]
mod tests;
