//! The authoritative name server of one or several zones.
//!
//! Inputs: queries, dynamic updates (RFC 2136), and [`publish`](Authority::publish), which the update
//! service calls when a change is to be seen (its delays are its own). An update takes effect, and is
//! answered, when it arrives. A zone may have [secondaries](crate::dns::secondary): these are told of
//! changes ([`notify`](crate::dns::notify)) and sent them, over UDP if they fit (RFC 1995 §2), else
//! over TCP. Anybody may ask for a transfer.

use crate::address::{Address, Endpoint, Port};
use crate::dns::answer::Answer;
use crate::dns::binding::Binding;
use crate::dns::message::{Kind, Message, Question, Rcode, Record, RecordType};
use crate::dns::name::DomainName;
use crate::dns::notify::Notifier;
use crate::dns::secondary::datagram_limit;
use crate::dns::stream::Framed;
use crate::dns::tsig::{self, Key};
use crate::dns::update::Update;
use crate::dns::zone::Zone;
use crate::net::tcp::{Segment, Tcp, TcpTimer, Upcall, Upcalls};
use crate::sim::{self, Context};
use crate::time::SimTime;

/// An authoritative name server.
#[derive(Debug, Default)]
pub struct Authority {
    zones: Vec<Zone>,
    updates: Updates,
    unchanged: u64,
    copied: Option<Box<Copied>>,
}

/// What there is where a zone has secondaries.
#[derive(Debug)]
struct Copied {
    zone: DomainName,
    /// Tells them of changes, if they are told.
    notifier: Option<Notifier>,
    /// What its timer is set to.
    armed: Option<SimTime>,
    tcp: Tcp<Framed>,
}

/// Transfers at a time; more are not answered.
const TRANSFERS: u16 = 1_000;

/// Whose updates are carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Updates {
    /// Nobody's.
    #[default]
    Refused,
    /// Those that are signed with this key.
    Signed(Key),
}

/// Timers of an authority whose zone has secondaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Secondaries are to be told, perhaps again.
    Notify,
    /// Of a connection.
    Tcp(TcpTimer),
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Notify => 0,
            Self::Tcp(timer) => 1 + timer.slot(),
        }
    }
}

impl From<TcpTimer> for Timer {
    fn from(timer: TcpTimer) -> Self {
        Self::Tcp(timer)
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

    /// From now on this zone of its has secondaries: `versions` of it are kept as differences, and
    /// the notifier tells of changes.
    pub fn copy(&mut self, zone: &DomainName, versions: usize, notifier: Option<Notifier>) {
        let mut tcp = Tcp::new(TRANSFERS);
        tcp.listen(Port::DNS);
        for it in self.zones.iter_mut().filter(|it| it.apex() == zone) {
            it.keep_journal(versions);
        }
        let copied = Copied { zone: zone.clone(), notifier, armed: None, tcp };
        self.copied = Some(Box::new(copied));
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
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        if message.response {
            return self.receive_answer(ctx, from, message);
        }
        let response = match &message.kind {
            Kind::Query => {
                let limit = datagram_limit(message.edns);
                self.respond(message, Some(limit)).swap_remove(0)
            }
            Kind::Notify => Message::response_to(message, Rcode::NOT_AUTH),
            Kind::Update(update) => self.receive_update(ctx, from.address, message, update),
        };
        ctx.send(from, response);
    }

    /// The response to a query; over TCP, without a limit, there may be several.
    fn respond(&self, query: &Message, limit: Option<u32>) -> Vec<Message> {
        let Some(zone) = self.zone_of(&query.question.name) else {
            return vec![Message::response_to(query, Rcode::REFUSED)];
        };
        if query.question.rtype != RecordType::IXFR {
            return vec![zone.respond(query)];
        }
        if query.question.name != *zone.apex() {
            return vec![Message::response_to(query, Rcode::NOT_AUTH)];
        }
        zone.transfer_responses(query, limit)
    }

    /// A secondary has answered a NOTIFY.
    fn receive_answer<C>(&mut self, ctx: &mut C, from: Endpoint, message: &Message)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let notifier = self.copied.as_mut().and_then(|copied| copied.notifier.as_mut());
        if let Some(notifier) = notifier.filter(|_| message.kind == Kind::Notify) {
            notifier.answered(from, message);
            self.arm(ctx);
        }
    }

