//! Calls from ringing to hanging up, and all the ways in which they do not come about.

use super::harness::{
    Names, Network, Proxy, act, arrivals, at, calls, endpoint, network, outcomes, phone, phones,
    requests, run, send, told, user_at,
};
use crate::sip::agent::{AgentSettings, CallEnd, Outcome, Upcall};
use crate::sip::header::{Contact, Contacts};
use crate::sip::message::{Message, Method, RequestKey, Status};
use crate::sip::uri::{HostPart, Uri};
use crate::time::SimDuration;

/// Alice (0), and Bob (1), who calls her to talk for ten seconds. She answers after two.
fn called(change: fn(&mut AgentSettings)) -> Network {
    let mut lab = network(phones(&["alice", "bob", "carol"], change));
    call(&mut lab, 1);
    lab
}

fn call(lab: &mut Network, caller: usize) {
    let talk = SimDuration::from_secs(10);
    act(lab, caller, |agent, ctx, tx| agent.call(ctx, tx, user_at("alice", 0), talk));
}

/// The first call of Bob.
fn key(lab: &Network) -> RequestKey {
    let call = told(lab, 1).into_iter().find_map(|(_, upcall)| match upcall {
        Upcall::Began { key, method: Method::Invite, .. } => Some(key),
        _ => None,
    });
    call.unwrap()
}

const fn status(status: Status) -> Outcome {
    Outcome::Status(status)
}

#[test]
fn a_call_rings_is_answered_and_ends() {
    let mut lab = called(|_| {});
    run(&mut lab, 100.0);
    assert_eq!(
        arrivals(&lab, 0.0),
        [
            "0.05 0 INVITE",
            "0.1 1 180 INVITE",
            "2.1 1 200 INVITE",
            "2.15 0 ACK",
            "12.15 0 BYE",
            "12.2 1 200 BYE"
        ]
    );
    assert_eq!(calls(&lab, 1), [(2.1, None), (12.1, Some(CallEnd::HungUp))]);
    assert_eq!(calls(&lab, 0), [(2.15, None), (12.15, Some(CallEnd::HungUpByPeer))]);
    let ringing = Upcall::Provisional { key: key(&lab), status: Status::RINGING };
    assert!(told(&lab, 1).contains(&(at(0.1), ringing)));
    let (_, invite) = requests(&lab, 0, "INVITE").remove(0);
    assert_eq!(invite.headers.content_type.as_deref(), Some("application/sdp"));
}

#[test]
fn lost_messages_delay_a_call() {
    // (who misses what, when it is up at Bob's and at Alice's end). An INVITE is sent again after
    // 0.5 s; so is the 2xx, which left at 2.05 s, and with it the ACK.
    for (index, kind, bobs, alices) in [
        (0, "INVITE", 2.6, 2.65),
        (1, "180 INVITE", 2.1, 2.15),
        (1, "200 INVITE", 2.6, 2.65),
        (0, "ACK", 2.1, 2.65),
        (0, "BYE", 2.1, 2.15),
        (1, "200 BYE", 2.1, 2.15),
    ] {
        let mut lab = network(phones(&["alice", "bob"], |_| {}));
        phone(&mut lab, index).drops = vec![(kind, 1)];
        call(&mut lab, 1);
        run(&mut lab, 100.0);
        let (bob, alice) = (calls(&lab, 1), calls(&lab, 0));
        assert_eq!((bob[0], alice[0]), ((bobs, None), (alices, None)), "{kind}");
        assert_eq!(bob[1].1, Some(CallEnd::HungUp), "{kind}");
        assert_eq!(alice[1].1, Some(CallEnd::HungUpByPeer), "{kind}");
        assert_eq!((bob.len(), alice.len()), (2, 2), "{kind}");
        let ended: Vec<Outcome> = outcomes(&lab, 1).into_iter().map(|(_, _, how)| how).collect();
        assert_eq!(ended, [status(Status::OK), status(Status::OK)], "{kind}");
    }
}

