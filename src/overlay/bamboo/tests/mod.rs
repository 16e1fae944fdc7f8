//! Bamboo in the conformance suite, and what it promises beyond that.

mod codec;
mod structure;
mod suite;
