//! Several name servers by brute force: which of them the observer asks.

use super::{Naive, list};
use crate::sim::HostId;
use crate::world::observation::Answer;

impl Naive {
    /// What a name server serves.
    pub(super) fn says(&self, server: HostId) -> &Answer {
        self.served.get(&server).unwrap_or(&Answer::Negative)
    }

    /// The server whose answer is the binding: the first that is seen and does not fail.
    pub(super) fn own_server(&self) -> HostId {
        let servers = &self.config.authorities;
        let seen: Vec<HostId> = servers.iter().copied().filter(|&it| self.sees(it)).collect();
        let sound = seen.iter().find(|&&it| *self.says(it) != Answer::Failure);
        *sound.or(seen.first()).unwrap_or(&servers[0])
    }

    pub(super) fn some_server_is_valid(&self) -> bool {
        let servers = &self.config.authorities;
        servers.len() > 1 && servers.iter().any(|&it| self.any_valid(&list(self.says(it))))
    }
}
