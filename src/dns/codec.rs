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

use crate::dns::message::{Contents, Kind, Message, Question, Record, RecordData, RecordType};
use crate::dns::name::DomainName;
use crate::dns::tsig::{self, Tsig};
use crate::dns::update::{Class, Written};
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
/// NOTIFY (RFC 1996).
pub(crate) const NOTIFY: u16 = 4 << 11;
/// UPDATE (RFC 2136).
pub(crate) const UPDATE: u16 = 5 << 11;
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
    encoder.sections(message);
    if let Some(edns) = message.edns {
        let flags = if edns.dnssec_ok { DNSSEC_OK } else { 0 };
        encoder.sink.put(&[0]);
        encoder.u16(41);
        encoder.u16(edns.payload_size);
        encoder.u32(flags);
        encoder.u16(0);
    }
    if let Some(tsig) = &message.tsig {
        encoder.tsig(tsig);
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
        let (opcode, answers, authority) = match &message.kind {
            Kind::Query => (0, message.answers.len(), message.authority.len()),
            Kind::Notify => (NOTIFY, message.answers.len(), message.authority.len()),
            Kind::Update(update) => (UPDATE, update.prerequisites.len(), update.changes.len()),
        };
        let pseudo = u16::from(message.edns.is_some()) + u16::from(message.tsig.is_some());
        self.u16(message.id);
        self.u16(flags | opcode | u16::from(message.rcode.0));
        self.u16(1);
        self.u16(answers as u16);
        self.u16(authority as u16);
        self.u16(message.additional.len() as u16 + pseudo);
    }

    fn sections(&mut self, message: &'a Contents) {
        match &message.kind {
            Kind::Query | Kind::Notify => {
                for record in message.answers.iter().chain(&message.authority) {
                    self.record(record);
                }
            }
            Kind::Update(update) => {
                let changes = update.changes.iter().map(|change| change.written());
                for it in update.prerequisites.iter().map(|it| it.written()).chain(changes) {
                    self.written(&it);
                }
            }
        }
        for record in &message.additional {
            self.record(record);
        }
    }

    fn question(&mut self, question: &'a Question) {
        self.name(&question.name, true);
        self.u16(question.rtype.0);
        self.u16(CLASS_IN);
    }

    fn record(&mut self, record: &'a Record) {
        let Record { name, ttl, data } = record;
        let (rtype, class) = (data.rtype(), Class::In);
        self.written(&Written { name, rtype, class, ttl: *ttl, data: Some(data) });
    }

    fn written(&mut self, it: &Written<'a>) {
        self.name(it.name, true);
        self.u16(it.rtype.0);
        self.u16(it.class.code());
        self.u32(it.ttl.as_secs());
        let length_at = self.sink.position();
        self.u16(0);
        if let Some(data) = it.data {
            self.data(data);
        }
        self.end_data(length_at);
    }

    /// Writes how long the data is that was begun after the length field at this position.
    fn end_data(&mut self, length_at: usize) {
        let length = self.sink.position() - length_at - 2;
        self.sink.patch(length_at, length as u16);
    }

    /// Writes a signature; its names are not compressed (RFC 8945 §4.2), but for the owner.
    fn tsig(&mut self, tsig: &'a Tsig) {
        self.name(&tsig.key, true);
        self.u16(RecordType::TSIG.0);
        self.u16(Class::Any.code());
        self.u32(0);
        let length_at = self.sink.position();
        self.u16(0);
        self.sink.put(&[tsig::ALGORITHM.len() as u8]);
        self.sink.put(tsig::ALGORITHM.as_bytes());
        self.sink.put(&[0]);
        self.u48(tsig.signed);
        self.u16(tsig.fudge);
        let mac = tsig.mac.as_ref().map_or(&[][..], |mac| mac);
        self.u16(mac.len() as u16);
        self.sink.put(mac);
        self.u16(tsig.original_id);
        self.u16(tsig.error.0);
        self.u16(if tsig.server_time.is_some() { 6 } else { 0 });
        if let Some(time) = tsig.server_time {
            self.u48(time);
        }
        self.end_data(length_at);
    }

    fn u48(&mut self, value: u64) {
        self.sink.put(&value.to_be_bytes()[2..]);
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
