//! Positions on the ring, and the one table of all contacts.
//!
//! Routing tables hold [`NodeRef`]s, four octets each; what a contact *is*, its identifier and its
//! endpoint, never changes and stands once in the [`Directory`]. A node that comes back with
//! another address is another contact. That a reference stands for identifier and address together
//! is how a message's contact fields travel inside the simulator; nobody learns more from it than
//! the octets on the wire would tell.

use std::fmt;
use std::num::NonZeroU32;

use thiserror::Error;

use crate::address::Endpoint;
use crate::sim::Lift;

/// A position on the identifier ring: the top 64 bits of an identifier, left-aligned. With
/// `id_bits` below 64 the rest is zero; with more, all identifiers agree in the bits below (zero),
/// which is a legal ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingId(pub u64);

impl RingId {
    /// How far one walks clockwise from here to `to`.
    #[must_use]
    #[inline]
    pub const fn distance_to(self, to: Self) -> u64 {
        to.0.wrapping_sub(self.0)
    }

    /// The position `distance` further clockwise.
    #[must_use]
    #[inline]
    pub const fn plus(self, distance: u64) -> Self {
        Self(self.0.wrapping_add(distance))
    }

    /// Whether it lies in the open interval (`from`, `to`), clockwise; the whole ring but `from`
    /// when both are the same.
    #[must_use]
    #[inline]
    pub const fn is_between(self, from: Self, to: Self) -> bool {
        // A full turn is 2^64; minus one stands for distances 1 .. 2^64 - 1.
        let (here, end) = (from.distance_to(self), from.distance_to(to));
        here != 0 && (here < end || end == 0)
    }

    /// Whether it lies in (`from`, `to`], clockwise; the whole ring when both are the same.
    #[must_use]
    #[inline]
    pub const fn is_owned_by(self, from: Self, to: Self) -> bool {
        from.distance_to(self).wrapping_sub(1) <= from.distance_to(to).wrapping_sub(1)
    }

    /// The position that an identifier of `id_bits` bits with these leading bits has.
    #[must_use]
    pub const fn from_hash(hash: u64, id_bits: u8) -> Self {
        if id_bits >= 64 {
            return Self(hash);
        }
        Self(hash & !(u64::MAX >> id_bits))
    }
}

impl fmt::Display for RingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A contact, by its place in the [`Directory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeRef(NonZeroU32);

impl NodeRef {
    /// The contact at this place.
    ///
    /// # Panics
    /// When `index` is `u32::MAX`.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.checked_add(index).expect("fewer than 2^32 - 1 contacts"))
    }

    /// The place.
    #[must_use]
    #[inline]
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

/// Who can be reached where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// The position on the ring.
    pub id: RingId,
    /// Address and port.
    pub endpoint: Endpoint,
}

/// Two nodes have the same position, so there is no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "two members have the identifier {id}: draw identifiers anew, or more than {id_bits} bits of them"
)]
pub struct SameId {
    /// The position.
    pub id: RingId,
    /// The length of identifiers.
    pub id_bits: u8,
}

/// Answers what a [`NodeRef`] stands for.
pub trait Facts {
    /// The contact.
    fn contact(&self, node: NodeRef) -> Contact;
}

/// All contacts of a run, append only.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    contacts: Vec<Contact>,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub const fn new() -> Self {
        Self { contacts: Vec::new() }
    }

    /// Enters a contact; the caller remembers its reference and enters it once.
    ///
    /// # Panics
    /// After 2^32 - 1 contacts.
    pub fn add(&mut self, contact: Contact) -> NodeRef {
        let index = u32::try_from(self.contacts.len()).expect("fewer than 2^32 contacts");
        self.contacts.push(contact);
        NodeRef::new(index)
    }

    /// How many contacts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }
}

impl Facts for Directory {
    #[inline]
    fn contact(&self, node: NodeRef) -> Contact {
        self.contacts[node.index() as usize]
    }
}

impl<C: Facts, M, T, O> Facts for Lift<'_, C, M, T, O> {
    #[inline]
    fn contact(&self, node: NodeRef) -> Contact {
        self.host().contact(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_wrap_and_coinciding_ends_mean_the_whole_ring() {
        // (key, from, to, in the open interval, in the half-open one)
        let table = [
            (5, 3, 8, true, true),
            (3, 3, 8, false, false),
            (8, 3, 8, false, true),
            (1, u64::MAX - 1, 4, true, true),
            (u64::MAX, u64::MAX - 1, 4, true, true),
            (6, u64::MAX - 1, 4, false, false),
            (7, 7, 7, false, true),
            (8, 7, 7, true, true),
            (6, 7, 7, true, true),
        ];
        for (key, from, to, open, owned) in table {
            let (key, from, to) = (RingId(key), RingId(from), RingId(to));
            assert_eq!(key.is_between(from, to), open, "{key} in ({from}, {to})");
            assert_eq!(key.is_owned_by(from, to), owned, "{key} in ({from}, {to}]");
        }
    }

    #[test]
    fn a_short_identifier_occupies_the_top_bits() {
        assert_eq!(RingId::from_hash(u64::MAX, 8), RingId(0xff00_0000_0000_0000));
        assert_eq!(RingId::from_hash(u64::MAX, 64), RingId(u64::MAX));
        assert_eq!(RingId::from_hash(u64::MAX, 160), RingId(u64::MAX));
    }

    #[test]
    fn a_reference_fits_four_octets_even_when_absent() {
        assert_eq!(size_of::<Option<NodeRef>>(), 4);
        assert_eq!(size_of::<Contact>(), 16);
        assert_eq!(NodeRef::new(7).index(), 7);
    }
}
