//! Dialogs (RFC 3261 §12, RFC 6665 §4): what two user agents remember of each other between the
//! requests of a call or of a subscription.
//!
//! A [`Dialog`] is one end's half. Its route set is fixed when it comes into being; later requests
//! and responses replace the remote target alone (§12.2). Early dialogs are not kept apart: a
//! caller's dialog begins with the 2xx, a callee's with the INVITE.

use std::sync::Arc;

use crate::sip::header::{Headers, NameAddress};
use crate::sip::message::{Method, Request, Response, Status};
use crate::sip::uri::Uri;

/// The `Max-Forwards` of a new request (RFC 3261 §8.1.1.6).
pub const MAX_FORWARDS: u8 = 70;

/// One end of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    call_id: Arc<str>,
    /// This end, with its tag: `From` of what it sends.
    local: NameAddress,
    /// The other end, with its tag: `To` of what this end sends.
    remote: NameAddress,
    target: Uri,
    routes: Vec<NameAddress>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
}

impl Dialog {
    /// The dialog that a 2xx sets up at the client that sent the request (§12.1.2); `None` when the
    /// response has no tag or no contact. The route set is its `Record-Route` in reverse.
    #[must_use]
    pub fn of_response(response: &Response) -> Option<Self> {
        let headers = &response.headers;
        headers.to.tag.as_ref()?;
        Some(Self {
            call_id: Arc::clone(&headers.call_id),
            local: headers.from.clone(),
            remote: headers.to.clone(),
            target: contact(headers)?.clone(),
            routes: headers.record_route.iter().rev().cloned().collect(),
            local_cseq: headers.cseq,
            remote_cseq: None,
        })
    }

    /// The dialog that a request sets up at the server that accepts it (§12.1.1), `tag` being the
    /// server's own; `None` when the request has no tag or no contact. The route set is its
    /// `Record-Route` as it stands, so the first element is the one next to this end.
    ///
    /// A subscriber's dialog comes into being that way too when the NOTIFY is there before the 2xx
    /// (RFC 6665 §4.4.1); it then [has sent](Self::has_sent) its SUBSCRIBE already.
    #[must_use]
    pub fn of_request(request: &Request, tag: &str) -> Option<Self> {
        let headers = &request.headers;
        headers.from.tag.as_ref()?;
        Some(Self {
            call_id: Arc::clone(&headers.call_id),
            local: headers.to.clone().tagged(tag),
            remote: headers.from.clone(),
            target: contact(headers)?.clone(),
            routes: headers.record_route.clone(),
            local_cseq: 0,
            remote_cseq: Some(headers.cseq),
        })
    }

    /// The same at an end that has sent a request with this `CSeq` before.
    #[must_use]
    pub const fn has_sent(mut self, cseq: u32) -> Self {
        self.local_cseq = cseq;
        self
    }

    /// Whether a request that arrives at this end belongs to the dialog.
    #[must_use]
    pub fn includes(&self, headers: &Headers) -> bool {
        headers.call_id == self.call_id
            && headers.to.tag == self.local.tag
            && headers.from.tag == self.remote.tag
    }

    /// The name that all requests of the dialog bear.
    #[must_use]
    pub const fn call_id(&self) -> &Arc<str> {
        &self.call_id
    }

    /// The tag of this end.
    #[must_use]
    pub fn local_tag(&self) -> Option<&str> {
        self.local.tag.as_deref()
    }

    /// The other end, with its tag.
    #[must_use]
    pub const fn remote(&self) -> &NameAddress {
        &self.remote
    }

    /// Where the other end says that it is.
    #[must_use]
    pub const fn target(&self) -> &Uri {
        &self.target
    }

    /// The elements that requests to the other end pass, the first one first.
    #[must_use]
    pub fn routes(&self) -> &[NameAddress] {
        &self.routes
    }

    /// Whom a request to the other end is sent to: the first of the route set, or the remote
    /// target (§8.1.2).
    #[must_use]
    pub fn next_hop(&self) -> &Uri {
        self.routes.first().map_or(&self.target, |route| &route.uri)
    }

