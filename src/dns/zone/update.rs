//! Dynamic updates of a zone (RFC 2136 §3.2, §3.4): whether prerequisites hold, and changes.

use std::collections::BTreeSet;

use super::{RrSet, Zone};
use crate::dns::answer::Answer;
use crate::dns::message::{Question, Rcode, Record, RecordData, RecordType};
use crate::dns::name::DomainName;
use crate::dns::update::{Change, Prerequisite, Update};

impl Zone {
    /// Carries an update out: all of it, or nothing. Returns the record sets that have changed; if
    /// there are any, the serial has grown by one.
    ///
    /// # Errors
    /// NOTZONE for a name outside the zone, or the code of the first prerequisite that does not
    /// hold.
    pub fn update(&mut self, update: &Update) -> Result<Vec<Question>, Rcode> {
        self.check(&update.prerequisites)?;
        if update.changes.iter().any(|change| !change.name().is_within(&self.apex)) {
            return Err(Rcode::NOT_ZONE);
        }
        let mut before: Vec<(Question, Option<RrSet>)> = Vec::new();
        for change in &update.changes {
            for question in self.concerned(change) {
                if before.iter().all(|(known, _)| *known != question) {
                    let set = self.rr_set(&question).cloned();
                    before.push((question, set));
                }
            }
            self.apply(change);
        }
        // A set has no order (RFC 2181 §5): one that differs in that alone stays as it was.
        for (question, set) in &before {
            if let (Some(was), Some(is)) = (set, self.rr_set(question))
                && (was.ttl, of_set(was)) == (is.ttl, of_set(is))
            {
                self.place(question.name.clone(), was.clone());
            }
        }
        before.retain(|(it, set)| self.rr_set(it) != set.as_ref());
        let changed: Vec<Question> = before.iter().map(|(question, _)| question.clone()).collect();
        if !changed.is_empty() {
            self.advance(before);
        }
        Ok(changed)
    }

    fn check(&self, prerequisites: &[Prerequisite]) -> Result<(), Rcode> {
        // The sets that have to be exactly what is named.
        let mut named: BTreeSet<Question> = BTreeSet::new();
        for prerequisite in prerequisites {
            if !prerequisite.name().is_within(&self.apex) {
                return Err(Rcode::NOT_ZONE);
            }
            match prerequisite {
                Prerequisite::Exists(it) if !self.has(it) => {
                    return Err(Rcode::NX_RR_SET);
                }
                Prerequisite::Absent(it) if self.has(it) => {
                    return Err(Rcode::YX_RR_SET);
                }
                Prerequisite::InUse(name) if !self.sets.contains_key(name) => {
                    return Err(Rcode::NX_DOMAIN);
                }
                Prerequisite::NotInUse(name) if self.sets.contains_key(name) => {
                    return Err(Rcode::YX_DOMAIN);
                }
                Prerequisite::Holds(name, data) => {
                    named.insert(Question::new(name.clone(), data.rtype()));
                }
                _ => {}
            }
        }
        let is_exact = |question: &Question| {
            let wanted: BTreeSet<&RecordData> = prerequisites
                .iter()
                .filter_map(|it| match it {
                    Prerequisite::Holds(name, data) => Some((name, data)),
                    _ => None,
                })
                .filter(|(name, data)| **name == question.name && data.rtype() == question.rtype)
                .map(|(_, data)| data)
                .collect();
            match self.answer(question) {
                Answer::Records(data) => data.iter().collect::<BTreeSet<_>>() == wanted,
                _ => false,
            }
        };
        if named.iter().all(is_exact) { Ok(()) } else { Err(Rcode::NX_RR_SET) }
    }

    /// Whether there is such a record set; the SOA is one (RFC 2136 §2.4).
    fn has(&self, question: &Question) -> bool {
        matches!(self.answer(question), Answer::Records(_))
    }

    /// The record sets that a change may touch.
    fn concerned(&self, change: &Change) -> Vec<Question> {
        match change {
            Change::Add(Record { name, data, .. }) | Change::Delete(name, data) => {
                vec![Question::new(name.clone(), data.rtype())]
            }
            Change::DeleteSet(question) => vec![question.clone()],
            Change::DeleteName(name) => {
                let sets = self.sets.get(name).map_or(&[][..], Vec::as_slice);
                sets.iter().map(|set| Question::new(name.clone(), set.rtype())).collect()
            }
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Add(record) => self.add(record),
            Change::DeleteSet(question) => self.delete(question),
            Change::DeleteName(_) => {
                for question in self.concerned(change) {
                    self.delete(&question);
                }
            }
            Change::Delete(name, data) => self.delete_one(name, data),
        }
    }

