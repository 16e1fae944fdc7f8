//! Session descriptions (RFC 4566) as far as a call needs one: who, where, and one audio stream.
//!
//! An offer and its answer have the same form (RFC 3264): payload types 0 and 8, which need no
//! mapping, and telephone events. Other streams and attributes are skipped when one is read. Media
//! itself is the business of [`rtp`](mod@crate::rtp).

use std::sync::Arc;

use thiserror::Error;

use crate::address::{Address, Port};
use crate::sip::message::Body;

/// The `Content-Type`.
pub const CONTENT_TYPE: &str = "application/sdp";

/// A session with one audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The user name in the origin, without white space.
    pub user: Arc<str>,
    /// The number of the session.
    pub id: u64,
    /// The version of this description.
    pub version: u64,
    /// Where media is received.
    pub address: Address,
    /// The port of the audio stream.
    pub audio: Port,
}

/// Why octets are no session description, or none that is modelled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SdpError {
    /// Not UTF-8.
    #[error("the session description is not UTF-8")]
    NotText,
    /// A line that is not `x=value`, or whose value breaks the grammar.
    #[error("{0:?} is no line of a session description")]
    Line(String),
    /// A line of this type, or an audio stream, is not there.
    #[error("the session description has no {0}")]
    Missing(&'static str),
}

impl Session {
    /// The octets.
    #[must_use]
    pub fn body(&self) -> Body {
        let Self { user, id, version, address, audio } = self;
        let text = format!(
            "v=0\r\n\
             o={user} {id} {version} IN IP4 {address}\r\n\
             s=-\r\n\
             c=IN IP4 {address}\r\n\
             t=0 0\r\n\
             m=audio {audio} RTP/AVP 0 8 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\n"
        );
        text.into_bytes().into()
    }

    /// The session in these octets.
    ///
    /// # Errors
    ///
    /// Says what is missing or breaks the grammar; a session whose audio is not at an IPv4 address
    /// is refused too.
    pub fn parse(octets: &[u8]) -> Result<Self, SdpError> {
        let text = std::str::from_utf8(octets).map_err(|_| SdpError::NotText)?;
        let (mut origin, mut address, mut audio) = (None, None, None);
        let mut medium = Medium::None;
        let mut lines = text.lines();
        if lines.next() != Some("v=0") {
            return Err(SdpError::Missing("v=0 in front"));
        }
        for line in lines {
            let wrong = || SdpError::Line(line.to_owned());
            match line.split_once('=').ok_or_else(wrong)? {
                ("o", value) => origin = Some(read_origin(value).ok_or_else(wrong)?),
                ("m", value) => {
                    let stream = value.strip_prefix("audio ").filter(|_| audio.is_none());
                    medium = if stream.is_some() { Medium::Audio } else { Medium::Other };
                    if let Some(stream) = stream {
                        audio = Some(read_port(stream).ok_or_else(wrong)?);
                    }
                }
                // That of the stream goes before that of the session.
                ("c", value) if medium != Medium::Other => {
                    address = Some(value.strip_prefix("IN IP4 ").and_then(read_address));
                    if address == Some(None) {
                        return Err(wrong());
                    }
                }
                (kind, _) if kind.len() == 1 && kind.as_bytes()[0].is_ascii_lowercase() => {}
                _ => return Err(wrong()),
            }
        }
        let (user, id, version) = origin.ok_or(SdpError::Missing("o="))?;
        let address = address.flatten().ok_or(SdpError::Missing("c="))?;
        let audio = audio.ok_or(SdpError::Missing("audio stream"))?;
        Ok(Self { user, id, version, address, audio })
    }
}

/// What the lines that are being read belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Medium {
    None,
    Audio,
    Other,
}

fn read_origin(value: &str) -> Option<(Arc<str>, u64, u64)> {
    let mut words = value.split(' ');
    let user = words.next().filter(|user| !user.is_empty())?.into();
    let (id, version) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    // Network type, address type, address.
    (words.count() == 3).then_some((user, id, version))
}

/// An address; a time to live behind a slash is left out.
fn read_address(value: &str) -> Option<Address> {
    value.split('/').next()?.parse().ok()
}

/// The port of a stream; a number of ports behind a slash is left out.
fn read_port(value: &str) -> Option<Port> {
    value.split([' ', '/']).next()?.parse().ok().map(Port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let address = "192.0.2.4".parse().unwrap();
        Session { user: "alice".into(), id: 7, version: 8, address, audio: Port(7078) }
    }

    #[test]
    fn a_session_is_read_as_it_was_written() {
        let body = session().body();
        assert_eq!(Session::parse(&body), Ok(session()));
        // By hand: 5 + 30 + 5 + 20 + 7 + 30 + 35 octets.
        assert_eq!(body.len(), 132);
    }

    #[test]
    fn the_description_of_the_torture_tests_is_read() {
        let text = "v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\n\
                    c=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\n\
                    m=video 3227 RTP/AVP 31\r\nc=IN IP4 192.0.2.99\r\na=rtpmap:31 LPC\r\n";
        let read = Session::parse(text.as_bytes()).unwrap();
        assert_eq!((&*read.user, read.id, read.version), ("mhandley", 29739, 7_272_939));
        // The connection of the video stream is not that of the session.
        assert_eq!(read.address, "192.0.2.4".parse().unwrap());
        assert_eq!(read.audio, Port(49217));
    }

    #[test]
    fn what_is_no_session_is_refused_with_the_reason() {
        let good = String::from_utf8(session().body().to_vec()).unwrap();
        let change = |from: &str, to: &str| Session::parse(good.replace(from, to).as_bytes());
        let line = |text: &str| Err(SdpError::Line(text.to_owned()));
        assert_eq!(change("v=0", "v=1"), Err(SdpError::Missing("v=0 in front")));
        assert_eq!(change("c=IN IP4 192.0.2.4\r\n", ""), Err(SdpError::Missing("c=")));
        assert_eq!(change("m=audio", "m=video"), Err(SdpError::Missing("audio stream")));
        assert_eq!(change("o=", "x="), Err(SdpError::Missing("o=")));
        assert_eq!(change("s=-", "s"), line("s"));
        assert_eq!(change("7078", "70780"), line("m=audio 70780 RTP/AVP 0 8 101"));
        assert_eq!(change("c=IN IP4", "c=IN IP6"), line("c=IN IP6 192.0.2.4"));
        assert_eq!(Session::parse(&[0xff]), Err(SdpError::NotText));
    }
}
