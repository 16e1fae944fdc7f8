//! Every message, written and read back, has the length that it claims.

use proptest::prelude::*;

use crate::address::{Address, Endpoint, Port};
use crate::net::Payload;
use crate::overlay::chord::codec::{DecodeError, decode, encode};
use crate::overlay::chord::message::{
    Best, Header, Key, Large, Message, NodeList, RpcId, Small, Verdict, WireRecord,
};
use crate::overlay::{Contact, Directory, NodeRef, OverlayId, RingId};

const CONTACTS: u32 = 16;

fn contact(index: u32, id_octets: u8) -> Contact {
    let bits = (id_octets * 8).min(64);
    let id = RingId::from_hash(crate::rng::mix(u64::from(index)), bits);
    let address = Address::from_bits(0x0a00_0001 + index);
    // Ports differ, so that contacts do even when short identifiers coincide.
    Contact { id, endpoint: Endpoint { address, port: Port(6084 + index as u16) } }
}

fn node() -> impl Strategy<Value = NodeRef> {
    (0..CONTACTS).prop_map(NodeRef::new)
}

fn best() -> impl Strategy<Value = Best> {
    prop::collection::vec(node(), 0..=3).prop_map(|nodes| {
        let at = |i: usize| nodes.get(i).copied();
        [at(0), at(1), at(2)]
    })
}

fn list() -> impl Strategy<Value = NodeList> {
    prop::collection::vec(node(), 0..=12).prop_map(|nodes| nodes.into_iter().collect())
}

fn header() -> impl Strategy<Value = Header> {
    (1u8..=20, any::<bool>(), 0u8..64, any::<u16>()).prop_map(|(octets, maintenance, hops, rpc)| {
        Header::new(octets, maintenance, RpcId::new(rpc)).with_hops(hops)
    })
}

fn record(id_octets: u8) -> impl Strategy<Value = WireRecord> {
    let value = prop::collection::vec(any::<u8>(), 0..40);
    (any::<u64>(), any::<u64>(), any::<u32>(), value).prop_map(
        move |(key, version, lifetime, value)| WireRecord {
            key: RingId::from_hash(key, (id_octets * 8).min(64)),
            version,
            lifetime,
            value: value.into(),
        },
    )
}

fn small(h: Header) -> impl Strategy<Value = Message> {
    let key = any::<u64>()
        .prop_map(move |key| Key::from(RingId::from_hash(key, (h.id_octets() * 8).min(64))));
    let overlay = any::<u32>().prop_map(OverlayId);
    let maybe = || prop::option::of(node());
    let verdict = prop_oneof![Just(Verdict::Stored), Just(Verdict::Outdated)];
    (0..16, key, overlay, node(), maybe(), maybe(), best(), verdict).prop_map(
        move |(kind, key, overlay, node, a, b, best, verdict)| {
            Message::Small(match kind {
                0 => Small::Ping(h, overlay),
                1 => Small::Pong(h),
                2 => Small::Stabilize(h, overlay),
                3 => Small::Neighbours(h, a, b),
                4 => Small::Notify(h, node, overlay),
                5 => Small::NewSuccessor(h, node, overlay),
                6 => Small::Find(h, key, overlay),
                7 => Small::Closer(h, best),
                8 => Small::Found(h, best),
                9 => Small::Route(h, key, node),
                10 => Small::Join(h, node),
                11 => Small::Refused(h, a),
                12 => Small::Leaving(h, node, b, overlay),
                13 => Small::Fetch(h, key, overlay),
                14 => Small::NoRecord(h),
                _ => Small::StoreReply(h, verdict),
            })
        },
    )
}

fn large(h: Header) -> impl Strategy<Value = Message> {
    let overlay = any::<u32>().prop_map(OverlayId);
    let records = prop::collection::vec(record(h.id_octets()), 1..4);
    (0..6, overlay, prop::option::of(node()), list(), records).prop_map(
        move |(kind, overlay, a, list, records)| {
            Message::from(match kind {
                0 => Large::NeighbourList(h, a, list),
                1 => Large::Welcome(h, overlay, a, list),
                2 => Large::Store(h, overlay, records[0].clone()),
                3 => Large::Replicate(h, overlay, records),
                4 => Large::Fetched(h, records[0].clone()),
                _ => Large::FindAround(h, overlay, records[0].key, list),
            })
        },
    )
}

