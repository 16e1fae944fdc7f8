//! The DHT plug-ins that a node can run, as one type ([`Plugin`]): what the node, the world and the
//! scenario hold without knowing which it is.
//!
//! # What a new plug-in needs
//!
//! 1. A module of its own in this layer: a value that is a [`Dht`], messages that are a
//!    [`Payload`] (with a [`Protocol`](crate::net::Protocol) of their own in the ledger), timers
//!    whose most frequent ones have the slots below [`Timer::FREQUENT`], parameters, and a function
//!    that makes a converged overlay at once, such as [`chord::converged`](fn@chord::converged).
//! 2. Here: a variant, boxed, in each of [`Kind`], [`Plugin`], [`Message`], [`Timer`] and
//!    [`Config`] ([`Timer::SLOTS`] is the most that any has), two `From`s, an arm in `each!`, and
//!    one in every other `match` (the compiler names them).
//! 3. In `world::log`: its messages in words.
//! 4. In the scenario: a word in `file::Plugin`, a table in `file::Overlay`, its checked form in
//!    `PluginPlan`, and the step between each: file → check → plan → effective → build.
//!
//! Nothing else asks which plug-in a node runs, but for two places: Chord's small messages travel
//! inside events ([`Payload::pack`]) and reach it unopened ([`Plugin::receive_compact`]); and its
//! nodes stand in their host itself, where others are behind a pointer. A plug-in whose messages
//! are to travel inside events too takes kinds from 16 on, in the highest octet of the first word,
//! and asks for them wherever [`Message`] is made of words.
//!
//! Not here: which plug-in a scenario asks for; the way into the overlay (the node's plug-in
//! management).

mod kind;
mod owner;

pub use kind::Kind;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::address::{Endpoint, Port};
use crate::net::payload::Account;
use crate::net::{Class, Packed, Payload, Transport, Words};
use crate::overlay::bamboo::{self, Bamboo, BambooTimer};
use crate::overlay::chord::{self, Chord, ChordTimer, Compact};
use crate::overlay::description;
use crate::overlay::directory::SameId;
use crate::overlay::kademlia::{self, Kademlia, KademliaTimer};
use crate::overlay::ring::View;
use crate::overlay::{
    Dht, Facts, NodeRef, Observation, OperationId, OverlayId, Record, RingId, Upcalls,
};
use crate::sim::{self, Context};
use crate::time::{SimDuration, SimTime};

/// One node of a distributed hash table.
#[derive(Clone, Debug)]
pub enum Plugin {
    /// Chord, not behind a pointer: three lines of the cache, which nearly every event needs.
    Chord(Chord),
    /// Bamboo.
    Bamboo(Box<Bamboo>),
    /// Kademlia.
    Kademlia(Box<Kademlia>),
}

/// A message of any plug-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Chord's.
    Chord(chord::Message),
    /// Bamboo's.
    Bamboo(Box<bamboo::Message>),
    /// Kademlia's.
    Kademlia(Box<kademlia::Message>),
    /// About the overlay itself, whichever plug-in it runs: for the node's plug-in management.
    Description(Box<description::Message>),
}

/// A timer of any plug-in. A node runs one of them in this place, so they share slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Chord's.
    Chord(ChordTimer),
    /// Bamboo's.
    Bamboo(BambooTimer),
    /// Kademlia's.
    Kademlia(KademliaTimer),
}

impl Timer {
    /// How many of the first slots are those of timers that are set all the time.
    pub const FREQUENT: u32 = ChordTimer::FREQUENT;
    /// How many slots a plug-in has at most.
    pub const SLOTS: u32 = BambooTimer::SLOTS;
}

const _: () = assert!(ChordTimer::SLOTS <= Timer::SLOTS, "no plug-in has more");

/// What all nodes of an overlay agree on: the plug-in and its parameters, shared by them.
#[derive(Clone, Debug)]
pub enum Config {
    /// Chord with these.
    Chord(Arc<chord::Config>),
    /// Bamboo with these.
    Bamboo(Arc<bamboo::Config>),
    /// Kademlia with these.
    Kademlia(Arc<kademlia::Config>),
}

/// Does the same with whichever plug-in it is.
macro_rules! each {
    ($plugin:expr, $dht:ident => $act:expr) => {
        match $plugin {
            Plugin::Chord($dht) => $act,
            Plugin::Bamboo($dht) => $act,
            Plugin::Kademlia($dht) => $act,
        }
    };
}

/// The context of whatever holds a plug-in: its messages, timers and observations include those of
/// all plug-ins.
pub trait PluginContext:
    Context<Message: From<Message>, Timer: From<Timer>, Observation: From<Observation>> + Facts
{
}

