//! Randomness that is a function of what it is for.
//!
//! Two kinds. A *stream* ([`stream`]) is a `ChaCha8Rng` keyed by seed, purpose and entity: what is
//! drawn a few times an entity (sessions, phases, callers) comes from there, so that adding an
//! entity, or drawing once more for one, moves nobody else's numbers. A *draw* ([`Draws`]) is
//! stateless: a mix of a purpose key, the entity and a counter, for what is drawn per message,
//! where 300 bytes a generator and host would be too much.
//!
//! Entities are named by a hash of their name, never by their rank: a bystander shifts ranks.
//! Distributions are in [`sample`]; they use `libm` only, since the platform's mathematics differ
//! between machines.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub mod sample;

/// What a random number is for. Streams of different purposes are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// The stationary start: who is up, phases of timers, lists of bootstrap peers.
    Setup = 1,
    /// Sessions, downtimes, the choices of the Director.
    Churn = 2,
    /// When a caller acts.
    Callers = 3,
    /// Overlay look-ups of members.
    Workload = 4,
    /// The base latency of a pair of hosts, and generated topologies.
    Latency = 5,
    /// Jitter of one message.
    Jitter = 6,
    /// Loss of one message.
    Loss = 7,
    /// What a protocol draws for itself: identifiers, jitter of its timers.
    Protocol = 8,
    /// Node identifiers and keys.
    Identifier = 9,
    /// Resampling in statistics.
    Bootstrap = 10,
    /// When a host that is up gets another address.
    AddressChange = 11,
}

/// The generator of one purpose and entity. The same three arguments give the same numbers on
/// every machine.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, entity: NameHash) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&entity.0.to_le_bytes());
    key[24..].copy_from_slice(b"overcord");
    ChaCha8Rng::from_seed(key)
}

/// The hash of an entity's name: stable across versions, machines and populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameHash(pub u64);

impl NameHash {
    /// Hashes a name: FNV-1a over its bytes, then [`mix`].
    #[must_use]
    pub fn of(name: &str) -> Self {
        let fnv = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mix(fnv))
    }
}

/// A bijection of 64 bits in which every input bit moves about half of the output bits: the
/// finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014).
#[must_use]
#[inline]
pub const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Mixes two words into one; not symmetric.
#[must_use]
#[inline]
pub const fn mix2(a: u64, b: u64) -> u64 {
    mix(mix(a) ^ b)
}

/// Stateless draws of one purpose: a function of (seed, purpose, entity, counter).
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    key: u64,
}

impl Draws {
    /// The draws of a purpose, keyed through ChaCha8 so that purposes and seeds are unrelated.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        use rand::Rng as _;
        Self { key: stream(seed, purpose, NameHash(0)).next_u64() }
    }

    /// 64 uniform bits for the `counter`-th draw of `entity`.
    #[must_use]
    #[inline]
    pub const fn bits(self, entity: u64, counter: u64) -> u64 {
        mix(mix(self.key ^ entity) ^ counter)
    }

    /// A uniform number in [0, 1) for the `counter`-th draw of `entity`.
    #[must_use]
    #[inline]
    pub fn unit(self, entity: u64, counter: u64) -> f64 {
        unit_from_bits(self.bits(entity, counter))
    }
}

/// A uniform number in [0, 1) from 64 uniform bits: the upper 53 of them.
#[must_use]
#[inline]
pub fn unit_from_bits(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The draws of one component that needs a few numbers while it runs (identifiers, jitter): its
/// name, and how many it has drawn.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    draws: Draws,
    entity: NameHash,
    drawn: u64,
}

impl Dice {
    /// Dice for the component of this name.
    #[must_use]
    pub fn new(draws: Draws, entity: NameHash) -> Self {
        Self { draws, entity, drawn: 0 }
    }

    /// The next 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.drawn += 1;
        self.draws.bits(self.entity.0, self.drawn)
    }

    /// The next uniform number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        unit_from_bits(self.bits())
    }

    /// The next uniform index below `n`, which must not be zero. The bias is below n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "an index below zero does not exist");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn streams_differ_by_seed_purpose_and_entity_and_repeat() {
        let first = |seed, purpose, name| stream(seed, purpose, NameHash::of(name)).next_u64();
        let base = first(1, Purpose::Churn, "node-00001");
        assert_eq!(base, first(1, Purpose::Churn, "node-00001"));
        assert_ne!(base, first(2, Purpose::Churn, "node-00001"));
        assert_ne!(base, first(1, Purpose::Setup, "node-00001"));
        assert_ne!(base, first(1, Purpose::Churn, "node-00002"));
    }

    /// Golden values: they may change only together with every baseline.
    #[test]
    fn numbers_are_the_same_on_every_machine() {
        assert_eq!(NameHash::of("alice").0, NameHash::of("alice").0);
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf, "first output of splitmix64 with seed 0");
    }

    #[test]
    fn stateless_draws_look_uniform() {
        let draws = Draws::new(7, Purpose::Loss);
        let n = 100_000;
        let mean = (0..n).map(|i| draws.unit(3, i)).sum::<f64>() / n as f64;
        // Standard error 1 / sqrt(12 n) = 0.0009.
        assert!((mean - 0.5).abs() < 0.004, "{mean}");
    }
}
