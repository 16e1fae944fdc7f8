//! Hosts and the overlays that they are members of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::address::Address;
use crate::sim::HostId;
use crate::time::SimTime;
use crate::world::observation::OverlayId;

/// What is known about one host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Host {
    /// The address that it holds; `None` while it is down.
    pub(super) address: Option<Address>,
    pub(super) member: Option<OverlayId>,
    pub(super) proxy: bool,
    /// It plays the role until it leaves, which has been announced, or behind another.
    pub(super) retiring: bool,
    /// How often it has come up.
    lives: u32,
}

#[derive(Clone, Copy, Debug)]
struct Overlay {
    seen: SimTime,
    members: u64,
}

/// All hosts and overlays.
#[derive(Debug, Default)]
pub(super) struct Overlays {
    hosts: Vec<Host>,
    /// Who holds an address, or held it last. Never iterated.
    holders: FxHashMap<Address, HostId>,
    overlays: BTreeMap<OverlayId, Overlay>,
    /// Populated overlays, the main one first.
    ranking: BTreeSet<(Reverse<u64>, SimTime, OverlayId)>,
    proxies: BTreeSet<HostId>,
    /// How many of them are retiring.
    retiring: u64,
    members: u64,
}

impl Overlays {
    pub(super) fn host(&self, id: HostId) -> Host {
        self.hosts.get(id.index()).copied().unwrap_or_default()
    }

    fn host_mut(&mut self, id: HostId) -> &mut Host {
        if self.hosts.len() <= id.index() {
            self.hosts.resize(id.index() + 1, Host::default());
        }
        &mut self.hosts[id.index()]
    }

    pub(super) fn up(&mut self, id: HostId, address: Address) {
        let host = self.host_mut(id);
        // A host that is up and says so again has another address.
        host.lives += u32::from(host.address.is_none());
        host.address = Some(address);
        self.holders.insert(address, id);
    }

    pub(super) fn down(&mut self, now: SimTime, id: HostId) {
        self.join(now, id, None);
        self.play(id, false);
        self.host_mut(id).address = None;
    }

    /// Which life this host lives; `None` while it is down.
    pub(super) fn life(&self, id: HostId) -> Option<u32> {
        let host = self.host(id);
        host.address.map(|_| host.lives)
    }

    /// The host is a member of this overlay, or of none.
    pub(super) fn join(&mut self, now: SimTime, id: HostId, overlay: Option<OverlayId>) {
        let left = std::mem::replace(&mut self.host_mut(id).member, overlay);
        if left == overlay {
            return;
        }
        if let Some(left) = left {
            self.resize(now, left, -1);
        }
        if let Some(joined) = overlay {
            self.resize(now, joined, 1);
        }
    }

    fn resize(&mut self, now: SimTime, id: OverlayId, by: i64) {
        let overlay = self.overlays.entry(id).or_insert(Overlay { seen: now, members: 0 });
        self.ranking.remove(&(Reverse(overlay.members), overlay.seen, id));
        overlay.members = overlay.members.saturating_add_signed(by);
        if overlay.members > 0 {
            self.ranking.insert((Reverse(overlay.members), overlay.seen, id));
        }
        self.members = self.members.saturating_add_signed(by);
    }

    pub(super) fn play(&mut self, id: HostId, proxy: bool) {
        let host = self.host_mut(id);
        host.proxy = proxy;
        let was_retiring = std::mem::take(&mut host.retiring);
        self.retiring -= u64::from(was_retiring);
        if proxy {
            self.proxies.insert(id);
        } else {
            self.proxies.remove(&id);
        }
    }

    /// A proxy peer has announced that it will leave, or plays behind another.
    pub(super) fn retire(&mut self, id: HostId) {
        let host = self.host_mut(id);
        if host.proxy && !host.retiring {
            host.retiring = true;
            self.retiring += 1;
        }
    }

    /// How many hosts believe to be the proxy peer, announced leavers aside.
    pub(super) fn believers(&self) -> u64 {
        self.proxies.len() as u64 - self.retiring
    }

    /// Who they are.
    pub(super) fn steady_believers(&self) -> impl Iterator<Item = HostId> + '_ {
        self.proxies.iter().copied().filter(|&id| !self.host(id).retiring)
    }

    /// The overlay with most members; of several, the one that was seen first, then the one with
    /// the smaller identity.
    pub(super) fn main(&self) -> Option<OverlayId> {
        self.ranking.first().map(|&(_, _, id)| id)
    }

    /// The address at which this host is a valid proxy peer.
    pub(super) fn serves_at(&self, id: HostId) -> Option<Address> {
        let host = self.host(id);
        let in_main = host.member.is_some() && host.member == self.main();
        host.address.filter(|_| host.proxy && in_main)
    }

    /// The up host that holds this address.
    pub(super) fn holder(&self, address: Address) -> Option<HostId> {
        let holder = self.last_holder(address)?;
        (self.host(holder).address == Some(address)).then_some(holder)
    }

    /// The host that holds this address or held it last.
    pub(super) fn last_holder(&self, address: Address) -> Option<HostId> {
        self.holders.get(&address).copied()
    }

    pub(super) fn proxies(&self) -> &BTreeSet<HostId> {
        &self.proxies
    }

    pub(super) fn populated(&self) -> u64 {
        self.ranking.len() as u64
    }

    /// Members of all overlays.
    pub(super) fn members(&self) -> u64 {
        self.members
    }

    pub(super) fn size(&self, id: OverlayId) -> u64 {
        self.overlays.get(&id).map_or(0, |overlay| overlay.members)
    }

    pub(super) fn members_of(&self, id: Option<OverlayId>) -> impl Iterator<Item = HostId> + '_ {
        (0u32..)
            .zip(&self.hosts)
            .filter(move |(_, host)| id.is_some() && host.member == id)
            .map(|(index, _)| HostId(index))
    }
}
