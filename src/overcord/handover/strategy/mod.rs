//! What decides about the proxy role: one interface for all handover strategies.
//!
//! A [`Strategy`] performs nothing. It is told what has happened to its node ([`Event`]) and
//! answers with what the node has to do, in this order ([`Move`]); the [`Handover`] carries that
//! out, and knows nothing of strategies. So a strategy is a small state machine without a network,
//! and a new one needs no change of the node.
//!
//! * [`Paper`]: the paper's own, with its [policies](crate::overcord::policy): `dyndns`.
//! * [`Lease`]: ours: claims are confirmed, and won in the overlay.
//! * [`Standby`]: ours: several play, as an SRV set.
//! * [`Commanded`]: nodes that look after nothing and play when they are told to: `static`, and the
//!   bounds, whose takeovers the world's Director commands.
//!
//! Not here: how an update travels, what a procedure of the discovery layer tests, how a node comes
//! into its overlay. They are the same for all.
//!
//! [`Handover`]: super::Handover

mod lease;
mod paper;
mod peer_set;
mod standby;
#[cfg(test)]
mod tests;

pub use lease::Lease;
pub use paper::Paper;
pub use peer_set::PeerSet;
pub use standby::Standby;

use std::fmt;

use smallvec::SmallVec;

use crate::address::Address;
use crate::overcord::discovery::{Resolution, Test};
use crate::overcord::handover::Settings;
use crate::overcord::handover::update::Wanted;
use crate::overcord::resource_database::{Epoch, LIFETIME};
use crate::overlay::PutOutcome;
use crate::time::{SimDuration, SimTime};

/// What decides about the proxy role in one node.
pub trait Strategy: fmt::Debug + Send + Sync {
    /// The strategy as it is when a node starts: every life of every node has its own.
    fn fresh(&self) -> Box<dyn Strategy>;

    /// Whether its nodes look after the role by themselves: they run the discovery layer's
    /// procedure when they have joined and then regularly, and join through the proxy peer when
    /// nobody whom they remember lets them in. Otherwise they play when they are told to.
    fn watches(&self) -> bool {
        true
    }

    /// How long test 1 of a procedure is waited for at most, if that is less than the configured
    /// time-out. A strategy that tests again before it acts need not be patient the first time.
    fn patience(&self) -> SimDuration {
        SimDuration::MAX
    }

    /// How long a node that plays waits until it renews its record in the overlay.
    fn renewal(&self) -> SimDuration {
        LIFETIME.mul_f64(0.5)
    }

    /// Whether a node that plays looks for its own address in the binding, through its caches, where
    /// the policy `losers` says so; a strategy that does not looks after itself.
    fn checks_itself(&self) -> bool {
        true
    }

    /// Something has happened. The node makes these moves, in their order.
    fn on(&mut self, event: Event, view: &View<'_>) -> Moves;
}

/// What a strategy may know when something happens.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The time.
    pub now: SimTime,
    /// The node's address.
    pub own: Address,
    /// Whether the node plays the proxy peer.
    pub is_proxy: bool,
    /// Whether an update of the binding is under way.
    pub is_claiming: bool,
    /// Whether the node is a member of an overlay.
    pub is_member: bool,
    /// What all nodes of the overlay are configured with.
    pub settings: &'a Settings,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node founded the overlay as it started.
    Founded,
    /// The node was told to play, and does.
    Told,
    /// A procedure found a proxy peer that passed both tests.
    Playing(Address),
    /// So many procedures in a row failed with a test as the policy asks for
    /// (`failures_to_suspect`); this is the last.
    TestFailed(Test, Address),
    /// A test that the strategy asked for ended.
    Tested {
        /// Whose.
        address: Address,
        /// Whether a connection to its probe port was accepted.
        plays: bool,
    },
    /// A procedure found the node's own address in the binding.
    OwnAddress,
    /// DNS does not answer, and the overlay's record names the node, which does not play.
    OwnRecord,
    /// A procedure found that the overlay's domain does not exist.
    NoSuchName,
    /// A procedure could not resolve the overlay's domain.
    Unresolved,
    /// The node, which plays, has looked for its own address in the binding twice in a row, and
    /// found others; the last was this. Only with the policy `losers = "step-down"`.
    BindingLost(Address),
    /// The update of the binding ended, with all its repetitions.
    Updated {
        /// Whether it was accepted.
        accepted: bool,
    },
    /// The update of the binding ended because the binding was not as it was expected (RFC 2136
    /// only).
    Overtaken {
        /// Whether that is certain. If not, an earlier copy whose answer was lost may have been
        /// carried out, and the binding is not as expected because of that (RFC 2136 §7.8).
        certain: bool,
    },
    /// A fetch of the overlay's record ended.
    Fetched(Option<ProxyRecord>),
    /// A put of the overlay's record ended: one that the strategy asked for, or a renewal.
    Put(PutOutcome),
    /// The authority was asked for the binding.
    Authority(Resolution),
    /// The wait that the strategy asked for is over.
    Waited,
    /// It was asked who is in the binding, as a set; `None`: nobody could say.
    Set(Option<PeerSet>),
    /// The node will leave its overlay gracefully after this span.
    Leaving(SimDuration),
    /// The node, which plays, has another address than this now. Only with the policy
    /// `on_address_change = "update"`.
    Moved(Address),
}

