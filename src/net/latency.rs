//! How long a datagram travels between two hosts: the base latency of a pair.
//!
//! A base latency belongs to the unordered pair of hosts and stays the same for a whole run. It is
//! a stateless draw from the hashes of both names: another host, another order of declaration or
//! another strategy changes nothing, and nothing is stored per pair. What differs from message to
//! message (jitter) is added by [`Network`](crate::net).
//!
//! Models: one value for all pairs; uniform; lognormal, the usual shape of measured round-trip
//! times; and two in which the latencies of pairs are not independent of each other, a
//! [topology](crate::net::topology) of routers and [coordinates](crate::net::coordinates). Lognormal values are read from a table of quantiles that is made
//! once with `libm`.
//!
//! Not here: a pair of a host with itself is a pair like any other.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use thiserror::Error;

use crate::net::coordinates::{Coordinates, MAX_DIMENSIONS};
use crate::net::topology::{Graph, Topology, TopologyParameters};
use crate::rng::{Draws, NameHash, Purpose};
use crate::time::SimDuration;

/// The model of base latencies, one way.
#[derive(Clone, Debug)]
pub enum Latency {
    /// The same for all pairs.
    Constant(SimDuration),
    /// Uniform between two bounds.
    Uniform(Uniform),
    /// Lognormal.
    Lognormal(Box<Lognormal>),
    /// The shortest way through a graph of routers.
    Topology(Box<Topology>),
    /// The distance between places of a space.
    Coordinates(Box<Coordinates>),
}

/// Latencies of pairs, uniform from `min` up to `max`.
#[derive(Clone, Copy, Debug)]
pub struct Uniform {
    draws: Draws,
    min: SimDuration,
    width: SimDuration,
}

/// Latencies of pairs, lognormally distributed.
#[derive(Clone, Debug)]
pub struct Lognormal {
    draws: Draws,
    table: Quantiles,
}

/// Why there is no such model.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LatencyError {
    /// A message that takes no time could be answered before it is sent.
    #[error("a latency must be above zero")]
    Zero,
    /// The bounds of a range are in the wrong order.
    #[error("the least latency ({min} s) is above the largest ({max} s)")]
    Range {
        /// The lower bound as given.
        min: SimDuration,
        /// The upper bound as given.
        max: SimDuration,
    },
    /// The lognormal's σ is out of range.
    #[error("sigma must be between 0 and {max}, not {0}", max = Latency::MAX_SIGMA)]
    Sigma(f64),
    /// The graph is too small or too large.
    #[error("a topology has between 2 and {max} routers, not {routers}", max = TopologyParameters::MAX_ROUTERS)]
    Routers {
        /// The number as given.
        routers: u16,
    },
    /// Too many dimensions, or none.
    #[error("a space has between 1 and {max} dimensions, not {0}", max = MAX_DIMENSIONS)]
    Dimensions(u8),
    /// Routers without links are not connected.
    #[error("a router needs at least one link")]
    Links,
}

impl Latency {
    /// The least latency that is ever drawn: a microsecond, less than a switch in between takes.
    pub const FLOOR: SimDuration = SimDuration::from_nanos(1_000);
    /// The largest σ of a lognormal: measured latencies have 0.3 to 1; at 4 the mean is 3,000
    /// times the median.
    pub const MAX_SIGMA: f64 = 4.0;

    /// The same latency for all pairs.
    ///
    /// # Errors
    /// When it is zero.
    pub fn constant(latency: SimDuration) -> Result<Self, LatencyError> {
        if latency.is_zero() { Err(LatencyError::Zero) } else { Ok(Self::Constant(latency)) }
    }

    /// A uniform latency for each pair, `min` included, `max` included.
    ///
    /// # Errors
    /// When `min` is zero or above `max`.
    pub fn uniform(seed: u64, min: SimDuration, max: SimDuration) -> Result<Self, LatencyError> {
        check_range(min, max)?;
        let draws = Draws::new(seed, Purpose::Latency);
        Ok(Self::Uniform(Uniform { draws, min, width: max - min }))
    }

