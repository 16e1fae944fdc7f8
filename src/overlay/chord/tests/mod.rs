//! Chord among its like: nodes that exchange messages over a fixed delay, held against a naive
//! sorted ring.

mod behaviour;
mod codec;
mod failures;
mod harness;
mod paths;
