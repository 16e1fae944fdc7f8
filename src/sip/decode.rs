//! The wire format: decoding (RFC 3261 §7, 18.3, 25).
//!
//! Names of header fields count without regard to case and in their compact form, values may be
//! folded, lists may stand in one field or in several. What the grammar forbids is refused with the
//! reason; what it allows and the types do not hold is kept among the others as written, or, where
//! a typed field is wider on the wire, left out: comments and parameters of `Retry-After`, unknown
//! parameters of `Event` and `Subscription-State`. A message that was read is written as one that
//! reads the same.
//!
//! Octets behind the announced body are ignored, as in any datagram. Not modelled: other versions
//! than 2.0, header fields that are not UTF-8, and what concerns whether the message makes sense.

mod field;
mod grammar;
mod uri;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;

pub use grammar::FieldError;
pub use uri::UriError;

use crate::sip::header::{Headers, SubscriptionState};
use crate::sip::message::{Message, Method, Request, Response, Status};
use crate::sip::uri::Uri;
use grammar::{is_all_token, is_space, number};

/// Why octets are no message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The empty line after the header fields has not come.
    #[error("no empty line ends the header fields")]
    Incomplete,
    /// Start line or header fields that are not UTF-8.
    #[error("the header fields are not UTF-8")]
    NotText,
    /// A carriage return without line feed, or the other way round, at this octet.
    #[error("half a line end stands at octet {0}")]
    LineEnd(usize),
    /// Neither a request line nor a status line.
    #[error("{0:?} is no start line")]
    StartLine(String),
    /// Another version, or another protocol.
    #[error("only SIP/2.0 is spoken, not {0:?}")]
    Version(String),
    /// Not three digits from 100 to 699.
    #[error("{0:?} is no status code")]
    Status(String),
    /// A Request-URI breaks its grammar, or has headers.
    #[error("the Request-URI is wrong: {0}")]
    RequestUri(UriError),
    /// A line without a name and a colon.
    #[error("{0:?} is no header field")]
    Line(String),
    /// A field value breaks its grammar.
    #[error("{name} is wrong: {why}")]
    Field {
        /// The field.
        name: &'static str,
        /// What is wrong with it.
        why: FieldError,
    },
    /// A field that every message has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field that may be there once.
    #[error("{0} is there twice")]
    Twice(&'static str),
    /// `CSeq` names another method than the request line.
    #[error("CSeq says {cseq} in a request that says {request}")]
    Method {
        /// As on the request line.
        request: Method,
        /// As in `CSeq`.
        cseq: Method,
    },
    /// The body is shorter than `Content-Length` says.
    #[error("{there} octets are there of a body of {announced}")]
    Body {
        /// What `Content-Length` says.
        announced: u64,
        /// What follows the header fields.
        there: usize,
    },
}

/// Fields that are typed here, with their compact forms.
const NAMES: [(&str, &str); 20] = [
    ("Via", "v"),
    ("Max-Forwards", ""),
    ("Route", ""),
    ("Record-Route", ""),
    ("From", "f"),
    ("To", "t"),
    ("Call-ID", "i"),
    ("CSeq", ""),
    ("Contact", "m"),
    ("Expires", ""),
    ("Min-Expires", ""),
    ("Event", "o"),
    ("Subscription-State", ""),
    ("SIP-ETag", ""),
    ("SIP-If-Match", ""),
    ("Retry-After", ""),
    ("User-Agent", ""),
    ("Server", ""),
    ("Content-Type", "c"),
    ("Content-Length", "l"),
];

/// The message in these octets: one datagram.
///
/// # Errors
///
/// Says what breaks the grammar.
pub fn decode(octets: &[u8]) -> Result<Message, DecodeError> {
    let (head, rest) = split(octets)?;
    let mut lines = unfolded(head);
    let start = lines.next().unwrap_or_default();
    let fields = Fields::read(lines)?;
    let body = body(&fields, rest)?;
    if start.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("SIP/")) {
        let (status, reason) = status_line(&start)?;
        let (headers, method) = fields.headers("Server")?;
        let response = Response { status, reason, method, headers, body };
        return Ok(response.into());
    }
    let (method, uri) = request_line(&start)?;
    let (headers, cseq) = fields.headers("User-Agent")?;
    if cseq != method {
        return Err(DecodeError::Method { request: method, cseq });
    }
    Ok(Request { method, uri, headers, body }.into())
}

