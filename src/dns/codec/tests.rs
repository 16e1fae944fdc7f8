//! Sizes that were measured on real servers, hickory-proto as an oracle, and properties.

mod update;

use std::sync::Arc;

use hickory_proto::op::Message as Oracle;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::{decode, encode, encoded_len};
use crate::address::{Address, Port};
use crate::dns::decode::DecodeError;
use crate::dns::message::{
    Contents, Edns, Kind, Message, Question, Rcode, Record, RecordData, RecordType, Soa, Srv, Ttl,
};
use crate::dns::name::DomainName;
use crate::dns::naptr::{CharacterString, Naptr};
use crate::dns::zone::{RrSet, Zone};
use crate::net::payload::Payload;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// The zone of the laboratory: `ns` and `hostmaster` in `dyndns.test`.
fn zone() -> Zone {
    let mut zone = zone_of("dyndns.test");
    zone.publish(&name("chord.dyndns.test"), &["192.0.2.1".parse().unwrap()]);
    zone
}

fn zone_of(apex: &str) -> Zone {
    let ttl = Ttl::from_secs(60);
    Zone::conventional(name(apex), "192.0.2.53".parse().unwrap(), ttl, ttl).unwrap()
}

/// Every message that the laboratory saw between Kamailio, unbound and BIND without TSIG.
#[test]
fn messages_have_the_sizes_that_were_measured() {
    let zone = zone();
    let a = Question::addresses(name("chord.dyndns.test"));
    let srv = Question::new(name("_sip._udp.chord.dyndns.test"), RecordType::SRV);
    for (query, asked, answered) in [
        // Header 12, name 19, type and class 4; the answer adds pointer 2, fixed fields 10 and
        // address 4.
        (Message::query(1, a.clone()), 35, 51),
        // The name is longer by 10; the SOA takes 2 + 10 and 38 octets of data: `ns` and
        // `hostmaster` with a pointer each are 5 + 13, the five numbers 20.
        (Message::query(2, srv.clone()), 45, 95),
        // EDNS adds 11 each way; the answer also has an NS record (2 + 10 + 5) and its address
        // (2 + 10 + 4).
        (Message::upstream_query(3, a), 46, 95),
        (Message::upstream_query(4, srv), 56, 106),
    ] {
        assert_eq!(query.wire_len(), asked, "{query:?}");
        assert_eq!(zone.respond(&query).wire_len(), answered, "{query:?}");
    }
}

#[test]
fn an_encoded_query_is_what_rfc_1035_says() {
    let query = Message::query(0xabcd, Question::addresses(name("a.bc")));
    let octets = [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1];
    assert_eq!(encode(&query), octets);
}

#[test]
fn hickory_reads_what_is_written_here() {
    let mut zone = zone();
    let target = name("ns.dyndns.test");
    let service = name("_sip._udp.chord.dyndns.test");
    let srv = Srv { priority: 10, weight: 20, port: Port::SIP, target };
    let data = Arc::new([RecordData::Srv(srv)]);
    zone.set(service.clone(), RrSet { ttl: Ttl::from_secs(30), data });

    let query = Message::upstream_query(7, Question::new(service.clone(), RecordType::SRV));
    let octets = encode(&zone.respond(&query));
    let read = Oracle::from_vec(&octets).unwrap();
    let lines = |records: &[hickory_proto::rr::Record]| -> Vec<String> {
        records.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        lines(&read.answers),
        ["_sip._udp.chord.dyndns.test. 30 IN SRV 10 20 5060 ns.dyndns.test."]
    );
    assert_eq!(lines(&read.authorities), ["dyndns.test. 60 IN NS ns.dyndns.test."]);
    assert_eq!(lines(&read.additionals), ["ns.dyndns.test. 60 IN A 192.0.2.53"]);
    assert_eq!(read.metadata.id, 7);
    assert!(read.metadata.authoritative && !read.metadata.recursion_desired);
    assert_eq!(read.edns.map(|edns| edns.max_payload()), Some(1232));

    let query = Message::query(8, Question::addresses(name("nobody.dyndns.test")));
    let read = Oracle::from_vec(&encode(&zone.respond(&query))).unwrap();
    assert_eq!(u16::from(read.metadata.response_code), 3);
    // Serial: 1, and one more for each of the four changes made above.
    let soa =
        "dyndns.test. 60 IN SOA ns.dyndns.test. hostmaster.dyndns.test. 5 1200 180 1209600 60";
    assert_eq!(lines(&read.authorities), [soa]);
}

