//! The bodies that a user agent writes and reads: presence documents and session descriptions.

use crate::address::Endpoint;
use crate::sip::agent::AgentSettings;
use crate::sip::header::Headers;
use crate::sip::message::{Body, Request};
use crate::sip::pidf::{self, Presence};
use crate::sip::sdp::{self, Session};

/// The media type of instant messages.
const TEXT_TYPE: &str = "text/plain";

/// Writes how the user is.
pub(super) fn put_presence(request: &mut Request, settings: &AgentSettings, open: bool) {
    request.headers.content_type = Some(pidf::CONTENT_TYPE.into());
    request.body = Presence { entity: settings.aor.clone(), open }.body();
}

/// What a presence document says, if there is one.
pub(super) fn presence_in(request: &Request) -> Option<bool> {
    let content_type = request.headers.content_type.as_deref()?;
    if !content_type.eq_ignore_ascii_case(pidf::CONTENT_TYPE) {
        return None;
    }
    Presence::parse(&request.body).ok().map(|presence| presence.open)
}

/// Offers or accepts a session of one audio stream.
pub(super) fn put_session(headers: &mut Headers, body: &mut Body, settings: &AgentSettings) {
    let user = settings.aor.sip().and_then(|uri| uri.user.clone()).unwrap_or_else(|| "-".into());
    let Endpoint { address, port: audio } = settings.media;
    headers.content_type = Some(sdp::CONTENT_TYPE.into());
    *body = Session { user, id: 1, version: 1, address, audio }.body();
}

/// Where the other end wants to have its media, if it says so.
pub(super) fn media_in(headers: &Headers, body: &Body) -> Option<Endpoint> {
    let content_type = headers.content_type.as_deref()?;
    let session = Session::parse(body).ok();
    let session = session.filter(|_| content_type.eq_ignore_ascii_case(sdp::CONTENT_TYPE))?;
    Some(session.address.at(session.audio))
}

/// Writes an instant message.
pub(super) fn put_text(request: &mut Request, text: &str) {
    request.headers.content_type = Some(TEXT_TYPE.into());
    request.body = text.as_bytes().into();
}
