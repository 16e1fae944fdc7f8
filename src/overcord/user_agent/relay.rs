//! A node's part in relaying (Marocco & Bryan's relay agent peer): it is the relay, or has addresses
//! there.
//!
//! A member behind a translator has a relayed address for SIP, and one for its media. The first is
//! its contact: stored in the overlay in place of its own, so that the proxy peer's requests come in
//! through the relay. The relay lets in whom the member has a permission for: the proxy peer, whose
//! name it resolves for that, and every next hop that it sends an INVITE or a SUBSCRIBE to. What it
//! sends to one of these goes through the relay too; all else it sends itself, since answers come in.
//! Other members, who send their requests straight to a contact, find it closed: only those from
//! outside come through the proxy peer.
//!
//! The address for media stands in session descriptions. A channel is bound to the other end of a
//! call when that is up; without an allocation at that time, media is sent as it would be without a
//! relay. Left out: ICE, which would find out whether the relay is needed.

use std::sync::Arc;

use super::{Asker, At, UserAgent};
use crate::address::{Endpoint, Port};
use crate::overcord::location;
use crate::overcord::message::{Message, NodeTimer, Observation, Relayed, Timer};
use crate::overcord::node::NodeContext;
use crate::rng::Dice;
use crate::rtp;
use crate::sim::Context;
use crate::sip::uri::SipUri;
use crate::sip::{self, HostPart, Method, Uri};
use crate::time::{SimDuration, SimTime};
use crate::turn::{self, Account, Body, Client, DEFAULT_LIFETIME, Output, Server, Upcall, client};

/// How all are set up that relay, or are relayed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The relay.
    pub server: Endpoint,
    /// What its clients sign with.
    pub account: Account,
    /// How long an allocation lasts.
    pub lifetime: SimDuration,
    /// How often mappings of translators are kept alive.
    pub keepalive: SimDuration,
}

/// What a member is to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is the relay.
    Relay,
    /// It has an address there for its media, and one for SIP as well if `signalling`.
    Client {
        /// Whether it cannot be reached by SIP otherwise.
        signalling: bool,
    },
}

/// What is relayed of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Line {
    /// SIP.
    Signalling,
    /// Media.
    Media,
}

impl Line {
    /// The port of the member that has the address.
    const fn port(self) -> Port {
        match self {
            Self::Signalling => Port::SIP,
            Self::Media => Port::AUDIO,
        }
    }
}

/// A member's side.
#[derive(Debug)]
pub(super) enum Side {
    /// It is the relay.
    Relay(Server),
    /// It has addresses there.
    Client { signalling: Option<Box<Client>>, media: Box<Client> },
}

impl Side {
    pub(super) fn of(
        settings: Option<&Settings>,
        part: Option<Part>,
        own: Endpoint,
        [first, second]: [Dice; 2],
    ) -> Option<Box<Self>> {
        let settings = settings?;
        let client = |line: Line, dice| {
            let settings = client::Settings {
                server: settings.server,
                port: line.port(),
                account: settings.account.clone(),
                lifetime: (settings.lifetime != DEFAULT_LIFETIME).then_some(settings.lifetime),
                keepalive: settings.keepalive,
            };
            Box::new(Client::new(settings, dice))
        };
        Some(Box::new(match part? {
            Part::Relay => {
                let account = settings.account.clone();
                Self::Relay(Server::new(own.address, account, settings.lifetime))
            }
            Part::Client { signalling } => Self::Client {
                signalling: signalling.then(|| client(Line::Signalling, first)),
                media: client(Line::Media, second),
            },
        }))
    }

    fn client(&mut self, line: Line) -> Option<&mut Client> {
        match (self, line) {
            (Self::Relay(_), _) => None,
            (Self::Client { signalling, .. }, Line::Signalling) => signalling.as_deref_mut(),
            (Self::Client { media, .. }, Line::Media) => Some(media),
        }
    }

    /// Which of its clients a message is for. A translator may have chosen the port that it came to,
    /// so that this does not tell; what an indication brings tells itself.
    fn line(&self, message: &turn::Message) -> Line {
        let Self::Client { media, .. } = self else { return Line::Signalling };
        let is_media = match &message.body {
            Body::Success { id, .. } | Body::Failure { id, .. } => media.awaits(*id),
            Body::ChannelData { .. } => true,
            Body::Indication { .. } | Body::Request { .. } => false,
        };
        // Where there is no other, all is its own.
        let alone = matches!(self, Self::Client { signalling: None, .. });
        if is_media || alone { Line::Media } else { Line::Signalling }
    }

