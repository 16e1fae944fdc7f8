//! The part of the plan about what happens: churn, handover, named hosts, the script.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::naming::{UpdateIf, UpdateProtocol};
use super::{HostNat, PartitionPlan, RecordRoute, ResolverGroup, UserAction};
use crate::churn::trace;
pub use crate::churn::{Centre, Family};
use crate::dyndns::DaemonSettings;
pub use crate::overcord::policy::{
    Bootstrap, Eligibility, ExProxy, HostFirewall, Losers, OnAddressChange, OnUnresolved,
    OverlayRecord, OwnAddress, Policies, ProbeKind, Probing, Test1Failure, UpdateFailure,
};

use crate::time::{SimDuration, SimTime};
pub use crate::world::director::When;

/// `[churn]` with a model other than `none`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChurnPlan {
    /// Where sessions and downtimes come from.
    pub source: ChurnSource,
    /// Probability in [0, 1] that a leave is announced.
    pub graceful: f64,
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
    pub location: Centre,
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
    /// OverSim's `TraceChurn`.
    #[serde(rename = "oversim")]
    OverSim,
    /// The Failure Trace Archive's `event_trace.tab`.
    Fta,
    /// p2psim's churn file.
    P2psim,
    /// SPLAY's churn trace.
    Splay,
}

impl TraceFormat {
    /// The one that a trace is read by.
    #[must_use]
    pub const fn read_as(self) -> trace::TraceFormat {
        match self {
            Self::Avt => trace::TraceFormat::Avt,
            Self::Events => trace::TraceFormat::Events,
            Self::OverSim => trace::TraceFormat::OverSim,
            Self::Fta => trace::TraceFormat::Fta,
            Self::P2psim => trace::TraceFormat::P2psim,
            Self::Splay => trace::TraceFormat::Splay,
        }
    }

    /// The one that is read so; none for a profile of SimGrid, which is of one host only.
    #[must_use]
    pub const fn of(format: trace::TraceFormat) -> Option<Self> {
        match format {
            trace::TraceFormat::Avt => Some(Self::Avt),
            trace::TraceFormat::Events => Some(Self::Events),
            trace::TraceFormat::OverSim => Some(Self::OverSim),
            trace::TraceFormat::Fta => Some(Self::Fta),
            trace::TraceFormat::P2psim => Some(Self::P2psim),
            trace::TraceFormat::Splay => Some(Self::Splay),
            trace::TraceFormat::SimGrid => None,
        }
    }
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
    /// How many proxy peers stand by behind the preferred one; with the strategy that has them.
    pub standbys: u32,
    /// What a node does where the paper leaves it open.
    pub policies: Policies,
    /// How members watch the proxy peer.
    pub probe: Probing,
    /// How long a member's own address cache keeps an answer, whatever its TTL: zero is off,
    /// [`SimDuration::MAX`] for ever.
    pub application_cache: SimDuration,
    /// How the binding is updated.
    pub update: UpdateProtocol,
    /// When an update by RFC 2136 holds.
    pub update_if: UpdateIf,
    /// How long a node waits for the answer to an update.
    pub update_timeout: SimDuration,
    /// Whether the proxy peer stays on the way of a dialog's later requests.
    pub record_route: RecordRoute,
    /// The daemon that updates the binding; only with [`Strategy::Ddclient`].
    pub daemon: Option<DaemonSettings>,
}

/// Who takes over, and how the world learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Strategy {
    /// Nobody plays the role: conventional servers embed a peer of the overlay (Shim et al.), and
    /// DNS names nobody.
    Embedded,
    /// Nobody: one fixed proxy peer with a static binding.
    Static,
    /// The paper's phase 2: members test, claim and update by dyndns2.
    #[serde(rename = "dyndns")]
    DynDns,
    /// The paper's phase 1: members test and claim, and a daemon updates.
    Ddclient,
    /// Claims are confirmed by the overlay's record and the authority, and won in the overlay: one
    /// member claims.
    Lease,
    /// Ours: several play at a time, as an SRV set in the order of preference, which callers go
    /// through, and graceful leaves are handed over ahead of time.
    Standby,
    /// Takeover and publication at the instant of departure, without a message.
    Oracle,
    /// The successor is published one TTL ahead of the departure, or of a change of the address.
    Clairvoyant,
}

impl Strategy {
    /// What it is called in a file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Static => "static",
            Self::DynDns => "dyndns",
            Self::Ddclient => "ddclient",
            Self::Lease => "lease",
            Self::Standby => "standby",
            Self::Oracle => "oracle",
            Self::Clairvoyant => "clairvoyant",
        }
    }

    /// Whether its members update the binding themselves.
    #[must_use]
    pub const fn updates(self) -> bool {
        matches!(self, Self::DynDns | Self::Ddclient | Self::Lease | Self::Standby)
    }

    /// Whether its members follow the paper's procedure, which leaves things open.
    #[must_use]
    pub const fn is_papers(self) -> bool {
        matches!(self, Self::DynDns | Self::Ddclient)
    }
}

/// `[[host]]`: a named host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPlan {
    /// Its name; names are distinct.
    pub name: String,
    /// The name of its SIP user, distinct in its domain; `None` where there is no SIP at all.
    pub user: Option<String>,
    /// When it comes up.
    pub start: SimTime,
    /// What it is.
    pub place: HostPlace,
    /// Whether it is behind a translator of addresses.
    pub nat: HostNat,
    /// What its packet filter does; a phone has none.
    pub firewall: HostFirewall,
}

impl HostPlan {
    /// Whether it is a member of the overlay.
    #[must_use]
    pub const fn is_member(&self) -> bool {
        matches!(self.place, HostPlace::Member { .. })
    }

    /// The resolvers that it asks: none without DNS, nor as a phone.
    #[must_use]
    pub const fn resolver(&self) -> Option<ResolverGroup> {
        match self.place {
            HostPlace::Member { resolver } => resolver,
            HostPlace::Phone { .. } => None,
        }
    }
}

/// What a named host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPlace {
    /// A member of the overlay.
    Member {
        /// The resolvers that it asks; `None` only when there is no DNS.
        resolver: Option<ResolverGroup>,
    },
    /// A phone of a conventional domain.
    Phone {
        /// The domain: an index into [`Plan::callers`](super::Plan::callers), with SIP.
        caller: usize,
    },
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

/// What a line of the script does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Hosts go.
    Depart {
        /// Which.
        target: Target,
        /// They return after this; `None`: they stay away until told otherwise.
        back_after: Option<SimDuration>,
        /// Whether they announce it.
        graceful: bool,
    },
    /// Departed hosts come back.
    Return {
        /// Which.
        target: Target,
    },
    /// Hosts that are up get other addresses.
    AddressChange {
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
    /// The update endpoint lifts a block for abuse.
    DynDnsReset,
    /// Hosts cannot reach the others.
    Partition(PartitionPlan),
    /// All partitions are over.
    Heal,
    /// A user does something.
    User(UserAction),
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
