//! A zone: its SOA, its record sets, and what it answers (RFC 1034 §4.3.2 without CNAME, wildcards
//! and delegation).

pub mod transfer;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::dns::answer::{Answer, Negative};
use crate::dns::message::{Message, Question, Rcode, Record, RecordData, RecordType, Soa, Ttl};
use crate::dns::name::{DomainName, NameError};
use transfer::{Changed, Journal};

/// The records of one name and type, which share a TTL (RFC 2181 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrSet {
    /// Their TTL.
    pub ttl: Ttl,
    /// Their data, in the order in which it is served; never empty, all of one type.
    pub data: Arc<[RecordData]>,
}

/// A zone that an authority serves.
#[derive(Clone, Debug)]
pub struct Zone {
    apex: DomainName,
    soa: Arc<Soa>,
    soa_ttl: Ttl,
    sets: BTreeMap<DomainName, Vec<RrSet>>,
    /// What has been changed, where secondaries are sent that.
    journal: Option<Journal>,
}

impl Zone {
    /// A zone without records but its SOA.
    #[must_use]
    pub fn new(apex: DomainName, soa: Soa, soa_ttl: Ttl) -> Self {
        let (soa, sets) = (Arc::new(soa), BTreeMap::new());
        Self { apex, soa, soa_ttl, sets, journal: None }
    }

    /// A zone as one is usually set up: the name server `ns` within the zone at this address, the
    /// mailbox `hostmaster`. Negative answers have `negative_ttl`, everything else `ttl`.
    ///
    /// # Errors
    /// When the apex is so long that no name fits in front of it.
    pub fn conventional(
        apex: DomainName,
        name_server: Address,
        ttl: Ttl,
        negative_ttl: Ttl,
    ) -> Result<Self, NameError> {
        let ns = apex.prefixed("ns")?;
        // Polling intervals of RFC 1912 §2.2.
        let soa = Soa {
            mname: ns.clone(),
            rname: apex.prefixed("hostmaster")?,
            serial: 1,
            refresh: 1_200,
            retry: 180,
            expire: 1_209_600,
            minimum: negative_ttl,
        };
        let mut zone = Self::new(apex.clone(), soa, negative_ttl);
        zone.set(apex, RrSet { ttl, data: Arc::new([RecordData::Ns(ns.clone())]) });
        zone.set(ns, RrSet { ttl, data: Arc::new([RecordData::A(name_server)]) });
        Ok(zone)
    }

