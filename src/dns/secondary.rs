//! A secondary name server of a zone: it copies the zone from the primary and answers from its copy.
//!
//! States: *idle* until the SOA's REFRESH (after a failure its RETRY) is over or a NOTIFY comes;
//! *asking* the primary for its SOA, and if that is newer for the differences (RFC 1995), both over
//! UDP; *transferring* over TCP when the differences do not fit into a datagram. A NOTIFY that comes
//! meanwhile is answered at once and followed afterwards (RFC 1996 §4.4, 4.7); one that tells of no
//! newer version changes nothing. Each question is sent three times, 5 s apart (the RFCs leave that
//! open); a transfer without progress for 30 s has failed, as BIND's `tcp-idle-timeout` has it. When
//! the primary has not been reached for EXPIRE, queries are answered SERVFAIL until it is again.
//!
//! Left out: passing zones on to others, and updates on to the primary (they are refused).

use crate::address::Endpoint;
use crate::dns::answer::Answer;
use crate::dns::authority::Observation;
use crate::dns::message::{
    EDNS_PAYLOAD_SIZE, Edns, Kind, Message, Question, Rcode, Record, RecordData, RecordType,
};
use crate::dns::stream::{Framed, Packet};
use crate::dns::zone::Zone;
use crate::dns::zone::transfer::{self, Transfer};
use crate::net::tcp::{ConnectionId, Segment, Tcp, TcpTimer, Upcall, Upcalls};
use crate::rng::Dice;
use crate::sim::{self, Context};
use crate::time::{SimDuration, SimTime};

/// A secondary of one zone.
#[derive(Debug)]
pub struct Secondary {
    zone: Zone,
    primary: Endpoint,
    phase: Phase,
    /// Whether the zone has changed again since the work under way began.
    again: bool,
    /// When the copy was last known to be the newest.
    confirmed: SimTime,
    expired: bool,
    tcp: Tcp<Framed>,
    dice: Dice,
}

/// What it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing, until its timer goes off.
    Idle,
    /// It has sent this question so often.
    Asking { what: Asked, id: u16, sent: u32 },
    /// It has asked for a transfer over this connection, and these records have come.
    Transferring { connection: ConnectionId, records: Vec<Record> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// For the primary's SOA.
    Serial,
    /// For what is newer.
    Differences,
}

/// A secondary's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// REFRESH or RETRY is over, a question is not answered in time, a transfer does not go on.
    Maintenance,
    /// EXPIRE is over.
    Expire,
    /// Of a connection.
    Tcp(TcpTimer),
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Maintenance => 0,
            Self::Expire => 1,
            Self::Tcp(timer) => 2 + timer.slot(),
        }
    }
}

impl From<TcpTimer> for Timer {
    fn from(timer: TcpTimer) -> Self {
        Self::Tcp(timer)
    }
}

/// Until a question is sent again.
pub const QUESTION_TIMEOUT: SimDuration = SimDuration::from_secs(5);
/// How often it is sent.
pub const QUESTIONS: u32 = 3;
/// For so long a transfer may stand still.
pub const TRANSFER_TIMEOUT: SimDuration = SimDuration::from_secs(30);

/// One connection at a time, and one that is being closed.
const CONNECTIONS: u16 = 4;

impl Secondary {
    /// A secondary with a copy of the zone, which it has just got from this primary.
    #[must_use]
    pub fn new(zone: Zone, primary: Endpoint, dice: Dice) -> Self {
        Self {
            zone,
            primary,
            phase: Phase::Idle,
            again: false,
            confirmed: SimTime::ZERO,
            expired: false,
            tcp: Tcp::new(CONNECTIONS),
            dice,
        }
    }

