//! What the Director may ask while the run goes on.

use super::Truth;
use crate::address::Address;
use crate::sim::HostId;
use crate::time::SimDuration;
use crate::world::observation::{Answer, OverlayId};

impl Truth {
    /// What the authority serves.
    #[must_use]
    pub const fn binding(&self) -> &Answer {
        &self.binding
    }

    /// Whether the authority serves a valid address.
    #[must_use]
    pub fn binding_is_valid(&self) -> bool {
        self.has_valid(&self.binding)
    }

    /// The up host at the first address of the binding that is held by one.
    #[must_use]
    pub fn binding_host(&self) -> Option<HostId> {
        match &self.binding {
            Answer::Addresses(addresses) => {
                addresses.iter().find_map(|&address| self.overlays.holder(address))
            }
            Answer::Negative | Answer::Failure => None,
        }
    }

    /// Up hosts that believe that they play the proxy role, in whichever overlay, by identifier.
    pub fn proxy_hosts(&self) -> impl Iterator<Item = HostId> + '_ {
        self.overlays.proxies().iter().copied()
    }

    /// The valid addresses, by host.
    pub fn valid_addresses(&self) -> impl Iterator<Item = Address> + '_ {
        self.serving.values().copied()
    }

    /// Whether this address is valid now.
    #[must_use]
    pub fn is_valid(&self, address: Address) -> bool {
        self.addresses.is_valid(address)
    }

    /// Whether this answer has a valid address.
    #[must_use]
    pub fn has_valid(&self, answer: &Answer) -> bool {
        self.first_valid(answer).is_some()
    }

    /// The age of a stale answer given now: since the end of the address's last validity, or since
    /// it was first served if that is later; of several addresses, the least. `None` if the answer
    /// is valid, negative or a failure.
    #[must_use]
    pub fn stale_age(&mut self, answer: &Answer) -> Option<SimDuration> {
        let set = self.set_of(answer).filter(|&set| self.addresses.is_stale(set))?;
        Some(self.now.since(self.addresses.stale_since(set).unwrap_or(self.now)))
    }

    /// The main overlay: most members; of equals, the one that was seen first.
    #[must_use]
    pub fn main_overlay(&self) -> Option<OverlayId> {
        self.overlays.main()
    }

    /// Whether nobody reaches the ports of a proxy peer on this host.
    #[must_use]
    pub fn is_walled(&self, host: HostId) -> bool {
        self.walled.contains(&host)
    }

    /// The members of the main overlay, by identifier; looks at every host.
    pub fn main_members(&self) -> impl Iterator<Item = HostId> + '_ {
        self.overlays.members_of(self.overlays.main())
    }

    /// Those of them who would be valid as proxy peers.
    pub fn candidates(&self) -> impl Iterator<Item = HostId> + '_ {
        self.main_members().filter(|&host| self.reaches(host) && !self.is_walled(host))
    }

    /// The overlay that this host is a member of.
    #[must_use]
    pub fn overlay_of(&self, host: HostId) -> Option<OverlayId> {
        self.overlays.host(host).member
    }

    /// Whether this host is a member of any overlay.
    #[must_use]
    pub fn is_member(&self, host: HostId) -> bool {
        self.overlay_of(host).is_some()
    }

    /// How many members an overlay has.
    #[must_use]
    pub fn size_of(&self, overlay: OverlayId) -> u64 {
        self.overlays.size(overlay)
    }

    /// Full departures after the warm-up so far.
    #[must_use]
    pub const fn departures(&self) -> u64 {
        self.claims.full
    }
}