/// The text up to the empty line, without the last line end, and the octets behind that line.
fn split(octets: &[u8]) -> Result<(&str, &[u8]), DecodeError> {
    let mut octets = octets;
    let before = octets.len();
    // Line ends before a message are ignored (RFC 3261 §7.5).
    while let Some(rest) = octets.strip_prefix(b"\r\n") {
        octets = rest;
    }
    let skipped = before - octets.len();
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, rest) = octets.split_at(end.ok_or(DecodeError::Incomplete)?);
    let half = head.iter().enumerate().find_map(|(at, octet)| {
        let whole = match octet {
            b'\r' => head.get(at + 1) == Some(&b'\n'),
            b'\n' => at > 0 && head[at - 1] == b'\r',
            _ => true,
        };
        (!whole).then_some(at + skipped)
    });
    match half {
        Some(at) => Err(DecodeError::LineEnd(at)),
        None => Ok((std::str::from_utf8(head).map_err(|_| DecodeError::NotText)?, &rest[4..])),
    }
}

/// The lines, each with those that continue it: white space in front says so, and stands for one
/// space with the line end (RFC 3261 §7.3.1).
fn unfolded(head: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut lines = head.split("\r\n").peekable();
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(lines.next()?);
        while let Some(more) = lines.next_if(|next| next.starts_with(is_space)) {
            let before = line.trim_end_matches(is_space);
            line = Cow::Owned(format!("{before} {}", more.trim_start_matches(is_space)));
        }
        Some(line)
    })
}

fn check_version(text: &str) -> Result<(), DecodeError> {
    if text.eq_ignore_ascii_case("SIP/2.0") {
        Ok(())
    } else {
        Err(DecodeError::Version(text.to_owned()))
    }
}

fn request_line(line: &str) -> Result<(Method, Uri), DecodeError> {
    let wrong = || DecodeError::StartLine(line.to_owned());
    let (method, rest) = line.split_once(' ').ok_or_else(wrong)?;
    let (uri, version) = rest.split_once(' ').ok_or_else(wrong)?;
    if !is_all_token(method) || version.contains(is_space) {
        return Err(wrong());
    }
    check_version(version)?;
    let uri: Uri = uri.parse().map_err(DecodeError::RequestUri)?;
    match uri.sip().and_then(|uri| uri.headers.as_ref()) {
        Some(headers) => Err(DecodeError::RequestUri(UriError::Headers(headers.to_string()))),
        None => Ok((method.into(), uri)),
    }
}

fn status_line(line: &str) -> Result<(Status, Option<Arc<str>>), DecodeError> {
    let wrong = || DecodeError::StartLine(line.to_owned());
    let (version, rest) = line.split_once(' ').ok_or_else(wrong)?;
    check_version(version)?;
    let (code, reason) = rest.split_once(' ').ok_or_else(wrong)?;
    let status = number(code).ok().filter(|_| code.len() == 3).and_then(Status::new);
    let status = status.ok_or_else(|| DecodeError::Status(code.to_owned()))?;
    Ok((status, (reason != status.reason()).then(|| reason.into())))
}

fn body(fields: &Fields<'_>, rest: &[u8]) -> Result<Arc<[u8]>, DecodeError> {
    let Some(digits) = fields.single("Content-Length")? else { return Ok(rest.into()) };
    let announced: u64 =
        number(digits).map_err(|why| DecodeError::Field { name: "Content-Length", why })?;
    let end = usize::try_from(announced).ok().filter(|end| *end <= rest.len());
    let end = end.ok_or(DecodeError::Body { announced, there: rest.len() })?;
    Ok(rest[..end].into())
}

/// The header fields as they stand.
struct Fields<'a>(Vec<Field<'a>>);

struct Field<'a> {
    /// The long name of one that is typed here.
    known: Option<&'static str>,
    line: Cow<'a, str>,
    /// Where the colon is.
    colon: usize,
}

impl<'a> Field<'a> {
    fn read(line: Cow<'a, str>) -> Result<Self, DecodeError> {
        let colon =
            line.find(':').filter(|at| is_all_token(line[..*at].trim_end_matches(is_space)));
        let colon = colon.ok_or_else(|| DecodeError::Line(line.clone().into_owned()))?;
        let mut field = Field { known: None, line, colon };
        let name = field.name();
        let known = NAMES.iter().find(|(long, compact)| {
            name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(compact)
        });
        field.known = known.map(|(long, _)| *long);
        Ok(field)
    }

