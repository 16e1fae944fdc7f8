//! A scenario as something that can be run: its study, and the simulation of one cell of it.

use std::fmt;
use std::sync::Arc;

use crate::churn::trace::AvailabilityTrace;
use crate::experiment::cell::CellSpec;
use crate::experiment::run::{Halt, Simulate};
use crate::experiment::summary::Theory;
use crate::experiment::theory::{self, Curve};
use crate::metrics::collect::collect;
use crate::metrics::tables::RunOutput;
use crate::scenario::Plan;
use crate::scenario::build::{BuildError, Watch, build, duration_of};
use crate::time::{SimDuration, SimTime};
use crate::world::log::{Logged, Told};
use crate::world::ring::RingSummary;
use crate::world::{LogSink, Progress, World};

/// Watches runs from outside while they go on.
pub trait Supervisor: fmt::Debug + Send + Sync {
    /// A run has come to this simulated time; answering false stops it.
    fn reached(&self, run: u32, at: SimTime) -> bool;

    /// A run that was judged had such rings.
    fn judged(&self, run: u32, ring: RingSummary) {
        let _ = (run, ring);
    }
}

/// One run of a simulator, and how it is watched.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The number under which its supervisor knows it.
    pub run: u32,
    /// Its seed.
    pub seed: u64,
    /// The order of simultaneous events: see [`Watch::tie_salt`].
    pub tie_salt: u32,
    /// Whose events are told.
    pub logged: Logged<String>,
}

/// Carries out the runs of one scenario.
#[derive(Clone, Debug)]
pub struct Simulator {
    plan: Arc<Plan>,
    trace: Option<Arc<AvailabilityTrace>>,
    checkers: bool,
    supervisor: Option<Arc<dyn Supervisor>>,
}

impl Simulator {
    /// A simulator of this plan, with the trace that it names; with `checkers`, every run is
    /// judged, and one that breaks a rule of the simulator fails.
    #[must_use]
    pub fn new(plan: Plan, trace: Option<Arc<AvailabilityTrace>>, checkers: bool) -> Self {
        Self { plan: Arc::new(plan), trace, checkers, supervisor: None }
    }

    /// The simulator with somebody who is told how far its runs have come, and may stop them.
    #[must_use]
    pub fn supervised(self, supervisor: Arc<dyn Supervisor>) -> Self {
        Self { supervisor: Some(supervisor), ..self }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The trace, if the plan names one.
    #[must_use]
    pub fn trace(&self) -> Option<&Arc<AvailabilityTrace>> {
        self.trace.as_ref()
    }

    /// How long a run lasts, unless enough has happened before.
    #[must_use]
    pub fn length(&self) -> SimDuration {
        duration_of(&self.plan, self.trace.as_ref())
    }

    /// What closed forms say about the scenario, as point `point` of a study.
    #[must_use]
    pub fn theory(&self, point: u32) -> Vec<Theory> {
        theory::theory(&self.plan, self.trace.as_ref(), point)
    }

    /// The distribution of stale windows by a closed form, where there is one.
    #[must_use]
    pub fn stale_window_curve(&self) -> Option<Curve> {
        theory::stale_window_curve(&self.plan, self.trace.as_ref())
    }

    /// The world of one run, logging the events of a host if one is named.
    ///
    /// # Errors
    /// When the plan gives no world with this seed.
    pub fn world(&self, seed: u64, logged: Option<&str>) -> Result<World, BuildError> {
        let logged = logged.map_or(Logged::Nobody, |host| Logged::Host(host.to_owned()));
        self.watched_world(seed, logged, 0)
    }

    fn watched_world(
        &self,
        seed: u64,
        logged: Logged<String>,
        tie_salt: u32,
    ) -> Result<World, BuildError> {
        let watch = Watch { checkers: self.checkers, logged, tie_salt };
        build(&self.plan, seed, self.trace.as_ref(), &watch)
    }

    /// Runs one seed to its end, passing the log of the logged host on.
    ///
    /// # Errors
    /// When the plan gives no world with this seed, when the supervisor stops the run, or when the
    /// run breaks a rule of the simulator: a defect of the simulator, never of the scenario.
    pub fn run(
        &self,
        run: u32,
        seed: u64,
        logged: Option<&str>,
        log: &mut dyn FnMut(&str),
    ) -> Result<RunOutput, Halt> {
        let logged = logged.map_or(Logged::Nobody, |host| Logged::Host(host.to_owned()));
        let mut line = |told: &Told<'_>| log(&told.to_string());
        let errand = Errand { run, seed, tie_salt: 0, logged };
        self.carry_out(errand, &mut line, &mut |_| true).map(|(output, _)| output)
    }

    /// Carries out an errand to its end, and gives the digests of its epochs with the output.
    /// What is to be logged goes to `log`; `goes_on` may stop the run, as the supervisor may.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn carry_out(
        &self,
        errand: Errand,
        log: LogSink<'_>,
        goes_on: Progress<'_>,
    ) -> Result<(RunOutput, Vec<u64>), Halt> {
        let Errand { run, seed, tie_salt, logged } = errand;
        let mut goes_on =
            |at| goes_on(at) && self.supervisor.as_ref().is_none_or(|it| it.reached(run, at));
        if !goes_on(SimTime::ZERO) {
            return Err(Halt::Stopped);
        }
        let world = self
            .watched_world(seed, logged, tie_salt)
            .map_err(|error| Halt::Failed(error.to_string()))?;
        let names = world.names.clone();
        let mut outcome = world.run(log, &mut goes_on).map_err(|_| Halt::Stopped)?;
        if let (Some(supervisor), Some(ring)) = (&self.supervisor, outcome.ring.take()) {
            supervisor.judged(run, ring);
        }
        if outcome.violations.is_empty() {
            let output = collect(run, seed, &names, &outcome);
            return Ok((output, outcome.epochs));
        }
        let complaints: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
        Err(Halt::Failed(format!("seed {seed}: {}", complaints.join("; "))))
    }
}

impl Simulate for Simulator {
    fn simulate(&self, spec: &CellSpec) -> Result<RunOutput, Halt> {
        self.run(spec.run, spec.seed, None, &mut |_| {})
    }
}

/// Carries out the runs of a study: one simulator a point, in their order.
#[derive(Clone, Debug)]
pub struct Simulators(Vec<Simulator>);

impl Simulators {
    /// The simulators of a study's points; at least one.
    #[must_use]
    pub fn new(points: Vec<Simulator>) -> Self {
        assert!(!points.is_empty(), "a study has a point");
        Self(points)
    }

    /// The simulator of a point.
    #[must_use]
    pub fn at(&self, point: u32) -> &Simulator {
        &self.0[point as usize]
    }

    /// All of them, in the order of the points.
    pub fn iter(&self) -> impl Iterator<Item = &Simulator> {
        self.0.iter()
    }

    /// The same, watched: see [`Simulator::supervised`].
    #[must_use]
    pub fn supervised(self, supervisor: &Arc<dyn Supervisor>) -> Self {
        Self(self.0.into_iter().map(|it| it.supervised(Arc::clone(supervisor))).collect())
    }

    /// What closed forms say about each point.
    #[must_use]
    pub fn theory(&self) -> Vec<Theory> {
        (0..).zip(&self.0).flat_map(|(point, simulator)| simulator.theory(point)).collect()
    }
}

impl Simulate for Simulators {
    fn simulate(&self, spec: &CellSpec) -> Result<RunOutput, Halt> {
        self.at(spec.point).simulate(spec)
    }
}
