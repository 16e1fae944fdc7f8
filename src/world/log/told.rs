//! Whose events are told, and what is told of one.

use std::fmt;

use super::moment;
use crate::sim::HostId;
use crate::time::SimTime;

/// Whose events are told while a world runs; `H` is what names a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Logged<H = HostId> {
    /// Nobody's: nothing is told.
    #[default]
    Nobody,
    /// Those of one host, from beginning to end, with what it sends to others.
    Host(H),
    /// Those of all hosts, from one moment to another, both included.
    Everybody {
        /// The first moment.
        from: SimTime,
        /// The last.
        until: SimTime,
    },
}

impl<H> Logged<H> {
    /// Those of all hosts, from this moment to the end.
    #[must_use]
    pub const fn everybody_from(from: SimTime) -> Self {
        Self::Everybody { from, until: SimTime::MAX }
    }

    /// Whether anything may be told at all.
    #[must_use]
    #[inline(always)]
    pub const fn is_anybody(&self) -> bool {
        !matches!(self, Self::Nobody)
    }
}

impl Logged {
    /// Whether what happens on this host at this moment is told.
    #[must_use]
    pub fn covers(&self, host: HostId, now: SimTime) -> bool {
        match self {
            Self::Nobody => false,
            Self::Host(logged) => *logged == host,
            Self::Everybody { from, until } => (*from..=*until).contains(&now),
        }
    }
}

/// Something that happened: a datagram that arrives, or would; a timer, a command, an observation.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// When.
    pub at: SimTime,
    /// On which host.
    pub host: HostId,
    /// Who sent the datagram, if it is one and its address was ever held.
    pub sender: Option<HostId>,
    /// What the fingerprint digests of it, before time and host are mixed in: two events of one
    /// host that differ in anything differ in this, also where they have the same words. `None` of
    /// what the fingerprint leaves out: timers, commands, and datagrams that reach nobody.
    pub digest: Option<u64>,
    /// Its words, which take longer to make than most events take to happen.
    pub words: &'a dyn Fn() -> String,
}

/// A line of the log: the moment, then the words.
impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", moment(self.at), (self.words)())
    }
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:016x?}]", self.digest)
    }
}
