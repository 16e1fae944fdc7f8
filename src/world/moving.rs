//! Hosts that get another address while they are up (A10): by the script, by chance, or as recorded.
//!
//! From one moment to the next the host is somewhere else: what is on its way to the former address
//! is lost. Its node goes on, in the same life, and notices after a while, as by an event of the
//! interface; a node that starts again before that knows its address.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::overcord::node::Moved;
use crate::rng::Draws;
use crate::rng::sample::exponential_from_bits;
use crate::time::{SimDuration, SimTime};
use crate::world::World;
use crate::world::director::{Command, Strategy};
use crate::world::observation::Observation;
use crate::world::population::MemberId;

/// How addresses of running hosts change.
#[derive(Clone, Debug)]
pub struct AddressChanges {
    /// How long it takes until a node notices.
    pub noticed_after: SimDuration,
    /// When, beside the script.
    pub source: Source,
    /// The coming moments of each member, for who knows the future.
    foreseen: BTreeMap<MemberId, Vec<SimTime>>,
}

impl AddressChanges {
    /// Those of this source, none of which is foreseen yet.
    #[must_use]
    pub const fn new(noticed_after: SimDuration, source: Source) -> Self {
        Self { noticed_after, source, foreseen: BTreeMap::new() }
    }

    /// When a member's address will change next, if that is not the script's.
    pub(super) fn next_of(&self, id: MemberId, now: SimTime) -> Option<SimTime> {
        let moments = self.foreseen.get(&id)?;
        moments.iter().copied().filter(|&at| at > now).min()
    }
}

/// When addresses change.
#[derive(Clone, Debug)]
pub enum Source {
    /// When the script says so.
    Script,
    /// At the moments of a Poisson process of each member; one that is down then gets none.
    Drawn {
        /// The mean time between two.
        mean: SimDuration,
        /// By name and the time of the last one: whoever else is there, and whatever happens.
        draws: Draws,
    },
    /// At these moments, if the member is up.
    Recorded(Vec<(SimTime, MemberId)>),
}

impl World {
    /// Plans the changes that are not the script's.
    pub(super) fn schedule_address_changes(&mut self) {
        match self.address_changes.source.clone() {
            Source::Script => {}
            Source::Drawn { .. } => {
                let ids: Vec<MemberId> = self.population.ids().collect();
                for id in ids {
                    let number = self.director.number(Command::AddressExpires(id));
                    self.expect_address_change(id, number);
                }
            }
            Source::Recorded(changes) => {
                for (at, id) in changes {
                    self.command_member(id, at, Command::ChangeAddress(id));
                    self.foresee(id, at);
                }
            }
        }
    }

    /// Plans the next change of a member's address; `number` is that of the command.
    fn expect_address_change(&mut self, id: MemberId, number: u32) {
        let Source::Drawn { mean, draws } = &self.address_changes.source else { return };
        let (now, member) = (self.network.now(), &self.population.members[id.index()]);
        let bits = draws.bits(member.name.0, now.as_nanos());
        let gap = SimDuration::from_secs_f64(exponential_from_bits(bits, mean.as_secs_f64()));
        let at = now.saturating_add(gap);
        self.network.command(at, member.host, number);
        self.address_changes.foreseen.remove(&id);
        self.foresee(id, at);
    }

    /// Notes a change for who knows the future.
    fn foresee(&mut self, id: MemberId, at: SimTime) {
        if matches!(self.director.strategy, Strategy::Clairvoyant(_)) {
            self.address_changes.foreseen.entry(id).or_default().push(at);
        }
    }

    /// The time of an address is over, by chance; so will be that of the next one.
    pub(super) fn address_expires(&mut self, id: MemberId, number: u32) {
        self.change_address(id);
        self.expect_address_change(id, number);
    }

    /// A member gets the next free address, if it is up.
    pub(super) fn change_address(&mut self, id: MemberId) {
        let member = &self.population.members[id.index()];
        if !member.is_up() || member.is_server() {
            return;
        }
        let host = member.host;
        let address = self.population.give_address(id, &mut self.stage.directory);
        self.network.readdress(host, address);
        if let Some(checkers) = &mut self.stage.checkers {
            checkers.ring.excuse();
        }
        self.tell(host, &Observation::Readdressed(address));
        let after = self.address_changes.noticed_after;
        if after.is_zero() {
            return self.notice_address(id, address);
        }
        let at = self.network.now().saturating_add(after);
        self.command_member(id, at, Command::NoticeAddress(id, address));
    }

    /// A member's node notices this address, if its host still has it.
    pub(super) fn notice_address(&mut self, id: MemberId, address: Address) {
        let member = self.population.members[id.index()].clone();
        let knows = self.node_mut(id).plugin.dht.me() == member.contact;
        if !member.is_up() || member.address != address || knows {
            return;
        }
        let others = self.others_of(id);
        let dht = self.population.kit.plugin(&member, &self.stage.directory);
        let moved = Moved { own: address, dht, others };
        self.with_node(member.host, |node, ctx| node.readdress(ctx, moved));
    }
}
