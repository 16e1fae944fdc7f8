//! The overlays beside a node's own that it takes part in as well, each through a plug-in of its
//! own: what the paper asks of plug-in management, step by step.
//!
//! * *Detection*: the node asks a member that it knows of, by address, what overlay that is
//!   ([`description`]).
//! * *Verification*: name, plug-in and length of identifiers must be those that its own plug-in has
//!   ([`Description::verify`]). If they are not, no plug-in is created, and the node leaves that
//!   overlay alone until it restarts.
//! * *Creation*: a plug-in with the overlay's parameters, under a contact of its own.
//! * *Control*: it joins, tries again when nobody lets it in, joins anew when all its neighbours
//!   are gone, and leaves with the node.
//!
//! Each overlay has a port of its own, on all its members: what arrives from that port is for its
//! plug-in. What a plug-in of another overlay tells the observer is nobody's concern: truth is
//! about the node's own overlay.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::address::{Endpoint, Port};
use crate::overcord::message::{BesideTimer, Timer};
use crate::overcord::node::NodeContext;
use crate::overcord::overlay_repository::OverlayRepository;
use crate::overcord::plugin_management::REJOIN_AFTER;
use crate::overlay::description::{self, Description, Mismatch};
use crate::overlay::{
    self, Contact, Facts, NodeRef, OperationId, Plugin, Record, RingId, Upcall, Upcalls, plugin,
};
use crate::rng::Dice;
use crate::sim::Context;
use crate::time::{SimDuration, SimTime};

/// How long a node waits for a member to say what overlay it is in: as for any request of Chord.
const PATIENCE: SimDuration = SimDuration::from_millis(1_500);

/// One of the overlays beside a node's own, by its place in the node's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u8);

/// An overlay that a node is configured for.
#[derive(Debug)]
pub struct Known {
    /// What it is.
    pub description: Description,
    /// The plug-in for it with its parameters.
    pub plugin: plugin::Config,
    /// The port of its members.
    pub port: Port,
}

/// The overlays that a node knows besides the one of its own plug-in.
#[derive(Debug)]
pub struct Others {
    /// Its own overlay, in its own words.
    pub home: Arc<Known>,
    list: Vec<Beside>,
}

/// One overlay beside the node's own.
#[derive(Debug)]
pub struct Beside {
    known: Arc<Known>,
    /// The node's contact there.
    me: NodeRef,
    repository: OverlayRepository,
    stage: Stage,
    /// Names the last question.
    token: u16,
    dice: Dice,
}

/// How far the node has come into it.
#[derive(Debug)]
enum Stage {
    /// Nobody answered, or let it in: it will try again.
    Waiting,
    /// It asked this one what overlay that is, and would ask these next.
    Asking(Endpoint, Vec<NodeRef>),
    /// It is not the overlay that the plug-in is for.
    Refused(Mismatch),
    /// The plug-in tries to get in.
    Joining(Box<Plugin>),
    /// It is in.
    Member(Box<Plugin>),
}

/// What concerns the rest of the node.
#[derive(Debug)]
pub enum News {
    /// The node is a member there now.
    In(Place),
    /// A get ended there.
    Got(Place, OperationId, Option<Record>),
    /// A put ended there.
    PutDone(Place, OperationId, overlay::PutOutcome),
}

/// News of one input; nearly always none.
pub type NewsList = SmallVec<[News; 1]>;

/// The node's context as that of the plug-in at a place.
struct Through<'a, C> {
    node: &'a mut C,
    place: Place,
}

impl<C: NodeContext> Context for Through<'_, C> {
    type Message = plugin::Message;
    type Timer = plugin::Timer;
    type Observation = overlay::Observation;

    fn now(&self) -> SimTime {
        self.node.now()
    }
    fn send(&mut self, to: Endpoint, message: plugin::Message) {
        self.node.send(to, message.into());
    }
    fn set(&mut self, timer: plugin::Timer, at: SimTime) {
        self.node.set(Timer::Beside(self.place, BesideTimer::Plugin(timer)), at);
    }
    fn cancel(&mut self, timer: plugin::Timer) {
        self.node.cancel(Timer::Beside(self.place, BesideTimer::Plugin(timer)));
    }
    fn observe(&mut self, _: overlay::Observation) {}
}

impl<C: Facts> Facts for Through<'_, C> {
    fn contact(&self, node: NodeRef) -> Contact {
        self.node.contact(node)
    }
}

impl Others {
    /// Knows its own overlay and these.
    #[must_use]
    pub fn new(home: Arc<Known>, list: Vec<Beside>) -> Self {
        assert!(list.len() <= usize::from(u8::MAX), "a place is an octet");
        Self { home, list }
    }

