//! The checked scenario: what a run is built from.
//!
//! Every unit is converted, every default filled in, every reference resolved and every policy
//! decided. The only text left is names; the words of a file for a choice are those of its enum. A `Plan` is a plain value: two files that say the same
//! give equal plans, and nothing below the scenario layer sees a word of a file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Port;
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
    /// How many runs with different seeds; at least 1.
    pub replications: u32,
    /// The width of a row of the time line; `None` is the duration / 500.
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
    /// The proxy role and its handover; `None` when nobody plays it.
    pub handover: Option<HandoverPlan>,
    /// Conventional domains that ask for the overlay's name, in the order of the file.
    pub callers: Vec<CallerPlan>,
    /// Named members, in the order of the file.
    pub hosts: Vec<HostPlan>,
    /// The script, in the order of the file.
    pub events: Vec<EventPlan>,
    /// The run ends after so many departures of the binding, if it has not ended before.
    pub stop_after_departures: Option<u64>,
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
}

/// `[dns]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsPlan {
    /// The overlay's domain name, lower case, without a final dot.
    pub domain: String,
    /// The TTL of its A record: whole seconds.
    pub ttl: SimDuration,
    /// From the endpoint's acceptance to the authority's serving.
    pub publish_delay: SimDuration,
    /// How long a negative answer may be cached: whole seconds.
    pub negative_ttl: SimDuration,
    /// The groups of recursive resolvers, in the order of the file. Names are distinct.
    pub resolvers: Vec<ResolverPlan>,
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

/// More than `updates` within `per` is abuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbuseLimit {
    /// Updates allowed; at least 1.
    pub updates: u32,
    /// In this span; above zero.
    pub per: SimDuration,
}

/// `[overlay]`.
#[derive(Clone, Debug, PartialEq)]
pub struct OverlayPlan {
    /// The DHT.
    pub plugin: PluginPlan,
    /// The target population of generated members; 0 with trace churn, and where hosts are named
    /// and no number is given.
    pub nodes: u32,
    /// The resolvers that members ask; `None` only when there is no DNS.
    pub resolver: Option<ResolverGroup>,
    /// Members start their overlay node uniformly spread over this span.
    pub start_spread: SimDuration,
    /// Look-ups of random keys by each member; `None` is none.
    pub lookups: Option<Arrivals>,
}

/// The DHT, with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum PluginPlan {
    /// Chord.
    Chord(ChordPlan),
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
    /// How many nodes hold a value; at least 1.
    pub replicas: u32,
    /// What one period of `fix_fingers` renews.
    pub fingers_per_round: FingersPerRound,
    /// How the ring begins.
    pub start: ChordStart,
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

/// How the ring begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ChordStart {
    /// Who is up at the start stands in a correct ring.
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

/// `[churn]` with a model other than `none`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChurnPlan {
    /// Where sessions and downtimes come from.
    pub source: ChurnSource,
    /// Probability in [0, 1] that a leave is announced ahead.
    pub graceful: f64,
    /// How long ahead.
    pub graceful_notice: SimDuration,
    /// The address of a host that returns.
    pub return_address: ReturnAddress,
}

/// Where sessions and downtimes come from.
#[derive(Clone, Debug, PartialEq)]
pub enum ChurnSource {
    /// Drawn.
    Model {
        /// How long a host stays.
        session: Lifetime,
        /// How long it stays away.
        downtime: Lifetime,
    },
    /// Read.
    Trace(TracePlan),
}

/// A distribution of spans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetime {
    /// The family, with its shape.
    pub family: Family,
    /// Where it lies.
    pub location: Location,
}

/// A family of distributions, with its shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Exponential.
    Exponential,
    /// Weibull.
    Weibull {
        /// The shape k, above zero; 1 is exponential.
        shape: f64,
    },
    /// Pareto of the second kind (Lomax), from zero on.
    Pareto {
        /// The tail index a, above 1: below, there is no mean and no stationary start.
        shape: f64,
    },
    /// Lognormal.
    LogNormal {
        /// The standard deviation of the logarithm, not negative.
        sigma: f64,
    },
}

/// What fixes the scale of a [`Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The mean, above zero.
    Mean(SimDuration),
    /// The median, above zero.
    Median(SimDuration),
}

/// A file of recorded sessions. Reading it is the edge's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracePlan {
    /// The file, absolute or relative to the working directory.
    pub path: PathBuf,
    /// How it is written.
    pub format: TraceFormat,
    /// Leaves that share an instant are spread over this span; zero leaves them there.
    pub spread: SimDuration,
}

/// How a trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum TraceFormat {
    /// One line a node: its sessions.
    Avt,
    /// One line an event.
    Events,
}

/// The address of a host that returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ReturnAddress {
    /// The one it had.
    Same,
    /// The next free one.
    New,
}

/// `[handover]`.
#[derive(Clone, Debug, PartialEq)]
pub struct HandoverPlan {
    /// Who takes over, and how the world learns of it.
    pub strategy: Strategy,
    /// What a node does where the paper leaves it open.
    pub policies: Policies,
    /// How members watch the proxy peer.
    pub probe: ProbePlan,
    /// How long a member's own address cache keeps an answer, whatever its TTL: zero is off,
    /// [`SimDuration::MAX`] for ever.
    pub application_cache: SimDuration,
    /// How long a node waits for the update endpoint's answer.
    pub update_timeout: SimDuration,
}

/// Who takes over, and how the world learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Strategy {
    /// Nobody: one fixed proxy peer with a static binding.
    Static,
    /// The paper's phase 2: members test, claim and update by dyndns2.
    #[serde(rename = "dyndns")]
    DynDns,
    /// Takeover and publication at the instant of departure, without a message.
    Oracle,
    /// The successor is published one TTL ahead of the departure.
    Clairvoyant,
}

