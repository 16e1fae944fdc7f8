//! When an authority that stays silent is asked again, and when that is given up.

use crate::dns::profile::Retry;
use crate::time::{SimDuration, SimTime};

/// What a resolver knows of the round trips to an authority, as unbound's infrastructure cache:
/// the time-out is srtt + 4·rttvar, in whole milliseconds, doubled with each loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrips {
    srtt_ms: i64,
    rttvar_ms: i64,
    timeout_ms: i64,
    /// When the knowledge is forgotten.
    forget: SimTime,
}

/// With nothing known: srtt 0, rttvar 94, so 376 ms (`unknown-server-time-limit`).
const FIRST_RTTVAR_MS: i64 = 94;
/// `infra-cache-min-rtt`.
const MIN_TIMEOUT_MS: i64 = 50;
/// `infra-cache-max-rtt`.
const MAX_TIMEOUT_MS: i64 = 120_000;
/// Above this, a server is only probed: one query at a time, and one try.
const PROBE_ABOVE_MS: i64 = 12_000;
/// `infra-host-ttl`.
const REMEMBERED: SimDuration = SimDuration::from_secs(900);
/// `outbound-msg-retry`: queries to one server in one resolution.
const ADAPTIVE_TRIES: u32 = 5;

/// BIND's first interval.
const FIXED_INTERVAL: SimDuration = SimDuration::from_millis(800);
/// BIND never waits longer for one query.
const FIXED_LONGEST: SimDuration = SimDuration::from_secs(9);
/// `resolver-query-timeout`.
const FIXED_TOTAL: SimDuration = SimDuration::from_secs(10);

impl Default for RoundTrips {
    fn default() -> Self {
        let (srtt_ms, rttvar_ms) = (0, FIRST_RTTVAR_MS);
        Self { srtt_ms, rttvar_ms, timeout_ms: 4 * FIRST_RTTVAR_MS, forget: SimTime::ZERO }
    }
}

impl RoundTrips {
    /// How long to wait for the next query's answer.
    #[must_use]
    pub fn timeout(&self) -> SimDuration {
        SimDuration::from_millis(self.timeout_ms.unsigned_abs())
    }

    /// Whether the server has been silent for so long that it is only probed.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.timeout_ms > PROBE_ABOVE_MS
    }

    /// Forgets what is too old to count. To be called when a resolution starts.
    pub fn refresh(&mut self, now: SimTime) {
        if now >= self.forget {
            *self = Self { forget: now.saturating_add(REMEMBERED), ..Self::default() };
        }
    }

    /// An answer came after this span.
    pub fn answered(&mut self, after: SimDuration) {
        let milliseconds = after.as_nanos() / 1_000_000;
        let delta = i64::try_from(milliseconds).unwrap_or(MAX_TIMEOUT_MS) - self.srtt_ms;
        self.srtt_ms += delta / 8;
        self.rttvar_ms += (delta.abs() - self.rttvar_ms) / 4;
        let timeout = self.srtt_ms + 4 * self.rttvar_ms;
        self.timeout_ms = timeout.clamp(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);
    }

    /// No answer came within this time-out. A shorter one than the present counts for nothing:
    /// it was measured before others were lost.
    pub fn lost(&mut self, waited: SimDuration) {
        if waited >= self.timeout() {
            self.timeout_ms = (2 * self.timeout_ms).min(MAX_TIMEOUT_MS);
        }
    }
}

/// How far one resolution has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    retry: Retry,
    started: SimTime,
    sent: u32,
    /// Queries that may be sent in all.
    tries: u32,
}

impl Progress {
    /// A resolution that starts now.
    #[must_use]
    pub fn start(now: SimTime, retry: Retry, server: &RoundTrips) -> Self {
        let tries = match retry {
            Retry::Adaptive if server.is_probed() => 1,
            Retry::Adaptive => ADAPTIVE_TRIES,
            Retry::Fixed => u32::MAX,
        };
        Self { retry, started: now, sent: 0, tries }
    }

    /// Whether a query may be sent now: how long to wait for its answer, or `None` to give up.
    pub fn next(&mut self, now: SimTime, server: &RoundTrips) -> Option<SimDuration> {
        if self.sent >= self.tries {
            return None;
        }
        let wait = match self.retry {
            Retry::Adaptive => server.timeout(),
            Retry::Fixed => {
                // 0.8, 0.8, 0.8, 1.6, 3.2, … until the total is used up.
                let doublings = self.sent.saturating_sub(2).min(6);
                let left = FIXED_TOTAL.saturating_sub(now.since(self.started));
                (FIXED_INTERVAL * (1 << doublings)).min(FIXED_LONGEST).min(left)
            }
        };
        self.sent += 1;
        (!wait.is_zero()).then_some(wait)
    }
}