    /// The name of the zone.
    #[must_use]
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    /// The serial of the SOA, one more after each change.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.soa.serial
    }

    /// The record set of a question, if there is one.
    #[must_use]
    pub fn rr_set(&self, question: &Question) -> Option<&RrSet> {
        self.sets.get(&question.name)?.iter().find(|set| set.rtype() == question.rtype)
    }

    /// Puts a record set in place of the one of its name and type. Returns whether that changed
    /// anything; if it did, the serial has grown.
    ///
    /// The name must lie in the zone and the set must not be empty.
    pub fn set(&mut self, name: DomainName, set: RrSet) -> bool {
        let question = Question::new(name.clone(), set.rtype());
        let before = self.rr_set(&question).cloned();
        let changed = self.place(name, set);
        if changed {
            self.advance(vec![(question, before)]);
        }
        changed
    }

    /// [`set`](Self::set), but for the serial.
    fn place(&mut self, name: DomainName, set: RrSet) -> bool {
        assert!(name.is_within(&self.apex), "{name} does not lie in the zone {}", self.apex);
        assert!(!set.data.is_empty(), "a record set holds records");
        let sets = self.sets.entry(name).or_default();
        match sets.iter_mut().find(|other| other.rtype() == set.rtype()) {
            Some(other) if *other == set => return false,
            Some(other) => *other = set,
            None => sets.push(set),
        }
        true
    }

    /// Removes a record set, but for the serial; what was there.
    fn take(&mut self, question: &Question) -> Option<RrSet> {
        let sets = self.sets.get_mut(&question.name)?;
        let place = sets.iter().position(|set| set.rtype() == question.rtype)?;
        let taken = sets.remove(place);
        if sets.is_empty() {
            self.sets.remove(&question.name);
        }
        Some(taken)
    }

    /// What the zone says to a question about a name within it. A name exists when it, or a name
    /// below it, has records (RFC 4592 §2.2).
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        if let Some(set) = self.rr_set(question) {
            return Answer::Records(set.data.clone());
        }
        if question.name == self.apex {
            return if question.rtype == RecordType::SOA {
                Answer::Records(Arc::new([RecordData::Soa(self.soa.clone())]))
            } else {
                Answer::Negative(Negative::NoData)
            };
        }
        let exists = self.sets.keys().any(|name| name.is_within(&question.name));
        Answer::Negative(if exists { Negative::NoData } else { Negative::NxDomain })
    }

    /// The authoritative response to a query about a name within the zone, as BIND gives it with
    /// `minimal-responses no-auth-recursive`: name servers and their addresses accompany positive
    /// answers to resolvers (RD clear), not to clients. Negative answers carry the SOA, with the
    /// TTL that RFC 2308 §3 prescribes.
    #[must_use]
    pub fn respond(&self, query: &Message) -> Message {
        let question = &query.question;
        let answer = self.answer(question);
        let rcode = match answer {
            Answer::Negative(Negative::NxDomain) => Rcode::NX_DOMAIN,
            _ => Rcode::NO_ERROR,
        };
        let mut response = Message::response_to(query, rcode);
        response.authoritative = true;
        if let Answer::Negative(_) = answer {
            let ttl = self.soa_ttl.min(self.soa.minimum);
            let data = RecordData::Soa(self.soa.clone());
            response.authority.push(Record { name: self.apex.clone(), ttl, data });
            return response;
        }
        let ttl = self.rr_set(question).map_or(self.soa_ttl, |set| set.ttl);
        response.answers = records(&question.name, ttl, answer.records());
        let servers = Question::new(self.apex.clone(), RecordType::NS);
        if !query.recursion_desired && servers != *question {
            response.authority = self.records_of(&servers);
        }
        response.additional = self.additional(&response);
        response
    }

    /// The addresses of the hosts that the response names, as far as they lie in the zone.
    fn additional(&self, response: &Message) -> Vec<Record> {
        let mut additional: Vec<Record> = Vec::new();
        for record in response.answers.iter().chain(&response.authority) {
            let host = match &record.data {
                RecordData::Ns(host) => host,
                RecordData::Srv(srv) => &srv.target,
                _ => continue,
            };
            if !additional.iter().any(|known| known.name == *host) {
                additional.extend(self.records_of(&Question::addresses(host.clone())));
            }
        }
        additional
    }

    fn records_of(&self, question: &Question) -> Vec<Record> {
        self.rr_set(question)
            .map_or_else(Vec::new, |set| records(&question.name, set.ttl, &set.data))
    }

    /// The next version begins, in which these record sets are no longer what they were.
    fn advance(&mut self, before: Vec<(Question, Option<RrSet>)>) {
        let from = self.journal.is_some().then(|| self.soa.clone());
        // Zero is skipped: some secondaries take it for "no serial" (RFC 2136 §3.6 allows that).
        let next = self.soa.serial.wrapping_add(1).max(1);
        Arc::make_mut(&mut self.soa).serial = next;
        let Some(from) = from else { return };
        let changed = before.into_iter().map(|(question, before)| {
            let after = self.rr_set(&question).cloned();
            Changed { question, before, after }
        });
        let (changes, to) = (changed.collect(), self.soa.clone());
        if let Some(journal) = &mut self.journal {
            journal.note(from, to, changes);
        }
    }
}

impl RrSet {
    /// The type of its records.
    #[must_use]
    pub fn rtype(&self) -> RecordType {
        self.data.first().expect("a record set holds records").rtype()
    }
}

fn records(name: &DomainName, ttl: Ttl, data: &[RecordData]) -> Vec<Record> {
    data.iter().map(|data| Record { name: name.clone(), ttl, data: data.clone() }).collect()
}

/// Shorter ways to change a zone, for tests.
#[cfg(test)]
impl Zone {
    /// Removes a record set. Returns whether there was one; if so, the serial has grown.
    pub(super) fn remove(&mut self, question: &Question) -> bool {
        let taken = self.take(question);
        let removed = taken.is_some();
        if removed {
            self.advance(vec![(question.clone(), taken)]);
        }
        removed
    }

