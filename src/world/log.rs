//! What happens on one host, or on all of them for a while, in words: the lines of `--log`.
//!
//! ```text
//!    614.071850  node-00008 -> update-service  TCP SYN 80
//!    614.071850  node-00008: claims the proxy role, after its tests of 10.0.0.3 failed
//! ```
//!
//! A line is written for each datagram that reaches the host, or whom the host sent it to, also
//! where that one is gone; for each timer and command of the host; and for what it observes. What
//! the network loses on its way, and what is sent to an address that nobody ever held, is not seen.

mod bamboo;
mod chord;
mod dns;
mod kademlia;
mod relay;
mod told;

pub use told::{Logged, Told};

use super::World;
use super::host::{Timer, WorldNetwork};
use super::observation::{Answer, Observation, RequestEnding, RequestMethod};
use super::{LogSink, caller};
use crate::address::Address;
use crate::conventional::{phone, server};
use crate::dns::{authority, secondary};
use crate::dyndns::{ClientTimer, ServerTimer};
use crate::http;
use crate::net::icmp::{Code, Icmp, Quoted};
use crate::net::packet::Packet;
use crate::net::tcp::{Control, Kind, Segment};
use crate::net::{Packed, Payload as _};
use crate::overcord::message::{BesideTimer, NodeTimer};
use crate::overcord::{self, Message};
use crate::overlay::{Description, Facts as _, NodeRef, description, plugin};
use crate::sim::HostId;
use crate::sim::fingerprint::stable_hash;
use crate::sip;
use crate::time::SimTime;
use crate::world::director::Command;

/// What is added to the line of a datagram that reaches nobody.
const GONE: &str = "  (lost: nobody is there)";
/// The same of one that a translator of addresses does not let in.
const KEPT_OUT: &str = "  (lost: the translator lets in nobody that was not sent to)";

/// The words for addresses and contacts.
pub struct Words<'a> {
    /// For an address: with the name of the host that holds it, or held it last.
    pub address: &'a dyn Fn(Address) -> String,
    /// For a contact of the overlay.
    pub node: &'a dyn Fn(NodeRef) -> String,
    /// Whether the binding is a set, of which nobody claims the whole.
    pub sets: bool,
}

