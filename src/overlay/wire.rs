//! What the messages of every plug-in are made of: a header, contacts, identifiers, records, and
//! their octets.
//!
//! Integers are big-endian. An identifier has `L` octets (`ceil(id_bits / 8)`), left-aligned when
//! `id_bits` is no multiple of 8. A contact is an identifier, an IPv4 address (4) and a port (2). A
//! list is its length (1) and its contacts; an optional contact is a list of none or one. A record
//! is its key, version (8), seconds of life (4), length of the value (2), value. Which message is
//! made of what stands in the plug-in's codec.

use smallvec::SmallVec;
use thiserror::Error;

use super::records::{Verdict, WireRecord};
use crate::address::{Address, Endpoint, Port};
use crate::overlay::{Contact, Facts, NodeRef, OverlayId, RingId};

/// Octets of kind and header.
pub const HEADER: u32 = 4;
/// Octets of an overlay's identity.
pub const OVERLAY: u32 = 4;
/// Octets of a list's length.
pub const COUNT: u32 = 1;

/// Octets of a contact.
#[must_use]
pub fn contact_len(header: Header) -> u32 {
    u32::from(header.id_octets()) + 6
}

/// Octets of a list of so many contacts.
#[must_use]
pub fn contacts_len(header: Header, count: usize) -> u32 {
    COUNT + count as u32 * contact_len(header)
}

/// Octets of a record.
#[must_use]
pub fn record_len(header: Header, record: &WireRecord) -> u32 {
    u32::from(header.id_octets()) + 14 + record.value.len() as u32
}

/// A list of contacts in a message.
pub type NodeList = SmallVec<[NodeRef; 8]>;

/// What a request or its answer is labelled with, by its sender; answers repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpcId(u16);

impl RpcId {
    /// Bits that travel.
    pub const BITS: u32 = 12;

    /// The identifier with these bits, of which the lower 12 count.
    #[must_use]
    pub const fn new(bits: u16) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

/// What every message carries, in three octets: length of identifiers in octets (5 bits), whether
/// it serves the overlay itself rather than an application (1), hops so far (6), [`RpcId`] (12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header(u32);

impl Header {
    /// A header without hops.
    #[must_use]
    #[inline]
    pub const fn new(id_octets: u8, maintenance: bool, rpc: RpcId) -> Self {
        Self(((id_octets as u32) << 19) | ((maintenance as u32) << 18) | rpc.0 as u32)
    }

    /// From the wire; `None` if the length of identifiers is not 1 to 20.
    #[must_use]
    pub const fn from_octets([a, b, c]: [u8; 3]) -> Option<Self> {
        let header = Self(u32::from_be_bytes([0, a, b, c]));
        let length = header.id_octets();
        if length >= 1 && length <= 20 { Some(header) } else { None }
    }

    /// As on the wire.
    #[must_use]
    #[inline]
    pub const fn octets(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// Octets of an identifier.
    #[must_use]
    #[inline]
    pub const fn id_octets(self) -> u8 {
        (self.0 >> 19) as u8
    }

    /// Whether it serves the overlay itself.
    #[must_use]
    #[inline]
    pub const fn maintenance(self) -> bool {
        self.0 & (1 << 18) != 0
    }

    /// Hops so far.
    #[must_use]
    #[inline]
    pub const fn hops(self) -> u8 {
        (self.0 >> 12) as u8 & 63
    }

    /// The request's label.
    #[must_use]
    #[inline]
    pub const fn rpc(self) -> RpcId {
        RpcId::new(self.0 as u16)
    }

    /// The same with another count of hops, below 64.
    #[must_use]
    #[inline]
    pub const fn with_hops(self, hops: u8) -> Self {
        Self((self.0 & !(63 << 12)) | ((hops as u32 & 63) << 12))
    }

    /// The header with these bits, of which the lower 24 count.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & 0x00ff_ffff)
    }

