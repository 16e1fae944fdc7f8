//! What the signalling costs: messages and bytes by protocol, purpose and direction.
//!
//! Every datagram that is sent is later delivered or lost; [`Ledger::in_flight`] is what remains,
//! and packet conservation is checked against what the queue still holds.

use serde::{Deserialize, Serialize};

/// The protocol of a message, as `signalling.csv` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Protocol {
    /// The Chord overlay.
    Chord,
    /// DNS over UDP.
    Dns,
    /// TCP segments without data: SYN, ACK, FIN, RST.
    Tcp,
    /// HTTP messages, each a TCP segment with data.
    Http,
    /// ICMP echo and errors.
    Icmp,
    /// SIP over UDP.
    Sip,
    /// The Bamboo overlay.
    Bamboo,
    /// The Kademlia overlay.
    Kademlia,
    /// Between a relay and its clients: TURN over UDP.
    Turn,
    /// Media over UDP.
    Rtp,
    /// Messages of tests and examples.
    Test,
}

/// What a message is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Purpose {
    /// Joining the overlay and keeping its tables right.
    OverlayMaintenance,
    /// Finding the node of a key for an application.
    OverlayLookup,
    /// Storing, fetching and replicating records.
    StoreFetch,
    /// Testing whether the proxy peer is there and plays its role.
    Probe,
    /// A stub asks a recursive resolver.
    DnsClient,
    /// A recursive resolver asks an authority or another resolver.
    DnsUpstream,
    /// Updating the binding.
    DynDns,
    /// Errors that the network sends back.
    Error,
    /// Calls, messages and presence, and the registrations for them.
    Sip,
    /// Getting and keeping addresses on a relay.
    Turn,
    /// What is said in calls: no signalling.
    Media,
}

/// Where a message is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its purpose.
    pub purpose: Purpose,
}

const PURPOSES: usize = Purpose::ALL.len();
/// Room for all classes, a power of two.
const CELLS: usize = 128;
const _: () = assert!(Protocol::ALL.len() * PURPOSES <= CELLS);

/// The place of a class in the ledger: seven bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell(u8);

impl Cell {
    pub(super) const BITS: u32 = CELLS.ilog2();

    /// The cell with these bits, of which the lower seven count.
    #[inline]
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits % CELLS as u8)
    }

    #[inline]
    pub(super) const fn bits(self) -> u8 {
        self.0
    }
}

impl From<Class> for Cell {
    #[inline]
    fn from(class: Class) -> Self {
        Self::from_bits(class.protocol as u8 * PURPOSES as u8 + class.purpose as u8)
    }
}

/// Messages and bytes counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Datagrams or segments.
    pub messages: u64,
    /// Octets with IP and transport headers.
    pub bytes: u64,
}

/// Which way a message was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Handed to the network.
    Sent,
    /// Handed to an up host that holds the address.
    Delivered,
    /// Dropped on the way, or nobody was there.
    Lost,
}

/// The counters of one run.
#[derive(Clone, Debug)]
pub struct Ledger {
    sent: [Count; CELLS],
    delivered: [Count; CELLS],
    lost: [Count; CELLS],
}

impl Default for Ledger {
    fn default() -> Self {
        let none = [Count::default(); CELLS];
        Self { sent: none, delivered: none, lost: none }
    }
}

impl Ledger {
    /// Books one message.
    #[inline]
    pub fn book(&mut self, direction: Direction, class: Class, bytes: u32) {
        self.book_at(direction, class.into(), bytes);
    }

    /// Books one message whose cell is known.
    #[inline]
    pub(super) fn book_at(&mut self, direction: Direction, cell: Cell, bytes: u32) {
        let cells = match direction {
            Direction::Sent => &mut self.sent,
            Direction::Delivered => &mut self.delivered,
            Direction::Lost => &mut self.lost,
        };
        let count = &mut cells[usize::from(cell.bits()) % CELLS];
        count.messages += 1;
        count.bytes += u64::from(bytes);
    }