    /// Makes these the addresses of a name, for a minute; no addresses remove the set.
    pub(crate) fn publish(&mut self, name: &DomainName, addresses: &[Address]) -> bool {
        if addresses.is_empty() {
            return self.remove(&Question::addresses(name.clone()));
        }
        let data = addresses.iter().map(|&address| RecordData::A(address)).collect();
        self.set(name.clone(), RrSet { ttl: Ttl::from_secs(60), data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Port;
    use crate::dns::answer::Reply;
    use crate::dns::message::Srv;
    use crate::dns::naptr::Naptr;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    fn zone() -> Zone {
        let server = "192.0.2.53".parse().unwrap();
        let (ttl, negative) = (Ttl::from_secs(60), Ttl::from_secs(20));
        Zone::conventional(name("dyndns.test"), server, ttl, negative).unwrap()
    }

    #[test]
    fn names_that_exist_have_no_data_and_others_do_not_exist() {
        let mut zone = zone();
        zone.publish(&name("a.b.dyndns.test"), &["192.0.2.1".parse().unwrap()]);
        let no_data = Answer::Negative(Negative::NoData);
        let nx_domain = Answer::Negative(Negative::NxDomain);
        for (text, rtype, expected) in [
            ("a.b.dyndns.test", RecordType::SRV, &no_data),
            // An empty non-terminal.
            ("b.dyndns.test", RecordType::A, &no_data),
            ("dyndns.test", RecordType::A, &no_data),
            ("c.b.dyndns.test", RecordType::A, &nx_domain),
            ("x.a.b.dyndns.test", RecordType::A, &nx_domain),
        ] {
            let query = Message::query(1, Question::new(name(text), rtype));
            assert_eq!(zone.answer(&query.question), *expected, "{text} {rtype}");
            let response = zone.respond(&query);
            assert!(response.answers.is_empty() && response.authoritative);
            assert_eq!(response.authority[0].data.rtype(), RecordType::SOA);
            assert_eq!(response.authority[0].ttl, Ttl::from_secs(20));
        }
    }

    #[test]
    fn the_ttl_of_a_negative_answer_is_the_lower_of_the_soa_s_two() {
        // RFC 2308 §3.
        for (minimum, soa_ttl, expected) in [(20, 60, 20), (60, 20, 20), (0, 60, 0)] {
            let soa = Soa { minimum: Ttl::from_secs(minimum), ..(*zone().soa).clone() };
            let zone = Zone::new(name("z"), soa, Ttl::from_secs(soa_ttl));
            let query = Message::query(1, Question::addresses(name("x.z")));
            assert_eq!(zone.respond(&query).authority[0].ttl, Ttl::from_secs(expected));
        }
    }

    #[test]
    fn the_serial_counts_changes_and_skips_zero() {
        let mut zone = zone();
        let chord = name("chord.dyndns.test");
        let [one, two]: [Address; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let start = zone.serial();
        // (addresses, whether that is a change)
        for (addresses, changed) in [
            (&[one][..], true),
            (&[one][..], false),
            (&[one, two][..], true),
            (&[two, one][..], true),
            (&[][..], true),
            (&[][..], false),
        ] {
            let before = zone.serial();
            assert_eq!(zone.publish(&chord, addresses), changed, "{addresses:?}");
            assert_eq!(zone.serial(), before + u32::from(changed));
        }
        assert_eq!(zone.serial(), start + 4);
        Arc::make_mut(&mut zone.soa).serial = u32::MAX;
        zone.publish(&chord, &[one]);
        assert_eq!(zone.serial(), 1);
    }

    #[test]
    fn all_records_of_a_set_are_served_in_their_order() {
        let mut zone = zone();
        let chord = name("chord.dyndns.test");
        let addresses = [3, 1, 2].map(Address::from_bits);
        zone.publish(&chord, &addresses);
        let rule = |order| {
            let service = chord.prefixed("_sip._udp").unwrap();
            RecordData::Naptr(Arc::new(Naptr::sip_over_udp(order, 0, service)))
        };
        let rules: Arc<[RecordData]> = Arc::new([rule(2), rule(1)]);
        zone.set(chord.clone(), RrSet { ttl: Ttl::from_secs(7), data: rules.clone() });
        // The sets of one name stand beside each other, each with its TTL.
        for (rtype, answer, ttl) in [
            (RecordType::A, Answer::of_addresses(&addresses), 60),
            (RecordType::NAPTR, Answer::Records(rules), 7),
            (RecordType::SRV, Answer::Negative(Negative::NoData), 20),
        ] {
            let query = Message::query(1, Question::new(chord.clone(), rtype));
            let reply = Reply::of(&zone.respond(&query));
            assert_eq!((reply.answer, reply.ttl), (answer, Ttl::from_secs(ttl)), "{rtype}");
        }
    }

    #[test]
    fn services_come_with_the_addresses_of_their_hosts_once() {
        let mut zone = zone();
        let ttl = Ttl::from_secs(60);
        let service = name("_sip._udp.dyndns.test");
        let srv = |priority| {
            let target = name("ns.dyndns.test");
            RecordData::Srv(Srv { priority, weight: 0, port: Port::SIP, target })
        };
        zone.set(service.clone(), RrSet { ttl, data: Arc::new([srv(1), srv(2)]) });
        let response = zone.respond(&Message::query(1, Question::new(service, RecordType::SRV)));
        assert_eq!(response.answers.len(), 2);
        assert_eq!(response.authority, []);
        assert_eq!(response.additional.len(), 1);
        assert_eq!(response.additional[0].name, name("ns.dyndns.test"));
    }
}
