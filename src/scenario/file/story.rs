//! The tables of told stories: named hosts, the script, and when it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{HostFirewall, HostNat, PresenceStatus};
use crate::units::Duration;

/// A named host: an overlay member, or a phone of a conventional domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Its name: letters, digits and dashes; not `proxy`, `dns-authority`, `update-service`, nor
    /// `node-` with five digits or more, nor the name of a resolver or a caller.
    #[schemars(extend("x-kind" = "slug"))]
    pub name: String,
    /// The name of its SIP user; not that of another, nor of a generated one (`node-00001` in the
    /// overlay, `user-0001` in a conventional domain).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`name`", "x-kind" = "user"))]
    pub user: Option<String>,
    /// The conventional domain, one of `[[caller]]`, that it is a phone of. Without the key it is a
    /// member of the overlay, and its user belongs to the overlay's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none", "x-kind" = "domain"))]
    pub domain: Option<String>,
    /// When it comes up.
    #[serde(default)]
    pub start: Duration,
    /// The group of resolvers that it asks; a phone asks none, but sends everything to its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`overlay.resolver`"))]
    pub resolver: Option<String>,
    /// Whether it is behind a translator of addresses, as `[network.nat]` describes them; not of a
    /// phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`none`"))]
    pub nat: Option<HostNat>,
    /// What its packet filter does, as `[network.firewall]` describes it; not of a phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`answers`"))]
    pub firewall: Option<HostFirewall>,
}

/// A line of the script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it is played, once. Either this or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`every` is given"))]
    pub at: Option<Duration>,
    /// When it is played, again and again: first after this time. Either this or `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`at` is given", "x-period" = true))]
    pub every: Option<Duration>,
    /// The moment is drawn uniformly from this much time, from `at` (or each `every`) on; from `at`
    /// on it must lie within the run.
    #[serde(default)]
    pub spread: Duration,
    /// What happens.
    pub action: EventAction,
    /// To whom, of `depart`, `return` and `address_change`: `"proxy"`, whoever is in the binding; a named
    /// or generated member, such as `"alice"` or `"node-00001"`; or a share of the members, such as
    /// `"10%"`. The first two also to the SIP server of a conventional domain, by its domain; it comes
    /// back as one that was just switched on. Who acts, of what users do: a named host, a generated
    /// member, or a generated phone, such as `"user-0001@a.example"`. Required by all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub host: Option<String>,
    /// Who is cut off by `partition`: one or several of `"proxy"`, whoever is in the binding then;
    /// named or generated members; a share of all members, such as `"50%"`, the same each time; a
    /// conventional domain, with its phones; a group of resolvers; `"dns-authority"`;
    /// `"update-service"`. A resolver of `count = "each"` stands where its host stands. They reach
    /// each other, and nobody else reaches them. Required by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub hosts: Option<FarHosts>,
    /// Whom a user addresses: `"user@domain"` or `"sip:user@domain"`, a user that exists. Required
    /// by `message`, `subscribe`, `unsubscribe` and `call`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub to: Option<String>,
    /// How long it lasts: the host returns, the endpoint answers, the partition is healed, or the
    /// subscription is ended after that. Without the key it lasts.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none", "x-above-zero" = true))]
    pub lasting: Option<Duration>,
    /// Whether a departure is announced, as by `churn.graceful`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`false`"))]
    pub graceful: Option<bool>,
    /// What an instant message says: 1300 octets at most (RFC 3428).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`Hello`"))]
    pub text: Option<String>,
    /// How long a call lasts from its answer on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`120s`", "x-above-zero" = true))]
    pub talk: Option<Duration>,
    /// What is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`open`"))]
    pub status: Option<PresenceStatus>,
}

/// Who is cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FarHosts {
    /// One, or a share.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// What a line of the script does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    /// Members, or a SIP server, go: takes `host`, `for` and `graceful`.
    Depart,
    /// Departed ones come back: takes `host`.
    Return,
    /// Members that are up get other addresses, the next free ones, and notice it after
    /// `network.address_change.noticed_after`: takes `host`.
    AddressChange,
    /// The update endpoint stops answering: takes `for`.
    DyndnsDown,
    /// It answers again.
    DyndnsUp,
    /// Hosts are cut off from all others: takes `hosts` and `for`. What a partition separates is
    /// lost in silence. A line that is played again while its partition is in force renews it.
    Partition,
    /// All partitions are over.
    Heal,
    /// A user registers anew; all do once when they come up: takes `host`.
    Register,
    /// A user's presence changes: a conventional one publishes it at its server, one of the overlay
    /// tells those that watch it: takes `host` and `status`.
    Publish,
    /// A user sends an instant message: takes `host`, `to` and `text`.
    Message,
    /// A user subscribes to the presence of another: takes `host`, `to` and `for`.
    Subscribe,
    /// It ends that subscription: takes `host` and `to`.
    Unsubscribe,
    /// A user calls another: takes `host`, `to` and `talk`.
    Call,
    /// A human at the update endpoint lifts the block of `dyndns.abuse_limit`; updates count anew.
    DyndnsReset,
}

/// When the run ends before its time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// After so many departures of the binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "never"), range(min = 1, max = 9_223_372_036_854_775_807_i64))]
    pub after_departures: Option<u64>,
}

impl Stop {
    /// Whether nothing but `duration` ends the run.
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Self::default()
    }
}
