//! The node as a whole: it hands each input to the module that it is for, and carries what one
//! module says to the next.

use crate::address::{Endpoint, Port};
use crate::conventional::server;
use crate::dns::message::Kind;
use crate::net::Payload as _;
use crate::net::icmp::{Icmp, Quoted, Unreachable};
use crate::overcord::beside::{News, NewsList, Others};
use crate::overcord::embedded::EmbeddedServer;
use crate::overcord::handover::{Handover, TransportEvent};
use crate::overcord::message::{Message, NodeTimer, Observation, Timer};
use crate::overcord::plugin_management::{Next, PluginManagement, REJOIN_AFTER};
use crate::overcord::policy::Bootstrap;
use crate::overcord::user_agent::{At, UserAgent};
use crate::overlay::chord::{ChordTimer, Compact};
use crate::overlay::{Facts, Plugin, Upcall, Upcalls, description, plugin};
use crate::rng::Dice;
use crate::sim::Context;
use crate::sip::agent::Action;
use crate::time::SimDuration;
use crate::workload::ArrivalTimes;

mod lookups;
mod moving;

pub use moving::Moved;

/// What a node acts through.
pub trait NodeContext:
    Context<Message = Message, Timer = Timer, Observation = Observation> + Facts
{
}

impl<C> NodeContext for C where
    C: Context<Message = Message, Timer = Timer, Observation = Observation> + Facts
{
}

/// How a node comes into its overlay when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It stands in a converged overlay already.
    Placed,
    /// It founds the overlay.
    Found,
    /// It joins.
    Join,
}

/// An OverCord node.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    /// The plug-in and the way into the overlay.
    pub plugin: PluginManagement,
    /// Its part in the handover, if the scenario has one.
    pub handover: Option<Box<Handover>>,
    /// The conventional server that it is embedded in, if it is.
    server: Option<Box<EmbeddedServer>>,
    /// Its look-ups of random keys, if it makes any: not behind a pointer, which would be waited for
    /// at every one of them.
    lookups: Option<Lookups>,
}

/// What a node is made of that begins anew with every start.
#[derive(Debug)]
pub struct Life {
    /// The plug-in.
    pub dht: Plugin,
    /// Its part in the handover.
    pub handover: Option<Handover>,
    /// Its user's agent; only beside a part in the handover.
    pub user_agent: Option<UserAgent>,
    /// The overlays that it knows besides its own, if there are any.
    pub others: Option<Box<Others>>,
    /// The server that it is embedded in; only without a part in the handover.
    pub server: Option<EmbeddedServer>,
}

/// Look-ups of random keys: one line of the cache.
#[derive(Debug)]
#[repr(align(64))]
pub struct Lookups {
    /// When.
    pub arrivals: ArrivalTimes,
    /// Of what.
    pub keys: Dice,
    /// Bits of an identifier.
    pub id_bits: u8,
}

impl Node {
    /// A node that has not been started.
    #[must_use]
    pub fn new(plugin: PluginManagement, lookups: Option<Lookups>) -> Self {
        Self { plugin, handover: None, server: None, lookups }
    }

    /// Starts the node. Timers, connections and tests of an earlier life are gone.
    pub fn start<C: NodeContext>(&mut self, ctx: &mut C, life: Life, entry: Entry) {
        let on_disk = self.handover.as_ref().and_then(|former| former.on_disk());
        let Life { dht, handover, user_agent, others, server } = life;
        self.plugin.set_others(others);
        self.handover = handover.map(Box::new);
        self.server = server.map(Box::new);
        if let Some(handover) = &mut self.handover {
            handover.user_agent = user_agent.map(Box::new);
            handover.start_daemon(ctx, on_disk);
        }
        if entry == Entry::Placed {
            self.plugin.dht = dht;
            self.plugin.placed();
            self.plugin.dht.start(ctx);
        } else {
            self.plugin.restart(dht, ctx.now());
        }
        if let Some(others) = self.plugin.others_mut() {
            others.begin(ctx);
        }
        match entry {
            Entry::Placed => {}
            Entry::Join => self.join(ctx),
            Entry::Found => {
                let upcalls = self.plugin.found(ctx);
                self.take_upcalls(ctx, upcalls);
                if let Some(handover) = self.handover.as_deref_mut().filter(|part| part.watches()) {
                    handover.founded(ctx, &mut self.plugin);
                }
            }
        }
        if let Some(lookups) = &mut self.lookups {
            let first = lookups.arrivals.first(ctx.now());
            ctx.set(NodeTimer::Lookup.into(), first);
        }
    }

