//! Every message, written and read back, has the length that it claims.

use proptest::prelude::*;

use crate::address::Address;
use crate::address::Port;
use crate::net::Payload;
use crate::overlay::kademlia::Message;
use crate::overlay::kademlia::codec::{decode, encode};
use crate::overlay::kademlia::message::Sender;
use crate::overlay::records::{Verdict, WireRecord};
use crate::overlay::wire::{DecodeError, Header, NodeList, RpcId};
use crate::overlay::{Contact, Directory, NodeRef, OverlayId, RingId};
use crate::rng::mix;

const CONTACTS: u32 = 16;

fn directory(id_octets: u8) -> Directory {
    let mut directory = Directory::new();
    for index in 0..CONTACTS {
        directory.add(contact(index, id_octets));
    }
    directory
}

fn contact(index: u32, id_octets: u8) -> Contact {
    let id = RingId::from_hash(mix(u64::from(index)), (id_octets * 8).min(64));
    // Addresses differ, so that contacts do even when short identifiers coincide.
    Contact { id, endpoint: Address::from_bits(0x0a00_0001 + index).at(Port(6084)) }
}

fn node() -> impl Strategy<Value = NodeRef> {
    (0..CONTACTS).prop_map(NodeRef::new)
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

fn of(header: Header) -> impl Strategy<Value = Message> {
    let key =
        any::<u64>().prop_map(move |key| RingId::from_hash(key, (header.id_octets() * 8).min(64)));
    let sender = (node(), any::<u32>())
        .prop_map(|(node, overlay)| Sender { node, overlay: OverlayId(overlay) });
    let nodes = prop::collection::vec(node(), 0..=20)
        .prop_map(|nodes| nodes.into_iter().collect::<NodeList>());
    let records = prop::collection::vec(record(header.id_octets()), 1..4);
    let verdict = prop_oneof![Just(Verdict::Stored), Just(Verdict::Outdated)];
    (0..10, sender, key, nodes, records, verdict).prop_map(
        move |(kind, sender, key, nodes, records, verdict)| match kind {
            0 => Message::Ping(header, sender),
            1 => Message::Pong(header),
            2 => Message::FindNode(header, sender, key),
            3 => Message::Nodes(header, sender.overlay, nodes),
            4 => Message::FindValue(header, sender, key),
            5 => Message::Value(header, records[0].clone(), nodes),
            6 => Message::Store(header, sender, records[0].clone()),
            7 => Message::Stored(header, verdict),
            8 => Message::Replicate(header, sender, records),
            _ => Message::Leaving(header, sender),
        },
    )
}

fn message() -> impl Strategy<Value = (u8, Message)> {
    (1u8..=20, any::<bool>(), any::<u16>()).prop_flat_map(|(octets, maintenance, rpc)| {
        (Just(octets), of(Header::new(octets, maintenance, RpcId::new(rpc))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_survive_the_wire_at_the_length_they_claim((id_octets, message) in message()) {
        let octets = encode(&message, &directory(id_octets));
        prop_assert_eq!(octets.len(), message.wire_len() as usize);
        let mut intern = |found| {
            let known = (0..CONTACTS).find(|&index| contact(index, id_octets) == found);
            NodeRef::new(known.expect("a contact of the directory"))
        };
        let back = decode(&octets, &mut intern);
        prop_assert_eq!(back.as_ref(), Ok(&message));
        prop_assert_eq!(back.expect("decoded").digest(), message.digest());
        for short in 0..octets.len() {
            prop_assert!(decode(&octets[..short], &mut intern).is_err());
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
    let sender = Sender { node: NodeRef::new(1), overlay: OverlayId(7) };
    let value = |length| vec![0u8; length].into_boxed_slice();
    let record =
        |length| WireRecord { key: RingId(0), version: 1, lifetime: 2, value: value(length) };
    let eight = NodeList::from_elem(NodeRef::new(1), 8);
    // (message, octets: by hand from the table in the module's doc)
    let table: [(Message, u32); 5] = [
        // 4 + 26 + 4.
        (Message::Ping(header(20), sender), 34),
        // 4 + (4 + 6 + 4) + 4.
        (Message::FindNode(header(4), sender, RingId(0)), 22),
        // 4 + 4 + 1 + 8 * 26.
        (Message::Nodes(header(20), OverlayId(7), eight.clone()), 217),
        // 4 + (20 + 14 + 1024) + (1 + 8 * 26): with IP and UDP below 1,500.
        (Message::Value(header(20), record(1_024), eight), 1_271),
        // 4 + 30 + 2 + 2 * (20 + 14 + 5).
        (Message::Replicate(header(20), sender, vec![record(5), record(5)]), 114),
    ];
    for (message, length) in table {
        assert_eq!(message.wire_len(), length, "{message:?}");
    }
}

#[test]
fn wrong_octets_are_named() {
    let mut any = |_: Contact| NodeRef::new(0);
    let table: [(&[u8], DecodeError); 4] = [
        (&[2, 0x08, 0], DecodeError::Truncated { at: 0, missing: 1 }),
        (&[2, 0x08, 0, 0, 9], DecodeError::Trailing(1)),
        (&[11, 0x08, 0, 0], DecodeError::Kind(11)),
        (&[8, 0x08, 0, 0, 2], DecodeError::Verdict(2)),
    ];
    for (octets, error) in table {
        assert_eq!(decode(octets, &mut any), Err(error), "{octets:?}");
    }
}
