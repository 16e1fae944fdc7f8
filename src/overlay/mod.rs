//! The overlay: what every DHT plug-in offers ([`Dht`]), and the plug-ins.
//!
//! The vocabulary follows RFC 6940 (RELOAD: join, leave, store, fetch, topology plug-in) and
//! Dabek et al., "Towards a common API for structured peer-to-peer overlays" (IPTPS 2003: route,
//! up-calls). A plug-in is a value driven through [`Context`]; what it has to tell its host is
//! returned as [`Upcalls`].
//!
//! * [`directory`]: positions on the ring, contacts.
//! * [`chord`], [`bamboo`], [`kademlia`]: the plug-ins.
//! * [`description`]: what overlay is this? Asked before a plug-in is created for it.
//! * [`plugin`]: all plug-ins as one type, and what a new one needs.
//! * [`records`], [`wire`]: what all plug-ins hold and send: records, and the parts of messages.
//! * [`ring`]: a checker that names what is broken in a ring.
//!
//! Not here: which node founds, which contacts a joiner knows, what is stored (the node's
//! discovery layer decides that).

pub mod bamboo;
pub mod chord;
#[cfg(test)]
mod conformance;
pub mod description;
pub mod directory;
pub mod kademlia;
mod phases;
pub mod plugin;
pub mod records;
pub mod ring;
pub mod wire;

pub use description::Description;
pub use directory::{Contact, Directory, Facts, NodeRef, RingId, SameId};
pub use plugin::{Kind, Plugin, PluginContext};

use smallvec::SmallVec;

use crate::address::Endpoint;
use crate::net::Payload;
use crate::rng::mix2;
use crate::sim::{Context, Timer};
use crate::time::{SimDuration, SimTime};

/// An overlay's identity: minted by its founder, inherited by whoever joins through a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OverlayId(pub u32);

impl OverlayId {
    /// What a node says that is in no overlay yet; never minted.
    pub const OUTSIDER: Self = Self(0);

    /// The identity of the overlay that this node founds now.
    #[must_use]
    pub const fn minted(founder: RingId, now: SimTime) -> Self {
        // Two overlays of a run coincide with probability 2^-32.
        Self((mix2(founder.0, now.as_nanos()) >> 32) as u32 | 1)
    }
}

/// What is stored under a key. There is one record a key: a higher version replaces a lower one,
/// and of two with the same version the first stays (an equal value renews its lifetime), so that
/// a version is won by one writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it is stored.
    pub key: RingId,
    /// The writer's version, such as the epoch of a proxy record.
    pub version: u64,
    /// For how long it stays without being renewed; whole seconds travel.
    pub lifetime: SimDuration,
    /// The application's octets, at most [`Record::MAX_VALUE`].
    pub value: Box<[u8]>,
}

impl Record {
    /// The longest value; one record fits an unfragmented datagram.
    pub const MAX_VALUE: usize = 1_024;
}

/// Names one look-up, put or get of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u32);

/// Names the look-ups, puts and gets of a node, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations(u32);

impl Operations {
    /// The name of the next one.
    pub const fn next(&mut self) -> OperationId {
        self.0 = self.0.wrapping_add(1);
        OperationId(self.0)
    }

    /// The next one, which ends at once with this.
    pub fn end(&mut self, how: impl FnOnce(OperationId) -> Upcall) -> (OperationId, Upcalls) {
        let id = self.next();
        (id, Upcalls::from_iter([how(id)]))
    }
}

/// How a look-up went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupOutcome {
    /// The node that owns the key, as the key's predecessor believes; `None` when the look-up
    /// failed.
    pub owner: Option<NodeRef>,
    /// Nodes asked on the way that answered (iterative), or that forwarded (recursive), up to and
    /// including the key's predecessor; 0 when the origin knew the owner itself.
    pub hops: u8,
    /// Nodes asked that did not answer.
    pub timeouts: u8,
    /// When it began.
    pub started: SimTime,
}

impl LookupOutcome {
    /// What the observer is told of the look-up of this key; whether it served the overlay itself.
    #[must_use]
    pub const fn observed(&self, key: RingId, maintenance: bool) -> Observation {
        let Self { hops, timeouts, owner, .. } = *self;
        Observation::LookupEnded { key, owner, hops, timeouts, maintenance }
    }
}

/// What became of a record that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The owner has it, and sends it on to its replicas.
    Stored,
    /// The owner holds a record of a higher version, or another of the same version.
    Outdated,
    /// No owner was found, or none answered.
    Failed,
}

