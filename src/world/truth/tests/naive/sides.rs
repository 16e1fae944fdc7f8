//! Partitions by brute force: two hosts reach each other when none has one of them without the other.

use super::Naive;
use crate::address::Address;
use crate::sim::HostId;

impl Naive {
    pub(super) fn together(&self, a: HostId, b: HostId) -> bool {
        self.parted.values().all(|far| far.contains(&a) == far.contains(&b))
    }

    /// Whether the observer reaches a host.
    pub(super) fn sees(&self, host: HostId) -> bool {
        match self.config.observer {
            Some(observer) => self.together(observer, host),
            None => self.parted.values().all(|far| !far.contains(&host)),
        }
    }

    /// Whether an address is that of a proxy peer of the main overlay whom a node reaches.
    pub(super) fn valid_for(&self, node: HostId, address: Address) -> bool {
        let main = self.main();
        self.hosts.iter().any(|(&id, host)| {
            let plays = host.proxy && main.is_some() && host.member == main;
            plays && host.address == Some(address) && self.together(node, id)
        })
    }
}
