//! What all nodes of an overlay agree on, shared by them.

use crate::rng::Draws;
use crate::time::SimDuration;

/// Parameters of Kademlia. Defaults are those of OverSim where it has the parameter; those of the
/// paper are told beside them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Bits of an identifier, 1 ..= 160.
    pub id_bits: u8,
    /// k: contacts in a bucket and in an answer, and how many of the closest nodes a look-up hears
    /// before it ends; at least 1. The paper has 20.
    pub bucket_size: u8,
    /// How many of the nearest nodes are kept beside the buckets, at least 1: whatever the shape of
    /// the tree, a node knows its own neighbourhood.
    pub siblings: u8,
    /// Alpha: how many requests of a look-up are under way at a time, at least 1.
    pub parallelism: u8,
    /// How many live contacts without a place a bucket remembers, to replace those that die.
    pub replacements: u8,
    /// Period of the refresh: look-ups in buckets that had none in the meantime, and pings to
    /// contacts that were not heard of. The paper has an hour, and no pings.
    pub refresh: SimDuration,
    /// Period in which a holder sends those of its records to their replicas again that nobody has
    /// sent it for so long.
    pub republish: SimDuration,
    /// How long an answer is waited for.
    pub rpc_timeout: SimDuration,
    /// How often a request is sent before its receiver is taken for dead, at least 1.
    pub tries: u8,
    /// On how many nodes a record is held: the closest to the key. The paper has k.
    pub replicas: u8,
    /// Where phases and the keys of refreshes come from.
    pub draws: Draws,
}

impl Config {
    /// The longest identifier, that of SHA-1.
    pub const MAX_ID_BITS: u8 = 160;
    /// The largest bucket: as many contacts and the longest value fit an unfragmented datagram only
    /// with short identifiers.
    pub const MAX_BUCKET: u8 = 64;

    /// The defaults.
    #[must_use]
    pub fn new(draws: Draws) -> Self {
        Self {
            id_bits: 160,
            bucket_size: 8,
            siblings: 8,
            parallelism: 3,
            replacements: 8,
            refresh: SimDuration::from_secs(1_000),
            republish: SimDuration::from_secs(3_600),
            rpc_timeout: SimDuration::from_millis(1_500),
            tries: 1,
            replicas: 4,
            draws,
        }
    }

    /// Octets of an identifier on the wire.
    #[must_use]
    pub const fn id_octets(&self) -> u8 {
        self.id_bits.div_ceil(8)
    }

    /// The lowest level of a bucket: with fewer than 64 bits shorter distances do not exist.
    #[must_use]
    pub(super) const fn lowest_level(&self) -> u8 {
        64u8.saturating_sub(self.id_bits)
    }

    /// Asserts the ranges that the scenario has checked.
    pub(super) fn assert_ranges(&self) {
        assert!((1..=Self::MAX_ID_BITS).contains(&self.id_bits), "id_bits: 1 to 160");
        assert!((1..=Self::MAX_BUCKET).contains(&self.bucket_size), "bucket_size: 1 to 64");
        assert!((1..=Self::MAX_BUCKET).contains(&self.siblings), "siblings: 1 to 64");
        assert!(self.parallelism >= 1, "a look-up asks somebody");
        assert!(self.tries >= 1, "a request is sent at least once");
        assert!(self.replicas >= 1, "the owner itself counts as a replica");
    }
}
