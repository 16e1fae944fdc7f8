//! Scenarios: from a file as written to a checked [`Plan`].

pub mod plan;

pub use plan::Plan;
