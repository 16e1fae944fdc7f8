//! What a resolver says to clients and authorities. Schedules and TTLs over time are told as
//! scripts in `tests/dns/`.

use super::*;
use crate::address::{Address, Port};
use crate::dns::answer::Negative;
use crate::dns::authority::{self, Authority};
use crate::dns::binding::{Binding, Form};
use crate::dns::checker::TtlChecker;
use crate::dns::message::{RecordType, Ttl};
use crate::dns::profile::Prefetch;
use crate::dns::zone::Zone;
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::Recorder;

type Ctx = Recorder<Message, Timer, Observation>;

const AUTHORITY: Endpoint = Address::from_bits(53).at(Port::DNS);
const CLIENT: Endpoint = Address::from_bits(7).at(Port::EPHEMERAL);

fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of(name))
}

fn resolver_with(change: impl FnOnce(&mut Config), profile: Profile) -> Resolver {
    let zone = "dyndns.test".parse().unwrap();
    let mut config = Config::new(profile, vec![Delegation::to_one(zone, AUTHORITY)]);
    change(&mut config);
    Resolver::new(Arc::new(config), dice("isp"))
}

fn resolver(profile: Profile) -> Resolver {
    resolver_with(|_| {}, profile)
}

fn question(text: &str) -> Question {
    Question::addresses(text.parse().unwrap())
}

fn found(address: u32, ttl: u32) -> Reply {
    let answer = Answer::of_addresses(&[Address::from_bits(address)]);
    Reply { answer, ttl: Ttl::from_secs(ttl), soa: None }
}

/// The authoritative response to the query.
fn authoritative(reply: &Reply, query: &Message) -> Message {
    let mut response = reply.response_to(query);
    response.authoritative = true;
    response
}

#[test]
fn clients_that_ask_together_share_one_query_and_repetitions_count_once() {
    let (mut ctx, mut resolver) = (Ctx::new(), resolver(Profile::Rfc));
    let question = question("chord.dyndns.test");
    let other = Address::from_bits(8).at(Port::EPHEMERAL);
    for (from, id) in [(CLIENT, 1), (CLIENT, 2), (other, 1), (CLIENT, 1)] {
        resolver.receive(&mut ctx, from, Message::query(id, question.clone()));
    }
    assert_eq!(resolver.would_answer(ctx.now(), &question), None);
    let [(to, query)] = &ctx.take_sent()[..] else { panic!("one query") };
    assert!(*to == AUTHORITY && !query.recursion_desired && query.edns.is_some());
    assert!(ctx.take_observed().is_empty());

    ctx.advance(SimDuration::from_millis(30));
    let reply = found(9, 60);
    resolver.receive(&mut ctx, AUTHORITY, authoritative(&reply, query));
    let told: Vec<_> = ctx.take_sent().into_iter().map(|(to, told)| (to, told.id)).collect();
    assert_eq!(told, [(CLIENT, 1), (CLIENT, 2), (other, 1)]);
    // Life starts when the answer is received.
    let expires = SimTime::ZERO + SimDuration::from_millis(60_030);
    let answer = reply.answer;
    let stored =
        Observation::Stored { question: question.clone(), answer: answer.clone(), expires };
    let answered = Observation::Answered { question: question.clone(), answer: answer.clone() };
    assert_eq!(ctx.take_observed(), [stored, answered.clone(), answered.clone(), answered.clone()]);
    assert_eq!(ctx.due(Timer), None);

    resolver.receive(&mut ctx, CLIENT, Message::query(3, question.clone()));
    let [(_, told)] = &ctx.take_sent()[..] else { panic!("one response") };
    assert!(told.recursion_available && !told.authoritative && told.edns.is_none());
    assert_eq!(ctx.take_observed(), [answered]);
    assert_eq!(resolver.would_answer(ctx.now(), &question), Some(answer.clone()));
    assert_eq!(resolver.would_answer(expires, &question), None);
}

#[test]
fn what_a_client_may_not_ask_is_refused() {
    let (mut ctx, mut resolver) = (Ctx::new(), resolver(Profile::Bind));
    let outside = Message::query(1, question("example.org"));
    let without_recursion = Message::upstream_query(2, question("chord.dyndns.test"));
    for query in [outside, without_recursion] {
        resolver.receive(&mut ctx, CLIENT, query.clone());
        assert_eq!(ctx.take_sent(), [(CLIENT, Message::response_to(&query, Rcode::REFUSED))]);
    }
}

