//! Moments, residual lives against numeric integration, refusals.

use super::*;
use crate::rng::{NameHash, Purpose, stream};

const HOUR: SimDuration = SimDuration::from_secs(3_600);

fn lifetime(family: Family) -> Lifetime {
    Lifetime::new(family, Centre::Mean(HOUR)).expect("valid")
}

fn families() -> [Family; 6] {
    [
        Family::Exponential,
        Family::Weibull { shape: 0.5 },
        Family::Weibull { shape: 2.0 },
        Family::Pareto { shape: 2.5 },
        Family::Lognormal { sigma: 0.5 },
        Family::Lognormal { sigma: 1.2 },
    ]
}

/// P(X > x) in closed form; the normal distribution function through erfc.
fn survival(life: &Lifetime, x: f64) -> f64 {
    let ratio = x / life.scale;
    match life.family {
        Family::Exponential => libm::exp(-ratio),
        Family::Weibull { shape } => libm::exp(-libm::pow(ratio, shape)),
        Family::Pareto { shape } => libm::pow(1.0 + ratio, -shape),
        Family::Lognormal { sigma } => {
            0.5 * libm::erfc(libm::log(ratio) / sigma * std::f64::consts::FRAC_1_SQRT_2)
        }
    }
}

/// Share of `n` draws below each point.
fn shares(draw: impl Fn(&mut rand_chacha::ChaCha8Rng) -> SimDuration, at: &[f64]) -> Vec<f64> {
    let mut rng = stream(4, Purpose::Churn, NameHash::of("lifetime"));
    let n = 100_000;
    let mut below = vec![0u32; at.len()];
    for _ in 0..n {
        let life = draw(&mut rng).as_secs_f64();
        for (count, point) in below.iter_mut().zip(at) {
            *count += u32::from(life < *point);
        }
    }
    below.into_iter().map(|count| f64::from(count) / f64::from(n)).collect()
}

/// Seconds at which the distributions with a mean of an hour are compared.
const POINTS: [f64; 6] = [60.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 36_000.0];
/// Four standard errors of a share of 100,000 draws, 4 · 0.5 / √100,000.
const TOLERANCE: f64 = 0.0064;

#[test]
fn draws_follow_the_distribution() {
    for family in families() {
        let life = lifetime(family);
        for (share, at) in shares(|rng| life.draw(rng), &POINTS).iter().zip(POINTS) {
            let expected = 1.0 - survival(&life, at);
            assert!((share - expected).abs() < TOLERANCE, "{family:?} at {at}: {share}");
        }
    }
}

/// A residual life is below x with probability (∫₀ˣ P(X > t) dt) / E X (renewal theory), here by
/// Simpson's rule in t = y³, which tames the steep beginning of a Weibull of shape 1/2.
#[test]
fn residual_lives_follow_the_integrated_survival() {
    for family in families() {
        let life = lifetime(family);
        for (share, at) in shares(|rng| life.draw_residual(rng), &POINTS).iter().zip(POINTS) {
            let steps = 2_000;
            let width = libm::cbrt(at) / f64::from(steps);
            let integrand = |i: i32| {
                let y = f64::from(i) * width;
                3.0 * y * y * survival(&life, y * y * y)
            };
            let weight = |i: i32| match i {
                0 => 1.0,
                _ if i == steps => 1.0,
                _ if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            let integral = (0..=steps).map(|i| weight(i) * integrand(i)).sum::<f64>() * width / 3.0;
            let expected = integral / 3_600.0;
            assert!((share - expected).abs() < TOLERANCE, "{family:?} at {at}: {share} {expected}");
        }
    }
}

#[test]
fn means_and_medians_are_what_was_asked_for() {
    for family in families() {
        let life = lifetime(family);
        assert!((life.mean().as_secs_f64() - 3_600.0).abs() < 1e-6, "{family:?}");
        // Half of the lives outlast the median.
        let median = life.median();
        assert!((survival(&life, median.as_secs_f64()) - 0.5).abs() < 1e-12, "{family:?}");

        let by_median = Lifetime::new(family, Centre::Median(median)).expect("valid");
        assert!((by_median.mean().as_secs_f64() - 3_600.0).abs() < 1e-5, "{family:?}");
    }
    // Weibull, shape 1/2: mean 2 scales, so the scale is 1,800 s and the median 1,800 ln²2.
    let weibull = lifetime(Family::Weibull { shape: 0.5 });
    assert!((weibull.median().as_secs_f64() - 864.815_425).abs() < 1e-6);
}

#[test]
fn what_makes_no_distribution_is_refused() {
    const EXTREME: &str = "these parameters give a mean above 100 years or a scale below a \
         nanosecond; choose a less extreme shape or sigma, or another mean or median";
    let hour = Centre::Mean(HOUR);
    let table = [
        (Family::Exponential, Centre::Mean(SimDuration::ZERO), "the mean is 0; it must be longer"),
        (
            Family::Lognormal { sigma: 1.0 },
            Centre::Median(SimDuration::ZERO),
            "the median is 0; it must be longer",
        ),
        (Family::Weibull { shape: 0.0 }, hour, "shape is 0; it must be a number above 0"),
        (Family::Weibull { shape: f64::NAN }, hour, "shape is NaN; it must be a number above 0"),
        (Family::Pareto { shape: -1.0 }, hour, "shape is -1; it must be a number above 0"),
        (
            Family::Lognormal { sigma: f64::INFINITY },
            hour,
            "sigma is inf; it must be a number above 0",
        ),
        (
            Family::Pareto { shape: 1.0 },
            hour,
            "the shape of a pareto is 1; it must be above 1, else the mean session is infinite and \
             there is no stationary population",
        ),
        // Γ(1 + 1/0.005) = 200! overflows.
        (Family::Weibull { shape: 0.005 }, hour, EXTREME),
        // The mean is e^(10² / 2) = 5e21 hours.
        (Family::Lognormal { sigma: 10.0 }, Centre::Median(HOUR), EXTREME),
        (Family::Exponential, Centre::Mean(SimDuration::MAX), EXTREME),
    ];
    for (family, centre, message) in table {
        let error = Lifetime::new(family, centre).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
}
