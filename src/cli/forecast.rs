//! What a study of very many runs will take, told before it is begun.
//!
//! A few runs are begun, each for a moment, and what they have simulated by then is scaled up. That
//! is a guess: a run need not be equally busy from its beginning to its end.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::clock::Stopwatch;
use crate::experiment::{Simulate as _, Simulators, Study, Supervisor};
use crate::time::SimTime;

/// The largest study that is begun without asking back, in runs.
pub const MOST_RUNS: usize = 1_000;

/// How long each run that is tried goes on.
const TRIAL: Duration = Duration::from_millis(700);

/// How many points are tried, spread over the study.
const TRIALS: usize = 3;

/// What a study will take, as far as can be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Octets of memory; `None` where the system does not tell.
    pub memory: Option<u64>,
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, hours) = (self.seconds / 60.0, self.seconds / 3600.0);
        match self.seconds {
            seconds if seconds < 90.0 => write!(f, "about {seconds:.0} s")?,
            _ if minutes < 90.0 => write!(f, "about {minutes:.0} min")?,
            _ if hours < 48.0 => write!(f, "about {hours:.0} h")?,
            _ => write!(f, "about {:.0} days", hours / 24.0)?,
        }
        match self.memory {
            Some(memory) if memory < 1 << 30 => {
                write!(f, " and at least {} MiB of memory", memory.div_ceil(1 << 20))
            }
            Some(memory) => {
                write!(f, " and at least {:.1} GiB of memory", memory as f64 / f64::from(1 << 30))
            }
            None => Ok(()),
        }
    }
}

/// Stops a run after a while, and knows how far it came.
#[derive(Debug)]
struct Trial {
    watch: Stopwatch,
    reached: AtomicU64,
}

impl Supervisor for Trial {
    fn reached(&self, _: u32, at: SimTime) -> bool {
        self.reached.store(at.as_nanos(), Ordering::Relaxed);
        self.watch.elapsed() < TRIAL
    }
}

/// What the runs of a study will take on so many threads.
#[must_use]
pub fn of(study: &Study, simulators: &Simulators, jobs: usize) -> Forecast {
    let step = study.cells.len().div_ceil(TRIALS).max(1);
    let trials: Vec<_> = study.cells.iter().step_by(step).collect();
    let (mut seconds, mut kept) = (0.0, 0);
    for spec in &trials {
        let trial = Arc::new(Trial { watch: Stopwatch::start(), reached: AtomicU64::new(0) });
        let supervisor: Arc<dyn Supervisor> = trial.clone();
        let given = simulators.at(spec.point).clone().supervised(supervisor).simulate(spec);
        let elapsed = trial.watch.elapsed().as_secs_f64();
        seconds += match given {
            Ok(output) => {
                kept += output.size();
                elapsed
            }
            Err(_) => {
                let whole = simulators.at(spec.point).length().as_nanos();
                let reached = trial.reached.load(Ordering::Relaxed).clamp(1, whole.max(1));
                elapsed * whole as f64 / reached as f64
            }
        };
    }
    let tried = trials.len().max(1);
    let mean = seconds / tried as f64;
    // What is kept of all runs until the tables are written comes on top of what runs at a time.
    let outputs = (kept / tried as u64).saturating_mul(study.cells.len() as u64);
    let memory = peak_memory().map(|peak| peak.saturating_mul(jobs as u64) + outputs);
    Forecast { seconds: mean * study.cells.len() as f64 / jobs as f64, memory }
}

/// The most memory that the process has had so far, in octets: Linux tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_told_in_fitting_units() {
        for (seconds, memory, told) in [
            (12.3, None, "about 12 s"),
            (600.0, Some(20 << 20), "about 10 min and at least 20 MiB of memory"),
            (36_000.0, Some(3 << 29), "about 10 h and at least 1.5 GiB of memory"),
            (864_000.0, None, "about 10 days"),
        ] {
            assert_eq!(Forecast { seconds, memory }.to_string(), told);
        }
    }
}