#[test]
fn rewrite_rules_are_what_rfc_3403_says() {
    // Order 50, preference 60; flags, services and regexp each behind their length; the
    // replacement in full, though its suffix stands in the question.
    let rule = Naptr::sip_over_udp(50, 60, name("_sip._udp.a.bc"));
    let mut zone = zone_of("a.bc");
    let data = Arc::new([RecordData::Naptr(Arc::new(rule))]);
    zone.set(name("a.bc"), RrSet { ttl: Ttl::from_secs(30), data });
    let query = Message::query(1, Question::new(name("a.bc"), RecordType::NAPTR));
    let octets = encode(&zone.respond(&query));
    // Header 12, question 6 + 4; pointer, type, class, TTL, length: 2 + 2 + 2 + 4 + 2.
    let data = b"\0\x32\0\x3c\x01s\x07SIP+D2U\0\x04_sip\x04_udp\x01a\x02bc\0";
    assert_eq!(octets[22..34], [0xc0, 12, 0, 35, 0, 1, 0, 0, 0, 30, 0, data.len() as u8]);
    assert_eq!(&octets[34..], data);
    let read = Oracle::from_vec(&octets).unwrap();
    let line = r#"a.bc. 30 IN NAPTR 50 60 "s" "SIP+D2U" "" _sip._udp.a.bc."#;
    assert_eq!(read.answers[0].to_string(), line);
    // The flags say that they are longer than the data.
    let mut long = octets.clone();
    long[38] = 200;
    assert_eq!(decode(&long), Err(DecodeError::Short(octets.len())));
}

#[test]
fn what_hickory_writes_is_read_here_and_has_the_same_length() {
    let mut zone = zone();
    let rule = Naptr {
        regexp: CharacterString::new(b"!^.*$!sip:info@dyndns.test!").unwrap(),
        ..Naptr::sip_over_udp(1, 2, DomainName::root())
    };
    let rules = [rule, Naptr::sip_over_udp(3, 4, name("_sip._udp.dyndns.test"))];
    let data = rules.map(|rule| RecordData::Naptr(Arc::new(rule)));
    zone.set(name("dyndns.test"), RrSet { ttl: Ttl::from_secs(9), data: Arc::new(data) });
    for text in ["chord.dyndns.test", "dyndns.test", "nobody.dyndns.test"] {
        for rtype in
            [RecordType::A, RecordType::NS, RecordType::SOA, RecordType::SRV, RecordType::NAPTR]
        {
            let query = Message::upstream_query(9, Question::new(name(text), rtype));
            let response = zone.respond(&query);
            let octets = encode(&response);
            let theirs = Oracle::from_vec(&octets).unwrap().to_vec().unwrap();
            assert_eq!(decode(&theirs).as_ref(), Ok(&response));
            assert_eq!(theirs.len(), octets.len(), "{text} {rtype}");
        }
    }
}

#[test]
fn malformed_messages_are_refused_with_the_reason() {
    let good = encode(&Message::query(1, Question::addresses(name("a.bc"))));
    let change = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        decode(&octets)
    };
    assert_eq!(decode(&good[..good.len() - 1]), Err(DecodeError::Short(21)));
    assert_eq!(decode(&[&good[..], &[0]].concat()), Err(DecodeError::Trailing(1)));
    assert_eq!(change(2, 0x31), Err(DecodeError::Opcode(6)));
    assert_eq!(change(2, 0x02), Err(DecodeError::Truncated));
    assert_eq!(change(5, 2), Err(DecodeError::Questions(2)));
    assert_eq!(change(21, 3), Err(DecodeError::Class(3)));
    assert_eq!(change(12, 0x41), Err(DecodeError::LabelKind(12)));
    // A pointer to itself, and one forward.
    for target in [12, 14] {
        let mut octets = good[..12].to_vec();
        octets.extend([0xc0, target, 0, 1, 0, 1]);
        assert_eq!(decode(&octets), Err(DecodeError::Pointer(12)));
    }
    // The length of an address says 5.
    let zone = zone();
    let query = Message::query(1, Question::addresses(name("chord.dyndns.test")));
    let mut octets = encode(&zone.respond(&query));
    octets[46] = 5;
    assert_eq!(decode(&octets), Err(DecodeError::Data { at: 47, length: 5 }));
}

#[test]
fn a_ttl_on_the_wire_with_the_top_bit_set_is_zero() {
    let query = Message::query(1, Question::addresses(name("chord.dyndns.test")));
    let mut octets = encode(&zone().respond(&query));
    assert_eq!(octets[41..45], [0, 0, 0, 60]);
    octets[41] = 0x80;
    assert_eq!(decode(&octets).unwrap().answers[0].ttl, Ttl::ZERO);
}

fn names() -> impl Strategy<Value = DomainName> {
    // Few and short labels, so that suffixes recur and are compressed.
    vec(prop_oneof!["[a-c]{1,2}", "_sip", "x[a-z0-9-]{30,50}y"], 0..5)
        .prop_map(|labels| labels.join(".").parse().unwrap())
}

