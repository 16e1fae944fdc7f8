//! The destination blocklist of SER and Kamailio (`use_dst_blocklist`, off by default): places
//! that gave no answer are not tried again for a while (`dst_blocklist_expire`, 60 s).
//!
//! As in `tm` by default, only the time-out of an INVITE puts a place on the list
//! (`blst_methods_add`), and every request but BYE is kept from it (`blst_methods_lookup`). An
//! ICMP error or a 503 puts nothing on it. The list is of one server and known to all its workers.

use crate::address::Endpoint;
use crate::sip::message::Method;
use crate::time::{SimDuration, SimTime};

/// The list.
#[derive(Clone, Debug)]
pub struct Blocklist {
    expire: SimDuration,
    /// Each place at most once, with when it is tried again.
    entries: Vec<(Endpoint, SimTime)>,
}

impl Default for Blocklist {
    fn default() -> Self {
        Self::new(Self::EXPIRE)
    }
}

impl Blocklist {
    /// `dst_blocklist_expire`.
    pub const EXPIRE: SimDuration = SimDuration::from_secs(60);

    /// An empty list, from which a place comes off after this time.
    #[must_use]
    pub const fn new(expire: SimDuration) -> Self {
        Self { expire, entries: Vec::new() }
    }

    /// A request of this method got no answer at all from this place.
    pub fn timed_out(&mut self, now: SimTime, method: &Method, to: Endpoint) {
        if *method == Method::Invite {
            self.entries.retain(|&(place, until)| place != to && now < until);
            self.entries.push((to, now.saturating_add(self.expire)));
        }
    }

    /// Whether a request of this method is kept from this place now.
    #[must_use]
    pub fn blocks(&self, now: SimTime, method: &Method, to: Endpoint) -> bool {
        let listed = || self.entries.iter().any(|&(place, until)| place == to && now < until);
        *method != Method::Bye && listed()
    }

    /// The places that a request of this method may go to now, in their order; possibly none.
    #[must_use]
    pub fn admitted(
        &self,
        now: SimTime,
        method: &Method,
        mut places: Vec<Endpoint>,
    ) -> Vec<Endpoint> {
        places.retain(|&place| !self.blocks(now, method, place));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Address, Port};

    #[test]
    fn a_place_is_left_out_for_a_minute_after_an_invite_timed_out_there() {
        let [one, two] = [1, 2].map(|bits| Address::from_bits(bits).at(Port::SIP));
        let at = SimTime::from_secs;
        let mut list = Blocklist::default();
        list.timed_out(at(5), &Method::Message, one);
        assert!(!list.blocks(at(5), &Method::Invite, one), "only INVITE counts");
        list.timed_out(at(10), &Method::Invite, one);
        for (now, method, blocked) in [
            (at(10), Method::Invite, true),
            (at(69), Method::Message, true),
            (at(69), Method::Bye, false),
            (at(70), Method::Invite, false),
        ] {
            let admitted = list.admitted(now, &method, vec![one, two]);
            assert_eq!(admitted, if blocked { vec![two] } else { vec![one, two] }, "{method:?}");
            // The port belongs to the place.
            assert!(!list.blocks(now, &method, one.address.at(Port(5061))));
        }
        // Another time-out begins the minute anew, and nothing is listed twice.
        list.timed_out(at(40), &Method::Invite, one);
        assert_eq!(list.entries.len(), 1);
        assert!(list.blocks(at(99), &Method::Invite, one));
        assert!(!list.blocks(at(100), &Method::Invite, one));
    }
}
