//! What overlay is this? Asked by a node that wants to join an overlay of which it knows some
//! addresses and a name, before it trusts its own plug-in to speak the overlay's language. RELOAD
//! has the same in its configuration document (RFC 6940 §11.1: overlay name, topology plug-in,
//! length of identifiers); here a member tells it.
//!
//! | octets | question | answer |
//! |---|---|---|
//! | 1 | 0 | 1 |
//! | 2 | token | token of the question |
//! | 1 | plug-in that the asker has | plug-in of the overlay |
//! | 1 | – | length of identifiers in bits |
//! | 4 | – | identity of the overlay |
//! | 1 + n | – | length of the name, and the name in ASCII |
//!
//! A third message has nothing to do with joining: that the proxy peer does not answer, told to
//! whoever is responsible for its record (2, the plug-in, the address: 6 octets).
//!
//! Left out: signatures, versions of plug-ins, parameters that may differ between members.

use std::sync::Arc;

use crate::address::Address;
use crate::net::{Class, Purpose};
use crate::overlay::OverlayId;
use crate::overlay::plugin::Kind;
use crate::rng::mix;

/// What an overlay is, as far as whoever wants to join has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name: the domain of its users, at most 255 octets.
    pub domain: Arc<str>,
    /// The plug-in that its members run.
    pub kind: Kind,
    /// The length of its identifiers.
    pub id_bits: u8,
}

/// Why a node can't join an overlay with the plug-in that it has for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is another overlay.
    #[error("it is the overlay `{found}`")]
    Overlay {
        /// Its name.
        found: Arc<str>,
    },
    /// Its members run another plug-in.
    #[error("its members run {found}, and the plug-in is {own}", found = .found.word(), own = .own.word())]
    Plugin {
        /// Theirs.
        found: Kind,
        /// The node's.
        own: Kind,
    },
    /// Its identifiers have another length.
    #[error("its identifiers have {found} bits, and those of the plug-in {own}")]
    Identifiers {
        /// Theirs.
        found: u8,
        /// The node's.
        own: u8,
    },
}

impl Description {
    /// Verifies that the plug-in that a node has for this overlay fits what a member of it says.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn verify(&self, told: &Self) -> Result<(), Mismatch> {
        if self.domain != told.domain {
            return Err(Mismatch::Overlay { found: Arc::clone(&told.domain) });
        }
        if self.kind != told.kind {
            return Err(Mismatch::Plugin { found: told.kind, own: self.kind });
        }
        if self.id_bits != told.id_bits {
            return Err(Mismatch::Identifiers { found: told.id_bits, own: self.id_bits });
        }
        Ok(())
    }
}

/// The question and the answer, and what a node tells the one that is responsible for the overlay's
/// record of its proxy peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What overlay is this? The asker has this plug-in.
    Question(u16, Kind),
    /// This one.
    Answer(u16, OverlayId, Description),
    /// The overlay of this plug-in should look after the proxy peer at this address: it does not
    /// answer.
    Silent(Kind, Address),
}

impl Message {
    /// Octets of it encoded.
    #[must_use]
    pub fn wire_len(&self) -> u32 {
        match self {
            Self::Question(..) => 4,
            Self::Silent(..) => 6,
            Self::Answer(_, _, description) => 10 + description.domain.len() as u32,
        }
    }

    /// Where it is booked: with the plug-in that it speaks of.
    #[must_use]
    pub fn class(&self) -> Class {
        let (kind, purpose) = match self {
            Self::Question(_, kind) | Self::Answer(_, _, Description { kind, .. }) => {
                (kind, Purpose::OverlayMaintenance)
            }
            Self::Silent(kind, _) => (kind, Purpose::Probe),
        };
        Class { protocol: kind.protocol(), purpose }
    }

    /// A digest of all of it.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.encode().into_iter().fold(64, |sum, octet| mix(sum ^ u64::from(octet)))
    }

    /// Its octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        match self {
            Self::Question(token, kind) => {
                octets.push(0);
                octets.extend(token.to_be_bytes());
                octets.push(*kind as u8);
            }
            Self::Answer(token, overlay, Description { domain, kind, id_bits }) => {
                octets.push(1);
                octets.extend(token.to_be_bytes());
                octets.extend([*kind as u8, *id_bits]);
                octets.extend(overlay.0.to_be_bytes());
                octets.push(domain.len() as u8);
                octets.extend(domain.as_bytes());
            }
            Self::Silent(kind, address) => {
                octets.extend([2, *kind as u8]);
                octets.extend(address.bits().to_be_bytes());
            }
        }
        octets
    }

    /// The message that these octets are.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        match octets {
            [0, a, b, kind] => {
                Some(Self::Question(u16::from_be_bytes([*a, *b]), Kind::numbered(*kind)?))
            }
            [1, a, b, kind, id_bits, w, x, y, z, length, domain @ ..]
                if domain.len() == usize::from(*length) =>
            {
                let domain = Arc::from(std::str::from_utf8(domain).ok()?);
                let kind = Kind::numbered(*kind)?;
                let overlay = OverlayId(u32::from_be_bytes([*w, *x, *y, *z]));
                let description = Description { domain, kind, id_bits: *id_bits };
                Some(Self::Answer(u16::from_be_bytes([*a, *b]), overlay, description))
            }
            [2, kind, w, x, y, z] => {
                let address = Address::from_bits(u32::from_be_bytes([*w, *x, *y, *z]));
                Some(Self::Silent(Kind::numbered(*kind)?, address))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(domain: &str, id_bits: u8) -> Description {
        Description { domain: domain.into(), kind: Kind::Chord, id_bits }
    }

    #[test]
    fn all_go_around_and_have_the_length_that_they_say() {
        let answer = Message::Answer(0xabcd, OverlayId(77), description("two.example.org", 160));
        let silent = Message::Silent(Kind::Kademlia, Address::from_bits(0x0a00_0107));
        for (message, length) in
            [(Message::Question(7, Kind::Chord), 4), (answer, 10 + 15), (silent, 6)]
        {
            let octets = message.encode();
            assert_eq!(octets.len(), length);
            assert_eq!(message.wire_len() as usize, length);
            assert_eq!(Message::decode(&octets), Some(message));
            assert_eq!(Message::decode(&octets[..length - 1]), None);
        }
        assert_eq!(Message::decode(&[0, 0, 7, 99]), None, "no such plug-in");
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let own = description("two.example.org", 160);
        assert_eq!(own.verify(&own), Ok(()));
        for (told, words) in [
            (description("three.example.org", 160), "it is the overlay `three.example.org`"),
            (
                description("two.example.org", 64),
                "its identifiers have 64 bits, and those of the plug-in 160",
            ),
        ] {
            assert_eq!(own.verify(&told).unwrap_err().to_string(), words);
        }
    }
}
