//! Requests and responses (RFC 3261 §7).

use std::fmt;
use std::sync::Arc;

use crate::rng::{NameHash, mix2};
use crate::sip::header::{Headers, NameAddress};
use crate::sip::uri::Uri;

/// A message, boxed: it is large and rare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From a client.
    Request(Box<Request>),
    /// From a server.
    Response(Box<Response>),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Of whom: the Request-URI.
    pub uri: Uri,
    /// The header fields.
    pub headers: Headers,
    /// The octets after them.
    pub body: Body,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How the request went.
    pub status: Status,
    /// The reason phrase, where it is not the standard one of the status.
    pub reason: Option<Arc<str>>,
    /// The method of the request, as in `CSeq`.
    pub method: Method,
    /// The header fields.
    pub headers: Headers,
    /// The octets after them.
    pub body: Body,
}

/// The octets of a body; shared, since a proxy passes them on.
pub type Body = Arc<[u8]>;

/// Methods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Begins a call (RFC 3261).
    Invite,
    /// Confirms a final response to INVITE (RFC 3261).
    Ack,
    /// Gives up an INVITE (RFC 3261).
    Cancel,
    /// Ends a call (RFC 3261).
    Bye,
    /// Binds an address of record (RFC 3261).
    Register,
    /// Asks for capabilities (RFC 3261).
    Options,
    /// An instant message (RFC 3428).
    Message,
    /// Asks to be notified (RFC 6665).
    Subscribe,
    /// Notifies (RFC 6665).
    Notify,
    /// Publishes presence (RFC 3903).
    Publish,
    /// Another token.
    Other(Arc<str>),
}

/// A status code, 100 to 699.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

/// Names a request across all elements that it passes: the same at whoever sends, forwards and
/// answers it. A hash of `Call-ID`, `CSeq` number and method; the ACK of an INVITE has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey(pub u64);

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(Box::new(request))
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(Box::new(response))
    }
}

impl Method {
    /// The token on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Cancel => "CANCEL",
            Self::Bye => "BYE",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Message => "MESSAGE",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Other(token) => token,
        }
    }
}

impl From<&str> for Method {
    /// The method of this token; case counts (RFC 3261 §7.1).
    fn from(token: &str) -> Self {
        match token {
            "INVITE" => Self::Invite,
            "ACK" => Self::Ack,
            "CANCEL" => Self::Cancel,
            "BYE" => Self::Bye,
            "REGISTER" => Self::Register,
            "OPTIONS" => Self::Options,
            "MESSAGE" => Self::Message,
            "SUBSCRIBE" => Self::Subscribe,
            "NOTIFY" => Self::Notify,
            "PUBLISH" => Self::Publish,
            other => Self::Other(other.into()),
        }
    }
}

impl Request {
    /// The name of this request.
    #[must_use]
    pub fn key(&self) -> RequestKey {
        RequestKey::of(&self.headers, &self.method)
    }

    /// A response with what RFC 3261 §8.2.6.2 says it takes from the request: `Via`, `From`, `To`,
    /// `Call-ID`, `CSeq`, and `Record-Route` where it may set up a dialog. `tag` goes into a `To`
    /// that has none; a 100 gets none.
    #[must_use]
    pub fn respond(&self, status: Status, tag: Option<&str>) -> Response {
        let from = &self.headers;
        let mut to = from.to.clone();
        if to.tag.is_none() && status != Status::TRYING {
            to.tag = tag.map(Into::into);
        }
        let mut headers = Headers::new(from.from.clone(), to, Arc::clone(&from.call_id), from.cseq);
        headers.via.clone_from(&from.via);
        if matches!(self.method, Method::Invite | Method::Subscribe | Method::Notify)
            && status != Status::TRYING
            && status.0 < 300
        {
            headers.record_route.clone_from(&from.record_route);
        }
        let method = self.method.clone();
        Response { status, reason: None, method, headers, body: Arc::from([]) }
    }
}

impl Response {
    /// The name of the request that it answers.
    #[must_use]
    pub fn key(&self) -> RequestKey {
        RequestKey::of(&self.headers, &self.method)
    }

    /// The reason phrase on the wire.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or(self.status.reason())
    }
}

impl RequestKey {
    fn of(headers: &Headers, method: &Method) -> Self {
        let call = NameHash::of(&headers.call_id).0;
        let part = mix2(u64::from(headers.cseq), NameHash::of(method.as_str()).0);
        Self(mix2(call, part))
    }
}

impl Status {
    /// 100.
    pub const TRYING: Self = Self(100);
    /// 180.
    pub const RINGING: Self = Self(180);
    /// 200.
    pub const OK: Self = Self(200);
    /// 202, of MESSAGE and SUBSCRIBE.
    pub const ACCEPTED: Self = Self(202);
    /// 400.
    pub const BAD_REQUEST: Self = Self(400);
    /// 404.
    pub const NOT_FOUND: Self = Self(404);
    /// 405.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 408.
    pub const REQUEST_TIMEOUT: Self = Self(408);
    /// 412, of PUBLISH.
    pub const CONDITIONAL_REQUEST_FAILED: Self = Self(412);
    /// 423.
    pub const INTERVAL_TOO_BRIEF: Self = Self(423);
    /// 478, SER's: the name of the next hop does not resolve.
    pub const UNRESOLVABLE_DESTINATION: Self = Self(478);
    /// 480.
    pub const TEMPORARILY_UNAVAILABLE: Self = Self(480);
    /// 481.
    pub const NO_TRANSACTION: Self = Self(481);
    /// 482.
    pub const LOOP_DETECTED: Self = Self(482);
    /// 483.
    pub const TOO_MANY_HOPS: Self = Self(483);
    /// 486.
    pub const BUSY_HERE: Self = Self(486);
    /// 487.
    pub const REQUEST_TERMINATED: Self = Self(487);
    /// 489.
    pub const BAD_EVENT: Self = Self(489);
    /// 500.
    pub const SERVER_ERROR: Self = Self(500);
    /// 503.
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    /// 603.
    pub const DECLINE: Self = Self(603);

    /// The status with this code, if it is one.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        if code >= 100 && code <= 699 { Some(Self(code)) } else { None }
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Its class, 1 to 6.
    #[must_use]
    pub const fn class(self) -> u16 {
        self.0 / 100
    }

    /// Whether more responses will follow.
    #[must_use]
    pub const fn is_provisional(self) -> bool {
        self.0 < 200
    }

    /// Whether the request was granted.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// The standard reason phrase (RFC 3261 §21 and the extensions that are spoken here).
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self.0 {
            100 => "Trying",
            180 => "Ringing",
            200 => "OK",
            202 => "Accepted",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            412 => "Conditional Request Failed",
            423 => "Interval Too Brief",
            478 => "Unresolvable destination",
            480 => "Temporarily Unavailable",
            481 => "Call/Transaction Does Not Exist",
            482 => "Loop Detected",
            483 => "Too Many Hops",
            486 => "Busy Here",
            487 => "Request Terminated",
            489 => "Bad Event",
            500 => "Server Internal Error",
            503 => "Service Unavailable",
            603 => "Decline",
            _ => "",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Message {
    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The name of the request that it is or answers.
    #[must_use]
    pub fn key(&self) -> RequestKey {
        match self {
            Self::Request(request) => request.key(),
            Self::Response(response) => response.key(),
        }
    }

    /// Who is asked.
    #[must_use]
    pub fn to(&self) -> &NameAddress {
        &self.headers().to
    }
}
