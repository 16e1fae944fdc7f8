//! Rows of the story of a run: what was said, what had to happen, what became of subscriptions.

use super::{Fields, Row, RowError, optional, word};
use crate::time::SimTime;
pub use crate::world::story::Fate;

/// The story of a run; empty where none is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What happened, by time.
    pub lines: Vec<StoryRow>,
    /// What had to happen, in its order.
    pub exchanges: Vec<ExchangeRow>,
    /// Subscriptions to presence.
    pub subscriptions: Vec<SubscriptionRow>,
}

impl Told {
    /// Whether there is no story.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.exchanges.is_empty() && self.subscriptions.is_empty()
    }
}

/// A line of the story: a row of `story.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryRow {
    /// When.
    pub time: SimTime,
    /// The host that sends, or to which it happens.
    pub from: String,
    /// The host that receives; `None` when it is no message.
    pub to: Option<String>,
    /// What, in words.
    pub what: String,
    /// Whether it is a SIP message that was sent before: a retransmission.
    pub again: bool,
}

/// Something that had to happen: a row of `exchanges.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// What it is called.
    pub title: String,
    /// When it happened, if it did.
    pub met: Option<SimTime>,
    /// What was seen instead; empty when it happened.
    pub instead: String,
}

/// What became of a subscription: a row of `subscriptions.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// The host of who watches.
    pub watcher: String,
    /// The host of who is watched.
    pub peer: String,
    /// When it was first granted, if it was.
    pub granted: Option<SimTime>,
    /// What became of it.
    pub fate: Fate,
    /// When that showed.
    pub at: Option<SimTime>,
    /// When a new one took its place.
    pub regained: Option<SimTime>,
    /// What became of it and why, in words.
    pub told: String,
}

impl Fields<'_> {
    fn text(&mut self) -> Result<String, RowError> {
        self.take(|field| Some(field.to_owned()))
    }

    fn optional_time(&mut self) -> Result<Option<SimTime>, RowError> {
        let span = self.optional_span()?;
        Ok(span.map(|span| SimTime::ZERO + span))
    }
}

impl Row for StoryRow {
    const TABLE: &'static str = "story";
    const COLUMNS: &'static [&'static str] = &["time_s", "from", "to", "what", "again"];

    fn fields(&self) -> Vec<String> {
        let to = self.to.clone().unwrap_or_default();
        let again = self.again.to_string();
        vec![self.time.to_string(), self.from.clone(), to, self.what.clone(), again]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            time: fields.time()?,
            from: fields.text()?,
            to: Some(fields.text()?).filter(|to| !to.is_empty()),
            what: fields.text()?,
            again: fields.parse()?,
        })
    }
}

impl Row for ExchangeRow {
    const TABLE: &'static str = "exchanges";
    const COLUMNS: &'static [&'static str] = &["title", "met", "time_s", "instead"];

    fn fields(&self) -> Vec<String> {
        let met = self.met.is_some().to_string();
        vec![self.title.clone(), met, optional(self.met), self.instead.clone()]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        let title = fields.text()?;
        let is_met: bool = fields.parse()?;
        let met = fields.take(|field| match (is_met, field) {
            (false, "") => Some(None),
            (true, text) => super::nanos(text).map(|at| Some(SimTime::from_nanos(at))),
            (false, _) => None,
        })?;
        Ok(Self { title, met, instead: fields.text()? })
    }
}

impl Row for SubscriptionRow {
    const TABLE: &'static str = "subscriptions";
    const COLUMNS: &'static [&'static str] =
        &["watcher", "peer", "granted_s", "fate", "time_s", "regained_s", "told"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.watcher.clone(),
            self.peer.clone(),
            optional(self.granted),
            word(&Fate::NAMES, &self.fate).to_owned(),
            optional(self.at),
            optional(self.regained),
            self.told.clone(),
        ]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            watcher: fields.text()?,
            peer: fields.text()?,
            granted: fields.optional_time()?,
            fate: fields.word(&Fate::NAMES)?,
            at: fields.optional_time()?,
            regained: fields.optional_time()?,
            told: fields.text()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads_back<R: Row + PartialEq + std::fmt::Debug>(row: &R, expected: &str) {
        let fields = row.fields();
        assert_eq!(fields.join("|"), expected);
        let record = csv::StringRecord::from(fields);
        assert_eq!(R::from_fields(&mut Fields::of::<R>(&record, 0)).as_ref(), Ok(row));
    }

    #[test]
    fn rows_read_back_as_they_are_written() {
        let time = SimTime::from_nanos(1_500_000_000);
        let line = |to: Option<&str>| StoryRow {
            time,
            from: "alice".into(),
            to: to.map(str::to_owned),
            what: "goes, \"now\"".into(),
            again: to.is_some(),
        };
        reads_back(&line(None), "1.5|alice||goes, \"now\"|false");
        reads_back(&line(Some("bob")), "1.5|alice|bob|goes, \"now\"|true");
        let exchange = |met, instead: &str| ExchangeRow {
            title: "Bob joins".into(),
            met,
            instead: instead.to_owned(),
        };
        reads_back(&exchange(Some(time), ""), "Bob joins|true|1.5|");
        reads_back(&exchange(None, "nothing"), "Bob joins|false||nothing");
        for (fate, name) in Fate::NAMES {
            let row = SubscriptionRow {
                watcher: "bob".into(),
                peer: "alice".into(),
                granted: Some(time),
                fate,
                at: None,
                regained: Some(SimTime::from_secs(9)),
                told: "so".into(),
            };
            reads_back(&row, &format!("bob|alice|1.5|{name}||9|so"));
        }
    }

    #[test]
    fn an_exchange_is_met_when_it_has_a_time() {
        for fields in [["x", "true", "", ""], ["x", "false", "5", ""], ["x", "maybe", "5", ""]] {
            let record = csv::StringRecord::from(&fields[..]);
            let read = ExchangeRow::from_fields(&mut Fields::of::<ExchangeRow>(&record, 0));
            assert!(read.is_err(), "{fields:?}");
        }
    }
}
