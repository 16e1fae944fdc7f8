//! DNS: an authority, recursive resolvers with their caches, stubs, and the cache of a Java
//! application.
//!
//! * [`name`], [`message`], [`naptr`], [`codec`], [`decode`]: names, messages, their octets (RFC
//!   1035, 2782, 3403, 6891).
//! * [`answer`]: what a message means to whoever asked.
//! * [`zone`], [`authority`]: the data of a zone, and the server that is the source of truth.
//! * [`secondary`], [`notify`], [`zone::transfer`], [`stream`]: copies of a zone on other servers, how
//!   these are told of changes and sent them (RFC 1995, 1996), and DNS over TCP.
//! * [`update`], [`tsig`], [`updater`], [`binding`]: dynamic update, its signature, its client, and
//!   what a location of a proxy peer is written as.
//! * [`profile`], [`cache`], [`retry`], [`resolver`]: a recursive resolver as RFC 1035 and 2308
//!   describe it, or with the habits of unbound or BIND.
//! * [`stub`]: glibc's stub resolver, which caches nothing.
//! * [`application_cache`]: a cache that ignores TTLs, as the Java virtual machine has.
//! * [`server_cache`]: the cache that a SIP server of the SER family keeps for itself.
//! * [`checker`]: judges whether a resolver obeys TTLs, from the messages alone.
//!
//! What is left out: root and referrals (a resolver knows the authority of each zone), CNAME,
//! truncation, and TCP but for zone transfers.

pub mod answer;
pub mod application_cache;
pub mod authority;
pub mod binding;
pub mod cache;
pub mod checker;
pub mod codec;
pub mod decode;
#[cfg(test)]
mod layers;
pub mod message;
pub mod name;
pub mod naptr;
pub mod notify;
pub mod profile;
pub mod resolver;
pub mod retry;
pub mod secondary;
pub mod server_cache;
pub mod stream;
pub mod stub;
pub mod tsig;
pub mod update;
pub mod updater;
pub mod zone;

pub use answer::{Answer, Negative, Reply};
pub use application_cache::ApplicationCache;
pub use authority::Authority;
pub use binding::Binding;
pub use message::{Message, Question, Rcode, RecordData, RecordType, Soa, Srv, Ttl};
pub use name::DomainName;
pub use naptr::Naptr;
pub use profile::Profile;
pub use resolver::Resolver;
pub use secondary::Secondary;
pub use server_cache::ServerCache;
pub use stub::Stub;
pub use update::Update;
pub use updater::Updater;
pub use zone::Zone;
