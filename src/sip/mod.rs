//! SIP (RFC 3261 and its extensions) as values: messages with exact lengths, transactions, the
//! cores of user agents, registrars, presence servers and proxies, and server location.
//!
//! * [`uri`], [`header`], [`message`]: what is said.
//! * [`encode`](mod@encode), [`decode`](mod@decode): how it stands in a datagram.
//! * [`transaction`]: requests until they are answered; [`profile`]: by whose rules.
//! * [`dialog`], [`agent`]: user agents, who register, watch each other, write and call.
//! * [`registrar`], [`presence`], [`proxy`]: what a server does.
//! * [`locate`], [`blocklist`]: where a request goes (RFC 3263), and where not.
//!
//! No core here resolves a name or looks into an overlay: it says what it needs to know as a return
//! value, and is told. All elements speak UDP on port 5060. Left out: TCP and TLS, authentication,
//! the `sips` scheme beyond its syntax.

pub mod agent;
pub mod blocklist;
pub mod decode;
pub mod dialog;
pub mod encode;
pub mod header;
pub mod locate;
pub mod message;
pub mod pidf;
pub mod presence;
pub mod profile;
pub mod proxy;
pub mod registrar;
pub mod sdp;
pub mod transaction;
pub mod uri;

pub use crate::sim::agenda::{self, Agenda};
pub use blocklist::Blocklist;
pub use decode::{DecodeError, decode};
pub use encode::{encode, encoded_len};
pub use header::{Contact, Contacts, EventPackage, Headers, NameAddress, SubscriptionState, Via};
pub use locate::{Locator, Unlocated};
pub use message::{Body, Message, Method, Request, RequestKey, Response, Status};
pub use uri::{HostPart, Uri};

use crate::sim;

/// The timers of a SIP element: one for each core, which keeps an [`Agenda`] behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Timer {
    /// The transactions'.
    Transactions,
    /// The user agent's.
    Agent,
    /// The proxy's.
    Proxy,
    /// The registrar's.
    Registrar,
    /// The presence server's.
    Presence,
}

impl Timer {
    /// How many there are.
    pub const SLOTS: u32 = 5;
}

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        self as u32
    }
}
