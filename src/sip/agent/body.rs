//! The bodies that a user agent writes and reads: presence documents and session descriptions.

use std::sync::Arc;

use crate::sip::agent::AgentSettings;
use crate::sip::header::Headers;
use crate::sip::message::{Body, Request};

/// The media type of presence documents (RFC 3863).
pub(super) const PRESENCE_TYPE: &str = "application/pidf+xml";
/// The media type of session descriptions (RFC 4566).
const SESSION_TYPE: &str = "application/sdp";
/// The media type of instant messages.
const TEXT_TYPE: &str = "text/plain";

/// Writes how the user is.
pub(super) fn put_presence(request: &mut Request, settings: &AgentSettings, open: bool) {
    let basic = if open { "open" } else { "closed" };
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{}\">\
         <tuple id=\"a\"><status><basic>{basic}</basic></status></tuple></presence>\r\n",
        settings.aor
    );
    request.headers.content_type = Some(PRESENCE_TYPE.into());
    request.body = Arc::from(document.into_bytes());
}

/// What a presence document says, if there is one.
pub(super) fn presence_in(request: &Request) -> Option<bool> {
    if request.headers.content_type.as_deref() != Some(PRESENCE_TYPE) {
        return None;
    }
    let text = std::str::from_utf8(&request.body).ok()?;
    if text.contains("<basic>open</basic>") {
        Some(true)
    } else {
        text.contains("<basic>closed</basic>").then_some(false)
    }
}

/// Offers or accepts a session of one audio stream.
pub(super) fn put_session(headers: &mut Headers, body: &mut Body, settings: &AgentSettings) {
    let address = settings.own.address;
    let description = format!(
        "v=0\r\no=- 0 0 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio 7078 RTP/AVP 0 8\r\n"
    );
    headers.content_type = Some(SESSION_TYPE.into());
    *body = Arc::from(description.into_bytes());
}

/// Writes an instant message.
pub(super) fn put_text(request: &mut Request, text: &str) {
    request.headers.content_type = Some(TEXT_TYPE.into());
    request.body = Arc::from(text.as_bytes());
}
