//! ICMP (RFC 792): echo, and the errors for what cannot be delivered.
//!
//! A host answers an echo request with [`Echo::reply`]'s message and nothing else; who waits for
//! the reply keeps its own timer. Errors quote the IP header and the first eight octets of what
//! failed, here as [`Quoted`]. Left out: redirects, time exceeded, and everything else.

use thiserror::Error;

use crate::address::{Address, Port};
use crate::net::{Class, Protocol, Purpose};
use crate::rng::mix2;

/// Octets of data in an echo: what `ping` sends.
const ECHO_DATA: usize = 56;
/// Type, code, checksum, and four octets that depend on the type.
const HEADER: usize = 8;
/// An IPv4 header and eight octets of what it carried.
const QUOTE: usize = 20 + 8;

const TYPE_ECHO_REPLY: u8 = 0;
const TYPE_UNREACHABLE: u8 = 3;
const TYPE_ECHO_REQUEST: u8 = 8;

const IP_ICMP: u8 = 1;
const IP_TCP: u8 = 6;
const IP_UDP: u8 = 17;

/// An ICMP message: 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icmp {
    /// Are you there?
    EchoRequest(Echo),
    /// Yes.
    EchoReply(Echo),
    /// Something could not be delivered.
    Unreachable(Unreachable),
}

/// What matches a reply to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Who asks, on the asking host.
    pub identifier: u16,
    /// Which of its requests.
    pub sequence: u16,
}

/// An error: what could not be delivered, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Why.
    pub code: Code,
    /// Where it was to go.
    pub destination: Address,
    /// What it was.
    pub quoted: Quoted,
}

/// Why something could not be delivered; the value is ICMP's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// No way there.
    Network = 0,
    /// Nobody holds the address.
    Host = 1,
    /// Nobody listens on the port.
    Port = 3,
    /// A firewall says no (RFC 1812 §5.2.7.1).
    Prohibited = 13,
}

/// The first eight octets of what failed, as far as they tell its sender what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoted {
    /// A UDP datagram.
    Udp {
        /// From this port.
        source: Port,
        /// To this port.
        destination: Port,
    },
    /// A TCP segment.
    Tcp {
        /// From this port.
        source: Port,
        /// To this port.
        destination: Port,
    },
    /// An echo request.
    Echo(Echo),
}

/// Why octets are not one of the messages known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IcmpError {
    /// Shorter or longer than such a message is.
    #[error("an ICMP message of type {kind} has {expected} octets here, not {got}")]
    Length {
        /// Its type, zero when there is not even that.
        kind: u8,
        /// The length that it should have.
        expected: usize,
        /// The length that it has.
        got: usize,
    },
    /// Damaged on the way.
    #[error("the ICMP checksum does not match")]
    Checksum,
    /// Another type or code, or an error that quotes another protocol.
    #[error("ICMP type {kind} with code {code} is not modelled, or quotes what is not")]
    Unknown {
        /// Its type.
        kind: u8,
        /// Its code.
        code: u8,
    },
}

impl Echo {
    /// What a host that is up answers.
    #[must_use]
    pub const fn reply(self) -> Icmp {
        Icmp::EchoReply(self)
    }
}

impl Icmp {
    /// Octets above the IP header.
    #[must_use]
    pub const fn wire_len(&self) -> u32 {
        match self {
            Self::EchoRequest(_) | Self::EchoReply(_) => (HEADER + ECHO_DATA) as u32,
            Self::Unreachable(_) => (HEADER + QUOTE) as u32,
        }
    }

    /// Where the ledger books it: hosts of a simulation send echoes only as probes.
    #[must_use]
    pub const fn class(&self) -> Class {
        let purpose = match self {
            Self::EchoRequest(_) | Self::EchoReply(_) => Purpose::Probe,
            Self::Unreachable(_) => Purpose::Error,
        };
        Class { protocol: Protocol::Icmp, purpose }
    }

