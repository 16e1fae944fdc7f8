//! Routes through an element (RFC 3261 §16.4, §16.6 steps 4, 6 and 7, §16.12).

use crate::address::Endpoint;
use crate::sip::uri::{HostPart, SipUri, Uri};
use crate::sip::{Method, NameAddress, Request};

/// What a proxy writes into `Record-Route` of requests that may set up a dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RecordRoute {
    /// Nothing: later requests of the dialog pass it by.
    #[default]
    None,
    /// Its address: the dialog hangs on this host.
    Address,
    /// A name that resolves to it "or a suitable stand-in" (RFC 3261 §16.6 step 4): the dialog hangs
    /// on whoever the name points to.
    Name(HostPart),
}

impl RecordRoute {
    /// The URI, for an element at this endpoint.
    fn uri(&self, own: Endpoint) -> Option<Uri> {
        let host = match self {
            Self::None => return None,
            Self::Address => HostPart::Address(own.address),
            Self::Name(name) => name.clone(),
        };
        Some(Uri::loose_route(host))
    }

    /// Puts it on top of a request that may set up a dialog: INVITE and SUBSCRIBE outside of one,
    /// and each NOTIFY, which sets the subscriber's up when it is there before the 2xx (RFC 6665
    /// §4.3). The route set of a dialog is fixed when it is set up (RFC 3261 §12.2).
    pub(super) fn record(&self, request: &mut Request, own: Endpoint) {
        let begins = match request.method {
            Method::Invite | Method::Subscribe => request.headers.to.tag.is_none(),
            Method::Notify => true,
            _ => false,
        };
        if let Some(uri) = self.uri(own).filter(|_| begins) {
            request.headers.record_route.insert(0, NameAddress::of(uri));
        }
    }
}

/// Takes what is meant for this element out of a request that arrived: an own entry at the top of
/// `Route`, an own `maddr`, and an own Record-Route entry that a strict router before it made the
/// Request-URI (RFC 3261 §16.4). To be called before it is decided whether the request is for the
/// element itself. `is_me` knows the element's addresses and names; whether the request followed an
/// own entry of a route is returned.
pub fn preprocess_route(request: &mut Request, is_me: impl Fn(&SipUri) -> bool) -> bool {
    let own = |uri: &Uri| uri.sip().is_some_and(&is_me);
    let recorded = |uri: &SipUri| uri.user.is_none() && uri.is_loose_route() && is_me(uri);
    let mut followed = false;
    if request.uri.sip().is_some_and(recorded)
        && let Some(last) = request.headers.route.pop()
    {
        request.uri = last.uri;
        followed = true;
    }
    if let Uri::Sip(uri) = &mut request.uri {
        drop_own_maddr(uri, &is_me);
    }
    if request.headers.route.first().is_some_and(|first| own(&first.uri)) {
        request.headers.route.remove(0);
        followed = true;
    }
    followed
}

fn drop_own_maddr(uri: &mut SipUri, is_me: impl Fn(&SipUri) -> bool) {
    let Some(Some(text)) = uri.parameter("maddr") else { return };
    let host = text.parse().map_or_else(|_| HostPart::name(text), HostPart::Address);
    if is_me(&SipUri { port: uri.port, ..SipUri::of_host(host) }) {
        uri.parameters.retain(|one| !one.name.eq_ignore_ascii_case("maddr"));
        uri.port = None;
    }
}

