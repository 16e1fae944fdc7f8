//! Dynamic update (RFC 2136): what has to hold of a zone, and what is to be changed in it.
//!
//! An UPDATE is atomic: all prerequisites hold and all changes are made, or none is. A prerequisite
//! that names the whole record set makes it a compare-and-swap, which dyndns2 has not. The checks
//! and changes themselves are the [zone](crate::dns::zone)'s, permission is the
//! [authority](crate::dns::authority)'s.
//!
//! Left out: forwarding by a server that is not the primary (§6), which refuses here, and updates
//! of SOA, NS and CNAME records, whose special cases (§3.4.2) nobody here needs.

use crate::dns::message::{Question, Record, RecordData, RecordType, Ttl};
use crate::dns::name::DomainName;
use crate::dns::zone::RrSet;

/// The two sections of an UPDATE that say something; in a response both are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// All of these must hold.
    pub prerequisites: Vec<Prerequisite>,
    /// Then these are made, in their order.
    pub changes: Vec<Change>,
}

/// What must hold of the zone (RFC 2136 §2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    /// There is a record set of this name and type (§2.4.1); else NXRRSET.
    Exists(Question),
    /// This record is in its set, and the set holds no others than such prerequisites name, whatever
    /// their TTL (§2.4.2); else NXRRSET.
    Holds(DomainName, RecordData),
    /// There is no record set of this name and type (§2.4.3); else YXRRSET.
    Absent(Question),
    /// The name has records (§2.4.4); else NXDOMAIN.
    InUse(DomainName),
    /// The name has no records (§2.4.5); else YXDOMAIN.
    NotInUse(DomainName),
}

/// A change of the zone (RFC 2136 §2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds the record to its set, which takes its TTL (§2.5.1; RFC 2181 §5.2).
    Add(Record),
    /// Deletes the record set of this name and type (§2.5.2).
    DeleteSet(Question),
    /// Deletes all record sets of this name (§2.5.3).
    DeleteName(DomainName),
    /// Deletes this record from its set (§2.5.4).
    Delete(DomainName, RecordData),
}

impl Update {
    /// Puts a record set in place of the one of its name and type, whatever that was.
    pub fn replace(&mut self, name: &DomainName, set: &RrSet) {
        self.changes.push(Change::DeleteSet(Question::new(name.clone(), set.rtype())));
        self.add(name, set);
    }

    /// Adds the records of a set to what there is.
    pub fn add(&mut self, name: &DomainName, set: &RrSet) {
        let add = |data: &RecordData| {
            Change::Add(Record { name: name.clone(), ttl: set.ttl, data: data.clone() })
        };
        self.changes.extend(set.data.iter().map(add));
    }

    /// Only if the record set of this question is exactly this; without data, if there is none.
    pub fn expect(&mut self, question: &Question, data: &[RecordData]) {
        if data.is_empty() {
            self.prerequisites.push(Prerequisite::Absent(question.clone()));
        }
        let holds = |data: &RecordData| Prerequisite::Holds(question.name.clone(), data.clone());
        self.prerequisites.extend(data.iter().map(holds));
    }
}

impl Prerequisite {
    /// The name that it is about.
    #[must_use]
    pub const fn name(&self) -> &DomainName {
        match self {
            Self::Exists(question) | Self::Absent(question) => &question.name,
            Self::Holds(name, _) | Self::InUse(name) | Self::NotInUse(name) => name,
        }
    }
}

impl Change {
    /// The name that it is about.
    #[must_use]
    pub const fn name(&self) -> &DomainName {
        match self {
            Self::Add(record) => &record.name,
            Self::DeleteSet(question) => &question.name,
            Self::DeleteName(name) | Self::Delete(name, _) => name,
        }
    }
}

/// The class of a record in an UPDATE, which says how it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The zone's own: the record as such.
    In,
    /// NONE: its absence.
    None,
    /// ANY: whatever its data.
    Any,
}

impl Class {
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::In => 1,
            Self::None => 254,
            Self::Any => 255,
        }
    }

    pub(crate) const fn of(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::In),
            254 => Some(Self::None),
            255 => Some(Self::Any),
            _ => None,
        }
    }
}

/// A prerequisite or a change as it stands on the wire.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    pub(crate) name: &'a DomainName,
    pub(crate) rtype: RecordType,
    pub(crate) class: Class,
    pub(crate) ttl: Ttl,
    pub(crate) data: Option<&'a RecordData>,
}

impl<'a> Written<'a> {
    const fn bare(name: &'a DomainName, rtype: RecordType, class: Class) -> Self {
        Self { name, rtype, class, ttl: Ttl::ZERO, data: None }
    }

    fn full(name: &'a DomainName, class: Class, ttl: Ttl, data: &'a RecordData) -> Self {
        Self { name, rtype: data.rtype(), class, ttl, data: Some(data) }
    }
}

impl Prerequisite {
    pub(crate) fn written(&self) -> Written<'_> {
        match self {
            Self::Exists(it) => Written::bare(&it.name, it.rtype, Class::Any),
            Self::Absent(it) => Written::bare(&it.name, it.rtype, Class::None),
            Self::InUse(name) => Written::bare(name, RecordType::ANY, Class::Any),
            Self::NotInUse(name) => Written::bare(name, RecordType::ANY, Class::None),
            Self::Holds(name, data) => Written::full(name, Class::In, Ttl::ZERO, data),
        }
    }
}

impl Change {
    pub(crate) fn written(&self) -> Written<'_> {
        match self {
            Self::Add(record) => Written::full(&record.name, Class::In, record.ttl, &record.data),
            Self::DeleteSet(it) => Written::bare(&it.name, it.rtype, Class::Any),
            Self::DeleteName(name) => Written::bare(name, RecordType::ANY, Class::Any),
            Self::Delete(name, data) => Written::full(name, Class::None, Ttl::ZERO, data),
        }
    }
}
