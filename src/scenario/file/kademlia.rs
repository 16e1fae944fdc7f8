//! The table `[overlay.kademlia]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::plan::OverlayStart;
use crate::units::Duration;

/// The parameters of Kademlia.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Kademlia {
    /// The contacts of a bucket and of an answer, and how many of the closest nodes a look-up hears
    /// before it ends. The paper has 20.
    #[schemars(range(min = 1, max = 64))]
    pub bucket_size: u32,
    /// How many of the nearest nodes are kept beside the buckets; at least `replicas - 1`.
    #[schemars(range(min = 1, max = 64))]
    pub siblings: u32,
    /// How many requests of a look-up are under way at a time.
    #[schemars(range(min = 1, max = 64))]
    pub parallelism: u32,
    /// How many newer contacts a full bucket remembers, to replace those that die.
    #[schemars(range(min = 0, max = 64))]
    pub replacements: u32,
    /// The period in which a node looks up a key in each bucket that had no look-up meanwhile, and
    /// pings contacts that it has not heard of. The paper has an hour, and no pings.
    #[schemars(extend("x-period" = true))]
    pub refresh: Duration,
    /// The period in which a node sends the records that it holds to the nodes closest to them.
    #[schemars(extend("x-period" = true))]
    pub republish: Duration,
    /// How long a node waits for an answer.
    #[schemars(extend("x-period" = true))]
    pub rpc_timeout: Duration,
    /// How often a request is sent, each time with the same time-out, before the other is taken for
    /// dead. With one, every lost datagram drops a living node.
    #[schemars(range(min = 1, max = 10))]
    pub tries: u32,
    /// The number of bits of an identifier.
    #[schemars(range(min = 8, max = 160))]
    pub id_bits: u32,
    /// How many nodes hold each value: those that are closest to its key, at most `bucket_size`.
    /// The paper has all of `bucket_size`.
    #[schemars(range(min = 1, max = 64))]
    pub replicas: u32,
    /// How the overlay begins.
    pub start: OverlayStart,
}

impl Default for Kademlia {
    fn default() -> Self {
        Self {
            bucket_size: 8,
            siblings: 8,
            parallelism: 3,
            replacements: 8,
            refresh: Duration::from_secs(1_000),
            republish: Duration::from_secs(3_600),
            rpc_timeout: Duration::from_millis(1_500),
            tries: 1,
            id_bits: 160,
            replicas: 4,
            start: OverlayStart::Converged,
        }
    }
}
