//! A primary and a secondary on a wire with a delay of 10 ms, from which datagrams can be lost.

use super::*;
use crate::address::{Address, Port};
use crate::dns::authority::{self, Authority};
use crate::dns::binding::{Binding, Form};
use crate::dns::message::Ttl;
use crate::dns::notify::Notifier;
use crate::net::Payload as _;
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::Recorder;

const PRIMARY: Endpoint = Address::from_bits(53).at(Port::DNS);
const SECONDARY: Endpoint = Address::from_bits(54).at(Port::DNS);
const DELAY: SimDuration = SimDuration::from_millis(10);

/// What the primary sends, over either transport.
#[derive(Clone, Debug)]
enum Flying {
    ToPrimary(Packet),
    ToSecondary(Packet),
}

struct Wire {
    primary: Authority,
    secondary: Secondary,
    /// The primary's context, and the secondary's.
    left: Recorder<Packet, authority::Timer, Observation>,
    right: Recorder<Packet, Timer, Observation>,
    flying: Vec<(SimTime, Flying)>,
    /// Nothing gets through.
    cut: bool,
    log: Vec<String>,
}

fn word(packet: &Packet) -> String {
    match packet {
        Packet::Datagram(message) => {
            let what = match message.kind {
                Kind::Notify => "NOTIFY".to_owned(),
                _ => message.question.rtype.to_string(),
            };
            what + if message.response { " answered" } else { "" }
        }
        Packet::Segment(Segment::Control(control)) => format!("{:?}", control.kind),
        Packet::Segment(Segment::Data(data)) => word(&Packet::Datagram(data.body.0.clone())),
    }
}

impl Wire {
    fn new(versions: usize, notify: Option<u64>) -> Self {
        let (ttl, apex) = (Ttl::from_secs(60), "z.test".parse().unwrap());
        let mut zone = Zone::conventional(apex, PRIMARY.address, ttl, ttl).unwrap();
        zone.set_maintenance(1_200, 180, 3_600);
        let copy = zone.clone();
        let apex = zone.apex().clone();
        let mut primary = Authority::new(vec![zone]);
        let notifier =
            notify.map(|delay| Notifier::new(vec![SECONDARY], SimDuration::from_secs(delay)));
        primary.copy(&apex, versions, notifier);
        let dice = Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of("secondary"));
        let mut wire = Self {
            primary,
            secondary: Secondary::new(copy, PRIMARY, dice),
            left: Recorder::new(),
            right: Recorder::new(),
            flying: Vec::new(),
            cut: false,
            log: Vec::new(),
        };
        wire.secondary.start(&mut wire.right);
        wire
    }

    fn question() -> Question {
        Question::addresses("chord.z.test".parse().unwrap())
    }

    fn publish(&mut self, last: u32) {
        self.publish_all(&[Address::from_bits(last)]);
    }

    fn publish_all(&mut self, addresses: &[Address]) {
        let domain = Self::question().name;
        let ttl = Ttl::from_secs(60);
        let zone = "z.test".parse().unwrap();
        let binding = Binding::new(domain, zone, Form::Addresses, ttl).unwrap();
        let ctx = &mut self.left.lift::<Message, authority::Timer, Observation>();
        self.primary.publish(ctx, &binding, addresses).unwrap();
        self.collect();
    }

    fn now(&self) -> SimTime {
        self.left.now()
    }

    fn collect(&mut self) {
        let (now, at) = (self.now(), self.now() + DELAY);
        let millis = now.since(SimTime::ZERO).as_nanos() / 1_000_000;
        let mut packets: Vec<Flying> = Vec::new();
        packets.extend(self.left.take_sent().into_iter().map(|(_, it)| Flying::ToSecondary(it)));
        packets.extend(self.right.take_sent().into_iter().map(|(_, it)| Flying::ToPrimary(it)));
        for flying in packets {
            let (sender, packet) = match &flying {
                Flying::ToPrimary(packet) => ("s", packet),
                Flying::ToSecondary(packet) => ("p", packet),
            };
            self.log.push(format!("{millis} {sender} {}", word(packet)));
            if !self.cut {
                self.flying.push((at, flying));
            }
        }
        for observation in self.right.take_observed() {
            if let Observation::Served { question, answer } = observation
                && question == Self::question()
            {
                let said: Vec<u32> = answer.addresses().map(|it| it.bits()).collect();
                let failed = if answer == Answer::Failure { " failure" } else { "" };
                self.log.push(format!("{millis} serves {said:?}{failed}"));
            }
        }
    }

    fn deliver(&mut self, flying: Flying) {
        let from = |packet: &Packet, address: Address| match packet {
            Packet::Datagram(message) => address.at(message.source_port()),
            Packet::Segment(segment) => address.at(segment.header().source_port()),
        };
        match flying {
            Flying::ToSecondary(packet) => {
                let from = from(&packet, PRIMARY.address);
                self.secondary.receive(&mut self.right, from, packet);
            }
            Flying::ToPrimary(packet) => {
                let from = from(&packet, SECONDARY.address);
                match packet {
                    Packet::Datagram(message) => {
                        let ctx = &mut self.left.lift::<Message, _, Observation>();
                        self.primary.receive(ctx, from, &message);
                    }
                    Packet::Segment(segment) => {
                        let ctx = &mut self.left.lift::<Segment<Framed>, _, Observation>();
                        self.primary.receive_segment(ctx, from, segment);
                    }
                }
            }
        }
    }

    /// Goes on until that second; what happened, with times in milliseconds.
    fn run_until(&mut self, second: u64) -> Vec<String> {
        let end = SimTime::from_secs(second);
        loop {
            let arrival = self.flying.iter().map(|(at, _)| *at).min();
            let timers = [self.left.next_due(), self.right.next_due()];
            let next = timers.into_iter().flatten().chain(arrival).min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            let pause = next - self.now();
            self.left.advance(pause);
            self.right.advance(pause);
            if let Some(place) = self.flying.iter().position(|(at, _)| *at == next) {
                let (_, flying) = self.flying.remove(place);
                self.deliver(flying);
            } else if self.left.next_due() == Some(next) {
                match self.left.next_timer().unwrap() {
                    authority::Timer::Notify => {
                        let ctx = &mut self.left.lift::<Message, _, Observation>();
                        self.primary.notify_timer(ctx);
                    }
                    authority::Timer::Tcp(timer) => {
                        let ctx = &mut self.left.lift::<Segment<Framed>, _, Observation>();
                        self.primary.tcp_timer(ctx, timer);
                    }
                }
            } else {
                let timer = self.right.next_timer().unwrap();
                self.secondary.timer(&mut self.right, timer);
            }
            self.collect();
        }
        let pause = end - self.now();
        self.left.advance(pause);
        self.right.advance(pause);
        std::mem::take(&mut self.log)
    }
}

