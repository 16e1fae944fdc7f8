//! What can be wrong with a story.

use thiserror::Error;

/// What can be wrong with a story.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoryFault {
    /// A host never sends such a request.
    #[error("`{host}` never sends {method}: {why}")]
    NeverSent {
        /// The host.
        host: String,
        /// The method.
        method: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// A request that goes to the sender's own domain.
    #[error("`{host}` sends {method} to its own domain, `{domain}`, alone")]
    OtherDomain {
        /// The sender.
        host: String,
        /// The method.
        method: &'static str,
        /// Its domain.
        domain: String,
    },
    /// An event of the overlay on a phone.
    #[error("`{host}` is a phone of `{domain}`: this happens to members of the overlay")]
    NotInOverlay {
        /// The phone.
        host: String,
        /// Its domain.
        domain: String,
    },
}