    /// The next request to the other end (§12.2.1.1).
    #[must_use]
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.build(method, self.local_cseq)
    }

    /// The ACK for a 2xx of the INVITE with this `CSeq` (§13.2.2.4).
    #[must_use]
    pub fn ack(&self, cseq: u32) -> Request {
        self.build(Method::Ack, cseq)
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let (local, remote) = (self.local.clone(), self.remote.clone());
        let mut headers = Headers::new(local, remote, Arc::clone(&self.call_id), cseq);
        headers.max_forwards = Some(MAX_FORWARDS);
        let uri = match self.routes.split_first() {
            // A strict router: it is asked itself, and the target waits at the end.
            Some((first, rest)) if !first.uri.sip().is_some_and(|uri| uri.is_loose_route()) => {
                headers.route = rest.to_vec();
                headers.route.push(NameAddress::of(self.target.clone()));
                first.uri.clone()
            }
            _ => {
                headers.route.clone_from(&self.routes);
                self.target.clone()
            }
        };
        Request { method, uri, headers, body: Arc::from([]) }
    }

    /// Takes note of a request that arrived in the dialog (§12.2.2).
    ///
    /// # Errors
    ///
    /// The status to answer with when it is out of order: 500.
    pub fn receive(&mut self, request: &Request) -> Result<(), Status> {
        let cseq = request.headers.cseq;
        if self.remote_cseq.is_some_and(|last| cseq < last) {
            return Err(Status::SERVER_ERROR);
        }
        self.remote_cseq = Some(cseq);
        if refreshes_target(&request.method) {
            self.retarget(&request.headers);
        }
        Ok(())
    }

    /// Takes note of a 2xx to a request of this end.
    pub fn confirm(&mut self, response: &Response) {
        if refreshes_target(&response.method) {
            self.retarget(&response.headers);
        }
    }

    fn retarget(&mut self, headers: &Headers) {
        if let Some(target) = contact(headers) {
            self.target = target.clone();
        }
    }
}

/// Whether the contact in a request of this method, and in its 2xx, is where the other end is from
/// now on (RFC 3261 §12.2, RFC 6665 §4.4.1).
const fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Subscribe | Method::Notify)
}

