//! The wire format: reading (RFC 1035 §4.1). Any octets give a message or an error, never a panic.

use std::sync::Arc;

use crate::address::{Address, Port};
use crate::dns::codec::{AA, CLASS_IN, DNSSEC_OK, NOTIFY, OPCODE, POINTER, QR, RA, RD, TC, UPDATE};
use crate::dns::message::{
    Contents, Edns, Kind, Message, Question, Rcode, Record, RecordData, RecordType, Soa, Srv, Ttl,
};
use crate::dns::name::{DomainName, NameError, check_label};
use crate::dns::naptr::{CharacterString, Naptr};
use crate::dns::tsig::{self, MAC_LEN, Tsig};
use crate::dns::update::{Change, Class, Prerequisite, Update};

/// Why octets are not a DNS message that is modelled here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The octets end too early.
    #[error("the message ends at octet {0}, in the middle of a field")]
    Short(usize),
    /// Octets are left over.
    #[error("{0} octets follow the last record")]
    Trailing(usize),
    /// The opcode is none of those that are modelled.
    #[error("opcode {0} is none of QUERY (0), NOTIFY (4) and UPDATE (5)")]
    Opcode(u16),
    /// The message is truncated and should be asked for again over TCP.
    #[error("the message is truncated")]
    Truncated,
    /// The number of questions is not one.
    #[error("{0} questions, expected 1")]
    Questions(u16),
    /// The class is not IN.
    #[error("class {0} is not IN (1)")]
    Class(u16),
    /// A pointer does not point to before the name that it is in.
    #[error("the pointer at octet {0} does not point back")]
    Pointer(usize),
    /// A length octet begins with the reserved bits 01 or 10.
    #[error("octet {0} begins a label of an unknown kind")]
    LabelKind(usize),
    /// A name breaks a rule.
    #[error("a name is malformed: {0}")]
    Name(#[from] NameError),
    /// The data of a record is longer or shorter than its length field says.
    #[error("record data at octet {at} does not fill its {length} octets")]
    Data {
        /// Where the data begins.
        at: usize,
        /// What the length field says.
        length: u16,
    },
    /// EDNS stands elsewhere than once in the additional section, at the root.
    #[error("an OPT record stands where it must not")]
    Opt,
    /// A signature stands elsewhere than last in the additional section, or is not one of
    /// HMAC-SHA256.
    #[error("the TSIG record at octet {0} stands where it must not, or is none of hmac-sha256")]
    Tsig(usize),
    /// A record of an UPDATE has a class, TTL or data that its section does not allow (RFC 2136
    /// §3.2, §3.4.1).
    #[error("the record at octet {0} says nothing in its section of an UPDATE")]
    Update(usize),
}

/// Reads one message. Flags that are not modelled (AD, CD, Z), EDNS options and the upper bits of
/// an extended RCODE are dropped.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(octets: &[u8]) -> Result<Message, DecodeError> {
    let mut reader = Reader { octets, at: 0 };
    let id = reader.u16()?;
    let flags = reader.u16()?;
    let opcode = flags & OPCODE;
    if ![0, NOTIFY, UPDATE].contains(&opcode) {
        return Err(DecodeError::Opcode(opcode >> 11));
    }
    if flags & TC != 0 {
        return Err(DecodeError::Truncated);
    }
    let [questions, answers, authority, additional] =
        [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    if questions != 1 {
        return Err(DecodeError::Questions(questions));
    }
    let question = reader.question()?;
    let (kind, answers, authority) = if opcode == UPDATE {
        (Kind::Update(reader.update(answers, authority)?), Vec::new(), Vec::new())
    } else {
        let kind = if opcode == NOTIFY { Kind::Notify } else { Kind::Query };
        (kind, reader.section(answers, None)?, reader.section(authority, None)?)
    };
    let mut pseudo = Pseudo::default();
    let additional = reader.section(additional, Some(&mut pseudo))?;
    let contents = Contents {
        id,
        kind,
        response: flags & QR != 0,
        authoritative: flags & AA != 0,
        recursion_desired: flags & RD != 0,
        recursion_available: flags & RA != 0,
        rcode: Rcode::from_bits(flags.to_be_bytes()[1]),
        question,
        answers,
        authority,
        additional,
        edns: pseudo.edns,
        tsig: pseudo.tsig,
    };
    match octets.len() - reader.at {
        0 => Ok(Message::from(contents)),
        left => Err(DecodeError::Trailing(left)),
    }
}

