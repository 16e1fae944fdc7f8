//! The inverse of the standard normal distribution function.
//!
//! Algorithm AS 241 (routine PPND16): Wichura, "The percentage points of the normal
//! distribution", Applied Statistics 37(3), 1988: a quotient of two polynomials of degree 7 in
//! each of three ranges, accurate to about one part in 10^16.

/// Numerator and denominator, constant term first, for |p − 1/2| ≤ 0.425, in 0.180625 − q².
const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

/// The same for r = √(−ln min(p, 1 − p)) ≤ 5, in r − 1.6.
const TAIL: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// The same for r > 5, in r − 5.
const FAR_TAIL: ([f64; 8], [f64; 8]) = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// The number that a standard normal variable stays below with probability `p`. Infinite at 0 and
/// 1, NaN outside.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if libm::fabs(q) <= 0.425 {
        return q * quotient(&CENTRE, 0.180_625 - q * q);
    }
    let nearer_end = if q < 0.0 { p } else { 1.0 - p };
    if nearer_end == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = libm::sqrt(-libm::log(nearer_end));
    let size = if r <= 5.0 { quotient(&TAIL, r - 1.6) } else { quotient(&FAR_TAIL, r - 5.0) };
    size.copysign(q)
}

fn quotient((numerator, denominator): &([f64; 8], [f64; 8]), x: f64) -> f64 {
    let horner = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    horner(numerator) / horner(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published percentage points (tables of the normal distribution, 15 decimals) and the two
    /// checks that Wichura prints: p = 0.25 gives −0.6744897501960817, p = 10^−20 gives
    /// −9.262340089798408.
    #[test]
    fn percentage_points() {
        let table = [
            (0.25, -0.674_489_750_196_081_7),
            (0.001, -3.090_232_306_167_813_5),
            (1e-20, -9.262_340_089_798_408),
            (0.975, 1.959_963_984_540_054),
            (0.5, 0.0),
        ];
        for (p, z) in table {
            let found = normal_quantile(p);
            assert!((found - z).abs() <= 4e-16 * z.abs(), "{p}: {found} for {z}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(1.5).is_nan());
    }

    /// The distribution function, erfc(−z / √2) / 2, takes each quantile back. Its condition
    /// number grows like z², hence the tolerance. A wrong digit of a coefficient shows at 1e-10.
    #[test]
    fn the_distribution_function_takes_it_back() {
        for exponent in 1..300 {
            let p = libm::pow(10.0, -f64::from(exponent) / 2.0) * 0.9;
            let z = normal_quantile(p);
            let back = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
            assert!((back / p - 1.0).abs() < 4e-15 * (1.0 + z * z), "{p}: {back}");
        }
        for hundredths in 1..100 {
            let p = f64::from(hundredths) / 100.0;
            let back = 0.5 * libm::erfc(-normal_quantile(p) * std::f64::consts::FRAC_1_SQRT_2);
            assert!((back / p - 1.0).abs() < 4e-15, "{p}: {back}");
        }
    }
}
