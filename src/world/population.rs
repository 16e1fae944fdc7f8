//! The members: who they are, how long they stay, and what a node is made of when it starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use crate::address::{Address, Endpoint, Port};
use crate::churn::{HostChurn, Interval, Schedule};
use crate::dns::ApplicationCache;
use crate::dns::application_cache::Life;
use crate::dns::stub::Stub;
use crate::overcord::embedded::{self, EmbeddedServer};
use crate::overcord::handover::{Handover, Settings};
use crate::overcord::policy::HostFirewall;
use crate::overcord::user_agent::{self, UserAgent};
use crate::overlay::{Contact, Directory, Facts, NodeRef, Plugin, plugin};
use crate::rng::{Dice, Draws, NameHash, Purpose, mix2, stream};
use crate::sim::HostId;
use crate::time::SimTime;

/// A member, by its place in [`Population::members`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u32);

impl MemberId {
    /// The place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The address of a host that returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnAddress {
    /// The one it had.
    Same,
    /// The next free one.
    New,
}

/// Why a member is up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It comes and goes by the schedule.
    Scheduled(HostChurn, Interval),
    /// It starts once, and stays until the script says otherwise.
    From(SimTime),
    /// It is the peer inside of a conventional server: up from the start, until the script says
    /// otherwise, and none of the population.
    Server,
}

/// One member.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its host.
    pub host: HostId,
    /// The hash of its name, which its luck hangs on.
    pub name: NameHash,
    /// Why it is up or down.
    pub presence: Presence,
    /// The address that it has, or had last.
    pub address: Address,
    /// Its contact under that address.
    pub contact: NodeRef,
    /// Until when the script keeps it down; `None` when it does not.
    pub held_until: Option<SimTime>,
    /// Where it stands while it is up.
    up: Option<Standing>,
    /// How often it has started.
    pub starts: u32,
}

/// Where a member stands that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// At this place among the population that is up.
    Among(u32),
    /// Beside the population: the peer inside of a conventional server.
    Beside,
}

/// All members.
#[derive(Debug)]
pub struct Population {
    /// By [`MemberId`]: generated ones first, then named ones, then the peers inside of conventional
    /// servers, each by rank of name.
    pub members: Vec<Member>,
    /// When the generated ones are up.
    pub schedule: Schedule,
    /// The address of a member that returns.
    pub return_address: ReturnAddress,
    /// The next address that nobody has had.
    pub next_address: Address,
    /// What nodes are made of.
    pub kit: Kit,
    /// Those that are up, in an order that hangs on who came and went, and when.
    up: Vec<MemberId>,
    begun: bool,
}

/// What nodes are made of.
#[derive(Debug)]
pub struct Kit {
    /// The plug-in and its parameters.
    pub plugin: plugin::Config,
    /// The handover's, if the scenario has one.
    pub handover: Option<Arc<Settings>>,
    /// How long an application keeps an address.
    pub application_cache: Life,
    /// What the packet filters of members' hosts do that do not answer.
    pub firewalls: BTreeMap<MemberId, HostFirewall>,
    /// The resolvers of each member, by [`MemberId`]; empty without DNS.
    pub servers: Vec<Arc<[Endpoint]>>,
    /// How user agents are set up, if there is SIP.
    pub user_agents: Option<Arc<user_agent::Settings>>,
    /// What members are to the relay, if there is one.
    pub relays: BTreeMap<MemberId, user_agent::relay::Part>,
    /// How conventional servers are set up that embed a peer, by the member that this is.
    pub embedded: BTreeMap<MemberId, embedded::Settings>,
    /// Draws of protocols.
    pub draws: Draws,
}

impl Kit {
    /// The dice of one part of a node; each start of the node has others.
    #[must_use]
    pub fn dice(&self, member: &Member, part: u64) -> Dice {
        let entity = mix2(member.name.0, mix2(part, u64::from(member.starts)));
        Dice::new(self.draws, NameHash(entity))
    }

    /// The plug-in of a node that is in no overlay yet.
    #[must_use]
    pub fn plugin(&self, member: &Member, facts: &impl Facts) -> Plugin {
        let id = facts.contact(member.contact).id;
        self.plugin.node(member.contact, id)
    }

    /// The handover part of a node that starts, if the scenario has one.
    #[must_use]
    pub fn handover(&self, id: MemberId, member: &Member) -> Option<Handover> {
        let settings = Arc::clone(self.handover.as_ref().filter(|_| !member.is_server())?);
        let stub = Stub::new(Arc::clone(&self.servers[id.index()]), self.dice(member, 1));
        let negative = if self.application_cache == Life::Off { Life::Off } else { Life::NEGATIVE };
        let cache = ApplicationCache::new(self.application_cache, negative);
        let handover = Handover::new(settings, member.address, stub, cache, self.dice(member, 2));
        Some(handover.behind(self.firewalls.get(&id).copied().unwrap_or_default()))
    }
}

