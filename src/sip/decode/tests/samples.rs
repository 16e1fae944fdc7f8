//! One message of every kind that elements here send.

use std::sync::Arc;

use crate::address::Port;
use crate::sip::header::{
    Contact, Contacts, EventPackage, Headers, NameAddress, SubscriptionState, Via,
};
use crate::sip::message::{Message, Method, Request, Response, Status};
use crate::sip::pidf::{self, Presence};
use crate::sip::sdp::{self, Session};
use crate::sip::uri::{HostPart, Uri};

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn via(host: &str, branch: &str) -> Via {
    let host = host.parse().map_or_else(|_| HostPart::name(host), HostPart::Address);
    Via {
        transport: "UDP".into(),
        host,
        port: None,
        branch: Some(branch.into()),
        received: None,
        rport: Some(None),
        parameters: Vec::new(),
    }
}

fn request(method: Method, to: &str, cseq: u32) -> Request {
    let from = NameAddress::of(uri("sip:alice@deebee.dsl.ru.ac.za")).tagged("a1b2c3d4");
    let to = uri(to);
    let call: Arc<str> = "0123456789@10.0.0.7".into();
    let mut headers = Headers::new(from, NameAddress::of(to.clone()), call, cseq);
    headers.via = vec![via("10.0.0.7", "z9hG4bKbbbb")];
    headers.max_forwards = Some(70);
    headers.product = Some("overcord".into());
    Request { method, uri: to, headers, body: [].into() }
}

fn session() -> Session {
    let address = "10.0.0.7".parse().unwrap();
    Session { user: "alice".into(), id: 7, version: 8, address, audio: Port(7078) }
}

/// An INVITE on its second hop, with most of what it can have.
pub(super) fn invite() -> Message {
    let mut invite = request(Method::Invite, "sip:bob@chord.dyndns.org", 20);
    invite.uri = uri("sip:bob@192.0.2.9:5060");
    let headers = &mut invite.headers;
    let hop = Via {
        port: Some(Port::SIP),
        received: Some("192.0.2.2".parse().unwrap()),
        rport: Some(Some(Port::SIP)),
        ..via("192.0.2.2", "z9hG4bKaaaa.0")
    };
    headers.via.insert(0, hop);
    headers.max_forwards = Some(69);
    headers.from.display = Some("Alice \"A.\" Smith".into());
    headers.route = vec![NameAddress::of(Uri::loose_route(HostPart::name("chord.dyndns.org")))];
    headers.record_route = vec![NameAddress::of(uri("sip:192.0.2.2;lr"))];
    headers.contact = Contacts::one(Contact::of(uri("sip:alice@10.0.0.7:5060;transport=udp")));
    headers.expires = Some(120);
    headers.other = vec![("Supported".into(), "replaces, outbound".into())];
    headers.content_type = Some(sdp::CONTENT_TYPE.into());
    invite.body = session().body();
    invite.into()
}

