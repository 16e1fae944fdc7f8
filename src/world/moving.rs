//! Hosts that get another address while they are up (A10): by the script, by chance, or as recorded.
//!
//! From one moment to the next the host is somewhere else: what is on its way to the former address
//! is lost. Its node goes on, in the same life, and notices after a while, as by an event of the
//! interface; a node that starts again before that knows its address.

use crate::address::Address;
use crate::overcord::node::Moved;
use crate::time::SimDuration;
use crate::world::World;
use crate::world::director::{Command, Target};
use crate::world::observation::Observation;
use crate::world::population::MemberId;

/// How addresses of running hosts change, beside the script.
#[derive(Clone, Debug, Default)]
pub struct AddressChanges {
    /// How long it takes until a node notices.
    pub noticed_after: SimDuration,
}

impl World {
    /// The script gives these members other addresses.
    pub(super) fn change_addresses(&mut self, target: Target) {
        for id in self.targets(target, true) {
            self.change_address(id);
        }
    }

    /// A member gets the next free address, if it is up.
    fn change_address(&mut self, id: MemberId) {
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