#[test]
fn only_the_authority_s_answer_to_the_last_query_counts() {
    let (mut ctx, mut resolver) = (Ctx::new(), resolver(Profile::Unbound));
    let question = question("chord.dyndns.test");
    resolver.receive(&mut ctx, CLIENT, Message::query(1, question));
    let (_, first) = ctx.take_sent().remove(0);
    let timer = ctx.next_timer().unwrap();
    assert_eq!(ctx.now(), SimTime::ZERO + SimDuration::from_millis(376));
    resolver.timer(&mut ctx, timer);
    let (_, second) = ctx.take_sent().remove(0);
    let mut unasked = authoritative(&found(9, 60), &second);
    unasked.question.rtype = RecordType::SRV;
    for (from, response) in [
        (AUTHORITY, authoritative(&found(9, 60), &first)),
        (CLIENT, authoritative(&found(9, 60), &second)),
        (AUTHORITY, unasked),
    ] {
        resolver.receive(&mut ctx, from, response);
        assert!(ctx.sent.is_empty() && ctx.observed.is_empty());
    }
    resolver.receive(&mut ctx, AUTHORITY, authoritative(&found(9, 60), &second));
    assert_eq!(ctx.take_sent().len(), 1);
}

#[test]
fn lame_and_failing_authorities_give_a_failure_that_is_kept_for_a_moment() {
    let soa_less = Reply { answer: Answer::Negative(Negative::NoData), ..Reply::FAILURE };
    for (lame, reply, life) in [
        (true, found(9, 60), Some(5)),
        (false, Reply::FAILURE, Some(5)),
        // RFC 2308 §5: not kept without SOA.
        (false, soa_less, None),
    ] {
        let (mut ctx, mut resolver) = (Ctx::new(), resolver(Profile::Rfc));
        let question = question("chord.dyndns.test");
        resolver.receive(&mut ctx, CLIENT, Message::query(1, question.clone()));
        let (_, query) = ctx.take_sent().remove(0);
        let mut response = authoritative(&reply, &query);
        response.authoritative = !lame;
        resolver.receive(&mut ctx, AUTHORITY, response);
        let told = Reply::of(&ctx.take_sent()[0].1).answer;
        assert_eq!(told, if lame { Answer::Failure } else { reply.answer });
        let kept = |second| resolver.would_answer(SimTime::from_secs(second), &question).is_some();
        assert_eq!(kept(0), life.is_some());
        assert!(life.is_none_or(|life| kept(life - 1) && !kept(life)));
    }
}

#[test]
fn an_authority_that_is_only_probed_gets_one_question_at_a_time() {
    let (mut ctx, mut resolver) = (Ctx::new(), resolver(Profile::Unbound));
    resolver.receive(&mut ctx, CLIENT, Message::query(1, question("a.dyndns.test")));
    while let Some(timer) = ctx.next_timer() {
        resolver.timer(&mut ctx, timer);
    }
    // Five queries, and the failure.
    assert_eq!(ctx.take_sent().len(), 6);
    for (id, text) in [(2, "b.dyndns.test"), (3, "c.dyndns.test")] {
        resolver.receive(&mut ctx, CLIENT, Message::query(id, question(text)));
    }
    let [(probe, _), (failed, response)] = &ctx.take_sent()[..] else { panic!("two messages") };
    assert_eq!((*probe, *failed, response.rcode), (AUTHORITY, CLIENT, Rcode::SERV_FAIL));
    assert_eq!(resolver.pending.len(), 1);
}

