//! What can be wrong with a scenario, and how it is told.
//!
//! A [`Problem`] is a fault at a place. A [`Report`] holds all problems of a scenario with the
//! texts that they stand in, and writes them with file, line, column, key and the nearest known
//! word, either plainly or with the line of the file and a pointer.

mod budget;
mod need;
mod network;
mod places;
mod relay;
mod report;

pub use budget::BudgetFault;
pub use network::NetworkFault;
pub use relay::RelayFault;
pub use report::{Report, Sources};

use std::path::PathBuf;

use thiserror::Error;

use super::document::{Path, Place};
use crate::units::UnitError;

mod told;
mod words;

pub use need::NeedFault;
pub use places::Places;
use places::elsewhere;
pub use told::StoryFault;
pub(super) use words::either;
pub use words::nearest;
use words::{listed, listed_near, suggest, suggest_or_list};

/// Something wrong at a place.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{}{fault}{}", prefix(path), at_point(point.as_deref()))]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The key that it is about; empty for the file as a whole.
    pub path: Path,
    /// What.
    pub fault: Box<Fault>,
    /// The point of a sweep that it is wrong at, where it is not at all of them.
    pub point: Option<String>,
}

impl Problem {
    /// A fault at a place.
    #[must_use]
    pub fn new(place: Place, path: Path, fault: Fault) -> Self {
        Self { place, path, fault: Box::new(fault), point: None }
    }
}

fn prefix(path: &Path) -> String {
    let path = path.to_string();
    if path.is_empty() { path } else { format!("{path}: ") }
}

