//! The habits of recursive resolvers: how long entries live, when they are refreshed, how an
//! authority is asked again.

use crate::dns::message::Ttl;
use crate::time::SimDuration;

/// Which software a resolver behaves like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// RFC 1035 and 2308 to the letter; retries like unbound.
    Rfc,
    /// unbound 1.17 and later.
    Unbound,
    /// BIND 9.18 and later.
    Bind,
}

/// How a cache counts the life of an entry. The second and the third keep time in whole seconds,
/// as the software does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// An entry lives exactly its TTL; the TTL served is rounded down.
    Exact,
    /// An entry lives through the second in which its TTL reaches zero: (TTL, TTL + 1].
    ThroughZero,
    /// An entry dies when its TTL reaches zero: (TTL − 1, TTL].
    BeforeZero,
}

/// When a hit makes the resolver ask the authority before the entry has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefetch {
    /// Never.
    Off,
    /// In the last tenth of the TTL (unbound).
    LastTenth,
    /// When at most `trigger` is left of an entry whose TTL was at least `eligibility` (BIND).
    Remaining {
        /// What is left.
        trigger: Ttl,
        /// What it was at first.
        eligibility: Ttl,
    },
}

/// How a cache treats what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// How life is counted.
    pub clock: Clock,
    /// A floor under the TTL of record sets: above zero, the resolver violates TTLs (RFC 2181 §8).
    pub min_ttl: Ttl,
    /// A ceiling over the TTL of record sets.
    pub max_ttl: Ttl,
    /// A ceiling over the TTL of negative answers.
    pub max_negative_ttl: Ttl,
    /// How long a failure is kept (RFC 9520 §3.2: 1 s to 5 min).
    pub failure_ttl: Ttl,
    /// When entries are refreshed ahead.
    pub prefetch: Prefetch,
    /// Whether record sets are served beyond their life, and how.
    pub stale: Option<Stale>,
}

/// Serving stale record sets (RFC 8767): negative answers are not served so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// For how long beyond their life.
    pub ttl: SimDuration,
    /// With which TTL, if the record set's own was not shorter.
    pub reply_ttl: Ttl,
    /// How long a client waits for a fresh answer before it gets a stale one; zero: not at all, and
    /// the authority is asked afterwards.
    pub client_timeout: SimDuration,
}

impl Stale {
    /// After a failure a stale answer is given at once, and the authority left alone, for so long
    /// (RFC 8767 §5: the failure recheck timer; BIND's `stale-refresh-time`).
    pub const RECHECK: SimDuration = SimDuration::from_secs(30);
}

/// How an authority that does not answer is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// A time-out from round-trip times, doubled with each loss (unbound; Jacobson, SIGCOMM 1988).
    Adaptive,
    /// Fixed intervals from 0.8 s, which double after the third, 10 s in all (BIND).
    Fixed,
}

impl Profile {
    /// The cache's defaults.
    #[must_use]
    pub fn cache_policy(self) -> CachePolicy {
        let policy = CachePolicy {
            clock: Clock::Exact,
            min_ttl: Ttl::ZERO,
            max_ttl: Ttl::from_secs(86_400),
            // RFC 2308 §5: one to three hours work well.
            max_negative_ttl: Ttl::from_secs(10_800),
            // RFC 9520 §3.2 suggests 5 s.
            failure_ttl: Ttl::from_secs(5),
            prefetch: Prefetch::Off,
            stale: None,
        };
        match self {
            Self::Rfc => policy,
            Self::Unbound => CachePolicy {
                clock: Clock::ThroughZero,
                max_negative_ttl: Ttl::from_secs(3_600),
                ..policy
            },
            Self::Bind => CachePolicy {
                clock: Clock::BeforeZero,
                max_ttl: Ttl::from_secs(604_800),
                failure_ttl: Ttl::from_secs(1),
                prefetch: self.prefetch(),
                ..policy
            },
        }
    }

    /// How this software refreshes ahead, where it is told to (`prefetch = true`); of the three
    /// only BIND does so unless told otherwise.
    #[must_use]
    pub fn prefetch(self) -> Prefetch {
        match self {
            Self::Rfc | Self::Unbound => Prefetch::LastTenth,
            Self::Bind => {
                Prefetch::Remaining { trigger: Ttl::from_secs(2), eligibility: Ttl::from_secs(9) }
            }
        }
    }

    /// How this software asks again.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::Rfc | Self::Unbound => Retry::Adaptive,
            Self::Bind => Retry::Fixed,
        }
    }
}

impl CachePolicy {
    /// The TTL with which a record set is kept.
    #[must_use]
    pub fn positive_ttl(&self, ttl: Ttl) -> Ttl {
        ttl.max(self.min_ttl).min(self.max_ttl)
    }

    /// The TTL with which a negative answer is kept. The floor does not apply: unbound and BIND
    /// have one of its own for these, zero by default.
    #[must_use]
    pub fn negative_ttl(&self, ttl: Ttl) -> Ttl {
        ttl.min(self.max_negative_ttl)
    }

    /// For how long beyond its life a record set may be served.
    #[must_use]
    pub fn stale_life(&self) -> SimDuration {
        self.stale.map_or(SimDuration::ZERO, |stale| stale.ttl)
    }

    /// The longest that an entry may live beyond its TTL.
    #[must_use]
    pub fn overtime(&self) -> SimDuration {
        match self.clock {
            Clock::Exact | Clock::BeforeZero => SimDuration::ZERO,
            Clock::ThroughZero => SimDuration::from_secs(1),
        }
    }
}
