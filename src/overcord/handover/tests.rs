//! One node against scripted name servers, a scripted proxy peer and the real update service, on a
//! network without delay: all times come from timers, and are exact.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::*;

mod moving;
use crate::address::{Endpoint, Port};
use crate::dns::answer::{Negative, Reply};
use crate::dns::application_cache::Life;
use crate::dns::binding::Form;
use crate::dns::message::{Message as DnsMessage, Ttl};
use crate::dns::{Answer, Binding};
use crate::dyndns::{
    Accepted, Account, ClientSettings, ServerSettings, ServerTimer, UpdateSegment, UpdateServer,
};
use crate::http::Credentials;
use crate::net::icmp::Icmp;
use crate::net::tcp::Segment;
use crate::overcord::message::{Message, Timer};
use crate::overcord::node::{self, Entry, Node};
use crate::overcord::overlay_repository::OverlayRepository;
use crate::overcord::policy::{OverlayRecord, ProbeKind};
use crate::overcord::resource_database::{proxy_key, proxy_of, proxy_record};
use crate::overlay::{Contact, Directory, Facts, NodeRef, Upcall, chord, plugin};
use crate::rng::{Draws, NameHash, Purpose};
use crate::sim::Context;
use crate::time::SimTime;

const DOMAIN: &str = "chord.dyndns.test";
const SERVICE_NAME: &str = "members.dyndns.test";
const OWN: Address = Address::from_bits(0x0a00_0001);
/// Whom the binding names at first.
const ALICE: Address = Address::from_bits(0x0a00_0002);
const RESOLVER: Address = Address::from_bits(0x0a00_0035);
const SERVICE: Address = Address::from_bits(0x0a00_0050);

/// A context that keeps everything in view.
#[derive(Default)]
struct Desk<M, T, O> {
    now: SimTime,
    timers: BTreeMap<u32, (SimTime, T)>,
    sent: VecDeque<(Endpoint, M)>,
    observed: Vec<(SimTime, O)>,
    directory: Directory,
}

impl<M, T: crate::sim::Timer, O> Desk<M, T, O> {
    fn new() -> Self {
        Self {
            now: SimTime::ZERO,
            timers: BTreeMap::new(),
            sent: VecDeque::new(),
            observed: Vec::new(),
            directory: Directory::new(),
        }
    }

    fn due(&self) -> Option<SimTime> {
        self.timers.values().map(|&(at, _)| at).min()
    }

    fn take_due(&mut self, now: SimTime) -> Option<T> {
        let slot = *self.timers.iter().find(|(_, (at, _))| *at <= now)?.0;
        self.timers.remove(&slot).map(|(_, timer)| timer)
    }
}

impl<M, T: crate::sim::Timer, O> Context for Desk<M, T, O> {
    type Message = M;
    type Timer = T;
    type Observation = O;

    fn now(&self) -> SimTime {
        self.now
    }
    fn send(&mut self, to: Endpoint, message: M) {
        self.sent.push_back((to, message));
    }
    fn set(&mut self, timer: T, at: SimTime) {
        self.timers.insert(timer.slot(), (at.max(self.now), timer));
    }
    fn cancel(&mut self, timer: T) {
        self.timers.remove(&timer.slot());
    }
    fn observe(&mut self, observation: O) {
        self.observed.push((self.now, observation));
    }
}

impl<M, T, O> Facts for Desk<M, T, O> {
    fn contact(&self, node: NodeRef) -> Contact {
        self.directory.contact(node)
    }
}

/// What the resolver says of the overlay's domain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dns {
    Binding(Address),
    NxDomain,
    Silent,
}

/// The node with its surroundings.
struct Bench {
    desk: Desk<Message, Timer, Observation>,
    node: Node,
    /// Where it is.
    own: Address,
    server_desk: Desk<UpdateSegment, ServerTimer, Accepted>,
    server: UpdateServer,
    dns: Dns,
    /// When the resolver was asked for the overlay's domain.
    asked: Vec<SimTime>,
    /// Whether the update service is reached.
    service_up: bool,
    /// Whether Alice answers echoes.
    alice_up: bool,
    /// Echoes sent, with the address and the time.
    pinged: Vec<(SimTime, Address)>,
}

fn credentials() -> Credentials {
    Credentials::new("overcord", "handover")
}

pub(super) fn settings(policies: Policies) -> Settings {
    Settings {
        strategy: Arc::new(strategy::Paper),
        domain: DOMAIN.parse().unwrap(),
        binding: binding(),
        authority: RESOLVER.at(Port::DNS),
        service: SERVICE_NAME.parse().unwrap(),
        record: proxy_key(DOMAIN, 160),
        settling: SimDuration::from_secs(60),
        retirement: SimDuration::from_secs(60),
        probing: Probing {
            interval: SimDuration::from_secs(60),
            jitter: 0.0,
            timeout: SimDuration::from_secs(5),
            kind: ProbeKind::Icmp,
            port: Port::PROXY,
        },
        policies,
        protocol: Protocol::Dyndns2(
            ClientSettings {
                host: SERVICE_NAME.to_owned(),
                timeout: SimDuration::from_secs(30),
                ..ClientSettings::new(credentials())
            },
            DOMAIN.parse().unwrap(),
        ),
        daemon: None,
    }
}