    /// The whole overlay, which was created at once, is up: users store their locations.
    pub fn settled<C: NodeContext>(&mut self, ctx: &mut C) {
        self.with_user(ctx, |user, at| user.joined(at, true));
    }

    /// Its user does this, if it has a user agent.
    pub fn act<C: NodeContext>(&mut self, ctx: &mut C, action: Action) {
        self.with_user(ctx, |user, at| user.act(at, action));
    }

    /// Lets the user agent do something, if there is one.
    fn with_user<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        act: impl FnOnce(&mut UserAgent, &mut At<'_, C>),
    ) {
        let is_proxy = self.is_proxy();
        let Some(handover) = self.handover.as_deref_mut() else { return };
        let Some(user) = handover.user_agent.as_deref_mut() else { return };
        act(user, &mut At { ctx, plugin: &mut self.plugin, is_proxy });
        if let Some(passed) = user.take_probed() {
            handover.options_ended(ctx, &mut self.plugin, passed);
        }
    }

    /// Lets the server that it is embedded in do something, if there is one; whether there is.
    fn with_server<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        act: impl FnOnce(&mut EmbeddedServer, &mut At<'_, C>),
    ) -> bool {
        let Some(server) = self.server.as_deref_mut() else { return false };
        act(server, &mut At { ctx, plugin: &mut self.plugin, is_proxy: false });
        true
    }

    /// Reads from where the node is, so that what this timer needs is in the cache soon; what is
    /// read means nothing.
    #[must_use]
    pub fn touch_for_timer(&self, timer: Timer) -> u32 {
        match (timer, &self.lookups) {
            // Nearly all have been cancelled.
            (Timer::Overlay(plugin::Timer::Chord(ChordTimer::Rpc(_))), _) => 0,
            (Timer::Node(NodeTimer::Lookup), Some(lookups)) => {
                self.plugin.dht.touch() ^ u32::from(lookups.id_bits)
            }
            _ => self.plugin.dht.touch(),
        }
    }

    /// The node will leave its overlay gracefully after this span.
    pub fn leave_after<C: NodeContext>(&mut self, ctx: &mut C, after: SimDuration) {
        if let Some(handover) = &mut self.handover {
            handover.leaving(ctx, &mut self.plugin, after);
        }
    }

    /// Leaves the overlay gracefully; the host goes down right after.
    pub fn leave<C: NodeContext>(&mut self, ctx: &mut C) {
        self.plugin.remember_acquaintances();
        if let Some(others) = self.plugin.others_mut() {
            others.leave(ctx);
        }
        // Operations that fail with the leave concern nobody any more.
        let _ = self.plugin.dht.leave(ctx);
    }

    /// Plays the proxy peer from now on.
    pub fn take_role<C: NodeContext>(&mut self, ctx: &mut C) {
        if let Some(handover) = &mut self.handover {
            handover.take_role(ctx, &mut self.plugin);
        }
    }

    /// No longer plays the proxy peer.
    pub fn give_up_role<C: NodeContext>(&mut self, ctx: &mut C) {
        if let Some(handover) = &mut self.handover {
            handover.give_up_role(ctx);
        }
    }

    /// Whether it plays the proxy peer.
    #[must_use]
    pub fn is_proxy(&self) -> bool {
        self.handover.as_ref().is_some_and(|handover| handover.is_proxy())
    }

    /// The regular tests begin after this span.
    pub fn watch_after<C: NodeContext>(&mut self, ctx: &mut C, first: SimDuration) {
        if let Some(handover) = &mut self.handover {
            handover.watch_after(ctx, first);
        }
    }

    fn join<C: NodeContext>(&mut self, ctx: &mut C) {
        let watching = self.handover.as_deref().filter(|part| part.watches());
        // A proxy peer does not look for one.
        let asks = watching.filter(|part| !part.is_proxy());
        let bootstrap = asks.map_or(Bootstrap::Cached, |part| part.policies().bootstrap);
        let ask = watching.is_some();
        let (next, upcalls) = self.plugin.join(ctx, bootstrap, ask);
        self.take_upcalls(ctx, upcalls);
        self.go_on(ctx, next);
    }

