//! The authoritative name server of one or several zones.
//!
//! Inputs: queries, and [`publish`](Authority::publish), which the update service calls when a
//! change is to be seen (its delays are its own). Secondaries are left out: a zone has one server.

use crate::address::{Address, Endpoint};
use crate::dns::answer::Answer;
use crate::dns::message::{Message, Question, Rcode};
use crate::dns::name::DomainName;
use crate::dns::zone::Zone;
use crate::sim::{Context, Timer};

/// An authoritative name server.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    zones: Vec<Zone>,
}

/// The authority sets no timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl Timer for Never {
    fn slot(self) -> u32 {
        match self {}
    }
}

/// What the authority lets be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// From now on it answers this question so.
    Served {
        /// The question.
        question: Question,
        /// The answer to it.
        answer: Answer,
    },
}

/// The name lies in none of the zones of an authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} lies in no zone of this authority")]
pub struct NotInZone(pub DomainName);

impl Authority {
    /// An authority for these zones.
    #[must_use]
    pub fn new(zones: Vec<Zone>) -> Self {
        Self { zones }
    }

    /// The zone that a name lies in: the deepest, if they are nested.
    #[must_use]
    pub fn zone_of(&self, name: &DomainName) -> Option<&Zone> {
        let within = self.zones.iter().filter(|zone| name.is_within(zone.apex()));
        within.max_by_key(|zone| zone.apex().wire_len())
    }

    /// What it answers now: a failure for names outside its zones.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        self.zone_of(&question.name).map_or(Answer::Failure, |zone| zone.answer(question))
    }

    /// Answers a query; other messages are dropped.
    pub fn receive<C>(&self, ctx: &mut C, from: Endpoint, message: &Message)
    where
        C: Context<Message = Message>,
    {
        if message.response {
            return;
        }
        let response = match self.zone_of(&message.question.name) {
            Some(zone) => zone.respond(message),
            None => Message::response_to(message, Rcode::REFUSED),
        };
        ctx.send(from, response);
    }

    /// Serves these as the addresses of the name from now on (none: the record set is gone).
    /// Returns whether that is a change; only then anything is observed.
    ///
    /// # Errors
    /// When the name lies in no zone of this authority.
    pub fn publish<C>(
        &mut self,
        ctx: &mut C,
        name: &DomainName,
        addresses: &[Address],
    ) -> Result<bool, NotInZone>
    where
        C: Context<Observation = Observation>,
    {
        let zone = self
            .zones
            .iter_mut()
            .filter(|zone| name.is_within(zone.apex()))
            .max_by_key(|zone| zone.apex().wire_len())
            .ok_or_else(|| NotInZone(name.clone()))?;
        let changed = zone.publish(name, addresses);
        if changed {
            let question = Question::addresses(name.clone());
            let answer = zone.answer(&question);
            ctx.observe(Observation::Served { question, answer });
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Port;
    use crate::dns::answer::Reply;
    use crate::dns::message::Ttl;
    use crate::sim::Recorder;

    type Ctx = Recorder<Message, Never, Observation>;

    fn authority() -> Authority {
        let zone = |apex: &str, server: u32| {
            let (apex, ttl) = (apex.parse().unwrap(), Ttl::from_secs(60));
            Zone::conventional(apex, Address::from_bits(server), ttl, ttl).unwrap()
        };
        Authority::new(vec![zone("test", 1), zone("dyndns.test", 2)])
    }

    #[test]
    fn a_change_is_served_and_observed_at_once_and_a_repetition_is_not_observed() {
        let (mut ctx, mut authority) = (Ctx::new(), authority());
        let name: DomainName = "chord.dyndns.test".parse().unwrap();
        let addresses = [Address::from_bits(9)];
        assert_eq!(authority.publish(&mut ctx, &name, &addresses), Ok(true));
        assert_eq!(authority.publish(&mut ctx, &name, &addresses), Ok(false));
        let question = Question::addresses(name.clone());
        let answer = Answer::of_addresses(&addresses);
        assert_eq!(authority.answer(&question), answer);
        assert_eq!(ctx.take_observed(), [Observation::Served { question, answer }]);
        let elsewhere: DomainName = "example.org".parse().unwrap();
        assert_eq!(
            authority.publish(&mut ctx, &elsewhere, &addresses),
            Err(NotInZone(elsewhere.clone()))
        );
        // The deeper zone took it.
        assert_eq!(authority.zone_of(&name).unwrap().serial(), 4);
        assert_eq!(authority.zones[0].serial(), 3);
    }

    #[test]
    fn queries_are_answered_to_their_sender_and_responses_are_dropped() {
        let (mut ctx, authority) = (Ctx::new(), authority());
        let from = Address::from_bits(7).at(Port::EPHEMERAL);
        let ask = |text: &str| Message::query(1, Question::addresses(text.parse().unwrap()));
        authority.receive(&mut ctx, from, &ask("ns.dyndns.test"));
        authority.receive(&mut ctx, from, &ask("example.org"));
        let [(to, found), (_, refused)] = &ctx.take_sent()[..] else { panic!("two responses") };
        assert_eq!(*to, from);
        assert_eq!(Reply::of(found).answer, Answer::of_addresses(&[Address::from_bits(2)]));
        assert_eq!(refused.rcode, Rcode::REFUSED);
        authority.receive(&mut ctx, from, found);
        assert!(ctx.sent.is_empty());
    }
}
