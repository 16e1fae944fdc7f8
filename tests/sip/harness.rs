//! A resolver, an authority, a server, phones and dead hosts on one network, 10 ms apart.

use std::sync::Arc;

use overcord::address::{Endpoint, Port};
use overcord::conventional::{Phone, Server, phone, server};
use overcord::dns::message::{RecordData, Ttl};
use overcord::dns::resolver::{self, Config, Delegation};
use overcord::dns::server_cache::Policy;
use overcord::dns::zone::RrSet;
use overcord::dns::{self, Authority, Profile as DnsProfile, Resolver, ServerCache, Stub, Zone};
use overcord::net::icmp::{Code, Icmp, Quoted, Unreachable};
use overcord::net::lab::{Device, Lab, LabLink};
use overcord::overcord::Message;
use overcord::rng::{Dice, Draws, NameHash, Purpose};
use overcord::sim::{self, Context as _};
use overcord::sip::agent::{Action, Outcome, Upcall};
use overcord::sip::locate::{Options, Order};
use overcord::sip::profile::Profile;
use overcord::sip::registrar::RegistrarSettings;
use overcord::sip::{self, HostPart, Status, Uri};
use overcord::time::{SimDuration, SimTime};

/// Where each device is: its index.
pub(crate) const AUTHORITY: usize = 0;
pub(crate) const RESOLVER: usize = 1;
pub(crate) const SERVER: usize = 2;
/// Linphone, a user of the server's domain.
pub(crate) const PHONE: usize = 3;
/// Bob, a user of the overlay's domain, at his own address.
pub(crate) const BOB: usize = 4;
/// Nobody answers here.
pub(crate) const DEAD: usize = 5;

pub(crate) const OVERLAY: &str = "chord.dyndns.test";
pub(crate) const DOMAIN: &str = "deebee.test";

/// From one host to another.
pub(crate) const DELAY_MS: u64 = 10;

/// A host.
pub(crate) enum Role {
    Authority(Authority),
    Resolver(Box<Resolver>),
    Server(Box<Server>),
    Phone(Box<Phone>),
    /// Takes everything and says nothing, or that the port is closed.
    Dead {
        closed: bool,
    },
}

#[derive(PartialEq, Clone, Copy, Debug)]
pub(crate) enum Timer {
    Resolver(resolver::Timer),
    Server(server::Timer),
    Phone(phone::Timer),
}

/// What is written down of a run.
#[derive(Debug)]
pub(crate) enum Note {
    /// A SIP message arrived.
    Got(sip::Message),
    /// A user agent told its host something.
    User(phone::Observation),
    Server(server::Observation),
    /// Resolver or authority did something.
    Dns,
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        match self {
            Self::Resolver(timer) => timer.slot(),
            Self::Server(timer) => timer.slot(),
            Self::Phone(timer) => timer.slot(),
        }
    }
}

macro_rules! from {
    ($($whole:ident::$variant:ident($part:ty);)*) => {$(
        impl From<$part> for $whole {
            fn from(part: $part) -> Self {
                Self::$variant(part)
            }
        }
    )*};
}

from! {
    Timer::Resolver(resolver::Timer);
    Timer::Server(server::Timer);
    Timer::Phone(phone::Timer);
    Note::User(phone::Observation);
    Note::Server(server::Observation);
}

impl From<resolver::Observation> for Note {
    fn from(_: resolver::Observation) -> Self {
        Self::Dns
    }
}

impl From<dns::authority::Observation> for Note {
    fn from(_: dns::authority::Observation) -> Self {
        Self::Dns
    }
}

impl From<dns::authority::Timer> for Timer {
    fn from(timer: dns::authority::Timer) -> Self {
        unreachable!("a zone without secondaries sets no {timer:?}")
    }
}

type Link<'a> = LabLink<'a, Role>;

impl Device for Role {
    type Message = Message;
    type Timer = Timer;
    type Observation = Note;

