//! Who holds an address.

use rustc_hash::FxHashMap;

use crate::address::Address;
use crate::sim::HostId;

/// The first address of 10.0.0.0/8, from which generated members get theirs.
const DENSE_BASE: u32 = 0x0a00_0000;
/// How many addresses 10.0.0.0/8 has.
const DENSE_SIZE: u32 = 1 << 24;
const NOBODY: u32 = u32::MAX;

/// The holders of all addresses in use: a flat table for 10.0.0.0/8, a map for all others.
#[derive(Debug, Default)]
pub struct Holders {
    dense: Vec<u32>,
    others: FxHashMap<Address, HostId>,
}

impl Holders {
    /// The host that holds the address, up or not.
    #[must_use]
    #[inline]
    pub fn holder(&self, address: Address) -> Option<HostId> {
        let offset = address.bits().wrapping_sub(DENSE_BASE);
        if offset < DENSE_SIZE {
            let holder = *self.dense.get(offset as usize)?;
            return (holder != NOBODY).then_some(HostId(holder));
        }
        self.others.get(&address).copied()
    }

    /// Gives an address to a host.
    pub fn assign(&mut self, address: Address, host: HostId) {
        let offset = address.bits().wrapping_sub(DENSE_BASE);
        if offset >= DENSE_SIZE {
            self.others.insert(address, host);
            return;
        }
        let index = offset as usize;
        if index >= self.dense.len() {
            self.dense.resize(index + 1, NOBODY);
        }
        self.dense[index] = host.0;
    }

    /// Takes an address back.
    pub fn release(&mut self, address: Address) {
        let offset = address.bits().wrapping_sub(DENSE_BASE);
        if offset >= DENSE_SIZE {
            self.others.remove(&address);
        } else if let Some(holder) = self.dense.get_mut(offset as usize) {
            *holder = NOBODY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_holder_it_was_assigned_to_last() {
        let mut holders = Holders::default();
        for text in ["10.0.0.7", "146.231.123.55"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(holders.holder(address), None);
            holders.assign(address, HostId(3));
            holders.assign(address, HostId(4));
            assert_eq!(holders.holder(address), Some(HostId(4)));
            holders.release(address);
            assert_eq!(holders.holder(address), None);
        }
    }
}
