//! The bytes of Chord's messages.
//!
//! Integers are big-endian. `id` is an identifier of `L` octets (`ceil(id_bits / 8)`, left-aligned
//! when `id_bits` is no multiple of 8), `contact` is `id`, IPv4 address (4), port (2): `C = L + 6`
//! octets. `[contact]` is a list: its length (1), then the contacts; an optional contact is a list
//! of none or one. Every message begins with its kind (1) and three octets of header: 5 bits `L`,
//! 1 bit maintenance, 6 bits hops, 12 bits RPC identifier.
//!
//! | kind | message | after the 4 octets of header | octets |
//! |---|---|---|---|
//! | 1 | Ping | overlay (4) | 8 |
//! | 2 | Pong | | 4 |
//! | 3 | Stabilize | overlay (4) | 8 |
//! | 4 | Neighbours | \[predecessor\], \[successor\] | 6 + C each |
//! | 5 | Notify | contact, overlay (4) | 8 + C |
//! | 6 | NewSuccessor | contact, overlay (4) | 8 + C |
//! | 7 | Find | id, overlay (4) | 8 + L |
//! | 8 | Closer | \[contact\] | 5 + C each |
//! | 9 | Found | \[contact\] | 5 + C each |
//! | 10 | Route | id, contact of the origin | 4 + L + C |
//! | 11 | Join | contact | 4 + C |
//! | 12 | Refused | \[contact\] | 5 + C |
//! | 13 | Leaving | contact, \[neighbour\], overlay (4) | 9 + C + C |
//! | 14 | Fetch | id, overlay (4) | 8 + L |
//! | 15 | NoRecord | | 4 |
//! | 16 | StoreReply | verdict (1) | 5 |
//! | 32 | NeighbourList | \[predecessor\], \[contact\] | 6 + C each |
//! | 33 | Welcome | overlay (4), \[predecessor\], \[contact\] | 10 + C each |
//! | 34 | Store | overlay (4), record | 8 + record |
//! | 35 | Replicate | overlay (4), count (2), records | 10 + records |
//! | 36 | Fetched | record | 4 + record |
//!
//! A record is id, version (8), seconds of life (4), length of the value (2), value: `L + 14`
//! octets and the value.

use thiserror::Error;

use super::message::{Best, Header, Key, Large, Message, NodeList, Small, Verdict, WireRecord};
use crate::address::{Address, Endpoint, Port};
use crate::overlay::{Contact, Facts, NodeRef, OverlayId, RingId};

pub(super) const HEADER: u32 = 4;
pub(super) const OVERLAY: u32 = 4;
pub(super) const COUNT: u32 = 1;

/// Octets of an encoded [`Large`].
pub(super) fn large_len(large: &Large) -> u32 {
    let contacts =
        |header: Header, count: usize| COUNT + count as u32 * (u32::from(header.id_octets()) + 6);
    let record = |header: Header, record: &WireRecord| {
        u32::from(header.id_octets()) + 14 + record.value.len() as u32
    };
    HEADER
        + match large {
            Large::NeighbourList(header, predecessor, nodes) => {
                contacts(*header, predecessor.iter().len()) + contacts(*header, nodes.len())
            }
            Large::Welcome(header, _, predecessor, nodes) => {
                OVERLAY
                    + contacts(*header, predecessor.iter().len())
                    + contacts(*header, nodes.len())
            }
            Large::Store(header, _, one) => OVERLAY + record(*header, one),
            Large::Replicate(header, _, records) => {
                OVERLAY + 2 + records.iter().map(|one| record(*header, one)).sum::<u32>()
            }
            Large::Fetched(header, one) => record(*header, one),
        }
}

/// Why octets are no Chord message.
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
    /// No verdict has this number.
    #[error("no verdict has number {0}")]
    Verdict(u8),
}

/// The octets of a message.
#[must_use]
pub fn encode(message: &Message, facts: &impl Facts) -> Vec<u8> {
    match message {
        Message::Small(small) => encode_small(*small, facts),
        Message::Large(large) => encode_large(large, facts),
    }
}

