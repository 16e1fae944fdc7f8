//! The schedule of the GNU C library, and what ends a question.

use super::*;
use crate::address::Port;
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::Recorder;

type Ctx = Recorder<Message, Timer, ()>;

fn server(number: u32) -> Endpoint {
    Address::from_bits(number).at(Port::DNS)
}

fn stub(servers: u32) -> Stub {
    let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("alice"));
    Stub::new((1..=servers).map(server).collect(), dice)
}

fn chord() -> DomainName {
    "chord.dyndns.test".parse().unwrap()
}

/// Fires timers until a question ends; returns when that was, in seconds.
fn run(ctx: &mut Ctx, stub: &mut Stub) -> (QuestionId, Outcome, u64) {
    loop {
        let timer = ctx.next_timer().expect("a question under way has a timer");
        if let Some((number, outcome)) = stub.timer(ctx, timer) {
            return (number, outcome, ctx.now().since(SimTime::ZERO).as_secs());
        }
    }
}

#[test]
fn silence_ends_after_10_20_and_28_seconds() {
    for (servers, order, end) in [
        (1, vec![(0, 1), (5, 1)], 10),
        (2, vec![(0, 1), (5, 2), (10, 1), (15, 2)], 20),
        // 5, 10 / 3 = 3, 20 / 3 = 6, and again.
        (3, vec![(0, 1), (5, 2), (8, 3), (14, 1), (19, 2), (22, 3)], 28),
        // A fourth server is never asked.
        (4, vec![(0, 1), (5, 2), (8, 3), (14, 1), (19, 2), (22, 3)], 28),
    ] {
        let (mut ctx, mut stub) = (Ctx::new(), stub(servers));
        let number = stub.resolve(&mut ctx, chord(), RecordType::A);
        let mut sent = Vec::new();
        let ended = loop {
            let now = ctx.now().since(SimTime::ZERO).as_secs();
            sent.extend(ctx.take_sent().into_iter().map(|(to, query)| (now, to, query.id)));
            let timer = ctx.next_timer().unwrap();
            if let Some(ended) = stub.timer(&mut ctx, timer) {
                break ended;
            }
        };
        assert_eq!(ended, (number, Outcome::Timeout));
        assert_eq!(ctx.now(), SimTime::from_secs(end), "{servers} servers");
        let asked: Vec<_> = sent.iter().map(|&(at, to, _)| (at, to.address.bits())).collect();
        assert_eq!(asked, order);
        assert!(sent.iter().all(|&(_, _, id)| id == sent[0].2), "a repetition keeps the ID");
        assert_eq!((stub.under_way(), ctx.next_timer()), (0, None));
    }
}

#[test]
fn each_kind_of_answer_is_told() {
    let ttl = Ttl::from_secs(17);
    let address = Address::from_bits(99);
    let srv = Srv { priority: 1, weight: 2, port: Port::SIP, target: chord() };
    let service: DomainName = chord().prefixed("_sip._udp").unwrap();
    let positive = |answer| Reply { answer, ttl, soa: None };
    let negative = |kind| Reply { answer: Answer::Negative(kind), ttl: Ttl::ZERO, soa: None };
    let records = Answer::Records(Arc::new([RecordData::Srv(srv.clone())]));
    let rule = Arc::new(Naptr::sip_over_udp(1, 2, service.clone()));
    let rules = Answer::Records(Arc::new([RecordData::Naptr(rule.clone())]));
    let pair = [address, Address::from_bits(98)];
    for (name, rtype, reply, expected) in [
        (
            chord(),
            RecordType::A,
            positive(Answer::of_addresses(&[address])),
            Outcome::Addresses { addresses: vec![address], ttl },
        ),
        (
            chord(),
            RecordType::A,
            positive(Answer::of_addresses(&pair)),
            Outcome::Addresses { addresses: pair.to_vec(), ttl },
        ),
        (chord(), RecordType::NAPTR, positive(rules), Outcome::Rules { rules: vec![rule], ttl }),
        (
            service,
            RecordType::SRV,
            positive(records),
            Outcome::Services { services: vec![srv], ttl },
        ),
        (chord(), RecordType::A, negative(Negative::NxDomain), Outcome::NxDomain(Ttl::ZERO)),
        (chord(), RecordType::SRV, negative(Negative::NoData), Outcome::NoData(Ttl::ZERO)),
    ] {
        let (mut ctx, mut stub) = (Ctx::new(), stub(1));
        let number = stub.resolve(&mut ctx, name, rtype);
        let (to, query) = ctx.take_sent().remove(0);
        assert!(query.recursion_desired && query.edns.is_none());
        let response = reply.response_to(&query);
        assert_eq!(expected.answer(), reply.answer);
        assert_eq!(stub.receive(&mut ctx, to, &response), Some((number, expected)));
        assert_eq!(stub.receive(&mut ctx, to, &response), None, "a duplicate is dropped");
        assert_eq!(ctx.next_timer(), None);
    }
}

