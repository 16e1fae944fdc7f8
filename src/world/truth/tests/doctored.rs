//! Checkers must fail when a report is wrong.

use super::script::{parse, report, run, with_users};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::truth::{
    Cause, Closed, Report, RequestOutcome, TimelinePoint, WindowRow, checks,
};

const SCRIPT: &str = "0 n1 born a\n0 z serve a\n80 r1 cache a 60\n100 n1 down\n105 r1 answer a
    110 n2 born b\n111 n2 update a b\n112 z accept b\n112 z serve b\n300 n2 down\n350 n2 born b";

type Doctoring = fn(&mut Report);

#[test]
fn a_sound_report_passes_and_each_doctored_one_fails() {
    let sound = report(SCRIPT);
    assert_eq!((sound.episodes.len(), sound.intervals.len()), (2, 2));
    assert_eq!(checks(&sound), []);
    let doctorings: [(&str, Doctoring); 22] = [
        ("column", |r| r.episodes[0].anatomy.cache += SimDuration::from_nanos(1)),
        ("early", |r| r.warmup = SimTime::from_secs(101)),
        ("late", |r| r.end = SimTime::from_secs(310)),
        ("overlap", |r| r.episodes[1].opened = SimTime::from_secs(101)),
        ("open", |r| r.episodes[0].new_address = None),
        ("censored", |r| r.episodes[1].closed = Closed::Censored),
        ("departures", |r| r.episodes[0].departures = 2),
        ("range", |r| r.episodes[1].departed = 0..1),
        ("window", |r| r.intervals[0].rows.get_mut(&0).unwrap().window = SimDuration::ZERO),
        ("no row", |r| r.intervals[0].rows.clear()),
        ("total", |r| r.totals.stale_nanos += 1),
        ("callers' total", |r| r.totals.caller_stale_nanos -= 1),
        ("degraded", |r| r.totals.degraded_longest = SimDuration::from_nanos(1)),
        ("carried", |r| r.totals.carried_nanos += 1),
        ("stale answers", |r| r.totals.stale_answers = 0),
        ("answers", |r| r.totals.answers = 0),
        ("list", |r| r.departures.truncate(1)),
        ("partial", |r| r.totals.partial_departures = 1),
        ("claims", |r| r.totals.late_claims = 5),
        ("brain", |r| r.totals.split_brain = SimDuration::MAX),
        ("unknown resolver", |r| {
            r.intervals[0].rows.insert(7, WindowRow::default());
        }),
        ("timeline", |r| {
            let point = TimelinePoint {
                at: SimTime::from_secs(5),
                members: 0,
                believers: 0,
                binding_valid: false,
                stale_resolvers: 2,
                resolvers: 1,
                overlays: 0,
                messages: 0,
            };
            r.timeline.push(point);
        }),
    ];
    for (name, doctor) in doctorings {
        let mut doctored = sound.clone();
        doctor(&mut doctored);
        assert_ne!(checks(&doctored), [], "{name} was not noticed");
    }
}

#[test]
fn each_doctored_request_is_noticed() {
    let script = format!(
        "{SCRIPT}\n120 u11 send 1 message -\n121 u11 end 1 200\n130 u12 send 2 invite -
         150 u12 end 2 408\n160 u11 send 3 invite -\n170 u11 end 3 486\n180 u11 send 4 invite -"
    );
    let sound = run(with_users(1, 0), &parse(&script), SimTime::from_secs(1000));
    assert_eq!(sound.requests.len(), 4);
    let doctorings: [(&str, Doctoring); 9] = [
        ("lost", |r| {
            r.requests.pop();
        }),
        ("not counted", |r| r.totals.requests.started = 3),
        ("cause", |r| r.requests[1].cause = Some(Cause::Callee)),
        ("no cause", |r| r.requests[1].cause = None),
        ("no end", |r| r.requests[0].delay = None),
        ("outcome", |r| r.requests[0].outcome = RequestOutcome::Timeout),
        ("too late", |r| r.requests[0].delay = Some(SimDuration::from_secs(900))),
        ("order", |r| r.requests.swap(0, 2)),
        ("again", |r| r.totals.requests.repeated = 1),
    ];
    for (name, doctor) in doctorings {
        let mut doctored = sound.clone();
        doctor(&mut doctored);
        assert_ne!(checks(&doctored), [], "{name} was not noticed");
    }
}

#[test]
fn a_violation_says_what_and_where() {
    let mut doctored = report(SCRIPT);
    doctored.episodes[0].anatomy.cache += SimDuration::from_secs(1);
    assert_eq!(doctored.episodes[0].caller, HostId(201));
    let messages: Vec<String> = checks(&doctored).iter().map(ToString::to_string).collect();
    let expected =
        "the anatomy of the episode of caller 201 opened at 100 s sums to 41 s, not to 40 s";
    assert_eq!(messages, [expected]);
}
