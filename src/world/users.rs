//! The users of SIP: who they are, and what they do when.
//!
//! The agents of conventional users live on phones, those of members on their nodes. What a
//! generated user does is drawn from streams keyed by the user's name and what is done, so that it
//! is the same under every strategy. Whom it concerns is drawn from the members that are up at the
//! moment; those hang on churn alone, unless the script lets the proxy peer depart.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::address::Address;
use crate::rng::sample::{exponential, uniform_u64};
use crate::sim::HostId;
use crate::sip::agent::Action;
use crate::sip::{HostPart, Uri};
use crate::time::{SimDuration, SimTime};
use crate::workload::ArrivalTimes;
use crate::world::World;
use crate::world::director::Command;
use crate::world::host::{Host, as_node, as_phone};
use crate::world::population::MemberId;

/// What generated users write.
const TEXT: &str = "Can you hear me?";

/// All users, and what they do.
#[derive(Debug, Default)]
pub struct Users {
    /// The phones of conventional users.
    pub phones: Vec<PhoneSite>,
    /// What generated users do again and again.
    pub actors: Vec<Actor>,
    /// The users of members, by member; none without SIP.
    pub members: Vec<Arc<str>>,
    /// The domain of the overlay's users.
    pub domain: Option<HostPart>,
}

/// Where a phone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhoneSite {
    /// Its host.
    pub host: HostId,
    /// Its address.
    pub address: Address,
    /// When it is switched on, and registers.
    pub start: SimTime,
}

/// One thing that a user does again and again.
#[derive(Debug)]
pub struct Actor {
    /// The host of the user's agent.
    pub host: HostId,
    /// When.
    pub arrivals: ArrivalTimes,
    /// What.
    pub doing: Doing,
    /// Whether only members that are up are addressed.
    pub online: bool,
    /// Whom, and for how long.
    pub rng: ChaCha8Rng,
}

/// What is done again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Instant messages are sent.
    Messages,
    /// Calls are made, which last so long on average.
    Calls(SimDuration),
    /// Presence is subscribed to and kept for so long.
    Subscriptions(SimDuration),
    /// Members that are up, any of them each time, send instant messages to one of these users.
    Outbound(Arc<[Uri]>),
}

impl Users {
    /// The hosts of the overlay's users by their names.
    #[must_use]
    pub fn by_name(&self, hosts: impl Fn(MemberId) -> HostId) -> BTreeMap<Arc<str>, HostId> {
        let members = (0..).map(MemberId).zip(&self.members);
        members.map(|(id, user)| (Arc::clone(user), hosts(id))).collect()
    }
}

impl World {
    /// Phones come, and users begin to act.
    pub(super) fn open_users(&mut self) {
        for phone in 0..self.users.phones.len() {
            let PhoneSite { host, start, .. } = self.users.phones[phone];
            if start == SimTime::ZERO {
                self.start_phone(phone);
            } else {
                let number = self.director.number(Command::StartPhone(phone as u32));
                self.network.command(start, host, number);
            }
        }
        for actor in 0..self.users.actors.len() {
            let number = self.director.number(Command::Act(actor as u32));
            let first = self.users.actors[actor].arrivals.first(SimTime::ZERO);
            self.network.command(first, self.users.actors[actor].host, number);
        }
    }

    /// A phone is switched on and registers.
    pub(super) fn start_phone(&mut self, phone: usize) {
        let PhoneSite { host, address, .. } = self.users.phones[phone];
        self.network.bring_up(host, address);
        self.act(host, Action::Register);
    }

    /// A generated user acts, and will again; `number` is that of the command.
    pub(super) fn generated_act(&mut self, actor: usize, number: u32) {
        let now = self.network.now();
        let members = self.users.members.len() as u64;
        let one = &mut self.users.actors[actor];
        let next = one.arrivals.next(now);
        let host = one.host;
        self.network.command(next, host, number);
        let up = self.population.up();
        let pool = if one.online { up.len() as u64 } else { members };
        let Some(last) = pool.checked_sub(1) else { return };
        let place = uniform_u64(&mut one.rng, 0, last) as usize;
        let member = if one.online { up[place] } else { MemberId(place as u32) };
        if let Doing::Outbound(users) = &one.doing {
            let whom = uniform_u64(&mut one.rng, 0, users.len() as u64 - 1) as usize;
            let action = Action::Message { to: users[whom].clone(), text: TEXT.into() };
            return self.act(self.population.members[member.index()].host, action);
        }
        let user = &self.users.members[member.index()];
        let domain = self.users.domain.clone().expect("members with users have a domain");
        let to = Uri::of_user(user, domain);
        let action = match &one.doing {
            Doing::Messages => Action::Message { to, text: TEXT.into() },
            Doing::Calls(mean) => {
                let talk = exponential(&mut one.rng, mean.as_secs_f64());
                Action::Call { to, talk: SimDuration::from_secs_f64(talk) }
            }
            Doing::Subscriptions(keep) => Action::Subscribe { to, keep: Some(*keep) },
            Doing::Outbound(_) => unreachable!("such an actor has acted"),
        };
        self.act(host, action);
    }

    /// The user whose agent lives on a host does something, if the host is up.
    pub(super) fn act(&mut self, host: HostId, action: Action) {
        if self.network.address(host).is_none() {
            return;
        }
        let mut link = self.network.link(host, &mut self.stage);
        match &mut self.hosts[host.index()] {
            Host::Phone(phone) => phone.act(&mut as_phone(&mut link), action),
            Host::Node(node) => node.act(&mut as_node(&mut link), action),
            other => unreachable!("users live on phones and nodes, not on {other:?}"),
        }
    }
}
