//! What truth is told. Components speak in observations of their own, which are lifted into these;
//! the world adds what only it knows (hosts going up and down).

use std::sync::Arc;

use crate::address::Address;
use crate::net::Partition;
pub use crate::overlay::OverlayId;
use crate::sim::HostId;
pub use crate::sip::RequestKey;
use crate::time::SimTime;

/// What a name server or a cache says about the overlay's domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// These addresses, in the order of the record set; never empty.
    Addresses(Vec<Address>),
    /// NXDOMAIN or NODATA.
    Negative,
    /// SERVFAIL, or no answer at all.
    Failure,
}

/// What a request of a conventional user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestMethod {
    /// A call begins.
    Invite,
    /// A call ends.
    Bye,
    /// An instant message.
    Message,
    /// A presence subscription begins, is refreshed or ends.
    Subscribe,
    /// Presence is told to a watcher.
    Notify,
    /// Any other.
    Other,
}

/// How a request ended, as its user agent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestEnding {
    /// A final response with this status code, 200 to 699, came.
    Final(u16),
    /// No final response came in time.
    Timeout,
    /// The network said that it could not be delivered.
    Transport,
    /// No address was found to send it to.
    Unlocated,
}

/// Something that happened at a host, at the time and host with which it is reported. Fingerprints
/// depend on the order of the variants: new ones stand last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// The host came up and holds this address.
    HostUp(Address),
    /// The host is gone, announced or not: it neither sends nor receives any more.
    HostDown,
    /// The node is a member of an overlay (again reported when the identity changes).
    Member(OverlayId),
    /// The node is in no overlay any more, though its host is up.
    NotMember,
    /// The node now believes that it is the proxy peer, accepts probes on its port and serves SIP.
    ProxyStarted,
    /// It goes on playing the role until it leaves, and a successor is published already: a lame
    /// duck, who no longer counts as a believer.
    ProxyRetiring,
    /// It no longer does.
    ProxyStopped,
    /// The node's tests of this address failed: it holds a failed verdict on it.
    VerdictFailed(Address),
    /// The node no longer holds a failed verdict (it passed, was overtaken, or gave up).
    VerdictCleared,
    /// The node begins an update of the binding to `own`: its first packet, the look-up of the
    /// endpoint's name included. `tested` is the address whose failed test made it claim; `None`
    /// when it founds an overlay or the name did not exist.
    UpdateStarted {
        /// The address that failed the test.
        tested: Option<Address>,
        /// The address that the binding is to have.
        own: Address,
    },
    /// The node's update ended: a failure, or an answer that it takes as success.
    UpdateEnded {
        /// Whether the endpoint accepted it, as the node sees it.
        accepted: bool,
    },
    /// The DynDNS endpoint accepted an update; `from` is the address that asked, `to` the address
    /// that the binding will have once it is published.
    UpdateAccepted {
        /// The source of the request.
        from: Address,
        /// The new address of the binding.
        to: Address,
    },
    /// The authority serves this from now on.
    BindingServed(Answer),
    /// The resolver's cache serves this at once until `expires` (exclusive), in place of what it
    /// served.
    CacheStored {
        /// The cached answer.
        answer: Answer,
        /// When the entry is no longer served.
        expires: SimTime,
    },
    /// A resolver gave this answer to a client's query for the overlay's domain.
    Answered(Answer),
    /// A caller domain began a bare look-up of the overlay's domain, numbered by the domain.
    LookupStarted(u64),
    /// That look-up ended with this answer from the caller's chain of caches.
    LookupEnded {
        /// The number of the look-up.
        request: u64,
        /// What the look-up gave.
        answer: Answer,
    },
    /// A user agent sends a request to a user of the overlay's domain, in a dialog or outside.
    /// Reported at the user agent's host; what it sends to others is not reported. Each request is
    /// reported once, however often it is transmitted, and ends with [`Self::RequestEnded`] unless
    /// its host goes down before.
    RequestStarted {
        /// Its name, the same at whoever sends, forwards and answers it.
        request: RequestKey,
        /// What it asks for.
        method: RequestMethod,
        /// The host of the user whom it is for, up or not; `None` when there is no such host.
        callee: Option<HostId>,
    },
    /// The caller domain's server sends the request to an address that it got for the overlay's
    /// domain, or that a route names there. Reported at the server's host; more than once when it
    /// fails over to another address.
    RequestRouted {
        /// Which request.
        request: RequestKey,
        /// Where to.
        to: Address,
    },
    /// A node that plays the proxy role, or believes so, or a server that embeds a peer, answers the
    /// request or forwards it to the callee. Reported at that host.
    RequestServed {
        /// Which request.
        request: RequestKey,
    },
    /// The request is over. Reported at the user agent's host.
    RequestEnded {
        /// Which request.
        request: RequestKey,
        /// How it ended.
        ending: RequestEnding,
    },
    /// A user of the overlay sends a request to a conventional user. Reported at the member's host,
    /// where that is watched at all.
    OutboundStarted {
        /// Its name.
        request: RequestKey,
    },
    /// That request is over. Reported at the member's host, if it did not go down before.
    OutboundEnded {
        /// Which request.
        request: RequestKey,
        /// Whether a final response of class 2 came.
        answered: bool,
    },
    /// A partition cuts these hosts off from all others, in place of those that it cut off before.
    Parted {
        /// Which partition.
        partition: Partition,
        /// The hosts on its far side.
        hosts: Arc<[HostId]>,
    },
    /// A partition is over.
    Healed(Partition),
    /// The node goes on playing the role, behind another that is preferred: it stands by, and no
    /// longer counts as a believer, until it [starts](Self::ProxyStarted) again.
    ProxyStandsBy,
    /// The host, which is up and stays so, holds this address in place of the one that it held.
    Readdressed(Address),
    /// What the resolver's cache holds is kept until its maximum stale timer ends (exclusive), and
    /// given to clients for whom there is no fresh answer (RFC 8767 with a client response timer).
    CacheKept {
        /// When it is no longer served at all.
        until: SimTime,
    },
}
