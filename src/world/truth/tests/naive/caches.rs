//! What resolvers and the chains of callers would answer.

use super::Naive;
use crate::address::Address;
use crate::sim::HostId;
use crate::world::observation::Answer;

impl Naive {
    /// What a cache holds; within, `None` for a failure.
    pub(super) fn cached(&self, host: HostId) -> Option<Option<&[Address]>> {
        let (cached, _) = self.caches.get(&host).filter(|(_, expires)| self.now < *expires)?;
        Some(cached.as_deref())
    }

    pub(super) fn would_answer(&self, resolver: HostId) -> &[Address] {
        self.answer_of(resolver).unwrap_or(&[])
    }

    /// `None` for a failure: its own, that of whom it asks, or because it can't ask.
    pub(super) fn answer_of(&self, resolver: HostId) -> Option<&[Address]> {
        if let Some(cached) = self.cached(resolver) {
            return cached;
        }
        let fresh = match self.config.forwards.get(&resolver) {
            Some(&above) => self.answer_of(above),
            None => {
                let answers = |server| self.says(server) != &Answer::Failure;
                let mut servers = self.config.authorities.iter();
                let asks = servers.any(|&server| self.sees(server) && answers(server));
                asks.then_some(&self.binding[..])
            }
        };
        let kept = self.kept.get(&resolver).filter(|(_, until)| self.now < *until);
        fresh.or_else(|| kept.map(|(addresses, _)| &addresses[..]))
    }

    /// What the chain of a caller would answer.
    pub(super) fn chain(&self, index: usize) -> &[Address] {
        let caller = &self.config.callers[index];
        match self.cached(caller.host).filter(|_| caller.cache) {
            Some(own) => own.unwrap_or(&[]),
            None => self.would_answer(caller.resolver),
        }
    }
}
