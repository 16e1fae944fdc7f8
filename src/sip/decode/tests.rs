//! The codec as a whole: what is written, what is read, what is refused.

mod damage;
mod oracle;
mod properties;
mod samples;
mod torture;

use super::{DecodeError, FieldError, UriError, decode};
use crate::address::Port;
use crate::net::payload::Payload;
use crate::net::{Class, Packed, Protocol, Purpose, Transport};
use crate::sip::encode::{encode, encoded_len};
use crate::sip::header::{Contacts, Headers, NameAddress, SubscriptionState, Via};
use crate::sip::message::{Message, Method, Request, Status};
use crate::sip::uri::{HostPart, Uri};

/// The octets of a request with these lines more, to which a name may be given that stands there
/// anyway: then it replaces it.
fn request(lines: &[&str]) -> Vec<u8> {
    let usual = [
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "From: <sip:a@example.com>;tag=1",
        "To: <sip:b@example.com>",
        "Call-ID: c",
        "CSeq: 1 OPTIONS",
    ];
    let name = |line: &str| line.split(':').next().unwrap().to_owned();
    let kept = usual.iter().filter(|line| lines.iter().all(|more| name(more) != name(line)));
    let all: Vec<&str> = kept.chain(lines).copied().collect();
    format!("OPTIONS sip:b@example.com SIP/2.0\r\n{}\r\n\r\n", all.join("\r\n")).into_bytes()
}

fn read(lines: &[&str]) -> Headers {
    let message = decode(&request(lines)).unwrap();
    assert_eq!(decode(&encode(&message)).as_ref(), Ok(&message), "{lines:?}");
    message.headers().clone()
}

#[test]
fn a_message_is_written_in_the_order_of_its_fields() {
    let message = samples::invite();
    let text = String::from_utf8(encode(&message)).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines: Vec<&str> = head.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "INVITE sip:bob@192.0.2.9:5060 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKaaaa.0;received=192.0.2.2;rport=5060",
            "Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKbbbb;rport",
            "Max-Forwards: 69",
            "Route: <sip:chord.dyndns.org;lr>",
            "Record-Route: <sip:192.0.2.2;lr>",
            "From: \"Alice \\\"A.\\\" Smith\" <sip:alice@deebee.dsl.ru.ac.za>;tag=a1b2c3d4",
            "To: <sip:bob@chord.dyndns.org>",
            "Call-ID: 0123456789@10.0.0.7",
            "CSeq: 20 INVITE",
            "Contact: <sip:alice@10.0.0.7:5060;transport=udp>",
            "Expires: 120",
            "User-Agent: overcord",
            "Supported: replaces, outbound",
            "Content-Type: application/sdp",
            "Content-Length: 130",
        ]
    );
    assert_eq!(body.len(), 130);
}

#[test]
fn every_kind_of_message_is_read_as_it_was_written_and_has_its_length() {
    let mut digests = Vec::new();
    for (name, message) in samples::all() {
        let octets = encode(&message);
        assert_eq!(decode(&octets).as_ref(), Ok(&message), "{name}");
        assert_eq!(octets.len(), encoded_len(&message) as usize, "{name}");
        assert_eq!(message.wire_len(), encoded_len(&message), "{name}");
        digests.push(message.digest());
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "each message has a digest of its own");
}

#[test]
fn a_message_travels_by_udp_from_its_port_and_is_booked_as_sip() {
    let message = samples::invite();
    assert_eq!(message.transport(), Transport::Udp);
    assert_eq!(message.source_port(), Port::SIP);
    assert_eq!(message.class(), Class { protocol: Protocol::Sip, purpose: Purpose::Sip });
    // 28 octets of IP and UDP.
    assert_eq!(message.account().bytes, message.wire_len() + 28);
    assert!(matches!(message.pack(), Packed::Cold(_)));
}