    /// It comes up: its first refresh is due at a random moment of the period.
    pub fn start<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        let refresh = SimDuration::from_secs(self.zone.soa().refresh.into());
        ctx.set_after(Timer::Maintenance, refresh.mul_f64(self.dice.unit()));
        self.confirm(ctx);
    }

    /// What it answers now: a failure when its copy has expired, and for names outside its zone.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Answer {
        let serves = !self.expired && question.name.is_within(self.zone.apex());
        if serves { self.zone.answer(question) } else { Answer::Failure }
    }

    /// The version of its copy.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.zone.serial()
    }

    /// Takes a query, a NOTIFY, an answer of the primary or a segment of a transfer.
    pub fn receive<C>(&mut self, ctx: &mut C, from: Endpoint, packet: Packet)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        match packet {
            Packet::Segment(segment) => {
                let upcalls = self.tcp.receive(&mut on_tcp(ctx), from, segment);
                self.take(ctx, upcalls);
            }
            Packet::Datagram(message) if message.response => {
                self.receive_answer(ctx, from, &message);
            }
            Packet::Datagram(message) => {
                let response = self.respond(&message);
                ctx.send(from, response.into());
                let is_told = message.kind == Kind::Notify && from.address == self.primary.address;
                if is_told && self.concerns(&message) && self.is_news(&message) {
                    self.look(ctx);
                }
            }
        }
    }

    /// A timer has gone off.
    pub fn timer<C>(&mut self, ctx: &mut C, timer: Timer)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        match timer {
            Timer::Tcp(timer) => {
                let upcalls = self.tcp.timer(&mut on_tcp(ctx), timer);
                self.take(ctx, upcalls);
            }
            Timer::Expire => self.expire(ctx),
            Timer::Maintenance => match &self.phase {
                Phase::Idle => self.ask(ctx, Asked::Serial, 1),
                Phase::Asking { what, sent, .. } if *sent < QUESTIONS => {
                    let (what, sent) = (*what, *sent + 1);
                    self.ask(ctx, what, sent);
                }
                Phase::Asking { .. } => self.rest(ctx, false),
                Phase::Transferring { connection, .. } => {
                    let connection = *connection;
                    self.tcp.abort(&mut on_tcp(ctx), connection);
                    self.rest(ctx, false);
                }
            },
        }
    }

    fn respond(&self, message: &Message) -> Message {
        let is_transfer = message.question.rtype == RecordType::IXFR;
        match &message.kind {
            Kind::Query if is_transfer || !self.concerns(message) => {
                Message::response_to(message, Rcode::REFUSED)
            }
            Kind::Query if self.expired => Message::response_to(message, Rcode::SERV_FAIL),
            Kind::Query => self.zone.respond(message),
            Kind::Notify if self.concerns(message) => {
                let mut response = Message::response_to(message, Rcode::NO_ERROR);
                response.authoritative = true;
                response
            }
            Kind::Notify => Message::response_to(message, Rcode::NOT_AUTH),
            Kind::Update(_) => Message::response_to(message, Rcode::REFUSED),
        }
    }

    /// Whether a message is about the zone; a NOTIFY names it exactly.
    fn concerns(&self, message: &Message) -> bool {
        let name = &message.question.name;
        match message.kind {
            Kind::Notify => name == self.zone.apex(),
            _ => name.is_within(self.zone.apex()),
        }
    }

    /// Whether a NOTIFY tells of another version than the copy's; one without SOA may.
    fn is_news(&self, notify: &Message) -> bool {
        serial_of(notify).is_none_or(|serial| transfer::is_newer(serial, self.serial()))
    }

    /// Looks whether there is something newer: now, or after what is under way.
    fn look<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        if self.phase == Phase::Idle {
            self.ask(ctx, Asked::Serial, 1);
        } else {
            self.again = true;
        }
    }

    fn ask<C>(&mut self, ctx: &mut C, what: Asked, sent: u32)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        let id = self.id();
        let question = match what {
            Asked::Serial => {
                let question = Question::new(self.zone.apex().clone(), RecordType::SOA);
                Message::upstream_query(id, question)
            }
            Asked::Differences => transfer::request(id, &self.zone),
        };
        ctx.send(self.primary, question.into());
        ctx.set_after(Timer::Maintenance, QUESTION_TIMEOUT);
        self.phase = Phase::Asking { what, id, sent };
    }

    fn id(&mut self) -> u16 {
        (self.dice.bits() >> 48) as u16
    }

    fn receive_answer<C>(&mut self, ctx: &mut C, from: Endpoint, response: &Message)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        let Phase::Asking { what, id, .. } = self.phase else { return };
        if from != self.primary || response.id != id {
            return;
        }
        let serial = serial_of(response).filter(|_| response.authoritative);
        let Some(serial) = serial else { return self.rest(ctx, false) };
        if !transfer::is_newer(serial, self.serial()) {
            return self.rest(ctx, true);
        }
        match what {
            Asked::Serial => self.ask(ctx, Asked::Differences, 1),
            Asked::Differences if transfer::kind(&response.answers) == Some(Transfer::Content) => {
                self.take_over(ctx, &response.answers);
            }
            // They do not fit.
            Asked::Differences => self.connect(ctx),
        }
    }

    fn connect<C>(&mut self, ctx: &mut C)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        let request = Framed(transfer::request(self.id(), &self.zone));
        let (tcp, primary) = (&mut self.tcp, self.primary);
        let Some(connection) = tcp.connect(&mut on_tcp(ctx), primary, TRANSFER_TIMEOUT) else {
            return self.rest(ctx, false);
        };
        tcp.send(&mut on_tcp(ctx), connection, request);
        ctx.set_after(Timer::Maintenance, TRANSFER_TIMEOUT);
        self.phase = Phase::Transferring { connection, records: Vec::new() };
    }

    /// What became of the connection.
    fn take<C>(&mut self, ctx: &mut C, upcalls: Upcalls<Framed>)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        for upcall in upcalls {
            let Phase::Transferring { connection, records } = &mut self.phase else { return };
            let connection = *connection;
            match upcall {
                Upcall::Received(from, Framed(response)) if from == connection => {
                    records.extend(response.answers.iter().cloned());
                    if transfer::is_whole(records) {
                        let records = std::mem::take(records);
                        self.tcp.close(&mut on_tcp(ctx), connection);
                        self.take_over(ctx, &records);
                    } else {
                        ctx.set_after(Timer::Maintenance, TRANSFER_TIMEOUT);
                    }
                }
                Upcall::Refused(it)
                | Upcall::TimedOut(it)
                | Upcall::Unreachable(it)
                | Upcall::Closed(it, _)
                    if it == connection =>
                {
                    self.rest(ctx, false);
                }
                _ => {}
            }
        }
    }

    fn take_over<C>(&mut self, ctx: &mut C, records: &[Record])
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        match self.zone.take_over(records) {
            Ok(mut changed) => {
                // A copy that had expired is told as a whole, and what it has no more as well.
                if std::mem::take(&mut self.expired) {
                    changed.extend(self.zone.questions());
                    changed.sort();
                    changed.dedup();
                }
                self.tell(ctx, changed);
                self.rest(ctx, true);
            }
            Err(_) => self.rest(ctx, false),
        }
    }

    /// The work is done, or has failed.
    fn rest<C>(&mut self, ctx: &mut C, done: bool)
    where
        C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
    {
        self.phase = Phase::Idle;
        let soa = self.zone.soa();
        let wait = if done { soa.refresh } else { soa.retry };
        ctx.set_after(Timer::Maintenance, SimDuration::from_secs(wait.into()));
        if done {
            self.confirm(ctx);
        }
        if std::mem::take(&mut self.again) {
            self.ask(ctx, Asked::Serial, 1);
        }
    }

    /// The copy is what the primary has.
    fn confirm<C>(&mut self, ctx: &mut C)
    where
        C: Context<Timer = Timer, Observation = Observation>,
    {
        self.confirmed = ctx.now();
        let expire = SimDuration::from_secs(self.zone.soa().expire.into());
        ctx.set(Timer::Expire, self.confirmed.saturating_add(expire));
        if std::mem::take(&mut self.expired) {
            self.tell_all(ctx);
        }
    }

    fn expire<C>(&mut self, ctx: &mut C)
    where
        C: Context<Observation = Observation>,
    {
        self.expired = true;
        self.tell_all(ctx);
    }

    fn tell_all<C>(&self, ctx: &mut C)
    where
        C: Context<Observation = Observation>,
    {
        self.tell(ctx, self.zone.questions().collect());
    }

    fn tell<C>(&self, ctx: &mut C, questions: Vec<Question>)
    where
        C: Context<Observation = Observation>,
    {
        for question in questions {
            let answer = self.answer(&question);
            ctx.observe(Observation::Served { question, answer });
        }
    }
}

/// The serial of the SOA that a message answers with.
fn serial_of(message: &Message) -> Option<u32> {
    message.answers.iter().find_map(|record| match &record.data {
        RecordData::Soa(soa) => Some(soa.serial),
        _ => None,
    })
}

/// The largest response over UDP that a question allows (RFC 6891 §6.2.3).
#[must_use]
pub(super) fn datagram_limit(edns: Option<Edns>) -> u32 {
    const WITHOUT_EDNS: u16 = 512;
    let taken = edns.map_or(WITHOUT_EDNS, |edns| edns.payload_size.min(EDNS_PAYLOAD_SIZE));
    u32::from(taken)
}

fn on_tcp<C>(ctx: &mut C) -> sim::Lift<'_, C, Segment<Framed>, TcpTimer, Observation>
where
    C: Context<Message = Packet, Timer = Timer, Observation = Observation>,
{
    ctx.lift()
}

#[cfg(test)]
mod tests;
