//! `[overlay.bamboo]`, checked.

use super::OverlayStart;
use crate::time::SimDuration;

/// `[overlay.bamboo]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BambooPlan {
    /// Leaves on each side, 1 to 32.
    pub leaves: u32,
    /// Bits of a digit, 1 to 8.
    pub digit_bits: u32,
    /// Period of the exchange of leaf sets.
    pub leaf_exchange: SimDuration,
    /// Period of local tuning.
    pub local_tuning: SimDuration,
    /// Period of global tuning.
    pub global_tuning: SimDuration,
    /// Whether the nearer of two nodes is taken.
    pub proximity: bool,
    /// The first time-out.
    pub rpc_timeout: SimDuration,
    /// The shortest; at most the first.
    pub min_timeout: SimDuration,
    /// The longest; at least the first.
    pub max_timeout: SimDuration,
    /// How often a request is sent; at least 1.
    pub tries: u32,
    /// Bits of an identifier, 8 to 160.
    pub id_bits: u32,
    /// How many nodes hold a value: at least 1, at most a node and its leaves.
    pub replicas: u32,
    /// How the overlay begins.
    pub start: OverlayStart,
}
