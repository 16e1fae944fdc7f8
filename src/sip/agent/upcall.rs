//! What a user agent tells its host.

use crate::address::Endpoint;
use crate::sip::message::{Method, RequestKey, Status};
use crate::sip::uri::Uri;
use crate::time::SimTime;

/// What a user agent has to tell, in the order in which it came about.
pub type Upcalls = Vec<Upcall>;

/// Names a question of the agent where to send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// One thing that a user agent tells its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upcall {
    /// It needs to know where this is; to be answered with
    /// [`Agent::located`](super::Agent::located).
    Locate {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The topmost route of a request, or its Request-URI (RFC 3261 §8.1.2).
        next_hop: Uri,
        /// Whether the request belongs to a dialog, so that the next hop comes from its route set
        /// or is its remote target.
        in_dialog: bool,
    },
    /// A request begins. An ACK is not told of, since nothing answers it.
    Began {
        /// Its name, which it has wherever it goes.
        key: RequestKey,
        /// What is asked for.
        method: Method,
        /// Of whom: the URI in `To`.
        to: Uri,
        /// Why.
        cause: Cause,
    },
    /// A provisional response to an INVITE other than 100.
    Provisional {
        /// The INVITE.
        key: RequestKey,
        /// 101 to 199.
        status: Status,
    },
    /// A request that began has ended.
    Ended {
        /// Its name.
        key: RequestKey,
        /// How.
        outcome: Outcome,
    },
    /// The registration, or the end of it.
    Registered {
        /// Until when, `None` when it has been removed or has expired.
        until: Option<SimTime>,
    },
    /// The publication, or the end of it.
    Published {
        /// Until when, `None` when it has expired.
        until: Option<SimTime>,
    },
    /// A subscription of this user has changed.
    SubscriptionChanged {
        /// Whose presence this user wants to know.
        peer: Uri,
        /// How it stands now.
        state: SubscriptionChange,
    },
    /// A subscription to this user has changed.
    WatcherChanged {
        /// Who wants to know this user's presence.
        watcher: Uri,
        /// How it stands now.
        state: WatcherChange,
    },
    /// A NOTIFY says how a peer is.
    Notified {
        /// Whose presence it is.
        peer: Uri,
        /// Open or closed; `None` when it has no body that says so.
        open: Option<bool>,
    },
    /// A request of another user was answered. An INVITE is told of when it is first answered.
    Received {
        /// Its name.
        key: RequestKey,
        /// What is asked for.
        method: Method,
        /// By whom: the URI in `From`.
        from: Uri,
        /// With what it was answered.
        status: Status,
    },
    /// A call is up: the 2xx has arrived at the caller, the ACK at the callee.
    CallEstablished {
        /// The INVITE.
        key: RequestKey,
        /// The other end.
        peer: Uri,
        /// Whether this end has called.
        caller: bool,
        /// Where the other end wants to have its media, if it said so.
        media: Option<Endpoint>,
    },
    /// A call, or the attempt at one, is over.
    CallEnded {
        /// The INVITE.
        key: RequestKey,
        /// The other end.
        peer: Uri,
        /// Why.
        why: CallEnd,
    },
}

/// Why a user agent sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The user wants it.
    Asked,
    /// A lease is renewed before it ends.
    Refresh,
    /// The one before was refused or failed: 412, 423, or a pause has gone by.
    Retry,
    /// A subscription was lost and is begun anew.
    Resubscribe,
    /// A NOTIFY to somebody who subscribed.
    Notification,
    /// A BYE that ends a call.
    HangUp,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// With this final status.
    Status(Status),
    /// Without a final response in time: what RFC 3261 §8.1.3.1 treats as 408.
    Timeout,
    /// It could not be sent: treated as 503.
    Transport,
    /// There was no address to send it to.
    Unlocated,
    /// The user gave it up before it was sent.
    GivenUp,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// Granted, or renewed, until then.
    Active {
        /// The end of the lease.
        until: SimTime,
    },
    /// There is none any more, or never was; unless `why` says that the other end does not want
    /// one, the agent subscribes again, at once or after a pause.
    Lost {
        /// What happened.
        why: Loss,
    },
    /// Over as this user wished.
    Ended,
}

/// How a subscription was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The SUBSCRIBE ended so, with anything but a 2xx.
    Failed(Outcome),
    /// No NOTIFY came after a SUBSCRIBE: Timer N (RFC 6665 §4.1.2).
    NotNotified,
    /// The lease went by without a renewal.
    Expired,
    /// A NOTIFY said that it is terminated, to be begun anew.
    Terminated,
    /// A NOTIFY said that it is terminated, and for good: `rejected` or `noresource`.
    Rejected,
}

/// How somebody else's subscription to this user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherChange {
    /// Granted, or renewed, until then.
    Active {
        /// The end of the lease.
        until: SimTime,
    },
    /// The watcher ended it, or only wanted to know once.
    Unsubscribed,
    /// The lease went by without a renewal.
    Expired,
    /// A NOTIFY ended so, which removes the subscription (RFC 6665 §4.2.2).
    Failed(Outcome),
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The caller's INVITE ended so, with anything but a 2xx.
    Failed(Outcome),
    /// The callee refused it.
    Refused(Status),
    /// The caller gave up before the callee answered.
    Cancelled,
    /// This end hung up.
    HungUp,
    /// The other end hung up.
    HungUpByPeer,
    /// No ACK arrived for the callee's 2xx (RFC 3261 §13.3.1.4).
    Unacknowledged,
    /// The 2xx set up no dialog, or no ACK could be sent to where it says.
    Unreachable,
}
