//! Overlays beside the main one as written: `[[overlay.beside]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Plugin;

/// An overlay beside the main one, with a plug-in and SIP users of its own. Its members are called
/// by its name and a number, such as `kad-00001`, and so are their users. They stay: `[churn]` and
/// the departures of `[[event]]` concern the main overlay, and so does all that is measured of
/// handovers, requests and look-ups; messages and node hours count for all overlays together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Its name, a slug: letters, digits and dashes.
    #[schemars(extend("x-kind" = "slug"))]
    pub name: String,
    /// The domain of its users.
    #[schemars(extend("x-kind" = "domain"))]
    pub domain: String,
    /// The distributed hash table. Its parameters are those of the plug-in's table, such as
    /// `[overlay.chord]`.
    #[serde(default = "chord")]
    pub plugin: Plugin,
    /// How many members it has.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 60_000))]
    pub nodes: u32,
    /// How many generated members of the main overlay have its plug-in as well: they find out what
    /// overlay it is, join it, and pass requests on between the users of both. The first by name
    /// are chosen.
    #[serde(default)]
    #[schemars(range(max = 60_000))]
    pub bridges: u32,
    /// Whether its domain has a binding of its own, which names its first member, the proxy peer of
    /// the domain. Without one its users are reached through bridges alone.
    #[serde(default)]
    pub binding: bool,
}

const fn chord() -> Plugin {
    Plugin::Chord
}

const fn twenty() -> u32 {
    20
}
