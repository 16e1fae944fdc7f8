//! What binds the protocol cores together, and the observer that knows everything.

pub mod observation;
pub mod truth;