    /// Its bits, in the lower 24.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

/// Why octets are no message of the plug-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// They end inside a field.
    #[error("{missing} octets are missing at octet {at}")]
    Truncated {
        /// Where the field begins.
        at: usize,
        /// How many more it needs.
        missing: usize,
    },
    /// They go on after the message.
    #[error("{0} octets follow the message")]
    Trailing(usize),
    /// No message has this kind.
    #[error("no message has kind {0}")]
    Kind(u8),
    /// The length of identifiers is not 1 to 20 octets.
    #[error("identifiers of {0} octets; 1 to 20 are possible")]
    IdLength(u8),
    /// An identifier says more than the 64 bits that a position keeps.
    #[error("an identifier uses bits after the 64th")]
    LongId,
    /// A list is longer than its message permits.
    #[error("a list of {got} contacts where at most {most} are possible")]
    ListLength {
        /// Its length.
        got: usize,
        /// The most.
        most: usize,
    },
    /// No errand has this number.
    #[error("no errand has number {0}")]
    Errand(u8),
    /// A request's label is longer than 12 bits.
    #[error("{0:#06x} is no label: labels have 12 bits")]
    Label(u16),
    /// No verdict has this number.
    #[error("no verdict has number {0}")]
    Verdict(u8),
}

/// Writes one message.
#[derive(Debug)]
pub(crate) struct Writer<'a, F> {
    octets: Vec<u8>,
    id_octets: usize,
    facts: &'a F,
}

impl<'a, F: Facts> Writer<'a, F> {
    /// A message of this kind.
    pub(crate) fn new(kind: u8, header: Header, facts: &'a F) -> Self {
        let mut octets = vec![kind];
        octets.extend(header.octets());
        Self { octets, id_octets: usize::from(header.id_octets()), facts }
    }

    /// The octets of the message.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.octets
    }

    /// Raw octets.
    pub(crate) fn octets(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self
    }

    /// An overlay's identity.
    pub(crate) fn overlay(self, overlay: OverlayId) -> Self {
        self.octets(&overlay.0.to_be_bytes())
    }

    /// An identifier.
    pub(crate) fn id(self, id: RingId) -> Self {
        let mut whole = [0; 20];
        whole[..8].copy_from_slice(&id.0.to_be_bytes());
        let length = self.id_octets;
        self.octets(&whole[..length])
    }

    /// A contact.
    pub(crate) fn contact(self, node: NodeRef) -> Self {
        let Contact { id, endpoint } = self.facts.contact(node);
        self.id(id)
            .octets(&endpoint.address.bits().to_be_bytes())
            .octets(&endpoint.port.0.to_be_bytes())
    }

    /// A list of contacts.
    pub(crate) fn list(self, nodes: &[NodeRef]) -> Self {
        let count = u8::try_from(nodes.len()).expect("a list has at most 255 contacts");
        let writer = self.octets(&[count]);
        nodes.iter().fold(writer, |writer, &node| writer.contact(node))
    }

    /// A record.
    pub(crate) fn record(self, record: &WireRecord) -> Self {
        let length = u16::try_from(record.value.len()).expect("a value fits a datagram");
        self.id(record.key)
            .octets(&record.version.to_be_bytes())
            .octets(&record.lifetime.to_be_bytes())
            .octets(&length.to_be_bytes())
            .octets(&record.value)
    }

    /// A batch of records.
    pub(crate) fn records(self, records: &[WireRecord]) -> Self {
        let count = u16::try_from(records.len()).expect("a batch fits a datagram");
        records.iter().fold(self.octets(&count.to_be_bytes()), Self::record)
    }
}

/// Reads one message.
#[derive(Debug)]
pub(crate) struct Reader<'a, I> {
    octets: &'a [u8],
    at: usize,
    id_octets: usize,
    intern: &'a mut I,
}

impl<'a, I: FnMut(Contact) -> NodeRef> Reader<'a, I> {
    /// Begins a message: its kind and header. `intern` gives the reference of each contact in it.
    pub(crate) fn open(
        octets: &'a [u8],
        intern: &'a mut I,
    ) -> Result<(u8, Header, Self), DecodeError> {
        let mut reader = Self { octets, at: 0, id_octets: 0, intern };
        let [kind, first, second, third] = reader.take()?;
        let header =
            Header::from_octets([first, second, third]).ok_or(DecodeError::IdLength(first >> 3))?;
        reader.id_octets = usize::from(header.id_octets());
        Ok((kind, header, reader))
    }

