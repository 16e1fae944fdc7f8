//! The tables about what members do: churn and handover.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{
    Bootstrap, Eligibility, ExProxy, Losers, OnAddressChange, OnUnresolved, OverlayRecord,
    OwnAddress, ProbeKind, RecordRoute, ReturnAddress, Strategy, Test1Failure, TraceFormat,
    UpdateFailure, UpdateIf, UpdateProtocol, ZoneUpdates,
};
use super::daemon::Daemon;
use super::systems::ApplicationCache;
use crate::units::{Duration, Probability};

/// Who comes and goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Churn {
    /// Where the times come from that members stay and stay away. Named hosts do not churn.
    pub model: ChurnModel,
    /// The mean time that a member stays. Either this or `session_median`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`1h`", "x-period" = true))]
    pub session_mean: Option<Duration>,
    /// The median time that a member stays. Either this or `session_mean`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the mean is given", "x-period" = true))]
    pub session_median: Option<Duration>,
    /// The shape of `weibull` (1 is exponential, below are heavier tails) or of `pareto` (the tail
    /// index of the Lomax distribution; above 1). Required by both.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"), range(min = 0.05, max = 100.0))]
    pub shape: Option<f64>,
    /// The standard deviation of the natural logarithm of a `lognormal` time. Required by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"), range(min = 0.0, max = 10.0))]
    pub sigma: Option<f64>,
    /// The distribution of the time that a member stays away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the family of `model`"))]
    pub downtime_model: Option<LifetimeModel>,
    /// The mean time that a member stays away. Either this or `downtime_median`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`1h`", "x-period" = true))]
    pub downtime_mean: Option<Duration>,
    /// The median time that a member stays away. Either this or `downtime_mean`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the mean is given", "x-period" = true))]
    pub downtime_median: Option<Duration>,
    /// `shape`, for the time away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`shape`, in the same family"), range(min = 0.05, max = 100.0))]
    pub downtime_shape: Option<f64>,
    /// `sigma`, for the time away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`sigma`, in the same family"), range(min = 0.0, max = 10.0))]
    pub downtime_sigma: Option<f64>,
    /// The share of leaves that are announced: the node tells its neighbours in the overlay and
    /// hands its records over as it goes.
    pub graceful: Probability,
    /// How long before its end a graceful leave is known to the node, which the strategy `standby`
    /// makes use of. By the script, it leaves so much after the event.
    pub graceful_notice: Duration,
    /// The address of a member that returns.
    pub return_address: ReturnAddress,
    /// The file of recorded sessions of `model = "trace"`, and required by it: relative to the
    /// scenario file; in `--set`, to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub trace: Option<String>,
    /// How the trace is written. The profiles of SimGrid, one a host, become one trace by `overcord
    /// trace convert`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "told by the file's extension: the format's name, or `tab` for `fta`"))]
    pub format: Option<TraceFormat>,
    /// Leaves of a trace that share one instant, because it was sampled, are spread over this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`0s`"))]
    pub spread: Option<Duration>,
}

impl Churn {
    /// The mean session, and the mean downtime, of churn that says nothing else.
    pub const MEAN: Duration = Duration::from_secs(3_600);
    /// The notice of graceful leaves: that of OverSim.
    pub const NOTICE: Duration = Duration::from_secs(15);
}

impl Default for Churn {
    fn default() -> Self {
        Self {
            model: ChurnModel::Exponential,
            session_mean: None,
            session_median: None,
            shape: None,
            sigma: None,
            downtime_model: None,
            downtime_mean: None,
            downtime_median: None,
            downtime_shape: None,
            downtime_sigma: None,
            graceful: Probability(0.0),
            graceful_notice: Self::NOTICE,
            return_address: ReturnAddress::Same,
            trace: None,
            format: None,
            spread: None,
        }
    }
}

/// Where sessions and downtimes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChurnModel {
    /// Everybody stays.
    None,
    /// Exponential.
    Exponential,
    /// Weibull: takes `shape`.
    Weibull,
    /// Pareto of the second kind (Lomax): takes `shape`.
    Pareto,
    /// Lognormal: takes `sigma`.
    Lognormal,
    /// Read from a file: takes `trace`, `format` and `spread`.
    Trace,
}

/// A distribution of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LifetimeModel {
    /// Exponential.
    Exponential,
    /// Weibull: takes a shape.
    Weibull,
    /// Pareto of the second kind (Lomax): takes a shape.
    Pareto,
    /// Lognormal: takes a sigma.
    Lognormal,
}

