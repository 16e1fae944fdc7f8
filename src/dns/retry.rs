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
/// `max-sent-count`: queries in one resolution.
const MOST_TRIES: u32 = 32;
/// As many as there are rounds.
const MOST_DOUBLINGS: u32 = ADAPTIVE_TRIES;

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

    /// The time-out without what losses have added to it.
    #[must_use]
    pub fn estimate(&self) -> SimDuration {
        let estimate = self.srtt_ms + 4 * self.rttvar_ms;
        let milliseconds = estimate.clamp(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS);
        SimDuration::from_millis(milliseconds.unsigned_abs())
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
    /// How many servers there are; they are asked in turn.
    servers: u32,
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
        Self { retry, started: now, sent: 0, tries, servers: 1 }
    }

    /// A resolution that starts now and may ask any of several servers.
    #[must_use]
    pub fn start_among(now: SimTime, retry: Retry, servers: u32) -> Self {
        let tries = match retry {
            Retry::Adaptive => ADAPTIVE_TRIES.saturating_mul(servers).min(MOST_TRIES),
            Retry::Fixed => u32::MAX,
        };
        Self { retry, started: now, sent: 0, tries, servers }
    }

    /// Which server's turn it is: of several, the first is 0.
    #[must_use]
    pub const fn turn(&self) -> usize {
        (self.sent % self.servers) as usize
    }

    /// Whether a query may be sent now: how long to wait for its answer, or `None` to give up.
    pub fn next(&mut self, now: SimTime, server: &RoundTrips) -> Option<SimDuration> {
        if self.sent >= self.tries {
            return None;
        }
        let wait = match self.retry {
            // Of several, a silent server costs its estimate only: what doubles is each round.
            Retry::Adaptive if self.servers > 1 => {
                let wait =
                    server.estimate() * (1 << (self.sent / self.servers).min(MOST_DOUBLINGS));
                wait.min(SimDuration::from_millis(MAX_TIMEOUT_MS.unsigned_abs()))
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// When queries are sent to a server that never answers, and when that is given up, in ms.
    fn schedule(retry: Retry, server: &mut RoundTrips) -> (Vec<u64>, u64) {
        let mut now = SimTime::from_secs(1_000);
        let start = now;
        let mut progress = Progress::start(now, retry, server);
        let mut sent = Vec::new();
        let since = |now: SimTime| now.since(start).as_nanos() / 1_000_000;
        while let Some(wait) = progress.next(now, server) {
            sent.push(since(now));
            now += wait;
            server.lost(wait);
        }
        (sent, since(now))
    }

    #[test]
    fn unbound_doubles_from_376_ms_and_gives_up_after_five() {
        let mut server = RoundTrips::default();
        // 376 · (1 + 2 + 4 + 8 + 16) = 376 · 31 = 11,656.
        let first = (vec![0, 376, 1_128, 2_632, 5_640], 11_656);
        assert_eq!(schedule(Retry::Adaptive, &mut server), first);
        // 376 · 32 is above 12 s: from now on single probes, with doubling up to 120 s.
        assert!(server.is_probed());
        for wait in [12_032, 24_064, 48_128, 96_256, 120_000, 120_000] {
            assert_eq!(schedule(Retry::Adaptive, &mut server), (vec![0], wait));
        }
    }

    #[test]
    fn several_servers_are_asked_in_turn_and_each_round_takes_twice_as_long() {
        let mut now = SimTime::ZERO;
        let mut servers = [RoundTrips::default(); 2];
        let mut progress = Progress::start_among(now, Retry::Adaptive, 2);
        let mut seen = Vec::new();
        loop {
            let turn = progress.turn();
            let Some(wait) = progress.next(now, &servers[turn]) else { break };
            seen.push((turn, now.since(SimTime::ZERO).as_nanos() / 1_000_000));
            now += wait;
            servers[turn].lost(wait);
        }
        // 376 ms each, then 752 each, and so on: 2 · 376 · (1 + 2 + 4 + 8 + 16) = 23,312.
        assert_eq!(seen[..5], [(0, 0), (1, 376), (0, 752), (1, 1_504), (0, 2_256)]);
        assert_eq!((seen.len(), now), (10, SimTime::ZERO + SimDuration::from_millis(23_312)));
    }

    #[test]
    fn bind_sends_six_queries_in_ten_seconds() {
        // 0.8, 0.8, 0.8, 1.6, 3.2, and what is left of 10 s.
        let expected = (vec![0, 800, 1_600, 2_400, 4_000, 7_200], 10_000);
        assert_eq!(schedule(Retry::Fixed, &mut RoundTrips::default()), expected);
    }

    #[test]
    fn the_time_out_follows_the_round_trips() {
        let mut server = RoundTrips::default();
        // srtt += (80 − 0) / 8 = 10; rttvar += (80 − 94) / 4 = −3 (towards zero): 10 + 4 · 91.
        server.answered(SimDuration::from_millis(80));
        assert_eq!(server.timeout(), SimDuration::from_millis(374));
        // It settles near 80 ms, and at no less than the minimum of 50 ms.
        for _ in 0..100 {
            server.answered(SimDuration::from_millis(80));
        }
        let settled = server.timeout();
        let [low, high] = [80, 120].map(SimDuration::from_millis);
        assert!(settled >= low && settled <= high, "{settled}");
        for _ in 0..200 {
            server.answered(SimDuration::ZERO);
        }
        assert_eq!(server.timeout(), SimDuration::from_millis(50));
    }

    #[test]
    fn losses_of_older_shorter_tries_do_not_count_and_knowledge_is_forgotten() {
        let mut server = RoundTrips::default();
        server.refresh(SimTime::from_secs(10));
        server.lost(SimDuration::from_millis(376));
        server.lost(SimDuration::from_millis(376));
        assert_eq!(server.timeout(), SimDuration::from_millis(752));
        server.refresh(SimTime::from_secs(909));
        assert_eq!(server.timeout(), SimDuration::from_millis(752));
        server.refresh(SimTime::from_secs(910));
        assert_eq!(server.timeout(), SimDuration::from_millis(376));
    }
}
