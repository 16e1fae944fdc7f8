//! The bounds: takeover by command. Neither sends a message; what remains is what caches do.
//!
//! `oracle` lets a member take over, and publishes it, at the instant of departure. `clairvoyant`
//! knows when the proxy peer will leave, or get another address (by its schedule, by the script, as
//! drawn or recorded), and publishes a successor one TTL ahead; the successor is one who will stay for
//! longer where it is. Both choose
//! uniformly among the members of the main overlay, from the churn stream.

use crate::sim::HostId;
use crate::time::SimTime;
use crate::world::World;
use crate::world::director::{Command, Strategy};
use crate::world::observation::Observation;
use crate::world::population::{MemberId, Presence};

impl World {
    /// Acts on what has just happened, where the strategy is one of command.
    #[inline]
    pub(super) fn direct(&mut self) {
        if matches!(self.director.strategy, Strategy::Oracle | Strategy::Clairvoyant(_)) {
            self.take_over_if_departed();
        }
    }

    #[inline(never)]
    fn take_over_if_departed(&mut self) {
        if self.director.permanent.is_none() || self.stage.truth.binding_is_valid() {
            return;
        }
        let members = self.stage.truth.candidates();
        let candidates = self.eligible(members.filter_map(|host| self.director.member_on(host)));
        let Some(id) = self.director.choose(&candidates) else { return };
        let host = self.population.members[id.index()].host;
        // Whoever still believes to play the role is no valid proxy peer: it is told.
        let believers: Vec<HostId> = self.stage.truth.proxy_hosts().collect();
        for believer in believers.into_iter().filter(|&believer| believer != host) {
            self.let_give_up(believer);
        }
        self.hand_over_to(id);
    }

    /// Plans the succession of whoever is in the binding now.
    pub(super) fn expect_departure_from_binding(&mut self) {
        let host = self.stage.truth.binding_host();
        if let Some(id) = host.and_then(|host| self.member_on(host)) {
            self.expect_departure(id);
        }
    }

    fn hand_over_to(&mut self, id: MemberId) {
        self.let_play(id);
        self.publish(self.population.members[id.index()].address);
        self.expect_departure(id);
    }

    /// When a member that is up will leave its address, as far as schedule and script say, and what is
    /// known of changes of addresses.
    fn leave_of(&self, id: MemberId) -> SimTime {
        let scheduled = match self.population.members[id.index()].presence {
            Presence::Scheduled(_, interval) => interval.until,
            Presence::From(_) | Presence::Server => SimTime::MAX,
        };
        let now = self.network.now();
        let scripted = self.director.scripted_leave(id, now).map(|(at, _)| at);
        let moves = self.address_changes.next_of(id, now);
        [scripted, moves].into_iter().flatten().fold(scheduled, SimTime::min)
    }

    /// Plans the succession of a member that has just become the proxy peer.
    pub(super) fn expect_departure(&mut self, id: MemberId) {
        let Strategy::Clairvoyant(lead) = self.director.strategy else { return };
        let leave = self.leave_of(id);
        if leave == SimTime::MAX {
            return;
        }
        let at = SimTime::from_nanos(leave.as_nanos().saturating_sub(lead.as_nanos()));
        let at = at.max(self.network.now());
        self.command_member(id, at, Command::Succeed(id, leave));
    }

    /// Chooses and publishes a successor of a member that leaves at `leave`.
    pub(super) fn succeed(&mut self, id: MemberId, leave: SimTime) {
        let host = self.population.members[id.index()].host;
        let still = self.stage.truth.binding_host() == Some(host) && self.leave_of(id) == leave;
        if !still {
            return;
        }
        if let Some((at, line)) = self.director.scripted_leave(id, self.network.now())
            && at == leave
        {
            self.director.fixed[line] = Some(id);
        }
        let outlives = |other: MemberId| other != id && self.leave_of(other) > leave;
        let members = self.stage.truth.candidates().filter_map(|host| self.member_on(host));
        let candidates = self.eligible(members.filter(|&other| outlives(other)));
        let Some(successor) = self.director.choose(&candidates) else { return };
        self.tell(host, &Observation::ProxyRetiring);
        self.hand_over_to(successor);
    }
}
