//! When a user agent renews what it was granted, and when it tries again what failed.

use crate::sip::agent::desk::{Desk, Final};
use crate::sip::agent::upcall::Outcome;
use crate::sip::message::Status;
use crate::sip::transaction::Wire;
use crate::time::SimDuration;

/// 64·T1: how long a non-INVITE transaction lasts without an answer (RFC 3261, Timer F).
pub(super) const TRANSACTION: SimDuration = SimDuration::from_secs(32);

/// What the pause after a first failure is derived from (RFC 5626 §4.5, all flows failed).
const BASE_S: u64 = 30;
/// The longest pause (RFC 5626 §4.5).
const LONGEST_S: u64 = 1800;

/// When to renew a lease of so many seconds: after nine tenths of it, as the SIP stack of linphone
/// does; but with time left for one transaction to fail, unless that would be in its first half.
pub(super) fn renewal(lease_s: u32) -> SimDuration {
    let lease = SimDuration::from_secs(u64::from(lease_s));
    let tenth = SimDuration::from_nanos(lease.as_nanos() / 10);
    let late = lease.saturating_sub(tenth.max(TRANSACTION));
    late.max(SimDuration::from_nanos(lease.as_nanos() / 2))
}

/// The pauses after failures in a row, as RFC 5626 §4.5 draws them for registrations: between half
/// and all of 30 s doubled with each failure, up to 1,800 s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    failures: u32,
}

impl Pauses {
    /// Nothing has failed.
    pub(super) const NONE: Self = Self { failures: 0 };

    /// It has worked: the next pause is the first one again.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether the last try failed.
    pub(super) const fn failing(self) -> bool {
        self.failures > 0
    }

    /// How long to wait after this failure, at least as long as the response says.
    pub(super) fn next<C: Wire>(&mut self, desk: &mut Desk<'_, C>, how: &Final) -> SimDuration {
        // 30 s times 2^6 is beyond the longest pause.
        self.failures = (self.failures + 1).min(6);
        let whole = SimDuration::from_secs((BASE_S << self.failures).min(LONGEST_S));
        let pause = whole.mul_f64(0.5 + 0.5 * desk.unit());
        let asked_for = match how {
            Final::Response(response) => response.headers.retry_after.unwrap_or(0),
            Final::Failure(_) => 0,
        };
        pause.max(SimDuration::from_secs(u64::from(asked_for)))
    }
}

/// Whether a request that ended so may well succeed later: nobody answered, or a server is in
/// trouble, or the user is not there at the moment. Anything else is a refusal.
pub(super) fn is_transient(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Timeout | Outcome::Transport | Outcome::Unlocated => true,
        Outcome::GivenUp => false,
        Outcome::Status(status) => {
            status.class() == 5
                || [
                    Status::REQUEST_TIMEOUT,
                    Status::UNRESOLVABLE_DESTINATION,
                    Status::TEMPORARILY_UNAVAILABLE,
                ]
                .contains(&status)
        }
    }
}

/// Whether a response to SUBSCRIBE or NOTIFY means that there is no subscription any more (RFC 6665
/// §4.1.2.2 and §4.2.2). A time-out and 408 mean that the dialog is gone (RFC 3261 §12.2.1.2).
pub(super) fn ends_subscription(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Timeout => true,
        Outcome::Transport | Outcome::Unlocated | Outcome::GivenUp => false,
        Outcome::Status(status) => {
            matches!(status.code(), 404 | 405 | 408 | 410 | 416 | 480..=485 | 489 | 501 | 604)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_with_time_left_for_a_transaction() {
        // (lease, renewal) in seconds: 3,600 - 360; 300 - 32 since a tenth is only 30; 60 - 30
        // since 60 - 32 is in the first half.
        for (lease, renewed) in [(3600, 3240), (300, 268), (60, 30), (10, 5), (0, 0)] {
            assert_eq!(renewal(lease), SimDuration::from_secs(renewed), "{lease}");
        }
    }

    #[test]
    fn refusals_are_told_from_trouble() {
        let status = |code| Outcome::Status(Status::new(code).unwrap());
        for (outcome, transient, ends) in [
            (Outcome::Timeout, true, true),
            (Outcome::Transport, true, false),
            (Outcome::Unlocated, true, false),
            (status(403), false, false),
            (status(404), false, true),
            (status(408), true, true),
            (status(478), true, false),
            (status(480), true, true),
            (status(481), false, true),
            (status(489), false, true),
            (status(500), true, false),
            (status(503), true, false),
            (status(603), false, false),
        ] {
            assert_eq!(is_transient(outcome), transient, "{outcome:?}");
            assert_eq!(ends_subscription(outcome), ends, "{outcome:?}");
        }
    }
}
