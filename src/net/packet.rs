//! A datagram inside an event, and the place of what is too large for one.

use std::collections::BTreeMap;

use crate::address::{Address, Endpoint, Port};
use crate::net::Words;
use crate::net::ledger::Cell;
use crate::sim::Parcel;

/// A datagram inside an event: 28 octets.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) port: Port,
    pub(super) booked: Booked,
    words: Words,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug)]
pub enum Carried {
    /// A message that travels inline.
    Hot(Words),
    /// One that is in the slab.
    Cold(ColdId),
}

impl Packet {
    #[inline(always)]
    pub(super) fn hot(from: Address, to: Endpoint, booked: Booked, words: Words) -> Self {
        Self { from, to: to.address, port: to.port, booked, words }
    }

    pub(super) fn cold(from: Address, to: Endpoint, ColdId(id): ColdId) -> Self {
        let (booked, words) = (Booked::ELSEWHERE, Words(u64::from(id), 0));
        Self { from, to: to.address, port: to.port, booked, words }
    }

    /// The port that it was sent to.
    #[must_use]
    pub const fn port(&self) -> Port {
        self.port
    }

    /// What it carries.
    #[must_use]
    #[inline(always)]
    pub fn carried(&self) -> Carried {
        if self.booked == Booked::ELSEWHERE {
            return Carried::Cold(ColdId(self.words.0 as u32));
        }
        Carried::Hot(self.words)
    }
}

impl Parcel for Packet {
    #[inline(always)]
    fn into_words(self) -> [u32; 7] {
        let Self { from, to, port, booked, words: Words(a, b) } = self;
        let first = (u32::from(booked.0) << 16) | u32::from(port.0);
        let half = |word: u64| (word as u32, (word >> 32) as u32);
        let ((a, b), (c, d)) = (half(a), half(b));
        [first, from.bits(), to.bits(), a, b, c, d]
    }

    #[inline(always)]
    fn from_words([first, from, to, a, b, c, d]: [u32; 7]) -> Self {
        let whole = |low: u32, high: u32| (u64::from(high) << 32) | u64::from(low);
        Self {
            from: Address::from_bits(from),
            to: Address::from_bits(to),
            port: Port(first as u16),
            booked: Booked((first >> 16) as u16),
            words: Words(whole(a, b), whole(c, d)),
        }
    }
}

/// How a message that travels inline was booked when it was sent, to be booked again when it
/// arrives: a cell of the ledger and up to 511 octets, more than none. It fits where the packet
/// has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Booked(u16);

impl Booked {
    const BYTES_BITS: u32 = u16::BITS - Cell::BITS;
    /// Stands in a packet whose message is in the slab, which is asked itself: no octets, and yet
    /// not zero, which is no message.
    pub(super) const ELSEWHERE: Self = Self(1 << Self::BYTES_BITS);

    #[inline(always)]
    pub(super) fn new(cell: Cell, bytes: u32) -> Self {
        let is_short = (1..1 << Self::BYTES_BITS).contains(&bytes);
        assert!(is_short, "what travels inline is short");
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
    /// The ports that messages come from, where a translator has given them others.
    sources: BTreeMap<u32, Port>,
}

impl<P> Default for Slab<P> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), sources: BTreeMap::new() }
    }
}

impl<P> Slab<P> {
    /// Keeps a message, with the port that it comes from if that is not its own.
    pub(super) fn insert(&mut self, message: P, source: Option<Port>) -> ColdId {
        let id = self.place(message);
        if let Some(source) = source {
            self.sources.insert(id.0, source);
        }
        id
    }

    /// The port that a message comes from, if that is not its own.
    pub(super) fn source(&self, id: ColdId) -> Option<Port> {
        self.sources.get(&id.0).copied()
    }

    /// The same, as it is taken out.
    pub(super) fn take_source(&mut self, id: ColdId) -> Option<Port> {
        self.sources.remove(&id.0)
    }

    fn place(&mut self, message: P) -> ColdId {
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
