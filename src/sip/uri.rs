//! Uniform resource identifiers of SIP (RFC 3261 §19.1).

use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use crate::address::{Address, Endpoint, Port};

/// Where a URI or a `Via` points: a name that has to be resolved, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPart {
    /// A domain name, in lower case.
    Name(Arc<str>),
    /// An IPv4 address.
    Address(Address),
    /// An IPv6 address, written in brackets: read and passed on, but nothing here is sent to one.
    Ipv6(Ipv6Addr),
}

/// One `;name=value` or `;name` parameter; the name as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name.
    pub name: Arc<str>,
    /// Its value, quotes included, as written.
    pub value: Option<Arc<str>>,
}

/// A URI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// Any other scheme, as written.
    Other(Arc<str>),
}

/// A SIP URI, as written; comparing two is [`SipUri::same_resource`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SipUri {
    /// Whether the scheme is `sips`.
    pub secure: bool,
    /// The user part, with a password if there is one, as written.
    pub user: Option<Arc<str>>,
    /// The host.
    pub host: HostPart,
    /// The port, if one is given.
    pub port: Option<Port>,
    /// The parameters, such as `lr` and `transport`.
    pub parameters: Vec<Parameter>,
    /// What follows the question mark, as written.
    pub headers: Option<Arc<str>>,
}

impl HostPart {
    /// A name, put in lower case.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Name(name.to_ascii_lowercase().into())
    }
}

impl Uri {
    /// `sip:user@host`.
    #[must_use]
    pub fn of_user(user: &str, host: HostPart) -> Self {
        Self::Sip(SipUri { user: Some(user.into()), ..SipUri::of_host(host) })
    }

    /// `sip:user@address`, with the port where that is not the usual one.
    #[must_use]
    pub fn of_user_at(user: &str, at: Endpoint) -> Self {
        let port = Some(at.port).filter(|port| *port != Port::SIP);
        let host = HostPart::Address(at.address);
        Self::Sip(SipUri { user: Some(user.into()), port, ..SipUri::of_host(host) })
    }

    /// `sip:host;lr`: an entry of a route set.
    #[must_use]
    pub fn loose_route(host: HostPart) -> Self {
        let lr = Parameter { name: "lr".into(), value: None };
        Self::Sip(SipUri { parameters: vec![lr], ..SipUri::of_host(host) })
    }

    /// The SIP URI, if it is one.
    #[must_use]
    pub const fn sip(&self) -> Option<&SipUri> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Other(_) => None,
        }
    }
}

impl SipUri {
    /// `sip:host`.
    #[must_use]
    pub const fn of_host(host: HostPart) -> Self {
        Self { secure: false, user: None, host, port: None, parameters: Vec::new(), headers: None }
    }

    /// The value of a parameter: `None` when it is missing, `Some(None)` when it has no value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Option<&str>> {
        let is = |parameter: &&Parameter| parameter.name.eq_ignore_ascii_case(name);
        self.parameters.iter().find(is).map(|parameter| parameter.value.as_deref())
    }

    /// Whether it is an entry of a loose route (RFC 3261 §16.12).
    #[must_use]
    pub fn is_loose_route(&self) -> bool {
        self.parameter("lr").is_some()
    }

    /// Whether both name the same user at the same host and port: what matters where a request is
    /// for an element itself, or for a user of its domain. Parameters and scheme do not count.
    #[must_use]
    pub fn same_resource(&self, other: &Self) -> bool {
        self.user == other.user
            && self.host == other.host
            && self.port.unwrap_or(Port::SIP) == other.port.unwrap_or(Port::SIP)
    }
}

impl fmt::Display for HostPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
            Self::Ipv6(address) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ";{}", self.name)?;
        self.value.as_ref().map_or(Ok(()), |value| write!(f, "={value}"))
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sip(uri) => uri.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.parameters.iter().try_for_each(|parameter| parameter.fmt(f))?;
        self.headers.as_ref().map_or(Ok(()), |headers| write!(f, "?{headers}"))
    }
}
