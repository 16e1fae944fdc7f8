//! The procedures of RFC 3263 §4, question by question.

use super::*;
use crate::rng::{Draws, NameHash, Purpose};
use crate::sip::uri::Parameter;

/// What the name servers say: a question as `NAPTR name`, and the answer to it.
type Data<'a> = &'a [(&'a str, Result<Found, Unlocated>)];
/// What comes of a location, the places as text.
type Ended = Result<Vec<String>, Unlocated>;

fn host(text: &str) -> HostPart {
    text.parse().map_or_else(|_| HostPart::name(text), HostPart::Address)
}

fn uri(text: &str, port: Option<u16>, parameters: &[(&str, &str)]) -> Uri {
    let parameters = parameters
        .iter()
        .map(|&(name, value)| Parameter { name: name.into(), value: Some(value.into()) })
        .collect();
    Uri::Sip(SipUri { port: port.map(Port), parameters, ..SipUri::of_host(host(text)) })
}

/// Locates, answering from the data; what is not there does not exist. Returns what was asked and
/// what came of it, places as text.
fn locate(uri: &Uri, options: Options, data: Data<'_>) -> (Vec<String>, Ended) {
    let mut dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("locator"));
    let (mut locator, mut step) = Locator::begin(uri, options);
    let mut asked = Vec::new();
    loop {
        let question = match step {
            Step::Ask(question) => question,
            Step::Done(places) => {
                return (asked, Ok(places.iter().map(ToString::to_string).collect()));
            }
            Step::Failed(why) => return (asked, Err(why)),
        };
        let kind = match question.kind {
            Kind::Rules => "NAPTR",
            Kind::Services => "SRV",
            Kind::Addresses => "A",
        };
        asked.push(format!("{kind} {}", question.name));
        let known = data.iter().find(|(text, _)| *text == asked[asked.len() - 1]);
        let found = known.map_or(Err(Unlocated::NoSuchName), |(_, found)| found.clone());
        step = locator.answered(found, &mut dice);
    }
}

fn addresses(last: &[u8]) -> Result<Found, Unlocated> {
    let address = |&last: &u8| Address::from_bits(0xc000_0200 | u32::from(last));
    Ok(Found::Addresses(last.iter().map(address).collect()))
}

fn service(priority: u16, weight: u16, port: u16, target: &str) -> Service {
    Service { priority, weight, port: Port(port), target: target.into() }
}

fn services(list: &[(u16, u16, &str)]) -> Result<Found, Unlocated> {
    let each = |&(priority, port, target): &_| service(priority, 0, port, target);
    Ok(Found::Services(list.iter().map(each).collect()))
}

fn rule(order: u16, preference: u16, services: &str, replacement: &str) -> Rule {
    Rule {
        order,
        preference,
        flags: "s".into(),
        services: services.into(),
        replacement: replacement.into(),
    }
}

const ALL: Options = Options { naptr: true, ..Options::RFC3263 };

#[test]
fn what_is_said_in_the_uri_is_not_asked_for() {
    let data: Data<'_> = &[("A x.test", addresses(&[7, 8]))];
    let naptr_srv_a = &["NAPTR x.test", "SRV _sip._udp.x.test", "A x.test"][..];
    let both = Ok(&["192.0.2.7:5060", "192.0.2.8:5060"][..]);
    for (uri, asked, places) in [
        (uri("192.0.2.1", None, &[]), &[][..], Ok(&["192.0.2.1:5060"][..])),
        (uri("192.0.2.1", Some(5070), &[]), &[], Ok(&["192.0.2.1:5070"])),
        (uri("x.test", Some(5070), &[]), &["A x.test"], Ok(&["192.0.2.7:5070", "192.0.2.8:5070"])),
        (uri("x.test", None, &[]), naptr_srv_a, both),
        (uri("X.Test", None, &[]), naptr_srv_a, both),
        // A transport makes NAPTR superfluous.
        (uri("x.test", None, &[("transport", "UDP")]), &naptr_srv_a[1..], both),
        (uri("y.test", None, &[("maddr", "x.test")]), naptr_srv_a, both),
        (uri("y.test", None, &[("maddr", "192.0.2.9")]), &[], Ok(&["192.0.2.9:5060"])),
        (uri("192.0.2.1", None, &[("transport", "tcp")]), &[], Err(Unlocated::Unsupported)),
        (Uri::Other("tel:+1".into()), &[], Err(Unlocated::Unsupported)),
        (
            uri("y.test", None, &[]),
            &["NAPTR y.test", "SRV _sip._udp.y.test", "A y.test"],
            Err(Unlocated::NoSuchName),
        ),
    ] {
        let (questions, outcome) = locate(&uri, ALL, data);
        assert_eq!(questions, asked, "{uri}");
        let expected = places.map(|places| places.iter().map(ToString::to_string).collect());
        assert_eq!(outcome, expected, "{uri}");
    }
    let Uri::Sip(sip) = uri("x.test", None, &[]) else { unreachable!() };
    let sips = Uri::Sip(SipUri { secure: true, ..sip });
    assert_eq!(locate(&sips, ALL, data), (vec![], Err(Unlocated::Unsupported)));
}

#[test]
fn the_switches_leave_questions_and_places_out() {
    let data: Data<'_> = &[
        ("SRV _sip._udp.x.test", services(&[(2, 5062, "b.test"), (1, 5061, "a.test")])),
        ("A a.test", addresses(&[1, 2])),
        ("A b.test", addresses(&[3])),
        ("A x.test", addresses(&[9])),
    ];
    let x = uri("x.test", None, &[]);
    for (options, asked, places) in [
        (
            Options::RFC3263,
            &["SRV _sip._udp.x.test", "A a.test", "A b.test"][..],
            &["192.0.2.1:5061", "192.0.2.2:5061", "192.0.2.3:5062"][..],
        ),
        // Without failover one place is enough, and no more is asked for.
        (Options::SER, &["SRV _sip._udp.x.test", "A a.test"], &["192.0.2.1:5061"]),
        (Options::ADDRESSES, &["A x.test"], &["192.0.2.9:5060"]),
    ] {
        let (questions, outcome) = locate(&x, options, data);
        assert_eq!(
            (&questions[..], &outcome.unwrap()[..]),
            (&owned(asked)[..], &owned(places)[..])
        );
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn rules_are_gone_through_in_their_order_as_far_as_they_are_for_udp() {
    let mut other_flag = rule(0, 0, "SIP+D2U", "wrong.test");
    other_flag.flags = "u".into();
    let rules = Found::Rules(vec![
        rule(50, 60, "SIP+D2U", "last.test"),
        rule(10, 1, "SIP+D2T", "tcp.test"),
        rule(50, 50, "sip+d2u", "first.test"),
        other_flag,
        rule(0, 0, "SIP+D2U", ""),
    ]);
    let x = uri("x.test", None, &[]);
    let a = ("A a.test", addresses(&[1]));
    let best: Data<'_> = &[
        ("NAPTR x.test", Ok(rules.clone())),
        ("SRV first.test", services(&[(0, 5060, "a.test")])),
        a.clone(),
    ];
    let (asked, outcome) = locate(&x, ALL, best);
    assert_eq!(asked, ["NAPTR x.test", "SRV first.test", "A a.test"]);
    assert_eq!(outcome.unwrap(), ["192.0.2.1:5060"]);
    // The best leads nowhere: the next; none does: the addresses of the name.
    let next: Data<'_> = &[
        ("NAPTR x.test", Ok(rules.clone())),
        ("SRV last.test", services(&[(0, 5060, "a.test")])),
        a,
    ];
    let (asked, _) = locate(&x, ALL, next);
    assert_eq!(asked, ["NAPTR x.test", "SRV first.test", "SRV last.test", "A a.test"]);
    let (asked, _) = locate(&x, ALL, &[("NAPTR x.test", Ok(rules))]);
    assert_eq!(asked, ["NAPTR x.test", "SRV first.test", "SRV last.test", "A x.test"]);
    // Rules for other transports only are as good as none.
    let tcp = Found::Rules(vec![rule(1, 1, "SIP+D2T", "tcp.test")]);
    let (asked, _) = locate(&x, ALL, &[("NAPTR x.test", Ok(tcp))]);
    assert_eq!(asked, ["NAPTR x.test", "SRV _sip._udp.x.test", "A x.test"]);
}

