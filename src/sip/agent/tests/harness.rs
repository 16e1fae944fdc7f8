//! Phones, a server that says what it is told to, and a proxy that stays in the route.

use std::collections::{BTreeMap, VecDeque};

use crate::address::{Endpoint, Port};
use crate::net::lab::{Device, Lab, LabLink};
use crate::rng::{Dice, Draws, NameHash, Purpose};
use crate::sim::{Context, HostId};
use crate::sip::agent::{
    Agent, AgentSettings, CallEnd, Outcome, SubscriptionChange, Upcall, Upcalls, WatcherChange,
};
use crate::sip::header::NameAddress;
use crate::sip::message::{Message, Request, RequestKey, Response, Status};
use crate::sip::profile::Rules;
use crate::sip::transaction::{Event, Owner, Transactions, reply_to};
use crate::sip::uri::{HostPart, SipUri, Uri};
use crate::sip::{Timer, Unlocated, decode, encode};
use crate::time::{SimDuration, SimTime};

/// What is written down of a run.
#[derive(Clone, Debug)]
pub(super) enum Note {
    /// A message arrived.
    Got(Message),
    /// An agent told its host something.
    Told(Upcall),
}

/// One host.
pub(super) enum Node {
    Phone(Box<Phone>),
    Server(Box<Server>),
    Proxy(Box<Proxy>),
}

pub(super) type Names = BTreeMap<String, Vec<Endpoint>>;

/// A user's phone. A numeric next hop is where it says; names are in a book.
pub(super) struct Phone {
    pub(super) agent: Agent,
    pub(super) tx: Transactions,
    pub(super) names: Names,
    /// The first so many messages of this kind do not arrive.
    pub(super) drops: Vec<(&'static str, u32)>,
}

/// Answers each request with the next of these, and all others with 200.
pub(super) struct Server {
    tx: Transactions,
    pub(super) script: VecDeque<fn(&Request) -> Response>,
}

/// Puts itself into the route and passes everything on, without state; forks what has several
/// targets.
pub(super) struct Proxy {
    tx: Transactions,
    record_route: Uri,
    /// The routes that end here: its address and the name `proxy.org`.
    own: [Uri; 2],
    names: Names,
}

pub(super) type Network = Lab<Node>;

pub(super) fn endpoint(index: usize) -> Endpoint {
    Network::address_of(index).at(Port::SIP)
}

pub(super) fn numeric(index: usize) -> HostPart {
    HostPart::Address(Network::address_of(index))
}

/// `sip:user@10.0.0.n`, of the phone at this index.
pub(super) fn user_at(user: &str, index: usize) -> Uri {
    Uri::of_user(user, numeric(index))
}

pub(super) fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(2009, Purpose::Protocol), NameHash::of(name))
}

fn transactions(index: usize, name: &str) -> Transactions {
    Transactions::new(Rules::rfc3261(), endpoint(index), numeric(index), dice(name))
}

impl Phone {
    pub(super) fn of(settings: AgentSettings, index: usize, name: &str) -> Self {
        Self {
            tx: transactions(index, &format!("{name}'s transactions")),
            agent: Agent::new(settings, dice(name)),
            names: Names::new(),
            drops: Vec::new(),
        }
    }

    /// Writes down what the agent tells and answers its questions.
    fn heed(&mut self, ctx: &mut LabLink<'_, Node>, upcalls: Upcalls) {
        let mut rest: VecDeque<Upcall> = upcalls.into();
        while let Some(upcall) = rest.pop_front() {
            ctx.observe(Note::Told(upcall.clone()));
            if let Upcall::Locate { ticket, next_hop, .. } = upcall {
                let found = locate(&self.names, &next_hop).ok_or(Unlocated::NoSuchName);
                rest.extend(self.agent.located(ctx, &mut self.tx, ticket, found));
            }
        }
    }

    /// Whether this message is one of those that do not arrive.
    fn misses(&mut self, message: &Message) -> bool {
        let kind = kind(message);
        let found = self.drops.iter_mut().find(|(what, left)| *what == kind && *left > 0);
        found.is_some_and(|(_, left)| {
            *left -= 1;
            true
        })
    }
}

fn locate(names: &Names, next_hop: &Uri) -> Option<Vec<Endpoint>> {
    let SipUri { host, port, .. } = next_hop.sip()?;
    match host {
        HostPart::Address(address) => Some(vec![address.at(port.unwrap_or(Port::SIP))]),
        HostPart::Name(name) => names.get(&**name).cloned(),
        HostPart::Ipv6(_) => None,
    }
}

impl Server {
    pub(super) fn at(index: usize, script: &[fn(&Request) -> Response]) -> Node {
        let tx = transactions(index, "server");
        Node::Server(Box::new(Self { tx, script: script.iter().copied().collect() }))
    }
}

