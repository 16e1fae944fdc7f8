//! A lognormal as a table, for what is drawn per pair or per message.

use thiserror::Error;

use super::{normal_quantile, open_unit_from_bits};
use crate::time::SimDuration;

/// Cells of equal probability. 4,096 numbers are 32 KiB: they stay in the second-level cache.
const CELLS: u64 = 4_096;
/// In this many cells at either end the quantile bends too much for a straight line: there it is
/// computed, which happens to 1.6 % of the draws.
const EXACT_CELLS: u64 = 32;

/// A lognormal's parameter that makes no distribution.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum LognormalError {
    /// Sigma is negative, infinite or no number.
    #[error("sigma is {0}; it must be a number of 0 or more")]
    Sigma(f64),
}

/// The quantiles of a lognormal span, made once with `libm`: 64 uniform bits become a span in a
/// few nanoseconds.
///
/// Between its points the quantile is a straight line: the relative error is below
/// 10⁻⁴ · max(sigma, sigma²). Both tails, 1/128 of the draws each, are computed exactly.
#[derive(Clone, Debug)]
pub struct LognormalTable {
    median_nanos: f64,
    sigma: f64,
    /// The quantile at i / [`CELLS`] in nanoseconds, for the i that bound a cell of straight
    /// lines; zero elsewhere.
    points: Vec<f64>,
}

impl LognormalTable {
    /// The table of the lognormal with this median, whose logarithm has standard deviation
    /// `sigma`; 0 makes it constant.
    ///
    /// # Errors
    /// When `sigma` is negative or not finite.
    pub fn new(median: SimDuration, sigma: f64) -> Result<Self, LognormalError> {
        if !(sigma.is_finite() && sigma >= 0.0) {
            return Err(LognormalError::Sigma(sigma));
        }
        let median_nanos = median.as_nanos() as f64;
        let points = (0..=CELLS)
            .map(|i| {
                let used = (EXACT_CELLS..=CELLS - EXACT_CELLS).contains(&i);
                if used { quantile(median_nanos, sigma, i as f64 / CELLS as f64) } else { 0.0 }
            })
            .collect();
        Ok(Self { median_nanos, sigma, points })
    }

    /// The span that these 64 uniform bits stand for, rounded to the nanosecond.
    #[must_use]
    #[inline]
    pub fn span(&self, bits: u64) -> SimDuration {
        let cell = bits >> 52;
        let nanos = if (EXACT_CELLS..CELLS - EXACT_CELLS).contains(&cell) {
            let (low, high) = (self.points[cell as usize], self.points[cell as usize + 1]);
            // The lower 52 bits are the place in the cell.
            let place = (bits & ((1 << 52) - 1)) as f64 * (1.0 / (1u64 << 52) as f64);
            low + (high - low) * place
        } else {
            quantile(self.median_nanos, self.sigma, open_unit_from_bits(bits))
        };
        SimDuration::from_nanos(nanos.round() as u64)
    }
}

fn quantile(median: f64, sigma: f64, p: f64) -> f64 {
    median * libm::exp(sigma * normal_quantile(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix;

    #[test]
    fn it_is_close_to_the_exact_quantile_everywhere() {
        for sigma in [0.1, 0.5, 1.0, 2.0] {
            let table = LognormalTable::new(SimDuration::from_secs(40), sigma).expect("valid");
            let bound = 1e-4 * f64::max(sigma, sigma * sigma);
            for i in 0..50_000 {
                let bits = mix(i);
                let exact = quantile(40e9, sigma, open_unit_from_bits(bits));
                let off = table.span(bits).as_nanos() as f64 / exact - 1.0;
                assert!(off.abs() < bound, "sigma {sigma}, bits {bits:#x}: {off}");
            }
        }
    }

    #[test]
    fn it_never_decreases_where_lines_and_exact_cells_meet() {
        let table = LognormalTable::new(SimDuration::from_millis(40), 0.5).expect("valid");
        let mut before = SimDuration::ZERO;
        for cell in 0..CELLS {
            for place in [0, 1 << 51, (1 << 52) - 1] {
                let span = table.span((cell << 52) | place);
                assert!(span >= before, "cell {cell}");
                before = span;
            }
        }
    }

    #[test]
    fn edges() {
        let table = LognormalTable::new(SimDuration::from_millis(40), 0.5).expect("valid");
        assert_eq!(table.span(1 << 63), SimDuration::from_millis(40), "the median, exactly");
        // The extreme cells are 2^-53 and 1 − 2^-53: z = ∓8.2095, e^(∓4.1048) = 0.016494, 60.63.
        assert!((table.span(0).as_secs_f64() / (0.040 * 0.016_494) - 1.0).abs() < 1e-3);
        assert!((table.span(u64::MAX).as_secs_f64() / (0.040 * 60.63) - 1.0).abs() < 1e-3);

        let constant = LognormalTable::new(SimDuration::from_millis(40), 0.0).expect("valid");
        for bits in [0, 12_345 << 40, u64::MAX] {
            assert_eq!(constant.span(bits), SimDuration::from_millis(40));
        }
        for sigma in [-0.1, f64::NAN, f64::INFINITY] {
            assert!(LognormalTable::new(SimDuration::from_millis(40), sigma).is_err());
        }
    }

    /// Golden: these bits may change only together with every baseline.
    #[test]
    fn spans_are_the_same_on_every_machine() {
        let table = LognormalTable::new(SimDuration::from_millis(40), 0.5).expect("valid");
        let digest = (0..1_000).fold(0, |digest, i| mix(digest ^ table.span(mix(i)).as_nanos()));
        assert_eq!(digest, 0xd05b_56d1_aa85_b672, "{digest:#018x}");
    }
}