fn message() -> impl Strategy<Value = (u8, Message)> {
    header().prop_flat_map(|h| {
        (Just(h.id_octets()), prop_oneof![3 => small(h).boxed(), 2 => large(h).boxed()])
    })
}

fn directory(id_octets: u8) -> Directory {
    let mut directory = Directory::new();
    for index in 0..CONTACTS {
        directory.add(contact(index, id_octets));
    }
    directory
}

fn intern(id_octets: u8) -> impl FnMut(Contact) -> NodeRef {
    move |found| {
        let known = (0..CONTACTS).find(|&index| contact(index, id_octets) == found);
        NodeRef::new(known.expect("a contact of the directory"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_survive_the_wire_at_the_length_they_claim((id_octets, message) in message()) {
        let octets = encode(&message, &directory(id_octets));
        prop_assert_eq!(octets.len(), message.wire_len() as usize);
        let back = decode(&octets, &mut intern(id_octets));
        prop_assert_eq!(back.as_ref(), Ok(&message));
        prop_assert_eq!(back.expect("decoded").digest(), message.digest());
        for short in 0..octets.len() {
            prop_assert!(decode(&octets[..short], &mut intern(id_octets)).is_err());
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode(&octets, &mut |_| NodeRef::new(0));
    }

    #[test]
    fn different_messages_have_different_digests((_, a) in message(), (_, b) in message()) {
        prop_assert_eq!(a == b, a.digest() == b.digest());
    }
}

#[test]
fn lengths_are_those_of_the_table() {
    let header = |octets| Header::new(octets, true, RpcId::new(1));
    let (node, overlay) = (NodeRef::new(1), OverlayId(7));
    let key = Key::from(RingId(0));
    // (message, octets: by hand from the table in the module's doc)
    let table: [(Message, u32); 8] = [
        (Small::Stabilize(header(20), overlay).into(), 8),
        // 4 + two lists of one: 2 (1 + 26).
        (Small::Neighbours(header(20), Some(node), Some(node)).into(), 58),
        // 4 + 26 + 4.
        (Small::Notify(header(20), node, overlay).into(), 34),
        // 4 + 20 + 4.
        (Small::Find(header(20), key, overlay).into(), 28),
        // 4 + 1 + 3 * (4 + 6).
        (Small::Closer(header(4), [Some(node); 3]).into(), 35),
        // 4 + (1 + 26) + (1 + 8 * 26).
        (Large::NeighbourList(header(20), Some(node), NodeList::from_elem(node, 8)).into(), 240),
        // 4 + 4 + 20 + (1 + 2 * 26).
        (
            Large::FindAround(header(20), overlay, RingId(7), NodeList::from_elem(node, 2)).into(),
            81,
        ),
        // 4 + 4 + 20 + 14 + 5.
        (
            Large::Store(
                header(20),
                overlay,
                WireRecord { key: RingId(0), version: 1, lifetime: 2, value: [0; 5].into() },
            )
            .into(),
            47,
        ),
    ];
    for (message, length) in table {
        assert_eq!(message.wire_len(), length, "{message:?}");
    }
}

#[test]
fn wrong_octets_are_named() {
    let mut any = |_: Contact| NodeRef::new(0);
    let table: [(&[u8], DecodeError); 6] = [
        (&[2, 0x08, 0], DecodeError::Truncated { at: 0, missing: 1 }),
        (&[2, 0x08, 0, 0, 9], DecodeError::Trailing(1)),
        (&[17, 0x08, 0, 0], DecodeError::Kind(17)),
        (&[2, 0xa8, 0, 0], DecodeError::IdLength(21)),
        (&[16, 0x08, 0, 0, 2], DecodeError::Verdict(2)),
        (&[8, 0x08, 0, 0, 4], DecodeError::ListLength { got: 4, most: 3 }),
    ];
    for (octets, error) in table {
        assert_eq!(decode(octets, &mut any), Err(error), "{octets:?}");
    }
}
