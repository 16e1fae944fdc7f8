//! The rows that one finished run gives, column for column as its tables have them.
//!
//! A row does not repeat the number of its run: a run is numbered by the study that lists it, and
//! gets another number when replications are added. The writers of tables put it in front.
//!
//! Times and spans are exact: they are written as decimal seconds with up to nine decimals and
//! read back without loss. What does not exist (no new address yet) is an empty field.

mod requests;
mod story;

use std::fmt::Display;
use std::str::FromStr;

use crate::address::Address;
use crate::metrics::headline::{FAILED_INTEROP, Headline};
use crate::net::ledger::{Direction, Protocol, Purpose};
use crate::time::{SimDuration, SimTime};
pub use crate::world::observation::RequestMethod;
pub use crate::world::truth::{Anatomy, Cause, Closed, RequestOutcome, Resolution};

pub use requests::{DepartureRow, RequestRow};
pub use story::{ExchangeRow, Fate, StoryRow, SubscriptionRow, Told};

/// Everything that one run leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutput {
    /// The run's number in its study, from 0.
    pub run: u32,
    /// The seed that it was run with.
    pub seed: u64,
    /// The digest of everything that happened ([`crate::sim`]).
    pub fingerprint: u64,
    /// Handover episodes, by opening and then caller; those of the warm-up included.
    pub handovers: Vec<HandoverRow>,
    /// Stale windows, by end of validity, then resolver; those of the warm-up included.
    pub stale: Vec<StaleRow>,
    /// Requests of callers, in the order in which they began.
    pub requests: Vec<RequestRow>,
    /// Departures of the binding, oldest first; those of the warm-up included.
    pub departures: Vec<DepartureRow>,
    /// What was sent, delivered and lost after the warm-up, by protocol and purpose.
    pub signalling: Vec<SignallingRow>,
    /// Binned state, by time; the warm-up included.
    pub timeline: Vec<TimelineRow>,
    /// The story, where one is told; the warm-up included.
    pub told: Told,
    /// The headline metrics; the warm-up excluded.
    pub headline: Headline,
}

impl RunOutput {
    /// About how many octets of memory it takes.
    #[must_use]
    pub fn size(&self) -> u64 {
        fn of<T>(rows: &[T]) -> u64 {
            size_of_val(rows) as u64
        }
        of(&self.handovers)
            + of(&self.stale)
            + of(&self.requests)
            + of(&self.departures)
            + of(&self.signalling)
            + of(&self.timeline)
    }

    /// Whether the scenario has callers who send requests, so that there is a table of them.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        self.headline.knows(FAILED_INTEROP)
    }
}

/// One handover episode of one caller domain: a row of `handovers.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoverRow {
    /// The caller's domain.
    pub caller: String,
    /// The departure that opened it.
    pub opened: SimTime,
    /// Its phases.
    pub anatomy: Anatomy,
    /// Departures from the opening to the end, the first included.
    pub departures: u32,
    /// Distinct nodes that sent an update because of a failed test of the departed addresses.
    pub claimants: u32,
    /// Updates sent during the episode.
    pub updates: u32,
    /// The address whose validity ended.
    pub old_address: Option<Address>,
    /// The valid address that ended the episode.
    pub new_address: Option<Address>,
    /// How it ended.
    pub closed: Closed,
    /// Who made the binding valid again; `None` while nobody has.
    pub resolution: Option<Resolution>,
}

/// The stale window of one resolver and ended validity interval: a row of `stale.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleRow {
    /// The resolver's name.
    pub resolver: String,
    /// The address that was no longer valid.
    pub address: Address,
    /// When its validity ended.
    pub ended: SimTime,
    /// How long the resolver would have answered with it since; zero when it never did.
    pub window: SimDuration,
    /// Answers with it in that time.
    pub stale_answers: u64,
    /// All answers with this address: those from while it was valid, and the stale ones.
    pub answers: u64,
    /// How many caller domains the resolver serves.
    pub callers: u32,
}

/// What one kind of message cost: a row of `signalling.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignallingRow {
    /// The protocol.
    pub protocol: Protocol,
    /// What the messages were for.
    pub purpose: Purpose,
    /// Sent, delivered or lost.
    pub direction: Direction,
    /// Datagrams or segments.
    pub messages: u64,
    /// Octets, IP and transport headers included.
    pub bytes: u64,
}

/// The state at the end of one bin: a row of `timeline.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineRow {
    /// When the state was looked at.
    pub time: SimTime,
    /// Members of any overlay.
    pub members: u64,
    /// Up nodes that believe that they are the proxy peer.
    pub believers: u32,
    /// Whether the authority serves a valid address.
    pub binding_valid: bool,
    /// Resolvers that would answer stale.
    pub stale_resolvers: u32,
    /// All resolvers.
    pub resolvers: u32,
    /// Populated overlay identities under the name.
    pub overlays: u32,
    /// Messages sent since the previous row.
    pub messages: u64,
}

