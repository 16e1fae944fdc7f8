//! What partitions do to validity, and translators of addresses: a host whose ports nobody reaches
//! from outside is valid for nobody.
//!
//! A truth looks with the eyes of one observer: an address is valid while its host can be reached
//! from there. When a partition begins or ends, all believers in the proxy role are looked at again
//! at once, so that nobody is lost and found within the instant. Beyond that,
//!
//! * a resolver that can reach no name server would answer with a failure, which is not stale; one
//!   that cannot reach its own asks the next, and that is another binding;
//! * a verdict is judged by what the node that tested could reach: one about a valid proxy peer on
//!   the other side is not wrong;
//! * believers on different sides are no split brain, which is more than one of them on one side;
//! * a callee on the other side is as one who is not there: the request fails because of him.

use std::collections::BTreeMap;

use super::Truth;
use super::claims::Tested;
use crate::address::Address;
use crate::net::Partition;
use crate::sim::HostId;

impl Truth {
    /// Whether a datagram from the observer reaches this host, when nothing is lost.
    pub(super) fn reaches(&self, host: HostId) -> bool {
        match self.observer {
            _ if !self.sides.is_parted() => true,
            Some(observer) => !self.sides.part(observer, host),
            None => self.sides.side(host) == 0,
        }
    }

    /// The address at which this host is a proxy peer for those on its side.
    fn plays_at(&self, host: HostId) -> Option<Address> {
        self.overlays.serves_at(host).filter(|_| !self.walled.contains(&host))
    }

    /// The address at which this host is a valid proxy peer.
    pub(super) fn serves_at(&self, host: HostId) -> Option<Address> {
        self.plays_at(host).filter(|_| self.reaches(host))
    }

    /// Which life a host lives that the observer reaches.
    pub(super) fn life(&self, host: HostId) -> Option<u32> {
        self.overlays.life(host).filter(|_| self.reaches(host))
    }

    /// An address with its validity for the node that tested it.
    pub(super) fn tested_by(&self, node: HostId, address: Address) -> Tested {
        let valid = if self.sides.is_parted() {
            let holder = self.overlays.holder(address);
            let serves = |host| self.plays_at(host) == Some(address);
            holder.is_some_and(|host| serves(host) && !self.sides.part(node, host))
        } else {
            self.addresses.is_valid(address)
        };
        Tested { address, valid }
    }

    /// A partition cuts these hosts off, or is over.
    pub(super) fn part(&mut self, partition: Partition, hosts: Option<&[HostId]>) {
        match hosts {
            Some(hosts) => self.sides.cut(partition, hosts),
            None => self.sides.heal(partition),
        }
        self.reach_authority();
        let proxies: Vec<HostId> = self.overlays.proxies().iter().copied().collect();
        self.reassess(&proxies);
        self.turn_to_reached_server();
        self.measure_believers();
        self.refresh_callers();
    }

    /// Whether more than one believer can be reached from one place.
    pub(super) fn measure_believers(&mut self) {
        let is_split = match self.overlays.believers() {
            0 | 1 => false,
            _ if !self.sides.is_parted() => true,
            _ => {
                let mut on_side: BTreeMap<u32, u64> = BTreeMap::new();
                for host in self.overlays.steady_believers() {
                    *on_side.entry(self.sides.side(host)).or_default() += 1;
                }
                on_side.values().any(|&believers| believers > 1)
            }
        };
        self.durations.split_brain.set(self.now, is_split.into());
    }
}
