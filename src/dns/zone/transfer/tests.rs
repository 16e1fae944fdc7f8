use super::*;
use crate::address::Address;
use crate::dns::codec::{decode, encode, encoded_len};
use crate::dns::name::DomainName;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// The zone `z.test` with a journal of four versions, and a copy of it.
fn pair() -> (Zone, Zone) {
    let ttl = Ttl::from_secs(60);
    let mut zone = Zone::conventional(name("z.test"), Address::from_bits(53), ttl, ttl).unwrap();
    let copy = zone.clone();
    zone.keep_journal(4);
    (zone, copy)
}

fn publish(zone: &mut Zone, last: &[u32]) {
    let addresses: Vec<Address> = last.iter().copied().map(Address::from_bits).collect();
    zone.publish(&name("chord.z.test"), &addresses);
}

/// The types of the records, with the serial of an SOA and the address of an A record.
fn words(records: &[Record]) -> Vec<String> {
    let word = |record: &Record| match &record.data {
        RecordData::Soa(soa) => format!("SOA {}", soa.serial),
        RecordData::A(address) => format!("A {}", address.bits()),
        other => other.rtype().to_string(),
    };
    records.iter().map(word).collect()
}

#[test]
fn serials_go_round() {
    // RFC 1982 §3.2: half of the circle lies ahead.
    for (serial, than, newer) in [
        (2, 1, true),
        (1, 1, false),
        (1, 2, false),
        (1, u32::MAX, true),
        (u32::MAX, 1, false),
        ((1 << 31) - 1, 0, true),
        (1 << 31, 0, false),
    ] {
        assert_eq!(is_newer(serial, than), newer, "{serial} than {than}");
    }
}

#[test]
fn differences_are_sent_version_by_version_and_make_the_copy_the_same() {
    let (mut zone, mut copy) = pair();
    let start = zone.serial();
    assert_eq!(words(&zone.transfer(start)), [format!("SOA {start}")]);
    publish(&mut zone, &[1]);
    publish(&mut zone, &[1, 2]);
    publish(&mut zone, &[3]);
    // Version by version: from, what goes, to, what comes; the newest at both ends.
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| format!("SOA {}", start + n));
    let sent = zone.transfer(start);
    let expected = [&d, &a, &b, "A 1", &b, &c, "A 2", &c, "A 1", "A 2", &d, "A 3", &d];
    assert_eq!(words(&sent), expected.map(str::to_owned));
    assert_eq!(kind(&sent), Some(Transfer::Content));
    for end in 0..=sent.len() {
        assert_eq!(is_whole(&sent[..end]), end == sent.len(), "{end}");
    }
    let chord = Question::addresses(name("chord.z.test"));
    assert_eq!(copy.take_over(&sent), Ok(vec![chord.clone()]));
    assert_eq!((copy.serial(), copy.rr_set(&chord)), (zone.serial(), zone.rr_set(&chord)));
    // From the middle, and once more: that is another version.
    assert_eq!(words(&zone.transfer(start + 2)).len(), 7);
    let (expected, found) = (start + 3, start);
    assert_eq!(copy.take_over(&sent), Err(TransferError::Gap { expected, found }));
    assert_eq!(copy.take_over(&sent[..1]), Err(TransferError::Ends));
    assert_eq!(copy.take_over(&sent[1..]), Err(TransferError::Ends));
}

#[test]
fn a_journal_that_does_not_reach_back_is_replaced_by_all() {
    let (mut zone, mut copy) = pair();
    let start = zone.serial();
    for last in 1..=5 {
        publish(&mut zone, &[last]);
    }
    let sent = zone.transfer(start);
    // By name: chord, the apex's NS, ns.
    let newest = format!("SOA {}", start + 5);
    assert_eq!(words(&sent), [&newest, "A 5", "A 53", "NS", &newest].map(str::to_owned));
    let chord = Question::addresses(name("chord.z.test"));
    let servers = Question::new(name("z.test"), RecordType::NS);
    let all = vec![chord.clone(), Question::addresses(name("ns.z.test")), servers];
    assert_eq!(copy.take_over(&sent), Ok(all));
    assert_eq!(copy.rr_set(&chord), zone.rr_set(&chord));
    assert_eq!(copy.serial(), zone.serial());
    // The version before is within reach.
    assert_eq!(words(&zone.transfer(start + 4)).len(), 6);
}

#[test]
fn the_order_of_a_set_is_that_of_the_primary() {
    let (mut zone, mut copy) = pair();
    let chord = Question::addresses(name("chord.z.test"));
    for last in [&[1, 2, 3][..], &[3, 2, 1], &[2, 3, 1], &[2, 9], &[9, 2], &[], &[4]] {
        publish(&mut zone, last);
        let sent = zone.transfer(copy.serial());
        assert_eq!(copy.take_over(&sent), Ok(vec![chord.clone()]), "{last:?}");
        assert_eq!(copy.rr_set(&chord), zone.rr_set(&chord), "{last:?}");
    }
    // A new TTL concerns the whole set.
    let ttl = Ttl::from_secs(5);
    zone.set(chord.name.clone(), RrSet { ttl, data: zone.rr_set(&chord).unwrap().data.clone() });
    let sent = zone.transfer(copy.serial());
    assert_eq!(sent.len(), 6);
    copy.take_over(&sent).unwrap();
    assert_eq!(copy.rr_set(&chord).unwrap().ttl, ttl);
}

#[test]
fn what_does_not_fit_into_a_datagram_is_asked_for_over_tcp() {
    let (mut zone, copy) = pair();
    publish(&mut zone, &[1]);
    let query = request(7, &copy);
    assert_eq!(decode(&encode(&query)).as_ref(), Ok(&query));
    // 12 of header; 8 of name, 4; SOA: 2 of name, 10, 5 and 13 of names, 20; EDNS 11.
    assert_eq!(encoded_len(&query), 12 + 12 + 50 + 11);
    let one = &zone.transfer_responses(&query, Some(1_232))[0];
    // Header, question, four SOAs, of which three have pointers for all names, an A record (name
    // 6 + 2, 10, 4), EDNS.
    assert_eq!((one.answers.len(), encoded_len(one)), (5, 12 + 12 + 50 + 3 * 36 + 22 + 11));
    assert_eq!(decode(&encode(one)).as_ref(), Ok(one));
    let fits = encoded_len(one);
    assert_eq!(zone.transfer_responses(&query, Some(fits))[0].answers.len(), 5);
    let small = &zone.transfer_responses(&query, Some(fits - 1))[0];
    assert_eq!(kind(&small.answers), Some(Transfer::Serial(zone.serial())));
    // Over TCP in several messages, none of them above 64 KiB.
    for last in 0..1_000 {
        let label = format!("a{last}.z.test");
        zone.publish(&name(&label), &[Address::from_bits(last)]);
    }
    let messages = zone.transfer_responses(&query, None);
    let records: Vec<Record> = messages.iter().flat_map(|it| it.answers.clone()).collect();
    // Two SOAs, NS, the addresses of ns, chord and a thousand more.
    assert_eq!((messages.len(), records.len()), (7, 1_005));
    assert!(messages.iter().all(|message| encoded_len(message) < 65_536));
    let mut other = copy;
    other.take_over(&records).unwrap();
    assert_eq!(other.questions().count(), 1_003);
}
