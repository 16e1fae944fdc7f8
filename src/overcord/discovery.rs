//! The discovery layer (paper, Fig. 3 and Section V): who is the proxy peer, and is it there?
//!
//! One *procedure* resolves the overlay's domain and runs at most two tests on the address that
//! comes back: is the host reachable (test 1), and does it listen on the proxy port (test 2). The
//! layer is a state machine that performs nothing itself: each input returns the [`Step`] that its
//! node has to take next, and the last step is a [`Verdict`]. What a verdict leads to is the node's
//! business, by its [policies](crate::overcord::policy).
//!
//! States: idle → resolving → test 1 → test 2 → idle. A late answer to an earlier procedure finds
//! another state and is ignored.

use crate::address::Address;

/// How the resolution of a name ended, as far as the procedure cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The name has this address (the first of the set).
    Address(Address),
    /// NXDOMAIN or NODATA.
    NoSuchName,
    /// SERVFAIL, or no answer at all.
    Unresolved,
}

/// Which of the two tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Is the host reachable?
    Reachable,
    /// Does it listen on the proxy port?
    Listening,
}

/// What the node has to do next for the procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Resolve the overlay's domain and report to [`Discovery::resolved`].
    Resolve,
    /// Run this test on this address and report to [`Discovery::tested`].
    Test(Test, Address),
    /// The procedure is over.
    Done(Verdict),
}

/// What a procedure found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both tests passed: this address plays its role.
    Playing(Address),
    /// This test of this address failed.
    Failed(Test, Address),
    /// The domain resolves to the node's own address.
    OwnAddress,
    /// The domain does not exist, or has no address.
    NoSuchName,
    /// The domain could not be resolved.
    Unresolved,
}

/// The procedure's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Discovery {
    /// No procedure runs.
    #[default]
    Idle,
    /// The domain is being resolved.
    Resolving,
    /// This test of this address is under way.
    Testing(Test, Address),
}

impl Discovery {
    /// Whether a procedure runs.
    #[must_use]
    pub fn is_running(self) -> bool {
        self != Self::Idle
    }

    /// Begins a procedure with a resolution, in place of one that may still run.
    pub fn begin(&mut self) -> Step {
        *self = Self::Resolving;
        Step::Resolve
    }

    /// Begins a procedure with the tests of an address that is known from elsewhere.
    pub fn begin_at(&mut self, address: Address, own: Address) -> Step {
        *self = Self::Resolving;
        self.resolved(Resolution::Address(address), own)
            .expect("a procedure that resolves takes an answer")
    }

    /// Begins a procedure of test 2 alone, in place of one that may still run. A connection says more
    /// than an echo: its first segment is sent again if it is lost.
    pub fn confirm(&mut self, address: Address, own: Address) -> Step {
        if address == own {
            self.done(Verdict::OwnAddress)
        } else {
            self.test(Test::Listening, address)
        }
    }

    /// Ends a procedure without a verdict.
    pub fn abandon(&mut self) {
        *self = Self::Idle;
    }

    /// The resolution ended; `own` is the node's own address.
    pub fn resolved(&mut self, resolution: Resolution, own: Address) -> Option<Step> {
        if *self != Self::Resolving {
            return None;
        }
        Some(match resolution {
            Resolution::Address(address) if address == own => self.done(Verdict::OwnAddress),
            Resolution::Address(address) => self.test(Test::Reachable, address),
            Resolution::NoSuchName => self.done(Verdict::NoSuchName),
            Resolution::Unresolved => self.done(Verdict::Unresolved),
        })
    }

    /// A test ended.
    pub fn tested(&mut self, test: Test, address: Address, passed: bool) -> Option<Step> {
        if *self != Self::Testing(test, address) {
            return None;
        }
        Some(match (test, passed) {
            (_, false) => self.done(Verdict::Failed(test, address)),
            (Test::Reachable, true) => self.test(Test::Listening, address),
            (Test::Listening, true) => self.done(Verdict::Playing(address)),
        })
    }

    fn test(&mut self, test: Test, address: Address) -> Step {
        *self = Self::Testing(test, address);
        Step::Test(test, address)
    }

    fn done(&mut self, verdict: Verdict) -> Step {
        *self = Self::Idle;
        Step::Done(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Address = Address::from_bits(0x0a00_0001);
    const ALICE: Address = Address::from_bits(0x92e7_7b37);

    /// Runs a procedure in which the domain resolves so and the tests end so.
    fn run(resolution: Resolution, reachable: bool, listening: bool) -> (Verdict, Vec<Test>) {
        let mut discovery = Discovery::default();
        let mut step = discovery.begin();
        let mut tests = Vec::new();
        loop {
            step = match step {
                Step::Resolve => discovery.resolved(resolution, OWN).unwrap(),
                Step::Test(test, address) => {
                    tests.push(test);
                    let passed = if test == Test::Reachable { reachable } else { listening };
                    discovery.tested(test, address, passed).unwrap()
                }
                Step::Done(verdict) => return (verdict, tests),
            };
        }
    }

    #[test]
    fn at_most_two_tests_and_the_second_only_after_the_first() {
        use Test::{Listening, Reachable};
        let alice = Resolution::Address(ALICE);
        for (resolution, reachable, listening, verdict, tests) in [
            (alice, true, true, Verdict::Playing(ALICE), vec![Reachable, Listening]),
            (alice, true, false, Verdict::Failed(Listening, ALICE), vec![Reachable, Listening]),
            (alice, false, true, Verdict::Failed(Reachable, ALICE), vec![Reachable]),
            (Resolution::Address(OWN), true, true, Verdict::OwnAddress, vec![]),
            (Resolution::NoSuchName, true, true, Verdict::NoSuchName, vec![]),
            (Resolution::Unresolved, true, true, Verdict::Unresolved, vec![]),
        ] {
            assert_eq!(run(resolution, reachable, listening), (verdict, tests));
        }
    }

    #[test]
    fn a_confirmation_is_the_second_test_alone() {
        for (listening, verdict) in
            [(true, Verdict::Playing(ALICE)), (false, Verdict::Failed(Test::Listening, ALICE))]
        {
            let mut discovery = Discovery::default();
            let _ = discovery.begin();
            assert_eq!(discovery.confirm(ALICE, OWN), Step::Test(Test::Listening, ALICE));
            assert_eq!(discovery.resolved(Resolution::Address(OWN), OWN), None, "it is replaced");
            let step = discovery.tested(Test::Listening, ALICE, listening);
            assert_eq!(step, Some(Step::Done(verdict)));
        }
        assert_eq!(Discovery::Idle.confirm(OWN, OWN), Step::Done(Verdict::OwnAddress));
    }

    #[test]
    fn a_late_result_of_an_earlier_procedure_changes_nothing() {
        let mut discovery = Discovery::default();
        let _ = discovery.begin();
        let _ = discovery.resolved(Resolution::Address(ALICE), OWN);
        let _ = discovery.begin();
        assert_eq!(discovery.tested(Test::Reachable, ALICE, false), None);
        assert_eq!(discovery, Discovery::Resolving);
    }
}