    /// The places of all.
    fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.list.len() as u8).map(Place)
    }

    fn at(&mut self, place: Place) -> &mut Beside {
        &mut self.list[usize::from(place.0)]
    }

    /// The overlay whose members have this port.
    #[must_use]
    pub fn by_port(&self, port: Port) -> Option<Place> {
        self.places().find(|place| self.list[usize::from(place.0)].known.port == port)
    }

    /// The overlay of this domain, if the node is a member there.
    #[must_use]
    pub fn by_domain(&self, domain: &str) -> Option<Place> {
        self.places().find(|place| {
            let beside = &self.list[usize::from(place.0)];
            matches!(beside.stage, Stage::Member(_)) && *beside.known.description.domain == *domain
        })
    }

    /// What the overlay at a place is.
    #[must_use]
    pub fn description(&self, place: Place) -> &Description {
        &self.list[usize::from(place.0)].known.description
    }

    /// Why the node does not join the overlay at a place, if it found that out.
    #[must_use]
    pub fn refusal(&self, place: Place) -> Option<&Mismatch> {
        match &self.list[usize::from(place.0)].stage {
            Stage::Refused(mismatch) => Some(mismatch),
            _ => None,
        }
    }

    /// The node starts: it tries to get into each.
    pub fn begin<C: NodeContext>(&mut self, ctx: &mut C) {
        for place in self.places() {
            self.at(place).detect(ctx, place);
        }
    }

    /// The node leaves.
    pub fn leave<C: NodeContext>(&mut self, ctx: &mut C) {
        for place in self.places() {
            if let Stage::Member(plugin) | Stage::Joining(plugin) = &mut self.at(place).stage {
                // Operations that fail with the leave concern nobody any more.
                let _ = plugin.leave(&mut Through { node: ctx, place });
            }
        }
    }

    /// A message of the overlay at a place arrived.
    pub fn receive<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        from: Endpoint,
        message: plugin::Message,
    ) -> NewsList {
        let beside = self.at(place);
        match (&mut beside.stage, message) {
            (_, plugin::Message::Description(message)) => {
                beside.described(ctx, place, from, *message)
            }
            (Stage::Joining(plugin) | Stage::Member(plugin), message) => {
                let upcalls = plugin.receive(&mut Through { node: ctx, place }, from, message);
                beside.take(ctx, place, upcalls)
            }
            _ => NewsList::new(),
        }
    }

    /// A timer of the overlay at a place went off.
    pub fn timer<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        timer: BesideTimer,
    ) -> NewsList {
        let beside = self.at(place);
        match (&mut beside.stage, timer) {
            (Stage::Joining(plugin) | Stage::Member(plugin), BesideTimer::Plugin(timer)) => {
                let upcalls = plugin.timer(&mut Through { node: ctx, place }, timer);
                return beside.take(ctx, place, upcalls);
            }
            (Stage::Asking(_, rest), BesideTimer::Retry) => {
                let rest = std::mem::take(rest);
                beside.ask(ctx, place, rest);
            }
            (Stage::Waiting, BesideTimer::Retry) => beside.detect(ctx, place),
            _ => {}
        }
        NewsList::new()
    }

    /// Nobody is at an endpoint of the overlay at a place.
    pub fn unreachable<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        endpoint: Endpoint,
    ) -> NewsList {
        let beside = self.at(place);
        match &mut beside.stage {
            Stage::Joining(plugin) | Stage::Member(plugin) => {
                let upcalls = plugin.unreachable(&mut Through { node: ctx, place }, endpoint);
                beside.take(ctx, place, upcalls)
            }
            Stage::Asking(asked, rest) if *asked == endpoint => {
                let rest = std::mem::take(rest);
                beside.ask(ctx, place, rest);
                NewsList::new()
            }
            _ => NewsList::new(),
        }
    }

    /// Fetches a record there; `None` while the node is no member.
    pub fn get<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        key: RingId,
    ) -> Option<(OperationId, Upcalls)> {
        match &mut self.at(place).stage {
            Stage::Member(plugin) => Some(plugin.get(&mut Through { node: ctx, place }, key)),
            _ => None,
        }
    }

    /// Stores a record there; `None` while the node is no member.
    pub fn put<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        record: Record,
    ) -> Option<(OperationId, Upcalls)> {
        match &mut self.at(place).stage {
            Stage::Member(plugin) => Some(plugin.put(&mut Through { node: ctx, place }, record)),
            _ => None,
        }
    }
}

