//! Silence: time-outs, failover, and who is told what when.

use super::*;

/// To the addresses of `b.test`, which is not a domain of the proxy.
fn abroad(method: Method) -> Request {
    Story::request(method, uri("bob", "b.test"))
}

fn failover(settings: &mut ProxySettings) {
    settings.failover = true;
}

#[test]
fn with_failover_the_second_endpoint_is_asked_when_the_first_is_given_up() {
    for (rules, given_up) in
        [(Rules::ser(), 30_050), (Rules::kamailio(), 30_050), (Rules::rfc3261(), 32_050)]
    {
        for method in [Method::Message, Method::Invite] {
            let mut story = Story::new(rules, &[Habit::Dead, Habit::Answers(200)]).with(failover);
            story.tell(abroad(method.clone()), 33);
            // The request is at the proxy at 50 ms. A round trip of 100 ms after fr_timer (Timer
            // B or F) the proxy has the answer, which is 50 ms on its way to the caller.
            let answered = given_up + 100;
            story.proxied(&[
                &format!("50 {method} to 10.0.0.3"),
                &format!("{given_up} {method} Timeout 10.0.0.3"),
                &format!("{given_up} {method} to 10.0.0.4"),
                &format!("{answered} answered 200"),
            ]);
            let last = format!("{} 200 {method}", answered + 50);
            assert!(story.phone(CALLER).log.contains(&last), "{last}");
            // Each attempt is a transaction of its own.
            let sent = story.phone(CALLEE + 1).requests[0].clone();
            let own = &sent.headers.via[0];
            assert_eq!((own.host.to_string().as_str(), sent.headers.via.len()), ("10.0.0.2", 2));
        }
    }
}

#[test]
fn without_failover_a_dead_endpoint_is_408() {
    for method in [Method::Message, Method::Invite] {
        let mut story = Story::new(Rules::kamailio(), &[Habit::Dead, Habit::Answers(200)]);
        story.tell(abroad(method.clone()), 31);
        story.proxied(&[
            &format!("50 {method} to 10.0.0.3"),
            &format!("30050 {method} Timeout 10.0.0.3"),
            "30050 answered 408",
        ]);
        assert_eq!(*story.phone(CALLER).log.last().unwrap(), format!("30100 408 {method}"));
        story.heard(CALLEE + 1, &[]);
    }
}

#[test]
fn kamailio_tries_as_long_as_the_transaction_may_live() {
    // Other requests than INVITE live for 32 s: after 30 s with the first endpoint, 2 s are left.
    let mut story = Story::new(Rules::kamailio(), &[Habit::Dead; 3]).with(failover);
    story.tell(abroad(Method::Message), 40);
    story.proxied(&[
        "50 MESSAGE to 10.0.0.3",
        "30050 MESSAGE Timeout 10.0.0.3",
        "30050 MESSAGE to 10.0.0.4",
        "32050 MESSAGE Timeout 10.0.0.4",
        "32050 answered 408",
    ]);
    story.heard(CALLER, &["32100 408 MESSAGE"]);
    // An INVITE lives for 180 s: six endpoints.
    let mut story = Story::new(Rules::kamailio(), &[Habit::Dead; 8]).with(failover);
    story.tell(abroad(Method::Invite), 190);
    let log = story.server().log.clone();
    let tries: Vec<&String> = log.iter().filter(|line| line.contains("to")).collect();
    assert_eq!(tries.len(), 6);
    assert_eq!(tries[5], "150050 INVITE to 10.0.0.8");
    assert_eq!(log.last().unwrap(), "180050 answered 408");
}