    /// A lognormal latency for each pair, with this median, where `sigma` is the standard
    /// deviation of its logarithm.
    ///
    /// # Errors
    /// When the median is zero, or `sigma` not between 0 and [`Latency::MAX_SIGMA`].
    pub fn lognormal(seed: u64, median: SimDuration, sigma: f64) -> Result<Self, LatencyError> {
        if median.is_zero() {
            return Err(LatencyError::Zero);
        }
        if !(0.0..=Self::MAX_SIGMA).contains(&sigma) {
            return Err(LatencyError::Sigma(sigma));
        }
        let draws = Draws::new(seed, Purpose::Latency);
        Ok(Self::Lognormal(Box::new(Lognormal { draws, table: Quantiles::new(median, sigma) })))
    }

    /// Hosts at the routers of a generated graph.
    ///
    /// # Errors
    /// When the parameters are out of range.
    pub fn topology(seed: u64, parameters: &TopologyParameters) -> Result<Self, LatencyError> {
        Topology::generate(seed, parameters).map(|topology| Self::Topology(Box::new(topology)))
    }

    /// Hosts at the routers of this graph, each over an access line of this latency.
    #[must_use]
    pub fn graph(seed: u64, graph: &Graph, access: SimDuration) -> Self {
        Self::Topology(Box::new(Topology::of_graph(seed, graph, access)))
    }

    /// How long a datagram travels from one host to another, or back.
    #[must_use]
    #[inline]
    pub fn base(&self, a: NameHash, b: NameHash) -> SimDuration {
        match self {
            Self::Constant(latency) => *latency,
            Self::Uniform(uniform) => {
                uniform.min + share(pair_bits(uniform.draws, a, b), uniform.width)
            }
            Self::Lognormal(lognormal) => {
                lognormal.table.at(pair_bits(lognormal.draws, a, b)).max(Self::FLOOR)
            }
            Self::Topology(topology) => topology.base(a, b).max(Self::FLOOR),
            Self::Coordinates(coordinates) => coordinates.base(a, b),
        }
    }
}

/// 64 uniform bits of an unordered pair.
#[inline]
fn pair_bits(draws: Draws, a: NameHash, b: NameHash) -> u64 {
    draws.bits(a.0.min(b.0), a.0.max(b.0))
}

/// The whole number of nanoseconds from none up to `width`, both included, that 64 uniform bits
/// stand for.
#[inline]
pub(super) fn share(bits: u64, width: SimDuration) -> SimDuration {
    let product = u128::from(bits) * (u128::from(width.as_nanos()) + 1);
    SimDuration::from_nanos((product >> 64) as u64)
}

/// Whether a draw from this range is possible and never zero.
pub(super) fn check_range(min: SimDuration, max: SimDuration) -> Result<(), LatencyError> {
    if min.is_zero() {
        Err(LatencyError::Zero)
    } else if min > max {
        Err(LatencyError::Range { min, max })
    } else {
        Ok(())
    }
}

const INTERVALS: usize = 4096;
const INDEX_BITS: u32 = INTERVALS.ilog2();

/// The quantiles of a lognormal at the multiples of 1/4096, with straight lines between them; in
/// the first and the last interval, where the curve has no bound or is steep, the exact value.
#[derive(Clone, Debug)]
struct Quantiles {
    median: f64,
    sigma: f64,
    /// Nanoseconds. 24 bits of precision are a thousand times finer than the straight lines, and
    /// the table takes half as much of the cache.
    knots: Box<[f32]>,
}

impl Quantiles {
    fn new(median: SimDuration, sigma: f64) -> Self {
        let median = median.as_nanos() as f64;
        let knot = |index: usize| {
            // The ends are never read; what stands there must only be finite.
            let index = index.clamp(1, INTERVALS - 1);
            let from_nearer_end = index.min(INTERVALS - index) as f64 / INTERVALS as f64;
            let z = lower_normal_quantile(from_nearer_end);
            let z = if index > INTERVALS / 2 { -z } else { z };
            (median * libm::exp(sigma * z)) as f32
        };
        Self { median, sigma, knots: (0..=INTERVALS).map(knot).collect() }
    }

    /// The quantile that 64 uniform bits stand for.
    #[inline]
    fn at(&self, bits: u64) -> SimDuration {
        let index = (bits >> (64 - INDEX_BITS)) as usize;
        if index == 0 || index == INTERVALS - 1 {
            return SimDuration::from_nanos(self.exact(bits) as u64);
        }
        // The 52 bits below the index, exact in an f64. Signed numbers, since processors convert
        // those in one instruction.
        let rest = (bits << INDEX_BITS >> INDEX_BITS) as i64;
        let fraction = rest as f64 / (1u64 << (64 - INDEX_BITS)) as f64;
        let (low, high) = (f64::from(self.knots[index]), f64::from(self.knots[index + 1]));
        SimDuration::from_nanos((low + (high - low) * fraction) as i64 as u64)
    }

