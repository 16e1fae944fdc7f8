//! A caller, a proxy and callees, 50 ms from each other.

mod failing;
mod forking;
mod routing;

use std::collections::BTreeMap;

use super::*;
use crate::address::{Address, Port};
use crate::net::lab::{Device, Lab, LabLink};
use crate::rng::{Draws, NameHash, Purpose};
use crate::sip::{Contact, Contacts, Headers, Message, NameAddress};
use crate::time::SimTime;

/// The caller's place in the laboratory, the proxy's, and the first callee's.
const CALLER: usize = 0;
const PROXY: usize = 1;
const CALLEE: usize = 2;

fn at(index: usize) -> Endpoint {
    Lab::<Node>::address_of(index).at(Port::SIP)
}

fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(1, Purpose::Protocol), NameHash::of(name))
}

fn transactions(index: usize, rules: Rules) -> Transactions {
    let own = at(index);
    Transactions::new(rules, own, HostPart::Address(own.address), dice(&format!("tx {index}")))
}

/// `sip:name@host`.
fn uri(name: &str, host: &str) -> Uri {
    let address = host.parse::<Address>();
    Uri::of_user(name, address.map_or_else(|_| HostPart::name(host), HostPart::Address))
}

/// The contact of the callee at this place.
fn contact(index: usize) -> Uri {
    Uri::of_user("bob", HostPart::Address(at(index).address))
}

/// What a phone does with a request.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// It is off.
    Dead,
    /// Answers at once.
    Answers(u16),
    /// Rings, and answers after so many seconds.
    Rings(u64, u16),
}

struct Phone {
    tx: Transactions,
    habit: Habit,
    /// All that arrived: milliseconds, and what.
    log: Vec<String>,
    /// The requests that arrived.
    requests: Vec<Request>,
    ringing: Option<(ServerId, Request)>,
}

struct Server {
    tx: Transactions,
    proxy: Proxy,
    /// The location service: contacts, or a status; silent about all others.
    users: BTreeMap<&'static str, Result<Vec<Uri>, u16>>,
    /// The name service; 478 for all others.
    names: BTreeMap<&'static str, Vec<Endpoint>>,
    /// All up-calls but questions: milliseconds, and what.
    log: Vec<String>,
    /// Requests that came.
    accepted: usize,
}

enum Node {
    Phone(Box<Phone>),
    Server(Box<Server>),
}

fn milliseconds(ctx: &impl Wire) -> u64 {
    ctx.now().as_nanos() / 1_000_000
}

impl Phone {
    fn receive(&mut self, ctx: &mut impl Wire, from: Endpoint, message: Message) {
        if matches!(self.habit, Habit::Dead) {
            return;
        }
        self.log.push(format!("{} {}", milliseconds(ctx), describe(&message)));
        match self.tx.receive(ctx, from, message) {
            Some(Event::Request { server, request, .. }) => {
                self.requests.push((*request).clone());
                self.serve(ctx, server, *request);
            }
            Some(Event::Ack { request, .. }) => self.requests.push(*request),
            Some(Event::Cancelled { .. }) => {
                if let Some((server, request)) = self.ringing.take() {
                    self.answer(ctx, server, &request, 487);
                }
            }
            _ => {}
        }
    }

    fn serve(&mut self, ctx: &mut impl Wire, server: ServerId, request: Request) {
        match self.habit {
            Habit::Dead => {}
            Habit::Answers(code) => self.answer(ctx, server, &request, code),
            Habit::Rings(after, _) => {
                self.answer(ctx, server, &request, 180);
                ctx.set_after(Timer::Agent, SimDuration::from_secs(after));
                self.ringing = Some((server, request));
            }
        }
    }

    fn answer(&mut self, ctx: &mut impl Wire, server: ServerId, request: &Request, code: u16) {
        let tag = format!("tag-{}", request.uri);
        let mut response = request.respond(Status::new(code).unwrap(), Some(&tag));
        response.headers.contact = Contacts::one(Contact::of(request.uri.clone()));
        self.tx.respond(ctx, server, response);
    }