/// Whom the overlay's record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyRecord {
    /// The proxy peer.
    pub address: Address,
    /// The version of the record.
    pub epoch: Epoch,
    /// For how long it stays if nobody renews it.
    pub remaining: SimDuration,
}

/// What a node can do about the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Holds a failed verdict on this address: the observer is told.
    Suspect(Address),
    /// Holds none any more.
    Clear,
    /// Plays the proxy peer from now on: listens, puts the overlay's record with this epoch and
    /// renews it, and looks after its binding where the policy says so. A node that is still
    /// outside of any overlay founds one first.
    TakeRole(Epoch),
    /// Plays the proxy peer from now on as [`Move::TakeRole`] does, but puts no record before
    /// [`Move::Renew`].
    Listen(Epoch),
    /// Goes on to play, under this epoch: the record is put.
    Renew(Epoch),
    /// Is an ordinary member from now on; an update under way is given up.
    GiveUp,
    /// Updates the binding to the node's own address, unless an update is under way. A node that is
    /// still outside of any overlay founds one first.
    Update {
        /// The address whose failed test is the reason.
        tested: Option<Address>,
    },
    /// Updates the binding to this, unless an update is under way. A node that is still outside of
    /// any overlay founds one first.
    Publish(Wanted),
    /// Fetches the overlay's record: ends in [`Event::Fetched`].
    Fetch,
    /// Puts the overlay's record, naming this node, with this epoch: ends in [`Event::Put`].
    Put(Epoch),
    /// Asks the authority for the binding, past all caches: ends in [`Event::Authority`].
    AskAuthority,
    /// Tests whether this address plays, by test 2 alone, in place of a procedure that may run: ends
    /// in [`Event::Tested`]. Its connection sends its first segment again 1 and 3 s later, so that
    /// only several losses in a row, or a time-out below that, make a host seem silent.
    Test(Address),
    /// Joins through this proxy peer, though the node is a member: of another part of the overlay.
    Rejoin(Address),
    /// Resolves again after a pause, which doubles; after three of them the address in the
    /// overlay's record is tested (A1).
    ResolveAgain,
    /// Waits for so long: ends in [`Event::Waited`]. A new wait replaces it.
    Wait(SimDuration),
    /// Asks for all of the binding: the authority, past all caches, or the node's resolver. Ends in
    /// [`Event::Set`].
    AskSet {
        /// Whether the authority is asked.
        past_caches: bool,
    },
    /// Is the preferred proxy peer from now on, for one that plays.
    Lead,
    /// Stands by behind another from now on, for one that plays.
    StandBy,
    /// Plays on, while others play instead already: until it leaves, or until no cache names it any
    /// more. It does not renew its record.
    Retire,
}

/// Moves, in their order; most events lead to none.
pub type Moves = SmallVec<[Move; 3]>;

/// Nodes play the role when they are told to, and look after nothing.
#[derive(Clone, Copy, Debug)]
pub struct Commanded;

impl Strategy for Commanded {
    fn fresh(&self) -> Box<dyn Strategy> {
        Box::new(*self)
    }

    fn watches(&self) -> bool {
        false
    }

    fn on(&mut self, _: Event, _: &View<'_>) -> Moves {
        Moves::new()
    }
}
