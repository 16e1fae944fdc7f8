//! DNS messages as values (RFC 1035 §4), with EDNS (RFC 6891).
//!
//! A message has exactly one question of class IN, which in an UPDATE names the zone, and the opcode
//! QUERY, NOTIFY or UPDATE; other messages are refused by the [decoder](crate::dns::codec). Left
//! out: truncation and TCP, DNSSEC beyond the DO bit, EDNS options. Records of types that nothing
//! here interprets are carried as octets.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::address::{Address, Port};
use crate::dns::codec;
use crate::dns::name::DomainName;
use crate::dns::naptr::Naptr;
use crate::dns::tsig::Tsig;
use crate::dns::update::Update;
use crate::net::ledger::{Class, Protocol, Purpose};
use crate::net::payload::{Packed, Payload, Transport, Words};
use crate::time::SimDuration;

/// A time to live in whole seconds, at most 2^31 − 1 (RFC 2181 §8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u32);

impl Ttl {
    /// Good for the transaction in progress only (RFC 1035 §3.2.1).
    pub const ZERO: Self = Self(0);
    /// About 68 years.
    pub const MAX: Self = Self(i32::MAX as u32);

    /// A TTL of so many seconds, at most [`Ttl::MAX`].
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        if seconds > Self::MAX.0 { Self::MAX } else { Self(seconds) }
    }

    /// What 32 bits on the wire mean: zero when the top bit is set (RFC 2181 §8).
    #[must_use]
    pub const fn from_wire(bits: u32) -> Self {
        if bits > Self::MAX.0 { Self::ZERO } else { Self(bits) }
    }

    /// The whole seconds of a span, rounded down, at most [`Ttl::MAX`].
    #[must_use]
    pub fn from_duration(span: SimDuration) -> Self {
        Self::from_secs(u32::try_from(span.as_secs()).unwrap_or(u32::MAX))
    }

    /// Seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// The span.
    #[must_use]
    pub const fn as_duration(self) -> SimDuration {
        SimDuration::from_secs(self.0 as u64)
    }

    /// Whether it is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The type of a record or a question, by its code (RFC 1035 §3.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// An authoritative name server.
    pub const NS: Self = Self(2);
    /// The start of a zone.
    pub const SOA: Self = Self(6);
    /// The location of a service (RFC 2782).
    pub const SRV: Self = Self(33);
    /// A rewrite rule (RFC 3403).
    pub const NAPTR: Self = Self(35);
    /// The pseudo-record of EDNS (RFC 6891); never a question.
    pub const OPT: Self = Self(41);
    /// All that is newer than a version of a zone (RFC 1995); only a question.
    pub const IXFR: Self = Self(251);
    /// A signature (RFC 8945); never a question.
    pub const TSIG: Self = Self(250);
    /// Every type; in an UPDATE only.
    pub const ANY: Self = Self(255);
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::A => f.pad("A"),
            Self::NS => f.pad("NS"),
            Self::SOA => f.pad("SOA"),
            Self::SRV => f.pad("SRV"),
            Self::NAPTR => f.pad("NAPTR"),
            Self::IXFR => f.pad("IXFR"),
            Self(code) => write!(f, "TYPE{code}"),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A response code (RFC 1035 §4.1.1), four bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub(crate) u8);

impl Rcode {
    /// No error: data, or no data of that type (NODATA).
    pub const NO_ERROR: Self = Self(0);
    /// The server could not read the query.
    pub const FORM_ERR: Self = Self(1);
    /// The server failed.
    pub const SERV_FAIL: Self = Self(2);
    /// The name does not exist.
    pub const NX_DOMAIN: Self = Self(3);
    /// The server does not know this kind of query.
    pub const NOT_IMP: Self = Self(4);
    /// The server does not want to answer.
    pub const REFUSED: Self = Self(5);
    /// A name exists that should not (RFC 2136 §2.2, as those that follow).
    pub const YX_DOMAIN: Self = Self(6);
    /// A record set exists that should not.
    pub const YX_RR_SET: Self = Self(7);
    /// A record set that should exist does not, or is another.
    pub const NX_RR_SET: Self = Self(8);
    /// The server is no authority for the zone, or does not accept the signature.
    pub const NOT_AUTH: Self = Self(9);
    /// A name lies outside the zone.
    pub const NOT_ZONE: Self = Self(10);

    /// The code of the four lower bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x0f)
    }
}

