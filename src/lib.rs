//! Deterministic simulation of churn and proxy-peer handover between P2P SIP overlays and
//! conventional SIP.

pub mod address;
pub mod cli;
pub mod net;
pub mod rng;
pub mod scenario;
pub mod sim;
pub mod time;
pub mod units;