impl Kit {
    /// The agent of a member's user, if it has one.
    #[must_use]
    pub fn user_agent(
        &self,
        id: MemberId,
        member: &Member,
        user: Option<&Arc<str>>,
    ) -> Option<UserAgent> {
        let settings = Arc::clone(self.user_agents.as_ref()?);
        let stub = Stub::new(Arc::clone(&self.servers[id.index()]), self.dice(member, 3));
        Some(UserAgent::new(user_agent::Parts {
            settings,
            user: Arc::clone(user?),
            own: member.address,
            stub,
            relay: self.relays.get(&id).copied(),
            dice: [4, 5, 6, 7, 8, 15, 16].map(|part| self.dice(member, part)),
        }))
    }

    /// The conventional server that a member is embedded in, if it is.
    #[must_use]
    pub fn server(&self, id: MemberId, member: &Member) -> Option<EmbeddedServer> {
        let mut settings = self.embedded.get(&id)?.clone();
        settings.server.stub =
            Stub::new(Arc::clone(&self.servers[id.index()]), self.dice(member, 9));
        settings.server.dice = [10, 11, 12, 13, 14].map(|part| self.dice(member, part));
        Some(EmbeddedServer::new(settings))
    }
}

impl Member {
    /// A member that has never been up.
    #[must_use]
    pub fn new(
        host: HostId,
        name: NameHash,
        presence: Presence,
        address: Address,
        contact: NodeRef,
    ) -> Self {
        Self { host, name, presence, address, contact, held_until: None, up: None, starts: 0 }
    }

    /// Whether the script keeps it down.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held_until.is_some()
    }

    /// Whether it is the peer inside of a conventional server.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.presence == Presence::Server
    }

    /// Whether it is up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.is_some()
    }
}

impl Population {
    /// A population of which nobody is up.
    #[must_use]
    pub fn new(
        members: Vec<Member>,
        schedule: Schedule,
        return_address: ReturnAddress,
        next_address: Address,
        kit: Kit,
    ) -> Self {
        let (up, begun) = (Vec::new(), false);
        Self { members, schedule, return_address, next_address, kit, up, begun }
    }

    /// The population that is up; the peers inside of conventional servers stand beside it.
    #[must_use]
    pub fn up(&self) -> &[MemberId] {
        &self.up
    }

    /// The peers inside of conventional servers.
    pub fn servers(&self) -> impl Iterator<Item = &Member> {
        // They stand last.
        self.members.iter().rev().take_while(|member| member.is_server())
    }

    /// Whether anybody has ever been up.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// A member starts.
    pub fn rise(&mut self, id: MemberId) {
        let member = &mut self.members[id.index()];
        assert!(member.up.is_none(), "a member that is up does not start");
        member.starts += 1;
        self.begun = true;
        if member.presence == Presence::Server {
            member.up = Some(Standing::Beside);
            return;
        }
        member.up = Some(Standing::Among(self.up.len() as u32));
        self.up.push(id);
    }

    /// A member goes.
    pub fn fall(&mut self, id: MemberId) {
        let standing = self.members[id.index()].up.take().expect("a member that goes was up");
        let Standing::Among(place) = standing else { return };
        self.up.swap_remove(place as usize);
        if let Some(&moved) = self.up.get(place as usize) {
            self.members[moved.index()].up = Some(Standing::Among(place));
        }
    }

    /// All member ids.
    pub fn ids(&self) -> impl Iterator<Item = MemberId> + use<> {
        (0..self.members.len() as u32).map(MemberId)
    }

    /// Gives a member that starts again the address that it is due, with the contact for it.
    pub fn readdress(&mut self, id: MemberId, directory: &mut Directory) {
        let returns = self.members[id.index()].starts > 0;
        let moves = !self.members[id.index()].is_server();
        if returns && moves && self.return_address == ReturnAddress::New {
            self.give_address(id, directory);
        }
    }

    /// Gives a member the next address that nobody has had, with a contact for it.
    pub fn give_address(&mut self, id: MemberId, directory: &mut Directory) -> Address {
        let member = &mut self.members[id.index()];
        member.address = self.next_address;
        self.next_address = Address::from_bits(self.next_address.bits() + 1);
        let endpoint = member.address.at(Port::OVERLAY);
        let position = directory.contact(member.contact).id;
        member.contact = directory.add(Contact { id: position, endpoint });
        member.address
    }

    /// A stream for set-up draws that concern one member.
    #[must_use]
    pub fn setup_stream(&self, id: MemberId, seed: u64) -> ChaCha8Rng {
        stream(seed, Purpose::Setup, self.members[id.index()].name)
    }
}