    fn start(&mut self, _: &mut Link<'_>) {}

    fn receive(&mut self, link: &mut Link<'_>, from: Endpoint, message: Message) {
        if let Message::Sip(message) = &message {
            link.observe(Note::Got(message.clone()));
        }
        match (self, message) {
            (Self::Authority(authority), Message::Dns(message)) => {
                let ctx = &mut link.lift::<_, dns::authority::Timer, dns::authority::Observation>();
                authority.receive(ctx, from, &message);
            }
            (Self::Resolver(resolver), Message::Dns(message)) => {
                let ctx = &mut link.lift::<_, resolver::Timer, resolver::Observation>();
                resolver.receive(ctx, from, message);
            }
            (Self::Server(server), message) => serve(server, link, from, message),
            (Self::Phone(phone), Message::Sip(message)) => {
                phone.receive(&mut as_phone(link), from, message);
            }
            (Self::Dead { closed: true }, Message::Sip(_)) => {
                let quoted = Quoted::Udp { source: from.port, destination: Port::SIP };
                let destination = Network::address_of(DEAD);
                let error = Unreachable { code: Code::Port, destination, quoted };
                link.send(from, Icmp::Unreachable(error).into());
            }
            (Self::Dead { .. }, _) => {}
            _ => panic!("a message for another device"),
        }
    }

    fn timer(&mut self, link: &mut Link<'_>, timer: Timer) {
        match (self, timer) {
            (Self::Resolver(resolver), Timer::Resolver(timer)) => {
                resolver.timer(&mut link.lift::<_, _, resolver::Observation>(), timer);
            }
            (Self::Server(server), Timer::Server(timer)) => {
                server.timer(&mut link.lift::<Message, _, server::Observation>(), timer);
            }
            (Self::Phone(phone), Timer::Phone(timer)) => phone.timer(&mut as_phone(link), timer),
            _ => panic!("a timer of another device"),
        }
    }
}

fn as_phone<'a, 'b>(
    link: &'a mut Link<'b>,
) -> sim::Lift<'a, Link<'b>, Message, phone::Timer, phone::Observation> {
    link.lift()
}

fn serve(server: &mut Server, link: &mut Link<'_>, from: Endpoint, message: Message) {
    let ctx = &mut link.lift::<Message, server::Timer, server::Observation>();
    match message {
        Message::Sip(message) => server.receive(ctx, from, message),
        Message::Dns(message) => server.receive_dns(ctx, from, &message),
        Message::Icmp(Icmp::Unreachable(error)) => {
            server.unreachable(ctx, error.destination.at(Port::SIP));
        }
        other => panic!("a server gets no {other:?}"),
    }
}

pub(crate) type Network = Lab<Role>;

/// What differs from test to test.
pub(crate) struct Set {
    /// Whose habits the server has.
    pub(crate) profile: Profile,
    /// Whether it goes on to the next address.
    pub(crate) failover: bool,
    /// How many processes it has.
    pub(crate) workers: u16,
    /// Where the overlay's name points.
    pub(crate) binding: Vec<usize>,
    /// Whether a dead host says so.
    pub(crate) closed: bool,
    /// Whether the resolver is dead.
    pub(crate) silent_resolver: bool,
}

impl Set {
    /// A server of this kind; the name points to these hosts.
    pub(crate) fn of(profile: Profile, binding: &[usize]) -> Self {
        let binding = binding.to_vec();
        let (failover, closed, silent_resolver) = (false, false, false);
        Self { profile, failover, workers: 8, binding, closed, silent_resolver }
    }

    pub(crate) fn build(self) -> Network {
        let resolver = if self.silent_resolver {
            Role::Dead { closed: false }
        } else {
            Role::Resolver(Box::new(resolver()))
        };
        let devices = vec![
            Role::Authority(Authority::new(vec![self.zone()])),
            resolver,
            Role::Server(Box::new(Server::new(self.settings()))),
            Role::Phone(Box::new(phone("linphone", DOMAIN, PHONE))),
            Role::Phone(Box::new(phone("bob", OVERLAY, BOB))),
            Role::Dead { closed: self.closed },
        ];
        Lab::new(devices, SimDuration::from_millis(DELAY_MS), 0.0, 1)
    }

    fn zone(&self) -> Zone {
        let (ttl, negative) = (Ttl::from_secs(60), Ttl::from_secs(3_600));
        let apex = "dyndns.test".parse().unwrap();
        let authority = Network::address_of(AUTHORITY);
        let mut zone = Zone::conventional(apex, authority, ttl, negative).unwrap();
        if !self.binding.is_empty() {
            let address = |&index: &_| RecordData::A(Network::address_of(index));
            let data = self.binding.iter().map(address).collect();
            zone.set(OVERLAY.parse().unwrap(), RrSet { ttl, data });
        }
        zone
    }