impl fmt::Debug for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NO_ERROR => f.pad("NOERROR"),
            Self::FORM_ERR => f.pad("FORMERR"),
            Self::SERV_FAIL => f.pad("SERVFAIL"),
            Self::NX_DOMAIN => f.pad("NXDOMAIN"),
            Self::NOT_IMP => f.pad("NOTIMP"),
            Self::REFUSED => f.pad("REFUSED"),
            Self::YX_DOMAIN => f.pad("YXDOMAIN"),
            Self::YX_RR_SET => f.pad("YXRRSET"),
            Self::NX_RR_SET => f.pad("NXRRSET"),
            Self::NOT_AUTH => f.pad("NOTAUTH"),
            Self::NOT_ZONE => f.pad("NOTZONE"),
            Self(code) => write!(f, "RCODE{code}"),
        }
    }
}

/// What is asked, in class IN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// QNAME.
    pub name: DomainName,
    /// QTYPE.
    pub rtype: RecordType,
}

impl Question {
    /// The question for this type at this name.
    #[must_use]
    pub fn new(name: DomainName, rtype: RecordType) -> Self {
        Self { name, rtype }
    }

    /// The question for the addresses of a name.
    #[must_use]
    pub fn addresses(name: DomainName) -> Self {
        Self::new(name, RecordType::A)
    }
}

/// The start of authority of a zone (RFC 1035 §3.3.13).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Soa {
    /// The primary name server.
    pub mname: DomainName,
    /// The mailbox of who is responsible, its `@` written as a dot.
    pub rname: DomainName,
    /// The version of the zone.
    pub serial: u32,
    /// Seconds between two polls of a secondary.
    pub refresh: u32,
    /// Seconds until it polls again after a failure.
    pub retry: u32,
    /// Seconds after which a secondary without contact stops answering.
    pub expire: u32,
    /// The TTL of negative answers (RFC 2308 §4).
    pub minimum: Ttl,
}

/// Where a service is (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// The share among equal priorities.
    pub weight: u16,
    /// The port of the service.
    pub port: Port,
    /// The host that offers it.
    pub target: DomainName,
}

/// The data of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordData {
    /// An IPv4 address.
    A(Address),
    /// A name server of the zone.
    Ns(DomainName),
    /// The start of authority.
    Soa(Arc<Soa>),
    /// The location of a service.
    Srv(Srv),
    /// A rewrite rule.
    Naptr(Arc<Naptr>),
    /// Data of a type other than those, uninterpreted.
    Other(RecordType, Arc<[u8]>),
}

impl RecordData {
    /// Its type.
    #[must_use]
    pub fn rtype(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Ns(_) => RecordType::NS,
            Self::Soa(_) => RecordType::SOA,
            Self::Srv(_) => RecordType::SRV,
            Self::Naptr(_) => RecordType::NAPTR,
            Self::Other(rtype, _) => *rtype,
        }
    }
}

/// A record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its owner.
    pub name: DomainName,
    /// How long it may be kept.
    pub ttl: Ttl,
    /// Type and data.
    pub data: RecordData,
}

/// The EDNS pseudo-record (RFC 6891 §6.1), without options: 11 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP payload that its sender takes.
    pub payload_size: u16,
    /// Whether DNSSEC records are wanted (RFC 3225); nothing here has any.
    pub dnssec_ok: bool,
}

/// The payload size of DNS Flag Day 2020, which BIND and unbound advertise.
pub const EDNS_PAYLOAD_SIZE: u16 = 1232;

/// What a message is about: its opcode, and the sections that have another meaning for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// QUERY.
    Query,
    /// NOTIFY (RFC 1996): the zone of the question has changed.
    Notify,
    /// UPDATE (RFC 2136): the question names the zone by its SOA. These two stand in place of
    /// answers and authority, which are empty.
    Update(Update),
}

/// A DNS message. Small to move, since its [`Contents`] are boxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Box<Contents>);

/// What a DNS message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// ID: pairs a response with its query.
    pub id: u16,
    /// What it is about.
    pub kind: Kind,
    /// QR: a response.
    pub response: bool,
    /// AA: the responder is an authority for the name.
    pub authoritative: bool,
    /// RD: the client wants the server to recurse.
    pub recursion_desired: bool,
    /// RA: the server recurses.
    pub recursion_available: bool,
    /// RCODE.
    pub rcode: Rcode,
    /// The one question.
    pub question: Question,
    /// Records that answer it.
    pub answers: Vec<Record>,
    /// The zone's name servers, or its SOA in a negative answer.
    pub authority: Vec<Record>,
    /// Addresses of names in other sections; EDNS is kept apart.
    pub additional: Vec<Record>,
    /// EDNS, if the message carries it.
    pub edns: Option<Edns>,
    /// Its signature, if it has one.
    pub tsig: Option<Box<Tsig>>,
}

