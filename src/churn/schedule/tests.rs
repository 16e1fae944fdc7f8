//! Stationarity, reproducibility, and traces played back.

use super::*;
use crate::churn::lifetime::{Centre, Family};
use crate::churn::trace::{TraceFormat, parse};
use crate::time::SimDuration;

const HOUR: u64 = 3_600;

fn model(family: Family, session_h: u64, downtime_h: u64) -> ChurnModel {
    let life = |hours| {
        Lifetime::new(family, Centre::Mean(SimDuration::from_secs(hours * HOUR))).expect("valid")
    };
    ChurnModel { session: life(session_h), downtime: life(downtime_h) }
}

fn families() -> [Family; 4] {
    [
        Family::Exponential,
        Family::Weibull { shape: 0.5 },
        Family::Pareto { shape: 2.5 },
        Family::Lognormal { sigma: 1.0 },
    ]
}

/// Whether the host is up at each of these instants, which are in order.
fn up_at(schedule: &Schedule, name: &str, instants: &[SimTime]) -> Vec<bool> {
    let (mut host, mut interval) = schedule.host(name, 0);
    let state_at = |at: &SimTime| {
        while interval.until <= *at {
            interval = host.next(schedule, interval.until);
        }
        interval.up
    };
    instants.iter().map(state_at).collect()
}

/// From the first instant on the population is the target: the start is stationary.
///
/// 3,000 hosts, up with probability 2/3: standard deviation √(3,000 · 2/9) = 25.8 at each instant;
/// the tolerance is four of them. The mean over the 13 instants must be within three.
#[test]
fn the_population_is_on_target_from_the_start() {
    for family in families() {
        let model = model(family, 2, 1);
        assert_eq!(model.hosts_for(2_000), 3_000);
        let schedule = Schedule::model(11, model, GracefulShare::default());
        let instants: Vec<_> = [0, 1, 5, 10, 20, 30, 60, 90, 120, 240, 480, 960, 1_440]
            .map(|minutes| SimTime::from_secs(minutes * 60))
            .to_vec();
        let mut population = vec![0i32; instants.len()];
        for host in 0..3_000 {
            let up = up_at(&schedule, &format!("node-{host:05}"), &instants);
            population.iter_mut().zip(up).for_each(|(n, up)| *n += i32::from(up));
        }
        let within = |n: f64, tolerance: f64| (n - 2_000.0).abs() < tolerance;
        assert!(
            population.iter().all(|&n| within(f64::from(n), 103.0)),
            "{family:?} {population:?}"
        );
        let mean = f64::from(population.iter().sum::<i32>()) / 13.0;
        assert!(within(mean, 77.0), "{family:?} {mean}");
    }
}

/// The naive way to equilibrium: all hosts arrive at 0 with whole lives and run for a long time.
/// Leaves in an hour then must be as frequent as in the first hour of a stationary start: one a
/// cycle, 3,000 / (2 + 1) = 1,000 an hour.
#[test]
fn a_stationary_start_leaves_as_often_as_a_long_run_does() {
    for family in families() {
        let model = model(family, 2, 1);
        let schedule = Schedule::model(12, model, GracefulShare::default());
        let (mut naive, mut stationary) = (0u32, 0u32);
        for number in 0..3_000 {
            let name = format!("node-{number:05}");
            let leaves = |mut host: HostChurn, mut interval: Interval, from_h: u64| {
                let (from, to) = (SimTime::from_secs(from_h * HOUR), (from_h + 1) * HOUR);
                let mut leaves = 0;
                while interval.until < SimTime::from_secs(to) {
                    leaves += u32::from(interval.up && interval.until >= from);
                    interval = host.next(&schedule, interval.until);
                }
                leaves
            };
            let (host, first) = schedule.host(&name, 0);
            stationary += leaves(host, first, 0);

            let mut fresh =
                HostChurn { entity: NameHash::of(&name), node: 0, interval: 1_000_000, up: false };
            let first = fresh.next(&schedule, SimTime::ZERO);
            naive += leaves(fresh, first, 400);
        }
        // The variance of a count of renewals is at most about its mean times the squared
        // coefficient of variation of a cycle, (5 · 2² + 5 · 1²) / 3² = 2.8 for the Weibull and
        // the Pareto: √2,800 = 53. The tolerance is 120. Whole lives instead of residual ones give
        // a Weibull 2.4 times the leaves.
        for (way, leaves) in [("naive", naive), ("stationary", stationary)] {
            let off = f64::from(leaves) / 1_000.0 - 1.0;
            assert!(off.abs() < 0.12, "{family:?}, {way}: {leaves}");
        }
    }
}

