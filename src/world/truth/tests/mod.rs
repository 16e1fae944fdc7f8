//! Hand-computed scripts, doctored reports, and a comparison with a model that rescans everything.

mod doctored;
mod naive;
mod outbound;
mod partitions;
mod queries;
mod random;
mod requests;
mod script;
mod stories;