#[test]
fn targets_without_addresses_are_passed_over_and_the_name_s_own_are_no_substitute() {
    let x = uri("x.test", None, &[]);
    let srv = services(&[(1, 5061, "a.test"), (2, 5062, "b.test")]);
    let cases: [(Data<'_>, &[&str], Ended); 4] = [
        (
            &[("SRV _sip._udp.x.test", srv.clone()), ("A b.test", addresses(&[3]))],
            &["SRV _sip._udp.x.test", "A a.test", "A b.test"],
            Ok(owned(&["192.0.2.3:5062"])),
        ),
        // The reason is that of the last.
        (
            &[
                ("SRV _sip._udp.x.test", srv.clone()),
                ("A b.test", Err(Unlocated::Timeout)),
                ("A x.test", addresses(&[9])),
            ],
            &["SRV _sip._udp.x.test", "A a.test", "A b.test"],
            Err(Unlocated::Timeout),
        ),
        // A target of "." says no (RFC 2782).
        (
            &[("SRV _sip._udp.x.test", services(&[(0, 0, "")])), ("A x.test", addresses(&[9]))],
            &["SRV _sip._udp.x.test"],
            Err(Unlocated::NoSuchName),
        ),
        // An answer without data, or of another kind, is nothing found.
        (
            &[("SRV _sip._udp.x.test", addresses(&[1])), ("A x.test", addresses(&[]))],
            &["SRV _sip._udp.x.test", "A x.test"],
            Err(Unlocated::NoSuchName),
        ),
    ];
    for (data, asked, outcome) in cases {
        for options in [Options::RFC3263, Options::SER] {
            let (questions, ended) = locate(&x, options, data);
            assert_eq!((questions, &ended), (owned(asked), &outcome), "{options:?}");
        }
    }
}

#[test]
fn a_question_that_fails_leads_on_and_the_last_one_decides() {
    let x = uri("x.test", None, &[]);
    let silence = || Err(Unlocated::Timeout);
    let asked = ["NAPTR x.test", "SRV _sip._udp.x.test", "A x.test"];
    for (a, outcome) in [
        (silence(), Err(Unlocated::Timeout)),
        (Err(Unlocated::ServFail), Err(Unlocated::ServFail)),
        (addresses(&[1]), Ok(owned(&["192.0.2.1:5060"]))),
    ] {
        let data: Data<'_> =
            &[("NAPTR x.test", silence()), ("SRV _sip._udp.x.test", silence()), ("A x.test", a)];
        assert_eq!(locate(&x, ALL, data), (owned(&asked), outcome));
    }
}
