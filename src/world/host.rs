//! What a host can be, and how an input reaches the component that it is for.

use crate::address::{Endpoint, Port};
use crate::conventional::{Phone, Server, phone, server};
use crate::dns::{self, Authority, Resolver, authority, resolver};
use crate::dyndns::{Accepted, Publish, ServerTimer, UpdateServer};
use crate::net::icmp::{Icmp, Quoted, Unreachable};
use crate::net::packet::{Carried, Packet};
use crate::net::{Link, Network, Words};
use crate::overcord::{self, Message, Node};
use crate::overlay::chord::Compact;
use crate::sim;
use crate::time::SimTime;
use crate::world::caller::{self, Caller};
use crate::world::stage::Stage;

/// The network of the simulated world.
pub type WorldNetwork = Network<Message, Timer>;
/// A host's access to it.
pub type WorldLink<'a> = Link<'a, Message, Timer, Stage>;

/// A host. The rare kinds are boxed, and a node fills five lines of the cache, of which the
/// first three are its plug-in.
#[derive(Debug)]
#[repr(align(64))]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all hosts are nodes, which stand side by side in memory; the others are boxed"
)]
pub enum Host {
    /// A member of the overlay, up or down.
    Node(Node),
    /// A recursive resolver.
    Resolver(Box<Resolver>),
    /// The name server of the overlay's domain.
    Authority(Box<Authority>),
    /// The update service.
    Service(Box<UpdateServer>),
    /// A conventional domain that only looks up.
    Caller(Box<Caller>),
    /// The SIP server of a conventional domain.
    Server(Box<Server>),
    /// A conventional user's phone.
    Phone(Box<Phone>),
    /// The Director, who is on no network: the script is played in its name.
    Director,
}

/// The timers of all kinds of hosts. Each kind has the slots for itself. Aligned, so that one is
/// copied as a whole and not in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(8))]
pub enum Timer {
    /// Of a member.
    Node(overcord::Timer),
    /// Of a resolver.
    Resolver(resolver::Timer),
    /// Of the update service.
    Service(ServerTimer),
    /// Of a conventional domain.
    Caller(caller::Timer),
    /// Of a SIP server.
    Server(server::Timer),
    /// Of a phone.
    Phone(phone::Timer),
}

impl sim::Timer for Timer {
    // Where a timer is set its variant is known, and so its slot: nothing is left to be computed.
    #[inline(always)]
    fn slot(self) -> u32 {
        match self {
            Self::Node(timer) => timer.slot(),
            Self::Resolver(timer) => timer.slot(),
            Self::Service(timer) => timer.slot(),
            Self::Caller(timer) => timer.slot(),
            Self::Server(timer) => timer.slot(),
            Self::Phone(timer) => timer.slot(),
        }
    }
}

impl From<overcord::Timer> for Timer {
    #[inline]
    fn from(timer: overcord::Timer) -> Self {
        Self::Node(timer)
    }
}

impl From<resolver::Timer> for Timer {
    fn from(timer: resolver::Timer) -> Self {
        Self::Resolver(timer)
    }
}

impl From<ServerTimer> for Timer {
    fn from(timer: ServerTimer) -> Self {
        Self::Service(timer)
    }
}

impl From<caller::Timer> for Timer {
    fn from(timer: caller::Timer) -> Self {
        Self::Caller(timer)
    }
}

impl From<server::Timer> for Timer {
    fn from(timer: server::Timer) -> Self {
        Self::Server(timer)
    }
}

impl From<phone::Timer> for Timer {
    fn from(timer: phone::Timer) -> Self {
        Self::Phone(timer)
    }
}

impl From<authority::Timer> for Timer {
    fn from(never: authority::Timer) -> Self {
        match never {}
    }
}

/// The context of a component on a host of the world.
pub type Lifted<'a, 'b, M, T, O> = sim::Lift<'a, WorldLink<'b>, M, T, O>;

/// The context of a node.
pub type NodeLink<'a, 'b> = Lifted<'a, 'b, Message, overcord::Timer, overcord::Observation>;

/// A link as the context of a node.
pub fn as_node<'a, 'b>(link: &'a mut WorldLink<'b>) -> NodeLink<'a, 'b> {
    sim::Context::lift(link)
}

/// A link as the context of a phone.
pub fn as_phone<'a, 'b>(
    link: &'a mut WorldLink<'b>,
) -> Lifted<'a, 'b, Message, phone::Timer, phone::Observation> {
    sim::Context::lift(link)
}

/// A link as the context of a SIP server.
fn as_server<'a, 'b>(
    link: &'a mut WorldLink<'b>,
) -> Lifted<'a, 'b, Message, server::Timer, server::Observation> {
    sim::Context::lift(link)
}

/// Where a datagram to a SIP port could not be delivered.
fn deaf(error: Unreachable) -> Option<Endpoint> {
    match error.quoted {
        Quoted::Udp { destination: port @ Port::SIP, .. } => Some(error.destination.at(port)),
        _ => None,
    }
}

/// A resolver's context that shows its answers to its judge, if it has one.
struct Judged<'a, 'b>(Lifted<'a, 'b, dns::Message, resolver::Timer, resolver::Observation>);

impl sim::Context for Judged<'_, '_> {
    type Message = dns::Message;
    type Timer = resolver::Timer;
    type Observation = resolver::Observation;

