//! The part of the plan about overlays beside the main one.

use super::PluginPlan;

/// `[[overlay.beside]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BesidePlan {
    /// Its name; names are distinct.
    pub name: String,
    /// The domain of its users, in lower case; nobody else's.
    pub domain: String,
    /// The DHT.
    pub plugin: PluginPlan,
    /// Its members, at least 1.
    pub nodes: u32,
    /// Generated members of the main overlay that are in it as well.
    pub bridges: u32,
    /// Whether its domain has a binding, to its first member.
    pub binding: bool,
}
