//! How far a study has come, shown to whoever waits at a terminal.
//!
//! The bar counts simulated time over all runs that have to be simulated; runs that are kept from
//! before are taken out of it, so that the time left is that of the others.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::Interrupt;
use crate::experiment::{Happening, Supervisor};
use crate::time::{SimDuration, SimTime};
use crate::world::ring::RingSummary;

/// How often the bar is drawn when nothing is reported.
const TICK: Duration = Duration::from_millis(250);

/// The progress of one study; it also stops the runs when the user asks for that.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// How long each run lasts, in milliseconds of simulated time.
    lengths: Vec<u64>,
    /// How far each run has come, likewise.
    reached: Vec<AtomicU64>,
    loaded: AtomicUsize,
    /// What the rings of the runs that were judged were like.
    rings: Mutex<BTreeMap<u32, RingSummary>>,
    interrupt: Interrupt,
}

impl Progress {
    /// The progress of runs of these lengths; `shown` to a terminal or not.
    #[must_use]
    pub fn new(lengths: Vec<SimDuration>, shown: bool, interrupt: Interrupt) -> Self {
        let lengths: Vec<u64> = lengths.into_iter().map(|it| millis(it).max(1)).collect();
        let all = lengths.iter().fold(0, |sum: u64, &it| sum.saturating_add(it));
        let bar = if shown { bar(all) } else { ProgressBar::hidden() };
        bar.set_message(told(0, 0, lengths.len()));
        Self {
            bar,
            reached: lengths.iter().map(|_| AtomicU64::new(0)).collect(),
            lengths,
            loaded: AtomicUsize::new(0),
            rings: Mutex::default(),
            interrupt,
        }
    }

    /// Shows that another run is there.
    pub fn happened(&self, happening: &Happening) {
        let Happening::Progress { run, done, loaded, failed, total } = *happening else { return };
        let length = self.lengths.get(run as usize).copied().unwrap_or(0);
        if self.loaded.swap(loaded, Ordering::Relaxed) < loaded {
            self.bar.dec_length(length);
        } else {
            self.advance(run, length);
        }
        self.bar.set_message(told(done, failed, total));
    }

    /// Takes what the rings of the runs that were judged were like, by run.
    pub fn take_rings(&self) -> BTreeMap<u32, RingSummary> {
        std::mem::take(&mut self.rings.lock().expect("nothing panics here"))
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn advance(&self, run: u32, to: u64) {
        let Some(reached) = self.reached.get(run as usize) else { return };
        let before = reached.swap(to, Ordering::Relaxed);
        self.bar.inc(to.saturating_sub(before));
    }
}

impl Supervisor for Progress {
    fn reached(&self, run: u32, at: SimTime) -> bool {
        let length = self.lengths.get(run as usize).copied().unwrap_or(0);
        self.advance(run, millis(at.since(SimTime::ZERO)).min(length));
        !self.interrupt.is_asked()
    }

    fn judged(&self, run: u32, ring: RingSummary) {
        self.rings.lock().expect("nothing panics here").insert(run, ring);
    }
}

fn millis(span: SimDuration) -> u64 {
    span.as_nanos() / 1_000_000
}

fn told(done: usize, failed: usize, total: usize) -> String {
    let failures = if failed > 0 { format!(", {failed} FAILED") } else { String::new() };
    format!("{done} of {total} {}{failures}", if total == 1 { "run" } else { "runs" })
}

fn bar(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left")
        .expect("the template is well-formed");
    let bar = ProgressBar::new(length).with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(runs: usize) -> Progress {
        let progress =
            Progress::new(vec![SimDuration::from_secs(10); runs], false, Interrupt::default());
        progress.bar.set_length(10_000 * runs as u64);
        progress
    }

    #[test]
    fn the_bar_counts_what_has_to_be_simulated() {
        let progress = progress(3);
        let done = |run, done, loaded| {
            progress.happened(&Happening::Progress { run, done, loaded, failed: 0, total: 3 });
            (progress.bar.position(), progress.bar.length())
        };
        assert!(progress.reached(1, SimTime::from_secs(4)));
        assert_eq!(progress.bar.position(), 4_000);
        // Run 0 is kept from before: it takes 10 of the 30 s away. Run 1 ends (6 s more), run 2
        // never said how far it was.
        assert_eq!(done(0, 1, 1), (4_000, Some(20_000)));
        assert_eq!(done(1, 2, 1), (10_000, Some(20_000)));
        assert_eq!(done(2, 3, 1), (20_000, Some(20_000)));
    }
}
