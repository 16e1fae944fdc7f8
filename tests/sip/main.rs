//! SIP hosts at work: a conventional server between phones and the overlay's address, a node as
//! proxy peer, and whole scenarios with callers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;
mod proxy_peer;
mod scenarios;
mod server;
