//! A [`Small`] message as it travels inside an event: a kind, the header, three words.
//!
//! What the network asks of each message (its purpose, its length, its digest) can be answered from
//! this form by a table and some arithmetic, where the enum needs a jump that the processor can't
//! foresee. The conversions are the only place that knows what the words mean.

use super::message::{Best, Header, Key, Small, Verdict};
use crate::net::{Purpose, Words};
use crate::overlay::wire::{COUNT, HEADER, OVERLAY};
use crate::overlay::{NodeRef, OverlayId, RingId};
use crate::rng::mix;

/// A small message. The upper half of the first word is the kind, in the highest octet, and the
/// header; the other halves are what the kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compact(Words);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Ping,
    Pong,
    Stabilize,
    Neighbours,
    Notify,
    NewSuccessor,
    Find,
    Closer,
    Found,
    Route,
    Join,
    Refused,
    Leaving,
    Fetch,
    NoRecord,
    StoreReply,
}

/// By their number.
static KINDS: [Kind; 16] = {
    use Kind::{
        Closer, Fetch, Find, Found, Join, Leaving, Neighbours, NewSuccessor, NoRecord, Notify,
        Ping, Pong, Refused, Route, Stabilize, StoreReply,
    };
    [
        Ping,
        Pong,
        Stabilize,
        Neighbours,
        Notify,
        NewSuccessor,
        Find,
        Closer,
        Found,
        Route,
        Join,
        Refused,
        Leaving,
        Fetch,
        NoRecord,
        StoreReply,
    ]
};

/// What is on the wire for a kind, besides the header.
#[derive(Clone, Copy)]
struct Shape {
    /// Octets that are always there and have always this length.
    fixed: u8,
    /// How many keys there are.
    keys: u8,
    /// Which words are contacts, if they are there: ones for those, zeros for the others.
    contacts: [u32; 3],
    /// Its purpose, unless it is a look-up that serves the overlay itself.
    purpose: Purpose,
}

/// Octets of a contact besides its identifier: address and port.
const ENDPOINT: u32 = 6;

/// By [`Kind`]. A static, so that it is not built anew at each use.
static SHAPES: [Shape; 16] = {
    const NONE: [u32; 3] = [0; 3];
    const ALL: [u32; 3] = [u32::MAX; 3];
    const FIRST: [u32; 3] = [u32::MAX, 0, 0];
    const TWO: [u32; 3] = [u32::MAX, u32::MAX, 0];
    const LAST: [u32; 3] = [0, 0, u32::MAX];
    const fn shape(fixed: u32, keys: u8, contacts: [u32; 3], purpose: Purpose) -> Shape {
        Shape { fixed: fixed as u8, keys, contacts, purpose }
    }
    use Purpose::{OverlayLookup, OverlayMaintenance, StoreFetch};
    let mut shapes = [shape(0, 0, NONE, OverlayMaintenance); 16];
    shapes[Kind::Ping as usize] = shape(OVERLAY, 0, NONE, OverlayMaintenance);
    shapes[Kind::Stabilize as usize] = shape(OVERLAY, 0, NONE, OverlayMaintenance);
    shapes[Kind::Neighbours as usize] = shape(2 * COUNT, 0, TWO, OverlayMaintenance);
    shapes[Kind::Notify as usize] = shape(OVERLAY, 0, FIRST, OverlayMaintenance);
    shapes[Kind::NewSuccessor as usize] = shape(OVERLAY, 0, FIRST, OverlayMaintenance);
    shapes[Kind::Find as usize] = shape(OVERLAY, 1, NONE, OverlayLookup);
    shapes[Kind::Closer as usize] = shape(COUNT, 0, ALL, OverlayLookup);
    shapes[Kind::Found as usize] = shape(COUNT, 0, ALL, OverlayLookup);
    shapes[Kind::Route as usize] = shape(0, 1, LAST, OverlayLookup);
    shapes[Kind::Join as usize] = shape(0, 0, FIRST, OverlayMaintenance);
    shapes[Kind::Refused as usize] = shape(COUNT, 0, FIRST, OverlayMaintenance);
    shapes[Kind::Leaving as usize] = shape(COUNT + OVERLAY, 0, TWO, OverlayMaintenance);
    shapes[Kind::Fetch as usize] = shape(OVERLAY, 1, NONE, StoreFetch);
    shapes[Kind::NoRecord as usize] = shape(0, 0, NONE, StoreFetch);
    shapes[Kind::StoreReply as usize] = shape(1, 0, NONE, StoreFetch);
    shapes
};

