//! Hand-computed scripts, doctored reports, and a comparison with a model that rescans everything.

mod doctored;
mod queries;
mod script;
mod stories;