fn at_point(point: Option<&str>) -> String {
    point.map_or_else(String::new, |point| format!(" (at the point {point})"))
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    /// The file is not text.
    #[error("the file is not text: byte {offset} is not UTF-8")]
    NotText {
        /// The first byte that is not.
        offset: usize,
    },
    /// The text is not TOML.
    #[error("{message}")]
    Syntax {
        /// What the TOML parser says.
        message: String,
    },
    /// A key without a value.
    #[error("`{key}` has no value: write one after the `=`, or leave the key out")]
    NoValue {
        /// The key.
        key: String,
    },
    /// A string without quotes, or nothing that can be a value.
    #[error("`{word}` is no value; a string stands in quotes: \"{word}\"")]
    NoQuotes {
        /// What is written.
        word: String,
    },
    /// A `--set` argument is not an assignment.
    #[error("expected key=value, such as dns.ttl=30s")]
    NoAssignment,
    /// A `--set` argument goes through a value that has no keys.
    #[error("{found} has no keys below it")]
    NotATable {
        /// The value.
        found: String,
    },
    /// A `--set` argument names a list element that does not exist.
    #[error("`{step}` is no element of a list of {length}; they are counted from 0")]
    NoElement {
        /// The step as written.
        step: String,
        /// How many there are.
        length: usize,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}`{}", suggest_or_list(key, nearest.as_ref(), known))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The nearest that exists, when one is near.
        nearest: Option<String>,
        /// All that exist.
        known: Vec<String>,
    },
    /// A key that exists, but elsewhere.
    #[error("unknown key `{key}`; {}", elsewhere(places))]
    KeyElsewhere {
        /// The key as written.
        key: String,
        /// Where it exists.
        places: Places,
    },
    /// A key or value that is to come.
    #[error("`{what}` is not supported by this version")]
    NotSupported {
        /// The key or value.
        what: String,
    },
    /// A word that is not among those that can stand here.
    #[error("expected {}, found {found}{}", listed_near(found, expected), suggest(nearest.as_ref()))]
    Word {
        /// The value as written.
        found: String,
        /// The words that can stand here.
        expected: Vec<String>,
        /// The nearest of them, when one is near.
        nearest: Option<String>,
    },
    /// A key that does not exist, but is near to one that is to come.
    #[error("unknown key `{key}`; the nearest, `{nearest}`, is not supported by this version")]
    KeyToCome {
        /// The key as written.
        key: String,
        /// The nearest.
        nearest: String,
    },
    /// A word that cannot stand here, but is near to one that is to come.
    #[error(
        "expected {}, found {found}; the nearest word, `{nearest}`, is not supported by this version",
        listed_near(found, expected)
    )]
    WordToCome {
        /// The value as written.
        found: String,
        /// The words that can stand here.
        expected: Vec<String>,
        /// The nearest.
        nearest: String,
    },
    /// A value of the wrong type.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What can stand here.
        expected: String,
        /// The value as written.
        found: String,
    },
    /// A quantity that cannot be read.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// A number out of range.
    #[error("{found} is out of range: {expected}")]
    Range {
        /// The number as written.
        found: String,
        /// The range.
        expected: String,
    },
    /// A name with characters that it must not have.
    #[error(
        "`{found}` is not a name: only letters, digits and dashes, 64 at most, a letter or digit first"
    )]
    Slug {
        /// The name as written.
        found: String,
    },
    /// A text that is no domain name.
    #[error("`{found}` is not a domain name, such as `chord.dyndns.org`")]
    Domain {
        /// The text as written.
        found: String,
    },
    /// A text that cannot be the name of a SIP user.
    #[error(
        "`{found}` is not the name of a user: only letters, digits, dashes, dots, `_` and `+`, 64 at most"
    )]
    User {
        /// The text as written.
        found: String,
    },
    /// A text that is no address of a user.
    #[error("`{found}` is not the address of a user, such as `bob@chord.dyndns.org`: {why}")]
    Address {
        /// The text as written.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A user that does not exist.
    #[error("there is no user `{user}` at `{domain}`{}", suggest_or_list(user, nearest.as_ref(), known))]
    NoUser {
        /// The user.
        user: String,
        /// Where it should be.
        domain: String,
        /// The nearest that exists, when one is near.
        nearest: Option<String>,
        /// Those that exist, or some of them.
        known: Vec<String>,
    },
    /// A host that has no user.
    #[error("`{name}` has no user: {why}")]
    NoUserAt {
        /// The host.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// A conventional domain without a SIP server.
    #[error("`{domain}` has no SIP server: its users only look up")]
    NoServer {
        /// The domain.
        domain: String,
    },
    /// A phone in the overlay's own domain.
    #[error("`{domain}` is the overlay's own domain: a member has it without this key")]
    OverlayDomain {
        /// The domain.
        domain: String,
    },
    /// A phone where a member is needed.
    #[error("`{host}` is a phone of `{domain}`: only members of the overlay come and go")]
    NoMember {
        /// The host.
        host: String,
        /// Its domain.
        domain: String,
    },
    /// Something about a story.
    #[error(transparent)]
    Story(#[from] StoryFault),
    /// Something about the relay.
    #[error("{0}")]
    Relay(#[from] RelayFault),
    /// Something about the network.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// Something about a budget.
    #[error(transparent)]
    Budget(#[from] BudgetFault),
    /// One key needs another to have a certain value.
    #[error(transparent)]
    Need(#[from] NeedFault),
    /// A user that addresses itself.
    #[error("the user of `{host}` would address itself")]
    Itself {
        /// Its host.
        host: String,
    },
    /// An instant message that is too long.
    #[error("an instant message of {found} octets: at most {most} are allowed")]
    LongText {
        /// Its length.
        found: usize,
        /// The greatest.
        most: usize,
    },
    /// A conventional domain whose users do nothing.
    #[error(
        "the users have nothing to do: give `messages`, `calls`, `subscriptions` or `lookups`, or `users = 0`"
    )]
    NothingToDo,
    /// A domain name that lies in no zone.
    #[error("`{found}` has a single label: the name lies in a zone, such as `chord.dyndns.org`")]
    SingleLabel {
        /// The name as written.
        found: String,
    },
    /// A domain below which no name has room.
    #[error("a name of {found} octets: at most {most}, since names of hosts stand below it")]
    LongDomain {
        /// Its length.
        found: usize,
        /// The greatest.
        most: usize,
    },
    /// A port that something else listens on.
    #[error("port {port} is taken: {why}")]
    PortTaken {
        /// The port.
        port: u16,
        /// By what.
        why: &'static str,
    },
    /// A duration that must not be zero.
    #[error("it must be longer than zero")]
    Zero,
    /// A period or a wait so short that a run would do nothing else.
    #[error("{found} is too short: it must be 1ms or more")]
    TooShort {
        /// The duration as written.
        found: String,
    },
    /// A rate so high that a run would do nothing else.
    #[error("{found} is too often: it must be 1000/s or less")]
    TooOften {
        /// The rate as written.
        found: String,
    },
    /// A wait beyond what makes sense.
    #[error("{found} is too long: it must be {most} or less")]
    TooLong {
        /// The duration as written.
        found: String,
        /// The longest.
        most: String,
    },
    /// A duration that counts whole seconds.
    #[error("it counts whole seconds, at most 2147483647")]
    NotWholeSeconds,
    /// A key that must be there.
    #[error("missing key `{key}`: {why}")]
    Missing {
        /// The key.
        key: String,
        /// What it is for.
        why: String,
    },
    /// A section that must be there.
    #[error("{what} needs a section [{section}]")]
    MissingSection {
        /// Who needs it.
        what: String,
        /// The section.
        section: &'static str,
    },
    /// Two keys that exclude each other.
    #[error("`{key}` and `{other}` exclude each other")]
    Both {
        /// The one.
        key: &'static str,
        /// The other.
        other: &'static str,
    },
    /// Neither of two keys, one of which is needed.
    #[error("missing key: either `{key}` or `{other}`")]
    Neither {
        /// The one.
        key: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A key that has no meaning beside others.
    #[error("`{key}` has no meaning with {with}")]
    Meaningless {
        /// The key.
        key: String,
        /// Beside what.
        with: String,
    },
    /// A reserved name.
    #[error("`{name}` is reserved: {why}")]
    Reserved {
        /// The name.
        name: String,
        /// For what.
        why: &'static str,
    },
    /// A name that something else has.
    #[error("`{name}` is taken: {by} has it")]
    Taken {
        /// The name.
        name: String,
        /// By what.
        by: String,
    },
    /// A name given twice.
    #[error("{what} `{name}` is named twice; the first is number {first}")]
    Twice {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
        /// The number of the first in its list, counted from 0.
        first: usize,
    },
    /// A reference to something that is not there.
    #[error("there is no {what} `{name}`{}", suggest_or_list(name, nearest.as_ref(), known))]
    Unresolved {
        /// What is referred to.
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest that exists, when one is near.
        nearest: Option<String>,
        /// All that exist.
        known: Vec<String>,
    },
    /// What refers to itself in the end.
    #[error("{what}s that forward in a circle never get an answer: {}", circle.join(" -> "))]
    Circle {
        /// What does.
        what: &'static str,
        /// The names on the way round, the first one twice.
        circle: Vec<String>,
    },
    /// A reference is needed, since there are several to choose from.
    #[error("missing key `resolver`: there is no single group to take, but {count}")]
    Ambiguous {
        /// How many groups there are.
        count: usize,
    },
    /// Something at or after the end of the run.
    #[error("{what} at {at} is not before the end of the run at {end}")]
    PastEnd {
        /// What.
        what: &'static str,
        /// When.
        at: String,
        /// The end.
        end: String,
    },
    /// An event that can fall behind the end of the run.
    #[error("an event at {at}, spread over {spread}, can lie past the end of the run at {end}")]
    SpreadPastEnd {
        /// Its earliest moment.
        at: String,
        /// Over what it is spread.
        spread: String,
        /// The end.
        end: String,
    },
    /// A value that must stand in a relation to another.
    #[error("{found} must {relation} `{other}`, which is {limit}")]
    Relation {
        /// The value.
        found: String,
        /// In which relation.
        relation: &'static str,
        /// The other key.
        other: &'static str,
        /// Its value.
        limit: String,
    },
    /// Nobody is in the overlay.
    #[error("an overlay needs members: name hosts, or give a number above zero")]
    NoMembers,
    /// More members than there are addresses.
    #[error("it takes {count} members, and there are addresses for {most}")]
    TooManyMembers {
        /// How many there would be, those that are away included.
        count: u64,
        /// How many there can be.
        most: u64,
    },
    /// A model that cannot be built from its parameters.
    #[error("{message}")]
    Model {
        /// Why not.
        message: String,
    },
    /// A number of members beside a trace.
    #[error("the trace says who the members are: leave `nodes` out")]
    NodesBesideTrace,
    /// A trace without a format.
    #[error(
        "the extension of `{path}` does not tell its format: give `format`, one of `avt`, `events`, \
         `oversim`, `fta`, `p2psim` and `splay`"
    )]
    TraceFormat {
        /// The file.
        path: String,
    },
    /// A trace that cannot be read, or does not hold what it should.
    #[error("{}: {message}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A sweep without keys and points.
    #[error(
        "the sweep varies nothing: give a key a list of values, such as \"dns.ttl\" = [\"5s\", \"60s\"], or list points under [[sweep.point]]"
    )]
    EmptySweep,
    /// A key of a sweep whose list is empty.
    #[error("the list is empty: a sweep needs at least one value")]
    EmptyGrid,
    /// A key of a sweep without a list.
    #[error("expected a list of the values to go through, found {found}; write [{found}, …]")]
    NoGrid {
        /// The value as written.
        found: String,
    },
    /// A key that all points share.
    #[error("`{key}` cannot be varied: all points of a study share it")]
    NotSwept {
        /// The key.
        key: &'static str,
    },
    /// A key that would have two values at one point.
    #[error("`{key}` stands in the grid as well: a point has one value for it")]
    GridAndPoint {
        /// The key.
        key: String,
    },
    /// An argument for a key in a table that a sweep replaces as a whole.
    #[error(
        "the sweep replaces the whole of `{key}`, so that this would be lost: give `{key}` itself, or change the sweep"
    )]
    SweptAsAWhole {
        /// The table.
        key: String,
    },
    /// More points than anybody wants.
    #[error("the sweep has more than {most} points")]
    TooManyPoints {
        /// The most.
        most: usize,
    },
    /// One scenario was expected.
    #[error("the sweep has {points} points, and this takes a single one")]
    SeveralPoints {
        /// How many there are.
        points: usize,
    },
    /// A metric that does not exist.
    #[error("there is no metric `{found}`{}", suggest(nearest.as_ref()))]
    UnknownMetric {
        /// The name as written.
        found: String,
        /// The nearest that exists, when one is near.
        nearest: Option<String>,
    },
    /// A scenario that the checks let through and the reader does not: a defect of the program.
    #[error("{message}")]
    Unread {
        /// What the reader says.
        message: String,
    },
}
