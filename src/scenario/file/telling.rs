//! The table of a run that is told as a story: whose messages are told, and what has to happen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::plan::{Occurrence, PresenceStatus, StoryMethod, StoryProtocol};

/// A run that is told as a story, message by message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Story {
    /// Whose messages to each other are told: hosts by their names, a server by its domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "all of `[[host]]`, the servers of `[[caller]]`, `update-service`"))]
    pub hosts: Option<Vec<String>>,
    /// Which of their messages are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`sip`, `http`"))]
    pub protocols: Option<Vec<StoryProtocol>>,
    /// Something that has to happen in the run, after what stands before it: it is ticked off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchange: Vec<Exchange>,
}

/// Something that has to happen: a request that is answered, or an event on a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// What it is called where it is ticked off.
    pub title: String,
    /// The method of a SIP request. Either this or `event`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`event` is given"))]
    pub method: Option<StoryMethod>,
    /// Who sends the request: a host by its name, or its user as `"user@domain"`. Required beside
    /// `method`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub from: Option<String>,
    /// To whom, as `from`; of `REGISTER` and `PUBLISH` the sender's own domain. With
    /// `event = "notified"`, whose presence it is. Required by all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none; the own domain of `REGISTER`, `PUBLISH`"))]
    pub to: Option<String>,
    /// The final status that the sender receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "200"), range(min = 200, max = 699))]
    pub status: Option<u16>,
    /// Who passes the request on, one after the other, and nobody else: hosts by their names, a server by
    /// its domain; `[]` where it goes straight to the addressee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "whoever does"))]
    pub via: Option<Vec<String>>,
    /// Something other than a request. Either this or `method`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`method` is given"))]
    pub event: Option<Occurrence>,
    /// Where the event happens: a host by its name, or its user. Required beside `event`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub host: Option<String>,
    /// What presence `event = "notified"` tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "`open`"))]
    pub presence: Option<PresenceStatus>,
}
