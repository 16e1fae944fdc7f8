//! The wall clock: for the manifest, which says when a study was carried out, for guessing how long
//! one will take, and for nothing else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC; 0 where the clock is set to before that.
#[expect(
    clippy::disallowed_methods,
    reason = "when a study was carried out is no part of what it gave"
)]
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Measures time that goes by.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a run takes is no part of what it gives"
    )]
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What has gone by since.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
