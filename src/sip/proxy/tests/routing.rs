//! Routes, hops and loops.

use super::*;

fn record_route(policy: RecordRoute) -> impl FnOnce(&mut ProxySettings) {
    move |settings| settings.record_route = policy
}

#[test]
fn a_recorded_proxy_stays_in_the_dialog_and_another_does_not() {
    let by_name = RecordRoute::Name(HostPart::name("a.test"));
    for (policy, entry) in [
        (RecordRoute::None, None),
        (RecordRoute::Address, Some("sip:10.0.0.2;lr")),
        (by_name, Some("sip:a.test;lr")),
    ] {
        let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]).with(record_route(policy));
        story.send(Story::request(Method::Invite, uri("bob", "a.test")));
        story.run(1);
        let invite = story.phone(CALLEE).requests[0].clone();
        let recorded: Vec<String> =
            invite.headers.record_route.iter().map(|one| one.uri.to_string()).collect();
        assert_eq!(recorded, entry.into_iter().collect::<Vec<_>>());
        // In the dialog the caller asks the callee's contact, by way of the recorded entries.
        let mut ack = Story::request(Method::Ack, contact(CALLEE));
        ack.headers.to = NameAddress::of(uri("bob", "a.test")).tagged("tag-sip:bob@10.0.0.3");
        ack.headers.route = invite.headers.record_route;
        let mut bye = ack.clone();
        (bye.method, bye.headers.cseq) = (Method::Bye, 2);
        if entry.is_none() {
            continue;
        }
        story.lab.act(CALLER, |node, ctx| match node {
            Node::Phone(phone) => phone.tx.send_ack(ctx, ack, at(PROXY)),
            Node::Server(_) => panic!("that is the proxy"),
        });
        story.tell(bye, 3);
        let arrived = &story.phone(CALLEE).requests[1..];
        assert_eq!(arrived.len(), 2, "{arrived:?}");
        for (request, method) in arrived.iter().zip([Method::Ack, Method::Bye]) {
            assert_eq!((&request.method, &request.uri), (&method, &contact(CALLEE)));
            assert_eq!(request.headers.route, []);
            // Not recorded again: the route set of the dialog is fixed.
            assert_eq!(request.headers.record_route, []);
            assert_eq!((request.headers.max_forwards, request.headers.via.len()), (Some(69), 2));
        }
        assert_eq!(story.phone(CALLER).log.last().unwrap(), "1200 200 BYE");
    }
}

#[test]
fn a_request_follows_the_rest_of_its_route() {
    let mut story = Story::new(Rules::ser(), &[Habit::Answers(200), Habit::Answers(200)]);
    let mut request = Story::request(Method::Message, uri("bob", "nowhere.test"));
    let loose =
        |index: usize| NameAddress::of(Uri::loose_route(HostPart::Address(at(index).address)));
    request.headers.route = vec![loose(PROXY), loose(CALLEE + 1)];
    story.tell(request, 1);
    let arrived = story.phone(CALLEE + 1).requests[0].clone();
    assert_eq!(arrived.uri, uri("bob", "nowhere.test"));
    assert_eq!(arrived.headers.route, [loose(CALLEE + 1)]);
    story.heard(CALLEE, &[]);
}

#[test]
fn hops_are_counted_and_end() {
    for (before, after) in [(None, Some(70)), (Some(70), Some(69)), (Some(1), Some(0))] {
        let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]);
        let mut request = Story::request(Method::Message, uri("bob", "a.test"));
        request.headers.max_forwards = before;
        story.tell(request, 1);
        assert_eq!(story.phone(CALLEE).requests[0].headers.max_forwards, after);
    }
    let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]);
    let mut request = Story::request(Method::Message, uri("bob", "a.test"));
    request.headers.max_forwards = Some(0);
    story.tell(request, 1);
    story.heard(CALLER, &["100 483 MESSAGE"]);
    story.proxied(&["50 answered 483"]);
    story.heard(CALLEE, &[]);
}

#[test]
fn a_loop_is_detected_or_ends_at_max_forwards() {
    // Bob is registered at the proxy itself. The RFC sees that when the request is back, at 150 ms.
    // To SER it goes round until no hops are left: 5, 4, 3, 2, 1, and 0 is refused. The proxy hears
    // itself at once.
    for (rules, rounds, status) in [(Rules::rfc3261(), 1, 482), (Rules::ser(), 5, 483)] {
        let mut story = Story::new(rules, &[]);
        story.server().users.insert("bob", Ok(vec![uri("bob", "a.test")]));
        story.server().names.insert("a.test", vec![at(PROXY)]);
        let mut request = Story::request(Method::Message, uri("bob", "a.test"));
        request.headers.max_forwards = Some(5);
        story.tell(request, 5);
        story.heard(CALLER, &[&format!("100 {status} MESSAGE")]);
        let sent = story.server().log.iter().filter(|line| line.contains("to")).count();
        assert_eq!(sent, rounds);
    }
}

#[test]
fn an_extension_that_the_proxy_must_understand_is_refused() {
    let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]);
    let mut request = Story::request(Method::Message, uri("bob", "a.test"));
    request.headers.other = vec![("proxy-require".into(), "foo".into())];
    story.tell(request, 1);
    story.heard(CALLER, &["100 420 MESSAGE"]);
}