/// A proxy of the laboratory made requests without a dialog 82 octets longer, and their responses
/// shorter again: its `Via` has a branch of the cookie, a hash of the key, a digest and the branch.
#[test]
fn a_hop_costs_what_was_measured() {
    let digest = "0123456789abcdef0123456789abcdef";
    let via = Via {
        transport: "UDP".into(),
        host: HostPart::Address("127.0.0.1".parse().unwrap()),
        port: None,
        branch: Some(format!("z9hG4bK2b1f.{digest}.0").into()),
        received: None,
        rport: None,
        parameters: Vec::new(),
    };
    let Message::Request(mut request) = samples::invite() else { panic!("a request") };
    let before = Message::Request(request.clone()).wire_len();
    request.headers.via.insert(0, via);
    // Field name 5, protocol 12, address 9, `;branch=` 8, the branch 7 + 4 + 1 + 32 + 2, line end 2.
    // OPTIONS grew from 255 to 337 octets, MESSAGE from 294 to 376.
    assert_eq!(Message::Request(request).wire_len() - before, 337 - 255);
    assert_eq!(337 - 255, 376 - 294);
}

#[test]
fn names_count_without_case_and_in_compact_form() {
    let headers = read(&[
        "v: SIP/2.0/UDP 192.0.2.1;BRANCH=z9hG4bK1",
        "m: <sip:a@192.0.2.1>;Q=0.5;EXPIRES=60",
        "o: presence;ID=7",
        "SUBSCRIPTION-state: Terminated;Reason=timeout;Retry-After=5",
        "c: text/plain",
        "k: path",
        "l: 0",
    ]);
    assert_eq!(headers.via.len(), 2);
    assert_eq!(headers.via[1], headers.via[0]);
    let contact = &headers.contact.as_slice()[0];
    assert_eq!((contact.q, contact.expires), (Some(500), Some(60)));
    let event = headers.event.unwrap();
    assert_eq!((&*event.package, event.id.as_deref()), ("presence", Some("7")));
    let over =
        SubscriptionState::Terminated { reason: Some("timeout".into()), retry_after: Some(5) };
    assert_eq!(headers.subscription_state, Some(over));
    assert_eq!(headers.content_type.as_deref(), Some("text/plain"));
    // Not typed here, so kept as it was written.
    assert_eq!(headers.other, [("k".into(), "path".into())]);
}

#[test]
fn lists_may_stand_in_one_field_or_in_several_and_be_folded() {
    let headers = read(
        &[
            "Route: <sip:a;lr>,<sip:b;lr> , \"b, <c>\" <sip:c>;x=\";,\"",
            "Route:\r\n\t<sip:d>",
            "Contact: <sip:a,b@example.com>, sip:c@example.com;expires=3,",
            "\t \"\" <sip:d@example.com>;q=1.0",
        ]
        .map(|line| line),
    );
    let routes: Vec<String> = headers.route.iter().map(ToString::to_string).collect();
    assert_eq!(routes, ["<sip:a;lr>", "<sip:b;lr>", "\"b, <c>\" <sip:c>;x=\";,\"", "<sip:d>"]);
    let contacts: Vec<String> =
        headers.contact.as_slice().iter().map(ToString::to_string).collect();
    let expected =
        ["<sip:a,b@example.com>", "<sip:c@example.com>;expires=3", "\"\" <sip:d@example.com>;q=1"];
    assert_eq!(contacts, expected);
}

#[test]
fn every_contact_may_be_meant() {
    assert_eq!(read(&["Contact: *", "Expires: 0"]).contact, Contacts::All);
    for lines in [["Contact: *", "Contact: *"], ["Contact: *", "Contact: <sip:a>"]] {
        let wrong = DecodeError::Field { name: "Contact", why: FieldError::Asterisk };
        assert_eq!(decode(&request(&lines)), Err(wrong));
    }
}

#[test]
fn display_names_say_what_was_quoted() {
    for (field, display) in [
        ("<sip:a@b.c>", None),
        ("sip:a@b.c", None),
        ("\"\" <sip:a@b.c>", Some("")),
        ("A. G.\t Bell <sip:a@b.c>", Some("A. G.\t Bell")),
        ("\"a\\\"b\\\\c\\d\"<sip:a@b.c>", Some("a\"b\\cd")),
        ("\"<sip:x>;tag=1, ü€😀\\\u{7}\" <sip:a@b.c>", Some("<sip:x>;tag=1, ü€😀\u{7}")),
    ] {
        let headers = read(&[&format!("To: {field}")]);
        assert_eq!(headers.to.display.as_deref(), display, "{field}");
        assert_eq!(headers.to.uri.to_string(), "sip:a@b.c");
    }
}

