//! The wire format: STUN messages with their attributes (RFC 8489 §5, §14; RFC 8656 §18), and channel
//! data (§12.4).
//!
//! One writer into a sink, octets or a counter, so that the length of a message is its encoded length
//! by construction. Attributes stand in the order in which they are written here; those that a
//! message does not need are skipped when one is read.

use std::sync::Arc;

use thiserror::Error;

use crate::address::{Address, Endpoint, Port};
use crate::turn::credentials::{Auth, Challenge, Integrity, Nonce};
use crate::turn::message::{
    Body, Channel, Code, Data, Failure, Indication, Method, Request, Success, TransactionId,
};

/// What tells STUN apart.
const MAGIC_COOKIE: u32 = 0x2112_a442;
/// Octets of a header.
const HEADER: usize = 20;
/// The number of UDP among the protocols of IP.
const UDP: u8 = 17;

// The types of attributes.
const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const CHANNEL_NUMBER: u16 = 0x000c;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

// The classes of messages, as they stand in the type (RFC 8489 §5).
const REQUEST: u16 = 0x0000;
const INDICATION: u16 = 0x0010;
const SUCCESS: u16 = 0x0100;
const FAILURE: u16 = 0x0110;

/// The methods with their numbers.
const METHODS: [(Method, u16); 7] = [
    (Method::Binding, 0x001),
    (Method::Allocate, 0x003),
    (Method::Refresh, 0x004),
    (Method::Send, 0x006),
    (Method::Data, 0x007),
    (Method::CreatePermission, 0x008),
    (Method::ChannelBind, 0x009),
];

/// Why octets are no message that is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// They end in the middle.
    #[error("the message ends in the middle")]
    Short,
    /// They do not begin like STUN, or like data of a channel.
    #[error("neither STUN nor channel data")]
    Foreign,
    /// The type is not one of TURN's.
    #[error("no message has the type {0:#06x}")]
    Type(u16),
    /// An attribute that is needed is not there, or cannot be read.
    #[error("attribute {0:#06x} is missing or broken")]
    Attribute(u16),
}

/// The octets of a message.
#[must_use]
pub fn encode(body: &Body) -> Vec<u8> {
    let mut sink = Octets(Vec::with_capacity(encoded_len(body) as usize));
    write(body, &mut sink);
    sink.0
}

/// The number of octets that [`encode`] gives.
#[must_use]
pub fn encoded_len(body: &Body) -> u32 {
    let mut sink = Counter(0);
    write(body, &mut sink);
    sink.0
}

/// Where encoded octets go.
trait Sink {
    fn put(&mut self, octets: &[u8]);
}

struct Octets(Vec<u8>);

impl Sink for Octets {
    fn put(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

struct Counter(u32);

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len() as u32;
    }
}

fn number(method: Method) -> u16 {
    METHODS.iter().find(|(it, _)| *it == method).map_or(0, |(_, number)| *number)
}

fn write(body: &Body, sink: &mut impl Sink) {
    let (class, method, id) = match body {
        Body::ChannelData { channel, data } => {
            sink.put(&channel.0.to_be_bytes());
            sink.put(&(data.len() as u16).to_be_bytes());
            return sink.put(data);
        }
        Body::Request { id, request, .. } => (REQUEST, request.method(), id),
        Body::Success { id, success, .. } => (SUCCESS, success.method(), id),
        Body::Failure { id, method, .. } => (FAILURE, *method, id),
        Body::Indication { id, indication } => (INDICATION, indication.method(), id),
    };
    let mut length = Counter(0);
    attributes(body, &mut length);
    sink.put(&(class | number(method)).to_be_bytes());
    sink.put(&(length.0 as u16).to_be_bytes());
    sink.put(&MAGIC_COOKIE.to_be_bytes());
    sink.put(&id.0.to_be_bytes());
    sink.put(&id.1.to_be_bytes());
    attributes(body, sink);
}