    pub(super) fn add(&mut self, Record { name, ttl, data }: &Record) {
        if data.rtype() == RecordType::SOA {
            return;
        }
        let question = Question::new(name.clone(), data.rtype());
        let mut all = self.rr_set(&question).map_or_else(Vec::new, |set| set.data.to_vec());
        if !all.contains(data) {
            all.push(data.clone());
        }
        self.place(name.clone(), RrSet { ttl: *ttl, data: all.into() });
    }

    /// Deletes a record set, but for the name servers of the zone (§3.4.2.3).
    fn delete(&mut self, question: &Question) {
        let is_kept = question.name == self.apex && question.rtype == RecordType::NS;
        if !is_kept {
            self.take(question);
        }
    }

    /// Deletes a record, but for the last name server of the zone (§3.4.2.4).
    fn delete_one(&mut self, name: &DomainName, data: &RecordData) {
        let question = Question::new(name.clone(), data.rtype());
        let Some(set) = self.rr_set(&question) else { return };
        let left: Vec<RecordData> = set.data.iter().filter(|it| *it != data).cloned().collect();
        if left.is_empty() {
            self.delete(&question);
        } else {
            let set = RrSet { ttl: set.ttl, data: left.into() };
            self.place(name.clone(), set);
        }
    }
}

/// The data of a set, in an order that does not depend on how it was made.
fn of_set(set: &RrSet) -> BTreeSet<&RecordData> {
    set.data.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::dns::message::Ttl;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    fn data(last: u32) -> RecordData {
        RecordData::A(Address::from_bits(last))
    }

    fn addresses(of: &str) -> Question {
        Question::addresses(name(of))
    }

    /// `chord` has the addresses 1 and 2, `other` the address 9.
    fn zone() -> Zone {
        let ttl = Ttl::from_secs(60);
        let mut zone =
            Zone::conventional(name("z.test"), Address::from_bits(53), ttl, ttl).unwrap();
        for (name, last) in [("chord.z.test", &[1, 2][..]), ("other.z.test", &[9])] {
            let data = last.iter().map(|&last| data(last)).collect();
            zone.set(name.parse().unwrap(), RrSet { ttl, data });
        }
        zone
    }

    fn set(last: &[u32]) -> RrSet {
        RrSet { ttl: Ttl::from_secs(60), data: last.iter().map(|&last| data(last)).collect() }
    }

    #[test]
    fn each_prerequisite_has_its_code() {
        use Prerequisite::{Absent, Exists, Holds, InUse, NotInUse};
        let holds = |last: &[u32]| {
            last.iter().map(|&last| Holds(name("chord.z.test"), data(last))).collect::<Vec<_>>()
        };
        let srv = Question::new(name("chord.z.test"), RecordType::SRV);
        let soa = Question::new(name("z.test"), RecordType::SOA);
        let Answer::Records(start) = zone().answer(&soa) else { panic!("a zone has a start") };
        for (prerequisites, code) in [
            (vec![], None),
            (vec![Exists(addresses("chord.z.test"))], None),
            (vec![Exists(srv.clone())], Some(Rcode::NX_RR_SET)),
            (vec![Absent(srv)], None),
            (vec![Exists(soa.clone())], None),
            (vec![Absent(soa)], Some(Rcode::YX_RR_SET)),
            (vec![Holds(name("z.test"), start[0].clone())], None),
            (vec![Absent(addresses("chord.z.test"))], Some(Rcode::YX_RR_SET)),
            (vec![InUse(name("chord.z.test"))], None),
            (vec![InUse(name("x.z.test"))], Some(Rcode::NX_DOMAIN)),
            (vec![NotInUse(name("x.z.test"))], None),
            (vec![NotInUse(name("chord.z.test"))], Some(Rcode::YX_DOMAIN)),
            // In any order, but all of them and no other.
            (holds(&[2, 1]), None),
            (holds(&[1]), Some(Rcode::NX_RR_SET)),
            (holds(&[1, 2, 3]), Some(Rcode::NX_RR_SET)),
            (vec![Holds(name("x.z.test"), data(1))], Some(Rcode::NX_RR_SET)),
            (vec![InUse(name("chord.y.test"))], Some(Rcode::NOT_ZONE)),
            (vec![InUse(name("chord.z.test")), InUse(name("x.z.test"))], Some(Rcode::NX_DOMAIN)),
        ] {
            let mut zone = zone();
            let serial = zone.serial();
            let change = Change::DeleteSet(addresses("chord.z.test"));
            let update = Update { prerequisites, changes: vec![change] };
            let result = zone.update(&update);
            assert_eq!(result.as_ref().err().copied(), code, "{update:?}");
            assert_eq!(zone.serial(), serial + u32::from(code.is_none()));
            assert_eq!(zone.rr_set(&addresses("chord.z.test")).is_some(), code.is_some());
        }
    }

    #[test]
    fn changes_are_made_in_their_order_and_the_serial_grows_once() {
        let chord = name("chord.z.test");
        let add = |last| {
            Change::Add(Record { name: chord.clone(), ttl: Ttl::from_secs(60), data: data(last) })
        };
        let delete = |last| Change::Delete(chord.clone(), data(last));
        let delete_set = Change::DeleteSet(addresses("chord.z.test"));
        for (changes, left) in [
            (vec![add(3)], &[1, 2, 3][..]),
            (vec![add(1)], &[1, 2]),
            (vec![delete(1)], &[2]),
            (vec![delete(1), delete(2)], &[]),
            (vec![delete_set.clone(), add(7)], &[7]),
            (vec![add(7), delete_set.clone()], &[]),
            // What is put back as it was has not changed.
            (vec![delete_set.clone(), add(1), add(2)], &[1, 2]),
            (vec![delete_set.clone(), add(2), add(1)], &[1, 2]),
            (vec![delete(1), add(1)], &[1, 2]),
            (vec![Change::DeleteName(chord.clone()), add(4)], &[4]),
        ] {
            let mut zone = zone();
            let serial = zone.serial();
            let update = Update { prerequisites: vec![], changes };
            let changed = zone.update(&update).unwrap();
            let is_changed = left != [1, 2];
            assert_eq!(!changed.is_empty(), is_changed, "{update:?}");
            assert_eq!(zone.serial(), serial + u32::from(is_changed));
            let found = zone.rr_set(&addresses("chord.z.test")).map(|set| set.data.to_vec());
            let expected: Vec<RecordData> = left.iter().map(|&last| data(last)).collect();
            assert_eq!(found.unwrap_or_default(), expected);
        }
    }

    #[test]
    fn one_name_outside_the_zone_stops_all_and_name_servers_stay() {
        let mut zone = zone();
        let mut update = Update::default();
        update.replace(&name("chord.z.test"), &set(&[5]));
        update.replace(&name("chord.y.test"), &set(&[5]));
        assert_eq!(zone.update(&update), Err(Rcode::NOT_ZONE));
        assert_eq!(zone.rr_set(&addresses("chord.z.test")), Some(&set(&[1, 2])));
        let servers = Question::new(name("z.test"), RecordType::NS);
        let ns = RecordData::Ns(name("ns.z.test"));
        let changes = vec![
            Change::DeleteName(name("z.test")),
            Change::DeleteSet(servers.clone()),
            Change::Delete(name("z.test"), ns),
        ];
        assert_eq!(zone.update(&Update { prerequisites: vec![], changes }), Ok(vec![]));
        assert!(zone.rr_set(&servers).is_some());
    }

    /// Two that found the same set empty, or the same address in it: the first wins.
    #[test]
    fn of_two_that_expect_the_same_the_first_wins() {
        for before in [&[][..], &[1, 2]] {
            let mut zone = zone();
            let chord = name("chord.z.test");
            if before.is_empty() {
                zone.remove(&addresses("chord.z.test"));
            }
            let claim = |own| {
                let mut update = Update::default();
                let expected: Vec<RecordData> = before.iter().map(|&last| data(last)).collect();
                update.expect(&addresses("chord.z.test"), &expected);
                update.replace(&chord, &set(&[own]));
                update
            };
            assert_eq!(zone.update(&claim(5)), Ok(vec![addresses("chord.z.test")]));
            let lost = if before.is_empty() { Rcode::YX_RR_SET } else { Rcode::NX_RR_SET };
            assert_eq!(zone.update(&claim(6)), Err(lost));
            assert_eq!(zone.rr_set(&addresses("chord.z.test")), Some(&set(&[5])));
        }
    }
}
