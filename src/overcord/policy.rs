//! What a node does where the paper leaves it open: one enum a question, with the letter that the
//! list of ambiguities gives it (A1 … A25). A *reading* of Section V fixes all of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Port;
use crate::time::SimDuration;

/// The policies of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policies {
    /// What a name that does not resolve leads to (A1).
    pub on_unresolved: OnUnresolved,
    /// What a node does that finds its own address in the binding (A2).
    pub own_address: OwnAddress,
    /// What a failed first test leads to (A3).
    pub test1_failure: Test1Failure,
    /// What a failed update leads to (A4).
    pub update_failure: UpdateFailure,
    /// What a proxy peer does whose address is in the binding no more (A7).
    pub losers: Losers,
    /// How many probes in a row must fail before a member acts; at least 1 (A8).
    pub failures_to_suspect: u32,
    /// Where a joining node finds its overlay (A22).
    pub bootstrap: Bootstrap,
    /// Who claims the role of a proxy peer that is gone (A14).
    pub eligibility: Eligibility,
    /// What members use the overlay's record of the proxy peer for (A15).
    pub overlay_record: OverlayRecord,
    /// What a proxy peer does for callers that still find it after it has stepped down (A20).
    pub ex_proxy: ExProxy,
    /// What a proxy peer does about the binding that notices another address of its host (A10).
    pub on_address_change: OnAddressChange,
}

impl Policies {
    /// The paper as it was meant.
    pub const INTENDED: Self = Self {
        on_unresolved: OnUnresolved::Retry,
        own_address: OwnAddress::Listen,
        test1_failure: Test1Failure::Claim,
        update_failure: UpdateFailure::StepDown,
        losers: Losers::StepDown,
        failures_to_suspect: 1,
        bootstrap: Bootstrap::Cached,
        eligibility: Eligibility::Any,
        overlay_record: OverlayRecord::WriteOnly,
        ex_proxy: ExProxy::Stops,
        on_address_change: OnAddressChange::Update,
    };

    /// The paper to the letter.
    pub const LITERAL: Self = Self {
        on_unresolved: OnUnresolved::Claim,
        own_address: OwnAddress::Update,
        test1_failure: Test1Failure::UpdateOnly,
        update_failure: UpdateFailure::Ignore,
        losers: Losers::Stay,
        failures_to_suspect: 1,
        bootstrap: Bootstrap::Dns,
        eligibility: Eligibility::Any,
        overlay_record: OverlayRecord::WriteOnly,
        ex_proxy: ExProxy::Stops,
        on_address_change: OnAddressChange::Ignore,
    };
}

/// What a name that does not resolve leads to (A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnUnresolved {
    /// NXDOMAIN or NODATA: claim; time-out or SERVFAIL: retry, then the overlay record.
    Retry,
    /// Claim, whatever the reason.
    Claim,
}

/// What a node does that finds its own address in the binding (A2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OwnAddress {
    /// Listen and record, no update.
    Listen,
    /// Update as if it were another's.
    Update,
}

/// What a failed first test leads to (A3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Test1Failure {
    /// Listen, put the record, update, in this order.
    Claim,
    /// Update only, then go on as an ordinary member.
    UpdateOnly,
}

/// What a failed update leads to (A4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum UpdateFailure {
    /// Fatal code: step down; network error: retry from 5 s, doubling, five times.
    StepDown,
    /// Go on as proxy peer.
    Ignore,
}

/// What a proxy peer does whose address is in the binding no more (A7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Losers {
    /// It resolves its name again, and steps down when it is not its own twice in a row.
    StepDown,
    /// It stays.
    Stay,
}

/// Where a joining node finds its overlay (A22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Bootstrap {
    /// Through members that it remembers.
    Cached,
    /// Through the proxy peer that DNS names.
    Dns,
}

/// Who claims the role of a proxy peer that is gone (A14). Who finds its own address in the
/// binding, or founds an overlay, claims in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Eligibility {
    /// Whoever finds out.
    Any,
    /// The node that the overlay's record of the proxy peer belongs to, as it knows from its own
    /// tables. Another that finds out looks that node up in the overlay and tells it, and it looks
    /// for itself at once.
    DhtResponsible,
}

/// What members use the overlay's record of the proxy peer for (A15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OverlayRecord {
    /// For nothing, but when DNS does not answer.
    WriteOnly,
    /// It names whom they test, in place of DNS. Where there is none, or where it names the node
    /// itself, which does not play, DNS is asked.
    Read,
}

/// What a proxy peer does for callers that still find it after it has stepped down (A20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ExProxy {
    /// They fail: it answers 404 to what is not for its own user.
    Stops,
    /// They arrive: for one `dns.ttl` from then on it passes requests on as before, then it answers
    /// 404 too.
    Forwards,
}

/// What a proxy peer does about the binding that notices another address of its host (A10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum OnAddressChange {
    /// Update the binding.
    Update,
    /// Nothing.
    Ignore,
}

/// How members watch the proxy peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probing {
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

/// What test 1 of a probe is (A11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum ProbeKind {
    /// ICMP echo.
    Icmp,
    /// A TCP connection to port 7; a refusal counts as alive.
    Tcp7,
    /// A TCP connection to the probe port; a refusal counts as alive.
    Tcp,
    /// A SIP OPTIONS request to the SIP port, repeated as a request over UDP is; any final response
    /// counts as alive.
    Options,
}

/// What a member's host does with what nobody asked for and none of its services takes (A11). Its
/// SIP port, its overlay's port and the probe port are open in any case, and so is the way back of
/// what went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum HostFirewall {
    /// It answers echo requests, and refuses connections to closed ports.
    #[default]
    Answers,
    /// It refuses both: echo requests by an ICMP error, connections by a reset.
    Rejects,
    /// It drops both in silence.
    Drops,
}