impl Proxy {
    /// At this index, with the name or the address in `Record-Route`.
    pub(super) fn at(index: usize, record_route: HostPart, names: Names) -> Node {
        let record_route = Uri::loose_route(record_route);
        let tx = transactions(index, &format!("proxy {index}"));
        let own = [numeric(index), HostPart::name("proxy.org")].map(Uri::loose_route);
        Node::Proxy(Box::new(Self { tx, record_route, own, names }))
    }

    fn pass_on(&mut self, ctx: &mut LabLink<'_, Node>, from: Endpoint, message: Message) {
        match message {
            Message::Request(mut request) => {
                let headers = &mut request.headers;
                let via = headers.via.first_mut().expect("every request has a Via");
                via.received = Some(from.address);
                via.rport = Some(Some(from.port));
                if headers.route.first().is_some_and(|route| self.own.contains(&route.uri)) {
                    headers.route.remove(0);
                }
                headers.record_route.insert(0, NameAddress::of(self.record_route.clone()));
                let next = headers.route.first().map_or(&request.uri, |route| &route.uri);
                for to in locate(&self.names, next).expect("the test says where this is") {
                    self.tx.forward_stateless(ctx, Message::Request(request.clone()), to);
                }
            }
            Message::Response(mut response) => {
                response.headers.via.remove(0);
                let to = reply_to(&response.headers.via[0]).expect("the proxy wrote it down");
                ctx.send(to, Message::Response(response));
            }
        }
    }
}

impl Device for Node {
    type Message = Message;
    type Timer = Timer;
    type Observation = Note;

    fn start(&mut self, _: &mut LabLink<'_, Self>) {}

    fn receive(&mut self, ctx: &mut LabLink<'_, Self>, from: Endpoint, message: Message) {
        let octets = encode(&message);
        assert_eq!(decode(&octets).as_ref(), Ok(&message), "{}", String::from_utf8_lossy(&octets));
        match self {
            Self::Phone(phone) => {
                if phone.misses(&message) {
                    return;
                }
                ctx.observe(Note::Got(message.clone()));
                if let Some(event) = phone.tx.receive(ctx, from, message) {
                    let upcalls = phone.agent.event(ctx, &mut phone.tx, event);
                    phone.heed(ctx, upcalls);
                }
            }
            Self::Server(server) => {
                ctx.observe(Note::Got(message.clone()));
                if let Some(Event::Request { server: id, request, .. }) =
                    server.tx.receive(ctx, from, message)
                {
                    let answer = server.script.pop_front().unwrap_or(ok);
                    server.tx.respond(ctx, id, answer(&request));
                }
            }
            Self::Proxy(proxy) => {
                ctx.observe(Note::Got(message.clone()));
                proxy.pass_on(ctx, from, message);
            }
        }
    }

    fn timer(&mut self, ctx: &mut LabLink<'_, Self>, timer: Timer) {
        match (self, timer) {
            (Self::Phone(phone), Timer::Agent) => {
                let upcalls = phone.agent.timer(ctx, &mut phone.tx);
                phone.heed(ctx, upcalls);
            }
            (Self::Phone(phone), _) => {
                for event in phone.tx.timer(ctx) {
                    let upcalls = phone.agent.event(ctx, &mut phone.tx, event);
                    phone.heed(ctx, upcalls);
                }
            }
            (Self::Server(server), _) => assert!(server.tx.timer(ctx).is_empty()),
            (Self::Proxy(_), _) => {}
        }
    }
}

/// A plain 200.
pub(super) fn ok(request: &Request) -> Response {
    request.respond(Status::OK, Some("server"))
}

/// The method of a request, the status and the method of a response.
pub(super) fn kind(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => format!("{} {}", response.status, response.method),
    }
}

pub(super) const DELAY: SimDuration = SimDuration::from_millis(50);

/// These hosts on a network that loses nothing of its own accord.
pub(super) fn network(nodes: Vec<Node>) -> Network {
    Lab::new(nodes, DELAY, 0.0, 7)
}

/// Phones of these users, with settings of their own.
pub(super) fn phones(users: &[&str], change: fn(&mut AgentSettings)) -> Vec<Node> {
    let phone = |(index, user): (usize, &&str)| {
        let mut settings = AgentSettings::new(user_at(user, index), endpoint(index));
        change(&mut settings);
        Node::Phone(Box::new(Phone::of(settings, index, &format!("{user} {index}"))))
    };
    users.iter().enumerate().map(phone).collect()
}

pub(super) fn phone(lab: &mut Network, index: usize) -> &mut Phone {
    match &mut lab.devices[index] {
        Node::Phone(phone) => phone,
        _ => panic!("device {index} is a phone"),
    }
}

/// Lets the user of a phone do something.
pub(super) fn act(
    lab: &mut Network,
    index: usize,
    what: impl FnOnce(&mut Agent, &mut LabLink<'_, Node>, &mut Transactions) -> Upcalls,
) {
    lab.act(index, |node, ctx| {
        let Node::Phone(phone) = node else { panic!("device {index} is a phone") };
        let upcalls = what(&mut phone.agent, ctx, &mut phone.tx);
        phone.heed(ctx, upcalls);
    });
}

pub(super) fn run(lab: &mut Network, seconds: f64) {
    lab.run_until(at(seconds));
}

pub(super) fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(seconds)
}

