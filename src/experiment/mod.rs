//! A study: runs over sweep points and replications, kept in cells so that nothing is simulated
//! twice, and what they say together.
//!
//! [`cell`] names a run by its content and keeps what it gave; [`store`] is the folder it is kept
//! in; [`run`] simulates what is missing, on as many threads as asked; [`sequential`] says how many
//! runs there are. [`statistics`] and [`summary`] aggregate, in one thread and in the order of the
//! runs, since a sum of floating-point numbers depends on its order. [`theory`] is what closed forms
//! say about the same scenario. [`pooled`] has quantiles over several runs together.
//!
//! [`gate`] holds a study against its budgets and its baseline; [`paired`] and [`difference`] compare
//! two variants seed by seed, and [`parting`] finds the event at which two runs part; [`verify`] shows
//! that runs repeat themselves.

pub mod cell;
pub mod difference;
pub mod gate;
pub mod manifest;
pub mod paired;
pub mod parting;
pub mod pooled;
pub mod run;
pub mod sequential;
pub mod simulator;
pub mod statistics;
pub mod store;
pub mod summary;
pub mod theory;
pub mod verify;
pub mod warmup;
pub mod warning;

pub use cell::{CellId, CellSpec, ENGINE, Study, StudyId, StudyPoint, TraceDigest};
pub use run::{Halt, Happening, Outcome, Simulate, run_study};
pub use sequential::{Carried, Imprecise, carry_out};
pub use simulator::{Simulator, Simulators, Supervisor};
pub use summary::{Summary, Theory, summarise};
