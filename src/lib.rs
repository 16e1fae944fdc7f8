//! Deterministic simulation of churn and proxy-peer handover between P2P SIP overlays and
//! conventional SIP.

pub mod address;
pub mod experiment;
pub mod metrics;
pub mod net;
pub mod report;
pub mod rng;
pub mod sim;
pub mod time;
pub mod units;