fn encode_small(small: Small, facts: &impl Facts) -> Vec<u8> {
    let w = |kind, header| Writer::new(kind, header, facts);
    let writer = match small {
        Small::Ping(header, overlay) => w(1, header).overlay(overlay),
        Small::Pong(header) => w(2, header),
        Small::Stabilize(header, overlay) => w(3, header).overlay(overlay),
        Small::Neighbours(header, a, b) => w(4, header).list(a.as_slice()).list(b.as_slice()),
        Small::Notify(header, node, overlay) => w(5, header).contact(node).overlay(overlay),
        Small::NewSuccessor(header, node, overlay) => w(6, header).contact(node).overlay(overlay),
        Small::Find(header, key, overlay) => w(7, header).id(key.into()).overlay(overlay),
        Small::Closer(header, nodes) => w(8, header).best(nodes),
        Small::Found(header, nodes) => w(9, header).best(nodes),
        Small::Route(header, key, origin) => w(10, header).id(key.into()).contact(origin),
        Small::Join(header, node) => w(11, header).contact(node),
        Small::Refused(header, node) => w(12, header).list(node.as_slice()),
        Small::Leaving(header, node, other, overlay) => {
            w(13, header).contact(node).list(other.as_slice()).overlay(overlay)
        }
        Small::Fetch(header, key, overlay) => w(14, header).id(key.into()).overlay(overlay),
        Small::NoRecord(header) => w(15, header),
        Small::StoreReply(header, verdict) => w(16, header).octets(&[verdict as u8]),
    };
    writer.octets
}

fn encode_large(large: &Large, facts: &impl Facts) -> Vec<u8> {
    let w = |kind, header: &Header| Writer::new(kind, *header, facts);
    let writer = match large {
        Large::NeighbourList(header, predecessor, nodes) => {
            w(32, header).list(predecessor.as_slice()).list(nodes)
        }
        Large::Welcome(header, overlay, predecessor, nodes) => {
            w(33, header).overlay(*overlay).list(predecessor.as_slice()).list(nodes)
        }
        Large::Store(header, overlay, record) => w(34, header).overlay(*overlay).record(record),
        Large::Replicate(header, overlay, records) => {
            let count = u16::try_from(records.len()).expect("a batch fits a datagram");
            let writer = w(35, header).overlay(*overlay).octets(&count.to_be_bytes());
            records.iter().fold(writer, Writer::record)
        }
        Large::Fetched(header, record) => w(36, header).record(record),
    };
    writer.octets
}

struct Writer<'a, F> {
    octets: Vec<u8>,
    id_octets: usize,
    facts: &'a F,
}

impl<'a, F: Facts> Writer<'a, F> {
    fn new(kind: u8, header: Header, facts: &'a F) -> Self {
        let mut octets = vec![kind];
        octets.extend(header.octets());
        Self { octets, id_octets: usize::from(header.id_octets()), facts }
    }

    fn octets(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self
    }

    fn overlay(self, overlay: OverlayId) -> Self {
        self.octets(&overlay.0.to_be_bytes())
    }

    fn id(self, id: RingId) -> Self {
        let mut whole = [0; 20];
        whole[..8].copy_from_slice(&id.0.to_be_bytes());
        let length = self.id_octets;
        self.octets(&whole[..length])
    }

    fn contact(self, node: NodeRef) -> Self {
        let Contact { id, endpoint } = self.facts.contact(node);
        self.id(id)
            .octets(&endpoint.address.bits().to_be_bytes())
            .octets(&endpoint.port.0.to_be_bytes())
    }

    fn list(self, nodes: &[NodeRef]) -> Self {
        let count = u8::try_from(nodes.len()).expect("a successor list has at most 255 entries");
        let writer = self.octets(&[count]);
        nodes.iter().fold(writer, |writer, &node| writer.contact(node))
    }

    fn best(self, nodes: Best) -> Self {
        let nodes: NodeList = nodes.into_iter().flatten().collect();
        self.list(&nodes)
    }

    fn record(self, record: &WireRecord) -> Self {
        let length = u16::try_from(record.value.len()).expect("a value fits a datagram");
        self.id(record.key)
            .octets(&record.version.to_be_bytes())
            .octets(&record.lifetime.to_be_bytes())
            .octets(&length.to_be_bytes())
            .octets(&record.value)
    }
}

/// The message of these octets; `intern` gives the reference of each contact in it.
///
/// # Errors
/// When they are not exactly one message.
pub fn decode(
    octets: &[u8],
    intern: &mut impl FnMut(Contact) -> NodeRef,
) -> Result<Message, DecodeError> {
    let mut r = Reader { octets, at: 0, id_octets: 0, intern };
    let [kind, first, second, third] = r.take()?;
    let header =
        Header::from_octets([first, second, third]).ok_or(DecodeError::IdLength(first >> 3))?;
    r.id_octets = usize::from(header.id_octets());
    let message = match kind {
        1..=16 => decode_small(kind, header, &mut r)?.into(),
        _ => decode_large(kind, header, &mut r)?.into(),
    };
    match octets.len() - r.at {
        0 => Ok(message),
        rest => Err(DecodeError::Trailing(rest)),
    }
}

