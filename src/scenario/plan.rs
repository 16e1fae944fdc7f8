//! The checked scenario: what a run is built from.
//!
//! Every unit is converted, every default filled in, every reference resolved and every policy
//! decided. The only text left is names and what users say; the words of a file for a choice are
//! those of its enum. A `Plan` is a plain value: two files that say the same give equal plans, and
//! nothing below the scenario layer sees a word of a file.

mod bamboo;
mod behaviour;
mod beside;
mod enclosure;
mod kademlia;
mod naming;
mod network;
mod relay;
mod story;
mod users;

pub use bamboo::BambooPlan;
pub use behaviour::{
    Action, Bootstrap, Centre, ChurnPlan, ChurnSource, Eligibility, EventPlan, ExProxy, Family,
    HandoverPlan, HostFirewall, HostPlace, HostPlan, Lifetime, Losers, OnAddressChange,
    OnUnresolved, OverlayRecord, OwnAddress, Policies, ProbeKind, Probing, ReturnAddress, Strategy,
    Target, Test1Failure, TraceFormat, TracePlan, UpdateFailure, When,
};
pub use beside::BesidePlan;
pub use enclosure::Enclosure;
pub use kademlia::KademliaPlan;
pub use naming::{
    DnsPlan, Extenders, Publish, ResolverCount, ResolverGroup, ResolverPlan, ResolverProfile,
    SecondariesPlan, ServeStale, UpdateIf, UpdateProtocol, ZoneUpdates,
};
pub use network::{
    AddressChangePlan, AddressChangeSource, BurstsPlan, Far, FirewallPlan, GraphPlan, HostNat,
    NatDependence, NatPlan, PartitionPlan,
};
pub use relay::{MediaPlan, RelayPlan, Relayed};
pub use story::{
    Addressee, ExchangePlan, Matter, Occurrence, OverlayEvent, StoryMethod, StoryPlan,
    StoryProtocol,
};
pub use users::{
    Act, Callee, CallerPlan, CallsPlan, Peer, PresenceStatus, RecordRoute, SipDomainPlan,
    SipProfile, SubscriptionsPlan, Traffic, UserAction,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::dyndns::AbuseLimit;
pub use crate::net::{GraphFormat, Placement, Places};
use crate::time::{SimDuration, SimTime};

/// A checked scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The scenario's name: ASCII letters, digits and dashes. It names folders.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// The seed of the first replication; the next ones count up from it.
    pub seed: u64,
    /// How long the run lasts. `None` only with trace churn: as long as the trace.
    pub duration: Option<SimDuration>,
    /// The first part of the run, observed but not counted.
    pub warmup: SimDuration,
    /// How many runs with different seeds.
    pub replications: Replications,
    /// The distance of two rows of the time line. `None` only where the duration is not known yet.
    pub timeline_bin: Option<SimDuration>,
    /// The network between all hosts.
    pub network: NetworkPlan,
    /// The authority and the resolvers; `None` when there is no DNS.
    pub dns: Option<DnsPlan>,
    /// The update endpoint; `None` when there is none.
    pub dyndns: Option<DynDnsPlan>,
    /// The overlay and its members.
    pub overlay: OverlayPlan,
    /// Who comes and goes; `None` when everybody stays.
    pub churn: Option<ChurnPlan>,
    /// How long before its end a graceful leave is known to whoever leaves.
    pub graceful_notice: SimDuration,
    /// The proxy role and its handover; `None` when nobody plays it.
    pub handover: Option<HandoverPlan>,
    /// What is said in calls; `None`: nothing.
    pub media: Option<MediaPlan>,
    /// Who relays; `None`: nobody.
    pub relay: Option<RelayPlan>,
    /// Conventional domains, in the order of the file.
    pub callers: Vec<CallerPlan>,
    /// Named hosts, in the order of the file.
    pub hosts: Vec<HostPlan>,
    /// The script, in the order of the file.
    pub events: Vec<EventPlan>,
    /// What is told of a run; `None`: nothing.
    pub story: Option<StoryPlan>,
    /// The run ends after so many departures of the binding, if it has not ended before.
    pub stop_after_departures: Option<u64>,
}

impl Plan {
    /// The distance of two rows of the time line unless it is given: a five-hundredth of the run,
    /// one millisecond at least.
    #[must_use]
    pub fn usual_bin(duration: SimDuration) -> SimDuration {
        SimDuration::from_nanos(duration.as_nanos() / 500).max(SimDuration::from_millis(1))
    }

