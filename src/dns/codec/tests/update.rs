//! Dynamic updates, their signatures and notifications: hickory-proto as an oracle, and properties.

use hickory_proto::op::OpCode;
use hickory_proto::rr::{DNSClass, RData};

use super::*;
use crate::dns::binding::{Binding, Form};
use crate::dns::tsig::{self, Key, Tsig};
use crate::dns::update::{Change, Prerequisite, Update};
use crate::time::SimTime;

fn key() -> Key {
    Key { name: name("key"), secret: 9 }
}

fn signed(update: Update) -> Message {
    let mut message = Message::update(7, name("dyndns.test"), update);
    key().sign(SimTime::from_secs(5), &mut message, None);
    message
}

/// Replaces the address of `chord.dyndns.test`, if it still is another.
fn claim(expected: Option<&[Address]>) -> Update {
    let (domain, zone) = (name("chord.dyndns.test"), name("dyndns.test"));
    let binding = Binding::new(domain, zone, Form::Addresses, Ttl::from_secs(60)).unwrap();
    binding.update(&[Address::from_bits(9)], expected)
}

#[test]
fn an_update_has_the_length_of_its_parts() {
    // Header 12; zone 13 + 4. `chord` and a pointer are 8, type to length 10: the deletion has 18
    // octets, the addition, whose name is a pointer and which has an address, 2 + 10 + 4.
    let bare = 12 + 17 + 18 + 16;
    assert_eq!(Message::update(7, name("dyndns.test"), claim(None)).wire_len(), bare);
    // The signature: the key's name 5, fixed fields 10, the algorithm 13, time 6, fudge 2, code
    // 2 + 32, ID 2, error 2, other data 2.
    let signature = 5 + 10 + 13 + 6 + 2 + 34 + 2 + 2 + 2;
    assert_eq!(signed(claim(None)).wire_len(), bare + signature);
    // A prerequisite is as long as an addition with the whole name, which then shortens the others.
    let old = [Address::from_bits(1)];
    assert_eq!(signed(claim(Some(&old))).wire_len(), bare + signature + 16);
    // BIND's answer repeats the zone and was measured at 105 octets.
    let request = signed(claim(None));
    let mut response = Message::response_to(&request, Rcode::NO_ERROR);
    key().sign(SimTime::from_secs(5), &mut response, request.tsig.as_ref().unwrap().mac.as_ref());
    assert_eq!(response.wire_len(), 105);
}

#[test]
fn hickory_reads_an_update_and_its_signature() {
    let old = [Address::from_bits(1)];
    let octets = encode(&signed(claim(Some(&old))));
    let read = Oracle::from_vec(&octets).unwrap();
    assert_eq!(read.metadata.op_code, OpCode::Update);
    assert_eq!(read.queries[0].to_string(), "dyndns.test. IN SOA");
    // Prerequisites stand in place of answers, changes in place of the authority.
    let lines = |records: &[hickory_proto::rr::Record]| -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    };
    assert_eq!(lines(&read.answers), ["chord.dyndns.test. 0 IN A 0.0.0.1"]);
    assert_eq!(read.authorities[0].dns_class, DNSClass::ANY);
    assert!(matches!(read.authorities[0].data, RData::Update0(_)));
    assert_eq!(lines(&read.authorities[1..]), ["chord.dyndns.test. 60 IN A 0.0.0.9"]);
    let theirs = read.to_vec().unwrap();
    assert_eq!(theirs.len(), octets.len());
    assert_eq!(decode(&theirs), decode(&octets));
}

#[test]
fn records_that_say_nothing_in_an_update_are_refused() {
    let good = encode(&Message::update(7, name("dyndns.test"), claim(None)));
    // The deletion begins at 29: name 8, type 37, class 39, TTL 41, length 45.
    let change = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        decode(&octets)
    };
    assert_eq!(good[39..47], [0, 255, 0, 0, 0, 0, 0, 0]);
    for (at, octet, error) in [
        (44, 1, DecodeError::Update(29)),
        (46, 1, DecodeError::Update(29)),
        (40, 253, DecodeError::Class(253)),
    ] {
        assert_eq!(change(at, octet), Err(error), "octet {at}");
    }
    // The signature is no record among others, and is one of HMAC-SHA256.
    let signed = encode(&signed(claim(None)));
    let place = good.len();
    let mut other = signed.clone();
    other[place + 5 + 10 + 1] = b'x';
    assert_eq!(decode(&other), Err(DecodeError::Tsig(place)));
    let mut not_last = signed.clone();
    not_last[11] = 2;
    not_last.extend([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
    assert_eq!(decode(&not_last), Err(DecodeError::Tsig(place)));
}

fn questions() -> impl Strategy<Value = Question> {
    // Types above those that only questions have.
    (names(), 300u16..400).prop_map(|(name, rtype)| Question::new(name, RecordType(rtype)))
}

fn prerequisites() -> impl Strategy<Value = Prerequisite> {
    prop_oneof![
        questions().prop_map(Prerequisite::Exists),
        questions().prop_map(Prerequisite::Absent),
        names().prop_map(Prerequisite::InUse),
        names().prop_map(Prerequisite::NotInUse),
        (names(), data()).prop_map(|(name, data)| Prerequisite::Holds(name, data)),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let record = (names(), any::<u32>(), data());
    prop_oneof![
        record.prop_map(|(name, ttl, data)| {
            Change::Add(Record { name, ttl: Ttl::from_secs(ttl), data })
        }),
        questions().prop_map(Change::DeleteSet),
        names().prop_map(Change::DeleteName),
        (names(), data()).prop_map(|(name, data)| Change::Delete(name, data)),
    ]
}

fn signatures() -> impl Strategy<Value = Tsig> {
    let numbers = (0u64..1 << 48, any::<[u16; 3]>(), proptest::option::of(0u64..1 << 48));
    (names(), proptest::option::of(any::<[u8; 32]>()), numbers).prop_map(
        |(key, mac, (signed, [fudge, original_id, error], server_time))| {
            let error = tsig::Error(error);
            Tsig { key, signed, fudge, mac, original_id, error, server_time }
        },
    )
}

fn updates() -> impl Strategy<Value = Message> {
    let sections = (vec(prerequisites(), 0..4), vec(changes(), 0..4));
    let head = (any::<u16>(), names(), any::<bool>());
    (head, sections, records(), proptest::option::of(signatures())).prop_map(
        |((id, zone, response), (prerequisites, changes), additional, tsig)| {
            let mut message = Message::update(id, zone, Update { prerequisites, changes });
            message.response = response;
            message.additional = additional;
            message.tsig = tsig.map(Box::new);
            message
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_update_survives_the_wire_and_has_the_length_it_says(message in updates()) {
        let octets = encode(&message);
        prop_assert_eq!(octets.len() as u32, encoded_len(&message));
        prop_assert_eq!(decode(&octets), Ok(message));
    }

    #[test]
    fn a_damaged_update_never_panics_and_reads_the_same_again(
        message in updates(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut octets = encode(&message);
        for (index, octet) in damage {
            let at = index.index(octets.len());
            octets[at] = octet;
        }
        if let Ok(read) = decode(&octets) {
            prop_assert_eq!(decode(&encode(&read)), Ok(read));
        }
    }
}
