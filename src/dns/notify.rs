//! Telling secondaries that a zone has changed (RFC 1996).
//!
//! Each secondary is sent a NOTIFY with the new SOA, over UDP, and again every 60 s until it answers,
//! five times at most (§3.6). Sets of NOTIFYs are at least `delay` apart, as BIND's `notify-delay`
//! has it: the first change of a quiet zone is told at once, further ones wait, and then one NOTIFY
//! tells of them all. What is told replaces what was not answered yet.
//!
//! Left out: that an ICMP error ends the repetitions (a secondary's host is always there).

use crate::address::Endpoint;
use crate::dns::message::{Kind, Message, Question, Record, RecordType};
use crate::sim::Context;
use crate::time::{SimDuration, SimTime};

/// Between two transmissions of a NOTIFY (RFC 1996 §3.6).
pub const RETRANSMISSION: SimDuration = SimDuration::from_secs(60);

/// A NOTIFY is sent so often at most: once, and five times again (RFC 1996 §3.6).
pub const TRANSMISSIONS: u32 = 6;

/// Who is told, and what has not been answered yet.
#[derive(Clone, Debug)]
pub struct Notifier {
    delay: SimDuration,
    secondaries: Vec<Secondary>,
    /// When the last set of NOTIFYs was sent.
    last: Option<SimTime>,
    /// When the next is to be sent.
    postponed: Option<SimTime>,
    id: u16,
}

#[derive(Clone, Debug)]
struct Secondary {
    endpoint: Endpoint,
    told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It has answered, or has been given up.
    Done,
    /// The NOTIFY with this ID was sent so often, and is to be sent again then, or given up.
    Waiting { id: u16, sent: u32, next: SimTime },
}

impl Notifier {
    /// Tells these, with so much time between two sets of NOTIFYs.
    #[must_use]
    pub fn new(secondaries: Vec<Endpoint>, delay: SimDuration) -> Self {
        let quiet = |endpoint| Secondary { endpoint, told: Told::Done };
        let secondaries = secondaries.into_iter().map(quiet).collect();
        Self { delay, secondaries, last: None, postponed: None, id: 0 }
    }

    /// When something has to be sent.
    #[must_use]
    pub fn deadline(&self) -> Option<SimTime> {
        let waiting = self.secondaries.iter().filter_map(|it| match it.told {
            Told::Waiting { next, .. } => Some(next),
            Told::Done => None,
        });
        waiting.chain(self.postponed).min()
    }

    /// The zone has changed: this is its SOA now.
    pub fn changed<C>(&mut self, ctx: &mut C, soa: &Record)
    where
        C: Context<Message = Message>,
    {
        let now = ctx.now();
        let free = self.last.map_or(now, |last| last.saturating_add(self.delay));
        if free <= now {
            self.tell_all(ctx, soa);
        } else {
            self.postponed = Some(free);
        }
    }

    /// The deadline has come, perhaps.
    pub fn go_on<C>(&mut self, ctx: &mut C, soa: &Record)
    where
        C: Context<Message = Message>,
    {
        let now = ctx.now();
        if self.postponed.is_some_and(|at| at <= now) {
            self.tell_all(ctx, soa);
        }
        for secondary in &mut self.secondaries {
            match secondary.told {
                Told::Waiting { next, sent, .. } if next <= now && sent >= TRANSMISSIONS => {
                    secondary.told = Told::Done;
                }
                Told::Waiting { id, sent, next } if next <= now => {
                    secondary.tell(ctx, id, sent + 1, soa);
                }
                _ => {}
            }
        }
    }

    /// A response to a NOTIFY has come.
    pub fn answered(&mut self, from: Endpoint, response: &Message) {
        for secondary in self.secondaries.iter_mut().filter(|it| it.endpoint == from) {
            if matches!(secondary.told, Told::Waiting { id, .. } if id == response.id) {
                secondary.told = Told::Done;
            }
        }
    }

    fn tell_all<C>(&mut self, ctx: &mut C, soa: &Record)
    where
        C: Context<Message = Message>,
    {
        self.last = Some(ctx.now());
        self.postponed = None;
        for secondary in &mut self.secondaries {
            self.id = self.id.wrapping_add(1);
            secondary.tell(ctx, self.id, 1, soa);
        }
    }
}