    /// The quantile without the table, in nanoseconds.
    #[cold]
    fn exact(&self, bits: u64) -> f64 {
        // From the nearer end, since 1 - 2^-64 is not an f64; from the middle of the 2^64-th part,
        // so that neither end is met.
        let upper = bits >> 63 == 1;
        let steps = if upper { !bits } else { bits };
        let z = lower_normal_quantile((steps as f64 + 0.5) / 2f64.powi(64));
        self.median * libm::exp(self.sigma * if upper { -z } else { z })
    }
}

/// The `p`-quantile of the standard normal distribution for 0 < p ≤ 1/2.
///
/// Newton's method for ln Φ(z) = ln p with Φ(z) = erfc(-z / √2) / 2. The logarithm of Φ is concave,
/// and Φ(z) ≤ exp(-z² / 2) / 2 puts the start to the left of the root: so the steps never overshoot,
/// and the first one that leads back is rounding.
fn lower_normal_quantile(p: f64) -> f64 {
    if p >= 0.5 {
        return 0.0;
    }
    let mut z = -(-2.0 * libm::log(p)).sqrt();
    // Five to seven steps are taken; the bound only says that rounding cannot make it circle.
    for _ in 0..20 {
        let below = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        let density = libm::exp(-0.5 * z * z) * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI * 0.5;
        let next = z + libm::log(p / below) * below / density;
        if next <= z {
            break;
        }
        z = next;
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{mix, mix2};

    const MS: SimDuration = SimDuration::from_millis(1);

    fn host(n: u64) -> NameHash {
        NameHash::of(&format!("node-{n:05}"))
    }

    fn models(seed: u64) -> [Latency; 4] {
        [
            Latency::constant(MS * 50).unwrap(),
            Latency::uniform(seed, MS * 10, MS * 90).unwrap(),
            Latency::lognormal(seed, MS * 40, 0.5).unwrap(),
            Latency::topology(seed, &TopologyParameters::default()).unwrap(),
        ]
    }

    /// Milliseconds of many different pairs, ascending.
    fn sample(latency: &Latency, n: u64) -> Vec<f64> {
        let base = |i| latency.base(NameHash(mix(i)), NameHash(mix(i + n)));
        let mut sample: Vec<f64> = (0..n).map(|i| base(i).as_secs_f64() * 1e3).collect();
        sample.sort_by(f64::total_cmp);
        sample
    }

    #[test]
    fn both_ways_take_the_same_time_and_no_way_takes_none() {
        for latency in models(3) {
            for n in 0..2_000 {
                let (a, b) = (host(n), host(mix(n) % 50));
                assert_eq!(latency.base(a, b), latency.base(b, a));
                assert!(latency.base(a, b) >= Latency::FLOOR);
            }
        }
    }

    /// Golden values: they may change only together with every baseline.
    #[test]
    fn numbers_are_the_same_on_every_machine() {
        let digest = |latency: &Latency| {
            (0..5_000)
                .fold(0, |sum, n| mix2(sum, latency.base(host(n), host(n * 7 % 1_000)).as_nanos()))
        };
        let digests = models(2009).each_ref().map(digest);
        let golden = [
            0x2cbc_368b_1624_ce0e,
            0x7333_a466_26a2_1b96,
            0xd114_7b3c_551d_7eef,
            0xf283_8cda_fa26_9f40,
        ];
        assert_eq!(digests, golden, "{digests:#x?}");
    }

    #[test]
    fn a_seed_gives_its_own_latencies() {
        for (one, other) in models(1).iter().zip(models(2)).skip(1) {
            let equal = (0..100)
                .filter(|&n| one.base(host(n), host(n + 1)) == other.base(host(n), host(n + 1)));
            assert!(equal.count() < 3);
        }
    }

    #[test]
    fn uniform_latencies_fill_their_range() {
        let sample = sample(&Latency::uniform(5, MS * 10, MS * 90).unwrap(), 100_000);
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        // Standard error 80 / sqrt(12 n) = 0.073.
        assert!((mean - 50.0).abs() < 0.3, "{mean}");
        assert!((10.0..10.01).contains(&sample[0]), "{}", sample[0]);
        assert!((89.99..=90.0).contains(&sample[99_999]), "{}", sample[99_999]);
        let one_value = Latency::uniform(5, MS, MS).unwrap();
        assert_eq!(one_value.base(host(1), host(2)), MS);
        let all = Latency::uniform(5, SimDuration::from_nanos(1), SimDuration::MAX).unwrap();
        assert!(all.base(host(1), host(2)) > SimDuration::from_secs(3_600));
    }

    #[test]
    fn lognormal_latencies_have_their_median_mean_and_tails() {
        let sample = sample(&Latency::lognormal(5, MS * 40, 0.5).unwrap(), 100_000);
        // Standard error of the median: 40 σ sqrt(π / 2n) = 0.079.
        assert!((sample[50_000] - 40.0).abs() < 0.32, "{}", sample[50_000]);
        // Mean 40 exp(σ²/2) = 45.326; standard deviation 45.326 sqrt(exp(σ²) - 1) = 24.16,
        // standard error 0.076.
        let mean = sample.iter().sum::<f64>() / sample.len() as f64;
        assert!((mean - 45.326).abs() < 0.31, "{mean}");
        // 97.725 % lie below two standard deviations: 40 e = 108.73, 2.275 % below 40 / e = 14.715.
        let below = |x: f64| sample.partition_point(|&y| y < x) as f64 / sample.len() as f64;
        // Standard error sqrt(0.97725 · 0.02275 / n) = 0.00047.
        assert!((below(108.731_27) - 0.977_25).abs() < 0.0019);
        assert!((below(14.715_18) - 0.022_75).abs() < 0.0019);
    }

    #[test]
    fn the_table_follows_the_exact_curve() {
        let table = Quantiles::new(MS * 40, 0.5);
        for n in 0..20_000u64 {
            let bits = mix(n);
            let (read, exact) = (table.at(bits).as_nanos() as f64, table.exact(bits));
            // On the k-th interval from an end a straight line is off by about σ / 8k²z: 1 % on the
            // first, less than 10^-5 from the 32nd on.
            let from_end = bits.min(!bits) >> (64 - INDEX_BITS);
            let tolerance = if from_end < 32 { 0.01 } else { 1e-4 };
            assert!((read / exact - 1.0).abs() < tolerance, "{bits:#x}: {read} {exact}");
        }
        // Known quantiles of the normal distribution.
        for (p, z) in [(0.5, 0.0), (0.158_655_253_931_457, -1.0), (0.025, -1.959_963_984_540_054)] {
            assert!((lower_normal_quantile(p) - z).abs() < 1e-12, "{p}");
        }
        for exponent in 1..80 {
            let p = 2f64.powi(-exponent);
            let back = 0.5 * libm::erfc(-lower_normal_quantile(p) * FRAC_1_SQRT_2);
            assert!((back / p - 1.0).abs() < 1e-12, "{p}");
        }
        // The ends: 2^-65 is 9.16 standard deviations out.
        assert!((table.exact(0) / (40e6 * libm::exp(-0.5 * 9.16)) - 1.0).abs() < 0.01);
        assert!((table.exact(u64::MAX) / (40e6 * libm::exp(0.5 * 9.16)) - 1.0).abs() < 0.01);
        let steps =
            [0, 1 << 51, 1 << 52, 1 << 53, 1 << 62, 1 << 63, u64::MAX - (1 << 52), u64::MAX];
        assert!(steps.map(|bits| table.at(bits)).is_sorted());
    }

    #[test]
    fn impossible_models_are_refused_with_what_is_wrong() {
        let zero = SimDuration::ZERO;
        assert_eq!(Latency::constant(zero).unwrap_err(), LatencyError::Zero);
        assert_eq!(Latency::uniform(1, zero, MS).unwrap_err(), LatencyError::Zero);
        assert_eq!(Latency::lognormal(1, zero, 0.5).unwrap_err(), LatencyError::Zero);
        let reversed = Latency::uniform(1, MS * 2, MS).unwrap_err();
        assert_eq!(
            reversed.to_string(),
            "the least latency (0.002 s) is above the largest (0.001 s)"
        );
        for sigma in [-0.1, 4.1, f64::NAN, f64::INFINITY] {
            let error = Latency::lognormal(1, MS, sigma).unwrap_err();
            assert!(error.to_string().starts_with("sigma must be between 0 and 4"), "{error}");
        }
    }
}