    /// A segment of a connection, over which a secondary asks for a transfer.
    pub fn receive_segment<C>(&mut self, ctx: &mut C, from: Endpoint, segment: Segment<Framed>)
    where
        C: Context<Message = Segment<Framed>, Timer = Timer, Observation = Observation>,
    {
        let Some(copied) = &mut self.copied else { return };
        let upcalls = copied.tcp.receive(&mut on_tcp(ctx), from, segment);
        self.serve(ctx, upcalls);
    }

    /// The timer of a connection has gone off.
    pub fn tcp_timer<C>(&mut self, ctx: &mut C, timer: TcpTimer)
    where
        C: Context<Message = Segment<Framed>, Timer = Timer, Observation = Observation>,
    {
        let Some(copied) = &mut self.copied else { return };
        let upcalls = copied.tcp.timer(&mut on_tcp(ctx), timer);
        self.serve(ctx, upcalls);
    }

    fn serve<C>(&mut self, ctx: &mut C, upcalls: Upcalls<Framed>)
    where
        C: Context<Message = Segment<Framed>, Timer = Timer, Observation = Observation>,
    {
        for upcall in upcalls {
            let Upcall::Received(connection, Framed(query)) = upcall else { continue };
            let responses = self.respond(&query, None);
            if let Some(copied) = &mut self.copied {
                for response in responses {
                    copied.tcp.send(&mut on_tcp(ctx), connection, Framed(response));
                }
            }
        }
    }

    /// Secondaries are to be told, perhaps again.
    pub fn notify_timer<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        if let Some((notifier, soa)) = self.notifier() {
            notifier.go_on(ctx, &soa);
        }
        if let Some(copied) = &mut self.copied {
            copied.armed = None;
        }
        self.arm(ctx);
    }

    /// Who tells of changes of the copied zone, and the zone's SOA.
    fn notifier(&mut self) -> Option<(&mut Notifier, Record)> {
        let copied = self.copied.as_mut()?;
        let zone = self.zones.iter().find(|zone| *zone.apex() == copied.zone)?;
        Some((copied.notifier.as_mut()?, zone.soa_record()))
    }

    /// A zone has changed: if it has secondaries, they are told.
    fn tell<C>(&mut self, ctx: &mut C, apex: &DomainName)
    where
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        if self.copied.as_ref().is_some_and(|copied| copied.zone == *apex)
            && let Some((notifier, soa)) = self.notifier()
        {
            notifier.changed(ctx, &soa);
            self.arm(ctx);
        }
    }

    fn arm<C>(&mut self, ctx: &mut C)
    where
        C: Context<Timer = Timer>,
    {
        let Some(copied) = &mut self.copied else { return };
        let deadline = copied.notifier.as_ref().and_then(Notifier::deadline);
        if deadline != copied.armed {
            match deadline {
                Some(at) => ctx.set(Timer::Notify, at),
                None => ctx.cancel(Timer::Notify),
            }
            copied.armed = deadline;
        }
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
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
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
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
    {
        let Some(zone) = self.zones.iter_mut().find(|zone| zone.apex() == apex) else {
            return Rcode::NOT_AUTH;
        };
        let changed = match zone.update(update) {
            Ok(changed) => changed,
            Err(rcode) => return rcode,
        };
        let any = !changed.is_empty();
        self.unchanged += u64::from(!any);
        for question in changed {
            let answer = zone.answer(&question);
            let (accepted, told) = (question.clone(), answer.clone());
            ctx.observe(Observation::Accepted { from, question: accepted, answer: told });
            ctx.observe(Observation::Served { question, answer });
        }
        if any {
            self.tell(ctx, apex);
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
        C: Context<Message = Message, Timer = Timer, Observation = Observation>,
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
        if any {
            self.tell(ctx, binding.zone());
        }
        Ok(any)
    }
}

fn on_tcp<C>(ctx: &mut C) -> sim::Lift<'_, C, Segment<Framed>, TcpTimer, Observation>
where
    C: Context<Message = Segment<Framed>, Timer = Timer, Observation = Observation>,
{
    ctx.lift()
}

#[cfg(test)]
mod tests {
    use super::*;
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
