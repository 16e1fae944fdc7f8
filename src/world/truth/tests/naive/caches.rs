//! What resolvers and the chains of callers would answer.

use super::Naive;
use crate::address::Address;
use crate::sim::HostId;

impl Naive {
    pub(super) fn cached(&self, host: HostId) -> Option<&[Address]> {
        let (cached, _) = self.caches.get(&host).filter(|(_, expires)| self.now < *expires)?;
        Some(cached)
    }

    pub(super) fn would_answer(&self, resolver: HostId) -> &[Address] {
        // Who cannot ask answers with a failure.
        self.answer_of(resolver).unwrap_or(&[])
    }

    /// `None` when it can't ask and has nothing.
    pub(super) fn answer_of(&self, resolver: HostId) -> Option<&[Address]> {
        if let Some(cached) = self.cached(resolver) {
            return Some(cached);
        }
        let fresh = match self.config.forwards.get(&resolver) {
            Some(&above) => self.answer_of(above),
            None => {
                let reaches = self.config.authorities.iter().any(|&server| self.sees(server));
                reaches.then_some(&self.binding[..])
            }
        };
        let kept = self.kept.get(&resolver).filter(|(_, until)| self.now < *until);
        fresh.or_else(|| kept.map(|(addresses, _)| &addresses[..]))
    }

    /// What the chain of a caller would answer.
    pub(super) fn chain(&self, index: usize) -> &[Address] {
        let caller = &self.config.callers[index];
        let own = self.cached(caller.host).filter(|_| caller.cache);
        own.unwrap_or_else(|| self.would_answer(caller.resolver))
    }
}
