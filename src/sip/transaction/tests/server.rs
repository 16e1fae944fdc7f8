use super::*;
use crate::sip::Via;
use crate::sip::transaction::{ServerId, reply_to};

/// Intervals from T1, doubled up to T2: 0.5, 1, 2, 4, 4, … s (Timer G).
const G: [u64; 11] = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];

/// A `Via` of [`PEER`]'s with this branch.
fn via(branch: &str) -> Via {
    Via {
        transport: "UDP".into(),
        host: HostPart::Address(PEER.address),
        port: None,
        branch: Some(branch.into()),
        received: None,
        rport: None,
        parameters: Vec::new(),
    }
}

/// The request of the fixture as it comes from [`PEER`].
fn incoming(method: Method) -> Request {
    let mut request = request(method);
    request.headers.via.push(via("z9hG4bKpeer"));
    request
}

fn server(bench: &Bench) -> (ServerId, Request) {
    let found = bench.events.iter().rev().find_map(|(_, event)| match event {
        Event::Request { server, request, .. } => Some((*server, (**request).clone())),
        _ => None,
    });
    found.expect("a request was reported")
}

impl Bench {
    /// A new request comes; its transaction.
    fn offer(&mut self, method: Method) -> ServerId {
        self.receive(incoming(method));
        server(self).0
    }

    fn respond(&mut self, status: Status) {
        let (server, request) = server(self);
        let response = request.respond(status, Some("own"));
        self.act(|transactions, ctx| transactions.respond(ctx, server, response));
    }

    fn relay(&mut self, status: Status) {
        let (server, request) = server(self);
        let response = request.respond(status, Some("callee"));
        self.act(|transactions, ctx| transactions.relay(ctx, server, response));
    }
}

/// The ACK of the fixture's INVITE, on this branch, of an answer with this tag.
fn ack(branch: &str, tag: &str) -> Request {
    let mut ack = incoming(Method::Ack);
    ack.headers.via[0] = via(branch);
    ack.headers.to.tag = Some(tag.into());
    ack
}

#[test]
fn responses_go_where_the_request_came_from() {
    let name = HostPart::name("phone.test");
    let peer = HostPart::Address(PEER.address);
    let port = |number| Some(Port(number));
    // sent-by, asks for rport, comes from this port; gets received, answered to this port.
    let cases = [
        (peer.clone(), None, false, 5060, false, 5060),
        (peer.clone(), port(5070), false, 5060, false, 5070),
        (peer.clone(), port(5070), true, 1024, true, 1024),
        (peer, None, true, 5060, true, 5060),
        (name.clone(), None, false, 1024, true, 5060),
        (name, port(5070), true, 1024, true, 1024),
        (HostPart::Address(OWN.address), None, false, 5060, true, 5060),
    ];
    for (host, own_port, asks, from, received, to) in cases {
        let mut bench = Bench::new(Rules::rfc3261());
        let mut request = incoming(Method::Message);
        let top = &mut request.headers.via[0];
        (top.host, top.port, top.rport) = (host, own_port, asks.then_some(None));
        let from = PEER.address.at(Port(from));
        let event = bench.act(|tx, ctx| tx.receive(ctx, from, request.into()));
        bench.events.extend(event.map(|event| (0, event)));
        let top = server(&bench).1.headers.via[0].clone();
        assert_eq!(top.received, received.then_some(PEER.address), "{top:?}");
        assert_eq!(top.rport, asks.then_some(Some(from.port)), "{top:?}");
        bench.respond(Status::OK);
        let (_, sent_to, _) = bench.sent[0];
        assert_eq!(sent_to, PEER.address.at(Port(to)), "{top:?}");
        assert_eq!(reply_to(&top), Some(sent_to));
    }
}