fn binding() -> Binding {
    let domain: crate::dns::DomainName = DOMAIN.parse().unwrap();
    let zone = DOMAIN.split_once('.').unwrap().1.parse().unwrap();
    Binding::new(domain, zone, Form::Addresses, Ttl::from_secs(60)).unwrap()
}

impl Bench {
    /// The only member of its overlay, which begins to test after 10 s.
    fn new(policies: Policies, dns: Dns) -> Self {
        let mut desk = Desk::new();
        let endpoint = OWN.at(Port::OVERLAY);
        let me = desk.directory.add(Contact { id: RingId(7), endpoint });
        let draws = Draws::new(1, Purpose::Protocol);
        let dice = |part: &str| Dice::new(draws, NameHash::of(part));
        let config = plugin::Config::Chord(Arc::new(chord::Config::new(draws)));
        let chord = config.converged(&[me], &desk.directory).unwrap().remove(0);
        let servers: Arc<[Endpoint]> = Arc::new([RESOLVER.at(Port::DNS)]);
        let handover = Handover::new(
            Arc::new(settings(policies)),
            OWN,
            Stub::new(servers, dice("stub")),
            ApplicationCache::new(Life::Off, Life::Off),
            dice("handover"),
        );
        let repository = OverlayRepository::with_peers([]);
        let plugin = PluginManagement::new(chord.clone(), repository, dice("plugin"));
        let mut node = Node::new(plugin, None);
        let life = node::Life {
            dht: chord,
            handover: Some(handover),
            user_agent: None,
            server: None,
            others: None,
        };
        node.start(&mut desk, life, Entry::Placed);
        node.watch_after(&mut desk, SimDuration::from_secs(10));
        let account =
            Account { credentials: credentials(), hostnames: vec![DOMAIN.parse().unwrap()] };
        Self {
            desk,
            node,
            own: OWN,
            server_desk: Desk::new(),
            server: UpdateServer::new(ServerSettings::default(), &[account]),
            dns,
            asked: Vec::new(),
            service_up: true,
            alice_up: false,
            pinged: Vec::new(),
        }
    }

    /// Runs to this second.
    fn run_to(&mut self, second: u64) {
        let limit = SimTime::from_secs(second);
        loop {
            self.deliver();
            let due = [self.desk.due(), self.server_desk.due()].into_iter().flatten().min();
            let Some(at) = due.filter(|&at| at <= limit) else { break };
            self.set_clock(at.max(self.desk.now));
            if let Some(timer) = self.server_desk.take_due(at) {
                for publish in self.server.timer(&mut self.server_desk, timer) {
                    self.dns = Dns::Binding(publish.address);
                }
            } else if let Some(timer) = self.desk.take_due(at) {
                self.node.timer(&mut self.desk, timer);
            }
        }
        self.set_clock(limit);
    }

    fn set_clock(&mut self, now: SimTime) {
        (self.desk.now, self.server_desk.now) = (now, now);
    }

    fn deliver(&mut self) {
        loop {
            if let Some((to, message)) = self.desk.sent.pop_front() {
                self.sent_by_node(to, message);
            } else if let Some((to, segment)) = self.server_desk.sent.pop_front() {
                let from = SERVICE.at(Port::HTTP);
                if to.address != self.own {
                    continue;
                }
                self.node.receive(&mut self.desk, from, Port::OVERLAY, segment.into());
            } else {
                return;
            }
        }
    }

    fn sent_by_node(&mut self, to: Endpoint, message: Message) {
        match message {
            Message::Dns(query) => self.answer(to, &query),
            Message::Icmp(Icmp::EchoRequest(echo)) => {
                self.pinged.push((self.desk.now, to.address));
                if self.alice_up {
                    self.node.receive(&mut self.desk, to, Port::OVERLAY, echo.reply().into());
                }
            }
            Message::Tcp(segment) if to.address == SERVICE && self.service_up => {
                let port = crate::net::Payload::source_port(&Message::Tcp(segment.clone()));
                let from = self.own.at(port);
                self.server.receive(&mut self.server_desk, from, segment);
            }
            _ => {}
        }
    }

