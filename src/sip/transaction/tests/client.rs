use super::*;
use crate::sip::profile::Profile;

/// T1 = 500 ms, doubling: the sums of 0.5, 1, 2, … s.
const UNCAPPED: &[u64] = &[0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
/// The same, but no interval is longer than T2 = 4 s.
const CAPPED: &[u64] =
    &[0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
/// From 1 s: 1, 2, 4, 4, … s.
const SLOW: &[u64] = &[0, 1_000, 3_000, 7_000, 11_000, 15_000, 19_000, 23_000, 27_000];

#[test]
fn requests_without_an_answer_are_sent_at_the_times_of_the_profile() {
    let up_to_30_s = &CAPPED[..10];
    let cases: [(Rules, Method, &[u64], u64); 9] = [
        (Rules::rfc3261(), Method::Invite, UNCAPPED, 32_000),
        (Rules::rfc3261(), Method::Message, CAPPED, 32_000),
        (Rules::ser(), Method::Invite, up_to_30_s, 30_000),
        (Rules::ser(), Method::Message, up_to_30_s, 30_000),
        (Rules::kamailio(), Method::Invite, up_to_30_s, 30_000),
        (Rules::kamailio(), Method::Subscribe, up_to_30_s, 30_000),
        (Rules::ser_0_9(), Method::Invite, SLOW, 30_000),
        (Rules::ser_0_9(), Method::Message, SLOW, 30_000),
        // fr_timer 3.5 s: at the same moment, giving up comes before repeating.
        (
            Rules { no_reply: SimDuration::from_millis(3_500), ..Rules::ser() },
            Method::Invite,
            &CAPPED[..3],
            3_500,
        ),
    ];
    for (rules, method, times, end) in cases {
        let mut bench = Bench::new(rules);
        bench.send(method.clone());
        bench.run(600_000);
        // One and the same message to one and the same address.
        let (_, _, first) = bench.sent[0].clone();
        assert!(bench.sent.iter().all(|(_, to, message)| *to == PEER && *message == first));
        let sent: Vec<u64> = bench.sent.iter().map(|&(at, _, _)| at).collect();
        assert_eq!(sent, times, "{method} {rules:?}");
        assert_eq!(bench.take_events(), at([(end, "Timeout")]), "{method} {rules:?}");
        bench.assert_idle();
    }
}

#[test]
fn an_icmp_error_ends_what_is_being_sent_where_it_is_seen() {
    for profile in Profile::ALL {
        for method in [Method::Invite, Method::Message] {
            let unanswered = |icmp: bool| {
                let mut bench = Bench::new(profile.rules());
                bench.send(method.clone());
                bench.run(40);
                if icmp {
                    let events = bench.act(|tx, ctx| tx.unreachable(ctx, PEER));
                    bench.events.extend(events.into_iter().map(|event| (40, event)));
                }
                bench.run(100_000);
                bench.assert_idle();
                (bench.take_sent(), bench.take_events())
            };
            if profile == Profile::Rfc3261 {
                let (sent, events) = unanswered(true);
                assert_eq!(sent, at([(0, method.as_str())]));
                assert_eq!(events, at([(40, "Transport")]));
            } else {
                // A closed port is like silence.
                assert_eq!(unanswered(true), unanswered(false));
            }
        }
    }
}

#[test]
fn an_icmp_error_about_others_or_after_the_answer_changes_nothing() {
    let mut bench = Bench::new(Rules::rfc3261());
    bench.send(Method::Invite);
    assert!(bench.act(|tx, ctx| tx.unreachable(ctx, OWN)).is_empty());
    // Proceeding: the INVITE is not sent any more, so the error is about something else.
    bench.answer(&Method::Invite, Status::RINGING, "b");
    assert!(bench.act(|tx, ctx| tx.unreachable(ctx, PEER)).is_empty());
    assert!(!bench.transactions.is_idle());
}

#[test]
fn a_provisional_response_stops_an_invite_and_starts_the_long_wait() {
    // 100 at 1.2 s (after the sends at 0 and 0.5), 180 at 100 s.
    let cases = [
        // RFC 3261: for ever.
        (Rules::rfc3261(), None),
        // fr_inv_timer, 120 s from the last one.
        (Rules::ser(), Some(220_000)),
        // max_inv_lifetime, 180 s from the beginning.
        (Rules::kamailio(), Some(180_000)),
    ];
    for (rules, end) in cases {
        let mut bench = Bench::new(rules);
        bench.send(Method::Invite);
        bench.run(1_200);
        bench.answer(&Method::Invite, Status::TRYING, "");
        bench.run(100_000);
        bench.answer(&Method::Invite, Status::RINGING, "b");
        bench.run(1_000_000);
        let mut sent = bench.take_sent();
        let mut events = bench.take_events();
        assert_eq!(sent.drain(..2).as_slice(), at([(0, "INVITE"), (500, "INVITE")]));
        assert_eq!(events.drain(..2).as_slice(), at([(1_200, "100"), (100_000, "180")]));
        match end {
            None => assert!(sent.is_empty() && events.is_empty()),
            Some(end) => {
                // The branch is cancelled; the CANCEL, unanswered, ends like any other request.
                assert_eq!(events, at([(end, "Timeout")]));
                let cancels: Vec<u64> = CAPPED[..10].iter().map(|after| end + after).collect();
                assert_eq!(sent.iter().map(|&(at, _)| at).collect::<Vec<u64>>(), cancels);
                assert!(sent.iter().all(|(_, word)| word == "CANCEL"));
                bench.assert_idle();
            }
        }
    }
}

#[test]
fn an_invite_that_was_given_up_still_acknowledges() {
    let mut bench = Bench::new(Rules::ser());
    bench.send(Method::Invite);
    bench.answer(&Method::Invite, Status::RINGING, "b");
    bench.run(120_000);
    bench.answer(&Method::Cancel, Status::OK, "b");
    bench.answer(&Method::Invite, Status::REQUEST_TERMINATED, "b");
    bench.run(200_000);
    assert_eq!(bench.take_sent(), at([(0, "INVITE"), (120_000, "CANCEL"), (120_000, "ACK")]));
    // The 487 is no news to the owner.
    assert_eq!(bench.take_events(), at([(0, "180"), (120_000, "Timeout")]));
    bench.assert_idle();
}

#[test]
fn another_request_goes_on_slowly_after_a_provisional_response() {
    let mut bench = Bench::new(Rules::rfc3261());
    bench.send(Method::Message);
    bench.run(600);
    bench.answer(&Method::Message, Status::TRYING, "");
    bench.run(100_000);
    // 0 and 0.5 before it; Timer E was set for 1.5, then T2 each time; F ends it as ever.
    let sent: Vec<u64> = bench.take_sent().into_iter().map(|(at, _)| at).collect();
    let slowly = [0, 500, 1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500];
    assert_eq!(sent, slowly);
    assert_eq!(bench.take_events(), at([(600, "100"), (32_000, "Timeout")]));
    bench.assert_idle();
}

#[test]
fn a_failure_is_acknowledged_as_often_as_it_comes() {
    // Timer D: 32 s by RFC 3261, wt_timer 5 s in SER.
    for (rules, end) in [(Rules::rfc3261(), 32_000), (Rules::ser(), 5_000)] {
        let mut bench = Bench::new(rules);
        bench.act(|transactions, ctx| {
            let mut invite = request(Method::Invite);
            invite.headers.route.push(NameAddress::of(Uri::loose_route(HostPart::name("p.test"))));
            transactions.request(ctx, invite, PEER, OWNER)
        });
        let (_, _, Message::Request(invite)) = bench.sent[0].clone() else { panic!("a request") };
        let busy = bench.answer(&Method::Invite, Status::BUSY_HERE, "b");
        let (_, to, Message::Request(ack)) = bench.sent[1].clone() else { panic!("an ACK") };
        // RFC 3261 §17.1.1.3.
        assert_eq!(to, PEER);
        assert_eq!((&ack.method, &ack.uri), (&Method::Ack, &invite.uri));
        assert_eq!(ack.headers.via, invite.headers.via[..1]);
        assert_eq!(ack.headers.route, invite.headers.route);
        assert_eq!(ack.headers.to, busy.headers.to);
        assert_eq!(ack.headers.from, invite.headers.from);
        assert_eq!((&*ack.headers.call_id, ack.headers.cseq), ("call-1", 20));

        bench.run(end - 1);
        bench.receive(busy.clone());
        bench.run(end);
        bench.receive(busy);
        assert_eq!(bench.take_sent(), at([(0, "INVITE"), (0, "ACK"), (end - 1, "ACK")]));
        assert_eq!(bench.take_events(), at([(0, "486"), (end, "stray 486")]));
        bench.assert_idle();
    }
}

/// The ACK of a 2xx, as a user agent makes it.
fn ack_of(answer: &Response) -> Request {
    let mut ack = request(Method::Ack);
    ack.headers.to = answer.headers.to.clone();
    ack
}

#[test]
fn a_2xx_comes_to_a_user_agent_once_and_its_ack_goes_out_each_time() {
    // Timer M: 64 T1, or wt_timer.
    for (rules, end) in [(Rules::rfc3261(), 32_000), (Rules::ser(), 5_000)] {
        let mut bench = Bench::new(rules);
        bench.send(Method::Invite);
        let answer = bench.answer(&Method::Invite, Status::OK, "b");
        // Before the user agent has said ACK, there is nothing to repeat.
        bench.receive(answer.clone());
        bench.act(|transactions, ctx| transactions.send_ack(ctx, ack_of(&answer), PEER));
        bench.run(500);
        bench.receive(answer.clone());
        // A proxy forked: another phone took the call, too.
        bench.answer(&Method::Invite, Status::OK, "c");
        bench.answer(&Method::Invite, Status::BUSY_HERE, "d");
        bench.run(end);
        bench.receive(answer);
        let sent: Vec<(u64, Message)> =
            bench.sent.iter().map(|(at, _, message)| (*at, message.clone())).collect();
        assert_eq!(sent[1].1, sent[2].1);
        // An ACK of a 2xx is a transaction of its own (RFC 3261 §13.2.2.4).
        assert_ne!(sent[0].1.headers().via, sent[1].1.headers().via);
        assert_eq!(bench.take_sent(), at([(0, "INVITE"), (0, "ACK"), (500, "ACK")]));
        assert_eq!(bench.take_events(), at([(0, "200"), (500, "200"), (end, "stray 200")]));
        bench.assert_idle();
    }
}

#[test]
fn a_2xx_comes_to_a_proxy_as_often_as_it_is_sent() {
    let mut bench = Bench::new(Rules::rfc3261());
    bench.send_for(Method::Invite, Owner::Proxy(1));
    let answer = bench.answer(&Method::Invite, Status::OK, "b");
    bench.run(500);
    bench.receive(answer);
    assert_eq!(bench.take_events(), at([(0, "200"), (500, "200")]));
    assert_eq!(bench.take_sent(), at([(0, "INVITE")]));
}

#[test]
fn the_answer_to_another_request_comes_once() {
    // Timer K: T4 is 5 s, and so is wt_timer. Any final response ends it.
    for rules in [Rules::rfc3261(), Rules::ser()] {
        for status in [Status::OK, Status::NOT_FOUND] {
            let mut bench = Bench::new(rules);
            bench.send(Method::Subscribe);
            bench.run(700);
            let answer = bench.answer(&Method::Subscribe, status, "b");
            for time in [1_000, 5_699, 5_700] {
                bench.run(time);
                bench.receive(answer.clone());
            }
            let (word, stray) = (status.to_string(), format!("stray {status}"));
            assert_eq!(bench.take_events(), at([(700, word.as_str()), (5_700, stray.as_str())]));
            assert_eq!(bench.take_sent(), at([(0, "SUBSCRIBE"), (500, "SUBSCRIBE")]));
            bench.assert_idle();
        }
    }
}

#[test]
fn a_cancel_waits_for_a_provisional_response() {
    let mut bench = Bench::new(Rules::rfc3261());
    let client = bench.send(Method::Invite);
    assert!(bench.act(|transactions, ctx| transactions.cancel(ctx, client)));
    bench.run(1_000);
    bench.answer(&Method::Invite, Status::RINGING, "b");
    // Cancelling twice is cancelling once.
    assert!(bench.act(|transactions, ctx| transactions.cancel(ctx, client)));
    let (_, _, Message::Request(invite)) = bench.sent[0].clone() else { panic!("a request") };
    let (_, to, Message::Request(cancel)) = bench.sent[2].clone() else { panic!("a CANCEL") };
    // RFC 3261 §9.1: all that names the transaction is the same.
    assert_eq!(to, PEER);
    assert_eq!(cancel.method, Method::Cancel);
    assert_eq!(
        (&cancel.uri, &cancel.headers.via, &cancel.headers.to, cancel.headers.cseq),
        (&invite.uri, &invite.headers.via, &invite.headers.to, invite.headers.cseq),
    );
    bench.answer(&Method::Cancel, Status::OK, "b");
    bench.run(2_000);
    bench.answer(&Method::Invite, Status::REQUEST_TERMINATED, "b");
    assert!(!bench.act(|transactions, ctx| transactions.cancel(ctx, client)));
    bench.run(100_000);
    let sent = [(0, "INVITE"), (500, "INVITE"), (1_000, "CANCEL"), (2_000, "ACK")];
    assert_eq!(bench.take_sent(), at(sent));
    assert_eq!(bench.take_events(), at([(1_000, "180"), (2_000, "487")]));
    bench.assert_idle();
}

#[test]
fn a_cancelled_invite_ends_even_if_nobody_answers() {
    let mut bench = Bench::new(Rules::rfc3261());
    let client = bench.send(Method::Invite);
    bench.answer(&Method::Invite, Status::RINGING, "b");
    bench.run(10_000);
    assert!(bench.act(|transactions, ctx| transactions.cancel(ctx, client)));
    bench.run(20_000);
    bench.answer(&Method::Invite, Status::RINGING, "b");
    bench.run(100_000);
    // 64 T1 after the CANCEL (RFC 3261 §9.1), whatever else rings.
    assert_eq!(bench.take_events(), at([(0, "180"), (20_000, "180"), (42_000, "Timeout")]));
    bench.assert_idle();
}

#[test]
fn only_an_open_invite_can_be_cancelled() {
    let mut bench = Bench::new(Rules::rfc3261());
    let message = bench.send(Method::Message);
    let invite = bench.send(Method::Invite);
    bench.answer(&Method::Invite, Status::OK, "b");
    for client in [message, invite, ClientId(99)] {
        assert!(!bench.act(|transactions, ctx| transactions.cancel(ctx, client)));
    }
}

#[test]
fn a_limit_of_life_comes_before_the_timers() {
    // A proxy tries a second target when 30 of the 32 s are over: 2 s are left.
    let mut bench = Bench::new(Rules::kamailio());
    let end = Some(crate::time::SimTime::from_secs(32));
    bench.run(30_000);
    bench.act(|tx, ctx| tx.request_until(ctx, request(Method::Message), PEER, OWNER, end));
    bench.run(100_000);
    let sent = [(30_000, "MESSAGE"), (30_500, "MESSAGE"), (31_500, "MESSAGE")];
    assert_eq!(bench.take_sent(), at(sent));
    assert_eq!(bench.take_events(), at([(32_000, "Timeout")]));
}

#[test]
fn responses_to_others_are_dropped_and_unknown_ones_reported() {
    let mut bench = Bench::new(Rules::rfc3261());
    bench.send(Method::Message);
    let (_, _, Message::Request(sent)) = bench.sent[0].clone() else { panic!("a request") };
    let mut foreign = sent.respond(Status::OK, None);
    foreign.headers.via[0].host = HostPart::name("elsewhere.test");
    bench.receive(foreign);
    let mut bare = sent.respond(Status::OK, None);
    bare.headers.via.clear();
    bench.receive(bare);
    let mut stray = sent.respond(Status::OK, None);
    stray.headers.via[0].branch = Some("z9hG4bKnobody".into());
    bench.receive(stray);
    // The method belongs to the name (RFC 3261 §17.1.3).
    let mut other = sent.respond(Status::NOT_FOUND, None);
    other.method = Method::Cancel;
    bench.receive(other);
    assert_eq!(bench.take_events(), at([(0, "stray 200"), (0, "stray 404")]));
}

#[test]
fn branches_differ_and_have_the_cookie() {
    let mut bench = Bench::new(Rules::rfc3261());
    for _ in 0..100 {
        bench.send(Method::Message);
    }
    let branches: std::collections::BTreeSet<_> = bench
        .sent
        .iter()
        .map(|(_, _, message)| message.headers().via[0].branch.clone().unwrap())
        .collect();
    assert_eq!(branches.len(), 100);
    assert!(branches.iter().all(|branch| branch.starts_with("z9hG4bK") && branch.len() == 17));
}
