//! Rates, phases, independence.

use super::*;

fn times(arrivals: Arrivals, name: &str, n: usize) -> Vec<SimTime> {
    let mut actor = ArrivalTimes::new(arrivals, 3, Purpose::Callers, name);
    let first = actor.first(SimTime::from_secs(100));
    std::iter::successors(Some(first), |at| Some(actor.next(*at))).take(n).collect()
}

#[test]
fn poisson_gaps_are_exponential() {
    let arrivals = Arrivals::poisson(0.1).expect("valid");
    assert_eq!(arrivals.mean_gap(), SimDuration::from_secs(10));
    let n = 20_000;
    let at = times(arrivals, "caller", n);
    let gaps: Vec<f64> = at.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    // Standard error 10 / √20,000 = 0.071; five of them.
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((mean - 10.0).abs() < 0.36, "{mean}");
    // A share e^-1 = 0.3679 is longer than the mean; standard error 0.0034.
    let longer = gaps.iter().filter(|gap| **gap > 10.0).count() as f64 / gaps.len() as f64;
    assert!((longer - 0.367_879).abs() < 0.017, "{longer}");
    // Neighbours do not know of each other: correlation 0 ± 1/√20,000 = 0.007.
    let product: f64 = gaps.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let correlation = product / gaps.len() as f64 / 100.0;
    assert!(correlation.abs() < 0.035, "{correlation}");
}

#[test]
fn periodic_arrivals_keep_their_interval_from_a_random_phase() {
    let interval = SimDuration::from_secs(60);
    let arrivals = Arrivals::periodic(interval).expect("valid");
    let mut sum = 0.0;
    for caller in 0..400 {
        let at = times(arrivals, &format!("caller-{caller}"), 5);
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] == interval));
        let phase = at[0] - SimTime::from_secs(100);
        assert!(!phase.is_zero() && phase <= interval);
        sum += phase.as_secs_f64();
    }
    // Uniform over 60 s: standard error 60 / √(12 · 400) = 0.87; four of them.
    assert!((sum / 400.0 - 30.0).abs() < 3.5, "{}", sum / 400.0);
}

#[test]
fn each_actor_has_its_own_times() {
    let arrivals = Arrivals::poisson(1.0).expect("valid");
    assert_eq!(times(arrivals, "a", 50), times(arrivals, "a", 50));
    assert_ne!(times(arrivals, "a", 50), times(arrivals, "b", 50));

    let first =
        |purpose, seed| ArrivalTimes::new(arrivals, seed, purpose, "a").first(SimTime::ZERO);
    assert_ne!(first(Purpose::Callers, 3), first(Purpose::Workload, 3));
    assert_ne!(first(Purpose::Callers, 3), first(Purpose::Callers, 4));

    // One that begins anew draws anew.
    let mut actor = ArrivalTimes::new(arrivals, 3, Purpose::Workload, "a");
    assert_ne!(actor.first(SimTime::ZERO), actor.first(SimTime::ZERO));
}

#[test]
fn what_never_or_always_arrives_is_refused() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-12, 1e12] {
        assert!(matches!(Arrivals::poisson(rate), Err(ArrivalsError::Rate(_))), "{rate}");
    }
    let error = Arrivals::poisson(0.0).expect_err("never");
    let message = "the rate is 0/s; it must be a number above 0, and at least one in 100 years";
    assert_eq!(error.to_string(), message);
    assert_eq!(Arrivals::periodic(SimDuration::ZERO), Err(ArrivalsError::Interval));
}