/// A row that can be written to a table and read back.
pub trait Row: Sized {
    /// The table's name, without `.csv`.
    const TABLE: &'static str;
    /// The columns, in their order, without `run`.
    const COLUMNS: &'static [&'static str];
    /// The fields, one a column.
    fn fields(&self) -> Vec<String>;
    /// Reads the row back from its fields.
    ///
    /// # Errors
    /// When a field is missing or does not read as what its column holds.
    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError>;
}

/// What is wrong with a row that was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row has fewer fields than its table has columns.
    #[error("the row ends before column {column}")]
    Short {
        /// The first column without a field.
        column: &'static str,
    },
    /// A field cannot be read.
    #[error("column {column} cannot hold {field:?}")]
    Field {
        /// The column.
        column: &'static str,
        /// What stood there.
        field: String,
    },
}

/// The fields of a row that is being read, with the columns they belong to.
#[derive(Debug)]
pub struct Fields<'a> {
    columns: std::slice::Iter<'static, &'static str>,
    record: &'a csv::StringRecord,
    next: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a row of `R`, behind the first `skip` fields of a record.
    #[must_use]
    pub fn of<R: Row>(record: &'a csv::StringRecord, skip: usize) -> Self {
        Self { columns: R::COLUMNS.iter(), record, next: skip }
    }

    fn take<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, RowError> {
        let column = self.columns.next().expect("a row reads as many fields as it has columns");
        let field = self.record.get(self.next).ok_or(RowError::Short { column })?;
        self.next += 1;
        read(field).ok_or_else(|| RowError::Field { column, field: field.to_owned() })
    }

    fn parse<T: FromStr>(&mut self) -> Result<T, RowError> {
        self.take(|field| field.parse().ok())
    }

    fn optional<T: FromStr>(&mut self) -> Result<Option<T>, RowError> {
        self.take(|field| match field {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        })
    }

    fn span(&mut self) -> Result<SimDuration, RowError> {
        self.take(|field| nanos(field).map(SimDuration::from_nanos))
    }

    fn optional_span(&mut self) -> Result<Option<SimDuration>, RowError> {
        self.take(|field| match field {
            "" => Some(None),
            text => nanos(text).map(|span| Some(SimDuration::from_nanos(span))),
        })
    }

    fn time(&mut self) -> Result<SimTime, RowError> {
        self.take(|field| nanos(field).map(SimTime::from_nanos))
    }

    fn named<T: Copy>(&mut self, all: &[T], name: fn(T) -> &'static str) -> Result<T, RowError> {
        self.take(|field| all.iter().copied().find(|&value| name(value) == field))
    }

    fn word<T: Copy>(&mut self, words: &[(T, &str)]) -> Result<T, RowError> {
        self.take(|field| words.iter().find(|(_, word)| *word == field).map(|(value, _)| *value))
    }
}

/// Nanoseconds from decimal seconds as [`SimTime`] and [`SimDuration`] write them.
fn nanos(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// A value as a field; nothing where there is none.
pub(crate) fn optional(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The word of a value in a table of words.
fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    let found = words.iter().find(|(other, _)| other == value);
    found.map(|(_, word)| *word).expect("every value has its word")
}

const CLOSED: &[(Closed, &str)] = &[
    (Closed::Request, "request"),
    (Closed::Lookup, "lookup"),
    (Closed::Unasked, "unasked"),
    (Closed::Censored, "censored"),
];

const RESOLUTIONS: &[(Option<Resolution>, &str)] =
    &[(Some(Resolution::Claim), "claim"), (Some(Resolution::Return), "return"), (None, "")];

/// A protocol as tables name it.
#[must_use]
pub const fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Chord => "chord",
        Protocol::Dns => "dns",
        Protocol::Tcp => "tcp",
        Protocol::Http => "http",
        Protocol::Icmp => "icmp",
        Protocol::Sip => "sip",
        Protocol::Bamboo => "bamboo",
        Protocol::Kademlia => "kademlia",
        Protocol::Turn => "turn",
        Protocol::Rtp => "rtp",
        Protocol::Test => "test",
    }
}

/// A purpose as tables name it.
#[must_use]
pub const fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::OverlayMaintenance => "overlay-maintenance",
        Purpose::OverlayLookup => "overlay-lookup",
        Purpose::StoreFetch => "store-fetch",
        Purpose::Probe => "probe",
        Purpose::DnsClient => "dns-client",
        Purpose::DnsUpstream => "dns-upstream",
        Purpose::DynDns => "dyndns",
        Purpose::Error => "error",
        Purpose::Sip => "sip",
        Purpose::Turn => "turn",
        Purpose::Media => "media",
    }
}

const DIRECTIONS: &[(Direction, &str)] =
    &[(Direction::Sent, "sent"), (Direction::Delivered, "delivered"), (Direction::Lost, "lost")];