    fn timer(&mut self, ctx: &mut impl Wire, timer: Timer) {
        if timer == Timer::Agent {
            if let (Habit::Rings(_, code), Some((server, request))) =
                (self.habit, self.ringing.take())
            {
                self.answer(ctx, server, &request, code);
            }
            return;
        }
        for event in self.tx.timer(ctx) {
            if let Event::Failed { why, .. } = event {
                self.log.push(format!("{} {why:?}", milliseconds(ctx)));
            }
        }
    }
}

fn describe(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => format!("{} {}", response.status, response.method),
    }
}

impl Server {
    fn hand(&mut self, ctx: &mut impl Wire, mut event: Event) {
        self.accepted += usize::from(matches!(event, Event::Request { .. }));
        if let Event::Request { request, .. } | Event::Ack { request, .. } = &mut event {
            let own = at(PROXY).address;
            let is_me = |uri: &crate::sip::uri::SipUri| {
                uri.host == HostPart::Address(own) || uri.host == HostPart::name("a.test")
            };
            preprocess_route(request, is_me);
        }
        let upcalls = self.proxy.event(ctx, &mut self.tx, event);
        self.carry_out(ctx, upcalls);
    }

    /// Answers what the proxy asks, and writes down what it tells.
    fn carry_out(&mut self, ctx: &mut impl Wire, upcalls: Upcalls) {
        for upcall in upcalls {
            let now = milliseconds(ctx);
            let (tx, proxy) = (&mut self.tx, &mut self.proxy);
            let more = match upcall {
                Upcall::Targets { ticket, aor } => {
                    let user = aor.sip().and_then(|uri| uri.user.clone()).unwrap();
                    let Some(found) = self.users.get(&*user) else { continue };
                    let found = found.clone().map_err(|code| Status::new(code).unwrap());
                    proxy.targets(ctx, tx, ticket, found)
                }
                Upcall::Locate { ticket, next_hop, .. } => {
                    let found = match &next_hop.sip().unwrap().host {
                        HostPart::Address(address) => Ok(vec![address.at(Port::SIP)]),
                        HostPart::Name(name) => {
                            self.names.get(&**name).cloned().ok_or(Status::UNRESOLVABLE_DESTINATION)
                        }
                        HostPart::Ipv6(_) => panic!("nobody speaks it"),
                    };
                    proxy.located(ctx, tx, ticket, found)
                }
                Upcall::Forwarded { method, to, .. } => {
                    self.log.push(format!("{now} {method} to {}", to.address));
                    continue;
                }
                Upcall::Unanswered { method, to, why, .. } => {
                    self.log.push(format!("{now} {method} {why:?} {}", to.address));
                    continue;
                }
                Upcall::Answered { status, .. } => {
                    self.log.push(format!("{now} answered {status}"));
                    continue;
                }
                Upcall::Abandoned { .. } => {
                    self.log.push(format!("{now} abandoned"));
                    continue;
                }
            };
            self.carry_out(ctx, more);
        }
    }
}

impl Device for Node {
    type Message = Message;
    type Timer = Timer;
    type Observation = ();

    fn start(&mut self, _: &mut LabLink<'_, Self>) {}

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Message) {
        match self {
            Self::Phone(phone) => phone.receive(ctx, from, message),
            Self::Server(server) => {
                if let Some(event) = server.tx.receive(ctx, from, message) {
                    server.hand(ctx, event);
                }
            }
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, timer: Timer) {
        match self {
            Self::Phone(phone) => phone.timer(ctx, timer),
            Self::Server(server) if timer == Timer::Proxy => {
                let upcalls = server.proxy.timer(ctx, &mut server.tx);
                server.carry_out(ctx, upcalls);
            }
            Self::Server(server) => {
                for event in server.tx.timer(ctx) {
                    server.hand(ctx, event);
                }
            }
        }
    }
}

/// The caller, a proxy for `a.test`, and callees of these habits. `bob@a.test` is registered at all
/// of them, and all of them are addresses of `b.test`.
struct Story {
    lab: Lab<Node>,
}

impl Story {
    fn new(rules: Rules, habits: &[Habit]) -> Self {
        Self::lossy(rules, habits, 0.0)
    }

