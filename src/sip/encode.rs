//! The wire format: encoding (RFC 3261 §7).
//!
//! One writer into a sink: octets, a counter or a digest. So the length of a message is its encoded
//! length by construction. Header fields stand in the order of [`Headers`], with their long names;
//! lists of hops have a line each, contacts share one, as SER writes them. Display names are always
//! quoted, URIs always in angle brackets.
//!
//! Texts are written as they are: what a program puts into a message must keep to the grammar of
//! its place. Only in display names everything is allowed; what must be escaped is, and a line end
//! becomes a space. Reading is in [`decode`](mod@crate::sip::decode).

use std::fmt::{self, Display, Write};

use crate::address::Port;
use crate::net::{Class, Packed, Payload, Protocol, Purpose, Transport, Words};
use crate::rng::mix;
use crate::sip::header::{
    Contact, Contacts, EventPackage, Headers, NameAddress, SubscriptionState, Via,
};
use crate::sip::message::{Body, Message, Method};

/// The octets of a message.
#[must_use]
pub fn encode(message: &Message) -> Vec<u8> {
    write(message, Octets(Vec::with_capacity(1024))).0
}

/// The number of octets that [`encode`] gives.
#[must_use]
pub fn encoded_len(message: &Message) -> u32 {
    write(message, Counter(0)).0
}

/// A digest of the octets that [`encode`] gives.
#[must_use]
pub(crate) fn digest(message: &Message) -> u64 {
    mix(write(message, Digest(0xcbf2_9ce4_8422_2325)).0)
}

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }

    fn unpack(words: Words) -> Self {
        unreachable!("no SIP message is packed into {words:?}")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        Port::SIP
    }
    fn wire_len(&self) -> u32 {
        encoded_len(self)
    }
    /// Nobody asks for somebody's capabilities here but to see whether anybody is there.
    fn class(&self) -> Class {
        let method = match self {
            Self::Request(request) => &request.method,
            Self::Response(response) => &response.method,
        };
        let purpose = if *method == Method::Options { Purpose::Probe } else { Purpose::Sip };
        Class { protocol: Protocol::Sip, purpose }
    }
    fn digest(&self) -> u64 {
        digest(self)
    }
}

/// Where encoded octets go: text, and the body, which is none. Writing to one cannot fail.
trait Sink: Write {
    fn put(&mut self, octets: &[u8]);
}

struct Octets(Vec<u8>);
struct Counter(u32);
/// FNV-1a.
struct Digest(u64);

impl Sink for Octets {
    fn put(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len() as u32;
    }
}

