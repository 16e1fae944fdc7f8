//! The part of the plan about what is said in calls, and by which way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::SimDuration;

/// `[media]`: what is said in calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaPlan {
    /// The time between two packets, above zero.
    pub interval: SimDuration,
    /// Octets of voice in each, above zero.
    pub payload: u16,
    /// After how long without one a user agent hangs up; not below the interval.
    pub patience: SimDuration,
}

/// `[relay]`: the relay agent peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPlan {
    /// The name of the member.
    pub host: String,
    /// Whose media it relays.
    pub clients: Relayed,
    /// How long an allocation lasts, a second at least.
    pub lifetime: SimDuration,
    /// How often a mapping is kept alive, above zero.
    pub keepalive: SimDuration,
}

/// Whose media a relay relays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relayed {
    /// That of members behind a translator of addresses.
    #[default]
    Nat,
    /// That of all members.
    All,
}