    fn now(&self) -> SimTime {
        self.0.now()
    }
    fn send(&mut self, to: Endpoint, message: dns::Message) {
        let (now, link) = (self.0.now(), self.0.host_mut());
        let resolver = link.host();
        if let Some(checkers) = &mut link.observer_mut().checkers {
            checkers.answered(now, resolver, &message);
        }
        self.0.send(to, message);
    }
    fn set(&mut self, timer: resolver::Timer, at: SimTime) {
        self.0.set(timer, at);
    }
    fn cancel(&mut self, timer: resolver::Timer) {
        self.0.cancel(timer);
    }
    fn observe(&mut self, observation: resolver::Observation) {
        self.0.observe(observation);
    }
}

impl Host {
    /// Reads from where the host is, so that what this input needs is in the cache soon; what is
    /// read means nothing.
    #[must_use]
    #[inline(always)]
    pub fn touch(&self, input: sim::Input<Packet, Timer>) -> u32 {
        if let sim::Input::Message(packet) = input
            && let Carried::Hot(words) = packet.carried()
            && let Self::Node(node) = self
            && Compact::from_words(words).passes_through()
        {
            return node.plugin.dht.touch_passage();
        }
        self.touch_for(match input {
            sim::Input::Timer(timer) => Some(timer),
            sim::Input::Message(_) | sim::Input::Command(_) => None,
        })
    }

    /// The same for what is not that frequent: a timer, or something else.
    #[inline(never)]
    fn touch_for(&self, timer: Option<Timer>) -> u32 {
        match (self, timer) {
            (Self::Node(node), Some(Timer::Node(timer))) => node.touch_for_timer(timer),
            (Self::Node(node), None) => node.plugin.dht.touch(),
            _ => 0,
        }
    }

    /// A message arrives that travelled inside an event: the overlay's, which reaches the plug-in
    /// without ever being a [`Message`].
    #[inline]
    pub fn receive_hot(&mut self, link: &mut WorldLink<'_>, from: Endpoint, words: Words) {
        if let Self::Node(node) = self {
            node.receive_compact(&mut as_node(link), from, Compact::from_words(words));
        }
    }

    /// A message arrives at a port.
    pub fn receive(
        &mut self,
        link: &mut WorldLink<'_>,
        from: Endpoint,
        port: Port,
        message: Message,
    ) {
        use sim::Context as _;
        match (self, message) {
            (Self::Node(node), message) => node.receive(&mut as_node(link), from, port, message),
            (host, Message::Relayed(relayed)) => host.receive(link, from, port, relayed.message),
            (Self::Resolver(resolver), Message::Dns(message)) => {
                resolver.receive(&mut Judged(link.lift()), from, message);
            }
            (Self::Authority(authority), Message::Dns(message)) => {
                let ctx =
                    &mut link.lift::<dns::Message, authority::Timer, authority::Observation>();
                authority.receive(ctx, from, &message);
            }
            (Self::Service(service), Message::Tcp(segment)) => {
                service.receive(&mut link.lift::<_, ServerTimer, Accepted>(), from, segment);
            }
            (Self::Caller(caller), Message::Dns(message)) => {
                caller.receive(&mut link.lift::<_, caller::Timer, _>(), from, &message);
            }
            (Self::Server(server), Message::Sip(message)) => {
                server.receive(&mut as_server(link), from, message);
            }
            (Self::Server(server), Message::Dns(message)) => {
                server.receive_dns(&mut as_server(link), from, &message);
            }
            (Self::Server(server), Message::Icmp(Icmp::Unreachable(error))) => {
                if let Some(to) = deaf(error) {
                    server.unreachable(&mut as_server(link), to);
                }
            }
            (Self::Phone(phone), Message::Sip(message)) => {
                phone.receive(&mut as_phone(link), from, message);
            }
            (Self::Phone(phone), Message::Rtp(packet)) => phone.hear(&mut as_phone(link), &packet),
            (Self::Phone(phone), Message::Dns(message)) => {
                phone.receive_dns(&mut as_phone(link), from, &message);
            }
            (Self::Phone(phone), Message::Icmp(Icmp::Unreachable(error))) => {
                if let Some(to) = deaf(error) {
                    phone.unreachable(&mut as_phone(link), to);
                }
            }
            // Every host answers an echo; anything else is for a port where nobody listens.
            (_, Message::Icmp(Icmp::EchoRequest(echo))) => link.send(from, echo.reply().into()),
            _ => {}
        }
    }

    /// A timer goes off; what it returns has to be served by the authority from now on.
    #[inline]
    pub fn timer(&mut self, link: &mut WorldLink<'_>, timer: Timer) -> Vec<Publish> {
        use sim::Context as _;
        match (self, timer) {
            (Self::Node(node), Timer::Node(timer)) => node.timer(&mut as_node(link), timer),
            (Self::Resolver(resolver), Timer::Resolver(timer)) => {
                resolver.timer(&mut Judged(link.lift()), timer);
            }
            (Self::Service(service), Timer::Service(timer)) => {
                return service.timer(&mut link.lift::<_, ServerTimer, Accepted>(), timer);
            }
            (Self::Caller(caller), Timer::Caller(timer)) => {
                caller.timer(&mut link.lift::<dns::Message, caller::Timer, _>(), timer);
            }
            (Self::Server(server), Timer::Server(timer)) => {
                server.timer(&mut as_server(link), timer);
            }
            (Self::Phone(phone), Timer::Phone(timer)) => phone.timer(&mut as_phone(link), timer),
            (host, timer) => unreachable!("{host:?} has set no timer {timer:?}"),
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_48_octets() {
        assert_eq!(size_of::<sim::Event<sim::event::Words>>(), 48);
    }

    #[test]
    fn a_host_fills_five_lines_of_the_cache() {
        assert_eq!(size_of::<Host>(), 320);
    }
}
