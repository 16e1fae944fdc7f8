//! A server's names against a real resolver and a real authority on a network, and by hand.

use std::sync::Arc;

use super::*;
use crate::address::{Address, Port};
use crate::dns::message::{RecordData, Srv, Ttl};
use crate::dns::profile::Profile;
use crate::dns::resolver::{self, Config, Delegation};
use crate::dns::server_cache::Policy;
use crate::dns::zone::RrSet;
use crate::dns::{Authority, Naptr, Resolver, Zone, authority};
use crate::net::lab::{Device, Lab, LabLink};
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::{self, Recorder};
use crate::sip::HostPart;
use crate::time::SimDuration;

/// Authority, resolver and server, 10 ms apart; in this order.
enum Role {
    Authority(Authority),
    Resolver(Box<Resolver>),
    Server { names: Box<Names<u32>>, ended: Vec<(u32, Places)> },
}

#[derive(Clone, Copy, PartialEq)]
enum Timer {
    Resolver(resolver::Timer),
    Stub(stub::Timer),
}

#[derive(Debug, PartialEq)]
enum Observed {
    Names(Observation),
    Resolver(resolver::Observation),
    Authority(authority::Observation),
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Resolver(timer) => timer.slot(),
            Self::Stub(timer) => timer.slot(),
        }
    }
}

macro_rules! from {
    ($($whole:ident::$variant:ident($part:ty);)*) => {$(
        impl From<$part> for $whole {
            fn from(part: $part) -> Self {
                Self::$variant(part)
            }
        }
    )*};
}

from! {
    Timer::Resolver(resolver::Timer);
    Timer::Stub(stub::Timer);
    Observed::Names(Observation);
    Observed::Resolver(resolver::Observation);
    Observed::Authority(authority::Observation);
}

impl From<authority::Timer> for Timer {
    fn from(timer: authority::Timer) -> Self {
        unreachable!("a zone without secondaries sets no {timer:?}")
    }
}

impl Device for Role {
    type Message = dns::Message;
    type Timer = Timer;
    type Observation = Observed;

    fn start(&mut self, _ctx: &mut LabLink<'_, Self>) {}

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: dns::Message) {
        match self {
            Self::Authority(authority) => {
                let ctx = &mut ctx.lift::<_, authority::Timer, authority::Observation>();
                authority.receive(ctx, from, &message);
            }
            Self::Resolver(resolver) => resolver.receive(
                &mut ctx.lift::<_, resolver::Timer, resolver::Observation>(),
                from,
                message,
            ),
            Self::Server { names, ended } => {
                let ctx = &mut ctx.lift::<_, stub::Timer, Observation>();
                let located = names.receive(ctx, from, &message);
                ended.extend(located.map(|located| (located.ticket, located.places)));
            }
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Resolver(resolver), Timer::Resolver(timer)) => {
                resolver.timer(&mut ctx.lift::<_, _, resolver::Observation>(), timer);
            }
            (Self::Server { names, ended }, Timer::Stub(timer)) => {
                let located = names.timer(&mut ctx.lift::<_, _, Observation>(), timer);
                ended.extend(located.map(|located| (located.ticket, located.places)));
            }
            _ => unreachable!("a timer of another device"),
        }
    }
}

fn domain(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(5, Purpose::Protocol), NameHash::of(name))
}

/// The overlay's domain at 192.0.2.1 with a TTL of 60 s; negative answers for an hour.
fn zone() -> Zone {
    let (ttl, negative) = (Ttl::from_secs(60), Ttl::from_secs(3_600));
    let mut zone =
        Zone::conventional(domain("dyndns.test"), Lab::<Role>::address_of(0), ttl, negative)
            .unwrap();
    zone.publish(&domain("chord.dyndns.test"), &[Address::from_bits(0xc000_0201)]);
    zone
}

