//! The tables of conventional SIP: a domain with its server, its users, and what they do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{ArrivalModel, Callee, SipProfile};
use super::systems::poisson;
use crate::units::{Duration, Rate};

/// A conventional domain: one server with one resolver, and its users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The domain's name; not the overlay's.
    #[schemars(extend("x-kind" = "domain"))]
    pub domain: String,
    /// The group that the server's resolver is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the only group"))]
    pub resolver: Option<String>,
    /// How many users are generated: `user-0001` and on, each a phone that registers at the
    /// domain's server. With `0` the server stands there for the phones of `[[host]]` alone.
    #[serde(default = "ten_users")]
    #[schemars(range(max = 60_000))]
    pub users: u32,
    /// Whether the SIP server embeds a peer of the overlay (Shim et al.): it looks there for the
    /// overlay's users, without DNS, and copies there what its own users register. The peer is a
    /// member beside those of `overlay.nodes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`true` with the strategy `embedded`, otherwise `false`"))]
    pub embeds: Option<bool>,
    /// Whether the overlay stands in for the SIP server. In DNS the domain is then a set of services,
    /// its own server first and the overlay's domain second, so that whoever fails over (RFC 3263)
    /// comes to the proxy peer when the server is gone; the domain's phones do. The proxy peer finds
    /// the users where the server's peer has copied them (so it takes `embeds`); nobody can register
    /// meanwhile. A server that returns finds there whom it has forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`false`"))]
    pub overlay_backup: Option<bool>,
    /// Whose habits the SIP server has. The seven keys from `dns_cache` to `fr_timer` override
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`ser`"))]
    pub profile: Option<SipProfile>,
    /// Whether the server keeps DNS answers itself, as long as their TTL allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`true` (`ser`, `kamailio`), `false` (`ser-0.9`, `rfc3261`)"))]
    pub dns_cache: Option<bool>,
    /// How long it keeps negative answers, whatever the zone says; `"0s"`: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`60s`"))]
    pub dns_negative_ttl: Option<Duration>,
    /// Whether it asks for NAPTR records before SRV and A (RFC 3263).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`true` (`rfc3261`), `false` (all others)"))]
    pub naptr: Option<bool>,
    /// Whether a request that fails is sent to the next address of the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`true` (`rfc3261`), `false` (all others)"))]
    pub failover: Option<bool>,
    /// Whether addresses that did not answer are left alone for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`false`"))]
    pub blocklist: Option<bool>,
    /// How many requests the server works on at a time, a look-up in DNS included, or
    /// `"unlimited"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "8; `unlimited` (`rfc3261`)"))]
    pub workers: Option<WorkerNumber>,
    /// How long the server waits for the first response to a request that it forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`30s`; `32s` (`rfc3261`: timers B and F)", "x-period" = true))]
    pub fr_timer: Option<Duration>,
    /// Whom the users call: members of the overlay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`online`"))]
    pub callee: Option<Callee>,
    /// Bare look-ups of the overlay's name by each user, in place of SIP: such a domain has no SIP
    /// server, and none of the keys from `embeds` to `callee`. A user needs this or at least one
    /// of the three tables below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookups: Option<Workload>,
    /// Instant messages from each user to users of the overlay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Workload>,
    /// Calls from each user to users of the overlay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Calls>,
    /// Subscriptions of each user to the presence of users of the overlay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<Subscriptions>,
    /// Instant messages in the other direction: from members of the overlay, any that is up, to the
    /// users of this domain, so many from all members together. They need no proxy peer, and are the
    /// control: a handover must not harm them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Workload>,
}

fn ten_users() -> u32 {
    10
}

/// How many requests a server works on at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum WorkerNumber {
    /// So many.
    Number(#[schemars(range(min = 1, max = 10_000))] u32),
    /// As many as come.
    Word(UnlimitedWord),
}

/// The word for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnlimitedWord {
    /// As many as come.
    Unlimited,
}

/// How often each user does something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// How regular they are.
    #[serde(default = "poisson")]
    pub model: ArrivalModel,
    /// How often each user does it. Either this or `interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`interval` is given"))]
    pub rate: Option<Rate>,
    /// The (mean) time between two of a user. Either this or `rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`rate` is given", "x-period" = true))]
    pub interval: Option<Duration>,
}

/// How often each user calls, and how long it talks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// How regular they are.
    #[serde(default = "poisson")]
    pub model: ArrivalModel,
    /// How often each user calls. Either this or `interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`interval` is given"))]
    pub rate: Option<Rate>,
    /// The (mean) time between two calls of a user. Either this or `rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`rate` is given", "x-period" = true))]
    pub interval: Option<Duration>,
    /// The mean time from answer to hanging up, exponentially distributed.
    #[serde(default = "two_minutes")]
    #[schemars(extend("x-above-zero" = true))]
    pub talk: Duration,
}

/// How long a call lasts that says nothing else.
#[must_use]
pub fn two_minutes() -> Duration {
    Duration::from_secs(120)
}

/// How often each user subscribes, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscriptions {
    /// How regular they are.
    #[serde(default = "poisson")]
    pub model: ArrivalModel,
    /// How often each user subscribes. Either this or `interval`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`interval` is given"))]
    pub rate: Option<Rate>,
    /// The (mean) time between two subscriptions of a user. Either this or `rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`rate` is given", "x-period" = true))]
    pub interval: Option<Duration>,
    /// How long a user keeps a subscription, refreshing its lease, before it ends it.
    #[serde(default = "one_hour")]
    #[schemars(extend("x-above-zero" = true))]
    pub keep: Duration,
}

fn one_hour() -> Duration {
    Duration::from_secs(3_600)
}