    /// Joins through the proxy peer that the strategy has named.
    fn rejoin<C: NodeContext>(&mut self, ctx: &mut C) {
        let wanted = self.handover.as_deref_mut().and_then(|part| part.rejoin.take());
        if let Some(proxy) = wanted.filter(|_| self.plugin.is_member()) {
            let upcalls = self.plugin.join_through(ctx, proxy);
            self.take_upcalls(ctx, upcalls);
        }
    }

    fn go_on<C: NodeContext>(&mut self, ctx: &mut C, next: Next) {
        let (is_proxy, now) = (self.is_proxy(), ctx.now());
        let watching = self.handover.as_deref_mut().filter(|part| part.watches());
        match (next, watching) {
            (Next::Wait, _) => {}
            (Next::AskDiscovery, Some(handover)) if !is_proxy => {
                handover.procedure(ctx, &mut self.plugin);
            }
            // Nobody can be asked: everybody whom it knows has been gone for long.
            (_, asks)
                if (is_proxy || asks.is_none())
                    && self.plugin.has_waited(now, REJOIN_AFTER * 4) =>
            {
                let upcalls = self.plugin.found(ctx);
                self.take_upcalls(ctx, upcalls);
            }
            (Next::AskDiscovery, _) => {
                self.plugin.pause();
                ctx.set_after(NodeTimer::Join.into(), REJOIN_AFTER);
            }
            (Next::TryLater, _) => ctx.set_after(NodeTimer::Join.into(), REJOIN_AFTER),
        }
    }

    #[inline]
    fn take_upcalls<C: NodeContext>(&mut self, ctx: &mut C, upcalls: Upcalls) {
        if !upcalls.is_empty() {
            self.take_all_upcalls(ctx, upcalls);
        }
    }

    fn take_all_upcalls<C: NodeContext>(&mut self, ctx: &mut C, upcalls: Upcalls) {
        for upcall in upcalls {
            self.take_upcall(ctx, upcall);
        }
    }

    fn take_upcall<C: NodeContext>(&mut self, ctx: &mut C, upcall: Upcall) {
        match upcall {
            Upcall::Joined(_) => {
                let tested = self.plugin.joined();
                ctx.cancel(NodeTimer::Join.into());
                if let Some(handover) = &mut self.handover {
                    handover.joined(ctx, &mut self.plugin, tested);
                }
                self.with_user(ctx, |user, at| user.joined(at, false));
                self.with_server(ctx, |server, at| server.joined(at));
            }
            Upcall::JoinFailed => {
                let ask = self.handover.as_ref().is_some_and(|part| part.watches());
                let next = self.plugin.join_failed(ask);
                self.go_on(ctx, next);
            }
            Upcall::Isolated => {
                self.plugin.isolated(ctx.now());
                let stays = |part: &Handover| part.watches() || part.is_proxy();
                if !self.handover.as_deref().is_some_and(stays) {
                    self.join(ctx);
                }
            }
            Upcall::Got { id, record } => {
                if let Some(handover) = &mut self.handover {
                    handover.got(ctx, &mut self.plugin, id, record.as_ref());
                }
                self.with_user(ctx, |user, at| user.got(at, None, id, record.as_ref()));
                self.with_server(ctx, |server, at| server.got(at, id, record.as_ref()));
            }
            Upcall::PutDone { id, outcome } => {
                if let Some(handover) = &mut self.handover {
                    handover.put_done(ctx, &mut self.plugin, id, outcome);
                }
                self.with_user(ctx, |user, at| user.put_done(at, None, id, outcome));
                self.with_server(ctx, |server, at| server.put_done(at, id, outcome));
            }
            // Those of random keys are counted by the observer.
            Upcall::LookupDone { id, outcome, .. } => {
                if let Some(handover) = &mut self.handover {
                    handover.looked_up(ctx, &mut self.plugin, id, outcome.owner);
                }
            }
        }
    }