impl<C> PluginContext for C where
    C: Context<Message: From<Message>, Timer: From<Timer>, Observation: From<Observation>> + Facts
{
}

/// Such a context as that of one plug-in with these messages and timers.
struct Spoken<'a, C, M, T> {
    holder: &'a mut C,
    plugin: PhantomData<fn(M, T)>,
}

impl<'a, C, M, T> Spoken<'a, C, M, T> {
    #[inline(always)]
    fn by(holder: &'a mut C) -> Self {
        Self { holder, plugin: PhantomData }
    }
}

impl<C, M, T> Context for Spoken<'_, C, M, T>
where
    C: PluginContext,
    Message: From<M>,
    T: sim::Timer,
    Timer: From<T>,
{
    type Message = M;
    type Timer = T;
    type Observation = Observation;

    #[inline]
    fn now(&self) -> SimTime {
        self.holder.now()
    }
    #[inline(always)]
    fn send(&mut self, to: Endpoint, message: M) {
        self.holder.send(to, Message::from(message).into());
    }
    #[inline(always)]
    fn set(&mut self, timer: T, at: SimTime) {
        self.holder.set(Timer::from(timer).into(), at);
    }
    #[inline(always)]
    fn cancel(&mut self, timer: T) {
        self.holder.cancel(Timer::from(timer).into());
    }
    #[inline]
    fn observe(&mut self, observation: Observation) {
        self.holder.observe(observation.into());
    }
}

impl<C: Facts, M, T> Facts for Spoken<'_, C, M, T> {
    #[inline]
    fn contact(&self, node: NodeRef) -> crate::overlay::Contact {
        self.holder.contact(node)
    }
}

/// What a [`Dht`] offers, under the same names.
impl Plugin {
    /// This node's contact.
    #[must_use]
    pub fn me(&self) -> NodeRef {
        each!(self, dht => dht.me())
    }

    /// The overlay that it is a member of.
    #[must_use]
    pub fn identity(&self) -> Option<OverlayId> {
        each!(self, dht => dht.identity())
    }

    /// Some nodes that it knows to be members, nearest first.
    #[must_use]
    pub fn acquaintances(&self) -> Vec<NodeRef> {
        each!(self, dht => dht.acquaintances())
    }

    /// Whether it knows no other member.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        each!(self, dht => dht.is_alone())
    }

    /// Which plug-in it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Chord(_) => Kind::Chord,
            Self::Bamboo(_) => Kind::Bamboo,
            Self::Kademlia(_) => Kind::Kademlia,
        }
    }

    /// Whether it owns a key, as far as its own tables tell.
    #[must_use]
    pub fn owns(&self, facts: &impl Facts, key: RingId) -> bool {
        each!(self, dht => dht.owns(facts, key))
    }

    /// Founds an overlay of one.
    pub fn found<C: PluginContext>(&mut self, ctx: &mut C) -> Upcalls {
        each!(self, dht => dht.found(&mut Spoken::by(ctx)))
    }

    /// Starts a node of an overlay that was created as a whole.
    pub fn start<C: PluginContext>(&mut self, ctx: &mut C) {
        each!(self, dht => dht.start(&mut Spoken::by(ctx)));
    }

    /// Joins through one of these.
    pub fn join<C: PluginContext>(&mut self, ctx: &mut C, bootstrap: &[Endpoint]) -> Upcalls {
        each!(self, dht => dht.join(&mut Spoken::by(ctx), bootstrap))
    }

    /// Leaves gracefully.
    pub fn leave<C: PluginContext>(&mut self, ctx: &mut C) -> Upcalls {
        each!(self, dht => dht.leave(&mut Spoken::by(ctx)))
    }

    /// Finds the owner of a key.
    pub fn lookup<C: PluginContext>(&mut self, ctx: &mut C, key: RingId) -> (OperationId, Upcalls) {
        each!(self, dht => dht.lookup(&mut Spoken::by(ctx), key))
    }

    /// Stores a record.
    pub fn put<C: PluginContext>(&mut self, ctx: &mut C, record: Record) -> (OperationId, Upcalls) {
        each!(self, dht => dht.put(&mut Spoken::by(ctx), record))
    }

    /// Fetches the record of a key.
    pub fn get<C: PluginContext>(&mut self, ctx: &mut C, key: RingId) -> (OperationId, Upcalls) {
        each!(self, dht => dht.get(&mut Spoken::by(ctx), key))
    }

    /// A message arrives. One of another plug-in, which came to an address that another node had
    /// before, is ignored.
    #[inline]
    pub fn receive<C: PluginContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Message,
    ) -> Upcalls {
        match (self, message) {
            (Self::Chord(chord), Message::Chord(message)) => {
                chord.receive(&mut Spoken::by(ctx), from, message)
            }
            // The plug-in management takes these.
            (_, Message::Description(_)) => Upcalls::new(),
            (Self::Bamboo(bamboo), Message::Bamboo(message)) => {
                bamboo.receive(&mut Spoken::by(ctx), from, *message)
            }
            (Self::Kademlia(kademlia), Message::Kademlia(message)) => {
                kademlia.receive(&mut Spoken::by(ctx), from, *message)
            }
            (Self::Chord(_) | Self::Bamboo(_) | Self::Kademlia(_), _) => Upcalls::new(),
        }
    }

    /// Takes a message that travelled inside an event, as it comes, if it is one of those that are
    /// most frequent and of which the host need not hear. Whether it was one; any other is to be
    /// [received](Plugin::receive).
    #[inline]
    pub fn receive_compact<C: PluginContext>(
        &mut self,
        ctx: &mut C,
        from: Endpoint,
        message: Compact,
    ) -> bool {
        match self {
            Self::Chord(chord) => chord.receive_compact(&mut Spoken::by(ctx), from, message),
            Self::Bamboo(_) | Self::Kademlia(_) => false,
        }
    }

    /// A timer goes off.
    #[inline]
    pub fn timer<C: PluginContext>(&mut self, ctx: &mut C, timer: Timer) -> Upcalls {
        match (self, timer) {
            (Self::Chord(chord), Timer::Chord(timer)) => chord.timer(&mut Spoken::by(ctx), timer),
            (Self::Bamboo(bamboo), Timer::Bamboo(timer)) => {
                bamboo.timer(&mut Spoken::by(ctx), timer)
            }
            (Self::Kademlia(kademlia), Timer::Kademlia(timer)) => {
                kademlia.timer(&mut Spoken::by(ctx), timer)
            }
            (Self::Chord(_) | Self::Bamboo(_) | Self::Kademlia(_), _) => Upcalls::new(),
        }
    }

    /// The network says that nobody is at an endpoint.
    pub fn unreachable<C: PluginContext>(&mut self, ctx: &mut C, endpoint: Endpoint) -> Upcalls {
        each!(self, dht => dht.unreachable(&mut Spoken::by(ctx), endpoint))
    }
}

