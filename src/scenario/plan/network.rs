//! The part of the plan about what the script does to the network.

use super::ResolverGroup;
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