#[test]
fn what_is_no_answer_to_the_question_is_dropped() {
    let (mut ctx, mut stub) = (Ctx::new(), stub(2));
    let number = stub.resolve(&mut ctx, chord(), RecordType::A);
    let (to, query) = ctx.take_sent().remove(0);
    let reply =
        Reply { answer: Answer::of_addresses(&[Address::from_bits(9)]), ttl: Ttl::ZERO, soa: None };
    let good = reply.response_to(&query);
    let mut other_id = good.clone();
    other_id.id ^= 1;
    let mut other_question = good.clone();
    other_question.question.rtype = RecordType::SRV;
    for (from, message) in
        [(to, &query), (to, &other_id), (to, &other_question), (server(2), &good)]
    {
        assert_eq!(stub.receive(&mut ctx, from, message), None);
    }
    // After 5 s the other server is asked, and the first is no longer listened to.
    let timer = ctx.next_timer().unwrap();
    assert_eq!(stub.timer(&mut ctx, timer), None);
    assert_eq!(stub.receive(&mut ctx, to, &good), None);
    let (ended, _) = stub.receive(&mut ctx, server(2), &good).unwrap();
    assert_eq!(ended, number);
}

#[test]
fn a_server_that_fails_is_passed_over_at_once() {
    let (mut ctx, mut stub) = (Ctx::new(), stub(2));
    let number = stub.resolve(&mut ctx, chord(), RecordType::A);
    // Two servers, two attempts: three failures go on, the fourth ends it, at time zero.
    for (index, rcode) in
        [Rcode::SERV_FAIL, Rcode::REFUSED, Rcode::NOT_IMP, Rcode::SERV_FAIL].into_iter().enumerate()
    {
        let (to, query) = ctx.take_sent().remove(0);
        assert_eq!(to, server(1 + index as u32 % 2));
        let ended = stub.receive(&mut ctx, to, &Message::response_to(&query, rcode));
        assert_eq!(ended, (index == 3).then_some((number, Outcome::ServFail)));
    }
    assert_eq!(ctx.now(), SimTime::ZERO);

    // One failure, then silence, is a failure too: 5 + 5 + 5 s after the first server's failure.
    stub.resolve(&mut ctx, chord(), RecordType::A);
    let (to, query) = ctx.take_sent().remove(0);
    stub.receive(&mut ctx, to, &Message::response_to(&query, Rcode::SERV_FAIL));
    let (_, outcome, end) = run(&mut ctx, &mut stub);
    assert_eq!((outcome, end), (Outcome::ServFail, 15));
}

#[test]
fn questions_under_way_do_not_disturb_each_other() {
    let (mut ctx, mut stub) = (Ctx::new(), stub(1));
    let first = stub.resolve(&mut ctx, chord(), RecordType::A);
    ctx.advance(SimDuration::from_secs(1));
    let twins: Vec<_> = (0..20).map(|_| stub.resolve(&mut ctx, chord(), RecordType::A)).collect();
    assert_eq!(stub.under_way(), 21);
    let (_, outcome, end) = run(&mut ctx, &mut stub);
    assert_eq!((outcome, end), (Outcome::Timeout, 10));
    // The others end together one second later, in the order in which they were asked.
    for twin in twins {
        let ended = run(&mut ctx, &mut stub);
        assert_eq!(ended, (twin, Outcome::Timeout, 11));
        assert_ne!(twin, first);
    }
    assert_eq!(ctx.next_timer(), None);
}
