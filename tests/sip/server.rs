//! A conventional server between a phone and the overlay's address: look-ups, dead addresses,
//! silent resolvers, and what a message looks like on its way.

use overcord::conventional::server::Observation;
use overcord::sip::agent::{Action, Outcome, SubscriptionChange, Upcall};
use overcord::sip::profile::Profile;
use overcord::sip::{self, Status};
use overcord::time::{SimDuration, SimTime};

use super::harness::{
    BOB, DEAD, Network, Note, PHONE, SERVER, Set, act, arrived, at, bob, linphone, message,
    outcomes, send_times, server, told,
};

fn status(code: u16) -> Outcome {
    Outcome::Status(Status::new(code).unwrap())
}

fn call() -> Action {
    Action::Call { to: bob(), talk: SimDuration::from_secs(20) }
}

/// One MESSAGE to Bob at the start; how it ended, and when.
fn one_message(lab: &mut Network) -> (SimTime, Outcome) {
    act(lab, PHONE, message(bob()));
    lab.run_until(SimTime::from_secs(120));
    let [(time, _, outcome)] = outcomes(lab, PHONE)[..] else { panic!("one request") };
    (time, outcome)
}

#[test]
fn a_hundred_requests_within_the_ttl_cost_2_look_ups_with_ser_s_cache_and_200_without() {
    for (profile, look_ups) in
        [(Profile::Ser, 2), (Profile::Kamailio, 2), (Profile::Ser09, 200), (Profile::Rfc3261, 200)]
    {
        let mut lab = Set::of(profile, &[BOB]).build();
        for number in 0..100 {
            lab.run_until(at(0.5 * f64::from(number)));
            act(&mut lab, PHONE, message(bob()));
        }
        lab.run_until(SimTime::from_secs(59));
        let ends = outcomes(&lab, PHONE);
        assert_eq!(ends.len(), 100);
        assert!(ends.iter().all(|(_, _, outcome)| *outcome == status(200)), "{ends:?}");
        assert_eq!(server(&lab).asked(), look_ups, "{profile:?}");
        assert_eq!(arrived(&lab, BOB, "MESSAGE").len(), 100, "nothing was repeated");
    }
}

/// 10 ms to the server, 40 ms each for SRV and A through resolver and authority; then the server
/// sends, and what it says is there 10 ms later.
const BEFORE: u64 = 10 + 40 + 40;
const AFTER: u64 = 10;

fn ms(milliseconds: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(milliseconds)
}

#[test]
fn with_failover_the_second_address_answers_after_fr_timer_and_a_round_trip() {
    for (failover, end, outcome) in [
        (true, ms(BEFORE + 30_000 + 20 + AFTER), status(200)),
        (false, ms(BEFORE + 30_000 + AFTER), status(408)),
    ] {
        for profile in [Profile::Ser, Profile::Kamailio, Profile::Ser09] {
            let mut lab = Set { failover, ..Set::of(profile, &[DEAD, BOB]) }.build();
            assert_eq!(one_message(&mut lab), (end, outcome), "{profile:?} {failover}");
            assert_eq!(arrived(&lab, BOB, "MESSAGE").len(), usize::from(failover));
        }
    }
}

#[test]
fn failover_of_a_call_rings_at_the_second_address() {
    let mut lab = Set { failover: true, ..Set::of(Profile::Ser, &[DEAD, BOB]) }.build();
    act(&mut lab, PHONE, call());
    lab.run_until(SimTime::from_secs(120));
    let ends = outcomes(&lab, PHONE);
    // Bob's phone rings for 2 s; they talk for 20 s, and the BYE takes two hops and back.
    let answered = ms(BEFORE + 30_000 + 2_000 + 20 + AFTER);
    let over = answered + SimDuration::from_millis(20_000 + 40);
    let expected =
        [(answered, "INVITE".to_owned(), status(200)), (over, "BYE".to_owned(), status(200))];
    assert_eq!(ends, expected);
}

#[test]
fn by_the_rfc_the_phone_has_given_up_before_the_server_fails_over() {
    // Timer F is 32 s in both, and runs in the phone 90 ms longer than in the server.
    let mut lab = Set { failover: true, ..Set::of(Profile::Rfc3261, &[DEAD, BOB]) }.build();
    assert_eq!(one_message(&mut lab), (SimTime::from_secs(32), Outcome::Timeout));
    assert_eq!(arrived(&lab, BOB, "MESSAGE").len(), 1, "too late for anybody to hear");
}

