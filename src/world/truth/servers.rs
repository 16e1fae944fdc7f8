//! The name servers of the overlay's domain, as an observer asks them.
//!
//! Where the domain has secondaries, *the binding* is what the observer's own name server serves: the
//! first in the order in which its resolvers ask them that it reaches and that does not fail. So a
//! secondary that lags behind departs later than the primary, and has the new address later. The
//! binding of the main truth is the primary's.

use super::{DepartureKind, Truth};
use crate::sim::HostId;
use crate::world::observation::Answer;

/// What each name server serves, in the order in which they are asked.
#[derive(Debug)]
pub(super) struct Servers {
    order: Vec<(HostId, Answer)>,
}

impl Servers {
    /// These, none of which knows an address; without any, whoever says that it serves is the one.
    pub(super) fn new(hosts: Vec<HostId>) -> Self {
        Self { order: hosts.into_iter().map(|host| (host, Answer::Negative)).collect() }
    }

    /// Notes what a server serves from now on; its place, if it is asked at all.
    fn note(&mut self, host: HostId, answer: &Answer) -> Option<usize> {
        if self.order.is_empty() {
            self.order.push((host, answer.clone()));
            return Some(0);
        }
        let place = self.order.iter().position(|(other, _)| *other == host)?;
        self.order[place].1.clone_from(answer);
        Some(place)
    }

    /// Whom the observer gets its answer from: nobody when it reaches none.
    fn asked(&self, reaches: impl Fn(HostId) -> bool) -> Option<usize> {
        let reached = |&place: &usize| reaches(self.order[place].0);
        let answers = |&place: &usize| self.order[place].1 != Answer::Failure;
        let mut places = (0..self.order.len()).filter(reached);
        let first = places.clone().next();
        places.find(answers).or(first)
    }
}

impl Truth {
    /// A name server serves this from now on.
    pub(super) fn served_by(&mut self, host: HostId, answer: &Answer) {
        let Some(place) = self.servers.note(host, answer) else { return };
        self.reach_authority();
        let asked = self.servers.asked(|host| self.reaches(host)).unwrap_or(0);
        if asked == place {
            return self.serve(answer);
        }
        // Who loses a datagram asks another server, so this one's answers are about as well.
        if let Some(set) = self.set_of(answer) {
            self.addresses.serve(self.now, set);
        }
        self.turn_to_server(asked);
    }

    /// The observer's name server serves this from now on.
    fn serve(&mut self, answer: &Answer) {
        self.binding.clone_from(answer);
        let (set, before) = (self.set_of(answer), self.resolvers.served());
        let was_valid = self.binding_valid();
        if let Some(set) = set {
            self.addresses.serve(self.now, set);
        }
        self.resolvers.serve(self.now, set, &self.addresses);
        self.claims.served(set, &self.addresses);
        self.measure_binding();
        let members = set.map_or_else(Vec::new, |set| self.addresses.members(set).to_vec());
        let unborn = !members.iter().any(|&member| self.addresses.ever_valid(member));
        if was_valid && !self.binding_valid() {
            self.depart(DepartureKind::Overwritten, &members);
        } else if set.is_some() && set != before && unborn {
            self.depart(DepartureKind::Unborn, &members);
        }
        // A change from one valid set to another concerns no caller: a chain that ends at the
        // authority is as valid as the binding.
        if was_valid != self.binding_valid() {
            self.refresh_callers();
        }
    }

    /// Looks again whether the observer reaches a name server that answers.
    pub(super) fn reach_authority(&mut self) {
        let asked = self.servers.asked(|host| self.reaches(host));
        let answers = |place: usize| self.servers.order[place].1 != Answer::Failure;
        let reaches = asked.is_some_and(answers) || self.servers.order.is_empty();
        self.resolvers.reach_authority(self.now, reaches, &mut self.addresses);
    }

    /// Looks again which name server the observer reaches.
    pub(super) fn turn_to_reached_server(&mut self) {
        if !self.servers.order.is_empty() {
            let asked = self.servers.asked(|host| self.reaches(host));
            self.turn_to_server(asked.unwrap_or(0));
        }
    }

    fn turn_to_server(&mut self, place: usize) {
        let answer = self.servers.order[place].1.clone();
        if answer != self.binding {
            self.serve(&answer);
        }
    }

    /// Whether one of several name servers serves a valid address.
    pub(super) fn any_server_is_valid(&self) -> bool {
        self.servers.order.len() > 1
            && self.servers.order.iter().any(|(_, answer)| self.first_valid(answer).is_some())
    }
}
