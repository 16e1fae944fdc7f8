//! Which plug-in, by name and number.

use crate::net::Protocol;

/// Which plug-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Chord.
    Chord,
    /// Bamboo.
    Bamboo,
    /// Kademlia.
    Kademlia,
}

impl Kind {
    /// All plug-ins, by number.
    pub const ALL: [Self; 3] = [Self::Chord, Self::Bamboo, Self::Kademlia];

    /// The plug-in of a number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Chord => "Chord",
            Self::Bamboo => "Bamboo",
            Self::Kademlia => "Kademlia",
        }
    }

    /// Its word in scenarios.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Chord => "chord",
            Self::Bamboo => "bamboo",
            Self::Kademlia => "kademlia",
        }
    }

    /// What its messages are booked under.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Chord => Protocol::Chord,
            Self::Bamboo => Protocol::Bamboo,
            Self::Kademlia => Protocol::Kademlia,
        }
    }
}
