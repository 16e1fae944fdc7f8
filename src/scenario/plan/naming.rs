//! What a plan says about DNS and about how the binding is updated.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::SimDuration;

/// `[dns]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsPlan {
    /// The overlay's domain name, lower case, without a final dot.
    pub domain: String,
    /// The TTL of the binding: whole seconds.
    pub ttl: SimDuration,
    /// From the endpoint's acceptance to the authority's serving.
    pub publish_delay: SimDuration,
    /// How long a negative answer may be cached: whole seconds.
    pub negative_ttl: SimDuration,
    /// What the binding stands in the zone as.
    pub publish: Publish,
    /// Whose dynamic updates the primary carries out.
    pub update: ZoneUpdates,
    /// The secondaries of the zone, if it has any.
    pub secondaries: Option<SecondariesPlan>,
    /// The groups of recursive resolvers, in the order of the file. Names are distinct.
    pub resolvers: Vec<ResolverPlan>,
}

impl DnsPlan {
    /// How many name servers the zone has.
    #[must_use]
    pub fn servers(&self) -> u32 {
        1 + self.secondaries.map_or(0, |secondaries| secondaries.count)
    }

    /// The groups that this group's questions pass, itself first. Groups do not forward in a circle.
    pub fn chain(&self, group: ResolverGroup) -> impl Iterator<Item = ResolverGroup> {
        std::iter::successors(Some(group), |group| self.resolvers[group.index()].forward)
    }

    /// The longest that a resolver serves the binding which the authority has changed, where the
    /// authority answers. In a chain the group that asks the authority holds it for its whole life;
    /// each before that can have asked at the end of it, and adds its floor.
    #[must_use]
    pub fn longest_life(&self) -> SimDuration {
        let groups = (0..).map(ResolverGroup).take(self.resolvers.len());
        let lives = groups.map(|group| {
            let mut chain: Vec<&ResolverPlan> =
                self.chain(group).map(|it| &self.resolvers[it.index()]).collect();
            let asks = chain.pop().expect("a chain begins with a group");
            let floors = chain.into_iter().map(|it| it.floor(it.extends()));
            floors.fold(asks.life(self.ttl, asks.extends()), SimDuration::saturating_add)
        });
        lives.max().unwrap_or(self.ttl).max(self.ttl)
    }
}

/// Secondaries of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondariesPlan {
    /// How many; at least 1.
    pub count: u32,
    /// Whether they are told of changes.
    pub notify: bool,
    /// The least time between two sets of NOTIFYs.
    pub notify_delay: SimDuration,
    /// REFRESH, whole seconds above zero.
    pub refresh: SimDuration,
    /// RETRY, whole seconds above zero.
    pub retry: SimDuration,
    /// EXPIRE, whole seconds, not below `refresh`.
    pub expire: SimDuration,
    /// So many versions are sent as differences.
    pub journal: u32,
}

/// A group of resolvers: an index into [`DnsPlan::resolvers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolverGroup(pub u32);

impl ResolverGroup {
    /// The index as such.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// `[[dns.resolver]]`: a group of recursive resolvers, its users spread over them.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolverPlan {
    /// The group's name.
    pub name: String,
    /// How many resolvers it has.
    pub count: ResolverCount,
    /// Whose habits it has; what the profile says of the keys below is already in them.
    pub profile: ResolverProfile,
    /// Entries live at least this long: whole seconds.
    pub min_ttl: SimDuration,
    /// Entries live at most this long: whole seconds, not below `min_ttl`.
    pub max_ttl: SimDuration,
    /// Whether entries are fetched again before they end (when, the profile says).
    pub prefetch: bool,
    /// How record sets are served beyond their life, if they are.
    pub serve_stale: Option<ServeStale>,
    /// Which part of the group extends TTLs, if any does.
    pub extenders: Option<Extenders>,
    /// The group that it asks in place of the name servers.
    pub forward: Option<ResolverGroup>,
}

impl ResolverPlan {
    /// How long an entry lives that came with this TTL, in a resolver that extends TTLs or in
    /// another.
    #[must_use]
    pub fn life(&self, ttl: SimDuration, extends: bool) -> SimDuration {
        ttl.max(self.floor(extends)).min(self.max_ttl)
    }

    /// Whether some of its resolvers extend TTLs.
    fn extends(&self) -> bool {
        self.extenders.is_some_and(|extenders| extenders.share > 0.0)
    }

    /// The least that an entry lives.
    #[must_use]
    pub fn floor(&self, extends: bool) -> SimDuration {
        match self.extenders.filter(|_| extends) {
            Some(extenders) => self.min_ttl.max(extenders.floor),
            None => self.min_ttl,
        }
    }
}

/// How record sets are served beyond their life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeStale {
    /// For how long.
    pub ttl: SimDuration,
    /// With which TTL: whole seconds.
    pub reply_ttl: SimDuration,
    /// To a client that has waited for so long.
    pub client_timeout: SimDuration,
}

/// Resolvers that extend TTLs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extenders {
    /// Their share of the group, in [0, 1].
    pub share: f64,
    /// Entries live at least this long: whole seconds, not above the group's `max_ttl`.
    pub floor: SimDuration,
}

/// How many resolvers a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolverCount {
    /// One for every host that uses the group.
    Each,
    /// So many; at least 1.
    Fixed(u32),
}

/// Whose habits a resolver has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ResolverProfile {
    /// An entry lives exactly its TTL.
    Rfc,
    /// Unbound's.
    Unbound,
    /// BIND's.
    Bind,
}

/// What the binding stands in the zone as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Publish {
    /// The A record of the domain.
    A,
    /// An SRV set for SIP over UDP below the domain, beside an A record of the preferred peer. It
    /// takes updates by RFC 2136; bare look-ups ask for the set.
    Srv,
}

/// Whose dynamic updates (RFC 2136) a primary carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ZoneUpdates {
    /// Those that are signed with the key that all members have (RFC 8945).
    Tsig,
    /// Nobody's.
    Refused,
}

/// The protocol that updates the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UpdateProtocol {
    /// The HTTP interface of DynDNS.
    Dyndns2,
    /// Signed dynamic updates of DNS, sent to the zone's primary, `ns` in the zone, over UDP.
    Rfc2136,
}

/// When an update by RFC 2136 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UpdateIf {
    /// Whatever the binding is: the last one wins.
    Always,
    /// Only if the binding still is the address whose failed test is the reason, or does not exist
    /// if there was none: the first one wins, others step down.
    Unchanged,
}