/// The records of the additional section that are about the message itself.
#[derive(Default)]
struct Pseudo {
    edns: Option<Edns>,
    tsig: Option<Box<Tsig>>,
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let taken = self
            .octets
            .get(self.at..)
            .and_then(|rest| rest.get(..length))
            .ok_or(DecodeError::Short(self.octets.len()))?;
        self.at += length;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, DecodeError> {
        let octets = self.take(2)?;
        Ok(u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    fn class_in(&mut self) -> Result<(), DecodeError> {
        match self.u16()? {
            CLASS_IN => Ok(()),
            class => Err(DecodeError::Class(class)),
        }
    }

    fn question(&mut self) -> Result<Question, DecodeError> {
        let name = self.name()?;
        let rtype = RecordType(self.u16()?);
        self.class_in()?;
        Ok(Question { name, rtype })
    }

    /// Reads the records of a section; `pseudo` is where OPT and TSIG records may go.
    fn section(
        &mut self,
        count: u16,
        mut pseudo: Option<&mut Pseudo>,
    ) -> Result<Vec<Record>, DecodeError> {
        let mut records = Vec::new();
        for place in 1..=count {
            let at = self.at;
            let name = self.name()?;
            let rtype = RecordType(self.u16()?);
            if rtype == RecordType::OPT {
                match pseudo.as_deref_mut() {
                    Some(pseudo) if name.is_root() && pseudo.edns.is_none() => {
                        pseudo.edns = Some(self.edns()?);
                    }
                    _ => return Err(DecodeError::Opt),
                }
                continue;
            }
            if rtype == RecordType::TSIG {
                match pseudo.as_deref_mut() {
                    Some(pseudo) if place == count => {
                        pseudo.tsig = Some(Box::new(self.tsig(name, at)?));
                    }
                    _ => return Err(DecodeError::Tsig(at)),
                }
                continue;
            }
            self.class_in()?;
            let ttl = Ttl::from_wire(self.u32()?);
            records.push(Record { name, ttl, data: self.data(rtype)? });
        }
        Ok(records)
    }

    /// The rest of an OPT record, after its type.
    fn edns(&mut self) -> Result<Edns, DecodeError> {
        let payload_size = self.u16()?;
        let flags = self.u32()?;
        let options = self.u16()?;
        self.take(usize::from(options))?;
        Ok(Edns { payload_size, dnssec_ok: flags & DNSSEC_OK != 0 })
    }

    /// The rest of a signature, after its type; the record begins at `at`.
    fn tsig(&mut self, key: DomainName, at: usize) -> Result<Tsig, DecodeError> {
        let wrong = DecodeError::Tsig(at);
        if self.u16()? != Class::Any.code() || self.u32()? != 0 {
            return Err(wrong);
        }
        let length = self.u16()?;
        let start = self.at;
        if self.name()?.as_str() != tsig::ALGORITHM {
            return Err(wrong);
        }
        let signed = self.u48()?;
        let fudge = self.u16()?;
        let mac = match usize::from(self.u16()?) {
            0 => None,
            MAC_LEN => Some(self.take(MAC_LEN)?.try_into().expect("so many octets were taken")),
            _ => return Err(wrong),
        };
        let original_id = self.u16()?;
        let error = tsig::Error(self.u16()?);
        let server_time = match self.u16()? {
            0 => None,
            6 => Some(self.u48()?),
            _ => return Err(wrong),
        };
        if self.at - start != usize::from(length) {
            return Err(DecodeError::Data { at: start, length });
        }
        Ok(Tsig { key, signed, fudge, mac, original_id, error, server_time })
    }

    fn u48(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from(self.u16()?) << 32 | u64::from(self.u32()?))
    }

    /// The prerequisites and changes of an UPDATE.
    fn update(&mut self, prerequisites: u16, changes: u16) -> Result<Update, DecodeError> {
        let mut update = Update::default();
        for _ in 0..prerequisites {
            let (at, name, rtype, class) = self.update_head()?;
            let ttl = self.u32()?;
            let any = rtype == RecordType::ANY;
            let prerequisite = match class {
                _ if ttl != 0 => return Err(DecodeError::Update(at)),
                Class::In => Prerequisite::Holds(name, self.update_data(rtype, at)?),
                Class::Any if any => Prerequisite::InUse(name),
                Class::Any => Prerequisite::Exists(Question { name, rtype }),
                Class::None if any => Prerequisite::NotInUse(name),
                Class::None => Prerequisite::Absent(Question { name, rtype }),
            };
            if class != Class::In {
                self.no_data(at)?;
            }
            update.prerequisites.push(prerequisite);
        }
        for _ in 0..changes {
            let (at, name, rtype, class) = self.update_head()?;
            let ttl = self.u32()?;
            let change = match class {
                Class::In => {
                    let ttl = Ttl::from_wire(ttl);
                    Change::Add(Record { name, ttl, data: self.update_data(rtype, at)? })
                }
                _ if ttl != 0 => return Err(DecodeError::Update(at)),
                Class::None => Change::Delete(name, self.update_data(rtype, at)?),
                Class::Any if rtype == RecordType::ANY => Change::DeleteName(name),
                Class::Any => Change::DeleteSet(Question { name, rtype }),
            };
            if class == Class::Any {
                self.no_data(at)?;
            }
            update.changes.push(change);
        }
        Ok(update)
    }

    /// Where a record of an UPDATE begins, its name, type and class.
    fn update_head(&mut self) -> Result<(usize, DomainName, RecordType, Class), DecodeError> {
        let at = self.at;
        let name = self.name()?;
        let rtype = RecordType(self.u16()?);
        let class = self.u16()?;
        let class = Class::of(class).ok_or(DecodeError::Class(class))?;
        Ok((at, name, rtype, class))
    }

    /// The data of a record of an UPDATE: not of a type that only questions have.
    fn update_data(&mut self, rtype: RecordType, at: usize) -> Result<RecordData, DecodeError> {
        let is_meta = [RecordType::OPT, RecordType::TSIG, RecordType::ANY].contains(&rtype);
        if is_meta { Err(DecodeError::Update(at)) } else { self.data(rtype) }
    }

    fn no_data(&mut self, at: usize) -> Result<(), DecodeError> {
        if self.u16()? == 0 { Ok(()) } else { Err(DecodeError::Update(at)) }
    }

    fn data(&mut self, rtype: RecordType) -> Result<RecordData, DecodeError> {
        let length = self.u16()?;
        let start = self.at;
        let data = match rtype {
            RecordType::A => RecordData::A(Address::from_bits(self.u32()?)),
            RecordType::NS => RecordData::Ns(self.name()?),
            RecordType::SOA => RecordData::Soa(Arc::new(self.soa()?)),
            RecordType::SRV => RecordData::Srv(Srv {
                priority: self.u16()?,
                weight: self.u16()?,
                port: Port(self.u16()?),
                target: self.name()?,
            }),
            RecordType::NAPTR => RecordData::Naptr(Arc::new(self.naptr()?)),
            other => RecordData::Other(other, Arc::from(self.take(usize::from(length))?)),
        };
        if self.at - start == usize::from(length) {
            Ok(data)
        } else {
            Err(DecodeError::Data { at: start, length })
        }
    }

    fn soa(&mut self) -> Result<Soa, DecodeError> {
        Ok(Soa {
            mname: self.name()?,
            rname: self.name()?,
            serial: self.u32()?,
            refresh: self.u32()?,
            retry: self.u32()?,
            expire: self.u32()?,
            minimum: Ttl::from_wire(self.u32()?),
        })
    }

    fn naptr(&mut self) -> Result<Naptr, DecodeError> {
        Ok(Naptr {
            order: self.u16()?,
            preference: self.u16()?,
            flags: self.character_string()?,
            services: self.character_string()?,
            regexp: self.character_string()?,
            replacement: self.name()?,
        })
    }

    fn character_string(&mut self) -> Result<CharacterString, DecodeError> {
        let length = self.u8()?;
        let octets = self.take(usize::from(length))?;
        Ok(CharacterString::new(octets).expect("one octet says no more than 255"))
    }

    /// Reads a name. Each pointer must point to before the part that it ends, so that following
    /// them comes to an end.
    fn name(&mut self) -> Result<DomainName, DecodeError> {
        let mut text = String::new();
        let mut part = self.at;
        let mut resume = None;
        loop {
            let at = self.at;
            let length = self.u8()?;
            match length >> 6 {
                0 if length == 0 => break,
                0 => {
                    let label = self.take(usize::from(length))?;
                    check_label(label)?;
                    text.extend(label.iter().map(|&octet| char::from(octet)));
                    text.push('.');
                    if text.len() + 1 > 255 {
                        return Err(NameError::LongName(text.len() + 1).into());
                    }
                }
                3 => {
                    self.at = at;
                    let target = usize::from(self.u16()? & !POINTER);
                    if target >= part {
                        return Err(DecodeError::Pointer(at));
                    }
                    resume = resume.or(Some(self.at));
                    (part, self.at) = (target, target);
                }
                _ => return Err(DecodeError::LabelKind(at)),
            }
        }
        self.at = resume.unwrap_or(self.at);
        Ok(text.parse()?)
    }
}
