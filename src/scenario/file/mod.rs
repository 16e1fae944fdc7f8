//! A scenario as written: one struct a table, one field a key.
//!
//! These types say what may stand in a file and what an absent key means. The doc comment of a
//! field is the key's documentation: the JSON Schema and `scenarios/README.md` are generated from
//! it, and the reader checks a file against the same schema. `x-default` tells the default of a
//! key whose default depends on other keys. What goes beyond a single key is checked in
//! [`check`](super::check).

mod bamboo;
mod behaviour;
mod beside;
mod conventional;
mod daemon;
mod kademlia;
mod naming;
mod network;
mod relay;
mod story;
mod systems;
mod telling;

pub use bamboo::Bamboo;
pub use behaviour::{Churn, ChurnModel, Handover, LifetimeModel, Reading};
pub use beside::Beside;
pub use conventional::{
    Caller, Calls, Subscriptions, UnlimitedWord, WorkerNumber, Workload, two_minutes,
};
pub use daemon::Daemon;
pub use kademlia::Kademlia;
pub use naming::{
    Dns, EachWord, Extenders, RESOLVER_MAX_TTL, Resolver, ResolverNumber, ServeStale, a_day,
    client_patience, half_a_minute, resolver_habits,
};
pub use network::{AddressChange, Bursts, Firewall, Nat};
pub use relay::{Media, Relay};
pub use story::{Event, EventAction, FarHosts, Host, Stop};
pub use systems::{
    AbuseLimit, AllWord, ApplicationCache, Chord, DynDns, ForeverWord, Latency, LatencyModel,
    Network, NoneWord, Overlay, OverlayLookups, Plugin, RoundFingers,
};
pub use telling::{Exchange, Story};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Duration, Ratio};

/// The version of the scenario language that this program reads.
pub const SCHEMA: u32 = 1;

/// A simulated story: who is there, who comes and goes, who asks, and how the proxy role is handed
/// over. Every key but `name` has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The version of the scenario language.
    #[serde(default = "schema_version")]
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// The scenario's name, a slug: letters, digits and dashes. It names folders.
    #[schemars(extend("x-kind" = "slug"))]
    pub name: String,
    /// One sentence that says what is simulated.
    #[serde(default)]
    pub description: String,
    /// The seed of all randomness in the first replication; further ones count up from it.
    #[serde(default = "seed")]
    #[schemars(range(max = 9_223_372_036_854_775_807_i64))]
    pub seed: u64,
    /// How long the run lasts, in simulated time. It may be left out beside trace churn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`12h`; with trace churn the span of the trace", "x-period" = true))]
    pub duration: Option<Duration>,
    /// The first part of the run: observed, but not counted. Shorter than `duration`.
    #[serde(default = "warmup")]
    pub warmup: Duration,
    /// How many runs at each point of a sweep, each with its own seed. It may stand in `[sweep]` as
    /// well.
    #[serde(default)]
    pub replications: Replications,
    /// The time between two snapshots, the rows of `timeline.csv`; messages are counted over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`duration` / 500", "x-period" = true))]
    pub timeline_bin: Option<Duration>,
    /// The network between all hosts.
    #[serde(default)]
    pub network: Network,
    /// The authority for the overlay's domain and the recursive resolvers. Without the section
    /// there is no DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
    /// The dynamic DNS endpoint that accepts updates by HTTP. Without the section there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dyndns: Option<DynDns>,
    /// The overlay and its members.
    #[serde(default)]
    pub overlay: Overlay,
    /// Who comes and goes. Without the section everybody stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
    /// How the proxy role is handed over. Without the section nobody plays it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// What is said in calls. Without the section nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// The member that relays media, and SIP, to others. Without the section there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// A conventional domain, one server with one resolver, whose users call those of the overlay,
    /// or only ask for its name. Without generated users it stands there for named phones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caller: Vec<Caller>,
    /// A named overlay member, or a phone of a conventional domain, for small, told stories. Where
    /// no `overlay.nodes` are generated, the first member to start founds the overlay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host: Vec<Host>,
    /// A line of the script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event: Vec<Event>,
    /// What is told of the run, message by message, and ticked off. Of several runs the first is
    /// told; an exchange that is not met, in any of them, makes `overcord run` fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
    /// When the run ends before `duration` does.
    #[serde(default, skip_serializing_if = "Stop::is_never")]
    pub stop: Stop,
}

impl File {
    /// How long a run lasts that says nothing else.
    pub const DURATION: Duration = Duration::from_secs(12 * 3_600);
}

fn schema_version() -> u32 {
    SCHEMA
}

fn seed() -> u64 {
    2009
}

fn warmup() -> Duration {
    Duration::from_secs(3_600)
}

/// The metric that runs are added for.
fn watched_metric() -> String {
    "stale_share".to_owned()
}

/// How many runs are made between two looks at the interval.
fn batch() -> u32 {
    10
}

/// How many runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Replications {
    /// So many.
    Number(#[schemars(range(min = 1))] u32),
    /// As many as it takes.
    Until {
        /// Until half the width of the 95 % interval of `metric` is at most this share of its mean,
        /// at each point of a sweep by itself.
        #[schemars(extend("x-above-zero" = true))]
        until: Ratio,
        /// The metric, a column of `runs.csv`.
        #[serde(default = "watched_metric")]
        metric: String,
        /// How many runs are made at first, and again each time that the interval is too wide.
        #[serde(default = "batch")]
        #[schemars(range(min = 2))]
        at_least: u32,
        /// The most runs.
        #[schemars(range(min = 2))]
        at_most: u32,
    },
}

impl Default for Replications {
    fn default() -> Self {
        Self::Number(1)
    }
}