fn attributes(body: &Body, sink: &mut impl Sink) {
    match body {
        Body::Request { request, auth, .. } => {
            of_request(*request, sink);
            if let Some(Auth { user, challenge, integrity }) = auth {
                attribute(USERNAME, &[user.as_bytes()], sink);
                of_challenge(challenge, sink);
                attribute(MESSAGE_INTEGRITY, &[&integrity.0], sink);
            }
        }
        Body::Success { success, integrity, .. } => {
            of_success(*success, sink);
            if let Some(integrity) = integrity {
                attribute(MESSAGE_INTEGRITY, &[&integrity.0], sink);
            }
        }
        Body::Failure { failure: Failure { code, challenge }, .. } => {
            let digits = [0, 0, (code.0 / 100) as u8, (code.0 % 100) as u8];
            attribute(ERROR_CODE, &[&digits, code.reason().as_bytes()], sink);
            if let Some(challenge) = challenge {
                of_challenge(challenge, sink);
            }
        }
        Body::Indication { indication, .. } => match indication {
            Indication::Binding => {}
            Indication::Send { peer, data } | Indication::Data { peer, data } => {
                attribute(XOR_PEER_ADDRESS, &[&masked(*peer)], sink);
                attribute(DATA, &[data], sink);
            }
        },
        Body::ChannelData { .. } => {}
    }
}

fn of_request(request: Request, sink: &mut impl Sink) {
    match request {
        Request::Binding => {}
        Request::Allocate { lifetime } => {
            attribute(REQUESTED_TRANSPORT, &[&[UDP, 0, 0, 0]], sink);
            if let Some(lifetime) = lifetime {
                attribute(LIFETIME, &[&lifetime.to_be_bytes()], sink);
            }
        }
        Request::Refresh { lifetime } => attribute(LIFETIME, &[&lifetime.to_be_bytes()], sink),
        // The port means nothing in a permission (RFC 8656 §9.1).
        Request::CreatePermission { peer } => {
            attribute(XOR_PEER_ADDRESS, &[&masked(peer.at(Port(0)))], sink);
        }
        Request::ChannelBind { channel: Channel(number), peer } => {
            attribute(CHANNEL_NUMBER, &[&number.to_be_bytes(), &[0, 0]], sink);
            attribute(XOR_PEER_ADDRESS, &[&masked(peer)], sink);
        }
    }
}

fn of_success(success: Success, sink: &mut impl Sink) {
    match success {
        Success::Binding { mapped } => attribute(XOR_MAPPED_ADDRESS, &[&masked(mapped)], sink),
        Success::Allocate { relayed, mapped, lifetime } => {
            attribute(XOR_RELAYED_ADDRESS, &[&masked(relayed)], sink);
            attribute(LIFETIME, &[&lifetime.to_be_bytes()], sink);
            attribute(XOR_MAPPED_ADDRESS, &[&masked(mapped)], sink);
        }
        Success::Refresh { lifetime } => attribute(LIFETIME, &[&lifetime.to_be_bytes()], sink),
        Success::CreatePermission | Success::ChannelBind => {}
    }
}

fn of_challenge(challenge: &Challenge, sink: &mut impl Sink) {
    attribute(REALM, &[challenge.realm.as_bytes()], sink);
    attribute(NONCE, &[format!("{:016x}", challenge.nonce.0).as_bytes()], sink);
}

/// Type, length, value, and what fills up to a multiple of four.
fn attribute(kind: u16, parts: &[&[u8]], sink: &mut impl Sink) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    sink.put(&kind.to_be_bytes());
    sink.put(&(length as u16).to_be_bytes());
    for part in parts {
        sink.put(part);
    }
    sink.put(&[0; 3][..length.next_multiple_of(4) - length]);
}

/// An IPv4 address and a port, masked so that no translator on the way changes it (RFC 8489 §14.2).
fn masked(endpoint: Endpoint) -> [u8; 8] {
    let port = endpoint.port.0 ^ (MAGIC_COOKIE >> 16) as u16;
    let bits = endpoint.address.bits() ^ MAGIC_COOKIE;
    let ([p, q], [a, b, c, d]) = (port.to_be_bytes(), bits.to_be_bytes());
    [0, 1, p, q, a, b, c, d]
}

