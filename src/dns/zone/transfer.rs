//! Copies of a zone: what is sent to a secondary (RFC 1995, RFC 5936), and what it makes of it.
//!
//! A transfer is a list of records between two copies of the newest SOA. An *incremental* one has
//! one sequence a version in between: the SOA that the version began with, what it deleted, the SOA
//! that it ended with, what it added. A *full* one has all records of the zone. A single SOA means
//! that there is nothing newer, or, over UDP, that the transfer does not fit.
//!
//! A record set keeps the order of its records: where the records that stay and then those that are
//! added would not be in the order of the new set, all are deleted and added again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{RrSet, Zone, records};
use crate::dns::message::{Message, Question, Rcode, Record, RecordData, RecordType, Soa, Ttl};

/// What has become of a zone, version by version.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    /// The oldest first; each begins where the one before it ended.
    versions: VecDeque<Version>,
    /// So many are kept.
    kept: usize,
}

#[derive(Clone, Debug)]
struct Version {
    from: Arc<Soa>,
    to: Arc<Soa>,
    changes: Vec<Changed>,
}

/// A record set that has changed.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) question: Question,
    pub(super) before: Option<RrSet>,
    pub(super) after: Option<RrSet>,
}

/// Why a transfer is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// It does not begin with an SOA, or not end with the same.
    #[error("the transfer does not begin and end with the same SOA")]
    Ends,
    /// A difference does not begin where the one before it ended.
    #[error("the transfer goes on from serial {found}, not from {expected}")]
    Gap {
        /// The version of the copy.
        expected: u32,
        /// The version that the difference is about.
        found: u32,
    },
}

/// What a transfer amounts to, by its first records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// The newest version has this serial, and nothing else is said.
    Serial(u32),
    /// More than that.
    Content,
}

/// Whether a serial is newer than another (RFC 1982).
#[must_use]
pub const fn is_newer(serial: u32, than: u32) -> bool {
    let ahead = serial.wrapping_sub(than);
    ahead != 0 && ahead < 1 << 31
}

/// A message carries so many records of a transfer at most, so that it stays below 64 KiB: the
/// longest record of a zone here, an SRV whose target is written out, takes fewer than 300 octets,
/// and owner names are compressed.
const RECORDS: usize = 150;

impl Journal {
    pub(super) fn note(&mut self, from: Arc<Soa>, to: Arc<Soa>, changes: Vec<Changed>) {
        self.versions.push_back(Version { from, to, changes });
        while self.versions.len() > self.kept {
            self.versions.pop_front();
        }
    }

    /// The versions from this serial on; `None` when it does not reach back so far.
    fn since(&self, serial: u32) -> Option<impl Iterator<Item = &Version>> {
        let first = self.versions.iter().position(|version| version.from.serial == serial)?;
        Some(self.versions.iter().skip(first))
    }
}

impl Changed {
    /// The records that go, and those that come.
    fn differences(&self) -> (Vec<Record>, Vec<Record>) {
        let list = |set: &Option<RrSet>| -> Vec<Record> {
            let name = &self.question.name;
            set.as_ref().map_or_else(Vec::new, |set| records(name, set.ttl, &set.data))
        };
        let (before, after) = (list(&self.before), list(&self.after));
        let (kept, gone): (Vec<Record>, Vec<Record>) =
            before.iter().cloned().partition(|record| after.contains(record));
        let added: Vec<Record> = after.iter().filter(|it| !before.contains(it)).cloned().collect();
        let in_order = kept.iter().chain(&added).eq(&after);
        if in_order { (gone, added) } else { (before, after) }
    }
}

impl Zone {
    /// Remembers this many versions from now on, so that they can be sent as differences.
    pub fn keep_journal(&mut self, versions: usize) {
        self.journal = Some(Journal { versions: VecDeque::new(), kept: versions });
    }

    /// The times by which secondaries ask for a new version.
    pub fn set_maintenance(&mut self, refresh: u32, retry: u32, expire: u32) {
        let soa = Arc::make_mut(&mut self.soa);
        (soa.refresh, soa.retry, soa.expire) = (refresh, retry, expire);
    }

    /// The start of authority.
    #[must_use]
    pub fn soa(&self) -> &Soa {
        &self.soa
    }

    /// The start of authority as a record.
    #[must_use]
    pub fn soa_record(&self) -> Record {
        self.soa_of(&self.soa)
    }

    fn soa_of(&self, soa: &Arc<Soa>) -> Record {
        Record { name: self.apex.clone(), ttl: self.soa_ttl, data: RecordData::Soa(soa.clone()) }
    }

    /// What a secondary is sent that has this version: one SOA when there is nothing newer,
    /// differences if the journal reaches back to it, else all.
    #[must_use]
    pub fn transfer(&self, serial: u32) -> Vec<Record> {
        let newest = self.soa_record();
        if !is_newer(self.soa.serial, serial) {
            return vec![newest];
        }
        let mut sent = vec![newest.clone()];
        match self.journal.as_ref().and_then(|journal| journal.since(serial)) {
            Some(versions) => {
                for version in versions {
                    let differences = version.changes.iter().map(Changed::differences);
                    let (gone, added): (Vec<_>, Vec<_>) = differences.unzip();
                    sent.push(self.soa_of(&version.from));
                    sent.extend(gone.into_iter().flatten());
                    sent.push(self.soa_of(&version.to));
                    sent.extend(added.into_iter().flatten());
                }
            }
            None => {
                for (name, sets) in &self.sets {
                    sent.extend(sets.iter().flat_map(|set| records(name, set.ttl, &set.data)));
                }
            }
        }
        sent.push(newest);
        sent
    }