/// What a plug-in tells its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// It is a member now.
    Joined(OverlayId),
    /// No bootstrap contact led into an overlay; the node is outside.
    JoinFailed,
    /// Every successor is gone. The node remains the only member of its ring, under the same
    /// identity, until its host lets it join anew: it can't tell whether the others died or it was
    /// cut off.
    Isolated,
    /// A look-up of the application ended.
    LookupDone {
        /// Which.
        id: OperationId,
        /// The key.
        key: RingId,
        /// How.
        outcome: LookupOutcome,
    },
    /// A put ended.
    PutDone {
        /// Which.
        id: OperationId,
        /// How.
        outcome: PutOutcome,
    },
    /// A get ended.
    Got {
        /// Which.
        id: OperationId,
        /// What was found, with the lifetime that remains; `None` when neither the owner nor a
        /// replica that answered has it.
        record: Option<Record>,
    },
}

/// Up-calls of one input; nearly always none, which costs nothing.
pub type Upcalls = SmallVec<[Upcall; 1]>;

/// What a plug-in lets the simulation's observer know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It is a member of this overlay.
    Member(OverlayId),
    /// It is in no overlay any more.
    NotMember,
    /// A look-up ended, its own or its application's.
    LookupEnded {
        /// The key.
        key: RingId,
        /// Its owner, if one was found.
        owner: Option<NodeRef>,
        /// Nodes on the way that answered or forwarded.
        hops: u8,
        /// Nodes that did not answer.
        timeouts: u8,
        /// Whether it served the overlay itself: a join, the repair of a finger.
        maintenance: bool,
    },
}

/// The context of a plug-in: its own types, and the directory.
pub trait DhtContext<D: Dht + ?Sized>:
    Context<Message = D::Message, Timer = D::Timer, Observation = D::Observation> + Facts
{
}

impl<D, C> DhtContext<D> for C
where
    D: Dht + ?Sized,
    C: Context<Message = D::Message, Timer = D::Timer, Observation = D::Observation> + Facts,
{
}

/// A distributed hash table, one node of it.
pub trait Dht {
    /// What it sends.
    type Message: Payload;
    /// Its timers.
    type Timer: Timer;
    /// What it lets the observer know.
    type Observation;

    /// This node's contact.
    fn me(&self) -> NodeRef;

    /// The overlay that it is a member of.
    fn identity(&self) -> Option<OverlayId>;

    /// Some nodes that it knows to be members, nearest first: what a host remembers for its next
    /// join.
    fn acquaintances(&self) -> Vec<NodeRef>;

    /// Whether it knows no other member.
    fn is_alone(&self) -> bool {
        self.acquaintances().is_empty()
    }

    /// Whether it answers a request that names this overlay: its own, or none.
    #[inline]
    fn serves(&self, overlay: OverlayId) -> bool {
        self.identity().is_some_and(|mine| overlay == mine || overlay == OverlayId::OUTSIDER)
    }

    /// Whether it owns a key, as far as its own tables tell; a node that is not sure does not.
    fn owns(&self, facts: &impl Facts, key: RingId) -> bool;

    /// Starts a node of an overlay that was created as a whole: sets its periodic timers, each at a
    /// uniform phase of its period, and reports membership.
    fn start(&mut self, ctx: &mut impl DhtContext<Self>);

    /// Founds an overlay of one.
    fn found(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls;

    /// Joins through one of these, tried in their order. Ends in [`Upcall::Joined`] or
    /// [`Upcall::JoinFailed`].
    fn join(&mut self, ctx: &mut impl DhtContext<Self>, bootstrap: &[Endpoint]) -> Upcalls;

    /// Leaves gracefully: tells the neighbours and hands its records over. Operations under way
    /// fail.
    fn leave(&mut self, ctx: &mut impl DhtContext<Self>) -> Upcalls;

    /// Finds the owner of a key.
    fn lookup(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls);

    /// Stores a record with its owner and the owner's replicas.
    fn put(&mut self, ctx: &mut impl DhtContext<Self>, record: Record) -> (OperationId, Upcalls);

    /// Fetches the record of a key.
    fn get(&mut self, ctx: &mut impl DhtContext<Self>, key: RingId) -> (OperationId, Upcalls);

    /// A message arrives.
    fn receive(
        &mut self,
        ctx: &mut impl DhtContext<Self>,
        from: Endpoint,
        message: Self::Message,
    ) -> Upcalls;

    /// A timer goes off.
    fn timer(&mut self, ctx: &mut impl DhtContext<Self>, timer: Self::Timer) -> Upcalls;

    /// The network says that nobody is at an endpoint: as good as a time-out, only sooner.
    fn unreachable(&mut self, ctx: &mut impl DhtContext<Self>, endpoint: Endpoint) -> Upcalls;
}
