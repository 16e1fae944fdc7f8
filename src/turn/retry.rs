//! When a request is sent again, and when it is given up (RFC 8489 §6.2.1).
//!
//! The waiting time begins at [`RTO`] and doubles with each copy; after the last of [`COPIES`] the
//! client waits for [`LAST_WAIT`] times the first: copies at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s,
//! and the end at 39.5 s.

use crate::time::SimDuration;

/// The waiting time behind the first copy.
pub const RTO: SimDuration = SimDuration::from_millis(500);
/// How many copies are sent: Rc.
pub const COPIES: u32 = 7;
/// How many times [`RTO`] the client waits behind the last: Rm.
pub const LAST_WAIT: u32 = 16;

/// How long to wait when this many copies have been sent, and whether another follows then.
#[must_use]
pub fn wait(sent: u32) -> (SimDuration, bool) {
    if sent < COPIES {
        (RTO * (1 << (sent - 1)), true)
    } else {
        (RTO * u64::from(LAST_WAIT), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_out_by_the_rule_of_the_rfc() {
        let mut at = SimDuration::ZERO;
        let mut times = vec![at];
        for sent in 1.. {
            let (span, again) = wait(sent);
            at += span;
            if !again {
                break;
            }
            times.push(at);
        }
        let millis = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
        assert_eq!(times, millis.map(SimDuration::from_millis));
        assert_eq!(at, SimDuration::from_millis(39_500));
    }
}