    /// Where the member is reached by SIP through the relay.
    fn contact(&self) -> Option<Endpoint> {
        match self {
            Self::Relay(_) => None,
            Self::Client { signalling, .. } => signalling.as_deref()?.relayed(),
        }
    }

    /// Where it wants to have its media.
    fn media(&self) -> Option<Endpoint> {
        match self {
            Self::Relay(_) => None,
            Self::Client { media, .. } => media.relayed(),
        }
    }
}

/// A node's context as that of one of its clients.
struct OnLine<'a, C>(&'a mut C, Line);

impl<C: NodeContext> Context for OnLine<'_, C> {
    type Message = turn::Message;
    type Timer = turn::Timer;
    type Observation = ();

    fn now(&self) -> SimTime {
        self.0.now()
    }
    fn send(&mut self, to: Endpoint, message: turn::Message) {
        self.0.send(to, message.into());
    }
    fn set(&mut self, turn::Timer: turn::Timer, at: SimTime) {
        self.0.set(Timer::Relay(self.1), at);
    }
    fn cancel(&mut self, turn::Timer: turn::Timer) {
        self.0.cancel(Timer::Relay(self.1));
    }
    fn observe(&mut self, (): ()) {}
}

/// A node's context as that of its SIP cores, which send through the relay to those that it lets in.
pub(super) struct SipWire<'a, C> {
    ctx: &'a mut C,
    relay: Option<&'a mut Client>,
}

/// A node's context as that of its SIP cores.
pub(super) fn wire<'a, C>(ctx: &'a mut C, side: &'a mut Option<Box<Side>>) -> SipWire<'a, C> {
    SipWire { ctx, relay: side.as_deref_mut().and_then(|side| side.client(Line::Signalling)) }
}

impl<C: NodeContext> Context for SipWire<'_, C> {
    type Message = sip::Message;
    type Timer = sip::Timer;
    type Observation = Observation;

    fn now(&self) -> SimTime {
        self.ctx.now()
    }
    fn send(&mut self, to: Endpoint, message: sip::Message) {
        let Some(client) = self.relay.as_deref_mut().filter(|it| it.relayed().is_some()) else {
            return self.ctx.send(to, message.into());
        };
        let wire = &mut OnLine(&mut *self.ctx, Line::Signalling);
        if client.reaches(to) {
            return client.send(wire, to, sip::encode(&message).into());
        }
        // The other end will answer to the contact, which is on the relay.
        if let sip::Message::Request(request) = &message
            && matches!(request.method, Method::Invite | Method::Subscribe)
        {
            client.permit(wire, to.address);
        }
        self.ctx.send(to, message.into());
    }
    fn set(&mut self, timer: sip::Timer, at: SimTime) {
        self.ctx.set(timer.into(), at);
    }
    fn cancel(&mut self, timer: sip::Timer) {
        self.ctx.cancel(timer.into());
    }
    fn observe(&mut self, observation: Observation) {
        self.ctx.observe(observation);
    }
}

/// What is in a datagram that is relayed: media, or SIP.
fn opened(octets: &[u8]) -> Option<Message> {
    match octets.first()? {
        128..=191 => rtp::Packet::decode(octets).map(Message::Rtp),
        _ => sip::decode(octets).ok().map(Message::Sip),
    }
}

/// The octets of a datagram that is to be relayed; there is none of another kind.
fn octets(message: &Message) -> Option<Arc<[u8]>> {
    match message {
        Message::Rtp(packet) => Some(packet.encode().into()),
        Message::Sip(message) => Some(sip::encode(message).into()),
        _ => None,
    }
}

impl UserAgent {
    /// Where its user is reached.
    pub(super) fn contact(&self) -> Endpoint {
        let relayed = self.side.as_deref().and_then(Side::contact);
        relayed.unwrap_or_else(|| self.own.at(Port::SIP))
    }

    /// The node is a member now: it wants its addresses.
    pub(super) fn seek_relay<C: NodeContext>(&mut self, at: &mut At<'_, C>) {
        for line in [Line::Signalling, Line::Media] {
            if let Some(client) = self.side.as_deref_mut().and_then(|side| side.client(line)) {
                client.start(&mut OnLine(&mut *at.ctx, line));
            }
        }
        if self.side.as_deref().and_then(Side::contact).is_some() {
            let host = HostPart::name(&self.settings.location.domain);
            self.resolve(at, Asker::Relay, &Uri::Sip(SipUri::of_host(host)));
        }
    }

