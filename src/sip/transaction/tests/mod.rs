//! The transactions of one element on a bench: its clock, what it sends and reports, and when.
//! Times are in milliseconds.

mod client;
mod lossy;
mod server;

use crate::address::{Address, Endpoint, Port};
use crate::rng::{Dice, Draws, NameHash, Purpose};
use crate::sim::{Context as _, Recorder};
use crate::sip::profile::Rules;
use crate::sip::transaction::{ClientId, Event, Owner, Transactions};
use crate::sip::{
    Body, Headers, HostPart, Message, Method, NameAddress, Request, Response, Status, Timer, Uri,
};
use crate::time::SimDuration;

pub(super) const OWN: Endpoint = Address::from_bits(0x0a00_0001).at(Port::SIP);
pub(super) const PEER: Endpoint = Address::from_bits(0x0a00_0002).at(Port::SIP);
pub(super) const OWNER: Owner = Owner::Agent(7);

/// Dice of this name.
pub(super) fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of(name))
}

/// A request from alice to bob without `Via`, the only one of its call.
pub(super) fn request(method: Method) -> Request {
    let alice = Uri::of_user("alice", HostPart::name("a.test"));
    let bob = Uri::of_user("bob", HostPart::name("b.test"));
    let mut headers = Headers::new(
        NameAddress::of(alice).tagged("alice-1"),
        NameAddress::of(bob.clone()),
        "call-1".into(),
        20,
    );
    headers.max_forwards = Some(70);
    Request { method, uri: bob, headers, body: Body::from([]) }
}

/// One element.
pub(super) struct Bench {
    recorder: Recorder<Message, Timer, ()>,
    pub(super) transactions: Transactions,
    /// What it sent, when and to whom.
    pub(super) sent: Vec<(u64, Endpoint, Message)>,
    /// What it reported, and when.
    pub(super) events: Vec<(u64, Event)>,
}

impl Bench {
    pub(super) fn new(rules: Rules) -> Self {
        let host = HostPart::Address(OWN.address);
        Self {
            recorder: Recorder::new(),
            transactions: Transactions::new(rules, OWN, host, dice("bench")),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn now(&self) -> u64 {
        self.recorder.now().as_nanos() / 1_000_000
    }

    /// Lets the transactions act now.
    pub(super) fn act<R>(
        &mut self,
        act: impl FnOnce(&mut Transactions, &mut Recorder<Message, Timer, ()>) -> R,
    ) -> R {
        let result = act(&mut self.transactions, &mut self.recorder);
        let now = self.now();
        self.sent.extend(self.recorder.take_sent().into_iter().map(|(to, what)| (now, to, what)));
        result
    }

    /// Runs to this moment.
    pub(super) fn run(&mut self, until: u64) {
        loop {
            let due = self.recorder.due(Timer::Transactions).map(|at| at.as_nanos() / 1_000_000);
            if due.is_none_or(|due| due > until) {
                break;
            }
            assert_eq!(self.recorder.next_timer(), Some(Timer::Transactions));
            let events = self.act(|transactions, ctx| transactions.timer(ctx));
            let now = self.now();
            self.events.extend(events.into_iter().map(|event| (now, event)));
        }
        let left = until.checked_sub(self.now()).expect("the bench does not run backwards");
        self.recorder.advance(SimDuration::from_millis(left));
    }

    /// Sends a request to [`PEER`].
    pub(super) fn send(&mut self, method: Method) -> ClientId {
        self.send_for(method, OWNER)
    }

    pub(super) fn send_for(&mut self, method: Method, owner: Owner) -> ClientId {
        self.act(|transactions, ctx| transactions.request(ctx, request(method), PEER, owner))
    }

    /// A message comes from [`PEER`].
    pub(super) fn receive(&mut self, message: impl Into<Message>) {
        let event = self.act(|transactions, ctx| transactions.receive(ctx, PEER, message.into()));
        let now = self.now();
        self.events.extend(event.map(|event| (now, event)));
    }

    /// [`PEER`] answers the latest request of this method.
    pub(super) fn answer(&mut self, method: &Method, status: Status, tag: &str) -> Response {
        let mut sent = self.sent.iter().rev().map(|(_, _, message)| message);
        let request = sent.find_map(|message| match message {
            Message::Request(request) if request.method == *method => Some(request),
            _ => None,
        });
        let response = request.expect("it was sent").respond(status, Some(tag));
        self.receive(response.clone());
        response
    }

    /// Takes what was sent: when, and the method or the status.
    pub(super) fn take_sent(&mut self) -> Vec<(u64, String)> {
        let word = |message| match message {
            Message::Request(request) => request.method.to_string(),
            Message::Response(response) => response.status.to_string(),
        };
        std::mem::take(&mut self.sent).into_iter().map(|(at, _, what)| (at, word(what))).collect()
    }

    /// Takes what was reported, in short.
    pub(super) fn take_events(&mut self) -> Vec<(u64, String)> {
        let word = |event| match event {
            Event::Request { request, .. } => request.method.to_string(),
            Event::Ack { .. } => "ACK".to_owned(),
            Event::Cancelled { .. } => "cancelled".to_owned(),
            Event::Response { response, .. } => response.status.to_string(),
            Event::StrayResponse(response) => format!("stray {}", response.status),
            Event::Failed { why, .. } => format!("{why:?}"),
            Event::Unacknowledged { .. } => "unacknowledged".to_owned(),
        };
        std::mem::take(&mut self.events).into_iter().map(|(at, event)| (at, word(event))).collect()
    }

    /// Nothing is left: no transaction, no entry in the agenda, no timer.
    pub(super) fn assert_idle(&self) {
        assert!(self.transactions.is_idle());
        assert_eq!(self.transactions.agenda.earliest(), None);
        assert_eq!(self.recorder.due(Timer::Transactions), None);
    }
}

/// Words with their times, to compare with.
pub(super) fn at<const N: usize>(expected: [(u64, &str); N]) -> Vec<(u64, String)> {
    expected.into_iter().map(|(at, word)| (at, word.to_owned())).collect()
}
