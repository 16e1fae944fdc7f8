//! How long a host stays up, or down: one distribution.

use rand::Rng;
use thiserror::Error;

use crate::rng::sample::{
    exponential, gamma, gamma_function, lognormal, lomax, open_unit, weibull,
};
use crate::time::SimDuration;

/// The shape of a distribution of spans, without its scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Memoryless.
    Exponential,
    /// P(X > x) = exp(−(x / scale)^shape). Measured sessions have shapes of 0.4 to 0.6: many short
    /// ones, and the longer a host is up, the longer it will stay.
    Weibull {
        /// Above 0; 1 is the exponential.
        shape: f64,
    },
    /// Pareto shifted to begin at zero (Lomax): P(X > x) = (1 + x / scale)^−shape.
    Pareto {
        /// Above 1: at 1 and below the mean is infinite and no stationary start exists.
        shape: f64,
    },
    /// The logarithm is normal.
    Lognormal {
        /// The standard deviation of the natural logarithm, above 0.
        sigma: f64,
    },
}

/// What a distribution's scale is told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centre {
    /// Its mean.
    Mean(SimDuration),
    /// Its median.
    Median(SimDuration),
}

/// Parameters that make no distribution of spans.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum LifetimeError {
    /// The mean or median is zero.
    #[error("the {what} is 0; it must be longer")]
    ZeroCentre {
        /// `mean` or `median`.
        what: &'static str,
    },
    /// Shape or sigma is zero, negative or no number.
    #[error("{what} is {got}; it must be a number above 0")]
    NotPositive {
        /// `shape` or `sigma`.
        what: &'static str,
        /// As given.
        got: f64,
    },
    /// A Pareto shape that leaves the mean infinite.
    #[error(
        "the shape of a pareto is {got}; it must be above 1, else the mean session is infinite \
         and there is no stationary population"
    )]
    InfiniteMean {
        /// As given.
        got: f64,
    },
    /// The shape or sigma is too extreme for this mean or median, or that itself is too long.
    #[error(
        "these parameters give a mean above 100 years or a scale below a nanosecond; choose a \
         less extreme shape or sigma, or another mean or median"
    )]
    Extreme,
}

/// A distribution of spans with checked parameters and a finite mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetime {
    family: Family,
    /// Seconds: the mean of an exponential, the scale of Weibull and Pareto, the median of a
    /// lognormal.
    scale: f64,
    /// Seconds.
    mean: f64,
}

/// Means above a hundred years and scales below a nanosecond say that a parameter is wrong.
const LONGEST_MEAN_S: f64 = 100.0 * 365.25 * 86_400.0;
const SHORTEST_SCALE_S: f64 = 1e-9;

impl Lifetime {
    /// The distribution of this family with this mean or median.
    ///
    /// # Errors
    /// When a parameter is out of its range, see [`LifetimeError`].
    pub fn new(family: Family, centre: Centre) -> Result<Self, LifetimeError> {
        family.check()?;
        let scale = match centre {
            Centre::Mean(mean) => positive(mean, "mean")? / family.mean_of_unit_scale(),
            Centre::Median(median) => positive(median, "median")? / family.median_of_unit_scale(),
        };
        let mean = scale * family.mean_of_unit_scale();
        let possible = scale >= SHORTEST_SCALE_S && scale.is_finite() && mean <= LONGEST_MEAN_S;
        if !possible {
            return Err(LifetimeError::Extreme);
        }
        Ok(Self { family, scale, mean })
    }

    /// Its family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its mean.
    #[must_use]
    pub fn mean(&self) -> SimDuration {
        SimDuration::from_secs_f64(self.mean)
    }

    /// Its median.
    #[must_use]
    pub fn median(&self) -> SimDuration {
        SimDuration::from_secs_f64(self.scale * self.family.median_of_unit_scale())
    }

    /// A whole life. At least a nanosecond, so that a leave follows its arrival.
    pub fn draw(&self, rng: &mut impl Rng) -> SimDuration {
        at_least_a_nanosecond(match self.family {
            Family::Exponential => exponential(rng, self.scale),
            Family::Weibull { shape } => weibull(rng, self.scale, shape),
            Family::Pareto { shape } => lomax(rng, self.scale, shape),
            Family::Lognormal { sigma } => lognormal(rng, libm::log(self.scale), sigma),
        })
    }

    /// What is left of the life in which a random instant falls. Such a life is longer than an
    /// average one, by the factor by which long lives cover more time (length bias), and the
    /// instant is uniform in it:
    ///
    /// * exponential: the same distribution again;
    /// * Weibull: scale · G^(1/k) · U, G from a Gamma of shape 1 + 1/k, since the density
    ///   x · f(x) turns (x / scale)^k into such a Gamma;
    /// * Pareto: the residual is a Lomax of shape a − 1, without U;
    /// * lognormal: a draw with mu + sigma², times U.
    pub fn draw_residual(&self, rng: &mut impl Rng) -> SimDuration {
        at_least_a_nanosecond(match self.family {
            Family::Exponential => exponential(rng, self.scale),
            Family::Weibull { shape } => {
                let reduced = gamma(rng, 1.0 + 1.0 / shape);
                self.scale * libm::pow(reduced, 1.0 / shape) * open_unit(rng)
            }
            Family::Pareto { shape } => lomax(rng, self.scale, shape - 1.0),
            Family::Lognormal { sigma } => {
                lognormal(rng, libm::log(self.scale) + sigma * sigma, sigma) * open_unit(rng)
            }
        })
    }
}

impl Family {
    fn check(self) -> Result<(), LifetimeError> {
        let (what, got) = match self {
            Self::Exponential => return Ok(()),
            Self::Weibull { shape } | Self::Pareto { shape } => ("shape", shape),
            Self::Lognormal { sigma } => ("sigma", sigma),
        };
        if !(got > 0.0 && got.is_finite()) {
            return Err(LifetimeError::NotPositive { what, got });
        }
        match self {
            Self::Pareto { shape } if shape <= 1.0 => {
                Err(LifetimeError::InfiniteMean { got: shape })
            }
            _ => Ok(()),
        }
    }

    fn mean_of_unit_scale(self) -> f64 {
        match self {
            Self::Exponential => 1.0,
            Self::Weibull { shape } => gamma_function(1.0 + 1.0 / shape),
            Self::Pareto { shape } => 1.0 / (shape - 1.0),
            Self::Lognormal { sigma } => libm::exp(0.5 * sigma * sigma),
        }
    }

    fn median_of_unit_scale(self) -> f64 {
        use std::f64::consts::LN_2;
        match self {
            Self::Exponential => LN_2,
            Self::Weibull { shape } => libm::pow(LN_2, 1.0 / shape),
            Self::Pareto { shape } => libm::expm1(LN_2 / shape),
            Self::Lognormal { .. } => 1.0,
        }
    }
}

fn positive(span: SimDuration, what: &'static str) -> Result<f64, LifetimeError> {
    if span.is_zero() {
        return Err(LifetimeError::ZeroCentre { what });
    }
    Ok(span.as_secs_f64())
}

fn at_least_a_nanosecond(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds).max(SimDuration::from_nanos(1))
}

#[cfg(test)]
mod tests;
