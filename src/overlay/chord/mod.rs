//! Chord.
pub mod codec;
pub mod config;
pub mod message;

pub use config::{Config, FingersPerRound, Routing};
pub use message::{Large, Message, Small};

use crate::sim::Timer;

/// Chord's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChordTimer {
    /// Ask the successor for its neighbours.
    Stabilize,
    /// Begin a round of finger repair.
    FixFingers,
    /// Ping the predecessor.
    CheckPredecessor,
    /// Drop records whose lifetime is over.
    Expire,
    /// The request in this slot has not been answered.
    Rpc(u8),
}

impl ChordTimer {
    /// How many slots there can be.
    pub const SLOTS: u32 = 4 + 256;
}

impl Timer for ChordTimer {
    #[inline]
    fn slot(self) -> u32 {
        match self {
            Self::Stabilize => 0,
            Self::CheckPredecessor => 1,
            Self::FixFingers => 2,
            Self::Expire => 3,
            Self::Rpc(slot) => 4 + u32::from(slot),
        }
    }
}
