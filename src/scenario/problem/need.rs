//! What a choice needs that the rest of the scenario does not have.

use thiserror::Error;

/// What a choice needs that the rest of the scenario does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NeedFault {
    /// Another key has to have a certain value.
    #[error("{what} needs {key} = \"{needed}\"")]
    Value {
        /// What needs it.
        what: &'static str,
        /// The key.
        key: &'static str,
        /// Its value.
        needed: &'static str,
    },
    /// Something has to be there.
    #[error("{what} needs {need}")]
    There {
        /// What needs it.
        what: String,
        /// What is needed.
        need: &'static str,
    },
}
