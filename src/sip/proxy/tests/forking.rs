//! Several bindings, and which response goes up.

use super::*;

fn invite() -> Request {
    Story::request(Method::Invite, uri("bob", "a.test"))
}

fn message() -> Request {
    Story::request(Method::Message, uri("bob", "a.test"))
}

#[test]
fn the_first_200_goes_up_and_the_other_branch_is_cancelled() {
    let mut story = Story::new(Rules::ser(), &[Habit::Rings(9, 200), Habit::Rings(2, 200)]);
    story.tell(invite(), 10);
    // SER says 100 at once: 50 ms there, 50 ms back. The INVITE is at the callees at 100 ms, their
    // 180 is back at 200. One answers at 2.1 s; that is at the proxy at 2.15 s, which cancels the
    // other.
    story.heard(
        CALLER,
        &[
            "100 100 INVITE",
            "200 180 INVITE",
            "200 180 INVITE",
            "2200 200 INVITE",
            // Nobody acknowledges the 200, so it comes again after 0.5, 1, 2 s: passed on, too.
            "2700 200 INVITE",
            "3700 200 INVITE",
            "5700 200 INVITE",
            // 4 s later the transaction of the proxy is over: a stray response, which goes up, too.
            "9700 200 INVITE",
        ],
    );
    story.heard(CALLEE, &["100 INVITE", "2200 CANCEL", "2300 ACK"]);
    story.heard(CALLEE + 1, &["100 INVITE"]);
    story.proxied(&["50 INVITE to 10.0.0.3", "50 INVITE to 10.0.0.4", "2150 answered 200"]);
}

#[test]
fn the_best_of_the_failures_goes_up_when_all_are_in() {
    for (habits, status) in [
        ([Habit::Answers(404), Habit::Answers(486)], 404),
        ([Habit::Answers(486), Habit::Answers(302)], 302),
        ([Habit::Answers(500), Habit::Answers(401)], 401),
        ([Habit::Answers(404), Habit::Answers(603)], 603),
        // 503 goes up as 500.
        ([Habit::Answers(503), Habit::Answers(503)], 500),
        ([Habit::Answers(503), Habit::Answers(404)], 404),
        // One who is there knows better than the proxy, who only knows of silence.
        ([Habit::Dead, Habit::Answers(486)], 486),
        ([Habit::Dead, Habit::Dead], 408),
        ([Habit::Dead, Habit::Answers(200)], 200),
    ] {
        let mut story = Story::new(Rules::ser(), &habits);
        let dead = habits.iter().any(|habit| matches!(habit, Habit::Dead));
        let late = dead && status != 200;
        story.tell(message(), 31);
        // All answers are back at 200 ms; a dead one is given up 30 s after 50 ms.
        let when = if late { 30_100 } else { 200 };
        story.heard(CALLER, &[&format!("{when} {status} MESSAGE")]);
    }
}

#[test]
fn a_6xx_ends_the_other_branches_and_goes_up_when_they_have_ended() {
    let mut story = Story::new(Rules::ser(), &[Habit::Rings(60, 200), Habit::Rings(1, 603)]);
    story.tell(invite(), 5);
    // 603 sent at 1.1 s is at the proxy at 1.15, its CANCEL at the other at 1.2, the 487 at the
    // proxy at 1.25.
    story.heard(CALLEE, &["100 INVITE", "1200 CANCEL", "1300 ACK"]);
    let caller = story.phone(CALLER).log.clone();
    assert_eq!(caller[3], "1300 603 INVITE");
    story.proxied(&["50 INVITE to 10.0.0.3", "50 INVITE to 10.0.0.4", "1250 answered 603"]);
}

#[test]
fn a_caller_who_gives_up_ends_all_branches() {
    let mut story = Story::new(Rules::ser(), &[Habit::Rings(60, 200), Habit::Rings(60, 200)]);
    let client = story.send(invite());
    story.run(3);
    story.lab.act(CALLER, |node, ctx| match node {
        Node::Phone(phone) => assert!(phone.tx.cancel(ctx, client)),
        Node::Server(_) => panic!("that is the proxy"),
    });
    story.run(10);
    assert_eq!(story.server().proxy.under_way(), 0);
    // CANCEL: caller 3.0, proxy 3.05, callees 3.1; 487: proxy 3.15, caller 3.2.
    story.heard(CALLEE, &["100 INVITE", "3100 CANCEL", "3200 ACK"]);
    story.heard(CALLEE + 1, &["100 INVITE", "3100 CANCEL", "3200 ACK"]);
    let caller = story.phone(CALLER).log.clone();
    assert_eq!(caller[3..], ["3100 200 CANCEL", "3200 487 INVITE"]);
}

#[test]
fn a_caller_who_gives_up_before_the_targets_are_known_gets_487() {
    let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]);
    // Nothing answers for this user.
    let client = story.send(Story::request(Method::Invite, uri("carol", "a.test")));
    story.run(3);
    assert_eq!(story.server().proxy.under_way(), 1);
    story.lab.act(CALLER, |node, ctx| match node {
        Node::Phone(phone) => assert!(phone.tx.cancel(ctx, client)),
        Node::Server(_) => panic!("that is the proxy"),
    });
    story.run(4);
    assert_eq!(story.server().proxy.under_way(), 0);
    story.heard(CALLER, &["100 100 INVITE", "3100 200 CANCEL", "3100 487 INVITE"]);
    story.heard(CALLEE, &[]);
}

#[test]
fn a_target_that_is_given_twice_is_asked_once() {
    let mut story = Story::new(Rules::ser(), &[Habit::Answers(200)]);
    story.server().users.insert("bob", Ok(vec![contact(CALLEE), contact(CALLEE)]));
    story.tell(message(), 1);
    story.heard(CALLEE, &["100 MESSAGE"]);
}

#[test]
fn what_the_location_service_says_goes_up() {
    for (found, status) in [(Ok(Vec::new()), 480), (Err(404), 404), (Err(500), 500)] {
        let mut story = Story::new(Rules::rfc3261(), &[]);
        story.server().users.insert("bob", found);
        story.tell(message(), 1);
        story.heard(CALLER, &[&format!("100 {status} MESSAGE")]);
        story.proxied(&[&format!("50 answered {status}")]);
    }
}

/// Every request ends, and once, whatever gets lost.
#[test]
fn on_a_network_that_loses_every_request_ends_once() {
    let habits = [Habit::Rings(3, 486), Habit::Rings(5, 200), Habit::Dead];
    for rules in [Rules::ser(), Rules::kamailio(), Rules::rfc3261()] {
        let mut story = Story::lossy(rules, &habits, 0.3).with(|settings| settings.failover = true);
        let hosts = ["a.test", "b.test"];
        for number in 0..60 {
            let method = if number % 3 == 0 { Method::Invite } else { Method::Message };
            let mut request = Story::request(method, uri("bob", hosts[number % 2]));
            request.headers.call_id = format!("call {number}").into();
            story.send(request);
            story.run(number as u64 * 20);
        }
        story.run(3_000);
        let proxy = &story.server().proxy;
        assert_eq!((proxy.under_way(), proxy.agenda.earliest()), (0, None));
        assert!(proxy.servers.is_empty() && proxy.branches.is_empty());
        let log = &story.server().log;
        let ends =
            log.iter().filter(|line| line.contains("answered") || line.contains("abandoned"));
        let ends = ends.count();
        // The caller is patient: each request got through. One that comes again after its
        // transaction at the proxy was over is a new one.
        assert_eq!(ends, story.server().accepted);
        assert!(ends >= 60, "{ends}");
    }
}
