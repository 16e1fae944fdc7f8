//! Octets of messages.

use thiserror::Error;

use super::{Headers, Message, Method, Request, Response, Status};

/// More fields than any message here has by far.
const MAX_HEADERS: usize = 64;

/// Why octets are no message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// The end of the headers or of the body has not come.
    #[error("the message is not complete")]
    Incomplete,
    /// There is more than one message.
    #[error("{0} octets follow the message")]
    Trailing(usize),
    /// Start line or headers break the grammar.
    #[error("not HTTP: {0}")]
    Syntax(#[from] httparse::Error),
    /// Neither HTTP/1.0 nor HTTP/1.1 (which is also what is written).
    #[error("only HTTP/1.1 is modelled, not HTTP/1.{0}")]
    Version(u8),
    /// A method that is not known here.
    #[error("method {0} is not modelled")]
    Method(String),
    /// A status below 100.
    #[error("{0} is no status")]
    Status(u16),
    /// `Content-Length` is no number, or is there twice with different values.
    #[error("the content length is unclear: {0:?}")]
    Length(String),
    /// A transfer coding.
    #[error("transfer coding {0:?} is not modelled")]
    Coding(String),
    /// Header value or body that is not UTF-8.
    #[error("a header value or the body is not text")]
    NotText,
}

impl Method {
    const ALL: [Self; 3] = [Self::Get, Self::Post, Self::Head];

    /// As on the request line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Head => "HEAD",
        }
    }
}

impl Headers {
    /// Octets of the fields and the empty line.
    fn encoded_len(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + 2 + value.len() + 2).sum::<usize>() + 2
    }

    fn encode(&self, out: &mut String) {
        for (name, value) in self.iter() {
            for part in [name, ": ", value, "\r\n"] {
                out.push_str(part);
            }
        }
        out.push_str("\r\n");
    }

    fn decode(fields: &[httparse::Header<'_>]) -> Result<Self, HttpError> {
        let mut headers = Vec::with_capacity(fields.len());
        for field in fields {
            let value = str::from_utf8(field.value).map_err(|_| HttpError::NotText)?;
            headers.push((field.name.to_owned(), value.to_owned()));
        }
        Ok(Self(headers))
    }

    /// Takes the body that the fields announce from the octets after them.
    fn body(&self, rest: &[u8]) -> Result<String, HttpError> {
        if let Some(coding) = self.value("Transfer-Encoding") {
            return Err(HttpError::Coding(coding.to_owned()));
        }
        let mut length = None;
        for (_, value) in self.iter().filter(|(n, _)| n.eq_ignore_ascii_case("Content-Length")) {
            let digits = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
            let parsed = value.parse::<u32>().ok().filter(|_| digits);
            if parsed.is_none() || length.is_some_and(|known| Some(known) != parsed) {
                return Err(HttpError::Length(value.to_owned()));
            }
            length = parsed;
        }
        let length = length.unwrap_or(0) as usize;
        if rest.len() < length {
            return Err(HttpError::Incomplete);
        }
        if rest.len() > length {
            return Err(HttpError::Trailing(rest.len() - length));
        }
        Ok(str::from_utf8(rest).map_err(|_| HttpError::NotText)?.to_owned())
    }
}

impl Request {
    pub(super) fn encoded_len(&self) -> usize {
        let line = self.method.name().len() + 1 + self.target.len() + " HTTP/1.1\r\n".len();
        line + self.headers.encoded_len() + self.body.len()
    }

    pub(super) fn encode(&self) -> String {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method.name(), self.target);
        self.headers.encode(&mut out);
        out.push_str(&self.body);
        out
    }

    /// Reads one whole request.
    ///
    /// # Errors
    ///
    /// When the octets are not exactly one request of the modelled kind.
    pub fn decode(octets: &[u8]) -> Result<Self, HttpError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut fields);
        let httparse::Status::Complete(head) = parsed.parse(octets)? else {
            return Err(HttpError::Incomplete);
        };
        check_version(parsed.version)?;
        let name = parsed.method.unwrap_or_default();
        let method = Method::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| HttpError::Method(name.to_owned()))?;
        let headers = Headers::decode(parsed.headers)?;
        let body = headers.body(&octets[head..])?;
        Ok(Self { method, target: parsed.path.unwrap_or_default().to_owned(), headers, body })
    }
}

impl Response {
    pub(super) fn encoded_len(&self) -> usize {
        let line = "HTTP/1.1 200 \r\n".len() + self.status.reason().len();
        line + self.headers.encoded_len() + self.body.len()
    }

    pub(super) fn encode(&self) -> String {
        let (code, reason) = (self.status.code(), self.status.reason());
        let mut out = format!("HTTP/1.1 {code} {reason}\r\n");
        self.headers.encode(&mut out);
        out.push_str(&self.body);
        out
    }

    /// Reads one whole response.
    ///
    /// # Errors
    ///
    /// When the octets are not exactly one response of the modelled kind.
    pub fn decode(octets: &[u8]) -> Result<Self, HttpError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head) = parsed.parse(octets)? else {
            return Err(HttpError::Incomplete);
        };
        check_version(parsed.version)?;
        let code = parsed.code.unwrap_or(0);
        let status = Status::new(code).ok_or(HttpError::Status(code))?;
        let headers = Headers::decode(parsed.headers)?;
        let body = headers.body(&octets[head..])?;
        Ok(Self { status, headers, body })
    }
}

impl Message {
    /// Reads one whole message: a response if it begins with a version, else a request.
    ///
    /// # Errors
    ///
    /// When the octets are not exactly one message of the modelled kind.
    pub fn decode(octets: &[u8]) -> Result<Self, HttpError> {
        if octets.starts_with(b"HTTP/") {
            Response::decode(octets).map(Self::Response)
        } else {
            Request::decode(octets).map(Self::Request)
        }
    }
}

fn check_version(minor: Option<u8>) -> Result<(), HttpError> {
    match minor {
        Some(0 | 1) => Ok(()),
        other => Err(HttpError::Version(other.unwrap_or(0))),
    }
}
