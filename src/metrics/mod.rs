//! Truth made into tables: rows, distributions and the headline metrics of a run.

pub mod codebook;
pub mod collect;
pub mod distribution;
pub mod headline;
pub mod tables;
