//! The binned state of the run.

use super::Truth;
use super::report::TimelinePoint;
use crate::time::{SimDuration, SimTime};

/// Collects one point at the end of every bin.
#[derive(Debug)]
pub(super) struct Timeline {
    bin: SimDuration,
    next: SimTime,
    counted: u64,
    /// Messages of the run so far, as last told.
    pub(super) messages: u64,
    points: Vec<TimelinePoint>,
}

impl Timeline {
    /// No points at all when the bin is empty.
    pub(super) fn new(bin: SimDuration) -> Self {
        let next = if bin.is_zero() { SimTime::MAX } else { SimTime::ZERO.saturating_add(bin) };
        Self { bin, next, counted: 0, messages: 0, points: Vec::new() }
    }

    /// When the next point is due.
    pub(super) const fn next(&self) -> SimTime {
        self.next
    }

    /// Adds the point that is due; its instant and messages are filled in here.
    pub(super) fn push(&mut self, point: TimelinePoint) {
        let messages = self.messages.saturating_sub(self.counted);
        self.points.push(TimelinePoint { at: self.next, messages, ..point });
        self.counted = self.messages;
        self.next = self.next.saturating_add(self.bin);
    }

    pub(super) fn take(&mut self) -> Vec<TimelinePoint> {
        std::mem::take(&mut self.points)
    }
}

impl Truth {
    /// The state now.
    pub(super) fn point(&self) -> TimelinePoint {
        TimelinePoint {
            at: self.now,
            members: self.overlays.members(),
            believers: self.overlays.believers(),
            binding_valid: self.binding_valid(),
            stale_resolvers: self.resolvers.stale.level(),
            resolvers: self.resolvers.hosts().len() as u64,
            overlays: self.overlays.populated(),
            messages: 0,
        }
    }
}
