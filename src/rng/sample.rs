//! Distributions by inverse transform, on `libm` only.
//!
//! Each function takes its random bits from a generator and its mathematics from `libm`, never
//! from the platform, whose `ln`, `exp` and `pow` differ between machines in the last bit; so a
//! draw is the same on every machine. Golden digests in the tests watch over that.
//!
//! Parameters are plain numbers and the caller's to check ([`crate::churn::Lifetime`] does): a
//! parameter outside its range gives NaN or infinity, never a panic. Everything but
//! [`gamma`] takes exactly one draw of 64 bits.
//!
//! See [`normal_quantile`] for the normal distribution and [`LognormalTable`] for what is drawn
//! too often for `libm`.

use rand::Rng;

mod lognormal_table;
mod normal;

pub use lognormal_table::{LognormalError, LognormalTable};
pub use normal::normal_quantile;

/// A uniform number in the open interval (0, 1) from 64 uniform bits.
///
/// The upper 52 bits choose one of 2^52 cells, the number is the middle of the cell: that is
/// exact in an `f64`, symmetric about one half, and neither 0 nor 1, so that a logarithm is safe.
#[must_use]
#[inline]
pub fn open_unit_from_bits(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// A uniform number in the open interval (0, 1).
pub fn open_unit(rng: &mut impl Rng) -> f64 {
    open_unit_from_bits(rng.next_u64())
}

/// A uniform whole number in `low..=high`; `low` when `high` is not above it. The bias is below
/// (high − low + 1) / 2^64.
pub fn uniform_u64(rng: &mut impl Rng, low: u64, high: u64) -> u64 {
    let width = u128::from(high.saturating_sub(low)) + 1;
    low + ((u128::from(rng.next_u64()) * width) >> 64) as u64
}

/// An exponential number with this mean (> 0).
pub fn exponential(rng: &mut impl Rng, mean: f64) -> f64 {
    exponential_from_bits(rng.next_u64(), mean)
}

/// The same from 64 uniform bits.
#[must_use]
pub fn exponential_from_bits(bits: u64, mean: f64) -> f64 {
    -mean * libm::log(open_unit_from_bits(bits))
}

/// A Weibull number: P(X > x) = exp(−(x / scale)^shape), with scale and shape > 0.
pub fn weibull(rng: &mut impl Rng, scale: f64, shape: f64) -> f64 {
    scale * libm::pow(-libm::log(open_unit(rng)), 1.0 / shape)
}

/// A Lomax number, which is a Pareto number shifted to begin at zero:
/// P(X > x) = (1 + x / scale)^−shape, with scale and shape > 0.
pub fn lomax(rng: &mut impl Rng, scale: f64, shape: f64) -> f64 {
    // u^(−1/a) − 1, without the cancellation near u = 1.
    scale * libm::expm1(-libm::log(open_unit(rng)) / shape)
}

/// A standard normal number.
pub fn standard_normal(rng: &mut impl Rng) -> f64 {
    normal_quantile(open_unit(rng))
}

/// A lognormal number: exp(mu + sigma Z) with Z standard normal, so that exp(mu) is the median.
pub fn lognormal(rng: &mut impl Rng, mu: f64, sigma: f64) -> f64 {
    libm::exp(mu + sigma * standard_normal(rng))
}

/// A Gamma number with this shape (≥ 1) and scale 1.
///
/// By rejection, since the inverse has no closed form: Marsaglia and Tsang, "A simple method for
/// generating gamma variables", ACM TOMS 26(3), 2000, without their squeeze, which only saves
/// logarithms. More than 95 % of the candidates are taken, each costs two draws of 64 bits.
pub fn gamma(rng: &mut impl Rng, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let (x, u) = (standard_normal(rng), open_unit(rng));
        let root = 1.0 + c * x;
        let v = root * root * root;
        // Written so that a NaN (a shape out of range) is taken instead of looping for ever.
        let refused = v <= 0.0 || libm::log(u) >= 0.5 * x * x + d * (1.0 - v + libm::log(v));
        if !refused {
            return d * v;
        }
    }
}

/// The gamma function: Γ(n + 1) = n! for whole n.
#[must_use]
pub fn gamma_function(x: f64) -> f64 {
    libm::tgamma(x)
}

#[cfg(test)]
mod tests;