    /// 64 bits for the fingerprint.
    #[must_use]
    pub fn digest(&self) -> u64 {
        match *self {
            Self::EchoRequest(echo) => mix2(1, u64::from(echo.word())),
            Self::EchoReply(echo) => mix2(2, u64::from(echo.word())),
            Self::Unreachable(Unreachable { code, destination, quoted }) => {
                let (protocol, word) = quoted.parts();
                let why = u64::from(protocol) << 8 | code as u64;
                mix2(why, u64::from(destination.bits()) << 32 | u64::from(word))
            }
        }
    }

    /// The octets above the IP header. An error quotes an IP header whose source is the host that
    /// it is sent to, `receiver`.
    #[must_use]
    pub fn encode(&self, receiver: Address) -> Vec<u8> {
        let mut octets = vec![0; HEADER];
        match *self {
            Self::EchoRequest(echo) | Self::EchoReply(echo) => {
                let request = matches!(self, Self::EchoRequest(_));
                octets[0] = if request { TYPE_ECHO_REQUEST } else { TYPE_ECHO_REPLY };
                octets[4..8].copy_from_slice(&echo.word().to_be_bytes());
                octets.extend((0..ECHO_DATA).map(|i| i as u8));
            }
            Self::Unreachable(Unreachable { code, destination, quoted }) => {
                octets[0] = TYPE_UNREACHABLE;
                octets[1] = code as u8;
                octets.extend(quoted.encode(receiver, destination));
            }
        }
        let sum = checksum(&octets);
        octets[2..4].copy_from_slice(&sum.to_be_bytes());
        octets
    }

    /// Reads what [`encode`](Self::encode) wrote, or a real `ping` with the usual 56 octets.
    ///
    /// # Errors
    ///
    /// When the octets are no such message.
    pub fn decode(octets: &[u8]) -> Result<Self, IcmpError> {
        let got = octets.len();
        let Some(&[kind, code, ..]) = octets.get(..HEADER) else {
            let kind = octets.first().copied().unwrap_or(0);
            return Err(IcmpError::Length { kind, expected: HEADER, got });
        };
        let expected = match kind {
            TYPE_ECHO_REQUEST | TYPE_ECHO_REPLY if code == 0 => HEADER + ECHO_DATA,
            TYPE_UNREACHABLE => HEADER + QUOTE,
            _ => return Err(IcmpError::Unknown { kind, code }),
        };
        if got != expected {
            return Err(IcmpError::Length { kind, expected, got });
        }
        if checksum(octets) != 0 {
            return Err(IcmpError::Checksum);
        }
        Ok(match kind {
            TYPE_ECHO_REQUEST => Self::EchoRequest(Echo::from_word(word_at(octets, 4))),
            TYPE_ECHO_REPLY => Self::EchoReply(Echo::from_word(word_at(octets, 4))),
            _ => Self::Unreachable(
                Unreachable::decode(code, &octets[HEADER..])
                    .ok_or(IcmpError::Unknown { kind, code })?,
            ),
        })
    }
}

impl Echo {
    const fn word(self) -> u32 {
        (self.identifier as u32) << 16 | self.sequence as u32
    }

    const fn from_word(word: u32) -> Self {
        Self { identifier: (word >> 16) as u16, sequence: word as u16 }
    }
}

impl Unreachable {
    fn decode(code: u8, quote: &[u8]) -> Option<Self> {
        let code = [Code::Network, Code::Host, Code::Port, Code::Prohibited]
            .into_iter()
            .find(|&known| known as u8 == code)?;
        let word = word_at(quote, 20);
        let (source, destination) = (Port((word >> 16) as u16), Port(word as u16));
        let quoted = match quote[9] {
            _ if quote[0] != 0x45 => return None,
            IP_UDP => Quoted::Udp { source, destination },
            IP_TCP => Quoted::Tcp { source, destination },
            IP_ICMP if quote[20] == TYPE_ECHO_REQUEST => {
                Quoted::Echo(Echo::from_word(word_at(quote, 24)))
            }
            _ => return None,
        };
        Some(Self { code, destination: Address::from_bits(word_at(quote, 16)), quoted })
    }
}

