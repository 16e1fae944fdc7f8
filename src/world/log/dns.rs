//! DNS messages in words.

use super::Words;
use crate::dns::message::Kind;
use crate::dns::update::{Change, Update};
use crate::dns::{self, Rcode, RecordData};

impl Words<'_> {
    pub(super) fn dns(&self, message: &dns::Message) -> String {
        let asked = format!("{} {}", message.question.rtype, message.question.name);
        match &message.kind {
            Kind::Update(update) => return self.update(message, update),
            Kind::Notify if message.response => return format!("DNS notify acknowledged: {asked}"),
            Kind::Notify => return format!("DNS notify {asked}"),
            Kind::Query if !message.response => return format!("DNS query {asked}"),
            Kind::Query => {}
        }
        let said = match (message.rcode, &message.answers[..]) {
            (Rcode::NO_ERROR, []) => "no data".to_owned(),
            (Rcode::NO_ERROR, records) => {
                let data: Vec<_> = records.iter().map(|it| self.record_data(&it.data)).collect();
                format!("{}, TTL {}", data.join(", "), records[0].ttl)
            }
            (rcode, _) => format!("{rcode:?}"),
        };
        format!("DNS answer {asked}: {said}")
    }

    fn update(&self, message: &dns::Message, update: &Update) -> String {
        let zone = &message.question.name;
        if message.response {
            return format!("DNS update of {zone} answered {:?}", message.rcode);
        }
        let added = update.changes.iter().filter_map(|change| match change {
            Change::Add(record) => {
                Some(format!("{} {}", record.name, self.record_data(&record.data)))
            }
            _ => None,
        });
        let added = added.collect::<Vec<_>>().join(", ");
        let conditions = update.prerequisites.len();
        format!("DNS update of {zone}: {added}; conditions: {conditions}")
    }

    pub(super) fn record_data(&self, data: &RecordData) -> String {
        match data {
            RecordData::A(address) => (self.address)(*address),
            RecordData::Srv(srv) => format!("{}:{}", srv.target, srv.port.0),
            other => format!("a record of type {}", other.rtype()),
        }
    }
}