    /// Ends a message: nothing may follow.
    pub(crate) fn close<M>(self, message: M) -> Result<M, DecodeError> {
        match self.octets.len() - self.at {
            0 => Ok(message),
            rest => Err(DecodeError::Trailing(rest)),
        }
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let at = self.at;
        let rest = &self.octets[at..];
        if rest.len() < length {
            return Err(DecodeError::Truncated { at, missing: length - rest.len() });
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// The next octets.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut octets = [0; N];
        octets.copy_from_slice(self.slice(N)?);
        Ok(octets)
    }

    /// An overlay's identity.
    pub(crate) fn overlay(&mut self) -> Result<OverlayId, DecodeError> {
        Ok(OverlayId(u32::from_be_bytes(self.take()?)))
    }

    /// An identifier.
    pub(crate) fn id(&mut self) -> Result<RingId, DecodeError> {
        let octets = self.slice(self.id_octets)?;
        let (kept, lost) = octets.split_at(octets.len().min(8));
        if lost.iter().any(|&octet| octet != 0) {
            return Err(DecodeError::LongId);
        }
        let mut whole = [0; 8];
        whole[..kept.len()].copy_from_slice(kept);
        Ok(RingId(u64::from_be_bytes(whole)))
    }

    /// A contact.
    pub(crate) fn contact(&mut self) -> Result<NodeRef, DecodeError> {
        let id = self.id()?;
        let address = Address::from_bits(u32::from_be_bytes(self.take()?));
        let port = Port(u16::from_be_bytes(self.take()?));
        Ok((self.intern)(Contact { id, endpoint: Endpoint { address, port } }))
    }

    /// A list of at most so many contacts.
    pub(crate) fn list(&mut self, most: usize) -> Result<NodeList, DecodeError> {
        let [got] = self.take()?;
        let got = usize::from(got);
        if got > most {
            return Err(DecodeError::ListLength { got, most });
        }
        (0..got).map(|_| self.contact()).collect()
    }

    /// A list of none or one.
    pub(crate) fn optional(&mut self) -> Result<Option<NodeRef>, DecodeError> {
        Ok(self.list(1)?.first().copied())
    }

    /// What an owner says to a record.
    pub(crate) fn verdict(&mut self) -> Result<Verdict, DecodeError> {
        match self.take()? {
            [0] => Ok(Verdict::Stored),
            [1] => Ok(Verdict::Outdated),
            [other] => Err(DecodeError::Verdict(other)),
        }
    }

    /// A record.
    pub(crate) fn record(&mut self) -> Result<WireRecord, DecodeError> {
        let key = self.id()?;
        let version = u64::from_be_bytes(self.take()?);
        let lifetime = u32::from_be_bytes(self.take()?);
        let length = u16::from_be_bytes(self.take()?);
        let value = self.slice(usize::from(length))?.into();
        Ok(WireRecord { key, version, lifetime, value })
    }

    /// A batch of records.
    pub(crate) fn records(&mut self) -> Result<Vec<WireRecord>, DecodeError> {
        let count = u16::from_be_bytes(self.take()?);
        (0..count).map(|_| self.record()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_do_not_touch_each_other() {
        for (octets, maintenance, hops, rpc) in
            [(1, false, 0, 0), (20, true, 63, 4095), (20, false, 33, 1), (8, true, 1, 0xabc)]
        {
            let header = Header::new(octets, maintenance, RpcId::new(rpc)).with_hops(hops);
            assert_eq!(header.id_octets(), octets);
            assert_eq!(header.maintenance(), maintenance);
            assert_eq!(header.hops(), hops);
            assert_eq!(header.rpc().bits(), rpc);
            assert_eq!(header.with_hops(0).with_hops(hops), header);
        }
    }
}