impl Secondary {
    fn tell<C>(&mut self, ctx: &mut C, id: u16, sent: u32, soa: &Record)
    where
        C: Context<Message = Message>,
    {
        let mut notify = Message::query(id, Question::new(soa.name.clone(), RecordType::SOA));
        notify.recursion_desired = false;
        notify.kind = Kind::Notify;
        notify.authoritative = true;
        notify.answers = vec![soa.clone()];
        ctx.send(self.endpoint, notify);
        let next = ctx.now().saturating_add(RETRANSMISSION);
        self.told = Told::Waiting { id, sent, next };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Port};
    use crate::dns::codec::{decode, encode, encoded_len};
    use crate::dns::message::{Rcode, Ttl};
    use crate::dns::{Zone, authority};
    use crate::sim::Recorder;

    type Ctx = Recorder<Message, authority::Timer, ()>;

    fn secondary(last: u32) -> Endpoint {
        Address::from_bits(last).at(Port::DNS)
    }

    fn soa(serial: u32) -> Record {
        let ttl = Ttl::from_secs(60);
        let apex = "dyndns.test".parse().unwrap();
        let mut zone = Zone::conventional(apex, Address::from_bits(1), ttl, ttl).unwrap();
        while zone.serial() < serial {
            let name = "a.dyndns.test".parse().unwrap();
            zone.publish(&name, &[Address::from_bits(zone.serial())]);
        }
        zone.soa_record()
    }

    /// Goes on until everything is over; to whom something was sent, and when, in seconds.
    fn run(ctx: &mut Ctx, notifier: &mut Notifier, until: u64) -> Vec<(u64, u32)> {
        let mut seen = Vec::new();
        loop {
            let now = ctx.now().since(SimTime::ZERO).as_secs();
            seen.extend(ctx.take_sent().into_iter().map(|(to, _)| (now, to.address.bits())));
            match notifier.deadline().filter(|at| *at <= SimTime::from_secs(until)) {
                None => return seen,
                Some(at) => ctx.advance(at - ctx.now()),
            }
            notifier.go_on(ctx, &soa(9));
        }
    }

    #[test]
    fn it_is_repeated_every_minute_five_times_and_the_answer_ends_that() {
        let mut ctx = Ctx::new();
        let mut notifier = Notifier::new(vec![secondary(7), secondary(8)], SimDuration::ZERO);
        notifier.changed(&mut ctx, &soa(9));
        let sent = ctx.sent.clone();
        let (_, told) = &sent[0];
        assert_eq!(decode(&encode(told)).as_ref(), Ok(told));
        // 12 of header; question: 13 of name, 4; SOA: 2 of name, 10, 5 and 13 of names, 20.
        assert_eq!((told.answers.len(), encoded_len(told)), (1, 79));
        let response = Message::response_to(told, Rcode::NO_ERROR);
        assert_eq!(response.kind, Kind::Notify);
        // Not from the one that was asked.
        notifier.answered(secondary(8), &response);
        assert_eq!(notifier.deadline(), Some(SimTime::from_secs(60)));
        notifier.answered(secondary(7), &response);
        let expected: Vec<(u64, u32)> =
            [(0, 7)].into_iter().chain((0..6).map(|nth| (60 * nth, 8))).collect();
        assert_eq!(run(&mut ctx, &mut notifier, 1_000), expected);
        assert_eq!(notifier.deadline(), None);
    }

    #[test]
    fn sets_are_some_time_apart_and_the_last_change_is_told() {
        let mut ctx = Ctx::new();
        let mut notifier = Notifier::new(vec![secondary(7)], SimDuration::from_secs(5));
        ctx.advance(SimDuration::from_secs(100));
        notifier.changed(&mut ctx, &soa(6));
        for serial in [7, 8] {
            ctx.advance(SimDuration::from_secs(1));
            notifier.changed(&mut ctx, &soa(serial));
        }
        assert_eq!(ctx.take_sent().len(), 1);
        ctx.advance(SimDuration::from_secs(3));
        notifier.go_on(&mut ctx, &soa(8));
        let told = ctx.take_sent();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].1.answers, [soa(8)]);
        // The former is not repeated: 60 s after this one.
        assert_eq!(notifier.deadline(), Some(SimTime::from_secs(165)));
    }
}