    fn answer(&mut self, resolver: Endpoint, query: &DnsMessage) {
        let name = query.question.name.as_str();
        let dns = if name == SERVICE_NAME { Dns::Binding(SERVICE) } else { self.dns };
        if name == DOMAIN {
            self.asked.push(self.desk.now);
        }
        let answer = match dns {
            Dns::Silent => return,
            Dns::Binding(address) => Answer::of_addresses(&[address]),
            Dns::NxDomain => Answer::Negative(Negative::NxDomain),
        };
        let reply = Reply { answer, ttl: Ttl::from_secs(60), soa: None };
        let mut response = reply.response_to(query);
        response.recursion_available = true;
        self.node.receive(&mut self.desk, resolver, Port::OVERLAY, response.into());
    }

    /// What the node let the observer know of the handover, in milliseconds.
    fn seen(&self) -> Vec<(u64, Observation)> {
        self.desk
            .observed
            .iter()
            .filter(|(_, observation)| !matches!(observation, Observation::Overlay(_)))
            .map(|(at, observation)| (at.as_nanos() / 1_000_000, observation.clone()))
            .collect()
    }

    /// Whether the node accepts a probe: a connection to the proxy port.
    fn listens(&mut self) -> bool {
        let prober = ALICE.at(Port::OVERLAY).address;
        let mut tcp: Tcp<http::Message> = Tcp::new(1);
        let mut desk: Desk<Segment<http::Message>, crate::net::tcp::TcpTimer, ()> = Desk::new();
        let _ = tcp.connect(&mut desk, OWN.at(Port::PROXY), SimDuration::from_secs(5));
        let (_, syn) = desk.sent.pop_front().expect("a connection begins with a segment");
        let from = prober.at(crate::net::Payload::source_port(&Message::Tcp(syn.clone())));
        self.node.receive(&mut self.desk, from, Port::OVERLAY, syn.into());
        let (to, answer) = self.desk.sent.pop_front().expect("a probe is answered");
        let Message::Tcp(answer) = answer else { panic!("{answer:?}") };
        assert_eq!(to.address, prober);
        let ups = tcp.receive(&mut desk, OWN.at(Port::PROXY), answer);
        ups.iter().any(|up| matches!(up, crate::net::tcp::Upcall::Connected(_)))
    }

    /// Whom the overlay's record names.
    fn recorded(&mut self) -> Option<Address> {
        let key = proxy_key(DOMAIN, 160);
        let (_, upcalls) = self.node.plugin.dht.get(&mut self.desk, key);
        let record = upcalls.into_iter().find_map(|upcall| match upcall {
            Upcall::Got { record, .. } => record,
            _ => None,
        });
        record.as_ref().and_then(proxy_of)
    }
}

fn started(tested: Option<Address>) -> Observation {
    Observation::UpdateStarted { tested, own: OWN }
}

const ENDED: Observation = Observation::UpdateEnded { accepted: true };
const FAILED: Observation = Observation::UpdateEnded { accepted: false };
use Observation::{ProxyStarted, ProxyStopped, VerdictCleared, VerdictFailed};

/// The probe at 10 s waits 5 s; the update takes a challenge and an answer of 200 ms each.
#[test]
fn a_member_that_finds_silence_listens_records_and_updates() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.run_to(14);
    assert!(bench.seen().is_empty() && !bench.listens());
    // Until the service answers, the node listens and is on record, and DNS names Alice.
    bench.service_up = false;
    bench.run_to(15);
    assert_eq!(
        bench.seen(),
        [(15_000, VerdictFailed(ALICE)), (15_000, ProxyStarted), (15_000, started(Some(ALICE)))]
    );
    assert!(bench.listens() && bench.dns == Dns::Binding(ALICE));
    assert_eq!(bench.recorded(), Some(OWN));
    // The first segment was lost and is sent again after a second.
    bench.service_up = true;
    bench.run_to(20);
    assert!(bench.dns == Dns::Binding(OWN));
    let seen = bench.seen();
    assert_eq!(seen[3..], [(16_400, ENDED), (16_400, VerdictCleared)]);
}

#[test]
fn by_the_letter_who_finds_the_host_unreachable_updates_and_does_not_listen() {
    let mut bench = Bench::new(Policies::LITERAL, Dns::Binding(ALICE));
    bench.run_to(20);
    let expected = [
        (15_000, VerdictFailed(ALICE)),
        (15_000, started(Some(ALICE))),
        (15_400, ENDED),
        (15_400, VerdictCleared),
    ];
    assert_eq!(bench.seen(), expected);
    assert!(bench.dns == Dns::Binding(OWN) && !bench.node.is_proxy() && !bench.listens());
    assert_eq!(bench.recorded(), None);
}

