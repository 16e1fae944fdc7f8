//! What a response means: the answer, and how long it may be kept.

use std::sync::Arc;

use crate::address::Address;
use crate::dns::message::{Message, Rcode, Record, RecordData, Srv, Ttl};
use crate::dns::naptr::Naptr;

/// What a name server or a cache says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The record set; never empty, all of the type that was asked for, in the order received.
    Records(Arc<[RecordData]>),
    /// There is no such record set.
    Negative(Negative),
    /// SERVFAIL, REFUSED and the like.
    Failure,
}

/// The two kinds of negative answers (RFC 2308 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negative {
    /// NXDOMAIN: nothing exists at that name.
    NxDomain,
    /// NODATA: the name exists, but has no data of that type.
    NoData,
}

impl Answer {
    /// The answer with these addresses, NODATA if there are none.
    #[must_use]
    pub fn of_addresses(addresses: &[Address]) -> Self {
        if addresses.is_empty() {
            return Self::Negative(Negative::NoData);
        }
        Self::Records(addresses.iter().map(|&address| RecordData::A(address)).collect())
    }

    /// The addresses in the answer, in their order; none when it holds none.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.records().iter().filter_map(|data| match data {
            RecordData::A(address) => Some(*address),
            _ => None,
        })
    }

    /// The services in the answer, in their order; none when it holds none.
    pub fn services(&self) -> impl Iterator<Item = &Srv> {
        self.records().iter().filter_map(|data| match data {
            RecordData::Srv(srv) => Some(srv),
            _ => None,
        })
    }

    /// The rewrite rules in the answer, in their order; none when it holds none.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Naptr>> {
        self.records().iter().filter_map(|data| match data {
            RecordData::Naptr(rule) => Some(rule),
            _ => None,
        })
    }

    /// The record set, empty unless the answer is positive.
    #[must_use]
    pub fn records(&self) -> &[RecordData] {
        match self {
            Self::Records(records) => records,
            Self::Negative(_) | Self::Failure => &[],
        }
    }
}

/// An answer with how long it may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What is said.
    pub answer: Answer,
    /// The TTL of the record set, or of the negative answer: min(SOA TTL, SOA MINIMUM), RFC 2308
    /// §5. Zero for a failure and for a negative answer without SOA, which must not be kept.
    pub ttl: Ttl,
    /// The SOA record of a negative answer, to be passed on.
    pub soa: Option<Record>,
}

impl Reply {
    /// A failure.
    pub const FAILURE: Self = Self { answer: Answer::Failure, ttl: Ttl::ZERO, soa: None };

    /// What this response says to its question. Records of other names and types are ignored; of
    /// differing TTLs the lowest counts (RFC 2181 §5.2).
    #[must_use]
    pub fn of(response: &Message) -> Self {
        let negative = match response.rcode {
            Rcode::NO_ERROR => Negative::NoData,
            Rcode::NX_DOMAIN => Negative::NxDomain,
            _ => return Self::FAILURE,
        };
        let question = &response.question;
        let matching = || {
            response.answers.iter().filter(|record| {
                record.name == question.name && record.data.rtype() == question.rtype
            })
        };
        if let (Negative::NoData, Some(ttl)) = (negative, matching().map(|record| record.ttl).min())
        {
            let records = matching().map(|record| record.data.clone()).collect();
            return Self { answer: Answer::Records(records), ttl, soa: None };
        }
        let soa = response.authority.iter().find_map(|record| match &record.data {
            RecordData::Soa(soa) => Some((record, soa.minimum.min(record.ttl))),
            _ => None,
        });
        Self {
            answer: Answer::Negative(negative),
            ttl: soa.map_or(Ttl::ZERO, |(_, ttl)| ttl),
            soa: soa.map(|(record, _)| record.clone()),
        }
    }

    /// The response to `query` that says this: the record set, or the SOA of a negative answer
    /// with the reply's TTL.
    #[must_use]
    pub fn response_to(&self, query: &Message) -> Message {
        let question = &query.question;
        let rcode = match self.answer {
            Answer::Records(_) | Answer::Negative(Negative::NoData) => Rcode::NO_ERROR,
            Answer::Negative(Negative::NxDomain) => Rcode::NX_DOMAIN,
            Answer::Failure => Rcode::SERV_FAIL,
        };
        let mut response = Message::response_to(query, rcode);
        response.answers = self
            .answer
            .records()
            .iter()
            .map(|data| Record { name: question.name.clone(), ttl: self.ttl, data: data.clone() })
            .collect();
        response.authority =
            self.soa.iter().map(|soa| Record { ttl: self.ttl, ..soa.clone() }).collect();
        response
    }
}
