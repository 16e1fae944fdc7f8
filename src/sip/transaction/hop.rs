//! The topmost `Via`: who sent a message, and where the response goes (RFC 3261 §18.2, RFC 3581).

use std::sync::Arc;

use crate::address::{Endpoint, Port};
use crate::sip::header::Via;
use crate::sip::message::Method;
use crate::sip::transaction::token::MAGIC_COOKIE;
use crate::sip::uri::HostPart;

/// What an element calls itself in `Via`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SentBy {
    host: HostPart,
    /// Not given when it is 5060.
    port: Option<Port>,
}

/// Names a client transaction (RFC 3261 §17.1.3); its own `sent-by` is checked apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey {
    pub(super) branch: Arc<str>,
    pub(super) method: Method,
}

/// Names a server transaction (RFC 3261 §17.2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServerKey {
    branch: Arc<str>,
    sent_by: SentBy,
    /// That of the INVITE for an ACK.
    method: Method,
}

impl SentBy {
    pub(super) fn new(host: HostPart, port: Port) -> Self {
        Self { host, port: Some(port).filter(|&port| port != Port::SIP) }
    }

    /// A `Via` of its own, which asks for the port to answer to.
    pub(super) fn via(&self, branch: Arc<str>) -> Via {
        Via {
            transport: "UDP".into(),
            host: self.host.clone(),
            port: self.port,
            branch: Some(branch),
            received: None,
            rport: Some(None),
            parameters: Vec::new(),
        }
    }

    /// Whether this `Via` is the element's own.
    pub(super) fn wrote(&self, via: &Via) -> bool {
        via.host == self.host && via.port.unwrap_or(Port::SIP) == self.port.unwrap_or(Port::SIP)
    }
}

impl ServerKey {
    /// The transaction of a request with this topmost `Via`, if that follows RFC 3261.
    pub(super) fn of(via: &Via, method: &Method) -> Option<Self> {
        let branch = via.branch.as_ref().filter(|branch| branch.starts_with(MAGIC_COOKIE))?;
        let method = if *method == Method::Ack { Method::Invite } else { method.clone() };
        let sent_by = SentBy::new(via.host.clone(), via.port.unwrap_or(Port::SIP));
        Some(Self { branch: Arc::clone(branch), sent_by, method })
    }

    /// The INVITE that a CANCEL of this key is about (RFC 3261 §9.2).
    pub(super) fn of_invite(&self) -> Self {
        Self { method: Method::Invite, ..self.clone() }
    }
}

/// Writes down where a request came from.
pub(super) fn mark(via: &mut Via, from: Endpoint) {
    let asked = via.rport.is_some();
    if asked {
        via.rport = Some(Some(from.port));
    }
    if asked || via.host != HostPart::Address(from.address) {
        via.received = Some(from.address);
    }
}

/// Where a response with this topmost `Via` goes: to `received` and `rport`, else to `sent-by`
/// (RFC 3261 §18.2.2). None for a name that nobody wrote an address to: elements that
/// [receive](super::Transactions::receive) a request always do.
#[must_use]
pub fn reply_to(via: &Via) -> Option<Endpoint> {
    let address = via.received.or(match via.host {
        HostPart::Address(address) => Some(address),
        HostPart::Name(_) | HostPart::Ipv6(_) => None,
    })?;
    Some(address.at(via.rport.flatten().or(via.port).unwrap_or(Port::SIP)))
}