/// Lets a phone send this request as it stands to the phone at index 0.
pub(super) fn send(lab: &mut Network, index: usize, request: Request) {
    lab.act(index, |node, ctx| {
        let Node::Phone(phone) = node else { panic!("device {index} is a phone") };
        phone.tx.request(ctx, request, endpoint(0), Owner::Proxy(0));
    });
}

/// A host dies.
pub(super) fn crash(lab: &mut Network, index: usize) {
    lab.network.take_down(HostId(u32::try_from(index).unwrap()));
}

/// It comes back and has forgotten everything.
pub(super) fn restart(lab: &mut Network, index: usize, user: &str) {
    let settings = phone(lab, index).agent.settings().clone();
    let names = std::mem::take(&mut phone(lab, index).names);
    let fresh = Phone::of(settings, index, &format!("{user} again"));
    lab.devices[index] = Node::Phone(Box::new(Phone { names, ..fresh }));
    let host = HostId(u32::try_from(index).unwrap());
    lab.network.bring_up(host, Network::address_of(index));
}

/// The messages that arrived, as `time index kind`, without what came before `from`.
pub(super) fn arrivals(lab: &Network, from: f64) -> Vec<String> {
    let line = |(time, host, note): &(SimTime, HostId, Note)| match note {
        Note::Got(message) if *time >= at(from) => {
            Some(format!("{time} {} {}", host.0, kind(message)))
        }
        _ => None,
    };
    lab.notebook.0.iter().filter_map(line).collect()
}

/// The requests of this method that arrived at a device.
pub(super) fn requests(lab: &Network, index: usize, method: &str) -> Vec<(SimTime, Request)> {
    let request = |(time, host, note): &(SimTime, HostId, Note)| match note {
        Note::Got(Message::Request(request))
            if host.index() == index && request.method.as_str() == method =>
        {
            Some((*time, (**request).clone()))
        }
        _ => None,
    };
    lab.notebook.0.iter().filter_map(request).collect()
}

/// What the agent at this index told, but for where requests go.
pub(super) fn told(lab: &Network, index: usize) -> Vec<(SimTime, Upcall)> {
    let upcall = |(time, host, note): &(SimTime, HostId, Note)| match note {
        Note::Told(upcall) if host.index() == index => Some((*time, upcall.clone())),
        _ => None,
    };
    let is_question = |upcall: &Upcall| matches!(upcall, Upcall::Locate { .. });
    lab.notebook.0.iter().filter_map(upcall).filter(|(_, told)| !is_question(told)).collect()
}

/// How many requests of the agent at this index have begun.
pub(super) fn begun(lab: &Network, index: usize) -> usize {
    let begun = |(_, upcall): &(SimTime, Upcall)| matches!(upcall, Upcall::Began { .. });
    told(lab, index).into_iter().filter(begun).count()
}

/// How the calls of the agent at this index came about and ended.
pub(super) fn calls(lab: &Network, index: usize) -> Vec<(f64, Option<CallEnd>)> {
    let call = |(time, upcall): (SimTime, Upcall)| match upcall {
        Upcall::CallEstablished { .. } => Some((time.as_secs_f64(), None)),
        Upcall::CallEnded { why, .. } => Some((time.as_secs_f64(), Some(why))),
        _ => None,
    };
    told(lab, index).into_iter().filter_map(call).collect()
}

/// What became of the subscriptions of the agent at this index.
pub(super) fn changes(lab: &Network, index: usize) -> Vec<(f64, SubscriptionChange)> {
    let change = |(time, upcall): (SimTime, Upcall)| match upcall {
        Upcall::SubscriptionChanged { state, .. } => Some((time.as_secs_f64(), state)),
        _ => None,
    };
    told(lab, index).into_iter().filter_map(change).collect()
}

/// What became of the subscriptions to the user at this index.
pub(super) fn watchers(lab: &Network, index: usize) -> Vec<(f64, WatcherChange)> {
    let change = |(time, upcall): (SimTime, Upcall)| match upcall {
        Upcall::WatcherChanged { state, .. } => Some((time.as_secs_f64(), state)),
        _ => None,
    };
    told(lab, index).into_iter().filter_map(change).collect()
}

/// When and how the requests of the agent at this index ended, with their methods.
pub(super) fn outcomes(lab: &Network, index: usize) -> Vec<(SimTime, String, Outcome)> {
    let mut methods: BTreeMap<RequestKey, String> = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (time, upcall) in told(lab, index) {
        match upcall {
            Upcall::Began { key, method, .. } => {
                let twice = methods.insert(key, method.to_string());
                assert_eq!(twice, None, "no two requests have the same name");
            }
            Upcall::Ended { key, outcome } => {
                let method = methods.remove(&key).expect("what ends has begun, and ends once");
                outcomes.push((time, method, outcome));
            }
            _ => {}
        }
    }
    outcomes
}
