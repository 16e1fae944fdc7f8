//! Partitions by the script: the network parts, and truth is told whom.
//!
//! A ring that was cut in two for longer than its members remember each other is two rings of the
//! same identity ever after: Chord has no way to find out (Stoica et al. leave it open).

use std::sync::Arc;

use crate::net::Partition;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::World;
use crate::world::director::Command;
use crate::world::observation::Observation;

/// Until when each partition of the script lasts; `None` while it is not in force.
#[derive(Clone, Debug)]
pub struct Partitions([Option<SimTime>; Partition::MOST]);

impl Default for Partitions {
    fn default() -> Self {
        Self([None; Partition::MOST])
    }
}

impl World {
    /// The script cuts hosts off, and with them whoever is in the binding, if it says so. One that
    /// is in force already has these instead.
    pub(super) fn part(
        &mut self,
        partition: Partition,
        hosts: &Arc<[HostId]>,
        proxy: bool,
        lasting: Option<SimDuration>,
    ) {
        let now = self.network.now();
        let mut hosts = Arc::clone(hosts);
        if proxy && let Some(proxy) = self.stage.truth.binding_host() {
            hosts = hosts.iter().copied().chain([proxy]).collect();
        }
        let until = lasting.map_or(SimTime::MAX, |span| now.saturating_add(span));
        self.director.partitions.0[partition.number()] = Some(until);
        if until < SimTime::MAX {
            let number = self.director.number(Command::Heal(partition));
            self.network.command(until, self.director.host, number);
        }
        self.network.cut(partition, &hosts);
        if let Some(checkers) = &mut self.stage.checkers {
            checkers.ring.excuse();
        }
        self.tell(self.director.host, &Observation::Parted { partition, hosts });
    }

    /// A partition ends, unless it was told meanwhile to last longer.
    pub(super) fn heal_if_due(&mut self, partition: Partition) {
        let until = self.director.partitions.0[partition.number()];
        if until.is_some_and(|until| until <= self.network.now()) {
            self.heal(partition);
        }
    }

    /// All partitions end.
    pub(super) fn heal_all(&mut self) {
        for number in 0..Partition::MOST {
            if self.director.partitions.0[number].is_some() {
                self.heal(Partition::new(number));
            }
        }
    }

    fn heal(&mut self, partition: Partition) {
        self.director.partitions.0[partition.number()] = None;
        self.network.heal(partition);
        self.tell(self.director.host, &Observation::Healed(partition));
    }
}
