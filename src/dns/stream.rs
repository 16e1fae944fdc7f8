//! DNS over TCP: a message behind two octets that say how long it is (RFC 1035 §4.2.2).

use crate::dns::codec::{self, DecodeError, decode};
use crate::dns::message::Message;
use crate::net::tcp::{Body, Segment};

/// A message as a stream carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed(pub Message);

/// The length in front of a message.
const PREFIX: u32 = 2;

impl Framed {
    /// The octets.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let octets = codec::encode(&self.0);
        let length = u16::try_from(octets.len()).expect("a message is split before it is so long");
        [&length.to_be_bytes()[..], &octets].concat()
    }

    /// Reads one framed message and nothing behind it.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let short = DecodeError::Short(octets.len());
        let (prefix, rest) = octets.split_first_chunk().ok_or(short)?;
        let length = usize::from(u16::from_be_bytes(*prefix));
        match rest.len().checked_sub(length) {
            None => Err(short),
            Some(0) => Ok(Self(decode(rest)?)),
            Some(left) => Err(DecodeError::Trailing(left)),
        }
    }
}

impl Body for Framed {
    fn wire_len(&self) -> u32 {
        PREFIX + codec::encoded_len(&self.0)
    }
    fn digest(&self) -> u64 {
        codec::digest(&self.0)
    }
}

/// What a name server sends that uses both transports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Over UDP.
    Datagram(Message),
    /// Over TCP.
    Segment(Segment<Framed>),
}

impl From<Message> for Packet {
    fn from(message: Message) -> Self {
        Self::Datagram(message)
    }
}

impl From<Segment<Framed>> for Packet {
    fn from(segment: Segment<Framed>) -> Self {
        Self::Segment(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::message::{Question, Rcode};

    #[test]
    fn a_message_has_its_length_in_front() {
        let query = Message::query(7, Question::addresses("chord.dyndns.test".parse().unwrap()));
        // 12 of header, 19 of name, 4 of type and class.
        let framed = Framed(query.clone());
        let octets = framed.encode();
        assert_eq!(octets[..2], [0, 35]);
        assert_eq!((octets.len(), framed.wire_len()), (37, 37));
        assert_eq!(Framed::decode(&octets), Ok(framed.clone()));
        assert_eq!(Framed::decode(&octets[..36]), Err(DecodeError::Short(36)));
        assert_eq!(Framed::decode(&octets[..1]), Err(DecodeError::Short(1)));
        let longer = [&octets[..], &[0]].concat();
        assert_eq!(Framed::decode(&longer), Err(DecodeError::Trailing(1)));
        let other = Framed(Message::response_to(&query, Rcode::NO_ERROR));
        assert_ne!(other.digest(), framed.digest());
    }
}
