//! What can be wrong with what the script does to the network.

use thiserror::Error;

/// What can be wrong with what the script does to the network.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NetworkFault {
    /// A phone is cut off by itself.
    #[error("`{host}` is a phone of `{domain}`, which it follows: name the domain")]
    PhoneAlone {
        /// The phone.
        host: String,
        /// Its domain.
        domain: String,
    },
    /// The address of a host changes that has one for good.
    #[error("`{host}` is {what}: only the addresses of members change")]
    AddressStays {
        /// The host.
        host: String,
        /// What it is.
        what: String,
    },
    /// A server is cut off from its resolvers.
    #[error("`{domain}` and its resolvers `{group}` stand on the same side: name both, or neither")]
    Severed {
        /// The domain of the server.
        domain: String,
        /// The group.
        group: String,
    },
    /// Resolvers are cut off from those that they forward to.
    #[error(
        "`{group}` and `{above}`, which it forwards to, stand on the same side: name both, or neither, and nobody whose resolvers these are"
    )]
    Unchained {
        /// The group that forwards.
        group: String,
        /// The group that it forwards to.
        above: String,
    },
    /// Two shares of the members.
    #[error("a second share: `{first}` of the members are cut off already")]
    SecondShare {
        /// The first.
        first: String,
    },
    /// A graph in an unknown format.
    #[error(
        "the extension of `{path}` does not tell how the graph is written: `.graphml`, or `.edges` \
         for a list of edges"
    )]
    GraphFormat {
        /// The file.
        path: String,
    },
    /// More partitions than can be told apart.
    #[error("there are more partitions than {most}")]
    TooMany {
        /// How many there can be.
        most: usize,
    },
}
