//! The part of the plan about what happens: churn, handover, callers, named hosts, the script.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrivals, ResolverGroup};
use crate::address::Port;
use crate::time::{SimDuration, SimTime};

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