    /// What was booked for one class and direction.
    #[must_use]
    pub fn count(&self, direction: Direction, class: Class) -> Count {
        self.cells(direction)[class.protocol as usize * PURPOSES + class.purpose as usize]
    }

    fn cells(&self, direction: Direction) -> &[Count; CELLS] {
        match direction {
            Direction::Sent => &self.sent,
            Direction::Delivered => &self.delivered,
            Direction::Lost => &self.lost,
        }
    }

    /// What was booked since `earlier`, a former state of this ledger.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |now: &[Count; CELLS], then: &[Count; CELLS]| {
            std::array::from_fn(|cell| Count {
                messages: now[cell].messages - then[cell].messages,
                bytes: now[cell].bytes - then[cell].bytes,
            })
        };
        Self {
            sent: difference(&self.sent, &earlier.sent),
            delivered: difference(&self.delivered, &earlier.delivered),
            lost: difference(&self.lost, &earlier.lost),
        }
    }

    /// All messages and bytes in one direction.
    #[must_use]
    pub fn total(&self, direction: Direction) -> Count {
        self.cells(direction).iter().fold(Count::default(), |sum, count| Count {
            messages: sum.messages + count.messages,
            bytes: sum.bytes + count.bytes,
        })
    }

    /// Messages sent and neither delivered nor lost yet.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.total(Direction::Sent).messages
            - self.total(Direction::Delivered).messages
            - self.total(Direction::Lost).messages
    }

    /// Every class with at least one message sent, in the order of [`Protocol`] and [`Purpose`].
    #[must_use]
    pub fn classes(&self) -> Vec<Class> {
        let mut classes = Vec::new();
        for protocol in Protocol::ALL {
            for purpose in Purpose::ALL {
                let class = Class { protocol, purpose };
                if self.count(Direction::Sent, class).messages > 0 {
                    classes.push(class);
                }
            }
        }
        classes
    }
}

impl Protocol {
    /// All protocols, in their order.
    pub const ALL: [Self; 11] = [
        Self::Chord,
        Self::Dns,
        Self::Tcp,
        Self::Http,
        Self::Icmp,
        Self::Sip,
        Self::Bamboo,
        Self::Kademlia,
        Self::Turn,
        Self::Rtp,
        Self::Test,
    ];
}

impl Purpose {
    /// All purposes, in their order.
    pub const ALL: [Self; 11] = [
        Self::OverlayMaintenance,
        Self::OverlayLookup,
        Self::StoreFetch,
        Self::Probe,
        Self::DnsClient,
        Self::DnsUpstream,
        Self::DynDns,
        Self::Error,
        Self::Sip,
        Self::Turn,
        Self::Media,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_cell_of_its_own() {
        let mut ledger = Ledger::default();
        let all: Vec<Class> = Protocol::ALL
            .into_iter()
            .flat_map(|protocol| Purpose::ALL.map(|purpose| Class { protocol, purpose }))
            .collect();
        for (rank, class) in (1..).zip(&all) {
            ledger.book(Direction::Sent, *class, rank);
        }
        for (rank, class) in (1..).zip(&all) {
            let count = Count { messages: 1, bytes: rank };
            assert_eq!(ledger.count(Direction::Sent, *class), count, "{class:?}");
        }
        assert_eq!(ledger.classes(), all);
    }

    #[test]
    fn what_is_neither_delivered_nor_lost_is_in_flight() {
        let class = Class { protocol: Protocol::Dns, purpose: Purpose::DnsClient };
        let mut ledger = Ledger::default();
        for _ in 0..3 {
            ledger.book(Direction::Sent, class, 63);
        }
        ledger.book(Direction::Delivered, class, 63);
        ledger.book(Direction::Lost, class, 63);
        assert_eq!(ledger.in_flight(), 1);
        assert_eq!(ledger.count(Direction::Sent, class), Count { messages: 3, bytes: 189 });
        assert_eq!(ledger.classes(), [class]);
    }
}
