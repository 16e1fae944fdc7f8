//! The way of a SUBSCRIBE or NOTIFY through the network: what it was to pass, whom it reached, and
//! how it ended.

use std::fmt::Write as _;

use super::Way;
use super::exchange::outcome_in_words;
use crate::address::Address;
use crate::sim::HostId;
use crate::sip::agent::{Cause, Outcome};
use crate::sip::{HostPart, Method, NameAddress, Request};
use crate::time::SimTime;

/// A request of a user agent, as far as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Its method.
    pub method: Method,
    /// Why it was sent.
    pub cause: Cause,
    /// When it began.
    pub began: SimTime,
    /// What its `Route` names, as it left the user agent.
    routes: Vec<HostPart>,
    /// The host of its Request-URI, as it left the user agent.
    target: Option<HostPart>,
    /// Whom it reached, or was sent to, one after the other.
    hops: Vec<Way>,
    /// How it ended.
    pub ended: Option<(SimTime, Outcome)>,
}

impl Trip {
    /// A request that begins.
    #[must_use]
    pub fn new(method: Method, cause: Cause, began: SimTime) -> Self {
        let (routes, hops) = (Vec::new(), Vec::new());
        Self { method, cause, began, routes, target: None, hops, ended: None }
    }

    /// It, or a copy of it, has come one hop further.
    pub fn pass(&mut self, way: Way, request: &Request) {
        if self.hops.is_empty() {
            let host = |entry: &NameAddress| Some(entry.uri.sip()?.host.clone());
            self.routes = request.headers.route.iter().filter_map(host).collect();
            self.target = request.uri.sip().map(|uri| uri.host.clone());
        }
        match self.hops.iter_mut().find(|hop| (hop.from, hop.address) == (way.from, way.address)) {
            // A retransmission.
            Some(hop) => hop.is_gone = way.is_gone,
            None => self.hops.push(way),
        }
    }

    /// Whether it was granted.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        matches!(self.ended, Some((_, Outcome::Status(status))) if status.is_success())
    }

    /// How it went, in words that follow "its SUBSCRIBE": the way, and the end.
    #[must_use]
    pub fn in_words(&self, name: &dyn Fn(HostId) -> String) -> String {
        let end = match self.ended {
            Some((_, outcome)) => outcome_in_words(outcome),
            None => "was not answered before the run ended".to_owned(),
        };
        let place = |hop: &Way| format!("{} ({})", hop.address, name(hop.to));
        if let Some(lost) = self.hops.iter().find(|hop| hop.is_gone) {
            return format!("{end}, since {} is gone", self.why_there(lost.address, &place(lost)));
        }
        let mut text = String::new();
        match &self.hops[..] {
            [] => {}
            [only] => {
                let _ = write!(text, "went straight to {} and ", place(only));
            }
            [between @ .., last] => {
                let between: Vec<_> = between.iter().map(place).collect();
                let _ = write!(text, "went by {} to {} and ", between.join(", "), place(last));
            }
        }
        text + &end
    }

    /// Why it was sent to an address.
    fn why_there(&self, address: Address, place: &str) -> String {
        let there = HostPart::Address(address);
        if self.routes.contains(&there) {
            format!("its route set names {place}, which")
        } else if self.target.as_ref() == Some(&there) {
            format!("its target is {place}, which")
        } else {
            format!("it was sent on to {place}, which")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Headers, Status, Uri};

    fn address(last: u32) -> Address {
        Address::from_bits(0x0a00_0000 + last)
    }

    /// A SUBSCRIBE from host 0 to that target through those routes.
    fn request(routes: &[Address], target: Address) -> Request {
        let uri = Uri::of_user("bob", HostPart::Address(target));
        let end = NameAddress::of(uri.clone());
        let mut headers = Headers::new(end.clone(), end, "call".into(), 2);
        let route = |at: &Address| NameAddress::of(Uri::loose_route(HostPart::Address(*at)));
        headers.route = routes.iter().map(route).collect();
        Request { method: Method::Subscribe, uri, headers, body: [].into() }
    }

    fn told(request: &Request, hops: &[(u32, bool)], end: Option<Outcome>) -> String {
        let mut trip = Trip::new(Method::Subscribe, Cause::Refresh, SimTime::ZERO);
        let mut from = HostId(0);
        for &(to, is_gone) in hops {
            let way = Way { from, to: HostId(to), address: address(to), is_gone };
            trip.pass(way, request);
            trip.pass(way, request);
            from = HostId(to);
        }
        trip.ended = end.map(|outcome| (SimTime::from_secs(1), outcome));
        trip.in_words(&|host| format!("host-{}", host.0))
    }

    #[test]
    fn the_way_and_the_end_are_told() {
        let ok = Some(Outcome::Status(Status::OK));
        let request = request(&[address(1), address(3)], address(2));
        for (hops, end, expected) in [
            (vec![(2, false)], ok, "went straight to 10.0.0.2 (host-2) and was answered 200"),
            (
                vec![(1, false), (2, false)],
                ok,
                "went by 10.0.0.1 (host-1) to 10.0.0.2 (host-2) and was answered 200",
            ),
            (
                vec![(1, false), (3, true)],
                Some(Outcome::Timeout),
                "timed out, since its route set names 10.0.0.3 (host-3), which is gone",
            ),
            (
                vec![(1, false), (2, true)],
                Some(Outcome::Status(Status::REQUEST_TIMEOUT)),
                "was answered 408, since its target is 10.0.0.2 (host-2), which is gone",
            ),
            (
                vec![(1, false), (4, true)],
                None,
                "was not answered before the run ended, since it was sent on to 10.0.0.4 (host-4), \
                 which is gone",
            ),
            (vec![], Some(Outcome::Unlocated), "had nowhere to go"),
        ] {
            assert_eq!(told(&request, &hops, end), expected);
        }
    }
}
