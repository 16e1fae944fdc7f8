//! The wire format: reading (RFC 1035 §4.1). Any octets give a message or an error, never a panic.

use std::sync::Arc;

use crate::address::{Address, Port};
use crate::dns::codec::{AA, CLASS_IN, DNSSEC_OK, OPCODE, POINTER, QR, RA, RD, TC};
use crate::dns::message::{
    Contents, Edns, Message, Question, Rcode, Record, RecordData, RecordType, Soa, Srv, Ttl,
};
use crate::dns::name::{DomainName, NameError, check_label};
use crate::dns::naptr::{CharacterString, Naptr};

/// Why octets are not a DNS message that is modelled here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The octets end too early.
    #[error("the message ends at octet {0}, in the middle of a field")]
    Short(usize),
    /// Octets are left over.
    #[error("{0} octets follow the last record")]
    Trailing(usize),
    /// The opcode is not QUERY.
    #[error("opcode {0} is not QUERY (0)")]
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
    if flags & OPCODE != 0 {
        return Err(DecodeError::Opcode((flags & OPCODE) >> 11));
    }
    if flags & TC != 0 {
        return Err(DecodeError::Truncated);
    }
    let [questions, answers, authority, additional] =
        [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    if questions != 1 {
        return Err(DecodeError::Questions(questions));
    }
    let mut edns = None;
    let contents = Contents {
        id,
        response: flags & QR != 0,
        authoritative: flags & AA != 0,
        recursion_desired: flags & RD != 0,
        recursion_available: flags & RA != 0,
        rcode: Rcode::from_bits(flags.to_be_bytes()[1]),
        question: reader.question()?,
        answers: reader.section(answers, None)?,
        authority: reader.section(authority, None)?,
        additional: reader.section(additional, Some(&mut edns))?,
        edns,
    };
    match octets.len() - reader.at {
        0 => Ok(Message::from(contents)),
        left => Err(DecodeError::Trailing(left)),
    }
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

    /// Reads the records of a section; `edns` is where an OPT record may go.
    fn section(
        &mut self,
        count: u16,
        mut edns: Option<&mut Option<Edns>>,
    ) -> Result<Vec<Record>, DecodeError> {
        let mut records = Vec::new();
        for _ in 0..count {
            let name = self.name()?;
            let rtype = RecordType(self.u16()?);
            if rtype == RecordType::OPT {
                match edns.as_deref_mut() {
                    Some(place @ None) if name.is_root() => *place = Some(self.edns()?),
                    _ => return Err(DecodeError::Opt),
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
