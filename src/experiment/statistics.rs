//! What replications say together: means, standard errors, intervals.
//!
//! The mathematics are `libm`'s, so that an interval has the same digits on every machine. The
//! quantile of Student's t is found by bisection on its tail, which is the regularised incomplete
//! beta function (Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.5 and 26.7).
//! Kaplan–Meier and plain quantiles are in [`crate::metrics::distribution`].

use rand_chacha::ChaCha8Rng;

pub use crate::metrics::distribution::{KaplanMeier, Lasted};
use crate::rng::{self, NameHash, Purpose};

/// Mean and spread of independent values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many values there are.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n − 1; `None` of a single value.
    pub sd: Option<f64>,
    /// The largest of them.
    pub max: f64,
}

/// An interval that covers the truth with a probability of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value is within, its ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Half its width.
    #[must_use]
    pub fn half(&self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

impl Sample {
    /// The sample of these values; `None` of nothing.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        let sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Self { n, mean, sd, max })
    }

    /// The standard error of the mean; `None` of a single value.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.sd.map(|sd| sd / (self.n as f64).sqrt())
    }

    /// Student's interval for the mean; `None` of a single value.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let error = self.standard_error()?;
        let half = student_t_quantile(0.975, (self.n - 1) as f64) * error;
        Some(Interval { low: self.mean - half, high: self.mean + half })
    }
}

/// How often a bootstrap resamples.
const RESAMPLES: usize = 2000;

/// The percentile bootstrap (Efron 1979) of a statistic of `n` independent units: it is given the
/// indices that were drawn, with replacement. Draws come from the stream of `name`, so that the
/// same statistic of the same values has the same interval. `None` when there are fewer than two
/// units, or when more than 2.5 % of the resamples have no value.
///
/// The plain percentiles, 2.5 % and 97.5 %, are too narrow over few units, since they ignore that the
/// spread is estimated, and with n instead of n − 1: of ten runs they cover
/// P(|t₉| < 1.96·√(9/10)) = 90 %, of five 85 %. So they are
/// expanded (Hesterberg, "What teachers should know about the bootstrap", 2015) to those of the
/// normal at √(n/(n−1)) times Student's quantile, which tend to the plain ones for many units. The
/// interval cannot reach beyond the values, so that of two or three units it is too narrow still;
/// `tests/coverage.rs` says how often it holds.
pub fn bootstrap_interval(
    seed: u64,
    name: &str,
    n: usize,
    mut statistic: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<Interval> {
    if n < 2 {
        return None;
    }
    let mut draws = rng::stream(seed, Purpose::Bootstrap, NameHash::of(name));
    let mut drawn = vec![0; n];
    let mut values: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            drawn.fill_with(|| below(&mut draws, n));
            statistic(&drawn)
        })
        .collect();
    if values.len() * 40 < RESAMPLES * 39 {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    // The nearest rank from below, and the same from above.
    let tail = expanded_tail(n);
    let rank = ((values.len() as f64 * tail).ceil() as usize).clamp(1, values.len());
    Some(Interval { low: values[rank - 1], high: values[values.len() - rank] })
}

/// What the expanded percentile interval of `n` ≥ 2 units leaves out on each side.
fn expanded_tail(n: usize) -> f64 {
    let freedom = (n - 1) as f64;
    let z = (n as f64 / freedom).sqrt() * student_t_quantile(0.975, freedom);
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// A uniform index below `n`; the bias is below n / 2^64.
fn below(draws: &mut ChaCha8Rng, n: usize) -> usize {
    use rand::Rng as _;
    ((u128::from(draws.next_u64()) * n as u128) >> 64) as usize
}

/// The standard error of the mean of values that come in clusters: values of one cluster (the
/// resolvers or callers of one departure) may go together, clusters do not. `clusters` holds the
/// values of each; `None` of fewer than two clusters with values.
///
/// √(G/(G−1) · Σ over clusters (Σ (x − mean))²) / n, as in Cameron and Miller, "A practitioner's
/// guide to cluster-robust inference" (2015), for a regression on a constant.
#[must_use]
pub fn clustered_standard_error(clusters: &[Vec<f64>]) -> Option<f64> {
    let filled: Vec<_> = clusters.iter().filter(|cluster| !cluster.is_empty()).collect();
    if filled.len() < 2 {
        return None;
    }
    let n = filled.iter().map(|cluster| cluster.len()).sum::<usize>() as f64;
    let mean = filled.iter().flat_map(|cluster| cluster.iter()).sum::<f64>() / n;
    let of_one = |cluster: &&Vec<f64>| {
        let sum = cluster.iter().map(|value| value - mean).sum::<f64>();
        sum * sum
    };
    let squares = filled.iter().map(of_one).sum::<f64>();
    let groups = filled.len() as f64;
    Some((groups / (groups - 1.0) * squares).sqrt() / n)
}

/// The `p`-quantile of Student's t with `df` > 0 degrees of freedom, `p` in (0, 1); exact to
/// 1e-12 of its size for few degrees of freedom, to 1e-9 up to 10^8.
#[must_use]
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0 && df > 0.0, "a quantile of t needs 0 < p < 1 and df > 0");
    let tail = p.min(1.0 - p);
    if tail == 0.5 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while student_t_tail(high, df) > tail {
        (low, high) = (high, high * 2.0);
    }
    // Halving until neighbours are left: at most 1,100 steps for any double, about 60 in practice.
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if student_t_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    if p < 0.5 { -high } else { high }
}

