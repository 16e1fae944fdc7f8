//! Another implementation reads the same values in what is written here.

use ezk_sip_types::Headers as Theirs;
use ezk_sip_types::Name;
use ezk_sip_types::header::typed::{
    CSeq, CallID, Contact, ContentLength, ContentType, Event, Expires, FromTo, MaxForwards,
    MinExpires, RetryAfter, Routing, SubscriptionState, Via,
};
use ezk_sip_types::header::{ConstNamed, DecodeValues};
use ezk_sip_types::msg::{MessageLine, PullParser};
use ezk_sip_types::print::AppendCtx;
use ezk_sip_types::uri::{NameAddr, SipUri};

use super::samples;
use crate::sip::encode::encode;
use crate::sip::header::{Headers, NameAddress};
use crate::sip::message::{Body, Message};

/// The oracle ends a quoted string at an escaped quote, so the samples get a plain name.
fn all() -> Vec<(&'static str, Message)> {
    let mut all = samples::all();
    for (_, message) in &mut all {
        let headers = match message {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        };
        headers.from.display = headers.from.display.is_some().then(|| "Alice Smith".into());
    }
    all
}

fn read(octets: &[u8]) -> (MessageLine, Theirs, &[u8]) {
    let mut lines = PullParser::new(octets, 0);
    let text = |line: &[u8]| std::str::from_utf8(line).unwrap().to_owned();
    let start = text(lines.next().unwrap().unwrap()).parse().unwrap();
    let mut headers = Theirs::new();
    for line in lines.by_ref() {
        let line = text(line.unwrap());
        let (name, value) = line.split_once(':').unwrap();
        headers.insert(name, value.trim());
    }
    let body = &octets[lines.head_end()..];
    (start, headers, body)
}

fn get<H: ConstNamed + DecodeValues>(headers: &Theirs) -> Option<H> {
    headers.try_get_named().map(|read| read.unwrap_or_else(|error| panic!("{error:?}")))
}

fn printed(uri: &SipUri) -> String {
    uri.default_print_ctx().to_string()
}

fn check_address(theirs: &NameAddr, ours: &NameAddress) {
    assert_eq!(printed(&theirs.uri), ours.uri.to_string());
    assert_eq!(theirs.name.as_ref().map(|name| name.as_str()), ours.display.as_deref());
}

fn check_routes(theirs: &Theirs, name: Name, ours: &[NameAddress]) {
    let theirs: Vec<Routing> = theirs.try_get(name).map_or_else(Vec::new, Result::unwrap);
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.iter().zip(ours) {
        check_address(&theirs.uri, ours);
    }
}

fn check_vias(theirs: &Theirs, ours: &Headers) {
    let vias: Vec<Via> = get(theirs).unwrap();
    assert_eq!(vias.len(), ours.via.len());
    for (theirs, ours) in vias.iter().zip(&ours.via) {
        assert_eq!(theirs.transport.as_str(), &*ours.transport);
        let host = theirs.sent_by.host.default_print_ctx().to_string();
        assert_eq!(host, ours.host.to_string());
        assert_eq!(theirs.sent_by.port, ours.port.map(|port| port.0));
        let value = |name: &str| theirs.params.get_val(name).map(ToString::to_string);
        assert_eq!(value("branch").as_deref(), ours.branch.as_deref());
        assert_eq!(value("received"), ours.received.map(|it| it.to_string()));
        assert_eq!(theirs.params.get("rport").is_some(), ours.rport.is_some());
        assert_eq!(value("rport"), ours.rport.flatten().map(|it| it.to_string()));
    }
}

fn check_contacts(theirs: &Theirs, ours: &Headers) {
    let contacts = ours.contact.as_slice();
    if contacts.is_empty() {
        return;
    }
    let theirs: Vec<Contact> = get(theirs).unwrap();
    assert_eq!(theirs.len(), contacts.len());
    for (theirs, ours) in theirs.iter().zip(contacts) {
        check_address(&theirs.uri, &ours.address);
        let value = |name: &str| theirs.params.get_val(name).map(ToString::to_string);
        assert_eq!(value("expires"), ours.expires.map(|seconds| seconds.to_string()));
        let q = value("q").map(|q| (q.parse::<f64>().unwrap() * 1000.0).round() as u16);
        assert_eq!(q, ours.q);
    }
}

fn check_headers(theirs: &Theirs, ours: &Headers, method: &str) {
    check_vias(theirs, ours);
    check_routes(theirs, Name::ROUTE, &ours.route);
    check_routes(theirs, Name::RECORD_ROUTE, &ours.record_route);
    for (name, ours) in [(Name::FROM, &ours.from), (Name::TO, &ours.to)] {
        let theirs: FromTo = theirs.get(name).unwrap();
        check_address(&theirs.uri, ours);
        assert_eq!(theirs.tag.as_ref().map(|tag| tag.as_str()), ours.tag.as_deref());
    }
    check_contacts(theirs, ours);
    let cseq: CSeq = get(theirs).unwrap();
    assert_eq!((cseq.cseq, cseq.method.to_string().as_str()), (ours.cseq, method));
    let call_id: CallID = get(theirs).unwrap();
    assert_eq!(call_id.0.as_str(), &*ours.call_id);
    assert_eq!(get::<MaxForwards>(theirs).map(|it| it.0), ours.max_forwards);
    assert_eq!(get::<Expires>(theirs).map(|it| it.0), ours.expires);
    assert_eq!(get::<MinExpires>(theirs).map(|it| it.0), ours.min_expires);
    assert_eq!(get::<RetryAfter>(theirs).map(|it| it.value), ours.retry_after);
    let content_type: Option<ContentType> = get(theirs);
    assert_eq!(content_type.as_ref().map(|it| it.0.as_str()), ours.content_type.as_deref());
    let event = get::<Event>(theirs).map(|event| event.0.to_string());
    assert_eq!(event, ours.event.as_ref().map(ToString::to_string));
    let state = get::<SubscriptionState>(theirs);
    let state = state.map(|state| state.default_print_ctx().to_string());
    assert_eq!(state, ours.subscription_state.as_ref().map(ToString::to_string));
}

fn check_body(theirs: &Theirs, body: &[u8], ours: &Body) {
    assert_eq!(body, &**ours);
    assert_eq!(get::<ContentLength>(theirs).map(|it| it.0), Some(ours.len()));
}

#[test]
fn another_implementation_reads_what_is_written_here() {
    for (name, message) in all() {
        let octets = encode(&message);
        let (start, headers, body) = read(&octets);
        match (start, &message) {
            (MessageLine::Request(theirs), Message::Request(ours)) => {
                assert_eq!(theirs.method.to_string(), ours.method.as_str(), "{name}");
                assert_eq!(printed(&theirs.uri), ours.uri.to_string());
                check_headers(&headers, &ours.headers, ours.method.as_str());
                check_body(&headers, body, &ours.body);
            }
            (MessageLine::Response(theirs), Message::Response(ours)) => {
                assert_eq!(theirs.code.into_u16(), ours.status.code());
                let reason = theirs.reason.map(|reason| reason.to_string());
                assert_eq!(reason.unwrap_or_default(), ours.reason());
                check_headers(&headers, &ours.headers, ours.method.as_str());
                check_body(&headers, body, &ours.body);
            }
            _ => panic!("{name}: one says request, the other response"),
        }
    }
}
