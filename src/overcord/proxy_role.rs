//! The proxy role: who believes to play it, and the claim on the binding that goes with it.
//!
//! A [`Role`] says whether the node plays the proxy peer; a [`Claim`] is an update of the binding
//! that is under way. They are apart because the paper's letter has a node that claims without
//! playing (A3), and because a proxy peer whose claim is done goes on playing. Both are plain
//! state: the node acts.

use crate::address::Address;
use crate::dyndns::{CodeClass, UpdateOutcome};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address whose failed test made the node claim.
    pub tested: Option<Address>,
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
    /// To be tried again after this pause.
    Retry(SimDuration),
    /// Given up.
    Failed,
}

impl Claim {
    /// A claim that begins.
    #[must_use]
    pub const fn new(tested: Option<Address>) -> Self {
        Self { tested, retries: 0, stage: Stage::Resolving }
    }

    /// What follows from an attempt that ended like this; `None` stands for an endpoint whose name
    /// could not be resolved. Network errors are tried again with pauses that double; every code
    /// but success is fatal, since the service asks for half an hour of rest even after `911`.
    pub fn attempted(&mut self, outcome: Option<&UpdateOutcome>) -> Aftermath {
        match outcome {
            Some(UpdateOutcome::Code(code)) if code.class() == CodeClass::Success => {
                Aftermath::Accepted
            }
            Some(UpdateOutcome::Code(_) | UpdateOutcome::HttpError(_)) => Aftermath::Failed,
            Some(UpdateOutcome::NetworkError(_)) | None if self.retries < RETRIES => {
                let pause = FIRST_PAUSE * (1 << self.retries);
                self.retries += 1;
                self.stage = Stage::Pausing;
                Aftermath::Retry(pause)
            }
            Some(UpdateOutcome::NetworkError(_)) | None => Aftermath::Failed,
        }
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
        let mut claim = Claim::new(None);
        for seconds in [5, 10, 20, 40, 80] {
            let pause = SimDuration::from_secs(seconds);
            assert_eq!(claim.attempted(None), Aftermath::Retry(pause));
        }
        assert_eq!(claim.attempted(None), Aftermath::Failed);
    }
}
