//! The wall clock: for the manifest, which says when a study was carried out, and for nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC; 0 where the clock is set to before that.
#[expect(
    clippy::disallowed_methods,
    reason = "when a study was carried out is no part of what it gave"
)]
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