/// What a program puts into a name cannot end its line.
#[test]
fn a_line_end_in_a_name_is_written_as_a_space() {
    let uri: Uri = "sip:a@example.com".parse().unwrap();
    let named = NameAddress { display: Some("a\r\nb".into()), ..NameAddress::of(uri) };
    assert_eq!(named.to_string(), "\"a  b\" <sip:a@example.com>");
}

#[test]
fn hosts_may_be_addresses_of_either_kind() {
    let headers = read(&[
        "Via: SIP/2.0/UDP [2001:DB8::9:1]:5070;branch=z9hG4bK2;received=2001:db8::1;rport=9",
        "Contact: <sip:[::ffff:192.0.2.1]:5060;maddr=[::1]?a=b>",
        "Record-Route: <sips:[2001:db8::1];lr>",
    ]);
    let via = &headers.via[0];
    assert_eq!(via.host, HostPart::Ipv6("2001:db8::9:1".parse().unwrap()));
    assert_eq!((via.port, via.rport), (Some(Port(5070)), Some(Some(Port(9)))));
    // Nothing here is sent to it: it stays among the others.
    assert_eq!((via.received, via.parameters.len()), (None, 1));
    let contact = headers.contact.as_slice()[0].address.uri.sip().unwrap();
    assert_eq!(contact.host, HostPart::Ipv6("::ffff:192.0.2.1".parse().unwrap()));
    assert_eq!(contact.headers.as_deref(), Some("a=b"));
    assert!(headers.record_route[0].uri.sip().unwrap().secure);
}

#[test]
fn what_cannot_be_meant_is_kept_or_counts_as_the_rfc_says() {
    let headers = read(&[
        "Contact: <sip:a@b.c>;expires=soon;q=2, <sip:b@b.c>;expires;q=0.1234",
        "Subscription-State: waiting;x=1",
        "Retry-After: 18000 (in a (long) \\) meeting);duration=3600",
        "Server: of no request",
        "User-Agent: a (b)",
        "Event: presence.winfo;x=y",
    ]);
    // RFC 3261 §20.10: as 3,600 seconds; a quality that is none is no quality.
    for contact in headers.contact.as_slice() {
        assert_eq!((contact.expires, contact.q), (Some(3600), None));
        assert_eq!(contact.address.parameters.len(), 1);
    }
    assert_eq!(headers.retry_after, Some(18000));
    assert_eq!(headers.product.as_deref(), Some("a (b)"));
    assert_eq!(&*headers.event.unwrap().package, "presence.winfo");
    assert_eq!(headers.subscription_state, None);
    let waiting = ("Subscription-State".into(), "waiting;x=1".into());
    assert_eq!(headers.other, [waiting, ("Server".into(), "of no request".into())]);
}

#[test]
fn qualities_are_thousandths() {
    for (written, q, again) in [
        ("0", Some(0), ";q=0"),
        ("0.", Some(0), ";q=0"),
        ("0.5", Some(500), ";q=0.5"),
        ("0.07", Some(70), ";q=0.07"),
        ("0.001", Some(1), ";q=0.001"),
        ("0.120", Some(120), ";q=0.12"),
        ("1.000", Some(1000), ";q=1"),
        ("1.001", None, ";q=1.001"),
        ("-0", None, ";q=-0"),
        (".5", None, ";q=.5"),
    ] {
        let headers = read(&[&format!("Contact: <sip:a>;q={written}")]);
        let contact = &headers.contact.as_slice()[0];
        assert_eq!(contact.q, q, "{written}");
        assert_eq!(contact.to_string(), format!("<sip:a>{again}"));
    }
}

#[test]
fn uris_are_read_as_they_are_written() {
    for text in [
        "sip:example.com",
        "sip:alice@example.com:5060",
        "sips:1212@gateway.com",
        "sip:+358-555-1234567;postd=pp22:pw@192.0.2.1;user=phone",
        "sip:a@[2001:db8::1]:5061;lr?subject=x&to=b",
        "sip:j%40s0n@example.com;method=REGISTER;transport=tcp",
        "tel:+1-201-555-0123;ext=5",
        "urn:service:sos",
        "http://www.example.com/a?b#c",
    ] {
        assert_eq!(text.parse::<Uri>().map(|uri| uri.to_string()).as_deref(), Ok(text));
    }
    let upper: Uri = "SIP:Alice@Example.COM".parse().unwrap();
    assert_eq!(upper.to_string(), "sip:Alice@example.com");
}