fn texts() -> impl Strategy<Value = CharacterString> {
    vec(any::<u8>(), 0..40).prop_map(|octets| CharacterString::new(&octets).unwrap())
}

/// hickory-proto takes no other flags.
fn flags() -> impl Strategy<Value = CharacterString> {
    "[A-Za-z0-9]{0,4}".prop_map(|text| CharacterString::new(text.as_bytes()).unwrap())
}

fn data() -> impl Strategy<Value = RecordData> {
    let numbers = any::<[u32; 5]>();
    prop_oneof![
        any::<u32>().prop_map(|bits| RecordData::A(Address::from_bits(bits))),
        names().prop_map(RecordData::Ns),
        (names(), names(), numbers).prop_map(
            |(mname, rname, [serial, refresh, retry, expire, m])| {
                let minimum = Ttl::from_secs(m);
                let soa = Soa { mname, rname, serial, refresh, retry, expire, minimum };
                RecordData::Soa(Arc::new(soa))
            }
        ),
        (any::<[u16; 3]>(), names()).prop_map(|([priority, weight, port], target)| {
            RecordData::Srv(Srv { priority, weight, port: Port(port), target })
        }),
        (any::<[u16; 2]>(), flags(), [texts(), texts()], names()).prop_map(
            |([order, preference], flags, [services, regexp], replacement)| {
                let rule = Naptr { order, preference, flags, services, regexp, replacement };
                RecordData::Naptr(Arc::new(rule))
            }
        ),
        // Types that are not assigned; hickory-proto refuses most empty data.
        (40_000u16..60_000, vec(any::<u8>(), 1..20))
            .prop_map(|(code, octets)| RecordData::Other(RecordType(code), octets.into())),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let record = (names(), any::<u32>(), data()).prop_map(|(name, ttl, data)| Record {
        name,
        ttl: Ttl::from_secs(ttl),
        data,
    });
    vec(record, 0..4)
}

fn messages() -> impl Strategy<Value = Message> {
    let header = (any::<u16>(), any::<[bool; 4]>(), any::<u8>());
    let question = (names(), any::<u16>());
    let edns = proptest::option::of((any::<u16>(), any::<bool>()));
    (header, question, records(), records(), records(), edns).prop_map(
        |((id, flags, rcode), (name, rtype), answers, authority, additional, edns)| {
            Message::from(Contents {
                id,
                response: flags[0],
                authoritative: flags[1],
                recursion_desired: flags[2],
                recursion_available: flags[3],
                rcode: Rcode::from_bits(rcode),
                question: Question::new(name, RecordType(rtype)),
                answers,
                authority,
                additional,
                edns: edns.map(|(payload_size, dnssec_ok)| Edns { payload_size, dnssec_ok }),
                kind: Kind::Query,
                tsig: None,
            })
        },
    )
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(2009),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_message_survives_the_wire_and_has_the_length_it_says(message in messages()) {
        let octets = encode(&message);
        prop_assert_eq!(octets.len() as u32, encoded_len(&message));
        prop_assert_eq!(decode(&octets), Ok(message.clone()));
        prop_assert_eq!(message.digest(), message.clone().digest());
    }

    #[test]
    fn hickory_understands_the_names_written_here(message in messages()) {
        let read = Oracle::from_vec(&encode(&message)).unwrap();
        let name = read.queries[0].name().to_string();
        prop_assert_eq!(name, format!("{}.", message.question.name.as_str()));
        prop_assert_eq!(read.answers.len(), message.answers.len());
        for (theirs, ours) in read.answers.iter().zip(&message.answers) {
            prop_assert_eq!(theirs.name.to_string(), format!("{}.", ours.name.as_str()));
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..200)) {
        let _ = decode(&octets);
    }

    #[test]
    fn a_damaged_message_never_panics_and_reads_the_same_again(
        message in messages(),
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

/// Each field of a message moves its digest.
#[test]
fn the_digest_covers_everything_that_is_said() {
    let query = Message::upstream_query(3, Question::addresses(name("chord.dyndns.test")));
    let base = zone().respond(&query);
    let changes: [fn(&mut Contents); 12] = [
        |message| message.id += 1,
        |message| message.response = false,
        |message| message.authoritative = false,
        |message| message.recursion_desired = true,
        |message| message.recursion_available = true,
        |message| message.rcode = Rcode::SERV_FAIL,
        |message| message.question.rtype = RecordType::SRV,
        |message| message.answers[0].ttl = Ttl::ZERO,
        |message| message.answers[0].data = RecordData::A(Address::from_bits(1)),
        |message| message.authority.clear(),
        |message| message.additional[0].name = DomainName::root(),
        |message| message.edns = None,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut changed = base.clone();
        change(&mut changed);
        assert_ne!(changed.digest(), base.digest(), "change {index}");
    }
    assert_eq!(base.digest(), base.clone().digest());
}