#[test]
fn a_change_is_copied_after_two_and_a_half_round_trips() {
    let mut wire = Wire::new(10, Some(5));
    wire.publish(1);
    // NOTIFY 10 ms, SOA 20 ms, IXFR 20 ms.
    let expected = [
        "0 p NOTIFY",
        "10 s NOTIFY answered",
        "10 s SOA",
        "20 p SOA answered",
        "30 s IXFR",
        "40 p IXFR answered",
        "50 serves [1]",
    ];
    assert_eq!(wire.run_until(1), expected);
    // A second change within 5 s waits for their end.
    wire.publish(2);
    assert_eq!(wire.run_until(4), [] as [&str; 0]);
    let log = wire.run_until(6);
    assert_eq!((log[0].as_str(), log[6].as_str()), ("5000 p NOTIFY", "5050 serves [2]"));
    assert_eq!(
        wire.secondary.answer(&Wire::question()),
        Answer::of_addresses(&[Address::from_bits(2)])
    );
}

#[test]
fn what_is_too_long_for_a_datagram_comes_over_tcp() {
    // Without a journal all is sent: after 40 more names that is too much for 1,232 octets.
    let mut wire = Wire::new(0, Some(0));
    wire.run_until(1);
    for last in 1..=60 {
        let update = wire.primary_update(last);
        wire.primary_takes(&update);
    }
    let log = wire.run_until(3);
    let tail = &log[log.iter().position(|line| line.ends_with("Syn")).expect("it connects")..];
    let words: Vec<&str> = tail.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    let expected = ["s Syn", "p SynAck", "s Ack", "s IXFR", "p Ack", "p IXFR answered", "s Ack"];
    assert_eq!(words[..7], expected);
    assert_eq!(wire.secondary.serial(), wire.primary_serial());
}

#[test]
fn lost_notifications_are_made_up_for() {
    // Repeated after a minute: served at 60.05 s.
    let mut wire = Wire::new(10, Some(0));
    wire.cut = true;
    wire.publish(1);
    wire.run_until(30);
    wire.cut = false;
    let log = wire.run_until(100);
    assert_eq!(log.last().map(String::as_str), Some("60050 serves [1]"));
    // Without NOTIFY at the next refresh, at most 1,200 s later.
    let mut wire = Wire::new(10, None);
    wire.publish(1);
    let log = wire.run_until(1_201);
    let served = log.iter().find(|line| line.contains("serves")).unwrap();
    let asked = log.iter().find(|line| line.ends_with("s SOA")).unwrap();
    let at = |line: &str| line.split(' ').next().unwrap().parse::<u64>().unwrap();
    assert_eq!(at(served), at(asked) + 40);
}

