//! The delay between two hosts.

use crate::rng::NameHash;
use crate::time::SimDuration;

/// A latency model.
#[derive(Clone, Debug)]
pub enum Latency {
    /// The same for every pair.
    Constant(SimDuration),
}

impl Latency {
    /// The base delay of a pair.
    #[must_use]
    pub fn base(&self, _a: NameHash, _b: NameHash) -> SimDuration {
        match self {
            Self::Constant(delay) => *delay,
        }
    }
}