/// The claim at 15 s settles for 60 s; the looks at 75 and 135 s find another's address.
#[test]
fn a_loser_steps_down_at_the_second_miss_and_tests_again() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.run_to(20);
    bench.dns = Dns::Binding(ALICE);
    bench.alice_up = true;
    bench.run_to(130);
    assert!(bench.node.is_proxy() && bench.listens());
    bench.run_to(180);
    assert!(!bench.node.is_proxy() && !bench.listens());
    let (at, last) = bench.seen().last().unwrap().clone();
    assert_eq!(last, ProxyStopped);
    // It settles from the claim on, or from the update's acceptance.
    assert!((135_000..=135_400).contains(&at), "{at}");
    // One probe interval later it tests like any other member.
    let before = bench.pinged.len();
    bench.run_to(196);
    assert_eq!(bench.pinged.len(), before + 1);
}

/// The endpoint is not reached: attempts of 30 s with pauses of 5, 10 and 20 s between them. While
/// the claim is under way the binding can't be the node's own yet, so it does not step down, and
/// the attempt that is due at 140 s is accepted.
#[test]
fn a_proxy_peer_whose_claim_is_still_being_retried_does_not_check_itself() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(ALICE));
    bench.service_up = false;
    bench.run_to(136);
    let attempt = started(Some(ALICE));
    let expected = [
        (45_000, FAILED),
        (50_000, attempt.clone()),
        (80_000, FAILED),
        (90_000, attempt.clone()),
        (120_000, FAILED),
    ];
    assert_eq!(bench.seen()[3..], expected);
    bench.service_up = true;
    bench.run_to(160);
    let after: Vec<Observation> =
        bench.seen()[3 + expected.len()..].iter().map(|(_, seen)| seen.clone()).collect();
    assert_eq!(after, [attempt, Observation::UpdateEnded { accepted: true }, VerdictCleared]);
    assert!(bench.node.is_proxy());
}

#[test]
fn who_finds_its_own_address_listens_without_an_update() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Binding(OWN));
    bench.run_to(20);
    assert_eq!(bench.seen(), [(10_000, ProxyStarted)]);
    assert!(bench.listens() && bench.pinged.is_empty());
    assert_eq!(bench.recorded(), Some(OWN));
}

#[test]
fn a_name_that_does_not_exist_is_claimed_at_once() {
    for (policies, dns) in [(Policies::INTENDED, Dns::NxDomain), (Policies::LITERAL, Dns::NxDomain)]
    {
        let mut bench = Bench::new(policies, dns);
        bench.run_to(20);
        let expected = [(10_000, ProxyStarted), (10_000, started(None)), (10_400, ENDED)];
        assert_eq!(bench.seen(), expected);
        assert!(bench.dns == Dns::Binding(OWN) && bench.listens());
    }
}

/// One server is asked twice, 5 s apart, and given up 5 s later: a resolution takes 10 s. They begin
/// at 10, at 25 (5 s after the end of the first) and at 45 s (10 s after the end of the second). The
/// fourth would begin at 75 s, but the regular procedure at 70 s comes before it. At 80 s the node
/// tests whom the overlay's record names.
#[test]
fn silence_of_dns_leads_to_the_overlay_record() {
    let mut bench = Bench::new(Policies::INTENDED, Dns::Silent);
    let record = proxy_record(proxy_key(DOMAIN, 160), ALICE, Port::PROXY, Epoch(1));
    let _ = bench.node.plugin.dht.put(&mut bench.desk, record);
    bench.run_to(69);
    let asked: Vec<u64> = bench.asked.iter().map(|at| at.as_nanos() / 1_000_000_000).collect();
    assert_eq!(asked, [10, 15, 25, 30, 45, 50]);
    assert!(bench.pinged.is_empty() && bench.seen().is_empty());
    bench.run_to(84);
    assert_eq!(bench.asked[6..], [SimTime::from_secs(70), SimTime::from_secs(75)]);
    assert_eq!(bench.pinged, [(SimTime::from_secs(80), ALICE)]);
}

/// The record names whom to test, and DNS is not asked. Nobody is on record, or the node itself, which
/// does not play: then it is.
#[test]
fn who_reads_the_record_asks_dns_only_without_one() {
    let policies = Policies { overlay_record: OverlayRecord::Read, ..Policies::INTENDED };
    let other = Address::from_bits(0x0a00_0909);
    for (on_record, asked, tested) in
        [(Some(other), 0, other), (Some(OWN), 1, ALICE), (None, 1, ALICE)]
    {
        let mut bench = Bench::new(policies, Dns::Binding(ALICE));
        if let Some(address) = on_record {
            let record = proxy_record(proxy_key(DOMAIN, 160), address, Port::PROXY, Epoch(1));
            let _ = bench.node.plugin.dht.put(&mut bench.desk, record);
        }
        bench.run_to(14);
        assert_eq!(bench.asked.len(), asked, "{on_record:?}");
        assert_eq!(bench.pinged, [(SimTime::from_secs(10), tested)], "{on_record:?}");
        // What it tested is what it claims.
        bench.run_to(16);
        assert_eq!(bench.seen()[2], (15_000, started(Some(tested))));
    }
}
