//! Who joins and leaves, and when.
//!
//! A host alternates between sessions, in which it is up, and downtimes. Where their lengths come
//! from is a [`Schedule`]: nowhere (every host stays up), two [`Lifetime`] distributions with a
//! stationary start, or a recorded [`AvailabilityTrace`]. A [`HostChurn`] is one host's place in
//! its schedule; it hands out one interval after the other and keeps a few bytes, since a million
//! hosts have one each.
//!
//! Not here: what a leave means (addresses, incarnations, announcements are the world's), scripted
//! events, and files: whoever reads a trace hands its bytes to [`trace::parse`].

mod generate;
mod lifetime;
mod schedule;
mod stats;
pub mod trace;

pub use generate::{Recipe, generate};
pub use lifetime::{Centre, Family, Lifetime, LifetimeError};
pub use schedule::{ChurnModel, GracefulShare, HostChurn, Interval, Schedule, ShareError};
pub use stats::{Spread, TraceStats};
pub use trace::{AvailabilityTrace, Session, TraceNode};
