//! The messages of RFC 4475, octet by octet, and what becomes of each here.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{DecodeError, FieldError, UriError, decode};
use crate::address::Port;
use crate::sip::encode::{encode, encoded_len};
use crate::sip::message::{Message, Method, Request, Response};
use crate::sip::uri::{HostPart, Uri};

/// What RFC 4475 wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// §3.1.1: well formed.
    Valid,
    /// §3.1.2: malformed. Most of these may be refused or understood.
    Invalid,
    /// §3.2 to 3.4: a matter of what is above the parser, or of RFC 2543.
    Above,
}

use Part::{Above, Invalid, Valid};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rfc4475")
}

/// The names of all.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    cases().into_iter().map(|(_, name, _)| name)
}

pub(super) fn octets(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.dat"))).unwrap()
}

fn field(name: &'static str, why: FieldError) -> Option<DecodeError> {
    Some(DecodeError::Field { name, why })
}

fn unexpected(text: &str) -> FieldError {
    FieldError::Unexpected(text.to_owned())
}

fn number(text: &str) -> FieldError {
    FieldError::Number(text.to_owned())
}

fn no_scheme(text: &str) -> FieldError {
    FieldError::Uri(UriError::Scheme(text.to_owned()))
}

fn start(line: &str) -> Option<DecodeError> {
    Some(DecodeError::StartLine(line.to_owned()))
}

fn mismatch(request: Method, cseq: Method) -> Option<DecodeError> {
    Some(DecodeError::Method { request, cseq })
}