impl Compact {
    #[inline(always)]
    fn new(kind: Kind, header: Header, [a, b, c]: [u32; 3]) -> Self {
        // Masked, so that where the kind is known it stays so.
        let head = ((kind as u32) << 24) | (header.bits() & 0x00ff_ffff);
        let pair = |high: u32, low: u32| ((high as u64) << 32) | low as u64;
        Self(Words(pair(head, a), pair(b, c)))
    }

    /// As it travels.
    #[must_use]
    #[inline(always)]
    pub const fn words(self) -> Words {
        self.0
    }

    /// The message of words that were one.
    #[must_use]
    #[inline(always)]
    pub const fn from_words(words: Words) -> Self {
        Self(words)
    }

    #[inline(always)]
    fn kind(self) -> Kind {
        KINDS[self.number()]
    }

    #[inline(always)]
    const fn number(self) -> usize {
        (self.0.0 >> 56) as usize % KINDS.len()
    }

    /// The three words after the header.
    #[inline(always)]
    const fn body(self) -> [u32; 3] {
        let Words(first, second) = self.0;
        [first as u32, (second >> 32) as u32, second as u32]
    }

    #[inline(always)]
    pub(super) const fn header(self) -> Header {
        Header::from_bits((self.0.0 >> 32) as u32)
    }

    /// Whether it is a look-up that is forwarded.
    #[must_use]
    #[inline]
    pub fn passes_through(self) -> bool {
        self.number() == Kind::Route as usize
    }

    /// What a look-up that is forwarded says.
    #[inline(always)]
    pub(super) fn key_and_contact(self) -> (RingId, NodeRef) {
        let [high, low, node] = self.body();
        (Key { high, low }.into(), contact(node).expect("a word that stands for a contact"))
    }

    /// The step of the periodic repair that it is.
    #[inline(always)]
    pub(super) fn repair(self) -> Option<RepairStep> {
        let [a, b, _] = self.body();
        match self.kind() {
            Kind::Stabilize => Some(RepairStep::Stabilize(OverlayId(a))),
            Kind::Neighbours => Some(RepairStep::Neighbours(contact(a), contact(b))),
            Kind::Notify => Some(RepairStep::Notify(contact(a)?, OverlayId(b))),
            _ => None,
        }
    }

    #[inline(always)]
    fn shape(self) -> &'static Shape {
        &SHAPES[self.number()]
    }

    /// What it is for.
    #[must_use]
    #[inline(always)]
    pub fn purpose(self) -> Purpose {
        match self.shape().purpose {
            Purpose::OverlayLookup if self.header().maintenance() => Purpose::OverlayMaintenance,
            purpose => purpose,
        }
    }

    /// Octets of it encoded.
    #[must_use]
    #[inline(always)]
    pub fn octets(self) -> u32 {
        let shape = self.shape();
        let [a, b, c] = shape.contacts;
        let [x, y, z] = self.body();
        let contacts = u32::from(a & x != 0) + u32::from(b & y != 0) + u32::from(c & z != 0);
        let ids = contacts + u32::from(shape.keys);
        let id_octets = u32::from(self.header().id_octets());
        HEADER + u32::from(shape.fixed) + contacts * ENDPOINT + ids * id_octets
    }

    /// A digest of all of it.
    #[must_use]
    #[inline]
    pub const fn digest(self) -> u64 {
        let Words(first, second) = self.0;
        // Kinds count from one.
        let first = first + (1 << 56);
        mix(first.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second)
    }
}

/// The three messages of a round of stabilisation.
#[derive(Clone, Copy, Debug)]
pub(super) enum RepairStep {
    /// Who are your neighbours?
    Stabilize(OverlayId),
    /// Predecessor and successor.
    Neighbours(Option<NodeRef>, Option<NodeRef>),
    /// This node may be your predecessor.
    Notify(NodeRef, OverlayId),
}