/// Makes a request ready for its next hop, which is returned: the top of `Route`, else the
/// Request-URI. A top entry without `lr` is a strict router, which wants to see itself in the
/// Request-URI (RFC 3261 §12.2.1.1, §16.6 steps 6 and 7).
pub fn next_hop(request: &mut Request) -> Uri {
    let route = &mut request.headers.route;
    let Some(top) = route.first() else { return request.uri.clone() };
    if top.uri.sip().is_some_and(SipUri::is_loose_route) {
        return top.uri.clone();
    }
    let strict = route.remove(0).uri;
    let target = std::mem::replace(&mut request.uri, strict);
    route.push(NameAddress::of(target));
    request.uri.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Port};
    use crate::sip::Headers;
    use crate::sip::uri::Parameter;

    const OWN: Address = Address::from_bits(0x0a00_0001);

    fn host(name: &str) -> HostPart {
        name.parse().map_or_else(|_| HostPart::name(name), HostPart::Address)
    }

    fn strict(name: &str) -> Uri {
        Uri::Sip(SipUri::of_host(host(name)))
    }

    fn user(name: &str, at: &str) -> Uri {
        Uri::of_user(name, host(at))
    }

    fn is_me(uri: &SipUri) -> bool {
        uri.host == HostPart::Address(OWN) || uri.host == HostPart::name("a.test")
    }

    fn request(method: Method, uri: Uri, route: Vec<Uri>) -> Request {
        let end = |name| NameAddress::of(user(name, "b.test"));
        let mut headers = Headers::new(end("alice"), end("bob"), "call".into(), 1);
        headers.route = route.into_iter().map(NameAddress::of).collect();
        Request { method, uri, headers, body: [].into() }
    }

    fn routes(request: &Request) -> Vec<String> {
        request.headers.route.iter().map(|entry| entry.uri.to_string()).collect()
    }

    #[test]
    fn an_own_entry_is_taken_out_and_nothing_else() {
        let loose = |name| Uri::loose_route(host(name));
        let bob = || user("bob", "10.0.0.9");
        let cases = [
            // No route; a route that begins elsewhere.
            (bob(), vec![], false, "sip:bob@10.0.0.9", vec![]),
            (bob(), vec![loose("c.test")], false, "sip:bob@10.0.0.9", vec!["sip:c.test;lr"]),
            // An own entry, by name and by address; only one is taken.
            (bob(), vec![loose("a.test")], true, "sip:bob@10.0.0.9", vec![]),
            (
                bob(),
                vec![loose("10.0.0.1"), loose("c.test")],
                true,
                "sip:bob@10.0.0.9",
                vec!["sip:c.test;lr"],
            ),
            // A strict router has moved the remote target to the end.
            (loose("a.test"), vec![bob()], true, "sip:bob@10.0.0.9", vec![]),
            (
                loose("a.test"),
                vec![loose("c.test"), bob()],
                true,
                "sip:bob@10.0.0.9",
                vec!["sip:c.test;lr"],
            ),
            // The element itself is asked: that is no entry of a route.
            (strict("a.test"), vec![], false, "sip:a.test", vec![]),
        ];
        for (uri, route, followed, uri_after, route_after) in cases {
            let mut request = request(Method::Message, uri, route);
            assert_eq!(preprocess_route(&mut request, is_me), followed, "{request:?}");
            assert_eq!(request.uri.to_string(), uri_after);
            assert_eq!(routes(&request), route_after);
        }
    }

    #[test]
    fn an_own_maddr_goes_another_stays() {
        for (maddr, after) in [
            ("10.0.0.1", "sip:bob@b.test"),
            ("a.test", "sip:bob@b.test"),
            ("10.0.0.2", "sip:bob@b.test:5070;maddr=10.0.0.2"),
        ] {
            let Uri::Sip(mut uri) = user("bob", "b.test") else { panic!("it is a SIP URI") };
            uri.port = Some(Port(5070));
            uri.parameters = vec![Parameter { name: "maddr".into(), value: Some(maddr.into()) }];
            let mut request = request(Method::Message, Uri::Sip(uri), vec![]);
            assert!(!preprocess_route(&mut request, is_me));
            assert_eq!(request.uri.to_string(), after);
        }
    }

    #[test]
    fn the_next_hop_is_the_top_of_the_route_and_a_strict_router_sees_itself() {
        let bob = || user("bob", "10.0.0.9");
        let loose = Uri::loose_route(host("c.test"));
        for (route, hop, uri, after) in [
            (vec![], "sip:bob@10.0.0.9", "sip:bob@10.0.0.9", vec![]),
            (vec![loose.clone()], "sip:c.test;lr", "sip:bob@10.0.0.9", vec!["sip:c.test;lr"]),
            (
                vec![strict("d.test"), loose],
                "sip:d.test",
                "sip:d.test",
                vec!["sip:c.test;lr", "sip:bob@10.0.0.9"],
            ),
        ] {
            let mut request = request(Method::Bye, bob(), route);
            assert_eq!(next_hop(&mut request).to_string(), hop);
            assert_eq!(request.uri.to_string(), uri);
            assert_eq!(routes(&request), after);
        }
    }

    #[test]
    fn only_what_may_set_up_a_dialog_is_recorded_and_on_top() {
        let own = OWN.at(Port::SIP);
        let by_name = RecordRoute::Name(host("a.test"));
        for (policy, method, tag, top) in [
            (RecordRoute::None, Method::Invite, None, None),
            (RecordRoute::Address, Method::Invite, None, Some("sip:10.0.0.1;lr")),
            (by_name.clone(), Method::Invite, None, Some("sip:a.test;lr")),
            (by_name.clone(), Method::Subscribe, None, Some("sip:a.test;lr")),
            (by_name.clone(), Method::Subscribe, Some("x"), None),
            (by_name.clone(), Method::Message, None, None),
            (by_name.clone(), Method::Notify, None, Some("sip:a.test;lr")),
            (by_name.clone(), Method::Notify, Some("x"), Some("sip:a.test;lr")),
            (by_name, Method::Register, None, None),
        ] {
            let mut request = request(method, user("bob", "b.test"), vec![]);
            request.headers.to.tag = tag.map(Into::into);
            let before = NameAddress::of(Uri::loose_route(host("z.test")));
            request.headers.record_route = vec![before];
            policy.record(&mut request, own);
            let recorded: Vec<String> =
                request.headers.record_route.iter().map(|one| one.uri.to_string()).collect();
            let expected: Vec<&str> = top.into_iter().chain(["sip:z.test;lr"]).collect();
            assert_eq!(recorded, expected, "{policy:?} {request:?}");
        }
    }
}