    /// The responses to a request for a transfer over TCP, one message or more; over UDP, one
    /// message of at most `most` octets, with the SOA alone where the transfer does not fit.
    #[must_use]
    pub fn transfer_responses(&self, query: &Message, most: Option<u32>) -> Vec<Message> {
        let serial = query.authority.iter().find_map(|record| match &record.data {
            RecordData::Soa(soa) => Some(soa.serial),
            _ => None,
        });
        let respond = |records: &[Record]| {
            let mut response = Message::response_to(query, Rcode::NO_ERROR);
            response.authoritative = true;
            response.answers = records.to_vec();
            response
        };
        let Some(serial) = serial else {
            return vec![Message::response_to(query, Rcode::FORM_ERR)];
        };
        let all = self.transfer(serial);
        let Some(most) = most else {
            return all.chunks(RECORDS).map(respond).collect();
        };
        let whole = respond(&all);
        let fits = crate::dns::codec::encoded_len(&whole) <= most;
        vec![if fits { whole } else { respond(&all[..1]) }]
    }

    /// Makes this zone what a whole transfer says. Returns the record sets that it is about, also
    /// those that have changed and are again what they were.
    ///
    /// # Errors
    /// When the transfer contradicts itself or this version; then nothing has changed.
    pub fn take_over(&mut self, sent: &[Record]) -> Result<Vec<Question>, TransferError> {
        let (Some(newest), [_, content @ .., _]) = (soa_in(sent.first()), sent) else {
            return Err(TransferError::Ends);
        };
        if !is_whole(sent) {
            return Err(TransferError::Ends);
        }
        let mut copy = self.clone();
        let mut concerned: Vec<Question> = content
            .iter()
            .filter(|record| soa_in(Some(record)).is_none())
            .map(|record| Question::new(record.name.clone(), record.data.rtype()))
            .collect();
        if soa_in(content.first()).is_some() {
            copy.follow(content)?;
        } else {
            concerned.extend(self.questions());
            copy.sets.clear();
            content.iter().for_each(|record| copy.append(record));
        }
        copy.soa = newest.clone();
        *self = copy;
        concerned.sort();
        concerned.dedup();
        Ok(concerned)
    }

    /// Carries differences out, one after the other.
    fn follow(&mut self, content: &[Record]) -> Result<(), TransferError> {
        let mut adds = true;
        for record in content {
            match &record.data {
                RecordData::Soa(soa) if adds => {
                    let (expected, found) = (self.soa.serial, soa.serial);
                    if expected != found {
                        return Err(TransferError::Gap { expected, found });
                    }
                    adds = false;
                }
                RecordData::Soa(soa) => {
                    self.soa = soa.clone();
                    adds = true;
                }
                _ if adds => self.append(record),
                data => self.strike(record, data),
            }
        }
        Ok(())
    }

    /// Puts a record behind those of its set, whose TTL becomes that of the record.
    fn append(&mut self, record: &Record) {
        if record.name.is_within(&self.apex) {
            self.add(record);
        }
    }

    /// Takes a record out of its set.
    fn strike(&mut self, record: &Record, data: &RecordData) {
        let question = Question::new(record.name.clone(), data.rtype());
        let Some(mut set) = self.take(&question) else { return };
        set.data = set.data.iter().filter(|it| *it != data).cloned().collect();
        if !set.data.is_empty() {
            self.place(record.name.clone(), set);
        }
    }

    /// All questions that a record set of the zone answers.
    pub fn questions(&self) -> impl Iterator<Item = Question> {
        self.sets.iter().flat_map(|(name, sets)| {
            sets.iter().map(|set| Question::new(name.clone(), set.rtype()))
        })
    }
}

fn soa_in(record: Option<&Record>) -> Option<&Arc<Soa>> {
    match record.map(|record| &record.data) {
        Some(RecordData::Soa(soa)) => Some(soa),
        _ => None,
    }
}

/// What the first records of a transfer say.
#[must_use]
pub fn kind(sent: &[Record]) -> Option<Transfer> {
    let newest = soa_in(sent.first())?;
    Some(if sent.len() == 1 { Transfer::Serial(newest.serial) } else { Transfer::Content })
}

/// Whether the last record of a transfer has come: of a full one the second SOA, of an incremental
/// one the second that is the newest and stands where a difference could begin.
#[must_use]
pub fn is_whole(sent: &[Record]) -> bool {
    let Some(newest) = soa_in(sent.first()) else { return false };
    let soas: Vec<&Arc<Soa>> = sent[1..].iter().filter_map(|it| soa_in(Some(it))).collect();
    let ends = soa_in(sent.last()) == Some(newest) && sent.len() > 1;
    if soa_in(sent.get(1)).is_some() {
        // Two a difference, and the last.
        return ends && soas.len() % 2 == 1;
    }
    ends
}

/// The question for a transfer, as a message: what is newer than this version (RFC 1995 §3).
#[must_use]
pub fn request(id: u16, zone: &Zone) -> Message {
    let mut query =
        Message::upstream_query(id, Question::new(zone.apex().clone(), RecordType::IXFR));
    query.authority = vec![Record { ttl: Ttl::ZERO, ..zone.soa_record() }];
    query
}

#[cfg(test)]
mod tests;
