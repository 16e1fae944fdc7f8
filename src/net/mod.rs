//! The fake network: addresses, latency, loss, and the ledger's counters.
//!
//! [`Network`] drives a [`Kernel`](crate::sim::Kernel): a host sends through a [`Port`], the
//! network decides whether and when the datagram arrives, and [`Network::next`] hands out what
//! happens next. Any message type that is a [`Payload`] can travel; the network knows no protocol.

pub mod latency;
pub mod ledger;
pub mod payload;
pub mod topology;

pub use latency::{Latency, LatencyError};
pub use ledger::{Class, Ledger, Protocol, Purpose};
pub use payload::{Packed, Payload, Transport};
pub use topology::{Topology, TopologyParameters};