/// P(T > t) for t ≥ 0.
fn student_t_tail(t: f64, df: f64) -> f64 {
    // Of x and 1 − x, the small one must not be a difference.
    let x = df / (df + t * t);
    let rest = t * t / (df + t * t);
    0.5 * incomplete_beta_half(df / 2.0, x, rest)
}

/// The regularised incomplete beta function I_x(a, 1/2), with `rest` = 1 − x.
fn incomplete_beta_half(a: f64, x: f64, rest: f64) -> f64 {
    if x == 0.0 || rest == 0.0 {
        return x;
    }
    let b = 0.5;
    // x^a (1−x)^b / B(a, b); the power of an x near 1 through the logarithm of 1 − rest.
    let log_x = if x > 0.5 { libm::log1p(-rest) } else { libm::log(x) };
    let log_beta = 0.5 * libm::log(std::f64::consts::PI) - log_gamma_step(a);
    let front = libm::exp(a * log_x + b * libm::log(rest) - log_beta);
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, rest) / b
    }
}

/// ln Γ(a + 1/2) − ln Γ(a), without the cancellation of two large logarithms.
fn log_gamma_step(a: f64) -> f64 {
    if a < 30.0 {
        return libm::lgamma(a + 0.5) - libm::lgamma(a);
    }
    // Asymptotic series; the next term is below 2e-3 / a^9.
    let inverse = 1.0 / a;
    let square = inverse * inverse;
    let tail =
        -1.0 / 8.0 + square * (1.0 / 192.0 + square * (-1.0 / 640.0 + square * 17.0 / 14336.0));
    0.5 * libm::log(a) + inverse * tail
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the
/// method of Lentz as modified by Thompson and Barnett.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // It takes about √max(a, b) steps: this is enough for 10^9 degrees of freedom.
    const STEPS: u32 = 100_000;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = d * c;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, relative: f64, what: &str) {
        assert!((got - expected).abs() <= relative * expected.abs(), "{what}: {got}, {expected}");
    }

    #[test]
    fn student_t_has_its_closed_forms() {
        for p in [0.6, 0.9, 0.95, 0.975, 0.995, 0.9999] {
            let one = libm::tan(std::f64::consts::PI * (p - 0.5));
            close(student_t_quantile(p, 1.0), one, 1e-12, "df 1: Cauchy");
            let two = (2.0 * p - 1.0) * (2.0 / (4.0 * p * (1.0 - p))).sqrt();
            close(student_t_quantile(p, 2.0), two, 1e-12, "df 2");
            let alpha = (4.0 * p * (1.0 - p)).sqrt();
            let q = libm::cos(libm::acos(alpha) / 3.0) / alpha;
            close(student_t_quantile(p, 4.0), 2.0 * (q - 1.0).sqrt(), 1e-11, "df 4");
            assert!(student_t_quantile(1.0 - p, 3.0) < 0.0, "symmetric");
        }
    }

    #[test]
    fn student_t_agrees_with_published_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: three decimals.
        let table = [
            (0.975, 1.0, 12.706),
            (0.975, 5.0, 2.571),
            (0.975, 9.0, 2.262),
            (0.95, 10.0, 1.812),
            (0.99, 15.0, 2.602),
            (0.995, 20.0, 2.845),
            (0.975, 29.0, 2.045),
            (0.999, 60.0, 3.232),
            (0.975, 100.0, 1.984),
        ];
        for (p, df, expected) in table {
            let got = student_t_quantile(p, df);
            assert!((got - expected).abs() <= 0.000_501, "{p}, {df}: {got}");
        }
    }

    #[test]
    fn student_t_agrees_with_arithmetic_of_thirty_digits() {
        // The root of the tail, by bisection with 30 digits; 59 to 61 are around the switch to the
        // asymptotic series.
        let exact = [
            (3.0, 3.182_446_305_283_709_6),
            (7.0, 2.364_624_251_592_785_4),
            (29.0, 2.045_229_642_132_703),
            (59.0, 2.000_995_378_088_267),
            (60.0, 2.000_297_822_014_260_5),
            (61.0, 1.999_623_584_994_939_6),
            (200.0, 1.971_896_223_633_909_4),
            (1e4, 1.960_201_239_890_626_3),
        ];
        for (df, expected) in exact {
            close(student_t_quantile(0.975, df), expected, 2e-12, "df");
        }
    }

    #[test]
    fn student_t_tends_to_the_normal_quantile() {
        // z = 1.959963984540054; first terms of the expansion of Cornish and Fisher:
        // z + (z³ + z)/(4 df) + (5z⁵ + 16z³ + 3z)/(96 df²), next term of order df⁻³.
        let z = 1.959_963_984_540_054_f64;
        let cube = z * z * z;
        for df in [1e4, 1e6, 1e8] {
            let second = (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * df * df);
            let expected = z + (cube + z) / (4.0 * df) + second;
            close(student_t_quantile(0.975, df), expected, 1e-9, "large df");
        }
    }

    #[test]
    fn the_interval_of_a_textbook_sample() {
        // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32, sd √(32/7), error √(32/56) = 0.755929;
        // t(0.975, 7) = 2.364624.
        let sample = Sample::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        close(sample.mean, 5.0, 1e-15, "mean");
        close(sample.sd.unwrap(), (32.0_f64 / 7.0).sqrt(), 1e-15, "sd");
        let interval = sample.interval().unwrap();
        close(interval.high - 5.0, 2.364_624 * 0.755_928_9, 1e-6, "half width");
        close(5.0 - interval.low, interval.high - 5.0, 1e-12, "symmetric");
        assert_eq!(Sample::of(&[3.0]).unwrap().interval(), None);
        assert_eq!(Sample::of(&[]), None);
    }

    #[test]
    fn clusters_that_say_the_same_thing_count_once() {
        // Four clusters of five equal values: as if there were four values 1, 2, 3, 4, whose
        // standard error is √(5/3)/2 = 0.645497.
        let clusters: Vec<_> = (1..=4).map(|value| vec![f64::from(value); 5]).collect();
        let error = clustered_standard_error(&clusters).unwrap();
        close(error, (5.0_f64 / 3.0).sqrt() / 2.0, 1e-12, "clustered");
        let single: Vec<_> = (1..=4).map(|value| vec![f64::from(value)]).collect();
        close(clustered_standard_error(&single).unwrap(), error, 1e-12, "clusters of one");
        assert_eq!(clustered_standard_error(&[vec![1.0, 2.0], vec![]]), None);
    }

    #[test]
    fn few_units_leave_less_out() {
        // Φ(−√(10/9)·2.262157) = Φ(−2.384523) = 0.008551, Φ(−√(5/4)·2.776445) = Φ(−3.104160) =
        // 0.000954, and for many the normal's 0.025; from tables of Φ.
        for (n, expected) in [(10, 0.008_551), (5, 0.000_954), (1_000_000, 0.025)] {
            let got = expanded_tail(n);
            assert!((got - expected).abs() < 2e-6, "{n}: {got}");
        }
        // Of two units hardly anything: the interval is from one value to the other.
        let mean = |drawn: &[usize]| Some(drawn.iter().sum::<usize>() as f64 / 2.0);
        let interval = bootstrap_interval(1, "two", 2, mean);
        assert_eq!(interval, Some(Interval { low: 0.0, high: 1.0 }));
    }

    #[test]
    fn the_bootstrap_of_a_mean_is_about_as_wide_as_the_normal_interval() {
        // 400 values 0..400: standard error of the mean (divisor n) = √((400² − 1)/12/400) = 5.7735;
        // ±1.96 of it is ±11.32. The error of a bootstrapped end with 2,000 resamples is about
        // 2.7 % of a standard deviation · √… < 0.4; 1.2 is three times that.
        let mean = |drawn: &[usize]| Some(drawn.iter().sum::<usize>() as f64 / drawn.len() as f64);
        let interval = bootstrap_interval(1, "mean", 400, mean).unwrap();
        assert!((interval.low - (199.5 - 11.32)).abs() < 1.2, "{interval:?}");
        assert!((interval.high - (199.5 + 11.32)).abs() < 1.2, "{interval:?}");
        assert_eq!(Some(interval), bootstrap_interval(1, "mean", 400, mean), "repeats");
        assert_ne!(Some(interval), bootstrap_interval(2, "mean", 400, mean), "seed matters");
        assert_eq!(bootstrap_interval(1, "mean", 1, mean), None);
        assert_eq!(bootstrap_interval(1, "mean", 5, |_| None), None);
    }
}
