//! Chord among its like: nodes that exchange messages over a fixed delay, held against a naive
//! sorted ring.

mod behaviour;
mod codec;
mod harness;
mod paths;
