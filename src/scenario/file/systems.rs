//! The tables about what is simulated: network, DNS, update endpoint, overlay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{ArrivalModel, DepartedHosts, DynDnsAuth, OverlayStart, Routing};
use crate::units::{Duration, Probability, Rate, Ratio};

/// The network between all hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The one-way delay of a pair of hosts, the same in both directions and for the whole run.
    pub latency: Latency,
    /// The greatest extra share of the base delay, drawn uniformly for each message.
    pub jitter: Ratio,
    /// The probability that a message is lost.
    pub loss: Probability,
    /// What a message to a departed host meets.
    pub departed_hosts: DepartedHosts,
    /// Losses in bursts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<super::Bursts>,
    /// Translators of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nat: Option<super::Nat>,
    /// Packet filters on the hosts of members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<super::Firewall>,
    /// Addresses that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_change: Option<super::AddressChange>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            jitter: Ratio(0.0),
            loss: Probability(0.0),
            departed_hosts: DepartedHosts::Silent,
            bursts: None,
            nat: None,
            firewall: None,
            address_change: None,
        }
    }
}

/// The one-way delay of a pair of hosts. A key that the model does not take is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// How delays are distributed over pairs.
    pub model: LatencyModel,
    /// The delay of the `constant` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`40ms`"))]
    pub value: Option<Duration>,
    /// The shortest delay of the `uniform` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`20ms`"))]
    pub min: Option<Duration>,
    /// The longest delay of the `uniform` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`60ms`"))]
    pub max: Option<Duration>,
    /// The median delay of the `lognormal` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`40ms`", "x-above-zero" = true))]
    pub median: Option<Duration>,
    /// The standard deviation of the delay's natural logarithm in the `lognormal` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "0.5"), range(min = 0.0, max = 10.0))]
    pub sigma: Option<f64>,
    /// The number of routers of the `topology` model: a random connected graph, hosts dealt over
    /// its routers, delays along the shortest path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "100"), range(min = 1, max = 10_000))]
    pub routers: Option<u32>,
    /// How many links each router of the `topology` model opens to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "2"), range(min = 1, max = 100))]
    pub links: Option<u32>,
    /// The shortest delay of a link between routers in the `topology` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`2ms`"))]
    pub min_link: Option<Duration>,
    /// The longest delay of a link between routers in the `topology` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`20ms`"))]
    pub max_link: Option<Duration>,
    /// The delay between a host and its router in the `topology` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`5ms`"))]
    pub access: Option<Duration>,
    /// The dimensions of the space of the `coordinates` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "2"), range(min = 1, max = 3))]
    pub dimensions: Option<u32>,
    /// The side of the cube in which the `coordinates` model puts hosts, as a delay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`60ms`"))]
    pub side: Option<Duration>,
    /// The least height of the `coordinates` model, drawn uniformly for each host: its access line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`2ms`", "x-above-zero" = true))]
    pub min_height: Option<Duration>,
    /// The greatest height of the `coordinates` model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`20ms`"))]
    pub max_height: Option<Duration>,
    /// A file, relative to the scenario file; in `--set`, to the working directory. Of the
    /// `topology` model, in place of a random graph: `.graphml`, or `.edges` with a line each,
    /// `from to delay`; delays are in milliseconds or have a unit, and links lead both ways. Of the
    /// `coordinates` model, in place of random places: a table with a header, columns separated by
    /// commas, `x_ms`, perhaps `y_ms` and `z_ms`, `height_ms`, and perhaps `host` for the hosts
    /// whose places these are; all other hosts are dealt places that name nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub file: Option<String>,
    /// The `attr.name` of the links' delay in a GraphML file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`latency`"))]
    pub weight: Option<String>,
}

impl Latency {
    /// The model with no parameter given.
    #[must_use]
    pub fn of(model: LatencyModel) -> Self {
        Self {
            model,
            value: None,
            min: None,
            max: None,
            median: None,
            sigma: None,
            routers: None,
            links: None,
            min_link: None,
            max_link: None,
            access: None,
            dimensions: None,
            side: None,
            min_height: None,
            max_height: None,
            file: None,
            weight: None,
        }
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::of(LatencyModel::Lognormal)
    }
}

/// How delays are distributed over pairs of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyModel {
    /// All the same: takes `value`.
    Constant,
    /// Uniform: takes `min` and `max`.
    Uniform,
    /// Lognormal: takes `median` and `sigma`.
    Lognormal,
    /// Shortest paths through a graph: takes `access`, and `routers`, `links`, `min_link` and
    /// `max_link` for a random one, or `file` and `weight`.
    Topology,
    /// Distances between places, and heights above them, as of Vivaldi (Dabek et al., 2004): takes
    /// `dimensions`, `side`, `min_height` and `max_height` for random ones, or `file`.
    Coordinates,
}

/// The dynamic DNS endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DynDns {
    /// When clients show their credentials.
    pub auth: DynDnsAuth,
    /// What the endpoint takes to handle a request.
    pub service_time: Duration,
    /// `"none"`, or a table `{ updates = 10, per = "10m" }`: more updates than that in that time
    /// are answered with `abuse` until the host is reset.
    pub abuse_limit: AbuseLimit,
}

impl Default for DynDns {
    fn default() -> Self {
        Self {
            auth: DynDnsAuth::Challenge,
            service_time: Duration::from_millis(200),
            abuse_limit: AbuseLimit::Word(NoneWord::None),
        }
    }
}

