use super::*;
use crate::experiment::parting::{Parting, Version};
use crate::experiment::run::Failure;
use crate::experiment::statistics::Interval;
use crate::time::SimTime;

fn base() -> Verified {
    Verified {
        runs: 1,
        threads: 2,
        fingerprint: 0xbeef,
        repeat: Repeat::Same,
        ties: [Ties::Same, Ties::Same],
        failures: Vec::new(),
    }
}

fn parted() -> Parted {
    Parted::At(Box::new(Parting {
        at: SimTime::from_secs(7),
        host: "bob".to_owned(),
        versions: [None, Some(Version { words: "bob: goes".to_owned(), digest: 1 })],
        others: [0, 0],
        before: [Vec::new(), Vec::new()],
    }))
}

fn moved(metric: &str, by: f64, width: f64, verdict: Verdict) -> Moved {
    let interval = Some(Interval { low: 10.0 - width, high: 10.0 + width });
    let means = Means { plain: 10.0, other: 10.0 + by, interval };
    Moved { metric: metric.to_owned(), means: Some(means), lone: 0, verdict }
}

#[test]
fn all_is_the_same() {
    assert_eq!(
        verified("small", &base()),
        "small: 1 run\n\
         repeated on 2 threads: the same, in fingerprints and in every row (fingerprint \
         000000000000beef)\n\
         ties reversed and shuffled: the same; the order of simultaneous events does not matter\n"
    );
    let many = verified("small", &Verified { runs: 20, ..base() });
    assert!(many.contains("(fingerprint of all, mixed 000000000000beef)"), "{many}");
}

#[test]
fn the_program_is_broken() {
    let different = |difference| Verified {
        runs: 20,
        repeat: Repeat::Different { runs: vec![4, 7], difference },
        ties: [Ties::Untold, Ties::Untold],
        ..base()
    };
    assert_eq!(
        verified("small", &different(Difference::Events(parted()))),
        "small: 20 runs\n\
         repeated on 2 threads: NOT THE SAME in 2 of 20 runs, first in run 4: the program is broken\n  \
           they part at 7.000000000 s, on bob:\n    \
             the first time   nothing else\n    \
             the second time  bob: goes  [0000000000000001]\n    \
             before that, there, in both: nothing\n\
         ties reversed and shuffled: not judged\n"
    );
    for (difference, told) in [
        (
            Difference::Events(Parted::Nowhere),
            "  carried out once more, side by side, they were the same: the defect does not show each \
             time\n",
        ),
        (
            Difference::Events(Parted::Failed("out of ideas".to_owned())),
            "  carried out once more, side by side, one failed: out of ideas\n",
        ),
        (
            Difference::Rows(RowDifference {
                table: "stale",
                row: 3,
                repeated: Some("1,2".into()),
            }),
            "  run 4: the fingerprints match, but row 3 of stale says \"1,2\" in the repeat, and \
             something else before\n",
        ),
        (
            Difference::Rows(RowDifference { table: "stale", row: 3, repeated: None }),
            "  run 4: the fingerprints match, but row 3 of stale is not there in the repeat\n",
        ),
    ] {
        let text = verified("small", &different(difference));
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_run_that_failed_is_told_with_its_pass() {
    let failure = |run| Failure { run, message: "it broke".to_owned() };
    let failures = vec![
        (Pass::Plain, failure(0)),
        (Pass::Repeat, failure(1)),
        (Pass::Tied(Order::Reversed), failure(2)),
    ];
    let ties = [Ties::Untold, Ties::Untold];
    let text = verified("small", &Verified { runs: 3, failures, ties, ..base() });
    assert_eq!(
        text,
        "small: 3 runs\n\
         run 0 FAILED: it broke\n\
         run 1, repeated, FAILED: it broke\n\
         run 2, with ties reversed, FAILED: it broke\n\
         ties reversed and shuffled: not judged\n"
    );
}

#[test]
fn metrics_that_move_stand_in_a_table() {
    let lone = Moved { means: None, lone: 2, ..moved("censored", 0.0, 1.0, Verdict::Untold) };
    let moved = vec![
        moved("leaves", 0.5, 1.0, Verdict::Within),
        moved("stale_share", -3.0, 1.0, Verdict::Hangs),
        moved("updates", 4.0, 1.0, Verdict::Chance),
        moved("late_claims", 4.0, 0.0, Verdict::Chance),
        lone,
    ];
    let different =
        Ties::Different { runs: vec![0, 1], rows: 1, parted: parted(), moved, metrics: 90 };
    let ties = [different, Ties::Same];
    let text = verified("small", &Verified { runs: 2, ties, ..base() });
    let (_, told) = text.split_once("in both: nothing\n").unwrap();
    assert_eq!(
        told,
        "  5 of 90 headline metrics change: 1 within their 95 % intervals, 2 beyond, as may be \
         chance, 1 beyond, by more than chance, 1 without one\n  \
           THE CONCLUSION HANGS ON THE ORDER OF SIMULTANEOUS EVENTS: stale_share\n  \
           metric               as usual  95 % interval  reversed  half intervals\n  \
           stale_share [share]        10        9 to 11         7               3         HANGS ON THE ORDER\n  \
           late_claims [count]        10       10 to 10        14        no width      beyond, may be chance\n  \
           updates [count]            10        9 to 11        14               4      beyond, may be chance\n  \
           leaves [count]             10        9 to 11      10.5             0.5\n  \
           censored [count]            –              –         –               –  has no value in some runs\n\
         ties shuffled: the same\n"
    );
}

#[test]
fn of_many_metrics_those_are_told_that_move_furthest() {
    let many: Vec<Moved> = (0..20)
        .map(|place| moved("updates", f64::from(place) / 10.0, 1.0, Verdict::Within))
        .collect();
    let text = table("shuffled", &many);
    assert_eq!(text.lines().count(), 1 + TOLD + 1);
    assert!(text.contains("11.9") && !text.contains("10.7"), "{text}");
    assert!(text.ends_with("  and 8 more that move less\n"), "{text}");
    let mut hanging = many.clone();
    hanging.iter_mut().for_each(|it| it.verdict = Verdict::Hangs);
    assert_eq!(table("shuffled", &hanging).lines().count(), 1 + 20, "none of these is left out");
}
