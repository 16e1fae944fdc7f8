//! What all nodes of an overlay agree on, shared by them.

use crate::rng::Draws;
use crate::time::SimDuration;

/// How a look-up travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// The origin asks each hop itself, and goes around dead ones.
    Iterative,
    /// Each hop forwards to the next without waiting; the key's predecessor answers straight to
    /// the origin. A dead hop loses the look-up, which the origin's time-out ends.
    Recursive,
}

/// How many fingers one round of repair looks up, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingersPerRound {
    /// Each finger that differs from the successor (OverSim).
    All,
    /// So many in turn from the shortest on, those that equal the successor included: they are
    /// answered locally.
    Number(u8),
}

/// Parameters of Chord. Defaults are those of OverSim where it has the parameter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bits of an identifier, 1 ..= 160.
    pub id_bits: u8,
    /// Length of the successor list, at least 1.
    pub successors: u8,
    /// Period of stabilise.
    pub stabilize: SimDuration,
    /// Period of the rounds of finger repair.
    pub fix_fingers: SimDuration,
    /// Period of the predecessor's check.
    pub check_predecessor: SimDuration,
    /// How long an answer is waited for.
    pub rpc_timeout: SimDuration,
    /// How often a request is sent before its receiver is taken for dead, at least 1. A look-up that
    /// is forwarded is sent once.
    pub tries: u8,
    /// When a recursive look-up without answer has failed.
    pub lookup_timeout: SimDuration,
    /// A look-up fails that needs more hops; a node that does not answer counts as one, so that an
    /// iterative look-up lasts for as many time-outs at most. Below 64.
    pub hop_limit: u8,
    /// How look-ups travel.
    pub routing: Routing,
    /// How many fingers a round repairs.
    pub fingers_per_round: FingersPerRound,
    /// On how many nodes a record is held: its owner and the owner's next successors.
    pub replicas: u8,
    /// Where the phases of periodic timers come from.
    pub draws: Draws,
}

impl Config {
    /// The longest identifier, that of SHA-1.
    pub const MAX_ID_BITS: u8 = 160;
    /// The highest hop limit: what the message's field can count.
    pub const MAX_HOP_LIMIT: u8 = 63;

    /// The defaults.
    #[must_use]
    pub fn new(draws: Draws) -> Self {
        Self {
            id_bits: 160,
            successors: 8,
            stabilize: SimDuration::from_secs(20),
            fix_fingers: SimDuration::from_secs(120),
            check_predecessor: SimDuration::from_secs(5),
            rpc_timeout: SimDuration::from_millis(1_500),
            tries: 1,
            lookup_timeout: SimDuration::from_secs(10),
            hop_limit: 50,
            routing: Routing::Iterative,
            fingers_per_round: FingersPerRound::All,
            replicas: 4,
            draws,
        }
    }

    /// Octets of an identifier on the wire.
    #[must_use]
    pub const fn id_octets(&self) -> u8 {
        self.id_bits.div_ceil(8)
    }

    /// The shortest finger's level, as a power of two of ring positions: with fewer than 64 bits
    /// the positions below it do not exist; with more, shorter fingers can't be told from the
    /// successor.
    #[must_use]
    pub(super) const fn lowest_level(&self) -> u8 {
        64u8.saturating_sub(self.id_bits)
    }

    /// Asserts the ranges that the scenario has checked.
    pub(super) fn assert_ranges(&self) {
        assert!((1..=Self::MAX_ID_BITS).contains(&self.id_bits), "id_bits: 1 to 160");
        assert!(self.successors >= 1, "a ring needs a successor");
        assert!((1..=Self::MAX_HOP_LIMIT).contains(&self.hop_limit), "hop_limit: 1 to 63");
        assert!(self.tries >= 1, "a request is sent at least once");
        assert!(self.replicas >= 1, "the owner itself counts as a replica");
    }
}
