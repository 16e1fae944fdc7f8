use super::pair::{CLIENT, PEER, account, server};
use crate::address::{Address, Port};
use crate::time::SimTime;
use crate::turn::Account;
use crate::turn::credentials::{Challenge, Nonce};
use crate::turn::message::{
    Body, Channel, Code, Indication, Message, Method, Request, Success, TransactionId,
};
use crate::turn::server::{FIRST_PORT, Output, Server};

const NOW: SimTime = SimTime::from_secs(5_000);

fn signed(account: &Account, id: u64, request: Request, issued: SimTime) -> Message {
    let challenge = Challenge { realm: account.realm.clone(), nonce: Nonce::issued(issued) };
    let body = Body::Request { id: TransactionId(0, id), request, auth: None };
    Message { source: CLIENT.port, body: account.signed(body, challenge) }
}

fn answer(server: &mut Server, message: &Message) -> Body {
    match server.receive(NOW, CLIENT, message) {
        Some(Output::Reply(Message { body, .. })) => body,
        other => panic!("{other:?}"),
    }
}

fn code(body: &Body) -> Option<(Code, bool)> {
    let Body::Failure { failure, .. } = body else { return None };
    Some((failure.code, failure.challenge.is_some()))
}

#[test]
fn who_does_not_show_who_it_is_is_challenged() {
    let request = Request::Allocate { lifetime: None };
    let id = TransactionId(0, 1);
    let bare = Message { source: CLIENT.port, body: Body::Request { id, request, auth: None } };
    let other = Account { secret: 1, ..account() };
    let foreign = Account { realm: "elsewhere.example".into(), ..account() };
    for (message, expected) in [
        (bare, Code::UNAUTHENTICATED),
        (signed(&other, 1, request, NOW), Code::UNAUTHENTICATED),
        (signed(&foreign, 1, request, NOW), Code::UNAUTHENTICATED),
        (signed(&account(), 1, request, SimTime::from_secs(1_400)), Code::STALE_NONCE),
    ] {
        let body = answer(&mut server(), &message);
        assert_eq!(code(&body), Some((expected, true)), "{body:?}");
        let Body::Failure { id: its, method, .. } = body else { unreachable!("it was one") };
        assert_eq!((its, method), (id, Method::Allocate));
    }
    // But anybody may ask where it is.
    let body = Body::Request { id, request: Request::Binding, auth: None };
    let body = answer(&mut server(), &Message { source: CLIENT.port, body });
    let success = Success::Binding { mapped: CLIENT };
    assert_eq!(body, Body::Success { id, success, integrity: None });
}

#[test]
fn a_request_that_comes_twice_is_answered_twice_and_a_second_allocation_is_refused() {
    let mut server = server();
    let request = Request::Allocate { lifetime: None };
    let first = answer(&mut server, &signed(&account(), 1, request, NOW));
    assert!(matches!(first, Body::Success { .. }), "{first:?}");
    assert_eq!(answer(&mut server, &signed(&account(), 1, request, NOW)), first);
    let second = answer(&mut server, &signed(&account(), 2, request, NOW));
    assert_eq!(code(&second), Some((Code::ALLOCATION_MISMATCH, false)));
    assert_eq!(server.allocations(NOW), 1);
}

/// RFC 8656 §12.2: a channel has one peer, a peer one channel, and its number is in the range.
#[test]
fn a_channel_keeps_its_peer_and_a_peer_its_channel() {
    let mut server = server();
    let request = Request::Allocate { lifetime: None };
    answer(&mut server, &signed(&account(), 1, request, NOW));
    let other = Address::from_bits(8).at(Port::SIP);
    let (first, second) = (Channel::FIRST, Channel::FIRST.next());
    for (id, channel, peer, granted) in [
        (2, first, PEER, true),
        (3, first, PEER, true),
        (4, first, other, false),
        (5, second, PEER, false),
        (6, second, other, true),
        (7, Channel(0x3fff), Address::from_bits(9).at(Port::SIP), false),
    ] {
        let request = Request::ChannelBind { channel, peer };
        let body = answer(&mut server, &signed(&account(), id, request, NOW));
        let expected = (!granted).then_some((Code::BAD_REQUEST, false));
        assert_eq!(code(&body), expected, "{request:?}");
    }
    assert_eq!(Channel::LAST.next(), Channel::FIRST);
}

#[test]
fn what_nobody_is_let_in_for_is_dropped() {
    let mut server = server();
    let request = Request::Allocate { lifetime: None };
    answer(&mut server, &signed(&account(), 1, request, NOW));
    let say = |server: &mut Server, body| {
        server.receive(NOW, CLIENT, &Message { source: CLIENT.port, body })
    };
    let data: crate::turn::message::Data = b"hello".as_slice().into();
    let send = Body::Indication {
        id: TransactionId(0, 9),
        indication: Indication::Send { peer: PEER, data: data.clone() },
    };
    let over = Body::ChannelData { channel: Channel::FIRST, data: data.clone() };
    assert_eq!(say(&mut server, send.clone()), None);
    assert_eq!(say(&mut server, over.clone()), None);
    let request = Request::ChannelBind { channel: Channel::FIRST, peer: PEER };
    answer(&mut server, &signed(&account(), 2, request, NOW));
    let relayed = Some(Output::Relay { from: FIRST_PORT, to: PEER, data: data.clone() });
    assert_eq!(say(&mut server, send), relayed);
    assert_eq!(say(&mut server, over), relayed);
    // A port that was not given away is nobody's.
    assert_eq!(server.arrived(NOW, Port(FIRST_PORT.0 + 1), PEER, &data), None);
}