    /// It is known where the proxy peer is, which is to be let in; or to be asked for again.
    pub(super) fn let_in<C: NodeContext>(&mut self, at: &mut At<'_, C>, places: &[Endpoint]) {
        let side = self.side.as_deref_mut();
        let Some(client) = side.and_then(|side| side.client(Line::Signalling)) else { return };
        for place in places {
            client.permit(&mut OnLine(&mut *at.ctx, Line::Signalling), place.address);
        }
        if places.is_empty() {
            at.ctx.set_after(NodeTimer::Relocate.into(), location::RETRY);
        }
    }

    /// A message of a relay, or to one, arrived at this port.
    pub fn receive_turn<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        port: Port,
        message: turn::Message,
    ) {
        let now = at.ctx.now();
        match self.side.as_deref_mut() {
            Some(Side::Relay(server)) if port == Port::TURN => {
                match server.receive(now, from, &message) {
                    Some(Output::Reply(reply)) => at.ctx.send(from, reply.into()),
                    Some(Output::Relay { from: source, to, data }) => {
                        if let Some(message) = opened(&data) {
                            at.ctx.send(to, Relayed { source, message }.into());
                        }
                    }
                    None => {}
                }
            }
            Some(side) => {
                let line = side.line(&message);
                let Some(client) = side.client(line) else { return };
                let upcalls = client.receive(&mut OnLine(&mut *at.ctx, line), from, message);
                self.relay_upcalls(at, line, upcalls);
            }
            None => {}
        }
    }

    /// SIP or media arrived at a port that may be a client's of this relay.
    pub fn receive_for_client<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        from: Endpoint,
        port: Port,
        message: Message,
    ) {
        if let Some(Side::Relay(server)) = self.side.as_deref() {
            let data = octets(&message);
            let passed = data.and_then(|data| server.arrived(at.ctx.now(), port, from, &data));
            if let Some((client, message)) = passed {
                at.ctx.send(client, message.into());
            }
            return;
        }
        // A translator may have chosen the port.
        match message {
            Message::Sip(message) => self.receive(at, from, message),
            Message::Rtp(packet) => self.hear(at, &packet),
            _ => {}
        }
    }

    /// A timer of one of its clients went off.
    pub fn relay_timer<C: NodeContext>(&mut self, at: &mut At<'_, C>, line: Line) {
        let Some(client) = self.side.as_deref_mut().and_then(|side| side.client(line)) else {
            return;
        };
        let upcalls = client.timer(&mut OnLine(&mut *at.ctx, line));
        self.relay_upcalls(at, line, upcalls);
    }

    fn relay_upcalls<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        line: Line,
        upcalls: client::Upcalls,
    ) {
        for upcall in upcalls {
            match upcall {
                Upcall::Allocated(_) | Upcall::Lost => self.moved(at, line),
                Upcall::Data { from, data } => match opened(&data) {
                    Some(Message::Sip(message)) => self.receive(at, from, message),
                    Some(Message::Rtp(packet)) => self.hear(at, &packet),
                    _ => {}
                },
            }
        }
    }

    /// An address has come or gone: what the user agent says of itself changes, and what stands in
    /// the overlay.
    fn moved<C: NodeContext>(&mut self, at: &mut At<'_, C>, line: Line) {
        self.say_where();
        if line == Line::Signalling {
            self.renew(at);
        }
    }

    /// The user agent is to say where it is reached through the relay.
    pub(super) fn say_where(&mut self) {
        let Some(side) = self.side.as_deref() else { return };
        let media = side.media().unwrap_or_else(|| self.own.at(Port::AUDIO));
        let contact = Uri::of_user_at(&self.user, self.contact());
        self.agent.relocate(contact, media);
    }

    /// Whether media to the other end of a call goes through the relay from now on.
    pub(super) fn open_channel<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        to: Endpoint,
    ) -> bool {
        let Some(Side::Client { media, .. }) = self.side.as_deref_mut() else { return false };
        let is_there = media.relayed().is_some();
        if is_there {
            media.bind(&mut OnLine(&mut *at.ctx, Line::Media), to);
        }
        is_there
    }

    /// The channel to the other end of a call is not needed any more.
    pub(super) fn close_channel(&mut self, to: Endpoint) {
        if let Some(Side::Client { media, .. }) = self.side.as_deref_mut() {
            media.unbind(to);
        }
    }

    /// Sends a packet through the relay; it is gone if that does not let it through.
    pub(super) fn send_relayed<C: NodeContext>(
        &mut self,
        at: &mut At<'_, C>,
        to: Endpoint,
        packet: rtp::Packet,
    ) {
        if let Some(Side::Client { media, .. }) = self.side.as_deref_mut() {
            media.send(&mut OnLine(&mut *at.ctx, Line::Media), to, packet.encode().into());
        }
    }
}
