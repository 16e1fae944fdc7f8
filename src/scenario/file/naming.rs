//! The table about DNS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{Publish, ResolverProfile, ZoneUpdates};
use super::Secondaries;
use crate::units::{Duration, Probability};

/// The authority for the overlay's domain and the recursive resolvers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// The overlay's domain: its A record, or SRV set, is the binding of the proxy role. Not `ns` in
    /// its zone, and with `[dyndns]` not `members`.
    #[schemars(extend("x-kind" = "domain"))]
    pub domain: String,
    /// The TTL of the binding, in whole seconds.
    #[schemars(extend("x-whole-seconds" = true))]
    pub ttl: Duration,
    /// The time from the update endpoint's acceptance of an update to the authority's serving it. An
    /// update by RFC 2136 is served as soon as the primary has accepted it.
    pub publish_delay: Duration,
    /// How long a negative answer may be cached, in whole seconds.
    #[schemars(extend("x-whole-seconds" = true))]
    pub negative_ttl: Duration,
    /// What the binding stands in the zone as.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`a`; `srv` with the strategy `standby`"))]
    pub publish: Option<Publish>,
    /// Whose dynamic updates (RFC 2136) the primary carries out.
    pub update: ZoneUpdates,
    /// Other name servers of the domain's zone, which copy it from the primary: how many, or a table
    /// such as `{ count = 2, notify = true, notify_delay = "5s", refresh = "20m", retry = "3m", expire
    /// = "14d", journal = 100 }`, whose other keys have these defaults. Each resolver asks one of all
    /// name servers, dealt in turn over the resolvers of a group; where that is silent, the next. They
    /// are the hosts `dns-secondary-1` and on; updates go to the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`0`"))]
    pub secondaries: Option<Secondaries>,
    /// A group of recursive resolvers. Hosts and callers name the group that they use and are
    /// dealt over its resolvers round-robin, in the order of their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolver: Vec<Resolver>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            domain: "chord.dyndns.org".to_owned(),
            ttl: Duration::from_secs(60),
            publish_delay: Duration::default(),
            negative_ttl: Duration::from_secs(60),
            publish: None,
            update: ZoneUpdates::Tsig,
            secondaries: None,
            resolver: Vec::new(),
        }
    }
}

/// A group of recursive resolvers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolver {
    /// The group's name, by which hosts and callers choose it.
    #[schemars(extend("x-kind" = "slug"))]
    pub name: String,
    /// How many resolvers the group has, or `"each"`: one for every host that uses it.
    #[serde(default = "eight_resolvers")]
    pub count: ResolverNumber,
    /// Whose habits the resolvers have. The three keys below override it.
    #[serde(default = "rfc")]
    pub profile: ResolverProfile,
    /// Cache entries live at least this long, in whole seconds: a floor above the record's TTL makes
    /// a TTL violator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`0s`", "x-whole-seconds" = true))]
    pub min_ttl: Option<Duration>,
    /// Cache entries live at most this long, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`1d` (`rfc`, `unbound`), `7d` (`bind`)", "x-whole-seconds" = true))]
    pub max_ttl: Option<Duration>,
    /// Whether entries in use are fetched again shortly before they end: in the last tenth of the
    /// TTL, or for `bind` in the last 2 s of a TTL of at least 9 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`false` (`rfc`, `unbound`), `true` (`bind`)"))]
    pub prefetch: Option<bool>,
    /// Whether record sets are served beyond their life (RFC 8767): `false`, or a table such as
    /// `{ ttl = "1d", reply_ttl = "30s", client_timeout = "1.8s" }`, whose keys have these defaults.
    /// They are for so long, with so short a TTL, to a client that has waited so long; with
    /// `client_timeout = "0s"` at once, and the authority is asked behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`false`"))]
    pub serve_stale: Option<ServeStale>,
    /// A share of the group, rounded to whole resolvers, extends TTLs: entries live at least for the
    /// floor, such as `{ share = "8.74%", floor = "300s" }`. Which ones hangs on their names alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub extenders: Option<Extenders>,
    /// The group that these resolvers ask in place of the name servers: a chain of caches. They are
    /// dealt over its resolvers, as hosts are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub forward: Option<String>,
}

/// Whether record sets are served beyond their life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum ServeStale {
    /// Whether, as RFC 8767 suggests.
    Word(bool),
    /// They are, so.
    Table {
        /// For how long beyond their life.
        #[serde(default = "a_day")]
        #[schemars(extend("x-above-zero" = true))]
        ttl: Duration,
        /// The TTL of a stale answer, if the record's own was not shorter; in whole seconds.
        #[serde(default = "half_a_minute")]
        #[schemars(extend("x-whole-seconds" = true))]
        reply_ttl: Duration,
        /// How long a client waits for a fresh answer.
        #[serde(default = "client_patience")]
        client_timeout: Duration,
    },
}

/// `serve-expired-ttl` of unbound, `max-stale-ttl` of BIND.
#[must_use]
pub fn a_day() -> Duration {
    Duration::from_secs(86_400)
}

/// RFC 8767 §4.
#[must_use]
pub fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

/// RFC 8767 §5.
#[must_use]
pub fn client_patience() -> Duration {
    Duration::from_millis(1_800)
}

/// Resolvers that extend TTLs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extenders {
    /// Their share of the group. 8.74 % of 8,524 resolvers did in a measurement (Bhowmick et al.,
    /// PAM 2023).
    #[serde(default = "measured_share")]
    pub share: Probability,
    /// Entries live at least this long, in whole seconds.
    #[serde(default = "five_minutes")]
    #[schemars(extend("x-whole-seconds" = true))]
    pub floor: Duration,
}

fn measured_share() -> Probability {
    Probability(0.0874)
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

/// The longest that entries live in a resolver of a profile, and whether it prefetches. Unbound:
/// `cache-max-ttl` 86400, `prefetch` no; BIND: `max-cache-ttl` one week, `prefetch` 2 9.
#[must_use]
pub fn resolver_habits(profile: ResolverProfile) -> (Duration, bool) {
    match profile {
        ResolverProfile::Rfc | ResolverProfile::Unbound => (RESOLVER_MAX_TTL, false),
        ResolverProfile::Bind => (Duration::from_secs(7 * 86_400), true),
    }
}

/// The longest that entries live in most resolvers: a day.
pub const RESOLVER_MAX_TTL: Duration = Duration::from_secs(86_400);

fn eight_resolvers() -> ResolverNumber {
    ResolverNumber::Number(8)
}

fn rfc() -> ResolverProfile {
    ResolverProfile::Rfc
}

/// How many resolvers a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ResolverNumber {
    /// So many.
    Number(#[schemars(range(min = 1, max = 1_000_000))] u32),
    /// One for every host.
    Word(EachWord),
}

/// The word for one a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EachWord {
    /// One for every host that uses the group.
    Each,
}