fn contact(headers: &Headers) -> Option<&Uri> {
    headers.contact.as_slice().first().map(|contact| &contact.address.uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::header::{Contact, Contacts};
    use crate::sip::uri::HostPart;

    fn user(user: &str, host: &str) -> Uri {
        Uri::of_user(user, HostPart::name(host))
    }

    fn loose(host: &str) -> NameAddress {
        NameAddress::of(Uri::loose_route(HostPart::name(host)))
    }

    fn strict(host: &str) -> NameAddress {
        NameAddress::of(Uri::of_user("strict", HostPart::name(host)))
    }

    /// A SUBSCRIBE from Bob to Alice as it arrives after passing `near` and then `far`.
    fn subscribe(record_route: &[NameAddress]) -> Request {
        let from = NameAddress::of(user("bob", "b.org")).tagged("bobs");
        let to = NameAddress::of(user("alice", "a.org"));
        let mut headers = Headers::new(from, to, "1@b.org".into(), 7);
        headers.record_route = record_route.to_vec();
        headers.contact = Contacts::one(Contact::of(user("bob", "b.host")));
        Request {
            method: Method::Subscribe,
            uri: user("alice", "a.host"),
            headers,
            body: Arc::from([]),
        }
    }

    fn accept(request: &Request) -> Response {
        let mut response = request.respond(Status::OK, Some("alices"));
        response.headers.contact = Contacts::one(Contact::of(user("alice", "a.host")));
        response
    }

    /// Both ends of the dialog of that SUBSCRIBE: Bob's and Alice's.
    fn ends(record_route: &[NameAddress]) -> (Dialog, Dialog) {
        let request = subscribe(record_route);
        let bobs = Dialog::of_response(&accept(&request)).unwrap();
        (bobs, Dialog::of_request(&request, "alices").unwrap())
    }

    #[test]
    fn the_ends_go_through_the_same_elements_in_opposite_order() {
        // The element next to Alice has put itself on top.
        let (mut bobs, mut alices) = ends(&[loose("far"), loose("near")]);
        let refresh = bobs.request(Method::Subscribe);
        assert_eq!(refresh.headers.route, [loose("near"), loose("far")]);
        assert_eq!(refresh.uri, user("alice", "a.host"));
        assert_eq!(bobs.next_hop(), &loose("near").uri);
        let notify = alices.request(Method::Notify);
        assert_eq!(notify.headers.route, [loose("far"), loose("near")]);
        assert_eq!(notify.uri, user("bob", "b.host"));
        // The SUBSCRIBE had 7; Alice counts on her own.
        assert_eq!((refresh.headers.cseq, notify.headers.cseq), (8, 1));
        assert!(alices.includes(&refresh.headers) && bobs.includes(&notify.headers));
        assert!(!alices.includes(&notify.headers));
    }

    #[test]
    fn without_record_route_requests_go_to_the_contact() {
        let (mut bobs, _) = ends(&[]);
        assert_eq!(bobs.next_hop(), &user("alice", "a.host"));
        assert_eq!(bobs.request(Method::Bye).headers.route, []);
    }

    #[test]
    fn a_strict_router_is_asked_itself() {
        let (mut bobs, _) = ends(&[loose("far"), strict("near")]);
        let request = bobs.request(Method::Subscribe);
        assert_eq!(request.uri, strict("near").uri);
        let target = NameAddress::of(user("alice", "a.host"));
        assert_eq!(request.headers.route, [loose("far"), target]);
        assert_eq!(bobs.next_hop(), &strict("near").uri);
    }

    #[test]
    fn a_later_request_replaces_the_target_but_not_the_routes() {
        let (mut bobs, mut alices) = ends(&[loose("proxy")]);
        let mut refresh = bobs.request(Method::Subscribe);
        refresh.headers.record_route = vec![loose("other")];
        refresh.headers.contact = Contacts::one(Contact::of(user("bob", "new.host")));
        assert_eq!(alices.receive(&refresh), Ok(()));
        assert_eq!(alices.target(), &user("bob", "new.host"));
        assert_eq!(alices.routes(), [loose("proxy")]);
        let mut answer = accept(&refresh);
        answer.headers.contact = Contacts::one(Contact::of(user("alice", "new.host")));
        bobs.confirm(&answer);
        assert_eq!(bobs.target(), &user("alice", "new.host"));
    }

    #[test]
    fn a_request_out_of_order_is_refused() {
        let (mut bobs, mut alices) = ends(&[]);
        let (eighth, ninth) = (bobs.request(Method::Subscribe), bobs.request(Method::Subscribe));
        assert_eq!(alices.receive(&ninth), Ok(()));
        assert_eq!(alices.receive(&eighth), Err(Status::SERVER_ERROR));
    }

    #[test]
    fn a_notify_ahead_of_the_2xx_makes_the_same_dialog() {
        let routes = [loose("far"), loose("near")];
        let request = subscribe(&routes);
        let (bobs, mut alices) = ends(&routes);
        // On its way to Bob, each proxy puts itself on top: far, then near.
        let mut notify = alices.request(Method::Notify);
        notify.headers.record_route = vec![loose("near"), loose("far")];
        notify.headers.contact = Contacts::one(Contact::of(user("alice", "a.host")));
        let early = Dialog::of_request(&notify, "bobs").unwrap().has_sent(request.headers.cseq);
        assert_eq!(early, Dialog { remote_cseq: Some(1), ..bobs });
    }

    #[test]
    fn a_message_without_tag_or_contact_makes_no_dialog() {
        let mut request = subscribe(&[]);
        let mut response = accept(&request);
        response.headers.to.tag = None;
        assert_eq!(Dialog::of_response(&response), None);
        request.headers.contact = Contacts::None;
        assert_eq!(Dialog::of_request(&request, "alices"), None);
    }
}