    /// As the habits of each implementation are written down.
    fn settings(&self) -> server::Settings {
        let is_rfc = self.profile == Profile::Rfc3261;
        let caches = matches!(self.profile, Profile::Ser | Profile::Kamailio);
        let order = if is_rfc { Order::Weighted } else { Order::HeaviestFirst };
        let servers = [Network::address_of(RESOLVER).at(Port::DNS)];
        server::Settings {
            embeds: false,
            recalls: false,
            domain: DOMAIN.to_owned(),
            own: Network::address_of(SERVER),
            overlay: OVERLAY.to_owned(),
            rules: self.profile.rules(),
            options: Options { naptr: false, srv: true, order, failover: self.failover },
            cache: caches.then(|| ServerCache::new(Policy::default())),
            blocklist: None,
            workers: self.workers,
            unresolved: Status::UNRESOLVABLE_DESTINATION,
            registrar: RegistrarSettings::ser(),
            stub: Stub::new(Arc::new(servers), dice("stub")),
            dice: ["a", "b", "c", "d", "e"].map(dice),
        }
    }
}

fn resolver() -> Resolver {
    let authority = Network::address_of(AUTHORITY).at(Port::DNS);
    let delegations = vec![Delegation::to_one("dyndns.test".parse().unwrap(), authority)];
    Resolver::new(Arc::new(Config::new(DnsProfile::Rfc, delegations)), dice("resolver"))
}

fn phone(user: &str, domain: &str, index: usize) -> Phone {
    let (own, server) = (Network::address_of(index), Network::address_of(SERVER));
    Phone::new(
        user,
        domain,
        own,
        phone::Home::At(server),
        [dice(user), dice(&format!("{user}'s agent"))],
    )
}

fn dice(name: &str) -> Dice {
    Dice::new(Draws::new(2009, Purpose::Protocol), NameHash::of(name))
}

pub(crate) fn bob() -> Uri {
    Uri::of_user("bob", HostPart::name(OVERLAY))
}

pub(crate) fn linphone() -> Uri {
    Uri::of_user("linphone", HostPart::name(DOMAIN))
}

pub(crate) fn message(to: Uri) -> Action {
    Action::Message { to, text: "Hello".into() }
}

pub(crate) fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs_f64(seconds)
}

/// The user of a phone does something.
pub(crate) fn act(lab: &mut Network, index: usize, action: Action) {
    lab.act(index, |role, link| {
        let Role::Phone(phone) = role else { panic!("device {index} is a phone") };
        phone.act(&mut as_phone(link), action);
    });
}

/// The server.
pub(crate) fn server(lab: &Network) -> &Server {
    let Role::Server(server) = &lab.devices[SERVER] else { panic!("the server is there") };
    server
}

/// What the user agent on a host told.
pub(crate) fn told(lab: &Network, index: usize) -> Vec<(SimTime, Upcall)> {
    let upcall = |(time, host, note): &(SimTime, sim::HostId, Note)| match note {
        Note::User(phone::Observation::User(upcall)) if host.index() == index => {
            Some((*time, upcall.clone()))
        }
        _ => None,
    };
    lab.notebook.0.iter().filter_map(upcall).collect()
}

/// When and how the requests of a user ended, in the order of their ends; all have ended.
pub(crate) fn outcomes(lab: &Network, index: usize) -> Vec<(SimTime, String, Outcome)> {
    let mut begun = Vec::new();
    let mut ended = Vec::new();
    for (time, upcall) in told(lab, index) {
        match upcall {
            Upcall::Began { key, method, .. } => begun.push((key, method.to_string())),
            Upcall::Ended { key, outcome } => {
                let place = begun.iter().position(|(other, _)| *other == key);
                let (_, method) = begun.remove(place.expect("what ends has begun, and ends once"));
                ended.push((time, method, outcome));
            }
            _ => {}
        }
    }
    assert_eq!(begun, [], "every request ends");
    ended
}

/// The messages of this kind that arrived at a host, `MESSAGE` or `200 MESSAGE`.
pub(crate) fn arrived(lab: &Network, index: usize, kind: &str) -> Vec<(SimTime, sip::Message)> {
    let got = |(time, host, note): &(SimTime, sim::HostId, Note)| match note {
        Note::Got(message) if host.index() == index && kind_of(message) == kind => {
            Some((*time, message.clone()))
        }
        _ => None,
    };
    lab.notebook.0.iter().filter_map(got).collect()
}

fn kind_of(message: &sip::Message) -> String {
    match message {
        sip::Message::Request(request) => request.method.to_string(),
        sip::Message::Response(response) => format!("{} {}", response.status, response.method),
    }
}

/// When the server sent the messages of this kind that arrived at a host, in milliseconds since it
/// sent the first.
pub(crate) fn send_times(lab: &Network, index: usize, kind: &str) -> Vec<u64> {
    let times: Vec<SimTime> = arrived(lab, index, kind).iter().map(|(time, _)| *time).collect();
    times.iter().map(|time| time.since(times[0]).as_nanos() / 1_000_000).collect()
}
