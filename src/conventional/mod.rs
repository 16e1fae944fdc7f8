//! Conventional SIP: the servers and phones that know nothing of an overlay.
//!
//! * [`names`]: how a server locates where a request goes: stub resolver, its own cache, RFC 3263.
//! * [`workers`]: the processes of a server, which wait while a name is resolved.
//! * [`server`]: registrar, presence server and proxy of a domain, as SER.
//! * [`phone`]: a user's phone, as linphone.

pub mod names;
pub mod phone;
pub mod server;
pub mod workers;

pub use names::{Located, Names};
pub use phone::Phone;
pub use server::Server;
pub use workers::{Admission, WorkerId, Workers};
