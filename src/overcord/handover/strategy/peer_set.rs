//! A set of proxy peers in the order of preference.

use crate::address::Address;

/// Some proxy peers, the preferred one first, each once; at most [`PeerSet::MOST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerSet {
    count: u8,
    peers: [Address; Self::MOST],
}

impl PeerSet {
    /// No set has more peers than these: an answer with them fits an unfragmented datagram.
    pub const MOST: usize = 8;

    /// A set of one.
    #[must_use]
    pub fn of(peer: Address) -> Self {
        Self::default().with(peer)
    }

    /// The first of these peers; what is beyond [`PeerSet::MOST`] is left out.
    #[must_use]
    pub fn of_all(peers: impl IntoIterator<Item = Address>) -> Self {
        peers.into_iter().fold(Self::default(), Self::with)
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> usize {
        self.count as usize
    }

    /// Whether there is nobody.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }

    /// In their order.
    pub fn iter(self) -> impl Iterator<Item = Address> {
        self.peers.into_iter().take(self.len())
    }

    /// The preferred one.
    #[must_use]
    pub fn first(self) -> Option<Address> {
        self.iter().next()
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn contains(self, peer: Address) -> bool {
        self.iter().any(|other| other == peer)
    }

    /// With this one at the end, unless it is there or the set is full.
    #[must_use]
    pub fn with(mut self, peer: Address) -> Self {
        if !self.contains(peer) && self.len() < Self::MOST {
            self.peers[self.len()] = peer;
            self.count += 1;
        }
        self
    }

    /// Without this one.
    #[must_use]
    pub fn without(self, peer: Address) -> Self {
        Self::of_all(self.iter().filter(|&other| other != peer))
    }

    /// With one peer in another's place.
    #[must_use]
    pub fn replaced(self, peer: Address, by: Address) -> Self {
        Self::of_all(self.iter().map(|other| if other == peer { by } else { other }))
    }

    /// Who stands before this one; before the first stands the last.
    #[must_use]
    pub fn before(self, peer: Address) -> Option<Address> {
        let place = self.iter().position(|other| other == peer)?;
        self.iter().nth((place + self.len() - 1) % self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_stand_in_their_order_each_once() {
        let [a, b, c] = [1, 2, 3].map(Address::from_bits);
        let set = PeerSet::of_all([a, b, a, c]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [a, b, c]);
        assert_eq!([a, b, c].map(|peer| set.before(peer).unwrap()), [c, a, b]);
        assert_eq!(set.without(b).before(c), Some(a));
        assert_eq!(set.replaced(b, Address::from_bits(4)).before(c), Some(Address::from_bits(4)));
        assert_eq!((set.without(b).before(b), PeerSet::of(a).before(a)), (None, Some(a)));
        assert!(PeerSet::default().is_empty() && PeerSet::default().first().is_none());
        let many = PeerSet::of_all((0..20).map(Address::from_bits));
        assert_eq!(many.len(), PeerSet::MOST);
        assert!(!many.contains(Address::from_bits(8)));
    }
}