#[test]
fn a_proxy_that_obeys_rfc_4320_answers_no_other_request_than_invite_with_408() {
    let mut story = Story::new(Rules::rfc3261(), &[Habit::Dead]);
    story.tell(abroad(Method::Message), 40);
    // 100 when Timer E is set to T2, 0.5 + 1 + 2 s after 50 ms. What the caller then repeats (each
    // 4 s after 7.5 s) is told so again, until the transaction of the proxy gives up at 32.05 s.
    let heard = story.phone(CALLER).log.clone();
    assert_eq!(heard[0], "3600 100 MESSAGE");
    assert!(heard.iter().all(|line| line.ends_with("100 MESSAGE")), "{heard:?}");
    story.proxied(&["50 MESSAGE to 10.0.0.3", "32050 MESSAGE Timeout 10.0.0.3", "32050 abandoned"]);
    // An INVITE is answered.
    let mut story = Story::new(Rules::rfc3261(), &[Habit::Dead]);
    story.tell(abroad(Method::Invite), 40);
    assert_eq!(story.phone(CALLER).log[1], "32100 408 INVITE");
    // A 408 from an element that knows no RFC 4320 ends here, too.
    let mut story = Story::new(Rules::rfc3261(), &[Habit::Answers(408)]);
    story.tell(abroad(Method::Message), 30);
    story.heard(CALLER, &[]);
    story.proxied(&["50 MESSAGE to 10.0.0.3", "150 abandoned"]);
}

#[test]
fn a_503_means_the_next_endpoint_and_goes_up_as_500() {
    let habits = [Habit::Answers(503), Habit::Answers(200)];
    let mut story = Story::new(Rules::ser(), &habits).with(failover);
    story.tell(abroad(Method::Message), 1);
    // Proxy 50 ms, 503 at 150 ms, 200 at 250 ms, caller 300 ms.
    story.heard(CALLER, &["300 200 MESSAGE"]);
    let mut story = Story::new(Rules::ser(), &habits);
    story.tell(abroad(Method::Message), 1);
    story.heard(CALLER, &["200 500 MESSAGE"]);
}

#[test]
fn an_endpoint_that_answered_is_not_passed_over() {
    let mut story = Story::new(Rules::ser(), &[Habit::Rings(900, 200), Habit::Answers(200)]);
    story = story.with(failover);
    story.tell(abroad(Method::Invite), 155);
    // fr_inv_timer: 120 s after the 180, which was at the proxy at 150 ms. The callee is told.
    story.proxied(&[
        "50 INVITE to 10.0.0.3",
        "120150 INVITE Timeout 10.0.0.3",
        "120150 answered 408",
    ]);
    assert_eq!(story.phone(CALLEE).log[1], "120200 CANCEL");
    story.heard(CALLEE + 1, &[]);
}

#[test]
fn timer_c_cancels_an_invite_that_rings_for_too_long() {
    let mut story = Story::new(Rules::rfc3261(), &[Habit::Rings(900, 200)]);
    story.tell(abroad(Method::Invite), 190);
    // 181 s after the 180 at 150 ms: 181.15; CANCEL at the callee 181.2; 487 at the proxy 181.25.
    story.heard(CALLEE, &["100 INVITE", "181200 CANCEL", "181300 ACK"]);
    story.proxied(&["50 INVITE to 10.0.0.3", "181250 answered 487"]);
}

#[test]
fn an_endpoint_that_the_network_reports_unreachable_is_503_to_the_rfc() {
    for (failover, log) in [
        (false, vec!["50 MESSAGE to 10.0.0.3", "50 MESSAGE Transport 10.0.0.3", "50 answered 500"]),
        (
            true,
            vec![
                "50 MESSAGE to 10.0.0.3",
                "50 MESSAGE Transport 10.0.0.3",
                "50 MESSAGE to 10.0.0.4",
                "150 answered 200",
            ],
        ),
    ] {
        let mut story = Story::new(Rules::rfc3261(), &[Habit::Dead, Habit::Answers(200)])
            .with(|settings| settings.failover = failover);
        story.send(abroad(Method::Message));
        story.lab.run_until(SimTime::ZERO + SimDuration::from_millis(50));
        // An ICMP error comes at once.
        story.lab.act(PROXY, |node, ctx| {
            let Node::Server(server) = node else { panic!("that is a phone") };
            for event in server.tx.unreachable(ctx, at(CALLEE)) {
                server.hand(ctx, event);
            }
        });
        story.run(2);
        story.proxied(&log);
    }
}

#[test]
fn a_name_that_does_not_resolve_is_what_the_host_says() {
    let mut story = Story::new(Rules::ser(), &[]);
    story.tell(Story::request(Method::Message, uri("bob", "nowhere.test")), 1);
    story.heard(CALLER, &["100 478 MESSAGE"]);
}
