//! A datagram inside an event, and the place of what is too large for one.

use crate::address::{Address, Port};
use crate::net::Packed;
use crate::net::ledger::Cell;

/// A datagram inside an event.
#[derive(Clone, Copy, Debug)]
pub struct Packet<H> {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) port: Port,
    /// Of what travels inline.
    pub(super) booked: Booked,
    pub(super) carried: Packed<H, ColdId>,
}

/// How a message that travels inline was booked when it was sent, to be booked again when it
/// arrives: a cell of the ledger and up to 1,023 octets. It fits where the packet has room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Booked(u16);

impl Booked {
    const BYTES_BITS: u32 = u16::BITS - Cell::BITS;
    /// Stands in a packet whose message is in the slab, which is asked itself.
    pub(super) const ELSEWHERE: Self = Self(0);

    #[inline]
    pub(super) fn new(cell: Cell, bytes: u32) -> Self {
        assert!(bytes >> Self::BYTES_BITS == 0, "what travels inline is short");
        Self((u16::from(cell.bits()) << Self::BYTES_BITS) | bytes as u16)
    }

    #[inline]
    pub(super) fn cell(self) -> Cell {
        Cell::from_bits((self.0 >> Self::BYTES_BITS) as u8)
    }

    #[inline]
    pub(super) fn bytes(self) -> u32 {
        u32::from(self.0) & ((1 << Self::BYTES_BITS) - 1)
    }
}

/// A message's place in the slab.
#[derive(Clone, Copy, Debug)]
pub struct ColdId(u32);

/// Messages too large to travel inside an event.
#[derive(Debug)]
pub(super) struct Slab<P> {
    places: Vec<Option<P>>,
    free: Vec<u32>,
}

impl<P> Default for Slab<P> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<P> Slab<P> {
    pub(super) fn insert(&mut self, message: P) -> ColdId {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(message);
            return ColdId(place);
        }
        self.places.push(Some(message));
        ColdId(u32::try_from(self.places.len() - 1).expect("fewer than 2^32 messages in flight"))
    }

    pub(super) fn take(&mut self, id: ColdId) -> P {
        self.free.push(id.0);
        self.places[id.0 as usize].take().expect("a message in the slab is delivered once")
    }

    pub(super) fn get(&self, id: ColdId) -> &P {
        self.places[id.0 as usize].as_ref().expect("a message in the slab is not delivered yet")
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