/// A moment: seconds, to the microsecond.
fn moment(now: SimTime) -> String {
    let micros = now.as_nanos() / 1_000;
    format!("{:>8}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

impl World {
    /// Tells of a datagram that arrives at a host, or would if it were still there.
    #[cold]
    pub(super) fn log_packet(&self, host: HostId, packet: &Packet, log: LogSink<'_>) {
        let network: &WorldNetwork = &self.network;
        let (from, _, carried) = network.look_into(packet);
        let (at, sender) = (network.now(), network.last_holder(from.address));
        let covered = |host| self.logged.covers(host, at);
        if !covered(host) && !sender.is_some_and(covered) {
            return;
        }
        let fate = self.loss(host, packet);
        let words = || {
            let said = self.in_words(|words| match carried {
                Packed::Hot(hot) => words.message(&Message::unpack(hot)),
                Packed::Cold(message) => words.message(message),
            });
            let sender = sender.map_or_else(|| from.to_string(), |it| self.name(it).to_owned());
            format!("{sender} -> {}  {said}{}", self.name(host), fate.unwrap_or_default())
        };
        let digest = fate.is_none().then(|| network.digest(packet));
        log(&Told { at, host, sender, digest, words: &words });
    }

    /// Why a datagram does not get to a host, if it does not.
    pub(super) fn loss(&self, host: HostId, packet: &Packet) -> Option<&'static str> {
        let (_, to, _) = self.network.look_into(packet);
        if self.network.address(host) != Some(to.address) {
            return Some(GONE);
        }
        self.network.is_kept_out(host, packet).then_some(KEPT_OUT)
    }

    /// Tells of a timer of a host.
    #[cold]
    pub(super) fn log_timer(&self, host: HostId, timer: Timer, log: LogSink<'_>) {
        self.log_own(host, None, &|_| self::timer(timer), log);
    }

    /// Tells of a command to a host.
    #[cold]
    pub(super) fn log_command(&self, host: HostId, number: u32, log: LogSink<'_>) {
        self.log_own(host, None, &|_| command(self.director.command(number)), log);
    }

    /// Tells what has been observed since.
    #[cold]
    pub(super) fn log_observations(&mut self, log: LogSink<'_>) {
        let Some(noted) = &mut self.stage.noted else { return };
        for (host, observation) in std::mem::take(&mut noted.observations) {
            let digest = stable_hash(&observation);
            self.log_own(host, Some(digest), &|words| words.observation(&observation), log);
        }
    }

    fn log_own(
        &self,
        host: HostId,
        digest: Option<u64>,
        what: &dyn Fn(&Words<'_>) -> String,
        log: LogSink<'_>,
    ) {
        let at = self.network.now();
        if self.logged.covers(host, at) {
            let words = || format!("{}: {}", self.name(host), self.in_words(what));
            log(&Told { at, host, sender: None, digest, words: &words });
        }
    }

    fn name(&self, host: HostId) -> &str {
        &self.names[host.index()]
    }

    pub(super) fn in_words(&self, say: impl FnOnce(&Words<'_>) -> String) -> String {
        let network = &self.network;
        let address = |address| match network.last_holder(address) {
            Some(it) if network.holder(address) == Some(it) => {
                format!("{address} ({})", self.name(it))
            }
            Some(it) => format!("{address} ({}, gone)", self.name(it)),
            None => address.to_string(),
        };
        let node = |node| {
            let address = self.stage.directory.contact(node).endpoint.address;
            network.last_holder(address).map_or(address.to_string(), |it| self.name(it).to_owned())
        };
        say(&Words { address: &address, node: &node, sets: self.stage.truth.publishes_sets() })
    }
}

impl Words<'_> {
    /// A message.
    #[must_use]
    pub fn message(&self, message: &Message) -> String {
        match message {
            Message::Overlay(plugin::Message::Chord(message)) => self.chord(message),
            Message::Overlay(plugin::Message::Bamboo(message)) => self.bamboo(message),
            Message::Overlay(plugin::Message::Kademlia(message)) => self.kademlia(message),
            Message::Overlay(plugin::Message::Description(message)) => description(message),
            Message::Dns(message) => self.dns(message),
            Message::Icmp(icmp) => self.icmp(*icmp),
            Message::Tcp(Segment::Control(control))
            | Message::DnsTcp(Segment::Control(control)) => tcp(*control),
            Message::DnsTcp(Segment::Data(data)) => self.dns(&data.body.0),
            Message::Tcp(Segment::Data(data)) => http(&data.body),
            Message::Sip(message) => sip(message),
            Message::Turn(message) => relay::turn(&message.body),
            Message::Rtp(packet) => relay::rtp(packet),
            Message::Relayed(relayed) => self.message(&relayed.message),
        }
    }

    fn maybe(&self, node: Option<NodeRef>) -> String {
        node.map_or_else(|| "nobody".to_owned(), |node| (self.node)(node))
    }

    fn list(&self, nodes: impl IntoIterator<Item = NodeRef>) -> String {
        let names: Vec<_> = nodes.into_iter().map(self.node).collect();
        if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
    }

    fn icmp(&self, icmp: Icmp) -> String {
        match icmp {
            Icmp::EchoRequest(_) => "ICMP echo request".to_owned(),
            Icmp::EchoReply(_) => "ICMP echo reply".to_owned(),
            Icmp::Unreachable(error) => {
                let what = match error.code {
                    Code::Network => "network",
                    Code::Host => "host",
                    Code::Port => "port",
                    Code::Prohibited => "administratively",
                };
                let quoted = match error.quoted {
                    Quoted::Udp { destination, .. } => format!("UDP {}", destination.0),
                    Quoted::Tcp { destination, .. } => format!("TCP {}", destination.0),
                    Quoted::Echo(_) => "echo request".to_owned(),
                };
                let where_to = (self.address)(error.destination);
                format!("ICMP {what} unreachable: {quoted} to {where_to}")
            }
        }
    }

    fn answer(&self, answer: &Answer) -> String {
        match answer {
            Answer::Addresses(addresses) => {
                addresses.iter().map(|it| (self.address)(*it)).collect::<Vec<_>>().join(", ")
            }
            Answer::Negative => "no address".to_owned(),
            Answer::Failure => "failure".to_owned(),
        }
    }

    /// What a host observes.
    #[must_use]
    pub fn observation(&self, observation: &Observation) -> String {
        use Observation as O;
        let address = |it: &Address| (self.address)(*it);
        match observation {
            O::HostUp(it) => format!("comes up at {it}"),
            O::Readdressed(it) => format!("has another address, {it}"),
            O::HostDown => "goes".to_owned(),
            O::Member(overlay) => format!("is a member of overlay {:08x}", overlay.0),
            O::NotMember => "is in no overlay".to_owned(),
            O::ProxyStarted => "listens: it plays the proxy peer".to_owned(),
            O::ProxyStandsBy => "plays behind another proxy peer".to_owned(),
            O::ProxyRetiring => "its successor as proxy peer is published".to_owned(),
            O::ProxyStopped => "steps down: it does not play the proxy peer any more".to_owned(),
            O::VerdictFailed(it) => format!("its tests of {} failed", address(it)),
            O::VerdictCleared => "holds nobody for failed any more".to_owned(),
            O::UpdateStarted { tested, own } => {
                let begins = match self.sets {
                    true => format!("begins to update the set, {own} first"),
                    false => format!("claims the binding for {own}"),
                };
                match tested {
                    Some(tested) => {
                        format!("{begins}, after its tests of {} failed", address(tested))
                    }
                    None => begins,
                }
            }
            O::UpdateEnded { accepted: true } => "its update is accepted".to_owned(),
            O::UpdateEnded { accepted: false } => "its update failed".to_owned(),
            O::UpdateAccepted { from, to } => {
                format!("accepts from {} that the binding becomes {}", address(from), address(to))
            }
            O::BindingServed(answer) => format!("serves the binding: {}", self.answer(answer)),
            O::CacheStored { answer, expires } => {
                format!("keeps until {expires} s: {}", self.answer(answer))
            }
            O::CacheKept { until } => format!("keeps it until {until} s for want of a fresh one"),
            O::Answered(answer) => format!("answers a question: {}", self.answer(answer)),
            O::LookupStarted(number) => format!("look-up {number} begins"),
            O::RequestStarted { request, method, callee: _ } => {
                format!("request {:016x} begins: {}", request.0, request_method(*method))
            }
            O::RequestRouted { request, to } => {
                format!("sends request {:016x} to {}", request.0, address(to))
            }
            O::RequestServed { request } => {
                format!("as proxy peer, answers or passes on request {:016x}", request.0)
            }
            O::RequestEnded { request, ending } => {
                format!("request {:016x} has ended: {}", request.0, request_ending(*ending))
            }
            O::OutboundStarted { request } => {
                format!("request {:016x} to a conventional user begins", request.0)
            }
            O::OutboundEnded { request, answered } => {
                let how = if *answered { "with success" } else { "without" };
                format!("request {:016x} to a conventional user has ended {how}", request.0)
            }
            O::Parted { partition, hosts } => {
                format!("partition {} cuts off {} hosts", partition.number(), hosts.len())
            }
            O::Healed(partition) => format!("partition {} is over", partition.number()),
            O::LookupEnded { request, answer } => {
                format!("look-up {request} has an answer: {}", self.answer(answer))
            }
        }
    }
}

/// What overlay is this?
fn description(message: &description::Message) -> String {
    match message {
        description::Message::Question(_, kind) => {
            format!("{} plug-in: what overlay is this?", kind.word())
        }
        description::Message::Answer(_, _, Description { domain, kind, id_bits }) => {
            format!("{} plug-in: {domain}, identifiers of {id_bits} bits", kind.word())
        }
        description::Message::Silent(_, address) => {
            format!("the proxy peer at {address} does not answer")
        }
    }
}

fn plugin_timer(timer: plugin::Timer) -> &'static str {
    match timer {
        plugin::Timer::Chord(timer) => chord::timer(timer),
        plugin::Timer::Bamboo(timer) => bamboo::timer(timer),
        plugin::Timer::Kademlia(timer) => kademlia::timer(timer),
    }
}

fn tcp(control: Control) -> String {
    let kind = match control.kind {
        Kind::Syn => "SYN",
        Kind::SynAck => "SYN+ACK",
        Kind::Ack => "ACK",
        Kind::Fin => "FIN",
        Kind::FinAck => "FIN+ACK",
        Kind::Rst => "RST",
    };
    format!("TCP {kind} {}", control.header.flow.port.0)
}

fn http(message: &http::Message) -> String {
    match message {
        http::Message::Request(request) => {
            let shown = if request.credentials().is_some() { ", with credentials" } else { "" };
            let method = match request.method {
                http::Method::Get => "GET",
                http::Method::Post => "POST",
                http::Method::Head => "HEAD",
            };
            format!("HTTP {method} {}{shown}", request.target)
        }
        http::Message::Response(response) => {
            let (code, reason) = (response.status.code(), response.status.reason());
            format!("HTTP {code} {reason}: {}", response.body.trim())
        }
    }
}

/// A SIP message: `SIP MESSAGE sip:bob@chord.dyndns.org, "Hello"`, `SIP 200 OK (MESSAGE)`.
#[must_use]
pub fn sip(message: &sip::Message) -> String {
    use sip::SubscriptionState as State;
    let headers = message.headers();
    let mut more = String::new();
    match &headers.subscription_state {
        Some(State::Active { .. }) => more.push_str(", active"),
        Some(State::Pending { .. }) => more.push_str(", pending"),
        Some(State::Terminated { reason, .. }) => {
            more.push_str(", terminated");
            if let Some(reason) = reason {
                more.push_str(&format!(" ({reason})"));
            }
        }
        None => {}
    }
    if let Some(expires) = headers.expires {
        more.push_str(&format!(", expires {expires}"));
    }
    more.push_str(&said(message));
    match message {
        sip::Message::Request(request) => {
            let whom = match request.method {
                // Its Request-URI is the registrar's.
                sip::Method::Register => &headers.to.uri,
                _ => &request.uri,
            };
            format!("SIP {} {whom}{more}", request.method)
        }
        sip::Message::Response(response) => {
            let (status, reason) = (response.status, response.reason());
            format!("SIP {status} {reason} ({}){more}", response.method)
        }
    }
}

/// What the body of a SIP message says, if it is presence or a text.
fn said(message: &sip::Message) -> String {
    let (headers, body) = match message {
        sip::Message::Request(request) => (&request.headers, &request.body),
        sip::Message::Response(response) => (&response.headers, &response.body),
    };
    match headers.content_type.as_deref() {
        Some(sip::pidf::CONTENT_TYPE) => match sip::pidf::Presence::parse(body) {
            Ok(presence) if presence.open => ", open".to_owned(),
            Ok(_) => ", closed".to_owned(),
            Err(_) => String::new(),
        },
        Some("text/plain") => format!(", {:?}", String::from_utf8_lossy(body)),
        _ => String::new(),
    }
}

fn command(command: Command) -> String {
    match command {
        Command::Toggle(_) => "comes or goes, by churn".to_owned(),
        Command::Start(_) => "starts".to_owned(),
        Command::Foretell(..) => "learns that it will leave".to_owned(),
        Command::SendAway(..) => "goes, as it was told".to_owned(),
        Command::Release(_) => "may come back, by the script".to_owned(),
        Command::Play(line) => format!("event {line} of the script"),
        Command::ServiceUp => "the update service answers again".to_owned(),
        Command::Succeed(..) => "a successor is chosen".to_owned(),
        Command::Heal(partition) => format!("partition {} may be over", partition.number()),
        Command::StartPhone(_) | Command::ServerUp => "is switched on".to_owned(),
        Command::Act(_) => "its user acts".to_owned(),
        Command::ChangeAddress(_) => "its address changes, as recorded".to_owned(),
        Command::AddressExpires(_) => "its address changes, by chance".to_owned(),
        Command::NoticeAddress(_, address) => format!("notices that its address is {address}"),
    }
}

fn timer(timer: Timer) -> String {
    let what = match timer {
        Timer::Node(timer) => node_timer(timer),
        Timer::Resolver(_) => "a question to the authority is due or not answered",
        Timer::Service(ServerTimer::Service) => "a request has been worked on",
        Timer::Service(ServerTimer::Publish) => "an accepted update is published",
        Timer::Service(ServerTimer::Tcp(_)) => "a TCP connection",
        Timer::Caller(caller::Timer::Stub(_)) => "a DNS query is not answered",
        Timer::Caller(caller::Timer::User(user)) => {
            return format!("timer: user {user} looks the overlay's name up");
        }
        Timer::Server(server::Timer::Stub(_)) | Timer::Phone(phone::Timer::Stub(_)) => {
            "a DNS query is not answered"
        }
        Timer::Server(server::Timer::Sip(timer)) | Timer::Phone(phone::Timer::Sip(timer)) => {
            sip_timer(timer)
        }
        Timer::Phone(phone::Timer::Media) => SPEAKS,
        Timer::Authority(authority::Timer::Notify) => "secondaries are to be told",
        Timer::Secondary(secondary::Timer::Maintenance) => "the zone is to be looked after",
        Timer::Secondary(secondary::Timer::Expire) => "the zone has expired",
        Timer::Authority(authority::Timer::Tcp(_)) | Timer::Secondary(secondary::Timer::Tcp(_)) => {
            "a TCP connection goes on"
        }
    };
    format!("timer: {what}")
}

const fn request_method(method: RequestMethod) -> &'static str {
    match method {
        RequestMethod::Invite => "a call",
        RequestMethod::Bye => "the end of a call",
        RequestMethod::Message => "an instant message",
        RequestMethod::Subscribe => "a subscription",
        RequestMethod::Notify => "a notification",
        RequestMethod::Other => "another one",
    }
}