#[test]
fn an_invite_hears_100_unless_its_user_is_faster() {
    // RFC 3261 §17.2.1: 200 ms; SER at once.
    let cases = [
        (Rules::rfc3261(), 1_000, at([(200, "100"), (1_000, "180")])),
        (Rules::rfc3261(), 199, at([(199, "180")])),
        (Rules::ser(), 199, at([(0, "100"), (199, "180")])),
    ];
    for (rules, rings, expected) in cases {
        let mut bench = Bench::new(rules);
        bench.offer(Method::Invite);
        bench.run(rings);
        bench.respond(Status::RINGING);
        bench.run(20_000);
        assert_eq!(bench.take_sent(), expected);
    }
    // Others never hear it (RFC 4320).
    let mut bench = Bench::new(Rules::ser());
    bench.offer(Method::Message);
    bench.run(20_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn repeated_requests_are_absorbed_or_get_the_last_answer_again() {
    let mut bench = Bench::new(Rules::rfc3261());
    for (method, expected) in [
        (Method::Message, at([(2_000, "404"), (3_000, "404")])),
        // 100 at 200 ms and again at 500; the 404 is repeated by Timer G, too, at 2.5 s.
        (
            Method::Invite,
            at([(200, "100"), (500, "100"), (2_000, "404"), (2_500, "404"), (3_000, "404")]),
        ),
    ] {
        bench = Bench::new(Rules::rfc3261());
        bench.offer(method.clone());
        // While its user looks something up.
        bench.run(500);
        bench.receive(incoming(method.clone()));
        bench.run(2_000);
        bench.respond(Status::NOT_FOUND);
        // After the final response there is no other.
        bench.respond(Status::OK);
        bench.run(3_000);
        bench.receive(incoming(method.clone()));
        assert_eq!(bench.take_sent(), expected);
        assert_eq!(bench.take_events(), at([(0, method.as_str())]));
    }
    // Another branch, or the same from another sender, is another request.
    for (host, branch) in [("10.0.0.2", "z9hG4bKother"), ("10.0.0.3", "z9hG4bKpeer")] {
        let mut other = incoming(Method::Invite);
        other.headers.via[0] = via(branch);
        other.headers.via[0].host = HostPart::Address(host.parse().unwrap());
        bench.receive(other);
        assert_eq!(bench.take_events(), at([(3_000, "INVITE")]));
    }
}

#[test]
fn a_failure_of_an_invite_is_repeated_until_it_is_acknowledged() {
    // Timer H: 64 T1 by RFC 3261; SER waits as long as for any answer, 30 s.
    for (rules, sends, end) in [(Rules::rfc3261(), 11, 32_000), (Rules::ser(), 10, 30_000)] {
        let rules = Rules { trying_after: SimDuration::from_secs(1), ..rules };
        let mut bench = Bench::new(rules);
        bench.offer(Method::Invite);
        bench.respond(Status::BUSY_HERE);
        bench.run(100_000);
        let expected: Vec<(u64, String)> =
            G[..sends].iter().map(|&at| (at, "486".to_owned())).collect();
        assert_eq!(bench.take_sent(), expected);
        assert_eq!(bench.take_events(), at([(0, "INVITE"), (end, "unacknowledged")]));
        bench.assert_idle();

        // Acknowledged at 2 s, and again until Timer I, T4 or wt_timer: both 5 s.
        let mut bench = Bench::new(rules);
        bench.offer(Method::Invite);
        bench.respond(Status::BUSY_HERE);
        for time in [2_000, 6_999, 7_000] {
            bench.run(time);
            bench.receive(ack("z9hG4bKpeer", "own"));
        }
        bench.run(100_000);
        assert_eq!(bench.take_sent(), at([(0, "486"), (500, "486"), (1_500, "486")]));
        assert_eq!(bench.take_events(), at([(0, "INVITE"), (7_000, "ACK")]));
        bench.assert_idle();
    }
}

#[test]
fn an_icmp_error_ends_the_wait_for_the_ack_of_a_failure() {
    for (rules, expected) in [
        (Rules::rfc3261(), at([(0, "INVITE"), (0, "unacknowledged")])),
        (Rules::ser(), at([(0, "INVITE")])),
    ] {
        let mut bench = Bench::new(rules);
        bench.offer(Method::Invite);
        bench.respond(Status::BUSY_HERE);
        let events = bench.act(|transactions, ctx| transactions.unreachable(ctx, PEER));
        bench.events.extend(events.into_iter().map(|event| (0, event)));
        assert_eq!(bench.take_events(), expected);
    }
}

#[test]
fn a_user_agent_repeats_its_2xx_until_the_ack() {
    let mut bench = Bench::new(Rules::rfc3261());
    let server = bench.offer(Method::Invite);
    bench.respond(Status::OK);
    bench.run(100_000);
    assert_eq!(bench.take_sent(), G.map(|at| (at, "200".to_owned())));
    assert_eq!(bench.events.last(), Some(&(32_000, Event::Unacknowledged { server })));
    bench.assert_idle();

    let mut bench = Bench::new(Rules::rfc3261());
    bench.offer(Method::Invite);
    bench.respond(Status::OK);
    bench.run(400);
    // Of another answer, to another phone: not ours.
    bench.receive(ack("z9hG4bKack0", "else"));
    bench.run(2_000);
    bench.receive(ack("z9hG4bKack1", "own"));
    // Repeated INVITEs are absorbed (RFC 6026 §8.7), until Timer L: 64 T1 after the ACK.
    for time in [3_000, 33_999, 34_000] {
        bench.run(time);
        bench.receive(incoming(Method::Invite));
    }
    assert_eq!(bench.take_sent(), at([(0, "200"), (500, "200"), (1_500, "200")]));
    let events = [(0, "INVITE"), (400, "ACK"), (2_000, "ACK"), (34_000, "INVITE")];
    assert_eq!(bench.take_events(), at(events));
}

#[test]
fn an_ack_on_the_branch_of_its_invite_is_for_the_dialog() {
    let mut bench = Bench::new(Rules::rfc3261());
    bench.offer(Method::Invite);
    bench.respond(Status::OK);
    bench.receive(ack("z9hG4bKpeer", "own"));
    bench.run(10_000);
    assert_eq!(bench.take_sent(), at([(0, "200")]));
    assert_eq!(bench.take_events(), at([(0, "INVITE"), (0, "ACK")]));
}

#[test]
fn a_proxy_passes_each_2xx_on_once() {
    // Timer L: 64 T1, or wt_timer.
    for (rules, end) in [(Rules::rfc3261(), 32_000), (Rules::ser(), 5_000)] {
        let rules = Rules { trying_after: SimDuration::from_secs(1), ..rules };
        let mut bench = Bench::new(rules);
        bench.offer(Method::Invite);
        bench.relay(Status::RINGING);
        bench.relay(Status::OK);
        bench.run(500);
        bench.receive(incoming(Method::Invite));
        bench.relay(Status::OK);
        bench.relay(Status::BUSY_HERE);
        bench.run(end);
        bench.assert_idle();
        // Also after the transaction; but no other response.
        bench.relay(Status::OK);
        bench.relay(Status::RINGING);
        let sent = [(0, "180"), (0, "200"), (500, "200"), (end, "200")];
        assert!(bench.sent.iter().all(|&(_, to, _)| to == PEER));
        assert_eq!(bench.take_sent(), at(sent));
        assert_eq!(bench.take_events(), at([(0, "INVITE")]));
    }
}

#[test]
fn an_answer_is_repeated_on_demand_for_a_while() {
    // Timer J: 64 T1, or wt_timer.
    for (rules, end) in [(Rules::rfc3261(), 32_000), (Rules::ser(), 5_000)] {
        let mut bench = Bench::new(rules);
        bench.offer(Method::Message);
        bench.respond(Status::OK);
        for time in [4_000, end - 1, end] {
            bench.run(time);
            bench.receive(incoming(Method::Message));
        }
        assert_eq!(bench.take_sent(), at([(0, "200"), (4_000, "200"), (end - 1, "200")]));
        assert_eq!(bench.take_events(), at([(0, "MESSAGE"), (end, "MESSAGE")]));
    }
}

#[test]
fn an_abandoned_request_is_never_answered() {
    let mut bench = Bench::new(Rules::rfc3261());
    let server = bench.offer(Method::Message);
    bench.run(1_000);
    bench.act(|transactions, ctx| transactions.abandon(ctx, server));
    bench.respond(Status::REQUEST_TIMEOUT);
    for time in [1_500, 32_999] {
        bench.run(time);
        bench.receive(incoming(Method::Message));
    }
    bench.run(33_000);
    assert!(bench.sent.is_empty());
    assert_eq!(bench.take_events(), at([(0, "MESSAGE")]));
    bench.assert_idle();
}

#[test]
fn a_cancel_is_answered_and_reported_once() {
    let mut bench = Bench::new(Rules::rfc3261());
    let server = bench.offer(Method::Invite);
    bench.respond(Status::RINGING);
    bench.run(1_000);
    bench.receive(incoming(Method::Cancel));
    bench.receive(incoming(Method::Cancel));
    assert_eq!(bench.events.last(), Some(&(1_000, Event::Cancelled { server })));
    // RFC 3261 §9.2: its answer has the tag of the INVITE's.
    assert_eq!(bench.sent[1].2.to().tag.as_deref(), Some("own"));
    bench.respond(Status::REQUEST_TERMINATED);
    bench.receive(ack("z9hG4bKpeer", "own"));
    bench.run(100_000);
    let sent = [(0, "180"), (1_000, "200"), (1_000, "200"), (1_000, "487")];
    assert_eq!(bench.take_sent(), at(sent));
    let events = [(0, "INVITE"), (1_000, "cancelled")];
    assert_eq!(bench.take_events(), at(events));
    bench.assert_idle();
}

#[test]
fn a_cancel_that_is_late_or_lost_changes_nothing() {
    // After a final response: 200, but nothing happens. Of no INVITE: 481.
    for (method, final_one, answer) in [
        (Method::Invite, Some(Status::OK), "200"),
        (Method::Invite, Some(Status::BUSY_HERE), "200"),
        (Method::Message, None, "481"),
    ] {
        let mut bench = Bench::new(Rules::rfc3261());
        bench.offer(method.clone());
        if let Some(status) = final_one {
            bench.respond(status);
        }
        bench.take_sent();
        bench.receive(incoming(Method::Cancel));
        assert_eq!(bench.take_sent(), at([(0, answer)]));
        assert_eq!(bench.take_events(), at([(0, method.as_str())]));
    }
}

#[test]
fn a_request_without_a_branch_of_rfc_3261_is_refused() {
    for (branch, method, expected) in [
        (None, Method::Message, at([(0, "400")])),
        (Some("1"), Method::Invite, at([(0, "400")])),
        (Some("1"), Method::Ack, Vec::new()),
    ] {
        let mut bench = Bench::new(Rules::rfc3261());
        let mut request = incoming(method);
        request.headers.via[0].branch = branch.map(Into::into);
        bench.receive(request.clone());
        request.headers.via.clear();
        bench.receive(request);
        assert_eq!(bench.take_sent(), expected);
        assert!(bench.events.is_empty());
    }
}

#[test]
fn what_is_forwarded_without_a_transaction_keeps_its_branch() {
    let mut bench = Bench::new(Rules::rfc3261());
    for branch in ["z9hG4bKone", "z9hG4bKone", "z9hG4bKtwo"] {
        let message = Message::from(ack(branch, "callee"));
        bench.act(|transactions, ctx| transactions.forward_stateless(ctx, message, PEER));
    }
    let response = incoming(Method::Invite).respond(Status::OK, Some("callee"));
    let message = Message::from(response.clone());
    bench.act(|transactions, ctx| transactions.forward_stateless(ctx, message, PEER));
    let branch = |index: usize| bench.sent[index].2.headers().via[0].branch.clone();
    assert_eq!(branch(0), branch(1));
    assert_ne!(branch(0), branch(2));
    assert_eq!(bench.sent[0].2.headers().via.len(), 2);
    assert_eq!(bench.sent[3].2, Message::from(response));
}
