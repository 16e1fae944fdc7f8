//! Holds the owner that a look-up found against the members that there are. An overlay that has
//! fallen apart finds an owner for every key, in each of its parts another one.
//!
//! The owner is the member closest to the key, by the plug-in's rule, of all up hosts that are
//! members of the asker's overlay. Overlays that were founded apart are right each for itself: that
//! they are several is told elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::overlay::RingId;
use crate::overlay::plugin::Kind;
use crate::sim::HostId;
use crate::world::observation::{Observation, OverlayId};

/// Who is a member, and where.
#[derive(Debug)]
pub struct Owners {
    kind: Kind,
    positions: BTreeMap<HostId, RingId>,
    memberships: BTreeMap<HostId, OverlayId>,
    members: BTreeMap<OverlayId, BTreeSet<RingId>>,
}

impl Owners {
    /// Of an overlay of this kind, in which hosts have these positions.
    #[must_use]
    pub fn new(kind: Kind, positions: impl IntoIterator<Item = (HostId, RingId)>) -> Self {
        let positions = positions.into_iter().collect();
        Self { kind, positions, memberships: BTreeMap::new(), members: BTreeMap::new() }
    }

    /// Something happened at a host.
    pub fn observe(&mut self, host: HostId, observation: &Observation) {
        let joined = match observation {
            Observation::Member(overlay) => Some(*overlay),
            Observation::NotMember | Observation::HostDown => None,
            _ => return,
        };
        let Some(&position) = self.positions.get(&host) else { return };
        if let Some(left) = self.memberships.remove(&host)
            && let Some(members) = self.members.get_mut(&left)
        {
            members.remove(&position);
        }
        if let Some(overlay) = joined {
            self.memberships.insert(host, overlay);
            self.members.entry(overlay).or_default().insert(position);
        }
    }

    /// Whether a look-up by this host found another than the owner.
    #[must_use]
    pub fn is_wrong(&self, asker: HostId, key: RingId, found: RingId) -> bool {
        let overlay = self.memberships.get(&asker).and_then(|it| self.members.get(it));
        overlay.is_some_and(|members| self.kind.owner_of(key, members) != Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_the_up_members_of_the_askers_overlay() {
        let hosts: Vec<HostId> = (0..4).map(HostId).collect();
        let place = |i: u64| RingId(i * 100);
        let places = hosts.iter().copied().zip((0..).map(place));
        let mut owners = Owners::new(Kind::Chord, places);
        let here = OverlayId(1);
        for &host in &hosts[..3] {
            owners.observe(host, &Observation::Member(here));
        }
        owners.observe(hosts[3], &Observation::Member(OverlayId(2)));
        let wrong = |owners: &Owners, asker: usize, found: u64| {
            owners.is_wrong(hosts[asker], RingId(150), place(found))
        };
        assert!(!wrong(&owners, 0, 2) && wrong(&owners, 0, 1) && wrong(&owners, 0, 3));
        assert!(!wrong(&owners, 3, 3), "of its own overlay");
        owners.observe(hosts[2], &Observation::HostDown);
        assert!(wrong(&owners, 0, 2) && !wrong(&owners, 0, 0), "the next one, once around");
        assert!(!wrong(&owners, 2, 1), "nobody's overlay");
        owners.observe(hosts[3], &Observation::Member(here));
        assert!(!wrong(&owners, 0, 3));
        owners.observe(hosts[3], &Observation::NotMember);
        assert!(wrong(&owners, 0, 3));
    }
}