type Case = (Part, &'static str, Option<DecodeError>);

/// Each message in the order of the RFC, with the error that it gives here.
fn cases() -> Vec<Case> {
    let well = |name| (Valid, name, None);
    let above = |name| (Above, name, None);
    let bad = |name, error| (Invalid, name, error);
    let in_uri = "Route=%3Csip:example.com%3E".to_owned();
    vec![
        well("wsinv"),
        well("intmeth"),
        well("esc01"),
        well("escnull"),
        well("esc02"),
        well("lwsdisp"),
        well("longreq"),
        well("dblreq"),
        well("semiuri"),
        well("transports"),
        well("mpart01"),
        well("unreason"),
        well("noreason"),
        // Separators with nothing between them.
        bad("badinv01", field("Via", unexpected(";,;,,"))),
        // A body of 154 octets (150, and two for each longer address).
        bad("clerr", Some(DecodeError::Body { announced: 9999, there: 154 })),
        bad("ncl", field("Content-Length", number("-999"))),
        bad("scalar02", field("CSeq", number("36893488147419103232"))),
        bad("scalarlg", field("CSeq", number("9292394834772304023312"))),
        bad("quotbal", field("To", FieldError::Unquoted)),
        bad("ltgtruri", {
            let text = "<sip:user@example.com>".to_owned();
            Some(DecodeError::RequestUri(UriError::Scheme(text)))
        }),
        bad("lwsruri", start("INVITE sip:user@example.com; lr SIP/2.0")),
        bad("lwsstart", start("INVITE  sip:user@example.com  SIP/2.0")),
        bad("trws", start("OPTIONS sip:remote-target@example.com SIP/2.0  ")),
        bad("escruri", Some(DecodeError::RequestUri(UriError::Headers(in_uri)))),
        // The date's time zone is wrong; nothing here acts on a date, so it is passed on.
        bad("baddate", None),
        bad("regbadct", field("Contact", unexpected("?Route=%3Csip:sip.example.com%3E"))),
        // The RFC lets one be liberal with this and the next: these are refused too.
        bad("badaspec", field("To", no_scheme(" sip:t.watson@example.org "))),
        bad("baddn", field("From", no_scheme("Bell"))),
        bad("badvers", Some(DecodeError::Version("SIP/7.0".into()))),
        bad("mismatch01", mismatch(Method::Options, Method::Invite)),
        bad("mismatch02", mismatch(Method::Other("NEWMETHOD".into()), Method::Invite)),
        bad("bigcode", Some(DecodeError::Status("4294967301".into()))),
        // A branch of the cookie alone: transactions have to see to it.
        above("badbranch"),
        // No From, To, Call-ID: without them no message can be answered, so none is made.
        (Above, "insuf", Some(DecodeError::Missing("From"))),
        above("unkscm"),
        above("novelsc"),
        above("unksm2"),
        above("bext01"),
        above("invut"),
        above("regaut01"),
        // Two of what may be there once: a message holds one of each.
        (Above, "multi01", Some(DecodeError::Twice("CSeq"))),
        (Above, "mcl01", Some(DecodeError::Twice("Content-Length"))),
        above("bcast"),
        above("zeromf"),
        above("cparam01"),
        above("cparam02"),
        above("regescrt"),
        above("sdp01"),
        above("inv2543"),
    ]
}

#[test]
fn every_message_is_read_or_refused_as_it_should_be() {
    for (part, name, error) in cases() {
        let read = decode(&octets(name));
        assert_eq!(read.as_ref().err(), error.as_ref(), "{part:?} {name}");
        assert!(part != Valid || read.is_ok(), "{name} is valid");
        let Ok(message) = read else { continue };
        let again = encode(&message);
        assert_eq!(decode(&again).as_ref(), Ok(&message), "{name}");
        assert_eq!(again.len(), encoded_len(&message) as usize, "{name}");
    }
}

#[test]
fn every_message_of_the_rfc_is_tried() {
    let mut files: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let mut tried: Vec<&str> = names().collect();
    files.sort();
    tried.sort_unstable();
    assert_eq!(files, tried);
    // 13 in §3.1.1, 19 in §3.1.2, 1 in §3.2, 15 in §3.3, 1 in §3.4.
    assert_eq!(tried.len(), 13 + 19 + 1 + 15 + 1);
}

fn request(name: &str) -> Request {
    match decode(&octets(name)) {
        Ok(Message::Request(request)) => *request,
        other => panic!("{name}: {other:?}"),
    }
}

fn response(name: &str) -> Response {
    match decode(&octets(name)) {
        Ok(Message::Response(response)) => *response,
        other => panic!("{name}: {other:?}"),
    }
}

fn others(request: &Request) -> Vec<(&str, &str)> {
    request.headers.other.iter().map(|(name, value)| (&**name, &**value)).collect()
}

#[test]
fn a_short_tortuous_invite() {
    let wsinv = request("wsinv");
    assert_eq!(wsinv.uri.to_string(), "sip:vivekg@chair-dnrc.example.com;unknownparam");
    let headers = &wsinv.headers;
    assert_eq!(headers.to.tag.as_deref(), Some("1918181833n"));
    assert_eq!(headers.from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(headers.from.tag.as_deref(), Some("98asjd8"));
    assert_eq!((headers.max_forwards, headers.cseq), (Some(68), 9));
    let vias: Vec<String> = headers.via.iter().map(ToString::to_string).collect();
    assert_eq!(
        vias,
        [
            "SIP/2.0/UDP 192.0.2.2;branch=390skdjuw",
            "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8",
            "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
        ]
    );
    let route = "<sip:services.example.com;lr;unknownwith=value;unknown-no-value>";
    assert_eq!(headers.route[0].to_string(), route);
    let contact = &headers.contact.as_slice()[0];
    assert_eq!(contact.address.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.q, Some(330));
    let parameters: Vec<String> =
        contact.address.parameters.iter().map(ToString::to_string).collect();
    assert_eq!(parameters, [";newparam=newvalue", ";secondparam"]);
    let expected = [
        ("s", ""),
        ("NewFangledHeader", "newfangled value continued newfangled value"),
        ("UnknownHeaderWithUnusualValue", ";;,,;;,;"),
    ];
    assert_eq!(others(&wsinv), expected);
    assert_eq!(wsinv.body.len(), 150);
}

#[test]
fn a_wide_range_of_valid_characters() {
    let intmeth = request("intmeth");
    assert_eq!(intmeth.method.as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let user = "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*\
                :&it+has=1,weird!*pas$wo~d_too.(doesn't-it)";
    assert_eq!(intmeth.uri.sip().unwrap().user.as_deref(), Some(user));
    let headers = &intmeth.headers;
    assert_eq!(headers.to.display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    assert_eq!(headers.from.display.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(headers.from.tag.as_deref(), Some("_token~1'+`*%!-."));
    let odd = &headers.from.parameters[0];
    assert_eq!(&*odd.name, "fromParam''~+*_!.-%");
    assert_eq!(odd.value.as_deref(), Some("\"работающий\""));
    assert_eq!(&*headers.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
    assert_eq!(others(&intmeth), [("extensionHeader-!.%*+_`'~", "\u{feff}大停電")]);
}

#[test]
fn percent_signs_mean_something_only_in_uris() {
    let esc01 = request("esc01");
    assert_eq!(esc01.uri.to_string(), "sip:sips%3Auser%40example.com@example.net");
    let contact = esc01.headers.contact.as_slice()[0].to_string();
    assert_eq!(contact, "<sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>");
    let nulls = request("escnull").headers.contact;
    let users: Vec<_> =
        nulls.as_slice().iter().map(|it| it.address.uri.sip().unwrap().user.clone()).collect();
    assert_eq!(users, [Some("%00".into()), Some("%00%00".into())]);
    let esc02 = request("esc02");
    assert_eq!(esc02.method, Method::Other("RE%47IST%45R".into()));
    assert_eq!(esc02.headers.to.display.as_deref(), Some("%Z%45"));
    assert_eq!(esc02.headers.contact.as_slice().len(), 2);
    assert_eq!(others(&esc02), [("C%6Fntact", "<sip:alias2@host2.example.com>")]);
}

#[test]
fn the_other_valid_requests() {
    assert_eq!(request("lwsdisp").headers.from.display.as_deref(), Some("caller"));
    let longreq = request("longreq");
    assert_eq!(longreq.headers.via.len(), 34);
    assert_eq!(longreq.headers.via[33].received, Some("192.0.2.5".parse().unwrap()));
    let to = longreq.headers.to.uri.sip().unwrap();
    assert_eq!((to.port, to.parameters.len()), (Some(Port(6000)), 3));
    // What follows the message in the datagram is not its body.
    let dblreq = request("dblreq");
    assert_eq!((dblreq.method, dblreq.body.len()), (Method::Register, 0));
    let semiuri = request("semiuri");
    let user = semiuri.uri.sip().unwrap();
    assert_eq!(user.user.as_deref(), Some("user;par=u%40example.net"));
    assert_eq!(user.host, HostPart::name("example.com"));
    let transports = request("transports").headers.via;
    let names: Vec<&str> = transports.iter().map(|via| &*via.transport).collect();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    let mpart01 = request("mpart01");
    assert_eq!(mpart01.body.len(), 553);
    assert!(octets("mpart01").ends_with(&mpart01.body));
    assert_eq!(mpart01.headers.via[0].rport, Some(None));
}

#[test]
fn reasons_may_say_anything_or_nothing() {
    let unreason = response("unreason");
    let reason = "= 2**3 * 5**2 но сто девяносто девять - простое";
    assert_eq!((unreason.status.code(), unreason.reason()), (200, reason));
    let noreason = response("noreason");
    assert_eq!((noreason.status.code(), noreason.reason()), (100, ""));
}

#[test]
fn what_is_for_those_above_is_passed_on_whole() {
    assert_eq!(request("badbranch").headers.via[0].branch.as_deref(), Some("z9hG4bK"));
    let opaque = "nobodyKnowsThisScheme:totallyopaquecontent";
    assert_eq!(request("unkscm").uri, Uri::Other(opaque.into()));
    assert_eq!(request("novelsc").uri, Uri::Other("soap.beep://192.0.2.103:3002".into()));
    let unksm2 = request("unksm2").headers;
    assert_eq!(unksm2.to.uri, Uri::Other("isbn:2983792873".into()));
    assert_eq!(unksm2.from.uri, Uri::Other("http://www.example.com".into()));
    assert_eq!(unksm2.contact.as_slice()[0].address.uri, Uri::Other("name:John_Smith".into()));
    assert_eq!(others(&request("bext01")).len(), 2);
    assert_eq!(request("invut").body.len(), 40);
    assert_eq!(request("zeromf").headers.max_forwards, Some(0));
    // A parameter of the field, and one of the URI.
    let cparam01 = &request("cparam01").headers.contact.as_slice()[0].address.clone();
    assert_eq!((cparam01.parameters.len(), cparam01.uri.sip().unwrap().parameters.len()), (1, 0));
    let cparam02 = &request("cparam02").headers.contact.as_slice()[0].address.clone();
    assert_eq!((cparam02.parameters.len(), cparam02.uri.sip().unwrap().parameters.len()), (0, 1));
    let regescrt = request("regescrt").headers.contact.as_slice()[0].address.uri.clone();
    let route = Some("Route=%3Csip:sip.example.com%3E");
    assert_eq!(regescrt.sip().unwrap().headers.as_deref(), route);
    let inv2543 = request("inv2543");
    assert_eq!((inv2543.headers.via[0].branch.as_deref(), inv2543.headers.from.tag), (None, None));
    assert!(inv2543.body.starts_with(b"v=0\r\n"));
}