#[test]
fn without_its_primary_a_copy_expires_and_comes_back() {
    let mut wire = Wire::new(10, Some(0));
    wire.publish(1);
    wire.run_until(2);
    wire.cut = true;
    let log = wire.run_until(4_000);
    // Confirmed at 0.05 s. A refresh after at most 1,200 s: three questions 5 s apart, and again
    // 180 s after the third was given up.
    let asked: Vec<u64> = log
        .iter()
        .filter(|line| line.ends_with("s SOA"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(asked[0], 1_200_050);
    let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses[..5], [5_000, 5_000, 185_000, 5_000, 5_000]);
    assert!(log.contains(&"3600050 serves [] failure".to_owned()), "{log:?}");
    wire.cut = false;
    let log = wire.run_until(4_400);
    let served = log.iter().find(|line| line.contains("serves")).unwrap();
    assert!(served.ends_with("serves [1]"), "{log:?}");
}

/// The address is taken away while the primary is out of reach.
#[test]
fn a_copy_that_comes_back_says_what_it_has_no_more() {
    let mut wire = Wire::new(10, Some(0));
    wire.publish(1);
    wire.run_until(2);
    wire.cut = true;
    wire.publish_all(&[]);
    let log = wire.run_until(4_000);
    assert!(log.contains(&"3600050 serves [] failure".to_owned()), "{log:?}");
    wire.cut = false;
    let log = wire.run_until(4_400);
    let served: Vec<_> = log.iter().filter(|line| line.contains("serves")).collect();
    assert_eq!(served.len(), 1, "{log:?}");
    assert!(served[0].ends_with("serves []"), "{log:?}");
}

#[test]
fn a_change_during_a_transfer_is_followed_and_strangers_are_not_heeded() {
    let mut wire = Wire::new(10, Some(0));
    wire.publish(1);
    let before = wire.run_until(0);
    assert_eq!(before, ["0 p NOTIFY"]);
    // Between the secondary's question and the transfer.
    wire.left.advance(SimDuration::from_millis(15));
    wire.right.advance(SimDuration::from_millis(15));
    wire.deliver_due();
    wire.publish(2);
    wire.publish(3);
    let log = wire.run_until(1);
    assert!(log.iter().any(|line| line.ends_with("serves [3]")), "{log:?}");
    assert_eq!(wire.secondary.serial(), wire.primary_serial());
    // A NOTIFY from elsewhere, or of a version that is not newer, is answered and no more.
    let soa = wire.secondary.zone.soa_record();
    let mut notify = Message::query(1, Question::new(soa.name.clone(), RecordType::SOA));
    notify.kind = Kind::Notify;
    let stranger = Address::from_bits(99).at(Port::EPHEMERAL);
    wire.secondary.receive(&mut wire.right, stranger, notify.clone().into());
    notify.answers = vec![soa];
    let primary = PRIMARY.address.at(Port::EPHEMERAL);
    wire.secondary.receive(&mut wire.right, primary, notify.into());
    let sent: Vec<String> = wire.right.take_sent().iter().map(|(_, it)| word(it)).collect();
    assert_eq!(sent, ["NOTIFY answered", "NOTIFY answered"]);
}

#[test]
fn it_answers_queries_from_its_copy_and_refuses_the_rest() {
    let mut wire = Wire::new(10, Some(0));
    wire.publish(7);
    wire.run_until(1);
    let ask = |name: &str, rtype| Message::query(1, Question::new(name.parse().unwrap(), rtype));
    let mut update = ask("z.test", RecordType::SOA);
    update.kind = Kind::Update(crate::dns::Update::default());
    let mut notify = ask("y.test", RecordType::SOA);
    notify.kind = Kind::Notify;
    for (message, rcode, answers) in [
        (ask("chord.z.test", RecordType::A), Rcode::NO_ERROR, 1),
        (ask("no.z.test", RecordType::A), Rcode::NX_DOMAIN, 0),
        (ask("chord.y.test", RecordType::A), Rcode::REFUSED, 0),
        (ask("z.test", RecordType::IXFR), Rcode::REFUSED, 0),
        (update, Rcode::REFUSED, 0),
        (notify, Rcode::NOT_AUTH, 0),
    ] {
        let from = Address::from_bits(9).at(Port::EPHEMERAL);
        wire.secondary.receive(&mut wire.right, from, message.clone().into());
        let sent = wire.right.take_sent();
        let [(to, Packet::Datagram(response))] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(*to, from);
        assert_eq!((response.rcode, response.answers.len()), (rcode, answers), "{message:?}");
    }
}

impl Wire {
    /// An address of its own for another name.
    fn primary_update(&self, last: u32) -> (String, u32) {
        (format!("a{last}.chord.z.test"), last)
    }

    fn primary_takes(&mut self, (label, last): &(String, u32)) {
        let ttl = Ttl::from_secs(60);
        let (domain, zone) = (label.parse().unwrap(), "z.test".parse().unwrap());
        let binding = Binding::new(domain, zone, Form::Addresses, ttl).unwrap();
        let ctx = &mut self.left.lift::<Message, authority::Timer, Observation>();
        self.primary.publish(ctx, &binding, &[Address::from_bits(*last)]).unwrap();
        self.collect();
    }

    fn primary_serial(&self) -> u32 {
        self.primary.zone_of(&Self::question().name).unwrap().serial()
    }

    fn deliver_due(&mut self) {
        let now = self.now();
        while let Some(place) = self.flying.iter().position(|(at, _)| *at <= now) {
            let (_, flying) = self.flying.remove(place);
            self.deliver(flying);
        }
        self.collect();
    }
}
