//! Judges of the simulator itself, switched on by `--checkers` and in tests: does every resolver
//! obey TTLs, and is the ring in order? (Packet conservation and the sums of truth are checked in every run.)

use std::collections::BTreeMap;

use crate::dns;
use crate::dns::checker::{TtlChecker, Violation};
use crate::overcord::Message;
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::Complaint;
use crate::world::ring::{RingSummary, RingWatch};

/// How many complaints of one kind are kept: a broken simulator has many.
const KEPT: usize = 20;

/// All judges of a run.
#[derive(Debug, Default)]
pub struct Checkers {
    /// The judge of the ring.
    pub ring: RingWatch,
    resolvers: BTreeMap<HostId, TtlChecker>,
    violations: Vec<(HostId, Violation)>,
}

impl Checkers {
    /// These judges of resolvers.
    #[must_use]
    pub fn new(judges: impl IntoIterator<Item = (HostId, TtlChecker)>) -> Self {
        Self { resolvers: judges.into_iter().collect(), ..Self::default() }
    }

    /// A message was delivered to a host, which is about to handle it.
    pub fn delivered(&mut self, now: SimTime, host: HostId, message: &Message) {
        let Message::Dns(message) = message else { return };
        if let Some(judge) = self.resolvers.get_mut(&host)
            && message.response
        {
            judge.upstream(now, message);
        }
    }

    /// A resolver answers a client.
    pub fn answered(&mut self, now: SimTime, resolver: HostId, message: &dns::Message) {
        let Some(judge) = self.resolvers.get(&resolver) else { return };
        if message.response
            && let Err(violation) = judge.downstream(now, message)
            && self.violations.len() < KEPT
        {
            self.violations.push((resolver, violation));
        }
    }

    /// What was found at the end of the run, and what the rings were like; `stabilize` is the
    /// pause between two rounds of the ring's maintenance.
    #[must_use]
    pub fn finish(
        self,
        now: SimTime,
        stabilize: SimDuration,
        names: &[String],
    ) -> (RingSummary, Vec<Complaint>) {
        let (summary, broken) = self.ring.finish(now, stabilize);
        let ttl = |(host, violation): (HostId, Violation)| Complaint::Ttl {
            resolver: names[host.index()].clone(),
            violation,
        };
        let found = self.violations.into_iter().map(ttl).chain(broken.map(Complaint::Ring));
        (summary, found.collect())
    }
}