impl Beside {
    /// An overlay that the node is to join under this contact, of which it knows these members.
    #[must_use]
    pub fn new(
        known: Arc<Known>,
        me: NodeRef,
        peers: impl IntoIterator<Item = NodeRef>,
        dice: Dice,
    ) -> Self {
        let repository = OverlayRepository::with_peers(peers);
        Self { known, me, repository, stage: Stage::Waiting, token: 0, dice }
    }

    /// Finds out what overlay that is, from any of the members that it knows.
    fn detect<C: NodeContext>(&mut self, ctx: &mut C, place: Place) {
        let peers = self.repository.candidates(self.me, &mut self.dice);
        self.ask(ctx, place, peers);
    }

    /// Asks the last of these, or waits if there is none.
    fn ask<C: NodeContext>(&mut self, ctx: &mut C, place: Place, mut peers: Vec<NodeRef>) {
        let Some(peer) = peers.pop() else { return self.wait(ctx, place) };
        let to = ctx.contact(peer).endpoint;
        self.token = self.token.wrapping_add(1);
        let question = description::Message::Question(self.token, self.known.description.kind);
        ctx.send(to, plugin::Message::from(question).into());
        ctx.set_after(Timer::Beside(place, BesideTimer::Retry), PATIENCE);
        self.stage = Stage::Asking(to, peers);
    }

    fn wait<C: NodeContext>(&mut self, ctx: &mut C, place: Place) {
        self.stage = Stage::Waiting;
        ctx.set_after(Timer::Beside(place, BesideTimer::Retry), REJOIN_AFTER);
    }

    /// A question about this overlay, or the answer to its own.
    fn described<C: NodeContext>(
        &mut self,
        ctx: &mut C,
        place: Place,
        from: Endpoint,
        message: description::Message,
    ) -> NewsList {
        match (message, &self.stage) {
            (description::Message::Question(token, _), Stage::Member(plugin)) => {
                answer(ctx, from, token, plugin, &self.known);
            }
            (description::Message::Answer(token, _, told), Stage::Asking(asked, _))
                if *asked == from && token == self.token =>
            {
                ctx.cancel(Timer::Beside(place, BesideTimer::Retry));
                match self.known.description.verify(&told) {
                    Ok(()) => return self.create(ctx, place, from),
                    Err(mismatch) => self.stage = Stage::Refused(mismatch),
                }
            }
            _ => {}
        }
        NewsList::new()
    }

    /// Creates the plug-in, which joins through this member.
    fn create<C: NodeContext>(&mut self, ctx: &mut C, place: Place, through: Endpoint) -> NewsList {
        let id = ctx.contact(self.me).id;
        let mut plugin = Box::new(self.known.plugin.node(self.me, id));
        let upcalls = plugin.join(&mut Through { node: ctx, place }, &[through]);
        self.stage = Stage::Joining(plugin);
        self.take(ctx, place, upcalls)
    }

    fn take<C: NodeContext>(&mut self, ctx: &mut C, place: Place, upcalls: Upcalls) -> NewsList {
        let mut news = NewsList::new();
        for upcall in upcalls {
            match upcall {
                Upcall::Joined(_) => {
                    if let Stage::Joining(plugin) =
                        std::mem::replace(&mut self.stage, Stage::Waiting)
                    {
                        self.stage = Stage::Member(plugin);
                        news.push(News::In(place));
                    }
                }
                Upcall::JoinFailed => self.wait(ctx, place),
                Upcall::Isolated => {
                    if let Stage::Member(mut plugin) =
                        std::mem::replace(&mut self.stage, Stage::Waiting)
                    {
                        for peer in plugin.acquaintances() {
                            self.repository.remember(peer);
                        }
                        // What it was asked for fails: nobody else would end that, and the plug-in
                        // that follows counts its operations from one again.
                        let ended = plugin.leave(&mut Through { node: ctx, place });
                        news.extend(self.take(ctx, place, ended));
                    }
                    self.wait(ctx, place);
                }
                Upcall::Got { id, record } => news.push(News::Got(place, id, record)),
                Upcall::PutDone { id, outcome } => news.push(News::PutDone(place, id, outcome)),
                Upcall::LookupDone { .. } => {}
            }
        }
        news
    }
}

/// Tells what overlay this is, as a member of it.
pub fn answer<C: NodeContext>(
    ctx: &mut C,
    to: Endpoint,
    token: u16,
    plugin: &Plugin,
    known: &Known,
) {
    let Some(identity) = plugin.identity() else { return };
    let told = description::Message::Answer(token, identity, known.description.clone());
    ctx.send(to, plugin::Message::from(told).into());
}
