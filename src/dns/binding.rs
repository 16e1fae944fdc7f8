//! What the location of proxy peers is written as in DNS: the *binding* of an overlay's domain.
//!
//! As an A record it stands at the domain itself, as the paper has it. As an SRV set it stands at
//! `_sip._udp` below the domain: one record a proxy peer, the preferred one first, each with a
//! target of its own below the domain. The name of a target says its address and nothing else
//! (`10-0-0-1`), so that its A record never changes and a cached one is never wrong; it stays in the
//! zone when its peer leaves the set. Beside the SRV set the domain keeps an A record, that of the
//! preferred peer, for those who do not ask for services.

use std::sync::Arc;

use crate::address::{Address, Port};
use crate::dns::answer::Answer;
use crate::dns::message::{Question, RecordData, RecordType, Srv, Ttl};
use crate::dns::name::{DomainName, NameError};
use crate::dns::update::{Change, Update};
use crate::dns::zone::RrSet;
use crate::time::SimDuration;

/// How a binding is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A records.
    #[default]
    Addresses,
    /// An SRV set for SIP over UDP.
    Services,
}

/// The binding of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    domain: DomainName,
    zone: DomainName,
    form: Form,
    ttl: Ttl,
    /// Whoever wants to know the binding asks this.
    question: Question,
}

/// The distance between the priorities of two peers that follow each other.
const STEP: u16 = 10;

impl Binding {
    /// The binding of a domain that lies in this zone; its record sets have this TTL.
    ///
    /// # Errors
    /// When the domain is so long that no name fits in front of it.
    pub fn new(
        domain: DomainName,
        zone: DomainName,
        form: Form,
        ttl: Ttl,
    ) -> Result<Self, NameError> {
        let question = match form {
            Form::Addresses => Question::addresses(domain.clone()),
            Form::Services => Question::new(domain.prefixed("_sip._udp")?, RecordType::SRV),
        };
        // The longest target.
        domain.prefixed("255-255-255-255")?;
        Ok(Self { domain, zone, form, ttl, question })
    }

    /// The overlay's domain.
    #[must_use]
    pub const fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// For how long it may be kept.
    #[must_use]
    pub const fn ttl(&self) -> SimDuration {
        self.ttl.as_duration()
    }

    /// The zone that it lies in.
    #[must_use]
    pub const fn zone(&self) -> &DomainName {
        &self.zone
    }

    /// How it is written.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// What is asked for it.
    #[must_use]
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// The addresses in an answer to its question, the preferred one first.
    #[must_use]
    pub fn addresses(&self, answer: &Answer) -> Vec<Address> {
        match self.form {
            Form::Addresses => answer.addresses().collect(),
            Form::Services => {
                let mut services: Vec<&Srv> = answer.services().collect();
                services.sort_by_key(|srv| srv.priority);
                services.into_iter().filter_map(|srv| self.address_of(&srv.target)).collect()
            }
        }
    }

    /// The address that the name of a target says.
    fn address_of(&self, target: &DomainName) -> Option<Address> {
        let label = target.as_str().strip_suffix(self.domain.as_str())?.strip_suffix('.')?;
        label.replace('-', ".").parse().ok()
    }

    fn target(&self, address: Address) -> DomainName {
        let label = address.to_string().replace('.', "-");
        self.domain.prefixed(&label).expect("the longest target fits")
    }

    /// The record sets that name these peers, the one of the binding's question first; none without
    /// peers.
    #[must_use]
    pub fn sets(&self, peers: &[Address]) -> Vec<(DomainName, RrSet)> {
        if peers.is_empty() {
            return Vec::new();
        }
        let at_domain = match self.form {
            Form::Addresses => peers,
            Form::Services => &peers[..1],
        };
        let address = (self.domain.clone(), self.set(at_domain.iter().copied().map(RecordData::A)));
        if self.form == Form::Addresses {
            return vec![address];
        }
        let services = (self.question.name.clone(), self.set(self.services(peers)));
        let targets = peers
            .iter()
            .map(|&peer| (self.target(peer), self.set([RecordData::A(peer)].into_iter())));
        [services, address].into_iter().chain(targets).collect()
    }