fn lab(zone: Zone, cache: Option<Policy>, options: Options) -> Lab<Role> {
    let authority = Lab::<Role>::address_of(0).at(Port::DNS);
    let delegations = vec![Delegation::to_one(domain("dyndns.test"), authority)];
    let config = Arc::new(Config::new(Profile::Rfc, delegations));
    let resolver = Lab::<Role>::address_of(1).at(Port::DNS);
    let stub = Stub::new(Arc::new([resolver]), dice("stub"));
    let names = Names::new(stub, cache.map(ServerCache::new), options, dice("names"));
    let devices = vec![
        Role::Authority(Authority::new(vec![zone])),
        Role::Resolver(Box::new(Resolver::new(config, dice("resolver")))),
        Role::Server { names: Box::new(names), ended: Vec::new() },
    ];
    Lab::new(devices, SimDuration::from_millis(10), 0.0, 1)
}

fn chord() -> Uri {
    Uri::of_user("bob", HostPart::name("chord.dyndns.test"))
}

fn begin(lab: &mut Lab<Role>, ticket: u32, uri: &Uri) -> Option<Places> {
    lab.act(2, |server, link| {
        let Role::Server { names, .. } = server else { unreachable!() };
        names.locate(&mut link.lift::<_, stub::Timer, Observation>(), ticket, uri)
    })
}

/// Locates and waits for the end, at most a minute.
fn locate(lab: &mut Lab<Role>, ticket: u32, uri: &Uri) -> Places {
    if let Some(places) = begin(lab, ticket, uri) {
        return places;
    }
    let limit = lab.now() + SimDuration::from_secs(60);
    loop {
        let Role::Server { ended, .. } = &mut lab.devices[2] else { unreachable!() };
        if let Some((_, places)) = ended.pop() {
            return places;
        }
        assert!(lab.step(limit), "it ends");
    }
}

fn names(lab: &Lab<Role>) -> &Names<u32> {
    let Role::Server { names, .. } = &lab.devices[2] else { unreachable!() };
    names
}

fn at(bits: u32) -> Places {
    Ok(vec![Address::from_bits(bits).at(Port::SIP)])
}

/// What was asked, in order: type and name.
fn asked(lab: &Lab<Role>) -> Vec<String> {
    let ask = |observed: &Observed| match observed {
        Observed::Names(Observation::Asked(question)) => {
            Some(format!("{} {}", question.rtype, question.name))
        }
        _ => None,
    };
    lab.notebook.0.iter().filter_map(|(_, _, observed)| ask(observed)).collect()
}

#[test]
fn a_hundred_requests_cost_2_look_ups_with_a_cache_and_200_without() {
    for (cache, look_ups) in [(Some(Policy::default()), 2), (None, 200)] {
        let mut lab = lab(zone(), cache, Options::SER);
        for number in 0..100 {
            assert_eq!(locate(&mut lab, number, &chord()), at(0xc000_0201));
            let next = lab.now() + SimDuration::from_millis(400);
            lab.run_until(next);
        }
        assert!(lab.now() < SimTime::from_secs(60), "all within the TTL");
        assert_eq!(names(&lab).asked(), look_ups);
        let questions = asked(&lab);
        assert_eq!(questions.len() as u64, look_ups);
        assert_eq!(questions[..2], ["SRV _sip._udp.chord.dyndns.test", "A chord.dyndns.test"]);
    }
}

#[test]
fn an_honest_cache_behind_an_honest_resolver_adds_nothing() {
    let mut lab = lab(zone(), Some(Policy::default()), Options::SER);
    // Another client fills the resolver's cache: it stores at 20 + 10 ms.
    let question = dns::Question::addresses(domain("chord.dyndns.test"));
    let resolver = Lab::<Role>::address_of(1).at(Port::DNS);
    lab.act(2, |_, link| link.send(resolver, dns::Message::query(1, question.clone())));
    lab.run_until(SimTime::from_secs(40));
    // What it still gives, in whole seconds, the server ages on: both end with the same minute.
    assert_eq!(locate(&mut lab, 1, &chord()), at(0xc000_0201));
    let mut stored = Vec::new();
    for (now, _, observed) in &lab.notebook.0 {
        match observed {
            Observed::Resolver(resolver::Observation::Stored { question: of, expires, .. })
            | Observed::Names(Observation::Stored { question: of, expires, .. })
                if *of == question =>
            {
                stored.push((*now, *expires));
            }
            _ => {}
        }
    }
    let [(resolver_s, end), (server_s, own_end)] = stored[..] else { panic!("{stored:?}") };
    assert_eq!(end, resolver_s + SimDuration::from_secs(60));
    assert!(server_s >= SimTime::from_secs(40));
    // The TTL served is rounded down and travels for 10 ms.
    assert!(own_end <= end + SimDuration::from_millis(10), "{own_end} {end}");
    assert!(own_end >= end - SimDuration::from_secs(1), "{own_end} {end}");
}