impl Quoted {
    /// The number of the IP protocol, and ports or identifiers.
    const fn parts(self) -> (u8, u32) {
        match self {
            Self::Udp { source, destination } => (IP_UDP, ports(source, destination)),
            Self::Tcp { source, destination } => (IP_TCP, ports(source, destination)),
            Self::Echo(echo) => (IP_ICMP, echo.word()),
        }
    }

    /// The quoted IP header and eight octets. Lengths and checksums inside are zero but for the
    /// header's own: what was carried is not kept.
    fn encode(self, source: Address, destination: Address) -> [u8; QUOTE] {
        let (protocol, word) = self.parts();
        let mut quote = [0; QUOTE];
        quote[0] = 0x45;
        quote[3] = QUOTE as u8;
        quote[8] = 64;
        quote[9] = protocol;
        quote[12..16].copy_from_slice(&source.bits().to_be_bytes());
        quote[16..20].copy_from_slice(&destination.bits().to_be_bytes());
        let sum = checksum(&quote[..20]);
        quote[10..12].copy_from_slice(&sum.to_be_bytes());
        let place = if protocol == IP_ICMP { 24 } else { 20 };
        if protocol == IP_ICMP {
            quote[20] = TYPE_ECHO_REQUEST;
        }
        quote[place..place + 4].copy_from_slice(&word.to_be_bytes());
        quote
    }
}

const fn ports(source: Port, destination: Port) -> u32 {
    (source.0 as u32) << 16 | destination.0 as u32
}

fn word_at(octets: &[u8], at: usize) -> u32 {
    octets[at..at + 4].iter().fold(0, |word, &octet| word << 8 | u32::from(octet))
}

/// The Internet checksum (RFC 1071); zero over octets that contain their own.
fn checksum(octets: &[u8]) -> u16 {
    let sum: u32 = octets
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> [Icmp; 5] {
        let echo = Echo { identifier: 0xbeef, sequence: 7 };
        let destination = Address::from_bits(0x92e7_7b37);
        let error = |code, quoted| Icmp::Unreachable(Unreachable { code, destination, quoted });
        [
            Icmp::EchoRequest(echo),
            echo.reply(),
            error(Code::Port, Quoted::Udp { source: Port::EPHEMERAL, destination: Port::DNS }),
            error(Code::Host, Quoted::Tcp { source: Port::EPHEMERAL, destination: Port::PROXY }),
            error(Code::Prohibited, Quoted::Echo(echo)),
        ]
    }

    #[test]
    fn lengths_are_exact_and_what_is_written_is_read_back() {
        // ping: 8 octets of header and 56 of data; an error: 8 and IP header + 8.
        for (message, length) in samples().into_iter().zip([64, 64, 36, 36, 36]) {
            let octets = message.encode(Address::from_bits(0x0a00_0001));
            assert_eq!(octets.len(), length);
            assert_eq!(message.wire_len() as usize, length);
            assert_eq!(Icmp::decode(&octets), Ok(message));
        }
    }

    #[test]
    fn damage_and_other_types_are_told() {
        let octets = samples()[0].encode(Address::from_bits(1));
        for i in 4..octets.len() {
            let mut damaged = octets.clone();
            damaged[i] ^= 0x10;
            assert_eq!(Icmp::decode(&damaged), Err(IcmpError::Checksum));
        }
        assert_eq!(
            Icmp::decode(&octets[..20]),
            Err(IcmpError::Length { kind: 8, expected: 64, got: 20 })
        );
        assert_eq!(Icmp::decode(&[]), Err(IcmpError::Length { kind: 0, expected: 8, got: 0 }));
        assert_eq!(Icmp::decode(&[11; 36]), Err(IcmpError::Unknown { kind: 11, code: 11 }));
    }

    /// RFC 1071 §3 gives the sum ddf2 for these octets; the checksum is its complement.
    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    }

    #[test]
    fn messages_are_small_and_their_digests_differ() {
        assert_eq!(size_of::<Icmp>(), 12);
        assert!(align_of::<Icmp>() <= 4);
        let mut digests: Vec<u64> = samples().iter().map(Icmp::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), samples().len());
    }
}