    fn set(&self, data: impl Iterator<Item = RecordData>) -> RrSet {
        RrSet { ttl: self.ttl, data: data.collect::<Vec<_>>().into() }
    }

    fn services(&self, peers: &[Address]) -> impl Iterator<Item = RecordData> {
        (1u16..).zip(peers).map(|(rank, &peer)| {
            let (priority, target) = (rank.saturating_mul(STEP), self.target(peer));
            RecordData::Srv(Srv { priority, weight: 0, port: Port::SIP, target })
        })
    }

    /// What asks for these peers, the preferred one first, in place of whatever there is (nobody: the
    /// binding is to go); with `expected`, only if the binding is exactly that (nobody: if there is
    /// none).
    #[must_use]
    pub fn update(&self, peers: &[Address], expected: Option<&[Address]>) -> Update {
        let mut update = Update::default();
        if let Some(expected) = expected {
            let data: Arc<[RecordData]> = match self.form {
                Form::Addresses => expected.iter().copied().map(RecordData::A).collect(),
                Form::Services => self.services(expected).collect(),
            };
            update.expect(&self.question, &data);
        }
        for (name, set) in self.sets(peers) {
            update.replace(&name, &set);
        }
        if peers.is_empty() {
            update.changes.push(Change::DeleteSet(self.question.clone()));
            if self.form == Form::Services {
                update.changes.push(Change::DeleteSet(Question::addresses(self.domain.clone())));
            }
        }
        update
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Zone;

    fn binding(form: Form) -> Binding {
        let (domain, zone) = ("chord.dyndns.test".parse().unwrap(), "dyndns.test".parse().unwrap());
        Binding::new(domain, zone, form, Ttl::from_secs(60)).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again_in_the_order_of_preference() {
        let peers = [9, 3, 0xc000_0201].map(Address::from_bits);
        let ttl = Ttl::from_secs(60);
        for form in [Form::Addresses, Form::Services] {
            let binding = binding(form);
            let mut zone =
                Zone::conventional(binding.zone().clone(), Address::from_bits(53), ttl, ttl)
                    .unwrap();
            // (peers, expected, what comes of it)
            for (to, expected, result) in [
                (&peers[..], Some(&[][..]), Ok(())),
                (&peers[..1], Some(&[][..]), Err(())),
                (&peers[1..], Some(&peers[..]), Ok(())),
                (&peers[..1], Some(&peers[..]), Err(())),
                (&peers[..1], None, Ok(())),
                (&[], None, Ok(())),
                (&peers[..1], Some(&[]), Ok(())),
            ] {
                let before = binding.addresses(&zone.answer(binding.question()));
                let update = binding.update(to, expected);
                let code = zone.update(&update).map(drop);
                assert_eq!(code.map_err(drop), result, "{form:?} {to:?} after {before:?}");
                let after = binding.addresses(&zone.answer(binding.question()));
                assert_eq!(after, if result.is_ok() { to.to_vec() } else { before });
            }
        }
    }

    #[test]
    fn services_stand_at_their_name_and_point_to_names_that_say_an_address() {
        let binding = binding(Form::Services);
        let peer: Address = "10.0.0.7".parse().unwrap();
        let sets = binding.sets(&[peer, "10.0.0.8".parse().unwrap()]);
        let names: Vec<&str> = sets.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "_sip._udp.chord.dyndns.test",
            "chord.dyndns.test",
            "10-0-0-7.chord.dyndns.test",
            "10-0-0-8.chord.dyndns.test",
        ];
        assert_eq!(names, expected);
        assert_eq!(*sets[1].1.data, [RecordData::A(peer)]);
        let answer = Answer::Records(sets[0].1.data.clone());
        let priorities: Vec<u16> = answer.services().map(|srv| srv.priority).collect();
        assert_eq!(priorities, [10, 20]);
        // A target elsewhere says nothing.
        let elsewhere: DomainName = "10-0-0-7.chord.dyndns.org".parse().unwrap();
        assert_eq!(binding.address_of(&elsewhere), None);
    }
}
