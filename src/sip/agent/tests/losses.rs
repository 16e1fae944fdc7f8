//! What happens to presence when messages are lost, and when somebody is gone.

use super::harness::{
    DELAY, Network, act, arrivals, at, begun, calls, changes, crash, network, outcomes, phone,
    phones, requests, restart, run, told, user_at, watchers,
};
use crate::net::lab::Lab;
use crate::sip::agent::{CallEnd, Cause, Loss, Outcome, SubscriptionChange, Upcall, WatcherChange};
use crate::sip::message::Status;
use crate::time::SimDuration;

/// Alice (0) and Bob (1), who watches her; the first so many messages of a kind do not arrive at
/// one of them.
fn watched(index: usize, kind: &'static str, count: u32) -> Network {
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    phone(&mut lab, index).drops = vec![(kind, count)];
    act(&mut lab, 1, |bob, ctx, tx| bob.subscribe(ctx, tx, user_at("alice", 0), None));
    lab
}

fn active(until: f64) -> SubscriptionChange {
    SubscriptionChange::Active { until: at(until) }
}

const fn lost(outcome: Outcome) -> SubscriptionChange {
    SubscriptionChange::Lost { why: Loss::Failed(outcome) }
}

#[test]
fn lost_messages_are_made_up_for() {
    // A request is sent again after 0.5 s. The 2xx makes the lease, the NOTIFY makes it active;
    // the NOTIFY alone, which makes the dialog, does not.
    for (index, kind, time, until) in [
        (0, "SUBSCRIBE", 0.6, 3600.6),
        (1, "200 SUBSCRIBE", 0.6, 3600.6),
        (1, "NOTIFY", 0.6, 3600.1),
        (0, "200 NOTIFY", 0.1, 3600.1),
    ] {
        let mut lab = watched(index, kind, 1);
        run(&mut lab, 3000.0);
        assert_eq!(changes(&lab, 1), [(time, active(until))], "{kind}");
        assert_eq!(watchers(&lab, 0).len(), 1, "{kind}");
        assert_eq!(outcomes(&lab, 0).len(), 1, "{kind}");
    }
}

#[test]
fn without_a_notify_there_is_no_subscription() {
    // Seven hundred of them: as many as there are tries.
    let mut lab = watched(1, "NOTIFY", 700);
    run(&mut lab, 100.0);
    // Timer N runs from when the SUBSCRIBE was sent.
    let loss = SubscriptionChange::Lost { why: Loss::NotNotified };
    assert_eq!(changes(&lab, 1), [(32.0, loss)]);
    // The notifier's transaction began at 0.05 s.
    let gone = (32.05, WatcherChange::Failed(Outcome::Timeout));
    assert_eq!(watchers(&lab, 0)[1], gone);
    // The next try comes after a pause of 30 to 60 s, with a new name.
    let subscribes = requests(&lab, 0, "SUBSCRIBE");
    let (second, request) = &subscribes[1];
    assert!((at(62.05)..at(92.05)).contains(second), "{second}");
    assert_ne!(request.headers.call_id, subscribes[0].1.headers.call_id);
    assert_eq!(request.headers.to.tag, None);
}

#[test]
fn a_peer_who_is_gone_is_lost_at_the_renewal_and_looked_for_until_found() {
    let mut lab = watched(0, "SUBSCRIBE", 0);
    run(&mut lab, 10.0);
    crash(&mut lab, 0);
    run(&mut lab, 3400.0);
    // Renewal at 3,240.1, Timer F, a new SUBSCRIBE at once, Timer F again.
    let timeouts = outcomes(&lab, 1);
    assert_eq!(timeouts[1], (at(3272.1), "SUBSCRIBE".to_owned(), Outcome::Timeout));
    assert_eq!(timeouts[2], (at(3304.1), "SUBSCRIBE".to_owned(), Outcome::Timeout));
    restart(&mut lab, 0, "alice");
    run(&mut lab, 4000.0);
    let changes = changes(&lab, 1);
    assert_eq!(changes[..2], [(0.1, active(3600.1)), (3272.1, lost(Outcome::Timeout))]);
    // A pause of 30 to 60 s, a try that fails after 32 s, a pause of 60 to 120 s: then it works,
    // 0.1 s after it began.
    let (time, again) = changes[2];
    assert!((3426.2..3516.2).contains(&time), "{time}");
    assert!(matches!(again, SubscriptionChange::Active { .. }));
    let causes: Vec<Cause> = told(&lab, 1)
        .into_iter()
        .filter_map(|(_, upcall)| match upcall {
            Upcall::Began { cause, .. } => Some(cause),
            _ => None,
        })
        .collect();
    let retries = [Cause::Retry, Cause::Retry];
    assert_eq!(causes[..3], [Cause::Asked, Cause::Refresh, Cause::Resubscribe]);
    assert_eq!(causes[3..], retries);
}

