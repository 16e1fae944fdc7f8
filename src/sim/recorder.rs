//! A [`Context`] for tests: it stores effects instead of applying them.

use std::collections::BTreeMap;

use crate::address::Endpoint;
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// Stores what a component did. The test moves the clock, looks at what was sent, and fires timers
/// in their order.
#[derive(Debug)]
pub struct Recorder<M, T, O> {
    now: SimTime,
    timers: BTreeMap<u32, (SimTime, T)>,
    /// What was sent, oldest first.
    pub sent: Vec<(Endpoint, M)>,
    /// What was observed, oldest first.
    pub observed: Vec<O>,
}

impl<M, T, O> Default for Recorder<M, T, O> {
    fn default() -> Self {
        Self { now: SimTime::ZERO, timers: BTreeMap::new(), sent: Vec::new(), observed: Vec::new() }
    }
}

impl<M, T: Timer, O> Recorder<M, T, O> {
    /// An empty recorder at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward without firing anything.
    pub fn advance(&mut self, span: SimDuration) {
        self.now += span;
    }

    /// Takes all that was sent since the last call.
    pub fn take_sent(&mut self) -> Vec<(Endpoint, M)> {
        std::mem::take(&mut self.sent)
    }

    /// Takes all that was observed since the last call.
    pub fn take_observed(&mut self) -> Vec<O> {
        std::mem::take(&mut self.observed)
    }

    /// When the timer of this slot goes off, if it is set.
    #[must_use]
    pub fn due(&self, timer: T) -> Option<SimTime> {
        self.timers.get(&timer.slot()).map(|&(at, _)| at)
    }

    /// When the earliest timer goes off, if any is set.
    #[must_use]
    pub fn next_due(&self) -> Option<SimTime> {
        self.timers.values().map(|&(at, _)| at).min()
    }

    /// Moves the clock to the earliest timer and takes it; ties by slot.
    pub fn next_timer(&mut self) -> Option<T> {
        let (&slot, &(at, timer)) =
            self.timers.iter().min_by_key(|(slot, (at, _))| (*at, **slot))?;
        self.timers.remove(&slot);
        self.now = self.now.max(at);
        Some(timer)
    }
}

impl<M, T: Timer, O> Context for Recorder<M, T, O> {
    type Message = M;
    type Timer = T;
    type Observation = O;

    fn now(&self) -> SimTime {
        self.now
    }
    fn send(&mut self, to: Endpoint, message: M) {
        self.sent.push((to, message));
    }
    fn set(&mut self, timer: T, at: SimTime) {
        self.timers.insert(timer.slot(), (at.max(self.now), timer));
    }
    fn cancel(&mut self, timer: T) {
        self.timers.remove(&timer.slot());
    }
    fn observe(&mut self, observation: O) {
        self.observed.push(observation);
    }
}
