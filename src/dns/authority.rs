//! The authoritative name server of one or several zones.
//!
//! Inputs: queries, dynamic updates (RFC 2136), and [`publish`](Authority::publish), which the update
//! service calls when a change is to be seen (its delays are its own). An update takes effect, and is
//! answered, when it arrives. Secondaries are left out: a zone has one server.

use crate::address::{Address, Endpoint};
use crate::dns::answer::Answer;
use crate::dns::binding::Binding;
use crate::dns::message::{Kind, Message, Question, Rcode};
use crate::dns::name::DomainName;
use crate::dns::tsig::{self, Key};
use crate::dns::update::Update;
use crate::dns::zone::Zone;
use crate::sim::{self, Context};

/// An authoritative name server.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    zones: Vec<Zone>,
    updates: Updates,
    unchanged: u64,
}

/// Whose updates are carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Updates {
    /// Nobody's.
    #[default]
    Refused,
    /// Those that are signed with this key.
    Signed(Key),
}

/// The authority sets no timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {}
    }
}

/// What the authority lets be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It has carried out an update, which changes the answer to this question.
    Accepted {
        /// Who asked: the source of the request.
        from: Address,
        /// The question.
        question: Question,
        /// The answer to it.
        answer: Answer,
    },
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
        Self { zones, ..Self::default() }
    }

    /// From now on it carries these updates out.
    pub fn allow(&mut self, updates: Updates) {
        self.updates = updates;
    }

    /// How many updates that it accepted changed nothing.
    #[must_use]
    pub const fn unchanged(&self) -> u64 {
        self.unchanged
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

    /// Answers a query or carries out an update; other messages are dropped.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, message: &Message)
    where
        C: Context<Message = Message, Observation = Observation>,
    {
        if message.response {
            return;
        }
        let response = match &message.kind {
            Kind::Query => match self.zone_of(&message.question.name) {
                Some(zone) => zone.respond(message),
                None => Message::response_to(message, Rcode::REFUSED),
            },
            Kind::Notify => Message::response_to(message, Rcode::NOT_AUTH),
            Kind::Update(update) => self.receive_update(ctx, from.address, message, update),
        };
        ctx.send(from, response);
    }

    /// Carries an update out, if its sender may (RFC 2136 §3.3; RFC 8945 §5.3), and answers it.
    fn receive_update<C>(
        &mut self,
        ctx: &mut C,
        from: Address,
        message: &Message,
        update: &Update,
    ) -> Message
    where
        C: Context<Observation = Observation>,
    {
        if message.tsig.is_none() {
            return Message::response_to(message, Rcode::REFUSED);
        }
        let Updates::Signed(key) = &self.updates else {
            return tsig::refuse_unsigned(message, tsig::Error::BAD_KEY);
        };
        let key = key.clone();
        let mac = match key.verify(ctx.now(), message, None) {
            Ok(mac) => mac,
            Err(error) => return key.refuse(ctx.now(), message, error),
        };
        let rcode = self.update(ctx, from, &message.question.name, update);
        let mut response = Message::response_to(message, rcode);
        key.sign(ctx.now(), &mut response, Some(&mac));
        response
    }

    fn update<C>(&mut self, ctx: &mut C, from: Address, apex: &DomainName, update: &Update) -> Rcode
    where
        C: Context<Observation = Observation>,
    {
        let Some(zone) = self.zones.iter_mut().find(|zone| zone.apex() == apex) else {
            return Rcode::NOT_AUTH;
        };
        let changed = match zone.update(update) {
            Ok(changed) => changed,
            Err(rcode) => return rcode,
        };
        self.unchanged += u64::from(changed.is_empty());
        for question in changed {
            let answer = zone.answer(&question);
            let (accepted, told) = (question.clone(), answer.clone());
            ctx.observe(Observation::Accepted { from, question: accepted, answer: told });
            ctx.observe(Observation::Served { question, answer });
        }
        Rcode::NO_ERROR
    }

    /// Serves these peers as the binding from now on, the preferred one first (nobody: it is gone).
    /// Returns whether that is a change; only then anything is observed.
    ///
    /// # Errors
    /// When its zone is none of this authority's.
    pub fn publish<C>(
        &mut self,
        ctx: &mut C,
        binding: &Binding,
        peers: &[Address],
    ) -> Result<bool, NotInZone>
    where
        C: Context<Observation = Observation>,
    {
        let mut zones = self.zones.iter_mut();
        let zone = zones.find(|zone| zone.apex() == binding.zone());
        let zone = zone.ok_or_else(|| NotInZone(binding.domain().clone()))?;
        let changed = zone.update(&binding.update(peers, None)).expect("it all lies in the zone");
        let any = !changed.is_empty();
        for question in changed {
            let answer = zone.answer(&question);
            ctx.observe(Observation::Served { question, answer });
        }
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Port;
    use crate::dns::answer::Reply;
    use crate::dns::binding::Form;
    use crate::dns::message::Ttl;
    use crate::sim::Recorder;

    type Ctx = Recorder<Message, Timer, Observation>;

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
        let binding = |zone: &str| {
            let zone = zone.parse().unwrap();
            Binding::new(name.clone(), zone, Form::Addresses, Ttl::from_secs(60)).unwrap()
        };
        let addresses = [Address::from_bits(9)];
        let here = binding("dyndns.test");
        assert_eq!(authority.publish(&mut ctx, &here, &addresses), Ok(true));
        assert_eq!(authority.publish(&mut ctx, &here, &addresses), Ok(false));
        let question = Question::addresses(name.clone());
        let answer = Answer::of_addresses(&addresses);
        assert_eq!(authority.answer(&question), answer);
        assert_eq!(ctx.take_observed(), [Observation::Served { question, answer }]);
        let elsewhere = authority.publish(&mut ctx, &binding("org"), &addresses);
        assert_eq!(elsewhere, Err(NotInZone(name.clone())));
        // The deeper zone took it.
        assert_eq!(authority.zone_of(&name).unwrap().serial(), 4);
        assert_eq!(authority.zones[0].serial(), 3);
    }

    #[test]
    fn queries_are_answered_to_their_sender_and_responses_are_dropped() {
        let (mut ctx, mut authority) = (Ctx::new(), authority());
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
