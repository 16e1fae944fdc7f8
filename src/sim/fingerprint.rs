//! A digest of everything that happened.
//!
//! Each delivered datagram and each observation is mixed into 64 bits (time, host, kind, content)
//! and added to the sum of its epoch of simulated time. Sums commute, so the digest says what
//! happened and not in which order the simulator got to it; counters and dropped timers stay out,
//! so that a refactoring keeps its baselines. To find a difference, only the first epoch that
//! differs is repeated with a log.

use std::hash::{Hash, Hasher};

use crate::rng::{mix, mix2};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};

/// The sums, by epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    epoch: SimDuration,
    sums: Vec<u64>,
    current: u64,
    current_ends: SimTime,
}

impl Fingerprint {
    /// An empty digest with epochs of this length, which must not be zero.
    #[must_use]
    pub fn new(epoch: SimDuration) -> Self {
        assert!(!epoch.is_zero(), "an epoch has a length");
        Self { epoch, sums: Vec::new(), current: 0, current_ends: SimTime::ZERO + epoch }
    }

    /// Adds one happening; `now` never runs back.
    #[inline]
    pub fn add(&mut self, now: SimTime, host: HostId, content: u64) {
        while now >= self.current_ends {
            self.close_epoch();
        }
        // Two odd multipliers keep time and host apart; the mix over all of it does the rest.
        let time = now.as_nanos().wrapping_mul(0xd6e8_feb8_6659_fd93);
        let place = time ^ u64::from(host.0).wrapping_mul(0xff51_afd7_ed55_8ccd);
        self.current = self.current.wrapping_add(mix(place ^ content));
    }

    fn close_epoch(&mut self) {
        self.sums.push(std::mem::take(&mut self.current));
        self.current_ends = self.current_ends.saturating_add(self.epoch);
    }

    /// The sums of all epochs so far, the unfinished one last.
    #[must_use]
    pub fn epochs(&self) -> Vec<u64> {
        let mut sums = self.sums.clone();
        sums.push(self.current);
        sums
    }

    /// One number for the whole run: the epochs folded in their order.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.epochs().into_iter().fold(0, |digest, sum| mix(digest ^ sum))
    }
}

/// A [`Hasher`] whose result is the same on every machine and in every version of Rust: each value
/// is mixed in as 64 bits, whatever the machine's word.
#[derive(Debug, Default)]
pub struct StableHasher(u64);

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = mix2(self.0, value);
    }
    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }
    fn write_u16(&mut self, value: u16) {
        self.write_u64(value.into());
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as i64 as u64);
    }
}

/// The stable hash of a value.
#[must_use]
pub fn stable_hash(value: &impl Hash) -> u64 {
    let mut hasher = StableHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_hashes_tell_variants_and_contents_apart() {
        assert_eq!(stable_hash(&Some(7u32)), stable_hash(&Some(7u32)));
        assert_ne!(stable_hash(&Some(7u32)), stable_hash(&Some(8u32)));
        assert_ne!(stable_hash(&Some(0u32)), stable_hash(&None::<u32>));
        // Golden: 64-bit words mixed one after another, the length of a list first.
        let by_hand = mix2(mix2(mix2(0, 2), 5), 6);
        assert_eq!(stable_hash(&vec![HostId(5), HostId(6)]), by_hand);
    }

    #[test]
    fn order_within_an_epoch_does_not_matter_but_epoch_host_and_content_do() {
        let digest = |happenings: &[(u64, u32, u64)]| {
            let mut print = Fingerprint::new(SimDuration::from_secs(10));
            for &(second, host, content) in happenings {
                print.add(SimTime::from_secs(second), HostId(host), content);
            }
            print.digest()
        };
        let base = digest(&[(1, 1, 7), (1, 2, 8)]);
        assert_eq!(base, digest(&[(1, 2, 8), (1, 1, 7)]));
        assert_ne!(base, digest(&[(1, 1, 8), (1, 2, 7)]));
        assert_ne!(base, digest(&[(1, 1, 7), (2, 2, 8)]));
        assert_ne!(base, digest(&[(1, 1, 7), (11, 2, 8)]));
    }
}