/// How the proxy role is handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Handover {
    /// Who takes over, and how the world learns of it.
    pub strategy: Strategy,
    /// How the paper is read where it leaves something open. It sets those policies below
    /// whose default differs between the readings; the key of a policy overrides it.
    pub reading: Reading,
    /// How many proxy peers stand by behind the preferred one, with the strategy `standby`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "2"), range(min = 1, max = 7))]
    pub standbys: Option<u32>,
    /// The protocol that updates the binding. By `rfc2136` a request goes by UDP, also where it is
    /// longer than the 512 octets from which on nsupdate takes TCP: a change from one SRV set of
    /// three peers to another is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`dyndns2`; `rfc2136` with the strategy `standby`, and with \
        `lease` where the zone takes updates (`dns.update`)"))]
    pub update: Option<UpdateProtocol>,
    /// When an update by RFC 2136 holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`always`; `unchanged` with the strategy `lease`"))]
    pub update_if: Option<UpdateIf>,
    /// How long a node waits for the answer of the update endpoint, or of the zone's primary.
    #[schemars(extend("x-period" = true))]
    pub update_timeout: Duration,
    /// The time from the start of a probe to the start of the next.
    #[schemars(extend("x-period" = true))]
    pub probe_interval: Duration,
    /// The greatest share of the interval by which one is longer or shorter, drawn uniformly.
    pub probe_jitter: Probability,
    /// How long each of the two tests of a probe may take; 10 minutes at most. `lease` and `standby`
    /// wait for test 1 of a probe one second at most, and try a connection then before they believe
    /// it: it sends again after 1 and 3 s, so that less than 4 s make it trust fewer packets.
    #[schemars(extend("x-period" = true, "x-most-seconds" = 600))]
    pub probe_timeout: Duration,
    /// What test 1 of a probe is.
    pub probe_kind: ProbeKind,
    /// The TCP port of test 2, where a proxy peer listens; not 80, nor 7 with `probe_kind = "tcp7"`.
    #[schemars(range(min = 1))]
    pub probe_port: u16,
    /// How long a member's own address cache keeps an answer, whatever its TTL; `"0s"` is off, and
    /// `"forever"` until the host restarts.
    pub application_cache: ApplicationCache,
    /// Whether the proxy peer stays on the way of the requests that follow in a dialog.
    pub record_route: RecordRoute,
    /// The daemon that updates the binding, of `strategy = "ddclient"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddclient: Option<Daemon>,
    /// What a name that does not resolve leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`retry` intended, `claim` literal"))]
    pub on_unresolved: Option<OnUnresolved>,
    /// What a node does that finds its own address in the binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`listen` intended, `update` literal"))]
    pub own_address: Option<OwnAddress>,
    /// What a failed test 1 leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`claim` intended, `update-only` literal"))]
    pub test1_failure: Option<Test1Failure>,
    /// What a failed update leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`step-down` intended, `ignore` literal"))]
    pub update_failure: Option<UpdateFailure>,
    /// What a proxy peer does whose address is in the binding no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`step-down` intended, `stay` literal"))]
    pub losers: Option<Losers>,
    /// How many probes in a row must fail before a member acts. What a strategy tests by itself
    /// before it claims does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "1"), range(min = 1, max = 1_000))]
    pub failures_to_suspect: Option<u32>,
    /// Where a joining node finds its overlay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`cached` intended, `dns` literal"))]
    pub bootstrap: Option<Bootstrap>,
    /// Who claims the role of a proxy peer that is gone; of the strategies `dyndns` and `ddclient`,
    /// the same in both readings. Who finds its own address in the binding, or founds an overlay,
    /// claims in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`any`"))]
    pub eligibility: Option<Eligibility>,
    /// What members use the overlay's record of the proxy peer for; of the strategies `dyndns` and
    /// `ddclient`, the same in both readings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`write-only`"))]
    pub overlay_record: Option<OverlayRecord>,
    /// What becomes of requests to a proxy peer that has stepped down and is still up, from callers
    /// that still find it since a cache names it; the same in both readings. It matters where several
    /// claim and the losers step down (`losers`), and where one steps down after a failed update
    /// (`update_failure`); the more, the longer caches keep its address (`dns.ttl`, and resolvers that
    /// extend it). Who goes answers nothing, whatever stands here. With `lease` and `standby` a proxy
    /// peer serves on by itself until entries that keep to the TTL are gone, and steps down then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`stops`"))]
    pub ex_proxy: Option<ExProxy>,
    /// What a proxy peer does about the binding that notices another address of its host: it follows
    /// in the overlay in any case, and a daemon of `ddclient` finds the change at its next poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`update` intended, `ignore` literal"))]
    pub on_address_change: Option<OnAddressChange>,
}

impl Handover {
    /// How many proxy peers stand by when nothing is said.
    pub const STANDBYS: u32 = 2;

    /// The protocol that updates the binding, in a zone that takes such updates of DNS.
    #[must_use]
    pub fn updates_by(&self, zone: Option<ZoneUpdates>) -> UpdateProtocol {
        self.update.unwrap_or(match self.strategy {
            Strategy::Standby => UpdateProtocol::Rfc2136,
            Strategy::Lease if zone == Some(ZoneUpdates::Tsig) => UpdateProtocol::Rfc2136,
            _ => UpdateProtocol::Dyndns2,
        })
    }

    /// When an update by RFC 2136 holds.
    #[must_use]
    pub fn updates_if(&self) -> UpdateIf {
        self.update_if.unwrap_or(match self.strategy {
            Strategy::Lease => UpdateIf::Unchanged,
            _ => UpdateIf::Always,
        })
    }
}

impl Default for Handover {
    fn default() -> Self {
        Self {
            strategy: Strategy::DynDns,
            reading: Reading::Intended,
            standbys: None,
            update: None,
            update_if: None,
            update_timeout: Duration::from_secs(10),
            probe_interval: Duration::from_secs(60),
            probe_jitter: Probability(0.0),
            probe_timeout: Duration::from_secs(5),
            probe_kind: ProbeKind::Icmp,
            probe_port: 49152,
            application_cache: ApplicationCache::Span(Duration::from_secs(30)),
            record_route: RecordRoute::None,
            ddclient: None,
            on_unresolved: None,
            own_address: None,
            test1_failure: None,
            update_failure: None,
            losers: None,
            failures_to_suspect: None,
            bootstrap: None,
            eligibility: None,
            overlay_record: None,
            ex_proxy: None,
            on_address_change: None,
        }
    }
}

/// How the paper is read where it leaves something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// As it was meant.
    Intended,
    /// To the letter.
    Literal,
}