fn requests() -> Vec<(&'static str, Request)> {
    let bob = "sip:bob@chord.dyndns.org";
    let mut register = request(Method::Register, "sip:alice@deebee.dsl.ru.ac.za", 1);
    register.uri = uri("sip:deebee.dsl.ru.ac.za");
    register.headers.contact = Contacts::one(Contact::of(uri("sip:alice@10.0.0.7")));
    register.headers.expires = Some(3600);
    let mut unregister = register.clone();
    unregister.headers.contact = Contacts::All;
    unregister.headers.expires = Some(0);

    let mut message = request(Method::Message, bob, 2);
    message.headers.content_type = Some("text/plain".into());
    message.body = "Wie geht’s?".as_bytes().into();

    let mut subscribe = request(Method::Subscribe, bob, 3);
    subscribe.headers.event = Some(EventPackage::presence());
    subscribe.headers.expires = Some(3600);
    subscribe.headers.contact = Contacts::one(Contact::of(uri("sip:alice@10.0.0.7")));
    let mut notify = request(Method::Notify, bob, 4);
    notify.headers.event = Some(EventPackage { package: "presence".into(), id: Some("1".into()) });
    notify.headers.subscription_state = Some(SubscriptionState::Active { expires: Some(3599) });
    notify.headers.content_type = Some(pidf::CONTENT_TYPE.into());
    notify.body = Presence { entity: uri(bob), open: true }.body();
    let mut pending = notify.clone();
    pending.headers.subscription_state = Some(SubscriptionState::Pending { expires: None });
    let mut last = request(Method::Notify, bob, 5);
    let reason = Some("noresource".into());
    last.headers.subscription_state =
        Some(SubscriptionState::Terminated { reason, retry_after: Some(60) });

    let mut publish = request(Method::Publish, bob, 6);
    publish.headers.event = Some(EventPackage::presence());
    publish.headers.expires = Some(3600);
    publish.headers.content_type = Some(pidf::CONTENT_TYPE.into());
    publish.body = Presence { entity: uri(bob), open: false }.body();
    let mut refresh = publish.clone();
    refresh.headers.if_match = Some("a.1234".into());
    refresh.headers.content_type = None;
    refresh.body = [].into();

    let mut cancel = request(Method::Cancel, bob, 20);
    cancel.headers.max_forwards = None;
    cancel.headers.product = None;
    vec![
        ("register", register),
        ("unregister", unregister),
        ("message", message),
        ("subscribe", subscribe),
        ("notify", notify),
        ("notify pending", pending),
        ("notify terminated", last),
        ("publish", publish),
        ("publish refresh", refresh),
        ("cancel", cancel),
        ("ack", request(Method::Ack, "sip:bob@192.0.2.9", 20)),
        ("bye", request(Method::Bye, "sip:bob@192.0.2.9", 21)),
        ("options", request(Method::Options, bob, 22)),
        ("other method", request(Method::Other("INFO".into()), bob, 23)),
    ]
}

fn responses() -> Vec<(&'static str, Response)> {
    let Message::Request(invite) = invite() else { panic!("a request") };
    let tag = Some("9f8e7d6c");
    let mut ok = invite.respond(Status::OK, tag);
    ok.headers.contact = Contacts::one(Contact::of(uri("sip:bob@192.0.2.9")));
    ok.headers.content_type = Some(sdp::CONTENT_TYPE.into());
    ok.body = session().body();

    let register = &requests()[0].1;
    let mut bound = register.respond(Status::OK, tag);
    let contact = |text: &str, q| Contact { expires: Some(3600), q, ..Contact::of(uri(text)) };
    bound.headers.contact = Contacts::Some(vec![
        contact("sip:alice@10.0.0.7", Some(500)),
        contact("sip:alice@10.0.0.8:5070", Some(1000)),
        contact("sips:alice@[2001:db8::1]", None),
    ]);
    bound.headers.product = Some("ser (0.9.6 (i386/linux))".into());
    let mut brief = register.respond(Status::INTERVAL_TOO_BRIEF, tag);
    brief.headers.min_expires = Some(60);
    let publish = &requests()[7].1;
    let mut published = publish.respond(Status::OK, tag);
    published.headers.etag = Some("a.1234".into());
    published.headers.expires = Some(3600);
    let mut busy = invite.respond(Status::SERVICE_UNAVAILABLE, tag);
    busy.headers.retry_after = Some(30);
    let mut worded = invite.respond(Status::TEMPORARILY_UNAVAILABLE, tag);
    worded.reason = Some("Nicht da – später".into());
    vec![
        ("100", invite.respond(Status::TRYING, tag)),
        ("180", invite.respond(Status::RINGING, tag)),
        ("200 of invite", ok),
        ("200 of register", bound),
        ("423", brief),
        ("200 of publish", published),
        ("202", requests()[3].1.respond(Status::ACCEPTED, tag)),
        ("412", publish.respond(Status::CONDITIONAL_REQUEST_FAILED, tag)),
        ("478", invite.respond(Status::UNRESOLVABLE_DESTINATION, tag)),
        ("480", worded),
        ("487", invite.respond(Status::REQUEST_TERMINATED, tag)),
        ("503", busy),
        ("699", invite.respond(Status::new(699).unwrap(), tag)),
    ]
}

pub(super) fn all() -> Vec<(&'static str, Message)> {
    let requests = requests().into_iter().map(|(name, request)| (name, request.into()));
    let responses = responses().into_iter().map(|(name, response)| (name, response.into()));
    [("invite", invite())].into_iter().chain(requests).chain(responses).collect()
}