#[test]
fn a_negative_answer_is_kept_for_its_own_60_seconds_though_the_soa_says_an_hour() {
    let mut lab = lab(zone(), Some(Policy::default()), Options::SER);
    let nobody = Uri::of_user("bob", HostPart::name("nobody.dyndns.test"));
    for (start, look_ups) in [(0, 2), (59, 2), (61, 4), (120, 4), (122, 6)] {
        lab.run_until(SimTime::from_secs(start));
        assert_eq!(locate(&mut lab, 1, &nobody), Err(Unlocated::NoSuchName));
        assert_eq!(names(&lab).asked(), look_ups, "at {start} s");
    }
    // The resolver obeys the SOA: it asked the authority once for each.
    let upstream = |observed: &Observed| {
        matches!(observed, Observed::Resolver(resolver::Observation::Stored { .. }))
    };
    assert_eq!(lab.notebook.0.iter().filter(|(_, _, observed)| upstream(observed)).count(), 2);
}

#[test]
fn rules_services_and_several_addresses_lead_to_the_places_in_order() {
    let mut zone = zone();
    let ttl = Ttl::from_secs(60);
    let service = domain("_sip._udp.farm.dyndns.test");
    let mut put = |name: &DomainName, data: Vec<RecordData>| {
        zone.set(name.clone(), RrSet { ttl, data: data.into() });
    };
    let srv = |priority, port, target: &str| {
        RecordData::Srv(Srv { priority, weight: 0, port: Port(port), target: domain(target) })
    };
    put(&service, vec![srv(2, 5062, "b.dyndns.test"), srv(1, 5061, "a.dyndns.test")]);
    let rule = Naptr::sip_over_udp(1, 1, service.clone());
    put(&domain("farm.dyndns.test"), vec![RecordData::Naptr(Arc::new(rule))]);
    zone.publish(&domain("a.dyndns.test"), &[2, 1].map(Address::from_bits));
    zone.publish(&domain("b.dyndns.test"), &[Address::from_bits(3)]);
    let options = Options { naptr: true, ..Options::RFC3263 };
    let mut lab = lab(zone, Some(Policy::default()), options);
    let farm = Uri::of_user("bob", HostPart::name("farm.dyndns.test"));
    let places = [(2, 5061), (1, 5061), (3, 5062)];
    let places = places.map(|(bits, port)| Address::from_bits(bits).at(Port(port)));
    assert_eq!(locate(&mut lab, 1, &farm), Ok(places.to_vec()));
    let questions = [
        "NAPTR farm.dyndns.test",
        "SRV _sip._udp.farm.dyndns.test",
        "A a.dyndns.test",
        "A b.dyndns.test",
    ];
    assert_eq!(asked(&lab), questions);
    // All of it is in the cache now.
    assert_eq!(begin(&mut lab, 2, &farm), Some(Ok(places.to_vec())));
    assert_eq!(names(&lab).asked(), 4);
}

