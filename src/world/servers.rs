//! Conventional SIP servers that the script switches off and on. One that embeds a peer goes and
//! comes with it, as a [member](super::life).
//!
//! A server that comes back has its address, and no memory: neither bindings nor transactions, neither
//! subscriptions nor names.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Endpoint;
use crate::conventional::Server;
use crate::conventional::server::Settings;
use crate::dns::Stub;
use crate::rng::{Dice, Draws, NameHash, mix2};
use crate::sim::HostId;
use crate::time::{SimDuration, SimTime};
use crate::world::World;
use crate::world::director::Command;
use crate::world::host::Host;
use crate::world::observation::Observation;

/// How far apart the numbers of the dice of two lives of a server are.
const DICE: u64 = 16;

/// What servers are made of, by host.
pub type Servers = BTreeMap<HostId, Site>;

/// What a server is made of, and what the script does with it.
#[derive(Debug)]
pub struct Site {
    /// How it is set up; the dice and the stub are those of its first life.
    pub settings: Settings,
    /// The hash of its name, which its luck hangs on.
    pub name: NameHash,
    /// Draws of protocols.
    pub draws: Draws,
    /// The resolvers that it asks.
    pub resolvers: Arc<[Endpoint]>,
    /// How often it has come back.
    pub returns: u64,
    /// Until when the script keeps it off.
    pub held_until: SimTime,
}

impl Site {
    /// A server that is on from the start.
    #[must_use]
    pub fn new(
        settings: Settings,
        name: NameHash,
        draws: Draws,
        resolvers: Arc<[Endpoint]>,
    ) -> Self {
        Self { settings, name, draws, resolvers, returns: 0, held_until: SimTime::ZERO }
    }

    /// The dice of one of its parts in its present life.
    #[must_use]
    pub fn dice(&self, part: u64) -> Dice {
        let part = part + DICE * self.returns;
        Dice::new(self.draws, NameHash(mix2(self.name.0, part)))
    }

    /// The server as it comes back.
    fn anew(&mut self) -> Server {
        self.returns += 1;
        let stub = Stub::new(Arc::clone(&self.resolvers), self.dice(0));
        let dice = [1, 2, 3, 4, 5].map(|part| self.dice(part));
        Server::new(Settings { stub, dice, ..self.settings.clone() })
    }
}

impl World {
    /// The script switches a server off, for so long; `None`: until it is told otherwise. One that is
    /// off stays so for as long as any line says.
    pub(super) fn server_down(&mut self, host: HostId, back_after: Option<SimDuration>) {
        if self.network.address(host).is_some() {
            self.network.take_down(host);
            self.tell(host, &Observation::HostDown);
        }
        let now = self.network.now();
        let until = back_after.map_or(SimTime::MAX, |span| now.saturating_add(span));
        let site = self.servers.get_mut(&host).expect("the script was built from these servers");
        site.held_until = site.held_until.max(until);
        if let Some(span) = back_after {
            let number = self.director.number(Command::ServerUp);
            self.network.command(now.saturating_add(span), host, number);
        }
    }

    /// The script lets a server come back.
    pub(super) fn let_server_up(&mut self, host: HostId) {
        let now = self.network.now();
        self.servers.entry(host).and_modify(|site| site.held_until = now);
        self.server_up(host);
    }

    /// A server comes back, if it is off and may.
    pub(super) fn server_up(&mut self, host: HostId) {
        let now = self.network.now();
        let site = self.servers.get_mut(&host).expect("the script was built from these servers");
        if self.network.address(host).is_some() || site.held_until > now {
            return;
        }
        let address = site.settings.own;
        self.hosts[host.index()] = Host::Server(Box::new(site.anew()));
        self.network.bring_up(host, address);
        self.tell(host, &Observation::HostUp(address));
    }
}
