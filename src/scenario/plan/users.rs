//! The part of the plan about SIP users: conventional domains, and what users do by the script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrivals, ResolverGroup};
use crate::sip::Uri;
use crate::time::SimDuration;

/// `[[caller]]`: a conventional domain, one server with one resolver.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerPlan {
    /// The domain's name, in lower case; names are distinct, and none is the overlay's.
    pub domain: String,
    /// The group that its resolver is from.
    pub resolver: ResolverGroup,
    /// Generated users of the domain; 0 only with SIP.
    pub users: u32,
    /// What the users do.
    pub traffic: Traffic,
}

impl CallerPlan {
    /// The bare look-ups of each user, where that is what they do.
    #[must_use]
    pub const fn lookups(&self) -> Option<Arrivals> {
        match &self.traffic {
            Traffic::Lookups(lookups) => Some(*lookups),
            Traffic::Sip(_) => None,
        }
    }

    /// Whether its SIP server embeds a peer of the overlay.
    #[must_use]
    pub const fn embeds(&self) -> bool {
        match &self.traffic {
            Traffic::Lookups(_) => false,
            Traffic::Sip(sip) => sip.embeds,
        }
    }

    /// Whether the overlay stands in for its SIP server.
    #[must_use]
    pub fn is_backed(&self) -> bool {
        self.sip().is_some_and(|sip| sip.overlay_backup)
    }

    /// Its SIP server and the workload of its users, where it has one.
    #[must_use]
    pub const fn sip(&self) -> Option<&SipDomainPlan> {
        match &self.traffic {
            Traffic::Lookups(_) => None,
            Traffic::Sip(sip) => Some(sip),
        }
    }
}

/// What the users of a conventional domain do.
#[derive(Clone, Debug, PartialEq)]
pub enum Traffic {
    /// The domain's server looks the overlay's name up for each of them, and no more.
    Lookups(Arrivals),
    /// They are phones that register at a SIP server, and call.
    Sip(SipDomainPlan),
}

/// A conventional domain's SIP server, and what its generated users do.
#[derive(Clone, Debug, PartialEq)]
pub struct SipDomainPlan {
    /// Whether the server embeds a peer of the overlay.
    pub embeds: bool,
    /// Whether the overlay stands in for the server; only where it embeds a peer.
    pub overlay_backup: bool,
    /// Whose habits the server has; what the profile says of the keys below is already in them.
    pub profile: SipProfile,
    /// How long its own cache keeps negative answers (zero: not at all); `None`: it has none.
    pub dns_cache: Option<SimDuration>,
    /// Whether it asks for NAPTR records.
    pub naptr: bool,
    /// Whether a request that fails goes to the next address.
    pub failover: bool,
    /// Whether addresses that did not answer are left alone for a while.
    pub blocklist: bool,
    /// How many requests it works on at a time, at least 1; `None`: as many as come.
    pub workers: Option<u32>,
    /// How long it waits for the first response to what it forwards; above zero.
    pub fr_timer: SimDuration,
    /// Whom the generated users call.
    pub callee: Callee,
    /// Instant messages of each.
    pub messages: Option<Arrivals>,
    /// Calls of each.
    pub calls: Option<CallsPlan>,
    /// Subscriptions of each.
    pub subscriptions: Option<SubscriptionsPlan>,
    /// Instant messages of all members together to the generated users.
    pub outbound: Option<Arrivals>,
}

/// Calls of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallsPlan {
    /// When.
    pub arrivals: Arrivals,
    /// The mean time from answer to hanging up; above zero.
    pub talk: SimDuration,
}

/// Subscriptions of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionsPlan {
    /// When.
    pub arrivals: Arrivals,
    /// How long the user keeps each; above zero.
    pub keep: SimDuration,
}

/// Whose habits a SIP server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum SipProfile {
    /// SER 2.0: a DNS cache of its own, 408 after 30 s.
    #[serde(rename = "ser")]
    Ser,
    /// SER 0.9, of the paper's time: no DNS cache, slower retransmissions.
    #[serde(rename = "ser-0.9")]
    Ser09,
    /// Kamailio 5.
    #[serde(rename = "kamailio")]
    Kamailio,
    /// To the letter of RFC 3261 and RFC 3263.
    #[serde(rename = "rfc3261")]
    Rfc3261,
}

/// Whom users of a conventional domain call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Callee {
    /// Members that are up at the moment.
    Online,
    /// Any member: it may be away.
    Any,
}

/// Whether the proxy peer stays on the way of a dialog's later requests (RFC 3261 §16.6 step 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RecordRoute {
    /// No: they go straight from one user agent to the other.
    None,
    /// By its address: they go to this proxy peer, whoever plays the role by then.
    Address,
    /// By the overlay's domain: they go to whoever plays the role by then.
    Name,
}

/// What a user publishes (RFC 3863 §4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum PresenceStatus {
    /// It can be reached.
    Open,
    /// It cannot.
    Closed,
}

/// What a user does by the script.
#[derive(Clone, Debug, PartialEq)]
pub struct UserAction {
    /// The host that its user agent runs on: named, a generated member, or a generated phone, which
    /// is called by its address, such as `user-0001@a.example`.
    pub host: String,
    /// What it does.
    pub act: Act,
}

/// What a user does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// It registers anew.
    Register,
    /// Its presence changes. A conventional user publishes it at its server; the overlay has no
    /// presence server, and its users tell those that watch them.
    Publish(PresenceStatus),
    /// It sends an instant message.
    Message {
        /// To whom.
        to: Peer,
        /// What it says; at most 1,300 octets.
        text: String,
    },
    /// It subscribes to the presence of another.
    Subscribe {
        /// To whose.
        to: Peer,
        /// It ends the subscription after this; `None`: it keeps it until told otherwise.
        keep: Option<SimDuration>,
    },
    /// It ends that subscription.
    Unsubscribe {
        /// To whose.
        to: Peer,
    },
    /// It calls.
    Call {
        /// Whom.
        to: Peer,
        /// From the answer to hanging up; above zero.
        talk: SimDuration,
    },
}

impl Act {
    /// Whom it addresses.
    #[must_use]
    pub const fn to(&self) -> Option<&Peer> {
        match self {
            Self::Register | Self::Publish(_) => None,
            Self::Message { to, .. }
            | Self::Subscribe { to, .. }
            | Self::Unsubscribe { to }
            | Self::Call { to, .. } => Some(to),
        }
    }
}

/// A user that another addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address of record.
    pub uri: Uri,
    /// The host that its user agent runs on, as in [`UserAction::host`].
    pub host: String,
}
