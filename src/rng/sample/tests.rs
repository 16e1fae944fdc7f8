//! Golden digests, moments and quantiles of the distributions.

use super::*;
use crate::rng::{NameHash, Purpose, mix, stream};

type Draw = fn(&mut rand_chacha::ChaCha8Rng) -> f64;

fn generator() -> rand_chacha::ChaCha8Rng {
    stream(2009, Purpose::Churn, NameHash::of("sample"))
}

/// Folds the bits of the first 1,000 draws. The constants may change only together with every
/// baseline: a change means that a run gives other results than on another machine, or than
/// yesterday.
#[test]
fn golden_digests() {
    let table: [(&str, Draw, u64); 8] = [
        ("open_unit", |rng| open_unit(rng), 0x86b1_a620_acde_b821),
        ("exponential", |rng| exponential(rng, 3_600.0), 0x7d39_4160_830a_661d),
        ("weibull", |rng| weibull(rng, 3_600.0, 0.5), 0x9ec1_54ab_4313_58f0),
        ("lomax", |rng| lomax(rng, 3_600.0, 1.5), 0x3fa4_c909_b63a_6a13),
        ("standard_normal", |rng| standard_normal(rng), 0xbb6b_7978_bfb2_6184),
        ("lognormal", |rng| lognormal(rng, 8.0, 1.2), 0x656b_66b4_d79c_6bd8),
        ("gamma", |rng| gamma(rng, 3.0), 0x409a_d51f_44f6_634b),
        ("uniform_u64", |rng| uniform_u64(rng, 3, 1 << 40) as f64, 0x17d0_f4dd_78ef_4165),
    ];
    let mut wrong = Vec::new();
    for (name, draw, expected) in table {
        let mut rng = generator();
        let digest = (0..1_000).fold(0, |digest, _| mix(digest ^ draw(&mut rng).to_bits()));
        if digest != expected {
            wrong.push(format!("{name}: {digest:#018x}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Share of the draws below a point against the distribution function there. With n = 100,000 the
/// standard error is at most 0.5 / √n = 0.0016; the tolerance is four of them.
#[test]
fn shares_below_a_point() {
    let exp = |x: f64| libm::exp(x);
    let table: [(&str, Draw, f64, f64); 10] = [
        ("uniform", |rng| open_unit(rng), 0.3, 0.3),
        ("exponential", |rng| exponential(rng, 2.0), 2.0, 1.0 - exp(-1.0)),
        ("exponential", |rng| exponential(rng, 2.0), 6.0, 1.0 - exp(-3.0)),
        // (x / scale)^(1/2) = 1 at the scale, 2 at four times the scale.
        ("weibull", |rng| weibull(rng, 5.0, 0.5), 5.0, 1.0 - exp(-1.0)),
        ("weibull", |rng| weibull(rng, 5.0, 0.5), 20.0, 1.0 - exp(-2.0)),
        // (1 + 3)^-1.5 = 1/8.
        ("lomax", |rng| lomax(rng, 10.0, 1.5), 30.0, 0.875),
        ("normal", |rng| standard_normal(rng), 1.0, 0.841_345),
        ("lognormal", |rng| lognormal(rng, 2.0, 0.7), exp(2.0), 0.5),
        // One sigma below the median.
        ("lognormal", |rng| lognormal(rng, 2.0, 0.7), exp(1.3), 0.158_655),
        // Shape 3: 1 − e^-x (1 + x + x²/2) at 2 = 1 − 5 e^-2.
        ("gamma", |rng| gamma(rng, 3.0), 2.0, 1.0 - 5.0 * exp(-2.0)),
    ];
    for (name, draw, point, expected) in table {
        let mut rng = generator();
        let n = 100_000;
        let below = (0..n).filter(|_| draw(&mut rng) < point).count();
        let share = below as f64 / f64::from(n);
        assert!((share - expected).abs() < 0.0064, "{name} at {point}: {share} for {expected}");
    }
}

/// Means within five standard errors, sd / √n with n = 200,000.
#[test]
fn means() {
    let table: [(&str, Draw, f64, f64); 6] = [
        ("uniform", |rng| open_unit(rng), 0.5, 0.289),
        ("exponential", |rng| exponential(rng, 2.0), 2.0, 2.0),
        // Shape 1/2: mean Γ(3) = 2 scales, second moment Γ(5) = 24, sd √20 = 4.48 scales.
        ("weibull", |rng| weibull(rng, 1.0, 0.5), 2.0, 4.48),
        // Shape 3: mean scale / 2, variance 3/4 scale².
        ("lomax", |rng| lomax(rng, 1.0, 3.0), 0.5, 0.867),
        // exp(0.125) = 1.133148, sd that times √(e^0.25 − 1) = 0.604.
        ("lognormal", |rng| lognormal(rng, 0.0, 0.5), 1.133_148, 0.604),
        // Shape 2.5: mean and variance 2.5.
        ("gamma", |rng| gamma(rng, 2.5), 2.5, 1.582),
    ];
    for (name, draw, expected, deviation) in table {
        let mut rng = generator();
        let n = 200_000;
        let mean = (0..n).map(|_| draw(&mut rng)).sum::<f64>() / f64::from(n);
        let tolerance = 5.0 * deviation / f64::from(n).sqrt();
        assert!((mean - expected).abs() < tolerance, "{name}: {mean} for {expected}");
    }
}

#[test]
fn the_open_unit_is_open_and_symmetric() {
    assert_eq!(open_unit_from_bits(0), 2f64.powi(-53));
    assert_eq!(open_unit_from_bits(u64::MAX), 1.0 - 2f64.powi(-53));
    assert!(open_unit_from_bits(u64::MAX) < 1.0);
}

#[test]
fn whole_numbers_reach_both_ends_and_nothing_beyond() {
    let mut rng = generator();
    let mut seen = [0; 4];
    for _ in 0..4_000 {
        seen[uniform_u64(&mut rng, 10, 13) as usize - 10] += 1;
    }
    // 1,000 each, standard deviation √750 = 27.
    assert!(seen.iter().all(|&n| (865..=1_135).contains(&n)), "{seen:?}");
    assert_eq!(uniform_u64(&mut rng, 7, 7), 7);
    assert_eq!(uniform_u64(&mut rng, 7, 3), 7);
    uniform_u64(&mut rng, 0, u64::MAX);
}

#[test]
fn gamma_function_is_the_factorial() {
    assert!((gamma_function(5.0) - 24.0).abs() < 1e-12);
    // Γ(1/2) = √π.
    assert!((gamma_function(0.5) - 1.772_453_850_905_516).abs() < 1e-14);
}
