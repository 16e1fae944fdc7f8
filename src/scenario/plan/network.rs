//! The part of the plan about what stands in the way of messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Enclosure, ResolverGroup};
use crate::churn::trace::AddressChange;
use crate::net::{Graph, GraphFormat};
use crate::time::SimDuration;

/// Hosts that cannot reach the others.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionPlan {
    /// Who is on the far side; distinct, and not none.
    pub far: Vec<Far>,
    /// How long it lasts; `None`: until it is healed.
    pub lasting: Option<SimDuration>,
}

/// Some of those on the far side of a partition.
#[derive(Clone, Debug, PartialEq)]
pub enum Far {
    /// A share in (0, 1] of the members, the same each time that the line is played.
    Share(f64),
    /// Whoever is in the binding when it begins.
    Proxy,
    /// A named or generated member.
    Member(String),
    /// A conventional domain, in lower case: its server and its phones.
    Domain(String),
    /// A group of resolvers.
    Resolvers(ResolverGroup),
    /// The authority for the overlay's domain.
    Authority,
    /// The update service.
    UpdateService,
}

/// `[network.bursts]`: losses in bursts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurstsPlan {
    /// The probability that a message is lost in one.
    pub loss: f64,
    /// The mean length of one, above zero.
    pub length: SimDuration,
    /// The mean time between two, above zero.
    pub gap: SimDuration,
}

/// `[network.nat]`: translators of addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NatPlan {
    /// The share of generated members behind one.
    pub share: f64,
    /// The share of these that can be reached on the ports of a proxy peer.
    pub forwarding: f64,
    /// Which datagrams share a mapping.
    pub mapping: NatDependence,
    /// Who may send to a mapped port.
    pub filtering: NatDependence,
    /// How long an idle mapping of UDP lives, above zero.
    pub udp_timeout: SimDuration,
    /// The same of TCP.
    pub tcp_timeout: SimDuration,
    /// Whether echo requests are answered.
    pub answers_echo: bool,
}

/// `[network.firewall]`: packet filters on the hosts of members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirewallPlan {
    /// The share of generated members that drop.
    pub drops: f64,
    /// The share of these that reject; both are at most 1 together.
    pub rejects: f64,
}

/// `[network.address_change]`: addresses of hosts that are up and change.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressChangePlan {
    /// When, beside the script; `None`: by the script alone.
    pub source: Option<AddressChangeSource>,
    /// How long it takes until a node notices.
    pub noticed_after: SimDuration,
}

/// A graph of routers that a file describes.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphPlan {
    /// The file.
    pub file: Enclosure<Graph>,
    /// How it is written.
    pub format: GraphFormat,
    /// The delay between a host and its router.
    pub access: SimDuration,
}

/// When addresses change, beside the script.
#[derive(Clone, Debug, PartialEq)]
pub enum AddressChangeSource {
    /// At random moments of each member.
    Drawn {
        /// The mean time between two, above zero.
        mean: SimDuration,
    },
    /// As recorded.
    Trace(Enclosure<Vec<AddressChange>>),
}

/// What of the other end decides (RFC 4787).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NatDependence {
    /// Whatever the other end is.
    EndpointIndependent,
    /// By the address of the other end, whatever its port.
    AddressDependent,
    /// By the address and the port of the other end.
    AddressAndPortDependent,
}

/// Whether a named member is behind a translator of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HostNat {
    /// It is not.
    #[default]
    None,
    /// It is, and only answers come in.
    Closed,
    /// It is; the translator forwards the SIP port and the probe port.
    Forwarding,
}
