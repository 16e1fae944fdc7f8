//! The shipped trace is what its comment says.

use super::*;
use crate::churn::lifetime::{Centre, Family, Lifetime};
use crate::churn::stats::TraceStats;
use crate::churn::trace::{TraceFormat, parse, to_avt};

const COMMENT: &str = "\
60 hosts over two days, generated: no measurement.
Sessions: Weibull, shape 0.5, mean 3 h. Downtimes: Weibull, shape 0.5, mean 2 h.
Started in equilibrium, seed 2009, cut to whole seconds (overcord::churn::generate).
A node a line: name, number of sessions, start and end of each, in seconds.";

fn small() -> AvailabilityTrace {
    let life = |hours: u64| {
        let mean = Centre::Mean(SimDuration::from_secs(hours * 3_600));
        Lifetime::new(Family::Weibull { shape: 0.5 }, mean).expect("valid")
    };
    generate(&Recipe {
        nodes: 60,
        span: SimDuration::from_secs(2 * 86_400),
        model: ChurnModel { session: life(3), downtime: life(2) },
        seed: 2_009,
    })
}

/// To write it anew after a change of the recipe: `OVERCORD_BLESS=1 cargo test generate`.
#[test]
fn the_shipped_trace_is_what_its_comment_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/traces/small.avt");
    let generated = to_avt(&small(), COMMENT);
    if std::env::var_os("OVERCORD_BLESS").is_some() {
        std::fs::write(path, &generated).expect("the folder scenarios/traces is there");
    }
    let shipped = std::fs::read_to_string(path).expect("scenarios/traces/small.avt is shipped");
    assert!(shipped == generated, "the shipped trace and its generator differ");
    assert_eq!(parse(shipped.as_bytes(), TraceFormat::Avt).expect("valid"), small());
}

#[test]
fn it_has_the_churn_of_its_recipe() {
    let stats = TraceStats::of(&small());
    println!("{stats}");
    assert_eq!((stats.nodes, stats.span), (60, SimDuration::from_secs(2 * 86_400)));
    // One session each 5 h, and 60 · 48 h: 576. A renewal process of such a heavy tail varies by
    // about √(5 · 576) = 54: four of them.
    assert!((360..=800).contains(&stats.leaves), "{stats}");
    // Three fifths of 60 are up; over two days the mean of a host's share varies by about 0.35,
    // of sixty by 2.7: four of them.
    assert!((25.0..=47.0).contains(&stats.mean_online), "{stats}");
}

#[test]
fn what_no_second_saw_is_not_there() {
    let trace = small();
    for node in &trace.nodes {
        assert!(node.sessions.iter().all(|s| s.start < s.end));
        assert!(node.sessions.windows(2).all(|pair| pair[0].end < pair[1].start));
    }
}