/// The message in these octets.
///
/// # Errors
///
/// Says what is missing or foreign.
pub fn decode(octets: &[u8]) -> Result<Body, DecodeError> {
    let (kind, length) = (word(octets, 0)?, usize::from(word(octets, 2)?));
    if Channel(kind).is_valid() {
        let data = octets.get(4..4 + length).ok_or(DecodeError::Short)?;
        return Ok(Body::ChannelData { channel: Channel(kind), data: data.into() });
    }
    let header = octets.get(..HEADER).ok_or(DecodeError::Short)?;
    if kind >= 0x4000 || header[4..8] != MAGIC_COOKIE.to_be_bytes() {
        return Err(DecodeError::Foreign);
    }
    let (first, rest) = header[8..].split_at(4);
    let id = TransactionId(
        u32::from_be_bytes(first.try_into().map_err(|_| DecodeError::Short)?),
        u64::from_be_bytes(rest.try_into().map_err(|_| DecodeError::Short)?),
    );
    let body = octets.get(HEADER..HEADER + length).ok_or(DecodeError::Short)?;
    let found = Attributes(body);
    let class = kind & FAILURE;
    let method = METHODS.iter().find(|(_, number)| *number == kind & !FAILURE);
    let (method, _) = *method.ok_or(DecodeError::Type(kind))?;
    match class {
        REQUEST => {
            let request = found.request(method).ok_or(DecodeError::Type(kind))??;
            Ok(Body::Request { id, request, auth: found.auth()? })
        }
        SUCCESS => {
            let success = found.success(method).ok_or(DecodeError::Type(kind))??;
            Ok(Body::Success { id, success, integrity: found.integrity()? })
        }
        FAILURE => Ok(Body::Failure { id, method, failure: found.failure()? }),
        _ => {
            let indication = found.indication(method).ok_or(DecodeError::Type(kind))??;
            Ok(Body::Indication { id, indication })
        }
    }
}

fn word(octets: &[u8], at: usize) -> Result<u16, DecodeError> {
    let word = octets.get(at..at + 2).ok_or(DecodeError::Short)?;
    Ok(u16::from_be_bytes([word[0], word[1]]))
}

/// The attributes of a message.
struct Attributes<'a>(&'a [u8]);

/// What is read of a message; `None` if its method is none of its class.
type Read<T> = Option<Result<T, DecodeError>>;

impl<'a> Attributes<'a> {
    /// The value of the first attribute of a type.
    fn find(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.0;
        loop {
            let (kind, length) = (word(rest, 0).ok()?, usize::from(word(rest, 2).ok()?));
            let value = rest.get(4..4 + length)?;
            if kind == wanted {
                return Some(value);
            }
            rest = rest.get(4 + length.next_multiple_of(4)..)?;
        }
    }

    fn of_length<const N: usize>(&self, kind: u16) -> Result<[u8; N], DecodeError> {
        let value = self.find(kind).and_then(|value| value.try_into().ok());
        value.ok_or(DecodeError::Attribute(kind))
    }

    fn endpoint(&self, kind: u16) -> Result<Endpoint, DecodeError> {
        let [_, family, p, q, a, b, c, d] = self.of_length(kind)?;
        if family != 1 {
            return Err(DecodeError::Attribute(kind));
        }
        let port = u16::from_be_bytes([p, q]) ^ (MAGIC_COOKIE >> 16) as u16;
        let bits = u32::from_be_bytes([a, b, c, d]) ^ MAGIC_COOKIE;
        Ok(Address::from_bits(bits).at(Port(port)))
    }