/// What the world asks of a plug-in besides.
impl Plugin {
    /// What the ring checker wants to know of a member; `None` where members form no ring.
    #[must_use]
    pub fn view(&self) -> Option<View<'_>> {
        match self {
            Self::Chord(chord) => Some(chord.view()),
            Self::Bamboo(bamboo) => Some(bamboo.view()),
            Self::Kademlia(_) => None,
        }
    }

    /// Reads from where the node is, so that it is in the cache soon; what is read means nothing.
    #[must_use]
    #[inline]
    pub fn touch(&self) -> u32 {
        match self {
            Self::Chord(chord) => chord.touch(),
            Self::Bamboo(bamboo) => bamboo.me().index(),
            Self::Kademlia(kademlia) => kademlia.me().index(),
        }
    }

    /// The same for what a look-up needs that passes through.
    #[must_use]
    #[inline]
    pub fn touch_passage(&self) -> u32 {
        match self {
            Self::Chord(chord) => chord.touch_passage(),
            Self::Bamboo(bamboo) => bamboo.me().index(),
            Self::Kademlia(kademlia) => kademlia.me().index(),
        }
    }
}

impl Config {
    /// The plug-in.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Chord(_) => Kind::Chord,
            Self::Bamboo(_) => Kind::Bamboo,
            Self::Kademlia(_) => Kind::Kademlia,
        }
    }

    /// Bits of an identifier.
    #[must_use]
    pub fn id_bits(&self) -> u8 {
        match self {
            Self::Chord(config) => config.id_bits,
            Self::Bamboo(config) => config.id_bits,
            Self::Kademlia(config) => config.id_bits,
        }
    }

    /// After this span without joins and leaves, times some rounds, the overlay has repaired
    /// whatever it repairs by itself.
    #[must_use]
    pub fn round(&self) -> SimDuration {
        match self {
            Self::Chord(config) => config.stabilize,
            Self::Bamboo(config) => config.leaf_exchange,
            Self::Kademlia(config) => config.refresh,
        }
    }

    /// A node that is in no overlay yet; `id` is its contact's position.
    #[must_use]
    pub fn node(&self, me: NodeRef, id: RingId) -> Plugin {
        match self {
            Self::Chord(config) => Plugin::Chord(Chord::new(me, id, Arc::clone(config))),
            Self::Bamboo(config) => Bamboo::new(me, id, Arc::clone(config)).into(),
            Self::Kademlia(config) => Kademlia::new(me, id, Arc::clone(config)).into(),
        }
    }

    /// The nodes of an overlay as it would be if nobody had come or gone for long, in the order
    /// given. Each is to be [started](Plugin::start).
    ///
    /// # Errors
    /// When two have the same position.
    pub fn converged(&self, nodes: &[NodeRef], facts: &impl Facts) -> Result<Vec<Plugin>, SameId> {
        Ok(match self {
            Self::Chord(config) => {
                chord::converged(nodes, facts, config)?.into_iter().map(Plugin::Chord).collect()
            }
            Self::Bamboo(config) => {
                bamboo::converged(nodes, facts, config)?.into_iter().map(Plugin::from).collect()
            }
            Self::Kademlia(config) => {
                kademlia::converged(nodes, facts, config)?.into_iter().map(Plugin::from).collect()
            }
        })
    }
}

