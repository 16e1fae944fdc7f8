//! Reading URIs (RFC 3261 §19.1).

use std::str::FromStr;

use thiserror::Error;

use crate::address::Port;
use crate::sip::uri::{HostPart, Parameter, SipUri, Uri};

/// Why a text is no URI.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UriError {
    /// No scheme and colon in front.
    #[error("{0:?} has no scheme")]
    Scheme(String),
    /// The part before the `@`.
    #[error("{0:?} is no user")]
    User(String),
    /// Neither a domain name nor an address.
    #[error("{0:?} is no host")]
    Host(String),
    /// Not a port.
    #[error("{0:?} is no port")]
    Port(String),
    /// The part behind a semicolon.
    #[error("{0:?} is no URI parameter")]
    Parameter(String),
    /// The part behind the question mark; a Request-URI has none (RFC 3261 §19.1.1).
    #[error("{0:?} does not belong there")]
    Headers(String),
    /// A character that no URI has.
    #[error("{0:?} has a character that no URI has")]
    Character(String),
}

/// Whether all characters are unreserved, correctly escaped, or one of these.
fn keeps_to(text: &str, also: &str) -> bool {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let fine = match octet {
            b'%' => (0..2).all(|_| octets.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => true,
            other => other.is_ascii_alphanumeric() || also.as_bytes().contains(&other),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// A domain name, an IPv4 address, or an IPv6 address in brackets.
pub(super) fn host(text: &str) -> Option<HostPart> {
    if let Some(inner) = text.strip_prefix('[') {
        return inner.strip_suffix(']')?.parse().ok().map(HostPart::Ipv6);
    }
    if let Ok(address) = text.parse() {
        return Some(HostPart::Address(address));
    }
    let in_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut labels = text.strip_suffix('.').unwrap_or(text).split('.');
    let spelled = labels.clone().all(|label| !label.is_empty() && label.chars().all(in_label));
    // What ends in a number is a spoilt address.
    let named =
        labels.next_back().is_some_and(|last| !last.starts_with(|c: char| c.is_ascii_digit()));
    (spelled && named).then(|| HostPart::name(text))
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let no_scheme = || UriError::Scheme(text.to_owned());
        let (scheme, rest) = text.split_once(':').ok_or_else(no_scheme)?;
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(in_scheme)
        {
            return Err(no_scheme());
        }
        if scheme.eq_ignore_ascii_case("sip") {
            sip(rest, false).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("sips") {
            sip(rest, true).map(Self::Sip)
        } else if !rest.is_empty() && keeps_to(rest, ";/?:@&=+$,#[]") {
            Ok(Self::Other(text.into()))
        } else {
            Err(UriError::Character(text.to_owned()))
        }
    }
}

/// What follows the scheme.
fn sip(text: &str, secure: bool) -> Result<SipUri, UriError> {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) => {
            if user.is_empty() || user.starts_with(':') || !keeps_to(user, "&=+$,;?/:") {
                return Err(UriError::User(user.to_owned()));
            }
            (Some(user.into()), rest)
        }
        None => (None, text),
    };
    let (rest, headers) = match rest.split_once('?') {
        Some((_, headers)) if headers.is_empty() || !keeps_to(headers, "[]/?:+$&=") => {
            return Err(UriError::Headers(headers.to_owned()));
        }
        Some((rest, headers)) => (rest, Some(headers.into())),
        None => (rest, None),
    };
    let mut parts = rest.split(';');
    let (host, port) = host_port(parts.next().unwrap_or(rest))?;
    let parameters = parts.map(parameter).collect::<Result<_, _>>()?;
    Ok(SipUri { secure, user, host, port, parameters, headers })
}

fn host_port(text: &str) -> Result<(HostPart, Option<Port>), UriError> {
    let end = match text.find(']') {
        Some(bracket) => bracket + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (name, rest) = text.split_at(end);
    let host = host(name).ok_or_else(|| UriError::Host(text.to_owned()))?;
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').and_then(|digits| super::grammar::number(digits).ok());
    port.map(|port| (host, Some(Port(port)))).ok_or_else(|| UriError::Port(text.to_owned()))
}

fn parameter(text: &str) -> Result<Parameter, UriError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let fine = |part: &str| !part.is_empty() && keeps_to(part, "[]/:&+$");
    if !fine(name) || !value.is_none_or(fine) {
        return Err(UriError::Parameter(text.to_owned()));
    }
    Ok(Parameter { name: name.into(), value: value.map(Into::into) })
}
