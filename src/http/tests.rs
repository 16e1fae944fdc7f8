//! Encodings, refusals, and the decoder against arbitrary octets.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

fn request() -> Request {
    Request::get("/nic/update?hostname=chord.dyndns.org&myip=10.0.0.1")
        .with("Host", "members.dyndns.org")
        .with("Authorization", Credentials::new("user", "secret").to_header())
}

#[test]
fn messages_read_back_and_their_length_is_that_of_their_octets() {
    let empty = Response { status: Status(204), headers: Headers::default(), body: String::new() };
    for message in [
        Message::Request(request()),
        Message::Request(Request {
            method: Method::Post,
            headers: Headers::default().with("Content-Length", "4"),
            body: "a=ü".to_owned(),
            ..request()
        }),
        Message::Response(Response::text(Status::OK, "good 10.0.0.1\n")),
        Message::Response(Response::challenge("DynDNS API Access", "badauth\n")),
        Message::Response(empty),
    ] {
        let octets = message.encode();
        assert_eq!(message.wire_len() as usize, octets.len());
        assert_eq!(Message::decode(&octets), Ok(message));
    }
}

#[test]
fn the_encoding_is_that_of_the_rfc() {
    let octets = Message::Response(Response::challenge("here", "no\n")).encode();
    let expected = "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\
                    Connection: close\r\nWWW-Authenticate: Basic realm=\"here\"\r\n\r\nno\n";
    assert_eq!(String::from_utf8(octets).unwrap(), expected);
}

#[test]
fn what_is_not_one_whole_message_is_refused_with_the_reason() {
    let length = |value: &str| HttpError::Length(value.to_owned());
    for (octets, error) in [
        ("", HttpError::Incomplete),
        ("GET / HTTP/1.1\r\nHost: a\r\n", HttpError::Incomplete),
        ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", HttpError::Incomplete),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nab", HttpError::Trailing(1)),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", length("-1")),
        ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", length("+1")),
        ("GET / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", length("9999999999")),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", length("2")),
        (
            "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            HttpError::Coding("chunked".to_owned()),
        ),
        ("BREW /pot HTTP/1.1\r\n\r\n", HttpError::Method("BREW".to_owned())),
        ("HTTP/1.1 099 What\r\n\r\n", HttpError::Status(99)),
        ("GET / HTTP/2.0\r\n\r\n", HttpError::Syntax(httparse::Error::Version)),
    ] {
        assert_eq!(Message::decode(octets.as_bytes()), Err(error), "{octets:?}");
    }
    assert_eq!(
        Message::decode(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\xff"),
        Err(HttpError::NotText)
    );
}

#[test]
fn headers_are_found_without_regard_to_case_and_order_is_kept() {
    let headers = Headers::default().with("Host", "a").with("HOST", "b");
    assert_eq!(headers.value("host"), Some("a"));
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("Host", "a"), ("HOST", "b")]);
}

#[test]
#[should_panic(expected = "a field value")]
fn a_field_cannot_smuggle_another() {
    let _ = Headers::default().with("Host", "a\r\nEvil: yes");
}

fn runner() -> TestRunner {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

/// Arbitrary octets, and a good message with a few octets changed, never panic; what is read is
/// written and read again as the same.
#[test]
fn no_octets_break_the_decoder() {
    let good = Message::Request(request()).encode();
    let damaged =
        proptest::collection::vec((0..good.len(), any::<u8>()), 0..4).prop_map(move |changes| {
            let mut octets = good.clone();
            for (at, octet) in changes {
                octets[at] = octet;
            }
            octets
        });
    let octets = prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), damaged];
    runner()
        .run(&octets, |octets| {
            if let Ok(message) = Message::decode(&octets) {
                prop_assert_eq!(message.wire_len() as usize, message.encode().len());
                prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
            }
            Ok(())
        })
        .unwrap();
}
