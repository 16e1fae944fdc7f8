//! The wire format: encoding (RFC 1035 §4.1).
//!
//! One encoder writes into a sink: octets, a counter or a digest. So the length of a message is
//! its encoded length by construction. Names are compressed as BIND and unbound do: owner names,
//! and names in NS and SOA data, end in a pointer to the longest suffix written before (§4.1.4);
//! the target of SRV and the replacement of NAPTR are written out (RFC 2782, 3403), though later
//! names may point to them.
//!
//! Reading is in [`decode`](crate::dns::decode).

use smallvec::SmallVec;

use crate::dns::message::{Message, Question, Record, RecordData};
use crate::dns::name::DomainName;
use crate::rng::mix;

pub use crate::dns::decode::{DecodeError, decode};

/// Class IN.
pub(crate) const CLASS_IN: u16 = 1;
/// The two top bits of a length octet that is a pointer.
pub(crate) const POINTER: u16 = 0xc000;
/// Flags of the header's second word.
pub(crate) const QR: u16 = 1 << 15;
pub(crate) const AA: u16 = 1 << 10;
pub(crate) const TC: u16 = 1 << 9;
pub(crate) const RD: u16 = 1 << 8;
pub(crate) const RA: u16 = 1 << 7;
/// The opcode's bits in that word; QUERY is zero.
pub(crate) const OPCODE: u16 = 0x7800;
/// The DO bit in the TTL field of EDNS.
pub(crate) const DNSSEC_OK: u32 = 1 << 15;

/// The octets of a message. A section must not hold more than 65,535 records, nor the data of one
/// record more than 65,535 octets.
#[must_use]
pub fn encode(message: &Message) -> Vec<u8> {
    write(message, Vec::with_capacity(128))
}

/// The number of octets that [`encode`] gives.
#[must_use]
pub fn encoded_len(message: &Message) -> u32 {
    write(message, Counter(0)).0
}

/// A digest of the octets that [`encode`] gives, but for the lengths of record data, which follow
/// from the rest.
#[must_use]
pub(crate) fn digest(message: &Message) -> u64 {
    mix(write(message, Digest { hash: 0xcbf2_9ce4_8422_2325, len: 0 }).hash)
}

/// Where encoded octets go.
trait Sink {
    fn put(&mut self, octets: &[u8]);
    fn position(&self) -> usize;
    /// Overwrites the two octets at a position.
    fn patch(&mut self, at: usize, value: u16);
}

impl Sink for Vec<u8> {
    fn put(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
    fn position(&self) -> usize {
        self.len()
    }
    fn patch(&mut self, at: usize, value: u16) {
        self[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }
}

struct Counter(u32);

impl Sink for Counter {
    fn put(&mut self, octets: &[u8]) {
        self.0 += octets.len() as u32;
    }
    fn position(&self) -> usize {
        self.0 as usize
    }
    fn patch(&mut self, _at: usize, _value: u16) {}
}

/// FNV-1a.
struct Digest {
    hash: u64,
    len: usize,
}

impl Sink for Digest {
    fn put(&mut self, octets: &[u8]) {
        self.len += octets.len();
        self.hash = octets.iter().fold(self.hash, |hash, &octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    }
    fn position(&self) -> usize {
        self.len
    }
    fn patch(&mut self, _at: usize, _value: u16) {}
}

fn write<S: Sink>(message: &Message, sink: S) -> S {
    let mut encoder = Encoder { sink, suffixes: SmallVec::new() };
    encoder.header(message);
    encoder.question(&message.question);
    for section in [&message.answers, &message.authority, &message.additional] {
        for record in section {
            encoder.record(record);
        }
    }
    if let Some(edns) = message.edns {
        let flags = if edns.dnssec_ok { DNSSEC_OK } else { 0 };
        encoder.sink.put(&[0]);
        encoder.u16(41);
        encoder.u16(edns.payload_size);
        encoder.u32(flags);
        encoder.u16(0);
    }
    encoder.sink
}

struct Encoder<'a, S> {
    sink: S,
    /// Every suffix that was written at an offset a pointer can name.
    suffixes: SmallVec<[(&'a str, u16); 16]>,
}

impl<'a, S: Sink> Encoder<'a, S> {
    fn u16(&mut self, value: u16) {
        self.sink.put(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.sink.put(&value.to_be_bytes());
    }

    fn header(&mut self, message: &Message) {
        let flags = [
            (message.response, QR),
            (message.authoritative, AA),
            (message.recursion_desired, RD),
            (message.recursion_available, RA),
        ];
        let flags =
            flags.iter().filter(|(set, _)| *set).fold(0, |bits: u16, (_, flag)| bits | flag);
        self.u16(message.id);
        self.u16(flags | u16::from(message.rcode.0));
        self.u16(1);
        self.u16(message.answers.len() as u16);
        self.u16(message.authority.len() as u16);
        self.u16(message.additional.len() as u16 + u16::from(message.edns.is_some()));
    }

    fn question(&mut self, question: &'a Question) {
        self.name(&question.name, true);
        self.u16(question.rtype.0);
        self.u16(CLASS_IN);
    }

    fn record(&mut self, record: &'a Record) {
        self.name(&record.name, true);
        self.u16(record.data.rtype().0);
        self.u16(CLASS_IN);
        self.u32(record.ttl.as_secs());
        let length_at = self.sink.position();
        self.u16(0);
        self.data(&record.data);
        let length = self.sink.position() - length_at - 2;
        self.sink.patch(length_at, length as u16);
    }

    fn data(&mut self, data: &'a RecordData) {
        match data {
            RecordData::A(address) => self.u32(address.bits()),
            RecordData::Ns(name) => self.name(name, true),
            RecordData::Soa(soa) => {
                self.name(&soa.mname, true);
                self.name(&soa.rname, true);
                let minimum = soa.minimum.as_secs();
                for word in [soa.serial, soa.refresh, soa.retry, soa.expire, minimum] {
                    self.u32(word);
                }
            }
            RecordData::Srv(srv) => {
                self.u16(srv.priority);
                self.u16(srv.weight);
                self.u16(srv.port.0);
                self.name(&srv.target, false);
            }
            RecordData::Naptr(rule) => {
                self.u16(rule.order);
                self.u16(rule.preference);
                for text in [&rule.flags, &rule.services, &rule.regexp] {
                    self.sink.put(&[text.octets().len() as u8]);
                    self.sink.put(text.octets());
                }
                self.name(&rule.replacement, false);
            }
            RecordData::Other(_, octets) => self.sink.put(octets),
        }
    }

    /// Writes a name, ending in a pointer where that is allowed and a suffix is known.
    fn name(&mut self, name: &'a DomainName, compress: bool) {
        let mut rest = name.as_str();
        while !rest.is_empty() {
            let known = self.suffixes.iter().find(|(suffix, _)| *suffix == rest);
            match known {
                Some(&(_, offset)) if compress => return self.u16(POINTER | offset),
                Some(_) => {}
                None => {
                    let position = self.sink.position();
                    if position < usize::from(!POINTER) {
                        self.suffixes.push((rest, position as u16));
                    }
                }
            }
            let (label, tail) = rest.split_once('.').unwrap_or((rest, ""));
            self.sink.put(&[label.len() as u8]);
            self.sink.put(label.as_bytes());
            rest = tail;
        }
        self.sink.put(&[0]);
    }
}

#[cfg(test)]
mod tests;