    /// A message of the overlay arrived that is small: such a one is sent from the port that it gets
    /// to.
    #[inline]
    pub fn receive_compact<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Compact,
    ) {
        if from.port != Port::OVERLAY {
            let message = plugin::Message::unpack(message.words());
            return self.receive_elsewhere(ctx, from, from.port, message);
        }
        if !self.plugin.dht.receive_compact(ctx, from, message) {
            self.receive_overlay(ctx, from, plugin::Message::unpack(message.words()));
        }
    }

    /// A message of the overlay arrived.
    #[inline]
    pub fn receive_overlay<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: plugin::Message,
    ) {
        let upcalls = self.plugin.dht.receive(ctx, from, message);
        self.take_upcalls(ctx, upcalls);
    }

    /// A message of any overlay arrived: the port says of which.
    fn receive_elsewhere<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        port: Port,
        message: plugin::Message,
    ) {
        if port == self.plugin.port() {
            if let plugin::Message::Description(message) = message {
                return self.described(ctx, from, &message);
            }
            return self.receive_overlay(ctx, from, message);
        }
        let Some(others) = self.plugin.others_mut() else { return };
        if let Some(place) = others.by_port(port) {
            let news = others.receive(ctx, place, from, message);
            self.take_news(ctx, news);
        }
    }

    /// Somebody asks what its own overlay is, or says something about its proxy peer.
    fn described<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &description::Message,
    ) {
        match (message, &mut self.handover) {
            (description::Message::Silent(..), Some(handover)) => {
                handover.alarmed(ctx, &mut self.plugin);
            }
            _ => self.plugin.tell_home(ctx, from, message),
        }
    }

    /// What happened in overlays beside its own.
    fn take_news<C: NodeContext>(&mut self, ctx: &mut C, news: NewsList) {
        for one in news {
            self.with_user(ctx, |user, at| match &one {
                News::In(place) => user.bridges(at, *place),
                News::Got(place, id, record) => user.got(at, Some(*place), *id, record.as_ref()),
                News::PutDone(place, id, outcome) => {
                    user.put_done(at, Some(*place), *id, *outcome);
                }
            });
        }
    }

    /// A message arrived at a port.
    pub fn receive<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        port: Port,
        message: Message,
    ) {
        match message {
            Message::Relayed(relayed) => self.receive(ctx, from, port, relayed.message),
            Message::Sip(_) | Message::Rtp(_) if port >= crate::turn::server::FIRST_PORT => {
                self.with_user(ctx, |user, at| user.receive_for_client(at, from, port, message));
            }
            Message::Turn(message) => {
                self.with_user(ctx, |user, at| user.receive_turn(at, from, port, *message));
            }
            Message::Rtp(packet) => self.with_user(ctx, |user, at| user.hear(at, &packet)),
            Message::Overlay(message) => self.receive_elsewhere(ctx, from, port, message),
            Message::Icmp(icmp) => self.receive_icmp(ctx, from, icmp),
            Message::Dns(message) => self.receive_dns(ctx, from, &message),
            Message::Sip(message) if self.server.is_some() => {
                self.with_server(ctx, |server, at| server.receive(at, from, message));
            }
            Message::Sip(message) => {
                self.with_user(ctx, |user, at| user.receive(at, from, message));
            }
            Message::Tcp(segment) => {
                if let Some(handover) = &mut self.handover {
                    handover.segment(ctx, &mut self.plugin, from, segment);
                }
            }
            // Members serve no zones.
            Message::DnsTcp(_) => {}
        }
    }

    /// A DNS response: the handover's and the user agent's resolvers know their own.
    fn receive_dns<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: &crate::dns::Message,
    ) {
        if self.with_server(ctx, |server, at| server.receive_dns(at, from, message)) {
            return;
        }
        if let Some(handover) = &mut self.handover {
            if matches!(message.kind, Kind::Update(_)) {
                return handover.update_answered(ctx, &mut self.plugin, from, message);
            }
            let names = handover.names();
            let ended = names.receive(&mut ctx.lift::<_, _, Observation>(), from, message);
            if let Some((asker, found)) = ended {
                return handover.resolved(ctx, &mut self.plugin, asker, found);
            }
        }
        self.with_user(ctx, |user, at| user.receive_dns(at, from, message));
    }

    fn receive_icmp<C: NodeContext>(&mut self, ctx: &mut C, from: Endpoint, icmp: Icmp) {
        match icmp {
            Icmp::EchoRequest(echo) => match &self.handover {
                Some(handover) => handover.echo_asked(ctx, from, echo),
                None => ctx.send(from, echo.reply().into()),
            },
            Icmp::EchoReply(echo) => {
                if let Some(handover) = &mut self.handover {
                    handover.echoed(ctx, &mut self.plugin, (from.address, echo), true);
                }
            }
            Icmp::Unreachable(error) => self.unreachable(ctx, error),
        }
    }

    fn unreachable<C: NodeContext>(&mut self, ctx: &mut C, error: Unreachable) {
        match (error.quoted, &mut self.handover) {
            (Quoted::Udp { destination: port, .. }, _) if port.is_overlay() => {
                let to = error.destination.at(port);
                if port != self.plugin.port() {
                    let Some(others) = self.plugin.others_mut() else { return };
                    let Some(place) = others.by_port(port) else { return };
                    let news = others.unreachable(ctx, place, to);
                    return self.take_news(ctx, news);
                }
                let upcalls = self.plugin.dht.unreachable(ctx, to);
                self.take_upcalls(ctx, upcalls);
            }
            (Quoted::Udp { destination: port @ Port::SIP, .. }, _) => {
                let to = error.destination.at(port);
                if !self.with_server(ctx, |server, at| server.unreachable(at, to)) {
                    self.with_user(ctx, |user, at| user.unreachable(at, to));
                }
            }
            (Quoted::Tcp { destination: port, .. }, Some(handover)) => {
                let event = TransportEvent::Unreachable(error.destination.at(port));
                handover.transport(ctx, &mut self.plugin, event);
            }
            (Quoted::Echo(echo), Some(handover)) => {
                handover.echoed(ctx, &mut self.plugin, (error.destination, echo), false);
            }
            // The stub resolver ignores errors, as glibc's unconnected sockets do.
            (Quoted::Udp { .. } | Quoted::Tcp { .. } | Quoted::Echo(_), _) => {}
        }
    }

    /// A timer went off.
    #[inline]
    pub fn timer<C: NodeContext>(&mut self, ctx: &mut C, timer: Timer) {
        match (timer, &mut self.handover) {
            (Timer::Overlay(timer), _) => {
                let upcalls = self.plugin.dht.timer(ctx, timer);
                self.take_upcalls(ctx, upcalls);
            }
            (Timer::Node(NodeTimer::Lookup), _) => self.look_up(ctx),
            (Timer::Node(NodeTimer::Join), _) => self.join(ctx),
            (Timer::Node(NodeTimer::Rejoin), _) => self.rejoin(ctx),
            (Timer::Node(NodeTimer::Relocate), _) if self.server.is_some() => {
                self.with_server(ctx, |server, at| server.renew(at));
            }
            (Timer::Sip(timer), _) if self.server.is_some() => {
                self.with_server(ctx, |server, at| server.timer(at, server::Timer::Sip(timer)));
            }
            (Timer::Locator(timer), _) if self.server.is_some() => {
                self.with_server(ctx, |server, at| server.timer(at, server::Timer::Stub(timer)));
            }
            (Timer::Node(NodeTimer::Relocate), _) => {
                self.with_user(ctx, |user, at| user.renew(at));
            }
            (Timer::Node(NodeTimer::Bridge), _) => {
                self.with_user(ctx, |user, at| user.renew_entries(at));
            }
            (Timer::Beside(place, timer), _) => {
                let Some(others) = self.plugin.others_mut() else { return };
                let news = others.timer(ctx, place, timer);
                self.take_news(ctx, news);
            }
            (Timer::Relay(line), _) => self.with_user(ctx, |user, at| user.relay_timer(at, line)),
            (Timer::Media, _) => self.with_user(ctx, |user, at| user.speak(at)),
            (Timer::Sip(timer), _) => self.with_user(ctx, |user, at| user.timer(at, timer)),
            (Timer::Locator(timer), _) => {
                self.with_user(ctx, |user, at| user.stub_timer(at, timer));
            }
            (Timer::Node(timer), Some(handover)) => {
                handover.own_timer(ctx, &mut self.plugin, timer);
            }
            (Timer::Stub(timer), Some(handover)) => {
                let ended = handover.names().timer(&mut ctx.lift::<_, _, Observation>(), timer);
                if let Some((asker, found)) = ended {
                    handover.resolved(ctx, &mut self.plugin, asker, found);
                }
            }
            (Timer::Client(timer), Some(handover)) => {
                handover.transport(ctx, &mut self.plugin, TransportEvent::ClientTimer(timer));
            }
            (Timer::Updater(timer), Some(handover)) => {
                handover.updater_timer(ctx, &mut self.plugin, timer);
            }
            (Timer::Tcp(timer), Some(handover)) => {
                handover.transport(ctx, &mut self.plugin, TransportEvent::TcpTimer(timer));
            }
            (
                Timer::Node(_)
                | Timer::Stub(_)
                | Timer::Client(_)
                | Timer::Updater(_)
                | Timer::Tcp(_),
                None,
            ) => unreachable!("only the handover part sets these"),
        }
    }
}
