//! The kernel: a clock, a queue of events, timers, hosts. It knows no protocol.
//!
//! * [`event`]: what waits in the queue, 48 bytes at most, ordered by content.
//! * [`queue`]: the block timing wheel.
//! * [`kernel`]: timers, what is kept of each host, the loop's `pop`.
//! * [`context`]: the contract between a component and whatever drives it.
//! * [`agenda`]: the many timers of a component behind one timer of its host.
//! * [`recorder`]: a [`Context`] for tests, which stores effects instead of applying them.
//! * [`fingerprint`]: a digest of everything that happened, by epochs.
//!
//! **Architecture Invariant:** the order of events is a function of what they are,
//! `(time, origin, origin's own counter)`, never of the order in which they were inserted.

pub mod agenda;
pub mod context;
pub mod event;
pub mod fingerprint;
pub mod kernel;
pub mod queue;
pub mod recorder;

pub use agenda::Agenda;
pub use context::{Context, Lift, Timer};
pub use event::{Event, HostId, Input, Parcel};
pub use fingerprint::Fingerprint;
pub use kernel::Kernel;
pub use recorder::Recorder;
