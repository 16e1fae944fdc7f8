//! What the host of a URI means to a node.

use crate::address::Address;
use crate::overcord::location::LocationSettings;
use crate::sip::HostPart;
use crate::sip::uri::SipUri;

/// The domain of a host part that is a name.
pub(super) fn name_of(host: &HostPart) -> Option<&str> {
    match host {
        HostPart::Name(name) => Some(name),
        HostPart::Address(_) | HostPart::Ipv6(_) => None,
    }
}

/// Whether an entry of a route means this node: its address, or, while it plays the proxy peer, the
/// overlay's name, or that of a domain that it stands in for.
pub(super) fn is_own(
    uri: &SipUri,
    own: Address,
    location: &LocationSettings,
    is_proxy: bool,
) -> bool {
    let LocationSettings { domain, backed, .. } = location;
    match &uri.host {
        HostPart::Address(address) => *address == own,
        HostPart::Name(name) => {
            is_proxy && std::iter::once(domain).chain(backed).any(|it| **it == **name)
        }
        HostPart::Ipv6(_) => false,
    }
}
