//! Deterministic simulation of churn and proxy-peer handover between P2P SIP overlays and
//! conventional SIP.

pub mod address;
pub mod churn;
pub mod cli;
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
pub mod scenario;
pub mod sim;
pub mod time;
pub mod units;
pub mod workload;
pub mod world;
