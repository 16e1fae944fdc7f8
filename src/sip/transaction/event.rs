//! What transactions report, and to whom.

use smallvec::SmallVec;

use crate::address::Endpoint;
use crate::sip::message::{Request, Response, Status};

/// Names a client transaction: a request on its way to one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(super) u32);

/// Names a server transaction: a request that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub(super) u32);

/// Whose client transaction it is: a core of the element, and which of that core's doings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A user agent's.
    Agent(u32),
    /// A proxy's.
    Proxy(u32),
    /// A presence server's.
    Presence(u32),
    /// A probe's: whether anybody is there.
    Probe(u32),
}

/// What the host is to hand to one of its cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new request: never ACK or CANCEL. It wants one final response through its transaction.
    Request {
        /// Its transaction.
        server: ServerId,
        /// The request, `received` and `rport` filled in.
        request: Box<Request>,
        /// Where it came from.
        from: Endpoint,
    },
    /// An ACK that does not belong to a failure response: for the dialog, or to be passed on. It
    /// may come more than once.
    Ack {
        /// The ACK.
        request: Box<Request>,
        /// Where it came from.
        from: Endpoint,
    },
    /// An INVITE without a final response so far was cancelled. It still wants one: 487.
    Cancelled {
        /// The INVITE's transaction.
        server: ServerId,
    },
    /// A response, with the element's own `Via` on top. Final responses come once, provisional ones
    /// as often as they arrive. An INVITE may have several 2xx of different `To` tags, after others
    /// and after a failure by time-out; to a proxy, 2xx that are repeated come repeatedly.
    Response {
        /// The transaction.
        client: ClientId,
        /// Whose it is.
        owner: Owner,
        /// The response.
        response: Box<Response>,
    },
    /// A response to the element that no transaction waits for.
    StrayResponse(Box<Response>),
    /// There will be no final response.
    Failed {
        /// The transaction.
        client: ClientId,
        /// Whose it is.
        owner: Owner,
        /// The reason.
        why: Failure,
    },
    /// No ACK came for a final response to INVITE (Timer H). After a 2xx, the call is to be ended.
    Unacknowledged {
        /// The transaction, which is over.
        server: ServerId,
    },
}

/// Why a client transaction failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Its time was up.
    Timeout,
    /// The network said that nobody is there.
    Transport,
}

/// The events of one input: rarely more than one.
pub type Events = SmallVec<[Event; 1]>;

impl Failure {
    /// The response that it counts as (RFC 3261 §8.1.3.1).
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Timeout => Status::REQUEST_TIMEOUT,
            Self::Transport => Status::SERVICE_UNAVAILABLE,
        }
    }
}