#[test]
fn what_is_no_uri_is_refused_with_the_reason() {
    type Wrong = fn(String) -> UriError;
    let cases: [(&str, Wrong, &str); 21] = [
        ("", UriError::Scheme, ""),
        ("alice", UriError::Scheme, "alice"),
        ("1a:b", UriError::Scheme, "1a:b"),
        ("sip:", UriError::Host, ""),
        ("sip:@example.com", UriError::User, ""),
        ("sip::pw@example.com", UriError::User, ":pw"),
        ("sip:a b@example.com", UriError::User, "a b"),
        ("sip:a%4@example.com", UriError::User, "a%4"),
        ("sip:a@b@c", UriError::Host, "b@c"),
        ("sip:a@", UriError::Host, ""),
        ("sip:a@b..c", UriError::Host, "b..c"),
        ("sip:a@192.0.2.999", UriError::Host, "192.0.2.999"),
        ("sip:a@[::1", UriError::Host, "[::1"),
        ("sip:a@[:::]", UriError::Host, "[:::]"),
        ("sip:a@b:", UriError::Port, "b:"),
        ("sip:a@b:65536", UriError::Port, "b:65536"),
        ("sip:a@[::1]5060", UriError::Port, "[::1]5060"),
        ("sip:a@b;;lr", UriError::Parameter, ""),
        ("sip:a@b;lr=", UriError::Parameter, "lr="),
        ("sip:a@b?", UriError::Headers, ""),
        ("tel:1 2", UriError::Character, "tel:1 2"),
    ];
    for (text, wrong, what) in cases {
        assert_eq!(text.parse::<Uri>(), Err(wrong(what.to_owned())), "{text}");
    }
}

#[test]
fn the_body_is_what_the_length_says() {
    let with = |length: &str, body: &[u8]| {
        let lines: Vec<&str> = [length].into_iter().filter(|line| !line.is_empty()).collect();
        let read = decode(&[&request(&lines), body].concat())?;
        let Message::Request(read) = read else { panic!("a request") };
        Ok::<_, DecodeError>(read.body.to_vec())
    };
    // Any octets, also those that look like an end of lines; what follows is not the message's.
    let body = b"\0\xff\r\n\r\nx";
    assert_eq!(with("Content-Length: 7", body), Ok(body.to_vec()));
    assert_eq!(with("Content-Length: 3", body), Ok(body[..3].to_vec()));
    // Without a length, all that is there (RFC 3261 §18.3).
    assert_eq!(with("", body), Ok(body.to_vec()));
    let short = DecodeError::Body { announced: 8, there: 7 };
    assert_eq!(with("Content-Length: 8", body), Err(short));
}