#[test]
fn a_peer_who_has_forgotten_everything_is_subscribed_to_anew() {
    let mut lab = watched(0, "SUBSCRIBE", 0);
    run(&mut lab, 10.0);
    crash(&mut lab, 0);
    restart(&mut lab, 0, "alice");
    run(&mut lab, 3300.0);
    assert_eq!(
        arrivals(&lab, 10.0),
        [
            "3240.15 0 SUBSCRIBE",
            "3240.2 1 481 SUBSCRIBE",
            "3240.25 0 SUBSCRIBE",
            "3240.3 1 200 SUBSCRIBE",
            "3240.3 1 NOTIFY",
            "3240.35 0 200 NOTIFY"
        ]
    );
    let gone = lost(Outcome::Status(Status::NO_TRANSACTION));
    assert_eq!(changes(&lab, 1)[1..], [(3240.2, gone), (3240.3, active(6840.3))]);
}

#[test]
fn a_watcher_who_is_gone_is_not_told_any_more() {
    let mut lab = watched(0, "SUBSCRIBE", 0);
    run(&mut lab, 10.0);
    crash(&mut lab, 1);
    run(&mut lab, 20.0);
    act(&mut lab, 0, |alice, ctx, tx| alice.show(ctx, tx, false));
    run(&mut lab, 100.0);
    act(&mut lab, 0, |alice, ctx, tx| alice.show(ctx, tx, true));
    run(&mut lab, 5000.0);
    assert_eq!(watchers(&lab, 0)[1..], [(52.0, WatcherChange::Failed(Outcome::Timeout))]);
    assert_eq!(begun(&lab, 0), 2);
}

#[test]
fn on_a_bad_network_everything_ends_well() {
    // A tenth of all datagrams is lost. Of the eleven tries of a request (and the answers to them)
    // all are lost with a probability of 0.19^11 = 1e-8; of the seven of an INVITE, 0.19^7 = 1e-5.
    for seed in 1..=12 {
        let mut lab: Network =
            Lab::new(phones(&["alice", "bob", "carol"], |_| {}), DELAY, 0.1, seed);
        let users = ["alice", "bob", "carol"];
        let talk = SimDuration::from_secs(60);
        for index in 0..3 {
            let next = (index + 1) % 3;
            let peer = user_at(users[next], next);
            act(&mut lab, index, |agent, ctx, tx| agent.subscribe(ctx, tx, peer.clone(), None));
            act(&mut lab, index, |agent, ctx, tx| agent.message(ctx, tx, peer.clone(), "hello"));
            act(&mut lab, index, |agent, ctx, tx| agent.call(ctx, tx, peer, talk));
        }
        run(&mut lab, 4000.0);
        for index in 0..3 {
            let outcomes = outcomes(&lab, index);
            let ok = Outcome::Status(Status::OK);
            assert!(outcomes.iter().all(|(_, _, outcome)| *outcome == ok), "{seed}: {outcomes:?}");
            assert_eq!(outcomes.len(), begun(&lab, index), "{seed}");
            // Asked and renewed once; INVITE, BYE and MESSAGE; and as many NOTIFYs as SUBSCRIBEs.
            assert_eq!(outcomes.len(), 2 + 3 + 2, "{seed}: {outcomes:?}");
            let mut ends: Vec<Option<CallEnd>> =
                calls(&lab, index).into_iter().map(|(_, end)| end).collect();
            ends.retain(Option::is_some);
            ends.sort_by_key(|end| *end == Some(CallEnd::HungUpByPeer));
            assert_eq!(ends, [Some(CallEnd::HungUp), Some(CallEnd::HungUpByPeer)], "{seed}");
        }
    }
}
