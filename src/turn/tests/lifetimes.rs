use super::pair::{CLIENT, KEEPALIVE, PEER, Pair, RELAY, account, server};
use crate::address::{Address, Endpoint, Port};
use crate::time::SimTime;
use crate::turn::client::{REST, Upcall};
use crate::turn::credentials::{Challenge, Nonce};
use crate::turn::message::{
    Body, Channel, Code, Data, Indication, Message, Request, Success, TransactionId,
};
use crate::turn::server::{FIRST_PORT, Output, Server};

fn at(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

/// A signed request to a relay, and what comes of it.
fn ask(server: &mut Server, now: SimTime, request: Request) -> Result<Success, Code> {
    let challenge = Challenge { realm: account().realm, nonce: Nonce::issued(now) };
    let id = TransactionId(1, now.as_nanos());
    let body = account().signed(Body::Request { id, request, auth: None }, challenge);
    match server.receive(now, CLIENT, &Message { source: CLIENT.port, body }) {
        Some(Output::Reply(Message { body: Body::Success { success, .. }, .. })) => Ok(success),
        Some(Output::Reply(Message { body: Body::Failure { failure, .. }, .. })) => {
            Err(failure.code)
        }
        other => panic!("{other:?}"),
    }
}

/// Whether what a peer sends to a port goes over a channel, if it goes anywhere.
fn arrives(server: &Server, now: u64, port: Port, from: Endpoint) -> Option<bool> {
    let data: Data = b"hello".as_slice().into();
    let (client, message) = server.arrived(at(now), port, from, &data)?;
    assert_eq!(client, CLIENT);
    Some(matches!(message.body, Body::ChannelData { .. }))
}

#[test]
fn an_allocation_lasts_600_seconds_a_permission_300_and_a_channel_600() {
    let mut server = server();
    let lifetime = None;
    let allocated = ask(&mut server, at(0), Request::Allocate { lifetime });
    let relayed = RELAY.address.at(FIRST_PORT);
    assert_eq!(allocated, Ok(Success::Allocate { relayed, mapped: CLIENT, lifetime: 600 }));
    assert_eq!(arrives(&server, 0, FIRST_PORT, PEER), None, "nobody is let in yet");
    let permit = Request::CreatePermission { peer: PEER.address };
    assert_eq!(ask(&mut server, at(10), permit), Ok(Success::CreatePermission));
    // The address counts, not the port (RFC 8656 §9).
    for from in [PEER, PEER.address.at(Port(9))] {
        assert_eq!(arrives(&server, 309, FIRST_PORT, from), Some(false));
    }
    assert_eq!(arrives(&server, 310, FIRST_PORT, PEER), None);
    let channel = Channel::FIRST;
    let bind = Request::ChannelBind { channel, peer: PEER };
    assert_eq!(ask(&mut server, at(400), bind), Ok(Success::ChannelBind));
    assert_eq!(arrives(&server, 599, FIRST_PORT, PEER), Some(true));
    assert_eq!(server.allocations(at(599)), 1);
    assert_eq!(arrives(&server, 600, FIRST_PORT, PEER), None, "the allocation is over");
    assert_eq!(server.allocations(at(600)), 0);
    assert_eq!(ask(&mut server, at(600), permit), Err(Code::ALLOCATION_MISMATCH));
    // Another one begins with nobody let in; the channel outlives its permission.
    ask(&mut server, at(601), Request::Allocate { lifetime: Some(3_000) }).unwrap();
    ask(&mut server, at(601), bind).unwrap();
    let port = Port(FIRST_PORT.0 + 1);
    let to = |server: &Server, now| arrives(server, now, port, PEER);
    assert_eq!((to(&server, 900), to(&server, 901)), (Some(true), None));
    ask(&mut server, at(1_000), permit).unwrap();
    assert_eq!(to(&server, 1_200), Some(true));
    assert_eq!(to(&server, 1_201), Some(false), "the channel was bound at 601");
}

#[test]
fn a_relay_grants_the_default_at_least_and_an_hour_at_most() {
    for (asked, granted) in [(None, 600), (Some(60), 600), (Some(900), 900), (Some(9_999), 3_600)] {
        let allocated = ask(&mut server(), at(0), Request::Allocate { lifetime: asked });
        let Ok(Success::Allocate { lifetime, .. }) = allocated else { panic!("{allocated:?}") };
        assert_eq!(lifetime, granted);
    }
}

#[test]
fn a_refresh_of_zero_ends_an_allocation() {
    let mut server = server();
    ask(&mut server, at(0), Request::Allocate { lifetime: None }).unwrap();
    let ended = ask(&mut server, at(1), Request::Refresh { lifetime: 0 });
    assert_eq!(ended, Ok(Success::Refresh { lifetime: 0 }));
    assert_eq!(server.allocations(at(1)), 0);
}

/// The first request is challenged: two round trips of 0.2 s to an allocation, a third to the
/// permission, which needs no challenge any more.
#[test]
fn a_client_has_its_address_after_two_round_trips() {
    let mut pair = Pair::new();
    let relayed = RELAY.address.at(FIRST_PORT);
    let seconds = |at: SimTime| at.as_secs_f64();
    let told: Vec<_> = pair.told.iter().map(|(at, what)| (seconds(*at), what.clone())).collect();
    let expected = [(0.4, Upcall::Allocated(relayed))];
    assert_eq!(told, expected);
    assert_eq!(pair.sent(|_| true).len(), 3);
    assert!(pair.peer_sends(PEER, b"INVITE"));
    assert!(!pair.peer_sends(Address::from_bits(9).at(Port::SIP), b"INVITE"), "nobody knows it");
}

/// Renewed after 540, 240 and 240 s, counted from the answers: an hour of it keeps everything.
#[test]
fn what_is_wanted_is_renewed_a_minute_ahead() {
    let mut pair = Pair::new();
    pair.act(|client, ctx| client.bind(ctx, PEER));
    pair.run(3_590);
    assert!(pair.peer_sends(PEER, b"still here"));
    let count = |is: fn(&Request) -> bool| {
        let it = |body: &Body| matches!(body, Body::Request { request, .. } if is(request));
        pair.sent(it).len()
    };
    // 0.6, 540, 1080, ... 3240: six.
    assert_eq!(count(|it| matches!(it, Request::Refresh { .. })), 6);
    // 0.6, 240, ... 3360: fifteen.
    assert_eq!(count(|it| matches!(it, Request::CreatePermission { .. })), 15);
    assert_eq!(count(|it| matches!(it, Request::ChannelBind { .. })), 15);
    let keepalives =
        pair.sent(|body| matches!(body, Body::Indication { indication: Indication::Binding, .. }));
    assert_eq!(keepalives.len() as u64, 3_590 / KEEPALIVE.as_secs());
}

/// After an hour the nonce is stale: 438 brings a fresh one, at the price of a round trip.
#[test]
fn a_stale_nonce_is_replaced_and_nothing_is_lost() {
    let mut pair = Pair::new();
    pair.run(3_700);
    let stale = |(_, by_client, body): &(SimTime, bool, Body)| match body {
        Body::Failure { failure, .. } if !by_client => failure.code == Code::STALE_NONCE,
        _ => false,
    };
    assert_eq!(pair.seen.iter().filter(|it| stale(it)).count(), 1);
    assert!(!pair.told.iter().any(|(_, what)| *what == Upcall::Lost));
    assert!(pair.peer_sends(PEER, b"still here"));
}

/// What goes over a channel has 4 octets more, over an indication 36.
#[test]
fn data_goes_over_the_channel_as_soon_as_that_is_bound() {
    let mut pair = Pair::new();
    let data: Data = b"1234".as_slice().into();
    let say = |pair: &mut Pair| {
        let data = data.clone();
        pair.act(|client, ctx| client.send(ctx, PEER, data));
        pair.seen.last().map(|(_, _, body)| crate::turn::codec::encoded_len(body))
    };
    assert_eq!(say(&mut pair), Some(4 + 36));
    pair.act(|client, ctx| client.bind(ctx, PEER));
    assert_eq!(say(&mut pair), Some(4 + 4));
    assert_eq!(pair.relayed, [(FIRST_PORT, PEER, data.clone()), (FIRST_PORT, PEER, data)]);
    // A second call with the same peer has the same channel: the relay would take no other.
    pair.act(|client, _| client.unbind(PEER));
    pair.act(|client, ctx| client.bind(ctx, PEER));
    let bound = |body: &Body| {
        let Body::Request { request, .. } = body else { return false };
        matches!(request, Request::ChannelBind { channel: Channel::FIRST, .. })
    };
    assert_eq!(pair.sent(bound).len(), 2);
    assert!(pair.client.reaches(PEER));
}

/// The relay restarts and has forgotten everything: that is found out by the renewal at 240.6 s, and
/// made up for at once; until then all is in vain.
#[test]
fn a_relay_that_has_forgotten_is_found_out_by_the_next_renewal() {
    let mut pair = Pair::new();
    pair.run(100);
    pair.server = server();
    assert!(pair.client.reaches(PEER) && !pair.peer_sends(PEER, b"hello?"));
    pair.run(240);
    assert_eq!(pair.told.len(), 1, "nothing yet");
    pair.run(260);
    let told: Vec<_> = pair.told[1..].iter().map(|(_, what)| what.clone()).collect();
    let relayed = RELAY.address.at(FIRST_PORT);
    let expected = [Upcall::Lost, Upcall::Allocated(relayed)];
    assert_eq!(told, expected);
    assert!(pair.peer_sends(PEER, b"hello again"));
    // Nor did it know the nonce: the first request of its life is to be signed with another.
    let answers =
        pair.seen.iter().filter(|(at, by_client, _)| !by_client && at.as_secs_f64() > 240.0);
    let codes: Vec<Option<Code>> = answers
        .map(|(_, _, body)| match body {
            Body::Failure { failure, .. } => Some(failure.code),
            _ => None,
        })
        .filter(|code| *code != Some(Code::UNAUTHENTICATED))
        .take(2)
        .collect();
    assert_eq!(codes, [Some(Code::STALE_NONCE), Some(Code::ALLOCATION_MISMATCH)]);
}

/// The renewal of 240.6 s is sent seven times, up to 31.5 s later, and given up 39.5 s after the
/// first; then a pause of 30 s.
#[test]
fn a_relay_that_is_silent_is_given_up_after_39_and_a_half_seconds() {
    let mut pair = Pair::new();
    pair.run(200);
    pair.cut = true;
    pair.run(600);
    let lost: Vec<f64> = pair.told[1..].iter().map(|(at, _)| at.as_secs_f64()).collect();
    assert_eq!(lost, [240.6 + 39.5]);
    let asked = pair.sent(|body| {
        matches!(body, Body::Request { request: Request::CreatePermission { .. }, .. })
    });
    assert_eq!(asked.len(), 1 + 7);
    pair.cut = false;
    // 280.1 + 30 = 310.1, given up at 349.6; then 379.6, 449.1, 518.6, 588.1 and so on.
    let again =
        pair.sent(|body| matches!(body, Body::Request { request: Request::Allocate { .. }, .. }));
    let first = again.iter().find(|&&at| at > 1.0).copied();
    assert_eq!(first, Some(240.6 + 39.5 + REST.as_secs_f64()));
    pair.run(700);
    assert!(pair.peer_sends(PEER, b"hello again"));
}

/// Its former life's allocation stands in the way for up to ten minutes: it ends that one first.
#[test]
fn a_client_that_restarts_ends_the_allocation_of_its_former_life() {
    let mut former = Pair::new();
    former.run(50);
    let pair = Pair::with(former.server, "again");
    let asked: Vec<Request> = pair
        .seen
        .iter()
        .filter_map(|(_, _, body)| match body {
            Body::Request { request, auth: Some(_), .. } => Some(*request),
            _ => None,
        })
        .collect();
    let allocate = Request::Allocate { lifetime: None };
    let permit = Request::CreatePermission { peer: PEER.address };
    assert_eq!(asked, [allocate, Request::Refresh { lifetime: 0 }, allocate, permit]);
    assert_eq!(pair.client.relayed(), Some(RELAY.address.at(Port(FIRST_PORT.0 + 1))));
    assert_eq!(pair.server.allocations(pair.now()), 1);
}
