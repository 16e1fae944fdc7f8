//! The part of the plan about the story of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Peer, PresenceStatus};

/// `[story]`: what is told of a run, and what has to happen in it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryPlan {
    /// The names of the hosts whose messages to each other are told; distinct.
    pub hosts: Vec<String>,
    /// Which messages; distinct.
    pub protocols: Vec<StoryProtocol>,
    /// What has to happen, one after the other.
    pub exchanges: Vec<ExchangePlan>,
}

impl StoryPlan {
    /// Whether it speaks of what users do.
    #[must_use]
    pub fn speaks_of_users(&self) -> bool {
        self.exchanges.iter().any(|it| !matches!(it.matter, Matter::Event { .. }))
    }
}

/// `[[story.exchange]]`: something that has to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct ExchangePlan {
    /// What it is called.
    pub title: String,
    /// What it is.
    pub matter: Matter,
}

/// What has to happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Matter {
    /// A user agent sends a request, and receives a final response.
    Request {
        /// The method.
        method: StoryMethod,
        /// The host of the user who sends it.
        from: String,
        /// To whom.
        to: Addressee,
        /// The status of the response, 200 to 699.
        status: u16,
        /// The hosts that pass it on, where that matters.
        via: Option<Vec<String>>,
    },
    /// Something of the overlay.
    Event {
        /// What.
        event: OverlayEvent,
        /// On which member.
        host: String,
    },
    /// A user agent is told of somebody's presence.
    Notified {
        /// The host of the user who is told.
        host: String,
        /// Whose presence it is.
        to: Peer,
        /// What it is.
        presence: PresenceStatus,
    },
}

/// To whom a request is.
#[derive(Clone, Debug, PartialEq)]
pub enum Addressee {
    /// A user.
    User(Peer),
    /// The sender's own domain, in lower case.
    Domain(String),
}

/// What can happen to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayEvent {
    /// Its update of the binding is accepted.
    Update,
    /// It is in the overlay.
    Joined,
    /// It plays the proxy peer.
    Proxy,
}

/// What can happen beside requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Occurrence {
    /// The member's update of the binding is accepted.
    Update,
    /// The member is in the overlay.
    Joined,
    /// The member plays the proxy peer.
    Proxy,
    /// The host's user agent is told of the presence of `to`, which is `presence`.
    Notified,
}

/// The methods of requests that a user agent sends and sees answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum StoryMethod {
    /// A phone registers at its server.
    Register,
    /// A phone publishes its presence at its server.
    Publish,
    /// A presence subscription begins, is renewed, or ends.
    Subscribe,
    /// A watcher is told of a user's presence, by the user's own agent.
    Notify,
    /// An instant message.
    Message,
    /// A call begins.
    Invite,
    /// A call ends.
    Bye,
}

/// The protocols of messages that can be told.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StoryProtocol {
    /// SIP.
    Sip,
    /// Requests and responses of HTTP: updates of the binding.
    Http,
    /// Echoes and errors of ICMP.
    Icmp,
    /// TCP segments without data.
    Tcp,
    /// DNS, where the story's hosts ask each other.
    Dns,
    /// What a relay and its clients say about addresses; what is relayed is told as what it is.
    Turn,
    /// Media, packet by packet.
    Media,
}

impl StoryMethod {
    /// The method on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "REGISTER",
            Self::Publish => "PUBLISH",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Message => "MESSAGE",
            Self::Invite => "INVITE",
            Self::Bye => "BYE",
        }
    }

    /// Whether it is for the sender's own domain, not for a user.
    #[must_use]
    pub const fn is_to_domain(self) -> bool {
        matches!(self, Self::Register | Self::Publish)
    }
}
