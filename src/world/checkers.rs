//! Judges of the simulator itself, switched on by `--checkers` and in tests: does every resolver
//! obey TTLs? (Packet conservation and the sums of truth are checked in every run.)

use std::collections::BTreeMap;

use crate::dns;
use crate::dns::checker::{TtlChecker, Violation};
use crate::dns::profile::CachePolicy;
use crate::overcord::Message;
use crate::sim::HostId;
use crate::time::SimTime;
use crate::world::Complaint;

/// How many complaints of one kind are kept: a broken simulator has many.
const KEPT: usize = 20;

/// All judges of a run.
#[derive(Debug, Default)]
pub struct Checkers {
    resolvers: BTreeMap<HostId, TtlChecker>,
    violations: Vec<(HostId, Violation)>,
}

impl Checkers {
    /// Judges of these resolvers.
    #[must_use]
    pub fn new(resolvers: impl IntoIterator<Item = (HostId, CachePolicy)>) -> Self {
        let judges = |(host, policy)| (host, TtlChecker::new(policy));
        Self { resolvers: resolvers.into_iter().map(judges).collect(), violations: Vec::new() }
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

    /// What was found.
    #[must_use]
    pub fn complaints(self, names: &[String]) -> Vec<Complaint> {
        self.violations
            .into_iter()
            .map(|(host, violation)| Complaint::Ttl {
                resolver: names[host.index()].clone(),
                violation,
            })
            .collect()
    }
}
