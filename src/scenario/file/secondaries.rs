//! The secondaries of the zone that the overlay's domain lies in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Duration;

/// How many secondaries there are, or more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum Secondaries {
    /// So many, as they usually are.
    Number(#[schemars(range(max = 16))] u32),
    /// These.
    Table {
        /// How many there are.
        #[serde(default = "one")]
        #[schemars(range(min = 1, max = 16))]
        count: u32,
        /// Whether the primary tells them of changes (RFC 1996); else they find out at a refresh.
        #[serde(default = "yes")]
        notify: bool,
        /// The least time between two sets of these messages (BIND: `notify-delay`).
        #[serde(default = "five_seconds")]
        notify_delay: Duration,
        /// How long a secondary waits before it asks again, in whole seconds: REFRESH of the SOA.
        #[serde(default = "twenty_minutes")]
        #[schemars(extend("x-whole-seconds" = true, "x-above-zero" = true))]
        refresh: Duration,
        /// The same after it got no answer: RETRY.
        #[serde(default = "three_minutes")]
        #[schemars(extend("x-whole-seconds" = true, "x-above-zero" = true))]
        retry: Duration,
        /// After how long without an answer it serves the zone no more: EXPIRE.
        #[serde(default = "two_weeks")]
        #[schemars(extend("x-whole-seconds" = true, "x-above-zero" = true))]
        expire: Duration,
        /// So many versions of the zone are sent as differences (RFC 1995); who has an older one is
        /// sent all.
        #[serde(default = "a_hundred")]
        #[schemars(range(max = 1_000_000))]
        journal: u32,
    },
}

impl Secondaries {
    /// So many, as they usually are.
    #[must_use]
    pub fn usual(count: u32) -> Self {
        Self::Table {
            count,
            notify: yes(),
            notify_delay: five_seconds(),
            refresh: twenty_minutes(),
            retry: three_minutes(),
            expire: two_weeks(),
            journal: a_hundred(),
        }
    }
}

const fn one() -> u32 {
    1
}

const fn yes() -> bool {
    true
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

/// RFC 1912 §2.2, as the two that follow.
fn twenty_minutes() -> Duration {
    Duration::from_secs(1_200)
}

fn three_minutes() -> Duration {
    Duration::from_secs(180)
}

fn two_weeks() -> Duration {
    Duration::from_secs(1_209_600)
}

const fn a_hundred() -> u32 {
    100
}