#[test]
fn a_call_without_an_ack_is_ended_by_the_callee() {
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    phone(&mut lab, 0).drops = vec![("ACK", 1000)];
    let talk = SimDuration::from_secs(100);
    act(&mut lab, 1, |agent, ctx, tx| agent.call(ctx, tx, user_at("alice", 0), talk));
    run(&mut lab, 200.0);
    // 64 T1 after the 2xx at 2.05 s.
    assert_eq!(calls(&lab, 0), [(34.05, Some(CallEnd::Unacknowledged))]);
    assert_eq!(calls(&lab, 1), [(2.1, None), (34.1, Some(CallEnd::HungUpByPeer))]);
}

#[test]
fn a_caller_who_gives_up_cancels() {
    let mut lab = called(|settings| settings.patience = SimDuration::from_secs(1));
    run(&mut lab, 100.0);
    assert_eq!(
        arrivals(&lab, 0.2),
        ["1.05 0 CANCEL", "1.1 1 200 CANCEL", "1.1 1 487 INVITE", "1.15 0 ACK"]
    );
    assert_eq!(calls(&lab, 1), [(1.1, Some(CallEnd::Cancelled))]);
    assert_eq!(calls(&lab, 0), [(1.05, Some(CallEnd::Cancelled))]);
    let terminated = status(Status::REQUEST_TERMINATED);
    assert_eq!(outcomes(&lab, 1), [(at(1.1), "INVITE".to_owned(), terminated)]);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up_on() {
    // Alice answers at 2.05 s; Bob cancels at 2.07 s and has the answer at 2.1 s.
    let mut lab = called(|settings| settings.patience = SimDuration::from_millis(2_070));
    run(&mut lab, 100.0);
    assert_eq!(
        arrivals(&lab, 2.0),
        [
            "2.1 1 200 INVITE",
            "2.12 0 CANCEL",
            "2.15 0 ACK",
            "2.15 0 BYE",
            "2.17 1 200 CANCEL",
            "2.2 1 200 BYE"
        ]
    );
    assert_eq!(calls(&lab, 1), [(2.1, Some(CallEnd::Cancelled))]);
    assert_eq!(calls(&lab, 0), [(2.15, None), (2.15, Some(CallEnd::HungUpByPeer))]);
}

#[test]
fn nobody_there_is_a_time_out() {
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    let nobody = Uri::of_user("alice", HostPart::Address(endpoint(7).address));
    let talk = SimDuration::from_secs(10);
    act(&mut lab, 1, |agent, ctx, tx| agent.call(ctx, tx, nobody, talk));
    run(&mut lab, 100.0);
    assert_eq!(outcomes(&lab, 1), [(at(32.0), "INVITE".to_owned(), Outcome::Timeout)]);
    assert_eq!(calls(&lab, 1), [(32.0, Some(CallEnd::Failed(Outcome::Timeout)))]);
}

#[test]
fn a_second_caller_finds_the_line_busy() {
    let mut lab = called(|settings| settings.lines = Some(1));
    run(&mut lab, 5.0);
    call(&mut lab, 2);
    run(&mut lab, 20.0);
    let busy = CallEnd::Failed(status(Status::BUSY_HERE));
    assert_eq!(calls(&lab, 2), [(5.1, Some(busy))]);
    // Bob has hung up at 12.1 s: now the line is free.
    call(&mut lab, 2);
    run(&mut lab, 100.0);
    assert_eq!(calls(&lab, 2)[1..], [(22.1, None), (32.1, Some(CallEnd::HungUp))]);
}

#[test]
fn one_who_takes_no_calls_declines() {
    let mut lab = called(|settings| settings.accepts.calls = false);
    run(&mut lab, 100.0);
    assert_eq!(arrivals(&lab, 0.0), ["0.05 0 INVITE", "0.1 1 603 INVITE", "0.15 0 ACK"]);
    assert_eq!(calls(&lab, 1), [(0.1, Some(CallEnd::Failed(status(Status::DECLINE))))]);
    assert_eq!(calls(&lab, 0), []);
}

#[test]
fn the_callee_may_hang_up_at_any_time() {
    // (when, the end at Alice's, the end at Bob's). While it rings, she does not take it; before
    // the ACK is there (at 2.15 s), there is no BYE.
    let busy = Status::BUSY_HERE;
    for (time, alices, bobs) in [
        (1.0, (1.0, CallEnd::Refused(busy)), (1.05, CallEnd::Failed(status(busy)))),
        (2.1, (2.15, CallEnd::HungUp), (2.2, CallEnd::HungUpByPeer)),
        (5.0, (5.0, CallEnd::HungUp), (5.05, CallEnd::HungUpByPeer)),
    ] {
        let mut lab = called(|_| {});
        run(&mut lab, time);
        let key = key(&lab);
        act(&mut lab, 0, |alice, ctx, tx| alice.hang_up(ctx, tx, key));
        run(&mut lab, 100.0);
        assert_eq!(calls(&lab, 0).last(), Some(&(alices.0, Some(alices.1))));
        assert_eq!(calls(&lab, 1).last(), Some(&(bobs.0, Some(bobs.1))));
    }
}

#[test]
fn both_may_hang_up_at_once() {
    let mut lab = called(|_| {});
    run(&mut lab, 5.0);
    let key = key(&lab);
    act(&mut lab, 0, |alice, ctx, tx| alice.hang_up(ctx, tx, key));
    act(&mut lab, 1, |bob, ctx, tx| bob.hang_up(ctx, tx, key));
    run(&mut lab, 100.0);
    for index in [0, 1] {
        assert_eq!(calls(&lab, index).last(), Some(&(5.0, Some(CallEnd::HungUp))));
        let bye = (at(5.1), "BYE".to_owned(), status(Status::OK));
        assert_eq!(outcomes(&lab, index).last(), Some(&bye));
    }
}

#[test]
fn of_two_who_answer_one_is_let_go() {
    // Alice's telephones 0 and 2 have the same address of record; the proxy (3) rings both.
    let team = Uri::of_user("alice", HostPart::name("team.org"));
    let mut nodes = phones(&["alice", "bob", "alice"], |settings| {
        if settings.aor.sip().is_some_and(|uri| uri.user.as_deref() == Some("alice")) {
            settings.aor = Uri::of_user("alice", HostPart::name("team.org"));
        } else {
            settings.outbound = Some(Uri::loose_route(HostPart::name("proxy.org")));
        }
    });
    let both = vec![endpoint(0), endpoint(2)];
    nodes.push(Proxy::at(3, HostPart::name("proxy.org"), Names::from([("team.org".into(), both)])));
    let mut lab = network(nodes);
    for index in 0..3 {
        phone(&mut lab, index).names.insert("proxy.org".into(), vec![endpoint(3)]);
    }
    let talk = SimDuration::from_secs(10);
    act(&mut lab, 1, |agent, ctx, tx| agent.call(ctx, tx, team, talk));
    run(&mut lab, 100.0);
    // INVITE at 0.1, 2xx at 2.1 sent, at 2.2 there, ACK at 2.3. The BYE follows the second ACK.
    assert_eq!(calls(&lab, 1), [(2.2, None), (12.2, Some(CallEnd::HungUp))]);
    assert_eq!(calls(&lab, 0), [(2.3, None), (12.3, Some(CallEnd::HungUpByPeer))]);
    assert_eq!(calls(&lab, 2), [(2.3, None), (2.3, Some(CallEnd::HungUpByPeer))]);
}

#[test]
fn a_call_stays_as_it_is() {
    let mut lab = called(|_| {});
    run(&mut lab, 5.0);
    let (_, mut request) = requests(&lab, 0, "ACK").remove(0);
    request.headers.via.clear();
    request.headers.contact = Contacts::one(Contact::of(user_at("bob", 1)));
    // Another session in the same call; a request that is older than the last one.
    for (method, cseq, status) in [(Method::Invite, 5, 488), (Method::Bye, 4, 500)] {
        (request.method, request.headers.cseq) = (method, cseq);
        send(&mut lab, 1, request.clone());
        let until = lab.now().as_secs_f64() + 0.2;
        run(&mut lab, until);
        let last = lab.notebook.0.iter().rev().find_map(|(_, host, note)| match note {
            super::harness::Note::Got(Message::Response(response)) if host.index() == 1 => {
                Some(response.status.code())
            }
            _ => None,
        });
        assert_eq!(last, Some(status));
    }
    assert_eq!(calls(&lab, 0).len(), 1);
}