    /// Whether the state of a run is to settle: nothing is scripted or told as a story, no trace is
    /// replayed, and no host comes up later than the others.
    #[must_use]
    pub fn settles(&self) -> bool {
        let replays = |churn: &ChurnPlan| matches!(churn.source, ChurnSource::Trace(_));
        let recorded = &self.network.address_change.source;
        self.events.is_empty()
            && self.story.is_none()
            && !matches!(recorded, Some(AddressChangeSource::Trace(_)))
            && !self.churn.as_ref().is_some_and(replays)
            && self.hosts.iter().all(|host| host.start == SimTime::ZERO)
    }

    /// The conventional domains whose users are asked for by members.
    pub fn outward(&self) -> impl Iterator<Item = &CallerPlan> {
        let asks = |caller: &&CallerPlan| caller.sip().is_some_and(|sip| sip.outbound.is_some());
        self.callers.iter().filter(asks)
    }

    /// Whether there is any SIP: then every member of the overlay has a user that registers. There
    /// is DNS and a handover then.
    #[must_use]
    pub fn has_sip(&self) -> bool {
        self.callers.iter().any(|caller| caller.sip().is_some())
            || !self.overlay.beside.is_empty()
            || self.hosts.iter().any(|host| host.user.is_some())
            || self.events.iter().any(|event| matches!(event.action, Action::User(_)))
            || self.story.as_ref().is_some_and(StoryPlan::speaks_of_users)
    }
}

/// How many runs a point has.
#[derive(Clone, Debug, PartialEq)]
pub enum Replications {
    /// So many; at least 1.
    Number(u32),
    /// As many as it takes.
    Until(Precision),
}

/// Runs are added until a metric is known well enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// The metric, a column of `runs.csv`.
    pub metric: String,
    /// Half the width of its 95 % interval over its mean, above zero.
    pub until: f64,
    /// How many runs are made at a time; at least 2.
    pub at_least: u32,
    /// The most runs; not below `at_least`.
    pub at_most: u32,
}

impl Replications {
    /// The most runs that there can be.
    #[must_use]
    pub fn most(&self) -> u32 {
        match self {
            Self::Number(number) => *number,
            Self::Until(precision) => precision.at_most,
        }
    }
}

/// `[network]`.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkPlan {
    /// One-way delay of a pair of hosts.
    pub latency: LatencyPlan,
    /// The greatest extra share of the base delay, drawn uniformly for each message; 0 is none.
    pub jitter: f64,
    /// Probability in [0, 1] that a message is lost.
    pub loss: f64,
    /// What a message to a departed host meets.
    pub departed_hosts: DepartedHosts,
    /// Losses in bursts; `None` when there are none.
    pub bursts: Option<BurstsPlan>,
    /// Translators of addresses; `None` when there are none.
    pub nat: Option<NatPlan>,
    /// Packet filters on the hosts of members.
    pub firewall: Option<FirewallPlan>,
    /// Addresses that change.
    pub address_change: AddressChangePlan,
}

/// The base one-way delay of a pair of hosts: drawn once a pair, the same in both directions.
#[derive(Clone, Debug, PartialEq)]
pub enum LatencyPlan {
    /// The same for all pairs.
    Constant {
        /// The delay.
        value: SimDuration,
    },
    /// Uniform.
    Uniform {
        /// The shortest delay.
        min: SimDuration,
        /// The longest delay, not below `min`.
        max: SimDuration,
    },
    /// Lognormal.
    LogNormal {
        /// The median, above zero.
        median: SimDuration,
        /// The standard deviation of the delay's logarithm, not negative.
        sigma: f64,
    },
    /// The shortest path through a random graph of routers.
    Topology(TopologyPlan),
    /// The shortest path through a graph of routers.
    Graph(GraphPlan),
    /// The distance between random places.
    Placed(Placement),
    /// The distance between places that a file lists.
    Listed(Enclosure<Places>),
}

/// A random graph of routers that the hosts hang from.
#[derive(Clone, Debug, PartialEq)]
pub struct TopologyPlan {
    /// Number of routers; at least 1.
    pub routers: u32,
    /// Links that each router opens to others; at least 1 and below `routers` (0 for one router).
    pub links: u32,
    /// The shortest delay of a link between routers.
    pub min_link: SimDuration,
    /// The longest delay of a link, not below `min_link`.
    pub max_link: SimDuration,
    /// The delay between a host and its router.
    pub access: SimDuration,
}

