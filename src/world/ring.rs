//! The ring of the main overlay, looked at again and again while a run is judged.
//!
//! Under churn Chord promises consistency only eventually, so there it is measured
//! ([`RingSummary`]). Where nobody has ever left and nobody has come for long, the ring has no
//! excuse: one that is not perfect at the end is a [`Complaint`](crate::world::Complaint).

use std::fmt;

use crate::overlay::ring::{RingReport, View};
use crate::time::{SimDuration, SimTime};
use crate::world::World;
use crate::world::host::Host;

/// After so many rounds of stabilization since the last join the ring has no excuse: a newcomer is
/// in its predecessor's list after one or two, and in that of the one before a round later.
const CALM_ROUNDS: u64 = 100;

/// The rings of a run, after the warm-up, in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RingSummary {
    /// How often the ring was looked at while it had members.
    pub samples: u64,
    /// Samples without anything wrong.
    pub perfect: u64,
    /// Samples whose first successors did not form one cycle, in order, with all members on it.
    pub disconnected: u64,
    /// Shares of members whose first successor was wrong, summed over the samples.
    pub wrong_shares: f64,
    /// The first of the worst samples; `None` when all were perfect.
    pub worst: Option<Worst>,
}

/// The sample with most wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worst {
    /// When.
    pub at: SimTime,
    /// What was wrong.
    pub report: RingReport,
}

impl Worst {
    /// Whether this was worse than another.
    #[must_use]
    pub fn is_worse_than(&self, other: &Self) -> bool {
        self.severity() > other.severity()
    }

    /// A ring that fell apart is worse than one that did not; then wrong successors count, then
    /// whatever else is wrong.
    fn severity(&self) -> (bool, usize, usize) {
        let report = &self.report;
        let minor = report.wrong_predecessor.len() + report.wrong_list.len();
        (!report.is_connected(), report.wrong_successor.len(), minor)
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {} s, {}", self.at, self.report)
    }
}

impl RingSummary {
    /// Adds a sample.
    fn add(&mut self, at: SimTime, report: RingReport) {
        self.samples += 1;
        self.wrong_shares += report.wrong_successor.len() as f64 / report.members as f64;
        self.disconnected += u64::from(!report.is_connected());
        if report.is_perfect() {
            self.perfect += 1;
        } else {
            self.keep_worst(Worst { at, report });
        }
    }

    fn keep_worst(&mut self, other: Worst) {
        if self.worst.as_ref().is_none_or(|worst| other.is_worse_than(worst)) {
            self.worst = Some(other);
        }
    }

    /// The share of samples that were perfect; `None` without samples.
    #[must_use]
    pub fn perfect_share(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.perfect as f64 / self.samples as f64)
    }

    /// The share of members whose first successor was wrong, a sample's mean; `None` without
    /// samples.
    #[must_use]
    pub fn wrong_successor_share(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.wrong_shares / self.samples as f64)
    }
}

/// Looks at the ring.
#[derive(Debug, Default)]
pub struct RingWatch {
    summary: RingSummary,
    /// The last look that there was something to see at.
    last: Option<(SimTime, RingReport)>,
    /// How many starts there had been at the last look, and when that number was new.
    starts: (u64, SimTime),
    /// Whether anybody has ever left, or been cut off.
    churned: bool,
}

impl RingWatch {
    /// Members cannot reach each other any more: what comes of that is no mistake.
    pub const fn excuse(&mut self) {
        self.churned = true;
    }

    /// The ring looks like this; up to now there were so many starts, and so many are up.
    fn look(&mut self, now: SimTime, counts: bool, report: RingReport, starts: u64, up: u64) {
        if starts != self.starts.0 {
            self.starts = (starts, now);
        }
        self.churned |= up < starts;
        let seen = self.last.as_ref().is_some_and(|(at, _)| *at == now);
        if seen || report.members == 0 {
            return;
        }
        if counts {
            self.summary.add(now, report.clone());
        }
        self.last = Some((now, report));
    }

