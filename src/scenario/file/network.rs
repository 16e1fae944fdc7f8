//! The tables about what stands in the way of messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::NatDependence;
use crate::units::{Duration, Probability};

/// Losses in bursts, beside `network.loss`: the model of Gilbert and Elliott in continuous time. The
/// way from one host to another is good, where `network.loss` counts, or bad; times in both states
/// are exponential, and each direction of each pair of hosts has its own. Without the section there
/// are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bursts {
    /// The probability that a message is lost in a burst.
    pub loss: Probability,
    /// The mean length of a burst.
    #[schemars(extend("x-above-zero" = true))]
    pub length: Duration,
    /// The mean time from the end of a burst to the beginning of the next.
    #[schemars(extend("x-above-zero" = true))]
    pub gap: Duration,
}

impl Default for Bursts {
    fn default() -> Self {
        Self {
            loss: Probability(0.5),
            length: "1s".parse().expect("it is a duration"),
            gap: "60s".parse().expect("it is a duration"),
        }
    }
}

/// Addresses of members that change while they are up, as by DHCP or because a host moves: beside
/// those of the script, `action = "address_change"`. What is sent to the former address is lost; a
/// node that has noticed tells its neighbours in the overlay, joins it under the new address, and
/// registers there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AddressChange {
    /// The mean time from one change of a member's address to the next, drawn from an exponential
    /// distribution; a member that is down then keeps its address. Either this or `trace`, or
    /// neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none", "x-period" = true))]
    pub mean: Option<Duration>,
    /// A file of recorded changes, relative to the scenario file; in `--set`, to the working
    /// directory: a table with a header, columns separated by commas, `time_s` (in seconds) and
    /// `host` (or `node`, `id`, `fingerprint`), in order of time. Hosts are called as in
    /// `churn.trace`, or by the names of members. Either this or `mean`, or neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub trace: Option<String>,
    /// How long it takes until the node notices: an event of the interface, or a look at it now and
    /// then.
    pub noticed_after: Duration,
}

impl AddressChange {
    /// How long it takes until a node notices when nothing is said.
    pub const NOTICED_AFTER: Duration = Duration::from_secs(1);
}

impl Default for AddressChange {
    fn default() -> Self {
        Self { mean: None, trace: None, noticed_after: Self::NOTICED_AFTER }
    }
}

/// Translators of addresses (NAT, RFC 4787 and RFC 5382) in front of members, each with one to
/// itself; the address by which a member is known is its translator's. A member that cannot be
/// reached from outside on its SIP and probe ports is never a valid proxy peer. Without the section
/// there are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nat {
    /// The share of generated members that are behind one, drawn by name.
    pub share: Probability,
    /// The share of these whose translator forwards the SIP port and `handover.probe_port`, by hand
    /// or by UPnP.
    pub forwarding: Probability,
    /// Which datagrams from one local port get the same outer port (RFC 4787, section 4.1).
    pub mapping: NatDependence,
    /// Who may send to an outer port that is mapped (RFC 4787, section 5).
    pub filtering: NatDependence,
    /// How long a mapping of UDP lives that nothing goes out through (RFC 4787, REQ-5).
    #[schemars(extend("x-above-zero" = true))]
    pub udp_timeout: Duration,
    /// The same of TCP (RFC 5382, REQ-5).
    #[schemars(extend("x-above-zero" = true))]
    pub tcp_timeout: Duration,
    /// Whether echo requests from outside are answered while the member is up.
    pub answers_echo: bool,
}

impl Default for Nat {
    fn default() -> Self {
        Self {
            share: Probability(0.0),
            forwarding: Probability(0.0),
            mapping: NatDependence::EndpointIndependent,
            filtering: NatDependence::EndpointIndependent,
            udp_timeout: "5m".parse().expect("it is a duration"),
            tcp_timeout: "124m".parse().expect("it is a duration"),
            answers_echo: true,
        }
    }
}

/// Packet filters on the hosts of members: what becomes of echo requests, and of connections to
/// ports where nothing listens. A member's SIP port, its overlay's port and `handover.probe_port`
/// are open in any case, so that a filter takes nobody's validity as a proxy peer; it only makes
/// test 1 by `probe_kind` `icmp` or `tcp7` fail. Without the section all hosts answer: echo requests
/// by a reply, connections by a reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Firewall {
    /// The share of generated members, drawn by name, whose host drops both in silence.
    pub drops: Probability,
    /// The share of generated members, drawn by name, whose host rejects both: echo requests by an
    /// ICMP error (RFC 1812, code 13), connections by a reset, which `tcp7` takes for a sign of
    /// life. Both shares together are at most 100%.
    pub rejects: Probability,
}
