//! `overcord`: a deterministic simulator of churn and proxy-peer handover between P2P SIP overlays
//! and conventional SIP.
//!
//! Many virtual OverCord nodes form a DHT overlay. Conventional SIP servers find it only through
//! DNS, so one node plays the *P2P SIP proxy peer*, and the overlay's domain points to it. When it
//! goes, another node notices, updates DNS and takes over. The simulator replays that, with caches,
//! time-outs and losses, and measures how long look-ups stay stale, where the time of a handover
//! goes, and what it costs. The design is that of Tsietsi, Terzoli and Wells, "Bridging the gap
//! between peer-to-peer and conventional SIP networks".
//!
//! # The layers, top to bottom
//!
//! Each imports only what stands below it; `tests/architecture.rs` fails on a breach.
//!
//! | layer | what it is |
//! |---|---|
//! | [`cli`] | arguments, files, progress, exit codes |
//! | [`report`] | tables, figures, the table on the terminal |
//! | [`experiment`] | studies: cells, replications, statistics, theory, resume |
//! | [`scenario`] | file as written → checked [`Plan`](scenario::Plan) → built [`World`](world::World) |
//! | [`metrics`] | truth → rows and headline metrics |
//! | [`world`] | all hosts, the loop, [`truth`](world::truth), the [`Director`](world::director::Director) |
//! | [`overcord`] | the node of the paper's Fig. 3 |
//! | [`conventional`] | SIP servers and phones, and how they locate each other |
//! | [`dns`], [`dyndns`], [`http`], [`overlay`], [`rtp`], [`sip`], [`turn`] | protocol cores, which do not know each other |
//! | [`churn`], [`workload`] | who comes and goes, who asks when |
//! | [`net`] | addresses, latency, loss, TCP, ICMP, the ledger |
//! | [`sim`] | clock, queue, timers, fingerprint; knows no protocol |
//! | [`time`], [`rng`], [`units`], [`address`] | vocabulary |
//!
//! # One datagram and one timer, through the layers
//!
//! A node's stabilise timer goes off. The [`Queue`](sim::queue::Queue) hands out the earliest
//! event; the [`Kernel`](sim::Kernel) compares its counter with the one that the host's timer waits
//! for, and drops it if the host has restarted or the timer was set again since.
//! [`Network::next`](net::Network::next) returns it to [`World::run`](world::World::run), which
//! lends the host a [`Link`](net::Link), its access to network and observer, and calls
//! [`Host::timer`](world::host::Host::timer). The link is [lifted](sim::Lift) to the node's types,
//! then to Chord's, and Chord answers with
//! [`Context::send`](sim::Context::send)`(successor, Stabilize)` and a time-out.
//!
//! The datagram goes back down: the lifts wrap it into the world's
//! [`Message`](overcord::Message); the network books it in the [`Ledger`](net::Ledger), draws
//! whether it is lost, adds the latency of the pair, [packs](net::Payload::pack) it into the event
//! itself or into a slab, and schedules it under the sender's own counter. 40 ms later the same
//! loop delivers it: if the address is still held, it is booked as delivered and mixed into the
//! [`Fingerprint`](sim::Fingerprint).
//!
//! What components observe goes to the [`Stage`](world::stage::Stage), which tells
//! [`Truth`](world::truth::Truth) in truth's words. Truth is a reducer: it knows which address is
//! valid, what each cache would answer, and in which phase each handover episode is. At the end its
//! report becomes rows ([`metrics::collect`](metrics::collect)) and the tables of a study.
//!
//! # From Rust
//!
//! ```
//! use std::path::Path;
//!
//! use overcord::experiment::simulator::Simulator;
//! use overcord::scenario::Scenario;
//!
//! let text = "name = 'tiny'\nduration = '10m'\nwarmup = '0s'\n[overlay]\nnodes = 10";
//! let scenario = Scenario::parse("tiny.toml", text.as_bytes(), Path::new("."), &[])
//!     .unwrap_or_else(|report| panic!("{report}"));
//! let simulator = Simulator::new(scenario.plan, None, true);
//! let output = simulator.run(0, 1, None, &mut |_| {}).expect("nothing stops it");
//! // Ten nodes that are up for ten minutes.
//! let node_hours = output.headline.value("node_hours").expect("somebody was up");
//! assert!((node_hours - 10.0 / 6.0).abs() < 1e-9);
//! ```
//!
//! # Invariants
//!
//! * **Architecture Invariant:** a component is a value. It reads no clock, draws no ambient
//!   randomness, opens no socket; it is told what happened and answers through a
//!   [`Context`](sim::Context). What it has to tell its host is a return value.
//! * **Architecture Invariant:** the order of events is a function of what they are, `(time, origin,
//!   origin's counter)`, never of the order of insertion.
//! * **Architecture Invariant:** randomness is a function of (seed, purpose, name of the entity). A
//!   bystander moves nobody's numbers, and strategies see the same churn and callers.
//! * **Architecture Invariant:** truth never looks into components, components never read truth;
//!   the Director reads truth and issues commands.
//! * **Architecture Invariant:** the phases of an episode sum to its length, stale windows to the
//!   stale time, datagrams to what was sent: checked in every run, to the nanosecond.
//! * **Architecture Invariant:** nothing below the scenario layer sees a word of a file.
//!
//! # Glossary
//!
//! * *Proxy peer*: the node that connects overlay and conventional SIP; it listens on port 49152.
//! * *Binding*: the A record that the authority serves for the overlay's domain.
//! * *Leave*: a node goes. *Departure*: the binding loses its validity.
//! * *Valid address*: held by an up host that plays the proxy role in the main overlay.
//! * *Stale window*: for how long a resolver would answer with an address after its validity ended.
//! * *Episode*: one handover as one caller domain lives it, from departure to the first request that
//!   a valid proxy peer serves, or the first valid answer where a domain only looks up.
//! * *Bridging node*: a node that is in several overlays, and passes requests on between their users.
//! * *Claimant*: a node that updates the binding because its test of the departed address failed.
//! * *Split brain*: more than one up node believes to be the proxy peer, and no partition parts them.
//! * *Relay agent peer*: a member that relays to members which nobody reaches, by TURN.
//! * *Cell*: one run of a study, named by a hash of all that its output depends on.

pub mod address;
pub mod churn;
pub mod cli;
pub mod conventional;
pub mod dns;
pub mod dyndns;
pub mod experiment;
pub mod http;
pub mod metrics;
pub mod net;
pub mod overcord;
pub mod overlay;
pub mod report;
pub mod rng;
pub mod rtp;
pub mod scenario;
pub mod sim;
pub mod sip;
pub mod time;
pub mod turn;
pub mod units;
pub mod workload;
pub mod world;
