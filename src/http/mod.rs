//! HTTP/1.1 (RFC 9112) as far as the update service needs it: whole requests and responses with
//! text bodies, and Basic authentication.
//!
//! A [`Message`] is what a TCP segment carries; its [`wire_len`](Message::wire_len) is the length
//! of its real encoding. Nothing is added on encoding, so that a message that was read is written
//! the same way; headers keep their order. Left out: chunked bodies, messages without a length that
//! end with the connection, trailers, pipelining.

mod basic;
mod codec;
#[cfg(test)]
mod tests;

pub use basic::Credentials;
pub use codec::HttpError;

use crate::net::tcp::Body;
use crate::rng::NameHash;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From the client.
    Request(Request),
    /// From the server.
    Response(Response),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// With what: a path and perhaps a query, as on the request line.
    pub target: String,
    /// The header fields.
    pub headers: Headers,
    /// The text after them.
    pub body: String,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How it went.
    pub status: Status,
    /// The header fields.
    pub headers: Headers,
    /// The text after them.
    pub body: String,
}

/// The methods known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Retrieves; the update protocol also changes with it.
    Get,
    /// Submits.
    Post,
    /// Retrieves the headers alone.
    Head,
}

/// A status code, 100 to 999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u16);

impl Status {
    /// It went well.
    pub const OK: Self = Self(200);
    /// Credentials are missing or wrong.
    pub const UNAUTHORIZED: Self = Self(401);
    /// There is no such target.
    pub const NOT_FOUND: Self = Self(404);
    /// The target does not know the method.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);

    /// A status with this code, if it has three digits.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 999 { Some(Self(code)) } else { None }
    }

    /// The code.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The phrase that is written beside it (RFC 9110 §15), for those that are used here.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self.0 {
            200 => "OK",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            _ => "",
        }
    }
}

/// Header fields in their order; names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of the first field of this name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Adds a field at the end.
    ///
    /// # Panics
    ///
    /// When name or value would break the message's framing: such a field is a mistake of the
    /// program, since what is read has passed the decoder.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        let is_clean = |text: &str| !text.bytes().any(|octet| octet < b' ' || octet == 0x7f);
        assert!(
            !name.is_empty() && !name.contains(':') && is_clean(name),
            "a field name: {name:?}"
        );
        assert!(is_clean(&value), "a field value: {value:?}");
        self.0.push((name.to_owned(), value));
        self
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Request {
    /// A request for a target, without headers and body.
    #[must_use]
    pub fn get(target: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            target: target.into(),
            headers: Headers::default(),
            body: String::new(),
        }
    }

    /// The request with one header field more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers = self.headers.with(name, value);
        self
    }

    /// Who says to be asking, by the Basic scheme.
    #[must_use]
    pub fn credentials(&self) -> Option<Credentials> {
        Credentials::from_header(self.headers.value("Authorization")?)
    }
}

impl Response {
    /// A response with a text: `Content-Type`, `Content-Length` and `Connection: close`, since a
    /// client asks once per connection.
    #[must_use]
    pub fn text(status: Status, body: impl Into<String>) -> Self {
        let body = body.into();
        let headers = Headers::default()
            .with("Content-Type", "text/plain")
            .with("Content-Length", body.len().to_string())
            .with("Connection", "close");
        Self { status, headers, body }
    }

    /// 401, asking for Basic credentials of a realm (RFC 7617).
    #[must_use]
    pub fn challenge(realm: &str, body: impl Into<String>) -> Self {
        let mut response = Self::text(Status::UNAUTHORIZED, body);
        response.headers =
            response.headers.with("WWW-Authenticate", format!("Basic realm=\"{realm}\""));
        response
    }
}

impl Message {
    /// Octets of the encoding.
    #[must_use]
    pub fn wire_len(&self) -> u32 {
        let octets = match self {
            Self::Request(request) => request.encoded_len(),
            Self::Response(response) => response.encoded_len(),
        };
        u32::try_from(octets).expect("messages are far below 4 GiB")
    }

    /// The octets of the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Request(request) => request.encode(),
            Self::Response(response) => response.encode(),
        }
        .into_bytes()
    }
}

impl Body for Message {
    fn wire_len(&self) -> u32 {
        self.wire_len()
    }

    fn digest(&self) -> u64 {
        let text = match self {
            Self::Request(request) => request.encode(),
            Self::Response(response) => response.encode(),
        };
        NameHash::of(&text).0
    }
}