    fn lossy(rules: Rules, habits: &[Habit], loss: f64) -> Self {
        let places: Vec<usize> = (0..habits.len()).map(|index| CALLEE + index).collect();
        let domains = vec![HostPart::name("a.test"), HostPart::Address(at(PROXY).address)];
        let settings = ProxySettings::new(at(PROXY), domains, rules);
        let server = Server {
            tx: transactions(PROXY, rules),
            proxy: Proxy::new(settings, dice("proxy")),
            users: [("bob", Ok(places.iter().map(|&index| contact(index)).collect()))].into(),
            names: [("b.test", places.iter().map(|&index| at(index)).collect())].into(),
            log: Vec::new(),
            accepted: 0,
        };
        let phone = |index: usize, habit: Habit| {
            Node::Phone(Box::new(Phone {
                // More patient than any proxy, so that its own end hides nothing.
                tx: transactions(
                    index,
                    Rules { no_reply: SimDuration::from_secs(900), ..Rules::rfc3261() },
                ),
                habit,
                log: Vec::new(),
                requests: Vec::new(),
                ringing: None,
            }))
        };
        let mut devices = vec![phone(CALLER, Habit::Answers(200)), Node::Server(Box::new(server))];
        devices.extend(habits.iter().enumerate().map(|(i, &habit)| phone(CALLEE + i, habit)));
        Self { lab: Lab::new(devices, SimDuration::from_millis(50), loss, 1) }
    }

    /// Changes the proxy's settings before anything is sent.
    fn with(mut self, change: impl FnOnce(&mut ProxySettings)) -> Self {
        change(&mut self.server().proxy.settings);
        self
    }

    fn phone(&mut self, index: usize) -> &mut Phone {
        match &mut self.lab.devices[index] {
            Node::Phone(phone) => phone,
            Node::Server(_) => panic!("that is the proxy"),
        }
    }

    fn server(&mut self) -> &mut Server {
        match &mut self.lab.devices[PROXY] {
            Node::Server(server) => server,
            Node::Phone(_) => panic!("that is a phone"),
        }
    }

    /// What the caller is about to send.
    fn request(method: Method, to: Uri) -> Request {
        let from = NameAddress::of(uri("alice", "c.test")).tagged("alice");
        let mut headers = Headers::new(from, NameAddress::of(to.clone()), "call".into(), 1);
        headers.max_forwards = Some(70);
        headers.contact = Contacts::one(Contact::of(uri("alice", "10.0.0.1")));
        Request { method, uri: to, headers, body: [].into() }
    }

    /// The caller sends this to the proxy now.
    fn send(&mut self, request: Request) -> crate::sip::transaction::ClientId {
        self.lab.act(CALLER, |node, ctx| match node {
            Node::Phone(phone) => phone.tx.request(ctx, request, at(PROXY), Owner::Agent(0)),
            Node::Server(_) => panic!("that is the proxy"),
        })
    }

    fn run(&mut self, seconds: u64) {
        self.lab.run_until(SimTime::from_secs(seconds));
    }

    /// Sends and runs to this second; then nothing must be under way any more.
    fn tell(&mut self, request: Request, seconds: u64) {
        self.send(request);
        self.run(seconds);
        let proxy = &self.server().proxy;
        assert_eq!(proxy.under_way(), 0);
        assert!(proxy.servers.is_empty() && proxy.branches.is_empty());
        assert_eq!(proxy.agenda.earliest(), None);
    }

    #[track_caller]
    fn heard(&mut self, index: usize, expected: &[&str]) {
        assert_eq!(self.phone(index).log, expected, "at {index}");
    }

    #[track_caller]
    fn proxied(&mut self, expected: &[&str]) {
        assert_eq!(self.server().log, expected);
    }
}