#[test]
fn who_asks_at_the_same_time_asks_for_himself_and_stores_for_all() {
    let mut lab = lab(zone(), Some(Policy::default()), Options::SER);
    for ticket in 0..8 {
        assert_eq!(begin(&mut lab, ticket, &chord()), None);
    }
    assert_eq!(names(&lab).under_way(), 8);
    lab.run_until(SimTime::from_secs(1));
    let Role::Server { ended, .. } = &lab.devices[2] else { unreachable!() };
    let tickets: Vec<u32> = ended.iter().map(|(ticket, _)| *ticket).collect();
    assert_eq!(tickets, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(ended.iter().all(|(_, places)| *places == at(0xc000_0201)));
    // Each asked for the service, all at once. The first to hear that there is none asks for the
    // address at that moment, as does each of the others: their answers come together too.
    assert_eq!(names(&lab).asked(), 16);
    let stored =
        |observed: &Observed| matches!(observed, Observed::Names(Observation::Stored { .. }));
    assert_eq!(lab.notebook.0.iter().filter(|(_, _, observed)| stored(observed)).count(), 2);
    assert_eq!(begin(&mut lab, 9, &chord()), Some(at(0xc000_0201)));
}

type Ctx = Recorder<dns::Message, stub::Timer, Observation>;

fn by_hand(servers: u32, options: Options) -> Names<&'static str> {
    let servers = (1..=servers).map(|bits| Address::from_bits(bits).at(Port::DNS)).collect();
    let stub = Stub::new(servers, dice("stub"));
    Names::new(stub, Some(ServerCache::default()), options, dice("names"))
}

#[test]
fn a_silent_resolver_holds_a_location_up_for_the_stub_s_time_for_each_question() {
    // 10 s a question with one server, 20 s with two; SRV and A, with NAPTR one more.
    for (servers, naptr, seconds) in [(1, false, 20), (2, false, 40), (1, true, 30)] {
        let mut ctx = Ctx::new();
        let mut names = by_hand(servers, Options { naptr, ..Options::SER });
        assert_eq!(names.locate(&mut ctx, "it", &chord()), None);
        let located = loop {
            let timer = ctx.next_timer().expect("a question under way has a timer");
            if let Some(located) = names.timer(&mut ctx, timer) {
                break located;
            }
        };
        assert_eq!(located, Located { ticket: "it", places: Err(Unlocated::Timeout) });
        assert_eq!(ctx.now(), SimTime::from_secs(seconds));
    }
}

#[test]
fn silence_is_remembered_for_a_minute_from_its_end() {
    let mut ctx = Ctx::new();
    let mut names = by_hand(1, Options::SER);
    assert_eq!(names.locate(&mut ctx, "first", &chord()), None);
    while names.under_way() > 0 {
        let timer = ctx.next_timer().expect("a question under way has a timer");
        names.timer(&mut ctx, timer);
    }
    // That about SRV ended after 10 s, that about A after 20 s.
    ctx.advance(SimDuration::from_secs(50) - SimDuration::from_nanos(1));
    assert_eq!(names.locate(&mut ctx, "second", &chord()), Some(Err(Unlocated::Timeout)));
    ctx.advance(SimDuration::from_nanos(1));
    assert_eq!(names.locate(&mut ctx, "third", &chord()), None);
    assert_eq!(
        ctx.take_sent().last().map(|(_, query)| query.question.rtype),
        Some(RecordType::SRV)
    );
    assert_eq!(names.asked(), 3);
}

#[test]
fn a_resolver_that_refuses_ends_it_at_once() {
    let mut ctx = Ctx::new();
    let mut names = by_hand(1, Options::SER);
    assert_eq!(names.locate(&mut ctx, "it", &chord()), None);
    let mut ended = None;
    while let Some((to, query)) = ctx.take_sent().pop() {
        let refusal = dns::Message::response_to(&query, dns::Rcode::REFUSED);
        ended = names.receive(&mut ctx, to, &refusal);
    }
    assert_eq!(ended, Some(Located { ticket: "it", places: Err(Unlocated::ServFail) }));
    assert_eq!((ctx.now(), names.under_way()), (SimTime::ZERO, 0));
}

#[test]
fn numbers_and_what_is_no_name_need_no_resolver() {
    let mut ctx = Ctx::new();
    let mut names = by_hand(1, Options::SER);
    for (host, places) in [
        (HostPart::Address(Address::from_bits(9)), at(9)),
        (HostPart::name("no name.test"), Err(Unlocated::NoSuchName)),
        (HostPart::name("."), Err(Unlocated::NoSuchName)),
    ] {
        let uri = Uri::of_user("bob", host);
        assert_eq!(names.locate(&mut ctx, "it", &uri), Some(places), "{uri}");
    }
    assert!(ctx.sent.is_empty() && ctx.observed.is_empty());
    assert_eq!(names.asked(), 0);
}