    /// What was seen, and what is wrong with the last sample if nothing excuses it.
    #[must_use]
    pub fn finish(self, now: SimTime, stabilize: SimDuration) -> (RingSummary, Option<Worst>) {
        let calm = now.since(self.starts.1) >= stabilize * CALM_ROUNDS;
        let complaint = self
            .last
            .filter(|(_, report)| calm && !self.churned && !report.is_perfect())
            .map(|(at, report)| Worst { at, report });
        (self.summary, complaint)
    }
}

impl World {
    /// Looks at the ring, where the run is judged.
    pub(super) fn look_at_ring(&mut self) {
        if self.stage.checkers.is_none() {
            return;
        }
        let views: Vec<View<'_>> = self
            .stage
            .truth
            .main_members()
            .filter_map(|host| match &self.hosts[host.index()] {
                Host::Node(node) => node.plugin.dht.view(),
                _ => None,
            })
            .collect();
        let report = RingReport::of(&views);
        let starts = self.population.members.iter().map(|member| u64::from(member.starts)).sum();
        let up = self.population.up().len() as u64;
        let now = self.network.now();
        if let Some(checkers) = &mut self.stage.checkers {
            checkers.ring.look(now, now >= self.warmup, report, starts, up);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::NodeRef;
    use crate::overlay::ring::Wrong;

    /// Ten members, so many of which have a wrong successor, in so many cycles.
    fn ring(wrong: u32, cycles: usize) -> RingReport {
        let wrong_successor = (0..wrong)
            .map(|member| Wrong { member: NodeRef::new(member), believed: None, actual: None })
            .collect();
        RingReport { members: 10, wrong_successor, cycles, ..RingReport::default() }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    #[test]
    fn rings_under_churn_are_measured() {
        let mut watch = RingWatch::default();
        // In the warm-up: looked at, not counted.
        watch.look(at(1), false, ring(9, 1), 12, 12);
        for (second, wrong, cycles) in [(2, 0, 1), (3, 5, 1), (4, 3, 2), (5, 3, 2), (6, 0, 1)] {
            watch.look(at(second), true, ring(wrong, cycles), 12, 10);
        }
        // The same instant again, and a world in which nobody is up.
        watch.look(at(6), true, ring(0, 1), 12, 10);
        watch.look(at(7), true, RingReport::default(), 12, 0);
        let (summary, complaint) = watch.finish(at(7_200), SimDuration::from_secs(1));
        assert_eq!((summary.samples, summary.perfect, summary.disconnected), (5, 2, 2));
        assert_eq!(summary.perfect_share(), Some(0.4));
        // (0 + 5 + 3 + 3 + 0) / 10 / 5
        let share = summary.wrong_successor_share().unwrap();
        assert!((share - 0.22).abs() < 1e-12, "{share}");
        // Two cycles with three wrong are worse than one with five; the first of them is kept.
        assert_eq!(summary.worst, Some(Worst { at: at(4), report: ring(3, 2) }));
        assert_eq!(complaint, None);
    }

    #[test]
    fn a_ring_without_churn_has_no_excuse_once_it_was_calm_for_long() {
        let second = SimDuration::from_secs(1);
        // (up at the end, of 10 that started by then; wrong at the end; the end; complains)
        for (up, wrong, end, complains) in [
            (10, 1, 110, true),
            (10, 0, 110, false),
            // The last came at second 10: a hundred rounds are over at second 110.
            (10, 1, 109, false),
            (9, 1, 110, false),
        ] {
            let mut watch = RingWatch::default();
            watch.look(at(5), true, ring(0, 1), 9, 9);
            watch.look(at(10), true, ring(1, 1), 10, 10);
            watch.look(at(end), true, ring(wrong, 1), 10, up);
            let (_, complaint) = watch.finish(at(end), second);
            assert_eq!(complaint.is_some(), complains, "{up} {wrong} {end}");
            if let Some(complaint) = complaint {
                assert!(complaint.to_string().contains("1 wrong successors"), "{complaint}");
            }
        }
    }
}