fn request_ending(ending: RequestEnding) -> String {
    match ending {
        RequestEnding::Final(status) => format!("it was answered {status}"),
        RequestEnding::Timeout => "nobody answered in time".to_owned(),
        RequestEnding::Transport => "it could not be delivered".to_owned(),
        RequestEnding::Unlocated => "it had nowhere to go".to_owned(),
    }
}

const fn sip_timer(timer: sip::Timer) -> &'static str {
    match timer {
        sip::Timer::Transactions => "a SIP message is repeated, given up or forgotten",
        sip::Timer::Agent => "the user agent renews a lease, or goes on with a call",
        sip::Timer::Proxy => "the proxy goes on with a request",
        sip::Timer::Registrar => "registrations expire",
        sip::Timer::Presence => "the presence server notifies, or a lease ends",
    }
}

/// The timer of media.
const SPEAKS: &str = "something is said, or nothing is heard, in a call";

fn node_timer(timer: overcord::Timer) -> &'static str {
    use overcord::Timer as T;
    match timer {
        T::Overlay(plugin) | T::Beside(_, BesideTimer::Plugin(plugin)) => plugin_timer(plugin),
        T::Beside(_, BesideTimer::Retry) => "another overlay is tried again",
        T::Node(NodeTimer::Lookup) => "look a random key up",
        T::Node(NodeTimer::Join) => "try to join again",
        T::Node(NodeTimer::Procedure) => "test the proxy peer",
        T::Node(NodeTimer::Ping) => "the echo is not answered",
        T::Node(NodeTimer::Resolve) => "resolve the overlay's name again",
        T::Node(NodeTimer::SelfCheck) => "is the binding still its own?",
        T::Node(NodeTimer::Update) => "try the update again",
        T::Node(NodeTimer::Renew) => "renew the overlay record",
        T::Node(NodeTimer::Rejoin) => "join through the proxy peer",
        T::Node(NodeTimer::Poll) => "the daemon looks whether to update",
        T::Node(NodeTimer::Wait) => "the strategy has waited",
        T::Node(NodeTimer::Relocate) => "store the user's location again",
        T::Node(NodeTimer::Bridge) => "store the entries of a bridging node again",
        T::Stub(_) | T::Locator(_) => "a DNS query is not answered",
        T::Sip(timer) => sip_timer(timer),
        T::Client(ClientTimer::Timeout) => "the update takes too long",
        T::Updater(_) => "the update is not answered",
        T::Client(ClientTimer::Tcp(_)) | T::Tcp(_) => "a TCP connection",
        T::Relay(_) => "an address on the relay",
        T::Media => SPEAKS,
    }
}

#[cfg(test)]
mod tests;