impl From<Chord> for Plugin {
    fn from(chord: Chord) -> Self {
        Self::Chord(chord)
    }
}

impl From<Bamboo> for Plugin {
    fn from(bamboo: Bamboo) -> Self {
        Self::Bamboo(Box::new(bamboo))
    }
}

impl From<Kademlia> for Plugin {
    fn from(kademlia: Kademlia) -> Self {
        Self::Kademlia(Box::new(kademlia))
    }
}

impl From<kademlia::Message> for Message {
    fn from(message: kademlia::Message) -> Self {
        Self::Kademlia(Box::new(message))
    }
}

impl From<KademliaTimer> for Timer {
    fn from(timer: KademliaTimer) -> Self {
        Self::Kademlia(timer)
    }
}

impl From<bamboo::Message> for Message {
    fn from(message: bamboo::Message) -> Self {
        Self::Bamboo(Box::new(message))
    }
}

impl From<BambooTimer> for Timer {
    fn from(timer: BambooTimer) -> Self {
        Self::Bamboo(timer)
    }
}

impl From<description::Message> for Message {
    fn from(message: description::Message) -> Self {
        Self::Description(Box::new(message))
    }
}

impl From<chord::Message> for Message {
    #[inline(always)]
    fn from(message: chord::Message) -> Self {
        Self::Chord(message)
    }
}

impl From<ChordTimer> for Timer {
    #[inline(always)]
    fn from(timer: ChordTimer) -> Self {
        Self::Chord(timer)
    }
}

impl sim::Timer for Timer {
    #[inline(always)]
    fn slot(self) -> u32 {
        match self {
            Self::Chord(timer) => timer.slot(),
            Self::Bamboo(timer) => timer.slot(),
            Self::Kademlia(timer) => timer.slot(),
        }
    }
}

impl Payload for Message {
    #[inline(always)]
    fn pack(self) -> Packed<Self> {
        match self {
            Self::Chord(chord::Message::Small(small)) => {
                // It holds nothing that is to be dropped, which only this place can know.
                std::mem::forget(self);
                Packed::Hot(Compact::from(small).words())
            }
            cold => Packed::Cold(cold),
        }
    }

    fn unpack(words: Words) -> Self {
        Self::Chord(chord::Message::unpack(words))
    }

    #[inline]
    fn transport(&self) -> Transport {
        Transport::Udp
    }

    #[inline]
    fn source_port(&self) -> Port {
        Port::OVERLAY
    }

    #[inline]
    fn wire_len(&self) -> u32 {
        match self {
            Self::Chord(message) => message.wire_len(),
            Self::Bamboo(message) => message.wire_len(),
            Self::Kademlia(message) => message.wire_len(),
            Self::Description(message) => message.wire_len(),
        }
    }

    #[inline]
    fn class(&self) -> Class {
        match self {
            Self::Chord(message) => message.class(),
            Self::Bamboo(message) => message.class(),
            Self::Kademlia(message) => message.class(),
            Self::Description(message) => message.class(),
        }
    }

    #[inline]
    fn digest(&self) -> u64 {
        match self {
            Self::Chord(message) => message.digest(),
            Self::Bamboo(message) => message.digest(),
            Self::Kademlia(message) => message.digest(),
            Self::Description(message) => message.digest(),
        }
    }

    #[inline(always)]
    fn hot_account(words: Words) -> Account {
        chord::Message::hot_account(words)
    }

    #[inline]
    fn hot_source_port(words: Words) -> Port {
        chord::Message::hot_source_port(words)
    }

    #[inline]
    fn hot_digest(words: Words) -> u64 {
        chord::Message::hot_digest(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enums_cost_chord_nothing() {
        assert_eq!(size_of::<Plugin>(), size_of::<Chord>());
        assert_eq!(size_of::<Message>(), size_of::<chord::Message>());
        assert!(size_of::<Timer>() <= 4);
    }
}