impl Message {
    /// A client's query to a recursive resolver: RD set, no EDNS (as glibc and Kamailio ask).
    #[must_use]
    pub fn query(id: u16, question: Question) -> Self {
        Self(Box::new(Contents {
            id,
            kind: Kind::Query,
            response: false,
            authoritative: false,
            recursion_desired: true,
            recursion_available: false,
            rcode: Rcode::NO_ERROR,
            question,
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            edns: None,
            tsig: None,
        }))
    }

    /// An unsigned update of a zone.
    #[must_use]
    pub fn update(id: u16, zone: DomainName, update: Update) -> Self {
        let mut message = Self::query(id, Question::new(zone, RecordType::SOA));
        message.recursion_desired = false;
        message.kind = Kind::Update(update);
        message
    }

    /// A resolver's query to an authority: RD clear, EDNS present. (To another resolver, RD is set.)
    #[must_use]
    pub fn upstream_query(id: u16, question: Question) -> Self {
        let mut message = Self::query(id, question);
        message.recursion_desired = false;
        message.edns = Some(Edns { payload_size: EDNS_PAYLOAD_SIZE, dnssec_ok: false });
        message
    }

    /// An empty response to this query: its ID, question and RD; EDNS if the query had it.
    #[must_use]
    pub fn response_to(query: &Self, rcode: Rcode) -> Self {
        let mut message = Self::query(query.id, query.question.clone());
        message.response = true;
        message.kind = match query.kind {
            Kind::Query => Kind::Query,
            Kind::Notify => Kind::Notify,
            Kind::Update(_) => Kind::Update(Update::default()),
        };
        message.recursion_desired = query.recursion_desired;
        message.rcode = rcode;
        message.edns = query.edns.map(|edns| Edns { payload_size: EDNS_PAYLOAD_SIZE, ..edns });
        message
    }
}

impl From<Contents> for Message {
    fn from(contents: Contents) -> Self {
        Self(Box::new(contents))
    }
}

impl Deref for Message {
    type Target = Contents;
    fn deref(&self) -> &Contents {
        &self.0
    }
}

impl DerefMut for Message {
    fn deref_mut(&mut self) -> &mut Contents {
        &mut self.0
    }
}

impl Payload for Message {
    fn pack(self) -> Packed<Self> {
        Packed::Cold(self)
    }
    fn unpack(words: Words) -> Self {
        unreachable!("no DNS message is packed into {words:?}")
    }
    fn transport(&self) -> Transport {
        Transport::Udp
    }
    fn source_port(&self) -> Port {
        if self.response { Port::DNS } else { Port::EPHEMERAL }
    }
    fn wire_len(&self) -> u32 {
        codec::encoded_len(self)
    }
    fn class(&self) -> Class {
        let purpose = match self.kind {
            Kind::Update(_) => Purpose::DynDns,
            // A resolver that forwards wants recursion as well, but no client has EDNS.
            Kind::Query if self.recursion_desired && self.edns.is_none() => Purpose::DnsClient,
            Kind::Query | Kind::Notify => Purpose::DnsUpstream,
        };
        Class { protocol: Protocol::Dns, purpose }
    }
    fn digest(&self) -> u64 {
        codec::digest(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_with_the_top_bit_set_is_zero() {
        // RFC 2181 §8.
        for (bits, ttl) in
            [(0, 0), (60, 60), (0x7fff_ffff, 0x7fff_ffff), (0x8000_0000, 0), (u32::MAX, 0)]
        {
            assert_eq!(Ttl::from_wire(bits).as_secs(), ttl);
        }
        assert_eq!(Ttl::from_secs(u32::MAX), Ttl::MAX);
        assert_eq!(Ttl::from_duration(SimDuration::from_millis(1_999)), Ttl::from_secs(1));
        assert_eq!(Ttl::from_duration(SimDuration::MAX), Ttl::MAX);
    }

    #[test]
    fn queries_and_responses_are_booked_by_who_asked() {
        let question = Question::addresses("chord.dyndns.test".parse().unwrap());
        let client = Message::query(7, question.clone());
        let upstream = Message::upstream_query(8, question.clone());
        let mut forwarded = Message::upstream_query(9, question);
        forwarded.recursion_desired = true;
        for (query, purpose) in [
            (client, Purpose::DnsClient),
            (upstream, Purpose::DnsUpstream),
            (forwarded, Purpose::DnsUpstream),
        ] {
            let response = Message::response_to(&query, Rcode::SERV_FAIL);
            assert_eq!(query.class(), Class { protocol: Protocol::Dns, purpose });
            assert_eq!(response.class(), query.class());
            assert_eq!(query.source_port(), Port::EPHEMERAL);
            assert_eq!(response.source_port(), Port::DNS);
            assert_eq!(response.edns, query.edns);
            assert!(matches!(query.pack(), Packed::Cold(_)));
        }
        assert_eq!(size_of::<Message>(), size_of::<usize>());
    }
}