fn decode_small<I: FnMut(Contact) -> NodeRef>(
    kind: u8,
    header: Header,
    r: &mut Reader<'_, I>,
) -> Result<Small, DecodeError> {
    Ok(match kind {
        1 => Small::Ping(header, r.overlay()?),
        2 => Small::Pong(header),
        3 => Small::Stabilize(header, r.overlay()?),
        4 => Small::Neighbours(header, r.optional()?, r.optional()?),
        5 => Small::Notify(header, r.contact()?, r.overlay()?),
        6 => Small::NewSuccessor(header, r.contact()?, r.overlay()?),
        7 => Small::Find(header, Key::from(r.id()?), r.overlay()?),
        8 => Small::Closer(header, r.best()?),
        9 => Small::Found(header, r.best()?),
        10 => Small::Route(header, Key::from(r.id()?), r.contact()?),
        11 => Small::Join(header, r.contact()?),
        12 => Small::Refused(header, r.optional()?),
        13 => Small::Leaving(header, r.contact()?, r.optional()?, r.overlay()?),
        14 => Small::Fetch(header, Key::from(r.id()?), r.overlay()?),
        15 => Small::NoRecord(header),
        16 => Small::StoreReply(header, r.verdict()?),
        other => return Err(DecodeError::Kind(other)),
    })
}

fn decode_large<I: FnMut(Contact) -> NodeRef>(
    kind: u8,
    header: Header,
    r: &mut Reader<'_, I>,
) -> Result<Large, DecodeError> {
    Ok(match kind {
        32 => Large::NeighbourList(header, r.optional()?, r.list(255)?),
        33 => Large::Welcome(header, r.overlay()?, r.optional()?, r.list(255)?),
        34 => Large::Store(header, r.overlay()?, r.record()?),
        35 => {
            let overlay = r.overlay()?;
            let count = u16::from_be_bytes(r.take()?);
            let records = (0..count).map(|_| r.record()).collect::<Result<_, _>>()?;
            Large::Replicate(header, overlay, records)
        }
        36 => Large::Fetched(header, r.record()?),
        other => return Err(DecodeError::Kind(other)),
    })
}

struct Reader<'a, I> {
    octets: &'a [u8],
    at: usize,
    id_octets: usize,
    intern: &'a mut I,
}

impl<'a, I: FnMut(Contact) -> NodeRef> Reader<'a, I> {
    fn slice(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let at = self.at;
        let rest = &self.octets[at..];
        if rest.len() < length {
            return Err(DecodeError::Truncated { at, missing: length - rest.len() });
        }
        self.at += length;
        Ok(&rest[..length])
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut octets = [0; N];
        octets.copy_from_slice(self.slice(N)?);
        Ok(octets)
    }

    fn overlay(&mut self) -> Result<OverlayId, DecodeError> {
        Ok(OverlayId(u32::from_be_bytes(self.take()?)))
    }

    fn id(&mut self) -> Result<RingId, DecodeError> {
        let octets = self.slice(self.id_octets)?;
        let (kept, lost) = octets.split_at(octets.len().min(8));
        if lost.iter().any(|&octet| octet != 0) {
            return Err(DecodeError::LongId);
        }
        let mut whole = [0; 8];
        whole[..kept.len()].copy_from_slice(kept);
        Ok(RingId(u64::from_be_bytes(whole)))
    }

    fn contact(&mut self) -> Result<NodeRef, DecodeError> {
        let id = self.id()?;
        let address = Address::from_bits(u32::from_be_bytes(self.take()?));
        let port = Port(u16::from_be_bytes(self.take()?));
        Ok((self.intern)(Contact { id, endpoint: Endpoint { address, port } }))
    }

    fn list(&mut self, most: usize) -> Result<NodeList, DecodeError> {
        let [got] = self.take()?;
        let got = usize::from(got);
        if got > most {
            return Err(DecodeError::ListLength { got, most });
        }
        (0..got).map(|_| self.contact()).collect()
    }

    fn optional(&mut self) -> Result<Option<NodeRef>, DecodeError> {
        Ok(self.list(1)?.first().copied())
    }

    fn best(&mut self) -> Result<Best, DecodeError> {
        let nodes = self.list(3)?;
        let node = |i: usize| nodes.get(i).copied();
        Ok([node(0), node(1), node(2)])
    }

    fn verdict(&mut self) -> Result<Verdict, DecodeError> {
        match self.take()? {
            [0] => Ok(Verdict::Stored),
            [1] => Ok(Verdict::Outdated),
            [other] => Err(DecodeError::Verdict(other)),
        }
    }

    fn record(&mut self) -> Result<WireRecord, DecodeError> {
        let key = self.id()?;
        let version = u64::from_be_bytes(self.take()?);
        let lifetime = u32::from_be_bytes(self.take()?);
        let length = u16::from_be_bytes(self.take()?);
        let value = self.slice(usize::from(length))?.into();
        Ok(WireRecord { key, version, lifetime, value })
    }
}
