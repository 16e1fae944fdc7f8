//! The OverCord node: the modules of the paper's Fig. 3, and the handover strategies.
//!
//! * [`discovery`]: the discovery layer: is there a proxy peer, and does it play its role?
//! * [`resource_database`]: what the node has stored in the overlay.
//! * [`plugin_management`]: the DHT plug-in, and the way into the overlay.
//! * [`beside`]: plug-ins for overlays beside the node's own: detected, verified, created,
//!   controlled.
//! * [`bridge`]: what a node does that is in several overlays: it passes requests on between them.
//! * [`overlay_repository`]: the overlay and the members that the node remembers.
//! * [`proxy_role`]: who believes to be the proxy peer, and the claim that goes with it.
//! * [`user_agent`], [`location`]: the user agent, its user's location in the overlay, and what the
//!   proxy peer does with requests.
//! * [`embedded`]: a conventional server with a peer of the overlay inside.
//! * [`names`]: the stub resolver behind the application's address cache.
//! * [`handover`]: what the node does with what these tell: Section V.
//! * [`policy`]: what the paper leaves open.
//! * [`node`], [`message`]: the node as a whole, and all that it speaks.
//!
//! Left out: a node that changes its own overlay.

pub mod beside;
pub mod bridge;
pub mod discovery;
pub mod embedded;
pub mod handover;
pub mod location;
pub mod message;
pub mod names;
pub mod node;
pub mod overlay_repository;
pub mod plugin_management;
pub mod policy;
pub mod proxy_role;
pub mod resource_database;
pub mod user_agent;

pub use embedded::EmbeddedServer;
pub use handover::{Handover, Settings, Strategy};
pub use message::{Message, NodeTimer, Observation, Timer};
pub use node::{Node, NodeContext};
pub use user_agent::UserAgent;
