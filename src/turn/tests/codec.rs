use crate::address::{Address, Endpoint, Port};
use crate::net::{Payload as _, Purpose};
use crate::time::SimTime;
use crate::turn::codec::{DecodeError, decode, encode, encoded_len};
use crate::turn::credentials::{Account, Challenge, Integrity, Nonce};
use crate::turn::message::{
    Body, Channel, Code, Failure, Indication, Message, Method, Request, Success, TransactionId,
};

const ID: TransactionId = TransactionId(0xb7e7_a701, 0xbc34_d686_fa87_dfae);

fn peer() -> Endpoint {
    "192.0.2.1".parse::<Address>().unwrap().at(Port(32_853))
}

fn challenge() -> Challenge {
    Challenge { realm: "overlay.example".into(), nonce: Nonce(0x0123_4567_89ab_cdef) }
}

fn account() -> Account {
    Account { user: "bob".into(), realm: "overlay.example".into(), secret: 1 }
}

fn request(request: Request) -> Body {
    Body::Request { id: ID, request, auth: None }
}

fn success(success: Success) -> Body {
    Body::Success { id: ID, success, integrity: Some(Integrity([7; 20])) }
}

fn failure(code: Code, challenge: Option<Challenge>) -> Body {
    Body::Failure { id: ID, method: Method::Allocate, failure: Failure { code, challenge } }
}

fn indication(indication: Indication) -> Body {
    Body::Indication { id: ID, indication }
}

/// Header 20; an attribute is 4 with its value, filled up to a multiple of 4.
fn all() -> Vec<(Body, u32)> {
    let channel = Channel(0x4001);
    let (peer, mapped, relayed) = (peer(), peer(), peer());
    let data = |octets: &[u8]| octets.into();
    // USERNAME 4 + 4, REALM 4 + 16, NONCE 4 + 16, MESSAGE-INTEGRITY 4 + 20.
    let auth = 8 + 20 + 20 + 24;
    vec![
        (request(Request::Binding), 20),
        (request(Request::Allocate { lifetime: None }), 20 + 8),
        (request(Request::Allocate { lifetime: Some(1_200) }), 20 + 8 + 8),
        (account().signed(request(Request::Refresh { lifetime: 0 }), challenge()), 20 + 8 + auth),
        (
            account()
                .signed(request(Request::CreatePermission { peer: peer.address }), challenge()),
            20 + 12 + auth,
        ),
        (
            account().signed(request(Request::ChannelBind { channel, peer }), challenge()),
            20 + 8 + 12 + auth,
        ),
        (Body::Success { id: ID, success: Success::Binding { mapped }, integrity: None }, 20 + 12),
        (success(Success::Allocate { relayed, mapped, lifetime: 600 }), 20 + 12 + 8 + 12 + 24),
        (success(Success::Refresh { lifetime: 600 }), 20 + 8 + 24),
        (success(Success::CreatePermission), 20 + 24),
        (success(Success::ChannelBind), 20 + 24),
        // ERROR-CODE 4 + 4 + "Unauthenticated", 15, filled up to 16.
        (failure(Code::UNAUTHENTICATED, Some(challenge())), 20 + 24 + 20 + 20),
        // "Allocation Mismatch" is 19, "Bad Request" 11.
        (failure(Code::ALLOCATION_MISMATCH, None), 20 + 28),
        (failure(Code::BAD_REQUEST, None), 20 + 20),
        (indication(Indication::Binding), 20),
        (indication(Indication::Send { peer, data: data(b"12345") }), 20 + 12 + 12),
        (indication(Indication::Data { peer, data: data(b"1234") }), 20 + 12 + 8),
        // A channel's data are not filled up over UDP (RFC 8656 §12.5).
        (Body::ChannelData { channel, data: data(b"12345") }, 4 + 5),
    ]
}

#[test]
fn each_message_is_read_as_it_was_written_and_as_long_as_it_says() {
    for (body, length) in all() {
        let octets = encode(&body);
        assert_eq!(decode(&octets).as_ref(), Ok(&body));
        assert_eq!((octets.len() as u32, encoded_len(&body)), (length, length), "{body:?}");
        let message = Message { source: Port::TURN, body };
        assert_eq!(message.wire_len(), length);
    }
}

/// RFC 5769 §2.2: the masked address of its sample response, 192.0.2.1:32853.
#[test]
fn an_address_is_masked_as_in_the_test_vectors() {
    let success = Success::Binding { mapped: peer() };
    let octets = encode(&Body::Success { id: ID, success, integrity: None });
    assert_eq!(octets[..8], [0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42]);
    assert_eq!(octets[20..], [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
}

#[test]
fn what_is_cut_off_or_foreign_is_refused() {
    for (body, _) in all() {
        let octets = encode(&body);
        for length in 0..octets.len() {
            assert_eq!(decode(&octets[..length]), Err(DecodeError::Short), "{body:?} {length}");
        }
    }
    let mut octets = encode(&request(Request::Binding));
    octets[4] = 0;
    assert_eq!(decode(&octets), Err(DecodeError::Foreign));
    assert_eq!(decode(b"INVITE sip:bob"), Err(DecodeError::Short), "a text is longer than that");
    let text = b"INVITE sip:bob@overlay.example SIP/2.0\r\n";
    assert!(decode(text).is_err());
    // A method that is none of these, an indication of one that has none, and a refresh without
    // what it asks for.
    let changed = |first: u8, second: u8| {
        let mut octets = encode(&request(Request::Binding));
        octets[..2].copy_from_slice(&[first, second]);
        decode(&octets)
    };
    assert_eq!(changed(0, 0x02), Err(DecodeError::Type(2)));
    assert_eq!(changed(0, 0x13), Err(DecodeError::Type(0x13)));
    assert_eq!(changed(0, 0x04), Err(DecodeError::Attribute(0x000d)));
}

#[test]
fn who_has_another_key_or_another_message_is_found_out() {
    let good = account().signed(request(Request::Allocate { lifetime: None }), challenge());
    assert!(account().verifies(&good));
    assert!(!Account { secret: 2, ..account() }.verifies(&good));
    assert!(!account().verifies(&request(Request::Allocate { lifetime: None })), "it has none");
    let Body::Request { id, auth, .. } = good else { unreachable!("it is a request") };
    let request = Request::Allocate { lifetime: Some(3_600) };
    assert!(!account().verifies(&Body::Request { id, request, auth }));
}

#[test]
fn a_nonce_is_good_for_an_hour() {
    let nonce = Nonce::issued(SimTime::from_secs(100));
    assert!(!nonce.is_stale(SimTime::from_secs(3_699)));
    assert!(nonce.is_stale(SimTime::from_secs(3_700)));
}

/// RFC 7983: RTP begins with 128 to 191, and letters are below.
#[test]
fn what_is_relayed_is_booked_by_what_it_is() {
    let relayed = |octets: &[u8]| {
        let body = Body::ChannelData { channel: Channel::FIRST, data: octets.into() };
        Message { source: Port::TURN, body }.class().purpose
    };
    assert_eq!(relayed(&[0x80, 0]), Purpose::Media);
    assert_eq!(relayed(b"INVITE"), Purpose::Sip);
    let body = indication(Indication::Binding);
    assert_eq!(Message { source: Port::TURN, body }.class().purpose, Purpose::Turn);
}