impl Sink for Digest {
    fn put(&mut self, octets: &[u8]) {
        self.0 = octets.iter().fold(self.0, |hash, &octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    }
}

impl Write for Octets {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

fn write<S: Sink>(message: &Message, mut sink: S) -> S {
    head(&mut sink, message).expect("a sink takes everything");
    sink.put(body(message));
    sink
}

const fn body(message: &Message) -> &Body {
    match message {
        Message::Request(request) => &request.body,
        Message::Response(response) => &response.body,
    }
}

/// Everything before the body.
fn head(out: &mut impl Write, message: &Message) -> fmt::Result {
    match message {
        Message::Request(request) => {
            write!(out, "{} {} SIP/2.0\r\n", request.method, request.uri)?;
            fields(out, &request.headers, &request.method, "User-Agent")?;
        }
        Message::Response(response) => {
            write!(out, "SIP/2.0 {} {}\r\n", response.status, response.reason())?;
            fields(out, &response.headers, &response.method, "Server")?;
        }
    }
    write!(out, "Content-Length: {}\r\n\r\n", body(message).len())
}

/// The header fields but for `Content-Length`.
fn fields(out: &mut impl Write, headers: &Headers, method: &Method, product: &str) -> fmt::Result {
    each(out, "Via", &headers.via)?;
    each(out, "Max-Forwards", headers.max_forwards)?;
    each(out, "Route", &headers.route)?;
    each(out, "Record-Route", &headers.record_route)?;
    field(out, "From", &headers.from)?;
    field(out, "To", &headers.to)?;
    field(out, "Call-ID", &headers.call_id)?;
    write!(out, "CSeq: {} {method}\r\n", headers.cseq)?;
    if headers.contact != Contacts::None {
        field(out, "Contact", &headers.contact)?;
    }
    each(out, "Expires", headers.expires)?;
    each(out, "Min-Expires", headers.min_expires)?;
    each(out, "Event", &headers.event)?;
    each(out, "Subscription-State", &headers.subscription_state)?;
    each(out, "SIP-ETag", &headers.etag)?;
    each(out, "SIP-If-Match", &headers.if_match)?;
    each(out, "Retry-After", headers.retry_after)?;
    each(out, product, &headers.product)?;
    for (name, value) in &headers.other {
        field(out, name, value)?;
    }
    each(out, "Content-Type", &headers.content_type)
}

fn field(out: &mut impl Write, name: &str, value: impl Display) -> fmt::Result {
    write!(out, "{name}: {value}\r\n")
}

/// A line for each.
fn each<T: Display>(
    out: &mut impl Write,
    name: &str,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    values.into_iter().try_for_each(|value| field(out, name, value))
}

impl Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        parameter(f, "branch", self.branch.as_ref())?;
        parameter(f, "received", self.received)?;
        match self.rport {
            Some(None) => f.write_str(";rport")?,
            Some(port) => parameter(f, "rport", port)?,
            None => {}
        }
        self.parameters.iter().try_for_each(|parameter| parameter.fmt(f))
    }
}

impl Display for NameAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            quoted(f, display)?;
            f.write_char(' ')?;
        }
        write!(f, "<{}>", self.uri)?;
        parameter(f, "tag", self.tag.as_ref())?;
        self.parameters.iter().try_for_each(|parameter| parameter.fmt(f))
    }
}

/// A quoted string (RFC 3261 §25.1): quotes, backslashes and control characters are escaped.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            // Not even an escaped line end may stand in one.
            '\r' | '\n' => f.write_char(' ')?,
            '"' | '\\' | '\0'..='\x1f' | '\x7f' => write!(f, "\\{character}")?,
            plain => f.write_char(plain)?,
        }
    }
    f.write_char('"')
}

impl Display for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::All => f.write_char('*'),
            Self::Some(contacts) => contacts.iter().enumerate().try_for_each(|(rank, contact)| {
                if rank > 0 {
                    f.write_str(", ")?;
                }
                contact.fmt(f)
            }),
        }
    }
}

impl Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        parameter(f, "expires", self.expires)?;
        self.q.map_or(Ok(()), |q| {
            f.write_str(";q=")?;
            thousandths(f, q)
        })
    }
}

/// A `qvalue`: 1, or a fraction without trailing zeros.
fn thousandths(f: &mut fmt::Formatter<'_>, q: u16) -> fmt::Result {
    let (digits, width) = match q {
        0 => return f.write_char('0'),
        1000.. => return f.write_char('1'),
        _ if q.is_multiple_of(100) => (q / 100, 1),
        _ if q.is_multiple_of(10) => (q / 10, 2),
        _ => (q, 3),
    };
    write!(f, "0.{digits:0width$}")
}

impl Display for EventPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        parameter(f, "id", self.id.as_ref())
    }
}

impl Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active { expires } => {
                f.write_str("active")?;
                parameter(f, "expires", *expires)
            }
            Self::Pending { expires } => {
                f.write_str("pending")?;
                parameter(f, "expires", *expires)
            }
            Self::Terminated { reason, retry_after } => {
                f.write_str("terminated")?;
                parameter(f, "reason", reason.as_ref())?;
                parameter(f, "retry-after", *retry_after)
            }
        }
    }
}

fn parameter(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, ";{name}={value}"))
}
