//! TURN (RFC 8656) over STUN (RFC 8489), as values: a relay and those who have an address on it.
//!
//! A client behind a translator asks a relay for an *allocation*: a transport address on the relay
//! at which others reach the client. What others send there, the relay passes on as an indication
//! or, where a *channel* is bound, as channel data; what the client wants to send goes back the same
//! way. The relay lets in only peers for whose address the client has a *permission*. All three have
//! lifetimes that the client renews ahead of time: 600, 300 and 600 s.
//!
//! * [`message`]: what is said. [`codec`]: how it stands in a datagram. [`credentials`]: the
//!   long-term mechanism of RFC 8489 §9.2, by which each request is answered only for who knows the
//!   key; a first request costs one more round trip, the *challenge*.
//! * [`server`]: the relay. It keeps no timers: what has expired counts as gone when it is asked for.
//! * [`client`]: one allocation and what is kept in it, with [repetitions](retry) by STUN's rule.
//!
//! What is relayed are octets, of which nothing is known here. Left out: TCP between client and relay
//! or relay and peer, even and reserved ports, IPv6, `DONT-FRAGMENT`, ICMP from peers, alternate
//! servers, `SOFTWARE` and `FINGERPRINT` attributes, quotas.

pub mod client;
pub mod codec;
pub mod credentials;
pub mod message;
pub mod retry;
pub mod server;

#[cfg(test)]
mod tests;

pub use client::{Client, Upcall, Upcalls};
pub use credentials::Account;
pub use message::{Body, Message};
pub use server::{Output, Server};

use crate::sim;
use crate::time::SimDuration;

/// How long an allocation lasts unless more is asked for (RFC 8656 §3.2).
pub const DEFAULT_LIFETIME: SimDuration = SimDuration::from_secs(600);
/// The most that is granted (RFC 8656 §7.2: "at most one hour").
pub const MAX_LIFETIME: SimDuration = SimDuration::from_secs(3_600);
/// How long a permission lasts (RFC 8656 §9).
pub const PERMISSION_LIFETIME: SimDuration = SimDuration::from_secs(300);
/// How long a channel stays bound (RFC 8656 §12).
pub const CHANNEL_LIFETIME: SimDuration = SimDuration::from_secs(600);

/// A client's only timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer;

impl sim::Timer for Timer {
    fn slot(self) -> u32 {
        0
    }
}
