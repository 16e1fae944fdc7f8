//! One user watches another: the exchange in its order, renewal, changes, and its end.

use super::harness::{
    Network, act, arrivals, at, changes, network, outcomes, phone, phones, requests, run, told,
    user_at, watchers,
};
use crate::sip::agent::{Cause, Outcome, SubscriptionChange, Upcall, WatcherChange};
use crate::sip::header::SubscriptionState;
use crate::sip::message::Status;
use crate::time::{SimDuration, SimTime};

/// Alice (0) and Bob (1), who watches her from the start, for so many seconds or for ever.
fn watched(keep: Option<u64>) -> Network {
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    let keep = keep.map(SimDuration::from_secs);
    act(&mut lab, 1, |bob, ctx, tx| bob.subscribe(ctx, tx, user_at("alice", 0), keep));
    lab
}

fn seen(lab: &Network) -> Vec<(f64, Option<bool>)> {
    let seen = |(time, upcall): (SimTime, Upcall)| match upcall {
        Upcall::Notified { open, .. } => Some((time.as_secs_f64(), open)),
        _ => None,
    };
    told(lab, 1).into_iter().filter_map(seen).collect()
}

#[test]
fn a_subscription_is_answered_and_followed_by_the_presence_at_once() {
    let mut lab = watched(None);
    run(&mut lab, 10.0);
    assert_eq!(
        arrivals(&lab, 0.0),
        ["0.05 0 SUBSCRIBE", "0.1 1 200 SUBSCRIBE", "0.1 1 NOTIFY", "0.15 0 200 NOTIFY"]
    );
    // The lease counts from when each end learns of it: 3,600 s.
    assert_eq!(watchers(&lab, 0), [(0.05, WatcherChange::Active { until: at(3600.05) })]);
    assert_eq!(seen(&lab), [(0.1, Some(true))]);
    assert_eq!(changes(&lab, 1), [(0.1, SubscriptionChange::Active { until: at(3600.1) })]);
    let ok = Outcome::Status(Status::OK);
    assert_eq!(outcomes(&lab, 1), [(at(0.1), "SUBSCRIBE".to_owned(), ok)]);
    assert_eq!(outcomes(&lab, 0), [(at(0.15), "NOTIFY".to_owned(), ok)]);
    let (_, notify) = requests(&lab, 1, "NOTIFY").remove(0);
    let state = SubscriptionState::Active { expires: Some(3600) };
    assert_eq!(notify.headers.subscription_state, Some(state));
}

#[test]
fn a_lease_is_renewed_inside_the_dialog_before_it_ends() {
    let mut lab = watched(None);
    run(&mut lab, 7000.0);
    // Nine tenths after each grant: 0.1 + 3,240 and that + 0.1 + 3,240.
    assert_eq!(
        arrivals(&lab, 1.0),
        [
            "3240.15 0 SUBSCRIBE",
            "3240.2 1 200 SUBSCRIBE",
            "3240.2 1 NOTIFY",
            "3240.25 0 200 NOTIFY",
            "6480.25 0 SUBSCRIBE",
            "6480.3 1 200 SUBSCRIBE",
            "6480.3 1 NOTIFY",
            "6480.35 0 200 NOTIFY",
        ]
    );
    let subscribes = requests(&lab, 0, "SUBSCRIBE");
    let cseqs: Vec<u32> = subscribes.iter().map(|(_, it)| it.headers.cseq).collect();
    assert_eq!(cseqs, [1, 2, 3]);
    let (first, last) = (&subscribes[0].1.headers, &subscribes[2].1.headers);
    assert_eq!((&first.call_id, &first.from.tag), (&last.call_id, &last.from.tag));
    assert!(first.to.tag.is_none() && last.to.tag.is_some());
    assert!(told(&lab, 1).iter().all(|(_, upcall)| match upcall {
        Upcall::Began { cause, .. } => [Cause::Asked, Cause::Refresh].contains(cause),
        Upcall::SubscriptionChanged { state, .. } =>
            matches!(state, SubscriptionChange::Active { .. }),
        _ => true,
    }));
}

#[test]
fn changes_are_told_but_no_more_often_than_every_five_seconds() {
    let mut lab = watched(None);
    for (seconds, open) in [(10.0, false), (11.0, true), (12.0, false), (13.0, true), (14.0, true)]
    {
        run(&mut lab, seconds);
        act(&mut lab, 0, |alice, ctx, tx| alice.show(ctx, tx, open));
    }
    run(&mut lab, 60.0);
    // At 10 s at once; at 15 s what is so then.
    assert_eq!(seen(&lab), [(0.1, Some(true)), (10.05, Some(false)), (15.05, Some(true))]);
}

#[test]
fn a_user_who_leaves_is_told_for_the_last_time() {
    let mut lab = watched(Some(100));
    run(&mut lab, 4000.0);
    assert_eq!(
        arrivals(&lab, 1.0),
        ["100.05 0 SUBSCRIBE", "100.1 1 200 SUBSCRIBE", "100.1 1 NOTIFY", "100.15 0 200 NOTIFY"]
    );
    let (_, notify) = requests(&lab, 1, "NOTIFY").remove(1);
    let reason = Some("timeout".into());
    let over = SubscriptionState::Terminated { reason, retry_after: None };
    assert_eq!(notify.headers.subscription_state, Some(over));
    assert_eq!(changes(&lab, 1)[1..], [(100.1, SubscriptionChange::Ended)]);
    assert_eq!(watchers(&lab, 0)[1..], [(100.05, WatcherChange::Unsubscribed)]);
}

#[test]
fn leaving_while_the_request_is_under_way_waits_for_its_end() {
    let mut lab = watched(None);
    run(&mut lab, 0.07);
    act(&mut lab, 1, |bob, ctx, tx| bob.unsubscribe(ctx, tx, &user_at("alice", 0)));
    run(&mut lab, 100.0);
    assert_eq!(
        arrivals(&lab, 0.0),
        [
            "0.05 0 SUBSCRIBE",
            "0.1 1 200 SUBSCRIBE",
            "0.1 1 NOTIFY",
            "0.15 0 SUBSCRIBE",
            "0.15 0 200 NOTIFY",
            "0.2 1 200 SUBSCRIBE",
            "0.2 1 NOTIFY",
            "0.25 0 200 NOTIFY"
        ]
    );
    assert_eq!(changes(&lab, 1).last(), Some(&(0.2, SubscriptionChange::Ended)));
}

#[test]
fn a_lease_that_is_not_renewed_ends_at_the_notifier() {
    let mut lab = watched(None);
    run(&mut lab, 10.0);
    // Bob can hear, but not speak: his renewals do not arrive.
    phone(&mut lab, 0).drops = vec![("SUBSCRIBE", 1000)];
    run(&mut lab, 3700.0);
    assert_eq!(watchers(&lab, 0)[1..], [(3600.05, WatcherChange::Expired)]);
    assert_eq!(requests(&lab, 1, "NOTIFY").len(), 1 + 1);
}

#[test]
fn one_who_wants_no_watchers_declines() {
    let mut lab = network(phones(&["alice", "bob"], |settings| {
        settings.accepts.subscriptions = false;
    }));
    act(&mut lab, 1, |bob, ctx, tx| bob.subscribe(ctx, tx, user_at("alice", 0), None));
    run(&mut lab, 10_000.0);
    assert_eq!(arrivals(&lab, 0.0), ["0.05 0 SUBSCRIBE", "0.1 1 603 SUBSCRIBE"]);
}
