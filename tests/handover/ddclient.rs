//! A daemon that updates the binding: how long its poll is waited for, and its trap.

use overcord::metrics::tables::RunOutput;

use crate::{SMALL, mean_and_error, run};

/// Two hosts, of whom whoever is in the binding crashes every twenty minutes, for eight: longer
/// than the other needs to take over.
const TWO: &str = "[[event]]\nevery = \"20m\"\nspread = \"10m\"\naction = \"depart\"\n\
                   host = \"proxy\"\nfor = \"8m\"\n";

fn two(more: &[&str]) -> RunOutput {
    let churn = "model = \"exponential\"\nsession_mean = \"20m\"\ndowntime_mean = \"20m\"\n";
    let text = SMALL.replace(churn, "model = \"none\"\n") + TWO;
    let fixed = ["handover.strategy=ddclient", "overlay.nodes=2", "caller.0.lookups.rate=1/60s"];
    run(&text, &[&fixed[..], more].concat())
}

/// From the verdict to the first packet of the update: the rest of an interval that a uniform moment
/// falls into, E[I²] / 2 E[I]. With I = 300 s that is 150 s (a real one took 13.8, 152 and 287 s as
/// minimum, median and maximum of 27); with I uniform in [300, 360) s
/// (330² + 60² / 12) / 660 = 165.5 s. inadyn's 120 s make 60.
#[test]
fn a_claim_waits_for_half_an_interval_on_average() {
    for (keys, expected, longest) in [
        (&["handover.ddclient.jitter=0s"][..], 150.0, 300.0),
        (&["handover.ddclient.jitter=60s"][..], 165.5, 360.0),
        (&["handover.ddclient.program=inadyn"][..], 60.0, 120.0),
    ] {
        let more = ["handover.ddclient.force=true", "duration=140h"];
        let output = two(&[&more[..], keys].concat());
        let done = output.handovers.iter().filter(|row| row.resolution.is_some());
        let waits: Vec<f64> = done.map(|row| row.anatomy.claim.as_secs_f64()).collect();
        let (mean, error) = mean_and_error(&waits);
        assert!(waits.len() > 350, "{}", waits.len());
        let deviation = (mean - expected) / error;
        assert!(deviation.abs() < 3.0, "{keys:?}: {mean} is {deviation} errors from {expected}");
        assert!(waits.iter().all(|&wait| wait <= longest), "{keys:?}: {waits:?}");
    }
}

/// Each daemon knows nothing at first, and so updates for its host once. From then on its cache has
/// that host's address: when the host has lost the name and claims it again, nothing is sent until
/// the longest interval is over.
#[test]
fn who_claims_again_with_an_unchanged_address_is_not_heard() {
    let accepted = |more: &[&str]| {
        let output = two(&[&["duration=24h"], more].concat());
        let value = |name| output.headline.value(name).expect("it is a metric");
        (value("updates"), value("stale_share"))
    };
    let (updates, trapped) = accepted(&[]);
    // The daemon of the one who plays at first has sent its address in the warm-up.
    assert_eq!(updates, 1.0);
    let (many, forced) = accepted(&["handover.ddclient.force=true"]);
    assert!(many > 50.0, "{many}");
    assert!(trapped > 0.35 && forced < 0.3, "{trapped} {forced}");
    // A shorter longest interval touches the name in between.
    let (touched, _) = accepted(&["handover.ddclient.max_interval=1h"]);
    assert!((10.0..60.0).contains(&touched), "{touched}");
}
