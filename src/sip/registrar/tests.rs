//! Bindings and their expiries.

use super::*;
use crate::rng::{Draws, NameHash, Purpose};
use crate::sip::uri::Parameter;
use crate::sip::{Headers, NameAddress};

fn registrar(settings: RegistrarSettings) -> Registrar {
    let draws = Draws::new(1, Purpose::Protocol);
    Registrar::new(settings, Dice::new(draws, NameHash::of("registrar")))
}

fn bob() -> Uri {
    Uri::of_user("bob", HostPart::name("a.test"))
}

/// A contact of Bob at this host.
fn at(host: &str) -> Contact {
    Contact::of(Uri::of_user("bob", HostPart::name(host)))
}

fn expiring(host: &str, expires: u32) -> Contact {
    Contact { expires: Some(expires), ..at(host) }
}

/// Bob's REGISTER.
fn request(call: &str, cseq: u32, expires: Option<u32>, contact: Contacts) -> Request {
    let end = NameAddress::of(bob());
    let mut headers = Headers::new(end.clone().tagged("bob"), end, call.into(), cseq);
    (headers.expires, headers.contact) = (expires, contact);
    let uri = Uri::Sip(SipUri::of_host(HostPart::name("a.test")));
    Request { method: Method::Register, uri, headers, body: [].into() }
}

/// Hosts and remaining seconds in a response.
fn bindings(response: &Response) -> Vec<(String, u32)> {
    assert_eq!(response.status, Status::OK);
    let contacts = response.headers.contact.as_slice().iter();
    contacts.map(|one| (host(one), one.expires.unwrap())).collect()
}

fn host(contact: &Contact) -> String {
    contact.address.uri.sip().unwrap().host.to_string()
}

fn found(registrar: &Registrar, now: u64) -> Vec<String> {
    registrar.lookup(&bob(), SimTime::from_secs(now)).iter().map(host).collect()
}

#[test]
fn the_expiry_is_the_contacts_else_the_requests_else_the_registrars() {
    for (contact, header, granted) in [
        (at("x"), None, 3_600),
        (at("x"), Some(600), 600),
        (expiring("x", 300), Some(600), 300),
        // SER raises what is too little.
        (expiring("x", 5), None, 60),
    ] {
        let mut registrar = registrar(RegistrarSettings::ser());
        let request = request("1", 1, header, Contacts::one(contact));
        let response = registrar.register(SimTime::ZERO, &request);
        assert_eq!(bindings(&response), [("x".to_owned(), granted)]);
        assert!(response.headers.to.tag.is_some());
        // It lasts exactly that long.
        assert_eq!(found(&registrar, u64::from(granted) - 1), ["x"]);
        assert_eq!(found(&registrar, u64::from(granted)), [""; 0]);
        assert_eq!(registrar.registered(SimTime::ZERO), 1);
        assert_eq!(registrar.registered(SimTime::from_secs(u64::from(granted))), 0);
    }
}

#[test]
fn too_brief_is_423_below_the_least_and_an_hour() {
    for (min, asked, status) in
        [(60, 59, 423), (60, 60, 200), (60, 0, 200), (7_200, 3_599, 423), (7_200, 3_600, 200)]
    {
        let settings = RegistrarSettings { min_expires: min, ..RegistrarSettings::rfc3261() };
        let mut registrar = registrar(settings);
        let contacts = Contacts::Some(vec![at("good"), expiring("x", asked)]);
        let response = registrar.register(SimTime::ZERO, &request("1", 1, Some(9_999), contacts));
        assert_eq!(response.status.code(), status, "{asked}");
        let refused = status == 423;
        assert_eq!(response.headers.min_expires, refused.then_some(min));
        // All or nothing.
        assert_eq!(found(&registrar, 0).is_empty(), refused);
    }
}

#[test]
fn the_most_is_a_bound() {
    let settings = RegistrarSettings { max_expires: Some(1_800), ..RegistrarSettings::ser() };
    let mut registrar = registrar(settings);
    let response =
        registrar.register(SimTime::ZERO, &request("1", 1, None, Contacts::one(at("x"))));
    assert_eq!(bindings(&response), [("x".to_owned(), 1_800)]);
}

