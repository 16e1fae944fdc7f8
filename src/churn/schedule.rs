//! When each host is up: intervals, one after the other, drawn or read as they are needed.
//!
//! Every interval of a host has a random stream of its own, keyed by (seed, churn, name of the
//! host) and numbered by the interval. Nothing has to be kept between two intervals, and one that
//! takes more draws moves no other: the same host has the same luck in its n-th session in every
//! run of a seed, whatever else differs.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use thiserror::Error;

use super::lifetime::Lifetime;
use super::trace::AvailabilityTrace;
use crate::rng::sample::open_unit;
use crate::rng::{NameHash, Purpose, stream};
use crate::time::SimTime;

/// The share of leaves that are announced ahead, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GracefulShare(f64);

/// A share that is none.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("the share of graceful leaves is {0}; it must be from 0 to 1")]
pub struct ShareError(f64);

impl GracefulShare {
    /// Checks a share.
    ///
    /// # Errors
    /// When it is not from 0 to 1.
    pub fn new(share: f64) -> Result<Self, ShareError> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(ShareError(share)) }
    }
}

/// Sessions and downtimes drawn from distributions, started in equilibrium.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChurnModel {
    /// How long hosts stay up.
    pub session: Lifetime,
    /// How long they stay away.
    pub downtime: Lifetime,
}

impl ChurnModel {
    /// The share of time for which a host is up: s / (s + d).
    #[must_use]
    pub fn availability(&self) -> f64 {
        let up = self.session.mean().as_secs_f64();
        up / (up + self.downtime.mean().as_secs_f64())
    }

    /// The hosts that it takes for `target` of them to be up on average: N (s + d) / s, rounded;
    /// at least `target`.
    #[must_use]
    pub fn hosts_for(&self, target: u32) -> u64 {
        ((f64::from(target) / self.availability()).round() as u64).max(u64::from(target))
    }
}

/// Where the intervals of all hosts of a run come from.
#[derive(Clone, Debug)]
pub struct Schedule {
    seed: u64,
    graceful: GracefulShare,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    AlwaysUp,
    Model(ChurnModel),
    Trace(Arc<AvailabilityTrace>),
}

/// A stretch of time in which a host is up, or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Whether the host is up in it.
    pub up: bool,
    /// When it ends; [`SimTime::MAX`] when it does not.
    pub until: SimTime,
    /// Whether the leave at its end is announced ahead; false for a downtime.
    pub graceful: bool,
}

/// One host's place in a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostChurn {
    entity: NameHash,
    /// Index into the nodes of the trace; unused otherwise.
    node: u32,
    /// How many intervals have ended. In a trace, 2 i is the downtime before session i, and
    /// 2 i + 1 is session i.
    interval: u32,
    up: bool,
}

impl Schedule {
    /// No churn: every host is up from the start and stays.
    #[must_use]
    pub fn always_up() -> Self {
        Self { seed: 0, graceful: GracefulShare(0.0), source: Source::AlwaysUp }
    }

    /// Churn by distributions.
    #[must_use]
    pub fn model(seed: u64, model: ChurnModel, graceful: GracefulShare) -> Self {
        Self { seed, graceful, source: Source::Model(model) }
    }

    /// Churn as it was recorded. A session that runs into the end of the trace has no end: the
    /// host is up from then on.
    #[must_use]
    pub fn trace(seed: u64, trace: Arc<AvailabilityTrace>, graceful: GracefulShare) -> Self {
        Self { seed, graceful, source: Source::Trace(trace) }
    }

    /// A host of this schedule in its first interval, which holds at the start of the run.
    /// `name` decides its luck; `rank` is its index among the nodes of the trace, and ignored
    /// without one. A host beyond the trace's nodes is never up.
    #[must_use]
    pub fn host(&self, name: &str, rank: u32) -> (HostChurn, Interval) {
        let entity = NameHash::of(name);
        let mut host = HostChurn { entity, node: rank, interval: 0, up: true };
        let first = match &self.source {
            Source::AlwaysUp => FOR_EVER,
            Source::Model(model) => {
                let mut rng = host.stream(self.seed);
                let graceful = self.draw_graceful(&mut rng);
                host.up = open_unit(&mut rng) < model.availability();
                let life = if host.up { &model.session } else { &model.downtime };
                let until = SimTime::ZERO.saturating_add(life.draw_residual(&mut rng));
                Interval { up: host.up, until, graceful: graceful && host.up }
            }
            Source::Trace(trace) => {
                host.up = false;
                let first = self.recorded(&host, trace);
                // A session from the start on has an empty downtime before it.
                if first.until == SimTime::ZERO { host.next(self, SimTime::ZERO) } else { first }
            }
        };
        (host, first)
    }

    /// Drawn first in its stream and always, so that another share moves no time.
    fn draw_graceful(&self, rng: &mut ChaCha8Rng) -> bool {
        open_unit(rng) < self.graceful.0
    }

    fn recorded(&self, host: &HostChurn, trace: &AvailabilityTrace) -> Interval {
        let sessions = trace.nodes.get(host.node as usize).map_or(&[][..], |node| &node.sessions);
        let Some(session) = sessions.get(host.interval as usize / 2) else {
            return Interval { up: false, until: SimTime::MAX, graceful: false };
        };
        if !host.up {
            return Interval { up: false, until: session.start, graceful: false };
        }
        if trace.is_censored(*session) {
            return FOR_EVER;
        }
        let graceful = self.draw_graceful(&mut host.stream(self.seed));
        Interval { up: true, until: session.end, graceful }
    }
}

const FOR_EVER: Interval = Interval { up: true, until: SimTime::MAX, graceful: false };

impl HostChurn {
    /// The interval that follows the current one, beginning at `from`: the current one's end, or
    /// earlier or later when something else took the host down or up (a drawn interval then has
    /// its length from there; a recorded one keeps its end, so it may be empty or past).
    pub fn next(&mut self, schedule: &Schedule, from: SimTime) -> Interval {
        match &schedule.source {
            Source::AlwaysUp => FOR_EVER,
            Source::Model(model) => {
                self.advance();
                let mut rng = self.stream(schedule.seed);
                let graceful = schedule.draw_graceful(&mut rng);
                let life = if self.up { &model.session } else { &model.downtime };
                let until = from.saturating_add(life.draw(&mut rng));
                Interval { up: self.up, until, graceful: graceful && self.up }
            }
            Source::Trace(trace) => {
                self.advance();
                schedule.recorded(self, trace)
            }
        }
    }

    fn advance(&mut self) {
        self.interval += 1;
        self.up = !self.up;
    }

    fn stream(&self, seed: u64) -> ChaCha8Rng {
        let mut rng = stream(seed, Purpose::Churn, self.entity);
        rng.set_stream(u64::from(self.interval));
        rng
    }
}

#[cfg(test)]
mod tests;
