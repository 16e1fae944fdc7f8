//! What can be wrong with a relay.

use thiserror::Error;

/// What can be wrong with a relay.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RelayFault {
    /// It is a phone.
    #[error("`{host}` is a phone of `{domain}`: a relay is a member of the overlay")]
    Phone {
        /// The phone.
        host: String,
        /// Its domain.
        domain: String,
    },
    /// It is of another overlay.
    #[error(
        "`{host}` is a member of the overlay of `{domain}`: a relay is one of the main overlay"
    )]
    Beside {
        /// The member.
        host: String,
        /// The domain of its overlay.
        domain: String,
    },
    /// Nobody reaches it.
    #[error("`{host}` is behind a translator of addresses, where clients do not reach it")]
    Translated {
        /// The member.
        host: String,
    },
}
