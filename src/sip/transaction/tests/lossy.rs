//! Two elements on a network that loses: whatever is lost, a request ends exactly once at both.

use super::*;
use crate::net::lab::{Device, Lab, LabLink};
use crate::net::{Class, Packed, Payload, Protocol, Purpose as Account, Transport, Words};
use crate::sim::Lift;
use crate::sip::transaction::Failure;
use crate::time::SimTime;

/// A message on this network. Its length is of no interest here.
#[derive(Debug)]
struct Datagram(Message);

impl From<Message> for Datagram {
    fn from(message: Message) -> Self {
        Self(message)
    }
}

impl Payload for Datagram {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }

    fn unpack(words: Words) -> Self {
        unreachable!("no datagram is packed into {words:?}")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        Port::SIP
    }
    fn wire_len(&self) -> u32 {
        400
    }
    fn class(&self) -> Class {
        Class { protocol: Protocol::Test, purpose: Account::Error }
    }
    fn digest(&self) -> u64 {
        self.0.key().0
    }
}

/// A user who makes a request, or answers those that come with this status.
struct User {
    transactions: Transactions,
    asks: Option<Method>,
    answers: Status,
    /// Final responses and failures, requests, and calls set up.
    ended: Vec<Result<Status, Failure>>,
    asked: u32,
    acknowledged: bool,
    unacknowledged: bool,
}

type Link<'a, 'b> = Lift<'a, LabLink<'b, User>, Message, Timer, ()>;

impl User {
    fn new(index: usize, asks: Option<Method>, answers: Status) -> Self {
        let own = Lab::<Self>::address_of(index).at(Port::SIP);
        let host = HostPart::Address(own.address);
        let dice = dice(&format!("user-{index}"));
        Self {
            transactions: Transactions::new(Rules::rfc3261(), own, host, dice),
            asks,
            answers,
            ended: Vec::new(),
            asked: 0,
            acknowledged: false,
            unacknowledged: false,
        }
    }

    fn handle(&mut self, link: &mut Link<'_, '_>, event: Event) {
        match event {
            Event::Request { server, request, .. } => {
                self.asked += 1;
                let response = request.respond(self.answers, Some("callee"));
                self.transactions.respond(link, server, response);
            }
            Event::Response { response, .. } if response.status.is_provisional() => {}
            Event::Response { response, .. } => {
                self.ended.push(Ok(response.status));
                if response.method == Method::Invite && response.status.is_success() {
                    let mut ack = request(Method::Ack);
                    ack.headers.to = response.headers.to.clone();
                    self.transactions.send_ack(link, ack, peer(1));
                }
            }
            Event::Failed { why, .. } => self.ended.push(Err(why)),
            Event::Ack { .. } => self.acknowledged = true,
            Event::Unacknowledged { .. } => self.unacknowledged = true,
            Event::StrayResponse(_) => {}
            Event::Cancelled { .. } => panic!("nobody cancels"),
        }
    }
}

fn peer(index: usize) -> Endpoint {
    Lab::<User>::address_of(index).at(Port::SIP)
}

impl Device for User {
    type Message = Datagram;
    type Timer = Timer;
    type Observation = ();

    fn start(&mut self, ctx: &mut LabLink<'_, Self>) {
        if let Some(method) = self.asks.clone() {
            self.transactions.request(&mut ctx.lift(), request(method), peer(1), OWNER);
        }
    }

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Datagram) {
        let mut link = ctx.lift();
        if let Some(event) = self.transactions.receive(&mut link, from, message.0) {
            self.handle(&mut link, event);
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, _: Timer) {
        let mut link = ctx.lift();
        for event in self.transactions.timer(&mut link) {
            self.handle(&mut link, event);
        }
    }
}

/// How a request went at one seed: the end at the caller, and whether the callee knows.
struct Outcome {
    end: Result<Status, Failure>,
    asked: u32,
    acknowledged: bool,
    unacknowledged: bool,
}

fn run(method: &Method, answer: Status, loss: f64, seed: u64) -> Outcome {
    let caller = User::new(0, Some(method.clone()), Status::OK);
    let callee = User::new(1, None, answer);
    let mut lab = Lab::new(vec![caller, callee], SimDuration::from_millis(40), loss, seed);
    lab.run_until(SimTime::from_secs(600));
    let [caller, callee] = &lab.devices[..] else { panic!("two devices") };
    assert_eq!(caller.ended.len(), 1, "{method} ended {:?}, seed {seed}", caller.ended);
    assert!(caller.transactions.is_idle() && callee.transactions.is_idle());
    Outcome {
        end: caller.ended[0],
        asked: callee.asked,
        acknowledged: callee.acknowledged,
        unacknowledged: callee.unacknowledged,
    }
}

#[test]
fn whatever_is_lost_a_request_ends_exactly_once() {
    for (method, answer) in [
        (Method::Invite, Status::OK),
        (Method::Invite, Status::BUSY_HERE),
        (Method::Message, Status::OK),
        (Method::Subscribe, Status::NOT_FOUND),
    ] {
        for seed in 0..200 {
            let outcome = run(&method, answer, 0.4, seed);
            // The callee sees it once at most, although it comes up to eleven times.
            assert!(outcome.asked <= 1, "{method} came {} times, seed {seed}", outcome.asked);
            match outcome.end {
                Ok(status) => assert_eq!((status, outcome.asked), (answer, 1)),
                Err(why) => assert_eq!(why, Failure::Timeout),
            }
            if method == Method::Invite && answer == Status::OK && outcome.asked == 1 {
                // Of a call that was taken, the callee hears either the ACK or that none came.
                assert_ne!(outcome.acknowledged, outcome.unacknowledged, "seed {seed}");
            }
        }
    }
}

#[test]
fn a_request_fails_as_often_as_all_its_messages_are_lost() {
    // Each of the eleven sends of a MESSAGE comes through, with its answer, with probability
    // 0.3² = 0.09 at a loss of 0.7; all fail with 0.91^11 = 0.3544. Of 1,000 runs 354 fail, give
    // or take four standard deviations of √(1000 · 0.3544 · 0.6456) = 15.1.
    let failed = |method: &Method, answer| {
        (0..1_000).filter(|&seed| run(method, answer, 0.7, seed).end.is_err()).count()
    };
    let messages = failed(&Method::Message, Status::OK);
    assert!((294..=414).contains(&messages), "{messages} of 1,000 failed");
    // Of an INVITE, seven sends and the callee's own repetition: fails if no INVITE arrives
    // (0.7^7 = 0.082), or later ones' answers are lost. More than that, less than the MESSAGE.
    let calls = failed(&Method::Invite, Status::OK);
    assert!((82..messages).contains(&calls), "{calls} of 1,000 failed");
}

#[test]
fn without_loss_everything_is_said_once() {
    let outcome = run(&Method::Invite, Status::OK, 0.0, 1);
    assert_eq!((outcome.end, outcome.asked), (Ok(Status::OK), 1));
    assert!(outcome.acknowledged && !outcome.unacknowledged);
}