#[test]
fn ser_does_not_see_that_a_port_is_closed_and_an_rfc_server_does() {
    for profile in [Profile::Ser, Profile::Ser09, Profile::Kamailio] {
        let ends: Vec<_> = [false, true]
            .map(|closed| Set { closed, ..Set::of(profile, &[DEAD]) }.build())
            .iter_mut()
            .map(|lab| (one_message(lab), send_times(lab, DEAD, "MESSAGE")))
            .collect();
        assert_eq!(ends[0], ends[1], "{profile:?}");
    }
    // The error takes 20 ms to come back; alone it is 500 (RFC 3261 §16.7 step 6), otherwise the
    // next address is tried.
    let end = BEFORE + 20 + AFTER;
    for (failover, end, outcome) in
        [(false, ms(end), status(500)), (true, ms(end + 20), status(200))]
    {
        let set = Set::of(Profile::Rfc3261, &[DEAD, BOB]);
        let mut lab = Set { closed: true, failover, ..set }.build();
        assert_eq!(one_message(&mut lab), (end, outcome), "{failover}");
    }
}

#[test]
fn an_unanswered_request_is_repeated_and_given_up_as_each_implementation_does() {
    let every_4_s = |from: u64, to: u64| (from..=to).step_by(4_000);
    // At 500 ms, doubling to 4 s: ten sends in 30 s.
    let tm: Vec<u64> = [0, 500, 1_500].into_iter().chain(every_4_s(3_500, 27_500)).collect();
    // At 1 s, doubling to 4 s: nine sends in 30 s.
    let slow: Vec<u64> = [0, 1_000].into_iter().chain(every_4_s(3_000, 27_000)).collect();
    // Timer E: eleven sends in 32 s. Timer A, which has no bound: seven.
    let timer_e: Vec<u64> = [0, 500, 1_500].into_iter().chain(every_4_s(3_500, 31_500)).collect();
    let timer_a = vec![0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
    let ser_end = (ms(BEFORE + 30_000 + AFTER), status(408));
    // RFC 4320: no 408 to a MESSAGE, so that the phone's own Timer F decides. Its INVITE is in
    // Proceeding since the 100: the server's Timer B decides.
    let timer_f = (SimTime::from_secs(32), Outcome::Timeout);
    let timer_b = (ms(BEFORE + 32_000 + AFTER), status(408));
    for (profile, messages, invites, message_end, call_end) in [
        (Profile::Ser, &tm, &tm, ser_end, ser_end),
        (Profile::Kamailio, &tm, &tm, ser_end, ser_end),
        (Profile::Ser09, &slow, &slow, ser_end, ser_end),
        (Profile::Rfc3261, &timer_e, &timer_a, timer_f, timer_b),
    ] {
        for (action, kind, expected, end) in [
            (message(bob()), "MESSAGE", messages, message_end),
            (call(), "INVITE", invites, call_end),
        ] {
            let mut lab = Set::of(profile, &[DEAD]).build();
            act(&mut lab, PHONE, action);
            lab.run_until(SimTime::from_secs(120));
            assert_eq!(send_times(&lab, DEAD, kind), **expected, "{profile:?} {kind}");
            let [(time, _, outcome)] = outcomes(&lab, PHONE)[..] else { panic!("one request") };
            assert_eq!((time, outcome), end, "{profile:?} {kind}");
        }
    }
}

#[test]
fn a_silent_resolver_makes_478_of_a_request_after_20_s_and_stops_the_whole_server() {
    // A stub with one server gives up a question after 5 + 5 s: SRV, then A. (requests to the
    // overlay, when a REGISTER of 1 s is answered): with a process left, at once; with none, when
    // the first of them comes back. The network takes 10 ms each way.
    for (requests, registered) in [(7, ms(1_020)), (8, ms(20_020)), (9, ms(20_020))] {
        let set = Set::of(Profile::Ser, &[BOB]);
        let mut lab = Set { silent_resolver: true, ..set }.build();
        for _ in 0..requests {
            act(&mut lab, PHONE, message(bob()));
        }
        lab.run_until(SimTime::from_secs(1));
        act(&mut lab, PHONE, Action::Register);
        lab.run_until(SimTime::from_secs(60));
        for (time, method, outcome) in outcomes(&lab, PHONE) {
            let expected = match &method[..] {
                "REGISTER" => (registered, status(200)),
                _ => (ms(20_020), status(478)),
            };
            assert_eq!((time, outcome), expected, "{requests} {method}");
        }
    }
}

#[test]
fn the_ninth_request_asks_again_when_nothing_is_kept() {
    // SER 0.9 keeps no answers: who waited for a process goes through the same 20 s.
    let set = Set::of(Profile::Ser09, &[BOB]);
    let mut lab = Set { silent_resolver: true, ..set }.build();
    for _ in 0..9 {
        act(&mut lab, PHONE, message(bob()));
    }
    lab.run_until(SimTime::from_secs(120));
    let ends = outcomes(&lab, PHONE);
    let unresolved = |end: SimTime| {
        ends.iter().filter(|(time, _, outcome)| (*time, *outcome) == (end, status(478))).count()
    };
    // The phone's own Timer F is over after 32 s.
    let timed_out = (SimTime::from_secs(32), "MESSAGE".to_owned(), Outcome::Timeout);
    assert_eq!((unresolved(ms(20_020)), ends.contains(&timed_out)), (8, true), "{ends:?}");
}

/// Of the messages of a kind that arrived at a host, the first.
fn first(lab: &Network, index: usize, kind: &str) -> sip::Message {
    arrived(lab, index, kind).first().unwrap_or_else(|| panic!("a {kind} at {index}")).1.clone()
}

/// The header fields of these names, as they are written.
fn lines(message: &sip::Message, names: &[&str]) -> Vec<String> {
    let text = String::from_utf8(sip::encode(message)).unwrap();
    let is_wanted =
        |line: &&str| line.split_once(':').is_some_and(|(name, _)| names.contains(&name));
    text.lines().take_while(|line| !line.is_empty()).filter(is_wanted).map(str::to_owned).collect()
}

/// A `Via` without its branch.
fn without_branch(line: &str) -> String {
    let parts = line.split(';').filter(|part| !part.starts_with("branch="));
    parts.collect::<Vec<_>>().join(";")
}

/// The branch in a `Via`.
fn branch_of(line: &str) -> &str {
    let branch = line.split("branch=").nth(1).expect("every Via has a branch");
    branch.split(';').next().expect("a split has a first part")
}

#[test]
fn a_message_is_passed_on_as_rfc_3261_says() {
    let mut lab = Set::of(Profile::Ser, &[BOB]).build();
    assert_eq!(one_message(&mut lab).1, status(200));
    let names = ["Via", "Max-Forwards", "Route", "Record-Route"];
    let at_server = lines(&first(&lab, SERVER, "MESSAGE"), &names);
    let vias: Vec<String> = at_server.iter().map(|line| without_branch(line)).collect();
    assert_eq!(
        vias,
        ["Via: SIP/2.0/UDP 10.0.0.4;rport", "Max-Forwards: 70", "Route: <sip:10.0.0.3;lr>"]
    );
    // RFC 3581: `received` goes with `rport`, though it says the same as sent-by. MESSAGE makes no
    // dialog: no Record-Route.
    let at_bob = lines(&first(&lab, BOB, "MESSAGE"), &names);
    let vias: Vec<String> = at_bob.iter().map(|line| without_branch(line)).collect();
    assert_eq!(
        vias,
        [
            "Via: SIP/2.0/UDP 10.0.0.3;rport",
            "Via: SIP/2.0/UDP 10.0.0.4;received=10.0.0.4;rport=5060",
            "Max-Forwards: 69",
        ]
    );
    // On the way back each takes off its own.
    let answers = [SERVER, PHONE].map(|index| lines(&first(&lab, index, "200 MESSAGE"), &["Via"]));
    assert_eq!((answers[0].len(), answers[1].len()), (2, 1));
    assert_eq!(answers[0][1], answers[1][0]);
    let sent = format!("branch={}", branch_of(&at_server[0]));
    assert!(answers[1][0].contains(&sent), "{answers:?}");
}

#[test]
fn a_call_stays_on_the_server_s_route_and_both_ends_agree_on_it() {
    let mut lab = Set::of(Profile::Ser, &[BOB]).build();
    act(&mut lab, PHONE, call());
    lab.run_until(SimTime::from_secs(60));
    assert!(outcomes(&lab, PHONE).iter().all(|(_, _, outcome)| *outcome == status(200)));
    let invite = first(&lab, BOB, "INVITE");
    assert_eq!(lines(&invite, &["Record-Route"]), ["Record-Route: <sip:10.0.0.3;lr>"]);
    let answer = first(&lab, PHONE, "200 INVITE");
    assert_eq!(lines(&answer, &["Record-Route"]), ["Record-Route: <sip:10.0.0.3;lr>"]);
    // 100 is the server's own, 180 is Bob's.
    assert_eq!(arrived(&lab, PHONE, "100 INVITE").len(), 1);
    assert_eq!(arrived(&lab, PHONE, "180 INVITE").len(), 1);
    for kind in ["ACK", "BYE"] {
        let sent = first(&lab, SERVER, kind);
        assert_eq!(lines(&sent, &["Route"]), ["Route: <sip:10.0.0.3;lr>"], "{kind}");
        let passed_on = first(&lab, BOB, kind);
        let kept = lines(&passed_on, &["Route", "Record-Route", "Max-Forwards"]);
        assert_eq!(kept, ["Max-Forwards: 69"], "{kind}");
        let sip::Message::Request(request) = passed_on else { panic!("a request") };
        assert_eq!(request.uri.to_string(), "sip:bob@10.0.0.5", "the remote target");
    }
    // The INVITE and nothing after it goes by the overlay's name.
    let routed = |note: &Note| matches!(note, Note::Server(Observation::Routed { .. }));
    let notes = lab.notebook.0.iter().filter(|(_, _, note)| routed(note));
    assert_eq!(notes.count(), 1);
}

#[test]
fn presence_of_the_domain_s_users_is_the_server_s_affair() {
    let mut lab = Set::of(Profile::Ser, &[BOB]).build();
    act(&mut lab, PHONE, Action::Register);
    act(&mut lab, PHONE, Action::Publish { open: true });
    lab.run_until(SimTime::from_secs(1));
    // Bob's phone has this server as its outbound proxy, and so says the same as a node would.
    act(&mut lab, BOB, Action::Subscribe { to: linphone(), keep: None });
    lab.run_until(SimTime::from_secs(10));
    act(&mut lab, PHONE, Action::Publish { open: false });
    lab.run_until(SimTime::from_secs(20));
    let ends: Vec<(String, Outcome)> =
        outcomes(&lab, PHONE).into_iter().map(|(_, method, end)| (method, end)).collect();
    let expected = ["REGISTER", "PUBLISH", "PUBLISH"].map(|it| (it.to_owned(), status(200)));
    assert_eq!(ends, expected);
    assert_eq!(arrived(&lab, PHONE, "PUBLISH").len(), 0, "it is not for the phone");
    assert_eq!(arrived(&lab, PHONE, "SUBSCRIBE").len(), 0);
    let seen: Vec<Option<bool>> = told(&lab, BOB)
        .into_iter()
        .filter_map(|(_, upcall)| match upcall {
            Upcall::Notified { open, .. } => Some(open),
            _ => None,
        })
        .collect();
    assert_eq!(seen, [Some(true), Some(false)]);
    let is_active = |(_, upcall): &(SimTime, Upcall)| {
        let active =
            |state: &SubscriptionChange| matches!(state, SubscriptionChange::Active { .. });
        matches!(upcall, Upcall::SubscriptionChanged { state, .. } if active(state))
    };
    assert!(told(&lab, BOB).iter().any(is_active));
}

#[test]
fn a_registered_user_is_reached_through_the_server_and_another_is_not_found() {
    let mut lab = Set::of(Profile::Ser, &[BOB]).build();
    act(&mut lab, BOB, message(linphone()));
    lab.run_until(SimTime::from_secs(1));
    act(&mut lab, PHONE, Action::Register);
    lab.run_until(SimTime::from_secs(2));
    act(&mut lab, BOB, message(linphone()));
    lab.run_until(SimTime::from_secs(3));
    let ends: Vec<Outcome> = outcomes(&lab, BOB).into_iter().map(|(_, _, end)| end).collect();
    assert_eq!(ends, [status(404), status(200)]);
}