#[test]
fn a_failed_refresh_leaves_the_entry_alone() {
    let prefetch = |config: &mut Config| config.cache.prefetch = Prefetch::LastTenth;
    let (mut ctx, mut resolver) = (Ctx::new(), resolver_with(prefetch, Profile::Rfc));
    let question = question("chord.dyndns.test");
    resolver.receive(&mut ctx, CLIENT, Message::query(1, question.clone()));
    let (_, query) = ctx.take_sent().remove(0);
    resolver.receive(&mut ctx, AUTHORITY, authoritative(&found(9, 600), &query));
    ctx.take_sent();
    ctx.advance(SimDuration::from_secs(541));
    // Two hits, one refresh.
    for id in [2, 3] {
        resolver.receive(&mut ctx, CLIENT, Message::query(id, question.clone()));
    }
    let to: Vec<_> = ctx.take_sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(to, [CLIENT, AUTHORITY, CLIENT]);
    while let Some(timer) = ctx.next_timer() {
        resolver.timer(&mut ctx, timer);
    }
    // Four more tries, nobody to be told, and the address is still there.
    assert!(ctx.take_sent().iter().all(|(to, _)| *to == AUTHORITY));
    assert_eq!(resolver.would_answer(ctx.now(), &question), Some(found(9, 0).answer));
}

/// A resolver, its authority and clients over hours, with changes, losses and delays by chance;
/// the checker judges every answer.
#[test]
fn resolvers_obey_ttls_under_random_load() {
    for profile in [Profile::Rfc, Profile::Unbound, Profile::Bind] {
        for prefetch in [Prefetch::Off, profile.prefetch()] {
            for (min, max) in [(0, 86_400), (30, 86_400), (0, 5)] {
                let answers = random_run(profile, |config| {
                    config.cache.prefetch = prefetch;
                    config.cache.min_ttl = Ttl::from_secs(min);
                    config.cache.max_ttl = Ttl::from_secs(max);
                });
                assert!(answers > 1_000, "{answers}");
            }
        }
    }
}

fn random_run(profile: Profile, change: impl FnOnce(&mut Config)) -> u32 {
    let mut resolver = resolver_with(change, profile);
    let mut checker = TtlChecker::new(resolver.config.cache);
    let (apex, ttl) = ("dyndns.test".parse().unwrap(), Ttl::from_secs(10));
    let binding = {
        let domain = "chord.dyndns.test".parse().unwrap();
        Binding::new(domain, "dyndns.test".parse().unwrap(), Form::Addresses, ttl).unwrap()
    };
    let zone = Zone::conventional(apex, Address::from_bits(53), ttl, Ttl::from_secs(3)).unwrap();
    let mut authority = Authority::new(vec![zone]);
    let mut served = Recorder::<Message, authority::Timer, authority::Observation>::new();
    let (mut ctx, mut dice) = (Ctx::new(), dice("chance"));
    let question = question("chord.dyndns.test");
    let mut answers = 0;
    for id in 0..4_000u16 {
        // Every step takes up to 1 s, a tenth of the TTL.
        let until = ctx.now() + SimDuration::from_secs_f64(dice.unit());
        while ctx.due(Timer).is_some_and(|at| at <= until) {
            let timer = ctx.next_timer().unwrap();
            resolver.timer(&mut ctx, timer);
        }
        ctx.advance(until - ctx.now());
        if dice.below(20) == 0 {
            let address = Address::from_bits(dice.below(4) as u32);
            let addresses = if address.bits() == 0 { vec![] } else { vec![address] };
            authority.publish(&mut served, &binding, &addresses).unwrap();
        }
        let would = resolver.would_answer(ctx.now(), &question);
        resolver.receive(&mut ctx, CLIENT, Message::query(id, question.clone()));
        let mut first = true;
        while !ctx.sent.is_empty() {
            let (to, message) = ctx.sent.remove(0);
            if to == CLIENT {
                checker.downstream(ctx.now(), &message).unwrap();
                let told = Reply::of(&message).answer;
                assert!(!first || would.is_none_or_eq(&told), "{would:?} {told:?}");
                (answers, first) = (answers + 1, false);
            } else if dice.below(10) > 0 {
                authority.receive(&mut served, to, &message);
                let (_, response) = served.take_sent().remove(0);
                ctx.advance(SimDuration::from_millis(dice.below(20) as u64));
                checker.upstream(ctx.now(), &response);
                resolver.receive(&mut ctx, AUTHORITY, response);
            }
        }
    }
    answers
}

trait NoneOrEq {
    fn is_none_or_eq(&self, other: &Answer) -> bool;
}

impl NoneOrEq for Option<Answer> {
    /// What would have been answered from the cache is what was answered.
    fn is_none_or_eq(&self, other: &Answer) -> bool {
        self.as_ref().is_none_or(|answer| answer == other)
    }
}
