//! The proxy role: who believes to play it, and the claim on the binding that goes with it.
//!
//! A [`Role`] says whether the node plays the proxy peer; a [`Claim`] is an update of the binding
//! that is under way. They are apart because the paper's letter has a node that claims without
//! playing (A3), and because a proxy peer whose claim is done goes on playing. Both are plain
//! state: the node acts.

use crate::address::Address;
use crate::dns::{Rcode, updater};
use crate::dyndns::{CodeClass, UpdateOutcome};
use crate::overcord::handover::update::Wanted;
use crate::overcord::resource_database::Epoch;
use crate::time::SimDuration;

/// How often an update that met a network error is tried again (A4).
const RETRIES: u8 = 5;
/// The pause before the first retry; each further one is twice as long (A4).
const FIRST_PAUSE: SimDuration = SimDuration::from_secs(5);
/// How many self-checks in a row must find another address before a proxy peer steps down (A7).
const MISSES_TO_STEP_DOWN: u8 = 2;

/// Whether a node plays the proxy peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A member like others.
    #[default]
    Ordinary,
    /// It believes to be the proxy peer: it accepts probes and serves SIP.
    Proxy {
        /// The version of its record in the overlay.
        epoch: Epoch,
        /// Self-checks in a row that found another's address in the binding.
        misses: u8,
    },
}

impl Role {
    /// Takes the role, under this epoch.
    #[must_use]
    pub const fn taken(epoch: Epoch) -> Self {
        Self::Proxy { epoch, misses: 0 }
    }

    /// Whether it plays.
    #[must_use]
    pub const fn is_proxy(self) -> bool {
        matches!(self, Self::Proxy { .. })
    }

    /// A self-check found this address in the binding; true when the node must step down.
    pub fn checked(&mut self, found: Address, own: Address) -> bool {
        let Self::Proxy { misses, .. } = self else { return false };
        *misses = if found == own { 0 } else { *misses + 1 };
        *misses >= MISSES_TO_STEP_DOWN
    }
}

/// An update of the binding that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the binding is to become, and why.
    pub wanted: Wanted,
    /// How often it has been tried again.
    pub retries: u8,
    /// Where it stands.
    pub stage: Stage,
}

/// Where an update stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The name of the endpoint is being resolved.
    Resolving,
    /// The request is on its way.
    Updating,
    /// It failed and will be tried again.
    Pausing,
    /// It is left to a daemon, which has not taken it up yet.
    Left,
}

/// What the end of an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aftermath {
    /// The endpoint accepted.
    Accepted,
    /// The binding was not as it was expected: not tried again.
    Overtaken {
        /// Whether that can't be this update's own doing.
        certain: bool,
    },
    /// To be tried again after this pause.
    Retry(SimDuration),
    /// Given up.
    Failed,
}

/// How an attempt at an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempted {
    /// The name of the endpoint could not be resolved.
    Unresolved,
    /// So, by dyndns2.
    Dyndns2(UpdateOutcome),
    /// So, by a dynamic update of DNS.
    Rfc2136(updater::Outcome),
}

impl Claim {
    /// A claim that begins.
    #[must_use]
    pub const fn new(wanted: Wanted) -> Self {
        Self { wanted, retries: 0, stage: Stage::Resolving }
    }

    /// What follows from an attempt that ended like this. Silence, network errors and SERVFAIL are
    /// tried again with pauses that double; every other code but success is fatal, since the update
    /// service asks for half an hour of rest even after `911`.
    pub fn attempted(&mut self, ended: Attempted) -> Aftermath {
        match ended {
            Attempted::Dyndns2(UpdateOutcome::Code(code)) if code.class() == CodeClass::Success => {
                Aftermath::Accepted
            }
            Attempted::Rfc2136(outcome) if outcome.is_accepted() => Aftermath::Accepted,
            Attempted::Rfc2136(outcome) if outcome.is_overtaken() => {
                Aftermath::Overtaken { certain: outcome.is_certain() && self.retries == 0 }
            }
            Attempted::Dyndns2(UpdateOutcome::NetworkError(_)) | Attempted::Unresolved => {
                self.try_again()
            }
            Attempted::Rfc2136(updater::Outcome::TimedOut) => self.try_again(),
            Attempted::Rfc2136(updater::Outcome::Answered { rcode: Rcode::SERV_FAIL, .. }) => {
                self.try_again()
            }
            Attempted::Dyndns2(_) | Attempted::Rfc2136(_) => Aftermath::Failed,
        }
    }

    fn try_again(&mut self) -> Aftermath {
        if self.retries == RETRIES {
            return Aftermath::Failed;
        }
        let pause = FIRST_PAUSE * (1 << self.retries);
        self.retries += 1;
        self.stage = Stage::Pausing;
        Aftermath::Retry(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Address = Address::from_bits(1);
    const OTHER: Address = Address::from_bits(2);

    #[test]
    fn a_loser_steps_down_at_the_second_miss_in_a_row() {
        let mut role = Role::taken(Epoch(1));
        let found = [OTHER, OWN, OTHER, OTHER];
        let verdicts: Vec<bool> = found.iter().map(|&found| role.checked(found, OWN)).collect();
        assert_eq!(verdicts, [false, false, false, true]);
        assert!(!Role::Ordinary.checked(OTHER, OWN));
    }

    #[test]
    fn network_errors_are_tried_again_after_5_10_20_40_and_80_seconds() {
        let silence = Attempted::Rfc2136(updater::Outcome::TimedOut);
        for ended in [Attempted::Unresolved, silence, answered(Rcode::SERV_FAIL, 1)] {
            let mut claim = claim();
            for seconds in [5, 10, 20, 40, 80] {
                let pause = SimDuration::from_secs(seconds);
                assert_eq!(claim.attempted(ended), Aftermath::Retry(pause));
            }
            assert_eq!(claim.attempted(ended), Aftermath::Failed);
        }
    }

    fn claim() -> Claim {
        let peers = [OWN].into_iter().collect();
        Claim::new(Wanted { tested: None, peers, expected: None })
    }

    const fn answered(rcode: Rcode, sent: u32) -> Attempted {
        Attempted::Rfc2136(updater::Outcome::Answered { rcode, sent })
    }

    #[test]
    fn a_prerequisite_that_failed_is_certain_only_for_the_first_copy_of_the_first_attempt() {
        for (rcode, sent, aftermath) in [
            (Rcode::NO_ERROR, 2, Aftermath::Accepted),
            (Rcode::NX_RR_SET, 1, Aftermath::Overtaken { certain: true }),
            (Rcode::YX_RR_SET, 2, Aftermath::Overtaken { certain: false }),
            (Rcode::REFUSED, 1, Aftermath::Failed),
            (Rcode::NOT_AUTH, 1, Aftermath::Failed),
        ] {
            assert_eq!(claim().attempted(answered(rcode, sent)), aftermath, "{rcode:?}");
        }
        let mut claim = claim();
        claim.attempted(Attempted::Rfc2136(updater::Outcome::TimedOut));
        let overtaken = claim.attempted(answered(Rcode::NX_RR_SET, 1));
        assert_eq!(overtaken, Aftermath::Overtaken { certain: false });
    }
}