/// From how many updates on the endpoint takes offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum AbuseLimit {
    /// Never.
    Word(NoneWord),
    /// From more than these on.
    Limit {
        /// How many updates are allowed.
        #[schemars(range(min = 1))]
        updates: u32,
        /// In this time.
        #[schemars(extend("x-above-zero" = true))]
        per: Duration,
    },
}

/// The word for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoneWord {
    /// No limit.
    None,
}

/// The overlay and its members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Overlay {
    /// The distributed hash table.
    pub plugin: Plugin,
    /// The target population: how many generated members are up on average (all of them, without
    /// churn). Refused beside trace churn, where the trace says who there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "200; 0 where members are named"), range(max = 5_000_000))]
    pub nodes: Option<u32>,
    /// The group of resolvers that members ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the only group"))]
    pub resolver: Option<String>,
    /// Members start their overlay node, and so their probes, uniformly spread over this time after
    /// the host came up.
    pub start_spread: Duration,
    /// How long the location of a SIP user stays in the overlay, in whole seconds; its node renews
    /// it at half of that. Users register where there is any SIP: a `[[caller]]` without `lookups`,
    /// a user or a phone in `[[host]]`, or an event by a user.
    #[schemars(extend("x-whole-seconds" = true, "x-above-zero" = true))]
    pub location_lifetime: Duration,
    /// The parameters of `plugin = "chord"`; with another plug-in they do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chord: Option<Chord>,
    /// The parameters of `plugin = "bamboo"`; with another plug-in they do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bamboo: Option<super::Bamboo>,
    /// The parameters of `plugin = "kademlia"`; with another plug-in they do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kademlia: Option<super::Kademlia>,
    /// Overlays beside this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<super::Beside>,
    /// Look-ups of random keys by each member. Without the table there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookups: Option<OverlayLookups>,
}

impl Overlay {
    /// The population of an overlay that says nothing else and names no hosts.
    pub const NODES: u32 = 200;
}

impl Default for Overlay {
    fn default() -> Self {
        Self {
            plugin: Plugin::Chord,
            nodes: None,
            resolver: None,
            start_spread: Duration::default(),
            location_lifetime: Duration::from_secs(3_600),
            chord: None,
            bamboo: None,
            kademlia: None,
            beside: Vec::new(),
            lookups: None,
        }
    }
}

/// The distributed hash tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plugin {
    /// Chord (Stoica et al., 2003).
    Chord,
    /// Bamboo (Rhea et al., 2004): leaf sets, prefix routing, periodic recovery.
    Bamboo,
    /// Kademlia (Maymounkov and Mazières, 2002): buckets by XOR distance, parallel look-ups.
    Kademlia,
}

/// The parameters of Chord.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Chord {
    /// The length of the successor list.
    #[schemars(range(min = 1, max = 64))]
    pub successors: u32,
    /// The period of `stabilize`.
    #[schemars(extend("x-period" = true))]
    pub stabilize: Duration,
    /// The period of `fix_fingers`.
    #[schemars(extend("x-period" = true))]
    pub fix_fingers: Duration,
    /// The period of `check_predecessor`.
    #[schemars(extend("x-period" = true))]
    pub check_predecessor: Duration,
    /// The number of bits of an identifier.
    #[schemars(range(min = 8, max = 160))]
    pub id_bits: u32,
    /// How a look-up travels.
    pub routing: Routing,
    /// How long a node waits for an answer.
    #[schemars(extend("x-period" = true))]
    pub rpc_timeout: Duration,
    /// How often a request is sent, each time with the same time-out, before the other is taken for
    /// dead; a look-up that is forwarded (`recursive`) is sent once. With one, every lost datagram
    /// drops a living node.
    #[schemars(range(min = 1, max = 10))]
    pub tries: u32,
    /// How many nodes hold each value.
    #[schemars(range(min = 1, max = 64))]
    pub replicas: u32,
    /// What one period of `fix_fingers` renews: `"all"` fingers, or so many of them, going round.
    pub fingers_per_round: RoundFingers,
    /// How the overlay begins.
    pub start: OverlayStart,
}

impl Default for Chord {
    fn default() -> Self {
        Self {
            successors: 8,
            stabilize: Duration::from_secs(20),
            fix_fingers: Duration::from_secs(120),
            check_predecessor: Duration::from_secs(5),
            id_bits: 160,
            routing: Routing::Iterative,
            rpc_timeout: Duration::from_millis(1_500),
            tries: 1,
            replicas: 4,
            fingers_per_round: RoundFingers::Word(AllWord::All),
            start: OverlayStart::Converged,
        }
    }
}

/// What one period of `fix_fingers` renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RoundFingers {
    /// So many.
    Number(#[schemars(range(min = 1, max = 160))] u32),
    /// All.
    Word(AllWord),
}

/// The word for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllWord {
    /// The whole table.
    All,
}

/// Look-ups of random keys by each member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverlayLookups {
    /// How many look-ups each member makes.
    pub rate: Rate,
    /// How regular they are.
    #[serde(default = "poisson")]
    pub model: ArrivalModel,
    /// Whether the owner that each look-up finds, one of these or of a put or get, is held against the
    /// members that there are: the metric `lookups_wrong`. An overlay that has fallen apart fails no
    /// look-up, but finds wrong owners.
    #[serde(default)]
    pub judged: bool,
}

pub(super) fn poisson() -> ArrivalModel {
    ArrivalModel::Poisson
}

/// How long a member's own address cache keeps an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ApplicationCache {
    /// For ever.
    Word(ForeverWord),
    /// So long.
    Span(Duration),
}

/// The word for no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForeverWord {
    /// Until the host restarts.
    Forever,
}
