//! The fake network: addresses, latency, loss, and the ledger's counters.
//!
//! * [`network`]: [`Network`] drives a [`Kernel`](crate::sim::Kernel). A host sends through a
//!   [`Link`]; the network decides whether and when the datagram arrives; [`Network::next`] hands
//!   out what happens next.
//! * [`payload`]: what it needs to know of a message. It knows no protocol. [`packet`]: how one
//!   travels.
//! * [`addressing`]: who holds an address.
//! * [`latency`], [`topology`], [`coordinates`]: the delay between two hosts; [`file`]: of files. [`sides`]: partitions. [`nat`]: translators. [`bursts`]:
//!   losses.
//! * [`ledger`]: what the signalling costs.
//! * [`tcp`], [`icmp`]: what hosts themselves answer with.
//! * [`lab`]: a handful of hosts of one kind on a network, for tests and examples.
//!
//! Left out: bandwidth and queues (a signalling message of some hundred octets does not fill a
//! link), fragmentation, IPv6.
//!
//! **Architecture Invariant:** every datagram sent is delivered, lost or still in flight;
//! [`Network::conserved`] says so at any moment.

pub mod addressing;
pub mod bursts;
pub mod coordinates;
pub mod file;
pub mod icmp;
pub mod lab;
pub mod latency;
pub mod ledger;
pub mod nat;
pub mod network;
pub mod packet;
pub mod payload;
pub mod sides;
pub mod tcp;
pub mod topology;

pub use coordinates::{Coordinates, Placement, Places};
pub use file::{FileError, FileFault};
pub use latency::{Latency, LatencyError};
pub use ledger::{Class, Direction, Ledger, Protocol, Purpose};
pub use nat::{Dependence, Knock, NatBehaviour, Nats};
pub use network::{Arrival, Delivery, DepartedHosts, Link, Network, Observer, Settings};
pub use payload::{Packed, Payload, Transport, Words};
pub use sides::{Partition, Sides};
pub use topology::{Graph, GraphFormat, Topology, TopologyParameters};