#[test]
fn what_is_no_message_is_refused_with_the_reason() {
    let good = String::from_utf8(request(&["Max-Forwards: 70"])).unwrap();
    let change = |from: &str, to: &str| {
        assert!(good.contains(from));
        decode(good.replacen(from, to, 1).as_bytes())
    };
    let field = |name, why| Err(DecodeError::Field { name, why });
    let number = |text: &str| FieldError::Number(text.to_owned());
    let unexpected = |text: &str| FieldError::Unexpected(text.to_owned());
    let seven = good.find("70\r\n").unwrap();
    assert_eq!(decode(b""), Err(DecodeError::Incomplete));
    assert_eq!(decode(&good.as_bytes()[..good.len() - 2]), Err(DecodeError::Incomplete));
    assert_eq!(change(" 70", " 7\n0"), Err(DecodeError::LineEnd(seven + 1)));
    assert_eq!(change(" 70", " 7\r0"), Err(DecodeError::LineEnd(seven + 1)));
    let latin = good.bytes().map(|octet| if octet == b'<' { 0xe4 } else { octet });
    assert_eq!(decode(&latin.collect::<Vec<_>>()), Err(DecodeError::NotText));
    assert_eq!(
        change("Via:", "Via"),
        Err(DecodeError::Line("Via SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1".into()))
    );
    assert_eq!(
        change("Via:", "V a:"),
        Err(DecodeError::Line("V a: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1".into()))
    );
    assert_eq!(
        change("SIP/2.0/UDP", "HTTP/2.0/UDP"),
        field("Via", FieldError::Protocol("HTTP/2.0".into()))
    );
    assert_eq!(change("192.0.2.1", "!"), field("Via", FieldError::Host(String::new())));
    assert_eq!(change("z9hG4bK1", "a;branch=b"), field("Via", FieldError::Repeated("branch")));
    assert_eq!(change("tag=1", "tag=1;TAG=2"), field("From", FieldError::Repeated("tag")));
    assert_eq!(change("tag=1", "tag=1 x"), field("From", unexpected(" x")));
    assert_eq!(change("<sip:b@example.com>", "\"b"), field("To", FieldError::Unquoted));
    assert_eq!(change("<sip:b@example.com>", "<sip:b"), field("To", unexpected("sip:b")));
    assert_eq!(change("Call-ID: c", "Call-ID: c d"), field("Call-ID", unexpected(" d")));
    assert_eq!(change("Call-ID: c", "Call-ID:"), field("Call-ID", unexpected("")));
    assert_eq!(change("Call-ID: c", "Call-XD: c"), Err(DecodeError::Missing("Call-ID")));
    assert_eq!(change("CSeq: 1", "CSeq: 2147483648"), field("CSeq", number("2147483648")));
    assert_eq!(change("CSeq: 1 ", "CSeq: 1"), field("CSeq", number("1OPTIONS")));
    assert_eq!(change(" 70", " 256"), field("Max-Forwards", number("256")));
    assert_eq!(change(" 70", " +7"), field("Max-Forwards", number("+7")));
    assert_eq!(change(" 70", ""), field("Max-Forwards", number("")));
    assert_eq!(change(" 70", " 7\r\nMAX-FORWARDS: 7"), Err(DecodeError::Twice("Max-Forwards")));
    let method =
        DecodeError::Method { request: Method::Other("options".into()), cseq: Method::Options };
    assert_eq!(change("OPTIONS", "options"), Err(method));
}

#[test]
fn status_lines_have_three_digits_and_may_say_anything() {
    let status = |line: &str| {
        let request = String::from_utf8(request(&[])).unwrap();
        let (_, rest) = request.split_once("\r\n").unwrap();
        decode(format!("{line}\r\n{rest}").as_bytes()).map(|message| match message {
            Message::Response(response) => (response.status.code(), response.reason),
            Message::Request(_) => panic!("a response"),
        })
    };
    assert_eq!(status("SIP/2.0 200 OK"), Ok((200, None)));
    assert_eq!(status("sip/2.0 404 Not here"), Ok((404, Some("Not here".into()))));
    assert_eq!(status("SIP/2.0 699 "), Ok((699, None)));
    assert_eq!(status("SIP/2.0 180 "), Ok((180, Some("".into()))));
    for code in ["99", "099", "700", "20x", "0200", "+20", ""] {
        let wrong = DecodeError::Status(code.to_owned());
        assert_eq!(status(&format!("SIP/2.0 {code} OK")), Err(wrong));
    }
    assert_eq!(status("SIP/2.0 200"), Err(DecodeError::StartLine("SIP/2.0 200".into())));
    assert_eq!(status("SIP/1.0 200 OK"), Err(DecodeError::Version("SIP/1.0".into())));
}

/// Each part of a message moves its digest.
#[test]
fn the_digest_covers_everything_that_is_said() {
    let Message::Request(base) = samples::invite() else { panic!("a request") };
    let changes: [fn(&mut Request); 9] = [
        |it| it.method = Method::Bye,
        |it| it.uri = Uri::of_user("carol", HostPart::name("example.com")),
        |it| it.headers.via.truncate(1),
        |it| it.headers.max_forwards = None,
        |it| it.headers.cseq += 1,
        |it| it.headers.from.tag = None,
        |it| it.headers.expires = Some(Status::OK.code().into()),
        |it| it.headers.other.clear(),
        |it| it.body = [].into(),
    ];
    let digest = Message::Request(base.clone()).digest();
    for (index, change) in changes.iter().enumerate() {
        let mut changed = base.clone();
        change(&mut changed);
        assert_ne!(Message::Request(changed).digest(), digest, "change {index}");
    }
}
