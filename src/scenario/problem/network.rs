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
    /// A server is cut off from its resolvers.
    #[error("`{domain}` and its resolvers `{group}` stand on the same side: name both, or neither")]
    Severed {
        /// The domain of the server.
        domain: String,
        /// The group.
        group: String,
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