#[test]
fn bindings_are_refreshed_removed_and_asked_for() {
    let mut registrar = registrar(RegistrarSettings::ser());
    let mut register = |now: u64, call: &str, cseq, expires, contact| {
        registrar.register(SimTime::from_secs(now), &request(call, cseq, expires, contact))
    };
    let both = |x: u32, y: u32| vec![("x".to_owned(), x), ("y".to_owned(), y)];
    register(0, "1", 1, None, Contacts::one(at("x")));
    let response = register(100, "2", 1, Some(600), Contacts::one(at("y")));
    assert_eq!(bindings(&response), both(3_500, 600));
    // A refresh keeps the order; a query changes nothing.
    register(200, "1", 2, None, Contacts::one(at("x")));
    assert_eq!(bindings(&register(200, "3", 1, None, Contacts::None)), both(3_600, 500));
    // Older than what it wants to change: 500, and nothing is changed.
    for cseq in [1, 2] {
        let stale = register(201, "1", cseq, Some(0), Contacts::Some(vec![at("y"), at("x")]));
        assert_eq!(stale.status, Status::SERVER_ERROR);
    }
    assert_eq!(bindings(&register(201, "3", 2, None, Contacts::None)), both(3_599, 499));
    let response = register(202, "1", 3, Some(0), Contacts::one(at("x")));
    assert_eq!(bindings(&response), [("y".to_owned(), 498)]);
    // `*` wants an expiry of 0.
    assert_eq!(register(203, "1", 4, None, Contacts::All).status, Status::BAD_REQUEST);
    assert_eq!(register(203, "2", 1, Some(0), Contacts::All).status, Status::SERVER_ERROR);
    assert_eq!(bindings(&register(204, "1", 5, Some(0), Contacts::All)), []);
    assert_eq!(found(&registrar, 204), [""; 0]);
}

#[test]
fn contacts_come_by_preference_then_age() {
    let mut registrar = registrar(RegistrarSettings::ser());
    let with_q = |host, q| Contact { q, ..at(host) };
    let contacts = vec![
        with_q("low", Some(100)),
        with_q("first", Some(1_000)),
        with_q("unsaid", None),
        with_q("middle", Some(500)),
    ];
    registrar.register(SimTime::ZERO, &request("1", 1, None, Contacts::Some(contacts)));
    assert_eq!(found(&registrar, 1), ["first", "unsaid", "middle", "low"]);
    let other = Uri::of_user("carol", HostPart::name("a.test"));
    assert_eq!(registrar.lookup(&other, SimTime::ZERO), []);
}

#[test]
fn a_contact_is_the_same_by_the_rules_of_uris() {
    let with = |name: &str, value: &str| {
        let Uri::Sip(mut uri) = at("x").address.uri else { panic!("it is a SIP URI") };
        uri.parameters = vec![Parameter { name: name.into(), value: Some(value.into()) }];
        Contact::of(Uri::Sip(uri))
    };
    for (first, second, kept) in [
        (at("x"), at("x"), 1),
        // A parameter that only one has tells nothing, unless it is one of five.
        (at("x"), with("line", "1"), 1),
        (with("line", "1"), with("line", "2"), 2),
        (with("line", "a"), with("LINE", "A"), 1),
        (at("x"), with("transport", "tcp"), 2),
        (at("x"), at("y"), 2),
    ] {
        let mut registrar = registrar(RegistrarSettings::ser());
        registrar.register(SimTime::ZERO, &request("1", 1, None, Contacts::one(first)));
        registrar.register(SimTime::ZERO, &request("1", 2, None, Contacts::one(second)));
        assert_eq!(registrar.lookup(&bob(), SimTime::ZERO).len(), kept);
    }
}

#[test]
fn what_has_run_out_is_forgotten_and_others_are_refused() {
    let mut registrar = registrar(RegistrarSettings::ser());
    registrar.register(SimTime::ZERO, &request("1", 1, Some(60), Contacts::one(at("x"))));
    assert_eq!(registrar.bindings.len(), 1);
    let mut other = request("2", 1, None, Contacts::one(at("z")));
    other.headers.to = NameAddress::of(Uri::of_user("carol", HostPart::name("a.test")));
    registrar.register(SimTime::from_secs(60), &other);
    assert_eq!(registrar.bindings.len(), 1);
    // A contact of the same user agent that has run out is no obstacle to an older number.
    let late = request("1", 1, None, Contacts::one(at("x")));
    assert_eq!(registrar.register(SimTime::from_secs(61), &late).status, Status::OK);
    let mut message = late;
    message.method = Method::Message;
    let refused = registrar.register(SimTime::from_secs(61), &message);
    assert_eq!(refused.status, Status::METHOD_NOT_ALLOWED);
}
