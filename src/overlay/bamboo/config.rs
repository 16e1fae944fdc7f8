//! What all nodes of a Bamboo overlay agree on, shared by them.

use crate::rng::Draws;
use crate::time::SimDuration;

/// Parameters of Bamboo. Defaults are those of OverSim where it has the parameter.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bits of an identifier, 1 ..= 160.
    pub id_bits: u8,
    /// Bits of a digit, 1 ..= 8.
    pub digit_bits: u8,
    /// Leaves on each side, 1 ..= 32.
    pub leaves: u8,
    /// Period of the exchange of leaf sets.
    pub leaf_exchange: SimDuration,
    /// Period of local tuning: a neighbour's row is asked for.
    pub local_tuning: SimDuration,
    /// Period of global tuning: the owner of a random key is looked up.
    pub global_tuning: SimDuration,
    /// Whether of two nodes that fit an entry of the routing table the nearer one is taken.
    pub proximity: bool,
    /// The time-out of a request to a node whose round-trip time is not known.
    pub initial_timeout: SimDuration,
    /// The shortest time-out.
    pub min_timeout: SimDuration,
    /// The longest time-out.
    pub max_timeout: SimDuration,
    /// How often a request is sent before its receiver is taken as dead, at least once.
    pub tries: u8,
    /// When a look-up without answer has failed.
    pub lookup_timeout: SimDuration,
    /// When a join without answer goes on to the next contact.
    pub join_timeout: SimDuration,
    /// For how long a dead node is not believed to live on the word of others.
    pub quarantine: SimDuration,
    /// A look-up that needs more hops fails; below 64.
    pub hop_limit: u8,
    /// On how many nodes a record is held: those that are closest to its key.
    pub replicas: u8,
    /// Where phases of timers, partners and random keys come from.
    pub draws: Draws,
}

impl Config {
    /// The most leaves on a side.
    pub const MAX_LEAVES: u8 = 32;

    /// The defaults.
    #[must_use]
    pub fn new(draws: Draws) -> Self {
        Self {
            id_bits: 160,
            digit_bits: 4,
            leaves: 4,
            leaf_exchange: SimDuration::from_secs(4),
            local_tuning: SimDuration::from_secs(10),
            global_tuning: SimDuration::from_secs(20),
            proximity: true,
            initial_timeout: SimDuration::from_millis(1_500),
            // RFC 6298 asks for a second, all of the Linux kernel's connections do with this.
            min_timeout: SimDuration::from_millis(200),
            // The shortest that RFC 6298 (2.5) permits.
            max_timeout: SimDuration::from_secs(60),
            tries: 3,
            lookup_timeout: SimDuration::from_secs(10),
            join_timeout: SimDuration::from_secs(20),
            quarantine: SimDuration::from_secs(60),
            hop_limit: 50,
            replicas: 4,
            draws,
        }
    }

    /// Octets of an identifier on the wire.
    #[must_use]
    pub const fn id_octets(&self) -> u8 {
        self.id_bits.div_ceil(8)
    }

    /// Asserts the ranges that the scenario has checked.
    pub(super) fn assert_ranges(&self) {
        assert!((1..=160).contains(&self.id_bits), "id_bits: 1 to 160");
        assert!((1..=8).contains(&self.digit_bits), "digit_bits: 1 to 8");
        assert!((1..=Self::MAX_LEAVES).contains(&self.leaves), "leaves: 1 to 32");
        assert!((1..=63).contains(&self.hop_limit), "hop_limit: 1 to 63");
        assert!(self.tries >= 1, "a request is sent at least once");
        assert!(self.replicas >= 1, "the owner itself counts as a replica");
    }
}