#[test]
fn a_host_lives_the_same_life_whatever_else_there_is() {
    let run = |graceful: f64, name: &str, seed: u64| {
        let share = GracefulShare::new(graceful).expect("a share");
        let schedule = Schedule::model(seed, model(Family::Weibull { shape: 0.5 }, 1, 1), share);
        let (mut host, mut interval) = schedule.host(name, 0);
        let mut life = vec![interval];
        for _ in 0..200 {
            interval = host.next(&schedule, interval.until);
            life.push(interval);
        }
        life
    };
    let times = |life: &[Interval]| life.iter().map(|i| (i.up, i.until)).collect::<Vec<_>>();
    let never = run(0.0, "alice", 1);
    assert_eq!(never, run(0.0, "alice", 1));
    assert_ne!(times(&never), times(&run(0.0, "bob", 1)));
    assert_ne!(times(&never), times(&run(0.0, "alice", 2)));

    // Another share of graceful leaves moves no time, and only adds to who is graceful.
    let (some, all) = (run(0.3, "alice", 1), run(1.0, "alice", 1));
    assert_eq!(times(&never), times(&some));
    assert_eq!(times(&never), times(&all));
    assert!(never.iter().all(|i| !i.graceful));
    assert!(all.iter().all(|i| i.graceful == i.up));
    // 100 sessions, standard deviation √(100 · 0.21) = 4.6: four of them.
    let graceful = some.iter().filter(|i| i.graceful).count();
    assert!((12..=48).contains(&graceful), "{graceful}");

    // Up and down alternate, and each interval has a length.
    assert!(never.windows(2).all(|pair| pair[0].up != pair[1].up && pair[0].until < pair[1].until));
}

#[test]
fn a_trace_is_played_as_it_stands() {
    // a: up from the start, leaves and returns at 20, gone at 30. b: censored. c: never up.
    let text = b"a 3 0 10 15 20 20 30\nb 1 5 100\nc 0\n";
    let trace = Arc::new(parse(text, TraceFormat::Avt).expect("valid"));
    let schedule = Schedule::trace(1, trace, GracefulShare::default());
    let life = |name: &str, rank, intervals: usize| {
        let (mut host, first) = schedule.host(name, rank);
        let mut life = vec![first];
        while life.len() < intervals {
            life.push(host.next(&schedule, life[life.len() - 1].until));
        }
        life.into_iter().map(|i| (i.up, i.until.as_nanos() / 1_000_000_000)).collect::<Vec<_>>()
    };
    let never = SimTime::MAX.as_nanos() / 1_000_000_000;
    let a = [(true, 10), (false, 15), (true, 20), (false, 20), (true, 30), (false, never)];
    assert_eq!(life("a", 0, 6), a);
    assert_eq!(life("b", 1, 2), [(false, 5), (true, never)]);
    assert_eq!(life("c", 2, 1), [(false, never)]);
    assert_eq!(life("nobody", 3, 1), [(false, never)]);
}

#[test]
fn without_churn_every_host_stays() {
    let schedule = Schedule::always_up();
    let (mut host, first) = schedule.host("alice", 0);
    assert_eq!(first, FOR_EVER);
    assert_eq!(host.next(&schedule, SimTime::from_secs(1)), FOR_EVER);
}

#[test]
fn a_share_is_from_zero_to_one() {
    for share in [-0.1, 1.1, f64::NAN] {
        assert!(GracefulShare::new(share).is_err());
    }
    let error = GracefulShare::new(1.5).expect_err("more than all");
    assert_eq!(error.to_string(), "the share of graceful leaves is 1.5; it must be from 0 to 1");
}

/// A million hosts have one each.
#[test]
fn a_place_in_the_schedule_is_small() {
    assert!(size_of::<HostChurn>() <= 24);
}
