//! Conventional SIP: the servers and phones that know nothing of an overlay.
//!
//! * [`names`]: how a server locates where a request goes: stub resolver, its own cache, RFC 3263.
//! * [`workers`]: the processes of a server, which wait while a name is resolved.

pub mod names;
pub mod workers;

pub use names::{Located, Names};
pub use workers::{Admission, WorkerId, Workers};