/// What a node does where the paper leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policies {
    /// What a name that does not resolve leads to.
    pub on_unresolved: OnUnresolved,
    /// What a node does that finds its own address in the binding.
    pub own_address: OwnAddress,
    /// What a failed first test leads to.
    pub test1_failure: Test1Failure,
    /// What a failed update leads to.
    pub update_failure: UpdateFailure,
    /// What a proxy peer does whose address is in the binding no more.
    pub losers: Losers,
    /// What a failed probe leads to.
    pub on_failed_probe: OnFailedProbe,
    /// How many probes in a row must fail before a member acts; at least 1.
    pub failures_to_suspect: u32,
    /// Where a joining node finds its overlay.
    pub bootstrap: Bootstrap,
}

impl Policies {
    /// The paper as it was meant.
    pub const INTENDED: Self = Self {
        on_unresolved: OnUnresolved::Retry,
        own_address: OwnAddress::Listen,
        test1_failure: Test1Failure::Claim,
        update_failure: UpdateFailure::StepDown,
        losers: Losers::StepDown,
        on_failed_probe: OnFailedProbe::Claim,
        failures_to_suspect: 1,
        bootstrap: Bootstrap::Cached,
    };

    /// The paper to the letter.
    pub const LITERAL: Self = Self {
        on_unresolved: OnUnresolved::Claim,
        own_address: OwnAddress::Update,
        test1_failure: Test1Failure::UpdateOnly,
        update_failure: UpdateFailure::Ignore,
        losers: Losers::Stay,
        on_failed_probe: OnFailedProbe::Claim,
        failures_to_suspect: 1,
        bootstrap: Bootstrap::Dns,
    };
}

/// What a name that does not resolve leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnUnresolved {
    /// NXDOMAIN or NODATA: claim; time-out or SERVFAIL: retry, then the overlay record.
    Retry,
    /// Claim, whatever the reason.
    Claim,
}

/// What a node does that finds its own address in the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OwnAddress {
    /// Listen and record, no update.
    Listen,
    /// Update as if it were another's.
    Update,
}

/// What a failed first test leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Test1Failure {
    /// Listen, put the record, update, in this order.
    Claim,
    /// Update only, then go on as an ordinary member.
    UpdateOnly,
}

/// What a failed update leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UpdateFailure {
    /// Fatal code: step down; network error: retry from 5 s, doubling, five times.
    StepDown,
    /// Go on as proxy peer.
    Ignore,
}

/// What a proxy peer does whose address is in the binding no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Losers {
    /// It re-resolves its name, and steps down when it is not its own twice in a row.
    StepDown,
    /// It stays.
    Stay,
}

/// What a failed probe leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnFailedProbe {
    /// Resolve, test, claim at once.
    Claim,
}

/// Where a joining node finds its overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Bootstrap {
    /// Through members that it remembers.
    Cached,
    /// Through the proxy peer that DNS names.
    Dns,
}

/// How members watch the proxy peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbePlan {
    /// From the start of a probe to the start of the next; above zero.
    pub interval: SimDuration,
    /// The greatest share of the interval by which one is longer or shorter, in [0, 1].
    pub jitter: f64,
    /// How long each test may take; above zero.
    pub timeout: SimDuration,
    /// What test 1 is.
    pub kind: ProbeKind,
    /// The port of test 2.
    pub port: Port,
}

/// What test 1 of a probe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ProbeKind {
    /// ICMP echo.
    Icmp,
    /// A TCP connection to port 7; a refusal counts as alive.
    Tcp7,
    /// A TCP connection to the probe port: the same as test 2.
    Tcp,
}

/// `[[caller]]`: a conventional domain, one server with one resolver.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerPlan {
    /// The domain's name; names are distinct.
    pub domain: String,
    /// The group that its resolver is from.
    pub resolver: ResolverGroup,
    /// Users behind the server; at least 1.
    pub users: u32,
    /// Bare look-ups of the overlay's name by each user.
    pub lookups: Arrivals,
}

/// `[[host]]`: a named member.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPlan {
    /// Its name; names are distinct.
    pub name: String,
    /// When it comes up.
    pub start: SimTime,
    /// The resolvers that it asks; `None` only when there is no DNS.
    pub resolver: Option<ResolverGroup>,
}

/// `[[event]]`: a line of the script.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPlan {
    /// When.
    pub when: When,
    /// The moment is drawn uniformly from [when, when + spread).
    pub spread: SimDuration,
    /// What.
    pub action: Action,
}

/// When a line of the script is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Once.
    At(SimTime),
    /// At this time and every multiple of it.
    Every(SimDuration),
}

/// What a line of the script does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Hosts go.
    Depart {
        /// Which.
        target: Target,
        /// They return after this; `None`: they stay away until told otherwise.
        back_after: Option<SimDuration>,
        /// They announce it so long ahead of the moment; `None`: they go
        /// unannounced.
        notice: Option<SimDuration>,
    },
    /// Departed hosts come back.
    Return {
        /// Which.
        target: Target,
    },
    /// The update endpoint stops answering.
    DynDnsDown {
        /// It answers again after this; `None`: until told otherwise.
        back_after: Option<SimDuration>,
    },
    /// The update endpoint answers again.
    DynDnsUp,
}

/// Which hosts a line of the script is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Whoever is in the binding.
    Proxy,
    /// A named or generated host.
    Host(String),
    /// A share in (0, 1] of the members that it can apply to, drawn at the moment.
    Share(f64),
}