impl Row for HandoverRow {
    const TABLE: &'static str = "handovers";
    const COLUMNS: &'static [&'static str] = &[
        "caller",
        "opened_s",
        "detect_s",
        "claim_s",
        "update_s",
        "publish_s",
        "cache_s",
        "ask_s",
        "recover_s",
        "restore_s",
        "outage_s",
        "total_s",
        "departures",
        "claimants",
        "updates",
        "old_address",
        "new_address",
        "closed",
        "resolution",
    ];

    fn fields(&self) -> Vec<String> {
        let a = &self.anatomy;
        let mut fields = vec![self.caller.clone(), self.opened.to_string()];
        let phases = [a.detect, a.claim, a.update, a.publish, a.cache, a.ask, a.recover];
        let sums = [a.restore(), a.outage(), a.total()];
        fields.extend(phases.iter().chain(&sums).map(SimDuration::to_string));
        fields.extend([self.departures, self.claimants, self.updates].map(|n| n.to_string()));
        fields.extend([self.old_address, self.new_address].map(optional));
        fields.push(word(CLOSED, &self.closed).to_owned());
        fields.push(word(RESOLUTIONS, &self.resolution).to_owned());
        fields
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        let (caller, opened) = (fields.parse()?, fields.time()?);
        let anatomy = Anatomy {
            detect: fields.span()?,
            claim: fields.span()?,
            update: fields.span()?,
            publish: fields.span()?,
            cache: fields.span()?,
            ask: fields.span()?,
            recover: fields.span()?,
        };
        for sum in [anatomy.restore(), anatomy.outage(), anatomy.total()] {
            fields.take(|field| (nanos(field) == Some(sum.as_nanos())).then_some(()))?;
        }
        Ok(Self {
            caller,
            opened,
            anatomy,
            departures: fields.parse()?,
            claimants: fields.parse()?,
            updates: fields.parse()?,
            old_address: fields.optional()?,
            new_address: fields.optional()?,
            closed: fields.word(CLOSED)?,
            resolution: fields.word(RESOLUTIONS)?,
        })
    }
}

impl Row for StaleRow {
    const TABLE: &'static str = "stale";
    const COLUMNS: &'static [&'static str] =
        &["resolver", "address", "ended_s", "window_s", "stale_answers", "answers", "callers"];

    fn fields(&self) -> Vec<String> {
        vec![
            self.resolver.clone(),
            self.address.to_string(),
            self.ended.to_string(),
            self.window.to_string(),
            self.stale_answers.to_string(),
            self.answers.to_string(),
            self.callers.to_string(),
        ]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            resolver: fields.parse()?,
            address: fields.parse()?,
            ended: fields.time()?,
            window: fields.span()?,
            stale_answers: fields.parse()?,
            answers: fields.parse()?,
            callers: fields.parse()?,
        })
    }
}

impl Row for SignallingRow {
    const TABLE: &'static str = "signalling";
    const COLUMNS: &'static [&'static str] =
        &["protocol", "purpose", "direction", "messages", "bytes"];

    fn fields(&self) -> Vec<String> {
        vec![
            protocol_name(self.protocol).to_owned(),
            purpose_name(self.purpose).to_owned(),
            word(DIRECTIONS, &self.direction).to_owned(),
            self.messages.to_string(),
            self.bytes.to_string(),
        ]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            protocol: fields.named(&Protocol::ALL, protocol_name)?,
            purpose: fields.named(&Purpose::ALL, purpose_name)?,
            direction: fields.word(DIRECTIONS)?,
            messages: fields.parse()?,
            bytes: fields.parse()?,
        })
    }
}

impl Row for TimelineRow {
    const TABLE: &'static str = "timeline";
    const COLUMNS: &'static [&'static str] = &[
        "time_s",
        "members",
        "believers",
        "binding_valid",
        "stale_resolvers",
        "resolvers",
        "overlays",
        "messages",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.time.to_string(),
            self.members.to_string(),
            self.believers.to_string(),
            self.binding_valid.to_string(),
            self.stale_resolvers.to_string(),
            self.resolvers.to_string(),
            self.overlays.to_string(),
            self.messages.to_string(),
        ]
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError> {
        Ok(Self {
            time: fields.time()?,
            members: fields.parse()?,
            believers: fields.parse()?,
            binding_valid: fields.parse()?,
            stale_resolvers: fields.parse()?,
            resolvers: fields.parse()?,
            overlays: fields.parse()?,
            messages: fields.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> Result<StaleRow, RowError> {
        let record = csv::StringRecord::from(fields);
        StaleRow::from_fields(&mut Fields::of::<StaleRow>(&record, 0))
    }

    #[test]
    fn times_are_exact_to_the_nanosecond() {
        // The last is above 2^53 ns, where a double would lose digits.
        for span in [0, 1, 999_999_999, 1_500_000_000, 9_007_199_254_740_993] {
            let span = SimDuration::from_nanos(span);
            assert_eq!(nanos(&span.to_string()), Some(span.as_nanos()));
        }
        for wrong in ["", ".5", "1.0000000001", "-1", "1e3", "1,5", "99999999999999999999"] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_its_column() {
        assert!(read(&["isp-1", "10.0.0.1", "5", "0.25", "1", "2", "1"]).is_ok());
        let wrong = read(&["isp-1", "10.0.0.1", "5", "soon", "1", "2", "1"]);
        assert_eq!(wrong, Err(RowError::Field { column: "window_s", field: "soon".into() }));
        assert_eq!(read(&["isp-1", "10.0.0.1"]), Err(RowError::Short { column: "ended_s" }));
    }
}
