//! The tables about what is said in calls, and by which way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::Relayed;
use crate::units::Duration;

/// What is said in calls: RTP from both ends, once a call is up, to where the session description of
/// the other end says. Without the section nothing is. Media counts neither as signalling nor in
/// `messages_per_node_hour`; `signalling.csv` has it as the purpose `media`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// The time between two packets of one end. G.711 has one every 20 ms; a longer interval takes a
    /// sample of them, for less work.
    #[schemars(extend("x-period" = true))]
    pub interval: Duration,
    /// Octets of voice in a packet: 160 in 20 ms of G.711.
    #[schemars(range(min = 1, max = 1400))]
    pub payload: u16,
    /// A user agent that hears nothing for so long hangs up, as linphone does. Not below `interval`.
    #[schemars(extend("x-above-zero" = true))]
    pub patience: Duration,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            interval: "20ms".parse().expect("it is a duration"),
            payload: 160,
            patience: "30s".parse().expect("it is a duration"),
        }
    }
}

/// The relay agent peer of Marocco & Bryan: a member of the overlay that relays by TURN (RFC 8656).
/// Its clients have an address on it for their media, and those whose translator does not forward
/// the SIP port another one for SIP, under which they are found in the overlay. Requests from
/// outside come to that from the proxy peer, the only one who is let in unasked: so there has to be
/// one, `handover.strategy = "static"`, which stays on the way, `handover.record_route`. Requests of
/// other members to such a client fail. Without the section nothing is relayed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The member that is the relay: named, or generated such as `node-00002`. It may be the proxy
    /// peer. A generated one is never behind a translator of addresses.
    pub host: String,
    /// Whose media it relays.
    #[serde(default)]
    pub clients: Relayed,
    /// How long it lets an allocation last that is not renewed: a client renews it a minute ahead of
    /// its end. Permissions last 300 s and channels 600 s, as RFC 8656 has it.
    #[serde(default = "ten_minutes")]
    #[schemars(extend("x-above-zero" = true))]
    pub lifetime: Duration,
    /// How often a client keeps the mapping of its translator alive.
    #[serde(default = "keepalive")]
    #[schemars(extend("x-period" = true))]
    pub keepalive: Duration,
}

fn ten_minutes() -> Duration {
    "10m".parse().expect("it is a duration")
}

fn keepalive() -> Duration {
    "25s".parse().expect("it is a duration")
}