/// What a message to a departed host meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DepartedHosts {
    /// Nothing.
    Silent,
    /// An ICMP error comes back.
    Unreachable,
    /// A stranger, who was given the address at once: echo requests are answered, connections
    /// refused, and an ICMP error comes back about anything else. So test 1 of a probe passes and
    /// test 2 fails.
    Reassigned,
}

/// `[dyndns]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DynDnsPlan {
    /// When clients show their credentials.
    pub auth: DynDnsAuth,
    /// What the endpoint takes to handle a request.
    pub service_time: SimDuration,
    /// From how many updates on it answers `abuse`; `None` is never.
    pub abuse_limit: Option<AbuseLimit>,
}

/// When clients of the update endpoint show their credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum DynDnsAuth {
    /// After a 401.
    Challenge,
    /// With the first request.
    Preemptive,
}

/// `[overlay]`.
#[derive(Clone, Debug, PartialEq)]
pub struct OverlayPlan {
    /// The DHT.
    pub plugin: PluginPlan,
    /// Overlays beside this one, in the order of the file.
    pub beside: Vec<BesidePlan>,
    /// The target population of generated members; 0 with trace churn, and where hosts are named
    /// and no number is given.
    pub nodes: u32,
    /// The resolvers that members ask; `None` only when there is no DNS.
    pub resolver: Option<ResolverGroup>,
    /// Members start their overlay node uniformly spread over this span.
    pub start_spread: SimDuration,
    /// How long the location of a user stays in the overlay: whole seconds, above zero. Its node
    /// renews it at half of that.
    pub location_lifetime: SimDuration,
    /// Look-ups of random keys by each member; `None` is none.
    pub lookups: Option<Arrivals>,
    /// Whether the owners that look-ups find are judged.
    pub judges_lookups: bool,
}

/// The DHT, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum PluginPlan {
    /// Chord.
    Chord(ChordPlan),
    /// Bamboo.
    Bamboo(BambooPlan),
    /// Kademlia.
    Kademlia(KademliaPlan),
}

impl PluginPlan {
    /// Bits of an identifier.
    #[must_use]
    pub fn id_bits(&self) -> u32 {
        match self {
            Self::Chord(chord) => chord.id_bits,
            Self::Bamboo(bamboo) => bamboo.id_bits,
            Self::Kademlia(kademlia) => kademlia.id_bits,
        }
    }

    /// How the overlay begins.
    #[must_use]
    pub fn start(&self) -> OverlayStart {
        match self {
            Self::Chord(chord) => chord.start,
            Self::Bamboo(bamboo) => bamboo.start,
            Self::Kademlia(kademlia) => kademlia.start,
        }
    }

    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Chord(_) => "chord",
            Self::Bamboo(_) => "bamboo",
            Self::Kademlia(_) => "kademlia",
        }
    }
}

/// `[overlay.chord]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChordPlan {
    /// Length of the successor list; at least 1.
    pub successors: u32,
    /// Period of `stabilize`.
    pub stabilize: SimDuration,
    /// Period of `fix_fingers`.
    pub fix_fingers: SimDuration,
    /// Period of `check_predecessor`.
    pub check_predecessor: SimDuration,
    /// Bits of an identifier, 8 to 160.
    pub id_bits: u32,
    /// How a look-up travels.
    pub routing: Routing,
    /// How long a node waits for an answer.
    pub rpc_timeout: SimDuration,
    /// How often it is asked, 1 to 10.
    pub tries: u32,
    /// How many nodes hold a value; at least 1.
    pub replicas: u32,
    /// What one period of `fix_fingers` renews.
    pub fingers_per_round: FingersPerRound,
    /// How the overlay begins.
    pub start: OverlayStart,
}

/// How a look-up travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Routing {
    /// The asker asks each hop.
    Iterative,
    /// Each hop forwards; the last one answers straight to the asker.
    Recursive,
}

/// What one period of `fix_fingers` renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingersPerRound {
    /// The whole table.
    All,
    /// So many entries, going round; at least 1.
    Count(u32),
}

/// How an overlay begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OverlayStart {
    /// Who is up at the start stands in a correct overlay.
    Converged,
    /// Everybody joins.
    Join,
}

/// When something recurring happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// How regular it is.
    pub model: ArrivalModel,
    /// The mean interval (`poisson`) or the interval (`periodic`), above zero.
    pub interval: SimDuration,
}

/// How regular arrivals are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ArrivalModel {
    /// Exponential intervals.
    Poisson,
    /// Equal intervals, the first at a random phase.
    Periodic,
}
