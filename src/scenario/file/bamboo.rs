//! The table `[overlay.bamboo]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::plan::OverlayStart;
use crate::units::Duration;

/// The parameters of Bamboo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bamboo {
    /// The number of leaves on each side: the leaf set has twice as many.
    #[schemars(range(min = 1, max = 32))]
    pub leaves: u32,
    /// The number of bits of a digit: the routing table has 2 to the power of it columns.
    #[schemars(range(min = 1, max = 8))]
    pub digit_bits: u32,
    /// The period in which a node exchanges leaf sets with a random leaf.
    #[schemars(extend("x-period" = true))]
    pub leaf_exchange: Duration,
    /// The period of local tuning: a node asks one node of its routing table after another for its
    /// row.
    #[schemars(extend("x-period" = true))]
    pub local_tuning: Duration,
    /// The period of global tuning: a node looks up a random key and takes the owner for its table.
    #[schemars(extend("x-period" = true))]
    pub global_tuning: Duration,
    /// Whether of two nodes that fit an entry of the routing table the nearer one is taken.
    pub proximity: bool,
    /// How long a node waits for the first answer of another. As soon as round-trip times are known,
    /// it waits for their mean and four times their deviation.
    #[schemars(extend("x-period" = true))]
    pub rpc_timeout: Duration,
    /// The shortest time that it waits; at most `rpc_timeout`.
    #[schemars(extend("x-period" = true))]
    pub min_timeout: Duration,
    /// The longest time that it waits, however often it has waited in vain; at least `rpc_timeout`.
    #[schemars(extend("x-period" = true))]
    pub max_timeout: Duration,
    /// How often a request is sent, each time with twice the time-out, before the other is taken for
    /// dead.
    #[schemars(range(min = 1, max = 10))]
    pub tries: u32,
    /// The number of bits of an identifier.
    #[schemars(range(min = 8, max = 160))]
    pub id_bits: u32,
    /// How many nodes hold each value: those that are closest to its key. At most a node and its
    /// leaves.
    #[schemars(range(min = 1, max = 64))]
    pub replicas: u32,
    /// How the overlay begins.
    pub start: OverlayStart,
}

impl Default for Bamboo {
    fn default() -> Self {
        Self {
            leaves: 4,
            digit_bits: 4,
            leaf_exchange: Duration::from_secs(4),
            local_tuning: Duration::from_secs(10),
            global_tuning: Duration::from_secs(20),
            proximity: true,
            rpc_timeout: Duration::from_millis(1_500),
            min_timeout: Duration::from_millis(200),
            max_timeout: Duration::from_secs(60),
            tries: 3,
            id_bits: 160,
            replicas: 4,
            start: OverlayStart::Converged,
        }
    }
}