/// A contact as a word: 0 for none.
#[inline]
const fn word(node: Option<NodeRef>) -> u32 {
    match node {
        Some(node) => node.index() + 1,
        None => 0,
    }
}

#[inline]
fn contact(word: u32) -> Option<NodeRef> {
    word.checked_sub(1).map(NodeRef::new)
}

impl From<Small> for Compact {
    #[inline(always)]
    fn from(small: Small) -> Self {
        let best = |[a, b, c]: Best| [word(a), word(b), word(c)];
        let node = |node: NodeRef| word(Some(node));
        match small {
            Small::Ping(header, overlay) => Self::new(Kind::Ping, header, [overlay.0, 0, 0]),
            Small::Pong(header) => Self::new(Kind::Pong, header, [0; 3]),
            Small::Stabilize(header, overlay) => {
                Self::new(Kind::Stabilize, header, [overlay.0, 0, 0])
            }
            Small::Neighbours(header, a, b) => {
                Self::new(Kind::Neighbours, header, [word(a), word(b), 0])
            }
            Small::Notify(header, a, overlay) => {
                Self::new(Kind::Notify, header, [node(a), overlay.0, 0])
            }
            Small::NewSuccessor(header, a, overlay) => {
                Self::new(Kind::NewSuccessor, header, [node(a), overlay.0, 0])
            }
            Small::Find(header, key, overlay) => {
                Self::new(Kind::Find, header, [key.high, key.low, overlay.0])
            }
            Small::Closer(header, nodes) => Self::new(Kind::Closer, header, best(nodes)),
            Small::Found(header, nodes) => Self::new(Kind::Found, header, best(nodes)),
            Small::Route(header, key, origin) => {
                Self::new(Kind::Route, header, [key.high, key.low, node(origin)])
            }
            Small::Join(header, a) => Self::new(Kind::Join, header, [node(a), 0, 0]),
            Small::Refused(header, a) => Self::new(Kind::Refused, header, [word(a), 0, 0]),
            Small::Leaving(header, a, b, overlay) => {
                Self::new(Kind::Leaving, header, [node(a), word(b), overlay.0])
            }
            Small::Fetch(header, key, overlay) => {
                Self::new(Kind::Fetch, header, [key.high, key.low, overlay.0])
            }
            Small::NoRecord(header) => Self::new(Kind::NoRecord, header, [0; 3]),
            Small::StoreReply(header, verdict) => {
                Self::new(Kind::StoreReply, header, [verdict as u32, 0, 0])
            }
        }
    }
}

impl From<Compact> for Small {
    #[inline]
    fn from(compact: Compact) -> Self {
        let (kind, header, [a, b, c]) = (compact.kind(), compact.header(), compact.body());
        let node = |word: u32| contact(word).expect("a word that stands for a contact");
        let best = [contact(a), contact(b), contact(c)];
        let key = Key { high: a, low: b };
        match kind {
            Kind::Ping => Self::Ping(header, OverlayId(a)),
            Kind::Pong => Self::Pong(header),
            Kind::Stabilize => Self::Stabilize(header, OverlayId(a)),
            Kind::Neighbours => Self::Neighbours(header, contact(a), contact(b)),
            Kind::Notify => Self::Notify(header, node(a), OverlayId(b)),
            Kind::NewSuccessor => Self::NewSuccessor(header, node(a), OverlayId(b)),
            Kind::Find => Self::Find(header, key, OverlayId(c)),
            Kind::Closer => Self::Closer(header, best),
            Kind::Found => Self::Found(header, best),
            Kind::Route => Self::Route(header, key, node(c)),
            Kind::Join => Self::Join(header, node(a)),
            Kind::Refused => Self::Refused(header, contact(a)),
            Kind::Leaving => Self::Leaving(header, node(a), contact(b), OverlayId(c)),
            Kind::Fetch => Self::Fetch(header, key, OverlayId(c)),
            Kind::NoRecord => Self::NoRecord(header),
            Kind::StoreReply if a == Verdict::Stored as u32 => {
                Self::StoreReply(header, Verdict::Stored)
            }
            Kind::StoreReply => Self::StoreReply(header, Verdict::Outdated),
        }
    }
}
