//! What an agent says to requests as they come.

use super::harness::{Note, network, phones, run, send, told, user_at};
use crate::sip::agent::Upcall;
use crate::sip::header::{
    Contact, Contacts, EventPackage, Headers, NameAddress, SubscriptionState,
};
use crate::sip::message::{Message, Method, Request, Response};
use crate::sip::uri::{HostPart, Uri};

/// A request of Bob (1) to Alice (0).
fn request(method: Method) -> Request {
    let from = NameAddress::of(user_at("bob", 1)).tagged("bob");
    let to = NameAddress::of(user_at("alice", 0));
    let mut headers = Headers::new(from, to, "call@bob".into(), 1);
    headers.contact = Contacts::one(Contact::of(user_at("bob", 1)));
    headers.event = Some(EventPackage::presence());
    Request { method, uri: user_at("alice", 0), headers, body: [].into() }
}

/// What Alice says to it.
fn answer(request: Request) -> Response {
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    let (key, method) = (request.key(), request.method.clone());
    send(&mut lab, 1, request);
    run(&mut lab, 1.0);
    let answer = lab.notebook.0.iter().find_map(|(_, host, note)| match note {
        Note::Got(Message::Response(response)) if host.index() == 1 => Some((**response).clone()),
        _ => None,
    });
    let answer = answer.unwrap();
    // The host is told the same.
    let from = user_at("bob", 1);
    let status = answer.status;
    let received = Upcall::Received { key, method, from, status };
    assert!(told(&lab, 0).iter().any(|(_, upcall)| *upcall == received), "{received:?}");
    answer
}

#[test]
fn each_request_gets_the_status_that_it_should() {
    use Method::{Bye, Invite, Message, Notify, Options, Publish, Register, Subscribe};
    type Change = fn(&mut Request);
    let plain: Change = |_| {};
    let in_dialog: Change = |it| it.headers.to.tag = Some("unknown".into());
    let other_event: Change = |it| {
        it.headers.event = Some(EventPackage { package: "dialog".into(), id: None });
    };
    let no_event: Change = |it| it.headers.event = None;
    let no_contact: Change = |it| it.headers.contact = Contacts::None;
    let to_carol: Change = |it| it.uri = user_at("carol", 0);
    let to_host: Change = |it| it.uri = Uri::loose_route(HostPart::name("alice.org"));
    let strange: Change = |it| it.headers.other.push(("require".into(), "magic".into()));
    for (method, change, status) in [
        (Message, plain, 200),
        (Message, to_carol, 404),
        (Message, to_host, 404),
        (Options, plain, 200),
        (Options, strange, 420),
        (Register, plain, 405),
        (Publish, plain, 405),
        (Method::Other("INFO".into()), plain, 405),
        (Subscribe, plain, 200),
        (Subscribe, in_dialog, 481),
        (Subscribe, other_event, 489),
        (Subscribe, no_event, 489),
        (Subscribe, no_contact, 400),
        (Notify, plain, 481),
        (Notify, in_dialog, 481),
        (Bye, in_dialog, 481),
        (Invite, plain, 180),
        (Invite, in_dialog, 481),
        (Invite, no_contact, 400),
    ] {
        let mut request = request(method.clone());
        request.headers.subscription_state = Some(SubscriptionState::Active { expires: None });
        change(&mut request);
        assert_eq!(answer(request).status.code(), status, "{method}");
    }
}

#[test]
fn answers_say_what_would_be_understood() {
    let header = |response: &Response, name: &str| {
        let found = response.headers.other.iter().find(|(its, _)| &**its == name);
        found.map(|(_, value)| value.to_string())
    };
    let refused = answer(request(Method::Register));
    assert!(header(&refused, "Allow").unwrap().contains("MESSAGE"));
    assert_eq!(header(&refused, "Allow"), header(&answer(request(Method::Options)), "Allow"));
    let mut strange = request(Method::Message);
    strange.headers.other.push(("Require".into(), "magic".into()));
    assert_eq!(header(&answer(strange), "Unsupported").as_deref(), Some("magic"));
    let mut other = request(Method::Subscribe);
    other.headers.event = Some(EventPackage { package: "dialog".into(), id: None });
    assert_eq!(header(&answer(other), "Allow-Events").as_deref(), Some("presence"));
}

#[test]
fn a_request_that_comes_on_two_ways_is_answered_once() {
    // RFC 3261 §8.2.2.2: the same request in another transaction.
    let mut lab = network(phones(&["alice", "bob"], |_| {}));
    for method in [Method::Invite, Method::Subscribe] {
        send(&mut lab, 1, request(method.clone()));
        send(&mut lab, 1, request(method));
    }
    run(&mut lab, 1.0);
    let statuses: Vec<String> = lab
        .notebook
        .0
        .iter()
        .filter_map(|(_, host, note)| match note {
            Note::Got(Message::Response(it)) if host.index() == 1 => {
                Some(format!("{} {}", it.status, it.method))
            }
            _ => None,
        })
        .collect();
    assert_eq!(statuses, ["180 INVITE", "482 INVITE", "200 SUBSCRIBE", "482 SUBSCRIBE"]);
}
