//! The dyndns2 update protocol: how a host tells the world its address over HTTP.
//!
//! Sources: the provider's pages on syntax, return codes and policies, and the clients ddclient and
//! inadyn. `GET /nic/update?hostname=<names>&myip=<address>` with Basic credentials; the answer is
//! a text with one [`ReturnCode`] per name. The protocol knows no condition: the last writer wins,
//! and nobody can say "only if it is still so".
//!
//! * [`codes`]: what the service answers, and what the provider wants a client to make of it.
//! * [`hostname`]: the names that it serves.
//! * [`server`]: the [`UpdateServer`]: accounts, authentication, abuse, publication.
//! * [`client`]: the [`UpdateClient`]: one update, with or without a challenge.
//!
//! Not here: when to update and what to do about failures (the node's policies), and DNS itself:
//! the server says what must be served, the client is given the endpoint's address.

pub mod client;
pub mod codes;
pub mod daemon;
pub mod hostname;
mod request;
pub mod server;
#[cfg(test)]
mod tests;

pub use client::UpdateOutcome;
pub use client::{Authentication, ClientSettings, ClientTimer, NetworkError, UpdateClient};
pub use codes::{CodeClass, ReturnCode};
pub use daemon::{Daemon, DaemonCache, DaemonSettings, Program};
pub use hostname::{Hostname, HostnameError};
pub use server::UpdateServer;
pub use server::{AbuseLimit, Accepted, Account, Publish, ServerSettings, ServerTimer, Service};

use crate::http::Message;
use crate::net::tcp::Segment;

/// What travels between client and server.
pub type UpdateSegment = Segment<Message>;
