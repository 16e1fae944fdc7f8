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
use crate::scenario::build::{BuildError, Watch, build};
use crate::time::SimTime;
use crate::world::World;
use crate::world::ring::RingSummary;

/// Watches runs from outside while they go on.
pub trait Supervisor: fmt::Debug + Send + Sync {
    /// A run has come to this simulated time; answering false stops it.
    fn reached(&self, run: u32, at: SimTime) -> bool;

    /// A run that was judged had such rings.
    fn judged(&self, run: u32, ring: RingSummary) {
        let _ = (run, ring);
    }
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
        let watch = Watch { checkers: self.checkers, logged: logged.map(str::to_owned) };
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
        let goes_on = |at| self.supervisor.as_ref().is_none_or(|it| it.reached(run, at));
        if !goes_on(SimTime::ZERO) {
            return Err(Halt::Stopped);
        }
        let world = self.world(seed, logged).map_err(|error| Halt::Failed(error.to_string()))?;
        let names = world.names.clone();
        let mut outcome = world.run(log, &mut |at| goes_on(at)).map_err(|_| Halt::Stopped)?;
        if let (Some(supervisor), Some(ring)) = (&self.supervisor, outcome.ring.take()) {
            supervisor.judged(run, ring);
        }
        if outcome.violations.is_empty() {
            return Ok(collect(run, seed, &names, &outcome));
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