    fn lifetime(&self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.of_length(LIFETIME)?))
    }

    fn text(&self, kind: u16) -> Result<Arc<str>, DecodeError> {
        let text = self.find(kind).and_then(|value| std::str::from_utf8(value).ok());
        text.map(Arc::from).ok_or(DecodeError::Attribute(kind))
    }

    fn challenge(&self) -> Result<Challenge, DecodeError> {
        let nonce = u64::from_str_radix(&self.text(NONCE)?, 16);
        let nonce = Nonce(nonce.map_err(|_| DecodeError::Attribute(NONCE))?);
        Ok(Challenge { realm: self.text(REALM)?, nonce })
    }

    fn integrity(&self) -> Result<Option<Integrity>, DecodeError> {
        match self.find(MESSAGE_INTEGRITY) {
            None => Ok(None),
            Some(_) => Ok(Some(Integrity(self.of_length(MESSAGE_INTEGRITY)?))),
        }
    }

    fn auth(&self) -> Result<Option<Auth>, DecodeError> {
        let Some(integrity) = self.integrity()? else { return Ok(None) };
        Ok(Some(Auth { user: self.text(USERNAME)?, challenge: self.challenge()?, integrity }))
    }

    fn request(&self, method: Method) -> Read<Request> {
        Some(match method {
            Method::Binding => Ok(Request::Binding),
            Method::Allocate => {
                let lifetime = self.find(LIFETIME).map(|_| self.lifetime()).transpose();
                let udp = self.of_length::<4>(REQUESTED_TRANSPORT);
                match udp {
                    Ok([UDP, ..]) => lifetime.map(|lifetime| Request::Allocate { lifetime }),
                    _ => Err(DecodeError::Attribute(REQUESTED_TRANSPORT)),
                }
            }
            Method::Refresh => self.lifetime().map(|lifetime| Request::Refresh { lifetime }),
            Method::CreatePermission => self
                .endpoint(XOR_PEER_ADDRESS)
                .map(|peer| Request::CreatePermission { peer: peer.address }),
            Method::ChannelBind => self.of_length(CHANNEL_NUMBER).and_then(|[a, b, _, _]| {
                let channel = Channel(u16::from_be_bytes([a, b]));
                Ok(Request::ChannelBind { channel, peer: self.endpoint(XOR_PEER_ADDRESS)? })
            }),
            Method::Send | Method::Data => return None,
        })
    }

    fn success(&self, method: Method) -> Read<Success> {
        Some(match method {
            Method::Binding => {
                self.endpoint(XOR_MAPPED_ADDRESS).map(|mapped| Success::Binding { mapped })
            }
            Method::Allocate => self.allocated(),
            Method::Refresh => self.lifetime().map(|lifetime| Success::Refresh { lifetime }),
            Method::CreatePermission => Ok(Success::CreatePermission),
            Method::ChannelBind => Ok(Success::ChannelBind),
            Method::Send | Method::Data => return None,
        })
    }

    fn allocated(&self) -> Result<Success, DecodeError> {
        Ok(Success::Allocate {
            relayed: self.endpoint(XOR_RELAYED_ADDRESS)?,
            mapped: self.endpoint(XOR_MAPPED_ADDRESS)?,
            lifetime: self.lifetime()?,
        })
    }

    fn failure(&self) -> Result<Failure, DecodeError> {
        let code = match self.find(ERROR_CODE) {
            Some([_, _, hundreds, rest, ..]) => Code(u16::from(*hundreds) * 100 + u16::from(*rest)),
            _ => return Err(DecodeError::Attribute(ERROR_CODE)),
        };
        let challenge = self.find(NONCE).map(|_| self.challenge()).transpose()?;
        Ok(Failure { code, challenge })
    }

    fn indication(&self, method: Method) -> Read<Indication> {
        let relayed = || -> Result<(Endpoint, Data), DecodeError> {
            let data = self.find(DATA).ok_or(DecodeError::Attribute(DATA))?;
            Ok((self.endpoint(XOR_PEER_ADDRESS)?, data.into()))
        };
        Some(match method {
            Method::Binding => Ok(Indication::Binding),
            Method::Send => relayed().map(|(peer, data)| Indication::Send { peer, data }),
            Method::Data => relayed().map(|(peer, data)| Indication::Data { peer, data }),
            _ => return None,
        })
    }
}
