//! The contract between a component and whatever drives it.
//!
//! A component is a value that is told what happened (a message, a timer) and answers through a
//! [`Context`]. The simulator applies the effects at once; the tests'
//! [`Recorder`](crate::sim::Recorder) stores them. A component is written against its own message,
//! timer and observation types; [`Lift`] turns the context of the host that contains it into one
//! of those types. What a component has to tell its host is a return value, never a callback.

use std::marker::PhantomData;

use crate::address::Endpoint;
use crate::time::{SimDuration, SimTime};

/// What a component may do while it handles one input.
pub trait Context {
    /// What it sends.
    type Message;
    /// The timers that it sets.
    type Timer: Timer;
    /// What it lets the simulation's observer know.
    type Observation;

    /// The current simulated time.
    fn now(&self) -> SimTime;
    /// Sends a message; it may be lost.
    fn send(&mut self, to: Endpoint, message: Self::Message);
    /// Sets a timer to go off at `at` (at once if that is past), in place of an earlier setting of
    /// the same [slot](Timer::slot).
    fn set(&mut self, timer: Self::Timer, at: SimTime);
    /// Cancels the timer of this slot, if it is set.
    fn cancel(&mut self, timer: Self::Timer);
    /// Tells the observer something. Observers never answer.
    fn observe(&mut self, observation: Self::Observation);

    /// Sets a timer to go off after a span.
    #[inline(always)]
    fn set_after(&mut self, timer: Self::Timer, after: SimDuration) {
        let at = self.now().saturating_add(after);
        self.set(timer, at);
    }

    /// This context as a component's own.
    fn lift<M, T, O>(&mut self) -> Lift<'_, Self, M, T, O>
    where
        Self: Sized,
    {
        Lift { host: self, component: PhantomData }
    }
}

/// A timer's name. Two values with the same slot are the same timer: setting one replaces the
/// other. Slots are small and dense, because each host keeps a table of them.
pub trait Timer: Copy + PartialEq {
    /// The place in the table of its component, or of its host after lifting.
    fn slot(self) -> u32;
}

/// A host's context seen by one of its components.
#[derive(Debug)]
pub struct Lift<'a, C, M, T, O> {
    host: &'a mut C,
    component: PhantomData<fn(M, T, O)>,
}

impl<C, M, T, O> Lift<'_, C, M, T, O> {
    /// The host's own context.
    #[must_use]
    pub fn host(&self) -> &C {
        self.host
    }

    /// The host's own context, to change something through it.
    pub fn host_mut(&mut self) -> &mut C {
        self.host
    }
}

impl<C, M, T, O> Context for Lift<'_, C, M, T, O>
where
    C: Context<Message: From<M>, Timer: From<T>, Observation: From<O>>,
    T: Timer,
{
    type Message = M;
    type Timer = T;
    type Observation = O;

    #[inline]
    fn now(&self) -> SimTime {
        self.host.now()
    }
    #[inline(always)]
    fn send(&mut self, to: Endpoint, message: M) {
        self.host.send(to, message.into());
    }
    #[inline(always)]
    fn set(&mut self, timer: T, at: SimTime) {
        self.host.set(timer.into(), at);
    }
    #[inline(always)]
    fn cancel(&mut self, timer: T) {
        self.host.cancel(timer.into());
    }
    #[inline]
    fn observe(&mut self, observation: O) {
        self.host.observe(observation.into());
    }
}
