//! `[overlay.kademlia]`, checked.

use super::OverlayStart;
use crate::time::SimDuration;

/// `[overlay.kademlia]`.
#[derive(Clone, Debug, PartialEq)]
pub struct KademliaPlan {
    /// Contacts of a bucket, 1 to 64.
    pub bucket_size: u32,
    /// Nearest nodes beside the buckets, 1 to 64.
    pub siblings: u32,
    /// Requests of a look-up at a time, 1 to 64.
    pub parallelism: u32,
    /// Newer contacts that a bucket remembers, at most 64.
    pub replacements: u32,
    /// Period of the refresh.
    pub refresh: SimDuration,
    /// Period in which holders send records again.
    pub republish: SimDuration,
    /// How long a node waits for an answer.
    pub rpc_timeout: SimDuration,
    /// How often it is asked, 1 to 10.
    pub tries: u32,
    /// Bits of an identifier, 8 to 160.
    pub id_bits: u32,
    /// How many nodes hold a value: at least 1, at most `bucket_size` and `siblings + 1`.
    pub replicas: u32,
    /// How the overlay begins.
    pub start: OverlayStart,
}
