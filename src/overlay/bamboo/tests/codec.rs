//! Every message, written and read back, has the length that it claims.

use proptest::prelude::*;

use crate::address::{Address, Endpoint, Port};
use crate::net::Payload;
use crate::overlay::bamboo::Message;
use crate::overlay::bamboo::codec::{DecodeError, decode, encode};
use crate::overlay::bamboo::message::{Errand, Passage};
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::wire::{Header, NodeList, RpcId};
use crate::overlay::{Contact, Directory, NodeRef, OverlayId, RingId};

const CONTACTS: u32 = 16;

fn contact(index: u32, id_octets: u8) -> Contact {
    let id = RingId::from_hash(crate::rng::mix(u64::from(index)), (id_octets * 8).min(64));
    let address = Address::from_bits(0x0a00_0001 + index);
    // Ports differ, so that contacts do even when short identifiers coincide.
    Contact { id, endpoint: Endpoint { address, port: Port(6084 + index as u16) } }
}

/// What messages are made of.
#[derive(Clone, Debug)]
struct Parts {
    header: Header,
    overlay: OverlayId,
    node: NodeRef,
    list: NodeList,
    passage: Passage,
    octet: u8,
    records: Vec<WireRecord>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let node = || (0..CONTACTS).prop_map(NodeRef::new);
    let list = prop::collection::vec(node(), 0..=12);
    let head = (1u8..=20, any::<bool>(), 0u8..64, any::<u16>());
    let words = (any::<u64>(), any::<u16>(), any::<u8>(), any::<bool>());
    let record =
        (any::<u64>(), any::<u64>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40));
    let records = prop::collection::vec(record, 1..4);
    (head, any::<u32>(), node(), list, words, node(), records).prop_map(
        |((octets, maintenance, hops, rpc), overlay, node, list, words, origin, records)| {
            let id = |bits| RingId::from_hash(bits, (octets * 8).min(64));
            let (key, tag, octet, joins) = words;
            let errand = if joins { Errand::Join } else { Errand::Find };
            Parts {
                header: Header::new(octets, maintenance, RpcId::new(rpc)).with_hops(hops),
                overlay: OverlayId(overlay),
                node,
                list: list.into_iter().collect(),
                passage: Passage {
                    key: id(key),
                    origin,
                    tag: RpcId::new(tag),
                    timeouts: octet,
                    errand,
                },
                octet,
                records: records
                    .into_iter()
                    .map(|(key, version, lifetime, value)| WireRecord {
                        key: id(key),
                        version,
                        lifetime,
                        value: value.into(),
                    })
                    .collect(),
            }
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    (0..19, parts()).prop_map(|(kind, parts)| {
        let Parts { header: h, overlay, node, list, passage, octet, mut records } = parts;
        match kind {
            0 => Message::Ping(h, overlay),
            1 => Message::Pong(h),
            2 => Message::Ack(h),
            3 => Message::Leaves(h, overlay, node, list),
            4 => Message::LeavesReply(h, list),
            5 => Message::RowRequest(h, overlay, octet, node),
            6 => Message::Row(h, list),
            7 => Message::JoinRow(h, overlay, list),
            8 => Message::Route(h, overlay, passage),
            9 => Message::Found(h, passage.tag, octet, list),
            10 => Message::Welcome(h, overlay, node, passage.tag, list),
            11 => Message::Refused(h),
            12 => Message::Leaving(h, overlay, node, list),
            13 => Message::Store(h, overlay, records.remove(0)),
            14 => Message::StoreReply(h, [Verdict::Stored, Verdict::Outdated][octet as usize % 2]),
            15 => Message::Fetch(h, overlay, passage.key),
            16 => Message::Fetched(h, records.remove(0)),
            17 => Message::NoRecord(h),
            _ => Message::Replicate(h, overlay, records),
        }
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
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_survive_the_wire_at_the_length_they_claim(message in message()) {
        let id_octets = message.header().id_octets();
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
    fn different_messages_have_different_digests(a in message(), b in message()) {
        prop_assert_eq!(a == b, a.digest() == b.digest());
    }
}

#[test]
fn lengths_are_those_of_the_table() {
    let header = Header::new(20, true, RpcId::new(1));
    let (node, overlay, tag) = (NodeRef::new(1), OverlayId(7), RpcId::new(9));
    let list = |n| NodeList::from_elem(node, n);
    let passage = Passage { key: RingId(0), origin: node, tag, timeouts: 0, errand: Errand::Find };
    // (message, octets: by hand from the table in the module's doc, with L = 20 and C = 26)
    let table: [(Message, u32); 7] = [
        (Message::Ping(header, overlay), 8),
        (Message::Ack(header), 4),
        // 9 + 26 + 8 * 26.
        (Message::Leaves(header, overlay, node, list(8)), 243),
        // 5 + 15 * 26.
        (Message::Row(header, list(15)), 395),
        // 12 + 20 + 26.
        (Message::Route(header, overlay, passage), 58),
        // 8 + 4 * 26.
        (Message::Found(header, tag, 0, list(4)), 112),
        // 11 + 26 + 8 * 26.
        (Message::Welcome(header, overlay, node, tag, list(8)), 245),
    ];
    for (message, length) in table {
        assert_eq!(message.wire_len(), length, "{message:?}");
    }
}

#[test]
fn wrong_octets_are_named() {
    let mut any = |_: Contact| NodeRef::new(0);
    // Identifiers of one octet: a contact has 7. The errand of a Route is its last octet.
    let route = |tag: u8, errand: u8| {
        let mut octets = vec![9, 0x08, 0, 0, 0, 0, 0, 7];
        octets.extend([0; 8]);
        octets.extend([tag, 0, 0, errand]);
        octets
    };
    let table: [(Vec<u8>, DecodeError); 5] = [
        (vec![3, 0x08, 0], DecodeError::Truncated { at: 0, missing: 1 }),
        (vec![3, 0x08, 0, 0, 9], DecodeError::Trailing(1)),
        (vec![20, 0x08, 0, 0], DecodeError::Kind(20)),
        (route(0, 2), DecodeError::Errand(2)),
        (route(0x10, 0), DecodeError::Label(0x1000)),
    ];
    for (octets, error) in table {
        assert_eq!(decode(&octets, &mut any), Err(error), "{octets:?}");
    }
    assert!(decode(&route(0x0f, 1), &mut any).is_ok());
}