    fn name(&self) -> &str {
        self.line[..self.colon].trim_end_matches(is_space)
    }

    fn value(&self) -> &str {
        self.line[self.colon + 1..].trim_matches(is_space)
    }
}

impl<'a> Fields<'a> {
    fn read(lines: impl Iterator<Item = Cow<'a, str>>) -> Result<Self, DecodeError> {
        lines.map(Field::read).collect::<Result<_, _>>().map(Self)
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |field| field.known == Some(name)).map(Field::value)
    }

    /// The value of a field that may be there once.
    fn single(&self, name: &'static str) -> Result<Option<&str>, DecodeError> {
        let mut values = self.values(name);
        let first = values.next();
        if values.next().is_some() { Err(DecodeError::Twice(name)) } else { Ok(first) }
    }

    fn single_text(&self, name: &'static str) -> Result<Option<Arc<str>>, DecodeError> {
        Ok(self.single(name)?.map(Into::into))
    }

    /// The meaning of a field that may be there once.
    fn typed<T>(
        &self,
        name: &'static str,
        meaning: impl Fn(&str) -> Result<T, FieldError>,
    ) -> Result<Option<T>, DecodeError> {
        let meant = self.single(name)?.map(meaning).transpose();
        meant.map_err(|why| DecodeError::Field { name, why })
    }

    /// The meaning of a field that must be there.
    fn needed<T>(
        &self,
        name: &'static str,
        meaning: impl Fn(&str) -> Result<T, FieldError>,
    ) -> Result<T, DecodeError> {
        self.typed(name, meaning)?.ok_or(DecodeError::Missing(name))
    }

    /// The items of a list, over all its fields.
    fn list<T>(
        &self,
        name: &'static str,
        item: fn(&mut grammar::Cursor<'_>) -> Result<T, FieldError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut items = Vec::new();
        for value in self.values(name) {
            items.extend(field::list(value, item).map_err(|why| DecodeError::Field { name, why })?);
        }
        Ok(items)
    }

    /// The typed fields and the method in `CSeq`; `product` is the field of that purpose.
    fn headers(&self, product: &'static str) -> Result<(Headers, Method), DecodeError> {
        let (cseq, method) = self.needed("CSeq", |text| field::one(text, field::sequence))?;
        let contact = field::contacts(self.values("Contact"));
        let state =
            self.typed("Subscription-State", |text| field::one(text, field::subscription_state))?;
        let word = |text: &str| field::one(text, field::word);
        let headers = Headers {
            via: self.list("Via", field::via)?,
            max_forwards: self.typed("Max-Forwards", number)?,
            route: self.list("Route", field::name_address)?,
            record_route: self.list("Record-Route", field::name_address)?,
            from: self.needed("From", |text| field::one(text, field::name_address))?,
            to: self.needed("To", |text| field::one(text, field::name_address))?,
            call_id: self.needed("Call-ID", |text| field::one(text, field::call_id))?,
            cseq,
            contact: contact.map_err(|why| DecodeError::Field { name: "Contact", why })?,
            expires: self.typed("Expires", number)?,
            min_expires: self.typed("Min-Expires", number)?,
            event: self.typed("Event", |text| field::one(text, field::event))?,
            subscription_state: state.clone().flatten(),
            etag: self.typed("SIP-ETag", word)?,
            if_match: self.typed("SIP-If-Match", word)?,
            retry_after: self.typed("Retry-After", |text| field::one(text, field::retry_after))?,
            product: self.single_text(product)?,
            content_type: self.single_text("Content-Type")?,
            other: self.others(product, &state),
        };
        Ok((headers, method))
    }

    /// What no typed field holds.
    fn others(
        &self,
        product: &'static str,
        state: &Option<Option<SubscriptionState>>,
    ) -> Vec<(Arc<str>, Arc<str>)> {
        let other = |field: &&Field<'_>| match field.known {
            None => true,
            Some("User-Agent" | "Server") => field.known != Some(product),
            Some("Subscription-State") => *state == Some(None),
            Some(_) => false,
        };
        let others = self.0.iter().filter(other);
        others.map(|field| (field.name().into(), field.value().into())).collect()
    }
}
