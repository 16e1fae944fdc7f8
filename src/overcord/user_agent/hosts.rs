//! What the host of a URI means to a node.

use crate::address::Address;
use crate::sip::HostPart;
use crate::sip::uri::SipUri;

/// The domain of a host part that is a name.
pub(super) fn name_of(host: &HostPart) -> Option<&str> {
    match host {
        HostPart::Name(name) => Some(name),
        HostPart::Address(_) | HostPart::Ipv6(_) => None,
    }
}

/// Whether an entry of a route means this node: its address, or the overlay's name while it plays
/// the proxy peer.
pub(super) fn is_own(uri: &SipUri, own: Address, domain: &str, is_proxy: bool) -> bool {
    match &uri.host {
        HostPart::Address(address) => *address == own,
        HostPart::Name(name) => is_proxy && **name == *domain,
        HostPart::Ipv6(_) => false,
    }
}
